"""`rrstyle stylize`: what is asked for, checked as far as possible before any computing."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from apps.batch.inputs import Source, find_pictures
from apps.batch.painters import PainterBatch, painter_warning, plan_pictures, read_painters
from apps.batch.replay import (
    check_painter,
    check_trained,
    recipe_inputs,
    replayed_input,
    versions_warning,
)
from apps.batch.run import Batch, Pair, WriteError, plan_pairs
from apps.errors import one_line
from apps.options.checks import check_range, refuse_beside_run
from apps.options.commands import Stylize
from apps.progress import ProgressLine
from apps.quiet import quiet_start
from rrstyle.config import DECODERS, StyleConfig
from rrstyle.memory import check_memory
from rrstyle.networks.laws import check_seed
from rrstyle.pictures.images import read_image
from rrstyle.pictures.masks import as_mask
from rrstyle.pictures.regions import Regions, as_regions, check_method
from rrstyle.progress import Step
from rrstyle.recipes import Recipe
from rrstyle.transfer.blends import MOST_STYLES, check_shares

if TYPE_CHECKING:  # it imports Keras
    from rrstyle.networks.pair import CnnDcn

_NAMED = 5  # pictures named in a line about many


def run(command: Stylize) -> int:
    """Makes the pictures; the exit status is 1 where one was not made."""
    recipe: Recipe | None = command.made_by
    check_seed(command.seed)
    check_range("variants", command.variants, 1, 10_000)
    if recipe is not None:
        check_painter(recipe, command.painter)
    contents = _sources(command.content, recipe, "content")
    seeds = range(command.seed, command.seed + command.variants)
    if command.painter is not None:
        return _run(_by_painters(command, command.painter, contents, seeds), command.output)
    styles, weights = _styles(command, recipe)
    mask, regions = _mask(command, recipe), _regions(command, recipe, styles)
    with _starting():
        config, networks = with_networks(command.config)
        warnings = _check_networks(config, networks, recipe)
    pairs = plan_pairs(contents, styles, seeds, command.output)
    batch = Batch(
        pairs=pairs,
        config=config,
        overwrite=command.overwrite,
        keep_alpha=command.keep_alpha,
        progress=_progress(pairs, warnings),
        expected=recipe,
        networks=networks,
        weights=weights,
        mask=mask,
        style_mask=regions,
    )
    return _run(batch, command.output)


def _by_painters(
    command: Stylize, folder: Path, contents: list[Source], seeds: range
) -> PainterBatch:
    """The batch of pictures by the painters of a folder."""
    recipe = command.made_by
    with _starting():
        painters = read_painters(command, folder, seeds)
    warnings = []
    if recipe is not None:
        from rrstyle import backend

        used = painter_warning(recipe, painters.values())
        warnings = [used, versions_warning(recipe, backend.computing())]
    pairs = plan_pictures(contents, folder, seeds, command.output)
    return PainterBatch(
        pairs=pairs,
        config=command.config,
        overwrite=command.overwrite,
        keep_alpha=command.keep_alpha,
        progress=_progress(pairs, warnings),
        expected=recipe,
        painters=painters,
    )


@contextmanager
def _starting() -> Iterator[None]:
    """Around what comes before the work."""
    start = ProgressLine(sys.stderr, 1)
    start.show("starting", Step("loading the networks", 0.0))
    try:
        yield
    finally:
        start.clear()


def _progress(pairs: Sequence[Pair], warnings: Iterable[str | None]) -> ProgressLine:
    """The progress of pictures, whose clock starts now, after the warnings."""
    progress = ProgressLine(sys.stderr, sum(len(pair.targets) for pair in pairs))
    for warning in filter(None, warnings):
        progress.say(f"rrstyle: warning: {warning}")
    return progress


def _run(batch: Batch, output: Path) -> int:
    """Makes the pictures of a batch and tells what came of it; the exit status."""
    stopped, progress = None, batch.progress
    try:
        batch.run()
    except WriteError as error:
        stopped = error
    finally:  # also on Ctrl-C: what is finished stays, and is told
        made = f"{len(batch.made)} of {sum(len(pair.targets) for pair in batch.pairs)}"
        progress.say(f"{made} written to {output} in {progress.elapsed()}")
        for reason, targets in batch.failures.items():
            progress.say(f"rrstyle: {reason} (not made: {_names(targets)})")
    if stopped:
        progress.say(f"rrstyle: stopped: {stopped}")
    return 1 if stopped or batch.failures else 0


def _sources(names: tuple[str, ...], recipe: Recipe | None, role: str) -> list[Source]:
    if names:
        return find_pictures(names, argument=role)
    if recipe is None:
        how = "name a photograph" if role == "content" else "name a picture with --style"
        raise ValueError(f"{role} is missing; {how}; received none")
    return [replayed_input(used, role) for used in recipe_inputs(recipe, role)]


def _styles(
    command: Stylize, recipe: Recipe | None
) -> tuple[list[tuple[Source, ...]], tuple[float, ...] | None]:
    """The styles of each picture of a photograph, and the weights where they are blended."""
    found = _sources(command.style, recipe, "style")
    if not (command.blend or (recipe is not None and recipe.more_styles)):
        if command.style_weights:
            raise ValueError("style_weights must be left out without blend")
        return [(style,) for style in found], None
    if len(found) > MOST_STYLES:
        raise ValueError(f"style must be 1 to {MOST_STYLES} to blend; received {len(found)}")
    weights = command.style_weights or None
    if weights is None and recipe is not None and len(recipe.styles) == len(found):
        weights = recipe.style_weights
    try:
        check_shares(weights, len(found))
    except ValueError as error:
        raise ValueError(f"style_{error}") from None
    return [tuple(found)], weights


def _mask(command: Stylize, recipe: Recipe | None) -> np.ndarray | None:
    if command.mask is None:
        return None if recipe is None else recipe.mask_array()
    return as_mask(read_image(command.mask).pixels, argument=one_line(Path(command.mask).name))


def _regions(
    command: Stylize, recipe: Recipe | None, styles: list[tuple[Source, ...]]
) -> Regions | None:
    regions = None if recipe is None else recipe.regions()
    if command.style_mask:
        if len(styles) > 1:
            raise ValueError(
                "style_mask goes with one style, or with several under --blend; received"
                f" {len(styles)} styles"
            )
        maps = [read_image(name).pixels for name in command.style_mask]
        regions = as_regions(maps, len(styles[0]))
    if regions is not None:
        check_method(command.config.method)
    return regions


def with_networks(config: StyleConfig) -> "tuple[StyleConfig, CnnDcn | None]":
    """The settings and the trained networks of the run whose folder is their decoder, if any.

    ValueError if there is no such run, or settings of its networks were given beside it.
    """
    if config.decoder in DECODERS:
        return config, None
    folder = Path(config.decoder)
    if not folder.is_dir():
        raise ValueError(
            f"decoder must be {', '.join(DECODERS)} or the folder of a run of rrstyle train;"
            f" received {folder.name!r}"
        )
    with quiet_start():
        from recon.training.run import load_run

    networks = load_run(folder, best=True)
    refuse_beside_run(config.encoder, StyleConfig().encoder)
    return replace(config, decoder=networks.name, encoder=networks.config), networks


def _check_networks(
    config: StyleConfig, networks: "CnnDcn | None", recipe: Recipe | None
) -> list[str | None]:
    """Fails now where every picture would, and tells what is not as in the recipe."""
    warnings: list[str | None] = []
    if recipe is not None:
        warnings = [check_trained(recipe, config, networks)]
    with quiet_start():  # Keras, late: a mistyped name is told at once
        from rrstyle import backend, pipeline
        from rrstyle.networks import weight_files

    found = weight_files.load_weights(config.weights, config.encoder)
    used = replace(config, encoder=found.network)
    pipeline.smallest_side(used)
    check_memory(used)
    if recipe is not None:
        warnings.append(versions_warning(recipe, backend.computing()))
    return warnings


def _names(targets: list[Path]) -> str:
    names = ", ".join(target.name for target in targets[:_NAMED])
    return names if len(targets) <= _NAMED else f"{names} and {len(targets) - _NAMED} more"
