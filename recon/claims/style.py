"""Claims on the paper's style transfer by rrVGG, from the rows of its studies.

Rules, budgets and seeds were set on 28 November 2026, before any row was measured.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from recon.claims.rules import JUMP, VISIBLE
from recon.claims.verdicts import Finding, Verdict, above, below, judged, not_tested, number
from recon.statistics import geometric_ratio_interval, mean_interval, network_table

_DECODERS = ("random", "ridge")  # readouts of the DCN, the paper's first
_LOSSES = ("content", "style")


def transition_is_smooth(rows: pd.DataFrame) -> Iterator[Finding]:
    """C13: losses and pictures at each ratio beside those at the ratio before."""
    logs = pd.DataFrame({f"log10 {name}": np.log10(rows[f"{name}_loss"]) for name in _LOSSES})
    logs = pd.concat([rows, logs], axis=1)
    yield _monotone(logs, "log10 content", above, "content loss rises", "decades of loss")
    yield _monotone(logs, "log10 style", below, "style loss falls", "decades of loss")
    for decoder in _DECODERS:
        part, name = rows[rows["decoder"] == decoder], f"{decoder} readout"
        yield _monotone(part, "swd", below, f"swd falls, {name}", "swd")
        yield _monotone(part, "edge", below, f"edges get lost, {name}", "correlation of edges")
        moved = network_table(part[part["moved"].notna()], "ratio", "moved")
        if moved.shape[1] < 2:
            yield not_tested("the rows hold fewer than three ratios", f"no jump, {name}")
            continue
        share = mean_interval(moved.max(axis=1) / moved.sum(axis=1))
        told = {"case": f"no jump, {name}", "unit": "of the way in the largest step"}
        yield judged(below, share, JUMP, **told, detail=f"moved by {_levels(moved)}")


def networks_diversify(rows: pd.DataFrame) -> Iterator[Finding]:
    """C14: distance of two pictures by what they differ in, means over the models."""
    apart = rows[rows["distance"].notna()].assign(unlike=1 - rows["alike"])
    distance = network_table(apart, "changed", "distance")
    if not {"rrVGG", "FVT"} <= set(distance) or distance.empty:
        yield not_tested("the rows lack another rrVGG or another FVT")
        return
    by_model = apart[apart["changed"] == "rrVGG"].groupby("model", sort=False)["distance"].mean()
    numbers = ", ".join(f"{number(value)} {model}" for model, value in by_model.items())
    told = {"unit": "root mean square distance", "detail": f"another rrVGG: {numbers}"}
    yield judged(above, mean_interval(distance["rrVGG"]), VISIBLE, case="seen", **told)
    for column, case in (("distance", "colours too"), ("unlike", "edges alone")):
        table = network_table(apart, "changed", column)
        detail = ", ".join(f"another {name} {number(table[name].mean())}" for name in table)
        ratio = geometric_ratio_interval(table["rrVGG"], table["FVT"])
        told = {"case": f"more than the FVT's seed does, {case}", "unit": "rrVGG over FVT"}
        yield judged(above, ratio, 1, **told, detail=detail)


def deeper_networks_are_faster(rows: pd.DataFrame) -> Iterator[Finding]:
    """C15: seconds a step by the last layer of the rrVGG, over those of the first such layer."""
    means = rows.groupby(["layer", "decoder"])[["step_s", "gflop", "mib", "swd", "edge"]].mean()
    table = network_table(rows, "layer", "step_s")
    for layer in table.columns[1:]:
        first = table.columns[0]
        ratio = geometric_ratio_interval(table[layer], table[first])
        numbers = [
            f"{name}: {at['step_s']:.3g} s, {at['gflop']:.3g} GFLOP and {at['mib']:.3g} MiB a step,"
            f" edges kept {', '.join(_by_decoder(means, name, 'edge'))},"
            f" swd {', '.join(_by_decoder(means, name, 'swd'))}"
            for name in (first, layer)
            for at in [means.loc[name].mean()]
        ]
        unit = f"seconds a step, over {first}"
        yield judged(below, ratio, 1, case=layer, unit=unit, detail="; ".join(numbers))


def _by_decoder(means: pd.DataFrame, layer: str, column: str) -> Iterator[str]:
    for decoder in _DECODERS:
        if (layer, decoder) in means.index:
            yield f"{number(means.loc[(layer, decoder), column])} by the {decoder} readout"


def features_are_cheaper(rows: pd.DataFrame) -> Iterator[Finding]:
    """C16: seconds a step and the loss after the last one, features over pixels, by model."""
    for model, part in rows.groupby("model", sort=False):
        means = part.groupby("space").mean(numeric_only=True)
        took = "{gflop:.3g} GFLOP a step at {rate:.3g} GFLOP/s, {whole_s:.3g} s in all"
        ended = "loss {loss:.3g} of {start_loss:.3g}, swd {swd:.3f}, edges kept {edge:.3f}"
        for column, case, unit, words in (
            ("step_s", "a step is faster", "seconds a step", took),
            ("loss", "as many steps get further", "loss after the last step", ended),
        ):
            table = network_table(part, "space", column)
            if table.shape[1] < 2 or table.empty:
                yield not_tested("the rows lack a space", f"{model}, {case}")
                continue
            ratio = geometric_ratio_interval(table["features"], table["pixels"])
            numbers = [
                f"{space}: " + words.format(**at, rate=at["gflop"] / at["step_s"])
                for space, at in means.iterrows()
            ]
            told = {"case": f"{model}, {case}", "unit": f"{unit}, features over pixels"}
            yield judged(below, ratio, 1, **told, detail="; ".join(numbers))


def _monotone(
    rows: pd.DataFrame, column: str, rule: Callable[..., Verdict], case: str, unit: str
) -> Finding:
    """The step from a ratio to the next that bears the claim out least."""
    table = network_table(rows, "ratio", column)
    if table.shape[1] < 2 or table.empty:
        return not_tested("the rows hold fewer than two ratios", case)
    steps = [mean_interval(values) for _, values in table.diff(axis=1).iloc[:, 1:].items()]
    surest = {above: lambda step: step.low, below: lambda step: -step.high}[rule]
    worst = min(steps, key=lambda step: (rule(step, 0) != "fails", surest(step)))
    unit = f"{unit}, in the tenfold step that tells least"
    return judged(rule, worst, 0, case=case, unit=unit, detail=f"{column} {_levels(table)}")


def _levels(table: pd.DataFrame) -> str:
    """Means over networks: "0.812 at 10, 0.401 at 100"."""
    return ", ".join(f"{number(table[level].mean())} at {level:g}" for level in table)
