"""The Study tab: what the experiments measured, and what that says of the papers' claims."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from apps.page.errors import in_words
from apps.page.status import nothing_html
from apps.page.study import handlers


def study_tab(tab: gr.Tab, folders: Mapping[str, Path]) -> None:
    """The tab's widgets.

    Args:
        tab: Itself; it is filled when it is opened.
        folders: Folders of results by the names to show, as `handlers.study_folders` gives them.
    """
    if not folders:
        gr.HTML(nothing_html("No results here. Start the app with --results FOLDER."))
        return
    first = next(iter(folders))
    study = handlers.read_study(folders, first)
    names = handlers.experiments(study)
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
                handlers.tally(study),
                value=handlers.ALL,
                label="Claims of the papers",
                info="By 95 % intervals over networks; a claim may have several cases.",
            )
            claims = gr.HTML(elem_id="claims")

    def show(name: Any, chosen: Any) -> tuple:
        study = handlers.read_study(folders, name)
        result = handlers.experiment(study, chosen)
        columns = [] if result.rows is None else [str(name) for name in result.rows.columns]
        return handlers.figures_html(result), gr.Dropdown(columns, value=None)

    def list_rows(name: Any, chosen: Any, by: Any, largest: Any) -> tuple:
        result = handlers.experiment(handlers.read_study(folders, name), chosen)
        found, said = handlers.table(result, by, falling=largest is True)
        return found, said

    def list_claims(name: Any, chosen: Any) -> str:
        return handlers.claims_html(handlers.read_study(folders, name), chosen)

    def change_folder(name: Any) -> tuple:
        study = handlers.read_study(folders, name)
        names = handlers.experiments(study)
        choices = gr.Radio(handlers.tally(study), value=handlers.ALL)
        return gr.Dropdown(names, value=names[0][1]), choices

    quiet: dict[str, Any] = {
        "preprocess": False,
        "api_visibility": "private",
        "show_progress": "hidden",
    }
    shown = ([folder, experiment], [figures, column])
    judged = ([folder, verdict], [claims])
    # One after the other: the experiments of another folder have other names.
    changed = folder.change(in_words(change_folder), [folder], [experiment, verdict], **quiet)
    changed = changed.then(in_words(show), *shown, **quiet)
    changed.then(in_words(list_claims), *judged, **quiet)
    experiment.input(in_words(show), *shown, **quiet)
    verdict.input(in_words(list_claims), *judged, **quiet)
    tab.select(in_words(show), *shown, **quiet)
    tab.select(in_words(list_claims), *judged, **quiet)
    # Rows are sent only to those who ask for them.
    gr.on(
        [rows_of.expand, column.input, falling.input],
        in_words(list_rows),
        [folder, experiment, column, falling],
        [rows, count],
        **quiet,
    )
    experiment.change(lambda: gr.Accordion(open=False), None, [rows_of], **quiet)
