"""Write docs/results.md, the papers' claims beside what results/ says: `make results`.

And the catalogue of the experiments, with what the runs in results/ took.
"""

import html
import os
from collections import Counter
from pathlib import Path

from recon.claims.entries import Entry, catalogue, entries
from recon.claims.rules import BUDGETS
from recon.claims.tables import Table, tables
from recon.claims.verdicts import Finding, interval_text
from recon.experiments.catalogue import written
from recon.report import figures
from recon.report.courses import courses
from recon.report.files import Result, Results, plain, read_results
from recon.report.page import MARKS, SSIM_SETTINGS
from rrstyle.durable import write_whole

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
COURSES = HERE / "verdicts-by-steps.svg"
LIST = HERE.parent / "recon/experiments/catalogue.json"

HEAD = """# Results

The papers' claims, and what the runs in [results/](../results) say of them. This page is written by
`docs/make_results.py` from those rows: no number under "ours" comes from elsewhere.

He et al. is "Randomness in Deconvolutional Networks for Visual Representation", Gilbert et al.
"Towards Understanding the Invertibility of Convolutional Neural Networks"; the tables are of the
latter. I1 to I4 are of later work on ReLU layers, which the claims name.

## Summary

A claim *holds* or *fails* only where its whole 95 % interval lies on one side of its rule; else it
is *undecided*. It is *not testable* where the rows cannot tell: a verdict that the last half of a
training still changes, an SSIM that is not above its null, a bound above 1. *Not tested* is what
the rows lack.
"""
HOW = f"""Intervals are over random networks, for these pictures: of each network the average over
the pictures, then Student's interval (Fieller's for ratios, Clopper and Pearson's for shares). They
are not corrected for the number of claims. SSIM: {SSIM_SETTINGS}. Its null, in brackets, is that of
the same output with another picture or, if greater and where rows have it, that of noise with the
output's mean and deviation. Rules, budgets and seeds, with the day that each was fixed,
are in [rules.py](../recon/claims/rules.py).
"""
SIZES = {"networks": "networks", "images": "pictures", "side": "px", "steps": "steps"}


def page(results: Results) -> str:
    """The whole page, as Markdown; the same results give the same page."""
    found = entries(results)
    lines = [HEAD, *_summary(found), *_scales(results), "\n## Claims\n", HOW]
    lines += ["| | claim | verdicts | first case measured | |", "|---|---|---|---|---|"]
    lines += [_row(entry) for entry in found]
    if any(finding.course for entry in found for finding in entry.findings):
        lines.append("\nClaims on trained DCNs over the last half of their steps:\n")
        lines.append(f"![Effects and verdicts by steps]({COURSES.name})")
    lines.append("\nCases, papers and rules:\n")
    lines += [_folded(entry) for entry in found]
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


def _summary(found: tuple[Entry, ...]) -> list[str]:
    lines = ["| verdict | cases | claims, with their cases |", "|---|---|---|"]
    for verdict, mark in MARKS.items():
        of = {e.claim.id: sum(f.verdict == verdict for f in e.findings) for e in found}
        total = {entry.claim.id: len(entry.findings) for entry in found}
        named = ", ".join(f"{id} {n}/{total[id]}" for id, n in of.items() if n)
        lines.append(f"| {mark} {verdict} | {sum(of.values())} | {named} |")
    return lines


def _scales(results: Results) -> list[str]:
    """How far the runs are from the papers' scale."""
    lines = ["\nHow far the runs are from the papers' scale, ours / the papers':\n"]
    lines += [f"| experiment | {' | '.join(SIZES.values())} | processor minutes | seed |"]
    lines += ["|---" * (len(SIZES) + 3) + "|"]
    for name, one in catalogue(results).items():
        if (result := results.chosen.get(name)) is None:
            continue
        ours = result.meta.get("settings") or {}
        ours = ours if isinstance(ours, dict) else {}
        cells = [f"{ours[k]} / {one.paper.get(k, '–')}" if k in ours else "" for k in SIZES]
        cells += [f"{one.minutes.get(result.scale, 0):g}", f"{result.meta.get('seed')}"]
        lines.append(f"| {_link(name)} | {' | '.join(cells)} |")
    return lines


def _row(entry: Entry) -> str:
    counts = Counter(finding.verdict for finding in entry.findings)
    said = ", ".join(f"{MARKS[v]} {v} {counts[v]}" for v in MARKS if counts[v])
    effect = next((_ours(found) for found in entry.findings if found.effect is not None), "")
    link = _link(entry.claim.experiment) if entry.result is not None else ""
    return f"| {entry.claim.id} | {_escaped(entry.claim.words)} | {said} | {effect} | {link} |"


def _link(name: str) -> str:
    return f"[{_escaped(name)}](#{_escaped(name)})"


def _folded(entry: Entry) -> str:
    claim, rule = entry.claim, entry.claim.rule
    words = f"{claim.id}: {' '.join(MARKS[finding.verdict] for finding in entry.findings)}"
    lines = [f"<details><summary>{words}</summary>", ""]
    lines += [f"- {_ours(finding)}{_course(finding)}" for finding in entry.findings]
    lines += ["", f"Paper: {_escaped(claim.paper)}"]
    changed = f"; changed after a first look: {rule.changed}" if rule.changed else ""
    lines += ["", f"Rule, fixed on {rule.fixed}{_escaped(changed)}: {_escaped(rule.text)}"]
    if budget := BUDGETS.get(claim.experiment):
        changed = f"; changed after a first look: {budget.changed}" if budget.changed else ""
        sizes = _escaped(f"{plain(budget.settings)}, seed {budget.seed}")
        lines += ["", f"Budget, fixed on {budget.fixed}{_escaped(changed)}: {sizes}."]
    return "\n".join([*lines, "", "</details>", ""])


def _course(finding: Finding) -> str:
    """Verdicts over the last half of a training: "; after 1250 steps ?, 2000 ✓"."""
    points = (f"{step} {MARKS[found.verdict]}" for step, found in finding.course)
    return f"; after steps {', '.join(points)}" if finding.course else ""


def _ours(finding: Finding) -> str:
    case = f" ({_escaped(finding.case)})" if finding.case else ""
    if finding.effect is None:
        return f"**{finding.verdict}**{case}: {_escaped(finding.detail)}"
    return f"**{finding.verdict}**{case}: {interval_text(finding.effect)} {_escaped(finding.unit)}"


def _table(table: Table) -> str:
    header, *rows = (
        f"| {' | '.join(map(_escaped, cells))} |" for cells in (table.header, *table.rows)
    )
    source = f"From {_link(table.experiment)}."
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
        lines += ["", "<details><summary>Numbers behind the verdicts</summary>", ""]
        lines += [*map(_escaped, measured), "", "</details>"]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    line = html.escape(" ".join(text.split()), quote=False)
    for mark in "\\|*_`[]":
        line = line.replace(mark, f"\\{mark}")
    return line


def main() -> None:
    """Writes the page beside this file, and what `rrstyle evaluate --list` says."""
    results = read_results(RESULTS)
    for path, text in ((HERE / "results.md", page(results)), (LIST, written(catalogue(results)))):
        write_whole(path, text.encode("utf-8"), overwrite=True)
        print(path.name)
    with figures.style():
        if (drawn := courses(entries(results))) is not None:
            figures.save(drawn, COURSES)


if __name__ == "__main__":
    main()
