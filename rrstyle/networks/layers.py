"""Keras layers, and the initialiser, that the networks need and Keras does not have.

Shapes are (batch, height, width, channels); heights and widths may be unknown when a model is
built. Importing this file registers them all, so that saved .keras files can be loaded.
"""

import keras
from keras import ops

from rrstyle.networks.laws import check_seed, draw_kernel, layer_rng


def _ceil_div(size, factor):
    # Not -(-size // factor): in ONNX a division of integers rounds towards zero.
    return None if size is None else (size + factor - 1) // factor


class _Resizing(keras.layers.Layer):
    """A layer whose output sides are `side` of those of its input, None where unknown.

    Keras cannot find them out: JAX refuses to pad or reshape what has no known size.
    """

    def side(self, size):
        raise NotImplementedError

    def compute_output_shape(self, shape):
        return (shape[0], *(None if s is None else self.side(s) for s in shape[1:3]), shape[3])


@keras.saving.register_keras_serializable(package="rrstyle")
class RandomLaw(keras.initializers.Initializer):
    """Draws a kernel by `laws.draw_kernel` and `laws.layer_rng`: one on every backend."""

    def __init__(self, law: str, std: float, *, seed: int, path: tuple[int, ...]):
        self.law, self.std, self.seed, self.path = law, std, check_seed(seed), tuple(path)

    def __call__(self, shape, dtype=None):
        rng = layer_rng(self.seed, *self.path)
        kernel = draw_kernel(self.law, tuple(shape), std=self.std, rng=rng)
        return ops.convert_to_tensor(kernel, dtype=dtype)

    def get_config(self):
        return {"law": self.law, "std": self.std, "seed": self.seed, "path": list(self.path)}


@keras.saving.register_keras_serializable(package="rrstyle")
class ReflectPadding2D(_Resizing):
    """Pads for a convolution of side `kernel` so that its output keeps the size.

    The border pixel is not repeated (`abc` becomes `cbabcb`). For an even kernel the larger half
    goes to the bottom right, as in "same" padding. Inputs need more than kernel // 2 pixels a side.
    """

    def __init__(self, kernel: int, **kwargs):
        super().__init__(**kwargs)
        self.kernel = kernel

    def call(self, x):
        before, after = (self.kernel - 1) // 2, self.kernel // 2
        if before == after == 0:
            return x
        return ops.pad(x, ((0, 0), (before, after), (before, after), (0, 0)), mode="reflect")

    def side(self, size):
        return size + self.kernel - 1


@keras.saving.register_keras_serializable(package="rrstyle")
class ZeroInsertion2D(_Resizing):
    """Upsampling by zeros: each value at the top left of a `factor` x `factor` block of zeros.

    The adjoint of subsampling by `factor` (paper 003, "fixed upsampling").
    """

    def __init__(self, factor: int = 2, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        batch, height, width, channels = ops.shape(x)
        x = ops.reshape(x, (batch, height, 1, width, 1, channels))
        zeros = (0, self.factor - 1)
        x = ops.pad(x, ((0, 0), (0, 0), zeros, (0, 0), zeros, (0, 0)))
        return ops.reshape(x, (batch, self.side(height), self.side(width), channels))

    def side(self, size):
        return size * self.factor


@keras.saving.register_keras_serializable(package="rrstyle")
class ZeroInsertedConv2D(keras.layers.Conv2D):
    """`ZeroInsertion2D` and a zero-padded convolution in one, without the products with zeros.

    A transposed convolution with stride `factor` by the flipped filters: three to five times as
    fast as the two layers. See `covers` for the least side of the filters.
    """

    def __init__(self, filters, kernel_size, *, factor: int, **kwargs):
        super().__init__(filters, kernel_size, **{**kwargs, "padding": "same"})
        self.factor = factor

    @staticmethod
    def covers(kernel: int, factor: int) -> bool:
        """Whether the transposed convolution reaches the zeros at the far border."""
        return kernel - kernel // 2 >= factor

    def convolution_op(self, inputs, kernel):
        _, height, width, _ = ops.shape(inputs)
        start, factor = self.kernel_size[0] // 2, self.factor
        flipped = ops.transpose(ops.flip(kernel, axis=(0, 1)), (0, 1, 3, 2))
        whole = ops.conv_transpose(inputs, flipped, strides=factor, padding="valid")
        return whole[:, start : start + height * factor, start : start + width * factor]

    def compute_output_shape(self, shape):
        sides = (None if s is None else s * self.factor for s in shape[1:3])
        return (shape[0], *sides, self.filters)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable(package="rrstyle")
class CropTo(keras.layers.Layer):
    """Crops the first input, from the bottom right, to 1 / `factor` (rounded up) of the second.

    Pooling by 2 turns 227 pixels into 114, and doubling gives 228: this crops the last one.
    """

    def __init__(self, factor: int = 1, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        x, reference = inputs
        _, height, width, _ = ops.shape(reference)
        return x[:, : _ceil_div(height, self.factor), : _ceil_div(width, self.factor), :]

    def compute_output_shape(self, shapes):
        shape, reference = shapes
        return (shape[0], *(_ceil_div(s, self.factor) for s in reference[1:3]), shape[3])


@keras.saving.register_keras_serializable(package="rrstyle")
class L2Pooling2D(_Resizing):
    """l2-norm pooling: the square root of the sum of squares over each window, in pixels.

    Windows past the border hold what is inside: sides are divided by the stride, rounded up.

    Reference: the pooling of Theorem 5.1, "Randomness in Deconvolutional Networks".
    """

    def __init__(self, pool_size: int = 2, stride: int = 2, **kwargs):
        super().__init__(**kwargs)
        self.pool_size, self.stride = pool_size, stride

    def call(self, x):
        ones = ops.ones((self.pool_size, self.pool_size, 1, 1), dtype=x.dtype)
        # One convolution over (batch * channels) maps: depthwise is slow on some CPU backends.
        batch, height, width, channels = ops.shape(x)
        maps = ops.reshape(ops.transpose(x, (0, 3, 1, 2)), (-1, height, width, 1))
        sums = ops.conv(ops.square(maps), ones, strides=self.stride, padding="same")
        sums = ops.reshape(sums, (batch, channels, self.side(height), self.side(width)))
        # The tiny constant keeps the gradient finite where a window is all zero.
        return ops.sqrt(ops.transpose(sums, (0, 2, 3, 1)) + 1e-30)

    def side(self, size):
        return _ceil_div(size, self.stride)


@keras.saving.register_keras_serializable(package="rrstyle")
class BlurPool2D(_Resizing):
    """Anti-aliased halving: the binomial filter [1 3 3 1] / 8 each way, then every second pixel.

    Sizes are halved and rounded up; borders are reflected. Inputs need 3 pixels a side.

    Reference: Zhang, "Making Convolutional Networks Shift-Invariant Again", 2019.
    """

    def call(self, x):
        # A dense convolution with a diagonal kernel: depthwise is far slower on the JAX CPU
        # backend, sums of strided slices on TensorFlow's, and the channels are few.
        taps = ops.convert_to_tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype) / 8
        window = ops.reshape(taps, (4, 1, 1, 1)) * ops.reshape(taps, (1, 4, 1, 1))
        kernel = window * ops.eye(x.shape[-1], dtype=x.dtype)
        x = ops.pad(x, ((0, 0), (1, 2), (1, 2), (0, 0)), mode="reflect")
        return ops.conv(x, kernel, strides=2, padding="valid")

    def side(self, size):
        return _ceil_div(size, 2)
