"""DCNs with pooling switches: places by hand, and what they take from the CNN."""

import numpy as np
import pytest

from recon.training.config import TrainingConfig
from recon.training.model import build_networks, inversion_model, trained_networks
from recon.training.switches import SwitchedUnpooling2D, with_switches
from rrstyle.config import NetworkConfig


def networks(**named):
    network = NetworkConfig(layer="conv2", tap="post_pool", padding="zero", law="he", channels=4)
    config = TrainingConfig(network=NetworkConfig(**{**vars(network), **named}), crop=15, batch=2)
    return config, build_networks(config)


def test_values_go_where_the_maxima_were():
    before = np.float32([[1, 2, 0], [4, 3, 5], [0, 0, 6]])
    values = np.float32([[10, 20], [30, 40]])
    found = SwitchedUnpooling2D()([values[None, ..., None], before[None, ..., None]])
    # Cut-off windows have what is inside; of equal ones the first is the maximum.
    expected = [[0, 0, 0], [10, 0, 20], [30, 0, 40]]
    np.testing.assert_array_equal(np.asarray(found)[0, ..., 0], expected)


def test_channels_have_places_of_their_own():
    before = np.zeros((2, 2, 2, 2), np.float32)
    before[0, 0, 1, 0] = before[0, 1, 0, 1] = before[1, 1, 1, 0] = 1
    values = np.arange(1, 5, dtype=np.float32).reshape(2, 1, 1, 2)
    found = np.asarray(SwitchedUnpooling2D()([values, before]))
    expected = np.zeros_like(before)
    expected[0, 0, 1, 0], expected[0, 1, 0, 1] = 1, 2
    expected[1, 1, 1, 0], expected[1, 0, 0, 1] = 3, 4
    np.testing.assert_array_equal(found, expected)


def test_weights_stay_and_pictures_change_with_the_switches():
    _, plain = networks()
    pair = with_switches(plain)
    for one, other in zip(pair.dcn.get_weights(), plain.dcn.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    image = np.random.default_rng(0).random((2, 15, 15, 3), np.float32)
    features, *before = pair.cnn.predict_on_batch(image)
    np.testing.assert_array_equal(features, plain.cnn.predict_on_batch(image))
    assert [maps.shape for maps in before] == [(2, 15, 15, 4), (2, 8, 8, 4)]
    back = pair.dcn.predict_on_batch([features, *before])
    assert back.shape == image.shape
    exchanged = pair.dcn.predict_on_batch([features, *(maps[::-1] for maps in before)])
    assert np.abs(back - exchanged).max() > 1e-3 * np.abs(back).max()


def test_a_training_keeps_the_switches():
    config, plain = networks()
    pair = with_switches(plain)
    model = inversion_model(config, pair)
    pixels = np.random.default_rng(1).integers(0, 256, (2, 15, 15, 3)).astype(np.uint8)
    losses = [model.train_on_batch(pixels, pixels)[0] for _ in range(6)]
    assert losses[-1] < losses[0]
    trained = trained_networks(pair, model.layers[-1].get_weights())
    back = trained.dcn.predict_on_batch(trained.cnn.predict_on_batch(pixels / np.float32(255)))
    np.testing.assert_allclose(back, model.predict_on_batch(pixels) / 255, atol=1e-4)


@pytest.mark.parametrize("named", [{"architecture": "alexnet"}, {"pooling": "average"}])
def test_other_pools_have_no_switches(named):
    with pytest.raises(ValueError, match="pools must be of the maximum, 2 x 2; received"):
        with_switches(networks(**named)[1])
