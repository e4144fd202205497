"""The operations that belong to an array."""

import keras
import numpy as np

from rrstyle import namespace


def test_arrays_have_numpy_and_tensors_the_operations_in_use():
    array, tensor = np.zeros(2), keras.ops.zeros(2)
    assert namespace.array_namespace(array) is namespace.array_namespace(3) is np
    assert namespace.array_namespace(tensor) is keras.ops
    usual = namespace.tensor_operations.set("others")
    try:
        assert namespace.array_namespace(tensor) == "others"
        assert namespace.array_namespace(array) is np
    finally:
        namespace.tensor_operations.reset(usual)
