"""What keras.ops lacks; the only file that names a backend."""

import functools
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

# Operations on tensors; an ONNX export puts its own linear algebra in their place.
tensor_operations: ContextVar[Any] = ContextVar("tensor_operations", default=ops)


def array_namespace(array: Any) -> Any:
    """The operations on `array`: NumPy, or those on tensors, in an exported graph.

    What both have is called alike: one function serves the library and its exports.
    """
    return tensor_operations.get() if ops.is_tensor(array) else np


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
        function: Function of (nested sequences of) tensors whose number, dtypes and shapes are
            fixed, but for heights and widths of maps.
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
            # one that is traced again and again, and warns. No AutoGraph: nothing here needs it,
            # and it leaves its generated code in the temporary folder when it is killed.
            compiled = tf.function(function, autograph=False).get_concrete_function(*signature)
        return compiled(*args)

    def fixed(a):
        return tf.TensorSpec(a.shape, a.dtype)

    def free(a):
        return tf.TensorSpec((a.shape[0], None, None, a.shape[3]), a.dtype)

    return call


@contextmanager
def full_precision() -> Iterator[None]:
    """Compute float32 convolutions in float32, even where the device has a faster, less exact way.

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
    if found := _accelerator():
        platform, _, capability = found
        return platform == "tpu" or capability >= 8
    # XLA's convolutions on processors convert bfloat16 to float32 and back.
    tensorflow = keras.backend.backend() == "tensorflow"
    return tensorflow and bool({"amx_bf16", "avx512_bf16"} & _cpu_flags())


def _accelerator() -> tuple[str, str, int] | None:
    """Platform, name and major compute capability of the first GPU or TPU; None without one."""
    if keras.backend.backend() == "jax":
        import jax

        found = jax.devices()[0]
        major = str(getattr(found, "compute_capability", "0")).partition(".")[0]
        if found.platform == "cpu":
            return None
        return found.platform, found.device_kind, int(major) if major.isdigit() else 0
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return None
    details = tf.config.experimental.get_device_details(gpus[0])
    capability = details.get("compute_capability") or (0,)
    return "gpu", details.get("device_name", "unknown"), capability[0]


def _cpu_flags() -> set[str]:
    # Empty off Linux: no processor there has both oneDNN in TensorFlow and AMX.
    return set(_cpu_info("flags").split())


def _cpu_info(field: str) -> str:
    """A field of the first processor in /proc/cpuinfo; empty where there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    line = next((line for line in lines if line.startswith(field)), "")
    return line.partition(":")[2].strip()


def resolve_precision(precision: str) -> Literal["float32", "bfloat16"]:
    """`auto` turned into "float32" or "bfloat16"; the others unchanged."""
    if precision == "auto":
        return "bfloat16" if gains_from_bfloat16() else "float32"
    return "bfloat16" if precision == "bfloat16" else "float32"


_threads: Literal["one", "all"] = "all"


def one_thread() -> bool:
    """Limits this process, until it ends, to one computing thread on its processor.

    float32 sums are split among the threads, and so their last bits depend on how many there
    are: JAX adds up a million numbers differently on one and on two, TensorFlow on two and on
    four. Processes that are to agree to the bit on any machine compute on one thread each.

    To be called before anything is computed. TensorFlow refuses it later; JAX cannot tell, and
    keeps its threads.

    Returns:
        Whether this process computes on one thread.
    """
    global _threads
    import threadpoolctl

    if keras.backend.backend() == "jax":
        os.environ["PJRT_NPROC"] = "1"  # size of its thread pool; no flag of XLA's does it
    else:
        import tensorflow as tf

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
    name = _cpu_info("model name") or platform.processor() or platform.machine()
    return ", ".join([f"cpu: {name}", *units])


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


def is_first_host() -> bool:
    """Whether this process is the one that writes files: of several hosts, the first."""
    if keras.backend.backend() != "jax":
        return True
    import jax

    return jax.process_index() == 0


class _JaxDevices:
    """JAX: one program over arrays that are split by images, or copied, over the devices."""

    def __init__(self, count: int | None) -> None:
        import jax

        found = keras.distribution.list_devices()  # of all hosts
        if count is not None and jax.process_count() > 1:
            raise ValueError(f"devices must be left to all of several hosts; received {count}")
        self.count = _checked_count(count, len(found))
        # Keras' own distribution: data parallel, variables on every device.
        shared = keras.distribution.DataParallel(
            devices=found[: self.count], auto_shard_dataset=False
        )
        whole = keras.distribution.TensorLayout([], shared.device_mesh)
        self._everywhere, self._by_image = (
            layout.backend_layout for layout in (whole, shared.get_data_layout((None,)))
        )
        self.writes, self.hosts = is_first_host(), jax.process_count()

    def compile(self, function: Callable, *, batched_result: bool) -> Callable:
        import jax

        donated = () if batched_result else (0,)
        return jax.jit(function, donate_argnums=donated, out_shardings=self._everywhere)

    def replicate(self, values):
        return self._put(values, self._everywhere)

    def split(self, batch):
        return self._put(batch, self._by_image)

    def sum(self, values):
        return values  # the program is of the whole batch: its sums go over all devices

    def first(self, value) -> np.ndarray:
        return np.array(value)  # a copy: what lies in a donated buffer is overwritten

    gather = first

    def _put(self, values, sharding):
        import jax

        # Every host has the whole values, and takes its own part of them.
        return jax.tree.map(
            lambda v: jax.make_array_from_callback(v.shape, sharding, lambda index: v[index]),
            values,
        )


class _TensorFlowDevices:
    """TensorFlow: one program for each device, whose sums go over all; MirroredStrategy."""

    writes, hosts = True, 1  # MultiWorkerMirroredStrategy does not work with Keras 3

    def __init__(self, count: int | None) -> None:
        import tensorflow as tf

        names = [
            device.name
            for device in tf.config.list_logical_devices("GPU")
            or tf.config.list_logical_devices("CPU")
        ]
        self.count = _checked_count(count, len(names))
        self._names = names[: self.count]
        self._strategy = _mirrored(tuple(self._names)) if self.count > 1 else None

    def compile(self, function: Callable, *, batched_result: bool) -> Callable:
        import tensorflow as tf

        strategy, compiled = self._strategy, None

        def everywhere(*args):
            return strategy.run(function, args=args) if strategy else function(*args)

        def call(*args):
            nonlocal compiled
            if compiled is None:
                # The concrete function, for the reason that `jit` has.
                compiled = tf.function(everywhere, autograph=False).get_concrete_function(*args)
            return compiled(*args)

        return call

    def replicate(self, values):
        import tensorflow as tf

        return tf.nest.map_structure(lambda v: self._place([v] * self.count), values)

    def split(self, batch):
        return self._place(np.split(batch, self.count))

    def sum(self, values):
        import tensorflow as tf

        if self._strategy is None:
            return values
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)

    def first(self, value) -> np.ndarray:
        return self._parts(value)[0].numpy()

    def gather(self, value) -> np.ndarray:
        return np.concatenate([part.numpy() for part in self._parts(value)])

    def _place(self, parts):
        import tensorflow as tf

        def part(context):
            replica = context.replica_id_in_sync_group
            with tf.device(self._names[replica]):
                return tf.identity(tf.convert_to_tensor(parts[replica]))

        if self._strategy is None:
            return tf.convert_to_tensor(parts[0])
        return self._strategy.experimental_distribute_values_from_function(part)

    def _parts(self, value) -> tuple:
        return self._strategy.experimental_local_results(value) if self._strategy else (value,)


@functools.cache
def _mirrored(names: tuple[str, ...]) -> Any:
    # One a process: a second one over the same devices numbers its sums as the first one did, and
    # TensorFlow takes them for one another.
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(names)


def _checked_count(count: int | None, available: int) -> int:
    if count is None:
        return available
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= available:
        raise ValueError(f"devices must be from 1 to the {available} there are; received {count!r}")
    return count


def parallel(count: int | None = 1) -> Any:
    """Devices that share every batch, each with a copy of all else.

    Args:
        count: How many; None for all there are, which on JAX are those of all hosts that
            `keras.distribution.initialize` has joined.

    Returns:
        An object with `count`; `replicate` and `split` (nested tuples of NumPy arrays, a batch)
        to the devices; `compile`, for a function of such values, of fixed shapes, whose first one
        is given up for its result unless `batched_result`; `sum` over the devices of what each
        has for its part of the batch, inside that function; `first` (of what all have alike) and
        `gather` (of what each has a part of) back to NumPy; `hosts`, how many there are;
        `writes`, whether this one writes files.

    Raises:
        ValueError: If there are fewer devices.
    """
    return _JaxDevices(count) if keras.backend.backend() == "jax" else _TensorFlowDevices(count)
