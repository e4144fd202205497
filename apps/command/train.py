"""`rrstyle train`: a DCN is trained, stopped and continued."""

from dataclasses import replace
from functools import partial

from apps.options.commands import Train
from apps.quiet import quiet_start
from apps.training import open_pictures, quoted, run_until_stopped, watching
from recon.training.config import TrainingConfig


def run(command: Train) -> None:
    """Trains, and says what came of it."""
    with watching(command) as watch:
        with quiet_start():  # Keras
            from recon.training.model import mean_squared_error
            from recon.training.run import read_encoder
            from recon.training.train import train
            from rrstyle.networks.weight_files import CnnWeights, load_weights

        config, out = command.config, command.out
        if command.encoder is None and config.weights != "random":  # those of the run to continue
            encoder = CnnWeights(config.weights, config.network, read_encoder(out))
        else:
            encoder = load_weights(command.encoder or "random", config.network)
        config = replace(config, network=encoder.network, weights=encoder.name)
        images = open_pictures(command, config, watch)
        watch.progress.say(_network_words(config))

        def mse(loss: float) -> str:
            return f"mse {mean_squared_error(config, loss):.4g}"

        held_out = None if images.validation is None else images.validation.pixels
        training = partial(
            train, validation=held_out, encoder_weights=encoder.weights, samples=images.samples
        )
        best = run_until_stopped(command, config, watch, images, training, mse)
        if best is None:
            return
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
