"""The random networks that the theorems are compared with."""

import numpy as np
import pytest
from scipy.signal import correlate

from recon.theory.simulation import _convolve, hidden_maps, sine
from rrstyle.networks.laws import draw_kernel
from rrstyle.networks.plan import Conv, Plan, Pool, Upsample

IMAGE = np.random.default_rng(0).random((1, 5, 6, 2))


@pytest.mark.parametrize("side", [1, 3, 5])
def test_a_convolution_is_that_of_scipy(side):
    kernel = draw_kernel("gaussian", (side, side, 2, 3), std=1, rng=np.random.default_rng(1))
    found = _convolve(IMAGE, kernel)
    for output in range(3):
        expected = sum(
            correlate(IMAGE[0, :, :, i], kernel[:, :, i, output], mode="same", method="direct")
            for i in range(2)
        )
        np.testing.assert_allclose(found[0, :, :, output], expected, atol=1e-12)


def test_an_even_kernel_looks_further_to_the_bottom_right():
    kernel = np.zeros((2, 2, 1, 1))
    kernel[1, 1] = 1
    image = np.arange(6.0).reshape(1, 2, 3, 1)
    np.testing.assert_array_equal(_convolve(image, kernel)[0, :, :, 0], [[4, 5, 0], [0, 0, 0]])


def test_every_convolution_but_the_last_is_normalised():
    plan = Plan((Conv(4), Conv(9)), ())
    rng = np.random.default_rng(2)
    first, second = (
        draw_kernel("gaussian", shape, std=0.1, rng=rng) for shape in ((3, 3, 2, 4), (3, 3, 4, 9))
    )
    inner = np.maximum(_convolve(IMAGE, first), 0) / 2
    expected = np.maximum(_convolve(inner, second), 0)
    found = hidden_maps(plan, IMAGE, std=0.1, rng=np.random.default_rng(2))
    np.testing.assert_allclose(found, expected, atol=1e-14)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("l2", [[5.0, 12.0], [8.0, 6.0]]),
        ("average", [[1.75, 6.0], [4.0, 6.0]]),
        ("max", [[4.0, 12.0], [8.0, 6.0]]),
    ],
)
def test_pools_by_hand(kind, expected):
    # The maps of a 1 x 1 convolution are the image times w: pooling commutes with that.
    image = np.array([[3.0, 0, 12], [4, 0, 0], [0, 8, 6]])
    plan = Plan((Conv(1, 1), Pool(kind), Upsample("nearest")), ())
    one = hidden_maps(Plan((Conv(1, 1),), ()), image[None, :, :, None], std=1, rng=_positive())
    found = hidden_maps(plan, image[None, :, :, None], std=1, rng=_positive())[0, ..., 0]
    scale = one[0, 0, 0, 0] / 3
    assert scale > 0
    expected = np.repeat(np.repeat(expected, 2, 0), 2, 1)[:3, :3]
    np.testing.assert_allclose(found / scale, expected)


def _positive():
    """A generator whose first normal number is positive, or the ReLU would leave nothing."""
    return np.random.default_rng(0)


def test_zero_insertion_by_hand():
    plan = Plan((Conv(1, 1), Pool("max"), Upsample("zero")), ())
    image = np.array([[1.0, 2, 5], [3, 4, 0], [0, 7, 6]])
    found = hidden_maps(plan, image[None, :, :, None], std=1, rng=_positive())[0, ..., 0]
    np.testing.assert_allclose(found / found[2, 2] * 6, [[4, 0, 5], [0, 0, 0], [7, 0, 6]])


def test_maps_keep_the_precision_of_the_images():
    plan = Plan((Conv(2), Pool("average")), (Upsample(), Conv(2)))
    rng = np.random.default_rng(0)
    assert hidden_maps(plan, IMAGE.astype(np.float32), std=1, rng=rng).dtype == np.float32


def test_sine_by_hand():
    limit = np.array([[1.0, 0]])
    outputs = np.array([[[2.0, 0]], [[1, 1]], [[0, 3]], [[0, 0]]])
    np.testing.assert_allclose(sine(outputs, limit), [0, np.sqrt(0.5), 1, 1])
    tiny = sine(np.array([[1.0, 1e-12]]), limit)
    assert tiny == pytest.approx(1e-12)


def test_images_need_a_batch():
    with pytest.raises(ValueError, match=r"images must be \(batch, height, width, channels\)"):
        hidden_maps(Plan((Conv(1),), ()), IMAGE[0], std=1, rng=np.random.default_rng(0))
