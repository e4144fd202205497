"""The experiments on invertibility, and the claim that they decide."""

import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recon.claims.register import CLAIMS
from recon.data.pictures import load_pictures
from recon.experiments import find_experiment
from recon.experiments.invertibility import coherence, rip_1d, rip_2d, sparsity
from recon.invertibility.coherence import filter_coherence
from recon.invertibility.sparsity import nonzero_share
from recon.sweep.run import evaluate
from rrstyle.config import NetworkConfig
from rrstyle.networks.build import build_cnn, cnn_network
from rrstyle.networks.plan import ALEXNET, VGG16, Pool
from rrstyle.networks.weight_files import load_weights, write_weights

NAMES = ("rip-1d", "rip-2d", "coherence", "sparsity", "injectivity", "rip-scaling")


@pytest.fixture(scope="module")
def tables():
    """Rows of an experiment at smoke scale by its name, each measured once."""
    found = {}

    def table(name):
        if name not in found:
            experiment = find_experiment(name)
            settings = experiment.settings["smoke"]
            pictures, _ = load_pictures(None, settings.images, settings.side, seed=0)
            rows = []
            for cell in experiment.cells(settings):
                measured = experiment.measure(settings, cell, pictures, 0)
                assert len(measured) == experiment.rows(settings, cell)
                rows += measured
            text = pd.DataFrame(rows, columns=experiment.columns).to_csv(index=False)
            found[name] = pd.read_csv(io.StringIO(text))
        return found[name]

    return table


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_finite_and_apart(tables, name):
    table, columns = tables(name), find_experiment(name).columns
    values = [c for c in ("value", "nonzero", "printed", "weights") if c in columns]
    assert not table.drop(columns="printed", errors="ignore").isna().any().any()
    assert not table.duplicated([c for c in columns if c not in values]).any()


@pytest.mark.parametrize("name", NAMES)
def test_axes_are_labelled(tables, name):
    figure = find_experiment(name).draw(tables(name))
    for ax in figure.axes:
        assert ax.get_title()
        assert ax.get_xlabel() or ax.get_xticklabels()
    assert figure.axes[0].get_ylabel()


@pytest.mark.parametrize("name", NAMES)
def test_a_cell_depends_on_its_arguments_alone(name):
    experiment = find_experiment(name)
    settings = experiment.settings["smoke"]
    pictures, _ = load_pictures(None, settings.images, settings.side, seed=0)
    cells = experiment.cells(settings)
    first, second = (next(c for c in cells if c["network"] == n) for n in (0, 1))
    rows, again, moved = (
        pd.DataFrame(experiment.measure(settings, cell, pictures, seed))
        for cell, seed in ((second, 0), (second, 0), (first, 1))
    )
    pd.testing.assert_frame_equal(again, rows)
    # Network 1 of seed 0 is network 0 of seed 1.
    pd.testing.assert_frame_equal(moved.assign(network=1), rows)


def test_ratios_of_one_dimension(tables):
    means = tables("rip-1d").groupby("quantity")["value"].mean()
    assert means["synthesis"] == pytest.approx(1, abs=0.03)
    assert means["full"] > 1.8 > 1.1 > means["support"] > 0.9
    assert means["iterated"] < means["oracle"] < means["one_step"] < 1 < means["naive"]


def test_the_paper_shapes_of_one_dimension():
    assert (rip_1d.TAPS, rip_1d.CHANNELS, rip_1d.FILTERS) == (5, 32, 96)
    assert (rip_1d.LENGTH, rip_1d.NONZEROS) == (32, 10)


def test_ratios_of_two_dimensions(tables):
    table = tables("rip-2d")
    drawn = table[table["codes"] == "random"]
    means = drawn.groupby(["border", "quantity"])["value"].mean()
    assert means["kept", "synthesis"] == pytest.approx(1, abs=0.05)
    # A 3 x 3 filter at the border of 6 x 6 shifts keeps (16 / 18)^2 of its energy on the mean.
    assert means["cut", "synthesis"] == pytest.approx(16 / 18, abs=0.05)
    residual = table[table["quantity"] == "residual"]["value"]
    assert residual.between(0.5, 1).all()


def test_recovered_activations_are_those_of_the_network():
    settings = find_experiment("rip-2d").settings["smoke"]
    pictures, _ = load_pictures(None, 1, settings.side, seed=0)
    maps = np.maximum(rip_2d._activations(settings, pictures, 3), 0)
    config = NetworkConfig(layer="conv5_1", channels=16, law="he", padding="zero")
    np.testing.assert_allclose(maps, build_cnn(config, seed=3)(pictures.pixels), atol=1e-6)
    config = NetworkConfig(layer="conv5_2", channels=16, law="he", padding="zero")
    kernel = build_cnn(config, seed=3).get_layer("conv5_2").get_weights()[0].astype(np.float64)
    norms = np.linalg.norm(kernel.reshape(-1, 16), axis=0)
    np.testing.assert_allclose(rip_2d._filters(settings, 3), kernel / norms)


def test_coherence_comes_near_what_is_printed(tables):
    table = tables("coherence")
    groups = table[table["kind"] != "ungrouped"]
    relative = groups["value"] / groups["printed"] - 1
    assert relative.abs().max() < 0.4
    assert abs(relative.mean()) < 0.15
    # Without groups, the filters of AlexNet's conv2 see 96 channels, not 48.
    second = table[(table["architecture"] == "alexnet") & (table["layer"] == "conv2_1")]
    means = second.groupby("kind")["value"].mean()
    assert means["ungrouped"] < 0.8 * means["filters"]
    assert means["groups"] <= min(means["rows"], means["filters"])


def test_coherence_is_that_of_the_networks_own_filters(tables):
    model = build_cnn(NetworkConfig(layer="conv1_2", padding="zero"), seed=1)
    kernel = model.get_layer("conv1_2").get_weights()[0]
    table = tables("coherence")
    row = table.query("layer == 'conv1_2' and network == 1 and kind == 'filters'")
    assert row["value"].item() == pytest.approx(filter_coherence(kernel), rel=1e-5)


def test_what_is_printed_has_a_place_for_every_layer():
    for architecture in (VGG16, ALEXNET):
        names = [c.name for c in architecture.convolutions]
        for filters in ("random", "learned"):
            assert len(coherence.PRINTED[architecture.name, filters]) == len(names)
        layers = sparsity.PRINTED[architecture.name]
        assert [n for n in layers if n.startswith("conv")] == names
        before = zip(architecture.layers, architecture.layers[1:], strict=False)
        pooled = {int(c.name[4]) for c, following in before if isinstance(following, Pool)}
        assert {int(n[4:]) for n in layers if n.startswith("pool")} == pooled


def test_random_networks_fire_half_of_their_units(tables):
    table = tables("sparsity")
    convolutions = table[table["layer"].str.startswith("conv")]
    assert convolutions["nonzero"].mean() == pytest.approx(50, abs=8)
    pools = table[table["layer"].str.startswith("pool")]
    assert pools["nonzero"].mean() > convolutions["nonzero"].mean()


def ratios(**means):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"network": network, "quantity": quantity, "value": mean + 0.01 * rng.standard_normal()}
        for quantity, mean in means.items()
        for network in range(6)
        for _ in range(3)
    )


def test_ratios_about_one_by_the_whole_interval():
    (claim,) = (claim for claim in CLAIMS if claim.id == "G3")
    found = claim.findings(ratios(synthesis=1, support=1.1, full=2, one_step=0.3))
    assert [finding.verdict for finding in found] == ["holds", "undecided", "fails"]
    assert found[0].effect.networks == 6
    assert found[0].detail.startswith("95 % of the codes from 0.9")
    (none,) = claim.findings(ratios(one_step=0.3))
    assert none.verdict == "not tested"


def test_the_claim_on_the_experiments_own_rows(tables):
    (claim,) = (claim for claim in CLAIMS if claim.id == "G3")
    found = claim.findings(tables("rip-1d"))
    assert [finding.verdict for finding in found] == ["holds", "holds", "fails"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """VGG16 of 8 channels with biases, as a file of trained weights."""
    network = NetworkConfig(layer="conv5", channels=8, padding="zero", law="he")
    drawn = cnn_network(network, seed=3).weights
    weights = [w + np.float32(0.05) if w.ndim == 1 else w for w in drawn]
    path = tmp_path_factory.mktemp("encoder") / "tiny.npz"
    write_weights(path, network, weights)
    return load_weights(path)


def with_trained(name, encoder):
    experiment = find_experiment(name)
    settings = replace(experiment.settings["smoke"], trained=(encoder.architecture,))
    pictures, _ = load_pictures(None, settings.images, settings.side, seed=0)
    pictures = replace(pictures, encoders=(encoder,))
    cells = [cell for cell in experiment.cells(settings) if cell["filters"] == "learned"]
    found = {}
    for cell in cells:
        rows = experiment.measure(settings, cell, pictures, 0)
        assert len(rows) == experiment.rows(settings, cell)
        assert {row["weights"] for row in rows} == {"tiny.npz"}
        found |= {(row.get("kind"), row["layer"], row.get("image")): row for row in rows}
    return found, pictures


def test_coherence_of_learned_filters(trained, tables):
    found, _ = with_trained("coherence", trained)
    assert len(found) == 2 * 4  # two kinds, the layers of the smoke scale
    row = found["filters", "conv2_1", None]
    assert row["value"] == filter_coherence(trained.layers["conv2_1"][0])
    assert row["printed"] == 0.644
    both = pd.concat([tables("coherence"), pd.DataFrame(found.values())])
    figure = coherence.EXPERIMENT.draw(both)
    assert figure.axes[0].get_title() == "vgg16, Gaussian and learned filters"
    assert figure.axes[1].get_title() == "alexnet, Gaussian filters"


def test_sparsity_of_a_trained_network(trained, tables):
    found, pictures = with_trained("sparsity", trained)
    row = found[None, "conv1_1", "chelsea"]
    network = NetworkConfig(layer="conv1_1", channels=8, padding="zero")
    first = build_cnn(network, seed=0)
    first.set_weights(list(trained.layers["conv1_1"]))
    share = nonzero_share(np.asarray(first(pictures.pixels[:1])))
    assert row["nonzero"] == pytest.approx(100 * share.item())
    assert row["pixels"] == "positive"
    assert {layer for _, layer, _ in found} == set(sparsity.PRINTED["vgg16"])
    both = pd.concat([tables("sparsity"), pd.DataFrame(found.values())])
    labels = sparsity.EXPERIMENT.draw(both).axes[0].get_legend_handles_labels()[1]
    assert "tiny.npz, pixels in [0, 1]" in labels


def test_ratios_of_learned_filters(trained, tables):
    experiment = find_experiment("rip-2d")
    settings = replace(experiment.settings["smoke"], trained=("vgg16",))
    pictures, _ = load_pictures(None, settings.images, settings.side, seed=0)
    pictures = replace(pictures, encoders=(trained,))
    cells = [cell for cell in experiment.cells(settings) if cell["filters"] == "learned"]
    assert [cell["codes"] for cell in cells] == ["random"] * 2 + ["before_relu", "after_relu"]
    measured = [experiment.measure(settings, cell, pictures, 0) for cell in cells]
    assert [len(rows) for rows in measured] == [experiment.rows(settings, c) for c in cells]
    rows = pd.DataFrame([row for part in measured for row in part])
    assert set(rows["weights"]) == {"tiny.npz"}
    # conv5_2 of the file, on what its conv5_1 makes of the picture, biases included.
    kernel = trained.layers["conv5_2"][0].astype(np.float64)
    filters = rip_2d._filters(settings, 0, trained)
    np.testing.assert_allclose(filters * np.linalg.norm(kernel.reshape(-1, 8), axis=0), kernel)
    network = NetworkConfig(layer="conv5_1", channels=8, padding="zero")
    cnn = build_cnn(network, seed=0)
    cnn.set_weights(list(trained.up_to(network).weights))
    maps = rip_2d._activations(settings, pictures, 0, trained)
    np.testing.assert_allclose(np.maximum(maps, 0), cnn(pictures.pixels), atol=1e-6)
    means = rows[rows["codes"] == "random"].groupby(["border", "quantity"])["value"].mean()
    assert means["kept", "synthesis"] == pytest.approx(1, abs=0.1)
    figure = experiment.draw(pd.concat([tables("rip-2d"), rows]))
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[0] == "(a) random codes, random filters"
    assert titles[5] == "(c) codes of activations after the ReLU, learned filters"


def test_a_layer_that_the_file_lacks_is_named(trained):
    with pytest.raises(ValueError, match=r"encoder must have conv6_1; received 'tiny.npz'"):
        trained.kernel("conv6_1")


def test_the_record_names_what_solves(tmp_path):
    evaluate("rip-1d", scale="smoke", out=tmp_path, workers=1)
    versions = json.loads((tmp_path / "rip-1d.json").read_text())["versions"]
    assert "pylops" in versions
