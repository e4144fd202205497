"""The options of the commands that train, as dataclasses: see `apps.options.commands`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from tyro.conf import arg

from apps.options.fields import HIDDEN, INLINE, OUT, Options, option
from recon.painters.config import LearnConfig
from recon.training.config import ClassifierConfig, TrainingConfig


@dataclass(frozen=True, kw_only=True)
class _Training:
    images: Path
    out: Annotated[Path, option("RUN", aliases=OUT)]
    """Folder of the run: new, empty, or with --resume that of a run."""
    preset: str | None = None
    resume: bool = False
    """Continue the run in RUN from its last checkpoint. Options that are not given are the run's;
    --steps and the --...-every may differ from them, and nothing else."""
    devices: Annotated[int | Literal["all"], option("N|all")] = 1
    """Devices that share every batch; all, on several hosts (see the README)."""


@dataclass(frozen=True, kw_only=True)
class Train(_Training):
    """Train a DCN to give back pictures from the features of a frozen CNN.

    Writes checkpoints, log.csv, an event file for TensorBoard and sheets of reconstructions.
    Ctrl-C saves and stops; the same command with --resume continues, also after a kill.
    """

    images: Annotated[Path, option("DIR")]
    """Folder of pictures, with its subfolders. Training cuts random squares of --crop pixels out of
    them; pictures smaller than that are enlarged. Bad files are passed over, and listed in RUN."""
    preset: Annotated[
        Literal["paper", "small"] | None,
        arg(help_behavior_hint="(default: paper; with --resume the settings of the run)"),
    ] = None
    """Settings that the options beside it override: the papers', or small for two processor
    cores."""
    encoder: Annotated[
        str | None, option("random|imagenet|FILE", "default: random; with --resume that of the run")
    ] = None
    """Weights of the CNN: random, from the seed; imagenet, VGG16's from keras.applications; or a
    file of trained weights, VGG16's in the layout of keras.applications or one that `rrstyle
    classify` wrote. Trained weights bring their architecture, activation and padding with them.
    Only the word imagenet may download something, if the weights are not in the cache of
    keras.applications."""
    config: TrainingConfig = field(default_factory=TrainingConfig)

    OPTIONS: ClassVar[Options] = {
        "config": INLINE,
        "network": INLINE,
        "weights": HIDDEN,  # --encoder beside the config says which
        "learning_rate": arg(aliases=("--lr",)),
        "layer": arg(aliases=("--tap",)),  # features are taken before the pool, as in the papers
        "tap": HIDDEN,
    }


@dataclass(frozen=True, kw_only=True)
class Classify(_Training):
    """Train a CNN itself, as a classifier: a trained encoder of your own for `rrstyle train`.

    Writes RUN/classifier.npz, for --encoder, and the checkpoints and the log that train writes
    too. Ctrl-C saves and stops; the same command with --resume continues, also after a kill.
    """

    images: Annotated[Path, option("DIR")]
    """Folder with a subfolder of pictures for each class, two at least. Pictures are cut, enlarged
    and passed over as in train."""
    preset: Annotated[
        Literal["large", "small"] | None,
        arg(help_behavior_hint="(default: large; with --resume the settings of the run)"),
    ] = None
    """Settings that the options beside it override: large, for pictures as ImageNet's, or small,
    for 32 x 32 pixels and two processor cores."""
    config: ClassifierConfig = field(default_factory=ClassifierConfig)

    # A whole CNN: what concerns parts of it, or a DCN, cannot be set.
    OPTIONS: ClassVar[Options] = {
        "config": INLINE,
        "network": INLINE,
        "learning_rate": arg(aliases=("--lr",)),
        **dict.fromkeys(("layer", "tap", "upsampling", "decoder_activation", "law", "std"), HIDDEN),
    }


@dataclass(frozen=True, kw_only=True)
class Learn(_Training):
    """Teach a painter one painting: a small network that then paints any photograph at once.

    Photographs are painted by the method paint, which is kept in OUT, and the painter learns to do
    the same. Writes the painter, checkpoints, log.csv and sheets: photographs, pictures by paint,
    pictures by the painter. Ctrl-C saves and stops; the same command with --resume continues, also
    after a kill.
    """

    style: Annotated[str, option("PICTURE")]
    """The painting: a file or a built-in name."""
    images: Annotated[Path, option("DIR")]
    """Folder of photographs, with its subfolders. Bad files are passed over, and listed in OUT."""
    out: Annotated[Path, option("OUT", aliases=OUT)]
    """Folder of the painter: new, empty, or with --resume one that is not finished."""
    preset: Annotated[
        Literal["full", "small"] | None,
        arg(help_behavior_hint="(default: full; with --resume the settings of the painter)"),
    ] = None
    """Settings that the options beside it override: full, for a GPU, or small, for two processor
    cores."""
    variants: int = 1
    """Painters of consecutive seeds, in folders OUT/0, OUT/1 and so on: each paints in its own
    way."""
    config: LearnConfig = field(default_factory=LearnConfig)

    OPTIONS: ClassVar[Options] = {
        "config": INLINE,
        "painter": INLINE,
        "learning_rate": arg(aliases=("--lr",)),
        # A painter's random networks, and what it does not use of a training.
        **dict.fromkeys(("network", "devices", "precision", "weight_decay"), HIDDEN),
    }
