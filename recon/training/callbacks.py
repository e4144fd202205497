"""What happens after each step of a run: checks, sheets, rows, checkpoints, progress."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from recon.data.batches import Batch
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


class NotFinite(ValueError):
    """A loss or a weight became infinite or no number."""


@dataclass(frozen=True)
class TrainingStep(Step):
    """Where a training is."""

    step: int  # done, of `steps`
    steps: int
    loss: float  # mean of the batches since the last row of the log
    images_per_s: float  # since the first step of this process
    seconds_left: float  # at that speed


@dataclass(frozen=True)
class Task:
    """What is trained."""

    model: keras.Model  # compiled, of `recon.training.model`
    target: Callable[[Batch], np.ndarray]  # what the model's loss compares its result with
    columns: tuple[str, ...]  # of the log
    row: Callable[[float], Mapping[str, float]]  # from the mean loss to further columns
    validation: tuple[np.ndarray, np.ndarray] | None  # uint8 images, targets: for checkpoints
    # Number of steps between two sheets of reconstructions, and function to one, float32
    # (height, width, 3) in [0, 1].
    sheet: tuple[int, Callable[[keras.Model], np.ndarray]] | None = None


class AfterStep(keras.callbacks.Callback):
    """Acts after each step of one process' part of a run; an error ends the training there.

    Keras gives it the mean loss of the batches since the last row of the log: `error` of the model,
    or else its whole loss. `log` is None where this process writes no files. Earlier calls took
    `done` steps, in `seconds`.
    """

    def __init__(
        self,
        task: Task,
        config: Schedule,
        run: RunFolder,
        log: TrainingLog | None,
        on_step: OnStep,
        *,
        done: int,
        seconds: float,
    ) -> None:
        super().__init__()
        # Of the last checkpoint: validation loss, or the mean training loss since the one before.
        self.score = math.inf
        self._task, self._config, self._run, self._log = task, config, run, log
        self._on_step, self._done, self._seconds = on_step, done, seconds
        self._row_step = self._mark_step = self._saved = done
        self._mark_sum = 0.0  # of the losses between the last checkpoint and the last row
        self._first, self._told = done, 0.0  # start of the speed, and when it was reported
        self._began = self._row_began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Keras' hook; `batch` counts from 0 in every `fit`."""
        step, loss = self._done + batch + 1, logs.get("error", logs["loss"])
        self.check(step, loss)
        self.draw(step)
        if self._is_due(step, self._config.checkpoint_every):
            self.save(step, loss)
        elif self._is_due(step, self._config.log_every):
            self._add_row(step, loss)
        self.tell(step, loss)

    def check(self, step: int, loss: float) -> None:
        """Ends the training at a loss that is not finite."""
        if not math.isfinite(loss):
            raise self._not_finite(f"loss is {loss} at step {step}")

    def draw(self, step: int) -> None:
        """Writes a sheet of reconstructions if one is due."""
        if self._task.sheet is None or not self._is_due(step, self._task.sheet[0]):
            return
        sheet = self._task.sheet[1](self.model)  # by all hosts: they compute it together
        if self._log is not None:
            folder = self._run.folder / "samples"
            folder.mkdir(exist_ok=True)
            write_whole(folder / f"step-{step:08d}.png", encode_png(sheet), overwrite=True)
            self._log.add_picture(step, "samples", np.rint(255 * sheet).astype(np.uint8))

    def save(self, step: int, loss: float) -> None:
        """Writes a row and a checkpoint, unless there is one of this step already."""
        if step == self._saved:
            return
        arrays = state_of(self.model)
        wrong = [name for name, array in arrays.items() if not np.isfinite(array).all()]
        if wrong:
            raise self._not_finite(f"{wrong[0]} is not finite after step {step}")
        total = self._mark_sum + (step - self._row_step) * loss
        validated = self._validated()
        self.score = validated.get("validation_loss", total / (step - self._mark_step))
        if step > self._row_step:  # a stop may follow a row
            self._add_row(step, loss, validated)
        self._mark_sum, self._mark_step, self._saved = 0.0, step, step
        if self._log is not None:
            self._log.sync()  # first: a checkpoint's log is to be as long as it
            content = {
                "config": to_dict(self._config),
                "seconds": self._seconds,
                "validated": validated,
                "versions": backend.versions(),
            }
            self._run.checkpoints.save(step, arrays, content, score=self.score)

    def tell(self, step: int, loss: float) -> None:
        """Tells the caller, up to five times a second and whenever a row or a checkpoint is due.

        What the caller raises ends the training, on a single host with a checkpoint.
        """
        now, config = time.perf_counter(), self._config
        speed = (step - self._first) / (now - self._began)
        if self._first == self._done:  # compilation is in the first step, and in no other
            self._began, self._first = now, step
        due = self._is_due(step, config.log_every) or self._is_due(step, config.checkpoint_every)
        if not due and now - self._told < _TOLD_EVERY:
            return
        self._told = now
        told = TrainingStep(
            stage=f"step {step} of {config.steps}",
            fraction=step / config.steps,
            step=step,
            steps=config.steps,
            loss=loss,
            images_per_s=speed * config.batch,
            seconds_left=(config.steps - step) / speed,
        )
        try:
            self._on_step(told)
        except BaseException:
            if backend.hosts() == 1:  # the others would not join in the validation
                self.save(step, loss)
            raise

    def _is_due(self, step: int, every: int) -> bool:
        return step % every == 0 or step == self._config.steps

    def _not_finite(self, what: str) -> NotFinite:
        lower = self._config.learning_rate / 3
        advice = f"start a new run with a lower learning_rate, such as {lower:.1g}"
        return NotFinite(f"{what}; {self._run.last_good()}; {advice}")

    def _validated(self) -> dict[str, float]:
        if self._task.validation is None:
            return {}
        batch, count = self._config.batch, len(self._task.validation[0])
        images, targets = (whole_batches(array, batch) for array in self._task.validation)
        counted = (np.arange(len(images)) < count).astype(np.float32)
        images, targets, counted = map(backend.part_of_host, (images, targets, counted))
        options = {"sample_weight": counted, "verbose": 0, "return_dict": True}
        found = self.model.evaluate(images, targets, batch // backend.hosts(), **options)
        rest = {"accuracy": found["accuracy"]} if "accuracy" in found else {}
        return {"validation_loss": found.get("error", found["loss"]), **rest}

    def _add_row(
        self, step: int, loss: float, validated: Mapping[str, float] | None = None
    ) -> None:
        now, count = time.perf_counter(), step - self._row_step
        if self._log is not None:
            values = {
                "loss": loss,
                **self._task.row(loss),
                "learning_rate": self._config.rate(step),
                "images_per_s": count * self._config.batch / (now - self._row_began),
                **(validated or {}),
            }
            self._log.add(step, values)
        self._seconds += now - self._row_began
        self._mark_sum += count * loss
        self._row_step, self._row_began = step, now
        self.model.reset_metrics()  # the next row's mean begins here
