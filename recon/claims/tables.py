"""Tables of Gilbert et al. with our numbers beside the printed ones, from the rows alone.

The printed numbers are in the rows, where the experiments put them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from recon.claims.verdicts import number
from recon.report.files import Results

_NONE = "–"


@dataclass(frozen=True)
class Table:
    """A table of the paper."""

    title: str  # number and subject of the table
    experiment: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]  # cells of each row, "ours / printed"
    note: str  # settings that explain the difference


def tables(results: Results) -> tuple[Table, ...]:
    """Those of the paper's tables whose experiments have usable results, in its order."""
    found = []
    for title, experiment, columns, build in _TABLES:
        result = results.chosen.get(experiment)
        if result is None or result.rows is None or result.problem:
            continue
        if set(columns) <= set(result.rows):
            built = build(result.rows, result.meta.get("settings") or {})
            found.append(Table(title, experiment, *built))
    return tuple(found)


def _accuracy(rows: pd.DataFrame, settings: Mapping[str, Any]) -> tuple:
    test = rows[rows["set"] == "test"]
    depths = sorted(test["layers"].unique())
    lines = []
    for filters, part in test.groupby("filters", sort=False):
        of_depth = part.groupby("layers")[["accuracy", "printed"]].mean()
        cells = (f"{of_depth.accuracy[d]:.1f} / {of_depth.printed[d]:.1f}" for d in depths)
        lines.append((f"{filters} filters", *cells))
    images, tested = settings.get("images", 0), settings.get("tested", 0)
    note = (
        f"Ours: {images - tested} training and {tested} test pictures, at most"
        f" {settings.get('channels')} channels a layer, {settings.get('epochs')} epochs. Printed:"
        " all of CIFAR-10, 1024 to 2048 channels."
    )
    header = ("", *(f"{depth} layer{'' if depth == 1 else 's'}" for depth in depths))
    return header, tuple(lines), note


def _coherence(rows: pd.DataFrame, settings: Mapping[str, Any], architecture: str) -> tuple:
    chosen = rows[(rows["architecture"] == architecture) & (rows["kind"] == "filters")]
    columns = {
        f"{filters} filters": part.groupby("layer", sort=False)[["value", "printed"]].mean()
        for filters, part in chosen.groupby("filters", sort=False)
    }
    lines = (
        (layer, *(_pair(column, "value", "printed", layer) for column in columns.values()))
        for layer in chosen["layer"].unique()
    )
    note = f"Random filters: the mean of {settings.get('networks')} networks."
    learned = chosen[chosen["filters"] != "random"]["weights"].unique()
    if len(learned):
        note += f" Learned filters: ours of {', '.join(learned)}, printed of ILSVRC 2012."
    return ("layer", *columns), tuple(lines), note


def _reconstruction(rows: pd.DataFrame, settings: Mapping[str, Any]) -> tuple:
    naive = rows[rows["unpooling"] != "switches"].copy()
    # A trained VGG16's numbers do not stand beside a random CNN.
    naive.loc[naive["encoder"] == "random", list(_ERRORS[2:])] = float("nan")
    kinds = ("learned", "random", "activations")
    lines = []
    for (encoder, layer), part in naive.groupby(["encoder", "layer"], sort=False):
        means = part.groupby("filters")[list(_ERRORS)].mean()
        cells = (
            _pair(means, score, f"printed_{score}", kind)
            for score in ("image_error", "activation_error")
            for kind in kinds
        )
        errors = means["image_error"]
        own = (number(errors[kind]) if kind in errors else _NONE for kind in ("original", "mean"))
        lines.append((f"{encoder} CNN, {layer}", *own, *cells))
    trained = rows[rows["encoder"] == "trained"]["weights"].unique()
    of = f"the trained CNN is {', '.join(trained)}" if len(trained) else "no trained CNN was given"
    note = (
        "learned and random: filters of one iteration of IHT, naive unpooling; activations: random"
        " ones; x itself: what the DCN makes of the unharmed activations, which the paper does not"
        f" print. Ours: {of}; a DCN trained for {settings.get('steps')} steps on squares of"
        f" {settings.get('crop')} px. Printed: VGG16 of ILSVRC 2012, its DCN trained far"
        " longer."
    )
    spaces = (f"{space}: {kind}" for space in ("image", "activations") for kind in kinds)
    header = "CNN, layer", "image: x itself", "image: mean picture", *spaces
    return header, tuple(lines), note


def _sparsity(rows: pd.DataFrame, settings: Mapping[str, Any], architecture: str) -> tuple:
    chosen = rows[rows["architecture"] == architecture]
    kinds = chosen["filters"] + ", pixels " + chosen["pixels"].replace(_PIXELS)
    means = chosen.groupby(["layer", kinds], sort=False)["nonzero"].mean().unstack(sort=False)
    printed = chosen.groupby("layer")["printed"].first()
    lines = (
        (layer, *(_NONE if pd.isna(x) else f"{x:.1f}" for x in found), f"{printed[layer]:.1f}")
        for layer, found in zip(means.index, means.to_numpy(), strict=True)
    )
    note = (
        f"Random filters: the mean of {settings.get('networks')} networks and"
        f" {settings.get('images')} pictures. Printed: trained on ILSVRC 2012."
    )
    learned = chosen[chosen["filters"] == "learned"]["weights"].unique()
    if len(learned):
        note += f" Learned filters: of {', '.join(learned)}."
    return ("layer", *means.columns, "printed"), tuple(lines), note


def _pair(frame: pd.DataFrame, ours: str, printed: str, row: str) -> str:
    """ "ours / printed", or ours alone where nothing is printed; a dash where the rows lack it."""
    if row not in frame.index:
        return _NONE
    beside = frame[printed][row]
    return number(frame[ours][row]) + (f" / {number(beside)}" if pd.notna(beside) else "")


_ACCURACY = ("filters", "layers", "set", "accuracy", "printed")
_COHERENCE = ("architecture", "layer", "filters", "weights", "kind", "value", "printed")
_ERRORS = ("image_error", "activation_error", "printed_image_error", "printed_activation_error")
_IHT = ("encoder", "layer", "weights", "filters", "unpooling", *_ERRORS)
_SPARSITY = ("architecture", "filters", "pixels", "weights", "layer", "nonzero", "printed")
_PIXELS = {"centred": "less the mean colour", "positive": "in [0, 1]"}
_OF_VGG16, _OF_ALEXNET = (partial(_coherence, architecture=name) for name in ("vgg16", "alexnet"))
_VGG16, _ALEXNET = (partial(_sparsity, architecture=name) for name in ("vgg16", "alexnet"))
# Title, experiment, columns that are read, and function to header, rows and note.
_TABLES: tuple[tuple[str, str, tuple[str, ...], Any], ...] = (
    ("Table 1: accuracy in percent, by the number of layers", "cifar-random", _ACCURACY, _accuracy),
    ("Table 2: non-zeros in percent, VGG16", "sparsity", _SPARSITY, _VGG16),
    ("Table 3: coherence of VGG16's filters", "coherence", _COHERENCE, _OF_VGG16),
    ("Table 4: relative errors of reconstructions, by macro layer", "iht", _IHT, _reconstruction),
    ("Table 6: coherence of AlexNet's filters", "coherence", _COHERENCE, _OF_ALEXNET),
    ("Table 7: non-zeros in percent, AlexNet", "sparsity", _SPARSITY, _ALEXNET),
)
