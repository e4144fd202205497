"""What networks give back of a picture, and how alike: for the command, the app and the API."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recon import metrics
from recon.reconstruction import reconstruct, reconstruct_trained
from recon.training.run import load_run
from rrstyle.config import NetworkConfig, StyleConfig
from rrstyle.memory import check_memory
from rrstyle.networks.build import cnn_network
from rrstyle.pictures.images import Picture, fit_within, resize

MEASURES = f"SSIM: {metrics.SSIM_SETTINGS}; Pearson: {metrics.PEARSON_SETTINGS}"


@dataclass(frozen=True)
class Panel:
    """A picture and its reconstructions, by "random readout", "ridge readout" or "trained DCN"."""

    image: np.ndarray  # (height, width, 3), float32, in the size of the panel
    back: dict[str, np.ndarray]  # of the same shape
    scores: dict[str, tuple[str, str]]  # SSIM and Pearson correlation with the image, in words
    features: np.ndarray  # of the CNN, (rows, columns, channels), float32
    config: NetworkConfig
    weights: str  # of the networks, in words


def make_panel(
    picture: Picture,
    config: NetworkConfig,
    *,
    side: int,
    seed: int,
    readouts: Sequence[str],
    run: Path | None = None,
) -> Panel:
    """Encodes a picture, decodes it by each readout, and measures how alike they are.

    Args:
        config: Plan of the networks; that of the run replaces it.
        side: Longer side that the picture is brought to, in pixels.
        seed: Seed of the random weights.
        readouts: "random", "ridge" or both, or none.
        run: Folder of a training whose DCN, of the best checkpoint, is shown too.

    Raises:
        ValueError: If the picture is too small for the networks, the memory that is free for both,
            or the folder holds no run.
        OSError: If a file of the run cannot be read.
    """
    image = resize(picture.pixels, fit_within(picture.pixels.shape[:2], side))
    pair = None if run is None else load_run(run, best=True)
    config = config if pair is None else pair.config
    check_memory(StyleConfig(method="transport", side=side, encoder=config))  # its readout is this
    back = {}
    if readouts:
        found = reconstruct(image, config, seed=seed)
        back = {f"{name} readout": getattr(found, name) for name in readouts}
    if pair is None:
        cnn, weights = cnn_network(config, seed=seed), f"{config.law} weights, seed {seed}"
    else:
        back["trained DCN"] = reconstruct_trained(image, pair)
        cnn, about = pair.encoder, pair.about
        weights = f"{about['weights']} weights, DCN trained for {about['step']} steps"
    scores = {name: _scores(image, result) for name, result in back.items()}
    return Panel(image, back, scores, cnn.single(image), config, weights)


def _scores(*pair: np.ndarray) -> tuple[str, str]:
    grey = [metrics.luminance(image[None]) for image in pair]
    ssim, pearson = (float(measure(*grey)[0]) for measure in (metrics.ssim, metrics.pearson))
    return _shown(ssim), _shown(pearson)


def _shown(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.4f}"
