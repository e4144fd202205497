"""The app's settings: defaults, choices and help from `StyleConfig`, and the check of a client's.

What StyleConfig does not know (how many pictures, of which seeds, up to which size a shared
server goes) is in `apps.service.limits` and here.
"""

import ast
import inspect
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, get_args, get_type_hints

from apps.service.limits import Limits
from rrstyle.config import StyleConfig
from rrstyle.presets import PRESETS

# Three quarters of the command's default side take about half its time: the first picture comes
# while one still looks at the screen.
DEFAULTS = replace(StyleConfig(), side=384)
FIRST_LOOK = "oil-strokes"

SMALLEST_SIDE = 32
SMALLEST_STYLE_SCALE, LARGEST_STYLE_SCALE = 0.25, 4.0
LARGEST_SEED = 2**31 - 1


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


METHODS = choices(StyleConfig, "method")


def field_help(config: type) -> dict[str, str]:
    """The docstring under each field of a dataclass, by the field's name."""
    (definition,) = ast.parse(inspect.getsource(config)).body
    assert isinstance(definition, ast.ClassDef)
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairwise(definition.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def look_hint(look: Any) -> str:
    """One line about a look; about all of them where there is none of that name."""
    known = isinstance(look, str) and look in PRESETS
    return PRESETS[look].hint if known else "A starting point; every setting can still be changed"


def apply_look(look: Any) -> tuple:
    """What a look sets: method, strength, wildness, keep colours and style scale.

    Raises:
        ValueError: If there is none of that name.
    """
    if not isinstance(look, str) or look not in PRESETS:
        raise ValueError(f"look must be one of {', '.join(PRESETS)}; received {look!r}")
    config = PRESETS[look].config
    return config.method, config.strength, config.wildness, config.keep_colours, config.style_scale


def find_look(config: StyleConfig) -> str | None:
    """The look that a config has, whatever its size; None where it is of nobody's."""
    for look, preset in PRESETS.items():
        alike = replace(config, side=preset.config.side, precision=preset.config.precision)
        if alike == preset.config:
            return look
    return None


def check_settings(
    method: Any,
    strength: Any,
    n: Any,
    wildness: Any,
    side: Any,
    seed: Any,
    keep_colours: Any,
    style_scale: Any,
    *,
    limits: Limits,
) -> Settings:
    """The request in a client's values, which may be anything that JSON can hold.

    Raises:
        ValueError: If a value breaks a rule.
    """
    side = whole("size", side, SMALLEST_SIDE, limits.max_side)
    n = whole("variants", n, 1, limits.max_variants)
    seed = whole("seed", seed, 0, LARGEST_SEED)
    config = replace(
        DEFAULTS,
        method=method,
        strength=strength,
        wildness=wildness,
        side=side,
        keep_colours=keep_colours,
        style_scale=style_scale,
    )
    return Settings(config, n, seed)


def whole(name: str, value: Any, low: int, high: int) -> int:
    """A client's whole number.

    Raises:
        ValueError: If it is none, or not from `low` to `high`.
    """
    # A number field of a browser sends 3 as 3.0.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}; received {value!r}")
    return value
