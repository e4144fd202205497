"""The report: what is read, which run decides, and the page that is written."""

import hashlib
import json
import re
import runpy
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from recon.claims.entries import catalogue, entries
from recon.claims.register import CLAIMS
from recon.claims.rules import RULES, VOID, Void
from recon.experiments.catalogue import describe, written
from recon.metrics import STUDY_SETTINGS
from recon.report.courses import courses
from recon.report.files import plain, read_results
from recon.report.page import MARKS, MOST_SVG, SSIM_SETTINGS, write_report

ROOT = Path(__file__).parents[2]
PNG = b"\x89PNG\r\n\x1a\n not much of one"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(2)</script></svg>'
NASTY = '"><script>alert(1)</script>.png'


def kernel_rows(slope: float = -0.1, networks: int = 3) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"kernel": kernel, "network": network, "head": head, "image": NASTY}
            | {"ssim": 0.5 + slope * place + 0.001 * network * place, "pearson": 0.5, "null": 0.1}
            for place, kernel in enumerate((1, 2, 4))
            for network in range(networks)
            for head in ("linear", "mean")
        ]
    )


def write_result(
    folder: Path, name: str = "kernel-size", rows: pd.DataFrame | None = None, **meta
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows = kernel_rows() if rows is None else rows
    rows.to_csv(folder / f"{name}.csv", index=False, na_rep="undefined")
    whole = {
        "experiment": name,
        "scale": "smoke",
        "settings": {"networks": 3, "images": 1, "side": 48, "kernels": [1, 2, 4]},
        "seed": 7,
        "pictures": {"names": [NASTY], "sha256": "0123"},
        "versions": {"numpy": "2.5.0"},
        "device": "a <b>fast</b> machine",
        "wall_s": 75.0,
        "rows": len(rows),
        "finished": True,
        "notes": "",
    }
    (folder / f"{name}.json").write_text(json.dumps(whole | meta))
    (folder / f"{name}.svg").write_bytes(SVG)
    (folder / f"{name}.png").write_bytes(PNG)


def finding(folder: Path, claim: str):
    (entry,) = [e for e in entries(read_results(folder)) if e.claim.id == claim]
    return entry.findings[0]


class Page(HTMLParser):
    """Tags of a page, its text, and whether what is opened is closed."""

    VOID = ("meta", "img", "br", "link", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += data

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def page(tmp_path: Path) -> Page:
    write_result(tmp_path)
    (tmp_path / "kernel-size-pictures.png").write_bytes(PNG)
    write_result(tmp_path, "laws", pd.DataFrame({"law": [NASTY], "ssim": [0.5]}))
    return Page(write_report(tmp_path).path.read_text(encoding="utf-8"))


def test_page_is_whole_html(page):
    assert page.open == []
    assert page.all("html") == [{"lang": "en"}]
    assert "claims" in page.text
    assert page.all("title") != []
    assert any(meta.get("name") == "viewport" for meta in page.all("meta"))


def test_page_has_every_claim_with_its_paper_and_a_verdict(page):
    ids = [attributes.get("id") for attributes in page.all("tbody")]
    assert ids == [claim.id for claim in CLAIMS]
    for claim in CLAIMS:
        assert claim.words in page.text
        assert claim.paper in page.text
    badges = [a["class"] for a in page.all("span") if "badge" in a.get("class", "")]
    assert len(badges) == len(MARKS) + len(CLAIMS) + 1  # a legend; C9 has two cases
    # Slopes -.1, -.099, -.098; t of 0.975 with 2 degrees of freedom is 4.303.
    assert "−0.099 [−0.101, −0.097] SSIM per doubling of kernel" in page.text


def test_page_has_header_cells_and_no_duplicate_ids(page):
    assert all("scope" in attributes for attributes in page.all("th"))
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    anchors = {a["href"] for a in page.all("a")}
    assert anchors <= {f"#{name}" for name in ids}
    assert {"#experiment-kernel-size", "#C9"} <= anchors


def test_page_needs_nothing_from_outside_and_runs_nothing(page):
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base", "form"}
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            value = attributes.get(name) or "#"
            assert value.startswith(("#", "data:image/")), (tag, name)
        assert not any(name.startswith("on") for name in attributes)
        assert "url(" not in (attributes.get("style") or "")
    policies = [m["content"] for m in page.all("meta") if m.get("http-equiv")]
    assert any("default-src 'none'" in policy for policy in policies)


def test_every_figure_is_data_and_is_described(page):
    images = page.all("img")
    assert len(images) == 3  # two charts and a sheet of pictures
    kinds = [image["src"].split(";")[0] for image in images]
    assert kinds == ["data:image/svg+xml", "data:image/png", "data:image/svg+xml"]
    assert all(image["alt"] for image in images)


def test_names_from_files_are_text(page):
    assert NASTY in page.text
    assert "a <b>fast</b> machine" in page.text
    assert page.all("script") == []


def test_settings_notes_and_versions_are_told(tmp_path):
    write_result(tmp_path, notes=["half of it", "was slow"])
    text = Page(write_report(tmp_path).path.read_text(encoding="utf-8")).text
    assert "smoke, 3 networks, 1 pictures, 48 px a side, seed 7" in text
    assert "1 min" in text
    assert "half of it, was slow" in text
    assert "numpy 2.5.0" in text
    assert "kernels 1, 2, 4" in text


def test_light_and_dark(tmp_path):
    write_result(tmp_path)
    assert "prefers-color-scheme: dark" in write_report(tmp_path).path.read_text(encoding="utf-8")


def test_a_large_drawing_gives_way_to_its_png(tmp_path):
    write_result(tmp_path)
    (tmp_path / "kernel-size.svg").write_bytes(SVG + b" " * MOST_SVG)
    page = Page(write_report(tmp_path).path.read_text(encoding="utf-8"))
    assert [image["src"][:14] for image in page.all("img")] == ["data:image/png"]


def test_the_page_is_written_again_over_itself_and_leaves_nothing_else(tmp_path):
    write_result(tmp_path)
    first = write_report(tmp_path).path.read_bytes()
    assert write_report(tmp_path).path.read_bytes() == first
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]


def test_ssim_is_described_as_it_is_measured():
    assert SSIM_SETTINGS == STUDY_SETTINGS


def test_what_is_not_there_is_not_tested(tmp_path):
    write_result(tmp_path)
    assert finding(tmp_path, "C9").verdict == "holds"
    found = finding(tmp_path, "C8")
    assert found.verdict == "not tested"
    assert found.detail == "no results of channels here"


def test_an_unfinished_run_decides_nothing_and_is_shown(tmp_path):
    write_result(tmp_path, finished=False, rows=kernel_rows().head(4))
    found = finding(tmp_path, "C9")
    assert found.verdict == "not tested"
    assert found.detail == "kernel-size is not finished; 4 rows are there"
    report = write_report(tmp_path)
    assert report.results.problems == ()
    assert "4 rows are there; it decides no claim" in report.path.read_text(encoding="utf-8")


def test_of_several_scales_the_largest_finished_decides(tmp_path):
    write_result(tmp_path / "laptop", rows=kernel_rows(-0.1), scale="laptop")
    write_result(tmp_path / "smoke", rows=kernel_rows(0.1), scale="smoke")
    assert finding(tmp_path, "C9").verdict == "holds"
    write_result(tmp_path / "paper", rows=kernel_rows(0.1), scale="paper", finished=False)
    assert finding(tmp_path, "C9").verdict == "holds"
    write_result(tmp_path / "paper", rows=kernel_rows(0.1), scale="paper")
    assert finding(tmp_path, "C9").verdict == "fails"
    results = read_results(tmp_path)
    assert sorted(result.scale for result in results.others) == ["laptop", "smoke"]
    assert "kernel-size, laptop" in write_report(tmp_path).path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("ending", "data", "words"),
    [
        (".json", b"{", "laws.json must be JSON; received"),
        (".json", b"\xff\xfe\xff", "laws.json must be JSON; received"),
        (".json", b"[1]", "laws.json must be a JSON object; received list"),
        (".json", None, "laws.json must lie beside its .csv; received none"),
        (".csv", b"", "laws.csv must be a table; received"),
        (".csv", b'a,b\n"1', "laws.csv must be a table; received"),
        (".csv", b"a,ssim\n", "laws.csv must hold rows; received none"),
        (".csv", b"\xff\xfe\xff", "laws.csv must be a table; received"),
        (".csv", b"law,ssim\nhe,0.5\nhe,much\n", "laws.csv: ssim must be numbers; received 'much'"),
        (".csv", None, "laws.csv must lie beside its .json; received none"),
    ],
)
def test_a_broken_file_is_named_and_costs_its_own_experiment_only(tmp_path, ending, data, words):
    write_result(tmp_path)
    write_result(tmp_path, "laws")
    path = tmp_path / f"laws{ending}"
    path.unlink() if data is None else path.write_bytes(data)
    results = read_results(tmp_path)
    (problem,) = results.problems
    assert problem.startswith(words)
    assert "\n" not in problem
    assert finding(tmp_path, "C9").verdict == "holds"
    assert words in Page(write_report(tmp_path).path.read_text(encoding="utf-8")).text


def test_a_meta_file_with_odd_values_is_shown(tmp_path):
    write_result(tmp_path, settings="large", wall_s="long", device={"gpu": ["a", "b"]}, scale=3)
    text = Page(write_report(tmp_path).path.read_text(encoding="utf-8")).text
    assert "3, seed 7, gpu a, b" in text


def test_plain():
    assert plain({"a": [1, 2.5], "b": {"c": None}}) == "a 1, 2.5, b c None"


def test_no_folder_a_file_and_an_empty_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="DIR must be a folder of results; received 'no'"):
        read_results(tmp_path / "no")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="received the file 'file'"):
        read_results(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="DIR must hold results"):
        read_results(tmp_path / "empty")


@pytest.fixture(scope="module")
def make_results() -> dict:
    return runpy.run_path(str(ROOT / "docs/make_results.py"))


def test_results_page_is_that_of_the_results(make_results):
    committed = (ROOT / "docs/results.md").read_text(encoding="utf-8")
    assert committed == make_results["page"](read_results(ROOT / "results"))


def test_the_catalogue_is_that_of_the_experiments_and_the_results():
    committed = (ROOT / "recon/experiments/catalogue.json").read_text(encoding="utf-8")
    assert committed == written(catalogue(read_results(ROOT / "results")))
    one = describe("kernel-size")
    assert one.claims == ("C9",)
    assert one.paper["side"] == 227
    assert one.minutes["laptop"] > 0
    assert one.devices["laptop"].startswith("cpu")


def test_costs_are_those_of_the_records(tmp_path):
    write_result(tmp_path / "laptop", scale="laptop", workers=2, wall_s=90.0, device="cpu: x")
    write_result(tmp_path / "smoke", scale="smoke", workers=2, wall_s=90.0, finished=False)
    one = catalogue(read_results(tmp_path))["kernel-size"]
    assert one.minutes == {"laptop": 3.0}
    assert one.devices == {"laptop": "cpu: x"}
    # A loaded machine takes longer by the wall; a GPU is not its processors.
    for device, minutes in (("cpu: x", 2.0), ("gpu: y", 3.0)):
        of_processors = {"processor_s": 120.0, "workers": 2, "wall_s": 90.0, "device": device}
        write_result(tmp_path / "laptop", scale="laptop", **of_processors)
        assert catalogue(read_results(tmp_path))["kernel-size"].minutes == {"laptop": minutes}


def test_results_page_has_a_row_for_each_claim_and_escapes(tmp_path, make_results):
    write_result(tmp_path, notes="a | b <script> `c` *d* [e](http://f)")
    text = make_results["page"](read_results(tmp_path))
    table = [line for line in text.splitlines() if re.match(r"\| [CGIT]\d+[a-d]? \| ", line)]
    assert len(table) == len(CLAIMS)
    for claim, line in zip(CLAIMS, table, strict=True):
        assert line.startswith(f"| {claim.id} | ")
        assert line.count(" | ") == 4
        assert f"<summary>{claim.id}: " in text
    assert "✓ holds 2 | **holds** (linear head): −0.099" in text
    assert r"a \| b &lt;script&gt; \`c\` \*d\* \[e\](http://f)" in text
    assert "kernel-size.svg)" in text
    assert text == make_results["page"](read_results(tmp_path))


def test_results_page_begins_with_a_summary_and_the_distance_to_the_papers(tmp_path, make_results):
    write_result(tmp_path, workers=2)
    text = make_results["page"](read_results(tmp_path))
    assert "| ✓ holds | 2 | C9 2/2 |" in text
    assert "| ✗ fails | 0 |  |" in text
    assert "| [kernel-size](#kernel-size) | 3 / 30 | 1 / 50 | 48 / 227 |  | 2.5 | 7 |" in text
    assert text.index("## Summary") < text.index("## Claims") < text.index("## Experiments")


def test_results_page_has_rules_with_their_days_and_changes_folded(tmp_path, make_results):
    write_result(tmp_path)
    text = make_results["page"](read_results(tmp_path))
    folded = text[text.index("<summary>C9: ✓ ✓</summary>") :]
    folded = folded[: folded.index("</details>")]
    rule = RULES["C9"]
    assert f"Rule, fixed on {rule.fixed}; changed after a first look: {rule.changed}: " in folded
    assert "Budget, fixed on 2026-11-21: networks 10, images 10, side 128, seed 1000." in folded


def test_courses_are_drawn_with_a_panel_for_each_case(tmp_path, make_results):
    rows = pd.DataFrame(
        {"law": law, "network": network, "step": step, "validation_mse": loss + 0.001 * network}
        for law, loss in (("gaussian", 0.1), ("laplace", 0.3), ("uniform", 0.1))
        for network in range(3)
        for step in (1, 5, 10)
    )
    write_result(tmp_path, "init-law", rows)
    figure = courses(entries(read_results(tmp_path)))
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["C5b: laplace", "C5b: uniform"]
    assert [list(line.get_xdata()) for line in figure.axes[1].lines[::2]] == [[5], [10]]
    page = make_results["page"](read_results(tmp_path))
    assert "verdicts-by-steps.svg" in page
    assert "after steps 5 ✗, 10 ✗" in page
    (tmp_path / "init-law.csv").unlink()
    write_result(tmp_path)
    assert courses(entries(read_results(tmp_path))) is None


def test_rows_that_lack_a_column_say_what_it_takes(tmp_path):
    write_result(tmp_path, rows=kernel_rows().drop(columns="null"), workers=2)
    assert finding(tmp_path, "C9").detail == (
        "kernel-size.csv has no column null; rrstyle evaluate kernel-size --images DIR measures it"
        " anew, in about 2.5 processor minutes"
    )


def test_rows_of_what_has_changed_decide_no_more(tmp_path, monkeypatch):
    write_result(tmp_path)
    assert finding(tmp_path, "C9").verdict == "holds"
    digest = hashlib.sha256((tmp_path / "kernel-size.csv").read_bytes()).hexdigest()
    monkeypatch.setitem(VOID, digest[:16], Void("linear", "measured before the repair"))
    (entry,) = [e for e in entries(read_results(tmp_path)) if e.claim.id == "C9"]
    assert [found.verdict for found in entry.findings] == ["not tested", "holds"]
    assert entry.findings[0].detail.startswith("measured before the repair; rrstyle evaluate")
