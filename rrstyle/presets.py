"""Settings with names: looks, and the three models that the paper prints."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rrstyle.config import NetworkConfig, OptimiseConfig, StyleConfig


@dataclass(frozen=True)
class Preset:
    """Name and hint for people; settings, but for size, precision and weights."""

    name: str
    hint: str
    config: StyleConfig


# Looks, by the word that the command takes.
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "oil-strokes": Preset(
            "Oil strokes",
            "Rebuilt from pieces of the style, with its colours and strokes",
            StyleConfig(),
        ),
        "bold-shapes": Preset(
            "Bold shapes", "Strokes and shapes of twice the size", StyleConfig(style_scale=2.0)
        ),
        "fine-pattern": Preset(
            "Fine pattern",
            "Strokes of half the size: more of the photograph can be made out",
            StyleConfig(style_scale=0.5),
        ),
        "own-colours": Preset(
            "Own colours",
            "Strokes of the style in the photograph's colours",
            StyleConfig(keep_colours=True),
        ),
        "half-painted": Preset(
            "Half painted", "Halfway from the photograph to the painting", StyleConfig(strength=0.5)
        ),
        "soft-wash": Preset(
            "Soft wash",
            "Outlines stay, colours and texture flow into the style's",
            StyleConfig(method="optimise"),
        ),
        "palette-only": Preset(
            "Palette only",
            "The photograph in the style's colours, at once",
            StyleConfig(method="transport"),
        ),
        "wild-colours": Preset(
            "Wild colours",
            "Painted, then half decoded by a random layer: false colours, others for every seed",
            StyleConfig(wildness=0.5),
        ),
    }
)


def _model(number: int, channels: int, kernel: int, std: float) -> Preset:
    """The style transfer of appendix A.4, on one of its models; docs/style-transfer.md says which
    choices the paper leaves open."""
    fvt = OptimiseConfig(
        content="own", scaling="absolute", loss="gram", steps=(200,), style_weight=1e5
    )
    config = StyleConfig(
        method="optimise",
        network="vgg",
        decoder="random",
        encoder=NetworkConfig(channels=channels, kernel=kernel, std=std),
        optimise=fvt,
    )
    hint = f"rrVGG{number} of Fig. 17: {channels} filters of {kernel} x {kernel}, N(0, {std})"
    return Preset(f"Paper {channels}", hint, config)


# The paper's three models, by the word that the command takes; the page has no widgets for them.
PAPER_PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "paper-128": _model(1, 128, 3, 0.01),
        "paper-256": _model(2, 256, 5, 0.01),
        "paper-32": _model(3, 32, 3, 0.1),
    }
)
ALL_PRESETS: Mapping[str, Preset] = MappingProxyType({**PRESETS, **PAPER_PRESETS})
