"""Data sets: every way in, every way it can go wrong, and no network needed to test either."""

import dataclasses
import gzip
import hashlib
import http.server
import io
import os
import re
import socket
import struct
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import datasets
from helpers.datasets import CLASS_NAMES, DATA, SHAPES, SampleDataWarning, load
from helpers.photos import PhotoFolder
from helpers.plumbing import downloads

LABELLED = tuple(SHAPES)
REAL = Path(os.environ.get("AUTOENCODER_DATA") or DATA).expanduser()
PROJECT_DATA = DATA


def arrays(name: str, train: int = 12, test: int = 4) -> dict[str, np.ndarray]:
    """Random images with labels 0, 1, 2 ... in the layout of keras.datasets."""
    rng = np.random.default_rng(train)
    made = {}
    for part, count in (("train", train), ("test", test)):
        shape = SHAPES[name] if name == "cifar10" else SHAPES[name][:2]
        made[f"x_{part}"] = rng.integers(0, 256, size=(count, *shape), dtype=np.uint8)
        made[f"y_{part}"] = np.arange(count, dtype=np.uint8) % 10
    return made


def photos(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / f"{number:03d}.png")
    return folder


@pytest.fixture
def data(tmp_path, monkeypatch) -> Path:
    """An empty $AUTOENCODER_DATA, empty caches of keras and scikit-learn, and a tiny drawn sample."""
    monkeypatch.setenv("AUTOENCODER_DATA", str(tmp_path / "mine"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "sklearn"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for place in ("DATA", "SHIPPED"):  # one folder in a clone
        monkeypatch.setattr(datasets, place, tmp_path / "data")
    for folder in ("mine", "keras", "data/sample"):
        (tmp_path / folder).mkdir(parents=True)
    for name in LABELLED:
        np.savez(tmp_path / "data" / "sample" / f"{name}.npz", **arrays(name, 6, 2))
    photos(tmp_path / "data" / "sample" / "faces", 5)
    return tmp_path / "mine"


@pytest.fixture
def keras_home(data, monkeypatch) -> Path:
    """The empty cache folder of keras; keras itself reads KERAS_HOME only when it is imported."""
    pytest.importorskip("keras")
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(data.parent / "keras"))
    return data.parent / "keras" / "datasets"


class Host(http.server.ThreadingHTTPServer):
    """A host on this machine with `files` and a way to behave: whole, cut, silent, trickle or slow."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.files: dict[str, bytes] = {}
        self.behaviour = "whole"
        self.requests: list[str] = []
        self.closing = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request, address):
        pass  # a client that gives up is what we test


class Answer(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        name, behaviour = self.path.lstrip("/"), self.server.behaviour
        self.server.requests.append(name)
        if behaviour == "silent":
            self.server.closing.wait(20)
            return
        if name not in self.server.files:
            self.send_error(404)
            return
        body = self.server.files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if behaviour == "whole":
            self.wfile.write(body)
        elif behaviour == "cut":
            self.wfile.write(body[: len(body) // 2])
        else:
            step, pause = (1, 0.05) if behaviour == "trickle" else (-(-len(body) // 12), 0.2)
            for start in range(0, len(body), step):
                self.wfile.write(body[start : start + step])
                self.wfile.flush()
                if self.server.closing.wait(pause):
                    return


@pytest.fixture
def impatient(monkeypatch) -> float:
    """Windows of half a second, and what a test may take in seconds: far less than the host's silence, even when
    other work slows this machine down."""
    monkeypatch.setattr(downloads, "STALL_SECONDS", 0.5)
    monkeypatch.setattr(downloads, "LEAST_BYTES", 500)
    return 5


@pytest.fixture
def host():
    server = Host()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.closing.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def fashion_host(host, keras_home, monkeypatch) -> Host:
    """A host with the four files of a small Fashion-MNIST, to which keras's downloads go."""
    made = arrays("fashion_mnist", 12, 4)
    for key, part in (("train", "train"), ("test", "t10k")):
        host.files[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(b"\0" * 8 + made[f"y_{key}"].tobytes())
        host.files[f"{part}-images-idx3-ubyte.gz"] = gzip.compress(b"\0" * 16 + made[f"x_{key}"].tobytes())
    sums = {name: hashlib.sha256(gzip.decompress(content)).hexdigest() for name, content in host.files.items()}
    here = [
        file._replace(url=host.url + file.name, sha256=sums[file.name])
        for file in downloads.KERAS_FILES["fashion_mnist"]
    ]
    monkeypatch.setitem(downloads.KERAS_FILES, "fashion_mnist", here)
    return host


@pytest.fixture
def mnist_host(host, keras_home, monkeypatch) -> Host:
    """A host with a small mnist.npz, whose hash our list and keras expect."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays("mnist"))
    host.files["mnist.npz"] = buffer.getvalue()
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    here = downloads.CachedFile("mnist.npz", host.url + "mnist.npz", sha256)
    monkeypatch.setitem(downloads.KERAS_FILES, "mnist", [here])

    import keras

    def get_file(fname, origin, file_hash):
        return keras.utils.get_file(fname, host.url + "mnist.npz", file_hash=sha256)

    monkeypatch.setattr("keras.src.datasets.mnist.get_file", get_file)
    return host


def files_in(folder: Path) -> list[str]:
    # os.walk, because a folder may go away while we look
    return sorted(Path(top, name).relative_to(folder).as_posix() for top, _, names in os.walk(folder) for name in names)


def wait_until_empty(folder: Path) -> list[str]:
    """What is left in a cache once the worker that was given up has tidied its temporary folder."""
    for _ in range(60):
        if not files_in(folder):
            break
        time.sleep(0.05)
    return files_in(folder)


def run_python(script: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", script]
    return subprocess.run(command, cwd=PROJECT_DATA.parent, capture_output=True, text=True, check=True)


# ---- local files


@pytest.mark.parametrize("name", LABELLED)
def test_local_file(data, name):
    made = arrays(name)
    np.savez(data / f"{name}.npz", **made)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = load(name)
    assert dataset.train.shape == (12, *SHAPES[name]) and dataset.test.shape == (4, *SHAPES[name])
    assert dataset.train.dtype == dataset.test.dtype == np.uint8
    np.testing.assert_array_equal(dataset.train, made["x_train"].reshape(dataset.train.shape))
    np.testing.assert_array_equal(dataset.test_labels, [0, 1, 2, 3])
    assert np.issubdtype(dataset.train_labels.dtype, np.signedinteger), "labels are subtracted from one another"
    assert len(dataset.class_names) == len(set(dataset.class_names)) == 10
    assert dataset.source == f"{datasets.TITLES[name]}, 12 + 4 images, from $AUTOENCODER_DATA/{name}.npz"
    assert not dataset.is_sample and dataset.name == name
    with pytest.raises(dataclasses.FrozenInstanceError):
        dataset.name = "other"


def test_other_usual_layouts(data):
    made = arrays("mnist")
    np.savez_compressed(data / "mnist.npz", **made | {"x_train": made["x_train"][..., None]})
    assert load("mnist").train.shape == (12, 28, 28, 1)
    made = arrays("cifar10")
    np.savez(data / "cifar10.npz", **made | {"y_train": made["y_train"][:, None].astype(np.int32)})
    assert load("cifar10").train_labels.shape == (12,)


def test_default_folder_is_the_projects_own(data, monkeypatch):
    np.savez(datasets.DATA / "mnist.npz", **arrays("mnist"))
    for unset in (None, ""):
        if unset is None:
            monkeypatch.delenv("AUTOENCODER_DATA")
        else:
            monkeypatch.setenv("AUTOENCODER_DATA", unset)
        assert load("mnist").source == "MNIST, 12 + 4 images, from data/mnist.npz"
    assert PROJECT_DATA.name == "data" and (PROJECT_DATA.parent / "helpers" / "datasets.py").exists()


def test_local_loading_is_quick_and_needs_no_keras(data):
    np.savez(data / "mnist.npz", **arrays("mnist", 20_000, 4))
    photos(data / "faces", 4)
    script = """
import sys, time
from helpers import datasets
datasets.load("mnist"), datasets.load("faces")
assert "keras" not in sys.modules and "sklearn" not in sys.modules
print(time.process_time())  # of the processor: this machine may be busy with other things
"""
    assert float(run_python(script).stdout) < 1


@pytest.mark.parametrize(("count", "train", "test"), [(2, 1, 1), (11, 9, 2), (250, 200, 50)])
def test_faces_are_split_in_a_fixed_shuffled_order(data, count, train, test):
    photos(data / "faces", count)
    first, again = load("faces"), load("faces")
    assert isinstance(first.train, PhotoFolder) and first.train.shape == (train, 128, 128, 3)
    assert first.test.shape == (test, 128, 128, 3)
    names = [path.name for path in first.train.paths + first.test.paths]
    assert sorted(names) == [f"{number:03d}.png" for number in range(count)], "each photo once"
    assert names == [path.name for path in again.train.paths + again.test.paths]
    assert count < 100 or names != sorted(names), "the first 100 must be a fair sample"
    assert first.train_labels is None and first.test_labels is None and first.class_names == ()
    assert first.source == f"Faces, {train} + {test} images, from $AUTOENCODER_DATA/faces" and not first.is_sample


# ---- local files that are wrong: never replaced by a sample in silence


def save(path: Path, **changes) -> None:
    made = arrays("mnist") | changes
    np.savez(path, **{key: value for key, value in made.items() if value is not None})


def raw(path: Path, **members: bytes) -> None:
    """The four arrays of a whole file, but for some of which the bytes are given."""
    save(path)
    with zipfile.ZipFile(path) as archive:
        whole = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (whole | {f"{key}.npy": content for key, content in members.items()}).items():
            archive.writestr(name, content)


def header(text: str, version: bytes = b"\1\0") -> bytes:
    """The head of an array, without the array."""
    return b"\x93NUMPY" + version + struct.pack("<H", len(text) + 1) + text.encode() + b"\n"


def described(shape: tuple, kind: str = "|u1") -> bytes:
    return header(str({"descr": kind, "fortran_order": False, "shape": shape}))


def in_the_directory(path: Path, place: int, value: int) -> None:
    """Change a number of every entry of a zip file's directory, and the same in the entries' own heads."""
    save(path)
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\1\2", place), (b"PK\3\4", place - 2)):
        for found in re.finditer(re.escape(mark), bytes(content)):
            content[found.start() + at : found.start() + at + 2] = struct.pack("<H", value)
    path.write_bytes(content)


def pack_with_lzma_and_spoil(path: Path) -> None:
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(path.with_suffix(".zip"), "w", zipfile.ZIP_LZMA) as packed:
        for name in archive.namelist():
            packed.writestr(name, archive.read(name))
    content = path.with_suffix(".zip").read_bytes()
    path.write_bytes(content[:80] + b"\xff" * 40 + content[120:])


DAMAGED = "is damaged or of another kind; move it away to have the set fetched anew$"
BROKEN = {
    "no zip": (lambda path: path.write_bytes(b"<html>sign in to the school's network</html>"), DAMAGED),
    "empty": (lambda path: path.write_bytes(b""), DAMAGED),
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:5000]), DAMAGED),
    "bad bytes": (lambda path: path.write_bytes(path.read_bytes().replace(b"\x80\x81", b"\0\0")), DAMAGED),
    "bad header": (lambda path: raw(path, x_train=header("{'descr': ((((((((((")), DAMAGED),
    "long header": (lambda path: raw(path, x_train=header("(" * 60_000)), DAMAGED),
    "negative": (lambda path: raw(path, x_train=described((-1, 28, 28))), DAMAGED),
    "another version": (lambda path: raw(path, x_train=header("{}", b"\x09\0")), DAMAGED),
    "no array inside": (lambda path: raw(path, x_train=b"plain text"), DAMAGED),
    "1.7 TB": (lambda path: raw(path, x_train=described((60_000, 6_000, 4_800))), ": x_train has 1728 GB, and the"),
    "overflow": (lambda path: raw(path, x_train=described((2**62, 28, 28))), r": x_train has \d+ GB, and the limit is"),
    "long words": (lambda path: raw(path, y_test=described((40,), "<U99999999")), ": y_test has 16 GB, and the limit"),
    "half promised": (lambda path: raw(path, x_train=described((12, 28, 28))), DAMAGED),
    "encrypted": (lambda path: in_the_directory(path, 8, 1), DAMAGED),
    "unknown compression": (lambda path: in_the_directory(path, 10, 99), DAMAGED),
    "wrong compression": (lambda path: in_the_directory(path, 10, 14), DAMAGED),
    "bad LZMA": (pack_with_lzma_and_spoil, DAMAGED),
    "a folder": (lambda path: path.unlink() or path.mkdir(), "is no file; move it away to have the set fetched anew$"),
    "a pipe": (lambda path: path.unlink() or os.mkfifo(path), "is no file; move it away"),
    "a link to nothing": (lambda path: path.unlink() or path.symlink_to("nowhere"), "is no file; move it away"),
    "no array": (
        lambda path: save(path, x_test=None),
        "has no array 'x_test'; move it away to have the set fetched anew$",
    ),
    "pickled": (lambda path: save(path, y_train=np.array([{}] * 12)), "holds pickled objects, which are not loaded"),
    "colour": (
        lambda path: save(path, x_train=np.zeros((12, 28, 28, 3), np.uint8)),
        r": x_train is uint8 of shape \(12, 28, 28, 3\), not uint8 of shape \(N, 28, 28\)",
    ),
    "floats": (lambda path: save(path, x_test=np.zeros((4, 28, 28))), r": x_test is float64 of shape .*, not uint8"),
    "no images": (lambda path: save(path, x_test=np.zeros((0, 28, 28), np.uint8)), r": x_test is uint8 of shape \(0,"),
    "lengths": (
        lambda path: save(path, y_train=np.zeros(11, np.uint8)),
        ": x_train has 12 images but y_train 11 labels",
    ),
    "one-hot": (lambda path: save(path, y_test=np.eye(4, 10, dtype=int)), r": y_test is int64 of shape \(4, 10\)"),
    "float labels": (lambda path: save(path, y_test=np.zeros(4)), ": y_test is float64 .* not integers of shape"),
    "label 10": (lambda path: save(path, y_test=np.full(4, 10)), ": the labels y_test go from 10 to 10, not from 0 to"),
}


@pytest.mark.parametrize("wrong", BROKEN)
def test_a_broken_file_says_so(data, wrong):
    path = data / "mnist.npz"
    x = np.tile(np.uint8([0x80, 0x81]), (12, 28, 14))  # a pattern that one case overwrites: the CRC must catch it
    save(path, x_train=x)
    spoil, message = BROKEN[wrong]
    spoil(path)
    with pytest.raises(ValueError, match=rf"^\$AUTOENCODER_DATA/mnist\.npz ?{message}") as caught:
        load("mnist")
    assert "\n" not in str(caught.value) and str(data.parent) not in str(caught.value)


@pytest.mark.parametrize("name", ["open", "lstat"])
def test_what_may_not_be_read_is_not_called_damaged(data, monkeypatch, name):
    save(data / "mnist.npz")

    place = io if name == "open" else os  # the file, which zipfile opens; or its folder
    before = getattr(place, name)

    def no(path, *args, **options):
        if "mnist.npz" in str(path):
            raise PermissionError(13, "Permission denied")
        return before(path, *args, **options)

    monkeypatch.setattr(place, name, no)
    with pytest.raises(ValueError, match=r"AUTOENCODER_DATA.* cannot be read \(Permission denied\); see that you have"):
        load("mnist")


def test_no_home_folder_is_no_reason_to_fail(data, monkeypatch):
    def nobody(*args):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    monkeypatch.setattr(downloads, "keras_arrays", nobody)
    with pytest.warns(SampleDataWarning, match="could not get them: Could"):
        assert load("mnist").is_sample


def test_wrong_cifar_shape_names_the_right_one(data):
    np.savez(data / "cifar10.npz", **arrays("cifar10") | {"x_train": np.zeros((12, 3, 32, 32), np.uint8)})
    with pytest.raises(ValueError, match=r"x_train is uint8 of shape \(12, 3, 32, 32\), .* shape \(N, 32, 32, 3\)"):
        load("cifar10")


@pytest.mark.parametrize("name", ["MNIST", "cifar100", "", None])
def test_unknown_name_lists_the_four(name):
    with pytest.raises(ValueError, match="choose one of 'mnist', 'fashion_mnist', 'cifar10', 'faces'$"):
        load(name)


def test_data_folder_that_does_not_exist(data, monkeypatch):
    monkeypatch.setenv("AUTOENCODER_DATA", "/no/such/folder")
    with pytest.raises(FileNotFoundError, match="^AUTOENCODER_DATA is '/no/such/folder', which is no folder: correct"):
        load("mnist")
    assert load("mnist", sample=True).is_sample, "the sample does not need it"
    monkeypatch.setenv("AUTOENCODER_DATA", "~nobody.here/images")
    sentence = "^AUTOENCODER_DATA is '~nobody.here/images', a home folder that is not known: correct it or unset it$"
    with pytest.raises(ValueError, match=sentence):
        load("mnist")


def test_faces_folder_with_too_little_in_it(data):
    (data / "faces").mkdir()
    with pytest.raises(ValueError, match="the folder faces has no readable photo; put JPEG, PNG or WebP files there"):
        load("faces")
    Image.new("RGB", (8, 8)).save(data / "faces" / "one.png")
    with pytest.raises(ValueError, match="the folder faces has 1 photo, and two are needed"):
        load("faces")


def test_a_folder_of_ones_own_takes_the_place_of_the_faces(data, tmp_path):
    own = tmp_path / "thumbnails"
    (own / "00000").mkdir(parents=True)
    for number in range(9):  # odd sizes, a subfolder, and two files that are no photos
        Image.new("RGB", (20 + number, 50), (9 * number, 0, 0)).save(
            own / ("00000" if number % 2 else "") / f"{number}.jpg"
        )
    (own / "broken.jpg").write_bytes((own / "0.jpg").read_bytes()[:200])
    (own / "notes.png").write_text("no pixels")
    with pytest.warns(UserWarning, match="thumbnails: left out 2 photos that cannot be read"):
        faces = load("faces", folder=own)
    assert (len(faces.train), len(faces.test)) == (7, 2) and faces.train[:7].shape == (7, 128, 128, 3)
    assert faces.source == "Faces, 7 + 2 images, from the folder thumbnails" and not faces.is_sample
    with pytest.raises(FileNotFoundError, match="nowhere' is no folder of photos: correct it, or set it to None"):
        load("faces", folder=tmp_path / "nowhere")
    with pytest.raises(ValueError, match="takes the place of 'faces' only, not of 'mnist'"):
        load("mnist", folder=own)


# ---- the drawn sample


@pytest.mark.parametrize("name", datasets.TITLES)
def test_sample_on_request_is_silent_and_asks_nobody(data, monkeypatch, name):
    monkeypatch.setattr(downloads, "with_patience", lambda work: pytest.fail("no network for the sample"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = load(name, sample=True)
    assert dataset.is_sample and len(dataset.train) == (4 if name == "faces" else 6)
    assert dataset.source.endswith(f"images, from the drawn sample data/sample/{datasets._file_name(name)}")


def test_projects_own_sample_is_complete():
    for name, shape in SHAPES.items():
        dataset = load(name, sample=True)
        assert dataset.train.shape[1:] == shape and len(dataset.train) >= 1000 and len(dataset.test) >= 100
        assert set(dataset.train_labels) == set(dataset.test_labels) == set(range(10))
    faces = load("faces", sample=True)
    assert (len(faces.train), len(faces.test)) == (200, 50) and faces.train[:3].shape == (3, 128, 128, 3)


def test_missing_sample_names_the_remedy(data):
    (datasets.DATA / "sample" / "mnist.npz").unlink()
    with pytest.raises(FileNotFoundError, match=r"^data/sample/mnist\.npz is missing: .* install it again"):
        load("mnist", sample=True)


@pytest.mark.parametrize("name", datasets.TITLES)
def test_warning_says_what_why_and_what_to_do(data, monkeypatch, name):
    def offline(work):
        raise OSError("Name or service not known")

    monkeypatch.setattr(downloads, "with_patience", offline)
    with pytest.warns(SampleDataWarning) as seen:
        dataset = load(name)
    (warning,) = seen
    words = " ".join(str(warning.message).replace("|", " ").split())
    assert f"THESE ARE NOT THE REAL IMAGES. {datasets.TITLES[name]}: a small drawn sample" in words
    assert f"there is no $AUTOENCODER_DATA/{datasets._file_name(name)}" in words
    assert "Name or service not known" in words and "connect to the internet" in words
    assert ("put your photos (JPEG or PNG) into $AUTOENCODER_DATA/faces/" if name == "faces" else
            f"put {name}.npz (arrays x_train, y_train, x_test, y_test) into $AUTOENCODER_DATA/") in words  # fmt: skip
    assert warning.filename == __file__, "it points at the line that called load"
    assert str(data.parent) not in words
    assert max(map(len, str(warning.message).splitlines())) < 100
    assert dataset.is_sample and "drawn sample" in dataset.source and str(data.parent) not in dataset.source


def test_a_cell_that_is_run_again_warns_again(data):
    script = f"""
from pathlib import Path
from helpers import datasets
from helpers.plumbing import downloads
def offline(): raise OSError("offline")
downloads.lfw_photos, datasets.DATA = offline, Path({str(datasets.DATA)!r})
datasets.SHIPPED = datasets.DATA
for _ in range(2): datasets.load("faces")
"""
    assert run_python(script).stderr.count("THESE ARE NOT THE REAL IMAGES") == 2


# ---- the well-kept loaders


def test_keras_downloads_once_and_then_uses_its_cache(data, fashion_host, keras_home):
    dataset = load("fashion_mnist")
    assert dataset.source == "Fashion-MNIST, 12 + 4 images, downloaded by keras.datasets" and not dataset.is_sample
    np.testing.assert_array_equal(dataset.train[..., 0], arrays("fashion_mnist")["x_train"])
    np.testing.assert_array_equal(dataset.train_labels, arrays("fashion_mnist")["y_train"])
    assert files_in(keras_home) == sorted(f"fashion-mnist/{name}" for name in fashion_host.files)
    fashion_host.requests.clear()
    assert load("fashion_mnist").source == "Fashion-MNIST, 12 + 4 images, from the Keras cache"
    assert not fashion_host.requests


def test_keras_cache_that_is_damaged_is_fetched_again(data, fashion_host, keras_home):
    load("fashion_mnist")
    victim = keras_home / "fashion-mnist" / "train-images-idx3-ubyte.gz"
    victim.write_bytes(victim.read_bytes()[:300])
    fashion_host.requests.clear()
    assert load("fashion_mnist").source.endswith("downloaded by keras.datasets")
    assert fashion_host.requests == [victim.name] and victim.read_bytes() == fashion_host.files[victim.name]


def test_a_cache_with_other_garments_is_fetched_again(data, fashion_host, keras_home):
    load("fashion_mnist")
    victim = keras_home / "fashion-mnist" / "t10k-images-idx3-ubyte.gz"
    victim.write_bytes(gzip.compress(bytes(len(gzip.decompress(victim.read_bytes())))))  # whole, and all black
    assert load("fashion_mnist").source.endswith("downloaded by keras.datasets")
    assert load("fashion_mnist").test.any()
    victim.unlink()
    fashion_host.files[victim.name] = gzip.compress(b"other garments")
    with pytest.warns(SampleDataWarning, match="arrived damaged"):
        assert load("fashion_mnist").is_sample


def test_keras_checks_the_hash(data, mnist_host, keras_home):
    good = mnist_host.files["mnist.npz"]
    mnist_host.files["mnist.npz"] = good[:-1] + b"\1"
    with pytest.warns(SampleDataWarning, match="hash does not match"):
        assert load("mnist").is_sample
    assert wait_until_empty(keras_home) == []
    mnist_host.files["mnist.npz"] = good
    assert load("mnist").source == "MNIST, 12 + 4 images, downloaded by keras.datasets"
    assert load("mnist").source == "MNIST, 12 + 4 images, from the Keras cache"
    assert files_in(keras_home) == ["mnist.npz"] and len(mnist_host.requests) == 2


def test_labels_as_keras_gives_them_for_cifar(data, keras_home, monkeypatch):
    made = arrays("cifar10")
    given = (made["x_train"], made["y_train"][:, None]), (made["x_test"], made["y_test"][:, None])
    monkeypatch.setitem(downloads.KERAS_FILES, "cifar10", [])
    monkeypatch.setattr("keras.datasets.cifar10.load_data", lambda: given)
    assert load("cifar10").train_labels.tolist() == made["y_train"].tolist()


@pytest.mark.parametrize("behaviour", ["closed", "silent", "trickle", "cut", "missing"])
def test_dead_host_ends_in_the_sample_within_the_limit(data, fashion_host, keras_home, impatient, behaviour):
    fashion_host.behaviour = behaviour
    if behaviour == "closed":
        fashion_host.shutdown()
        fashion_host.server_close()
    if behaviour == "missing":
        fashion_host.files.clear()
    opener, timeout = urllib.request._opener, socket.getdefaulttimeout()
    start = time.perf_counter()
    with pytest.warns(SampleDataWarning):
        assert load("fashion_mnist").is_sample
    assert time.perf_counter() - start < impatient
    assert urllib.request._opener is opener and socket.getdefaulttimeout() is timeout
    assert wait_until_empty(keras_home) == [], "no half file, under whatever name"


def test_name_server_that_never_answers(data, fashion_host, impatient, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: fashion_host.closing.wait(20) and [])
    start = time.perf_counter()
    with pytest.warns(SampleDataWarning, match="the server sent nothing or next to nothing for 0.5 seconds"):
        assert load("fashion_mnist").is_sample
    assert time.perf_counter() - start < impatient


def test_slow_link_is_given_its_time(data, mnist_host, impatient, monkeypatch):
    monkeypatch.setattr(downloads, "STALL_SECONDS", 1.0)
    mnist_host.behaviour = "slow"
    start = time.perf_counter()
    assert load("mnist").source.endswith("downloaded by keras.datasets")
    assert time.perf_counter() - start > 2 * downloads.STALL_SECONDS


def test_endless_download_ends(data, mnist_host, keras_home, monkeypatch):
    monkeypatch.setattr(downloads, "LONGEST_SECONDS", 0.3)
    mnist_host.behaviour = "slow"
    with pytest.warns(SampleDataWarning, match="not done after"):
        assert load("mnist").is_sample
    assert wait_until_empty(keras_home) == []


def test_interrupted_download_leaves_nothing_behind(data, mnist_host, keras_home, monkeypatch):
    on_the_way = []

    def interrupt(patience):
        if patience.received:
            on_the_way.extend(files_in(keras_home))
            raise KeyboardInterrupt

    monkeypatch.setattr(downloads.Patience, "check", interrupt)
    mnist_host.behaviour = "slow"
    opener = urllib.request._opener
    with pytest.raises(KeyboardInterrupt):
        load("mnist")
    assert on_the_way and "mnist.npz" not in on_the_way, "a power cut at this moment must not leave half a file there"
    assert urllib.request._opener is opener
    assert wait_until_empty(keras_home) == []


@pytest.fixture
def lfw_host(host, data, monkeypatch) -> Host:
    """A host with a tiny Labeled Faces in the Wild, to which scikit-learn's downloads go."""
    lfw = pytest.importorskip("sklearn.datasets._lfw")
    buffer = io.BytesIO()
    rng = np.random.default_rng(0)
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for person, count in (("Ada_Lovelace", 3), ("Emmy_Noether", 2)):
            for number in range(count):
                photo = io.BytesIO()
                Image.fromarray(rng.integers(0, 256, (250, 250, 3), dtype=np.uint8)).save(photo, "JPEG")
                entry = tarfile.TarInfo(f"lfw_funneled/{person}/{person}_{number + 1:04d}.jpg")
                entry.size = photo.tell()
                archive.addfile(entry, io.BytesIO(photo.getvalue()))
    host.files = {"lfw-funneled.tgz": buffer.getvalue(), "pairs.txt": b"pairs", "pairsDevTrain.txt": b"pairs"}

    def remote(name):
        checksum = hashlib.sha256(host.files[name]).hexdigest()
        return lfw.RemoteFileMetadata(filename=name, url=host.url + name, checksum=checksum)

    monkeypatch.setattr(lfw, "TARGETS", tuple(remote(name) for name in ("pairs.txt", "pairsDevTrain.txt")))
    monkeypatch.setattr(lfw, "FUNNELED_ARCHIVE", remote("lfw-funneled.tgz"))
    monkeypatch.setattr(downloads, "LFW_PEOPLE", 3)
    monkeypatch.setattr(downloads, "LFW_PHOTOS", 5)
    return host


def test_scikit_learns_faces_are_fetched_once_and_stay_on_disk(data, lfw_host, capsys):
    dataset = load("faces")
    assert dataset.source == "Faces, 4 + 1 images, Labeled Faces in the Wild, downloaded by scikit-learn"
    assert isinstance(dataset.train, PhotoFolder) and dataset.train[:2].shape == (2, 128, 128, 3)
    assert "can take minutes" in capsys.readouterr().out
    home = data.parent / "sklearn" / "lfw_home"
    assert sorted(path.name for path in home.iterdir()) == ["lfw_funneled", "pairs.txt", "pairsDevTrain.txt"]
    lfw_host.requests.clear()
    again = load("faces")
    assert again.source == "Faces, 4 + 1 images, from scikit-learn's cache of Labeled Faces in the Wild"
    assert [path.name for path in again.train.paths] == [path.name for path in dataset.train.paths]
    assert not lfw_host.requests


def test_a_part_of_scikit_learns_faces_does_not_pass_for_the_set(data, lfw_host):
    load("faces")
    home = data.parent / "sklearn" / "lfw_home" / "lfw_funneled"
    next(home.glob("*/*.jpg")).unlink()
    with pytest.warns(SampleDataWarning) as seen:
        assert load("faces").is_sample
    words = " ".join(str(seen[0].message).replace("|", " ").split())
    assert "lfw_home/lfw_funneled in scikit-learn's cache has 4 photos instead of 5; move it away" in words
    assert len(list(home.glob("*/*.jpg"))) == 4  # nothing is deleted


@pytest.mark.filterwarnings("ignore:Retry downloading")
@pytest.mark.parametrize("behaviour", ["silent", "cut"])
def test_scikit_learns_host_is_dead(data, lfw_host, impatient, behaviour):
    lfw_host.behaviour = behaviour
    start = time.perf_counter()
    with pytest.warns(SampleDataWarning):
        assert load("faces").is_sample
    assert time.perf_counter() - start < impatient
    assert wait_until_empty(data.parent / "sklearn" / "lfw_home") == []


def test_half_unpacked_faces_do_not_pass_for_the_set(data, lfw_host, monkeypatch):
    lfw = sys.modules["sklearn.datasets._lfw"]
    half = lfw_host.files["lfw-funneled.tgz"][:-20_000]  # unpacking ends in an error when photos are already there
    lfw_host.files["lfw-funneled.tgz"] = half
    remote = lfw.FUNNELED_ARCHIVE._replace(checksum=hashlib.sha256(half).hexdigest())
    monkeypatch.setattr(lfw, "FUNNELED_ARCHIVE", remote)
    with pytest.warns(SampleDataWarning):
        assert load("faces").is_sample
    assert wait_until_empty(data.parent / "sklearn" / "lfw_home") == []


# ---- the real sets


def real(name: str):
    if not (REAL / datasets._file_name(name)).exists():
        pytest.skip(f"no {datasets._file_name(name)} in $AUTOENCODER_DATA or data/")
    return load(name)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "count", "mean", "first"),
    [
        ("mnist", 60_000, [0.1307], [5, 0, 4, 1, 9]),
        ("fashion_mnist", 60_000, [0.2860], [9, 0, 0, 3, 0]),
        ("cifar10", 50_000, [0.4914, 0.4822, 0.4465], [6, 9, 9, 4, 1]),
    ],
)
def test_real_set_is_the_published_one(name, count, mean, first):
    dataset = real(name)
    assert len(dataset.train) == len(dataset.train_labels) == count and len(dataset.test) == 10_000
    np.testing.assert_allclose(dataset.train.mean(axis=(0, 1, 2)) / 255, mean, atol=5e-5)
    assert dataset.train_labels[:5].tolist() == first
    assert np.bincount(dataset.test_labels).sum() == 10_000 and len(CLASS_NAMES[name]) == 10
    assert not dataset.is_sample


@pytest.mark.realdata
def test_real_faces_are_split_80_to_20():
    dataset = real("faces")
    total = len(dataset.train) + len(dataset.test)
    assert len(dataset.test) == max(1, round(0.2 * total))
    batch = dataset.train[:16]
    assert batch.shape == (16, 128, 128, 3) and batch.std() > 20, "photos, not blanks"


@pytest.mark.parametrize("name", SHAPES)
def test_smoke_takes_a_few_images_of_the_sample_and_says_how_many(name, monkeypatch, recwarn):
    monkeypatch.setenv("AE_PRESET", "smoke")
    few = load(name)
    count = 100 if name == "cifar10" else 200
    assert (len(few.train), len(few.test)) == (len(few.train_labels), len(few.test_labels)) == (count, 128)
    assert few.is_sample and few.source.endswith(f"{count} + 128 images, from the drawn sample data/sample/{name}.npz")
    assert not recwarn


def test_smoke_takes_a_few_faces(monkeypatch):
    monkeypatch.setenv("AE_PRESET", "smoke")
    assert (len(load("faces").train), len(load("faces").test)) == (16, 8)
