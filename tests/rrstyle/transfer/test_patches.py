"""Patch matching, part by part and as a whole."""

import numpy as np
import pytest

from rrstyle.config import PatchConfig
from rrstyle.progress import ignore
from rrstyle.transfer import patches as p
from rrstyle.transfer.features import resize_features


def rng(seed=0):
    return np.random.default_rng(seed)


def noise(height, width, n=3, seed=0):
    return rng(seed).normal(size=(height, width, n)).astype(np.float32)


def test_overlap_average_by_hand():
    source = np.arange(4, dtype=np.float32).reshape(1, 4, 1)
    source = np.concatenate([source, source + 10])  # [[0, 1, 2, 3], [10, 11, 12, 13]]
    found = np.array([[[0, 0], [0, 2]]])  # patches 2x2, for corners 0 and 1
    result = p.overlap_average(source, found, 2, 1, (2, 3))
    # Column 0: patch A's left; column 1: mean of A's right and B's left; column 2: B's right.
    np.testing.assert_allclose(result[..., 0], [[0, 1.5, 3], [10, 11.5, 13]])


@pytest.mark.parametrize("step", [1, 2])
def test_averaging_a_pictures_own_patches_gives_it_back(step):
    picture = noise(13, 17)
    corners = np.stack(np.mgrid[0:9:step, 0:13:step], axis=-1)
    np.testing.assert_allclose(
        p.overlap_average(picture, corners, 5, step, (13, 17)), picture, atol=1e-6
    )


def test_every_patch_finds_itself():
    picture = noise(20, 24)
    config = PatchConfig(size=5, completeness=1.0)
    bank = p.StylePatches(picture, config, rng())
    found = bank.nearest(picture, 1, rng())
    np.testing.assert_array_equal(found, np.stack(np.mgrid[:16, :20], axis=-1))


def test_search_is_the_brute_force_of_its_formula():
    style, query = noise(15, 16, seed=1), noise(14, 18, seed=2)
    config = PatchConfig(size=3, completeness=0.05, projection=8)
    bank = p.StylePatches(style, config, rng(3))
    keys = bank.project(style, 1).reshape(-1, 8).astype(np.float64)
    queries = bank.project(query, 1).reshape(-1, 8).astype(np.float64)
    distance = ((queries[:, None] - keys[None]) ** 2).sum(axis=-1)
    floor = 0.05 * keys.var(axis=0).sum()
    score = distance / (floor + distance.min(axis=0))
    found = bank.nearest(query, 1, rng()).reshape(-1, 2)
    chosen = found[:, 0] * 14 + found[:, 1]
    best = score.min(axis=1)
    np.testing.assert_allclose(score[np.arange(len(score)), chosen], best, rtol=1e-3)


def test_completeness_makes_more_of_the_style_used():
    style = np.concatenate([np.zeros((20, 40, 2)), noise(20, 40, 2)]).astype(np.float32)
    query = 0.1 * noise(40, 40, 2, seed=5)
    used = []
    for completeness in (100.0, 0.001):
        config = PatchConfig(size=3, completeness=completeness)
        found = p.StylePatches(style, config, rng()).nearest(query, 1, rng())
        used.append(len(np.unique(found.reshape(-1, 2), axis=0)))
    assert used[1] > 1.2 * used[0]


def test_keys_are_bounded():
    config = PatchConfig(size=3, keys=50)
    found = p.StylePatches(noise(30, 30), config, rng()).nearest(noise(30, 30, seed=1), 1, rng())
    assert len(np.unique(found.reshape(-1, 2), axis=0)) <= 50


def test_refined_field_of_a_pictures_own_patches_is_its_own():
    size = 5
    coarse = p._Scale((20, 30), (20, 30), 1, 0.0, 2)
    fine = p._Scale((40, 60), (40, 60), 1, 0.0, 2)
    # At the coarse scale every pixel's patch is centred on itself, away from the borders.
    field = np.stack(np.mgrid[0:20:2, 0:30:2], axis=-1) - size // 2
    refined = p.refine_field(field, coarse, fine, size)
    rows, columns = np.mgrid[:40, :60]
    inner = np.s_[6:34, 6:54]
    np.testing.assert_array_equal(refined[..., 0][inner], (rows - size // 2)[inner])
    np.testing.assert_array_equal(refined[..., 1][inner], (columns - size // 2)[inner])
    assert refined.min() >= 0
    assert refined[..., 0].max() <= 40 - size


def test_scales_grow_from_the_coarsest_to_full_size():
    config = PatchConfig(coarsest=32, rounds=(4, 2, 1), content_mix=(0.1, 0.5))
    scales = list(p._scales((128, 96), (64, 64), config))
    assert [s.size[0] for s in scales] == [32, 45, 64, 91, 128]
    assert [s.rounds for s in scales] == [4, 2, 1, 1, 1]
    assert scales[0].mix == pytest.approx(0.1)
    assert scales[-1].mix == pytest.approx(0.5)
    assert scales[-1].style_size == (64, 64)


def test_small_features_have_one_scale():
    scales = list(p._scales((16, 16), (16, 20), PatchConfig()))
    assert [s.size for s in scales] == [(16, 16)]


def test_matching_a_picture_with_itself_gives_it_back():
    picture = resize_features(noise(12, 16), (48, 64))
    config = PatchConfig(size=5, content_mix=(1.0, 1.0), diversity=0.0, completeness=1.0)
    result = p.match_patches(picture, picture, config=config, rng=rng(), on_step=ignore)
    assert result.shape == picture.shape
    # Steps of two pixels and a search in a random projection leave a little.
    assert np.mean((result - picture) ** 2) < 0.02 * picture.var()


def test_result_is_made_of_style():
    content = noise(32, 40)
    style = np.full((24, 24, 3), 0.3, np.float32)
    style[::2] = -0.7
    result = p.match_patches(content, style, config=PatchConfig(size=3), rng=rng(), on_step=ignore)
    assert result.min() >= -0.7 - 1e-5
    assert result.max() <= 0.3 + 1e-5


def test_progress_rises_to_one():
    fractions = []
    p.match_patches(
        noise(32, 32),
        noise(20, 36),
        config=PatchConfig(size=5),
        rng=rng(),
        on_step=lambda step: fractions.append(step.fraction),
    )
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)


def test_same_generator_same_result():
    def run(seed):
        config = PatchConfig(size=5)
        return p.match_patches(
            noise(32, 32), noise(32, 32, seed=1), config=config, rng=rng(seed), on_step=ignore
        )

    np.testing.assert_array_equal(run(1), run(1))
    assert not np.array_equal(run(1), run(2))


def test_the_nearest_centre_weighs_most():
    # Two patches of 5 cover column 3: one centred on column 2, one on column 4.
    source = np.concatenate([np.zeros((5, 5, 1)), np.ones((5, 5, 1))], axis=1).astype(np.float32)
    found = np.array([[[0, 0], [0, 5]]])
    row = p.overlap_average(source, found, 5, 2, (5, 7))[2, :, 0]
    np.testing.assert_allclose(row[[0, 3, 6]], [0, 0.5, 1])
    near, far = np.exp(-(0.0**2) / 2), np.exp(-((2 / 1.25) ** 2) / 2)
    np.testing.assert_allclose(row[2], far / (near + far), rtol=1e-5)
