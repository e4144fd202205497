"""The metrics against scikit-image, hand-computed cases, and their refusals."""

import numpy as np
import pytest
from skimage.color import rgb2gray
from skimage.measure import pearson_corr_coeff
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from recon.metrics import luminance, pearson, psnr, ssim
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
