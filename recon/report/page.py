"""The report: which of the papers' claims the results bear out.

It is one HTML page without scripts, with nothing from outside, and with its figures as data.
"""

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from recon.claims.entries import Entry, entries
from recon.claims.verdicts import Verdict, interval_text
from recon.report.files import Result, Results, plain, read_results
from rrstyle.durable import write_whole

# Each with a mark, for those who do not see colours.
MARKS: dict[Verdict, str] = {
    "holds": "✓",
    "fails": "✗",
    "undecided": "?",
    "not testable": "○",
    "not tested": "–",
}
# As `recon.metrics.STUDY_SETTINGS`, which cannot be had without loading a backend.
SSIM_SETTINGS = (
    "luminance, Gaussian window 11 x 11, sigma 1.5, data range 1; output stretched to [0, 1]; the"
    " better of the picture and its inverse"
)
MOST_SVG = 3 * 2**20  # bytes; a larger drawing is slow to open, and its PNG stands in


@dataclass(frozen=True)
class Report:
    """What `write_report` wrote, and from what."""

    path: Path
    entries: tuple[Entry, ...]
    results: Results


def write_report(directory: Path) -> Report:
    """Writes DIR/report.html, over one that is there.

    DIR is a folder of results, or of such folders (one a scale). Of each experiment the largest
    scale that is finished decides.

    Raises:
        OSError: If the folder cannot be read or written.
        ValueError: If it holds no results.
    """
    results = read_results(directory)
    found = entries(results)
    path = directory / "report.html"
    write_whole(path, _render(found, results).encode("utf-8"), overwrite=True)
    return Report(path, found, results)


def _render(entries: Sequence[Entry], results: Results) -> str:
    counts = Counter(finding.verdict for entry in entries for finding in entry.findings)
    # Names in the results are strangers' words: everything is escaped unless marked.
    environment = Environment(
        loader=PackageLoader("recon.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["interval"] = interval_text
    return environment.get_template("report.html").render(
        entries=entries,
        verdicts=[(verdict, counts[verdict]) for verdict in MARKS],
        marks=MARKS,
        sections=[
            {
                "result": result,
                "pictures": _pictures(result),
                "facts": _facts(result),
                "claims": [e.claim.id for e in entries if e.claim.experiment == result.name],
            }
            for result in results.chosen.values()
        ],
        others=results.others,
        problems=results.problems,
        ssim=SSIM_SETTINGS,
    )


def _pictures(result: Result) -> list[dict[str, str]]:
    """Addresses and descriptions of a chart, and of a sheet of pictures."""
    chart = result.file(".svg")
    if chart is None or chart.stat().st_size > MOST_SVG:
        chart = result.file(".png")
    named = {"Chart of the rows": chart, "Pictures": result.file("-pictures.png")}
    return [
        {"uri": data_uri(path), "alt": f"{words} of {result.name}: {result.title}"}
        for words, path in named.items()
        if path is not None
    ]


def data_uri(path: Path) -> str:
    """A .png or .svg as an address that holds it."""
    kind = {".svg": "svg+xml", ".png": "png"}[path.suffix]
    return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _facts(result: Result) -> list[tuple[str, str]]:
    meta = result.meta
    pictures = meta.get("pictures")
    if isinstance(pictures, dict):  # its digest says nothing to a reader
        pictures = pictures.get("names")
    facts: list[tuple[str, Any]] = [
        ("Reproduces", meta.get("reproduces")),
        ("In the papers", meta.get("printed")),
        ("Measured on", result.measured_on() if meta else ""),
        ("Rows", _rows(result)),
        ("Settings", meta.get("settings")),
        ("Pictures", pictures),
        ("Notes", meta.get("notes")),
        ("Versions", meta.get("versions")),
    ]
    return [(name, plain(value)) for name, value in facts if value not in (None, "", [], {})]


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
