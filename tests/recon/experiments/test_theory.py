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
from tests.support.montecarlo import assert_mean

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


@pytest.mark.parametrize("figure", ["variance", "l2", "average"])
def test_a_cell_is_measured_from_its_arguments_alone(pictures, figure):
    of_figure = [cell for cell in EXPERIMENT.cells(SMOKE) if cell["figure"] == figure]
    cell = [cell for cell in of_figure if cell["channels"]][-1]
    once, again, other = (EXPERIMENT.measure(SMOKE, cell, pictures, seed) for seed in (0, 0, 1))
    assert once == again
    assert once != other
    # Network n of seed 0 is network n - 1 of seed 1.
    earlier = {**cell, "network": cell["network"] - 1}
    values = [row["value"] for row in EXPERIMENT.measure(SMOKE, earlier, pictures, 1)]
    assert values == [row["value"] for row in once]


def test_networks_keep_within_the_bound_by_exactly_the_variance_that_it_is_made_of(pictures):
    # The mean of ||f - f*||^2 / ||f*||^2 is K_1 / N: too far and too near both fail.
    cell = EXPERIMENT.cells(SMOKE)[0] | {"channels": 16}
    cat = Pictures(pictures.names[:1], pictures.pixels[:1])
    rows = [
        row
        for network in range(150)
        for row in EXPERIMENT.measure(SMOKE, cell | {"network": network}, cat, 0)
    ]
    one = pd.DataFrame(rows).pivot_table(index="network", columns="quantity", values="value")
    tangents = one["sin_theta"] ** 2 / (1 - one["sin_theta"] ** 2)
    assert_mean((one["scale"] - 1) ** 2 + one["scale"] ** 2 * tangents, (np.pi - 1) / 16)
    assert_mean(one["scale"], 1)
    np.testing.assert_allclose(one["bound"], two_layer_bound(16, delta=0.1).value)
    assert np.mean(one["sin_theta"] > one["bound"]) <= 0.1


def test_the_limits_rows_have_both_constants(table):
    limit = table[(table["channels"] == 0) & (table["figure"] == "l2")]
    values = limit.groupby("quantity")["value"].first()
    # Two convolutions before the last: k_2 = 0.005 in place of its root, twice.
    assert values["printed_constant"] / values["constant"] == pytest.approx(0.005)
    assert set(values.index) == {"constant", "printed_constant", "ssim"}


def test_zero_insertion_leaves_the_checkerboard_of_the_route_counts(table):
    boards = table[table["quantity"] == "checkerboard"]
    zero = boards[boards["upsampling"] == "zero"].set_index("convolutions")["value"]
    one, two = np.sqrt([1, 2, 2, 4]), np.sqrt([25, 20, 20, 16])
    np.testing.assert_allclose(zero[[1, 2]], [np.ptp(b) / b.mean() for b in (one, two)])
    assert zero.is_monotonic_decreasing
    assert not boards[boards["upsampling"] == "nearest"]["value"].any()


def test_cosines_keep_above_the_bounds_but_not_above_the_printed_one(table):
    angles = table[table["quantity"].isin(["cosine", "bound", "printed_bound"])]
    angles = angles[angles["figure"].isin(["insertion", "angle"])]
    keys = ["figure", "upsampling", "convolutions", "kernel", "image"]
    wide = angles.pivot_table(index=keys, columns="quantity", values="value")
    assert (wide["cosine"] >= wide["bound"] - 1e-12).all()
    first = wide.loc[("insertion", "zero", 1, 3, "cat")]
    assert first["printed_bound"] > first["cosine"]


def test_figures_are_drawn_from_rows(table, pictures):
    figure = EXPERIMENT.draw(table)
    assert len(figure.axes) == 6
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in figure.axes)
    shown = EXPERIMENT.show(table, SMOKE, pictures, 0)
    assert len(shown.axes) == 5
    for drawn in (figure, shown):
        drawn.savefig(io.BytesIO(), format="png", dpi=40)
