"""The explorer in Python: honest maps, the widget and its sliders, the page that stands by itself, walks as GIF."""

import base64
import io
import json
import re

import numpy as np
import pytest
from explorer_doubles import DIGITS, decoder, encoder, in_node, random_images, spaces
from PIL import Image

from helpers import explorer, weights
from helpers.explorer import space as space_module
from helpers.explorer import widget


@pytest.fixture(scope="module")
def pair() -> list[explorer.Space]:
    return spaces()


@pytest.fixture(scope="module")
def shown(pair) -> explorer.Explorer:
    return explorer.Explorer({"MNIST": pair}, {"MNIST": DIGITS})


class Cloud(explorer.Space):
    """A space whose codes are given, for what follows from the codes alone."""

    def __init__(self, codes: np.ndarray, log_variances: np.ndarray | None = None):
        self.codes, self.log_variances = np.asarray(codes, np.float32), log_variances
        self.mean = self.codes.mean(axis=0)
        self.scale = float(np.sqrt(self.codes.var(axis=0).mean()))
        self.centre, self.half = self._frame()


# ---- honest maps


def test_a_frame_holds_99_percent_of_the_codes_and_no_outlier_stretches_it():
    codes = np.random.default_rng(0).normal((5, -3), 2, (300, 2))
    codes[0] = (500, 500)
    cloud = Cloud(codes)
    inside = (np.abs(cloud.codes - cloud.centre) <= cloud.half).all(axis=1)
    assert 0.99 <= inside.mean() < 1
    assert cloud.half < 10


def test_the_frame_of_a_variational_map_holds_the_rings_of_the_prior():
    codes = np.random.default_rng(0).normal(0, 0.5, (250, 2))
    cloud = Cloud(codes, np.zeros((250, 2)))
    assert cloud.centre.tolist() == [0, 0] and cloud.half > 3


def test_no_data_near_does_not_depend_on_a_maps_scale():
    codes = np.random.default_rng(1).normal(0, 1, (250, 2))
    small, large = Cloud(codes), Cloud(40 * codes + 7)
    assert large.reach == pytest.approx(40 * small.reach, rel=1e-4)
    assert large.uncovered == pytest.approx(small.uncovered, abs=0.005)


def test_a_map_with_holes_has_more_places_without_data_near():
    """The fault to avoid: a limit taken from the gaps between codes calls a map with large gaps covered."""
    rng = np.random.default_rng(2)
    dense = Cloud(rng.normal(0, 1, (250, 2)))
    islands = np.array([(-3, -3), (3, -3), (0, 3), (3, 3)])[rng.integers(0, 4, 250)]
    holes = Cloud(islands + rng.normal(0, 0.2, (250, 2)))
    assert dense.uncovered < 0.1
    assert holes.uncovered > 0.5


def test_no_data_near_hardly_depends_on_how_many_images_are_shown():
    rng = np.random.default_rng(3)
    shares = [Cloud(rng.normal(0, 1, (count, 2))).uncovered for count in (60, 250, 1000)]
    assert max(shares) - min(shares) < 0.06


def test_codes_and_log_variances_are_the_encoders(pair):
    model = encoder(2, variational=True)
    mean, log_variance = model.predict_on_batch(pair[1].images / np.float32(255))
    np.testing.assert_allclose(pair[1].codes, mean, atol=1e-4)
    np.testing.assert_allclose(pair[1].log_variances, log_variance, atol=1e-4)
    assert pair[0].log_variances is None


IMAGES, LABELS = random_images(0, 20, 28, 28, 1), np.arange(20) % 10


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": IMAGES / 255}, "images must be uint8"),
        ({"images": IMAGES[..., 0]}, "images must be uint8"),
        ({"labels": LABELS[:5]}, "labels must be 20 whole numbers"),
        ({"labels": LABELS - 1}, "labels must be 20 whole numbers"),
        ({"images": random_images(0, 20, 20, 28, 1)}, r"must take images \(20, 28, 1\)"),
        ({"encoder": decoder(0)}, "the encoder takes"),
        ({"decoder": encoder(0, variational=False)}, "the decoder takes"),
    ],
)
def test_parts_that_do_not_fit_are_one_sentence(change, words):
    given = {"encoder": encoder(0, variational=False), "decoder": decoder(0), "images": IMAGES, "labels": LABELS}
    with pytest.raises(ValueError, match=words):
        explorer.Space("s", **(given | change))


def test_sets_that_do_not_fit_are_one_sentence(pair):
    other = spaces(count=30)
    twice = explorer.Space("Plain autoencoder", pair[1].encoder, pair[1].decoder, pair[1].images, pair[1].labels)
    cases = [
        ({}, {}, "at least one set"),
        ({"MNIST": []}, {"MNIST": DIGITS}, "one to three"),
        ({"MNIST": [pair[0], twice]}, {"MNIST": DIGITS}, "same title"),
        ({"MNIST": pair}, {"MNIST": DIGITS[:3]}, "name to every label"),
        ({"MNIST": pair}, {}, "name to every label"),
        ({"MNIST": [pair[0], other[1]]}, {"MNIST": DIGITS}, "the same images"),
    ]
    for pairs, names, words in cases:
        with pytest.raises(ValueError, match=words):
            explorer.Explorer(pairs, names)


# ---- the published maps


def test_the_published_maps_need_no_keras(in_subprocess):
    said = in_subprocess("""
        import sys
        from helpers import explorer
        shown = explorer.published("mnist", count=50)
        shown.place = {"z": [0.5, 0.5]}
        explorer.fragment(shown)
        assert not {"keras", "tensorflow", "torch", "jax", "matplotlib"} & set(sys.modules)
        for space in shown.pairs["MNIST"]:
            print(space.title, len(space.codes), space.log_variances is None)
    """, AE_PRESET="smoke")  # fmt: skip
    assert said.splitlines() == ["Plain autoencoder 50 True", "Variational autoencoder 50 False"]


def test_a_set_without_published_maps_is_one_sentence():
    with pytest.raises(ValueError, match="published maps of 'mnist' and 'fashion_mnist', not of 'cifar10'"):
        explorer.published("cifar10")


# ---- widget and sliders


def test_the_sliders_and_the_map_belong_to_the_same_place(shown):
    pytest.importorskip("anywidget")
    assert shown.map in shown.children and shown.live is None
    np.testing.assert_allclose(shown.z, shown.space.codes[0], atol=1e-4)
    assert [slider.value for slider in shown.map.sliders[:2]] == pytest.approx(shown.z)
    assert shown.space.title == "Variational autoencoder"


def test_a_place_can_be_read_and_set(pair):
    walk = explorer.Explorer({"MNIST": pair}, {"MNIST": DIGITS})
    walk.place = {"map": 0, "z": np.array([0.25, -1])}
    assert walk.place == {"set": "MNIST", "map": 0, "z": [0.25, -1.0], "link": "picture"}
    assert walk.space is pair[0]
    with pytest.raises(ValueError, match="no map 2 of 'MNIST'"):
        walk.place = {"map": 2}


@pytest.fixture
def plain(pair, monkeypatch) -> explorer.Explorer:
    """The explorer where there is no anywidget."""
    monkeypatch.setattr(widget, "anywidget", None)
    return explorer.Explorer({"MNIST": pair}, {"MNIST": DIGITS})


def picture(image) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(image.value)))


def test_without_anywidget_the_sliders_show_what_is_decoded(plain, pair):
    assert plain.map is None
    plain.sliders["z0"].value, plain.sliders["z1"].value = 0.5, -0.25
    gallery = plain.live.gallery
    expected = np.rint(255 * pair[1].decode([(0.5, -0.25)])[0, ..., 0]).repeat(6, axis=0).repeat(6, axis=1)
    np.testing.assert_allclose(picture(gallery.images["Variational autoencoder"]), expected, atol=1)
    assert gallery.captions["Variational autoencoder"].value.endswith("z = (0.50, -0.25)")
    assert "Plain autoencoder: the nearest, rebuilt" in gallery.images
    plain.sliders["z0"].value = 100
    assert plain.z[0] == plain.sliders["z0"].max
    plain.place = {"z": [50, 50]}
    assert gallery.captions["Variational autoencoder"].value.startswith("NO DATA NEAR")


def test_without_anywidget_the_cell_walks_the_grid_line_by_line(plain, pair):
    step = pair[1].half / 10
    corner = pair[1].centre + np.array([-1, 1]) * (pair[1].half - step / 2)
    for cell, across, down in ((1, 1, 0), (20, 0, 1), (399, 19, 19), (0, 0, 0)):
        plain.sliders["cell"].value = cell
        np.testing.assert_allclose(plain.z, corner + step * np.array([across, -down]), atol=1e-4)


# ---- the page


def test_the_page_holds_everything_and_asks_for_nothing(shown, pair, tmp_path):
    page = explorer.to_html(tmp_path / "map.html", shown)
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)=["']?http|\bimport\b[^;]*from|fetch\(""", text)
    data = json.loads(re.search(r"getElementById\(\"explorer-\w+\"\), (\{.*\}), \{ page: true \}\);", text)[1])
    (one,) = data["sets"]
    assert [space["title"] for space in one["spaces"]] == [space.title for space in pair]
    np.testing.assert_allclose(one["spaces"][1]["codes"], pair[1].codes, atol=1e-3)
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(one["sheet"].partition(",")[2]))))
    np.testing.assert_array_equal(sheet[28:56, 28:56], pair[0].images[one["columns"] + 1, ..., 0])
    assert [path.name for path in tmp_path.iterdir()] == ["map.html"]


def test_titles_and_names_do_not_become_markup(pair, tmp_path):
    bad = "</script><script>document.title = 'broken'</script><img src=x onerror=alert(1)>"
    names = [bad, *DIGITS[1:]]
    spaces = [explorer.Space(bad, pair[0].encoder, pair[0].decoder, pair[0].images, pair[0].labels, details=bad)]
    text = explorer.to_html(tmp_path / "page.html", {bad: spaces}, {bad: names}, title=bad).read_text(encoding="utf-8")
    assert text.count("<script") == text.count("</script") == 1
    assert "<img" not in text


def test_names_are_needed_with_pairs(pair):
    with pytest.raises(ValueError, match="give the names"):
        explorer.fragment({"MNIST": pair})


def test_published_networks_are_packed_in_16_bits():
    network = explorer.Network.read(weights.checked("map_plain_encoder"))
    packed = space_module._packed_network(network)
    assert {layer["kernel"]["type"] for layer in packed["trunk"] if "kernel" in layer} == {"f2"}
    exact = space_module._packed(np.array([0.1], np.float32))
    assert exact["type"] == "f4" and np.frombuffer(base64.b64decode(exact["data"]), "<f4") == np.float32(0.1)


# ---- what the page computes


def test_a_drawing_is_brought_to_the_form_of_mnist(tmp_path):
    """Wherever and however large it is drawn: 20 pixels high, its centre of mass in the middle, lines as wide."""
    rng = np.random.default_rng(0)
    stroke = np.stack([20 * np.sin(np.linspace(0, 5, 40)), np.linspace(0, 100, 40)], 1) + rng.normal(0, 0.3, (40, 2))
    drawings = [[(factor * stroke + shift).tolist()] for factor, shift in ((1, 0), (2, 30), (0.4, 100))]
    pictures = in_node(
        tmp_path, "return data.drawings.map(one => [...lx.inForm(one, [28, 28, 1])]);", drawings=drawings
    )
    pictures = np.reshape(pictures, (3, 28, 28))
    np.testing.assert_allclose(pictures[1], pictures[0], atol=0.02)
    np.testing.assert_allclose(pictures[2], pictures[0], atol=0.02)
    one = pictures[0]
    rows = np.flatnonzero(one.max(axis=1) > 0.3)
    assert 19 <= np.ptp(rows) + 1 <= 21
    across = np.arange(28) + 0.5
    np.testing.assert_allclose([(one * across).sum() / one.sum(), (one.T * across).sum() / one.sum()], 14, atol=0.15)
    width = one.sum() / 20 / 1.2  # the line is about a fifth longer than it is high
    assert 2 < width < 3.2 and one.max() == 1 and ((one > 0.05) & (one < 0.95)).mean() > 0.03


def test_a_dot_and_nothing_at_all_can_be_drawn(tmp_path):
    dot, nothing, colour = in_node(
        tmp_path,
        "return [[...lx.inForm([[[5, 5]]], [28, 28, 1])], lx.inForm([], [28, 28, 1]), "
        "[...lx.inForm([[[0, 0], [50, 50]]], [20, 30, 3])]];",
    )
    assert nothing is None and 2 < np.sum(dot) < 12
    colour = np.reshape(colour, (20, 30, 3))
    assert colour.max() == 1 and (colour[..., 0] == colour[..., 2]).all()


def test_every_class_has_a_readable_colour_and_a_sign_of_its_own(tmp_path):
    backs = ["rgb(255, 255, 255)", "rgb(21, 23, 27)", "rgb(0, 0, 0)", "rgb(255, 250, 239)"]
    source = """return {
        contrasts: data.backs.map(back => lx.readable(back, data.text).map(colour => lx.contrast(colour, back))),
        colours: lx.readable(data.backs[0], data.text), signs: data.names.map(lx.signsOf) }"""
    clothes = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
    seen = in_node(tmp_path, source, backs=backs, text="rgb(0, 0, 0)", names=[DIGITS, clothes, ["", "-", "A", "a"]])
    assert np.min(seen["contrasts"]) >= 4.5
    assert len(set(seen["colours"])) == 10
    assert seen["signs"][0] == DIGITS and all(len(set(signs)) == len(signs) for signs in seen["signs"])
    (gray,) = in_node(tmp_path, "return [lx.readable(data.back, 'rgb(255, 255, 255)')]", back="rgb(90, 90, 90)")
    assert "rgb(255, 255, 255)" in gray  # where a colour cannot be read the text's takes its place


# ---- walks


def test_a_walk_is_saved_there_and_back(pair, tmp_path):
    saved = Image.open(explorer.walk(pair, 3, 8, steps=5, path=tmp_path / "walk.gif"))
    assert (saved.n_frames, saved.size) == (8, (2 * 28 * 6, 28 * 6))
    for number, index in ((0, 3), (4, 8)):
        saved.seek(number)
        frame = np.asarray(saved.convert("L"))[::6, ::6]
        for k, space in enumerate(pair):
            expected = 255 * space.decode(space.codes[[index]])[0, ..., 0]
            np.testing.assert_allclose(frame[:, 28 * k : 28 * (k + 1)], expected, atol=2)


def test_a_walk_to_nowhere_is_one_sentence(pair, tmp_path):
    with pytest.raises(ValueError, match="from one of the images 0 to 59"):
        explorer.walk(pair[0], 0, 60, path=tmp_path / "walk.gif")
