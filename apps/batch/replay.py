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
    """The recipe's settings as defaults, without files and runs, of which it knows only names."""
    if recipe.config.decoder not in DECODERS:
        return replace(recipe.config, decoder="ridge", encoder=StyleConfig().encoder)
    if recipe.config.weights in ("random", "imagenet"):
        return recipe.config
    return replace(recipe.config, weights="random")


def replayed_input(used: Input, role: str) -> Source:
    """The built-in picture that a recipe used as "content" or "style"; ValueError without one."""
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
    """A warning where a picture is not the one that a recipe used as "content" or "style"."""
    if digest(picture.pixels) == used.digest:
        return None
    return (
        f"{picture.name} differs from the recipe's {role}, {one_line(used.name)!r}:"
        " another picture will come out"
    )


def check_trained(recipe: Recipe, config: StyleConfig, networks: "CnnDcn | None") -> str | None:
    """A warning where the weights file of `config`, or the networks, are not the recipe's.

    ValueError if the recipe used a file or networks, and there is none.
    """
    used, decoder = recipe.weights, recipe.config.decoder
    if decoder not in DECODERS:
        what, name = "run differs", one_line(decoder)
        if networks is None:
            raise ValueError(
                f"recipe: it used a trained DCN; name its run with --decoder; received {name!r}"
            )
        found: str | None = networks.digest
    elif used is None:
        return None
    else:
        what, name = "weights differ", one_line(used.name)
        if config.weights == "random":
            raise ValueError(
                "recipe: it used a file of trained weights; name it with --encoder;"
                f" received {name!r}"
            )
        found = None if config.weights == "imagenet" else _digest(Path(config.weights))
    if used is not None and used.digest == found:
        return None
    return f"the {what} from the recipe's, {name!r}: another picture will come out"


def _digest(weights: Path) -> str:
    if not weights.is_file():
        raise ValueError(
            f"encoder must be random, imagenet or an existing file; received {weights.name!r}"
        )
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def check_painter(recipe: Recipe, painter: Path | None) -> None:
    """Raises ValueError where a recipe's picture was made with a painter, and now is not.

    Or the other way round.
    """
    if recipe.painter and painter is None:
        name = one_line(recipe.painter.name)
        raise ValueError(
            f"recipe: a painter made it; name its folder with --painter; received {name!r}"
        )
    if painter and not recipe.painter:
        raise ValueError("painter must be left out with recipe, which used none")


def versions_warning(recipe: Recipe, here: dict[str, str]) -> str | None:
    """A warning where the packages, or the device, that compute are not those of the recipe."""
    then = recipe.versions
    # Python itself computes nothing of a picture; earlier recipes name no device.
    unsaid = {"python", *({"device"} - then.keys())}
    names = sorted((then.keys() | here.keys()) - unsaid)
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
