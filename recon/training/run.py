"""The folder of a training run: what is trained, on what, with what; all that later use needs.

run.json            task, config, data, encoder, versions, device
encoder.npz         weights of the CNN, where it is not random
pictures.json       what recon.data.training_images found in the folder of pictures
bad-pictures.csv    those among them that cannot be used
checkpoints/        see recon.training.checkpoints
log.csv, events...  see recon.training.log
samples/            sheets of reconstructions
classifier.npz      convolutions of a classifier, see recon.encoders
"""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from recon.encoders import weights_digest
from recon.training.checkpoints import Checkpoint, Checkpoints
from recon.training.config import FREE_ON_RESUME, Schedule, TrainingConfig
from recon.training.step import State, build_pair
from rrstyle import backend
from rrstyle.config import from_dict, to_dict
from rrstyle.durable import write_whole
from rrstyle.networks.build import Network
from rrstyle.networks.pair import TrainedNetworks

Config = TypeVar("Config", bound=Schedule)

RECORD, ENCODER = "run.json", "encoder.npz"
CLASSIFIER = "classifier.npz"
PICTURES, BAD_PICTURES = "pictures.json", "bad-pictures.csv"


@dataclass(frozen=True)
class TrainedPair:
    """A CNN and the DCN that was trained to invert it.

    Attributes:
        config: Of the training.
        step: Steps that the DCN has been trained for.
        cnn: Images (batch, height, width, 3) in [0, 1] to features.
        dcn: [features, images of the wanted size] to images, unbounded.
    """

    config: TrainingConfig
    step: int
    cnn: Network
    dcn: Network

    def reconstruct(self, images) -> np.ndarray:
        """What comes back of float32 images (batch, height, width, 3) in [0, 1]; unbounded."""
        # One by one: networks are compiled for one number of images, and of any size.
        back = [self.dcn(self.cnn(image[None]), image[None]) for image in images]
        return np.concatenate([np.asarray(image, np.float32) for image in back])


def checkpoints_of(folder: Path) -> Checkpoints:
    """The checkpoints of a run."""
    return Checkpoints(folder / "checkpoints")


def load_run(folder: Path, *, best: bool = False) -> TrainedPair:
    """The networks of a run, trained as far as it has come.

    Args:
        folder: The run's.
        best: Those of the lowest score rather than the last ones.

    Raises:
        ValueError: If the folder is no run, or has no whole checkpoint.
        OSError: If a file cannot be read.
    """
    config = read_config(folder)
    checkpoints = checkpoints_of(folder)
    found = checkpoints.best() if best else checkpoints.latest()[0]
    if found is None:
        raise ValueError(f"folder must have a whole checkpoint; {folder.name!r} has none")
    # Of any size and in float32, whatever it was trained at.
    pair = build_pair(replace(config, precision="float32"), read_encoder(folder))
    return TrainedPair(
        config,
        found.step,
        Network(pair.cnn, pair.encoder),
        Network(pair.dcn, State.of_arrays(found.arrays).weights),
    )


def load_networks(folder: Path) -> TrainedNetworks:
    """The networks of a run's best checkpoint, for the style transfer.

    Raises:
        ValueError, OSError: As `load_run`.
    """
    pair = load_run(folder, best=True)
    network = pair.config.network
    weights = weights_digest((*pair.cnn.weights, *pair.dcn.weights))
    plan = json.dumps(to_dict(network), sort_keys=True)
    digest = hashlib.sha256(f"{plan} {weights}".encode()).hexdigest()
    return TrainedNetworks(folder.resolve().name, digest, network, pair.cnn, pair.dcn)


def read_config(folder: Path) -> TrainingConfig:
    """The config of a run that trains a DCN.

    Raises:
        ValueError: If the folder is none of such a run.
        OSError: If its record cannot be read.
    """
    return read_config_of(TrainingConfig, folder)


def read_config_of(kind: type[Config], folder: Path) -> Config:
    """The config of a run, of class `kind`.

    Raises:
        ValueError: If the folder is none of a run of that kind.
        OSError: If its record cannot be read.
    """
    record = _read_record(folder)
    if record["task"] != kind.task:
        raise ValueError(
            f"folder must be a run of {kind.task}; {folder.name!r} is one of {record['task']}"
        )
    return from_dict(kind, record["config"])


def read_encoder(folder: Path) -> tuple[np.ndarray, ...] | None:
    """The trained weights of a run's CNN, or None where it is random: its seed is its recipe.

    Raises:
        ValueError: If they are damaged.
        OSError: If they cannot be read.
    """
    digest = _read_record(folder)["encoder_sha256"]
    if digest is None:
        return None
    data = (folder / ENCODER).read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        weights = tuple(file[name] for name in sorted(file))
    if weights_digest(weights) != digest:
        raise ValueError(f"{ENCODER} must hold the weights that the run was started with")
    return weights


class RunFolder:
    """A folder that a run is started in, or continued.

    Args:
        folder: It.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checkpoints = checkpoints_of(folder)

    def check_new(self, *, resume: bool) -> None:
        """Refuses a folder that holds something, unless it is a run to be continued.

        Raises:
            ValueError: If it does.
            OSError: If it cannot be read.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise NotADirectoryError(f"out must be a folder; received file {self.folder.name!r}")
        if not self.folder.exists() or ((self.folder / RECORD).exists() and resume):
            return
        if (self.folder / RECORD).exists():
            raise ValueError(
                f"out must be a new or an empty folder; {self.folder.name!r} holds a run: continue"
                " it with resume, or choose another folder"
            )
        # What a run leaves that was killed before its record was there.
        ours = {".lock", ENCODER, PICTURES, BAD_PICTURES}
        others = sorted(
            path.name
            for path in self.folder.iterdir()
            if path.name not in ours and not path.name.endswith(".tmp")
        )
        if others:
            raise ValueError(
                f"out must be a new or an empty folder; {self.folder.name!r} holds {others[0]!r}"
            )

    def open(
        self,
        config: Schedule,
        *,
        data: Mapping[str, Any],
        encoder_weights: Sequence[np.ndarray] | None,
    ) -> list[str]:
        """Writes the record of a new run, or compares that of the one there.

        Returns:
            Lines for people: what is no longer as it was, and may change the last bits.

        Raises:
            ValueError: If the run there is another one; the line says in what.
            OSError: If a file cannot be read or written.
        """
        digest = None if encoder_weights is None else weights_digest(encoder_weights)
        asked = {
            "task": config.task,
            "config": to_dict(config),
            "data": dict(data),
            "encoder_sha256": digest,
        }
        asked = json.loads(json.dumps(asked))
        computing = {"device": backend.device(), **backend.versions()}
        if not (self.folder / RECORD).exists():
            if encoder_weights is not None:
                names = (f"weight_{position:02d}" for position in range(len(encoder_weights)))
                stream = io.BytesIO()
                np.savez(stream, **dict(zip(names, encoder_weights, strict=True)))  # type: ignore[arg-type]
                write_whole(self.folder / ENCODER, stream.getvalue(), overwrite=True)
            self._write(asked | {"computing": computing})
            return []
        record = _read_record(self.folder)
        for key, ours, theirs in _differences(asked, record):
            if key.removeprefix("config.") not in FREE_ON_RESUME:
                raise ValueError(
                    f"{key.removeprefix('config.')} must be that of the run to continue,"
                    f" {theirs!r}; received {ours!r}"
                )
        notes = [
            f"{key} was {theirs} and is {ours}: the last bits of the weights may differ"
            for key, ours, theirs in _differences(computing, record["computing"])
        ]
        if asked["config"] != record["config"]:
            self._write(record | asked)
        return notes

    def check_steps(self, config: Schedule, found: Checkpoint | None) -> None:
        """Refuses to end a run before where it stands.

        Raises:
            ValueError: If it would.
        """
        if found is not None and config.steps < found.step:
            raise ValueError(
                f"steps must be at least the {found.step} that the run has done;"
                f" received {config.steps}"
            )

    def _write(self, record: Mapping[str, Any]) -> None:
        text = json.dumps(record, indent=1) + "\n"
        write_whole(self.folder / RECORD, text.encode(), overwrite=True)


def _read_record(folder: Path) -> dict[str, Any]:
    path = folder / RECORD
    if not path.is_file():
        raise ValueError(f"folder must be one of a training run; {folder.name!r} has no {RECORD}")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        complete = {"task", "config", "data", "encoder_sha256", "computing"} <= set(record)
    except (ValueError, TypeError):
        complete = False
    if not complete:
        raise ValueError(f"{RECORD} in {folder.name!r} is damaged")
    return record


def _differences(ours: Mapping, theirs: Mapping, prefix: str = ""):
    """(dotted name, ours, theirs) of all leaves of `ours` that differ."""
    for key, value in ours.items():
        other = theirs.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            yield from _differences(value, other, f"{prefix}{key}.")
        elif value != other:
            yield f"{prefix}{key}", value, other
