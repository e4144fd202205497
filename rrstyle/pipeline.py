"""Style transfer: a photograph and pictures in, stylised pictures out. The one entry point."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from rrstyle import backend
from rrstyle.config import StyleConfig
from rrstyle.memory import check_memory
from rrstyle.networks.build import SharedNetwork, cnn_network
from rrstyle.networks.laws import check_seed
from rrstyle.networks.pair import CnnDcn, with_plan_of
from rrstyle.networks.plan import Conv, plan_of
from rrstyle.networks.readout import build_decoder
from rrstyle.networks.weight_files import RANDOM, load_weights
from rrstyle.pictures.images import as_image, at_most, check_sides, fit_within, periodic, resize
from rrstyle.pictures.masks import as_mask, composite, fit_mask
from rrstyle.pictures.regions import Regions, as_regions, check_method
from rrstyle.progress import OnStep, Step, ignore, within
from rrstyle.transfer.blends import MOST_STYLES, Blend, check_shares
from rrstyle.transfer.colours import keep_colours, match_luminance, part_way
from rrstyle.transfer.feature_networks import vgg_part
from rrstyle.transfer.features import Transfer, resize_features
from rrstyle.transfer.methods import transform
from rrstyle.transfer.optimise import MINIMUM_SIDE
from rrstyle.transfer.painting.canvas import Canvas, Decode, Part
from rrstyle.transfer.painting.paint import in_strips, paint
from rrstyle.transfer.painting.regions import paint_regions

_PREVIEW_SIDE = 256  # pixels
_FITTED_SIDE = 512  # pixels, at most, of the pictures that the readout of `paint` is fitted to


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
    style_mask=None,
    networks: CnnDcn | None = None,
    on_step: OnStep = ignore,
    previews: bool = False,
) -> np.ndarray:
    """Paint a photograph in the style of a picture, or of several, with an untrained network.

    Args:
        content: Photograph, (height, width, 3), uint8 or float in [0, 1].
        style: Picture whose style is wanted, of any size; or a list or tuple of one to four,
            which are blended in feature space.
        config: All settings; see `StyleConfig`.
        seed: Seed of the random network, an integer of at least 0; each gives another picture.
        weights: Weight of each style, finite and not negative; equal by default. Only their
            ratios matter, and a style of weight 0 leaves no trace.
        mask: Place of the style, (height, width) of any size, bool, uint8 or float in [0, 1]: 1
            takes the style, 0 leaves the photograph. It is rounded to steps of 1 / 255, reduced
            to at most 1024 pixels a side, and its edges are softened inwards.
        style_mask: For `paint`: a list or tuple of maps, pictures of any size, one of the
            photograph and one of each style; or what `as_regions` makes of them. A region of the
            photograph is painted from the region of the same colour in the styles.
        networks: CNN with a DCN that was trained to invert it, of the name in `config.decoder`;
            the seed then sets the random numbers of the FVT only; closed forms have none.
        on_step: Progress callback, called with a `Step`; an exception it raises stops the work.
        previews: Switch for previews in some of the steps, about one a scale; the closed forms
            have none.

    Returns:
        float32 image (height, width, 3) in [0, 1], its longer side `config.side`.

    Raises:
        ValueError: If an image or a setting breaks a rule.
    """
    made = variants(
        content,
        style,
        config,
        n=1,
        seed=seed,
        weights=weights,
        mask=mask,
        style_mask=style_mask,
        networks=networks,
        on_step=on_step,
        previews=previews,
    )
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
    style_mask=None,
    networks: CnnDcn | None = None,
    on_step: OnStep = ignore,
    previews: bool = False,
) -> Iterator[Variant]:
    """`n` pictures of the same inputs, with the seeds `seed`, `seed` + 1, ...

    Images are checked and resized, networks compiled and trained weights read only once. Each
    picture equals what `stylize` returns for its seed.

    Arguments not listed mean the same as for `stylize`.

    Args:
        n: Number of pictures, at least 1.
        seed: Seed of the first picture, an integer of at least 0.
        on_step: Progress callback; the fraction of a `Step` is of all pictures.

    Yields:
        One `Variant` a seed, as soon as it is finished.

    Raises:
        ValueError: If an image or a setting breaks a rule; raised before any work.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n must be a positive integer; received {n!r}")
    seed = check_seed(seed)
    config = with_plan_of(networks, config or StyleConfig())
    whole, part = load_weights(config.weights), config.weights_for
    drawn = load_weights(RANDOM, config.encoder)
    trained = drawn if part == "fvt" else whole.up_to(config.encoder)
    config = replace(config, encoder=trained.network)
    statistics = reference = None
    if config.method == "optimise" and config.network == "vgg":
        if whole.weights and part != "cnn":
            last = vgg_part(config).layers[-1]
            assert isinstance(last, Conv)
            statistics = whole.above(config.encoder, last.name)
        if statistics and part == "fvt":
            below = whole.up_to(config.encoder)
            reference = cnn_network(below.network, seed=seed, trained=below.weights)
    elif part == "fvt":
        rule = "weights_for must be both or cnn but for method optimise with network vgg"
        raise ValueError(f"{rule}; received 'fvt'")
    work = read_inputs(content, style, weights, mask, style_mask, config)
    work = replace(work, networks=networks, statistics=statistics, previews=previews)
    work = replace(work, reference=reference)

    def encoder(number: int) -> SharedNetwork:
        if networks is not None:
            return networks.encoder
        return cnn_network(config.encoder, seed=seed + number, trained=trained.weights)

    return (
        Variant(seed + i, _render(work, encoder(i), seed + i, within(on_step, i / n, (i + 1) / n)))
        for i in range(n)
    )


def smallest_side(config: StyleConfig) -> int:
    """Fewest pixels a side that content and style need, before and after resizing."""
    network = config.network if config.method == "optimise" else "pyramid"
    if network == "vgg":
        vgg_part(config)  # refuses what cannot be run
    plan = plan_of(config.encoder)
    return max(plan.minimum_side, plan.reduction * MINIMUM_SIDE[network])


def readout_wildness(config: StyleConfig) -> float:
    """Share of the random readout in the decoder, 0 to 1."""
    return 1.0 if config.decoder == "random" else config.wildness


@dataclass(frozen=True)
class Work:
    """Inputs of one style transfer, checked, read and resized; all but the seed."""

    config: StyleConfig  # the plan of trained networks filled in
    content: np.ndarray  # photograph, (height, width, 3), float32 in [0, 1]
    style: Blend  # pictures and their shares
    mask: np.ndarray | None  # share of the style at each pixel of the content, (height, width)
    regions: Regions | None  # of content and styles; None for one that is all
    networks: CnnDcn | None = None  # trained, in place of the random CNN and the fitted readout
    statistics: tuple | None = None  # weights of the `vgg` statistics network; None for random
    reference: SharedNetwork | None = None  # CNN of `statistics`, where a random one is used
    previews: bool = False  # whether steps with features become steps with previews
    composed: "Work | None" = None  # the same smaller, whose composition the result has


def read_inputs(content, style, weights, mask, style_mask, config: StyleConfig) -> Work:
    """The inputs of `stylize`, checked and brought to size; ValueError as there."""
    given, composed = (content, style, weights, mask, style_mask), None
    styles = list(style) if isinstance(style, list | tuple) else [style]
    if not 1 <= len(styles) <= MOST_STYLES:
        raise ValueError(f"style must be 1 to {MOST_STYLES} pictures; received {len(styles)}")
    shares = check_shares(weights, len(styles))
    check_memory(config)
    content = _fitted(content, "content", config, config.side)
    if config.tile:
        multiple = 2 * plan_of(config.encoder).reduction
        height, width = (max(multiple, side // multiple * multiple) for side in content.shape[:2])
        content = periodic(resize(content, (height, width)))
    side = round(config.side * config.style_scale)
    names = ["style"] if len(styles) == 1 else [f"style {i + 1}" for i in range(len(styles))]
    pictures = [_fitted(x, name, config, side) for x, name in zip(styles, names, strict=True)]
    if config.keep_colours:
        pictures = [match_luminance(picture, content) for picture in pictures]
    used = [i for i, share in enumerate(shares) if share > 0]
    blend = Blend(tuple(pictures[i] for i in used), tuple(shares[i] for i in used))
    if mask is not None:
        mask = fit_mask(as_mask(mask), content.shape[:2])
    regions = None
    if style_mask is not None:
        check_method(config.method)
        regions = as_regions(style_mask, len(styles)).of_styles(used)
    if config.composed_at:
        smaller = replace(config, side=config.composed_at, composed_at=None)
        composed = read_inputs(*given, smaller)
    return Work(config, content, blend, mask, regions, composed=composed)


def _fitted(image, argument: str, config: StyleConfig, side: int) -> np.ndarray:
    image = as_image(image, argument=argument)
    least = smallest_side(config)
    size = fit_within(image.shape[:2], side)
    check_sides(image.shape[:2], least, argument)
    check_sides(size, least, argument, f" at side {side}")
    return resize(image, size)


def _render(work: Work, encoder: SharedNetwork, seed: int, on_step: OnStep) -> np.ndarray:
    """Image -> CNN -> features -> FVT -> features -> DCN -> image."""
    on_step(Step("encoding", 0.0))
    method = _painted if work.config.method == "paint" else _transformed
    image = coloured(method(work, encoder, seed, on_step), work)
    on_step(Step("done", 1.0))
    return image


def _transformed(work: Work, encoder: SharedNetwork, seed: int, on_step: OnStep) -> np.ndarray:
    """The decoded result of a method that works on features alone."""
    config, content, mask = work.config, work.content, work.mask
    ours, theirs = encoder.single(content), work.style.map(encoder.single)
    decoder = _decoder(work, ours, theirs, seed, readout_wildness(config))
    features = transform(
        Transfer(
            ours,
            theirs,
            config,
            _fvt_seed(config, seed),
            dtype=backend.resolve_precision(config.precision),
            trained=work.statistics,
            trained_unit=work.style.map(work.reference.single).root_mean_square()
            if work.reference
            else None,
            mask=None if mask is None else fit_mask(mask, ours.shape[:2]),
            on_step=within(_with_previews(work, decoder, on_step), 0.02, 0.98),
        )
    )
    image = decoder(features, content.shape[:2])
    if config.strength < 1:
        decoded = decoder(ours, content.shape[:2])
        image = give_back(image, content, decoded, config.strength, readout_wildness(config))
    return image


def _fvt_seed(config: StyleConfig, seed: int) -> int:
    return seed if config.fvt_seed is None else config.fvt_seed


def _painted(work: Work, encoder: SharedNetwork, seed: int, on_step: OnStep) -> np.ndarray:
    """The result of `paint`, which copies pixels of the style as the decoder shows them."""
    canvas, shown = paint_canvas(work, encoder, seed, on_step)
    if work.config.strength == 0:
        return shown(work.content)
    image = paint_regions(canvas, work.regions) if work.regions else paint(canvas)
    return part_way(shown(work.content), image, work.config.strength)


def paint_canvas(
    work: Work, encoder: SharedNetwork, seed: int, on_step: OnStep
) -> tuple[Canvas, Callable[[np.ndarray], np.ndarray]]:
    """What `paint` takes, of one network, its readout fitted to reduced pictures.

    Returns:
        The canvas, and a function of a photograph: what strength 0 makes of it.
    """
    config, content, style = work.config, work.content, work.style
    plan, wildness = plan_of(config.encoder), readout_wildness(config)
    shrink = partial(at_most, side=_FITTED_SIDE)
    fitted = replace(work, content=shrink(content), style=style.map(shrink))
    features = encoder.single(fitted.content), fitted.style.map(encoder.single)
    decode = _decoder(fitted, *features, seed, wildness)
    wild = decode if wildness in (0, 1) else _decoder(fitted, *features, seed, 1.0)

    def shown(picture: np.ndarray) -> np.ndarray:
        if work.networks is None and wildness == 0:
            return picture  # a fitted readout is given back all that it loses
        decoded = in_strips(wild, encoder.single, picture, plan.halo)
        return decoded if work.networks else (1 - wildness) * picture + wildness * decoded

    def original(photograph: np.ndarray) -> np.ndarray:
        # What a fitted or trained DCN loses of the photograph is given back: strength 0 is itself.
        return shown(photograph) if config.strength < 1 and wildness > 0 else photograph

    at_zero = original(content) if work.previews else content

    def preview(picture: np.ndarray) -> np.ndarray:
        size = picture.shape[:2]
        mask = None if work.mask is None else fit_mask(work.mask, size)
        reduced = replace(work, content=resize(content, size), mask=mask)
        small = resize(np.clip(at_zero, 0, 1), size)
        return coloured(part_way(small, picture, config.strength), reduced)

    small = work.composed
    small = small and replace(small, networks=work.networks, previews=work.previews)
    canvas = Canvas(
        content,
        parts=tuple(Part(picture, shown(picture), i) for i, picture in enumerate(style.parts)),
        shares=style.shares,
        turned=config.style_rotate,
        encode=encoder.single,
        decode=decode,
        reduction=plan.reduction,
        tile=config.tile,
        halo=plan.halo,
        palette=1 - wildness,
        seed=_fvt_seed(config, seed),
        config=config.paint,
        mask=work.mask,
        on_step=within(on_step, 0.02, 0.98),
        preview=preview if work.previews else None,
        composed=paint_canvas(small, encoder, seed, on_step)[0] if small else None,
    )
    return canvas, original


def _decoder(work: Work, ours: np.ndarray, theirs: Blend, seed: int, wildness: float) -> Decode:
    """The trained DCN, or a readout fitted to the features of content and styles."""
    if work.networks is not None:
        return work.networks.decode
    pairs = [(ours, work.content), *zip(theirs.parts, work.style.parts, strict=True)]
    return build_decoder(work.config.encoder, pairs, seed=seed, wildness=wildness)


def coloured(image: np.ndarray, work: Work) -> np.ndarray:
    """A picture in [0, 1], its colours and what the mask leaves out those of the photograph."""
    image = np.clip(image, 0, 1)
    if work.config.keep_colours:
        image = keep_colours(image, work.content)
    return image if work.mask is None else composite(work.content, image, work.mask)


def _with_previews(work: Work, decoder: Decode, on_step: OnStep) -> OnStep:
    """A callback that turns features into a preview, or drops the step if none is wanted."""

    def tell(step: Step) -> None:
        if step.features is None:
            on_step(step)
        elif work.previews:
            image = _preview(work, decoder, step.features)
            on_step(replace(step, features=None, preview=image))

    return tell


def _preview(work: Work, decoder: Decode, features: np.ndarray) -> np.ndarray:
    reduction = plan_of(work.config.encoder).reduction
    side = min(_PREVIEW_SIDE, work.config.side, reduction * max(features.shape[:2]))
    size = fit_within(work.content.shape[:2], side)
    rows, columns = (math.ceil(pixels / reduction) for pixels in size)
    image = decoder(resize_features(features, (rows, columns)), size)
    mask = None if work.mask is None else fit_mask(work.mask, size)
    return coloured(image, replace(work, content=resize(work.content, size), mask=mask))


def give_back(image, content, decoded, strength, wildness: float):
    """Add back what the decoder loses of the content, in proportion to 1 - strength.

    With the ridge readout, strength 0 gives the photograph itself, not a softer copy; with the
    random readout, whose colours are its own, nothing is added.

    Args:
        image: Decoded result, (height, width, 3).
        content: Photograph, (height, width, 3).
        decoded: Decoded features of the photograph, (height, width, 3).
        strength: Strength of the style, 0 to 1.
        wildness: Share of the random readout, 0 to 1.
    """
    return image + (1 - wildness) * (1 - strength) * (content - decoded)
