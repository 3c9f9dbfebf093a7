"""A pytest plugin, loaded by name in pyproject.toml so that it holds for tests/ and notebooks/ alike.

It sets the environment that the tests and the notebooks' kernels run in. It has nbval run every lesson with its
exercises' solutions, each right after its fold, without TensorFlow's graphs and for one epoch. And it stops a notebook
after its first failing cell: nbval would go on, and every later cell would fail for want of what the first one should
have made.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from unittest import mock

sys.modules["rfc3987_syntax"] = None  # takes nbformat two seconds to import, to check addresses that no notebook has
import nbformat
import pytest
from lessons import with_solutions
from nbval.plugin import IPyNbCell, IPyNbFile

import helpers  # noqa: F401  before a test imports TensorFlow: it keeps it quiet, and its fast convolutions on

FAILED = pytest.StashKey[str]()
SLOW = ("test_training", "test_codes", "test_colorization", "test_faces", "test_lab", "test_maps", "test_site")
os.environ.setdefault("AE_PRESET", "smoke")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")  # else jupyter_core warns
# No run of yours is touched or taken up.
os.environ["AUTOENCODER_RUNS"] = RUNS = tempfile.mkdtemp(prefix="autoencoder-runs-")


# To trace the graph of a network takes longer than to train it on a few images, and one epoch shows that it trains.
QUICKLY = nbformat.v4.new_code_cell(
    """import keras, tensorflow
tensorflow.config.run_functions_eagerly(True)
keras.Model.fit = lambda *args, fit=keras.Model.fit, **options: fit(*args, **options | {"epochs": 1})"""
)


class Lesson(IPyNbFile):
    """A notebook's cells with its exercises' solutions, and after the set-up a cell that shortens the training."""

    def collect(self):
        with mock.patch.object(nbformat, "read", partial(_as_tested, nbformat.read)):
            yield from super().collect()


def _as_tested(read: Callable, *args, **options) -> nbformat.NotebookNode:
    notebook = with_solutions(read(*args, **options))
    notebook.cells = [
        one for cell in notebook.cells for one in ([cell, QUICKLY] if cell.get("id") == "setup" else [cell])
    ]
    return notebook


def pytest_unconfigure() -> None:
    shutil.rmtree(RUNS, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    found = yield
    return [Lesson.from_parent(parent, path=file_path) if isinstance(one, IPyNbFile) else one for one in found]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that no process has it left at the end."""
    items.sort(key=lambda item: (not isinstance(item, IPyNbCell), item.path.stem not in SLOW))


def pytest_runtest_setup(item: pytest.Item) -> None:
    failed = item.parent.stash.get(FAILED, None)
    if isinstance(item, IPyNbCell) and failed:
        pytest.skip(f"{failed} of this notebook failed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    report = yield
    if isinstance(item, IPyNbCell) and report.failed:
        item.parent.stash.setdefault(FAILED, item.name)
    return report
