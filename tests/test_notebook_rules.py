"""The plugin that runs the notebooks: their environment, and the stop after the first failing cell."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import notebook_rules
import pytest

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> str:
    """What pytest, with the project's own settings, says about a folder of two generated notebooks."""
    folder = tmp_path_factory.mktemp("notebooks")
    cells = {
        "broken": ["x = 1", "x = undefined", "x += 1", "raise SystemError('must not run')"],
        "sound": [
            "import os; assert os.environ['AE_PRESET'] == 'smoke'",
            "from pathlib import Path; from helpers.plumbing.files import DATA, runs_folder\n"
            "assert runs_folder().is_dir() and DATA not in runs_folder().parents",
            "assert os.environ['TF_CPP_MIN_LOG_LEVEL'] == '3' and 'inline' in os.environ['MPLBACKEND']",
        ],
    }
    for name, sources in cells.items():
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        nbformat.write(notebook, folder / f"{name}.ipynb")
    hidden = ("AE_PRESET", "AUTOENCODER_RUNS", "TF_CPP_MIN_LOG_LEVEL", "MPLBACKEND")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", PROJECT / "pyproject.toml", "--rootdir", PROJECT, "-n0", "-vrs", folder],
        env={key: value for key, value in os.environ.items() if key not in hidden and not key.startswith("PYTEST")},
        cwd=folder, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_a_notebook_stops_after_its_first_failing_cell_and_says_why(report):
    outcomes = re.findall(r"broken.ipynb::Cell (\d) (\w+)", report)
    assert outcomes == [("0", "PASSED"), ("1", "FAILED"), ("2", "SKIPPED"), ("3", "SKIPPED")]
    assert "Cell 1 of this notebook failed" in report
    assert "name 'undefined' is not defined" in report and "must not run" not in report


def test_the_next_notebook_runs_all_its_cells_in_the_tests_environment(report):
    assert re.findall(r"sound.ipynb::Cell (\d) (\w+)", report) == [(str(n), "PASSED") for n in range(3)], report


def test_finished_lessons_are_left_to_their_own_test(monkeypatch):
    monkeypatch.setattr(notebook_rules, "LESSONS", ("a.ipynb",))
    assert notebook_rules.pytest_ignore_collect(Path("notebooks/a.ipynb"))
    assert notebook_rules.pytest_ignore_collect(Path("notebooks/b.ipynb")) is None


def test_lessons_come_first_and_each_may_go_to_another_process():
    pytest.importorskip("xdist")

    class Item:
        def __init__(self, nodeid: str):
            self.nodeid = nodeid

    class IPyNbCell(Item):
        pass

    lessons = [f"tests/test_lessons.py{notebook_rules.LESSON}{name}]" for name in ("02.ipynb", "05.ipynb")]
    others = ["tests/test_a.py::test_a", "tests/test_lessons.py::test_a_cell_that_fails_is_named"]
    cell = IPyNbCell("notebooks/04.ipynb::Cell 0")
    items = [*map(Item, others), cell, *map(Item, lessons)]
    notebook_rules.pytest_collection_modifyitems(items)
    assert [item.nodeid for item in items] == [*lessons, cell.nodeid, *others]
    scheduler = notebook_rules.pytest_xdist_make_scheduler(FakeConfig(), None)
    scopes = [scheduler._split_scope(item.nodeid) for item in items]
    assert scopes == [*lessons, "notebooks/04.ipynb", "tests/test_a.py", "tests/test_lessons.py"]


class FakeConfig:
    option = None

    def getoption(self, name: str) -> str:
        return {"dist": "loadscope"}[name]

    def getvalue(self, name: str):
        return ["popen", "popen"] if name == "tx" else None
