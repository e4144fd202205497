"""What the app says while it works and of what it made: words, and small pieces of HTML.

All text goes through `html.escape`: names of files are strangers' words.
"""

import html
from pathlib import Path

from apps.service.jobs import Progress


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
    value = 0.0 if fraction is None else fraction
    hidden = ' style="visibility: hidden"' if fraction is None else ""
    bar = f'<progress max="1" value="{value:.3f}" aria-label="progress"{hidden}></progress>'
    return f'<div role="status"><p>{html.escape(text)}</p>{bar}</div>'


def compare_html(before: Path, after: Path, title: str) -> str:
    """Two pictures of the same size under a line that can be moved; see assets/compare.js.

    Args:
        before, after: Files that Gradio serves.
        title: Words for the caption and for those who cannot see the picture.
    """
    said = html.escape(title)
    return (
        '<figure class="compare"><div class="compare-pictures">'
        f'<img src="{_address(before)}" alt="The photograph" draggable="false">'
        f'<img src="{_address(after)}" alt="{said}" class="after" draggable="false">'
        "</div>"
        '<input type="range" min="0" max="100" value="50" step="1" '
        'aria-label="Line between the photograph and the picture">'
        f"<figcaption>{said}</figcaption></figure>"
    )


def pictures_html(pictures: list[tuple[str, Path]]) -> str:
    """Pictures side by side, each with its words below; files that Gradio serves."""
    figures = "".join(
        f'<figure><img src="{_address(path)}" alt="{html.escape(words)}">'
        f"<figcaption>{html.escape(words)}</figcaption></figure>"
        for words, path in pictures
    )
    return f'<div class="pictures">{figures}</div>'


def nothing_html(text: str) -> str:
    """A quiet place for what is not there yet."""
    return f'<div class="nothing"><p>{html.escape(text)}</p></div>'


def facts_html(facts: list[tuple[str, str]]) -> str:
    """Names and values, one pair a line."""
    rows = "".join(f"<dt>{html.escape(n)}</dt><dd>{html.escape(v)}</dd>" for n, v in facts)
    return f'<dl class="facts">{rows}</dl>'


def _address(path: Path) -> str:
    # Relative to the page, so that it holds under any root path.
    return html.escape(f"gradio_api/file={path}")
