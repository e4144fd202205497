"""Figures of pictures: a line a network, a column a point of the sweep, a caption over each."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from recon import metrics
from recon.experiments.experiment import Pictures
from rrstyle.pictures.images import encode_png

Captioned = tuple[str, np.ndarray]


def shown(pictures: Pictures, grey: np.ndarray) -> np.ndarray:
    """A reconstruction (1, side, side, 1) of the first picture, as the papers score it.

    (side, side), in [0, 1]: stretched, and inverted if that is more alike.
    """
    low, high = float(grey.min()), float(grey.max())
    bounded = (grey - low) / (high - low) if high > low else np.zeros_like(grey)
    return _upright(pictures, bounded, bounded)[..., 0]


def coloured(pictures: Pictures, output: np.ndarray) -> np.ndarray:
    """A reconstruction (1, side, side, 3) with its false colours, (side, side, 3) in [0, 1].

    Each channel is stretched over all but its outermost 1 %; all are inverted if that makes their
    luminance more alike.
    """
    low, high = np.percentile(output[0], (1, 99), axis=(0, 1))
    bounded = np.clip((output - low) / np.maximum(high - low, 1e-30), 0, 1).astype(np.float32)
    return _upright(pictures, bounded, metrics.luminance(bounded))


def _upright(pictures: Pictures, bounded: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """The only picture of `bounded`, inverted if `grey` is then more like the first picture."""
    truth = metrics.luminance(pictures.pixels[:1])
    inverse = metrics.ssim(truth, 1 - grey)[0] > metrics.ssim(truth, grey)[0]
    return (1 - bounded if inverse else bounded)[0]


def packed(image: np.ndarray) -> str:
    """A picture as PNG in base64, for a row."""
    return base64.b64encode(encode_png(image)).decode()


def unpacked(text: str) -> np.ndarray:
    """What `packed` made a text of: (height, width, 3) in [0, 1]."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text)))) / 255


def sheet(lines: Sequence[tuple[str, Sequence[Captioned]]], *, title: str) -> Figure:
    """Lines of (label, captioned pictures), under a title."""
    rows, columns = len(lines), max(len(pictures) for _, pictures in lines)
    figure = Figure(figsize=(max(1.25 * columns, 6) + 0.6, 1.5 * rows + 0.6), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for line, (label, pictures) in zip(axes, lines, strict=True):
        line[0].set_ylabel(label, fontsize=8)
        for ax in line:
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        for ax, (caption, picture) in zip(line, pictures, strict=False):
            ax.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            ax.set_title(caption, fontsize=8)
    figure.suptitle(title, fontsize=10)
    return figure
