"""The report as one HTML page: no script, nothing from outside, figures as data."""

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from recon.claims.entries import Entry
from recon.claims.verdicts import Verdict, interval_text
from recon.report.files import Result, Results, plain

# Each with a mark, for those who do not see colours.
MARKS: dict[Verdict, str] = {"holds": "✓", "fails": "✗", "undecided": "?", "not tested": "–"}
# As `recon.metrics.STUDY_SETTINGS`, which cannot be had without loading a backend.
SSIM_SETTINGS = (
    "luminance, Gaussian window 11 x 11, sigma 1.5, data range 1; output stretched to [0, 1]; the"
    " better of the picture and its inverse"
)
MOST_SVG = 3 * 2**20  # bytes; a larger drawing is slow to open, and its PNG stands in


@dataclass(frozen=True)
class Picture:
    """An image for the page."""

    uri: str
    alt: str


@dataclass(frozen=True)
class Section:
    """An experiment on the page."""

    result: Result
    pictures: tuple[Picture, ...]
    facts: tuple[tuple[str, str], ...]
    claims: tuple[str, ...]


def render(entries: Sequence[Entry], results: Results) -> str:
    """The page."""
    counts = Counter(finding.verdict for entry in entries for finding in entry.findings)
    return _template().render(
        entries=entries,
        verdicts=[(verdict, counts[verdict]) for verdict in MARKS],
        marks=MARKS,
        sections=[_section(result, entries) for result in results.chosen.values()],
        others=results.others,
        problems=results.problems,
        ssim=SSIM_SETTINGS,
    )


@cache
def _template() -> Template:
    # Names in the results are strangers' words: everything is escaped unless marked.
    environment = Environment(
        loader=PackageLoader("recon.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["interval"] = interval_text
    return environment.get_template("report.html")


def _section(result: Result, entries: Sequence[Entry]) -> Section:
    ids = tuple(entry.claim.id for entry in entries if entry.claim.experiment == result.name)
    return Section(result, tuple(_pictures(result)), tuple(_facts(result)), ids)


def _pictures(result: Result) -> list[Picture]:
    found = []
    drawing = result.file(".svg")
    if drawing is None or drawing.stat().st_size > MOST_SVG:
        drawing = result.file(".png")
    if drawing is not None:
        alt = f"Chart of the rows of {result.name}: {result.title}"
        found.append(_picture(drawing, alt))
    if (shown := result.file("-pictures.png")) is not None:
        found.append(_picture(shown, f"Pictures of {result.name}: {result.title}"))
    return found


def _picture(path: Path, alt: str) -> Picture:
    kind = {".svg": "svg+xml", ".png": "png"}[path.suffix]
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return Picture(f"data:image/{kind};base64,{data}", alt)


def _facts(result: Result) -> list[tuple[str, str]]:
    meta = result.meta
    facts: list[tuple[str, Any]] = [
        ("Reproduces", meta.get("reproduces")),
        ("In the papers", meta.get("printed")),
        ("Measured on", result.measured_on() if meta else ""),
        ("Rows", _rows(result)),
        ("Settings", meta.get("settings")),
        ("Pictures", _names(meta.get("pictures"))),
        ("Notes", meta.get("notes")),
        ("Versions", meta.get("versions")),
    ]
    return [(name, plain(value)) for name, value in facts if value not in (None, "", [], {})]


def _names(pictures: Any) -> Any:
    # The record has names and a digest, which says nothing to a reader.
    return pictures.get("names") if isinstance(pictures, dict) else pictures


def _rows(result: Result) -> str:
    if result.rows is None:
        return ""
    there = str(len(result.rows))
    planned = result.meta.get("rows")
    if isinstance(planned, int) and planned != len(result.rows):
        there += f" of {planned}"
    undefined = [
        f"{result.rows[name].isna().sum()} of {name}"
        for name in ("ssim", "pearson")
        if name in result.rows and result.rows[name].isna().any()
    ]
    return there + (f"; undefined: {', '.join(undefined)}" if undefined else "")
