"""`rrstyle train`: a DCN is trained, stopped and continued."""

from dataclasses import replace

from apps.command.progress import Watch
from apps.command.training import (
    best_checkpoint,
    open_pictures,
    over_preset,
    quoted,
    tell_late_bad,
    until_stopped,
    watching,
)
from apps.options.parse import parse_again
from apps.options.settings import TrainingOptions, checked, unchecked
from apps.options.train import Train
from apps.quiet import quiet_start
from recon.training.config import SMALL, TrainingConfig
from rrstyle.progress import OnStep

_PRESETS = {"paper": TrainingConfig(), "small": SMALL}
_OF_THE_RUN = ""  # an encoder's name that nobody can give: the run has its weights


def run_train(command: Train, words: list[str]) -> None:
    """Trains, and says what came of it.

    Args:
        command: Options that `words` stand for.
        words: The command line, of which "train" is the first.

    Raises:
        ValueError: If an option, the pictures or the run do not do.
        OSError: If a file cannot be read or written.
        KeyboardInterrupt: On Ctrl-C, after a checkpoint.
    """
    with watching(command) as watch:
        _train(command, words, watch)


def _train(command: Train, words: list[str], watch: Watch) -> None:
    with quiet_start():  # Keras
        from recon.training import run as training_run
        from recon.training.hosts import join_hosts
        from recon.training.model import mean_squared_error
        from recon.training.train import train
        from rrstyle.networks.weight_files import CnnWeights, load_weights

    join_hosts()
    out = command.out
    kept: TrainingConfig | None = None
    command = over_preset(command, words, _PRESETS)
    if command.preset is None and command.resume and (out / training_run.RECORD).exists():
        kept = training_run.read_config(out)
        options = replace(unchecked(TrainingOptions, kept), weights=_OF_THE_RUN)
        command = parse_again(words[1:], replace(command, config=options))
    if kept is not None and command.config.weights == _OF_THE_RUN:
        config = checked(TrainingConfig, replace(command.config, weights=kept.weights))
        encoder = CnnWeights(kept.weights, config.network, training_run.read_encoder(out))
    else:
        config = checked(TrainingConfig, command.config)
        encoder = load_weights(config.weights, config.network)
    config = replace(config, network=encoder.network, weights=encoder.name)
    images = open_pictures(command, config, watch)
    watch.progress.say(_network_words(config))

    def run(on_step: OnStep):
        return train(
            config,
            images.source,
            out,
            encoder_weights=encoder.weights,
            data=images.data,
            resume=command.resume,
            devices=None if command.devices == "all" else command.devices,
            samples=images.samples,
            validation=None if images.validation is None else images.validation.pixels,
            on_step=on_step,
        )

    def mse(loss: float) -> str:
        return f"mse {mean_squared_error(config, loss):.4g}"

    if not until_stopped(command, config, watch, run, mse):
        return
    tell_late_bad(images, out)
    best = best_checkpoint(out)
    kind = "training loss" if images.validation is None else "loss of the pictures held out"
    print(f"best checkpoint: step {best.step}, {mse(best.score)} by the {kind}")
    print(f"written to {out}; rrstyle reconstruct IMAGE -o OUT.png --decoder {quoted(out)}")


def _network_words(config: TrainingConfig) -> str:
    network = config.network
    weights = f"{config.weights} weights"
    if config.weights == "random":
        own = network.law in ("he", "orthogonal")  # these have a deviation of their own
        std = "" if own else f" of std {network.std:g}"
        weights = f"random weights ({network.law}{std}, seed {config.seed})"
    return (
        f"{network.architecture} up to {network.layer}, {weights}, {network.padding} padding,"
        f" {network.encoder_activation}; {config.crop} x {config.crop} pixels, batches of"
        f" {config.batch}, {config.steps} steps"
    )
