"""Damaged files of weights, runs and results: refused in a line, or read without a fault."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from apps import cli
from recon.training.run import load_run
from rrstyle.networks.weight_files import load_weights
from rrstyle.pictures.images import encode_png
from tests.support import vgg16_files
from tests.support.bad_images import damaged

TINY = "tests.recon.support.tiny_experiment:TINY"
EVALUATE = ("evaluate", TINY, "--scale", "smoke", "--workers", "1", "--out", "results")
TRAIN = (
    *("train", "--images", "in", "--out", "run", "--steps", "4", "--tap", "conv1"),
    *(
        "--channels",
        "4",
        "--crop",
        "12",
        "--batch",
        "4",
        "--checkpoint-every",
        "2",
        "--validation",
        "0",
    ),
)
CLASSIFY = (
    *("classify", "--images", "in", "--out", "classifier", "--steps", "2"),
    *(
        "--architecture",
        "alexnet",
        "--channels",
        "8",
        "--crop",
        "16",
        "--batch",
        "8",
        "--validation",
        "0",
    ),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a run, a classifier's weights and results of two kinds."""
    folder = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    for number in range(16):
        path = folder / "in" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(rng.random((24, 24, 3), np.float32)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("rrstyle.backend.one_thread", lambda: False)
        for words in (EVALUATE, TRAIN, CLASSIFY):
            assert cli.main(words) == 0
    rows = [
        {"kernel": k, "network": n, "head": "linear", "image": "x", "ssim": 0.8 - 0.1 * k}
        for k in (1, 2, 4)
        for n in range(4)
    ]
    pd.DataFrame(rows).to_csv(folder / "results/kernel-size.csv", index=False)
    meta = {"experiment": "kernel-size", "scale": "laptop", "finished": True}
    (folder / "results/kernel-size.json").write_text(json.dumps(meta))
    vgg16_files.write(folder / "vgg16.h5", vgg16_files.hollow(vgg16_files.random_vgg16()), "keras3")
    return folder


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    """A copy of it, the current folder."""
    shutil.copytree(made, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.setattr("rrstyle.backend.one_thread", lambda: False)
    return tmp_path / "copy"


def outcomes(name: str, use: Callable[[], object], count: int) -> list[str | None]:
    """What became of `use` with so many damaged versions of a file: an error's line, or None."""
    path, rng = Path(name), np.random.default_rng(3)
    whole = path.read_bytes()
    lines: list[str | None] = []
    for _ in range(count):
        path.write_bytes(damaged(whole, rng))
        try:
            use()
        except (ValueError, OSError) as error:
            lines.append(str(error))
        else:
            lines.append(None)
    path.write_bytes(whole)
    use()
    assert not any("\n" in line for line in lines if line)
    return lines


@pytest.mark.parametrize(("name", "count"), [("classifier/classifier.npz", 100), ("vgg16.h5", 30)])
def test_weights(folder, name, count):
    lines = outcomes(name, lambda: load_weights(name), count)
    refused = [line for line in lines if line]
    assert len(refused) > count / 2
    assert all(Path(name).name in line for line in refused)
    assert not any(str(folder) in line for line in refused)


def test_a_run(folder):
    """Its record is needed; of a damaged checkpoint the one before takes the place."""
    newest = max(Path("run/checkpoints").iterdir())

    def load() -> None:
        load_run(Path("run"), best=False)

    assert all(outcomes("run/run.json", load, 20))
    for file in sorted(newest.iterdir()):
        assert outcomes(str(file), load, 10) == [None] * 10
    assert outcomes("run/log.csv", load, 5) == [None] * 5


@pytest.mark.parametrize("name", ["tiny.csv", "tiny.json"])
def test_results_that_a_continued_evaluate_finds(folder, name, capsys):
    keep = Path(shutil.copytree("results", "keep"))

    def again() -> None:
        status = cli.main(EVALUATE)
        errors = [x for x in capsys.readouterr().err.splitlines() if x.startswith("rrstyle: ")]
        assert len(errors) == status <= 1
        if status == 0:  # measured anew what was lost
            assert Path("results/tiny.csv").read_bytes() == (keep / "tiny.csv").read_bytes()
        for path in keep.iterdir():
            shutil.copy(path, "results")
        if errors:
            assert name in errors[0]
            raise ValueError(errors[0])

    assert any(outcomes(f"results/{name}", again, 15))


@pytest.mark.parametrize("name", ["kernel-size.csv", "kernel-size.json"])
def test_results_of_a_report(folder, name, capsys):
    def report() -> None:
        status = cli.main(["report", "results"])
        errors = capsys.readouterr().err.splitlines()
        assert len(errors) == status <= 1
        assert Path("results/report.html").read_text().rstrip().endswith("</html>")
        if errors:
            raise ValueError(errors[0])

    assert any(outcomes(f"results/{name}", report, 20))
