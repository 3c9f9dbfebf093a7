"""The real sets, where they are on this machine."""

import os
from unittest import mock

import pytest

from helpers import datasets


def real(name: str) -> datasets.Dataset:
    """A real set from $AUTOENCODER_DATA (default data/), or a skip with the reason."""
    folder, _ = datasets._data_folder()
    file = datasets._file_name(name)
    if not (folder / file).exists():
        pytest.skip(f"no {file} in $AUTOENCODER_DATA (default data/)")
    with mock.patch.dict(os.environ):
        os.environ.pop("AE_PRESET", None)  # which asks for synthetic images
        return datasets.load(name)
