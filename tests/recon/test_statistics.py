"""Intervals over networks: against numbers worked out by hand and against other routes."""

import math
from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from recon.statistics import (
    Effects,
    Interval,
    geometric_ratio_interval,
    mean_interval,
    network_table,
    rate_interval,
    ratio_interval,
    slopes,
    spearman,
)


def rows(*values: tuple, columns: str = "channels network image ssim") -> pd.DataFrame:
    return pd.DataFrame(list(values), columns=columns.split())


def test_pictures_are_averaged_first_then_networks():
    frame = rows(
        (4, 0, "a", 0.1), (4, 0, "b", 0.3), (8, 0, "a", 0.5), (8, 0, "b", 0.7),
        (4, 1, "a", 0.4), (4, 1, "b", 0.4), (8, 1, "a", 0.2), (8, 1, "b", 0.4),
    )  # fmt: skip
    table = network_table(frame, "channels")
    assert table.to_numpy() == pytest.approx(np.array([[0.2, 0.6], [0.4, 0.3]]))
    assert list(table.index) == [0, 1]
    assert list(table.columns) == [4, 8]


def test_levels_are_sorted_and_a_network_that_lacks_one_is_left_out():
    frame = rows((16, 0, "a", 0.5), (4, 0, "a", 0.1), (4, 1, "a", 0.3))
    table = network_table(frame, "channels")
    assert list(table.columns) == [4, 16]
    assert list(table.index) == [0]


def test_undefined_values_are_left_out_of_the_average():
    frame = rows((4, 0, "a", math.nan), (4, 0, "b", 0.3), (4, 1, "a", math.nan))
    table = network_table(frame, "channels")
    assert table.to_numpy() == pytest.approx(np.array([[0.3]]))


def test_mean_interval_by_hand():
    # Mean 2, deviation 1, error 1/sqrt(3); t of 0.975 with 2 degrees of freedom is 4.302653.
    found = mean_interval([1, 2, 3])
    assert found.estimate == 2
    assert found.high - 2 == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert 2 - found.low == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert found.networks == 3


def test_mean_interval_of_too_few_or_equal_values():
    assert mean_interval([0.4]) == Interval(0.4, -math.inf, math.inf, 1)
    assert not mean_interval([0.4]).bounded
    assert mean_interval([0.5, 0.5]) == Interval(0.5, 0.5, 0.5, 2)
    nothing = mean_interval([])
    assert math.isnan(nothing.estimate)
    assert not nothing.bounded


def test_negated():
    assert Interval(1, 0, 3, 5).negated() == Interval(-1, -3, 0, 5)


def test_ratio_interval_ends_where_the_paired_t_test_begins_to_reject():
    rng = np.random.default_rng(0)
    below = 0.6 + 0.05 * rng.standard_normal(12)
    above = 0.5 * below + 0.02 * rng.standard_normal(12)
    found = ratio_interval(above, below)
    assert found.estimate == pytest.approx(above.mean() / below.mean())
    assert found.low < found.estimate < found.high
    for end in (found.low, found.high):
        test = scipy.stats.ttest_rel(above, end * below)
        assert test.pvalue == pytest.approx(0.05, rel=1e-6)


def test_ratio_interval_is_pointed_where_all_networks_agree():
    below = np.array([0.5, 0.55, 0.6])
    found = ratio_interval(0.5 * below, below)
    assert (found.low, found.high) == pytest.approx((0.5, 0.5), abs=1e-6)


@pytest.mark.parametrize(
    ("above", "below"),
    [([1.0, 1.2, 0.9], [0.1, -0.1, 0.05]), ([1.0], [2.0]), ([], [])],
)
def test_ratio_interval_without_bounds(above, below):
    assert not ratio_interval(above, below).bounded


def test_fieller_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(2000):
        below = 1 + 0.3 * rng.standard_normal(8)
        above = 0.5 + 0.2 * rng.standard_normal(8)
        found = ratio_interval(above, below)
        hits += found.low <= 0.5 <= found.high
    assert hits / 2000 == pytest.approx(0.95, abs=0.02)


def test_geometric_ratio_interval_by_hand():
    # The ratios are 2, 4 and 8: their geometric mean is 4, and a t test of log2 has mean 2,
    # standard error 1 / sqrt(3) and two degrees of freedom.
    found = geometric_ratio_interval([2.0, 8.0, 4.0], [1.0, 2.0, 0.5])
    away = 2 ** (4.302653 / 3**0.5)
    assert found.estimate == pytest.approx(4)
    assert (found.low, found.high) == pytest.approx((4 / away, 4 * away), rel=1e-5)
    assert found.networks == 3
    back = geometric_ratio_interval([1.0, 2.0, 0.5], [2.0, 8.0, 4.0])
    assert (back.low, back.high) == pytest.approx((1 / found.high, 1 / found.low))


@pytest.mark.parametrize(("above", "below"), [([3.0], [2.0]), ([1e300, 1e-300], [1.0, 1.0])])
def test_geometric_ratio_interval_without_bounds(above, below):
    assert not geometric_ratio_interval(above, below).bounded


def test_slopes_by_hand():
    table = pd.DataFrame([[0.0, 1.0, 2.0], [3.0, 3.0, 3.0]], columns=[2, 4, 8])
    assert slopes(table, doubling=True).tolist() == pytest.approx([1, 0])
    # Over 2, 4, 8 themselves: sum (x - 14/3)(y - 1) / sum (x - 14/3)^2 = 6 / (56/3).
    assert slopes(table).tolist() == pytest.approx([18 / 56, 0])


def test_slopes_against_scipy():
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.random((4, 5)), columns=[1, 3, 5, 9, 15])
    expected = [
        scipy.stats.linregress(np.log2(table.columns.to_numpy()), line).slope
        for line in table.to_numpy()
    ]
    assert slopes(table, doubling=True).tolist() == pytest.approx(expected)


def test_slopes_of_nothing_and_of_levels_that_cannot_double():
    assert slopes(pd.DataFrame(columns=[1, 2])).empty
    with pytest.raises(ValueError, match="levels must be above 0; received 0"):
        slopes(pd.DataFrame([[1.0, 2.0]], columns=[0, 2]), doubling=True)


def test_spearman():
    assert spearman(pd.DataFrame([[0.1, 0.2, 0.9]], columns=[4, 8, 16])) == pytest.approx(1)
    assert spearman(pd.DataFrame([[0.9, 0.1, 0.5]], columns=[4, 8, 16])) == pytest.approx(-0.5)
    assert math.isnan(spearman(pd.DataFrame([[0.5, 0.5]], columns=[4, 8])))


def design(networks: int = 6, noise: float = 0.01, **effects: float) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    found = []
    for depth in (2, 4, 8):
        for channels in (16, 64):
            for reduction in (1, 2, 4):
                score = 0.5 + effects.get("depth", 0) * math.log2(depth / 4)
                score += effects.get("channels", 0) * math.log2(channels / 32)
                score += effects.get("reduction", 0) * math.log2(reduction / 2)
                for network in range(networks):
                    value = score + noise * rng.standard_normal()
                    found += [
                        (depth, channels, reduction, network, image, value + shift)
                        for image, shift in (("a", -0.1), ("b", 0.1))
                    ]
    return rows(*found, columns="depth channels reduction network image ssim")


def test_effects_are_found_per_doubling():
    effects = Effects(design(depth=-0.02, channels=0.01, reduction=-0.1))
    for name, truth in (("depth", -0.02), ("channels", 0.01), ("1 to 2", -0.1), ("1 to 4", -0.2)):
        found = effects.contrast({name: 1.0})
        assert found.low <= truth <= found.high
        assert found.high - found.low < 0.02
        assert found.networks == 6
    assert effects.names == ("depth", "channels", "1 to 2", "1 to 4")


def test_effects_of_networks_that_differ_are_students_over_them():
    # Each network has a level and a slope of its own, and its cells nothing else.
    rng = np.random.default_rng(4)
    frame = design(noise=0)
    levels, of_depth = rng.normal(0, 0.1, 6), rng.normal(-0.02, 0.02, 6)
    network = frame["network"].to_numpy()
    frame["ssim"] += levels[network] + of_depth[network] * np.log2(frame["depth"] / 4)
    found, expected = Effects(frame).contrast({"depth": 1.0}), mean_interval(of_depth)
    for ours, theirs in zip(astuple(found), astuple(expected), strict=True):
        assert ours == pytest.approx(theirs)
    assert expected.high - expected.low > 0.02
    nothing = Effects(frame).contrast({"1 to 2": 1.0})
    assert nothing.high - nothing.low == pytest.approx(0, abs=1e-9)


def test_intervals_of_effects_have_their_level_where_networks_differ():
    rng = np.random.default_rng(5)
    frame, hits, repeats = design(networks=5, noise=0), 0, 200
    network, depth = frame["network"].to_numpy(), np.log2(frame["depth"].to_numpy() / 4)
    for _ in range(repeats):
        slopes_of, levels = rng.normal(0, 0.05, 5), rng.normal(0, 0.1, 5)
        noise = 0.01 * rng.standard_normal(len(frame))
        scores = 0.5 + levels[network] + slopes_of[network] * depth + noise
        found = Effects(frame.assign(ssim=scores)).contrast({"depth": 1.0})
        hits += found.low <= 0 <= found.high
    # Four standard errors of a share of 0.95.
    assert abs(hits / repeats - 0.95) < 4 * math.sqrt(0.95 * 0.05 / repeats)


def test_a_step_is_no_slope():
    frame = design(noise=0, depth=-0.01)
    frame.loc[frame["reduction"] > 1, "ssim"] -= 0.3
    effects = Effects(frame)
    assert effects.contrast({"1 to 2": 1.0}).estimate == pytest.approx(-0.3)
    assert effects.contrast({"1 to 4": 1.0, "1 to 2": -1.0}).estimate == pytest.approx(0)


def test_main_effects_are_those_in_the_middle():
    # Depth counts twice as much with many channels: by -0.03 on the average of both.
    frame = design(noise=0, channels=0.05)
    twice = np.where(frame["channels"] == 64, 2, 1)
    frame["ssim"] -= 0.02 * twice * np.log2(frame["depth"] / 4)
    effects = Effects(frame)
    assert effects.contrast({"depth": 1.0}).estimate == pytest.approx(-0.03)
    assert effects.contrast({"channels": 1.0}).estimate == pytest.approx(0.05)


def test_a_contrast_is_the_sum_of_its_effects():
    effects = Effects(design(depth=-0.02, reduction=-0.1))
    depth, halving = (effects.contrast({name: 1.0}).estimate for name in ("depth", "1 to 2"))
    both = effects.contrast({"depth": 1.0, "1 to 2": -0.5})
    assert both.estimate == pytest.approx(depth - 0.5 * halving)


def test_rates_have_the_exact_interval():
    # All of 3: the lower end is 0.025^(1/3).
    assert astuple(rate_interval(pd.Series([True] * 3))) == pytest.approx(
        (1, 0.2924, 1, 3), abs=1e-4
    )
    assert rate_interval(pd.Series([False, True])).estimate == 0.5


def test_effects_of_one_network_have_no_interval():
    assert not Effects(design(networks=1)).contrast({"depth": 1.0}).bounded


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        ("depth == 2", "depth must have at least two levels; received 1"),
        ("depth < 8 and channels * reduction == 64", "rows must tell the effects apart"),
    ],
)
def test_effects_that_cannot_be_told_apart(keep, words):
    with pytest.raises(ValueError, match=words):
        Effects(design().query(keep))
