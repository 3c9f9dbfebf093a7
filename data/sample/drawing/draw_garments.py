"""Garments seen from the front or the side, 28 x 28, gray on black, in the classes and order of Fashion-MNIST."""

import numpy as np
from draw_tools import Canvas, both, either, mirrored, soft_noise, without
from numpy.random import Generator
from PIL import Image

NAMES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
SCALE = 6
MIDDLE = 13.5


class Cloth(Canvas):
    """A canvas for cloth: every piece gets darker towards its edge, folds, and perhaps a print."""

    def __init__(self, rng: Generator) -> None:
        super().__init__(28, SCALE, "L")
        self.rng = rng
        self.folds = soft_noise(rng, self.big, (4, 3))

    def piece(self, mask: Image.Image, tone: float, relief: float = 0.35, pattern: np.ndarray | float = 1.0) -> None:
        """Lay one piece of cloth of a mean gray `tone` (0..1)."""
        inner = np.asarray(self.blurred(mask, 1.1), np.float32) / 255
        light = 1 - relief * 2 * np.clip(1 - inner, 0, 0.5) + 0.045 * self.folds
        gray = np.clip(255 * tone * light * pattern, 12, 255).astype(np.uint8)
        self.lay(mask, Image.fromarray(gray))

    def seam(self, points, tone: float, width: float = 0.5, alpha: float = 0.8) -> None:
        """A thin line on top: a seam, a zip, a lace."""
        self.lay(self.stroke(points, width), int(255 * np.clip(tone, 0, 1)), alpha)


def garment(rng: Generator, label: int) -> np.ndarray:
    """One garment, uint8 (28, 28)."""
    cloth = Cloth(rng)
    DRAWERS[label](cloth, rng)
    # Sixty-four grays are enough for the eye, and pack much better than 256.
    return (cloth.finished() // 4 * 4).astype(np.uint8)


def some_tone(rng: Generator) -> float:
    """A cloth's gray: anything from charcoal to white, more often light, as in the catalogue pictures."""
    return float(rng.beta(1.7, 1.1) * 0.74 + 0.2)


def pattern_of(rng: Generator, size: int, plain: float = 0.55) -> np.ndarray | float:
    """A factor for the cloth's gray, (size, size) or 1.0: plain, stripes, checks, two tones, or a soft print."""
    if rng.random() < plain:
        return 1.0
    y, x = np.indices((size, size)) / SCALE
    period, contrast = rng.uniform(2.6, 6.0), rng.uniform(0.25, 0.6)
    across = np.sin(2 * np.pi * y / period + rng.uniform(0, 6)) > rng.uniform(-0.3, 0.5)
    along = np.sin(2 * np.pi * x / period + rng.uniform(0, 6)) > rng.uniform(-0.2, 0.5)
    kind = rng.integers(5)
    if kind == 0:
        return 1 - contrast * across
    if kind == 1:
        return 1 - contrast * along
    if kind == 2:
        return 1 - contrast * (0.5 * across + 0.5 * along)
    if kind == 3:
        return np.where(y < rng.uniform(9, 16), 1.0, 1 - contrast)
    return 1 - contrast * (soft_noise(rng, size, 7) > 0.4)


def top_outline(rng: Generator, top: float, bottom: float, chest: float, hem: float, neck: float, dip: float):
    """The body of an upper garment: the right half, from the neck's lowest point down to the hem's middle."""
    shoulder = chest + rng.uniform(0.3, 1.2)
    return [
        (0, top + dip), (neck * 0.7, top + dip * 0.65), (neck, top), (shoulder, top + 2.0), (chest, top + 7.5),
        (chest - 0.4, (top + bottom) / 2 + 2), (hem, bottom - 0.8), (hem * 0.85, bottom), (0, bottom),
    ]


def sleeves(cloth: Cloth, top: float, chest: float, end: tuple[float, float], width: tuple[float, float]):
    """The mask of both sleeves, each from the shoulder to the end point, narrowing from width[0] to width[1]."""
    parts = []
    for side in (-1, 1):
        start = (MIDDLE + side * (chest - 0.6), top + 3.4)
        bend = (MIDDLE + side * (chest + (end[0] - chest) * 0.62), top + 3.4 + (end[1] - top - 3.4) * 0.45)
        last = (MIDDLE + side * end[0] + cloth.rng.normal(0, 0.25), end[1] + cloth.rng.normal(0, 0.3))
        parts.append(cloth.stroke([start, bend, last], np.array(width)))
        flat = (last[0] - 4, last[1] + width[1] * 0.1, last[0] + 4, last[1] + 5)
        parts[-1] = without(parts[-1], cloth.box(*flat))
    return either(*parts)


def tshirt(cloth: Cloth, rng: Generator) -> None:
    top, bottom, chest = rng.uniform(1.5, 3), rng.uniform(24.5, 26.8), rng.uniform(6.0, 7.8)
    neck, dip = rng.uniform(2.8, 4.6), rng.uniform(1.2, 4.0)
    body = cloth.poly(mirrored(top_outline(rng, top, bottom, chest, chest + rng.uniform(-0.6, 0.8), neck, dip), MIDDLE))
    tone, pattern = some_tone(rng), pattern_of(rng, cloth.big)
    if rng.random() < 0.9:
        end = (chest + rng.uniform(2.4, 4.6), top + rng.uniform(6.5, 10.5))
        cloth.piece(sleeves(cloth, top, chest, end, (5.2, rng.uniform(3.6, 4.8))), tone * rng.uniform(0.8, 1), 0.4,
            pattern)
    cloth.piece(body, tone, 0.32, pattern)
    collar = [(MIDDLE - neck, top + 0.2), (MIDDLE, top + dip + 0.9), (MIDDLE + neck, top + 0.2)]
    cloth.seam(collar, tone * rng.choice([0.62, 0.8, 1.25]), 0.8)
    if isinstance(pattern, float) and rng.random() < 0.5:  # a print on the chest
        x, y, r = MIDDLE + rng.normal(0, 0.5), rng.uniform(10.5, 14), rng.uniform(1.8, 3.6)
        shape = cloth.oval(x, y, r, r * rng.uniform(0.5, 1.1)) if rng.random() < 0.6 else cloth.box(x - r, y - 1.4,
            x + r, y + 1.4)
        cloth.lay(shape, int(255 * (tone - 0.4 if tone > 0.5 else tone + 0.4)), 0.8)


def trouser(cloth: Cloth, rng: Generator) -> None:
    top, bottom = rng.uniform(0.5, 1.5), rng.uniform(25.8, 27.5)
    waist, hip, gap = rng.uniform(3.6, 4.8), rng.uniform(4.6, 6.0), rng.uniform(0.2, 1.2)
    ankle, spread = rng.uniform(1.9, 3.2), rng.uniform(-0.6, 1.4)
    crotch, knee = rng.uniform(8.5, 11.0), rng.uniform(0.88, 1.0)
    tone, pattern = some_tone(rng), pattern_of(rng, cloth.big, 0.8)
    for side in (-1, 1):
        outer = gap + spread + 2 * ankle
        leg = [
            (0, top), (0, top), (waist, top), (waist, top), (hip, top + 5), (hip * knee, crotch + 5),
            (outer, bottom), (outer, bottom), (gap + spread, bottom), (gap + spread, bottom),
            (gap * 0.5, crotch + 5), (0, crotch),
        ]
        mask = cloth.poly([(MIDDLE + side * x, y) for x, y in leg], smooth=False)
        cloth.piece(mask, tone * (1 if side < 0 else 0.93), 0.4, pattern)
    cloth.seam([(MIDDLE - waist, top + 1.1), (MIDDLE + waist, top + 1.1)], tone * 0.65, 0.5)
    cloth.seam([(MIDDLE, top + 1.2), (MIDDLE, crotch)], tone * 0.6, 0.5)
    if rng.random() < 0.5:
        for side in (-1, 1):
            cloth.seam([(MIDDLE + side * (waist - 1.2), top + 1.6), (MIDDLE + side * hip, top + 4.2)], tone * 0.6, 0.45)


def long_sleeved(cloth: Cloth, rng: Generator, body: tuple[float, float, float], tone: float, pattern) -> float:
    """The body (top, bottom, chest) and hanging sleeves of pullover, coat and shirt; gives where the sleeves end."""
    top, bottom, chest = body
    end = (chest + rng.uniform(2.6, 4.2), min(bottom - rng.uniform(-0.5, 3.0), 26.5))
    arms = sleeves(cloth, top, chest, end, (rng.uniform(4.2, 5.0), rng.uniform(2.5, 3.4)))
    neck, dip = rng.uniform(2.4, 3.8), rng.uniform(0.8, 2.2)
    outline = top_outline(rng, top, bottom, chest, chest + rng.uniform(-0.6, 0.7), neck, dip)
    trunk = cloth.poly(mirrored(outline, MIDDLE))
    cloth.piece(arms, tone * rng.uniform(0.82, 0.96), 0.5, pattern)
    cloth.lay(cloth.blurred(without(cloth.shifted(trunk, 0, 0.6), trunk), 0.3), 0, 0.4)
    cloth.piece(trunk, tone, 0.42, pattern)
    return end[1]


def pullover(cloth: Cloth, rng: Generator) -> None:
    top, bottom, chest = rng.uniform(1.5, 3.5), rng.uniform(23.5, 26.5), rng.uniform(5.8, 7.4)
    tone, pattern = some_tone(rng), pattern_of(rng, cloth.big, 0.6)
    cuffs = long_sleeved(cloth, rng, (top, bottom, chest), tone, pattern)
    dark = tone * rng.uniform(0.55, 0.8)
    cloth.seam([(MIDDLE - chest, bottom - 1.6), (MIDDLE + chest, bottom - 1.6)], dark, 0.6)
    for side in (-1, 1):
        x = MIDDLE + side * (chest + 3.2)
        cloth.seam([(x - 1.4, cuffs - 2), (x + 1.4, cuffs - 2)], dark, 0.5, 0.6)
    collar = cloth.oval(MIDDLE, top + 0.7, rng.uniform(2.4, 3.4), rng.uniform(1.0, 1.7))
    cloth.lay(collar, int(255 * dark))
    cloth.lay(cloth.oval(MIDDLE, top + 0.4, 2.0, 0.8), int(255 * dark * 0.45))
    if rng.random() < 0.3:  # a roll collar or hood
        cloth.piece(cloth.box(MIDDLE - 2.8, top - 1.3, MIDDLE + 2.8, top + 1.4, 1.0), tone * 0.85, 0.4)


def dress(cloth: Cloth, rng: Generator) -> None:
    top, bottom = rng.uniform(0.3, 1.2), rng.uniform(25.5, 27.7)
    chest, waist, hem = rng.uniform(3.0, 4.2), rng.uniform(2.3, 3.4), rng.uniform(3.4, 8.5)
    at = rng.uniform(9.5, 12.5)
    strap, dip = rng.uniform(1.8, 2.8), rng.uniform(1.5, 4.0)
    tone, pattern = some_tone(rng), pattern_of(rng, cloth.big, 0.6)
    if rng.random() < 0.45:
        long = rng.random() < 0.35
        end = (chest + (rng.uniform(2.2, 3.2) if long else 1.8),
            top + (rng.uniform(13, 17) if long else rng.uniform(5.5, 8)))
        cloth.piece(sleeves(cloth, top - 1, chest, end, (2.8, 2.0)), tone * 0.85, 0.4, pattern)
    half = [
        (0, top + dip), (strap * 0.6, top + dip * 0.8), (strap, top), (strap + 1.1, top + 0.1), (chest, top + 4),
        (waist, at), (waist + (hem - waist) * 0.42, (at + bottom) / 2), (hem, bottom - 0.5), (hem * 0.6, bottom), (0,
            bottom),
    ]
    cloth.piece(cloth.poly(mirrored(half, MIDDLE)), tone, 0.38, pattern)
    if rng.random() < 0.55:
        cloth.seam([(MIDDLE - waist, at), (MIDDLE + waist, at)], tone * rng.choice([0.5, 1.3]), rng.uniform(0.5, 1.1))
    if hem > 5:  # the folds of a wide skirt
        for share in (-0.55, -0.15, 0.25, 0.6):
            cloth.seam([(MIDDLE + share * waist, at + 1), (MIDDLE + share * hem, bottom - 0.6)], tone * 0.72, 0.45, 0.6)


def coat(cloth: Cloth, rng: Generator) -> None:
    top, bottom, chest = rng.uniform(0.8, 2.0), rng.uniform(26.0, 27.6), rng.uniform(5.8, 7.4)
    tone = some_tone(rng) * 0.85
    long_sleeved(cloth, rng, (top, bottom, chest), tone, pattern_of(rng, cloth.big, 0.9))
    deep = top + rng.uniform(6, 11)
    for side in (-1, 1):  # lapels
        lapel = [(0, deep), (side * 3.2, top + 0.2), (side * 4.3, top + 2.2), (side * 3.4, top + 4.5)]
        cloth.piece(cloth.poly([(MIDDLE + x, y) for x, y in lapel], smooth=False), min(tone * 1.22, 1), 0.3)
        cloth.seam([(MIDDLE, deep), (MIDDLE + side * 3.4, top + 4.4), (MIDDLE + side * 4.2, top + 2.2)], tone * 0.5,
            0.4)
    inside = [(-2.4, top + 0.2), (2.4, top + 0.2), (0, deep - 1)]
    cloth.lay(cloth.poly([(MIDDLE + x, y) for x, y in inside], smooth=False), int(rng.choice([20, 60, 190])))
    cloth.seam([(MIDDLE, deep), (MIDDLE + 0.2, bottom)], tone * 0.3, 0.75, 0.95)
    for y in np.arange(deep + 1, bottom - 5, rng.uniform(2.8, 4.0)):
        cloth.lay(cloth.oval(MIDDLE + 1.4, y, 0.55, 0.55), int(255 * (tone * 0.4 if tone > 0.45 else tone + 0.4)))
    if rng.random() < 0.6:  # pockets
        for side in (-1, 1):
            x, y = MIDDLE + side * chest * 0.55, bottom - rng.uniform(7, 8)
            cloth.seam([(x - 1.4, y), (x + 1.4, y + 0.4)], tone * 0.45, 0.6)
    if rng.random() < 0.3:  # a belt
        cloth.piece(cloth.box(MIDDLE - chest, 15, MIDDLE + chest, 16.6), tone * 0.6, 0.2)


def shirt(cloth: Cloth, rng: Generator) -> None:
    top, bottom, chest = rng.uniform(1.6, 3.0), rng.uniform(24.8, 27.0), rng.uniform(5.8, 7.2)
    tone, pattern = some_tone(rng), pattern_of(rng, cloth.big, 0.4)
    if rng.random() < 0.7:
        long_sleeved(cloth, rng, (top, bottom, chest), tone, pattern)
    else:
        end = (chest + rng.uniform(2.6, 3.8), top + rng.uniform(7.5, 10))
        cloth.piece(sleeves(cloth, top, chest, end, (5.0, 4.2)), tone * 0.88, 0.4, pattern)
        half = top_outline(rng, top, bottom, chest, chest + 0.2, 3.2, 1.5)
        cloth.piece(cloth.poly(mirrored(half, MIDDLE)), tone, 0.35, pattern)
    cloth.lay(cloth.oval(MIDDLE, top + 0.8, 2.2, 1.3), int(255 * tone * 0.35))
    for side in (-1, 1):  # the two points of the collar
        flap = [(side * 0.2, top + 2.4), (side * 2.6, top - 0.9), (side * 3.9, top + 1.0), (side * 2.4, top + 3.6)]
        cloth.piece(cloth.poly([(MIDDLE + x, y) for x, y in flap], smooth=False), min(tone * 1.15, 1), 0.45)
    cloth.seam([(MIDDLE + 0.9, top + 2.6), (MIDDLE + 0.9, bottom)], tone * 0.55, 0.5)
    for y in np.arange(top + 4.5, bottom - 1, rng.uniform(2.6, 3.4)):
        cloth.lay(cloth.oval(MIDDLE - 0.1, y, 0.5, 0.5), int(255 * (tone * 0.4 if tone > 0.45 else tone + 0.45)))
    if rng.random() < 0.5:
        cloth.seam([(MIDDLE + 2.4, top + 7), (MIDDLE + 5.2, top + 7)], tone * 0.55, 0.6)


def sandal(cloth: Cloth, rng: Generator) -> None:
    heel, base = rng.choice([rng.uniform(0.2, 1.0), rng.uniform(4, 8.5)]), rng.uniform(20.5, 22.5)
    tone, sole = max(some_tone(rng), 0.5), max(some_tone(rng) * 0.8, 0.35)
    back = base - heel
    under = [(1.5, base + 0.6), (8, base + 0.9), (11, base + 0.4), (19, back + 1.6), (26, back + 1.0)]
    cloth.lay(cloth.stroke(under, np.array([1.2, 1.6, 1.5, 1.4, 1.3])), int(255 * sole))
    if heel > 3:
        post = rng.uniform(0.7, 2.2)
        foot = [(25.8 - post * 2, back + 1), (26.4, back + 0.6), (26.2, base + 1.2), (26.2 - post, base + 1.2)]
        cloth.piece(cloth.poly(foot, smooth=False), sole, 0.3)
    elif rng.random() < 0.6:
        cloth.piece(cloth.box(1.2, base + 0.8, 26.4, base + rng.uniform(2, 3.4), 0.8), sole * 0.9, 0.3)
    high, wide = rng.uniform(3.6, 5.6), rng.uniform(1.6, 3.2)
    instep = [(3.0, base + 0.3), (5.0, base - high * 0.62), (9.5, base - high), (13.5, base - high * 0.8), (14.5, base)]
    foot = cloth.poly(instep)
    if rng.random() < 0.5:  # two bands across the toes
        bands = [cloth.stroke([(x - 1.6, base + 1), (x + 0.6, base - high - 1)], wide) for x in (6.0, 11.4)]
    else:  # crossed straps
        bands = [cloth.stroke([(4.5, base + 0.5), (13.5, base - high)], wide),
            cloth.stroke([(6, base - high), (13, base + 1)], wide)]
    cloth.piece(both(foot, either(*bands)), tone, 0.3)
    top = back - rng.uniform(5.5, 8.0)
    cloth.seam([(19.0, back + 1.0), (20.0, top + 0.6), (24.5, top), (26.2, back + 0.4)], tone, rng.uniform(0.8, 1.5), 1)
    if rng.random() < 0.6:
        cloth.seam([(10.5, base - high * 0.7), (15, (base + top) / 2 - 2), (20.2, top + 1.2)], tone * 0.9,
            rng.uniform(0.7, 1.2), 1)
    if rng.random() < 0.4:
        cloth.piece(cloth.poly([(22, back + 1), (22.4, top + 2), (26, top + 1.5), (26.6, back + 0.6)]), tone * 0.8)


def sneaker(cloth: Cloth, rng: Generator) -> None:
    base, toe, ankle = rng.uniform(19.5, 21), rng.uniform(3.6, 5.0), rng.uniform(7.5, 10.5)
    tone = some_tone(rng)
    upper = [
        (1.2, base), (1.0, base - toe * 0.55), (3.5, base - toe), (8, base - toe - 0.9), (13, base - ankle * 0.86),
        (16.5, base - ankle), (18.6, base - ankle * 0.8), (22, base - ankle * 0.78), (25.4, base - ankle * 0.98),
        (26.6, base - 4.5), (26.8, base),
    ]
    mask = cloth.poly(upper)
    cloth.piece(mask, tone, 0.35, pattern_of(rng, cloth.big, 0.85))
    accent = tone - 0.38 if tone > 0.5 else tone + 0.42
    trim = both(mask, cloth.poly([(0.5, base), (0.5, base - toe - 1), (5.8, base - toe - 2), (7.2, base)],
        smooth=False))
    if rng.random() < 0.5:
        cloth.lay(trim, int(255 * np.clip(tone * 0.75, 0, 1)))
    if rng.random() < 0.75:  # stripes or a swoosh on the side
        if rng.random() < 0.5:
            for x in (13, 15.6, 18.2):
                cloth.seam([(x, base - 0.5), (x + 2.4, base - ankle * 0.62)], accent, 0.9, 0.9)
        else:
            cloth.lay(both(mask, cloth.stroke([(10, base - 4.5), (14, base - 1.6), (24, base - 6)],
                np.array([2, 1.6, 0.5]))), int(255 * accent))
    for k in np.linspace(0, 1, 4):  # laces
        x, y = 8.2 + 6 * k, base - toe - 0.6 - (ankle * 0.92 - toe - 1) * k
        cloth.seam([(x, y), (x + 1.6, y + 1.9)], 0.95 if tone < 0.65 else 0.3, 0.6, 0.9)
    cloth.seam([(18.6, base - ankle * 0.8), (22, base - ankle * 0.78), (25.4, base - ankle * 0.96)], tone * 0.5, 0.8)
    white = rng.choice([0.95, 0.85, 0.35])
    cloth.piece(cloth.box(0.8, base - 0.6, 27.1, base + rng.uniform(1.3, 2.4), 1.1), white, 0.25)


def bag(cloth: Cloth, rng: Generator) -> None:
    width, top, bottom = rng.uniform(9.5, 13), rng.uniform(9, 13), rng.uniform(24.5, 27)
    flare = rng.uniform(-1.8, 0.8)
    tone = some_tone(rng)
    lift = rng.uniform(1.0, 4.5)
    grip = width * rng.uniform(0.4, 0.7)
    arch = [(MIDDLE - grip, top + 1), (MIDDLE - grip * 0.75, lift + 1.5), (MIDDLE, lift),
        (MIDDLE + grip * 0.75, lift + 1.5), (MIDDLE + grip, top + 1)]
    cloth.seam(arch, tone * rng.uniform(0.6, 1.0), rng.uniform(0.9, 1.9), 1)
    half = [(0, top), (width + flare - 1.5, top), (width + flare, top + 1.0), (width, bottom - 2),
        (width - 1.4, bottom), (0, bottom)]
    body = cloth.poly(mirrored(half, MIDDLE), smooth=rng.random() < 0.5)
    cloth.piece(body, tone, 0.38, pattern_of(rng, cloth.big, 0.7))
    kind = rng.random()
    if kind < 0.4:  # a flap with a clasp
        deep = rng.uniform(4, 7)
        flap = [(-width - flare, top), (width + flare, top), (width * 0.8, top + deep * 0.8), (0, top + deep),
            (-width * 0.8, top + deep * 0.8)]
        cloth.piece(both(body, cloth.poly([(MIDDLE + x, y) for x, y in flap])), min(tone * 1.15, 1), 0.5)
        cloth.lay(cloth.oval(MIDDLE, top + deep - 0.4, 0.9, 0.9), 245)
    elif kind < 0.75:  # a zip and a front pocket
        cloth.seam([(MIDDLE - width + 1, top + 1.8), (MIDDLE + width - 1, top + 1.8)], tone * 0.45, 0.7)
        pocket = cloth.box(MIDDLE - width * 0.6, top + 5, MIDDLE + width * 0.6, bottom - 2, 1)
        cloth.piece(pocket, tone * 0.86, 0.3)
    else:  # two straps down the front
        for side in (-1, 1):
            cloth.seam([(MIDDLE + side * grip, top), (MIDDLE + side * grip, bottom - 1)], tone * 0.6, 1.0)


def ankle_boot(cloth: Cloth, rng: Generator) -> None:
    base, top = rng.uniform(24.0, 25.5), rng.uniform(1.2, 5.5)
    heel = rng.choice([rng.uniform(0.6, 1.6), rng.uniform(2.5, 5.0)])
    tone, shaft = some_tone(rng) * 0.92, rng.uniform(13.0, 15.0)
    back = base - heel
    upper = [
        (1.4, base), (1.0, base - 2.6), (4.0, base - 5.2), (9.5, base - 7.4), (shaft, base - 11), (shaft, top + 3),
        (shaft - 0.6, top), (shaft - 0.6, top), (25.6, top + rng.uniform(-0.4, 1.2)), (25.6, top + 0.6), (25.2,
            top + 8),
        (26.4, back - 3), (26.4, back), (18, back + 0.2), (12, base),
    ]
    mask = cloth.poly(upper)
    cloth.piece(mask, tone, 0.42)
    sole = [(1, base + 0.6), (11, base + 0.7), (14, base + 0.3), (19, back + 0.7), (26.2, back + 0.5)]
    cloth.seam(sole, tone * 0.5, 1.3, 1)
    cloth.piece(cloth.box(20.5 if heel < 3 else 22.0, back, 26.6, base + 1.3), tone * 0.55, 0.2)
    kind = rng.random()
    if kind < 0.4:  # laces
        for y in np.arange(top + 2, base - 8, 2.4):
            cloth.seam([(shaft + 0.2, y), (shaft + 3.6, y + 0.8)], 0.9 if tone < 0.6 else 0.25, 0.6)
    elif kind < 0.7:  # an elastic side
        cloth.piece(cloth.poly([(17.5, top + 1.5), (22.5, top + 1.5), (20.6, base - 9)], smooth=False), tone * 0.6, 0.2)
    else:  # a strap with a buckle
        cloth.lay(both(mask, cloth.stroke([(11, base - 8), (26.5, base - 9.5)], 1.6)), int(255 * tone * 0.55))
        cloth.lay(cloth.box(17.5, base - 10, 19.6, base - 7.9), 235)
    cloth.seam([(shaft - 0.2, top + 0.5), (25.4, top + 0.8)], tone * 0.6, 0.6)


DRAWERS = (tshirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle_boot)
