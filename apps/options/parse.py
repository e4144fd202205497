"""The commands' options as dataclasses, which tyro turns into a parser and its help.

Defaults and help texts of settings come from the configs, by way of `apps.options.settings`.
"""

import difflib
import sys
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import tyro
from tyro.conf import Positional, arg, subcommand
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from apps.options.app import App
from apps.options.settings import NetworkOptions, StyleOptions
from apps.options.train import Classify, Train
from recon.experiments import EXPERIMENTS
from rrstyle.presets import PRESETS

_Style = Annotated[StyleOptions, arg(name="")]


@dataclass(frozen=True, kw_only=True)
class Stylize:
    """Paint photographs in the manner of pictures.

    Every CONTENT is painted in the manner of every STYLE, or with --blend of all of them at once.
    Each is a file, a folder of pictures or a built-in name (see `rrstyle examples`); a file goes
    before a built-in picture of its name.
    """

    content: Annotated[
        Positional[tuple[str, ...]],
        arg(metavar="CONTENT...", help_behavior_hint="(may be left out with --recipe)"),
    ] = ()
    """Photographs."""
    style: Annotated[
        tuple[str, ...],
        arg(metavar="STYLE...", help_behavior_hint="(may be left out with --recipe)"),
    ] = ()
    """Pictures whose manner is wanted."""
    blend: bool = False
    """Blend the styles, two to four, into one picture of each photograph."""
    style_weights: Annotated[
        tuple[float, ...], arg(metavar="W...", help_behavior_hint="(default: equal)")
    ] = ()
    """With --blend, how much of each style, in the order of --style; their ratios matter."""
    mask: Annotated[str | None, arg(metavar="FILE", help_behavior_hint="(default: everywhere)")] = (
        None
    )
    """A picture of any size, for every photograph: where it is white the style goes, where it is
    black the photograph stays as it is."""
    output: Annotated[Path, arg(aliases=("-o",), metavar="OUT")]
    """A folder, or a .png file when one picture is made."""
    preset: Annotated[
        str | None, arg(metavar="NAME", help_behavior_hint=f"(one of {', '.join(PRESETS)})")
    ] = None
    """A look: its settings become the defaults of all options."""
    recipe: Annotated[Path | None, arg(metavar="PNG")] = None
    """A picture made by rrstyle: its settings, seed, blend and mask become the defaults of all
    options."""
    seed: int = 0
    """Names the random networks; another seed is another picture."""
    variants: int = 1
    """Pictures of each pair, of consecutive seeds."""
    overwrite: bool = False
    """Replace files that are there."""
    config: _Style = field(default_factory=StyleOptions)


@dataclass(frozen=True, kw_only=True)
class Examples:
    """List the built-in pictures, or write them as PNG files."""

    names: Annotated[
        Positional[tuple[str, ...]], arg(metavar="NAME...", help_behavior_hint="(default: all)")
    ] = ()
    """Which ones."""
    list: bool = False
    """List them, also with -o."""
    output: Annotated[
        Path | None, arg(aliases=("-o",), metavar="DIR", help_behavior_hint="(default: list only)")
    ] = None
    """Folder to write them to; created if need be."""
    side: int = 512
    """Side of the style pictures; photographs have their own."""
    seed: int = 0
    """Of the style pictures; another seed is another composition."""
    overwrite: bool = False
    """Replace files that are there."""


@dataclass(frozen=True, kw_only=True)
class Reconstruct:
    """Show what a CNN and a DCN give back of a picture: untrained ones, or a trained DCN.

    The picture, its reconstruction by an untrained pair (rrVGG CDk) with a random readout and
    with a ridge readout, or with --decoder by a DCN of `rrstyle train`, side by side, with their
    likeness to the picture.
    """

    image: Annotated[Positional[str], arg(metavar="IMAGE")]
    """A file, or a built-in name."""
    output: Annotated[Path, arg(aliases=("-o",), metavar="OUT.png")]
    """File to write."""
    decoder: Annotated[
        Path | None, arg(metavar="RUN", help_behavior_hint="(default: untrained networks)")
    ] = None
    """Folder of a run of `rrstyle train`: its best checkpoint; the network options are its own."""
    side: int = 224
    """Longer side that the picture is brought to, in pixels."""
    seed: int = 0
    """Names the random network."""
    overwrite: bool = False
    """Replace a file that is there."""
    network: Annotated[NetworkOptions, arg(name="")] = field(default_factory=NetworkOptions)


@dataclass(frozen=True, kw_only=True)
class Export:
    """Write a model that stylises, or that reconstructs, without this package.

    A SavedModel for TensorFlow, or ONNX (it needs the extra onnx).
    """

    directory: Annotated[Positional[Path], arg(metavar="PATH")]
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
    config: _Style = field(default_factory=lambda: StyleOptions(method="transport"))


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Measure what the papers' figures show, or continue where that was stopped.

    Writes NAME.csv (the rows), NAME.json (settings, versions, device, time) and figures. The same
    command again continues a run that was stopped or killed, and draws a finished one anew.
    """

    name: Annotated[
        Positional[str],
        arg(metavar="NAME", help_behavior_hint=f"(one of {', '.join(EXPERIMENTS)})"),
    ] = ""
    """What to measure; package.module:NAME for an experiment of your own."""
    list: bool = False
    """Say what each experiment reproduces, what the papers claim of it, and what it costs."""
    scale: Literal["smoke", "laptop", "paper"] = "laptop"
    """How much: to see whether it runs, on a laptop, or as much as the papers."""
    images: Annotated[
        Path | None,
        arg(metavar="DIR", help_behavior_hint="(default: the built-in photographs)"),
    ] = None
    """Folder to draw pictures from, with its subfolders; the built-in cat is always the first."""
    encoder: Annotated[
        tuple[Path, ...], arg(metavar="FILE...", help_behavior_hint="(default: random CNNs only)")
    ] = ()
    """Trained CNNs beside random ones, at most one an architecture: files of `rrstyle classify`,
    or of VGG16 as keras.applications has it."""
    seed: int = 0
    """Names the random networks and the pictures that are drawn."""
    out: Annotated[
        Path | None,
        arg(aliases=("-o",), metavar="OUT", help_behavior_hint="(default: runs/SCALE)"),
    ] = None
    """Folder to write to; created if need be."""
    workers: Annotated[
        int | None,
        arg(
            metavar="N",
            help_behavior_hint="(default: one a processor; 1 at smoke scale and on a GPU)",
        ),
    ] = None
    """Processes that measure, of one thread each: the rows are the same with any number."""
    ray: Annotated[str | None, arg(metavar="ADDRESS", help_behavior_hint="(default: off)")] = None
    """Measure by Ray on several hosts: host:port or auto of one that runs, or local."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Say which of the papers' claims the results of experiments bear out.

    Lists the claims, and writes DIR/report.html: one page with figures, intervals and settings.
    """

    directory: Annotated[Positional[Path], arg(metavar="DIR")]
    """Folder of results, or of such folders, one a scale: the largest that is finished counts."""


Command = Stylize | Examples | Reconstruct | Export | Evaluate | Report | Train | Classify | App
Again = TypeVar("Again", Stylize, Train, Classify)
_Commands = (
    Annotated[Stylize, subcommand("stylize")]
    | Annotated[Examples, subcommand("examples")]
    | Annotated[Reconstruct, subcommand("reconstruct")]
    | Annotated[Export, subcommand("export")]
    | Annotated[Evaluate, subcommand("evaluate")]
    | Annotated[Report, subcommand("report")]
    | Annotated[Train, subcommand("train")]
    | Annotated[Classify, subcommand("classify")]
    | Annotated[App, subcommand("app")]
)

_RENAMED = {"--weights": "--encoder", "--model": "--decoder"}  # since 0.1.0

_registry = ConstructorRegistry()


@_registry.primitive_rule
def _choices(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec | None:
    """Choices whose typos get a suggestion: tyro has that for names of options only."""
    if get_origin(info.type) is not Literal:
        return None
    choices = get_args(info.type)

    def choose(given: list[str]) -> str:
        if given[0] in choices:
            return given[0]
        near = difflib.get_close_matches(given[0], choices, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"must be one of {', '.join(choices)}; {hint}received {given[0]!r}")

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="{" + ",".join(choices) + "}",
        instance_from_str=choose,
        is_instance=lambda value: value in choices,
        str_from_instance=lambda value: [value],
    )


def parse(argv: list[str], *, version: str) -> Command:
    """The command that the words of a command line stand for.

    Raises:
        SystemExit: After help (0) or a word that cannot be understood (2).
    """
    for word in argv:
        option, _, _ = word.partition("=")
        if option in _RENAMED:
            print(f"rrstyle: {option} is now {_RENAMED[option]}", file=sys.stderr)
            raise SystemExit(2)
    return tyro.cli(
        _Commands,
        prog="rrstyle",
        description=f"Style transfer with untrained networks. rrstyle {version} (--version)",
        args=argv,
        config=(tyro.conf.FlagCreatePairsOff,),
        registry=_registry,
    )


def parse_again(argv: list[str], defaults: Again) -> Again:
    """A command line (without the command's name) over other defaults."""
    # A flag that is on by default could only be switched off.
    off: dict[str, Any] = {f.name: False for f in fields(defaults) if f.default is False}
    return tyro.cli(
        type(defaults),
        prog=f"rrstyle {type(defaults).__name__.lower()}",
        args=argv,
        default=replace(defaults, **off),
        config=(tyro.conf.FlagCreatePairsOff,),
        registry=_registry,
    )
