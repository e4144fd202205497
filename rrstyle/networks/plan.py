"""The one description of a network, for building, simulation and theory.

This file imports nothing heavy: the configs check their layer names with it.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rrstyle.config import NetworkConfig

PoolKind = Literal["max", "average", "l2"]
UpsampleKind = Literal["zero", "nearest"]
Activation = Literal["relu", "leaky_relu"]


@dataclass(frozen=True)
class Conv:
    """A convolution with `kernel` x `kernel` filters to `channels` maps, then the activation.

    Its name is "conv<block>_<index>" in an architecture, "" where nothing refers to it.
    """

    channels: int
    kernel: int = 3
    stride: int = 1
    groups: int = 1
    name: str = ""


@dataclass(frozen=True)
class Pool:
    """A pool of `size` x `size` windows, `step` pixels apart, by default side by side.

    Windows at the far border may be cut off.
    """

    kind: PoolKind = "max"
    size: int = 2
    step: int | None = None

    @property
    def stride(self) -> int:
        """Factor by which sides shrink, rounded up."""
        return self.step or self.size


@dataclass(frozen=True)
class Upsample:
    """Undoes the most recent stride that is not yet undone: back to the size before it.

    "zero" puts each value on the first pixel of its block, "nearest" on all of them.
    """

    kind: UpsampleKind = "zero"


Layer = Conv | Pool | Upsample


@dataclass(frozen=True)
class Plan:
    """A CNN and the DCN that mirrors it. The defaults are the papers' random networks.

    Attributes:
        encoder: Layers of the CNN.
        decoder: Layers of the DCN without the last one.
        head: Last layer of the DCN: a linear convolution to the image's channels.
        padding: Border of every convolution.
        biases: Switch for a bias in every convolution.
    """

    encoder: tuple[Conv | Pool, ...]
    decoder: tuple[Layer, ...]
    head: Conv = Conv(3)
    padding: Literal["reflect", "zero"] = "zero"
    encoder_activation: Activation = "relu"
    decoder_activation: Activation = "relu"
    biases: bool = False

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers from the image to the hidden maps, which are the input of the head."""
        return self.encoder + self.decoder

    @property
    def features(self) -> int:
        """Channels of the CNN's features."""
        return next(c.channels for c in reversed(self.encoder) if isinstance(c, Conv))

    @property
    def reduction(self) -> int:
        """Factor by which the CNN divides sides, rounded up."""
        return math.prod(layer.stride for layer in self.encoder)

    @property
    def halo(self) -> int | None:
        """Pixels around a pixel that CNN and DCN see; None where a CNN divides sides."""
        if self.reduction > 1:
            return None
        layers = (*self.layers, self.head)
        return sum(layer.kernel // 2 for layer in layers if isinstance(layer, Conv))

    @property
    def minimum_side(self) -> int:
        """Fewest pixels a side that an image needs for the borders of all layers to be padded."""
        if self.padding == "zero":
            return 1
        side, factor = 1, 1
        for layer in self.encoder:
            if isinstance(layer, Conv):
                # Reflection needs ceil(side / factor) > kernel // 2, here and, at the same size,
                # in the mirrored convolution of the DCN.
                side = max(side, factor * (layer.kernel // 2) + 1)
            factor *= layer.stride
        return side


def kernel_shapes(layers: Iterable[Layer], inputs: int) -> list[tuple[int, int, int, int]]:
    """Shapes (height, width, input channels a group, output channels) of the convolutions.

    The first of the layers gets `inputs` channels.
    """
    shapes = []
    for c in layers:
        if isinstance(c, Conv):
            shapes.append((c.kernel, c.kernel, inputs // c.groups, c.channels))
            inputs = c.channels
    return shapes


def mirrored(
    encoder: tuple[Conv | Pool, ...], *, inputs: int = 3, upsampling: UpsampleKind = "zero"
) -> Plan:
    """The plan of a CNN for images of `inputs` channels, and of its mirror image.

    Where strides follow each other in the CNN, as in AlexNet's conv1 and pool1, its mirror has a
    convolution of the least side that fills the gaps between them, 2 stride - 1: zeros inserted at
    once for both would leave pixels of the image that no feature reaches.

    Reference: Dosovitskiy and Brox, "Inverting Visual Representations with Convolutional
        Networks", 2016: a convolution behind each upsampling.

    Raises:
        ValueError: If the first layer is no convolution, or a pool has stride 1.
    """
    if not encoder or not isinstance(encoder[0], Conv):
        raise ValueError(f"encoder must start with a convolution; received {encoder!r}")
    decoder: list[Layer] = []
    channels = [inputs] + [layer.channels for layer in encoder if isinstance(layer, Conv)]
    undone = 1  # stride of the upsampling that no convolution follows yet
    for layer in reversed(encoder):
        if layer.stride > 1:
            if undone > 1:
                decoder.append(Conv(channels[-1], 2 * undone - 1))
            decoder.append(Upsample(upsampling))
            undone = layer.stride
        if isinstance(layer, Conv):
            undone = 1
            channels.pop()
            name = layer.name and f"de{layer.name}"
            decoder.append(replace(layer, channels=channels[-1], stride=1, name=name))
        elif layer.stride == 1:
            raise ValueError(f"pools must have a stride of at least 2; received {layer!r}")
    head = decoder.pop()
    assert isinstance(head, Conv)
    return Plan(encoder, tuple(decoder), head)


@dataclass(frozen=True)
class Architecture:
    """A published CNN, without its dense layers."""

    name: str
    layers: tuple[Conv | Pool, ...]

    @property
    def convolutions(self) -> tuple[Conv, ...]:
        """The convolutions, data to features."""
        return tuple(layer for layer in self.layers if isinstance(layer, Conv))

    def up_to(self, layer: str) -> tuple[Conv, ...]:
        """The convolutions to `layer`: "conv<i>_<j>", or "conv<i>" for the last of block i.

        Raises:
            ValueError: If the architecture has no such layer.
        """
        for end in range(len(self.convolutions), 0, -1):
            if f"{self.convolutions[end - 1].name}_".startswith(f"{layer}_"):
                return self.convolutions[:end]
        first, last = self.convolutions[0].name, self.convolutions[-1].name
        raise ValueError(f"layer must be {first} to {last} of {self.name}; received {layer!r}")


def _vgg_layers(*blocks: tuple[int, int]) -> Iterator[Conv | Pool]:
    for number, (convolutions, channels) in enumerate(blocks, start=1):
        for index in range(1, convolutions + 1):
            yield Conv(channels, name=f"conv{number}_{index}")
        yield Pool()


# Simonyan & Zisserman 2015, configuration D.
VGG16 = Architecture("vgg16", tuple(_vgg_layers((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))))

# Krizhevsky et al. 2012: strides and groups as published.
ALEXNET = Architecture(
    "alexnet",
    (
        Conv(96, kernel=11, stride=4, name="conv1_1"),
        Pool(size=3, step=2),
        Conv(256, kernel=5, groups=2, name="conv2_1"),
        Pool(size=3, step=2),
        Conv(384, name="conv3_1"),
        Conv(384, groups=2, name="conv4_1"),
        Conv(256, groups=2, name="conv5_1"),
        Pool(size=3, step=2),
    ),
)

ARCHITECTURES = {a.name: a for a in (VGG16, ALEXNET)}


def plan_of(config: "NetworkConfig") -> Plan:
    """The plan that a config describes.

    Raises:
        ValueError: If the channels cannot be split into the architecture's groups.
    """
    architecture = ARCHITECTURES[config.architecture]
    last = architecture.layers.index(architecture.up_to(config.layer)[-1])
    # A tap at conv1_1 of VGG16 lies inside a block: no pool follows it.
    pooled = config.tap == "post_pool" and isinstance(architecture.layers[last + 1], Pool)
    encoder: list[Conv | Pool] = []
    inputs = 3
    for layer in architecture.layers[: last + 1 + pooled]:
        if isinstance(layer, Pool):
            encoder.append(replace(layer, kind=config.pooling))
            continue
        channels = config.channels or layer.channels
        if channels % layer.groups or inputs % layer.groups:
            raise ValueError(
                f"channels must be a multiple of {layer.groups}, the groups of {layer.name};"
                f" received {channels}"
            )
        encoder.append(replace(layer, channels=channels, kernel=config.kernel or layer.kernel))
        inputs = channels
    return replace(
        mirrored(tuple(encoder), upsampling=config.upsampling),
        padding=config.padding,
        encoder_activation=config.encoder_activation,
        decoder_activation=config.decoder_activation,
        biases=True,
    )
