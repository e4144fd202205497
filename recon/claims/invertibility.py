"""Claims on the invertibility of a random convolution, from the rows of the experiments."""

from collections.abc import Iterator

import pandas as pd

from recon.claims.verdicts import Finding, below, decided, inside, interval_text, not_tested, number
from recon.statistics import mean_interval, ratio_interval

ABOUT_ONE = (0.9, 1.1)  # what counts as about 1
USED = 0.9  # error of a DCN over that with random activations, if it has learned to use them

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


def random_filters_beat_activations(rows: pd.DataFrame) -> list[Finding]:
    """G1: image error by random filters over that of random activations, each layer a case."""
    return [
        _ratio(part, "random", "activations", case=f"{_ENCODERS[encoder]}, layer {layer}")
        for encoder, layer, part in _layers(rows)
    ]


def random_filters_are_best(rows: pd.DataFrame) -> list[Finding]:
    """G2: image error by random filters over that by learned ones, each layer a case."""
    found = [
        _ratio(part, "random", "learned", case=f"layer {layer}")
        for _, layer, part in _layers(rows[rows["encoder"] == "trained"])
    ]
    return found or [not_tested("the rows lack learned filters: no trained VGG16 was given")]


_ENCODERS = {"random": "random CNN", "trained": "trained CNN"}


def _layers(rows: pd.DataFrame) -> Iterator[tuple[str, int, pd.DataFrame]]:
    """Rows of each CNN and macro layer, unpooled naively as the paper has it."""
    naive = rows[rows["unpooling"] != "switches"]
    for (encoder, layer), part in naive.groupby(["encoder", "layer"], sort=False):
        yield str(encoder), int(layer), part


def _ratio(part: pd.DataFrame, one: str, other: str, *, case: str) -> Finding:
    scores = ["image_error", "activation_error"]
    means = part.groupby(["network", "filters"])[scores].mean().unstack("filters").dropna()
    errors, space = means["image_error"], means["activation_error"]
    numbers = ", ".join(f"{kind} {number(value)}" for kind, value in errors.mean().items())
    if errors["original"].mean() > USED * errors["activations"].mean():
        why = "the DCN is trained too little: it hardly sees activations"
        return not_tested(f"{why}; image errors: {numbers}", case)
    ratio = ratio_interval(errors[one], errors[other])
    return decided(
        below(ratio, 1),
        ratio,
        case=case,
        unit=f"image error, {one} over {other}",
        threshold="1",
        detail=f"image errors: {numbers}; ratio of activation errors"
        f" {interval_text(ratio_interval(space[one], space[other]))}",
    )
