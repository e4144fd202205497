"""One step of the training: by hand first, then against Keras and against differences."""

import keras
import numpy as np
import pytest
from keras import ops

from recon.training.step import (
    State,
    Trainer,
    adam,
    build_pair,
    inversion_loss,
    mean_squared_error,
    unit_images,
)
from rrstyle import backend
from rrstyle.networks.build import dcn_network
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
    encoder = kernel(1, 2, 0, inputs=3), np.float32([0.1])
    pair = build_pair(config, encoder)
    weights = kernel(0.5, -1, 0, inputs=1), np.float32([0, 0.2, 1])
    return config, pair, State.start(weights), np.uint8([[[[51, 102, 204]]]])


def trainer(config, pair, state):
    return Trainer(config, pair, state, devices=backend.parallel(1))


def test_one_step_by_hand():
    config, pair, state, pixels = one_pixel()
    steps = trainer(config, pair, state)
    # The error is (.35, -1.3, .2); half its squared norm:
    assert steps.number(steps.step(pixels, 1)) == pytest.approx(0.92625, rel=1e-5)
    assert mean_squared_error(config, 0.92625) == pytest.approx(2 * 0.92625 / 3)
    after = steps.state()
    # Gradients: the bias' is the error, the kernel's 1.1 times it, plus .1 times the kernel.
    np.testing.assert_allclose(after.means[1], [0.035, -0.13, 0.02], rtol=1e-5)
    np.testing.assert_allclose(after.means[0].ravel(), [0.0435, -0.153, 0.022], rtol=1e-5)
    np.testing.assert_allclose(after.squares[1], [1.225e-4, 1.69e-3, 4e-5], rtol=1e-4)
    # The first step of Adam is the learning rate, against the sign of the gradient; in levels of
    # 8 bits for a bias.
    np.testing.assert_allclose(after.weights[0].ravel(), [0, -0.5, -0.5], atol=1e-5)
    np.testing.assert_allclose(after.weights[1], [-LEVEL, 0.2 + LEVEL, 1 - LEVEL], atol=1e-5)


def test_the_second_step_by_hand():
    config, pair, state, pixels = one_pixel()
    steps = trainer(config, pair, state)
    steps.step(pixels, 1)
    # The DCN now gives 1.1 (0, -.5, -.5) and the biases.
    errors = np.array([-LEVEL - 0.2, -0.55 + 0.2 + LEVEL - 0.4, -0.55 + 1 - LEVEL - 0.8])
    loss = np.square(errors).sum() / 2
    assert steps.number(steps.step(pixels, 2)) == pytest.approx(loss, rel=1e-4)
    after = steps.state()
    means = 0.9 * np.array([0.035, -0.13, 0.02]) + 0.1 * errors
    squares = 0.999 * np.array([1.225e-4, 1.69e-3, 4e-5]) + 0.001 * np.square(errors)
    np.testing.assert_allclose(after.means[1], means, rtol=1e-4)
    np.testing.assert_allclose(after.squares[1], squares, rtol=1e-3)
    step = LEVEL * (means / (1 - 0.9**2)) / np.sqrt(squares / (1 - 0.999**2))
    before = np.array([-LEVEL, 0.2 + LEVEL, 1 - LEVEL])
    np.testing.assert_allclose(after.weights[1], before - step, rtol=1e-3)


def test_losses_of_single_images_by_hand():
    config, pair, state, pixels = one_pixel()
    black = np.zeros_like(pixels)  # the CNN gives .1, the DCN (.05, .1, 1)
    found = trainer(config, pair, state).losses(np.concatenate([pixels, black]))
    np.testing.assert_allclose(found, [0.92625, (0.05**2 + 0.1**2 + 1) / 2], rtol=1e-5)


def test_adam_is_keras_adam_with_the_decay_in_the_gradient():
    rng = np.random.default_rng(0)
    config = tiny_config(learning_rate=0.01, weight_decay=0.3, milestones=())
    start = [rng.normal(size=shape).astype(np.float32) for shape in ((3, 3, 2, 4), (4,))]
    variables = [keras.Variable(w) for w in start]
    theirs = keras.optimizers.Adam(0.01, epsilon=1e-8)
    parts = State.start(start).parts
    for step in range(1, 6):
        gradients = [rng.normal(size=w.shape).astype(np.float32) for w in start]
        decayed = [gradients[0] + 0.3 * ops.convert_to_numpy(variables[0]), gradients[1]]
        theirs.apply([ops.convert_to_tensor(g) for g in decayed], variables)
        parts = adam(
            *parts,
            gradients,
            scale=np.float32(config.adam_scale(step)),
            betas=config.betas,
            weight_decay=0.3,
        )
    for ours, variable in zip(parts[0], variables, strict=True):
        np.testing.assert_allclose(ours, ops.convert_to_numpy(variable), atol=2e-6)


def test_adam_s_levels_are_a_training_on_larger_pictures():
    # A step of one convolution, and of the same on 255 times as large pictures: kernels move alike,
    # biases 255 times as far in the larger one.
    rng = np.random.default_rng(0)
    small = [rng.normal(size=(1, 1, 3, 3)).astype(np.float32), np.ones(3, np.float32)]
    large = [small[0], 255 * small[1]]
    images = rng.random((2, 4, 4, 3)).astype(np.float32)
    options = {"betas": (0.9, 0.999), "weight_decay": 5.0}

    def loss(size, weights):
        back = ops.conv(size * images, weights[0]) + weights[1]
        return ops.sum(ops.square(back - size * images)) / 2

    def train(size, weights, **more):
        parts = State.start(weights).parts
        for step in range(1, 4):
            tensors = tuple(map(ops.convert_to_tensor, parts[0]))
            _, gradients = backend.value_and_grad(lambda w: loss(size, w))(tensors)
            parts = adam(*parts, gradients, scale=np.float32(0.1 * step), **options, **more)
        return [ops.convert_to_numpy(part) for part in parts[0]]

    ours, theirs = train(1.0, small, levels=255.0), train(255.0, large)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-4)
    np.testing.assert_allclose(255 * ours[1], theirs[1], rtol=1e-4)
    assert not np.allclose(ours[0], train(1.0, small)[0], rtol=1e-2)


def test_the_gradient_agrees_with_differences():
    pair = build_pair(tiny_config())
    images = unit_images(pictures(4, 12, seed=0))
    rng = np.random.default_rng(1)
    direction = [rng.normal(size=w.shape).astype(np.float32) for w in pair.decoder]

    def loss(weights):
        return inversion_loss(pair, weights, pair.encoder, images)

    weights = tuple(map(ops.convert_to_tensor, pair.decoder))
    _, gradients = backend.value_and_grad(loss)(weights)
    slope = sum(
        float(np.vdot(ops.convert_to_numpy(g), d))
        for g, d in zip(gradients, direction, strict=True)
    )
    ahead, behind = (
        float(loss([w + np.float32(s) * d for w, d in zip(pair.decoder, direction, strict=True)]))
        for s in (1e-3, -1e-3)
    )
    assert slope == pytest.approx((ahead - behind) / 2e-3, rel=1e-2)


def test_the_dcn_starts_from_he_weights_of_its_own_stream():
    config = tiny_config(seed=5)
    pair = build_pair(config)
    random = dcn_network(config.network, seed=5)  # of the law he too, by chance of the test
    for ours, theirs in zip(pair.decoder, random.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    wide = build_pair(tiny_config(network={"layer": "conv1_2", "law": "gaussian"}))
    assert wide.decoder[0].std() == pytest.approx(np.sqrt(2 / (9 * 64)), rel=0.02)


def test_state_survives_a_checkpoints_names():
    state = State(*(tuple(np.full(3, 10 * k + i) for i in range(12)) for k in range(3)))
    again = State.of_arrays(state.arrays())
    for ours, theirs in zip(state.parts, again.parts, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "network",
    [
        {"architecture": "alexnet", "layer": "conv2", "channels": 8, "law": "he"},
        {"architecture": "vgg16", "layer": "conv2_1", "channels": 4, "tap": "post_pool"},
    ],
)
def test_every_architecture_takes_a_step(network):
    config = tiny_config(network={**network, "padding": "zero"}, crop=31)
    pair = build_pair(config)
    steps = trainer(config, pair, State.start(pair.decoder))
    batch = pictures(4, 31, seed=0)
    losses = [steps.number(steps.step(batch, step)) for step in (1, 2, 3)]
    assert losses[2] < losses[0]
    if network["architecture"] == "alexnet":
        assert pair.encoder[2].shape == (5, 5, 4, 8)  # two groups


def test_bfloat16_computes_close_by_and_keeps_float32_weights():
    losses = {}
    for precision in ("float32", "bfloat16"):
        config = tiny_config(precision=precision, learning_rate=1e-5)
        pair = build_pair(config)
        steps = trainer(config, pair, State.start(pair.decoder))
        losses[precision] = steps.number(steps.step(pictures(4, 12, seed=0), 1))
        assert {w.dtype for part in steps.state().parts for w in part} == {np.dtype("float32")}
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
        build_pair(tiny_config(**changes), weights)


@pytest.mark.parametrize("count", [0, 2, True, "all"])
def test_devices_that_are_not_there_are_refused(count):
    with pytest.raises(ValueError, match="devices must be from 1 to the 1 there are; received"):
        backend.parallel(count)


def test_all_devices_is_the_default_of_none():
    assert backend.parallel(None).count == 1
