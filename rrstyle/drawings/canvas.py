"""Parts of all drawn pictures: colours, noise, strokes and relief, in unit coordinates.

Positions lie in the unit square (x to the right, y downwards) and random fields live on a lattice
of fixed size, so that a picture has the same composition at every resolution.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from skimage.color import hsv2rgb, rgb2hsv

LATTICE = 512  # fixed: the random numbers drawn must not depend on the picture's side
REFERENCE = 1024  # the side at which pixel-sized effects (relief, bristles) were tuned

Array = NDArray[np.floating]
Mask = NDArray[np.bool_]
Rng = np.random.Generator
Field = Callable[[Array], Array]  # values (count, ...) at points (count, 2)


def palette(rng: Rng, names: str) -> Array:
    """Colours "rrggbb rrggbb" as (count, 3) in [0, 1], hue and saturation moved a little."""
    rgb = np.array([list(bytes.fromhex(name)) for name in names.split()]) / 255.0
    hsv = rgb2hsv(rgb)
    hsv[:, 0] = (hsv[:, 0] + rng.uniform(-0.035, 0.035)) % 1.0
    hsv[:, 1] = np.clip(hsv[:, 1] * rng.uniform(0.92, 1.12), 0, 1)
    return hsv2rgb(hsv)


def jitter(rng: Rng, colours: Array, amount: float) -> Array:
    """Colours (count, 3) with brightness moved by `amount` and each channel by half of it."""
    light = rng.normal(0, amount, (len(colours), 1))
    return np.clip(colours + light + rng.normal(0, amount / 2, colours.shape), 0, 1)


def ink(colours: Array) -> list[tuple[int, ...]]:
    """Colours in [0, 1] as the byte tuples Pillow draws with."""
    return [tuple(row) for row in (np.clip(colours, 0, 1) * 255).round().astype(int).tolist()]


def grid(side: int) -> tuple[Array, Array]:
    """Pixel centres x and y, (1, side) and (side, 1), ready to broadcast."""
    centre = ((np.arange(side) + 0.5) / side).astype(np.float32)
    return centre[None, :], centre[:, None]


def mesh(side: int) -> Array:
    """Pixel centres (side, side, 2), x before y."""
    return np.stack(np.broadcast_arrays(*grid(side)), -1)


def turned(offsets: Array, angle: Array) -> Array:
    """Offsets (..., 2) turned by angles (...) in radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = offsets[..., 0], offsets[..., 1]
    return np.stack([x * cos - y * sin, x * sin + y * cos], -1)


def noise(rng: Rng, frequency: float | tuple[float, float], octaves: int = 1) -> Array:
    """Smooth noise on the lattice, mean 0 and deviation 1, with `frequency` (y, x) blobs a side."""
    total = np.zeros((LATTICE, LATTICE))
    for octave in range(octaves):
        sigma = LATTICE / (np.broadcast_to(frequency, 2) * 2.0**octave) / 2.5
        layer = ndimage.gaussian_filter(
            rng.standard_normal(total.shape, dtype=np.float32), sigma, mode="wrap", truncate=2.5
        )
        total += layer / layer.std() * 0.5**octave
    return ((total - total.mean()) / total.std()).astype(np.float32)


def spread(lattice: Array, side: int) -> Array:
    """A lattice field resampled to (side, side), float32."""
    source = Image.fromarray(np.asarray(lattice, np.float32))
    return np.asarray(source.resize((side, side), Image.Resampling.BICUBIC))


def sample(lattice: Array, points: Array) -> Array:
    """A lattice field at unit points (..., 2), linearly interpolated."""
    where = np.moveaxis(points[..., ::-1], -1, 0) * LATTICE - 0.5
    return ndimage.map_coordinates(lattice, where, order=1, mode="nearest")


def profile(lattice: Array, x: Array, row: float) -> Array:
    """The values of a lattice field along the line y = `row`, at positions x (count,)."""
    return sample(lattice, np.stack([x, np.full(len(x), row)], -1))


def scatter(rng: Rng, count: int, margin: float = 0.03) -> Array:
    """About `count` points (count, 2), one in each cell of a jittered grid, in random order."""
    cells = round(count**0.5)
    index = np.stack(np.meshgrid(np.arange(cells), np.arange(cells)), -1).reshape(-1, 2)
    points = (index + rng.uniform(0, 1, index.shape)) / cells
    return rng.permutation(points) * (1 + 2 * margin) - margin


def trace(angle: Field, starts: Array, lengths: Array, steps: int = 6) -> Array:
    """Paths (count, steps + 1, 2) that follow the direction field through `starts`."""
    path, point = [starts], starts
    for _ in range(steps):
        turn = angle(point)
        point = point + (lengths / steps)[:, None] * np.stack([np.cos(turn), np.sin(turn)], -1)
        path.append(point)
    return np.stack(path, axis=1)


def normals(paths: Array) -> Array:
    """Unit normals of paths (count, steps, 2)."""
    along = np.gradient(paths, axis=1)
    along /= np.linalg.norm(along, axis=-1, keepdims=True) + 1e-9
    return np.stack([-along[..., 1], along[..., 0]], -1)


class Sheet:
    """A picture that is drawn on, in unit coordinates."""

    def __init__(self, image: Image.Image):
        self.image, self.side, self.draw = image, image.width, ImageDraw.Draw(image)

    def pixels(self) -> Array:
        """The channels as float32 in [0, 1]."""
        return pixels(self.image)

    def discs(self, centres: Array, radii: Array | float, colours: Array) -> None:
        """Fill circles: centres (count, 2), radii (count,), colours (count, 3); or one of each."""
        centres = np.atleast_2d(centres)
        reach = np.broadcast_to(radii, len(centres))[:, None]
        boxes = np.concatenate([centres - reach, centres + reach], axis=1) * self.side
        fills = ink(np.broadcast_to(colours, (len(centres), colours.shape[-1])))
        for box, fill in zip(boxes.tolist(), fills, strict=True):
            self.draw.ellipse(box, fill=fill)

    def areas(self, outlines: Array, colours: Array) -> None:
        """Fill polygons (count, corners, 2) with colours (count, channels); or one with one."""
        colours = np.atleast_2d(colours)
        flat = (outlines * self.side).reshape(len(colours), -1).tolist()
        for corners, fill in zip(flat, ink(colours), strict=True):
            self.draw.polygon(corners, fill=fill)

    def ribbons(self, paths: Array, widths: Array, colours: Array) -> None:
        """Fill tapering strokes: paths (count, steps, 2), widths (count,)."""
        taper = np.sin(np.linspace(0.12, np.pi - 0.12, paths.shape[1])) ** 0.6
        half = widths[:, None] * taper / 2
        # Pillow fills the pixels on the outline as well, half a pixel more than asked on each side.
        off = normals(paths) * np.maximum(half - 0.5 / self.side, 0)[..., None]
        self.areas(np.concatenate([paths + off, (paths - off)[:, ::-1]], axis=1), colours)

    def bristle_strokes(
        self, rng: Rng, paths: Array, width: float, colours: Array, bristles: int
    ) -> None:
        """Paint strokes as bundles of bristles; alpha is the paint's height."""
        count, steps = paths.shape[:2]
        off = np.linspace(-1, 1, bristles) + rng.normal(0, 0.12, (count, bristles))
        bulge = np.sin(np.linspace(0.35, np.pi - 0.35, steps)) ** 0.5
        shift = (off[..., None] * bulge)[..., None] * width / 2
        lines = paths[:, None] + normals(paths)[:, None] * shift
        tint = colours[:, None] * (1 + rng.normal(0, 0.09, (count, bristles, 1)))
        height = rng.uniform(0.25, 0.75, (count, bristles, 1)) + 0.2 * (1 - off[..., None] ** 2)
        fills = ink(np.concatenate([tint, height], -1).reshape(-1, 4))
        thick = max(1, round(1.5 * width / bristles * self.side))
        # Ragged ends: each bristle leaves the canvas at its own step.
        ends = 2 * rng.integers(steps - 2, steps + 1, len(fills))
        flat = (lines * self.side).reshape(len(fills), -1).tolist()
        for line, fill, end in zip(flat, fills, ends.tolist(), strict=True):
            self.draw.line(line[:end], fill=fill, width=thick)


def relief(rgb: Array, height: Array, strength: float) -> Array:
    """Light the picture from the upper left over a height field (both at the same side)."""
    side = height.shape[0]
    soft = ndimage.gaussian_filter(height, 0.9 * side / REFERENCE)
    slope = (np.gradient(soft, axis=0) + np.gradient(soft, axis=1)) * (side / REFERENCE)
    return rgb * (1 + np.clip(strength * slope, -0.35, 0.35))[..., None]


def grain(rng: Rng, side: int, amount: float, fibre: float = 1.0) -> Array:
    """A multiplicative paper grain (side, side, 1) around 1; `fibre` > 1 stretches it sideways."""
    return 1 + amount * spread(noise(rng, (200, 200 / fibre)), side)[..., None]


def picture(rgb: Array) -> Image.Image:
    """An RGB image from an array in [0, 1], values outside clipped."""
    return Image.fromarray((np.clip(rgb, 0, 1) * 255).round().astype(np.uint8))


def pixels(image: Image.Image) -> Array:
    """An image's channels as float32 in [0, 1]."""
    return np.asarray(image, np.float32) / 255


def ramp(colours: Array, position: Array) -> Array:
    """Colours interpolated along a ramp at `position` in [0, 1], any shape, giving (..., 3)."""
    at = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(position, at, colours[:, i]) for i in range(3)], -1)
