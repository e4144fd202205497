"""The feature vector transformation (FVT), V_c, V_s -> V_new: its methods by their names.

`paint`, which works on pictures and features of every scale, is `rrstyle.transfer.painting.paint`.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from rrstyle.transfer import closed_form
from rrstyle.transfer.features import Method, Transfer
from rrstyle.transfer.optimise import optimisation
from rrstyle.transfer.recolour import recolour

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "optimise": optimisation,
        **dict.fromkeys(closed_form.METHODS, recolour),
    }
)


def transform(given: Transfer) -> np.ndarray:
    """Content features with the style of style features, of the content's shape, float32.

    `strength` moves along the optimal transport path between the two: the closed forms are the
    identity at 0 and the full map at 1; see `features.at_strength` for the other methods.
    """
    return given.content if given.config.strength == 0 else METHODS[given.config.method](given)
