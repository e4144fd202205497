"""The recipe inside a picture: all that is needed to make it again.

It names its inputs, without paths, and digests their pixels. Masks, which have no file that could
be named, are in it as a whole: 8-bit grey PNG in base64.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rrstyle.config import StyleConfig, from_dict, is_seed, to_dict
from rrstyle.pictures import images, masks, regions
from rrstyle.transfer.blends import MOST_STYLES, check_shares

if TYPE_CHECKING:  # they import Keras, which reading a recipe does not need
    from rrstyle.networks.pair import CnnDcn
    from rrstyle.painters.painter import Painter

TEXT_KEY = "rrstyle"  # of the PNG text chunk
_FORMAT, _OF_PAINTER = 1, 2  # those that know of no painters refuse the second
_MOST_MASK = 2**19  # characters: half of what a text in a PNG may have


@dataclass(frozen=True)
class Input:
    """An input of a picture: its bare name and the digest of its pixels (or of its bytes)."""

    name: str
    digest: str

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and 0 < len(self.name) <= 200):
            raise ValueError("an input's name must be a string of 1 to 200 characters")
        if not (isinstance(self.digest, str) and re.fullmatch(r"[0-9a-f]{64}", self.digest)):
            raise ValueError("an input's digest must be 64 hexadecimal digits")


@dataclass(frozen=True)
class Recipe:
    """How a picture was made.

    Attributes:
        config: Settings of the picture, with the precision that was used for `auto`, and the bare
            name of a weights file.
        weights: The weights file, or the trained networks, where either was used.
        versions: Versions of the packages that computed the picture, by name, and their `device`,
            which earlier recipes do not have.
        painter: The painter, where one made the picture; its strength, side and keep_colours are
            those of `config`, whose other settings play no part. `style` is what it learnt.
    """

    config: StyleConfig
    seed: int
    content: Input
    style: Input
    weights: Input | None
    versions: dict[str, str]
    more_styles: tuple[Input, ...] = ()
    style_weights: tuple[float, ...] = (1.0,)
    mask: str | None = None
    style_mask: tuple[str, ...] | None = None
    painter: Input | None = None

    @property
    def styles(self) -> tuple[Input, ...]:
        """All style pictures."""
        return (self.style, *self.more_styles)

    def mask_array(self) -> np.ndarray | None:
        """The mask, float32 (height, width) in [0, 1]."""
        return None if self.mask is None else masks.parse_mask(self.mask)

    def regions(self) -> regions.Regions | None:
        """The regions of photograph and styles."""
        if self.style_mask is None:
            return None
        return regions.parse_regions(self.style_mask, len(self.styles))

    def to_json(self) -> str:
        """The recipe as text."""
        inputs = {name: vars(getattr(self, name)) for name in ("content", "style")}
        weights = vars(self.weights) if self.weights else None
        format = _OF_PAINTER if self.painter else _FORMAT
        record = {"format": format, "seed": self.seed, **inputs, "weights": weights}
        record |= {"config": to_dict(self.config), "versions": self.versions}
        if self.more_styles:
            more = [vars(style) for style in self.more_styles]
            record |= {"more_styles": more, "style_weights": self.style_weights}
        # Left out where there are none: such recipes read as they always did.
        painter = vars(self.painter) if self.painter else None
        given = {"mask": self.mask, "style_mask": self.style_mask, "painter": painter}
        record |= {name: value for name, value in given.items() if value is not None}
        return json.dumps(record, ensure_ascii=False)


def make_recipe(
    config: StyleConfig,
    seed: int,
    content: images.Picture,
    styles: images.Picture | Sequence[images.Picture],
    weights: Sequence[float] | None = None,
    mask: Any = None,
    style_mask: Any = None,
) -> Recipe:
    """The recipe of a picture about to be made, of the arguments of `stylize`.

    Raises:
        ValueError: If weights or masks break a rule, or masks are too intricate to be kept.
    """
    from rrstyle import backend  # imports Keras, which reading a recipe does not need

    file = None
    if config.weights not in ("random", "imagenet"):
        data = Path(config.weights).read_bytes()
        file = Input(Path(config.weights).name, hashlib.sha256(data).hexdigest())
        config = replace(config, weights=file.name)
    config = replace(config, precision=backend.resolve_precision(config.precision))
    pictures = [styles] if isinstance(styles, images.Picture) else list(styles)
    check_shares(weights, len(pictures))
    # As given: shares worked out from shares may differ in the last bit.
    given = (1.0,) * len(pictures) if weights is None else tuple(float(w) for w in weights)
    ours, first, *others = (Input(p.name, images.digest(p.pixels)) for p in (content, *pictures))
    text = None if mask is None else masks.mask_text(masks.as_mask(mask))
    maps = None
    if style_mask is not None:
        maps = tuple(regions.regions_text(regions.as_regions(style_mask, len(pictures))))
    for name, texts in (("mask", [text or ""]), ("style_mask", maps or [])):
        if (length := sum(map(len, texts))) > _MOST_MASK:
            raise ValueError(
                f"{name} is too intricate to be kept in a recipe: at most {_MOST_MASK} characters"
                f" of PNG in base64; received {length}"
            )
    shares = given if others else (1.0,)
    versions = backend.computing()
    return Recipe(config, seed, ours, first, file, versions, tuple(others), shares, text, maps)


def with_networks(recipe: Recipe, networks: "CnnDcn") -> Recipe:
    """The recipe of a picture that trained networks make: their plan, name and digest."""
    config = replace(recipe.config, decoder=networks.name, encoder=networks.config)
    return replace(recipe, config=config, weights=Input(networks.name, networks.digest))


def painter_recipe(
    painter: "Painter", config: StyleConfig, seed: int, content: images.Picture
) -> Recipe:
    """The recipe of a picture that a painter makes; `config` and `seed` are as in `Recipe`."""
    from rrstyle import backend

    style = _parse_input("style", painter.about.get("style"))
    ours = Input(content.name, images.digest(content.pixels))
    used = Input(painter.name, painter.digest)
    return Recipe(config, seed, ours, style, None, backend.computing(), painter=used)


def parse_recipe(text: str) -> Recipe:
    """The recipe in a text; ValueError for no recipe, a later format, or a broken rule."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("recipe: not valid JSON") from error
    if not isinstance(record, dict) or record.get("format") not in (_FORMAT, _OF_PAINTER):
        raise ValueError(f"recipe: must be an object of format {_FORMAT} or {_OF_PAINTER}")
    try:
        seed, versions, weights = record["seed"], record["versions"], record["weights"]
        content, style = (_parse_input(name, record[name]) for name in ("content", "style"))
        config = from_dict(StyleConfig, _of_today(record["config"]))
        by_painter = record["format"] == _OF_PAINTER
        painter = _parse_input("painter", record["painter"]) if by_painter else None
    except KeyError as error:
        raise ValueError(f"recipe: the field {error} is missing") from error
    used = None if weights is None else _parse_input("weights", weights)
    if not is_seed(seed):
        raise ValueError(f"recipe: seed must be an integer from 0 to 2^128; received {seed!r}")
    if not isinstance(versions, dict):
        raise ValueError("recipe: versions must be an object")
    versions = {str(k): str(v) for k, v in versions.items()}
    others, weighing = _parse_blend(record)
    if (mask := record.get("mask")) is not None:
        masks.parse_mask(mask, argument="recipe: mask")
    if (maps := record.get("style_mask")) is not None:
        regions.parse_regions(maps, 1 + len(others), argument="recipe: style_mask")
        maps = tuple(maps)
    return Recipe(
        config, seed, content, style, used, versions, others, weighing, mask, maps, painter
    )


def _of_today(settings: Any) -> Any:
    """Settings as version 0.1.0 wrote them, without its `patches` and `paint`, which are gone."""
    if not isinstance(settings, dict):
        return settings
    method = settings.get("method", "paint")
    if "patches" in settings and method in ("paint", "patches"):
        raise ValueError(
            f"recipe: made by {method} of version 0.1.0, which later versions do not have; its"
            " photograph and style can be painted anew"
        )
    fvt_layers = settings.get("network") == "vgg" and "weights_for" not in settings
    encoder = settings.get("encoder")
    layer = encoder.get("layer") if isinstance(encoder, dict) else "conv1_2"
    random_weights = settings.get("weights") in (None, "random")
    if (
        fvt_layers
        and method == "optimise"
        and not (random_weights and layer in ("conv1", "conv1_2"))
    ):
        raise ValueError(
            "recipe: made by an earlier version, which ran network vgg on other layers or biases;"
            " its photograph and style can be painted anew"
        )
    random = {"weights": "random"} if settings.get("weights", "") is None else {}
    return {name: value for name, value in settings.items() if name != "patches"} | random


def _parse_blend(record: dict) -> tuple[tuple[Input, ...], tuple[float, ...]]:
    """The other styles, and the weights of all."""
    others = record.get("more_styles", [])
    if not (isinstance(others, list) and len(others) < MOST_STYLES):
        raise ValueError(f"recipe: more_styles must be a list of at most {MOST_STYLES - 1}")
    styles = tuple(_parse_input("more_styles", other) for other in others)
    weights = record.get("style_weights", [1.0])
    try:
        check_shares(() if weights is None else weights, 1 + len(others))
    except ValueError as error:
        raise ValueError(f"recipe: style_{error}") from None
    return styles, tuple(map(float, weights)) if others else (1.0,)


def _parse_input(field: str, value) -> Input:
    if not isinstance(value, dict) or value.keys() != {"name", "digest"}:
        raise ValueError(f"recipe: {field} must be an object of a name and a digest")
    try:
        return Input(**value)
    except ValueError as error:
        raise ValueError(f"recipe: {field}: {error}") from error


def read_recipe(source, *, name: str | None = None) -> Recipe:
    """The recipe inside a PNG; ValueError for another file, or without a (valid) recipe."""
    text = images.read_png_text(source, TEXT_KEY, name=name)
    if text is None:
        shown = name or (Path(source).name if isinstance(source, str | Path) else "the picture")
        raise ValueError(f"{shown}: no recipe inside; only pictures made by rrstyle have one")
    return parse_recipe(text)


def encode_picture(image: np.ndarray, recipe: Recipe, alpha: np.ndarray | None = None) -> bytes:
    """A PNG of `image` that carries its recipe; `alpha` as in `images.encode_png`."""
    return images.encode_png(image, alpha=alpha, text={TEXT_KEY: recipe.to_json()})
