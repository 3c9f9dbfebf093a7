"""JupyterLab in headless Chromium: for the browser tests, and to look at a saved notebook page by page.

    python tests/browser_tools.py NOTEBOOK FOLDER     saves FOLDER/page-01.png, page-02.png, ...

Needs Chromium or Chrome (or its path in $CHROMIUM) and the Python package `playwright`, not its own browsers.
"""

import importlib.util
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
SETTINGS = {
    # All cells stay in the page, so that they can be found and photographed.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none", "scrollPastEnd": False},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}

# A key press is timed inside the page: from the key's event to the first picture that it changed.
WATCH = """panel => {
    window.watched = {pressed: 0, times: []};
    panel.addEventListener('keydown', () => { window.watched.pressed = performance.now(); }, true);
    new MutationObserver(changes => {
        const now = performance.now();
        if (!changes.some(change => change.target.tagName === 'IMG')) return;
        if (window.watched.pressed) window.watched.times.push(now - window.watched.pressed);
        window.watched.pressed = 0;
    }).observe(panel, {subtree: true, attributes: true, attributeFilter: ['src']});
}"""


def chromium() -> str | None:
    """The path of a Chromium or Chrome on this machine."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


def what_is_missing() -> str:
    """What must be installed before a browser can be opened, in words; empty where nothing is missing."""
    if chromium() is None:
        return "Chromium is not installed (apt-get install chromium, or set CHROMIUM to its path)"
    if importlib.util.find_spec("playwright") is None:
        return "Playwright is not installed (pip install playwright)"
    return "" if importlib.util.find_spec("jupyterlab") else "JupyterLab is not installed"


def require() -> None:
    """Skip the test where there is no browser; fail it where REQUIRE_BROWSER=1."""
    if missing := what_is_missing():
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip)(missing)


def keep_screenshot(page, name: str) -> None:
    """Save what the page shows as $SCREENSHOTS/<name>.png, where that folder is named."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: its address, the token that opens it, and the file with its log."""

    address: str
    token: str
    log: Path


@contextmanager
def jupyterlab(root: Path, **environment: str) -> Iterator[Server]:
    """A JupyterLab on `root`, with settings of its own; its kernels get `environment`. Stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="jupyterlab-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        for plugin, values in SETTINGS.items():
            path = home / "config" / "lab" / "user-settings" / f"{plugin}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values), encoding="utf-8")
        folders = {f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        token = secrets.token_hex(16)
        log = home / "server.log"
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
            "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}", f"--IdentityProvider.token={token}",
            "--LabApp.expose_app_in_browser=True",
        ]  # fmt: skip
        env = {**os.environ, **folders, "JUPYTER_PLATFORM_DIRS": "1", **environment}
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT, cwd=root)
        server = Server(f"http://127.0.0.1:{port}", token, log)
        try:
            _wait_until_it_answers(server, process)
            yield server
        finally:
            process.terminate()  # the server ends its kernels
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_it_answers(server: Server, process: subprocess.Popen, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{server.address}/api?token={server.token}", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{server.log.read_text(encoding='utf-8', errors='replace')[-3000:]}")


@contextmanager
def browser() -> Iterator:
    """Headless Chromium, as Playwright has it; closed at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        try:
            yield started
        finally:
            started.close()


@contextmanager
def browser_page(width: int = 1280, height: int = 1024) -> Iterator:
    """A Playwright page in headless Chromium, that many pixels large."""
    with browser() as started:
        yield started.new_page(viewport={"width": width, "height": height})


NOTEBOOK_IS_READY = """() => {
    const panel = window.jupyterapp?.shell?.currentWidget;
    return panel?.content?.widgets?.length > 0 && panel.sessionContext?.session?.kernel?.status === 'idle';
}"""


def open_notebook(page, server: Server, name: str, *, seconds: float = 120) -> None:
    """Open a notebook of the server's folder alone on the page, and wait for its cells and its kernel."""
    page.goto(f"{server.address}/doc/tree/{name}?token={server.token}", timeout=seconds * 1000)
    page.wait_for_function(NOTEBOOK_IS_READY, timeout=seconds * 1000)


def start_all(page) -> None:
    """Start running all cells; `window.ranAll` is true when they are done."""
    page.evaluate("""() => {
        window.ranAll = false;
        window.jupyterapp.commands.execute('notebook:run-all-cells').finally(() => { window.ranAll = true; });
    }""")


def wait_for_all(page, *, seconds: float) -> None:
    """Wait until all cells have run; raises Playwright's TimeoutError where they are not done in time."""
    page.wait_for_function("window.ranAll", timeout=seconds * 1000)


def run_all(page, *, seconds: float) -> None:
    """Run all cells; raises Playwright's TimeoutError where they are not done in time."""
    start_all(page)
    wait_for_all(page, seconds=seconds)


def cells(page) -> list[dict]:
    """The notebook's cells as they are on the page now, as a notebook file would hold them."""
    return page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.map(c => c.model.sharedModel.toJSON())")


def cell(page, name: str):
    """The cell with this id, as a locator: what it shows included."""
    return page.locator(".jp-Notebook .jp-Cell").nth([one["id"] for one in cells(page)].index(name))


def errors(page) -> list[str]:
    """The error outputs on the page: "cell 3: ValueError: ..."."""
    return [
        f"cell {number}: {output['ename']}: {output['evalue']}"
        for number, cell in enumerate(cells(page), start=1)
        for output in cell.get("outputs", [])
        if output["output_type"] == "error"
    ]


# The element that scrolls is another one in each of JupyterLab's windowing modes.
SCROLLER = """() => {
    const scrolls = element => element.scrollHeight > element.clientHeight + 1
        && ['auto', 'scroll'].includes(getComputedStyle(element).overflowY);
    const panel = window.jupyterapp.shell.currentWidget.node;
    const around = [...panel.querySelectorAll('*')].filter(element => element.querySelector('.jp-Cell'));
    return around.find(scrolls) ?? panel;
}"""


def photograph(page, folder: Path, *, name: str = "page") -> list[Path]:
    """Scroll through the notebook and save what is seen, a file per page."""
    folder.mkdir(parents=True, exist_ok=True)
    outer = page.evaluate_handle(SCROLLER)
    outer.evaluate("element => { element.scrollTop = 0; }")
    shots: list[Path] = []
    while True:
        page.wait_for_timeout(300)  # formulas are set after they come into sight
        shots.append(folder / f"{name}-{len(shots) + 1:02d}.png")
        page.screenshot(path=shots[-1])
        moved = outer.evaluate("""element => {
            const before = element.scrollTop;
            element.scrollTop += 0.92 * element.clientHeight;
            return element.scrollTop - before;
        }""")
        if moved < 2 or len(shots) >= 200:
            return shots


def screenshots(notebook: Path, folder: Path, *, width: int = 1280, height: int = 1024) -> list[Path]:
    """Open a saved notebook without running it, and save a picture of every page of it."""
    with tempfile.TemporaryDirectory(prefix="notebook-") as root:
        shutil.copy(notebook, root)
        with jupyterlab(Path(root)) as server, browser_page(width, height) as page:
            open_notebook(page, server, notebook.name)
            return photograph(page, folder)


if __name__ == "__main__":
    if len(sys.argv) != 3 or what_is_missing():
        sys.exit(what_is_missing() or __doc__)
    saved = screenshots(Path(sys.argv[1]), Path(sys.argv[2]))
    print(f"{len(saved)} pages in {sys.argv[2]}")
