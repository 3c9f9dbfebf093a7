"""The networks, one builder per architecture, as functional Keras models for any Keras 3 backend.

Images go in and come out as float32 in [0, 1], shape (N, H, W, C). Sources are named by their titles: "Applying
autoencoder networks with Keras" and "Autoencoders" are textbook chapters, "Autoencoders, the course page on MNIST" is
a course page, "Face image reconstruction using autoencoders in Keras" an article.
"""

import math
from collections.abc import Callable

import keras
import numpy as np
from keras import layers


def dense_autoencoder(
    shape: tuple[int, int, int] = (28, 28, 1), widths: tuple[int, ...] = (32,)
) -> tuple[keras.Model, keras.Model, keras.Model]:
    """Autoencoder of dense layers: (encoder, decoder, autoencoder).

    The three models share their layers. encoder: (N, H, W, C) in [0, 1] to (N, widths[-1]), zero or more (ReLU);
    decoder: back again through the widths in reverse. Source: "Autoencoders", the course page on MNIST (widths 32, and
    128, 64, 32). Taught in notebook 01.
    """
    image = keras.Input(shape, name="image")
    x = layers.Flatten()(image)
    for width in widths:
        x = layers.Dense(width, activation="relu")(x)
    encoder = keras.Model(image, x, name="encoder")

    x = code = keras.Input((widths[-1],), name="code")
    for width in reversed(widths[:-1]):
        x = layers.Dense(width, activation="relu")(x)
    x = layers.Dense(math.prod(shape), activation="sigmoid")(x)
    decoder = keras.Model(code, layers.Reshape(shape, name="reconstruction")(x), name="decoder")

    autoencoder = keras.Model(image, decoder(encoder(image)), name="dense_autoencoder")
    return encoder, decoder, autoencoder


def small_conv_autoencoder(shape: tuple[int, int, int] = (28, 28, 1)) -> tuple[keras.Model, keras.Model, keras.Model]:
    """Small convolutional autoencoder, 889 parameters on 28x28x1: (encoder, decoder, autoencoder).

    The three models share their layers. encoder: (N, H, W, C) in [0, 1] to feature maps (N, H/4, W/4, 4), zero or more
    (ReLU); decoder: back again. H and W divisible by 4. Source: "Applying autoencoder networks with Keras". Taught in
    notebook 01.
    """
    image = keras.Input(shape, name="image")
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(image)  # 28 x 28 x 8
    x = layers.MaxPooling2D(2, padding="same")(x)  # 14 x 14 x 8
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(2, padding="same")(x)  # 7 x 7 x 4
    encoder = keras.Model(image, x, name="encoder")

    code = keras.Input(encoder.output_shape[1:], name="code")
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(code)
    x = layers.UpSampling2D(2)(x)  # 14 x 14 x 4
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = layers.UpSampling2D(2)(x)  # 28 x 28 x 8
    output = layers.Conv2D(shape[-1], 3, padding="same", activation="sigmoid", name="reconstruction")(x)
    decoder = keras.Model(code, output, name="decoder")

    autoencoder = keras.Model(image, decoder(encoder(image)), name="small_conv_autoencoder")
    return encoder, decoder, autoencoder


def conv_autoencoder(
    shape: tuple[int, int, int] = (28, 28, 1), filters: int = 32, *, skips: bool = False
) -> keras.Model:
    """Convolutional autoencoder: 28,353 parameters on 28x28x1.

    Input and output: (N, H, W, C) in [0, 1], H and W divisible by 4. skips: adds the encoder's features to the
    decoder's at both scales above the code, which makes a small U-Net of it, without a parameter more. Source:
    "Applying autoencoder networks with Keras"; the skip connections after Ronneberger, Fischer and Brox 2015. Taught in
    notebooks 01 and 02.
    """
    image = keras.Input(shape, name="image")
    fine = layers.Conv2D(filters, 3, padding="same", activation="relu")(image)  # 28 x 28 x 32
    x = layers.MaxPooling2D(2, padding="same")(fine)  # 14 x 14 x 32
    middle = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    code = layers.MaxPooling2D(2, padding="same", name="code")(middle)  # 7 x 7 x 32

    x = layers.Conv2D(filters, 3, padding="same", activation="relu")(code)
    x = layers.UpSampling2D(2)(x)  # 14 x 14 x 32
    x = layers.Add()([x, middle]) if skips else x
    x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    x = layers.UpSampling2D(2)(x)  # 28 x 28 x 32
    x = layers.Add()([x, fine]) if skips else x
    output = layers.Conv2D(shape[-1], 3, padding="same", activation="sigmoid", name="reconstruction")(x)
    return keras.Model(image, output, name="conv_unet" if skips else "conv_autoencoder")


def strided_autoencoder(
    shape: tuple[int, int, int] = (28, 28, 1), latent_dim: int = 16
) -> tuple[keras.Model, keras.Model, keras.Model]:
    """Strided convolutional autoencoder with a dense code: (encoder, decoder, autoencoder).

    The three models share their layers. encoder: (N, H, W, C) in [0, 1] to (N, latent_dim), any real
    values; decoder: back again. H and W divisible by 4; 178,001 parameters on 28x28x1 with 16 codes.
    Source: "Autoencoders", listings 3.2.1 and 3.3.1. Taught in notebooks 01, 02 and 05.
    """
    height, width, channels = shape
    image = keras.Input(shape, name="image")
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(image)  # 14 x 14 x 32
    x = layers.Conv2D(64, 3, strides=2, padding="same", activation="relu")(x)  # 7 x 7 x 64
    x = layers.Flatten()(x)
    encoder = keras.Model(image, layers.Dense(latent_dim, name="code")(x), name="encoder")

    code = keras.Input((latent_dim,), name="code")
    x = layers.Dense(height // 4 * (width // 4) * 64)(code)
    x = layers.Reshape((height // 4, width // 4, 64))(x)
    x = layers.Conv2DTranspose(64, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu")(x)
    output = layers.Conv2DTranspose(channels, 3, padding="same", activation="sigmoid", name="reconstruction")(x)
    decoder = keras.Model(code, output, name="decoder")

    autoencoder = keras.Model(image, decoder(encoder(image)), name="strided_autoencoder")
    return encoder, decoder, autoencoder


def unet_denoiser(
    shape: tuple[int, int, int] = (28, 28, 1),
    widths: tuple[int, int, int] = (16, 20, 22),
    *,
    skips: bool = True,
    average: bool = True,
) -> keras.Model:
    """Small U-Net for denoising: 29,523 parameters with the default widths.

    Input and output: (N, H, W, C) in [0, 1], H and W divisible by 4. skips: False leaves out the skip connections, with
    as many parameters. average: False leaves out the global averages. After Ronneberger et al. 2015 (U-Net; sums here
    instead of concatenations, for fewer parameters) and Hu et al. 2018 (squeeze and excitation, whose global averages
    are added here). Taught in notebook 02.
    """

    def block(x, filters, strides=1):
        x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        if average:
            mean = layers.GlobalAveragePooling2D(keepdims=True)(x)  # 1 x 1 x filters
            x = layers.Add()([x, layers.Dense(filters)(layers.Dense(8, activation="relu")(mean))])
        return layers.Activation("relu")(x)

    def up(x, skip):
        x = layers.UpSampling2D(2)(layers.Conv2D(skip.shape[-1], 1)(x))
        return block(layers.Add()([x, skip]) if skips else x, skip.shape[-1])

    image = keras.Input(shape, name="image")
    fine = block(image, widths[0])  # 28 x 28 x 16
    middle = block(block(fine, widths[1], strides=2), widths[1])  # 14 x 14 x 20
    coarse = block(middle, widths[2], strides=2)  # 7 x 7 x 22
    for _ in range(2):
        coarse = layers.Add()([coarse, block(coarse, widths[2])])
    x = up(up(coarse, middle), fine)  # 14 x 14 x 20, then 28 x 28 x 16
    output = layers.Conv2D(shape[-1], 3, padding="same", activation="sigmoid", name="reconstruction")(x)
    return keras.Model(image, output, name="unet_denoiser")


def color_autoencoder(shape: tuple[int, int, int] = (32, 32, 1), latent_dim: int = 256) -> tuple[keras.Model, ...]:
    """Colorization autoencoder: (encoder, decoder, autoencoder), 3,431,811 parameters on 32x32x1.

    The three models share their layers. encoder: gray images (N, H, W, 1) in [0, 1] to (N, latent_dim), any real
    values; decoder: codes to colour images (N, H, W, 3) in [0, 1]. H and W divisible by 8. Source: "Autoencoders",
    listing 3.4.1. Taught in notebook 03.
    """
    height, width, _ = shape
    image = keras.Input(shape, name="gray")
    x = image
    for filters in (64, 128, 256):  # 16 x 16, 8 x 8, 4 x 4
        x = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(x)
    encoder = keras.Model(image, layers.Dense(latent_dim, name="code")(layers.Flatten()(x)), name="encoder")

    code = keras.Input((latent_dim,), name="code")
    x = layers.Dense(height // 8 * (width // 8) * 256)(code)
    x = layers.Reshape((height // 8, width // 8, 256))(x)
    for filters in (256, 128, 64):  # 8 x 8, 16 x 16, 32 x 32
        x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same", activation="relu")(x)
    output = layers.Conv2DTranspose(3, 3, padding="same", activation="sigmoid", name="reconstruction")(x)
    decoder = keras.Model(code, output, name="decoder")

    autoencoder = keras.Model(image, decoder(encoder(image)), name="color_autoencoder")
    return encoder, decoder, autoencoder


def chroma_unet(widths: tuple[int, ...] = (16, 48, 96, 192)) -> keras.Model:
    """U-Net that gives a gray image its colour: 1,153,106 parameters.

    Input: gray images (N, H, W, 1) in [0, 1] of any size divisible by 8. Output: their chroma Cb and Cr, (N, H, W, 2)
    in [-0.5, 0.5], for `colors.with_chroma`. After Ronneberger et al. 2015 (U-Net; sums instead of concatenations).
    Taught in notebook 03.
    """
    gray = keras.Input((None, None, 1), name="gray")
    x = layers.Conv2D(2, 3, padding="same", activation="tanh")(_color_features(gray, widths, steps_up=3))
    return keras.Model(gray, layers.Rescaling(0.5, name="chroma")(x), name="chroma_unet")


def color_classifier(bins: int, widths: tuple[int, ...] = (16, 48, 96, 192)) -> keras.Model:
    """The trunk of `chroma_unet` with a choice between `bins` colours for every 2x2 pixels, as probabilities.

    Input: gray images (N, H, W, 1) in [0, 1] of any size divisible by 8. Output: (N, H/2, W/2, bins), summing to 1.
    After Zhang, Isola and Efros 2016. Taught in notebook 03.
    """
    gray = keras.Input((None, None, 1), name="gray")
    x = layers.Conv2D(bins, 1)(_color_features(gray, widths, steps_up=2))
    return keras.Model(gray, layers.Softmax(name="bins")(x), name="color_classifier")


def _color_features(gray, widths, *, steps_up):
    """Down three times and up `steps_up` times; every step up adds what the way down saw at that scale."""

    def block(x, filters, strides=1):
        x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
        return layers.Activation("relu")(layers.BatchNormalization()(x))

    skips = [block(gray, widths[0])]  # full size
    for filters in widths[1:]:  # 1/2, 1/4, 1/8
        skips.append(block(block(skips[-1], filters, strides=2), filters))
    x = skips.pop()
    glance = layers.GlobalAveragePooling2D(keepdims=True)(x)  # the picture as a whole: sea, forest or street?
    x = layers.Add()([x, layers.Dense(widths[-1])(glance)])
    x = layers.Add()([x, block(x, widths[-1])])
    for _ in range(steps_up):
        skip = skips.pop()
        x = layers.UpSampling2D(2)(layers.Conv2D(skip.shape[-1], 1)(x))
        x = block(layers.Add()([x, skip]), skip.shape[-1])
    return x


def wide_conv_autoencoder(shape: tuple[int, int, int] = (128, 128, 3)) -> keras.Model:
    """Wide convolutional autoencoder: 7,697,923 parameters on 128x128x3, code 16x16x256.

    Input and output: (N, H, W, C) in [0, 1], H and W divisible by 8. Source: "Applying autoencoder networks with
    Keras". The lab measures it for notebook 04.
    """
    image = keras.Input(shape, name="image")
    x = image
    for filters in (512, 512, 256):  # 64 x 64, 32 x 32, 16 x 16
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2, padding="same", name="code" if filters == 256 else None)(x)
    for filters in (256, 512, 512):  # 32 x 32, 64 x 64, 128 x 128
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.UpSampling2D(2)(x)
    output = layers.Conv2D(shape[-1], 3, padding="same", activation="sigmoid", name="reconstruction")(x)
    return keras.Model(image, output, name="wide_conv_autoencoder")


def photo_autoencoder(
    shape: tuple[int, int, int] = (128, 128, 3), latent_dim: int = 300
) -> tuple[keras.Model, keras.Model, keras.Model]:
    """Strided convolutional autoencoder for photos: (encoder, decoder, autoencoder).

    The three models share their layers. encoder: (N, H, W, C) in [0, 1] to (N, latent_dim), any real values; decoder:
    back again. H and W divisible by 32. The source, "Face image reconstruction using autoencoders in Keras", gives
    the code's 300 numbers, the kinds of layers and the sigmoid; the numbers of filters are ours. Taught in notebook 04.
    """
    height, width, channels = shape
    image = keras.Input(shape, name="image")
    x = image
    for filters in (32, 64, 128, 256, 256):  # 64 x 64, 32 x 32, 16 x 16, 8 x 8, 4 x 4
        x = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(x)
    encoder = keras.Model(image, layers.Dense(latent_dim, name="code")(layers.Flatten()(x)), name="encoder")

    code = keras.Input((latent_dim,), name="code")
    x = layers.Dense(height // 32 * (width // 32) * 256, activation="relu")(code)
    x = layers.Reshape((height // 32, width // 32, 256))(x)
    for filters in (256, 128, 64, 32):  # 8 x 8, 16 x 16, 32 x 32, 64 x 64
        x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same", activation="relu")(x)
    output = layers.Conv2DTranspose(
        channels, 3, strides=2, padding="same", activation="sigmoid", name="reconstruction"
    )(x)
    decoder = keras.Model(code, output, name="decoder")

    autoencoder = keras.Model(image, decoder(encoder(image)), name="photo_autoencoder")
    return encoder, decoder, autoencoder


def restoration_unet(
    shape: tuple[int, int, int] = (128, 128, 3), widths: tuple[int, ...] = (32, 64, 96, 128), *, mirror: bool = True
) -> keras.Model:
    """U-Net with a dense code in its middle, which sees the mirrored photo too: 1,674,403 parameters.

    Inputs: the image (N, H, W, C) in [0, 1], its hole filled by simpler means, and the mask (N, H, W, 1), 1 in the
    hole; H and W divisible by 16. Output: (N, H, W, C) in [0, 1], outside of the hole the input's own pixels, inside
    it the filling and a correction. mirror: False leaves out the mirrored photo and mask.
    After Ronneberger et al. 2015 (U-Net; sums instead of concatenations) and Lim et al. 2017 (no batch normalization
    where small differences matter). Taught in notebook 04.
    """

    def convolution(x, filters, strides=1):
        options = {"strides": strides, "padding": "same", "activation": "silu", "kernel_initializer": "he_normal"}
        return layers.Conv2D(filters, 3, **options)(x)

    def refined(x):
        return layers.Add()([x, convolution(x, x.shape[-1])])

    image, mask = keras.Input(shape, name="image"), keras.Input((*shape[:2], 1), name="mask")
    x = layers.Concatenate()([image, mask])
    if mirror:  # what is hidden may be seen on the other side
        x = layers.Concatenate()([x, keras.ops.flip(x, axis=2)])
    skips = []
    for filters in widths:  # 64 x 64, 32 x 32, 16 x 16, 8 x 8
        x = refined(convolution(x, filters, strides=2))
        skips.append(x)

    x = skips.pop()
    narrow = layers.Conv2D(32, 1)(x)
    face = layers.Dense(256, activation="silu", name="code")(layers.Flatten()(narrow))  # the face as a whole
    spread = layers.Dense(math.prod(narrow.shape[1:]), activation="silu")(face)
    x = layers.Add()([x, layers.Conv2D(widths[-1], 1)(layers.Reshape(narrow.shape[1:])(spread))])
    while skips:  # 16 x 16, 32 x 32, 64 x 64
        skip = skips.pop()
        x = layers.UpSampling2D(2, interpolation="bilinear")(layers.Conv2D(skip.shape[-1], 1)(x))
        x = refined(layers.Add()([x, skip]))
    small = keras.initializers.RandomNormal(stddev=1e-3)  # it begins with the filling much as it is
    correction = layers.Conv2DTranspose(shape[-1], 4, strides=2, padding="same", kernel_initializer=small)(x)
    restored = layers.ReLU(max_value=1.0, name="restored")(image + mask * correction)
    return keras.Model([image, mask], restored, name="restoration_unet")


def ask_twice(ask: Callable[..., np.ndarray], *images: np.ndarray) -> np.ndarray:
    """Test-time augmentation: the mean of a network's answers to images and to their mirror images, (N, H, W, C).

    ask: takes arrays like `images`, each (N, H, W, any), and gives the answer; that to the mirror images is mirrored
    back. Called "self-ensemble" by Lim et al. 2017, who ask eight times. Taught in notebooks 03 and 04.
    """
    mirrored = (image[:, :, ::-1] for image in images)
    return (ask(*images) + ask(*mirrored)[:, :, ::-1]) / 2
