"""The layers of a painter by hand, and what its network does before it has learnt."""

import keras
import numpy as np
import pytest

from rrstyle.config import NetworkConfig, PainterConfig
from rrstyle.examples import example
from rrstyle.painters.network import Enlarge, Likeness, Mixture, StrokeField, painter_model
from rrstyle.pictures.images import resize

NETWORK = NetworkConfig(channels=16, kernel=3, decoder_activation="leaky_relu")


def test_strokes_are_repeated_and_lie_still():
    field = StrokeField(2, 2)
    field.strokes.assign(np.arange(24, dtype=np.uint8).reshape(2, 2, 6))
    found = np.asarray(field(np.ones((2, 3, 5, 1), np.float32)))
    assert found.shape == (2, 3, 5, 6)
    np.testing.assert_array_equal(found[0], found[1])
    first = np.array([[0, 6, 0, 6, 0], [12, 18, 12, 18, 12], [0, 6, 0, 6, 0]]) / 255
    np.testing.assert_allclose(found[0, ..., 0], first, atol=1e-7)


def test_strokes_move_while_a_model_learns():
    field = StrokeField(1, 4)
    field.strokes.assign(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
    image = np.full((1, 4, 4, 1), 1 / 16, np.float32)  # of sum 1: one row down, seven columns on
    still, moved = (np.asarray(field(image, training=t))[0] for t in (False, True))
    np.testing.assert_array_equal(moved, np.roll(still, (-1, -7), axis=(0, 1)))


def test_likeness_is_the_squared_distance_of_colours():
    colours = np.tile(np.float32([0.1, 0.2, 0.3]), (1, 4, 5, 1))
    strokes = np.tile(np.float32([0.1, 0.2, 0.3, 0.2, 0.4, 0.0]), (1, 4, 5, 1))
    found = np.asarray(Likeness()([colours, strokes]))
    expected = np.tile(np.float32([0, -(0.01 + 0.04 + 0.09)]), (1, 4, 5, 1))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_mixture_adds_tiles_by_shares():
    strokes = np.float32([[[[1, 2, 3, 10, 20, 30]]]])
    found = np.asarray(Mixture()([strokes, np.float32([[[[0.75, 0.25]]]])]))
    np.testing.assert_allclose(found, [[[[3.25, 6.5, 9.75]]]])


@pytest.mark.parametrize("axis", [1, 2])
def test_cells_are_enlarged_linearly_between_their_middles(axis):
    expected = np.array([0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1])
    shape = [1, 2, 2, 1]
    shape[3 - axis] = 1
    cells = np.float32([0, 1]).reshape(shape)
    sides = [1, 8, 8, 1]
    sides[3 - axis] = 3
    found = np.asarray(Enlarge()([cells, np.zeros(sides, np.float32)]))
    assert found.shape == tuple(sides)
    lines = np.moveaxis(found[0, ..., 0], axis - 1, -1)
    np.testing.assert_allclose(lines, np.tile(expected, (3, 1)), atol=1e-7)


@pytest.fixture(scope="module")
def painter() -> keras.Model:
    tiles = np.stack([np.full((16, 16, 3), level, np.float32) for level in (0.2, 0.8)])
    pictures = [resize(example(name), (48, 64)) for name in ("waves", "coffee")]
    return painter_model(PainterConfig(network=NETWORK, width=4, blocks=1), tiles, pictures, seed=0)


def test_the_random_networks_and_the_strokes_do_not_learn(painter):
    names = {variable.path for variable in painter.trainable_variables}
    random = {w.path for part in ("cnn", "dcn") for w in painter.get_layer(part).weights}
    assert not names & (random | {painter.get_layer("strokes").strokes.path})
    assert len(names) == len(painter.trainable_variables) == 17


def test_before_it_learns_strokes_are_those_of_the_photographs_colours(painter):
    """A dark half takes the dark tile, a bright one the bright tile, though less far apart."""
    photograph = np.full((1, 32, 48, 3), 0.35, np.float32)
    photograph[:, :, 24:] = 0.65
    found = painter.predict_on_batch(photograph)[0]
    dark, bright = found[8:24, 6:16].mean(), found[8:24, 32:42].mean()
    assert dark == pytest.approx(0.2 + 0.27 * 0.15, abs=0.06)  # a share of .27 is the photograph
    assert bright == pytest.approx(0.8 - 0.27 * 0.15, abs=0.06)


@pytest.mark.parametrize("size", [(8, 8), (9, 14), (21, 35)])
def test_pictures_of_any_size_from_8_pixels_on(painter, size):
    found = painter.predict_on_batch(np.full((2, *size, 3), 0.5, np.float32))
    assert found.shape == (2, *size, 3)
    assert np.isfinite(found).all()
