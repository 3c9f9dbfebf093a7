"""Small colour scenes, 32 x 32, in the classes and order of CIFAR-10.

What a thing is settles its colour (sea and sky are blue, grass is green, deer are brown, frogs are green), while
the light changes from picture to picture, so that a gray value alone does not tell the colour. Cars and trucks may
have any colour: nobody can guess these from the gray picture.
"""

import numpy as np
from draw_tools import Canvas, both, either, mixed, soft_noise, toned, turned
from numpy.random import Generator
from PIL import Image

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SCALE = 4
RGB = tuple[int, int, int]

SKIES = (  # (at the top, at the horizon): clear, hazy, deep, overcast, sunset, dusk
    ((72, 138, 214), (170, 208, 238)),
    ((120, 170, 222), (206, 224, 238)),
    ((36, 88, 176), (104, 160, 224)),
    ((148, 160, 176), (204, 212, 218)),
    ((110, 100, 156), (250, 168, 98)),
    ((34, 44, 92), (148, 112, 140)),
)
GRASS = ((98, 152, 58), (74, 124, 48), (132, 164, 72), (58, 102, 46), (150, 158, 78))
FURS = ((146, 100, 60), (176, 128, 80), (108, 74, 48), (90, 84, 80), (150, 146, 140), (58, 48, 44), (206, 182, 150))
PAINTS = ((190, 36, 36), (36, 80, 170), (228, 228, 226), (44, 46, 52), (238, 192, 40), (40, 128, 74),
          (160, 166, 174), (226, 120, 40), (110, 44, 110), (96, 178, 200))


class Scene(Canvas):
    """A colour canvas whose pieces are lit from above and may have a texture."""

    def __init__(self, rng: Generator) -> None:
        super().__init__(32, SCALE)
        self.rng = rng
        self.y, self.x = np.indices((self.big, self.big)) / SCALE
        self.fine = soft_noise(rng, self.big, 13)
        self.coarse = soft_noise(rng, self.big, 4)

    def fill(self, top: RGB, bottom: RGB, y0: float = 0, y1: float = 32, mask: Image.Image | None = None) -> None:
        """A vertical blend of two colours between two heights, everywhere or through a mask."""
        share = np.clip((self.y[:, :1] - y0) / max(y1 - y0, 1e-3), 0, 1)[..., None]
        column = np.asarray(top) * (1 - share) + np.asarray(bottom) * share
        picture = Image.fromarray(column.astype(np.uint8)).resize((self.big, self.big), Image.Resampling.NEAREST)
        self.lay(mask or self.box(-1, y0, 33, y1 + 1), picture)

    def piece(self, mask: Image.Image, colour: RGB, round_: float = 0.3, texture: float = 0.03) -> None:
        """One solid piece: lighter on its upper side, darker on its lower side and rim."""
        if not (box := mask.getbbox()):
            return
        x0, y0, x1, y1 = box
        upper = self.blurred(self.shifted(mask, 0.4, 1.2), 1.3).crop(box)
        lower = self.blurred(self.shifted(mask, -0.4, -1.2), 1.3).crop(box)
        side = (np.asarray(lower, np.float32) - np.asarray(upper, np.float32)) / 255
        light = 1 + round_ * side + texture * self.fine[y0:y1, x0:x1]
        pixels = np.clip(np.asarray(colour, np.float32) * light[..., None], 0, 255).astype(np.uint8)
        self.picture.paste(Image.fromarray(pixels), box, mask.crop(box))

    def spot(self, x: float, y: float, r: float, colour: RGB, ry: float | None = None) -> None:
        self.lay(self.oval(x, y, r, ry or r), colour)

    def line(self, points, width, colour: RGB, alpha: float = 1.0) -> None:
        self.lay(self.stroke(points, width), colour, alpha)

    def shadow(self, x: float, y: float, rx: float, ry: float) -> None:
        """The soft shadow of a thing that stands on the ground."""
        self.lay(self.blurred(self.oval(x, y, rx, ry), 0.6), (20, 22, 20), 0.45)

    def grain(self, y0: float, y1: float, strength: float, cells: tuple[int, int]) -> None:
        """Light and dark patches between two heights: blades, waves, leaves."""
        band = self.box(-1, y0, 33, y1)
        self.times(1 + strength * soft_noise(self.rng, self.big, cells), band)


def scene(rng: Generator, label: int) -> np.ndarray:
    """One scene, uint8 (32, 32, 3)."""
    s = Scene(rng)
    DRAWERS[label](s, rng)
    lean = rng.uniform(-0.16, 0.16)
    light = rng.uniform(0.78, 1.12) * (1 + lean * (s.y / 16 - 1))
    s.times(light)
    pixels = s.finished()
    if rng.random() < 0.5:
        pixels = pixels[:, ::-1]
    # Twenty-four levels a channel: the eye hardly sees the steps at this size, and the file is half as large.
    return np.clip((pixels.astype(int) + 5) // 11 * 11, 0, 255).astype(np.uint8)


def near(rng: Generator, colour: RGB, spread: float = 0.12) -> RGB:
    """The colour, lighter or darker by chance, its hue hardly changed."""
    return toned(np.asarray(colour) + rng.normal(0, 5, 3), rng.uniform(1 - 2 * spread, 1 + spread))


def pick(rng: Generator, colours, spread: float = 0.12) -> RGB:
    return near(rng, colours[rng.integers(len(colours))], spread)


def sky(s: Scene, rng: Generator, horizon: float = 32, clouds: float = 0.6) -> tuple[RGB, RGB]:
    """The sky down to the horizon; gives its two colours."""
    kind = rng.choice(len(SKIES), p=[0.3, 0.22, 0.16, 0.14, 0.12, 0.06])
    top, low = near(rng, SKIES[kind][0], 0.1), near(rng, SKIES[kind][1], 0.06)
    s.fill(top, low, 0, horizon)
    if rng.random() < clouds:
        for _ in range(rng.integers(1, 4)):
            x, y, w = rng.uniform(0, 32), rng.uniform(1, horizon * 0.75), rng.uniform(4, 9)
            puffs = [s.oval(x + d * w * 0.4, y - rng.uniform(0, 1.2), w * 0.45,
                w * rng.uniform(0.14, 0.24)) for d in (-1, 0, 1)]
            s.lay(s.blurred(either(*puffs), 0.7), mixed(low, (255, 255, 255), 0.7), rng.uniform(0.5, 0.9))
    return top, low


def grass(s: Scene, rng: Generator, y0: float) -> RGB:
    """A meadow from y0 down; gives its colour."""
    green = pick(rng, GRASS)
    s.fill(toned(green, 1.12), toned(green, 0.82), y0, 32)
    s.grain(y0, 33, rng.uniform(0.05, 0.13), (int(rng.integers(10, 18)), int(rng.integers(6, 12))))
    return green


def trees(s: Scene, rng: Generator, base: float) -> None:
    """A row of tree crowns along the horizon."""
    green = near(rng, (52, 88, 44), 0.15)
    for x in np.arange(-1, 34, rng.uniform(2.4, 4)):
        r = rng.uniform(1.8, 4.2)
        s.piece(s.oval(x, base - r * 0.6, r, r), near(rng, green, 0.1), 0.5, 0.12)


def meadow(s: Scene, rng: Generator) -> float:
    """Sky, perhaps trees, and grass; gives the horizon."""
    horizon = rng.uniform(8, 17)
    kind = rng.random()
    sky(s, rng, horizon + 0.5)
    if kind < 0.55:
        trees(s, rng, horizon)
    elif kind < 0.75:
        hills = [(-2, horizon + 2), (6, horizon - rng.uniform(2, 5)), (16, horizon - 1),
            (25, horizon - rng.uniform(2, 6)), (36, horizon + 2)]
        s.piece(s.poly(hills), near(rng, (92, 112, 126)), 0.3)
    grass(s, rng, horizon)
    return horizon


def woods(s: Scene, rng: Generator) -> None:
    """A forest: dark green, trunks, a floor of leaves."""
    green = near(rng, (62, 92, 50), 0.2)
    s.fill(toned(green, 1.1), toned(green, 0.7))
    s.grain(0, 24, 0.2, (9, 7))
    for _ in range(rng.integers(3, 6)):
        x, w = rng.uniform(0, 32), rng.uniform(0.8, 2.4)
        s.piece(s.box(x, -1, x + w, rng.uniform(20, 25)), near(rng, (86, 66, 50)), 0.3, 0.15)
    floor = [near(rng, (134, 104, 64)), near(rng, (92, 122, 56))][rng.integers(2)]
    s.fill(toned(floor, 1.05), toned(floor, 0.8), rng.uniform(20, 24), 32)
    s.grain(21, 33, 0.1, (12, 10))


def room(s: Scene, rng: Generator) -> None:
    """Indoors: a pale wall and a wooden floor, or a rug, or a sofa."""
    wall = pick(rng, ((214, 202, 182), (188, 180, 172), (206, 190, 176), (176, 186, 186)))
    s.fill(toned(wall, 1.05), toned(wall, 0.85))
    edge = rng.uniform(17, 24)
    floor = pick(rng, ((156, 108, 68), (128, 86, 56), (178, 140, 98)))
    s.fill(toned(floor, 1.1), toned(floor, 0.8), edge, 32)
    for y in np.arange(edge + 2, 32, 2.6):
        s.line([(-1, y), (33, y)], 0.3, toned(floor, 0.72), 0.7)
    if rng.random() < 0.5:
        s.piece(s.box(-3, edge - 9, rng.uniform(10, 20), edge + 4, 2.5),
            pick(rng, ((150, 60, 54), (96, 104, 116), (190, 170, 140))), 0.35)


def road(s: Scene, rng: Generator) -> float:
    """Sky, a strip of trees, houses or desert, and a road; gives the height of the road's far edge."""
    edge = rng.uniform(15, 19)
    sky(s, rng, edge)
    kind = rng.random()
    if kind < 0.45:
        trees(s, rng, edge - 1)
    elif kind < 0.75:
        for x in np.arange(-2, 34, rng.uniform(5, 8)):
            h = rng.uniform(4, 12)
            s.piece(s.box(x, edge - h, x + rng.uniform(4, 7), edge),
                pick(rng, ((168, 122, 96), (176, 170, 160), (140, 140, 148))), 0.15, 0.08)
    if rng.random() < 0.6:
        grass(s, rng, edge - 1.5)
    else:
        sand = near(rng, (206, 178, 128))
        s.fill(sand, toned(sand, 0.85), edge - 1.5, 32)
    gray = near(rng, (112, 112, 116), 0.2)
    s.fill(toned(gray, 1.1), toned(gray, 0.85), edge + rng.uniform(2, 6), 32)
    s.grain(edge + 5, 33, 0.035, (8, 8))
    return edge


def airplane(s: Scene, rng: Generator) -> None:
    ground = rng.random() < 0.3
    if ground:
        horizon = rng.uniform(20, 24)
        sky(s, rng, horizon)
        grass(s, rng, horizon - 1)
        s.fill(near(rng, (132, 132, 136)), (100, 100, 104), horizon + 1.5, 32)
    else:
        sky(s, rng, 33, 0.75)
    y = 21 if ground else rng.uniform(13, 19)
    tilt = 0 if ground else rng.normal(-0.12, 0.22)
    size = rng.uniform(0.8, 1.08)
    body, paint = near(rng, (226, 230, 234), 0.06), pick(rng, PAINTS)

    def at(points):
        return turned(np.asarray(points, float) * size + (16, y), tilt, (16, y))

    s.piece(s.poly(at([(9, -1), (14, -7.5), (16, -7.5), (14.2, -0.2)]), smooth=False), paint)
    s.piece(s.poly(at([(-2, -1), (6.5, -6.5), (8.5, -6.5), (4, -0.5)]), smooth=False), toned(body, 0.72))
    hull = [(-14.5, 0.5), (-12.5, -1.5), (-8, -2.3), (6, -2.3), (14, -1.2), (15, -0.4), (8, 1.7), (-8, 2.1),
        (-12.5, 1.7)]
    hull_mask = s.poly(at(hull))
    s.piece(hull_mask, body, 0.5)
    s.lay(both(hull_mask, s.stroke(at([(-15, 1.0), (16, 0.6)]), 0.9)), paint, 0.85)
    s.line(at([(-9, -0.7), (9, -0.7)]), 0.6, (86, 104, 124), 0.8)
    s.spot(*at([(-12.2, -0.6)])[0], 0.8, (60, 74, 92))
    s.piece(s.poly(at([(-3.5, 0.3), (4, 0.3), (10.5, 7.5), (8, 7.5)]), smooth=False), toned(body, 0.86))
    s.piece(s.poly(at([(11, -0.6), (14, -0.6), (16.2, 1.6), (14.6, 1.6)]), smooth=False), toned(body, 0.8))
    s.piece(s.oval(*at([(0.5, 3.4)])[0], 2.1 * size, 1.1 * size, tilt), (120, 126, 134))
    if ground:
        for x in (-9, 1, 3.5):
            s.spot(*at([(x, 4.6 if x > 0 else 3.6)])[0], 0.9, (30, 30, 32))


def wheels(s: Scene, xs, y: float, r: float) -> None:
    for x in xs:
        s.spot(x, y, r, (28, 28, 30))
        s.spot(x, y, r * 0.5, (168, 170, 174))


def automobile(s: Scene, rng: Generator) -> None:
    edge = road(s, rng)
    paint, glass = pick(rng, PAINTS, 0.1), (70, 86, 100)
    base = rng.uniform(25, 27.5)
    s.shadow(16, base + 0.6, 13.5, 1.6)
    if rng.random() < 0.35:  # from the front
        wide, high = rng.uniform(9.5, 11.5), base - edge + rng.uniform(0, 3)
        for side in (-1, 1):
            s.lay(s.box(16 + side * wide * 0.8 - 1.6, base - 3, 16 + side * wide * 0.8 + 1.6, base + 0.8, 0.6),
                (26, 26, 28))
        roof = base - high
        s.piece(s.poly([(16 - wide * 0.6, roof), (16 + wide * 0.6, roof), (16 + wide * 0.86, base - high * 0.5),
            (16 - wide * 0.86, base - high * 0.5)], smooth=False), paint)
        s.piece(s.poly([(16 - wide * 0.54, roof + 0.8), (16 + wide * 0.54, roof + 0.8),
            (16 + wide * 0.74, base - high * 0.5), (16 - wide * 0.74, base - high * 0.5)], smooth=False), glass, 0.2)
        s.piece(s.box(16 - wide, base - high * 0.52, 16 + wide, base - 0.8, 1.8), paint, 0.45)
        s.lay(s.box(16 - wide * 0.45, base - high * 0.3, 16 + wide * 0.45, base - high * 0.16, 0.5), (40, 40, 44))
        for side in (-1, 1):
            s.spot(16 + side * wide * 0.74, base - high * 0.34, 1.5, (250, 246, 214), 1.1)
        return
    roof = rng.uniform(8.0, 10.0)
    cabin = [(7.5, -4.6), (11, -roof), (20, -roof), (25.5, -4.8)]
    s.piece(s.poly([(x, base + y) for x, y in cabin], smooth=False), paint)
    for x0, x1 in ((9.2, 15.0), (16.0, 23.4)):
        pane = [(max(x0, 9.6), -4.8), (max(x0 + 1.5, 11.6) if x0 < 12 else x0, -roof + 0.9),
            (x1 if x1 < 20 else 19.6, -roof + 0.9), (x1, -4.8)]
        s.piece(s.poly([(x, base + y) for x, y in pane], smooth=False), glass, 0.2)
    hull = [(2.2, -1.6), (2.4, -4.4), (7.5, -5.6), (25, -5.4), (29.5, -4.4), (30, -1.6), (28, -0.8), (4, -0.8)]
    s.piece(s.poly([(x, base + y) for x, y in hull]), paint, 0.5)
    s.spot(2.9, base - 3.6, 0.9, (252, 244, 200))
    s.spot(29.2, base - 3.6, 0.8, (200, 40, 36))
    wheels(s, (8.2, 23.8), base - 0.9, rng.uniform(2.2, 2.8))


def bird(s: Scene, rng: Generator) -> None:
    feather = pick(rng, ((128, 96, 66), (106, 98, 90), (84, 70, 58), (158, 132, 100), (150, 150, 148)), 0.15)
    beak, kind = (232, 156, 48), rng.random()
    if kind < 0.3:  # in flight
        sky(s, rng, 33, 0.5)
        x, y = rng.uniform(14, 18), rng.uniform(14, 19)
        up = rng.choice((-0.8, 0.6, 1.0)) * rng.uniform(0.85, 1.15)
        s.piece(s.poly([(x + 1, y), (x + 3, y - 8 * up - 2), (x + 12, y - 9 * up - 2), (x + 6, y - 2 * up + 1)]),
            toned(feather, 0.8))
        s.piece(s.poly([(x + 5, y + 0.5), (x + 11, y - 1), (x + 11.5, y + 2)], smooth=False), toned(feather, 0.7))
        s.piece(s.oval(x, y, 6.5, 2.6, -0.1), feather)
        s.piece(s.oval(x - 6, y - 0.8, 2.3, 2.0), feather)
        s.lay(s.poly([(x - 7.6, y - 1.4), (x - 10.6, y - 0.4), (x - 7.8, y + 0.2)], smooth=False), beak)
        s.piece(s.poly([(x - 3, y), (x - 3, y - 8 * up - 1), (x - 11, y - 11 * up - 1), (x + 3, y - 1)]),
            toned(feather, 1.08))
        s.spot(x - 6.5, y - 1.2, 0.5, (16, 16, 16))
        return
    if kind < 0.65:
        meadow(s, rng)
        ground = rng.uniform(25, 28)
    else:
        green = near(rng, (104, 142, 84), 0.25)
        s.fill(toned(green, 1.15), toned(green, 0.75))
        s.times(1 + 0.1 * s.coarse)
        ground = rng.uniform(24, 27)
        s.piece(s.stroke([(-2, ground + 2), (16, ground + 0.6), (34, ground + rng.uniform(-2, 2))], 2.0),
            near(rng, (96, 72, 52)), 0.4)
    x, y, r = rng.uniform(15, 18), ground - rng.uniform(7.5, 9), rng.uniform(4.8, 6.0)
    for d in (-1.2, 1.4):
        s.line([(x + d, y + r - 1), (x + d * 1.1, ground + 0.5)], 0.7, (150, 104, 56))
    s.piece(s.poly([(x + r - 1, y), (x + r + 7.5, y + 2.5), (x + r + 7, y + 4.6), (x + r - 2.5, y + 3)]),
        toned(feather, 0.72))
    s.piece(s.oval(x, y, r * 1.25, r * 0.9, 0.25), feather, 0.4, 0.08)
    s.lay(s.blurred(s.oval(x - r * 0.45, y + r * 0.35, r * 0.7, r * 0.5), 0.5), mixed(feather, (240, 226, 204), 0.65))
    s.piece(s.oval(x + r * 0.35, y + 0.3, r * 0.85, r * 0.48, 0.35), toned(feather, 0.7), 0.4, 0.08)
    hx, hy = x - r * 0.95, y - r * 0.85
    s.piece(s.oval(hx, hy, r * 0.62, r * 0.58), toned(feather, 1.05))
    s.lay(s.poly([(hx - r * 0.5, hy - 0.9), (hx - r * 0.5 - 3.2, hy + 0.5), (hx - r * 0.45, hy + 0.9)], smooth=False),
        beak)
    s.spot(hx - 0.9, hy - 0.5, 0.65, (14, 14, 14))


def cat_or_dog_place(s: Scene, rng: Generator) -> None:
    if rng.random() < 0.55:
        room(s, rng)
    else:
        meadow(s, rng)


def cat(s: Scene, rng: Generator) -> None:
    cat_or_dog_place(s, rng)
    fur = pick(rng, ((196, 132, 72), (128, 120, 112), (78, 70, 66), (170, 140, 104), (216, 204, 188)), 0.12)
    x, y, r = rng.uniform(14, 18), rng.uniform(11, 14), rng.uniform(6.2, 7.6)
    dark = toned(fur, 0.62)
    s.shadow(x + 1, 31, 10, 2)
    s.line([(x + 5, 29), (x + 11, 28), (x + 12.5, 21), (x + 10.5, 18)], np.array([2.4, 2.2, 1.8]), dark)
    s.piece(s.poly([(x - 4, y + 4), (x + 4, y + 4), (x + 8, 24), (x + 7.5, 31), (x - 7.5, 31), (x - 7.5, 24)]),
        toned(fur, 0.92), 0.35, 0.08)
    s.lay(s.blurred(s.oval(x, 24, 3.4, 5), 0.6), mixed(fur, (244, 234, 220), 0.7))
    for d in (-2.6, 2.6):
        s.piece(s.oval(x + d, 30.3, 2.1, 1.5), mixed(fur, (244, 234, 220), 0.5))
    for side in (-1, 1):
        ear = np.array([(2.0, -5.6), (6.6, -10.4), (7.0, -2.5)]) * (side * r / 7, r / 7) + (x, y)
        s.piece(s.poly(ear, smooth=False), fur)
        s.lay(s.poly((ear - ear.mean(axis=0)) * 0.5 + ear.mean(axis=0), smooth=False), (214, 150, 140))
    s.piece(s.oval(x, y, r * 1.08, r * 0.92), fur, 0.3, 0.06)
    if rng.random() < 0.6:  # a tabby's stripes
        for d in (-2, 0, 2):
            s.line([(x + d, y - r * 0.85), (x + d * 0.8, y - r * 0.45)], 0.7, dark, 0.85)
        for side in (-1, 1):
            for d in (0, 1.8):
                s.line([(x + side * r, y + d), (x + side * r * 0.66, y + d * 0.8)], 0.6, dark, 0.8)
    eye = pick(rng, ((150, 184, 72), (222, 186, 66), (110, 170, 190)))
    s.lay(s.oval(x, y + r * 0.42, r * 0.42, r * 0.32), mixed(fur, (248, 240, 230), 0.75))
    for side in (-1, 1):
        s.lay(s.oval(x + side * r * 0.45, y - r * 0.08, 1.5, 1.25), eye)
        s.lay(s.oval(x + side * r * 0.45, y - r * 0.08, 0.55, 1.15), (12, 12, 12))
    s.lay(s.poly([(x - 0.9, y + r * 0.24), (x + 0.9, y + r * 0.24), (x, y + r * 0.4)], smooth=False), (206, 116, 112))


def dog(s: Scene, rng: Generator) -> None:
    cat_or_dog_place(s, rng)
    fur = pick(rng, ((190, 144, 88), (128, 84, 52), (62, 52, 48), (224, 206, 174), (156, 112, 70)), 0.12)
    x, y, r = rng.uniform(14, 18), rng.uniform(11.5, 14), rng.uniform(6.0, 7.2)
    ear = toned(fur, 0.62)
    pale = mixed(fur, (246, 238, 226), rng.uniform(0.4, 0.85))
    s.shadow(x + 1, 31, 11, 2)
    s.piece(s.poly([(x - 5, y + 3), (x + 5, y + 3), (x + 8.5, 23), (x + 8.5, 32), (x - 8.5, 32), (x - 8.5, 23)]),
        toned(fur, 0.9), 0.35, 0.08)
    s.lay(s.blurred(s.oval(x, 24.5, 3.6, 6), 0.6), pale)
    for d in (-3.6, 3.6):
        s.piece(s.box(x + d - 1.9, 24, x + d + 1.9, 32, 1.8), fur, 0.3)
    if rng.random() < 0.5:
        s.line([(x - 5, y + r + 0.6), (x, y + r + 2.2), (x + 5, y + r + 0.6)], 1.3, pick(rng, PAINTS))
    s.piece(s.oval(x, y, r, r * 1.02), fur, 0.3, 0.06)
    for side in (-1, 1):  # hanging ears
        flap = np.array([(3.0, -6.6), (6.8, -5.2), (9.0, 1.5), (7.8, 5.8), (5.6, 3.0), (5.0, -2.5)]) * (side * r / 7,
            r / 7) + (x, y)
        s.piece(s.poly(flap), ear, 0.35, 0.08)
    s.piece(s.oval(x, y + r * 0.5, r * 0.6, r * 0.52), pale, 0.35)
    for side in (-1, 1):
        s.spot(x + side * r * 0.4, y - r * 0.18, 1.05, (30, 20, 16))
        s.spot(x + side * r * 0.4 - 0.3, y - r * 0.18 - 0.35, 0.35, (240, 240, 240))
    s.spot(x, y + r * 0.26, 1.7, (24, 20, 20), 1.2)
    s.line([(x - 1.7, y + r * 0.68), (x, y + r * 0.76), (x + 1.7, y + r * 0.68)], 0.5, (70, 40, 36))
    if rng.random() < 0.5:
        s.piece(s.oval(x, y + r * 0.98, 1.3, 1.7), (222, 112, 118), 0.2)


def four_legs(s: Scene, fur: RGB, x: float, y: float, long: float, deep: float, ground: float, width: float) -> None:
    """A body seen from the left, and its four legs; the far pair darker."""
    for dx, shade in ((-0.62, 0.66), (0.72, 0.66), (-0.84, 1.0), (0.92, 1.0)):
        hip = x + dx * long
        knee = hip + (0.5 if dx > 0 else -0.1)
        joint = [(hip, y + deep * 0.3), (knee, (y + ground) / 2 + 1), (hip - 0.2, ground)]
        s.line(joint, np.array([width * 1.6, width, width * 0.8]), toned(fur, shade * 0.92))
    body = [(-1.1, -0.5), (-0.6, -0.95), (0.2, -0.8), (0.9, -0.95), (1.15, -0.2), (1.0, 0.7), (0.2, 0.8), (-0.7, 0.95),
        (-1.1, 0.4)]
    s.piece(s.poly([(x + a * long, y + b * deep) for a, b in body]), fur, 0.45, 0.07)


def deer(s: Scene, rng: Generator) -> None:
    if rng.random() < 0.5:
        woods(s, rng)
    else:
        meadow(s, rng)
    fur = pick(rng, ((166, 112, 66), (142, 98, 62), (178, 134, 88)), 0.12)
    x, y, ground = rng.uniform(17, 19), rng.uniform(17.5, 19), rng.uniform(28.5, 30.5)
    s.shadow(x, ground, 9, 1.2)
    four_legs(s, fur, x, y, 7.0, 3.4, ground, 1.0)
    s.lay(s.oval(x + 7.8, y - 1.2, 1.0, 1.8, -0.3), (244, 238, 228))
    s.lay(s.blurred(s.oval(x, y + 2.3, 5, 1.0), 0.4), (226, 206, 178), 0.8)
    hx, hy = x - 10, y - rng.uniform(8.5, 10)
    s.piece(s.poly([(x - 4, y - 2.5), (x - 5, y + 2), (x - 8.5, y + 1), (hx - 0.6, hy + 2), (hx + 2.6, hy)]), fur, 0.4)
    s.lay(s.oval(hx + 2.6, hy - 2.0, 1.0, 2.2, 0.9), toned(fur, 0.8))
    s.piece(s.poly([(hx + 2.4, hy - 1.8), (hx + 2.2, hy + 1.8), (hx - 2.5, hy + 2.8), (hx - 4, hy + 2.0),
        (hx - 1.5, hy - 1.4)]), fur, 0.4)
    s.spot(hx - 3.6, hy + 2.0, 0.75, (30, 22, 20))
    s.spot(hx - 0.1, hy - 0.1, 0.65, (18, 14, 12))
    if rng.random() < 0.65:
        horn = (196, 170, 130)
        for lean in (-1, 1):
            tip = (hx + 1.5 + lean * 3.6, hy - 8)
            s.line([(hx + 0.8, hy - 1.6), (hx + 1.2 + lean * 3.4, hy - 4.2), tip], 0.75, horn)
            s.line([(hx + 1.2 + lean * 2.2, hy - 3.4), (hx + 1.0 + lean * 1.0, hy - 6.6)], 0.65, horn)
            s.line([(hx + 1.2 + lean * 3.4, hy - 4.2), (hx + 1.4 + lean * 5.4, hy - 5.6)], 0.6, horn)
    if rng.random() < 0.5:
        for _ in range(9):
            s.spot(x + rng.uniform(-5, 6), y + rng.uniform(-2.4, 0.6), 0.45, (240, 226, 200))


def frog(s: Scene, rng: Generator) -> None:
    green = pick(rng, ((96, 160, 56), (128, 180, 64), (70, 130, 58), (140, 150, 60)), 0.14)
    place = rng.random()
    if place < 0.45:  # on a leaf in a pond
        water = near(rng, (56, 92, 112), 0.15)
        s.fill(toned(water, 1.15), toned(water, 0.8))
        s.grain(0, 33, 0.08, (4, 12))
        s.piece(s.oval(16, 27, rng.uniform(12, 15.5), rng.uniform(4.5, 6)), near(rng, (64, 118, 58)), 0.3, 0.06)
    else:
        floor = pick(rng, ((128, 102, 72), (104, 84, 62), (148, 128, 98)))
        s.fill(toned(floor, 1.1), toned(floor, 0.75))
        s.grain(0, 33, 0.13, (9, 9))
    x, y, r = rng.uniform(14.5, 17.5), rng.uniform(16, 18.5), rng.uniform(7.2, 8.8)
    belly = mixed(green, (240, 240, 190), 0.6)
    s.shadow(x, y + r * 1.05, r * 1.5, 2)
    for side in (-1, 1):
        s.piece(s.oval(x + side * r * 1.05, y + r * 0.55, r * 0.55, r * 0.42, side * 0.5), toned(green, 0.8), 0.4)
        s.line([(x + side * r * 0.7, y + r * 0.8), (x + side * r * 1.5, y + r * 1.02)], 1.6, toned(green, 0.9))
    s.piece(s.oval(x, y + r * 0.42, r * 0.95, r * 0.72), green, 0.35, 0.08)
    s.lay(s.blurred(s.oval(x, y + r * 0.66, r * 0.6, r * 0.42), 0.5), belly)
    for side in (-1, 1):
        s.line([(x + side * r * 0.42, y + r * 0.5), (x + side * r * 0.5, y + r * 1.05),
            (x + side * r * 0.75, y + r * 1.14)], 1.5, toned(green, 0.86))
        s.piece(s.oval(x + side * r * 0.5, y - r * 0.58, r * 0.34, r * 0.34), green, 0.4)
    s.piece(s.oval(x, y - r * 0.12, r * 0.96, r * 0.58), green, 0.35, 0.08)
    for side in (-1, 1):
        s.spot(x + side * r * 0.5, y - r * 0.62, r * 0.23, (236, 208, 84))
        s.spot(x + side * r * 0.5, y - r * 0.62, r * 0.12, (14, 14, 12))
    s.line([(x - r * 0.72, y + r * 0.0), (x, y + r * 0.2), (x + r * 0.72, y + r * 0.0)], 0.7, toned(green, 0.42))
    for _ in range(rng.integers(0, 7)):
        s.spot(x + rng.uniform(-0.6, 0.6) * r, y - rng.uniform(0.15, 0.45) * r, rng.uniform(0.5, 0.9),
            toned(green, 0.65))


def horse(s: Scene, rng: Generator) -> None:
    meadow(s, rng)
    fur = pick(rng, ((134, 78, 46), (98, 62, 42), (62, 48, 42), (216, 208, 196), (168, 116, 68)), 0.12)
    mane = toned(fur, 0.45) if sum(fur) < 500 else toned(fur, 0.8)
    x, y, ground = rng.uniform(17, 18.5), rng.uniform(16.5, 18), rng.uniform(28.5, 30.5)
    s.shadow(x, ground, 10, 1.3)
    s.line([(x + 8, y - 2.5), (x + 11, y), (x + 10.8, y + 6.5)], np.array([1.6, 2.4, 1.2]), mane)
    four_legs(s, fur, x, y, 7.8, 4.2, ground, 1.4)
    hx, hy = x - 10.5, y - rng.uniform(7.5, 9.5)
    s.piece(s.poly([(x - 3.5, y - 3.6), (x - 5, y + 2.5), (x - 8.8, y + 1.2), (hx + 0.2, hy + 2.5),
        (hx + 3.2, hy - 1.4)]), fur, 0.4)
    s.line([(x - 3.6, y - 4.2), (x - 6, y - 7), (hx + 3.4, hy - 1.6)], np.array([1.4, 2.2, 1.6]), mane)
    s.lay(s.poly([(hx + 1.4, hy - 1.2), (hx + 2.5, hy - 4.2), (hx + 3.6, hy - 1.0)], smooth=False), fur)
    s.piece(s.poly([(hx + 3.2, hy - 2), (hx + 2.6, hy + 2), (hx - 2.8, hy + 5.2), (hx - 4.6, hy + 4.4),
        (hx - 4, hy + 2.2), (hx, hy - 1.8)]), fur, 0.4)
    s.spot(hx - 3.6, hy + 4.0, 0.55, (26, 20, 18))
    s.spot(hx + 0.6, hy - 0.1, 0.65, (14, 12, 10))
    if rng.random() < 0.4:
        s.line([(hx - 0.6, hy - 0.8), (hx - 3.2, hy + 2.4)], 0.8, (240, 236, 230))


def ship(s: Scene, rng: Generator) -> None:
    horizon = rng.uniform(15, 20)
    top, low = sky(s, rng, horizon + 0.5)
    sea = mixed(near(rng, (34, 92, 140), 0.15), top, 0.25)
    s.fill(mixed(sea, low, 0.3), toned(sea, 0.75), horizon, 32)
    s.grain(horizon, 33, rng.uniform(0.06, 0.14), (int(rng.integers(3, 6)), int(rng.integers(10, 16))))
    if rng.random() < 0.25:
        s.piece(s.poly([(-3, horizon + 0.4), (4, horizon - 3), (10, horizon - 2), (16, horizon + 0.4)]),
            near(rng, (110, 124, 110)), 0.3)
    x, water = rng.uniform(14, 18), horizon + rng.uniform(4, 7)
    size = rng.uniform(0.8, 1.05)

    def at(points):
        return np.asarray(points, float) * size + (x, water)

    paint = pick(rng, ((60, 66, 78), (150, 48, 42), (36, 58, 104), (232, 232, 230), (70, 84, 80)))
    s.lay(s.blurred(s.box(*at([(-11, 0)])[0], *at([(11, 4)])[0], 1), 0.6), toned(mixed(sea, paint, 0.3), 0.55), 0.6)
    hull = s.poly(at([(-13.5, -5), (13.5, -4.4), (11, 0.6), (-10, 0.6)]), smooth=False)
    if rng.random() < 0.45:  # a sailing boat
        s.line(at([(0, -4), (0, -20)]), 0.7, (120, 88, 58))
        cloth = near(rng, (242, 240, 232), 0.05)
        s.piece(s.poly(at([(0.7, -19.5), (0.7, -6), (10, -6.2), (6, -12)])), cloth, 0.25)
        s.piece(s.poly(at([(-0.8, -18), (-0.8, -6), (-9, -6), (-4, -12)])), toned(cloth, 0.9), 0.25)
    else:
        white = near(rng, (236, 236, 232), 0.05)
        s.piece(s.box(*at([(-3, -9)])[0], *at([(10, -4)])[0]), white, 0.25)
        s.piece(s.box(*at([(0.5, -12)])[0], *at([(8.5, -8.6)])[0]), toned(white, 0.93), 0.25)
        s.line(at([(1.5, -10.4), (7.5, -10.4)]), 0.8, (70, 84, 100))
        s.line(at([(-2, -6.8), (9, -6.8)]), 0.6, (92, 106, 120))
        s.piece(s.box(*at([(4, -16)])[0], *at([(6.6, -11.8)])[0]), pick(rng, PAINTS), 0.3)
        s.line(at([(-7, -5), (-7, -13)]), 0.5, (90, 90, 92))
        if rng.random() < 0.4:
            for k in range(3):
                s.piece(s.box(*at([(-11.5 + 2.8 * k, -8)])[0], *at([(-9 + 2.8 * k, -5)])[0]), pick(rng, PAINTS), 0.2)
    s.piece(hull, paint, 0.35)
    s.lay(both(hull, s.stroke(at([(-14, -4.2), (14, -3.7)]), 0.8)), (240, 240, 238), 0.85)
    s.lay(both(hull, s.box(0, *at([(0, -0.9)])[0][1:], 32, 32)), (140, 44, 38), 0.9)
    s.line(at([(-11.5, 0.9), (0, 1.1), (12, 0.9)]), 0.6, (226, 236, 240), 0.8)


def truck(s: Scene, rng: Generator) -> None:
    road(s, rng)
    paint, box = pick(rng, PAINTS, 0.1), pick(rng, PAINTS + ((235, 235, 232),) * 5, 0.08)
    base = rng.uniform(26, 28)
    high = rng.uniform(14, 17)
    s.shadow(16, base + 0.8, 14.5, 1.6)
    s.lay(s.box(3, base - 3.2, 30, base - 1.4), (44, 44, 48))
    cab, kind = rng.uniform(8.2, 10), rng.random()
    if kind < 0.7:
        s.piece(s.box(cab + 1.6, base - high, 30.8, base - 2.8, 0.4), box, 0.25, 0.03)
        if rng.random() < 0.5:
            s.lay(s.box(cab + 2.0, base - high * 0.6, 30.6, base - high * 0.42), paint, 0.9)
    else:  # an open bed with its load
        s.piece(s.oval(21, base - 8, 8, 4.5), near(rng, (156, 124, 84)), 0.4, 0.12)
        s.piece(s.box(cab + 1.6, base - 8, 30.8, base - 2.8, 0.4), box, 0.25)
    roof = base - rng.uniform(11, 12.5)
    s.piece(s.poly([(1.4, base - 1.6), (1.4, base - 6.6), (3.2, roof), (cab + 1, roof), (cab + 1, base - 1.6)],
        smooth=False), paint, 0.4)
    s.piece(s.poly([(2.6, base - 6.8), (4.0, roof + 1), (cab - 0.4, roof + 1), (cab - 0.4, base - 6.8)], smooth=False),
        (72, 88, 104), 0.2)
    s.spot(2.0, base - 3.4, 0.8, (252, 244, 200))
    wheels(s, (6.0, 22.2, 27.0), base - 0.6, 2.3)


DRAWERS = (airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck)
