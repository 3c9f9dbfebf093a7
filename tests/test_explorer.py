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
    np.testing.assert_array_equal(picture(images["autoencoder: nearest test images"]), expected)
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
