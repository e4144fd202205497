"""Pictures painted with strokes and dots: landscape, night sky, park by the water, still life."""

import numpy as np
from PIL import Image
from scipy import ndimage

from rrstyle.drawings import canvas
from rrstyle.drawings.canvas import Array, Field, Rng, Sheet

UNDERPAINTING = 128  # the side of the flat colours that show between the strokes
# (count, width, length, bristles): from the ground coat to the last accents.
COATS = (700, 0.050, 0.17, 11), (2200, 0.022, 0.085, 6), (5200, 0.0105, 0.045, 3)

LIT_FOLD = 14.0  # turns the drapery's height differences into visible shading
# (lean against the form, darkness from which it is drawn, strokes, width), light tone to dark.
HATCHES = (
    (0.0, 0.16, 7000, 0.0039),
    (0.75, 0.36, 6000, 0.0037),
    (-0.75, 0.54, 5500, 0.0037),
    (1.45, 0.70, 5000, 0.0037),
)


def paint(rng: Rng, side: int, colour: Field, angle: Field) -> Array:
    """Cover a canvas with coats of bristle strokes and light the impasto, (side, side, 3)."""
    ground = colour(canvas.mesh(UNDERPAINTING).reshape(-1, 2))
    under = canvas.picture(ground.reshape(UNDERPAINTING, UNDERPAINTING, 3))
    under = under.resize((side, side), Image.Resampling.BICUBIC)
    under.putalpha(0)  # the ground is bare of paint: height 0
    sheet = Sheet(under)
    for count, width, length, bristles in COATS:
        starts = canvas.scatter(rng, count, margin=0.06)
        lengths = length * rng.uniform(0.7, 1.3, len(starts))
        paths = canvas.trace(angle, starts, lengths)
        # The colour of the middle of a stroke keeps edges of the scene sharper than its start.
        tint = canvas.jitter(rng, colour(paths[:, 3]), 0.045)
        sheet.bristle_strokes(rng, paths, width, tint, bristles)
    layers = sheet.pixels()
    return canvas.relief(layers[..., :3], layers[..., 3], 0.55)


def pick(colours: Array, level: Array) -> Array:
    """One flat colour per point: `level` in [0, 1] chooses along the palette."""
    return colours[np.clip((level * len(colours)).astype(int), 0, len(colours) - 1)]


def brush_strokes(side: int, rng: Rng) -> Image.Image:
    """A fauve landscape in loaded, lit bristle strokes."""
    sky = canvas.palette(rng, "1f4fa8 3f8fd2 7cc4dd f4e3b0 f6b64a")
    far = canvas.palette(rng, "2b2a72 5a3c97 8a55a8 d0679b")
    near = canvas.palette(rng, "0d4a3e 12805a 4aa84e a9c93f")
    field = canvas.palette(rng, "c2331d ef7a1a f9c22e fbe58a 7a9a2c d94f30")
    leaf = canvas.palette(rng, "08302e 0f5a41 238a4c e0b12f")
    sun = np.array([rng.uniform(0.2, 0.8), rng.uniform(0.13, 0.24)])
    vanish = np.array([rng.uniform(0.25, 0.75), rng.uniform(0.48, 0.54)])
    trees = np.stack([rng.uniform(0.03, 0.97, 7), rng.uniform(0.5, 0.68, 7)], -1)
    size = 0.028 + 0.35 * (trees[:, 1] - 0.46)
    swirl, clump, ridge = (canvas.noise(rng, f) for f in (3.0, 7.0, 2.5))

    def crest(points: Array, base: float, height: float, row: float) -> Array:
        return base + height * canvas.profile(ridge, points[:, 0], row)

    def crown(points: Array) -> tuple[Array, Array]:
        away = points[:, None] - trees
        away[..., 1] *= 0.62
        reach = np.linalg.norm(away, axis=-1) / size
        return reach.min(1), away[np.arange(len(points)), reach.argmin(1)].sum(1)

    def colour(points: Array) -> Array:
        y = points[:, 1]
        mood = 0.5 + 0.24 * canvas.sample(clump, points) + rng.normal(0, 0.1, len(points))
        glow = np.linalg.norm(points - sun, axis=1)
        rings = 0.9 - 1.05 * glow**0.6 + 0.3 * y + 0.16 * np.sin(glow * 48) + 0.35 * (mood - 0.5)
        rgb = pick(sky, np.clip(rings, 0, 0.99))
        rgb[glow < 0.055] = canvas.jitter(rng, np.tile(field[3], ((glow < 0.055).sum(), 1)), 0.03)
        behind = y > crest(points, 0.40, 0.055, 0.2)
        rgb[behind] = pick(far, mood + 2.5 * (0.44 - y))[behind]
        before = y > crest(points, 0.49, 0.03, 0.7)
        rgb[before] = pick(near, mood + 2 * (y - 0.5))[before]
        furrow = 0.5 + 0.5 * np.sin(26 * (points[:, 0] - vanish[0]) / (y - vanish[1] + 0.12))
        plough = y > crest(points, 0.57, 0.025, 0.5)
        rgb[plough] = pick(field, 0.75 * furrow + 0.5 * (mood - 0.4))[plough]
        inside, side_lit = crown(points)
        leafy = inside < 1
        rgb[leafy] = pick(leaf, mood - 0.1 - 6 * side_lit)[leafy]
        return rgb

    def angle(points: Array) -> Array:
        offset = points - sun
        sky_turn = np.arctan2(offset[:, 0], -offset[:, 1]) + 0.5 * canvas.sample(swirl, points)
        hill_turn = 0.55 * canvas.sample(swirl, points)
        aim = points - vanish
        field_turn = np.arctan2(aim[:, 1] + 0.05, aim[:, 0])
        y = points[:, 1]
        turn = np.where(y > crest(points, 0.57, 0.025, 0.5), field_turn, hill_turn)
        turn = np.where(y < crest(points, 0.40, 0.055, 0.2), sky_turn, turn)
        return np.where(crown(points)[0] < 1, np.pi / 2 + 1.2 * hill_turn, turn)

    return canvas.picture(paint(rng, side, colour, angle))


def starry_swirls(side: int, rng: Rng) -> Image.Image:
    """A night sky of vortices and haloed stars, in dashes along the flow."""
    sky = canvas.palette(rng, "081037 10246b 1a45a0 2f77c4 62abd8 a9d6d8 dfe9c0")
    halo = canvas.palette(rng, "fff6cf fde27a f7b733 c9d58a 6fb7c9")
    hill = canvas.palette(rng, "050a26 0d2350 17476c 1d6a70 3f8f5f")
    tree = canvas.palette(rng, "03060f 0b1a1f 1f3a22 51401c")
    stars = canvas.scatter(rng, 16, margin=0.0)[:11] * (1, 0.52)
    radius = rng.uniform(0.022, 0.05, 11)
    moon = np.array([rng.choice([0.14, 0.86]) + rng.uniform(-0.03, 0.03), 0.14])
    stars, radius = np.vstack([stars, moon]), np.append(radius, 0.085)
    eyes = np.stack([rng.uniform(0.2, 0.8, 4), rng.uniform(0.2, 0.5, 4)], -1)
    reach = rng.uniform(0.09, 0.17, 4)
    spin = rng.choice([-1.0, 1.0], 4)
    drift, clump, ridge = (canvas.noise(rng, f) for f in (2.0, 9.0, 2.0))
    trunk = 1 - moon[0] + rng.uniform(-0.03, 0.03)
    windows = np.stack([rng.uniform(0.05, 0.95, 16), rng.uniform(0.80, 0.93, 16)], -1)

    def horizon(points: Array) -> Array:
        return 0.72 + 0.05 * canvas.profile(ridge, points[:, 0], 0.5)

    def cypress(points: Array) -> Array:
        rise = np.clip(points[:, 1] - 0.22, 0, 1)
        wave = 0.014 * np.sin(points[:, 1] * 40)
        return (np.abs(points[:, 0] - trunk + wave) < 0.085 * rise**0.75) & (rise > 0)

    def flow(points: Array) -> Array:
        way = np.stack([np.ones(len(points)), 0.5 * canvas.sample(drift, points)], -1)
        centres = np.vstack([eyes, stars])
        pull = np.concatenate([spin * 9.0, np.full(len(stars), 8.0)])
        size = np.concatenate([reach, radius * 1.6])
        away = points[:, None] - centres
        near = np.exp(-((away**2).sum(-1) / size**2)) * pull / size
        turn = np.stack([-away[..., 1], away[..., 0]], -1)
        return way + (near[..., None] * turn).sum(1)

    def colour(points: Array) -> Array:
        mood = canvas.sample(clump, points)
        away = np.linalg.norm(points[:, None] - eyes, axis=-1) / reach
        spiral = (np.cos(away * 7) * np.exp(-(away**2) / 2)).sum(1)
        level = 0.36 + 0.13 * mood + 0.22 * spiral + 0.18 * points[:, 1]
        rgb = pick(sky, level + rng.normal(0, 0.09, len(points)))
        rings = np.linalg.norm(points[:, None] - stars, axis=-1) / radius
        ring = rings.min(1) + rng.normal(0, 0.08, len(points))
        glow = ring < 1.75
        rgb[glow] = pick(halo, ring / 1.8)[glow]
        land = points[:, 1] > horizon(points)
        rgb[land] = pick(hill, 0.45 + 0.25 * mood + 0.5 * (0.8 - points[:, 1]))[land]
        lit = (np.linalg.norm(points[:, None] - windows, axis=-1) < 0.011).any(1)
        rgb[lit] = halo[1]
        dark = cypress(points)
        rgb[dark] = pick(tree, 0.4 + 0.25 * mood + rng.normal(0, 0.15, len(points)))[dark]
        return rgb

    def angle(points: Array) -> Array:
        way = flow(points)
        turn = np.arctan2(way[:, 1], way[:, 0])
        turn = np.where(points[:, 1] > horizon(points), 0.6 * canvas.sample(drift, points), turn)
        return np.where(cypress(points), np.pi / 2 + 0.4 * np.sin(points[:, 1] * 40), turn)

    return canvas.picture(paint(rng, side, colour, angle))


def pointillism(side: int, rng: Rng) -> Image.Image:
    """A park by the water in divided dots of pure colour."""
    sky = canvas.palette(rng, "5f9fd8 9cc9e4 f7e2c0 f9c48f")
    water = canvas.palette(rng, "1d4f91 3c86bf 8cc4d0 f4dca0")
    lawn = canvas.palette(rng, "1c5a3c 4f9a3c a5c63e f2df5a")
    crown = canvas.palette(rng, "12305a 17613f 4c9436 d7c23a f08a2c")
    spark = canvas.palette(rng, "f2542d 7a3fa0 f9a03f 2e5eaa e0447c")
    count = 9
    trees = np.stack([rng.uniform(0, 1, count), rng.uniform(0.22, 0.40, count)], -1)
    trees[: count // 2, 0] = rng.choice([0.08, 0.9]) + rng.normal(0, 0.09, count // 2)
    size = rng.uniform(0.055, 0.12, count)
    sails = np.stack([rng.uniform(0.2, 0.8, 3), rng.uniform(0.50, 0.56, 3)], -1)
    mast = rng.uniform(0.08, 0.15, 3)
    clump, bank, cloud = (canvas.noise(rng, f) for f in (9.0, 2.0, (9.0, 3.0)))

    def scene(points: Array) -> Array:
        x, y = points[:, 0], points[:, 1]
        mood = canvas.sample(clump, points)
        rgb = canvas.ramp(sky, np.clip(y * 2 + 0.16 * canvas.sample(cloud, points), 0, 1))
        mirror = np.where(y > 0.46, 0.92 - y, y)  # the water shows the trees upside down
        spot = np.stack([x + 0.012 * np.sin(y * 160) * (y > 0.46), mirror], -1)
        ripple = 0.45 + 0.18 * mood + 0.35 * np.sin(y * 90 + 3 * mood) * (y - 0.4)
        pool = y > 0.46
        rgb[pool] = canvas.ramp(water, np.clip(ripple, 0, 1))[pool]
        for (cx, cy), r in zip(trees, size, strict=True):
            away = spot - (cx, cy)
            edge = np.hypot(away[:, 0], away[:, 1] * 0.8) / r + 0.16 * mood
            stem = (np.abs(away[:, 0]) < 0.011) & (away[:, 1] > 0) & (spot[:, 1] < 0.46)
            lit = 0.42 - 0.42 * (away[:, 0] + away[:, 1]) / r + 0.12 * mood
            leaves = edge < 1
            rgb[stem] = (0.27, 0.15, 0.25)
            rgb[leaves] = canvas.ramp(crown, np.clip(lit, 0, 1))[leaves]
            rgb[pool & (leaves | stem)] *= (0.72, 0.78, 0.95)
        for (sx, sy), tall in zip(sails, mast, strict=True):
            rise = (sy - y) / tall
            sail = (rise > 0) & (rise < 1) & (x > sx) & (x - sx < 0.5 * tall * (1 - rise))
            rgb[sail] = (0.99, 0.95, 0.86)
            hull = (np.abs(x - sx - 0.02) < 0.045 - 1.5 * (y - sy)) & (y > sy) & (y < sy + 0.018)
            rgb[hull] = spark[0]
        shore = y > 0.78 + 0.06 * canvas.profile(bank, x, 0.3)
        sunny = 0.55 + 0.28 * canvas.sample(cloud, points[:, ::-1]) + 0.6 * (y - 0.85)
        rgb[shore] = canvas.ramp(lawn, np.clip(sunny, 0, 1))[shore]
        return rgb

    sheet = Sheet(Image.new("RGB", (side, side), canvas.ink(sky[2:3] * 0.96)[0]))
    for number, radius in ((5200, 0.0115), (11000, 0.0068), (9000, 0.0045)):
        points = canvas.scatter(rng, number, margin=0.02)
        tint = scene(points)
        # Divided colour: strengthen the hue, and let some dots answer in a contrasting one.
        tint = tint.mean(1, keepdims=True) + 1.35 * (tint - tint.mean(1, keepdims=True))
        answer = rng.uniform(size=len(points)) < 0.09
        tint[answer] = 0.6 * spark[rng.integers(len(spark), size=answer.sum())] + 0.4 * tint[answer]
        tint = canvas.jitter(rng, np.clip(tint, 0, 1), 0.06)
        sheet.discs(points, radius * rng.uniform(0.75, 1.2, len(points)), tint)
    return canvas.picture(sheet.pixels() * canvas.grain(rng, side, 0.025))


def hatching(side: int, rng: Rng) -> Image.Image:
    """A still life of balls on a checked cloth, in coloured washes and hatched inks."""
    paper = canvas.palette(rng, "f6ead0")[0]
    inks = canvas.palette(rng, "d7261e f08a1a 3f9a4c 8e2f8a f3d58a 1d5fa8 d2452b 2b8c93")
    dark = canvas.palette(rng, "161a3a")
    count = 7
    radius = rng.uniform(0.09, 0.19, count)
    foot = rng.permutation(np.linspace(0.66, 0.93, count))
    centres = np.stack(
        [np.linspace(0.1, 0.9, count) + rng.normal(0, 0.03, count), foot - radius], -1
    )
    depth = np.argsort(centres[:, 1] + radius)
    table = rng.uniform(0.52, 0.58)
    light = np.array([-0.55, -0.6, 0.58])
    folds = canvas.noise(rng, (1.5, 7.0))
    slopes = [LIT_FOLD * np.gradient(folds, axis=axis) for axis in (1, 0)]

    def forms(points: Array) -> tuple[Array, Array, Array]:
        """Which form, how dark and in which direction its outline runs, at every point."""
        on_cloth = points[..., 1] < table
        slope = np.stack([canvas.sample(lattice, points) for lattice in slopes], -1)
        drape = np.clip(0.3 + 0.5 * slope @ np.array([0.9, 0.2]), 0.22, 1)
        dim = np.where(on_cloth, drape, 0.2)
        turn = np.where(on_cloth, np.pi / 2 + 0.35 * slope[..., 0], 0.03)
        kind = np.where(
            np.sin(70 * points[..., 0] + 2.2 * canvas.sample(folds, points)) > 0.3, 7, 5
        )
        board = 0.12 + points[..., 1] - table
        checks = np.sin(9 * (points[..., 0] - 0.5) / board) * np.sin(4.2 / board)
        kind = np.where(on_cloth, kind, np.where(checks > 0, 4, 6))
        for i in depth:
            away = (points - centres[i]) / radius[i]
            shade = (away - (0.75, 0.95)) * (0.75, 2.6)
            cast = ((shade**2).sum(-1) < 1) & ~on_cloth
            dim = np.where(cast, 0.85, dim)
            inside = (away**2).sum(-1)
            ball = inside < 1
            facing = away @ light[:2] + np.sqrt(np.clip(1 - inside, 0, 1)) * light[2]
            dim = np.where(ball, 0.9 - 0.95 * facing, dim)
            # Hatching circles the spot that faces the light, as on an engraved globe.
            round_spot = away - 0.6 * light[:2]
            ring = np.arctan2(round_spot[..., 1], round_spot[..., 0]) + np.pi / 2
            turn = np.where(ball, ring, turn)
            kind = np.where(ball, i % 4, kind)
        return kind, np.clip(dim, 0, 1), turn

    kind, dim, _ = forms(canvas.mesh(side))
    bleed = canvas.spread(canvas.noise(rng, 6.0, 4), side)
    load = np.clip(6 * dim, 0.15, 1) * np.clip(0.50 + 0.5 * dim + 0.1 * bleed, 0, 1)
    wash = paper * (1 - load[..., None] * (1 - inks[kind]))
    sheet = Sheet(canvas.picture(wash * canvas.grain(rng, side, 0.03)))
    for lean, threshold, number, width in HATCHES:
        starts = canvas.scatter(rng, number)
        lengths = rng.uniform(0.035, 0.06, len(starts))
        home = forms(starts)[0]

        def along(points: Array, lean: float = lean) -> Array:
            return forms(points)[2] + lean

        paths = canvas.trace(along, starts, lengths, 5)
        kinds, tones, _ = forms(paths)
        tone = tones.mean(1)
        whole = (kinds == home[:, None]).all(1) & (tone > threshold)
        weight = width * (0.55 + 0.9 * (tone - threshold)) * rng.uniform(0.7, 1.3, len(tone))
        colour = 0.35 * inks[home] + 0.65 * dark
        sheet.ribbons(paths[whole], weight[whole], colour[whole])
    edge = np.hypot(*(ndimage.sobel(kind.astype(np.float32), axis=i) for i in (0, 1))) > 0
    pen = 1.6 * side / canvas.REFERENCE
    line = 0.8 * pen * ndimage.gaussian_filter(edge.astype(np.float32), pen)
    return canvas.picture(sheet.pixels() * (1 - np.clip(line, 0, 0.9))[..., None])
