"""Weights of the CNN of a training: random ones, trained VGG16's, or those of our own classifier.

Nothing is fetched: "imagenet" means the file that keras.applications has in its cache.

The file of a classifier of ours is an .npz archive: `conv1_1_kernel`, `conv1_1_bias`, ... float32
for images in [0, 1], and `about`, a JSON text with `format` and the fields of `NetworkConfig` that
the weights are tied to.
"""

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rrstyle.config import NetworkConfig, from_dict, to_dict
from rrstyle.durable import write_whole
from rrstyle.networks.build import stages
from rrstyle.networks.plan import ARCHITECTURES, VGG16
from rrstyle.networks.weight_files import load_vgg16
from rrstyle.pipeline import trained_plan

RANDOM, IMAGENET = "random", "imagenet"
TIED = ("architecture", "channels", "kernel", "padding", "pooling", "encoder_activation")
_FORMAT = 1
# What reading a file that is not, or no longer, ours can raise.
_DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)
_CACHED = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"  # as keras.applications calls it


@dataclass(frozen=True)
class Encoder:
    """A CNN as a training takes it.

    Attributes:
        name: Of the weights, for the record: never a path.
        network: What was asked for, with what the weights fix.
        weights: (kernel, bias) by layer up to the network's, for images in [0, 1]; None where
            they are random.
    """

    name: str
    network: NetworkConfig
    weights: tuple[np.ndarray, ...] | None


@dataclass(frozen=True)
class TrainedEncoder:
    """A file of trained weights, read whole: the CNN up to any of its layers.

    Attributes:
        name: Of the file, for records: never a path.
        fixed: Fields of `NetworkConfig` that the weights are tied to, `architecture` among them.
        layers: (kernel, bias) by name, data to features, for images in [0, 1].
    """

    name: str
    fixed: Mapping[str, Any]
    layers: Mapping[str, tuple[np.ndarray, np.ndarray]]

    @property
    def architecture(self) -> str:
        """ "vgg16" or "alexnet"."""
        return self.fixed["architecture"]

    @property
    def sha256(self) -> str:
        """Of all weights, whatever the file's layout."""
        return weights_digest([weight for pair in self.layers.values() for weight in pair])

    def kernel(self, layer: str) -> np.ndarray:
        """Of a convolution, (height, width, input channels a group, channels).

        Raises:
            ValueError: If the file lacks it.
        """
        if layer not in self.layers:
            raise ValueError(f"encoder must have {layer}; received {self.name!r}, which has not")
        return self.layers[layer][0]

    def up_to(self, network: NetworkConfig) -> Encoder:
        """The CNN of a plan.

        Args:
            network: Its plan; what the weights fix is fixed.

        Raises:
            ValueError: If it is of another architecture, or has a layer that the file lacks.
        """
        if network.architecture != self.architecture:
            raise ValueError(
                f"architecture must be {self.architecture}, that of encoder {self.name!r};"
                f" received {network.architecture}"
            )
        fixed = replace(network, **self.fixed)
        names = [c.name for c in ARCHITECTURES[fixed.architecture].up_to(fixed.layer)]
        if names[-1] not in self.layers:
            raise ValueError(
                f"layer must be one that {self.name!r} has, to {[*self.layers][-1]};"
                f" received {network.layer!r}"
            )
        return Encoder(
            self.name, fixed, tuple(weight for name in names for weight in self.layers[name])
        )


def read_encoder_file(path: Path, *, name: str | None = None) -> TrainedEncoder:
    """Trained weights of a CNN.

    Args:
        path: A file of VGG16 in the layout of keras.applications, or as `write_encoder` writes it.
        name: What it is called, if not as the file.

    Raises:
        ValueError: If it is missing, damaged or something else.
    """
    name = name or path.name
    if not path.is_file():
        raise ValueError(f"encoder must be an existing file; received {name!r}")
    if zipfile.is_zipfile(path):
        plan, layers = _read_ours(path)
        return TrainedEncoder(name, {key: getattr(plan, key) for key in TIED}, layers)
    weights = load_vgg16(str(path)).encoder(VGG16.convolutions[-1].name)
    pairs = zip(weights[::2], weights[1::2], strict=True)
    named = zip((c.name for c in VGG16.convolutions), pairs, strict=True)
    plan = trained_plan(NetworkConfig())
    # Its pools have no weights: another kind is what was asked for.
    fixed = {key: getattr(plan, key) for key in TIED if key != "pooling"}
    return TrainedEncoder(name, fixed, dict(named))


def load_encoder(source: str, network: NetworkConfig) -> Encoder:
    """The CNN whose features are to be inverted.

    Args:
        source: "random"; "imagenet"; or a file for `read_encoder_file`.
        network: Its plan. Trained weights bring their activation, padding, channels and kernels
            with them, those of ours their pooling too.

    Raises:
        ValueError: If the file is missing, damaged or of another architecture.
    """
    if source == RANDOM:
        return Encoder(RANDOM, network, None)
    if source == IMAGENET:
        return read_encoder_file(_cached_imagenet(), name=IMAGENET).up_to(network)
    path = Path(source)
    if not path.is_file():
        raise ValueError(
            f"encoder must be random, imagenet or an existing file; received {path.name!r}"
        )
    return read_encoder_file(path).up_to(network)


def weights_digest(weights: Sequence[np.ndarray]) -> str:
    """SHA-256 of the shapes and float32 values of weights, in their order."""
    digest = hashlib.sha256()
    for weight in weights:
        array = np.ascontiguousarray(weight, np.float32)
        digest.update(f"{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()


def write_encoder(path: Path, network: NetworkConfig, weights: Sequence[np.ndarray]) -> None:
    """Writes the convolutions of a CNN of ours; whole or not at all, a file there is replaced.

    Args:
        path: Where to; the suffix .npz is the caller's.
        network: Its plan; `layer` is the last one that is written.
        weights: (kernel, bias) by layer, for images in [0, 1].

    Raises:
        OSError: If it cannot be written.
    """
    names = [c.name for c in ARCHITECTURES[network.architecture].up_to(network.layer)]
    pairs = zip(weights[::2], weights[1::2], strict=True)
    arrays = {
        f"{name}_{part}": np.asarray(array, np.float32)
        for name, pair in zip(names, pairs, strict=True)
        for part, array in zip(("kernel", "bias"), pair, strict=True)
    }
    values = to_dict(network)
    about = {"format": _FORMAT, "layer": network.layer} | {key: values[key] for key in TIED}
    stream = io.BytesIO()
    np.savez(stream, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
    write_whole(path, stream.getvalue(), overwrite=True)


def _cached_imagenet() -> Path:
    home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    path = Path(home, "models", _CACHED)
    if not path.is_file():
        raise ValueError(
            "encoder imagenet must be in the cache of keras.applications, and is not; nothing is"
            " downloaded here: give the weights as a file"
        )
    return path


def _read_ours(path: Path) -> tuple[NetworkConfig, Mapping[str, tuple[np.ndarray, np.ndarray]]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            if about.pop("format") != _FORMAT:
                raise ValueError
            plan = from_dict(NetworkConfig, about)
            layers = {}
            for stage in stages(plan):
                c = stage.convolution
                shape = (stage.kernel, stage.kernel, stage.inputs // stage.groups, stage.channels)
                kernel, bias = (file[f"{c.name}_{part}"] for part in ("kernel", "bias"))
                if (kernel.shape, bias.shape) != (shape, shape[-1:]):
                    raise ValueError
                if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
                    raise ValueError
                layers[c.name] = np.asarray(kernel, np.float32), np.asarray(bias, np.float32)
    except _DAMAGED as error:
        raise ValueError(
            f"encoder must be weights of VGG16 or of a classifier of ours; {path.name!r} is"
            " neither, or damaged"
        ) from error
    return plan, layers
