"""Verdicts on style transfer: of rows whose effect is known, by rules that are written out here."""

import numpy as np
import pandas as pd
import pytest

from recon.claims.register import CLAIMS

BY_ID = {claim.id: claim for claim in CLAIMS}
NETWORKS = range(4)
RATIOS = (10.0, 100.0, 1000.0, 10000.0)


def findings(claim: str, rows: list[dict]) -> dict:
    return {finding.case: finding for finding in BY_ID[claim].findings(pd.DataFrame(rows))}


def transitions(*, content=(1, 2, 3, 4), style=(4, 3, 2, 1), moved=(1, 1, 1)) -> list[dict]:
    """Rows whose losses are 10 to these powers, times 1 + a hundredth of the network."""
    return [
        {
            "network": n,
            "ratio": ratio,
            "decoder": decoder,
            "edge": 0.9 - 0.1 * i,
            "swd": 0.1 - 0.01 * i + 0.001 * n,
            "moved": (np.nan, *moved)[i] * (1 + n),
            "content_loss": 10.0 ** content[i] * (1 + n / 100) ** i,
            "style_loss": 10.0 ** style[i] * (1 + n / 100) ** i,
        }
        for n in NETWORKS
        for decoder in ("random", "ridge")
        for i, ratio in enumerate(RATIOS)
    ]


def test_a_smooth_transition_by_hand():
    found = findings("C13", transitions())
    assert {finding.verdict for finding in found.values()} == {"holds"}
    assert len(found) == 8
    # Steps of a decade, and log10(1 + n / 100) on average.
    more = np.mean([np.log10(1 + n / 100) for n in NETWORKS])
    assert found["content loss rises"].effect.estimate == pytest.approx(1 + more)
    assert found["no jump, random readout"].effect.estimate == pytest.approx(1 / 3)


def test_one_step_back_or_one_jump_is_enough():
    found = findings("C13", transitions(content=(1, 3, 2, 4), moved=(1, 6, 1)))
    assert found["content loss rises"].verdict == "fails"
    assert found["content loss rises"].effect.estimate < -0.9
    assert found["style loss falls"].verdict == "holds"
    assert found["no jump, ridge readout"].verdict == "fails"
    assert found["no jump, ridge readout"].effect.estimate == pytest.approx(6 / 8)


def test_a_step_that_is_not_sure_leaves_it_undecided():
    rows = transitions()
    for row in rows:
        if row["ratio"] == RATIOS[2]:  # as at the ratio before, give and take
            row["swd"] = 0.09 + 0.001 * row["network"] * (-1) ** row["network"]
    found = findings("C13", rows)
    assert found["swd falls, random readout"].verdict == "undecided"
    assert (
        "swd 0.102 at 10, 0.092 at 100, 0.089 at 1000" in found["swd falls, random readout"].detail
    )
    one = [row for row in transitions() if row["ratio"] == RATIOS[0]]
    assert {finding.verdict for finding in findings("C13", one).values()} == {"not tested"}


def apart(rrvgg: float, fvt: float) -> list[dict]:
    return [
        {
            "model": model,
            "network": n,
            "changed": changed,
            "distance": distance * (1 + n / 20),
            "alike": 1 - 2 * distance * (1 + n / 20),
        }
        for model in ("paper-32", "paper-128")
        for n in NETWORKS
        for changed, distance in (("nothing", np.nan), ("rrVGG", rrvgg), ("FVT", fvt))
    ]


def test_networks_that_make_other_pictures():
    found = findings("C14", apart(0.2, 0.05))
    assert [finding.verdict for finding in found.values()] == ["holds"] * 3
    assert found["seen"].effect.estimate == pytest.approx(0.2 * (1 + 1.5 / 20))
    for case in ("colours too", "edges alone"):
        ratio = found[f"more than the FVT's seed does, {case}"].effect
        assert ratio.estimate == pytest.approx(4)
    other = findings("C14", apart(0.02, 0.05))
    assert [finding.verdict for finding in other.values()] == ["fails"] * 3
    (none,) = findings("C14", [row for row in apart(1, 1) if row["changed"] != "FVT"]).values()
    assert none.verdict == "not tested"


def test_deeper_networks_by_hand():
    rows = [
        {
            "layer": layer,
            "network": n,
            "decoder": "random",
            "step_s": seconds * (1 + n),
            "gflop": 2.0,
            "mib": 30.0,
            "swd": 0.1,
            "edge": 0.5,
        }
        for layer, seconds in (("conv1_2", 4), ("conv2_2", 3), ("conv3_3", 5))
        for n in NETWORKS
    ]
    found = findings("C15", rows)
    assert (found["conv2_2"].verdict, found["conv3_3"].verdict) == ("holds", "fails")
    assert found["conv2_2"].effect.estimate == pytest.approx(3 / 4)
    assert "edges kept 0.500 by the random readout" in found["conv2_2"].detail


def test_features_beside_pixels_by_hand():
    rows = [
        {
            "model": "paper-32",
            "network": n,
            "space": space,
            "step_s": seconds * (1 + n),
            "whole_s": 9.0,
            "gflop": 5.0,
            "start_loss": 100.0,
            "loss": loss,
            "swd": 0.1,
            "edge": 0.5,
        }
        for space, seconds, loss in (("features", 1, 8 + 0.1), ("pixels", 2, 4))
        for n in NETWORKS
    ]
    found = findings("C16", rows)
    step, further = (
        found["paper-32, a step is faster"],
        found["paper-32, as many steps get further"],
    )
    assert (step.verdict, further.verdict) == ("holds", "fails")
    assert step.effect.estimate == pytest.approx(0.5)
    # 5 GFLOP in 2.5 s, the mean over the networks.
    assert step.detail.startswith("features: 5 GFLOP a step at 2 GFLOP/s, 9 s in all; pixels: 5")
    assert "features: loss 8.1 of 100, swd 0.100, edges kept 0.500" in further.detail
