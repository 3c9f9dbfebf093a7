"""A pytest plugin, loaded by name in pyproject.toml so that it holds for tests/ and notebooks/ alike.

It sets the environment that the tests and the notebooks' kernels run in, and it stops a notebook after its first
failing cell: nbval would go on, and every later cell would fail for want of what the first one should have made. And
it says which tests go together when several processes share them.
Finished lessons are left to test_lessons.py, which runs them with their solutions, unless one is named in the command.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from lessons import LESSONS

import helpers  # noqa: F401  before a test imports TensorFlow: it keeps it quiet, and its fast convolutions on

FAILED = pytest.StashKey[str]()
LESSON = "::test_a_lesson_and_its_solutions_run["
os.environ.setdefault("AE_PRESET", "smoke")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")  # else jupyter_core warns
# No run of yours is touched or taken up.
os.environ["AUTOENCODER_RUNS"] = RUNS = tempfile.mkdtemp(prefix="autoencoder-runs-")


def pytest_unconfigure() -> None:
    shutil.rmtree(RUNS, ignore_errors=True)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if collection_path.name in LESSONS else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """A module's tests, or a notebook's cells, stay in one process; lessons do not wait for one another."""
    from xdist.scheduler import LoadScopeScheduling

    class ByLesson(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return nodeid if LESSON in nodeid else super()._split_scope(nodeid)

    return ByLesson(config, log) if config.getoption("dist") == "loadscope" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that no process has it left at the end: lessons, then notebooks."""
    items.sort(key=lambda item: 0 if LESSON in item.nodeid else 1 if _is_cell(item) else 2)


def _is_cell(item: pytest.Item) -> bool:
    return type(item).__name__ == "IPyNbCell"


def pytest_runtest_setup(item: pytest.Item) -> None:
    failed = item.parent.stash.get(FAILED, None)
    if _is_cell(item) and failed:
        pytest.skip(f"{failed} of this notebook failed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    report = yield
    if _is_cell(item) and report.failed:
        item.parent.stash.setdefault(FAILED, item.name)
    return report
