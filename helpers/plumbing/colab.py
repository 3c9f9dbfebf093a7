"""The cell that opens every notebook, and the Colab badge.

The repository's address stands in pyproject.toml only. The tests compare what the notebooks and the README say with
what this module makes of it:

    python -m helpers.plumbing.colab         prints the cell and the badges
"""

import tomllib
from pathlib import Path

from .files import PROJECT

# A folder named "helpers" without code is no origin; what pip installs comes before it.
SETUP_CELL = """\
from importlib.util import find_spec

if not getattr(find_spec("helpers"), "origin", None):  # not here, as on Colab: pip fetches the project
    %pip install --quiet git+{address}
import helpers  # first of all: it keeps TensorFlow quiet"""

BADGE = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({link})"


def address(project: Path = PROJECT) -> str:
    """The repository's address, from pyproject.toml."""
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    return pyproject["project"]["urls"]["Repository"].rstrip("/")


def setup_cell(project: Path = PROJECT) -> str:
    """The source of the cell that opens every notebook: on Colab it installs the project, else it does nothing."""
    return SETUP_CELL.format(address=address(project))


def badge(notebook: str, project: Path = PROJECT) -> str:
    """Markdown of the badge that opens `notebook` ("02_mnist_denoising.ipynb") on Colab."""
    owner_and_name = address(project).removeprefix("https://github.com/")
    return BADGE.format(
        link=f"https://colab.research.google.com/github/{owner_and_name}/blob/main/notebooks/{notebook}"
    )


def main() -> None:
    print(setup_cell(), "", *(badge(path.name) for path in sorted((PROJECT / "notebooks").glob("*.ipynb"))), sep="\n")


if __name__ == "__main__":
    main()
