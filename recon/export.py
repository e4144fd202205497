"""A TensorFlow SavedModel of a trained CNN and DCN, for use without this package.

Endpoints, also signatures of these names. Images are uint8 (height, width, 3) of any sizes,
without a batch axis, as in `rrstyle.export.saved_model`.

- `reconstruct(image)` -> image of the same size; also the default signature;
- `reconstruct_bytes(image_bytes)` -> the same of an encoded picture, as PNG in a dictionary under
  `image_bytes`: see `rrstyle.export.bytes`;
- `encode(image)` -> features, float32 (rows, columns, n);
- `decode(features, size)` -> image of that size, int32 (height, width); the features' rows and
  columns must be height and width over the CNN's strides, rounded up.

A signature's result is named `output_0`. Invalid inputs raise an InvalidArgumentError.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from recon.reconstruction import reconstruct_trained
from rrstyle import backend
from rrstyle.export import graph
from rrstyle.export.bytes import BYTES, png_result, unit_from_bytes
from rrstyle.export.saved_model import Endpoint, write_saved_model
from rrstyle.networks.pair import CnnDcn
from rrstyle.networks.plan import plan_of
from rrstyle.pictures.images import to_uint8


def export_trained(directory: str | os.PathLike, pair: CnnDcn, *, overwrite: bool = False) -> Path:
    """Write a SavedModel that reconstructs pictures as the networks do; see the module for its use.

    It is written whole or not at all, after it was loaded and compared with the networks.

    The networks are as `recon.training.run.load_run` gives them. `directory` is returned; its
    parent must exist, and itself only with `overwrite`, if it is a SavedModel.

    Raises:
        ValueError: If the backend is not TensorFlow.
        OSError: If the directory exists, or cannot be written.
    """
    plan = plan_of(pair.config)
    least = plan.minimum_side
    cnn, dcn = map(graph.in_graph, (pair.encoder, pair.decoder))
    networks = _Graph(cnn, dcn, plan.reduction, least)
    features = tf.TensorSpec((None, None, plan.features), tf.float32)
    endpoints: dict[str, Endpoint] = {
        "reconstruct": (networks.reconstruct, [graph.IMAGE]),  # the first is the default
        "reconstruct_bytes": (networks.reconstruct_bytes, [BYTES]),
        "encode": (networks.encode, [graph.IMAGE]),
        "decode": (networks.decode, [features, tf.TensorSpec((2,), tf.int32)]),
    }

    def compare(loaded: Any) -> None:
        side = max(least, 16)
        shape = side, side + 1, 3
        image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        ours = to_uint8(reconstruct_trained(image, pair))
        graph.check_same_pixels(ours, loaded.reconstruct(image).numpy())

    record = {**pair.about, "versions": backend.computing()}
    return write_saved_model(directory, endpoints, record, compare, overwrite=overwrite)


@dataclass(frozen=True)
class _Graph:
    """The endpoints, as functions of networks whose weights are variables."""

    cnn: Callable[[Any], Any]
    dcn: Callable[[Any], Any]
    step: int
    least: int

    def encode(self, image):
        return self.cnn(graph.unit_image(image, self.least)[None])[0]

    def decode(self, features, size):
        rule = f"size must be at least {self.least} pixels a side; received"
        size = graph.require(ops.min(size) >= self.least, rule, size, size)
        fits = ops.all(ops.shape(features)[:2] == (size + self.step - 1) // self.step)
        rule = "features must have the rows and columns of a picture of that size; received"
        features = graph.require(fits, rule, size, features)
        return self._decoded(features, ops.zeros((1, size[0], size[1], 1)))

    def reconstruct(self, image):
        return self._reconstructed(graph.unit_image(image, self.least))

    def reconstruct_bytes(self, image_bytes):
        unit = graph.sized(unit_from_bytes(image_bytes, argument="image"), self.least)
        return png_result(self._reconstructed(unit))

    def _reconstructed(self, unit):
        return self._decoded(self.cnn(unit[None])[0], unit[None])

    def _decoded(self, features, reference):
        return graph.rounded(self.dcn([features[None], reference])[0])
