"""What one can do without a network: the classical way to undo each corruption.

Images are float32 in [0, 1], shape (N, H, W, C), and so are the results unless said otherwise.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import ndimage
from skimage.restoration import denoise_nl_means, inpaint_biharmonic
from sklearn.decomposition import PCA

from .corruptions import cut_out


def undo_shift(corrupted: np.ndarray, *, scale: float = 1.0, shift: float = 0.0) -> np.ndarray:
    """Undo what is known of a noise without looking at the picture: (corrupted - shift) / scale, clipped to [0, 1].

    The uniform mix of equal shares has scale 0.5 and shift 0.25, Gaussian noise of mean 0.5 has shift 0.5. Notebook 02.
    """
    return np.clip((corrupted - np.float32(shift)) / np.float32(scale), 0.0, 1.0)


def median(corrupted: np.ndarray, *, size: int = 3) -> np.ndarray:
    """Median filter over size x size pixels. Notebook 02."""
    return ndimage.median_filter(corrupted, size=(1, size, size, 1))


def gaussian(corrupted: np.ndarray, *, sigma: float = 1.0) -> np.ndarray:
    """Gaussian blur; sigma in pixels. Notebook 02."""
    return ndimage.gaussian_filter(corrupted, sigma=(0, sigma, sigma, 0))


def non_local_means(corrupted: np.ndarray, *, h: float = 0.3) -> np.ndarray:
    """Non-local means (Buades et al. 2005), 5x5 patches within 6 pixels; h: strength, in pixel units. Notebook 02."""

    def restore(image):
        return denoise_nl_means(image, patch_size=5, patch_distance=6, h=h, fast_mode=True, channel_axis=-1)

    with ThreadPoolExecutor() as pool:  # scikit-image's loop runs outside Python's lock
        restored = list(pool.map(restore, corrupted))
    return np.stack(restored).astype(np.float32).reshape(corrupted.shape)  # scikit-image drops a single channel


def gray_copy(gray: np.ndarray) -> np.ndarray:
    """The gray value in all three channels: (N, H, W, 1) to (N, H, W, 3). Notebook 03."""
    return np.repeat(gray, 3, axis=-1)


def neighbour_fill(corrupted: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Each pixel of the hole gets the value of the nearest pixel outside it. mask: (N, H, W, 1). Notebook 04."""
    filled = corrupted.copy()
    for image, hole in zip(filled, mask[..., 0] > 0.5, strict=True):
        if not hole.all():
            nearest = ndimage.distance_transform_edt(hole, return_distances=False, return_indices=True)
            image[hole] = image[tuple(axis[hole] for axis in nearest)]
    return filled


def biharmonic_fill(corrupted: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """scikit-image's biharmonic inpainting (Damelin and Hoang 2018) of the hole, clipped to [0, 1].

    mask: (N, H, W, 1). Notebook 04.
    """
    filled = [
        inpaint_biharmonic(image, hole[..., 0] > 0.5, split_into_regions=True, channel_axis=-1)
        for image, hole in zip(cut_out(corrupted, mask), mask, strict=True)
    ]
    return np.clip(np.stack(filled), 0.0, 1.0).astype(np.float32)


def pca(train: np.ndarray, components: int, *, seed: int = 0) -> PCA:
    """scikit-learn's PCA of float images (N, H, W, C) flattened to (N, H*W*C), fitted. Notebook 01."""
    solver = "randomized" if components < min(train.shape[0], np.prod(train.shape[1:])) else "full"
    return PCA(components, svd_solver=solver, random_state=seed).fit(train.reshape(len(train), -1))


def pca_reconstruction(fitted: PCA, images: np.ndarray) -> np.ndarray:
    """Images squeezed through the fitted PCA's components and back, clipped to [0, 1]; same shape. Notebook 01."""
    flat = fitted.inverse_transform(fitted.transform(images.reshape(len(images), -1)))
    return np.clip(flat, 0.0, 1.0).astype(np.float32).reshape(images.shape)
