"""Lessons as on Colab: another machine's Python 3.13, ipywidgets 7.7 with Notebook 6, a lesson alone in a folder.

    python tests/as_on_colab.py [LESSON ...]      "02_mnist_denoising.ipynb"; without a name, all finished lessons

The environment has what the project needs but for one package, as on Colab, and not the project: the set-up cell
installs it from a local address. All cells run in the `smoke` preset in a browser, the sliders are moved, and then
`pip freeze` must be as before, but for what was missing.

Python comes from Debian's trixie, which debootstrap lays out in a folder (as root), else from a python3.13 on the PATH.
Needs Chromium and Playwright too, and PyPI. Says what is missing and ends with 0 where it cannot run.
AS_ON_COLAB names a folder to keep the environment in, for another time.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import browser_tools
from lessons import LESSONS
from test_install import repository

from helpers.plumbing import colab
from helpers.plumbing.files import PROJECT

MISSING = ("anywidget",)  # what the set-up cell is to bring along, beside the project
BROUGHT = {"anywidget", "psygnal", "autoencoder-notebooks"}
OLD = ("ipywidgets>=7.7,<7.8", "notebook>=6.5,<7")
# By default Notebook 6 drops what comes faster than 1 MB/s, a widget too: not what is tested here.
UNLIMITED = ("--NotebookApp.iopub_data_rate_limit=1e9", "--NotebookApp.iopub_msg_rate_limit=1e6")
MIRROR = "http://deb.debian.org/debian"
SECONDS = 3600  # for one lesson, on a busy machine

RUN_ALL = "() => { Jupyter.notebook.execute_all_cells(); }"
IS_READY = "() => window.Jupyter?.notebook?.kernel?.is_connected() && Jupyter.notebook.get_cells().length > 3"
RAN = """() => Jupyter.notebook.get_cells().every(
    cell => cell.cell_type !== 'code' || !cell.get_text().trim() || Number.isInteger(cell.input_prompt_number))"""
FAILED = """() => Jupyter.notebook.get_cells().flatMap(cell => cell.output_area?.outputs ?? [])
    .filter(output => output.output_type === 'error').map(output => `${output.ename}: ${output.evalue}`)"""
PICTURES = "() => [...document.querySelectorAll('.widget-image')].map(image => image.src)"

CHANGED = f"before => String(({PICTURES})()) !== String(before)"


class Machine:
    """A Python 3.13 with a root folder of its own, or this machine's."""

    def __init__(self, home: Path):
        self.home, self.root, self.inside = home, None, []
        if can_bootstrap():
            self.root = home / "trixie"
            # What is mounted, and all processes, go with the command. pip in a notebook asks for a terminal: devpts.
            mounted = 'mount -t proc proc "$0/proc" && mount -t devpts devpts "$0/dev/pts" && exec chroot "$0" "$@"'
            self.inside = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", mounted, str(self.root)]
        self.python = self.path("venv") / "bin" / "python"

    def path(self, name: str) -> Path:
        """A file's path as the machine has it."""
        return Path("/", name) if self.root else self.home / name

    def here(self, name: str) -> Path:
        """The same as this process has it."""
        return (self.root or self.home) / name

    def start(self, *command, folder: str = "", **environment: str) -> subprocess.Popen:
        kept = {key: value for key, value in os.environ.items() if key.startswith(("PIP_", "http", "no_proxy", "PATH"))}
        env = kept | {"HOME": str(self.path("")), "LANG": "C.UTF-8", "GIT_CONFIG_GLOBAL": os.devnull} | environment
        line = [*self.inside, "sh", "-c", 'cd "$0" && exec "$@"', str(self.path(folder)), *map(str, command)]
        return subprocess.Popen(line, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *command, **environment: str) -> str:
        process = self.start(*command, **environment)
        shown, _ = process.communicate()
        if process.returncode:
            sys.exit(f"{' '.join(map(str, command))}:\n{shown[-3000:]}")
        return shown

    def versions(self) -> dict[str, str]:
        lines = self.run(self.python, "-m", "pip", "list", "--format=freeze").splitlines()
        return dict(line.split("==") for line in lines if "==" in line)


def can_bootstrap() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and bool(shutil.which("debootstrap"))


def other_python() -> str | None:
    """A python3.13 on the PATH that runs: a shim of pyenv may not."""
    found = shutil.which("python3.13")
    if found and subprocess.run([found, "-c", "import venv"], capture_output=True).returncode == 0:
        return found
    return None


def what_is_missing() -> str:
    if not can_bootstrap() and not other_python():
        return "Python 3.13 is not on the PATH, and debootstrap is not installed or this is not root"
    return browser_tools.what_is_missing()


def lay_out(machine: Machine) -> None:
    """Python, and everything that Colab has already."""
    if machine.root and not (machine.root / "usr/bin/python3").exists():
        include = "--include=python3,python3-venv,git,ca-certificates"
        command = ["debootstrap", "--variant=minbase", include, "trixie", machine.root, MIRROR]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True)
        if done.returncode:
            print(f"Left out: debootstrap could not lay out Debian ({(done.stdout or done.stderr).splitlines()[-1]})")
            sys.exit(0)
        for name in ("etc/resolv.conf", "etc/hosts", "etc/ssl/certs/ca-certificates.crt"):
            if Path("/", name).exists():  # of a machine that reaches the world in its own way
                shutil.copyfile(Path("/", name), machine.root / name)
    if not machine.here("venv").exists():
        machine.run("/usr/bin/python3" if machine.root else other_python(), "-m", "venv", machine.path("venv"))
        project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        needed = [one for one in project["dependencies"] if not one.startswith((*MISSING, "ipywidgets"))]
        machine.run(machine.python, "-m", "pip", "install", "--quiet", *needed, *OLD)
    shutil.rmtree(machine.here("repository.git"), ignore_errors=True)
    repository(machine.here("repository.git"))
    machine.run(machine.python, "-m", "pip", "uninstall", "--quiet", "--yes", *BROUGHT)


@contextmanager
def notebook_server(machine: Machine, folder: str) -> Iterator[str]:
    """Notebook 6 on a folder; gives its address with a %s for the page."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, address = secrets.token_hex(16), f"http://127.0.0.1:{port}"
    process = machine.start(
        machine.python, "-m", "notebook", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        f"--NotebookApp.token={token}", "--NotebookApp.port_retries=0", *UNLIMITED, folder=folder, AE_PRESET="smoke",
        GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0=f"url.{machine.path('repository.git').as_uri()}.insteadOf",
        GIT_CONFIG_VALUE_0=colab.address(), MPLBACKEND="module://matplotlib_inline.backend_inline",
    )  # fmt: skip
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/api?token={token}", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                if process.poll() is not None:
                    sys.exit(f"Notebook 6 did not start:\n{process.stdout.read()[-3000:]}")
                time.sleep(0.5)
        yield f"{address}/notebooks/%s?token={token}"
    finally:
        process.kill()  # unshare hears no gentler word, and takes the server and its kernels along
        process.wait()


def run_lesson(machine: Machine, name: str) -> None:
    folder = f"content-{name.partition('_')[0]}"
    shutil.rmtree(machine.here(folder), ignore_errors=True)
    machine.here(folder).mkdir()
    shutil.copy(PROJECT / "notebooks" / name, machine.here(folder))
    with notebook_server(machine, folder) as address, browser_tools.browser_page() as page:
        page.set_default_timeout(300_000)  # milliseconds
        page.goto(address % name)
        page.wait_for_function(IS_READY)
        page.evaluate("() => Jupyter.notebook.clear_all_output()")
        page.evaluate(RUN_ALL)
        started = time.monotonic()
        while not page.evaluate(RAN) and not page.evaluate(FAILED):
            if time.monotonic() - started > SECONDS:
                sys.exit(f"{name}: not done after {SECONDS} s")
            page.wait_for_timeout(2_000)
        if errors := page.evaluate(FAILED):
            sys.exit(f"{name}: {errors[0]}")
        seconds = time.monotonic() - started
        moved = move_sliders(page)
        print(f"{name}: all cells ran in {seconds:.0f} s, {moved} sliders moved pictures", flush=True)
    left = sorted(path.name for path in machine.here(folder).iterdir() if not path.name.startswith("."))
    print(f"{name}: in its folder now {', '.join(left)}")


def move_sliders(page) -> int:
    """Press the right and the left arrow key on each slider; how many of them changed a picture."""
    from playwright.sync_api import TimeoutError

    handles, moved = page.locator(".widget-slider .ui-slider-handle"), 0
    handles.first.wait_for()  # a widget appears a moment after its cell is done
    page.wait_for_timeout(2_000)
    for number in range(handles.count()):
        before = page.evaluate(PICTURES)
        handles.nth(number).scroll_into_view_if_needed()
        handles.nth(number).focus()
        for key in ("ArrowRight", "ArrowLeft", "ArrowLeft"):  # it may stand at its end
            handles.nth(number).press(key)
            try:
                page.wait_for_function(CHANGED, arg=before, timeout=20_000)
            except TimeoutError:
                continue
            moved += 1
            break
    if moved == 0:
        sys.exit(f"none of {handles.count()} sliders changed one of {len(page.evaluate(PICTURES))} pictures")
    return moved


def main() -> None:
    if missing := what_is_missing():
        print(f"Left out: {missing}")
        return
    with tempfile.TemporaryDirectory(prefix="as-on-colab-", ignore_cleanup_errors=True) as temporary:
        machine = Machine(Path(os.environ.get("AS_ON_COLAB") or temporary))
        machine.home.mkdir(exist_ok=True)
        lay_out(machine)
        before = machine.versions()
        python = machine.run(machine.python, "--version").strip()
        print(f"{python}, ipywidgets {before['ipywidgets']}, Notebook {before['notebook']}", flush=True)
        for name in sys.argv[1:] or LESSONS:
            run_lesson(machine, name)
        after = machine.versions()
        changes = sorted(set(before.items()) ^ set(after.items()))
        if {name for name, _ in changes} != BROUGHT or not before.keys().isdisjoint(BROUGHT):
            sys.exit(f"pip changed {changes}")
        print(f"pip installed {', '.join(name for name, _ in changes)} and changed nothing else")


if __name__ == "__main__":
    main()
