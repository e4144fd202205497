"""The feature vector transformation (FVT): V_c, V_s -> V_new, by any method, at any strength."""

from dataclasses import replace

import numpy as np

from rrstyle.config import StyleConfig
from rrstyle.networks.laws import TRANSFER, layer_rng
from rrstyle.progress import OnStep, Step, ignore, within
from rrstyle.transfer import closed_form
from rrstyle.transfer.blends import Blend
from rrstyle.transfer.closed_form import fit_gaussian, fit_map
from rrstyle.transfer.feature_networks import FeatureNetwork, pyramid_network, vgg_network
from rrstyle.transfer.features import resize_features
from rrstyle.transfer.optimise import optimise, refine
from rrstyle.transfer.patches import match_patches

# Fewest pixels a side: patches and pyramid levels fit; VGG's four further pools leave 2 pixels.
MINIMUM_SIDE = {"pyramid": 16, "vgg": 32}

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
) -> np.ndarray:
    """Content features with the style of style features.

    `strength` moves along the optimal transport path between the two: the closed forms are the
    identity at 0 and the full map at 1; the others first move content and style features to
    their common Gaussian at `strength`, transform there, and come that far from the content.

    Args:
        content: (height, width, n), float32.
        style: (height, width, n) of another size if need be, from the same network; or several.
        config: Method, strength and the method's settings.
        seed: Seed of all random draws, an integer of at least 0.
        dtype: "float32" or "bfloat16", of the convolutions of a statistics network.
        trained: Weights for the `vgg` statistics network in place of random ones.
        mask: (height, width), how much each pixel of the content counts in its statistics, from
            0 to 1 and not all 0. Pixels that do not count are transformed all the same.
        on_step: Progress callback; some steps carry the features so far.

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

    def tell(step: Step) -> None:
        found = step.features
        on_step(step if found is None else replace(step, features=finish(found)))

    if config.method == "optimise":
        smallest = MINIMUM_SIDE[config.network]
        settings = config.optimise
        result = optimise(start, wanted, network_for, smallest, settings, rng, tell, mask)
    else:
        share = _MATCHING_SHARE if config.method == "paint" else 1.0
        result = match_patches(
            start,
            wanted,
            config=config.patches,
            rng=rng,
            on_step=within(tell, 0, share),
            mask=mask,
        )
        if config.method == "paint":
            refining = within(tell, share, 1)
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
