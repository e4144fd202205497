"""The report: which of the papers' claims the results of the experiments bear out."""

from dataclasses import dataclass
from pathlib import Path

from recon.claims.entries import Entry, entries
from recon.report.files import Results, read_results
from recon.report.page import render
from rrstyle.durable import write_whole

PAGE = "report.html"


@dataclass(frozen=True)
class Report:
    """What `write_report` wrote, and from what."""

    path: Path
    entries: tuple[Entry, ...]
    results: Results


def write_report(directory: Path) -> Report:
    """Writes DIR/report.html, over one that is there.

    Args:
        directory: A folder of results, or a folder of such folders (one a scale). Of each
            experiment the largest scale that is finished decides.

    Raises:
        OSError: If the folder cannot be read or written.
        ValueError: If it holds no results.
    """
    results = read_results(directory)
    found = entries(results)
    path = directory / PAGE
    write_whole(path, render(found, results).encode("utf-8"), overwrite=True)
    return Report(path, found, results)
