"""The four laws of random weights: at the papers' parameters, and at one true std.

    rrstyle evaluate laws --scale laptop --images DIR

In a network of ReLUs without biases the std of a layer scales what comes out, and nothing else: the
two sets of parameters must score alike, up to rounding. What can differ is the shape of the law.
(Trained DCNs are another matter: claim C5.)
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Settings
from recon.experiments.random import scoring
from recon.plans import rr_vgg
from rrstyle.networks.laws import SCALED_LAWS, distribution
from rrstyle.networks.plan import Plan

# True stds of section 2.2's parameters: N(0, .015) by its std, U(-.04, .04), scales of .015.
PAPER_STDS = {
    "gaussian": 0.015,
    "uniform": 0.04 / math.sqrt(3),
    "logistic": 0.015 * math.pi / math.sqrt(3),
    "laplace": 0.015 * math.sqrt(2),
}
EQUAL_STD = 0.015


@dataclass(frozen=True, kw_only=True)
class Laws(Settings):
    blocks: tuple[int, ...]  # the k of CDk, features after the pool


class LawsExperiment(scoring.RandomSweep):
    name = "laws"
    title = "The four laws at the papers' parameters and at equal true std, random DCN"
    reproduces = "Section 2.2 and Fig. 6, for random DCNs (first version: Fig. 2)"
    printed = "The four laws with appropriate parameters reconstruct alike (said of trained DCNs)."
    settings = {
        "smoke": Laws(networks=2, images=2, side=32, blocks=(1,)),
        "laptop": Laws(networks=10, images=6, side=128, blocks=(1, 2)),
        "paper": Laws(networks=30, images=50, side=227, blocks=(1, 2, 3)),
    }
    columns = ("law", "parameters", "std", "block", *scoring.SCORE_COLUMNS)

    def points(self, settings: Laws) -> list[Cell]:
        return [
            {"law": law, "parameters": parameters, "std": round(std, 6), "block": block}
            for law in SCALED_LAWS
            for parameters, std in (("paper", PAPER_STDS[law]), ("equal", EQUAL_STD))
            for block in settings.blocks
        ]

    def plan(self, cell: Cell) -> Plan:
        return rr_vgg(f"conv{cell['block']}", tap="post_pool")

    def law(self, cell: Cell) -> dict[str, Any]:
        return {"law": cell["law"], "std": cell["std"]}

    def draw(self, frame: pd.DataFrame) -> Figure:
        keys = ["head", "block", "law", "parameters"]
        statistics = scoring.by_network(frame, keys, "ssim").groupby(keys, sort=False)["ssim"]
        table = statistics.agg(["mean", "std"]).reset_index()
        heads, blocks = (list(frame[k].unique()) for k in ("head", "block"))
        figure = Figure(figsize=(4.5 * (1 + len(blocks)), 6), layout="constrained")
        parts = figure.subfigures(1, 2, squeeze=False, width_ratios=[1, len(blocks)])[0]
        _densities(parts[0].subplots(), frame)
        axes = parts[1].subplots(len(heads), len(blocks), squeeze=False, sharey=True)
        said = {"paper": "the papers' parameters", "equal": "equal true std"}
        for line, head in zip(axes, heads, strict=True):
            for ax, block in zip(line, blocks, strict=True):
                part = table[(table["head"] == head) & (table["block"] == block)]
                for shift, (parameters, label) in zip((0, 0.4), said.items(), strict=True):
                    bars = part[part["parameters"] == parameters]
                    places, errors = np.arange(len(bars)) + shift, bars["std"].fillna(0)
                    ax.bar(places, bars["mean"], 0.38, yerr=errors, capsize=3, label=label)
                ax.set_xticks([i + 0.2 for i in range(len(SCALED_LAWS))], SCALED_LAWS)
                ax.set_title(f"CD{block}, {head} head", fontsize=9)
            line[0].set_ylabel("SSIM, mean ± std over networks")
        axes[0][0].legend(fontsize=8)
        return figure


def _densities(ax: Axes, frame: pd.DataFrame) -> None:
    """The laws at the papers' parameters: Fig. 2 of the first version."""
    weights = np.linspace(-0.1, 0.1, 401)
    papers = frame[frame["parameters"] == "paper"].groupby("law", sort=False)["std"].first()
    for law, std in papers.items():
        density = distribution(str(law), std).pdf(weights)
        ax.plot(weights, density, label=f"{law}, std {std:.4f}")
    ax.set(xlabel="weight", xticks=(-0.1, -0.05, 0, 0.05, 0.1))
    ax.set(ylabel="probability density", title="The papers' laws")
    ax.legend(fontsize=8)


EXPERIMENT = LawsExperiment()
