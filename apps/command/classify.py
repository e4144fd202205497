"""`rrstyle classify`: a CNN is trained as a classifier, for its convolutions."""

from functools import partial

from apps.options.commands import Classify
from apps.quiet import quiet_start
from apps.training import open_pictures, quoted, run_until_stopped, watching

_VALIDATED = 2000  # pictures: an accuracy of 256 would be known to 6 % only


def run(command: Classify) -> None:
    """Trains, and says what came of it."""
    with watching(command) as watch:
        with quiet_start():  # Keras
            from recon.training import run as training_run
            from recon.training.classify import classify

        config, out = command.config, command.out
        images = open_pictures(command, config, watch, validated=_VALIDATED)
        classes = len(images.index.classes or ())
        watch.progress.say(
            f"{config.network.architecture}, {classes} classes; {config.crop} x {config.crop}"
            f" pixels, batches of {config.batch}, {config.steps} steps"
        )

        training = partial(classify, classes=classes, validation=images.validation)
        best = run_until_stopped(
            command, config, watch, images, training, lambda loss: f"loss {loss:.4g}"
        )
        if best is None:
            return
        accuracy = best.state["validated"].get("accuracy")
        told = f"loss {best.score:.4g}" if accuracy is None else f"accuracy {accuracy:.1%} held out"
        print(f"best checkpoint: step {best.step}, {told}")
        weights = quoted(out / training_run.CLASSIFIER)
        print(
            f"written to {out}; rrstyle train --architecture {config.network.architecture}"
            f" --encoder {weights} --images DIR --out RUN"
        )
