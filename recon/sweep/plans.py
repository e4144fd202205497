"""Layer plans of the study: one list of layers that is both simulated and computed with.

A plan leads from an image to its *hidden maps*, the input of the last layer. Two heads read them:
the linear one of the papers' networks (a random convolution to 3 channels) and their "variant",
the mean over the channels. Convolutions have stride 1, zero padding, no bias and a ReLU after
them, as in sections 4 and 5 of "Randomness in Deconvolutional Networks for Visual
Representation"; sides are halved and rounded up by a pool, and cropped after its upsampling.
"""

from dataclasses import dataclass
from typing import Literal

from rrstyle.config import NetworkConfig
from rrstyle.networks.build import stages

PoolKind = Literal["max", "average", "l2"]
UpsampleKind = Literal["zero", "nearest"]


@dataclass(frozen=True)
class Conv:
    """A convolution to `channels` maps by `kernel` x `kernel` filters, and a ReLU."""

    channels: int
    kernel: int = 3


@dataclass(frozen=True)
class Pool:
    """A pool of `size` x `size` windows side by side; those at the far border may be cut off."""

    kind: PoolKind = "max"
    size: int = 2


@dataclass(frozen=True)
class Upsample:
    """Undoes the latest pool that is not undone: to its input's size, by zeros or repetition."""

    kind: UpsampleKind = "zero"


Layer = Conv | Pool | Upsample


@dataclass(frozen=True)
class Plan:
    """The layers of a random CNN and of the DCN that mirrors it, without the last one.

    Attributes:
        encoder: Layers of the CNN.
        decoder: Layers of the DCN, without its last convolution.
        head_kernel: Side of that last convolution's filters, for the linear head.
    """

    encoder: tuple[Layer, ...]
    decoder: tuple[Layer, ...]
    head_kernel: int = 3

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All of them, image to hidden maps."""
        return self.encoder + self.decoder


def mirrored(
    encoder: tuple[Layer, ...], *, inputs: int = 3, upsampling: UpsampleKind = "zero"
) -> Plan:
    """The plan of an encoder and its mirror.

    Args:
        encoder: Layers of the CNN; the first is a convolution.
        inputs: Channels of the image.
        upsampling: What undoes the pools.

    Raises:
        ValueError: If the first layer is no convolution.
    """
    if not encoder or not isinstance(encoder[0], Conv):
        raise ValueError(f"encoder must start with a convolution; received {encoder!r}")
    decoder: list[Layer] = []
    channels = [inputs] + [layer.channels for layer in encoder if isinstance(layer, Conv)]
    for layer in reversed(encoder):
        if isinstance(layer, Conv):
            channels.pop()
            decoder.append(Conv(channels[-1], layer.kernel))
        else:
            decoder.append(Upsample(upsampling))
    head = decoder.pop()
    assert isinstance(head, Conv)
    return Plan(encoder, tuple(decoder), head.kernel)


def of_config(config: NetworkConfig) -> Plan:
    """The plan of the CNN and DCN that `rrstyle.networks.build` builds for a config.

    Raises:
        ValueError: If the config is none of the study's: strides, groups, reflected borders or
            leaky ReLUs.
    """
    encoder: list[Layer] = []
    for stage in stages(config):
        if stage.convolution.stride != 1 or stage.groups != 1:
            raise ValueError(f"architecture must be vgg16; received {config.architecture!r}")
        encoder.append(Conv(stage.channels, stage.kernel))
        if stage.pooled:
            encoder.append(Pool(config.pooling))
    for name, rule in (
        ("padding", "zero"),
        ("encoder_activation", "relu"),
        ("decoder_activation", "relu"),
    ):
        if getattr(config, name) != rule:
            raise ValueError(f"{name} must be {rule}; received {getattr(config, name)!r}")
    return mirrored(tuple(encoder), upsampling=config.upsampling)


def rr_vgg(
    layer: str,
    *,
    channels: int | None = None,
    kernel: int | None = None,
    tap: Literal["pre_pool", "post_pool"] = "pre_pool",
    upsampling: UpsampleKind = "zero",
) -> Plan:
    """rrVGG, both halves random: CDk of the papers is layer "conv<k>".

    Args:
        layer: "conv<i>_<j>", or "conv<i>" for the last one of block i.
        channels: Of every layer; by default VGG16's own.
        kernel: Side of every filter; by default 3.
        tap: Features before the pool that follows the layer (CDk), or after it (the CD1 of
            section 4.2: two convolutions, a pool, an upsampling, two convolutions).
        upsampling: What undoes the pools.

    Raises:
        ValueError: If VGG16 has no such layer.
    """
    config = NetworkConfig(
        layer=layer,
        channels=channels,
        kernel=kernel,
        tap=tap,
        padding="zero",
        upsampling=upsampling,
    )
    return of_config(config)


def at_full_size(plan: Plan) -> Plan:
    """The plan without its pools and upsamplings: every map keeps the size of the image."""

    def kept(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
        return tuple(layer for layer in layers if isinstance(layer, Conv))

    return Plan(kept(plan.encoder), kept(plan.decoder), plan.head_kernel)


def simplified(block: int, *, upsampling: UpsampleKind = "zero") -> Plan:
    """The simplified rrVGG: the data straight to Conv<block> of VGG16, and back.

    The papers give its maps the shape they have in VGG16 and do not say how. Here the pools that
    come before the block in VGG16 follow its first convolution, each with nothing between.

    Reference: Fig. 7, second row, of "Randomness in Deconvolutional Networks ..."; Fig. 10 (a) of
        its first version.
    """
    own = [s for s in stages(NetworkConfig(layer=f"conv{block}")) if s.convolution.block == block]
    first, *rest = [Conv(s.channels, s.kernel) for s in own]
    return mirrored((first, *[Pool()] * (block - 1), *rest), upsampling=upsampling)
