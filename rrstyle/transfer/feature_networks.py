"""Networks whose statistics an optimised FVT matches, on top of Conv1_2 features.

`pyramid`: an anti-aliased pyramid of the features, random 3x3 and 7x7 filters at each level.
`vgg`: the layers of VGG16 that come after the CNN's, Conv2 to Conv5 in appendix A.4 of the paper's
2020 version. Pools are averages by default, as Gatys et al. 2016 found better: through max pools,
and random filters above all, most pixels get no gradient, and the result is covered with noise.
"""

import functools
from dataclasses import dataclass, replace

import keras

from rrstyle.config import StyleConfig
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

    network: SharedNetwork  # from features to a list of maps
    content: tuple[int, ...]  # positions of those that carry content
    style: tuple[int, ...]  # positions of those that carry style


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
def _vgg_model(channels: int, part: "VggPart", dtype: str) -> keras.Model:
    policy = _policy(dtype)
    found = {}
    features = x = keras.Input((None, None, channels))
    for layer in part.layers:
        if isinstance(layer, Pool):
            x = pool(x, layer, policy)
        else:
            found[layer.name] = x = activate(convolve(x, layer, dtype=policy), "relu", policy)
    return keras.Model(features, [found[name] for name in part.taps])


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
    return FeatureNetwork(SharedNetwork(model, weights), content, tuple(range(step * levels)))


@dataclass(frozen=True)
class VggPart:
    """The layers of VGG16 that an FVT runs, and those whose outputs it compares."""

    layers: tuple[Conv | Pool, ...]  # from the CNN's features to the last of those compared
    content: tuple[str, ...]
    style: tuple[str, ...]

    @property
    def taps(self) -> tuple[str, ...]:
        """Names of the layers compared, each once."""
        return tuple(dict.fromkeys(self.content + self.style))


def vgg_part(config: StyleConfig) -> VggPart:
    """What is left of VGG16 above the CNN of a style transfer: no layer is run twice.

    Raises:
        ValueError: If the CNN is no VGG16 or leaves no layer, or a layer of the losses is not left.
    """
    encoder, chosen = config.encoder, config.optimise
    if encoder.architecture != VGG16.name:
        rule = f"architecture must be {VGG16.name} for network vgg"
        raise ValueError(f"{rule}; received {encoder.architecture!r}")
    lowest = VGG16.up_to(encoder.layer)[-1]
    left = VGG16.layers[VGG16.layers.index(lowest) + 1 :]
    if encoder.tap == "post_pool" and isinstance(left[0], Pool):
        left = left[1:]
    names = [layer.name for layer in left if isinstance(layer, Conv)]
    if not names:
        rule = "layer must leave one of VGG16's to network vgg"
        raise ValueError(f"{rule}; received {encoder.layer!r}")
    blocks = {name.partition("_")[0]: name for name in reversed(names)}
    firsts = tuple(name for block, name in sorted(blocks.items()) if block != "conv1")
    layers = {
        "content_layers": chosen.content_layers or firsts[:1],
        "style_layers": chosen.style_layers or firsts,
    }
    for setting, wanted in layers.items():
        if lost := [name for name in wanted if name not in names]:
            rule = f"{setting} must come after {lowest.name}, the last layer of the CNN"
            raise ValueError(f"{rule}; received {lost[0]!r}")
    last = max((name for wanted in layers.values() for name in wanted), key=names.index)
    end = [layer.name if isinstance(layer, Conv) else "" for layer in left].index(last)
    run = tuple(
        replace(layer, kind=chosen.pooling) if isinstance(layer, Pool) else layer
        for layer in left[: end + 1]
    )
    return VggPart(run, *layers.values())


def vgg_network(
    channels: int, config: StyleConfig, *, seed: int, dtype: str, weights: tuple | None = None
) -> FeatureNetwork:
    """The layers of VGG16 above the CNN, see `vgg_part`, after Conv1_2 those of Conv2 to Conv5.

    Args:
        channels: Number of channels of the features.
        config: Settings of the transfer.
        seed: Non-negative integer that names the random filters.
        dtype: "float32" or "bfloat16", of the convolutions.
        weights: Trained weights in the order of the layers, in place of random ones.
    """
    part = vgg_part(config)
    model = _vgg_model(channels, part, dtype)
    weights = weights or draw_weights(model, "he", 1.0, seed, TRANSFER)
    places = (tuple(map(part.taps.index, names)) for names in (part.content, part.style))
    return FeatureNetwork(SharedNetwork(model, weights), *places)
