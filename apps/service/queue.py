"""Who computes and who waits: a bounded queue before the accelerator, and its end."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from apps.service.limits import Limits


class QueueFull(ValueError):
    """A job too many; what it says is for the client."""


class ServerEnding(ValueError):
    """The server was told to end; what it says is for the client."""


@dataclass(eq=False)  # a job is none but itself
class _Job:
    held: int  # bytes of the pictures it waits with


class Turns:
    """The jobs of this process, in their order. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: list[_Job] = []
        self._waiting: list[_Job] = []
        self._closed = False
        # Set when jobs that still run have to end too.
        self.ended = threading.Event()

    def load(self) -> tuple[int, int]:
        """How many jobs run, and how many wait."""
        with self._changed:
            return len(self._running), len(self._waiting)

    @contextmanager
    def place(self, limits: Limits, *, held: int) -> Iterator["Place"]:
        """A place in the queue, and after it a turn, until the context is left.

        Args:
            limits: How many may wait and run, and how much memory the pictures of those who wait
                may take.
            held: Bytes that the job holds while it waits.

        Raises:
            QueueFull: If there is no room.
            ServerEnding: If no new jobs are taken.
        """
        job = _Job(held)
        with self._changed:
            if self._closed:
                raise ServerEnding("the server is ending and takes no new jobs; try again later")
            if len(self._running) >= limits.max_jobs or self._waiting:
                self._check_room(job, limits)
            self._waiting.append(job)
        try:
            yield Place(self, job, limits)
        finally:
            with self._changed:
                for jobs in (self._running, self._waiting):
                    if job in jobs:
                        jobs.remove(job)
                self._changed.notify_all()

    def _check_room(self, job: _Job, limits: Limits) -> None:
        if len(self._waiting) >= limits.queue:
            raise QueueFull(
                f"the queue is full: at most {limits.queue} jobs may wait; try again in a minute"
            )
        waiting = sum(other.held for other in self._waiting)
        if waiting + job.held > limits.max_memory * 2**30:
            raise QueueFull(
                f"the queue is full: the pictures of jobs that wait may take at most"
                f" {limits.max_memory:g} GiB; try again in a minute, or send smaller pictures"
            )

    def wait(self, job: _Job, limits: Limits, timeout: float) -> int:
        """Waits for the job's turn for `timeout` seconds: 0 once it has come, else its place.

        Raises:
            ServerEnding: If its turn will not come.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._is_next(job, limits), timeout)
            if job in self._running:
                return 0
            if self._closed:
                raise ServerEnding("the server ended before the job began; try again later")
            if not self._is_next(job, limits):
                return self._waiting.index(job) + 1
            self._waiting.remove(job)
            self._running.append(job)
            return 0

    def _is_next(self, job: _Job, limits: Limits) -> bool:
        return self._waiting[:1] == [job] and len(self._running) < limits.max_jobs

    def close(self, seconds: float) -> bool:
        """Takes no new jobs, sends those that wait away and lets those that run end.

        After `seconds` these have to end too: `ended` is set.

        Returns:
            Whether anything ran or waited.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            was_busy = bool(self._running or self._waiting)
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: not (self._running or self._waiting), deadline - time.monotonic()
            )
        self.ended.set()
        return was_busy

    def open(self) -> None:
        """Takes jobs again: for the next server of this process."""
        with self._changed:
            self._closed = False
            self.ended.clear()


@dataclass(frozen=True)
class Place:
    """A job's place in the queue."""

    _turns: Turns
    _job: _Job
    _limits: Limits

    def wait(self, timeout: float) -> int:
        """As `Turns.wait`."""
        return self._turns.wait(self._job, self._limits, timeout)
