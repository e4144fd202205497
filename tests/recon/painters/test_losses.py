"""The loss of painters: strokes by their statistics, colours place by place."""

import numpy as np
import pytest

from recon.painters.losses import PaintingLoss, level_units
from rrstyle.examples import example
from rrstyle.pictures.images import resize, to_uint8


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return to_uint8(resize(example("brush-strokes"), (64, 64)))


@pytest.fixture(scope="module")
def loss(picture) -> PaintingLoss:
    return PaintingLoss(level_units([picture / np.float32(255)]), seed=0)


def _of(loss, painted, photograph, found) -> float:
    wanted = np.concatenate([painted, photograph], axis=-1)[None]
    return float(np.asarray(loss(wanted, np.float32(found)[None]))[0])


def test_it_is_nothing_where_picture_photograph_and_result_are_one(loss, picture):
    assert _of(loss, picture, picture, picture / 255) == pytest.approx(0, abs=1e-6)


def test_colours_are_the_mean_difference_from_the_photograph(loss):
    """Flat grey pictures have no strokes: what is left is twice the difference of levels."""
    grey, darker = np.full((64, 64, 3), 153, np.uint8), np.full((64, 64, 3), 102, np.uint8)
    found = np.full((64, 64, 3), 0.6)
    assert _of(loss, grey, darker, found) == pytest.approx(2 * 0.2, abs=1e-4)


def test_strokes_elsewhere_cost_less_than_no_strokes(loss, picture):
    flat = np.broadcast_to(picture.mean(axis=(0, 1)), picture.shape)
    grey = to_uint8(flat / 255)
    moved = np.roll(picture, (16, 16), axis=(0, 1)) / 255
    assert _of(loss, picture, grey, moved) < 0.5 * _of(loss, picture, grey, flat / 255)
