"""The app's settings: defaults, choices and help from `StyleConfig`, and the check of a client's.

What StyleConfig does not know (how many pictures, of which seeds, up to which size a shared
server goes) is stated here.
"""

import ast
import inspect
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, get_args, get_type_hints

from rrstyle.config import StyleConfig

# Three quarters of the command's default side take about half its time: the first picture comes
# while one still looks at the screen.
DEFAULTS = replace(StyleConfig(), side=384)
METHODS: tuple[str, ...] = get_args(get_type_hints(StyleConfig)["method"])

SMALLEST_SIDE, LARGEST_SIDE = 32, 1024
MOST_VARIANTS = 8
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Settings:
    """A checked request: `n` pictures by `config`, of the seeds `seed`, `seed` + 1, ..."""

    config: StyleConfig
    n: int
    seed: int


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


def check_settings(
    method: Any, strength: Any, n: Any, wildness: Any, side: Any, seed: Any
) -> Settings:
    """The request in a client's values, which may be anything that JSON can hold.

    Raises:
        ValueError: If a value breaks a rule.
    """
    side = _whole("size", side, SMALLEST_SIDE, LARGEST_SIDE)
    n = _whole("variants", n, 1, MOST_VARIANTS)
    seed = _whole("seed", seed, 0, LARGEST_SEED)
    config = replace(DEFAULTS, method=method, strength=strength, wildness=wildness, side=side)
    return Settings(config, n, seed)


def _whole(name: str, value: Any, low: int, high: int) -> int:
    # A number field of a browser sends 3 as 3.0.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}; received {value!r}")
    return value
