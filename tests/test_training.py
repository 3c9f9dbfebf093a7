"""Training: what `fit` gives back, what it keeps, and that a run stopped in any way goes on as if it never had."""

import functools
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from helpers import corruptions
from helpers.lab import training
from helpers.pairs import Pairs

PROJECT = Path(__file__).resolve().parent.parent
noise = functools.partial(corruptions.gaussian, std=0.3)


@pytest.fixture
def data(images):
    """A function that gives fresh (training, validation) pairs."""

    def make(corrupt=noise, batch_size=10):
        validation = Pairs(images[40:], corrupt, batch_size=10, seed=7, fresh=False, shuffle=False)
        return Pairs(images[:40], corrupt, batch_size=batch_size), validation

    return make


class Stop(keras.callbacks.Callback):
    """Press the stop button in the second batch of an epoch (counted from 1)."""

    def __init__(self, epoch: int):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.here = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        if self.here == self.epoch and batch == 1:
            raise KeyboardInterrupt


class Never(keras.callbacks.Callback):
    """Fails the test when anything is trained."""

    def on_train_batch_begin(self, batch, logs=None):
        raise AssertionError("this run is finished, and yet it trains")


def without_seconds(history: dict) -> dict:
    return {key: pytest.approx(values, rel=1e-5) for key, values in history.items() if key != "seconds"}


def assert_same_weights(a: keras.Model, b: keras.Model) -> None:
    for one, other in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_history_is_a_plain_dict_of_floats_with_a_best_of_what_was_seen(data, tiny_model, runs):
    history = training.fit(tiny_model(), *data(), epochs=2, loss="mse", metrics=["mae"], name="plain")
    assert type(history) is dict
    assert set(history) == {"loss", "val_loss", "mae", "val_mae", "seconds"}
    assert all(len(values) == 2 and all(type(value) is float for value in values) for values in history.values())
    assert history["loss"][1] < history["loss"][0]
    (run,) = runs.iterdir()
    assert re.fullmatch(r"plain-[0-9a-f]{8}", run.name)
    assert json.loads((run / "history.json").read_text())["history"] == history
    assert not list(run.glob("*partial*")) and len(list(run.glob("epoch-*"))) == 1


def test_the_model_ends_with_its_best_weights_not_its_last(data, tiny_model):
    class Spoil(keras.callbacks.Callback):
        """The learning rate jumps after two good epochs."""

        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.01 if epoch < 2 else 3.0

    model, (train, validation) = tiny_model(), data()
    history = training.fit(model, train, validation, epochs=4, loss="mse", name="spoiled", callbacks=[Spoil()])
    assert np.argmin(history["val_loss"]) == 1 and history["val_loss"][3] > 1.2 * history["val_loss"][1]
    assert model.evaluate(*validation.everything(), verbose=0) == pytest.approx(history["val_loss"][1], rel=1e-4)


def plain():
    return {"optimizer": keras.optimizers.Adam(0.01)}


def falling():
    return {"optimizer": keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.05, 4, 0.5))}


def plateau():
    # No epoch is 10% better than the first, so the rate falls in the third and in the fifth.
    watch = keras.callbacks.ReduceLROnPlateau(factor=0.1, patience=2, min_delta=10.0, min_lr=1e-9)
    return {"optimizer": keras.optimizers.Adam(0.01), "callbacks": [watch]}


@pytest.mark.parametrize("recipe", [plain, falling, plateau])
def test_interrupted_and_run_again_ends_like_one_never_stopped(recipe, data, tiny_model, tmp_path, capsys):
    whole, settings = tiny_model(), recipe()
    expected = training.fit(whole, *data(), epochs=6, loss="mse", name="run", folder=tmp_path / "a", **settings)

    def again(model, *extra):
        settings = recipe()
        callbacks = [*settings.pop("callbacks", ()), *extra]
        return training.fit(
            model, *data(), epochs=6, loss="mse", name="run", folder=tmp_path / "b", callbacks=callbacks, **settings
        )

    with pytest.raises(KeyboardInterrupt):
        again(tiny_model(), Stop(epoch=5))
    assert "Stopped after 4 whole epochs; run the cell again" in capsys.readouterr().out
    resumed = tiny_model(seed=99)  # its first weights must not matter
    history = again(resumed)
    assert history == without_seconds(expected) | {"seconds": history["seconds"]}
    assert_same_weights(resumed, whole)
    if recipe is plateau:
        assert history["learning_rate"] == pytest.approx([1e-2, 1e-2, 1e-2, 1e-3, 1e-3, 1e-4], rel=1e-4)


KILLED = """
import functools, os, signal, sys
import keras, numpy as np
from helpers import corruptions
from helpers.lab import training
from helpers.pairs import Pairs

class Kill(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 2 and batch == 1:
            os.kill(os.getpid(), signal.SIGKILL)

images = np.load(sys.argv[1])
noise = functools.partial(corruptions.gaussian, std=0.3)
keras.utils.set_random_seed(1)
image = keras.Input((8, 8, 1))
x = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
model = keras.Model(image, keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")(x))
validation = Pairs(images[40:], noise, batch_size=10, seed=7, fresh=False, shuffle=False)
train = Pairs(images[:40], noise, batch_size=10)
training.fit(model, train, validation, epochs=4, loss="mse", name="run", callbacks=[Kill()])
"""


def test_killed_in_the_middle_of_an_epoch_it_goes_on_in_a_new_process(images, data, tiny_model, tmp_path, runs):
    np.save(tmp_path / "images.npy", images)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path / "images.npy"],
        env=os.environ | {"PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    (run,) = runs.iterdir()
    assert len(json.loads((run / "history.json").read_text())["history"]["loss"]) == 2
    # What a death while writing leaves behind must not be taken for weights.
    (run / "partial-epoch-0003.weights.h5").write_bytes(b"\x89HDF half of")
    (run / "epoch-0003.weights.h5").write_bytes(b"not named by history.json")

    resumed, whole = tiny_model(seed=99), tiny_model()
    history = training.fit(resumed, *data(), epochs=4, loss="mse", name="run")
    expected = training.fit(whole, *data(), epochs=4, loss="mse", name="run", folder=tmp_path / "whole")
    assert list(runs.iterdir()) == [run]
    assert history == without_seconds(expected) | {"seconds": history["seconds"]}
    assert_same_weights(resumed, whole)
    assert sorted(path.name for path in run.iterdir()) == ["best.weights.h5", "epoch-0004.weights.h5", "history.json"]


def test_a_finished_run_is_loaded_without_training_and_says_so(data, tiny_model, capsys):
    first, again = tiny_model(), tiny_model(seed=99)
    history = training.fit(first, *data(), epochs=2, loss="mse", name="done")
    capsys.readouterr()
    assert training.fit(again, *data(), epochs=2, loss="mse", name="done", callbacks=[Never()]) == history
    assert "done: 2 epochs trained before" in capsys.readouterr().out
    assert_same_weights(first, again)


def test_more_epochs_go_on_where_the_finished_run_ended(data, tiny_model, tmp_path):
    short = training.fit(tiny_model(), *data(), epochs=2, loss="mse", name="run")
    longer, whole = tiny_model(seed=99), tiny_model()
    history = training.fit(longer, *data(), epochs=4, loss="mse", name="run")
    expected = training.fit(whole, *data(), epochs=4, loss="mse", name="run", folder=tmp_path / "whole")
    assert history["loss"][:2] == short["loss"] and history["seconds"][:2] == short["seconds"]
    assert history == without_seconds(expected) | {"seconds": history["seconds"]}
    assert_same_weights(longer, whole)


def test_early_stopping_ends_a_run_once_and_for_all(data, tiny_model, capsys):
    def fit(*extra):
        stop = keras.callbacks.EarlyStopping(patience=2, min_delta=10.0)
        return training.fit(tiny_model(), *data(), epochs=9, loss="mse", name="early", callbacks=[stop, *extra])

    history = fit()
    assert len(history["loss"]) == 3
    assert fit(Never()) == history
    assert "early: stopped early after 3 epochs" in capsys.readouterr().out


def test_callbacks_and_optimizer_can_serve_a_second_run(data, tiny_model, tmp_path):
    stop, adam = keras.callbacks.EarlyStopping(patience=1, min_delta=10.0), keras.optimizers.Adam(0.01)
    lengths = [
        len(training.fit(
            tiny_model(), *data(), epochs=5, loss="mse", name=name, optimizer=adam, callbacks=[stop]
        )["loss"])
        for name in ("one", "two")
    ]  # fmt: skip
    assert lengths == [2, 2]
    assert not adam.built  # the fingerprint must not change by training


def recipe(images, build, *, loss="mse", optimizer="adam", layers=None, **settings) -> str:
    model = build(shape=layers or (8, 8, 1))
    model.compile(optimizer, loss)
    return training.fingerprint(model, Pairs(images, **({"corrupt": noise} | settings)))


def test_a_changed_recipe_is_a_run_of_its_own(images, tiny_model):
    changed = images.copy()
    changed[0, 0, 0] ^= 1
    variants = {
        "as it is": recipe(images, tiny_model),
        "batch size": recipe(images, tiny_model, batch_size=11),
        "loss": recipe(images, tiny_model, loss="mae"),
        "learning rate": recipe(images, tiny_model, optimizer=keras.optimizers.Adam(0.01)),
        "optimizer": recipe(images, tiny_model, optimizer="sgd"),
        "strength of the noise": recipe(images, tiny_model, corrupt=functools.partial(corruptions.gaussian, std=0.4)),
        "kind of noise": recipe(images, tiny_model, corrupt=corruptions.uniform_mix),
        "seed": recipe(images, tiny_model, seed=1),
        "one noise": recipe(images, tiny_model, fresh=False),
        "target": recipe(images, tiny_model, target=corruptions.grayscale),
        "mask": recipe(images, tiny_model, with_mask=True),
        "another first image": recipe(changed, tiny_model),
        "fewer images": recipe(images[:-1], tiny_model),
        "network": recipe(np.repeat(images, 3, axis=-1), tiny_model, layers=(8, 8, 3)),
    }
    assert len(set(variants.values())) == len(variants), variants
    assert recipe(images, tiny_model) == variants["as it is"]


def test_the_fingerprint_is_the_same_in_every_session(images, tiny_model):
    """Runs on disk are found by it: whoever changes this value orphans them all."""
    assert recipe(images, tiny_model) == "7c7eef3d"


def test_a_changed_recipe_trains_in_a_folder_of_its_own(data, tiny_model, runs):
    training.fit(tiny_model(), *data(), epochs=1, loss="mse", name="run")
    training.fit(tiny_model(), *data(functools.partial(noise, std=0.5)), epochs=1, loss="mse", name="run")
    assert len(list(runs.iterdir())) == 2


def test_a_loss_that_is_no_number_gets_a_sentence_and_keeps_the_good_epochs(data, tiny_model, runs):
    class Blow(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.layers[-1].bias.assign([np.nan])

    with pytest.raises(ValueError, match="blown: the loss is nan in epoch 2; lower the learning rate"):
        training.fit(tiny_model(), *data(), epochs=3, loss="mse", name="blown", callbacks=[Blow()])
    (run,) = runs.iterdir()
    assert len(json.loads((run / "history.json").read_text())["history"]["loss"]) == 1


def test_a_validation_loss_that_is_no_number_is_not_taken_for_the_best(data, tiny_model):
    class Blow(keras.callbacks.Callback):
        def on_test_begin(self, logs=None):
            self.model.layers[-1].bias.assign([np.nan])

    with pytest.raises(ValueError, match="the val_loss is nan in epoch 1"):
        training.fit(tiny_model(), *data(), epochs=2, loss="mse", name="blown", callbacks=[Blow()])


def test_the_bar_tells_epoch_losses_and_time_left(data, tiny_model, capsys):
    history = training.fit(tiny_model(), *data(), epochs=2, loss="mse", name="shown")
    out = capsys.readouterr()
    last = out.out.split("\r")[-1]
    assert last.startswith("shown: epoch 2 of 2")
    assert "100%" in last and re.search(r"00:\d\d gone, 00:00 left", last)
    assert f"loss={history['loss'][1]:.4f}, val_loss={history['val_loss'][1]:.4f}" in last
    assert "█" not in out.err and "gone" not in out.err  # JupyterLab paints stderr red
    assert out.out.count("\n") <= 2  # one line, drawn over and over


def test_two_devices_train_under_the_same_fit(in_subprocess, images, tmp_path):
    np.save(tmp_path / "images.npy", images)
    out = in_subprocess(
        f"""
        import numpy as np, tensorflow as tf, keras
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        from helpers.lab import training
        from helpers.pairs import Pairs
        images = np.load({str(tmp_path / "images.npy")!r})
        keras.utils.set_random_seed(1)
        validation = Pairs(images[40:], batch_size=10, shuffle=False)
        def fit(model, epochs, **settings):
            train = Pairs(images[:40], batch_size=10)
            return training.fit(model, train, validation, epochs=epochs, loss="mse", name="run", **settings)
        def build():
            image = keras.Input((8, 8, 1))
            return keras.Model(image, keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")(image))
        one, two = build(), build()
        two.set_weights(one.get_weights())
        fit(two, 1, strategy=strategy)
        history = fit(two, 2, strategy=strategy)  # goes on
        alone = fit(one, 2, folder=training.Path({str(tmp_path / "one")!r}))
        inputs, targets = validation.everything()
        reached = float(np.mean((two.predict(inputs, verbose=0) - targets) ** 2))
        print("RESULT", strategy.num_replicas_in_sync, history["val_loss"], alone["val_loss"], reached)
        """
    )
    replicas, *figures = out.split("RESULT")[1].replace("[", "").replace("]", "").replace(",", "").split()
    first, second, first_alone, second_alone, reached = map(float, figures)
    assert replicas == "2"
    assert second < first and reached == pytest.approx(second, rel=1e-4)  # the model has the trained weights
    assert [first, second] == pytest.approx([first_alone, second_alone], rel=1e-3)  # and the halves add up to the whole


def test_the_learning_rate_climbs_for_an_epoch_and_falls_to_a_hundredth():
    optimizer = training.warm_up_and_cosine(10, 5, peak=0.002, global_clipnorm=1.0)
    rate = [float(optimizer._learning_rate(step)) for step in range(51)]
    assert rate[0] == pytest.approx(0.002 / 20) and rate[10] == max(rate) == pytest.approx(0.002)
    assert rate[:11] == sorted(rate[:11]) and rate[10:] == sorted(rate[10:], reverse=True)
    assert rate[30] == pytest.approx(0.002 * (1.01 / 2), rel=0.01)  # half-way down a cosine
    assert rate[50] == pytest.approx(0.002 / 100)
    assert optimizer.global_clipnorm == 1.0
    training.warm_up_and_cosine(3, 1, peak=0.1)  # one epoch: it only climbs
