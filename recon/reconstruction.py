"""Reconstruction of a picture by a CNN and a DCN, both random or the DCN trained."""

from dataclasses import dataclass

import numpy as np

from rrstyle.config import NetworkConfig
from rrstyle.networks.build import cnn_network, minimum_side
from rrstyle.networks.pair import CnnDcn
from rrstyle.networks.readout import build_decoder
from rrstyle.pictures.images import as_image, check_sides


@dataclass(frozen=True)
class Reconstruction:
    """A picture and what came back of it, each float32 (height, width, 3) in [0, 1]."""

    image: np.ndarray  # picture that was encoded
    random: np.ndarray  # by the random DCN, brought to the range of the original, in false colours
    ridge: np.ndarray  # by the same DCN with its last layer solved on this very picture


def reconstruct(image, config: NetworkConfig, *, seed: int) -> Reconstruction:
    """Encodes a picture by a random CNN and decodes it by its random DCN, with both readouts.

    The image is (height, width, 3), uint8 or float in [0, 1]; ValueError if it is not, or too small
    for the network. CDk of the papers is layer "conv<k>" of the config.

    Reference: "Randomness in Deconvolutional Networks for Visual Representation", sections 2 to 4.
    """
    image = _fitting(image, config)
    features = cnn_network(config, seed=seed).single(image)
    results = []
    for wildness in (1.0, 0.0):
        decoder = build_decoder(
            config, [(features, image)], seed=seed, wildness=wildness, every_pixel=True
        )
        results.append(np.clip(decoder(features, image.shape[:2]), 0, 1))
    return Reconstruction(image, *results)


def reconstruct_trained(image, pair: CnnDcn) -> np.ndarray:
    """Encodes a picture by a CNN and decodes it by the DCN that was trained to invert it.

    The image is as for `reconstruct`, the pair as `recon.training.run.load_run` gives it. The
    result is float32 (height, width, 3), cut to [0, 1].

    Reference: "Randomness in Deconvolutional Networks for Visual Representation", section 3.
    """
    image = _fitting(image, pair.config)
    return np.clip(pair.reconstruct(image[None])[0], 0, 1)


def _fitting(image, config: NetworkConfig) -> np.ndarray:
    image = as_image(image)
    check_sides(image.shape[:2], minimum_side(config), "image")
    return image
