"""Words of a command line turned into a command of `apps.options.commands`, by tyro.

What a preset, a recipe or a run to be continued says are the defaults of the options, which are
known before the words are parsed.
"""

import argparse
import functools
import sys
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass, replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import tyro
from tyro.conf import Fixed, FlagCreatePairsOff, Suppress, subcommand
from tyro.constructors import (
    ConstructorRegistry,
    PrimitiveConstructorSpec,
    PrimitiveTypeInfo,
    StructConstructorSpec,
    StructFieldSpec,
    StructTypeInfo,
)

from apps.errors import did_you_mean, one_line
from apps.options.commands import COMMANDS, Classify, Command, Learn, Stylize, Train, Video
from apps.options.fields import HIDDEN, Options
from recon.painters.config import SMALL as SMALL_PAINTER
from recon.painters.config import LearnConfig
from recon.training.config import SMALL, SMALL_CLASSIFIER, ClassifierConfig, TrainingConfig
from recon.training.record import RECORD, read_config
from rrstyle.config import StyleConfig
from rrstyle.presets import ALL_PRESETS as PRESETS

_RENAMED = {"--weights": "--encoder", "--model": "--decoder"}  # since 0.1.0
_TRAININGS: dict[type, dict[str | None, Any]] = {
    Train: {"paper": TrainingConfig(), "small": SMALL},
    Classify: {"large": ClassifierConfig(), "small": SMALL_CLASSIFIER},
    Learn: {"full": LearnConfig(), "small": SMALL_PAINTER},
}


class _BrokenRule(Exception):
    """Carries a ValueError of a config through tyro, which would make a page of it."""


def parse(words: list[str], *, version: str) -> Command:
    """The command that the words of a command line stand for.

    Raises:
        SystemExit: After help (0) or a word that cannot be understood (2).
        ValueError: If a value breaks a rule, or there is no such preset, recipe or run.
        OSError: If the picture with the recipe, or the record of the run, cannot be read.
    """
    for word in words:
        option, _, _ = word.partition("=")
        if option in _RENAMED:
            print(f"rrstyle: {option} is now {_RENAMED[option]}", file=sys.stderr)
            raise SystemExit(2)
    kind: Any = COMMANDS.get(words[0]) if words else None
    if kind is None:  # help, or a word that names no command
        choices = (Annotated[kind, subcommand(name)] for name, kind in COMMANDS.items())
        any_command: Any = Union[tuple(choices)]  # noqa: UP007
        return tyro.cli(
            any_command,
            prog="rrstyle",
            description=f"Style transfer with untrained networks. rrstyle {version} (--version)",
            args=words,
            registry=_registry({}),
        )
    try:
        return tyro.cli(
            kind,
            prog=f"rrstyle {words[0]}",
            args=words[1:],
            default=_defaults(kind, words[1:]),
            registry=_registry(getattr(kind, "OPTIONS", {})),
        )
    except _BrokenRule as broken:
        raise broken.args[0] from None


def _defaults(kind: Any, words: list[str]) -> Any:
    """The command that preset, recipe or run stand for; its required fields are tyro.MISSING."""
    reader = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for options in (["--preset"], ["--recipe"], ["-o", "--out"]):
        reader.add_argument(*options)
    reader.add_argument("--resume", action="store_true")
    try:
        given, _ = reader.parse_known_args(words)
    except argparse.ArgumentError:  # tyro says what is wrong
        return tyro.MISSING_NONPROP
    if kind is Stylize and given.preset is not None:
        config = _preset(given.preset, given.recipe)
        return Stylize(output=tyro.MISSING, config=config)
    if kind is Video and given.preset is not None:
        missing = dict.fromkeys(("clip", "output"), tyro.MISSING)
        return Video(**missing, config=_preset(given.preset, None))
    if kind is Stylize and given.recipe is not None:
        from apps.batch.replay import replayed_config
        from rrstyle.recipes import read_recipe

        recipe = read_recipe(given.recipe)
        return Stylize(
            output=tyro.MISSING, seed=recipe.seed, config=replayed_config(recipe), made_by=recipe
        )
    if kind in _TRAININGS:
        presets, folder = _TRAININGS[kind], Path(given.out or "")
        found = presets.get(given.preset)
        # The first of several painters has the seed that was given.
        first = next((f for f in (folder, folder / "0") if (f / RECORD).exists()), None)
        if given.preset is None and given.resume and given.out and first is not None:
            found = read_config(type(presets["small"]), first)
        if found is not None:
            required = (f.name for f in fields(kind) if f.default is f.default_factory is MISSING)
            return kind(**dict.fromkeys(required, tyro.MISSING), config=found)
    return tyro.MISSING_NONPROP


def _preset(name: str, recipe: str | None) -> StyleConfig:
    if recipe is not None:
        raise ValueError("preset must be left out with recipe, which has its own settings")
    if name not in PRESETS:
        hint = did_you_mean(name, PRESETS)
        raise ValueError(
            f"preset must be one of {', '.join(PRESETS)}; {hint}received {one_line(name)!r}"
        )
    return PRESETS[name].config


def _registry(options: Options) -> ConstructorRegistry:
    """How tyro reads the options of a command: `OPTIONS` of its class, and typos get a hint."""
    registry = ConstructorRegistry()
    registry.primitive_rule(_choices)
    asking = False

    @registry.struct_rule
    def dataclass_with_options(info: StructTypeInfo) -> StructConstructorSpec | None:
        nonlocal asking
        if asking or not is_dataclass(info.type):
            return None
        asking = True
        try:
            spec = ConstructorRegistry.get_struct_spec(info)
        finally:
            asking = False
        assert isinstance(spec, StructConstructorSpec)
        fields = tuple(_with_option(field, options) for field in spec.fields)
        return replace(spec, instantiate=_unbroken(spec.instantiate), fields=fields)

    return registry


def _with_option(field: StructFieldSpec, options: Options) -> StructFieldSpec:
    kind: Any = field.type
    if kind is bool and not field.default:  # only what is on needs a --no-
        kind = FlagCreatePairsOff[kind]  # type: ignore[misc]
    if field.name in options:
        option = options[field.name]
        hidden = option is HIDDEN
        kind = Suppress[Fixed[kind]] if hidden else Annotated[kind, option]  # type: ignore[misc]
    return replace(field, type=kind)


def _unbroken(build: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(build)  # its docstring is in the help
    def build_or_tell(**values: Any) -> Any:
        try:
            return build(**values)
        except ValueError as error:
            raise _BrokenRule(error) from error

    return build_or_tell


def _choices(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec | None:
    """Choices whose typos get a suggestion: tyro has that for names of options only."""
    kinds = [kind for kind in get_args(info.type) if kind is not NoneType]
    one = kinds[0] if len(kinds) == 1 and get_origin(info.type) in (Union, UnionType) else info.type
    if get_origin(one) is not Literal:
        return None
    choices = get_args(one)

    def choose(given: list[str]) -> str:
        if given[0] in choices:
            return given[0]
        hint = did_you_mean(given[0], choices)
        raise ValueError(f"must be one of {', '.join(choices)}; {hint}received {given[0]!r}")

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="{" + ",".join(choices) + "}",
        instance_from_str=choose,
        is_instance=lambda value: value is None or value in choices,
        str_from_instance=lambda value: [str(value)],
    )
