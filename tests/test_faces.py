"""The restorers' recipes, what they train on, and what is measured of restored faces."""

import functools
import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from skimage import data as free_photos

from helpers import baselines, corruptions, metrics, models, records, weights
from helpers.lab import faces as lab
from helpers.lab import publishing, recipes, training, workbench
from helpers.lab.presets import Preset
from helpers.pairs import to_float
from helpers.photos import square

SMOKE = Preset("smoke")


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    """Two crops of a portrait and two synthetic faces, (4, 128, 128, 3) in [0, 1]."""
    return lab.free_faces()[:4]


def test_every_published_restorer_is_what_its_recipe_builds():
    for recipe in lab.RECIPES.values():
        if recipe.published:
            built, there = recipes.whole(recipe.network()), weights.load(recipe.name)
            built = built.get_layer(recipe.part) if recipe.part else built
            built.set_weights(there.get_weights())
            rng = np.random.default_rng(0)
            given = [rng.random((1, *tensor.shape[1:]), dtype=np.float32) for tensor in there.inputs]
            given = given[0] if len(given) == 1 else given
            np.testing.assert_allclose(built(given), there(given), atol=1e-4, err_msg=recipe.name)


def test_what_is_compared_differs_in_one_thing():
    whole, black, one_side = lab.TRIALS.values()
    assert replace(black, name="", corrupt=None) == replace(whole, name="", corrupt=None)
    assert replace(one_side, name="", network=None) == replace(whole, name="", network=None)
    assert one_side.network.func is models.restoration_unet and one_side.network.keywords == {"mirror": False}
    published = replace(lab.RECIPES["restore_unet"], name="", epochs=0, published=False)
    assert replace(whole, name="", epochs=0, images=None) == published


def test_the_settings_are_the_articles():
    first, *rest = (setting[0] for setting in lab.SETTINGS.values())
    changing = {"name": "", "optimizer": None, "epochs": 0, "batch_size": 0, "loss": ""}
    assert all(replace(other, **changing) == replace(first, **changing) for other in rest)
    rates = [float(recipe.optimizer(10, 1).learning_rate) for recipe in (first, *rest)]
    assert rates == pytest.approx([0.01, 0.01, 0.001, 0.001, 0.0001, 0.01])
    assert [recipe.epochs for recipe in (first, *rest)] == [15, 15, 15, 15, 30, 10]


def test_boxes_are_filled_as_biharmonic_inpainting_fills_them(photos):
    filled, mask = lab.three_boxes(photos, np.random.default_rng(0))
    outside = mask[..., 0] == 0
    np.testing.assert_array_equal(filled[outside], photos[outside])
    np.testing.assert_allclose(filled, baselines.biharmonic_fill(photos, mask), atol=1e-3)
    sides = np.sqrt(mask.sum(axis=(1, 2, 3)))
    assert (sides >= lab.SMALLEST).all() and (mask.sum(axis=(1, 2, 3)) <= 3 * lab.LARGEST**2).all()
    assert not mask[:, :2].any() and not mask[:, :, -2:].any()


def test_about_a_quarter_of_the_photos_gets_a_line():
    clean = np.full((200, 64, 64, 3), 0.5, np.float32)
    filled, mask = lab.boxes_or_line(clean, np.random.default_rng(0))
    edges = (mask[:, 0] + mask[:, -1]).any(axis=(1, 2)) | (mask[:, :, 0] + mask[:, :, -1]).any(axis=(1, 2))
    assert 0.15 < edges.mean() < 0.35 and mask.any(axis=(1, 2, 3)).all()
    np.testing.assert_allclose(filled, clean, atol=1e-3)  # on a plain photo there is nothing to see
    black, same = lab.left_black(clean, np.random.default_rng(0))
    np.testing.assert_array_equal(same, mask)
    np.testing.assert_array_equal(black, corruptions.cut_out(clean, mask))


def test_the_loss_is_the_root_of_each_photos_error(photos):
    other = np.clip(photos + np.linspace(0, 0.2, 4)[:, None, None, None], 0, 1).astype(np.float32)
    loss = np.asarray(lab.root_error(photos, other))
    np.testing.assert_allclose(loss, np.sqrt(metrics.mse(photos, other) + 1e-8), rtol=1e-4)


def test_the_critic_and_the_unet_learn_in_one_step_each_its_own(photos):
    small = photos[:, 48:80, 24:56]
    filled, mask = small.copy(), np.zeros((4, 32, 32, 1), np.float32)
    mask[:, 8:24, 8:24] = 1
    filled[:, 8:24, 8:24] = 0.5
    moved = {}
    for weight in (0.0, 1.0):
        keras.utils.set_random_seed(0)
        network = lab.adversarial(weight, (32, 32, 3))
        before = [np.array(value) for value in network.get_weights()]
        loss = network.predict_on_batch([filled, mask, small])
        network.compile(keras.optimizers.SGD(0.1), lab.its_own)
        network.train_on_batch([filled, mask, small], small)
        unet = len(network.get_layer("restoration_unet").weights)
        change = [now - then for now, then in zip(network.get_weights(), before, strict=True)]
        moved[weight] = loss, change[:unet], change[unet:]
    (loss, painter, judge), (same_loss, pushed, same_judge) = moved.values()
    np.testing.assert_allclose(loss, same_loss, rtol=1e-5)  # the critic's opinion has no value, only a direction
    error = np.abs(filled - small)[mask[..., 0] > 0].reshape(4, -1).mean(axis=1)
    assert ((loss - 20 * error) > 1.5).all() and ((loss - 20 * error) < 2.5).all()  # a critic that knows nothing: 2
    for one, other in zip(judge, same_judge, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert any(np.abs(one).max() > 1e-6 for one in judge)
    assert any(np.abs(one - other).max() > 1e-6 for one, other in zip(painter, pushed, strict=True))


def test_the_bold_one_begins_as_the_safe_one_and_its_unet_alone_is_published(monkeypatch):
    monkeypatch.setattr(training, "fit", lambda *args, **options: {"loss": [1.0]})
    published = {}
    monkeypatch.setattr(publishing, "publish", lambda model, name, *args, **options: published.update({name: model}))
    recipe = lab.BOLD
    monkeypatch.setattr(recipes, "images", lambda recipe, preset: few(recipe))
    network, _ = recipes.train(recipe, Preset("full"), lab.RECIPES)
    safe = weights.load("restore_unet")
    assert list(published) == ["restore_bold"] and published["restore_bold"].output_shape == (None, 128, 128, 3)
    for one, other in zip(published["restore_bold"].get_weights(), safe.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def few(recipe):
    dataset = lab.datasets.load(recipe.data, sample=True)
    return dataset, dataset.train[:4], dataset.train[-2:]


def test_an_eye_is_found_where_there_is_one():
    pytest.importorskip("cv2", reason="the detector of eyes needs opencv-python-headless below 5")
    portrait = to_float(square(free_photos.astronaut()[69:177, 172:280], 128)[None])[0]
    left, top = lab.PLACES["the left eye"]
    assert lab.eye_found(portrait, left, top)
    cheek = np.broadcast_to(portrait[60:61, 40:41], portrait.shape)
    assert not lab.eye_found(cheek, left, top)


@pytest.mark.usefixtures("eagerly")
def test_measuring_writes_only_the_full_preset_and_nests_figures(monkeypatch, tmp_path):
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    monkeypatch.setattr(lab, "eye_found", lambda *args: True)
    entries, copies = {}, {}

    def network(bench, name):
        """The published ones; of the others, as of one that is slow, a network that changes nothing."""
        if name in ("restore_unet", "restore_box"):
            return opened(name)
        if name not in copies:
            there = [keras.Input(shape) for shape in ((128, 128, 3), (128, 128, 1))]
            two = name.startswith(("restore_trial", "restore_bold"))
            copies[name] = keras.Model(there if two else there[0], keras.layers.Identity()(there[0]))
        return copies[name], {"loss": [0.1, 0.05], "val_loss": [0.1, 0.06], "seconds": [1.0, 1.0]}

    monkeypatch.setattr(lab.Bench, "network", network)
    record = publishing.record
    monkeypatch.setattr(
        publishing, "record", lambda name, **entry: entries.update({name: record(name, **entry)}) or entries[name]
    )
    lab.measure(SMOKE)
    assert not list(tmp_path.iterdir())
    assert set(entries) == {
        "restore_line", "restore_box", "restore_unet", "restore_bold", "restore_trials", "restore_box_settings",
    }  # fmt: skip
    scores = entries["restore_box"]["metrics"]["test photos"]
    assert scores[lab.SMOOTH]["hole PSNR (dB)"] > scores["left black"]["hole PSNR (dB)"] + 5
    assert scores[lab.UNET]["PSNR (dB)"] > scores[lab.ARTICLE]["PSNR (dB)"]
    assert entries["restore_box"]["metrics"]["accuracy"]["pure red"]["accuracy (%)"] > 50
    tables = entries["restore_bold"]["metrics"]
    between = tables.pop("between safe and bold, a box on the left eye")
    assert list(between) == ["25% bold", "50% bold", "75% bold"]
    for table in tables.values():
        assert table["truth"]["detail"] == pytest.approx(1) and table[lab.SMOOTH]["detail"] < 0.7
    json.dumps(entries)


opened = functools.cache(workbench.opened)
