"""The Jupyter server extension that keeps sliders prompt; what it brings is timed by test_latent_notebook.py."""

from types import SimpleNamespace

import pytest
from jupyter_core.paths import jupyter_config_path

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
    manager = pytest.importorskip("jupyter_server.extension.config").ExtensionConfigManager
    enabled = manager(read_config_path=jupyter_config_path()).get_jpserver_extensions()
    ours = {name: state for name, state in enabled.items() if name.partition(".")[0] == "helpers"}
    remedy = "what pip installed is not this version of the project; in its folder: pip install -e ."
    assert ours == {server.__name__: True}, remedy
