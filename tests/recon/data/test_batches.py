"""Batches: which pictures, where they are cut, and that nothing but seed and step decides it."""

import threading
from contextlib import closing
from itertools import islice

import numpy as np
import pytest
from PIL import Image

from recon.data import batches as training_data
from recon.data.batches import Stream, fixed_batch
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


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def take(stream, count, first_step=0):
    with closing(stream.batches(first_step)) as batches:
        return list(islice(batches, count))


def stream(index, **options):
    return Stream(index, **{"batch": 4, "crop": 6, "seed": 3, "threads": 2} | options)


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        np.testing.assert_array_equal(one.labels, other.labels)
        assert (one.step, one.names) == (other.step, other.names)


# What a batch holds


def test_pixels_by_hand(folder, index):
    # A crop as large as the pictures, not flipped: the pictures themselves.
    for batch in take(stream(index, crop=9, flip=False), 3):
        assert batch.pixels.dtype == np.uint8
        assert batch.pixels.shape == (4, 9, 9, 3)
        for pixels, name in zip(batch.pixels, batch.names, strict=True):
            whole = np.asarray(Image.open(folder / name))
            assert any(np.array_equal(pixels, whole[:, left : left + 9]) for left in range(4))
    for batch in take(stream(index, crop=9, flip=False, random_crop=False), 3):
        for pixels, name in zip(batch.pixels, batch.names, strict=True):
            np.testing.assert_array_equal(pixels, np.asarray(Image.open(folder / name))[:, 1:10])


def test_labels_name_the_classes(index):
    assert index.classes == ("even", "odd")
    for batch in take(stream(index), 3):
        assert batch.labels.dtype == np.int32
        assert [index.classes[label] for label in batch.labels] == [
            name.split("/")[0] for name in batch.names
        ]


def test_without_classes_there_are_no_labels(folder):
    index = scan(folder / "odd")
    assert take(stream(index), 1)[0].labels is None
    assert fixed_batch(index, 2, 6).labels is None


def test_grey_pictures_have_three_channels(tmp_path):
    (tmp_path / "grey.jpg").write_bytes(bad.saved(bad.plain("L", 77, (8, 8)), "JPEG"))
    (batch,) = take(stream(scan(tmp_path), batch=1), 1)
    np.testing.assert_array_equal(batch.pixels, np.full((1, 6, 6, 3), 77))


# Order


@pytest.mark.parametrize("size", [1, 3, 5, 10, 23])
def test_every_epoch_is_a_permutation(index, size):
    batches = take(stream(index, batch=size), -(-3 * N // size))
    assert [batch.step for batch in batches] == list(range(len(batches)))
    names = [name for batch in batches for name in batch.names][: 3 * N]
    epochs = [names[start : start + N] for start in range(0, 3 * N, N)]
    for epoch in epochs:
        assert sorted(epoch) == sorted(index.names)
    assert epochs[0] != epochs[1] != epochs[2]


def test_order_does_not_depend_on_the_size_of_batches(index):
    runs = [
        [name for batch in take(stream(index, batch=size), 30 // size) for name in batch.names]
        for size in (1, 3, 5, 30)
    ]
    assert runs[0] == runs[1] == runs[2] == runs[3]


@pytest.mark.parametrize("first", [1, 2, 7, 40])
def test_a_resumed_run_sees_the_same(index, first):
    one = stream(index)
    whole = take(one, first + 3)
    assert_same(take(stream(index), 3, first), whole[first:])
    assert_same(take(one, 3, first), whole[first:])  # the same object again


def test_a_million_steps_away_is_as_near(index):
    (batch,) = take(stream(index), 1, 10**9)
    assert batch.step == 10**9


@pytest.mark.parametrize("options", [{"threads": 1}, {"threads": 7}, {"prefetch": 1}])
def test_threads_and_prefetch_change_nothing(index, options):
    assert_same(take(stream(index, batch=40, **options), 4), take(stream(index, batch=40), 4))


def test_another_seed_is_another_run(index):
    one, other = take(stream(index), 5), take(stream(index, seed=4), 5)
    assert [batch.names for batch in one] != [batch.names for batch in other]
    # Of one picture too.
    single = ImageIndex(index.folder, index.names[:1], None, None)
    one, other = (take(stream(single, batch=40, seed=seed), 1)[0] for seed in (0, 1))
    assert np.any(one.pixels != other.pixels)


def test_two_runs_at_once_do_not_disturb_each_other(index):
    shared = stream(index)
    with closing(shared.batches()) as one, closing(shared.batches(2)) as other:
        pairs = [(next(one), next(other)) for _ in range(4)]
    assert_same([two for _, two in pairs][:2], [first for first, _ in pairs][2:])


# Crops and flips


def test_crops_and_flips_are_uniform(tmp_path):
    # Pixel (y, x) is 16 y + x, so that the first of a square tells where it lies.
    pixels = np.repeat((16 * np.arange(8)[:, None] + np.arange(11))[..., None], 3, 2)
    (tmp_path / "a.png").write_bytes(bad.saved(Image.fromarray(pixels.astype(np.uint8)), "PNG"))
    count = 3000
    found = np.concatenate(
        [b.pixels for b in take(stream(scan(tmp_path), batch=500, crop=6, resize=8), 6)]
    )[..., 0].astype(int)
    flipped = found[:, 0, 0] > found[:, 0, 1]
    assert abs(flipped.sum() - count / 2) < 5 * np.sqrt(count) / 2
    corner = found.min(axis=(1, 2))
    down, across = np.divmod(corner, 16)
    for offsets, places in ((down, 3), (across, 6)):
        counts = np.bincount(offsets, minlength=places)
        assert len(counts) == places
        share = 1 / places
        assert np.all(abs(counts - count * share) < 5 * np.sqrt(count * share * (1 - share)))
    # Three independent draws.
    for one, other in ((down, across), (down, flipped), (across, flipped)):
        assert abs(np.corrcoef(one, other)[0, 1]) < 5 / np.sqrt(count)
    rows = np.where(flipped[:, None], found[:, 0, ::-1], found[:, 0])
    np.testing.assert_array_equal(rows, corner[:, None] + np.arange(6))


def test_without_flip_nothing_is_mirrored(index):
    plain = take(stream(index, flip=False), 5)
    mixed = take(stream(index), 5)
    same = []
    for one, other in zip(plain, mixed, strict=True):
        for a, b in zip(one.pixels, other.pixels, strict=True):
            same.append(np.array_equal(a, b))
            assert same[-1] or np.array_equal(a, b[:, ::-1])
    assert 0 < sum(same) < len(same)


@pytest.mark.parametrize(
    "size", [(1, 1), (5, 300), (6, 6), (7, 7), (90, 40)], ids=lambda s: f"{s[0]}x{s[1]}"
)
def test_pictures_of_any_size_fill_the_crop(tmp_path, size):
    data = bad.saved(bad.plain(colour=(9, 8, 7), size=size), "PNG")
    (tmp_path / "a.png").write_bytes(data)
    (batch,) = take(stream(scan(tmp_path)), 1)
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
    told = []
    one = stream(broken, batch=N, on_bad=lambda *line: told.append(line))
    batches = take(one, 3)
    lost = {"even/4.png": "even/6.png", "even/8.png": "odd/3.png", "odd/1.png": "odd/3.png"}
    # What would have been read, had the files been sound.
    for batch in batches:
        order = np.random.default_rng(np.random.SeedSequence(3, spawn_key=(0, batch.step)))
        names = [broken.names[i] for i in order.permutation(N)]
        assert batch.names == tuple(lost.get(name, name) for name in names)
        assert [broken.classes[label] for label in batch.labels] == [
            name.split("/")[0] for name in batch.names
        ]
    # Each is told of once.
    assert sorted(told) == list(one.bad)
    assert [name for name, _ in one.bad] == sorted(lost)
    assert one.bad[0][1].startswith("4.png: the file is incomplete or damaged; ")
    assert one.bad[1][1].startswith("8.png: cannot be read, there is no such file; ")


def test_what_was_met_by_a_run_that_was_closed_is_told_by_the_next(broken):
    one = stream(broken, batch=2)
    for first in range(N // 2):
        take(one, 1, first)
    assert len(one.bad) == 3


@pytest.mark.parametrize("threads", [1, 5])
def test_a_resumed_run_with_bad_files_sees_the_same(broken, threads):
    whole = take(stream(broken, batch=7), 6)
    for first in range(6):
        assert_same(take(stream(broken, batch=7, threads=threads), 1, first), [whole[first]])


def test_a_disk_that_is_gone_ends_the_run(folder, index, monkeypatch):
    for path in folder.rglob("*.png"):
        path.unlink()
    with pytest.raises(OSError, match=r"received 10 in a row that are not: .*no such file"):
        take(stream(index), 1)
    monkeypatch.setattr(training_data, "_MOST_TRIES", 3)
    with pytest.raises(OSError, match="received 3 in a row"):
        take(stream(index), 1)


# Threads


def test_threads_end_with_the_iterator(index):
    def ours():
        return [t for t in threading.enumerate() if t.name.startswith("pictures")]

    batches = stream(index).batches()
    assert not ours()  # nothing happens before the first batch is asked for
    next(batches)
    assert 1 <= len(ours()) <= 2
    batches.close()
    assert not ours()
    dropped = stream(index).batches()
    next(dropped)
    del dropped
    assert not ours()


def test_what_a_thread_raises_reaches_the_caller(index, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no file's fault")

    monkeypatch.setattr(training_data, "read_square", fail)
    batches = stream(index).batches()
    with pytest.raises(RuntimeError, match="no file's fault"):
        next(batches)
    assert next(batches, None) is None


def test_what_the_callback_raises_ends_the_run(broken):
    def stop(name, reason):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take(stream(broken, batch=N, on_bad=stop), 1)


def test_only_so_much_is_prepared_ahead(index, monkeypatch):
    read = []
    inner = training_data.read_square

    def counted(*arguments, **options):
        read.append(None)
        return inner(*arguments, **options)

    monkeypatch.setattr(training_data, "read_square", counted)
    with closing(stream(index, prefetch=2).batches()) as batches:
        for done in range(1, 6):
            next(batches)
            assert 4 * done <= len(read) <= 4 * (done + 2)


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
    assert fixed_batch(index, 6, 8, seed=1).names != batch.names


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
        ({"threads": 0}, "threads must be at least 1; received 0"),
        ({"prefetch": 0}, "prefetch must be at least 1; received 0"),
        ({"seed": -1}, "seed must be 0 or more; received -1"),
        ({"resize": 5}, "resize must be at least crop, 6; received 5"),
    ],
)
def test_numbers_out_of_range_are_refused(index, options, line):
    with pytest.raises(ValueError, match=f"^{line}$"):
        stream(index, **options)


def test_a_step_below_zero_is_refused_at_once(index):
    with pytest.raises(ValueError, match=r"^first_step must be 0 or more; received -1$"):
        stream(index).batches(-1)
    for count in (0, -1):
        with pytest.raises(ValueError, match=f"^count must be at least 1; received {count}$"):
            fixed_batch(index, count, 6)
