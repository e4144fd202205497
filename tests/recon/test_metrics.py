"""The metrics against scikit-image, hand-computed cases, and their refusals."""

import numpy as np
import pytest
from keras import ops
from skimage.color import rgb2gray
from skimage.measure import pearson_corr_coeff
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from recon.metrics import (
    chroma_correlation,
    correlation,
    luminance,
    noise_null,
    pearson,
    psnr,
    ssim,
    ssim_of_both,
    stretched,
    study_scores,
    windowed,
)
from rrstyle.examples import photograph


def _reference_ssim(x: np.ndarray, y: np.ndarray) -> float:
    return structural_similarity(
        x.astype(np.float64),
        y.astype(np.float64),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
        channel_axis=-1,
    )


def _pairs() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    cat = photograph("chelsea")[60:124, 100:150]
    noisy = np.clip(cat + 0.1 * rng.standard_normal(cat.shape), 0, 1).astype(np.float32)
    halves = np.zeros((40, 30, 3), np.float32)
    halves[:, 15:] = 1
    faint = (0.99 + 0.01 * rng.random((40, 30, 3))).astype(np.float32)
    return {
        "photograph and noise": (cat, noisy),
        "negative": (cat, 1 - cat),
        "unrelated noise": tuple(rng.random((2, 33, 47, 3), np.float32)),
        "flat halves, where float32 cancels": (halves, np.clip(halves, 0.02, 0.98)),
        "nearly white": (faint, faint[::-1]),
        "the smallest": tuple(rng.random((2, 11, 11, 3), np.float32)),
        "one channel": tuple(rng.random((2, 20, 24, 1), np.float32)),
    }


@pytest.mark.parametrize("name", list(_pairs()))
def test_metrics_equal_scikit_image(name: str) -> None:
    x, y = _pairs()[name]
    assert ssim(x[None], y[None])[0] == pytest.approx(_reference_ssim(x, y), abs=1e-5)
    r, _ = pearson_corr_coeff(x.astype(np.float64), y.astype(np.float64))
    assert pearson(x[None], y[None])[0] == pytest.approx(r, abs=1e-5)
    decibels = peak_signal_noise_ratio(x.astype(np.float64), y.astype(np.float64), data_range=1)
    assert psnr(x[None], y[None])[0] == pytest.approx(decibels, abs=1e-5 * abs(decibels))


def test_a_batch_is_its_pictures() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.random((2, 4, 16, 20, 3), np.float32)
    for metric in (ssim, pearson, psnr):
        together = metric(x, y)
        assert together.shape == (4,)
        alone = [metric(x[i : i + 1], y[i : i + 1])[0] for i in range(4)]
        np.testing.assert_allclose(together, alone, atol=2e-6)


def test_equal_pictures() -> None:
    x = np.random.default_rng(2).random((2, 16, 16, 3), np.float32)
    np.testing.assert_allclose(ssim(x, x), 1, atol=1e-6)
    np.testing.assert_allclose(pearson(x, x), 1, atol=1e-6)
    assert np.isposinf(psnr(x, x)).all()
    np.testing.assert_allclose(pearson(x, 1 - x), -1, atol=1e-6)


def test_hand_computed() -> None:
    # Two constants: the second factor of SSIM is 1, the first (2ab + c1) / (a^2 + b^2 + c1).
    a, b = np.full((1, 12, 12, 1), 0.25), np.full((1, 12, 12, 1), 0.5)
    assert ssim(a, b)[0] == pytest.approx((0.25 + 1e-4) / (0.3125 + 1e-4), abs=1e-6)
    assert psnr(a, b)[0] == pytest.approx(20 * np.log10(4), abs=1e-5)
    x = np.array([0.0, 0.0, 1.0, 1.0]).reshape(1, 2, 2, 1)
    y = np.array([0.0, 1.0, 1.0, 1.0]).reshape(1, 2, 2, 1)
    assert pearson(x, y)[0] == pytest.approx(1 / np.sqrt(3), abs=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, 1.0])
def test_pearson_of_a_constant_picture_is_not_defined(value: float) -> None:
    constant = np.full((1, 31, 17, 3), value, np.float32)
    other = np.random.default_rng(3).random((1, 31, 17, 3), np.float32)
    for pair in ((constant, other), (other, constant), (constant, constant)):
        assert np.isnan(pearson(*pair)[0])


def test_refusals() -> None:
    x = np.zeros((1, 16, 16, 3), np.float32)
    for metric in (ssim, pearson, psnr):
        with pytest.raises(ValueError, match=r"one shape; received \(1, 16, 16, 3\) and \(1, 16"):
            metric(x, x[:, :, :-1])
        with pytest.raises(ValueError, match="received"):
            metric(x[0], x[0])
        with pytest.raises(ValueError, match="received"):
            metric(x[:0], x[:0])
    with pytest.raises(ValueError, match=r"at least 11 pixels a side.*received 16 x 10"):
        ssim(x[:, :10], x[:, :10])


def test_luminance_is_scikit_images():
    images = np.random.default_rng(0).random((2, 5, 7, 3)).astype(np.float32)
    found = luminance(images)
    assert found.shape == (2, 5, 7, 1)
    np.testing.assert_allclose(found[..., 0], rgb2gray(images), atol=1e-6)


def test_ssim_of_the_inverse_costs_no_second_blur():
    x, y = _pairs()["photograph and noise"]
    pair = (windowed(ops.convert_to_tensor(z[None])) for z in (x, y))
    positive, negative = (np.asarray(s) for s in ssim_of_both(*pair))
    assert positive[0] == pytest.approx(_reference_ssim(x, y), abs=1e-5)
    assert negative[0] == pytest.approx(_reference_ssim(x, 1 - y), abs=1e-5)


def test_stretched_by_hand():
    images = np.array([[-1.0, 0.0, 1.0, 3.0], [7, 7, 7, 7]], np.float32).reshape(2, 2, 2, 1)
    found = np.asarray(stretched(images)).reshape(2, 4)
    np.testing.assert_array_equal(found[0], [0, 0.25, 0.5, 1])
    assert np.isnan(found[1]).all()


def test_study_scores_do_not_see_scale_offset_or_the_sign_of_ssim():
    rng = np.random.default_rng(4)
    truth = luminance(photograph("chelsea")[None, 60:100, 100:140])
    output = (truth + 0.3 * rng.standard_normal(truth.shape)).astype(np.float32)
    ssim_1, pearson_1 = (np.asarray(s)[0] for s in study_scores(truth, output))
    ssim_2, pearson_2 = (np.asarray(s)[0] for s in study_scores(truth, 5 - 1000 * output))
    assert ssim_2 == pytest.approx(ssim_1, abs=1e-4)
    assert pearson_2 == pytest.approx(-pearson_1, abs=1e-4)
    assert ssim_1 > 0.1


def test_study_scores_of_a_constant_output_are_undefined_and_spare_the_others():
    truth = np.random.default_rng(5).random((2, 16, 16, 1), np.float32)
    output = np.stack([np.full((16, 16, 1), 0.3, np.float32), truth[1]])
    for scores in study_scores(truth, output):
        values = np.asarray(scores)
        assert np.isnan(values[0])
        assert values[1] == pytest.approx(1, abs=1e-3)  # its range is not quite [0, 1]


def test_the_null_of_noise_is_a_score_of_the_outputs_brightness_and_contrast():
    rng = np.random.default_rng(8)
    truth, output = rng.random((2, 2, 16, 16, 1), np.float32)
    moments = {"axis": (1, 2, 3), "keepdims": True}
    # An output that is its own noise scores what it scores as a picture.
    own = (output - output.mean(**moments)) / output.std(**moments)
    expected = np.asarray(study_scores(truth, output)[0])
    np.testing.assert_allclose(
        np.asarray(noise_null(windowed(truth), stretched(output), own)), expected, atol=1e-5
    )
    # Without noise it is a flat picture as bright as the output stretched.
    flat = np.zeros_like(output) + np.asarray(stretched(output)).mean(**moments)
    expected = np.maximum(ssim(truth, flat), ssim(truth, 1 - flat))
    found = np.asarray(noise_null(windowed(truth), stretched(output), np.zeros_like(output)))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    output[0] = 0.3
    found = np.asarray(noise_null(windowed(truth), stretched(output), own))
    assert np.isnan(found[0])
    assert np.isfinite(found[1])


def test_correlation_of_faint_and_of_huge_pictures():
    x = np.random.default_rng(6).random((1, 16, 16, 1), np.float32)
    for scale in (1e-30, 1e30):
        assert np.asarray(correlation(x, np.float32(scale) * x))[0] == pytest.approx(1, abs=1e-5)


def test_chroma_correlation_ignores_luminance_and_sees_colour():
    rng = np.random.default_rng(7)
    colours = rng.random((1, 16, 16, 3), np.float32)
    brighter = colours + rng.random((1, 16, 16, 1), np.float32)
    assert np.asarray(chroma_correlation(colours, brighter))[0] == pytest.approx(1, abs=1e-5)
    # Chroma of the negative colours is the negative chroma.
    assert np.asarray(chroma_correlation(colours, 1 - colours))[0] == pytest.approx(-1, abs=1e-5)
    unrelated = np.asarray(chroma_correlation(colours, rng.random((1, 16, 16, 3), np.float32)))[0]
    assert abs(unrelated) < 5 / np.sqrt(2 * 256)
