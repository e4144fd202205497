"""Reading with a cap, names shown bare, and files written whole or not at all."""

import errno
import io
import os
import socket
from pathlib import Path

import pytest

from rrstyle.pictures import files
from rrstyle.pictures.images import ImageError, read_image, write_whole
from tests.support import bad_images as bad

# Reading


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


# Writing


def test_write_whole_writes_and_replaces_only_when_told(tmp_path):
    path = tmp_path / "out.png"
    write_whole(path, b"one")
    with pytest.raises(FileExistsError, match=r"^out\.png: not written, the file exists; choose"):
        write_whole(path, b"two")
    assert path.read_bytes() == b"one"
    write_whole(str(path), b"two", overwrite=True)
    assert path.read_bytes() == b"two"
    assert leftovers(tmp_path) == ["out.png"]


def leftovers(folder):
    return sorted(item.name for item in folder.iterdir())


def test_write_whole_obeys_the_umask(tmp_path):
    write_whole(tmp_path / "ours", b"")
    (tmp_path / "plain").write_bytes(b"")
    modes = {(tmp_path / name).stat().st_mode for name in ("ours", "plain")}
    assert len(modes) == 1


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("stage", ["write", "sync"])
def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch, stage, overwrite):
    path = tmp_path / "out.png"
    if overwrite:
        path.write_bytes(b"before")
    before = leftovers(tmp_path)
    if stage == "sync":

        def full(_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
    else:
        opened = Path.open
        monkeypatch.setattr(Path, "open", lambda self, mode: opened(Path("/dev/full"), "wb"))
    with pytest.raises(OSError, match=r"^out\.png: not written, the disk is full") as caught:
        write_whole(path, b"after", overwrite=overwrite)
    monkeypatch.undo()
    assert caught.value.errno == errno.ENOSPC
    assert leftovers(tmp_path) == before
    if overwrite:
        assert path.read_bytes() == b"before"


def test_an_interrupt_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "out.png", b"x")
    assert leftovers(tmp_path) == []


def test_unfit_targets(tmp_path):
    (tmp_path / "file").write_bytes(b"kept")
    (tmp_path / "folder").mkdir()
    cases = [
        (tmp_path / "none" / "x.png", FileNotFoundError, "there is no such folder"),
        (tmp_path / "file" / "x.png", NotADirectoryError, "not a folder"),
        (tmp_path / "folder", OSError, "not a regular file"),
        (tmp_path / ("n" * 300), OSError, "name is too long"),
        (tmp_path / "a\0b", ImageError, "no file can have this name"),
        (Path("/dev/full"), OSError, "not a regular file"),
    ]
    for path, error, words in cases:
        with pytest.raises(error, match=words) as caught:
            write_whole(path, b"x", overwrite=True)
        assert "\n" not in str(caught.value)
        assert "; received " in str(caught.value)
    assert leftovers(tmp_path) == ["file", "folder"]
    assert (tmp_path / "file").read_bytes() == b"kept"
    assert Path("/dev/full").is_char_device()


def test_an_unwritable_folder(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # tests may run as root, who may write anywhere
    with pytest.raises(PermissionError, match=r"^x\.png: not written, permission is denied"):
        write_whole(tmp_path / "x.png", b"x")


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_name_taken_meanwhile_is_kept(tmp_path, monkeypatch, hard_links):
    path = tmp_path / "out.png"
    if not hard_links:
        without_hard_links(monkeypatch)
    synced = os.fsync

    def taken_now(stream):
        synced(stream)
        path.write_bytes(b"theirs")

    monkeypatch.setattr(os, "fsync", taken_now)
    with pytest.raises(FileExistsError):
        write_whole(path, b"ours")
    assert path.read_bytes() == b"theirs"
    assert leftovers(tmp_path) == ["out.png"]


def without_hard_links(monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)


def test_a_file_system_without_hard_links(tmp_path, monkeypatch):
    without_hard_links(monkeypatch)
    write_whole(tmp_path / "out.png", b"one")
    assert (tmp_path / "out.png").read_bytes() == b"one"
    assert leftovers(tmp_path) == ["out.png"]


def test_a_symbolic_link_is_replaced_not_followed(tmp_path):
    (tmp_path / "aim").write_bytes(b"kept")
    (tmp_path / "link").symlink_to(tmp_path / "aim")
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "link", b"new")
    write_whole(tmp_path / "link", b"new", overwrite=True)
    assert (tmp_path / "aim").read_bytes() == b"kept"
    assert (tmp_path / "link").read_bytes() == b"new"
