"""`paint` by regions: each region of the photograph from its own region of the style."""

from dataclasses import replace

import numpy as np

from rrstyle.pictures.images import resize
from rrstyle.pictures.masks import fit_mask
from rrstyle.pictures.regions import Regions
from rrstyle.progress import within
from rrstyle.transfer.blends import check_shares
from rrstyle.transfer.painting.canvas import Canvas, Part
from rrstyle.transfer.painting.paint import paint


def paint_regions(given: Canvas, regions: Regions) -> np.ndarray:
    """The photograph painted region by region, all by one network and one seed.

    Args:
        given: Photograph, styles and settings; its parts are of whole styles.
        regions: Regions of both.

    Returns:
        (height, width, 3), float32 in [0, 1].
    """
    image, size = given.content.copy(), given.content.shape[:2]
    for number in regions.numbers:
        share = regions.shares(number, size)
        restricted = _restricted(given, regions, number, image)
        if restricted.mask is not None and restricted.mask.any():
            image += share[..., None] * (paint(restricted) - given.content)
    return np.clip(image, 0, 1)


def _restricted(given: Canvas, regions: Regions, number: int, so_far: np.ndarray) -> Canvas:
    """What `paint` needs for one region; previews show it in the picture so far."""
    share = regions.shares(number, given.content.shape[:2])
    weight = share if given.mask is None else share * given.mask
    feeding = [i for i, labels in enumerate(regions.styles) if np.any(labels == number)]
    count, show = len(regions.numbers), given.preview

    def preview(picture: np.ndarray) -> np.ndarray:
        size = picture.shape[:2]
        before, share = resize(so_far, size), fit_mask(weight, size)[..., None]
        return show(before + share * (picture - before)) if show else picture

    return replace(
        given,
        parts=tuple(
            _of_region(given.parts[i], regions.styles[i] == number, place)
            for place, i in enumerate(feeding)
        ),
        shares=check_shares([given.shares[i] for i in feeding], len(feeding)),
        mask=weight,
        on_step=within(given.on_step, number / count, (number + 1) / count),
        preview=preview if show else None,
        composed=given.composed and _restricted(given.composed, regions, number, so_far),
    )


def _of_region(part: Part, region: np.ndarray, place: int) -> Part:
    """The part, in another place, of which only a region (any height, any width) may be taken."""
    share = fit_mask(region.astype(np.float32), part.picture.shape[:2])
    return replace(part, style=place, covers=share >= min(0.5, share.max()))
