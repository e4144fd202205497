"""A training in a folder, whatever is trained: Keras' `fit`, from the start or a checkpoint on.

Every random draw is a function of the seed and of the number of the step, so a continued run
takes the steps that it would have taken: on a processor it ends with the very same weights.
"""

import errno
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypedDict

import keras
import numpy as np

from recon.data.batches import Batch
from recon.training.callbacks import AfterStep, Task
from recon.training.config import Schedule
from recon.training.log import TrainingLog
from recon.training.model import restore
from recon.training.run import RunFolder
from rrstyle import backend
from rrstyle.durable import locked
from rrstyle.progress import OnStep, ignore

_MOST_THREADS = 16  # each reads a whole batch


class Source(Protocol):
    """Where the training images come from."""

    def __getitem__(self, number: int) -> Any:
        """Batch `number` (from 0), a function of its number alone; asked by several threads.

        It is a uint8 array (batch, crop, crop, 3), or a `recon.data.batches.Batch`.
        """


class RunOptions(TypedDict, total=False):
    """How a training is run, whatever is trained."""

    data: Mapping[str, Any]  # plain JSON values that name the images, the same in a continued run
    resume: bool  # continue the run from its last whole checkpoint, if there is one
    # Number that share every batch, or None for all, on JAX those of all hosts that
    # `keras.distribution.initialize` has joined; these share the folder too. By default 1.
    devices: int | None
    # Called with a `recon.training.callbacks.TrainingStep` up to five times a second. To stop the
    # training it raises: on a single host a checkpoint is saved.
    on_step: OnStep


@dataclass(frozen=True)
class Outcome:
    """The outcome of a training."""

    folder: Path
    started_at: int  # steps that had been done before
    step: int
    score: float  # of the last checkpoint, as in `AfterStep`
    notes: tuple[str, ...]  # lines for people


class MissingBatches(keras.utils.PyDataset, AbstractContextManager):
    """The batches of a training from number `first` on, read ahead by threads of its own.

    Keras' own threads (`workers`) lose the first batches to the building of a model. To be used
    in a `with`, which ends the threads.
    """

    def __init__(
        self, source: Source, config: Schedule, target: Callable[[Batch], np.ndarray], first: int
    ) -> None:
        super().__init__()
        self._source, self._target, self._first = source, target, first
        self._count = config.steps - first
        self._shape = config.batch, config.crop, config.crop, 3
        threads = min(_MOST_THREADS, os.cpu_count() or 1)
        self._pool, self._ahead = ThreadPoolExecutor(threads), threads + 1
        self._read: dict[int, Future] = {}
        self.error: BaseException | None = None  # TensorFlow passes on its text only

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, position: int) -> tuple[np.ndarray, np.ndarray]:
        """Images and targets, of this host alone, of the batch at a position from `first`."""
        for ahead in range(position, min(position + self._ahead, self._count)):
            if ahead not in self._read:
                self._read[ahead] = self._pool.submit(self._batch, self._first + ahead)
        return self._read.pop(position).result()

    def _batch(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        try:
            found = self._source[number]
            batch = found if isinstance(found, Batch) else Batch(found, None, ())
            check_pixels("source", batch.pixels, self._shape)
        except BaseException as error:
            self.error = self.error or error
            raise
        return backend.part_of_host(batch.pixels), backend.part_of_host(self._target(batch))


def run_training(
    config: Schedule,
    source: Source,
    out: Path,
    begin: Callable[[], Task],
    *,
    encoder_weights: Sequence[np.ndarray] | None = None,
    data: Mapping[str, Any] | None = None,
    resume: bool = False,
    devices: int | None = 1,
    on_step: OnStep = ignore,
) -> Outcome:
    """Trains in a folder, or continues to: see `recon.training.train.train` and `RunOptions`.

    The config's precision is resolved; `begin` makes the task, if steps are missing.
    """
    run, writes = RunFolder(out), backend.is_first_host()
    if writes:
        run.check_new(resume=resume)
    with backend.shared_by(devices) as count:
        if config.batch % count:
            raise ValueError(
                f"batch must be a multiple of the {count} devices; received {config.batch}"
            )
        out.mkdir(parents=True, exist_ok=True)
        with locked(out) if writes else nullcontext(), _full_disk_told(run):
            found, notes = run.checkpoints.latest()
            if found and config.steps < found.step:  # before the record is written with them
                raise ValueError(
                    f"steps must be at least the {found.step} that the run has done;"
                    f" received {config.steps}"
                )
            if writes:
                notes += run.open(config, data or {}, encoder_weights)
                run.checkpoints.prepare()
            done, score = (found.step, found.score) if found else (0, math.inf)
            if done < config.steps:
                task = begin()
                seconds = 0.0
                if found:
                    restore(task.model, found, config)
                    seconds = found.state["seconds"]
                log = TrainingLog(out, step=done, columns=task.columns) if writes else None
                with log or nullcontext():
                    after = AfterStep(task, config, run, log, on_step, done=done, seconds=seconds)
                    fit(task.model, source, config, [after], target=task.target, done=done)
                score = after.score
            return Outcome(out, done, config.steps, score, tuple(notes))


def fit(
    model: keras.Model,
    source: Source,
    config: Schedule,
    callbacks: Sequence[keras.callbacks.Callback],
    *,
    target: Callable[[Batch], np.ndarray] = lambda batch: batch.pixels,
    done: int = 0,
) -> None:
    """Takes the steps after the first `done` in memory; callbacks do all else.

    An error of a callback ends it. The model is a compiled one of `recon.training.model`; `target`
    is as in `Task`.
    """
    exact = backend.resolve_precision(config.precision) == "float32"
    with (
        MissingBatches(source, config, target, done) as batches,
        backend.full_precision() if exact else nullcontext(),
    ):
        try:
            begin = keras.callbacks.LambdaCallback(
                on_train_batch_begin=lambda batch, logs: backend.reuse_freed_memory()
            )
            model.fit(batches, callbacks=[begin, *callbacks], shuffle=False, verbose=0)
        except Exception as error:
            if batches.error is None or not type(error).__module__.startswith("tensorflow."):
                raise
            raise batches.error from None


@contextmanager
def _full_disk_told(run: RunFolder) -> Iterator[None]:
    """An error that says what is left, and what to do, where nothing more can be written."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        full = f"{run.folder.name}: the disk is full; {run.last_good()}"
        raise OSError(error.errno, f"{full}; free some space, then continue the run") from error


def check_pixels(name: str, pixels: Any, shape: tuple[int, ...]) -> None:
    """Raises ValueError for what are not uint8 images of a shape."""
    found = getattr(pixels, "shape", None), str(getattr(pixels, "dtype", None))
    if found != (shape, "uint8"):
        raise ValueError(f"{name} must give uint8 images {shape}; received {found[1]} {found[0]}")
