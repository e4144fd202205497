"""Claims on networks that are random throughout (rrVGG), from the rows of the experiments.

SSIM is that of the papers: grey, output stretched to [0, 1], the better of picture and inverse.
Each head and each upsampling is a case of its own, the papers' network (linear head, zero
insertion) first.
"""

from collections.abc import Callable, Iterator, Mapping

import pandas as pd

from recon.claims.verdicts import (
    Finding,
    above,
    below,
    decided,
    inside,
    interval_text,
    not_tested,
    number,
)
from recon.statistics import (
    FACTORS,
    Effects,
    Interval,
    mean_interval,
    network_table,
    ratio_interval,
    slopes,
    spearman,
)

HALF = (0.35, 0.65)  # what counts as about half
ALIKE = (0.8, 1.25)  # what counts as similar quality
REMOVED = 0.8  # share of a decay that counts as its removal
LOST = 0.3  # correlation below which colour counts as lost
LITTLE = 0.5  # depth contributes little if at most this share of what resolution does
LOW_LAYERS = (1, 2, 3)

_NAMES: Mapping[str, Mapping[str, str]] = {
    "head": {"linear": "linear head", "mean": "mean head"},
    "upsampling": {"zero": "zero insertion", "nearest": "nearest neighbour"},
}
_PREFIXES = {"channels": "N = ", "kernel": "k = ", "block": "CD"}


def rises_with_channels(rows: pd.DataFrame) -> list[Finding]:
    """C8: SSIM against the number of channels."""
    return [
        _trend(part, "channels", case=case, sign=1, doubling=True)
        for case, part in _cases(rows, "upsampling", "head")
    ]


def falls_with_kernel(rows: pd.DataFrame) -> list[Finding]:
    """C9: SSIM against the side of the filters."""
    return [
        _trend(part, "kernel", case=case, sign=-1, doubling=True)
        for case, part in _cases(rows, "head")
    ]


def falls_with_block(rows: pd.DataFrame) -> list[Finding]:
    """C6: SSIM of CDk against k, features taken before the pool."""
    chosen = rows[(rows["plan"] == "full") & (rows["tap"] == "pre_pool")]
    return [
        _trend(part, "block", case=case, sign=-1, doubling=False)
        for case, part in _cases(chosen, "upsampling", "head")
    ]


def second_is_half(rows: pd.DataFrame) -> list[Finding]:
    """C10: SSIM of CD2 over that of CD1, as in section 4.2: equal channels, after the pool."""
    chosen = rows[rows["plan"] == "equal"]
    found = []
    for case, part in _cases(chosen, "upsampling", "head"):
        table = network_table(part[part["block"].isin((1, 2))], "block")
        if table.shape[1] < 2 or table.empty:
            found.append(not_tested("the rows lack CD1 or CD2", case))
            continue
        ratio = ratio_interval(table[2], table[1])
        found.append(
            decided(
                inside(ratio, *HALF),
                ratio,
                case=case,
                unit="SSIM of CD2 over CD1",
                threshold=f"{HALF[0]} or {HALF[1]}",
                detail=f"SSIM {_levels(table, 'CD')}",
            )
        )
    return found


def kept_size_removes_decay(rows: pd.DataFrame) -> list[Finding]:
    """C11: how much of the decay with k is gone where no map is reduced."""
    found = []
    for plan in ("full", "simplified"):
        reduced = rows[(rows["plan"] == plan) & (rows["tap"] == "pre_pool")]
        kept = rows[rows["plan"] == f"{plan}_kept"]
        for case, part in _cases(reduced, "upsampling", "head"):
            # Nothing is undone at full size: those rows go with every upsampling.
            same_head = kept[kept["head"] == part["head"].iloc[0]]
            found.append(_decay_removed(part, same_head, f"{plan} plan, {case}"))
    return found


def _decay_removed(reduced: pd.DataFrame, kept: pd.DataFrame, case: str) -> Finding:
    tables = [network_table(part, "block") for part in (reduced, kept)]
    networks = tables[0].index.intersection(tables[1].index)
    blocks = tables[0].columns.intersection(tables[1].columns)
    if len(networks) == 0 or len(blocks) < 2:
        return not_tested("the rows lack blocks of both plans", case)
    before, after = (table.loc[networks, blocks] for table in tables)
    decay = mean_interval(slopes(before))
    left = ratio_interval(slopes(after), slopes(before))
    removed = Interval(1 - left.estimate, 1 - left.high, 1 - left.low, left.networks)
    numbers = (
        f"SSIM per block {interval_text(decay)} reduced,"
        f" {interval_text(mean_interval(slopes(after)))} kept;"
        f" reduced {_levels(before, 'CD')}; kept {_levels(after, 'CD')}"
    )
    if decay.high >= 0:
        detail = f"the reduced maps show no sure decay that could be removed; {numbers}"
        return Finding(verdict="undecided", case=case, detail=detail)
    return decided(
        above(removed, REMOVED),
        removed,
        case=case,
        unit="share of the decay removed",
        threshold=f"{REMOVED}",
        detail=numbers,
    )


def colour_is_lost(rows: pd.DataFrame) -> list[Finding]:
    """C12: correlation of chroma with the photograph's, linear head, CD1 to CD3."""
    chosen = rows[
        (rows["plan"] == "full")
        & (rows["tap"] == "pre_pool")
        & (rows["head"] == "linear")
        & rows["block"].isin(LOW_LAYERS)
    ]
    found = []
    for case, part in _cases(chosen, "upsampling"):
        signed = network_table(part, "block", "chroma")
        sizes = part.assign(chroma=part["chroma"].abs(), pearson=part["pearson"].abs())
        chroma = network_table(sizes, "block", "chroma")
        if chroma.empty:
            found.append(not_tested("the rows lack correlations of chroma", case))
            continue
        size = mean_interval(chroma.mean(axis=1))
        luminance = mean_interval(network_table(sizes, "block", "pearson").mean(axis=1))
        found.append(
            decided(
                below(size, LOST),
                size,
                case=case,
                unit="|correlation of chroma|",
                threshold=f"{LOST}",
                detail=(
                    f"|chroma| {_levels(chroma, 'CD')}; with its sign"
                    f" {interval_text(mean_interval(signed.mean(axis=1)))};"
                    f" |luminance| {interval_text(luminance)}"
                ),
            )
        )
    return found


def depth_counts_little(rows: pd.DataFrame) -> list[Finding]:
    """C7a: what doubling the depth does, against half of what doubling the reduction costs."""
    return _compared(
        rows,
        weights=lambda d, c: {"reduction": -LITTLE, "depth": -d},
        unit="SSIM per doubling: half the loss by reduction, less the effect of depth",
    )


def depth_beats_width(rows: pd.DataFrame) -> list[Finding]:
    """C7b: what doubling the depth costs, against what doubling the channels does."""
    return _compared(
        rows,
        weights=lambda d, c: {"depth": -1.0, "channels": -c},
        unit="SSIM per doubling: the loss by depth, less the effect of channels",
    )


def resolution_is_the_cause(rows: pd.DataFrame) -> list[Finding]:
    """C7c: what doubling the reduction costs, against what doubling the depth does."""
    return _compared(
        rows,
        weights=lambda d, c: {"reduction": -1.0, "depth": -d},
        unit="SSIM per doubling: the loss by reduction, less the effect of depth",
    )


def _compared(
    rows: pd.DataFrame, *, weights: Callable[[float, float], dict[str, float]], unit: str
) -> list[Finding]:
    # Sizes are compared: an effect is taken with the sign of its estimate.
    found = []
    for case, part in _cases(rows[rows["upsampling"] != "none"], "upsampling", "head"):
        # Where nothing is reduced nothing is upsampled: those rows go with every upsampling.
        whole = rows[(rows["upsampling"] == "none") & (rows["head"] == part["head"].iloc[0])]
        effects = Effects(pd.concat([part, whole]))
        signs = [1.0 if effects.contrast({f: 1.0}).estimate >= 0 else -1.0 for f in FACTORS[:2]]
        difference = effects.contrast(weights(*signs))
        numbers = [
            f"{name} {interval_text(effects.contrast({name: 1.0}))}" for name in effects.names
        ]
        found.append(
            decided(
                above(difference, 0),
                difference,
                case=case,
                unit=unit,
                threshold="0",
                detail="SSIM per doubling: " + ", ".join(numbers),
            )
        )
    return found


def simplified_is_alike(rows: pd.DataFrame) -> list[Finding]:
    """C7d: SSIM of the full networks over the simplified ones, CD2 to CD5."""
    chosen = rows[(rows["tap"] == "pre_pool") & (rows["block"] > 1)]
    found = []
    for case, part in _cases(chosen[chosen["plan"] == "full"], "upsampling", "head"):
        others = chosen[chosen["plan"] == "simplified"]
        for column in ("upsampling", "head"):
            others = others[others[column] == part[column].iloc[0]]
        full, simplified = network_table(part, "block"), network_table(others, "block")
        networks = full.index.intersection(simplified.index)
        blocks = full.columns.intersection(simplified.columns)
        if len(networks) == 0 or len(blocks) == 0:
            found.append(not_tested("the rows lack the simplified networks", case))
            continue
        full, simplified = (table.loc[networks, blocks] for table in (full, simplified))
        ratio = ratio_interval(full.mean(axis=1), simplified.mean(axis=1))
        found.append(
            decided(
                inside(ratio, *ALIKE),
                ratio,
                case=case,
                unit="SSIM of full over simplified",
                threshold=f"{ALIKE[0]} or {ALIKE[1]}",
                detail=f"full {_levels(full, 'CD')}; simplified {_levels(simplified, 'CD')}",
            )
        )
    return found


def _trend(rows: pd.DataFrame, over: str, *, case: str, sign: int, doubling: bool) -> Finding:
    table = network_table(rows, over)
    if table.shape[1] < 2:
        return not_tested(f"the rows hold fewer than two values of {over}", case)
    slope = mean_interval(slopes(table, doubling=doubling))
    return decided(
        (above if sign > 0 else below)(slope, 0),
        slope,
        case=case,
        unit=f"SSIM per doubling of {over}" if doubling else f"SSIM per {over}",
        threshold="0",
        detail=f"SSIM {_levels(table, _PREFIXES[over])}; Spearman {number(spearman(table))}",
    )


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


def _levels(table: pd.DataFrame, prefix: str) -> str:
    """Means over networks by level: "0.812 at CD1, 0.401 at CD2"."""
    return ", ".join(f"{number(table[level].mean())} at {prefix}{level:g}" for level in table)
