"""The feature vector transformation (FVT): V_c, V_s -> V_new, by any method, at any strength."""

import functools
import math
from collections.abc import Callable

import numpy as np

from rrstyle.config import OptimiseConfig, PatchConfig, StyleConfig
from rrstyle.networks.laws import TRANSFER, layer_rng
from rrstyle.progress import OnStep, Show, Step, ignore, within
from rrstyle.transfer import closed_form
from rrstyle.transfer.blends import Blend
from rrstyle.transfer.closed_form import fit_gaussian, fit_map
from rrstyle.transfer.feature_networks import FeatureNetwork, pyramid_network, vgg_network
from rrstyle.transfer.optimise import Objective, reporter
from rrstyle.transfer.patches import match_patches, resize_features

# (height, width) -> the network whose statistics are matched, for features of at least that size.
NetworkFor = Callable[[tuple[int, int]], FeatureNetwork]

# Fewest pixels a side: patches and pyramid levels fit; VGG's four further pools leave 2 pixels.
MINIMUM_SIDE = {"pyramid": 16, "vgg": 32}

# Of the content's fine detail given to the start of each finer scale: with all of it the result
# stays a recoloured photograph, without it edges come back soft.
_DETAIL = np.float32(0.3)
_MATCHING_SHARE = 0.4  # of `paint`'s time goes into matching, about, on a CPU


def transform(
    content: np.ndarray,
    style: np.ndarray | Blend,
    config: StyleConfig,
    *,
    seed: int,
    dtype: str = "float32",
    trained: tuple | None = None,
    mask: np.ndarray | None = None,
    on_step: OnStep = ignore,
    show: Show | None = None,
) -> np.ndarray:
    """Content features with the style of style features.

    `strength` moves along the optimal transport path between the two: the closed forms are the
    identity at 0 and the full map at 1; the others first move content and style features to
    their common Gaussian at `strength`, transform there, and come that far from the content.

    Args:
        content: (height, width, n), float32.
        style: (height, width, n) of another size if need be, from the same network; or several.
        config: Method, strength and the method's settings.
        seed: Names the random draws.
        dtype: "float32" or "bfloat16", of the convolutions of a statistics network.
        trained: Weights for the `vgg` statistics network in place of random ones.
        mask: (height, width), how much each pixel of the content counts in its statistics, from
            0 to 1 and not all 0. Pixels that do not count are transformed all the same.
        on_step: Told of progress.
        show: Makes pictures of features on their way; `on_step` is then told of them too.

    Returns:
        Features of the content's shape, float32.
    """
    strength, style = config.strength, Blend.of(style)
    if strength == 0:
        return content
    if config.method in closed_form.METHODS:
        found = fit_map(config.method, fit_gaussian(content, mask=mask), style.gaussian())
        return found.towards(strength)(content)
    # The methods below measure in units of the features' root mean square.
    unit = np.float32(style.root_mean_square() or 1.0)
    content, style = content / unit, style.map(lambda part: part / unit)
    start, wanted = _meet(content, style, strength, mask)

    def finish(result: np.ndarray) -> np.ndarray:
        begun = resize_features(start, result.shape[:2])
        return (begun + np.float32(strength) * (result - begun)) * unit

    def network_for(size: tuple[int, int]) -> FeatureNetwork:
        n = content.shape[-1]
        # The refinement of `paint` is on the pyramid: strokes are what it is for.
        if config.method == "optimise" and config.network == "vgg":
            pooled = config.encoder.tap == "post_pool"
            return vgg_network(n, pooled=pooled, seed=seed, dtype=dtype, weights=trained)
        return pyramid_network(n, size=size, seed=seed, dtype=dtype)

    rng = layer_rng(seed, TRANSFER)
    shown = None if show is None else (lambda result: show(finish(result)))
    if config.method == "optimise":
        smallest = MINIMUM_SIDE[config.network]
        settings = config.optimise
        result = optimise(start, wanted, network_for, smallest, settings, rng, on_step, mask, shown)
    else:
        share = _MATCHING_SHARE if config.method == "paint" else 1.0
        result = match_patches(
            start,
            wanted,
            config=config.patches,
            rng=rng,
            on_step=within(on_step, 0, share),
            mask=mask,
            show=shown,
        )
        if config.method == "paint":
            refining = within(on_step, share, 1)
            result = refine(result, wanted, network_for, config.patches, refining, mask)
    return finish(result)


def _meet(content, style: Blend, strength: float, mask) -> tuple[np.ndarray, Blend]:
    """Both sets of features moved to the Gaussian at `strength` on the path between theirs."""
    if strength == 1:
        return content, style
    ours, theirs = fit_gaussian(content, mask=mask), style.gaussian()
    there = fit_map("transport", ours, theirs).towards(strength)
    back = fit_map("transport", theirs, ours).towards(1 - strength)
    return there(content), style.map(lambda part: back(part))


def optimise(
    content: np.ndarray,
    style: np.ndarray | Blend,
    network_for: NetworkFor,
    smallest: int,
    config: OptimiseConfig,
    rng: np.random.Generator,
    on_step: OnStep,
    mask: np.ndarray | None = None,
    show: Show | None = None,
) -> np.ndarray:
    """Optimise features, coarse to fine, for the style's statistics and the content's layout.

    The content is transported to the style's Gaussian first: what is kept is its layout, not its
    palette. Each scale starts from the last one's result, enlarged, plus some of the fine detail
    of the transported content.

    Args:
        content: (height, width, n), root mean square about 1.
        style: (any height, any width, n), or several.
        network_for: The network whose statistics are matched.
        smallest: Scales with fewer pixels a side are left out.
        config: Loss, optimiser, start, steps.
        rng: Draws a random start.
        on_step: Told after every step.
        mask: As for `transform`.
        show: As for `transform`; called before every scale.
    """
    style = Blend.of(style)
    ours = fit_gaussian(content, mask=mask)
    target = fit_map("transport", ours, style.gaussian())(content)
    factors = [2**level for level in reversed(range(len(config.steps)))]
    side = min(*content.shape[:2], *style.least_size())
    plan = [
        (factor, steps)
        for factor, steps in zip(factors, config.steps, strict=True)
        if factor == 1 or side // factor >= smallest
    ]
    work = [steps / factor**2 for factor, steps in plan]
    coarsest = (_reduced(size, plan[0][0]) for size in (content.shape, style.least_size()))
    network = network_for(_smaller(*coarsest))
    current: np.ndarray = target  # replaced at the first scale
    done = 0.0
    for scale, (factor, steps) in enumerate(plan):
        small_target = _shrunk(target, factor)
        size = small_target.shape[:2]
        small_style = style.map(functools.partial(_shrunk, factor=factor))
        if scale == 0:
            random = config.start == "random"
            current = _noise_like(small_target, rng) if random else small_target
        else:
            coarse = resize_features(small_target, current.shape[:2])
            detail = small_target - resize_features(coarse, size)
            current = resize_features(current, size) + _DETAIL * detail
        stage = f"optimising at {size[1]}×{size[0]}"
        part = within(on_step, done / sum(work), (done + work[scale]) / sum(work))
        if show is not None:
            part(Step(stage, 0.0, preview=show(current)))
        objective = Objective(
            network,
            small_target,
            small_style,
            loss=config.loss,
            style_weight=config.style_weight,
            mask=mask,
        )
        report = reporter(part, stage, steps)
        if config.optimiser == "adam":
            rate = config.learning_rate
            current = objective.adam(current, steps=steps, rate=rate, report=report)
        else:
            current = objective.lbfgs(current, steps=steps, report=report)
        done += work[scale]
    return current


def _shrunk(features: np.ndarray, factor: int) -> np.ndarray:
    return resize_features(features, _reduced(features.shape, factor))


def _reduced(shape: tuple[int, ...], factor: int) -> tuple[int, int]:
    height, width = (math.ceil(side / factor) for side in shape[:2])
    return height, width


def _smaller(size: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, int]:
    height, width = map(min, size, other)
    return height, width


def _noise_like(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """White noise with the mean and covariance of `features`."""
    mean, covariance = fit_gaussian(features)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    noise = rng.standard_normal(features.shape) @ root.T + mean
    return noise.astype(np.float32)


def refine(
    features: np.ndarray,
    style: np.ndarray | Blend,
    network_for: NetworkFor,
    config: PatchConfig,
    on_step: OnStep,
    mask: np.ndarray | None = None,
) -> np.ndarray:
    """A few steps that give back the contrast which averaging patches took, at every scale."""
    objective = Objective(
        network_for(_smaller(features.shape[:2], Blend.of(style).least_size())),
        features,
        style,
        loss="mean_covariance",
        style_weight=config.refine_style_weight,
        mask=mask,
    )
    report = reporter(on_step, "refining", config.refine_steps)
    return objective.adam(
        features, steps=config.refine_steps, rate=config.refine_rate, report=report
    )
