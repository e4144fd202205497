"""Figures as PNG and SVG files, the same bytes for the same rows."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure

from rrstyle.durable import write_whole

_STYLE: Any = {
    # Colours that most colour-blind people tell apart: M. Okabe and K. Ito, 2008.
    "axes.prop_cycle": cycler(
        color=["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
    ),
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "font.family": "DejaVu Sans",  # which comes with Matplotlib
    "font.size": 10,
    "grid.alpha": 0.3,
    "legend.fontsize": "small",
    "legend.frameon": False,
    "svg.fonttype": "path",  # looks the same where the font is missing
    "svg.hashsalt": "rrstyle",  # identifiers in the file are random otherwise
}


@contextmanager
def style() -> Iterator[None]:
    """Figures that are made and saved inside look alike, whatever the user's own settings."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def save(figure: Figure, path: Path) -> None:
    """Writes a figure, made inside `style`, to a .png or .svg, whole or not at all."""
    stream = io.BytesIO()
    metadata = {"Date": None} if path.suffix == ".svg" else {}
    figure.savefig(stream, format=path.suffix[1:], dpi=150, metadata=metadata)
    write_whole(path, stream.getvalue(), overwrite=True)
