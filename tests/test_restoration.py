"""What notebook 04 defines for itself, run from its own cells: holes, loss, sliders, a folder of one's own."""

import json
import types

import numpy as np
import pytest
import skimage
from PIL import Image

from helpers import baselines, corruptions, metrics, models, weights
from helpers.lab.presets import Preset
from helpers.pairs import to_float
from helpers.photos import square
from helpers.plumbing.files import PROJECT

NOTEBOOK = PROJECT / "notebooks" / "04_face_restoration.ipynb"
CELLS = (
    "corruption",
    "measures",
    "without-network",
    "better-damage",
    "better-recipe",
    "train-better",
    "train-second",
    "correct",
    "failure",
    "try-function",
)
MIDDLE = {"x": 50, "y": 50, "angle": 30}


@pytest.fixture(scope="module")
def cells():
    source = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in source}


@pytest.fixture(scope="module")
def notebook(cells):
    """The names that the cells above define, with the published networks; a portrait stands for all faces."""
    portrait = square(skimage.data.astronaut(), 128)[None]
    names = {
        "PRESET": Preset("smoke"),
        "SEED": 0,
        "TRAIN": False,
        "shown": to_float(portrait),
        "train_photos": portrait,
    }
    names |= {"r15": weights.load("restore_box"), "EPOCHS_BETTER": 1, "EPOCHS_SECOND": 1}
    names["restorer"] = None
    names["published"] = lambda name, train, whole: (weights.load(name), {})
    exec(cells["imports"], names)
    for name in CELLS:
        exec(cells[name], names)
    return types.SimpleNamespace(**names)


@pytest.fixture(scope="module")
def photo(notebook):
    return notebook.shown[0]


def test_training_draws_two_lines_or_three_boxes(notebook):
    masks = notebook.random_holes(np.ones((400, 128, 128, 3), np.float32), np.random.default_rng(0))
    assert masks.shape == (400, 128, 128, 1) and set(np.unique(masks)) == {0, 1}
    edges = np.stack([masks[:, 0], masks[:, -1]], axis=1).any(axis=(1, 2, 3)) & masks[:, :, [0, -1]].any(axis=(1, 2, 3))
    area = masks.sum(axis=(1, 2, 3))
    assert area.min() > 100 and area.max() <= 3 * 36**2
    assert 0.15 < edges.mean() < 0.5  # lines go from edge to edge, and some boxes lie in a corner


def test_the_network_gets_filled_holes_and_nothing_else_is_changed(notebook):
    clean = np.repeat(notebook.shown, 3, axis=0)
    filled, mask = notebook.line_or_box(clean, np.random.default_rng(1))
    np.testing.assert_array_equal(mask, notebook.random_holes(clean, np.random.default_rng(1)))
    outside = mask[..., 0] == 0
    np.testing.assert_array_equal(filled[outside], clean[outside])
    np.testing.assert_allclose(filled, baselines.biharmonic_fill(corruptions.cut_out(clean, mask), mask), atol=1e-6)


def test_the_losses_are_the_root_of_the_error_in_the_hole_or_its_logarithm_and_a_little_elsewhere(notebook):
    rng = np.random.default_rng(0)
    clean, painted = rng.random((2, 3, 16, 16, 3), dtype=np.float32)
    mask = np.zeros((3, 16, 16, 1), np.float32)
    mask[:, 4:9, 3:12] = 1
    loss = np.asarray(notebook.hole_loss(clean, np.concatenate([painted, mask], axis=-1)))
    expected = np.sqrt(metrics.mse(clean, painted, mask)) + 0.1 * metrics.mse(clean, painted)
    np.testing.assert_allclose(loss, expected, rtol=1e-3)
    logarithm = np.asarray(notebook.hole_log_loss(clean, np.concatenate([painted, mask], axis=-1)))
    expected = -metrics.psnr(clean, painted, mask) * np.log(10) / 20 + 0.1 * metrics.mse(clean, painted)
    np.testing.assert_allclose(logarithm, expected, rtol=1e-3)
    inside = clean + mask * (painted - clean)  # the same hole, nothing wrong outside of it
    assert (np.asarray(notebook.hole_loss(clean, np.concatenate([inside, mask], axis=-1))) < loss).all()


def test_the_network_for_training_has_the_weights_of_the_one_that_is_published(notebook, photo):
    twin = notebook.with_its_mask()
    whole = notebook.without_its_mask(twin)
    damaged, mask = notebook.damage(photo, "box", **MIDDLE, size=30)
    painted = twin.predict_on_batch([damaged, mask])
    np.testing.assert_array_equal(painted[..., 3:], mask)
    restored = whole.predict_on_batch([damaged, mask])
    np.testing.assert_allclose(restored, damaged + mask * np.clip(painted[..., :3], 0, 1), atol=1e-5)


@pytest.mark.parametrize(("x", "y", "rows", "columns"), [(0, 0, (0, 28), (0, 28)), (100, 50, (50, 78), (100, 128))])
def test_the_sliders_put_the_box_where_they_say(notebook, photo, x, y, rows, columns):
    damaged, mask = notebook.damage(photo, "box", x, y, size=22, angle=0)
    assert mask.sum() == 28 * 28  # 22 % of 128 pixels
    assert mask[0, slice(*rows), slice(*columns)].all()
    np.testing.assert_array_equal(damaged[0], corruptions.cut_out(photo, mask[0]))


@pytest.mark.parametrize("angle", [0, 30, 90, 150])
def test_the_sliders_line_is_that_of_the_corruption(notebook, photo, angle):
    _, mask = notebook.damage(photo, "line", x=50, y=50, size=30, angle=angle)
    line = {"angle": angle, "thickness": 0.128 * 30, "through": (0.5, 0.5)}
    _, drawn = corruptions.black_line(photo[None], np.random.default_rng(0), **line)
    np.testing.assert_array_equal(mask, drawn)


@pytest.mark.parametrize("kind", ["box", "line"])
def test_the_panels_show_what_their_captions_say(notebook, photo, kind):
    panels = notebook.restore(photo, kind=kind, **MIDDLE, size=22)
    assert list(panels) == ["clean", "damaged", "R15", "biharmonic", "U-Net", "error of the U-Net"]
    _, mask = notebook.damage(photo, kind, **MIDDLE, size=22)
    for name in ("R15", "biharmonic", "U-Net"):
        picture, caption = panels[name]
        assert caption == f"hole {metrics.psnr(photo[None], picture[None], mask)[0]:.1f} dB"
    for name in ("biharmonic", "U-Net"):
        np.testing.assert_array_equal(panels[name][0][mask[0, ..., 0] == 0], photo[mask[0, ..., 0] == 0])
    assert (panels["error of the U-Net"][0] > 0).sum() <= mask.sum()


def test_a_folder_of_ones_own_is_split_without_overlap(cells, notebook, tmp_path):
    folder = tmp_path / "thumbnails"
    (folder / "00000").mkdir(parents=True)
    for number in range(30):  # subfolders and odd sizes
        picture = Image.new("RGB", (90 + number, 140), (8 * number, 40, 200))
        picture.save(folder / ("00000" if number % 2 else ".") / f"{number}.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no photo")
    sizes = {
        "TRAIN_PHOTOS": 80,
        "VALIDATION_PHOTOS": 20,
        "TEST_PHOTOS": 24,
        "PHOTOS": folder,
        "PRESET": Preset("smoke"),
    }
    names = vars(notebook) | sizes
    with pytest.warns(UserWarning, match="left out 1 photo"):
        exec(cells["data"], names)
    parts = [set(names[part].paths) for part in ("train_photos", "validation_photos")] + [
        set(names["faces"].test.paths)
    ]
    assert [len(part) for part in parts] == [20, 4, 6]
    assert len(set.union(*parts)) == 30
    assert names["OTHER"]  # neither published nor recorded
    for path in list(folder.glob("*.png"))[:15]:
        path.unlink()
    for path in list((folder / "00000").glob("*.png"))[:10]:
        path.unlink()
    with (
        pytest.warns(UserWarning),
        pytest.raises(ValueError, match="5 photos are too few to train on; take a folder with"),
    ):
        exec(cells["data"], names)


def test_the_unet_is_smaller_than_the_photo_autoencoder(notebook):
    assert models.restoration_unet().count_params() == notebook.unet.count_params() < notebook.r15.count_params()
