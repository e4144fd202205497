"""Theorems 5.1 to 5.4 and A.7 beside what random networks do.

    rrstyle evaluate theory --scale laptop

Rows, long format: `figure`, then what the value depends on, then `image`, `quantity`, `value`.
A key that a value does not depend on is 0, or "none".

- variance: `convolutions` (L - 1 of the theorems), `channels` N of each, `network`; `sin_theta`
  between the output f and f*, `scale`, the least-squares factor f . f* / f* . f*, which is the
  measured k over the corrected one, and `bound`, that of Theorem 5.2 or 5.3 for delta = 0.1. Rows
  of 0 channels are of the limit: `constant`, the corrected k, and `printed_constant`.
- l2, average: the same of CD1 of section 4.2 (two convolutions, a pool of that kind, a zero
  insertion, a convolution, the mean head), for average pooling against f* of Theorem A.7, without
  bound and constants; and `ssim` of the output and of f* with the image.
- insertion: one convolution, an l2 pool, an upsampling, then `convolutions` more, without limit
  of channels; `checkerboard`, (max - min) / mean of f* over a 2 x 2 block inside a constant image;
  `cosine` between image and f*, `bound` below it and `printed_bound`, the paper's, which is none.
- angle: one convolution of `kernel` pixels a side; `cosine` and `bound`, that of Theorem 5.4.

Pictures are luminance in [0, 1]; what has networks is measured at a smaller size, for the maps of
2048 channels are large. Expected:

- the 90 % quantile of sin Theta falls as 1 / sqrt(N); for 64 channels it is .097, .110, .142 with
  one, two, three convolutions, and the bounds are .578, 2.3, 3.3; that of two says something from
  1024 channels on, that of three nowhere up to 2048;
- checkerboards of .69, .22, .07, .02 after one to four convolutions; after one, cos Phi of the cat
  is .964, below the printed bound of .987;
- for kernels of 1, 3, 5, 9, 15, 31 pixels on the cat, cos Phi 1, .996, .991, .982, .973, .960 and
  bounds 1, .966, .937, .890, .832, .709.
"""

import itertools
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import skimage.transform
from keras import ops
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Experiment, Pictures, Row, Settings, grid, rows_of
from recon.experiments.panels import ranges, row_of_panels
from recon.metrics import luminance, study_scores
from recon.theory import average_pooling
from recon.theory.angle import cosine, multilayer_bound, printed_multilayer_bound, two_layer_bound
from recon.theory.convergence import constant, convergence_value, printed_constant, route_counts
from recon.theory.simulation import hidden_maps, sine
from recon.theory.variance import bound_of_plan
from rrstyle.networks.laws import ENCODER, layer_rng
from rrstyle.networks.plan import Conv, Plan, Pool, Upsample, UpsampleKind

STD = 0.1  # of all weights, as in section 4 of the paper; no angle depends on it
DELTA = 0.1


@dataclass(frozen=True, kw_only=True)
class TheorySettings(Settings):
    convolutions: tuple[int, ...] = (1, 2, 3)  # of the networks whose variance is measured
    channels: tuple[int, ...] = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)  # of every layer
    pooled_channels: tuple[int, ...] = (4, 8, 16, 32, 64, 128, 256, 512, 1024)  # of CD1's layers
    small_side: int = 16  # height and width of the networks' pictures, in pixels
    after: int = 6  # convolutions after the upsampling, at most
    kernels: tuple[int, ...] = (1, 3, 5, 9, 15, 31)  # sides of the filters


_SMALL: dict[str, Any] = {"convolutions": (1, 2), "channels": (4, 16, 64), "kernels": (1, 3, 5)}
_SMALL |= {"pooled_channels": (4, 16)}
_NETWORKS = ("variance", "l2", "average")  # the figures that have networks


def _cell(figure: str, **keys: Any) -> Cell:
    none = {"upsampling": "none", "convolutions": 0, "channels": 0, "kernel": 3, "network": 0}
    return {"figure": figure, **none, **keys}


def _with_insertion(depth: int, kind: UpsampleKind) -> Plan:
    return Plan((Conv(1), Pool("l2")), (Upsample(kind), *(Conv(1),) * depth))


def _plan(cell: Cell) -> Plan:
    conv, kind = Conv(max(cell["channels"], 1)), cell["figure"]
    if kind == "variance":
        return Plan((conv,) * cell["convolutions"], ())
    return Plan((conv, conv, Pool(kind)), (Upsample("zero"), conv))


def _of_networks(settings: TheorySettings, cell: Cell, images: np.ndarray, seed: int) -> Row:
    """Quantities of a network, or of its limit where the cell has no channels."""
    kind, depth, channels = cell["figure"], cell["convolutions"], cell["channels"]
    size = settings.small_side, settings.small_side
    small = np.stack([skimage.transform.resize(x, size, anti_aliasing=True) for x in images])
    plan = _plan(cell)
    limit_of = average_pooling.convergence_value if kind == "average" else convergence_value
    limits = np.stack([limit_of(plan, x, std=STD) for x in small])
    found: Row = {}
    if channels:
        batch = small[..., None].astype(np.float32)
        stream = 10 * _NETWORKS.index(kind) + depth
        rng = layer_rng(seed + cell["network"], ENCODER, stream, channels)
        outputs = hidden_maps(plan, batch, std=STD, rng=rng).mean(axis=-1, dtype=np.float64)
        found["sin_theta"] = sine(outputs, limits)
        found["scale"] = np.sum(outputs * limits, axis=(1, 2)) / np.sum(limits**2, axis=(1, 2))
        if kind != "average":
            found["bound"] = [bound_of_plan(plan, x, delta=DELTA).value for x in small]
    else:
        outputs = limits
        if kind != "average":
            of = {"constant": constant, "printed_constant": printed_constant}
            found = {name: np.full(len(small), k(plan, std=STD)) for name, k in of.items()}
    if kind != "variance":
        both = (x[..., None].astype(np.float32) for x in (small, outputs))
        found["ssim"] = ops.convert_to_numpy(study_scores(*both)[0])
    return found


def _checkerboard(plan: Plan, side: int) -> float:
    """(max - min) / mean of f* of a constant image, over the 2 x 2 block in its middle."""
    start = side // 4 * 2  # even, as blocks are
    block = np.sqrt(route_counts(plan, side, side)[start : start + 2, start : start + 2])
    return float(np.ptp(block) / block.mean())


def _draw_variance(axes: Axes, table: pd.DataFrame) -> None:
    for i, (depth, part) in enumerate(table[table["channels"] > 0].groupby("convolutions")):
        values = {q: p.groupby("channels")["value"] for q, p in part.groupby("quantity")}
        measured, bounds = values["sin_theta"].quantile(1 - DELTA), values["bound"].max()
        colour, said = f"C{i}", f"{depth} convolution" + "s" * (depth != 1)
        axes.plot(measured.index, measured, "o-", color=colour, label=said)
        says = bounds < 1
        axes.plot(bounds.index, bounds.where(says), "--", color=colour)
        axes.plot(bounds.index[~says], bounds[~says], "x", color=colour, alpha=0.6)
    axes.axhline(1, color="black", linewidth=1)
    axes.plot([], [], "--", color="grey", label="bound, Theorems 5.2 and 5.3")
    axes.plot([], [], "x", color="grey", label="bound above 1: vacuous")
    axes.set_xscale("log", base=2)
    axes.set(yscale="log", xlabel="channels N of each layer", title="Variance")
    axes.set_ylabel("sin Θ between output and f*, 90 % quantile")


def _draw_constant(axes: Axes, table: pd.DataFrame) -> None:
    table = table[table["figure"] != "average"]
    for i, ((kind, depth), part) in enumerate(
        table.groupby(["figure", "convolutions"], sort=False)
    ):
        said = "CD1, l2 pool" if kind == "l2" else f"{depth} convolution" + "s" * (depth != 1)
        of = part.groupby("quantity")["value"]
        scales = part[part["quantity"] == "scale"].groupby("channels")["value"]
        ranges(axes, scales, color=f"C{i}", label=said)
        ratio = of.get_group("printed_constant").iloc[0] / of.get_group("constant").iloc[0]
        axes.axhline(ratio, color=f"C{i}", linestyle="--")
    axes.axhline(1, color="black", linewidth=1)
    axes.plot([], [], "--", color="grey", label="printed, Theorem 5.1")
    axes.set_xscale("log", base=2)
    axes.set(yscale="log", ylim=(3e-3, 300), xlabel="channels N of each layer")
    axes.set_title("The constant k")
    axes.set_ylabel("k over the corrected one, mean and range")


def _draw_asymptote(axes: Axes, table: pd.DataFrame) -> None:
    scores = table[table["quantity"] == "ssim"]
    for i, (kind, part) in enumerate(scores.groupby("figure", sort=False)):
        values = part[part["channels"] > 0].groupby("channels")["value"].mean()
        axes.plot(values, "o-", color=f"C{i}", label=f"CD1, {kind} pool")
        limit = part[part["channels"] == 0]["value"].mean()
        axes.axhline(limit, color=f"C{i}", linestyle="--", label="its limit f*")
    axes.set_xscale("log", base=2)
    axes.set(xlabel="channels N of each layer", ylabel="SSIM with the image, mean")
    axes.set_title("The mean head and its asymptote")


def _draw_pooled(axes: Axes, table: pd.DataFrame) -> None:
    for i, (kind, part) in enumerate(table[table["channels"] > 0].groupby("figure", sort=False)):
        of = {q: p.groupby("channels")["value"].mean() for q, p in part.groupby("quantity")}
        axes.plot(of["sin_theta"], "o-", color=f"C{i}", label=f"{kind} pool, sin Θ")
        axes.plot((of["scale"] - 1).abs(), "s--", color=f"C{i}", label="… |size of f over f* − 1|")
    sines = of["sin_theta"]
    slope = sines.iloc[0] * (sines.index[0] / sines.index) ** 0.5
    axes.plot(sines.index, slope, ":", color="grey", label="as 1 / √N")
    axes.set_xscale("log", base=2)
    axes.set(yscale="log", xlabel="channels N of each layer", ylabel="distance of f from f*, mean")
    axes.set_title("Average pooling (Theorem A.7) beside l2")


def _draw_insertion(axes: Axes, table: pd.DataFrame) -> None:
    for kind, quantity, style, label in (
        ("zero", "cosine", "C0o-", "cos Φ, image and f*"),
        ("zero", "printed_bound", "C3--", "printed multi-layer bound, not valid"),
        ("zero", "bound", "C0--", "bound that holds"),
        ("zero", "checkerboard", "C1s-", "checkerboard, zero insertion"),
        ("nearest", "checkerboard", "C2^-", "… nearest repetition"),
    ):
        part = table[(table["upsampling"] == kind) & (table["quantity"] == quantity)]
        axes.plot(part.groupby("convolutions")["value"].mean(), style, label=label)
    axes.set(xlabel="3 × 3 convolutions after the upsampling", title="Zero insertion")
    axes.set_ylabel(
        "cosine, mean of the pictures; or (max − min) / mean\nof f* of a constant image"
    )
    axes.set(ylim=(-0.03, 1.03), xticks=sorted(table["convolutions"].unique()))


def _draw_angle(axes: Axes, table: pd.DataFrame) -> None:
    for i, (_, part) in enumerate(table.groupby("image", sort=False)):
        for quantity, style, said in (("cosine", "o-", "cos Φ"), ("bound", "--", "Theorem 5.4")):
            values = part[part["quantity"] == quantity].sort_values("kernel")
            label = f"{said}, one line a picture" if i == 0 else None
            axes.plot(values["kernel"], values["value"], style, color=f"C{i % 10}", label=label)
    axes.set(xlabel="side of the filters, pixels", ylabel="cosine between image and f*")
    axes.set_title("Angle to the image")


class TheoryExperiment(Experiment):
    name = "theory"
    title = "The convergence value, its variance and its angle to the image, against their bounds"
    reproduces = "Theorems 5.1 to 5.4 and A.7"
    printed = (
        "With probability 1 - delta, sin Theta <= sqrt(K_1 / (N delta)) for one convolution, and"
        " a like bound for several; cos Phi >= 1 - sum eps x / sum x^2, worse for larger kernels."
    )
    settings = {
        "smoke": TheorySettings(networks=3, images=1, side=32, after=3, **_SMALL),
        "laptop": TheorySettings(networks=30, images=3, side=64),
        "paper": TheorySettings(networks=30, images=50, side=224, small_side=32),
    }
    columns = (*_cell(""), "image", "quantity", "value")

    def cells(self, settings: TheorySettings) -> list[Cell]:
        """The variance of each network, each upsampling and depth after it, each kernel."""
        networks, after = range(settings.networks), range(1, settings.after + 1)
        levels = {"convolutions": settings.convolutions, "channels": settings.channels}
        pooled: Row = {"convolutions": 3, "upsampling": "zero"}
        insertions = grid(upsampling=("zero", "nearest"), convolutions=after)
        return [
            *(_cell("variance", **keys) for keys in grid(**levels, network=networks)),
            *(_cell("variance", convolutions=depth) for depth in settings.convolutions),
            *(
                _cell(kind, **pooled, **keys)
                for kind in ("l2", "average")
                for keys in (
                    *grid(channels=settings.pooled_channels, network=networks),
                    {"channels": 0},
                )
            ),
            *(_cell("insertion", **keys) for keys in insertions),
            *(_cell("angle", convolutions=1, kernel=kernel) for kernel in settings.kernels),
        ]

    def rows(self, settings: TheorySettings, cell: Cell) -> int:
        """Some quantities a picture; insertions have one of a constant image too."""
        limit = cell["channels"] == 0
        of = {"variance": 2 if limit else 3, "l2": 3 if limit else 4, "average": 1 if limit else 3}
        of |= {"insertion": 3, "angle": 2}
        return of[cell["figure"]] * settings.images + (cell["figure"] == "insertion")

    def measure(
        self, settings: TheorySettings, cell: Cell, pictures: Pictures, seed: int
    ) -> list[Row]:
        images = luminance(pictures.pixels.astype(np.float64))[..., 0]
        boards: list[Row] = []
        if cell["figure"] in _NETWORKS:
            found = _of_networks(settings, cell, images, seed)
        elif cell["figure"] == "insertion":
            plan = _with_insertion(cell["convolutions"], cell["upsampling"])
            of = {"cosine": cosine, "bound": multilayer_bound}
            of["printed_bound"] = printed_multilayer_bound
            found = {quantity: [value(plan, x) for x in images] for quantity, value in of.items()}
            board = _checkerboard(plan, settings.side)
            boards = rows_of({**cell, "quantity": "checkerboard"}, ("constant",), value=[board])
        else:
            plan, kernel = Plan((Conv(1, cell["kernel"]),), ()), cell["kernel"]
            found = {"cosine": [cosine(plan, x) for x in images]}
            found["bound"] = [two_layer_bound(x, kernel) for x in images]
        rows = (
            rows_of({**cell, "quantity": quantity}, pictures.names, value=values)
            for quantity, values in found.items()
        )
        return [*itertools.chain(*rows), *boards]

    def draw(self, table: pd.DataFrame) -> Figure:
        """Six panels: variance, constant, asymptote, checkerboard, kernels, average pooling."""
        figure = Figure(figsize=(15, 9.5), layout="constrained")
        pooled = ("l2", "average")
        panels = (
            (_draw_variance, ("variance",)),
            (_draw_constant, _NETWORKS),
            (_draw_asymptote, pooled),
            (_draw_insertion, ("insertion",)),
            (_draw_angle, ("angle",)),
            (_draw_pooled, pooled),
        )
        for axes, (draw, kinds) in zip(figure.subplots(2, 3).flat, panels, strict=True):
            draw(axes, table[table["figure"].isin(kinds)])
            axes.legend(fontsize=9, loc="upper right" if draw is _draw_constant else "best")
            axes.grid(alpha=0.3)
        return figure

    def show(
        self, _rows: pd.DataFrame, _settings: TheorySettings, pictures: Pictures, _seed: int
    ) -> Figure:
        """The first picture, what three networks converge to on it, and one on a constant image."""
        image = luminance(pictures.pixels[:1].astype(np.float64))[0, :, :, 0]
        inserted, repeated = (_with_insertion(2, kind) for kind in ("zero", "nearest"))
        middle = image.shape[0] // 4 * 2
        inside = slice(middle - 6, middle + 6)
        constant = convergence_value(inserted, np.ones_like(image), std=STD)[inside, inside]
        limit = partial(convergence_value, image=image, std=STD)
        panels = {
            "image": image,
            "f*, one convolution": limit(Plan((Conv(1),), ())),
            "f*, pool, zero insertion,\ntwo convolutions": limit(inserted),
            "… nearest repetition": limit(repeated),
            "the third on a constant image,\n12 × 12 pixels of it": constant,
        }
        figure, axes = row_of_panels((15, 3.9), len(panels))
        for ax, (title, values) in zip(axes, panels.items(), strict=True):
            ax.imshow(values, cmap="gray", vmin=0, interpolation="nearest")
            ax.set_title(title)
            ax.set_axis_off()
        return figure


EXPERIMENT = TheoryExperiment()
