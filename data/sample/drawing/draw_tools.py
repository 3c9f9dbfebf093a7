"""What the drawing scripts share: smooth curves, an anti-aliased canvas, soft noise, safe saving."""

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageChops, ImageDraw, ImageFilter

Points = Sequence[tuple[float, float]] | np.ndarray
Colour = tuple[int, int, int] | int


def curve(points: Points, steps: int = 12, closed: bool = False) -> np.ndarray:
    """A smooth (Catmull-Rom) curve through points, as (n, 2) floats. A point given twice running is a sharp corner."""
    pts = np.asarray(points, float)
    if closed:
        return _catmull_rom(np.vstack([pts[-1:], pts, pts[:2]]), steps)
    corners = np.flatnonzero((pts[1:] == pts[:-1]).all(axis=1)) + 1
    runs = [run for run in np.split(pts, corners) if len(run) > 1]
    return np.vstack([_catmull_rom(np.vstack([2 * r[0] - r[1], r, 2 * r[-1] - r[-2]]), steps) for r in runs])


def _catmull_rom(p: np.ndarray, steps: int) -> np.ndarray:
    """The curve through p[1:-1]; the first and last point only give the direction at the ends."""
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    a, b, c, d = (p[k : len(p) - 3 + k, None, :] for k in range(4))
    path = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.vstack([path.reshape(-1, 2), p[-2:-1]])


def mirrored(right: Points, centre: float) -> np.ndarray:
    """The closed outline whose right half (top to bottom, x measured from the centre) is given."""
    half = np.asarray(right, float)
    return np.vstack([half * (1, 1) + (centre, 0), half[::-1] * (-1, 1) + (centre, 0)])


def turned(points: Points, angle: float, centre: tuple[float, float], scale: float = 1.0) -> np.ndarray:
    """The points turned by angle (radians, clockwise on the screen) and scaled about the centre."""
    c, s = np.cos(angle), np.sin(angle)
    return (np.asarray(points, float) - centre) @ np.array([[c, s], [-s, c]]) * scale + centre


def soft_noise(rng: Generator, size: int, cells: int | tuple[int, int]) -> np.ndarray:
    """Smooth random hills, (size, size) floats of mean about 0 and standard deviation 1; cells as (across, down)."""
    across, down = (cells, cells) if isinstance(cells, int) else cells
    grid = Image.fromarray(rng.standard_normal((down + 1, across + 1)).astype(np.float32))
    hills = np.asarray(grid.resize((size, size), Image.Resampling.BICUBIC))
    return (hills - hills.mean()) / (hills.std() + 1e-6)


def mixed(a: Sequence[float], b: Sequence[float], share: float) -> tuple[int, int, int]:
    """The colour between a (share 0) and b (share 1)."""
    return tuple(round(float(x + (y - x) * share)) for x, y in zip(a, b, strict=True))


def toned(rgb: Sequence[float], factor: float) -> tuple[int, int, int]:
    """The colour made lighter (factor above 1) or darker."""
    return tuple(min(max(round(float(x * factor)), 0), 255) for x in rgb)


class Canvas:
    """A picture drawn `scale` times too large and then reduced, so that its edges are smooth.

    All positions are in pixels of the finished picture, less a margin. Masks are "L" images of the large size.
    """

    def __init__(self, size: int, scale: int, mode: str = "RGB", margin: int = 0) -> None:
        self.size, self.scale, self.big, self.margin = size, scale, size * scale, margin
        self.picture = Image.new(mode, (self.big, self.big))

    def blank(self) -> Image.Image:
        return Image.new("L", (self.big, self.big))

    def poly(self, points: Points, smooth: bool = True) -> Image.Image:
        """The mask of a filled outline."""
        outline = curve(points, 8, closed=True) if smooth else np.asarray(points, float)
        mask = self.blank()
        ImageDraw.Draw(mask).polygon([tuple(p) for p in (outline + self.margin) * self.scale], fill=255)
        return mask

    def oval(self, x: float, y: float, rx: float, ry: float, angle: float = 0.0) -> Image.Image:
        """The mask of an ellipse, turned by angle (radians)."""
        t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        ring = np.stack([x + rx * np.cos(t), y + ry * np.sin(t)], axis=1)
        return self.poly(turned(ring, angle, (x, y)), smooth=False)

    def box(self, x0: float, y0: float, x1: float, y1: float, radius: float = 0.0) -> Image.Image:
        """The mask of a rectangle with rounded corners."""
        mask = self.blank()
        edges = [(v + self.margin) * self.scale for v in (x0, y0, x1, y1)]
        if edges[2] > edges[0] and edges[3] > edges[1]:
            ImageDraw.Draw(mask).rounded_rectangle(edges, radius * self.scale, fill=255)
        return mask

    def stroke(self, points: Points, width: float | np.ndarray, smooth: bool = True) -> Image.Image:
        """The mask of a line with round ends; width may be one number or run along the line (first to last)."""
        mask = self.blank()
        draw = ImageDraw.Draw(mask)
        path = (curve(points) if smooth else np.asarray(points, float)) + self.margin
        path = path * self.scale
        widths = np.interp(np.linspace(0, 1, len(path)), np.linspace(0, 1, np.size(width)), np.atleast_1d(width))
        radii = widths * self.scale / 2
        for (ax, ay), (bx, by), r in zip(path[:-1], path[1:], radii[:-1], strict=True):
            draw.line((ax, ay, bx, by), fill=255, width=max(1, round(2 * r)))
        for (x, y), r in zip(path, radii, strict=True):
            draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
        return mask

    def blurred(self, mask: Image.Image, radius: float) -> Image.Image:
        """The mask with soft edges; only the part that can change is filtered, which saves most of the time."""
        if not (inner := mask.getbbox()):
            return mask
        radius *= self.scale
        reach = int(3 * radius) + 1
        low, high = (max(v - reach, 0) for v in inner[:2]), (min(v + reach, self.big) for v in inner[2:])
        box = (*low, *high)
        out = self.blank()
        out.paste(mask.crop(box).filter(ImageFilter.GaussianBlur(radius)), box)
        return out

    def shifted(self, mask: Image.Image, dx: float, dy: float) -> Image.Image:
        """The mask moved by whole large pixels; what comes in from outside is empty."""
        moved = self.blank()
        moved.paste(mask, (round(dx * self.scale), round(dy * self.scale)))
        return moved

    def lay(self, mask: Image.Image, colour: Colour | Image.Image, alpha: float = 1.0) -> None:
        """Paint the colour (or another picture) through the mask."""
        if not (box := mask.getbbox()):
            return
        mask = mask.crop(box)
        if alpha < 1:
            mask = mask.point([int(v * alpha + 0.5) for v in range(256)])
        self.picture.paste(colour.crop(box) if isinstance(colour, Image.Image) else colour, box, mask)

    def times(self, factor: np.ndarray, mask: Image.Image | None = None) -> None:
        """Multiply the picture by a (big, big) factor, where the mask is."""
        box = mask.getbbox() if mask else (0, 0, self.big, self.big)
        if not box:
            return
        pixels = np.asarray(self.picture.crop(box), np.float32)
        factor = factor[box[1] : box[3], box[0] : box[2]].astype(np.float32)
        lit = pixels * (factor if pixels.ndim == 2 else factor[..., None])
        self.picture.paste(Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8)), box, mask and mask.crop(box))

    def finished(self) -> np.ndarray:
        """The picture at its final size, uint8."""
        return np.asarray(self.picture.reduce(self.scale))


def both(*masks: Image.Image) -> Image.Image:
    """Where all the masks are."""
    out = masks[0]
    for mask in masks[1:]:
        out = ImageChops.multiply(out, mask)
    return out


def either(*masks: Image.Image) -> Image.Image:
    """Where any of the masks is."""
    out = masks[0]
    for mask in masks[1:]:
        out = ImageChops.lighter(out, mask)
    return out


def without(mask: Image.Image, hole: Image.Image) -> Image.Image:
    """The first mask less the second."""
    return ImageChops.multiply(mask, ImageChops.invert(hole))


def save_npz(path: Path, **arrays: np.ndarray) -> None:
    """Write an .npz; the final name appears only when the file is whole.

    np.load reads it like any other. It is packed with LZMA, for the coloured scenes come out a quarter smaller than
    with the deflate of np.savez_compressed.
    """
    partial = path.with_name(path.name + ".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_LZMA) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
    os.replace(partial, path)


def save_jpeg(path: Path, pixels: np.ndarray, quality: int) -> None:
    """Write a JPEG; the final name appears only when the file is whole."""
    partial = path.with_name(path.name + ".partial")
    Image.fromarray(pixels).save(partial, "JPEG", quality=quality, optimize=True)
    os.replace(partial, path)
