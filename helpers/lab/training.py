"""Training that a person can watch, interrupt and take up again."""

import functools
import hashlib
import json
import math
import sys
import time
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from ..plumbing.files import runs_folder, write_json

REPLAYED = (keras.callbacks.ReduceLROnPlateau, keras.callbacks.EarlyStopping)  # their state follows from the history


def fit(
    model: keras.Model,
    train,
    validation,
    *,
    epochs: int,
    loss,
    name: str,
    optimizer="adam",
    metrics=(),
    callbacks=(),
    folder: Path | None = None,
    strategy=None,
) -> dict:
    """Train `model` with one progress bar; keep the best weights; go on where an interrupted run stopped.

    train, validation: `Pairs` (or another PyDataset of (inputs, targets) batches). loss, optimizer,
    metrics: as in `model.compile`. name: of the run, "r08_denoise_uniform"; state is written after every epoch to
    `<folder>/<name>-<fingerprint>/`, folder being $AUTOENCODER_RUNS or data/runs. The fingerprint covers the
    network, the loss, the optimizer and the data, so a changed recipe starts a run of its own. Calling `fit` again
    continues after the last whole epoch, with the same batches as if it had never stopped; a finished run is loaded.

    Gives the history, a plain dict of lists, one entry an epoch: "loss", "val_loss", the metrics and
    "seconds". `model` ends with the weights of the epoch of lowest val_loss. With several GPUs (TensorFlow)
    it trains under `tf.distribute.MirroredStrategy`, or under the `strategy` given.
    Raises ValueError when the loss is no longer a number.
    """
    strategy = strategy or _several_gpus()
    if strategy is not None:
        with strategy.scope():  # variables must be born inside the scope, so train a twin and copy back
            twin = keras.models.clone_model(model)
            twin.set_weights(model.get_weights())
            _compiled(twin, loss, optimizer, metrics)
            history = _run(twin, train, validation, epochs, name, callbacks, folder)
        model.set_weights(twin.get_weights())
        return history
    return _run(_compiled(model, loss, optimizer, metrics), train, validation, epochs, name, callbacks, folder)


def warm_up_and_cosine(
    steps: int, epochs: int, *, peak: float, climb: float = 1.0, **options
) -> keras.optimizers.Optimizer:
    """Adam whose learning rate climbs from a twentieth of `peak` for `climb` epochs, then falls along a cosine.

    steps: batches an epoch. After `epochs` epochs it ends at a hundredth of `peak`. options: as for
    `keras.optimizers.Adam`. After Loshchilov and Hutter 2017 (the cosine). Taught in notebooks 01 to 04.
    """
    climbing = int(climb * steps)
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=peak / 20,
        decay_steps=max(1, epochs * steps - climbing),
        alpha=0.01,
        warmup_target=peak,
        warmup_steps=climbing,
    )
    return keras.optimizers.Adam(rate, **options)


def _compiled(model, loss, optimizer, metrics):
    given = keras.optimizers.get(optimizer)
    optimizer = type(given).from_config(given.get_config())  # the caller's stays as it is, fit for the next call
    # XLA pays on a GPU; on the CPU these small networks measured 1.6 times slower with it.
    model.compile(optimizer, loss, metrics=list(metrics), jit_compile="auto" if _gpu() else False)
    optimizer.build(model.trainable_variables)  # born inside `fit`, its variables make TensorFlow trace the step twice
    return model


def _run(model, train, validation, epochs, name, callbacks, folder) -> dict:
    run = (folder or runs_folder()) / f"{name}-{fingerprint(model, train)}"
    state = _State(run, model)
    history = state.history()
    done = len(history["loss"])
    if done < epochs:
        _train(model, train, validation, epochs, callbacks, state, history)
    else:
        seconds = sum(history["seconds"])
        print(f"{name}: {done} epochs trained before, in {seconds:.0f} s; delete data/runs/{run.name} to train anew.")
    state.restore_best()
    return history


def _train(model, train, validation, epochs, callbacks, state, history) -> None:
    done = len(history["loss"])
    train.epoch = done
    ended = _replay(callbacks, model, history)
    state.restore()
    if ended:
        print(f"{state.name}: stopped early after {done} epochs; delete data/runs/{state.run.name} to train again.")
        return
    bar = _Bar(state.name, epochs, len(train), done)
    try:
        model.fit(
            train,
            validation_data=validation,
            epochs=epochs,
            initial_epoch=done,
            verbose=0,
            shuffle=False,  # Pairs shuffles
            callbacks=[*callbacks, _Keep(state, history, bar), bar],
        )
    except KeyboardInterrupt:
        bar.close()
        print(f"Stopped after {len(history['loss'])} whole epochs; run the cell again to go on from there.")
        raise


def _replay(callbacks, model, history) -> bool:
    """Bring the callbacks that watch the history to where they were when the run stopped; true if they had ended it.

    Before the weights are restored, as the learning rate is among them.
    """
    model.stop_training = False
    for callback in callbacks:
        if isinstance(callback, REPLAYED):
            vars(callback).pop("on_train_begin", None)  # left by an earlier call
            callback.set_model(model)
            callback.on_train_begin()
            for epoch in range(len(history["loss"])):
                callback.on_epoch_end(epoch, {key: values[epoch] for key, values in history.items()})
            callback.on_train_begin = lambda logs=None: None  # Keras would reset it
    return model.stop_training


class _State:
    """A run's folder: history.json names the weights that belong to it, so the two always agree."""

    def __init__(self, run: Path, model: keras.Model):
        self.run, self.model, self.name = run, model, run.name.rpartition("-")[0]

    def history(self) -> dict:
        """The history so far, an empty one for a new run."""
        return self._saved()["history"]

    def restore(self) -> None:
        """Bring model and optimizer to the end of the history."""
        weights = self._saved()["weights"]
        if weights:
            self._load(weights)

    def restore_best(self) -> None:
        self._load("best.weights.h5")

    def _saved(self) -> dict:
        path = self.run / "history.json"
        if path.exists():
            return json.loads(path.read_text(encoding="utf-8"))
        return {"weights": None, "history": {"loss": [], "val_loss": [], "seconds": []}}

    def _load(self, weights: str) -> None:
        self.model.load_weights(self.run / weights)

    def keep(self, history: dict) -> None:
        """Write everything needed to go on after the last epoch in `history`."""
        epoch = len(history["loss"])
        weights = f"epoch-{epoch:04d}.weights.h5"
        self._save(weights)
        if np.argmin(history["val_loss"]) == epoch - 1:
            self._save("best.weights.h5")
        write_json(self.run / "history.json", {"weights": weights, "history": history})
        for old in self.run.glob("epoch-*.weights.h5"):
            if old.name != weights:
                old.unlink()

    def _save(self, name: str) -> None:
        partial = self.run / f"partial-{name}"
        self.run.mkdir(parents=True, exist_ok=True)
        self.model.save_weights(partial, overwrite=True)
        partial.replace(self.run / name)


class _Keep(keras.callbacks.Callback):
    """Appends each epoch to the history and has the run's folder keep it."""

    def __init__(self, state: _State, history: dict, bar: "_Bar"):
        super().__init__()
        self.state, self.history, self.bar = state, history, bar

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self.started
        values = {key: float(value) for key, value in logs.items()} | {"seconds": round(seconds, 2)}
        for key in ("loss", "val_loss"):
            if not math.isfinite(values[key]):
                self.bar.close()
                raise ValueError(
                    f"{self.state.name}: the {key} is {values[key]} in epoch {epoch + 1}; "
                    "lower the learning rate, or check that the images are in [0, 1]"
                )
        for key, value in values.items():
            self.history.setdefault(key, []).append(value)
        self.state.model = self.model  # asked for here, as on JAX this is what brings its weights up to date
        self.state.keep(self.history)


class _Bar(keras.callbacks.Callback):
    """One tqdm line for the whole run. On stdout: JupyterLab paints stderr red."""

    def __init__(self, name: str, epochs: int, steps: int, done: int):
        super().__init__()
        self.epochs, self.name, self.steps, self.done = epochs, name, steps, done

    def on_train_begin(self, logs=None):
        shape = "{desc} |{bar:20}| {percentage:3.0f}%, {elapsed} gone, {remaining} left{postfix}"
        total, initial = self.epochs * self.steps, self.done * self.steps
        self.bar = tqdm(
            total=total, initial=initial, file=sys.stdout, bar_format=shape, mininterval=0.5, smoothing=0, ascii=" ━"
        )
        self.shown = {}

    def on_epoch_begin(self, epoch, logs=None):
        self.bar.set_description_str(f"{self.name}: epoch {epoch + 1} of {self.epochs}", refresh=False)

    def on_train_batch_end(self, batch, logs=None):
        if self.bar.update():  # true when the line was redrawn
            self.shown["loss"] = f"{float(logs['loss']):.4f}"
            self.bar.set_postfix(self.shown, refresh=False)

    def on_epoch_end(self, epoch, logs=None):
        self.shown = {key: f"{float(logs[key]):.4f}" for key in ("loss", "val_loss")}
        self.bar.set_postfix(self.shown)

    def on_train_end(self, logs=None):
        self.close()

    def close(self):
        self.bar.close()


def fingerprint(model: keras.Model, train) -> str:
    """Eight hex digits for what is trained on what: layers, loss, optimizer, images and corruption; not the epochs."""
    layers = [(type(layer).__name__, _activation(layer), [w.shape for w in layer.weights]) for layer in _layers(model)]
    optimizer = {key: value for key, value in model.optimizer.get_config().items() if key != "name"}
    images = getattr(train, "images", None)
    data = None
    if images is not None:
        first_and_last = b"".join(np.asarray(images[k : k + 1]).tobytes() for k in (0, len(images) - 1))
        ends = hashlib.sha1(first_and_last).hexdigest()
        settings = [train.batch_size, train.seed, train.fresh, train.shuffle]
        data = [images.shape, ends, *settings, describe(train.corrupt), describe(train.target), train.with_mask]
        if train.augment is not None:
            data.append(describe(train.augment))
    recipe = json.dumps([layers, describe(model.loss), optimizer, data], default=str, sort_keys=True)
    return hashlib.sha1(recipe.encode()).hexdigest()[:8]


def _activation(layer: keras.Layer) -> str:
    return getattr(getattr(layer, "activation", None), "__name__", "")


def _layers(model: keras.Model):
    for layer in model.layers:
        yield from _layers(layer) if isinstance(layer, keras.Model) else [layer]


def describe(function) -> str:
    """A function, a `functools.partial` or a loss's name in words that are the same in every session."""
    if isinstance(function, functools.partial):
        return f"{describe(function.func)}{sorted(function.keywords.items())}{function.args}"
    return function if isinstance(function, str) else getattr(function, "__qualname__", type(function).__name__)


def _gpu() -> bool:
    if keras.backend.backend() != "tensorflow":
        return True  # torch and jax: leave the choice to Keras
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def _several_gpus():
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    return tf.distribute.MirroredStrategy() if len(tf.config.list_physical_devices("GPU")) > 1 else None
