"""Batches: which pictures, where they are cut, and that nothing but seed and step decides it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from recon.data import batches as training_data
from recon.data.batches import Batches, fixed_batch
from recon.data.index import ImageIndex, scan
from tests.support import bad_images as bad

N = 10


@pytest.fixture
def folder(tmp_path):
    """Ten pictures of noise in two classes."""
    for i in range(N):
        place = tmp_path / ("odd" if i % 2 else "even")
        place.mkdir(exist_ok=True)
        data = bad.saved(Image.fromarray(bad.noise(9, 12, seed=i)), "PNG")
        (place / f"{i}.png").write_bytes(data)
    return tmp_path


@pytest.fixture
def index(folder):
    return scan(folder)


def take(batches, count, first=0):
    return [batches[number] for number in range(first, first + count)]


def batches_of(index, **options):
    return Batches(index, **{"batch": 4, "crop": 6, "seed": 3} | options)


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        np.testing.assert_array_equal(one.labels, other.labels)
        assert one.names == other.names


# What a batch holds


def test_pixels_by_hand(folder, index):
    # A crop as large as the pictures: the pictures themselves, or their mirror images.
    for batch in take(batches_of(index, crop=9), 3):
        assert batch.pixels.dtype == np.uint8
        assert batch.pixels.shape == (4, 9, 9, 3)
        for pixels, name in zip(batch.pixels, batch.names, strict=True):
            whole = np.asarray(Image.open(folder / name))
            cuts = [whole[:, left : left + 9] for left in range(4)]
            cuts += [cut[:, ::-1] for cut in cuts]
            assert any(
                np.array_equal(pixels, c) or np.array_equal(pixels, c[:, ::-1]) for c in cuts
            )


def test_labels_name_the_classes(index):
    assert index.classes == ("even", "odd")
    for batch in take(batches_of(index), 3):
        assert batch.labels.dtype == np.int32
        assert [index.classes[label] for label in batch.labels] == [
            name.split("/")[0] for name in batch.names
        ]


def test_without_classes_there_are_no_labels(folder):
    index = scan(folder / "odd")
    assert take(batches_of(index), 1)[0].labels is None
    assert fixed_batch(index, 2, 6).labels is None


def test_grey_pictures_have_three_channels(tmp_path):
    (tmp_path / "grey.jpg").write_bytes(bad.saved(bad.plain("L", 77, (8, 8)), "JPEG"))
    (batch,) = take(batches_of(scan(tmp_path), batch=1), 1)
    np.testing.assert_array_equal(batch.pixels, np.full((1, 6, 6, 3), 77))


# Order


@pytest.mark.parametrize("size", [1, 3, 5, 10, 23])
def test_every_epoch_is_a_permutation(index, size):
    batches = take(batches_of(index, batch=size), -(-3 * N // size))
    names = [name for batch in batches for name in batch.names][: 3 * N]
    epochs = [names[start : start + N] for start in range(0, 3 * N, N)]
    for epoch in epochs:
        assert sorted(epoch) == sorted(index.names)
    assert epochs[0] != epochs[1] != epochs[2]


def test_order_does_not_depend_on_the_size_of_batches(index):
    runs = [
        [name for batch in take(batches_of(index, batch=size), 30 // size) for name in batch.names]
        for size in (1, 3, 5, 30)
    ]
    assert runs[0] == runs[1] == runs[2] == runs[3]


@pytest.mark.parametrize("first", [1, 2, 7, 40])
def test_a_resumed_run_sees_the_same(index, first):
    one = batches_of(index)
    whole = take(one, first + 3)
    assert_same(take(batches_of(index), 3, first), whole[first:])
    assert_same(take(one, 3, first), whole[first:])  # the same object again


def test_a_million_batches_away_is_as_near(index):
    assert batches_of(index)[10**9].pixels.shape == (4, 6, 6, 3)


def test_threads_that_read_at_once_change_nothing(index):
    expected = take(batches_of(index, batch=40), 8)
    shared = batches_of(index, batch=40)
    with ThreadPoolExecutor(4) as pool:
        assert_same(list(pool.map(shared.__getitem__, range(8))), expected)


def test_another_seed_is_another_run(index):
    one, other = take(batches_of(index), 5), take(batches_of(index, seed=4), 5)
    assert [batch.names for batch in one] != [batch.names for batch in other]
    # Of one picture too.
    single = ImageIndex(index.folder, index.names[:1], None)
    one, other = (take(batches_of(single, batch=40, seed=seed), 1)[0] for seed in (0, 1))
    assert np.any(one.pixels != other.pixels)


# Crops and flips


def test_crops_and_flips_are_uniform(tmp_path):
    # Pixel (y, x) is 16 y + x, so that the first of a square tells where it lies. Its shorter side
    # is 256 / 227 of the crop: nothing is resized.
    pixels = np.repeat((16 * np.arange(9)[:, None] + np.arange(13))[..., None], 3, 2)
    (tmp_path / "a.png").write_bytes(bad.saved(Image.fromarray(pixels.astype(np.uint8)), "PNG"))
    count = 3000
    found = np.concatenate(
        [b.pixels for b in take(batches_of(scan(tmp_path), batch=500, crop=8), 6)]
    )[..., 0].astype(int)
    flipped = found[:, 0, 0] > found[:, 0, 1]
    assert abs(flipped.sum() - count / 2) < 5 * np.sqrt(count) / 2
    corner = found.min(axis=(1, 2))
    down, across = np.divmod(corner, 16)
    for offsets, places in ((down, 2), (across, 6)):
        counts = np.bincount(offsets, minlength=places)
        assert len(counts) == places
        share = 1 / places
        assert np.all(abs(counts - count * share) < 5 * np.sqrt(count * share * (1 - share)))
    # Three independent draws.
    for one, other in ((down, across), (down, flipped), (across, flipped)):
        assert abs(np.corrcoef(one, other)[0, 1]) < 5 / np.sqrt(count)
    rows = np.where(flipped[:, None], found[:, 0, ::-1], found[:, 0])
    np.testing.assert_array_equal(rows, corner[:, None] + np.arange(8))


@pytest.mark.parametrize(
    "size", [(1, 1), (5, 300), (6, 6), (7, 7), (90, 40)], ids=lambda s: f"{s[0]}x{s[1]}"
)
def test_pictures_of_any_size_fill_the_crop(tmp_path, size):
    data = bad.saved(bad.plain(colour=(9, 8, 7), size=size), "PNG")
    (tmp_path / "a.png").write_bytes(data)
    (batch,) = take(batches_of(scan(tmp_path)), 1)
    np.testing.assert_array_equal(batch.pixels, np.broadcast_to([9, 8, 7], (4, 6, 6, 3)))


# Bad files


@pytest.fixture
def broken(folder):
    """Two pictures are damaged behind their headers, and one goes after the scan."""
    for name in ("even/4.png", "odd/1.png"):
        (folder / name).write_bytes((folder / name).read_bytes()[:-60])
    index = scan(folder)
    assert len(index.names) == N
    (folder / "even" / "8.png").unlink()
    return index


def test_bad_files_make_way_for_the_next(broken):
    one = batches_of(broken, batch=N)
    lost = {"even/4.png": "even/6.png", "even/8.png": "odd/3.png", "odd/1.png": "odd/3.png"}
    # What would have been read, had the files been sound.
    for number, batch in enumerate(take(one, 3)):
        order = np.random.default_rng(np.random.SeedSequence(3, spawn_key=(0, number)))
        names = [broken.names[i] for i in order.permutation(N)]
        assert batch.names == tuple(lost.get(name, name) for name in names)
        assert [broken.classes[label] for label in batch.labels] == [
            name.split("/")[0] for name in batch.names
        ]
    assert [name for name, _ in one.bad] == sorted(lost)
    assert one.bad[0][1].startswith("4.png: the file is incomplete or damaged; ")
    assert one.bad[1][1].startswith("8.png: cannot be read, there is no such file; ")


def test_a_resumed_run_with_bad_files_sees_the_same(broken):
    whole = take(batches_of(broken, batch=7), 6)
    for first in range(6):
        assert_same(take(batches_of(broken, batch=7), 1, first), [whole[first]])


def test_a_disk_that_is_gone_ends_the_run(folder, index, monkeypatch):
    for path in folder.rglob("*.png"):
        path.unlink()
    with pytest.raises(OSError, match=r"received 10 in a row that are not: .*no such file"):
        batches_of(index)[0]
    monkeypatch.setattr(training_data, "_MOST_TRIES", 3)
    with pytest.raises(OSError, match="received 3 in a row"):
        batches_of(index)[0]


# Held fixed


def test_fixed_batch_is_the_same_again(folder, index):
    batch = fixed_batch(index, 6, 8)
    assert_same([fixed_batch(index, 6, 8)], [batch])
    assert len(set(batch.names)) == 6
    for pixels, name in zip(batch.pixels, batch.names, strict=True):
        # 9 x 12 pixels: 9 is what 8 asks for, the middle begins at (0, 2).
        np.testing.assert_array_equal(pixels, np.asarray(Image.open(folder / name))[:8, 2:10])
    fewer = fixed_batch(index, 3, 8)
    assert fewer.names == batch.names[:3]
    np.testing.assert_array_equal(fewer.pixels, batch.pixels[:3])
    assert batch.labels.tolist() == [index.classes.index(n.split("/")[0]) for n in batch.names]


def test_fixed_batch_passes_over_bad_files(broken):
    names = fixed_batch(broken, 7, 6).names
    assert not set(names) & {"even/4.png", "even/8.png", "odd/1.png"}
    with pytest.raises(ValueError, match=r"count must be at most .* pictures, 7; received 8"):
        fixed_batch(broken, 8, 6)


# Arguments


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"batch": 0}, "batch must be at least 1; received 0"),
        ({"crop": 0}, "crop must be at least 1; received 0"),
        ({"seed": -1}, "seed must be 0 or more; received -1"),
    ],
)
def test_numbers_out_of_range_are_refused(index, options, line):
    with pytest.raises(ValueError, match=f"^{line}$"):
        batches_of(index, **options)


def test_a_number_below_zero_is_refused(index):
    with pytest.raises(ValueError, match=r"^number must be 0 or more; received -1$"):
        batches_of(index)[-1]
    for count in (0, -1):
        with pytest.raises(ValueError, match=f"^count must be at least 1; received {count}$"):
            fixed_batch(index, count, 6)
