"""Measurements: only real ones are written, and what was written is read again."""

import json

import numpy as np
import pytest

from helpers import records
from helpers.lab import publishing
from helpers.lab.presets import Preset


@pytest.fixture
def record(tmp_path):
    """`publishing.record` into a folder of its own, with everything filled in."""

    def call(name="denoise_uniform", preset="full", **changes):
        entry = {
            "row": "R8", "notebook": "02", "task": "denoising", "published": "0.0739", "measured": "0.0731",
            "metrics": {"test loss": 0.0731}, "source": "MNIST, 60,000 + 10,000 images",
        } | changes  # fmt: skip
        return publishing.record(name, preset=Preset(preset), folder=tmp_path / "results", **entry)

    return call


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "results"


def test_a_full_run_on_real_data_is_written_as_it_is_given_back(record, folder):
    entry = record(
        trained={"epochs": 100, "seconds": np.float64(12.345678)},
        metrics={"psnr": np.float32(21.123456), "n": np.int64(7), "by sigma": [np.float32(0.5)]},
    )
    assert json.loads((folder / "denoise_uniform.json").read_text()) == entry
    assert entry["name"] == "denoise_uniform" and entry["row"] == "R8"
    assert entry["metrics"] == {"psnr": 21.123, "n": 7, "by sigma": [0.5]}
    assert entry["trained"] == {"epochs": 100, "seconds": 12.346}
    assert entry["data"] == "MNIST, 60,000 + 10,000 images" and entry["preset"] == "full"
    assert entry["machine"].endswith("CPU cores") and set(entry["versions"]) >= {"keras", "numpy"}


@pytest.mark.parametrize("changes", [{"preset": "quick"}, {"preset": "smoke"}, {"is_sample": True}])
def test_a_quick_look_or_drawn_data_replaces_nothing(record, folder, changes):
    record(measured="the real one")
    entry = record(measured="a quick look", **changes)
    assert entry["measured"] == "a quick look"
    assert records.load("denoise_uniform", folder=folder)["measured"] == "the real one"


def test_a_measurement_is_read_again_and_a_missing_one_is_told_what_there_is(record, folder):
    entry = record()
    assert records.load("denoise_uniform", folder=folder) == entry
    with pytest.raises(FileNotFoundError, match=r"data/results has no other\.json \(there: denoise_uniform\); measure"):
        records.load("other", folder=folder)


@pytest.mark.parametrize("content", [b"", b'{"metrics": {', b"\xff\xfe\0"])
def test_a_damaged_measurement_is_told_how_to_be_had_again(record, folder, content):
    record()
    (folder / "denoise_uniform.json").write_bytes(content)
    with pytest.raises(ValueError, match="denoise_uniform.json is damaged or of another kind; restore it with"):
        records.load("denoise_uniform", folder=folder)


@pytest.mark.parametrize("path", sorted(records.FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_each_published_measurement_says_what_it_is(path):
    entry = records.load(path.stem)
    assert entry["name"] == path.stem
    assert entry["metrics"] and entry["data"] and entry["notebook"] in {"01", "02", "03", "04", "05"}
    assert entry["preset"] == "full"
