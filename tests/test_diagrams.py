"""The drawn network: the right bars in the right order, skips where the network has them."""

import pytest

from helpers import models
from helpers.plots import _read, diagram


def texts(figure):
    return [text.get_text().replace("\n", "x") for text in figure.axes[0].texts if text.get_text()]


def test_every_layer_that_changes_the_picture_has_a_bar_with_its_shape():
    figure = diagram(models.conv_autoencoder(), title="the hourglass")
    assert texts(figure) == [
        "28x28x1", "28x28x32", "14x14x32", "14x14x32", "7x7x32",
        "7x7x32", "14x14x32", "14x14x32", "28x28x32", "28x28x1",
    ]  # fmt: skip
    assert figure.axes[0].get_title() == "the hourglass"
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {"input", "conv", "max pooling", "upsampling"}


def test_models_inside_a_model_are_drawn_with_their_own_layers():
    shapes = texts(diagram(models.strided_autoencoder(latent_dim=16)[2]))
    assert shapes == [
        "28x28x1", "14x14x32", "7x7x64", "3136", "16", "3136", "7x7x64", "14x14x64", "28x28x32", "28x28x1",
    ]  # fmt: skip


def test_skip_connections_join_layers_of_one_size():
    bars, skips = _read(models.unet_denoiser())
    assert len(skips) == 2
    for start, end in skips:
        assert end - start > 1
        assert bars[start][1] == bars[end][1]


def test_a_network_without_skips_has_none():
    assert _read(models.conv_autoencoder())[1] == []


@pytest.mark.parametrize("build", [models.conv_autoencoder, models.unet_denoiser])
def test_bars_are_as_high_as_the_pictures(build):
    bars = diagram(build()).axes[0].patches
    shapes = [shape for _, shape in _read(build())[0]]
    assert [round(bar.get_height() * 28) for bar in bars] == [shape[0] for shape in shapes]
