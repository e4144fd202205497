"""Making a picture again from the recipe inside it.

A recipe comes in a stranger's file: its names are compared and shown, never opened.
"""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from apps.batch.inputs import Source, built_in_names
from apps.errors import one_line
from rrstyle.config import DECODERS, StyleConfig
from rrstyle.pictures.images import Picture, digest
from rrstyle.recipes import Input, Recipe

if TYPE_CHECKING:  # it imports Keras
    from rrstyle.networks.pair import CnnDcn


def replayed_config(recipe: Recipe) -> StyleConfig:
    """The recipe's settings as defaults; files of weights, of which it knows only names, unset."""
    if recipe.config.decoder not in DECODERS:
        return replace(recipe.config, decoder="ridge", encoder=StyleConfig().encoder)
    if recipe.config.weights in ("random", "imagenet"):
        return recipe.config
    return replace(recipe.config, weights="random")


def replayed_input(used: Input, role: str) -> Source:
    """The built-in picture that a recipe used as "content" or "style".

    Raises:
        ValueError: If it used none, or one that looks different here.
    """
    how = "name it as CONTENT" if role == "content" else "name it with --style"
    if used.name not in built_in_names():
        raise ValueError(
            f"recipe: its {role} is not built in; {how}; received {one_line(used.name)!r}"
        )
    source = Source(used.name, None)
    if digest(source.read().pixels) != used.digest:
        raise ValueError(
            f"recipe: its {role} is not the built-in picture of that name; {how};"
            f" received {used.name!r}"
        )
    return source


def picture_warning(used: Input, role: str, picture: Picture) -> str | None:
    """A line where a picture's pixels are not those that a recipe used as "content" or "style"."""
    if digest(picture.pixels) == used.digest:
        return None
    return (
        f"{picture.name} differs from the recipe's {role}, {one_line(used.name)!r}:"
        " another picture will come out"
    )


def check_weights(recipe: Recipe, config: StyleConfig) -> str | None:
    """A line where the weights file of `config` is not the recipe's.

    Raises:
        ValueError: If the recipe used a weights file and `config` has none, or none that exists.
    """
    if recipe.weights is None or recipe.config.decoder not in DECODERS:
        return None
    shown = one_line(recipe.weights.name)
    if config.weights == "random":
        raise ValueError(
            f"recipe: it used a file of trained weights; name it with --encoder; received {shown!r}"
        )
    if config.weights != "imagenet":
        path = Path(config.weights)
        if not path.is_file():
            raise ValueError(
                f"encoder must be random, imagenet or an existing file; received {path.name!r}"
            )
        if hashlib.sha256(path.read_bytes()).hexdigest() == recipe.weights.digest:
            return None
    return f"the weights differ from the recipe's, {shown!r}: another picture will come out"


def check_networks(recipe: Recipe, networks: "CnnDcn | None") -> str | None:
    """A line where the trained networks are not the recipe's.

    Raises:
        ValueError: If the recipe used some and there are none.
    """
    if recipe.config.decoder in DECODERS:
        return None
    shown = one_line(recipe.config.decoder)
    if networks is None:
        raise ValueError(
            f"recipe: it used a trained DCN; name its run with --decoder; received {shown!r}"
        )
    if recipe.weights is not None and recipe.weights.digest == networks.digest:
        return None
    return f"the run differs from the recipe's, {shown!r}: another picture will come out"


def versions_warning(recipe: Recipe, here: dict[str, str]) -> str | None:
    """A line where the packages that compute are not those of the recipe."""
    then = recipe.versions
    # Python itself computes nothing of a picture.
    names = sorted((then.keys() | here.keys()) - {"python"})
    changes = [
        f"{name} {then.get(name, 'none')} (here {here.get(name, 'none')})"
        for name in names
        if then.get(name) != here.get(name)
    ]
    if not changes:
        return None
    return one_line(f"made with {', '.join(changes)}: small differences are likely")


def recipe_inputs(recipe: Recipe, role: str) -> tuple[Input, ...]:
    """The pictures that a recipe used as "content" or "style"."""
    return (recipe.content,) if role == "content" else recipe.styles
