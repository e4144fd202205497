"""Closeness to the style, edges kept and diversity, on hand-made pictures."""

import math

import numpy as np
import pytest
from scipy import ndimage

from recon.style_measures import (
    diversity,
    edge,
    half_size_edges,
    mean_and_spread,
    stroke_distance,
    swd,
)


def noise(seed: int, side: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).random((side, side, 3), np.float32)


def stripes(period: int, side: int = 64) -> np.ndarray:
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * np.arange(side) / period)
    return np.broadcast_to(wave[:, None, None], (side, side, 3)).astype(np.float32)


def test_swd_of_two_constants_is_their_distance_along_a_random_direction() -> None:
    # Every patch of a constant is one point: the distance is |a - b| |sum d|, d uniform on the
    # sphere of 75 dimensions, and E |sum d| = sqrt(75) E |d_1| = sqrt(2 / pi) (1 + O(1 / 75)).
    a, b = np.full((40, 40, 3), 0.25), np.full((48, 33, 3), 0.75)
    exact = 0.5 * math.sqrt(75) * math.gamma(37.5) / (math.sqrt(math.pi) * math.gamma(38))
    # |sum d| varies by about sqrt(1 - 2 / pi) = .60; 4 levels of 256 directions are averaged.
    error = 0.5 * math.sqrt(1 - 2 / math.pi) / math.sqrt(4 * 256)
    assert swd(a, b, seed=0) == pytest.approx(exact, abs=4 * error)
    assert swd(a, a, seed=0) == pytest.approx(0, abs=1e-12)


def test_swd_of_a_picture_and_itself_is_the_floor_of_the_sampling() -> None:
    picture, other = stripes(16), stripes(7)
    floor = max(swd(picture, picture, seed=seed) for seed in range(3))
    assert 0 < floor < 0.1 * swd(picture, other, seed=0)


def test_swd_grows_with_the_difference_of_textures() -> None:
    picture = stripes(16)
    near, far = (swd(picture, stripes(period), seed=0) for period in (14, 5))
    assert swd(picture, picture, seed=0) < near < far
    # A shift changes places, not texture.
    assert swd(picture, np.roll(picture, 8, axis=0), seed=0) < near


def test_swd_is_symmetric_up_to_sampling() -> None:
    a, b = stripes(16), noise(0)
    floor = swd(a, a, seed=0) + swd(b, b, seed=0)
    assert abs(swd(a, b, seed=0) - swd(b, a, seed=0)) < floor
    assert swd(a, b, seed=1) == swd(a, b, seed=1)


def test_swd_refuses_what_has_no_fourth_level() -> None:
    assert swd(noise(0, 33), noise(1, 33), seed=0) > 0
    with pytest.raises(ValueError, match="at least 33 pixels a side to be measured; received 32"):
        swd(noise(0, 32), noise(0, 64), seed=0)


def test_strokes_of_a_ramp_by_hand() -> None:
    # Gradients .01 and .02 a pixel everywhere: energies 1e-4 and 4e-4, on every window.
    slopes = [np.repeat((k * np.arange(40.0))[None, :, None], 40, 0).repeat(3, 2) for k in (1, 2)]
    expected = math.log10(4e-4 + 1e-5) - math.log10(1e-4 + 1e-5)
    found = stroke_distance(slopes[0] / 100, slopes[1] / 100)
    assert found == pytest.approx(expected, abs=1e-6)
    assert stroke_distance(slopes[0], slopes[0]) == 0


def test_strokes_rise_with_blur_noise_and_shuffled_tiles() -> None:
    picture = stripes(11, side=96) * 0.5 + 0.5 * ndimage.gaussian_filter(noise(0, 96), (3, 3, 0))
    blurred = [ndimage.gaussian_filter(picture, (s, s, 0)) for s in (1, 2)]
    noisy = [picture + share * (noise(1, 96) - 0.5) for share in (0.1, 0.3)]
    tiles = picture.reshape(12, 8, 12, 8, 3).swapaxes(1, 2).reshape(144, 8, 8, 3)
    tiles = np.random.default_rng(0).permutation(tiles).reshape(12, 12, 8, 8, 3)
    shuffled = tiles.swapaxes(1, 2).reshape(picture.shape)
    assert 0 < stroke_distance(blurred[0], picture) < stroke_distance(blurred[1], picture)
    assert 0 < stroke_distance(noisy[0], picture) < stroke_distance(noisy[1], picture)
    assert stroke_distance(shuffled, picture) > 0.1


def test_edges_by_hand() -> None:
    # Five rows and seven columns: the last of each is left out. In grey, halved, the columns are
    # 0, 1/2 (a pixel of each) and 1; Sobel along them, borders repeated: 4 (1/2 - 0), 4 (1 - 0)
    # and 4 (1 - 1/2), and nothing along the rows.
    image = np.zeros((5, 7, 3), np.float32)
    image[:, 3:] = 1
    image[4], image[:, 6] = 0.3, 0.7
    np.testing.assert_allclose(half_size_edges(image), [[2, 4, 2]] * 2, atol=1e-12)
    # A step in green counts .587.
    green = np.zeros((4, 4, 3))
    green[2:, :, 1] = 1
    np.testing.assert_allclose(half_size_edges(green), np.full((2, 2), 4 * 0.587), atol=1e-12)


def test_edge_of_a_picture_and_itself() -> None:
    picture = noise(0)
    assert edge(picture, picture) == pytest.approx(1)
    # Neither contrast nor sign nor brightness matters.
    assert edge(0.7 - 0.4 * picture, picture) == pytest.approx(1)
    assert edge(noise(1), picture) == edge(picture, noise(1))


def test_edge_of_unrelated_noise_is_zero_within_the_standard_error() -> None:
    values = [edge(noise(2 * i), noise(2 * i + 1)) for i in range(40)]
    mean, spread = mean_and_spread(values)
    assert abs(mean) < 4 * spread / math.sqrt(len(values))
    # 32 x 32 values whose neighbours go together: not much more than for independent ones.
    assert 1 / 32 < spread < 4 / 32


def test_edge_without_an_edge_and_of_two_sizes() -> None:
    assert math.isnan(edge(np.full((8, 8, 3), 0.5), noise(0, 8)))
    with pytest.raises(ValueError, match=r"one size; received \(8, 8, 3\) and \(9, 9, 3\)"):
        edge(noise(0, 8), noise(0, 9))


def test_diversity_and_spread_by_hand() -> None:
    pictures = [np.full((2, 3, 3), value, np.float32) for value in (0.0, 0.5, 0.75)]
    assert diversity(pictures) == pytest.approx((0.5 + 0.75 + 0.25) / 3)
    assert math.isnan(diversity(pictures[:1]))
    assert mean_and_spread([1.0, 3.0]) == (2.0, pytest.approx(math.sqrt(2)))
    assert math.isnan(mean_and_spread([1.0])[1])
