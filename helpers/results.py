"""Measured rows as data: the code that measures a row records it, and the README's table is made from the records.

python -m helpers.results        writes the table into README.md
"""

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

from .files import DATA, PROJECT, whole_file, write_json
from .presets import Preset

FOLDER = DATA / "results"
BEGIN, END = "<!-- results: made by `python -m helpers.results` -->", "<!-- end of results -->"


def record(
    row: str,
    *,
    notebook: str,
    task: str,
    published: str,
    measured: str,
    metrics: dict,
    preset: Preset,
    source: str,
    trained: dict | None = None,
    is_sample: bool = False,
    folder: Path = FOLDER,
) -> dict:
    """Write one measured row to data/results/<row>.json and give it back.

    row: "r08", or "b02" for notebook 02's better model. published, measured: short sentences for the table. metrics:
    every figure, by name. source: the data set's sentence. trained: epochs, seconds, parameters of the run. Only runs
    of the `full` preset on real data are written: a quick look must not replace a published figure.
    """
    entry = {
        "row": row,
        "notebook": notebook,
        "task": task,
        "published": published,
        "measured": measured,
        "metrics": _plain(metrics),
        "trained": _plain(trained or {}),
        "data": source,
        "preset": preset.name,
        "machine": f"{platform.machine()}, {os.cpu_count()} CPU cores",
        "versions": {name: version(name) for name in ("tensorflow", "keras", "numpy", "scikit-image")},
    }
    if preset.publishes(is_sample):
        write_json(folder / f"{row}.json", entry)
    return entry


def recorded(row: str, folder: Path = FOLDER) -> dict:
    """What `record` wrote of a row, as a dict. Raises FileNotFoundError, with the remedy, where there is none."""
    path = folder / f"{row}.json"
    if not path.exists():
        raise FileNotFoundError(f"data/results has no {path.name}; fetch the repository again, or set TRAIN = True")
    return json.loads(path.read_text(encoding="utf-8"))


def table(folder: Path = FOLDER) -> str:
    """All recorded rows as a Markdown table: what the chapters say beside what we measured."""
    rows = sorted((json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")), key=_order)
    lines = ["| row | notebook | task | the chapters say | we measured |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        cells = [row["row"].upper(), *(row[key] for key in ("notebook", "task", "published", "measured"))]
        lines.append("| " + " | ".join(" ".join(cell.split()).replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(lines)


def update_readme(readme: Path = PROJECT / "README.md", folder: Path = FOLDER) -> None:
    """Replace the table between the two marks in the README. Raises ValueError where the marks are missing."""
    text = readme.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise ValueError(f"{readme.name} lacks the marks {BEGIN!r} and {END!r}; put them where the table belongs")
    head, tail = text.split(BEGIN)[0], text.split(END)[1]
    with whole_file(readme) as partial:
        partial.write_text(f"{head}{BEGIN}\n{table(folder)}\n{END}{tail}", encoding="utf-8")


def _order(entry: dict) -> tuple:
    return entry["notebook"], entry["row"].startswith("b"), entry["row"]


def _plain(value):
    """NumPy numbers as Python ones, rounded to what is meaningful."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return float(f"{value:.5g}") if isinstance(value, float) else value


if __name__ == "__main__":
    update_readme()
