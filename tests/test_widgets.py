"""Widgets without a browser: what a slider or an upload leaves in the pictures' bytes."""

import io
from datetime import UTC, datetime

import ipywidgets
import numpy as np
import pytest
from PIL import Image

from helpers import widgets


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


# ---- png


@pytest.mark.parametrize("shape", [(7, 5, 3), (7, 5, 1), (7, 5)])
def test_png_and_back_is_the_same_picture(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    np.testing.assert_array_equal(decoded(widgets.png(picture)), picture.squeeze())
    np.testing.assert_array_equal(decoded(widgets.png(picture / np.float32(255))), picture.squeeze())


def test_png_clips_what_is_out_of_range_and_enlarges_by_whole_pixels():
    picture = np.array([[-0.5, 0.0], [1.0, 1.5]], np.float32)
    np.testing.assert_array_equal(decoded(widgets.png(picture, side=6)), np.kron([[0, 0], [255, 255]], np.ones((3, 3))))
    large = np.zeros((300, 200, 3), np.uint8)
    assert decoded(widgets.png(large, side=168)).shape == large.shape  # never made smaller


# ---- Live


@pytest.fixture
def live():
    """A slider that sets the gray of a 2x2 picture; above 200 it fails."""

    def update(level, inverted):
        if level > 200:
            raise RuntimeError(f"level <{level}> is too much")
        gray = np.full((2, 2, 1), 255 - level if inverted else level, np.uint8)
        return {"clean": (gray, f"level {level}"), "double": (np.minimum(2 * gray, 255), "a & b")}

    return widgets.Live(
        update, side=4, level=ipywidgets.IntSlider(10, 0, 255), inverted=ipywidgets.Checkbox(False)
    )  # fmt: skip


def test_controls_can_be_laid_out_in_a_panel():
    level = ipywidgets.IntSlider(10, 0, 255)
    panel = ipywidgets.HBox([ipywidgets.Label("the level"), level])
    live = widgets.Live(lambda level: {"gray": (np.full((2, 2), level, np.uint8), "")}, panel=panel, level=level)
    assert live.children == (panel, live.gallery)
    level.value = 99
    assert (shown(live.gallery, "gray") == 99).all()


def shown(gallery, title: str) -> np.ndarray:
    return decoded(gallery.images[title].value)


def test_the_first_picture_is_there_at_once(live):
    assert (shown(live.gallery, "clean") == 10).all() and shown(live.gallery, "clean").shape == (4, 4)
    assert live.gallery.captions["clean"].value == "level 10"
    assert live.gallery.captions["double"].value == "a &amp; b"


def test_a_moved_slider_changes_the_pictures_at_once_in_the_same_widgets(live):
    picture, row = live.gallery.images["clean"], live.gallery.row.children
    live.controls["level"].value = 77
    assert (decoded(picture.value) == 77).all() and (shown(live.gallery, "double") == 154).all()
    live.controls["inverted"].value = True
    assert (decoded(picture.value) == 178).all()
    assert live.gallery.row.children == row  # rebuilt ones would flicker


def test_an_error_is_shown_the_last_picture_stays_and_it_goes_on(live):
    live.controls["level"].value = 77
    live.controls["level"].value = 220
    assert "RuntimeError: level &lt;220&gt; is too much" in live.gallery.message.value
    assert 'role="alert"' in live.gallery.message.value
    assert (shown(live.gallery, "clean") == 77).all()
    live.controls["level"].value = 78
    assert live.gallery.message.value == ""
    assert (shown(live.gallery, "clean") == 78).all()


def test_other_titles_build_other_pictures():
    gallery, picture = widgets.Gallery(), np.zeros((2, 2, 1))
    gallery.show({"clean": (picture, ""), "noisy": (picture, "")})
    gallery.show({"restored": (picture + 1, "")})
    assert list(gallery.images) == ["restored"] and len(gallery.row.children) == 1
    assert (shown(gallery, "restored") == 255).all()


def test_our_own_sentences_are_shown_without_the_kind_of_error():
    assert (
        widgets.sentence(ValueError("the box is too large; choose a smaller one"))
        == "the box is too large; choose a smaller one"
    )
    assert widgets.sentence(KeyError("x")) == "KeyError: 'x'"


# ---- Upload


def version_8(name: str, content: bytes):
    file = {"name": name, "type": "image/png", "size": len(content), "content": memoryview(content)}
    return (file | {"last_modified": datetime.now(UTC)},)


def version_7(name: str, content: bytes):
    return {name: {"metadata": {"name": name, "size": len(content)}, "content": content}}


@pytest.mark.parametrize("value", [version_8, version_7])
def test_an_uploads_name_and_bytes_in_both_versions_of_ipywidgets(value):
    assert widgets.uploaded(value("a.png", b"bytes")) == [("a.png", b"bytes")]
    assert widgets.uploaded(type(value("a.png", b""))()) == []


@pytest.fixture
def upload():
    """An upload that shows the photo itself, and a function that gives it a file as the front end would."""
    seen = []

    def update(photo):
        seen.append(photo)
        if photo.shape[0] == 13:
            raise ValueError("unlucky height; choose another")
        return {"yours": (photo, f"{photo.shape[1]}x{photo.shape[0]}")}

    widget = widgets.Upload(update)

    def give(name: str, content: bytes):
        old = ipywidgets.__version__.startswith("7")
        widget.button.value = version_7(name, content) if old else version_8(name, content)
        return seen[-1] if seen else None

    return widget, give


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "LA", "1"])
def test_a_png_of_any_mode_and_an_odd_size_arrives_as_rgb(upload, mode):
    widget, give = upload
    photo = give("mine.png", encoded(Image.new("RGB", (37, 11), "white").convert(mode)))
    assert photo.shape == (11, 37, 3) and photo.dtype == np.uint8 and (photo == 255).all()
    assert widget.gallery.captions["yours"].value == "37x11" and widget.gallery.message.value == ""
    assert (shown(widget.gallery, "yours") == 255).all()


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"just text", "not an image"), (b"", "empty"), (encoded(Image.new("RGB", (99, 99)))[:80], "damaged")],
)
def test_a_file_that_is_no_picture_gets_a_sentence_and_the_last_picture_stays(upload, content, words):
    widget, give = upload
    give("good.png", encoded(Image.new("RGB", (5, 5), "red")))
    give("notes.txt", content)
    assert "notes.txt: " in widget.gallery.message.value and words in widget.gallery.message.value
    assert (shown(widget.gallery, "yours") == (255, 0, 0)).all()
    give("again.png", encoded(Image.new("RGB", (5, 5), "blue")))
    assert widget.gallery.message.value == "" and (shown(widget.gallery, "yours") == (0, 0, 255)).all()


def test_what_update_says_about_a_photo_is_shown(upload):
    widget, give = upload
    give("tall.png", encoded(Image.new("RGB", (5, 13))))
    assert "unlucky height; choose another" in widget.gallery.message.value


@pytest.mark.parametrize(
    ("shape", "size"), [((30, 60, 3), ("80", "160")), ((60, 30, 3), ("160", "80")), ((8, 8), ("160", "160"))]
)
def test_a_picture_keeps_its_shape_on_the_screen(shape, size):
    gallery = widgets.Gallery(side=160)
    gallery.show({"photo": (np.zeros(shape, np.uint8), "")})
    image = gallery.images["photo"]
    assert (image.height, image.width) == size


def test_a_still_has_every_panel_with_its_caption():
    panels = {title: (np.full((4, 4, 3), value), f"{value} dB") for title, value in (("dark", 0.2), ("bright", 0.9))}
    figure = widgets.still(panels, size=1.5)
    assert [axis.get_title() for axis in figure.axes] == ["dark", "bright"]
    assert [axis.get_xlabel() for axis in figure.axes] == ["0.2 dB", "0.9 dB"]
    assert figure.axes[1].images[0].get_array()[0, 0, 0] == pytest.approx(0.9, abs=0.01)


def test_a_control_without_a_description_is_called_by_its_name():
    named, unnamed = ipywidgets.IntSlider(description="which digit"), ipywidgets.Checkbox()
    widgets.Live(lambda **values: {}, digit=named, bold=unnamed)
    assert (named.description, unnamed.description) == ("which digit", "bold")
