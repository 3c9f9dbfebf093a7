"""The set-up cell on a stand-in for Colab, where the notebook is alone in an empty folder; and what it installs."""

import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from helpers.plumbing import colab
from helpers.plumbing.files import PROJECT

FOLDER = colab.address().rpartition("/")[2]
# Runs at the start of every Python that has its folder on PYTHONPATH: forgets that the project is installed.
FORGET = f"""
import sys
sys.path[:] = [entry for entry in sys.path if entry.rstrip("/") != {str(PROJECT)!r}]
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in getattr(finder, "__module__", "")]
"""


def git(*arguments: str | Path, **environment: str) -> None:
    subprocess.run(["git", *map(str, arguments)], check=True, capture_output=True, env={**os.environ, **environment})


@pytest.fixture(scope="module")
def origin(tmp_path_factory) -> Path:
    """A repository with the working tree as its only commit: what GitHub will serve once it is pushed."""
    folder = tmp_path_factory.mktemp("origin") / "repository.git"
    git("init", "--quiet", "--bare", "--initial-branch=main", folder)
    inside = {"GIT_DIR": str(folder), "GIT_WORK_TREE": str(PROJECT), "GIT_CONFIG_GLOBAL": os.devnull}
    git("-C", PROJECT, "add", "--all", ".", **inside)
    author = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    git("-C", PROJECT, *author, "commit", "--quiet", "--message=all", **inside)
    return folder


@pytest.fixture
def machine(tmp_path, origin, monkeypatch) -> Path:
    """A folder on a machine like Colab's: no project, GitHub's address answered by `origin`, a `google.colab`."""
    site = tmp_path / "site"
    (site / "google" / "colab").mkdir(parents=True)
    (site / "google" / "colab" / "__init__.py").touch()
    (site / "sitecustomize.py").write_text(FORGET, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    serve(monkeypatch, origin)
    content = tmp_path / "content"
    content.mkdir()
    return content


def serve(monkeypatch, folder: Path) -> None:
    """Let git take `folder` for the repository's address."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{folder.as_uri()}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", colab.address())


def run(machine: Path, *sources: str) -> str:
    """Execute a notebook of these cells alone in the folder; gives all it printed."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(machine)}}).execute(env=dict(os.environ))
    return "".join(output.get("text", "") for cell in notebook.cells for output in cell.outputs)


WHERE = "import helpers; print(helpers.__file__)"


def test_colab_gets_the_repository_and_the_helpers_work(machine):
    try_it = "import google.colab; from helpers import datasets, pairs; print(pairs.identity(3), datasets.DATA)"
    printed = run(machine, colab.setup_cell(), WHERE, try_it).split()
    clone = machine / FOLDER
    assert printed == [str(clone / "helpers" / "__init__.py"), "3", str(clone / "data")]
    assert [path.name for path in machine.iterdir()] == [FOLDER]


def test_running_the_cell_again_is_harmless(machine):
    first = run(machine, colab.setup_cell(), colab.setup_cell(), WHERE)
    (machine / FOLDER / "mine.txt").touch()
    restarted = run(machine, colab.setup_cell(), WHERE)  # a new kernel finds the folder that is there
    assert first == restarted == f"{machine / FOLDER / 'helpers' / '__init__.py'}\n"
    assert (machine / FOLDER / "mine.txt").exists()


def test_an_installed_project_is_left_alone(tmp_path):
    assert run(tmp_path, colab.setup_cell(), WHERE) == f"{PROJECT / 'helpers' / '__init__.py'}\n"
    assert list(tmp_path.iterdir()) == []


def test_without_a_connection_one_sentence_says_so(machine, monkeypatch, origin):
    serve(monkeypatch, machine / "nowhere")
    with pytest.raises(CellExecutionError) as failure:
        run(machine, colab.setup_cell())
    assert failure.value.ename == "RuntimeError"
    assert failure.value.evalue == f"Cannot fetch {colab.address()}: check the connection, run this cell again."
    assert list(machine.iterdir()) == []
    serve(monkeypatch, origin)  # the remedy works
    assert FOLDER in run(machine, colab.setup_cell(), WHERE)


@pytest.mark.parametrize("git_is_there", [True, False])
def test_half_a_clone_does_not_stay(machine, monkeypatch, tmp_path, git_is_there):
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    if git_is_there:  # one that stops half way and cleans nothing up
        fake.write_text('#!/bin/sh\nfor last; do :; done\nmkdir -p "$last/helpers"\nexit 128\n', encoding="utf-8")
        fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{fake.parent}:/bin" if git_is_there else str(fake.parent))
    with pytest.raises(CellExecutionError, match="Cannot fetch"):
        run(machine, colab.setup_cell())
    assert list(machine.iterdir()) == []


def test_the_address_stands_in_pyproject_only(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = []\n[project.urls]\nRepository = "https://github.com/someone/else/"\n'
    )
    assert '"https://github.com/someone/else", "else"' in colab.setup_cell(tmp_path)
    assert "/github/someone/else/blob/main/notebooks/a.ipynb)" in colab.badge("a.ipynb", tmp_path)
    assert colab.address() not in (PROJECT / "helpers" / "colab.py").read_text(encoding="utf-8")


# ---- what it installs


def project(folder: Path, *requirements: str) -> Path:
    (folder / "pyproject.toml").write_text(f"[project]\ndependencies = {list(requirements)}\n", encoding="utf-8")
    return folder


def test_every_requirement_is_looked_for_under_its_import_name():
    assert colab.missing() == []  # all are installed here; a wrong import name would be missing


def test_versions_do_not_count(tmp_path):
    assert colab.missing(
        project(tmp_path, "numpy>=99", "Pillow ~= 99.1", "no-such-thing>=1; python_version > '3'")
    ) == ["no-such-thing>=1; python_version > '3'"]


def test_only_the_missing_is_passed_to_pip(tmp_path, monkeypatch, capsys):
    calls = []

    def fake_pip(command, **_):
        calls.append((command, Path(command[command.index("--constraint") + 1]).read_text(encoding="utf-8")))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", fake_pip)
    colab.install_missing(project(tmp_path, "numpy>=99", "no-such-thing>=1"))
    ((command, constraints),) = calls
    assert command[-1] == "no-such-thing>=1"
    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    assert not any("numpy" in word for word in command)
    assert not any("upgrade" in word for word in command)
    assert f"\nnumpy=={colab.importlib.metadata.version('numpy')}\n" in constraints
    assert capsys.readouterr().out == "Installed what was missing: no-such-thing>=1.\n"


def test_nothing_missing_nothing_said(monkeypatch, capsys):
    monkeypatch.setattr(subprocess, "run", None)
    assert colab.install_missing() is None  # a list would be shown: it is the last line of its cell
    assert capsys.readouterr().out == ""


def wheel(folder: Path, name: str, version: str, *needs: str) -> None:
    """A package of one empty module."""
    info = f"{name}-{version}.dist-info"
    metadata = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {need}" for need in needs)]
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{info}/METADATA", "\n".join(["Metadata-Version: 2.1", *metadata]) + "\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


def test_pip_itself_keeps_what_is_installed(tmp_path):
    """The real pip, on wheels made here: the newest `extra` would replace `tensor`, so an older one is taken."""
    shelf, home = tmp_path / "shelf", tmp_path / "home"
    shelf.mkdir()
    for version in ("1.0", "2.0"):
        wheel(shelf, "tensor", version)
        wheel(shelf, "extra", version, f"tensor>={version}")
    wheel(shelf, "greedy", "1.0", "tensor>=2")
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    python = home / "bin" / "python" if os.name == "posix" else home / "Scripts" / "python.exe"
    offline = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf), "PYTHONPATH": str(PROJECT)}

    def ask(code: str) -> subprocess.CompletedProcess:
        return subprocess.run([python, "-c", code], capture_output=True, text=True, env=offline, cwd=tmp_path)

    subprocess.run([python, "-m", "pip", "install", "--quiet", "tensor==1.0"], check=True, env=offline)
    install = "from helpers.plumbing import colab; from pathlib import Path; colab.install_missing(Path())"
    versions = "from importlib.metadata import version; print(version('tensor'), version('extra'))"

    project(tmp_path, "tensor>=2", "extra>=0.5")
    installed = ask(install)
    assert installed.stdout == "Installed what was missing: extra>=0.5.\n", installed.stderr
    assert ask(versions).stdout == "1.0 1.0\n"

    for name in ("greedy", "nowhere"):  # one that insists on a newer `tensor`, one that is not to be had
        project(tmp_path, name)
        last_line = ask(install).stderr.splitlines()[-1]
        assert last_line.startswith(f"RuntimeError: pip could not install {name}: check the connection"), last_line
    assert ask(versions).stdout == "1.0 1.0\n"
