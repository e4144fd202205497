"""What keras.ops lacks; the only file that names a backend."""

import functools
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import keras


def value_and_grad(function: Callable) -> Callable:
    """A function returning (value, gradient by the first argument) of a scalar `function`."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.value_and_grad(function)
    import tensorflow as tf

    def wrapped(x, *args):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(x, *args)
        return value, tape.gradient(value, x)

    return wrapped


def jit(function: Callable, *, maps: tuple[int, ...]) -> Callable:
    """`function` of tensors, compiled; weights are to be passed as arguments, never closed over.

    Args:
        function: Of (nested sequences of) tensors whose number, dtypes and shapes stay the same,
            but for heights and widths of maps.
        maps: Positions of the arguments that are (sequences of) maps, (batch, height, width,
            channels).
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)  # compiles anew for every size
    import tensorflow as tf

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
            # one that is traced again and again, and warns.
            compiled = tf.function(function).get_concrete_function(*signature)
        return compiled(*args)

    def fixed(a):
        return tf.TensorSpec(a.shape, a.dtype)

    def free(a):
        return tf.TensorSpec((a.shape[0], None, None, a.shape[3]), a.dtype)

    return call


@contextmanager
def full_precision() -> Iterator[None]:
    """float32 convolutions inside are computed in float32, also where a device has a faster way.

    JAX on a GPU takes TensorFloat-32 with its 10 bits of mantissa otherwise. TensorFlow has only
    a switch for the whole process, which is left to the user.
    """
    if keras.backend.backend() == "jax":
        import jax

        with jax.default_matmul_precision("highest"):
            yield
    else:
        yield


@functools.cache
def gains_from_bfloat16() -> bool:
    """Whether this machine runs bfloat16 convolutions faster than float32.

    True on NVIDIA GPUs from Ampere on and TPUs, and on processors with AMX-BF16 or AVX512-BF16;
    without these, bfloat16 is emulated and slower. A matter of instruction sets, not of a
    measurement, so that the answer, and with it a picture, is the same at every run.
    """
    if keras.backend.backend() == "jax":
        import jax

        device = jax.devices()[0]
        if device.platform != "cpu":
            return (
                device.platform == "tpu" or _major(getattr(device, "compute_capability", "0")) >= 8
            )
        # XLA's CPU convolutions convert bfloat16 to float32 and back.
        return False
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        capability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability")
        return bool(capability) and capability[0] >= 8
    return bool({"amx_bf16", "avx512_bf16"} & _cpu_flags())


def _major(capability: str) -> int:
    head = str(capability).split(".")[0]
    return int(head) if head.isdigit() else 0


def _cpu_flags() -> set[str]:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:  # no Linux: no processor there has both oneDNN in TensorFlow and AMX
        return set()
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return set(flags.split())


def resolve_precision(precision: str) -> Literal["float32", "bfloat16"]:
    """`auto` turned into "float32" or "bfloat16"; the others unchanged."""
    if precision == "auto":
        return "bfloat16" if gains_from_bfloat16() else "float32"
    return "bfloat16" if precision == "bfloat16" else "float32"


def versions() -> dict[str, str]:
    """Versions of what computes a picture, for its recipe."""
    from importlib.metadata import version

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
