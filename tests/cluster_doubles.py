"""What the tests of several workers train in the engines: a small network with all that could differ there."""

import os
import time
from pathlib import Path

import keras
import numpy as np

from helpers import corruptions, vae
from helpers.lab import training
from helpers.pairs import Pairs

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 1), dtype=np.uint8)


class Steps(keras.callbacks.Callback):
    """The mean loss after every step of an epoch; after a step it may wait, for a test to interfere."""

    only_watches = True

    def __init__(self, seconds: float = 0.0):
        super().__init__()
        self.seconds, self.losses = seconds, []

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(float(logs["loss"]))
        time.sleep(self.seconds)


def network() -> keras.Model:
    """With batch normalization, dropout and the sampling of a VAE."""
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(2, 3, padding="same", use_bias=False)(image)
    x = keras.layers.BatchNormalization(momentum=0.5)(x)
    x = keras.layers.Dropout(0.3)(keras.layers.Flatten()(x))
    z = vae.Sampler(beta=0.5)(keras.layers.Dense(3)(x), keras.layers.Dense(3)(x))
    return keras.Model(image, keras.layers.Reshape((8, 8, 1))(keras.layers.Dense(64, activation="sigmoid")(z)))


def fit(epochs: int, seconds: float, other: int, worker: int) -> dict:
    """Train on batches of 16, 16 and 8 images; worker `other` has one pixel that is different."""
    images = IMAGES.copy()
    images[0, 0, 0, 0] += worker == other
    steps, model = Steps(seconds), network()
    history = training.fit(
        model, Pairs(images[:40], corruptions.uniform_mix, batch_size=16),
        Pairs(images[40:], corruptions.uniform_mix, batch_size=10, fresh=False, shuffle=False),
        epochs=epochs, loss=vae.cross_entropy, name="run", callbacks=[steps],
        optimizer=training.warm_up_and_cosine(3, 3, peak=0.02), folder=Path(os.environ["AUTOENCODER_RUNS"]),
    )  # fmt: skip
    return {"history": history, "steps": steps.losses, "weights": [variable.numpy() for variable in model.variables]}
