"""Encoded pictures in a SavedModel, for TensorFlow Serving's REST interface.

Serving reads a string input from `{"b64": "..."}`, and writes a string output so if its name ends
in `_bytes`. Without a batch axis it wants the columnar form, "inputs" rather than "instances".

Pictures are PNG or JPEG of 8 bits a channel, transparency over white, and have the library's
values. Unlike in the library they are taken as stored: no EXIF orientation, no colour profile.
"""

from typing import Any

import tensorflow as tf
from keras import ops

from rrstyle.export.graph import require, unit_values

BYTES = tf.TensorSpec((), tf.string)
RESULT = "image_bytes"

_PNG = b"\x89PNG\r\n\x1a\n"


def unit_from_bytes(data: Any, *, argument: str) -> Any:
    """The picture (height, width, 3) of a file, float32 in [0, 1].

    Args:
        data: File, a string scalar; anything but PNG or JPEG is an InvalidArgumentError.
        argument: Name of the argument in error messages.
    """
    jpeg = tf.io.is_jpeg(data)
    rule = f"{argument} must be a PNG or JPEG file; received, bytes:"
    known = jpeg | (tf.strings.substr(data, 0, len(_PNG)) == _PNG)
    data = require(known, rule, tf.strings.length(data), data)

    def from_jpeg():
        # As Pillow decodes; the faster default gives other pixels.
        return unit_values(tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE"))

    def from_png():
        values = unit_values(tf.io.decode_png(data, channels=4))
        alpha = values[..., 3:]
        return ops.clip(values[..., :3] * alpha + (1 - alpha), 0, 1)

    return tf.cond(jpeg, from_jpeg, from_png)


def png_result(image: Any) -> dict[str, Any]:
    """A uint8 picture as what an endpoint of encoded pictures returns."""
    return {RESULT: tf.io.encode_png(image)}
