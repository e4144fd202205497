"""The scales of `paint`, by hand, and how finds pass from one to the next."""

import math

import numpy as np
import pytest

from rrstyle.config import PaintConfig
from rrstyle.transfer.painting.levels import Grid, inherit, plan_levels, step_at


def own(grid, patch=5, part=0):
    """The finds of a picture whose every patch is centred on itself, as far as it lies inside."""
    rows, columns = (np.arange(count) * grid.step - patch // 2 for count in grid.places)
    height, width = grid.parts[part]
    rows, columns = np.clip(rows, 0, height - patch), np.clip(columns, 0, width - patch)
    field = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
    return (field + np.array([grid.tops[part], 0])).astype(np.int32)


# Grids


def test_places_by_hand():
    parts = ((9, 9),)
    assert Grid((5, 6), 1, parts).places == (5, 6)
    assert Grid((5, 6), 2, parts).places == (3, 4)  # centres 0, 2, 4 and 0, 2, 4, 6
    assert Grid((1, 7), 3, parts).places == (1, 3)


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("side", range(1, 12))
def test_the_last_place_lies_at_the_end_or_just_outside(side, step):
    rows, _ = Grid((side, 5), step, ((9, 9),)).places
    assert side - 1 <= (rows - 1) * step < side - 1 + step


def test_values_at_places_by_hand():
    values = np.arange(30).reshape(5, 6)
    found = Grid((5, 6), 2, ((9, 9),)).at_places(values)
    np.testing.assert_array_equal(found, [[0, 2, 4, 5], [12, 14, 16, 17], [24, 26, 28, 29]])
    np.testing.assert_array_equal(Grid((5, 6), 1, ((9, 9),)).at_places(values), values)


def test_parts_lie_below_one_another():
    assert Grid((5, 5), 1, ((7, 9), (4, 20), (6, 6))).tops.tolist() == [0, 7, 11]


def test_the_step_by_hand():
    assert [step_at(s) for s in ((63, 500), (500, 63), (64, 64), (500, 500))] == [1, 1, 2, 2]


# Scales


def test_scales_grow_from_the_coarsest_to_full_size():
    config = PaintConfig(coarsest=32, rounds=(4, 2, 1), content_mix=(0.1, 0.5))
    levels = plan_levels((128, 96), ((64, 64),), config)
    assert [x.size for x in levels] == [(32, 24), (45, 34), (64, 48), (91, 68), (128, 96)]
    assert [x.parts for x in levels] == [((s, s),) for s in (16, 23, 32, 45, 64)]
    assert [x.rounds for x in levels] == [4, 2, 1, 1, 1]
    # From the coarsest scale's share to the full one at 384, evenly in scales.
    shares = [math.log(s / 32) / math.log(384 / 32) for s in (32, 45, 64, 91, 128)]
    assert [x.mix for x in levels] == pytest.approx([0.1 + 0.4 * s for s in shares])


def test_no_share_is_more_than_full():
    levels = plan_levels(
        (800, 600), ((64, 64),), PaintConfig(coarsest=50, matched=800, content_mix=(0.2, 0.9))
    )
    assert levels[0].mix == pytest.approx(0.2)
    assert levels[-1].size == (800, 600)
    assert levels[-1].mix == pytest.approx(0.9)


def test_fine_scales_are_not_searched_and_the_finest_not_matched():
    config = PaintConfig(coarsest=32, rounds=(4, 3), searched=64, matched=91)
    levels = plan_levels((128, 96), ((64, 64),), config)
    assert [max(x.size) for x in levels] == [32, 45, 64, 91]
    assert [x.rounds for x in levels] == [4, 3, 3, 0]


def test_the_first_scale_is_searched_whatever_its_size():
    levels = plan_levels((128, 96), ((64, 64),), PaintConfig(searched=1, matched=1))
    assert [(x.size, x.rounds) for x in levels] == [((32, 24), 4)]
    levels = plan_levels((128, 96), ((64, 64),), PaintConfig(searched=1, coarsest=500))
    assert [(x.size, x.rounds) for x in levels] == [((128, 96), 4)]


def test_small_pictures_have_one_scale():
    levels = plan_levels((16, 16), ((16, 20),), PaintConfig())
    assert [(x.size, x.parts) for x in levels] == [((16, 16), ((16, 20),))]


def test_scales_too_narrow_for_patches_to_move_in_are_left_out():
    levels = plan_levels((100, 20), ((50, 50),), PaintConfig(rounds=(4, 3)))
    assert [x.size for x in levels] == [(71, 14), (100, 20)]  # not 35 x 7, not 50 x 10
    assert [x.rounds for x in levels] == [4, 3]
    # The last one stays, however narrow.
    assert [x.size for x in plan_levels((100, 8), ((50, 50),), PaintConfig())] == [(100, 8)]


def test_every_part_holds_a_patch():
    levels = plan_levels((128, 128), ((128, 10), (20, 128)), PaintConfig(size=7))
    assert levels[0].parts == ((32, 7), (7, 32))
    assert levels[-1].parts == ((128, 10), (20, 128))


def test_sides_of_a_network_that_divides_them_are_of_features():
    config = PaintConfig(coarsest=32, searched=46, matched=64, rounds=(2, 1))
    plain = plan_levels((128, 96), ((64, 48),), config)
    halved = plan_levels((256, 192), ((128, 96),), config, reduction=2)
    assert [x.size for x in plain] == [(32, 24), (45, 34), (64, 48)]
    assert [max(x.size) for x in halved] == [64, 91, 128]
    assert [x.rounds for x in halved] == [x.rounds for x in plain] == [2, 1, 0]
    assert [x.mix for x in halved] == pytest.approx([x.mix for x in plain], abs=0.01)
    narrow = plan_levels((256, 192), ((128, 10),), config, reduction=2)
    assert min(part[1] for x in narrow for part in x.parts) == 14  # a patch of 7 features


# Inherited finds


@pytest.mark.parametrize("steps", [(1, 1), (2, 2), (1, 2), (2, 1)])
def test_inherited_finds_of_a_pictures_own_patches_are_its_own(steps):
    coarse = Grid((20, 30), steps[0], ((20, 30),))
    fine = Grid((40, 60), steps[1], ((40, 60),))
    found, wanted = inherit(own(coarse), coarse, fine, 5), own(fine)
    assert found.shape == (*fine.places, 2)
    assert found.dtype == np.int32
    edge = 8 // fine.step  # at borders patches of the coarse scale lie further inside
    inner = np.s_[edge:-edge, edge:-edge]
    np.testing.assert_array_equal(found[inner], wanted[inner])


def test_inherited_finds_stay_in_their_part():
    # The left half is from one part, the right half from the other: both the picture itself.
    coarse = Grid((20, 30), 1, ((20, 30), (20, 30)))
    fine = Grid((40, 60), 1, ((40, 60), (40, 60)))
    field = own(coarse)
    field[:, 15:] = own(coarse, part=1)[:, 15:]
    found = inherit(field, coarse, fine, 5)
    assert [coarse.tops[1], fine.tops[1]] == [20, 40]
    inner = np.s_[6:-6, 6:-6]
    second = found[..., 0] >= 38  # 36 is the last corner of the first part
    np.testing.assert_array_equal(second, np.broadcast_to(np.arange(60) >= 30, (40, 60)))
    wanted = np.where(second[..., None], own(fine, part=1), own(fine))
    np.testing.assert_array_equal(found[inner], wanted[inner])


def test_at_the_same_scale_finds_stay_what_they_are():
    grid = Grid((20, 31), 2, ((15, 12), (18, 22)))
    rng = np.random.default_rng(0)
    first = rng.integers((11, 8), size=(*grid.places, 2))
    second = rng.integers((14, 18), size=(*grid.places, 2)) + np.array([15, 0])
    field = np.where(rng.random((*grid.places, 1)) < 0.5, first, second).astype(np.int32)
    np.testing.assert_array_equal(inherit(field, grid, grid, 5), field)


@pytest.mark.parametrize("ratio", [0.7, 1.41, 3.0])
def test_inherited_finds_lie_inside_whatever_the_sizes(ratio):
    coarse = Grid((21, 30), 2, ((15, 12), (9, 22)))
    parts = tuple((max(7, round(ratio * h)), max(7, round(ratio * w))) for h, w in coarse.parts)
    fine = Grid((round(21 * ratio), round(30 * ratio)), 1, parts)
    rng = np.random.default_rng(0)
    first = rng.integers((9, 6), size=(*coarse.places, 2))
    second = rng.integers((3, 16), size=(*coarse.places, 2)) + np.array([15, 0])
    field = np.where(rng.random((*coarse.places, 1)) < 0.5, first, second).astype(np.int32)
    found = inherit(field, coarse, fine, 7).reshape(-1, 2)
    assert found.min() >= 0
    for number, (height, width) in enumerate(parts):
        top = fine.tops[number]
        here = found[(found[:, 0] >= top) & (found[:, 0] < top + height)]
        assert len(here) > 0.3 * len(found)
        assert here[:, 0].max() <= top + height - 7
        assert here[:, 1].max() <= width - 7
