"""The app's jobs: a bounded queue before the accelerator, progress, stop flags, errors in words.

Nothing here knows Gradio.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from apps.errors import explain
from apps.service import uploads
from apps.service.limits import Limits, check_job_memory
from apps.service.queue import ServerEnding, Turns
from rrstyle import examples, recipes
from rrstyle.config import StyleConfig
from rrstyle.pictures import images
from rrstyle.pipeline import variants
from rrstyle.progress import Step

log = logging.getLogger(__name__)

# The longest silence: a stop is heeded, and the time left counts down, at least this often.
HEARTBEAT_SECONDS = 0.25

# Networks and their intermediate results fill the memory bandwidth, so a job more at the same time
# would only make all late. A turn is held by the thread that computes, until it has really ended.
turns = Turns()

# Those that take seconds, not a moment; see the README's table.
SLOW_METHODS = ("paint", "optimise")

_example_digests: dict[str, str] = {}

_CUT_SHORT = "the server ended before the job did; try again later"


@dataclass(frozen=True)
class Progress:
    """Where a job is: `fraction` (0 to 1) of all its pictures; no time left where unknown yet.

    `position` is its place in the queue, 1 for the next, and None once it runs.
    """

    stage: str
    fraction: float
    seconds_left: float | None
    position: int | None = None


@dataclass(frozen=True)
class Finished:
    """A finished picture: `image` float32 (height, width, 3), and its PNG with the recipe."""

    seed: int
    image: np.ndarray
    png: bytes


@dataclass(frozen=True)
class Preview:
    """A picture that is not done yet: `image` float32 (height, width, 3), and what it shows."""

    image: np.ndarray
    stage: str


@dataclass(frozen=True)
class _End:
    """The worker's last report, with the error that ended it, if any."""

    error: Exception | None


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
    limits: Limits | None = None,
) -> Iterator[Progress | Preview | Finished]:
    """Makes `n` pictures, when it is this job's turn, in a thread of their own.

    Args:
        content, styles, config, n, seed, weights, mask: Arguments of `rrstyle.pipeline.variants`.
        stop: Event that ends the job, see `run_work`.
        impression: Show pictures on their way: first what transport makes of the pair, where the
            method takes longer, then the method's own previews.
        limits: Limits of the server.

    Yields:
        Progress as work goes on (of several reports in a moment the last), previews, and each
        picture as it is done.

    Raises:
        ValueError: If the job breaks the rule on memory.
        Exception: As `run_work`; `error_line` words it.
    """
    limits = limits or Limits()
    check_job_memory(config, n, limits)
    blend: dict[str, Any] = {"weights": weights, "mask": mask}

    def work(report: Callable[[Any], None], heed_stop: Callable[[], None]) -> None:
        inputs = content.pixels, [style.pixels for style in styles]
        if impression and config.method in SLOW_METHODS:
            quick = replace(config, method="transport")

            def heed(step: Step) -> None:
                heed_stop()

            (first,) = variants(*inputs, quick, n=1, seed=seed, on_step=heed, **blend)
            report(Preview(first.image, "first impression"))
        started = time.monotonic()
        done = 0

        def on_step(step: Step) -> None:
            heed_stop()
            elapsed = time.monotonic() - started
            # The first few per cent hold the compilation: they would promise far too much time.
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
        for variant in made:
            png = recipes.encode_picture(variant.image, replace(recipe, seed=variant.seed))
            report(Finished(variant.seed, variant.image, png))
            done += 1

    held = sum(picture.pixels.nbytes for picture in (content, *styles))
    yield from run_work(work, stop, limits, held=held)


def run_work(
    work: Callable[[Callable[[Any], None], Callable[[], None]], None],
    stop: threading.Event,
    limits: Limits,
    *,
    held: int,
) -> Iterator[Any]:
    """Does something heavy when its turn comes, in a thread of its own.

    Args:
        work: Called with a function that takes its reports, and one to call now and then, which
            raises where the work has to end.
        stop: Once set, the iterator ends within HEARTBEAT_SECONDS, and the work when it next asks.
            Closing the iterator stops the work too.
        limits: Limits on the jobs that run and wait.
        held: Bytes of the pictures that it waits with.

    Yields:
        Its reports, of Progress in a moment the last; before its turn, Progress with a position.

    Raises:
        QueueFull, ServerEnding: As `apps.service.queue.Turns`.
        Exception: What the work raised.
    """
    reports: queue.SimpleQueue[Any] = queue.SimpleQueue()
    left = threading.Event()

    def heed_stop() -> None:
        if stop.is_set() or left.is_set():
            raise _Stopped
        if turns.ended.is_set():
            raise ServerEnding(_CUT_SHORT)

    def run() -> None:
        error = None
        try:
            with turns.place(limits, held=held) as place:
                while position := place.wait(HEARTBEAT_SECONDS):
                    heed_stop()
                    stage = f"waiting for its turn, place {position} in the queue"
                    reports.put(Progress(stage, 0.0, None, position))
                heed_stop()
                work(reports.put, heed_stop)
        except _Stopped:
            pass
        except Exception as raised:  # for the thread that reads the reports
            error = raised
        reports.put(_End(error))

    threading.Thread(target=run, name="rrstyle-job", daemon=True).start()
    progress, told = Progress("starting", 0.0, None), time.monotonic()
    try:
        while True:
            for report in _collect(reports, HEARTBEAT_SECONDS):
                if isinstance(report, _End):
                    if report.error:
                        raise report.error
                    return
                if isinstance(report, Progress):
                    progress, told = report, time.monotonic()
                else:
                    yield report
            if stop.is_set():
                return
            if turns.ended.is_set():
                raise ServerEnding(_CUT_SHORT)
            yield _aged(progress, time.monotonic() - told)
    finally:
        left.set()


def _collect(reports: queue.SimpleQueue, timeout: float) -> list:
    """What was reported, waiting for the first up to `timeout` seconds; of progress the last."""
    found: list = []
    try:
        found.append(reports.get(timeout=timeout))
        while True:
            found.append(reports.get_nowait())
    except queue.Empty:
        steps = [report for report in found if isinstance(report, Progress)]
        return [r for r in found if not isinstance(r, Progress) or r is steps[-1]]


def _aged(progress: Progress, seconds: float) -> Progress:
    """A progress report that is `seconds` old, its time left counted down."""
    if progress.seconds_left is None:
        return progress
    return replace(progress, seconds_left=max(0.0, progress.seconds_left - seconds))


def read_picture(path: Path, name: str) -> images.Picture:
    """A client's picture, by the name it had there; a built-in one by its built-in name.

    The recipe of a picture made from built-in ones can then be followed without any file.

    Raises:
        ValueError, OSError: As `rrstyle.pictures.images.read_image`.
    """
    with uploads.decoding:
        if refusal := uploads.refusal(path):
            raise images.ImageError(refusal)
        picture = images.read_image(path, name=name)
    picture = replace(picture, notes=picture.notes + uploads.notes(path))
    stem = picture.name.removesuffix(".png")
    if stem not in examples.PHOTOGRAPHS + examples.STYLES:
        return picture
    if stem not in _example_digests:
        remember_example(stem, examples.example(stem))
    is_built_in = images.digest(picture.pixels) == _example_digests[stem]
    return replace(picture, name=stem) if is_built_in else picture


def remember_example(name: str, pixels: np.ndarray) -> None:
    """Makes a built-in picture known, so that it need not be drawn again to be recognised."""
    _example_digests[name] = images.digest(pixels)


class StopFlags:
    """The stop flag of each session that has a job, running or waiting."""

    def __init__(self) -> None:
        self._flags: dict[str, threading.Event] = {}

    def renew(self, session: str) -> None:
        """A job is about to be asked for: a stop from now on is meant for it."""
        self._flags[session] = threading.Event()

    def of(self, session: str) -> threading.Event:
        """The session's flag, made where there is none."""
        return self._flags.setdefault(session, threading.Event())

    def stop(self, session: str) -> None:
        """Raise the session's flag, if it has a job."""
        if flag := self._flags.get(session):
            flag.set()

    def forget(self, session: str) -> None:
        """The session's job has ended."""
        self._flags.pop(session, None)


def error_line(error: Exception) -> str:
    """One line for people about an error; what is not their doing is only logged, with its trace.

    A ValueError or an OSError speaks for itself: by this project's rules its message names the
    input, the rule and what was received.
    """
    if isinstance(error, ValueError | OSError):
        return explain(error)
    log.error("a job failed", exc_info=error)
    return "something went wrong inside; see the server's log"
