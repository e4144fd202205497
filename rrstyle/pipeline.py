"""Style transfer: a photograph and pictures in, stylised pictures out. The one entry point."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from keras import ops

from rrstyle import backend
from rrstyle.config import NetworkConfig, StyleConfig
from rrstyle.networks.build import SharedNetwork, cnn_network
from rrstyle.networks.laws import check_seed
from rrstyle.networks.pair import CnnDcn, with_plan_of
from rrstyle.networks.plan import plan_of
from rrstyle.networks.readout import build_decoder
from rrstyle.networks.weight_files import RANDOM, CnnWeights, load_weights
from rrstyle.pictures.images import as_image, fit_within, resize
from rrstyle.pictures.masks import as_mask, composite, fit_mask
from rrstyle.progress import OnStep, Show, Step, ignore, within
from rrstyle.transfer.blends import MOST_STYLES, Blend, check_shares
from rrstyle.transfer.colours import keep_colours, match_luminance, restore_palette
from rrstyle.transfer.methods import MINIMUM_SIDE, transform
from rrstyle.transfer.patches import resize_features

_PREVIEW_SIDE = 256  # pixels

# Features (rows, columns, channels) and the size of the image to an image of that size.
Decode = Callable[[np.ndarray, tuple[int, int]], np.ndarray]


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
    weights: Sequence[float] | None = None,
    mask=None,
    networks: CnnDcn | None = None,
    on_step: OnStep = ignore,
    previews: bool = False,
) -> np.ndarray:
    """Paint a photograph in the manner of a picture, or of several, with an untrained network.

    Args:
        content: The photograph, (height, width, 3), uint8 or float in [0, 1].
        style: The picture whose manner is wanted, of any size; or a list or tuple of one to four,
            which are blended in feature space.
        config: Every setting; see `StyleConfig`.
        seed: Names the random network: another seed is another picture.
        weights: How much of each style, finite and not negative; equal by default. Only their
            ratios matter, and a style of weight 0 leaves no trace.
        mask: Where the style goes, (height, width) of any size, bool, uint8 or float in [0, 1]: 1
            takes the style, 0 leaves the photograph. It is taken over in steps of 1 / 255 and
            with at most 1024 pixels a side, and its edges are softened inwards.
        networks: A CNN and a DCN that was trained to invert it, of the name in `config.decoder`;
            the seed then names the FVT's randomness alone, of which closed forms have none. What
            the DCN loses of the content is given back as what the ridge readout loses.
        on_step: Called with a `Step` as work goes on; an exception it raises stops the work.
        previews: Give some of the steps a preview, at most about one a scale; the closed forms
            have none.

    Returns:
        float32 image (height, width, 3) in [0, 1], its longer side `config.side`.

    Raises:
        ValueError: If an image or a setting breaks a rule.
    """
    options: dict[str, Any] = {"weights": weights, "mask": mask, "networks": networks}
    options["previews"] = previews
    made = variants(content, style, config, n=1, seed=seed, on_step=on_step, **options)
    return next(made).image


def variants(
    content,
    style,
    config: StyleConfig | None = None,
    *,
    n: int,
    seed: int,
    weights: Sequence[float] | None = None,
    mask=None,
    networks: CnnDcn | None = None,
    on_step: OnStep = ignore,
    previews: bool = False,
) -> Iterator[Variant]:
    """`n` pictures of the same inputs, of the seeds `seed`, `seed` + 1, ...: each its own networks.

    Images are checked and resized, networks planned and compiled, and trained weights read once
    for all. Each picture equals what `stylize` returns for its seed.

    Args:
        content: As for `stylize`.
        style: As for `stylize`.
        config: As for `stylize`.
        n: How many, at least 1.
        seed: Of the first.
        weights: As for `stylize`.
        mask: As for `stylize`.
        networks: As for `stylize`.
        on_step: As for `stylize`; the fraction is of all pictures.
        previews: As for `stylize`.

    Yields:
        The pictures as they are done.

    Raises:
        ValueError: As for `stylize`, before any work.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n must be a positive integer; received {n!r}")
    seed = check_seed(seed)
    config = with_plan_of(networks, config or StyleConfig())
    trained = load_weights(config.weights or RANDOM)
    config = replace(config, encoder=trained.up_to(config.encoder).network)
    given = _prepare(content, style, weights, mask, config)
    if networks is None:
        encoders = [_encoder(config.encoder, seed + i, trained) for i in range(n)]
    else:
        encoders = [networks.encoder] * n
    return _render_all(given, config, encoders, networks, trained, seed, on_step, previews)


def _render_all(
    given, config, encoders, networks, trained, seed, on_step, previews
) -> Iterator[Variant]:
    n = len(encoders)
    for i, encoder in enumerate(encoders):
        part = within(on_step, i / n, (i + 1) / n)
        image = _render(given, config, encoder, networks, trained, seed + i, part, previews)
        yield Variant(seed + i, image)


def _encoder(config: NetworkConfig, seed: int, trained: CnnWeights) -> SharedNetwork:
    network, weights = cnn_network(config, seed=seed), trained.up_to(config).weights
    return SharedNetwork(network.model, weights) if weights else network


def smallest_side(config: StyleConfig) -> int:
    """Fewest pixels a side that content and style need, before and after resizing."""
    network = config.network if config.method == "optimise" else "pyramid"
    plan = plan_of(config.encoder)
    return max(plan.minimum_side, plan.reduction * MINIMUM_SIDE[network])


@dataclass(frozen=True)
class _Given:
    """What pictures are made of, checked and resized."""

    content: np.ndarray
    style: Blend
    mask: np.ndarray | None  # (height, width) of the content


def _prepare(content, style, weights, mask, config: StyleConfig) -> _Given:
    styles = list(style) if isinstance(style, list | tuple) else [style]
    if not 1 <= len(styles) <= MOST_STYLES:
        raise ValueError(f"style must be 1 to {MOST_STYLES} pictures; received {len(styles)}")
    shares = check_shares(weights, len(styles))
    content = _fitted(content, "content", config, config.side)
    side = round(config.side * config.style_scale)
    names = ["style"] if len(styles) == 1 else [f"style {i + 1}" for i in range(len(styles))]
    pictures = [_fitted(x, name, config, side) for x, name in zip(styles, names, strict=True)]
    if config.keep_colours:
        pictures = [match_luminance(picture, content) for picture in pictures]
    used = [i for i, share in enumerate(shares) if share > 0]
    blend = Blend(tuple(pictures[i] for i in used), tuple(shares[i] for i in used))
    if mask is not None:
        mask = fit_mask(as_mask(mask), content.shape[:2])
    return _Given(content, blend, mask)


def _fitted(image, argument: str, config: StyleConfig, side: int) -> np.ndarray:
    image = as_image(image, argument=argument)
    least = smallest_side(config)
    size = fit_within(image.shape[:2], side)
    for (height, width), when in ((image.shape[:2], ""), (size, f" at side {side}")):
        if min(height, width) < least:
            raise ValueError(
                f"{argument} is too small: at least {least} pixels a side for this network; "
                f"received {width} x {height}{when}"
            )
    return resize(image, size)


def _render(
    given: _Given, config, encoder, networks, trained, seed, on_step, previews
) -> np.ndarray:
    on_step(Step("encoding", 0.0))
    content, style, mask = given.content, given.style, given.mask
    ours, theirs = encode(encoder, content), style.map(lambda x: encode(encoder, x))
    wildness = 1.0 if config.decoder == "random" else config.wildness
    if networks is None:
        pairs = [(ours, content), *zip(theirs.parts, style.parts, strict=True)]
        decoder = build_decoder(config.encoder, pairs, seed=seed, wildness=wildness)
    else:
        decoder = networks.decode
    features = transform(
        ours,
        theirs,
        config,
        seed=seed,
        dtype=backend.resolve_precision(config.precision),
        trained=trained.transfer(),
        mask=None if mask is None else fit_mask(mask, ours.shape[:2]),
        on_step=within(on_step, 0.02, 0.98),
        show=_previewer(given, config, decoder, wildness) if previews else None,
    )
    image = decoder(features, content.shape[:2])
    if config.strength < 1:
        decoded = decoder(ours, content.shape[:2])
        image = give_back(image, content, decoded, config.strength, wildness)
    image = _finish(image, given, config, wildness)
    on_step(Step("done", 1.0))
    return image


def _finish(image: np.ndarray, given: _Given, config: StyleConfig, wildness: float) -> np.ndarray:
    """A decoded picture with its colours, in [0, 1], and the photograph where the mask says so."""
    content, style, mask = given.content, given.style, given.mask
    if config.method in ("patches", "paint"):
        image = restore_palette(image, content, style, config.strength, 1 - wildness, mask)
    image = np.clip(image, 0, 1)
    if config.keep_colours:
        image = keep_colours(image, content)
    return image if mask is None else composite(content, image, mask)


def _previewer(given: _Given, config: StyleConfig, decoder: Decode, wildness: float) -> Show:
    """Small pictures of features on their way; `_finish` needs inputs of their size."""
    reduction = plan_of(config.encoder).reduction

    def show(features: np.ndarray) -> np.ndarray:
        side = min(_PREVIEW_SIDE, config.side, reduction * max(features.shape[:2]))
        size = fit_within(given.content.shape[:2], side)
        rows, columns = (math.ceil(pixels / reduction) for pixels in size)
        image = decoder(resize_features(features, (rows, columns)), size)
        mask = None if given.mask is None else fit_mask(given.mask, size)
        small = _Given(resize(given.content, size), given.style, mask)
        return _finish(image, small, config, wildness)

    return show


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


def encode(encoder: SharedNetwork, image: np.ndarray) -> np.ndarray:
    """Features (rows, columns, channels) of an image (height, width, 3)."""
    return ops.convert_to_numpy(encoder(image[None]))[0]
