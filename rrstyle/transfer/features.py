"""Maps of feature vectors (height, width, channels), and the record that every method takes."""

from dataclasses import dataclass

import numpy as np
from keras import ops

from rrstyle.config import StyleConfig
from rrstyle.progress import OnStep, ignore
from rrstyle.transfer.blends import Blend


@dataclass(frozen=True)
class Transfer:
    """One transformation of features, as every method takes it."""

    content: np.ndarray  # features (height, width, n), float32
    style: Blend  # features of each style, (any height, any width, n), of the same network
    config: StyleConfig
    seed: int  # of all random draws, at least 0
    dtype: str = "float32"  # or "bfloat16": of the convolutions of a statistics network
    trained: tuple | None = None  # weights of the `vgg` statistics network; None for random ones
    # Root mean square of the features that `trained` was trained on; by default that of `style`.
    trained_unit: float | None = None
    # Weight of each pixel of the content in its statistics, (height, width), in [0, 1] and not all
    # 0. Pixels of weight 0 are transformed all the same.
    mask: np.ndarray | None = None
    on_step: OnStep = ignore  # some steps carry the features so far


def resize_features(features: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Features (height, width, n) at another size; anti-aliased when smaller."""
    if features.shape[:2] == tuple(size):
        return features
    shrinks = size[0] < features.shape[0]
    kind = "bilinear" if shrinks else "bicubic"
    batch = ops.image.resize(features[None], size, interpolation=kind, antialias=shrinks)
    return ops.convert_to_numpy(batch)[0]
