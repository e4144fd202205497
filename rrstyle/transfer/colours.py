"""Colours of pictures: the style's palette, the photograph's own, or those between them.

Pictures are NumPy arrays or, in an exported graph, tensors.
"""

import numpy as np

from rrstyle.namespace import array_namespace
from rrstyle.pictures.luma import luma
from rrstyle.transfer.blends import Blend
from rrstyle.transfer.closed_form import fit_gaussian, fit_map


def part_way(content, image, strength: float):
    """The picture at `strength` between a photograph and its painting.

    Both are moved to one point of the optimal transport path between their Gaussians of colours,
    and there they are mixed: no double image of two palettes.

    Args:
        content: Photograph, (height, width, 3).
        image: Painting of the same size, strength 1.
        strength: Strength of the style, 0 to 1; in a graph, of float64.
    """
    xp = array_namespace(image)
    if xp is np and strength in (0, 1):
        return image if strength else content
    ours, theirs = fit_gaussian(content), fit_gaussian(image)
    there = fit_map("transport", ours, theirs).towards(strength)
    back = fit_map("transport", theirs, ours).towards(1 - strength)
    ours_share, share = (xp.array(part, dtype="float32") for part in (1 - strength, strength))
    return ours_share * there(content) + share * back(image)


def match_luminance(style, content):
    """The style picture with the mean and the deviation of the content's luma.

    The style is then searched and matched for its pattern of light and dark, and not for being
    light or dark as a whole. Reference: Gatys et al. 2016, "Preserving Color in Neural Artistic
    Style Transfer", equation 10.
    """
    xp = array_namespace(style)
    theirs, ours = luma(style), luma(content)
    ratio = xp.std(ours) / xp.maximum(xp.std(theirs), 1e-6)
    wanted = (theirs - xp.mean(theirs)) * ratio + xp.mean(ours)
    return xp.clip(style + (wanted - theirs)[..., None], 0, 1)


def keep_colours(image, content):
    """The luma of `image` with the chroma of `content`.

    Chroma is the difference of each channel from the luma (on gamma-coded values).
    Where it does not fit between black and white it is reduced, at the same hue and luma.

    Args:
        image: Image (height, width, 3) in [0, 1].
        content: Photograph, of the same size.

    Returns:
        (height, width, 3), float32 in [0, 1].
    """
    xp = array_namespace(image)
    light = luma(image)[..., None]
    chroma = content - luma(content)[..., None]
    room = xp.where(chroma > 0, 1 - light, light) / xp.maximum(xp.abs(chroma), 1e-6)
    share = xp.minimum(xp.min(room, axis=-1, keepdims=True), 1)
    return xp.clip(light + share * chroma, 0, 1)


# Points of a distribution of one colour axis, and pixels it is estimated from.
_KNOTS, _SAMPLES = 33, 2**16


class PaletteMap:
    """A map of colours to those of a picture: an affine one, then one along each principal axis.

    Copying patches leaves some colours rarer, others paler than in the style. The transport map
    between the Gaussians mends mean and covariance; matching the distributions along the principal
    axes of the style's colours (Pitie et al. 2007 turn the axes many times) gives back its
    darkest and its brightest tones. Neither touches texture.

    Args:
        image: Picture whose colours are to be changed, (height, width, 3) in [0, 1], or a reduced
            copy.
        style: Pictures whose colours are wanted.
        mask: Weight of each pixel of `image`, (height, width).
    """

    def __init__(self, image: np.ndarray, style: Blend, mask: np.ndarray | None = None):
        wanted = style.map(_thinned).gaussian()
        self._axes = np.linalg.eigh(wanted.covariance)[1].astype(np.float32)
        sample, weight = _weighed(image, mask)
        self._affine = fit_map("transport", fit_gaussian(sample, mask=weight), wanted)
        ours = self._affine(sample) @ self._axes
        theirs = [(_thinned(part) @ self._axes) for part in style.parts]
        shares = np.concatenate(
            [np.full(len(t), s / len(t)) for t, s in zip(theirs, style.shares, strict=True)]
        )
        together = np.concatenate(theirs)
        self._knots = [
            _curve(_quantiles(ours[:, i], weight), _quantiles(together[:, i], shares))
            for i in range(3)
        ]

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """The picture (height, width, 3) with the colours, float32 in [0, 1]."""
        turned = self._affine(image) @ self._axes
        for axis, (found, wanted) in enumerate(self._knots):
            turned[..., axis] = np.interp(turned[..., axis], found, wanted)
        return np.clip(turned @ self._axes.T, 0, 1)


def _thinned(image: np.ndarray) -> np.ndarray:
    """Pixels (count, channels) of a picture, at most _SAMPLES of them, evenly spread."""
    step = max(1, int(np.ceil(np.sqrt(image.shape[0] * image.shape[1] / _SAMPLES))))
    return image[::step, ::step].reshape(-1, image.shape[2])


def _weighed(image: np.ndarray, mask: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The same, and their weights; under a mask only of pixels that have one, however few."""
    if mask is None:
        sample = _thinned(image)
        return sample, np.ones(len(sample))
    held = mask > 0
    step = -(-np.count_nonzero(held) // _SAMPLES)
    return image[held][::step], mask[held][::step]


def _quantiles(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted quantiles, from the least value to the greatest; every weight is positive."""
    order = np.argsort(values)
    mass = np.cumsum(weights[order], dtype=np.float64)
    points = np.linspace(0, 1, _KNOTS) * mass[-1]
    return values[order][np.searchsorted(mass, points).clip(max=len(order) - 1)]


def _curve(found: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points of a map of quantiles to others: a colour that has several gets their mean."""
    found, run = np.unique(found.round(5), return_inverse=True)  # less apart cannot be seen
    return found, np.bincount(run, wanted) / np.bincount(run)
