"""The Reconstruct tab's answers: what a random network keeps of a picture, and what it sees."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from apps.page.settings import whole
from recon import metrics
from recon.reconstruction import reconstruct, reconstruct_trained
from recon.training.run import load_run, read_config
from rrstyle.config import NetworkConfig
from rrstyle.networks.build import cnn_network
from rrstyle.networks.plan import ARCHITECTURES
from rrstyle.pictures.images import Picture, fit_within, resize
from rrstyle.pictures.sheets import contact_sheet
from rrstyle.pipeline import encode

SMALLEST_SIDE, LARGEST_SIDE, SIDE = 32, 384, 192
MOST_CHANNELS, LARGEST_KERNEL = 512, 11
# Unknowns of the ridge readout, channels x kernel x kernel: its matrix has their square.
MOST_UNKNOWNS = 12_000
MOST_MAPS, MAPS_A_ROW, MAP_SIDE = 48, 8, 96

READOUTS = ("random", "ridge")
UNTRAINED = "none"


@dataclass(frozen=True)
class Panel:
    """What the tab shows.

    Attributes:
        pictures: Input first, then what came back: (words, float32 (height, width, 3)).
        maps: Sheet of the features.
        line: Picture, network and settings of the measures in a line.
    """

    pictures: tuple[tuple[str, np.ndarray], ...]
    maps: np.ndarray
    line: str


def layer_names(architecture: str) -> list[str]:
    """Layers of an architecture, bottom up."""
    return [convolution.name for convolution in ARCHITECTURES[architecture].convolutions]


def run_folders(folder: Path | None) -> dict[str, Path]:
    """Runs that trained a DCN, by name: the folder itself, or its subfolders that are such."""
    if folder is None:
        return {}
    found = {}
    for path in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        try:
            read_config(path)
        except (ValueError, OSError):
            continue  # another kind of run, or none
        found[path.name] = path.absolute()
    return found


def check_network(
    architecture: Any,
    layer: Any,
    tap: Any,
    law: Any,
    std: Any,
    channels: Any,
    kernel: Any,
    upsampling: Any,
) -> NetworkConfig:
    """The networks that a client asks for.

    Args:
        channels, kernel: 0 for the architecture's own.

    Raises:
        ValueError: If a value breaks a rule, or the ridge readout would be too large.
    """
    channels = whole("channels", channels, 0, MOST_CHANNELS)
    kernel = whole("kernel", kernel, 0, LARGEST_KERNEL)
    config = NetworkConfig(
        architecture=architecture,
        layer=layer,
        tap=tap,
        law=law,
        std=std,
        channels=channels or None,
        kernel=kernel or None,
        upsampling=upsampling,
    )
    first = ARCHITECTURES[config.architecture].convolutions[0]
    unknowns = (channels or first.channels) * (kernel or first.kernel) ** 2
    if unknowns > MOST_UNKNOWNS:
        raise ValueError(
            f"channels x kernel x kernel must be at most {MOST_UNKNOWNS}, the unknowns of the ridge"
            f" readout; received {unknowns}"
        )
    return config


def panel(
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
        picture: As read.
        config: The networks; where there is a run, its own are used.
        side: Longer side that the picture is brought to, in pixels.
        seed: Names the random weights.
        readouts: Of READOUTS, which to show.
        run: Folder of a training whose DCN is shown too.

    Raises:
        ValueError: If the picture is too small for the networks, or the run is none.
        OSError: If a file of the run cannot be read.
    """
    image = resize(picture.pixels, fit_within(picture.pixels.shape[:2], side))
    pair = None if run is None else load_run(run, best=True)
    by = f"{config.law} weights, seed {seed}"
    if pair is not None:
        config = pair.config
        by = f"{pair.about['weights']} weights of {pair.name}, {pair.about['step']} steps"
    cnn = pair.encoder if pair else cnn_network(config, seed=seed)
    back: list[tuple[str, np.ndarray]] = []
    if readouts:
        found = reconstruct(image, config, seed=seed)
        back += [(f"{name} readout", getattr(found, name)) for name in readouts]
    if pair is not None:
        back.append(("trained DCN", reconstruct_trained(image, pair)))
    features = encode(cnn, image)
    height, width, channels = features.shape
    line = (
        f"{picture.name}, {image.shape[1]} × {image.shape[0]}, {config.architecture} up to"
        f" {config.layer} ({config.tap.replace('_', ' ')}): {width} × {height} × {channels}"
        f" features; {by}. SSIM: {metrics.SSIM_SETTINGS}; Pearson: {metrics.PEARSON_SETTINGS}."
    )
    scored = [(f"{name} · {_scores(image, result)}", result) for name, result in back]
    return Panel((("input", image), *scored), feature_sheet(features), line)


def check_readouts(readouts: Any) -> tuple[str, ...]:
    """Which readouts to show, in their order.

    Raises:
        ValueError: If there is another than READOUTS.
    """
    if not isinstance(readouts, list) or any(name not in READOUTS for name in readouts):
        raise ValueError(f"readout must be among {', '.join(READOUTS)}; received {readouts!r}")
    return tuple(name for name in READOUTS if name in readouts)


def find_run(runs: Mapping[str, Path], name: Any) -> Path | None:
    """The folder of a run by its name; None for UNTRAINED.

    Raises:
        ValueError: If there is none of that name.
    """
    if name in (None, UNTRAINED):
        return None
    if not isinstance(name, str) or name not in runs:
        raise ValueError(f"run must be one of {', '.join((UNTRAINED, *runs))}; received {name!r}")
    return runs[name]


def feature_sheet(features: np.ndarray) -> np.ndarray:
    """The first maps of features side by side, each grey in its own range.

    Args:
        features: (rows, columns, channels).

    Returns:
        float32 image (height, width, 3) in [0, 1]: maps of at most MAP_SIDE pixels, small ones
        enlarged by whole factors, so that their pixels are seen.
    """
    maps = features[:, :, :MOST_MAPS].astype(np.float32)
    low, high = maps.min(axis=(0, 1)), maps.max(axis=(0, 1))
    grey = (maps - low) / np.where(high > low, high - low, 1)
    longest = max(grey.shape[:2])
    if longest <= MAP_SIDE:
        factor = MAP_SIDE // longest
        tiles = np.repeat(np.repeat(grey, factor, axis=0), factor, axis=1)
        pictures = [np.repeat(tiles[:, :, i, None], 3, axis=2) for i in range(tiles.shape[2])]
    else:
        size = fit_within(grey.shape[:2], MAP_SIDE)
        colours = [np.repeat(grey[:, :, i, None], 3, axis=2) for i in range(grey.shape[2])]
        pictures = [resize(picture, size) for picture in colours]
    starts = range(0, len(pictures), MAPS_A_ROW)
    return contact_sheet([pictures[start : start + MAPS_A_ROW] for start in starts])


def _scores(image: np.ndarray, result: np.ndarray) -> str:
    both = [metrics.luminance(x[None]) for x in (image, result)]
    ssim, pearson = metrics.ssim(*both)[0], metrics.pearson(*both)[0]
    return f"SSIM {_shown(ssim)} · Pearson {_shown(pearson)}"


def _shown(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.4f}"
