"""FVT by patch matching: features of the content rebuilt from patches of the style's features.

Coarse to fine, as in Kwatra et al. 2005: every patch of the current estimate looks for its
nearest style patch, and overlapping finds are averaged. Distances are divided by how well a
style patch is already served (Granot et al. 2022), so that all of the style gets used.

Several styles lie below one another on one canvas. Each is searched by itself, and a price on each
settles which find a place takes, so that every style gets its share of the places.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import faiss
import numpy as np
from keras import ops

from rrstyle.config import PatchConfig
from rrstyle.progress import OnStep, Step
from rrstyle.transfer.blends import Blend
from rrstyle.transfer.closed_form import fit_gaussian, fit_map
from rrstyle.transfer.features import resize_features

_SCALE_STEP = math.sqrt(2)
# Below this side every pixel centres a query patch, from it on every second: overlaps still
# cover each pixel many times, and the search is the slow part.
_DENSE_BELOW = 64
# Queries from which a style patch's own best distance is estimated.
_SAMPLED_QUERIES = 4096
_PRICE_SWEEPS = 8  # one settles the prices of two styles
_SHOWN_FROM = 96  # longer side of the smallest scale worth a preview


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
        rng: Generator of the projection and, if there are too many patches, of the sampled keys.
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
        return self.search(features, step, rng)[0]

    def search(
        self, features: np.ndarray, step: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """What `nearest` finds, and its normalised squared distances (rows, columns)."""
        projected = self.project(features, step)
        shape = projected.shape[:2]
        queries = projected.reshape(-1, projected.shape[-1])
        weight = self._weights(queries, rng)
        # -weight |q - k|^2 as an inner product, so that faiss finds the normalised nearest.
        norms = np.sum(self._keys**2, axis=1)
        keys = np.column_stack([2 * weight[:, None] * self._keys, -weight, -weight * norms])
        index = faiss.IndexFlatIP(keys.shape[1])
        index.add(np.ascontiguousarray(keys, np.float32))
        ones = np.ones(len(queries), np.float32)
        queries = np.column_stack([queries, np.sum(queries**2, axis=1), ones])
        likeness, found = index.search(np.ascontiguousarray(queries, np.float32), 1)
        return self._corners[found[:, 0]].reshape(*shape, 2), -likeness[:, 0].reshape(shape)

    def _weights(self, queries: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """1 / (floor + best distance) of each style patch over a sample of the queries."""
        if len(queries) > _SAMPLED_QUERIES:
            queries = queries[rng.choice(len(queries), _SAMPLED_QUERIES, replace=False)]
        index = faiss.IndexFlatL2(queries.shape[1])
        index.add(np.ascontiguousarray(queries))
        best, _ = index.search(np.ascontiguousarray(self._keys), 1)
        return 1 / (self._floor + np.maximum(best[:, 0], 0))


class StyleCanvas:
    """The styles of one scale below one another, and the search in each.

    Args:
        style: Features of the styles at this scale.
        config: Sizes and number of keys; each style has its share of the keys.
        rng: Generator of projections and samples.

    Attributes:
        features: (height, width, n), the canvas; what no style covers is 0 and never found.
    """

    def __init__(self, style: Blend, config: PatchConfig, rng: np.random.Generator):
        self.features, self.tops = _stacked(style)
        self._shares = style.shares
        keys = [max(1, round(share * config.keys)) for share in style.shares]
        self._banks = [
            StylePatches(part, replace(config, keys=k), rng)
            for part, k in zip(style.parts, keys, strict=True)
        ]

    def nearest(self, features: np.ndarray, step: int, rng: np.random.Generator) -> np.ndarray:
        """Corners (rows, columns, 2), on the canvas, of the patch found for each of `features`."""
        found = [bank.search(features, step, rng) for bank in self._banks]
        moved = [c + np.array([top, 0]) for (c, _), top in zip(found, self.tops, strict=True)]
        corners = np.stack(moved)
        if len(found) == 1:
            return corners[0]
        distances = np.stack([distance for _, distance in found])
        taken = allot(distances.reshape(len(found), -1), self._shares)
        return np.take_along_axis(corners, taken.reshape(1, *corners.shape[1:3], 1), axis=0)[0]


def _stacked(style: Blend) -> tuple[np.ndarray, tuple[int, ...]]:
    """The canvas of a blend, and the row at which each part starts."""
    if len(style.parts) == 1:
        return style.parts[0], (0,)
    heights = [part.shape[0] for part in style.parts]
    tops = tuple(int(top) for top in np.cumsum([0, *heights[:-1]]))
    width = max(part.shape[1] for part in style.parts)
    canvas = np.zeros((sum(heights), width, style.parts[0].shape[2]), np.float32)
    for part, top in zip(style.parts, tops, strict=True):
        canvas[top : top + part.shape[0], : part.shape[1]] = part
    return canvas, tops


def allot(distances: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Which of several styles each place takes, so that each style gets its share of the places.

    The least sum of distances among such choices takes the least distance minus a price, one for
    each style: the dual of a transport problem, solved for one price after another.

    Args:
        distances: (styles, places).
        shares: Share of the places of each style, positive, of sum 1.

    Returns:
        (places,), positions of styles.
    """
    prices = np.zeros((len(shares), 1))
    for _ in range(1 if len(shares) == 2 else _PRICE_SWEEPS):
        for k in range(1, len(shares)):  # prices matter up to a constant: the first stays 0
            others = np.delete(distances - prices, k, axis=0).min(axis=0)
            prices[k] = np.quantile(distances[k] - others, shares[k])
    return np.argmin(distances - prices, axis=0)


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
    style: np.ndarray | Blend,
    *,
    config: PatchConfig,
    rng: np.random.Generator,
    on_step: OnStep,
    mask: np.ndarray | None = None,
) -> np.ndarray:
    """The content rebuilt from style patches.

    Args:
        content: Features (height, width, n), float32, of root mean square about 1.
        style: Features (any height, any width, n) of the same network; or several, of each of
            which its share of the patches is taken.
        config: Sizes and rounds.
        rng: Generator of projections and samples.
        on_step: Progress callback, called after every round; the first step and the last of each
            larger scale carry the features so far.
        mask: (height, width), how much each pixel of the content counts in its statistics.

    Returns:
        Features of the content's shape.
    """
    style = Blend.of(style)
    sizes = [part.shape[:2] for part in style.parts]
    # By scale, and there by style: content's size, rounds and mix are the same for all.
    scales = list(zip(*(_scales(content.shape[:2], size, config) for size in sizes), strict=True))
    work = sum(math.prod(scale.size) * scale.rounds for scale, *_ in scales)
    done = 0
    start = _rearranged(content, style, config.diversity, mask)
    on_step(Step("matching patches", 0.0, features=start))
    field, previous = None, None
    tops: tuple[int, ...] = ()
    for scale, *others in scales:
        at_scale = zip(style.parts, (scale, *others), strict=True)
        parts = tuple(resize_features(part, at.style_size) for part, at in at_scale)
        small_style = Blend(parts, style.shares)
        small_content = resize_features(content, scale.size)
        target = _rearranged(small_content, small_style, config.diversity, mask)
        canvas = StyleCanvas(small_style, config, rng)
        if field is None or previous is None:
            current = target
        else:
            # The finds of the coarser scale, taken from the finer style: crisp from the start.
            field = _finer(field, previous, (scale, *others), tops, canvas.tops, config.size)
            current = _assemble(canvas.features, field, config.size, 1, scale.size)
        for _ in range(scale.rounds):
            query = (1 - scale.mix) * current + scale.mix * target
            field = canvas.nearest(_pad(query, config.size, scale.step), scale.step, rng)
            current = _assemble(canvas.features, field, config.size, scale.step, scale.size)
            done += math.prod(scale.size)
            height, width = scale.size
            on_step(Step(f"matching patches at {width}×{height}", done / work))
        if max(scale.size) >= _SHOWN_FROM:
            on_step(Step("matching patches", done / work, features=current))
        previous, tops = (scale, *others), canvas.tops
    return current


def _rearranged(content: np.ndarray, style: Blend, diversity: float, mask) -> np.ndarray:
    """The content with the style's palette, by a mix of two maps between their Gaussians."""
    if mask is not None:
        mask = np.maximum(resize_features(mask[..., None], content.shape[:2]), 0)
    ours, theirs = fit_gaussian(content, mask=mask), style.gaussian()
    transported = fit_map("transport", ours, theirs)(content)
    own = fit_map("knothe", ours, theirs)(content)
    return (1 - np.float32(diversity)) * transported + np.float32(diversity) * own


def _finer(field, coarse, fine, tops, new_tops, size: int) -> np.ndarray:
    """`refine_field` of finds on a canvas: `coarse` and `fine` are the scales of each style."""
    refined = [
        refine_field(field - np.array([top, 0]), a, b, size) + np.array([new_top, 0])
        for top, new_top, a, b in zip(tops, new_tops, coarse, fine, strict=True)
    ]
    if len(refined) == 1:
        return refined[0]
    style = np.searchsorted(tops, field[..., 0], side="right") - 1
    nearest, _ = _places(field.shape, coarse[0], fine[0])
    chosen = style[np.ix_(*nearest)][None, ..., None]
    return np.take_along_axis(np.stack(refined), chosen, axis=0)[0]


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
    nearest, remainder = _places(field.shape, coarse, fine)
    found = field[np.ix_(*nearest)]
    for axis, offset in enumerate((remainder[0][:, None], remainder[1][None, :])):
        ratio = fine.style_size[axis] / coarse.style_size[axis]
        corner = np.rint((found[..., axis] + margin + offset) * ratio).astype(int) - margin
        corners.append(np.clip(corner, 0, fine.style_size[axis] - size))
    return np.stack(corners, axis=-1)


def _places(
    shape: tuple[int, ...], coarse: _Scale, fine: _Scale
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The coarse find nearest to each fine row and column, and how far beside it that lies."""
    nearest: list[np.ndarray] = []
    remainder: list[np.ndarray] = []
    for axis in range(2):
        position = np.arange(fine.size[axis]) * (coarse.size[axis] / fine.size[axis])
        index = np.minimum(np.rint(position / coarse.step).astype(int), shape[axis] - 1)
        nearest.append(index)
        remainder.append(position - index * coarse.step)
    return nearest, remainder


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
