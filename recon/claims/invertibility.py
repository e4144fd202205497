"""Claims on the invertibility of a random convolution, from the rows of the experiments."""

import pandas as pd

from recon.claims.verdicts import Finding, decided, inside, number
from recon.statistics import mean_interval

ABOUT_ONE = (0.9, 1.1)  # what counts as about 1

_CASES = {
    "synthesis": "‖Wᵀz‖ / ‖z‖, as in (a)",
    "support": "‖WWᵀz‖ / ‖z‖ on the support of z",
    "full": "‖WWᵀz‖ / ‖z‖, all entries, as (b) is captioned",
}


def ratios_are_about_one(rows: pd.DataFrame) -> list[Finding]:
    """G3: the mean ratio of a network's codes."""
    found = []
    for quantity, case in _CASES.items():
        part = rows[rows["quantity"] == quantity]
        if part.empty:
            continue
        mean = mean_interval(part.groupby("network")["value"].mean())
        low, high = part["value"].quantile([0.025, 0.975])
        found.append(
            decided(
                inside(mean, *ABOUT_ONE),
                mean,
                case=case,
                unit="mean ratio",
                threshold=f"{ABOUT_ONE[0]} or {ABOUT_ONE[1]}",
                detail=f"95 % of the codes from {number(low)} to {number(high)}",
            )
        )
    return found
