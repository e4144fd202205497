"""What the commands that train share: the run's folder, pictures, progress, Ctrl-C."""

import shlex
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from apps.batch.outputs import check_writable
from apps.options.commands import Classify, Learn, Train
from apps.progress import Watch
from apps.quiet import quiet_start
from recon.training.config import Schedule
from rrstyle.progress import OnStep, Step


@contextmanager
def watching(command: Train | Classify | Learn) -> Iterator[Watch]:
    """The progress of a command; its devices are checked, and its hosts joined, first."""
    if command.devices != "all" and command.devices < 1:
        raise ValueError(f"devices must be a positive integer or all; received {command.devices}")
    watch = Watch("training")
    try:
        with quiet_start():  # Keras
            from recon.training.hosts import join_hosts

        join_hosts()
        yield watch
    finally:
        watch.progress.clear()


def check_run_folder(out: Path, *, resume: bool) -> None:
    """Raises ValueError or OSError for a folder in which no run can begin, or none go on."""
    from recon.training.run import RunFolder
    from rrstyle import backend

    if backend.is_first_host():  # for the others the run may be there already
        RunFolder(out).check_new(resume=resume)
    if out.is_dir():
        check_writable(out)


def open_pictures(command: Train | Classify, config: Schedule, watch: Watch, **options: int) -> Any:
    """The command's pictures, scanned and reported; the folder of the run is checked before."""
    with quiet_start():
        from recon.data.training_images import open_images

    out = command.out
    check_run_folder(out, resume=command.resume)
    show = partial(watch.progress.show, "training")
    images = open_images(command.images, config, out, on_step=show, **options)
    held_out = len(images.index.names) - images.trained_on
    bad = bad_words(images.report_bad(out), out)
    watch.progress.say(f"{images.trained_on} pictures to train on, {held_out} held out; {bad}")
    return images


def run_until_stopped(
    command: Train | Classify | Learn,
    config: Schedule,
    watch: Watch,
    images: Any,
    train: Callable[..., Any],
    measure: Callable[[float], str],
    out: Path | None = None,
) -> Any:
    """Trains, and says how it goes, what came of it, and on Ctrl-C how to continue.

    Args:
        watch: Progress of `watching`.
        images: Pictures of `open_pictures`.
        train: Function that trains, with the arguments that `train` and `classify` of
            recon.training have in common.
        measure: Function from a loss to a few words.
        out: Folder of the run, where it is not that of the command.

    Returns:
        The best checkpoint; None on all hosts but the first, which writes the run.
    """
    with quiet_start():
        from recon.training.callbacks import TrainingStep
        from recon.training.run import checkpoints_of
        from rrstyle import backend

    out = out or command.out

    def tell(step: Step) -> None:
        assert isinstance(step, TrainingStep)
        stage = f"{step.stage}, {measure(step.loss)}, {step.images_per_s:.3g} images/s"
        watch.show(Step(stage, step.fraction), seconds_left=step.seconds_left)

    watch.show(Step("preparing", 0.0))
    try:
        with _stopped_between_steps(tell, watch) as on_step:
            outcome = train(
                config,
                images.source,
                out,
                data=images.data,
                resume=command.resume,
                devices=None if command.devices == "all" else command.devices,
                on_step=on_step,
            )
    except KeyboardInterrupt:
        steps = checkpoints_of(out).steps()
        done = f"at step {steps[-1]} of {config.steps}" if steps else "before the first checkpoint"
        watch.progress.say(f"stopped {done}; continue with: {_again(command)}")
        raise
    watch.progress.clear()
    for note in outcome.notes:
        print(note)
    print(f"steps {outcome.started_at} to {outcome.step} in {watch.progress.elapsed()}")
    if not backend.is_first_host():
        return None
    if images.source.bad:
        print(f"pictures: {bad_words(images.report_bad(out), out)}")
    best = checkpoints_of(out).best()
    if best is None:
        raise ValueError(f"out must have a whole checkpoint; {out.name!r} has none")
    return best


def _again(command: Train | Classify | Learn) -> str:
    """The command line that goes on."""
    words = f"rrstyle {type(command).__name__.lower()} --images {quoted(command.images)}"
    if isinstance(command, Learn):
        words += f" --style {shlex.quote(command.style)}"
        words += f" --variants {command.variants}" if command.variants > 1 else ""
    return f"{words} --out {quoted(command.out)} --resume"


@contextmanager
def _stopped_between_steps(tell: OnStep, watch: Watch) -> Iterator[OnStep]:
    """The first Ctrl-C stops after the step under way, a second one at once."""
    asked = False

    def note(number, frame) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        watch.progress.say("stopping after this step; Ctrl-C again stops at once, unsaved")

    def on_step(step: Step) -> None:
        tell(step)
        if asked:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield on_step
    finally:
        signal.signal(signal.SIGINT, before)


def bad_words(bad: int, out: Path) -> str:
    """How many files of the folder of pictures cannot be used."""
    from recon.training.run import BAD_PICTURES

    return f"{bad} bad files, see {out / BAD_PICTURES}" if bad else "no bad files"


def quoted(path: Path) -> str:
    """A path as a word of a command line."""
    return shlex.quote(str(path))
