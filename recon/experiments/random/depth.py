"""SSIM over the depth CD1 to CD5, in full and simplified, with and without the loss of size.

    rrstyle evaluate depth --scale laptop --images DIR

Fig. 7, and Figs. 9 and 10 of the first version. Plans:

- `full`: rrVGG CDk, features before the pool that follows Conv k (`pre_pool`, sections 2.1 and
  4.1) or after it (`post_pool`, section 4.2);
- `full_kept`: the same convolutions without pools: all maps of the image's size;
- `equal`: CD1 and CD2 of section 4.2, features after the pool, 64 channels in every layer;
- `simplified`: the data straight to Conv k, its maps of the size that they have in VGG16;
- `simplified_kept`: the same, all maps of the image's size. CD4 and CD5 are then of one plan:
  networks have seeds of their block's own.

No deconvolution mirrors Conv5's pool, the last layer of VGG16: `pre_pool` only.
"""

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from recon.experiments import sheet
from recon.experiments.experiment import Cell, Pictures, Settings
from recon.experiments.panels import row_of_panels
from recon.experiments.random import scoring
from recon.plans import at_full_size, rr_vgg, simplified
from recon.sweep import simulation
from rrstyle.networks.plan import Plan, UpsampleKind

_EQUAL_CHANNELS = 64
# Plans and taps that have upsamplings, and the last k of each.
_LAST_BLOCKS = {
    ("full", "pre_pool"): 5,
    ("full", "post_pool"): 4,
    ("equal", "post_pool"): 2,
    ("simplified", "pre_pool"): 5,
}


@dataclass(frozen=True, kw_only=True)
class Depth(Settings):
    blocks: tuple[int, ...]  # the k of CDk
    upsamplings: tuple[UpsampleKind, ...] = scoring.UPSAMPLINGS  # what undoes the pools


def _point(plan: str, block: int, kind: str = "none", tap: str = "pre_pool") -> Cell:
    return {"plan": plan, "block": block, "tap": tap, "upsampling": kind}


class DepthExperiment(scoring.RandomSweep):
    name = "depth"
    title = "SSIM over the depth, CD1 to CD5, full and simplified, maps reduced and kept"
    reproduces = "Fig. 7 and section 4.2's CD2 (first version: Figs. 9 and 10; 001: Fig. 5)"
    printed = (
        "The deeper the coarser; CD2 is worse than CD1 by about a half; with maps kept at"
        " 227 x 227 the gap between the layers is hard to see; colours are lost."
    )
    settings = {
        "smoke": Depth(networks=1, images=2, side=32, blocks=(1, 2), upsamplings=("nearest",)),
        "laptop": Depth(networks=8, images=4, side=96, blocks=(1, 2, 3, 4, 5)),
        "paper": Depth(networks=30, images=50, side=227, blocks=(1, 2, 3, 4, 5)),
    }
    columns = ("plan", "block", "tap", "upsampling", *scoring.SCORE_COLUMNS, "chroma")

    def points(self, settings: Depth) -> list[Cell]:
        points = []
        for block in settings.blocks:
            points += [
                _point(plan, block, kind, tap)
                for kind in settings.upsamplings
                for (plan, tap), last in _LAST_BLOCKS.items()
                if block <= last
            ]
            points += [_point("full_kept", block), _point("simplified_kept", block)]
        return points

    def plan(self, cell: Cell) -> Plan:
        block, name, kind = cell["block"], cell["plan"], scoring.upsampling(cell)
        if name.startswith("simplified"):
            plan = simplified(block, upsampling=kind)
        else:
            channels = _EQUAL_CHANNELS if name == "equal" else None
            plan = rr_vgg(f"conv{block}", channels=channels, tap=cell["tap"], upsampling=kind)
        return at_full_size(plan) if name.endswith("_kept") else plan

    def first_seed(self, cell: Cell, seed: int) -> int:
        return seed + (1000 * cell["block"] if cell["plan"] == "simplified_kept" else 0)

    def draw(self, frame: pd.DataFrame) -> Figure:
        figure, axes = row_of_panels((11, 4.4), 2, sharey=True)
        colours: dict[tuple[str, str], str] = {}
        for ax, head in zip(axes, simulation.HEADS, strict=True):
            of_head = frame[frame["head"] == head]
            keys = ["plan", "tap", "upsampling"]
            for (plan, tap, kind), part in of_head.groupby(keys, sort=False):
                name = plan.removesuffix("_kept")
                colour = colours.setdefault((name, tap), f"C{len(colours)}")
                how = "maps at image size" if kind == "none" else f"{tap.replace('_', ' ')}, {kind}"
                style = {"zero": "--", "nearest": "-", "none": ":"}[kind]
                look = {"label": f"{name}, {how}", "color": colour, "linestyle": style}
                scoring.curve(ax, part, "block", "ssim", **look)
            ax.set(xlabel="k of Conv k-DeConv k", xticks=sorted(frame["block"].unique()))
            ax.set_title(f"{head} head")
        axes[0].set(ylabel=scoring.MEAN_SSIM, ylim=(0, 1))
        figure.legend(*axes[1].get_legend_handles_labels(), loc="outside right center", fontsize=8)
        return figure

    def show(self, frame: pd.DataFrame, settings: Depth, pictures: Pictures, seed: int) -> Figure:
        """The cat in colour by the first network of each plan."""
        lines = []
        plans = ("full", "zero"), ("full", "nearest"), ("simplified", "nearest")
        for name, kind in (*plans, ("simplified_kept", "none")):
            line = []
            for block in settings.blocks:
                cell = _point(name, block, kind)
                plan, first = self.plan(cell), self.first_seed(cell, seed)
                kernels = simulation.draw_kernels(plan, std=scoring.STD, seed=first)
                colours = simulation.reconstruct(plan, kernels, pictures.pixels[:1])["linear"]
                line.append((f"CD{block}", sheet.coloured(pictures, colours)))
            lines.append((f"{name}\n{kind}", line))
        return sheet.sheet(lines, title="The cat by the first network of each plan, linear head")


EXPERIMENT = DepthExperiment()
