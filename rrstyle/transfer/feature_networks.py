"""Networks whose statistics an optimised FVT matches, on top of Conv1_2 features.

`pyramid`: an anti-aliased pyramid of the features, random 3x3 and 7x7 filters at each level.
`vgg`: Conv2 to Conv5 of VGG16, as in appendix A.4 of the paper's 2020 version, with average
pooling in place of max, as Gatys et al. 2016 found better: through max pools, and random
filters above all, most pixels get no gradient, and the result is covered with noise.
"""

import functools
from dataclasses import dataclass

import keras

from rrstyle.networks.build import SharedNetwork, activate, convolve, draw_weights, pool
from rrstyle.networks.laws import TRANSFER
from rrstyle.networks.layers import BlurPool2D
from rrstyle.networks.plan import VGG16, Conv, Pool

PYRAMID_LEVELS = 4
PYRAMID_FILTERS = 64
PYRAMID_KERNELS = (3, 7)
_SMALLEST_LEVEL = 8  # pixels a side: 7x7 filters need 4 to reflect, statistics need some more


@dataclass(frozen=True)
class FeatureNetwork:
    """A network of statistics."""

    network: SharedNetwork  # from features to a list of maps, all of which carry style
    content: tuple[int, ...]  # positions of those that carry content


def pyramid_levels(height: int, width: int) -> int:
    """Levels of the pyramid that an image of this size has room for."""
    levels, side = 1, min(height, width)
    while levels < PYRAMID_LEVELS and side // 2 >= _SMALLEST_LEVEL:
        levels, side = levels + 1, side // 2
    return levels


@functools.lru_cache(maxsize=16)
def _pyramid_model(channels: int, levels: int, dtype: str) -> keras.Model:
    policy = _policy(dtype)
    outputs = []
    features = x = keras.Input((None, None, channels))
    for level in range(levels):
        outputs.append(x)
        for kernel in PYRAMID_KERNELS:
            filters = Conv(PYRAMID_FILTERS, kernel, name=f"level{level}_kernel{kernel}")
            outputs.append(activate(convolve(x, filters, dtype=policy), "relu", policy))
        if level < levels - 1:
            x = BlurPool2D()(x)
    return keras.Model(features, outputs)


@functools.lru_cache(maxsize=16)
def _vgg_model(channels: int, pooled: bool, dtype: str) -> keras.Model:
    policy = _policy(dtype)
    names = [layer.name if isinstance(layer, Conv) else "" for layer in VGG16.layers]
    first, last = names.index("conv2_1") - (not pooled), names.index("conv5_1")
    outputs = []
    features = x = keras.Input((None, None, channels))
    for layer in VGG16.layers[first : last + 1]:
        if isinstance(layer, Pool):
            x = pool(x, Pool("average", layer.size), policy)
            continue
        x = activate(convolve(x, layer, dtype=policy), "relu", policy)
        if layer.name.endswith("_1"):
            outputs.append(x)
    return keras.Model(features, outputs)


def _policy(dtype: str) -> keras.DTypePolicy:
    # Weights stay float32; a layer casts them and its input.
    return keras.DTypePolicy("mixed_bfloat16" if dtype == "bfloat16" else "float32")


def pyramid_network(
    channels: int, *, size: tuple[int, int], seed: int, dtype: str
) -> FeatureNetwork:
    """The random pyramid of features.

    Its outputs at each level are the features themselves and the two filter banks; the features
    of the first two levels are the content.

    Args:
        channels: Number of channels of the features.
        size: Height and width of the smallest features it will see: sets the number of levels.
        seed: Non-negative integer that names the filters.
        dtype: "float32" or "bfloat16", of the convolutions.
    """
    levels = pyramid_levels(*size)
    model = _pyramid_model(channels, levels, dtype)
    step = 1 + len(PYRAMID_KERNELS)
    content = tuple(step * level for level in range(min(levels, 2)))
    weights = draw_weights(model, "he", 1.0, seed, TRANSFER)
    return FeatureNetwork(SharedNetwork(model, weights), content)


def vgg_network(
    channels: int, *, pooled: bool, seed: int, dtype: str, weights: tuple | None = None
) -> FeatureNetwork:
    """Conv2 to Conv5 of VGG16 on Conv1_2 features: its outputs are conv2_1, 3_1, 4_1 and 5_1.

    Args:
        channels: Number of channels of the features.
        pooled: Switch for features taken after pool 1; otherwise that pool comes first.
        seed: Non-negative integer that names the random filters.
        dtype: "float32" or "bfloat16", of the convolutions.
        weights: Trained weights in the order of the layers, in place of random ones.
    """
    model = _vgg_model(channels, pooled, dtype)
    weights = weights or draw_weights(model, "he", 1.0, seed, TRANSFER)
    return FeatureNetwork(SharedNetwork(model, weights), (0,))
