"""The real sets, where they are on this machine."""

import pytest

from helpers import datasets


def real(name: str) -> datasets.Dataset:
    """A real set from $AUTOENCODER_DATA (default data/), or a skip with the reason."""
    folder, _ = datasets._data_folder()
    file = datasets._file_name(name)
    if not (folder / file).exists():
        pytest.skip(f"no {file} in $AUTOENCODER_DATA (default data/)")
    return datasets.load(name)
