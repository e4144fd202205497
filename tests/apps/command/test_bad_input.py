"""What a person sees when an input, a name or the place for pictures is wrong."""

import errno
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from apps import cli
from apps.batch import run as batch
from apps.errors import explain, one_line
from rrstyle import memory
from rrstyle.pictures.images import encode_png, read_image
from tests.support.bad_images import TEXTS

CHEAP = ("--method", "transport", "--side", "48", "--channels", "8")
GOOD = np.random.default_rng(0).random((30, 40, 3), np.float32)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a", "b", "style"):
        (tmp_path / f"{name}.png").write_bytes(encode_png(GOOD))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> int:
    return cli.main(list(words))


def stylize(*words: str) -> int:
    return run("stylize", *CHEAP, *words, "--style", "style.png")


def only_error(capsys) -> str:
    """The one line on stderr."""
    err = capsys.readouterr().err
    assert err.startswith("rrstyle: ")
    assert err.count("\n") == 1
    return err.removeprefix("rrstyle: ").rstrip("\n")


def test_bad_files_do_not_stop_the_others(folder: Path, capsys) -> None:
    (folder / "in").mkdir()
    (folder / "a.png").rename(folder / "in/a.png")
    whole = (folder / "b.png").read_bytes()
    bad = {f"{kind}.png": data for kind, data in TEXTS.items()}
    bad |= {"cut.png": whole[:-40], "tiny.png": encode_png(GOOD[:1, :1])}
    for name, data in bad.items():
        (folder / "in" / name).write_bytes(data)
    assert stylize("in", "b.png", "-o", "out") == 1
    assert sorted(p.name for p in (folder / "out").iterdir()) == [
        "a-style-s0.png",
        "b-style-s0.png",
    ]
    lines = capsys.readouterr().err.splitlines()
    failures = [line for line in lines if line.startswith("rrstyle: ")]
    assert lines[-len(failures) :] == failures  # a list at the end
    assert lines[-len(failures) - 1].startswith(f"2 of {2 + len(bad)} written to out")
    assert len(failures) == len(bad)
    for name, line in zip(sorted(bad), failures, strict=True):
        assert f"(not made: {name.removesuffix('.png')}-style-s0.png)" in line
        assert ("too small: at least" if name == "tiny.png" else name) in line
        assert "echo" not in line


def test_a_bad_style_is_told_once(folder: Path, capsys) -> None:
    (folder / "bad.png").write_bytes(b"text")
    words = ("stylize", "a.png", "b.png", "--style", "bad.png", "style.png", "-o", "out", *CHEAP)
    assert run(*words) == 1
    failures = [x for x in capsys.readouterr().err.splitlines() if x.startswith("rrstyle: ")]
    assert len(failures) == 1
    assert failures[0].endswith("(not made: a-bad-s0.png, b-bad-s0.png)")
    assert len(list((folder / "out").iterdir())) == 2


def test_notes_on_a_picture_are_told(folder: Path, capsys) -> None:
    see_through = np.concatenate([GOOD, np.full((30, 40, 1), 0.5, np.float32)], axis=-1)
    np.save(folder / "alpha.npy", see_through)
    assert stylize("alpha.npy", "-o", "out.png") == 0
    assert capsys.readouterr().err.startswith("alpha.npy: transparency composited on white\n")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("chelse", "did you mean 'chelsea'?"),
        ("bb.png", "did you mean 'b.png'?"),
        ("nowhere/a.png", "no file, folder or built-in picture has this name"),
        ("../../x", "no file, folder or built-in picture has this name"),
        ("a.png/x", "no file, folder or built-in picture has this name"),
        ("", "no file, folder or built-in picture has this name"),
    ],
)
def test_a_name_that_nothing_has(name: str, words: str, capsys) -> None:
    assert stylize("b.png", name, "-o", "out") == 1
    line = only_error(capsys)
    assert words in line
    assert line.endswith(f"received {name!r}")
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("name", "words"), [("a\0b", "no file can have this name"), ("x" * 300, "the name is too long")]
)
def test_a_name_that_no_file_can_have(name: str, words: str, capsys) -> None:
    assert stylize(name, "b.png", "-o", "out") == 1
    assert [path.name for path in Path("out").iterdir()] == ["b-style-s0.png"]
    assert words in capsys.readouterr().err.splitlines()[-1]


def test_folders_without_pictures_and_missing_arguments(capsys) -> None:
    Path("empty").mkdir()
    assert stylize("empty", "-o", "out") == 1
    assert "the folder has no pictures" in only_error(capsys)
    assert run("stylize", "--style", "style.png", "-o", "out") == 1
    assert "content is missing; name a photograph" in only_error(capsys)
    assert run("stylize", "a.png", "-o", "out") == 1
    assert "style is missing; name a picture with --style" in only_error(capsys)
    assert run("stylize", "a.png", "--style", "b.png") == 2
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("--strength", "1.5"), "strength must be from 0 to 1; received 1.5"),
        (("--strength", "nan"), "strength must be from 0 to 1; received nan"),
        (
            ("--optimise.steps", "0"),
            "steps must be one to six integers from 1 to 100000; received (0,)",
        ),
        (("--channels", "0"), "channels must be an integer from 1 to 4096; received 0"),
        (("--layer", "conv9"), "layer must be conv1_1 to conv5_3 of vgg16; received 'conv9'"),
        (("--seed", "-1"), "seed must be an integer from 0 to 2^128; received -1"),
        (("--variants", "0"), "variants must be an integer from 1 to 10000; received 0"),
        (
            ("--encoder", "w.h5"),
            "encoder must be random, imagenet or an existing file; received 'w.h5'",
        ),
        (("--architecture", "alexnet", "--layer", "conv2", "--channels", "9"), "multiple of 2"),
    ],
)
def test_settings_that_break_a_rule(words: tuple[str, ...], rule: str, capsys) -> None:
    assert stylize("a.png", "-o", "out", *words) == 1
    assert rule in only_error(capsys)
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("stylize", "a.png", "--weights", "x.h5"), "rrstyle: --weights is now --encoder"),
        (("export", "model", "--weights=x.h5"), "rrstyle: --weights is now --encoder"),
        (("export", "model", "--model", "run"), "rrstyle: --model is now --decoder"),
        (("reconstruct", "chelsea", "--model", "run"), "rrstyle: --model is now --decoder"),
    ],
)
def test_options_that_were_renamed_say_so(words: tuple[str, ...], line: str, capsys) -> None:
    assert run(*words) == 2
    assert capsys.readouterr().err == f"{line}\n"


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("nowhere/out.png", "out.png: not written, there is no such folder"),
        ("out.jpg", "pictures are written as PNG; received 'out.jpg'"),
        ("b.png/out", "out: not a directory"),
        ("file", "output must be a folder; received the file 'file'"),
        ("a\0b", "output must be a path without NUL"),
        ("x" * 300, "file name too long"),
        ("/proc/rrstyle", "rrstyle: no such file or directory"),
    ],
)
def test_a_place_that_cannot_be_used(output: str, words: str, capsys) -> None:
    Path("file").touch()
    assert stylize("a.png", "-o", output) == 1
    assert words in only_error(capsys)


def test_one_file_for_several_pictures(capsys) -> None:
    assert stylize("a.png", "b.png", "-o", "out.png") == 1
    assert "output must be a folder for 2 pictures; received 'out.png'" in only_error(capsys)
    assert not Path("out.png").exists()


def test_a_folder_that_is_not_writable(monkeypatch, capsys) -> None:
    def refused(**_):
        raise PermissionError(errno.EACCES, "Permission denied")  # root may write anywhere

    Path("out").mkdir()
    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")  # quiet_start would use it too
    for words in ((), ("x.png",)):
        assert stylize("a.png", "-o", str(Path("out", *words))) == 1
        line = only_error(capsys)
        assert line == (
            "out: nothing can be written to this folder; choose another;"
            " received 'Permission denied'"
        )


def test_a_full_disk_stops_and_leaves_nothing_half(monkeypatch, capsys) -> None:
    written = []

    def full(descriptor):
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    made = []
    real = batch.encode_picture
    monkeypatch.setattr(batch, "encode_picture", lambda *a: made.append(a) or real(*a))
    assert stylize("a.png", "b.png", "style.png", "-o", "out") == 1
    assert len(made) == 2  # the third was not computed in vain
    assert [p.name for p in Path("out").iterdir()] == ["a-style-s0.png"]
    lines = capsys.readouterr().err.splitlines()
    assert lines[-2].startswith("1 of 3 written")
    assert lines[-1].startswith("rrstyle: stopped: b-style-s0.png: not written, the disk is full")


def test_a_folder_of_the_pictures_name(capsys) -> None:
    Path("out/a-style-s0.png").mkdir(parents=True)
    assert stylize("a.png", "b.png", "-o", "out", "--overwrite") == 1
    assert "a folder has the name of the picture" in capsys.readouterr().err
    assert Path("out/b-style-s0.png").is_file()


def test_a_file_that_another_process_made_meanwhile(monkeypatch, capsys) -> None:
    monkeypatch.setattr(batch, "refusal", lambda target, overwrite: None)
    Path("out").mkdir()
    Path("out/a-style-s0.png").write_text("theirs")
    assert stylize("a.png", "b.png", "-o", "out") == 1
    assert Path("out/a-style-s0.png").read_text() == "theirs"
    assert Path("out/b-style-s0.png").is_file()
    assert "(not made: a-style-s0.png)" in capsys.readouterr().err


def test_bad_input_of_the_other_commands(capsys) -> None:
    Path("in").mkdir()
    for name in ("a.png", "b.png"):
        Path("in", name).write_bytes(Path(name).read_bytes())
    Path("bad.png").write_bytes(b"text")
    Path("low.png").write_bytes(encode_png(GOOD[:9]))
    for words, rule in (
        (("reconstruct", "bad.png", "-o", "o.png"), "bad.png: not a PNG"),
        (("reconstruct", "chelse", "-o", "o.png"), "did you mean 'chelsea'?"),
        (("reconstruct", "in", "-o", "o.png"), "image must be one picture"),
        (("reconstruct", "a.png", "-o", "o"), "output must be a .png file; received 'o'"),
        (("reconstruct", "a.png", "-o", "no/o.png"), "there is no such folder"),
        (
            ("reconstruct", "a.png", "-o", "o.png", "--side", "1"),
            "side must be an integer from 16 to 8192",
        ),
        (("reconstruct", "a.png", "-o", "o.png", "--side", "16", "--layer", "conv5"), "too small"),
        (("reconstruct", "low.png", "-o", "o.png", "--side", "40"), "window of SSIM"),
        (("examples", "-o", "a.png"), "output must be a folder; received the file 'a.png'"),
        (("examples", "waves", "-o", "e", "--side", "9"), "side must be from 16 to 4096"),
        (("examples", "waves", "-o", "e", "--seed", "-1"), "seed must be 0 or more"),
    ):
        assert run(*words) == 1, words
        assert rule in only_error(capsys)
    assert not Path("o.png").exists()
    assert read_image("a.png").pixels.shape == (30, 40, 3)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("--channels", "4096", "--kernel", "99"), "channels and kernel must be smaller"),
        (("--side", "8192", "--method", "optimise"), "side must be smaller"),
        (("--style-scale", "4", "--side", "8192"), "side and style_scale must be smaller"),
    ],
)
def test_what_the_memory_has_no_room_for_is_refused_before_a_picture_is_read(
    words: tuple[str, ...], rule: str, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: 21.0)
    monkeypatch.setattr(batch, "Batch", None)
    assert stylize("a.png", "-o", "out", *words) == 1
    line = only_error(capsys)
    assert line.startswith(f"{rule}: the picture needs ")
    assert " GiB of memory, 21.0 are free; received " in line
    if "--method" not in words and "--style-scale" not in words:
        assert run("reconstruct", "a.png", "-o", "o.png", *words) == 1
        assert only_error(capsys).startswith(rule)


def test_other_errors_keep_their_traceback(monkeypatch) -> None:
    monkeypatch.setattr(batch, "make_recipe", lambda *_: {}["a bug"])
    with pytest.raises(KeyError, match="a bug"):
        stylize("a.png", "-o", "out.png")


def test_lines_for_people() -> None:
    assert explain(FileNotFoundError(2, "No such file or directory", "/secret/x.png")) == (
        "x.png: no such file or directory"
    )
    assert explain(ValueError("two\nlines \x1b[31m")) == "two lines [31m"
    assert explain(ValueError("")) == "ValueError"
    assert len(one_line("x" * 2000)) == 600
