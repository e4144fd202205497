"""The options of `rrstyle train` and `rrstyle classify`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from apps.options.settings import ClassifierOptions, TrainingOptions


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a DCN to give back pictures from the features of a frozen CNN.

    Writes checkpoints, log.csv, an event file for TensorBoard and sheets of reconstructions.
    Ctrl-C saves and stops; the same command with --resume goes on, also after a kill.
    """

    images: Annotated[Path, arg(metavar="DIR")]
    """Folder of pictures, with its subfolders. Training cuts random squares of --crop pixels out of
    them; pictures smaller than that are enlarged. Bad files are passed over, and listed in RUN."""
    out: Annotated[Path, arg(aliases=("-o",), metavar="RUN")]
    """Folder of the run: new, empty, or with --resume that of a run."""
    preset: Annotated[
        Literal["paper", "small"] | None,
        arg(
            metavar="{paper,small}",
            help_behavior_hint="(default: paper; with --resume the settings of the run)",
        ),
    ] = None
    """Settings that the options beside it override: the papers', or small for two processor
    cores."""
    resume: bool = False
    """Continue the run in RUN from its last checkpoint. Options that are not given are the run's;
    --steps and the three --...-every may differ from them, and nothing else."""
    devices: Annotated[int | Literal["all"], arg(metavar="N|all")] = 1
    """Devices that share every batch; all, on several hosts (see the README)."""
    config: Annotated[TrainingOptions, arg(name="")] = field(default_factory=TrainingOptions)


@dataclass(frozen=True, kw_only=True)
class Classify:
    """Train a CNN itself, as a classifier: a trained encoder of your own for `rrstyle train`.

    Writes RUN/classifier.npz, for --encoder, and the checkpoints and the log that train writes
    too. Ctrl-C saves and stops; the same command with --resume goes on, also after a kill.
    """

    images: Annotated[Path, arg(metavar="DIR")]
    """Folder with a subfolder of pictures for each class, two at least. Pictures are cut, enlarged
    and passed over as in train."""
    out: Annotated[Path, arg(aliases=("-o",), metavar="RUN")]
    """Folder of the run: new, empty, or with --resume that of a run."""
    preset: Annotated[
        Literal["large", "small"] | None,
        arg(
            metavar="{large,small}",
            help_behavior_hint="(default: large; with --resume the settings of the run)",
        ),
    ] = None
    """Settings that the options beside it override: large, for pictures as ImageNet's, or small,
    for 32 x 32 pixels and two processor cores."""
    resume: bool = False
    """Continue the run in RUN from its last checkpoint. Options that are not given are the run's;
    --steps and the two --...-every may differ from them, and nothing else."""
    devices: Annotated[int | Literal["all"], arg(metavar="N|all")] = 1
    """Devices that share every batch; all, on several hosts (see the README)."""
    config: Annotated[ClassifierOptions, arg(name="")] = field(default_factory=ClassifierOptions)
