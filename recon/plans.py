"""Plans of the study's random networks.

Stride 1, zero padding, no bias and a ReLU after every convolution but the last, as in sections 4
and 5 of "Randomness in Deconvolutional Networks for Visual Representation". Two heads read the
input of the last layer, the hidden maps: the papers' linear one, and their "variant", the mean over
the channels.
"""

from dataclasses import replace
from typing import Literal

from rrstyle.config import NetworkConfig
from rrstyle.networks.plan import VGG16, Conv, Plan, Pool, UpsampleKind, mirrored, plan_of


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
        layer: "conv<i>_<j>", or "conv<i>" for the last one of block i; else ValueError.
        channels, kernel: Of every layer, and its filters' side in pixels; by default VGG16's own.
        tap: Features before the pool that follows the layer (CDk), or after it (the CD1 of
            section 4.2: two convolutions, a pool, an upsampling, two convolutions).
    """
    config = NetworkConfig(layer=layer, tap=tap, padding="zero", upsampling=upsampling)
    plan = plan_of(replace(config, channels=channels, kernel=kernel))
    return replace(plan, biases=False)


def at_full_size(plan: Plan) -> Plan:
    """The plan without its pools and upsamplings: every map keeps the size of the image."""
    encoder = tuple(layer for layer in plan.encoder if isinstance(layer, Conv))
    mirror = mirrored(encoder, inputs=plan.head.channels)
    return replace(plan, encoder=encoder, decoder=mirror.decoder, head=mirror.head)


def simplified(block: int, *, upsampling: UpsampleKind = "zero") -> Plan:
    """The simplified rrVGG: the data straight to Conv<block> of VGG16, and back.

    The papers give its maps the shape they have in VGG16 and do not say how. Here the pools that
    come before the block in VGG16 follow its first convolution, each with nothing between; in the
    DCN, as `mirrored` has it, a convolution lies between their upsamplings.

    Reference: Fig. 7, second row, of "Randomness in Deconvolutional Networks ..."; Fig. 10 (a) of
        its first version.
    """
    first, *rest = (c for c in VGG16.convolutions if c.name.startswith(f"conv{block}_"))
    return mirrored((first, *[Pool()] * (block - 1), *rest), upsampling=upsampling)
