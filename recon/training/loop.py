"""The loop of a training, whatever is trained: steps, log, checkpoints, and what ends it.

Every random draw is a function of the seed and of the number of the step, so a continued run
takes the steps that it would have taken: on a processor it ends with the very same weights.
"""

import errno
import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from recon.training.config import Schedule
from recon.training.log import TrainingLog
from recon.training.run import RunFolder
from recon.training.step import State
from rrstyle import backend
from rrstyle.config import to_dict
from rrstyle.durable import locked, write_whole
from rrstyle.progress import OnStep, Step

_READ_EVERY = 0.2  # seconds: to read a loss is to wait for it, which an accelerator need not

_NOTHING: Mapping[str, float] = MappingProxyType({})


class Source(Protocol):
    """Where the training images come from."""

    def batches(self, first_step: int) -> Iterator[Any]:
        """Batches from number `first_step` (from 0) on, a function of their number alone.

        Each is a uint8 array (batch, crop, crop, 3), or a `recon.data.batches.Batch`.
        """


class Task(Protocol):
    """What is trained."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the log."""

    @property
    def sample_every(self) -> int | None:
        """Steps between two sheets; None for no sheets."""

    def step(self, batch: Any, number: int) -> Any:
        """Takes step `number` (from 1); the loss of the batch, which `number` reads."""

    def number(self, loss: Any) -> float:
        """A loss, once it is computed."""

    def state(self) -> State:
        """What a checkpoint has to hold."""

    def row(self, loss: float) -> dict[str, float]:
        """Columns of the log that follow from the mean loss."""

    def validate(self) -> dict[str, float]:
        """Columns of the log that are measured on pictures held out: empty without any.

        `validation_loss` decides which checkpoint is the best.
        """

    def sheet(self) -> bytes | None:
        """A PNG of samples."""


@dataclass(frozen=True)
class TrainingStep(Step):
    """Where a training is.

    Attributes:
        step: Steps done, of `steps`.
        loss: Mean of the batches since the last report.
        images_per_s: Since the first step of this process.
        seconds_left: At that speed.
    """

    step: int
    steps: int
    loss: float
    images_per_s: float
    seconds_left: float


class NotFinite(ValueError):
    """A loss or a weight became infinite or no number."""


@dataclass(frozen=True)
class Outcome:
    """What became of a training.

    Attributes:
        folder: Of the run.
        started_at: Steps that had been done before.
        step: Steps that are done.
        score: Of the last checkpoint: its validation loss, or else the mean training loss since
            the checkpoint before it.
        notes: What a person should know.
    """

    folder: Path
    started_at: int
    step: int
    score: float
    notes: tuple[str, ...]


def run_training(
    config: Schedule,
    source: Source,
    out: Path,
    begin: Callable[[State | None, Any], Task],
    *,
    encoder_weights: Sequence[np.ndarray] | None = None,
    data: Mapping[str, Any],
    resume: bool,
    devices: int | None,
    on_step: OnStep,
) -> Outcome:
    """Trains in a folder, or goes on to.

    Args:
        config: Its settings, of a resolved precision.
        source: Of its images.
        out: Folder of the run: new or empty, unless it is continued.
        begin: Makes the task, from a state (None at the start) and devices of
            `rrstyle.backend.parallel`.
        encoder_weights: Trained weights that the run is to keep.
        data: Plain JSON values that name the images; a continued run must have the same.
        resume: Continue the run in `out`, if there is one.
        devices: How many, or None for all.
        on_step: Called with a `TrainingStep`. If it raises, the training ends, on a single host
            with a checkpoint.

    Raises:
        NotFinite: If a loss or a weight is not finite; the checkpoints before it are there.
        ValueError: If an argument is wrong, or `out` holds something else.
        OSError: If a file cannot be read or written.
    """
    run = RunFolder(out)
    shared = backend.parallel(devices)
    if shared.writes:
        run.check_new(resume=resume)
    out.mkdir(parents=True, exist_ok=True)
    with locked(out) if shared.writes else nullcontext(), _full_disk_told(run):
        found, notes = run.checkpoints.latest()
        run.check_steps(config, found)  # before the record is written with them
        if shared.writes:
            notes += run.open(config, data=data, encoder_weights=encoder_weights)
            run.checkpoints.prepare()
        task = begin(None if found is None else State.of_arrays(found.arrays), shared)
        done = found.step if found else 0
        score = found.score if found else math.inf
        loop = _Loop(config, run, task, on_step, done, shared)
        loop.seconds = found.state["seconds"] if found else 0.0
        if done < config.steps:
            score = loop.run_to_the_end(source)
        return Outcome(out, done, config.steps, score, tuple(notes))


class _Loop:
    """The steps of one process, and what is written between them."""

    def __init__(
        self,
        config: Schedule,
        run: RunFolder,
        task: Task,
        on_step: OnStep,
        done: int,
        devices: Any,
    ) -> None:
        self.config, self.run, self.task = config, run, task
        self.on_step, self.done = on_step, done
        self.writes, self.alone = devices.writes, devices.hosts == 1
        self.seconds = 0.0  # of all processes of the run
        self._unread: list[Any] = []  # losses that may still be under computation
        self._row, self._mark = _Mean(), _Mean()  # since the last row, the last checkpoint
        self._began = self._row_began = time.perf_counter()
        self._first, self._warm = done, False

    def run_to_the_end(self, source: Source) -> float:
        """Takes the steps that are missing; the score of the last checkpoint."""
        score = math.inf
        batches = source.batches(self.done)
        with (
            closing(batches) if isinstance(batches, Generator) else nullcontext(),
            self._log() as log,
        ):
            last_read = 0.0
            while self.done < self.config.steps:
                batch = self._next(batches)
                self._unread.append(self.task.step(batch, self.done + 1))
                self.done += 1
                marks = self._at(self.config.checkpoint_every)
                rows = marks or self._at(self.config.log_every)
                every = self.task.sample_every
                sheets = every is not None and self._at(every)
                if rows or sheets or time.perf_counter() - last_read > _READ_EVERY:
                    report = self._read()
                    last_read = time.perf_counter()
                    if sheets:
                        self._sheet(log)
                    if marks:
                        score = self._checkpoint(log)
                    elif rows:
                        self._add_row(log)
                    self._tell(report, log, saved=marks)
        return score

    def _log(self) -> Any:
        if not self.writes:
            return nullcontext()
        return TrainingLog(self.run.folder, step=self.done, columns=self.task.columns)

    def _at(self, every: int) -> bool:
        return self.done % every == 0 or self.done == self.config.steps

    def _next(self, batches: Iterator[Any]) -> Any:
        try:
            return next(batches)
        except StopIteration:
            raise ValueError(
                f"source must have a batch for each of {self.config.steps} steps;"
                f" it ended after {self.done}"
            ) from None

    def _read(self) -> TrainingStep:
        """Waits for the losses under way, and checks them."""
        losses = _Mean()
        first = self.done - len(self._unread) + 1
        for step, loss in enumerate(map(self.task.number, self._unread), start=first):
            if not math.isfinite(loss):
                raise NotFinite(self._not_finite(f"loss is {loss} at step {step}"))
            for mean in (losses, self._row, self._mark):
                mean.add(loss)
        self._unread.clear()
        steps = self.config.steps
        speed = (self.done - self._first) / (time.perf_counter() - self._began)
        if not self._warm:  # compilation is in the first step, and in no other
            self._began, self._first, self._warm = time.perf_counter(), self.done, True
        return TrainingStep(
            stage=f"step {self.done} of {steps}",
            fraction=self.done / steps,
            step=self.done,
            steps=steps,
            loss=losses.value,
            images_per_s=speed * self.config.batch,
            seconds_left=(steps - self.done) / speed,
        )

    def _tell(self, report: TrainingStep, log: TrainingLog | None, *, saved: bool) -> None:
        try:
            self.on_step(report)
        except BaseException:
            if not saved and self.alone:  # the others would not join in the validation
                self._checkpoint(log)
            raise

    def _add_row(self, log: TrainingLog | None, found: Mapping[str, float] = _NOTHING) -> None:
        now = time.perf_counter()
        values = {
            "loss": self._row.value,
            **self.task.row(self._row.value),
            "learning_rate": self.config.rate(self.done),
            "images_per_s": self._row.count * self.config.batch / (now - self._row_began),
            **found,
        }
        if log is not None:
            log.add(self.done, values)
        self.seconds += now - self._row_began
        self._row, self._row_began = _Mean(), now

    def _checkpoint(self, log: TrainingLog | None) -> float:
        state = self.task.state()
        arrays = state.arrays()
        wrong = [name for name, array in arrays.items() if not np.isfinite(array).all()]
        if wrong:
            raise NotFinite(self._not_finite(f"{wrong[0]} is not finite after step {self.done}"))
        validated = self.task.validate()
        score = validated.get("validation_loss", self._mark.value)
        if self._row.count:  # none of it where a stop follows a row
            self._add_row(log, validated)
        self._mark = _Mean()
        if log is not None:
            log.sync()  # first: a checkpoint's log is to be as long as it
            content = {
                "config": to_dict(self.config),
                "position": self.done,  # of the source: batches taken
                "seconds": self.seconds,
                "validated": validated,
                "versions": backend.versions(),
            }
            self.run.checkpoints.save(self.done, arrays, content, score=score)
        return score

    def _sheet(self, log: TrainingLog | None) -> None:
        png = self.task.sheet()
        if png is not None and log is not None:
            folder = self.run.folder / "samples"
            folder.mkdir(exist_ok=True)
            write_whole(folder / f"step-{self.done:08d}.png", png, overwrite=True)
            log.add_picture(self.done, "samples", png)

    def _not_finite(self, what: str) -> str:
        return f"{what}; {_last_good(self.run)}; start a new run with a lower learning_rate"


def _last_good(run: RunFolder) -> str:
    kept = run.checkpoints.steps()
    if not kept:
        return "there is no checkpoint yet"
    return f"the last good checkpoint is that of step {kept[-1]}"


@contextmanager
def _full_disk_told(run: RunFolder) -> Iterator[None]:
    """Says what is left, and what to do, where nothing more can be written."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise OSError(
            error.errno,
            f"{run.folder.name}: the disk is full; {_last_good(run)}; free some space, then"
            " continue the run",
        ) from error


class _Mean:
    """A running mean, of Python floats: its value depends on nothing but what was added."""

    def __init__(self) -> None:
        self._sum, self.count = 0.0, 0

    def add(self, value: float) -> None:
        self._sum += value
        self.count += 1

    @property
    def value(self) -> float:
        return self._sum / self.count


def check_pixels(name: str, pixels: Any, shape: tuple[int, ...]) -> None:
    """Refuses what are not uint8 images of a shape.

    Raises:
        ValueError: If they are not.
    """
    found = getattr(pixels, "shape", None), str(getattr(pixels, "dtype", None))
    if found != (shape, "uint8"):
        raise ValueError(f"{name} must give uint8 images {shape}; received {found[1]} {found[0]}")
