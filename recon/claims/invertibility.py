"""Claims on the invertibility of a random convolution, from the rows of the experiments."""

from collections.abc import Iterator

import pandas as pd

from recon.claims.rules import ABOUT_ONE, USED
from recon.claims.verdicts import Finding, below, inside, interval_text, judged, not_tested, number
from recon.statistics import mean_interval, ratio_interval

_CASES = {
    "synthesis": "‖Wᵀz‖ / ‖z‖, as in (a)",
    "support": "‖WWᵀz‖ / ‖z‖ on the support of z",
    "full": "‖WWᵀz‖ / ‖z‖, all entries, as (b) is captioned",
}
_SCORES = ["image_error", "activation_error"]


def ratios_are_about_one(rows: pd.DataFrame) -> Iterator[Finding]:
    """G3: the mean ratio of a network's codes."""
    for quantity, case in _CASES.items():
        part = rows[rows["quantity"] == quantity]
        if part.empty:
            continue
        mean = mean_interval(part.groupby("network")["value"].mean())
        low, high = part["value"].quantile([0.025, 0.975])
        detail = f"95 % of the codes from {number(low)} to {number(high)}"
        yield judged(inside, mean, *ABOUT_ONE, case=case, unit="mean ratio", detail=detail)


def random_filters_beat_activations(rows: pd.DataFrame) -> Iterator[Finding]:
    """G1: image error by random filters over that of random activations, each layer a case."""
    for encoder, layer, part in _layers(rows):
        case = f"{encoder} CNN, layer {layer}"
        yield _ratio(part, "random", "activations", case=case)


def random_filters_are_best(rows: pd.DataFrame) -> Iterator[Finding]:
    """G2: image error by random filters over that by learned ones, each layer a case."""
    trained = rows[rows["encoder"] == "trained"]
    if trained.empty:
        yield not_tested("the rows lack learned filters: no trained VGG16 was given")
    for _, layer, part in _layers(trained):
        yield _ratio(part, "random", "learned", case=f"layer {layer}")


def _layers(rows: pd.DataFrame) -> Iterator[tuple[str, int, pd.DataFrame]]:
    """Rows of each CNN and macro layer, unpooled naively as the paper has it."""
    naive = rows[rows["unpooling"] != "switches"]
    for (encoder, layer), part in naive.groupby(["encoder", "layer"], sort=False):
        yield str(encoder), int(layer), part


def _ratio(part: pd.DataFrame, one: str, other: str, *, case: str) -> Finding:
    means = part.groupby(["network", "filters"])[_SCORES].mean().unstack("filters").dropna()
    errors, space = (means[score] for score in _SCORES)
    numbers = ", ".join(f"{kind} {number(value)}" for kind, value in errors.mean().items())
    detail = f"image errors: {numbers}"
    if "mean" not in errors:
        return not_tested(f"the rows lack the error of the mean picture; {detail}", case)
    if (errors["original"] > USED * errors["mean"]).any():
        why = "a DCN is trained too little: it does hardly better than the mean picture"
        return not_tested(f"{why}; {detail}", case)
    ratio, in_space = (ratio_interval(table[one], table[other]) for table in (errors, space))
    detail += f"; ratio of activation errors {interval_text(in_space)}"
    unit = f"image error, {one} over {other}"
    return judged(below, ratio, 1, case=case, unit=unit, detail=detail)
