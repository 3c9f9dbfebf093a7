"""Files: bad ones end in one sentence, and what cannot be written leaves nothing behind."""

import errno
import os

import pytest

from helpers.plumbing import files
from helpers.plumbing.files import Sentence, Unwritten, read_json, reading, whole_file

NO_DICT = [b"", b"[]", b"null", b"\xff\xfe", b'{"a": 1', b'{"a":' * 100_000, b'{"a": ' + b"9" * 5000 + b"}"]


@pytest.mark.parametrize("content", NO_DICT, ids=range(len(NO_DICT)))
def test_json_that_is_no_dict_is_one_sentence(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(ValueError, match="^data/x.json is damaged or of another kind; fetch it again$"):
        read_json(tmp_path / "x.json", "data/x.json", "fetch it again")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied"), r"^x cannot be read \(Permission denied\); see that you have"),
        (OSError(5, "Input/output error"), r"^x cannot be read \(Input/output error\)"),
        (OSError("Invalid data stream"), "^x is damaged or of another kind; move it away$"),
        (MemoryError(), "^x needs more memory than there is; close other programs, or move it away$"),
        (OverflowError("too large"), "^x is damaged or of another kind; move it away$"),
        (RecursionError("too deep"), "^x is damaged or of another kind; move it away$"),
        (Sentence("x is empty; fill it"), "^x is empty; fill it$"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_library_raises_is_one_sentence(error, said):
    with pytest.raises(ValueError, match=said), reading("x", "move it away"):
        raise error


def test_the_stop_button_passes():
    with pytest.raises(KeyboardInterrupt), reading("x", "move it away"):
        raise KeyboardInterrupt


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_what_cannot_be_written_is_told_and_what_was_there_stays(tmp_path, code):
    path = tmp_path / "page.html"
    path.write_text("before")
    with pytest.raises(OSError) as caught, whole_file(path) as partial:
        partial.write_text("half of")
        raise OSError(code, os.strerror(code))
    told = f"page.html cannot be written ({os.strerror(code)}); make room, or choose a folder where you may write"
    assert str(caught.value) == told
    assert (caught.value.errno, caught.value.strerror) == (code, os.strerror(code))
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"] and path.read_text() == "before"


def test_a_full_disk_is_not_kept_full(tmp_path):
    """Not made up: the system refuses to write."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with (
            pytest.raises(Unwritten, match=r"^large.bin cannot be written \(File too large\); make room"),
            whole_file(tmp_path / "large.bin") as partial,
        ):
            partial.write_bytes(bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())


def test_no_folder_for_figures_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "DATA", tmp_path / "file")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"^the folder data/figures cannot be made \(.*\); see that you may write there$"):
        files.figures_folder()
    told = r"^x.png cannot be written \(.*\); make room, or choose a folder"
    with pytest.raises(OSError, match=told), whole_file(tmp_path / "file" / "x.png"):
        pass
