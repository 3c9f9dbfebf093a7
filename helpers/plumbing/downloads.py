"""Downloads by the well-kept loaders (keras.datasets, scikit-learn), made safe: they stop waiting for a dead host,
and a file appears under its final name only when it is whole."""

import functools
import gzip
import hashlib
import os
import tempfile
import threading
import time
import urllib.request
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

# A download may take minutes, as long as bytes arrive; a dead or throttled host is given up after one silent window.
STALL_SECONDS = 15.0
LEAST_BYTES = 64 * 1024  # in each window; less is a host that trickles
LONGEST_SECONDS = 3600.0


class CachedFile(NamedTuple):
    """A file that keras.datasets keeps in its cache."""

    name: str
    url: str
    sha256: str  # of the file; of what is in it where that is packed by gzip, as keras knows no hash then
    folder: str = ""


_GOOGLE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
KERAS_FILES = {
    "mnist": [
        CachedFile(
            "mnist.npz", _GOOGLE + "mnist.npz", "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
        ),
    ],
    "fashion_mnist": [
        CachedFile(f"{name}-ubyte.gz", f"{_GOOGLE}{name}-ubyte.gz", sha256, folder="fashion-mnist")
        for name, sha256 in {
            "train-labels-idx1": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "train-images-idx3": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "t10k-labels-idx1": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            "t10k-images-idx3": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        }.items()
    ],
    "cifar10": [
        CachedFile(
            "cifar-10-batches-py-target_archive",
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        ),
    ],
}
LFW_PEOPLE = 500  # photos of one person
LFW_PHOTOS = 13_233


def keras_arrays(name: str) -> tuple[dict[str, np.ndarray], str]:
    """The arrays of keras.datasets, and where they came from: its cache or a download."""
    import keras  # takes seconds, and a local file does not need it

    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    if not os.access(home, os.W_OK):  # where keras goes then
        home = Path("/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir(), ".keras")
    cache = home / "datasets"
    missing = [file for file in KERAS_FILES[name] if not _is_whole(cache / file.folder / file.name, file)]

    def fetch() -> tuple:
        for file in missing:
            _download(file, cache)
        return getattr(keras.datasets, name).load_data()

    (x_train, y_train), (x_test, y_test) = with_patience(fetch)
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    return arrays, "downloaded by keras.datasets" if missing else "from the Keras cache"


def _download(file: CachedFile, cache: Path) -> None:
    """Fetch a file of keras.datasets beside the cache and move it there when it is whole.

    load_data() alone would write to the final name at once, and keep what an interruption leaves of it.
    """
    import keras

    target = cache / file.folder / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="download-", ignore_cleanup_errors=True) as apart:
        sha256 = None if file.name.endswith(".gz") else file.sha256
        got = Path(keras.utils.get_file(file.name, file.url, file_hash=sha256, cache_dir=apart))
        if not _is_whole(got, file):
            raise OSError(f"{file.name} arrived damaged")
        os.replace(got, target)


def _is_whole(path: Path, file: CachedFile) -> bool:
    try:
        with (gzip.open if file.name.endswith(".gz") else open)(path, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256
    except (OSError, EOFError, zlib.error):
        return False


def lfw_photos() -> tuple[Path, str]:
    """The folder of Labeled Faces in the Wild, and where it came from: scikit-learn's cache or a download.

    Raises ValueError where the cache holds a part of it, as an interrupted download of scikit-learn's own leaves it.
    """
    from sklearn.datasets import fetch_lfw_people, get_data_home

    home = Path(get_data_home()) / "lfw_home"
    origin = "from scikit-learn's cache of Labeled Faces in the Wild"
    if not (home / "lfw_funneled").is_dir():
        origin = "Labeled Faces in the Wild, downloaded by scikit-learn"
        home.mkdir(parents=True, exist_ok=True)
        print("Downloading Labeled Faces in the Wild with scikit-learn (about 240 MB); this can take minutes.")
        with tempfile.TemporaryDirectory(dir=home, prefix="download-", ignore_cleanup_errors=True) as apart:
            # Only for its download: as an array the whole set would fill the memory, so we ask for few people and
            # small. The photos are moved when all are unpacked: half a folder would pass for a whole one later.
            fetch = functools.partial(
                fetch_lfw_people,
                data_home=apart,
                color=True,
                resize=0.1,
                min_faces_per_person=LFW_PEOPLE,
                n_retries=1,
                delay=0.1,
            )
            with_patience(fetch)
            for part in (*Path(apart, "lfw_home").glob("pairs*.txt"), Path(apart, "lfw_home", "lfw_funneled")):
                os.replace(part, home / part.name)
    count = sum(1 for _ in (home / "lfw_funneled").glob("*/*.jpg"))
    if count < LFW_PHOTOS:
        raise ValueError(
            f"the folder lfw_home/lfw_funneled in scikit-learn's cache has {count:,} photos instead of {LFW_PHOTOS:,}; "
            "move it away"
        )
    return home / "lfw_funneled", origin


class Patience(urllib.request.BaseHandler):
    """Watches the downloads of a process: keras and scikit-learn both fetch with urllib and without a timeout."""

    handler_order = 100  # before the handlers that follow redirects and report errors

    def __init__(self):
        self.begun = time.monotonic()
        self.window: float | None = None  # when the present window of waiting began; None: not waiting for the network
        self.received = 0
        self.given_up = False

    def http_request(self, request):
        if self.given_up:
            raise TimeoutError("the download was given up")
        request.timeout = STALL_SECONDS
        self.window = self.window or time.monotonic()
        return request

    def http_response(self, request, response):
        def read(amount: int = -1) -> bytes:
            # `read` waits until all of `amount` is there, however slowly it trickles; `read1` tells of every packet
            parts: list[bytes] = []
            while amount < 0 or sum(map(len, parts)) < amount:
                part = response.read1(1 << 16 if amount < 0 else amount - sum(map(len, parts)))
                if self.given_up:
                    raise TimeoutError("the download was given up")
                if not part:
                    self.window = None
                    break
                self.received += len(part)
                parts.append(part)
            return b"".join(parts)

        response.read = read
        return response

    https_request, https_response = http_request, http_response

    def check(self) -> None:
        now = time.monotonic()
        if now - self.begun > LONGEST_SECONDS:
            raise TimeoutError(f"the download was not done after {LONGEST_SECONDS / 60:.0f} minutes")
        if self.window and now - self.window > STALL_SECONDS:
            if self.received < LEAST_BYTES:
                raise TimeoutError(f"the server sent nothing or next to nothing for {STALL_SECONDS:g} seconds")
            self.window, self.received = now, 0


def with_patience(work: Callable[[], Any]) -> Any:
    """The result of `work()`, which may use the network; raises TimeoutError where that stands still.

    It runs in a thread, because a name server that does not answer heeds no timeout at all. The thread is a daemon:
    given up, it ends with its next packet or socket timeout, and nobody waits for it.
    """
    patience, outcome = Patience(), {}

    def run() -> None:
        try:
            outcome["result"] = work()
        except BaseException as error:
            outcome["error"] = error

    previous = urllib.request._opener  # there is no public way to ask for it; None is the usual
    urllib.request.install_opener(urllib.request.build_opener(patience))
    thread = threading.Thread(target=run, daemon=True)
    try:
        thread.start()
        while thread.is_alive():
            thread.join(0.1)
            patience.check()
    finally:
        patience.given_up = True
        urllib.request.install_opener(previous)
    if "error" in outcome:
        raise outcome["error"]
    return outcome["result"]
