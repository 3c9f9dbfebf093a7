"""What the measurements of every application begin with: image sets, networks as the preset has them, a record."""

from collections.abc import Sequence

import keras

from .. import datasets, weights
from . import publishing
from .presets import Preset
from .recipes import Recipe, train


def predict(network: keras.Model, inputs, *, batch_size: int = 100):
    """What a network answers to images, or to a list of images and masks.

    A single batch goes straight through: `Model.predict` takes longer to begin than a small network to answer.
    """
    if len(inputs[0] if isinstance(inputs, list) else inputs) <= batch_size:
        return network.predict_on_batch(inputs)
    return network.predict(inputs, batch_size=batch_size, verbose=0)


def opened(name: str) -> tuple[keras.Model | tuple[keras.Model, keras.Model], dict]:
    """(network, history) of a published recipe; the network is (encoder, decoder) where these are what is published."""
    whole = (weights.FOLDER / f"{name}.keras").exists()
    files = [name] if whole else [f"{name}_{half}" for half in ("encoder", "decoder")]
    networks = tuple(weights.load(file) for file in files)
    return networks[0] if whole else networks, weights.history(files[0])


class Workbench:
    """The image sets that are named, the networks of an application's recipes, and where measurements go.

    notebook: "02", the lesson that they belong to. notes: sentences for the report, by a measurement's name.
    """

    def __init__(self, preset: Preset, *names: str, notebook: str, recipes: dict[str, Recipe], notes: dict):
        self.preset, self.notebook, self.recipes, self.notes = preset, notebook, recipes, notes
        self.sets = {name: datasets.load(name, sample=preset.sample) for name in names}
        self.networks: dict[str, tuple] = {}

    def network(self, name: str) -> tuple[keras.Model | tuple[keras.Model, keras.Model], dict]:
        """(network, history) of a recipe: the published one where there is one, else trained now.

        The network is (encoder, decoder) where the recipe publishes these.
        """
        if name not in self.networks:
            self.networks[name] = self._network(self.recipes[name])
        return self.networks[name]

    def _network(self, recipe: Recipe) -> tuple:
        if recipe.published and self.preset.name == "full":
            return opened(recipe.name)
        built, history = train(recipe, self.preset, self.recipes)
        if isinstance(built, tuple):
            return built[:2], history
        return built.get_layer(recipe.part) if recipe.part else built, history

    def trained(self, name: str) -> dict[str, float]:
        """Epochs, seconds and images of a recipe's training."""
        recipe, history = self.recipes[name], self.network(name)[1]
        images = recipe.images or len(self.sets[recipe.data].train) - recipe.held_out
        return {"epochs": len(history["loss"]), "seconds": sum(history["seconds"]), "images": images}

    def record(self, name: str, *, sets: Sequence[str] = (), **entry) -> None:
        """Write a measurement down (see `publishing.record`) and say its sentence. sets: measured on (the first)."""
        on = [self.sets[one] for one in sets or list(self.sets)[:1]]
        entry = {"published": "-", "row": "", "notes": self.notes.get(name, [])} | entry
        publishing.record(
            name, notebook=self.notebook, preset=self.preset, is_sample=any(one.is_sample for one in on),
            source=" and ".join(one.source.split(", from")[0] for one in on), **entry,
        )  # fmt: skip
        print(f"{name}: {entry['measured']}", flush=True)
