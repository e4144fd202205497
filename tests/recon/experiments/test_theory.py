"""The experiment of the theorems: its cells, its rows, and figures from the rows alone."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import skimage.transform

from recon.experiments.experiment import Pictures
from recon.experiments.theory import EXPERIMENT
from recon.theory.variance import two_layer_bound
from rrstyle.examples import photograph

SMOKE = replace(EXPERIMENT.settings["smoke"], images=2)


@pytest.fixture(scope="module")
def pictures():
    cat = skimage.transform.resize(
        photograph("chelsea")[:300, 75:375], (32, 32), anti_aliasing=True
    )
    noise = np.random.default_rng(0).random((32, 32, 3))
    return Pictures(("cat", "noise"), np.stack([cat, noise]).astype(np.float32))


@pytest.fixture(scope="module")
def table(pictures):
    rows = []
    for cell in EXPERIMENT.cells(SMOKE):
        measured = EXPERIMENT.measure(SMOKE, cell, pictures, 0)
        assert len(measured) == EXPERIMENT.rows(SMOKE, cell)
        assert all(row.items() >= cell.items() for row in measured)
        rows += measured
    # As a figure is drawn: from a file.
    text = pd.DataFrame(rows, columns=EXPERIMENT.columns).to_csv(index=False)
    return pd.read_csv(io.StringIO(text))


@pytest.mark.parametrize("scale", EXPERIMENT.settings)
def test_every_scale_has_cells_of_their_own(scale):
    cells = EXPERIMENT.cells(EXPERIMENT.settings[scale])
    assert len({tuple(cell.items()) for cell in cells}) == len(cells)
    keys = set(cells[0])
    assert all(set(cell) == keys for cell in cells)
    assert set(EXPERIMENT.columns[: len(keys)]) == keys


def test_rows_are_complete_and_apart(table):
    assert not table.isna().any().any()
    assert not table.duplicated(list(EXPERIMENT.columns[:-1])).any()


def test_a_cell_is_measured_from_its_arguments_alone(pictures):
    cell = EXPERIMENT.cells(SMOKE)[-1 - len(SMOKE.kernels) - 2 * SMOKE.after]
    assert cell["figure"] == "variance"
    once, again, other = (EXPERIMENT.measure(SMOKE, cell, pictures, seed) for seed in (0, 0, 1))
    assert once == again
    assert once != other
    # Network n of seed 0 is network n - 1 of seed 1.
    earlier = {**cell, "network": cell["network"] - 1}
    values = [row["value"] for row in EXPERIMENT.measure(SMOKE, earlier, pictures, 1)]
    assert values == [row["value"] for row in once]


def test_networks_keep_within_the_bounds(table):
    variance = table[table["figure"] == "variance"]
    keys = ["convolutions", "channels", "network", "image"]
    wide = variance.pivot_table(index=keys, columns="quantity", values="value")
    assert np.mean(wide["sin_theta"] > wide["bound"]) <= 0.1
    of_one = variance[(variance["convolutions"] == 1) & (variance["quantity"] == "bound")]
    for channels, values in of_one.groupby("channels")["value"]:
        np.testing.assert_allclose(values, two_layer_bound(channels, delta=0.1).value)


def test_zero_insertion_leaves_the_checkerboard_of_the_route_counts(table):
    boards = table[table["quantity"] == "checkerboard"]
    zero = boards[boards["upsampling"] == "zero"].set_index("convolutions")["value"]
    one, two = np.sqrt([1, 2, 2, 4]), np.sqrt([25, 20, 20, 16])
    np.testing.assert_allclose(zero[[1, 2]], [np.ptp(b) / b.mean() for b in (one, two)])
    assert zero.is_monotonic_decreasing
    assert not boards[boards["upsampling"] == "nearest"]["value"].any()


def test_cosines_keep_above_the_bounds_but_not_above_the_printed_one(table):
    angles = table[table["quantity"].isin(["cosine", "bound", "printed_bound"])]
    angles = angles[angles["figure"] != "variance"]
    keys = ["figure", "upsampling", "convolutions", "kernel", "image"]
    wide = angles.pivot_table(index=keys, columns="quantity", values="value")
    assert (wide["cosine"] >= wide["bound"] - 1e-12).all()
    first = wide.loc[("insertion", "zero", 1, 3, "cat")]
    assert first["printed_bound"] > first["cosine"]


def test_figures_are_drawn_from_rows(table, pictures):
    figure = EXPERIMENT.draw(table)
    assert len(figure.axes) == 3
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in figure.axes)
    shown = EXPERIMENT.show(table, SMOKE, pictures, 0)
    assert len(shown.axes) == 5
    for drawn in (figure, shown):
        drawn.savefig(io.BytesIO(), format="png", dpi=40)
