"""A TensorFlow SavedModel of the closed-form style transfers, for use without this package.

Endpoints, also signatures of these names. Images are uint8 (height, width, 3) of any sizes,
without a batch axis: the pictures of a batch would all need one size, and the readout is solved
for each pair anyway. Nothing is resized: send pictures of about the same longer side.

- `stylize(content, style)` -> image of the content's size, by the config's method at the config's
  strength; also the default signature;
- `stylize_transport`, `stylize_adain`: the same by that method, with a third input `strength`, a
  float32 scalar from 0 to 1;
- `stylize_bytes(content_bytes, style_bytes)` -> `stylize` of encoded pictures, as PNG in a
  dictionary under `image_bytes`: see `rrstyle.export.bytes`;
- `encode(image)` -> features, float32 (rows, columns, n);
- `decode(features, reference)` -> image of the size of `reference`, by the readout that its own
  encoding gives: `decode(encode(x), x)` reconstructs x. The features' rows and columns must be
  those of `encode(reference)`.

A signature's result is named `output_0`. A rule that is broken is an InvalidArgumentError.
"""

import errno
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from rrstyle import backend
from rrstyle.config import StyleConfig, to_dict
from rrstyle.durable import whole_folder
from rrstyle.export.bytes import BYTES, png_result, unit_from_bytes
from rrstyle.export.graph import (
    IMAGE,
    StyleGraph,
    build_graph,
    check_exportable,
    compare_styles,
    exportable_config,
    sized,
)

RECORD = "rrstyle.json"  # beside saved_model.pb: config, seed, versions
_ENTRIES = {RECORD, "saved_model.pb", "fingerprint.pb", "variables", "assets"}


def export_saved_model(
    directory: str | os.PathLike,
    config: StyleConfig | None = None,
    *,
    seed: int,
    overwrite: bool = False,
) -> Path:
    """Write a SavedModel that gives the same pictures as `stylize`; see the module for its use.

    It is written whole or not at all, and only after it was loaded and compared with the library.

    Args:
        directory: Folder to write; its parent must exist.
        config: Settings, of which `side` and `precision` play no part; `StyleConfig()` with
            method transport by default.
        seed: Seed of the random network, an integer of at least 0.
        overwrite: Replace a SavedModel that is there, once the new one is complete.

    Returns:
        The directory.

    Raises:
        ValueError: If the backend is not TensorFlow, the method has no closed form, or a setting
            or the seed breaks a rule.
        OSError: If the directory exists, or cannot be written.
    """
    check_exportable()
    config = exportable_config(config)
    target = _checked_target(directory, overwrite)
    graph = build_graph(config, seed)

    def compare(loaded: Any) -> None:
        compare_styles(lambda *pair: loaded.stylize(*pair).numpy(), config, seed, graph.least)

    record = style_record(config, seed)
    write_saved_model(target, _endpoints(graph, config), record, compare, overwrite=overwrite)
    return target


@dataclass(frozen=True)
class Endpoint:
    """A function of a SavedModel.

    Attributes:
        name: Name of the endpoint and of its signature.
        function: Function of tensors that returns a tensor.
        inputs: Specifications of its inputs: `IMAGE`, or made by `spec`.
    """

    name: str
    function: Callable[..., Any]
    inputs: list[tf.TensorSpec]


def spec(shape: tuple[int | None, ...], dtype: str) -> tf.TensorSpec:
    """An input of an endpoint; None stands for any size."""
    return tf.TensorSpec(shape, dtype)


def write_saved_model(
    directory: str | os.PathLike,
    endpoints: Sequence[Endpoint],
    record: Mapping[str, Any],
    compare: Callable[[Any], None],
    *,
    overwrite: bool = False,
) -> Path:
    """Write a SavedModel whole or not at all.

    Args:
        directory: Folder to write; its parent must exist.
        endpoints: The first one is the default signature.
        record: Plain JSON values, written beside the model.
        compare: Check, called with the reloaded model; if it raises, the model is not put in place.
        overwrite: Replace a SavedModel that is there, once the new one is complete.

    Returns:
        The directory.

    Raises:
        ValueError: If the backend is not TensorFlow, or the name is none.
        OSError: If the directory exists, or cannot be written.
    """
    check_exportable()
    target = _checked_target(directory, overwrite)
    with _plain_os_errors(target.name), whole_folder(target, replace=overwrite) as whole:
        _write(whole, endpoints)
        compare(tf.saved_model.load(whole))  # its functions die with it
        text = json.dumps(record, indent=2)
        (whole / RECORD).write_text(f"{text}\n", encoding="utf-8")
    return target


def _endpoints(graph: StyleGraph, config: StyleConfig) -> list[Endpoint]:
    own_strength = tf.constant(config.strength, tf.float32)

    def configured(content, style):
        return graph.stylize(config.method, content, style, own_strength)

    def encoded(content_bytes, style_bytes):
        files = {"content": content_bytes, "style": style_bytes}
        content, style = (
            sized(unit_from_bytes(data, argument=name), graph.least, argument=name)
            for name, data in files.items()
        )
        return png_result(graph.stylize_unit(config.method, content, style, own_strength))

    def by(method: str):
        return lambda content, style, strength: graph.stylize(method, content, style, strength)

    features = spec((None, None, graph.encoder.model.output_shape[-1]), "float32")
    strength = spec((), "float32")
    return [
        Endpoint("stylize", configured, [IMAGE, IMAGE]),
        *(
            Endpoint(f"stylize_{method}", by(method), [IMAGE, IMAGE, strength])
            for method in ("transport", "adain")
        ),
        Endpoint("stylize_bytes", encoded, [BYTES, BYTES]),
        Endpoint("encode", graph.encode, [IMAGE]),
        Endpoint("decode", graph.decode, [features, IMAGE]),
    ]


def _write(directory: Path, endpoints: Sequence[Endpoint]) -> None:
    archive = keras.export.ExportArchive()
    for endpoint in endpoints:
        archive.add_endpoint(endpoint.name, endpoint.function, endpoint.inputs)
    try:
        archive.write_out(directory, verbose=False)
    except tf.errors.OpError as error:
        # A page with the temporary path in it; somewhere there are the system's words.
        codes = (c for c in errno.errorcode if os.strerror(c) in error.message)
        code = next(codes, errno.EIO)
        raise OSError(code, os.strerror(code)) from error


def style_record(config: StyleConfig, seed: int) -> dict[str, Any]:
    """What is written beside a model of style transfer, plain JSON values."""
    config = replace(config, weights=Path(config.weights).name)  # a name, never a path
    return {"config": to_dict(config), "seed": seed, "versions": backend.versions()}


def _checked_target(directory: str | os.PathLike, overwrite: bool) -> Path:
    try:
        target = Path(os.path.realpath(directory))
    except ValueError as error:  # a NUL
        raise ValueError(f"directory must be a valid name; received {directory!r}") from error
    label = target.name
    if not os.path.lexists(target):
        return target
    if not target.is_dir():
        raise FileExistsError(f"directory must not be a file; received {label!r}")
    if not overwrite:
        raise FileExistsError(
            f"directory must not exist, unless overwriting is allowed; received {label!r}"
        )
    # Nothing but an export is ever deleted.
    if foreign := sorted({entry.name for entry in target.iterdir()} - _ENTRIES):
        raise FileExistsError(
            f"directory must hold nothing but a SavedModel to be overwritten; received {label!r} "
            f"with {foreign[0]!r} in it"
        )
    return target


@contextmanager
def _plain_os_errors(label: str) -> Iterator[None]:
    """Turns the system's errors into a line of their own class, with their errno."""
    try:
        yield
    except OSError as error:
        plain = type(error)(
            f"directory cannot be written, the system says {error.strerror!r}; received {label!r}"
        )
        plain.errno = error.errno
        raise plain from error
