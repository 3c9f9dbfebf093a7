"""Published models: what is saved predicts alike, what is missing or damaged gets a sentence, the sums are right."""

import hashlib
import io
import zipfile

import h5py
import keras
import numpy as np
import pytest

from helpers import weights
from helpers.lab.presets import Preset

FULL = Preset("full")
HISTORY = {"loss": [0.2, 0.123456789], "val_loss": [0.3, 0.2], "seconds": [1.0, 1.5]}


def trained(build):
    model, batch = build(), np.random.default_rng(0).random((4, 8, 8, 1), dtype=np.float32)
    model.compile("adam", lambda y_true, y_pred: keras.ops.mean((y_true - y_pred) ** 2))  # a loss that no file can hold
    model.train_on_batch(batch, batch)
    return model, batch


def test_a_published_model_predicts_as_before_and_has_no_optimizer_inside(tiny_model, tmp_path):
    model, batch = trained(tiny_model)
    assert weights.publish(model, "r08_x", HISTORY, preset=FULL, folder=tmp_path)
    loaded = weights.load("r08_x", folder=tmp_path)
    assert loaded.name == model.name
    np.testing.assert_allclose(loaded.predict_on_batch(batch), model.predict_on_batch(batch), atol=1e-6)
    keras.models.load_model(tmp_path / "r08_x.keras")  # plain Keras opens it, without our loss
    np.testing.assert_array_equal(model.optimizer.iterations, 1)  # the one that trains is untouched

    with zipfile.ZipFile(tmp_path / "r08_x.keras") as archive:
        names = []
        h5py.File(io.BytesIO(archive.read("model.weights.h5"))).visit(names.append)
    assert names and not any("optimizer" in name for name in names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SHA256SUMS", "r08_x.json", "r08_x.keras"]


def test_the_history_is_published_beside_the_model(tiny_model, tmp_path):
    weights.publish(tiny_model(), "r08_x", HISTORY, preset=FULL, folder=tmp_path)
    loaded = weights.history("r08_x", folder=tmp_path)
    assert loaded == {key: pytest.approx(values, rel=1e-5) for key, values in HISTORY.items()}
    with pytest.raises(FileNotFoundError, match="no r09_y.json; set TRAIN = True"):
        weights.history("r09_y", folder=tmp_path)


@pytest.mark.parametrize(
    "settings", [{"preset": Preset("quick")}, {"preset": Preset("smoke")}, {"preset": FULL, "is_sample": True}]
)
def test_a_quick_model_is_not_published(tiny_model, tmp_path, settings):
    assert not weights.publish(tiny_model(), "r08_x", HISTORY, folder=tmp_path, **settings)
    assert not list(tmp_path.iterdir())


def assert_sums_right(folder) -> None:
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    files = [*folder.glob("*.keras"), *folder.glob("*.npz")]
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert listed == found


def test_publishing_again_renews_the_sums(tiny_model, tmp_path):
    for seed, name in [(1, "b"), (2, "a"), (3, "b")]:
        weights.publish(tiny_model(seed), name, HISTORY, preset=FULL, folder=tmp_path)
        assert_sums_right(tmp_path)


def test_a_missing_model_is_told_what_there_is(tiny_model, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no r09_y.keras \(there: none\); set TRAIN = True"):
        weights.load("r09_y", folder=tmp_path)
    weights.publish(tiny_model(), "r08_x", HISTORY, preset=FULL, folder=tmp_path)
    with pytest.raises(FileNotFoundError, match=r"there: r08_x"):
        weights.load("r09_y", folder=tmp_path)


@pytest.mark.parametrize(
    "damage", [lambda content: content[: len(content) // 2], lambda content: b"", lambda content: b"<html>"]
)
def test_a_damaged_model_is_told_how_to_be_had_again(tiny_model, tmp_path, damage):
    weights.publish(tiny_model(), "r08_x", HISTORY, preset=FULL, folder=tmp_path)
    path = tmp_path / "r08_x.keras"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="r08_x.keras is damaged; restore it with `git checkout data/weights`"):
        weights.load("r08_x", folder=tmp_path)


def test_the_published_files_are_those_of_their_sums_and_small_enough():
    published = sorted(weights.FOLDER.glob("*.keras"))
    if not published:
        pytest.skip("nothing is published in data/weights yet")
    assert_sums_right(weights.FOLDER)
    assert sum(path.stat().st_size for path in published) < 40e6


@pytest.mark.parametrize("path", sorted(weights.FOLDER.glob("*.keras")), ids=lambda path: path.stem)
def test_plain_keras_opens_each_published_model(path):
    model = keras.models.load_model(path)
    assert getattr(model, "optimizer", None) is None
    shapes = [[1, *(32 if side is None else side for side in tensor.shape[1:])] for tensor in model.inputs]
    inputs = [np.zeros(shape, np.float32) for shape in shapes]
    output = model.predict_on_batch(inputs if len(inputs) > 1 else inputs[0])
    assert all(np.isfinite(np.asarray(part)).all() for part in (output if isinstance(output, list) else [output]))


def test_a_model_stored_in_half_the_space_is_float32_again(tiny_model, tmp_path):
    model, batch = trained(tiny_model)
    for name, half in (("r13_x", True), ("r13_y", False)):
        weights.publish(model, name, HISTORY, preset=FULL, half=half, folder=tmp_path)
    with zipfile.ZipFile(tmp_path / "r13_x.keras") as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_DEFLATED}
        kinds = []
        h5py.File(io.BytesIO(archive.read("model.weights.h5"))).visititems(
            lambda _, value: kinds.append(value.dtype) if isinstance(value, h5py.Dataset) else None
        )
    assert set(kinds) == {np.dtype("float16")}
    plain = keras.models.load_model(tmp_path / "r13_x.keras")
    assert {weight.dtype for weight in plain.weights} == {"float32"}
    for own, loaded in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(loaded, own.astype(np.float16).astype(np.float32))
    np.testing.assert_allclose(plain.predict_on_batch(batch), model.predict_on_batch(batch), atol=2e-3)
    assert_sums_right(tmp_path)


def test_an_array_is_published_beside_its_model(tmp_path):
    bins = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert not weights.publish_array(bins, "b03_x", preset=Preset("quick"), folder=tmp_path)
    assert not list(tmp_path.iterdir())
    assert weights.publish_array(bins, "b03_x", preset=FULL, folder=tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "b03_x.npz")["values"], bins)
    assert_sums_right(tmp_path)
