"""Brightness and colour apart, and together again.

Two ways to say what is left of a picture when its gray value is taken away: chroma (Cb, Cr), which belongs to the very
gray of `corruptions.grayscale`, so that gray and chroma give the picture back exactly; and CIE Lab's (a, b), in which
equal distances look about equally different. Images are float32 in [0, 1], shape (N, H, W, C).
"""

import warnings
from collections.abc import Callable

import numpy as np
from PIL import Image
from scipy.ndimage import zoom
from skimage.color import lab2rgb, rgb2lab

from .corruptions import grayscale

CB, CR = 1.772, 1.402  # BT.601, full range: Cb = (B - Y) / 1.772, Cr = (R - Y) / 1.402


def to_chroma(rgb: np.ndarray) -> np.ndarray:
    """Cb and Cr of colour images (BT.601, full range): (N, H, W, 3) in [0, 1] to (N, H, W, 2) in [-0.5, 0.5].

    Zero is gray. Notebook 03.
    """
    gray = grayscale(rgb)
    return np.concatenate([(rgb[..., 2:] - gray) / CB, (rgb[..., :1] - gray) / CR], axis=-1)


def with_chroma(gray: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """Colour images from gray ones (N, H, W, 1) and their chroma (N, H, W, 2), clipped to [0, 1]: (N, H, W, 3).

    Undoes `grayscale` and `to_chroma`. Where nothing is clipped the result has exactly the gray values given.
    Notebook 03.
    """
    blue, red = gray + CB * chroma[..., :1], gray + CR * chroma[..., 1:]
    green = (gray - 0.299 * red - 0.114 * blue) / 0.587
    return np.clip(np.concatenate([red, green, blue], axis=-1), 0.0, 1.0).astype(np.float32)


def to_ab(rgb: np.ndarray) -> np.ndarray:
    """a and b of CIE Lab (sRGB, D65): (N, H, W, 3) in [0, 1] to (N, H, W, 2), about -100 to 100. Notebook 03."""
    return rgb2lab(rgb)[..., 1:].astype(np.float32)


def with_ab(gray: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """Colour images from gray ones (N, H, W, 1) and (a, b), shape (N, H, W, 2), clipped to [0, 1]: (N, H, W, 3).

    Lightness is that of the gray value; a shade added to all three channels then restores the gray value itself, which
    is a weighted sum of R, G and B and not quite Lab's lightness. Notebook 03.
    """
    lightness = rgb2lab(np.repeat(gray, 3, axis=-1))[..., :1]
    with warnings.catch_warnings():  # of colours outside sRGB: they are clipped, as is said above
        warnings.simplefilter("ignore")
        rgb = lab2rgb(np.concatenate([lightness, ab], axis=-1))
    return np.clip(rgb + gray - grayscale(rgb), 0.0, 1.0).astype(np.float32)


def _bins() -> np.ndarray:
    levels = np.linspace(0, 1, 33, dtype=np.float32)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 1, 3)  # all colours, in steps of 1/32
    return np.unique(np.rint(to_ab(cube).reshape(-1, 2) / 10), axis=0) * np.float32(10)


BINS = _bins()  # the centres of the squares of 10 x 10 in the (a, b) plane that hold a colour of a screen, (259, 2)


def to_bins(rgb: np.ndarray) -> np.ndarray:
    """The nearest of `BINS` for every 2x2 pixels: (N, H, W, 3) in [0, 1] to int32 (N, H/2, W/2). Notebook 03."""
    smaller = (rgb[:, ::2, ::2] + rgb[:, 1::2, ::2] + rgb[:, ::2, 1::2] + rgb[:, 1::2, 1::2]) / 4
    return (2 * to_ab(smaller) @ BINS.T - (BINS**2).sum(axis=1)).argmax(axis=-1).astype(np.int32)


def annealed_mean(probabilities: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """One colour from the probabilities of `BINS`: (..., bins) to (a, b), shape (..., 2).

    The probabilities are sharpened to p ** (1 / temperature), then averaged over: at 1 this is the mean, near 0 the
    most likely bin. They need not sum to 1. Source: Zhang, Isola and Efros 2016. Notebook 03.
    """
    logs = np.log(np.maximum(probabilities, 1e-12)) / temperature
    sharpened = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return (sharpened / sharpened.sum(axis=-1, keepdims=True)) @ BINS


def with_bins(gray: np.ndarray, probabilities: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Colour images from gray ones (N, H, W, 1) and the probabilities of `BINS` for every 2x2 pixels: (N, H, W, 3).

    probabilities: (N, H/2, W/2, bins); temperature: see `annealed_mean`. Notebook 03.
    """
    made = []
    for start in range(0, len(gray), 250):  # in parts that fit into memory
        part = slice(start, start + 250)
        ab = annealed_mean(probabilities[part], temperature)
        made.append(with_ab(gray[part], zoom(ab, (1, 2, 2, 1), order=1, grid_mode=True, mode="nearest")))
    return np.concatenate(made)


def colored_photo(
    photo: np.ndarray, ask: Callable[[np.ndarray], np.ndarray], *, side: int = 32, largest: int = 480
) -> np.ndarray:
    """A photo of any size and shape in new colours, float32 (H', W', 3) in [0, 1], at most `largest` pixels a side.

    photo: uint8 (H, W, 3); its own colours are taken away first. ask: gives chroma (1, h, w, 2) for a small gray copy
    (1, h, w, 1), h and w divisible by 8, the shorter about `side` pixels. The chroma is enlarged and joined with the
    photo's own gray values, so that nothing is blurred but the colour. Notebook 03.
    """
    picture = Image.fromarray(photo)
    picture.thumbnail((largest, largest))
    scale = side / min(picture.size)
    width, height = (min(8 * max(1, round(length * scale / 8)), 1024) for length in picture.size)
    gray, small = (
        grayscale(np.asarray(one, np.float32)[None] / 255)
        for one in (picture, picture.resize((width, height), Image.Resampling.BOX))
    )
    chroma = np.asarray(ask(small), np.float32)[0]
    enlarged = [
        np.asarray(Image.fromarray(chroma[..., k]).resize(picture.size, Image.Resampling.BICUBIC)) for k in range(2)
    ]
    return with_chroma(gray, np.stack(enlarged, axis=-1)[None])[0]
