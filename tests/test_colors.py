"""Brightness and colour apart and together again: exact where it can be, and never another gray."""

import numpy as np
import pytest
import skimage
from skimage.color import rgb2lab, rgb2ycbcr

from helpers import colors, corruptions


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
