"""From thumbnail to poster: a picture made again in a larger size, with the same composition."""

from dataclasses import replace
from typing import Any

from apps.page.status import duration
from apps.page.stylise.album import Album, Made, Order
from apps.page.stylise.orders import chosen_of
from apps.service.limits import Limits, check_job_memory, job_memory
from rrstyle.config import StyleConfig
from rrstyle.pictures.images import fit_within

SIDES = (1024, 2048, 4096)  # pixels

# The time of `paint` by the README's table, 1.4 s and 1.75 s a megapixel: how much faster it grows.
_MEGAPIXEL, _PAINT_GROWS = 2**20, 1.25


def larger_choices(made: Made, limits: Limits) -> list[tuple[str, int]]:
    """The larger sizes of a picture, each with what it takes, and its longer side in pixels.

    None where they would be other pictures: the strokes of `optimise` are of so many pixels.
    """
    if made.order.settings.config.method == "optimise":
        return []
    sides = [side for side in SIDES if max(made.size) < side <= limits.max_side]
    return [(_words(made, side), side) for side in sides]


def larger_order(album: Album | None, chosen: Any, side: Any, limits: Limits) -> Order:
    """The order of the chosen picture alone, larger.

    Args:
        album, chosen: Album, and the file name of its picture.
        side: Longer side in pixels.

    Raises:
        ValueError: If there is no such picture or size, or it takes too much memory.
    """
    _, made = chosen_of(album, chosen)
    sides = [side for _, side in larger_choices(made, limits)]
    if side not in sides:
        known = ", ".join(map(str, sides)) or "left out: this picture has none"
        raise ValueError(f"larger size must be one of {known}; received {side!r}")
    settings = made.order.settings
    config = _larger(settings.config, side)
    check_job_memory(config, 1, limits)
    return replace(made.order, settings=replace(settings, config=config, n=1, seed=made.seed))


def _larger(config: StyleConfig, side: int) -> StyleConfig:
    """The same settings but the size; what recolours each pixel needs nothing to be the same."""
    if config.method != "paint":
        return replace(config, side=side)
    return replace(config, side=side, composed_at=config.composed_at or config.side)


def _words(made: Made, side: int) -> str:
    """Size, time and memory, as far as they can be told beforehand."""
    config = made.order.settings.config
    height, width = fit_within(made.size, side)
    old, new = (pixels**2 / _MEGAPIXEL for pixels in (config.side, side))
    ratio = new / old
    if config.method == "paint":
        ratio = (1 + _PAINT_GROWS * new) / (1 + _PAINT_GROWS * old)
    memory = job_memory(_larger(config, side), 1)
    return f"{width} × {height}: about {duration(ratio * made.seconds)}, {memory:.1f} GiB"
