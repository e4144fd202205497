"""A CNN and the DCN that was trained to invert it, in place of untrained networks.

Reference: "Randomness in Deconvolutional Networks for Visual Representation", section 3.
"""

from dataclasses import dataclass, replace

import numpy as np
from keras import ops

from rrstyle.config import DECODERS, NetworkConfig, StyleConfig
from rrstyle.networks.build import Network


@dataclass(frozen=True)
class TrainedNetworks:
    """A pair for the style transfer; the seed of a picture names nothing in it.

    Attributes:
        name: What `StyleConfig.decoder` calls it, and a recipe: never a path.
        digest: SHA-256 that names its plan and all its weights, 64 hexadecimal digits.
        config: Its plan.
        cnn: Images (batch, height, width, 3) in [0, 1] to features.
        dcn: [features, images of the wanted size] to images, unbounded.
    """

    name: str
    digest: str
    config: NetworkConfig
    cnn: Network
    dcn: Network

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= 200 or self.name in DECODERS:
            raise ValueError(
                "name of trained networks must have 1 to 200 characters and be none of"
                f" {', '.join(DECODERS)}; received {self.name!r}"
            )

    def decode(self, features: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Image (*size, 3), float32, unbounded, of features (rows, columns, channels)."""
        reference = np.zeros((1, *size, 3), np.float32)  # only its size is read
        return ops.convert_to_numpy(self.dcn(features[None], reference))[0]


def with_plan_of(networks: TrainedNetworks | None, config: StyleConfig) -> StyleConfig:
    """The settings with the plan of the networks that they name; unchanged where they name none.

    Raises:
        ValueError: If `config.decoder` names other networks, or there are none.
    """
    if config.decoder in DECODERS:
        if networks is not None:
            raise ValueError(
                f"decoder must be {networks.name!r} with networks of that name; received"
                f" {config.decoder!r}"
            )
        return config
    if networks is None or networks.name != config.decoder:
        given = "none were given" if networks is None else f"{networks.name!r} was given"
        raise ValueError(
            f"decoder must be {' or '.join(DECODERS)}, or the name of trained networks, and"
            f" {given}; received {config.decoder!r}"
        )
    return replace(config, encoder=networks.config)
