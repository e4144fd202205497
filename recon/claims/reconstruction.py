"""Claims on networks that are random throughout (rrVGG), from the rows of the experiments.

SSIM is that of the papers: grey, output stretched to [0, 1], the better of picture and inverse.
Each head and each upsampling is a case of its own, the papers' network (linear head, zero
insertion) first.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import pandas as pd

from recon import statistics as stats
from recon.claims.verdicts import (
    Finding,
    Verdict,
    above,
    below,
    inside,
    interval_text,
    judged,
    not_tested,
    number,
)

HALF = (0.35, 0.65)  # what counts as about half
ALIKE = (0.8, 1.25)  # what counts as similar quality
REMOVED = 0.8  # share of a decay that counts as its removal
LOST = 0.3  # correlation below which colour counts as lost
LOW_LAYERS = (1, 2, 3)

_NAMES: Mapping[str, Mapping[str, str]] = {
    "head": {"linear": "linear head", "mean": "mean head"},
    "upsampling": {"zero": "zero insertion", "nearest": "nearest neighbour"},
}
_BY = "upsampling", "head"


def _trends(
    rows: pd.DataFrame,
    over: str,
    rule: Callable[..., Verdict],
    prefix: str,
    *,
    by: tuple[str, ...] = _BY,
    doubling: bool = True,
) -> Iterator[Finding]:
    """Slopes of SSIM over a column, whose values are told behind `prefix`."""
    for case, part in _cases(rows, *by):
        table = stats.network_table(part, over)
        if table.shape[1] < 2:
            yield not_tested(f"the rows hold fewer than two values of {over}", case)
            continue
        slope = stats.mean_interval(stats.slopes(table, doubling=doubling))
        unit = f"SSIM per doubling of {over}" if doubling else f"SSIM per {over}"
        detail = f"SSIM {_levels(table, prefix)}; Spearman {number(stats.spearman(table))}"
        yield judged(rule, slope, 0, case=case, unit=unit, detail=detail)


rises_with_channels = partial(_trends, over="channels", rule=above, prefix="N = ")
falls_with_kernel = partial(_trends, over="kernel", rule=below, prefix="k = ", by=("head",))


def falls_with_block(rows: pd.DataFrame) -> Iterator[Finding]:
    """C6: SSIM of CDk against k, features taken before the pool."""
    return _trends(_before_pool(rows, "full"), "block", below, "CD", doubling=False)


def second_is_half(rows: pd.DataFrame) -> Iterator[Finding]:
    """C10: SSIM of CD2 over that of CD1, as in section 4.2: equal channels, after the pool."""
    for case, part in _cases(rows[rows["plan"] == "equal"], *_BY):
        table = stats.network_table(part[part["block"].isin((1, 2))], "block")
        if table.shape[1] < 2 or table.empty:
            yield not_tested("the rows lack CD1 or CD2", case)
            continue
        ratio, detail = stats.ratio_interval(table[2], table[1]), f"SSIM {_levels(table)}"
        yield judged(inside, ratio, *HALF, case=case, unit="SSIM of CD2 over CD1", detail=detail)


def kept_size_removes_decay(rows: pd.DataFrame) -> Iterator[Finding]:
    """C11: how much of the decay with k is gone where no map is reduced."""
    for plan in ("full", "simplified"):
        kept = rows[rows["plan"] == f"{plan}_kept"]
        for case, part in _cases(_before_pool(rows, plan), *_BY):
            # Nothing is undone at full size: those rows go with every upsampling.
            yield _decay_removed(part, _same(kept, part, "head"), f"{plan} plan, {case}")


def _decay_removed(reduced: pd.DataFrame, kept: pd.DataFrame, case: str) -> Finding:
    before, after = _common_tables(reduced, kept)
    if len(before) == 0 or before.shape[1] < 2:
        return not_tested("the rows lack blocks of both plans", case)
    decay = stats.mean_interval(stats.slopes(before))
    left = stats.ratio_interval(stats.slopes(after), stats.slopes(before))
    removed = stats.Interval(1 - left.estimate, 1 - left.high, 1 - left.low, left.networks)
    numbers = (
        f"SSIM per block {interval_text(decay)} reduced,"
        f" {interval_text(stats.mean_interval(stats.slopes(after)))} kept;"
        f" reduced {_levels(before)}; kept {_levels(after)}"
    )
    if decay.high >= 0:
        detail = f"the reduced maps show no sure decay that could be removed; {numbers}"
        return Finding(verdict="undecided", case=case, detail=detail)
    unit = "share of the decay removed"
    return judged(above, removed, REMOVED, case=case, unit=unit, detail=numbers)


def colour_is_lost(rows: pd.DataFrame) -> Iterator[Finding]:
    """C12: correlation of chroma with the photograph's, linear head, CD1 to CD3."""
    chosen = _before_pool(rows, "full")
    chosen = chosen[(chosen["head"] == "linear") & chosen["block"].isin(LOW_LAYERS)]
    for case, part in _cases(chosen, "upsampling"):
        sizes = part.assign(chroma=part["chroma"].abs(), pearson=part["pearson"].abs())
        chroma = stats.network_table(sizes, "block", "chroma")
        if chroma.empty:
            yield not_tested("the rows lack correlations of chroma", case)
            continue
        signed, luminance = (
            stats.mean_interval(stats.network_table(values, "block", score).mean(axis=1))
            for values, score in ((part, "chroma"), (sizes, "pearson"))
        )
        detail = (
            f"|chroma| {_levels(chroma)}; with its sign {interval_text(signed)};"
            f" |luminance| {interval_text(luminance)}"
        )
        size = stats.mean_interval(chroma.mean(axis=1))
        yield judged(below, size, LOST, case=case, unit="|correlation of chroma|", detail=detail)


def _costs_more(
    rows: pd.DataFrame, factor: str, than: str, *, half: bool = False
) -> Iterator[Finding]:
    """Whether doubling `factor` takes (half of it: `half`) more SSIM than doubling `than` changes.

    The effect of `than` counts by its size, whatever its sign.
    """
    unit = f"SSIM per doubling: {'half ' * half}the loss by {factor}, less the effect of {than}"
    for case, part in _cases(rows[rows["upsampling"] != "none"], *_BY):
        # Where nothing is reduced nothing is upsampled: those rows go with every upsampling.
        whole = _same(rows[rows["upsampling"] == "none"], part, "head")
        effects = stats.Effects(pd.concat([part, whole]))
        alone = {name: effects.contrast({name: 1.0}) for name in effects.names}
        sign = 1.0 if alone[than].estimate >= 0 else -1.0
        difference = effects.contrast({factor: -0.5 if half else -1.0, than: -sign})
        numbers = ", ".join(f"{name} {interval_text(effect)}" for name, effect in alone.items())
        detail = f"SSIM per doubling: {numbers}"
        yield judged(above, difference, 0, case=case, unit=unit, detail=detail)


depth_counts_little = partial(_costs_more, factor="reduction", than="depth", half=True)
depth_beats_width = partial(_costs_more, factor="depth", than="channels")
resolution_is_the_cause = partial(_costs_more, factor="reduction", than="depth")


def simplified_is_alike(rows: pd.DataFrame) -> Iterator[Finding]:
    """C7d: SSIM of the full networks over the simplified ones, CD2 to CD5."""
    deep = rows[rows["block"] > 1]
    for case, part in _cases(_before_pool(deep, "full"), *_BY):
        others = _same(_before_pool(deep, "simplified"), part, *_BY)
        full, simplified = _common_tables(part, others)
        if full.empty:
            yield not_tested("the rows lack the simplified networks", case)
            continue
        ratio = stats.ratio_interval(full.mean(axis=1), simplified.mean(axis=1))
        detail = f"full {_levels(full)}; simplified {_levels(simplified)}"
        unit = "SSIM of full over simplified"
        yield judged(inside, ratio, *ALIKE, case=case, unit=unit, detail=detail)


def _before_pool(rows: pd.DataFrame, plan: str) -> pd.DataFrame:
    return rows[(rows["plan"] == plan) & (rows["tap"] == "pre_pool")]


def _same(rows: pd.DataFrame, part: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The rows that have in some columns the one value that `part` has."""
    for column in columns:
        rows = rows[rows[column] == part[column].iloc[0]]
    return rows


def _common_tables(*parts: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """SSIM by network and block of two parts, where both have it."""
    one, other = (stats.network_table(part, "block") for part in parts)
    return one.align(other, join="inner")


def _cases(rows: pd.DataFrame, *columns: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each combination that is in the rows, the papers' first, with its name."""
    if not columns:
        yield "", rows
        return
    first, *others = columns
    order = [*_NAMES[first], *sorted(set(rows[first].astype(str)) - set(_NAMES[first]))]
    for value in (name for name in order if (rows[first] == name).any()):
        for case, part in _cases(rows[rows[first] == value], *others):
            name = _NAMES[first].get(value, value)
            yield (f"{case}, {name}" if case else name), part


def _levels(table: pd.DataFrame, prefix: str = "CD") -> str:
    """Means over networks by level: "0.812 at CD1, 0.401 at CD2"."""
    return ", ".join(f"{number(table[level].mean())} at {prefix}{level:g}" for level in table)
