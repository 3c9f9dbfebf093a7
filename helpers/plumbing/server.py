"""A Jupyter server extension that passes on at once what a kernel says.

A kernel answers a slider with several small messages. By default the socket to the browser holds back all but the first
until the browser has acknowledged it (Nagle's algorithm, RFC 896), and a browser on the same machine takes up to 40 ms
for that (delayed acknowledgement, RFC 1122): about every second picture is that late. server.json, which is
installed as one of the environment's settings of Jupyter, makes its servers load this module.
"""


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "helpers.plumbing.server"}]


def _load_jupyter_server_extension(server) -> None:
    """Called by the Jupyter server at its start: connections between kernels and pages get TCP_NODELAY."""
    settings = server.web_app.settings
    usual = settings["kernel_websocket_connection_class"]

    class PromptConnection(usual):
        def connect(self):
            self.websocket_handler.set_nodelay(True)
            return super().connect()

    settings["kernel_websocket_connection_class"] = PromptConnection
