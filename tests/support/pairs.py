"""Real pictures, made small: a photograph and a style each, and their features."""

import functools

import numpy as np

from rrstyle.config import NetworkConfig
from rrstyle.examples import example
from rrstyle.networks.build import cnn_network
from rrstyle.pictures.images import fit_within, resize

# Few channels: nothing here depends on how many, and the readout costs their square.
THIN = NetworkConfig(channels=6, kernel=3, decoder_activation="leaky_relu")

# Every method by name, and the settings that make it quick.
METHODS = {
    **{m: {"method": m} for m in ("adain", "whitening", "transport", "knothe")},
    "paint": {"method": "paint"},
    "optimise pyramid": {"method": "optimise", "network": "pyramid"},
    "optimise vgg": {"method": "optimise", "network": "vgg"},
}


@functools.cache
def picture(name: str, side: int) -> np.ndarray:
    """A built-in picture with this longer side, not to be written to."""
    image = example(name)
    small = resize(image, fit_within(image.shape[:2], side))
    small.flags.writeable = False
    return small


@functools.cache
def features(name: str, side: int) -> np.ndarray:
    """Its features in the network THIN of seed 0, not to be written to."""
    found = cnn_network(THIN, seed=0).single(picture(name, side)).copy()
    found.flags.writeable = False
    return found


def rms(x) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))
