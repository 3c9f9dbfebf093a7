"""The variational autoencoder of notebook 05: its network, the sampling of codes, and the KL term.

Source: Kingma and Welling 2014, "Auto-encoding variational Bayes"; beta after Higgins et al. 2017. Any Keras 3 backend.
"""

import math

import keras
from keras import layers, ops


def map_autoencoder(
    shape: tuple[int, int, int] = (28, 28, 1), latent_dim: int = 2, widths: tuple[int, ...] = (128, 128)
) -> tuple[keras.Model, keras.Model, keras.Model]:
    """Autoencoder of dense layers for a map: (encoder, decoder, autoencoder), which share their layers.

    encoder: (N, H, W, C) in [0, 1] to (N, latent_dim), any real values; decoder: back again through the widths in
    reverse. 235,282 parameters on 28x28x1 with a code of two numbers. The decoder of
    `models.strided_autoencoder` goes from the code straight to feature maps; here hidden layers bend the plane first,
    so that the reconstruction may change within a short distance. Taught in notebook 05.
    """
    image = keras.Input(shape, name="image")
    x = layers.Flatten()(image)
    for width in widths:
        x = layers.Dense(width, activation="relu")(x)
    encoder = keras.Model(image, layers.Dense(latent_dim, name="code")(x), name="encoder")

    x = code = keras.Input((latent_dim,), name="code")
    for width in reversed(widths):
        x = layers.Dense(width, activation="relu")(x)
    x = layers.Dense(math.prod(shape), activation="sigmoid")(x)
    decoder = keras.Model(code, layers.Reshape(shape, name="reconstruction")(x), name="decoder")

    autoencoder = keras.Model(image, decoder(encoder(image)), name="map_autoencoder")
    return encoder, decoder, autoencoder


def kl_divergence(mean, log_variance):
    """KL divergence of N(mean, variance) from N(0, 1) for each image, in nats: SUMMED over the latent dimensions, (N,).

    mean, log_variance: (N, latent_dim). To average over the dimensions instead is the commonest mistake in
    variational autoencoders: with two dimensions it halves the divergence, which is then a beta of one half.
    """
    return 0.5 * ops.sum(ops.exp(log_variance) + ops.square(mean) - 1.0 - log_variance, axis=-1)


class Sampler(layers.Layer):
    """Samples the code: mean + exp(log_variance / 2) * noise, and adds beta * KL, averaged over images, to the loss.

    Inputs: [mean, log_variance], each (N, latent_dim). When the network is not training the code is the mean. `beta`
    is a variable that `WarmUp` may change.
    """

    def __init__(self, beta: float = 1.0, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.beta = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(beta), trainable=False, name="beta"
        )

    def call(self, inputs, training=None):
        mean, log_variance = inputs
        self.add_loss(self.beta * ops.mean(kl_divergence(mean, log_variance)))
        if not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator, dtype=mean.dtype)
        return mean + ops.exp(0.5 * log_variance) * noise

    def compute_output_shape(self, input_shape):
        return input_shape[0]


class WarmUp(keras.callbacks.Callback):
    """Raises the beta of every `Sampler` in a straight line over the first epochs, to `beta`.

    A KL term that is there at once may win before the decoder has learned anything: all codes become N(0, 1).
    Validation always has the whole `beta`: epochs with less of it would look better than they are, and
    the best of them would be kept.
    """

    def __init__(self, beta: float, epochs: int):
        super().__init__()
        self.beta, self.epochs = beta, epochs

    def on_epoch_begin(self, epoch, logs=None):
        self._assign(self.beta * min(1.0, (epoch + 1) / max(1, self.epochs)))

    def on_test_begin(self, logs=None):
        self._assign(self.beta)

    def _assign(self, beta: float) -> None:
        for layer in self.model.layers:
            if isinstance(layer, Sampler):
                layer.beta.assign(beta)


def squared_error(clean, reconstruction):
    """Squared error SUMMED over the pixels of each image, (N,): the reconstruction term that belongs to a summed KL.

    Half of it, in nats, is the negative log-likelihood of a Gaussian with variance 1, but for a constant.
    """
    return ops.sum(ops.square(clean - reconstruction), axis=(1, 2, 3))


def variational_autoencoder(
    encoder: keras.Model, decoder: keras.Model, *, beta: float = 1.0, seed: int = 0
) -> tuple[keras.Model, keras.Model, keras.Model]:
    """A VAE from the two halves of an autoencoder: (encoder, decoder, vae), which share their layers.

    encoder: (N, H, W, C) to (N, latent_dim), its last layer the code, which becomes the mean; a second layer beside it
    gives the logarithm of the variance. The encoder given back gives the mean; vae: images to reconstructions, trained
    with `squared_error` or another loss that is summed over pixels. Taught in notebook 05.
    """
    before = encoder.layers[-1].input
    mean = encoder.outputs[0]
    log_variance = layers.Dense(mean.shape[-1], name="log_variance", kernel_initializer="zeros")(before)
    code = Sampler(beta, seed, name="sampler")([mean, log_variance])
    vae = keras.Model(encoder.inputs, decoder(code), name="variational_autoencoder")
    return encoder, decoder, vae
