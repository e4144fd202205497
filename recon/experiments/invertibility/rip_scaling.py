"""How the model-RIP's constant of a random convolution scales: Theorem 3.1.

    rrstyle evaluate rip-scaling --scale laptop

The theorem has delta_k of the order of sqrt(k (log K + log n) D / (M l^2)): M channels, l taps,
signals of length D, k non-zeros in K = 96 blocks of n shifts. Channels, taps, length and non-zeros
are varied one at a time around those of section 4.2. Rows: the largest distortion over the codes of
each of `supports` random supports, `delta`, mean and maximum over them, which lie below delta_k;
and the order, without its constant, `printed`.

The laptop scale takes 17 s of one core. Found there: the mean grows as M^-.50 and k^.45, as
printed, but as l^-.23 and D^-.17, where -1 and .5 are printed. Rows of two filters have inner
products of order (M l)^-1/2, and longer signals have fewer that meet.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Experiment, Pictures, Row, Settings
from recon.experiments.invertibility.rip_1d import CHANNELS, FILTERS, LENGTH, NONZEROS, TAPS
from recon.experiments.panels import band, row_of_panels
from recon.invertibility.rip import support_distortion
from rrstyle.networks.laws import ENCODER, layer_rng

BASE = {"channels": CHANNELS, "taps": TAPS, "length": LENGTH, "nonzeros": NONZEROS}
NAMES = {"channels": "channels M", "taps": "taps l", "length": "length D", "nonzeros": "k"}
QUANTITIES = {"mean": "mean over supports", "largest": "largest"}


@dataclass(frozen=True, kw_only=True)
class RipScaling(Settings):
    supports: int  # random supports of each network
    channels: tuple[int, ...] = (8, 16, 32, 64, 128)
    taps: tuple[int, ...] = (3, 5, 9, 17, 32)
    length: tuple[int, ...] = (16, 32, 64, 128)
    nonzeros: tuple[int, ...] = (2, 5, 10, 20, 40)


class RipScalingExperiment(Experiment):
    name = "rip-scaling"
    title = "Distortion of a random convolution on sparse codes, over its sizes"
    reproduces = "Gilbert et al., Theorem 3.1"
    printed = "The model-RIP's constant is of the order of √(k (log K + log n) D / (M l²))."
    settings = {
        "smoke": RipScaling(
            networks=2,
            images=1,
            side=32,
            supports=3,
            channels=(8, 16),
            taps=(3, 5),
            length=(16, 32),
        ),
        "laptop": RipScaling(networks=10, images=1, side=32, supports=100),
        "paper": RipScaling(networks=100, images=1, side=32, supports=1000),
    }
    columns = ("varied", "size", "network", "quantity", "delta", "printed")

    def cells(self, settings: RipScaling) -> list[Cell]:
        return [
            {"varied": varied, "size": size, "network": network}
            for varied in BASE
            for size in getattr(settings, varied)
            for network in range(settings.networks)
        ]

    def rows(self, settings: RipScaling, cell: Cell) -> int:
        return len(QUANTITIES)

    def measure(
        self, settings: RipScaling, cell: Cell, _pictures: Pictures, seed: int
    ) -> list[Row]:
        sizes = BASE | {cell["varied"]: cell["size"]}
        channels, taps, length, k = (sizes[name] for name in BASE)
        rng, n = layer_rng(seed + cell["network"], ENCODER), length - taps + 1
        filters = rng.normal(0, (taps * channels) ** -0.5, (taps, channels, FILTERS))
        deltas = []
        for _ in range(settings.supports):
            chosen, shifts = rng.permutation(FILTERS)[:k], rng.integers(n, size=k)
            deltas.append(support_distortion(filters, length, chosen, shifts))
        order = k * (math.log(FILTERS) + math.log(n)) * length / (channels * taps**2)
        found = {"mean": np.mean(deltas), "largest": np.max(deltas)}
        return [
            {**cell, "quantity": name, "delta": float(delta), "printed": math.sqrt(order)}
            for name, delta in found.items()
        ]

    def draw(self, frame: pd.DataFrame) -> Figure:
        figure, axes = row_of_panels((13, 3.8), len(BASE), sharey=True)
        for ax, (varied, part) in zip(axes, frame.groupby("varied", sort=False), strict=True):
            for quantity, label in QUANTITIES.items():
                values = part[part["quantity"] == quantity].groupby("size")["delta"]
                band(ax, values.mean(), values.min(), values.max(), marker=".", label=label)
            printed = part.groupby("size")["printed"].first()
            through = part.loc[part["size"] == BASE[str(varied)]]
            constant = (through["delta"] / through["printed"]).mean() if len(through) else 1.0
            ax.plot(printed.index, constant * printed, "k--", label="as the theorem's order")
            ax.set(xscale="log", yscale="log", xlabel=NAMES[str(varied)], title=NAMES[str(varied)])
            ax.set_xticks(printed.index, [f"{size:g}" for size in printed.index])
            ax.minorticks_off()
        axes[0].set_ylabel("distortion, mean and range over networks")
        axes[0].legend(fontsize=8)
        return figure


EXPERIMENT = RipScalingExperiment()
