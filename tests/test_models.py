"""Models: the sizes that the chapters name, shapes in and out, and nothing of TensorFlow inside."""

import inspect
import re

import keras
import numpy as np
import pytest

from helpers import models
from helpers.lab import codes

pytestmark = pytest.mark.usefixtures("eagerly")


def images(shape) -> np.ndarray:
    return np.random.default_rng(0).random((2, *shape), dtype=np.float32)


def test_the_chapters_parameter_counts():
    assert models.conv_autoencoder().count_params() == 28_353
    assert models.small_conv_autoencoder()[2].count_params() == 889
    encoder, decoder, autoencoder = models.strided_autoencoder()
    assert autoencoder.count_params() == encoder.count_params() + decoder.count_params() == 178_001


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (16, 24, 1)])
def test_images_come_out_as_they_went_in_and_between_0_and_1(shape):
    halves = (models.strided_autoencoder, models.small_conv_autoencoder, models.dense_autoencoder)
    wholes = (models.conv_autoencoder, models.unet_denoiser)
    for model in (*(build(shape)[2] for build in halves), *(build(shape) for build in wholes)):
        output = model.predict_on_batch(10 * images(shape))
        assert output.shape == (2, *shape), model.name
        assert output.min() >= 0 and output.max() <= 1, model.name


def test_the_conv_code_is_7x7_and_named():
    assert models.conv_autoencoder().get_layer("code").output.shape == (None, 7, 7, 32)


@pytest.mark.parametrize("latent_dim", [2, 16])
def test_encoder_and_decoder_are_the_autoencoders_halves(latent_dim):
    encoder, decoder, autoencoder = models.strided_autoencoder(latent_dim=latent_dim)
    clean = images((28, 28, 1))
    code = encoder.predict_on_batch(clean)
    assert code.shape == (2, latent_dim)
    assert encoder.get_layer("code").activation is keras.activations.linear  # any real values
    np.testing.assert_allclose(decoder.predict_on_batch(code), autoencoder.predict_on_batch(clean), atol=1e-6)
    before = decoder.get_weights()[0].copy()
    autoencoder.compile("adam", "mse")
    autoencoder.train_on_batch(clean, clean)
    assert (decoder.get_weights()[0] != before).any()  # they share their layers


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (models.small_conv_autoencoder, (7, 7, 4)),
        (models.dense_autoencoder, (32,)),
        (lambda: models.dense_autoencoder(widths=(128, 64, 20)), (20,)),
        (codes.conv_halves, (7, 7, 32)),
        (codes.residual_autoencoder, (16,)),
        (codes.deeper, (16,)),
    ],
    ids=["small convolutional", "dense", "deep dense", "convolutional", "residual", "deeper"],
)
def test_codes_have_their_size_and_the_halves_make_the_whole(build, code):
    encoder, decoder, autoencoder = build()
    clean = images((28, 28, 1))
    z = encoder.predict_on_batch(clean)
    assert z.shape == (2, *code)
    np.testing.assert_allclose(decoder.predict_on_batch(z), autoencoder.predict_on_batch(clean), atol=1e-5)
    assert autoencoder.count_params() == encoder.count_params() + decoder.count_params()


def test_the_dense_autoencoder_narrows_and_widens_again():
    encoder, decoder, _ = models.dense_autoencoder(widths=(128, 64, 32))
    dense = [
        layer.units for half in (encoder, decoder) for layer in half.layers if isinstance(layer, keras.layers.Dense)
    ]
    assert dense == [128, 64, 32, 64, 128, 784]


def test_the_unet_has_no_more_than_30000_parameters():
    assert models.unet_denoiser().count_params() <= 30_000


def test_the_unet_hands_a_detail_past_its_middle():
    """A change of one pixel reaches the same pixel of the output by the skip connection, before any training."""
    keras.utils.set_random_seed(0)
    unet, dark = models.unet_denoiser(), np.zeros((1, 28, 28, 1), np.float32)
    lit = dark.copy()
    lit[0, 13, 13] = 1
    change = np.abs(unet.predict_on_batch(lit) - unet.predict_on_batch(dark))[0, ..., 0]
    assert change[12:15, 12:15].mean() > 3 * change.mean()


def test_no_model_uses_tensorflow_itself():
    assert not re.search(r"\btf\b|tensorflow", inspect.getsource(models))


def test_equal_seeds_give_equal_networks():
    def first_weights():
        keras.utils.set_random_seed(3)
        return models.conv_autoencoder().get_weights()[0]

    np.testing.assert_array_equal(first_weights(), first_weights())


def test_the_colorization_autoencoder_has_the_chapters_layers():
    encoder, decoder, autoencoder = models.color_autoencoder()
    shapes = [layer.output.shape[1:] for half in (encoder, decoder) for layer in half.layers[1:]]
    assert shapes == [
        (16, 16, 64), (8, 8, 128), (4, 4, 256), (4096,), (256,),
        (4096,), (4, 4, 256), (8, 8, 256), (16, 16, 128), (32, 32, 64), (32, 32, 3),
    ]  # fmt: skip
    assert autoencoder.count_params() == 3_431_811
    colored = autoencoder.predict_on_batch(10 * images((32, 32, 1)))
    assert colored.shape == (2, 32, 32, 3) and 0 <= colored.min() <= colored.max() <= 1


@pytest.mark.parametrize("shape", [(32, 32, 1), (8, 64, 1), (40, 24, 1)])
def test_the_colour_networks_take_any_size_divisible_by_8(shape):
    height, width, _ = shape
    chroma = models.chroma_unet().predict_on_batch(10 * images(shape))
    assert chroma.shape == (2, height, width, 2) and np.abs(chroma).max() <= 0.5
    chances = models.color_classifier(7).predict_on_batch(images(shape))
    assert chances.shape == (2, height // 2, width // 2, 7)
    np.testing.assert_allclose(chances.sum(axis=-1), 1, atol=1e-5)


def test_the_colour_networks_are_smaller_than_r13():
    r13 = models.color_autoencoder()[2].count_params()
    assert models.chroma_unet().count_params() < models.color_classifier(262).count_params() < r13 / 2


def test_the_wide_autoencoder_has_the_chapters_layers():
    model = models.wide_conv_autoencoder((32, 32, 3))
    filters = [layer.filters for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert filters == [512, 512, 256, 256, 512, 512, 3]
    assert model.get_layer("code").output.shape == (None, 4, 4, 256)
    assert model.count_params() == 7_697_923  # of any size of picture
    assert model.output_shape == (None, 32, 32, 3)


def test_the_photo_autoencoder_squeezes_a_photo_into_300_numbers():
    encoder, decoder, autoencoder = models.photo_autoencoder()
    assert encoder.output_shape == decoder.input_shape == (None, 300)
    assert autoencoder.output_shape == (None, 128, 128, 3)
    assert autoencoder.count_params() == encoder.count_params() + decoder.count_params() == 4_418_735


@pytest.mark.parametrize(("shape", "options"), [((32, 48, 3), {}), ((16, 16, 3), {"mirror": False})])
def test_the_restoration_unet_touches_nothing_but_the_hole(shape, options):
    filled, mask = images(shape), np.zeros((2, *shape[:2], 1), np.float32)
    mask[:, 4:12, 6:10] = 1
    restored = models.restoration_unet(shape, **options).predict_on_batch([filled, mask])
    outside = mask[..., 0] == 0
    np.testing.assert_array_equal(restored[outside], filled[outside])
    assert (restored[~outside] != filled[~outside]).all()
    assert np.abs(restored - filled).max() < 0.1  # before training it begins with the filling
    assert 0 <= restored.min() <= restored.max() <= 1


def test_the_restoration_unet_is_smaller_than_the_photo_autoencoder():
    parameters = models.restoration_unet().count_params()
    assert parameters == 1_674_403 < models.photo_autoencoder()[2].count_params() / 2
    assert models.restoration_unet(mirror=False).count_params() == parameters - 4 * 9 * 32


def test_asking_twice_averages_the_answers_to_a_picture_and_to_its_mirror_image():
    first, second = images((8, 6, 3)), images((8, 6, 1))
    slope = np.arange(6, dtype=np.float32)[None, None, :, None]  # an answer that is not the same for left and right

    def ask(one, other):
        return slope * one + other

    answer = models.ask_twice(ask, first, second)
    np.testing.assert_allclose(answer, 2.5 * first + second, rtol=1e-6)
    mirrored = models.ask_twice(ask, first[:, :, ::-1], second[:, :, ::-1])
    np.testing.assert_allclose(mirrored, answer[:, :, ::-1], rtol=1e-6)
