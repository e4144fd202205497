"""Pictures made of areas and cut lines: waves, woodcut, marbling, mosaic and stained glass."""

import numpy as np
from PIL import Image
from scipy import ndimage, spatial
from skimage import measure

from rrstyle.drawings import canvas
from rrstyle.drawings.canvas import Array, Mask, Rng, Sheet

LEAD = np.array([0.05, 0.05, 0.06])
# By the numbers of `cartoon`'s areas.
TESSERAE = (
    "12326b 1f5da3 5aa6d6 2a74bd",  # sky
    "f2b632 f7d774 e8912a fbe9a6",  # sun
    "d9622b f08a3c c2401f f2b05a",  # rays
    "0f6a73 1b8f8a 49b3a0 0c4f63",  # sea
    "e8efe0 bfe0d8 f6f2dc 9fd0cf",  # crests
    "6d1020 a81f1f e0512f f59a62",  # fish
    "f3e7c9 e2cfa0 fbf5e2 cbb27e",  # border
    "3a1f2b 5a2b33 2a1a2e 74404a",  # dark border
)


def waves(side: int, rng: Rng) -> Image.Image:
    """A colour print of breaking waves with scalloped foam under a red sun."""
    sky = canvas.palette(rng, "e9b872 f6dfae f3e6c8 9fb8b4")
    blue = canvas.palette(rng, "0b1f4b 17407f 2f6fae 7fb2cf d5e5dc")
    foam, red = canvas.palette(rng, "fbf6e6 cf3a24")
    _, y = canvas.grid(side)
    streak = canvas.spread(canvas.noise(rng, (9.0, 1.5)), side)
    sheet = Sheet(canvas.picture(canvas.ramp(sky, np.clip(1.7 * y + 0.07 * streak, 0, 1))))
    sun = np.array([rng.uniform(0.2, 0.8), rng.uniform(0.16, 0.26)])
    sheet.discs(sun, 0.105, red)
    for _ in range(7):
        left, width, top = rng.uniform(-0.1, 0.9), rng.uniform(0.15, 0.4), rng.uniform(0.05, 0.36)
        for step in range(3):
            shift = left + step * rng.uniform(-0.05, 0.09)
            box = np.array([shift, top + 0.013 * step, shift + width, top + 0.013 * step + 0.008])
            fill = canvas.ink(sky[2:3])[0]
            sheet.draw.rounded_rectangle((box * side).tolist(), 0.004 * side, fill)
    peak = np.array([1 - sun[0], 0.34])
    spread = np.array([[-0.24, 0.16], [-0.07, 0.028], [0.0, 0.0], [0.02, 0.0], [0.27, 0.16]])
    sheet.areas(peak + spread, blue[1])
    snow = [[-0.07, 0.028], [0, 0], [0.02, 0], [0.1, 0.045], [0.06, 0.04], [0.04, 0.07]]
    snow += [[0.01, 0.04], [-0.03, 0.06], [-0.04, 0.03]]
    sheet.areas(peak + np.array(snow), foam)
    for layer in range(5):
        near = layer / 4
        length, base = 0.26 + 0.50 * near, 0.46 + 0.72 * near**1.1
        height = (0.06 + 0.36 * near) * rng.uniform(0.9, 1.15)
        phase = rng.uniform(0, 2 * np.pi)
        breaker(rng, sheet, (length, base, height, phase), np.vstack([blue, foam]))
    toward = slice(None, None, rng.choice([-1, 1]))  # the sea runs to the left or to the right
    return canvas.picture(sheet.pixels()[:, toward] * canvas.grain(rng, side, 0.03, 8))


def breaker(
    rng: Rng, sheet: Sheet, shape: tuple[float, float, float, float], colours: Array
) -> None:
    """One train of overhanging waves, with stripes down its body and foam along its crests."""
    length, base, height, phase = shape
    foam, night = colours[-1], colours[0]
    along = np.linspace(-0.4, 1.4, 500)
    swell = ((1 + np.cos(2 * np.pi * along / length + phase)) / 2) ** 1.7
    swell *= 0.85 + 0.25 * np.sin(along * 5 + phase)

    def crest(low: float) -> Array:
        rise = height * swell * max(1 - low, 0) ** 1.4
        lean = 1.25 * height * (swell * (1 - 0.6 * low)) ** 2.2
        return np.stack([along + lean, base + height * low - rise], -1)

    def body(low: float, colour: Array) -> None:
        sheet.areas(np.vstack([crest(low), [[1.4, 1.4], [-0.4, 1.4]]]), colour)

    body(0, night)
    # Stripes alternate dark and light and thicken downwards, like the cut lines of a print.
    for low, upper, lower in zip(np.linspace(0.05, 1.0, 9), "423121310", "110202101", strict=True):
        body(low, colours[int(upper)])
        body(low + 0.075, colours[int(lower)])
    edge = crest(0)
    tip = np.flatnonzero(swell > 0.5)
    chosen = rng.choice(tip, 190)
    level = rng.beta(0.8, 2.5, len(chosen)) * swell[chosen]
    slide = np.stack([rng.normal(0.02, 0.05, len(level)), level * 0.4], -1) * height
    spots = edge[chosen] + slide
    size = height * (0.022 + 0.05 * rng.uniform(size=len(spots)) ** 2) + 0.003
    for grow, colour in ((1.3, night), (1.0, foam)):
        sheet.discs(spots, grow * size, colour)
    for spot, radius in zip(spots[::2], size[::2], strict=True):
        box = np.concatenate([spot - 0.6 * radius, spot + 0.6 * radius]) * sheet.side
        fill, width = canvas.ink(colours[2:3])[0], max(1, round(0.003 * sheet.side))
        sheet.draw.arc(box.tolist(), 20, 200, fill=fill, width=width)
    spray = edge[rng.choice(tip, 50)] + rng.normal(0, 0.22, (50, 2)) * height - [0, 0.22 * height]
    sheet.discs(spray, rng.uniform(0.0015, 0.005, 50), foam)


def woodcut(side: int, rng: Rng) -> Image.Image:
    """A woodcut of a rayed sun, mountains, a lake and firs, black over flat colours."""
    inks = canvas.palette(rng, "f5e6c3 f0a531 d2452b 2f7f86 7d8f3a 17130f")
    cream, amber, red, teal, moss, black = inks
    x, y = canvas.grid(side)
    wobble = canvas.spread(canvas.noise(rng, 14.0, 2), side)
    slant = canvas.spread(canvas.noise(rng, 5.0, 3), side)
    sun = np.array([rng.uniform(0.3, 0.7), rng.uniform(0.24, 0.32)], np.float32)
    far = np.hypot(x - sun[0], y - sun[1])
    turn = np.arctan2(y - sun[1], x - sun[0])

    def cut(phase: Array, tone: Array) -> Mask:
        """Ink where a wavy saw of lines is below the tone: dark areas get thick black lines."""
        return (np.sin(phase + 0.7 * wobble) * 0.5 + 0.5) < tone

    rays = np.round(rng.uniform(26, 38))
    colour = np.where((np.sin(turn * rays / 2 + 0.4) > 0)[..., None], cream, amber)
    drawn = cut(turn * rays * 3, 0.15 + 0.75 * np.clip(far * 1.15 - 0.1, 0, 1) ** 1.3)
    ring = np.abs(far - 0.125) < 0.008
    colour = np.where((far < 0.12)[..., None], red, colour)
    drawn = np.where(far < 0.13, cut(far * 330, 0.16 + 1.2 * (far - 0.03)) | ring, drawn)
    for base, tall, hue, pitch in ((0.52, 0.20, teal, 230), (0.60, 0.15, moss, 190)):
        tops = np.sort(rng.uniform(-0.1, 1.1, 6))
        rise = tall * rng.uniform(0.45, 1.0, 6)
        heights = base - rise[:, None] + 1.15 * np.abs(x[0] - tops[:, None])
        roof = heights.min(0)[None, :] + 0.012 * slant
        ledge = tops[heights.argmin(0)][None, :]
        sunny = ((x - ledge) * np.sign(sun[0] - ledge) + 0.022 * slant) > 0
        inside = y > np.minimum(roof, base + 0.03)
        snow = inside & (y < roof + 0.035 + 0.02 * wobble) & (roof < base - 0.06)
        lines = cut((y + np.where(sunny, 0.8, -0.8) * x) * pitch, np.where(sunny, 0.2, 0.72))
        colour = np.where(inside[..., None], np.where(snow[..., None], cream, hue), colour)
        drawn = np.where(inside, lines & ~(snow & sunny), drawn)
        drawn = drawn | (np.abs(y - roof) < 0.004)
    shore = 0.66 + 0.01 * slant
    lake = y > shore
    glitter = np.exp(-(((x - sun[0]) / (0.08 + 0.25 * (y - 0.6))) ** 2))
    depth = np.clip((y - 0.64) / 0.36, 0.02, 1)
    colour = np.where(lake[..., None], teal + glitter[..., None] * (amber - teal), colour)
    ripple = cut(160 * np.sqrt(depth) + 1.2 * slant, 0.62 - 0.5 * glitter + 0.1 * wobble)
    drawn = np.where(lake, ripple, drawn)
    # The colour block is printed a little off the key block, as by hand.
    shift = (round(0.003 * side), round(-0.004 * side))
    sheet = Sheet(canvas.picture(np.where(drawn[..., None], black, np.roll(colour, shift, (0, 1)))))
    for place in rng.permutation(np.concatenate([np.linspace(0, 0.3, 5), np.linspace(0.72, 1, 5)])):
        fir(rng, sheet, np.array([place, rng.uniform(0.86, 1.04)]), np.stack([black, moss]))
    worn = canvas.spread(canvas.noise(rng, 60.0, 2), side)[..., None]
    inked = sheet.pixels()
    return canvas.picture(np.where(worn > 2.3, 0.5 * (inked + cream), inked * (1 + 0.02 * worn)))


def fir(rng: Rng, sheet: Sheet, foot: Array, colours: Array) -> None:
    """A black fir standing on `foot`, its branches opened by light cuts."""
    tall = rng.uniform(0.3, 0.48)
    levels = 11
    trunk = foot + np.array([[-0.008, 0], [0.008, 0], [0, -tall]])
    sheet.areas(trunk, colours[0])
    for level in range(levels):
        low = foot - [0, tall * (0.1 + 0.8 * level / levels)]
        half = 0.3 * tall * (1 - level / levels) * rng.uniform(0.8, 1.15)
        drop = 0.1 * tall
        wing = [[-half, 0.35 * drop], [0, -drop], [half, 0.35 * drop], [0.4 * half, 0.1 * drop]]
        wing += [[0, 0.3 * drop], [-0.4 * half, 0]]
        sheet.areas(low + np.array(wing), colours[0])
        for reach in np.linspace(-0.75, 0.75, 5):
            cut = low + np.array([[0.25, -0.35], [0.85, 0.1]]) * [half * reach, drop]
            sheet.ribbons(cut[None], np.full(1, 0.0045), colours[1:2])


def marbling(side: int, rng: Rng) -> Image.Image:
    """Marbled paper: ink drops combed both ways, then swirled."""
    inks = canvas.palette(rng, "14213d b5172f f4ead2 eba51c 177e89 f4ead2 5b2a6e 0b4f6c")
    sheet = Sheet(Image.new("RGB", (side, side), canvas.ink(inks[:1])[0]))
    places = canvas.scatter(rng, 200, margin=0.05)
    radii = rng.uniform(0.025, 0.075, len(places))
    for share in (1.0, 0.78, 0.5, 0.26):
        chosen = [rng.integers(len(inks)) for _ in places]
        sheet.discs(places, share * radii, inks[chosen])
    # The bath is looked up where each point of the paper came from: last movement undone first.
    paper = canvas.mesh(side)
    for _ in range(4):
        centre, strength = rng.uniform(0.12, 0.88, 2), rng.choice([-1, 1]) * rng.uniform(2.0, 3.8)
        paper = swirl(paper, centre.astype(np.float32), strength, rng.uniform(0.10, 0.17))
    axis = int(rng.integers(2))
    for way, spacing, pull, sharp in ((axis, 0.042, 0.06, 0.012), (1 - axis, 0.21, 0.2, 0.06)):
        comb(paper, way, spacing, pull, sharp, rng.uniform(0, 1))
    folded = 1 - np.abs(1 - paper % 2)  # the bath mirrored beyond its edges
    column, row = np.moveaxis(np.minimum((folded * side).astype(np.intp), side - 1), -1, 0)
    cloud = canvas.spread(canvas.noise(rng, 12.0, 3), side)[..., None]
    inked = sheet.pixels()[row, column] * (1 + 0.05 * cloud)
    return canvas.picture(inked * canvas.grain(rng, side, 0.03))


def swirl(points: Array, centre: Array, strength: float, reach: float) -> Array:
    """Points turned about a centre by an angle that fades with distance."""
    away = points - centre
    angle = strength * np.exp(-(away**2).sum(-1) / reach**2)
    return centre + canvas.turned(away, angle)


def comb(points: Array, axis: int, spacing: float, pull: float, sharp: float, phase: float) -> None:
    """Draw a comb along `axis`, in place; neighbouring teeth pull in opposite directions."""
    across = points[..., 1 - axis] / spacing + phase
    tooth = np.abs((across % 1) - 0.5) * spacing
    sign = np.where(np.floor(across) % 2 == 0, 1.0, -1.0)
    # Subtracting the value half-way makes the pull continuous from one tooth to the next.
    fade = sharp / (sharp + tooth) - sharp / (sharp + spacing / 2)
    points[..., axis] += sign * pull * fade


def mosaic(side: int, rng: Rng) -> Image.Image:
    """A floor mosaic of a sun over a sea with fish, tesserae in courses."""
    hues = [canvas.palette(rng, row) for row in TESSERAE]
    labels = cartoon(rng)
    tile = 0.0165
    placed = [tesserae(labels == kind, tile) for kind in range(len(hues))]
    sheet = Sheet(Image.new("RGBA", (side, side), (84, 74, 66, 0)))
    fill = canvas.scatter(rng, 6400)
    at = np.clip((fill * canvas.LATTICE).astype(int), 0, canvas.LATTICE - 1)
    loose = labels[at[:, 1], at[:, 0]]
    for kind, (rows, turns, level) in enumerate(placed):
        mask = loose == kind
        centres = np.vstack([fill[mask], rows])
        spin = np.concatenate([rng.uniform(0, np.pi, mask.sum()), turns])
        size = np.append(np.full(mask.sum(), 0.62 * tile), np.full(len(rows), tile))
        # Rows darken and lighten by turns so that the courses stay legible.
        tint = hues[kind][rng.integers(0, 4, len(centres))]
        tint[mask.sum() :] = hues[kind][(level + rng.integers(0, 2, len(level))) % 4]
        tint = canvas.jitter(rng, tint, 0.05)
        height = rng.uniform(0.6, 1.0, (len(centres), 1))
        corner = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.44
        corner = corner + rng.normal(0, 0.035, (len(centres), 4, 2))
        turned = canvas.turned(corner, spin[:, None])
        quads = centres[:, None] + turned * size[:, None, None]
        sheet.areas(quads, np.hstack([tint, height]))
    layers = sheet.pixels()
    rough = canvas.grain(rng, side, 0.05)
    return canvas.picture(canvas.relief(layers[..., :3] * rough, layers[..., 3], 0.5))


def cartoon(rng: Rng) -> Array:
    """The mosaic's areas by number on the lattice: sky, sun, rays, sea, crests, fish, borders."""
    x, y = canvas.grid(canvas.LATTICE)
    level, size = rng.uniform(0.52, 0.66), rng.uniform(0.8, 1.15)
    sun = np.array([rng.uniform(0.34, 0.66), 0.1 + 0.42 * level])
    far, turn = np.hypot(x - sun[0], y - sun[1]) / size, np.arctan2(y - sun[1], x - sun[0])
    rays = rng.integers(12, 19)
    flame = 0.165 + 0.07 * np.sin(rays * turn + 3.5 * far / 0.25)
    areas = np.where(far < np.maximum(flame, 0.15), 2, 0)
    areas = np.where(far < 0.13, 1, areas)
    start = rng.uniform(0, 6)
    for number, base in enumerate(np.linspace(level, 0.9, 4)):
        line = base + 0.022 * np.sin(x * (17 - number) + start + 2.1 * number)
        areas = np.where(y > line, 4, areas)
        areas = np.where(y > line + 0.032, 3, areas)
    for row in np.linspace(level, 0.9, 4)[:3] + 0.08:
        cx, way = rng.uniform(0.3, 0.7), rng.choice([-1, 1])
        along, up = way * (x - cx), y - row
        back = (along / 0.105) ** 2 + (up / 0.043) ** 2 < 1
        tail = (along < -0.08) & (along > -0.155) & (np.abs(up) < -0.65 * (along + 0.065))
        areas = np.where(back | tail, 5, areas)
        areas = np.where(np.hypot(along - 0.06, up + 0.008) < 0.011, 6, areas)
    margin = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    run = np.where(np.abs(x - 0.5) > np.abs(y - 0.5), y, x)
    areas = np.where(margin < 0.098 + 0.013 * np.cos(2 * np.pi * 8 * run), 6, areas)
    areas = np.where(margin < 0.072 + 0.013 * np.cos(2 * np.pi * 8 * run), 7, areas)
    return np.where(margin < 0.034, 2, areas)


def tesserae(area: Array, tile: float) -> tuple[Array, Array, Array]:
    """Centres, directions and row numbers of tiles laid in courses along an area's outline."""
    inward = ndimage.gaussian_filter(ndimage.distance_transform_edt(area), 0.8) / len(area)
    centres, turns, rows = [], [], []
    for row in range(int(inward.max() / tile) + 1):
        for course in measure.find_contours(inward, (row + 0.5) * tile):
            steps = np.linalg.norm(np.diff(course, axis=0), axis=1) / len(area)
            run = np.append(0, np.cumsum(steps))
            count = round(run[-1] / tile)
            if count < 1:
                continue
            at = (np.arange(count) + 0.5) * run[-1] / count
            ahead, behind, spot = (
                np.stack([np.interp(at + d, run, course[:, axis]) for axis in (1, 0)], -1)
                for d in (0.4 * tile, -0.4 * tile, 0.0)
            )
            way = ahead - behind
            centres.append((spot + 0.5) / len(area))
            turns.append(np.arctan2(way[:, 1], way[:, 0]))
            rows.append(np.full(count, row))
    return np.concatenate(centres), np.concatenate(turns), np.concatenate(rows)


def stained_glass(side: int, rng: Rng) -> Image.Image:
    """A rose window of jewel-coloured panes in lead."""
    glass = canvas.palette(rng, "c1121f 0b3fae f2a31b 0e7a4b 6a1fa0 1390c9 f6d55a e2571e f4ecd6")
    fold = int(rng.choice([10, 12, 14, 16]))
    seeds, hues = [np.array([[0.5, 0.5]])], [np.array([2])]
    jewelled = [np.array([True])]
    reaches: list[float] = []
    radius, order = 0.0, rng.permutation(len(glass))
    plain = rng.permutation([True, False, False, True, False, False])
    for ring, gap in enumerate(rng.permutation([0.04, 0.05, 0.055, 0.075, 0.09, 0.045])):
        radius += gap + 0.012
        reaches.append(radius + 0.006)
        count = fold * (1 if ring < 2 else 2)
        turn = 2 * np.pi * (np.arange(count) + 0.5 * (ring % 2)) / count
        seeds.append(0.5 + radius * np.stack([np.cos(turn), np.sin(turn)], -1))
        hues.append(order[(ring + 3 * (np.arange(count) % 2)) % len(glass)])
        jewelled.append(np.full(count, not plain[ring]))
    outer = canvas.scatter(rng, 330, margin=0.15)
    outer = outer[np.linalg.norm(outer - 0.5, axis=1) > radius + 0.045]
    seeds.append(outer)
    hues.append(rng.choice([1, 5, 4, 3, 1], len(outer)))
    jewelled.append(np.zeros(len(outer), bool))
    points, hue, jewels = (np.concatenate(part) for part in (seeds, hues, jewelled))
    cells = spatial.Voronoi(np.vstack([points, [[-4, -4], [5, -4], [5, 5], [-4, 5]]]))
    lead = canvas.ink(np.append(LEAD, 1.0)[None])[0]
    sheet = Sheet(Image.new("RGBA", (side, side), lead))
    inner = rng.integers(0, len(glass), len(glass))
    for number in range(len(points)):
        corners = cells.vertices[cells.regions[cells.point_region[number]]]
        middle = corners.mean(0)
        pane(sheet, corners, 0.0035, canvas.jitter(rng, glass[hue[number]][None], 0.05)[0])
        if jewels[number]:
            jewel = middle + 0.52 * (corners - middle)
            pane(sheet, jewel, -0.0025, LEAD)
            pane(sheet, jewel, 0.0015, glass[inner[hue[number]]])
    for reach, width in ((radius + 0.042, 0.018), (reaches[1] + 0.03, 0.011)):
        box = (np.array([0.5 - reach, 0.5 - reach, 0.5 + reach, 0.5 + reach]) * side).tolist()
        sheet.draw.ellipse(box, outline=lead, width=round(width * side))
    layers = sheet.pixels()
    came = layers[..., 3]
    streak = canvas.spread(canvas.noise(rng, (5.0, 30.0), 3), side)
    rim = ndimage.gaussian_filter(came, 0.007 * side, truncate=2)
    light = 1.22 + 0.14 * streak - 0.75 * rim
    lit = layers[..., :3] * np.where(came > 0.5, 1.0, light)[..., None]
    small = canvas.picture(lit).resize((256, 256), Image.Resampling.BOX)
    glow = ndimage.gaussian_filter(canvas.pixels(small), (5, 5, 0))
    halo = canvas.pixels(canvas.picture(glow).resize((side, side), Image.Resampling.BICUBIC))
    return canvas.picture(canvas.relief(1 - (1 - lit) * (1 - 0.3 * halo), came, 0.8))


def pane(sheet: Sheet, corners: Array, inset: float, colour: Array) -> None:
    """A pane of glass (height 0), drawn in by `inset` from its outline."""
    middle = corners.mean(0)
    away = corners - middle
    reach = np.linalg.norm(away, axis=1, keepdims=True) + 1e-9
    outline = middle + away * np.maximum(1 - inset * 1.3 / reach, 0.1)
    height = 1.0 if inset < 0 else 0.0
    sheet.areas(outline, np.append(colour, height))
