"""What `paint` works on: a photograph, the parts that patches are taken from, and settings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rrstyle.config import PaintConfig
from rrstyle.pictures.masks import fit_mask
from rrstyle.progress import OnStep
from rrstyle.transfer.blends import Blend

# A picture of any size to features (rows, columns, channels), and these and the size (height,
# width) of a picture to that picture.
Encode = Callable[[np.ndarray], np.ndarray]
Decode = Callable[[np.ndarray, tuple[int, int]], np.ndarray]


@dataclass(frozen=True)
class Part:
    """A style picture, or a turned copy of one, that patches are taken from."""

    picture: np.ndarray  # (height, width, 3), float32 in [0, 1]
    shown: np.ndarray  # the same as the decoder shows it
    style: int  # position of its style
    covers: np.ndarray | None = None  # where patches are taken from, (height, width), bool

    def turned(self, quarters: int) -> "Part":
        """The part turned by so many quarters."""
        picture, shown = (np.rot90(p, quarters).copy() for p in (self.picture, self.shown))
        covers = None if self.covers is None else np.rot90(self.covers, quarters)
        return Part(picture, shown, self.style, covers)

    def held(self, features: np.ndarray) -> np.ndarray:
        """What the part covers of an array (rows, columns, n) of itself; (1, count, n) at least."""
        if self.covers is None:
            return features
        share = self.cover_at(features.shape[:2])
        return features[share >= min(0.5, share.max())][None]

    def cover_at(self, size: tuple[int, int]) -> np.ndarray:
        """Share of each pixel that is covered at a size (height, width)."""
        if self.covers is None:
            return np.ones(size, np.float32)
        return fit_mask(self.covers.astype(np.float32), size)


@dataclass(frozen=True)
class Canvas:
    """What `paint` works on."""

    content: np.ndarray  # photograph, (height, width, 3), float32 in [0, 1]
    parts: tuple[Part, ...]  # what patches are taken from: the styles
    shares: tuple[float, ...]  # of the styles
    turned: bool  # whether patches are taken from the styles turned by quarters too
    encode: Encode
    decode: Decode
    reduction: int  # factor by which the CNN divides sides
    # Whether the borders of the result are to wrap around; those of the photograph do then, and its
    # sides are multiples of 2 `reduction`.
    tile: bool
    # Pixels at the rim of a strip that CNN and DCN need on each side; None if a picture has to be
    # decoded as a whole.
    halo: int | None
    palette: float  # share of the map that gives the result the colours of the style
    seed: int
    config: PaintConfig
    mask: np.ndarray | None  # weight of each pixel of the photograph, (height, width)
    on_step: OnStep
    preview: Callable[[np.ndarray], np.ndarray] | None  # finishes a small picture; None for none
    composed: "Canvas | None" = None  # the same smaller, whose composition the result has

    def with_turned(self) -> "Canvas":
        """The canvas with turned copies of the parts too, where patches are taken from those."""
        if not self.turned:
            return self
        turned = [part.turned(quarters) for quarters in (1, 2, 3) for part in self.parts]
        return replace(self, parts=(*self.parts, *turned))

    def patch_at(self, size: tuple[int, int]) -> int:
        """Side of a patch that is shown in a picture (height, width): it grows with a larger one.

        Where borders wrap it does not, since steps between patches have to divide sides.
        """
        if self.composed is None or self.tile:
            return self.config.size
        grown = self.config.size * max(size) / max(self.composed.content.shape)
        return max(self.config.size, 2 * round((grown - 1) / 2) + 1)

    def style(self, arrays: Sequence[np.ndarray]) -> Blend:
        """The styles as a blend, of an array (rows, columns, n) of each part."""
        held = [part.held(array) for part, array in zip(self.parts, arrays, strict=True)]
        return Blend(tuple(held[: len(self.shares)]), self.shares)


def wrapped(image: np.ndarray, margin: int) -> np.ndarray:
    """An image with a margin on each side, of what lies at the other."""
    widths = [(margin, margin), (margin, margin), (0, 0)][: image.ndim]
    return np.pad(image, widths, mode="wrap")
