"""Coherence of random filters of VGG16's and AlexNet's shapes: Tables 3 and 6, random columns.

    rrstyle evaluate coherence --scale laptop

Kinds of rows: `filters`, the largest |cosine| of two filters on one patch; `groups`, the same of
two filters of a group; `rows`, of two rows of W, all shifts of all filters, as footnote 8 defines
it; `ungrouped`, of filters that see all channels. VGG16 has no groups, so it has two of them. A
cell draws the filters that the network of its seed has; their scale does not count.

`printed` is one draw, unsaid of which kind. Shifts hardly matter: moved filters share fewer taps.
The laptop scale takes a minute on one core of an AMD EPYC; all layers of one VGG16 take 2 s.
Expected there, means of 20 networks:

- AlexNet's filters .198, .124, .096, .105, .104, within 3 % of what is printed; 5 % for pairs of a
  group. Filters that see all channels are 30 % below in conv2, conv4 and conv5: the printed ones
  are grouped;
- VGG16's filters .635, .147, .166, .118, .131, .090, .090, .095, .068, .068, .068, .068, .067. What
  is printed is within 12 % of that, but for conv1_2 (17 % lower) and conv3_1 (16 % lower), and
  below 95 % of the networks in conv1_2, conv2_2, conv3_1, conv3_3, conv4_2 and conv4_3. A maximum
  of signed cosines would be 3 to 5 % lower, and closer.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recon.experiments.experiment import Cell, Experiment, Pictures, Row, Settings
from recon.invertibility.coherence import filter_coherence, row_coherence
from rrstyle.architectures import ARCHITECTURES, Convolution
from rrstyle.weights import ENCODER, draw_kernel, layer_rng

_VGG16 = ".670 .122 .155 .105 .110 .090 .080 .092 .062 .062 .070 .067 .067"
_ALEXNET = ".1996 .1263 .0929 .1073 .1026"
PRINTED = {
    "vgg16": tuple(map(float, _VGG16.split())),
    "alexnet": tuple(map(float, _ALEXNET.split())),
}
KINDS = {
    "filters": "all pairs of filters, on one patch",
    "groups": "pairs of a group, on one patch",
    "rows": "rows of W: all shifts (footnote 8)",
    "ungrouped": "filters that see all channels",
}


@dataclass(frozen=True, kw_only=True)
class Coherences(Settings):
    architectures: tuple[str, ...] = ("vgg16", "alexnet")
    layers: int = 13
    """At most, of each architecture, from its first."""


def _layers(settings: Coherences, architecture: str) -> tuple[Convolution, ...]:
    return ARCHITECTURES[architecture].convolutions[: settings.layers]


def _position(cell: Cell) -> int:
    convolutions = ARCHITECTURES[str(cell["architecture"])].convolutions
    return [c.name for c in convolutions].index(str(cell["layer"]))


def _kinds(cell: Cell) -> tuple[str, ...]:
    """VGG16 has no groups, so three kinds would be one."""
    return tuple(KINDS) if cell["architecture"] == "alexnet" else ("filters", "rows")


def _cells(settings: Coherences) -> list[Cell]:
    return [
        {"architecture": architecture, "layer": layer.name, "network": network}
        for architecture in settings.architectures
        for layer in _layers(settings, architecture)
        for network in range(settings.networks)
    ]


def _measure(_settings: Coherences, cell: Cell, _pictures: Pictures, seed: int) -> list[Row]:
    architecture, position = str(cell["architecture"]), _position(cell)
    convolutions = ARCHITECTURES[architecture].convolutions
    layer = convolutions[position]
    inputs = convolutions[position - 1].channels if position else 3

    def draw(groups: int) -> np.ndarray:
        shape = (layer.kernel, layer.kernel, inputs // groups, layer.channels)
        # Filters of the network of that seed; their standard deviation changes no cosine.
        rng = layer_rng(seed + int(cell["network"]), ENCODER, position)
        return draw_kernel("gaussian", shape, std=1, rng=rng)

    filters = draw(layer.groups)
    measures = {
        "filters": lambda: filter_coherence(filters),
        "groups": lambda: filter_coherence(filters, groups=layer.groups),
        "rows": lambda: row_coherence(filters, stride=layer.stride, groups=layer.groups),
        "ungrouped": lambda: filter_coherence(draw(1)),
    }
    printed = PRINTED[architecture][position]
    return [
        {**cell, "kind": kind, "value": measures[kind](), "printed": printed}
        for kind in _kinds(cell)
    ]


def _draw(frame: pd.DataFrame) -> Figure:
    architectures = list(frame["architecture"].unique())
    figure = Figure(figsize=(7 * len(architectures), 4.8), layout="constrained")
    panels = figure.subplots(1, len(architectures), squeeze=False)[0]
    for ax, name in zip(panels, architectures, strict=True):
        _panel(ax, frame[frame["architecture"] == name])
        ax.set_title(f"{name}, Gaussian filters")
    return figure


def _panel(ax: Axes, frame: pd.DataFrame) -> None:
    layers = list(frame["layer"].unique())
    kinds = [kind for kind in KINDS if kind in set(frame["kind"])]
    for i, kind in enumerate(kinds):
        values = frame[frame["kind"] == kind].groupby("layer", sort=False)["value"]
        mean, low, high = values.mean(), values.quantile(0.025), values.quantile(0.975)
        places = np.arange(len(layers)) + 0.16 * (i - len(kinds) / 2)
        ax.errorbar(places, mean, [mean - low, high - mean], fmt="o", capsize=3, label=KINDS[kind])
    printed = frame.groupby("layer", sort=False)["printed"].first()
    ax.plot(np.arange(len(layers)) + 0.3, printed, "kx", label="printed")
    ax.set_xticks(range(len(layers)), layers, rotation=60)
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter("{x:g}")
    ax.set_ylabel("coherence, mean and 95 % of the networks")
    ax.legend(fontsize=8)


EXPERIMENT = Experiment(
    name="coherence",
    title="Coherence of random filters, over filters and over all shifts of them",
    reproduces="Gilbert et al., Tables 3 and 6, random filters",
    printed="Coherence of random filters, one draw a layer: .670 to .062 (VGG16), .1996 to .0929"
    " (AlexNet). The columns of learned filters need trained weights and are left out.",
    claims=(),
    cost={
        "smoke": "1 s",
        "laptop": "1 min on one core",
        "paper": "5 min on one core, not measured",
    },
    settings={
        "smoke": Coherences(networks=3, images=1, side=32, layers=4),
        "laptop": Coherences(networks=20, images=1, side=32),
        "paper": Coherences(networks=100, images=1, side=32),
    },
    columns=("architecture", "layer", "network", "kind", "value", "printed"),
    cells=_cells,
    rows=lambda settings, cell: len(_kinds(cell)),
    measure=_measure,
    draw=_draw,
)
