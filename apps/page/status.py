"""What the app says while it works and of what it made: words, and small pieces of HTML."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from apps.service.jobs import Progress

# Names of files are strangers' words: everything is escaped.
_ENVIRONMENT = Environment(
    loader=PackageLoader("apps.page", "assets"), autoescape=True, undefined=StrictUndefined
)
_PIECES = _ENVIRONMENT.get_template("pieces.html").module


def piece(name: str, *values: Any) -> str:
    """A piece of HTML, by its name in the template."""
    return str(getattr(_PIECES, name)(*values))


def progress_text(progress: Progress) -> str:
    """Stage, share and time left in a line."""
    parts = [progress.stage[:1].upper() + progress.stage[1:], f"{progress.fraction:.0%}"]
    if progress.seconds_left is not None:
        parts.append(f"about {duration(progress.seconds_left)} left")
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Seconds or minutes, at least a second."""
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 90 else f"{round(whole / 60)} min"


def status_html(text: str, fraction: float | None = None) -> str:
    """The status line; a bar only while there is a fraction (0 to 1) to show."""
    return piece("status", text, fraction)


def compare_html(before: Path, after: Path, title: str) -> str:
    """Two pictures of the same size, files that Gradio serves, under a line that can be moved."""
    return piece("compare", before, after, title)


def pictures_html(pictures: list[tuple[str, Path]]) -> str:
    """Pictures, files that Gradio serves, side by side, each with its words below."""
    return piece("pictures", pictures)


def nothing_html(text: str) -> str:
    """Words in place of what is not there yet."""
    return piece("nothing", text)


def facts_html(facts: list[tuple[str, str]]) -> str:
    """Names and values, one pair a line, without those that have no value."""
    return piece("facts", facts)
