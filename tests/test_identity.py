"""The identity of a run: whatever can change its result changes it, and nothing else does."""

import functools

import keras
import numpy as np
import pytest
from keras import layers

from helpers import corruptions, vae
from helpers.lab import training
from helpers.lab.identity import Unidentified, fingerprint
from helpers.pairs import Pairs, mirrored
from helpers.photos import PhotoFolder

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 1), dtype=np.uint8)
STRENGTH = 0.3


def network(
    *, seed=1, dilation=1, strides=1, pool="same", pool_size=2, slope=0.1, rate=0.2, drops=0, decay=0.1, frozen=False
):
    """A network with a nested one, and much that has no weights."""
    keras.utils.set_random_seed(seed)
    x = inner_image = keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, padding="same", dilation_rate=dilation, kernel_regularizer=keras.regularizers.L2(decay))(x)
    x = layers.LeakyReLU(negative_slope=slope)(x)
    x = layers.MaxPooling2D(pool_size, strides=strides, padding=pool)(x)
    inner = keras.Model(inner_image, layers.Dropout(rate, seed=drops)(x), trainable=not frozen)
    image = keras.Input((8, 8, 1))
    return keras.Model(image, layers.Conv2D(1, 3, padding="same", activation="sigmoid")(inner(image)))


def variational(**options):
    keras.utils.set_random_seed(1)
    return vae.variational_autoencoder(**options)[2]


def sampled(seed=0):
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 1))
    x = layers.Flatten()(image)
    return keras.Model(image, vae.Sampler(seed=seed)(layers.Dense(2)(x), layers.Dense(2)(x)))


def pairs(images=IMAGES[:40], corrupt=None, **settings):
    return Pairs(images, corrupt or functools.partial(corruptions.gaussian, std=0.3), **settings)


def identity(model=None, train=None, validation=None, *, loss="mse", optimizer="adam", callbacks=()):
    optimizer = keras.optimizers.get(optimizer)
    validation = validation or Pairs(IMAGES[40:], shuffle=False)
    return fingerprint(
        model or network(), train or pairs(), validation, loss=loss, optimizer=optimizer, callbacks=callbacks
    )


@pytest.fixture(scope="module")
def plain():
    return identity()


def changed(index):
    images = IMAGES[:40].copy()
    images[index] ^= 1
    return images


def by_hand(clean, rng, *, often=0.5):
    """Its code, its default and what it uses can change."""
    return step(clean, rng) if rng.random() < often else clean


def step(clean, rng):
    return corruptions.uniform_mix(clean, rng, share=STRENGTH)


def with_code(function, source):
    """The same function, of the same name, edited."""
    edited = {}
    exec(source, function.__globals__, edited)
    return edited[function.__name__]


def squares(clean, restored):
    return keras.ops.mean(keras.ops.square(clean - restored), axis=(1, 2, 3))


def falling(factor):
    return keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.05, 4, factor))


CHANGES = {
    "dropout rate": lambda: identity(network(rate=0.3)),
    "seed of the dropout": lambda: identity(network(drops=1)),
    "dilation": lambda: identity(network(dilation=2)),
    "pool size": lambda: identity(network(pool_size=3)),
    "strides": lambda: identity(network(strides=2)),
    "padding": lambda: identity(network(pool="valid")),
    "regularizer": lambda: identity(network(decay=0.2)),
    "slope": lambda: identity(network(slope=0.2)),
    "first weights": lambda: identity(network(seed=2)),
    "frozen layers": lambda: identity(network(frozen=True)),
    "beta": lambda: identity(variational(beta=2.0)),
    "no sampling": lambda: identity(variational(sampling=False)),
    "seed of the sampled codes": lambda: identity(sampled(seed=1)),
    "an inner image": lambda: identity(train=pairs(changed(20))),
    "the last pixel": lambda: identity(train=pairs(changed((39, 7, 7)))),
    "fewer images": lambda: identity(train=pairs(IMAGES[:39])),
    "batch size": lambda: identity(train=pairs(batch_size=11)),
    "order": lambda: identity(train=pairs(seed=1)),
    "no order": lambda: identity(train=pairs(shuffle=False)),
    "one noise": lambda: identity(train=pairs(fresh=False)),
    "mask": lambda: identity(train=pairs(with_mask=True)),
    "target": lambda: identity(train=pairs(target=corruptions.grayscale)),
    "augment": lambda: identity(train=pairs(augment=mirrored)),
    "strength of the noise": lambda: identity(train=pairs(corrupt=functools.partial(corruptions.gaussian, std=0.4))),
    "noise given as an array": lambda: identity(
        train=pairs(corrupt=functools.partial(corruptions.gaussian, std=np.array(0.3)))
    ),
    "kind of noise": lambda: identity(train=pairs(corrupt=corruptions.uniform_mix)),
    "validation images": lambda: identity(validation=Pairs(changed(3)[:10], shuffle=False)),
    "validation noise": lambda: identity(validation=Pairs(IMAGES[40:], corruptions.uniform_mix, shuffle=False)),
    "loss": lambda: identity(loss="mae"),
    "loss of one's own": lambda: identity(loss=squares),
    "parameter of a loss": lambda: identity(loss=keras.losses.Huber(delta=0.5)),
    "another parameter of a loss": lambda: identity(loss=keras.losses.Huber(delta=0.6)),
    "optimizer": lambda: identity(optimizer="sgd"),
    "learning rate": lambda: identity(optimizer=keras.optimizers.Adam(0.01)),
    "schedule": lambda: identity(optimizer=falling(0.5)),
    "another schedule": lambda: identity(optimizer=falling(0.6)),
    "plateau": lambda: identity(callbacks=[keras.callbacks.ReduceLROnPlateau(patience=2)]),
    "longer plateau": lambda: identity(callbacks=[keras.callbacks.ReduceLROnPlateau(patience=3)]),
    "early stopping": lambda: identity(callbacks=[keras.callbacks.EarlyStopping(patience=2)]),
}


def test_every_change_of_the_recipe_has_an_identity_of_its_own(plain):
    found = {"none": plain, "of the VAE": identity(variational(beta=1.0)), "of the sampler": identity(sampled())}
    found |= {name: change() for name, change in CHANGES.items()}
    names = {}
    for name, digits in found.items():
        names.setdefault(digits, []).append(name)
    assert not [same for same in names.values() if len(same) > 1]


def test_the_code_of_functions_counts_with_all_that_they_use(monkeypatch):
    seen = [identity(train=pairs(corrupt=by_hand), loss=squares)]
    again = "def by_hand(clean, rng, *, often=0.5):\n    {}\n"
    for body in ("return step(clean, rng) if rng.random() > often else clean", "return clean"):
        seen.append(identity(train=pairs(corrupt=with_code(by_hand, again.format(body))), loss=squares))
    monkeypatch.setitem(by_hand.__kwdefaults__, "often", 0.6)
    seen.append(identity(train=pairs(corrupt=by_hand), loss=squares))
    monkeypatch.setitem(globals(), "STRENGTH", 0.4)  # of a function that it calls
    seen.append(identity(train=pairs(corrupt=by_hand), loss=squares))
    monkeypatch.setattr(corruptions, "uniform_mix", corruptions.gaussian)  # in a module that this one uses
    seen.append(identity(train=pairs(corrupt=by_hand), loss=squares))
    edited = "def squares(clean, restored):\n    return keras.ops.mean(keras.ops.abs(clean - restored), axis=(1, 2, 3))"
    seen.append(identity(train=pairs(corrupt=by_hand), loss=with_code(squares, edited)))
    assert len(set(seen)) == len(seen)


def test_a_layer_a_data_set_and_a_callback_of_ones_own_count_with_their_code():
    class Half(layers.Layer):
        def call(self, inputs):
            return inputs / 2

    class Labelled(Pairs):
        def __init__(self, images, labels, **options):
            super().__init__(images, **options)
            self.labels = labels

    def around(layer):
        keras.utils.set_random_seed(1)
        image = keras.Input((8, 8, 1))
        return keras.Model(image, layer(image))

    def step(self, epoch, logs=None):
        self.model.optimizer.learning_rate = 0.5

    seen = [identity(around(Half())), identity(train=Labelled(IMAGES, np.arange(50)))]
    Half.call = lambda self, inputs: inputs / 3
    seen += [identity(around(Half())), identity(train=Labelled(IMAGES, np.arange(50) % 2))]
    for members in ({}, {"on_epoch_begin": step}):
        seen.append(identity(callbacks=[type("Own", (keras.callbacks.Callback,), members)()]))
    assert len(set(seen)) == len(seen)


def test_a_folder_of_photos_counts_by_names_and_sizes_of_its_files(photo_folder):
    folder = PhotoFolder(photo_folder, size=8)
    first = [identity(train=Pairs(part)) for part in (folder, folder.subset([0, 1]), folder.subset([1, 0]))]
    first += [identity(train=Pairs(PhotoFolder(photo_folder, size=16)))]
    assert len(set(first)) == 4
    assert identity(train=Pairs(PhotoFolder(photo_folder, size=8))) == first[0]
    with folder.paths[0].open("ab") as file:
        file.write(b"more")
    assert identity(train=Pairs(folder)) != first[0]


@pytest.fixture
def photo_folder(tmp_path):
    from PIL import Image

    for k in range(3):
        Image.fromarray(np.full((9, 9, 3), 50 * k, np.uint8)).save(tmp_path / f"{k}.png")
    return tmp_path


class Watch(keras.callbacks.Callback):
    only_watches = True


def whole_recipe():
    return identity(
        variational(beta=2.0), pairs(corrupt=by_hand, augment=mirrored), loss=squares, optimizer=falling(0.5),
        callbacks=[keras.callbacks.EarlyStopping(patience=2)],
    )  # fmt: skip


def test_the_same_recipe_has_the_same_identity_though_layers_have_other_names_now(plain):
    assert network().layers[-1].name != network().layers[-1].name
    assert identity() == identity(callbacks=[Watch()]) == plain
    assert whole_recipe() == whole_recipe()
    assert identity(train=pairs(IMAGES[:40].copy())) == plain


def test_the_same_recipe_has_the_same_identity_in_a_new_process(in_subprocess):
    out = in_subprocess(
        "import sys; sys.path.insert(0, 'tests'); import test_identity; print(test_identity.whole_recipe())"
    )
    assert out.split()[-1] == whole_recipe()


def test_a_layer_called_like_a_setting_is_no_other_network():
    """As the first Activation of a process is: "activation", the next one "activation_1"."""

    def named(name):
        keras.utils.set_random_seed(1)
        image = keras.Input((8, 8, 1))
        x = layers.Conv2D(1, 3, padding="same", activation="relu")(image)
        return keras.Model(image, layers.Activation("sigmoid", name=name)(x))

    assert identity(named("activation")) == identity(named("activation_1"))


def test_what_compiling_and_training_leave_behind_does_not_count(tmp_path, eagerly):
    model, stop, train = network(), keras.callbacks.EarlyStopping(patience=2), pairs()
    weights = [variable.numpy() for variable in model.variables]
    adam = keras.optimizers.Adam(0.01)
    before = identity(model, train, loss=squares, optimizer=adam, callbacks=[stop])
    training.fit(
        model, train, train, epochs=1, loss=squares, name="x", optimizer=adam, callbacks=[stop], folder=tmp_path
    )
    for variable, value in zip(model.variables, weights, strict=True):
        variable.assign(value)
    assert identity(model, train, loss=squares, optimizer=adam, callbacks=[stop]) == before


def closure(power):
    def loss(clean, restored):
        return keras.ops.mean(keras.ops.abs(clean - restored) ** power, axis=(1, 2, 3))

    return loss


class Noise:
    def __init__(self, std):
        self.std = std

    def __call__(self, clean, rng):
        return clean


class Forgets(keras.callbacks.Callback):
    def __init__(self, rate):
        super().__init__()


def through_a_lambda(clean, rng):
    return HALF(clean)


HALF = lambda clean: clean / 2  # noqa: E731

UNKNOWN = {
    "the loss cannot be identified, because of closure.<locals>.loss": {"loss": closure(2)},
    "the loss cannot be identified, because of <lambda>": {"loss": lambda clean, restored: clean},
    "the training data cannot be identified, because of Noise": {"train": pairs(corrupt=Noise(0.3))},
    "because of Noise.__call__": {"train": pairs(corrupt=Noise(0.3).__call__)},
    "because of <lambda>": {"train": pairs(corrupt=through_a_lambda)},
    "the callbacks cannot be identified, because of Forgets, which does not keep its argument rate": {
        "callbacks": [Forgets(0.1)]
    },
}


def test_what_cannot_be_identified_is_named():
    for sentence, recipe in UNKNOWN.items():
        with pytest.raises(Unidentified, match=sentence):
            identity(**recipe)


def test_what_the_lessons_use_can_be_identified():
    from helpers import baselines, colors, metrics, models

    for loss in (metrics.ssim_loss, vae.cross_entropy, "binary_crossentropy", keras.losses.BinaryCrossentropy()):
        identity(loss=loss)
    for function in (
        corruptions.black_line,
        functools.partial(corruptions.black_box, size=4),
        baselines.biharmonic_fill,
    ):
        identity(train=pairs(corrupt=function))
    for function in (colors.to_chroma, colors.to_ab):
        identity(train=pairs(target=function))
    identity(models.unet_denoiser((8, 8, 1)), optimizer=training.warm_up_and_cosine(3, 2, peak=0.1))


def with_operations(axis: int = 2) -> keras.Model:
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 1))
    both = layers.Concatenate()([image, keras.ops.flip(image, axis=axis)])
    return keras.Model(image, image + layers.Conv2D(1, 3, padding="same")(both))


def test_operations_that_are_no_layers_are_known_again_whatever_was_built_before():
    first = identity(with_operations())
    with_operations(1)
    assert identity(with_operations()) == first != identity(with_operations(1))


@functools.cache
def table(size: int) -> int:
    return STRENGTH * size


def with_a_table(clean, rng):
    return clean * table(2)


def test_a_cached_function_counts_by_its_code(monkeypatch):
    first = identity(train=pairs(corrupt=with_a_table))
    table(3)
    assert identity(train=pairs(corrupt=with_a_table)) == first
    monkeypatch.setitem(globals(), "table", functools.cache(lambda size: 0))
    with pytest.raises(Unidentified):
        identity(train=pairs(corrupt=with_a_table))
