"""DCNs that take the places of the CNN's maxima, its pooling switches, from the CNN.

Reference: Zhang et al., "Augmenting Supervised Neural Networks with Unsupervised Objectives for
    Large-scale Image Classification", 2016, whose decoding network Gilbert et al. use.
"""

from dataclasses import replace

import keras
from keras import ops

from rrstyle.networks.build import activate, convolve
from rrstyle.networks.pair import CnnDcn
from rrstyle.networks.plan import Conv, Plan, Pool, Upsample, plan_of

_SIDE = 2  # of the windows, in pixels


@keras.saving.register_keras_serializable(package="recon")
class SwitchedUnpooling2D(keras.layers.Layer):
    """Puts each value where the maximum of its 2 x 2 window was, the first of equal ones.

    Inputs are values (batch, height / 2, width / 2, channels), rounded up, and the maps (batch,
    height, width, channels) that were pooled; the result has the shape of these.
    """

    def call(self, inputs):
        values, before = inputs
        batch, rows, columns, channels = ops.shape(values)
        _, height, width, _ = ops.shape(before)
        beyond = (0, _SIDE * rows - height), (0, _SIDE * columns - width)
        padded = ops.pad(before, ((0, 0), *beyond, (0, 0)), constant_values=-float("inf"))
        windows = ops.reshape(padded, (batch, rows, _SIDE, columns, _SIDE, channels))
        windows = ops.transpose(windows, (0, 1, 3, 5, 2, 4))
        flat = ops.reshape(windows, (batch, rows, columns, channels, _SIDE**2))
        places = ops.one_hot(ops.argmax(flat, axis=-1), _SIDE**2, dtype=values.dtype)
        placed = ops.reshape(values[..., None] * places, ops.shape(windows))
        placed = ops.transpose(placed, (0, 1, 4, 2, 5, 3))
        whole = ops.reshape(placed, (batch, _SIDE * rows, _SIDE * columns, channels))
        return whole[:, :height, :width]

    def compute_output_shape(self, shapes):
        return shapes[1]


def with_switches(networks: CnnDcn) -> CnnDcn:
    """The pair with switches in place of the DCN's upsamplings; weights stay.

    The CNN then gives [features, the maps before each pool], and these are the DCN's inputs.

    Raises:
        ValueError: If a pool is none of the maximum of 2 x 2 windows, or a convolution has a
            stride.
    """
    plan = plan_of(networks.config)
    for layer in plan.encoder:
        if layer.stride > 1 and layer != Pool("max", _SIDE):
            raise ValueError(f"pools must be of the maximum, 2 x 2; received {layer!r}")
    pools = (x for x in networks.cnn.layers if isinstance(x, keras.layers.MaxPooling2D))
    before = [layer.input for layer in pools]
    cnn = keras.Model(networks.cnn.input, [networks.cnn.output, *before], name="cnn")
    dcn = _decoder(plan, [maps.shape[-1] for maps in before])
    dcn.set_weights(networks.dcn.get_weights())
    return replace(networks, cnn=cnn, dcn=dcn)


def _decoder(plan: Plan, channels: list[int]) -> keras.Model:
    """The DCN of a plan whose pools have these channels, data to features."""
    features = x = keras.Input((None, None, plan.features), name="features")
    switches = [keras.Input((None, None, count)) for count in channels]
    left = switches.copy()
    for layer in (*plan.decoder, plan.head):
        if isinstance(layer, Upsample):
            x = SwitchedUnpooling2D()([x, left.pop()])
            continue
        assert isinstance(layer, Conv)
        x = convolve(x, layer, plan.padding, biases=plan.biases)
        if layer is not plan.head:
            x = activate(x, plan.decoder_activation)
    return keras.Model([features, *switches], x, name="dcn")
