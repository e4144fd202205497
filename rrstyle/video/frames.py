"""Pictures of a clip, one after another, in the style of a picture: the one way to do it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from rrstyle import pipeline
from rrstyle.config import StyleConfig
from rrstyle.networks.build import cnn_network
from rrstyle.networks.laws import check_seed
from rrstyle.networks.pair import CnnDcn, with_plan_of
from rrstyle.networks.weight_files import load_weights
from rrstyle.painters.painter import Painter
from rrstyle.pictures.images import as_image, fit_within, resize
from rrstyle.progress import ignore
from rrstyle.transfer.closed_form import AffineMap
from rrstyle.transfer.colours import part_way
from rrstyle.transfer.painting.sequence import PaintedSequence
from rrstyle.video.motion import grey, motion


class Frames(Protocol):
    """What paints the pictures of a clip, one after another."""

    state: dict[str, np.ndarray]  # what later pictures depend on

    def paint(self, picture: np.ndarray) -> np.ndarray:
        """The next picture painted, float32 (height, width, 3) in [0, 1]; both sides are even."""


class PainterFrames:
    """Paints each picture of a clip by a painter.

    Colours do not flicker: those of all pictures of a shot, from cut to cut, are mapped to the
    painting's as those of its first one.

    Args:
        painter: The painter.
        side: Longer side of the pictures; both sides are even, as video wants them.
        strength, own_colours: As for `Painter.paint`.
    """

    state: dict[str, np.ndarray]

    def __init__(
        self, painter: Painter, *, side: int, strength: float = 1.0, own_colours: bool = False
    ):
        self._painter, self._side = painter, side
        self._options: dict[str, Any] = {"strength": strength, "own_colours": own_colours}
        self.state = {}

    def paint(self, picture: np.ndarray) -> np.ndarray:
        """The next picture painted, as in `Frames`."""
        picture = as_image(picture, argument="picture")
        size = self.state.get("size", even_size(picture.shape[:2], self._side))
        content = resize(picture, (int(size[0]), int(size[1])))
        now = grey(content)
        if not self.state or motion(self.state["before"], now) is None:
            maps = zip(*self._painter.recolouring(content), strict=True)
            self.state = dict(zip(AffineMap._fields, map(np.stack, maps), strict=True))
        self.state |= {"before": now, "size": np.array(size)}
        both = zip(*(self.state[name] for name in AffineMap._fields), strict=True)
        before, after = (AffineMap(*arrays) for arrays in both)
        return self._painter.paint(content, colours=(before, after), **self._options)


def even_size(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Height and width, both even, whose longer one is `side`."""
    height, width = fit_within(size, side)
    return max(2, height // 2 * 2), max(2, width // 2 * 2)


class FramePainter:
    """Paints the pictures of a clip by one network, so that strokes stay on what they paint.

    Each shot, from cut to cut, has its own statistics, those of its first picture.

    Args:
        style, weights, networks: As for `rrstyle.stylize`.
        config: Settings; the method is paint, without `tile` and `composed_at`. The longer side of
            the pictures is `config.side`; both sides are even, as video wants them.
        seed: Seed of the random network, an integer of at least 0.

    Raises:
        ValueError: If an argument breaks a rule.
    """

    _before: np.ndarray  # the last picture, as `motion` takes it

    def __init__(
        self,
        style,
        config: StyleConfig | None = None,
        *,
        seed: int,
        weights: Sequence[float] | None = None,
        networks: CnnDcn | None = None,
    ):
        config = with_plan_of(networks, config or StyleConfig())
        if config.method != "paint":
            raise ValueError(f"method must be paint for a clip; received {config.method!r}")
        if config.tile or config.composed_at:
            name = "tile" if config.tile else "composed_at"
            raise ValueError(f"{name} must be left out for a clip")
        self._style, self._weights, self._seed = style, weights, check_seed(seed)
        trained = load_weights(config.weights).up_to(config.encoder)
        self._trained, self._networks = trained.weights, networks
        self._config = replace(config, encoder=trained.network)
        self._size: tuple[int, int] | None = None  # of all pictures, that of the first

    def paint(self, picture: np.ndarray) -> np.ndarray:
        """The next picture of the clip painted.

        Args:
            picture: (height, width, 3), uint8 or float in [0, 1]; all are brought to one size.

        Returns:
            float32 (height, width, 3) in [0, 1].
        """
        begins = self._size is None
        content = self._sized(picture)
        now = grey(content)
        moved = None if begins else motion(self._before, now)
        self._before = now
        if moved is None:
            self._begin(picture)
            painted = self._sequence.first
        else:
            painted = self._sequence.follow(content, moved)
        if self._config.strength < 1:
            painted = part_way(self._original(content), painted, self._config.strength)
        return pipeline.coloured(painted, replace(self._work, content=content))

    @property
    def state(self) -> dict[str, np.ndarray]:
        """What later pictures depend on; set, a painter of the same arguments goes on from it."""
        moving = {f"moving_{i}": part for i, part in enumerate(self._sequence.state)}
        return {"first": self._first, "before": self._before, **moving}

    @state.setter
    def state(self, state: dict[str, np.ndarray]) -> None:
        self._begin(state["first"])
        self._before = state["before"]
        self._sequence.state = [state[f"moving_{i}"] for i in range(len(state) - 2)]

    def _begin(self, picture: np.ndarray) -> None:
        """A new shot."""
        self._first, content = picture, self._sized(picture)
        config = replace(self._config, side=max(content.shape[:2]))
        self._work = pipeline.read_inputs(content, self._style, self._weights, None, None, config)
        self._work = replace(self._work, networks=self._networks)
        encoder = (
            self._networks.encoder
            if self._networks
            else cnn_network(config.encoder, seed=self._seed, trained=self._trained)
        )
        canvas, self._original = pipeline.paint_canvas(self._work, encoder, self._seed, ignore)
        self._sequence = PaintedSequence(canvas)

    def _sized(self, picture: np.ndarray) -> np.ndarray:
        picture = as_image(picture, argument="picture")
        if self._size is None:
            self._size = even_size(picture.shape[:2], self._config.side)
        return resize(picture, self._size)
