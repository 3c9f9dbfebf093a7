"""The damage that an autoencoder learns to undo: pure functions over batches.

Every function takes `clean`, a float32 batch in [0, 1] of shape (N, H, W, C), and a
`numpy.random.Generator`; it never changes its input, and equal generators give equal results.
Those that cut something out give `(corrupted, mask)`, the mask float32 of shape (N, H, W, 1),
1 in the hole and 0 elsewhere. Fix the parameters with `functools.partial` to hand one to `Pairs`.
"""

import numpy as np

Amount = float | np.ndarray  # one for the batch, or one an image: (N, 1, 1, 1)
GRAY_WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R BT.601, as listing 3.4.1 of "Autoencoders" has them


def uniform_mix(clean: np.ndarray, rng: np.random.Generator, *, share: Amount = 0.5) -> np.ndarray:
    """Mix every pixel with uniform noise: (1 - share) * clean + share * U[0, 1].

    With share 0.5 this is (clean + U) / 2, the noise of the textbook chapter "Applying autoencoder networks
    with Keras". `share` may be an array (N, 1, 1, 1), one for each image. Gives float32 in [0, 1],
    shape (N, H, W, C). Notebook 02 teaches it.
    """
    noise = rng.random(clean.shape, dtype=np.float32)
    noise *= share
    noise += clean * np.subtract(1, share, dtype=np.float32)
    return noise


def gaussian(clean: np.ndarray, rng: np.random.Generator, *, mean: Amount = 0.0, std: Amount = 0.5) -> np.ndarray:
    """Add normal noise of the given mean and standard deviation (in pixel units), clip to [0, 1].

    The textbook chapter "Autoencoders" has mean 0.5 and std 0.5. `mean` and `std` may be arrays
    (N, 1, 1, 1), one for each image. Gives float32, shape (N, H, W, C). Notebook 02 teaches it.
    """
    noise = rng.standard_normal(clean.shape, dtype=np.float32)
    noise *= std
    noise += mean
    noise += clean
    return np.clip(noise, 0.0, 1.0, out=noise)


def varied_noise(clean: np.ndarray, rng: np.random.Generator, *, uniform: float = 0.6) -> np.ndarray:
    """Noise of either kind, in an amount of its own for every image.

    A share `uniform` of the images gets the uniform mix (share 0.4 to 0.6), the others Gaussian noise (mean 0 to 0.5,
    standard deviation 0.1 to 1), all drawn evenly. Gives float32, shape (N, H, W, C). Notebook 02 teaches it.
    """

    def amount(low, high):
        return rng.uniform(low, high, (len(clean), 1, 1, 1)).astype(np.float32)

    mixed = uniform_mix(clean, rng, share=amount(0.4, 0.6))
    added = gaussian(clean, rng, mean=amount(0.0, 0.5), std=amount(0.1, 1.0))
    return np.where(rng.random((len(clean), 1, 1, 1)) < uniform, mixed, added)


def black_line(
    clean: np.ndarray,
    rng: np.random.Generator,
    *,
    angle: float | None = None,
    thickness: float | tuple[float, float] = (2.0, 5.0),
    through: tuple[float, float] = (0.25, 0.75),
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one black line from edge to edge across each image. Notebook 04 teaches it.

    angle: degrees from the horizontal, counter-clockwise; None samples it from U[0, 180). thickness:
    pixels, or a range to sample from. through: the line passes a point sampled from this share of the
    height and width. Gives (corrupted, mask); the edge is hard, as a line drawn on a photo is.
    """
    count, height, width, _ = clean.shape
    degrees = rng.uniform(0, 180, count) if angle is None else np.full(count, float(angle))
    low, high = thickness if isinstance(thickness, tuple) else (thickness, thickness)
    thick = rng.uniform(low, high, count)
    y0 = rng.uniform(*through, count) * height
    x0 = rng.uniform(*through, count) * width
    radians = np.deg2rad(degrees)[:, None, None]
    y = np.arange(height)[None, :, None] + 0.5 - y0[:, None, None]
    x = np.arange(width)[None, None, :] + 0.5 - x0[:, None, None]
    distance = np.abs(x * np.sin(radians) + y * np.cos(radians))  # y grows downwards
    mask = (distance <= thick[:, None, None] / 2).astype(np.float32)[..., None]
    return cut_out(clean, mask), mask


def black_box(
    clean: np.ndarray, rng: np.random.Generator, *, size: int | tuple[int, int] = 28
) -> tuple[np.ndarray, np.ndarray]:
    """Paint one black square of `size` pixels (or a size from a range, both ends included) on each image.

    The square lies wholly inside, anywhere with equal chance. Notebook 04 teaches it. Gives (corrupted,
    mask). Raises ValueError when the square does not fit.
    """
    count, height, width, _ = clean.shape
    low, high = size if isinstance(size, tuple) else (size, size)
    if not 1 <= low <= high <= min(height, width):
        raise ValueError(f"a box of size {size} does not fit into images of {height}x{width} pixels; choose another")
    sizes = rng.integers(low, high + 1, count)
    top = rng.integers(0, height - sizes + 1)
    left = rng.integers(0, width - sizes + 1)
    y = np.arange(height)[None, :]
    x = np.arange(width)[None, :]
    rows = (y >= top[:, None]) & (y < (top + sizes)[:, None])
    columns = (x >= left[:, None]) & (x < (left + sizes)[:, None])
    mask = (rows[:, :, None] & columns[:, None, :]).astype(np.float32)[..., None]
    return cut_out(clean, mask), mask


def cut_out(clean: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Make the hole black: `clean` where the mask is 0, zero where it is 1. Same shape as `clean`."""
    return clean * (1 - mask)


def grayscale(clean: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
    """Take the colour away: 0.299 R + 0.587 G + 0.114 B. Notebook 03 teaches it.

    (N, H, W, 3) gives (N, H, W, 1), float32 in [0, 1]. `rng` is not used; it is there so that every
    corruption is called alike.
    """
    return (clean @ np.asarray(GRAY_WEIGHTS, np.float32))[..., None]
