"""The paper's tables with ours beside them, from rows alone."""

import json
import runpy
from pathlib import Path

import pandas as pd
import pytest

from recon.claims.tables import tables
from recon.report.files import read_results

ROOT = Path(__file__).parents[3]
SETTINGS = {"images": 150, "tested": 50, "channels": 8, "epochs": 3, "networks": 2}
SETTINGS |= {"steps": 80, "crop": 64}


def accuracies():
    return pd.DataFrame(
        {"filters": filters, "layers": depth, "network": network, "set": name}
        | {"accuracy": 50 + 10 * depth + network + 20 * (name == "training"), "printed": 66.5}
        for filters in ("random", "learned")
        for depth in (1, 2)
        for network in range(2)
        for name in ("training", "test")
    )


def coherences(*kinds):
    return pd.DataFrame(
        {"architecture": name, "layer": layer, "filters": kind, "network": network}
        | {"weights": "gaussian" if kind == "random" else "mine.npz", "kind": measure}
        | {"value": 0.1 * (network + 1) * (measure == "filters"), "printed": 0.122}
        for name in ("vgg16", "alexnet")
        for layer in ("conv1_1", "conv2_1")
        for kind in kinds
        for network in range(2 if kind == "random" else 1)
        for measure in ("filters", "rows")
    )


def errors(*kinds):
    return pd.DataFrame(
        {"encoder": "random", "layer": layer, "network": network, "weights": "gaussian 0.015"}
        | {"filters": kind, "unpooling": unpooling, "activation_error": 0.9}
        | {"image_error": 0.3 + 0.2 * network + 5 * (unpooling == "switches")}
        | {"printed_activation_error": 0.872, "printed_image_error": 0.38, "picture": ""}
        for layer in (1, 2)
        for network in range(2)
        for kind in kinds
        for unpooling in (
            ("none",) if kind in ("original", "activations") else ("naive", "switches")
        )
    )


def nonzeros(*kinds):
    """Of two networks and two pictures, 10, 20, 30 and 40 %; 5 % more by the second layer."""
    return pd.DataFrame(
        {"architecture": name, "filters": kind, "pixels": pixels, "network": network}
        | {"weights": "he" if kind == "random" else "mine.npz", "layer": layer, "image": image}
        | {"nonzero": 10 + 20 * network + 10 * image + 5 * deeper, "printed": 49.1}
        for name in ("vgg16", "alexnet")
        for kind, pixels in kinds
        for network in range(2)
        for deeper, layer in enumerate(("conv1_1", "pool1"))
        for image in range(2)
    )


@pytest.fixture
def found(tmp_path):
    def write(**of_experiments):
        for name, rows in of_experiments.items():
            path = tmp_path / name.replace("_", "-")
            rows.to_csv(path.with_suffix(".csv"), index=False, na_rep="undefined")
            record = {"experiment": path.name, "scale": "smoke", "settings": SETTINGS}
            record |= {"rows": len(rows), "finished": True}
            path.with_suffix(".json").write_text(json.dumps(record))
        return read_results(tmp_path)

    return write


def test_accuracies_are_those_of_test_pictures(found):
    (table,) = tables(found(cifar_random=accuracies()))
    assert table.header == ("", "1 layer", "2 layers")
    assert table.rows == (
        ("random filters", "60.5 / 66.5", "70.5 / 66.5"),
        ("learned filters", "60.5 / 66.5", "70.5 / 66.5"),
    )
    assert "100 training and 50 test pictures, at most 8 channels a layer, 3 epochs" in table.note


def test_coherence_has_a_learned_column_where_it_was_measured(found):
    third, sixth = tables(found(coherence=coherences("random", "learned")))
    assert third.title.startswith("Table 3")
    assert sixth.title.startswith("Table 6")
    assert third.header == ("layer", "random filters", "learned filters")
    assert third.rows[0] == ("conv1_1", "0.150 / 0.122", "0.100 / 0.122")
    assert "mine.npz" in third.note
    third, _ = tables(found(coherence=coherences("random")))
    assert third.header == ("layer", "random filters")
    assert "earned" not in third.note


def test_errors_are_those_of_naive_unpooling(found):
    rows = errors("original", "mean", "random", "activations")
    (table,) = tables(found(iht=rows.assign(encoder="trained")))
    assert len(table.header) == 9
    assert table.rows[0] == (
        "trained CNN, 1",
        "0.400",
        "0.400",
        "–",
        "0.400 / 0.380",
        "0.400 / 0.380",
        "–",
        "0.900 / 0.872",
        "0.900 / 0.872",
    )
    assert "the trained CNN is gaussian 0.015" in table.note
    # What is printed is of a trained VGG16, and does not stand beside a random one.
    (table,) = tables(found(iht=rows[rows["filters"] != "mean"]))
    assert table.rows[0] == (
        "random CNN, 1",
        "0.400",
        "–",
        "–",
        "0.400",
        "0.400",
        "–",
        "0.900",
        "0.900",
    )
    assert "no trained CNN was given" in table.note


def test_non_zeros_are_means_over_networks_and_pictures_by_layer(found):
    kinds = ("random", "centred"), ("learned", "positive")
    vgg16, alexnet = tables(found(sparsity=nonzeros(*kinds)))
    assert [table.title[:7] for table in (vgg16, alexnet)] == ["Table 2", "Table 7"]
    header = "layer", "random, pixels less the mean colour", "learned, pixels in [0, 1]", "printed"
    assert vgg16.header == alexnet.header == header
    expected = ("conv1_1", "25.0", "25.0", "49.1"), ("pool1", "30.0", "30.0", "49.1")
    assert vgg16.rows == alexnet.rows == expected
    assert "2 networks and 150 pictures" in vgg16.note
    assert "Learned filters: of mine.npz" in vgg16.note
    vgg16, _ = tables(found(sparsity=nonzeros(kinds[0])))
    assert vgg16.rows == (("conv1_1", "25.0", "49.1"), ("pool1", "30.0", "49.1"))
    assert "Learned" not in vgg16.note


def test_rows_without_the_columns_make_no_table(found):
    assert tables(found(coherence=coherences("random").drop(columns="filters"))) == ()


def test_tables_are_in_the_results_page_in_the_order_of_the_paper(found):
    results = found(
        iht=errors("original", "random", "activations"),
        coherence=coherences("random"),
        cifar_random=accuracies(),
        sparsity=nonzeros(("random", "centred")),
    )
    page = runpy.run_path(str(ROOT / "docs/make_results.py"))["page"](results)
    titles = [line for line in page.splitlines() if line.startswith("### Table")]
    assert [title.split(":")[0] for title in titles] == [
        f"### Table {n}" for n in (1, 2, 3, 4, 6, 7)
    ]
    assert "|  | 1 layer | 2 layers |\n|---|---|---|\n" in page
    assert "[cifar-random](#cifar-random)" in page
