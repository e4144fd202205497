"""GFLOP/s of an optimisation step against its convolutions alone: a child process of `speed.py`.

Only the multiplications and additions of the convolutions count, as operations of the step: 2 k^2
inputs channels for each pixel of an output. A step goes forward and back to its input once, which
is twice that (the gradient by the weights is not needed). Padding, pyramid, statistics and Adam
take time and count as no work; so the share of the bare convolutions that a step reaches says how
much there is to gain without a faster convolution.
"""

import argparse
import json
import sys

import numpy as np

from benchmarks.timing import environment, peak_memory, start_quietly, timed
from recon.costs import ConvolutionShape, convolution_shapes

CHANNELS = 16  # of the default encoder
PRECISIONS = ("float32", "bfloat16")
NETWORKS = ("pyramid", "vgg")
_STEPS = 3  # in one timing


def bare_convolution(shape: ConvolutionShape, dtype: str, rng: np.random.Generator):
    """A compiled `keras.ops` convolution of this shape.

    Args:
        shape: Of the convolution.
        dtype: Of all its numbers.
        rng: Draws them.

    Returns:
        A function without arguments that computes it, and returns when it is done.
    """
    from keras import ops

    from rrstyle import backend

    k = shape.kernel
    padded = rng.standard_normal((1, *(s + k - 1 for s in shape.size), shape.inputs))
    kernel = rng.standard_normal((k, k, shape.inputs, shape.channels))
    x, weights = (ops.cast(ops.convert_to_tensor(a, "float32"), dtype) for a in (padded, kernel))
    convolve = backend.jit(lambda a, b: ops.conv(a, b, padding="valid"), maps=(0,))
    # One number is fetched: some backends return before they are done.
    return lambda: ops.convert_to_numpy(ops.cast(convolve(x, weights)[0, 0, 0, 0], "float32"))


def measure(network: str, side: int, dtype: str, *, repeats: int) -> dict[str, float]:
    """Times an Adam step on a statistics network and that network's bare convolutions, in turn.

    Args:
        network: "pyramid" (that of `paint`, and of `optimise` by default) or "vgg".
        side: Height and width of the features.
        dtype: "float32" or "bfloat16".
        repeats: Timings; the best counts.

    Returns:
        "operations" of the forward pass; "step" and "bare", seconds of a step and of the
        convolutions forward.
    """
    from rrstyle.config import OptimiseConfig, StyleConfig
    from rrstyle.transfer.feature_networks import pyramid_network, vgg_network
    from rrstyle.transfer.optimise import Objective

    rng = np.random.default_rng(0)
    content, style = rng.standard_normal((2, side, side, CHANNELS), np.float32)
    if network == "pyramid":
        plan = pyramid_network(CHANNELS, size=(side, side), seed=0, dtype=dtype)
    else:
        plan = vgg_network(CHANNELS, StyleConfig(), seed=0, dtype=dtype)
    objective = Objective(plan, content, style, config=OptimiseConfig(style_weight=15.0))
    shapes = convolution_shapes(plan.network.model, (side, side))
    bare = [bare_convolution(shape, dtype, rng) for shape in shapes]

    def steps(count: int) -> None:
        objective.adam(content, steps=count, rate=0.02, report=lambda done: None)

    steps(1)
    for convolution in bare:
        convolution()
    step_seconds, bare_seconds = [], []
    for _ in range(repeats):
        step_seconds.append(timed(lambda: steps(_STEPS)) / _STEPS)
        bare_seconds.append([timed(convolution) for convolution in bare])
    return {
        "operations": sum(shape.operations for shape in shapes),
        "step": min(step_seconds),
        "bare": sum(min(times) for times in zip(*bare_seconds, strict=True)),
    }


def main(arguments: list[str]) -> None:
    """Prints the environment, and `measure` by network and precision, as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", type=int)
    parser.add_argument("--repeats", type=int, required=True)
    options = parser.parse_args(arguments)
    start_quietly()
    idle = peak_memory()
    rows = [
        {"network": n, "dtype": d, **measure(n, options.side, d, repeats=options.repeats)}
        for n in NETWORKS
        for d in PRECISIONS
    ]
    print(json.dumps({"environment": environment(), "idle": idle, "rows": rows}))


if __name__ == "__main__":
    main(sys.argv[1:])
