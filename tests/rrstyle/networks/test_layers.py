"""The project's Keras layers: hand-computed arrays, then NumPy, adjoints and saving."""

import keras
import numpy as np
import pytest
from keras import ops

from rrstyle import backend
from rrstyle.networks.laws import ENCODER, draw_kernel, layer_rng
from rrstyle.networks.layers import (
    BlurPool2D,
    CropTo,
    L2Pooling2D,
    RandomLaw,
    ReflectPadding2D,
    ZeroInsertedConv2D,
    ZeroInsertion2D,
)
from tests.support.layer_check import assert_same, check_layer, model_of, numpy_call

SIZES = [(6, 8), (7, 9), (6, 7)]


def picture(height, width, channels=2, *, batch=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(batch, height, width, channels)).astype(np.float32)


def plane(rows):
    return np.array(rows, np.float32)[None, :, :, None]


# RandomLaw


@pytest.mark.parametrize("law", ["laplace", "he", "orthogonal"])
def test_the_initialiser_draws_by_numpy_and_keeps_its_configuration(law):
    wanted = draw_kernel(law, (3, 3, 4, 8), std=0.1, rng=layer_rng(5, ENCODER, 2))
    initialiser = RandomLaw(law, 0.1, seed=5, path=(ENCODER, 2))
    again = keras.initializers.deserialize(keras.initializers.serialize(initialiser))
    for one in (initialiser, again):
        np.testing.assert_array_equal(ops.convert_to_numpy(one((3, 3, 4, 8))), wanted)


def test_the_initialiser_refuses_what_is_no_seed():
    with pytest.raises(ValueError, match=r"seed must be an integer from 0 to 2\^128; received -1"):
        RandomLaw("he", 0.1, seed=-1, path=(ENCODER, 0))


# ZeroInsertedConv2D


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("kernel", "factor"), [(3, 2), (4, 2), (5, 2), (5, 3), (1, 1)])
def test_insertion_and_convolution_in_one_are_the_two_layers(kernel, factor, size, tmp_path):
    assert ZeroInsertedConv2D.covers(kernel, factor)
    x = picture(*size)
    both = ZeroInsertedConv2D(4, kernel, factor=factor, bias_initializer="ones")
    found = numpy_call(both, x)
    plain = keras.layers.Conv2D(4, kernel, padding="same")
    plain.build((None, None, None, 2))
    plain.set_weights(both.get_weights())
    expected = numpy_call(plain, numpy_call(ZeroInsertion2D(factor), x))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    model = model_of(both, (None, None, 2))
    assert model.output_shape == (None, None, None, 4)
    model.save(tmp_path / "layer.keras")
    loaded = keras.models.load_model(tmp_path / "layer.keras")
    assert_same(loaded.predict(x, verbose=0), found)


def test_a_kernel_that_ends_before_the_inserted_zeros_is_not_covered():
    assert not ZeroInsertedConv2D.covers(1, 2)
    assert not ZeroInsertedConv2D.covers(3, 4)


# ReflectPadding2D


def test_reflect_padding_by_hand():
    x = plane([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    expected = plane(
        [[5, 4, 5, 6, 5], [2, 1, 2, 3, 2], [5, 4, 5, 6, 5], [8, 7, 8, 9, 8], [5, 4, 5, 6, 5]]
    )
    np.testing.assert_array_equal(numpy_call(ReflectPadding2D(3), x), expected)


def test_reflect_padding_of_an_even_kernel_grows_the_bottom_right():
    x = plane([[1, 2], [3, 4]])
    np.testing.assert_array_equal(
        numpy_call(ReflectPadding2D(2), x), plane([[1, 2, 1], [3, 4, 3], [1, 2, 1]])
    )


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("size", SIZES)
def test_reflect_padding_is_numpys(kernel, size):
    x = picture(*size)
    width = ((kernel - 1) // 2, kernel // 2)
    expected = np.pad(x, ((0, 0), width, width, (0, 0)), mode="reflect")
    found = numpy_call(ReflectPadding2D(kernel), x)
    np.testing.assert_array_equal(found, expected)
    assert found.shape[1] - kernel + 1 == size[0]  # what a valid convolution leaves


# ZeroInsertion2D


def test_zero_insertion_by_hand():
    expected = plane([[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(numpy_call(ZeroInsertion2D(), plane([[1, 2], [3, 4]])), expected)
    np.testing.assert_array_equal(
        numpy_call(ZeroInsertion2D(3), plane([[5]])), plane([[5, 0, 0], [0, 0, 0], [0, 0, 0]])
    )


@pytest.mark.parametrize("factor", [1, 2, 3, 8])
def test_zero_insertion_is_the_adjoint_of_subsampling(factor):
    # <A x, y> = <x, A* y>, A zero insertion and A* every factor-th pixel.
    x, y = picture(3, 4, seed=1), picture(3 * factor, 4 * factor, seed=2)
    ax = numpy_call(ZeroInsertion2D(factor), x).astype(np.float64)
    left = np.vdot(ax, y.astype(np.float64))
    right = np.vdot(x.astype(np.float64), y[:, ::factor, ::factor].astype(np.float64))
    assert left == pytest.approx(right, rel=1e-12)
    np.testing.assert_array_equal(ax[:, ::factor, ::factor], x)  # and A* A is the identity


def test_routes_through_zero_insertion_and_convolutions():
    # Theorem 5.1's checkerboard: 1, 2, 2, 4 routes after one 3x3, 25, 20, 20, 16 after two.
    x = numpy_call(ZeroInsertion2D(), np.ones((1, 6, 6, 1), np.float32))
    ones = ops.ones((3, 3, 1, 1))
    once = ops.conv(x, ones, padding="same")
    twice = ops.convert_to_numpy(ops.conv(once, ones, padding="same"))[0, :, :, 0]
    once = ops.convert_to_numpy(once)[0, :, :, 0]
    np.testing.assert_array_equal(once[4:6, 4:6], [[1, 2], [2, 4]])
    np.testing.assert_array_equal(twice[4:6, 4:6], [[25, 20], [20, 16]])


# CropTo


def test_crop_by_hand():
    x, reference = plane(np.arange(16).reshape(4, 4)), np.zeros((1, 3, 4, 5), np.float32)
    np.testing.assert_array_equal(numpy_call(CropTo(), x, reference), x[:, :3])
    expected = plane([[0, 1], [4, 5]])
    np.testing.assert_array_equal(numpy_call(CropTo(2), x, reference), expected)


def test_crop_undoes_what_ceil_pooling_and_doubling_add():
    for side in range(1, 30):
        for factor in (1, 2, 4):
            reference = np.zeros((1, side, side + 1, 1), np.float32)
            wanted = -(-side // factor), -(-(side + 1) // factor)
            doubled = picture(*(2 * -(-s // 2) for s in wanted))
            assert numpy_call(CropTo(factor), doubled, reference).shape[1:3] == wanted


def test_crop_is_the_adjoint_of_padding_by_zeros():
    x, y = picture(6, 8, seed=1), picture(5, 7, seed=2)
    cropped = numpy_call(CropTo(), x, y).astype(np.float64)
    padded = np.pad(y, ((0, 0), (0, 1), (0, 1), (0, 0))).astype(np.float64)
    assert np.vdot(cropped, y.astype(np.float64)) == pytest.approx(
        np.vdot(x.astype(np.float64), padded), rel=1e-12
    )


# L2Pooling2D


def test_l2_pooling_by_hand():
    x = plane([[3, 0, 1], [4, 0, -1], [5, 12, 0]])
    expected = plane([[5, np.sqrt(2)], [13, 0]])
    np.testing.assert_allclose(numpy_call(L2Pooling2D(), x), expected, rtol=1e-6, atol=1e-12)


def l2_pool(x, size):
    """Windows of `size`, stride 2, with "same" padding: the odd pixel of it at the end."""
    batch, height, width, channels = x.shape
    rows, columns = -(-height // 2), -(-width // 2)
    result = np.zeros((batch, rows, columns, channels))
    starts = [max(0, 2 * (n - 1) + size - s) // 2 for n, s in ((rows, height), (columns, width))]
    for i in range(rows):
        for j in range(columns):
            top, left = 2 * i - starts[0], 2 * j - starts[1]
            window = x[:, max(top, 0) : top + size, max(left, 0) : left + size]
            result[:, i, j] = np.sqrt(np.sum(window.astype(np.float64) ** 2, axis=(1, 2)))
    return result


@pytest.mark.parametrize("size", [*SIZES, (1, 1)])
@pytest.mark.parametrize("pool_size", [2, 3])
def test_l2_pooling_is_numpys(size, pool_size):
    x = picture(*size, channels=3)
    found = numpy_call(L2Pooling2D(pool_size), x)
    np.testing.assert_allclose(found, l2_pool(x, pool_size), rtol=1e-5)


def test_the_gradient_of_l2_pooling_is_finite_where_a_window_is_zero():
    layer = L2Pooling2D()
    x = np.zeros((1, 2, 4, 1), np.float32)
    x[0, 0, 2, 0] = 3
    x[0, 1, 2, 0] = 4
    function = backend.value_and_grad(lambda v: ops.sum(layer(v)))
    value, gradient = function(ops.convert_to_tensor(x))
    assert float(value) == pytest.approx(5)
    np.testing.assert_allclose(ops.convert_to_numpy(gradient), x / 5, rtol=1e-6)


# BlurPool2D


def blur_pool(x):
    """Each output an explicit sum over the 4 x 4 stencil around it."""
    taps = np.array([1, 3, 3, 1]) / 8
    height, width = x.shape[1:3]
    padded = np.pad(x.astype(np.float64), ((0, 0), (1, 2), (1, 2), (0, 0)), mode="reflect")
    result = np.zeros((x.shape[0], -(-height // 2), -(-width // 2), x.shape[3]))
    for i in range(result.shape[1]):
        for j in range(result.shape[2]):
            window = padded[:, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4]
            result[:, i, j] = np.einsum("bhwc,h,w->bc", window, taps, taps)
    return result


def test_blur_pooling_by_hand():
    # An impulse at pixel 2 of 6: output i sees pixels 2i - 1 to 2i + 2 with weights 1 3 3 1.
    row = np.array([0, 0, 8, 0, 0, 0], np.float32)
    x = np.broadcast_to(row[None, None, :, None], (1, 4, 6, 1)).copy()
    found = numpy_call(BlurPool2D(), x)
    np.testing.assert_allclose(found[0, :, :, 0], [[1, 3, 0]] * 2, atol=1e-6)


@pytest.mark.parametrize("size", [*SIZES, (3, 3), (3, 4)])
def test_blur_pooling_is_the_explicit_stencil(size):
    x = picture(*size)
    found = numpy_call(BlurPool2D(), x)
    np.testing.assert_allclose(found, blur_pool(x), atol=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_blur_pooling_keeps_a_constant(size):
    x = np.full((1, *size, 2), 0.7, np.float32)
    np.testing.assert_allclose(numpy_call(BlurPool2D(), x), 0.7, rtol=1e-6)


def test_blur_pooling_takes_away_the_finest_checkerboard():
    x = (-1.0) ** np.add.outer(np.arange(8), np.arange(8))[None, :, :, None].astype(np.float32)
    np.testing.assert_allclose(numpy_call(BlurPool2D(), x)[:, 1:-1, 1:-1], 0, atol=1e-6)


# All


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "layer",
    [
        ReflectPadding2D(4),
        ReflectPadding2D(1),
        ZeroInsertion2D(3),
        L2Pooling2D(3),
        L2Pooling2D(),
        BlurPool2D(),
    ],
    ids=lambda layer: layer.name,
)
def test_sizes_configuration_and_saving(layer, size, tmp_path):
    check_layer(layer, picture(*size), folder=tmp_path)


@pytest.mark.parametrize("factor", [1, 2])
def test_sizes_configuration_and_saving_of_crop(factor, tmp_path):
    check_layer(CropTo(factor), picture(8, 8), picture(7, 5, channels=3), folder=tmp_path)


def test_settings_are_kept_in_the_configuration():
    assert ReflectPadding2D(5).get_config()["kernel"] == 5
    assert ZeroInsertion2D(4).get_config()["factor"] == 4
    assert CropTo(8).get_config()["factor"] == 8
    assert L2Pooling2D(3).get_config()["pool_size"] == 3


def test_one_side_may_be_unknown():
    x = picture(5, 7)
    for layer in (ReflectPadding2D(3), ZeroInsertion2D(), L2Pooling2D(), BlurPool2D()):
        model = model_of(layer, (5, None, 2))
        expected = numpy_call(layer, x)
        assert model.output_shape == (None, expected.shape[1], None, 2)
        assert_same(model.predict(x, verbose=0), expected)
