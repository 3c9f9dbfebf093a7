"""Drawn portraits, 128 x 128 in colour: friendly adults of every kind, their eyes at about the same height."""

from dataclasses import dataclass

import numpy as np
from draw_tools import Canvas, both, curve, either, mixed, soft_noise, toned, turned, without
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

SIZE, MARGIN, SCALE = 128, 8, 4
X, EYES = 64.0, 60.0  # where the face's axis and the eyes are
RGB = tuple[int, int, int]

SKINS = ((250, 222, 202), (243, 206, 180), (234, 192, 160), (222, 174, 138), (206, 154, 116),
         (182, 128, 92), (154, 104, 72), (126, 83, 58), (100, 66, 47), (82, 54, 40))
DARK_HAIR = ((26, 22, 24), (40, 30, 28), (58, 40, 32), (78, 52, 38))
FAIR_HAIR = ((98, 66, 44), (124, 76, 46), (132, 68, 44), (150, 80, 50), (166, 130, 84), (208, 172, 116),
    (228, 204, 160))
GRAY_HAIR = ((150, 148, 148), (190, 188, 186), (222, 220, 216), (116, 112, 112))
DARK_EYES = ((56, 36, 24), (84, 54, 32), (108, 74, 42))
FAIR_EYES = ((112, 92, 52), (88, 118, 78), (82, 122, 164), (110, 136, 154), (64, 104, 150))
CLOTHES = ((38, 52, 86), (120, 36, 44), (44, 84, 74), (230, 226, 218), (50, 50, 54), (188, 150, 96), (94, 120, 160),
           (156, 92, 112), (96, 78, 120), (204, 112, 84), (128, 140, 116), (222, 184, 180), (70, 108, 118))
WALLS = ((178, 192, 204), (202, 190, 174), (150, 168, 158), (190, 176, 190), (112, 128, 148), (214, 206, 194),
         (134, 150, 120), (196, 164, 140), (96, 104, 118), (168, 186, 180))
LONG = ("long", "long", "wavy", "bob", "bob", "fringe", "fringe", "bun", "tied", "curly", "curly", "pixie", "scarf")
SHORT = ("parted", "parted", "swept", "swept", "crop", "crop", "buzz", "bald", "curly short", "curly short", "beanie")


@dataclass
class Person:
    """Everything that the pieces of one portrait must agree on; lengths in pixels of the finished picture."""

    skin: RGB
    hair: RGB
    iris: RGB
    style: str
    feminine: bool
    age: float  # 0 young, 1 old
    wide: float  # half the width of the face at the eyes
    jaw: float  # the width of the jaw as a share of that
    chin: float  # the width of the chin
    bottom: float  # how low the chin is
    turn: float  # how far the face looks to one side
    light: int  # the side that the light comes from: -1 left, 1 right
    smile: float
    beard: str

    @property
    def shade(self) -> RGB:
        """The skin in shadow: darker and redder."""
        return toned(np.asarray(self.skin) * (0.80, 0.68, 0.62), 0.86)

    @property
    def glow(self) -> RGB:
        """The skin in the light."""
        return mixed(self.skin, (255, 244, 228), 0.5)


def someone(rng: Generator) -> Person:
    """A person by chance; hair and eyes go with the skin, and gray hair with age."""
    tone = int(rng.integers(len(SKINS)))
    feminine = bool(rng.random() < 0.5)
    age = float(rng.beta(1.3, 1.9))
    fair = rng.random() < (0.75, 0.65, 0.55, 0.3, 0.12, 0.05, 0.02, 0, 0, 0)[tone]
    hair = (FAIR_HAIR if fair else DARK_HAIR)[rng.integers(len(FAIR_HAIR) if fair else len(DARK_HAIR))]
    if age > 0.55 and rng.random() < 0.75:
        hair = mixed(hair, GRAY_HAIR[rng.integers(len(GRAY_HAIR))], min(1.0, 0.3 + age * 0.8))
    pale_eyes = rng.random() < (0.6 if fair else 0.12 if tone < 5 else 0.02)
    irises = FAIR_EYES if pale_eyes else DARK_EYES
    styles = LONG if feminine else SHORT
    beards = ("none", "none", "none", "stubble", "stubble", "full", "full", "moustache", "goatee")
    return Person(
        skin=toned(np.asarray(SKINS[tone]) + rng.normal(0, 3, 3), rng.uniform(0.96, 1.02)),
        hair=toned(hair, rng.uniform(0.85, 1.15)),
        iris=toned(irises[rng.integers(len(irises))], rng.uniform(0.9, 1.15)),
        style=styles[rng.integers(len(styles))],
        feminine=feminine,
        age=age,
        wide=rng.uniform(27.0, 30.5) + (0 if feminine else 0.8),
        jaw=rng.uniform(0.78, 0.87) + (0 if feminine else 0.06),
        chin=rng.uniform(0.36, 0.46) + (0 if feminine else 0.08),
        bottom=rng.uniform(98.0, 102.5) + (0 if feminine else 1.2),
        turn=float(np.clip(rng.normal(0, 1.4), -2.8, 2.8)),
        light=int(rng.choice((-1, 1))),
        smile=rng.uniform(1.6, 3.4),
        beard="none" if feminine else beards[rng.integers(len(beards))],
    )


class Portrait(Canvas):
    """A canvas with a margin, so that the picture may be tilted afterwards."""

    def __init__(self, rng: Generator, person: Person) -> None:
        super().__init__(SIZE + 2 * MARGIN, SCALE, margin=MARGIN)
        self.rng, self.p = rng, person
        self.face = self.poly(face_outline(person))

    def soft(self, mask: Image.Image, blur: float, colour: RGB, alpha: float,
        inside: Image.Image | None = None) -> None:
        """Lay a blurred patch of colour, kept inside a mask."""
        mask = self.blurred(mask, blur)
        if not (box := mask.getbbox()):
            return
        mask = mask.crop(box)
        if inside:
            mask = both(mask, inside.crop(box))
        self.picture.paste(colour, box, mask.point([int(v * alpha + 0.5) for v in range(256)]))

    def rim(self, mask: Image.Image, blur: float, colour: RGB, alpha: float) -> None:
        """Lay a colour along the inner edge of a mask, fading inwards."""
        self.lay(without(mask, self.blurred(mask, blur)), colour, alpha)

    def line(self, points, width, colour: RGB, alpha: float = 1.0, blur: float = 0.0) -> None:
        mask = self.stroke(points, width)
        self.lay(self.blurred(mask, blur) if blur else mask, colour, alpha)


def face(rng: Generator) -> np.ndarray:
    """One portrait, uint8 (128, 128, 3)."""
    person = someone(rng)
    c = Portrait(rng, person)
    background(c)
    hair_behind(c)
    neck_and_clothes(c)
    ears(c)
    head(c)
    beard(c)
    nose(c)
    mouth(c)
    for side in (-1, 1):
        eye(c, side)
        brow(c, side)
    lines_of_age(c)
    hair_in_front(c)
    if rng.random() < 0.26:
        glasses(c)
    return developed(c)


def developed(c: Portrait) -> np.ndarray:
    """The picture tilted and moved a little, without its margin, under a soft light."""
    rng = c.rng
    angle, zoom = rng.normal(0, 2.2), rng.uniform(1.07, 1.16)
    tilted = c.picture.rotate(angle, Image.Resampling.BICUBIC)
    edge = (MARGIN + SIZE / 2) * SCALE
    half = SIZE / 2 * SCALE / zoom
    dx, dy = np.clip(rng.normal(0, 1.1, 2), -2, 2) * SCALE
    box = (edge - half + dx, edge - half + dy, edge + half + dx, edge + half + dy)
    small = tilted.resize((SIZE, SIZE), Image.Resampling.LANCZOS, box=box)
    y, x = np.indices((SIZE, SIZE)) / SIZE - 0.5
    light = 1.03 + 0.10 * c.p.light * x - 0.06 * y - 0.28 * (x**2 + y**2)
    warmth = 1 + float(np.clip(rng.normal(0, 0.012), -0.025, 0.025)) * np.array([1, 0.1, -1])
    pixels = np.asarray(small, float) * light[..., None] * warmth + rng.normal(0, 1.0, (SIZE, SIZE, 1))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def face_outline(p: Person) -> np.ndarray:
    """The outline of the head without hair, from the top of the forehead round the chin and back."""
    half = np.array([
        (0, 23), (p.wide * 0.56, 26), (p.wide * 0.88, 38), (p.wide, 54), (p.wide * 0.985, 68),
        (p.wide * p.jaw, p.bottom - 16.5), (p.wide * p.chin, p.bottom - 3.6), (0, p.bottom),
    ])
    ring = np.vstack([half, half[-2:0:-1] * (-1, 1)]) + (X, 0)
    lower = np.clip((ring[:, 1] - 60) / 40, 0, 1)
    ring[:, 0] += p.turn * 0.6 * lower
    return ring


def background(c: Portrait) -> None:
    """A wall with a soft gradient, blurred shapes of a room, or blurred leaves and lights."""
    rng = c.rng
    wall = toned(WALLS[rng.integers(len(WALLS))], rng.uniform(0.8, 1.1))
    c.picture.paste(wall, (0, 0, c.big, c.big))
    kind = rng.random()
    if kind < 0.3:
        green = (92, 124, 72)
        for _ in range(26):
            tint = toned(mixed(wall, green, rng.uniform(0.4, 1)), rng.uniform(0.6, 1.35))
            r = rng.uniform(5, 16)
            c.soft(c.oval(rng.uniform(-8, 136), rng.uniform(-8, 136), r, r), 2.5, tint, 0.55)
    elif kind < 0.6:
        x = -8.0
        while x < 136:
            w = rng.uniform(10, 34)
            c.soft(c.box(x, -9, x + w, 137), 2.5, toned(wall, rng.uniform(0.72, 1.2)), 0.7)
            x += w
        y = rng.uniform(30, 90)
        c.soft(c.box(-9, y, 137, y + rng.uniform(2, 6)), 1.5, toned(wall, 0.7), 0.5)
    hills = soft_noise(rng, c.big, 3)
    c.times(np.clip(1 + 0.06 * hills, 0.8, 1.2))


def neck_and_clothes(c: Portrait) -> None:
    p, rng = c.p, c.rng
    thick = rng.uniform(12.0, 13.5) if p.feminine else rng.uniform(15.0, 17.5)
    wide = rng.uniform(42, 50) if p.feminine else rng.uniform(50, 58)
    low = rng.uniform(113, 116)
    half = [(thick, 80), (thick * 0.98, 104), (thick + 3, low), (wide * 0.75, low + 8), (wide, 126), (wide + 3, 140)]
    shape = [(X + x, y) for x, y in half] + [(X - x, y) for x, y in reversed(half)]
    neck = c.poly(shape)
    c.lay(neck, toned(p.skin, 0.94))
    c.soft(c.shifted(c.face, p.light * -2.5, 8), 3.0, p.shade, 0.75, neck)
    cloth = toned(CLOTHES[rng.integers(len(CLOTHES))], rng.uniform(0.85, 1.12))
    deep = rng.uniform(3, 7) if rng.random() < 0.6 else rng.uniform(10, 16)
    high = low - 4
    body = [
        (thick + 1.5, high), (thick + 7, high + 1.2), (wide * 0.78, low + 5), (wide + 1, 124), (wide + 6, 142),
    ]
    opening = [(thick * 0.75, high + deep * 0.6), (0, high + deep + 3)]
    outline = [(X - x, y) for x, y in reversed(body)] + [(X - x, y) for x, y in opening]
    outline += [(X + x, y) for x, y in opening[:1]] + [(X + x, y) for x, y in body]
    garment = c.poly(outline)
    c.soft(c.shifted(garment, 0, -1), 1.2, p.shade, 0.5, neck)
    c.lay(garment, cloth)
    folds = 1 + 0.07 * soft_noise(rng, c.big, (9, 3))
    c.times(folds, garment)
    c.soft(without(garment, c.shifted(garment, p.light * -3, 3)), 2.0, toned(cloth, 1.25), 0.5, garment)
    kind = rng.random()
    edge = [(X - x, y) for x, y in [body[0], *opening]] + [(X + x, y) for x, y in [opening[0], body[0]]]
    if kind < 0.45:
        c.line(edge, 2.0, toned(cloth, 0.78), 0.9)
    elif kind < 0.75:  # a shirt's collar
        collar = mixed(cloth, (250, 250, 248), rng.choice([0.0, 0.85]))
        for s in (-1, 1):
            flap = [(s * (thick + 2), high - 3), (s * (thick + 6), high + 2), (s * 10, high + deep + 8),
                (s * 1, high + deep + 2.5)]
            mask = c.poly([(X + x, y) for x, y in flap], smooth=False)
            c.soft(c.shifted(mask, 0, 1.5), 1.0, toned(cloth, 0.5), 0.5)
            c.lay(mask, toned(collar, 1.0 if s == p.light else 0.9))
    else:  # a jacket
        dark = toned(cloth, 0.62)
        for s in (-1, 1):
            lapel = [(s * (thick + 3), high - 1), (s * wide, low + 4), (s * (wide + 8), 142), (s * 9, 142),
                (s * 12, high + 12)]
            mask = c.poly([(X + x, y) for x, y in lapel])
            c.soft(c.shifted(mask, 0, 0), 1.2, toned(cloth, 0.45), 0.5)
            c.lay(mask, toned(dark, 1.08 if s == p.light else 0.94))


def ears(c: Portrait) -> None:
    p = c.p
    for side in (-1, 1):
        x = X + side * (p.wide + 1.2) - p.turn * 0.5
        mask = c.oval(x, 66, 3.9, 7.4, side * 0.18)
        c.lay(mask, toned(p.skin, 0.96 if side == p.light else 0.86))
        c.soft(c.oval(x + side * 0.2, 66, 1.9, 4.8, side * 0.18), 0.8, p.shade, 0.6, mask)


def head(c: Portrait) -> None:
    """The skin of the face with its modelling: dark towards the far side, light on forehead, cheeks and chin."""
    p, rng = c.p, c.rng
    c.lay(c.face, p.skin)
    c.soft(without(c.face, c.shifted(c.face, p.light * 6, -3)), 4.5, p.shade, 0.55, c.face)
    c.rim(c.face, 4.0, p.shade, 0.38)
    x = X + p.turn
    for cx, cy, rx, ry, alpha in (
        (x + p.light * 5, 40, 14, 6, 0.42), (x + p.light * 16, 72, 7, 5, 0.40), (x - p.light * 15, 72, 6, 4.5, 0.2),
        (x + p.light * 1, p.bottom - 6, 5, 2.6, 0.3),
    ):
        c.soft(c.oval(cx, cy, rx, ry), 3.2, p.glow, alpha, c.face)
    rose = mixed(p.skin, (206, 72, 74), 0.55)
    for side in (-1, 1):
        c.soft(c.oval(x + side * 17, 77, 7.5, 5), 3.6, rose, rng.uniform(0.16, 0.4), c.face)
        c.soft(c.oval(x + side * 14.5, EYES - 1.5, 9, 5.5), 2.4, p.shade, 0.34, c.face)
    if sum(p.skin) > 560 and rng.random() < 0.15:  # freckles
        for _ in range(34):
            c.soft(c.oval(x + rng.normal(0, 13), 74 + rng.normal(0, 3.4), 0.5, 0.5), 0.2, p.shade, 0.6, c.face)


def nose(c: Portrait) -> None:
    p, rng = c.p, c.rng
    x, low, wide = X + p.turn * 1.6, rng.uniform(79.5, 82.5), rng.uniform(5.2, 7.2) + (0 if p.feminine else 0.5)
    far = -p.light
    bridge = [(x + far * 3.2, EYES - 3), (x + far * 2.6, EYES + 6), (x + far * 4.4, low - 4)]
    c.line(bridge, np.array([2.4, 2.2, 3.2]), p.shade, 0.4, 1.5)
    c.soft(c.oval(x + far * 2.5, low - 0.4, wide * 0.95, 2.6), 1.4, p.shade, 0.5, c.face)
    c.line([(x + p.light * 0.6, EYES + 1), (x + p.light * 0.8, low - 5)], np.array([1.6, 2.2]), p.glow, 0.5, 1.2)
    c.soft(c.oval(x + p.light * 0.9, low - 3.4, 2.4, 2.0), 1.1, p.glow, 0.65)
    dark = toned(p.shade, 0.62)
    for side in (-1, 1):
        wing = [(x + side * wide * 0.9, low - 4.2), (x + side * wide * 1.03, low - 1.6),
            (x + side * wide * 0.66, low + 0.2)]
        c.line(wing, 0.9, p.shade, 0.75, 0.4)
        c.lay(c.blurred(c.oval(x + side * wide * 0.42, low - 0.2, 1.5, 0.85, side * -0.3), 0.35), dark, 0.8)
    c.soft(c.oval(x, low + 4.2, 1.0, 2.0), 0.8, p.shade, 0.18)


def mouth(c: Portrait) -> None:
    """Lips that smile more or less, closed or showing teeth."""
    p, rng = c.p, c.rng
    x, y, w = X + p.turn * 1.2, p.bottom - rng.uniform(11.0, 12.5), rng.uniform(9.8, 12.2)
    full = rng.uniform(0.8, 1.25)
    grin = rng.random() < 0.38
    gap = rng.uniform(2.0, 3.4) if grin else 0.0
    w += 1.4 * grin

    def at(points):
        pts = np.asarray(points, float) * (w, 1)
        pts[:, 1] -= p.smile * (np.abs(pts[:, 0]) / w) ** 2 - 0.6 * p.smile * 0.5
        return pts + (x, y)

    lip = mixed(mixed(p.skin, p.shade, 0.25), (186, 62, 66), rng.uniform(0.38, 0.55))
    if p.feminine and rng.random() < 0.45:
        lip = mixed(lip, ((190, 40, 58), (150, 40, 66), (214, 96, 96))[rng.integers(3)], 0.7)
    c.soft(c.oval(x, y + 7.4 + gap, w * 0.5, 1.5), 1.2, p.shade, 0.5, c.face)
    if grin:
        inside = c.poly(at([(-0.94, 0), (-0.5, 0.1), (0, 0.3), (0.5, 0.1), (0.94, 0), (0.5, gap * 0.9),
            (0, gap * 1.15), (-0.5, gap * 0.9)]))
        c.lay(inside, (96, 36, 36))
        teeth = c.poly(at([(-0.84, 0), (0, 0.1), (0.84, 0), (0.46, gap * 0.74), (0, gap * 0.95), (-0.46, gap * 0.74)]))
        c.lay(teeth, (246, 243, 236))
    upper = [(-1, 0), (-0.5, -1.7 * full), (-0.16, -2.5 * full), (0, -2.0 * full), (0.16, -2.5 * full),
        (0.5, -1.7 * full), (1, 0),
             (0.5, 0.25), (0, 0.5), (-0.5, 0.25)]
    lower = [(-1, 0), (-0.5, gap * 0.85 + 0.2), (0, gap * 1.1 + 0.4), (0.5, gap * 0.85 + 0.2), (1, 0),
        (0.55, gap * 0.9 + 2.6 * full),
             (0, gap + 3.7 * full), (-0.55, gap * 0.9 + 2.6 * full)]
    c.lay(c.blurred(c.poly(at(lower)), 0.25), toned(lip, 1.08))
    c.soft(c.oval(x + p.light * 1.2, y + gap + 2.3 * full, w * 0.32, 0.8), 0.6, mixed(lip, (255, 232, 226), 0.6), 0.6)
    c.lay(c.blurred(c.poly(at(upper)), 0.25), toned(lip, 0.9))
    if not grin:
        c.line(at([(-1.02, -0.1), (-0.5, 0.3), (0, 0.6), (0.5, 0.3), (1.02, -0.1)]), 0.8, toned(lip, 0.45), 0.85, 0.25)
    for side in (-1, 1):
        corner = at([(side * 1.05, -0.1)])[0]
        c.soft(c.oval(*corner, 1.2, 1.2), 0.6, p.shade, 0.6)


def eye(c: Portrait, side: int) -> None:
    """One eye: the white, the iris with its light, lids and lashes."""
    p = c.p
    shape = np.random.default_rng(int(p.bottom * 1e6))  # both eyes must agree
    w, h, slant = shape.uniform(6.3, 7.3), shape.uniform(2.5, 3.5) - p.age * 0.35, shape.uniform(-0.3, 1.0)
    fold = shape.random() < 0.75
    squeeze = 1 - 0.03 * p.turn * side
    x = X + p.turn * 1.1 + side * 14.6 * squeeze

    def at(points):
        return np.asarray(points, float) * (side * w * squeeze, 1) + (x, EYES)

    top = [(-1.0, 0.9), (-0.6, -h * 0.72), (0.05, -h), (0.6, -h * 0.72 - slant * 0.3), (1.04, -slant * 0.6)]
    low = [(0.62, h * 0.62 - slant * 0.2), (0.05, h * 0.86), (-0.6, h * 0.68)]
    white = c.poly(at(top + low))
    c.lay(white, (242, 238, 234))
    c.soft(c.poly(at([(-1.1, -h * 1.3), (1.1, -h * 1.3), (1.1, -h * 0.35), (0, -h * 0.5), (-1.1, -h * 0.2)])), 0.6,
        (120, 104, 104), 0.5, white)
    ix, iy, r = x + p.turn * 0.5, EYES - 0.25, 3.15
    for radius, colour in ((r, toned(p.iris, 0.5)), (r * 0.84, p.iris)):
        c.lay(both(c.oval(ix, iy, radius, radius), white), colour)
    c.soft(c.oval(ix, iy + 1.2, 1.7, 1.1), 0.4, toned(p.iris, 1.6), 0.7,
        both(white, c.oval(ix, iy, r * 0.84, r * 0.84)))
    c.lay(both(c.oval(ix, iy, 1.45, 1.45), white), (12, 10, 12))
    c.lay(c.oval(ix + p.light * 1.1, iy - 1.1, 0.8, 0.8), (255, 255, 255), 0.95)
    lash = mixed((24, 16, 16), p.hair, 0.15)
    heavy = 1.25 if p.feminine else 0.8
    ends = top if not p.feminine else [*top, (1.22, -slant * 0.6 - 1.3)]
    c.line(at(ends), np.array([0.5, 0.9, 1.0, 1.1, 0.5]) * heavy, lash, 0.95, 0.15)
    c.line(at([(1.0, -slant * 0.5), *low, (-0.95, 0.9)]), 0.55, p.shade, 0.8, 0.3)
    if fold:
        crease = [(-0.95, -h * 0.6), (-0.4, -h - 1.5), (0.3, -h - 1.9), (1.15, -h * 0.6 - slant)]
        c.line(at(crease), np.array([0.5, 0.8, 0.8, 0.4]), toned(p.shade, 0.85), 0.75, 0.35)
    c.soft(c.oval(x, EYES + h + 2.4, 5.2, 1.2), 1.0, p.shade, 0.22 + 0.3 * p.age)


def brow(c: Portrait, side: int) -> None:
    p = c.p
    shape = np.random.default_rng(int(p.bottom * 1e6) + 1)
    thick = shape.uniform(1.3, 2.0) if p.feminine else shape.uniform(2.0, 3.1)
    arch, y = shape.uniform(0.6, 2.4), EYES - shape.uniform(8.8, 10.6)
    x = X + p.turn * 1.1 + side * 14.4
    points = [(-7.6, -0.1), (-3, -0.9), (2.5, -arch), (6.8, -arch * 0.3), (9.6, 2.0)]
    hair = mixed(toned(p.hair, 0.78), p.shade, 0.15)
    mask = c.stroke([(x + side * dx, y + dy) for dx, dy in points], thick * np.array([0.75, 1.0, 0.95, 0.7, 0.25]))
    c.lay(c.blurred(mask, 0.35), hair, 0.9)


def beard(c: Portrait) -> None:
    """Stubble, a full beard, a goatee or a moustache, following the jaw; the mouth is drawn over it."""
    p, rng = c.p, c.rng
    if p.beard == "none":
        return
    x, lip = X + p.turn, p.bottom - 12
    down = p.bottom + (3.5 if p.beard == "full" else 0.5)
    cheek = rng.uniform(74, 79)
    half = [(p.wide + 2, 62), (p.wide + 1.2, 76), (p.wide * p.jaw + 1.5, p.bottom - 15),
        (p.wide * p.chin + 3, down - 3), (0, down)]
    inner = [(6, lip - 6.6), (12, lip - 5), (16, cheek + 2), (p.wide - 2.5, 68), (p.wide - 1.5, 61)]
    if p.beard in ("goatee", "moustache"):
        half = [(12.5, lip - 3), (13, lip + 3), (10, down - 3), (0, down)]
        inner = [(5, lip - 6.4), (10, lip - 5.4)]
    if p.beard == "moustache":
        half = [(14, lip - 0.4), (9, lip - 1.2), (0, lip - 1.6)]
        inner = [(3, lip - 6.0), (9, lip - 4.6)]
    right = half + [(-dx, dy) for dx, dy in reversed(half[:-1])]
    ring = right + [(-dx, dy) for dx, dy in reversed(inner)] + inner
    mask = c.poly([(x + dx, dy) for dx, dy in ring])
    if p.beard in ("full", "goatee", "stubble"):
        bare = c.oval(x, lip + 1.6, 10.5, 4.2)
        mask = without(mask, bare) if p.beard != "stubble" else mask
    if p.beard == "stubble":
        c.soft(both(mask, c.face), 2.0, mixed(p.shade, p.hair, 0.6), 0.38, c.face)
        return
    mask = c.blurred(mask, 0.5)
    c.lay(mask, toned(p.hair, 0.92), 0.93)
    grain = 1 + 0.10 * soft_noise(rng, c.big, (90, 40))
    c.times(np.clip(grain, 0.6, 1.5), mask)
    c.soft(c.oval(x + p.light * 12, p.bottom - 10, 7, 7), 4, toned(p.hair, 1.5), 0.3, mask)


def lines_of_age(c: Portrait) -> None:
    p, x = c.p, X + c.p.turn
    deep = max(0.0, p.age - 0.3) * 0.95
    for side in (-1, 1):
        fold = [(x + side * 8, 81), (x + side * 12, 85), (x + side * 14, p.bottom - 10)]
        c.line(fold, np.array([0.6, 1.0, 0.5]), p.shade, 0.22 + 0.6 * deep, 0.6)
        if p.age > 0.5:
            for k in (-1, 0, 1):
                crow = [(x + side * 23.0, EYES + 0.5 + k), (x + side * 26.4, EYES + 0.6 + 2.2 * k)]
                c.line(crow, 0.5, p.shade, deep, 0.3)
    if p.age > 0.55:
        for k in range(3):
            c.line([(x - 13 + k, 41 + 3.6 * k), (x, 39.8 + 3.6 * k), (x + 13 - k, 41 + 3.6 * k)], 0.6, p.shade,
                deep * 0.9, 0.4)


# --- hair ---


def strands(c: Portrait, mask: Image.Image, outer: np.ndarray, inner: np.ndarray, count: int, colour: RGB) -> None:
    """Lay hair through the mask: locks that run between the outer and the inner edge, from light to dark."""
    rng = c.rng
    layer = Image.new("RGB", (c.big, c.big), colour)
    pen = ImageDraw.Draw(layer)
    a, b = evenly(outer, 40), evenly(inner, 40)
    for _ in range(count):
        u, t0 = rng.uniform(-0.05, 1.05), rng.integers(0, 26)
        path = (a * (1 - u) + b * u)[t0 : t0 + rng.integers(8, 22)]
        path = path + rng.normal(0, 0.5, 2) + 0.35 * np.sin(np.arange(len(path)) * 0.6 + rng.uniform(0, 6))[:, None]
        tint = toned(colour, float(np.clip(rng.normal(1.0, 0.22), 0.55, 1.5)))
        pen.line([tuple(q) for q in (path + MARGIN) * SCALE], fill=tint, width=int(rng.integers(2, 6)), joint="curve")
    layer = layer.filter(ImageFilter.GaussianBlur(2.2))
    c.lay(c.blurred(mask, 0.3), layer)


def shine(c: Portrait, mask: Image.Image, x: float, y: float, rx: float, ry: float, angle: float) -> None:
    bright = mixed(c.p.hair, (255, 246, 230), 0.42)
    c.soft(c.oval(x, y, rx, ry, angle), 3.0, bright, 0.42, mask)
    c.rim(mask, 1.6, toned(c.p.hair, 0.5), 0.55)


def evenly(path: np.ndarray, count: int) -> np.ndarray:
    """The path as `count` points at equal distances."""
    run = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    at = np.linspace(0, run[-1], count)
    return np.stack([np.interp(at, run, path[:, 0]), np.interp(at, run, path[:, 1])], axis=1)


def curls(c: Portrait, centres: np.ndarray, radius: float, colour: RGB) -> None:
    """Hair as a heap of curls: a disc for each, each with a dark rim and a light arc."""
    rng = c.rng
    for x, y in rng.permutation(centres):
        r = radius * rng.uniform(0.75, 1.25)
        tint = toned(colour, float(np.clip(rng.normal(1, 0.08), 0.8, 1.2)))
        c.lay(c.blurred(c.oval(x, y, r, r), 0.3), tint)
        start = rng.uniform(0, 6.28)
        for k, shade in ((0.72, 1.35), (0.4, 0.7)):
            t = start + np.linspace(0, rng.uniform(1.8, 3.4), 7)
            arc = np.stack([x + r * k * np.cos(t), y + r * k * np.sin(t)], axis=1)
            c.line(arc, 0.7, toned(tint, shade), 0.5, 0.25)


def dome(p: Person, side: float, top: float, end: float, flare: float = 0.0) -> np.ndarray:
    """The outer edge of hair over the head, from the left end over the top to the right end."""
    w = p.wide
    half = [(w + side + flare, end), (w + side, min(end, 60.0) - 4), (w * 0.97 + side * 0.8, 38),
        (w * 0.62, 22.5 - top * 0.72), (0, 18.5 - top)]
    if end > 75:
        half.insert(1, (w + side + flare * 0.7, (end + 60) / 2))
    right = np.array(half[::-1])
    return curve(np.vstack([right[:0:-1] * (-1, 1), right]) + (X, 0), 10)


def hairline(p: Person, kind: str, end: float, part: float) -> np.ndarray:
    """The inner edge of the hair, from the left end over the forehead to the right end."""
    w = p.wide
    ends = {"parted": 30, "swept": 29, "crop": 34, "fringe": 49, "centre": 27, "receding": 27}
    y, left, right = ends[kind], [(-w + 1.5, end)], [(w - 1.5, end)]
    if end > 75:
        left, right = [(-w + 4, end), (-w + 0.5, 78)], [(w - 0.5, 78), (w - 4, end)]
    middle = {
        "parted": [(-w + 0.6, 55), (-w * 0.80, 42), (part - 12, 36), (part, y), (part + 7, 33), (w * 0.84, 43),
            (w - 0.6, 55)],
        "swept": [(-w + 0.8, 54), (-w * 0.84, 40), (-w * 0.5, 32), (0, y), (w * 0.5, 32), (w * 0.84, 40),
            (w - 0.8, 54)],
        "crop": [(-w + 0.8, 54), (-w * 0.86, 42), (-w * 0.55, 37), (0, y + 2), (w * 0.55, 37), (w * 0.86, 42),
            (w - 0.8, 54)],
        "fringe": [(-w + 1.5, 58), (-w * 0.84, 52), (-w * 0.45, y + 1), (0, y), (w * 0.45, y + 1), (w * 0.84, 52),
            (w - 1.5, 58)],
        "centre": [(-w + 1.0, 57), (-w * 0.82, 47), (part - 9, 37), (part, y), (part + 9, 37), (w * 0.82, 47),
            (w - 1.0, 57)],
        "receding": [(-w + 0.8, 54), (-w * 0.82, 42), (-w * 0.62, 31), (0, y + 4), (w * 0.62, 31), (w * 0.82, 42),
            (w - 0.8, 54)],
    }[kind]
    return curve(np.array(left + middle + right, float) + (X + p.turn * 0.3, 0), 10)


def cap(c: Portrait, kind: str, side: float, top: float, end: float, flare: float = 0.0,
    alpha: float = 1.0) -> Image.Image:
    """Smooth hair over the head down to `end`, with its shadow on the skin; gives its mask."""
    p, part = c.p, c.rng.uniform(5, 11) * c.rng.choice((-1, 1))
    outer, inner = dome(p, side, top, end, flare), hairline(p, kind, end, part if kind != "centre" else part * 0.3)
    if kind == "parted" and part < 0:  # the parting's comb-over goes the other way
        inner = (hairline(p, kind, end, -part) * (-1, 1))[::-1] + (2 * X, 0)
    steps = np.arange(len(inner))[:, None]
    ragged = inner + 0.5 * np.sin(steps * c.rng.uniform(0.5, 1.1, 2) + c.rng.uniform(0, 6, 2)) + c.rng.normal(0, 0.22,
        inner.shape)
    mask = c.poly(np.vstack([outer, ragged[::-1]]), smooth=False)
    c.soft(c.shifted(mask, -p.light * 0.8, 2.2), 1.6, toned(p.shade, 0.8), 0.5 * alpha, c.face)
    if alpha < 1:
        c.soft(mask, 1.2, p.hair, alpha, c.face)
        return mask
    strands(c, mask, outer, inner, 170, p.hair)
    shine(c, mask, X + p.light * 13, 28 - top, 10, 3.6, p.light * 0.45)
    return mask


def hair_behind(c: Portrait) -> None:
    """The part of long hair that hangs behind neck and shoulders, and what is tied up."""
    p, rng = c.p, c.rng
    dark = toned(p.hair, 0.68)
    if p.style in ("long", "fringe", "wavy"):
        low = rng.uniform(112, 140)
        edge = [(p.wide + 3, 44), (p.wide + 6, 70), (p.wide + 7, 95), (p.wide + 4, low), (0, low + 3)]
        right = np.array(edge) + (X, 0)
        left = np.array(edge) * (-1, 1) + (X, 0)
        mask = c.poly(np.vstack([[(X, 20)], right, left[-2::-1]]))
        strands(c, mask, curve(left[::-1][1:]), curve(right[:-1]), 90, dark)
    elif p.style == "bob":
        mask = c.poly([(X, 20), (X + p.wide + 5, 48), (X + p.wide + 6, 88), (X + p.wide - 2, 99), (X - p.wide + 2, 99),
            (X - p.wide - 6, 88), (X - p.wide - 5, 48)])
        c.lay(mask, dark)
    elif p.style == "bun":
        y, r = rng.uniform(10, 13), rng.uniform(9, 11.5)
        mask = c.oval(X, y, r, r * 0.9)
        ring = np.linspace(0, 2 * np.pi, 20)
        around = np.stack([X + r * np.cos(ring), y + r * np.sin(ring)], axis=1)
        strands(c, mask, around, (around - (X, y)) * 0.1 + (X, y), 50, toned(p.hair, 0.92))
        shine(c, mask, X + p.light * 3, y - 4, 4, 2, 0)
    elif p.style == "tied":
        side = rng.choice((-1, 1))
        path = [(X + side * 22, 40), (X + side * 40, 62), (X + side * 38, 92), (X + side * 41, 116)]
        mask = c.stroke(path, np.array([10, 17, 16, 6]))
        strands(c, mask, curve(np.array(path) - (7, 0)), curve(np.array(path) + (7, 0)), 50, toned(p.hair, 0.85))
    elif p.style == "curly":
        big = rng.uniform(0.9, 1.18)
        around = np.concatenate([[(X + k * 9.5 * big * np.cos(t),
            58 + k * 9.2 * big * np.sin(t) * (1.05 if np.sin(t) < 0 else 0.92))
                                  for t in np.linspace(-np.pi * 1.22, np.pi * 0.22, 15 + 3 * k)] for k in (3, 4)])
        curls(c, around + rng.normal(0, 1.2, around.shape), 6.2, toned(p.hair, 0.85))


def hair_in_front(c: Portrait) -> None:
    p, rng = c.p, c.rng
    if p.style == "long":
        cap(c, "centre", rng.uniform(4, 7), rng.uniform(1, 4), rng.uniform(108, 130), rng.uniform(1, 5))
    elif p.style == "wavy":
        cap(c, "parted", rng.uniform(5, 8), rng.uniform(2, 5), rng.uniform(98, 120), rng.uniform(3, 7))
    elif p.style == "fringe":
        cap(c, "fringe", rng.uniform(3.5, 6), rng.uniform(1, 4), rng.uniform(96, 126), rng.uniform(0, 4))
    elif p.style == "bob":
        cap(c, rng.choice(["fringe", "centre", "parted"]), rng.uniform(5, 7.5), rng.uniform(1, 4), rng.uniform(84, 94),
            rng.uniform(-3, 3))
    elif p.style in ("bun", "tied"):
        cap(c, rng.choice(["swept", "centre", "parted"]), rng.uniform(1.2, 2.4), rng.uniform(0, 2.5),
            rng.uniform(58, 64))
    elif p.style == "pixie":
        cap(c, rng.choice(["parted", "fringe"]), rng.uniform(2.5, 4.5), rng.uniform(1, 4), rng.uniform(64, 72), -1)
    elif p.style in ("parted", "swept", "crop"):
        kind = "receding" if p.age > 0.55 and rng.random() < 0.5 else p.style
        cap(c, kind, rng.uniform(1.5, 3.2), rng.uniform(0.5, 6.5), rng.uniform(58, 66))
    elif p.style == "buzz":
        cap(c, rng.choice(["crop", "receding"]), 0.4, -3.2, 58, alpha=0.72)
    elif p.style.startswith("curly"):
        short = p.style != "curly"
        count, rows = (17, (0.86, 1.02)) if short else (20, (0.86, 1.06))
        centres = np.concatenate([[(X + k * (p.wide + 1) * np.cos(t),
            56 + k * 33 * np.sin(t)) for t in np.linspace(-np.pi * 1.02, np.pi * 0.02, count)] for k in rows])
        centres = centres + rng.normal(0, 0.9, centres.shape)
        keep = (centres[:, 1] < 48) | (np.abs(centres[:, 0] - X) > p.wide * 0.93)
        shadow = either(*[c.oval(x, y + 2.4, 5, 5) for x, y in centres[keep]])
        c.soft(shadow, 1.6, toned(p.shade, 0.8), 0.45, c.face)
        curls(c, centres[keep], 4.4 if short else 5.4, p.hair)
    elif p.style in ("scarf", "beanie"):
        covered(c)
    if p.feminine and p.style in ("bun", "tied", "pixie", "curly") and rng.random() < 0.6:
        metal = ((226, 190, 96), (222, 222, 228))[rng.integers(2)]
        for side in (-1, 1):
            c.lay(c.oval(X + side * (p.wide + 2) - p.turn * 0.5, 75.5, 1.5, 1.5 + 1.4 * rng.integers(2)), metal)


def covered(c: Portrait) -> None:
    """A head scarf round the face, or a knitted cap."""
    p, rng = c.p, c.rng
    cloth = toned(CLOTHES[rng.integers(len(CLOTHES))], rng.uniform(0.9, 1.15))
    w = p.wide
    if p.style == "scarf":
        half = [(0, 15), (w * 0.7, 19), (w + 5, 38), (w + 7, 62), (w + 5, 88), (w + 10, 110), (w + 16, 128),
            (w + 12, 144), (0, 144)]
        ring = np.vstack([np.array(half), np.array(half)[-2:0:-1] * (-1, 1)]) + (X, 0)
        hole = np.array([(0, 34), (w * 0.62, 37), (w * 0.92, 50), (w * 0.96, 68), (w * p.jaw * 0.97, p.bottom - 15),
            (w * p.chin * 0.85, p.bottom - 4), (0, p.bottom - 2)])
        opening = c.poly(np.vstack([hole, hole[-2:0:-1] * (-1, 1)]) + (X + p.turn * 0.5, 0))
        mask = without(c.poly(ring), opening)
    else:
        half = [(0, 10), (w * 0.62, 13), (w * 1.0, 27), (w + 2.4, 42), (w + 2.0, 47), (w * 0.6, 43.5), (0, 42)]
        mask = c.poly(np.vstack([np.array(half), np.array(half)[-2:0:-1] * (-1, 1)]) + (X, 0))
    c.soft(c.shifted(mask, -p.light, 2.0), 1.6, toned(p.shade, 0.8), 0.55, c.face)
    c.lay(mask, cloth)
    c.times(1 + 0.07 * soft_noise(rng, c.big, (5, 9)), mask)
    c.rim(mask, 2.2, toned(cloth, 0.5), 0.6)
    c.soft(c.oval(X + p.light * 12, 26, 12, 5, p.light * 0.5), 3.5, toned(cloth, 1.4), 0.5, mask)
    if p.style == "scarf":
        for k, s in ((0, 1), (1, -1), (2, 1)):
            fold = [(X - s * (w + 4), 92 + 7 * k), (X, p.bottom + 7 + 9 * k), (X + s * (w + 7), 88 + 9 * k)]
            c.soft(c.stroke(fold, 1.4), 0.8, toned(cloth, 0.6), 0.6, mask)
    else:
        band = both(mask, c.poly([(X - w - 6, 33), (X, 29.5), (X + w + 6, 33), (X + w + 6, 52), (X, 48),
            (X - w - 6, 52)]))
        c.lay(band, toned(cloth, 0.85))
        for dx in np.linspace(-w, w, 17):
            c.soft(c.stroke([(X + dx * 1.05, 30), (X + dx * 1.08, 48)], 0.7), 0.3, toned(cloth, 0.6), 0.6, band)


def glasses(c: Portrait) -> None:
    p, rng = c.p, c.rng
    rim = ((30, 26, 26), (74, 46, 30), (150, 126, 84), (60, 64, 72), (120, 30, 40))[rng.integers(5)]
    rx, ry, thick = rng.uniform(10, 11.6), rng.uniform(7.4, 9.6), rng.uniform(0.8, 1.7)
    x, y, round_ = X + p.turn * 1.2, EYES + 1.0, rng.random() < 0.45
    for side in (-1, 1):
        cx = x + side * 14.6

        def lens(grow: float, cx: float = cx) -> Image.Image:
            if round_:
                return c.oval(cx, y, (rx + ry) / 2 + grow, (rx + ry) / 2 - 0.4 + grow)
            return c.box(cx - rx - grow, y - ry + 1 - grow, cx + rx + grow, y + ry - 1 + grow, 4.2)

        frame = without(lens(thick / 2), lens(-thick / 2))
        c.soft(c.shifted(frame, -p.light * 0.4, 1.6), 0.8, p.shade, 0.5, c.face)
        c.lay(lens(0), (236, 244, 250), 0.10)
        glare = c.poly(turned([(cx - 1.5, y - 9), (cx + 2.5, y - 9), (cx + 2.5, y + 9), (cx - 1.5, y + 9)], 0.6,
            (cx, y)), smooth=False)
        c.soft(both(glare, lens(-1)), 0.8, (255, 255, 255), 0.16)
        c.lay(c.blurred(frame, 0.15), rim)
        c.line([(cx + side * rx, y - 2.5), (X + side * (p.wide + 1), y - 3)], thick * 0.9, rim)
    inner = 14.6 - ((rx + ry) / 2 if round_ else rx)
    c.line([(x - inner, y - 1.5), (x, y - 2.8), (x + inner, y - 1.5)], thick, rim)
