"""What this machine computes with, how fast that is, and why a GPU that is there is not used."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from keras import ops

from rrstyle import backend
from rrstyle.cores import usable_cores
from rrstyle.memory import available_memory

_ROUNDS = 3  # of which the fastest counts, after one that does not
# Large enough for each to be busy: side of a product's matrices, images of a convolution.
_SIDES = {"cpu": 2048, "other": 8192}
_BATCHES = {"cpu": 1, "other": 64}
_MAP, _CHANNELS, _KERNEL = 64, 256, 3  # of the convolution: side, channels in and out, kernel
# Extra of this package, and a package that it brings.
_EXTRAS = {"tensorflow": ("tensorflow-cuda", "nvidia.cudnn"), "jax": ("cuda", "jax_cuda13_plugin")}


def describe() -> dict[str, str]:
    """Versions, backend, devices, precision, measured rates and `advice` (or ""), as text."""
    versions = backend.versions()
    names = ("rrstyle", "keras", versions["backend"], "numpy", "python")
    memory = available_memory()
    free = f", {memory:.1f} GiB free" if memory is not None else ""
    auto = backend.resolve_precision("auto")
    found = {
        "versions": ", ".join(f"{name} {versions[name]}" for name in names),
        "backend": versions["backend"],
        "device": backend.device(),
        "processors": f"{usable_cores()}{free}",
        "GPUs": "; ".join(nvidia_gpus()) or "no NVIDIA GPU",
        "precision": f"auto is {auto} here",
    }
    for dtype in dict.fromkeys(("float32", auto)):
        pair = (f"{fastest(*work(dtype)):,.0f}" for work in (convolution, matrix_product))
        convolving, multiplying = pair
        found[dtype] = f"convolution {convolving} GFLOP/s, matrix product {multiplying} GFLOP/s"
    return found | {"advice": advice()}


def nvidia_gpus() -> list[str]:
    """Name, memory and driver of each NVIDIA GPU, by nvidia-smi; none where that is not there."""
    if shutil.which("nvidia-smi") is None:
        return []
    asked = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            ["nvidia-smi", *asked], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    rows = [line.split(", ") for line in done.stdout.splitlines()] if done.returncode == 0 else []
    return [
        f"{name}, {float(mib) / 1024:.0f} GiB, driver {driver}"
        for name, mib, driver in rows
        if mib.isdigit()
    ]


def advice() -> str:
    """What to do where an NVIDIA GPU is there and this process does not use it, in one line.

    Empty where one is used, or none is there.
    """
    gpus = nvidia_gpus()
    if not gpus or not backend.device().startswith("cpu"):
        return ""
    chosen = backend.versions()["backend"]
    for name, hides in (
        ("CUDA_VISIBLE_DEVICES", lambda value: value in ("", "-1")),
        ("JAX_PLATFORMS", lambda value: chosen == "jax" and value == "cpu"),
    ):
        if name in os.environ and hides(os.environ[name]):
            return f"a GPU is there, but {name}={os.environ[name]} hides it: unset {name}"
    extra, package = _EXTRAS[chosen]
    if not _is_there(package):
        others = "" if chosen == "jax" else ", or 'rrstyle[cuda]' and KERAS_BACKEND=jax"
        return f"a GPU is there, but no CUDA for {chosen}: pip install 'rrstyle[{extra}]'{others}"
    return (
        "a GPU is there, but CUDA does not load: its driver must be 525 or newer for TensorFlow"
        " (CUDA 12), 580 for JAX (CUDA 13); TF_CPP_MIN_LOG_LEVEL=0 rrstyle info tells more"
    )


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # what it is a part of
        return False


def fastest(run: Callable[[], object], operations: int) -> float:
    """GFLOP/s of the fastest of some calls, after one that does not count."""
    run()
    seconds = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return operations / min(seconds) / 1e9


def matrix_product(dtype: str) -> tuple[Callable[[], object], int]:
    """A function that multiplies two square matrices and waits, and its operations."""
    side = _SIDES[_kind()]
    multiply = backend.jit(ops.matmul, maps=())
    a, b = _drawn(dtype, (side, side), (side, side))
    return lambda: _waited(multiply(a, b)[0, 0]), 2 * side**3


def convolution(dtype: str) -> tuple[Callable[[], object], int]:
    """A function that convolves some maps as a VGG does and waits, and its operations."""
    batch, n, k = _BATCHES[_kind()], _CHANNELS, _KERNEL
    convolve = backend.jit(lambda x, kernel: ops.conv(x, kernel, padding="same"), maps=(0,))
    x, kernel = _drawn(dtype, (batch, _MAP, _MAP, n), (k, k, n, n))
    return lambda: _waited(convolve(x, kernel)[0, 0, 0, 0]), 2 * batch * _MAP**2 * k**2 * n**2


def _kind() -> str:
    return "cpu" if backend.device().startswith("cpu") else "other"


def _drawn(dtype: str, *shapes: tuple[int, ...]) -> list:
    rng = np.random.default_rng(0)
    arrays = (rng.standard_normal(shape, np.float32) for shape in shapes)
    return [ops.cast(ops.convert_to_tensor(array), dtype) for array in arrays]


def _waited(number) -> np.ndarray:
    """One number is fetched: some backends return before they are done."""
    return ops.convert_to_numpy(ops.cast(number, "float32"))
