"""Jobs: the queue, progress, stopping, the end of the server, and errors in words."""

import contextlib
import math
import threading
import time
from dataclasses import replace
from threading import Thread

import numpy as np
import pytest

from apps.service import jobs, uploads
from apps.service.limits import Limits, check_job_memory, job_memory
from apps.service.queue import QueueFull, ServerEnding
from rrstyle import examples, recipes
from rrstyle.config import StyleConfig
from rrstyle.pictures import images
from rrstyle.pipeline import Variant, stylize
from rrstyle.progress import Step

LIMITS = Limits()
CONFIG = StyleConfig(method="transport", side=48)


def picture(seed: int) -> images.Picture:
    pixels = np.random.default_rng(seed).random((40, 48, 3), np.float32)
    return images.Picture(pixels, f"noise-{seed}.png", ())


def start(n: int = 1, stop: threading.Event | None = None, **options):
    stop, options = stop or threading.Event(), {"limits": LIMITS} | options
    return jobs.run_job(picture(0), [picture(1)], CONFIG, n, 5, stop, **options)


def until(holds) -> None:
    """Waits for what another thread is about to do."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class FakeWork:
    """In place of the pipeline: pictures in steps of a known length, and how many ran at once."""

    def __init__(self, steps: int = 4, seconds: float = 0.02):
        self.steps, self.seconds = steps, seconds
        self.running = self.most = self.taken = 0
        self.ended = threading.Event()

    def variants(self, content, style, config, *, n, seed, on_step, **others):
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for i in range(n):
                for step in range(self.steps):
                    time.sleep(self.seconds)
                    self.taken += 1
                    on_step(Step("working", (i + (step + 1) / self.steps) / n))
                yield Variant(seed + i, content)
        finally:
            self.running -= 1
            self.ended.set()


@pytest.fixture
def fake(monkeypatch):
    work = FakeWork()
    monkeypatch.setattr(jobs, "variants", work.variants)
    return work


def test_a_job_makes_what_the_library_makes():
    reports = list(start(n=2))
    done = [r for r in reports if isinstance(r, jobs.Finished)]
    assert [r.seed for r in done] == [5, 6]
    for result in done:
        expected = stylize(picture(0).pixels, picture(1).pixels, CONFIG, seed=result.seed)
        np.testing.assert_allclose(result.image, expected, atol=1e-5)
        recipe = recipes.read_recipe(result.png)
        assert recipe.seed == result.seed
        assert recipe.content.name == "noise-0.png"
        assert recipe.config.method == "transport"


def test_progress_grows_and_names_the_picture(fake):
    fake.seconds = 0.05
    steps = [r for r in start(n=2) if isinstance(r, jobs.Progress)]
    fractions = [s.fraction for s in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.5
    assert any("picture 2 of 2: working" in s.stage for s in steps)
    lasting = [s.seconds_left for s in steps if s.seconds_left is not None]
    assert lasting
    assert lasting[-1] < 1


def test_time_left_counts_down_between_reports():
    old, now = jobs.Progress("working", 0.5, 3.0), time.monotonic()
    assert jobs._aged(old, now - 2.0).seconds_left == pytest.approx(1.0, abs=0.5)
    assert jobs._aged(old, now - 5.0).seconds_left == 0.0
    assert jobs._aged(jobs.Progress("starting", 0.0, None), now - 5.0).seconds_left is None


def test_stop_keeps_what_is_done_and_ends_the_work_at_its_next_step(fake):
    fake.seconds = 0.1
    stop = threading.Event()
    done = 0
    for report in start(n=8, stop=stop):
        if isinstance(report, jobs.Finished):
            done += 1
            stop.set()
            before = fake.taken
    assert done == 1
    assert fake.ended.wait(5)
    assert fake.taken <= before + 2  # the step that was under way, and one of the race with set()


def test_stop_does_not_wait_for_a_long_step(fake):
    fake.seconds = 3.0
    stop = threading.Event()
    job = start(stop=stop)
    next(job)
    stop.set()
    started = time.monotonic()
    assert not [r for r in job if isinstance(r, jobs.Finished)]
    assert time.monotonic() - started < 1.0
    assert fake.ended.wait(10)


def test_leaving_the_iterator_ends_the_work(fake):
    fake.steps = 1000
    job = start()
    next(job)
    job.close()
    assert fake.ended.wait(5)
    assert fake.taken < 100


def test_as_many_jobs_at_a_time_as_there_may_be(fake):
    for most in (1, 2):
        fake.most = fake.taken = 0
        limits = Limits(max_jobs=most)
        threads = [Thread(target=lambda: list(start(n=2, limits=limits))) for _ in range(4)]  # noqa: B023
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert fake.most == most
        assert fake.taken == 4 * 2 * fake.steps


@contextlib.contextmanager
def hold(limits: Limits = LIMITS):
    """A job that runs until the context is left."""
    with jobs.turns.place(limits, held=0) as wait:
        assert wait(5) == 0
        yield


def wait_for_place(job, position: int) -> jobs.Progress:
    return next(report for report in job if report.position == position)


def test_a_waiting_job_says_its_place_and_can_be_stopped(fake):
    stop = threading.Event()
    with hold():
        first = start()
        wait_for_place(first, 1)
        second = start(stop=stop)
        assert wait_for_place(second, 2).stage == "waiting for its turn, place 2 in the queue"
        assert jobs.turns.load() == (1, 2)
        stop.set()
        assert all(report.position for report in second)
        first.close()
    until(lambda: jobs.turns.load() == (0, 0))
    assert fake.taken == 0


def test_jobs_run_in_the_order_they_came():
    order = []
    with contextlib.ExitStack() as running:
        running.enter_context(hold())
        queue = [jobs.turns.place(LIMITS, held=0) for _ in range(3)]
        waits = [place.__enter__() for place in queue]

        def run(number):
            assert waits[number](10) == 0
            order.append(number)
            queue[number].__exit__(None, None, None)

        threads = [Thread(target=run, args=(number,)) for number in (2, 1, 0)]
        for thread in threads:
            thread.start()
        running.close()
        for thread in threads:
            thread.join(10)
    assert order == [0, 1, 2]


def test_a_full_queue_says_so_in_a_line(fake):
    limits = Limits(queue=1)
    with hold(limits):
        first = start(limits=limits)
        wait_for_place(first, 1)
        with pytest.raises(QueueFull, match="the queue is full: at most 1 job may wait"):
            list(start(limits=limits))
        first.close()
    until(lambda: jobs.turns.load() == (0, 0))
    # Without a queue, a job still runs where none does.
    assert [r.seed for r in start(limits=Limits(queue=0)) if isinstance(r, jobs.Finished)] == [5]


def test_pictures_that_wait_may_take_so_much_memory_only():
    limits = Limits(max_memory=1)
    with (
        hold(limits),
        jobs.turns.place(limits, held=2**29),
        pytest.raises(QueueFull, match="may take at most 1 GiB"),
        jobs.turns.place(limits, held=2**29 + 1),
    ):
        pass


def test_an_ending_server_lets_what_runs_end_and_sends_the_others_away(fake):
    fake.seconds = 0.1
    running = start(n=3)
    while not isinstance(next(running), jobs.Finished):
        pass
    waiting = start()
    wait_for_place(waiting, 1)
    closing = Thread(target=jobs.turns.close, args=(10,))
    closing.start()
    assert len([r for r in running if isinstance(r, jobs.Finished)]) == 2
    with pytest.raises(ServerEnding, match="ended before the job began"):
        list(waiting)
    closing.join(10)
    with pytest.raises(ServerEnding, match="takes no new jobs"):
        list(start())


def test_what_was_done_before_the_server_ended_still_comes(fake):
    running = start(n=2)
    reports = [next(running)]
    until(lambda: jobs.turns.load() == (0, 0))
    assert not jobs.turns.close(1)
    reports += running
    assert len([r for r in reports if isinstance(r, jobs.Finished)]) == 2


def test_an_ending_server_waits_for_so_long_only(fake):
    fake.steps = 1000
    running = start()
    while not next(running).fraction:
        pass
    assert jobs.turns.close(0.2)
    with pytest.raises(ServerEnding, match="ended before the job did"):
        list(running)
    assert fake.ended.wait(5)
    assert fake.taken < 500


def test_an_impression_comes_before_the_work():
    # What only paint has is left out of it.
    changes = {"tile": True, "style_rotate": True, "composed_at": CONFIG.side}
    config = replace(CONFIG, method="paint", **changes)
    inputs = picture(0), [picture(1), picture(2)]
    options = {"weights": [3.0, 1.0], "impression": True, "limits": LIMITS}
    reports = list(jobs.run_job(*inputs, config, 1, 5, threading.Event(), **options))
    shown = [r for r in reports if isinstance(r, jobs.Preview | jobs.Finished)]
    assert shown[0].stage == "first impression"
    assert isinstance(shown[-1], jobs.Finished)
    pixels = picture(0).pixels, [picture(1).pixels, picture(2).pixels]
    quick = stylize(*pixels, CONFIG, seed=5, weights=[3, 1])
    np.testing.assert_allclose(shown[0].image, quick, atol=1e-5)
    recipe = recipes.read_recipe(shown[-1].png)
    assert [style.name for style in recipe.styles] == ["noise-1.png", "noise-2.png"]
    assert recipe.style_weights == (3.0, 1.0)


def test_errors_reach_the_caller_and_free_the_turn():
    tiny = images.Picture(np.zeros((4, 4, 3), np.float32), "tiny.png", ())
    job = jobs.run_job(tiny, [tiny], CONFIG, 1, 0, threading.Event(), limits=LIMITS)
    with pytest.raises(ValueError, match="too small"):
        list(job)
    until(lambda: jobs.turns.load() == (0, 0))


def test_memory_grows_with_size_and_variants_by_the_rule():
    side = {side: StyleConfig(side=side) for side in (512, 1024, 2048)}
    # Above what was measured: 1.2 GiB at 512 pixels, 1.6 at 1024.
    assert job_memory(side[512], 1) == pytest.approx(1.66, abs=0.1)
    assert job_memory(side[1024], 1) == pytest.approx(1.78, abs=0.1)
    optimised = {s: replace(config, method="optimise") for s, config in side.items()}
    assert job_memory(optimised[1024], 1) > 4.5
    more = job_memory(side[1024], 12) - job_memory(side[1024], 1)
    assert more == pytest.approx(11 * 1024**2 * 15 / 2**30)
    check_job_memory(side[1024], 12, LIMITS)
    rule = "must fit 6 GiB of memory.*size x size x variants; received size 2048, variants 1"
    with pytest.raises(ValueError, match=rule):
        check_job_memory(optimised[2048], 1, LIMITS)
    inputs = picture(0), [picture(1)]
    with pytest.raises(ValueError, match=rule):
        list(jobs.run_job(*inputs, optimised[2048], 1, 0, threading.Event(), limits=LIMITS))
    check_job_memory(optimised[2048], 1, Limits(max_memory=20))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_side": 8}, "max-side must be an integer from 32 to 8192; received 8"),
        ({"queue": -1}, "queue must be an integer"),
        ({"max_jobs": True}, "max-jobs must be an integer"),
        ({"max_variants": 2.5}, "max-variants must be an integer"),
        ({"max_memory": math.nan}, "max-memory must be"),
        ({"keep_hours": 0}, "keep-hours must be"),
    ],
)
def test_limits_are_checked(values, message):
    with pytest.raises(ValueError, match=message):
        Limits(**values)


def test_built_in_pictures_keep_their_names(tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(images.encode_png(examples.example("chelsea")))
    assert uploads.read_picture(path, "chelsea.png").name == "chelsea"
    # Another picture of that name is not the built-in one.
    path.write_bytes(images.encode_png(picture(0).pixels))
    assert uploads.read_picture(path, "chelsea.png").name == "chelsea.png"
