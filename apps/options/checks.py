"""Rules on options that are no rules of a config."""

from dataclasses import fields, is_dataclass
from typing import Any


def check_range(name: str, value: int, least: int, most: int) -> None:
    """Raises ValueError for a number that is too small or too large."""
    if not least <= value <= most:
        raise ValueError(f"{name} must be an integer from {least} to {most}; received {value}")


def refuse_beside_run(
    given: Any, default: Any, *, seed: int = 0, what: str = "a run as decoder"
) -> None:
    """Raises ValueError for settings beside a training run as decoder, which has its own.

    Args:
        given: Config of the options.
        default: The same config without options.
        seed: The option of that name, where the run has its own.
        what: What has its own settings.
    """
    name = "seed" if seed else _changed(given, default)
    if name is not None:
        raise ValueError(f"{name} must be left out with {what}, which has its own")


def _changed(given: Any, default: Any) -> str | None:
    """The name of the first field that is not as by default, within nested configs too."""
    for field in fields(given):
        ours, theirs = (getattr(config, field.name) for config in (given, default))
        if ours != theirs:
            return _changed(ours, theirs) if is_dataclass(ours) else field.name
    return None
