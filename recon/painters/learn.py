"""A painter learns a painting; a run that was stopped, however it was, can be continued.

Reference: "Randomness in Deconvolutional Networks for Visual Representation", appendix A.4.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

import keras
import numpy as np

from recon.painters.config import LearnConfig
from recon.painters.losses import PaintingLoss, level_units
from recon.painters.targets import LearningImages, PaintedBatch
from recon.training.callbacks import NotFinite, Task
from recon.training.fit import Outcome, RunOptions, run_training
from recon.training.model import LEVELS, compiled, weights_in
from recon.training.run import checkpoints_of
from rrstyle.painters.network import painter_model
from rrstyle.painters.painter import save_painter
from rrstyle.pictures.images import check_sides, fit_within, resize
from rrstyle.pictures.sheets import contact_sheet

COLUMNS = ("step", "loss", "learning_rate", "validation_loss", "images_per_s")
_SOLVED_ON = 8  # pictures: the last layer of the DCN


def fitted_painting(painting: np.ndarray, config: LearnConfig) -> np.ndarray:
    """A painting (height, width, 3) in [0, 1] at the size that is learnt; ValueError if small."""
    size = fit_within(painting.shape[:2], config.side)
    for sides, when in (painting.shape[:2], ""), (size, f" at side {config.side}"):
        check_sides(sides, config.crop, "style", when, why="this crop")
    return resize(painting, size)


def learn(
    config: LearnConfig,
    images: LearningImages,
    painting: np.ndarray,
    out: Path,
    *,
    about: Mapping[str, Any],
    **options: Unpack[RunOptions],
) -> Outcome:
    """Trains a painter, or continues to; `rrstyle.painters.painter.load_painter` reads it.

    The painter of the best checkpoint is written at the end, also where the training was stopped
    or a loss is not finite.

    Args:
        config: Settings.
        images: Photographs, of `recon.painters.targets.open_pairs`.
        painting: What `fitted_painting` gave.
        out: Folder of the painter: that of `open_pairs`.
        about: JSON values for the painter's record: its style.
        options: See `recon.training.fit.RunOptions`.

    Raises:
        NotFinite: If a loss or a weight is not finite; the checkpoints before it are there.
        ValueError: If an argument is wrong, or `out` holds something else.
        OSError: If a file cannot be read or written.
    """
    if not images.ours:
        raise ValueError(
            f"validation must leave photographs to learn from; received {config.validation} of"
            f" {len(images.held_out)} photographs"
        )
    painted = [pair.painted / np.float32(255) for pair in images.ours[:_SOLVED_ON]]
    pictures = [*painted, painting]
    painter = painter_model(config.painter, images.tiles, pictures, seed=config.seed)
    photographs, wanted = images.samples

    def sheet(model: keras.Model) -> np.ndarray:
        found = np.clip(model.predict_on_batch(photographs), 0, 1)
        rows = photographs / np.float32(255), wanted[..., :3] / np.float32(255), found
        return contact_sheet([list(row) for row in rows])

    def target(batch: PaintedBatch) -> np.ndarray:
        return batch.wanted

    def begin() -> Task:
        pixels = keras.Input((None, None, 3), dtype="uint8", name="pixels")
        found = painter(keras.layers.Rescaling(1 / LEVELS)(pixels))
        loss = PaintingLoss(level_units(pictures), config.seed)
        return Task(
            compiled(keras.Model(pixels, found), config, loss, []),
            target=target,  # type: ignore[arg-type]
            columns=COLUMNS,
            row=lambda loss: {},
            validation=images.validation,
            sheet=(config.sample_every, sheet),
        )

    def save_best() -> None:
        best = checkpoints_of(out).best()
        if best is None:
            return
        for variable, value in zip(
            painter.trainable_variables, weights_in(best, config), strict=True
        ):
            variable.assign(value)
        seed = {"seed": config.seed, "side": config.side, "step": best.step}
        save_painter(out, painter, painting, {**about, **seed})

    try:
        outcome = run_training(config, images.source, out, begin, **options)
    except (NotFinite, KeyboardInterrupt):  # what has been learnt can be used
        save_best()
        raise
    save_best()
    return outcome
