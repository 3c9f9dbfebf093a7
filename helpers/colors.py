"""Brightness and colour apart, and together again.

Two ways to say what is left of a picture when its gray value is taken away: chroma (Cb, Cr), which belongs to the very
gray of `corruptions.grayscale`, so that gray and chroma give the picture back exactly; and CIE Lab's (a, b), in which
equal distances look about equally different. Images are float32 in [0, 1], shape (N, H, W, C).
"""

import warnings

import numpy as np
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
