"""Published models: what is saved predicts alike, what is missing or damaged gets a sentence, the sums are right."""

import hashlib
import io
import zipfile

import h5py
import keras
import numpy as np
import pytest

from helpers import weights
from helpers.lab import publishing
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
    assert publishing.publish(model, "denoise_x", HISTORY, preset=FULL, folder=tmp_path)
    loaded = weights.load("denoise_x", folder=tmp_path)
    assert loaded.name == model.name
    np.testing.assert_allclose(loaded.predict_on_batch(batch), model.predict_on_batch(batch), atol=1e-6)
    keras.models.load_model(tmp_path / "denoise_x.keras")  # plain Keras opens it, without our loss
    np.testing.assert_array_equal(model.optimizer.iterations, 1)  # the one that trains is untouched

    with zipfile.ZipFile(tmp_path / "denoise_x.keras") as archive:
        names = []
        h5py.File(io.BytesIO(archive.read("model.weights.h5"))).visit(names.append)
    assert names and not any("optimizer" in name for name in names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SHA256SUMS", "denoise_x.json", "denoise_x.keras"]


def test_the_history_is_published_beside_the_model(tiny_model, tmp_path):
    publishing.publish(tiny_model(), "denoise_x", HISTORY, preset=FULL, folder=tmp_path)
    loaded = weights.history("denoise_x", folder=tmp_path)
    assert loaded == {key: pytest.approx(values, rel=1e-5) for key, values in HISTORY.items()}
    with pytest.raises(FileNotFoundError, match="no denoise_y.json; restore it with `git checkout data/weights`"):
        weights.history("denoise_y", folder=tmp_path)


@pytest.mark.parametrize("content", [b"", b'{"loss": [0.1', b"\xff\xfe"])
def test_a_damaged_history_is_told_how_to_be_had_again(tiny_model, tmp_path, content):
    publishing.publish(tiny_model(), "denoise_x", HISTORY, preset=FULL, folder=tmp_path)
    (tmp_path / "denoise_x.json").write_bytes(content)
    with pytest.raises(ValueError, match="denoise_x.json is damaged or of another kind; restore it with"):
        weights.history("denoise_x", folder=tmp_path)


@pytest.mark.parametrize(
    "settings", [{"preset": Preset("quick")}, {"preset": Preset("smoke")}, {"preset": FULL, "is_sample": True}]
)
def test_a_quick_model_is_not_published(tiny_model, tmp_path, settings):
    assert not publishing.publish(tiny_model(), "denoise_x", HISTORY, folder=tmp_path, **settings)
    assert not list(tmp_path.iterdir())


def assert_sums_right(folder) -> None:
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    files = [*folder.glob("*.keras"), *folder.glob("*.npz")]
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert listed == found


def test_publishing_again_renews_the_sums(tiny_model, tmp_path):
    for seed, name in [(1, "b"), (2, "a"), (3, "b")]:
        publishing.publish(tiny_model(seed), name, HISTORY, preset=FULL, folder=tmp_path)
        assert_sums_right(tmp_path)


def test_a_missing_model_is_told_what_there_is(tiny_model, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no denoise_y.keras; there are: none"):
        weights.load("denoise_y", folder=tmp_path)
    publishing.publish(tiny_model(), "denoise_x", HISTORY, preset=FULL, folder=tmp_path)
    with pytest.raises(FileNotFoundError, match=r"there are: denoise_x"):
        weights.load("denoise_y", folder=tmp_path)


def zeroed(folder) -> None:
    """The same layers, all weights zero: Keras alone opens it without a word."""
    model = keras.models.load_model(folder / "denoise_x.keras")
    model.set_weights([np.zeros_like(values) for values in model.get_weights()])
    model.save(folder / "denoise_x.keras")


def foreign(folder) -> None:
    """Another network of the same kind under the name of this one."""
    (folder / "denoise_x.keras").write_bytes((folder / "denoise_other.keras").read_bytes())


def cut(folder) -> None:
    content = (folder / "denoise_x.keras").read_bytes()
    (folder / "denoise_x.keras").write_bytes(content[: len(content) // 2])


DAMAGE = {
    "zeroed": zeroed,
    "foreign": foreign,
    "cut": cut,
    "empty": lambda folder: (folder / "denoise_x.keras").write_bytes(b""),
    "a page": lambda folder: (folder / "denoise_x.keras").write_bytes(b"<html>sign in</html>"),
    "no sums": lambda folder: (folder / "SHA256SUMS").unlink(),
    "empty sums": lambda folder: (folder / "SHA256SUMS").write_bytes(b"\n\xff\n"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_what_is_not_the_published_file_is_not_opened(tiny_model, tmp_path, damage):
    for seed, name in ((1, "denoise_x"), (2, "denoise_other")):
        publishing.publish(tiny_model(seed), name, HISTORY, preset=FULL, folder=tmp_path)
    weights.load("denoise_x", folder=tmp_path)
    damage(tmp_path)
    with pytest.raises(ValueError, match="denoise_x.keras is not the published file") as caught:
        weights.load("denoise_x", folder=tmp_path)
    assert "restore it with `git checkout data/weights`" in str(caught.value) and "\n" not in str(caught.value)


def test_the_published_files_are_those_of_their_sums_and_small_enough():
    published = sorted(weights.FOLDER.glob("*.keras"))
    if not published:
        pytest.skip("nothing is published in data/weights yet")
    assert_sums_right(weights.FOLDER)
    assert sum(path.stat().st_size for path in published) < 60e6


def test_a_model_stored_in_half_the_space_is_float32_again(tiny_model, tmp_path):
    model, batch = trained(tiny_model)
    for name, half in (("colorize_x", True), ("colorize_y", False)):
        publishing.publish(model, name, HISTORY, preset=FULL, half=half, folder=tmp_path)
    with zipfile.ZipFile(tmp_path / "colorize_x.keras") as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_DEFLATED}
        kinds = []
        h5py.File(io.BytesIO(archive.read("model.weights.h5"))).visititems(
            lambda _, value: kinds.append(value.dtype) if isinstance(value, h5py.Dataset) else None
        )
    assert set(kinds) == {np.dtype("float16")}
    plain = keras.models.load_model(tmp_path / "colorize_x.keras")
    assert {weight.dtype for weight in plain.weights} == {"float32"}
    for own, loaded in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(loaded, own.astype(np.float16).astype(np.float32))
    np.testing.assert_allclose(plain.predict_on_batch(batch), model.predict_on_batch(batch), atol=2e-3)
    assert_sums_right(tmp_path)
