"""The colorizers' recipes, and what is measured of coloured photos."""

import functools
import json
from dataclasses import replace

import numpy as np
import pytest

from helpers import colors, corruptions, metrics, records, weights
from helpers.lab import colorization as lab
from helpers.lab import publishing, recipes, workbench
from helpers.lab.presets import Preset

pytestmark = pytest.mark.usefixtures("eagerly")
SMOKE = Preset("smoke")
RED, BLUE, BROWN, GRAY = (0.9, 0.1, 0.1), (0.1, 0.2, 0.9), (0.5, 0.35, 0.1), (0.5, 0.5, 0.5)


def test_every_published_colorizer_is_what_its_recipe_builds():
    for recipe in lab.RECIPES.values():
        if recipe.published:
            built, there = recipe.network(), weights.load(recipe.name)
            built.set_weights(there.get_weights())
            gives = np.random.default_rng(0).random((2, 32, 32, built.input_shape[-1]), dtype=np.float32)
            np.testing.assert_allclose(built(gives), there(gives), atol=1e-4, err_msg=recipe.name)


def test_what_is_compared_differs_in_one_thing():
    rgb, chroma, skips, mirrored, unet = lab.ABLATION.values()
    assert replace(chroma, name="", network=None) == replace(skips, name="", network=None)
    assert replace(chroma, name="", network=None) == replace(unet, name="", network=None)
    assert replace(chroma, name="", network=None) == replace(mirrored, name="", network=None, augment=None)
    built = [(recipe.network.func, recipe.network.keywords) for recipe in (chroma, mirrored)]
    assert built[0] == built[1] == (lab.chapter, {"chroma": True})
    same = {"name": "", "network": None, "target": None, "loss": None}
    assert replace(rgb, **same) == replace(chroma, **same)
    sizes = [recipe.network().count_params() for recipe in (rgb, chroma, skips)]
    assert max(sizes) / min(sizes) < 1.06
    assert rgb.network().count_params() == lab.whole_autoencoder().count_params()


def test_an_error_of_chroma_is_worth_what_it_makes_of_red_green_and_blue():
    rng = np.random.default_rng(0)
    gray = np.full((2, 4, 4, 1), 0.5, np.float32)
    one, other = (rng.uniform(-0.1, 0.1, (2, 4, 4, 2)).astype(np.float32) for _ in range(2))
    wrong = np.asarray(lab.rgb_error(one, other)).mean(axis=(1, 2))
    np.testing.assert_allclose(
        wrong, metrics.mse(colors.with_chroma(gray, one), colors.with_chroma(gray, other)), rtol=1e-4
    )


def test_a_classifier_of_colours_begins_with_the_trunk_of_the_unet(monkeypatch):
    monkeypatch.setattr(publishing, "publish", lambda *args, **options: None)
    learned, started = weights.load("colorize_unet"), lab.RECIPES["colorize_classes"].network()
    before = started.layers[-2].get_weights()
    recipes._begin_with(learned, started)
    same = [
        all(np.array_equal(*pair) for pair in zip(own.get_weights(), theirs.get_weights(), strict=True))
        for own, theirs in zip(started.layers[:-2], learned.layers, strict=False)
    ]
    assert all(same) and len(same) > 40
    np.testing.assert_array_equal(started.layers[-2].get_weights()[0], before[0])


def test_augmented_photos_keep_their_size_and_colours():
    images = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
    moved = lab.mirrored_and_shifted(images, np.random.default_rng(1))
    assert moved.shape == images.shape and moved.dtype == np.uint8 and (moved != images).any(axis=(1, 2, 3)).all()
    mirrored = images[:, :, ::-1]
    inner = moved[:, 8:24, 8:24]
    for one, turned, part in zip(images, mirrored, inner, strict=True):
        places = [(picture, y, x) for picture in (one, turned) for y in range(4, 13) for x in range(4, 13)]
        assert any(np.array_equal(picture[y : y + 16, x : x + 16], part) for picture, y, x in places)


def test_rare_colours_count_more():
    labels = np.repeat([0, 1], [900, 100])
    rare = lab.rarity(labels)
    assert rare.shape == (len(colors.BINS),) and rare[0] < rare[1] < rare[2] == rare[3]


@pytest.mark.parametrize(("colour", "name"), [(RED, "red"), (BLUE, "blue"), (BROWN, "brown"), (GRAY, None)])
def test_a_pixel_has_one_hue_or_none(colour, name):
    pixels = np.full((1, 2, 2, 3), colour, np.float32)
    assert [other for other in ("red", "blue", "brown") if lab.hue(pixels, other).all()] == ([name] if name else [])


def test_contrast_keeps_the_mean_and_gives_each_photo_as_much():
    strength = np.array([1, 2, 3], np.float32)[:, None, None, None]
    chroma = strength * np.random.default_rng(0).normal(0.02, 0.01, (3, 8, 8, 2)).astype(np.float32)

    def spread(values):
        return np.sqrt(((values - values.mean(axis=(1, 2), keepdims=True)) ** 2).sum(axis=-1).mean(axis=(1, 2)))

    for more in (lab.with_contrast(chroma, 2.0), lab.with_contrast(chroma, added=0.02)):
        np.testing.assert_allclose(more.mean(axis=(1, 2)), chroma.mean(axis=(1, 2)), atol=1e-6)
    np.testing.assert_allclose(spread(lab.with_contrast(chroma, 2.0)), 2 * spread(chroma), rtol=1e-4)
    np.testing.assert_allclose(spread(lab.with_contrast(chroma, added=0.02)), spread(chroma) + 0.02, rtol=1e-4)
    np.testing.assert_allclose(lab.with_contrast(chroma), chroma, rtol=1e-5)


@pytest.fixture
def bench(monkeypatch) -> lab.Bench:
    return lab.Bench(SMOKE)


def test_what_is_painted_red_is_counted_with_precision_and_recall(bench):
    cars = np.flatnonzero(bench.of_class("automobile", "truck"))
    assert len(cars) >= 4
    bench.test = np.full((len(bench.labels), 32, 32, 3), GRAY, np.float32)
    painted = bench.test.copy()
    bench.test[cars[:2]] = RED  # two red cars
    painted[cars[[0, 2, 3]]] = RED  # one of them found, two gray ones painted red
    counts = bench.counted(painted)["red cars and trucks"]
    assert counts["pictures"] == len(cars)
    assert (counts["recall (%)"], counts["precision (%)"]) == pytest.approx((50, 100 / 3))
    assert counts["truly so (%)"] == pytest.approx(200 / len(cars))


def test_the_truth_has_no_error_and_all_its_colour(bench):
    score = bench.score(bench.test)
    assert score["MSE"] == 0 and score["chroma error"] == 0
    assert score["colourfulness"] == pytest.approx(metrics.colorfulness(bench.test).mean())
    named = bench.reader.predict(bench.test, verbose=0).argmax(axis=1)
    assert score["recognized (%)"] == pytest.approx(100 * np.mean(named == bench.labels))


def test_rebalancing_makes_rare_colours_likelier(bench):
    network = weights.load("colorize_classes")
    pictures = bench.by_classes(network, {"plain": (1.0, 0.0), "rebalanced": (1.0, 1.0)})
    plain, rebalanced = (metrics.colorfulness(images).mean() for images in pictures.values())
    assert plain < rebalanced
    np.testing.assert_allclose(corruptions.grayscale(pictures["plain"]), bench.gray, atol=0.1)


def test_all_of_colorization_can_be_measured(monkeypatch, tmp_path):
    """On the sample, with the published networks in every place; nothing is published."""
    found = {}
    monkeypatch.setattr(publishing, "write_json", lambda path, entry: found.update({path.stem: entry}))
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    monkeypatch.setattr(lab, "seeds", lambda recipe: [recipe])
    monkeypatch.setattr(lab.Bench, "network", lambda self, name: published(name))
    monkeypatch.setattr(Preset, "publishes", lambda self, is_sample: True)
    lab.measure(SMOKE)
    names = ("autoencoder", "unet", "classes", "ablation", "both", "counts")
    assert set(found) == {"reader_cifar10", *(f"colorize_{name}" for name in names)}
    assert found["colorize_autoencoder"]["row"] == "R13"
    json.dumps(found)  # plain numbers only
    assert (tmp_path / "colorize_overview.png").exists()


opened = functools.cache(workbench.opened)


def published(name):
    there = name if name.startswith("colorize") else "colorize_unet"
    return opened("colorize_autoencoder" if name.startswith("color_rgb") else there)
