"""Claims on networks that are random throughout (rrVGG), from the rows of the experiments.

SSIM is that of the papers: grey, output stretched to [0, 1], the better of picture and inverse.
Each head and each upsampling is a case of its own, the papers' network (linear head, zero
insertion) first. The better of a picture and its inverse is biased upwards: what is not above its
null is left out. That is the SSIM of the same output with another picture or, where rows have it
and it is greater, of noise with the output's mean and deviation.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import pandas as pd

from recon import statistics as stats
from recon.claims.rules import ALIKE, HALF, LOST, LOW_LAYERS, REMOVED
from recon.claims.verdicts import (
    Finding,
    Verdict,
    above,
    below,
    inside,
    interval_text,
    judged,
    not_testable,
    not_tested,
    number,
)

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
    plan: str = "",
) -> Iterator[Finding]:
    """Slopes of SSIM over a column, whose values the detail shows behind `prefix`."""
    for case, part in _cases(rows, *by):
        case = f"{plan}, {case}" if plan else case
        if part[over].nunique() < 2:
            yield not_tested(f"the rows hold fewer than two values of {over}", case)
            continue
        table, levels = stats.network_table(_seen(part, over), over), _levels(part, over, prefix)
        if table.shape[1] < 2:
            yield not_testable(f"fewer than two SSIM are above their nulls: {levels}", case)
            continue
        slope = stats.mean_interval(stats.slopes(table, doubling=doubling))
        unit = f"SSIM per doubling of {over}" if doubling else f"SSIM per {over}"
        detail = f"SSIM {levels}; Spearman {number(stats.spearman(table))}"
        yield judged(rule, slope, 0, case=case, unit=unit, detail=detail)


def rises_with_channels(rows: pd.DataFrame) -> Iterator[Finding]:
    """C8: CD1 of section 4.2, and Conv1_1 of the first version."""
    trends = partial(_trends, over="channels", rule=above, prefix="N = ")
    yield from trends(rows[rows["plan"] == "cd1"])
    yield from trends(rows[rows["plan"] == "conv1_1"], by=("head",), plan="Conv1_1")


falls_with_kernel = partial(_trends, over="kernel", rule=below, prefix="k = ", by=("head",))


def falls_with_block(rows: pd.DataFrame) -> Iterator[Finding]:
    """C6: SSIM of CDk against k, features taken before the pool."""
    return _trends(_before_pool(rows, "full"), "block", below, "CD", doubling=False)


def second_is_half(rows: pd.DataFrame) -> Iterator[Finding]:
    """C10: SSIM of CD2 over that of CD1, as in section 4.2: equal channels, after the pool."""
    equal = rows[(rows["plan"] == "equal") & rows["block"].isin((1, 2))]
    for case, part in _cases(equal, *_BY):
        if part["block"].nunique() < 2:
            yield not_tested("the rows lack CD1 or CD2", case)
            continue
        table, levels = stats.network_table(_seen(part, "block"), "block"), _levels(part, "block")
        if table.shape[1] < 2:
            yield not_testable(f"an SSIM is not above its null: {levels}", case)
            continue
        ratio, unit = stats.ratio_interval(table[2], table[1]), "SSIM of CD2 over CD1"
        yield judged(inside, ratio, *HALF, case=case, unit=unit, detail=f"SSIM {levels}")


def kept_size_removes_decay(rows: pd.DataFrame) -> Iterator[Finding]:
    """C11: how much of the simplified networks' decay is gone where no map is reduced."""
    kept = rows[rows["plan"] == "simplified_kept"]
    for case, part in _cases(_before_pool(rows, "simplified"), *_BY):
        # Nothing is undone at full size: those rows go with every upsampling.
        yield _decay_removed(part, _same(kept, part, "head"), case)


def _decay_removed(reduced: pd.DataFrame, kept: pd.DataFrame, case: str) -> Finding:
    if len(set(reduced["block"]) & set(kept["block"])) < 2:
        return not_tested("the rows lack blocks of both plans", case)
    one_of_two = stats.network_table(kept, "block").T.duplicated()
    if one_of_two.any():
        same = ", ".join(f"CD{block}" for block in one_of_two.index[one_of_two])
        return not_tested(f"{same} has the networks of the block before it, not its own", case)
    levels = f"reduced {_levels(reduced, 'block')}; kept {_levels(kept, 'block')}"
    before, after = _common_tables(_seen(reduced, "block"), _seen(kept, "block"))
    if before.shape[1] < 2:
        return not_testable(
            f"fewer than two blocks have both SSIM above their nulls: {levels}", case
        )
    slopes = [stats.slopes(table) for table in (before, after)]
    decay, left = stats.mean_interval(slopes[0]), stats.ratio_interval(*reversed(slopes))
    removed = stats.Interval(1 - left.estimate, 1 - left.high, 1 - left.low, left.networks)
    numbers = (
        f"SSIM per block {interval_text(decay)} reduced,"
        f" {interval_text(stats.mean_interval(slopes[1]))} kept; {levels}"
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
            f"|chroma| {_told(chroma.mean())}; with its sign {interval_text(signed)};"
            f" |luminance| {interval_text(luminance)}"
        )
        size = stats.mean_interval(chroma.mean(axis=1))
        yield judged(below, size, LOST, case=case, unit="|correlation of chroma|", detail=detail)


def _costs_more(
    rows: pd.DataFrame, factor: str, than: str, *, half: bool = False
) -> Iterator[Finding]:
    """Whether `factor` (with `half`, half of it) takes more SSIM than doubling `than` changes.

    Factors are doubled; for "reduction" the first halving of the maps counts. The effect of
    `than` counts by its size, whatever its sign.
    """
    for case, part in _cases(rows[rows["upsampling"] != "none"], *_BY):
        # Where nothing is reduced nothing is upsampled: those rows go with every upsampling.
        whole = _same(rows[rows["upsampling"] == "none"], part, "head")
        every = pd.concat([part, whole])
        seen, told = _seen(every, *stats.FACTORS), _levels(every, "reduction", "1/")
        for name in stats.FACTORS:
            if every[name].nunique() < 2:
                yield not_tested(f"the rows hold fewer than two values of {name}", case)
                break
        else:
            yield _cost(seen, factor, than, half, case, told)


def _cost(seen: pd.DataFrame, factor: str, than: str, half: bool, case: str, told: str) -> Finding:
    try:
        effects = stats.Effects(seen)
    except ValueError as error:
        return not_testable(f"of what is above its null, {error}; SSIM at {told}", case)
    first = next(name for name in effects.names if " to " in name)
    name = first if factor == "reduction" else factor
    alone = {name: effects.contrast({name: 1.0}) for name in effects.names}
    sign = 1.0 if alone[than].estimate >= 0 else -1.0
    difference = effects.contrast({name: -0.5 if half else -1.0, than: -sign})
    lost = f"reduction from {first}" if name == first else f"doubling {factor}"
    unit = f"SSIM: {'half ' * half}the loss by {lost}, less the effect of doubling {than}"
    numbers = ", ".join(f"{name} {interval_text(effect)}" for name, effect in alone.items())
    detail = f"effects {numbers}; SSIM of maps {told}"
    return judged(above, difference, 0, case=case, unit=unit, detail=detail)


depth_counts_little = partial(_costs_more, factor="reduction", than="depth", half=True)
depth_beats_width = partial(_costs_more, factor="depth", than="channels")
resolution_is_the_cause = partial(_costs_more, factor="reduction", than="depth")


def simplified_is_alike(rows: pd.DataFrame) -> Iterator[Finding]:
    """C7d: SSIM of the full networks over the simplified ones, CD2 to CD5."""
    deep = rows[rows["block"] > 1]
    for case, part in _cases(_before_pool(deep, "full"), *_BY):
        others = _same(_before_pool(deep, "simplified"), part, *_BY)
        if others.empty:
            yield not_tested("the rows lack the simplified networks", case)
            continue
        levels = f"full {_levels(part, 'block')}; simplified {_levels(others, 'block')}"
        full, simplified = _common_tables(_seen(part, "block"), _seen(others, "block"))
        if full.empty:
            yield not_testable(f"in no block are both SSIM above their nulls: {levels}", case)
            continue
        ratio = stats.ratio_interval(full.mean(axis=1), simplified.mean(axis=1))
        unit = "SSIM of full over simplified"
        yield judged(inside, ratio, *ALIKE, case=case, unit=unit, detail=levels)


def _seen(rows: pd.DataFrame, *over: str) -> pd.DataFrame:
    """The rows at whose levels SSIM is above its null: the interval over networks above 0.

    One network, which has no interval, is left to the rules.
    """
    means = rows.groupby([*over, "network"])[["ssim", *_nulls(rows)]].mean()
    gains = means["ssim"] - means[_nulls(rows)].max(axis=1)
    found = gains.groupby(list(over)).apply(stats.mean_interval)
    above_null = found.map(lambda gain: gain.low > 0 or gain.networks < 2)
    return rows[rows.set_index(list(over)).index.isin(found.index[above_null])]


def _before_pool(rows: pd.DataFrame, plan: str) -> pd.DataFrame:
    return rows[(rows["plan"] == plan) & (rows["tap"] == "pre_pool")]


def _same(rows: pd.DataFrame, part: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The rows that agree with `part` in some columns, of which `part` has one value each."""
    for column in columns:
        rows = rows[rows[column] == part[column].iloc[0]]
    return rows


def _common_tables(*parts: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """SSIM by network and block of two parts, where both have it."""
    one, other = (stats.network_table(part, "block") for part in parts)
    return one.align(other, join="inner")


def _cases(rows: pd.DataFrame, *columns: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each combination in the rows with its name, that of the papers first."""
    if not columns:
        yield "", rows
        return
    first, *others = columns
    order = [*_NAMES[first], *sorted(set(rows[first].astype(str)) - set(_NAMES[first]))]
    for value in (name for name in order if (rows[first] == name).any()):
        for case, part in _cases(rows[rows[first] == value], *others):
            name = _NAMES[first].get(value, value)
            yield (f"{case}, {name}" if case else name), part


def _levels(rows: pd.DataFrame, over: str, prefix: str = "CD") -> str:
    """Means of SSIM over networks by level, and of its null: "0.812 (null 0.110) at CD1"."""
    scores = ("ssim", *_nulls(rows))
    ssim, *nulls = (stats.network_table(rows, over, score).mean() for score in scores)
    null = pd.concat(nulls, axis=1).max(axis=1)
    levels = (f"{number(ssim[x])} (null {number(null[x])}) at {prefix}{x:g}" for x in ssim.index)
    return ", ".join(levels)


def _nulls(rows: pd.DataFrame) -> list[str]:
    return [name for name in stats.NULLS if name in rows]


def _told(means: pd.Series) -> str:
    return ", ".join(f"{number(mean)} at CD{block:g}" for block, mean in means.items())
