"""Which pictures a folder tree holds: listed and checked once, kept, divided, reported."""

import csv
import hashlib
import io
import json
import os
import stat
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import compress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from rrstyle.durable import write_whole
from rrstyle.pictures.files import MAX_BYTES
from rrstyle.pictures.images import MAX_PIXELS, has_picture_name, read_image
from rrstyle.progress import OnStep, Step, ignore

Bad = tuple[tuple[str, str], ...]

_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")
_THREADS = 8  # they wait for the disk more than they compute
_CHUNK = 128  # files that a thread checks in one go
_CACHE_FORMAT = 1


@dataclass(frozen=True)
class ImageIndex:
    """The pictures of a folder tree, in an order that is the same everywhere."""

    folder: Path  # the tree's root
    names: tuple[str, ...]  # paths relative to it with "/" between their parts, sorted as bytes
    # Names of the folders right below the root, sorted as bytes; None where a picture lies outside.
    classes: tuple[str, ...] | None
    # Names of files and folders that cannot be used (a folder's ends in "/"), and why, in a line.
    bad: Bad = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the names in hexadecimal: a continued run compares it."""
        return _sha256(os.fsencode(name) for name in self.names)

    @cached_property
    def labels(self) -> np.ndarray | None:
        """int32 (number of names,), read-only: places in `classes`; None without them."""
        if self.classes is None:
            return None
        numbers = {name: number for number, name in enumerate(self.classes)}
        labels = np.array([numbers[_class_of(name)] for name in self.names], np.int32)
        labels.flags.writeable = False
        return labels


class _File(NamedTuple):
    name: str
    regular: bool
    size: int  # bytes
    changed: int  # nanoseconds


def scan(
    folder: Path, *, cache: Path | None = None, on_step: OnStep = ignore, argument: str = "folder"
) -> ImageIndex:
    """Lists the pictures of a folder tree, by suffix, and checks each file's header.

    Symbolic links are followed, each folder once; hidden files and folders are left out. No pixel
    is decoded: a file that breaks off behind a sound header is found only when it is read. What
    cannot be used is named in `bad` and never stops the scan.

    Args:
        cache: A file for the outcome, written whole or not at all. As long as names, sizes and
            times of change in the tree are what it says, only files found bad are checked again.
        on_step: Progress callback, after each folder and each batch of files.
        argument: Name of `folder` in errors.

    Returns:
        The index, with a picture at least.

    Raises:
        ValueError: If there is no such folder or it holds no picture that can be used.
        OSError: If the cache cannot be written.
    """
    if not folder.is_dir():
        raise ValueError(f"{argument} must be a folder of pictures; received {str(folder)!r}")
    if cache is not None and not cache.parent.is_dir():
        raise ValueError(f"cache must lie in a folder that exists; received {str(cache)!r}")
    files, troubles = _list_tree(folder, on_step)
    listing = _listing_digest(files, troubles)
    known = None if cache is None else _read_cache(cache, listing)
    # Bad files are checked again: a listing does not show changed permissions or a disk's failures.
    doubtful = files if known is None else [file for file in files if file.name in known]
    bad = tuple(sorted([*troubles, *_check_all(folder, doubtful, on_step)]))
    if cache is not None and known is None:
        content = {"format": _CACHE_FORMAT, "listing": listing, "bad": bad}
        write_whole(cache, json.dumps(content, indent=1).encode(), overwrite=True)
    refused = {name for name, _ in bad}
    names = tuple(file.name for file in files if file.name not in refused)
    if not names:
        first = f", the first of {len(bad)} files that cannot be used: {bad[0][1]}" if bad else ""
        raise ValueError(
            f"{argument} must hold a picture that can be used; received {folder.name!r}{first}"
        )
    classes = None
    if all("/" in name for name in names):
        classes = tuple(sorted({_class_of(name) for name in names}, key=os.fsencode))
    return ImageIndex(folder, names, classes, bad)


def write_report(index: ImageIndex, path: Path, *, later: Sequence[tuple[str, str]] = ()) -> bool:
    """Writes a CSV table (name, reason) of the files that cannot be used, if there are any.

    It replaces one that is there. `later` are names and reasons found since, as `Batches.bad`.

    Returns:
        Whether there was anything to write.
    """
    rows = sorted({**dict(later), **dict(index.bad)}.items())
    if rows:
        text = io.StringIO()
        csv.writer(text).writerows([("name", "reason"), *rows])
        # A name need not be valid UTF-8; it is written as the bytes it has on the disk.
        write_whole(path, text.getvalue().encode(errors="surrogateescape"), overwrite=True)
    return bool(rows)


def split(index: ImageIndex, fraction: float) -> tuple[ImageIndex, ImageIndex]:
    """Holds out a share of the pictures, `fraction` on average, chosen by a hash of their names.

    A picture stays on its side whatever else is added to the folder or taken away.

    Returns:
        What is left, with `index.bad`, and what is held out. Both have all classes.

    Raises:
        ValueError: If the fraction is out of range, or a side would be empty.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must be above 0 and below 1; received {fraction}")
    held_out = np.array([name_hash(name, "split") < fraction for name in index.names])
    if held_out.all() or not held_out.any():
        raise ValueError(
            f"fraction must leave pictures on both sides;"
            f" received {fraction} of {len(index.names)} pictures"
        )
    left, out = (tuple(compress(index.names, side)) for side in (~held_out, held_out))
    return replace(index, names=left), replace(index, names=out, bad=())


def name_hash(name: str, salt: str) -> float:
    """A number in [0, 1), as good as uniform; another name or salt gives an independent one."""
    digest = hashlib.sha256(os.fsencode(f"{salt}\0{name}")).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53  # a float holds 53 bits exactly


def _class_of(name: str) -> str:
    return name.split("/", 1)[0]


def _list_tree(folder: Path, on_step: OnStep) -> tuple[list[_File], list[tuple[str, str]]]:
    """All files that look like pictures, sorted, and a line for what cannot be looked at."""
    files: list[_File] = []
    troubles: list[tuple[str, str]] = []
    met: dict[tuple[int, int], str] = {}
    folders, links = [""], list[str]()
    while folders or links:
        # Links last: a folder goes by its own name if it has one in this tree, and a link that
        # leads back into it ends there.
        prefix = folders.pop() if folders else links.pop()
        on_step(Step("listing pictures", 0.0))
        place = os.path.join(folder, prefix)  # noqa: PTH118 - strings: a Path a file is slow
        try:
            found = os.stat(place)  # noqa: PTH116
            earlier = met.setdefault((found.st_dev, found.st_ino), prefix)
            if earlier != prefix:
                reason = f"a link to a folder met already; received {earlier or './'!r}"
                troubles.append((prefix, reason))
                continue
            with os.scandir(place) as listing:
                entries = sorted(listing, key=lambda entry: os.fsencode(entry.name), reverse=True)
        except OSError as error:
            troubles.append((prefix or "./", _refusal("the folder cannot be listed", error)))
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            name = prefix + entry.name
            try:
                status = entry.stat()
            except OSError as error:
                troubles.append((name, _refusal("cannot be looked at", error)))
                continue
            if stat.S_ISDIR(status.st_mode):
                (links if entry.is_symlink() else folders).append(f"{name}/")
            elif has_picture_name(entry.name):
                regular = stat.S_ISREG(status.st_mode)
                files.append(_File(name, regular, status.st_size, status.st_mtime_ns))
    files.sort(key=lambda file: os.fsencode(file.name))
    return files, troubles


def _refusal(problem: str, error: OSError) -> str:
    return f"{problem}; received {error.strerror!r}"


def _sha256(parts: Iterator[bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part + b"\0")
    return whole.hexdigest()


def _listing_digest(files: Sequence[_File], troubles: Sequence[tuple[str, str]]) -> str:
    lines = [f"{name}\0{regular} {size} {changed}" for name, regular, size, changed in files]
    lines += [f"{name}\0{reason}" for name, reason in sorted(troubles)]
    return _sha256(os.fsencode(line) for line in lines)


def _read_cache(cache: Path, listing: str) -> set[str] | None:
    """Names of the bad files of a tree with this very listing; None where the cache has another."""
    with suppress(OSError, ValueError, LookupError, TypeError):  # no cache, or none of ours
        content = json.loads(cache.read_bytes())
        if content["format"] == _CACHE_FORMAT and content["listing"] == listing:
            return {str(name) for name, _ in content["bad"]}
    return None


def _check_all(folder: Path, files: Sequence[_File], on_step: OnStep) -> Iterator[tuple[str, str]]:
    """Names and reasons of the files that cannot be used."""
    # One chunk at least, if an empty one: the last step reported is the end.
    chunks = [files[start : start + _CHUNK] for start in range(0, len(files) or 1, _CHUNK)]
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="scan")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of odd headers; for all threads
            for done, found in enumerate(pool.map(partial(_check_chunk, folder), chunks), 1):
                yield from found
                on_step(Step("checking pictures", done / len(chunks)))
    finally:
        pool.shutdown(cancel_futures=True)


def _check_chunk(folder: Path, files: Sequence[_File]) -> list[tuple[str, str]]:
    return [(file.name, words) for file in files if (words := _complaint(folder, file))]


def _complaint(folder: Path, file: _File) -> str | None:
    """Why a file cannot be used, None where its header says that it can."""
    path = folder / file.name
    with suppress(Exception):  # what is wrong is put into words below
        if file.regular and file.size <= MAX_BYTES and _has_sound_header(path, file.size):
            return None
    try:
        read_image(path)
    except (ValueError, OSError) as error:
        return str(error)
    return None  # an odd header that the decoder understands


def _has_sound_header(path: Path, size: int) -> bool:
    with path.open("rb") as stream:
        if stream.read(8) == b"\x93NUMPY\x01\0":
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
            values = int(np.prod(shape, dtype=object))
            return (
                len(shape) in (2, 3)
                and (dtype == np.uint8 or dtype.kind == "f")
                and 0 < shape[0] * shape[1] <= MAX_PIXELS
                and (shape[2:] or (1,))[0] in (1, 3, 4)
                and stream.tell() + values * dtype.itemsize == size
            )
        stream.seek(0)
        with Image.open(stream, formats=_FORMATS) as image:
            return 0 < image.width * image.height <= MAX_PIXELS
