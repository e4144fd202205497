"""The record of a training run, run.json: task, config, data, encoder, versions, device.

This file imports nothing heavy: the command reads the settings of a run before it loads Keras.
"""

import json
from pathlib import Path
from typing import Any, TypeVar

from recon.training.config import Schedule
from rrstyle.config import from_dict

Config = TypeVar("Config", bound=Schedule)

RECORD = "run.json"


def read_record(folder: Path) -> dict[str, Any]:
    """The record of a run.

    Raises:
        ValueError: If the folder holds no training run, or the record is damaged.
        OSError: If it cannot be read.
    """
    path = folder / RECORD
    if not path.is_file():
        raise ValueError(f"folder must be one of a training run; {folder.name!r} has no {RECORD}")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        complete = {"task", "config", "data", "encoder_sha256", "computing"} <= set(record)
        # Version 0.1.0 wrote `encoder` where it is `weights` now.
        config = record["config"].items()
        record["config"] = {"weights" if key == "encoder" else key: v for key, v in config}
    except (ValueError, TypeError, KeyError, AttributeError):
        complete = False
    if not complete:
        raise ValueError(f"{RECORD} in {folder.name!r} is damaged")
    return record


def read_config(kind: type[Config], folder: Path) -> Config:
    """The config of a run, of class `kind`; errors as `read_record`, or of another kind."""
    record = read_record(folder)
    if record["task"] != kind.task:
        raise ValueError(
            f"folder must be a run of {kind.task}; {folder.name!r} is one of {record['task']}"
        )
    return from_dict(kind, record["config"])
