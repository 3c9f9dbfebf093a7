"""What the lab measured: data/results/<name>.json, one file a measurement."""

from pathlib import Path

from .plumbing.files import SHIPPED, read_json

FOLDER = SHIPPED / "results"
REMEDY = "restore it with `git checkout data/results`, or install the project again"


def load(name: str, *, folder: Path = FOLDER) -> dict:
    """The measurement `name` ("denoise_uniform"), as a dict: "metrics" holds its figures.

    Raises FileNotFoundError where there is none, ValueError where the file is damaged.
    """
    path = folder / f"{name}.json"
    if not path.exists():
        known = ", ".join(sorted(other.stem for other in folder.glob("*.json"))) or "none"
        raise FileNotFoundError(f"data/results has no {path.name} (there: {known}); measure it with helpers.lab")
    return read_json(path, f"data/results/{path.name}", REMEDY)
