"""What every layer of `rrstyle.networks.layers` must do: sizes, configuration, saving."""

import keras
import numpy as np


def numpy_call(layer, *inputs) -> np.ndarray:
    """A layer's or model's output as an array."""
    tensors = [keras.ops.convert_to_tensor(x) for x in inputs]
    return keras.ops.convert_to_numpy(layer(tensors[0] if len(tensors) == 1 else tensors))


def model_of(layer, *shapes) -> keras.Model:
    """The layer as a model of inputs with these shapes (height, width, channels)."""
    inputs = [keras.Input(shape) for shape in shapes]
    return keras.Model(inputs, layer(inputs[0] if len(inputs) == 1 else inputs))


def assert_same(found, expected) -> None:
    """Equal up to the rounding of sums that a graph compiler takes in another order."""
    atol = 4 * np.finfo(np.float32).eps * np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


def check_layer(layer, *inputs, folder) -> None:
    """Static and unknown sizes agree; the configuration and a saved model come back the same.

    Args:
        layer: The layer.
        inputs: Arrays (batch, height, width, channels), one an input.
        folder: Where to save.
    """
    expected = numpy_call(layer, *inputs)

    def unknown(x):
        return (None, None, x.shape[-1])

    known = model_of(layer, *(x.shape[1:] for x in inputs))
    free = model_of(layer, *map(unknown, inputs))
    assert known.output_shape == (None, *expected.shape[1:])
    assert free.output_shape == (None, None, None, expected.shape[-1])
    for model in (known, free):
        assert_same(model.predict(list(inputs), verbose=0), expected)

    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    np.testing.assert_array_equal(numpy_call(again, *inputs), expected)

    path = folder / "layer.keras"
    free.save(path)
    loaded = keras.models.load_model(path)
    assert_same(loaded.predict(list(inputs), verbose=0), expected)
