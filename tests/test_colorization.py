"""What notebook 03 defines for itself, run from its own cells: bins, annealed mean, photos of any size."""

import json
import tracemalloc
import types

import numpy as np
import pytest
import skimage
from PIL import Image

from helpers import colors, corruptions, weights
from helpers.lab.presets import Preset
from helpers.plumbing.files import PROJECT

NOTEBOOK = PROJECT / "notebooks" / "03_cifar10_colorization.ipynb"
CELLS = ("imports", "bins", "annealed", "own-function", "own-function-two", "own-function-three")


@pytest.fixture(scope="module")
def notebook():
    """The names that the cells above define, with the published networks."""
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]}
    names = {"PRESET": Preset("smoke"), "cifar": types.SimpleNamespace(is_sample=True), "UNET": "U", "CLASSES": "C"}
    names |= {"unet": weights.load("colorize_unet"), "classifier": weights.load("colorize_classes")}
    for name in CELLS:
        exec(cells[name], names)
    return types.SimpleNamespace(**names)


def test_the_bins_are_those_published_beside_the_classifier(notebook):
    published = np.load(weights.FOLDER / "colorize_bins.npz")["values"]
    np.testing.assert_array_equal(published, notebook.bins)
    assert notebook.classifier.output_shape[-1] == len(published)


def test_the_class_of_a_colour_is_the_nearest_bin(notebook):
    rng = np.random.default_rng(0)
    clean = np.repeat(np.repeat(rng.random((5, 4, 4, 3), dtype=np.float32), 2, axis=1), 2, axis=2)
    chosen = notebook.to_bins(clean)
    assert chosen.shape == (5, 4, 4)
    distances = np.linalg.norm(colors.to_ab(clean)[:, ::2, ::2, None] - notebook.bins, axis=-1)
    np.testing.assert_allclose(
        np.take_along_axis(distances, chosen[..., None], -1)[..., 0], distances.min(axis=-1), atol=1e-3
    )


def test_the_annealed_mean_goes_from_the_likeliest_bin_to_the_mean(notebook):
    chances = np.random.default_rng(0).dirichlet(np.ones(len(notebook.bins)), (2, 3, 3)).astype(np.float32)
    np.testing.assert_allclose(notebook.annealed_mean(chances, 1.0), chances @ notebook.bins, atol=1e-3)
    likeliest = notebook.bins[chances.argmax(axis=-1)]
    np.testing.assert_allclose(notebook.annealed_mean(chances, 1e-4), likeliest, atol=0.5)
    spread = [np.linalg.norm(notebook.annealed_mean(chances, t), axis=-1).mean() for t in (1.0, 0.38, 0.05)]
    assert spread == sorted(spread)


@pytest.mark.parametrize(
    ("shape", "small"), [((300, 600), (32, 64)), ((600, 301), (64, 32)), ((5, 7), (32, 48)), ((1, 5000), (32, 1024))]
)
def test_the_small_copy_keeps_the_shape_of_the_photo(notebook, shape, small):
    given = notebook.small_gray(np.zeros((*shape, 3), np.uint8))
    assert given.shape == (1, *small, 1)


def test_strips_make_no_difference_and_the_gray_stays(notebook):
    photo = skimage.data.coffee()[:200, :301]
    chroma = notebook.unet.predict_on_batch(notebook.small_gray(photo))
    whole = notebook.in_full_size(photo, chroma, colors.with_chroma, strip=1000)
    strips = notebook.in_full_size(photo, chroma, colors.with_chroma, strip=37)
    assert whole.shape == photo.shape and whole.dtype == np.uint8
    assert np.abs(whole.astype(int) - strips).max() <= 1
    was, now = (corruptions.grayscale(picture[None] / np.float32(255)) for picture in (photo, whole))
    assert np.abs(was - now).mean() < 0.005  # but for what is clipped
    assert np.abs(whole[..., 0].astype(int) - whole[..., 2]).mean() > 3  # and it has colour


def test_a_photo_is_coloured_at_its_own_shape_and_saved_in_full_size(notebook, tmp_path, monkeypatch):
    monkeypatch.setitem(notebook.color_own.__globals__, "figures_folder", lambda: tmp_path)
    panels = notebook.color_own(skimage.data.rocket())
    assert {picture.shape[:2] for picture, _ in panels.values()} == {(320, 480)}
    with Image.open(tmp_path / "coloured.png") as saved:
        assert saved.size == (640, 427)
    assert [path.name for path in tmp_path.iterdir()] == ["coloured.png"]


def test_a_large_photo_takes_little_more_memory_than_itself(notebook):
    photo = np.random.default_rng(0).integers(0, 256, (5000, 5000, 3), dtype=np.uint8)  # 25 megapixels, 75 MB
    chroma = notebook.unet.predict_on_batch(notebook.small_gray(photo))
    tracemalloc.start()  # the process's own peak would hide it behind that of an earlier test
    try:
        notebook.in_full_size(photo, chroma, colors.with_chroma)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most / 1024 < 400_000  # KiB
