"""Baselines: each does what it says, on images where one can tell."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from helpers import baselines as b
from helpers import corruptions, metrics


@pytest.fixture
def ramps() -> np.ndarray:
    """Smooth colour images, float32 (2, 16, 16, 3), no two alike."""
    y, x = np.mgrid[0:16, 0:16] / 15
    return np.stack([np.stack([x, y, (x + y) / 2], -1), np.stack([y, 1 - x, x * y], -1)]).astype(np.float32)


def noisy(clean: np.ndarray, std: float = 0.2) -> np.ndarray:
    return corruptions.gaussian(clean, np.random.default_rng(0), std=std)


def test_the_median_filter_removes_salt_and_pepper_and_keeps_an_edge():
    clean = np.zeros((2, 12, 12, 1), np.float32)
    clean[:, :, 6:] = 1
    salted = clean.copy()
    salted[:, 2::4, 2] = 1
    salted[1, 2::4, 9] = 0
    np.testing.assert_array_equal(b.median(salted), clean)


@pytest.mark.parametrize("smooth", [b.median, b.gaussian, b.non_local_means])
def test_smoothing_helps_and_mixes_neither_images_nor_channels(smooth, ramps):
    corrupted = noisy(ramps)
    restored = smooth(corrupted)
    assert restored.shape == ramps.shape and restored.dtype == np.float32
    assert (metrics.mse(ramps, restored) < 0.6 * metrics.mse(ramps, corrupted)).all()
    np.testing.assert_allclose(smooth(corrupted[1:])[0], restored[1], atol=1e-6)
    if smooth is not b.non_local_means:
        other = corrupted.copy()
        other[..., 0] = 0
        np.testing.assert_array_equal(smooth(other)[..., 1:], restored[..., 1:])


def test_a_stronger_setting_smooths_more(ramps):
    corrupted = noisy(ramps)
    for weak, strong in [
        (b.median(corrupted), b.median(corrupted, size=7)),
        (b.gaussian(corrupted, sigma=0.5), b.gaussian(corrupted, sigma=2)),
        (b.non_local_means(corrupted, h=0.05), b.non_local_means(corrupted, h=0.5)),
    ]:
        assert np.abs(np.diff(strong, axis=1)).mean() < 0.8 * np.abs(np.diff(weak, axis=1)).mean()


def test_undoing_the_known_part_of_a_noise_inverts_it(ramps):
    half = 0.5 * ramps + 0.25
    np.testing.assert_allclose(b.undo_shift(half, scale=0.5, shift=0.25), ramps, atol=1e-6)
    assert b.undo_shift(half - 0.5, shift=0.5).min() == 0  # and stays in range
    corrupted = corruptions.uniform_mix(ramps, np.random.default_rng(0))
    error = b.undo_shift(corrupted, scale=0.5, shift=0.25).mean() - ramps.mean()
    assert abs(error) < 0.02 < abs(corrupted.mean() - 0.25 - ramps.mean())


@pytest.fixture
def holes(ramps):
    corrupted, mask = corruptions.black_box(ramps, np.random.default_rng(1), size=4)
    return corrupted, mask


@pytest.mark.parametrize("fill", [b.neighbour_fill, b.biharmonic_fill])
def test_a_fill_changes_the_hole_and_nothing_else(fill, ramps, holes):
    corrupted, mask = holes
    before = corrupted.copy()
    filled = fill(corrupted, mask)
    assert filled.shape == ramps.shape and filled.dtype == np.float32 and filled.min() >= 0 and filled.max() <= 1
    outside = mask[..., 0] == 0
    np.testing.assert_allclose(filled[outside], ramps[outside], atol=1e-6)
    assert (metrics.mse(ramps, filled, mask) < 0.2 * metrics.mse(ramps, corrupted, mask)).all()
    np.testing.assert_array_equal(corrupted, before)


def test_the_biharmonic_fill_carries_a_slope_across_the_hole(ramps, holes):
    assert (metrics.mse(ramps, b.biharmonic_fill(*holes), holes[1]) < 1e-3).all()


def test_the_neighbour_fill_takes_the_nearest_pixel():
    row = np.float32([0.1, 0, 0, 0, 0.9])[None, None, :, None]
    mask = np.float32([0, 1, 1, 1, 0])[None, None, :, None]
    filled = b.neighbour_fill(row, mask).ravel()
    assert filled[1] == pytest.approx(0.1) and filled[3] == pytest.approx(0.9) and filled[2] in row
    everything = b.neighbour_fill(row, np.ones_like(mask))
    np.testing.assert_array_equal(everything, row)  # nothing to take it from


def test_the_gray_copy_is_gray_in_all_three_channels(ramps):
    gray = corruptions.grayscale(ramps)
    copied = b.gray_copy(gray)
    assert copied.shape == ramps.shape
    for channel in range(3):
        np.testing.assert_array_equal(copied[..., channel], gray[..., 0])


def test_pca_is_that_of_scikit_learn_and_more_components_are_better():
    train = np.random.default_rng(0).random((60, 6, 6, 1), dtype=np.float32)
    errors = []
    for components in (4, 12, 36):
        restored = b.pca_reconstruction(b.pca(train, components), train)
        full = PCA(components, svd_solver="full").fit(train.reshape(60, -1).astype(float))
        flat = full.inverse_transform(full.transform(train.reshape(60, -1)))
        expected = np.mean((np.clip(flat, 0, 1).reshape(train.shape) - train) ** 2)
        assert restored.shape == train.shape and restored.dtype == np.float32
        assert restored.min() >= 0 and restored.max() <= 1
        assert np.mean((restored - train) ** 2) == pytest.approx(expected, rel=0.02, abs=1e-9)
        errors.append(expected)
    assert errors[0] > errors[1] > errors[2]


def test_pca_judges_images_it_has_not_seen():
    rng = np.random.default_rng(0)
    directions = rng.random((2, 36))
    train, test = (np.float32(rng.random((n, 2)) @ directions / 2).reshape(n, 6, 6, 1) for n in (50, 5))
    fitted = b.pca(train, 2)
    np.testing.assert_allclose(b.pca_reconstruction(fitted, test), test, atol=1e-4)
