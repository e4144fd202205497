"""The closed forms as methods: one affine map between the Gaussians of content and style."""

import numpy as np

from rrstyle.transfer.closed_form import fit_gaussian, fit_map
from rrstyle.transfer.features import Transfer


def recolour(given: Transfer) -> np.ndarray:
    """The content transformed by the method's map, which is the identity at strength 0."""
    ours = fit_gaussian(given.content, mask=given.mask)
    found = fit_map(given.config.method, ours, given.style.gaussian())
    return found.towards(given.config.strength)(given.content)
