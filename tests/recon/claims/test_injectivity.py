"""Verdicts on injectivity, of rows whose networks are known."""

import numpy as np
import pandas as pd
import pytest

from recon.claims.register import CLAIMS

BY_ID = {claim.id: claim for claim in CLAIMS}
RATIOS = np.arange(1, 11)
TYPICAL = ("gaussian_exact", "pictures_exact")


def networks(
    kind: str = "full", side: int = 8, layers: int = 1, *, half: float = 2.0, highest: float = 6.5
) -> pd.DataFrame:
    """Half of the inputs come back at a ratio, n outputs are active at one, +-.05 by network."""
    rows = []
    for network, off in enumerate((-0.05, 0.0, 0.05)):
        key = {"kind": kind, "side": side, "layers": layers, "network": network}
        values = dict.fromkeys(TYPICAL, np.clip(0.5 + 0.1 * (RATIOS - half - off), 0, 1))
        values["least"] = 1 + 0.1 * (RATIOS - highest - off)
        values["rank"] = np.minimum(values["least"], 1)
        for quantity, column in values.items():
            pairs = zip(RATIOS, column, strict=True)
            rows += [key | {"ratio": r, "quantity": quantity, "value": v} for r, v in pairs]
    return pd.DataFrame(rows)


def findings(claim: str, *frames: pd.DataFrame):
    return {finding.case: finding for finding in BY_ID[claim].findings(pd.concat(frames))}


def test_typical_inputs_that_come_back_at_twice_and_at_three_times_as_many_outputs():
    found = findings("I1", networks(), networks(side=4, layers=2, half=3))
    assert {case: one.verdict for case, one in found.items()} == {
        "fully random, one layer, Gaussian inputs": "holds",
        "fully random, one layer, patches of pictures": "holds",
        "fully random, 2 layers, Gaussian inputs": "fails",
        "fully random, 2 layers, patches of pictures": "fails",
    }
    effect = found["fully random, one layer, Gaussian inputs"].effect
    assert effect.estimate == pytest.approx(1)
    assert effect.networks == 3


def test_a_prediction_is_attained_passed_or_not_reached():
    found = findings("I2", networks(highest=6.6))
    assert [one.verdict for one in found.values()] == ["holds", "undecided", "undecided"]
    assert "bounds the ratio from below only" in found["7.65"].detail
    assert found["6.7"].effect.estimate == pytest.approx(6.6 / 6.7)
    passed = findings("I2", networks(highest=8.3))
    assert [one.verdict for one in passed.values()] == ["fails", "fails", "holds"]


def test_the_most_inputs_decide_and_a_line_goes_beyond_them():
    small, large = networks(side=2, highest=5.5), networks(side=4, highest=6.25)
    found = findings("I2", small, large)["6.7"]
    assert found.effect.estimate == pytest.approx(6.25 / 6.7)
    # 1 / 12 and 1 / 48: a third of the way on to 0.
    assert "5.500 at n = 12, 6.250 at n = 48; a line in 1 / n leads to 6.500" in found.detail


@pytest.mark.parametrize(("ratio", "verdict"), [(6.6, "holds"), (7.6, "fails"), (5.5, "fails")])
def test_filters_beside_fully_random_layers(ratio, verdict):
    rows = networks(), networks("convolution", highest=ratio)
    found = findings("I3", *rows)[""]
    assert found.verdict == verdict
    assert "rank below n at 0 of" in found.detail


@pytest.mark.parametrize(("ratio", "verdict"), [(4.0, "holds"), (6.4, "holds"), (8.0, "fails")])
def test_layers_on_top_beside_the_first(ratio, verdict):
    # The first layer is that of as many inputs, not the largest.
    rows = networks(highest=4.0), networks(side=4), networks(side=4, layers=3, highest=ratio)
    assert findings("I4", *rows)["fully random, layer 3"].verdict == verdict


def test_ratios_that_do_not_reach_far_enough_test_nothing():
    found = findings("I2", networks(highest=20))[""]
    assert found.verdict == "not tested"
    assert "least of network 0 does not come to 1 for good" in found.detail


def test_a_case_that_does_not_reach_far_enough_leaves_the_others():
    found = findings("I1", networks(), networks("convolution", half=20))
    assert found["fully random, one layer, Gaussian inputs"].verdict == "holds"
    other = found["3 x 3 filters, one layer, patches of pictures"]
    assert other.verdict == "not testable"
    assert "pictures_exact of network 0 does not come to 0.5" in other.detail
