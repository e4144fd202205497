"""Several styles as one: their shares, pooled statistics, and every method."""

from dataclasses import replace

import numpy as np
import pytest

from rrstyle.config import OptimiseConfig, PaintConfig, StyleConfig
from rrstyle.pipeline import stylize
from rrstyle.transfer.blends import Blend, check_shares
from rrstyle.transfer.closed_form import Gaussian, fit_gaussian, pool_gaussians
from rrstyle.transfer.statistics import STYLE_LOSSES
from tests.support.pairs import METHODS, THIN, picture, rms

QUICK = StyleConfig(
    side=32,
    encoder=THIN,
    optimise=OptimiseConfig(steps=(2, 2)),
    paint=PaintConfig(rounds=(1,), keys=500),
    precision="float32",
)


def rng(seed=0):
    return np.random.default_rng(seed)


def noise(height, width, seed=0, n=3):
    return rng(seed).normal(size=(height, width, n)).astype(np.float32)


# Shares


def test_shares_by_hand():
    assert check_shares(None, 2) == (0.5, 0.5)
    assert check_shares([3, 1], 2) == (0.75, 0.25)
    assert check_shares((0.0, 7.0), 2) == (0.0, 1.0)
    assert check_shares(np.array([1e308, 1e308]), 2) == (0.5, 0.5)


@pytest.mark.parametrize("bad", [[1, -1], [1, float("nan")], [float("inf"), 1], [True, 1], "11", 1])
def test_weights_that_are_none(bad):
    with pytest.raises(ValueError, match="weights must be finite non-negative numbers; received"):
        check_shares(bad, 2)


def test_too_few_weights_and_no_weight_at_all():
    with pytest.raises(ValueError, match="weights must be one a style; received 1 for 2"):
        check_shares([1], 2)
    with pytest.raises(ValueError, match="weights must not all be 0"):
        check_shares([0, 0], 2)


# Pooled statistics


def test_a_pooled_gaussian_by_hand():
    one, other = Gaussian(np.array([0.0]), np.eye(1)), Gaussian(np.array([4.0]), 3 * np.eye(1))
    mean, covariance = pool_gaussians([one, other], [0.75, 0.25])
    np.testing.assert_allclose(mean, [1])
    # 3/4 (1 + 1^2) + 1/4 (3 + 3^2)
    np.testing.assert_allclose(covariance, [[4.5]])


def test_pooled_is_what_a_picture_of_both_has():
    a, b = noise(6, 10, 1), 2 * noise(3, 10, 2) + 1
    both = np.concatenate([a, b])
    found = Blend((a, b), (2 / 3, 1 / 3))
    np.testing.assert_allclose(found.gaussian().mean, fit_gaussian(both).mean, atol=1e-6)
    np.testing.assert_allclose(found.gaussian().covariance, fit_gaussian(both).covariance)
    assert found.root_mean_square() == pytest.approx(rms(both))
    assert found.least_size() == (3, 10)
    for name, (measure, _, pool) in STYLE_LOSSES.items():
        pooled = pool([measure(x[None]) for x in (a, b)], found.shares)
        wanted = measure(both[None])
        pairs = zip(pooled, wanted, strict=True) if name != "gram" else [(pooled, wanted)]
        for ours, theirs in pairs:
            np.testing.assert_allclose(ours, theirs, atol=1e-5)


# Every method


def run(name, styles, **options):
    side = 48 if name == "optimise vgg" else 32  # what its pools need
    settings = replace(QUICK, **METHODS[name], **options.pop("settings", {}))
    content = picture("chelsea", side)
    return stylize(content, styles, replace(settings, side=side), seed=2, **options)


@pytest.mark.parametrize("name", METHODS)
def test_a_blend_lies_between_its_styles_and_weight_0_leaves_no_trace(name):
    waves, mosaic = picture("waves", 48), picture("mosaic", 64)
    alone = run(name, waves)
    np.testing.assert_array_equal(run(name, [waves]), alone)
    np.testing.assert_array_equal(run(name, [mosaic, waves], weights=[0, 3]), alone)
    other = run(name, (mosaic,))
    half = run(name, [waves, mosaic])
    assert np.isfinite(half).all()
    assert rms(half - alone) > 0
    assert rms(half - other) > 0
    wanted = (alone + other).mean(axis=(0, 1)) / 2
    apart = np.abs(alone - other).mean(axis=(0, 1)).max()
    assert np.abs(half.mean(axis=(0, 1)) - wanted).max() < 0.5 * apart + 0.02


@pytest.mark.parametrize("count", [0, 5])
def test_one_to_four_styles(count):
    with pytest.raises(ValueError, match=f"style must be 1 to 4 pictures; received {count}"):
        run("transport", count * [picture("waves", 32)])


def test_a_bad_style_of_several_is_named():
    with pytest.raises(ValueError, match="style 2 is too small"):
        run("transport", [picture("waves", 32), np.zeros((8, 8, 3))])


def test_the_style_scale_is_the_size_of_the_style():
    waves = picture("waves", 64)
    large = run("paint", waves, settings={"style_scale": 2.0})
    assert rms(large - run("paint", waves)) > 0.02
    with pytest.raises(ValueError, match=r"style is too small.*received 8 x 8 at side 8"):
        run("paint", waves, settings={"style_scale": 0.25})
