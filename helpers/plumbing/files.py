"""Where things live, reading files that may be bad, and writing files so that they are whole or not there."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
PROJECT = PACKAGE.parent
# pip packs weights, results and the sample into the package; in a clone they lie beside it, editable install or not.
IN_CLONE = not (PACKAGE / "data").is_dir()
SHIPPED = PROJECT / "data" if IN_CLONE else PACKAGE / "data"
# What a reader puts there or makes: in the clone, else in the working folder, beside the notebook.
DATA = PROJECT / "data" if IN_CLONE else Path("data")


def runs_folder() -> Path:
    """Where unfinished and finished training runs are kept: $AUTOENCODER_RUNS, by default data/runs."""
    return chosen_folder("AUTOENCODER_RUNS") or DATA / "runs"


def chosen_folder(variable: str) -> Path | None:
    """The folder that an environment variable names, None where it is not set; ~ stands for the home folder.

    Raises ValueError where it begins with ~NAME and there is nobody of that name.
    """
    chosen = os.environ.get(variable)
    try:
        return Path(chosen).expanduser() if chosen else None
    except RuntimeError:
        raise ValueError(f"{variable} is {chosen!r}, a home folder that is not known: correct it or unset it") from None


class Sentence(ValueError):
    """An error that says already what is wrong and what to do."""


class Unwritten(OSError):
    """A file or folder that could not be written, in one sentence; `errno` and `strerror` are the cause's."""

    def __init__(self, told: str, cause: OSError):
        super().__init__(cause.errno, cause.strerror or str(cause))
        self.told = told

    def __str__(self) -> str:
        return self.told


@contextmanager
def reading(shown: str, remedy: str) -> Iterator[None]:
    """Turns whatever libraries raise over a bad file into one ValueError with the remedy.

    shown: how to call the file. remedy: what to do where it is damaged. What cannot be read at the moment is not
    called damaged. A `Sentence` passes.
    """
    try:
        yield
    except Sentence:
        raise
    except OSError as error:
        if error.errno is None:  # a library's own, such as "Invalid data stream"
            raise ValueError(f"{shown} is damaged or of another kind; {remedy}") from error
        raise ValueError(f"{shown} cannot be read ({error.strerror}); see that you have the permission") from error
    except MemoryError as error:
        raise ValueError(f"{shown} needs more memory than there is; close other programs, or {remedy}") from error
    except Exception as error:  # zlib, LZMA, tokenize, OverflowError, RecursionError, ...
        raise ValueError(f"{shown} is damaged or of another kind; {remedy}") from error


def read_json(path: Path, shown: str, remedy: str) -> dict:
    """The dict in a JSON file. Raises ValueError as `reading` does, and where it holds something else."""
    with reading(shown, remedy):
        value = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(value, dict):
            raise TypeError
        return value


@contextmanager
def whole_file(path: Path, suffix: str = "") -> Iterator[Path]:
    """Give a temporary path to write to; it gets its final name only when the block ends without an error.

    suffix: the ending that the writer insists on (".keras"); the temporary file is removed on failure. Raises OSError
    with one sentence where nothing can be written.
    """
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{suffix or path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, path)
    except OSError as error:
        reason = error.strerror or error
        told = f"{path.name} cannot be written ({reason}); make room, or choose a folder where you may write"
        raise Unwritten(told, error) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    """Write `value` as readable JSON, whole or not at all."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def figures_folder() -> Path:
    """Where notebooks save figures as PNG files: data/figures (not in git), made when missing."""
    folder = DATA / "figures"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        told = f"the folder data/figures cannot be made ({error.strerror}); see that you may write there"
        raise Unwritten(told, error) from error
    return folder
