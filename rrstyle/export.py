"""A TensorFlow SavedModel of the closed-form style transfers, for use without this package.

Endpoints, also signatures of these names. Images are uint8 (height, width, 3) of any sizes,
without a batch axis: the pictures of a batch would all need one size, and the readout is solved
for each pair anyway. Nothing is resized: send pictures of about the same longer side.

- `stylize(content, style)` -> image of the content's size, by the config's method at the config's
  strength; also the default signature;
- `stylize_transport`, `stylize_adain`: the same by that method, with a third input `strength`, a
  float32 scalar from 0 to 1;
- `encode(image)` -> features, float32 (rows, columns, n);
- `decode(features, reference)` -> image of the size of `reference`, by the readout that its own
  encoding gives: `decode(encode(x), x)` reconstructs x. The features' rows and columns must be
  those of `encode(reference)`.

A signature's result is named `output_0`. A rule that is broken is an InvalidArgumentError.
"""

import errno
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from rrstyle import backend, pipeline
from rrstyle.config import StyleConfig, to_dict
from rrstyle.images import as_image, to_uint8
from rrstyle.networks import Network, cnn_network
from rrstyle.readout import apply_readout, fit_readout, split_dcn
from rrstyle.trained import load_vgg16
from rrstyle.transfer.closed_form import METHODS, fit_gaussian, fit_map

RECORD = "rrstyle.json"  # beside saved_model.pb: config, seed, versions
_ENTRIES = {RECORD, "saved_model.pb", "fingerprint.pb", "variables", "assets"}

IMAGE = tf.TensorSpec((None, None, 3), tf.uint8)

# The 256 values of a channel as the library has them. A table, because TensorFlow turns a
# division by 255 into a multiplication by 1 / 255, which rounds differently.
_UNIT = as_image(np.arange(256, dtype=np.uint8)[None])[0, :, 0]

# The check after writing: share of values that may differ, by 1, where a sum taken in another
# order crosses a rounding boundary.
_TIES = 0.01


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
        directory: Where to; its parent must exist.
        config: Settings, of which `side` and `precision` play no part; `StyleConfig()` with
            method transport by default.
        seed: Names the random network.
        overwrite: Replace a SavedModel that is there, once the new one is complete.

    Returns:
        The directory.

    Raises:
        ValueError: If the backend is not TensorFlow, the method has no closed form, or a setting
            or the seed breaks a rule.
        OSError: If the directory exists, or cannot be written.
    """
    check_exportable()
    config = config or replace(StyleConfig(), method="transport")
    if config.method not in METHODS:
        raise ValueError(
            f"method must be one of {', '.join(METHODS)} to export; received {config.method!r}"
        )
    target = _checked_target(directory, overwrite)
    graph = _build(config, seed)

    def compare(loaded: Any) -> None:
        _compare(loaded, config, seed, graph.least)

    write_saved_model(
        target, _endpoints(graph, config), _record(config, seed), compare, overwrite=overwrite
    )
    return target


@dataclass(frozen=True)
class Endpoint:
    """A function of a SavedModel.

    Attributes:
        name: Of the endpoint, and of its signature.
        function: Of tensors, to a tensor.
        inputs: What it takes: `IMAGE`, or of `spec`.
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
        directory: Where to; its parent must exist.
        endpoints: The first one is the default signature.
        record: Plain JSON values, written beside the model.
        compare: Called with the model loaded again; what it raises keeps the model from its place.
        overwrite: Replace a SavedModel that is there, once the new one is complete.

    Returns:
        The directory.

    Raises:
        ValueError: If the backend is not TensorFlow, or the name is none.
        OSError: If the directory exists, or cannot be written.
    """
    check_exportable()
    target = _checked_target(directory, overwrite)
    whole = target.parent / f".{secrets.token_hex(8)}.tmp"
    with _plain_os_errors(target.name):
        whole.mkdir()
        try:
            _write(whole, endpoints)
            compare(tf.saved_model.load(whole))  # its functions die with it
            text = json.dumps(record, indent=2)
            (whole / RECORD).write_text(f"{text}\n", encoding="utf-8")
            _publish(whole, target, overwrite)
        finally:
            shutil.rmtree(whole, ignore_errors=True)
    return target


def check_exportable() -> None:
    """Refuses other backends than TensorFlow.

    Raises:
        ValueError: If it is another.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "backend must be tensorflow to export: run with KERAS_BACKEND=tensorflow (a seed's "
            f"network is the same there); received {keras.backend.backend()}"
        )


def check_same_pixels(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Compares uint8 pixels of the library and of a SavedModel, but for ties in rounding.

    Raises:
        RuntimeError: If they differ.
    """
    difference = np.abs(theirs.astype(int) - ours)
    if difference.max() > 1 or np.mean(difference > 0) > _TIES:
        raise RuntimeError(
            f"the SavedModel's pixels differ from the library's by up to {difference.max()} / 255"
        )


@dataclass(frozen=True)
class _Graph:
    """What the endpoints compute, from networks whose weights are variables."""

    encoder: Network
    hidden: Network
    random_kernel: np.ndarray
    wildness: float
    least: int

    def encode(self, image):
        return self._features(unit_image(image, self.least))

    def decode(self, features, reference):
        image = unit_image(reference, self.least, argument="reference")
        own = self._features(image)
        fits = tf.reduce_all(tf.shape(features) == tf.shape(own))
        rule = "features must have the rows and columns of encode(reference); received"
        features = require(fits, rule, tf.shape(features), features)
        readout = self._readout([(self._padded(own, image), image)])
        return rounded(apply_readout(self._padded(features, image), *readout, xp=ops))

    def stylize(self, method: str, content, style, strength):
        valid = (strength >= 0) & (strength <= 1)
        strength = require(valid, "strength must be from 0 to 1; received", strength, strength)
        content, style = (
            unit_image(content, self.least, argument="content"),
            unit_image(style, self.least, argument="style"),
        )
        ours, theirs = self._features(content), self._features(style)
        found = fit_map(method, fit_gaussian(ours, xp=ops), fit_gaussian(theirs, xp=ops), xp=ops)
        features = found.towards(ops.cast(strength, "float64"), xp=ops)(ours, xp=ops)
        pairs = [(self._padded(ours, content), content), (self._padded(theirs, style), style)]
        readout = self._readout(pairs)
        result = apply_readout(self._padded(features, content), *readout, xp=ops)
        decoded = apply_readout(pairs[0][0], *readout, xp=ops)
        return rounded(pipeline.give_back(result, content, decoded, strength, self.wildness))

    def _features(self, image):
        return call(self.encoder, image[None])[0]

    def _readout(self, pairs):
        return fit_readout(self.random_kernel, pairs, wildness=self.wildness, xp=ops)

    def _padded(self, features, image):
        return call(self.hidden, [features[None], image[None]])[0]


def unit_image(image: Any, least: int, *, argument: str = "image") -> Any:
    """A graph's uint8 picture as float32 in [0, 1], with the library's values.

    Args:
        image: (height, width, 3).
        least: Fewest pixels a side; a smaller picture is an InvalidArgumentError.
        argument: Its name there.
    """
    rule = f"{argument} is too small: at least {least} pixels a side; received"
    fits = tf.reduce_min(tf.shape(image)[:2]) >= least
    image = require(fits, rule, tf.shape(image), image)
    return tf.gather(_UNIT, tf.cast(image, tf.int32))


def rounded(image: Any) -> Any:
    """A graph's picture as uint8, cut to [0, 1] before."""
    return ops.cast(ops.round(255 * ops.clip(image, 0, 1)), "uint8")


def call(network: Network, inputs: Any) -> Any:
    """A network of `with_variables` in a graph."""
    # Calling the network itself would trace its compiled function anew for every variable.
    return network.model.stateless_call(list(network.weights), [], inputs)[0]


def require(holds: Any, rule: str, received: Any, value: Any) -> Any:
    """`value`, once `holds` was found true: what is computed from it comes after the check."""
    with tf.control_dependencies([tf.debugging.Assert(holds, [rule, received])]):
        return tf.identity(value)


def _build(config: StyleConfig, seed: int) -> _Graph:
    trained = load_vgg16(config.weights) if config.weights else None
    if trained:
        config = replace(config, encoder=pipeline.trained_plan(config.encoder))
    encoder = cnn_network(config.encoder, seed=seed)
    if trained:
        encoder = Network(encoder.model, trained.encoder(config.encoder.layer))
    hidden, random_kernel = split_dcn(config.encoder, seed=seed)
    return _Graph(
        encoder=with_variables(encoder),
        hidden=with_variables(hidden),
        random_kernel=random_kernel,
        wildness=1.0 if config.decoder == "random" else config.wildness,
        least=pipeline.smallest_side(config),
    )


def with_variables(network: Network) -> Network:
    """The network with variables for weights: they are saved beside the graph, not in its 2 GiB."""
    return Network(network.model, tuple(tf.Variable(w, trainable=False) for w in network.weights))


def _endpoints(graph: _Graph, config: StyleConfig) -> list[Endpoint]:
    def configured(content, style):
        strength = tf.constant(config.strength, tf.float32)
        return graph.stylize(config.method, content, style, strength)

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


def _compare(loaded: Any, config: StyleConfig, seed: int, least: int) -> None:
    """Compares a small picture of what was written with the library's."""
    longest = max(least + 1, 16)
    rng = np.random.default_rng(0)
    shapes = (least, longest, 3), (longest, least, 3)  # the library resizes neither
    content, style = (rng.integers(0, 256, shape, np.uint8) for shape in shapes)
    same_size = replace(config, side=longest)
    expected = to_uint8(pipeline.stylize(content, style, same_size, seed=seed))
    check_same_pixels(expected, loaded.stylize(content, style).numpy())


def _record(config: StyleConfig, seed: int) -> dict[str, Any]:
    if config.weights:
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


def _publish(whole: Path, target: Path, overwrite: bool) -> None:
    for path in whole.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    if not (overwrite and target.exists()):
        whole.rename(target)  # fails where someone made a folder with content meanwhile
        return
    old = target.parent / f".{secrets.token_hex(8)}.tmp"
    target.rename(old)
    try:
        whole.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


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
