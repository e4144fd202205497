"""Random networks of a plan run over pictures, and how alike what comes out is.

Groups of networks are evaluated on all pictures by one compiled call. On two CPU cores that is
up to twice as fast as a call a network; folding the networks into one grouped convolution was 1.2
to 2.4 times slower than running them in turn inside the call.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from recon import metrics
from recon.sweep.plans import Conv, Layer, Plan, Pool, Upsample
from rrstyle import backend
from rrstyle.networks.laws import DECODER, ENCODER, draw_kernel, layer_rng
from rrstyle.networks.layers import L2Pooling2D, ZeroInsertion2D

HEADS = ("linear", "mean")
# Of the largest layer's maps, for all pictures and networks of a call. A call holds about five
# times this.
_MAP_BYTES = 2**29

Kernels = tuple[np.ndarray, ...]


def draw_kernels(plan: Plan, *, law: str = "gaussian", std: float = 0.1, seed: int) -> Kernels:
    """Kernels of every convolution of a plan, the linear head's last.

    They are those that `rrstyle.networks.build` draws for the same plan and seed, each times a
    power of two that keeps the size of activations. Networks of ReLUs without biases only get
    scaled by that, and no bit of a picture changes that is brought to [0, 1] afterwards; without it
    26 layers leave the range of float32.

    Args:
        plan: Of an RGB image.
        law: See `rrstyle.networks.laws`.
        std: Their true standard deviation, before the scaling.
        seed: Names the network.
    """
    channels = 3
    kernels = []
    size = 0.0  # of activations, as a power of two, that layers so far leave
    for part, layers in ((ENCODER, plan.encoder), (DECODER, decoder_with_head(plan))):
        convolutions = [layer for layer in layers if isinstance(layer, Conv)]
        for position, layer in enumerate(convolutions):
            shape = (layer.kernel, layer.kernel, channels, layer.channels)
            rng = layer_rng(seed, part, position)
            kernel = draw_kernel(law, shape, std=std, rng=rng)
            size += math.log2(std * math.sqrt(math.prod(shape[:3]) / 2))
            kernels.append(kernel * np.float32(2.0 ** -round(size)))
            size -= round(size)
            channels = layer.channels
    return tuple(kernels)


def decoder_with_head(plan: Plan) -> tuple[Layer, ...]:
    """Layers of the DCN, its last convolution (to RGB) included."""
    return (*plan.decoder, Conv(3, plan.head_kernel))


def encode(plan: Plan, kernels: Kernels, images) -> tuple[Any, list[tuple[Any, Any]]]:
    """Features of the plan's CNN, and the (heights, widths) that its pools took away."""
    x, sizes = ops.convert_to_tensor(images), []
    remaining = iter(kernels)
    for layer in plan.encoder:
        if isinstance(layer, Conv):
            x = ops.relu(_convolve(x, next(remaining)))
        else:
            assert isinstance(layer, Pool)
            sizes.append((ops.shape(x)[1], ops.shape(x)[2]))
            x = _pool(x, layer)
    return x, sizes


def decode(plan: Plan, kernels: Kernels, features, sizes: Sequence[tuple[Any, Any]]):
    """Hidden maps of the plan's DCN, (batch, height, width, channels)."""
    factors = [layer.size for layer in plan.encoder if isinstance(layer, Pool)]
    pools = list(zip(factors, sizes, strict=True))
    convolutions = sum(isinstance(layer, Conv) for layer in plan.encoder)
    remaining = iter(kernels[convolutions:-1])
    x, inserted = features, None
    for layer in plan.decoder:
        if isinstance(layer, Conv):
            kernel = next(remaining)
            x = _convolve(x, kernel) if inserted is None else _convolve_inserted(*inserted, kernel)
            x, inserted = ops.relu(x), None
            continue
        assert isinstance(layer, Upsample)
        if inserted is not None:
            x, inserted = _insert_zeros(*inserted), None
        factor, size = pools.pop()
        if layer.kind == "zero":
            inserted = x, factor, size
        else:
            x = ops.repeat(ops.repeat(x, factor, axis=1), factor, axis=2)
            x = x[:, : size[0], : size[1]]
    return x if inserted is None else _insert_zeros(*inserted)


def hidden_maps(plan: Plan, kernels: Kernels, images):
    """Input of a plan's last layer, (batch, height, width, channels), as a tensor."""
    return decode(plan, kernels, *encode(plan, kernels, images))


def linear_head(hidden, kernel):
    """RGB by the last convolution: the papers' "original" network."""
    return _convolve(hidden, kernel)


def mean_head(hidden):
    """Grey by the mean over channels: the papers' "variant"."""
    return ops.mean(hidden, axis=-1, keepdims=True)


def groups(plan: Plan, networks: int, *, images: int, side: int) -> list[range]:
    """Networks 0 to `networks` - 1 in groups that one call evaluates on all images.

    As many as keep the maps of the largest layer within a fixed size, so that they depend on the
    experiment alone and never on the machine.
    """
    size = images * _largest_map(plan, (side, side))
    most = max(1, min(networks, _MAP_BYTES // size))
    return [range(first, min(first + most, networks)) for first in range(0, networks, most)]


def score(
    plans: Sequence[Plan], networks: Sequence[Kernels], images: np.ndarray
) -> list[list[dict[str, Any]]]:
    """How alike pictures and their reconstructions by random networks are.

    Args:
        plans: One, or several that differ in their decoders' upsampling: the encoder is run once.
        networks: Kernels, for all plans.
        images: (images, height, width, 3), float32 in [0, 1].

    Returns:
        For each plan and each network, float32 arrays (images,) by name: "ssim linear", "ssim
        mean", "pearson linear", "pearson mean", see `metrics.study_scores`, and "chroma" of the
        linear head, see `metrics.chroma_correlation`. NaN stands for undefined.
    """
    run = _compiled(tuple(plans))
    batch = _batch(plans[0], networks, images)
    parts = [
        run(tuple(networks), images[first : first + batch])
        for first in range(0, len(images), batch)
    ]
    return [
        [
            {
                key: np.concatenate([ops.convert_to_numpy(part[n][p][key]) for part in parts])
                for key in parts[0][n][p]
            }
            for n in range(len(networks))
        ]
        for p in range(len(plans))
    ]


def reconstruct(plan: Plan, kernels: Kernels, images: np.ndarray) -> dict[str, np.ndarray]:
    """What each head gives back: RGB (images, height, width, 3) and grey (..., 1), float32."""
    outputs = _compiled_outputs(plan)(tuple(kernels), images)
    return {head: ops.convert_to_numpy(x) for head, x in zip(HEADS, outputs, strict=True)}


@functools.lru_cache(maxsize=128)
def _compiled_outputs(plan: Plan):
    def run(kernels, images):
        hidden = hidden_maps(plan, kernels, images)
        return linear_head(hidden, kernels[-1]), mean_head(hidden)

    return _by_counts(run)


@functools.lru_cache(maxsize=128)
def _compiled(plans: tuple[Plan, ...]):
    def run(networks, images):
        truth = metrics.luminance(images)
        return [_scores(plans, kernels, images, truth) for kernels in networks]

    return _by_counts(run)


def _by_counts(run):
    """A function of (kernels, images), compiled for each number of both."""
    functions: dict[tuple[int, int], Any] = {}

    def call(kernels, images):
        key = len(kernels), len(images)
        if key not in functions:
            functions[key] = backend.jit(run, maps=(1,))
        return functions[key](kernels, images)

    return call


def _scores(plans: tuple[Plan, ...], kernels: Kernels, images, truth) -> list[dict[str, Any]]:
    features, sizes = encode(plans[0], kernels, images)
    found = []
    for plan in plans:
        hidden = decode(plan, kernels, features, sizes)
        colours = linear_head(hidden, kernels[-1])
        scores = {"chroma": metrics.chroma_correlation(images, colours)}
        outputs = metrics.luminance(colours), mean_head(hidden)
        for head, grey in zip(HEADS, outputs, strict=True):
            scores[f"ssim {head}"], scores[f"pearson {head}"] = metrics.study_scores(truth, grey)
        found.append(scores)
    return found


def _largest_map(plan: Plan, size: tuple[int, int]) -> int:
    """Bytes of one image's maps in the largest layer."""
    largest, pixels, before = 0, math.prod(size), []
    channels = 3
    for layer in plan.layers:
        if isinstance(layer, Conv):
            channels = layer.channels
        elif isinstance(layer, Pool):
            before.append(pixels)
            pixels = -(-pixels // layer.size**2)
        else:
            pixels = before.pop()
        largest = max(largest, 4 * channels * pixels)
    return largest


def _batch(plan: Plan, networks: Sequence[Kernels], images: np.ndarray) -> int:
    """Images of one call: the largest divisor of their number that memory allows."""
    size = images.shape[1], images.shape[2]
    most = max(1, _MAP_BYTES // (len(networks) * _largest_map(plan, size)))
    return max(n for n in range(1, len(images) + 1) if len(images) % n == 0 and n <= most)


def _pool(x, layer: Pool):
    if layer.kind == "l2":
        return L2Pooling2D(layer.size)(x)
    pool = ops.max_pool if layer.kind == "max" else ops.average_pool
    # strides in words: their default is broken on JAX in Keras 3.15
    return pool(x, layer.size, strides=layer.size, padding="same")


def _convolve(x, kernel):
    return ops.conv(x, kernel, padding="same")


def _insert_zeros(x, factor: int, size: tuple[Any, Any]):
    return ZeroInsertion2D(factor)(x)[:, : size[0], : size[1]]


def _convolve_inserted(x, factor: int, size: tuple[Any, Any], kernel: np.ndarray):
    """The convolution of a zero-inserted map, without the products with its zeros.

    A strided transposed convolution by the flipped filters; three to five times as fast.
    """
    side = kernel.shape[0]
    start = side // 2
    if side - start < factor:  # the transposed one ends before the zeros at the far border do
        return _convolve(_insert_zeros(x, factor, size), kernel)
    flipped = ops.transpose(ops.flip(kernel, axis=(0, 1)), (0, 1, 3, 2))
    whole = ops.conv_transpose(x, flipped, strides=factor, padding="valid")
    return whole[:, start : start + size[0], start : start + size[1]]
