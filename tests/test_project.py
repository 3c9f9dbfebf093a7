"""The project as a visitor finds it: the README's commands and links, what may be installed, what lies where."""

import ast
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from test_notebooks import MACHINE_PATH, URL

import helpers
from helpers.plumbing import colab
from helpers.plumbing.files import PROJECT

COMMANDS = (
    "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/jupyter lab notebooks",
    "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/pytest",
)
FOLDERS = {"notebooks", "helpers", "data", "tests", ".ci", ".github"}
FILES = {"README.md", "CONTRIBUTING.md", "CITATION.cff", "LICENSE", "requirements.txt", "pyproject.toml", ".gitignore"}
NOTEBOOKS = sorted(path.name for path in (PROJECT / "notebooks").glob("*.ipynb"))
COLAB_BADGE = re.compile(r"\[!\[[^\]]*\]\([^)]*colab-badge[^)]*\)\]\([^)]*\)")
LARGEST_BYTES = 16_000_000
MODELS_BYTES = 60_000_000  # all of them
NOT_TEXT = {".npz", ".png", ".jpg", ".webp", ".keras"}
IMPORT_NAMES = {
    "pillow": "PIL", "scikit-image": "skimage", "scikit-learn": "sklearn", "opencv-python-headless": "cv2",
}  # fmt: skip
CAPS = {"opencv-python-headless": ",<5"}  # later ones have no detector of eyes
MODULES = {
    ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((PROJECT / "helpers").rglob("*.py"))
}  # {"helpers.plumbing.files": its path}


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[str]:
    """Every file that git has or would add, relative to the project; also where the project came as an archive."""
    index = {"GIT_DIR": str(tmp_path_factory.mktemp("git")), "GIT_WORK_TREE": str(PROJECT)}
    environment = {**os.environ, **index, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", "init", "--quiet"], check=True, env=environment, cwd=PROJECT)
    listing = ["git", "ls-files", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(listing, check=True, env=environment, cwd=PROJECT, capture_output=True, text=True)
    return [name for name in done.stdout.split("\0") if name]


@pytest.fixture(scope="module")
def readme() -> str:
    return (PROJECT / "README.md").read_text(encoding="utf-8")


def requirements(name: str) -> list[str]:
    lines = (PROJECT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith(("#", "-e"))]


def pyproject() -> dict:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))


# ---- the README


@pytest.mark.parametrize("command", COMMANDS, ids=["to open the notebooks", "to test"])
def test_readme_gives_the_command_once_on_one_line(readme, command):
    assert readme.splitlines().count(command) == 1


def test_readme_tells_the_environment_variables(readme):
    used = set()
    for path in MODULES.values():
        used |= set(re.findall(r"(?:environ\.get|chosen_folder)\(\s*\"(A\w+)\"", path.read_text(encoding="utf-8")))
    assert used >= {"AE_PRESET", "AUTOENCODER_DATA", "AUTOENCODER_RUNS"}
    assert not {name for name in used if f"| `{name}` |" not in readme}


def test_nothing_is_left_to_fill_in(readme):
    assert [line for line in readme.splitlines() if "<!-- fill -->" in line or "TODO" in line] == []


def test_badges_are_those_of_the_notebooks(readme):
    assert sorted(COLAB_BADGE.findall(readme)) == sorted(colab.badge(name) for name in NOTEBOOKS)


def test_one_address_everywhere(files):
    """Every GitHub address with the project's name in it is the one in pyproject.toml."""
    owner_and_name = colab.address().removeprefix("https://github.com/")
    for name in files:
        if Path(name).suffix in {".md", ".py", ".toml", ".ipynb", ".cff", ".yml"}:
            text = (PROJECT / name).read_text(encoding="utf-8")
            found = set(re.findall(rf"github(?:\.com)?/([\w.-]+/{owner_and_name.rpartition('/')[2]})\b", text))
            assert found <= {owner_and_name}, name


def test_links_in_the_texts_lead_somewhere(files):
    for name in files:
        if not name.endswith(".md"):
            continue
        text = (PROJECT / name).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.*)$", text, re.M)
        anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            place, _, anchor = target.partition("#")
            if not target.startswith(("http://", "https://")):
                assert (PROJECT / name).parent.joinpath(place).exists(), f"{name}: {target}"
                assert place or anchor in anchors, f"{name}: {target}"


def test_the_workflow_runs_what_the_readme_promises(readme):
    workflow = yaml.safe_load((PROJECT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8"))
    assert {"push", "schedule"} <= set(workflow[True])  # YAML takes "on" for true
    job = workflow["jobs"]["check"]
    assert {"run": ".ci/run"} in job["steps"]
    *first, last = job["strategy"]["matrix"]["python"]
    assert f"with Python {', '.join(first)} or {last};" in readme
    assert pyproject()["project"]["requires-python"] == f">={first[0]}"


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == pyproject()["project"]["version"]
    assert citation["repository-code"] == colab.address()
    assert {"cff-version", "message", "title", "authors"} <= set(citation)


# ---- what is installed


def test_no_version_is_pinned_or_capped():
    project = pyproject()["project"]
    extras = [one for extra in project["optional-dependencies"].values() for one in extra]
    for requirement in [*requirements("requirements.txt"), *project["dependencies"], *extras]:
        requirement = requirement.removesuffix(CAPS.get(re.match(r"[\w-]+", requirement).group(), ""))
        assert re.fullmatch(r"[\w.-]+>=[\d.]+", requirement), f"{requirement}: only a lower bound, please"


def test_requirements_install_the_project_and_what_runs_it():
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert "-e ." in lines
    assert {"jupyterlab", "nbval", "pytest", "pytest-xdist"} <= {re.match(r"[\w-]*", line).group() for line in lines}


def test_what_the_helpers_import_is_required():
    """pip installs what pyproject names: what is only in somebody's environment would be missing elsewhere."""
    project = pyproject()["project"]
    required = {re.match(r"[\w-]+", line).group() for line in project["dependencies"]}
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    extra = {IMPORT_NAMES.get(name, name) for name in (re.match(r"[\w-]+", line).group() for line in extras)}
    known = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in required} | {"IPython", "helpers"}
    for name, path in MODULES.items():
        used = {one.split(".")[0] for one in imports(name, path.read_text(encoding="utf-8"))}
        here = known | (extra if name.startswith("helpers.lab.") else set())
        if name == "helpers.plumbing.site":  # which says so where JupyterLab, and with it these, are missing
            here |= {"nbconvert", "nbformat", "pygments"}
        assert used - here - set(sys.stdlib_module_names) == set(), name


# ---- who imports whom


def imports(module: str, source: str) -> set[str]:
    """All that a module imports, inside functions too, as full names: {"helpers.datasets.load", "numpy"}."""
    package = module.split(".")
    if MODULES.get(module, Path("x.py")).name != "__init__.py":
        package = package[:-1]
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = [*above, *([node.module] if node.module else [])]
            found |= {".".join([*base, alias.name]) for alias in node.names}
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):  # import_module("helpers.lab")
            found |= {value.value for value in node.args if isinstance(getattr(value, "value", None), str)}
    return found


def import_order() -> list[str]:
    """The modules from left to right, as the docstring of helpers/__init__.py has them."""
    return re.findall(r"\w+", " ".join(line for line in helpers.__doc__.splitlines() if "->" in line))


def wrong_imports(module: str, source: str) -> list[str]:
    """What a module of helpers must not import: the lab, a notebook, anything to its right; sentences."""
    order, own = import_order(), (module.split(".") + [""])[1]
    if own not in (*order, "lab", "plumbing", ""):
        return [f"{module} is not in the order that helpers/__init__.py gives"]
    allowed = {
        "": {"plumbing"},
        "plumbing": {"plumbing"},
        "lab": {"lab", "plumbing", *order},
    }.get(own) or {"plumbing", *order[: order.index(own) + 1]}
    wrong = []
    for name in sorted(imports(module, source)):
        top, _, rest = name.partition(".")
        if top == "notebooks" or (top == "helpers" and rest.split(".")[0] not in allowed):
            wrong.append(f"{module} imports {name}")
    return wrong


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_its_left(module):
    assert wrong_imports(module, MODULES[module].read_text(encoding="utf-8")) == []


def test_the_order_names_every_module_and_the_readme_has_it_too(readme):
    parts = {name.split(".")[1] for name in MODULES if "." in name} - {"lab", "plumbing"}
    assert sorted(import_order()) == sorted(parts)
    said = [line for line in readme.splitlines() if line.startswith("    ") and "->" in line]
    assert import_order() == re.findall(r"\w+", " ".join(said))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("helpers.metrics", "from .lab import training"),
        ("helpers.metrics", "from . import lab"),
        ("helpers.metrics", "import numpy, helpers.lab.presets"),
        ("helpers.metrics", "def f():\n    from helpers.lab.training import fit"),
        ("helpers.metrics", "import importlib\nlab = importlib.import_module('helpers.lab')"),
        ("helpers.metrics", "from .plots import mosaic"),
        ("helpers.datasets", "if True:\n    from . import photos, pairs"),
        ("helpers.explorer", "from ..lab import presets"),
        ("helpers.explorer", "from .. import lab"),
        ("helpers.plumbing.files", "from ..datasets import load"),
        ("helpers.plumbing.files", "from helpers import weights"),
        ("helpers", "from . import datasets"),
        ("helpers.lab.training", "from notebooks import lesson"),
        ("helpers.something_new", "import numpy"),
    ],
)
def test_a_wrong_import_is_found(module, source):
    assert len(wrong_imports(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("helpers.metrics", "import numpy as np\nfrom .colors import to_ab\nfrom .plumbing.files import DATA"),
        ("helpers.explorer", "from ..plots import tile\nfrom .. import widgets\nfrom . import explorer"),
        ("helpers.lab.training", "from . import presets\nfrom .. import models, plots\nfrom ..plumbing import files"),
        ("helpers.plumbing.colab", "from .files import PROJECT"),
    ],
)
def test_a_right_import_is_let_pass(module, source):
    assert wrong_imports(module, source) == []


# ---- what lies where


def test_top_level(files):
    assert {name.split("/")[0] for name in files if "/" in name} <= FOLDERS
    assert {name for name in files if "/" not in name} == FILES


def test_every_folder_is_described_in_the_readme(readme):
    assert not [name for name in FOLDERS if f"| `{name}/" not in readme]


def test_no_file_is_too_large(files):
    assert not [name for name in files if (PROJECT / name).stat().st_size > LARGEST_BYTES]


def test_no_file_names_a_machine(files):
    """Notebooks have a rule of their own in test_notebooks.py."""
    for name in files:
        path = PROJECT / name
        if path.suffix in {".ipynb", *NOT_TEXT} or path.name == "test_notebooks.py":  # whose bad notebooks name some
            continue
        text = URL.sub("", path.read_text(encoding="utf-8"))
        assert not MACHINE_PATH.search(text), f"{name}: {MACHINE_PATH.search(text).group()}"


def test_published_models_are_described_and_whole():
    folder = PROJECT / "data" / "weights"
    there = {path.name for path in folder.iterdir() if path.suffix in {".keras", ".npz"}}
    lines = (folder / "README.md").read_text(encoding="utf-8").splitlines()
    rows = "\n".join(line.split(" | ")[0] for line in lines if line.startswith("| `"))
    described = set(re.findall(r"`([\w.]+\.(?:keras|npz))`", rows))
    assert there == described
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {name: digest for digest, name in (line.split() for line in lines)}
    assert sums == {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in there}
    assert sum((folder / name).stat().st_size for name in there) <= MODELS_BYTES


def test_the_ci_script_runs_what_the_readme_says():
    script = PROJECT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    text = script.read_text(encoding="utf-8")
    assert "set -euo pipefail" in text
    pattern = re.search(r"grep -x '([^']+)' README\.md", text).group(1)
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert [line for line in readme.splitlines() if re.fullmatch(pattern, line)] == [COMMANDS[1]]
    subprocess.run(["bash", "-n", script], check=True)


def test_ruff_has_nothing_to_say():
    if importlib.util.find_spec("ruff") is None:
        pytest.skip("ruff is not installed (pip install ruff)")
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "."], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
