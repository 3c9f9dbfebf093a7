"""The plugin that runs the notebooks: their environment, and the stop after the first failing cell."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
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
    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    for name, solution in {"solved": "2 * start", "unsolved": "2 * stop"}.items():
        fold = f"<details><summary>Solution</summary>\n\n```python\nx = {solution}\n```\n\n</details>"
        cells = [text("## Exercises"), text("**1.** Double it."), code("start = 1"), text(fold), code("x = 3")]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / f"{name}.ipynb")
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


def test_an_exercises_solution_runs_after_the_cell_that_it_starts_in(report):
    assert re.findall(r"/solved.ipynb::Cell (\d) (\w+)", report) == [(str(n), "PASSED") for n in range(3)], report
    outcomes = [word for _, word in re.findall(r"unsolved.ipynb::Cell (\d) (\w+)", report)]
    assert outcomes == ["PASSED", "FAILED", "SKIPPED"] and "name 'stop' is not defined" in report
