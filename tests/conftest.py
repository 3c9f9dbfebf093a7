"""What the tests share: a folder of their own for training runs, small images, a network that trains in a moment."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import matplotlib
import numpy as np
import pytest

PROJECT = Path(__file__).resolve().parent.parent
matplotlib.use("agg")  # not by MPLBACKEND, which the notebooks' kernels would inherit


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch) -> Path:
    """The folder that this test's training runs go to."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("AUTOENCODER_RUNS", str(folder))
    monkeypatch.delenv("AE_PRESET", raising=False)  # it is set for the notebooks' kernels
    return folder


@pytest.fixture
def images() -> np.ndarray:
    """Fifty 8x8 gray images, uint8, no two alike."""
    return np.random.default_rng(0).integers(0, 256, (50, 8, 8, 1), dtype=np.uint8)


@pytest.fixture
def tiny_model():
    """A builder of a network of one convolution; equal seeds give equal weights."""
    import keras

    def build(seed: int = 1, shape=(8, 8, 1)):
        keras.utils.set_random_seed(seed)
        image = keras.Input(shape)
        return keras.Model(image, keras.layers.Conv2D(shape[-1], 3, padding="same", activation="sigmoid")(image))

    return build


@pytest.fixture
def eagerly():
    """TensorFlow works step by step: to trace the graph of a small network takes longer than to train it a little."""
    import keras

    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def in_subprocess():
    """Run Python source in a process of its own and give its stdout; the test fails with its stderr where it fails."""

    def run(source: str, *, timeout: float = 600, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(source)],
            env=os.environ | {"PYTHONPATH": str(PROJECT)} | environment,
            capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run
