"""Training: what `fit` gives back, what it keeps, and that a run stopped in any way goes on as if it never had."""

import errno
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

from helpers import corruptions, vae
from helpers.lab import training
from helpers.pairs import Pairs

PROJECT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.usefixtures("eagerly")  # what is killed trains in a process of its own
noise = functools.partial(corruptions.gaussian, std=0.3)


def pairs(images, corrupt=noise):
    """Fresh (training, validation) pairs."""
    validation = Pairs(images[40:], corrupt, batch_size=10, seed=7, fresh=False, shuffle=False)
    return Pairs(images[:40], corrupt, batch_size=20), validation


@pytest.fixture
def data(images):
    """A function that gives fresh (training, validation) pairs."""
    return functools.partial(pairs, images)


class Stop(keras.callbacks.Callback):
    """Press the stop button in the second batch of an epoch (counted from 1)."""

    only_watches = True

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

    only_watches = True

    def on_train_batch_begin(self, batch, logs=None):
        raise AssertionError("this run is finished, and yet it trains")


def without_seconds(history: dict) -> dict:
    return {key: pytest.approx(values, rel=1e-5) for key, values in history.items() if key != "seconds"}


def assert_same_weights(a: keras.Model, b: keras.Model) -> None:
    """And the same random generators."""
    for one, other in zip(a.variables, b.variables, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-4, atol=1e-6)


def test_history_is_a_plain_dict_of_floats_with_a_best_of_what_was_seen(data, tiny_model, runs):
    settings = {"optimizer": keras.optimizers.Adam(0.01), "loss": "mse", "metrics": ["mae"]}
    history = training.fit(tiny_model(), *data(), epochs=2, name="plain", **settings)
    assert type(history) is dict
    assert set(history) == {"loss", "val_loss", "mae", "val_mae", "seconds"}
    assert all(len(values) == 2 and all(type(value) is float for value in values) for values in history.values())
    assert history["loss"][1] < history["loss"][0]
    (run,) = runs.iterdir()
    assert re.fullmatch(r"plain-[0-9a-f]{8}", run.name)
    assert json.loads((run / "history.json").read_text())["history"] == history
    assert {path.name for path in run.iterdir()} == {"epoch-0002.npz", "history.json", "lock"}


@pytest.mark.parametrize(("keep_last", "kept"), [(False, 1), (True, 3)])
def test_the_model_ends_with_its_best_weights_or_its_last(data, tiny_model, keep_last, kept):
    class Spoil(keras.callbacks.Callback):
        """The learning rate jumps after two good epochs."""

        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.01 if epoch < 2 else 3.0

    model, (train, validation) = tiny_model(), data()
    settings = {"epochs": 4, "loss": "mse", "callbacks": [Spoil()], "keep_last": keep_last}
    history = training.fit(model, train, validation, name="spoiled", **settings)
    assert np.argmin(history["val_loss"]) == 1 and history["val_loss"][3] > 1.2 * history["val_loss"][1]
    assert model.evaluate(*validation.everything(), verbose=0) == pytest.approx(history["val_loss"][kept], rel=1e-4)


def falling():
    return {"optimizer": keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.05, 2, 0.5))}


def plateau():
    # No epoch is 10% better than the first, so the rate falls in the third and in the fifth.
    watch = keras.callbacks.ReduceLROnPlateau(factor=0.1, patience=2, min_delta=10.0, min_lr=1e-9)
    return {"optimizer": keras.optimizers.Adam(0.01), "callbacks": [watch]}


def random_layers():
    """For a VAE with noise and dropout: of all that is random the state is kept."""
    return falling() | {"loss": vae.cross_entropy}


def noisy_vae():
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 1))
    x = keras.layers.GaussianNoise(0.1)(keras.layers.Flatten()(image))
    z = vae.Sampler(beta=0.5)(keras.layers.Dense(2)(x), keras.layers.Dense(2)(x))
    x = keras.layers.Dense(64, activation="sigmoid")(keras.layers.Dropout(0.2)(z))
    return keras.Model(image, keras.layers.Reshape((8, 8, 1))(x))


@pytest.mark.parametrize("recipe", [plateau, random_layers])
def test_interrupted_and_run_again_ends_like_one_never_stopped(recipe, data, tiny_model, tmp_path, capsys):
    build = noisy_vae if recipe is random_layers else tiny_model
    whole, settings = build(), {"loss": "mse"} | recipe()
    expected = training.fit(whole, *data(), epochs=6, name="run", folder=tmp_path / "a", **settings)

    def again(model, *extra):
        settings = {"loss": "mse"} | recipe()
        callbacks = [*settings.pop("callbacks", ()), *extra]
        return training.fit(
            model, *data(), epochs=6, name="run", folder=tmp_path / "b", callbacks=callbacks, **settings
        )

    stopped = build()
    with pytest.raises(KeyboardInterrupt):
        again(stopped, Stop(epoch=5))
    assert "Stopped after 4 whole epochs; run it again: it goes on after epoch 4" in capsys.readouterr().out
    for resumed in (stopped, build()):  # the same network goes on, and a new one finds the run finished
        history = again(resumed)
        assert history == without_seconds(expected) | {"seconds": history["seconds"]}
        assert_same_weights(resumed, whole)
    if recipe is plateau:
        assert history["learning_rate"] == pytest.approx([1e-2, 1e-2, 1e-2, 1e-3, 1e-3, 1e-4], rel=1e-4)


KILLED = """
import os, signal, sys
import keras, numpy as np, tensorflow
import test_training
from helpers.lab import training

class Kill(keras.callbacks.Callback):
    only_watches = True

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 3 and batch == 1:
            os.kill(os.getpid(), signal.SIGKILL)

tensorflow.config.run_functions_eagerly(True)
settings = test_training.random_layers()
settings["callbacks"] = [Kill()]
data = test_training.pairs(np.load(sys.argv[1]))
training.fit(test_training.noisy_vae(), *data, epochs=5, name="run", **settings)
"""


class Dies(BaseException):
    """The process ends where this is raised: nothing of ours takes note of it."""


def test_killed_at_any_moment_it_goes_on_in_a_new_process(images, data, tmp_path, runs, monkeypatch):
    def write_json(path, value, before=training.write_json):
        if len(value["history"]["loss"]) == 3:
            raise Dies
        before(path, value)

    with monkeypatch.context() as patch, pytest.raises(Dies):  # the weights are written, the history is not
        patch.setattr(training, "write_json", write_json)
        training.fit(noisy_vae(), *data(), epochs=5, name="run", **random_layers())
    (run,) = runs.iterdir()
    assert (run / "epoch-0003.npz").exists() and epochs_kept(run) == 2  # history.json does not name it
    (run / ".epoch-0003.1.partial.npz").write_bytes(b"PK half of")

    np.save(tmp_path / "images.npy", images)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path / "images.npy"],
        env=os.environ | {"PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'tests'}"},
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    assert epochs_kept(run) == 3

    resumed, whole = noisy_vae(), noisy_vae()
    history = training.fit(resumed, *data(), epochs=5, name="run", **random_layers())
    expected = training.fit(whole, *data(), epochs=5, name="run", folder=tmp_path / "whole", **random_layers())
    assert list(runs.iterdir()) == [run]
    assert history == without_seconds(expected) | {"seconds": history["seconds"]}
    assert_same_weights(resumed, whole)
    best = f"epoch-{np.argmin(history['val_loss']) + 1:04d}.npz"
    assert {path.name for path in run.iterdir()} == {best, "epoch-0005.npz", "history.json", "lock"}


def epochs_kept(run: Path) -> int:
    return len(json.loads((run / "history.json").read_text())["history"]["loss"])


LOCKED = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"


def test_two_processes_do_not_train_one_run(data, tiny_model, runs):
    pytest.importorskip("fcntl")
    fit = functools.partial(training.fit, loss="mse", name="run")
    fit(tiny_model(), *data(), epochs=1)
    (run,) = runs.iterdir()
    with subprocess.Popen(
        [sys.executable, "-c", LOCKED, run / "lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        sentence = rf"run: another process is training this run \(the folder {run.name} in \$AUTOENCODER_RUNS\); wait"
        with pytest.raises(RuntimeError, match=sentence):
            fit(tiny_model(), *data(), epochs=2)
        assert len(fit(tiny_model(), *data(), epochs=1)["loss"]) == 1  # a finished one may be loaded
        other.kill()
    assert len(fit(tiny_model(), *data(), epochs=2)["loss"]) == 2


DAMAGES = {
    "history.json empty": ("history.json", lambda content: b""),
    "history.json cut": ("history.json", lambda content: content[:-30]),
    "history.json binary": ("history.json", lambda content: b"\x89\xff" + content),
    "history.json a list": ("history.json", lambda content: b"[]"),
    "history.json without epochs": ("history.json", lambda content: re.sub(rb"\[[^]]*\]", b"[]", content)),
    "history.json with words": ("history.json", lambda content: re.sub(rb"\[[^]]*\]", b'["a", "b"]', content, count=1)),
    "history.json of other lengths": (
        "history.json",
        lambda content: re.sub(rb"\[[^]]*\]", b"[1.0]", content, count=1),
    ),
    "history.json with other files": ("history.json", lambda content: content.replace(b"epoch-0002", b"epoch-0009")),
    "history.json of a number too large": (
        "history.json",
        lambda content: re.sub(rb"\[[^]]*\]", b"[" + b"9" * 400 + b", 1]", content, count=1),
    ),
    "weights missing": ("epoch-0002.npz", lambda content: None),
    "weights cut": ("epoch-0002.npz", lambda content: content[:-30]),
    "weights zeroed inside": ("epoch-0002.npz", lambda content: content[:400] + bytes(40) + content[440:]),
}


def test_a_damaged_run_gets_a_sentence_with_a_remedy_and_is_left_as_it_is(data, tiny_model, runs):
    fit = functools.partial(training.fit, loss="mse", name="run")
    fit(tiny_model(), *data(), epochs=2)
    (run,) = runs.iterdir()
    for name, change in DAMAGES.values():
        whole = (run / name).read_bytes()
        content = change(whole)
        (run / name).write_bytes(content) if content is not None else (run / name).unlink()
        before = {path.name: path.read_bytes() for path in run.iterdir()}
        place = rf"the folder {run.name} in \$AUTOENCODER_RUNS"
        for epochs in (2,) if name == "history.json" else (2, 3):  # to load it, to go on: both read the history alike
            with pytest.raises(
                ValueError, match=rf"^run: {name} is missing, damaged or does not fit; move {place} away"
            ):
                fit(tiny_model(), *data(), epochs=epochs)
        assert {path.name: path.read_bytes() for path in run.iterdir()} == before
        (run / name).write_bytes(whole)
    assert len(fit(tiny_model(), *data(), epochs=2)["loss"]) == 2


@pytest.mark.parametrize("name", ["history.json", "epoch-0001.npz"])
def test_a_run_that_may_not_be_read_is_not_called_damaged(name, data, tiny_model, monkeypatch):
    fit = functools.partial(training.fit, epochs=1, loss="mse", name="run")
    fit(tiny_model(), *data())
    for reader in ("read_text", "read_bytes"):

        def no(path, *args, before=getattr(Path, reader), **options):  # noqa: B008
            if path.name == name:
                raise PermissionError(errno.EACCES, "Permission denied")
            return before(path, *args, **options)

        monkeypatch.setattr(Path, reader, no)
    with pytest.raises(ValueError, match=rf"^run: {name} in the folder run-.* may not be read; see that you have the"):
        fit(tiny_model(), *data())


def test_a_finished_run_is_loaded_without_training_and_says_so(data, tiny_model, capsys):
    first, again = tiny_model(), tiny_model()
    history = training.fit(first, *data(), epochs=2, loss="mse", name="done")
    capsys.readouterr()
    assert training.fit(again, *data(), epochs=2, loss="mse", name="done", callbacks=[Never()]) == history
    assert "done: 2 epochs trained before" in capsys.readouterr().out
    assert_same_weights(first, again)


@pytest.mark.parametrize("full", ["weights", "history"])
def test_on_a_full_disk_it_says_so_and_goes_on_when_there_is_room(full, data, tiny_model, tmp_path, runs, monkeypatch):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def no_room(path, value, before=training.write_json):
        if len(value["history"]["loss"]) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        before(path, value)

    class Fill(Never):
        def on_train_batch_begin(self, batch, logs=None):
            pass

        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1 and full == "weights":
                resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))

    fit = functools.partial(training.fit, epochs=3, loss="mse", name="run")
    model = tiny_model()
    with monkeypatch.context() as patch:
        if full == "history":
            patch.setattr(training, "write_json", no_room)
        try:
            with pytest.raises(
                OSError, match="cannot be written .* make room, .* run it again: it goes on after epoch 1$"
            ):
                fit(model, *data(), callbacks=[Fill()])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    (run,) = runs.iterdir()
    assert {path.name for path in run.iterdir()} == {"epoch-0001.npz", "history.json", "lock"}
    whole = tiny_model()
    expected = fit(whole, *data(), folder=tmp_path / "whole")
    history = fit(model, *data())
    assert history == without_seconds(expected) | {"seconds": history["seconds"]}
    assert_same_weights(model, whole)


def test_a_folder_that_cannot_be_written_gets_a_sentence(data, tiny_model, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="^run: the folder run-.* in the folder given cannot be written .* make room"):
        training.fit(tiny_model(), *data(), epochs=1, loss="mse", name="run", folder=tmp_path / "file")


def test_epochs_must_be_a_whole_number_from_one(data, tiny_model):
    for epochs in (0, -1, 2.0, "2", None):
        with pytest.raises(ValueError, match=f"^run: epochs is {epochs!r}; give a whole number, 1 or more$"):
            training.fit(tiny_model(), *data(), epochs=epochs, loss="mse", name="run")


def test_runs_may_be_kept_in_the_home_folder(monkeypatch, tmp_path):
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setenv("AUTOENCODER_RUNS", "~/runs")
    assert training.runs_folder() == tmp_path / "runs"
    monkeypatch.setenv("AUTOENCODER_RUNS", "~nobody.here/runs")
    with pytest.raises(ValueError, match="^AUTOENCODER_RUNS is '~nobody.here/runs', a home folder .* correct it or"):
        training.runs_folder()


def test_what_cannot_be_identified_is_trained_anew_each_time_and_says_so(data, tiny_model, runs, capsys):
    def fit(name="run", **settings):
        return training.fit(tiny_model(), *data(), epochs=1, name=name, **settings)

    once = fit(loss=lambda clean, restored: (clean - restored) ** 2)
    twice = fit(loss=lambda clean, restored: 2 * (clean - restored) ** 2)
    losses = once["loss"] + twice["loss"]
    assert losses[1] == pytest.approx(2 * losses[0], rel=0.1)
    out = capsys.readouterr().out
    assert out.count("run: the loss cannot be identified, because of ") == 2
    assert "so this run is trained anew each time (for it to be kept, give a module-level function or" in out
    assert not runs.exists()


def test_a_metric_may_come_later(data, tiny_model):
    training.fit(tiny_model(), *data(), epochs=1, loss="mse", name="run")
    history = training.fit(tiny_model(), *data(), epochs=2, loss="mse", metrics=["mae"], name="run")
    assert np.isnan(history["mae"]).tolist() == [True, False]


def test_more_epochs_go_on_where_the_finished_run_ended(data, tiny_model, tmp_path):
    short = training.fit(tiny_model(), *data(), epochs=2, loss="mse", name="run")
    longer, whole = tiny_model(), tiny_model()
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
    assert epochs_kept(run) == 1


def test_a_validation_loss_that_is_no_number_is_not_taken_for_the_best(data, tiny_model):
    class Blow(keras.callbacks.Callback):
        def on_test_begin(self, logs=None):
            self.model.layers[-1].bias.assign([np.nan])

    with pytest.raises(ValueError, match="the val_loss is nan in epoch 1"):
        training.fit(tiny_model(), *data(), epochs=2, loss="mse", name="blown", callbacks=[Blow()])


def test_the_bar_tells_epoch_losses_and_time_left(data, tiny_model, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    history = training.fit(tiny_model(), *data(), epochs=2, loss="mse", name="shown")
    out = capsys.readouterr()
    last = out.out.split("\r")[-1]
    assert last.startswith("shown: epoch 2 of 2")
    assert "100%" in last and re.search(r"00:\d\d gone, 00:00 left", last)
    assert f"loss={history['loss'][1]:.4f}, val_loss={history['val_loss'][1]:.4f}" in last
    assert "█" not in out.err and "gone" not in out.err  # JupyterLab paints stderr red
    assert out.out.count("\n") <= 2  # one line, drawn over and over


def test_a_log_file_gets_a_line_an_epoch(data, tiny_model, capsys):
    history = training.fit(tiny_model(), *data(), epochs=2, loss="mse", name="logged")
    out = capsys.readouterr().out
    assert "\r" not in out and out.count("\n") == 2
    for epoch, line in enumerate(out.splitlines()):
        assert re.match(rf"logged: epoch {epoch + 1} of 2 \|.*{50 * (epoch + 1)}%, 00:\d\d gone, 00:\d\d left", line)
        assert line.endswith(f"loss={history['loss'][epoch]:.4f}, val_loss={history['val_loss'][epoch]:.4f}")


def test_the_learning_rate_climbs_for_an_epoch_and_falls_to_a_hundredth():
    optimizer = training.warm_up_and_cosine(10, 5, peak=0.002, global_clipnorm=1.0)
    rate = [float(optimizer._learning_rate(step)) for step in range(51)]
    assert rate[0] == pytest.approx(0.002 / 20) and rate[10] == max(rate) == pytest.approx(0.002)
    assert rate[:11] == sorted(rate[:11]) and rate[10:] == sorted(rate[10:], reverse=True)
    assert rate[30] == pytest.approx(0.002 * (1.01 / 2), rel=0.01)  # half-way down a cosine
    assert rate[50] == pytest.approx(0.002 / 100)
    assert optimizer.global_clipnorm == 1.0
    training.warm_up_and_cosine(3, 1, peak=0.1)  # one epoch: it only climbs
