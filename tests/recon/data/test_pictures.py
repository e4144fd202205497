"""Which pictures are evaluated: drawn by the seed, read lazily, cut to squares."""

import numpy as np
import pytest

from recon.data import pictures as data
from recon.data.pictures import load_classes, load_pictures
from rrstyle.examples import PHOTOGRAPHS, photograph
from rrstyle.pictures.images import encode_png, read_image, resize


def picture(value: float, height: int = 20, width: int = 30) -> bytes:
    return encode_png(np.full((height, width, 3), value, np.float32))


@pytest.fixture
def folder(tmp_path):
    """Ten pictures in two folders of classes, as ImageNet has them, and what is none."""
    for n in range(10):
        place = tmp_path / f"n{n % 2}"
        place.mkdir(exist_ok=True)
        (place / f"{n // 2}.png").write_bytes(picture(n / 10))
    (tmp_path / "n0/notes.txt").write_text("none")
    (tmp_path / "n0/._0.png").write_text("of another program")
    (tmp_path / ".thumbnails").mkdir()
    (tmp_path / ".thumbnails/0.png").write_bytes(picture(1))
    return tmp_path


def grey(pictures) -> list[float]:
    return [round(float(p.mean()), 1) for p in pictures.pixels[1:]]


def test_the_cat_comes_first_then_what_the_seed_draws(folder):
    pictures, notes = load_pictures(folder, 11, 16, seed=0)
    assert pictures.names[0] == "chelsea"
    assert pictures.pixels.shape == (11, 16, 16, 3)
    assert pictures.pixels.dtype == np.float32
    assert 0 <= pictures.pixels.min() < pictures.pixels.max() <= 1
    assert sorted(grey(pictures)) == [n / 10 for n in range(10)]  # each once
    assert notes == []
    again, _ = load_pictures(folder, 11, 16, seed=0)
    np.testing.assert_array_equal(again.pixels, pictures.pixels)
    assert again.names == pictures.names
    fewer, _ = load_pictures(folder, 4, 16, seed=0)
    np.testing.assert_array_equal(fewer.pixels, pictures.pixels[:4])
    other, _ = load_pictures(folder, 11, 16, seed=1)
    assert grey(other) != grey(pictures)


def test_names_are_bare_and_differ(folder):
    pictures, _ = load_pictures(folder, 11, 8, seed=0)
    assert len(set(pictures.names)) == 11
    assert set(pictures.names[1:]) == {f"{n}.png" for n in range(5)} | {
        f"{n}.png (2)" for n in range(5)
    }


def test_only_what_is_drawn_is_read(folder, monkeypatch):
    read = []
    monkeypatch.setattr(data, "read_image", lambda path: read.append(path) or read_image(path))
    load_pictures(folder, 4, 8, seed=0)
    assert len(read) == 3
    read.clear()
    load_pictures(folder, 1, 8, seed=0)
    assert read == []


def test_a_bad_file_makes_way_for_the_next(folder):
    all_of_them, _ = load_pictures(folder, 11, 8, seed=0)
    values = grey(all_of_them)
    bad = round(values[1] * 10)  # the second that is drawn
    (folder / f"n{bad % 2}/{bad // 2}.png").write_bytes(b"no picture")
    pictures, notes = load_pictures(folder, 4, 8, seed=0)
    assert grey(pictures) == [values[0], values[2], values[3]]
    assert len(notes) == 1
    assert notes[0].startswith(f"not used, the next one drawn instead: {bad // 2}.png: ")


def test_many_bad_files_are_counted(folder):
    for n in range(40):
        (folder / f"bad{n}.png").write_bytes(b"no picture")
    _, notes = load_pictures(folder, 11, 8, seed=0)
    assert len(notes) == 6
    assert notes[-1].startswith("not used either: ")


@pytest.mark.parametrize(
    ("where", "rule"),
    [
        ("missing", "images must be a folder of pictures; received "),
        ("n0/0.png", "images must be a folder of pictures; received "),
        ("empty", "images must hold at least 3 pictures; received 0, in 'empty'"),
        ("n0", r"at least 3 pictures; received 2, and 3 that cannot be read \(\d.png: .*'n0'"),
    ],
)
def test_folders_that_do_not_do(folder, where, rule):
    (folder / "empty").mkdir()
    for n in (1, 2, 4):
        (folder / f"n0/{n}.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=rule):
        load_pictures(folder / where, 4, 8, seed=0)


def test_without_a_folder_the_built_ins_and_no_more():
    pictures, notes = load_pictures(None, 3, 32, seed=0)
    assert pictures.names == PHOTOGRAPHS[:3]
    assert notes == []
    pictures, notes = load_pictures(None, 50, 32, seed=5)
    assert pictures.names == PHOTOGRAPHS
    assert len(pictures.pixels) == len(PHOTOGRAPHS)
    assert notes == [
        f"{len(PHOTOGRAPHS)} built-in photographs instead of 50 pictures:"
        " no folder of images was named"
    ]


def test_squares_are_the_middle():
    cat = photograph("chelsea")  # 300 x 451
    pictures, _ = load_pictures(None, 1, 300, seed=0)
    np.testing.assert_array_equal(pictures.pixels[0], cat[:, 75:375])
    small, _ = load_pictures(None, 1, 64, seed=0)
    np.testing.assert_array_equal(small.pixels[0], resize(cat[:, 75:375], (64, 64)))


def test_pictures_cannot_be_changed():
    pictures, _ = load_pictures(None, 1, 16, seed=0)
    with pytest.raises(ValueError, match="read-only"):
        pictures.pixels[0] = 0


@pytest.mark.parametrize(
    ("count", "side", "seed", "rule"),
    [
        (0, 8, 0, "count must be an integer of at least 1; received 0"),
        (1, 0, 0, "side must be an integer of at least 1; received 0"),
        (1, 8, -1, "seed must be an integer of at least 0; received -1"),
    ],
)
def test_numbers_out_of_range(count, side, seed, rule):
    with pytest.raises(ValueError, match=rule):
        load_pictures(None, count, side, seed=seed)


def class_grey(pictures) -> list[tuple[str, float]]:
    return [
        (pictures.classes[label], round(float(p.mean()), 1))
        for label, p in zip(pictures.labels, pictures.pixels, strict=True)
    ]


def test_classes_are_the_folders(folder):
    pictures, notes = load_classes(folder, 6, 4, 8, seed=0)
    assert pictures.classes == ("n0", "n1")
    assert pictures.labels.dtype == np.int32
    assert sorted(class_grey(pictures)) == sorted((f"n{n % 2}", n / 10) for n in range(10))
    assert pictures.pixels.shape == (10, 8, 8, 3)
    assert notes == []
    for array in (pictures.pixels, pictures.labels):
        assert not array.flags.writeable
    again, _ = load_classes(folder, 6, 4, 8, seed=0)
    np.testing.assert_array_equal(again.pixels, pictures.pixels)
    other, _ = load_classes(folder, 6, 4, 8, seed=1)
    assert class_grey(other) != class_grey(pictures)


def test_a_test_folder_is_not_trained_on(tmp_path):
    for part, values in (("train", (0.0, 0.1)), ("test", (0.8, 0.9))):
        for name, value in zip(("dog", "cat"), values, strict=True):
            (tmp_path / part / name).mkdir(parents=True)
            for n in range(3):
                (tmp_path / part / name / f"{n}.png").write_bytes(picture(value))
    pictures, _ = load_classes(tmp_path, 5, 6, 8, seed=0)
    assert pictures.classes == ("cat", "dog")
    assert set(class_grey(pictures)[:5]) == {("dog", 0.0), ("cat", 0.1)}
    assert sorted(class_grey(pictures)[5:]) == 3 * [("cat", 0.9)] + 3 * [("dog", 0.8)]
    with pytest.raises(ValueError, match="at least 7 pictures; received 6, in 'test'"):
        load_classes(tmp_path, 5, 7, 8, seed=0)


def test_without_a_folder_photographs_are_classes():
    pictures, (note,) = load_classes(None, 40, 20, 16, seed=0)
    assert set(pictures.classes) == set(PHOTOGRAPHS)
    assert note.startswith(f"squares of {len(PHOTOGRAPHS)} built-in photographs")
    for name, half in ((n, i >= 40) for i, n in enumerate(pictures.names)):
        photo, place = name.split("/")
        left, top = map(int, place.split(","))
        height, width, _ = photograph(photo).shape
        assert 0 <= top <= height - height // 4
        assert (left >= width // 2) == half
        assert left + height // 4 <= (width if half else width // 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0, 4, 8), "train must be an integer of at least 1; received 0"),
        ((4, 0, 8), "test must be an integer of at least 1; received 0"),
        ((4, 4, 0), "side must be an integer of at least 1; received 0"),
        ((8, 3, 8), "images must hold at least 11 pictures; received 10"),
    ],
)
def test_classes_that_cannot_be(folder, arguments, said):
    with pytest.raises(ValueError, match=said):
        load_classes(folder, *arguments, seed=0)


def test_pictures_outside_of_classes_are_refused(folder, tmp_path_factory):
    with pytest.raises(ValueError, match=r"images must be a folder of classes; received '.*none'"):
        load_classes(folder / "none", 1, 1, 8, seed=0)
    with pytest.raises(ValueError, match=r"folders of classes; received '\d.png'"):
        load_classes(folder / "n0", 2, 2, 8, seed=0)
    one = tmp_path_factory.mktemp("one")
    (one / "alone").mkdir()
    (one / "alone/0.png").write_bytes(picture(0.5))
    (one / "alone/1.png").write_bytes(picture(0.6))
    with pytest.raises(ValueError, match="at least 2 classes; received 'alone' alone"):
        load_classes(one, 1, 1, 8, seed=0)
