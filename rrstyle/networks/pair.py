"""A CNN and the DCN that decodes its features: the one class that carries both."""

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

from rrstyle.config import DECODERS, NetworkConfig, StyleConfig, to_dict
from rrstyle.networks.build import SharedNetwork, shared
from rrstyle.networks.weight_files import weights_digest


@dataclass(frozen=True, eq=False)
class CnnDcn:
    """A CNN and its DCN, usually trained: their weights do not depend on a picture's seed.

    Reference: "Randomness in Deconvolutional Networks for Visual Representation", section 3.

    Attributes:
        name: Name of 1 to 200 characters for settings and recipes, never a path.
        config: Plan of both networks.
        cnn: Keras model from images (batch, height, width, 3) in [0, 1] to features.
        dcn: Keras model from [features, images of the wanted size] to images, unbounded.
        about: JSON values for records: of a training "weights" (name of the CNN's weights),
            "step" and "training" (its settings).
    """

    name: str
    config: NetworkConfig
    cnn: keras.Model
    dcn: keras.Model
    about: Mapping[str, Any] = field(default_factory=dict)

    @functools.cached_property
    def encoder(self) -> SharedNetwork:
        """The CNN, compiled."""
        return shared(self.cnn)

    @functools.cached_property
    def decoder(self) -> SharedNetwork:
        """The DCN, compiled."""
        return shared(self.dcn)

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the plan and all weights, 64 hexadecimal digits."""
        weights = weights_digest((*self.encoder.weights, *self.decoder.weights))
        plan = json.dumps(to_dict(self.config), sort_keys=True)
        return hashlib.sha256(f"{plan} {weights}".encode()).hexdigest()

    def encode(self, image) -> np.ndarray:
        """Features (rows, columns, channels) of an image (height, width, 3) in [0, 1]."""
        return self.encoder.single(image)

    def decode(self, features: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Image (*size, 3), float32, unbounded, of features (rows, columns, channels)."""
        reference = np.zeros((*size, 3), np.float32)  # only its size is read
        return self.decoder.single(features, reference)

    def reconstruct(self, images) -> np.ndarray:
        """Reconstructions, unbounded, of float32 images (batch, height, width, 3) in [0, 1]."""
        # One by one: networks are compiled for one number of images, and of any size.
        return np.stack([self.decode(self.encode(x), x.shape[:2]) for x in images])


def with_plan_of(networks: CnnDcn | None, config: StyleConfig) -> StyleConfig:
    """The settings with the plan of the trained networks that they name, if any.

    Raises:
        ValueError: If `config.decoder` names networks that were not given, or the given name is
            empty, too long, or that of an untrained decoder.
    """
    if networks is not None and (len(networks.name) > 200 or networks.name in ("", *DECODERS)):
        raise ValueError(
            "name of trained networks must have 1 to 200 characters and be none of"
            f" {', '.join(DECODERS)}; received {networks.name!r}"
        )
    if config.decoder in DECODERS:
        if networks is not None:
            rule = f"decoder must be {networks.name!r} with networks of that name"
            raise ValueError(f"{rule}; received {config.decoder!r}")
        return config
    if networks is None or networks.name != config.decoder:
        given = "none were given" if networks is None else f"{networks.name!r} was given"
        raise ValueError(
            f"decoder must be {' or '.join(DECODERS)}, or the name of trained networks, and"
            f" {given}; received {config.decoder!r}"
        )
    return replace(config, encoder=networks.config)
