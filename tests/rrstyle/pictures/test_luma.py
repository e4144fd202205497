"""Luma by hand, of arrays and of tensors."""

import keras
import numpy as np
import pytest
from skimage.color import rgb2gray

from rrstyle.pictures.luma import luma

PICTURE = np.random.default_rng(0).random((3, 4, 3))
PRECISIONS = pytest.mark.parametrize("dtype", ["float32", "float64"])


@PRECISIONS
def test_by_hand(dtype):
    found = luma(np.array([[0.5, 1, 0], [1, 1, 1]], dtype))
    np.testing.assert_allclose(found, [0.5 * 0.2125 + 0.7154, 1], rtol=1e-6)
    assert found.dtype == dtype


def test_it_is_that_of_scikit_image():
    np.testing.assert_allclose(luma(PICTURE), rgb2gray(PICTURE))


@PRECISIONS
def test_tensors_have_the_values_of_arrays(dtype):
    array = PICTURE.astype(dtype)
    found = luma(keras.ops.convert_to_tensor(array, dtype))
    assert keras.backend.standardize_dtype(found.dtype) == dtype
    np.testing.assert_allclose(keras.ops.convert_to_numpy(found), luma(array), rtol=1e-6)
