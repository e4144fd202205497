"""Tables of Gilbert et al. with our numbers beside the printed ones, from the rows alone.

The printed numbers are in the rows, where the experiments put them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from recon.claims.verdicts import number
from recon.report.files import Results

_NONE = "–"


@dataclass(frozen=True)
class Table:
    """A table of the paper.

    Attributes:
        title: Number and subject of the table.
        experiment: Name of the experiment whose rows it is from.
        header: Names of the columns.
        rows: Cells of each row, "ours / printed".
        note: Settings that explain the difference.
    """

    title: str
    experiment: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


def tables(results: Results) -> tuple[Table, ...]:
    """Those of the paper's tables whose experiments have usable results, in its order."""
    found = []
    for experiment, columns, build in _TABLES:
        result = results.chosen.get(experiment)
        if result is not None and result.rows is not None and not result.problem:
            settings = result.meta.get("settings") or {}
            if set(columns) <= set(result.rows):
                found.append(build(result.rows, settings))
    return tuple(found)


def _accuracy(rows: pd.DataFrame, settings: Mapping[str, Any]) -> Table:
    test = rows[rows["set"] == "test"]
    depths = sorted(test["layers"].unique())
    lines = []
    for filters, part in test.groupby("filters", sort=False):
        of_depth = part.groupby("layers")[["accuracy", "printed"]].mean()
        cells = (f"{of_depth.accuracy[d]:.1f} / {of_depth.printed[d]:.1f}" for d in depths)
        lines.append((f"{filters} filters", *cells))
    images, tested = settings.get("images", 0), settings.get("tested", 0)
    return Table(
        "Table 1: accuracy in percent, by the number of layers",
        "cifar-random",
        ("", *(f"{depth} layer{'' if depth == 1 else 's'}" for depth in depths)),
        tuple(lines),
        f"Ours: {images - tested} training and {tested} test pictures, at most"
        f" {settings.get('channels')} channels a layer, {settings.get('epochs')} epochs. Printed:"
        " all of CIFAR-10, 1024 to 2048 channels.",
    )


def _coherence(architecture: str, title: str) -> Callable[..., Table]:
    def build(rows: pd.DataFrame, settings: Mapping[str, Any]) -> Table:
        chosen = rows[(rows["architecture"] == architecture) & (rows["kind"] == "filters")]
        header, columns, files = ["layer"], [], []
        for filters, part in chosen.groupby("filters", sort=False):
            header.append(f"{filters} filters")
            columns.append(part.groupby("layer", sort=False)[["value", "printed"]].mean())
            if filters != "random":
                files += part["weights"].unique().tolist()
        lines = (
            (layer, *(_pair(column, "value", "printed", layer) for column in columns))
            for layer in chosen["layer"].unique()
        )
        note = f"Random filters: the mean of {settings.get('networks')} networks."
        if files:
            note += f" Learned filters: ours of {', '.join(files)}, printed of ILSVRC 2012."
        return Table(title, "coherence", tuple(header), tuple(lines), note)

    return build


def _reconstruction(rows: pd.DataFrame, settings: Mapping[str, Any]) -> Table:
    naive = rows[rows["unpooling"] != "switches"]
    kinds = ("learned", "random", "activations")
    lines = []
    for (encoder, layer), part in naive.groupby(["encoder", "layer"], sort=False):
        means = part.groupby("filters")[list(_ERRORS)].mean()
        cells = (
            _pair(means, score, f"printed_{score}", kind)
            for score in ("image_error", "activation_error")
            for kind in kinds
        )
        own = number(means["image_error"]["original"])
        lines.append((f"{encoder} CNN, {layer}", own, *cells))
    trained = rows[rows["encoder"] == "trained"]["weights"].unique()
    of = f"the trained CNN is {', '.join(trained)}" if len(trained) else "no trained CNN was given"
    return Table(
        "Table 4: relative errors of reconstructions, by macro layer",
        "iht",
        (
            "CNN, layer",
            "image: x itself",
            *(f"{space}: {kind}" for space in ("image", "activations") for kind in kinds),
        ),
        tuple(lines),
        "learned and random: filters of one iteration of IHT, naive unpooling; activations: random"
        " ones; x itself: what the DCN makes of the unharmed activations, which the paper does not"
        f" print. Ours: {of}; a DCN without switches, trained for {settings.get('steps')} steps on"
        f" squares of {settings.get('crop')} px. Printed: VGG16 of ILSVRC 2012, switches.",
    )


def _pair(frame: pd.DataFrame, ours: str, printed: str, row: str) -> str:
    """ "ours / printed"; a dash where the rows lack it."""
    if row not in frame.index:
        return _NONE
    return f"{number(frame[ours][row])} / {number(frame[printed][row])}"


_COHERENCE = ("architecture", "layer", "filters", "weights", "kind", "value", "printed")
_ERRORS = ("image_error", "activation_error", "printed_image_error", "printed_activation_error")
_TABLES: tuple[tuple[str, tuple[str, ...], Callable[..., Table]], ...] = (
    ("cifar-random", ("filters", "layers", "set", "accuracy", "printed"), _accuracy),
    ("coherence", _COHERENCE, _coherence("vgg16", "Table 3: coherence of VGG16's filters")),
    (
        "iht",
        ("encoder", "layer", "weights", "filters", "unpooling", *_ERRORS),
        _reconstruction,
    ),
    ("coherence", _COHERENCE, _coherence("alexnet", "Table 6: coherence of AlexNet's filters")),
)
