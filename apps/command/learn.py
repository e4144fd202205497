"""`rrstyle learn`: a painter learns a painting, or several painters do, of consecutive seeds."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.batch.inputs import find_pictures
from apps.options.checks import check_range
from apps.options.commands import Learn
from apps.progress import Watch
from apps.quiet import quiet_start
from apps.training import bad_words, check_run_folder, quoted, run_until_stopped, watching
from recon.painters.config import LearnConfig
from rrstyle.pictures.images import Picture, digest

if TYPE_CHECKING:  # it imports Keras
    from recon.training.fit import Outcome


def run(command: Learn) -> None:
    """Learns, and says what came of it."""
    check_range("variants", command.variants, 1, 1000)
    sources = find_pictures([command.style], argument="style")
    if len(sources) > 1:
        raise ValueError(f"style must be one picture; received a folder of {len(sources)}")
    style = sources[0].read()
    with watching(command) as watch:
        runs = list(_runs(command))
        for out, _ in runs:
            check_run_folder(out, resume=command.resume)
        for out, config in runs:
            _learn(command, config, style, out, watch)
        out = command.out
        print(f"written to {out}; rrstyle stylize PHOTO --painter {quoted(out)} -o OUT.png")


def _runs(command: Learn) -> Iterator[tuple[Path, LearnConfig]]:
    """The folder and the settings of every painter."""
    out, config = command.out, command.config
    if command.variants == 1:
        yield out, config
        return
    names = {str(number) for number in range(command.variants)}
    if out.is_dir() and (others := sorted({path.name for path in out.iterdir()} - names)):
        raise ValueError(
            f"out must be a new or an empty folder, or that of {command.variants} painters;"
            f" {out.name!r} holds {others[0]!r}"
        )
    for number in range(command.variants):
        yield out / str(number), replace(config, seed=config.seed + number)


def _learn(command: Learn, config: LearnConfig, style: Picture, out: Path, watch: Watch) -> None:
    """One painter."""
    with quiet_start():
        from recon.painters.learn import fitted_painting, learn
        from recon.painters.targets import open_pairs

    painting = fitted_painting(style.pixels, config)
    made = next((folder for folder in (command.out, out) if not folder.exists()), None)
    try:
        images = open_pairs(command.images, painting, config, out, on_step=watch.show)
    except ValueError:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
        raise
    except KeyboardInterrupt:
        watch.progress.say("stopped while photographs are painted: the same command goes on")
        raise
    bad = bad_words(images.report_bad(out), out)
    watch.progress.say(
        f"{len(images.ours)} photographs to learn from, {len(images.held_out)} held out; {bad}"
    )
    watch.progress.say(
        f"seed {config.seed}; {config.crop} x {config.crop} pixels, batches of {config.batch},"
        f" {config.steps} steps"
    )
    about = {"style": {"name": style.name, "digest": digest(style.pixels)}}

    def training(config: LearnConfig, source: object, out: Path, **options: Any) -> "Outcome":
        return learn(config, images, painting, out, about=about, **options)

    def measure(loss: float) -> str:
        return f"loss {loss:.4g}"

    best = run_until_stopped(command, config, watch, images, training, measure, out)
    by = "loss of the photographs held out" if images.held_out else "training loss"
    print(f"best checkpoint: step {best.step}, {measure(best.score)} by the {by}")
