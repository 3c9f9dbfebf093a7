"""Installing the project: what the wheel holds, what works from an empty folder, the cell that sets a notebook up.

pytest -m install -n0      needs git, and PyPI for the tool that builds the wheel
"""

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from helpers.plumbing import colab
from helpers.plumbing.files import PROJECT

pytestmark = pytest.mark.install

NAME = "autoencoder-notebooks"
AT_HAND = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []  # else pip asks PyPI for it
TRY_IT = """
from pathlib import Path
import helpers
from helpers import datasets, records, weights

assert weights.load("denoise_uniform").count_params() == 28_353
assert records.load("codes_conv")["metrics"]
print(datasets.load("mnist").source)
print(Path(helpers.__file__).parent)
"""
# A notebook's cells in an IPython shell; stops at the first that fails, as "Run all" does.
SHELL = """
import sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance(colors="NoColor")
sys.exit(not all(shell.run_cell(cell).success for cell in {cells!r}))
"""
VERSIONS = """
import importlib.metadata, json
print(json.dumps(sorted((one.name, one.version) for one in importlib.metadata.distributions())))
"""


def run(command: list, *, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | environment
    return subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, timeout=600)


def repository(folder: Path) -> Path:
    """A bare repository with the working tree as its only commit: what GitHub will serve once it is pushed."""
    inside = {"GIT_DIR": str(folder), "GIT_WORK_TREE": str(PROJECT), "GIT_CONFIG_GLOBAL": os.devnull}
    author = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all", "."],
        [*author, "commit", "--quiet", "--message=all"],
    ):
        done = run(["git", *command], cwd=PROJECT, **inside)
        assert done.returncode == 0, done.stderr
    (folder / "config").write_text("[core]\n\tbare = true\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def origin(tmp_path_factory) -> Path:
    return repository(tmp_path_factory.mktemp("origin") / "repository.git")


@pytest.fixture(scope="module")
def wheel(origin, tmp_path_factory) -> Path:
    """The wheel that pip builds from the repository."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *AT_HAND, f"--wheel-dir={folder}"]
    done = run([*command, f"git+{origin.as_uri()}"], cwd=folder)
    if "No matching distribution found for hatchling" in done.stderr:
        pytest.skip("hatchling, which builds the wheel, is neither here nor to be had from PyPI")
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder with all that is installed here but the project: links, so that nothing is copied or harmed."""
    folder = tmp_path_factory.mktemp("installed")
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for path in Path(place).iterdir():
            if NAME.replace("-", "_") not in path.name:
                (folder / path.name).symlink_to(path)
    return folder


class Machine:
    """An environment with all that the project needs but not the project, and an empty working folder."""

    def __init__(self, folder: Path, installed: Path):
        self.home, self.folder = folder / "home", folder / "content"
        self.folder.mkdir()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.home], check=True)
        self.python = self.home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self.site = Path(sysconfig.get_path("purelib", "venv", {"base": str(self.home), "platbase": str(self.home)}))
        (self.site / "installed.pth").write_text(f"{installed}\n", encoding="utf-8")
        self.environment = {
            "AUTOENCODER_DATA": "", "AUTOENCODER_RUNS": "", "AE_PRESET": "", "KERAS_HOME": str(folder / "keras"),
            "IPYTHONDIR": str(folder / "ipython"), "GIT_CONFIG_GLOBAL": os.devnull, "NO_COLOR": "1",
            "https_proxy": "http://127.0.0.1:9",  # the data sets' hosts cannot be reached
        }  # fmt: skip

    def serve(self, folder: Path) -> None:
        """Let git take `folder` for the repository's address."""
        self.environment["GIT_CONFIG_COUNT"] = "1"
        self.environment["GIT_CONFIG_KEY_0"] = f"url.{folder.as_uri()}.insteadOf"
        self.environment["GIT_CONFIG_VALUE_0"] = colab.address()
        self.environment.pop("https_proxy", None)  # pip needs PyPI

    def run(self, source: str) -> subprocess.CompletedProcess:
        return run([self.python, "-c", source], cwd=self.folder, **self.environment)

    def notebook(self, *cells: str) -> tuple[bool, str]:
        """Execute these cells in IPython: (whether all succeeded, what was shown)."""
        done = self.run(SHELL.format(cells=cells))
        return done.returncode == 0, re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)

    def versions(self) -> dict[str, str]:
        return dict(json.loads(self.run(VERSIONS).stdout))


@pytest.fixture
def machine(tmp_path, installed) -> Machine:
    return Machine(tmp_path, installed)


@pytest.fixture
def online(machine, origin, wheel) -> Machine:
    """A machine for which the repository's address is answered; the wheel could be built, so PyPI is there."""
    machine.serve(origin)
    return machine


# ---- the wheel


def test_the_wheel_holds_the_package_and_what_the_lessons_open(wheel, origin):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    info = wheel.name.removesuffix("-py3-none-any.whl")
    packaged = {name.removeprefix("helpers/") for name in names if name.startswith("helpers/")}
    files = run(["git", "ls-tree", "-r", "--name-only", "HEAD"], cwd=origin).stdout.splitlines()
    wanted = [name for name in files if re.match(r"helpers/|data/(weights|results|sample)/", name)]
    assert packaged == {name.removeprefix("helpers/") for name in wanted}
    needed = {"explorer/explorer.js", "explorer/explorer.css", "lab/__init__.py", "plumbing/files.py"}
    assert needed | {"data/weights/SHA256SUMS"} <= packaged
    others = {name for name in names if not name.startswith("helpers/")}
    assert {name.split("/")[0] for name in others} == {f"{info}.dist-info"}
    assert wheel.stat().st_size < 60e6


def test_an_installed_wheel_works_in_an_empty_folder_and_writes_nothing(machine, wheel):
    install = [machine.python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel]
    done = run(install, cwd=machine.folder, **machine.environment)
    package = machine.site / "helpers"
    assert (package / "data" / "weights").is_dir(), done.stderr
    shutil.rmtree(package / "__pycache__", ignore_errors=True)
    machine.environment["PYTHONDONTWRITEBYTECODE"] = "1"
    files = {path: path.stat().st_mtime_ns for path in machine.site.rglob("*")}
    for path in [package, *package.rglob("*")]:  # as in an environment that somebody else installed
        path.chmod(0o555 if path.is_dir() else 0o444)
    done = machine.run(TRY_IT)
    assert done.returncode == 0, done.stderr
    source, where = done.stdout.splitlines()[-2:]  # before them, what Keras says of its download
    assert source == "MNIST, 2,000 + 500 images, from the drawn sample data/sample/mnist.npz"
    assert "there is no data/mnist.npz" in done.stderr
    assert Path(where) == package
    assert {path: path.stat().st_mtime_ns for path in machine.site.rglob("*")} == files
    assert list(machine.folder.iterdir()) == []

    (machine.folder / "data").mkdir()  # the reader's own images lie beside the notebook, and so do saved figures
    (machine.folder / "data" / "mnist.npz").write_bytes((package / "data" / "sample" / "mnist.npz").read_bytes())
    own = "from helpers.plumbing import files; from helpers import datasets; print(datasets.load('mnist').source)"
    done = machine.run(f"{own}; print(files.figures_folder(), files.runs_folder())")
    assert done.stdout.splitlines() == ["MNIST, 2,000 + 500 images, from data/mnist.npz", "data/figures data/runs"]
    assert sorted(path.name for path in machine.folder.rglob("*")) == ["data", "figures", "mnist.npz"]


def test_an_editable_install_opens_what_lies_in_the_clone(machine, origin, wheel, tmp_path):
    clone = tmp_path / "clone"
    assert run(["git", "clone", "--quiet", origin, clone], cwd=tmp_path).returncode == 0
    machine.environment.pop("https_proxy")
    install = [machine.python, "-m", "pip", "install", "--quiet", "--no-deps", *AT_HAND, "--editable", clone]
    done = run(install, cwd=machine.folder, **machine.environment)
    assert done.returncode == 0, done.stderr
    assert not (machine.site / "helpers").exists()
    done = machine.run("from helpers.plumbing import files; print(files.SHIPPED, files.DATA, files.runs_folder())")
    assert done.stdout.split() == [str(clone / "data"), str(clone / "data"), str(clone / "data" / "runs")], done.stderr
    done = run(["git", "status", "--porcelain"], cwd=clone)
    assert done.stdout == ""  # nothing was built in the clone


# ---- the set-up cell


@pytest.mark.parametrize("before", ["nothing", "an empty folder", "a folder without __init__.py"])
def test_the_cell_installs_the_project_and_replaces_nothing(online, before):
    way = online.folder / "helpers"
    if before != "nothing":
        way.mkdir()
    if before == "a folder without __init__.py":
        (way / "datasets.py").write_text("raise RuntimeError('half')\n", encoding="utf-8")
    versions = online.versions()
    assert NAME not in versions and "tensorflow" in versions
    succeeded, shown = online.notebook(colab.setup_cell(), TRY_IT)
    assert succeeded, shown
    assert str(online.site / "helpers") in shown
    assert "ERROR" not in shown and "WARNING: You are using pip" not in shown
    assert online.versions() == versions | {NAME: importlib.metadata.version(NAME)}
    shutil.rmtree(way, ignore_errors=True)
    assert list(online.folder.iterdir()) == []

    online.serve(online.folder / "nowhere")  # installed now: a new kernel asks nobody
    succeeded, shown = online.notebook(colab.setup_cell(), colab.setup_cell(), "print(helpers.__file__)")
    assert succeeded and shown.strip() == str(online.site / "helpers" / "__init__.py")


FOREIGN = {
    "a file": ("helpers.py", "def mine(): pass\n", "cannot import name 'weights' from 'helpers' ({folder}/helpers.py)"),
    "a package": (
        "helpers/__init__.py",
        "def mine(): pass\n",
        "cannot import name 'weights' from 'helpers' ({folder}/helpers/__init__.py)",
    ),
    "half of ours": (
        "helpers/__init__.py",
        (PROJECT / "helpers" / "__init__.py").read_text(encoding="utf-8"),
        "No module named 'helpers.plumbing'",
    ),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_what_is_in_the_way_is_named(machine, case):
    name, source, said = FOREIGN[case]
    (machine.folder / name).parent.mkdir(exist_ok=True)
    (machine.folder / name).write_text(source, encoding="utf-8")
    succeeded, shown = machine.notebook(colab.setup_cell(), "from helpers import weights")
    assert not succeeded
    assert said.format(folder=machine.folder) in shown.splitlines()[-1]
    assert name.partition("/")[2] in shown


@pytest.mark.parametrize("case", ["no git", "wrong address", "no connection"])
def test_pips_own_sentence_says_why_it_cannot(machine, tmp_path, case):
    expected = {
        "no git": "Cannot find command 'git'",
        "wrong address": "does not appear to be a git repository",
        "no connection": "unable to access",
    }
    if case == "no git":
        shell = tmp_path / "bin" / "sh"  # which IPython needs for %pip, where no $SHELL is set
        shell.parent.mkdir()
        shell.symlink_to(shutil.which("sh"))
        machine.environment["PATH"] = os.pathsep.join([str(machine.python.parent), str(shell.parent)])
    elif case == "wrong address":
        machine.serve(tmp_path / "nowhere.git")
    succeeded, shown = machine.notebook(colab.setup_cell(), "print('and so on')")
    assert not succeeded
    assert expected[case] in shown
    assert shown.strip().splitlines()[-1] == "ModuleNotFoundError: No module named 'helpers'"
    assert "and so on" not in shown
    assert list(machine.folder.iterdir()) == []
