"""Every experiment at smoke scale, pictures to figures, and what each must show at any size."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

from recon.data.pictures import load_pictures
from recon.experiments import EXPERIMENTS, find_experiment
from recon.experiments.random import channels, depth, factorial, laws, readout
from recon.plans import at_full_size, rr_vgg
from recon.sweep.rows import read_rows
from recon.sweep.run import evaluate
from rrstyle.networks.laws import SCALED_LAWS, distribution
from rrstyle.networks.plan import Conv, Pool, kernel_shapes


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Frames of the experiments by name, each run once."""
    folder, frames = tmp_path_factory.mktemp("runs"), {}

    def frame(name):
        if name not in frames:
            evaluate(name, scale="smoke", out=folder, workers=1)
            frames[name] = read_rows(folder / f"{name}.csv")
        return frames[name]

    frame.folder = folder
    return frame


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_smoke(runs, name):
    found = find_experiment(name)
    frame = runs(name)
    assert tuple(frame.columns) == found.columns
    settings = found.settings["smoke"]
    cells = found.cells(settings)
    assert len(frame) == sum(found.rows(settings, cell) for cell in cells) > 0
    figure = Image.open(runs.folder / f"{name}.png")
    assert min(figure.size) > 300
    assert np.ptp(np.asarray(figure.convert("L"))) > 100
    ElementTree.parse(runs.folder / f"{name}.svg")
    assert (runs.folder / f"{name}-pictures.png").exists() == (found.show is not None)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_each_says_what_it_is(name):
    found = find_experiment(name)
    assert found.name == name
    assert found.title
    assert found.reproduces
    assert found.printed
    assert set(found.settings) == {"smoke", "laptop", "paper"}


@pytest.mark.parametrize("name", [n for n in EXPERIMENTS if n != "theory"])
def test_cells_are_told_apart_by_their_columns(name):
    found = find_experiment(name)
    for settings in found.settings.values():
        cells = [tuple(cell.items()) for cell in found.cells(settings)]
        assert len(set(cells)) == len(cells)
        assert {key for cell in cells for key, _ in cell} <= set(found.columns)


@pytest.mark.parametrize("name", ["channels", "kernel-size", "depth", "factorial", "laws"])
def test_scores_are_in_range_and_every_network_is_there(runs, name):
    frame = runs(name)
    assert frame["ssim"].between(-1, 1).all()
    assert frame["pearson"].between(-1, 1).all()
    settings = find_experiment(name).settings["smoke"]
    assert sorted(frame["network"].unique()) == list(range(settings.networks))
    assert frame["image"].iloc[0] == "chelsea"


def test_the_papers_scale_is_that_of_the_papers():
    settings = find_experiment("channels").settings["paper"]
    assert (settings.networks, settings.images, settings.side) == (30, 50, 227)
    assert settings.channels == tuple(2**n for n in range(2, 12))


def test_laws_at_the_papers_parameters():
    # study.md: Gaussian .015, Uniform(+-.04) .0231, Laplace(.015) .0212, Logistic(.015) .0272
    wanted = {"gaussian": 0.015, "uniform": 0.0231, "laplace": 0.0212, "logistic": 0.0272}
    assert {law: round(std, 4) for law, std in laws.PAPER_STDS.items()} == wanted
    assert distribution("uniform", laws.PAPER_STDS["uniform"]).support()[1] == pytest.approx(0.04)
    for law in ("logistic", "laplace"):
        assert distribution(law, laws.PAPER_STDS[law]).kwds["scale"] == pytest.approx(0.015)


def test_the_std_of_a_law_changes_nothing_but_rounding(runs):
    frame = runs("laws")
    for law in SCALED_LAWS:
        of_law = frame[frame["law"] == law]
        paper, equal = (
            of_law[of_law["parameters"] == parameters]["ssim"].to_numpy()
            for parameters in ("paper", "equal")
        )
        np.testing.assert_allclose(paper, equal, atol=1e-4)
    gaussian, laplace = (frame[frame["law"] == x]["ssim"].to_numpy() for x in SCALED_LAWS[::3])
    assert np.abs(gaussian - laplace).max() > 1e-3


def test_factorial_plans_by_hand():
    cell = {"depth": 4, "channels": 8, "reduction": 4, "upsampling": "zero"}
    plan = factorial.EXPERIMENT.plan(cell)
    conv, pool = Conv(8), Pool()
    assert plan.encoder == (conv, pool, conv, pool, conv, conv)
    assert sum(isinstance(layer, Conv) for layer in plan.decoder) == 3
    full = factorial.EXPERIMENT.plan({**cell, "reduction": 1, "upsampling": "none"})
    assert full.layers == (conv,) * 7


def test_depth_plans_are_those_of_the_papers():
    cell = {"plan": "full", "block": 3, "tap": "pre_pool", "upsampling": "zero"}
    assert depth.EXPERIMENT.plan(cell) == rr_vgg("conv3")
    assert depth.EXPERIMENT.plan({**cell, "plan": "full_kept"}) == at_full_size(rr_vgg("conv3"))
    equal = {**cell, "plan": "equal", "block": 2, "tap": "post_pool"}
    assert depth.EXPERIMENT.plan(equal) == rr_vgg("conv2", tap="post_pool", channels=64)
    # Without a pool before it, CD1 is one network by whatever upsampling.
    first = [
        depth.EXPERIMENT.plan({**cell, "block": 1, "upsampling": kind})
        for kind in ("zero", "nearest")
    ]
    assert first[0] == first[1]


def test_blocks_of_one_plan_have_networks_of_their_own():
    points = [
        {"plan": plan, "block": block, "tap": "pre_pool", "upsampling": "none"}
        for plan in ("simplified_kept", "full_kept")
        for block in (4, 5)
    ]
    fourth, fifth, *full = points
    shapes = [kernel_shapes(depth.EXPERIMENT.plan(p).layers, 3) for p in (fourth, fifth)]
    assert shapes[0] == shapes[1]
    seeds = {depth.EXPERIMENT.first_seed(point, 7) for point in (fourth, fifth)}
    assert len(seeds) == 2
    assert {depth.EXPERIMENT.first_seed(point, 7) for point in full} == {7}


def test_channels_has_the_first_versions_network_of_uniform_weights():
    cell = {"plan": "conv1_1", "channels": 8}
    plan, law = channels.EXPERIMENT.plan(cell), channels.EXPERIMENT.law(cell)
    assert plan.layers == (Conv(8, name="conv1_1"),)
    assert distribution(**law).support() == pytest.approx((-0.1, 0.1))
    plans = {
        point["plan"]
        for point in channels.EXPERIMENT.points(channels.EXPERIMENT.settings["laptop"])
    }
    assert plans == {"cd1", "conv1_1"}


def test_chroma_is_that_of_colours_only(runs):
    frame = runs("depth")
    assert frame[frame["head"] == "mean"]["chroma"].isna().all()
    assert frame[frame["head"] == "linear"]["chroma"].between(-1, 1).all()


def test_a_solved_readout_gives_back_more_than_a_random_one(runs):
    frame = runs("readout")
    scores = frame[frame["block"] == 1].groupby("readout")["ssim"].mean()
    assert scores["ridge"] > 0.9 > max(scores["random"], scores["mean"])
    solved = frame["readout"].str.startswith("ridge")
    assert frame[solved]["psnr"].notna().all()
    assert frame[~solved]["psnr"].isna().all()


def test_the_held_out_readout_is_solved_on_the_others():
    pictures, _ = load_pictures(None, 2, 32, seed=0)
    plan = rr_vgg("conv1", channels=8)
    one, other = pictures.pixels
    twice = readout.reconstructions(plan, np.stack([one, one]), seed=0)
    np.testing.assert_allclose(twice["ridge_held_out"], twice["ridge"], atol=1e-3)
    both = readout.reconstructions(plan, np.stack([one, other]), seed=0)
    np.testing.assert_allclose(both["ridge"][0], twice["ridge"][0], atol=1e-5)
    assert np.abs(both["ridge_held_out"][0] - both["ridge"][0]).max() > 0.01


def test_a_larger_ratio_trades_content_for_style(runs):
    content, style = (
        runs("style-ratio").groupby("ratio")[f"{name}_loss"].mean() for name in ("content", "style")
    )
    assert content[1e5] > content[1e1]
    assert style[1e5] < style[1e1]
    moved = runs("style-ratio").set_index("ratio")["moved"]
    assert moved[1e1].isna().all()
    assert (moved[1e5] > 0).all()


def test_other_networks_make_other_pictures(runs):
    frame = runs("style-models").set_index("changed")
    assert frame.loc["nothing", ["distance", "alike"]].isna().all()
    distance = frame["distance"]
    # Two steps: what the FVT matches has hardly moved the picture, and the rrVGG decodes it.
    assert 0 < distance["FVT"] < distance["rrVGG"]
    assert frame["alike"]["FVT"] > frame["alike"]["rrVGG"]


def test_fewer_layers_of_the_fvt_cost_less(runs):
    costs = runs("style-layers").groupby("layer")[["gflop", "mib"]].mean()
    assert (costs.loc["conv2_2"] < costs.loc["conv1_2"]).all()


def test_pixels_and_features_start_at_one_loss(runs):
    frame = runs("style-speed").set_index("space")
    features, pixels = frame.loc["features"], frame.loc["pixels"]
    assert features["start_loss"] == pytest.approx(pixels["start_loss"], rel=1e-3)
    assert (frame["loss"] < frame["start_loss"]).all()
    # Conv1_1 and Conv1_2 of 32 filters on 36 x 36 pixels, forward and back.
    more = 2 * 2 * 36**2 * 9 * (3 * 32 + 32 * 32) / 1e9
    assert pixels["gflop"] - features["gflop"] == pytest.approx(more, rel=1e-4)
    assert (frame["whole_s"] > 2 * frame["step_s"]).all()
