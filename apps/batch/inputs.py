"""Names on the command line turned into pictures: files, folders and built-in names."""

import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from apps.errors import did_you_mean
from rrstyle.pictures.images import SUFFIXES, Picture, has_picture_name, read_image

_STEM_BYTES = 80  # two stems and a seed stay below the 255 bytes that a file name may have


@dataclass(frozen=True)
class Source:
    """A picture not read yet: the file at `path`, or the built-in `name` where that is None."""

    name: str
    path: Path | None

    @property
    def stem(self) -> str:
        """A short name that is safe inside a file name."""
        bare = self.path.stem if self.path else self.name
        return _short(re.sub(r"[^\w.-]+", "-", bare).strip("-._")) or "image"

    def read(self) -> Picture:
        """Reads the file, with the errors of `read_image`, or loads the built-in picture."""
        if self.path is not None:
            return read_image(self.path)
        from rrstyle.examples import example

        return Picture(example(self.name), self.name, ())


def joined_stem(sources: Sequence[Source]) -> str:
    """A short name for several pictures together, as safe as that of one."""
    return _short("-".join(source.stem for source in sources))


def _short(stem: str) -> str:
    return stem.encode()[:_STEM_BYTES].decode(errors="ignore")


def built_in_names() -> tuple[str, ...]:
    """Photographs, then style pictures."""
    from rrstyle.examples import PHOTOGRAPHS, STYLES

    return PHOTOGRAPHS + STYLES


def find_pictures(names: Sequence[str], *, argument: str) -> list[Source]:
    """The pictures that names stand for, each once, in their order.

    A name is that of a file, of a folder (its pictures by suffix, sorted, without subfolders) or,
    where no file has it, of a built-in picture.

    Raises:
        ValueError: If a name stands for nothing, or a folder holds no picture.
        OSError: If a folder cannot be listed.
    """
    found: dict[object, Source] = {}
    for name in names:
        for source in _find(name, argument):
            # A file may be named itself, and lie in a folder that is named too.
            found.setdefault(source.path.absolute() if source.path else source.name, source)
    return list(found.values())


def _find(name: str, argument: str) -> Iterator[Source]:
    path = Path(name)
    is_folder = _is_folder(path) if name else None
    if is_folder is None:
        if name not in built_in_names():
            raise ValueError(_nothing_there(name, argument))
        yield Source(name, None)
    elif is_folder:
        inside = sorted(p for p in path.iterdir() if _looks_like_picture(p))
        if not inside:
            kinds = ", ".join(sorted(SUFFIXES))
            raise ValueError(
                f"{argument}: the folder has no pictures; it needs files ending in {kinds};"
                f" received {path.name!r}"
            )
        yield from (Source(p.name, p) for p in inside)
    else:
        yield Source(path.name, path)


def _is_folder(path: Path) -> bool | None:
    """Whether a folder has this path; None where nothing has."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        return False  # no permission, a name too long, a NUL: the error of reading it says which


def _looks_like_picture(path: Path) -> bool:
    return has_picture_name(path.name) and path.is_file()


def _nothing_there(name: str, argument: str) -> str:
    path = Path(name)
    known = [] if path.parent != Path() else list(built_in_names())
    if _is_folder(path.parent):
        known += sorted(p.name for p in path.parent.iterdir() if _looks_like_picture(p))
    return (
        f"{argument}: no file, folder or built-in picture has this name;"
        f" {did_you_mean(path.name, known)}"
        f"`rrstyle examples` lists the built-ins; received {name!r}"
    )
