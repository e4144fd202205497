"""The operations on an array: NumPy's, or those on tensors, in an exported graph.

What both have is called alike, so that one function serves the library and its exports. This file
does not import Keras: rules on settings and pictures are checked before it is loaded.
"""

import sys
from contextvars import ContextVar
from typing import Any

import numpy as np

# Operations on tensors, `keras.ops` where None; an ONNX export puts its own linear algebra there.
tensor_operations: ContextVar[Any] = ContextVar("tensor_operations", default=None)


def array_namespace(array: Any) -> Any:
    """The module whose functions take `array`, or what stands for one."""
    if isinstance(array, np.ndarray) or "keras" not in sys.modules:
        return np  # without Keras there are no tensors
    from keras import ops

    return (tensor_operations.get() or ops) if ops.is_tensor(array) else np
