"""An ONNX model of the closed-form style transfers, for use without this package.

One function: content uint8 (height, width, 3), style uint8 (height, width, 3) and strength, a
float32 scalar from 0 to 1, to picture, uint8 of the content's size. As with a SavedModel
(`rrstyle.export.saved_model`), sizes are any, there is no batch axis and nothing is resized.

The graph is the SavedModel's, with the decompositions and the linear solver that ONNX lacks made
of what it has: see `rrstyle.export.linalg`. They take a loop of steps for each channel, which
makes 256 channels or more slow.
"""

import importlib.util
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from rrstyle.config import StyleConfig
from rrstyle.durable import write_whole
from rrstyle.export.graph import IMAGE, build_graph, compare_styles, exportable_config
from rrstyle.export.linalg import PORTABLE_OPS
from rrstyle.export.saved_model import RECORD, style_record
from rrstyle.namespace import tensor_operations

# Read when onnxruntime is imported: it would keep a file of its session in the temporary folder.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# tf2onnx would copy the whole graph before each of its optimisers: a third of the time.
os.environ.setdefault("TF2ONNX_CATCH_ERRORS", "FALSE")

OPSET = 18
_EXTRA = ("onnx", "onnxruntime", "tf2onnx")


def export_onnx(
    path: str | os.PathLike,
    config: StyleConfig | None = None,
    *,
    seed: int,
    overwrite: bool = False,
) -> Path:
    """Write an ONNX model that gives the same pictures as `stylize`; see the module for its use.

    It is written whole or not at all, and only after ONNX Runtime gave the library's pixels.

    Args:
        path: File to write; its folder must exist.
        config: Settings, limited as in `export_saved_model`; the strength is only recorded.
        seed: Seed of the random network, an integer of at least 0.
        overwrite: Permission to replace a file that is there.

    Raises:
        ValueError: If the backend is not TensorFlow, the extra `onnx` is not installed, the method
            has no closed form, or a setting or the seed breaks a rule.
        OSError: If the file exists, or cannot be written.
    """
    check_onnx_target(path, overwrite)
    write_whole(path, onnx_model(config, seed=seed), overwrite=overwrite)
    return Path(path)


def check_onnx_target(path: str | os.PathLike, overwrite: bool) -> None:
    """Raises ValueError or FileExistsError where no model can be written: before the work."""
    _check_extra()
    if not overwrite and os.path.lexists(path):
        raise FileExistsError(
            f"path must not exist, unless overwriting is allowed; received {Path(path).name!r}"
        )


def _check_extra() -> None:
    if missing := [name for name in _EXTRA if importlib.util.find_spec(name) is None]:
        need = "format onnx needs the extra onnx: pip install 'rrstyle[onnx]'"
        raise ValueError(f"{need}; {missing[0]} is not installed")


def onnx_model(config: StyleConfig | None = None, *, seed: int) -> bytes:
    """The file that `export_onnx` writes; it raises the same ValueErrors."""
    config = exportable_config(config)
    _check_extra()
    graph = build_graph(config, seed)
    pictures = (tf.TensorSpec(IMAGE.shape, IMAGE.dtype, name) for name in ("content", "style"))
    inputs = [*pictures, tf.TensorSpec((), tf.float32, "strength")]
    stylize = partial(graph.stylize, graph.config.method)
    data = converted(stylize, inputs, style_record(config, seed))
    session = open_session(data)
    strength = np.array(config.strength, np.float32)

    def run(content, style):
        return session.run(None, {"content": content, "style": style, "strength": strength})[0]

    compare_styles(run, graph, seed)
    return data


def converted(
    function: Callable[..., Any], inputs: Sequence[tf.TensorSpec], record: dict[str, Any]
) -> bytes:
    """An ONNX model of a function of tensors, whose result it calls `picture`; with a record."""
    import onnx
    import tf2onnx

    def portable(*tensors):
        usual = tensor_operations.set(PORTABLE_OPS)
        try:
            return {"picture": function(*tensors)}
        finally:
            tensor_operations.reset(usual)

    with _quiet():
        traced = tf.function(portable, autograph=False)
        model, _ = tf2onnx.convert.from_function(traced, inputs, opset=OPSET)
    # Constants that layers keep are captured, and tf2onnx takes them for inputs.
    captures = traced.get_concrete_function(*inputs).graph.captures
    held = {inner.name: outer for outer, inner in captures if outer.dtype != tf.resource}
    given = [x for x in model.graph.input if x.name not in held]
    for x in model.graph.input:
        if x.name in held:
            value = onnx.numpy_helper.from_array(held[x.name].numpy(), x.name)
            model.graph.initializer.append(value)
    del model.graph.input[:]
    model.graph.input.extend(given)
    onnx.helper.set_model_props(model, {RECORD: json.dumps(record)})
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps back what tf2onnx logs of shapes it does not know: the model is checked anyway."""
    converter, nowhere = logging.getLogger("tf2onnx"), logging.NullHandler()
    level = converter.level
    converter.setLevel(logging.CRITICAL)
    logging.root.addHandler(nowhere)  # else its first warning would set up a handler that prints
    try:
        yield
    finally:
        logging.root.removeHandler(nowhere)
        converter.setLevel(level)


def open_session(data: bytes) -> Any:
    """An ONNX Runtime session on the processor, which raises and does not print."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # it would print each error that it also raises
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
