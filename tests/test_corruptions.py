"""Corruptions: their statistics against theory, their geometry pixel by pixel."""

import functools

import numpy as np
import pytest
from scipy import stats

from helpers import corruptions as c

MASKED = {"line": c.black_line, "box": functools.partial(c.black_box, size=(3, 9))}
NOISY = {"uniform": c.uniform_mix, "gaussian": c.gaussian, "extreme": functools.partial(c.gaussian, std=3.0)}


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def batch(value: float | None = None, *, count: int = 20, size: int = 28, channels: int = 1) -> np.ndarray:
    shape = (count, size, size, channels)
    return generator(99).random(shape, dtype=np.float32) if value is None else np.full(shape, value, np.float32)


# ---- what all have in common


@pytest.mark.parametrize(
    "corrupt", [*NOISY.values(), *MASKED.values(), c.grayscale], ids=[*NOISY, *MASKED, "grayscale"]
)
def test_float32_in_0_1_from_the_seed_alone_and_the_input_unchanged(corrupt):
    clean = batch(channels=3)
    before = clean.copy()
    results = [corrupt(clean, generator(seed)) for seed in (5, 5)]
    first, again = [result if isinstance(result, tuple) else (result,) for result in results]
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == np.float32 and a.min() >= 0 and a.max() <= 1 and a.shape[:3] == clean.shape[:3]
        assert not np.shares_memory(a, clean)
    np.testing.assert_array_equal(clean, before)


@pytest.mark.parametrize("corrupt", [*NOISY.values(), *MASKED.values()], ids=[*NOISY, *MASKED])
def test_another_generator_gives_another_corruption_and_each_image_its_own(corrupt):
    clean = batch(0.5)
    one, other = (corrupt(clean, generator(seed)) for seed in (1, 2))
    if isinstance(one, tuple):
        one, other = one[0], other[0]
    assert (one != other).any()
    assert len(np.unique(one.reshape(len(one), -1), axis=0)) == len(one)


# ---- noise


@pytest.mark.parametrize(("value", "share"), [(0.0, 0.5), (1.0, 0.5), (0.3, 0.2)])
def test_the_uniform_mix_has_the_mean_and_spread_of_its_share(value, share):
    noisy = c.uniform_mix(batch(value, count=200), generator(), share=share)
    low = (1 - share) * value  # U[low, low + share]
    assert noisy.mean() == pytest.approx(low + share / 2, abs=0.002)
    assert noisy.std() == pytest.approx(share / np.sqrt(12), rel=0.01)
    assert noisy.min() == pytest.approx(low, abs=0.001) and noisy.max() == pytest.approx(low + share, abs=0.001)


def clipped_moments(mean: float, std: float) -> tuple[float, float]:
    """Mean and standard deviation of N(mean, std) clipped to [0, 1]."""
    a, b = (0 - mean) / std, (1 - mean) / std
    inside, above = stats.norm.cdf(b) - stats.norm.cdf(a), stats.norm.sf(b)
    slope = stats.norm.pdf(a) - stats.norm.pdf(b)
    first = mean * inside + std * slope + above
    second = (
        (mean**2 + std**2) * inside
        + 2 * mean * std * slope
        + std**2 * (a * stats.norm.pdf(a) - b * stats.norm.pdf(b))
        + above
    )
    return first, np.sqrt(second - first**2)


@pytest.mark.parametrize(("value", "mean", "std"), [(0.0, 0.5, 0.5), (1.0, 0.0, 0.5), (0.6, 0.0, 0.5), (0.2, 0.0, 3.0)])
def test_gaussian_noise_has_the_moments_of_a_clipped_normal(value, mean, std):
    noisy = c.gaussian(batch(value, count=250), generator(), mean=mean, std=std)
    expected_mean, expected_std = clipped_moments(value + mean, std)
    assert noisy.mean() == pytest.approx(expected_mean, abs=0.004)
    assert noisy.std() == pytest.approx(expected_std, abs=0.004)
    assert np.mean(noisy == 0) == pytest.approx(stats.norm.cdf(-(value + mean) / std), abs=0.004)


def test_gaussian_noise_before_the_clip_has_the_mean_and_spread_asked_for():
    noisy = c.gaussian(batch(0.45, count=250), generator(), mean=0.05, std=0.05)  # ten sigma away from the clip
    assert noisy.mean() == pytest.approx(0.5, abs=0.0005)
    assert noisy.std() == pytest.approx(0.05, rel=0.01)


# ---- the black line


@pytest.mark.parametrize(("angle", "steps"), [(0, (0, 1)), (90, (1, 0)), (45, (-1, 1)), (135, (1, 1))])
def test_the_line_runs_at_its_angle(angle, steps):
    """Steps (down, right) along the line: 0 degrees is horizontal, 45 goes up to the right."""
    _, mask = c.black_line(batch(1.0, size=40), generator(), angle=angle, thickness=3.0)
    for hole in mask[..., 0]:
        y, x = np.nonzero(hole)
        y, x = y - y.mean(), x - x.mean()
        direction = np.linalg.eigh(np.cov(np.stack([y, x])))[1][:, 1]
        along = np.array(steps) / np.hypot(*steps)
        assert abs(direction @ along) > 0.99


@pytest.mark.parametrize("angle", [0, 90])
@pytest.mark.parametrize("thickness", [2.0, 5.0])
def test_a_straight_line_hides_its_thickness_times_the_side(angle, thickness):
    _, mask = c.black_line(batch(1.0, count=100, size=32), generator(), angle=angle, thickness=thickness)
    pixels = mask.sum(axis=(1, 2, 3)) / 32
    assert pixels.mean() == pytest.approx(thickness, abs=0.1)
    assert set(pixels) <= {thickness - 1, thickness, thickness + 1}


def test_a_slanted_line_hides_its_length_times_its_thickness():
    _, mask = c.black_line(batch(1.0, count=300, size=64), generator(), angle=45, thickness=4.0, through=(0.4, 0.6))
    length = np.sqrt(2) * (64 - 12.8 / 3)  # the diagonal, less the mean distance of two points of the middle fifth
    assert mask.sum(axis=(1, 2, 3)).mean() == pytest.approx(4.0 * length, rel=0.04)


def test_thickness_is_drawn_from_its_range():
    _, mask = c.black_line(batch(1.0, count=400, size=32), generator(), angle=0, thickness=(2.0, 6.0))
    pixels = mask.sum(axis=(1, 2, 3)) / 32
    assert pixels.min() <= 2 and pixels.max() >= 6
    assert pixels.mean() == pytest.approx(4, abs=0.2)


def test_every_line_goes_from_edge_to_edge_in_one_piece():
    _, mask = c.black_line(batch(1.0, count=200), generator())
    angles_seen = set()
    for hole in mask[..., 0] > 0:
        touched = [
            name for name, edge in zip("tblr", (hole[0], hole[-1], hole[:, 0], hole[:, -1]), strict=True) if edge.any()
        ]
        assert len(touched) >= 2
        angles_seen.add(tuple(touched))
    assert {("t", "b"), ("l", "r")} <= angles_seen  # all directions occur


def test_the_line_passes_through_the_middle_part():
    _, mask = c.black_line(batch(1.0, count=200, size=40), generator(), angle=0, thickness=1.0)
    rows = np.nonzero(mask.any(axis=(2, 3)))[1]
    assert rows.min() >= 9 and rows.max() <= 30
    assert rows.min() <= 12 and rows.max() >= 27


# ---- the black box


def boxes(mask: np.ndarray) -> list[tuple[int, int, int, int]]:
    """(top, left, height, width) of each mask's hole, having checked that it is one full rectangle."""
    found = []
    for hole in mask[..., 0]:
        y, x = np.nonzero(hole)
        top, left, height, width = y.min(), x.min(), np.ptp(y) + 1, np.ptp(x) + 1
        assert len(y) == height * width
        found.append((int(top), int(left), int(height), int(width)))
    return found


def test_the_box_takes_every_position_inside_and_no_other():
    _, mask = c.black_box(batch(1.0, count=2000, size=8), generator(), size=5)
    counts = {}
    for top, left, height, width in boxes(mask):
        assert (height, width) == (5, 5)
        counts[top, left] = counts.get((top, left), 0) + 1
    assert set(counts) == {(top, left) for top in range(4) for left in range(4)}
    assert stats.chisquare(list(counts.values())).pvalue > 0.001  # with equal chance


def test_the_box_takes_every_size_of_its_range():
    _, mask = c.black_box(batch(1.0, count=1000, size=8), generator(), size=(3, 6))
    sizes = {(height, width) for _, _, height, width in boxes(mask)}
    assert sizes == {(3, 3), (4, 4), (5, 5), (6, 6)}


def test_a_box_may_fill_the_image_but_not_be_larger():
    _, mask = c.black_box(batch(1.0, size=8), generator(), size=8)
    assert mask.all()
    for size in (9, (4, 9), 0, (5, 4)):
        with pytest.raises(ValueError, match="does not fit into images of 8x8 pixels; choose"):
            c.black_box(batch(size=8), generator(), size=size)


def test_a_box_in_images_that_are_not_square():
    wide = np.ones((500, 6, 12, 3), np.float32)
    _, mask = c.black_box(wide, generator(), size=4)
    tops, lefts, *_ = zip(*boxes(mask), strict=True)
    assert set(tops) == set(range(3)) and set(lefts) == set(range(9))


@pytest.mark.parametrize("corrupt", MASKED.values(), ids=MASKED)
def test_the_hole_is_black_and_the_rest_as_it_was(corrupt):
    clean = batch(channels=3) * 0.9 + 0.1
    corrupted, mask = corrupt(clean, generator())
    assert mask.shape == (20, 28, 28, 1) and set(np.unique(mask)) == {0.0, 1.0}
    assert (corrupted[mask[..., 0] == 1] == 0).all()
    np.testing.assert_array_equal(corrupted[mask[..., 0] == 0], clean[mask[..., 0] == 0])
    np.testing.assert_array_equal(c.cut_out(clean, mask), corrupted)


# ---- colour


def test_grayscale_weighs_red_green_and_blue_as_the_chapter_does():
    colours = np.float32([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0], [0.5, 0.5, 0.5]])
    gray = c.grayscale(colours[None, None])
    assert gray.shape == (1, 1, 6, 1)
    np.testing.assert_allclose(gray.ravel(), [0.299, 0.587, 0.114, 1, 0, 0.5], rtol=1e-6)
