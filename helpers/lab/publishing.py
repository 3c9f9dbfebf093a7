"""What the lab puts into data/, from the `full` preset on real data only: models with their histories, measurements."""

import io
import os
import platform
import zipfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import h5py
import keras
import numpy as np

from .. import records, weights
from ..plumbing.files import whole_file, write_json
from .presets import Preset


def publish(
    model: keras.Model,
    name: str,
    history: dict,
    *,
    preset: Preset,
    is_sample: bool = False,
    half: bool = False,
    folder: Path = weights.FOLDER,
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
    renew_sums(folder)
    return True


def record(
    name: str,
    *,
    row: str,
    task: str,
    published: str,
    measured: str,
    metrics: dict,
    preset: Preset,
    source: str,
    notebook: str,
    trained: dict | None = None,
    notes: Sequence[str] = (),
    is_sample: bool = False,
    folder: Path = records.FOLDER,
) -> dict:
    """Write one measurement to data/results/<name>.json and give it back.

    row: of the chapters' facts, "R8"; "" for what no chapter has. published, measured: short sentences for the table.
    metrics: every figure, by name. source: the data set's sentence. notebook: "02", the lesson that it belongs to.
    trained: epochs, seconds, images of the run. notes: sentences for the report. Only runs of the `full` preset on
    real data are written.
    """
    entry = {
        "name": name,
        "row": row,
        "notebook": notebook,
        "task": task,
        "published": published,
        "measured": measured,
        "metrics": plain(metrics),
        "trained": plain(trained or {}),
        "notes": list(notes),
        "data": source,
        "preset": preset.name,
        "machine": f"{platform.machine()}, {os.cpu_count()} CPU cores",
        "versions": {package: _version(package) for package in ("tensorflow", "keras", "numpy", "scikit-image")},
    }
    if preset.publishes(is_sample):
        write_json(folder / f"{name}.json", entry)
    return entry


def renew_sums(folder: Path = weights.FOLDER) -> None:
    """Write SHA256SUMS anew for every model in the folder."""
    files = sorted(folder.glob("*.keras"))
    with whole_file(folder / "SHA256SUMS", ".txt") as partial:
        partial.write_text("".join(f"{weights.sha256(path)}  {path.name}\n" for path in files), encoding="utf-8")


def plain(value):
    """NumPy numbers as Python ones, rounded to what is meaningful, in dicts and lists too."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return float(f"{value:.5g}") if isinstance(value, float) else value


def _version(package: str) -> str:
    try:
        return version(package)
    except ModuleNotFoundError:  # another backend
        return "not installed"


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
    weights_, halved = h5py.File(io.BytesIO(content)), io.BytesIO()
    with h5py.File(halved, "w") as target:

        def copy(part, value):
            if isinstance(value, h5py.Dataset):
                target[part] = value[()].astype(np.float16) if value.dtype == np.float32 else value[()]
            else:
                target.require_group(part).attrs.update(value.attrs)

        weights_.visititems(copy)
    return halved.getvalue()
