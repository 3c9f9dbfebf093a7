"""Handwritten-looking digits, 28 x 28, white on black, as in MNIST: pen strokes, and some bent printed figures."""

from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from draw_tools import Canvas, curve, soft_noise
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter, map_coordinates

# Each digit: the ways to write it; each way: its strokes; each stroke: points that the pen passes, in a box of
# height 1 (y downwards). A point given twice is a sharp corner.
BOWL = [(0.36, 0.37), (0.57, 0.50), (0.60, 0.76), (0.38, 0.98), (0.03, 0.93)]
WAYS: dict[int, list[list[list[tuple[float, float]]]]] = {
    0: [
        [[(0.38, 0.02), (0.12, 0.16), (0.02, 0.50), (0.12, 0.86), (0.36, 0.99), (0.60, 0.84), (0.68, 0.48),
          (0.58, 0.14), (0.36, 0.02), (0.26, 0.05)]],
        [[(0.44, 0.06), (0.20, 0.06), (0.03, 0.36), (0.06, 0.80), (0.30, 1.00), (0.58, 0.82), (0.66, 0.42),
          (0.52, 0.08), (0.32, 0.02)]],
    ],
    1: [
        [[(0.32, 0.00), (0.30, 0.50), (0.28, 1.00)]],
        [[(0.30, 0.00), (0.31, 0.50), (0.30, 1.00)]],
        [[(0.10, 0.24), (0.22, 0.13), (0.33, 0.00), (0.33, 0.00), (0.32, 0.50), (0.31, 1.00)]],
        [[(0.12, 0.20), (0.32, 0.01), (0.32, 0.01), (0.31, 0.98)], [(0.10, 0.99), (0.31, 0.98), (0.52, 0.98)]],
    ],
    2: [
        [[(0.06, 0.24), (0.16, 0.06), (0.38, 0.01), (0.58, 0.14), (0.56, 0.38), (0.34, 0.68), (0.04, 0.97),
          (0.04, 0.97), (0.35, 0.94), (0.68, 0.97)]],
        [[(0.08, 0.20), (0.25, 0.03), (0.50, 0.05), (0.58, 0.28), (0.42, 0.60), (0.16, 0.92), (0.03, 0.91),
          (0.08, 0.78), (0.25, 0.82), (0.46, 0.96), (0.70, 0.90)]],
        [[(0.05, 0.14), (0.30, 0.01), (0.55, 0.12), (0.52, 0.40), (0.28, 0.72), (0.06, 0.94), (0.06, 0.94),
          (0.28, 0.88), (0.46, 0.96), (0.66, 0.94)]],
    ],
    3: [
        [[(0.06, 0.14), (0.25, 0.01), (0.50, 0.07), (0.55, 0.25), (0.42, 0.42), (0.22, 0.47), (0.22, 0.47),
          (0.48, 0.53), (0.62, 0.73), (0.50, 0.94), (0.25, 1.00), (0.02, 0.88)]],
        [[(0.08, 0.08), (0.32, 0.01), (0.54, 0.14), (0.48, 0.36), (0.30, 0.45), (0.50, 0.54), (0.62, 0.74),
          (0.48, 0.95), (0.22, 0.99), (0.03, 0.92)]],
        [[(0.05, 0.04), (0.30, 0.03), (0.56, 0.03), (0.56, 0.03), (0.28, 0.40), (0.28, 0.40), (0.52, 0.50),
          (0.62, 0.72), (0.50, 0.93), (0.25, 1.00), (0.02, 0.90)]],
    ],
    4: [
        [[(0.12, 0.02), (0.08, 0.30), (0.03, 0.57), (0.03, 0.57), (0.34, 0.58), (0.70, 0.55)],
         [(0.54, 0.06), (0.52, 0.50), (0.47, 1.00)]],
        [[(0.48, 0.00), (0.26, 0.32), (0.02, 0.64), (0.02, 0.64), (0.36, 0.65), (0.70, 0.64)],
         [(0.50, 0.02), (0.49, 0.50), (0.47, 1.00)]],
        [[(0.08, 0.04), (0.05, 0.34), (0.16, 0.52), (0.38, 0.52), (0.55, 0.38)],
         [(0.60, 0.02), (0.55, 0.45), (0.50, 1.00)]],
    ],
    5: [
        [[(0.15, 0.04), (0.12, 0.22), (0.09, 0.42), (0.09, 0.42), *BOWL], [(0.14, 0.04), (0.38, 0.04), (0.64, 0.02)]],
        [[(0.62, 0.02), (0.40, 0.03), (0.18, 0.04), (0.18, 0.04), (0.12, 0.42), (0.12, 0.42), *BOWL]],
        [[(0.62, 0.03), (0.24, 0.04), (0.24, 0.04), (0.12, 0.40), (0.34, 0.42), (0.55, 0.58), (0.52, 0.86),
          (0.28, 0.99), (0.04, 0.90)]],
    ],
    6: [
        [[(0.50, 0.02), (0.26, 0.16), (0.08, 0.46), (0.04, 0.76), (0.20, 0.98), (0.46, 0.95), (0.58, 0.74),
          (0.45, 0.54), (0.22, 0.58), (0.07, 0.78)]],
        [[(0.36, 0.00), (0.18, 0.28), (0.06, 0.62), (0.12, 0.92), (0.36, 1.00), (0.56, 0.84), (0.48, 0.60),
          (0.28, 0.58), (0.10, 0.76)]],
        [[(0.56, 0.06), (0.34, 0.04), (0.12, 0.32), (0.03, 0.68), (0.18, 0.97), (0.44, 0.96), (0.56, 0.76),
          (0.42, 0.58), (0.20, 0.64), (0.08, 0.82)]],
    ],
    7: [
        [[(0.03, 0.05), (0.32, 0.05), (0.64, 0.03), (0.64, 0.03), (0.44, 0.42), (0.26, 1.00)]],
        [[(0.03, 0.06), (0.32, 0.05), (0.62, 0.03), (0.62, 0.03), (0.42, 0.45), (0.28, 1.00)],
         [(0.16, 0.52), (0.38, 0.50), (0.60, 0.48)]],
        [[(0.04, 0.20), (0.06, 0.05), (0.06, 0.05), (0.34, 0.05), (0.62, 0.04), (0.62, 0.04), (0.46, 0.40),
          (0.34, 1.00)]],
        [[(0.02, 0.12), (0.24, 0.03), (0.56, 0.06), (0.58, 0.22), (0.42, 0.52), (0.26, 1.00)]],
    ],
    8: [
        [[(0.52, 0.10), (0.30, 0.00), (0.09, 0.12), (0.13, 0.32), (0.34, 0.47), (0.56, 0.68), (0.52, 0.92),
          (0.28, 1.00), (0.05, 0.88), (0.08, 0.66), (0.32, 0.46), (0.54, 0.28), (0.52, 0.10)]],
        [[(0.30, 0.00), (0.10, 0.10), (0.10, 0.34), (0.30, 0.46), (0.50, 0.34), (0.50, 0.10), (0.30, 0.00)],
         [(0.30, 0.46), (0.05, 0.60), (0.05, 0.88), (0.30, 1.00), (0.56, 0.88), (0.56, 0.60), (0.30, 0.46)]],
    ],
    9: [
        [[(0.55, 0.18), (0.38, 0.02), (0.14, 0.08), (0.04, 0.30), (0.16, 0.49), (0.40, 0.44), (0.56, 0.16),
          (0.56, 0.16), (0.54, 0.55), (0.48, 1.00)]],
        [[(0.54, 0.16), (0.34, 0.01), (0.10, 0.10), (0.04, 0.32), (0.18, 0.50), (0.42, 0.44), (0.56, 0.20),
          (0.58, 0.55), (0.44, 0.94), (0.14, 0.97)]],
        [[(0.50, 0.08), (0.26, 0.02), (0.06, 0.24), (0.16, 0.46), (0.40, 0.40), (0.54, 0.10), (0.54, 0.10),
          (0.46, 0.55), (0.34, 1.00)]],
    ],
}
# Faces whose figures come near to handwriting; all come with matplotlib, so every machine has the same.
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Oblique.ttf", "DejaVuSerif-Italic.ttf", "STIXGeneralItalic.ttf",
         "STIXGeneral.ttf", "cmr10.ttf", "cmti10.ttf", "cmss10.ttf")
PRINTED_SHARE = 0.15
SCALE = 8


def digit(rng: Generator, label: int) -> np.ndarray:
    """One digit, uint8 (28, 28), its centre of mass near the middle."""
    big = printed(rng, label) if rng.random() < PRINTED_SHARE else written(rng, label)
    rows, columns = np.indices(big.shape)
    weight = big.sum()
    middle = np.array([(rows * big).sum(), (columns * big).sum()]) / weight
    target = SCALE * (14 + np.clip(rng.normal(0, 0.5, 2), -1, 1))
    moved = np.zeros_like(big)
    dy, dx = np.round(target - middle).astype(int)
    ys, xs = np.nonzero(big > 8)
    dy = np.clip(dy, -ys.min(), big.shape[0] - 1 - ys.max())
    dx = np.clip(dx, -xs.min(), big.shape[1] - 1 - xs.max())
    moved[ys + dy, xs + dx] = big[ys, xs]
    small = np.asarray(Image.fromarray(moved.astype(np.uint8)).reduce(SCALE), float)
    # As in MNIST, the core of a stroke is full white, and the faintest rim is black.
    return np.clip((small - 10) * 1.12, 0, 255).astype(np.uint8)


def written(rng: Generator, label: int) -> np.ndarray:
    """A digit drawn with a pen, floats 0..255 of shape (224, 224), in the middle."""
    ways = WAYS[label]
    strokes = [hand(rng, np.array(stroke)) for stroke in ways[rng.integers(len(ways))]]
    strokes = slanted(rng, strokes, label)
    pen = float(np.clip(rng.normal(2.5, 0.55), 1.5, 4.0))
    every = np.vstack(strokes)
    low, high = every.min(axis=0), every.max(axis=0)
    zoom = (rng.uniform(18.6, 20.2) - pen) / (high - low).max()
    canvas = Canvas(28, SCALE, "L")
    for stroke in strokes:
        pressure = pen * (1 + 0.13 * rng.standard_normal(4))
        pressure[-1] *= rng.uniform(0.65, 1.0)
        path = (stroke - (low + high) / 2) * zoom + 14
        canvas.lay(canvas.stroke(path, np.maximum(pressure, 1.1), smooth=False), 255)
    return np.asarray(canvas.picture, float)


def hand(rng: Generator, points: np.ndarray) -> np.ndarray:
    """The pen's path through the points, each missed by a little."""
    missed = points + rng.normal(0, 0.025, points.shape)
    same = np.flatnonzero((points[1:] == points[:-1]).all(axis=1)) + 1
    missed[same] = missed[same - 1]
    return curve(missed, 14)


def slanted(rng: Generator, strokes: list[np.ndarray], label: int) -> list[np.ndarray]:
    """The strokes of one digit, made narrower or wider, slanted, turned and gently bent together."""
    lean, turn = rng.normal(0.14, 0.16), rng.normal(0, 0.07)
    width = rng.uniform(0.8, 1.25) if label != 1 else rng.uniform(0.5, 1.1)
    c, s = np.cos(turn), np.sin(turn)
    shape = np.array([[width, 0], [-lean, 1]]) @ np.array([[c, s], [-s, c]])
    waves = rng.uniform(2, 6, (2, 2)), rng.uniform(0, 2 * np.pi, 2), rng.uniform(0.0, 0.028, 2)

    def bent(p: np.ndarray) -> np.ndarray:
        frequency, phase, height = waves
        return p + height * np.sin(p @ frequency + phase)

    return [bent(stroke @ shape) for stroke in strokes]


@cache
def _font(name: str) -> ImageFont.FreeTypeFont:
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", name)
    return ImageFont.truetype(str(path), 150, layout_engine=ImageFont.Layout.BASIC)


def printed(rng: Generator, label: int) -> np.ndarray:
    """A printed figure, bent as a hand would, floats 0..255 of shape (224, 224), in the middle."""
    size = 28 * SCALE
    page = Image.new("L", (size, size))
    font = _font(FONTS[rng.integers(len(FONTS))])
    bold = int(rng.integers(2, 6))  # thickens the hairlines, which would break otherwise
    ImageDraw.Draw(page).text(
        (size / 2, size / 2), str(label), fill=255, font=font, anchor="mm", stroke_width=bold, stroke_fill=255
    )
    y, x = np.indices((size, size)) - size / 2
    turn, lean = rng.normal(0, 0.08), rng.normal(0.05, 0.13)
    bend = [soft_noise(rng, size, 5) * rng.uniform(2, 5) for _ in range(2)]
    u = np.cos(turn) * x + np.sin(turn) * y + lean * y + bend[0]
    v = -np.sin(turn) * x + np.cos(turn) * y + bend[1]
    ink = map_coordinates(np.asarray(page, float), [v + size / 2, u + size / 2], order=1)
    # Blurring and cutting again rounds the serifs off; the level of the cut makes the stroke thick or thin.
    ink = gaussian_filter(ink, 4.0) > rng.uniform(75, 130)
    ys, xs = np.nonzero(ink)
    figure = Image.fromarray((ink[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1] * 255).astype(np.uint8))
    zoom = rng.uniform(18.5, 20) * SCALE / max(figure.size)
    width, height = (max(1, round(side * zoom)) for side in figure.size)
    page = Image.new("L", (size, size))
    page.paste(figure.resize((width, height)), ((size - width) // 2, (size - height) // 2))
    return np.asarray(page, float)
