"""Figures and tables: each is given back, labelled in words, and draws pixels as they are."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from helpers import plots
from helpers.plumbing.files import PROJECT


@pytest.fixture
def gray() -> np.ndarray:
    """Four dark gray images: contrast stretching would show."""
    return np.linspace(0.1, 0.4, 4 * 64, dtype=np.float32).reshape(4, 8, 8, 1)


def texts(figure: Figure) -> set[str]:
    figure.canvas.draw()
    return {text.get_text() for text in figure.findobj(plt.Text) if text.get_text()}


POINTS = np.array([[0.0, 0.0], [0.01, 0.01], [4.0, 2.0], [4.0, -2.0]])
HISTORY = {"loss": [0.9, 0.3, 0.2], "val_loss": [0.5, 0.25, 0.24], "seconds": [1, 1, 1]}
FIGURES = {
    "mosaic": lambda images: plots.mosaic(images, columns=2, title="four"),
    "mosaics": lambda images: plots.mosaics({"clean": images, "corrupted": 1 - images}, columns=2),
    "rows": lambda images: plots.rows({"clean": images, "restored": 1 - images}, title="a few"),
    "panels": lambda images: plots.panels({"one": images[0], "two": images[1, ..., 0]}),
    "curves": lambda images: plots.curves([1, 2], {"a": [3, 4]}, xlabel="epoch", ylabel="PSNR (dB)"),
    "code_maps": lambda images: plots.code_maps({"a map": POINTS}, np.array([0, 0, 2, 2]), ["shirt", "bag", "boot"]),
    "thumbnail_maps": lambda images: plots.thumbnail_maps({"a map": POINTS}, images),
    "learning_curve": lambda images: plots.learning_curve(HISTORY),
}


@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)
def test_every_function_gives_its_figure_and_leaves_none_open(draw, gray):
    before = plt.get_fignums()
    figure = draw(gray)
    assert isinstance(figure, Figure)
    assert plt.get_fignums() == before  # an open one would be shown twice
    figure.canvas.draw()


@pytest.mark.parametrize("name", ["mosaic", "mosaics", "rows", "panels"])
def test_gray_is_drawn_gray_unstretched_and_unsmoothed(name, gray):
    drawn = [image for axis in FIGURES[name](gray).axes for image in axis.images]
    assert drawn
    for image in drawn:
        assert image.get_clim() == (0, 1) and image.get_interpolation() == "nearest" and image.get_cmap().name == "gray"


def test_a_mosaic_is_in_reading_order_with_white_between(gray):
    picture = plots.tile(gray[:3], columns=2, gap=2)
    assert picture.shape == (18, 18, 1)
    np.testing.assert_array_equal(picture[:8, :8], gray[0])
    np.testing.assert_array_equal(picture[:8, 10:], gray[1])
    np.testing.assert_array_equal(picture[10:, :8], gray[2])
    assert (picture[8:10] == 1).all() and (picture[:, 8:10] == 1).all() and (picture[10:, 10:] == 1).all()


def test_bytes_and_floats_give_the_same_picture(gray):
    as_bytes = np.rint(gray * 255).astype(np.uint8)
    np.testing.assert_allclose(plots.tile(as_bytes, columns=2), plots.tile(gray, columns=2), atol=0.5 / 255)
    np.testing.assert_array_equal(plots.tile(gray + 0.9, columns=2).max(), 1)  # what is out of range is clipped


def test_rows_are_labelled_and_each_image_stands_beside_its_label(gray):
    captions = {"restored": [f"{value} dB" for value in range(20, 24)]}
    figure = plots.rows(
        {"clean": gray, "corrupted": 0.5 * gray, "restored": 1 - gray}, title="Three rows", captions=captions
    )
    assert {"clean", "corrupted", "restored", "Three rows", "20 dB", "23 dB"} <= texts(figure)
    (axis,) = figure.axes
    height = {label.get_text(): y for label, y in zip(axis.get_yticklabels(), axis.get_yticks(), strict=True)}
    for label, expected in {"clean": gray, "corrupted": 0.5 * gray, "restored": 1 - gray}.items():
        (image,) = [i for i in axis.images if min(i.get_extent()[2:]) <= height[label] <= max(i.get_extent()[2:])]
        np.testing.assert_allclose(np.asarray(image.get_array())[:8, :8], expected[0, ..., 0], atol=1e-6)


def test_panels_have_titles_and_captions(gray):
    figure = plots.panels(
        {"clean": gray[0], "noisy": gray[1], "restored": gray[2]}, captions={"noisy": "14.1 dB"}, columns=2
    )
    assert {"clean", "noisy", "restored", "14.1 dB"} <= texts(figure)


def test_curves_name_their_axes_lines_and_level():
    x = {"ours": [1, 2, 3], "median filter": [1, 3]}
    figure = plots.curves(
        x, {"ours": [20, 22, 23], "median filter": [18, 19]}, xlabel="noise", ylabel="PSNR (dB)", title="Ours wins",
        level=(17, "noisy input"),
    )  # fmt: skip
    assert {"noise", "PSNR (dB)", "Ours wins", "ours", "median filter", "noisy input"} <= texts(figure)
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(lines["median filter"].get_xdata()) == [1, 3]
    assert len({line.get_color() for line in lines.values()}) == 3
    assert list(lines["noisy input"].get_ydata()) == [17, 17]


def test_curves_can_share_an_axis():
    figure, axes = plt.subplots(1, 2)
    plt.close(figure)
    assert plots.curves([1, 2], {"a": [1, 2]}, xlabel="x", ylabel="y", ax=axes[1]) is figure
    assert axes[1].lines and not axes[0].lines


@pytest.mark.parametrize("epochs", [2, 6, 100])
@pytest.mark.parametrize("level", [None, (0.9, "noisy input"), (0.05, "the least possible")])
def test_a_learning_curve_shows_both_ends_and_the_level(epochs, level):
    loss = [0.1 + 0.5 / epoch for epoch in range(1, epochs + 1)]
    history = {"loss": loss, "val_loss": [value * 1.1 for value in loss]}
    figure = plots.learning_curve(history, level=level, ylabel="BCE", title="U-Net")
    low, high = figure.axes[0].get_ylim()
    ends = [loss[-1], loss[-1] * 1.1, *([level[0]] if level else [])]
    assert all(low < value < high for value in ends)
    assert {"training", "validation", "epoch", "BCE", "U-Net"} <= texts(figure)
    training = figure.axes[0].lines[0]
    assert list(training.get_xdata())[:2] == [1, 2] and list(training.get_ydata()) == loss
    if epochs < 30:
        assert high > loss[0] * 1.1  # a short curve is shown whole


def test_one_bad_first_epoch_does_not_flatten_a_long_curve():
    loss = [50.0] + [0.1 + 0.01 / epoch for epoch in range(1, 100)]
    assert plots.learning_curve({"loss": loss, "val_loss": loss}).axes[0].get_ylim()[1] < 1


def test_code_maps_name_each_class_that_is_there_at_its_points():
    figure = plots.code_maps({"PCA": POINTS, "t-SNE": POINTS}, np.array([0, 0, 2, 2]), ["shirt", "bag", "boot"])
    assert texts(figure) == {"PCA", "t-SNE", "shirt", "boot"}
    drawn = [line.get_offsets().data for line in figure.axes[1].collections]
    np.testing.assert_array_equal(drawn[0], POINTS[:2])
    np.testing.assert_array_equal(drawn[1], POINTS[2:])
    name = next(text for text in figure.axes[0].texts if text.get_text() == "boot")
    assert name.get_position() == (4.0, 0.0)


def test_each_of_ten_classes_has_a_colour_and_a_sign_of_its_own():
    points, names = np.arange(20.0).reshape(10, 2), [f"class {k}" for k in range(10)]
    for called in (names, list("0123456789")):
        drawn = plots.code_maps({"a map": points}, np.arange(10), called, axes=True).axes[0].collections
        assert len({tuple(one.get_facecolor()[0]) for one in drawn}) == 10
        assert len({one.get_paths()[0].vertices.tobytes() for one in drawn}) == 10


def test_a_class_has_the_same_colour_in_figures_and_in_the_explorer():
    script = (PROJECT / "helpers" / "explorer" / "map.js").read_text(encoding="utf-8")
    line = next(line for line in script.splitlines() if line.startswith("const ON_LIGHT"))
    assert re.findall("#[0-9a-f]{6}", line) == list(plots.CLASS_COLOURS)


def test_a_marked_mosaic_colours_what_is_black_and_counts_each_kind():
    black_and_white = np.stack([np.zeros((2, 2, 1)), np.ones((2, 2, 1)), np.zeros((2, 2, 1)), np.ones((2, 2, 1))])
    kinds, names = np.array([0, 1, 1, 1]), {"red": "#ff0000", "blue": "#0000ff"}
    figure = plots.marked_mosaic(black_and_white, kinds, names, columns=2)
    picture = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(picture[0, 0], [1, 0, 0])
    np.testing.assert_array_equal(picture[3, 0], [0, 0, 1])
    np.testing.assert_array_equal(picture[0, 3], [1, 1, 1])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["25% red", "75% blue"]


def test_restored_pictures_have_their_psnr_below():
    clean = np.zeros((2, 4, 4, 1), np.float32)
    figure = plots.restored(clean, {"a tenth off": np.full((5, 4, 4, 1), 0.1, np.float32)})
    assert [text.get_text() for text in figure.axes[0].texts] == ["20.0 dB", "20.0 dB"]
    assert {"clean", "a tenth off"} <= texts(figure)


def test_a_thumbnail_map_leaves_out_what_would_cover_another(gray):
    drawn = plots.thumbnail_maps({"a map": POINTS}, gray).axes[0].images
    assert len(drawn) == 3  # the second lies on the first
    np.testing.assert_array_equal(drawn[1].get_array(), gray[2, ..., 0])
    left, right, bottom, top = drawn[1].get_extent()
    assert (left + right) / 2 == pytest.approx(1) and (bottom + top) / 2 == pytest.approx(1)
    assert drawn[0].get_clim() == (0, 1)


def test_names_on_a_code_map_do_not_cover_each_other():
    points = np.concatenate([POINTS, POINTS + 0.01])
    figure = plots.code_maps({"a map": points}, np.repeat([0, 1], 4), ["shirt", "pullover"])
    figure.canvas.draw()
    one, other = (text.get_window_extent() for text in figure.axes[0].texts)
    assert not one.overlaps(other)


# ---- tables of figures


def lines_of(markdown):
    return markdown.data.splitlines()


def test_one_line_a_row_with_the_decimals_asked_for():
    rows = {"U-Net": {"epochs": 100, "BCE": np.float32(0.07391)}, "filter": {"BCE": 0.5}}
    assert lines_of(plots.table(rows, first="row", digits={"BCE": 4})) == [
        "| row | epochs | BCE |",
        "| --- | ---: | ---: |",
        "| U-Net | 100 | 0.0739 |",
        "| filter |  | 0.5000 |",
    ]


def test_columns_stand_in_the_order_of_their_first_appearance():
    assert lines_of(plots.table({"a": {"x": 1}, "b": {"y": 2, "x": 3}}))[0] == "|  | x | y |"


def test_numbers_keep_three_decimals_and_whole_numbers_none():
    assert lines_of(plots.table({"a": {"x": 1 / 3, "n": np.int64(7)}}))[2] == "| a | 0.333 | 7 |"
