"""Starting TensorFlow without the lines that it writes for its own developers."""

import importlib.util
import os
import sys


def start_tensorflow() -> None:
    """Import TensorFlow, where it is the backend, with its start-up lines thrown away; errors are still raised.

    Its C++ part writes them to file descriptor 2 whatever the log level, and Jupyter would show them in red.
    """
    other_backend = os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow"
    if "tensorflow" in sys.modules or other_backend or importlib.util.find_spec("tensorflow") is None:
        return
    sys.stderr.flush()
    shown = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import tensorflow as tf
    finally:
        os.dup2(shown, 2)
        os.close(nowhere)
        os.close(shown)
    tf.get_logger().setLevel("ERROR")  # "retracing" is what happens when a lesson trains several networks
