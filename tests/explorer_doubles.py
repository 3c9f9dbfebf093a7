"""Small networks and spaces for the explorer's tests, and its JavaScript run by node."""

import json
import shutil
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from helpers import datasets, explorer
from helpers.explorer.page import script

DIGITS = [str(digit) for digit in range(10)]


def encoder(seed: int, *, variational: bool) -> keras.Model:
    keras.utils.set_random_seed(seed)
    image = keras.Input((28, 28, 1))
    x = layers.Dense(16, activation="relu")(layers.Flatten()(image))
    mean = layers.Dense(2)(x)
    return keras.Model(image, [mean, layers.Dense(2, bias_initializer="ones")(x)] if variational else mean)


def decoder(seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    code = keras.Input((2,))
    x = layers.Dense(16, activation="relu", kernel_initializer=keras.initializers.RandomNormal(stddev=2.0))(code)
    return keras.Model(code, layers.Reshape((28, 28, 1))(layers.Dense(784, activation="sigmoid")(x)))


def spaces(name: str = "mnist", count: int = 60) -> list[explorer.Space]:
    """A plain and a variational space of the drawn sample's first images."""
    data = datasets.load(name, sample=True)
    shown = data.test[:count], data.test_labels[:count]
    return [
        explorer.Space("Plain autoencoder", encoder(0, variational=False), decoder(1), *shown, "dense layers"),
        explorer.Space("Variational autoencoder", encoder(2, variational=True), decoder(3), *shown),
    ]


def in_node(folder: Path, source: str, **data: object) -> object:
    """What node returns from `source`, the body of a function of `data`, with the explorer's exports as `lx`."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    (folder / "explorer.mjs").write_text(script(), encoding="utf-8")
    (folder / "data.json").write_text(json.dumps(data), encoding="utf-8")
    (folder / "run.mjs").write_text(
        "import * as lx from './explorer.mjs'; import { readFileSync, writeFileSync } from 'node:fs';\n"
        f"const data = JSON.parse(readFileSync('data.json'));\nconst given = (() => {{ {source} }})();\n"
        "writeFileSync('given.json', JSON.stringify(given));\n",
        encoding="utf-8",
    )
    done = subprocess.run([node, "run.mjs"], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads((folder / "given.json").read_text(encoding="utf-8"))


def random_images(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
