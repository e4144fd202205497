"""A training small enough for tests; run as a module, it trains in a process of its own."""

import contextlib
import itertools
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from recon.training.config import TrainingConfig
from rrstyle.config import from_dict
from rrstyle.durable import write_whole
from rrstyle.progress import ignore

NETWORK = {
    "layer": "conv2_1",
    "channels": 4,
    "padding": "zero",
    "encoder_activation": "leaky_relu",
    "decoder_activation": "leaky_relu",
    "law": "he",
}


def tiny_config(**changes: Any) -> TrainingConfig:
    """Crops of 12 pixels, batches of 4, 12 steps; a checkpoint every third one."""
    values = {
        "network": NETWORK,
        "crop": 12,
        "batch": 4,
        "steps": 12,
        "learning_rate": 1e-3,
        "milestones": (8,),
        "precision": "float32",
        "log_every": 2,
        "checkpoint_every": 3,
        "sample_every": 6,
    }
    return from_dict(TrainingConfig, values | changes)


def pictures(count: int, side: int, seed: int) -> np.ndarray:
    """Smooth random pictures: uint8 (count, side, side, 3)."""
    rng = np.random.default_rng(seed)
    at = np.linspace(0, 1, side)
    slopes, phases = rng.normal(0, 6, (2, count, 1, 1, 3)), rng.uniform(0, 6, (count, 1, 1, 3))
    waves = np.sin(slopes[0] * at[:, None, None] + slopes[1] * at[None, :, None] + phases)
    return np.rint(127.5 + 120 * waves).astype(np.uint8)


class Pictures:
    """A source of training images: each batch a function of its number."""

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.asked: list[int] = []

    def __getitem__(self, number):
        self.asked.append(number)
        return pictures(self.config.batch, self.config.crop, seed=number)


def train_tiny(out: Path, *, resume: bool = False, changes: dict | None = None, **options: Any):
    """Trains the tiny pair, or goes on to."""
    from recon.training.train import train

    config = tiny_config(**(changes or {}))
    return train(
        config,
        Pictures(config),
        out,
        resume=resume,
        samples=pictures(2, config.crop, seed=1000),
        validation=pictures(6, config.crop, seed=1001),
        **options,
    )


def state_arrays(out: Path) -> dict[str, np.ndarray]:
    """Weights and optimizer of the last checkpoint."""
    from recon.training.run import checkpoints_of

    found, notes = checkpoints_of(out).latest()
    assert found is not None
    assert notes == []
    return found.arrays


# Where a run is killed, one after the other: each goes on from what the one before left. The
# numbers count calls of `os` functions, or steps, of the one process; what they hit is beside them.
KILLS = (
    ("fsync", 1),  # the record of the run is written
    ("step", 2),  # before the first checkpoint
    ("fsync", 3),  # its arrays are written
    ("fsync", 4),  # its state is written
    ("rename", 1),  # it is whole, but bears no name
    ("fsync", 6),  # it has just got its name: that of step 3
    ("step", 4),
    ("replace", 1),  # the sheet of step 6
    ("fsync", 4),  # arrays of step 6
    ("rename", 3),  # at step 9, before step 3 is removed
    ("rmdir", 1),  # at step 12, before step 6 is gone
)


def kill_at(event: str, number: int) -> Callable:
    """Makes this process end by SIGKILL at a step, or just before a call of an `os` function.

    Returns:
        The callback of the training.
    """

    def kill(count: int) -> None:
        if count >= number:
            os.kill(os.getpid(), signal.SIGKILL)

    if event == "step":
        return lambda report: kill(report.step)
    original, counter = getattr(os, event), itertools.count(1)

    def counted(*args, **kwargs):
        kill(next(counter))
        return original(*args, **kwargs)

    setattr(os, event, counted)
    return ignore


def killed_runs(out: Path) -> list[dict]:
    """Trains in processes that are killed, the last one not; what each of them left, by JSON.

    They are forks of this process, in which TensorFlow is imported but has not computed yet: a
    new process each would take four times as long.
    """

    left = []
    for kill in (*KILLS, None):
        child = os.fork()
        if child == 0:
            try:
                train_tiny(out, resume=True, on_step=kill_at(*kill) if kill else ignore)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        names = [path.name for path in out.rglob("*") if path.is_file() or path.suffix == ""]
        left.append(
            {
                "kill": kill,
                "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
                "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
                "names": sorted(names),
                "torn": sorted(path.name for path in (out / "checkpoints").glob("*.tmp")),
            }
        )
    return left


def several_devices(found: Path) -> None:
    """Losses and weights by one device and by two, into a file; and a stopped run's."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        processor = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            processor, [tf.config.LogicalDeviceConfiguration()] * 2
        )
    for devices in (1, 2):
        train_by_command(found.parent / f"command {devices}", "--devices", str(devices))
    result: dict[str, np.ndarray] = {}
    # A stop on TensorFlow is tested without a process of its own.
    runs = [("one", 1, None), ("two", 2, None), ("stopped", 1, 4)]
    for name, devices, stop in runs[: 3 if keras.backend.backend() == "jax" else 2]:
        out = found.parent / name
        if stop is not None:
            with contextlib.suppress(Stop):
                train_tiny(out, devices=devices, on_step=stop_at(stop))
        train_tiny(out, devices=devices, resume=stop is not None)
        losses = np.genfromtxt(out / "log.csv", delimiter=",", names=True)
        result |= {f"{name} loss": losses["loss"], f"{name} step": losses["step"]}
        result |= {f"{name} {key}": array for key, array in state_arrays(out).items()}
    result["backend"] = np.asarray(keras.backend.backend())
    np.savez(found, **result)


def train_by_command(out: Path, *words: str) -> None:
    """Trains by `rrstyle train` for six steps, on pictures of its own beside `out`."""
    from apps import cli
    from rrstyle.pictures.images import encode_png

    folder = out.with_name(f"pictures of {out.name}")
    folder.mkdir(exist_ok=True)
    for number in range(12):
        image = pictures(1, 24, seed=number)[0] / np.float32(255)
        write_whole(folder / f"{number:02d}.png", encode_png(image), overwrite=True)
    tiny = "--tap conv1 --channels 4 --crop 12 --batch 4 --law he --precision float32 --steps 6"
    often = "--checkpoint-every 2 --sample-every 4 --log-every 2 --validation 0.4"
    given = ("--images", str(folder), "--out", str(out), *f"{tiny} {often}".split(), *words)
    assert cli.main(["train", *given]) == 0


class Stop(Exception):
    """What a test stops a training with."""


def stop_at(step: int):
    """A callback that stops a training."""

    def on_step(report) -> None:
        if report.step >= step:
            raise Stop

    return on_step


if __name__ == "__main__":
    mode, target = sys.argv[1], Path(sys.argv[2])
    if mode == "devices":
        several_devices(target)
    elif mode == "host":
        train_by_command(target, "--devices", "all")
    else:
        print(json.dumps(killed_runs(target)))
