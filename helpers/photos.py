"""Photos from files: one photo as an array, and a folder of photos that indexes like an array but stays on disk."""

import contextlib
import copy
import functools
import io
import os
import re
import stat
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")  # Pillow would hand others, such as EPS, to another program
MEGAPIXELS = 50  # of one photo
DECODING = 1_000_000_000  # bytes, for all threads together
BYTES_A_PIXEL = DECODING // (MEGAPIXELS * 1_000_000)  # a rotated photo with transparency needs most of them
_WARNINGS = threading.Lock()  # warnings.catch_warnings is not safe in threads


def read_photo(source: str | Path | bytes | BinaryIO) -> np.ndarray:
    """Read one photo, upright and in colour, whatever kind of image file it is.

    `source` is a path, the bytes of an upload or an open binary file: JPEG, PNG, WebP, GIF, BMP or TIFF, whatever its
    name says. Gray, palette, CMYK, 16-bit and floating-point images (in [0, 1]) become RGB, transparent pixels white,
    the EXIF rotation of a camera is applied, and an animation gives its first frame.

    Returns a uint8 array of shape (H, W, 3), 0 to 255. Raises ValueError with one sentence that names the file and
    the remedy: missing, empty, not an image, damaged, or more than 50 megapixels (known before it is decoded). The
    threads of a process that decode large photos wait for each other: together they take 1 GB.
    Taught in notebooks 03 and 04.
    """
    name, stream = _open_stream(source)
    with stream:
        image = _open_image(name, stream)
        return _pixels(name, image)


def square(photo: np.ndarray, size: int) -> np.ndarray:
    """Crop the centre square of a uint8 photo (H, W, 3) and resize it (Lanczos) to uint8 (size, size, 3).

    Raises ValueError for another shape or dtype, or a size below 1.
    """
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8 or min(photo.shape) < 1:
        raise ValueError(f"a photo is a uint8 array of shape (H, W, 3), not {photo.dtype} of shape {photo.shape}")
    if size < 1:
        raise ValueError(f"the size of a photo is at least 1 pixel, not {size}")
    height, width = photo.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    crop = photo[top : top + side, left : left + side]
    if side == size:
        return crop.copy()
    return np.array(Image.fromarray(crop).resize((size, size), Image.Resampling.LANCZOS))


class PhotoFolder:
    """All JPEG, PNG and WebP photos of a folder and its subfolders, as if they were one uint8 array (N, H, W, 3).

    Nothing but the paths is kept in memory. `folder[3]` is one photo (size, size, 3); `folder[:8]`, `folder[[5, 2]]`
    and `folder[mask]` are batches, decoded in threads; `subset` picks photos without decoding them. Each photo is
    cropped to its centre square and resized. The order is that of the sorted paths.

    Subfolders may be links. Files that cannot be read are left out, with one warning that counts and names them, and so
    are folders that cannot be opened. A file that is whole at both ends but damaged in its middle shows only when it is
    needed: then, with a warning, the next photo takes its place.

    Raises ValueError where no photo is found. Taught in notebook 04.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, folder: str | Path, *, size: int = 128):
        self.size = size
        self.name = Path(folder).name
        self._damaged: dict[str, None] = {}  # found late; shared by all subsets, so that the warning comes once
        closed: list[str] = []
        found = sorted(_image_files(folder, closed), key=lambda path: path.replace(os.sep, "/"))  # as on Windows
        # Decoding all to find the bad ones would take too long, and Pillow's look at the header misses truncated files:
        # so the first and the last bytes of each are read (70,000 files: 2 seconds), and only an odd one is decoded.
        readable = list(_pool(os.getpid()).map(_is_readable, found))
        self._paths = [path for path, good in zip(found, readable, strict=True) if good]
        bad = [path for path, good in zip(found, readable, strict=True) if not good]
        if not self._paths:
            raise ValueError(
                f"the folder {self.name} has no readable photo{_listed(bad or closed)}; put JPEG, PNG or WebP files "
                "there, and see that you may read them"
            )
        if bad:
            warnings.warn(f"{self.name}: left out {_count(bad)} that cannot be read{_listed(bad)}", stacklevel=2)
        if closed:
            count = f"{len(closed)} folder{'s' if len(closed) != 1 else ''}"
            warnings.warn(f"{self.name}: left out {count} that cannot be opened{_listed(closed)}", stacklevel=2)

    def subset(self, indices: Sequence[int] | np.ndarray | slice) -> "PhotoFolder":
        """The photos at `indices` (or of a slice or mask), in that order, as a folder that is still on disk."""
        part = copy.copy(self)
        part._paths = [self._paths[row] for row in np.atleast_1d(self._rows(indices))]
        return part

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return len(self), self.size, self.size, 3

    @property
    def paths(self) -> tuple[Path, ...]:
        """The photos' files, in order."""
        return tuple(Path(path) for path in self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __repr__(self) -> str:
        return f"PhotoFolder({self.name!r}, {_count(self._paths)} of {self.size}x{self.size} pixels)"

    def __getitem__(self, index) -> np.ndarray:
        rows = self._rows(index)
        batch = np.empty((rows.size, self.size, self.size, 3), np.uint8)
        damaged_before = len(self._damaged)

        def fill(place: int, row: int) -> None:  # writes in place: a result is never in memory twice
            batch[place] = self._photo(row)

        if rows.size == 1:
            fill(0, int(rows.flat[0]))
        else:
            list(_pool(os.getpid()).map(fill, range(rows.size), rows.tolist()))
        if damaged_before == 0 and self._damaged:
            bad = list(self._damaged)
            warnings.warn(
                f"{self.name}: could not decode {_count(bad)}{_listed(bad)}; the next photo takes its place",
                stacklevel=2,
            )
        return batch[0] if rows.ndim == 0 else batch

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self[:] if dtype is None else self[:].astype(dtype)

    def _rows(self, index) -> np.ndarray:
        # numpy's own rules for negative numbers, masks, out of range and wrong types
        rows = np.asarray(np.arange(len(self))[index])
        if rows.ndim > 1:
            raise IndexError(f"a PhotoFolder takes one index over its photos, not {index!r}")
        return rows

    def _photo(self, row: int) -> np.ndarray:
        for step in range(len(self)):
            path = self._paths[(row + step) % len(self)]
            if path not in self._damaged:
                try:
                    return _small(path, self.size)
                except ValueError:
                    self._damaged[path] = None
        raise ValueError(f"no photo of the folder {self.name} can be read any more: was it moved or deleted?")


@functools.cache
def _pool(pid: int) -> ThreadPoolExecutor:
    """One pool for all folders of a process (a forked worker needs its own: threads do not survive a fork)."""
    return ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1), thread_name_prefix="photos")


class _Budget:
    """So many bytes for all threads: who needs more than is left waits."""

    def __init__(self, total: int):
        self.total = self.left = total
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def take(self, count: int) -> Iterator[None]:
        count = min(count, self.total)
        with self._changed:
            self._changed.wait_for(lambda: self.left >= count)
            self.left -= count
        try:
            yield
        finally:
            with self._changed:
                self.left += count
                self._changed.notify_all()


@functools.cache
def _budget(pid: int) -> _Budget:
    """What decoding may take; of each process its own, as a fork would copy what other threads hold at that moment."""
    return _Budget(DECODING)


def _image_files(folder: str | Path, closed: list[str]) -> Iterable[str]:
    """The photos in a folder and its subfolders; the folders that could not be opened are added to `closed`."""
    seen = set()
    for parent, subfolders, files in os.walk(
        folder, followlinks=True, onerror=lambda error: closed.append(error.filename)
    ):
        here = os.stat(parent)
        if (here.st_dev, here.st_ino) in seen and here.st_ino:  # a link that leads back, or to the same folder again
            subfolders.clear()
            continue
        seen.add((here.st_dev, here.st_ino))
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in files:  # "._x.jpg" is no photo but what macOS writes beside one
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield os.path.join(parent, name)


def _is_readable(path: str) -> bool:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # to open a FIFO would wait for ever
            return False
        with open(path, "rb", buffering=0) as file:
            first, end = file.read(12), file.seek(0, io.SEEK_END)
            file.seek(max(0, end - 8))
            last = file.read()
        if first.startswith((b"\xff\xd8\xff", b"\x89PNG")) and last.endswith((b"\xff\xd9", b"IEND\xaeB`\x82")):
            return True
        if first[:4] == b"RIFF" and first[8:] == b"WEBP" and int.from_bytes(first[4:8], "little") + 8 <= end:
            return True
        _small(path, 8)  # some cameras write more behind the photo's end
    except (OSError, ValueError):
        return False
    return True


def _small(path: str, size: int) -> np.ndarray:
    name, stream = _open_stream(path)
    with stream:
        image = _open_image(name, stream)
        return square(_pixels(name, image, least=2 * size), size)


def _count(files: Sequence) -> str:
    return f"{len(files):,} photo{'s' if len(files) != 1 else ''}"


def _listed(paths: Sequence[str], most: int = 3) -> str:
    """A colon and the names: "a.jpg, b.jpg, c.jpg and 12 more"; nothing where there are none."""
    rest = f" and {len(paths) - most:,} more" if len(paths) > most else ""
    return f": {', '.join(Path(path).name for path in paths[:most])}{rest}" if paths else ""


def _open_stream(source: str | Path | bytes | BinaryIO) -> tuple[str, BinaryIO]:
    """The name to use in an error, and the open file; raises ValueError where it is missing or empty."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        name, stream = "the uploaded file", io.BytesIO(source)
    elif isinstance(source, (str, os.PathLike)):
        name = Path(source).name  # the folders before it would end up in a saved notebook
        try:
            kind = os.stat(source).st_mode
            if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):  # such as a FIFO, which would wait for ever
                raise OSError(0, "it is no file")
            stream = open(source, "rb")  # noqa: SIM115 - the caller closes it
        except FileNotFoundError:
            raise ValueError(f"there is no file {name}: check its spelling and its folder") from None
        except PermissionError:
            raise ValueError(f"{name} may not be read: see that you have the permission, or copy it") from None
        except (OSError, ValueError) as error:  # ValueError: a zero byte in its name
            reason = getattr(error, "strerror", None) or error
            raise ValueError(f"{name} cannot be opened ({reason}): give the path of an image file") from None
    else:
        name, stream = Path(str(getattr(source, "name", "the file"))).name, io.BytesIO(source.read())
    if not stream.read(1):
        stream.close()
        raise ValueError(f"{name} is empty (0 bytes): choose or upload it again")
    stream.seek(0)
    return name, stream


def _open_image(name: str, stream: BinaryIO) -> Image.Image:
    """The image with its header read and nothing decoded; raises ValueError for no image, or one too large."""
    try:
        with _WARNINGS, warnings.catch_warnings():  # Pillow's limit is another one; ours is an error that says more
            warnings.simplefilter("ignore")
            image = Image.open(stream, formats=FORMATS)
        pixels = image.width * image.height
    except Image.DecompressionBombError as error:  # its message begins with the number that we want to tell
        pixels = int(re.search(r"\d+", str(error)).group())
    except Exception:  # Pillow's readers raise many kinds, which all mean the same to a reader
        raise ValueError(f"{name} is not an image that can be read: save it as JPEG or PNG and try again") from None
    if pixels > MEGAPIXELS * 1e6:
        raise ValueError(f"{name} has {pixels / 1e6:.0f} megapixels; the limit is {MEGAPIXELS}: make it smaller first")
    return image


def _pixels(name: str, image: Image.Image, least: int | None = None) -> np.ndarray:
    """The decoded photo, uint8 (H, W, 3). least: a JPEG may be decoded at a fraction of its size, down to this."""
    with _budget(os.getpid()).take(image.width * image.height * BYTES_A_PIXEL):
        try:
            if least:
                image.draft("RGB", (least, least))  # several times faster
            image.load()
        except Exception:
            raise ValueError(f"{name} is damaged or cut off: copy or download it again") from None
        if image.mode == "F" or (image.mode == "I" and image.format == "TIFF"):
            image = _eight_bits(name, image)
        try:
            return _array(_upright_rgb(image))
        except Exception:
            raise ValueError(f"{name} is damaged or cut off: copy or download it again") from None


def _eight_bits(name: str, image: Image.Image) -> Image.Image:
    """Gray floating-point or 32-bit pixels, which Pillow would clip at 255 without a word, as bytes."""
    values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 65535):  # true for no numbers too
        raise ValueError(f"{name} has pixels from {low:g} to {high:g}, not 0 to 1: save it as JPEG or PNG")
    full = 1 if image.mode == "F" and high <= 1 else 255 if high <= 255 else 65535
    return Image.fromarray(np.rint(values * np.float32(255 / full)).astype(np.uint8))


def _upright_rgb(image: Image.Image) -> Image.Image:
    with contextlib.suppress(Exception):  # where the EXIF block is broken, the photo need not be
        ImageOps.exif_transpose(image, in_place=True)  # not in place it would be copied even where nothing turns
    if image.mode.startswith("I"):  # 16 bits per pixel, 0 to 65,535: Pillow would clip them at 255
        wide = np.clip(np.asarray(image), 0, 65535).astype(np.uint32)
        image = Image.fromarray(((wide + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image)
        return white
    return image if image.mode == "RGB" else image.convert("RGB")


def _array(image: Image.Image) -> np.ndarray:
    """An RGB image as uint8 (H, W, 3), some rows at a time: numpy alone would need three times the memory."""
    array = np.empty((image.height, image.width, 3), np.uint8)
    rows = max(1, (1 << 20) // image.width)
    for top in range(0, image.height, rows):
        part = (0, top, image.width, min(top + rows, image.height))
        array[top : part[3]] = image.crop(part)
    return array
