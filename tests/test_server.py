"""The Jupyter server extension that keeps sliders prompt; what it brings is timed by test_latent_notebook.py."""

import importlib.util
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from helpers.plumbing import server


class UsualConnection:
    """What a Jupyter server makes for each page that talks to a kernel."""

    def __init__(self, calls: list):
        self.calls = calls
        self.websocket_handler = SimpleNamespace(set_nodelay=lambda value: calls.append(("nodelay", value)))

    def connect(self):
        self.calls.append("connected")
        return "the future"


def test_connections_to_kernels_hold_nothing_back():
    settings, calls = {"kernel_websocket_connection_class": UsualConnection}, []
    server._load_jupyter_server_extension(SimpleNamespace(web_app=SimpleNamespace(settings=settings)))
    connection = settings["kernel_websocket_connection_class"](calls)
    assert connection.connect() == "the future"
    assert calls == [("nodelay", True), "connected"]


def test_the_installed_project_enables_it():
    if importlib.util.find_spec("jupyter_server") is None:
        pytest.skip("Jupyter Server is not installed")
    command = [sys.executable, "-m", "jupyter", "server", "extension", "list"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True)
    said = re.sub(r"\x1b\[\d+m", "", listed.stdout + listed.stderr)
    remedy = "what pip installed is not this version of the project; in its folder: pip install -e ."
    assert set(re.findall(r"\b(helpers[.\w]*) +enabled", said)) == {"helpers.plumbing.server"}, remedy
    assert re.search(r"helpers\.plumbing\.server .*OK", said), remedy
