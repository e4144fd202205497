"""Intervals for the papers' statistic: average over the pictures, then over random networks.

A network is the unit. The pictures are the same for all, so an interval says how far other networks
would fall *for these pictures*, and nothing of others. Network n has the same seed in every
condition, hence differences, ratios and slopes are taken within networks. Intervals are two-sided,
of 95 %, and not corrected for the number of claims.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
import scipy.stats

LEVEL = 0.95
Values: TypeAlias = Sequence[float] | np.ndarray | pd.Series  # one per network
FACTORS = ("depth", "channels", "reduction")
NULLS = ("null", "noise")  # of SSIM: with another picture; of noise. Earlier rows have the first


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % interval."""

    estimate: float  # mean over networks, or a function of such means
    low: float  # lower end; minus infinity where there are too few networks for one
    high: float  # upper end
    networks: int  # number of networks behind the interval

    @property
    def bounded(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)

    def negated(self) -> "Interval":
        return Interval(-self.estimate, -self.high, -self.low, self.networks)


def network_table(rows: pd.DataFrame, over: str, score: str = "ssim") -> pd.DataFrame:
    """Average of the column `score` over the pictures, for each network and each level of `over`.

    NaN, for undefined, is left out, and so are networks that lack a level. Networks are the index,
    sorted levels the columns.
    """
    means = rows.groupby(["network", over])[score].mean()
    return means.unstack(over).sort_index(axis=1).dropna()


def mean_interval(values: Values) -> Interval:
    """Student's interval of the mean of one value per network."""
    array = np.asarray(values, np.float64)
    n = array.size
    mean = float(array.mean()) if n else math.nan
    if n < 2:
        return Interval(mean, -math.inf, math.inf, n)
    error = float(scipy.stats.sem(array))
    if error == 0:  # scipy has NaN for a width of nothing
        return Interval(mean, mean, mean, n)
    low, high = scipy.stats.t.interval(LEVEL, n - 1, loc=mean, scale=error)
    return Interval(mean, float(low), float(high), n)


def ratio_interval(numerator: Values, denominator: Values) -> Interval:
    """Fieller's interval of a ratio of means, both measured on each network.

    It holds all r for which a paired t test does not reject "mean numerator = r x mean
    denominator". Unlike a mean of ratios it stays right where a denominator comes near 0: its ends
    are then infinite.

    Reference: Fieller, "Some problems in interval estimation", JRSS B 1954.
    """
    pair = np.asarray([numerator, denominator], np.float64)
    n = pair.shape[1]
    a, b = pair.mean(axis=1) if n else (0.0, 0.0)
    ratio = float(a / b) if b else math.nan
    unbounded = Interval(ratio, -math.inf, math.inf, n)
    if n < 2:
        return unbounded
    t = float(scipy.stats.t.ppf((1 + LEVEL) / 2, n - 1))
    spread = t**2 * np.cov(pair) / n
    quadratic = b**2 - spread[1, 1]
    if quadratic <= 0:  # the denominator may be 0
        return unbounded
    middle = a * b - spread[0, 1]
    root = math.sqrt(max(middle**2 - quadratic * (a**2 - spread[0, 0]), 0.0))
    low, high = ((middle + sign * root) / quadratic for sign in (-1, 1))
    return Interval(ratio, float(low), float(high), n)


def geometric_ratio_interval(numerator: Values, denominator: Values) -> Interval:
    """Interval of the geometric mean of the networks' ratios: Student's, of their logarithms.

    For values above 0 that spread by factors, such as losses: where one network ends a thousand
    times above another, it alone is the arithmetic mean, and Fieller's interval reaches below 0.
    """
    logs = np.log(np.asarray(numerator, np.float64)) - np.log(np.asarray(denominator, np.float64))
    found = mean_interval(logs)
    with np.errstate(over="ignore"):  # two networks that differ much have no upper end
        ratio, low, high = np.exp([found.estimate, found.low, found.high]).tolist()
    return Interval(ratio, low, high, found.networks)


def slopes(table: pd.DataFrame, *, doubling: bool = False) -> pd.Series:
    """Least-squares slope of each network's scores over two or more levels.

    Raises:
        ValueError: If the slope is per doubling, and a level not above 0.
    """
    if table.empty:
        return pd.Series(dtype=np.float64)
    levels = table.columns.to_numpy(np.float64)
    places = _doublings(levels) if doubling else levels
    return pd.Series(np.polyfit(places, table.to_numpy().T, 1)[0], index=table.index)


def _doublings(levels: np.ndarray) -> np.ndarray:
    if not (levels > 0).all():
        raise ValueError(f"levels must be above 0; received {levels.min():g}")
    return np.log2(levels)


def spearman(table: pd.DataFrame) -> float:
    """Rank correlation of the levels with the scores' means over networks; NaN if all are equal."""
    means = table.mean().to_numpy()
    if len(set(means)) < 2:
        return math.nan
    return float(scipy.stats.spearmanr(table.columns.to_numpy(np.float64), means).statistic)


class Effects:
    """Effects of depth, channels and reduction on a score, of each network on its own.

    Least squares on a network's means over the pictures: score ~ (depth + channels + reduction)^2.
    Depth and channels are binary logarithms, their effects per doubling; reduction is categorical,
    each level beside the least. Main effects are those in the middle of the observations. Cells of
    a network are not independent, networks are: intervals are Student's over networks.

    Raises:
        ValueError: If a factor does not vary, or too few rows tell the effects apart.
    """

    def __init__(self, rows: pd.DataFrame, score: str = "ssim") -> None:
        means = rows.groupby([*FACTORS, "network"])[score].mean().unstack("network")
        means = means.dropna(axis=1).reset_index()
        for factor in FACTORS:
            if (levels := means[factor].nunique()) < 2:
                raise ValueError(f"{factor} must have at least two levels; received {levels}")
        least, *more = sorted(means["reduction"].unique())
        columns = {name: _doublings(means[name].to_numpy(np.float64)) for name in FACTORS[:2]}
        columns |= {f"{least:g} to {n:g}": means["reduction"] == n for n in more}
        main = pd.DataFrame(columns, dtype=np.float64)
        main -= main.mean()
        design = main.assign(Intercept=1.0)
        for one, other in itertools.combinations(main, 2):
            if "depth" in (one, other) or "channels" in (one, other):
                design[f"{one}:{other}"] = main[one] * main[other]
        if np.linalg.matrix_rank(design) < design.shape[1]:
            raise ValueError("rows must tell the effects apart; received too few combinations")
        scores = means.drop(columns=list(FACTORS)).to_numpy()
        fit = np.linalg.lstsq(design, scores, rcond=None)[0]
        self._fit = pd.DataFrame(fit, index=design.columns)  # a column a network
        self.names = tuple(main)  # main effects: "depth", "channels", "1 to 2", "1 to 4", ...

    def contrast(self, weights: Mapping[str, float]) -> Interval:
        """A weighted sum of effects: {"1 to 2": -1} is what the first halving of the maps takes."""
        parts = (weight * self._fit.loc[name] for name, weight in weights.items())
        return mean_interval(sum(parts))


def rate_interval(hits: pd.Series) -> Interval:
    """Clopper and Pearson's interval of the share of independent cases that are true."""
    found = scipy.stats.binomtest(int(hits.sum()), len(hits))
    low, high = found.proportion_ci(LEVEL, method="exact")
    return Interval(found.statistic, float(low), float(high), len(hits))
