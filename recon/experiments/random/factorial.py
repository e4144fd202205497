"""Depth, channels and resolution, each on its own: what makes a random reconstruction worse.

    rrstyle evaluate factorial --scale laptop --images DIR

The papers' three versions disagree: "depth contributes only a little" beside the width, "depth
has a bigger impact than width", "the shape reduction is the key reason". VGG16 changes all three
at once. Here a CNN of `depth` 3 x 3 convolutions, all of `channels` maps, halves its maps after
its first convolutions until they are `reduction` times smaller, and the DCN mirrors it.
"""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Settings, grid
from recon.experiments.random import scoring
from rrstyle.networks.plan import Conv, Plan, Pool, UpsampleKind, mirrored


@dataclass(frozen=True, kw_only=True)
class Factorial(Settings):
    depths: tuple[int, ...] = (4, 6, 9, 13)  # convolutions of the CNN; 4 allow every reduction
    channels: tuple[int, ...]  # of every layer but the last
    reductions: tuple[int, ...] = (1, 2, 4, 8)  # of the sides of the maps, at their smallest
    upsamplings: tuple[UpsampleKind, ...] = scoring.UPSAMPLINGS  # what undoes the pools


_SMALL: dict[str, Any] = {"depths": (4, 5), "channels": (4, 8), "reductions": (1, 2)}


class FactorialExperiment(scoring.RandomSweep):
    name = "factorial"
    title = "Depth x channels x resolution, each varied on its own"
    reproduces = (
        "The contradiction between the versions (000 section 4.1, 001 section 4.1, 003 section 3.3)"
    )
    printed = (
        "Depth contributes only a little (000); depth has a bigger impact than width (001); the"
        " shape reduction of the maps is the key reason (003)."
    )
    settings = {
        "smoke": Factorial(networks=1, images=1, side=24, **_SMALL, upsamplings=("nearest",)),
        "laptop": Factorial(networks=6, images=4, side=96, channels=(8, 32, 128)),
        "paper": Factorial(networks=30, images=50, side=227, channels=(8, 32, 128, 512)),
    }
    columns = ("depth", "channels", "reduction", "upsampling", *scoring.SCORE_COLUMNS)

    def points(self, settings: Factorial) -> list[Cell]:
        return [
            {**point, "upsampling": kind}
            for point in grid(
                depth=settings.depths, channels=settings.channels, reduction=settings.reductions
            )
            for kind in (settings.upsamplings if point["reduction"] > 1 else ("none",))
        ]

    def plan(self, cell: Cell) -> Plan:
        conv, pools = Conv(cell["channels"]), int(math.log2(cell["reduction"]))
        layers = (conv, Pool()) * pools + (conv,) * (cell["depth"] - pools)
        return mirrored(layers, upsampling=scoring.upsampling(cell))

    def draw(self, frame: pd.DataFrame) -> Figure:
        figure = Figure(figsize=(11, 6.5), layout="constrained")
        channels = sorted(frame["channels"].unique())
        axes = figure.subplots(2, len(channels), sharex=True, sharey=True, squeeze=False)
        # Without a reduction there is no upsampling: the same networks count for both kinds.
        for line, kind in zip(axes, scoring.UPSAMPLINGS, strict=True):
            of_kind = frame[frame["upsampling"].isin([kind, "none"]) & (frame["head"] == "mean")]
            for ax, n in zip(line, channels, strict=True):
                for reduction, part in of_kind[of_kind["channels"] == n].groupby("reduction"):
                    scoring.curve(ax, part, "depth", "ssim", label=f"maps 1/{reduction}")
                ax.set_title(f"{n} channels, {kind}", fontsize=9)
            line[0].set_ylabel(scoring.MEAN_SSIM)
        for ax in axes[-1]:
            ax.set(xlabel="convolutions of the CNN", xticks=sorted(frame["depth"].unique()))
        axes[0][0].set_ylim(0, 1)
        axes[0][0].legend(fontsize=8)
        figure.suptitle("Depth, channels and resolution on their own, mean head")
        return figure


EXPERIMENT = FactorialExperiment()
