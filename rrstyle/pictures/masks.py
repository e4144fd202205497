"""Masks: where a picture takes the style, and where the photograph stays as it is."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from rrstyle.pictures.images import as_image, fit_within, read_image, to_uint8

LARGEST_SIDE = 1024  # a mask is an outline: a recipe has to hold it
# Width of the soft edge, as a share of the picture's longer side: 2.5 pixels of 512.
_FEATHER = 1 / 200


def as_mask(mask: Any, *, argument: str = "mask") -> np.ndarray:
    """Checks a mask and brings it to the form that a recipe keeps.

    Args:
        mask: Array (height, width) of any size, bool, uint8 or float in [0, 1]: 1 (255) takes the
            style, 0 leaves the photograph. Of a picture (height, width, 3), the channels' mean.
        argument: Name of the mask in error messages.

    Returns:
        float32 (height, width) in [0, 1], in steps of 1 / 255, its longer side at most 1024.

    Raises:
        ValueError: If the array has another shape or type, or is 0 everywhere.
    """
    array = np.asarray(mask)
    grey = as_image(array.astype(np.float32) if array.dtype == bool else array, argument=argument)
    grey = grey.mean(axis=-1)
    if max(grey.shape) > LARGEST_SIDE:
        grey = fit_mask(grey, fit_within(grey.shape, LARGEST_SIDE))
    grey = np.rint(grey * np.float32(255)) / np.float32(255)
    if not grey.any():
        raise ValueError(f"{argument} must mark a part of the photograph; received one all black")
    return grey


def fit_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A mask at another size: float32 (*size,) in [0, 1]; 0 stays 0."""
    if mask.shape == tuple(size):
        return mask
    # A triangle has no lobes: Lanczos would put a faint ring of style around the mask.
    height, width = size
    drawn = Image.fromarray(mask).resize((width, height), Image.Resampling.BILINEAR)
    return np.clip(np.asarray(drawn, np.float32), 0, 1)


def composite(photograph: np.ndarray, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """`image` where the mask is 1, the photograph itself where it is 0, between them their mix.

    The edge is softened inwards by a 200th of the picture, so that a hard outline does not show.
    """
    inside = mask > 0
    if not inside.all():
        width = 1 + _FEATHER * max(mask.shape)
        depth = ndimage.distance_transform_edt(inside)
        mask = mask * np.minimum(depth / width, 1).astype(np.float32)
    return photograph + mask[..., None] * (image - photograph)


def grey_text(levels: np.ndarray) -> str:
    """Grey levels (height, width), uint8, as an 8-bit PNG in base64."""
    stream = io.BytesIO()
    Image.fromarray(levels).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


def parse_grey(text: Any, *, argument: str) -> np.ndarray:
    """The picture in a text of `grey_text`, float32 (height, width, 3) in [0, 1], or ValueError."""
    try:
        data = base64.b64decode(text, validate=True)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{argument} must be a PNG in base64") from error
    return read_image(data, name=argument).pixels


def mask_text(mask: np.ndarray) -> str:
    """A mask of `as_mask` as a text."""
    return grey_text(to_uint8(mask)[..., 0])


def parse_mask(text: Any, *, argument: str = "mask") -> np.ndarray:
    """The mask in a text of `mask_text`, or ValueError."""
    return as_mask(parse_grey(text, argument=argument), argument=argument)
