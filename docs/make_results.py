"""Write docs/results.md, the papers' claims beside what results/ says: `make results`."""

import html
import os
from pathlib import Path

from recon.claims.entries import Entry, entries
from recon.claims.tables import Table, tables
from recon.claims.verdicts import Finding, interval_text
from recon.report.files import Result, Results, plain, read_results
from recon.report.page import SSIM_SETTINGS
from rrstyle.durable import write_whole

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"

HEAD = f"""# Results

The papers' claims, and what the runs in [results/](../results) say of them. This page is written by
`docs/make_results.py` from those rows: no number under "ours" comes from elsewhere.

A claim *holds* or *fails* only where its whole 95 % interval lies on one side of a rule that was
set before the runs; else it is *undecided*. Intervals are over random networks, for these
pictures: of each network the average over the pictures, then Student's interval (Fieller's for
ratios, least squares with HC3 errors for C7a to C7c). They are not corrected for the number of
claims. SSIM: {SSIM_SETTINGS}.

He et al. is "Randomness in Deconvolutional Networks for Visual Representation", Gilbert et al.
"Towards Understanding the Invertibility of Convolutional Neural Networks"; the tables are of the
latter.
"""


def page(results: Results) -> str:
    """The whole page, as Markdown; the same results give the same page."""
    found = entries(results)
    lines = [HEAD, "## Claims\n", "| | claim | paper | ours |", "|---|---|---|---|"]
    lines += [_row(entry) for entry in found]
    if results.problems:
        lines += ["\nNot usable:\n", *(f"- {_escaped(line)}" for line in results.problems)]
    printed = tables(results)
    if printed:
        lines.append("\n## Tables, ours / printed")
        lines += [_table(table) for table in printed]
    lines.append("\n## Experiments")
    for result in results.chosen.values():
        lines += ["", _section(result, [e for e in found if e.result is result])]
    return "\n".join(lines) + "\n"


def _row(entry: Entry) -> str:
    claim = entry.claim
    ours = "<br>".join(_ours(finding) for finding in entry.findings)
    if entry.result is not None:
        ours += f"<br>[{_escaped(entry.claim.experiment)}](#{_escaped(entry.claim.experiment)})"
    words = _escaped(claim.words)
    if claim.experiment:
        words += f"<br>Rule: {_escaped(claim.rule)}"
    return f"| {claim.id} | {words} | {_escaped(claim.paper)} | {ours} |"


def _ours(finding: Finding) -> str:
    case = f" ({_escaped(finding.case)})" if finding.case else ""
    if finding.effect is None:
        return f"**{finding.verdict}**{case}: {_escaped(finding.detail)}"
    return f"**{finding.verdict}**{case}: {interval_text(finding.effect)} {_escaped(finding.unit)}"


def _table(table: Table) -> str:
    header, *rows = (
        f"| {' | '.join(map(_escaped, cells))} |" for cells in (table.header, *table.rows)
    )
    source = f"From [{table.experiment}](#{table.experiment})."
    lines = [f"### {_escaped(table.title)}", "", header, "|---" * len(table.header) + "|", *rows]
    return "\n".join(["", *lines, "", f"{_escaped(table.note)} {source}"])


def _section(result: Result, of_result: list[Entry]) -> str:
    lines = [f"### {_escaped(result.name)}", "", f"{_escaped(result.title)}."]
    if result.problem:
        lines.append(f"Decides no claim: {_escaped(result.problem)}.")
    facts = [("Measured on", result.measured_on() if result.meta else "")]
    for key in ("settings", "notes", "versions"):
        facts.append((key.capitalize(), plain(result.meta.get(key) or "")))
    lines += ["", *(f"- {name}: {_escaped(value)}" for name, value in facts if value)]
    for ending in (".svg", "-pictures.png"):
        if (file := result.file(ending)) is not None:
            link = Path(os.path.relpath(file, HERE)).as_posix()
            lines += ["", f"![{_escaped(result.title)}]({link})"]
    measured = [
        f"- {entry.claim.id}{', ' + finding.case if finding.case else ''}: {finding.detail}"
        for entry in of_result
        for finding in entry.findings
        if finding.effect is not None
    ]
    if measured:
        lines += ["", "Numbers behind the verdicts:", "", *map(_escaped, measured)]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    line = html.escape(" ".join(text.split()), quote=False)
    for mark in "\\|*_`[]":
        line = line.replace(mark, f"\\{mark}")
    return line


def main() -> None:
    """Writes the page beside this file."""
    path = HERE / "results.md"
    write_whole(path, page(read_results(RESULTS)).encode("utf-8"), overwrite=True)
    print(path.name)


if __name__ == "__main__":
    main()
