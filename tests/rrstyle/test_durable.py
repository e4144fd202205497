"""Files and folders that are there whole or not at all, and locks."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import filelock
import pytest

from rrstyle.durable import locked, remove_folder, whole_folder, write_whole


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
        (tmp_path / "a\0b", ValueError, "no file can have this name"),
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


def test_a_whole_folder_appears_at_the_end(tmp_path):
    target = tmp_path / "out"
    with whole_folder(target) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "a").write_bytes(b"a")
        assert not target.exists()
        assert folder.parent == tmp_path
    assert (target / "sub" / "a").read_bytes() == b"a"
    assert leftovers(tmp_path) == ["out"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_folder_that_fails_leaves_the_one_before(tmp_path, error):
    target = tmp_path / "out"
    target.mkdir()
    (target / "kept").write_bytes(b"")

    def stopped() -> None:
        with whole_folder(target, replace=True) as folder:
            (folder / "new").write_bytes(b"")
            raise error

    with pytest.raises(error):
        stopped()
    assert leftovers(tmp_path) == ["out"]
    assert leftovers(target) == ["kept"]


def test_a_folder_with_content_is_replaced_only_when_told(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").write_bytes(b"")
    with pytest.raises(OSError, match="not empty"), whole_folder(target) as folder:
        (folder / "new").write_bytes(b"")
    assert leftovers(target) == ["old"]
    with whole_folder(target, replace=True) as folder:
        (folder / "new").write_bytes(b"")
    assert leftovers(target) == ["new"]
    assert leftovers(tmp_path) == ["out"]


def test_a_folder_is_put_back_where_its_successor_cannot_be_named(tmp_path, monkeypatch):
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").write_bytes(b"")
    renamed = Path.rename

    def refuse(self, name):
        if name == target and not (self / "old").exists():
            raise PermissionError(errno.EACCES, "Permission denied")
        return renamed(self, name)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError), whole_folder(target, replace=True) as folder:
        (folder / "new").write_bytes(b"")
    assert leftovers(target) == ["old"]
    assert leftovers(tmp_path) == ["out"]


def test_a_removed_folder_is_gone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_bytes(b"")
    remove_folder(tmp_path / "out")
    assert leftovers(tmp_path) == []


def test_a_lock_is_held_by_one_and_released_at_the_end(tmp_path):
    with locked(tmp_path):
        with pytest.raises(BlockingIOError, match="another run is writing it"), locked(tmp_path):
            pass
        code = f"from pathlib import Path; from rrstyle.durable import locked\n\
with locked(Path({str(tmp_path)!r})): pass"
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert other.returncode == 1
        assert "BlockingIOError" in other.stderr
    with locked(tmp_path):
        pass


def test_a_file_system_without_locks_locks_nothing_unless_a_lock_is_required(tmp_path, monkeypatch):
    def refuse(self):
        raise NotImplementedError

    monkeypatch.setattr(filelock.FileLock, "_acquire", refuse)
    with locked(tmp_path), locked(tmp_path):
        pass
    with pytest.raises(OSError, match="No locks available"), locked(tmp_path, required=True):
        pass
