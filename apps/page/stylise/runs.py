"""Jobs that outlive the page that began them: any page of the same browser can follow one."""

import contextvars
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Run:
    """A job of a browser, in a thread of its own once it is started."""

    browser: str
    stop: threading.Event = field(default_factory=threading.Event)  # the job has to heed it
    started: bool = False
    ended: bool = False
    _error: Exception | None = None
    _values: dict[str, tuple[int, Any]] = field(default_factory=dict)  # with the update's number
    _updates: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def start(self, updates: Iterator[Mapping[str, Any]]) -> None:
        """Runs a job that yields values by name; the latest of each name counts."""
        self.started = True
        # With the request's own variables: the owner of new files is found by them.
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._work, updates), daemon=True).start()

    def _work(self, updates: Iterator[Mapping[str, Any]]) -> None:
        try:
            for update in updates:
                with self._changed:
                    self._updates += 1
                    self._values |= {name: (self._updates, v) for name, v in update.items()}
                    self._changed.notify_all()
        except Exception as error:  # for those who follow
            self._error = error
        finally:
            with self._changed:
                self.ended = True
                self._changed.notify_all()

    def follow(self) -> Iterator[dict[str, Any]]:
        """The values so far, then those that change, until the job has ended; raises its error."""
        seen = 0
        while True:
            with self._changed:
                while not self.ended and self._updates == seen:
                    self._changed.wait()
                new = {name: v for name, (number, v) in self._values.items() if number > seen}
                seen, ended = self._updates, self.ended
            if new:
                yield new
            if ended:
                if self._error is not None:
                    raise self._error
                return
