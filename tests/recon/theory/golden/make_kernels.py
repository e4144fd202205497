"""Makes the .npz beside it with neural-tangents; see the README here. Not run by the tests.

python make_kernels.py
"""

from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)

import numpy as np  # noqa: E402
from neural_tangents import stax  # noqa: E402

STD = 0.1


def convolution(side):
    # nngp of a convolution: W_std^2 times the mean over the window; ours: std^2 times its sum.
    return stax.Conv(1, (side, side), padding="SAME", W_std=STD * side, b_std=None)


def from_zero_insertion(side):
    # Transposed with stride 2: a zero insertion, each value at the bottom right of its block, and
    # a convolution of stride 1.
    return stax.ConvTranspose(
        1, (side, side), strides=(2, 2), padding="SAME", W_std=STD * side, b_std=None
    )


def average_pool():
    return stax.AvgPool((2, 2), strides=(2, 2), padding="SAME", normalize_edges=True)


RELU = stax.Relu()

# Each with the height, width and channels of its image and whether it has a zero insertion.
NETS = {
    "conv3": ([convolution(3), RELU], (6, 6, 1), False),
    "conv3_conv5_conv3": (
        [convolution(3), RELU, convolution(5), RELU, convolution(3), RELU],
        (6, 8, 3),
        False,
    ),
    "conv3_pool_conv3": (
        [convolution(3), RELU, average_pool(), convolution(3), RELU],
        (10, 8, 1),
        False,
    ),
    "conv3_pool_conv3_odd_sides": (
        [convolution(3), RELU, average_pool(), convolution(3), RELU],
        (7, 9, 3),
        False,
    ),
    "conv3_pool_insert_conv3": (
        [convolution(3), RELU, average_pool(), from_zero_insertion(3), RELU],
        (8, 6, 1),
        True,
    ),
    "conv3_conv3_pool_insert_conv3_conv3": (
        [
            *(convolution(3), RELU, convolution(3), RELU, average_pool()),
            *(from_zero_insertion(3), RELU, convolution(3), RELU),
        ],
        (6, 8, 3),
        True,
    ),
}


def kernel_of(layers, image, *, turned):
    """(pixels, pixels) of an image, in the conventions of recon.theory."""
    # Turned by half a turn, the bottom right of a block is its top left.
    given = image[::-1, ::-1] if turned else image
    _, _, kernel_fn = stax.serial(*layers)
    kernel = kernel_fn(given[None].copy(), None, diagonal_spatial=False)
    # Axes: both images, then height, height', width, width'; after an odd number of convolutions
    # the width comes first.
    products = np.asarray(kernel.nngp)[0, 0]
    if kernel.is_reversed:
        products = products.transpose(2, 3, 0, 1)
    products = products.transpose(0, 2, 1, 3)
    if turned:
        products = products[::-1, ::-1, ::-1, ::-1]
    height, width = products.shape[:2]
    # Theirs starts from the mean over the channels of the image, ours from the sum.
    return image.shape[2] * products.reshape(height * width, height * width)


def main():
    rng = np.random.default_rng(0)
    arrays = {"std": np.float64(STD)}
    for name, (layers, shape, turned) in NETS.items():
        image = rng.random(shape)
        arrays[f"{name}/image"] = image
        arrays[f"{name}/kernel"] = kernel_of(layers, image, turned=turned)
    np.savez_compressed(Path(__file__).with_name("kernels.npz"), **arrays)


if __name__ == "__main__":
    main()
