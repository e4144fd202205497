"""What the convolutions of a network cost: operations and numbers held, counted from its shapes."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ConvolutionShape:
    """A convolution with stride 1 on an input that is padded already."""

    size: tuple[int, int]  # (height, width) of the output
    kernel: int  # side of the filters
    inputs: int  # channels that go in
    channels: int  # channels that come out

    @property
    def operations(self) -> int:
        """Multiplications and additions."""
        return 2 * math.prod(self.size) * self.kernel**2 * self.inputs * self.channels

    @property
    def numbers(self) -> int:
        """Values of its output and of its kernel."""
        return (math.prod(self.size) + self.kernel**2 * self.inputs) * self.channels


def convolution_shapes(model, size: tuple[int, int]) -> list[ConvolutionShape]:
    """The convolutions that a network's plan makes of features of a size.

    Args:
        model: Plan of a network with one input, (batch, height, width, channels).
        size: (height, width) of that input.

    Returns:
        One for each `Conv2D` of the plan, in its order.
    """
    import keras  # late: the benchmarks' parents measure memory, and load no backend

    from rrstyle.networks.build import convolutions

    layers = convolutions(model)
    inputs = keras.Model(model.inputs, [layer.input for layer in layers])
    shapes = inputs.compute_output_shape((1, *size, model.inputs[0].shape[-1]))
    result = []
    for layer, (_, height, width, channels) in zip(layers, shapes, strict=True):
        kernel = layer.kernel_size[0]
        out = (height - kernel + 1, width - kernel + 1)
        result.append(ConvolutionShape(out, kernel, channels, layer.filters))
    return result
