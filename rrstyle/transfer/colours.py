"""Colours after decoding: the style's palette given back, or the photograph's own kept.

Pictures are NumPy arrays or, in an exported graph, tensors.
"""

import numpy as np

from rrstyle.namespace import array_namespace
from rrstyle.pictures.luma import luma
from rrstyle.transfer.blends import Blend
from rrstyle.transfer.closed_form import fit_gaussian, fit_map


def restore_palette(image, content, style: Blend, strength: float, share: float, mask=None):
    """Bring the colours of `image` to the Gaussian at `strength` between the pictures'.

    Averaging overlapping patches pales colours. The transport map in colour space undoes that
    without touching texture.

    Args:
        image: Image (height, width, 3) in [0, 1].
        content: Photograph, of any size.
        style: Style pictures.
        strength: Strength of the style, 0 to 1.
        share: Share of the map, 0 to 1: a wild readout keeps its false colours.
        mask: Weight of each pixel of image and content, (height, width).
    """
    image = np.clip(image, 0, 1)
    ours = fit_gaussian(content, mask=mask)
    wanted = fit_map("transport", ours, style.gaussian()).towards(strength).push(ours)
    found = fit_gaussian(image, mask=mask)
    return fit_map("transport", found, wanted).towards(share)(image)


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

    Chroma is the difference of each channel from the luma (Rec. 709, on gamma-coded values).
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
