"""The explorer of the latent space: sliders that decode, a readout in words, and a page that stands by itself."""

import base64
import io
import json
import re

import keras
import numpy as np
import pytest
from PIL import Image

from helpers import explorer, models

NAMES = [str(digit) for digit in range(10)]


@pytest.fixture(scope="module")
def space() -> explorer.Space:
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    decoder = models.strided_autoencoder(latent_dim=2)[1]
    codes = rng.normal(0, 1, (60, 2)).astype(np.float32)
    images = rng.integers(0, 256, (60, 28, 28, 1), dtype=np.uint8)
    return explorer.Space("autoencoder", decoder, codes, images, rng.integers(0, 10, 60))


def picture(widget) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(widget.value)))


def decoded(space, z) -> np.ndarray:
    return np.rint(255 * space.decoder.predict_on_batch(np.array([z], np.float32))[0, ..., 0])


def test_a_moved_slider_shows_what_the_decoder_gives_there(space):
    walk = explorer.Explorer([space], NAMES, side=28)
    walk.live.controls["z0"].value = 1.2
    walk.live.controls["z1"].value = -0.4
    images = walk.live.gallery.images
    np.testing.assert_array_equal(picture(images["autoencoder"]), decoded(space, (1.2, -0.4)))
    near = np.argsort(np.linalg.norm(space.codes - (1.2, -0.4), axis=1))[:4]
    four = space.images[near, ..., 0]
    expected = np.block([[four[0], four[1]], [four[2], four[3]]])
    np.testing.assert_array_equal(picture(images["autoencoder: nearest"]), expected)
    assert walk.live.gallery.captions["autoencoder"].value.startswith("z = (1.20, -0.40): ")


def test_the_cell_slider_walks_the_grid_line_by_line(space):
    walk = explorer.Explorer([space], NAMES, cells=8)
    places = []
    for cell in (1, 7, 8, 63, 0):
        walk.cell.value = cell
        places.append(tuple(round(value, 2) for value in walk.z))
    assert places == [(-2.5, 3.5), (3.5, 3.5), (-3.5, 2.5), (3.5, -3.5), (-3.5, 3.5)]


def test_map_and_sliders_move_each_other(space):
    pytest.importorskip("anywidget")
    walk = explorer.Explorer([space], NAMES)
    walk.map.z = [0.48, -2.0]
    assert walk.z == pytest.approx([0.48, -2.0])
    np.testing.assert_array_equal(picture(walk.live.gallery.images["autoencoder"])[::8, ::8], decoded(space, walk.z))
    walk.live.controls["z1"].value = 3.2
    assert walk.map.z == pytest.approx([0.48, 3.2])


def test_a_move_of_both_numbers_is_one_new_picture_and_no_jump(space):
    pytest.importorskip("anywidget")
    walk, asked, told = explorer.Explorer([space], NAMES, cells=8), [], []
    look = walk.live.update
    walk.live.update = lambda **z: asked.append(tuple(z.values())) or look(**z)
    walk.map.observe(lambda change: told.append(tuple(change["new"])), names="z")
    walk.map.z = [0.48, -2.0]
    assert asked == told == [(0.48, -2.0)]
    walk.cell.value = 9
    assert asked[1:] == told[1:] == [(-2.5, 2.5)]


def test_the_sliders_do_without_anywidget(space, monkeypatch):
    monkeypatch.setattr(explorer, "anywidget", None)
    walk = explorer.Explorer([space], NAMES)
    assert walk.map is None and walk.children == (walk.live,)
    walk.live.controls["z0"].value = 1.0
    assert walk.live.gallery.captions["autoencoder"].value.startswith("z = (1.00, 0.00): ")


def test_the_readout_counts_the_nearest_and_warns_off_the_map():
    codes = np.concatenate([np.full((10, 2), 1.0), np.full((10, 2), -1.0)]) + np.linspace(0, 0.1, 20)[:, None]
    labels = np.repeat([3, 7], 10)
    space = explorer.Space("s", None, codes, None, labels)
    there = explorer.readout(space, (1.0, 1.0))
    assert (there.label, there.share, there.off) == (3, 10 / 15, False)
    assert there.distances[0] == 0 and len(there.near) == 15
    away = explorer.readout(space, (-3.0, -3.0))
    assert (away.label, away.off) == (7, True)
    assert (
        away.words((-3, -3), NAMES) == "z = (-3.00, -3.00): 7, 67 % of the 15 nearest; off the map, no data lies nearby"
    )


def test_what_the_decoder_says_is_shown(space):
    def broken(z0, z1):
        raise RuntimeError("no decoder")

    walk = explorer.Explorer([space], NAMES)
    walk.live.update = broken
    walk.live.controls["z0"].value = 2.0
    assert "no decoder" in walk.live.gallery.message.value


def test_spaces_of_different_extent_are_refused(space):
    other = explorer.Space("other", space.decoder, space.codes, space.images, space.labels, extent=3.0)
    with pytest.raises(ValueError, match="need one extent"):
        explorer.Explorer([space, other], NAMES)


def test_the_page_holds_everything_and_asks_for_nothing(space, tmp_path):
    page = explorer.to_html(tmp_path / "map.html", [space, space], NAMES)
    text = page.read_text(encoding="utf-8")
    assert page.stat().st_size < 3_000_000
    assert not re.search(r"""(src|href)=["']?http|\bimport\b[^;]*from|fetch\(""", text)
    data = json.loads(re.search(r'getElementById\("explorer"\), (\{.*\})\);', text)[1])
    assert [one["title"] for one in data["spaces"]] == ["autoencoder"] * 2
    first = data["spaces"][0]
    codes = np.frombuffer(base64.b64decode(first["codes"]), "<f2").reshape(-1, 2)
    np.testing.assert_allclose(codes, space.codes, atol=2e-3)
    assert [layer["kind"] for layer in first["layers"]] == [
        "dense",
        "reshape",
        "transposed",
        "transposed",
        "transposed",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["map.html"]


def test_spaces_of_the_same_images_share_them(space):
    other = explorer.Space("other", space.decoder, space.codes, space.images[::-1].copy(), space.labels)
    data = explorer.bundle([space, other, space], NAMES)
    assert [one["sheet"] for one in data["spaces"]] == [0, 1, 0]
    strip = np.asarray(Image.open(io.BytesIO(base64.b64decode(data["sheets"][1].partition(",")[2]))))
    np.testing.assert_array_equal(strip[:, :28], space.images[-1, ..., 0])


def test_a_walk_goes_straight_from_one_code_to_the_other(space):
    walk = explorer.Walk([space], NAMES, first=3, second=8, steps=5, side=28)
    for step, share in ((0, 0), (2, 0.5), (4, 1)):
        walk.live.controls["step"].value = step
        z = (1 - share) * space.codes[3] + share * space.codes[8]
        np.testing.assert_allclose(picture(walk.live.gallery.images["autoencoder"]), decoded(space, z), atol=1)
    np.testing.assert_array_equal(picture(walk.live.gallery.images["to"]), space.images[8, ..., 0])
    assert walk.live.gallery.captions["from"].value == NAMES[space.labels[3]]
    assert walk.live.gallery.captions["autoencoder"].value == "step 5 of 5"


def test_a_walk_is_saved_there_and_back(space, tmp_path):
    walk = explorer.Walk([space, space_like(space)], NAMES, first=3, second=8, steps=5)
    walk.live.controls["second"].value = 9
    saved = Image.open(walk.save(tmp_path / "walk.gif"))
    assert (saved.n_frames, saved.size) == (8, (2 * 28 * 6, 28 * 6))
    frames = []
    for number in (0, 4):
        saved.seek(number)
        frames.append(np.asarray(saved.convert("L"))[::6, ::6])
    np.testing.assert_allclose(frames[0][:, :28], decoded(space, space.codes[3]), atol=2)
    np.testing.assert_allclose(frames[1][:, 28:], decoded(space, space.codes[9]), atol=2)


def test_the_button_says_where_the_walk_is_or_what_went_wrong(space, tmp_path, monkeypatch):
    monkeypatch.setattr(explorer, "figures_folder", lambda: tmp_path)
    walk = explorer.Walk([space], NAMES)
    walk.button.click()
    assert "data/figures/walk.gif" in walk.message.value and (tmp_path / "walk.gif").exists()
    monkeypatch.setattr(explorer, "figures_folder", lambda: tmp_path / "walk.gif")  # a file, no folder
    walk.button.click()
    assert "walk.gif" in walk.live.gallery.message.value


def space_like(space) -> explorer.Space:
    return explorer.Space("VAE", space.decoder, space.codes, space.images, space.labels)


def test_a_layer_that_the_script_cannot_compute_is_named():
    decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4), keras.layers.LayerNormalization(name="norm")])
    with pytest.raises(ValueError, match=r"cannot compute the layer norm \(LayerNormalization\)"):
        explorer.bundle(
            [
                explorer.Space(
                    "s",
                    keras.Model(decoder.inputs, decoder.outputs),
                    np.zeros((2, 2)),
                    np.zeros((2, 4, 4, 1), np.uint8),
                    np.zeros(2, int),
                )
            ],
            NAMES,
        )
