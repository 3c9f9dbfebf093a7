"""Photos: every kind of image file, every kind of bad one, and the folder that indexes like an array."""

import io
import os
import pickle
import struct
import threading
import time
import tracemalloc
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import photos
from helpers.photos import PhotoFolder, read_photo, square

RED, BLUE = (255, 0, 0), (0, 0, 255)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def halves(width: int = 40, height: int = 20) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def png_header(width: int, height: int) -> bytes:
    """A PNG whose header promises width x height pixels and whose body holds none: it cannot be decoded."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"no pixels") + chunk(b"IEND", b"")


def gray_levels(folder: Path, levels, *, size: int = 32) -> Path:
    """A folder with one flat gray PNG per level: photo i of it is known by its value."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, level in enumerate(levels):
        Image.new("L", (size, size), int(level)).save(folder / f"{number:04d}.png")
    return folder


# ---- read_photo


def test_path_bytes_and_open_file_give_the_same_photo(tmp_path):
    data = encoded(halves())
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    photo = read_photo(path)
    assert photo.shape == (20, 40, 3) and photo.dtype == np.uint8
    assert photo[0, 0].tolist() == list(RED) and photo[0, -1].tolist() == list(BLUE)
    for source in (str(path), data, memoryview(data), io.BytesIO(data)):
        np.testing.assert_array_equal(read_photo(source), photo)


def test_camera_rotation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: what it saw on top lies on the left
    photo = read_photo(encoded(halves(), "JPEG", exif=exif, quality=95))
    assert photo.shape == (40, 20, 3)
    np.testing.assert_allclose(photo[5, 10], RED, atol=6)
    np.testing.assert_allclose(photo[35, 10], BLUE, atol=6)


def test_broken_exif_does_not_cost_the_photo():
    photo = read_photo(encoded(halves(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff rubbish"))
    assert photo.shape == (20, 40, 3)


def test_sixteen_bit_gray_is_scaled_not_clipped():
    levels = np.array([[0, 257 * 100, 32768, 65535]], np.uint16)
    assert read_photo(encoded(Image.fromarray(levels)))[0, :, 0].tolist() == [0, 100, 128, 255]


def transparent_palette() -> bytes:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.putpixel((0, 0), 1)
    return encoded(image, transparency=0)


@pytest.mark.parametrize(
    ("data", "first", "last"),
    [
        (encoded(Image.new("L", (4, 4), 77)), (77,) * 3, (77,) * 3),
        (encoded(Image.new("1", (4, 4), 1)), (255,) * 3, (255,) * 3),
        (encoded(Image.new("LA", (4, 4), (0, 0))), (255,) * 3, (255,) * 3),
        (encoded(Image.new("RGBA", (4, 4), (0, 0, 0, 128))), (127,) * 3, (127,) * 3),
        (transparent_palette(), RED, (255, 255, 255)),
        (encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95), RED, RED),
        (encoded(Image.new("RGBA", (4, 4), (*BLUE, 255)), "WEBP", lossless=True), BLUE, BLUE),
    ],
    ids=["gray", "bits", "gray+alpha", "half-transparent", "palette", "cmyk", "webp"],
)
def test_every_mode_becomes_rgb_on_white(data, first, last):
    photo = read_photo(data)
    assert photo.ndim == 3 and photo.shape[2] == 3 and photo.dtype == np.uint8
    np.testing.assert_allclose(photo[0, 0], first, atol=2)
    np.testing.assert_allclose(photo[-1, -1], last, atol=2)


def test_animation_gives_its_first_frame():
    data = encoded(Image.new("RGB", (8, 8), RED), "GIF", save_all=True, append_images=[Image.new("RGB", (8, 8), BLUE)])
    assert read_photo(data)[0, 0].tolist() == list(RED)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("notes.jpg", b"Dear diary, this is no photo. " * 9, r"^notes\.jpg is not an image .* save it as JPEG or PNG"),
        ("half.jpg", encoded(halves(400, 300), "JPEG")[:2000], r"^half\.jpg is damaged or cut off: copy or download"),
        ("half.png", encoded(Image.effect_noise((64, 64), 50))[:900], r"^half\.png is damaged or cut off: copy"),
        ("nothing.png", b"", r"^nothing\.png is empty \(0 bytes\): choose or upload it again$"),
        ("big.png", png_header(9500, 10000), r"^big\.png has 95 megapixels; the limit is 50: make it smaller"),
        ("huge.png", png_header(40000, 50000), r"^huge\.png has 2000 megapixels; the limit is 50: make it smaller"),
    ],
)
def test_bad_files_say_what_is_wrong_and_what_to_do(tmp_path, name, data, message):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read_photo(path)
    with pytest.raises(ValueError, match=message.replace(name.replace(".", r"\."), "the uploaded file")):
        read_photo(data)


def test_missing_file_and_folder_are_value_errors(tmp_path):
    with pytest.raises(ValueError, match=r"^there is no file nowhere\.jpg: check"):
        read_photo(tmp_path / "nowhere.jpg")
    (tmp_path / "album").mkdir()
    with pytest.raises(ValueError, match="^album cannot be opened .* give the path of an image file$"):
        read_photo(tmp_path / "album")


def test_the_limit_is_ours_and_pillow_keeps_its_own():
    limit, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    assert limit < 90e6, "the photo below must be one that Pillow warns of"
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with pytest.raises(ValueError, match="95 megapixels; the limit is 50"):
            read_photo(png_header(9500, 10000))
        with pytest.raises(ValueError, match="damaged"):  # 49 megapixels passed the limit; its body is missing
            read_photo(png_header(7000, 7000))
    assert not seen
    assert limit == Image.MAX_IMAGE_PIXELS and filters == list(warnings.filters)


def test_no_other_program_is_asked():
    """Pillow gives EPS to Ghostscript, which runs what is in it, whatever the file is called."""
    for kind in ("EPS", "PPM", "ICO", "PDF"):
        data = encoded(halves(), kind)
        with pytest.raises(ValueError, match="^the uploaded file is not an image that can be read: save it as JPEG"):
            read_photo(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_the_usual_kinds_are_read(kind):
    np.testing.assert_allclose(read_photo(encoded(halves(), kind))[10, [3, 36]], [RED, BLUE], atol=6)


def test_floating_point_and_wide_pixels_keep_their_brightness():
    shades = np.linspace(0, 1, 5, dtype=np.float32)[None]
    expected = [0, 64, 128, 191, 255]
    for values in (shades, 255 * shades, 65535 * shades, (255 * shades).astype(np.int32), shades.repeat(3, axis=0)):
        photo = read_photo(encoded(Image.fromarray(values), "TIFF"))
        np.testing.assert_allclose(photo[0, :, 0], expected, atol=1)
    for values in (shades - 0.5, shades * 1e6, shades * np.nan):
        with pytest.raises(ValueError, match="^the uploaded file has pixels from .* not 0 to 1: save it as"):
            read_photo(encoded(Image.fromarray(values.astype(np.float32)), "TIFF"))


def test_threads_that_decode_share_a_limit_of_memory(tmp_path, monkeypatch):
    names = [path.name for path in sorted(gray_levels(tmp_path, range(12), size=20).iterdir())]
    budget = photos._Budget(3 * 400 * photos.BYTES_A_PIXEL)  # for three photos
    at_once, most = 0, 0

    def array(image, array=photos._array):
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.01)
        with lock:
            at_once -= 1
        return array(image)

    lock = threading.Lock()
    monkeypatch.setattr(photos, "_budget", lambda pid: budget)
    monkeypatch.setattr(photos, "_array", array)
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda name: int(read_photo(tmp_path / name)[0, 0, 0]), names))
        assert read == list(range(12)) and 1 < most <= 3
        (tmp_path / "large.png").write_bytes(encoded(halves(100, 100)))  # more than there is: alone, but it comes
        assert pool.submit(read_photo, tmp_path / "large.png").result(timeout=10).shape == (100, 100, 3)
        with pytest.raises(ValueError):
            read_photo(png_header(20, 20))
    assert budget.left == budget.total


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFO on this system")
def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", Path(os.devnull), tmp_path / "zero\0.png"):
        with pytest.raises(ValueError, match="cannot be opened .*: give the path of an image file"):
            read_photo(path)
    gray_levels(tmp_path, [7])
    with pytest.warns(UserWarning, match="left out 1 photo that cannot be read: pipe.png"):
        assert len(PhotoFolder(tmp_path)) == 1


def test_a_file_that_may_not_be_read_is_not_called_damaged(tmp_path, monkeypatch):
    (path,) = gray_levels(tmp_path, [7]).iterdir()

    def no(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", no)
    with pytest.raises(ValueError, match=r"^0000\.png may not be read: see that you have the permission, or copy it$"):
        read_photo(path)


# ---- square


def test_square_keeps_the_middle():
    photo = np.zeros((20, 60, 3), np.uint8)
    photo[:, 20:40] = 200
    for size in (20, 8, 50):
        assert square(photo, size).shape == (size, size, 3)
        assert (square(photo, size) == 200).all()
    assert (square(photo.transpose(1, 0, 2), 8) == 200).all()


def test_square_refuses_what_is_no_photo():
    for wrong in (np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32), np.zeros((0, 8, 3), np.uint8)):
        with pytest.raises(ValueError, match="a photo is a uint8 array of shape"):
            square(wrong, 4)
    with pytest.raises(ValueError, match="at least 1 pixel"):
        square(np.zeros((8, 8, 3), np.uint8), 0)


# ---- PhotoFolder


def test_folder_indexes_like_an_array(tmp_path):
    folder = PhotoFolder(gray_levels(tmp_path / "faces", range(0, 240, 12)), size=16)
    array = np.stack([np.full((16, 16, 3), level, np.uint8) for level in range(0, 240, 12)])
    assert (folder.shape, folder.dtype, folder.ndim, len(folder)) == (array.shape, array.dtype, array.ndim, len(array))
    mask = np.arange(20) % 3 == 0
    for index in (0, -1, np.int64(7), slice(3), slice(None, None, -4), slice(5, 5), [4, 2, 2], np.array([19, -20]),
                  [], mask, mask.tolist(), (6,)):  # fmt: skip
        np.testing.assert_array_equal(folder[index], array[index], err_msg=repr(index))
        assert folder[index].dtype == np.uint8
    np.testing.assert_array_equal(np.asarray(folder), array)
    np.testing.assert_array_equal(np.stack(list(folder)), array)
    for wrong in (20, -21, [3, 20], mask[:5], 1.5, "0", np.array([[1, 2]])):
        with pytest.raises(IndexError):
            folder[wrong]


def test_subset_stays_on_disk_and_keeps_order(tmp_path):
    folder = PhotoFolder(gray_levels(tmp_path / "faces", range(10)), size=4)
    part = folder.subset([7, 3, 5])
    for path in folder.paths:
        if path not in part.paths:
            path.unlink()  # nothing but the chosen files may be needed
    assert isinstance(part, PhotoFolder) and len(folder) == 10
    assert part[:, ][:, 0, 0, 0].tolist() == [7, 3, 5]  # fmt: skip
    assert part.subset(slice(1, None))[:][:, 0, 0, 0].tolist() == [3, 5]
    assert part.subset(np.array([True, False, True])).shape == (2, 4, 4, 3)
    with pytest.raises(IndexError):
        part.subset([3])


def test_folder_takes_subfolders_any_suffix_and_any_size(tmp_path):
    (tmp_path / "b" / "deep").mkdir(parents=True)
    (tmp_path / ".trash").mkdir()
    sizes = {"a.JPG": (300, 200), "b/c.jpeg": (20, 90), "b/deep/d.PNG": (7, 7), "e.webp": (64, 64), "f.Jpeg": (1, 1)}
    for name, size in sizes.items():
        Image.new("RGB", size, RED).save(tmp_path / name)
    Image.new("RGB", (9, 9), BLUE).save(tmp_path / ".trash" / "old.png")
    (tmp_path / "._a.JPG").write_bytes(b"\0\5\26\7 what macOS writes beside a file")
    (tmp_path / "notes.txt").write_text("no photo and no concern of ours")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        folder = PhotoFolder(tmp_path, size=32)
    assert [path.relative_to(tmp_path).as_posix() for path in folder.paths] == list(sizes)
    assert folder[:].shape == (5, 32, 32, 3)
    np.testing.assert_allclose(folder[:], np.broadcast_to(np.uint8(RED), (5, 32, 32, 3)), atol=3)


def test_large_photos_look_the_same_as_read_in_full(tmp_path):
    ramp = np.linspace(0, 255, 1600).astype(np.uint8)
    photo = np.stack([np.tile(ramp, (1200, 1)), np.tile(ramp[:1200, None], (1, 1600)), np.full((1200, 1600), 90)], -1)
    Image.fromarray(photo.astype(np.uint8)).save(tmp_path / "large.jpg", quality=95)
    expected = square(read_photo(tmp_path / "large.jpg"), 64)
    np.testing.assert_allclose(PhotoFolder(tmp_path, size=64)[0].astype(int), expected.astype(int), atol=3)


def test_linked_folders_are_searched_once(tmp_path):
    album = gray_levels(tmp_path / "album", [1, 2])
    gray_levels(tmp_path / "elsewhere", [3])
    (album / "linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (album / "linked again").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (album / "back").symlink_to(album, target_is_directory=True)
    (album / "nowhere").symlink_to(tmp_path / "gone", target_is_directory=True)
    assert sorted(PhotoFolder(album, size=8)[:][:, 0, 0, 0]) == [1, 2, 3]


def test_a_locked_folder_is_named(tmp_path, monkeypatch):
    album = gray_levels(tmp_path / "album", [1, 2])
    gray_levels(album / "locked", [3])

    def scandir(path, scandir=os.scandir):
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.warns(UserWarning, match="^album: left out 1 folder that cannot be opened: locked$"):
        assert len(PhotoFolder(album)) == 2
    with pytest.raises(ValueError, match="the folder locked has no readable photo: locked; .* see that you may read"):
        PhotoFolder(album / "locked")


def test_unreadable_files_are_left_out_with_one_warning(tmp_path):
    gray_levels(tmp_path, range(10, 16))
    whole = encoded(halves(200, 200), "JPEG")
    bad = {"empty.jpg": b"", "half.jpg": whole[:900], "text.jpg": b"no photo", "half.png": encoded(halves())[:60],
           "wave.webp": b"RIFF\x10\0\0\0WAVE" + b"\0" * 30}  # fmt: skip
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "trailer.jpg").write_bytes(whole + b"a maker's note behind the end")
    with pytest.warns(UserWarning) as seen:
        folder = PhotoFolder(tmp_path, size=8)
    assert [str(warning.message) for warning in seen] == [
        f"{tmp_path.name}: left out 5 photos that cannot be read: empty.jpg, half.jpg, half.png and 2 more"
    ]
    assert len(folder) == 7 and folder.paths[-1].name == "trailer.jpg"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert folder[:6][:, 0, 0, 0].tolist() == list(range(10, 16))


def test_a_photo_damaged_in_its_middle_gives_way_to_the_next(tmp_path):
    folder = PhotoFolder(gray_levels(tmp_path, range(5)), size=8)
    for name in ("0001.png", "0004.png"):  # after the check at the start, as when a disk goes bad
        (tmp_path / name).write_bytes(png_header(32, 32))
    with pytest.warns(UserWarning, match=r"could not decode 2 photos: .*; the next photo takes its place") as seen:
        assert sorted(folder[:][:, 0, 0, 0]) == [0, 0, 2, 2, 3]
        assert folder[[1, 4]][:, 0, 0, 0].tolist() == [2, 0]
        assert folder.subset([1, 0])[0][0, 0, 0] == 0
    assert len(seen) == 1
    for path in folder.paths:
        path.unlink()
    with pytest.raises(ValueError, match="no photo of the folder .* can be read any more"):
        folder[0]


def test_folder_without_photos_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=f"the folder {tmp_path.name} has no readable photo; put JPEG, PNG or WebP"):
        PhotoFolder(tmp_path)
    (tmp_path / "text.jpg").write_bytes(b"no photo")
    with pytest.raises(ValueError, match=r"has no readable photo: text\.jpg; put"):
        PhotoFolder(tmp_path)


def test_memory_does_not_grow_with_the_folder(tmp_path):
    data = encoded(Image.effect_noise((128, 128), 60).convert("RGB"), "JPEG")
    for number in range(300):
        (tmp_path / f"{number:03d}.jpg").write_bytes(data)
    folder = PhotoFolder(tmp_path, size=128)  # all photos: 14.7 MB
    folder[:8]
    tracemalloc.start()
    try:
        for start in range(0, 300, 10):
            assert folder[start : start + 10].any()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3e6, f"{peak / 1e6:.1f} MB while batches of 0.5 MB were read"


def test_many_threads_may_read_at_once(tmp_path):
    folder = PhotoFolder(gray_levels(tmp_path, range(60)), size=8)
    wrong = []

    def read(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(20):
            rows = rng.integers(0, 60, size=12)
            if (folder[rows][:, 0, 0, 0] != rows).any():
                wrong.append(rows)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert not wrong and not any(thread.is_alive() for thread in threads)


def test_folder_can_be_sent_to_another_process(tmp_path):
    folder = PhotoFolder(gray_levels(tmp_path, range(4)), size=8)
    folder[:]  # its threads must not be sent along
    assert pickle.loads(pickle.dumps(folder))[:][:, 0, 0, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_folder_works_in_a_forked_worker(tmp_path):
    folder = PhotoFolder(gray_levels(tmp_path, range(4)), size=8)
    folder[:]
    pid = os.fork()
    if pid == 0:
        os._exit(0 if folder[:][:, 0, 0, 0].tolist() == [0, 1, 2, 3] else 1)
    for _ in range(100):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        threading.Event().wait(0.05)
    else:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        pytest.fail("the forked worker hangs")
    assert os.waitstatus_to_exitcode(status) == 0
