"""Where a photograph has something to say: its edges, of whatever brightness."""

import numpy as np
from scipy import ndimage

from rrstyle.pictures.images import resize
from rrstyle.pictures.luma import luma

_DARK = 0.08  # added to the luma before its logarithm
_NEIGHBOURHOOD = 0.12  # of the longer side: what energy is compared with
_QUANTILE = 0.9  # of the energy, from which on saliency is 1


def saliency(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Saliency of each pixel: 0 calm to 1 edge.

    The local gradient of the logarithm of luma, over its mean in the neighbourhood: an eye in a
    dark face counts as much as one in a bright one.

    Args:
        image: Photograph, (height, width, 3), float32 in [0, 1].
        size: (height, width) of the result.

    Returns:
        (*size, 1), float32; its square root is taken, so that faint edges count.
    """
    grey = np.log(_DARK + ndimage.gaussian_filter(luma(resize(image, size)), 0.7))
    down, right = np.gradient(grey)
    energy = ndimage.gaussian_filter(np.hypot(down, right), 1.5)
    around = ndimage.gaussian_filter(energy, _NEIGHBOURHOOD * max(size), mode="reflect", truncate=2)
    energy = energy / (around + 0.25 * energy.mean() + 1e-6)
    share = np.clip(energy / (np.quantile(energy, _QUANTILE) + 1e-6), 0, 1)
    return np.sqrt(share)[..., None].astype(np.float32)
