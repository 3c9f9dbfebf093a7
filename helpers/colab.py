"""The cell that opens every notebook, the Colab badge, and installing what is missing there; needs nothing but Python.

The repository's address stands in pyproject.toml only. The tests compare what the notebooks and the README say with
what this module makes of it:

    python -m helpers.colab         prints the cell and the badges
"""

import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from .files import PROJECT
from .quiet import start_tensorflow

# Cloned apart and then renamed, so that an interruption leaves no half repository under the final name.
SETUP_CELL = """\
# Set-up: nothing to do in JupyterLab. Colab gets the repository here, and only the packages that it lacks.
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec

if find_spec("helpers") is None:
    ADDRESS, FOLDER = "{address}", "{folder}"
    if not os.path.exists(FOLDER):
        with tempfile.TemporaryDirectory(dir=".") as apart:
            clone = ["git", "clone", "--quiet", "--depth=1", ADDRESS, f"{{apart}}/clone"]
            try:
                subprocess.run(clone, check=True, timeout=600, env={{**os.environ, "GIT_TERMINAL_PROMPT": "0"}})
            except (OSError, subprocess.SubprocessError):
                raise RuntimeError(f"Cannot fetch {{ADDRESS}}: check the connection, run this cell again.") from None
            os.rename(f"{{apart}}/clone", FOLDER)
    sys.path.insert(0, os.path.abspath(FOLDER))

from helpers import colab

colab.prepare()"""

BADGE = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({link})"
# Packages that are imported under another name than they are installed.
IMPORT_NAMES = {"pillow": "PIL", "scikit-image": "skimage", "scikit-learn": "sklearn"}


def address(project: Path = PROJECT) -> str:
    """The repository's address, from pyproject.toml."""
    return _pyproject(project)["urls"]["Repository"].rstrip("/")


def setup_cell(project: Path = PROJECT) -> str:
    """The source of the cell that opens every notebook: on Colab it fetches the repository, else it does nothing."""
    where = address(project)
    return SETUP_CELL.format(address=where, folder=where.rpartition("/")[2])


def badge(notebook: str, project: Path = PROJECT) -> str:
    """Markdown of the badge that opens `notebook` ("02_mnist_denoising.ipynb") on Colab."""
    owner_and_name = address(project).removeprefix("https://github.com/")
    return BADGE.format(
        link=f"https://colab.research.google.com/github/{owner_and_name}/blob/main/notebooks/{notebook}"
    )


def prepare(project: Path = PROJECT) -> None:
    """What every notebook needs before its first import: the packages that are missing, and a quiet TensorFlow."""
    install_missing(project)
    start_tensorflow()


def missing(project: Path = PROJECT) -> list[str]:
    """The requirements of pyproject.toml ("tqdm>=4.66") whose package cannot be imported here, in any version."""
    return [requirement for requirement in _pyproject(project)["dependencies"] if not _is_importable(requirement)]


def install_missing(project: Path = PROJECT) -> None:
    """Install the packages that are not there at all.

    What is there stays as it is, old or new: Colab's TensorFlow and NumPy are built for its machines. Says in one line
    what it did, nothing where there was nothing to do. Raises RuntimeError where pip fails.
    """
    wanted = missing(project)
    if not wanted:
        return
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "installed.txt"
        kept.write_text("".join(f"{line}\n" for line in _installed()), encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*pip, "--constraint", str(kept), *wanted], capture_output=True, text=True)
    if done.returncode:
        what = f"pip could not install {', '.join(wanted)}"
        why = "; ".join(line for line in done.stderr.splitlines() if line.startswith("ERROR"))
        raise RuntimeError(f"{what}: check the connection, run this cell again. {why}")
    importlib.invalidate_caches()
    print(f"Installed what was missing: {', '.join(wanted)}.")


def _is_importable(requirement: str) -> bool:
    # Asked by import name, not by pip's: builds of TensorFlow come under several names.
    name = re.match(r"[\w.-]+", requirement).group().lower()
    return importlib.util.find_spec(IMPORT_NAMES.get(name, name.replace("-", "_"))) is not None


def _installed() -> list[str]:
    """Everything that is installed, as "name==version" lines that pip must respect."""
    found = importlib.metadata.distributions()
    return sorted({f"{one.metadata['Name']}=={one.version}" for one in found if one.metadata["Name"] and one.version})


def _pyproject(project: Path) -> dict:
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def main() -> None:
    print(setup_cell(), "", *(badge(path.name) for path in sorted((PROJECT / "notebooks").glob("*.ipynb"))), sep="\n")


if __name__ == "__main__":
    main()
