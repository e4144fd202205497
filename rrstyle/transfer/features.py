"""Maps of feature vectors (height, width, channels), and the record that every method takes."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from keras import ops

from rrstyle.config import StyleConfig
from rrstyle.progress import OnStep, Step, ignore
from rrstyle.transfer.blends import Blend
from rrstyle.transfer.closed_form import fit_gaussian, fit_map


@dataclass(frozen=True)
class Transfer:
    """One transformation of features, as every method takes it."""

    content: np.ndarray  # features (height, width, n), float32
    style: Blend  # features of each style, (any height, any width, n), of the same network
    config: StyleConfig
    seed: int  # of all random draws, at least 0
    dtype: str = "float32"  # or "bfloat16": of the convolutions of a statistics network
    trained: tuple | None = None  # weights of the `vgg` statistics network; None for random ones
    # Weight of each pixel of the content in its statistics, (height, width), in [0, 1] and not all
    # 0. Pixels of weight 0 are transformed all the same.
    mask: np.ndarray | None = None
    on_step: OnStep = ignore  # some steps carry the features so far


# The features of the content's shape that a method makes.
Method = Callable[[Transfer], np.ndarray]


def at_strength(method: Method) -> Method:
    """Turn a method of full strength into one that follows `config.strength`.

    Content and style features first move to their common Gaussian at that strength, on the optimal
    transport path between theirs. The method works there, in units of the features' root mean
    square, and the result is that far from the content.
    """

    @functools.wraps(method)
    def transformed(given: Transfer) -> np.ndarray:
        unit = np.float32(given.style.root_mean_square() or 1.0)
        strength = given.config.strength
        content, style = given.content / unit, given.style.map(lambda part: part / unit)
        if strength < 1:
            ours, theirs = fit_gaussian(content, mask=given.mask), style.gaussian()
            there = fit_map("transport", ours, theirs).towards(strength)
            back = fit_map("transport", theirs, ours).towards(1 - strength)
            content, style = there(content), style.map(lambda part: back(part))

        def finished(result: np.ndarray) -> np.ndarray:
            begun = resize_features(content, result.shape[:2])
            return (begun + np.float32(strength) * (result - begun)) * unit

        def tell(step: Step) -> None:
            found = step.features
            given.on_step(step if found is None else replace(step, features=finished(found)))

        return finished(method(replace(given, content=content, style=style, on_step=tell)))

    return transformed


def resize_features(features: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Features (height, width, n) at another size; anti-aliased when smaller."""
    if features.shape[:2] == tuple(size):
        return features
    shrinks = size[0] < features.shape[0]
    kind = "bilinear" if shrinks else "bicubic"
    batch = ops.image.resize(features[None], size, interpolation=kind, antialias=shrinks)
    return ops.convert_to_numpy(batch)[0]
