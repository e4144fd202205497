"""FVT by optimisation: features are moved until their statistics are the style's.

L(V) = alpha content(V, V_c) + beta style(V, V_s), appendix A.4 of the paper's 2020 version: sums of
squares over layers (equations 3 and 4), or means of terms relative to their targets, so that the
weights mean the same at every layer and for every network.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import scipy.optimize
from keras import ops, tree

from rrstyle import backend
from rrstyle.config import OptimiseConfig
from rrstyle.networks.laws import TRANSFER, layer_rng
from rrstyle.progress import OnStep, Step, within
from rrstyle.transfer.blends import Blend
from rrstyle.transfer.closed_form import fit_gaussian, fit_map
from rrstyle.transfer.feature_networks import FeatureNetwork, pyramid_network, vgg_network
from rrstyle.transfer.features import Transfer, resize_features
from rrstyle.transfer.statistics import STYLE_LOSSES, squared_distance

# (height, width) -> the network whose statistics are matched, for features of at least that size.
NetworkFor = Callable[[tuple[int, int]], FeatureNetwork]

# Fewest pixels a side: patches and pyramid levels fit; VGG's four further pools leave 2 pixels.
MINIMUM_SIDE = {"pyramid": 16, "vgg": 32}

# Of the content's fine detail given to the start of each finer scale: with all of it the result
# stays a recoloured photograph, without it edges come back soft.
_DETAIL = np.float32(0.3)
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-7
_FINAL_RATE = 0.05  # of the first rate, at the end of the cosine decay
# L-BFGS stops after a few evaluations where loss differences are small numbers.
_LBFGS_SCALE = 1e5


def _centred(features):
    features = ops.cast(features, "float32")
    return features - ops.mean(features, axis=(0, 1, 2))


@functools.lru_cache(maxsize=16)
def _compiled(
    model,
    content: tuple[int, ...],
    style: tuple[int, ...],
    loss: str,
    absolute: bool,
    centred: bool,
    masked: bool,
) -> tuple[Callable, ...]:
    """(kept, targets, value and gradient, Adam step) of a network, compiled once in a process.

    `masked` only tells apart what is called with masks and without.
    """
    measure, distance, _ = STYLE_LOSSES[loss]
    layout = _centred if centred else functools.partial(ops.cast, dtype="float32")

    def outputs(v, weights):
        # Keras gives a single output without its list.
        return tree.flatten(model.stateless_call(list(weights), [], v)[0])

    def keep(v, weights):
        found = outputs(v, weights)
        return [layout(found[i]) for i in content]

    def targets(v, weights):
        found = outputs(v, weights)
        return [measure(found[i]) for i in style]

    def objective(v, weights, kept, wanted, alpha, beta, masks):
        found = outputs(v, weights)
        layouts = [layout(found[i]) for i in content]
        styles = [found[i] for i in style]
        measured = map(measure, styles, masks) if masks else map(measure, styles)
        if absolute:
            content_loss = sum(map(squared_distance, layouts, kept))
            return alpha * content_loss + beta * sum(map(squared_distance, measured, wanted))
        content_loss = sum(
            ops.mean(ops.square(f - k)) / (ops.mean(ops.square(k)) + 1e-12)
            for f, k in zip(layouts, kept, strict=True)
        )
        style_loss = sum(map(distance, measured, wanted))
        return alpha * content_loss / len(content) + beta * style_loss / len(style)

    value_and_grad = backend.value_and_grad(objective)

    def adam(v, first, second, count, rate, *args):
        # Kingma & Ba 2015; keras.optimizers would be traced anew for every image size.
        value, gradient = value_and_grad(v, *args)
        first = _BETA1 * first + (1 - _BETA1) * gradient
        second = _BETA2 * second + (1 - _BETA2) * ops.square(gradient)
        size = rate * ops.sqrt(1 - _BETA2**count) / (1 - _BETA1**count)
        return v - size * first / (ops.sqrt(second) + _EPSILON), first, second, value

    return (
        backend.jit(keep, maps=(0,)),
        backend.jit(targets, maps=(0,)),
        backend.jit(value_and_grad, maps=(0, 2, 6)),
        backend.jit(adam, maps=(0, 1, 2, 6, 10)),
    )


class Objective:
    """The loss of one network, one content and its style at one scale.

    Args:
        network: Network whose statistics are matched: its weights and taps.
        content: Features (height, width, n) whose layout is kept.
        style: Features whose statistics are wanted; those of several are pooled.
        config: Losses and their weights.
        mask: Weight of each pixel, (height, width), in the result's statistics.
    """

    def __init__(
        self,
        network: FeatureNetwork,
        content: np.ndarray,
        style: np.ndarray | Blend,
        *,
        config: OptimiseConfig,
        mask: np.ndarray | None = None,
    ):
        keep, targets, self._value_and_grad, self._adam = _compiled(
            network.network.model,
            network.content,
            network.style,
            config.loss,
            absolute=config.scaling == "absolute",
            centred=config.content == "transported",
            masked=mask is not None,
        )
        weights = tuple(ops.convert_to_tensor(w) for w in network.network.weights)
        kept = keep(_batch(content), weights)
        style = Blend.of(style)
        found = [targets(_batch(part), weights) for part in style.parts]
        wanted = found[0]
        if len(found) > 1:
            wanted = [
                STYLE_LOSSES[config.loss].pool(one, style.shares)
                for one in zip(*found, strict=True)
            ]
        masks: tuple = ()
        if mask is not None:
            outputs = tree.flatten(network.network(_batch(content)))
            masks = _masks(mask, [outputs[i] for i in network.style])
        both = config.content_weight, config.style_weight
        alpha, beta = (ops.convert_to_tensor(weight, "float32") for weight in both)
        self._args = (weights, kept, wanted, alpha, beta, masks)

    def value(self, features: np.ndarray) -> float:
        """The loss at `features` (height, width, n)."""
        return self.value_and_grad(features)[0]

    def value_and_grad(self, features: np.ndarray) -> tuple[float, np.ndarray]:
        """The loss at `features` (height, width, n) and its gradient there."""
        value, gradient = self._value_and_grad(_batch(features), *self._args)
        return float(value), ops.convert_to_numpy(gradient)[0]

    def adam(self, start: np.ndarray, *, steps: int, rate: float, report: Callable) -> np.ndarray:
        """`steps` steps of Adam from `start`, the rate falling by a cosine."""
        v = _batch(start)
        first = second = ops.zeros_like(v)
        for step in range(steps):
            fall = _FINAL_RATE + (1 - _FINAL_RATE) * (1 + np.cos(np.pi * step / steps)) / 2
            scalars = (np.float32(step + 1), np.float32(rate * fall))
            count, size = (ops.convert_to_tensor(s, "float32") for s in scalars)
            v, first, second, _ = self._adam(v, first, second, count, size, *self._args)
            report(step + 1)
        return ops.convert_to_numpy(v)[0]

    def lbfgs(self, start: np.ndarray, *, steps: int, report: Callable) -> np.ndarray:
        """At most `steps` iterations of scipy's L-BFGS from `start`."""
        done = 0

        def function(x):
            value, gradient = self.value_and_grad(x.reshape(start.shape))
            return _LBFGS_SCALE * value, _LBFGS_SCALE * gradient.astype(np.float64).ravel()

        def after(_):
            nonlocal done
            done += 1
            report(done)

        options = {"maxiter": steps, "gtol": 0, "ftol": 0, "maxfun": 2 * steps}
        found = scipy.optimize.minimize(
            function, start.ravel(), jac=True, method="L-BFGS-B", callback=after, options=options
        )
        return found.x.reshape(start.shape).astype(np.float32)


def _masks(mask: np.ndarray, outputs) -> tuple:
    """The mask at the size of each output, (1, height, width, 1) of sum 1."""
    sizes = [(int(output.shape[1]), int(output.shape[2])) for output in outputs]
    small = [np.maximum(resize_features(mask[..., None], size), 0) for size in sizes]
    return tuple(_batch(found / found.sum()) for found in small)


def _batch(features):
    return ops.convert_to_tensor(features[None], "float32")


def reporter(on_step: OnStep, stage: str, total: int) -> Callable[[int], None]:
    """Turns a count of done steps into progress."""
    return lambda done: on_step(Step(stage, done / total))


def optimisation(given: Transfer) -> np.ndarray:
    """`optimise` on the statistics network of `config.network`, as far as `config.strength` says.

    Content and style features first move to their common Gaussian at that strength, on the optimal
    transport path between theirs, unless the content is kept as it is. The optimisation works
    there, in units of the style features' root mean square, and the result is that far from the
    content.
    """
    unit, strength = np.float32(given.style.root_mean_square() or 1.0), given.config.strength
    content, style = given.content / unit, given.style.map(lambda part: part / unit)
    if strength < 1 and given.config.optimise.content == "transported":
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

    trained = given.trained
    if trained is not None:  # ReLU and pools: features and biases in one unit, outputs in it too
        unit_of_trained = np.float32(given.trained_unit or unit)
        trained = tuple(w / unit_of_trained if w.ndim == 1 else w for w in trained)
    moved = replace(given, content=content, style=style, trained=trained, on_step=tell)
    return finished(optimise(moved, statistics_networks(moved, given.config.network)))


def statistics_networks(given: Transfer, name: str) -> NetworkFor:
    """The network, "pyramid" or "vgg", whose statistics a transfer matches."""
    channels, seed, dtype = given.content.shape[-1], given.seed, given.dtype
    if name == "pyramid":
        return lambda size: pyramid_network(channels, size=size, seed=seed, dtype=dtype)
    network = vgg_network(channels, given.config, seed=seed, dtype=dtype, weights=given.trained)
    return lambda size: network


def optimise(given: Transfer, network_for: NetworkFor) -> np.ndarray:
    """Optimise features, coarse to fine, for the style's statistics and the content's layout.

    Unless it is kept as it is, the content is transported to the style's Gaussian first: what is
    kept is its layout, not its palette. Each scale starts from the last one's result, enlarged,
    plus some of the fine detail of the content.

    Args:
        given: Transfer whose features have a root mean square of about 1. Its callback gets every
            step, and before every scale the features that it starts from.
        network_for: Function from a size to the network whose statistics are matched.
    """
    content, style, mask, config = given.content, given.style, given.mask, given.config.optimise
    smallest = MINIMUM_SIDE[given.config.network]
    target = content
    if config.content == "transported":
        target = fit_map("transport", fit_gaussian(content, mask=mask), style.gaussian())(content)
    factors = [2**level for level in reversed(range(len(config.steps)))]
    side = min(*content.shape[:2], *style.least_size())
    plan = [
        (factor, steps)
        for factor, steps in zip(factors, config.steps, strict=True)
        if factor == 1 or side // factor >= smallest
    ]
    work = [steps / factor**2 for factor, steps in plan]
    network = network_for(_reduced(_common_size(content, style), plan[0][0]))
    current: np.ndarray = target  # replaced at the first scale
    done = 0.0
    for scale, (factor, steps) in enumerate(plan):
        small_target = _shrunk(target, factor)
        size = small_target.shape[:2]
        small_style = style.map(functools.partial(_shrunk, factor=factor))
        if scale == 0:
            current = small_target
            if config.start == "random":
                current = _noise_like(small_target, layer_rng(given.seed, TRANSFER))
        else:
            coarse = resize_features(small_target, current.shape[:2])
            detail = small_target - resize_features(coarse, size)
            current = resize_features(current, size) + _DETAIL * detail
        stage = f"optimising at {size[1]}×{size[0]}"
        part = within(given.on_step, done / sum(work), (done + work[scale]) / sum(work))
        part(Step(stage, 0.0, features=current))
        objective = Objective(
            network,
            small_target,
            small_style,
            config=config,
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


def _common_size(features: np.ndarray, style: Blend) -> tuple[int, int]:
    """The smaller height and the smaller width of features and styles."""
    height, width = map(min, features.shape, style.least_size())
    return height, width


def _noise_like(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """White noise with the mean and covariance of `features`."""
    mean, covariance = fit_gaussian(features)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    noise = rng.standard_normal(features.shape) @ root.T + mean
    return noise.astype(np.float32)
