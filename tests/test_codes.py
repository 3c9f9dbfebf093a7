"""The recipes of short codes, and what is measured of them."""

import functools
import json
from dataclasses import replace

import numpy as np
import pytest

from helpers import baselines, metrics, weights
from helpers.lab import codes as lab
from helpers.lab import publishing, workbench
from helpers.lab.presets import Preset

pytestmark = pytest.mark.usefixtures("eagerly")
SMOKE = Preset("smoke")


def test_every_published_autoencoder_is_what_its_recipe_builds():
    """The same layers with the same settings, so that `train NAME` gives the published network again."""
    for recipe in lab.RECIPES.values():
        if recipe.published:
            for half in recipe.network()[:2]:
                there = weights.load(f"{recipe.name}_{half.name}")
                half.set_weights(there.get_weights())
                inputs = np.random.default_rng(0).random((2, *half.input_shape[1:]), dtype=np.float32)
                np.testing.assert_allclose(half(inputs), there(inputs), atol=1e-5, err_msg=recipe.name)
            history = weights.history(f"{recipe.name}_encoder")
            assert len(history["loss"]) == recipe.epochs, recipe.name


def test_what_is_compared_differs_in_one_thing():
    first, schedule, loss, depth = lab.ABLATION.values()
    assert replace(loss, name="", loss="mse") == replace(first, name="")
    assert replace(depth, name="", network=None) == replace(first, name="", network=None)
    same = {"name": "", "network": None, "optimizer": None}
    assert replace(schedule, **same) == replace(first, **same)
    networks = [recipe.network()[2] for recipe in (first, schedule, depth)]
    sizes = [network.count_params() for network in networks]
    assert sizes[0] == sizes[1] and max(sizes) / min(sizes) < 1.05
    for recipe in lab.LOSSES.values():
        assert replace(recipe, name="", loss=None) == replace(lab.LOSSES["squared error"], name="", loss=None)
    for recipe in lab.BY_SIZE.values():
        assert replace(recipe, name="", network=None) == replace(lab.BY_SIZE[16], name="", network=None)


def test_every_size_is_the_size_of_the_code():
    for size, recipe in lab.BY_SIZE.items():
        assert recipe.network()[0].output_shape == (None, size)


def test_a_tutorials_encoder_has_the_shapes_that_it_names():
    assert [layer.output.shape[1:] for layer in lab.headless().layers] == [(28, 28, 64), (28, 28, 32), (14, 14, 32)]


def test_the_logarithm_of_the_error_is_minus_the_psnr():
    rng = np.random.default_rng(0)
    clean, other = rng.random((2, 3, 28, 28, 1)).astype(np.float32)
    expected = -metrics.psnr(clean, other) * np.log(10) / 10
    np.testing.assert_allclose(lab.log_mse(clean, other), expected, rtol=1e-4)


def test_a_thumbnail_keeps_the_means_of_the_squares():
    flat = np.full((1, 28, 28, 1), 0.3, np.float32)
    np.testing.assert_allclose(lab.thumbnail(flat, 4), flat, atol=1e-6)
    dot = np.zeros((1, 28, 28, 1), np.float32)
    dot[0, :14, :14] = 1
    halves = lab.thumbnail(dot, 2)[0, ..., 0]
    assert halves[0, 0] == 1 and halves[-1, -1] == 0 and halves[:, 14].mean() < 0.5


def test_refined_codes_are_better_ones_and_the_decoder_stays():
    encoder, decoder = weights.load("codes_16_encoder"), weights.load("codes_16_decoder")
    images = lab.Bench(SMOKE).test[:20]
    before, weights_before = lab.predict(encoder, images), decoder.get_weights()
    after = lab.refine(decoder, before, images, steps=4)
    errors = [metrics.mse(images, lab.predict(decoder, codes)).mean() for codes in (before, after)]
    assert after.shape == before.shape and errors[1] < errors[0]
    for now, then in zip(decoder.get_weights(), weights_before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert decoder.trainable


def test_rounding_keeps_the_ends_and_few_steps_between():
    codes = np.linspace(-1, 3, 101)[:, None] * [1, 10]
    low, high = codes.min(axis=0), codes.max(axis=0)
    rounded = lab.rounded(codes, 2, low, high)
    np.testing.assert_allclose(np.unique(rounded[:, 0]), [-1, 1 / 3, 5 / 3, 3], rtol=1e-6)
    assert np.abs(lab.rounded(codes, 8, low, high) - codes).max() <= 40 / 255 / 2 + 1e-5
    np.testing.assert_allclose(lab.rounded(codes * 2, 8, low, high)[-1], high)  # what lies outside is cut off


def test_a_jpeg_of_many_gives_every_picture_back_in_its_place():
    bright = np.linspace(0, 1, 50, dtype=np.float32)[:, None, None, None] * np.ones((1, 28, 28, 1), np.float32)
    few, coarse = lab.jpeg(bright, 5)
    many, fine = lab.jpeg(bright, 90)
    assert coarse.shape == fine.shape == bright.shape and few < many
    np.testing.assert_allclose(fine, bright, atol=0.02)
    assert lab.png_bytes(bright[0]) > 50


def test_the_area_is_the_chance_that_a_strange_one_ranks_higher():
    rng = np.random.default_rng(0)
    ordinary, strange = rng.normal(0, 1, 300), rng.normal(1, 1, 200)
    ranks = (strange[:, None] > ordinary).mean()
    assert lab.area(ordinary, strange) == pytest.approx(ranks)
    assert lab.area(ordinary, ordinary + 9) == 1


def test_a_code_that_is_the_class_is_known_by_probe_and_neighbours():
    bench = lab.Bench(SMOKE)
    train_labels = bench.fashion.train_labels[: len(bench.train)]
    told = bench.judge(np.eye(10)[train_labels], np.eye(10)[bench.labels])
    nothing = bench.judge(np.zeros((len(bench.train), 3)), np.zeros((len(bench.test), 3)))
    assert told["linear probe (%)"] == told["5 neighbours (%)"] == 100
    assert nothing["linear probe (%)"] < 30
    assert bench.judge(lab.flat(bench.train), lab.flat(bench.test))["trustworthiness"] == 1


def test_pca_is_measured_clipped_as_a_network_is():
    bench = lab.Bench(SMOKE)
    fitted = baselines.pca(bench.train, 16)
    clipped, unclipped = baselines.pca_reconstruction(fitted, bench.test), lab._unclipped(fitted, bench.test)
    assert clipped.min() >= 0 and clipped.max() <= 1 and unclipped.min() < 0
    assert bench.score(clipped)["MSE"] < bench.score(unclipped)["MSE"]


def test_all_of_the_codes_can_be_measured(monkeypatch):
    """On the sample, with published networks in every place; nothing is published."""
    found = {}
    monkeypatch.setattr(publishing, "write_json", lambda path, entry: found.update({path.stem: entry}))
    monkeypatch.setattr(lab, "seeds", lambda recipe: [recipe])
    monkeypatch.setattr(lab, "SIZES", (2, 16, 196))
    monkeypatch.setattr(lab, "BY_SIZE", {size: lab.BY_SIZE[size] for size in (2, 16, 196)})
    monkeypatch.setattr(lab.Bench, "network", published)
    monkeypatch.setattr(Preset, "publishes", lambda self, is_sample: True)
    lab.measure(SMOKE)
    digits = ("codes_dense", "codes_deep_dense", "codes_conv", "codes_16_digits")
    names = {"small_conv", "classifier_shapes", "losses", "bytes", "16_better"}
    names |= {"dense_seeds", "16_alone", "against_pca", "detection"}
    assert set(found) == {*digits, *(f"codes_{name}" for name in names)}
    assert [found[name]["row"] for name in digits] == ["R2", "R3", "R4", "R5"]
    assert set(found["codes_dense_seeds"]["metrics"]["55,000 digits"]) == {"seed 0", "seed 1", "seed 2"}
    json.dumps(found, allow_nan=False)  # plain numbers only


def published(self, name):
    if name not in lab.RECIPES or not lab.RECIPES[name].published:
        name = "codes_dense" if name.startswith("codes_dense") else "codes_16"
    return opened(name)


opened = functools.cache(workbench.opened)
