"""Filters of random networks, drawn without the network."""

import numpy as np

from rrstyle.networks.laws import ENCODER, draw_kernel, layer_rng
from rrstyle.networks.plan import ARCHITECTURES


def random_filters(
    architecture: str,
    layer: str,
    *,
    seed: int,
    law: str = "gaussian",
    channels: int | None = None,
    groups: int = 1,
) -> np.ndarray:
    """Filters (height, width, input channels a group, channels) of a layer, of deviation 1.

    But for their scale they are those of the network of that seed, of `channels` in every layer if
    these are given.
    """
    *below, conv = ARCHITECTURES[architecture].up_to(layer)
    inputs = (channels or below[-1].channels) if below else 3
    shape = (conv.kernel, conv.kernel, inputs // groups, channels or conv.channels)
    return draw_kernel(law, shape, std=1, rng=layer_rng(seed, ENCODER, len(below)))
