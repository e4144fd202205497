"""What both benchmarks run: every method by name. Light to import: `speed.py` measures memory."""

from dataclasses import replace

from rrstyle.config import StyleConfig

_OVERRIDES: dict[str, dict] = {
    "paint": {},
    "patches": {"method": "patches"},
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
    overrides = {"method": "paint", **_OVERRIDES[case]}
    return replace(StyleConfig(), side=side, precision=precision, **overrides)
