"""The project as a visitor finds it: the README's commands and links, what may be installed, what lies where."""

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from test_notebooks import MACHINE_PATH, URL

from helpers.plumbing import colab
from helpers.plumbing.files import PROJECT

COMMANDS = (
    "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/jupyter lab notebooks",
    "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/pytest",
)
FOLDERS = {"notebooks", "helpers", "data", "tests", ".ci"}
FILES = {"README.md", "LICENSE", "requirements.txt", "pyproject.toml", ".gitignore"}
NOTEBOOKS = sorted(path.name for path in (PROJECT / "notebooks").glob("*.ipynb"))
COLAB_BADGE = re.compile(r"\[!\[[^\]]*\]\([^)]*colab-badge[^)]*\)\]\([^)]*\)")
LARGEST_BYTES = 16_000_000
MODELS_BYTES = 40_000_000  # all of them
NOT_TEXT = {".npz", ".png", ".jpg", ".webp", ".keras"}


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


def test_readme_tells_the_run_times_of_every_preset(readme):
    notebooks = len(list((PROJECT / "notebooks").glob("*.ipynb")))
    for preset in ("smoke", "quick", "full"):  # a column that says what it does, and one a notebook
        assert re.search(rf"^\| `{preset}`[^|]*\|[^|]+\|" + r"[^|]*\d[^|]*\|" * notebooks + "$", readme, re.M), preset


def test_readme_tells_the_environment_variables(readme):
    used = set()
    for path in (PROJECT / "helpers").glob("*.py"):
        used |= set(re.findall(r"environ\.get\(\s*\"(A\w+)\"", path.read_text(encoding="utf-8")))
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
        if Path(name).suffix in {".md", ".py", ".toml", ".ipynb"}:
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


# ---- what is installed


def test_no_version_is_pinned_or_capped():
    for requirement in [*requirements("requirements.txt"), *pyproject()["project"]["dependencies"]]:
        assert re.fullmatch(r"[\w.-]+>=[\d.]+", requirement), f"{requirement}: only a lower bound, please"


def test_requirements_install_the_project_and_what_runs_it():
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert "-e ." in lines
    assert {"jupyterlab", "nbval", "pytest", "pytest-xdist"} <= {re.match(r"[\w-]*", line).group() for line in lines}


def test_what_the_helpers_import_is_required():
    """Colab installs what pyproject names: a package that is only in somebody's environment would be missing there."""
    ours = {path.stem for path in (PROJECT / "helpers").glob("*.py")} | {"helpers"}
    required = {re.match(r"[\w-]+", line).group() for line in pyproject()["project"]["dependencies"]}
    known = {colab.IMPORT_NAMES.get(name, name.replace("-", "_")) for name in required} | {"IPython"}
    for path in (PROJECT / "helpers").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        imported = set(re.findall(r"^\s*(?:import|from) (\w+)", text, re.M))
        assert imported - ours - known - set(sys.stdlib_module_names) == set(), path.name


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
