"""Pictures in a row, with pixels for features: finds move with what they show."""

import numpy as np
import pytest

from rrstyle.config import PaintConfig
from rrstyle.transfer.painting.sequence import Motion, PaintedSequence
from tests.rrstyle.transfer.painting.test_paint import canvas
from tests.support.pairs import picture

# Coarse scales are searched, the last two inherit their finds.
CONFIG = PaintConfig(rounds=(1,), keys=500, size=5, coarsest=24, searched=50, detail=0.0)


def start(content=None):
    content = picture("chelsea", 96) if content is None else content
    return PaintedSequence(canvas(content, picture("waves", 96), config=CONFIG))


def motion_of(content, dy=0.0, dx=0.0, seen=True):
    offset = np.broadcast_to(np.float32([dy, dx]), (*content.shape[:2], 2))
    return Motion(offset.copy(), np.full(content.shape[:2], seen))


def test_what_stands_still_stays_as_it_is():
    content = picture("chelsea", 96)
    sequence = start(content)
    np.testing.assert_array_equal(
        sequence.follow(content, motion_of(content)), sequence.first, strict=True
    )


def test_strokes_go_along_with_what_moves():
    wide = picture("chelsea", 110)
    height, width = wide.shape[0] - 4, wide.shape[1] - 6
    before, now = wide[4:, :width], wide[:height, 6:]  # what was at (y, x) is at (y + 4, x - 6)
    sequence = start(before)
    found = sequence.follow(now, motion_of(now, -4, 6))
    inner = np.s_[14:-14, 14:-14]
    moved = np.roll(sequence.first, (4, -6), (0, 1))
    alone = start(now).first
    along, apart = (np.abs(found - other)[inner].mean() for other in (moved, alone))
    assert along < 0.25 * apart


def test_parts_of_a_pixel_add_up():
    content = picture("chelsea", 96)
    steps, whole = start(content), start(content)
    for _ in range(4):
        steps.follow(content, motion_of(content, 0, 0.25))
    whole.follow(content, motion_of(content, 0, 1))
    one, other = (sequence.state[-1][..., 1] for sequence in (steps, whole))
    # Far from the border on the right, where places come into sight.
    assert np.median(np.abs(one - other)[:, : one.shape[1] // 2]) < 0.3
    assert np.median(other - start(content).state[-1][..., 1]) == 1


def test_what_comes_into_sight_is_searched():
    content, other = picture("chelsea", 96), picture("coffee", 96)
    other = other[: content.shape[0], : content.shape[1]]
    content = content[: other.shape[0]]
    sequence = start(content)
    seen = np.ones(content.shape[:2], bool)
    seen[:, 48:] = False
    now = np.where(seen[..., None], content, other)
    found = sequence.follow(now, Motion(np.zeros((*seen.shape, 2), np.float32), seen))
    np.testing.assert_allclose(found[:, :40], sequence.first[:, :40], atol=1e-6)
    assert np.abs(found - sequence.first)[:, 56:].mean() > 0.05
    # As near to the new picture as if it had been painted by itself.
    wanted = start(now).first
    mean = [np.abs(p - other)[:, 56:].mean() for p in (found, wanted, sequence.first)]
    assert mean[0] < 1.2 * mean[1] < 1.2 * mean[2]


def test_it_goes_on_from_a_state():
    content = picture("chelsea", 96)
    moves = [motion_of(content, 0.5, 1), motion_of(content, -1, 0.25, seen=False)]
    one, other = start(content), start(content)
    one.follow(content, moves[0])
    other.state = [part.copy() for part in one.state]
    np.testing.assert_array_equal(*(s.follow(content, moves[1]) for s in (one, other)))


@pytest.mark.parametrize("size", [(24, 32), (200, 300)])
def test_motion_may_be_of_any_size(size):
    content = picture("chelsea", 96)
    sequence = start(content)
    offset = np.zeros((*size, 2), np.float32)
    offset[..., 1] = 2 * size[1] / content.shape[1]  # two pixels of the content
    sequence.follow(content, Motion(offset, np.ones(size, bool)))
    moved = sequence.state[-1][..., 1] - start(content).state[-1][..., 1]
    assert np.median(moved) == pytest.approx(2, abs=0.01)
