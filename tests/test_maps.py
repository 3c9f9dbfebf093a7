"""The maps' recipes, and what is measured of a map."""

import functools
import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from helpers import datasets, vae, weights
from helpers.lab import identity, maps, publishing, recipes, workbench
from helpers.lab.presets import Preset
from helpers.pairs import Pairs, to_float

pytestmark = pytest.mark.usefixtures("eagerly")
SMOKE = Preset("smoke")


def test_every_published_map_is_what_its_recipe_builds():
    for recipe in maps.RECIPES.values():
        if recipe.published:
            built = recipe.network()
            for half in built[:2] if isinstance(built, tuple) else [built]:
                there = weights.load(f"{recipe.name}_{half.name}" if isinstance(built, tuple) else recipe.name)
                half.set_weights(there.get_weights())
                inputs = np.random.default_rng(0).random((2, *half.input_shape[1:]), dtype=np.float32)
                for one, other in zip(keras.tree.flatten(half(inputs)), keras.tree.flatten(there(inputs)), strict=True):
                    np.testing.assert_allclose(one, other, atol=1e-5, err_msg=recipe.name)


def test_what_is_compared_differs_in_one_thing():
    for kinds in maps.COMPARED.values():
        plain, variational = kinds["plain autoencoder"], kinds["VAE"]
        assert replace(plain, name="", network=None) == replace(variational, name="", network=None)
        assert (plain.network.func, plain.network.keywords) == (vae.variational_autoencoder, {"sampling": False})
        assert (variational.network.func, variational.network.keywords) == (vae.variational_autoencoder, {"beta": 1.0})


def test_every_beta_and_seed_is_a_run_of_its_own():
    images = Pairs(np.zeros((2, 28, 28, 1), np.uint8))
    found = []
    for recipe in maps.BY_BETA.values():
        for seed in maps.of_seeds(recipe):
            keras.utils.set_random_seed(seed.seed)
            loss, optimizer = seed.loss, keras.optimizers.get("adam")
            found.append(identity.fingerprint(seed.network()[2], images, images, loss=loss, optimizer=optimizer))
    assert len(set(found)) == len(found) == 3 * 4 + 1  # of the largest beta there is one


def test_training_publishes_both_halves_after_the_last_epoch(monkeypatch):
    published = {}
    monkeypatch.setattr(publishing, "publish", lambda model, name, *args, **options: published.update({name: model}))
    (encoder, decoder, whole), history = recipes.train(maps.RECIPES["map_vae"], SMOKE, maps.RECIPES)
    assert published == {"map_vae_encoder": encoder, "map_vae_decoder": decoder}
    assert len(history["loss"]) == 1 and whole.input_shape == (None, 28, 28, 1)


def test_a_classifier_learns_from_labels(monkeypatch):
    monkeypatch.setattr(publishing, "publish", lambda *args, **options: None)
    recipe = maps.READERS["mnist"]
    network, history = recipes.train(replace(recipe, images=512), SMOKE, maps.RECIPES)
    dataset, seen, held = recipes.images(recipe, SMOKE)
    loss = keras.losses.SparseCategoricalCrossentropy()
    then = network.predict(to_float(held), verbose=0)
    assert history["val_loss"][0] == pytest.approx(float(loss(dataset.train_labels[-len(held) :], then)), rel=1e-3)
    right = network.predict(to_float(seen), verbose=0).argmax(axis=1) == dataset.train_labels[: len(seen)]
    assert right.mean() > 0.3  # chance: 0.1


# ---- measurements on a map whose answers are known


class Reader(layers.Layer):
    """Class 0 to the left of the middle, 1 to the right; in between, for 0.2 on either side, it is not sure."""

    def call(self, pictures):
        left = keras.ops.clip(0.5 - 2.5 * keras.layers.Flatten()(pictures)[:, :1], 0, 1)
        return keras.ops.concatenate([left, 1 - left, *[0 * left] * 8], axis=1)


def known_map(scale: float = 1.0, shift: float = 0.0) -> maps.Map:
    """Pictures of 1x1x2 numbers, spread evenly over [-1, 1] x [-1, 1], and codes that are the same, scaled and shifted.

    Labels are as the reader has them, but those where it is not sure are random.
    """
    picture, code = keras.Input((1, 1, 2)), keras.Input((2,))
    encoder = keras.Model(picture, layers.Rescaling(scale, shift)(layers.Flatten()(picture)))
    decoder = keras.Model(code, layers.Reshape((1, 1, 2))(layers.Rescaling(1 / scale, -shift / scale)(code)))
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (4_000, 1, 1, 2)).astype(np.float32)
    across = images[:, 0, 0, 0]
    labels = np.where(np.abs(across) < 0.2, rng.integers(0, 2, 4_000), across > 0)
    reader = keras.Model(picture, Reader()(picture))
    return maps.Map(encoder, decoder, maps.TestSet(datasets.load("mnist", sample=True), images, labels, reader))


def test_a_map_is_judged_on_its_own_scale():
    one, other = (maps.quality(map_, 20)["own scale"] for map_ in (known_map(), known_map(scale=10, shift=3)))
    assert other.pop("sd of z0") == pytest.approx(10 * one.pop("sd of z0"), rel=1e-3)
    assert other.pop("sd of z1") == pytest.approx(10 * one.pop("sd of z1"), rel=1e-3)
    assert one == pytest.approx(other, rel=1e-3)
    sure = 0.4 / 2.5  # where the reader is sure of 90%
    assert one["readable within 2 sd (%)"] == pytest.approx(100 * (1 - sure * 3**0.5 / 2), abs=5)
    assert one["classes found"] == 2
    assert one["15 neighbours (%)"] == pytest.approx(100 - 20 / 2, abs=2)  # a fifth of the labels is a coin's


def test_unreadable_cells_are_told_by_what_lies_there():
    found = maps.regions(known_map(), 40)
    assert sum(found["of all places (%)"].values()) == pytest.approx(100)
    assert found["of all places (%)"]["empty, readable"] > 5  # beyond the square
    assert found["of all places (%)"]["occupied, readable"] > 50
    because = found["of the unreadable places (%)"]
    assert sum(because.values()) == pytest.approx(100)
    assert because["classes meet"] > 70 and because["one class"] < 15
    assert found["unreadable (%)"]["classes meet"] > 70 > 30 > found["unreadable (%)"]["empty"]
    assert found["unreadable (%)"]["one class"] < 5


def test_generated_pictures_come_from_where_they_are_said_to_come_from():
    found = maps.generation(known_map(shift=1), 4_000)
    names = datasets.load("mnist", sample=True).class_names
    readable = found["readable (%)"]
    assert readable["codes of test images"] == pytest.approx(100 - 16, abs=2)
    prior = found["classes of the readable (%), z from N(0, I)"]  # the middle of this map lies at 1
    assert prior[names[0]] > 80 and sum(prior.values()) == pytest.approx(100)
    fitted = found["classes of the readable (%), z from a Gaussian fitted to the codes"]
    assert fitted[names[0]] == pytest.approx(50, abs=3) == fitted[names[1]]


def test_the_terms_of_the_loss_are_those_of_the_vae():
    keras.utils.set_random_seed(0)
    encoder, decoder, _ = vae.variational_autoencoder()
    images = np.random.default_rng(0).random((40, 28, 28, 1), dtype=np.float32)
    test = maps.TestSet(datasets.load("mnist", sample=True), images, np.arange(40) % 10, weights.load("reader_mnist"))
    found = maps.terms(maps.Map(encoder, decoder, test), 4, 20)["loss"]
    mean, log_variance = encoder(images)
    kl = keras.ops.convert_to_numpy(vae.kl_divergence(mean, log_variance)).mean()
    error = keras.ops.convert_to_numpy(vae.cross_entropy(images, decoder(mean))).mean()
    assert found["KL (nats)"] == pytest.approx(kl, rel=1e-4)
    assert found["BCE at the mean (nats)"] == pytest.approx(error, rel=1e-4)
    assert found["BCE at a sampled z (nats)"] > 1.0001 * error


def test_all_maps_can_be_measured(monkeypatch):
    """On the sample, with the published networks of one seed; nothing is published."""
    found = {}
    monkeypatch.setattr(publishing, "write_json", lambda path, entry: found.update({path.stem: entry}))
    monkeypatch.setattr(maps, "of_seeds", lambda recipe: [recipe])
    monkeypatch.setattr(maps, "BY_BETA", {beta: maps.BY_BETA[beta] for beta in (1.0, 4.0)})
    monkeypatch.setattr(maps.Bench, "network", lambda self, name: published(name))
    monkeypatch.setattr(Preset, "publishes", lambda self, is_sample: True)
    maps.measure(SMOKE)
    assert set(found) == {f"map_{name}" for name in ("autoencoder", "comparison", "regions", "generation", "beta")}
    assert found["map_autoencoder"]["row"] == "R17"
    assert set(found["map_comparison"]["metrics"]["MNIST"]["own scale"]) == {*maps.KINDS, "the chapter's autoencoder"}
    json.dumps(found, allow_nan=False)  # plain numbers only


published = functools.cache(workbench.opened)
