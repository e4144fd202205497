"""Reading with a cap, and names shown bare."""

import errno
import io
import socket
from pathlib import Path

import pytest

from rrstyle.pictures import files
from rrstyle.pictures.images import ImageError, read_image
from tests.support import bad_images as bad


def test_a_missing_file_a_folder_and_a_path_through_a_file(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    cases = {
        tmp_path / "none.png": (FileNotFoundError, "none.png: cannot be read, there is no such"),
        tmp_path: (IsADirectoryError, "not a regular file"),
        tmp_path / "file" / "x.png": (NotADirectoryError, "part of its path is not a folder"),
        tmp_path / ("n" * 300): (OSError, "the name is too long"),
        Path("/dev/null"): (OSError, "not a regular file"),
    }
    for path, (error, words) in cases.items():
        for source in (path, str(path)):
            with pytest.raises(error, match=words) as caught:
                read_image(source)
            assert "\n" not in str(caught.value)
            assert "; received " in str(caught.value)
            assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("path", ["a\0b.png", "a\ud800b.png"])
def test_a_path_that_no_file_can_have(path):
    with pytest.raises(ImageError, match=r"^ab\.png: cannot be read, no file can have this name"):
        read_image(path)


def test_an_unreadable_file(tmp_path, monkeypatch):
    path = tmp_path / "x.png"
    path.write_bytes(b"")

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)  # tests may run as root, who may read anything
    with pytest.raises(PermissionError, match=r"^x\.png: cannot be read, permission is denied"):
        read_image(path)


def test_a_socket_does_not_hang(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        with pytest.raises(IsADirectoryError):
            read_image("s")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\pictures\\x.png", "x.png"),
        ("a\0b\nc\x1b[31m\u202e.png", "abc[31m.png"),
        ("line\u2028break", "linebreak"),
        ("\ud800x", "x"),
        ("n" * 300, "n" * 99 + "…"),
        ("", "image"),
        ("..", "image"),
        ("folder/", "image"),
        ("été 🎨.png", "été 🎨.png"),
    ],
)
def test_names_are_shown_bare_and_never_opened(name, shown):
    assert read_image(bad.saved(bad.plain(), "PNG"), name=name).name == shown


def test_large_files_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "big.png"
    path.write_bytes(bad.saved(bad.plain(), "PNG"))
    monkeypatch.setattr(files, "MAX_BYTES", 50)
    for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes())):
        with pytest.raises(ImageError, match="too large; at most 50 bytes; received "):
            read_image(source)


def test_streams_are_read_from_where_they_stand():
    stream = io.BytesIO(b"before" + bad.saved(bad.plain(), "PNG"))
    stream.seek(6)
    assert read_image(stream).name == "image"
