"""Trained VGG16 weights that a user has, in place of random ones.

Nothing is fetched by default: weights come from a file, or from keras.applications when it is
asked for by name.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from rrstyle.architectures import VGG16

# What keras.applications' VGG16 subtracts from BGR images in 0..255 (the ImageNet means).
_BGR_MEANS = np.array([103.939, 116.779, 123.68])


@dataclass(frozen=True)
class TrainedVGG16:
    """The thirteen convolutions of a trained VGG16, (kernel, bias) by name."""

    layers: dict[str, tuple[np.ndarray, np.ndarray]]

    def encoder(self, layer: str) -> tuple:
        """Weights of the CNN up to `layer`, for RGB images in [0, 1].

        The scaling to 0..255, the exchange of colour channels and the subtraction of the means
        are folded into the first convolution: exact with reflect padding.
        """
        kernel, bias = self.layers["conv1_1"]
        shift = np.einsum("hwio,i->o", kernel, _BGR_MEANS)
        first = (255 * kernel[:, :, ::-1]).astype(np.float32), (bias - shift).astype(np.float32)
        rest = (self.layers[c.name] for c in VGG16.up_to(layer)[1:])
        return tuple(weight for pair in (first, *rest) for weight in pair)

    def transfer(self) -> tuple:
        """Weights of the `vgg` statistics network, conv2_1 to conv5_1."""
        plan = [c for c in VGG16.up_to("conv5_1") if c.block >= 2]
        return tuple(weight for c in plan for weight in self.layers[c.name])


def load_vgg16(source: str) -> TrainedVGG16:
    """Trained VGG16 weights.

    Args:
        source: An HDF5 file as keras.applications' VGG16 has it, with or without its top (its
            .h5 downloads, or `save_weights` of such a model); or "imagenet", to let
            keras.applications find them, which downloads them if they are not in its cache.

    Raises:
        ValueError: If the file is missing, is no HDF5, or holds another network.
    """
    if source == "imagenet":
        return _from_keras_applications()
    path = Path(source)
    if not path.is_file():
        raise ValueError(f"weights must be an existing file or imagenet; received {source!r}")
    if not h5py.is_hdf5(path):
        raise ValueError(f"weights must be an HDF5 file of VGG16; {path.name!r} is none")
    try:
        kernels, biases = _arrays(path)
    except (OSError, RuntimeError, KeyError) as error:
        raise ValueError(f"weights file {path.name!r} is incomplete or damaged") from error
    expected = _expected_shapes()
    # A file with the top has dense matrices after the convolutions: they are not 4-D.
    if [k.shape for k in kernels] != expected or len(biases) < len(expected):
        found = ", ".join(map(str, (k.shape for k in kernels[:3]))) or "none"
        raise ValueError(
            f"weights file {path.name!r} is not VGG16's: expected {len(expected)} kernels of "
            f"shapes {', '.join(map(str, expected[:3]))}, ...; found {len(kernels)}: {found}"
        )
    pairs = list(zip(kernels, biases[: len(kernels)], strict=True))
    return TrainedVGG16({c.name: pair for c, pair in zip(VGG16.convolutions, pairs, strict=True)})


def _expected_shapes() -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = []
    inputs = 3
    for c in VGG16.convolutions:
        shapes.append((c.kernel, c.kernel, inputs, c.channels))
        inputs = c.channels
    return shapes


def _arrays(path: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Convolution kernels and their biases, by the natural order of the file's names."""
    found: dict[str, dict[int, np.ndarray]] = {}

    def visit(name: str, item) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer"):
            layer = name.rsplit("/", 1)[0]
            found.setdefault(layer, {})[item.ndim] = np.asarray(item, np.float32)

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    layers = [found[name] for name in sorted(found, key=_natural) if 4 in found[name]]
    for layer in layers:
        if not all(np.isfinite(a).all() for a in layer.values()):
            raise ValueError(f"weights file {path.name!r} has weights that are not finite")
    return [a[4] for a in layers], [a[1] for a in layers if 1 in a]


def _natural(name: str) -> list[tuple[int, str]]:
    # conv2d, conv2d_1, ..., conv2d_10; block1_conv1, ...
    return [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"(\d+)", name)]


def _from_keras_applications() -> TrainedVGG16:
    import keras

    try:
        model = keras.applications.VGG16(weights="imagenet", include_top=False)
    except Exception as error:  # keras wraps every failure of a download in a bare Exception
        raise ValueError(
            "weights imagenet could not be had from keras.applications; give a file instead"
        ) from error
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    arrays = [[np.asarray(w) for w in layer.get_weights()] for layer in convolutions]
    named = zip(VGG16.convolutions, arrays, strict=True)
    return TrainedVGG16({c.name: (kernel, bias) for c, (kernel, bias) in named})
