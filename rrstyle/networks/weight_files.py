"""Trained weights of a CNN, in place of random ones.

Nothing is downloaded unless the word `imagenet` is typed: then keras.applications takes VGG16 from
its cache or downloads it.

The file that `rrstyle classify` writes is an .npz archive: `conv1_1_kernel`, `conv1_1_bias`, ...
and `about`, a JSON text with `format`, `layer` and the settings that the weights are tied to.
"""

import functools
import hashlib
import io
import itertools
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np

from rrstyle.config import NetworkConfig, from_dict, to_dict
from rrstyle.durable import write_whole
from rrstyle.networks.plan import ARCHITECTURES, VGG16, kernel_shapes, plan_of

RANDOM, IMAGENET = "random", "imagenet"
_FORMAT = 1
# Settings that the weights of a classifier are tied to; VGG16's leave the kind of pooling free.
_TIED = ("architecture", "channels", "kernel", "padding", "pooling", "encoder_activation")
# What keras.applications' VGG16 subtracts from BGR images in 0..255 (the ImageNet means).
_BGR_MEANS = np.array([103.939, 116.779, 123.68])


@dataclass(frozen=True)
class CnnWeights:
    """Weights of a CNN up to a layer, and the plan that they fit.

    Attributes:
        name: "random", "imagenet" or the name of the file, never a path.
        network: Plan of the CNN; `layer` is the last one of the weights.
        weights: Kernel and bias of each convolution in turn, float32, for images in [0, 1]; None
            where they are random, to be drawn by the law of `network`.
        tied: Names of the settings of `network` that the weights fix.
    """

    name: str
    network: NetworkConfig
    weights: tuple[np.ndarray, ...] | None
    tied: tuple[str, ...] = _TIED

    @property
    def architecture(self) -> str:
        """ "vgg16" or "alexnet"."""
        return self.network.architecture

    @property
    def layers(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """(kernel, bias) by the name of the convolution, data to features."""
        weights = self.weights or ()
        names = _names(self.network)[: len(weights) // 2]
        return dict(zip(names, zip(weights[::2], weights[1::2], strict=True), strict=True))

    @property
    def sha256(self) -> str:
        """Digest of all weights, independent of the file format."""
        return weights_digest(self.weights or ())

    def kernel(self, layer: str) -> np.ndarray:
        """Kernel of a convolution, or ValueError where the weights end before it."""
        if layer not in self.layers:
            raise ValueError(f"encoder must have {layer}; received {self.name!r}, which has not")
        return self.layers[layer][0]

    def up_to(self, network: NetworkConfig) -> "CnnWeights":
        """The weights of a plan: up to its layer, its settings replaced by those that are tied.

        Raises:
            ValueError: If it has another architecture, or a layer that the weights lack.
        """
        if self.weights is None:
            return replace(self, network=network)
        if network.architecture != self.architecture:
            raise ValueError(
                f"architecture must be {self.architecture}, that of encoder {self.name!r};"
                f" received {network.architecture}"
            )
        fixed = replace(network, **{key: getattr(self.network, key) for key in self.tied})
        names, found = _names(fixed), _names(self.network)
        if len(names) > len(found):
            raise ValueError(
                f"layer must be one that {self.name!r} has, to {found[-1]};"
                f" received {network.layer!r}"
            )
        return replace(self, network=fixed, weights=self.weights[: 2 * len(names)])

    def above(self, network: NetworkConfig, last: str) -> tuple[np.ndarray, ...]:
        """Weights of the `vgg` statistics network: the layers after those of `network`, to `last`.

        Raises:
            ValueError: If they are not VGG16's, end before `last`, or take other features.
        """
        ours = (self.architecture, self.network.channels, self.network.kernel)
        first, end = (2 * len(VGG16.up_to(layer)) for layer in (network.layer, last))
        weights = self.weights or ()
        if ours != (VGG16.name, None, None) or len(weights) < end:
            rule = f"encoder must be a VGG16 with {last} for network vgg"
            raise ValueError(f"{rule}; received {self.name!r}")
        inputs, received = weights[first].shape[2], plan_of(network).features
        if inputs != received:
            rule = (
                f"channels must be {inputs}, those that {self.name!r} takes after {network.layer}"
            )
            raise ValueError(f"{rule}; received {received}")
        return weights[first:end]


def _names(network: NetworkConfig) -> list[str]:
    return [c.name for c in ARCHITECTURES[network.architecture].up_to(network.layer)]


def _keys(network: NetworkConfig) -> list[str]:
    return [f"{name}_{part}" for name in _names(network) for part in ("kernel", "bias")]


def load_weights(source: str | Path, network: NetworkConfig | None = None) -> CnnWeights:
    """The weights of a CNN.

    Args:
        source: "random"; "imagenet", VGG16's from keras.applications; or a file: HDF5 as
            keras.applications' VGG16 has it, with or without its top, or .npz as `write_weights`
            writes it.
        network: Plan that is asked for, see `CnnWeights.up_to`; by default that of the whole
            file.

    Raises:
        ValueError: If the file is missing, damaged, or does not fit the plan.
    """
    if source == RANDOM:
        return CnnWeights(RANDOM, network or NetworkConfig(), None)
    if source == IMAGENET:
        found = _from_keras_applications()
    else:
        path = Path(source)
        if not path.is_file():
            rule = "encoder must be random, imagenet or an existing file"
            raise ValueError(f"{rule}; received {path.name!r}")
        # Every picture of a batch asks; a file that changed meanwhile is read again.
        state = path.stat()
        found = _from_file(path, state.st_mtime_ns, state.st_size)
    return found if network is None else found.up_to(network)


def weights_digest(weights: Sequence[np.ndarray]) -> str:
    """SHA-256 of the shapes and float32 values of weights, in their order."""
    digest = hashlib.sha256()
    for weight in weights:
        array = np.ascontiguousarray(weight, np.float32)
        digest.update(f"{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()


def write_weights(path: Path, network: NetworkConfig, weights: Sequence[np.ndarray]) -> None:
    """Writes the weights of a CNN as .npz, whole or not at all, replacing an existing file.

    Args:
        path: File to write; the suffix .npz is the caller's.
        network: Plan of the CNN.
        weights: Kernel and bias of each layer in turn, for images in [0, 1].

    Raises:
        OSError: If it cannot be written.
    """
    keys = _keys(network)
    arrays = {key: np.asarray(w, np.float32) for key, w in zip(keys, weights, strict=True)}
    values = to_dict(network)
    about = {"format": _FORMAT, "layer": network.layer} | {key: values[key] for key in _TIED}
    stream = io.BytesIO()
    np.savez(stream, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
    write_whole(path, stream.getvalue(), overwrite=True)


@functools.lru_cache(maxsize=1)
def _from_file(path: Path, modified: int, size: int) -> CnnWeights:
    if zipfile.is_zipfile(path):
        return _from_npz(path)
    if not h5py.is_hdf5(path):
        raise _not_weights(path)
    try:
        with h5py.File(path, "r") as file:
            found = _h5_convolutions(file)
            _check_shapes(path.name, [tuple(w.shape for w in layer) for layer in found])
            # Read only now: a file can announce arrays of any size.
            layers = [tuple(np.asarray(w, np.float32) for w in layer) for layer in found]
    except (OSError, RuntimeError, KeyError) as error:
        raise ValueError(f"weights file {path.name!r} is incomplete or damaged") from error
    if not all(map(_finite, layers)):
        raise ValueError(f"weights file {path.name!r} has weights that are not finite")
    return _vgg16(path.name, layers)


def _not_weights(path: Path) -> ValueError:
    rule = "encoder must be an HDF5 file of VGG16 or a file that rrstyle classify wrote"
    return ValueError(f"{rule}; {path.name!r} is neither, or damaged")


def _from_npz(path: Path) -> CnnWeights:
    try:
        # Opened here: NumPy leaves a damaged file open.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            if about.pop("format") != _FORMAT:
                raise ValueError
            network = from_dict(NetworkConfig, about)
            shapes = kernel_shapes(plan_of(network).encoder, 3)
            weights = [np.asarray(file[key], np.float32) for key in _keys(network)]
            wanted = [part for shape in shapes for part in (shape, shape[-1:])]
            if [w.shape for w in weights] != wanted or not _finite(weights):
                raise ValueError
    except Exception as error:  # of many kinds, where a file is damaged or something else
        raise _not_weights(path) from error
    return CnnWeights(path.name, network, tuple(weights))


def _finite(weights: Sequence[np.ndarray]) -> bool:
    return all(np.isfinite(w).all() for w in weights)


def _vgg16(name: str, layers: Sequence[Sequence[np.ndarray]]) -> CnnWeights:
    """Thirteen (kernel, bias) of keras.applications' VGG16, made to take RGB images in [0, 1].

    Scaling, order of channels and means are folded into the first convolution, which is exact with
    reflect padding. Zero padding would add black borders, on which the network was not trained.
    """
    (kernel, bias), *rest = layers
    shift = np.einsum("hwio,i->o", kernel, _BGR_MEANS)
    first = (255 * kernel[:, :, ::-1]).astype(np.float32), (bias - shift).astype(np.float32)
    network = NetworkConfig(
        layer="conv5_3", channels=None, kernel=None, padding="reflect", encoder_activation="relu"
    )
    weights = tuple(weight for pair in (first, *rest) for weight in pair)
    return CnnWeights(name, network, weights, tuple(key for key in _TIED if key != "pooling"))


def _h5_convolutions(file: h5py.File) -> list[tuple[h5py.Dataset, ...]]:
    """Kernel and bias, if both are there, of each convolution, in natural order of their names."""
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
    expected = [(shape, shape[-1:]) for shape in kernel_shapes(VGG16.layers, 3)]
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


def _from_keras_applications() -> CnnWeights:
    import keras

    try:
        model = keras.applications.VGG16(weights="imagenet", include_top=False)
    except Exception as error:  # keras wraps every failure of a download in a bare Exception
        wrong = "encoder imagenet could not be had from keras.applications"
        raise ValueError(f"{wrong}; give a file instead") from error
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    return _vgg16(IMAGENET, [[np.asarray(w) for w in c.get_weights()] for c in convolutions])
