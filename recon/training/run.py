"""The folder of a training run: what is trained, on what, with what; all that later use needs.

run.json            see recon.training.record
encoder.npz         weights of the CNN, where it is not random
pictures.json       what recon.data.training_images found in the folder of pictures
bad-pictures.csv    those among them that cannot be used
checkpoints/        see recon.training.checkpoints
log.csv             see recon.training.log
tensorboard/        the same rows and sheets for TensorBoard
samples/            sheets of reconstructions
painted/            what a painter learns from, see recon.painters.targets
classifier.npz      convolutions of a classifier, see rrstyle.networks.weight_files
"""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recon.training.checkpoints import Checkpoints
from recon.training.config import FREE_ON_RESUME, Schedule, TrainingConfig
from recon.training.model import trained_networks, weights_in
from recon.training.record import RECORD, read_config, read_record
from rrstyle import backend
from rrstyle.config import to_dict
from rrstyle.durable import TEMPORARY, write_whole
from rrstyle.networks.build import build_cnn, build_dcn
from rrstyle.networks.pair import CnnDcn
from rrstyle.networks.weight_files import weights_digest

ENCODER, CLASSIFIER = "encoder.npz", "classifier.npz"
PICTURES, BAD_PICTURES, PAINTED = "pictures.json", "bad-pictures.csv", "painted"


def checkpoints_of(folder: Path) -> Checkpoints:
    """The checkpoints of a run."""
    return Checkpoints(folder / "checkpoints")


def load_run(folder: Path, *, best: bool = False) -> CnnDcn:
    """The networks of a run, under its folder's name, from its last or (`best`) best checkpoint.

    Raises:
        ValueError: If the folder holds no training run, or no whole checkpoint.
        OSError: If a file cannot be read.
    """
    config = read_config(TrainingConfig, folder)
    checkpoints = checkpoints_of(folder)
    found = checkpoints.best() if best else checkpoints.latest()[0]
    if found is None:
        raise ValueError(f"folder must have a whole checkpoint; {folder.name!r} has none")
    network, encoder = config.network, read_encoder(folder)
    cnn, dcn = (build(network, seed=config.seed) for build in (build_cnn, build_dcn))
    if encoder is not None:
        cnn.set_weights(encoder)
    about = {"weights": config.weights, "step": found.step, "training": to_dict(config)}
    start = CnnDcn(folder.resolve().name, network, cnn, dcn, about)
    return trained_networks(start, weights_in(found, config))


def read_encoder(folder: Path) -> tuple[np.ndarray, ...] | None:
    """The trained weights of a run's CNN; None where it is random. ValueError if damaged."""
    digest = read_record(folder)["encoder_sha256"]
    if digest is None:
        return None
    data = (folder / ENCODER).read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        weights = tuple(file[name] for name in sorted(file))
    if weights_digest(weights) != digest:
        raise ValueError(f"{ENCODER} must hold the weights that the run was started with")
    return weights


class RunFolder:
    """A folder that a run is started in, or continued."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checkpoints = checkpoints_of(folder)

    def check_new(self, *, resume: bool) -> None:
        """Raises ValueError for a folder that holds something else than a run to be continued."""
        if not self.folder.exists():
            return
        if not self.folder.is_dir():
            raise NotADirectoryError(f"out must be a folder; received file {self.folder.name!r}")
        told = f"out must be a new or an empty folder; {self.folder.name!r} holds"
        names = {path.name for path in self.folder.iterdir()}
        if RECORD in names:
            if not resume:
                raise ValueError(f"{told} a run: continue it with resume, or choose another folder")
            return
        # What a run leaves that was killed before its record was there.
        names -= {".lock", ENCODER, PICTURES, BAD_PICTURES, PAINTED}
        if others := sorted(name for name in names if not name.endswith(TEMPORARY)):
            raise ValueError(f"{told} {others[0]!r}")

    def open(
        self, config: Schedule, data: Mapping[str, Any], encoder: Sequence[np.ndarray] | None
    ) -> list[str]:
        """Writes the record of a new run, or compares that of the one there.

        The lines are for people: what is no longer as it was, and may change the last bits.

        Raises:
            ValueError: If the run there is another one; the line says in what.
            OSError: If a file cannot be read or written.
        """
        digest = None if encoder is None else weights_digest(encoder)
        asked = {"task": config.task, "config": to_dict(config), "data": dict(data)}
        asked = json.loads(json.dumps(asked | {"encoder_sha256": digest}))
        computing = backend.computing()
        if not (self.folder / RECORD).exists():
            if encoder is not None:
                named = {f"weight_{i:02d}": weight for i, weight in enumerate(encoder)}
                stream = io.BytesIO()
                np.savez(stream, **named)  # type: ignore[arg-type]
                write_whole(self.folder / ENCODER, stream.getvalue(), overwrite=True)
            self._write(asked | {"computing": computing})
            return []
        record = read_record(self.folder)
        for key, ours, theirs in _differences(asked, record):
            name = key.removeprefix("config.")
            if name not in FREE_ON_RESUME:
                raise ValueError(
                    f"{name} must be that of the run to continue, {theirs!r}; received {ours!r}"
                )
        notes = [
            f"{key} was {theirs} and is {ours}: the last bits of the weights may differ"
            for key, ours, theirs in _differences(computing, record["computing"])
        ]
        if asked["config"] != record["config"]:
            self._write(record | asked)
        return notes

    def last_good(self) -> str:
        """A clause that says which checkpoint a training can fall back to."""
        kept = self.checkpoints.steps()
        if not kept:
            return "there is no checkpoint yet"
        return f"the last good checkpoint is that of step {kept[-1]}"

    def _write(self, record: Mapping[str, Any]) -> None:
        text = json.dumps(record, indent=1) + "\n"
        write_whole(self.folder / RECORD, text.encode(), overwrite=True)


def _differences(ours: Mapping, theirs: Mapping, prefix: str = ""):
    """(dotted name, ours, theirs) of all leaves of `ours` that differ."""
    for key, value in ours.items():
        other = theirs.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            yield from _differences(value, other, f"{prefix}{key}.")
        elif value != other:
            yield f"{prefix}{key}", value, other
