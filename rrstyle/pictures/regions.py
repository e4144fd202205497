"""Style masks: which region of a style feeds which region of the photograph.

A map is a picture whose colours name regions. Places of one colour, in the map of the photograph
and in that of a style, belong together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from rrstyle.pictures.images import as_image, fit_within, to_uint8
from rrstyle.pictures.masks import LARGEST_SIDE, fit_mask, grey_text, parse_grey

MOST_REGIONS = 8
# In maps with more colours than that, drawn with soft edges or stored as JPEG: the least share of
# a map's flat pixels that makes a colour a region; the least distance, in levels of any channel,
# between two; and the most that a flat pixel's neighbours differ, which are counted as one colour.
_LEAST_SHARE, _APART, _FLAT = 0.01, 48, 16
_FEATHER = 1 / 400  # deviation of the soft edge between regions, as a share of the longer side


@dataclass(frozen=True)
class Regions:
    """Regions of a photograph and of its styles, by number from 0 on."""

    content: np.ndarray  # region of each place, (height, width) of any size, uint8
    styles: tuple[np.ndarray, ...]  # the same of each style

    @property
    def numbers(self) -> range:
        """The numbers of the photograph's regions."""
        return range(int(self.content.max()) + 1)

    def shares(self, number: int, size: tuple[int, int]) -> np.ndarray:
        """Share of a region at each pixel of the photograph at a size, (*size,) in [0, 1].

        The shares of all regions add up to 1; from one to the next they pass over softly.
        """
        share = fit_mask((self.content == number).astype(np.float32), size)
        return ndimage.gaussian_filter(share, _FEATHER * max(size), mode="nearest")

    def of_styles(self, kept: Sequence[int]) -> "Regions":
        """The regions with some of the styles; ValueError if one is in none of them."""
        return _checked(self.content, tuple(self.styles[i] for i in kept))


def check_method(method: str) -> None:
    """Refuses a style mask beside a method that cannot keep to regions."""
    if method != "paint":
        raise ValueError(f"style_mask must be left out unless method is paint; received {method}")


def as_regions(maps: Any, styles: int, *, argument: str = "style_mask") -> Regions:
    """Checks the maps of a photograph and of its styles, and finds their regions.

    Args:
        maps: `Regions`, or a list or tuple of maps: that of the photograph, then one of each
            style, (height, width, 3) or (height, width) of any size, uint8 or float in [0, 1]. Up
            to 8 colours in all are taken as they are. Of more, those that fill a hundredth of the
            flat places of a map are the regions, and others go to the nearest of them.
        styles: Number of styles.
        argument: Name of the maps in error messages.

    Raises:
        ValueError: If a map is no picture, there are too few or too many of them or of their
            colours, or a region of the photograph is in the map of no style.
    """
    if isinstance(maps, Regions):
        maps = [maps.content, *maps.styles]
    if not isinstance(maps, list | tuple) or len(maps) != 1 + styles:
        received = len(maps) if isinstance(maps, list | tuple) else type(maps).__name__
        raise ValueError(
            f"{argument} must be a map of the photograph and one of each style, {1 + styles} in"
            f" all; received {received}"
        )
    pictures = [_as_map(image, f"{argument} {i}") for i, image in enumerate(maps, start=1)]
    colours = _colours(pictures)
    content, *others = (_nearest(picture, colours) for picture in pictures)
    return _checked(content, tuple(others))


def _checked(content: np.ndarray, styles: tuple[np.ndarray, ...]) -> Regions:
    """Regions numbered anew, in the order in which they come first in the photograph's map."""
    found, first = np.unique(content, return_index=True)
    found = found[np.argsort(first)]
    for place, number in enumerate(found, start=1):
        if not any(np.any(style == number) for style in styles):
            y, x = np.argwhere(content == number)[0]
            raise ValueError(
                "style_mask must have every region of the photograph in the map of a style;"
                f" received none for region {place} of {len(found)}, which has the pixel x {x}, y"
                f" {y} of the photograph's map"
            )
    renumbered = np.full(256, 255, np.uint8)  # 255: what feeds no region
    renumbered[found] = np.arange(len(found))
    return Regions(renumbered[content], tuple(renumbered[style] for style in styles))


def _as_map(image: Any, argument: str) -> np.ndarray:
    """A map (height, width, 3), uint8, at most 1024 pixels a side, no colours but its own."""
    levels = to_uint8(as_image(image, argument=argument))
    height, width = fit_within(levels.shape[:2], min(LARGEST_SIDE, max(levels.shape[:2])))
    return np.asarray(Image.fromarray(levels).resize((width, height), Image.Resampling.NEAREST))


def _colours(pictures: list[np.ndarray]) -> np.ndarray:
    """The colours (count, 3) that are regions."""
    exact = np.unique(np.concatenate([p.reshape(-1, 3) for p in pictures]), axis=0)
    if len(exact) <= MOST_REGIONS:
        return exact
    bins: dict[tuple[int, ...], float] = {}  # the largest share of a map that each fills
    for picture in pictures:
        around = [f(picture, (3, 3, 1)) for f in (ndimage.maximum_filter, ndimage.minimum_filter)]
        flat = (around[0] - around[1]).max(axis=-1) <= _FLAT
        found, count = np.unique(picture[flat] // _FLAT, axis=0, return_counts=True)
        for key, share in zip(map(tuple, found), count / count.sum(), strict=True):
            bins[key] = max(share, bins.get(key, 0))
    kept: list[np.ndarray] = []
    for key in sorted(bins, key=lambda key: -bins[key]):
        colour = (np.array(key) + 0.5) * _FLAT
        apart = all(np.abs(colour - other).max() >= _APART for other in kept)
        if bins[key] >= _LEAST_SHARE and apart:
            kept.append(colour)
    if not 1 <= len(kept) <= MOST_REGIONS:
        raise ValueError(
            f"style_mask must have at most {MOST_REGIONS} colours; received {len(kept) or 'more'}"
        )
    return np.array(kept)


def _nearest(picture: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """The number of the colour nearest to each pixel, (height, width), uint8."""
    distance = [np.abs(picture - colour.astype(np.float32)).max(axis=-1) for colour in colours]
    return np.argmin(distance, axis=0).astype(np.uint8)


def regions_text(regions: Regions) -> list[str]:
    """The maps as texts, the photograph's first."""
    return [grey_text(labels) for labels in (regions.content, *regions.styles)]


def parse_regions(texts: Any, styles: int, *, argument: str = "style_mask") -> Regions:
    """The regions in texts of `regions_text`, or ValueError."""
    if not isinstance(texts, list | tuple):
        raise ValueError(f"{argument} must be a list of PNG in base64")
    maps = [parse_grey(text, argument=argument) for text in texts]
    return as_regions(maps, styles, argument=argument)
