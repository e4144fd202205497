"""Jobs: progress, stopping, one at a time, and errors in words."""

import json
import logging
import threading
import time

import numpy as np
import pytest

from apps import jobs, web_results
from apps.web_settings import (
    DEFAULTS,
    LARGEST_SIDE,
    METHODS,
    MOST_VARIANTS,
    SMALLEST_SIDE,
    check_settings,
    field_help,
)
from rrstyle import examples, images, recipes
from rrstyle.config import StyleConfig
from rrstyle.pipeline import Variant, stylize
from rrstyle.progress import Step

CONFIG = StyleConfig(method="transport", side=48)


def picture(seed: int) -> images.Picture:
    pixels = np.random.default_rng(seed).random((40, 48, 3), np.float32)
    return images.Picture(pixels, f"noise-{seed}.png", ())


def start(n: int = 1, stop: threading.Event | None = None):
    return jobs.run_job(picture(0), picture(1), CONFIG, n, 5, stop or threading.Event())


class FakeWork:
    """In place of the pipeline: pictures in steps of a known length, and how many ran at once."""

    def __init__(self, steps: int = 4, seconds: float = 0.02):
        self.steps, self.seconds = steps, seconds
        self.running = self.most = self.taken = 0
        self.ended = threading.Event()

    def variants(self, content, style, config, *, n, seed, on_step):
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
    old = jobs.Progress("working", 0.5, 3.0)
    assert jobs._aged(old, 2.0).seconds_left == 1.0
    assert jobs._aged(old, 5.0).seconds_left == 0.0
    assert jobs._aged(jobs.Progress("starting", 0.0, None), 5.0).seconds_left is None


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


def test_one_job_at_a_time(fake):
    threads = [threading.Thread(target=lambda: list(start(n=2))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert fake.most == 1
    assert fake.taken == 3 * 2 * fake.steps


def test_a_waiting_job_says_so_and_can_be_stopped(fake):
    stop = threading.Event()
    with jobs._turn:
        job = start(stop=stop)
        stages = [next(job).stage for _ in range(3)]
        stop.set()
        assert list(job) == [] or all(isinstance(r, jobs.Progress) for r in job)
    assert any("waiting" in stage for stage in stages)
    assert fake.taken == 0


def test_errors_reach_the_caller_and_free_the_turn():
    tiny = images.Picture(np.zeros((4, 4, 3), np.float32), "tiny.png", ())
    job = jobs.run_job(tiny, tiny, CONFIG, 1, 0, threading.Event())
    with pytest.raises(ValueError, match="too small"):
        list(job)
    assert jobs._turn.acquire(timeout=5)
    jobs._turn.release()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("side must be large; received 1"), "side must be large; received 1"),
        (FileNotFoundError(2, "No such file", "/secret/folder/a.png"), "a.png: no such file"),
        (OSError("a.png: cannot be read"), "a.png: cannot be read"),
        (RuntimeError("tensor in /secret"), "something went wrong inside; see the server's log"),
    ],
)
def test_error_lines_hold_no_trace_and_no_folder(error, line, caplog):
    with caplog.at_level(logging.ERROR):
        assert jobs.error_line(error) == line
    # What people cannot mend is for the log, whole.
    assert bool(caplog.records) == isinstance(error, RuntimeError)
    assert all(record.exc_info for record in caplog.records)


def test_stop_flags_are_a_session_s_own():
    flags = jobs.StopFlags()
    first, second = flags.of("a"), flags.of("b")
    flags.stop("a")
    assert first.is_set()
    assert not second.is_set()
    flags.renew("a")
    assert not flags.of("a").is_set()
    flags.stop("nobody")  # a stop without a job is not kept for a later one
    assert not flags.of("nobody").is_set()
    flags.forget("b")
    assert flags.of("b") is not second


def test_built_in_pictures_keep_their_names(tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(images.encode_png(examples.example("chelsea")))
    assert jobs.read_picture(path, "chelsea.png").name == "chelsea"
    # Another picture of that name is not the built-in one.
    path.write_bytes(images.encode_png(picture(0).pixels))
    assert jobs.read_picture(path, "chelsea.png").name == "chelsea.png"


def test_defaults_and_hints_are_the_library_s():
    hints = field_help(StyleConfig)
    assert hints["strength"] == "0 returns the content, 1 the full style."
    assert {"method", "wildness", "side"} <= set(hints)
    assert "keras.applications, or imagenet" in hints["weights"]  # of two lines
    assert StyleConfig(side=384) == DEFAULTS
    assert DEFAULTS.method in METHODS


def test_settings_are_checked_again_behind_the_sliders():
    for side in (SMALLEST_SIDE, LARGEST_SIDE):
        settings = check_settings("adain", 0, MOST_VARIANTS, 1.0, float(side), 0)
        assert (settings.config.side, settings.n) == (side, MOST_VARIANTS)
    good = {"method": "paint", "strength": 1, "n": 1, "wildness": 0, "side": 64, "seed": 0}
    bad = [
        ("method", "magic"),
        ("method", ["paint"]),
        ("strength", 1.5),
        ("strength", None),
        ("strength", float("nan")),
        ("n", 0),
        ("n", MOST_VARIANTS + 1),
        ("wildness", "a"),
        ("side", LARGEST_SIDE + 1),
        ("side", 48.5),
        ("seed", -1),
        ("seed", True),
    ]
    for name, value in bad:
        with pytest.raises(ValueError, match="received"):
            check_settings(**(good | {name: value}))


def test_results_lie_in_folders_that_nobody_can_guess(tmp_path):
    first = web_results.new_results(tmp_path, picture(0), 48)
    second = web_results.new_results(tmp_path, picture(0), 48)
    assert first.folder != second.folder
    assert len(first.folder.name) == 32
    assert images.read_image(first.before).pixels.shape == (40, 48, 3)
    png = images.encode_png(picture(1).pixels, text={"rrstyle": json.dumps({})})
    results = web_results.add(first, jobs.Finished(7, picture(1).pixels, png))
    assert results.gallery() == [(str(results.pictures[0]), "seed 7")]
    assert results.pictures[0].read_bytes() == png
