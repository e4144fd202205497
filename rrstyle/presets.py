"""Settings with names that say what the pictures look like."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rrstyle.config import StyleConfig


@dataclass(frozen=True)
class Preset:
    """A look: name and hint for people; settings, but for size, precision and weights."""

    name: str
    hint: str
    config: StyleConfig


# By the word that the command takes.
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
