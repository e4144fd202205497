"""Luma by hand, of arrays and of tensors."""

import keras
import numpy as np
import pytest
from skimage.color import rgb2gray

from rrstyle.pictures.luma import luma, luminance

PICTURE = np.random.default_rng(0).random((3, 4, 3))


def test_by_hand():
    assert luma(np.array([0.5, 1, 0], np.float32)) == pytest.approx(0.5 * 0.2126 + 0.7152)
    assert luma(np.ones(3, np.float32)) == pytest.approx(1)


def test_luminance_is_that_of_scikit_image():
    np.testing.assert_allclose(luminance(PICTURE), rgb2gray(PICTURE))


@pytest.mark.parametrize("function", [luma, luminance])
def test_tensors_have_the_values_of_arrays(function):
    array = PICTURE.astype(np.float32 if function is luma else np.float64)
    found = function(keras.ops.convert_to_tensor(array, array.dtype.name))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(found), function(array), rtol=1e-6)
