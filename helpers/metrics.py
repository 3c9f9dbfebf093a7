"""How good is a restored picture: figures per image, and their averages over images.

`clean` and `restored` are float arrays in [0, 1] of shape (N, H, W, C); a mask is (N, H, W, 1) with 1 in
the hole. Every function gives one number an image, shape (N,), so that the worst ones can be found;
`summary` averages over images.
"""

import numpy as np
from keras import ops
from scipy.ndimage import uniform_filter

from .colors import to_ab

WINDOW = 7  # pixels; scikit-image's default for SSIM
C1, C2 = 0.01**2, 0.03**2  # Wang et al. 2004, for a data range of 1
PSNR_CEILING = 100.0  # dB; identical images would be infinite and spoil an average


def mse(clean: np.ndarray, restored: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Mean squared error per image, in squared pixel units, (N,); under a mask over the hole's pixels only.

    Raises ValueError when the shapes differ, or when an image has no hole.
    """
    _check(clean, restored)
    squared = (clean.astype(np.float64) - restored) ** 2
    if mask is None:
        return squared.mean(axis=(1, 2, 3))
    return _hole_mean(squared, mask)


def psnr(clean: np.ndarray, restored: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Peak signal-to-noise ratio per image in dB, (N,): 10 log10(1 / MSE), at most 100 dB. Higher is better.

    With a mask, over the hole's pixels only. As scikit-image's `peak_signal_noise_ratio` with data_range 1.
    """
    return -10 * np.log10(np.maximum(mse(clean, restored, mask), 10 ** (-PSNR_CEILING / 10)))


def ssim(clean: np.ndarray, restored: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Structural similarity per image (Wang et al. 2004), (N,), at most 1. Higher is better.

    Equals scikit-image's `structural_similarity` with its defaults (7x7 uniform window, sample covariance,
    border left out, channels averaged) for the whole batch at once. With a mask, the average over the windows centred
    in the hole; a pixel of the hole that is too near the border to be a centre takes the nearest window.
    """
    _check(clean, restored)
    similarity = _ssim_map(clean.astype(np.float64), restored.astype(np.float64))
    if mask is None:
        return similarity.mean(axis=(1, 2, 3))
    edge = (WINDOW // 2,) * 2
    return _hole_mean(np.pad(similarity, ((0, 0), edge, edge, (0, 0)), mode="edge"), mask)


def _ssim_map(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    edge = WINDOW // 2

    def local_mean(x):
        return uniform_filter(x, size=(1, WINDOW, WINDOW, 1))[:, edge:-edge, edge:-edge]

    return _similarity(local_mean, a, b)


def _similarity(local_mean, a, b):
    """The SSIM formula over windows, for numpy arrays and Keras tensors alike."""
    sample = WINDOW**2 / (WINDOW**2 - 1)  # sample, not population, covariance
    mean_a, mean_b = local_mean(a), local_mean(b)
    var_a = sample * (local_mean(a * a) - mean_a * mean_a)
    var_b = sample * (local_mean(b * b) - mean_b * mean_b)
    covariance = sample * (local_mean(a * b) - mean_a * mean_b)
    top = (2 * mean_a * mean_b + C1) * (2 * covariance + C2)
    return top / ((mean_a**2 + mean_b**2 + C1) * (var_a + var_b + C2))


def ssim_loss(y_true, y_pred):
    """1 - SSIM as a loss for `model.compile`, one value an image; on any Keras 3 backend.

    The lab compares it with MSE and BCE.
    """

    def local_mean(x):
        return ops.average_pool(x, WINDOW, strides=1, padding="valid", data_format="channels_last")

    similarity = _similarity(local_mean, ops.cast(y_true, y_pred.dtype), y_pred)
    return 1 - ops.mean(similarity, axis=(1, 2, 3))


def gradient_energy(images: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """How much detail lies in the hole, per image, (N,): the mean squared difference between neighbouring pixels.

    images: (N, H, W, C) in [0, 1]. A pixel of the hole is compared with those above it and left of it. Divided by that
    of the true images: below 1 too smooth, above 1 too rough. It does not ask whether the detail is right. Taught in
    notebook 04.
    """
    down = np.diff(images.astype(np.float64), axis=1, prepend=images[:, :1]) ** 2
    across = np.diff(images.astype(np.float64), axis=2, prepend=images[:, :, :1]) ** 2
    return _hole_mean(down + across, mask)


def bce(clean: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """Binary cross-entropy per image in nats a pixel, (N,), as Keras's `binary_crossentropy` (clipped at 1e-7).

    It is not zero for a perfect picture: a gray pixel costs its own entropy (see `bce_floor`).
    """
    _check(clean, restored)
    p = np.clip(restored.astype(np.float64), 1e-7, 1 - 1e-7)
    return -(clean * np.log(p) + (1 - clean) * np.log1p(-p)).mean(axis=(1, 2, 3))


def bce_floor(clean: np.ndarray) -> np.ndarray:
    """The binary cross-entropy of a perfect reconstruction: the least that any network can reach, per image, (N,)."""
    return bce(clean, clean)


def chroma_error(clean: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """How far off the colours are, lightness apart: mean distance in CIE Lab's (a, b) plane, per image, (N,).

    A distance of about 2 is just visible; a gray copy is off by what the picture's colours are worth. Notebook 03.
    """
    _check(clean, restored)
    return np.linalg.norm(to_ab(clean) - to_ab(restored), axis=-1).mean(axis=(1, 2))


def colorfulness(images: np.ndarray) -> np.ndarray:
    """Colourfulness of (N, H, W, 3) images in [0, 1] after Hasler and Suesstrunk 2003, (N,): 0 is gray, 109 extreme.

    The spread and the mean of red against green and of yellow against blue, in units of 0..255. Notebook 03.
    """
    red, green, blue = (255 * images[..., channel].astype(np.float64) for channel in range(3))
    opponents = np.stack([red - green, (red + green) / 2 - blue])
    spread = np.sqrt((opponents.std(axis=(2, 3)) ** 2).sum(axis=0))
    return spread + 0.3 * np.sqrt((opponents.mean(axis=(2, 3)) ** 2).sum(axis=0))


def summary(clean: np.ndarray, restored: np.ndarray, mask: np.ndarray | None = None) -> dict[str, float]:
    """Averages over images: {"mse", "psnr" (dB), "ssim"}, under the mask where one is given."""
    return {
        "mse": float(mse(clean, restored, mask).mean()),
        "psnr": float(psnr(clean, restored, mask).mean()),
        "ssim": float(ssim(clean, restored, mask).mean()),
    }


def _hole_mean(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    pixels = mask.sum(axis=(1, 2, 3), dtype=np.float64)
    if not pixels.all():
        raise ValueError(f"image {int(np.argmin(pixels))} has no hole under its mask; measure it without a mask")
    return (values * mask).sum(axis=(1, 2, 3)) / (pixels * values.shape[-1])


def _check(clean: np.ndarray, restored: np.ndarray) -> None:
    if clean.shape != restored.shape or clean.ndim != 4:
        raise ValueError(f"clean {clean.shape} and restored {restored.shape} must have one shape (N, H, W, C)")
    if not (np.issubdtype(clean.dtype, np.floating) and np.issubdtype(restored.dtype, np.floating)):
        kinds = f"{clean.dtype} and {restored.dtype}"
        raise ValueError(f"images are measured as floats in [0, 1], not {kinds}; use pairs.to_float")
