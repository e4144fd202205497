"""Orders: what a client asks for, checked."""

from dataclasses import replace
from typing import Any

from apps.page.settings import CONTROLS, LARGEST_SEED, check_settings
from apps.page.stylise.album import Album, Made, Order
from apps.service.limits import Limits
from rrstyle.config import is_share
from rrstyle.transfer.blends import MOST_STYLES


def order_of(values: tuple, limits: Limits) -> Order:
    """A checked order; ValueError if a value breaks a rule.

    The values are photograph, four styles, their four shares, mask, then those of `CONTROLS`.
    """
    content, rest = values[0], values[1:]
    styles, shares = rest[:MOST_STYLES], rest[MOST_STYLES : 2 * MOST_STYLES]
    mask, *settings = rest[2 * MOST_STYLES :]
    there = [(s, _share(w)) for s, w in zip(styles, shares, strict=True) if s is not None]
    if not there:
        raise ValueError("style: no picture; choose or upload one first")
    chosen, weights = zip(*there, strict=True)
    if not any(weights):
        raise ValueError("share must be above 0 for one style at least; received only 0")
    checked = check_settings(dict(zip(CONTROLS, settings, strict=True)), limits=limits)
    return Order(content, chosen, weights, mask, checked)


def chosen_of(album: Album | None, chosen: Any) -> tuple[Album, Made]:
    """The album and its chosen picture; ValueError if there is none."""
    made = album.find(chosen) if album else None
    if album is None or made is None:
        raise ValueError("picture: choose one of the gallery first; received none")
    return album, made


def next_order(album: Album | None, chosen: Any) -> Order:
    """The order again, with seeds that no picture of its kind has; ValueError if there are none."""
    album, made = chosen_of(album, chosen)
    settings, order = made.order.settings, made.order
    seed = 1 + max(one.seed for one in album.pictures if _same(one.order, order))
    if seed + settings.n - 1 > LARGEST_SEED:
        raise ValueError(f"seed must be at most {LARGEST_SEED}; received {seed}")
    return replace(order, settings=replace(settings, seed=seed))


def _same(one: Order, other: Order) -> bool:
    """Whether two orders differ in their seeds only."""
    return one == replace(other, settings=replace(other.settings, seed=one.settings.seed))


def _share(value: Any) -> float:
    if not is_share(value):
        raise ValueError(f"share must be from 0 to 1; received {value!r}")
    return float(value)
