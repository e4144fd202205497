"""`rrstyle stylize`: what is asked for, checked as far as possible before any computing."""

import sys
from dataclasses import replace

from apps.batch import Batch, Outcome, WriteError, plan_pairs
from apps.cli_options import Stylize, parse_again
from apps.cli_progress import ProgressLine
from apps.cli_settings import StyleOptions, checked, unchecked
from apps.inputs import Source, find_pictures
from apps.quiet import quiet_start
from apps.replay import check_weights, replayed_config, replayed_input, versions_warning
from rrstyle.config import StyleConfig
from rrstyle.progress import Step
from rrstyle.recipes import Recipe, read_recipe

_NAMED = 5  # pictures named in a line about many


def run_stylize(command: Stylize, words: list[str]) -> int:
    """Makes the pictures.

    Args:
        command: What `words` were found to mean.
        words: The command line, of which "stylize" is the first.

    Returns:
        The exit status: 1 where a picture was not made.

    Raises:
        ValueError: If an option or a name is wrong: nothing is made then.
        OSError: If the output folder cannot be used.
    """
    recipe = None
    if command.recipe is not None:
        recipe = read_recipe(command.recipe)
        options = unchecked(StyleOptions, replayed_config(recipe))
        # Read again over other defaults: options given beside a recipe override it.
        command = parse_again(words[1:], replace(command, config=options, seed=recipe.seed))
    config = checked(StyleConfig, command.config)
    for name, value, least in (("seed", command.seed, 0), ("variants", command.variants, 1)):
        if value < least:
            raise ValueError(f"{name} must be an integer of at least {least}; received {value}")
    contents = _sources(command.content, recipe, "content")
    styles = _sources(command.style, recipe, "style")
    seeds = range(command.seed, command.seed + command.variants)
    total = len(contents) * len(styles) * len(seeds)
    start = ProgressLine(sys.stderr, total)
    start.show("starting", Step("loading the networks", 0.0))
    try:
        warnings = _check_networks(config, recipe)
    finally:
        start.clear()
    pairs = plan_pairs(contents, styles, seeds, command.output)
    progress = ProgressLine(sys.stderr, total)  # its clock starts with the work
    for warning in warnings:
        progress.say(f"rrstyle: warning: {warning}")
    batch = Batch(pairs, config, overwrite=command.overwrite, progress=progress, expected=recipe)
    stopped = None
    try:
        batch.run()
    except WriteError as error:
        stopped = error
    finally:  # also on Ctrl-C: what is finished stays, and is told
        made = f"{len(batch.outcome.made)} of {total}"
        progress.say(f"{made} written to {command.output} in {progress.elapsed()}")
        _list_failures(batch.outcome, progress)
    if stopped:
        progress.say(f"rrstyle: stopped: {stopped}")
    return 1 if stopped or batch.outcome.failures else 0


def _sources(names: tuple[str, ...], recipe: Recipe | None, role: str) -> list[Source]:
    if names:
        return find_pictures(names, argument=role)
    if recipe is None:
        how = "name a photograph" if role == "content" else "name a picture with --style"
        raise ValueError(f"{role} is missing; {how}; received none")
    return [replayed_input(recipe, role)]


def _check_networks(config: StyleConfig, recipe: Recipe | None) -> list[str]:
    """Fails now where every picture would, and tells what is not as in the recipe."""
    warnings = []
    if recipe is not None and (text := check_weights(recipe, config)):
        warnings.append(text)
    with quiet_start():  # Keras, late: a mistyped name is told at once
        from rrstyle import backend, pipeline, trained

    if config.weights is not None:
        if config.weights != "imagenet":
            trained.load_vgg16(config.weights)
        config = replace(config, encoder=pipeline.trained_plan(config.encoder))
    pipeline.smallest_side(config)
    if recipe is not None and (text := versions_warning(recipe, backend.versions())):
        warnings.append(text)
    return warnings


def _list_failures(outcome: Outcome, progress: ProgressLine) -> None:
    for reason, targets in outcome.failures.items():
        names = ", ".join(target.name for target in targets[:_NAMED])
        more = f" and {len(targets) - _NAMED} more" if len(targets) > _NAMED else ""
        progress.say(f"rrstyle: {reason} (not made: {names}{more})")
