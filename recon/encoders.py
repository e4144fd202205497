"""Weights of the CNN of a training: random ones, trained VGG16's, or those of our own classifier.

Nothing is fetched: "imagenet" means the file that keras.applications has in its cache.

The file of a classifier of ours is an .npz archive: `conv1_1_kernel`, `conv1_1_bias`, ... float32
for images in [0, 1], and `about`, a JSON text with `format` and the fields of `NetworkConfig` that
the weights are tied to.
"""

import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rrstyle.architectures import ARCHITECTURES
from rrstyle.config import NetworkConfig, from_dict, to_dict
from rrstyle.files import write_whole
from rrstyle.networks import stages
from rrstyle.pipeline import trained_plan
from rrstyle.trained import load_vgg16

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


def load_encoder(source: str, network: NetworkConfig) -> Encoder:
    """The CNN whose features are to be inverted.

    Args:
        source: "random"; "imagenet"; or a file, of VGG16 in the layout of keras.applications or
            as `write_encoder` writes it.
        network: Its plan. Trained weights bring their activation, padding, channels and kernels
            with them, those of ours their pooling too.

    Raises:
        ValueError: If the file is missing, damaged or of another architecture.
    """
    if source == RANDOM:
        return Encoder(RANDOM, network, None)
    path = _cached_imagenet() if source == IMAGENET else Path(source)
    name = IMAGENET if source == IMAGENET else path.name
    if not path.is_file():
        raise ValueError(f"encoder must be random, imagenet or an existing file; received {name!r}")
    if zipfile.is_zipfile(path):
        plan, layers = _read_ours(path)
        fixed = replace(network, **{key: getattr(plan, key) for key in TIED})
        _check_architecture(network, fixed, name)
        names = [c.name for c in ARCHITECTURES[fixed.architecture].up_to(fixed.layer)]
        if names[-1] not in layers:
            raise ValueError(
                f"layer must be one that {name!r} has, to {plan.layer}; received {network.layer!r}"
            )
        return Encoder(name, fixed, tuple(weight for layer in names for weight in layers[layer]))
    fixed = trained_plan(network)
    _check_architecture(network, fixed, name)
    return Encoder(name, fixed, load_vgg16(str(path)).encoder(fixed.layer))


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


def _check_architecture(asked: NetworkConfig, found: NetworkConfig, name: str) -> None:
    if asked.architecture != found.architecture:
        raise ValueError(
            f"architecture must be {found.architecture}, that of encoder {name!r};"
            f" received {asked.architecture}"
        )


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
