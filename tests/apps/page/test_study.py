"""The Study tab's answers, on folders of results made here."""

import json
from pathlib import Path

import pytest

from apps.page import study as handlers

PNG = b"\x89PNG\r\n\x1a\n not really"


def write_results(folder: Path, name: str = "laws", *, rows: int = 3, scale: str = "smoke") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"gaussian,{i},{0.9 - i / 10:.1f}" for i in range(rows)]
    (folder / f"{name}.csv").write_text("\n".join(["law,network,ssim", *lines]) + "\n")
    meta = {"title": "<b>Laws</b> compared", "scale": scale, "finished": True, "rows": rows}
    (folder / f"{name}.json").write_text(json.dumps(meta))
    (folder / f"{name}.png").write_bytes(PNG)


@pytest.fixture
def folders(tmp_path):
    write_results(tmp_path / "results" / "smoke")
    write_results(tmp_path / "results" / "laptop", scale="laptop", rows=5)
    return handlers.study_folders(tmp_path / "results")


def test_a_folder_and_each_that_it_holds_can_be_chosen(folders, tmp_path):
    assert list(folders) == ["results", "results/laptop", "results/smoke"]
    assert all(path.is_absolute() for path in folders.values())
    one = handlers.study_folders(tmp_path / "results" / "smoke")
    assert list(one) == ["smoke"]


def test_without_a_folder_the_results_of_the_project_are_shown(monkeypatch, tmp_path):
    assert "results" in handlers.study_folders(None)
    monkeypatch.setattr(handlers, "BUILT_IN", tmp_path / "nothing")
    assert handlers.study_folders(None) == {}


def test_a_folder_without_results_is_refused_at_the_start(tmp_path):
    with pytest.raises(ValueError, match="DIR must hold results"):
        handlers.study_folders(tmp_path)


@pytest.mark.parametrize("name", ["/etc", "../results", "smoke", None, 3, ["results"]])
def test_clients_name_folders_by_the_server_s_words_only(folders, name):
    with pytest.raises(ValueError, match="results must be one of results, results/laptop"):
        handlers.read_study(folders, name)


def test_the_largest_scale_decides_and_new_rows_are_seen(folders):
    study = handlers.read_study(folders, "results")
    assert handlers.result_of(study, "laws").scale == "laptop"
    assert handlers.read_study(folders, "results") is study  # not read again
    write_results(folders["results/laptop"], scale="laptop", rows=7)
    again = handlers.read_study(folders, "results")
    assert len(handlers.result_of(again, "laws").rows) == 7
    with pytest.raises(ValueError, match="experiment must be one of laws"):
        handlers.result_of(study, "../laws")


def test_figures_have_words_and_titles_are_no_markup(folders):
    study = handlers.read_study(folders, "results/smoke")
    page = handlers.figures_of(handlers.result_of(study, "laws"))
    assert page.count("<img") == 1
    assert 'alt="Chart of the rows of laws: &lt;b&gt;Laws' in page
    assert "<b>" not in page


def test_rows_are_sorted_before_they_are_cut(folders, monkeypatch):
    monkeypatch.setattr(handlers, "MOST_ROWS", 2)
    result = handlers.result_of(handlers.read_study(folders, "results"), "laws")
    rows, said = handlers.table(result, "ssim", falling=False)
    assert list(rows["ssim"]) == [0.5, 0.6]
    assert said == "the first 2 of 5 rows"
    rows, _ = handlers.table(result, "network", falling=True)
    assert list(rows["network"]) == [4, 3]
    rows, _ = handlers.table(result, None, falling=False)
    assert list(rows["network"]) == [0, 1]
    with pytest.raises(ValueError, match="sort must be one of law, network, ssim"):
        handlers.table(result, "__class__", falling=False)


def test_claims_are_counted_and_chosen_by_verdict(folders):
    study = handlers.read_study(folders, "results")
    choices = dict(handlers.tally(study))
    every = handlers.claims_of(study, handlers.ALL, "results")
    assert every.count("<article>") == len(study.entries)
    assert f"all {every.count('<li')}" in choices
    untested = handlers.claims_of(study, "not tested", "results")
    assert 0 < untested.count("<article>") <= len(study.entries)
    assert 'class="holds"' not in untested
    assert "No claim" in handlers.claims_of(study, "magic", "results")


def test_the_project_s_own_results_have_claims_that_hold():
    study = handlers.read_study(handlers.study_folders(None), "results")
    assert len(handlers.experiments(study)) >= 5
    assert 'class="holds"' in handlers.claims_of(study, "holds", "results")


def test_claims_link_to_the_experiments_that_are_here(folders):
    write_results(folders["results/laptop"], "channels", scale="laptop")
    study = handlers.read_study(folders, "results/laptop")
    page = handlers.claims_of(study, handlers.ALL, "results/laptop")
    measured = [e for e in study.entries if e.claim.experiment == "channels"]
    link = 'href="?tab=study&amp;results=results%2Flaptop&amp;experiment=channels"'
    assert page.count(link) == page.count("href=") == len(measured) > 0


def test_rows_and_chart_are_there_to_download(folders, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "served"))
    result = handlers.result_of(handlers.read_study(folders, "results"), "laws")
    rows, chart = handlers.downloads(result)
    copy = Path(rows.value["path"])
    assert copy.is_relative_to(tmp_path / "served")
    assert copy.read_bytes() == result.file(".csv").read_bytes()
    assert chart.interactive is False  # this folder has none
