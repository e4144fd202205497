"""A painter in a folder: a network that learnt one painting, and paints any photograph.

painter.json        what it learnt, of what, when: see `save_painter`
painter.keras       its Keras model, from recoloured photographs to pictures
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from rrstyle import backend
from rrstyle.config import is_share
from rrstyle.durable import bare_name, write_whole
from rrstyle.namespace import array_namespace
from rrstyle.networks.weight_files import weights_digest
from rrstyle.painters.folder import MODEL, RECORD, find_painters
from rrstyle.painters.network import LEAST_SIDE
from rrstyle.pictures.images import as_image, check_sides, fit_within, resize
from rrstyle.transfer.closed_form import AffineMap, Gaussian, fit_gaussian, fit_map
from rrstyle.transfer.colours import keep_colours, part_way

_FORMAT = 1


class _OtherFormat(ValueError):
    """A painter of another version."""


@dataclass(frozen=True, eq=False)
class Painter:
    """What paints photographs in the style of one painting.

    Attributes:
        name: Name of its folder, never a path.
        model: Keras model from images (batch, height, width, 3) in [0, 1], in the colours of the
            painting already, to pictures, unbounded.
        palette: Gaussian of the painting's colours.
        about: JSON values: "style" and "seed" that it learnt, and how.
        digest: SHA-256 of its weights, 64 hexadecimal digits.
    """

    name: str
    model: keras.Model
    palette: Gaussian
    about: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""

    @cached_property
    def _compiled(self) -> Callable[[np.ndarray], np.ndarray]:
        """The model of one image, (height, width, 3), compiled for images of any size."""
        model = self.model
        groups = model.trainable_variables, model.non_trainable_variables
        weights = tuple([variable.value for variable in group] for group in groups)
        run = backend.jit(lambda weights, x: model.stateless_call(*weights, x)[0], maps=(1,))
        return lambda x: ops.convert_to_numpy(run(weights, ops.convert_to_tensor(x[None])))[0]

    def paint(
        self,
        photograph,
        *,
        side: int | None = None,
        strength: float = 1.0,
        own_colours: bool = False,
        colours: tuple[AffineMap, AffineMap] | None = None,
    ) -> np.ndarray:
        """A photograph painted.

        Args:
            photograph: (height, width, 3), uint8 or float in [0, 1], of at least 8 pixels a side.
            side: Longer side of the result; by default that of the photograph. Strokes keep their
                size in pixels.
            strength: From 0, the photograph, to 1.
            own_colours: Switch for the photograph's colours.
            colours: Maps of `recolouring`, where they are not those of this photograph: the
                pictures of a clip share them.

        Returns:
            float32 (height, width, 3) in [0, 1].

        Raises:
            ValueError: If an argument breaks a rule.
        """
        if not is_share(strength):
            raise ValueError(f"strength must be from 0 to 1; received {strength!r}")
        content = as_image(photograph, argument="photograph")
        if side is not None:
            content = resize(content, fit_within(content.shape[:2], side))
        check_sides(content.shape[:2], LEAST_SIDE, "photograph")
        painted, _ = painted_in(self.palette, self._compiled, content, colours)
        picture = np.clip(part_way(content, painted, strength), 0, 1)
        return keep_colours(picture, content) if own_colours else picture.astype(np.float32)

    def recolouring(self, photograph: np.ndarray) -> tuple[AffineMap, AffineMap]:
        """The maps of colours before and after a photograph in [0, 1] is painted."""
        return painted_in(self.palette, self._compiled, photograph)[1]


def painted_in(
    palette: Gaussian,
    paint: Callable[[Any], Any],
    image,
    colours: tuple[AffineMap, AffineMap] | None = None,
) -> tuple[Any, tuple[AffineMap, AffineMap]]:
    """An image painted, its colours mapped to a palette before that and after.

    Before, a network of few layers has less to learn; after, the picture is as colourful as the
    painting. Both maps are linear: what leaves [0, 1] is cut.

    Args:
        palette: Gaussian of the painting's colours.
        paint: What takes an image to a picture.
        image: (height, width, 3) in [0, 1], a NumPy array or, in a graph, a tensor.
        colours: Both maps; by default those to the palette from this image's colours, and from
            those of what `paint` makes of it.

    Returns:
        The picture in [0, 1], and both maps.
    """
    clip = array_namespace(image).clip
    before = colours[0] if colours else _to_palette(image, palette)
    painted = clip(paint(clip(before(image), 0, 1)), 0, 1)
    after = colours[1] if colours else _to_palette(painted, palette)
    return clip(after(painted), 0, 1), (before, after)


def recoloured(image, palette: Gaussian):
    """The image with the mean and the covariance of a palette, cut where that leaves [0, 1]."""
    return array_namespace(image).clip(_to_palette(image, palette)(image), 0, 1)


def _to_palette(image, palette: Gaussian) -> AffineMap:
    """The map of an image's colours to the mean and the covariance of a palette.

    Of the image's own moments every second row and column is counted.
    Reference: Pitié and Kokaram, "The linear Monge-Kantorovitch colour mapping", 2007.
    """
    xp = array_namespace(image)
    theirs = Gaussian(xp.array(palette.mean), xp.array(palette.covariance))
    return fit_map("transport", fit_gaussian(image[::2, ::2]), theirs)


def save_painter(
    folder: Path, model: keras.Model, style: np.ndarray, about: Mapping[str, Any]
) -> None:
    """Writes a painter into a folder that is there, its record last: it is whole or absent.

    Args:
        model: See `Painter`.
        style: Painting that it learnt, (height, width, 3) in [0, 1].
        about: JSON values for the record.
    """
    with tempfile.TemporaryDirectory() as scratch:
        model.save(file := Path(scratch, MODEL))
        write_whole(folder / MODEL, file.read_bytes(), overwrite=True)
    palette = fit_gaussian(style)
    record = {
        "format": _FORMAT,
        "weights_sha256": weights_digest(model.get_weights()),
        "palette": {"mean": palette.mean.tolist(), "covariance": palette.covariance.tolist()},
        "about": dict(about),
        "versions": backend.versions(),
    }
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    write_whole(folder / RECORD, text.encode(), overwrite=True)


def load_painter(folder: Path) -> Painter:
    """The painter in a folder.

    Raises:
        ValueError: If the folder holds none, a damaged one, or one of a later version.
        OSError: If a file cannot be read.
    """
    (folder,) = find_painters(folder)[:1]
    name = bare_name(folder.resolve().name)
    damaged = ValueError(f"painter {name!r} is damaged: learn it again with --resume")
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if record["format"] != _FORMAT:
            told = f"painter {name!r} must be of format {_FORMAT}; received {record['format']!r}"
            raise _OtherFormat(told)
        moments = (np.array(record["palette"][key], float) for key in ("mean", "covariance"))
        palette, about, digest = Gaussian(*moments), dict(record["about"]), record["weights_sha256"]
        if palette.mean.shape != (3,) or palette.covariance.shape != (3, 3):
            raise damaged
        model = keras.saving.load_model(folder / MODEL, compile=False)
    except (_OtherFormat, FileNotFoundError):
        raise
    except Exception as error:  # Keras and its archive raise what they like
        raise damaged from error
    if weights_digest(model.get_weights()) != digest:
        raise damaged
    return Painter(name, model, palette, about, digest)
