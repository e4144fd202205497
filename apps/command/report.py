"""`rrstyle report`: the claims as a table, and where the page is."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from apps.errors import one_line
from apps.options.commands import Report

if TYPE_CHECKING:
    from recon.claims.entries import Entry

_WIDTHS = (5, 12, 26)  # claim, verdict, effect


def run(command: Report) -> int:
    """Writes DIR/report.html and lists the claims; 1 where a file of results could not be used."""
    from recon.report.page import write_report

    report = write_report(command.directory)
    width = max(shutil.get_terminal_size((100, 24)).columns, 60)
    for line in _lines(report.entries):
        print(line if len(line) <= width else line[: width - 1] + "…")
    for problem in report.results.problems:
        print(f"rrstyle: {one_line(problem)}", file=sys.stderr)
    print(f"report written to {report.path}")
    return 1 if report.results.problems else 0


def _lines(entries: "Sequence[Entry]") -> Iterator[str]:
    from recon.claims.verdicts import interval_text

    for entry in entries:
        for finding in entry.findings:
            effect = interval_text(finding.effect) if finding.effect else ""
            words = finding.case or entry.claim.words
            cells = (entry.claim.id, finding.verdict, effect)
            columns = (f"{cell:{room}}" for cell, room in zip(cells, _WIDTHS, strict=True))
            yield f"{' '.join(columns)} {one_line(words)}"
