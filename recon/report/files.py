"""Results as the experiments left them: for each NAME a NAME.csv, a NAME.json and figures."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from recon.sweep.rows import read_rows

SCALES = ("smoke", "laptop", "paper")  # small to large
_NUMBERS = {
    "ssim",
    "null",
    "noise",
    "pearson",
    "psnr",
    "chroma",
    "mse",
    "training_mse",
    "validation_mse",
}
_NUMBERS |= {"network", "step", "block", "channels", "kernel", "depth", "reduction", "std"}
_NUMBERS |= {"ratio", "content_loss", "style_loss", "moved", "swd", "edge", "distance"}
_NUMBERS |= {"alike", "step_s", "whole_s", "gflop", "mib", "start_loss", "loss"}


@dataclass(frozen=True, kw_only=True)
class Result:
    """One experiment at one scale."""

    name: str  # of the experiment
    folder: Path
    meta: Mapping[str, Any] = field(default_factory=dict)  # of NAME.json; empty if unreadable
    rows: pd.DataFrame | None = None  # of NAME.csv; None if unreadable
    problem: str = ""  # why it decides no claim, if so; one line

    @property
    def scale(self) -> str:
        """smoke, laptop or paper."""
        return str(self.meta.get("scale", "unknown scale"))

    @property
    def title(self) -> str:
        """One line: what is measured."""
        return str(self.meta.get("title") or self.name)

    def file(self, ending: str) -> Path | None:
        """NAME + ending, where it is there."""
        path = self.folder / f"{self.name}{ending}"
        return path if path.is_file() else None

    def measured_on(self) -> str:
        """Scale, size, seed, device and time, on one line."""
        sizes = self.meta.get("settings")
        sizes = sizes if isinstance(sizes, Mapping) else {}
        named = (("networks", "{} networks"), ("images", "{} pictures"), ("side", "{} px a side"))
        parts = [self.scale, *(how.format(sizes[key]) for key, how in named if key in sizes)]
        if "seed" in self.meta:
            parts.append(f"seed {self.meta['seed']}")
        if self.meta.get("device"):
            parts.append(plain(self.meta["device"]))
        wall = self.meta.get("wall_s")
        if isinstance(wall, int | float) and math.isfinite(wall):
            parts.append(_duration(wall))
        return ", ".join(parts)


@dataclass(frozen=True)
class Results:
    """Everything under a folder."""

    chosen: Mapping[str, Result]  # by name; the largest scale that is finished
    others: tuple[Result, ...]  # entries that do not decide
    problems: tuple[str, ...]  # one line for each file that cannot be used


def read_results(directory: Path) -> Results:
    """Reads a folder of results, or of such folders; a broken file costs its own experiment only.

    Raises:
        OSError: If there is no such folder, or it cannot be read.
        ValueError: If it holds no results.
    """
    rule = "DIR must be a folder of results; received"
    if not directory.exists():
        raise FileNotFoundError(f"{rule} {directory.name!r}")
    if not directory.is_dir():
        raise NotADirectoryError(f"{rule} the file {directory.name!r}")
    found = []
    for folder in (directory, *sorted(path for path in directory.iterdir() if path.is_dir())):
        files = [path for path in folder.iterdir() if path.is_file() and path.name[0] != "."]
        names = {path.stem for path in files if path.suffix in (".csv", ".json")}
        found += [_read(folder, name) for name in sorted(names)]
    if not found:
        raise ValueError(
            f"DIR must hold results, each a .csv and a .json; received {directory.name!r},"
            " which holds none"
        )
    chosen: dict[str, Result] = {}
    for result in found:
        if _weight(result) > _weight(chosen.setdefault(result.name, result)):
            chosen[result.name] = result
    others = tuple(result for result in found if result is not chosen[result.name])
    problems = tuple(r.problem for r in found if r.rows is None or not r.meta)
    return Results(dict(sorted(chosen.items())), others, problems)


def _weight(result: Result) -> tuple[bool, int]:
    scale = SCALES.index(result.scale) if result.scale in SCALES else -1
    return not result.problem, scale


def _read(folder: Path, name: str) -> Result:
    meta: dict[str, Any] = {}
    try:
        meta = _read_json(folder / f"{name}.json")
        rows = _read_csv(folder / f"{name}.csv")
    except (OSError, ValueError) as error:
        return Result(name=name, folder=folder, meta=meta, problem=str(error))
    unfinished = f"{name} is not finished; {len(rows)} rows are there"
    problem = "" if meta.get("finished") else unfinished
    return Result(name=name, folder=folder, meta=meta, rows=rows, problem=problem)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(f"{path.name} must lie beside its .csv; received none") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path.name} must be JSON; received {_line(error)}") from error
    if not isinstance(meta, dict) or not meta:
        raise ValueError(f"{path.name} must be a JSON object; received {type(meta).__name__}")
    return meta


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        rows = read_rows(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path.name} must lie beside its .json; received none") from None
    except ValueError as error:  # pandas' own are such, and undecodable text is
        raise ValueError(f"{path.name} must be a table; received {_line(error)}") from error
    if rows.empty:
        raise ValueError(f"{path.name} must hold rows; received none")
    for column in sorted(_NUMBERS & set(rows.columns)):
        numbers = pd.to_numeric(rows[column], errors="coerce")
        wrong = rows[column][numbers.isna() & rows[column].notna()]
        if len(wrong):
            raise ValueError(
                f"{path.name}: {column} must be numbers; received {str(wrong.iloc[0])[:40]!r}"
            )
        rows[column] = numbers
    return rows


def plain(value: Any) -> str:
    """A value of a JSON file as words: "tensorflow 2.21, numpy 2.4"."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _line(error: Exception) -> str:
    return repr(" ".join(str(error).split())[:120])
