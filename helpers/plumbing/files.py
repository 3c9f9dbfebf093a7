"""Where things live, and writing files so that they are whole or not there."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def whole_file(path: Path, suffix: str = "") -> Iterator[Path]:
    """Give a temporary path to write to; it gets its final name only when the block ends without an error.

    suffix: the ending that the writer insists on (".keras"); the temporary file is removed on failure.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{suffix or path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    """Write `value` as readable JSON, whole or not at all."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def figures_folder() -> Path:
    """Where notebooks save figures as PNG files: data/figures (not in git), made when missing."""
    folder = DATA / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
