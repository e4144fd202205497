"""The loops over patches: costs, coherence and votes, by hand and on any number of threads."""

import numpy as np
import pytest

from rrstyle.transfer.painting import kernels
from rrstyle.transfer.painting.kernels import cohere, costs, vote
from rrstyle.transfer.painting.matching import pad


def rng(seed=0):
    return np.random.default_rng(seed)


def noise(*shape, seed=0):
    return rng(seed).normal(size=shape).astype(np.float32)


def finds(*corners):
    """A field of one row."""
    return np.array([corners], np.int32)


# Costs


def test_costs_by_hand():
    queries = np.float32([[[0, 0], [1, 2]]])
    dense = np.float32([[[0, 0], [3, 4]], [[1, 1], [5, 5]]])
    price = np.float32([[1, 2], [0.5, 4]])
    found = costs(queries, dense, price, 1.0, finds((0, 1), (1, 0)))
    # (9 + 16 + 1) * 2 and (0 + 1 + 1) / 2
    np.testing.assert_allclose(found, [[52, 1]])
    assert found.dtype == np.float32


# Coherence: a style of one row whose patch at column x is the number x


def ruler(length=9):
    return np.arange(length, dtype=np.float32).reshape(1, length, 1)


def swept(wanted, columns, *, dense=None, price=None, floor=0.0, within=1.0, hop=1, down=False):
    """Columns found after one sweep of coherence, from `columns` for the numbers `wanted`.

    With `down` both the places and the style run from top to bottom.
    """
    dense = ruler() if dense is None else dense
    price = np.ones(dense.shape[:2], np.float32) if price is None else price
    queries = np.float32(wanted).reshape(1, -1, 1)
    field = np.stack([np.zeros_like(columns), columns], axis=-1).astype(np.int32)[None]
    if down:
        queries, dense, price, field = (x.swapaxes(0, 1) for x in (queries, dense, price, field))
        field = field[..., ::-1]
    arrays = (np.ascontiguousarray(x) for x in (queries, dense, price))
    queries, dense, price = arrays
    found = cohere(
        queries, dense, price, floor, np.ascontiguousarray(field), within=within, hop=hop
    )
    assert found.dtype == np.int32
    along, across = (0, 1) if down else (1, 0)
    assert not found[..., across].any()
    return found[..., along].ravel().tolist()


@pytest.mark.parametrize("down", [False, True])
def test_places_take_over_their_neighbours_finds_moved_on_by_a_step(down):
    assert swept([3, 4, 5], [3, 0, 7], down=down) == [3, 4, 7]
    assert swept([3, 4, 5], [3, 4, 7], down=down) == [3, 4, 5]  # a piece grows by one a sweep
    assert swept([3, 4, 5], [8, 0, 5], down=down) == [8, 4, 5]  # and to the other side
    assert swept([3, 4, 5], [3, 4, 5], down=down) == [3, 4, 5]


@pytest.mark.parametrize("down", [False, True])
def test_a_step_is_as_long_as_the_hop(down):
    assert swept([2, 4, 6], [2, 0, 8], hop=2, down=down) == [2, 4, 8]


@pytest.mark.parametrize("down", [False, True])
def test_no_patch_is_taken_over_where_none_lies(down):
    price = np.ones((1, 9), np.float32)
    price[0, 4] = 0
    # Column 4 would be perfect; from the right comes 7 - 1.
    assert swept([3, 4, 5], [3, 0, 7], price=price, down=down) == [3, 6, 7]


@pytest.mark.parametrize("down", [False, True])
def test_no_find_leaves_the_canvas(down):
    assert swept([8, 20], [8, 0], down=down) == [8, 0]
    assert swept([-20, 0], [5, 0], down=down) == [5, 0]


def test_a_find_may_cost_its_share_more_than_ones_own():
    # Place 1 wants 0: its own find, column 2, costs 1; its neighbour's next, column 1, costs 1.4.
    dense = np.sqrt(np.float32([0, 1.4, 1])).reshape(1, 3, 1)
    assert swept([0, 0], [0, 2], dense=dense, within=1.3) == [0, 2]
    assert swept([0, 0], [0, 2], dense=dense, within=1.5) == [0, 1]


def test_a_find_as_dear_as_ones_own_is_left():
    # Columns 3 and 5 are as far from 4.
    assert swept([2, 4], [2, 5], within=1.0) == [2, 5]
    assert swept([2, 4], [2, 5], within=1.01) == [2, 3]


def test_price_and_floor_decide_with_the_distance():
    price = np.ones((1, 9), np.float32)
    price[0, 4] = 20
    # Column 4: (0 + 1) * 20 against (16 + 1) for one's own; without a floor it is free.
    assert swept([3, 4], [3, 0], price=price, floor=1.0) == [3, 0]
    assert swept([3, 4], [3, 0], price=price, floor=0.0) == [3, 4]


def test_coherence_never_makes_a_field_dearer_within_1():
    queries, dense = noise(20, 24, 4), noise(15, 17, 4, seed=1)
    price = 1 + rng(2).random((15, 17)).astype(np.float32)
    field = rng(3).integers((15, 17), size=(20, 24, 2)).astype(np.int32)
    before = costs(queries, dense, price, 0.1, field)
    after = cohere(queries, dense, price, 0.1, field, within=1.0, hop=1)
    left = costs(queries, dense, price, 0.1, after)
    assert (left <= before).all()
    assert left.mean() < 0.8 * before.mean()


def test_coherence_leaves_the_field_that_it_is_given():
    queries, dense = noise(6, 6, 2), noise(8, 8, 2, seed=1)
    field = rng().integers(8, size=(6, 6, 2)).astype(np.int32)
    before = field.copy()
    cohere(queries, dense, np.ones((8, 8), np.float32), 0.0, field, within=2.0, hop=1)
    np.testing.assert_array_equal(field, before)


# Votes


def test_a_vote_by_hand():
    # Patches of 3 around columns 0 and 2 of the result: both cover column 1, equally far away.
    source = np.arange(18, dtype=np.float32).reshape(3, 6, 1)
    found = vote(source, finds((0, 0), (0, 3)), size=3, step=2, shape=(1, 3))
    np.testing.assert_allclose(found[0, :, 0], [7, (8 + 9) / 2, 10])
    found = vote(
        source.swapaxes(0, 1).copy(), np.int32([[[0, 0]], [[3, 0]]]), size=3, step=2, shape=(3, 1)
    )
    np.testing.assert_allclose(found[:, 0, 0], [7, (8 + 9) / 2, 10])


def test_the_nearest_centre_weighs_most():
    source = np.concatenate([np.zeros((5, 5, 1)), np.ones((5, 5, 1))], axis=1).astype(np.float32)
    row = vote(source, finds((0, 0), (0, 5)), size=5, step=2, shape=(1, 4))[0, :, 0]
    # Distances 0 and 2, 1 and 1, 2 and 0, from the second patch alone 1; a deviation of 5 / 4.
    near, far = 1, np.exp(-((2 / 1.25) ** 2) / 2)
    expected = [far / (near + far), 0.5, near / (near + far), 1]
    np.testing.assert_allclose(row, expected, rtol=1e-5)


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("size", [(13, 17), (12, 18), (1, 9), (7, 8)])
def test_a_vote_of_a_pictures_own_patches_gives_it_back(size, step):
    picture, patch = noise(*size, 3), 5
    source = np.pad(picture, [(2, 2 + step), (2, 2 + step), (0, 0)], mode="wrap")
    places = ((side - 1 + step - 1) // step + 1 for side in size)
    field = (step * np.stack(np.mgrid[tuple(map(slice, places))], axis=-1)).astype(np.int32)
    found = vote(source, field, size=patch, step=step, shape=size)
    np.testing.assert_allclose(found, picture, atol=1e-6)


def test_padded_features_reach_as_far_as_a_vote_of_their_patches():
    picture = noise(10, 13, 2)
    for step in (1, 2):
        padded = pad(picture, 7, step)
        rows, columns = ((side - 7) // step + 1 for side in padded.shape[:2])
        field = (step * np.stack(np.mgrid[:rows, :columns], axis=-1)).astype(np.int32)
        found = vote(padded, field, size=7, step=step, shape=(10, 13))
        np.testing.assert_allclose(found, picture, atol=1e-6)


def test_rows_from_the_middle_are_those_of_the_whole():
    source = noise(20, 20, 2)
    field = rng().integers(16, size=(11, 9, 2)).astype(np.int32)
    settings = {"size": 5, "step": 2}
    whole = vote(source, field, shape=(21, 17), **settings)
    for top in (1, 6, 20):
        part = vote(source, field, shape=(21 - top, 17), top=top, **settings)
        np.testing.assert_array_equal(part, whole[top:])


def test_a_vote_stays_between_the_values_that_it_is_made_of():
    source = noise(20, 20, 2)
    field = rng().integers(14, size=(10, 10, 2)).astype(np.int32)
    found = vote(source, field, size=7, step=2, shape=(19, 19))
    assert found.min() >= source.min() - 1e-6
    assert found.max() <= source.max() + 1e-6


# Threads


def test_nothing_depends_on_the_number_of_threads(monkeypatch):
    queries, dense = noise(100, 30, 4), noise(25, 25, 4, seed=1)
    price = 1 + rng(2).random((25, 25)).astype(np.float32)
    field = rng(3).integers(20, size=(100, 30, 2)).astype(np.int32)

    def computed():
        given = queries, dense, price, 0.1, field
        return (
            costs(*given),
            cohere(*given, within=1.3, hop=1),
            vote(dense, field, size=5, step=1, shape=(100, 30)),
        )

    monkeypatch.setattr(kernels, "usable_cores", lambda: 1)
    alone = computed()
    for cores in (2, 3, 64):
        monkeypatch.setattr(kernels, "usable_cores", lambda cores=cores: cores)
        for ours, theirs in zip(computed(), alone, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_few_rows_start_no_threads(monkeypatch):
    parts = []

    def recorded(function, bands, threads):
        parts.append((list(bands), threads))
        return map(function, parts[-1][0])

    monkeypatch.setattr(kernels, "in_threads", recorded)
    monkeypatch.setattr(kernels, "usable_cores", lambda: 4)
    for rows in (1, 31, 48, 1000):
        seen = []
        kernels._by_rows(lambda first, last, seen=seen: seen.append((first, last)), rows)
        assert [y for first, last in seen for y in range(first, last)] == list(range(rows))
    assert [threads for _, threads in parts] == [1, 1, 3, 4]
