"""Random, mean and ridge readout side by side, CD1 to CD5: what a closed form recovers.

    rrstyle evaluate readout --scale laptop --images DIR

All layers are random; only the last differs. `random` and `mean` are the two heads of the papers.
`ridge` solves the last layer on the very picture, `ridge_held_out` on all the other pictures: what
it gives back was in the features, and in the random layers of the DCN, without training.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from keras import ops
from matplotlib.figure import Figure

from recon import metrics
from recon.experiments import sheet
from recon.experiments.experiment import Cell, Experiment, Pictures, Row, Settings, rows_of
from recon.experiments.panels import row_of_panels
from recon.experiments.random import scoring
from recon.plans import rr_vgg
from recon.sweep import simulation
from rrstyle.networks import readout
from rrstyle.networks.plan import Plan

READOUTS = ("random", "mean", "ridge", "ridge_held_out")
_BLOCKS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, kw_only=True)
class Readout(Settings):
    blocks: tuple[int, ...] = _BLOCKS  # the k of CDk, features before the pool


def _plan(cell: Cell) -> Plan:
    return rr_vgg(f"conv{cell['block']}", upsampling=scoring.upsampling(cell))


def reconstructions(plan: Plan, pictures: np.ndarray, *, seed: int) -> dict[str, np.ndarray]:
    """What each readout of a random network gives back of two or more (height, width, 3).

    Returns:
        Of each of READOUTS (pictures, height, width, channels), unbounded: grey for `mean`, or RGB.
    """
    *_, kernel = kernels = simulation.draw_kernels(plan, std=scoring.STD, seed=seed)
    side = kernel.shape[0]
    border = ((side - 1) // 2, side // 2)
    results: dict[str, list[np.ndarray]] = {name: [] for name in READOUTS}
    padded, equations = [], []
    for picture in pictures:
        hidden = simulation.hidden_maps(plan, kernels, picture[None])
        results["random"].append(ops.convert_to_numpy(simulation.linear_head(hidden, kernel))[0])
        results["mean"].append(ops.convert_to_numpy(simulation.mean_head(hidden))[0])
        maps = np.pad(ops.convert_to_numpy(hidden)[0], (border, border, (0, 0)))
        step = readout.lattice_step(*picture.shape[:2])
        padded.append(maps)
        exact = maps.astype(np.float64)
        equations.append(readout.normal_equations(exact, picture, side, step))
    total = [sum(parts) for parts in zip(*equations, strict=True)]
    for maps, own in zip(padded, equations, strict=True):
        others = [whole - part for whole, part in zip(total, own, strict=True)]
        for name, (squares, products) in (("ridge", own), ("ridge_held_out", others)):
            weights = readout.solve_ridge(squares, products).astype(np.float32)
            solved = weights[:-1].reshape(kernel.shape)
            results[name].append(readout.apply_readout(maps, solved, weights[-1]))
    return {name: np.stack(found) for name, found in results.items()}


class ReadoutExperiment(Experiment):
    name = "readout"
    title = "Random, mean and ridge readout of the same random layers, CD1 to CD5"
    reproduces = "What a closed-form last layer recovers; no figure of the papers"
    printed = (
        "Almost all information is transformed to the next layer in the random CNN, for a"
        " trained DCN recovers it (section 4.1)."
    )
    settings = {
        "smoke": Readout(networks=2, images=2, side=32, blocks=(1, 2)),
        "laptop": Readout(networks=5, images=6, side=128),
        "paper": Readout(networks=30, images=50, side=227),
    }
    columns = ("block", "upsampling", "network", "readout", "image", "ssim", "pearson", "psnr")

    def cells(self, settings: Readout) -> list[Cell]:
        return [
            {"block": block, "upsampling": kind, "network": network}
            for block in settings.blocks
            for kind in (scoring.UPSAMPLINGS if block > 1 else ("none",))  # CD1 has no pool
            for network in range(settings.networks)
        ]

    def rows(self, settings: Readout, cell: Cell) -> int:
        return len(READOUTS) * settings.images

    def measure(self, settings: Readout, cell: Cell, pictures: Pictures, seed: int) -> list[Row]:
        truth = metrics.luminance(pictures.pixels)
        window = metrics.windowed(truth)
        found = reconstructions(_plan(cell), pictures.pixels, seed=seed + cell["network"])
        rows = []
        for name, output in found.items():
            grey = output if name == "mean" else metrics.luminance(output)
            bounded = metrics.stretched(grey)
            ssim = metrics.study_ssim(window, metrics.windowed(bounded))
            pearson = metrics.correlation(truth, bounded)
            if name.startswith("ridge"):
                psnr = metrics.psnr(pictures.pixels, np.clip(output, 0, 1))
            else:  # a random network's output has no scale to compare
                psnr = np.full(len(truth), np.nan)
            key = {**cell, "readout": name}
            rows += rows_of(key, pictures.names, ssim=ssim, pearson=pearson, psnr=psnr)
        return rows

    def draw(self, frame: pd.DataFrame) -> Figure:
        figure, axes = row_of_panels((10, 4.2), 2)
        for kind, style in (("nearest", "-"), ("zero", "--")):
            of_kind = frame[frame["upsampling"].isin([kind, "none"])]
            for i, name in enumerate(READOUTS):
                part = of_kind[of_kind["readout"] == name]
                look = {"linestyle": style, "color": f"C{i}", "label": f"{name}, {kind}"}
                scoring.curve(axes[0], part, "block", "ssim", **look)
                if name.startswith("ridge"):
                    scoring.curve(axes[1], part, "block", "psnr", **look)
        for ax, label in zip(axes, ("SSIM", "PSNR (dB)"), strict=True):
            ax.set(xlabel="k of Conv k-DeConv k", xticks=sorted(frame["block"].unique()))
            ax.set_ylabel(f"{label}, mean ± std over networks")
        axes[0].set_ylim(0, 1)
        axes[0].legend(fontsize=7)
        figure.suptitle("The same random layers, read by a random, a mean and a solved last layer")
        return figure

    def show(self, frame: pd.DataFrame, settings: Readout, pictures: Pictures, seed: int) -> Figure:
        """The cat by each readout of the first network, nearest neighbours."""
        lines: dict[str, list[sheet.Captioned]] = {name: [] for name in READOUTS}
        for block in settings.blocks:
            plan = _plan({"block": block, "upsampling": "nearest"})
            for name, outputs in reconstructions(plan, pictures.pixels, seed=seed).items():
                if name == "mean":
                    picture = sheet.shown(pictures, outputs[:1])
                elif name == "random":
                    picture = sheet.coloured(pictures, outputs[:1])
                else:
                    picture = np.clip(outputs[0], 0, 1)
                lines[name].append((f"CD{block}", picture))
        title = f"The cat by the network of seed {seed}, nearest"
        return sheet.sheet(list(lines.items()), title=title)


EXPERIMENT = ReadoutExperiment()
