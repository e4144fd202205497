"""Owners of files: no browser's uploads and results are served to, or opened for, another.

The page gives each browser a random cookie, and the folder of a file has the cookie's digest in its
name: nothing is stored elsewhere, and nothing is left when files expire. Most programs keep no
cookies: whoever knows a file's name, 128 random bits, may have it. A program that sends a cookie is
treated as a browser.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from gradio.context import LocalContext
from gradio.utils import get_upload_folder

COOKIE = "rrstyle-owner"

_KEY = re.compile(r"[0-9A-Za-z_-]{32,128}")
# Of any case: some file systems ignore it.
_OWNED = re.compile(r"[0-9a-f]{32}-([0-9a-f]{32})", re.IGNORECASE)


def new_key() -> str:
    """A cookie for a browser that has none."""
    return secrets.token_hex(16)


def owner_of(cookies: Mapping[str, str]) -> str | None:
    """The owner that a request's cookies name: the digest of the key; None without a key."""
    key = cookies.get(COOKIE, "")
    return hashlib.sha256(key.encode()).hexdigest()[:32] if _KEY.fullmatch(key) else None


def current() -> str | None:
    """The owner of the event that is handled in this thread; None outside of handlers too."""
    request = LocalContext.request.get(None)
    return None if request is None else owner_of(request.cookies)


def new_folder(root: Path, owner: str | None) -> Path:
    """A new folder in `root`, of an unguessable name, for files of an owner."""
    name = secrets.token_hex(16)
    folder = root / (name if owner is None else f"{name}-{owner}")
    folder.mkdir(parents=True)
    return folder


def own_folder() -> Path:
    """A new folder among those that Gradio serves, for files of the `current` owner."""
    return new_folder(Path(get_upload_folder()), current())


def may_have(path: Path, owner: str | None) -> bool:
    """Whether a file, by the path that the client sent, is this owner's or nobody's."""
    found = (_OWNED.fullmatch(part) for part in path.resolve().parts)
    return all(name[1].lower() == owner for name in found if name)
