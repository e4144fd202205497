"""Errors as one line for people: what the command prints and what the app shows."""

import difflib
import unicodedata
from collections.abc import Iterable
from pathlib import PurePath

_LONGEST = 600  # characters: a line, not a page


def explain(error: Exception) -> str:
    """What a ValueError or an OSError says, on one line without control characters."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        # The system's own "[Errno 13] Permission denied: '/a/b'", without number and folders.
        text = f"{PurePath(str(error.filename)).name}: {error.strerror.lower()}"
    elif isinstance(error, OSError) and error.strerror:
        text = error.strerror  # ours, with the system's number
    return one_line(text) or type(error).__name__


def one_line(text: str) -> str:
    """`text` on one line: strangers' files name things, and a terminal obeys control characters."""
    visible = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    line = " ".join(visible.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A question for the nearest of the choices, and a space; "" where none is near."""
    near = difflib.get_close_matches(word, choices, n=1)
    return f"did you mean {near[0]!r}? " if near else ""
