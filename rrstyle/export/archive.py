"""A model and how to call it, in one ZIP: for who gets a file and nothing else."""

import io
import json
import tempfile
import zipfile
from pathlib import Path
from string import Template
from typing import Literal, get_args

from rrstyle.config import StyleConfig
from rrstyle.export.graph import exportable_config
from rrstyle.export.onnx import onnx_model
from rrstyle.export.saved_model import export_saved_model, style_record
from rrstyle.pipeline import smallest_side

Format = Literal["savedmodel", "onnx"]

_READMES = Path(__file__).with_name("readme")  # the README's texts, with $names to fill in


def export_archive(config: StyleConfig | None = None, *, seed: int, format: Format) -> bytes:
    """A ZIP of a model that gives the same pictures as `stylize`, and a `README.md` on its use.

    Args:
        config, seed: See `rrstyle.export.saved_model.export_saved_model`.
        format: savedmodel, a folder `model`; or onnx, a file `model.onnx`.

    Raises:
        ValueError: If the format is unknown, and as for `export_saved_model` and `export_onnx`.
        OSError: If there is no room for a temporary copy.
    """
    if format not in (formats := get_args(Format)):
        raise ValueError(f"format must be one of {', '.join(formats)}; received {format!r}")
    config = exportable_config(config)
    files = {"README.md": _readme(config, seed, format).encode()}
    if format == "onnx":
        files["model.onnx"] = onnx_model(config, seed=seed)
    else:
        with tempfile.TemporaryDirectory() as folder:
            model = export_saved_model(Path(folder, "model"), config, seed=seed)
            for path in sorted(filter(Path.is_file, model.rglob("*"))):
                files[path.relative_to(model.parent).as_posix()] = path.read_bytes()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def _readme(config: StyleConfig, seed: int, format: Format) -> str:
    values = {
        "method": config.method,
        "seed": seed,
        "strength": f"{config.strength:g}",
        "least": smallest_side(config),
        "scale": f"{config.style_scale:g}",
        "side": config.side,
        "settings": json.dumps(style_record(config, seed), indent=2),
    }
    for name, place in ((format, "usage"), ("model", "whole")):
        text = Template((_READMES / f"{name}.md").read_text(encoding="utf-8"))
        values[place] = text.substitute(values)
    return str(values["whole"])
