"""Cells measured in this process, in several, or by Ray on several hosts.

The rows come in the order of the cells in any case, and are the same to the bit where every
process computes alike: each has one thread, and checks its device and versions against the run's.
"""

import functools
import multiprocessing
import multiprocessing.connection
import os
import pickle
import signal
import socket
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing.connection import Connection
from typing import Any

from recon.experiments import find_experiment
from recon.experiments.experiment import Cell, Pictures, Row

Starting = Callable[[], AbstractContextManager]

_AHEAD = 2  # cells a worker that are under way or wait for an earlier one
_RETRIES = 2  # of a cell by Ray: hosts come and go, and cells are pure


@functools.cache
def computing() -> dict[str, str]:
    """What rows depend on to the bit, besides threads: the device, and versions of packages."""
    from rrstyle import backend

    versions = {k: v for k, v in backend.versions().items() if k != "python"}
    return {"device": backend.device(), **versions, **versions_of(("scipy",))}


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """Version of each package, by its name."""
    return {name: version(name) for name in packages}


@dataclass(frozen=True)
class Job:
    """What all cells of a run have in common; sent once to each worker."""

    experiment: str  # name for `recon.experiments.find_experiment`: functions do not travel
    settings: Any
    pictures: Pictures
    seed: int
    computing: Mapping[str, str]  # of the writer of the rows, with versions of own packages

    def prepare(self) -> None:
        """Makes this process, a worker, compute as all others do; ValueError if it cannot."""
        from rrstyle import backend

        if backend.threads() == "all" and not backend.one_thread():
            raise ValueError("a worker must compute on one thread; its backend runs already")
        own = computing() | versions_of(find_experiment(self.experiment).packages)
        for key in sorted({*own, *self.computing}):
            ours, theirs = own.get(key), self.computing.get(key)
            if ours != theirs:
                raise ValueError(
                    f"{key} must be the same for all workers, or their rows would differ;"
                    f" received {ours} beside {theirs}"
                )

    def measure(self, cell: Cell) -> list[Row]:
        """The rows of a cell."""
        experiment = find_experiment(self.experiment)
        return experiment.measure(self.settings, cell, self.pictures, self.seed)


def in_this_process(job: Job, cells: Sequence[Cell]) -> Generator[list[Row], None, None]:
    """Rows of each cell, one after the other, on as many threads as this process has."""
    for cell in cells:
        yield job.measure(cell)


def in_processes(
    job: Job, cells: Sequence[Cell], workers: int, *, starting: Starting = nullcontext
) -> Generator[list[Row], None, None]:
    """Rows of each cell, by at most `workers` processes of their own on this host.

    Each enters `starting()` while it loads its backend. Closing the iterator ends them at once; so
    does the end of this process, however it comes.

    Raises:
        ValueError: If a cell raises it, or a worker cannot compute as the others do.
        ChildProcessError: If a worker dies.
    """
    count = min(workers, len(cells))
    packed = pickle.dumps(job)
    team: dict[Any, _Worker] = {}
    early: dict[int, list[Row]] = {}
    sent = done = 0
    try:
        for number in range(1, count + 1):
            worker = _Worker(f"worker {number} of {count}", packed, starting)
            team[worker.connection] = worker
        while done < len(cells):
            for worker in team.values():
                if worker.cell is None and sent < min(len(cells), done + _AHEAD * count):
                    worker.start(sent, cells[sent])
                    sent += 1
            # Without a pause where the next rows are here already: the others are to stay busy.
            timeout = 0 if done in early else None
            for connection in multiprocessing.connection.wait(list(team), timeout):
                early[team[connection].index] = team[connection].finish()
            if done in early:
                yield early.pop(done)
                done += 1
    finally:
        for worker in team.values():
            worker.end()


class _Worker:
    """A process that measures one cell after another."""

    def __init__(self, name: str, job: bytes, starting: Starting) -> None:
        self.index = -1
        self.cell: Cell | None = None
        self._name = name
        context = multiprocessing.get_context("spawn")  # a fork would copy a running backend
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, job, starting), daemon=True)
        with _signals_held():
            self._process.start()
        theirs.close()  # so that the worker's death is the end of the pipe

    def start(self, index: int, cell: Cell) -> None:
        self.index, self.cell = index, cell
        try:
            self.connection.send(cell)
        except OSError:
            raise self._death() from None

    def finish(self) -> list[Row]:
        try:
            rows, error = self.connection.recv()
        except (EOFError, OSError):
            raise self._death() from None
        if error is not None:
            raise error
        self.cell = None
        return rows

    def end(self) -> None:
        self._process.kill()  # nothing of it is kept: the rows are written by this process
        self._process.join()
        self.connection.close()

    def _death(self) -> ChildProcessError:
        self._process.join(timeout=5)
        code = self._process.exitcode or 0
        how = (
            f"was ended by {signal.Signals(-code).name}"
            if code < 0
            else f"ended with status {code}"
        )
        if code == -signal.SIGKILL:
            how += ", as happens where memory is short"
        at = f" at {described(self.cell)}" if self.cell else ""
        return ChildProcessError(
            f"{self._name}{at} {how}; the run can be continued, with fewer workers if need be"
        )


def described(cell: Cell) -> str:
    """A cell for people: "channels 64, network 3"."""
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in cell.items())


@contextmanager
def _signals_held() -> Iterator[None]:
    """A process that starts meanwhile ignores Ctrl-C, which goes to all: this one ends it.

    SIGTERM waits: a process that is not told all that it needs to start complains.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda number, frame: held.append(number)),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(signal.SIGTERM)


def _serve(connection: Connection, packed: bytes, starting: Starting) -> None:
    """What a worker does until it is ended."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with starting():
            job: Job = pickle.loads(packed)  # its settings' module imports Keras
            job.prepare()
        while True:
            connection.send((job.measure(connection.recv()), None))
    except Exception as error:
        connection.send((None, _portable(error, traceback.format_exc())))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)  # it was killed: whoever continues its run needs the processor


def _portable(error: BaseException, trace: str) -> Exception:
    """An error as it is raised again in another process."""
    for kind in (ValueError, OSError):
        if isinstance(error, kind):
            return kind(str(error))
    # A bug: shown with the lines of code that are to blame.
    again = RuntimeError(f"{type(error).__name__}: {error}")
    again.add_note(trace)
    return again


def on_ray(job: Job, cells: Sequence[Cell], address: str) -> Generator[list[Row], None, None]:
    """Rows of each cell, by Ray: as many at once as its hosts have processors.

    A host that is lost has its cells measured by others. Nothing is reported to Ray's makers. The
    address is "host:port" of a running Ray, "auto" for one that runs on this host, or "local" to
    start one here for this run. A Ray that this process has joined already is used.

    Raises:
        ValueError: If Ray is missing or not there, or as `in_processes` does.
        ChildProcessError: If a worker dies again and again.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise ValueError("ray needs an extra: pip install 'rrstyle[ray]'") from error
    joined = ray.is_initialized()
    if not joined:
        _join_ray(address)
    outstanding: deque = deque()
    try:
        shared = ray.put(job)
        measure = ray.remote(_measure).options(num_cpus=1, max_retries=_RETRIES)
        limit = _AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
        for cell in cells:
            outstanding.append((cell, measure.remote(shared, cell)))
            if len(outstanding) == limit:
                yield _fetch(*outstanding.popleft())
        while outstanding:
            yield _fetch(*outstanding.popleft())
    finally:
        if joined:
            for _, task in outstanding:
                ray.cancel(task, force=True)
        else:
            ray.shutdown()


def _join_ray(address: str) -> None:
    import logging

    import ray

    host, _, port = address.rpartition(":")
    if port.isdecimal() and "/" not in host:
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
        except OSError as error:  # at once: Ray itself tries for two minutes
            raise ValueError(
                f"ray must be the address of a running Ray; received {address!r}: {error}"
            ) from error
    # A Ray that runs already has its dashboard or has not.
    shown = False if address == "local" else None
    level = logging.ERROR
    try:
        ray.init(address, include_dashboard=shown, log_to_driver=False, logging_level=level)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ValueError(
            "ray must be the address of a running Ray (host:port or auto), or local;"
            f" received {address!r}: {error}"
        ) from error


def _measure(job: Job, cell: Cell) -> list[Row]:
    job.prepare()
    return job.measure(cell)


def _fetch(cell: Cell, task: Any) -> list[Row]:
    import ray
    from ray.exceptions import RayError, RayTaskError

    try:
        return ray.get(task)
    except RayTaskError as error:
        raise _portable(error.cause, str(error)) from None
    except RayError as error:
        raise ChildProcessError(
            f"a worker of Ray died {_RETRIES + 1} times at {described(cell)}; the run can be"
            f" continued; received {type(error).__name__}"
        ) from error
