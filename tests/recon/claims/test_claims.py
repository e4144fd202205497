"""Verdicts on the claims: of rows whose effect is known, by rules that are written out here."""

import math

import numpy as np
import pandas as pd
import pytest

from recon.claims.register import CLAIMS
from recon.claims.verdicts import above, below, inside, interval_text, number
from recon.experiments import find_experiment
from recon.statistics import Interval

BY_ID = {claim.id: claim for claim in CLAIMS}
EXPECTED = {
    *(f"C{n}" for n in range(1, 17) if n not in (5, 7)),
    *("C5a", "C5b", "C7a", "C7b", "C7c", "C7d", "G1", "G2", "G3", "G4", "I1", "I2", "I3", "I4"),
    *("T1", "T2", "T3", "T4", "T5"),
}
NETWORKS = range(6)
IMAGES = ("chelsea", "coffee")


def verdicts(claim: str, frame: pd.DataFrame) -> dict[str, str]:
    return {finding.case: finding.verdict for finding in BY_ID[claim].findings(frame)}


def scattered(points: list[dict], mean, *, noise: float = 0.01, networks=NETWORKS) -> pd.DataFrame:
    """Rows of each point, network and picture: `mean` of the point, and noise."""
    rng = np.random.default_rng(0)
    found = []
    for point in points:
        for network in networks:
            shift = noise * rng.standard_normal()
            for image in IMAGES:
                row = {**point, "network": network, "image": image}
                row |= {"ssim": mean(point) + shift, "null": 0.05, "pearson": 0.8, "chroma": 0.1}
                found.append(row)
    return pd.DataFrame(found)


def test_every_claim_of_the_study_is_there_once():
    assert {claim.id for claim in CLAIMS} == EXPECTED
    assert len(CLAIMS) == len(EXPECTED)


def test_a_claim_names_an_experiment_whose_rows_have_its_columns():
    for claim in CLAIMS:
        assert claim.words
        assert claim.paper
        assert set(claim.evidence.columns) <= set(find_experiment(claim.experiment).columns)


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.1, 0.2, "holds"), (-0.2, -0.1, "fails"), (-1, 1, "undecided")]
)
def test_a_side_is_decided_by_the_whole_interval(low, high, expected):
    interval = Interval((low + high) / 2, low, high, 5)
    assert above(interval, 0) == expected
    assert below(interval.negated(), 0) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.4, 0.6, "holds"),
        (0.3, 0.6, "undecided"),
        (0.6, 0.7, "undecided"),
        (0.7, 0.9, "fails"),
        (0.1, 0.2, "fails"),
        (-math.inf, math.inf, "undecided"),
        (math.nan, math.nan, "undecided"),
    ],
)
def test_a_range_is_decided_by_the_whole_interval(low, high, expected):
    assert inside(Interval(0.5, low, high, 5), 0.35, 0.65) == expected


def test_numbers_as_text():
    assert number(-0.1234) == "−0.123"
    assert number(-0.0001) == "0.000"
    assert number(math.inf) == "∞"
    assert number(math.nan) == "undefined"
    assert interval_text(Interval(0.5, -0.25, 1, 3)) == "0.500 [−0.250, 1.000]"
    assert interval_text(Interval(0.5, -math.inf, math.inf, 1)) == "0.500 [no interval]"


def channels(slope_linear: float, slope_mean: float, **more) -> pd.DataFrame:
    points = [
        {"plan": "cd1", "channels": n, "upsampling": kind, "head": head}
        for n in (4, 16, 64)
        for kind in ("nearest", "zero")
        for head in ("mean", "linear")
    ]
    slopes = {"linear": slope_linear, "mean": slope_mean}
    return scattered(points, lambda p: 0.3 + slopes[p["head"]] * math.log2(p["channels"]), **more)


def test_channels_each_head_and_upsampling_is_a_case_the_papers_first():
    found = verdicts("C8", channels(-0.02, 0.03))
    assert found == {
        "linear head, zero insertion": "fails",
        "mean head, zero insertion": "holds",
        "linear head, nearest neighbour": "fails",
        "mean head, nearest neighbour": "holds",
    }
    assert next(iter(found)) == "linear head, zero insertion"


def test_channels_of_the_first_versions_network_are_cases_of_their_own():
    frame = channels(-0.02, 0.03)
    frame = pd.concat([frame, channels(0.04, 0.04).assign(plan="conv1_1", upsampling="none")])
    found = verdicts("C8", frame)
    assert list(found)[4:] == ["Conv1_1, linear head", "Conv1_1, mean head"]
    assert list(found.values()) == ["fails", "holds", "fails", "holds", "holds", "holds"]


def test_channels_effect_is_the_slope_per_doubling_with_its_numbers():
    finding = BY_ID["C8"].findings(channels(0.02, 0.03, noise=0))[1]
    assert finding.effect.estimate == pytest.approx(0.03)
    assert finding.unit == "SSIM per doubling of channels"
    assert "0.360 (null 0.050) at N = 4, 0.420 (null 0.050) at N = 16, " in finding.detail
    assert "Spearman 1.000" in finding.detail


def test_channels_without_an_effect_are_undecided_and_say_why():
    finding = BY_ID["C8"].findings(channels(0, 0, noise=0.05))[0]
    assert finding.verdict == "undecided"
    assert finding.detail.startswith("the interval reaches across 0; ")


def test_one_network_decides_nothing():
    finding = BY_ID["C8"].findings(channels(0.02, 0.03, networks=(0,)))[0]
    assert finding.verdict == "undecided"
    assert finding.detail.startswith("too few networks for an interval (1)")


def test_one_value_of_a_condition_tests_nothing():
    frame = channels(0.02, 0.03)
    assert set(verdicts("C8", frame[frame["channels"] == 4]).values()) == {"not tested"}


@pytest.mark.parametrize(
    ("slope", "noise", "expected"), [(-0.1, 0, "holds"), (0.05, 0, "fails"), (0, 0.05, "undecided")]
)
def test_kernel_size(slope, noise, expected):
    points = [{"kernel": k, "head": head} for k in (1, 3, 9) for head in ("linear", "mean")]
    frame = scattered(points, lambda p: 0.6 + slope * math.log2(p["kernel"]), noise=noise)
    if not noise:
        frame["ssim"] += frame["network"] * 0.001
    assert verdicts("C9", frame) == {"linear head": expected, "mean head": expected}


def depth(reduced, kept, simplified=None, **more) -> pd.DataFrame:
    """Rows of the depth experiment from SSIM by block."""
    means = {"full": reduced, "simplified": simplified or reduced}
    points = []
    for block in (1, 2, 3, 4, 5):
        for head in ("linear", "mean"):
            common = {"block": block, "head": head}
            for plan in means:
                for tap in ("pre_pool", "post_pool") if plan == "full" else ("pre_pool",):
                    points.append({"plan": plan, "tap": tap, "upsampling": "zero", **common})
                kept_point = {"plan": f"{plan}_kept", "tap": "pre_pool", "upsampling": "none"}
                points.append({**kept_point, **common})
            points.append({"plan": "equal", "tap": "post_pool", "upsampling": "zero", **common})
    means["equal"] = reduced
    frame = scattered(
        points, lambda p: (means.get(p["plan"]) or kept)[p["block"] - 1], noise=0.005, **more
    )
    frame.loc[frame["head"] == "mean", "chroma"] = math.nan
    return frame


FALLING = (0.7, 0.5, 0.4, 0.25, 0.1)
LEVEL = (0.7, 0.7, 0.7, 0.7, 0.7)
RISING = tuple(reversed(FALLING))


def test_block():
    assert set(verdicts("C6", depth(FALLING, LEVEL)).values()) == {"holds"}
    assert set(verdicts("C6", depth(RISING, LEVEL)).values()) == {"fails"}
    assert list(verdicts("C6", depth(FALLING, LEVEL))) == [
        "linear head, zero insertion",
        "mean head, zero insertion",
    ]


def test_block_looks_at_features_before_the_pool():
    frame = depth(FALLING, LEVEL)
    frame.loc[frame["tap"] == "post_pool", "ssim"] = 0.9
    assert set(verdicts("C6", frame).values()) == {"holds"}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [(0.6, 0.3, "holds"), (0.6, 0.55, "fails"), (0.6, 0.1, "fails"), (0.6, 0.39, "undecided")],
)
def test_second_block_is_half_with_equal_channels(first, second, expected):
    frame = depth((first, second, 0.1, 0.1, 0.1), LEVEL)
    frame.loc[frame["plan"] != "equal", "ssim"] = 0.9
    found = BY_ID["C10"].findings(frame)
    assert {finding.verdict for finding in found} == {expected}
    assert found[0].effect.estimate == pytest.approx(second / first, abs=0.02)


def test_kept_size_removes_the_decay_of_simplified_networks():
    frame = depth(FALLING, LEVEL)
    # Full networks, of which the paper says nothing here, decay as before.
    frame.loc[frame["plan"] == "full_kept", "ssim"] = frame.loc[frame["plan"] == "full", "ssim"]
    found = BY_ID["C11"].findings(frame)
    assert [finding.case for finding in found] == [
        "linear head, zero insertion",
        "mean head, zero insertion",
    ]
    assert {finding.verdict for finding in found} == {"holds"}
    assert found[0].effect.estimate == pytest.approx(1, abs=0.05)


def test_kept_size_that_removes_half_of_the_decay_does_not_remove_it():
    half = tuple((a + 0.7) / 2 for a in FALLING)
    found = BY_ID["C11"].findings(depth(FALLING, half))
    assert {finding.verdict for finding in found} == {"fails"}
    assert found[0].effect.estimate == pytest.approx(0.5, abs=0.05)


def test_two_blocks_of_one_network_do_not_count_twice():
    frame = depth(FALLING, LEVEL)
    kept = frame["plan"] == "simplified_kept"
    fourth, fifth = (kept & (frame["block"] == block) for block in (4, 5))
    frame.loc[fifth, "ssim"] = frame.loc[fourth, "ssim"].to_numpy()
    (finding, _) = BY_ID["C11"].findings(frame)
    assert finding.verdict == "not tested"
    assert finding.detail == "CD5 has the networks of the block before it, not its own"


def test_without_a_decay_nothing_can_be_removed():
    found = BY_ID["C11"].findings(depth(RISING, LEVEL))
    assert {finding.verdict for finding in found} == {"undecided"}
    assert "no sure decay" in found[0].detail


def test_without_kept_plans_their_claim_is_not_tested():
    frame = depth(FALLING, LEVEL)
    reduced = frame[~frame["plan"].str.endswith("_kept")]
    assert set(verdicts("C11", reduced).values()) == {"not tested"}


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [((0.1, -0.1), "holds"), ((0.6, -0.6), "fails"), ((0.3, -0.3), "undecided")],
)
def test_colour_goes_by_the_size_of_the_correlation(sizes, expected):
    frame = depth(FALLING, LEVEL)
    linear = frame["head"] == "linear"
    rng = np.random.default_rng(0)
    signed = np.where(frame["network"] % 2, *sizes) + 0.01 * rng.standard_normal(len(frame))
    frame.loc[linear, "chroma"] = signed[linear]
    (finding,) = BY_ID["C12"].findings(frame)
    assert finding.verdict == expected
    assert finding.case == "zero insertion"
    assert "|luminance| 0.800 [0.800, 0.800]" in finding.detail


def test_simplified_networks_are_alike_or_not():
    assert set(verdicts("C7d", depth(FALLING, LEVEL)).values()) == {"holds"}
    doubled = tuple(min(2 * a, 1) for a in FALLING)
    assert set(verdicts("C7d", depth(FALLING, LEVEL, doubled)).values()) == {"fails"}


def test_a_missing_column_is_named():
    (finding,) = BY_ID["C8"].findings(channels(0.02, 0.03).drop(columns=["head", "ssim"]))
    assert finding.verdict == "not tested"
    assert finding.detail == "channels.csv has no column head, ssim"


def test_a_trend_is_that_of_what_is_above_its_null():
    frame = channels(0.03, 0.03, noise=0.001)
    four, most = frame["channels"] == 4, frame["channels"] == 64
    frame.loc[four, "null"] = frame.loc[four, "ssim"] + np.tile([0.01, -0.01], four.sum() // 2)
    finding = BY_ID["C8"].findings(frame)[0]
    assert finding.verdict == "holds"
    assert finding.effect.estimate == pytest.approx(0.03, abs=0.002)  # over 16 and 64
    frame.loc[four, "ssim"] = 0.9  # what is at its null plays no part
    frame.loc[four, "null"] = 0.9
    assert BY_ID["C8"].findings(frame)[0].effect == finding.effect
    frame.loc[most, "null"] = 0.9
    finding = BY_ID["C8"].findings(frame)[0]
    assert finding.verdict == "not testable"
    assert finding.detail.startswith(
        "fewer than two SSIM are above their nulls: 0.900 (null 0.900)"
    )


def test_the_greater_of_two_nulls_counts():
    frame = channels(0.03, 0.03).assign(noise=0.01)
    assert BY_ID["C8"].findings(frame)[0].verdict == "holds"
    assert "(null 0.050) at N = 4, " in BY_ID["C8"].findings(frame)[0].detail
    finding = BY_ID["C8"].findings(frame.assign(noise=0.9))[0]
    assert finding.verdict == "not testable"
    assert "(null 0.900) at N = 4, " in finding.detail


@pytest.mark.parametrize(("claim", "of"), [("C6", "full"), ("C7d", "full"), ("C7d", "simplified")])
def test_reconstructions_that_are_not_above_their_null_decide_nothing(claim, of):
    frame = depth(FALLING, LEVEL)
    frame.loc[frame["plan"] == of, "null"] = 0.8
    assert set(verdicts(claim, frame).values()) == {"not testable"}


@pytest.mark.parametrize("plan", ["simplified", "simplified_kept"])
def test_a_decay_and_its_removal_are_those_of_what_is_above_its_null(plan):
    frame = depth(FALLING, LEVEL)
    frame.loc[(frame["plan"] == plan) & (frame["block"] > 1), "null"] = 0.8
    assert set(verdicts("C11", frame).values()) == {"not testable"}


def test_a_ratio_needs_both_above_their_null():
    frame = depth((0.6, 0.3, 0.1, 0.1, 0.1), LEVEL)
    frame.loc[frame["block"] == 2, "null"] = 0.3
    assert set(verdicts("C10", frame).values()) == {"not testable"}


def test_rows_of_other_networks_test_nothing():
    frame = depth(FALLING, LEVEL)
    (finding,) = BY_ID["C6"].findings(frame[frame["plan"] == "simplified"])
    assert finding.verdict == "not tested"
