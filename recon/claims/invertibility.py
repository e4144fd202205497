"""Claims on the invertibility of a random convolution, from the rows of the experiments."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from recon.claims.rules import ABOUT_ONE, EQUAL, INJECTIVE, SAME_POWER, USED
from recon.claims.verdicts import (
    Finding,
    below,
    inside,
    interval_text,
    judged,
    not_testable,
    not_tested,
    number,
)
from recon.statistics import geometric_ratio_interval, mean_interval, ratio_interval, slopes

_CASES = {
    "synthesis": "‖Wᵀz‖ / ‖z‖, as in (a)",
    "support": "‖WWᵀz‖ / ‖z‖ on the support of z",
    "full": "‖WWᵀz‖ / ‖z‖, all entries, as (b) is captioned",
}
_SIZES = {"channels": "channels M", "taps": "taps l", "length": "length D", "nonzeros": "k"}
_KINDS = {"full": "fully random", "convolution": "3 x 3 filters"}
_INPUTS = {"gaussian_exact": "Gaussian inputs", "pictures_exact": "patches of pictures"}
_HIGHEST = "highest ratio not injective"
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


def distortion_scales_as_printed(rows: pd.DataFrame) -> Iterator[Finding]:
    """G4: the power of each size in the mean distortion over its printed order."""
    means = rows[rows["quantity"] == "mean"]
    for varied, part in means.groupby("varied", sort=False):
        logs = np.log(part.assign(over=part["delta"] / part["printed"])[["size", "over", "delta"]])
        tables = (
            logs.assign(network=part["network"]).pivot(index="network", columns="size", values=name)
            for name in ("over", "delta")
        )
        over, own = (mean_interval(slopes(table)) for table in tables)
        detail = f"the distortion itself grows with the power {interval_text(own)}"
        if over.high < 0:
            detail += "; the printed order is a bound"
        unit = f"power of {_SIZES[str(varied)]} in the distortion over its printed order"
        limits = -SAME_POWER, SAME_POWER
        case = _SIZES[str(varied)]
        yield judged(inside, over, *limits, case=case, unit=unit, detail=detail)


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


def typical_inputs_take_twice(rows: pd.DataFrame) -> Iterator[Finding]:
    """I1: the ratio at which half of the inputs come back, over 2."""
    for (kind, layers), part in rows.groupby(["kind", "layers"], sort=False):
        most = part[part["side"] == part["side"].max()]
        for quantity, inputs in _INPUTS.items():
            many = "one layer" if layers == 1 else f"{layers} layers"
            case = f"{_KINDS[str(kind)]}, {many}, {inputs}"
            try:
                ratio = mean_interval(_crossings(most, quantity, 0.5) / 2)
            except ValueError as error:  # the other cases can be told
                yield not_testable(str(error), case)
                continue
            yield judged(inside, ratio, *ABOUT_ONE, case=case, unit="ratio over 2", detail=_n(most))


def gaussian_layers_are_injective(rows: pd.DataFrame) -> Iterator[Finding]:
    """I2: the highest ratio at which an x has too few active outputs, over each prediction."""
    part = rows[(rows["kind"] == "full") & (rows["layers"] == 1)]
    found = {_inputs(one): _crossings(one, "least", 1) for _, one in part.groupby("side")}
    table = pd.DataFrame(found)
    ratios = ", ".join(f"{number(mean)} at n = {n}" for n, mean in table.mean().items())
    detail = f"{_HIGHEST}: {ratios}"
    if table.shape[1] > 1:
        limits = np.polyfit(1 / table.columns.to_numpy(np.float64), table.to_numpy().T, 1)[1]
        detail += f"; a line in 1 / n leads to {interval_text(mean_interval(limits))}"
    for predicted in INJECTIVE:
        over = mean_interval(table.iloc[:, -1] / predicted)
        unit, case = f"{_HIGHEST}, over {predicted:g}", f"{predicted:g}"
        one = judged(inside, over, *EQUAL, case=case, unit=unit, detail=detail)
        if one.verdict == "fails" and over.estimate < 1:
            why = "a search bounds the ratio from below only"
            one = replace(one, verdict="undecided", detail=f"{why}; {detail}")
        yield one


def filters_are_as_injective(rows: pd.DataFrame) -> Iterator[Finding]:
    """I3: the highest ratio of 3 x 3 filters over that of fully random ones."""
    part = rows[(rows["layers"] == 1) & (rows["side"] == rows["side"].max())]
    filters, full = (part[part["kind"] == kind] for kind in ("convolution", "full"))
    least, rank = (
        filters[filters["quantity"] == name].set_index(["network", "ratio"])["value"]
        for name in ("least", "rank")
    )
    wide = rank[least >= 1]
    detail = (
        f"{_n(part)}; rank below n at {(wide < 1).sum()} of {len(wide)} inputs found with n active"
    )
    yield _highest(filters, full, inside, ABOUT_ONE, "3 x 3 filters over fully random", detail)


def deeper_layers_need_no_more(rows: pd.DataFrame) -> Iterator[Finding]:
    """I4: the highest ratio of the last of several layers over that of the first."""
    for (kind, layers), deep in rows[rows["layers"] > 1].groupby(["kind", "layers"], sort=False):
        of_kind = rows[(rows["kind"] == kind) & (rows["layers"] == 1)]
        first = of_kind[of_kind["side"] == deep["side"].iloc[0]]
        case, unit = f"{_KINDS[str(kind)]}, layer {layers}", f"layer {layers} over layer 1"
        yield _highest(deep, first, below, ABOUT_ONE[1:], unit, _n(deep), case)


def _highest(part, other, rule, thresholds, unit: str, detail: str, case: str = "") -> Finding:
    """The highest ratio of some networks over that of others, by a rule."""
    one, two = _crossings(part, "least", 1), _crossings(other, "least", 1)
    detail = f"{_HIGHEST} {number(one.mean())} and {number(two.mean())}, {detail}"
    over, unit = geometric_ratio_interval(one, two), f"{_HIGHEST}, {unit}"
    return judged(rule, over, *thresholds, case=case, unit=unit, detail=detail)


def _crossings(rows: pd.DataFrame, quantity: str, level: float) -> pd.Series:
    """The ratio at which a quantity comes to a level for good, of each network.

    ValueError if one of them does not within the ratios of the rows.
    """
    part = rows[rows["quantity"] == quantity]
    table = part.pivot(index="network", columns="ratio", values="value").sort_index(axis=1)
    ratios, found = table.columns.to_numpy(np.float64), {}
    for network, values in zip(table.index, table.to_numpy(), strict=True):
        below_it = np.flatnonzero(values < level)
        if not len(below_it) or below_it[-1] == len(ratios) - 1:
            raise ValueError(f"{quantity} of network {network} does not come to {level:g} for good")
        ends = slice(below_it[-1], below_it[-1] + 2)
        found[network] = float(np.interp(level, values[ends], ratios[ends]))
    return pd.Series(found)


def _inputs(rows: pd.DataFrame) -> int:
    return 3 * int(rows["side"].max()) ** 2


def _n(rows: pd.DataFrame) -> str:
    return f"n = {_inputs(rows)}"
