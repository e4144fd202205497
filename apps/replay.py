"""Making a picture again from the recipe inside it.

A recipe comes in a stranger's file: its names are compared and shown, never opened.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

from apps.errors import one_line
from apps.inputs import Source, built_in_names
from rrstyle.config import StyleConfig
from rrstyle.images import Picture, digest
from rrstyle.recipes import Input, Recipe


def replayed_config(recipe: Recipe) -> StyleConfig:
    """The recipe's settings as defaults; a weights file, of which it knows only the name, unset."""
    if recipe.config.weights == "imagenet":
        return recipe.config
    return replace(recipe.config, weights=None)


def replayed_input(recipe: Recipe, role: str) -> Source:
    """The built-in picture that the recipe used as "content" or "style".

    Raises:
        ValueError: If it used none, or one that looks different here.
    """
    used = _used(recipe, role)
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


def picture_warning(recipe: Recipe, role: str, picture: Picture) -> str | None:
    """A line where a picture's pixels are not those of the recipe's "content" or "style"."""
    used = _used(recipe, role)
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
    if recipe.weights is None:
        return None
    shown = one_line(recipe.weights.name)
    if config.weights is None:
        raise ValueError(
            f"recipe: it used a file of trained weights; name it with --weights; received {shown!r}"
        )
    if config.weights != "imagenet":
        path = Path(config.weights)
        if not path.is_file():
            raise ValueError(f"weights must be an existing file; received {path.name!r}")
        if hashlib.sha256(path.read_bytes()).hexdigest() == recipe.weights.digest:
            return None
    return f"the weights differ from the recipe's, {shown!r}: another picture will come out"


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


def _used(recipe: Recipe, role: str) -> Input:
    return recipe.content if role == "content" else recipe.style
