"""The explorer of a 2-D latent space: maps under one pointer, in a notebook, on Colab, and as one file without Python.

Nothing here imports Keras, unless it is handed a Keras model: the published networks are read as arrays, so that the
explorer is there seconds after a notebook is opened. Taught in notebook 05.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from .. import datasets, weights
from ..plumbing.files import figures_folder, whole_file
from . import page
from .network import Network
from .space import COUNT, Names, Pairs, Space
from .widget import Explorer

__all__ = ["Explorer", "Network", "Space", "fragment", "published", "to_html", "walk"]

SETS = {"mnist": "", "fashion_mnist": "_fashion"}  # how the weights' names end
LAYERS = "dense layers 784-128-128-2 and back"
PUBLISHED = {
    "map_plain": ("Plain autoencoder", f"{LAYERS}; trained without sampling and the KL term"),
    "map_vae": ("Variational autoencoder", f"{LAYERS}; trained with sampling and the KL term (beta = 1)"),
}


def published(*sets: str, count: int = COUNT) -> Explorer:
    """The explorer with the published networks, on the first `count` test images of each set.

    sets: "mnist" and "fashion_mnist", by default both. Raises ValueError for another name, and as `datasets.load` and
    `weights.load` do.
    """
    pairs, names = {}, {}
    for name in sets or SETS:
        if name not in SETS:
            raise ValueError(f"there are published maps of {' and '.join(map(repr, SETS))}, not of {name!r}")
        data = datasets.load(name)
        shown = data.test[:count], data.test_labels[:count]
        title = datasets.TITLES[name]
        names[title] = list(data.class_names)
        pairs[title] = [
            Space(
                called,
                *(Network.read(weights.checked(f"{model}{SETS[name]}_{half}")) for half in ("encoder", "decoder")),
                *shown,
                details,
            )
            for model, (called, details) in PUBLISHED.items()
        ]
    return Explorer(pairs, names)


def fragment(explorer: Explorer | Pairs, names: Names | None = None) -> str:
    """The explorer as a piece of HTML that runs by itself, for `IPython.display.HTML`: a saved notebook shows it too.

    explorer: an Explorer, or what it is made of (pairs and names).
    """
    return page.fragment(*_parts(explorer, names))


def to_html(
    path: str | Path, explorer: Explorer | Pairs, names: Names | None = None, *, title: str = "Latent space"
) -> Path:
    """Write one page with the explorer that needs neither Python nor a network; gives its path.

    explorer: an Explorer, or what it is made of (pairs and names). With the published networks of both sets the file
    has less than 3 MB.
    """
    return page.to_html(path, *_parts(explorer, names), title=title)


def _parts(explorer: Explorer | Pairs, names: Names | None) -> tuple[Pairs, Names]:
    if isinstance(explorer, Explorer):
        return explorer.pairs, explorer.names
    if names is None:
        raise ValueError("give the names of the classes too: names={'MNIST': [...]}")
    return explorer, names


def walk(
    spaces: Space | Sequence[Space], first: int, second: int, *, steps: int = 24, path: str | Path | None = None
) -> Path:
    """Save a GIF of the straight walk between the codes of two test images, there and back, 80 ms a picture.

    spaces: one, or several side by side. first, second: numbers of test images. path: by default
    data/figures/walk.gif. Gives the path. Raises ValueError where an image is not there.
    """
    spaces = [spaces] if isinstance(spaces, Space) else list(spaces)
    least = min(len(space.codes) for space in spaces)
    if not (0 <= first < least and 0 <= second < least and steps > 1):
        raise ValueError(f"a walk goes from one of the images 0 to {least - 1} to another, in two steps or more")
    share = np.linspace(0, 1, steps)[:, None]
    ways = [space.decode((1 - share) * space.codes[first] + share * space.codes[second]) for space in spaces]
    frames = np.rint(255 * np.concatenate(ways, axis=2)).astype(np.uint8).repeat(6, axis=1).repeat(6, axis=2)
    there = [Image.fromarray(frame.squeeze(2) if frame.shape[2] == 1 else frame) for frame in frames]
    path = Path(path) if path else figures_folder() / "walk.gif"
    with whole_file(path) as partial:
        there[0].save(partial, save_all=True, append_images=[*there[1:], *there[-2:0:-1]], duration=80, loop=0)
    return path
