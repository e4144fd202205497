"""The feature vector transformation (FVT), V_c, V_s -> V_new: its methods by their names.

`paint`, which works on pictures and features of every scale, is `rrstyle.transfer.painting.paint`.
"""

import numpy as np

from rrstyle.transfer import closed_form
from rrstyle.transfer.features import Transfer
from rrstyle.transfer.optimise import optimisation


def recolour(given: Transfer) -> np.ndarray:
    """The content by the closed form's affine map, which is the identity at strength 0."""
    ours = closed_form.fit_gaussian(given.content, mask=given.mask)
    found = closed_form.fit_map(given.config.method, ours, given.style.gaussian())
    return found.towards(given.config.strength)(given.content)


METHODS = {"optimise": optimisation, **dict.fromkeys(closed_form.METHODS, recolour)}


def transform(given: Transfer) -> np.ndarray:
    """Content features with the style of style features, of the content's shape, float32."""
    return given.content if given.config.strength == 0 else METHODS[given.config.method](given)
