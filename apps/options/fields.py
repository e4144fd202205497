"""How a field of a command's dataclass becomes an option: see `apps.options.parse`."""

from typing import Any

from tyro.conf import arg

Options = dict[str, Any]  # by the name of a field: what tyro.conf.arg returns, or HIDDEN
HIDDEN = None  # a setting that is no option
INLINE = arg(name="")  # the fields of a nested config go beside those of the outer one
OUT = ("-o",)  # aliases


def option(metavar: str, hint: str = "", **others: Any) -> Any:
    """An option whose value the help shows as `metavar`, with a hint in place of the default."""
    return arg(metavar=metavar, help_behavior_hint=f"({hint})" if hint else None, **others)
