"""What the studies of the paper's style transfer share: one transfer, taken apart and measured.

It is that of `rrstyle stylize --preset paper-32` and its like, appendix A.4 of the paper's 2020
version: V_new = argmin alpha L_c + beta L_s from V_c, decoded by the random DCN.
"""

import functools
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recon.costs import ConvolutionShape, convolution_shapes
from recon.experiments.experiment import Cell, Experiment, Pictures, Row, Settings
from recon.experiments.sheet import Captioned, packed
from recon.style_measures import edge, swd
from rrstyle import backend
from rrstyle.config import StyleConfig
from rrstyle.examples import style_picture
from rrstyle.networks.build import cnn_network
from rrstyle.networks.readout import Decoder, build_decoder
from rrstyle.presets import PAPER_PRESETS
from rrstyle.progress import ignore
from rrstyle.transfer.blends import Blend
from rrstyle.transfer.feature_networks import FeatureNetwork, vgg_network
from rrstyle.transfer.optimise import Objective

# Readouts of the random DCN: the paper's, and the ridge, whose colours are those of the features.
DECODERS = ("random", "ridge")
_WILDNESS = {"random": 1.0, "ridge": 0.0}
_SAMPLING_SEED = 0  # of swd: the same patches and directions for all pictures


@dataclass(frozen=True, kw_only=True)
class StyleSettings(Settings):
    steps: int  # of Adam
    # Built in; picture number i is painted like style number i, in turn.
    styles: tuple[str, ...] = ("waves", "starry-swirls", "mosaic", "brush-strokes")


LAPTOP: dict[str, Any] = {"networks": 5, "images": 1, "side": 64, "steps": 30}
PAPER: dict[str, Any] = {"networks": 10, "images": 4, "side": 256, "steps": 200}
SMOKE: dict[str, Any] = {"networks": 1, "images": 1, "side": 36, "steps": 2}


def config_of(model: str, *, steps: int, layer: str = "conv1_2") -> StyleConfig:
    """The settings of one of the paper's models, up to a layer; float32 on every machine."""
    config = PAPER_PRESETS[model].config
    encoder, fvt = replace(config.encoder, layer=layer), replace(config.optimise, steps=(steps,))
    return replace(config, precision="float32", encoder=encoder, optimise=fvt)


class Pair:
    """A photograph and a style, (height, width, 3) in [0, 1], behind the rrVGG of a seed."""

    def __init__(self, content: np.ndarray, style: np.ndarray, config: StyleConfig, *, seed: int):
        self.content, self.style, self.config, self.seed = content, style, config, seed
        self.cnn = cnn_network(config.encoder, seed=seed)
        features = self.cnn.single(content), self.cnn.single(style)
        self.unit = np.float32(Blend.of(features[1]).root_mean_square())
        self.v_c, self.v_s = (part / self.unit for part in features)
        self._decoders: dict[str, Decoder] = {}
        self._networks: dict[int, FeatureNetwork] = {}

    def network(self, fvt_seed: int) -> FeatureNetwork:
        """The FVT network: what the CNN leaves of VGG16."""
        if fvt_seed not in self._networks:
            made = vgg_network(self.v_c.shape[-1], self.config, seed=fvt_seed, dtype="float32")
            self._networks[fvt_seed] = made
        return self._networks[fvt_seed]

    def objective(self, fvt_seed: int, **weights: Any) -> Objective:
        """Its loss, with the weights of the settings or others."""
        chosen = replace(self.config.optimise, **weights)
        return Objective(self.network(fvt_seed), self.v_c, self.v_s, config=chosen)

    def optimised(self, fvt_seed: int, **weights: Any) -> np.ndarray:
        """V_new, in units of the root mean square of V_s as V_c is."""
        return descent(self.objective(fvt_seed, **weights), self.v_c, self.config)

    def losses(self, v: np.ndarray, fvt_seed: int) -> tuple[float, float]:
        """L_c and L_s of equations 3 and 4 at features v."""
        content = self.objective(fvt_seed, content_weight=1, style_weight=0)
        style = self.objective(fvt_seed, content_weight=0, style_weight=1)
        return content.value(v), style.value(v)

    def decoded(self, v: np.ndarray, decoder: str = "random") -> np.ndarray:
        """Picture of features v by one of DECODERS, in [0, 1]."""
        if decoder not in self._decoders:
            known = [(self.v_c, self.content), (self.v_s, self.style)]
            known = [(features * self.unit, picture) for features, picture in known]
            wildness = _WILDNESS[decoder]
            made = build_decoder(self.config.encoder, known, seed=self.seed, wildness=wildness)
            self._decoders[decoder] = made
        found = self._decoders[decoder](v * self.unit, self.content.shape[:2])
        return np.clip(found, 0, 1)

    def scores(self, picture: np.ndarray) -> dict[str, float]:
        """Closeness to the style, lower is closer, and share of the photograph's edges."""
        found = {"swd": swd(picture, self.style, seed=_SAMPLING_SEED)}
        return found | {"edge": edge(picture, self.content)}


def descent(
    objective: Objective, start: np.ndarray, config: StyleConfig, *, unit: float = 1.0
) -> np.ndarray:
    """Where Adam ends from `start`; `unit` is the root mean square of what is optimised."""
    chosen = config.optimise
    rate = chosen.learning_rate * unit
    return objective.adam(start, steps=chosen.steps[-1], rate=rate, report=ignore)


def clock() -> float:
    """Seconds so far: of the processor where one thread of it computes, else by the wall."""
    alone = backend.threads() == "one" and backend.device().startswith("cpu")
    return time.process_time() if alone else time.perf_counter()


def timed_descent(
    objective: Objective, start: np.ndarray, config: StyleConfig
) -> tuple[np.ndarray, float]:
    """`descent`, and its seconds a step; a step before it, which compiles, is not timed."""
    objective.adam(start, steps=1, rate=1.0, report=ignore)
    began = clock()
    found = descent(objective, start, config)
    return found, (clock() - began) / config.optimise.steps[-1]


def step_gflop(shapes: list[ConvolutionShape]) -> float:
    """Operations of a step in 10^9: forward, and as many back to the input."""
    return 2 * sum(shape.operations for shape in shapes) / 1e9


def fvt_shapes(network: FeatureNetwork, v: np.ndarray) -> list[ConvolutionShape]:
    """The convolutions that an FVT network makes of features v."""
    return convolution_shapes(network.network.model, v.shape[:2])


@functools.lru_cache(maxsize=8)
def _drawn(style: str, side: int) -> np.ndarray:
    return style_picture(style, side=side)


class StyleStudy(Experiment):
    """A study of transfers; pair i is picture i with its style, and network n has seed S + n."""

    def named(self, settings: Any, cell: Cell, pictures: Pictures) -> Row:
        """A cell, and its photograph and style by name: the key of its rows."""
        style = settings.styles[cell["pair"] % len(settings.styles)]
        return {**cell, "image": pictures.names[cell["pair"]], "style": style}

    def pair(
        self, config: StyleConfig, settings: Any, key: Row, pictures: Pictures, *, seed: int
    ) -> Pair:
        """The pair of a key, behind a network."""
        style = _drawn(key["style"], settings.side)
        return Pair(pictures.pixels[key["pair"]], style, config, seed=seed)

    def shown(self, settings: Any, pictures: Pictures, pair: int) -> tuple[Captioned, Captioned]:
        """Photograph and style of a pair, for a sheet."""
        style = _drawn(settings.styles[pair % len(settings.styles)], settings.side)
        return ("content", pictures.pixels[pair]), ("style", style)


def scored(key: Row, pair: Pair, picture: np.ndarray) -> Row:
    """A row of a picture; it holds that of the first network, which sheets show."""
    shown = packed(picture) if key["network"] == 0 else ""
    return key | pair.scores(picture) | {"picture": shown}
