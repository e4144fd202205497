"""Folder trees listed, checked, kept, divided and reported."""

import csv
import json
import os

import numpy as np
import pytest
from PIL import Image

from recon.data import index as image_index
from recon.data.index import ImageIndex, name_hash, scan, split, write_report
from tests.support import bad_images as bad

PNG = bad.saved(bad.plain(), "PNG")
JPEG = bad.saved(bad.plain(), "JPEG")


def fill(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@pytest.fixture
def tree(tmp_path):
    return fill(
        tmp_path / "tree",
        {"b/2.PNG": PNG, "b/10.png": PNG, "a/x/é.JPEG": JPEG, "B/1.png": PNG, "a-b/3.png": PNG},
    )


def reasons(index):
    return dict(index.bad)


# Names and classes


def test_names_are_sorted_as_bytes(tree):
    index = scan(tree)
    assert index.names == ("B/1.png", "a-b/3.png", "a/x/é.JPEG", "b/10.png", "b/2.PNG")
    assert index.classes == ("B", "a", "a-b", "b")
    assert index.labels.tolist() == [0, 2, 1, 3, 3]
    assert index.labels.dtype == np.int32
    assert index.bad == ()
    assert index.folder == tree


def test_a_picture_outside_the_folders_leaves_no_classes(tree):
    index = scan(fill(tree, {"top.png": PNG}))
    assert index.names[-1] == "top.png"
    assert index.classes is None
    assert index.labels is None


def test_hidden_and_foreign_files_are_no_pictures(tree):
    before = scan(tree)
    fill(tree, {".git/1.png": PNG, "b/._2.png": b"", "b/notes.txt": b"x", "synset": b"x"})
    assert scan(tree) == before


def test_digest_follows_the_names_alone(tree):
    first = scan(tree)
    fill(tree, {"b/2.PNG": bad.saved(bad.plain(colour=bad.BLUE), "PNG")})
    assert scan(tree).digest == first.digest
    fill(tree, {"b/3.png": PNG})
    assert scan(tree).digest != first.digest
    # Where one name ends and the next begins is part of it.
    one, two = (ImageIndex(tree, names, None) for names in (("ab", "c"), ("a", "bc")))
    assert one.digest != two.digest


# Bad files


def test_bad_files_are_named_and_skipped(tree):
    damaged = {
        "b/cut header.jpg": JPEG[:30],
        "b/empty.png": b"",
        "b/video.png": b"\0\0\0\x18ftypisom" + b"\0\0\2\0isommp41",
        "b/huge.png": bad.bomb(10_000, 10_000),
        "b/longer.npy": bad.npy(np.zeros((2, 2))) + b"x",
        "b/objects.npy": bad.npy(np.array([["x"]], object)),
        "b/pixels missing.npy": bad.npy(np.zeros((4, 4, 3)))[:-8],
        "b/shape.npy": bad.npy(np.zeros((4, 4, 2))),
        "b/header.npy": bad.npy_header_only((8000, 8001)),
        **{f"b/{kind}.png": data for kind, data in bad.TEXTS.items()},
    }
    before = scan(tree)
    index = scan(fill(tree, damaged))
    assert index.names == before.names
    assert set(reasons(index)) == set(damaged)
    for name, reason in index.bad:
        assert reason.startswith(f"{name[2:]}: ")
        assert "; received " in reason
        assert "\n" not in reason
    assert "not a PNG, JPEG" in reasons(index)["b/video.png"]
    assert "too large" in reasons(index)["b/huge.png"]
    assert list(index.bad) == sorted(index.bad)


KINDS = ("webp", "heic", "avif", "gif", "bmp", "tiff")


def test_sound_files_of_every_kind_are_kept(tmp_path):
    files = {
        "npy.npy": bad.npy(np.zeros((4, 4, 3), np.float32)),
        "grey.npy": bad.npy(np.zeros((4, 4), np.uint8)),
        "wrong suffix.png": JPEG,
        **{f"{kind}.{kind}": bad.saved(bad.plain(), kind.upper()) for kind in KINDS},
        "cmyk.jpg": bad.saved(bad.plain("CMYK", (0, 0, 0, 0)), "JPEG"),
        "animated.png": bad.animated("PNG"),
        "odd exif.jpg": bad.saved(bad.plain(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff"),
    }
    index = scan(fill(tmp_path, files))
    assert set(index.names) == set(files)
    assert not index.bad


def test_no_picture_is_decoded(tree, monkeypatch):
    monkeypatch.setattr(image_index, "read_image", None)
    noise = bad.saved(Image.fromarray(bad.noise(64, 64, seed=1)), "JPEG")
    fill(tree, {"b/cut off.jpg": noise[:-500]})
    assert "b/cut off.jpg" in scan(tree).names


def test_broken_links_and_loops_are_named(tree):
    (tree / "b" / "gone.png").symlink_to("nowhere.png")
    (tree / "b" / "self.png").symlink_to("self.png")
    (tree / "b" / "up").symlink_to("..")
    (tree / "a" / "b").symlink_to("../b")
    before = 5
    index = scan(tree)
    assert len(index.names) == before
    assert set(reasons(index)) == {"b/gone.png", "b/self.png", "b/up/", "a/b/"}
    assert reasons(index)["b/up/"] == "a link to a folder met already; received './'"
    assert reasons(index)["a/b/"] == "a link to a folder met already; received 'b/'"


def test_links_out_of_the_tree_are_followed_once(tmp_path, tree):
    outside = fill(tmp_path / "outside", {"deep/o.png": PNG})
    (outside / "deep" / "round").symlink_to("..")
    (tree / "c").symlink_to(outside)
    (tree / "d.png").symlink_to(outside / "deep" / "o.png")
    index = scan(tree)
    assert [name for name in index.names if "o.png" in name or "d.png" in name] == [
        "c/deep/o.png",
        "d.png",
    ]
    assert set(reasons(index)) == {"c/deep/round/"}


def test_a_pipe_is_named_and_not_waited_for(tree):
    os.mkfifo(tree / "b" / "pipe.png")
    assert "not a regular file" in reasons(scan(tree))["b/pipe.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_named(tree):
    (tree / "b" / "2.PNG").chmod(0)
    (tree / "a").chmod(0)
    try:
        found = reasons(scan(tree))
    finally:
        (tree / "a").chmod(0o700)
    assert "permission is denied" in found["b/2.PNG"]
    assert found["a/"].startswith("the folder cannot be listed; received ")


def test_a_folder_that_cannot_be_listed_is_named(tree, monkeypatch):
    listed = os.scandir

    def scandir(place):
        if os.fspath(place).rstrip("/").endswith("x"):
            raise PermissionError(13, "Permission denied")
        return listed(place)

    monkeypatch.setattr(os, "scandir", scandir)
    index = scan(tree)
    assert index.bad == (("a/x/", "the folder cannot be listed; received 'Permission denied'"),)
    assert index.classes == ("B", "a-b", "b")


def test_names_that_are_no_text(tmp_path):
    name = os.fsdecode(b"caf\xe9,\n.png")
    try:
        fill(tmp_path, {name: b"", f"b{name}": PNG})
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    cache = tmp_path / "cache.json"
    index = scan(tmp_path, cache=cache)
    assert index.names == (f"b{name}",)
    assert scan(tmp_path, cache=cache) == index
    assert len(index.digest) == 64
    assert 0 <= name_hash(index.names[0], "") < 1
    write_report(index, tmp_path / "bad.csv")
    assert b'"caf\xe9,\n.png",' in (tmp_path / "bad.csv").read_bytes()


def test_nothing_to_use_is_said_in_a_line(tmp_path):
    with pytest.raises(ValueError, match=r"^folder must be a folder of pictures; received .*gone"):
        scan(tmp_path / "gone")
    with pytest.raises(ValueError, match=r"^folder must hold a picture .*; received 'test_noth"):
        scan(tmp_path)
    fill(tmp_path, {"a.png": b""})
    with pytest.raises(ValueError, match=r"the first of 1 files that cannot be used: a\.png: not"):
        scan(tmp_path)
    with pytest.raises(ValueError, match=r"^cache must lie in a folder that exists; received "):
        scan(tmp_path, cache=tmp_path / "none" / "cache.json")


# Progress and cache


def test_progress_ends_at_one_and_can_stop(tree):
    steps = []
    scan(tree, on_step=steps.append)
    assert steps[-1].fraction == 1
    assert [step.fraction for step in steps] == sorted(step.fraction for step in steps)

    def stop(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(tree, on_step=stop)


def test_the_cache_saves_the_check(tree, tmp_path, monkeypatch):
    cache = tmp_path / "cache.json"
    fill(tree, {"b/bad.png": b""})
    index = scan(tree, cache=cache)
    checked, steps = [], []
    inner = image_index._complaint
    with monkeypatch.context() as patch:
        patch.setattr(
            image_index, "_complaint", lambda *args: checked.append(args[1].name) or inner(*args)
        )
        again = scan(tree, cache=cache, on_step=steps.append)
    assert again == index
    np.testing.assert_array_equal(again.labels, index.labels)
    assert checked == ["b/bad.png"]
    assert steps[-1].fraction == 1
    assert [item.name for item in tmp_path.iterdir() if item.is_file()] == ["cache.json"]


def test_what_was_bad_gets_another_chance(tree, tmp_path, monkeypatch):
    # A file that may be read again has the size and the time it had.
    cache = tmp_path / "cache.json"
    with monkeypatch.context() as patch:
        patch.setattr(
            image_index, "_complaint", lambda _, file: "denied" if file.size == len(JPEG) else None
        )
        assert scan(tree, cache=cache).bad == (("a/x/é.JPEG", "denied"),)
    assert scan(tree, cache=cache).bad == ()
    assert scan(tree, cache=cache) == scan(tree)


def change_nothing_but_the_time(tree):
    os.utime(tree / "b" / "2.PNG", ns=(1, 1))


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: fill(tree, {"b/3.png": b""}),
        lambda tree: (tree / "b" / "2.PNG").unlink(),
        lambda tree: (tree / "b" / "2.PNG").rename(tree / "b" / "4.png"),
        lambda tree: fill(tree, {"b/2.PNG": b""}),
        lambda tree: (tree / "b" / "loop").symlink_to("."),
        change_nothing_but_the_time,
    ],
)
def test_a_changed_tree_is_checked_again(tree, tmp_path, change):
    cache = tmp_path / "cache.json"
    scan(tree, cache=cache)
    listing = json.loads(cache.read_text())["listing"]
    change(tree)
    assert scan(tree, cache=cache) == scan(tree)
    assert json.loads(cache.read_text())["listing"] != listing


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"null", b"\xff", b'{"format": 0}', b"{", b'{"format": 1}']
)
def test_an_unfit_cache_is_made_again(tree, tmp_path, content):
    cache = tmp_path / "cache.json"
    cache.write_bytes(content)
    index = scan(tree, cache=cache)
    assert index == scan(tree)
    assert json.loads(cache.read_text())["bad"] == []


@pytest.mark.parametrize("entries", [None, 3, [1], [["a"]], ["abc"]])
def test_a_cache_of_other_content_is_made_again(tree, tmp_path, entries):
    cache = tmp_path / "cache.json"
    scan(tree, cache=cache)
    cache.write_text(json.dumps(json.loads(cache.read_text()) | {"bad": entries}))
    assert scan(tree, cache=cache).bad == ()


# Report and split


def test_the_report_lists_what_is_bad(tree, tmp_path):
    path = tmp_path / "bad.csv"
    assert not write_report(scan(tree), path)
    assert not path.exists()
    index = scan(fill(tree, {'b/a, "quoted".png': b"", "b/0.png": b""}))
    for _ in range(2):  # a report that is there is replaced
        assert write_report(index, path, later=[("b/10.png", "found later")])
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["name", "reason"]
    assert rows[1:] == sorted([*map(list, index.bad), ["b/10.png", "found later"]])


def many(count):
    names = tuple(f"c{i % 3}/{i}.png" for i in range(count))
    return ImageIndex(folder=None, names=names, classes=("c0", "c1", "c2"))


def test_split_shares_out_all_pictures():
    index = many(4000)
    left, held_out = split(index, 0.1)
    assert set(left.names) | set(held_out.names) == set(index.names)
    assert not set(left.names) & set(held_out.names)
    # A binomial count.
    assert abs(len(held_out.names) - 400) < 5 * np.sqrt(4000 * 0.1 * 0.9)
    for part in (left, held_out):
        assert part.classes == index.classes
        assert [f"c{label}" for label in part.labels] == [name[:2] for name in part.names]


def test_split_moves_no_picture_when_others_come():
    few, more = (set(split(many(count), 0.2)[1].names) for count in (1000, 1500))
    assert few <= more
    smaller = set(split(many(1000), 0.1)[1].names)
    assert smaller < few


def test_split_refuses():
    for fraction in (0, 1, -0.1, float("nan")):
        with pytest.raises(ValueError, match="fraction must be above 0 and below 1; received"):
            split(many(10), fraction)
    with pytest.raises(ValueError, match=r"on both sides; received 1e-09 of 10 pictures"):
        split(many(10), 1e-9)


def test_name_hash_is_uniform_and_the_same_everywhere():
    values = np.array([name_hash(str(i), "x") for i in range(2000)])
    other = np.array([name_hash(str(i), "y") for i in range(2000)])
    assert abs(values.mean() - 0.5) < 5 * np.sqrt(1 / 12 / 2000)
    assert abs(np.corrcoef(values, other)[0, 1]) < 5 / np.sqrt(2000)
    # Noted down once: another number would move pictures between the parts of a split.
    assert name_hash("n01440764/n01440764_18.JPEG", "split") == 0.29546871308128997
