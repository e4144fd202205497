"""Runs an experiment: rows, figures and a record of the run, continued where it was stopped."""

import hashlib
import itertools
import json
import math
import os
import platform
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recon.data.pictures import load_classes, load_pictures
from recon.experiments import find_experiment
from recon.experiments.experiment import Cell, Experiment, Pictures, Row, Scale
from recon.report import figures
from recon.sweep import workers as pools
from recon.sweep.rows import RowFile, read_rows
from rrstyle.cores import usable_cores
from rrstyle.durable import write_whole
from rrstyle.pictures.images import digest
from rrstyle.progress import OnStep, Step, ignore

if TYPE_CHECKING:
    from rrstyle.networks.weight_files import CnnWeights

_PAUSE = 1.0  # seconds between two writings of the record; rows are written at once


@dataclass(frozen=True)
class Run:
    """The outcome of a run."""

    files: tuple[Path, ...]  # rows, record and figures
    cells: int
    kept: int  # of them, from an earlier run that was stopped
    rows: int
    wall_s: float  # of measuring, all in all
    notes: tuple[str, ...]  # lines for people


def evaluate(
    name: str,
    *,
    scale: Scale = "laptop",
    images: Path | None = None,
    encoders: Sequence[Path] = (),
    seed: int = 0,
    out: Path,
    workers: int | None = None,
    ray_address: str | None = None,
    on_step: OnStep = ignore,
    one_thread: bool = False,
    starting: pools.Starting = nullcontext,
) -> Run:
    """Measures all cells of an experiment and draws its figures.

    Into `out` come NAME.csv, the rows; NAME.json, the record (settings, seed, pictures, versions,
    device, seconds by the wall and of the processors); NAME.png and NAME.svg, and for some
    experiments NAME-pictures.png. The same call again continues what was stopped, however that was,
    and draws anew what is finished.

    Rows do not depend on the number of workers where each computes on one thread, as other
    processes do. A run of this process on all threads is not continued by others, nor they by it.

    Args:
        name: One for `recon.experiments.find_experiment`.
        images: Folder of pictures; without it, the built-in photographs.
        encoders: Files of trained CNNs, at most one an architecture, where settings say `trained`.
        seed: Names the networks and the drawn pictures, 0 or more.
        workers: Processes; 1 is this one. By default one a usable processor, but 1 at smoke scale
            and on a GPU.
        ray_address: Ray cluster in place of processes; see `recon.sweep.workers.on_ray`.
        on_step: Called after every cell; the fraction is of the missing cells.
        one_thread: Limit this process for good to one thread, before anything is computed in it.
        starting: Made and entered by every process, this one too, while it loads its backend.

    Raises:
        ValueError: If an argument is wrong, or `out` holds another run of the experiment.
        OSError: If a file cannot be read or written, or a worker died; the run can be continued.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be an integer of at least 1; received {workers}")
    if workers is not None and ray_address is not None:
        raise ValueError(f"workers must be left out with ray; received {workers}")
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(f"out must be a folder; received the file {out.name!r}")
    with starting():  # Keras, late: what is wrong above is reported at once
        from rrstyle import backend

        found = find_experiment(name)
        if one_thread:
            backend.one_thread()
        computing = pools.computing() | pools.versions_of(found.packages)
    workers = _workers(workers, ray_address, computing["device"], scale)
    if scale not in found.settings:
        raise ValueError(f"scale must be one of {', '.join(found.settings)}; received {scale!r}")
    settings = found.settings[scale]
    if found.classes:
        sizes = settings.images - settings.tested, settings.tested, settings.side
        pictures, notes = load_classes(images, *sizes, seed=seed)
    else:
        streamed: bool = getattr(settings, "streamed", False)
        pictures, notes = load_pictures(
            images, settings.images, settings.side, seed=seed, streamed=streamed
        )
    settings = replace(settings, images=len(pictures.names))
    trained = _read_encoders(name, settings, encoders)
    if trained:
        settings = replace(settings, trained=tuple(one.architecture for one in trained))
        pictures = replace(pictures, encoders=trained)
    cells = found.cells(settings)
    counts = [found.rows(settings, cell) for cell in cells]
    job = pools.Job(name, settings, pictures, seed, computing)
    asked = {
        "experiment": found.name,
        "scale": scale,
        "seed": seed,
        "settings": asdict(settings),
        "pictures": _identity(pictures),
    }
    if trained:
        named = {one.architecture: {"name": one.name, "sha256": one.sha256} for one in trained}
        asked["encoders"] = named
    versions = {key: value for key, value in computing.items() if key != "device"}
    threads = backend.threads() if workers == 1 else "one"
    computed = {"device": computing["device"], "threads": threads, "versions": versions}
    out.mkdir(parents=True, exist_ok=True)
    with RowFile(out / f"{found.name}.csv") as file:
        record = _Record(out / f"{found.name}.json", asked, fresh=file.empty)
        if file.empty:
            # What reads and draws rows is noted too, though no row depends on it.
            drawing = pools.versions_of(("pandas", "matplotlib"))
            others = {"python": platform.python_version(), **drawing}
            record.start(asked | computed | {"versions": versions | others})
        file.resume(found.columns, cells, counts)
        kept = file.done
        if missing := cells[kept:]:
            record.check(computed)
            computers = {"workers": workers or "ray", "cores": usable_cores(), "notes": notes}
            record.write(**computers, cells=len(cells), rows=sum(counts), finished=False)
            if ray_address is not None:
                results = pools.on_ray(job, missing, ray_address)
            elif workers == 1:
                results = pools.in_this_process(job, missing)
            else:
                results = pools.in_processes(job, missing, workers, starting=starting)
            _measure(file, record, missing, results, on_step)
        drawn = _draw(found, job, file.path)
        told = {key: getattr(found, key) for key in ("title", "reproduces", "printed")}
        record.write(**told, cells_done=file.done, rows_done=file.rows, finished=True)
        files = file.path, record.path, *drawn
        return Run(files, len(cells), kept, file.rows, record.seconds("wall_s"), tuple(notes))


def _read_encoders(name: str, settings: Any, files: Sequence[Path]) -> "tuple[CnnWeights, ...]":
    """The trained CNNs of a run, by architecture: the order of the files plays no part."""
    if not files:
        return ()
    if not hasattr(settings, "trained"):
        raise ValueError(
            f"encoder must be left out: {name} uses no trained CNN; received {files[0].name!r}"
        )
    from rrstyle.networks.weight_files import load_weights

    found = sorted(map(load_weights, files), key=lambda one: one.architecture)
    for one, other in itertools.pairwise(found):
        if one.architecture == other.architecture:
            raise ValueError(
                f"encoder must be at most one file of {one.architecture};"
                f" received {one.name!r} and {other.name!r}"
            )
    return tuple(found)


def _identity(pictures: Pictures) -> dict[str, Any]:
    """What the record has of the pictures; pictures with classes are too many to name."""
    found = {"sha256": digest(pictures.pixels)}
    if index := pictures.index:
        found["folder"] = f"{len(index.names)} pictures, SHA-256 of names {index.digest[:16]}"
    if pictures.labels is None:
        return {"names": pictures.names} | found
    labels = hashlib.sha256(pictures.labels.tobytes()).hexdigest()
    return {"classes": pictures.classes, "labels_sha256": labels} | found


def _workers(asked: int | None, ray_address: str | None, device: str, scale: Scale) -> int:
    """Number of processes; 0 by Ray."""
    on_cpu = device.startswith("cpu")
    if not on_cpu and ((asked or 1) > 1 or ray_address is not None):
        raise ValueError(
            f"workers must be 1, without ray, where one device computes all; received {device}"
        )
    if ray_address is not None:
        return 0
    # At smoke scale, processes take longer to start than all the cells to measure.
    return asked or (usable_cores() if on_cpu and scale != "smoke" else 1)


# Seconds of a run: by the wall, and of the processors, of workers that have ended too.
_CLOCKS: Mapping[str, Callable[[], float]] = {
    "wall_s": time.monotonic,
    "processor_s": lambda: time.process_time() + sum(os.times()[2:4]),
}


def _measure(
    file: RowFile,
    record: "_Record",
    cells: Sequence[Cell],
    results: Generator[list[Row], None, None],
    on_step: OnStep,
) -> None:
    total = file.done + len(cells)
    on_step(Step("starting", 0.0))
    before = {name: record.seconds(name) for name in _CLOCKS}
    start = {name: clock() for name, clock in _CLOCKS.items()}
    written = -math.inf

    def write() -> None:
        spent = {name: before[name] + clock() - start[name] for name, clock in _CLOCKS.items()}
        record.write(**spent, cells_done=file.done, rows_done=file.rows)

    try:
        with closing(results):
            for number, (cell, rows) in enumerate(zip(cells, results, strict=True), start=1):
                file.append(rows)
                if time.monotonic() - written > _PAUSE:
                    written = time.monotonic()
                    write()
                done = f"{file.done} of {total}, {pools.described(cell)}"
                on_step(Step(done, number / len(cells)))
    finally:
        write()


def _draw(found: Experiment, job: pools.Job, path: Path) -> list[Path]:
    """Writes the figures, from the rows as they stand in the file."""
    rows = read_rows(path)
    drawn = [path.with_suffix(suffix) for suffix in (".png", ".svg")]
    with figures.style():
        figure = found.draw(rows)
        for target in drawn:
            figures.save(figure, target)
        if found.show is not None:
            drawn.append(path.with_name(f"{found.name}-pictures.png"))
            figures.save(found.show(rows, job.settings, job.pictures, job.seed), drawn[-1])
    return drawn


class _Record:
    """NAME.json: what was asked for, what computes it, how far it is and how long it took."""

    def __init__(self, path: Path, asked: Mapping[str, Any], *, fresh: bool) -> None:
        self.path = path
        self._content: dict[str, Any] = {}
        if path.exists():
            try:
                self._content = dict(json.loads(path.read_bytes()))
            except (ValueError, TypeError) as error:
                rule = f"{path.name} must be the record of a run; choose another folder"
                raise ValueError(f"{rule}; received {error}") from error
            self.check(asked)
        elif not fresh:
            rule = f"{path.name} must lie beside the rows that are there"
            raise ValueError(f"{rule}; choose another folder")

    def seconds(self, name: str) -> float:
        """Seconds that earlier calls took."""
        return float(self._content.get(name, 0.0))

    def start(self, identity: Mapping[str, Any]) -> None:
        """Begins anew, before there are rows: these would say nothing without a record."""
        self._content = {}
        self.write(**identity, wall_s=0.0, processor_s=0.0, finished=False)

    def check(self, identity: Mapping[str, Any]) -> None:
        """Refuses to continue another run, or on another machine: rows would be mixed."""
        if differences := _differences("", self._content, json.loads(json.dumps(identity))):
            raise ValueError(
                f"out must be the folder of the same run or of none: {self.path.name} there has"
                f" {'; '.join(differences)}; choose another folder"
            )

    def write(self, **changes: Any) -> None:
        """Changes fields and writes the file."""
        self._content |= changes
        text = json.dumps(self._content, indent=2, ensure_ascii=False) + "\n"
        write_whole(self.path, text.encode(), overwrite=True)


def _differences(key: str, old: Any, new: Any) -> list[str]:
    """What differs, in words."""
    if key == "pictures":
        return [] if old == new else ["other pictures"]
    if isinstance(old, dict) and isinstance(new, dict):
        return [line for k in new for line in _differences(k, old.get(k), new[k])]
    return [] if old == new else [f"{key} {old}, not {new}"]
