"""Brightness and colour apart and together again: exact where it can be, and never another gray."""

import numpy as np
import pytest
import skimage
from skimage.color import rgb2lab, rgb2ycbcr

from helpers import colors, corruptions, weights


@pytest.fixture
def photo() -> np.ndarray:
    return (skimage.data.coffee()[None, :96, :120] / 255).astype(np.float32)


def test_chroma_is_that_of_scikit_image(photo):
    studio = rgb2ycbcr(photo.astype(float))[..., 1:]  # 16 to 240 around 128
    np.testing.assert_allclose(colors.to_chroma(photo), (studio - 128) / 224, atol=2e-3)


def test_gray_and_chroma_give_the_picture_back(photo):
    together = colors.with_chroma(corruptions.grayscale(photo), colors.to_chroma(photo))
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, photo, atol=1e-6)


def test_no_chroma_is_gray_and_the_extremes_are_a_half():
    gray = np.linspace(0, 1, 16, dtype=np.float32).reshape(1, 4, 4, 1)
    np.testing.assert_allclose(
        colors.with_chroma(gray, np.zeros((1, 4, 4, 2), np.float32)), np.repeat(gray, 3, -1), atol=1e-6
    )
    blue_and_red = np.array([[[[0, 0, 1], [1, 0, 0]]]], np.float32)
    chroma = colors.to_chroma(blue_and_red)
    assert chroma[0, 0, 0, 0] == pytest.approx(0.5) and chroma[0, 0, 1, 1] == pytest.approx(0.5)


def test_ab_is_that_of_scikit_image_and_keeps_the_gray(photo):
    ab = colors.to_ab(photo)
    np.testing.assert_allclose(ab, rgb2lab(photo)[..., 1:], atol=1e-3)
    gray = corruptions.grayscale(photo)
    together = colors.with_ab(gray, ab / 2)  # half as colourful, so that nothing is clipped
    np.testing.assert_allclose(corruptions.grayscale(together), gray, atol=5e-3)
    np.testing.assert_allclose(colors.with_ab(gray, 0 * ab), np.repeat(gray, 3, axis=-1), atol=1e-4)
    assert np.abs(colors.with_ab(gray, ab) - photo).mean() < 0.03  # lightness is not quite the gray value


def test_colours_outside_of_srgb_are_clipped_without_a_word(recwarn):
    impossible = np.tile(np.array([-100, 100], np.float32), (1, 2, 2, 1))
    picture = colors.with_ab(np.full((1, 2, 2, 1), 0.2, np.float32), impossible)
    assert picture.min() >= 0 and picture.max() <= 1 and not recwarn.list


# ---- colours to choose from


def test_the_bins_are_those_that_the_published_classifier_chooses_from():
    assert weights.load("colorize_classes").output_shape[-1] == len(colors.BINS)
    assert np.unique(colors.BINS, axis=0).shape == colors.BINS.shape and (colors.BINS % 10 == 0).all()
    # No bin hangs on a hair: else another machine's rounding might find one more or less.
    levels = np.linspace(0, 1, 33, dtype=np.float32)
    ab = colors.to_ab(np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 1, 3)).reshape(-1, 2)
    places = np.searchsorted(1000 * colors.BINS[:, 0] + colors.BINS[:, 1], np.rint(ab / 10) @ [10_000, 10])
    inside = 5 - np.abs(ab - colors.BINS[places]).max(axis=1)
    assert min(inside[places == k].max() for k in range(len(colors.BINS))) > 0.05


def test_the_class_of_a_colour_is_the_nearest_bin():
    rng = np.random.default_rng(0)
    clean = np.repeat(np.repeat(rng.random((5, 4, 4, 3), dtype=np.float32), 2, axis=1), 2, axis=2)
    chosen = colors.to_bins(clean)
    assert chosen.shape == (5, 4, 4)
    distances = np.linalg.norm(colors.to_ab(clean)[:, ::2, ::2, None] - colors.BINS, axis=-1)
    np.testing.assert_allclose(
        np.take_along_axis(distances, chosen[..., None], -1)[..., 0], distances.min(axis=-1), atol=1e-3
    )


def test_the_annealed_mean_goes_from_the_likeliest_bin_to_the_mean():
    chances = np.random.default_rng(0).dirichlet(np.ones(len(colors.BINS)), (2, 3, 3)).astype(np.float32)
    np.testing.assert_allclose(colors.annealed_mean(chances), chances @ colors.BINS, atol=1e-3)
    np.testing.assert_allclose(colors.annealed_mean(7 * chances), chances @ colors.BINS, atol=1e-3)
    likeliest = colors.BINS[chances.argmax(axis=-1)]
    np.testing.assert_allclose(colors.annealed_mean(chances, 1e-4), likeliest, atol=0.5)
    spread = [np.linalg.norm(colors.annealed_mean(chances, t), axis=-1).mean() for t in (1.0, 0.38, 0.05)]
    assert spread == sorted(spread)


def test_a_sure_choice_gives_the_colour_back(photo):
    clean = photo[:, :96, :96].repeat(2, axis=1).repeat(2, axis=2)  # 2x2 pixels of one colour
    gray = corruptions.grayscale(clean)
    sure = np.eye(len(colors.BINS), dtype=np.float32)[colors.to_bins(clean)]
    again = colors.with_bins(gray, sure)
    assert again.shape == clean.shape and np.abs(again - clean).mean() < 0.05
    np.testing.assert_allclose(colors.with_bins(np.repeat(gray, 3, axis=0), np.repeat(sure, 3, axis=0))[2], again[0])


# ---- photos of any size


@pytest.mark.parametrize(
    ("shape", "small", "large"),
    [
        ((300, 600), (32, 64), (240, 480)),
        ((600, 301), (64, 32), (480, 241)),
        ((5, 7), (32, 48), (5, 7)),
        ((1, 5000), (32, 1024), (1, 480)),
    ],
)
def test_the_small_copy_keeps_the_shape_of_the_photo(shape, small, large):
    seen = []

    def ask(gray):
        seen.append(gray.shape)
        return np.zeros((*gray.shape[:3], 2))

    assert colors.colored_photo(np.zeros((*shape, 3), np.uint8), ask).shape == (*large, 3)
    assert seen == [(1, *small, 1)]


def test_a_photo_gets_new_colours_and_keeps_its_gray():
    unet = weights.load("colorize_unet")
    photo = skimage.data.coffee()[:200, :301]
    colored = colors.colored_photo(photo, unet.predict_on_batch)
    was, now = (corruptions.grayscale(picture[None]) for picture in ((photo / 255).astype(np.float32), colored))
    assert np.abs(was - now).mean() < 0.005  # but for what is clipped
    assert np.abs(colored[..., 0] - colored[..., 2]).mean() > 0.01  # and it has colour
