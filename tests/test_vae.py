"""The variational autoencoder: its KL term is the right one, its codes are drawn, its beta warms up."""

import keras
import numpy as np
import pytest
from scipy import integrate, stats

from helpers import models, vae
from helpers.lab import training
from helpers.pairs import Pairs

pytestmark = pytest.mark.usefixtures("eagerly")


def small_vae(beta: float = 1.0):
    keras.utils.set_random_seed(0)
    return vae.variational_autoencoder(*models.strided_autoencoder((8, 8, 1), latent_dim=2)[:2], beta=beta)


def images(count: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 8, 8, 1), dtype=np.uint8)


def test_the_network_of_the_map():
    encoder, decoder, whole = vae.map_autoencoder()
    assert (encoder.output_shape, decoder.output_shape, whole.output_shape) == ((None, 2), *[(None, 28, 28, 1)] * 2)
    assert whole.count_params() == 235_282
    clean = np.random.default_rng(0).random((3, 28, 28, 1), dtype=np.float32)
    rebuilt = whole.predict_on_batch(clean)
    np.testing.assert_allclose(decoder.predict_on_batch(encoder.predict_on_batch(clean)), rebuilt, atol=1e-6)


def test_kl_is_the_integral_summed_over_dimensions():
    def integral(mean, std):
        code, prior = stats.norm(mean, std), stats.norm()
        return integrate.quad(lambda x: code.pdf(x) * (code.logpdf(x) - prior.logpdf(x)), -12, 12)[0]

    mean, log_variance = np.array([[0.7, -1.2]], "float32"), np.array([[-0.5, 0.3]], "float32")
    expected = sum(integral(m, s) for m, s in zip(mean[0], np.exp(log_variance[0] / 2), strict=True))
    got = keras.ops.convert_to_numpy(vae.kl_divergence(mean, log_variance))
    assert got.shape == (1,) and got[0] == pytest.approx(expected, rel=1e-4)


def test_kl_is_averaged_over_images_and_weighed_by_beta():
    mean = np.array([[1.0, 1.0], [3.0, 0.0], [0.0, 0.0]], "float32")  # KL 1, 4.5 and 0
    sampler = vae.Sampler(beta=2.0)
    sampler([mean, np.zeros_like(mean)])
    assert float(sampler.losses[0]) == pytest.approx(2 * (1 + 4.5 + 0) / 3)


def test_codes_are_drawn_in_training_and_means_otherwise():
    mean, log_variance = np.full((20_000, 2), 3, "float32"), np.full((20_000, 2), np.log(0.25), "float32")
    sampler = vae.Sampler()
    drawn = keras.ops.convert_to_numpy(sampler([mean, log_variance], training=True))
    assert drawn.mean() == pytest.approx(3, abs=0.02) and drawn.std() == pytest.approx(0.5, abs=0.02)
    np.testing.assert_array_equal(sampler([mean, log_variance], training=False), mean)


def test_the_loss_is_reconstruction_plus_beta_kl(tmp_path):
    encoder, decoder, whole = small_vae(beta=3.0)
    pairs = Pairs(images(), batch_size=32, shuffle=False)
    history = training.fit(whole, pairs, pairs, epochs=1, loss=vae.squared_error, name="vae", folder=tmp_path)
    clean = pairs[0][1]
    hidden = keras.Model(whole.inputs, whole.get_layer("sampler").input).predict_on_batch(clean)
    kl = keras.ops.convert_to_numpy(vae.kl_divergence(*hidden)).mean()
    error = ((clean - decoder.predict_on_batch(encoder.predict_on_batch(clean))) ** 2).sum(axis=(1, 2, 3)).mean()
    assert history["val_loss"][0] == pytest.approx(error + 3 * kl, rel=1e-4)


def test_halves_are_plain_keras_and_give_the_mean(tmp_path):
    encoder, decoder, whole = small_vae()
    encoder.save(tmp_path / "encoder.keras")
    clean = images(3).astype("float32") / 255
    mean = keras.models.load_model(tmp_path / "encoder.keras").predict_on_batch(clean)
    np.testing.assert_allclose(decoder.predict_on_batch(mean), whole.predict_on_batch(clean), atol=1e-6)


def test_beta_warms_up_epoch_by_epoch_and_validation_has_all_of_it(tmp_path):
    _, _, whole = small_vae(beta=0.0)
    trained, validated = [], []

    class Watch(keras.callbacks.Callback):
        only_watches = True

        def on_train_batch_end(self, batch, logs=None):
            trained.append(float(whole.get_layer("sampler").beta))

        def on_test_batch_end(self, batch, logs=None):
            validated.append(float(whole.get_layer("sampler").beta))

    pairs = Pairs(images(), batch_size=32)
    warm_up = [vae.WarmUp(beta=4.0, epochs=2), Watch()]
    training.fit(whole, pairs, pairs, epochs=3, loss=vae.squared_error, name="vae", folder=tmp_path, callbacks=warm_up)
    assert trained == [2.0, 4.0, 4.0]
    assert validated == [4.0, 4.0, 4.0]
