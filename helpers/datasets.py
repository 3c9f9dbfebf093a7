"""The four image sets of the notebooks: a local file, else a well-kept loader, else a small drawn sample."""

import math
import os
import textwrap
import warnings
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .photos import PhotoFolder
from .plumbing import downloads
from .plumbing.files import DATA, SHIPPED, Sentence, chosen_folder, reading

KEYS = ("x_train", "y_train", "x_test", "y_test")
TITLES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "cifar10": "CIFAR-10", "faces": "Faces"}
SHAPES = {"mnist": (28, 28, 1), "fashion_mnist": (28, 28, 1), "cifar10": (32, 32, 3)}
CLASS_NAMES = {
    "mnist": tuple("0123456789"),
    "fashion_mnist": (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}  # fmt: skip


AGAIN = "move it away to have the set fetched anew"
MOST = 1_000_000_000  # bytes of one array; those of the real sets have 154 MB at most


class SampleDataWarning(UserWarning):
    """The real images could not be had, and a small drawn sample takes their place."""


# Shown each time, not once per line as other warnings: a cell that is run again must say it again.
warnings.filterwarnings("always", category=SampleDataWarning, append=True)


@dataclass(frozen=True)
class Dataset:
    """Images and labels of one set, split into train and test.

    train, test: uint8 (N, H, W, C), 0 to 255: arrays with C = 1 (MNIST, Fashion-MNIST) or C = 3 (CIFAR-10); for faces
    a `PhotoFolder`, C = 3, which indexes like an array and stays on disk.
    train_labels, test_labels: int64 (N,), indices into class_names; None for faces.
    source: one sentence that says what the images are and where they came from.
    is_sample: True for the drawn stand-ins, with which no published number can be compared.
    """

    train: np.ndarray | PhotoFolder
    test: np.ndarray | PhotoFolder
    train_labels: np.ndarray | None
    test_labels: np.ndarray | None
    class_names: tuple[str, ...]
    name: str
    source: str
    is_sample: bool


def load(name: str, *, sample: bool = False, folder: str | Path | None = None) -> Dataset:
    """Load "mnist", "fashion_mnist", "cifar10" or "faces"; all notebooks begin with it.

    Looks in the folder $AUTOENCODER_DATA (default: data/ in the clone, or in the working folder where pip installed the
    project) for `<name>.npz` (arrays x_train, y_train, x_test, y_test) or the folder faces/; then in the cache of
    keras.datasets (for faces: scikit-learn's Labeled Faces in the Wild), which downloads what is missing; then takes
    the drawn sample, with a SampleDataWarning. A host that does not answer costs 15 seconds. `sample=True` takes the
    drawn sample at once and without a warning; `folder=...` takes the photos of that folder and its subfolders instead
    (faces only). With AE_PRESET=smoke in the environment, as the tests set it, a few images of the drawn sample
    are taken, without a warning.

    Sizes: 28x28x1 (60,000 + 10,000), 28x28x1 (60,000 + 10,000), 32x32x3 (50,000 + 10,000); faces are cropped and
    resized to 128x128x3 and split 80:20 by a fixed draw, in shuffled order, so that `train[:1000]` is a fair sample.

    Raises ValueError for an unknown name, a local file that is damaged, pickled, incomplete or of another shape, and
    a faces folder without two photos, and a folder for another set than faces; FileNotFoundError where that folder,
    $AUTOENCODER_DATA or the drawn sample does not exist.

    Sources: MNIST, LeCun, Cortes and Burges (CC BY-SA 3.0 as usually stated); Fashion-MNIST, Xiao, Rasul and Vollgraf
    2017 (MIT); CIFAR-10, Krizhevsky 2009 (no formal licence); LFW, Huang et al. 2007 (for research).
    """
    if name not in TITLES:
        raise ValueError(f"there is no data set {name!r}: choose one of {', '.join(map(repr, TITLES))}")
    if sample:
        return _from_sample(name)
    if folder is not None:
        return _own_photos(name, Path(folder).expanduser())
    if os.environ.get("AE_PRESET") == "smoke":
        return _few(_from_sample(name))
    place, shown = _data_folder()
    with reading(shown, AGAIN):
        is_there = _is_there(place / _file_name(name))
    if is_there:
        return _from_folder(name, place, shown)
    try:
        if name == "faces":
            return _faces(*downloads.lfw_photos())
        return _labelled(name, *downloads.keras_arrays(name), shown=f"keras.datasets.{name}")
    except Exception as error:  # whatever the network or the loader came up with, the lesson goes on
        reason = _in_a_line(error)
    dataset = _from_sample(name)
    warnings.warn(_sample_notice(name, shown, reason), SampleDataWarning, stacklevel=2)
    return dataset


# ---- local files


def _data_folder() -> tuple[Path, str]:
    """The folder to look in, and how to call it: nothing that is shown names a machine's folders."""
    folder = chosen_folder("AUTOENCODER_DATA")
    if not folder:
        return DATA, "data"
    if not os.path.isdir(folder):  # False too where it may not be looked at
        chosen = os.environ["AUTOENCODER_DATA"]
        raise FileNotFoundError(f"AUTOENCODER_DATA is {chosen!r}, which is no folder: correct it or unset it")
    return folder, "$AUTOENCODER_DATA"


def _is_there(path: Path) -> bool:
    """Whether there is something of that name, were it a link that leads nowhere. Raises OSError in a locked folder."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _file_name(name: str) -> str:
    return "faces" if name == "faces" else f"{name}.npz"


def _from_folder(name: str, folder: Path, shown: str, *, is_sample: bool = False) -> Dataset:
    path, shown = folder / _file_name(name), f"{shown}/{_file_name(name)}"
    origin = f"from the drawn sample {shown}" if is_sample else f"from {shown}"
    if name == "faces":
        return _faces(path, origin, is_sample=is_sample)
    return _labelled(name, _read_npz(path, shown), origin, shown=shown, is_sample=is_sample)


def _own_photos(name: str, folder: Path) -> Dataset:
    if name != "faces":
        raise ValueError(f"a folder of photos takes the place of 'faces' only, not of {name!r}; leave it out")
    if not folder.is_dir():
        raise FileNotFoundError(f"{str(folder)!r} is no folder of photos: correct it, or set it to None")
    return _faces(folder, f"from the folder {folder.name}")


def _from_sample(name: str) -> Dataset:
    if not (SHIPPED / "sample" / _file_name(name)).exists():
        raise FileNotFoundError(
            f"data/sample/{_file_name(name)} is missing: it belongs to the project; install it again"
        )
    return _from_folder(name, SHIPPED / "sample", "data/sample", is_sample=True)


def _few(dataset: Dataset) -> Dataset:
    """The first images: with these a whole lesson runs in seconds, as a test."""
    origin = dataset.source.rpartition(", ")[2]
    if dataset.train_labels is None:
        train, test = dataset.train.subset(slice(16)), dataset.test.subset(slice(8))
        return replace(dataset, train=train, test=test, source=_source(dataset.name, train, test, origin))
    count = 100 if dataset.name == "cifar10" else 200  # lesson 01 asks for 196 components of the gray ones
    train, test = dataset.train[:count], dataset.test[:128]
    labels = {"train_labels": dataset.train_labels[:count], "test_labels": dataset.test_labels[:128]}
    return replace(dataset, train=train, test=test, source=_source(dataset.name, train, test, origin), **labels)


def _read_npz(path: Path, shown: str) -> dict[str, np.ndarray]:
    if not path.is_file():  # to open a FIFO would wait for ever
        raise ValueError(f"{shown} is no file; {AGAIN}")
    with reading(shown, AGAIN), zipfile.ZipFile(path) as archive:
        return {key: _array(archive, key, shown) for key in KEYS}


def _array(archive: zipfile.ZipFile, key: str, shown: str) -> np.ndarray:
    """One array, once its header is known to promise what the file holds, and not too much."""
    try:
        info = archive.getinfo(f"{key}.npy")
    except KeyError:
        raise Sentence(f"{shown} has no array {key!r}; {AGAIN}") from None
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = header(file)
        if dtype.hasobject:
            raise Sentence(
                f"{shown} holds pickled objects, which are not loaded because they can run code; "
                "save plain uint8 arrays with np.savez instead"
            )
        count = math.prod(shape) * dtype.itemsize
        if count > MOST:
            raise Sentence(f"{shown}: {key} has {count / 1e9:.0f} GB, and the limit is {MOST / 1e9:.0f}; {AGAIN}")
        if min(shape, default=0) < 0 or file.tell() + count != info.file_size:
            raise ValueError
    with archive.open(info) as file:
        array = np.lib.format.read_array(file, allow_pickle=False)
        file.read()  # to its end, where the checksum is compared
        return array


def _labelled(name: str, arrays: dict, origin: str, *, shown: str, is_sample: bool = False) -> Dataset:
    """A Dataset of checked arrays; raises ValueError for a wrong shape, type, length or label."""
    height, width, channels = shape = SHAPES[name]
    checked = {}
    for part in ("train", "test"):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if x.dtype != np.uint8 or x.shape[1:] not in (shape, shape[: 2 if channels == 1 else 3]) or len(x) == 0:
            needed = f"(N, {height}, {width}{', 3' if channels == 3 else ''})"
            raise ValueError(f"{shown}: x_{part} is {x.dtype} of shape {x.shape}, not uint8 of shape {needed}; {AGAIN}")
        if not np.issubdtype(y.dtype, np.integer) or y.ndim not in (1, 2) or y.size != len(y):
            raise ValueError(f"{shown}: y_{part} is {y.dtype} of shape {y.shape}, not integers of shape (N,); {AGAIN}")
        if len(x) != len(y):
            raise ValueError(f"{shown}: x_{part} has {len(x):,} images but y_{part} {len(y):,} labels; {AGAIN}")
        if y.min() < 0 or y.max() >= len(CLASS_NAMES[name]):
            raise ValueError(f"{shown}: the labels y_{part} go from {y.min()} to {y.max()}, not from 0 to 9; {AGAIN}")
        checked[part] = x.reshape(-1, *shape), y.reshape(-1).astype(np.int64)
    (train, train_labels), (test, test_labels) = checked["train"], checked["test"]
    return Dataset(
        train, test, train_labels, test_labels, CLASS_NAMES[name], name, _source(name, train, test, origin), is_sample
    )


def _faces(path: Path, origin: str, *, is_sample: bool = False) -> Dataset:
    photos = PhotoFolder(path)
    if len(photos) < 2:
        raise ValueError(f"the folder {path.name} has 1 photo, and two are needed (train and test): put more there")
    order = np.random.default_rng(0).permutation(len(photos))
    n_test = max(1, round(0.2 * len(photos)))
    train, test = photos.subset(order[n_test:]), photos.subset(order[:n_test])
    return Dataset(train, test, None, None, (), "faces", _source("faces", train, test, origin), is_sample)


def _source(name: str, train, test, origin: str) -> str:
    return f"{TITLES[name]}, {len(train):,} + {len(test):,} images, {origin}"


# ---- words


def _in_a_line(error: Exception) -> str:
    text = " ".join(str(error).split()).replace(os.path.expanduser("~"), "~") or type(error).__name__
    return text if len(text) < 200 else text[:200] + " ..."


def _sample_notice(name: str, shown: str, reason: str) -> str:
    title, loader = TITLES[name], "scikit-learn" if name == "faces" else "keras.datasets"
    put = "your photos (JPEG or PNG)" if name == "faces" else f"{name}.npz (arrays {', '.join(KEYS)})"
    place = f"{shown}/faces/" if name == "faces" else f"{shown}/"
    facts = (
        f"THESE ARE NOT THE REAL IMAGES. {title}: a small drawn sample takes their place, so results will differ.",
        f"Why: there is no {shown}/{_file_name(name)}, and {loader} could not get them: {reason}",
        f"To get the real ones: connect to the internet and run this again, or put {put} into {place} "
        "(see data/README.md).",
    )
    lines = [line for fact in facts for line in textwrap.wrap(fact, 92, subsequent_indent="   ")]
    bar = "=" * 96
    return "\n".join(["", bar, *(f"| {line}" for line in lines), bar])
