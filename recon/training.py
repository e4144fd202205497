"""Trains a DCN to invert a frozen CNN; a run that was stopped, however it was, can be continued.

Every random draw is a function of the seed and of the number of the step, so a continued run
takes the steps that it would have taken: on a processor it ends with the very same weights.

Reference: "Randomness in Deconvolutional Networks for Visual Representation", section 3.
"""

import math
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from recon.checkpoints import locked
from recon.training_config import TrainingConfig
from recon.training_log import TrainingLog
from recon.training_run import RunFolder
from recon.training_step import State, Trainer, build_pair, mean_squared_error
from rrstyle import backend
from rrstyle.config import to_dict
from rrstyle.files import write_whole
from rrstyle.images import encode_png
from rrstyle.progress import OnStep, Step, ignore
from rrstyle.sheets import contact_sheet

_READ_EVERY = 0.2  # seconds: to read a loss is to wait for it, which an accelerator need not


class Source(Protocol):
    """Where the training images come from."""

    def batches(self, first_step: int) -> Iterator[Any]:
        """Batches from number `first_step` (from 0) on, a function of their number alone.

        Each is a uint8 array (batch, crop, crop, 3), or has one as `pixels`.
        """


@dataclass(frozen=True)
class TrainingStep(Step):
    """Where a training is.

    Attributes:
        step: Steps done, of `steps`.
        loss: Mean of the batches since the last report; see `training_step.inversion_loss`.
        mse: The mean squared error of a pixel's colour, in [0, 1], that belongs to it.
        images_per_s: Since the first step of this process.
        seconds_left: At that speed.
    """

    step: int
    steps: int
    loss: float
    mse: float
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


def train(
    config: TrainingConfig,
    source: Source,
    out: Path,
    *,
    encoder_weights: Sequence[np.ndarray] | None = None,
    data: Mapping[str, Any] = MappingProxyType({}),
    resume: bool = False,
    devices: int | None = 1,
    samples: np.ndarray | None = None,
    validation: np.ndarray | None = None,
    on_step: OnStep = ignore,
) -> Outcome:
    """Trains a DCN, or continues to.

    `recon.training_run.load_run` reads what comes of it, at any time.

    Args:
        config: Its settings.
        source: Of its images.
        out: Folder of the run: new or empty, unless it is continued.
        encoder_weights: Trained weights of the CNN, (kernel, bias) by layer, for images in
            [0, 1]; by default it is random.
        data: Plain JSON values that name the images; a continued run must have the same.
        resume: Continue the run in `out` from its last whole checkpoint. Where there is no run
            yet, or none of its checkpoints, it starts.
        devices: That share every batch: how many, or None for all, on JAX those of all hosts
            that `keras.distribution.initialize` has joined; these share `out` too.
        samples: A few uint8 images (n, crop, crop, 3) for the sheets of reconstructions.
        validation: uint8 images (n, crop, crop, 3) whose loss is taken at every checkpoint.
        on_step: Called with a `TrainingStep`, up to five times a second. If it raises, a
            checkpoint is saved and the training ends: that is how to stop it.

    Raises:
        NotFinite: If a loss or a weight is not finite; the checkpoints before it are there.
        ValueError: If an argument is wrong, or `out` holds something else.
        OSError: If a file cannot be read or written.
    """
    config = replace(config, precision=backend.resolve_precision(config.precision))
    for name, images in (("samples", samples), ("validation", validation)):
        if images is not None:
            _check_pixels(name, images, (max(1, len(images)), config.crop, config.crop, 3))
    run = RunFolder(out)
    shared = backend.parallel(devices)
    if shared.writes:
        run.check_new(resume=resume)
    pair = build_pair(config, encoder_weights)
    out.mkdir(parents=True, exist_ok=True)
    with locked(out) if shared.writes else nullcontext():
        notes = []
        if shared.writes:
            notes += run.open(config, data=data, encoder_weights=encoder_weights)
            run.checkpoints.prepare()
        found, damaged = run.checkpoints.latest()
        notes += damaged
        run.check_steps(config, found)
        start = State.start(pair.decoder) if found is None else State.of_arrays(found.arrays)
        trainer = Trainer(config, pair, start, devices=shared)
        done = found.step if found else 0
        score = found.score if found else math.inf
        loop = _Loop(config, run, trainer, samples, validation, on_step, done, shared.writes)
        loop.seconds = found.state["seconds"] if found else 0.0
        if done < config.steps:
            score = loop.run_to_the_end(source)
        return Outcome(out, done, config.steps, score, tuple(notes))


class _Loop:
    """The steps of one process, and what is written between them."""

    def __init__(
        self,
        config: TrainingConfig,
        run: RunFolder,
        trainer: Trainer,
        samples: np.ndarray | None,
        validation: np.ndarray | None,
        on_step: OnStep,
        done: int,
        writes: bool,
    ) -> None:
        self.config, self.run, self.trainer = config, run, trainer
        self.samples, self.validation = samples, validation
        self.on_step, self.done, self.writes = on_step, done, writes
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
            TrainingLog(self.run.folder, step=self.done) if self.writes else nullcontext() as log,
        ):
            last_read = 0.0
            while self.done < self.config.steps:
                pixels = self._next(batches)
                self._unread.append(self.trainer.step(pixels, self.done + 1))
                self.done += 1
                marks = self._at(self.config.checkpoint_every)
                rows = marks or self._at(self.config.log_every)
                sheets = self._at(self.config.sample_every)
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

    def _at(self, every: int) -> bool:
        return self.done % every == 0 or self.done == self.config.steps

    def _next(self, batches: Iterator[Any]) -> np.ndarray:
        try:
            batch = next(batches)
        except StopIteration:
            raise ValueError(
                f"source must have a batch for each of {self.config.steps} steps;"
                f" it ended after {self.done}"
            ) from None
        pixels = getattr(batch, "pixels", batch)
        _check_pixels("source", pixels, (self.config.batch, *[self.config.crop] * 2, 3))
        return pixels

    def _read(self) -> TrainingStep:
        """Waits for the losses under way, and checks them."""
        losses = _Mean()
        first = self.done - len(self._unread) + 1
        for step, loss in enumerate(map(self.trainer.number, self._unread), start=first):
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
            mse=mean_squared_error(self.config, losses.value),
            images_per_s=speed * self.config.batch,
            seconds_left=(steps - self.done) / speed,
        )

    def _tell(self, report: TrainingStep, log: TrainingLog | None, *, saved: bool) -> None:
        try:
            self.on_step(report)
        except BaseException:
            if not saved:
                self._checkpoint(log)
            raise

    def _add_row(self, log: TrainingLog | None, validation_loss: float | None = None) -> None:
        now = time.perf_counter()
        values = {
            "loss": self._row.value,
            "mse": mean_squared_error(self.config, self._row.value),
            "learning_rate": self.config.rate(self.done),
            "images_per_s": self._row.count * self.config.batch / (now - self._row_began),
        }
        if validation_loss is not None:
            values["validation_loss"] = validation_loss
        if log is not None:
            log.add(self.done, values)
        self.seconds += now - self._row_began
        self._row, self._row_began = _Mean(), now

    def _checkpoint(self, log: TrainingLog | None) -> float:
        state = self.trainer.state()
        arrays = state.arrays()
        wrong = [name for name, array in arrays.items() if not np.isfinite(array).all()]
        if wrong:
            raise NotFinite(self._not_finite(f"{wrong[0]} is not finite after step {self.done}"))
        loss = None
        if self.validation is not None:
            loss = float(self.trainer.losses(self.validation).mean())
        score = self._mark.value if loss is None else loss
        if self._row.count:  # none of it where a stop follows a row
            self._add_row(log, loss)
        self._mark = _Mean()
        if log is not None:
            log.sync()  # first: a checkpoint's log is to be as long as it
            content = {
                "config": to_dict(self.config),
                "position": self.done,  # of the source: batches taken
                "seconds": self.seconds,
                "versions": backend.versions(),
            }
            self.run.checkpoints.save(self.done, arrays, content, score=score)
        return score

    def _sheet(self, log: TrainingLog | None) -> None:
        if self.samples is None:
            return
        images = self.samples / np.float32(255)
        back = np.clip(self.trainer.reconstruct(self.samples), 0, 1)
        if log is not None:
            png = encode_png(contact_sheet([list(images), list(back)]))
            folder = self.run.folder / "samples"
            folder.mkdir(exist_ok=True)
            write_whole(folder / f"step-{self.done:08d}.png", png, overwrite=True)
            log.add_picture(self.done, "samples", png)

    def _not_finite(self, what: str) -> str:
        kept = self.run.checkpoints.steps()
        last = (
            f"the last good checkpoint is that of step {kept[-1]}"
            if kept
            else ("there is no checkpoint yet")
        )
        return f"{what}; {last}; start a new run with a lower learning_rate"


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


def _check_pixels(name: str, pixels: Any, shape: tuple[int, ...]) -> None:
    found = getattr(pixels, "shape", None), str(getattr(pixels, "dtype", None))
    if found != (shape, "uint8"):
        raise ValueError(f"{name} must give uint8 images {shape}; received {found[1]} {found[0]}")
