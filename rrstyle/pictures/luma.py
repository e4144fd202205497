"""Light and dark of RGB pictures: luma, one weighted sum of the channels.

Pictures are NumPy arrays or tensors of an exported graph, (..., 3), gamma-coded.
"""

from typing import Any

import numpy as np

from rrstyle.namespace import array_namespace

REC_709 = np.array([0.2126, 0.7152, 0.0722], np.float32)
# scikit-image's rgb2gray: an older rounding of the same weights.
RGB2GRAY = np.array([0.2125, 0.7154, 0.0721])


def luma(image) -> Any:
    """Luma (...) of a float32 picture."""
    return array_namespace(image).matmul(image, REC_709)


def luminance(image) -> Any:
    """Luma (...) of a float64 picture, as the study's metrics weigh the channels."""
    return array_namespace(image).matmul(image, RGB2GRAY)
