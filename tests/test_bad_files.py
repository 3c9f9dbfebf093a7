"""Files with flipped, missing and added bytes: always a whole result or one ValueError, in bounded time and memory."""

import io
import json
import shutil
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from helpers import datasets, records, weights
from helpers.explorer import Network
from helpers.photos import read_photo

SECONDS, BYTES = 30, 1.2e9  # for one file; for all
often = settings(
    max_examples=100, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
# (what, where as a share of the file, which bytes); most of what decides lies at both ends
places = st.floats(0, 1) | st.floats(0, 0.02) | st.floats(0.95, 1)
changes = st.lists(
    st.tuples(st.sampled_from(["flip", "flip", "cut", "add", "leave out"]), places, st.binary(min_size=1, max_size=8)),
    min_size=1, max_size=4,
)  # fmt: skip


def changed(content: bytes, how: list) -> bytes:
    for what, share, data in how:
        at = int(share * len(content))
        after = {"cut": b"", "add": data + content[at:], "leave out": content[at + len(data) :]}
        content = content[:at] + after.get(what, data + content[at + len(data) :])
    return content


def one_sentence(read: Callable[[], object]) -> object:
    """What is read; None where it is refused in one sentence, as it must be."""
    started = time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow, over odd metadata
            return read()
    except ValueError as error:
        text = str(error)
        assert 20 < len(text) < 300 and "\n" not in text and (";" in text or ":" in text), "no sentence with a remedy"
    finally:
        assert time.monotonic() - started < SECONDS
    return None


@pytest.fixture(autouse=True, scope="module")
def bounded_memory():
    resource = pytest.importorskip("resource")

    def most() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

    before = most()
    yield
    assert most() - before < BYTES


@pytest.mark.parametrize("packed", [False, True])
@often
@given(how=changes)
def test_a_data_set(packed, how, tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOENCODER_DATA", str(tmp_path))
    rng = np.random.default_rng(0)
    arrays = {"x_train": (9, 28, 28), "y_train": 9, "x_test": (3, 28, 28), "y_test": 3}
    arrays = {key: rng.integers(0, 10, shape, dtype=np.uint8) for key, shape in arrays.items()}
    whole = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(whole, **arrays)
    (tmp_path / "mnist.npz").write_bytes(changed(whole.getvalue(), how))
    dataset = one_sentence(lambda: datasets.load("mnist"))
    if dataset is not None:  # the checksums are those of the archive's own: nothing else passes
        np.testing.assert_array_equal(dataset.train[..., 0], arrays["x_train"])
        np.testing.assert_array_equal(dataset.test_labels, arrays["y_test"])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
@often
@given(how=changes)
def test_a_photo(kind, how):
    whole, values = io.BytesIO(), np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(values).save(whole, kind, **({} if kind in ("GIF", "BMP") else {"exif": exif}))
    photo = one_sentence(lambda: read_photo(changed(whole.getvalue(), how)))
    if photo is not None:
        assert photo.dtype == np.uint8 and photo.ndim == 3 and photo.shape[2] == 3 and photo.size > 0


@often
@given(how=changes)
def test_a_measurement_and_a_history(how, tmp_path):
    for load, made in ((records.load, {"metrics": {"PSNR": 22.1}, "notes": ["é"]}), (weights.history, {"loss": [0.1]})):
        (tmp_path / "x.json").write_bytes(changed(json.dumps(made, ensure_ascii=False).encode(), how))
        found = one_sentence(lambda load=load: load("x", folder=tmp_path))
        assert found is None or isinstance(found, dict)


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    for name in ("map_plain_decoder.keras", "SHA256SUMS"):
        shutil.copy(weights.FOLDER / name, folder)
    return folder


@often
@given(how=changes)
def test_a_model(how, published):
    whole = (weights.FOLDER / "map_plain_decoder.keras").read_bytes()
    content = changed(whole, how)
    path = published / "map_plain_decoder.keras"
    path.write_bytes(content)
    checked = one_sentence(lambda: weights.checked("map_plain_decoder", folder=published))
    assert (checked is not None) == (content == whole)
    network = one_sentence(lambda: Network.read(path))
    if network is not None:
        assert network(np.zeros((1, 2))).shape == (1, 28, 28, 1)


@often
@given(how=changes)
@example(how=[])
@example(how=[("leave out", 0.96875, b"\0\0"), ("leave out", 0.96875, b"\0\0")])
def test_the_history_of_a_run(how, tmp_path):
    from helpers.lab import training

    history = {key: [0.2, 0.1] for key in ("loss", "val_loss", "seconds")}
    whole = {"files": {"epoch-0002.npz": "0" * 64}, "history": history}
    (tmp_path / "history.json").write_bytes(changed(json.dumps(whole).encode(), how))
    run = training._Run("denoise", tmp_path, "data/runs")
    one_sentence(run.read)
    assert all(len(values) == run.done for values in run.history.values())
