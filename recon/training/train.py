"""Trains a DCN to invert a frozen CNN; a run that was stopped, however it was, can be continued.

Reference: "Randomness in Deconvolutional Networks for Visual Representation", section 3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from recon.training.config import TrainingConfig
from recon.training.log import COLUMNS
from recon.training.loop import Outcome, Source, check_pixels, run_training
from recon.training.run import checkpoints_of
from recon.training.step import State, Trainer, build_pair, mean_squared_error
from rrstyle import backend
from rrstyle.pictures.images import encode_png
from rrstyle.pictures.sheets import contact_sheet
from rrstyle.progress import OnStep, ignore

_RISEN = 2.0  # times the best checkpoint's loss: what a steady training does not end at


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

    `recon.training.run.load_run` reads what comes of it, at any time.

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
            check_pixels(name, images, (max(1, len(images)), config.crop, config.crop, 3))
    pair = build_pair(config, encoder_weights)

    def begin(state: State | None, shared: Any) -> _Inversion:
        trainer = Trainer(config, pair, state or State.start(pair.decoder), devices=shared)
        return _Inversion(config, trainer, samples, validation)

    outcome = run_training(
        config,
        source,
        out,
        begin,
        encoder_weights=encoder_weights,
        data=data,
        resume=resume,
        devices=devices,
        on_step=on_step,
    )
    return replace(outcome, notes=outcome.notes + _rise(outcome))


def _rise(outcome: Outcome) -> tuple[str, ...]:
    """A note where a DCN ends far above its best checkpoint: most likely the training diverged."""
    best = checkpoints_of(outcome.folder).best()
    if best is None or not 0 < _RISEN * best.score < outcome.score:
        return ()
    return (
        f"the loss at the end is {outcome.score / best.score:.3g} times that of the best"
        f" checkpoint, step {best.step}; a new run with a lower learning_rate should be steadier",
    )


@dataclass(frozen=True)
class _Inversion:
    """The training of a DCN, as the loop sees it."""

    config: TrainingConfig
    trainer: Trainer
    samples: np.ndarray | None
    validation: np.ndarray | None
    columns: tuple[str, ...] = COLUMNS

    @property
    def sample_every(self) -> int:
        return self.config.sample_every

    def step(self, batch: Any, number: int) -> Any:
        pixels = getattr(batch, "pixels", batch)
        check_pixels("source", pixels, (self.config.batch, *[self.config.crop] * 2, 3))
        return self.trainer.step(pixels, number)

    def number(self, loss: Any) -> float:
        return self.trainer.number(loss)

    def state(self) -> State:
        return self.trainer.state()

    def row(self, loss: float) -> dict[str, float]:
        return {"mse": mean_squared_error(self.config, loss)}

    def validate(self) -> dict[str, float]:
        if self.validation is None:
            return {}
        return {"validation_loss": float(self.trainer.losses(self.validation).mean())}

    def sheet(self) -> bytes | None:
        if self.samples is None:
            return None
        images = self.samples / np.float32(255)
        back = np.clip(self.trainer.reconstruct(self.samples), 0, 1)
        return encode_png(contact_sheet([list(images), list(back)]))
