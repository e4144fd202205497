"""More layers in the rrVGG and fewer in the FVT: what it saves, and what it costs the picture.

    rrstyle evaluate style-layers --images DIR

The rrVGG is that of `paper-32` continued, 32 filters in every layer, with its mirrored DCN. Seconds
are of one thread of this machine, compiled; memory is counted: the weights and the maps of the
FVT's convolutions, which the way back needs, and V with its gradient and Adam's two moments.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Pictures, Row, grid
from recon.experiments.panels import ranges, row_of_panels
from recon.experiments.sheet import sheet, unpacked
from recon.experiments.style import transfers
from recon.style_measures import edge

MODEL = "paper-32"


@dataclass(frozen=True, kw_only=True)
class Layers(transfers.StyleSettings):
    layers: tuple[str, ...] = ("conv1_2", "conv2_2", "conv3_3")  # last one of the rrVGG


class LayersExperiment(transfers.StyleStudy):
    name = "style-layers"
    title = "Style transfer by rrVGG: layers of the rrVGG against layers of the FVT"
    reproduces = "The variations that appendix A.4 of the ICLR 2020 version names; no figure"
    printed = "More layers in the rrVGG leave fewer to the FVT, which speeds the transfer up."
    settings = {
        "smoke": Layers(**transfers.SMOKE, layers=("conv1_2", "conv2_2")),
        # 32 pixels of features, the least that the library takes, are 128 of a picture at Conv3.
        "laptop": Layers(**transfers.LAPTOP | {"networks": 4, "side": 128, "steps": 15}),
        "paper": Layers(**transfers.PAPER),
    }
    columns = (
        *("layer", "network", "pair", "image", "style", "decoder", "step_s", "gflop", "mib"),
        *("start_edge", "swd", "edge", "picture"),
    )

    def cells(self, settings: Layers) -> list[Cell]:
        networks, pairs = range(settings.networks), range(settings.images)
        return grid(layer=settings.layers, network=networks, pair=pairs)

    def rows(self, settings: Layers, cell: Cell) -> int:
        return len(transfers.DECODERS)

    def measure(self, settings: Layers, cell: Cell, pictures: Pictures, seed: int) -> list[Row]:
        key, number = self.named(settings, cell, pictures), seed + cell["network"]
        config = transfers.config_of(MODEL, steps=settings.steps, layer=cell["layer"])
        pair = self.pair(config, settings, key, pictures, seed=number)
        v, step_s = transfers.timed_descent(pair.objective(number), pair.v_c, config)
        shapes = transfers.fvt_shapes(pair.network(number), v)
        held = sum(shape.numbers for shape in shapes) + 4 * v.size
        costs = {"step_s": step_s, "gflop": transfers.step_gflop(shapes), "mib": 4 * held / 2**20}
        rows = []
        for decoder in transfers.DECODERS:
            start = edge(pair.decoded(pair.v_c, decoder), pair.content)
            row = {**key, "decoder": decoder, **costs, "start_edge": start}
            rows.append(transfers.scored(row, pair, pair.decoded(v, decoder)))
        return rows

    def draw(self, frame: pd.DataFrame) -> Figure:
        figure, axes = row_of_panels((12, 4.2), 4)
        one = frame[frame["decoder"] == transfers.DECODERS[0]]
        for ax, column, label in (
            (axes[0], "step_s", "seconds a step"),
            (axes[1], "mib", "MiB held in a step, counted"),
        ):
            _points(ax, one, column)
            ax.set(ylabel=label, ylim=(0, None))
        for ax, column, label in (
            (axes[2], "swd", "distance to the style (swd)"),
            (axes[3], "edge", "edges of the photograph kept"),
        ):
            for decoder, part in frame.groupby("decoder", sort=False):
                _points(ax, part, column, label=f"{decoder} readout")
                if column == "edge":
                    _points(ax, part, "start_edge", label=f"{decoder} readout, of V_c", fmt="x:")
            ax.set_ylabel(label)
            ax.legend()
        figure.suptitle(f"{MODEL}, by the last layer of the rrVGG: mean and range over networks")
        return figure

    def show(self, frame: pd.DataFrame, settings: Layers, pictures: Pictures, seed: int) -> Figure:
        """A line a pair and readout: the photograph, the layers, the style."""
        lines = []
        drawn = frame[frame["network"] == 0]
        for (pair, decoder), part in drawn.groupby(["pair", "decoder"], sort=False):
            content, style = self.shown(settings, pictures, pair)
            found = [
                (layer, unpacked(picture))
                for layer, picture in zip(part["layer"], part["picture"], strict=True)
            ]
            lines.append((f"{decoder} readout", [content, *found, style]))
        return sheet(lines, title=f"{MODEL}, seed {seed}: by the last layer of the rrVGG")


def _points(axes: Axes, frame: pd.DataFrame, column: str, **look: Any) -> None:
    """Mean and range over networks of the means over pairs."""
    means = frame.groupby(["layer", "network"])[column].mean()
    ranges(axes, means.groupby("layer"), **look)


EXPERIMENT = LayersExperiment()
