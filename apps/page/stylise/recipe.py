"""Recipes in the app: a picture's own to read, and that of a dropped one back into the controls."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apps.page.settings import CONTROLS, find_look
from apps.page.status import facts_html
from apps.page.uploads import MASK_START, offer_example, read_upload_recipe
from apps.service import uploads
from rrstyle.config import StyleConfig, to_dict
from rrstyle.recipes import Recipe, read_recipe
from rrstyle.transfer.blends import MOST_STYLES

_HOW_AGAIN = "rrstyle stylize --recipe"


def recipe_html(path: Path) -> str:
    """How a picture was made, from the recipe that it carries."""
    return facts_html(recipe_facts(read_recipe(path), path.name))


def recipe_facts(recipe: Recipe, name: str) -> list[tuple[str, str]]:
    """A recipe as names and values, which are empty where there is nothing to say."""
    values = to_dict(recipe.config)
    total = sum(recipe.style_weights)
    styles = " + ".join(
        style.name if len(recipe.styles) == 1 else f"{style.name} ({weight / total:.0%})"
        for style, weight in zip(recipe.styles, recipe.style_weights, strict=True)
    )
    shown = [(c.title, _plain(values[key])) for key, c in CONTROLS.items() if c.title]
    return [
        ("Photograph", recipe.content.name),
        ("Style", styles),
        ("Mask", "painted; it is inside the picture" if recipe.mask else ""),
        *shown,
        ("Seed", str(recipe.seed)),
        ("Other settings", _others(recipe.config)),
        ("Made by", ", ".join(f"{key} {value}" for key, value in recipe.versions.items())),
        ("Again, by command", f"{_HOW_AGAIN} {name} -o again.png"),
    ]


def load_recipe(value: Any) -> list:
    """The recipe of an uploaded picture, for the controls; ValueError if it has none.

    Returns:
        A note, the look, then what `apps.page.stylise.orders.order_of` takes; pictures that are
        not built in are None.
    """
    recipe, name = read_upload_recipe(value, "recipe")
    if recipe.painter:
        raise ValueError(f"recipe: a painter made it; `{_HOW_AGAIN}` with --painter can again")
    pictures: list[str | None] = []
    notes = []
    for what, used in [("photograph", recipe.content), *(("style", s) for s in recipe.styles)]:
        if uploads.is_built_in(used.name, used.digest):
            pictures.append(offer_example(used.name))
        else:
            pictures.append(None)
            notes.append(f"Choose the {what} {used.name} above.")
    if recipe.mask is not None:
        notes.append("It has a mask: see “Paint where the style goes”.")
    spare = MOST_STYLES - len(recipe.styles)
    shares = [weight / max(recipe.style_weights) for weight in recipe.style_weights]
    if others := _others(recipe.config):
        notes.append(f"There is no control for {others}: `{_HOW_AGAIN}` makes the very picture.")
    values = to_dict(recipe.config) | {"n": 1, "seed": recipe.seed}
    return [
        facts_html([("Loaded", name), ("Seed", str(recipe.seed)), *(("Note", n) for n in notes)]),
        find_look(recipe.config),
        *pictures,
        *([None] * spare),
        *shares,
        *([1.0] * spare),
        "" if recipe.mask is None else f"{MASK_START}{recipe.mask}",
        *(values[key] for key in CONTROLS),
    ]


def _others(config: StyleConfig) -> str:
    """What of a config differs from the defaults and has no control, in words."""
    theirs, known = dict(_flat(to_dict(StyleConfig()))), {*CONTROLS, "precision"}
    found = [(key, value) for key, value in _flat(to_dict(config)) if key not in known]
    return ", ".join(f"{key} {_plain(value)}" for key, value in found if value != theirs[key])


def _flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings by dotted names."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
