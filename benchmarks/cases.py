"""What both benchmarks run: every method by name. Light to import: `speed.py` measures memory."""

from typing import Any

from rrstyle.config import StyleConfig

_OVERRIDES: dict[str, dict[str, Any]] = {
    "paint": {"method": "paint"},
    "optimise-pyramid": {"method": "optimise", "network": "pyramid"},
    "optimise-vgg": {"method": "optimise", "network": "vgg"},
    "transport": {"method": "transport"},
    "knothe": {"method": "knothe"},
    "adain": {"method": "adain"},
    "whitening": {"method": "whitening"},
}
CASES = tuple(_OVERRIDES)


def configure(case: str, side: int, precision: str = "auto") -> StyleConfig:
    """The defaults of the library, for one method and size.

    Args:
        case: One of `CASES`.
        side: Longer side of the result in pixels.
        precision: As in `StyleConfig`.

    Returns:
        The config; all else is as a user gets it.
    """
    settings: dict[str, Any] = {"side": side, "precision": precision, **_OVERRIDES[case]}
    return StyleConfig(**settings)
