"""Trains a CNN as a classifier of pictures in class folders: a trained encoder of one's own.

The features of the last convolution, after its activation, are averaged over the picture, and a
dense layer turns the averages into one score a class. The loss is cross-entropy, the optimizer
that of `recon.training.train`.

There is no batch normalisation, so that what is trained is the plain CNN whose features are to be
inverted. Instead its weights start standardised: see `standardised`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from recon.data.batches import Batch
from recon.training.config import ClassifierConfig
from recon.training.loop import Outcome, Source, check_pixels, run_training
from recon.training.run import CLASSIFIER, RunFolder
from recon.training.step import State, Steps, computing_in, unit_images
from rrstyle import backend
from rrstyle.networks.build import SharedNetwork, cnn_network, convolutions, minimum_side
from rrstyle.networks.laws import ENCODER, layer_rng
from rrstyle.networks.weight_files import write_weights
from rrstyle.progress import OnStep, ignore

COLUMNS = ("step", "loss", "learning_rate", "validation_loss", "accuracy", "images_per_s")


def classify(
    config: ClassifierConfig,
    source: Source,
    out: Path,
    *,
    classes: int,
    data: Mapping[str, Any],
    resume: bool = False,
    devices: int | None = 1,
    validation: Batch | None = None,
    on_step: OnStep = ignore,
) -> Outcome:
    """Trains a classifier, or continues to, and writes the convolutions of its best checkpoint.

    Args:
        config: Its settings.
        source: Of batches with labels.
        out: Folder of the run: new or empty, unless it is continued. classifier.npz in it is a
            file for `load_weights`.
        classes: How many, at least 2.
        data: Plain JSON values that name the images; a continued run must have the same.
        resume: Continue the run in `out`, if there is one.
        devices: That share every batch: how many, or None for all.
        validation: Pictures with labels whose loss and accuracy are taken at every checkpoint.
        on_step: As for `recon.training.train.train`.

    Raises:
        NotFinite: If a loss or a weight is not finite; the checkpoints before it are there.
        ValueError: If an argument is wrong, or `out` holds something else.
        OSError: If a file cannot be read or written.
    """
    if classes < 2:
        raise ValueError(f"images must be of two classes at least; received {classes}")
    config = replace(config, precision=backend.resolve_precision(config.precision))
    if config.crop < minimum_side(config.network):
        raise ValueError(
            f"crop must be at least {minimum_side(config.network)} for this network;"
            f" received {config.crop}"
        )
    cnn = cnn_network(config.network, seed=config.seed)

    def begin(state: State | None, shared: Any) -> _Classification:
        if state is None:
            first = next(source.batches(0))
            kernels = standardised(cnn, first.pixels)
            state = State.start((*kernels, *_head(cnn, classes, config.seed)))
        return _Classification(config, _Steps(config, cnn, state, devices=shared), validation)

    outcome = run_training(
        config,
        source,
        out,
        begin,
        data={**data, "classes": classes},
        resume=resume,
        devices=devices,
        on_step=on_step,
    )
    best = RunFolder(out).checkpoints.best() if backend.is_first_host() else None
    if best is not None:
        weights = State.of_arrays(best.arrays).weights
        write_weights(out / CLASSIFIER, config.network, weights[:-2])
    return outcome


def standardised(cnn: SharedNetwork, pixels: np.ndarray) -> tuple[np.ndarray, ...]:
    """Weights of a random CNN, scaled and shifted to the images it is to be trained on.

    After each convolution, before its activation, every channel has mean 0 and variance 1 over
    these images. Pictures lie close together in [0, 1], and random layers with biases of zero
    bring them closer: thirteen of them leave almost nothing to tell one class from another by.

    Args:
        cnn: With random weights.
        pixels: uint8 images (batch, height, width, 3).

    Reference: Krähenbühl et al., "Data-dependent Initializations of Convolutional Neural
    Networks", 2016; Mishkin and Matas, "All you need is a good init", 2016.
    """
    images = unit_images(pixels)
    weights: list[np.ndarray] = []
    for position, layer in enumerate(convolutions(cnn.model)):
        kernel, bias = cnn.weights[2 * position : 2 * position + 2]
        before = keras.Model(cnn.model.input, layer.output)
        outputs, _ = before.stateless_call([*weights, kernel, bias], [], images)
        outputs = np.asarray(ops.convert_to_numpy(outputs), np.float64)
        mean, std = outputs.mean(axis=(0, 1, 2)), outputs.std(axis=(0, 1, 2)) + 1e-6
        weights += [(kernel / std).astype(np.float32), (-mean / std).astype(np.float32)]
    return tuple(weights)


def _head(cnn: SharedNetwork, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The dense layer at step 0: variance 1 / inputs, no ReLU follows it."""
    inputs = cnn.model.output_shape[-1]
    kernel = layer_rng(seed, ENCODER, len(cnn.weights)).normal(0, inputs**-0.5, (inputs, classes))
    return kernel.astype(np.float32), np.zeros(classes, np.float32)


class _Steps(Steps):
    """The steps of a classifier: its weights are the CNN's, and the dense layer's last."""

    def __init__(
        self, config: ClassifierConfig, cnn: SharedNetwork, state: State, *, devices: Any
    ) -> None:
        self._cnn = computing_in(config.precision, cnn.model)
        super().__init__(config, state, (), devices=devices)

    def loss(self, weights: Sequence, fixed: Sequence, *batch: Any) -> Any:
        """Cross-entropy."""
        pixels, labels = batch
        scores = self.output(weights, fixed, pixels)
        return ops.sum(ops.sparse_categorical_crossentropy(labels, scores, from_logits=True))

    def output(self, weights: Sequence, fixed: Sequence, pixels: Any) -> Any:
        """Scores (batch, classes), before the softmax."""
        *convolutions, kernel, bias = weights
        features, _ = self._cnn.stateless_call(convolutions, [], unit_images(pixels))
        means = ops.mean(ops.cast(features, "float32"), axis=(1, 2))
        return ops.matmul(means, kernel) + bias


@dataclass(frozen=True)
class _Classification:
    """The training of a classifier, as the loop sees it."""

    config: ClassifierConfig
    steps: _Steps
    validation: Batch | None
    columns: tuple[str, ...] = COLUMNS
    sample_every: None = None

    def step(self, batch: Any, number: int) -> Any:
        check_pixels("source", batch.pixels, (self.config.batch, *[self.config.crop] * 2, 3))
        return self.steps.step_on((batch.pixels, batch.labels), number)

    def number(self, loss: Any) -> float:
        return self.steps.number(loss)

    def state(self) -> State:
        return self.steps.state()

    def row(self, loss: float) -> dict[str, float]:
        return {}

    def validate(self) -> dict[str, float]:
        if self.validation is None or self.validation.labels is None:
            return {}
        scores, labels = self.steps.outputs(self.validation.pixels), self.validation.labels
        own = scores[np.arange(len(labels)), labels]
        highest = scores.max(axis=1)
        # log sum exp, with the highest taken out for its range
        totals = highest + np.log(np.exp(scores - highest[:, None]).sum(axis=1))
        return {
            "validation_loss": float(np.mean(totals - own, dtype=np.float64)),
            "accuracy": float(np.mean(scores.argmax(axis=1) == labels)),
        }

    def sheet(self) -> None:
        return None
