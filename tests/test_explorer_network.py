"""Networks as plain arrays: read without Keras, equal to Keras in numpy and in the page's JavaScript."""

import io
import json
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest
from explorer_doubles import in_node
from keras import layers

from helpers import weights
from helpers.explorer import Network
from helpers.explorer.space import _packed_network


def chain(shape, *stack, functional: bool = False) -> keras.Model:
    if not functional:
        return keras.Sequential([keras.Input(shape), *stack])
    x = image = keras.Input(shape)
    for layer in stack:
        x = layer(x)
    return keras.Model(image, x)


def two_heads() -> keras.Model:
    image = keras.Input((6, 5, 1))
    x = layers.Dense(7, activation="tanh")(layers.Flatten()(image))
    return keras.Model(image, [layers.Dense(2)(x), layers.Dense(2, activation="softplus")(layers.Dense(3)(x))])


def nested() -> keras.Model:
    inner = chain((4,), layers.Dense(6, activation="elu"), layers.Dense(3))
    return chain((5,), layers.Dense(4), inner, layers.Dense(2), functional=True)


def convolutions() -> keras.Model:
    return chain(
        (13, 10, 3), layers.Rescaling(2.0, offset=-1.0), layers.Conv2D(4, (3, 5), strides=(2, 1), padding="same"),
        layers.BatchNormalization(), layers.LeakyReLU(negative_slope=0.3), layers.MaxPooling2D((2, 3), padding="same"),
        layers.Conv2D(3, 2, activation="gelu"), layers.MaxPooling2D(2, strides=1), layers.Dropout(0.5),
        layers.Flatten(), layers.Dense(2), functional=True,
    )  # fmt: skip


def transposed(size, strides, padding) -> keras.Model:
    return chain(
        (2,), layers.Dense(3 * 4 * 2, activation="silu"), layers.Reshape((-1, 4, 2)),
        layers.Conv2DTranspose(5, size, strides=strides, padding=padding, activation="selu"),
        layers.UpSampling2D((1, 2)), layers.Conv2D(3, 3, padding="same", use_bias=False), layers.Activation("sigmoid"),
    )  # fmt: skip


def activations() -> keras.Model:
    names = ["relu", "sigmoid", "tanh", "linear", "elu", "selu", "softplus", "leaky_relu", "gelu", "silu", "swish"]
    stack = [layer for name in names for layer in (layers.Dense(6, activation=name), layers.BatchNormalization())]
    own = [layers.ReLU(negative_slope=0.1), layers.ELU(alpha=0.7), layers.Dense(5, activation=keras.activations.gelu)]
    return chain((4,), *stack, *own, layers.Dense(5, activation=layers.LeakyReLU(negative_slope=0.4)), layers.Softmax())


MODELS = {
    "two heads": two_heads,
    "a model in a model": nested,
    "convolutions": convolutions,
    "3x3, stride 2, same": lambda: transposed(3, 2, "same"),
    "4x4, stride 2, same": lambda: transposed(4, 2, "same"),
    "3x5, strides 2 and 1, valid": lambda: transposed((3, 5), (2, 1), "valid"),
    "2x2, stride 3, same": lambda: transposed(2, 3, "same"),
    "2x2, stride 3, valid": lambda: transposed(2, 3, "valid"),
    "activations": activations,
}


@pytest.mark.parametrize("name", MODELS)
def test_numpy_and_the_page_compute_what_keras_does(name, tmp_path):
    keras.utils.set_random_seed(1)
    model = MODELS[name]()
    rng = np.random.default_rng(0)
    # Biases and moving means too; variances stay positive.
    moved = [weight + rng.normal(0, 0.3, weight.shape) for weight in model.get_weights()]
    positive = ["variance" in variable.path for variable in model.weights]
    model.set_weights([np.abs(one) + 0.1 if only else one for one, only in zip(moved, positive, strict=True)])
    inputs = rng.uniform(-1, 1, (70, *model.input_shape[1:])).astype(np.float32)
    expected = model.predict(inputs, verbose=0)
    expected = expected if isinstance(expected, list) else [expected]
    network = Network.of(model)
    found = network(inputs)
    found = found if isinstance(found, list) else [found]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4, rtol=1e-4)
    shown = in_node(
        tmp_path,
        """const run = lx.network(data.network);
        return data.inputs.map(x => run(Float32Array.from(x)).map(y => [...y]));""",
        network=_packed_network(network),
        inputs=inputs[:5].reshape(5, -1).tolist(),
    )
    for k, outputs in enumerate(shown):
        for one, other in zip(outputs, expected, strict=True):
            np.testing.assert_allclose(one, other[k].ravel(), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("name", ["map_plain_encoder", "map_plain_decoder"])
def test_a_published_network_is_read_without_keras(name, in_subprocess):
    model = weights.load(name)
    inputs = np.random.default_rng(0).uniform(0, 1, (3, *model.input_shape[1:])).astype(np.float32)
    said = in_subprocess(f"""
        import sys, json, numpy as np
        from helpers import explorer, weights
        network = explorer.Network.read(weights.checked("{name}"))
        inputs = np.random.default_rng(0).uniform(0, 1, (3, *network.shape)).astype(np.float32)
        assert not {{"keras", "tensorflow", "torch", "jax"}} & set(sys.modules)
        print(json.dumps(network(inputs).tolist()))
    """)
    np.testing.assert_allclose(json.loads(said), model.predict_on_batch(inputs), atol=1e-4, rtol=1e-4)


def convolution(**settings) -> keras.Model:
    return chain((8, 8, 2), layers.Conv2D(2, 3, **settings))


REFUSED = {
    "dilation": (lambda: convolution(dilation_rate=2), "dilation_rate is"),
    "groups": (lambda: convolution(groups=2), "groups is 2"),
    "channels first": (lambda: convolution(data_format="channels_first", padding="same"), "is channels_first"),
    "output padding": (
        lambda: chain((4, 4, 1), layers.Conv2DTranspose(1, 3, strides=2, output_padding=1)),
        "output_padding is",
    ),
    "unknown layer": (lambda: chain((4,), layers.LayerNormalization(name="norm")), r"norm \(LayerNorm"),
    "unknown activation": (lambda: chain((4,), layers.Dense(2, activation="mish")), "activation mish is not one of"),
    "bilinear": (lambda: chain((4, 4, 1), layers.UpSampling2D(2, interpolation="bilinear")), "UpSampling2D"),
    "another axis": (lambda: chain((4, 4, 2), layers.BatchNormalization(axis=1)), "use axis=-1"),
    "no fixed size": (lambda: chain((None, None, 1), layers.Conv2D(1, 3)), "no fixed input shape"),
    "not a chain": (lambda: skip(), "not one link of a simple chain"),
}


def skip() -> keras.Model:
    code = keras.Input((2,))
    return keras.Model(code, layers.Add()([code, layers.Dense(2)(code)]))


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_computed_is_one_sentence(name):
    build, words = REFUSED[name]
    with pytest.raises(ValueError, match=words):
        Network.of(build())


def test_what_is_no_model_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="no Keras model"):
        Network.of("map_vae")
    path = tmp_path / "model.keras"
    path.write_text("not a zip")
    damaged = r"^model\.keras is damaged or of another kind; save the model again with Keras 3 \(\.keras\)$"
    with pytest.raises(ValueError, match=damaged):
        Network.read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ValueError, match=damaged):
        Network.read(path)
    with pytest.raises(FileNotFoundError, match=r"^there is no file none\.keras: check its spelling"):
        Network.read(tmp_path / "none.keras")
    with pytest.raises(ValueError, match="is no file; save the model again"):
        Network.read(tmp_path)


def leads_back(config: dict) -> None:
    first, second, *_, last = config["config"]["layers"]
    nodes = json.dumps(second["inbound_nodes"]).replace(f'"{first["name"]}"', f'"{last["name"]}"')
    second["inbound_nodes"] = json.loads(nodes)


def made_of(kind: str, **settings):
    """Puts a layer of this kind in the place of the last one."""

    def change(config: dict) -> None:
        last = config["config"]["layers"][-1]
        last["class_name"], last["config"] = kind, {"name": last["name"], **settings}

    return change


MANY = [10**6, 10**6]
WRONG_CONFIG = {
    "no layers": (lambda config: config["config"].update(layers=None), "damaged or of another kind"),
    "no outputs": (lambda config: config["config"].update(output_layers=[]), "damaged or of another kind"),
    "unknown output": (lambda config: config["config"].update(output_layers=["x", 0, 0]), "damaged or of another kind"),
    "no class": (lambda config: config.pop("class_name"), "damaged or of another kind"),
    "a circle": (leads_back, "^the explorer cannot compute a chain that leads back to itself$"),
    "terapixels": (made_of("UpSampling2D", size=MANY, interpolation="nearest"), "4000000, 6000000, 2 numbers; make it"),
    "a wide pool": (
        made_of("MaxPooling2D", pool_size=MANY, strides=[1, 1], padding="same"),
        "cannot compute a layer that gives .* numbers; make it smaller",
    ),
}


def pictures() -> keras.Model:
    return chain((4, 6, 1), layers.Conv2D(2, 3, padding="same"), layers.ReLU(), layers.Dropout(0.1), functional=True)


@pytest.mark.parametrize("name", WRONG_CONFIG)
def test_a_model_that_makes_no_sense_is_one_sentence(name, tmp_path):
    change, words = WRONG_CONFIG[name]
    path = tmp_path / "model.keras"
    pictures().save(path)
    with zipfile.ZipFile(path) as archive:
        config, content = json.loads(archive.read("config.json")), archive.read("model.weights.h5")
    change(config)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", content)
    with pytest.raises(ValueError, match=words):
        Network.read(path)


def test_weights_that_promise_terabytes_are_not_read(tmp_path):
    path, weights_ = tmp_path / "model.keras", io.BytesIO()
    pictures().save(path)
    with zipfile.ZipFile(path) as archive:
        config = archive.read("config.json")
    with h5py.File(weights_, "w") as file:
        file.create_dataset("layers/conv2d/vars/0", shape=(10**7, 10**6), dtype="f4", chunks=(100, 100))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", weights_.getvalue())
    assert path.stat().st_size < 20_000
    with pytest.raises(ValueError, match=r"^model\.keras is too large for the explorer; hand over"):
        Network.read(path)


def test_a_damaged_published_network_is_not_shown(tmp_path):
    for name in ("map_plain_encoder.keras", "SHA256SUMS"):
        shutil.copy(weights.FOLDER / name, tmp_path)
    with (tmp_path / "map_plain_encoder.keras").open("ab") as file:
        file.write(b"more")
    with pytest.raises(ValueError, match="not the published file"):
        weights.checked("map_plain_encoder", folder=tmp_path)


def test_inputs_of_another_shape_are_one_sentence():
    with pytest.raises(ValueError, match=r"inputs of shape \(N, 5\), not \(3, 4\)"):
        Network.of(nested())(np.zeros((3, 4)))
