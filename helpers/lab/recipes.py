"""A recipe: all that is needed to train a published model again, as a few lines of data."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import keras
import numpy as np

from .. import datasets, weights
from ..pairs import Corruption, Pairs
from ..photos import PhotoFolder
from . import publishing, training
from .presets import Preset

Built = keras.Model | tuple[keras.Model, keras.Model, keras.Model]  # a network, or (encoder, decoder, whole)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Images, corruption, network, loss, optimizer, epochs, seed.

    network: gives the untrained network, or (encoder, decoder, whole), of which the halves are published. corrupt: a
    function of `helpers.corruptions`, or a `functools.partial` of one; None where the clean image is the input too.
    loss: as in `model.compile`. optimizer: "adam", or a function of (batches an epoch, epochs) that gives one.
    watch: the noise of the validation images, where it is not the one trained on. target, augment: as for `Pairs`.
    start: the name of another recipe, with whose trained weights (the published ones, where there are) this
    one begins, layer by layer for as long as both have the same.
    held_out: so many of the last training images choose the best epoch; no test image does. images: the first so many
    of the others (None: all). callbacks: Keras's, such as `EarlyStopping`. published: belongs into data/weights.
    fresh: new noise in every epoch. half: published as float16. keep_last: the weights of the last epoch, not those of
    the lowest validation loss. classify: the network gives classes, and the targets are the images' labels.
    """

    name: str
    data: str
    network: Callable[[], Built]
    epochs: int
    corrupt: Corruption | None = None
    loss: str | Callable = "binary_crossentropy"
    optimizer: str | Callable[[int, int], keras.optimizers.Optimizer] = "adam"
    batch_size: int = 128
    seed: int = 0
    fresh: bool = True
    watch: Corruption | None = None
    target: Callable[[np.ndarray], np.ndarray] | None = None
    augment: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None
    start: str | None = None
    held_out: int = 5_000
    images: int | None = None
    callbacks: tuple[keras.callbacks.Callback, ...] = ()
    published: bool = False
    half: bool = False
    keep_last: bool = False
    classify: bool = False
    with_mask: bool = False
    part: str | None = None


class Labelled(Pairs):
    """(image, class label) batches."""

    def __init__(self, images, labels, *args, **options):
        super().__init__(images, *args, **options)
        self.labels = labels

    def __getitem__(self, number: int):
        return super().__getitem__(number)[0], self.labels[self.indices(number)]


def seeds(recipe: Recipe, count: int = 3) -> list[Recipe]:
    """The same recipe with the seeds 0 to count - 1; its name, and that of its start, say which. None is published."""
    return [
        replace(
            recipe,
            name=f"{recipe.name}_seed_{seed}",
            start=recipe.start and f"{recipe.start}_seed_{seed}",
            seed=seed,
            published=False,
        )
        for seed in range(count)
    ]


def images(recipe: Recipe, preset: Preset) -> tuple[datasets.Dataset, np.ndarray, np.ndarray]:
    """(data set, training images, validation images) of a recipe; few of them in `smoke` and `quick`."""
    dataset = datasets.load(recipe.data, sample=preset.sample)
    held_out = min(preset.pick(smoke=100, quick=2_000, full=recipe.held_out), max(1, len(dataset.train) // 5))
    limit = preset.pick(smoke=512, quick=12_000, full=recipe.images)
    rest = range(len(dataset.train) - held_out)[:limit]
    if isinstance(dataset.train, PhotoFolder):  # the photos stay on the disk
        return dataset, dataset.train.subset(rest), dataset.train.subset(slice(-held_out, None))
    return dataset, dataset.train[: len(rest)], dataset.train[-held_out:]


def train(recipe: Recipe, preset: Preset, book: dict[str, Recipe]) -> tuple[Built, dict]:
    """Train a recipe, or go on where it stopped, and publish the network where it belongs. Gives (network, history),
    the network as the recipe builds it: alone, or (encoder, decoder, whole).

    book: the recipes by name, for `start`. Only the `full` preset on real images publishes.
    """
    built, history, is_sample = fit(recipe, preset, book)
    publish(recipe, built, history, preset=preset, is_sample=is_sample)
    return built, history


def fit(recipe: Recipe, preset: Preset, book: dict[str, Recipe]) -> tuple[Built, dict, bool]:
    """The same without publishing: (network, history, whether it was trained on the drawn sample)."""
    dataset, train_images, validation_images = images(recipe, preset)
    epochs = preset.pick(smoke=1, quick=min(recipe.epochs, 4), full=recipe.epochs)
    keras.utils.set_random_seed(recipe.seed)
    built = recipe.network()
    network = whole(built)
    if recipe.start:
        start = book[recipe.start]
        there = start.published and preset.name == "full"
        learned = weights.load(start.name) if there else whole(fit(start, preset, book)[0])
        _begin_with(learned, network.get_layer(recipe.part) if recipe.part else network)
    kinds = [Pairs, Pairs]
    if recipe.classify:
        labels = dataset.train_labels
        kinds = [
            partial(Labelled, labels=labels[: len(train_images)]),
            partial(Labelled, labels=labels[-len(validation_images) :]),
        ]
    pairs = kinds[0](
        train_images, corrupt=recipe.corrupt, batch_size=recipe.batch_size, seed=recipe.seed, fresh=recipe.fresh,
        augment=recipe.augment, target=recipe.target, with_mask=recipe.with_mask,
    )  # fmt: skip
    watch = recipe.watch or recipe.corrupt
    validation = kinds[1](
        validation_images, corrupt=watch, batch_size=min(500, 16 * recipe.batch_size), seed=recipe.seed + 1,
        fresh=False, shuffle=False, target=recipe.target, with_mask=recipe.with_mask,
    )  # fmt: skip
    optimizer = recipe.optimizer if isinstance(recipe.optimizer, str) else recipe.optimizer(len(pairs), epochs)
    history = training.fit(
        network, pairs, validation, epochs=epochs, loss=recipe.loss, optimizer=optimizer, name=recipe.name,
        callbacks=recipe.callbacks, keep_last=recipe.keep_last,
    )  # fmt: skip
    return built, history, dataset.is_sample


def publish(recipe: Recipe, built: Built, history: dict, *, preset: Preset, is_sample: bool) -> None:
    """Put a recipe's trained network, or its halves, into data/weights, where it belongs there."""
    if not recipe.published:
        return
    files = {recipe.name: built.get_layer(recipe.part) if recipe.part else built}
    if isinstance(built, tuple):
        files = {f"{recipe.name}_{half.name}": half for half in built[:2]}  # named "encoder" and "decoder"
    for name, model in files.items():
        publishing.publish(model, name, history, preset=preset, is_sample=is_sample, half=recipe.half)


def whole(built: Built) -> keras.Model:
    """The network itself, where a recipe builds (encoder, decoder, whole)."""
    return built[-1] if isinstance(built, tuple) else built


def _begin_with(learned: keras.Model, network: keras.Model) -> None:
    """Layer by layer from the input, for as long as both have the same ones."""
    for theirs, own in zip(learned.layers, network.layers, strict=False):
        if [value.shape for value in theirs.weights] != [value.shape for value in own.weights]:
            break
        own.set_weights(theirs.get_weights())
