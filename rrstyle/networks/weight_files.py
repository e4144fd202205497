"""Trained VGG16 weights that a user has, in place of random ones.

Nothing is fetched by default: weights come from a file, or from keras.applications when it is
asked for by name.
"""

import functools
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from rrstyle.networks.plan import VGG16

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
    # Every picture of a batch asks; a file that changed meanwhile is read again.
    state = path.stat()
    return _from_file(path, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=1)
def _from_file(path: Path, modified: int, size: int) -> TrainedVGG16:
    if not h5py.is_hdf5(path):
        raise ValueError(f"weights must be an HDF5 file of VGG16; {path.name!r} is none")
    try:
        with h5py.File(path, "r") as file:
            found = _convolutions(file)
            _check_shapes(path.name, [tuple(w.shape for w in layer) for layer in found])
            # Read only now: a file can announce arrays of any size.
            layers = [tuple(np.asarray(w, np.float32) for w in layer) for layer in found]
    except (OSError, RuntimeError, KeyError) as error:
        raise ValueError(f"weights file {path.name!r} is incomplete or damaged") from error
    if not all(np.isfinite(w).all() for layer in layers for w in layer):
        raise ValueError(f"weights file {path.name!r} has weights that are not finite")
    named = zip(VGG16.convolutions, layers, strict=True)
    return TrainedVGG16({c.name: (kernel, bias) for c, (kernel, bias) in named})


def _convolutions(file: h5py.File) -> list[tuple[h5py.Dataset, ...]]:
    """(kernel, bias), or what there is of them, of each convolution: in the natural order of
    the file's names."""
    found: dict[str, dict[int, h5py.Dataset]] = {}

    def visit(name: str, item) -> None:
        numbers = isinstance(item, h5py.Dataset) and item.dtype.kind == "f"
        if numbers and not name.startswith("optimizer"):
            found.setdefault(name.rpartition("/")[0], {})[item.ndim] = item

    file.visititems(visit)
    # A file with the top has dense matrices too: they are not 4-D.
    layers = [found[name] for name in sorted(found, key=_natural) if 4 in found[name]]
    return [tuple(layer[ndim] for ndim in (4, 1) if ndim in layer) for layer in layers]


def _check_shapes(name: str, found: list[tuple]) -> None:
    expected, inputs = [], 3
    for c in VGG16.convolutions:
        expected.append(((c.kernel, c.kernel, inputs, c.channels), (c.channels,)))
        inputs = c.channels
    for c, wanted, there in itertools.zip_longest(VGG16.convolutions, expected, found):
        if wanted != there:
            place = f", {c.name} of shapes {_listed(wanted)}" if c else ""
            raise ValueError(
                f"weights file {name!r} is not VGG16's: expected {len(expected)} convolutions"
                f"{place}; found {len(found)}, there {_listed(there)}"
            )


def _listed(shapes: tuple | None) -> str:
    return " and ".join(map(str, shapes)) if shapes else "none"


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
