"""Published models: data/weights/<row>_<name>.keras, opened by plain `keras.models.load_model`."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np

from .files import DATA, whole_file, write_json
from .presets import Preset

FOLDER = DATA / "weights"
REMEDY = "set TRAIN = True to train it, or fetch it with `git pull`"


def load(name: str, *, folder: Path = FOLDER) -> keras.Model:
    """The published model `name` ("r08_denoise_uniform"), ready to predict.

    Raises FileNotFoundError where there is none, ValueError where the file is damaged.
    """
    path = folder / f"{name}.keras"
    if not path.exists():
        known = ", ".join(sorted(other.stem for other in folder.glob("*.keras"))) or "none"
        raise FileNotFoundError(f"data/weights has no {path.name} (there: {known}); {REMEDY}")
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # zip, HDF5 and JSON errors alike: the file is not what it should be
        raise ValueError(f"data/weights/{path.name} is damaged; restore it with `git checkout data/weights`") from error


def history(name: str, *, folder: Path = FOLDER) -> dict:
    """How the published model `name` was trained: the history that `training.fit` gave, lists with one entry an epoch.

    Raises FileNotFoundError where there is none.
    """
    path = folder / f"{name}.json"
    if not path.exists():
        raise FileNotFoundError(f"data/weights has no {path.name}; {REMEDY}")
    return json.loads(path.read_text(encoding="utf-8"))


def publish(
    model: keras.Model,
    name: str,
    history: dict,
    *,
    preset: Preset,
    is_sample: bool = False,
    half: bool = False,
    folder: Path = FOLDER,
) -> bool:
    """Save a model without its optimizer, its history beside it, and renew SHA256SUMS. True if written.

    half: store the weights as float16, in half the space; they are float32 again when loaded, rounded to 11 bits.
    Only from the `full` preset on real data: a quick look must not replace a published model.
    """
    if not preset.publishes(is_sample):
        return False
    bare = keras.Model(model.inputs, model.outputs, name=model.name)  # a clone would take optimizer and loss with it
    with whole_file(folder / f"{name}.keras") as partial:
        bare.save(partial)
        _pack(partial, half=half)
    write_json(folder / f"{name}.json", {key: [float(f"{v:.6g}") for v in values] for key, values in history.items()})
    _renew_sums(folder)
    return True


def publish_array(
    values: np.ndarray, name: str, *, preset: Preset, is_sample: bool = False, folder: Path = FOLDER
) -> bool:
    """Save an array that goes with a model as <name>.npz, key "values", under the same conditions as `publish`."""
    if not preset.publishes(is_sample):
        return False
    with whole_file(folder / f"{name}.npz") as partial:
        np.savez(partial, values=values)
    _renew_sums(folder)
    return True


def _pack(path: Path, *, half: bool) -> None:
    """Compress a .keras file, which Keras leaves uncompressed; `half`: store its weights as float16 before."""
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    if half:
        parts["model.weights.h5"] = _halved(parts["model.weights.h5"])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)


def _halved(content: bytes) -> bytes:
    """An HDF5 file with float16 in the place of float32, which Keras turns into the layers' own type on loading."""
    weights, halved = h5py.File(io.BytesIO(content)), io.BytesIO()
    with h5py.File(halved, "w") as target:

        def copy(part, value):
            if isinstance(value, h5py.Dataset):
                target[part] = value[()].astype(np.float16) if value.dtype == np.float32 else value[()]
            else:
                target.require_group(part).attrs.update(value.attrs)

        weights.visititems(copy)
    return halved.getvalue()


def _renew_sums(folder: Path) -> None:
    files = sorted([*folder.glob("*.keras"), *folder.glob("*.npz")])
    with whole_file(folder / "SHA256SUMS", ".txt") as partial:
        partial.write_text("".join(f"{_sha256(path)}  {path.name}\n" for path in files), encoding="utf-8")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
