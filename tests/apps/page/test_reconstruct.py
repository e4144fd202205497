"""The Reconstruct tab's answers."""

import numpy as np
import pytest

from apps.page import reconstruct as answers
from apps.panel import make_panel
from recon.reconstruction import reconstruct
from rrstyle.config import NetworkConfig
from rrstyle.pictures import images

GOOD = {
    "architecture": "vgg16",
    "layer": "conv1_2",
    "tap": "pre_pool",
    "law": "gaussian",
    "std": 0.01,
    "channels": 8,
    "kernel": 0,
    "upsampling": "zero",
}


@pytest.fixture(scope="module")
def picture():
    pixels = np.random.default_rng(0).random((40, 48, 3), np.float32)
    return images.Picture(pixels, "noise.png", ())


def test_the_panel_shows_what_the_library_gives(picture):
    config = answers.check_network(**GOOD)
    panel = make_panel(picture, config, side=48, seed=3, readouts=("random", "ridge"))
    shown = answers.shown_pictures(panel)
    names = [words.split(" · ")[0] for words in shown]
    assert names == ["input", "random readout", "ridge readout"]
    expected = reconstruct(picture.pixels, config, seed=3)
    _, random, ridge = shown.values()
    np.testing.assert_allclose(random, expected.random, atol=1e-5)
    np.testing.assert_allclose(ridge, expected.ridge, atol=1e-5)
    assert "SSIM 0." in list(shown)[2]
    assert "Pearson 0." in list(shown)[2]
    assert "48 × 40 × 8 features" in answers.panel_line(panel, picture)
    # Eight maps in one row of the sheet.
    assert answers.feature_sheet(panel.features).shape[1] > 8 * answers.MAP_SIDE / 2


def test_a_constant_picture_has_no_correlation():
    grey = images.Picture(np.full((32, 32, 3), 0.5, np.float32), "grey.png", ())
    config = answers.check_network(**GOOD)
    panel = make_panel(grey, config, side=32, seed=0, readouts=("ridge",))
    assert "Pearson undefined" in list(answers.shown_pictures(panel))[1]


def test_zero_stands_for_the_architecture_s_own():
    config = answers.check_network(**GOOD | {"channels": 0})
    assert config == NetworkConfig(layer="conv1_2", tap="pre_pool")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"architecture": "resnet"}, "architecture must be one of"),
        ({"layer": "conv9_9"}, "layer must be conv1_1 to conv5_3"),
        ({"layer": 3}, "layer must be"),
        ({"law": ["gaussian"]}, "law must be one of"),
        ({"std": 0}, "std must be from 0.0001"),
        ({"channels": 10**6}, "channels must be a whole number"),
        ({"channels": 512, "kernel": 11}, "channels x kernel x kernel must be at most 12000"),
        ({"kernel": "7"}, "kernel must be a whole number"),
    ],
)
def test_networks_are_checked(values, message):
    with pytest.raises(ValueError, match=message):
        answers.check_network(**GOOD | values)


def test_readouts_and_runs_are_those_offered(tmp_path):
    assert answers.check_readouts(["ridge", "random"]) == ("random", "ridge")
    for wrong in (["magic"], "ridge", None, [["ridge"]]):
        with pytest.raises(ValueError, match="readout must be among random, ridge"):
            answers.check_readouts(wrong)
    (tmp_path / "notes").mkdir()
    assert answers.run_folders(tmp_path) == {}  # no runs there
    assert answers.run_folders(None) == {}
    assert answers.find_run({}, answers.UNTRAINED) is None
    for wrong in ("../run", str(tmp_path), 3):
        with pytest.raises(ValueError, match="run must be one of none"):
            answers.find_run({}, wrong)


def test_feature_maps_are_stretched_and_small_ones_keep_their_pixels():
    features = np.zeros((2, 3, 2), np.float32)
    features[0, 0, 0], features[1, 2, 1] = 5, -1
    sheet = answers.feature_sheet(features)
    factor = answers.MAP_SIDE // 3
    assert sheet.shape[0] >= 2 * factor
    # The first map's only bright pixel is a white square of that side; white too is the paper.
    top, left = sheet.shape[0] - 8 - 2 * factor, 8
    square = sheet[top : top + factor, left : left + factor]
    np.testing.assert_array_equal(square, 1)
    assert sheet[top + factor + 1, left + 1, 0] == 0


def test_a_constant_map_is_black_and_large_maps_shrink():
    sheet = answers.feature_sheet(np.full((200, 100, 1), 7, np.float32))
    assert sheet.shape[0] <= answers.MAP_SIDE + 40
    assert sheet.min() == 0


def test_a_layer_stays_where_the_other_architecture_has_it_too():
    assert answers.layers_of("alexnet", "conv3_1").value == "conv3_1"
    assert answers.layers_of("alexnet", "conv1_2").value == "conv2_1"
    assert answers.layers_of("vgg16", None).value == "conv1_2"
