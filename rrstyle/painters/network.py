"""The Keras model of a painter: a random CNN, a small learnt network on its features, the DCN.

Reference: the feed-forward form of the style transfer of "Randomness in Deconvolutional Networks
for Visual Representation", appendix A.4: a trained network takes V_c to V_new.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops
from scipy.ndimage import gaussian_filter

from rrstyle.config import PainterConfig
from rrstyle.networks.build import build_cnn, build_dcn
from rrstyle.networks.laws import PAINTER
from rrstyle.networks.layers import CropTo, RandomLaw, ReflectPadding2D
from rrstyle.networks.readout import build_decoder
from rrstyle.transfer.closed_form import fit_gaussian

LEAST_SIDE = 8  # pixels that a painter needs a side: its smallest map is then 2 x 2
_STEP = 4  # pixels between two places where strokes are laid
_STROKE = 8  # side of what is laid at a place; neighbours overlap
_DETAIL, _EVEN = 4.0, 12.0  # pixels, standard deviations: of strokes, and of their strength
_FAINTEST = 0.01  # deviation, of [0, 1], below which detail is no stroke


@keras.saving.register_keras_serializable(package="rrstyle")
class StrokeField(keras.layers.Layer):
    """A tile of strokes that is repeated under an image of any size.

    A smooth sky has nothing that a convolution could make strokes of: they come from here.

    From images (batch, height, width, n) to (batch, height, width, 3). While a model learns, the
    strokes are moved by a number of pixels that the images' sum names, so that all of them are
    met; afterwards they lie still.
    """

    def __init__(self, rows: int, columns: int, **kwargs):
        super().__init__(**kwargs)
        self.rows, self.columns = rows, columns
        self.strokes = self.add_weight(
            shape=(rows, columns, 3), initializer="zeros", trainable=False, name="strokes"
        )

    def call(self, images, training=False):
        batch, height, width, _ = ops.shape(images)
        shift = ops.cast(ops.sum(ops.abs(images)), "int32") if training else 0
        rows = (ops.arange(height, dtype="int32") + shift) % self.rows
        columns = (ops.arange(width, dtype="int32") + 7 * shift) % self.columns
        found = ops.take(ops.take(self.strokes, rows, axis=0), columns, axis=1)
        return ops.broadcast_to(found[None], (batch, height, width, 3))

    def compute_output_shape(self, shape):
        return (*shape[:3], 3)

    def get_config(self):
        return {**super().get_config(), "rows": self.rows, "columns": self.columns}


def strokes_of(tile: np.ndarray) -> np.ndarray:
    """What is finer in a painted tile (height, width, 3) than its shapes, everywhere as strong."""
    detail = tile - gaussian_filter(tile, (_DETAIL, _DETAIL, 0), mode="wrap")
    power = np.mean(detail**2, axis=-1, keepdims=True)
    local = np.sqrt(gaussian_filter(power, (_EVEN, _EVEN, 0), mode="wrap"))
    detail /= local + _FAINTEST
    return (detail / max(float(detail.std()), 1e-6)).astype(np.float32)


def transform_network(
    config: PainterConfig, tile: np.ndarray, features: np.ndarray, *, seed: int
) -> keras.Model:
    """The learnt network T from features V_c to V_new; before it has learnt, V_new is V_c.

    At every fourth pixel it looks at the photograph and at the strokes under it; there it
    lays a patch of features over those of the photograph, and says how much of the strokes goes
    on it.

    Args:
        tile: Strokes of the painting, (height, width, 3) in [0, 1], that fit to themselves.
        features: Features of paintings, (..., channels), whose moments it normalises by.
        seed: Non-negative integer that names the weights it starts from.
    """
    channels = features.shape[-1]
    moments = fit_gaussian(features)
    norm = {"mean": moments.mean, "variance": np.diag(moments.covariance) + 1e-12}

    def he(place: int) -> RandomLaw:
        return RandomLaw("he", 1.0, seed=seed, path=(PAINTER, place))

    def convolve(x, start):
        x = ReflectPadding2D(3)(x)
        return keras.layers.Conv2D(config.width, 3, kernel_initializer=start)(x)

    given = keras.Input((None, None, channels), name="features")
    own = keras.layers.Normalization(**norm)(given)
    field = StrokeField(*tile.shape[:2], name="field")
    strokes = field(given)
    field.strokes.assign(strokes_of(tile))
    x = keras.layers.Conv2D(
        config.width, _STEP, strides=_STEP, padding="same", kernel_initializer=he(0)
    )(keras.layers.Concatenate()([own, strokes]))
    for block in range(config.blocks):
        # A block begins as the identity.
        inner = convolve(keras.layers.ReLU()(convolve(x, he(1 + block))), "zeros")
        x = keras.layers.Add()([x, inner])
    x = keras.layers.ReLU()(x)
    x = keras.layers.Conv2DTranspose(
        channels + 3, _STROKE, strides=_STEP, padding="same", kernel_initializer="zeros"
    )(x)
    x = CropTo()([x, given])
    laid, shares = x[..., :channels], x[..., channels:]
    strokes = strokes * (1 + shares)
    added = keras.layers.Dense(channels, use_bias=False, kernel_initializer="zeros")(strokes)
    kept = keras.layers.Dense(channels, kernel_initializer="identity")(own)
    new = keras.layers.Normalization(**norm, invert=True)(kept + added + laid)
    return keras.Model(given, new, name="transform")


def painter_model(
    config: PainterConfig,
    tile: np.ndarray,
    pictures: Sequence[np.ndarray],
    *,
    seed: int,
) -> keras.Model:
    """The whole painter, from images (batch, height, width, 3) in [0, 1] to images, unbounded.

    Only the layer "transform" is trainable; the last layer of the DCN is solved.

    Args:
        tile: See `transform_network`.
        pictures: Images (height, width, 3) in [0, 1] in its manner.
        seed: Non-negative integer that names the random networks.
    """
    cnn, dcn = (build(config.network, seed=seed) for build in (build_cnn, build_dcn))
    cnn.trainable = dcn.trainable = False
    pairs = [(cnn.predict_on_batch(picture[None])[0], picture) for picture in pictures]
    readout = build_decoder(config.network, pairs, seed=seed)
    dcn.set_weights([*dcn.get_weights()[:-2], readout.kernel, readout.bias])
    features = np.concatenate([found.reshape(-1, found.shape[-1]) for found, _ in pairs])
    transform = transform_network(config, tile, features, seed=seed)
    image = keras.Input((None, None, 3), name="image")
    return keras.Model(image, dcn([transform(cnn(image)), image]), name="painter")
