"""Style transfer: a photograph and a picture in, stylised pictures out. The one entry point."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from keras import ops

from rrstyle import backend
from rrstyle.config import NetworkConfig, StyleConfig
from rrstyle.images import as_image, fit_within, resize
from rrstyle.networks import Network, cnn_network, minimum_side, stages
from rrstyle.progress import OnStep, Step, ignore, within
from rrstyle.readout import build_decoder
from rrstyle.trained import TrainedVGG16, load_vgg16
from rrstyle.transfer.closed_form import AffineMap, Gaussian, fit_gaussian, fit_map
from rrstyle.transfer.methods import MINIMUM_SIDE, transform
from rrstyle.weights import check_seed


@dataclass(frozen=True)
class Variant:
    """One picture of several: `image` (height, width, 3), float32 in [0, 1], and its seed."""

    seed: int
    image: np.ndarray


def stylize(
    content,
    style,
    config: StyleConfig | None = None,
    *,
    seed: int,
    on_step: OnStep = ignore,
) -> np.ndarray:
    """Paint a photograph in the manner of a picture, with an untrained network.

    Args:
        content: The photograph, (height, width, 3), uint8 or float in [0, 1].
        style: The picture whose manner is wanted, of any size.
        config: Every setting; see `StyleConfig`.
        seed: Names the random network: another seed is another picture.
        on_step: Called with a `Step` as work goes on; an exception it raises stops the work.

    Returns:
        float32 image (height, width, 3) in [0, 1], its longer side `config.side`.

    Raises:
        ValueError: If an image or a setting breaks a rule.
    """
    return next(variants(content, style, config, n=1, seed=seed, on_step=on_step)).image


def variants(
    content,
    style,
    config: StyleConfig | None = None,
    *,
    n: int,
    seed: int,
    on_step: OnStep = ignore,
) -> Iterator[Variant]:
    """`n` pictures from one pair, of the seeds `seed`, `seed` + 1, ...: each its own networks.

    Images are checked and resized, networks planned and compiled, and trained weights read once
    for all. Each picture equals what `stylize` returns for its seed.

    Args:
        content: As for `stylize`.
        style: As for `stylize`.
        config: As for `stylize`.
        n: How many, at least 1.
        seed: Of the first.
        on_step: As for `stylize`; the fraction is of all pictures.

    Yields:
        The pictures as they are done.

    Raises:
        ValueError: As for `stylize`, before any work.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n must be a positive integer; received {n!r}")
    seed = check_seed(seed)
    config = config or StyleConfig()
    trained = load_vgg16(config.weights) if config.weights else None
    if trained:
        config = replace(config, encoder=trained_plan(config.encoder))
    images = _prepare(content, "content", config), _prepare(style, "style", config)
    encoders = [_encoder(config.encoder, seed + i, trained) for i in range(n)]
    return _render_all(*images, config, encoders, trained, seed, on_step)


def _render_all(content, style, config, encoders, trained, seed, on_step) -> Iterator[Variant]:
    n = len(encoders)
    for i, encoder in enumerate(encoders):
        part = within(on_step, i / n, (i + 1) / n)
        image = _render(content, style, config, encoder, trained, seed + i, part)
        yield Variant(seed + i, image)


def trained_plan(config: NetworkConfig) -> NetworkConfig:
    """The plan of a CNN with trained VGG16 weights: what they fix is fixed, the rest is kept."""
    return replace(
        config,
        architecture="vgg16",
        channels=None,
        kernel=None,
        encoder_activation="relu",
        padding="reflect",  # padding with zeros would be padding with black: no trained net saw it
    )


def _encoder(config: NetworkConfig, seed: int, trained: TrainedVGG16 | None) -> Network:
    network = cnn_network(config, seed=seed)
    return Network(network.model, trained.encoder(config.layer)) if trained else network


def smallest_side(config: StyleConfig) -> int:
    """Fewest pixels a side that content and style need, before and after resizing."""
    network = config.network if config.method == "optimise" else "pyramid"
    reduction = math.prod(stage.step for stage in stages(config.encoder))
    return max(minimum_side(config.encoder), reduction * MINIMUM_SIDE[network])


def _prepare(image, argument: str, config: StyleConfig) -> np.ndarray:
    image = as_image(image, argument=argument)
    least = smallest_side(config)
    size = fit_within(image.shape[:2], config.side)
    for (height, width), when in ((image.shape[:2], ""), (size, f" at side {config.side}")):
        if min(height, width) < least:
            raise ValueError(
                f"{argument} is too small: at least {least} pixels a side for this network; "
                f"received {width} x {height}{when}"
            )
    return resize(image, size)


def _render(content, style, config, encoder, trained, seed, on_step) -> np.ndarray:
    dtype = backend.resolve_precision(config.precision)
    on_step(Step("encoding", 0.0))
    content_features, style_features = (encode(encoder, x) for x in (content, style))
    features = transform(
        content_features,
        style_features,
        config,
        seed=seed,
        dtype=dtype,
        trained=trained.transfer() if trained else None,
        on_step=within(on_step, 0.02, 0.98),
    )
    wildness = 1.0 if config.decoder == "random" else config.wildness
    decoder = build_decoder(
        config.encoder,
        [(content_features, content), (style_features, style)],
        seed=seed,
        wildness=wildness,
    )
    image = decoder(features, content.shape[:2])
    if config.strength < 1:
        decoded = decoder(content_features, content.shape[:2])
        image = give_back(image, content, decoded, config.strength, wildness)
    if config.method in ("patches", "paint"):
        image = _restore_palette(image, content, style, config.strength, 1 - wildness)
    on_step(Step("done", 1.0))
    return np.clip(image, 0, 1)


def give_back(image, content, decoded, strength, wildness: float):
    """What the decoder loses of the content, given back as far as the content is left standing.

    At strength 0 the ridge readout so returns the content itself, not a softer copy; a random
    readout keeps its own idea of it.

    Args:
        image: Decoded result (height, width, 3).
        content: The content.
        decoded: The content's own features, decoded.
        strength: Of the style, 0 to 1.
        wildness: Share of the random readout, 0 to 1.
    """
    return image + (1 - wildness) * (1 - strength) * (content - decoded)


def encode(encoder: Network, image: np.ndarray) -> np.ndarray:
    """Features (rows, columns, channels) of an image (height, width, 3)."""
    return ops.convert_to_numpy(encoder(image[None]))[0]


def _restore_palette(image, content, style, strength: float, share: float) -> np.ndarray:
    """Bring the colours of `image` to the Gaussian at `strength` between the two pictures'.

    Averaging overlapping patches pales colours. The transport map in colour space undoes that
    without touching texture. `share` of it: a wild readout keeps its false colours.
    """
    image = np.clip(image, 0, 1)
    ours, theirs = fit_gaussian(content), fit_gaussian(style)
    path = fit_map("transport", ours, theirs).towards(strength)
    wanted = _pushed(ours, path)
    return fit_map("transport", fit_gaussian(image), wanted).towards(share)(image)


def _pushed(gaussian: Gaussian, path: AffineMap) -> Gaussian:
    """The Gaussian that an affine map makes of another."""
    mean = (gaussian.mean - path.centre) @ path.matrix + path.offset
    return Gaussian(mean, path.matrix.T @ gaussian.covariance @ path.matrix)
