"""The two architectures of the papers, as data."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Convolution:
    """One convolution: `block` and `index` name it conv<block>_<index>, counted from 1."""

    block: int
    index: int
    channels: int
    kernel: int = 3
    stride: int = 1
    groups: int = 1

    @property
    def name(self) -> str:
        return f"conv{self.block}_{self.index}"


@dataclass(frozen=True)
class Architecture:
    """A stack of convolutions with a pool of `pool_size`, stride 2, after some blocks."""

    name: str
    convolutions: tuple[Convolution, ...]
    pool_size: int
    pooled_blocks: frozenset[int]

    def up_to(self, layer: str) -> tuple[Convolution, ...]:
        """The convolutions up to and including `layer`.

        Args:
            layer: "conv<i>_<j>", or "conv<i>" for the last one of block i.

        Raises:
            ValueError: If the architecture has no such layer.
        """
        match = re.fullmatch(r"conv([1-9])(?:_([1-9]))?", layer)
        if match:
            block, index = match.groups()
            found = [
                position
                for position, c in enumerate(self.convolutions)
                if c.block == int(block) and index in (None, str(c.index))
            ]
            if found:
                return self.convolutions[: found[-1] + 1]
        first, last = self.convolutions[0].name, self.convolutions[-1].name
        raise ValueError(f"layer must be {first} to {last} of {self.name}; received {layer!r}")


# Simonyan & Zisserman 2015, configuration D.
VGG16 = Architecture(
    name="vgg16",
    convolutions=tuple(
        Convolution(block, index, channels)
        for block, (layers, channels) in enumerate(
            ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), start=1
        )
        for index in range(1, layers + 1)
    ),
    pool_size=2,
    pooled_blocks=frozenset({1, 2, 3, 4, 5}),
)

# Krizhevsky et al. 2012: strides and groups as published.
ALEXNET = Architecture(
    name="alexnet",
    convolutions=(
        Convolution(1, 1, 96, kernel=11, stride=4),
        Convolution(2, 1, 256, kernel=5, groups=2),
        Convolution(3, 1, 384),
        Convolution(4, 1, 384, groups=2),
        Convolution(5, 1, 256, groups=2),
    ),
    pool_size=3,
    pooled_blocks=frozenset({1, 2, 5}),
)

ARCHITECTURES = {a.name: a for a in (VGG16, ALEXNET)}
