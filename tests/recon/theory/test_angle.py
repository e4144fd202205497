"""Theorems 5.4 and A.6: the angle between an image and its convergence value."""

import math

import numpy as np
import pytest
import skimage.data
import skimage.transform

from recon.theory.angle import cosine, multilayer_bound, printed_multilayer_bound, two_layer_bound
from recon.theory.convergence import convergence_value, route_matrix
from recon.theory.simulation import hidden_maps
from rrstyle.networks.plan import Conv, Plan, Pool, Upsample
from tests.support.montecarlo import assert_mean

L2, ZERO = Pool("l2"), Upsample("zero")
CD1 = Plan((Conv(1), Conv(1), L2), (ZERO, Conv(1)))
DEEP = Plan((Conv(1), L2, Conv(1, 5), L2), (ZERO, Conv(1), Upsample("nearest"), Conv(1)))
KERNELS = (1, 2, 3, 5, 9)


def one(kernel):
    return Plan((Conv(1, kernel),), ())


def photograph(side=16):
    camera = skimage.data.camera() / 255
    return skimage.transform.resize(camera, (side, side), anti_aliasing=True)


def images():
    rng = np.random.default_rng(0)
    yield photograph()
    for sides in ((1, 1), (5, 7), (12, 12)):
        yield rng.random(sides)
        yield rng.random(sides) ** 8  # mostly dark, a few bright pixels
        yield (rng.random(sides) < 0.3) + 0.001


def test_cosine_by_hand():
    assert cosine(one(1), [[3.0, 4.0]]) == 1
    # Both windows hold the whole image: f* is constant.
    assert cosine(one(3), [[3.0, 4.0]]) == pytest.approx(7 / (5 * math.sqrt(2)))


def test_two_layer_bound_by_hand():
    # Patch sums are 7 and 7, their means divide by 9 though 7 of the pixels lie outside.
    assert two_layer_bound([[3.0, 4.0]], 3) == pytest.approx(7 / 9 * 7 / 25)
    assert two_layer_bound([[3.0, 4.0]], 1) == 1


def test_cosine_is_that_of_the_convergence_value():
    for plan in (one(3), CD1, DEEP):
        image = photograph()
        value = convergence_value(plan, image, std=0.1)
        expected = np.sum(image * value) / (np.linalg.norm(image) * np.linalg.norm(value))
        assert cosine(plan, image) == pytest.approx(expected, rel=1e-12)


def test_cosine_of_a_drawn_network():
    image = photograph(8)
    maps = hidden_maps(
        Plan((Conv(20_000),), ()), image[None, :, :, None], std=1, rng=np.random.default_rng(0)
    )[0]
    # x . f / (||x|| ||f*||) has the cosine as its mean.
    unit = image / np.linalg.norm(image)
    norm = np.linalg.norm(convergence_value(one(3), image, std=1))
    assert_mean(np.tensordot(unit, maps, axes=2) / norm, cosine(one(3), image))


def test_theorem_5_4_bounds_the_cosine():
    for image in images():
        for kernel in KERNELS:
            assert two_layer_bound(image, kernel) <= cosine(one(kernel), image) + 1e-12


def test_a_patch_mean_over_the_pixels_inside_bounds_nothing():
    # Constant image: that mean is the pixel itself and the bound 1, but f* falls off at the border.
    assert printed_multilayer_bound(one(3), np.ones((8, 8))) == pytest.approx(1)
    assert round(cosine(one(3), np.ones((8, 8))), 3) == 0.993


def test_the_valid_bound_holds_for_every_plan():
    for image in images():
        for plan in (*map(one, KERNELS), CD1, DEEP):
            assert 0 < multilayer_bound(plan, image) <= cosine(plan, image) + 1e-12


def test_the_valid_bound_is_its_formula():
    image = photograph(6)
    n = route_matrix(CD1, 6, 6)
    x = image.ravel()
    most = n.sum(axis=0).max() * n.sum(axis=1).max()
    assert multilayer_bound(CD1, image) == pytest.approx(x @ n @ x / (x @ x * math.sqrt(most)))


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_the_valid_bound_is_theorem_5_4_for_one_convolution(kernel):
    image = photograph()
    valid = multilayer_bound(one(kernel), image)
    assert valid == pytest.approx(two_layer_bound(image, kernel))


def test_the_printed_multilayer_bound_fails_after_zero_insertion():
    image = photograph()
    exact = cosine(CD1, image)
    assert round(exact, 3) == 0.944
    assert exact < printed_multilayer_bound(CD1, image)
    assert multilayer_bound(CD1, image) <= exact
    # Worst where it should be best: on a constant image, whose f* is a checkerboard.
    flat = np.full((64, 64), 0.5)
    assert printed_multilayer_bound(CD1, flat) == pytest.approx(1)
    assert cosine(CD1, flat) < 0.98


def test_pixels_that_no_route_reaches_are_zeros_of_the_limit():
    plan = Plan((Conv(1, 1), L2), (ZERO, Conv(1, 1)))
    image = np.ones((2, 2))  # f* is 2 at the top left: routes 4, 0, 0, 0
    assert cosine(plan, image) == pytest.approx(0.5)
    assert multilayer_bound(plan, image) == pytest.approx(4 / (4 * 2))
    assert printed_multilayer_bound(plan, image) == pytest.approx(1 / 4)


def test_larger_kernels_give_larger_angles_on_a_photograph():
    image = photograph(64)
    cosines = [cosine(one(kernel), image) for kernel in (1, 3, 5, 9, 15)]
    bounds = [two_layer_bound(image, kernel) for kernel in (1, 3, 5, 9, 15)]
    assert cosines == sorted(cosines, reverse=True)
    assert bounds == sorted(bounds, reverse=True)


def test_scale_does_not_matter():
    image = photograph()
    for function in (cosine, multilayer_bound, printed_multilayer_bound):
        assert function(CD1, 255 * image) == pytest.approx(function(CD1, image))
    assert two_layer_bound(255 * image, 3) == pytest.approx(two_layer_bound(image, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cosine(CD1, [[1.0, -0.5]]), "image must be at least 0.* from -0.5 to 1"),
        (lambda: two_layer_bound(np.zeros((2, 2)), 3), "and more somewhere"),
        (lambda: two_layer_bound(np.ones((2, 2)), 0), "kernel must be at least 1; received 0"),
        (lambda: multilayer_bound(CD1, np.ones((2, 2, 3))), "one channel; received shape"),
        (lambda: cosine(Plan((Conv(1), Pool(), Conv(1)), ()), np.ones((2, 2))), "must be l2"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
