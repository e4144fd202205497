"""A painter for use without this package: a TensorFlow SavedModel, or an ONNX model.

The SavedModel has two endpoints, also signatures of these names. Images are uint8 (height, width,
3) of any sizes from 8 pixels a side, without a batch axis, since each is recoloured for itself;
`strength` is a float32 scalar from 0, the photograph, to 1.

- `paint(image, strength)` -> image of the same size; also the default signature;
- `paint_bytes(image_bytes, strength)` -> the same of an encoded picture, as PNG in a dictionary
  under `image_bytes`: see `rrstyle.export.bytes`.

A signature's result is named `output_0`. Invalid inputs raise an InvalidArgumentError. The ONNX
model has the inputs `image` and `strength` and the output `picture`.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from rrstyle import backend
from rrstyle.durable import write_whole
from rrstyle.export import graph
from rrstyle.export.bytes import BYTES, png_result, unit_from_bytes
from rrstyle.export.onnx import check_onnx_target, converted, open_session
from rrstyle.export.saved_model import Endpoint, write_saved_model
from rrstyle.painters.network import LEAST_SIDE
from rrstyle.painters.painter import Painter, painted_in
from rrstyle.pictures.images import to_uint8
from rrstyle.transfer.closed_form import Gaussian
from rrstyle.transfer.colours import part_way

_STRENGTH = tf.TensorSpec((), tf.float32, "strength")
_TRIED = 0.5  # strength at which a model is compared with the painter


def export_painter(
    target: str | os.PathLike, painter: Painter, *, format: str, overwrite: bool = False
) -> Path:
    """Writes a model that gives the painter's pixels; see the module for its use.

    It is written whole or not at all, and only after it was run and compared with the painter.

    Args:
        target: Folder, or file for ONNX, to write; its parent must exist.
        format: savedmodel or onnx.
        overwrite: Permission to replace a model that is there.

    Raises:
        ValueError: If the backend is not TensorFlow, or the extra `onnx` is not installed for it.
        OSError: If the target exists, or cannot be written.
    """
    graph.check_backend()
    record = {"digest": painter.digest, **painter.about, "versions": backend.computing()}
    ours = _Graph(_in_graph(painter), painter.palette)
    if format == "onnx":
        check_onnx_target(target, overwrite)
        specs = [tf.TensorSpec(graph.IMAGE.shape, graph.IMAGE.dtype, "image"), _STRENGTH]
        data = converted(ours.paint, specs, record)
        session = open_session(data)

        def run(image: np.ndarray, strength: np.ndarray) -> np.ndarray:
            return session.run(None, {"image": image, "strength": strength})[0]

        _compare(run, painter)
        write_whole(target, data, overwrite=overwrite)
        return Path(target)
    endpoints: dict[str, Endpoint] = {
        "paint": (ours.paint, [graph.IMAGE, _STRENGTH]),  # the first is the default
        "paint_bytes": (ours.paint_bytes, [BYTES, _STRENGTH]),
    }

    def compare(loaded: Any) -> None:
        _compare(lambda *inputs: loaded.paint(*inputs).numpy(), painter)

    return write_saved_model(target, endpoints, record, compare, overwrite=overwrite)


@dataclass(frozen=True)
class _Graph:
    """The endpoints, as functions of tensors."""

    model: Callable[[Any], Any]
    palette: Gaussian

    def paint(self, image, strength):
        return self._painted(graph.unit_image(image, LEAST_SIDE), strength)

    def paint_bytes(self, image_bytes, strength):
        unit = graph.sized(unit_from_bytes(image_bytes, argument="image"), LEAST_SIDE)
        return png_result(self._painted(unit, strength))

    def _painted(self, unit, strength):
        strength = graph.checked_strength(strength)
        painted, _ = painted_in(self.palette, lambda image: self.model(image[None])[0], unit)
        return graph.rounded(part_way(unit, painted, ops.cast(strength, "float64")))


def _in_graph(painter: Painter) -> Callable[[Any], Any]:
    """The model as a function inside a graph, its weights as variables beside it."""
    groups = painter.model.trainable_variables, painter.model.non_trainable_variables
    weights = [[tf.Variable(v.numpy(), trainable=False) for v in group] for group in groups]
    return lambda images: painter.model.stateless_call(*weights, images)[0]


def _compare(run: Callable[[np.ndarray, np.ndarray], np.ndarray], painter: Painter) -> None:
    """Compares a small picture of an exported model with the painter's; RuntimeError if other."""
    image = np.random.default_rng(0).integers(0, 256, (LEAST_SIDE + 9, 21, 3), np.uint8)
    ours = to_uint8(painter.paint(image, strength=_TRIED))
    graph.check_same_pixels(ours, run(image, np.array(_TRIED, np.float32)))
