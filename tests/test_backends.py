"""What the notebooks share runs on every Keras 3 backend installed, and trains, stops and goes on there alike."""

import importlib.util

import pytest

SOURCE = """
import functools, sys, tempfile
from pathlib import Path
import keras, numpy as np
from helpers import corruptions, metrics, models
from helpers.lab import training
from helpers.pairs import Pairs

assert keras.backend.backend() == {backend!r}
assert "tensorflow" not in sys.modules  # nothing of ours needs it on another backend
folder = Path(tempfile.mkdtemp())
images = np.random.default_rng(0).integers(0, 256, (48, 8, 8, 1), dtype=np.uint8)
noise = functools.partial(corruptions.gaussian, std=0.3)
validation = Pairs(images[40:], noise, fresh=False, shuffle=False)

class Stop(keras.callbacks.Callback):
    only_watches = True
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 2 and batch == 1:
            raise KeyboardInterrupt

def build():
    keras.utils.set_random_seed(1)
    return models.conv_autoencoder((8, 8, 1), filters=4)

def fit(where, model, *extra):
    history = training.fit(
        model, Pairs(images[:40], noise, batch_size=16), validation, epochs=4, loss=metrics.ssim_loss,
        optimizer=keras.optimizers.Adam(0.01), name="run", folder=folder / where,
        callbacks=[keras.callbacks.ReduceLROnPlateau(factor=0.1, patience=1, min_delta=10.0), *extra],
    )
    return model, history

whole, expected = fit("whole", build())
stopped = build()
try:
    fit("stopped", stopped, Stop())
    raise SystemExit("it was not stopped")
except KeyboardInterrupt:
    pass
resumed, history = fit("stopped", stopped)
for key in ("loss", "val_loss", "learning_rate"):
    np.testing.assert_allclose(history[key], expected[key], rtol=1e-4)
for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)

inputs, clean = validation.everything()
restored = resumed.predict(inputs, verbose=0)
# the best weights, and the same SSIM as in the loss
assert abs(1 - metrics.ssim(clean, restored).mean() - min(history["val_loss"])) < 1e-4
assert models.strided_autoencoder()[2].count_params() == 178001
assert models.unet_denoiser((8, 8, 1)).predict_on_batch(inputs).shape == inputs.shape
again, _ = fit("stopped", build())
np.testing.assert_array_equal(again.get_weights()[0], resumed.get_weights()[0])
"""


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_corrupting_training_and_measuring_on_another_backend(backend, in_subprocess):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    in_subprocess(SOURCE.format(backend=backend), KERAS_BACKEND=backend)
