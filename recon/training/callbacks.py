"""Keras callbacks of a training: what is checked, written and told after a step.

They act in the order of the list that `recon.training.fit` makes; an exception of one of them ends
the training after that step.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import keras
import numpy as np

from recon.training.config import Schedule
from recon.training.log import TrainingLog
from recon.training.model import state_of, whole_batches
from recon.training.run import RunFolder
from rrstyle import backend
from rrstyle.config import to_dict
from rrstyle.durable import write_whole
from rrstyle.pictures.images import encode_png
from rrstyle.progress import OnStep, Step

_TOLD_EVERY = 0.2  # seconds
_NOTHING: Mapping[str, float] = MappingProxyType({})


class NotFinite(ValueError):
    """A loss or a weight became infinite or no number."""


@dataclass(frozen=True)
class TrainingStep(Step):
    """Where a training is.

    Attributes:
        step: Number of steps done, of `steps`.
        steps: Number of steps in all.
        loss: Mean loss of the batches since the last row of the log.
        images_per_s: Speed since the first step of this process.
        seconds_left: Time left at that speed.
    """

    step: int
    steps: int
    loss: float
    images_per_s: float
    seconds_left: float


@dataclass(frozen=True)
class Session:
    """One process' part of a run, from its start or a checkpoint on.

    Attributes:
        config: Settings of the training.
        run: Folder of the run.
        log: Log to write; None where this process writes no files.
        done: Number of steps done before.
        seconds: Time that the run has taken before.
    """

    config: Schedule
    run: RunFolder
    log: TrainingLog | None
    done: int
    seconds: float

    def is_due(self, step: int, every: int) -> bool:
        """Whether what happens every so many steps, and at the end, happens now."""
        return step % every == 0 or step == self.config.steps

    def not_finite(self, what: str) -> NotFinite:
        """The error that says what is not finite, and what can be done."""
        return NotFinite(
            f"{what}; {self.run.last_good()}; start a new run with a lower learning_rate"
        )


class AfterStep(keras.callbacks.Callback):
    """A callback that acts after steps; a subclass says what it does."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session, self.config = session, session.config

    def after(self, step: int, loss: float) -> None:
        """Acts after a step.

        Args:
            step: Number of the step, from 1.
            loss: Mean loss of the batches since the last row of the log.
        """
        raise NotImplementedError

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Keras' hook; `batch` counts from 0 in every `fit`."""
        self.after(self.session.done + batch + 1, logs["error"])


class FiniteCheck(AfterStep):
    """Ends the training at a loss that is not finite."""

    def after(self, step: int, loss: float) -> None:
        """Raises NotFinite if the loss is not finite."""
        if not math.isfinite(loss):
            raise self.session.not_finite(f"loss is {loss} at step {step}")


class Sheets(AfterStep):
    """Writes sheets of reconstructions.

    Args:
        session: Part of the run.
        every: Number of steps between two sheets.
        draw: Function from the model to a picture (height, width, 3), float32 in [0, 1].
    """

    def __init__(
        self, session: Session, every: int, draw: Callable[[keras.Model], np.ndarray]
    ) -> None:
        super().__init__(session)
        self._every, self._draw = every, draw

    def after(self, step: int, loss: float) -> None:
        """Writes a sheet if one is due."""
        if not self.session.is_due(step, self._every):
            return
        sheet = self._draw(self.model)  # by all hosts: they compute it together
        if self.session.log is not None:
            folder = self.session.run.folder / "samples"
            folder.mkdir(exist_ok=True)
            write_whole(folder / f"step-{step:08d}.png", encode_png(sheet), overwrite=True)
            self.session.log.add_picture(step, "samples", np.rint(255 * sheet).astype(np.uint8))


class Record(AfterStep):
    """Writes rows of the log, and checkpoints: each checkpoint has a row before it.

    Args:
        session: Part of the run.
        row: Function from the mean loss to further columns.
        validation: uint8 images whose `error` is taken at every checkpoint, and their targets.

    Attributes:
        score: Score of the last checkpoint: its validation loss, or else the mean training loss
            since the checkpoint before it.
    """

    def __init__(
        self,
        session: Session,
        row: Callable[[float], Mapping[str, float]],
        validation: tuple[np.ndarray, np.ndarray] | None,
    ) -> None:
        super().__init__(session)
        self.score = math.inf
        self._row_of, self._validation, self._seconds = row, validation, session.seconds
        self._row_step = self._mark_step = self._saved = session.done
        self._mark_sum = 0.0  # of the losses between the last checkpoint and the last row
        self._row_began = time.perf_counter()

    def after(self, step: int, loss: float) -> None:
        """Writes a checkpoint or a row if one is due."""
        if self.session.is_due(step, self.config.checkpoint_every):
            self.checkpoint(step, loss)
        elif self.session.is_due(step, self.config.log_every):
            self._add_row(step, loss)

    def checkpoint(self, step: int, loss: float) -> None:
        """Writes a checkpoint, unless there is one of this step already."""
        if step == self._saved:
            return
        arrays = state_of(self.model)
        wrong = [name for name, array in arrays.items() if not np.isfinite(array).all()]
        if wrong:
            raise self.session.not_finite(f"{wrong[0]} is not finite after step {step}")
        total = self._mark_sum + (step - self._row_step) * loss
        validated = self._validated()
        self.score = validated.get("validation_loss", total / (step - self._mark_step))
        if step > self._row_step:  # a stop may follow a row
            self._add_row(step, loss, validated)
        self._mark_sum, self._mark_step, self._saved = 0.0, step, step
        if self.session.log is not None:
            self.session.log.sync()  # first: a checkpoint's log is to be as long as it
            content = {
                "config": to_dict(self.config),
                "seconds": self._seconds,
                "validated": validated,
                "versions": backend.versions(),
            }
            self.session.run.checkpoints.save(step, arrays, content, score=self.score)

    def _validated(self) -> dict[str, float]:
        if self._validation is None:
            return {}
        batch = self.config.batch
        images, targets = (whole_batches(array, batch) for array in self._validation)
        counted = (np.arange(len(images)) < len(self._validation[0])).astype(np.float32)
        images, targets, counted = map(backend.part_of_host, (images, targets, counted))
        found = self.model.evaluate(
            images,
            targets,
            batch // backend.hosts(),
            sample_weight=counted,
            verbose=0,
            return_dict=True,
        )
        names = {"error": "validation_loss", "accuracy": "accuracy"}
        return {name: found[key] for key, name in names.items() if key in found}

    def _add_row(self, step: int, loss: float, validated: Mapping[str, float] = _NOTHING) -> None:
        now, count = time.perf_counter(), step - self._row_step
        if self.session.log is not None:
            values = {
                "loss": loss,
                **self._row_of(loss),
                "learning_rate": self.config.rate(step),
                "images_per_s": count * self.config.batch / (now - self._row_began),
                **validated,
            }
            self.session.log.add(step, values)
        self._seconds += now - self._row_began
        self._mark_sum += count * loss
        self._row_step, self._row_began = step, now
        self.model.reset_metrics()  # the next row's mean begins here


class Progress(AfterStep):
    """Tells a caller how it goes; what the caller raises ends the training with a checkpoint.

    Args:
        session: Part of the run.
        on_step: Callback of the caller, called with a `TrainingStep`.
        record: Callback that saves the checkpoint.
    """

    def __init__(self, session: Session, on_step: OnStep, record: Record) -> None:
        super().__init__(session)
        self._on_step, self._record = on_step, record
        self._began, self._first, self._told = time.perf_counter(), session.done, 0.0

    def after(self, step: int, loss: float) -> None:
        """Tells, up to five times a second and whenever something is due."""
        now, steps = time.perf_counter(), self.config.steps
        speed = (step - self._first) / (now - self._began)
        if self._first == self.session.done:  # compilation is in the first step, and in no other
            self._began, self._first = now, step
        every = self.config.log_every, self.config.checkpoint_every
        due = any(self.session.is_due(step, number) for number in every)
        if not due and now - self._told < _TOLD_EVERY:
            return
        self._told = now
        try:
            self._on_step(
                TrainingStep(
                    stage=f"step {step} of {steps}",
                    fraction=step / steps,
                    step=step,
                    steps=steps,
                    loss=loss,
                    images_per_s=speed * self.config.batch,
                    seconds_left=(steps - step) / speed,
                )
            )
        except BaseException:
            if backend.hosts() == 1:  # the others would not join in the validation
                self._record.checkpoint(step, loss)
            raise
