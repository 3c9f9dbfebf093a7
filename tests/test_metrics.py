"""Metrics: equal to scikit-image's and Keras's figures, image by image."""

import keras
import numpy as np
import pytest
import skimage
from skimage.color import deltaE_cie76, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from helpers import metrics


def random_pair(channels: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(channels)
    clean = rng.random((4, 24, 20, channels), dtype=np.float32)
    return clean, np.clip(clean + rng.normal(0, 0.2, clean.shape), 0, 1).astype(np.float32)


def photo_pair(channels: int) -> tuple[np.ndarray, np.ndarray]:
    photo = skimage.data.astronaut()[:96, 180:276] if channels == 3 else skimage.data.camera()[100:196, 180:276, None]
    clean = (photo / 255).astype(np.float32)[None]
    noisy = np.clip(clean + np.random.default_rng(0).normal(0, 0.1, clean.shape), 0, 1).astype(np.float32)
    return clean, noisy


@pytest.mark.parametrize("channels", [1, 3], ids=["gray", "colour"])
@pytest.mark.parametrize("pair", [random_pair, photo_pair])
def test_psnr_and_ssim_are_those_of_scikit_image(pair, channels):
    clean, restored = pair(channels)
    doubles = list(zip(clean.astype(float), restored.astype(float), strict=True))
    expected = [peak_signal_noise_ratio(a, b, data_range=1) for a, b in doubles]
    np.testing.assert_allclose(metrics.psnr(clean, restored), expected, atol=1e-6)
    expected = [structural_similarity(a, b, data_range=1, channel_axis=-1) for a, b in doubles]
    np.testing.assert_allclose(metrics.ssim(clean, restored), expected, atol=1e-6)


def test_each_image_has_a_figure_of_its_own():
    clean = np.zeros((2, 8, 8, 1), np.float32)
    restored = clean + np.array([0.1, 0.01], np.float32)[:, None, None, None]
    np.testing.assert_allclose(metrics.mse(clean, restored), [0.01, 0.0001], rtol=1e-6)
    np.testing.assert_allclose(metrics.psnr(clean, restored), [20, 40], rtol=1e-6)
    assert metrics.summary(clean, restored)["psnr"] == pytest.approx(
        30
    )  # the average of the dB, not the dB of the average
    assert metrics.summary(clean, restored)["mse"] == pytest.approx(0.00505)


def test_identical_images_have_100_db_and_ssim_1():
    clean, _ = random_pair(3)
    assert metrics.summary(clean, clean) == {"mse": 0.0, "psnr": 100.0, "ssim": pytest.approx(1.0)}


@pytest.fixture
def hole():
    """A clean pair, and a mask over rows 4 to 9 and columns 5 to 9 of 16."""
    clean, restored = random_pair(3)
    mask = np.zeros((4, 24, 20, 1), np.float32)
    mask[:, 4:10, 5:10] = 1
    return clean, restored, mask


def test_under_a_mask_only_the_hole_counts(hole):
    clean, restored, mask = hole
    inside = (slice(None), slice(4, 10), slice(5, 10))
    np.testing.assert_allclose(
        metrics.mse(clean, restored, mask), metrics.mse(clean[inside], restored[inside]), rtol=1e-9
    )
    np.testing.assert_allclose(
        metrics.psnr(clean, restored, mask), metrics.psnr(clean[inside], restored[inside]), rtol=1e-9
    )
    spoiled = np.where(mask > 0, restored, 1 - restored)
    np.testing.assert_allclose(metrics.psnr(clean, spoiled, mask), metrics.psnr(clean, restored, mask))
    assert metrics.summary(clean, restored, mask)["mse"] == pytest.approx(metrics.mse(clean, restored, mask).mean())


def test_ssim_under_a_mask_averages_scikit_images_map_over_the_hole(hole):
    clean, restored, mask = hole
    expected = []
    for a, b in zip(clean.astype(float), restored.astype(float), strict=True):
        _, similarity = structural_similarity(a, b, data_range=1, channel_axis=-1, full=True)
        expected.append(similarity[4:10, 5:10].mean())
    np.testing.assert_allclose(metrics.ssim(clean, restored, mask), expected, atol=1e-6)
    assert metrics.summary(clean, restored, mask)["ssim"] == pytest.approx(np.mean(expected), abs=1e-6)


def test_a_hole_at_the_very_edge_has_an_ssim_too(hole):
    """A black line may cut off a corner where no whole window fits: that must not spoil the average."""
    clean, restored, _ = hole
    mask = np.zeros((4, 24, 20, 1), np.float32)
    mask[:, :2, :2] = 1
    _, similarity = structural_similarity(
        clean[0].astype(float), restored[0].astype(float), data_range=1, channel_axis=-1, full=True
    )
    assert metrics.ssim(clean, restored, mask)[0] == pytest.approx(
        similarity[3, 3].mean(), abs=1e-6
    )  # the corner's window
    assert np.isfinite(metrics.summary(clean, restored, mask)["ssim"])


def test_an_image_without_a_hole_is_named(hole):
    clean, restored, mask = hole
    mask[2] = 0
    for figure in (metrics.mse, metrics.psnr, metrics.ssim):
        with pytest.raises(ValueError, match="image 2 has no hole"):
            figure(clean, restored, mask)


def test_bce_is_that_of_keras():
    clean, restored = random_pair(1)
    restored = np.clip(restored, 0.001, 0.999)  # nearer the ends Keras's float32 is coarse
    expected = keras.ops.convert_to_numpy(
        keras.losses.binary_crossentropy(clean.reshape(4, -1), restored.reshape(4, -1))
    )
    np.testing.assert_allclose(metrics.bce(clean, restored), expected, rtol=1e-5)
    wrong = np.round(1 - clean)  # certain and wrong: finite, as Keras clips
    assert np.isfinite(metrics.bce(np.round(clean), wrong)).all()


def test_the_bce_floor_is_the_least_that_any_restoration_can_have():
    clean, restored = random_pair(1)
    floor = metrics.bce_floor(clean)
    assert (floor > 0.1).all()  # gray pixels cost their entropy
    assert (metrics.bce(clean, restored) > floor).all()
    for nudge in (-0.01, 0.01):
        assert (metrics.bce(clean, np.clip(clean + nudge, 0, 1)) > floor).all()
    half = np.full((1, 8, 8, 1), 0.5)
    assert metrics.bce_floor(half)[0] == pytest.approx(np.log(2))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_ssim_loss_is_one_minus_ssim(channels):
    clean, restored = random_pair(channels)
    loss = keras.ops.convert_to_numpy(
        metrics.ssim_loss(keras.ops.convert_to_tensor(clean), keras.ops.convert_to_tensor(restored))
    )
    assert loss.shape == (4,)
    np.testing.assert_allclose(loss, 1 - metrics.ssim(clean, restored), atol=1e-5)


@pytest.mark.parametrize("figure", [metrics.mse, metrics.psnr, metrics.ssim, metrics.bce])
@pytest.mark.parametrize("shape", [(4, 24, 20, 1), (4, 24, 20), (3, 24, 20, 3)])
def test_shapes_that_differ_are_named(figure, shape):
    clean, _ = random_pair(3)
    with pytest.raises(ValueError, match=r"clean \(4, 24, 20, 3\) and restored \(.*must have one shape"):
        figure(clean, np.zeros(shape, np.float32))


def test_uint8_images_are_not_taken_for_floats():
    clean, restored = random_pair(1)
    with pytest.raises(ValueError, match=r"floats in \[0, 1\], not uint8"):
        metrics.mse((clean * 255).astype(np.uint8), restored)


def test_chroma_error_is_scikit_images_colour_difference_without_lightness():
    clean, restored = photo_pair(3)
    a, b = rgb2lab(clean), rgb2lab(restored)
    a[..., 0] = b[..., 0] = 50
    np.testing.assert_allclose(metrics.chroma_error(clean, restored), deltaE_cie76(a, b).mean(axis=(1, 2)), rtol=1e-4)
    darker = clean[:, :, :, :1].repeat(3, axis=-1)
    np.testing.assert_allclose(metrics.chroma_error(darker, darker / 2), 0, atol=0.01)


def test_colorfulness_follows_the_formula_and_grows_with_saturation():
    gray = np.full((1, 4, 4, 3), 0.3, np.float32)
    assert metrics.colorfulness(gray) == pytest.approx([0])
    half_red = np.zeros((1, 4, 4, 3), np.float32)
    half_red[:, :2, :, 0] = 1  # rg is 255 or 0, yb is 127.5 or 0: mean 127.5 and 63.75, and as much of spread
    expected = 1.3 * np.hypot(127.5, 63.75)
    np.testing.assert_allclose(metrics.colorfulness(half_red), [expected], rtol=1e-6)
    clean, _ = photo_pair(3)
    faded = (clean + clean.mean(axis=-1, keepdims=True)) / 2
    assert metrics.colorfulness(faded) == pytest.approx(metrics.colorfulness(clean) / 2)


def test_the_detail_in_a_hole_is_the_squared_difference_of_neighbours():
    mask = np.zeros((2, 8, 8, 1), np.float32)
    mask[:, 2:6, 2:6] = 1
    flat = np.full((2, 8, 8, 3), 0.5, np.float32)
    assert not metrics.gradient_energy(flat, mask).any()
    stripes = np.broadcast_to(np.arange(8) % 2, (2, 8, 8))[..., None].repeat(3, axis=-1).astype(np.float32)
    np.testing.assert_allclose(metrics.gradient_energy(stripes, mask), [1, 1])
    np.testing.assert_allclose(metrics.gradient_energy(stripes / 2, mask), [0.25, 0.25])
    np.testing.assert_allclose(metrics.gradient_energy(stripes.swapaxes(1, 2), mask), [1, 1])
    blurred = (stripes + np.roll(stripes, 1, axis=2)) / 2
    assert (metrics.gradient_energy(blurred, mask) < 0.1).all()
    with pytest.raises(ValueError, match="has no hole"):
        metrics.gradient_energy(stripes, 0 * mask)
