"""What the app says while it works and of what it made: words, and small pieces of HTML."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from apps.service.jobs import Progress

# Names of files are strangers' words: everything is escaped.
_ENVIRONMENT = Environment(
    loader=PackageLoader("apps.page", "assets"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PIECES: Any = _ENVIRONMENT.get_template("pieces.html").module


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
    return str(_PIECES.status(text, fraction))


def compare_html(before: Path, after: Path, title: str) -> str:
    """Two pictures of the same size, files that Gradio serves, under a line that can be moved."""
    return str(_PIECES.compare(before, after, title))


def pictures_html(pictures: list[tuple[str, Path]]) -> str:
    """Pictures, files that Gradio serves, side by side, each with its words below."""
    return str(_PIECES.pictures(pictures))


def nothing_html(text: str) -> str:
    """A quiet place for what is not there yet."""
    return str(_PIECES.nothing(text))


def facts_html(facts: list[tuple[str, str]]) -> str:
    """Names and values, one pair a line, without those that have no value."""
    return str(_PIECES.facts(facts))


def figures_html(facts: list[tuple[str, str]], pictures: list[tuple[str, str]]) -> str:
    """Facts, then pictures: addresses and words in place of each."""
    return str(_PIECES.figures(facts, pictures))


def claims_html(claims: list[tuple], marks: Mapping[Any, str]) -> str:
    """Claims as (claim, findings, facts, numbers), with the marks of verdicts."""
    return str(_PIECES.claims(claims, marks))
