"""Claims on the paper's style transfer by rrVGG, from the rows of its studies.

Rules, budgets and seeds were set on 28 November 2026, before any row was measured.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from recon.claims.verdicts import Finding, Verdict, above, below, judged, not_tested, number
from recon.statistics import mean_interval, network_table

JUMP = 0.5  # share of the way from the first to the last picture that one tenfold step may take

_DECODERS = {"random": "random DCN", "ridge": "ridge readout"}


def transition_is_smooth(rows: pd.DataFrame) -> Iterator[Finding]:
    """C13: losses and pictures at each ratio beside those at the ratio before."""
    logs = rows.assign(**{name: np.log10(rows[name]) for name in ("content_loss", "style_loss")})
    yield _monotone(logs, "content_loss", above, "content loss rises", "decades of loss")
    yield _monotone(logs, "style_loss", below, "style loss falls", "decades of loss")
    for decoder, name in _DECODERS.items():
        part = rows[rows["decoder"] == decoder]
        yield _monotone(part, "swd", below, f"swd falls, {name}", "swd")
        yield _monotone(part, "edge", below, f"edges get lost, {name}", "correlation of edges")
        moved = network_table(part[part["moved"].notna()], "ratio", "moved")
        if moved.shape[1] < 2:
            yield not_tested("the rows hold fewer than three ratios", f"no jump, {name}")
            continue
        share = mean_interval(moved.max(axis=1) / moved.sum(axis=1))
        told = {"case": f"no jump, {name}", "unit": "of the way in the largest step"}
        yield judged(below, share, JUMP, **told, detail=f"moved by {_levels(moved)}")


def _monotone(
    rows: pd.DataFrame, column: str, rule: Callable[..., Verdict], case: str, unit: str
) -> Finding:
    """The step from a ratio to the next that bears the claim out least."""
    table = network_table(rows, "ratio", column)
    if table.shape[1] < 2 or table.empty:
        return not_tested("the rows hold fewer than two ratios", case)
    steps = [mean_interval(values) for _, values in table.diff(axis=1).iloc[:, 1:].items()]
    surest = {above: lambda step: step.low, below: lambda step: -step.high}[rule]
    worst = min(steps, key=lambda step: (rule(step, 0) != "fails", surest(step)))
    unit = f"{unit}, in the tenfold step that tells least"
    return judged(rule, worst, 0, case=case, unit=unit, detail=f"{column} {_levels(table)}")


def _levels(table: pd.DataFrame) -> str:
    """Means over networks: "0.812 at 10, 0.401 at 100"."""
    return ", ".join(f"{number(table[level].mean())} at {level:g}" for level in table)
