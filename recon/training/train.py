"""Trains a DCN to invert a frozen CNN; a run that was stopped, however it was, can be continued.

Reference: "Randomness in Deconvolutional Networks for Visual Representation", section 3.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import keras
import numpy as np

from recon.training.callbacks import Task
from recon.training.config import TrainingConfig
from recon.training.fit import Outcome, RunOptions, Source, check_pixels, run_training
from recon.training.model import build_networks, inversion_model, mean_squared_error, reconstruct
from recon.training.run import checkpoints_of
from rrstyle import backend
from rrstyle.pictures.sheets import contact_sheet

COLUMNS = ("step", "loss", "mse", "learning_rate", "validation_loss", "images_per_s")
_RISEN = 2.0  # times the best checkpoint's loss: what a steady training does not end at


def train(
    config: TrainingConfig,
    source: Source,
    out: Path,
    *,
    encoder_weights: Sequence[np.ndarray] | None = None,
    samples: np.ndarray | None = None,
    validation: np.ndarray | None = None,
    **options: Unpack[RunOptions],
) -> Outcome:
    """Trains a DCN, or continues to; `recon.training.run.load_run` reads what has come of it.

    Args:
        config, source: Settings and images of the training.
        out: Folder of the run: new or empty, unless it is continued.
        encoder_weights: (Kernel, bias) by layer of a trained CNN, for images in [0, 1].
        samples, validation: uint8 images (n, crop, crop, 3), for the sheets of reconstructions and
            for the loss at every checkpoint.
        options: See `recon.training.fit.RunOptions`.

    Raises:
        NotFinite: If a loss or a weight is not finite; the checkpoints before it are there.
        ValueError: If an argument is wrong, or `out` holds something else.
        OSError: If a file cannot be read or written.
    """
    config = replace(config, precision=backend.resolve_precision(config.precision))
    for name, images in (("samples", samples), ("validation", validation)):
        if images is not None:
            check_pixels(name, images, (max(1, len(images)), config.crop, config.crop, 3))
    networks = build_networks(config, encoder_weights)

    def sheet(model: keras.Model) -> np.ndarray:
        assert samples is not None
        back = np.clip(reconstruct(model, samples, config.batch), 0, 1)
        return contact_sheet([list(samples / np.float32(255)), list(back)])

    def begin() -> Task:
        return Task(
            inversion_model(config, networks),
            target=lambda batch: batch.pixels,
            columns=COLUMNS,
            row=lambda loss: {"mse": mean_squared_error(config, loss)},
            validation=None if validation is None else (validation, validation),
            sheet=None if samples is None else (config.sample_every, sheet),
        )

    outcome = run_training(config, source, out, begin, encoder_weights=encoder_weights, **options)
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
