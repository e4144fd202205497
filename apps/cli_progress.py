"""Progress of the command on stderr: one line that is rewritten, or a line a picture."""

import shutil
import time
from collections.abc import Callable
from typing import TextIO

from rrstyle.progress import Step

_PAUSE = 0.1  # seconds between two rewritings: a terminal over a network is slow


class ProgressLine:
    """Fraction, stage and time left of a batch of pictures.

    Args:
        stream: Where to; a live line is shown only on a terminal.
        total: Pictures to make.
        clock: Seconds, for tests.
    """

    def __init__(
        self, stream: TextIO, total: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._total, self._clock = stream, total, clock
        self._live = stream.isatty()
        self._start, self._shown = clock(), float("-inf")
        self._said: set[str] = set()

    def show(self, name: str, step: Step) -> None:
        """Rewrites the line: `step.fraction` of the whole batch is done, `name` is in work."""
        now = self._clock()
        if not self._live or now - self._shown < _PAUSE:
            return
        self._shown = now
        text = f"{step.fraction:4.0%} {name}, {step.stage}{self._left(step.fraction)}"
        self._stream.write("\r" + text[: shutil.get_terminal_size().columns - 1] + "\x1b[K")
        self._stream.flush()

    def count(self, done: int, text: str) -> None:
        """A line that stays: `done` pictures are made or given up."""
        self.say(f"{done}/{self._total} {text}{self._left(done / self._total)}")

    def say(self, text: str, *, once: bool = False) -> None:
        """A line that stays; with `once`, only the first time that it is said."""
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

    def _left(self, fraction: float) -> str:
        passed = self._clock() - self._start
        if not 0.05 < fraction < 1 or passed < 1:
            return ""  # too early to tell, or nothing left
        return f", {duration(passed * (1 - fraction) / fraction)} left"


def duration(seconds: float) -> str:
    """`m:ss`, or `h:mm:ss` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
