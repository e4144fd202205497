"""What exported models compute: a style transfer in closed form as one graph of TensorFlow.

The graph is the library's own code, called with tensors in place of NumPy arrays: see
`rrstyle.namespace.array_namespace`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from rrstyle import pipeline
from rrstyle.config import DECODERS, StyleConfig
from rrstyle.namespace import tensor_operations
from rrstyle.networks.build import SharedNetwork, cnn_network
from rrstyle.networks.readout import apply_readout, fit_readout, split_dcn
from rrstyle.networks.weight_files import load_weights
from rrstyle.pictures.images import as_image, to_uint8
from rrstyle.transfer.closed_form import METHODS, fit_gaussian, fit_map
from rrstyle.transfer.colours import keep_colours, match_luminance

IMAGE = tf.TensorSpec((None, None, 3), tf.uint8)

# The 256 values of a channel as the library has them. A table, because TensorFlow turns a
# division by 255 into a multiplication by 1 / 255, which rounds differently.
_UNIT = as_image(np.arange(256, dtype=np.uint8)[None])[0, :, 0]

# Share of pixel values that may differ by 1 from the library's: sums in another order can cross a
# rounding boundary.
_TIES = 0.01


def exportable_config(config: StyleConfig | None) -> StyleConfig:
    """The config, or `StyleConfig()` with method transport.

    Raises:
        ValueError: If the backend is not TensorFlow, no graph can hold the method, or the decoder
            is a trained one.
    """
    check_backend()
    config = config or StyleConfig(method="transport")
    if config.method not in METHODS:
        rule = f"method must be one of {', '.join(METHODS)} to export"
        raise ValueError(f"{rule}, the others search and have no graph; received {config.method!r}")
    if config.decoder not in DECODERS:
        rule = f"decoder must be one of {', '.join(DECODERS)} to export a style transfer"
        raise ValueError(f"{rule}; received {config.decoder!r}")
    return config


def check_backend() -> None:
    """Raises ValueError where the backend is not TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "backend must be tensorflow to export: run with KERAS_BACKEND=tensorflow (a seed's "
            f"network is the same there); received {keras.backend.backend()}"
        )


def require(holds: Any, rule: str, received: Any, value: Any) -> Any:
    """`value`; an InvalidArgumentError with `rule` and `received` where `holds` is false.

    ONNX has no assertions: there an index runs out of a table of one entry, and the runtime's error
    has the rule for the name of the node.
    """
    if tensor_operations.get():
        words = re.sub(r"[^A-Za-z0-9]+", "_", rule.removesuffix("; received")).strip("_")
        index = tf.cast(tf.logical_not(holds), tf.int32)
        return value + tf.gather(tf.zeros(1, value.dtype), index, name=words)
    with tf.control_dependencies([tf.debugging.Assert(holds, [rule, received])]):
        return tf.identity(value)


def checked_strength(strength: Any) -> Any:
    """A graph's strength, checked to be from 0 to 1."""
    valid = (strength >= 0) & (strength <= 1)
    return require(valid, "strength must be from 0 to 1; received", strength, strength)


def in_graph(network: SharedNetwork) -> Callable[[Any], Any]:
    """A network as a function inside a graph, (batch, height, width, channels) each way.

    Its weights become variables, saved beside the graph and not in its 2 GiB. The network's own
    compiled function would be traced anew for every variable.
    """
    weights = [tf.Variable(w, trainable=False) for w in network.weights]
    return lambda inputs: network.model.stateless_call(weights, [], inputs)[0]


@dataclass(frozen=True)
class StyleGraph:
    """What the endpoints compute.

    Pictures are uint8 (height, width, 3), or float32 in [0, 1] where they are called `unit`;
    results are uint8.

    Attributes:
        config: Settings, with the plan of trained weights filled in.
        encoder: CNN, from images (1, height, width, 3) to features.
        hidden: DCN without its last layer, from [features, images of the wanted size].
        random_kernel: Random kernel of the last layer, (k, k, channels, 3).
    """

    config: StyleConfig
    encoder: Callable[[Any], Any]
    hidden: Callable[[Any], Any]
    random_kernel: np.ndarray

    def encode(self, image: Any) -> Any:
        """Features (rows, columns, n) of a picture."""
        return self._features(self.unit(image, "image"))

    def decode(self, features: Any, reference: Any) -> Any:
        """The picture of `features` by the readout that `reference` gives its own encoding."""
        image = self.unit(reference, "reference")
        own = self._features(image)
        fits = tf.reduce_all(tf.shape(features) == tf.shape(own))
        rule = "features must have the rows and columns of encode(reference); received"
        features = require(fits, rule, tf.shape(features), features)
        readout = self._readout([(self._padded(own, image), image)])
        return rounded(apply_readout(self._padded(features, image), *readout))

    def stylize(self, method: str, content: Any, style: Any, strength: Any) -> Any:
        """The content in the style; `strength` is a float32 scalar."""
        pair = self.unit(content, "content"), self.unit(style, "style")
        return self.stylize_unit(method, *pair, strength)

    def stylize_unit(self, method: str, content: Any, style: Any, strength: Any) -> Any:
        """`stylize` of pictures that are `unit` already, of at least `least` pixels a side."""
        strength = checked_strength(strength)
        if self.config.keep_colours:
            style = match_luminance(style, content)
        ours, theirs = self._features(content), self._features(style)
        found = fit_map(method, fit_gaussian(ours), fit_gaussian(theirs))
        features = found.towards(ops.cast(strength, "float64"))(ours)
        pairs = [(self._padded(ours, content), content), (self._padded(theirs, style), style)]
        readout = self._readout(pairs)
        result = apply_readout(self._padded(features, content), *readout)
        decoded = apply_readout(pairs[0][0], *readout)
        wildness = pipeline.readout_wildness(self.config)
        image = pipeline.give_back(result, content, decoded, strength, wildness)
        if self.config.keep_colours:
            image = keep_colours(ops.clip(image, 0, 1), content)
        return rounded(image)

    @property
    def least(self) -> int:
        """Fewest pixels a side."""
        return pipeline.smallest_side(self.config)

    def unit(self, image: Any, argument: str) -> Any:
        """A picture's values in [0, 1], checked to be large enough."""
        return unit_image(image, self.least, argument)

    def _features(self, image):
        return self.encoder(image[None])[0]

    def _readout(self, pairs):
        return fit_readout(
            self.random_kernel, pairs, wildness=pipeline.readout_wildness(self.config)
        )

    def _padded(self, features, image):
        return self.hidden([features[None], image[None]])[0]


def build_graph(config: StyleConfig, seed: int) -> StyleGraph:
    """The graph of a config that `exportable_config` lets pass; no use of side and precision.

    Raises:
        ValueError: If a setting or the seed breaks a rule.
        OSError: If trained weights cannot be read.
    """
    trained = load_weights(config.weights, config.encoder)
    config = replace(config, encoder=trained.network)
    encoder = cnn_network(config.encoder, seed=seed, trained=trained.weights)
    hidden, random_kernel = split_dcn(config.encoder, seed=seed)
    return StyleGraph(config, in_graph(encoder), in_graph(hidden), random_kernel)


def unit_image(image: Any, least: int, argument: str = "image") -> Any:
    """A graph's uint8 picture, `sized`, as float32 in [0, 1], with the library's values."""
    # The check comes after the cast: ONNX has no sum of bytes to hang it on.
    return unit_values(sized(tf.cast(image, tf.int32), least, argument))


def unit_values(values: Any) -> Any:
    """float32 in [0, 1] of integers from 0 to 255."""
    return tf.gather(_UNIT, tf.cast(values, tf.int32))


def sized(image: Any, least: int, argument: str = "image") -> Any:
    """The picture (height, width, 3), checked to have `least` pixels a side."""
    rule = f"{argument} is too small: at least {least} pixels a side; received"
    return require(tf.reduce_min(tf.shape(image)[:2]) >= least, rule, tf.shape(image), image)


def rounded(image: Any) -> Any:
    """A graph's picture as uint8, cut to [0, 1] before."""
    return ops.cast(ops.round(255 * ops.clip(image, 0, 1)), "uint8")


def compare_styles(
    run: Callable[[np.ndarray, np.ndarray], np.ndarray], graph: StyleGraph, seed: int
) -> None:
    """Compares a small picture of an exported model, at the config's strength, with the library's.

    Raises:
        RuntimeError: If they differ.
    """
    config, least = graph.config, graph.least
    longest = max(least + 1, 16)
    rng = np.random.default_rng(0)
    shapes = (least, longest, 3), (longest, least, 3)  # the library resizes neither
    content, style = (rng.integers(0, 256, shape, np.uint8) for shape in shapes)
    same_size = replace(config, side=longest, style_scale=1.0)
    expected = to_uint8(pipeline.stylize(content, style, same_size, seed=seed))
    check_same_pixels(expected, run(content, style))


def check_same_pixels(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Compares uint8 pixels of the library and of an exported model, but for ties in rounding.

    Raises:
        RuntimeError: If they differ.
    """
    difference = np.abs(theirs.astype(int) - ours)
    if difference.max() > 1 or np.mean(difference > 0) > _TIES:
        wrong = "the exported model's pixels differ from the library's"
        raise RuntimeError(f"{wrong} by up to {difference.max()} / 255")
