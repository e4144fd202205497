"""The Keras model of a painter: a random CNN, a small learnt network on its features, the DCN.

Reference: the feed-forward form of the style transfer of "Randomness in Deconvolutional Networks
for Visual Representation", appendix A.4: a trained network takes V_c to V_new.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers, ops

from rrstyle.config import PainterConfig
from rrstyle.networks.build import build_cnn, build_dcn
from rrstyle.networks.laws import PAINTER
from rrstyle.networks.layers import RandomLaw, ReflectPadding2D
from rrstyle.networks.readout import build_decoder
from rrstyle.pictures.images import to_uint8
from rrstyle.transfer.closed_form import fit_gaussian

CELL = 4  # pixels between two places at which strokes are chosen and changed
LEAST_SIDE = 2 * CELL  # pixels that a painter needs a side
_LIKENESS = 100.0  # of 1 / squared distance of colours in [0, 1]: how sharply strokes are chosen
_KEPT = -1.0  # log odds of the photograph's share before anything is learnt


@keras.saving.register_keras_serializable(package="rrstyle")
class StrokeField(layers.Layer):
    """Tiles of strokes, each repeated under an image of any size.

    A smooth sky has nothing that a convolution could make strokes of: they come from here.

    From images (batch, height, width, n) to (batch, height, width, 3 * tiles), in [0, 1]. While a
    model learns, the tiles are moved by a number of pixels that the images' sum names, so that
    every stroke meets every photograph; afterwards they lie still.
    """

    def __init__(self, tiles: int, side: int, **kwargs):
        super().__init__(**kwargs)
        self.tiles, self.side = tiles, side
        self.strokes = self.add_weight(
            shape=(side, side, 3 * tiles),
            dtype="uint8",
            initializer="zeros",
            trainable=False,
            name="strokes",
        )

    def call(self, images, training=False):
        batch, height, width, _ = ops.shape(images)
        shift = ops.cast(ops.sum(ops.abs(images)), "int32") if training else 0
        rows = (ops.arange(height, dtype="int32") + shift) % self.side
        columns = (ops.arange(width, dtype="int32") + 7 * shift) % self.side
        found = ops.take(ops.take(self.strokes, rows, axis=0), columns, axis=1)
        found = ops.cast(found, self.compute_dtype) / 255
        return ops.broadcast_to(found[None], (batch, height, width, 3 * self.tiles))

    def compute_output_shape(self, shape):
        return (*shape[:3], 3 * self.tiles)

    def get_config(self):
        return {**super().get_config(), "tiles": self.tiles, "side": self.side}


@keras.saving.register_keras_serializable(package="rrstyle")
class Likeness(layers.Layer):
    """How like the colours of each tile are to those of the photograph around a place.

    From the photograph's colours (batch, rows, columns, 3) and those of the tiles (batch, rows,
    columns, 3 * tiles) to minus the squared distances (batch, rows, columns, tiles).
    """

    def call(self, inputs):
        colours, strokes = inputs
        tiles = strokes.shape[-1] // 3
        apart = _smooth(strokes - ops.tile(colours, (1, 1, 1, tiles)))
        squares = ops.square(apart)
        of_tile = np.repeat(np.eye(tiles, dtype=np.float32), 3, axis=0)
        return -_smooth(ops.matmul(squares, of_tile))

    def compute_output_shape(self, shapes):
        return (*shapes[1][:3], shapes[1][3] // 3)


def _smooth(x):
    return ops.average_pool(x, 3, 1, padding="same")


@keras.saving.register_keras_serializable(package="rrstyle")
class Mixture(layers.Layer):
    """Tiles (batch, height, width, 3 * n) added up by shares (batch, height, width, n)."""

    def call(self, inputs):
        strokes, shares = inputs
        return sum(
            strokes[..., 3 * k : 3 * k + 3] * shares[..., k : k + 1]
            for k in range(shares.shape[-1])
        )

    def compute_output_shape(self, shapes):
        return (*shapes[0][:3], 3)


@keras.saving.register_keras_serializable(package="rrstyle")
class Enlarge(layers.Layer):
    """Linear interpolation from cells of CELL x CELL pixels to the pixels of a second input."""

    def call(self, inputs):
        cells, reference = inputs
        _, height, width, _ = ops.shape(reference)
        x = ops.pad(cells, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
        x = _between(x, 1)[:, CELL // 2 : CELL // 2 + height]
        return _between(x, 2)[:, :, CELL // 2 : CELL // 2 + width]

    def compute_output_shape(self, shapes):
        return (*shapes[1][:3], shapes[0][3])


def _between(x, axis: int):
    """CELL values from each to the next along an axis, at the middles of pixels."""
    before, after = (x[:, :-1], x[:, 1:]) if axis == 1 else (x[:, :, :-1], x[:, :, 1:])
    steps = [(1 - t) * before + t * after for t in (np.arange(CELL) + 0.5) / CELL]
    found = ops.stack(steps, axis=axis + 1)
    batch, height, width, channels = ops.shape(x)
    sides = ((height - 1) * CELL, width) if axis == 1 else (height, (width - 1) * CELL)
    return ops.reshape(found, (batch, *sides, channels))


def painter_model(
    config: PainterConfig,
    tiles: np.ndarray,
    pictures: Sequence[np.ndarray],
    *,
    seed: int,
) -> keras.Model:
    """The whole painter, from images (batch, height, width, 3) in [0, 1] to images, unbounded.

    The CNN takes an image to V_c. The learnt network T takes V_c to V_new: at every fourth pixel
    it chooses among the strokes of several tiles, at first by their colours, a colour to wash over
    them, and how much of V_c is to be seen through them. The DCN, of which the last layer is
    solved, shows V_new. Of the weights only those of T are trainable.

    Args:
        tiles: Strokes of the painting, (tiles, side, side, 3) in [0, 1], that fit to themselves.
        pictures: Images (height, width, 3) in [0, 1] in its style.
        seed: Non-negative integer that names the random networks, and the weights T starts from.
    """
    cnn, dcn = (build(config.network, seed=seed) for build in (build_cnn, build_dcn))
    cnn.trainable = dcn.trainable = False
    pairs = [(cnn.predict_on_batch(picture[None])[0], picture) for picture in pictures]
    readout = build_decoder(config.network, pairs, seed=seed)
    dcn.set_weights([*dcn.get_weights()[:-2], readout.kernel, readout.bias])
    features = np.concatenate([found.reshape(-1, found.shape[-1]) for found, _ in pairs])
    moments = fit_gaussian(features)
    norm = {"mean": moments.mean, "variance": np.diag(moments.covariance) + 1e-12}
    channels, count = features.shape[-1], len(tiles)

    def convolve(x, filters, place=None):
        start = RandomLaw("he", 1.0, seed=seed, path=(PAINTER, place)) if place else "zeros"
        return layers.Conv2D(filters, 3, kernel_initializer=start)(ReflectPadding2D(3)(x))

    image = keras.Input((None, None, 3), name="image")
    own = layers.Normalization(**norm)(cnn(image))
    field = StrokeField(count, tiles.shape[1], name="strokes")
    strokes = field(image)
    field.strokes.assign(np.concatenate([to_uint8(tile) for tile in tiles], axis=-1))
    cells = layers.AveragePooling2D(CELL, padding="same")
    choice = cells(strokes)

    start = RandomLaw("he", 1.0, seed=seed, path=(PAINTER, 0))
    seen = layers.Conv2D(
        config.width, CELL, strides=CELL, padding="same", kernel_initializer=start
    )(own)
    x = convolve(layers.Concatenate()([seen, choice]), config.width, 1)
    for block in range(config.blocks):
        # A block begins as the identity.
        inner = layers.ReLU()(convolve(layers.ReLU()(x), config.width, 2 + block))
        x = layers.Add()([x, convolve(inner, config.width)])
    x = convolve(layers.ReLU()(x), count + 4)
    colours = layers.Dense(3, name="colours")
    likeness = Likeness()([colours(cells(own)), choice])
    gain = keras.initializers.Identity(gain=_LIKENESS)
    liked = layers.Dense(count, use_bias=False, kernel_initializer=gain, name="liked")(likeness)
    shares = layers.Softmax()(liked + x[..., :count])
    kept = ops.sigmoid(x[..., count : count + 1] + _KEPT)
    x = Enlarge()([layers.Concatenate()([shares, kept, x[..., count + 1 :]]), image])
    shares, kept, wash = x[..., :count], x[..., count : count + 1], x[..., count + 1 :]
    mixed = Mixture()([strokes, shares]) + wash
    lift = layers.Conv2D(channels, 3, name="lift")
    theirs = lift(ReflectPadding2D(3)(mixed))
    changed = layers.Dense(channels, kernel_initializer="identity")(own)
    new = layers.Normalization(**norm, invert=True)(theirs + kept * (changed - theirs))

    rows = (features - moments.mean) / np.sqrt(norm["variance"])
    colours.set_weights(_linear(rows, np.concatenate([p.reshape(-1, 3) for p in pictures])))
    lift.set_weights(_lift([(p, (f - moments.mean) / np.sqrt(norm["variance"])) for f, p in pairs]))
    return keras.Model(image, dcn([new, image]), name="painter")


def _linear(inputs, outputs) -> list[np.ndarray]:
    """Kernel and bias of least squares from rows of inputs to rows of outputs."""
    rows = np.column_stack([inputs, np.ones(len(inputs))])
    found = np.linalg.lstsq(rows.T @ rows, rows.T @ outputs, rcond=None)[0]
    return [found[:-1], found[-1]]


def _lift(pairs) -> list[np.ndarray]:
    """Kernel and bias of the 3 x 3 convolution that is closest to the CNN on pictures."""
    windows, wanted = [], []
    for picture, features in pairs:
        found = np.lib.stride_tricks.sliding_window_view(picture, (3, 3), axis=(0, 1))
        windows.append(np.moveaxis(found, 2, -1).reshape(-1, 27))
        wanted.append(features[1:-1, 1:-1].reshape(-1, features.shape[-1]))
    kernel, bias = _linear(np.concatenate(windows), np.concatenate(wanted))
    return [kernel.reshape(3, 3, 3, -1), bias]
