"""Table 4: reconstruction by one iteration of IHT, its rows, and the claims that they decide."""

import io
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recon.claims.register import CLAIMS
from recon.data.pictures import load_pictures
from recon.experiments import find_experiment
from recon.experiments.experiment import Pictures
from recon.experiments.invertibility import iht
from recon.experiments.sheet import packed, unpacked
from rrstyle.config import NetworkConfig
from rrstyle.networks.build import build_cnn, cnn_network
from rrstyle.networks.weight_files import load_weights, write_weights

EXPERIMENT = find_experiment("iht")
IDENTITY = np.zeros((3, 3, 2, 2))
IDENTITY[1, 1] = 5 * np.eye(2)  # brought to norm 1


def encoder_file(folder, layer="conv3", channels=8):
    network = NetworkConfig(layer=layer, channels=channels, padding="zero", law="he")
    path = folder / "tiny.npz"
    write_weights(path, network, cnn_network(network, seed=5).weights)
    return load_weights(path)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Rows of the smoke scale with a trained encoder, as they are read from their file."""
    encoder = encoder_file(tmp_path_factory.mktemp("encoder"))
    pictures, settings = smoke(encoder)
    settings = replace(settings, networks=1)
    rows = []
    for cell in EXPERIMENT.cells(settings):
        measured = EXPERIMENT.measure(settings, cell, pictures, 0)
        assert len(measured) == EXPERIMENT.rows(settings, cell)
        rows += measured
    text = pd.DataFrame(rows, columns=EXPERIMENT.columns).to_csv(index=False, na_rep="undefined")
    return pd.read_csv(io.StringIO(text), na_values=["undefined"], keep_default_na=False)


def smoke(*encoders):
    settings = EXPERIMENT.settings["smoke"]
    found, _ = load_pictures(None, settings.images, settings.side, seed=0)
    settings = replace(settings, trained=tuple(e.architecture for e in encoders))
    return Pictures(found.names, found.pixels, encoders), settings


def test_reconstruction_by_hand():
    # W is the identity, so that codes are activations: of each 2 x 2 region the largest is kept.
    activations = np.array([[[1.0, 0], [2, 0]], [[3, 0], [4, 6]]])[None]
    norm = math.sqrt(1 + 4 + 9 + 16 + 36)
    both = iht.reconstruct(activations, IDENTITY, share=1, unpooling="switches")
    expected = np.zeros((1, 2, 2, 2))
    expected[0, 1, 1] = np.array([4, 6]) * norm / math.sqrt(16 + 36)
    np.testing.assert_allclose(both, expected)
    naive = iht.reconstruct(activations, IDENTITY, share=1, unpooling="naive")
    np.testing.assert_allclose(naive[0, 0, 0], expected[0, 1, 1])
    assert np.count_nonzero(naive) == 2
    # An eighth of the eight entries is one.
    one = iht.reconstruct(activations, IDENTITY, share=1 / 8, unpooling="switches")
    np.testing.assert_allclose(one[0, 1, 1], (0, norm), atol=1e-12)
    assert np.count_nonzero(one) == 1


@pytest.mark.parametrize("unpooling", iht.UNPOOLINGS)
def test_reconstruction_keeps_scale_and_norm(unpooling):
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(3, 3, 4, 6))
    activations = np.maximum(rng.normal(size=(2, 5, 7, 4)), 0)  # an odd border is cut
    found = iht.reconstruct(activations, kernel, share=0.5, unpooling=unpooling)
    assert found.shape == activations.shape
    norms = [np.linalg.norm(x.reshape(2, -1), axis=1) for x in (found, activations)]
    np.testing.assert_allclose(*norms)
    again = iht.reconstruct(3 * activations, 0.1 * kernel, share=0.5, unpooling=unpooling)
    np.testing.assert_allclose(again, 3 * found)
    apart = iht.reconstruct(activations[1:], kernel, share=0.5, unpooling=unpooling)
    np.testing.assert_allclose(apart, found[1:])


def test_nothing_has_no_scale():
    like = np.array([[3.0, 4], [0, 0]])
    values = np.array([[0.0, 2], [1, 1]])
    np.testing.assert_array_equal(iht.scaled_to(values, like), [[0, 5], [0, 0]])
    np.testing.assert_array_equal(iht.scaled_to(0 * values, like), 0 * values)


def test_random_filters_give_back_most_of_random_activations():
    # W^T W is a multiple of the identity on the mean, so what all of W x gives back is x and noise.
    rng = np.random.default_rng(1)
    activations = np.maximum(rng.normal(size=(1, 8, 8, 16)), 0)
    few, many = (
        iht.relative_error(
            iht.reconstruct(
                activations, rng.normal(size=(3, 3, 16, filters)), share=1, unpooling="switches"
            ),
            activations,
        )[0]
        for filters in (16, 512)
    )
    assert many < 0.6 < few < math.sqrt(2)


def test_rows_are_those_of_the_methods(table):
    numbers = ["activation_error", "image_error", "decoded_error"]
    assert np.isfinite(table[numbers]).all().all()
    keys = ["encoder", "layer", "network", "filters", "unpooling", "image"]
    assert not table.duplicated(keys).any()
    kinds = table.groupby("encoder")["filters"].unique()
    assert set(kinds["trained"]) == {"original", "mean", "learned", "random", "activations"}
    assert set(kinds["random"]) == {"original", "mean", "random", "activations"}
    own = table[table["filters"] == "original"]
    assert (own[["activation_error", "decoded_error"]] == 0).all().all()
    assert (table.groupby("encoder")["weights"].first() != "").all()
    printed = table[table["printed_image_error"].notna()]
    assert set(printed["unpooling"]) == {"naive", "none"}
    assert set(printed["encoder"]) == {"trained"}  # what is printed is of a trained VGG16
    row = printed.query("layer == 2 and filters == 'learned'").iloc[0]
    assert (row["printed_activation_error"], row["printed_image_error"]) == (0.961, 0.692)


def test_the_mean_picture_by_hand(table):
    pictures, settings = smoke()
    cut = (settings.side - settings.crop) // 2
    held_out, known = (np.rint(255 * pictures.pixels[i : i + 1]) / 255 for i in (0, 1))
    truth, mean = (x[0, cut:-cut, cut:-cut] for x in (held_out, known))
    rows = table[table["filters"] == "mean"]
    assert rows.groupby(["encoder", "layer"]).size().eq(1).all()
    error = np.linalg.norm(mean - truth) / np.linalg.norm(truth)
    np.testing.assert_allclose(rows["image_error"], error, rtol=1e-5)


def test_random_activations_are_at_right_angles(table):
    # ||x^ - x||^2 / ||x||^2 = 2 - 2 cos, and cos has a deviation of d^(-1/2).
    drawn = table[table["filters"] == "activations"]
    for layer, part in drawn.groupby("layer"):
        entries = 8 * (32 / 2**layer) ** 2
        cosine = 1 - part["activation_error"] ** 2 / 2
        assert cosine.abs().max() < 4.5 / math.sqrt(entries)


def test_the_cat_is_in_the_rows(table):
    cats = table[table["picture"] != ""]
    assert set(cats["image"]) == {"chelsea"}
    assert unpacked(cats["picture"].iloc[0]).shape == (32, 32, 3)
    image = np.random.default_rng(0).integers(0, 256, (4, 5, 3)) / np.float32(255)
    np.testing.assert_allclose(unpacked(packed(image)), image, atol=1e-7)


def test_figures_from_the_rows(table):
    figure = EXPERIMENT.draw(table)
    assert [ax.get_title() for ax in figure.axes] == [
        "random VGG16: image error",
        "random VGG16: activation error",
        "trained (tiny.npz) VGG16: image error",
        "trained (tiny.npz) VGG16: activation error",
    ]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()][:4] == [
        "x itself",
        "mean picture",
        "learned filters, naive",
        "learned filters, switches",
    ]
    sheet = EXPERIMENT.show(table)
    assert len(sheet.axes) == 4 * 7  # encoders and layers, methods of the trained one


def test_filters_are_those_of_the_convolution_above(tmp_path):
    encoder = encoder_file(tmp_path)
    pictures, settings = smoke(encoder)
    learned = iht._filters(settings, pictures, 2, "learned", 0)
    np.testing.assert_array_equal(learned, encoder.layers["conv3_1"][0])
    random = iht._filters(settings, pictures, 2, "random", 3)
    network = NetworkConfig(layer="conv3_1", channels=8, std=0.015)
    own = build_cnn(network, seed=3).get_layer("conv3_1").get_weights()[0]
    np.testing.assert_allclose(0.015 * random, own, rtol=1e-5)
    with pytest.raises(ValueError, match=r"encoder must have conv4_1; received 'tiny.npz'"):
        iht._filters(settings, pictures, 3, "learned", 0)


def test_a_cell_depends_on_its_arguments_alone():
    pictures, settings = smoke()
    cells = EXPERIMENT.cells(settings)
    assert {cell["encoder"] for cell in cells} == {"random"}
    rows, again = (EXPERIMENT.measure(settings, cells[1], pictures, 0) for _ in range(2))
    pd.testing.assert_frame_equal(*map(pd.DataFrame, (rows, again)))


def test_shares_and_sizes_of_the_paper():
    assert iht.SHARES == {1: 0.674, 2: 0.534, 3: 0.356, 4: 0.239}
    layers = EXPERIMENT.settings["paper"].layers
    assert all(tuple(of_filters) == layers for of_filters in iht.PRINTED.values())


def errors(networks=4, **means):
    """Rows of a trained CNN with these image errors, nearly alike in all networks."""
    rng = np.random.default_rng(0)
    means = {"original": 0.2, "mean": 0.5, "activations": 0.6, **means}
    return pd.DataFrame(
        {"encoder": "trained", "layer": 1, "network": network, "filters": kind}
        | {"unpooling": "naive", "activation_error": 1.0}
        | {"image_error": value + 0.002 * rng.standard_normal()}
        for kind, value in means.items()
        for network in range(networks)
        for _ in range(2)
    )


def verdicts(claim_id, rows):
    (claim,) = (claim for claim in CLAIMS if claim.id == claim_id)
    assert set(claim.evidence.columns) <= set(EXPERIMENT.columns)
    return {finding.case: finding.verdict for finding in claim.findings(rows)}


def test_random_filters_against_random_activations():
    case = "trained CNN, layer 1"
    assert verdicts("G1", errors(random=0.3, activations=0.6)) == {case: "holds"}
    assert verdicts("G1", errors(random=0.6, activations=0.3)) == {case: "fails"}
    alike = errors(random=0.5, activations=0.5)
    alike.loc[alike["filters"] == "random", "image_error"] += 0.1 * (alike["network"] % 2) - 0.05
    assert verdicts("G1", alike) == {case: "undecided"}
    one = errors(networks=1, random=0.3, activations=0.6)
    assert verdicts("G1", one) == {case: "undecided"}


def test_random_filters_against_learned_ones():
    assert verdicts("G2", errors(random=0.3, learned=0.4)) == {"layer 1": "holds"}
    assert verdicts("G2", errors(random=0.4, learned=0.3)) == {"layer 1": "fails"}
    random = errors(random=0.3, activations=0.6).assign(encoder="random")
    assert verdicts("G2", random) == {"": "not tested"}
    # A DCN that makes the same of anything tells nothing.
    (claim,) = (claim for claim in CLAIMS if claim.id == "G2")
    (blind,) = claim.findings(errors(original=0.48, random=0.3, learned=0.4))
    assert (blind.verdict, blind.case) == ("not tested", "layer 1")
    assert blind.detail.startswith("a DCN is trained too little")
    one = errors(random=0.3, learned=0.4)
    one.loc[(one["filters"] == "original") & (one["network"] == 2), "image_error"] = 0.48
    assert [found.verdict for found in claim.findings(one)] == ["not tested"]
    (old,) = claim.findings(one[one["filters"] != "mean"])
    assert old.detail.startswith("the rows lack the error of the mean picture")
    # Switches are another method than the one that is printed.
    switches = errors(random=0.9, learned=0.1).assign(unpooling="switches")
    both = pd.concat([errors(random=0.3, learned=0.4), switches])
    assert verdicts("G2", both) == {"layer 1": "holds"}


def test_the_claims_on_the_experiments_own_rows(table):
    assert set(verdicts("G1", table)) == {
        f"{kind} CNN, layer {layer}" for kind in ("random", "trained") for layer in (1, 2)
    }
    assert set(verdicts("G2", table)) == {"layer 1", "layer 2"}
