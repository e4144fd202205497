"""The app's settings: defaults, choices and help of configs, looks, checks of clients' values.

The server's limits, which no config knows, are in `apps.service.limits`.
"""

import ast
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, get_args, get_type_hints

from apps.service.limits import Limits
from rrstyle.config import StyleConfig, is_whole
from rrstyle.presets import PRESETS

# Three quarters of the command's side take about half its time: the first picture comes soon.
DEFAULTS = replace(StyleConfig(), side=384)
FIRST_LOOK = "oil-strokes"

SMALLEST_SIDE = 32
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Control:
    """A setting that has a control in the page."""

    address: str  # its name in the page's address
    title: str | None = None  # in the facts of a picture; None for what a config does not have
    in_look: bool = False  # whether a look sets it


# By field of `StyleConfig`, and the number of pictures and the first seed; in the order in which
# widgets, events and recipes list them.
CONTROLS = {
    "method": Control("method", "Method", in_look=True),
    "strength": Control("strength", "Strength", in_look=True),
    "n": Control("variants"),
    "wildness": Control("wildness", "Wildness", in_look=True),
    "side": Control("size", "Size"),
    "seed": Control("seed"),
    "keep_colours": Control("colours", "Photograph's colours kept", in_look=True),
    "style_scale": Control("scale", "Style scale", in_look=True),
    "tile": Control("tile", "Borders wrap around"),
    "style_rotate": Control("turn", "Strokes turned too"),
}


@dataclass(frozen=True)
class Settings:
    """A checked request: `n` pictures by `config`, of the seeds `seed`, `seed` + 1, ..."""

    config: StyleConfig
    n: int
    seed: int

    @property
    def title(self) -> str:
        """What the pictures look like, in a word or two."""
        look = find_look(self.config)
        return self.config.method if look is None else PRESETS[look].name


def choices(config: type, field: str) -> tuple[str, ...]:
    """The choices that a field of a config has."""
    return get_args(get_type_hints(config)[field])


def field_help(config: type) -> dict[str, str]:
    """The docstring under each field of a dataclass, by the field's name."""
    (definition,) = ast.parse(inspect.getsource(config)).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, text in pairwise(definition.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                value=ast.Constant(value=str(words))
            ):
                found[name] = " ".join(words.split())
    return found


def look_hint(look: Any) -> str:
    """One line about a look, or about looks in general where there is none of that name."""
    known = isinstance(look, str) and look in PRESETS
    return PRESETS[look].hint if known else "A starting point; every setting can still be changed"


def look_of(*values: Any) -> str | None:
    """The look whose settings these are, in the order of `apply_look`; None if there is none."""
    keys = [key for key, control in CONTROLS.items() if control.in_look]
    try:
        return find_look(replace(DEFAULTS, **dict(zip(keys, values, strict=True))))
    except ValueError:
        return None


def apply_look(look: Any) -> list:
    """Values of the controls that a look sets, as in `CONTROLS`; ValueError if it is unknown."""
    if not isinstance(look, str) or look not in PRESETS:
        raise ValueError(f"look must be one of {', '.join(PRESETS)}; received {look!r}")
    config = PRESETS[look].config
    return [getattr(config, key) for key, control in CONTROLS.items() if control.in_look]


def find_look(config: StyleConfig) -> str | None:
    """The look of a config, whatever its size and what no look sets; None if it has none."""
    every: dict[str, Any] = {"side": StyleConfig().side, "precision": "auto", "composed_at": None}
    every |= {"tile": False, "style_rotate": False}
    alike = replace(config, **every)
    return next((look for look, one in PRESETS.items() if one.config == alike), None)


def check_settings(values: Mapping[str, Any], *, limits: Limits) -> Settings:
    """The request in a client's values, by the keys of `CONTROLS`; ValueError if one breaks a rule.

    The values may be anything that JSON can hold.
    """
    config = dict(values)
    n = whole("variants", config.pop("n"), 1, limits.max_variants)
    seed = whole("seed", config.pop("seed"), 0, LARGEST_SEED)
    config["side"] = whole("size", config["side"], SMALLEST_SIDE, limits.max_side)
    return Settings(replace(DEFAULTS, **config), n, seed)


def whole(name: str, value: Any, low: int, high: int) -> int:
    """A client's whole number; ValueError if it is none, or not from `low` to `high`."""
    # A number field of a browser sends 3 as 3.0.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not is_whole(value, low, high):
        raise ValueError(f"{name} must be a whole number from {low} to {high}; received {value!r}")
    return value
