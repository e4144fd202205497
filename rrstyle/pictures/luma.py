"""Light and dark of RGB pictures: luma, one weighted sum of the gamma-coded channels."""

from typing import Any

import numpy as np

from rrstyle.namespace import array_namespace

# Rec. 709, in the rounding that scikit-image's rgb2gray has, so that metrics are comparable.
WEIGHTS = np.array([0.2125, 0.7154, 0.0721])


def luma(image) -> Any:
    """Luma (...) of a picture (..., 3), an array or a tensor of an exported graph, in its dtype."""
    xp = array_namespace(image)
    return xp.matmul(image, xp.array(WEIGHTS, dtype=image.dtype))
