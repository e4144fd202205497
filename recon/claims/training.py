"""Claims on trained DCNs, from the rows of the experiments that train them.

A loss is the mean squared error of pictures held out, on fixed squares; a final one that after the
last step of the run, however few. Trained CNNs are those that were given to the run.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from recon.claims.verdicts import (
    Finding,
    above,
    below,
    decided,
    inside,
    interval_text,
    not_tested,
)
from recon.statistics import (
    Interval,
    geometric_ratio_interval,
    mean_interval,
    ratio_interval,
    slopes,
)

ALIKE = (0.8, 1.25)  # ratio of final losses that counts as equal
SAME = (0.9, 1.1)  # ratio of validation to training loss that counts as equal
SLOW = 0.15  # decades of loss a block: a factor of 1.41
PAPERS_STD = 0.015
LARGE_STD = 1.0

_ARCHITECTURES = {"vgg16": "VGG16", "alexnet": "AlexNet"}
_KINDS = {"random": "random CNN", "trained": "trained CNN"}


def random_trains_better(rows: pd.DataFrame) -> list[Finding]:
    """C1: final losses, courses of the loss, and VGG16 beside AlexNet."""
    found, logs = [], []
    for architecture, case in _ARCHITECTURES.items():
        courses = [_courses(rows, architecture, kind) for kind in _KINDS]
        random, trained = _common(*courses)
        if random.empty:
            found.append(not_tested("the rows lack random or trained CNNs", case))
            continue
        final = random.iloc[:, -1], trained.iloc[:, -1]
        ratio = geometric_ratio_interval(*final)
        detail = _told(rows, {"random": final[0], "trained": final[1]})
        unit = "loss, random over trained"
        found.append(_below(ratio, 1, f"{case}, final loss", unit, detail))
        logs.append(np.log10(final[0]) - np.log10(final[1]))
        area = mean_interval(_mean_log(random) - _mean_log(trained))
        unit = "decades of loss, mean over the steps, random less trained"
        found.append(_below(area, 0, f"{case}, on the way", unit, detail))
    if len(logs) == len(_ARCHITECTURES):
        vgg, alexnet = logs[0].align(logs[1], join="inner")
        unit = "decades of final loss, random less trained: VGG16 less AlexNet"
        found.append(_below(mean_interval(vgg - alexnet), 0, "the more so on VGG16", unit))
    return found


def vgg_is_below_alexnet(rows: pd.DataFrame) -> list[Finding]:
    """C2: final loss of VGG16 over that of AlexNet."""
    found = []
    for kind, case in _KINDS.items():
        vgg, alexnet = _common(*(_courses(rows, name, kind) for name in _ARCHITECTURES))
        if vgg.empty:
            found.append(not_tested("the rows lack VGG16 or AlexNet", case))
            continue
        final = vgg.iloc[:, -1], alexnet.iloc[:, -1]
        detail = _told(rows, dict(zip(_ARCHITECTURES.values(), final, strict=True)))
        ratio = geometric_ratio_interval(*final)
        found.append(_below(ratio, 1, case, "loss, VGG16 over AlexNet", detail))
    return found


def validation_is_training(rows: pd.DataFrame) -> list[Finding]:
    """C3: loss of each picture where it was held out, over that where it was trained on."""
    found = []
    for architecture, kind, part in _by_encoder(rows):
        case = f"{_ARCHITECTURES[architecture]}, {_KINDS[kind]}"
        roles = part.groupby(["block", "image", "set"])["mse"].mean().unstack("set").dropna()
        if roles.empty or roles.shape[1] < 2:
            found.append(not_tested("no picture was both trained on and held out", case))
            continue
        pictures = roles.groupby("image").mean()
        ratio = ratio_interval(pictures["validation"], pictures["training"])
        blocks = roles.groupby("block").mean()
        by_block = (blocks["validation"] / blocks["training"]).items()
        found.append(
            decided(
                inside(ratio, *SAME),
                ratio,
                case=case,
                unit="loss, validation over training",
                threshold=f"{SAME[0]} or {SAME[1]}",
                detail=f"over {len(pictures)} pictures; "
                + ", ".join(f"{value:.3f} at Conv{block}" for block, value in by_block),
            )
        )
    return found


def rises_with_block(rows: pd.DataFrame) -> list[Finding]:
    """C4: slope of the logarithm of the loss over k, VGG16."""
    chosen = rows[(rows["architecture"] == "vgg16") & (rows["set"] == "validation")]
    found, by_kind = [], {}
    for kind, case in _KINDS.items():
        part = chosen[chosen["encoder"] == kind]
        losses = part.groupby(["network", "block"])["mse"].mean().unstack("block").dropna()
        if losses.shape[1] < 2 or losses.empty:
            found.append(not_tested("the rows hold fewer than two blocks", case))
            continue
        by_kind[kind] = slopes(np.log10(losses))
        slope = mean_interval(by_kind[kind])
        levels = ", ".join(f"{_number(losses[block].mean())} at Conv{block}" for block in losses)
        detail = f"loss {levels}"
        unit = "decades of loss per block"
        found.append(_above(slope, 0, f"{case} rises", unit, detail))
        if kind == "random":
            found.append(_below(slope, SLOW, f"{case} rises slowly", unit, detail))
    if len(by_kind) == len(_KINDS):
        trained, random = by_kind["trained"].align(by_kind["random"], join="inner")
        detail = f"trained {interval_text(mean_interval(trained))}"
        detail += f", random {interval_text(mean_interval(random))}"
        unit = "decades of loss per block, trained less random"
        steeper = mean_interval(trained - random)
        found.append(_above(steeper, 0, "trained CNN is steeper", unit, detail))
    return found


def small_deviations_end_equal(rows: pd.DataFrame) -> list[Finding]:
    """C5a: final loss of each Gaussian over that of the papers' own."""
    table = _final(rows, "std")
    if PAPERS_STD not in table:
        raise ValueError(f"the rows lack the Gaussian of std {PAPERS_STD}")
    found = []
    for std in table.columns.drop(PAPERS_STD):
        case, base = f"N(0, {std:g})", f"N(0, {PAPERS_STD})"
        ratio = geometric_ratio_interval(table[std], table[PAPERS_STD])
        detail = _told(rows, {case: table[std], base: table[PAPERS_STD]})
        unit = f"loss over that of {base}"
        if std >= LARGE_STD:
            found.append(_above(ratio, ALIKE[1], f"{case} is worse", unit, detail))
        else:
            found.append(_alike(ratio, f"{case} is equal", unit, detail))
    return found


def laws_end_equal(rows: pd.DataFrame) -> list[Finding]:
    """C5b: final loss of each law over that of the Gaussian."""
    table = _final(rows, "law")
    if "gaussian" not in table:
        raise ValueError("the rows lack the gaussian law")
    found = []
    for law in table.columns.drop("gaussian"):
        ratio = geometric_ratio_interval(table[law], table["gaussian"])
        detail = _told(rows, {law: table[law], "gaussian": table["gaussian"]})
        found.append(_alike(ratio, law, "loss over that of the gaussian", detail))
    return found


def _courses(rows: pd.DataFrame, architecture: str, kind: str) -> pd.DataFrame:
    """Losses held out, a line a network and a column a step."""
    part = rows[(rows["architecture"] == architecture) & (rows["encoder"] == kind)]
    return part.pivot_table(index="network", columns="step", values="validation_mse").dropna()


def _common(one: pd.DataFrame, other: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The networks and steps that both have."""
    return one.align(other, join="inner")


def _mean_log(courses: pd.DataFrame) -> pd.Series:
    """Area under each network's course of log10 loss over the steps, by their span."""
    steps = courses.columns.to_numpy(np.float64)
    area = np.trapezoid(np.log10(courses.to_numpy()), steps, axis=1) / np.ptp(steps)
    return pd.Series(area, index=courses.index)


def _final(rows: pd.DataFrame, over: str) -> pd.DataFrame:
    """Losses after the last step, a line a network and a column a level."""
    last = rows[rows["step"] == rows["step"].max()]
    return last.pivot_table(index="network", columns=over, values="validation_mse").dropna()


def _by_encoder(rows: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Rows of each architecture and kind of CNN that there is."""
    for architecture in _ARCHITECTURES:
        for kind in _KINDS:
            part = rows[(rows["architecture"] == architecture) & (rows["encoder"] == kind)]
            if not part.empty:
                yield architecture, kind, part


def _told(rows: pd.DataFrame, losses: dict[str, pd.Series]) -> str:
    """Mean losses: "loss .012 random, .034 trained, after 400 steps"."""
    told = ", ".join(f"{_number(values.mean())} {name}" for name, values in losses.items())
    return f"loss {told}, after {rows['step'].max()} steps"


def _number(loss: float) -> str:
    return f"{loss:.3g}"


def _below(effect: Interval, threshold: float, case: str, unit: str, detail: str = "") -> Finding:
    verdict = below(effect, threshold)
    text = f"{threshold:g}"
    return decided(verdict, effect, case=case, unit=unit, threshold=text, detail=detail)


def _above(effect: Interval, threshold: float, case: str, unit: str, detail: str) -> Finding:
    verdict = above(effect, threshold)
    text = f"{threshold:g}"
    return decided(verdict, effect, case=case, unit=unit, threshold=text, detail=detail)


def _alike(effect: Interval, case: str, unit: str, detail: str) -> Finding:
    verdict = inside(effect, *ALIKE)
    text = f"{ALIKE[0]} or {ALIKE[1]}"
    return decided(verdict, effect, case=case, unit=unit, threshold=text, detail=detail)
