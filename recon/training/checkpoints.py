"""Checkpoints of a run: whole or absent, checked when they are read, the last two and the best.

A checkpoint is a folder `step-00001000` with `arrays.npz` and `state.json`, written by
`rrstyle.durable.whole_folder`: a kill at any moment leaves all of it or nothing of its name.
"""

import hashlib
import json
import re
import shutil
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rrstyle.durable import TEMPORARY, remove_folder, whole_folder

KEPT = 2  # the last ones, besides the best
_NAME = re.compile(r"step-(\d{8,})")


@dataclass(frozen=True)
class Checkpoint:
    """What was read of a checkpoint."""

    step: int  # steps done
    arrays: dict[str, np.ndarray]  # by name
    state: dict[str, Any]  # plain JSON values saved beside the arrays
    score: float  # loss that decides which one is the best, the lowest


class Damaged(ValueError):
    """A checkpoint is incomplete or not what was written."""


class Checkpoints:
    """The checkpoints in `folder`; one process at a time may write them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Makes the folder, and removes what kills left behind in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.iterdir():
            if path.name.endswith(TEMPORARY):
                shutil.rmtree(path)

    def steps(self) -> list[int]:
        """Steps of the checkpoints that bear a name, whole or damaged, rising."""
        if not self.folder.is_dir():
            return []
        found = (_NAME.fullmatch(path.name) for path in self.folder.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def save(
        self, step: int, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any], *, score: float
    ) -> None:
        """Writes a checkpoint, then removes those that are neither among the last two nor best.

        `step`, `arrays`, `state` and `score` are as in `Checkpoint`.

        Raises:
            ValueError: If an array or the score is not finite: nothing is written.
            OSError: If it cannot be written; those that are there stay as they are.
        """
        wrong = [name for name, array in arrays.items() if not np.isfinite(array).all()]
        if wrong or not np.isfinite(score):
            raise ValueError(f"arrays and score must be finite; {(wrong or ['score'])[0]} is not")
        target = self._path(step)
        try:
            # Replaced: a damaged one, or one of the steps after it, taken anew.
            with whole_folder(target, replace=True) as folder:
                np.savez(folder / "arrays.npz", **arrays)  # type: ignore[arg-type]
                content = {
                    "step": step,
                    "score": float(score),
                    "arrays_sha256": _arrays_digest(folder),
                    "state": dict(state),
                }
                text = json.dumps(content | {"sha256": _digest(content)}, indent=1, allow_nan=False)
                (folder / "state.json").write_text(text, encoding="utf-8")
        except OSError as error:
            words = f"{target.name}: checkpoint cannot be saved ({error.strerror})"
            raise type(error)(error.errno, words) from error
        scores = self._scores()
        best = min(scores, key=lambda step: (scores[step], -step))
        for old in self.steps()[:-KEPT]:
            if old != best:
                remove_folder(self._path(old))

    def latest(self) -> tuple[Checkpoint | None, list[str]]:
        """The last whole checkpoint, and a line for each damaged one after it."""
        notes: list[str] = []
        for step in reversed(self.steps()):
            try:
                return self.read(step), notes
            except Damaged as error:
                notes.append(f"{error}; the one before is used")
        return None, notes

    def best(self) -> Checkpoint | None:
        """The whole checkpoint of the lowest score; of equal ones the last."""
        for _, step in sorted((score, -step) for step, score in self._scores().items()):
            with suppress(Damaged):
                return self.read(-step)
        return None

    def read(self, step: int) -> Checkpoint:
        """A checkpoint, verified; raises Damaged if it is not whole."""
        path = self._path(step)
        content = _read_state(path)
        try:
            if _arrays_digest(path) != content["arrays_sha256"]:
                raise Damaged(f"{path.name}: checkpoint is damaged, its arrays are not those saved")
            with np.load(path / "arrays.npz", allow_pickle=False) as file:
                arrays = dict(file)
        except (OSError, zipfile.BadZipFile) as error:
            raise Damaged(f"{path.name}: checkpoint is damaged, it has no arrays") from error
        return Checkpoint(step, arrays, content["state"], content["score"])

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}"

    def _scores(self) -> dict[int, float]:
        scores = {}
        for step in self.steps():
            with suppress(Damaged):
                scores[step] = _read_state(self._path(step))["score"]
        return scores


def _read_state(path: Path) -> dict[str, Any]:
    try:
        content = json.loads((path / "state.json").read_text(encoding="utf-8"))
        digest = content.pop("sha256")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise Damaged(f"{path.name}: checkpoint is damaged, its state cannot be read") from error
    if _digest(content) != digest:
        raise Damaged(f"{path.name}: checkpoint is damaged, its state is not the one saved")
    return content


def _arrays_digest(folder: Path) -> str:
    with (folder / "arrays.npz").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
