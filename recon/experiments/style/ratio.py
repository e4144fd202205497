"""What the ratio of style to content trades: losses, closeness to the style, edges kept.

    rrstyle evaluate style-ratio --images DIR

V_new starts from V_c at each ratio anew. The loss is the same whatever decodes it; the pictures are
those of the paper's random readout, and of the ridge readout, which shows the features' colours.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Pictures, Row, grid
from recon.experiments.panels import band, row_of_panels
from recon.experiments.sheet import sheet, unpacked
from recon.experiments.style import transfers
from recon.style_measures import diversity

MODEL = "paper-32"


@dataclass(frozen=True, kw_only=True)
class Ratio(transfers.StyleSettings):
    ratios: tuple[float, ...] = (1e1, 1e2, 1e3, 1e4, 1e5)  # beta / alpha, as printed


class RatioExperiment(transfers.StyleStudy):
    name = "style-ratio"
    title = "Style transfer by rrVGG: content and style by the ratio of their weights"
    reproduces = "Fig. 16 of the ICLR 2020 version"
    printed = "The transition from content to style is smooth with increasing ratio, 10 to 10^5."
    settings = {
        "smoke": Ratio(**transfers.SMOKE, ratios=(1e1, 1e5)),
        "laptop": Ratio(**transfers.LAPTOP | {"images": 2}),
        "paper": Ratio(**transfers.PAPER),
    }
    columns = (
        *("network", "pair", "image", "style", "ratio", "decoder", "content_loss", "style_loss"),
        *("moved", "swd", "edge", "picture"),
    )

    def cells(self, settings: Ratio) -> list[Cell]:
        return grid(network=range(settings.networks), pair=range(settings.images))

    def rows(self, settings: Ratio, cell: Cell) -> int:
        return len(settings.ratios) * len(transfers.DECODERS)

    def measure(self, settings: Ratio, cell: Cell, pictures: Pictures, seed: int) -> list[Row]:
        key, number = self.named(settings, cell, pictures), seed + cell["network"]
        config = transfers.config_of(MODEL, steps=settings.steps)
        pair = self.pair(config, settings, key, pictures, seed=number)
        rows: list[Row] = []
        before: dict[str, list[np.ndarray]] = {decoder: [] for decoder in transfers.DECODERS}
        for ratio in settings.ratios:
            v = pair.optimised(number, style_weight=ratio)
            content_loss, style_loss = pair.losses(v, number)
            losses = {"content_loss": content_loss, "style_loss": style_loss}
            for decoder in transfers.DECODERS:
                picture = pair.decoded(v, decoder)
                row = {**key, "ratio": ratio, "decoder": decoder, **losses}
                row["moved"] = diversity([*before[decoder], picture])  # undefined for the first
                rows.append(transfers.scored(row, pair, picture))
                before[decoder] = [picture]
        return rows

    def draw(self, frame: pd.DataFrame) -> Figure:
        figure, axes = row_of_panels((12, 4.2), 3)
        one = frame[frame["decoder"] == transfers.DECODERS[0]]
        for column, label in (("content_loss", "content"), ("style_loss", "style")):
            _curve(axes[0], one, column, label=label)
        axes[0].set(yscale="log", ylabel="loss at V_new")
        for ax, column, label in (
            (axes[1], "swd", "distance to the style (swd)"),
            (axes[2], "edge", "edges of the photograph kept"),
        ):
            for decoder, part in frame.groupby("decoder", sort=False):
                _curve(ax, part, column, label=f"{decoder} readout")
            ax.set_ylabel(label)
        for ax in axes:
            ax.set(xscale="log", xlabel="ratio of style to content")
            ax.legend()
        figure.suptitle(f"{MODEL}: mean and range over networks")
        return figure

    def show(self, frame: pd.DataFrame, settings: Ratio, pictures: Pictures, seed: int) -> Figure:
        """As Fig. 16: a line a pair and readout, the photograph, the ratios, the style."""
        lines = []
        drawn = frame[frame["network"] == 0]
        for (pair, decoder), part in drawn.groupby(["pair", "decoder"], sort=False):
            content, style = self.shown(settings, pictures, pair)
            found = [
                (f"$10^{{{np.log10(ratio):g}}}$", unpacked(picture))
                for ratio, picture in zip(part["ratio"], part["picture"], strict=True)
            ]
            lines.append((f"{decoder} readout", [content, *found, style]))
        title = f"{MODEL}, seed {seed}: by the ratio of style to content"
        return sheet(lines, title=title)


def _curve(axes: Axes, frame: pd.DataFrame, column: str, *, label: str) -> None:
    """Mean and range over networks of the means over pairs."""
    means = frame.groupby(["ratio", "network"])[column].mean().groupby("ratio")
    band(axes, means.mean(), means.min(), means.max(), marker="o", label=label)


EXPERIMENT = RatioExperiment()
