"""SSIM and Pearson correlation over the number of random channels: Figs. 5, 8 and 9; 003 Fig. 11.

001's Fig. 6, CD1 of the widths of VGG16's Conv1 to Conv5, is N = 64, 128, 256 and 512 of `cd1`.

    rrstyle evaluate channels --scale laptop --images DIR

Plans:

- `cd1`: rrVGG Conv1-DeConv1 of section 4.2: two convolutions, a pool, an upsampling, two
  convolutions, all of N(0, .1), every layer but the last of the same number of channels; by zero
  insertion, as the papers have it, and by nearest neighbours;
- `conv1_1`: Conv1_1-DeConv1_1 of the first version, two convolutions of Uniform(-.1, .1).

Both the papers' network, whose last layer is a random convolution, and its variant, the mean over
channels.
"""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from recon import metrics
from recon.experiments import sheet
from recon.experiments.experiment import Cell, Pictures, Row, Settings, grid
from recon.experiments.panels import row_of_panels
from recon.experiments.random import scoring
from recon.plans import rr_vgg
from recon.sweep import simulation
from rrstyle.networks.plan import Plan, UpsampleKind

_MEAN_PEARSON = "|Pearson correlation|, mean ± std over networks"
_POWERS = tuple(2**n for n in range(2, 12))


@dataclass(frozen=True, kw_only=True)
class Channels(Settings):
    channels: tuple[int, ...]  # numbers of channels, of every layer but the last


def _cd1(channels: int, upsampling: UpsampleKind) -> Plan:
    return rr_vgg("conv1", tap="post_pool", channels=channels, upsampling=upsampling)


class ChannelsExperiment(scoring.RandomSweep):
    name = "channels"
    title = "SSIM and Pearson correlation over the number of random channels, CD1 and Conv1_1"
    reproduces = "Figs. 5, 8 and 9 (001: Figs. 6 to 8; first version: Fig. 11)"
    printed = (
        "More random channels promote the reconstruction quality, of the original network and"
        " more apparently of its variant with the mean as last layer."
    )
    settings = {
        "smoke": Channels(networks=3, images=2, side=48, channels=(4, 16)),
        "laptop": Channels(networks=10, images=10, side=128, channels=_POWERS[:8]),
        "paper": Channels(networks=30, images=50, side=227, channels=_POWERS),
    }
    columns = ("plan", "channels", "group", "upsampling", *scoring.SCORE_COLUMNS[1:])

    def points(self, settings: Channels) -> list[Cell]:
        return grid(plan=("cd1", "conv1_1"), channels=settings.channels)

    def plan(self, cell: Cell) -> Plan:
        """The plan by one upsampling: networks and memory are the same by the other."""
        return self.variants(cell)[0][1]

    def variants(self, cell: Cell) -> list[tuple[Row, Plan]]:
        n = cell["channels"]
        if cell["plan"] == "conv1_1":
            return [({"upsampling": "none"}, rr_vgg("conv1_1", channels=n))]
        return [({"upsampling": kind}, _cd1(n, kind)) for kind in scoring.UPSAMPLINGS]

    def law(self, cell: Cell) -> dict[str, Any]:
        if cell["plan"] == "conv1_1":
            return {"law": "uniform", "std": 0.1 / math.sqrt(3)}
        return super().law(cell)

    def draw(self, frame: pd.DataFrame) -> Figure:
        figure, axes = row_of_panels((11.5, 4.2), 2)
        for ax, score, label in zip(
            axes, ("ssim", "pearson"), (scoring.MEAN_SSIM, _MEAN_PEARSON), strict=True
        ):
            for (head, kind), part in frame.groupby(["head", "upsampling"], sort=False):
                name = "Conv1_1" if kind == "none" else f"CD1, {kind}"
                scoring.curve(ax, part, "channels", score, label=f"{name}, {head} head")
            ax.set_xscale("log", base=2)
            ax.set(xlabel="channels of every layer", ylim=(0, 1))
            ax.set_ylabel(label)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
        figure.suptitle("What more random channels give: CD1 and Conv1_1-DeConv1_1")
        return figure

    def show(
        self, frame: pd.DataFrame, settings: Channels, pictures: Pictures, seed: int
    ) -> Figure:
        """The cat by the network of SSIM nearest the mean, for each number of channels."""
        cat = frame[frame["image"] == pictures.names[0]]
        keys = ["plan", "head", "upsampling"]
        means = scoring.by_network(cat, [*keys, "channels"], "ssim")
        lines = []
        for (name, head, kind), part in means.groupby(keys, sort=False):
            line = []
            for n, scores in part.groupby("channels"):
                away = (scores["ssim"] - scores["ssim"].mean()).abs()
                chosen = scores.loc[away.idxmin()]
                cell, number = {"plan": name, "channels": n}, seed + int(chosen["network"])
                variants = {row["upsampling"]: plan for row, plan in self.variants(cell)}
                plan = variants[kind]
                kernels = simulation.draw_kernels(plan, **self.law(cell), seed=number)
                output = simulation.reconstruct(plan, kernels, pictures.pixels[:1])[head]
                grey = metrics.luminance(output) if head == "linear" else output
                line.append((f"{n}: {chosen['ssim']:.2f}", sheet.shown(pictures, grey)))
            lines.append((f"{name}\n{head}, {kind}", line))
        title = "Channels: SSIM of the network nearest the mean; the better of it and its inverse"
        return sheet.sheet(lines, title=title)


EXPERIMENT = ChannelsExperiment()
