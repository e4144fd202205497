"""Theorem A.7: the kernel recursion, against hand, golden kernels and drawn networks."""

import math
from pathlib import Path

import numpy as np
import pytest

from recon.theory import convergence
from recon.theory.average_pooling import convergence_value, pixel_kernel
from recon.theory.moments import rectified_product
from recon.theory.simulation import hidden_maps
from rrstyle.networks.plan import Conv, Plan, Pool, Upsample
from tests.support.montecarlo import assert_mean

MEAN, ZERO, NEAREST = Pool("average"), Upsample("zero"), Upsample("nearest")
with np.load(Path(__file__).parent / "golden" / "kernels.npz") as _arrays:
    GOLDEN = dict(_arrays)
# Plans of the nets of golden/make_kernels.py.
GOLDEN_PLANS = {
    "conv3": Plan((Conv(1),), ()),
    "conv3_conv5_conv3": Plan((Conv(1), Conv(1, 5), Conv(1)), ()),
    "conv3_pool_conv3": Plan((Conv(1), MEAN, Conv(1)), ()),
    "conv3_pool_conv3_odd_sides": Plan((Conv(1), MEAN, Conv(1)), ()),
    "conv3_pool_insert_conv3": Plan((Conv(1), MEAN), (ZERO, Conv(1))),
    "conv3_conv3_pool_insert_conv3_conv3": Plan((Conv(1), Conv(1), MEAN), (ZERO, Conv(1), Conv(1))),
}


def test_one_pixel_filters_by_hand():
    # Patches are pixels (1, 0), (0, 2), (1, 1): at right angles, and at 45 degrees.
    image = np.array([[[1.0, 0], [0, 2], [1, 1]]])
    h45 = (3 * math.pi / 4 * math.sqrt(0.5) + math.sqrt(0.5)) / math.pi
    expected = 0.5 * np.array(
        [
            [1, 2 / math.pi, math.sqrt(2) * h45],
            [2 / math.pi, 4, 2 * math.sqrt(2) * h45],
            [math.sqrt(2) * h45, 2 * math.sqrt(2) * h45, 2],
        ]
    )
    found = pixel_kernel(Plan((Conv(1, 1),), ()), image, std=1)
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_one_convolution_is_the_lemma_on_its_patches():
    image = np.random.default_rng(0).normal(size=(4, 5, 2))
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    patches = [padded[r : r + 3, c : c + 3].ravel() for r in range(4) for c in range(5)]
    expected = [[rectified_product(a, b, std=0.2) for b in patches] for a in patches]
    found = pixel_kernel(Plan((Conv(1),), ()), image, std=0.2)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_pool_and_upsampling_by_hand():
    # Images of one sign and filters of one pixel: all maps are in proportion to the image.
    image = np.array([[1.0, 3, 5]])
    pooled = pixel_kernel(Plan((Conv(1, 1), MEAN, Conv(1, 1)), ()), image, std=1)
    np.testing.assert_allclose(pooled, np.outer([2, 5], [2, 5]) / 4)
    inserted = pixel_kernel(Plan((Conv(1, 1), MEAN), (ZERO, Conv(1, 1))), image, std=1)
    np.testing.assert_allclose(inserted, np.outer([2, 0, 5], [2, 0, 5]) / 4)
    repeated = pixel_kernel(Plan((Conv(1, 1), MEAN), (NEAREST, Conv(1, 1))), image, std=1)
    np.testing.assert_allclose(repeated, np.outer([2, 2, 5], [2, 2, 5]) / 4)


@pytest.mark.parametrize("name", GOLDEN_PLANS)
def test_kernels_equal_those_of_neural_tangents(name):
    found = pixel_kernel(GOLDEN_PLANS[name], GOLDEN[f"{name}/image"], std=float(GOLDEN["std"]))
    expected = GOLDEN[f"{name}/kernel"]
    assert found.dtype == expected.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10 * expected.max())


def test_every_golden_kernel_is_compared():
    assert {key.split("/")[0] for key in GOLDEN} == {"std", *GOLDEN_PLANS}


def test_without_pools_it_is_theorem_5_1():
    plan = Plan((Conv(1), Conv(1, 2), Conv(1, 5)), ())
    image = np.random.default_rng(1).normal(size=(6, 7, 3))
    np.testing.assert_allclose(
        convergence_value(plan, image, std=0.3),
        convergence.convergence_value(plan, image, std=0.3),
        rtol=1e-12,
    )


def test_the_limit_is_the_diagonal_of_the_kernel():
    plan = Plan((Conv(1), MEAN), (ZERO, Conv(1)))
    image = np.random.default_rng(2).random((5, 4))
    diagonal = pixel_kernel(plan, image, std=0.3).diagonal().reshape(5, 4)
    # k_1^2 / k_2 = 1 / pi.
    np.testing.assert_allclose(convergence_value(plan, image, std=0.3), np.sqrt(diagonal / np.pi))


def test_kernels_are_symmetric_and_positive_semidefinite():
    plan = Plan((Conv(1), MEAN, Conv(1, 4)), (ZERO, Conv(1), Conv(1)))
    found = pixel_kernel(plan, np.random.default_rng(3).normal(size=(7, 5)), std=1)
    np.testing.assert_allclose(found, found.T, rtol=1e-12)
    values = np.linalg.eigvalsh(found)
    assert values[0] > -1e-12 * values[-1]


def test_dark_images_have_no_angle_and_give_zeros():
    plan = Plan((Conv(1), MEAN), (ZERO, Conv(1, 1)))
    assert not pixel_kernel(plan, np.zeros((4, 4)), std=1).any()
    spot = np.zeros((8, 8))
    spot[0, 0] = 1
    value = convergence_value(plan, spot, std=1)
    assert np.isfinite(value).all()
    assert value[0, 0] > 0
    assert not value[4:].any()


def test_a_kernel_of_one_convolution_is_its_expectation_at_any_number_of_channels():
    plan = Plan((Conv(20_000),), ())
    image = np.random.default_rng(4).normal(size=(3, 3))
    rng = np.random.default_rng(5)
    maps = hidden_maps(plan, image[None, :, :, None], std=0.5, rng=rng)[0].reshape(9, -1)
    for (j, k), value in np.ndenumerate(pixel_kernel(plan, image, std=0.5)):
        assert_mean(maps[j] * maps[k], value)


@pytest.mark.parametrize("upsample", [ZERO, NEAREST], ids=["zero", "nearest"])
def test_wide_networks_reach_the_limit(upsample):
    # The bias is of the order of 1 / N, a fraction of a standard error here.
    plan = Plan((Conv(600), MEAN), (upsample, Conv(600)))
    image = np.random.default_rng(6).random((5, 4, 3))
    rng = np.random.default_rng(7)
    drawn = [hidden_maps(plan, image[None], std=0.1, rng=rng)[0] for _ in range(30)]
    for index, value in np.ndenumerate(convergence_value(plan, image, std=0.1)):
        assert_mean([maps[index].mean() for maps in drawn], value)
    expected = pixel_kernel(plan, image, std=0.1)
    for j, k in ((0, 0), (0, 7), (5, 6), (19, 2)):
        products = [
            np.mean(m.reshape(20, -1)[j] * m.reshape(20, -1)[k], dtype=np.float64) for m in drawn
        ]
        assert_mean(products, expected[j, k])


def test_it_is_not_l2_pooling():
    image = np.random.default_rng(8).random((6, 6))
    average = convergence_value(Plan((Conv(1), MEAN), (ZERO, Conv(1))), image, std=1)
    l2 = Plan((Conv(1), Pool("l2")), (ZERO, Conv(1)))
    # The norm of 4 values is at least twice their mean.
    assert (convergence.convergence_value(l2, image, std=1) > 2 * average).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: pixel_kernel(GOLDEN_PLANS["conv3"], np.ones((65, 64)), std=1),
            "at most 4096 pixels; received 64 x 65, whose kernel takes 0.1 GiB",
        ),
        (
            lambda: convergence_value(GOLDEN_PLANS["conv3"], np.ones((224, 224)), std=1),
            "takes 18.8 GiB three times over",
        ),
        (
            lambda: pixel_kernel(Plan((Conv(1), Pool("l2"), Conv(1)), ()), np.ones((4, 4)), std=1),
            "pools of the plan must be average; received 'l2'",
        ),
        (lambda: convergence_value(Plan((MEAN,), ()), np.ones((4, 4)), std=1), "end with a conv"),
        (lambda: pixel_kernel(GOLDEN_PLANS["conv3"], np.ones((4, 4)), std=0), "std must be"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
