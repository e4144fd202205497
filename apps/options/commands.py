"""The commands' options as dataclasses, which `apps.options.parse` turns into parsers and help.

Settings are the fields of the configs, with their defaults and help texts. Where an option differs
from its field, by name, by help or by not being there, `OPTIONS` of its command says so.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

from tyro.conf import Fixed, Positional, Suppress, arg

from apps.options.fields import HIDDEN, INLINE, OUT, Options, option
from apps.options.trainings import Classify, Learn, Train
from apps.service.limits import ServerConfig
from recon.experiments import EXPERIMENTS
from rrstyle.config import NetworkConfig, StyleConfig
from rrstyle.presets import ALL_PRESETS as PRESETS

NAMES = {"weights": "encoder"}
"""Options by the name of their setting, where that is another one."""

_STYLE: Options = {
    "config": INLINE,
    "encoder": INLINE,
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
        Positional[tuple[str, ...]], option("CONTENT...", "may be left out with --recipe")
    ] = ()
    """Photographs."""
    style: Annotated[
        tuple[str, ...], option("STYLE...", "may be left out with --recipe or --painter")
    ] = ()
    """Pictures whose style is wanted."""
    painter: Annotated[Path | None, option("DIR", "default: none")] = None
    """Folder that `rrstyle learn` has written: its painter paints in the style that it learnt,
    with --strength, --side and --keep-colours; of several painters --seed chooses one, 0 the
    first. All other options of style transfer are left out."""
    blend: bool = False
    """Blend the styles, two to four, into one picture of each photograph."""
    style_weights: Annotated[tuple[float, ...], option("W...", "default: equal")] = ()
    """With --blend, the share of each style, in the order of --style; only their ratios matter."""
    mask: Annotated[str | None, option("FILE", "default: everywhere")] = None
    """A picture of any size, for every photograph: where it is white the style goes, where it is
    black the photograph stays as it is."""
    style_mask: Annotated[tuple[str, ...], option("FILE...", "default: one region")] = ()
    """Two maps, of the photographs and of the style (with --blend one of each style): pictures of
    any size whose colours mark regions, up to 8. Each region of a photograph is painted from the
    region of the same colour in the style."""
    output: Annotated[Path, option("OUT", aliases=OUT)]
    """A folder, or a .png file when one picture is made."""
    preset: Annotated[str | None, option("NAME", f"one of {', '.join(PRESETS)}")] = None
    """A look, or a model of the paper: its settings become the defaults of all options."""
    recipe: Annotated[Path | None, option("PNG")] = None
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

    clip: Annotated[Positional[str], option("CLIP")]
    """A video, or an animated GIF or WebP."""
    style: Annotated[tuple[str, ...], option("STYLE...", "may be left out with --painter")] = ()
    """Pictures whose style is wanted: files or built-in names."""
    painter: Annotated[Path | None, option("DIR", "default: none")] = None
    """Folder that `rrstyle learn` has written: its painter paints each picture, as in stylize."""
    style_weights: Annotated[tuple[float, ...], option("W...", "default: equal")] = ()
    """Share of each style, in the order of --style; only their ratios matter."""
    output: Annotated[Path, option("OUT", aliases=OUT)]
    """File to write: .mp4, .mov or .mkv, or .gif or .webp without audio."""
    preset: Annotated[str | None, option("NAME", "a look that paints")] = None
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

    names: Annotated[Positional[tuple[str, ...]], option("NAME...", "default: all")] = ()
    """Which ones."""
    list: bool = False
    """List them, also with -o."""
    output: Annotated[Path | None, option("DIR", "default: list only", aliases=OUT)] = None
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

    image: Annotated[Positional[str], option("IMAGE")]
    """A file, or a built-in name."""
    output: Annotated[Path, option("OUT.png", aliases=OUT)]
    """File to write."""
    decoder: Annotated[Path | None, option("RUN", "default: untrained networks")] = None
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
    """Write a model that stylises, paints, or reconstructs, without this package.

    A SavedModel for TensorFlow, or ONNX (it needs the extra onnx).
    """

    directory: Annotated[Positional[Path], option("PATH")]
    """Folder to write, or file for ONNX; or a run of `rrstyle train`, into which its CNN and DCN
    are written as saved_model. With --decoder RUN too, the model holds the CNN and the DCN of the
    run, of its best checkpoint, and no style transfer: all other options but --overwrite are for
    style transfer. Or a folder of `rrstyle learn`: the model is its painter, of several the one
    that --seed names."""
    output: Annotated[
        Path | None, option("OUT", "default: saved_model or model.onnx in PATH", aliases=OUT)
    ] = None
    """With a run or a painter as PATH: folder, or file for ONNX, to write."""
    format: Annotated[
        Literal["savedmodel", "onnx"] | None,
        arg(help_behavior_hint="(default: onnx for a .onnx file, else savedmodel)"),
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

    name: Annotated[Positional[str], option("NAME", f"one of {', '.join(EXPERIMENTS)}")] = ""
    """What to measure; package.module:NAME for an experiment of your own."""
    list: bool = False
    """Say what each experiment reproduces, what the papers claim of it, and what it costs."""
    scale: Literal["smoke", "laptop", "paper"] = "laptop"
    """How much to measure: to see whether it runs, what a laptop can, or as much as the papers."""
    images: Annotated[Path | None, option("DIR", "default: the built-in photographs")] = None
    """Folder to draw pictures from, with its subfolders; the built-in cat is always the first."""
    encoder: Annotated[tuple[Path, ...], option("FILE...", "default: random CNNs only")] = ()
    """Trained CNNs beside random ones, at most one an architecture: files of `rrstyle classify`,
    or of VGG16 as keras.applications has it."""
    seed: int = 0
    """Names the random networks and the pictures that are drawn."""
    out: Annotated[Path | None, option("OUT", "default: runs/SCALE", aliases=OUT)] = None
    """Folder to write to; created if need be."""
    workers: Annotated[
        int | None, option("N", "default: one a processor; 1 at smoke scale and on a GPU")
    ] = None
    """Processes that measure, of one thread each: the rows are the same with any number."""
    ray: Annotated[str | None, option("ADDRESS", "default: off")] = None
    """Measure by Ray on several hosts: host:port of a running Ray, auto to find one, or local."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Say which of the papers' claims the results of the experiments bear out.

    Lists the claims, and writes DIR/report.html: one page with figures, intervals and settings.
    """

    directory: Annotated[Positional[Path], option("DIR")]
    """Folder of results, or of such folders, one a scale: the largest that is finished counts."""


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
        **dict.fromkeys(("server", "limits", "folders"), INLINE),
        "auth": HIDDEN,  # --auth names a file, so that no password is in the command line
        "allow_host": option("HOST...", "default: none"),
        "root_path": option("PATH", "default: none"),
        "runs": option(
            "DIR",
            "default: none",
            help="Run of `rrstyle train`, or folder of such runs, that the app reconstructs with.",
        ),
        "results": option(
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
    | Learn
    | App
    | Info
)
COMMANDS: dict[str, type[Command]] = {kind.__name__.lower(): kind for kind in get_args(Command)}
