"""TensorFlow, in this process, and JAX, in another, agree: weights exactly, results to 1e-3."""

import functools

import numpy as np
import pytest
from skimage.measure import pearson_corr_coeff
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from tests.support import parity
from tests.support.jax_process import running_on_jax

pytestmark = pytest.mark.jax

TOLERANCE = 1e-3  # of the root mean square of a result


def smooth(height, width, seed):
    """A picture with structure at several scales."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = sum(
        np.sin(
            rng.normal(0, 0.4 * k, 3) * rows[..., None]
            + k * rng.normal(0, 0.3, 3) * columns[..., None]
        )
        for k in (1, 2, 4)
    )
    noise = 0.3 * rng.normal(size=(height, width, 3))
    return np.clip(0.5 + 0.15 * (waves + noise), 0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    arrays = {"image": smooth(48, 45, 0), "style": smooth(41, 48, 1)}
    with running_on_jax(arrays, tmp_path_factory.mktemp("jax")) as results:
        here = parity.compute(arrays)  # while the other computes
        return here, results()


@pytest.fixture
def here(both):
    return both[0]


@pytest.fixture
def there(both):
    return both[1]


def named(results, kind):
    return [name for name in results if name.startswith(kind)]


def check_close(here, there, kind, count):
    names = named(here, kind)
    assert len(names) == count
    for name in names:
        a, b = here[name], there[name]
        assert a.shape == b.shape, name
        unit = np.sqrt(np.mean(np.square(a)))
        assert unit > 0, name
        assert np.abs(a - b).max() <= TOLERANCE * unit, name


def test_the_other_process_ran_on_jax(there):
    assert there["backend"] == "jax"
    assert not there["tensorflow imported"]
    assert {"jax", "keras"} <= set(there["versions"])
    np.testing.assert_array_equal(there["doubled"], [2, 2, 2])


def test_both_computed_the_same_things(here, there):
    assert set(here) <= set(there)


def test_weights_are_the_same_bit_for_bit(here, there):
    names = named(here, "weights")
    assert len(names) > 50
    for name in names:
        assert here[name].dtype == there[name].dtype == np.float32
        np.testing.assert_array_equal(here[name], there[name], err_msg=name)
    assert sum(bool(here[name].any()) for name in names) == len(names) / 2  # kernels, not biases


def test_networks_agree(here, there):
    check_close(here, there, "output", 2 * len(parity.NETWORKS) + 2)


def test_objectives_and_their_gradients_agree(here, there):
    check_close(here, there, "objective", 2 * 3)


def test_metrics_are_scikit_images_on_both(here, there):
    x, y = (there[f"compared {name}"].astype(np.float64) for name in ("truth", "noisy"))
    ssim = functools.partial(
        structural_similarity,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
        channel_axis=-1,
    )
    psnr = functools.partial(peak_signal_noise_ratio, data_range=1.0)
    for name, reference in (
        ("ssim", ssim),
        ("pearson", lambda a, b: pearson_corr_coeff(a, b)[0]),
        ("psnr", psnr),
    ):
        wanted = [reference(a, b) for a, b in zip(x, y, strict=True)]
        for results in (here, there):
            found = results[f"metric {name}"]
            np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-5, err_msg=name)


def test_scores_of_the_study_agree(here, there):
    for name in named(here, "score"):
        np.testing.assert_allclose(here[name], there[name], atol=1e-3, err_msg=name)
    assert len(named(here, "score")) == 2 * 2 * 9  # with four nulls


def test_pictures_agree(here, there):
    check_close(here, there, "picture", 2 * len(parity.CLOSED_FORMS) + 2)


def test_jax_on_a_processor_takes_float32(there):
    # XLA's convolutions there convert bfloat16 to float32 and back.
    assert there["auto precision"] == "float32"
