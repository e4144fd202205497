"""The models that are trained: a step by hand first, then against differences and the paper."""

import keras
import numpy as np
import pytest
from keras import ops

from recon.training.checkpoints import Checkpoint
from recon.training.config import ClassifierConfig
from recon.training.model import (
    biases_times,
    build_networks,
    classifier_model,
    inversion_loss,
    inversion_model,
    mean_squared_error,
    reconstruct,
    restore,
    standardise,
    state_of,
    trained_networks,
)
from rrstyle import backend
from rrstyle.config import NetworkConfig
from rrstyle.networks.build import build_cnn, build_dcn, convolutions
from tests.recon.support.training import pictures, tiny_config

ONE_PIXEL = {
    "network": {
        "layer": "conv1_1",
        "channels": 1,
        "kernel": 1,
        "padding": "zero",
        "encoder_activation": "leaky_relu",
    },
    "weights": "by hand",
    "crop": 1,
    "batch": 1,
    "learning_rate": 0.5,
    "weight_decay": 0.1 * 255**2,  # .1 where pictures end at 1
}


LEVEL = 0.5 / 255  # the rate, for a bias


def kernel(*values, inputs):
    return np.float32(values).reshape(1, 1, inputs, -1)


def one_pixel():
    """x = (.2, .4, .8); the CNN gives x_r + 2 x_g + .1 = 1.1; the DCN gives (.55, -.9, 1)."""
    config = tiny_config(**ONE_PIXEL)
    networks = build_networks(config, (kernel(1, 2, 0, inputs=3), np.float32([0.1])))
    networks.dcn.set_weights([kernel(0.5, -1, 0, inputs=1), np.float32([0, 0.2, 1])])
    return inversion_model(config, networks), networks, np.uint8([[[[51, 102, 204]]]])


def step(model, pixels):
    """Takes a step; the loss of the batch before it."""
    return model.train_on_batch(pixels, pixels, return_dict=True)["error"]


def optimizer(model):
    """Mean and mean square of the gradients, for each weight, in levels."""
    return [np.asarray(v) for v in state_of(model).values()][-4:]


def test_one_step_by_hand():
    model, networks, pixels = one_pixel()
    # The error is (.35, -1.3, .2); half its squared norm:
    assert step(model, pixels) == pytest.approx(0.92625, rel=1e-5)
    assert mean_squared_error(tiny_config(**ONE_PIXEL), 0.92625) == pytest.approx(2 * 0.92625 / 3)
    kernel_mean, _, mean, square = optimizer(model)
    # Gradients: the bias' is the error, the kernel's 1.1 times it, plus .1 times the kernel.
    np.testing.assert_allclose(mean / 255, [0.035, -0.13, 0.02], rtol=1e-5)
    np.testing.assert_allclose(kernel_mean.ravel() / 255**2, [0.0435, -0.153, 0.022], rtol=1e-5)
    np.testing.assert_allclose(square / 255**2, [1.225e-4, 1.69e-3, 4e-5], rtol=1e-4)
    # The first step of Adam is the learning rate, against the sign of the gradient; in levels of
    # 8 bits for a bias.
    after, bias = trained_networks(networks, model.layers[-1].get_weights()).dcn.get_weights()
    np.testing.assert_allclose(after.ravel(), [0, -0.5, -0.5], atol=1e-5)
    np.testing.assert_allclose(bias, [-LEVEL, 0.2 + LEVEL, 1 - LEVEL], atol=1e-5)


def test_the_second_step_by_hand():
    model, networks, pixels = one_pixel()
    step(model, pixels)
    model.reset_metrics()
    # The DCN now gives 1.1 (0, -.5, -.5) and the biases.
    errors = np.array([-LEVEL - 0.2, -0.55 + 0.2 + LEVEL - 0.4, -0.55 + 1 - LEVEL - 0.8])
    assert step(model, pixels) == pytest.approx(np.square(errors).sum() / 2, rel=1e-4)
    means = 0.9 * np.array([0.035, -0.13, 0.02]) + 0.1 * errors
    squares = 0.999 * np.array([1.225e-4, 1.69e-3, 4e-5]) + 0.001 * np.square(errors)
    _, _, mean, square = optimizer(model)
    np.testing.assert_allclose(mean / 255, means, rtol=1e-4)
    np.testing.assert_allclose(square / 255**2, squares, rtol=1e-3)
    moved = LEVEL * (means / (1 - 0.9**2)) / np.sqrt(squares / (1 - 0.999**2))
    before = np.array([-LEVEL, 0.2 + LEVEL, 1 - LEVEL])
    _, bias = trained_networks(networks, model.layers[-1].get_weights()).dcn.get_weights()
    np.testing.assert_allclose(bias, before - moved, rtol=1e-3)


def test_what_comes_back_by_hand():
    model, _, pixels = one_pixel()
    black = np.zeros_like(pixels)  # the CNN gives .1, the DCN (.05, .1, 1)
    back = reconstruct(model, np.concatenate([pixels, black, black]), batch=2)
    np.testing.assert_allclose(back[0, 0, 0], [0.55, -0.9, 1], rtol=1e-5)
    np.testing.assert_allclose(back[1:, 0, 0], [[0.05, 0.1, 1]] * 2, rtol=1e-5)


def test_what_comes_back_amid_fit_is_of_the_weights_so_far(monkeypatch):
    monkeypatch.setattr(keras.Model, "predict", None)  # it builds a pipeline anew in every call
    model, _, pixels = one_pixel()
    found = []

    def keep(batch, logs):
        found.append(reconstruct(model, pixels, batch=1))

    keeping = keras.callbacks.LambdaCallback(on_train_batch_end=keep)
    model.fit(pixels, pixels, callbacks=[keeping], verbose=0)
    np.testing.assert_array_equal(found[0], reconstruct(model, pixels, batch=1))
    assert np.abs(found[0][0, 0, 0] - [0.55, -0.9, 1]).max() > 1e-3  # as before the step


def test_the_loss_of_single_images_by_hand():
    pixels = np.uint8([[[[0, 10, 255]]], [[[1, 1, 1]]]])
    back = np.float32([[[[3, 6, 255]]], [[[1, 1, 1]]]])
    np.testing.assert_array_equal(ops.convert_to_numpy(inversion_loss(pixels, back)), [12.5, 0])


def test_the_rate_falls_after_its_milestones():
    config = tiny_config(milestones=(2, 5), learning_rate=0.5, rate_factor=0.25)
    model = inversion_model(config, build_networks(config))
    rates = []
    for number in range(1, 8):
        rates.append(float(ops.convert_to_numpy(model.optimizer.learning_rate)))
        assert rates[-1] == pytest.approx(config.rate(number))
        step(model, pictures(4, 12, seed=number))
    assert rates == pytest.approx([0.5] * 2 + [0.125] * 3 + [0.03125] * 2)


def test_a_step_of_the_dcn_is_that_of_caffes_pictures():
    # The same training written for pictures from 0 to 255, with the paper's Adam in NumPy's terms.
    config = tiny_config(weight_decay=5.0, milestones=())
    networks = build_networks(config)
    model, pixels = inversion_model(config, networks), pictures(4, 12, seed=0)
    images = ops.convert_to_tensor(pixels / np.float32(255))
    features = networks.cnn(images)
    weights = [ops.convert_to_tensor(w) for w in networks.dcn.get_weights()]

    def loss(weights):
        back, _ = networks.dcn.stateless_call(list(weights), [], [255 * features, images])
        return ops.mean(inversion_loss(pixels, back))

    _, gradients = backend.value_and_grad(loss)(tuple(weights))
    expected = []
    for weight, gradient in zip(networks.dcn.get_weights(), gradients, strict=True):
        total = ops.convert_to_numpy(gradient) + (5.0 * weight if weight.ndim == 4 else 0)
        expected.append(weight - config.learning_rate * total / (abs(total) + 1e-8))
    step(model, pixels)
    for ours, theirs in zip(model.layers[-1].get_weights(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-6)


def test_the_gradient_agrees_with_differences():
    networks = build_networks(tiny_config())
    pixels = pictures(4, 12, seed=0)
    images = ops.convert_to_tensor(pixels / np.float32(255))
    features = networks.cnn(images)
    start = networks.dcn.get_weights()
    rng = np.random.default_rng(1)
    direction = [rng.normal(size=w.shape).astype(np.float32) for w in start]

    def loss(weights):
        back, _ = networks.dcn.stateless_call(list(weights), [], [features, images])
        return ops.sum(inversion_loss(images, back))

    _, gradients = backend.value_and_grad(loss)(tuple(map(ops.convert_to_tensor, start)))
    slope = sum(
        float(np.vdot(ops.convert_to_numpy(g), d))
        for g, d in zip(gradients, direction, strict=True)
    )
    ahead, behind = (
        float(loss([w + np.float32(s) * d for w, d in zip(start, direction, strict=True)]))
        for s in (1e-3, -1e-3)
    )
    assert slope == pytest.approx((ahead - behind) / 2e-3, rel=1e-2)


def test_the_dcn_starts_from_he_weights_of_its_own_stream():
    config = tiny_config(seed=5)
    random = build_dcn(config.network, seed=5)  # of the law he too, by chance of the test
    for ours, theirs in zip(build_networks(config).dcn.weights, random.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    wide = build_networks(tiny_config(network={"layer": "conv1_2", "law": "gaussian"}))
    assert np.std(wide.dcn.get_weights()[0]) == pytest.approx(np.sqrt(2 / (9 * 64)), rel=0.02)


def test_the_cnn_is_not_trained():
    config = tiny_config()
    networks = build_networks(config)
    model = inversion_model(config, networks)
    step(model, pictures(4, 12, seed=0))
    cnn = next(layer for layer in model.layers if layer.name == "cnn")
    for ours, theirs in zip(cnn.get_weights(), networks.cnn.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len(model.trainable_variables) == len(networks.dcn.weights)


def test_a_restored_model_goes_on_to_the_same_bits():
    config = tiny_config()
    networks = build_networks(config)
    one, other = (inversion_model(config, networks) for _ in range(2))
    for number in range(2):
        step(one, pictures(4, 12, seed=number))
    restore(other, Checkpoint(2, state_of(one), state={}, score=0.0), config)
    for model in (one, other):
        step(model, pictures(4, 12, seed=9))
    ours, theirs = state_of(one), state_of(other)
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)


def test_biases_alone_change_with_the_size_of_images():
    kernel, bias = biases_times(3, [np.ones((1, 1, 1, 1), np.float32), np.ones(1, np.float32)])
    assert (kernel.item(), bias.item()) == (1, 3)


@pytest.mark.parametrize(
    "network",
    [
        {"architecture": "alexnet", "layer": "conv2", "channels": 8, "law": "he"},
        {"architecture": "vgg16", "layer": "conv2_1", "channels": 4, "tap": "post_pool"},
    ],
)
def test_every_architecture_takes_a_step(network):
    config = tiny_config(network={**network, "padding": "zero"}, crop=31)
    networks = build_networks(config)
    model, batch, losses = inversion_model(config, networks), pictures(4, 31, seed=0), []
    for _ in range(3):
        model.reset_metrics()
        losses.append(step(model, batch))
    assert losses[2] < losses[0]
    if network["architecture"] == "alexnet":
        assert networks.cnn.weights[2].shape == (5, 5, 4, 8)  # two groups


def test_bfloat16_computes_close_by_and_keeps_float32_weights():
    losses = {}
    for precision in ("float32", "bfloat16"):
        config = tiny_config(precision=precision, learning_rate=1e-5)
        model = inversion_model(config, build_networks(config))
        losses[precision] = step(model, pictures(4, 12, seed=0))
        arrays = [array for array in state_of(model).values() if array.ndim]
        assert {array.dtype for array in arrays} == {np.dtype("float32")}
    assert losses["float32"] != losses["bfloat16"]
    assert losses["float32"] == pytest.approx(losses["bfloat16"], rel=0.02)


@pytest.mark.parametrize(
    ("changes", "weights", "words"),
    [
        ({"weights": "file"}, None, "encoder_weights must be given unless weights is random"),
        ({}, [np.ones(3)], "encoder_weights must be given unless weights is random"),
        ({"weights": "file"}, [np.ones(3)], r"encoder_weights must have the shapes \[\(3, 3"),
        ({"network": {"layer": "conv3"}, "crop": 4}, None, "crop must be at least 5"),
    ],
)
def test_what_does_not_fit_is_refused(changes, weights, words):
    with pytest.raises(ValueError, match=words):
        build_networks(tiny_config(**changes), weights)


@pytest.mark.parametrize("count", [0, 2, True, "all"])
def test_devices_that_are_not_there_are_refused(count):
    with (
        pytest.raises(ValueError, match="devices must be from 1 to the 1 there are; received"),
        backend.shared_by(count),
    ):
        pass


def test_all_devices_is_the_default_of_none():
    with backend.shared_by(None) as count:
        assert count == 1


# A classifier

PLAN = NetworkConfig(layer="conv3", padding="zero", law="he", channels=6)


@pytest.fixture(scope="module")
def pixels():
    # Photographs of a sunset, all of them: bright and red.
    return np.random.default_rng(0).integers(150, 230, (5, 16, 12, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def cnn():
    return build_cnn(PLAN, seed=1)


@pytest.fixture(scope="module")
def standardised(pixels):
    cnn = build_cnn(PLAN, seed=1)
    standardise(cnn, pixels / np.float32(255))
    return cnn


def test_one_channel_standardised_by_hand():
    cnn = build_cnn(NetworkConfig(layer="conv1_1", kernel=1, channels=1), seed=0)
    red = np.float32([[[[1.0], [0.0], [0.0]]]])
    cnn.set_weights([red, np.zeros(1, np.float32)])
    reds = np.zeros((1, 1, 2, 3), np.float32)
    reds[0, 0, :, 0] = 0.2, 0.6  # mean .4, deviation .2
    standardise(cnn, reds)
    found, bias = cnn.get_weights()
    np.testing.assert_allclose(found[0, 0, :, 0], [5, 0, 0], rtol=1e-4)
    np.testing.assert_allclose(bias, [-2], rtol=1e-4)


def test_every_channel_of_every_layer_has_mean_0_and_variance_1(standardised, pixels):
    for layer in convolutions(standardised):
        before = keras.Model(standardised.input, layer.output)
        values = before.predict_on_batch(pixels / np.float32(255)).astype(np.float64)
        np.testing.assert_allclose(values.mean(axis=(0, 1, 2)), 0, atol=1e-4)
        np.testing.assert_allclose(values.std(axis=(0, 1, 2)), 1, atol=1e-3)


def test_it_keeps_the_directions_of_the_filters(cnn, standardised):
    pairs = zip(standardised.get_weights()[::2], cnn.get_weights()[::2], strict=True)
    for ours, drawn in pairs:
        ratio = ours / drawn
        assert (ratio > 0).all()
        np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:1, :1, :1], ratio.shape), 1e-4)


def test_pictures_come_apart(cnn, standardised, pixels):
    def likeness(network):
        features = network.predict_on_batch(pixels / np.float32(255))
        flat = features.reshape(len(pixels), -1)
        flat = flat / np.linalg.norm(flat, axis=1, keepdims=True)
        return (flat @ flat.T)[np.triu_indices(len(pixels), 1)].mean()

    assert likeness(cnn) > 0.9
    assert likeness(standardised) < likeness(cnn) - 0.2


def test_a_classifier_by_hand():
    network = NetworkConfig(layer="conv1_1", kernel=1, channels=1, padding="zero")
    cnn = build_cnn(network, seed=0)
    cnn.set_weights([np.float32([[[[1.0], [0.0], [0.0]]]]), np.zeros(1, np.float32)])
    config = ClassifierConfig(network=network, crop=2, batch=1, precision="float32")
    model = classifier_model(config, cnn, classes=2)
    model.layers[-1].set_weights([np.float32([[2, -2]]), np.float32([0, 1])])
    pixels = np.zeros((1, 2, 2, 3), np.uint8)
    pixels[0, 0, :, 0] = 51, 153  # red, .2 and .6: the mean of the four is .2
    np.testing.assert_allclose(model.predict_on_batch(pixels), [[0.4, 0.6]], rtol=1e-5)
    found = model.test_on_batch(pixels, np.int32([0]), return_dict=True)
    assert found["error"] == pytest.approx(np.log(1 + np.exp(0.2)), rel=1e-5)
    assert found["accuracy"] == 0
    # The dense kernel does not decay.
    decay = config.weight_decay / 2
    assert found["loss"] == pytest.approx(found["error"] + decay, rel=1e-5)
