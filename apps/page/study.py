"""The Study tab: what the experiments measured, and what that says of the papers' claims.

A client names a folder by the server's word for it: no other folder is ever opened.
"""

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import gradio as gr
import pandas as pd
from gradio.components import Component

from apps.page.address import TAB
from apps.page.errors import in_words
from apps.page.status import nothing_html, piece
from apps.page.widgets import PRIVATE
from apps.service import owners
from recon.claims.entries import Entry, entries
from recon.claims.verdicts import Finding, interval_text
from recon.report.files import Result, Results, plain, read_results
from recon.report.page import MARKS, data_uri

MOST_ROWS = 2000  # of a table at a time: a browser on a phone has to hold them
ALL = "all"
FOLDER, EXPERIMENT = "results", "experiment"  # in the page's address
BUILT_IN = Path(__file__).parents[2] / "results"


@dataclass(frozen=True)
class Study:
    """The results in a folder, and what they say of the claims."""

    results: Results
    entries: tuple[Entry, ...]


def study_folders(given: Path | None) -> dict[str, Path]:
    """The folders to choose from, by the names that are shown: a folder, then its subfolders.

    `given` is a folder of results, or of such folders, else ValueError or OSError. By default it is
    this project's own, and nothing where that is not there.
    """
    if given is None and not BUILT_IN.is_dir():
        return {}
    folder = (given or BUILT_IN).absolute()
    found = {folder.name or "results": folder}
    results = read_results(folder)
    inside = {result.folder for result in (*results.chosen.values(), *results.others)} - {folder}
    if len(inside) > 1:
        found |= {f"{folder.name}/{path.name}": path for path in sorted(inside)}
    return found


def read_study(folders: Mapping[str, Path], name: Any) -> Study:
    """The results of a folder by its name; ValueError if the server has none of that name."""
    if not isinstance(name, str) or name not in folders:
        raise ValueError(f"results must be one of {', '.join(folders)}; received {name!r}")
    folder = folders[name]
    # A run may still be adding rows.
    stamp = max(path.stat().st_mtime_ns for path in (folder, *folder.rglob("*")))
    return _read(folder, stamp)


@lru_cache(maxsize=4)
def _read(folder: Path, stamp: int) -> Study:
    results = read_results(folder)
    return Study(results, entries(results))


def experiments(study: Study) -> list[tuple[str, str]]:
    """Titles and names of the experiments, for a list."""
    return [(f"{name}: {found.title}", name) for name, found in study.results.chosen.items()]


def result_of(study: Study, name: Any) -> Result:
    """An experiment by its name; ValueError if the folder has none of that name."""
    chosen = study.results.chosen
    if not isinstance(name, str) or name not in chosen:
        raise ValueError(f"experiment must be one of {', '.join(chosen)}; received {name!r}")
    return chosen[name]


def figures_of(result: Result) -> str:
    """Figure and pictures of an experiment, with what was measured, as HTML."""
    pictures = []
    for ending, words in (("", "Chart of the rows"), ("-pictures", "Pictures")):
        if path := result.file(f"{ending}.png"):
            pictures.append((data_uri(path), f"{words} of {result.name}: {result.title}"))
    facts = [
        ("Measured", result.title),
        ("Reproduces", plain(result.meta.get("reproduces") or "")),
        ("In the papers", plain(result.meta.get("printed") or "")),
        ("Measured on", result.measured_on() if result.meta else ""),
        ("Not usable", result.problem),
    ]
    return piece("figures", facts, pictures)


def table(result: Result, column: Any, *, falling: bool) -> tuple[pd.DataFrame, str]:
    """The first MOST_ROWS rows in the order of a column, and words on how many there are.

    ValueError if there are no rows, or no such column.
    """
    if result.rows is None:
        raise ValueError(result.problem)
    rows = result.rows
    if column is not None:
        if column not in rows.columns:
            named = ", ".join(rows.columns)
            raise ValueError(f"sort must be one of {named}; received {column!r}")
        rows = rows.sort_values(column, ascending=not falling, kind="stable")
    total = len(rows)
    said = f"{total:,} rows" if total <= MOST_ROWS else f"the first {MOST_ROWS:,} of {total:,} rows"
    return rows.head(MOST_ROWS), said


def claims_of(study: Study, verdict: Any, folder: str) -> str:
    """The claims, each with its findings, as HTML; of one verdict only, or ALL.

    Each links to the page of its experiment, in the folder of this name.
    """
    claims = []
    for entry in study.entries:
        if findings := [f for f in entry.findings if verdict in (ALL, f.verdict)]:
            facts = [("Rule", entry.claim.rule.text), ("Source", entry.claim.paper)]
            facts.append(("Measured on", entry.measured_on))
            name, link = entry.claim.experiment, ""
            if name in study.results.chosen:
                query = {TAB: "study", FOLDER: folder, EXPERIMENT: name}
                link = f"?{urlencode(query)}"
            numbers = [(found.case or found.verdict, _numbers(found)) for found in findings]
            claims.append((entry.claim, findings, facts, numbers, link))
    if not claims:
        return nothing_html("No claim has this verdict here.")
    return piece("claims", claims, MARKS)


def _numbers(finding: Finding) -> str:
    effect = f"{interval_text(finding.effect)} {finding.unit}; " if finding.effect else ""
    return f"{effect}{finding.detail}"


def tally(study: Study) -> list[tuple[str, str]]:
    """Choices of verdicts, with how many findings have them."""
    counts = Counter(finding.verdict for entry in study.entries for finding in entry.findings)
    every = (f"all {counts.total()}", ALL)
    return [every, *((f"{MARKS[v]} {v} {counts[v]}", v) for v in MARKS)]


def downloads(result: Result) -> tuple[gr.DownloadButton, gr.DownloadButton]:
    """The buttons of an experiment's rows and chart, as copies that Gradio serves."""
    found = []
    for ending in (".csv", ".svg"):
        path = result.file(ending)
        copy = path and shutil.copyfile(path, owners.own_folder() / path.name)
        found.append(gr.DownloadButton(value=copy and str(copy), interactive=copy is not None))
    return found[0], found[1]


def study_tab(tab: gr.Tab, folders: Mapping[str, Path]) -> dict[str, Component]:
    """The tab's widgets, filled when `tab` is opened from the `folders` of `study_folders`.

    The controls whose values the address keeps are returned, by their names there.
    """
    if not folders:
        gr.HTML(nothing_html("No results here. Start the app with --results FOLDER."))
        return {}
    first = next(iter(folders))
    study = read_study(folders, first)
    names = experiments(study)
    with gr.Row():
        folder = gr.Dropdown(
            list(folders), value=first, label="Results", info="A folder of results on the server."
        )
        experiment = gr.Dropdown(
            names,
            value=names[0][1],
            label="Experiment",
            info="One measurement: its figure, its settings and its rows.",
            scale=3,
            min_width=260,
        )
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            figures = gr.HTML(elem_id="figures")
            with gr.Row():
                files = [
                    gr.DownloadButton(words, interactive=False, size="sm", min_width=130)
                    for words in ("Download the rows (CSV)", "Download the chart (SVG)")
                ]
            with gr.Accordion("Rows", open=False) as rows_of:
                with gr.Row():
                    column = gr.Dropdown(
                        None, label="Sort by", info="The column that decides which rows come first."
                    )
                    falling = gr.Checkbox(
                        False, label="Largest first", info="Falling instead of rising."
                    )
                count = gr.Markdown()
                rows = gr.Dataframe(
                    interactive=False, show_search="filter", label="Rows", max_height=480
                )
        with gr.Column(scale=2, min_width=320):
            verdict = gr.Radio(
                tally(study),
                value=ALL,
                label="Claims of the papers",
                info="By 95 % intervals over networks; a claim may have several cases.",
            )
            claims = gr.HTML(elem_id="claims")

    def show(name: Any, chosen: Any) -> tuple:
        study = read_study(folders, name)
        result = result_of(study, chosen)
        columns = [] if result.rows is None else [str(name) for name in result.rows.columns]
        return figures_of(result), gr.Dropdown(columns, value=None), *downloads(result)

    def list_rows(name: Any, chosen: Any, by: Any, largest: Any) -> tuple:
        result = result_of(read_study(folders, name), chosen)
        return table(result, by, falling=largest is True)

    def list_claims(name: Any, chosen: Any) -> str:
        return claims_of(read_study(folders, name), chosen, name)

    def change_folder(name: Any, chosen: Any) -> tuple:
        study = read_study(folders, name)
        names = experiments(study)
        stays = chosen in study.results.chosen
        shown = gr.Dropdown(names, value=chosen if stays else names[0][1])
        return shown, gr.Radio(tally(study))

    shown = ([folder, experiment], [figures, column, *files])
    judged = ([folder, verdict], [claims])
    # One after the other: the experiments of another folder have other names. Not on every change:
    # the address sets folder and experiment together.
    changed = gr.on(
        [folder.input, tab.select],
        in_words(change_folder),
        [folder, experiment],
        [experiment, verdict],
        **PRIVATE,
    )
    changed = changed.then(in_words(show), *shown, **PRIVATE)
    changed.then(in_words(list_claims), *judged, **PRIVATE)
    experiment.input(in_words(show), *shown, **PRIVATE)
    verdict.input(in_words(list_claims), *judged, **PRIVATE)
    # Rows are sent only to those who ask for them.
    gr.on(
        [rows_of.expand, column.input, falling.input],
        in_words(list_rows),
        [folder, experiment, column, falling],
        [rows, count],
        **PRIVATE,
    )
    experiment.change(lambda: gr.Accordion(open=False), None, [rows_of], **PRIVATE)
    return {FOLDER: folder, EXPERIMENT: experiment}
