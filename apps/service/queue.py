"""The bounded queue of jobs before the accelerator, and how it is closed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from apps.service.limits import Limits


class QueueFull(ValueError):
    """The queue has no room for a job; the message is for the client."""


class ServerEnding(ValueError):
    """The server is ending; the message is for the client."""


@dataclass(eq=False)
class _Job:
    held: int  # bytes of its pictures


class Turns:
    """The jobs of this process, first come, first served. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: list[_Job] = []
        self._waiting: list[_Job] = []
        self._closed = False
        self.ended = threading.Event()  # set when running jobs have to end too

    @property
    def closed(self) -> bool:
        """Whether no new jobs are taken."""
        return self._closed

    def load(self) -> tuple[int, int]:
        """Number of jobs that run, and that wait."""
        with self._changed:
            return len(self._running), len(self._waiting)

    @contextmanager
    def place(self, limits: Limits, *, held: int) -> Iterator[Callable[[float], int]]:
        """A place in the queue, and after it a turn, until the context is left.

        Args:
            limits: How many jobs may wait and run, and the memory of the pictures that wait.
            held: Bytes of the job's pictures.

        Yields:
            Function that waits for the turn for some seconds: it returns 0 once the turn has come,
            else the job's position, and raises ServerEnding if the turn will not come.

        Raises:
            QueueFull, ServerEnding: If there is no room, or the server takes no new jobs.
        """
        job = _Job(held)
        with self._changed:
            if self._closed:
                raise ServerEnding("the server is ending and takes no new jobs; try again later")
            if len(self._running) >= limits.max_jobs or self._waiting:
                self._check_room(job, limits)
            self._waiting.append(job)
        try:
            yield partial(self._wait, job, limits)
        finally:
            with self._changed:
                for jobs in (self._running, self._waiting):
                    if job in jobs:
                        jobs.remove(job)
                self._changed.notify_all()

    def _check_room(self, job: _Job, limits: Limits) -> None:
        if len(self._waiting) >= limits.queue:
            jobs = "1 job" if limits.queue == 1 else f"{limits.queue} jobs"
            raise QueueFull(f"the queue is full: at most {jobs} may wait; try again in a minute")
        if sum(one.held for one in (*self._waiting, job)) > limits.max_memory * 2**30:
            raise QueueFull(
                f"the queue is full: the pictures of jobs that wait may take at most"
                f" {limits.max_memory:g} GiB; try again in a minute, or send smaller pictures"
            )

    def _wait(self, job: _Job, limits: Limits, timeout: float) -> int:
        def is_next() -> bool:
            return self._waiting[0] is job and len(self._running) < limits.max_jobs

        with self._changed:
            self._changed.wait_for(lambda: self._closed or is_next(), timeout)
            if self._closed:
                raise ServerEnding("the server ended before the job began; try again later")
            if not is_next():
                return self._waiting.index(job) + 1
            self._running.append(self._waiting.pop(0))
            return 0

    def close(self, seconds: float) -> bool:
        """Refuses new and waiting jobs, and gives running ones `seconds` before `ended` is set.

        Returns:
            Whether any job ran or waited.
        """
        with self._changed:
            was_busy = bool(self._running or self._waiting)
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not (self._running or self._waiting), seconds)
        self.ended.set()
        return was_busy

    def open(self) -> None:
        """Takes jobs again, for the next server of this process."""
        with self._changed:
            self._closed = False
            self.ended.clear()
