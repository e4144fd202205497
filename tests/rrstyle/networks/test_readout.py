"""The DCN's last layer: ridge regression by hand, by strips and on pictures; the random one."""

import numpy as np
import pytest
import skimage.data
import skimage.metrics
from skimage.color import rgb2gray

from rrstyle.config import NetworkConfig
from rrstyle.networks import readout
from rrstyle.networks.build import cnn_network, dcn_network
from rrstyle.networks.readout import (
    LATTICE_PIXELS,
    Decoder,
    apply_readout,
    build_decoder,
    design_matrix,
    fit_readout,
    lattice_step,
    normal_equations,
    run_hidden,
    solve_ridge,
    split_dcn,
)
from rrstyle.pictures.images import as_image, resize
from tests.support.montecarlo import assert_mean_above

THIN = NetworkConfig(channels=6, decoder_activation="leaky_relu")


@pytest.fixture(scope="module")
def cat():
    return resize(as_image(skimage.data.chelsea(), argument="image"), (64, 96))


def pair_of(config, image, seed=0):
    return cnn_network(config, seed=seed).single(image), image


def white(height, width, channels, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(height, width, channels)).astype(np.float32)


# By hand


def test_the_design_matrix_by_hand():
    padded = np.arange(6, dtype=np.float32).reshape(2, 3, 1)
    expected = [[0, 1, 3, 4, 1], [1, 2, 4, 5, 1]]
    np.testing.assert_array_equal(design_matrix(padded, 2), expected)
    every_second = [[0, 1, 3, 4, 1]]
    np.testing.assert_array_equal(design_matrix(padded, 2, step=2), every_second)


def test_the_design_matrix_times_a_kernel_is_the_convolution():
    padded, kernel = white(9, 8, 2), white(9, 2 * 3, 1, seed=1).reshape(3, 3, 2, 3)
    bias = np.array([1, -2, 3], np.float32)
    weights = np.concatenate([kernel.reshape(-1, 3), bias[None]])
    image = apply_readout(padded, kernel, bias)
    for step in (1, 2, 3):
        found = design_matrix(padded, 3, step=step) @ weights
        wanted = image[::step, ::step].reshape(-1, 3)
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_ridge_by_hand():
    # Two unknowns, A^T A = diag(1, 3), mean diagonal 2: each unknown is shrunk by the ridge.
    ridge = 2 * readout.RIDGE
    found = solve_ridge(np.diag([1.0, 3.0]), np.array([[1.0], [3.0]]))
    np.testing.assert_allclose(found, [[1 / (1 + ridge)], [3 / (3 + ridge)]], rtol=1e-12)


def test_features_that_are_all_zero_give_a_zero_solution():
    assert not solve_ridge(np.zeros((3, 3)), np.zeros((3, 2))).any()


def test_lattice_steps_keep_the_pixels_below_the_limit():
    assert lattice_step(64, 128) == 1
    assert lattice_step(64, 129) == 3
    assert lattice_step(8192, 8192) == 91
    for side in (100, 181, 512, 2000):
        step = lattice_step(side, side)
        # Rows and columns are rounded up, each by less than one.
        assert side * side / step**2 <= LATTICE_PIXELS
        assert step == 1 or side * side / (step - 2) ** 2 > LATTICE_PIXELS


def test_a_lattice_sees_every_phase_of_a_zero_inserted_grid():
    for side in range(90, 600, 7):
        step = lattice_step(side, side)
        for factor in (2, 4, 8):
            phases = set(np.arange(0, side, step) % factor)
            assert phases == set(range(factor))


# The solution


def known_layer(kernel_side=3, channels=4, size=(24, 20)):
    """Padded white features and the image that a known layer makes of them."""
    height, width = size
    padded = white(height + kernel_side - 1, width + kernel_side - 1, channels)
    shape = (kernel_side, kernel_side, channels, 3)
    kernel = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    bias = np.array([0.5, -1, 2], np.float32)
    return padded, kernel, bias, apply_readout(padded, kernel, bias)


@pytest.mark.parametrize("kernel_side", [1, 2, 3, 4])
def test_ridge_recovers_a_known_last_layer(kernel_side, monkeypatch):
    padded, kernel, bias, image = known_layer(kernel_side)
    monkeypatch.setattr(readout, "RIDGE", 0)
    found = fit_readout(np.ones_like(kernel), [(padded, image)], every_pixel=True)
    for array, wanted in zip(found, (kernel, bias), strict=True):
        np.testing.assert_allclose(array, wanted, atol=1e-4)
        assert array.dtype == np.float32


def test_the_ridge_biases_no_more_than_it_must():
    # |w' - w| <= ridge / (ridge + smallest eigenvalue) |w|, for exact data.
    padded, kernel, bias, image = known_layer()
    squares, products = normal_equations(padded, image, 3, 1)
    weights = np.concatenate([kernel.reshape(-1, 3), bias[None]]).astype(np.float64)
    ridge = readout.RIDGE * np.trace(squares) / len(squares)
    bound = ridge / (ridge + np.linalg.eigvalsh(squares)[0])
    error = np.linalg.norm(solve_ridge(squares, products) - weights, axis=0)
    assert (error <= bound * np.linalg.norm(weights, axis=0) + 1e-4).all()


def test_a_decoder_recovers_the_picture_that_its_own_features_can_make(cat):
    # An image that a last layer of the DCN can make: the readout makes it again.
    features, _ = pair_of(THIN, cat)
    hidden, kernel = split_dcn(THIN, seed=0)
    padded = run_hidden(hidden, features, cat.shape[:2])
    image = apply_readout(padded, kernel / kernel.std(), np.zeros(3, np.float32))
    image = (image - image.mean()) / image.std()
    found = build_decoder(THIN, [(features, image)], seed=0)(features, cat.shape[:2])
    assert np.sqrt(np.mean((found - image) ** 2)) < 0.02  # of a deviation of 1: the ridge's share


def test_several_pairs_are_solved_together():
    padded, kernel, _, image = known_layer()
    halves = [(padded[:14], image[:12]), (padded[12:], image[12:])]
    whole, parts = (
        fit_readout(kernel, pairs, every_pixel=True) for pairs in ([(padded, image)], halves)
    )
    for a, b in zip(parts, whole, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("rows", [1, 50, 64, 1000])
def test_strips_add_up_to_the_whole(step, rows, monkeypatch):
    padded, _, _, image = known_layer(size=(23, 17))
    design = design_matrix(padded, 3, step=step).astype(np.float64)
    targets = image[::step, ::step].reshape(-1, 3).astype(np.float64)
    monkeypatch.setattr(readout, "_TILE_ROWS", rows)
    squares, products = normal_equations(padded, image, 3, step)
    assert squares.dtype == products.dtype == np.float64
    np.testing.assert_allclose(squares, design.T @ design, atol=1e-3)
    np.testing.assert_allclose(products, design.T @ targets, atol=1e-3)


@pytest.mark.parametrize("size", [(40, 7), (23, 17), (9, 40)])
@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_no_more_than_the_allowed_rows_exist_at_once(size, step, monkeypatch):
    padded, _, _, image = known_layer(size=size)
    seen = []

    def spied(*args, **kwargs):
        seen.append(design_matrix(*args, **kwargs))
        return seen[-1]

    monkeypatch.setattr(readout, "design_matrix", spied)
    monkeypatch.setattr(readout, "_TILE_ROWS", 80)
    normal_equations(padded, image, 3, step)
    rows, columns = (-(-side // step) for side in size)
    assert sum(map(len, seen)) == rows * columns
    assert max(map(len, seen)) <= 80
    # And strips are as high as that allows, not one row each.
    assert len(seen) == -(-rows // (80 // columns))


def test_a_refined_solution_is_that_of_exact_equations():
    rng = np.random.default_rng(0)
    design, targets = rng.normal(size=(50, 8)), rng.normal(size=(50, 2))
    squares, products = design.T @ design, design.T @ targets
    wrong = squares + 1e-5 * rng.normal(size=squares.shape)

    def error(found):
        return np.abs(found - solve_ridge(squares, products)).max()

    assert error(solve_ridge(wrong, products)) > 1e-8
    refined = solve_ridge(wrong, products, lambda x: design.T @ (targets - design @ x))
    assert error(refined) < 1e-10


@pytest.mark.parametrize("config", [THIN, NetworkConfig(channels=16, kernel=5)])
def test_sums_of_float32_give_the_picture_of_those_of_float64(config, cat):
    hidden, kernel = split_dcn(config, seed=0)
    features, _ = pair_of(config, cat)
    padded = run_hidden(hidden, features, cat.shape[:2])

    def picture(dtype):
        weights, bias = fit_readout(kernel, [(padded.astype(dtype), cat)])
        return apply_readout(padded, weights.astype(np.float32), bias)

    exact, found = picture(np.float64), picture(np.float32)
    np.testing.assert_allclose(found, exact, atol=1e-5)
    assert np.abs(found - exact).mean() < 1e-6  # 1 / 255 is 4000 times as much


@pytest.mark.parametrize("threads", [1, 2])
def test_the_sums_do_not_depend_on_the_threads(threads, monkeypatch):
    padded, _, _, image = known_layer(size=(60, 40))
    monkeypatch.setattr(readout, "_TILE_ROWS", 100)
    expected = normal_equations(padded, image, 3, 1)
    monkeypatch.setattr(readout, "usable_cores", lambda: threads)
    for a, b in zip(normal_equations(padded, image, 3, 1), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_lattice_is_close_to_every_pixel(cat, monkeypatch):
    monkeypatch.setattr(readout, "LATTICE_PIXELS", 1600)
    assert lattice_step(*cat.shape[:2]) == 3
    pair = pair_of(THIN, cat)
    sparse, dense = (
        build_decoder(THIN, [pair], seed=0, every_pixel=every)(pair[0], cat.shape[:2])
        for every in (False, True)
    )
    assert not np.array_equal(sparse, dense)
    errors = [np.mean((found - cat) ** 2) for found in (sparse, dense)]
    assert errors[1] < errors[0] < 1.26 * errors[1]  # 1 dB, as readout.py says


# Random and mixed readouts


def luminance_correlation(a, b):
    return np.corrcoef(rgb2gray(a).ravel(), rgb2gray(b).ravel())[0, 1]


@pytest.mark.parametrize("seed", range(6))
def test_a_random_readout_has_the_pictures_range_and_sign(seed, cat):
    features, _ = pair = pair_of(THIN, cat, seed)
    decoder = build_decoder(THIN, [pair], seed=seed, wildness=1)
    image = decoder(features, cat.shape[:2])
    # Each channel has the mean and deviation of the whole picture.
    np.testing.assert_allclose(image.mean(axis=(0, 1)), cat.mean(), atol=1e-4)
    np.testing.assert_allclose(image.std(axis=(0, 1)), cat.std(), rtol=1e-3)
    assert luminance_correlation(image, cat) > 0
    # It is the DCN of that seed, up to one factor a channel; all three have one sign.
    ratio = decoder.kernel / dcn_network(THIN, seed=seed).weights[-2]
    factors = ratio[0, 0, 0]
    np.testing.assert_allclose(ratio, np.broadcast_to(factors, ratio.shape), rtol=1e-4)
    assert len(set(np.sign(factors))) == 1


def test_some_random_readouts_had_to_be_inverted(cat):
    signs = set()
    for seed in range(8):
        decoder = build_decoder(THIN, [pair_of(THIN, cat, seed)], seed=seed, wildness=1)
        signs.add(np.sign(decoder.kernel / dcn_network(THIN, seed=seed).weights[-2]).flat[0])
    assert signs == {-1, 1}


def test_a_random_readout_takes_its_range_from_the_first_pair_alone(cat):
    first, second = pair_of(THIN, cat), pair_of(THIN, 0.3 * cat[::-1])
    one, two = (build_decoder(THIN, p, seed=0, wildness=1) for p in ([first], [first, second]))
    np.testing.assert_array_equal(one.kernel, two.kernel)


def test_wildness_is_linear_in_the_weights(cat):
    pair = pair_of(THIN, cat)
    ends = [build_decoder(THIN, [pair], seed=0, wildness=w) for w in (0.0, 1.0)]
    for wildness in (0.25, 0.9):
        mixed = build_decoder(THIN, [pair], seed=0, wildness=wildness)
        for name in ("kernel", "bias"):
            ridge, random = (getattr(d, name) for d in ends)
            expected = (1 - wildness) * ridge + wildness * random
            np.testing.assert_allclose(getattr(mixed, name), expected, rtol=1e-5, atol=1e-6)


def test_a_constant_image_is_finite_at_every_wildness():
    image = np.full((16, 16, 3), 0.5, np.float32)
    pair = pair_of(THIN, image)
    for wildness in (0.0, 0.5, 1.0):
        found = build_decoder(THIN, [pair], seed=0, wildness=wildness)(pair[0], (16, 16))
        np.testing.assert_allclose(found, image, atol=1e-3)


@pytest.mark.parametrize("padding", ["reflect", "zero"])
@pytest.mark.parametrize("kernel", [2, 3])
def test_the_two_parts_make_the_whole_dcn(padding, kernel, cat):
    config = NetworkConfig(channels=6, padding=padding, kernel=kernel, law="he")
    features, _ = pair_of(config, cat)
    hidden, last = split_dcn(config, seed=2)
    padded = run_hidden(hidden, features, cat.shape[:2])
    assert padded.shape == (64 + kernel - 1, 96 + kernel - 1, 6)
    whole = np.asarray(dcn_network(config, seed=2)(features[None], cat[None]))[0]
    image = Decoder(hidden, last, np.zeros(3, np.float32))(features, cat.shape[:2])
    np.testing.assert_allclose(image, whole, atol=1e-5 * np.abs(whole).max())


@pytest.mark.parametrize("padding", ["reflect", "zero"])
def test_the_ridge_readout_of_a_pooled_net_with_either_padding(padding, cat):
    config = NetworkConfig(
        channels=16, tap="post_pool", padding=padding, decoder_activation="leaky_relu"
    )
    pair = pair_of(config, cat[:63, :95])
    image = build_decoder(config, [pair], seed=0)(pair[0], (63, 95))
    assert image.shape == (63, 95, 3)
    assert luminance_correlation(image, cat[:63, :95]) > 0.9


def test_reconstruction_improves_with_channels(cat):
    def psnr(channels, seed):
        config = NetworkConfig(channels=channels, decoder_activation="leaky_relu")
        pair = pair_of(config, cat, seed)
        image = build_decoder(config, [pair], seed=seed)(pair[0], cat.shape[:2])
        return skimage.metrics.peak_signal_noise_ratio(cat, image, data_range=1)

    found = np.array([[psnr(channels, seed) for channels in (8, 16, 32)] for seed in range(8)])
    for gain in np.diff(found, axis=1).T:
        assert_mean_above(gain, 0, z=3)
    assert found[:, -1].min() > found[:, 0].mean()
