"""The search among the style's patches: exact, inside the style, fair to all of it."""

import numpy as np
import pytest

from rrstyle.config import PaintConfig
from rrstyle.transfer.painting import kernels
from rrstyle.transfer.painting.matching import Shares, StyleCanvas, _nearest_key, allot, pad


def rng(seed=0):
    return np.random.default_rng(seed)


def noise(height, width, n=3, seed=0):
    return rng(seed).normal(size=(height, width, n)).astype(np.float32)


def canvas_of(*parts, owners=None, shares=None, seed=0, **settings):
    config = PaintConfig(**{"size": 3, "projection": 16, **settings})
    owners = range(len(parts)) if owners is None else owners
    shares = shares or len(parts) * (1 / len(parts),)
    shape = config.size, config.size, parts[0].shape[2], config.projection
    signs = rng(9).choice(np.float32([-1, 1]), shape)
    return StyleCanvas(parts, owners, Shares(shares), config, signs, rng(seed))


def distinct(field):
    return len(np.unique(field.reshape(-1, 2), axis=0))


def at(values, field):
    return values[field[..., 0], field[..., 1]]


# The canvas


def test_parts_lie_below_one_another_on_the_canvas():
    first, second = noise(8, 10, seed=1), noise(6, 5, seed=2)
    canvas = canvas_of(first, second)
    assert canvas.features.shape == (14, 10, 3)
    np.testing.assert_array_equal(canvas.features[:8], first)
    np.testing.assert_array_equal(canvas.features[8:, :5], second)
    assert not canvas.features[8:, 5:].any()
    expected = np.zeros((14, 10), bool)
    expected[:6, :8] = True  # corners of patches of 3: none straddles a border
    expected[8:12, :3] = True
    np.testing.assert_array_equal(canvas.valid, expected)
    assert not canvas.dense[~canvas.valid].any()


def test_a_projection_by_hand():
    part = noise(6, 7)
    canvas = canvas_of(part)
    patch = part[2:5, 3:6] - part.mean(axis=(0, 1))
    expected = np.einsum("ijn,ijnd->d", patch, canvas._signs) / np.sqrt(patch.size)
    np.testing.assert_allclose(canvas.dense[2, 3], expected, atol=1e-4)
    np.testing.assert_array_equal(canvas.project(part, 1), canvas.dense[:4, :5])
    np.testing.assert_array_equal(canvas.project(part, 2), canvas.dense[:4:2, :5:2])


def test_a_projection_is_exact_whatever_the_order_of_its_sum():
    part = 5 * noise(12, 12)
    canvas = canvas_of(part)
    terms = 9 * part.shape[2]
    steps = 2**24 // (16 * terms)
    whole = np.rint((part - part.mean(axis=(0, 1))) * steps)[2:5, 3:6].astype(np.int64)
    expected = np.einsum("ijn,ijnd->d", whole, canvas._signs.astype(np.int64))
    scale = np.float32(steps * np.sqrt(terms))
    np.testing.assert_array_equal(canvas.dense[2, 3], expected.astype(np.float32) / scale)
    # Distances stay, in the mean over projections, as Johnson and Lindenstrauss have it.
    many = canvas_of(noise(20, 20), projection=256)
    gaps = np.diff(many.dense[:18, :18].reshape(-1, 256), axis=0)
    patches = np.stack(
        [noise(20, 20)[y : y + 3, x : x + 3].ravel() for y in range(18) for x in range(18)]
    )
    wanted = np.square(np.diff(patches, axis=0)).sum(axis=1) / patches.shape[1]
    ratio = np.square(gaps).sum(axis=1) / 256 / wanted
    assert ratio.mean() == pytest.approx(1, abs=4 / np.sqrt(256))


def test_features_far_out_count_as_far_as_the_limit():
    part = noise(8, 8).copy()
    part[4, 4] = 1e9
    assert np.abs(canvas_of(part).dense).max() <= 16 * np.sqrt(9 * part.shape[2]) + 1e-3


# The search


def test_every_patch_finds_itself():
    part = noise(20, 24)
    canvas = canvas_of(part, completeness=1.0, coherence=1.0, occupancy=0.0)
    found = canvas.search(canvas.project(part, 1), 1)
    np.testing.assert_array_equal(found, np.stack(np.mgrid[:18, :22], axis=-1))


def test_the_nearest_key_is_the_brute_force_of_its_formula():
    queries, keys = noise(1, 700, 8)[0], noise(1, 90, 8, seed=1)[0]  # more than a block
    weight = (0.5 + rng(2).random(90)).astype(np.float32)
    found, distance = _nearest_key(queries, keys, weight)
    score = weight * ((queries[:, None] - keys[None]).astype(np.float64) ** 2).sum(axis=-1)
    np.testing.assert_array_equal(found, score.argmin(axis=1))
    np.testing.assert_allclose(distance, score.min(axis=1), rtol=1e-4)


def test_a_distance_is_never_below_0():
    keys = 100 + noise(1, 50, 8)[0]
    found, distance = _nearest_key(keys, keys, np.ones(50, np.float32))
    assert distance.min() >= 0
    np.testing.assert_array_equal(found, np.arange(50))


def test_a_weight_is_one_over_the_floor_and_the_best_distance():
    part, query = noise(9, 10, seed=1), noise(8, 12, seed=2)
    canvas = canvas_of(part, completeness=0.05)
    queries = canvas.project(query, 1).reshape(-1, 16).astype(np.float64)
    keys = canvas.dense[:7, :8].reshape(-1, 16).astype(np.float64)
    best = ((queries[:, None] - keys[None]) ** 2).sum(axis=-1).min(axis=0).reshape(7, 8)
    expected = 1 / (0.05 * keys.var(axis=0).sum() + best)
    found = canvas._weights(canvas.project(query, 1))
    np.testing.assert_allclose(found[:7, :8], expected, rtol=1e-3)
    assert not found[7:].any()
    assert not found[:, 8:].any()


def test_keys_are_bounded():
    canvas = canvas_of(noise(30, 30), keys=50)
    queries = canvas.project(noise(30, 30, seed=1), 1)
    found = canvas._nearest(queries.reshape(-1, 16), canvas._weights(queries), canvas._rng)
    assert 10 < distinct(found) <= 50


def holed():
    """Two parts, one with a hole, and where their patches lie."""
    return canvas_of(noise(12, 20, seed=1), noise(16, 9, seed=2), keys=60)


def test_no_find_is_where_no_patch_lies():
    canvas = holed()
    queries = canvas.project(noise(30, 30, seed=3), 1)
    found = canvas.search(queries, 1)
    assert at(canvas.valid, found).all()
    assert distinct(found) > 60  # coherence goes beyond the keys
    for hop in (1, 2):
        assert at(canvas.valid, canvas.correct(queries, found, hop)).all()


def test_corrected_finds_are_nearer():
    canvas = holed()
    queries = canvas.project(noise(30, 30, seed=3), 1)
    corners = np.argwhere(canvas.valid).astype(np.int32)
    field = corners[rng().integers(len(corners), size=(28, 28))]
    found = canvas.correct(queries, field, 1)
    before, after = (((queries - at(canvas.dense, f)) ** 2).sum(axis=-1) for f in (field, found))
    assert (after <= before + 1e-4).all()
    assert after.mean() < 0.9 * before.mean()


def test_corrected_finds_of_a_pictures_own_patches_are_its_own():
    part = noise(20, 24)
    canvas = canvas_of(part)
    own = np.stack(np.mgrid[:18, :22], axis=-1).astype(np.int32)
    np.testing.assert_array_equal(canvas.correct(canvas.project(part, 1), own, 1), own)
    # A single good find spreads, one place a sweep in each direction.
    lost = np.zeros_like(own)
    lost[9, 9] = 9
    found = canvas.correct(canvas.project(part, 1), lost, 1)
    right = (found == own).all(axis=-1)
    assert right[7:12, 7:12].all()


# Coherence, completeness, occupancy


def test_coherence_makes_larger_pieces():
    part, query = noise(40, 40, seed=1), noise(40, 40, seed=2)
    joints = []
    for coherence in (1.0, 1.3, 3.0):
        canvas = canvas_of(part, coherence=coherence, occupancy=0.0)
        found = canvas.search(canvas.project(query, 1), 1)
        joined = (np.diff(found, axis=1) == [0, 1]).all(axis=-1)
        joints.append(joined.mean())
    assert joints[1] > 2 * joints[0]
    assert joints[2] > 2 * joints[1]


def used(query, part, **settings):
    canvas = canvas_of(part, **settings)
    return distinct(canvas.search(canvas.project(query, 1), 1))


def test_completeness_makes_more_of_the_style_used():
    part = np.concatenate([np.zeros((20, 40, 2)), noise(20, 40, 2)]).astype(np.float32)
    query = 0.1 * noise(40, 40, 2, seed=5)
    settings = {"coherence": 1.0, "occupancy": 0.0}
    most, least = (used(query, part, completeness=c, **settings) for c in (0.001, 100.0))
    assert most > 1.2 * least


def test_occupancy_makes_more_of_the_style_used():
    part, query = noise(40, 40, seed=1), 0.3 * noise(40, 40, seed=5)
    settings = {"coherence": 2.0, "completeness": 1.0}
    most, least = (used(query, part, occupancy=o, **settings) for o in (10.0, 0.0))
    assert most > 1.1 * least


def test_use_by_hand():
    canvas = canvas_of(noise(9, 9), occupancy=0.5)
    even = np.stack(np.mgrid[:9, :9], axis=-1)
    np.testing.assert_allclose(canvas._use(even), 1, atol=1e-6)
    # Every find the same: a square of 3 by 3 corners carries all 81 uses, 9 times the mean.
    found = canvas._use(np.full((9, 9, 2), 4))
    expected = np.ones((9, 9))
    expected[3:6, 3:6] = 1 + 0.5 * (9 - 1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_use_is_measured_by_the_share_of_a_style():
    # Two styles of one area: three uses of every patch of one, one of every patch of the other.
    canvas = canvas_of(noise(9, 9), noise(9, 9), shares=(0.75, 0.25), occupancy=0.5)
    first = np.stack(np.mgrid[:9, :9], axis=-1)
    field = np.concatenate([first, first, first, first + np.array([9, 0])])
    np.testing.assert_allclose(np.delete(canvas._use(field), [8, 9], axis=0), 1, atol=1e-5)
    # A style used twice as much as is its due becomes dearer, the other one no cheaper.
    field = np.concatenate([first, first + np.array([9, 0])])
    found = canvas._use(field)
    np.testing.assert_allclose(found[:8], 1, atol=1e-5)
    np.testing.assert_allclose(found[10:], 1 + 0.5 * (2 - 1), rtol=1e-5)


# Shares


def test_allotting_by_hand():
    # Style 1 is nearer nowhere, but gets the half of the places where it costs least.
    distances = np.array([[0.0, 0.0, 0.0, 0.0], [5.0, 1.0, 4.0, 2.0]])
    np.testing.assert_array_equal(allot(distances, (0.5, 0.5)), [0, 1, 0, 1])


@pytest.mark.parametrize("shares", [(0.7, 0.3), (0.2, 0.5, 0.3), (0.1, 0.2, 0.3, 0.4)])
def test_every_style_gets_its_share_of_the_places(shares):
    distances = rng().gamma(2.0, size=(len(shares), 4000)) * np.arange(1, 1 + len(shares))[:, None]
    counts = np.bincount(allot(distances, shares), minlength=len(shares))
    np.testing.assert_allclose(counts / 4000, shares, atol=0.01)


def test_finds_of_a_search_are_shared():
    canvas = canvas_of(noise(12, 20, seed=1), noise(16, 9, seed=2), shares=(0.6, 0.4))
    queries = canvas.project(noise(42, 42, seed=3), 1)
    found = canvas._nearest(queries.reshape(-1, 16), canvas._weights(queries), canvas._rng)
    assert (found[:, 0] >= 12).mean() == pytest.approx(0.4, abs=0.01)
    # Coherence moves a few across.
    assert (canvas.search(queries, 1)[..., 0] >= 12).mean() == pytest.approx(0.4, abs=0.05)


def test_parts_of_one_style_share_its_share():
    parts = [noise(12, 20, seed=i) for i in range(3)]
    canvas = canvas_of(*parts, owners=[0, 1, 0], shares=(0.3, 0.7))
    queries = canvas.project(noise(42, 42, seed=5), 1)
    found = canvas._nearest(queries.reshape(-1, 16), canvas._weights(queries), canvas._rng)
    part = found[:, 0] // 12
    assert (part == 1).mean() == pytest.approx(0.7, abs=0.01)
    assert min((part == 0).mean(), (part == 2).mean()) > 0.05


# Chance and threads


def test_the_same_generator_finds_the_same():
    def found(seed):
        canvas = canvas_of(noise(30, 30), keys=50, seed=seed)
        return canvas.search(canvas.project(noise(30, 30, seed=1), 1), 1)

    np.testing.assert_array_equal(found(1), found(1))
    assert not np.array_equal(found(1), found(2))


def test_a_search_does_not_depend_on_the_number_of_threads(monkeypatch):
    def found(cores):
        monkeypatch.setattr(kernels, "usable_cores", lambda: cores)
        canvas = canvas_of(noise(20, 20), occupancy=1.0)
        return canvas.search(canvas.project(noise(70, 20, seed=1), 1), 1)

    np.testing.assert_array_equal(found(1), found(4))


# Borders


def test_padding_by_hand():
    row = np.arange(5, dtype=np.float32).reshape(1, 5, 1).repeat(5, axis=0)
    assert pad(row, 3, 1)[0, :, 0].tolist() == [1, 0, 1, 2, 3, 4, 3]
    assert pad(row, 3, 2)[0, :, 0].tolist() == [1, 0, 1, 2, 3, 4, 3]  # places 0, 2, 4
    even = pad(row[:, :4], 3, 2)
    assert even[0, :, 0].tolist() == [1, 0, 1, 2, 3, 2, 1]  # places 0, 2 and one outside
    assert even.shape == (7, 7, 1)
