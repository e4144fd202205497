"""Claims on trained DCNs, from the rows of the experiments that train them.

A loss is the mean squared error of pictures held out, on fixed squares; a final one that after the
last step of the run, however few. Trained CNNs are those that were given to the run.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from recon.claims.rules import ALIKE, LARGE_STD, PAPERS_STD, SAME, SLOW
from recon.claims.verdicts import Finding, above, below, inside, interval_text, judged, not_tested
from recon.statistics import geometric_ratio_interval, mean_interval, ratio_interval, slopes

_ARCHITECTURES = {"vgg16": "VGG16", "alexnet": "AlexNet"}
_KINDS = {"random": "random CNN", "trained": "trained CNN"}


def random_trains_better(rows: pd.DataFrame) -> Iterator[Finding]:
    """C1: final losses, courses of the loss, and VGG16 beside AlexNet."""
    logs = []
    for architecture, case in _ARCHITECTURES.items():
        random, trained = _courses(rows, *((architecture, kind) for kind in _KINDS))
        if random.empty:
            yield not_tested("the rows lack random or trained CNNs", case)
            continue
        final = random.iloc[:, -1], trained.iloc[:, -1]
        ratio = geometric_ratio_interval(*final)
        detail = _told(rows, {"random": final[0], "trained": final[1]})
        unit = "loss, random over trained"
        yield judged(below, ratio, 1, case=f"{case}, final loss", unit=unit, detail=detail)
        logs.append(np.log10(final[0]) - np.log10(final[1]))
        area = mean_interval(_mean_log(random) - _mean_log(trained))
        unit = "decades of loss, mean over the steps, random less trained"
        yield judged(below, area, 0, case=f"{case}, on the way", unit=unit, detail=detail)
    if len(logs) == len(_ARCHITECTURES):
        vgg, alexnet = logs[0].align(logs[1], join="inner")
        unit = "decades of final loss, random less trained: VGG16 less AlexNet"
        more = mean_interval(vgg - alexnet)
        yield judged(below, more, 0, case="the more so on VGG16", unit=unit)


def vgg_is_below_alexnet(rows: pd.DataFrame) -> Iterator[Finding]:
    """C2: final loss of VGG16 over that of AlexNet."""
    for kind, case in _KINDS.items():
        vgg, alexnet = _courses(rows, *((name, kind) for name in _ARCHITECTURES))
        if vgg.empty:
            yield not_tested("the rows lack VGG16 or AlexNet", case)
            continue
        final = vgg.iloc[:, -1], alexnet.iloc[:, -1]
        detail = _told(rows, dict(zip(_ARCHITECTURES.values(), final, strict=True)))
        ratio = geometric_ratio_interval(*final)
        yield judged(below, ratio, 1, case=case, unit="loss, VGG16 over AlexNet", detail=detail)


def validation_is_training(rows: pd.DataFrame) -> Iterator[Finding]:
    """C3: loss of each picture where it was held out, over that where it was trained on."""
    rows = _last(rows)
    for architecture, name in _ARCHITECTURES.items():
        for kind, words in _KINDS.items():
            part, case = _of(rows, architecture, kind), f"{name}, {words}"
            if part.empty:
                continue
            roles = part.groupby(["block", "image", "set"])["mse"].mean().unstack("set").dropna()
            if roles.empty or roles.shape[1] < 2:
                yield not_tested("no picture was both trained on and held out", case)
                continue
            pictures = roles.groupby("image").mean()
            ratio = ratio_interval(pictures["validation"], pictures["training"])
            blocks = roles.groupby("block").mean()
            by_block = (blocks["validation"] / blocks["training"]).items()
            numbers = ", ".join(f"{value:.3f} at Conv{block}" for block, value in by_block)
            detail = f"over {len(pictures)} pictures; {numbers}"
            unit = "loss, validation over training"
            yield judged(inside, ratio, *SAME, case=case, unit=unit, detail=detail)


def rises_with_block(rows: pd.DataFrame) -> Iterator[Finding]:
    """C4: slope of the logarithm of the loss over k, VGG16."""
    rows, by_kind = _last(rows), {}
    held_out = rows[rows["set"] == "validation"]
    for kind, case in _KINDS.items():
        part = _of(held_out, "vgg16", kind)
        losses = part.groupby(["network", "block"])["mse"].mean().unstack("block").dropna()
        if losses.shape[1] < 2 or losses.empty:
            yield not_tested("the rows hold fewer than two blocks", case)
            continue
        by_kind[kind] = slopes(np.log10(losses))
        slope = mean_interval(by_kind[kind])
        levels = ", ".join(f"{losses[block].mean():.3g} at Conv{block}" for block in losses)
        told = {"unit": "decades of loss per block", "detail": f"loss {levels}"}
        yield judged(above, slope, 0, case=f"{case} rises", **told)
        if kind == "random":
            yield judged(below, slope, SLOW, case=f"{case} rises slowly", **told)
    if len(by_kind) == len(_KINDS):
        trained, random = by_kind["trained"].align(by_kind["random"], join="inner")
        detail = f"trained {interval_text(mean_interval(trained))}"
        detail += f", random {interval_text(mean_interval(random))}"
        unit = "decades of loss per block, trained less random"
        steeper = mean_interval(trained - random)
        yield judged(above, steeper, 0, case="trained CNN is steeper", unit=unit, detail=detail)


def small_deviations_end_equal(rows: pd.DataFrame) -> Iterator[Finding]:
    """C5a: final loss of each Gaussian over that of the papers' own."""
    table = _final(rows, "std")
    if PAPERS_STD not in table:
        raise ValueError(f"the rows lack the Gaussian of std {PAPERS_STD}")
    base, unit = f"N(0, {PAPERS_STD})", f"loss over that of N(0, {PAPERS_STD})"
    for std in table.columns.drop(PAPERS_STD):
        name = f"N(0, {std:g})"
        ratio = geometric_ratio_interval(table[std], table[PAPERS_STD])
        detail = _told(rows, {name: table[std], base: table[PAPERS_STD]})
        told = {"unit": unit, "detail": detail}
        if std >= LARGE_STD:
            yield judged(above, ratio, ALIKE[1], case=f"{name} is worse", **told)
        else:
            yield judged(inside, ratio, *ALIKE, case=f"{name} is equal", **told)


def laws_end_equal(rows: pd.DataFrame) -> Iterator[Finding]:
    """C5b: final loss of each law over that of the Gaussian."""
    table = _final(rows, "law")
    if "gaussian" not in table:
        raise ValueError("the rows lack the gaussian law")
    unit = "loss over that of the gaussian"
    for law in table.columns.drop("gaussian"):
        ratio = geometric_ratio_interval(table[law], table["gaussian"])
        detail = _told(rows, {law: table[law], "gaussian": table["gaussian"]})
        yield judged(inside, ratio, *ALIKE, case=law, unit=unit, detail=detail)


def _last(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["step"] == rows["step"].max()]


def _of(rows: pd.DataFrame, architecture: str, kind: str) -> pd.DataFrame:
    return rows[(rows["architecture"] == architecture) & (rows["encoder"] == kind)]


def _courses(rows: pd.DataFrame, *of: tuple[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Losses of two architectures and kinds of CNN, for the networks and steps that both have.

    A line a network and a column a step.
    """
    one, other = (
        _of(rows, *chosen)
        .pivot_table(index="network", columns="step", values="validation_mse")
        .dropna()
        for chosen in of
    )
    return one.align(other, join="inner")


def _mean_log(courses: pd.DataFrame) -> pd.Series:
    """Area under each network's course of log10 loss over the steps, by their span."""
    steps = courses.columns.to_numpy(np.float64)
    area = np.trapezoid(np.log10(courses.to_numpy()), steps, axis=1) / np.ptp(steps)
    return pd.Series(area, index=courses.index)


def _final(rows: pd.DataFrame, over: str) -> pd.DataFrame:
    """Losses after the last step, a line a network and a column a level."""
    return _last(rows).pivot_table(index="network", columns=over, values="validation_mse").dropna()


def _told(rows: pd.DataFrame, losses: dict[str, pd.Series]) -> str:
    """Mean losses: "loss .012 random, .034 trained, after 400 steps"."""
    told = ", ".join(f"{values.mean():.3g} {name}" for name, values in losses.items())
    return f"loss {told}, after {rows['step'].max()} steps"
