"""Verdicts on the order of the model-RIP's constant, of distortions whose powers are known."""

import pandas as pd
import pytest

from recon.claims.register import CLAIMS

G4 = next(claim for claim in CLAIMS if claim.id == "G4")


def distortions(power: float, printed: float = -1.0) -> pd.DataFrame:
    """Of three networks, 1 % apart, by the number of taps."""
    return pd.DataFrame(
        {"varied": "taps", "size": size, "network": network, "quantity": quantity}
        | {"delta": size**power * (1 + 0.01 * network), "printed": 7 * size**printed}
        for size in (3, 9, 27)
        for network in range(3)
        for quantity in ("mean", "largest")
    )


@pytest.mark.parametrize(
    ("power", "verdict"), [(-1.0, "holds"), (-1.05, "holds"), (-0.5, "fails"), (-1.5, "fails")]
)
def test_the_power_of_a_size(power, verdict):
    (finding,) = G4.findings(distortions(power))
    assert finding.verdict == verdict
    assert finding.case == "taps l"
    assert finding.effect.estimate == pytest.approx(power + 1)
    assert ("the printed order is a bound" in finding.detail) == (power < -1)


def test_one_network_decides_nothing():
    rows = distortions(-1.0)
    (finding,) = G4.findings(rows[rows["network"] == 0])
    assert finding.verdict == "undecided"
