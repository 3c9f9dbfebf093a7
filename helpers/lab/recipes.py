"""A recipe: all that is needed to train a published model again, as a few lines of data."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import keras
import numpy as np

from .. import datasets
from ..pairs import Corruption, Pairs
from . import publishing, training
from .presets import Preset

HELD_OUT = 5_000  # the last training images choose the best epoch; no test image does


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Images, corruption, network, loss, optimizer, epochs, seed.

    network: gives the untrained network. corrupt: a function of `helpers.corruptions`, or a `functools.partial` of one.
    loss: as in `model.compile`. optimizer: "adam", or a function of (batches an epoch, epochs) that gives one.
    watch: the noise of the validation images, where it is not the one trained on. start: the name of another recipe,
    with whose trained weights this one begins. images: the first so many training images (None: all but the last
    5,000). patience: stop after so many epochs without a better one (0: never). published: belongs into data/weights.
    fresh: new noise in every epoch. half: published as float16.
    """

    name: str
    data: str
    network: Callable[[], keras.Model]
    corrupt: Corruption
    epochs: int
    loss: str | Callable = "binary_crossentropy"
    optimizer: str | Callable[[int, int], keras.optimizers.Optimizer] = "adam"
    batch_size: int = 128
    seed: int = 0
    fresh: bool = True
    watch: Corruption | None = None
    start: str | None = None
    images: int | None = None
    patience: int = 0
    published: bool = False
    half: bool = False


def seeds(recipe: Recipe, count: int = 3) -> list[Recipe]:
    """The same recipe with the seeds 0 to count - 1; its name, and that of its start, say which."""
    return [
        replace(
            recipe,
            name=f"{recipe.name}_seed_{seed}",
            start=recipe.start and f"{recipe.start}_seed_{seed}",
            seed=seed,
        )
        for seed in range(count)
    ]


def images(recipe: Recipe, preset: Preset) -> tuple[datasets.Dataset, np.ndarray, np.ndarray]:
    """(data set, training images, validation images) of a recipe; few of them in `smoke` and `quick`."""
    dataset = datasets.load(recipe.data, sample=preset.sample)
    held_out = preset.pick(smoke=100, quick=2_000, full=HELD_OUT)
    limit = preset.pick(smoke=512, quick=12_000, full=recipe.images)
    return dataset, dataset.train[:-held_out][:limit], dataset.train[-held_out:]


def train(recipe: Recipe, preset: Preset, book: dict[str, Recipe]) -> tuple[keras.Model, dict]:
    """Train a recipe, or go on where it stopped, and publish the network where it belongs. Gives (network, history).

    book: the recipes by name, for `start`. Only the `full` preset on real images publishes.
    """
    dataset, train_images, validation_images = images(recipe, preset)
    epochs = preset.pick(smoke=1, quick=min(recipe.epochs, 4), full=recipe.epochs)
    keras.utils.set_random_seed(recipe.seed)
    network = recipe.network()
    if recipe.start:
        network.set_weights(train(book[recipe.start], preset, book)[0].get_weights())
    pairs = Pairs(train_images, recipe.corrupt, batch_size=recipe.batch_size, seed=recipe.seed, fresh=recipe.fresh)
    watch = recipe.watch or recipe.corrupt
    validation = Pairs(
        validation_images, watch, batch_size=500, seed=recipe.seed + 1, fresh=False, shuffle=False
    )
    optimizer = recipe.optimizer if isinstance(recipe.optimizer, str) else recipe.optimizer(len(pairs), epochs)
    callbacks = [keras.callbacks.EarlyStopping(patience=recipe.patience)] if recipe.patience else []
    history = training.fit(
        network, pairs, validation, epochs=epochs, loss=recipe.loss, optimizer=optimizer, name=recipe.name,
        callbacks=callbacks,
    )  # fmt: skip
    if recipe.published:
        publishing.publish(
            network, recipe.name, history, preset=preset, is_sample=dataset.is_sample, half=recipe.half
        )
    return network, history
