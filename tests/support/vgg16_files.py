"""Weight files in the layouts that keras.applications' VGG16 has had, with random weights."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))

Layers = list[tuple[str, np.ndarray, np.ndarray]]


def random_vgg16(seed: int = 0) -> Layers:
    """(keras.applications' name, kernel, bias) of the thirteen convolutions, He's variance."""
    rng = np.random.default_rng(seed)
    result, inputs = [], 3
    for block, (count, channels) in enumerate(BLOCKS, start=1):
        for index in range(1, count + 1):
            kernel = rng.standard_normal((3, 3, inputs, channels), np.float32)
            kernel *= np.float32(np.sqrt(2 / (9 * inputs)))
            bias = rng.standard_normal(channels, np.float32)
            result.append((f"block{block}_conv{index}", kernel, bias))
            inputs = channels
    return result


def hollow(layers: Layers) -> Layers:
    """The same layers with zeros, which files compress to next to nothing."""
    return [(name, np.zeros_like(kernel), np.zeros_like(bias)) for name, kernel, bias in layers]


def write(path: Path, layers: Layers, layout: str, *, extra: dict | None = None) -> Path:
    """Write a file in one of three layouts.

    "keras3": `save_weights("x.weights.h5")`; "keras2": `save_weights("x.h5")` of Keras 2;
    "download": the file that keras.applications downloads, written by Keras 1.
    """
    with h5py.File(path, "w") as file:
        for position, (name, kernel, bias) in enumerate(layers):
            for dataset, array in zip(_names(layout, position, name), (kernel, bias), strict=True):
                if array is not None:
                    _put(file, dataset, array)
        for dataset, array in (extra or {}).items():
            _put(file, dataset, array)
    return path


def _put(file: h5py.File, name: str, array) -> None:
    array = np.asarray(array)
    small = {"compression": "gzip", "compression_opts": 1} if array.size and not array.any() else {}
    file.create_dataset(name, data=array, **small)


def _names(layout: str, position: int, name: str) -> tuple[str, str]:
    if layout == "keras3":
        # Keras sorts them as text: conv2d_10 comes before conv2d_2.
        group = f"layers/conv2d{f'_{position}' if position else ''}/vars"
        return f"{group}/0", f"{group}/1"
    if layout == "keras2":
        return f"{name}/{name}/kernel:0", f"{name}/{name}/bias:0"
    return f"{name}/{name}_W_1:0", f"{name}/{name}_b_1:0"


def dense_top() -> Iterator[tuple[str, np.ndarray]]:
    """The three dense layers of a file with its top, much narrowed."""
    for name, shape in (("fc1", (50, 8)), ("fc2", (8, 8)), ("predictions", (8, 10))):
        yield f"{name}/{name}/kernel:0", np.ones(shape, np.float32)
        yield f"{name}/{name}/bias:0", np.ones(shape[1:], np.float32)
