"""Published models, data/weights/<name>.keras: known to be whole, then opened by plain `keras.models.load_model`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from .plumbing.files import SHIPPED, read_json, reading

if TYPE_CHECKING:  # the explorer reads checked files without Keras, whose import takes seconds
    import keras

FOLDER = SHIPPED / "weights"
REMEDY = "restore it with `git checkout data/weights`, or install the project again"


def load(name: str, *, folder: Path = FOLDER) -> keras.Model:
    """The published model `name` ("denoise_uniform"), ready to predict: `keras.models.load_model` on a checked file.

    Raises FileNotFoundError where there is none, ValueError where the file is not the published one (SHA256SUMS), or
    Keras is too old for it.
    """
    path = checked(name, folder=folder)
    import keras

    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # the file is whole, so it is Keras
        told = f"data/weights/{path.name} cannot be opened by Keras {keras.__version__}; pip install --upgrade keras"
        raise ValueError(told) from error


def checked(name: str, *, folder: Path = FOLDER) -> Path:
    """The file of the published model `name`, known to be whole. Raises as `load` does."""
    path = folder / f"{name}.keras"
    if not path.exists():
        known = ", ".join(sorted(other.stem for other in folder.glob("*.keras"))) or "none"
        raise FileNotFoundError(f"data/weights has no {path.name}; there are: {known}")
    with reading(f"data/weights/{path.name}", REMEDY):
        whole = sha256(path) == sums(folder).get(path.name)
    if not whole:
        raise ValueError(f"data/weights/{path.name} is not the published file (see SHA256SUMS); {REMEDY}")
    return path


def history(name: str, *, folder: Path = FOLDER) -> dict:
    """How the published model `name` was trained: lists with one entry an epoch, "loss", "val_loss" and "seconds".

    Raises FileNotFoundError where there is none, ValueError where the file is damaged.
    """
    path = folder / f"{name}.json"
    if not path.exists():
        raise FileNotFoundError(f"data/weights has no {path.name}; {REMEDY}")
    return read_json(path, f"data/weights/{path.name}", REMEDY)


def sums(folder: Path = FOLDER) -> dict[str, str]:
    """{file name: SHA-256} of every published file, from SHA256SUMS; an empty dict where that is missing."""
    path = folder / "SHA256SUMS"
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
