"""Width against depth against resolution: verdicts C7a to C7c, of rows whose effects are known."""

import math

import pandas as pd
import pytest

from recon.claims.register import CLAIMS
from tests.recon.claims.test_claims import scattered, verdicts

BY_ID = {claim.id: claim for claim in CLAIMS}


def factorial(depth: float, channels: float, reduction: float, noise: float = 0.01) -> pd.DataFrame:
    points = [
        {"depth": d, "channels": c, "reduction": r, "upsampling": kind, "head": "linear"}
        for d in (4, 6, 9)
        for c in (8, 32)
        for r in (1, 2, 4)
        for kind in (("zero", "nearest") if r > 1 else ("none",))
    ]
    return scattered(
        points,
        lambda p: (
            0.5
            + depth * math.log2(p["depth"] / 6)
            + channels * math.log2(p["channels"] / 16)
            + reduction * math.log2(p["reduction"] / 2)
        ),
        noise=noise,
    )


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        # Depth, channels and reduction per doubling; verdicts of C7a, C7b, C7c.
        ((-0.01, 0.05, -0.1), ("holds", "fails", "holds")),
        ((-0.1, 0.02, -0.02), ("fails", "holds", "fails")),
        ((-0.08, 0.02, -0.1), ("fails", "holds", "holds")),
        ((0.05, 0.02, -0.02), ("fails", "fails", "fails")),
        ((-0.03, -0.1, -0.1), ("holds", "fails", "holds")),
    ],
)
def test_width_against_depth(effects, expected):
    frame = factorial(*effects)
    for claim, verdict in zip(("C7a", "C7b", "C7c"), expected, strict=True):
        assert verdicts(claim, frame) == {
            "linear head, zero insertion": verdict,
            "linear head, nearest neighbour": verdict,
        }


def test_equal_effects_are_undecided_and_all_effects_are_told():
    finding = BY_ID["C7c"].findings(factorial(-0.05, 0.05, -0.05, noise=0.2))[1]
    assert finding.verdict == "undecided"
    for name in ("depth ", "channels ", "1 to 2 ", "1 to 4 ", "(null 0.050) at 1/4"):
        assert name in finding.detail


def test_a_factorial_without_levels_is_not_tested():
    frame = factorial(-0.05, 0.05, -0.05)
    finding, _ = BY_ID["C7a"].findings(frame[frame["depth"] == 4])
    assert finding.verdict == "not tested"
    assert finding.detail == "the rows hold fewer than two values of depth"


def test_reduction_is_a_step_and_not_a_slope():
    frame = factorial(-0.05, 0.0, 0.0, noise=0.001)
    step = frame["reduction"] > 1
    frame.loc[step, "ssim"] -= 0.2  # at the first halving, and no more at the second
    finding = BY_ID["C7c"].findings(frame)[0]
    assert finding.verdict == "holds"
    assert finding.effect.estimate == pytest.approx(0.2 - 0.05, abs=0.005)
    assert (
        finding.unit == "SSIM: the loss by reduction from 1 to 2, less the effect of doubling depth"
    )


def test_cells_at_their_null_are_left_out():
    frame = factorial(-0.05, 0.0, -0.05, noise=0.001)
    deep = frame["depth"] == 9
    frame.loc[deep, ["ssim", "null"]] = 0.9  # whatever is there
    finding = BY_ID["C7b"].findings(frame)[0]
    assert finding.verdict == "holds"
    assert finding.effect.estimate == pytest.approx(0.05, abs=0.005)
    frame.loc[frame["reduction"] > 1, "null"] = 0.9
    assert set(verdicts("C7c", frame).values()) == {"not testable"}
    (finding, _) = BY_ID["C7c"].findings(frame)
    assert finding.detail.startswith("of what is above its null, reduction must have at least two")
