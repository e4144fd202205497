"""Activations of VGG16 given back by one iteration of IHT, and pictures by a DCN: Table 4.

    rrstyle evaluate iht --scale laptop --images DIR --encoder vgg16.npz

Of macro layer i, x is what pool i makes of a picture. Algorithm 1 reconstructs it by the filters W
of the convolution above, conv(i+1)_1, each of norm 1: x^ = W^T M(W x, k) with 2 x 2 regions, scaled
to the norm of x. k is the share of non-zeros of that convolution in Table 2, at most the number of
regions. A DCN that is trained on pool i in the cell takes x^ to a picture; as the paper's, it has
the pooling switches that the CNN has of the picture, whatever x^ is. Rows have

- `filters`: `learned`, the trained network's own; `random`, N(0, 1); `activations`, no
  reconstruction but N(0, 1) entries of the norm of x; `original`, x itself; `mean`, no
  reconstruction either but the mean of the pictures trained on, and what the CNN makes of it;
- `unpooling`: `naive`, to the first place of each region, as the paper has it; `switches`, to where
  the values were, which is what Theorem 3.3 is about;
- relative errors: `activation_error`, ||x^ - x|| / ||x||; `image_error` of the decoded picture, cut
  to [0, 1]; `decoded_error` against what the DCN makes of x in place of the picture;
- `printed`, beside the trained CNN alone: of a VGG16 that was trained on ILSVRC 2012 and of a DCN
  that was trained far longer, on pictures less their mean. So `original` is to be looked at first,
  against `mean`: a DCN that sees nothing gives back the mean picture. The paper does not say
  whether image errors are against the picture or against `original`, nor whether a ReLU cuts codes:
  here none does.

Random CNNs have He's law: scale changes nothing of x but what a DCN learns from it in few steps.
After 80 steps at the papers' deviation of .015, deeper DCNs saw nothing of x yet. At laptop scale
`original` of pool 4 comes from the mean picture's .44 to .34, .30 and .28 in 50, 100 and 150 steps.
"""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recon.experiments import sheet
from recon.experiments.experiment import Cell, Pictures, Row, grid, rows_of
from recon.experiments.invertibility.filters import random_filters
from recon.experiments.panels import ranges
from recon.experiments.trained import trainings
from recon.invertibility.convolution import Convolution, unit_filters
from recon.invertibility.rip import relative_error
from recon.invertibility.sparsity import keep_largest, max_pool, unpool
from rrstyle.networks.laws import ENCODER, layer_rng
from rrstyle.networks.plan import VGG16

POOL = 2
SHARES = {1: 0.674, 2: 0.534, 3: 0.356, 4: 0.239}  # of non-zeros of conv(i+1)_1, Table 2
# Table 4, by filters and layer: in activation space and in image space.
PRINTED = {
    "learned": {1: (0.895, 0.423), 2: (0.961, 0.692), 3: (0.912, 0.326), 4: (1.051, 0.379)},
    "random": {1: (0.872, 0.380), 2: (0.926, 0.438), 3: (0.862, 0.345), 4: (0.992, 0.357)},
    "activations": {1: (1.414, 0.610), 2: (1.414, 0.864), 3: (1.414, 0.652), 4: (1.414, 0.436)},
}
_NAN = float("nan")
UNPOOLINGS = ("naive", "switches")
_TITLES = {
    "original": "x itself",
    "mean": "mean picture",
    "learned": "learned filters",
    "random": "random filters",
    "activations": "random activations",
}
_KEYS = ("encoder", "layer", "network", "weights", "filters", "unpooling", "image")
_ERRORS = ("activation_error", "image_error", "decoded_error")
_PRINTED = ("printed_activation_error", "printed_image_error")
_SMALL = {"networks": 2, "images": 2, "steps": 4, "measured": 1}
_LONGER = {"images": 100, "batch": 4, "steps": 400}
_ACTIVATIONS = 1  # random ones, in the tree of a layer's seed


@dataclass(frozen=True, kw_only=True)
class Reconstructions(trainings.AgainstTrained):
    layers: tuple[int, ...] = (1, 2, 3, 4)  # macro layers of VGG16


def _methods(encoder: str) -> tuple[tuple[str, str], ...]:
    """Pairs of filters and unpooling: a random network has no learned filters."""
    filters = ("learned", "random") if encoder == "trained" else ("random",)
    pairs = tuple((kind, unpooling) for kind in filters for unpooling in UNPOOLINGS)
    return ("original", "none"), ("mean", "none"), *pairs, ("activations", "none")


def reconstruct(
    activations: np.ndarray, kernel: np.ndarray, *, share: float, unpooling: str
) -> np.ndarray:
    """W^T M(W x, k), scaled to the norm of x: what one iteration of IHT gives back of activations.

    x is (batch, height, width, channels); the filters of W, (3, 3, channels, filters), are brought
    to norm 1. A `share` of the entries of W x is kept, at most one for each 2 x 2 region: where it
    stands by "switches", which is M, or moved to the region's first place ("naive").

    Reference: Algorithm 1 and section 4.5.
    """
    size = activations.shape[1:3]
    operator = Convolution(unit_filters(kernel), size, padding=1, batch=len(activations))
    codes = operator @ activations
    values, places = max_pool(codes, POOL)
    k = min(round(share * codes[0].size), values[0].size)
    switches = places if unpooling == "switches" else None
    codes = unpool(keep_largest(values, k), size, POOL, switches)
    return scaled_to(operator.H @ codes, activations)


def scaled_to(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """`values`, each sample scaled to the norm of its counterpart; zero where that is zero."""
    axes = tuple(range(1, values.ndim))
    norms, wanted = (np.sqrt(np.square(a).sum(axis=axes, keepdims=True)) for a in (values, like))
    return values * (wanted / np.where(norms > 0, norms, 1))


def _filters(
    settings: Reconstructions, pictures: Pictures, layer: int, filters: str, seed: int
) -> np.ndarray:
    """Those of conv(i+1)_1: the trained network's, or those of the random network of that seed."""
    above = f"conv{layer + 1}_1"
    if filters == "learned":
        return pictures.encoder("vgg16").kernel(above)
    return random_filters("vgg16", above, seed=seed, channels=settings.channels)


def _bars(ax: Axes, frame: pd.DataFrame, score: str) -> None:
    layers = list(frame["layer"].unique())
    kinds = list(frame.groupby(["filters", "unpooling"], sort=False))
    width = 0.84 / len(kinds)
    for i, ((filters, unpooling), part) in enumerate(kinds):
        of_network = part.groupby(["layer", "network"], sort=False)[score].mean()
        values = of_network.groupby("layer", sort=False)
        places = np.arange(len(layers)) + width * (i - (len(kinds) - 1) / 2)
        colour = f"C{list(_TITLES).index(filters)}"
        hatch = "///" if unpooling == "switches" else None
        label = _TITLES[filters] + (f", {unpooling}" if unpooling != "none" else "")
        ax.bar(
            places, values.mean(), width, color=colour, hatch=hatch, edgecolor="white", label=label
        )
        ranges(ax, values, places, fmt="none", ecolor="0.3", capsize=2)
        printed = part.groupby("layer", sort=False)[f"printed_{score}"].first()
        ax.plot(places, printed, "kx", label="printed" if i == len(kinds) - 1 else None)
    ax.set_xticks(range(len(layers)), [f"pool {layer}" for layer in layers])
    ax.grid(visible=False, axis="x")


class IhtExperiment(trainings.TrainedSweep):
    name = "iht"
    title = "Activations of VGG16 reconstructed by IHT with learned and with random filters"
    reproduces = "Gilbert et al., Table 4, Figs. 4 and 5"
    printed = (
        "Image-space error, learned / random filters / random activations: .423 .380 .610,"
        " .692 .438 .864, .326 .345 .652, .379 .357 .436 for pools 1 to 4."
    )
    settings = {
        "smoke": Reconstructions(**trainings.SMOKE | _SMALL, layers=(1, 2)),
        # At the preset's rate a DCN of pool 4 is worse than the mean picture after 160 steps.
        "laptop": Reconstructions(**trainings.LAPTOP | _LONGER, learning_rate=5e-4),
        "paper": Reconstructions(**trainings.PAPER | {"measured": 50}),
    }
    columns = (*_KEYS, *_ERRORS, *_PRINTED, "picture")
    packages = ("pylops",)
    network = MappingProxyType({"tap": "post_pool", "law": "he"})
    switches = True

    def cells(self, settings: Reconstructions) -> list[Cell]:
        kinds, networks = settings.kinds("vgg16"), range(settings.networks)
        return grid(encoder=kinds, layer=settings.layers, network=networks)

    def rows(self, settings: Reconstructions, cell: Cell) -> int:
        pictures = trainings.held_out(settings, cell, settings.measured)
        return len(pictures) * len(_methods(cell["encoder"]))

    def measure(
        self, settings: Reconstructions, cell: Cell, pictures: Pictures, seed: int
    ) -> list[Row]:
        layer, number = cell["layer"], seed + cell["network"]
        training = self.training(settings, {**cell, "block": layer}, pictures, seed)
        training.run()
        networks = training.trained
        truth = training.middle(training.held_out) / np.float32(255)
        mean = training.middle(training.training.mean(axis=0)[None]).astype(np.float32) / 255
        (activations, *switches), (of_mean, *_) = map(networks.cnn.predict_on_batch, (truth, mean))
        activations = activations.astype(np.float64)
        names = [pictures.names[i] for i in trainings.held_out(settings, cell, settings.measured)]
        rows, original = [], None
        for filters, unpooling in _methods(cell["encoder"]):
            if filters == "original":
                found = activations
            elif filters == "mean":
                found = np.broadcast_to(of_mean, activations.shape)
            elif filters == "activations":
                above = len(VGG16.up_to(f"conv{layer + 1}_1")) - 1
                rng = layer_rng(number, ENCODER, above, _ACTIVATIONS)
                found = scaled_to(rng.normal(size=activations.shape), activations)
            else:
                kernel = _filters(settings, pictures, layer, filters, number)
                found = reconstruct(activations, kernel, share=SHARES[layer], unpooling=unpooling)
            back = networks.dcn.predict_on_batch([found.astype(np.float32), *switches])
            image = np.clip(back, 0, 1) if filters != "mean" else np.broadcast_to(mean, truth.shape)
            original = image if original is None else original  # the first method's
            printed = _NAN, _NAN
            if cell["encoder"] == "trained" and filters in PRINTED and unpooling != "switches":
                printed = PRINTED[filters][layer]
            key = {**cell, "weights": training.weights, "filters": filters, "unpooling": unpooling}
            key |= dict(zip(_PRINTED, printed, strict=True))
            of_method = rows_of(
                key,
                names,
                activation_error=relative_error(found, activations),
                image_error=relative_error(image, truth),
                decoded_error=relative_error(image, original),
            )
            for row, picture in zip(of_method, image, strict=True):
                row["picture"] = sheet.packed(picture) if row["image"] == names[0] else ""
            rows += of_method
        return rows

    def draw(self, frame: pd.DataFrame) -> Figure:
        encoders = list(frame.groupby("encoder", sort=False))
        figure = Figure(figsize=(12, 4.2 * len(encoders)), layout="constrained")
        axes = figure.subplots(len(encoders), 2, squeeze=False)
        for line, (encoder, part) in zip(axes, encoders, strict=True):
            title = trainings.of_encoder(encoder, part["weights"])
            for ax, score in zip(line, ("image_error", "activation_error"), strict=True):
                _bars(ax, part, score)
                ax.set_title(f"{title} VGG16: {score.replace('_', ' ')}")
            line[0].set_ylabel("relative error, mean and range of networks")
        # The trained network has all kinds of bars.
        printed, *bars = zip(*axes[-1, 0].get_legend_handles_labels(), strict=True)
        entries = zip(*bars, printed, strict=True)
        figure.legend(*entries, loc="outside lower center", ncols=4, fontsize=9)
        return figure

    def show(self, frame: pd.DataFrame, *_: object) -> Figure:
        """A line a macro layer of the first networks: a picture, the cat if any, by each method."""
        first = frame[(frame["network"] == frame["network"].min()) & (frame["picture"] != "")]
        lines = []
        for (encoder, layer), part in first.groupby(["encoder", "layer"], sort=False):
            found = []
            for row in part.to_dict("records"):
                how = "" if row["unpooling"] == "none" else f"\n{row['unpooling']}"
                caption = f"{_TITLES[row['filters']]}{how}\n{row['image_error']:.2f}"
                found.append((caption, sheet.unpacked(row["picture"])))
            lines.append((f"{encoder}, pool {layer}", found))
        title = f"{first['image'].iloc[0]} decoded by trained DCNs; relative errors"
        return sheet.sheet(lines, title=title)


EXPERIMENT = IhtExperiment()
