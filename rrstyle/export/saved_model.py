"""A TensorFlow SavedModel of the closed-form style transfers, for use without this package.

Endpoints, also signatures of these names. Images are uint8 (height, width, 3) of any sizes,
without a batch axis, because the readout is solved for each pair of pictures. Nothing is resized:
send pictures of about the same longer side.

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

A signature's result is named `output_0`. Invalid inputs raise an InvalidArgumentError.
"""

import errno
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf

from rrstyle import backend
from rrstyle.config import StyleConfig, to_dict
from rrstyle.durable import bare_name, named_errors, whole_folder
from rrstyle.export.bytes import BYTES, png_result, unit_from_bytes
from rrstyle.export.graph import (
    IMAGE,
    StyleGraph,
    build_graph,
    check_backend,
    compare_styles,
    exportable_config,
    sized,
)
from rrstyle.networks.plan import plan_of

RECORD = "rrstyle.json"  # beside saved_model.pb: config, seed, device and versions
_ENTRIES = {RECORD, "saved_model.pb", "fingerprint.pb", "variables", "assets"}
# A function of a SavedModel, of tensors, and the specifications of its inputs.
Endpoint = tuple[Callable[..., Any], list[tf.TensorSpec]]


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
        config: Settings; `side` and `precision` are not used. By default `StyleConfig()` with
            method transport.
        seed: Seed of the random network, an integer of at least 0.
        overwrite: Permission to replace a SavedModel that is there, once the new one is complete.

    Raises:
        ValueError: If the backend is not TensorFlow, the method has no closed form, or a setting
            or the seed breaks a rule.
        OSError: If the directory exists, or cannot be written.
    """
    config = exportable_config(config)
    _checked_target(directory, overwrite)  # before the work
    graph = build_graph(config, seed)

    def compare(loaded: Any) -> None:
        compare_styles(lambda *pair: loaded.stylize(*pair).numpy(), graph, seed)

    record = style_record(config, seed)
    return write_saved_model(directory, _endpoints(graph), record, compare, overwrite=overwrite)


def write_saved_model(
    directory: str | os.PathLike,
    endpoints: Mapping[str, Endpoint],
    record: Mapping[str, Any],
    compare: Callable[[Any], None],
    *,
    overwrite: bool = False,
) -> Path:
    """Write a SavedModel whole or not at all.

    Args:
        directory, overwrite: See `export_saved_model`.
        endpoints: Functions by the names of their signatures; the first is the default signature.
        record: Plain JSON values, written beside the model.
        compare: Check, called with the reloaded model; if it raises, the model is not put in place.

    Raises:
        ValueError: If the backend is not TensorFlow, or no folder can have this name.
        OSError: If the directory exists, or cannot be written.
    """
    check_backend()
    target = _checked_target(directory, overwrite)
    with (
        named_errors(bare_name(target.name), "not written", missing="folder", invalid=None),
        whole_folder(target, replace=overwrite) as whole,
    ):
        _write(whole, endpoints)
        compare(tf.saved_model.load(whole))  # its functions die with it
        text = json.dumps(record, indent=2)
        (whole / RECORD).write_text(f"{text}\n", encoding="utf-8")
    return target


def _endpoints(graph: StyleGraph) -> dict[str, Endpoint]:
    method, own_strength = graph.config.method, tf.constant(graph.config.strength, tf.float32)
    unit, strength = tf.TensorSpec(IMAGE.shape, tf.float32), tf.TensorSpec((), tf.float32)
    # One graph a method, which endpoints share: tracing is most of the time of an export.
    transfers: dict[str, Any] = {
        name: _traced(partial(graph.stylize_unit, name), [unit, unit, strength])
        for name in {method, "transport", "adain"}
    }

    def by(method: str):
        def stylize(content, style, strength):
            pair = graph.unit(content, "content"), graph.unit(style, "style")
            return transfers[method](*pair, strength)

        return stylize

    def configured(content, style):
        return by(method)(content, style, own_strength)

    def encoded(content_bytes, style_bytes):
        files = {"content": content_bytes, "style": style_bytes}.items()
        content, style = (
            sized(unit_from_bytes(data, argument=name), graph.least, name) for name, data in files
        )
        return png_result(transfers[method](content, style, own_strength))

    features = tf.TensorSpec((None, None, plan_of(graph.config.encoder).features), tf.float32)
    return {
        "stylize": (configured, [IMAGE, IMAGE]),
        "stylize_transport": (by("transport"), [IMAGE, IMAGE, strength]),
        "stylize_adain": (by("adain"), [IMAGE, IMAGE, strength]),
        "stylize_bytes": (encoded, [BYTES, BYTES]),
        "encode": (graph.encode, [IMAGE]),
        "decode": (graph.decode, [features, IMAGE]),
    }


def _traced(function: Callable[..., Any], inputs: list[tf.TensorSpec]) -> Any:
    """A function's graph. Keras' archive, given a function, would trace it twice."""
    return tf.function(function, inputs, autograph=False).get_concrete_function()


def _write(directory: Path, endpoints: Mapping[str, Endpoint]) -> None:
    model = tf.Module()
    signatures = {name: _traced(*endpoint) for name, endpoint in endpoints.items()}
    model.weights = [signature.variables for signature in signatures.values()]
    for name, signature in signatures.items():
        setattr(model, name, signature)
    signatures["serving_default"] = next(iter(signatures.values()))
    try:
        tf.saved_model.save(model, directory, signatures=signatures)
    except tf.errors.OpError as error:
        # A page with the temporary path in it; somewhere there are the system's words.
        codes = (c for c in errno.errorcode if os.strerror(c) in error.message)
        code = next(codes, errno.EIO)
        raise OSError(code, os.strerror(code)) from error


def style_record(config: StyleConfig, seed: int) -> dict[str, Any]:
    """The record beside a model of style transfer: plain JSON values."""
    config = replace(config, weights=Path(config.weights).name)  # a name, never a path
    return {"config": to_dict(config), "seed": seed, "versions": backend.computing()}


def _checked_target(directory: str | os.PathLike, overwrite: bool) -> Path:
    try:
        target = Path(os.path.realpath(directory))
    except ValueError as error:  # a NUL
        raise ValueError(f"directory must be a valid name; received {directory!r}") from error
    received = f"; received {target.name!r}"
    if not os.path.lexists(target):
        return target
    if not target.is_dir():
        raise FileExistsError(f"directory must not be a file{received}")
    if not overwrite:
        raise FileExistsError(f"directory must not exist, unless overwriting is allowed{received}")
    # Nothing but an export is ever deleted.
    if foreign := sorted({entry.name for entry in target.iterdir()} - _ENTRIES):
        rule = "directory must hold nothing but a SavedModel to be overwritten"
        raise FileExistsError(f"{rule}{received} with {foreign[0]!r} in it")
    return target
