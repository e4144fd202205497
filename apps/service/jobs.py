"""The app's jobs: each runs when its turn comes, in a thread, with progress and a stop flag.

Nothing here knows Gradio.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from apps.service.limits import Limits, check_job_memory
from apps.service.queue import ServerEnding, Turns
from rrstyle import recipes
from rrstyle.config import StyleConfig
from rrstyle.pictures import images
from rrstyle.pipeline import variants
from rrstyle.progress import Step

# The longest time between two reports: stopping takes no longer, and the time left counts down.
HEARTBEAT_SECONDS = 0.25

# Networks and their intermediate results fill the memory bandwidth: jobs at the same time would
# only delay each other. The thread that computes holds the turn until it has really ended.
turns = Turns()

_ENDED = "the server ended before the job did; try again later"

SLOW_METHODS = ("paint", "optimise")  # these take seconds; see the README's table
_IMPRESSION_SIDE = 512  # pixels, at most: transport takes more memory than paint beyond

Report = Callable[[Any], None]
HeedStop = Callable[[], None]


@dataclass(frozen=True)
class Progress:
    """Progress of a job."""

    stage: str
    fraction: float  # of all its pictures, 0 to 1
    seconds_left: float | None = None  # None if unknown
    position: int | None = None  # place in the queue, 1 for the next, and None once it runs


@dataclass(frozen=True)
class Finished:
    """A finished picture: `image` float32 (height, width, 3), and its PNG with the recipe."""

    seed: int
    image: np.ndarray
    png: bytes
    seconds: float = 0.0  # that it took


@dataclass(frozen=True)
class Preview:
    """An unfinished picture: `image` float32 (height, width, 3), and the stage it shows."""

    image: np.ndarray
    stage: str


class _Stopped(Exception):
    """Raised inside the computation to leave it."""


def run_job(
    content: images.Picture,
    styles: Sequence[images.Picture],
    config: StyleConfig,
    n: int,
    seed: int,
    stop: threading.Event,
    *,
    weights: Sequence[float] | None = None,
    mask: np.ndarray | None = None,
    impression: bool = False,
    limits: Limits,
) -> Iterator[Progress | Preview | Finished]:
    """Makes the pictures of `rrstyle.pipeline.variants`, whose arguments it takes, by `run_work`.

    Args:
        stop, limits: Arguments of `run_work`.
        impression: Show previews: first the result of transport, where the method is slower, then
            the method's own.

    Raises:
        ValueError: If the job needs too much memory.
    """
    check_job_memory(config, n, limits)
    blend: dict[str, Any] = {"weights": weights, "mask": mask}

    def work(report: Report, heed_stop: HeedStop) -> None:
        inputs = content.pixels, [style.pixels for style in styles]
        if impression and config.method in SLOW_METHODS:
            quick = replace(
                config,
                method="transport",
                side=min(config.side, _IMPRESSION_SIDE),
                composed_at=None,
                style_rotate=False,
                tile=False,
            )
            made = variants(
                *inputs, quick, n=1, seed=seed, on_step=lambda step: heed_stop(), **blend
            )
            (first,) = made
            report(Preview(first.image, "first impression"))
        started = time.monotonic()
        done = 0

        def on_step(step: Step) -> None:
            heed_stop()
            elapsed = time.monotonic() - started
            # The first few per cent include the compilation and would promise far too much time.
            known = step.fraction > 0.05
            left = elapsed * (1 - step.fraction) / step.fraction if known else None
            stage = f"picture {done + 1} of {n}: {step.stage}" if n > 1 else step.stage
            report(Progress(stage, step.fraction, left))
            if step.preview is not None:
                report(Preview(step.preview, step.stage))

        made = variants(
            *inputs, config, n=n, seed=seed, on_step=on_step, previews=impression, **blend
        )
        recipe = recipes.make_recipe(config, seed, content, styles, **blend)
        before = started
        for variant in made:
            png = recipes.encode_picture(variant.image, replace(recipe, seed=variant.seed))
            before, seconds = time.monotonic(), time.monotonic() - before
            report(Finished(variant.seed, variant.image, png, seconds))
            done += 1

    held = sum(picture.pixels.nbytes for picture in (content, *styles))
    yield from run_work(work, stop, limits, held=held)


def run_work(
    work: Callable[[Report, HeedStop], None], stop: threading.Event, limits: Limits, *, held: int
) -> Iterator[Any]:
    """Runs a long computation when its turn comes, in a thread.

    Args:
        work: Function of two functions: `report` takes its reports, and `heed_stop`, to be called
            now and then, raises where the work has to end.
        stop: Once set, the iterator ends within HEARTBEAT_SECONDS, and the work when it next asks.
            Closing the iterator stops the work too.
        limits: Limits on the jobs that run and wait.
        held: Bytes of the job's pictures.

    Yields:
        All reports but Progress; and every HEARTBEAT_SECONDS, or more often, the latest Progress.

    Raises:
        QueueFull, ServerEnding: As `apps.service.queue.Turns`.
        Exception: What the work raised.
    """
    reports: queue.SimpleQueue[Any] = queue.SimpleQueue()
    latest = Progress("starting", 0.0), time.monotonic()
    left = threading.Event()

    def report(what: Any) -> None:
        nonlocal latest
        if isinstance(what, Progress):
            latest = what, time.monotonic()
        else:
            reports.put(what)

    def heed_stop() -> None:
        if stop.is_set() or left.is_set():
            raise _Stopped
        if turns.ended.is_set():
            raise ServerEnding(_ENDED)

    def run() -> None:
        try:
            with turns.place(limits, held=held) as wait:
                while position := wait(HEARTBEAT_SECONDS):
                    heed_stop()
                    stage = f"waiting for its turn, place {position} in the queue"
                    report(Progress(stage, 0.0, position=position))
                heed_stop()
                work(report, heed_stop)
                reports.put(None)  # before the turn ends: a server that waits for it ends after it
        except _Stopped:
            reports.put(None)
        except Exception as error:  # for the thread that reads the reports
            reports.put(error)

    threading.Thread(target=run, name="rrstyle-job", daemon=True).start()
    try:
        while True:
            try:
                found = reports.get(timeout=HEARTBEAT_SECONDS)
            except queue.Empty:
                pass
            else:
                if found is None:
                    return
                if isinstance(found, Exception):
                    raise found
                yield found
            if stop.is_set():
                return
            if turns.ended.is_set() and reports.empty():  # in this order
                raise ServerEnding(_ENDED)
            yield _aged(*latest)
    finally:
        left.set()


def run_one(
    stage: str, compute: Callable[[], Any], limits: Limits, *, held: int = 0
) -> Iterator[Any]:
    """The result of `compute`, and Progress of `stage` before and after it; see `run_work`."""

    def work(report: Report, heed_stop: HeedStop) -> None:
        report(Progress(stage, 0.0))
        report(compute())

    return run_work(work, threading.Event(), limits, held=held)


def _aged(progress: Progress, reported: float) -> Progress:
    """A progress report of the time `reported`, its time left counted down to now."""
    if progress.seconds_left is None:
        return progress
    passed = time.monotonic() - reported
    return replace(progress, seconds_left=max(0.0, progress.seconds_left - passed))
