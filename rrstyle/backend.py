"""What keras.ops lacks; the only file that names a backend."""

import ctypes
import functools
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import version
from typing import Any, Literal

import keras
import numpy as np
import threadpoolctl

from rrstyle.config import is_whole
from rrstyle.cores import told_by_system

ON_JAX = keras.backend.backend() == "jax"
if ON_JAX:
    import jax
else:
    import tensorflow as tf


def value_and_grad(function: Callable) -> Callable:
    """A function returning (value, gradient by the first argument) of a scalar `function`."""
    if ON_JAX:
        return jax.value_and_grad(function)

    def wrapped(x, *args):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(x, *args)
        return value, tape.gradient(value, x)

    return wrapped


def jit(function: Callable, *, maps: tuple[int, ...]) -> Callable:
    """`function` of (nested sequences of) tensors, compiled; weights must be arguments of it.

    Number, dtypes and shapes of the tensors are fixed, but for heights and widths of the maps
    (batch, height, width, channels) in the arguments at the positions `maps`.
    """
    if ON_JAX:
        return jax.jit(function)  # compiles anew for every size
    compiled = None

    def call(*args):
        nonlocal compiled
        if compiled is None:
            # One graph for all sizes, from the first call on: graphs of fixed sizes round
            # differently, and a picture would depend on those made before it.
            signature = [
                tf.nest.map_structure(free if i in maps else fixed, a) for i, a in enumerate(args)
            ]
            # The concrete function: TensorFlow takes several tf.functions of one line of code for
            # one that is traced again and again, and warns. No AutoGraph: nothing here needs it,
            # and it leaves its generated code in the temporary folder when it is killed.
            compiled = tf.function(function, autograph=False).get_concrete_function(*signature)
        return compiled(*args)

    def fixed(a):
        return tf.TensorSpec(a.shape, a.dtype)

    def free(a):
        return tf.TensorSpec((a.shape[0], None, None, a.shape[3]), a.dtype)

    return call


def full_precision() -> AbstractContextManager[None]:
    """Compute float32 convolutions in float32, even where the device has a faster, less exact way.

    JAX on a GPU takes TensorFloat-32 with its 10 bits of mantissa otherwise. TensorFlow has only
    a switch for the whole process, which is left to the user.
    """
    return jax.default_matmul_precision("highest") if ON_JAX else nullcontext()


@functools.cache
def gains_from_bfloat16() -> bool:
    """Whether this machine runs bfloat16 convolutions faster than float32, by its instructions.

    True on NVIDIA GPUs from Ampere on and TPUs, and on processors with AMX-BF16 or AVX512-BF16;
    not measured, so that the answer, and with it a picture, is the same at every run.
    """
    if found := _accelerator():
        platform, _, capability = found
        return platform == "tpu" or capability >= 8
    # XLA's convolutions on processors convert bfloat16 to float32 and back.
    return not ON_JAX and bool({"amx_bf16", "avx512_bf16"} & _cpu_flags())


def _accelerator() -> tuple[str, str, int] | None:
    """Platform, name and major compute capability of the first GPU or TPU; None without one."""
    if ON_JAX:
        found = jax.devices()[0]
        major = str(getattr(found, "compute_capability", "0")).partition(".")[0]
        if found.platform == "cpu":
            return None
        return found.platform, found.device_kind, int(major) if major.isdigit() else 0
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return None
    details = tf.config.experimental.get_device_details(gpus[0])
    capability = details.get("compute_capability") or (0,)
    return "gpu", details.get("device_name", "unknown"), capability[0]


def _cpu_flags() -> set[str]:
    # Empty off Linux: no processor there has both oneDNN in TensorFlow and AMX.
    return set(told_by_system("cpuinfo", "flags").split())


def resolve_precision(precision: str) -> Literal["float32", "bfloat16"]:
    """`auto` turned into "float32" or "bfloat16"; the others unchanged."""
    half = gains_from_bfloat16() if precision == "auto" else precision == "bfloat16"
    return "bfloat16" if half else "float32"


_threads: Literal["one", "all"] = "all"


def one_thread() -> bool:
    """Limits this process, until it ends, to one computing thread; whether that was possible.

    float32 sums are split among the threads, and so their last bits depend on how many there are.
    Processes that are to agree to the bit on any machine compute on one thread each.

    To be called before anything is computed. TensorFlow refuses it later; JAX cannot tell, and
    keeps its threads.
    """
    global _threads
    if ON_JAX:
        os.environ["PJRT_NPROC"] = "1"  # size of its thread pool; no flag of XLA's does it
    else:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:  # it has started
            return False
    for library in ("OPENBLAS", "MKL", "OMP"):  # those that are loaded later
        os.environ[f"{library}_NUM_THREADS"] = "1"
    threadpoolctl.threadpool_limits(1)  # those that are loaded
    _threads = "one"
    return True


def threads() -> Literal["one", "all"]:
    """Whether `one_thread` has limited this process."""
    return _threads


def device() -> str:
    """What computes: "gpu: NVIDIA H200", or "cpu: " with the processor's name and vector units."""
    if found := _accelerator():
        return f"{found[0]}: {found[1]}"
    # By the units a library chooses its code, and clouds call very different processors "EPYC".
    units = [unit for unit in ("avx2", "avx512f", "amx_tile") if unit in _cpu_flags()]
    name = told_by_system("cpuinfo", "model name") or platform.processor() or platform.machine()
    return ", ".join([f"cpu: {name}", *units])


def computing() -> dict[str, str]:
    """The device and the versions of what computes here, for the record of what it makes."""
    return {"device": device(), **versions()}


def versions() -> dict[str, str]:
    """Versions of what computes a picture."""
    backend = keras.backend.backend()
    return {
        "rrstyle": version("rrstyle"),
        "backend": backend,
        backend: version(backend),
        "keras": keras.__version__,
        "numpy": version("numpy"),
        "python": platform.python_version(),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1"),
    }


def hosts() -> int:
    """Number of hosts that share a training: on JAX those that have joined, otherwise 1."""
    return jax.process_count() if ON_JAX else 1


def is_first_host() -> bool:
    """Whether this process is the one that writes files: of several hosts, the first."""
    return not ON_JAX or jax.process_index() == 0


def part_of_host(batch: np.ndarray) -> np.ndarray:
    """The images of a batch that this host computes: an equal share of them, in order."""
    return batch if hosts() == 1 else np.split(batch, hosts())[jax.process_index()]


@contextmanager
def shared_by(count: int | None) -> Iterator[int]:
    """Models that are built and fitted inside share every batch among devices; yields how many.

    Args:
        count: Number of devices; None for all there are, which on JAX are those of all hosts that
            `keras.distribution.initialize` has joined.

    Raises:
        ValueError: If there are fewer devices.
    """
    if ON_JAX:
        found = keras.distribution.list_devices()  # of all hosts
        if count is not None and hosts() > 1:
            raise ValueError(f"devices must be left to all of several hosts; received {count}")
    else:
        devices = tf.config.list_logical_devices
        found = [device.name for device in devices("GPU") or devices("CPU")]
    if count is None:
        count = len(found)
    if not is_whole(count, 1, len(found)):
        rule = f"devices must be from 1 to the {len(found)} there are"
        raise ValueError(f"{rule}; received {count!r}")
    if count == 1:
        yield count
    elif ON_JAX:
        parallel = keras.distribution.DataParallel(devices=found[:count], auto_shard_dataset=False)
        with parallel.scope():
            yield count
    else:
        with _mirrored(tuple(found[:count])).scope():
            yield count


def attach_state(model) -> None:
    """Puts the state of a model that `fit` trains into its variables: JAX keeps it apart."""
    if ON_JAX:
        model.jax_state_sync()


def reuse_freed_memory() -> None:
    """Undoes what TensorFlow's generator dataset does to the C library's `malloc`.

    It fixes the thresholds at 128 KiB (`mallopt`), for the whole process: the memory of every
    tensor goes back to the system and is fetched again, a quarter of a training step on a
    processor. Here they are what they become by themselves otherwise.
    """
    if not ON_JAX and platform.libc_ver()[0] == "glibc":
        trim_threshold, mmap_threshold = -1, -3  # as in malloc.h
        libc = ctypes.CDLL(None)
        libc.mallopt(mmap_threshold, 32 * 2**20)
        libc.mallopt(trim_threshold, 64 * 2**20)


@functools.cache
def _mirrored(names: tuple[str, ...]) -> Any:
    # One a process: a second one over the same devices numbers its sums as the first one did, and
    # TensorFlow takes them for one another.
    return tf.distribute.MirroredStrategy(names)
