"""Images per second of a training, its share of the bare convolutions' rate, and its memory.

    python benchmarks/train.py [FOLDER] [--crops 64 227] [--batch 16] [--memory-steps 200]

VGG up to Conv2, the network of the papers' figures 2 and 3, with random weights. Each row is
measured in a process of its own, in rounds of everything in turn: a slow minute of a shared
machine then hits all columns of a row. Without a folder, photographs are imitated as by
`input_pipeline.py`.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.input_pipeline import photographs
from benchmarks.roofline import PRECISIONS
from benchmarks.speed import processor, run_child
from benchmarks.timing import environment, peak_memory, start_quietly, timed
from recon.costs import ConvolutionShape

_UNTIMED = 3  # steps at the start of a `fit`: what was read before them would flatter
_KEPT_EVERY = 20  # steps between two checkpoints and sheets, where memory is watched


@dataclass(frozen=True)
class Pass:
    """A convolution as a step of the training needs it.

    Attributes:
        shape: Of the convolution, for one image.
        by_kernel: Whether the gradient by its kernel is needed.
        by_input: Whether that by its input is.
    """

    shape: ConvolutionShape
    by_kernel: bool
    by_input: bool

    @property
    def operations(self) -> int:
        """Multiplications and additions of an image; each gradient takes as many as forward."""
        return (1 + self.by_kernel + self.by_input) * self.shape.operations


def passes(network: Any, crop: int) -> list[Pass]:
    """The convolutions of a step, data to result.

    The CNN is frozen: forward alone. Nothing asks for the gradient by the features, which are the
    first input of the DCN.

    Args:
        network: A `NetworkConfig` whose convolutions have stride 1 and one group: VGG16.
        crop: Side of the images.
    """
    from rrstyle.networks.plan import Conv, kernel_shapes, plan_of

    side, encoder, decoder = crop, [], []
    plan = plan_of(network)
    shapes = iter(kernel_shapes(plan.encoder, plan.head.channels))
    for layer in plan.encoder:
        if isinstance(layer, Conv):
            kernel, _, inputs, channels = next(shapes)
            there = ConvolutionShape((side, side), kernel, inputs, channels)
            back = ConvolutionShape((side, side), kernel, channels, inputs)
            encoder.append(Pass(there, by_kernel=False, by_input=False))
            decoder.append(Pass(back, by_kernel=True, by_input=True))
        side = -(-side // layer.stride)
    decoder[-1] = Pass(decoder[-1].shape, by_kernel=True, by_input=False)
    return encoder + decoder[::-1]


def compiled_pass(wanted: Pass) -> Callable:
    """A compiled function that computes a `Pass` and nothing else.

    Returns:
        Of an input, a kernel and the gradient by the result to a tuple: the result, the gradient
        by the input if it is wanted, and that by the kernel if it is. That a gradient is given
        saves a loss of its own, which would cost as much as a small convolution in bfloat16.
    """
    import keras
    from keras import ops

    from rrstyle import backend

    def forward(x, kernel):
        return ops.conv(x, kernel, padding="same")

    def both_ways(x, kernel, back):
        if keras.backend.backend() == "jax":
            import jax

            result, pull = jax.vjp(forward, x, kernel)
            gradients = pull(back)
        else:
            import tensorflow as tf

            with tf.GradientTape() as tape:
                tape.watch((x, kernel))
                result = forward(x, kernel)
            gradients = tape.gradient(result, (x, kernel), output_gradients=back)
        asked = zip(gradients, (wanted.by_input, wanted.by_kernel), strict=True)
        return (result, *(gradient for gradient, is_asked in asked if is_asked))

    return backend.jit(both_ways, maps=())


def bare_pass(wanted: Pass, batch: int, dtype: str, rng: np.random.Generator) -> Callable:
    """A function without arguments that computes a `Pass` of random numbers, and waits for it."""
    from keras import ops

    shape = wanted.shape
    sizes = (
        (batch, *shape.size, shape.inputs),
        (shape.kernel, shape.kernel, shape.inputs, shape.channels),
        (batch, *shape.size, shape.channels),
    )
    drawn = (rng.standard_normal(size, np.float32) for size in sizes)
    given = [ops.cast(ops.convert_to_tensor(array), dtype) for array in drawn]
    compute = compiled_pass(wanted)

    def run() -> None:
        for tensor in compute(*given):
            # One number is fetched: some backends return before they are done.
            ops.convert_to_numpy(ops.cast(tensor[0, 0, 0, 0], "float32"))

    return run


def _clock() -> Any:
    """A Keras callback whose `ends` are the times at which steps ended."""
    import keras

    class Clock(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.ends: list[float] = []

        def on_train_batch_end(self, batch, logs=None):
            self.ends.append(time.perf_counter())

    return Clock()


def measure(
    folder: Path, crop: int, batch: int, dtype: str, *, rounds: int, steps: int
) -> dict[str, float]:
    """Times steps on one batch and on those of a folder, the bare convolutions, and a product.

    Args:
        folder: Of pictures.
        crop: Side of the images.
        batch: Images a step.
        dtype: "float32" or "bfloat16".
        rounds: Of all four in turn.
        steps: In one timing.

    Returns:
        "operations" of an image; "rate" and "fed_rate", images per second of the best round on
        one batch and on the folder's; "bare", "share" and "matrix", medians over the rounds:
        GFLOP/s of the bare convolutions, and the rate of the steps over that of these and over the
        product's; "peak" memory in MiB.
    """
    from recon.data.batches import Batches
    from recon.data.index import scan
    from recon.training.config import TrainingConfig
    from recon.training.fit import fit
    from recon.training.model import build_networks, inversion_model
    from rrstyle.machine import matrix_product

    config = TrainingConfig(
        crop=crop,
        batch=batch,
        precision=dtype,  # type: ignore[arg-type]
        steps=_UNTIMED + steps,
    )
    model = inversion_model(config, build_networks(config))
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (batch, crop, crop, 3), np.uint8)
    plan = passes(config.network, crop)
    bare = [bare_pass(one, batch, dtype, rng) for one in plan]
    multiply, product = matrix_product(dtype)
    same: dict[int, np.ndarray] = defaultdict(lambda: pixels)  # one batch, again and again
    files = Batches(scan(folder), batch=batch, crop=crop, seed=0)

    def seconds_of(source: Any) -> float:
        """Seconds of a step, the first ones of the `fit` left out."""
        clock = _clock()
        fit(model, source, config, [clock])
        return (clock.ends[-1] - clock.ends[_UNTIMED - 1]) / steps

    seconds_of(same)
    for run in (*bare, multiply):
        run()
    times: dict[str, list[float]] = {"one": [], "fed": [], "bare": [], "product": []}
    for _ in range(rounds):
        times["one"].append(seconds_of(same))
        times["bare"].append(sum(timed(run) for run in bare))
        times["product"].append(timed(multiply))
        times["fed"].append(seconds_of(files))
    operations = sum(one.operations for one in plan)
    work = operations * batch
    shares = [b / o for b, o in zip(times["bare"], times["one"], strict=True)]
    of_product = [
        (work / o) / (product / p) for o, p in zip(times["one"], times["product"], strict=True)
    ]
    return {
        "operations": operations,
        "rate": batch / min(times["one"]),
        "fed_rate": batch / min(times["fed"]),
        "bare": work / statistics.median(times["bare"]) / 1e9,
        "share": statistics.median(shares),
        "matrix": statistics.median(of_product),
        "peak": peak_memory(),
    }


def resident_memory() -> float:
    """MiB of main memory that this process holds now; where the system does not say, its peak."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:  # no Linux
        return peak_memory()
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def memory_over_time(folder: Path, crop: int, batch: int, *, steps: int) -> dict[str, float]:
    """Trains with all that a run writes, and looks at the memory on the way.

    Args:
        folder: Of pictures.
        crop: Side of the images.
        batch: Images a step.
        steps: In all, a multiple of 40.

    Returns:
        MiB by number of the step: the first with a checkpoint, a sheet and a validation behind
        it, the one half-way, and the last.
    """
    from dataclasses import replace

    from recon.data.training_images import open_images
    from recon.training.config import SMALL
    from recon.training.train import train

    every: dict[str, Any] = {"checkpoint_every": _KEPT_EVERY, "sample_every": _KEPT_EVERY}
    every["log_every"] = 1  # the callback is heard at every row
    config = replace(SMALL, crop=crop, batch=batch, steps=steps, **every)
    found: dict[str, float] = {}

    def look(report: Any) -> None:
        if report.step in (_KEPT_EVERY, steps // 2, steps):
            found[str(report.step)] = resident_memory()

    with tempfile.TemporaryDirectory() as run:
        out = Path(run) / "run"
        images = open_images(folder, config, out)
        assert images.validation is not None
        train(
            config,
            images.source,
            out,
            data=images.data,
            samples=images.samples,
            validation=images.validation.pixels,
            on_step=look,
        )
    return found


def print_machine(environment: dict[str, str]) -> None:
    """What the numbers hold for."""
    print(f"processor  {processor()}")
    print(f"load       {os.getloadavg()[0]:.1f} processes waited for it in the last minute")
    print(f"versions   {', '.join(f'{k} {v}' for k, v in environment.items())}")


def print_row(crop: int, batch: int, dtype: str, row: dict[str, Any]) -> None:
    """One line of the table."""
    print(f"{crop:5}{batch:7}{dtype:>11}", end="")
    if "error" in row:
        print(f"  failed: {row['error']}", flush=True)
        return
    print(f"{row['rate']:10.1f}{row['rate'] * row['operations'] / 1e9:10.0f}", end="")
    print(f"{row['bare']:8.0f}{row['share']:13.2f}{row['matrix']:15.2f}", end="")
    print(f"{row['fed_rate']:12.1f}{row['peak']:10.0f}", flush=True)


def print_memory(found: dict[str, Any], crop: int, batch: int) -> None:
    """Memory by step."""
    if "error" in found:
        print(f"\nmemory: failed: {found['error']}")
        return
    print(f"\nmemory of a run at {crop} px, batches of {batch}, with all that it writes")
    first = next(iter(found.values()))
    for step, held in found.items():
        print(f"  after step {step:>6}{held:9.0f} MiB{held - first:+8.1f}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER")
    parser.add_argument("--crops", type=int, nargs="+", default=[64, 227], metavar="PIXELS")
    parser.add_argument("--batch", type=int, default=16, help="images a step")
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    parser.add_argument("--rounds", type=int, default=3, help="of all that a row compares")
    parser.add_argument("--steps", type=int, default=4, help="in one timing")
    parser.add_argument(
        "--memory-steps", type=int, default=200, metavar="N", help="a multiple of 40, or 0 for none"
    )
    parser.add_argument("--json", choices=("row", "memory", "machine"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    for name in ("crops", "batch", "rounds", "steps"):
        value = getattr(options, name)
        least = min(value) if isinstance(value, list) else value
        if least < 1:
            parser.error(f"--{name} must be at least 1; received {least}")
    if options.memory_steps < 0 or options.memory_steps % (2 * _KEPT_EVERY):
        parser.error(
            f"--memory-steps must be a multiple of {2 * _KEPT_EVERY};"
            f" received {options.memory_steps}"
        )
    return options


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """What a child process is asked for."""
    start_quietly()
    crop, batch = options.crops[0], options.batch
    if options.json == "machine":
        from rrstyle import backend

        return {"environment": environment(), "gains": backend.gains_from_bfloat16()}
    if options.json == "memory":
        return memory_over_time(options.folder, crop, batch, steps=options.memory_steps)
    rounds, steps = options.rounds, options.steps
    return measure(options.folder, crop, batch, options.precisions[0], rounds=rounds, steps=steps)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; 1 if a process failed."""
    options = parse(arguments)
    if options.json:
        print(json.dumps(measured(options)))
        return 0
    machine = run_child("train", "--json", "machine")
    print_machine(machine.get("environment", {}))
    if "bfloat16" in options.precisions and not machine.get("gains", True):
        print("bfloat16   emulated by this processor: slower than float32, never chosen by auto")
    print(f"\n{'crop':>5}{'batch':>7}{'precision':>11}{'images/s':>10}", end="")
    print(f"{'GFLOP/s':>10}{'bare':>8}{'step / bare':>13}{'step / matrix':>15}", end="")
    print(f"{'from files':>12}{'peak MiB':>10}", flush=True)
    failed = "error" in machine
    with photographs(options.folder) as folder:
        common = (folder.absolute(), "--batch", options.batch)
        for crop in options.crops:
            for dtype in options.precisions:
                words = ("--crops", crop, "--precisions", dtype, "--json", "row")
                limits = ("--rounds", options.rounds, "--steps", options.steps)
                row = run_child("train", *common, *words, *limits)
                failed |= "error" in row
                print_row(crop, options.batch, dtype, row)
        if options.memory_steps:
            crop, steps = min(options.crops), options.memory_steps
            words = ("--crops", crop, "--memory-steps", steps, "--json", "memory")
            found = run_child("train", *common, *words)
            failed |= "error" in found
            print_memory(found, crop, options.batch)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
