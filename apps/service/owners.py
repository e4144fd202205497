"""Whose a file is: what one browser uploads or makes is neither served to nor opened for another.

The page gives each browser a random cookie, and the folder of a file carries the cookie's digest in
its name: nothing has to be remembered, and what expires takes it along. Most programs keep no
cookies; their files go to whoever names them, which only their maker can, by 128 random bits. A
program that sends a cookie of its own is treated as a browser.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from gradio.context import LocalContext

COOKIE = "rrstyle-owner"

_KEY = re.compile(r"[0-9A-Za-z_-]{32,128}")
# Of any case: some file systems find a folder by either.
_OWNED = re.compile(r"[0-9a-f]{32}-([0-9a-f]{32})", re.IGNORECASE)


def new_key() -> str:
    """A cookie for a browser that has none."""
    return secrets.token_hex(16)


def owner_of(cookies: Mapping[str, str]) -> str | None:
    """The owner that a request's cookies name, by the digest of the key; None without a key."""
    key = cookies.get(COOKIE, "")
    return hashlib.sha256(key.encode()).hexdigest()[:32] if _KEY.fullmatch(key) else None


def current() -> str | None:
    """The owner of whatever the handler of an event makes; None outside of handlers too."""
    request = LocalContext.request.get(None)
    return None if request is None else owner_of(request.cookies)


def new_folder(root: Path, owner: str | None) -> Path:
    """A new folder in `root` of a name that nobody can guess, for files of an owner."""
    name = secrets.token_hex(16)
    folder = root / (name if owner is None else f"{name}-{owner}")
    folder.mkdir(parents=True)
    return folder


def may_have(path: Path, owner: str | None) -> bool:
    """Whether a file is this owner's, or nobody's.

    Args:
        path: Path as the client asked for it.
        owner: Who asks.
    """
    found = (_OWNED.fullmatch(part) for part in path.resolve().parts)
    return all(name[1].lower() == owner for name in found if name)
