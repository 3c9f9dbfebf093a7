"""TensorFlow without the lines that it writes for its own developers, and with its fast convolutions."""

import importlib.abc
import importlib.util
import logging
import os
import sys


def keep_tensorflow_quiet() -> None:
    """To be called before TensorFlow is imported; what somebody has set in the environment stays as it is.

    Its fast convolutions (oneDNN) are on by default only where a CPU has AVX-512: with AVX2 alone the networks of the
    lessons were measured three to four times slower without them.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # "retracing" is what happens when a lesson trains several networks
    logging.getLogger("tensorflow").addFilter(lambda record: record.levelno >= logging.ERROR)
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _Quietly())


class _Quietly(importlib.abc.MetaPathFinder):
    """Imports TensorFlow with file descriptor 2 thrown away: its C++ part writes there whatever the log level, and
    Jupyter would show it in red. Errors are still raised."""

    def find_spec(self, name, path=None, target=None):
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None:
            run = spec.loader.exec_module
            spec.loader.exec_module = lambda module: _without_stderr(run, module)
        return spec


def _without_stderr(run, module) -> None:
    sys.stderr.flush()
    shown, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        run(module)
    finally:
        os.dup2(shown, 2)
        os.close(nowhere)
        os.close(shown)
