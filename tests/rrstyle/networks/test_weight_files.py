"""Trained VGG16 weights: files in every layout, keras.applications' features, wrong files."""

import json
import pickle
import re

import h5py
import keras
import numpy as np
import pytest

from rrstyle.config import NetworkConfig, StyleConfig
from rrstyle.networks.build import SharedNetwork, cnn_network
from rrstyle.networks.plan import VGG16
from rrstyle.networks.weight_files import load_weights, write_weights
from rrstyle.transfer.feature_networks import vgg_network
from tests.support import vgg16_files as files

LAYOUTS = ("keras3", "keras2", "download")


@pytest.fixture(scope="module")
def layers():
    return files.random_vgg16()


@pytest.fixture(scope="module")
def zeros(layers):
    return files.hollow(layers)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def written(layers, folder):
    return {name: files.write(folder / f"{name}.h5", layers, name) for name in LAYOUTS}


@pytest.fixture(scope="module")
def reference(layers):
    """keras.applications' own VGG16 with the same weights."""
    model = keras.applications.VGG16(weights=None, include_top=False)
    for name, kernel, bias in layers:
        model.get_layer(name).set_weights([kernel, bias])
    return model


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_arrays_in_the_papers_names(layout, written, layers):
    trained = load_weights(str(written[layout]))
    assert list(trained.layers) == [c.name for c in VGG16.convolutions]
    # The first is changed to take RGB in [0, 1], see below.
    for (_, *expected), found in [*zip(layers, trained.layers.values(), strict=True)][1:]:
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == np.float32


def test_the_files_written_here_are_those_keras_writes(reference, folder, written, layers):
    path = folder / "own.weights.h5"
    reference.save_weights(path)

    def convolutions(path):
        found = {}
        with h5py.File(path) as file:
            file.visititems(lambda n, d: found.update({n: d.shape} if hasattr(d, "shape") else {}))
        return found

    assert convolutions(path) == convolutions(written["keras3"])
    found = load_weights(str(path)).layers.values()
    for (_, *expected), pair in [*zip(layers, found, strict=True)][1:]:
        for ours, theirs in zip(pair, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("layer", "reach"), [("conv1_1", 1), ("conv1_2", 2), ("conv2_1", 4)])
def test_features_are_those_of_keras_applications(layer, reach, written, reference):
    image = np.random.default_rng(0).random((1, 24, 32, 3)).astype(np.float32)
    block, index = layer[4:].split("_")
    part = keras.Model(reference.input, reference.get_layer(f"block{block}_conv{index}").output)
    preprocessed = keras.applications.vgg16.preprocess_input(255 * image)
    expected = part.predict(preprocessed, verbose=0)

    trained = load_weights(str(written["keras2"]))
    config = NetworkConfig(layer=layer)
    network = SharedNetwork(cnn_network(config, seed=0).model, trained.up_to(config).weights)
    found = np.asarray(network(image))
    inner = np.s_[:, reach:-reach, reach:-reach]  # borders are reflected here, and zero there
    assert found.shape == expected.shape
    atol = 1e-3 * expected.std()
    np.testing.assert_allclose(found[inner], expected[inner], rtol=1e-3, atol=atol)
    assert not np.allclose(found, expected, rtol=1e-3, atol=atol)  # the border is another


def test_means_and_channel_order_are_folded_in_exactly(written, layers):
    first, shifted = load_weights(str(written["keras2"])).layers["conv1_1"]
    _, kernel, bias = layers[0]
    mean = np.array([103.939, 116.779, 123.68])[::-1] / 255  # RGB in [0, 1]
    # The mean colour is the zero of the network.
    np.testing.assert_allclose(np.einsum("hwio,i->o", first, mean) + shifted, bias, atol=1e-4)
    np.testing.assert_allclose(first, 255 * kernel[:, :, [2, 1, 0]], rtol=1e-6)


def test_weights_fit_the_networks_they_are_for(written):
    trained = load_weights(str(written["keras2"]))
    config = NetworkConfig(layer="conv3")
    wanted = [w.shape for w in cnn_network(config, seed=0).weights]
    assert [w.shape for w in trained.up_to(config).weights] == wanted
    network = vgg_network(64, StyleConfig(), seed=0, dtype="float32").network
    transfer = trained.above(NetworkConfig(), "conv5_1")
    assert [w.shape for w in transfer] == [w.shape for w in network.weights]
    np.testing.assert_array_equal(transfer[0], trained.layers["conv2_1"][0])


def test_a_top_an_optimizer_and_texts_are_passed_over(zeros, folder):
    extra = dict(files.dense_top())
    extra["optimizer_weights/adam/block1_conv1/kernel_m:0"] = np.ones((3, 3, 3, 64), np.float32)
    extra["block1_conv1/block1_conv1/note"] = np.bytes_("written by hand")
    path = files.write(folder / "top.h5", zeros, "keras2", extra=extra)
    assert len(load_weights(str(path)).layers) == 13


# Wrong files


def refused(path, *words):
    with pytest.raises(ValueError, match=r"^(weights|encoder) ") as caught:
        load_weights(str(path))
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message
    return message


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.h5", tmp_path):
        refused(path, "must be random, imagenet or an existing file; received", path.name)
    refused("no\0name", "existing file")


def test_a_pickle_is_never_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return pytest.fail, ("a pickle was loaded",)

    path = tmp_path / "weights.h5"
    path.write_bytes(pickle.dumps(Trap()))
    refused(path, "must be an HDF5 file of VGG16", "'weights.h5'")


@pytest.mark.parametrize("content", [b"", b"not a weights file", b"PK\x03\x04" + bytes(100)])
def test_a_file_that_is_no_hdf5(content, tmp_path):
    path = tmp_path / "weights.h5"
    path.write_bytes(content)
    refused(path, "must be an HDF5 file of VGG16", "'weights.h5'")


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_a_truncated_file(share, zeros, tmp_path):
    path = files.write(tmp_path / "short.h5", zeros, "keras2")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refused(path, "'short.h5' is incomplete or damaged")


def test_another_network(zeros, tmp_path):
    vgg19 = [*zeros[:7], ("block3_conv4", *zeros[6][1:]), *zeros[7:]]
    path = files.write(tmp_path / "vgg19.h5", vgg19, "keras2")
    refused(
        path,
        "'vgg19.h5' is not VGG16's: expected 13 convolutions",
        "conv4_1 of shapes (3, 3, 256, 512) and (512,); found 14",
        "there (3, 3, 256, 256) and (256,)",
    )


@pytest.mark.parametrize(("count", "place"), [(0, "conv1_1"), (12, "conv5_3")])
def test_too_few_convolutions(count, place, zeros, tmp_path):
    path = files.write(tmp_path / "part.h5", zeros[:count], "keras3")
    refused(path, f"expected 13 convolutions, {place} of shapes", f"found {count}, there none")


def test_too_many_convolutions(zeros, tmp_path):
    layers = [*zeros, ("block6_conv1", *zeros[-1][1:])]
    path = files.write(tmp_path / "more.h5", layers, "keras2")
    refused(path, "expected 13 convolutions; found 14, there (3, 3, 512, 512)")


def test_a_missing_or_wrong_bias(zeros, tmp_path):
    for bias, words in ((None, "(3, 3, 64, 64)"), (np.zeros(32), "(3, 3, 64, 64) and (32,)")):
        layers = [zeros[0], (*zeros[1][:2], bias), *zeros[2:]]
        path = files.write(tmp_path / "bias.h5", layers, "keras2")
        message = refused(path, "conv1_2 of shapes (3, 3, 64, 64) and (64,); found 13")
        assert message.endswith(f"there {words}")


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("what", ["kernel", "bias"])
def test_weights_that_are_not_finite(value, what, zeros, tmp_path):
    name, *arrays = zeros[3]
    arrays[what == "bias"] = np.where(np.arange(arrays[what == "bias"].shape[-1]) == 5, value, 0)
    shape = (3, 3, 128, 128)
    arrays[0] = np.broadcast_to(arrays[0], shape)
    path = files.write(tmp_path / "nan.h5", [*zeros[:3], (name, *arrays), *zeros[4:]], "keras2")
    assert re.search(r"'nan.h5' has weights that are not finite$", refused(path))


def test_a_file_that_announces_more_than_memory_is_refused_by_its_shapes(tmp_path):
    path = tmp_path / "vast.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("block1_conv1")
        group.create_dataset("kernel:0", (10**6, 10**6, 10, 10), "float32", chunks=(64, 64, 1, 1))
    assert path.stat().st_size < 10_000
    refused(path, "expected 13 convolutions", "there (1000000, 1000000, 10, 10)")


def test_imagenet_that_cannot_be_had(monkeypatch):
    def failing(**kwargs):
        assert kwargs["weights"] == "imagenet"
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "VGG16", failing)
    refused("imagenet", "imagenet could not be had", "give a file instead")


def test_imagenet_from_keras_applications(monkeypatch, reference, layers):
    monkeypatch.setattr(keras.applications, "VGG16", lambda **kwargs: reference)
    found = load_weights("imagenet").layers
    np.testing.assert_array_equal(found["conv5_3"][0], layers[-1][1])


# Files of classifiers, and what weights fix of a plan


ASKED = NetworkConfig(layer="conv2", decoder_activation="leaky_relu")
OURS = NetworkConfig(
    architecture="alexnet",
    layer="conv5",
    channels=8,
    padding="zero",
    pooling="average",
    encoder_activation="relu",
    law="he",
)


@pytest.fixture
def ours(tmp_path):
    weights = cnn_network(OURS, seed=3).weights
    write_weights(tmp_path / "ours.npz", OURS, weights)
    return tmp_path / "ours.npz", weights


def test_random_is_left_as_it_is():
    encoder = load_weights("random", ASKED)
    assert (encoder.name, encoder.network, encoder.weights) == ("random", ASKED, None)


def test_vgg16_of_a_file_brings_its_plan(written):
    encoder = load_weights(str(written["keras3"]), ASKED)
    assert encoder.name == "keras3.h5"
    network = encoder.network
    assert (network.encoder_activation, network.padding) == ("relu", "reflect")
    assert (network.layer, network.decoder_activation) == (ASKED.layer, "leaky_relu")
    assert [w.shape for w in encoder.weights] == [
        w.shape for w in cnn_network(network, seed=0).weights
    ]


def test_our_own_file_goes_there_and_back(ours):
    path, weights = ours
    asked = NetworkConfig(architecture="alexnet", layer="conv2", decoder_activation="leaky_relu")
    encoder = load_weights(str(path), asked)
    network = encoder.network
    assert (network.layer, network.channels, network.pooling) == ("conv2", 8, "average")
    assert (network.padding, network.decoder_activation) == ("zero", "leaky_relu")
    assert len(encoder.weights) == 4
    for found, wanted in zip(encoder.weights, weights[:4], strict=True):
        np.testing.assert_array_equal(found, wanted)
    plan = cnn_network(network, seed=0).model
    image = np.random.default_rng(0).random((1, 31, 33, 3), np.float32)
    assert SharedNetwork(plan, encoder.weights)(image).shape[-1] == 8
    assert json.loads(str(np.load(path)["about"]))["format"] == 1


def test_another_architecture_is_refused(ours, written):
    with pytest.raises(ValueError, match=r"must be alexnet, .* 'ours.npz'; received vgg16"):
        load_weights(str(ours[0]), ASKED)
    with pytest.raises(ValueError, match=r"must be vgg16, that of encoder 'keras3\.h5'"):
        load_weights(str(written["keras3"]), NetworkConfig(architecture="alexnet", layer="conv2"))


def test_a_layer_that_is_not_there_is_refused(tmp_path):
    short = NetworkConfig(channels=4, layer="conv1")
    write_weights(tmp_path / "short.npz", short, cnn_network(short, seed=0).weights)
    with pytest.raises(ValueError, match=r"one that 'short.npz' has, to conv1_2; received"):
        load_weights(str(tmp_path / "short.npz"), ASKED)


def changed(path, **changes):
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **{k: v for k, v in (arrays | changes).items() if v is not None})


@pytest.mark.parametrize(
    "changes",
    [
        {"about": None},
        {"about": np.array("[]")},
        {"about": np.array('{"format": 2}')},
        {"about": np.array('{"format": 1, "law": 3}')},
        {"conv3_1_bias": None},
        {"conv3_1_bias": np.zeros(7, np.float32)},
        {"conv1_1_kernel": np.full((11, 11, 3, 8), np.nan, np.float32)},
        {"conv1_1_bias": np.array(["x"] * 8)},
    ],
)
def test_a_file_that_is_not_ours_is_refused(ours, changes):
    changed(ours[0], **changes)
    with pytest.raises(ValueError, match=r"'ours\.npz' is neither, or damaged$"):
        load_weights(str(ours[0]), OURS)


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_file_is_one_line(ours, damage):
    path = ours[0]
    data = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    else:
        data[len(data) // 2] ^= 255
        path.write_bytes(data)
    with pytest.raises(ValueError, match=r"ours\.npz") as caught:
        load_weights(str(path), OURS)
    assert "\n" not in str(caught.value)
    assert str(path.parent) not in str(caught.value)


def test_a_missing_file_is_named_without_its_folder(tmp_path):
    with pytest.raises(ValueError, match="must be random, imagenet or an existing file; received"):
        load_weights(str(tmp_path / "none.h5"), ASKED)
