"""The app's jobs: one at a time, with progress, a stop flag and error text for people.

Nothing here knows Gradio.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from apps.errors import explain
from rrstyle import examples, images, recipes
from rrstyle.config import StyleConfig
from rrstyle.pipeline import variants
from rrstyle.progress import Step

log = logging.getLogger(__name__)

# The longest silence: a stop is heeded, and the time left counts down, at least this often.
HEARTBEAT_SECONDS = 0.25

# Networks and their intermediate results fill the memory bandwidth, so a second job at the same
# time would only make both late. Held by the thread that computes, until it has really ended.
_turn = threading.Lock()


@dataclass(frozen=True)
class Progress:
    """Where a job is: `fraction` (0 to 1) of all its pictures; no time left where unknown yet."""

    stage: str
    fraction: float
    seconds_left: float | None


@dataclass(frozen=True)
class Finished:
    """A finished picture: `image` float32 (height, width, 3), and its PNG with the recipe."""

    seed: int
    image: np.ndarray
    png: bytes


@dataclass(frozen=True)
class _End:
    """The worker's last report, with the error that ended it, if any."""

    error: Exception | None


class _Stopped(Exception):
    """Raised inside the computation to leave it."""


def run_job(
    content: images.Picture,
    style: images.Picture,
    config: StyleConfig,
    n: int,
    seed: int,
    stop: threading.Event,
) -> Iterator[Progress | Finished]:
    """Make `n` pictures in a thread of their own, one job at a time in this process.

    Args:
        content, style, config, n, seed: As for `rrstyle.pipeline.variants`.
        stop: Once set, the iterator ends within HEARTBEAT_SECONDS, and the computation at its
            next step. Closing the iterator stops the computation too.

    Yields:
        Progress as work goes on (of several reports in a moment the last), and each picture as
        it is done.

    Raises:
        Exception: What the computation raised; `error_line` words it.
    """
    reports: queue.SimpleQueue[Progress | Finished | _End] = queue.SimpleQueue()
    left = threading.Event()

    def work() -> None:
        error = None
        try:
            _compute(content, style, config, n, seed, reports, (stop, left))
        except _Stopped:
            pass
        except Exception as raised:  # for the thread that reads the reports
            error = raised
        reports.put(_End(error))

    threading.Thread(target=work, name="rrstyle-job", daemon=True).start()
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
            yield _aged(progress, time.monotonic() - told)
    finally:
        left.set()


def _compute(content, style, config, n, seed, reports, stops) -> None:
    def heed_stop() -> None:
        if any(stop.is_set() for stop in stops):
            raise _Stopped

    while not _turn.acquire(timeout=HEARTBEAT_SECONDS):
        heed_stop()
        reports.put(Progress("waiting for the job before to end", 0.0, None))
    try:
        heed_stop()
        started = time.monotonic()
        done = 0

        def on_step(step: Step) -> None:
            heed_stop()
            elapsed = time.monotonic() - started
            # The first few per cent hold the compilation: they would promise far too much time.
            known = step.fraction > 0.05
            left = elapsed * (1 - step.fraction) / step.fraction if known else None
            stage = f"picture {done + 1} of {n}: {step.stage}" if n > 1 else step.stage
            reports.put(Progress(stage, step.fraction, left))

        made = variants(content.pixels, style.pixels, config, n=n, seed=seed, on_step=on_step)
        recipe = recipes.make_recipe(config, seed, content, style)
        for variant in made:
            png = recipes.encode_picture(variant.image, replace(recipe, seed=variant.seed))
            reports.put(Finished(variant.seed, variant.image, png))
            done += 1
    finally:
        _turn.release()


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
        ValueError, OSError: As `rrstyle.images.read_image`.
    """
    picture = images.read_image(path, name=name)
    stem = picture.name.removesuffix(".png")
    if stem not in examples.PHOTOGRAPHS + examples.STYLES:
        return picture
    is_built_in = images.digest(picture.pixels) == _example_digest(stem)
    return replace(picture, name=stem) if is_built_in else picture


@lru_cache
def _example_digest(name: str) -> str:
    return images.digest(examples.example(name))


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
