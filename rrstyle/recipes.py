"""The recipe inside a picture: all that is needed to make it again.

A recipe names its inputs and says which pixels they had; it holds no path.
"""

import hashlib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rrstyle import images
from rrstyle.config import StyleConfig, from_dict, to_dict

TEXT_KEY = "rrstyle"  # of the PNG text chunk
_FORMAT = 1


@dataclass(frozen=True)
class Input:
    """An input of a picture: its bare name and the digest of its pixels (or of its bytes)."""

    name: str
    digest: str

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and 0 < len(self.name) <= 200):
            raise ValueError("recipe: an input's name must be a string of 1 to 200 characters")
        if not (isinstance(self.digest, str) and re.fullmatch(r"[0-9a-f]{64}", self.digest)):
            raise ValueError("recipe: an input's digest must be 64 hexadecimal digits")


@dataclass(frozen=True)
class Recipe:
    """How a picture was made.

    Attributes:
        config: Its settings, with the precision that was used in place of `auto`, and the bare
            name of a weights file.
        seed: Its seed.
        content: The photograph.
        style: The style picture.
        weights: The weights file, where one was used.
        versions: Of the packages that computed it.
    """

    config: StyleConfig
    seed: int
    content: Input
    style: Input
    weights: Input | None
    versions: dict[str, str]

    def to_json(self) -> str:
        """The recipe as text."""
        inputs = {name: vars(getattr(self, name)) for name in ("content", "style")}
        weights = vars(self.weights) if self.weights else None
        record = {"format": _FORMAT, "seed": self.seed, **inputs, "weights": weights}
        record |= {"config": to_dict(self.config), "versions": self.versions}
        return json.dumps(record, ensure_ascii=False)


def make_recipe(
    config: StyleConfig, seed: int, content: images.Picture, style: images.Picture
) -> Recipe:
    """The recipe of a picture about to be made from two pictures."""
    from rrstyle import backend  # imports Keras, which reading a recipe does not need

    weights = None
    if config.weights and config.weights != "imagenet":
        data = Path(config.weights).read_bytes()
        weights = Input(Path(config.weights).name, hashlib.sha256(data).hexdigest())
        config = replace(config, weights=weights.name)
    config = replace(config, precision=backend.resolve_precision(config.precision))
    ours, theirs = (Input(p.name, images.digest(p.pixels)) for p in (content, style))
    return Recipe(config, seed, ours, theirs, weights, backend.versions())


def parse_recipe(text: str) -> Recipe:
    """The recipe in a text.

    Raises:
        ValueError: If the text is no recipe, one of a later format, or breaks a rule.
    """
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("recipe: not valid JSON") from error
    if not isinstance(record, dict) or record.get("format") != _FORMAT:
        raise ValueError(f"recipe: must be an object of format {_FORMAT}")
    try:
        seed, versions, weights = record["seed"], record["versions"], record["weights"]
        content, style = (_parse_input(name, record[name]) for name in ("content", "style"))
        config = from_dict(StyleConfig, record["config"])
    except KeyError as error:
        raise ValueError(f"recipe: the field {error} is missing") from error
    used = None if weights is None else _parse_input("weights", weights)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"recipe: seed must be a non-negative integer; received {seed!r}")
    if not isinstance(versions, dict):
        raise ValueError("recipe: versions must be an object")
    versions = {str(k): str(v) for k, v in versions.items()}
    return Recipe(config, seed, content, style, used, versions)


def _parse_input(field: str, value) -> Input:
    if not isinstance(value, dict) or value.keys() != {"name", "digest"}:
        raise ValueError(f"recipe: {field} must be an object of a name and a digest")
    return Input(**value)


def read_recipe(source, *, name: str | None = None) -> Recipe:
    """The recipe inside a PNG.

    Raises:
        ValueError: If the file is no PNG, or has no (valid) recipe.
    """
    text = images.read_png_text(source, TEXT_KEY, name=name)
    if text is None:
        shown = name or (Path(source).name if isinstance(source, str | Path) else "the picture")
        raise ValueError(f"{shown}: no recipe inside; only pictures made by rrstyle have one")
    return parse_recipe(text)


def encode_picture(image: np.ndarray, recipe: Recipe) -> bytes:
    """A PNG of `image` that carries its recipe."""
    return images.encode_png(image, text={TEXT_KEY: recipe.to_json()})
