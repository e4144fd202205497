"""Motion between pictures whose motion is known."""

import numpy as np
import pytest

from rrstyle.video.motion import grey, motion
from tests.support.pairs import picture


def shifted(dy, dx, size=(140, 200)):
    """A photograph, and the same moved by whole pixels."""
    whole, (height, width) = picture("chelsea", 300), size
    begin = 20, 20
    one, other = (
        whole[y : y + height, x : x + width] for y, x in (begin, (begin[0] - dy, begin[1] - dx))
    )
    return grey(one), grey(other)


@pytest.mark.parametrize("move", [(3, 0), (0, -4), (-2, 5)])
def test_a_shift_is_found(move):
    found = motion(*shifted(*move))
    inner = found.offset[16:-16, 16:-16]
    # What is at a pixel now was there less the move.
    np.testing.assert_allclose(np.median(inner, axis=(0, 1)), np.negative(move), atol=0.1)
    assert np.abs(inner + move).mean() < 0.3
    assert found.seen[16:-16, 16:-16].mean() > 0.95


def test_still_ground_does_not_move_at_all():
    before, _ = shifted(0, 0)
    noisy = before.astype(int) + np.random.default_rng(0).integers(-2, 3, before.shape)
    found = motion(before, np.clip(noisy, 0, 255).astype(np.uint8))
    assert (found.offset == 0).mean() > 0.95
    assert found.seen.mean() > 0.95


def test_what_was_hidden_was_not_seen():
    ground = grey(picture("chelsea", 256))
    thing = grey(picture("astronaut", 256))[20:80, 80:140]
    before, now = ground.copy(), ground.copy()
    before[50:110, 60:120] = thing
    now[50:110, 70:130] = thing
    seen = motion(before, now).seen
    assert seen[55:105, 61:68].mean() < 0.4  # uncovered
    assert seen[60:100, 80:120].mean() > 0.9  # the thing itself
    assert seen[:, 170:].mean() > 0.95


def test_a_cut_is_none():
    one, other = (grey(picture(name, 200))[:120] for name in ("chelsea", "coffee"))
    assert motion(one, other) is None
    assert motion(one, one) is not None


def test_grey_is_reduced_and_of_bytes():
    assert grey(np.full((30, 40, 3), 0.5, np.float32)).tolist() == [[128] * 40] * 30
    assert grey(np.zeros((600, 1024, 3), np.float32)).shape == (300, 512)
