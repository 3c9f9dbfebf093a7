"""Lessons as the tests see them: their exercises, their tags, how they are run.

A lesson is run once, from top to bottom, and each exercise's solution right after its fold.
"""

import copy
import os
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

LESSONS = tuple(sorted(path.name for path in (Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb")))

FENCE = re.compile(r"^ *```.*?^ *```[ \t]*$", re.S | re.M)
PYTHON = re.compile(r"^ *```python\n(.*?)^ *```[ \t]*$", re.S | re.M)
FOLD = re.compile(r"<details>\s*<summary>\s*Solution\s*</summary>(.*?)</details>", re.S)
NETWORK = re.compile(r"network:(.+)=(\w+)")  # network:conv_autoencoder=denoiser
TAGS = re.compile(r"live|not-compared|network-part|tolerance-\d+(\.\d+)?|" + NETWORK.pattern)


@dataclass(frozen=True)
class Exercise:
    """A task, the code cell to start in, and the text cell after it with a solution in a fold."""

    task: NotebookNode
    start: NotebookNode
    answer: NotebookNode

    @property
    def fold(self) -> str:
        return "\n".join(FOLD.findall(joined(self.answer.source)))

    @property
    def solution(self) -> str:
        """The code of the fold; an empty string where it has none."""
        return "\n".join(textwrap.dedent(code) for code in PYTHON.findall(self.fold))


def joined(text: str | list[str]) -> str:
    """Text as a file may hold it: a string or a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def networks(notebook: NotebookNode) -> Iterator[tuple[str, str, str]]:
    """(builder in helpers.models, variable, source) of every cell tagged `network:BUILDER=VARIABLE`.

    The source is that of the cell after those of the tagged cells before it, of whose layers it may make use; the tag
    `network-part` is for a cell that builds no whole network.
    """
    source = ""
    for cell in notebook.cells:
        for tag in tags(cell):
            if tag == "network-part":
                source += joined(cell.source) + "\n"
            if found := NETWORK.fullmatch(tag):
                source += joined(cell.source) + "\n"
                yield *found.groups(), source


def exercise_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells of the section "## Exercises", its heading's cell too."""
    cells, inside = [], False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            titles = re.findall(r"^##? +(.*?)\s*$", FENCE.sub("", joined(cell.source)), re.M)
            inside = titles[-1] == "Exercises" if titles else inside
        if inside:
            cells.append(cell)
    return cells


def exercises(notebook: NotebookNode) -> list[Exercise]:
    cells = exercise_cells(notebook)
    return [Exercise(*three) for three in zip(cells, cells[1:], cells[2:], strict=False) if _answers(three[-1])]


def _answers(cell: NotebookNode) -> bool:
    return cell.cell_type == "markdown" and bool(FOLD.search(joined(cell.source)))


def with_solutions(notebook: NotebookNode) -> NotebookNode:
    """A copy in which a cell with the solution ("solution-1", ...) follows each fold."""
    whole = copy.deepcopy(notebook)
    for number, exercise in enumerate(exercises(whole), start=1):
        cell = nbformat.v4.new_code_cell(exercise.solution, id=f"solution-{number}")
        whole.cells.insert(next(at for at, other in enumerate(whole.cells) if other is exercise.answer) + 1, cell)
    return whole


def execute(notebook: NotebookNode, folder: Path, environment: dict[str, str], *, seconds: int = 300) -> NotebookNode:
    """Run a lesson and its solutions in a kernel of their own, in `folder`; gives a copy with the new outputs.

    Raises AssertionError, naming the cell, where one fails or takes more than `seconds`.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    whole = with_solutions(notebook)
    place = ""

    def at(cell: NotebookNode, cell_index: int) -> None:
        nonlocal place
        numbers = {other.get("id"): f"cell {number}" for number, other in enumerate(notebook.cells, start=1)}
        place = numbers.get(cell.get("id"), cell.get("id", f"cell {cell_index + 1}"))

    where = {"metadata": {"path": str(folder)}}
    client = NotebookClient(whole, timeout=seconds, startup_timeout=300, on_cell_start=at, resources=where)
    try:
        return client.execute(env=environment)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise AssertionError(f"{place} failed: {error}") from None


def as_a_reader() -> dict[str, str]:
    """The environment of a reader, who knows of no presets."""
    return {name: value for name, value in os.environ.items() if name != "AE_PRESET"}
