"""The variational autoencoder of lesson 05, with a code of two numbers: the network on the page, which the lab trains.

Source: Kingma and Welling 2014, "Auto-encoding variational Bayes"; beta after Higgins et al. 2017. Any Keras 3 backend.
"""

import keras
from keras import layers, ops


def kl_divergence(mean, log_variance):
    """KL divergence of N(mean, variance) from N(0, 1) for each image, in nats: SUMMED over the latent dimensions, (N,).

    mean, log_variance: (N, latent_dim). To average over the dimensions instead is the commonest mistake in
    variational autoencoders: with two dimensions it halves the divergence, which is then a beta of one half.
    """
    return 0.5 * ops.sum(ops.exp(log_variance) + mean**2 - 1 - log_variance, axis=-1)


def cross_entropy(clean, reconstruction):
    """Binary cross-entropy SUMMED over the pixels of each image (N, H, W, C) in [0, 1], in nats, (N,).

    With the sum, and beta 1, the whole loss is the negative evidence lower bound, where the brightness of a pixel is
    read as the probability that it is white.
    """
    return ops.sum(ops.binary_crossentropy(clean, reconstruction), axis=(1, 2, 3))


class Sampler(layers.Layer):
    """While training: mean + sigma * noise; else the mean. Adds beta * KL, averaged over images, to the loss.

    mean, log_variance: (N, latent_dim), and so is what comes out.
    """

    def __init__(self, beta: float = 1.0, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.beta, self.seed_generator = beta, keras.random.SeedGenerator(seed)

    def call(self, mean, log_variance, training=False):
        self.add_loss(self.beta * ops.mean(kl_divergence(mean, log_variance)))
        if not training:
            return mean
        return mean + ops.exp(log_variance / 2) * keras.random.normal(ops.shape(mean), seed=self.seed_generator)


def variational_autoencoder(
    latent_dim: int = 2, *, beta: float = 1.0, sampling: bool = True
) -> tuple[keras.Model, keras.Model, keras.Model]:
    """VAE of dense layers on 28x28x1: (encoder, decoder, whole), which share their layers; 235,540 parameters.

    encoder: images (N, 28, 28, 1) in [0, 1] to [mean, log_variance], each (N, latent_dim); decoder: codes back to
    images; whole: images to reconstructions, to be trained with `cross_entropy`. sampling: False gives the plain
    autoencoder, without noise and KL term, whose encoder gives the code alone; all else is the same, the first weights
    too (after the same `keras.utils.set_random_seed`). Taught in notebook 05.
    """
    image = keras.Input((28, 28, 1), name="image")
    x = layers.Flatten()(image)
    x = layers.Dense(128, activation="relu")(x)
    x = layers.Dense(128, activation="relu")(x)
    mean = layers.Dense(latent_dim, name="mean")(x)
    log_variance = layers.Dense(latent_dim, name="log_variance")(x)
    encoder = keras.Model(image, [mean, log_variance] if sampling else mean, name="encoder")

    code = keras.Input((latent_dim,), name="code")
    x = layers.Dense(128, activation="relu")(code)
    x = layers.Dense(128, activation="relu")(x)
    x = layers.Dense(28 * 28, activation="sigmoid")(x)
    decoder = keras.Model(code, layers.Reshape((28, 28, 1), name="reconstruction")(x), name="decoder")

    z = Sampler(beta)(mean, log_variance) if sampling else mean
    return encoder, decoder, keras.Model(image, decoder(z), name="autoencoder")
