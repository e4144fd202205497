"""Maps of feature vectors (height, width, channels)."""

import numpy as np
from keras import ops


def resize_features(features: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Features (height, width, n) at another size; anti-aliased when smaller."""
    if features.shape[:2] == tuple(size):
        return features
    shrinks = size[0] < features.shape[0]
    kind = "bilinear" if shrinks else "bicubic"
    batch = ops.image.resize(features[None], size, interpolation=kind, antialias=shrinks)
    return ops.convert_to_numpy(batch)[0]
