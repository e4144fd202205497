"""What exported models compute: a style transfer in closed form as one graph of TensorFlow.

The graph is the library's own code, called with tensors in place of NumPy arrays: see
`rrstyle.backend.array_namespace`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from rrstyle import pipeline
from rrstyle.config import DECODERS, StyleConfig
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

# The check after writing: share of values that may differ, by 1, where a sum taken in another
# order crosses a rounding boundary.
_TIES = 0.01

# Of a condition, what it says, what was received and a value: the value, once the condition was
# found true.
Require = Callable[[Any, str, Any, Any], Any]


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


def exportable_config(config: StyleConfig | None) -> StyleConfig:
    """The config, or `StyleConfig()` with method transport.

    Raises:
        ValueError: If no graph can hold its method, or it names trained networks.
    """
    config = config or replace(StyleConfig(), method="transport")
    if config.method not in METHODS:
        raise ValueError(
            f"method must be one of {', '.join(METHODS)} to export, the others search and have no "
            f"graph; received {config.method!r}"
        )
    if config.decoder not in DECODERS:
        rule = f"decoder must be one of {', '.join(DECODERS)} to export a style transfer"
        raise ValueError(f"{rule}; received {config.decoder!r}")
    return config


def require(holds: Any, rule: str, received: Any, value: Any) -> Any:
    """`value`, once `holds` was found true: what is computed from it comes after the check."""
    with tf.control_dependencies([tf.debugging.Assert(holds, [rule, received])]):
        return tf.identity(value)


@dataclass(frozen=True)
class StyleGraph:
    """What the endpoints compute, from networks whose weights are variables.

    Pictures are uint8 (height, width, 3), or float32 in [0, 1] where they are called `unit`;
    results are uint8.

    Attributes:
        encoder: The CNN.
        hidden: The DCN but for its last layer, whose random kernel is `random_kernel`.
        wildness: Share of the random last layer.
        keeps_colours: Value of the config's `keep_colours`.
        least: Fewest pixels a side.
        require: Checks in a graph.
    """

    encoder: SharedNetwork
    hidden: SharedNetwork
    random_kernel: np.ndarray
    wildness: float
    keeps_colours: bool
    least: int
    require: Require = require

    def encode(self, image: Any) -> Any:
        """Features (rows, columns, n) of a picture."""
        return self._features(self.unit(image, "image"))

    def decode(self, features: Any, reference: Any) -> Any:
        """The picture of `features` by the readout that `reference` gives its own encoding."""
        image = self.unit(reference, "reference")
        own = self._features(image)
        fits = tf.reduce_all(tf.shape(features) == tf.shape(own))
        rule = "features must have the rows and columns of encode(reference); received"
        features = self.require(fits, rule, tf.shape(features), features)
        readout = self._readout([(self._padded(own, image), image)])
        return rounded(apply_readout(self._padded(features, image), *readout))

    def stylize(self, method: str, content: Any, style: Any, strength: Any) -> Any:
        """The content in the manner of the style; `strength` is a float32 scalar."""
        pair = self.unit(content, "content"), self.unit(style, "style")
        return self.stylize_unit(method, *pair, strength)

    def stylize_unit(self, method: str, content: Any, style: Any, strength: Any) -> Any:
        """`stylize` of pictures that `unit` or `sized` gave."""
        valid = (strength >= 0) & (strength <= 1)
        rule = "strength must be from 0 to 1; received"
        strength = self.require(valid, rule, strength, strength)
        if self.keeps_colours:
            style = match_luminance(style, content)
        ours, theirs = self._features(content), self._features(style)
        found = fit_map(method, fit_gaussian(ours), fit_gaussian(theirs))
        features = found.towards(ops.cast(strength, "float64"))(ours)
        pairs = [(self._padded(ours, content), content), (self._padded(theirs, style), style)]
        readout = self._readout(pairs)
        result = apply_readout(self._padded(features, content), *readout)
        decoded = apply_readout(pairs[0][0], *readout)
        image = pipeline.give_back(result, content, decoded, strength, self.wildness)
        if self.keeps_colours:
            image = keep_colours(ops.clip(image, 0, 1), content)
        return rounded(image)

    def unit(self, image: Any, argument: str) -> Any:
        """A picture's values in [0, 1], once it was found large enough."""
        return unit_image(image, self.least, argument=argument, require=self.require)

    def _features(self, image):
        return call(self.encoder, image[None])[0]

    def _readout(self, pairs):
        return fit_readout(self.random_kernel, pairs, wildness=self.wildness)

    def _padded(self, features, image):
        return call(self.hidden, [features[None], image[None]])[0]


def build_graph(config: StyleConfig, seed: int, require: Require = require) -> StyleGraph:
    """The graph of a config that `exportable_config` lets pass.

    Args:
        config: Settings, of which `side` and `precision` play no part.
        seed: Seed of the random network, an integer of at least 0.
        require: Checks in the graph.

    Raises:
        ValueError: If a setting or the seed breaks a rule.
        OSError: If trained weights cannot be read.
    """
    trained = load_weights(config.weights, config.encoder)
    config = replace(config, encoder=trained.network)
    encoder = cnn_network(config.encoder, seed=seed)
    if trained.weights:
        encoder = SharedNetwork(encoder.model, trained.weights)
    hidden, random_kernel = split_dcn(config.encoder, seed=seed)
    return StyleGraph(
        encoder=with_variables(encoder),
        hidden=with_variables(hidden),
        random_kernel=random_kernel,
        keeps_colours=config.keep_colours,
        wildness=1.0 if config.decoder == "random" else config.wildness,
        least=pipeline.smallest_side(config),
        require=require,
    )


def unit_image(
    image: Any, least: int, *, argument: str = "image", require: Require = require
) -> Any:
    """A graph's uint8 picture as float32 in [0, 1], with the library's values.

    Args:
        image: (height, width, 3).
        least: Fewest pixels a side; a smaller picture is an error of the graph.
        argument: Name of the argument in error messages.
        require: Assertion that the graph runs.
    """
    # The check comes after the cast: ONNX has no sum of bytes to hang it on.
    index = sized(tf.cast(image, tf.int32), least, argument=argument, require=require)
    return unit_values(index)


def unit_values(values: Any) -> Any:
    """float32 in [0, 1] of integers from 0 to 255."""
    return tf.gather(_UNIT, tf.cast(values, tf.int32))


def sized(image: Any, least: int, *, argument: str = "image", require: Require = require) -> Any:
    """The picture, once it was found to have `least` pixels a side."""
    rule = f"{argument} is too small: at least {least} pixels a side; received"
    fits = tf.reduce_min(tf.shape(image)[:2]) >= least
    return require(fits, rule, tf.shape(image), image)


def rounded(image: Any) -> Any:
    """A graph's picture as uint8, cut to [0, 1] before."""
    return ops.cast(ops.round(255 * ops.clip(image, 0, 1)), "uint8")


def call(network: SharedNetwork, inputs: Any) -> Any:
    """A network of `with_variables` in a graph."""
    # Calling the network itself would trace its compiled function anew for every variable.
    return network.model.stateless_call(list(network.weights), [], inputs)[0]


def with_variables(network: SharedNetwork) -> SharedNetwork:
    """The network with variables for weights: they are saved beside the graph, not in its 2 GiB."""
    return SharedNetwork(
        network.model, tuple(tf.Variable(w, trainable=False) for w in network.weights)
    )


def compare_styles(
    run: Callable[[np.ndarray, np.ndarray], np.ndarray],
    config: StyleConfig,
    seed: int,
    least: int,
) -> None:
    """Compares a small picture of an exported model with the library's.

    Args:
        run: The model, at the config's strength.
        config: Settings of the transfer.
        seed: Seed of its networks.
        least: Fewest pixels a side.

    Raises:
        RuntimeError: If they differ.
    """
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
        raise RuntimeError(
            f"the exported model's pixels differ from the library's by up to {difference.max()} "
            "/ 255"
        )
