"""Activations of VGG16 given back by one iteration of IHT, and pictures by a DCN: Table 4.

    rrstyle evaluate iht --scale laptop --images DIR --encoder vgg16.npz

Of macro layer i, x is what pool i makes of a picture. Algorithm 1 reconstructs it by the filters W
of the convolution above, conv(i+1)_1, each of norm 1: x^ = W^T M(W x, k) with 2 x 2 regions, scaled
to the norm of x. k is the share of non-zeros of that convolution in Table 2, at most the number of
regions (so all of them but for layer 4). A DCN that is trained on pool i in the cell takes x^ to a
picture.

`filters` of the rows: `learned`, the trained network's own; `random`, N(0, 1); `activations`, no
reconstruction but N(0, 1) entries of the norm of x; `original`, x itself. `unpooling`: `naive`, to
the first place of each region, as the paper has it; `switches`, to where the values were, which is
what Theorem 3.3 is about. Errors are relative, ||x^ - x|| / ||x||: `activation_error`;
`image_error` of the picture that is decoded, cut to [0, 1]; `decoded_error` against what the DCN
makes of x in place of the picture.

Random CNNs have He's law. Scale changes nothing of x but what a DCN learns from it in few steps:
after 80 steps with the papers' deviation of .015, x itself gave image errors of .37, .47 and .49 at
pools 1 to 3, random activations .60, .51 and .49, so deeper DCNs saw nothing of x yet.

`printed` is of a VGG16 that was trained on ILSVRC 2012 and of a DCN that takes pooling switches of
the encoder and was trained far longer, on pictures less their mean. Ours has none of these, so its
own error, `original`, is to be looked at first. The paper does not say whether image errors are
against the picture or against `original`; nor whether codes are cut by a ReLU: they are not, as in
section 3.1.
"""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recon.experiments import sheet
from recon.experiments.experiment import Cell, Pictures, Row
from recon.experiments.trained.cells import (
    PAPER,
    AgainstTrained,
    TrainedSweep,
    half_of,
    of_encoder,
)
from recon.invertibility.convolution import Convolution, unit_filters
from recon.invertibility.recovery import iterative_hard_thresholding
from recon.invertibility.rip import relative_error
from recon.invertibility.sparsity import keep_largest, max_pool, unpool
from rrstyle.networks.laws import ENCODER, draw_kernel, layer_rng
from rrstyle.networks.plan import VGG16

POOL = 2
SHARES = {1: 0.674, 2: 0.534, 3: 0.356, 4: 0.239}  # of non-zeros of conv(i+1)_1, Table 2
# Table 4, by layer and filters: in activation space and in image space.
PRINTED = {
    (1, "learned"): (0.895, 0.423),
    (1, "random"): (0.872, 0.380),
    (1, "activations"): (1.414, 0.610),
    (2, "learned"): (0.961, 0.692),
    (2, "random"): (0.926, 0.438),
    (2, "activations"): (1.414, 0.864),
    (3, "learned"): (0.912, 0.326),
    (3, "random"): (0.862, 0.345),
    (3, "activations"): (1.414, 0.652),
    (4, "learned"): (1.051, 0.379),
    (4, "random"): (0.992, 0.357),
    (4, "activations"): (1.414, 0.436),
}
UNPOOLINGS = ("naive", "switches")
SHOWN = "chelsea"
_TITLES = {
    "original": "x itself",
    "learned": "learned filters",
    "random": "random filters",
    "activations": "random activations",
}
_ACTIVATIONS = 1  # random ones, in the tree of a layer's seed


@dataclass(frozen=True, kw_only=True)
class Reconstructions(AgainstTrained):
    layers: tuple[int, ...] = (1, 2, 3, 4)
    """Macro layers of VGG16."""


def _methods(encoder: str) -> tuple[tuple[str, str], ...]:
    """Filters and unpooling; the filters of a random network are random ones."""
    filters = ("learned", "random") if encoder == "trained" else ("random",)
    pairs = tuple((kind, unpooling) for kind in filters for unpooling in UNPOOLINGS)
    return ("original", "none"), *pairs, ("activations", "none")


def _measured(settings: Reconstructions, cell: Cell) -> range:
    """Which pictures a cell is measured on."""
    held_out, _ = half_of(settings.images, int(cell["network"]))
    return range(settings.images)[held_out][: settings.measured]


def reconstruct(
    activations: np.ndarray, kernel: np.ndarray, *, share: float, unpooling: str
) -> np.ndarray:
    """W^T M(W x, k), scaled to the norm of x: what one iteration of IHT gives back of activations.

    Args:
        activations: x, (batch, height, width, channels).
        kernel: W, (3, 3, channels, filters); its filters are brought to norm 1.
        share: Share of the entries of W x that are kept; at most one for each 2 x 2 region.
        unpooling: "switches" leaves the largest entry of a region where it stands, which is M;
            "naive" moves it to the region's first place.

    Returns:
        float64, of the shape of the activations.

    Reference: Algorithm 1 and section 4.5.
    """
    size = activations.shape[1:3]
    operator = Convolution(unit_filters(kernel), size, padding=1, batch=len(activations))
    regions = -(-size[0] // POOL) * -(-size[1] // POOL) * kernel.shape[-1]
    k = min(round(share * size[0] * size[1] * kernel.shape[-1]), regions)
    if unpooling == "switches":
        codes = iterative_hard_thresholding(operator, activations, k, pool=POOL)
    else:
        values, _ = max_pool(operator @ activations, POOL)
        codes = unpool(keep_largest(values, k), size, POOL)
    return scaled_to(operator.H @ codes, activations)


def scaled_to(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """`values`, each sample scaled to the norm of its counterpart; zero where that is zero."""
    axes = tuple(range(1, values.ndim))
    norms, wanted = (np.sqrt(np.square(a).sum(axis=axes, keepdims=True)) for a in (values, like))
    return values * (wanted / np.where(norms > 0, norms, 1))


def _position(layer: int) -> int:
    """Of conv(i+1)_1 among the convolutions of VGG16."""
    return [c.name for c in VGG16.convolutions].index(f"conv{layer + 1}_1")


def _filters(
    settings: Reconstructions, pictures: Pictures, layer: int, filters: str, seed: int
) -> np.ndarray:
    """Those of conv(i+1)_1: the trained network's, or those of the random network of that seed."""
    position = _position(layer)
    if filters == "learned":
        (trained,) = (e for e in pictures.encoders if e.architecture == "vgg16")
        return trained.kernel(VGG16.convolutions[position].name)
    below, above = (VGG16.convolutions[position + n] for n in (-1, 0))
    inputs = settings.channels or below.channels
    shape = (3, 3, inputs, settings.channels or above.channels)
    rng = layer_rng(seed, ENCODER, position)
    return draw_kernel("gaussian", shape, std=1, rng=rng)


def _bars(ax: Axes, frame: pd.DataFrame, score: str) -> None:
    layers = list(frame["layer"].unique())
    kinds = list(frame.groupby(["filters", "unpooling"], sort=False))
    width = 0.84 / len(kinds)
    for i, ((filters, unpooling), part) in enumerate(kinds):
        of_network = part.groupby(["layer", "network"], sort=False)[score].mean()
        values = of_network.groupby("layer", sort=False)
        mean = values.mean()
        places = np.arange(len(layers)) + width * (i - (len(kinds) - 1) / 2)
        said = _TITLES[filters] + (f", {unpooling}" if unpooling != "none" else "")
        colour = f"C{list(_TITLES).index(filters)}"
        hatch = "///" if unpooling == "switches" else None
        ax.bar(places, mean, width, color=colour, hatch=hatch, edgecolor="white", label=said)
        spread = [mean - values.min(), values.max() - mean]
        ax.errorbar(places, mean, spread, fmt="none", ecolor="0.3", capsize=2)
        printed = part.groupby("layer", sort=False)[f"printed_{score}"].first()
        ax.plot(places, printed, "kx", label="printed" if i == len(kinds) - 1 else None)
    ax.set_xticks(range(len(layers)), [f"pool {layer}" for layer in layers])
    ax.grid(visible=False, axis="x")


class IhtExperiment(TrainedSweep):
    name = "iht"
    title = "Activations of VGG16 reconstructed by IHT with learned and with random filters"
    reproduces = "Gilbert et al., Table 4, Figs. 4 and 5"
    printed = (
        "Image-space error, learned / random filters / random activations: .423 .380 .610,"
        " .692 .438 .864, .326 .345 .652, .379 .357 .436 for pools 1 to 4."
    )
    cost = {
        "smoke": "20 s",
        "laptop": "8 min on 2 cores",
        "paper": "not measured",
    }
    settings = {
        "smoke": Reconstructions(
            networks=2,
            images=2,
            side=40,
            crop=32,
            batch=2,
            steps=4,
            measured=1,
            channels=8,
            layers=(1, 2),
        ),
        "laptop": Reconstructions(
            networks=3, images=100, side=72, crop=48, batch=4, steps=160, measured=16
        ),
        "paper": Reconstructions(**PAPER | {"measured": 50}),
    }
    columns = (
        "encoder",
        "layer",
        "network",
        "weights",
        "filters",
        "unpooling",
        "image",
        "activation_error",
        "image_error",
        "decoded_error",
        "printed_activation_error",
        "printed_image_error",
        "picture",
    )
    packages = ("pylops",)
    network = MappingProxyType({"tap": "post_pool", "law": "he"})

    def cells(self, settings: Reconstructions) -> list[Cell]:
        return [
            {"encoder": kind, "layer": layer, "network": network}
            for kind in settings.kinds("vgg16")
            for layer in settings.layers
            for network in range(settings.networks)
        ]

    def rows(self, settings: Reconstructions, cell: Cell) -> int:
        return len(_measured(settings, cell)) * len(_methods(str(cell["encoder"])))

    def measure(
        self, settings: Reconstructions, cell: Cell, pictures: Pictures, seed: int
    ) -> list[Row]:
        layer, number = int(cell["layer"]), int(cell["network"])
        training = self.training(settings, {**cell, "block": layer}, pictures, seed)
        training.run()
        networks = training.trained
        truth = training.middle(training.held_out) / np.float32(255)
        activations = networks.cnn.predict_on_batch(truth).astype(np.float64)
        names = [pictures.names[i] for i in _measured(settings, cell)]
        rows, decoded = [], {}
        for filters, unpooling in _methods(str(cell["encoder"])):
            if filters == "original":
                found = activations
            elif filters == "activations":
                rng = layer_rng(seed + number, ENCODER, _position(layer), _ACTIVATIONS)
                found = scaled_to(rng.normal(size=activations.shape), activations)
            else:
                kernel = _filters(settings, pictures, layer, filters, seed + number)
                found = reconstruct(activations, kernel, share=SHARES[layer], unpooling=unpooling)
            back = networks.dcn.predict_on_batch([found.astype(np.float32), truth])
            decoded[filters, unpooling] = image = np.clip(back, 0, 1)
            as_printed = unpooling != "switches" and filters != "original"
            printed = PRINTED[layer, filters] if as_printed else (float("nan"),) * 2
            errors = zip(
                relative_error(found, activations),
                relative_error(image, truth),
                relative_error(image, decoded["original", "none"]),
                strict=True,
            )
            for i, (of_activations, of_image, of_decoded) in enumerate(errors):
                row: Row = {**cell, "weights": training.weights, "filters": filters}
                row |= {"unpooling": unpooling, "image": names[i]}
                row |= {"activation_error": float(of_activations), "image_error": float(of_image)}
                row |= {"decoded_error": float(of_decoded), "printed_activation_error": printed[0]}
                row |= {"printed_image_error": printed[1], "picture": ""}
                if names[i] == SHOWN:
                    row["picture"] = sheet.packed(image[i])
                rows.append(row)
        return rows

    def draw(self, frame: pd.DataFrame) -> Figure:
        encoders = list(frame["encoder"].unique())
        figure = Figure(figsize=(12, 4.2 * len(encoders)), layout="constrained")
        axes = figure.subplots(len(encoders), 2, squeeze=False)
        for line, encoder in zip(axes, encoders, strict=True):
            part = frame[frame["encoder"] == encoder]
            title = of_encoder(encoder, part["weights"])
            for ax, score in zip(line, ("image_error", "activation_error"), strict=True):
                _bars(ax, part, score)
                ax.set_title(f"{title} VGG16: {score.replace('_', ' ')}")
            line[0].set_ylabel("relative error, mean and range of networks")
        # The trained network has all kinds of bars.
        printed, *bars = zip(*axes[-1, 0].get_legend_handles_labels(), strict=True)
        figure.legend(
            *zip(*bars, printed, strict=True), loc="outside lower center", ncols=4, fontsize=9
        )
        return figure

    def show(self, frame: pd.DataFrame, *_: object) -> Figure:
        """A line a macro layer of each network: the cat by every method."""
        first = frame[(frame["network"] == frame["network"].min()) & (frame["picture"] != "")]
        lines = []
        for (encoder, layer), part in first.groupby(["encoder", "layer"], sort=False):
            found = []
            for row in part.itertuples():
                said = "" if row.unpooling == "none" else f"\n{row.unpooling}"
                caption = f"{_TITLES[str(row.filters)]}{said}\n{row.image_error:.2f}"
                found.append((caption, sheet.unpacked(str(row.picture))))
            lines.append((f"{encoder}, pool {layer}", found))
        return sheet.sheet(lines, title="The cat decoded by trained DCNs; relative errors")


EXPERIMENT = IhtExperiment()
