"""Files of clients: only what was uploaded here is opened, and by this project's decoders alone.

Gradio itself would decode a picture before these checks: the handlers take values unprocessed.
"""

import base64
import binascii
import struct
from pathlib import Path
from typing import Any

import numpy as np
from gradio.utils import get_upload_folder

from apps.service import owners, uploads
from rrstyle import examples
from rrstyle.pictures import images
from rrstyle.recipes import Recipe, read_recipe

MASK_START = "data:image/png;base64,"
_MASK_CHARACTERS = 2**20  # as a data address; what the app's brush makes is far smaller
_MASK_SIDE = 4096


def read_upload(value: Any, what: str) -> images.Picture:
    """An uploaded picture, with the errors of `images.read_image`; `what` names it in errors."""
    path, name = upload_path(value, what)
    return uploads.read_picture(path, name)


def read_upload_recipe(value: Any, what: str) -> tuple[Recipe, str]:
    """The recipe of an uploaded picture, and its name; ValueError if there is none."""
    path, name = upload_path(value, what)
    if refusal := uploads.refusal(path):
        raise ValueError(refusal)
    return read_recipe(path, name=name), name


def upload_path(value: Any, what: str) -> tuple[Path, str]:
    """Path of an uploaded file and its client's name for it; ValueError for any other file."""
    if not isinstance(value, dict) or not isinstance(value.get("path"), str):
        raise ValueError(f"{what}: no picture; choose or upload one first")
    try:
        path = Path(value["path"]).resolve()
    except (OSError, ValueError):  # a NUL, or a loop of links
        path = Path("/")
    served = path.is_relative_to(Path(get_upload_folder()).resolve())
    if not served or not owners.may_have(path, owners.current()):
        raise ValueError(f"{what}: not an uploaded file; upload the picture first")
    name = value.get("orig_name")
    return path, name if isinstance(name, str) else path.name


def read_mask(value: Any) -> np.ndarray | None:
    """The painted mask, float32 (height, width) in [0, 1]; None where nothing was painted.

    Args:
        value: A PNG as a data address, white where the style goes; "" for none; else ValueError.
    """
    if value in (None, ""):
        return None
    if not isinstance(value, str) or not value.startswith(MASK_START):
        raise ValueError("mask must be a PNG as a data address; received something else")
    if len(value) > _MASK_CHARACTERS:
        raise ValueError(
            f"mask must be at most {_MASK_CHARACTERS} characters; received {len(value)}"
        )
    try:
        data = base64.b64decode(value.removeprefix(MASK_START), validate=True)
        width, height = struct.unpack_from(">II", data, 16)  # of a PNG's header
    except (binascii.Error, struct.error) as error:
        raise ValueError("mask must be a PNG as a data address; it is damaged") from error
    if max(width, height) > _MASK_SIDE:
        raise ValueError(
            f"mask must be at most {_MASK_SIDE} pixels a side; received {width} x {height}"
        )
    mask = images.read_image(data, name="mask").pixels.mean(axis=2)
    return mask if mask.any() else None


def offer_example(name: str) -> str:
    """A built-in picture as a file that Gradio serves, of its built-in name."""
    path = owners.own_folder() / f"{name}.png"
    path.write_bytes(images.encode_png(examples.example(name)))
    return str(path)
