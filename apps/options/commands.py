"""The commands' options as dataclasses, which `apps.options.parse` turns into parsers and help.

Settings are the fields of the configs, with their defaults and help texts. Where an option differs
from its field, by name, by help or by not being there, `OPTIONS` of its command says so.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

from tyro.conf import Fixed, Positional, Suppress, arg

from apps.service.limits import ServerConfig
from recon.experiments import EXPERIMENTS
from recon.training.config import ClassifierConfig, TrainingConfig
from rrstyle.config import NetworkConfig, StyleConfig
from rrstyle.presets import ALL_PRESETS as PRESETS

NAMES = {"weights": "encoder"}
"""Options by the name of their setting, where that is another one."""

HIDDEN = None  # in OPTIONS: a setting that is no option
Options = dict[str, Any]  # by the name of a field: what tyro.conf.arg returns, or HIDDEN

_O = ("-o",)


def _arg(metavar: str, hint: str = "", **others: Any) -> Any:
    """An option whose value the help shows as `metavar`, with a hint in place of the default."""
    return arg(metavar=metavar, help_behavior_hint=f"({hint})" if hint else None, **others)


_INLINE = arg(name="")  # the fields of a nested config go beside those of the outer one
_STYLE: Options = {
    "config": _INLINE,
    "encoder": _INLINE,
    "weights": arg(name=NAMES["weights"], metavar="random|imagenet|FILE"),
    "decoder": arg(
        metavar="ridge|random|RUN",
        help="Last layer of the DCN: ridge, solved in closed form on the two images, or random as"
        " in the paper; or the folder of a run of `rrstyle train`, whose CNN and DCN, of its best"
        " checkpoint, take the place of both. The run then sets the options of the networks, and"
        " --seed names what else is random: nothing in transport, knothe, whitening and adain.",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Stylize:
    """Paint photographs in the style of other pictures.

    Every CONTENT is painted in the style of every STYLE, or with --blend of all of them at once.
    Each is a file, a folder of pictures or a built-in name (see `rrstyle examples`); where both
    have one name, the file counts.
    """

    content: Annotated[
        Positional[tuple[str, ...]], _arg("CONTENT...", "may be left out with --recipe")
    ] = ()
    """Photographs."""
    style: Annotated[tuple[str, ...], _arg("STYLE...", "may be left out with --recipe")] = ()
    """Pictures whose style is wanted."""
    blend: bool = False
    """Blend the styles, two to four, into one picture of each photograph."""
    style_weights: Annotated[tuple[float, ...], _arg("W...", "default: equal")] = ()
    """With --blend, the share of each style, in the order of --style; only their ratios matter."""
    mask: Annotated[str | None, _arg("FILE", "default: everywhere")] = None
    """A picture of any size, for every photograph: where it is white the style goes, where it is
    black the photograph stays as it is."""
    style_mask: Annotated[tuple[str, ...], _arg("FILE...", "default: one region")] = ()
    """Two maps, of the photographs and of the style (with --blend one of each style): pictures of
    any size whose colours mark regions, up to 8. Each region of a photograph is painted from the
    region of the same colour in the style."""
    output: Annotated[Path, _arg("OUT", aliases=_O)]
    """A folder, or a .png file when one picture is made."""
    preset: Annotated[str | None, _arg("NAME", f"one of {', '.join(PRESETS)}")] = None
    """A look, or a model of the paper: its settings become the defaults of all options."""
    recipe: Annotated[Path | None, _arg("PNG")] = None
    """A picture made by rrstyle: its settings, seed, blend and masks become the defaults of all
    options."""
    seed: int = 0
    """Names the random networks; another seed is another picture."""
    variants: int = 1
    """Pictures of each pair, of consecutive seeds."""
    keep_alpha: bool = True
    """Keep the transparency of photographs that have it; otherwise they are on white."""
    overwrite: bool = False
    """Replace files that are there."""
    made_by: Suppress[Fixed[Any]] = None  # the Recipe in the picture that --recipe names
    config: StyleConfig = field(default_factory=StyleConfig)

    OPTIONS: ClassVar[Options] = _STYLE


@dataclass(frozen=True, kw_only=True)
class Video:
    """Paint a clip in the style of a picture, or of several, blended.

    Strokes stay on what they paint, from picture to picture. Times and audio are those of the clip.
    It needs the extra video. What is done so far is kept in OUT.parts: after Ctrl-C or a kill the
    same command continues from there.
    """

    clip: Annotated[Positional[str], _arg("CLIP")]
    """A video, or an animated GIF or WebP."""
    style: Annotated[tuple[str, ...], _arg("STYLE...")]
    """Pictures whose style is wanted: files or built-in names."""
    style_weights: Annotated[tuple[float, ...], _arg("W...", "default: equal")] = ()
    """Share of each style, in the order of --style; only their ratios matter."""
    output: Annotated[Path, _arg("OUT", aliases=_O)]
    """File to write: .mp4, .mov or .mkv, or .gif or .webp without audio."""
    preset: Annotated[str | None, _arg("NAME", "a look that paints")] = None
    """A look: its settings become the defaults of all options."""
    seed: int = 0
    """Names the random networks; another seed is another clip."""
    overwrite: bool = False
    """Replace a file that is there."""
    config: StyleConfig = field(default_factory=StyleConfig)

    OPTIONS: ClassVar[Options] = {
        **_STYLE,
        **dict.fromkeys(("method", "network", "tile", "optimise"), HIDDEN),
    }


@dataclass(frozen=True, kw_only=True)
class Examples:
    """List the built-in pictures, or write them as PNG files."""

    names: Annotated[Positional[tuple[str, ...]], _arg("NAME...", "default: all")] = ()
    """Which ones."""
    list: bool = False
    """List them, also with -o."""
    output: Annotated[Path | None, _arg("DIR", "default: list only", aliases=_O)] = None
    """Folder to write them to; created if need be."""
    side: int = 512
    """Side of the style pictures; photographs have their own."""
    seed: int = 0
    """Seed of the style pictures; another seed is another composition."""
    overwrite: bool = False
    """Replace files that are there."""


@dataclass(frozen=True, kw_only=True)
class Reconstruct:
    """Show what a CNN and a DCN give back of a picture: untrained ones, or a trained DCN.

    The picture, its reconstruction by an untrained pair (rrVGG CDk) with a random readout and
    with a ridge readout, or with --decoder by a DCN of `rrstyle train`, side by side, with how
    much they are like the picture.
    """

    image: Annotated[Positional[str], _arg("IMAGE")]
    """A file, or a built-in name."""
    output: Annotated[Path, _arg("OUT.png", aliases=_O)]
    """File to write."""
    decoder: Annotated[Path | None, _arg("RUN", "default: untrained networks")] = None
    """Folder of a run of `rrstyle train`, whose best checkpoint and network options are taken."""
    side: int = 224
    """Longer side that the picture is brought to, in pixels."""
    seed: int = 0
    """Names the random network."""
    overwrite: bool = False
    """Replace a file that is there."""
    network: Annotated[NetworkConfig, arg(name="")] = field(default_factory=NetworkConfig)


@dataclass(frozen=True, kw_only=True)
class Export:
    """Write a model that stylises, or that reconstructs, without this package.

    A SavedModel for TensorFlow, or ONNX (it needs the extra onnx).
    """

    directory: Annotated[Positional[Path], _arg("PATH")]
    """Folder to write, or file for ONNX; or a run of `rrstyle train`, into which its CNN and DCN
    are written as saved_model. With --decoder RUN too, the model holds the CNN and the DCN of the
    run, of its best checkpoint, and no style transfer: all other options but --overwrite are for
    style transfer."""
    format: Annotated[
        Literal["savedmodel", "onnx"] | None,
        arg(help_behavior_hint="(default: onnx for a .onnx PATH, else savedmodel)"),
    ] = None
    """Kind of model."""
    seed: int = 0
    """Names the random networks."""
    overwrite: bool = False
    """Replace a model that is there."""
    # The general default, paint, is a search and no formula: a graph cannot hold it.
    config: StyleConfig = field(default_factory=lambda: StyleConfig(method="transport"))

    OPTIONS: ClassVar[Options] = _STYLE


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Measure what the papers' figures show, or continue where that was stopped.

    Writes NAME.csv (the rows), NAME.json (settings, versions, device, time) and figures. The same
    command again continues a run that was stopped or killed, and draws a finished one anew.
    """

    name: Annotated[Positional[str], _arg("NAME", f"one of {', '.join(EXPERIMENTS)}")] = ""
    """What to measure; package.module:NAME for an experiment of your own."""
    list: bool = False
    """Say what each experiment reproduces, what the papers claim of it, and what it costs."""
    scale: Literal["smoke", "laptop", "paper"] = "laptop"
    """How much to measure: to see whether it runs, what a laptop can, or as much as the papers."""
    images: Annotated[Path | None, _arg("DIR", "default: the built-in photographs")] = None
    """Folder to draw pictures from, with its subfolders; the built-in cat is always the first."""
    encoder: Annotated[tuple[Path, ...], _arg("FILE...", "default: random CNNs only")] = ()
    """Trained CNNs beside random ones, at most one an architecture: files of `rrstyle classify`,
    or of VGG16 as keras.applications has it."""
    seed: int = 0
    """Names the random networks and the pictures that are drawn."""
    out: Annotated[Path | None, _arg("OUT", "default: runs/SCALE", aliases=_O)] = None
    """Folder to write to; created if need be."""
    workers: Annotated[
        int | None, _arg("N", "default: one a processor; 1 at smoke scale and on a GPU")
    ] = None
    """Processes that measure, of one thread each: the rows are the same with any number."""
    ray: Annotated[str | None, _arg("ADDRESS", "default: off")] = None
    """Measure by Ray on several hosts: host:port of a running Ray, auto to find one, or local."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Say which of the papers' claims the results of the experiments bear out.

    Lists the claims, and writes DIR/report.html: one page with figures, intervals and settings.
    """

    directory: Annotated[Positional[Path], _arg("DIR")]
    """Folder of results, or of such folders, one a scale: the largest that is finished counts."""


@dataclass(frozen=True, kw_only=True)
class _Training:
    images: Path
    out: Annotated[Path, _arg("RUN", aliases=_O)]
    """Folder of the run: new, empty, or with --resume that of a run."""
    preset: str | None = None
    resume: bool = False
    """Continue the run in RUN from its last checkpoint. Options that are not given are the run's;
    --steps and the --...-every may differ from them, and nothing else."""
    devices: Annotated[int | Literal["all"], _arg("N|all")] = 1
    """Devices that share every batch; all, on several hosts (see the README)."""


@dataclass(frozen=True, kw_only=True)
class Train(_Training):
    """Train a DCN to give back pictures from the features of a frozen CNN.

    Writes checkpoints, log.csv, an event file for TensorBoard and sheets of reconstructions.
    Ctrl-C saves and stops; the same command with --resume continues, also after a kill.
    """

    images: Annotated[Path, _arg("DIR")]
    """Folder of pictures, with its subfolders. Training cuts random squares of --crop pixels out of
    them; pictures smaller than that are enlarged. Bad files are passed over, and listed in RUN."""
    preset: Annotated[
        Literal["paper", "small"] | None,
        arg(help_behavior_hint="(default: paper; with --resume the settings of the run)"),
    ] = None
    """Settings that the options beside it override: the papers', or small for two processor
    cores."""
    encoder: Annotated[
        str | None, _arg("random|imagenet|FILE", "default: random; with --resume that of the run")
    ] = None
    """Weights of the CNN: random, from the seed; imagenet, VGG16's from keras.applications; or a
    file of trained weights, VGG16's in the layout of keras.applications or one that `rrstyle
    classify` wrote. Trained weights bring their architecture, activation and padding with them.
    Only the word imagenet may download something, if the weights are not in the cache of
    keras.applications."""
    config: TrainingConfig = field(default_factory=TrainingConfig)

    OPTIONS: ClassVar[Options] = {
        "config": _INLINE,
        "network": _INLINE,
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

    images: Annotated[Path, _arg("DIR")]
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
        "config": _INLINE,
        "network": _INLINE,
        "learning_rate": arg(aliases=("--lr",)),
        **dict.fromkeys(("layer", "tap", "upsampling", "decoder_activation", "law", "std"), HIDDEN),
    }


@dataclass(frozen=True, kw_only=True)
class App:
    """Serve the app to browsers.

    Ctrl-C or SIGTERM ends it: new and waiting jobs are refused, and those that run have 20 seconds
    to end.
    """

    login: Annotated[
        str | None, arg(name="auth", metavar="USER:FILE", help_behavior_hint="(default: open)")
    ] = None
    """Ask for this user name and for the password in FILE, its only line."""
    server: ServerConfig = field(default_factory=ServerConfig)

    OPTIONS: ClassVar[Options] = {
        **dict.fromkeys(("server", "limits", "folders"), _INLINE),
        "auth": HIDDEN,  # --auth names a file, so that no password is in the command line
        "allow_host": _arg("HOST...", "default: none"),
        "root_path": _arg("PATH", "default: none"),
        "runs": _arg(
            "DIR",
            "default: none",
            help="Run of `rrstyle train`, or folder of such runs, that the app reconstructs with.",
        ),
        "results": _arg(
            "DIR", "default: those of this package", help="Results of `rrstyle evaluate` to show."
        ),
    }


@dataclass(frozen=True, kw_only=True)
class Info:
    """Tell what this machine computes with, and how fast; and what to do where a GPU is not used.

    Takes some seconds: the rates are measured. KERAS_BACKEND chooses the backend.
    """


Command = (
    Stylize
    | Video
    | Examples
    | Reconstruct
    | Export
    | Evaluate
    | Report
    | Train
    | Classify
    | App
    | Info
)
COMMANDS: dict[str, type[Command]] = {kind.__name__.lower(): kind for kind in get_args(Command)}
