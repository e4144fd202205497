"""Progress of the command on stderr: one line that is rewritten, or a line a picture."""

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from rrstyle.progress import Step

_PAUSE = 0.1  # seconds between two rewritings: a terminal over a network is slow
_TOLD = 10  # lines of a watch where there is no terminal


class ProgressLine:
    """Fraction, stage and time left of a batch of `total` pictures; a live line on terminals only.

    Tests give a clock, in seconds.
    """

    def __init__(
        self, stream: TextIO, total: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._total, self._clock = stream, total, clock
        self._live = stream.isatty()
        self._start, self._shown = clock(), float("-inf")
        self._said: set[str] = set()

    def show(self, name: str, step: Step, *, seconds_left: float | None = None) -> None:
        """Rewrites the line: `step.fraction` of the whole batch is done, `name` is in work.

        `seconds_left` is the time left, where it is known better than from the time so far.
        """
        now = self._clock()
        if not self._live or now - self._shown < _PAUSE:
            return
        self._shown = now
        text = f"{step.fraction:4.0%} {name}, {step.stage}{self._left(step.fraction, seconds_left)}"
        self._stream.write("\r" + text[: shutil.get_terminal_size().columns - 1] + "\x1b[K")
        self._stream.flush()

    def count(self, done: int, text: str, *, seconds_left: float | None = None) -> None:
        """A line that stays: `done` pictures are made or given up."""
        self.say(f"{done}/{self._total} {text}{self._left(done / self._total, seconds_left)}")

    def say(self, text: str, *, once: bool = False) -> None:
        """A line that stays; with `once`, only the first time that it is given."""
        if once and text in self._said:
            return
        self._said.add(text)
        self.clear()
        self._stream.write(text + "\n")
        self._stream.flush()

    def clear(self) -> None:
        """Takes the live line away."""
        if self._live and self._shown > float("-inf"):
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = float("-inf")

    def elapsed(self) -> str:
        """Time since the start."""
        return duration(self._clock() - self._start)

    def _left(self, fraction: float, known: float | None) -> str:
        if known is not None:
            return f", {duration(known)} left" if fraction < 1 else ""
        passed = self._clock() - self._start
        if not 0.05 < fraction < 1 or passed < 1:
            return ""  # too early to tell, or nothing left
        return f", {duration(passed * (1 - fraction) / fraction)} left"


class Watch:
    """Progress: a live line on a terminal, elsewhere a line for every tenth that is done."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.show(Step("starting", 0.0))

    def show(self, step: Step, *, seconds_left: float | None = None) -> None:
        """Where the work is; at fraction 0 it starts. `seconds_left` as in `ProgressLine.show`."""
        if step.fraction == 0:  # its clock starts with the work
            self.progress, self._told = ProgressLine(sys.stderr, _TOLD), 0
        if sys.stderr.isatty():
            self.progress.show(self._name, step, seconds_left=seconds_left)
        elif (tenths := int(step.fraction * _TOLD)) > self._told:
            self._told = tenths
            text = f"{self._name}, {step.stage}"
            self.progress.count(tenths, text, seconds_left=seconds_left)


def duration(seconds: float) -> str:
    """`m:ss`, or `h:mm:ss` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
