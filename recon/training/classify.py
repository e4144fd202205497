"""Trains a CNN as a classifier of pictures in class folders: a trained encoder of one's own.

The features of the last convolution, after its activation, are averaged over the picture, and a
dense layer turns the averages into one score a class. The loss is cross-entropy, the optimizer
that of `recon.training.train`.

There is no batch normalisation, so that what is trained is the plain CNN whose features are to be
inverted. Instead its weights start standardised: see `recon.training.model.standardise`.
"""

from dataclasses import replace
from pathlib import Path
from typing import Unpack

import numpy as np

from recon.data.batches import Batch
from recon.training.callbacks import Task
from recon.training.config import ClassifierConfig
from recon.training.fit import Outcome, RunOptions, Source, run_training
from recon.training.model import LEVELS, check_crop, classifier_model, standardise, weights_in
from recon.training.run import CLASSIFIER, RunFolder
from rrstyle import backend
from rrstyle.networks.build import build_cnn
from rrstyle.networks.weight_files import write_weights

COLUMNS = ("step", "loss", "learning_rate", "validation_loss", "accuracy", "images_per_s")


def classify(
    config: ClassifierConfig,
    source: Source,
    out: Path,
    *,
    classes: int,
    validation: Batch | None = None,
    **options: Unpack[RunOptions],
) -> Outcome:
    """Trains a classifier, or continues to, and writes the convolutions of its best checkpoint.

    Arguments and errors are those of `recon.training.train.train`; batches have labels, of two or
    more classes. classifier.npz in the run's folder will be a file for `load_weights`.
    """
    if classes < 2:
        raise ValueError(f"images must be of two classes at least; received {classes}")
    config = replace(config, precision=backend.resolve_precision(config.precision))
    check_crop(config)
    cnn = build_cnn(config.network, seed=config.seed)
    standardise(cnn, source[0].pixels / np.float32(LEVELS))

    def labels(batch: Batch) -> np.ndarray:
        assert batch.labels is not None
        return batch.labels

    def begin() -> Task:
        return Task(
            classifier_model(config, cnn, classes),
            target=labels,
            columns=COLUMNS,
            row=lambda loss: {},
            validation=(validation.pixels, labels(validation)) if validation else None,
        )

    options["data"] = {**options.get("data", {}), "classes": classes}
    outcome = run_training(config, source, out, begin, **options)
    best = RunFolder(out).checkpoints.best() if backend.is_first_host() else None
    if best is not None:
        write_weights(out / CLASSIFIER, config.network, weights_in(best, config)[:-2])
    return outcome
