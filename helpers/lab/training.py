"""Training that a person can watch, interrupt and take up again."""

import contextlib
import copy
import hashlib
import io
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from ..plumbing.files import runs_folder, whole_file, write_json
from . import shares
from .identity import Unidentified, fingerprint

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
    keep_last: bool = False,
) -> dict:
    """Train `model` with one progress bar; keep the best weights; go on where an interrupted run stopped.

    train, validation: `Pairs` (or another PyDataset of (inputs, targets) batches). loss, optimizer,
    metrics: as in `model.compile`. callbacks: one that changes nothing may say so by an attribute
    `only_watches = True`. name: of the run, "denoise_uniform"; state is written after every epoch to
    `<folder>/<name>-<fingerprint>/`, folder being $AUTOENCODER_RUNS or data/runs. The fingerprint covers whatever can
    change the result but the epochs (see `identity.fingerprint`), so a changed recipe starts a run of its own. The
    same call again continues after the last whole epoch, with the same batches and random numbers as if it had never
    stopped; a finished run is loaded. The first weights are part of the recipe: build the network after
    `keras.utils.set_random_seed`. Where something cannot be identified, such as a lambda, one line says so, and the
    run is trained anew each time.

    Gives the history, a plain dict of lists, one entry an epoch: "loss", "val_loss", the metrics and
    "seconds". `model` ends with the weights of the epoch of lowest val_loss, with `keep_last` those of the last one;
    where it is stopped or fails, it has its first weights again. In several processes of `jax.distributed` (see
    `cluster`) each computes its share of every batch, for which train and validation have to be `Pairs`; the first of
    them keeps the state, with which any number of processes can go on.

    Raises ValueError when epochs is no whole number from 1, when the loss is no longer a number, when the run's
    files are damaged, or when processes have different images or code; RuntimeError when another process is training
    the run; OSError when its folder cannot be written. All say in one sentence what to do.
    """
    if not isinstance(epochs, int) or epochs < 1:
        raise ValueError(f"{name}: epochs is {epochs!r}; give a whole number, 1 or more")
    optimizer = keras.optimizers.get(optimizer)
    with contextlib.ExitStack() as stack:
        shares.begin_alike(model)
        try:
            digits = fingerprint(model, train, validation, loss=loss, optimizer=optimizer, callbacks=callbacks)
            shares.agree(name, digits)
            run = _Run(name, Path(folder or runs_folder()) / f"{name}-{digits}", _place(folder))
        except Unidentified as error:
            remedy = "for it to be kept, give a module-level function or functools.partial"
            print(f"{name}: {error}; so this run is trained anew each time ({remedy}).")
            run = _Run(name, Path(stack.enter_context(tempfile.TemporaryDirectory())) / name, "")
        first = _values(model.variables)
        try:
            # The caller's stays as it is, fit for another call. Born inside `fit`, its variables would make TensorFlow
            # trace the step twice.
            optimizer = type(optimizer).from_config(optimizer.get_config())
            optimizer.build(model.trainable_variables)
            stack.enter_context(shares.together([*model.variables, *optimizer.variables]))
            # XLA pays on a GPU; on the CPU these small networks measured 1.6 times slower with it.
            model.compile(optimizer, loss, metrics=list(metrics), jit_compile="auto" if _gpu() else False)
            history = _train_or_load(run, model, train, validation, epochs, callbacks)
            run.load(run.done if keep_last else _best(history), model)
        except BaseException:
            _assign(model.variables, first)  # the same call goes on from there
            raise
    return history


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


def _train_or_load(run, model, train, validation, epochs, callbacks) -> dict:
    run.read()
    if run.done < epochs:
        with run.alone():
            _train(run, model, train, validation, epochs, callbacks)
    else:
        seconds = sum(run.history["seconds"])
        print(f"{run.name}: {run.done} epochs trained before, in {seconds:.0f} s; move {run.place} away to train anew.")
    return run.history


def _train(run, model, train, validation, epochs, callbacks) -> None:
    callbacks = [copy.copy(one) if isinstance(one, REPLAYED) else one for one in callbacks]  # fit for another call
    ended = _replay(callbacks, model, run.history)
    train.epoch = run.done
    if run.done:
        run.load(run.done, model)
    if ended:
        print(f"{run.name}: stopped early after {run.done} epochs; move {run.place} away to train anew.")
        return
    bar = _Bar(run.name, epochs, len(train), run.done)
    try:
        model.fit(
            shares.share(train),
            validation_data=shares.share(validation),
            epochs=epochs,
            initial_epoch=run.done,
            verbose=0,
            shuffle=False,  # Pairs shuffles
            callbacks=[*callbacks, _Keep(run), bar],
        )
    except KeyboardInterrupt:
        bar.close()
        print(f"Stopped after {run.done} whole epochs; {run.again}.")
        raise
    finally:
        bar.close()


def _replay(callbacks, model, history) -> bool:
    """Bring the callbacks that watch the history to where they were when the run stopped; true if they had ended it.

    Before the state is loaded, as the learning rate is part of that.
    """
    model.stop_training = False
    for callback in callbacks:
        if isinstance(callback, REPLAYED):
            callback.set_model(model)
            callback.on_train_begin()
            for epoch in range(len(history["loss"])):
                callback.on_epoch_end(epoch, {key: values[epoch] for key, values in history.items()})
            callback.on_train_begin = lambda logs=None: None  # Keras would reset it
    return model.stop_training


def _place(folder: Path | None) -> str:
    if folder:
        return "the folder given"  # whose name would put the machine's paths into a notebook
    return "$AUTOENCODER_RUNS" if os.environ.get("AUTOENCODER_RUNS") else "data/runs"


def _values(variables) -> list[np.ndarray]:
    return [np.array(variable.numpy()) for variable in variables]  # a copy: torch shares its memory


def _assign(variables, values) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(shares.everywhere(value))


class _Run:
    """A run's folder: history.json names the files that belong to it, with their SHA-256, so that all always agree.

    A file holds everything needed to go on after its epoch: weights, random generators and the optimizer. where: the
    folder's folder, in words; "" for a run that is not to be taken up again. Of several workers the first one reads and
    writes.
    """

    def __init__(self, name: str, folder: Path, where: str):
        self.name, self.folder = name, folder
        self.place = f"the folder {folder.name} in {where}" if where else "its temporary folder"
        self.goes_on = bool(where)
        self.first = shares.place()[0] == 0
        self.history, self.files = {"loss": [], "val_loss": [], "seconds": []}, {}

    @property
    def done(self) -> int:
        return len(self.history["loss"])

    @property
    def again(self) -> str:
        return f"run it again: it {f'goes on after epoch {self.done}' if self.goes_on and self.done else 'begins anew'}"

    def read(self) -> None:
        """Take up the history and the names of the files; an empty history for a new run."""
        path = self.folder / "history.json"
        try:
            saved = json.loads(shares.from_first(path.read_bytes))
            history, files = saved["history"], saved["files"]
            _, done = np.array([history[key] for key in ("loss", "seconds", *history)], float).shape  # as many of each
            _ = [files[_file(epoch)] for epoch in (done, _best(history))]
        except (FileNotFoundError, NotADirectoryError):
            return
        except PermissionError:
            raise self._locked(path.name) from None
        except (AttributeError, LookupError, OSError, OverflowError, RecursionError, TypeError, ValueError):
            raise self._damaged(path.name) from None
        self.history, self.files = history, files

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Let no other process train this run; what it may have done before is read."""
        with self._held() if self.first else contextlib.nullcontext():
            self.read()
            yield

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = open(self.folder / "lock", "a")  # noqa: SIM115 - closed below, or when the process ends in any way
        with lock:
            try:
                _lock(lock)
            except (BlockingIOError, PermissionError):
                raise RuntimeError(
                    f"{self.name}: another process is training this run ({self.place}); wait for its end or stop it"
                ) from None
            except OSError:
                pass  # some network drives know no locks
            yield

    def keep(self, model: keras.Model, values: dict) -> None:
        """Write everything needed to go on after one more epoch, whose losses and metrics are `values`."""
        history = {key: list(column) for key, column in self.history.items()}
        for key in history | values:  # a metric may be new, or be there no longer
            history.setdefault(key, [math.nan] * self.done).append(values.get(key, math.nan))
        content, latest, best = io.BytesIO(), _file(self.done + 1), _file(_best(history))
        np.savez(content, *_values(_state(model)))
        digest = shares.from_first(lambda: hashlib.sha256(content.getbuffer()).digest()).hex()
        files = {best: self.files.get(best), latest: digest}
        if self.first:
            with self._writing():
                with whole_file(self.folder / latest) as partial:
                    partial.write_bytes(content.getbuffer())
                write_json(self.folder / "history.json", {"files": files, "history": history})
        self.history, self.files = history, files
        if self.first:
            self._tidy()

    def load(self, epoch: int, model: keras.Model) -> None:
        """Bring weights, random generators and optimizer to the end of an epoch, counted from 1."""
        name = _file(epoch)
        try:
            content = shares.from_first((self.folder / name).read_bytes)
            if hashlib.sha256(content).hexdigest() != self.files[name]:
                raise ValueError
            with np.load(io.BytesIO(content)) as saved:
                _assign(_state(model), saved.values())
        except PermissionError:
            raise self._locked(name) from None
        except (OSError, ValueError):
            raise self._damaged(name) from None

    def _locked(self, file: str) -> ValueError:
        return ValueError(f"{self.name}: {file} in {self.place} may not be read; see that you have the permission")

    def _damaged(self, file: str) -> ValueError:
        return ValueError(
            f"{self.name}: {file} is missing, damaged or does not fit; move {self.place} away to train anew"
        )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._tidy()
            raise OSError(
                f"{self.name}: {self.place} cannot be written ({error.strerror}); make room, or see that files may be "
                f"written there, and {self.again}"
            ) from error

    def _tidy(self) -> None:
        """Remove what belongs to no epoch that is kept, such as what a death while writing has left."""
        for pattern in ("epoch-*.npz", ".*.partial*"):
            for path in self.folder.glob(pattern):
                if path.name not in self.files:
                    with contextlib.suppress(OSError):
                        path.unlink()


def _file(epoch: int) -> str:
    return f"epoch-{epoch:04d}.npz"


def _best(history: dict) -> int:
    """The epoch of lowest val_loss, counted from 1."""
    return 1 + int(np.argmin(history["val_loss"]))


def _state(model: keras.Model) -> list:
    """Weights, random generators (of layers in layers too) and the optimizer."""
    return [*model.variables, *model.optimizer.variables]


def _lock(file) -> None:
    """Lock an open file for this process alone, until it is closed; raises OSError where another one has it."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class _Keep(keras.callbacks.Callback):
    """Has the run's folder keep each epoch."""

    def __init__(self, run: _Run):
        super().__init__()
        self.run = run

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self.started
        values = {key: float(value) for key, value in logs.items()} | {"seconds": round(seconds, 2)}
        for key in ("loss", "val_loss"):
            if not math.isfinite(values[key]):
                raise ValueError(
                    f"{self.run.name}: the {key} is {values[key]} in epoch {epoch + 1}; "
                    "lower the learning rate, or check that the images are in [0, 1]"
                )
        self.run.keep(self.model, values)  # asked for here, as on JAX this is what brings its weights up to date


class _Bar(keras.callbacks.Callback):
    """One tqdm line for the whole run; in a log file, a line an epoch. On stdout: JupyterLab paints stderr red."""

    def __init__(self, name: str, epochs: int, steps: int, done: int):
        super().__init__()
        self.epochs, self.name, self.shown = epochs, name, {}
        self.live = sys.stdout.isatty() or "ipykernel" in type(sys.stdout).__module__
        self.bar = tqdm(
            total=epochs * steps, initial=done * steps, file=sys.stdout if self.live else io.StringIO(),
            bar_format="{desc} |{bar:20}| {percentage:3.0f}%, {elapsed} gone, {remaining} left{postfix}",
            mininterval=0.5, smoothing=0, ascii=" ━",
        )  # fmt: skip

    def on_epoch_begin(self, epoch, logs=None):
        self.bar.set_description_str(f"{self.name}: epoch {epoch + 1} of {self.epochs}", refresh=False)

    def on_train_batch_end(self, batch, logs=None):
        if self.bar.update():  # true when the line was redrawn
            self.shown["loss"] = f"{float(logs['loss']):.4f}"
            self.bar.set_postfix(self.shown, refresh=False)

    def on_epoch_end(self, epoch, logs=None):
        self.shown = {key: f"{float(logs[key]):.4f}" for key in ("loss", "val_loss")}
        self.bar.set_postfix(self.shown)
        if not self.live:
            print(self.bar, flush=True)

    def close(self):
        self.bar.close()


def _gpu() -> bool:
    if keras.backend.backend() != "tensorflow":
        return True  # torch and jax: leave the choice to Keras
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))
