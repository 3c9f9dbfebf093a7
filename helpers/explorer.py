"""The explorer of a 2-D latent space: sliders, a map that decodes under the pointer, a page that needs no Python."""

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import ipywidgets
import keras
import numpy as np
import traitlets
from PIL import Image
from scipy.spatial import cKDTree

from .files import whole_file
from .plots import tile
from .widgets import Live

try:
    import anywidget
except ImportError:  # the sliders do without it
    anywidget = None

SCRIPT = Path(__file__).with_name("explorer.js")
NEIGHBOURS, SHOWN = 15, 4  # as in explorer.js


@dataclass(frozen=True)
class Space:
    """One latent space to walk in: a decoder, and test images with their codes.

    decoder: codes (N, 2) to images (N, H, W, C) in [0, 1], made of Dense, Reshape and Conv2DTranspose layers. codes:
    (N, 2). images: uint8 (N, H, W, C) of the same size. labels: whole numbers (N,). extent: the map goes from -extent
    to extent both ways.
    """

    title: str
    decoder: keras.Model
    codes: np.ndarray
    images: np.ndarray
    labels: np.ndarray
    extent: float = 4.0

    @cached_property  # asked for at every move
    def reach(self) -> float:
        """How far from the nearest code z may be and still be "on the map": what all but 1 % of the codes keep."""
        gaps, _ = cKDTree(self.codes).query(self.codes, k=2)  # itself, and the nearest other
        return float(np.quantile(gaps[:, 1], 0.99))


@dataclass(frozen=True)
class Readout:
    """What a person is told of a place z: the nearest test images, their commonest class, and whether z is on the map.

    near: indices of the 15 nearest test images, nearest first. distances: theirs from z. label: their commonest class
    (of two equally common ones the one that comes first). share: how many of them are of that class, 0 to 1. off: no
    code lies within the space's reach.
    """

    near: np.ndarray
    distances: np.ndarray
    label: int
    share: float
    off: bool

    def words(self, z: Sequence[float], names: Sequence[str]) -> str:
        """The same in a line of text, which a screen reader can read."""
        place = ", ".join(f"{value:.2f}" for value in z)
        warning = "; off the map, no data lies nearby" if self.off else ""
        share = round(100 * self.share)
        return f"z = ({place}): {names[self.label]}, {share} % of the {len(self.near)} nearest{warning}"


def readout(space: Space, z: Sequence[float]) -> Readout:
    """What there is to tell of the place z, (2,), in a space."""
    distances = np.linalg.norm(space.codes - np.asarray(z), axis=1)
    near = np.argsort(distances, kind="stable")[:NEIGHBOURS]
    labels = space.labels[near].tolist()
    label = max(dict.fromkeys(labels), key=labels.count)  # dict.fromkeys keeps the order
    off = bool(distances[near[0]] > space.reach)
    return Readout(near, distances[near], label, labels.count(label) / len(near), off)


class Explorer(ipywidgets.VBox):
    """Sliders for z and for the cells of a grid, the decoded pictures, and, with anywidget, a map to drag over.

    All spaces are looked at under one z. The first slider walks the `cells` x `cells` grid of the square from the upper
    left, line by line. `live` holds the sliders "z0" and "z1" and the gallery; `cell` is the walking slider; `map` is
    the map's widget, or None. Raises ValueError where the spaces differ in their extent.
    """

    def __init__(self, spaces: Sequence[Space], names: Sequence[str], *, cells: int = 20, side: int = 224):
        if len({space.extent for space in spaces}) != 1:
            raise ValueError("spaces under one pointer need one extent; make them with the same extent=...")
        self.spaces, self.names, self.cells = list(spaces), list(names), cells
        self.extent = self.spaces[0].extent
        wide = ipywidgets.Layout(width="480px")
        limits = {"min": -self.extent, "max": self.extent, "step": self.extent / 100, "layout": wide}
        self.cell = ipywidgets.IntSlider(0, 0, cells * cells - 1, description="cell", layout=wide)
        sliders = {
            name: ipywidgets.FloatSlider(0.0, description=f"z[{k}]", **limits) for k, name in enumerate(("z0", "z1"))
        }
        self.map = _map(bundle(spaces, names)) if anywidget else None
        panel = ipywidgets.VBox([self.cell, *sliders.values()])
        self.live = Live(self.look, side=side, panel=panel, **sliders)
        super().__init__([*([self.map] if self.map else []), self.live])
        self.cell.observe(self._walk, names="value")
        if self.map:
            self.map.observe(lambda change: self._move(change["new"]), names="z")
            for slider in sliders.values():
                slider.observe(lambda change: self.map.set_trait("z", self.z), names="value")

    @property
    def z(self) -> list[float]:
        """Where the sliders stand."""
        return [self.live.controls[name].value for name in ("z0", "z1")]

    def look(self, z0: float, z1: float) -> dict:
        """The panels of a place: {title: (picture, caption)}, for each space the decoding and the nearest images."""
        panels = {}
        for space in self.spaces:
            told = readout(space, (z0, z1))
            decoded = space.decoder.predict_on_batch(np.array([[z0, z1]], np.float32))[0]
            panels[space.title] = (decoded, told.words((z0, z1), self.names))
            four = tile(space.images[told.near[:SHOWN]], columns=2, gap=0)
            distances = ", ".join(f"{distance:.2f}" for distance in told.distances[:SHOWN])
            panels[f"{space.title}: nearest test images"] = (four, f"at distances {distances}")
        return panels

    def _walk(self, change) -> None:
        line, column = divmod(change["new"], self.cells)
        centre = (np.arange(self.cells) + 0.5) / self.cells * 2 * self.extent - self.extent
        self._move([centre[column], -centre[line]])

    def _move(self, z: Sequence[float]) -> None:
        for name, value in zip(("z0", "z1"), z, strict=True):
            self.live.controls[name].value = float(value)


def _map(data: dict):
    class Map(anywidget.AnyWidget):
        _esm = SCRIPT.read_text(encoding="utf-8")
        data = traitlets.Dict().tag(sync=True)
        z = traitlets.List(traitlets.Float()).tag(sync=True)

    return Map(data=data, z=data["z"])


def bundle(spaces: Sequence[Space], names: Sequence[str], z: Sequence[float] = (0.0, 0.0)) -> dict:
    """Everything that explorer.js needs, as plain JSON. Raises ValueError for a layer that it cannot compute."""
    return {
        "names": list(names),
        "z": [float(value) for value in z],
        "spaces": [
            {
                "title": space.title,
                "extent": float(space.extent),
                "reach": space.reach,
                "layers": [_exported(layer) for layer in space.decoder.layers[1:]],
                "codes": _halves(space.codes),
                "labels": _base64(space.labels.astype(np.uint8).tobytes()),
                "images": _sheet(space.images),
            }
            for space in spaces
        ],
    }


def to_html(path: str | Path, spaces: Sequence[Space], names: Sequence[str], *, title: str = "Latent space") -> Path:
    """Write one self-contained page with the explorer, which needs neither a kernel nor a network."""
    path = Path(path)
    page = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f'<body style="margin: 24px; font-family: sans-serif"><h1>{title}</h1>{fragment(spaces, names)}</body></html>\n'
    )
    with whole_file(path) as partial:
        partial.write_text(page, encoding="utf-8")
    return path


def fragment(spaces: Sequence[Space], names: Sequence[str]) -> str:
    """The explorer as a piece of HTML with its script inside."""
    data = json.dumps(bundle(spaces, names), separators=(",", ":")).replace("<", "\\u003c")
    return (
        '<div id="explorer"></div>\n<script type="module">\n'
        f'{SCRIPT.read_text(encoding="utf-8")}\nmount(document.getElementById("explorer"), {data});\n</script>\n'
    )


def _exported(layer: keras.Layer) -> dict:
    if isinstance(layer, keras.layers.Reshape):
        return {"kind": "reshape", "shape": list(layer.target_shape)}
    if isinstance(layer, keras.layers.Dense):
        kernel, bias = layer.get_weights()
        made = {"kind": "dense"}
    elif isinstance(layer, keras.layers.Conv2DTranspose) and layer.padding == "same":
        kernel, bias = layer.get_weights()
        made = {"kind": "transposed", "size": kernel.shape[0], "stride": layer.strides[0], "outputs": kernel.shape[2]}
        kernel = kernel.transpose(0, 1, 3, 2)  # outputs last, as the script runs over them
    else:
        raise ValueError(f"the explorer's script cannot compute the layer {layer.name} ({type(layer).__name__})")
    return made | {"activation": layer.activation.__name__, "kernel": _halves(kernel), "bias": _halves(bias)}


def _halves(values: np.ndarray) -> str:
    return _base64(np.ascontiguousarray(values, "<f2").tobytes())


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _sheet(images: np.ndarray) -> str:
    """Images (N, H, W, C) one beside the other as the address of a PNG."""
    strip = images.transpose(1, 0, 2, 3).reshape(images.shape[1], -1, images.shape[-1])
    buffer = io.BytesIO()
    Image.fromarray(strip.squeeze()).save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{_base64(buffer.getvalue())}"
