"""Time, stages and peak memory of one method at one size: the child process of `speed.py`."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial

from apps.quiet import quiet_start
from benchmarks.cases import CASES, configure

CONTENT, STYLE = "astronaut", "brush-strokes"  # the photograph is square: `side` is both sides
SEED = 0
MANY = 8  # variants against one picture
SHARING_CASES = ("transport", "knothe")  # fast enough for what variants share to show


def timed(run: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def time_runs(run: Callable[[], object], *, repeats: int, budget: float) -> list[float]:
    """Seconds of each of several calls, warm: one more call before them does not count.

    Args:
        run: What is measured.
        repeats: Calls, at most.
        budget: Seconds that the counted calls may take together, though one is always made.

    Returns:
        Between 1 and `repeats` times.
    """
    run()
    seconds = [timed(run)]
    while len(seconds) < repeats and sum(seconds) + min(seconds) <= budget:
        seconds.append(timed(run))
    return seconds


class StageClock:
    """An `on_step` callback that books time under the stage that was at work.

    A step is reported when it is done, so the time since the report before is its own; only
    "encoding" and "finishing" are announced: what they say is booked under what follows.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def __call__(self, step) -> None:
        """Books the time since the last step."""
        now = time.perf_counter()
        self.seconds[step.stage] = self.seconds.get(step.stage, 0.0) + now - self._last
        self._last = now


def stage_totals(seconds: dict[str, float]) -> dict[str, float]:
    """The stages of `paint` in few words, from what a `StageClock` booked.

    Args:
        seconds: By the stage's name.

    Returns:
        Seconds of "preparing", "matching" (the readout's fit with it) and "finishing".
    """
    totals = dict.fromkeys(("preparing", "matching", "finishing"), 0.0)
    names = {"encoding": "preparing", "painting": "matching", "finishing": "matching"}
    for stage, spent in seconds.items():
        totals[names.get(stage.split()[0], "finishing")] += spent
    return totals


def peak_memory() -> float:
    """Most MiB of main memory that this process has held so far."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there, in KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def environment() -> dict[str, str]:
    """What a time depends on: devices, versions, and what precision "auto" is here."""
    import keras

    from rrstyle import backend

    return {
        "devices": ", ".join(keras.distribution.list_devices()),
        "auto precision": backend.resolve_precision("auto"),
        **backend.versions(),
    }


def time_case(case: str, side: int, *, repeats: int, budget: float, precision: str) -> dict:
    """Measures one method at one size in this process.

    Args:
        case: One of `CASES`.
        side: Of the result, in pixels.
        repeats: Runs, at most.
        budget: Seconds for them, see `time_runs`.
        precision: As in `StyleConfig`.

    Returns:
        "seconds" of each run; "peak" and, before the first run, "idle" memory in MiB; "stages",
        those of the last run; and where variants are compared "one" and "many", seconds of one
        picture and of `MANY`, taken in turn.
    """
    from rrstyle.examples import example
    from rrstyle.pipeline import stylize, variants

    config = configure(case, side, precision)
    pair = example(CONTENT), example(STYLE)
    idle = peak_memory()
    clock = StageClock()

    def run() -> None:
        nonlocal clock
        clock = StageClock()
        stylize(*pair, config, seed=SEED, on_step=clock)

    def several(n: int) -> None:
        for _ in variants(*pair, config, n=n, seed=SEED):
            pass

    found: dict = {"idle": idle, "seconds": time_runs(run, repeats=repeats, budget=budget)}
    found |= {"peak": peak_memory(), "stages": clock.seconds}
    if case in SHARING_CASES:
        # In turn: on a shared machine a slow minute then hits both.
        times: dict[int, list[float]] = {1: [], MANY: []}
        for _ in range(repeats):
            for n, seconds in times.items():
                seconds.append(timed(partial(several, n)))
        found |= {"one": times[1], "many": times[MANY]}
    return found


def main(arguments: list[str]) -> None:
    """Prints the result of `time_case` as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("side", type=int)
    parser.add_argument("--repeats", type=int, required=True)
    parser.add_argument("--budget", type=float, required=True)
    parser.add_argument("--precision", required=True)
    options = parser.parse_args(arguments)
    start_quietly()
    print(json.dumps(time_case(**vars(options))))


def start_quietly() -> None:
    """Imports the backend without its chatter."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_start():
        import rrstyle.pipeline  # noqa: F401


if __name__ == "__main__":
    main(sys.argv[1:])
