"""Random networks of a plan run over pictures, and how alike what comes out is.

One CNN and one DCN a plan, Keras models of `rrstyle.networks.build`, get the kernels of each
network in turn. A compiled call evaluates a group of networks on all pictures: on two CPU cores up
to twice as fast as a call a network, and 1.2 to 2.4 times as fast as one grouped convolution.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from recon import metrics
from rrstyle import backend
from rrstyle.networks.build import decoder_model, encoder_model, hidden_model
from rrstyle.networks.laws import DECODER, ENCODER, draw_kernel, layer_rng
from rrstyle.networks.plan import Conv, Plan, Upsample, kernel_shapes

HEADS = ("linear", "mean")
# Of the largest layer's maps, for all pictures and networks of a call. A call holds about five
# times this.
_MAP_BYTES = 2**29
_NOISE_SEED = 0  # of the noise that SSIM is compared with: the same for all networks

Kernels = tuple[np.ndarray, ...]


def draw_kernels(plan: Plan, *, law: str = "gaussian", std: float = 0.1, seed: int) -> Kernels:
    """Kernels of every convolution of a plan, the linear head's last.

    They are those of `build_cnn` and `build_dcn` for the same plan and seed, each times a power
    of two that keeps the size of activations: 26 layers would leave the range of float32. Networks
    of ReLUs without biases are only scaled by that, which a picture stretched to [0, 1] loses.
    `std` is the true standard deviation of the law before it.
    """
    shapes = {
        ENCODER: kernel_shapes(plan.encoder, plan.head.channels),
        DECODER: kernel_shapes((*plan.decoder, plan.head), plan.features),
    }
    kernels = []
    size = 0.0  # of activations, as a power of two, that layers so far leave
    for part, found in shapes.items():
        for position, shape in enumerate(found):
            kernel = draw_kernel(law, shape, std=std, rng=layer_rng(seed, part, position))
            size += math.log2(std * math.sqrt(math.prod(shape[:3]) / 2))
            kernels.append(kernel * np.float32(2.0 ** -round(size)))
            size -= round(size)
    return tuple(kernels)


_cnn = functools.lru_cache(maxsize=128)(encoder_model)


@functools.lru_cache(maxsize=128)
def _hidden(plan: Plan) -> keras.Model:
    return hidden_model(decoder_model(plan))


def _encode(plan: Plan, kernels: Kernels, images):
    model = _cnn(plan)
    weights = list(kernels[: len(model.trainable_variables)])
    return model.stateless_call(weights, [], images)[0]


def _decode(plan: Plan, kernels: Kernels, features, images):
    """Hidden maps of the plan's DCN; of the images only the size is used."""
    model = _hidden(plan)
    weights = list(kernels[-1 - len(model.trainable_variables) : -1])
    return model.stateless_call(weights, [], [features, images])[0]


def hidden_maps(plan: Plan, kernels: Kernels, images):
    """Input of a plan's last layer, (batch, height, width, channels), as a tensor."""
    images = ops.convert_to_tensor(images)
    return _decode(plan, kernels, _encode(plan, kernels, images), images)


def linear_head(hidden, kernel):
    """RGB by the last convolution: the papers' "original" network."""
    return ops.conv(hidden, kernel, padding="same")


def mean_head(hidden):
    """Grey by the mean over channels: the papers' "variant"."""
    return ops.mean(hidden, axis=-1, keepdims=True)


def groups(plan: Plan, networks: int, *, images: int, side: int) -> list[range]:
    """Networks 0 to `networks` - 1 in groups that one call evaluates on all images.

    A group keeps the maps of the largest layer within a fixed size: it depends on the experiment
    alone, never on the machine.
    """
    size = images * _largest_map(plan, (side, side))
    most = max(1, min(networks, _MAP_BYTES // size))
    return [range(first, min(first + most, networks)) for first in range(0, networks, most)]


def score(
    plans: Sequence[Plan], networks: Sequence[Kernels], images: np.ndarray
) -> list[list[dict[str, Any]]]:
    """How alike pictures and their reconstructions by random networks are.

    Plans may differ in their decoders' upsampling only: the encoder is run once. Images are float32
    (images, height, width, 3) in [0, 1].

    Returns:
        For each plan and each network, float32 arrays (images,) by name: "ssim linear", "ssim
        mean", "pearson linear", "pearson mean", see `metrics.study_scores`, "null linear" and "null
        mean", the SSIM of the same output with the next picture (the last one's with the first),
        "noise linear" and "noise mean", see `metrics.noise_null`, and "chroma" of the linear head,
        see `metrics.chroma_correlation`. NaN stands for undefined, as a null of a single picture
        is.
    """
    run = _compiled(tuple(plans))
    batch = _batch(plans[0], networks, images)
    others = np.roll(images, -1, axis=0) if len(images) > 1 else np.full_like(images, np.nan)
    arrays = images, others, _noise(images.shape)
    parts = [
        run(tuple(networks), *(array[first : first + batch] for array in arrays))
        for first in range(0, len(images), batch)
    ]

    def joined(*found):
        return np.concatenate([ops.convert_to_numpy(part) for part in found])

    by_network = keras.tree.map_structure(joined, *parts)
    return [list(of_plan) for of_plan in zip(*by_network, strict=True)]


def reconstruct(plan: Plan, kernels: Kernels, images: np.ndarray) -> dict[str, np.ndarray]:
    """What each head gives back: RGB (images, height, width, 3) and grey (..., 1), float32."""
    outputs = _compiled_outputs(plan)(tuple(kernels), images)
    return {head: ops.convert_to_numpy(x) for head, x in zip(HEADS, outputs, strict=True)}


@functools.lru_cache(maxsize=128)
def _compiled_outputs(plan: Plan):
    def run(kernels, images):
        hidden = hidden_maps(plan, kernels, images)
        return linear_head(hidden, kernels[-1]), mean_head(hidden)

    return _by_counts(run, [plan])


@functools.lru_cache(maxsize=128)
def _compiled(plans: tuple[Plan, ...]):
    def run(networks, images, others, noise):
        truth = metrics.luminance(images)
        windows = metrics.windowed(truth), metrics.windowed(metrics.luminance(others))
        return [_scores(plans, kernels, images, truth, windows, noise) for kernels in networks]

    return _by_counts(run, plans)


def _by_counts(run, plans: Sequence[Plan]):
    """A function of kernels and of one or more batches of images, compiled for each number."""
    for plan in plans:  # models are built now: a trace that makes variables is done twice
        _cnn(plan), _hidden(plan)
    functions: dict[tuple[int, int], Any] = {}

    def call(kernels, *images):
        key = len(kernels), len(images[0])
        if key not in functions:
            functions[key] = backend.jit(run, maps=(1, 2, 3))
        return functions[key](kernels, *images)

    return call


def _noise(shape: tuple[int, ...]) -> np.ndarray:
    """White noise of mean 0 and deviation 1 each, float32 (images, height, width, 1)."""
    drawn = np.random.default_rng(_NOISE_SEED).standard_normal((*shape[:3], 1))
    centred = drawn - drawn.mean(axis=(1, 2, 3), keepdims=True)
    return (centred / centred.std(axis=(1, 2, 3), keepdims=True)).astype(np.float32)


def _scores(
    plans: tuple[Plan, ...], kernels: Kernels, images, truth, windows, noise
) -> list[dict[str, Any]]:
    """Scores by plan; `windows` are of the truth and of the other pictures."""
    features = _encode(plans[0], kernels, images)
    found = []
    for plan in plans:
        hidden = _decode(plan, kernels, features, images)
        colours = linear_head(hidden, kernels[-1])
        scores = {"chroma": metrics.chroma_correlation(images, colours)}
        outputs = metrics.luminance(colours), mean_head(hidden)
        for head, grey in zip(HEADS, outputs, strict=True):
            bounded = metrics.stretched(grey)
            scores[f"pearson {head}"] = metrics.correlation(truth, bounded)
            result = metrics.windowed(bounded)
            for name, window in zip(("ssim", "null"), windows, strict=True):
                scores[f"{name} {head}"] = metrics.study_ssim(window, result)
            scores[f"noise {head}"] = metrics.noise_null(windows[0], bounded, noise)
        found.append(scores)
    return found


def _largest_map(plan: Plan, size: tuple[int, int]) -> int:
    """Bytes of one image's maps in the largest layer."""
    largest, pixels = 0, math.prod(size)
    before: list[int] = []
    channels = plan.head.channels
    for layer in plan.layers:
        if isinstance(layer, Conv):
            channels = layer.channels
        elif isinstance(layer, Upsample):
            pixels = before.pop()
        else:
            before.append(pixels)
            pixels = -(-pixels // layer.size**2)
        largest = max(largest, 4 * channels * pixels)
    return largest


def _batch(plan: Plan, networks: Sequence[Kernels], images: np.ndarray) -> int:
    """Images of one call: the largest divisor of their number that memory allows."""
    most = max(1, _MAP_BYTES // (len(networks) * _largest_map(plan, images.shape[1:3])))
    return max(n for n in range(1, len(images) + 1) if len(images) % n == 0 and n <= most)
