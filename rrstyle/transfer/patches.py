"""FVT by patch matching: features of the content rebuilt from patches of the style's features.

Coarse to fine, as in Kwatra et al. 2005: every patch of the current estimate looks for its
nearest style patch, and overlapping finds are averaged. Distances are divided by how well a
style patch is already served (Granot et al. 2022), so that all of the style gets used.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import faiss
import numpy as np
from keras import ops

from rrstyle.config import PatchConfig
from rrstyle.progress import OnStep, Step
from rrstyle.transfer.closed_form import fit_gaussian, fit_map

_SCALE_STEP = math.sqrt(2)
# Below this side every pixel centres a query patch, from it on every second: overlaps still
# cover each pixel many times, and the search is the slow part.
_DENSE_BELOW = 64
# Queries from which a style patch's own best distance is estimated.
_SAMPLED_QUERIES = 4096


def resize_features(features: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Features (height, width, n) at another size; anti-aliased when smaller."""
    if features.shape[:2] == tuple(size):
        return features
    shrinks = size[0] < features.shape[0]
    kind = "bilinear" if shrinks else "bicubic"
    batch = ops.image.resize(features[None], size, interpolation=kind, antialias=shrinks)
    return ops.convert_to_numpy(batch)[0]


def overlap_average(
    source: np.ndarray, found: np.ndarray, size: int, step: int, shape: tuple[int, int]
) -> np.ndarray:
    """The mean, at each pixel, of the patches that cover it, weighted by a Gaussian window.

    The window (standard deviation a quarter of the side) lets the patch centred nearest to a
    pixel decide most of it: strokes stay crisper than under a plain mean.

    Args:
        source: Features (height, width, n) that patches are taken from.
        found: (rows, columns, 2), the top left corners in `source` of the patches found for the
            corners (0, 0), (0, step), ... of the result.
        size: Side of a patch.
        step: Distance between corners, at most `size`.
        shape: (height, width) of the result; the patches must reach its last row and column.

    Returns:
        (height, width, n), float32.
    """
    rows, columns = found.shape[:2]
    total = np.zeros((*shape, source.shape[-1]), np.float32)
    mass = np.zeros((*shape, 1), np.float32)
    distance = (np.arange(size) - (size - 1) / 2) / (size / 4)
    weight = np.exp(-(distance[:, None] ** 2 + distance[None, :] ** 2) / 2).astype(np.float32)
    flat = source.reshape(-1, source.shape[-1])
    corner = found[..., 0] * source.shape[1] + found[..., 1]
    # One gather a patch pixel: the patches themselves (size^2 n numbers each) never exist.
    for dy in range(size):
        for dx in range(size):
            window = np.s_[dy : dy + step * rows : step, dx : dx + step * columns : step]
            total[window] += weight[dy, dx] * flat[corner + (dy * source.shape[1] + dx)]
            mass[window] += weight[dy, dx]
    return total / mass


class StylePatches:
    """Style patches of one scale, projected and indexed.

    Args:
        features: Style features (height, width, n).
        config: Patch side, most keys, dimensions, completeness.
        rng: Draws the projection and, where there are too many patches, the keys.
    """

    def __init__(self, features: np.ndarray, config: PatchConfig, rng: np.random.Generator):
        self.features = features
        self.size = config.size
        n = features.shape[-1]
        fan_in = config.size**2 * n
        self._centre = features.mean(axis=(0, 1))
        shape = (config.size, config.size, n, config.projection)
        self._projection = rng.normal(0, 1 / math.sqrt(fan_in), shape).astype(np.float32)
        keys = self.project(features, 1)
        corners = np.indices(keys.shape[:2]).reshape(2, -1).T
        keys = keys.reshape(-1, config.projection)
        if len(keys) > config.keys:
            chosen = np.sort(rng.choice(len(keys), config.keys, replace=False))
            keys, corners = keys[chosen], corners[chosen]
        self._keys, self._corners = keys, corners
        self._floor = config.completeness * float(keys.var(axis=0).sum()) + 1e-12

    def project(self, features: np.ndarray, step: int) -> np.ndarray:
        """Random projection of the patches at every `step`-th corner; one valid convolution."""
        batch = ops.conv(
            ops.convert_to_tensor((features - self._centre)[None]),
            ops.convert_to_tensor(self._projection),
            strides=step,
            padding="valid",
        )
        return ops.convert_to_numpy(batch)[0]

    def nearest(self, features: np.ndarray, step: int, rng: np.random.Generator) -> np.ndarray:
        """Corners (rows, columns, 2) of the style patch nearest to each patch of `features`."""
        projected = self.project(features, step)
        queries = projected.reshape(-1, projected.shape[-1])
        weight = self._weights(queries, rng)
        # -weight |q - k|^2 as an inner product, so that faiss finds the normalised nearest.
        norms = np.sum(self._keys**2, axis=1)
        keys = np.column_stack([2 * weight[:, None] * self._keys, -weight, -weight * norms])
        index = faiss.IndexFlatIP(keys.shape[1])
        index.add(np.ascontiguousarray(keys, np.float32))
        ones = np.ones(len(queries), np.float32)
        queries = np.column_stack([queries, np.sum(queries**2, axis=1), ones])
        _, found = index.search(np.ascontiguousarray(queries, np.float32), 1)
        return self._corners[found[:, 0]].reshape(*projected.shape[:2], 2)

    def _weights(self, queries: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """1 / (floor + best distance) of each style patch over a sample of the queries."""
        if len(queries) > _SAMPLED_QUERIES:
            queries = queries[rng.choice(len(queries), _SAMPLED_QUERIES, replace=False)]
        index = faiss.IndexFlatL2(queries.shape[1])
        index.add(np.ascontiguousarray(queries))
        best, _ = index.search(np.ascontiguousarray(self._keys), 1)
        return 1 / (self._floor + np.maximum(best[:, 0], 0))


@dataclass(frozen=True)
class _Scale:
    size: tuple[int, int]  # of the content features
    style_size: tuple[int, int]
    rounds: int
    mix: float  # share of the transported content in a query
    step: int  # distance between query patches


def _scales(
    content: tuple[int, int], style: tuple[int, int], config: PatchConfig
) -> Iterator[_Scale]:
    """The scales, coarse to fine, without those too small for a patch to move in."""
    steps = max(0, round(math.log(max(content) / config.coarsest, _SCALE_STEP)))
    low, high = config.content_mix
    for position in range(steps + 1):
        ratio = _SCALE_STEP ** (position - steps)
        size = _scaled(content, ratio, 2)
        if min(size) < 2 * config.size and position < steps:
            continue
        yield _Scale(
            size=size,
            style_size=_scaled(style, ratio, config.size),
            rounds=config.rounds[min(position, len(config.rounds) - 1)],
            mix=high if steps == 0 else low + (high - low) * position / steps,
            step=1 if min(size) < _DENSE_BELOW else 2,
        )


def _scaled(size: tuple[int, int], ratio: float, least: int) -> tuple[int, int]:
    height, width = (max(least, round(ratio * side)) for side in size)
    return height, width


def match_patches(
    content: np.ndarray,
    style: np.ndarray,
    *,
    config: PatchConfig,
    rng: np.random.Generator,
    on_step: OnStep,
) -> np.ndarray:
    """The content rebuilt from style patches.

    Args:
        content: Features (height, width, n), float32, of root mean square about 1.
        style: Features (any height, any width, n) of the same network.
        config: Sizes and rounds.
        rng: Draws projections and samples.
        on_step: Told after every round.

    Returns:
        Features of the content's shape.
    """
    scales = list(_scales(content.shape[:2], style.shape[:2], config))
    work = sum(math.prod(scale.size) * scale.rounds for scale in scales)
    done = 0
    field, previous = None, None
    for scale in scales:
        small_style = resize_features(style, scale.style_size)
        target = _rearranged(resize_features(content, scale.size), small_style, config.diversity)
        if field is None or previous is None:
            current = target
        else:
            # The finds of the coarser scale, taken from the finer style: crisp from the start.
            field = refine_field(field, previous, scale, config.size)
            current = _assemble(small_style, field, config.size, 1, scale.size)
        patches = StylePatches(small_style, config, rng)
        for _ in range(scale.rounds):
            query = (1 - scale.mix) * current + scale.mix * target
            field = patches.nearest(_pad(query, config.size, scale.step), scale.step, rng)
            current = _assemble(small_style, field, config.size, scale.step, scale.size)
            done += math.prod(scale.size)
            height, width = scale.size
            on_step(Step(f"matching patches at {width}×{height}", done / work))
        previous = scale
    return current


def _rearranged(content: np.ndarray, style: np.ndarray, diversity: float) -> np.ndarray:
    """The content with the style's palette, by a mix of two maps between their Gaussians."""
    ours, theirs = fit_gaussian(content), fit_gaussian(style)
    transported = fit_map("transport", ours, theirs)(content)
    own = fit_map("knothe", ours, theirs)(content)
    return (1 - np.float32(diversity)) * transported + np.float32(diversity) * own


def refine_field(field: np.ndarray, coarse: _Scale, fine: _Scale, size: int) -> np.ndarray:
    """The finds of a coarse scale, one for every pixel of a finer one.

    Args:
        field: (rows, columns, 2) corners of style patches, found at every `coarse.step`-th pixel.
        coarse: Scale of `field`.
        fine: Scale of the result.
        size: Side of a patch, the same at both scales.

    Returns:
        (height, width, 2): each fine pixel's patch is centred on the place in the fine style that
        the nearest coarse find showed there.
    """
    margin = size // 2
    corners: list[np.ndarray] = []
    nearest: list[np.ndarray] = []
    remainder: list[np.ndarray] = []
    for axis in range(2):
        position = np.arange(fine.size[axis]) * (coarse.size[axis] / fine.size[axis])
        index = np.minimum(np.rint(position / coarse.step).astype(int), field.shape[axis] - 1)
        nearest.append(index)
        remainder.append(position - index * coarse.step)
    found = field[np.ix_(*nearest)]
    for axis, offset in enumerate((remainder[0][:, None], remainder[1][None, :])):
        ratio = fine.style_size[axis] / coarse.style_size[axis]
        corner = np.rint((found[..., axis] + margin + offset) * ratio).astype(int) - margin
        corners.append(np.clip(corner, 0, fine.style_size[axis] - size))
    return np.stack(corners, axis=-1)


def _assemble(style, field, size: int, step: int, shape: tuple[int, int]) -> np.ndarray:
    """Overlap average, without the margin that `_pad` added."""
    margin = size // 2
    padded = tuple(step * (count - 1) + size for count in field.shape[:2])
    averaged = overlap_average(style, field, size, step, padded)
    return averaged[margin : margin + shape[0], margin : margin + shape[1]]


def _pad(features: np.ndarray, patch: int, step: int) -> np.ndarray:
    """Reflect borders by half a patch, and further so that stepping patches reach the end."""
    margin = patch // 2
    extra = [-(side + 2 * margin - patch) % step for side in features.shape[:2]]
    widths = [(margin, margin + e) for e in extra]
    return np.pad(features, [*widths, (0, 0)], mode="reflect")
