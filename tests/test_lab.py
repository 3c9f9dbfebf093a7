"""The lab's command line and its recipes."""

import dataclasses
import functools
import json

import keras
import numpy as np
import pytest

from helpers import corruptions, models, records, weights
from helpers.lab import __main__ as lab
from helpers.lab import codes, denoising, maps, publishing, recipes, workbench
from helpers.lab.presets import Preset

pytestmark = pytest.mark.usefixtures("eagerly")
SMOKE = Preset("smoke")


@pytest.fixture
def recipe():
    network = functools.partial(models.conv_autoencoder, filters=2)
    return recipes.Recipe(name="tiny", data="mnist", network=network, corrupt=corruptions.uniform_mix, epochs=7)


def test_list_names_every_recipe(capsys):
    lab.main(["list"])
    said = capsys.readouterr().out
    assert all(f"  {name} (" in said for name in (*codes.RECIPES, *denoising.RECIPES, *maps.RECIPES))


def test_an_unknown_recipe_gets_one_sentence():
    with pytest.raises(SystemExit, match="there is no recipe 'denoise_nothing'; .*list"):
        lab.main(["train", "denoise_nothing"])


def test_nonsense_on_the_command_line_is_refused(capsys):
    for wrong in (["measure", "cooking"], ["--preset", "huge", "list"], []):
        with pytest.raises(SystemExit):
            lab.main(wrong)
    assert "invalid choice" in capsys.readouterr().err


def test_every_published_denoiser_is_what_its_recipe_builds():
    """The same layers with the same settings, so that `train NAME` gives the published network again."""
    for recipe in denoising.RECIPES.values():
        if recipe.published:
            built, there = recipe.network(), weights.load(recipe.name)
            assert [w.shape for w in built.weights] == [w.shape for w in there.weights], recipe.name
            built.set_weights(there.get_weights())
            noisy = np.random.default_rng(0).random((2, 28, 28, 1), dtype=np.float32)
            np.testing.assert_allclose(built(noisy), there(noisy), atol=1e-5, err_msg=recipe.name)


def test_a_quick_look_publishes_nothing(recipe, monkeypatch, runs):
    written = []
    monkeypatch.setattr(publishing, "write_json", lambda *args: written.append(args))
    network, history = recipes.train(dataclasses.replace(recipe, published=True), SMOKE, {})
    assert len(history["loss"]) == 1 and list(runs.iterdir()) and not written


def test_a_recipe_begins_with_the_weights_of_its_start(recipe):
    after = dataclasses.replace(recipe, name="after", start="tiny", optimizer=standing_still)
    network, _ = recipes.train(after, SMOKE, {"tiny": recipe, "after": after})
    first, _ = recipes.train(recipe, SMOKE, {})
    for one, other in zip(network.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_allclose(one, other)


def standing_still(steps, epochs):
    return keras.optimizers.SGD(0.0)


def test_three_seeds_are_three_recipes_with_starts_of_their_own(recipe):
    three = recipes.seeds(dataclasses.replace(recipe, start="begin"))
    assert [(one.name, one.seed, one.start) for one in three] == [
        (f"tiny_seed_{seed}", seed, f"begin_seed_{seed}") for seed in range(3)
    ]


def test_published_networks_are_opened_in_the_full_preset_and_others_trained(recipe):
    of_digits = {"data": "mnist", "network": None, "epochs": 9, "published": True}
    book = {name: recipes.Recipe(name=name, **of_digits) for name in ("denoise_uniform", "map_vae")} | {"tiny": recipe}
    full, smoke = (
        workbench.Workbench(Preset(name), "mnist", notebook="02", recipes=book, notes={}) for name in ("full", "smoke")
    )
    assert full.network("denoise_uniform")[0].output_shape == (None, 28, 28, 1)
    assert [half.name for half in full.network("map_vae")[0]] == ["encoder", "decoder"]
    assert full.network("map_vae") is full.network("map_vae")
    assert full.trained("denoise_uniform")["epochs"] == 100
    assert smoke.trained("tiny")["epochs"] == 1


def test_all_of_denoising_can_be_measured(monkeypatch, tmp_path):
    """On the sample, with one recipe in the place of each comparison's; nothing is published."""
    one = {"a network": dataclasses.replace(denoising.RECIPES["denoise_uniform"], name="quick", published=False)}
    monkeypatch.setattr(denoising, "LOSSES", one)
    for comparison in ("ABLATION", "SKIPS"):
        monkeypatch.setattr(denoising, comparison, {("a", "b"): one["a network"]})
    found = {}
    monkeypatch.setattr(publishing, "write_json", lambda path, entry: found.update({path.stem: entry}))
    monkeypatch.setattr(denoising, "seeds", lambda recipe: [recipe])
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    monkeypatch.setattr(denoising.Bench, "network", lambda self, name: NETWORKS(name))
    monkeypatch.setattr(Preset, "publishes", lambda self, is_sample: True)
    denoising.measure(SMOKE)
    networks = {"uniform", "gaussian_16", "half", "extreme", "skips", "unet"}
    comparisons = {"losses", "ablation", "skips_compared"}
    names = networks | comparisons | {"filters", "robustness", "fixed_noise"}
    assert set(found) == {f"denoise_{name}" for name in names}
    assert found["denoise_uniform"]["row"] == "R8" and found["denoise_unet"]["row"] == ""
    json.dumps(found)  # plain numbers only
    assert (tmp_path / "overview.png").exists()


@functools.cache
def NETWORKS(name):
    published = name if name in ("denoise_gaussian_16", "denoise_unet") else "denoise_uniform"
    return workbench.opened(published)
