"""The pictures of a folder as a training takes them: to train on, held out, shown."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recon.data.batches import Batch, Batches, fixed_batch
from recon.data.index import ImageIndex, scan, split, write_report
from recon.training.config import Schedule
from recon.training.run import BAD_PICTURES, PICTURES
from rrstyle.progress import OnStep, ignore

SAMPLES = 8
VALIDATED = 256  # pictures at most, of those held out: their loss is taken at every checkpoint


@dataclass(frozen=True)
class TrainingImages:
    """What `recon.training.train.train` wants to know of a folder of pictures."""

    index: ImageIndex  # of all pictures
    trained_on: int  # number of pictures; the others are held out
    source: Batches
    samples: np.ndarray  # uint8 (at most 8, crop, crop, 3), held out if any are
    validation: Batch | None  # of those held out, if any are
    data: dict[str, Any]  # plain JSON values that name the pictures in the record of a run

    def report_bad(self, out: Path) -> int:
        """Writes bad-pictures.csv into a run's folder, if a file is bad; how many are known."""
        write_report(self.index, out / BAD_PICTURES, later=self.source.bad)
        return len({name for name, _ in (*self.index.bad, *self.source.bad)})


def open_images(
    folder: Path,
    config: Schedule,
    out: Path,
    *,
    validated: int = VALIDATED,
    on_step: OnStep = ignore,
) -> TrainingImages:
    """Scans a folder of pictures, and divides them; `out`, the run's, keeps what was found.

    A picture smaller than the crop is enlarged; at most `validated` of those held out serve for
    validation.

    Raises:
        ValueError: If there is no such folder, no picture in it, or none to hold out.
        OSError: If a file cannot be written.
    """
    new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    try:
        index = scan(folder, cache=out / PICTURES, on_step=on_step, argument="images")
        ours, held_out = _divided(index, config.validation)
        shown = fixed_batch(held_out or ours, SAMPLES, config.crop, fewer=True).pixels
        validation = None
        if held_out is not None:
            validation = fixed_batch(held_out, validated, config.crop, fewer=True)
    except BaseException:
        if new:
            shutil.rmtree(out, ignore_errors=True)
        raise
    return TrainingImages(
        index,
        len(ours.names),
        Batches(ours, batch=config.batch, crop=config.crop, seed=config.seed),
        shown,
        validation,
        {"images": f"{len(index.names)} pictures, SHA-256 of names {index.digest[:16]}"},
    )


def _divided(index: ImageIndex, share: float) -> tuple[ImageIndex, ImageIndex | None]:
    if share == 0:
        return index, None
    try:
        return split(index, share)
    except ValueError as error:
        raise ValueError(
            f"validation must leave pictures to train on and to hold out, or be 0; received {share}"
            f" of {len(index.names)} pictures"
        ) from error
