"""SSIM over the side of random filters, on Conv1_1-DeConv1_1: Fig. 10.

    rrstyle evaluate kernel-size --scale laptop --images DIR

Two convolutions of N(0, .1) with 64 channels between them and nothing else.
"""

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Settings, grid
from recon.experiments.random import scoring
from recon.plans import rr_vgg
from rrstyle.networks.plan import Plan

_KERNELS = (1, 3, 5, 7, 9, 11, 15, 21, 31)


@dataclass(frozen=True, kw_only=True)
class KernelSize(Settings):
    kernels: tuple[int, ...]  # sides of the filters of both layers, in pixels


class KernelSizeExperiment(scoring.RandomSweep):
    name = "kernel-size"
    title = "SSIM over the side of the random filters, Conv1_1-DeConv1_1"
    reproduces = "Fig. 10 (001: Fig. 7 c)"
    printed = "The reconstruction quality decays with a larger kernel size."
    settings = {
        "smoke": KernelSize(networks=3, images=2, side=48, kernels=(1, 3, 9)),
        "laptop": KernelSize(networks=10, images=10, side=128, kernels=_KERNELS),
        "paper": KernelSize(networks=30, images=50, side=227, kernels=_KERNELS),
    }
    columns = ("kernel", *scoring.SCORE_COLUMNS)

    def points(self, settings: KernelSize) -> list[Cell]:
        return grid(kernel=settings.kernels)

    def plan(self, cell: Cell) -> Plan:
        return rr_vgg("conv1_1", kernel=cell["kernel"])

    def draw(self, frame: pd.DataFrame) -> Figure:
        figure = Figure(figsize=(6, 4.2), layout="constrained")
        ax = figure.subplots()
        for head, part in frame.groupby("head", sort=False):
            scoring.curve(ax, part, "kernel", "ssim", label=f"{head} head")
        ax.set(xlabel="side of the filters (pixels)", ylabel=scoring.MEAN_SSIM, ylim=(0, 1))
        ax.set_title("rrVGG Conv1_1-DeConv1_1: larger filters, coarser pictures")
        ax.legend()
        return figure


EXPERIMENT = KernelSizeExperiment()
