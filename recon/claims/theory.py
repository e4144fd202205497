"""Theorems on wide random networks, from the rows of the experiment `theory`.

Rows are of the theorems' own networks: Gaussian filters, ReLU, no biases, the mean head. Networks
of different numbers of channels N are drawn apart.
"""

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from recon import statistics as stats
from recon.claims.rules import ALIKE, DELTA, EQUAL, SQUARE_ROOT, WIDE
from recon.claims.verdicts import (
    Finding,
    Verdict,
    below,
    inside,
    judged,
    not_testable,
    not_tested,
    number,
)

_K1 = math.pi - 1  # relative variance of a rectified Gaussian response
_ROUNDING = 1e-6  # of cosines, as rows have them
_NAMES = {
    ("variance", 1): "one convolution",
    ("variance", 2): "two convolutions",
    ("variance", 3): "three convolutions",
    ("l2", 3): "CD1, l2 pool",
    ("average", 3): "CD1, average pool",
}


def _converges(rows: pd.DataFrame, figures: tuple[str, ...]) -> Iterator[Finding]:
    """T1 and T5: the output converges to f* as N grows, in direction and in size."""
    for case, part in _plans(rows, *figures):
        wide = part[part["channels"] >= WIDE]
        sines, sizes = _table(wide, "sin_theta"), _table(wide, "scale")
        if sines.shape[1] < 2:
            yield not_tested(f"the rows hold fewer than two N from {WIDE} on", case)
            continue
        detail = "mean sin Θ " + ", ".join(f"{sines[n].mean():.2g} at N = {n}" for n in sines)
        power = stats.mean_interval(stats.slopes(np.log2(sines), doubling=True))
        unit = "power of N in sin Θ"
        yield judged(
            inside, power, *SQUARE_ROOT, case=f"{case}, direction", unit=unit, detail=detail
        )
        limit = part[part["channels"] == 0].groupby("quantity")["value"].first()
        detail, size = f"N = {sizes.columns[-1]}", sizes.iloc[:, -1]
        predictions = {"f* of Theorem A.7": 1.0}
        if "constant" in limit:
            corrected, printed = limit["constant"], limit["printed_constant"]
            predictions = {"k as printed": corrected / printed, "k corrected": 1.0}
            measured = size.mean() * corrected
            detail += (
                f"; k {measured:.4g} measured, {printed:.4g} printed, {corrected:.4g} corrected"
            )
        for name, ratio in predictions.items():
            told = {"case": f"{case}, {name}", "unit": "measured over predicted", "detail": detail}
            yield judged(inside, stats.mean_interval(size * ratio), *EQUAL, **told)


converges = partial(_converges, figures=("variance", "l2"))
average_pool_converges = partial(_converges, figures=("average",))


def one_convolution_varies_less(rows: pd.DataFrame) -> Iterator[Finding]:
    """T2: how often the bound is broken, and the variance that it is made of."""
    for case, part in _plans(rows, "variance"):
        if case != _NAMES["variance", 1]:
            continue
        yield _violations(part, case)
        sines, sizes = _table(part, "sin_theta"), _table(part, "scale")
        squares = np.square(sines)
        # ||f - f*||^2 / ||f*||^2, by Pythagoras; an output of zeros is as far as f* is long.
        tangents = squares / (1 - squares).where(squares < 1, 1)
        away = np.square(sizes - 1) + np.square(sizes) * tangents
        ratio = stats.mean_interval((away * away.columns.to_numpy() / _K1).mean(axis=1))
        told = {"unit": "measured relative variance over K₁ / N", "case": f"{case}, variance"}
        detail = f"mean of ‖f − f*‖² / ‖f*‖² over all N, {away.columns[0]} to {away.columns[-1]}"
        yield judged(inside, ratio, *ALIKE, detail=detail, **told)


def several_convolutions_vary_less(rows: pd.DataFrame) -> Iterator[Finding]:
    """T3: how often the bound is broken, by plans of more than one convolution."""
    for case, part in _plans(rows, "variance", "l2"):
        if case != _NAMES["variance", 1]:
            yield _violations(part, case)


def _violations(part: pd.DataFrame, case: str) -> Finding:
    """Share of networks of which any picture is beyond the bound, where that says something."""
    drawn = part[part["channels"] > 0]
    keys = ["channels", "network", "image"]
    table = drawn.pivot_table(index=keys, columns="quantity", values="value")
    worst = table["bound"].groupby("channels").max()
    says, least = (
        worst < 1,
        f"bound {number(worst.min())} at the most channels, N = {worst.index[-1]}",
    )
    if not says.any():
        return not_testable(f"the bound is above 1, which says nothing, at every N; {least}", case)
    table = table[table.index.get_level_values("channels").isin(says.index[says])]
    beyond = (table["sin_theta"] > table["bound"]).groupby(["channels", "network"]).any()
    most = table["sin_theta"].groupby("channels").quantile(1 - DELTA)
    share = (most / worst).max()
    detail = (
        f"{beyond.sum()} of {len(beyond)} networks, N from {says.index[says].min()};"
        f" 90 % quantile of sin Θ at most {number(share)} of the bound; {least}"
    )
    unit = f"share of networks beyond the bound, at most {DELTA:g}"
    rate = stats.rate_interval(beyond)
    return judged(below, rate, DELTA, case=f"{case}, bound", unit=unit, detail=detail)


def image_is_near(rows: pd.DataFrame) -> Iterator[Finding]:
    """T4: how often the cosine between image and f* is below its bounds."""
    bounds = {
        ("angle", "none", "bound"): "one convolution, as printed",
        ("insertion", "zero", "printed_bound"): "several, zero insertion, as printed",
        ("insertion", "zero", "bound"): "several, zero insertion, corrected",
        ("insertion", "nearest", "printed_bound"): "several, nearest neighbour, as printed",
        ("insertion", "nearest", "bound"): "several, nearest neighbour, corrected",
    }
    for (figure, kind, quantity), case in bounds.items():
        part = rows[(rows["figure"] == figure) & (rows["upsampling"] == kind)]
        keys = ["convolutions", "kernel", "image"]
        table = part.pivot_table(index=keys, columns="quantity", values="value")
        if quantity not in table:
            continue
        table = table.dropna(subset=["cosine", quantity])
        gap = table["cosine"] - table[quantity]
        rate = stats.rate_interval(gap < -_ROUNDING)
        detail = f"cos Φ less the bound from {number(gap.min())} to {number(gap.max())}"
        unit = f"of {len(gap)} pictures and plans below the bound"
        # A bound without a probability is refuted by one picture.
        verdict: Verdict = "fails" if rate.estimate else "holds"
        yield Finding(verdict=verdict, case=case, effect=rate, unit=unit, detail=detail)


def _plans(rows: pd.DataFrame, *figures: str) -> Iterator[tuple[str, pd.DataFrame]]:
    for key, name in _NAMES.items():
        part = rows[(rows["figure"] == key[0]) & (rows["convolutions"] == key[1])]
        if key[0] in figures and len(part):
            yield name, part


def _table(part: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Means over the pictures, a line a network and a column an N."""
    chosen = part[(part["quantity"] == quantity) & (part["channels"] > 0)]
    return stats.network_table(chosen, "channels", "value")
