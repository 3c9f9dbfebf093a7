"""The variational autoencoder: its KL term is the right one, codes are sampled, and nothing else is different."""

import keras
import numpy as np
import pytest
from scipy import integrate, stats

from helpers import metrics, vae
from helpers.lab import training
from helpers.pairs import Pairs

pytestmark = pytest.mark.usefixtures("eagerly")


def built(**options):
    keras.utils.set_random_seed(0)
    return vae.variational_autoencoder(**options)


def images(count: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28, 1), dtype=np.uint8)


def array(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def test_the_network_and_its_halves():
    encoder, decoder, whole = built()
    assert (encoder.output_shape, decoder.output_shape) == ([(None, 2)] * 2, (None, 28, 28, 1))
    assert whole.count_params() == encoder.count_params() + decoder.count_params() == 235_540
    clean = images(3).astype("float32") / 255
    mean, _ = encoder.predict_on_batch(clean)
    np.testing.assert_allclose(decoder.predict_on_batch(mean), whole.predict_on_batch(clean), atol=1e-6)


def test_the_plain_autoencoder_is_the_same_but_for_sampling_and_kl():
    (_, _, variational), (encoder, _, plain) = built(beta=3.0), built(sampling=False)
    kept = [weight for weight in variational.trainable_weights if not weight.path.startswith("log_variance")]
    assert len(kept) == len(plain.trainable_weights) == len(variational.trainable_weights) - 2
    for one, other in zip(kept, plain.trainable_weights, strict=True):
        np.testing.assert_array_equal(one, other)  # the first weights too
    clean = images(3).astype("float32") / 255
    np.testing.assert_array_equal(variational.predict_on_batch(clean), plain.predict_on_batch(clean))
    assert encoder.predict_on_batch(clean).shape == (3, 2)
    plain(clean, training=True)
    assert not plain.losses and not [layer for layer in plain.layers if isinstance(layer, vae.Sampler)]


def test_kl_is_the_integral_summed_over_dimensions():
    def integral(mean, std):
        code, prior = stats.norm(mean, std), stats.norm()
        return integrate.quad(lambda x: code.pdf(x) * (code.logpdf(x) - prior.logpdf(x)), -12, 12)[0]

    mean, log_variance = np.array([[0.7, -1.2]], "float32"), np.array([[-0.5, 0.3]], "float32")
    expected = sum(integral(m, s) for m, s in zip(mean[0], np.exp(log_variance[0] / 2), strict=True))
    got = array(vae.kl_divergence(mean, log_variance))
    assert got.shape == (1,) and got[0] == pytest.approx(expected, rel=1e-4)


def test_kl_is_averaged_over_images_and_weighed_by_beta():
    mean = np.array([[1.0, 1.0], [3.0, 0.0], [0.0, 0.0]], "float32")  # KL 1, 4.5 and 0
    sampler = vae.Sampler(beta=2.0)
    sampler(mean, np.zeros_like(mean))
    assert float(sampler.losses[0]) == pytest.approx(2 * (1 + 4.5 + 0) / 3)


def test_codes_are_sampled_in_training_and_means_otherwise():
    mean, log_variance = np.full((20_000, 2), 3, "float32"), np.full((20_000, 2), np.log(0.25), "float32")
    sampler = vae.Sampler()
    sampled = array(sampler(mean, log_variance, training=True))
    assert sampled.mean() == pytest.approx(3, abs=0.02) and sampled.std() == pytest.approx(0.5, abs=0.02)
    assert (sampled != array(sampler(mean, log_variance, training=True))).any()  # anew every time
    np.testing.assert_array_equal(sampler(mean, log_variance), mean)


def test_cross_entropy_is_summed_over_pixels():
    rng = np.random.default_rng(0)
    clean, restored = rng.random((2, 4, 28, 28, 1), dtype=np.float32)
    np.testing.assert_allclose(array(vae.cross_entropy(clean, restored)), 784 * metrics.bce(clean, restored), rtol=1e-4)


def test_the_loss_is_reconstruction_plus_beta_kl(tmp_path):
    encoder, decoder, whole = built(beta=3.0)
    pairs = Pairs(images(), batch_size=32, shuffle=False)
    history = training.fit(whole, pairs, pairs, epochs=1, loss=vae.cross_entropy, name="vae", folder=tmp_path)
    clean = pairs[0][1]
    mean, log_variance = encoder.predict_on_batch(clean)
    kl = array(vae.kl_divergence(mean, log_variance)).mean()
    error = array(vae.cross_entropy(clean, decoder.predict_on_batch(mean))).mean()
    assert kl > 1e-4 and history["val_loss"][0] == pytest.approx(error + 3 * kl, rel=1e-5)


def test_halves_are_plain_keras_and_give_the_mean(tmp_path):
    encoder, decoder, whole = built()
    for half in (encoder, decoder):
        half.save(tmp_path / f"{half.name}.keras")
    clean = images(3).astype("float32") / 255
    loaded = [keras.models.load_model(tmp_path / f"{name}.keras") for name in ("encoder", "decoder")]
    mean, _ = loaded[0].predict_on_batch(clean)
    np.testing.assert_allclose(loaded[1].predict_on_batch(mean), whole.predict_on_batch(clean), atol=1e-6)
