"""The command `rrstyle`, in this process: names, files written, exit status, what is printed."""

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rrstyle.export.saved_model
from apps import cli
from apps.batch import run as batch
from apps.options.commands import Export
from apps.progress import ProgressLine, duration
from apps.service import server
from apps.service.limits import ServerConfig
from rrstyle import pipeline
from rrstyle.config import NetworkConfig, StyleConfig
from rrstyle.examples import PHOTOGRAPHS, STYLES
from rrstyle.pictures.images import digest, encode_png, read_image
from rrstyle.progress import Step
from rrstyle.recipes import read_recipe
from tests.support.command import COMMAND

CHEAP = ("--method", "transport", "--side", "48", "--channels", "8")
REPOSITORY = Path(__file__).parents[3]


def picture(seed: int, height: int = 30, width: int = 40) -> np.ndarray:
    """A smooth random picture."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((height // 5, width // 5, 3), np.float32)
    return np.kron(coarse, np.ones((5, 5, 1), np.float32))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with photographs in photos/ and style pictures in styles/."""
    for number, name in enumerate(("photos/a.png", "photos/b.png", "styles/x.png", "styles/y.png")):
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(encode_png(picture(number)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> int:
    return cli.main(list(words))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_cross_product_of_folders_files_and_names(folder: Path, capsys) -> None:
    (folder / "photos/notes.txt").write_text("no picture")
    (folder / "photos/._a.png").write_bytes(b"of another program")
    (folder / "photos/deeper.png").mkdir()
    words = ("photos", "photos/a.png", "chelsea", "--style", "styles/x.png", "waves")
    assert run("stylize", *words, "-o", "new/out", *CHEAP) == 0
    stems = [f"{c}-{s}-s0.png" for c in ("a", "b", "chelsea") for s in ("waves", "x")]
    assert names(folder / "new/out") == sorted(stems)
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 7
    assert lines[0].startswith("1/6 a-x-s0.png")
    assert lines[-1].startswith("6 of 6 written to new/out in 0:")
    made = read_image(folder / "new/out/a-x-s0.png").pixels
    config = StyleConfig(method="transport", side=48)
    config = replace(config, encoder=replace(config.encoder, channels=8))
    inputs = (read_image(name).pixels for name in ("photos/a.png", "styles/x.png"))
    wanted = pipeline.stylize(*inputs, config, seed=0)
    np.testing.assert_array_equal(made, read_image(encode_png(wanted)).pixels)


def test_variants_are_of_consecutive_seeds(folder: Path) -> None:
    words = ("photos/a.png", "--style", "styles/x.png", "-o", "out", *CHEAP, "--seed", "5")
    assert run("stylize", *words, "--variants", "2") == 0
    assert names(folder / "out") == ["a-x-s5.png", "a-x-s6.png"]
    assert [read_recipe(folder / f"out/a-x-s{s}.png").seed for s in (5, 6)] == [5, 6]
    assert digest(read_image("out/a-x-s5.png").pixels) != digest(
        read_image("out/a-x-s6.png").pixels
    )


def test_transparency_of_a_photograph_is_kept_unless_refused(folder: Path) -> None:
    alpha = np.tile(np.linspace(0, 1, 40, dtype=np.float32), (30, 1))
    (folder / "photos/a.png").write_bytes(encode_png(picture(0), alpha=alpha))
    words = ("photos", "--style", "styles/x.png", *CHEAP)
    assert (
        run("stylize", *words, "-o", "kept")
        == run("stylize", *words, "-o", "on", "--no-keep-alpha")
        == 0
    )
    kept, other = (read_image(folder / f"kept/{name}-x-s0.png") for name in "ab")
    assert kept.alpha is not None
    assert kept.alpha.shape == (36, 48)
    np.testing.assert_allclose(kept.alpha[0, ::6], np.linspace(0, 1, 48)[::6], atol=0.03)
    assert other.alpha is None
    assert read_image(folder / "on/a-x-s0.png").alpha is None
    assert read_recipe(folder / "kept/a-x-s0.png").content.name == "a.png"


def test_names_that_clash_get_a_numeral(folder: Path) -> None:
    (folder / "styles/a.png").write_bytes(encode_png(picture(7)))
    words = ("photos/a.png", "styles/a.png", "--style", "styles/x.png", "-o", "out", *CHEAP)
    assert run("stylize", *words) == 0
    assert names(folder / "out") == ["a-x-s0-2.png", "a-x-s0.png"]


def test_odd_file_names_make_safe_ones(folder: Path) -> None:
    long = "ä" * 120  # 240 bytes
    for name in (f"{long}.png", "... a\n&b;.png"):
        (folder / name).write_bytes(encode_png(picture(8)))
    words = (f"{long}.png", "... a\n&b;.png", "--style", "styles/x.png", "-o", "out", *CHEAP)
    assert run("stylize", *words) == 0
    assert names(folder / "out") == ["a-b-x-s0.png", "ä" * 40 + "-x-s0.png"]


def test_a_file_goes_before_a_built_in_of_its_name(folder: Path) -> None:
    (folder / "chelsea").write_bytes(encode_png(picture(9)))
    assert run("stylize", "chelsea", "--style", "styles/x.png", "-o", "out.png", *CHEAP) == 0
    assert read_recipe("out.png").content.digest == digest(read_image("chelsea").pixels)


def test_existing_files_are_refused_before_computing(folder: Path, capsys, monkeypatch) -> None:
    words = ("stylize", "photos/a.png", "--style", "styles/x.png", "-o", "out", *CHEAP)
    assert run(*words, "--seed", "1") == 0
    kept = (folder / "out/a-x-s1.png").read_bytes()
    capsys.readouterr()
    seeds = []
    real = pipeline.variants

    def counted(*args, n, seed, **rest):
        seeds.append((seed, n))
        return real(*args, n=n, seed=seed, **rest)

    monkeypatch.setattr(pipeline, "variants", counted)
    assert run(*words, "--variants", "3") == 1
    assert seeds == [(0, 1), (2, 1)]
    assert (folder / "out/a-x-s1.png").read_bytes() == kept
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "1/3 not made: a-x-s1.png"
    assert lines[-1].startswith("rrstyle: the file exists; pass --overwrite")
    assert lines[-1].endswith("(not made: a-x-s1.png)")
    seeds.clear()
    assert run(*words, "--seed", "1", "--overwrite", "--strength", "0.5") == 0
    assert seeds == [(1, 1)]
    assert (folder / "out/a-x-s1.png").read_bytes() != kept
    assert names(folder / "out") == ["a-x-s0.png", "a-x-s1.png", "a-x-s2.png"]


def test_ctrl_c_keeps_what_is_finished(folder: Path, capsys, monkeypatch) -> None:
    real = batch.write_whole

    def interrupted(path, data, **rest):
        if path.name == "b-x-s0.png":
            raise KeyboardInterrupt
        real(path, data, **rest)

    monkeypatch.setattr(batch, "write_whole", interrupted)
    assert run("stylize", "photos", "--style", "styles/x.png", "-o", "out", *CHEAP) == 130
    assert names(folder / "out") == ["a-x-s0.png"]
    lines = capsys.readouterr().err.splitlines()
    assert lines[-2].startswith("1 of 2 written")
    assert lines[-1] == "rrstyle: interrupted"


def test_an_interrupt_that_gets_lost_is_told_all_the_same(folder, capsys, monkeypatch) -> None:
    def swallowed(*args, **rest):
        with contextlib.suppress(KeyboardInterrupt):  # as TensorFlow does while it traces
            signal.raise_signal(signal.SIGINT)
        raise ValueError("None values not supported.")

    monkeypatch.setattr(pipeline, "variants", swallowed)
    assert run("stylize", "photos", "--style", "styles/x.png", "-o", "out", *CHEAP) == 130
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" written")[0] for line in lines] == ["0 of 2", "rrstyle: interrupted"]
    # The next command knows nothing of it.
    assert run("stylize", "nowhere.png", "--style", "styles/x.png", "-o", "out", *CHEAP) == 1


@pytest.mark.parametrize("words", [["--help"], ["examples"], ["--version"], ["stylize", "--help"]])
def test_nothing_is_said_where_nobody_reads(words) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as closed:  # noqa: PTH123
        found = subprocess.run(
            [*COMMAND, *words],
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            stdout=closed,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
    assert found.stderr == b""
    assert found.returncode == 141


def test_a_signal_ends_the_process_with_130(folder: Path) -> None:
    slow = ("--method", "optimise", "--side", "400", "--optimise.steps", "1000")
    with subprocess.Popen(
        [*COMMAND, "stylize", "chelsea", "--style", "waves", "-o", "out", *slow],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        # The folder is made when checking is over and computing begins.
        deadline = time.monotonic() + 90
        while not (folder / "out").exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
    assert process.returncode == 130, err
    assert err.splitlines() == [err.splitlines()[0], "rrstyle: interrupted"]  # no chatter either
    assert err.startswith("0 of 1 written")
    assert names(folder / "out") == []


def test_help_is_light() -> None:
    code = (
        "import sys; from apps.cli import main; status = main(['stylize', '--help']);"
        "heavy = {'keras', 'tensorflow', 'jax', 'gradio', 'skimage', 'scipy', 'PIL', 'numba'};"
        "sys.exit(status or str(heavy & set(sys.modules) or '') or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_help_and_version(capsys) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == "rrstyle 0.1.0\n"
    for words in ((), ("--help",)):
        assert run(*words) == 0
        out = capsys.readouterr().out
        for command in ("stylize", "examples", "reconstruct", "export", "app"):
            assert command in out
    assert run("stylize", "--help") == 0
    out = capsys.readouterr().out
    for option in ("--method", "--wildness", "--channels", "--optimise.steps", "--paint.size"):
        assert option in out
    assert "--encoder." not in out
    assert StyleConfig.__dataclass_fields__["side"].default == 512
    assert "(default: 512)" in out


@pytest.mark.parametrize("words", [["styliz"], ["app", "--prot", "1"], ["stylize", "--side", "x"]])
def test_words_that_make_no_sense(words: list[str], capsys) -> None:
    assert run(*words) == 2
    assert "rrstyle" in capsys.readouterr().err


def test_typos_get_a_suggestion(capsys) -> None:
    assert run("stylize", "chelsea", "--style", "waves", "-o", "o", "--methd", "paint") == 2
    assert "--method" in capsys.readouterr().err
    assert run("stylize", "chelsea", "--style", "waves", "-o", "o", "--law", "gausian") == 2
    assert "did you mean 'gaussian'?" in " ".join(capsys.readouterr().err.split())


def test_examples_are_listed(capsys) -> None:
    for words in ((), ("--list",)):
        assert run("examples", *words) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == len(PHOTOGRAPHS) + len(STYLES)
        assert lines[0].startswith("chelsea ")
        assert "photograph: " in lines[0]


def test_examples_are_written(folder: Path, capsys) -> None:
    words = ("examples", "waves", "chelsea", "-o", "examples", "--side", "32", "--seed", "1")
    assert run(*words) == 0
    assert names(folder / "examples") == ["chelsea.png", "waves.png"]
    assert read_image("examples/waves.png").pixels.shape == (32, 32, 3)
    assert read_image("examples/chelsea.png").pixels.shape == (300, 451, 3)
    assert capsys.readouterr().out == "2 pictures written to examples\n"
    assert run(*words) == 1
    assert capsys.readouterr().err.startswith("rrstyle: waves.png: the file exists; pass --over")
    assert run(*words, "--overwrite") == 0
    assert run("examples", "wavs", "-o", "more") == 1
    assert "did you mean 'waves'?" in capsys.readouterr().err
    assert not (folder / "more").exists()


def test_reconstruct(folder: Path, capsys) -> None:
    words = ("reconstruct", "chelsea", "-o", "cd.png", "--side", "48", "--channels", "16")
    assert run(*words) == 0
    out = capsys.readouterr().out
    random, ridge = (line.split()[1:] for line in out.splitlines()[2:4])
    assert float(ridge[0]) > 0.9 > float(random[0])
    assert float(ridge[1]) > 0.95
    assert "sigma 1.5" in out
    height, width = read_image("cd.png").pixels.shape[:2]
    assert height > 32
    assert width >= 3 * 48
    assert run(*words) == 1
    assert "pass --overwrite" in capsys.readouterr().err
    Path("grey.png").write_bytes(encode_png(np.full((20, 20, 3), 0.5, np.float32)))
    assert run("reconstruct", "grey.png", "-o", "g.png", "--side", "20", "--channels", "8") == 0
    out = capsys.readouterr().out
    assert "undefined" in out
    assert not re.search(r"\bnan\b", out, re.IGNORECASE)


def test_export_and_app_are_called(folder: Path, monkeypatch) -> None:
    calls = []
    monkeypatch.setattr(
        rrstyle.export.saved_model,
        "export_saved_model",
        lambda *a, **k: calls.append((a, k)),
        raising=False,
    )
    monkeypatch.setattr(server, "launch", calls.append)
    assert run("export", "model", "--seed", "3", "--channels", "16", "--overwrite") == 0
    (directory, config), options = calls.pop()
    assert directory == Path("model")
    assert type(config) is StyleConfig
    assert type(config.encoder) is NetworkConfig
    assert config.encoder.channels == 16
    assert options == {"seed": 3, "overwrite": True}
    assert run("app", "--port", "7999") == 0
    assert calls == [ServerConfig(port=7999)]
    assert Export(directory=Path("m")).config.method == "transport"  # paint has no closed form


def test_progress_on_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    now = [0.0]
    stream = Terminal()
    progress = ProgressLine(stream, 2, clock=lambda: now[0])
    now[0] = 10.0
    progress.show("picture 1 of 2", Step("refining", 0.25))
    now[0] = 10.01
    progress.show("picture 1 of 2", Step("too soon after", 0.26))
    now[0] = 20.0
    progress.count(1, "a.png")
    assert stream.getvalue() == (
        "\r 25% picture 1 of 2, refining, 0:30 left\x1b[K\r\x1b[K1/2 a.png, 0:20 left\n"
    )
    assert [duration(s) for s in (0, 59.6, 3600)] == ["0:00", "1:00", "1:00:00"]
