"""Tiles: borders that wrap around, from the loops to the picture."""

import numpy as np
import pytest

from rrstyle import PaintConfig, StyleConfig, stylize
from rrstyle.config import NetworkConfig
from rrstyle.pictures.images import periodic
from rrstyle.transfer.painting.kernels import cohere, vote
from rrstyle.transfer.painting.levels import Grid, inherit, plan_levels
from rrstyle.transfer.painting.matching import pad


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("step", [1, 2])
def test_a_vote_of_a_wrapped_pictures_own_patches_gives_it_back(step):
    picture = rng().random((8, 12, 3), np.float32)
    source = pad(picture, 5, step, wraps=True)
    grid = Grid((8, 12), step, (source.shape[:2],), wraps=True)
    assert grid.places == (8 // step, 12 // step)
    field = np.stack(np.indices(grid.places), axis=-1).astype(np.int32) * step
    found = vote(source, field, size=5, step=step, shape=(8, 12), wraps=True)
    np.testing.assert_allclose(found, picture, atol=1e-6)


def test_the_last_place_is_a_neighbour_of_the_first():
    # Finds 0 0 0 7 in a row of 9 keys; place 0 wants key 8, its left neighbour over the border
    # found 7: moved on by one it is 8.
    dense = np.arange(9, dtype=np.float32).reshape(1, 9, 1) * 10
    queries = np.array([80, 0, 0, 70], np.float32).reshape(1, 4, 1)
    field = np.zeros((1, 4, 2), np.int32)
    field[0, 3, 1] = 7
    given = queries, dense, np.ones((1, 9), np.float32), 0.0, field
    found = cohere(*given, within=1.0, hop=1, wraps=True)
    np.testing.assert_array_equal(found[0, :, 1], [8, 0, 0, 7])
    np.testing.assert_array_equal(cohere(*given, within=1.0, hop=1)[0, :, 1], [0, 0, 0, 7])


def test_inherited_finds_come_from_beyond_the_border():
    coarse = Grid((4, 4), 2, ((20, 20),), wraps=True)
    fine = Grid((8, 8), 2, ((40, 40),), wraps=True)
    field = np.full((2, 2, 2), 4, np.int32)
    field[0, 0] = 10
    found = inherit(field, coarse, fine, 5)
    assert found.shape == (4, 4, 2)
    # Row 3 of the fine scale lies at 3 pixels of 4: nearest to row 0 of the next copy.
    assert found[3, 3, 0] > found[2, 2, 0]


def test_sides_are_multiples_at_every_scale():
    levels = plan_levels((150, 202), ((90, 90),), PaintConfig(), multiple=4)
    assert len(levels) > 3
    assert all(side % 4 == 0 for level in levels for side in level.size)


def test_a_ramp_is_faded_into_itself_by_hand():
    ramp = np.repeat(np.arange(16.0, dtype=np.float32)[None, :, None], 4, axis=0)
    found = periodic(ramp)[0, :, 0]
    share = np.sin(np.pi / 2 * 8 * 0.5 / 16) ** 2  # of the first pixel, 1 / 32 from the border
    assert found[0] == pytest.approx(8 * (1 - share), abs=1e-5)
    assert found[-1] == pytest.approx(15 * share + 7 * (1 - share), abs=1e-5)
    np.testing.assert_array_equal(found[2:14], ramp[0, 2:14, 0])
    assert abs(found[0] - found[-1]) < 15 / 2


def test_what_wraps_already_is_left_as_it_is():
    wave = np.sin(2 * np.pi * np.arange(32) / 32).astype(np.float32)
    picture = np.broadcast_to((wave[:, None] + wave[None])[..., None], (32, 32, 3))
    np.testing.assert_array_equal(periodic(picture), picture)


@pytest.mark.parametrize("tap", ["pre_pool", "post_pool"])
def test_a_tile_has_no_seam(tap):
    content = np.kron(rng(1).random((7, 9, 3)), np.ones((11, 11, 1)))
    style = np.kron(rng(2).random((20, 20, 3)), np.ones((4, 4, 1)))
    network = NetworkConfig(channels=8, kernel=5, tap=tap, decoder_activation="leaky_relu")
    config = StyleConfig(side=90, tile=True, encoder=network, paint=PaintConfig(keys=500))
    made = stylize(content, style, config, seed=0)
    height, width = made.shape[:2]
    assert height % 2 == width % 2 == 0
    for axis in range(2):
        within = np.abs(np.diff(made, axis=axis)).mean(axis=(0, 1, 2))
        across = np.abs(np.take(made, 0, axis) - np.take(made, -1, axis)).mean()
        assert across < 2 * within
