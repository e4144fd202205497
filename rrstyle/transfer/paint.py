"""`patches` and `paint`: the photograph rebuilt from patches of the style, and then refined."""

from dataclasses import replace

import numpy as np

from rrstyle.networks.laws import TRANSFER, layer_rng
from rrstyle.progress import within
from rrstyle.transfer.features import Transfer, at_strength
from rrstyle.transfer.optimise import refine, statistics_networks
from rrstyle.transfer.patches import match_patches

_MATCHING_SHARE = 0.4  # of `paint`'s time goes into matching, about, on a CPU


@at_strength
def patches(given: Transfer) -> np.ndarray:
    """The content rebuilt from patches of the style, coarse to fine."""
    return _matched(given)


@at_strength
def paint(given: Transfer) -> np.ndarray:
    """`patches`, then a short refinement, always on the pyramid: strokes are what it is for."""
    matching = replace(given, on_step=within(given.on_step, 0, _MATCHING_SHARE))
    refining = replace(given, on_step=within(given.on_step, _MATCHING_SHARE, 1))
    return refine(refining, _matched(matching), statistics_networks(given, "pyramid"))


def _matched(given: Transfer) -> np.ndarray:
    return match_patches(
        given.content,
        given.style,
        config=given.config.patches,
        rng=layer_rng(given.seed, TRANSFER),
        on_step=given.on_step,
        mask=given.mask,
    )
