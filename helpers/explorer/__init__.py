"""The explorer of a 2-D latent space: sliders, a map that decodes under the pointer, a page that needs no Python.

Also the straight path between two codes, to play and to save. Taught in notebook 05.
"""

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

from ..plots import tile
from ..plumbing.files import figures_folder, whole_file
from ..widgets import Live, sentence

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
        self.live = _Patient(self.look, side=side, panel=panel, **sliders)
        for caption in self.live.gallery.captions.values():  # else a longer readout would push the pictures aside
            caption.layout = ipywidgets.Layout(width=f"{side}px", min_height="112px")
        super().__init__([*([self.map] if self.map else []), self.live])
        self.cell.observe(self._walk, names="value")
        if self.map:
            self.map.observe(lambda change: self._move(change["new"]), names="z")
            for slider in sliders.values():
                slider.observe(self._take_the_map_along, names="value")

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
            panels[f"{space.title}: nearest"] = (four, f"test images at distances {distances}")
        return panels

    def _walk(self, change) -> None:
        line, column = divmod(change["new"], self.cells)
        centre = (np.arange(self.cells) + 0.5) / self.cells * 2 * self.extent - self.extent
        self._move([centre[column], -centre[line]])
        self._take_the_map_along()

    def _move(self, z: Sequence[float]) -> None:
        """Both sliders at once: one new picture, which the page gets first, and no place between for the map."""
        if list(z) == self.z:
            return
        sliders = [self.live.controls[name] for name in ("z0", "z1")]
        with sliders[0].hold_sync(), sliders[1].hold_sync():
            self.live.waiting = True
            try:
                for slider, value in zip(sliders, z, strict=True):
                    slider.value = float(value)
            finally:
                self.live.waiting = False
            self.live._changed()

    def _take_the_map_along(self, change=None) -> None:
        if self.map and not self.live.waiting:
            self.map.z = self.z


class _Patient(Live):
    """Leaves the pictures as they are while `waiting`."""

    waiting = False

    def _changed(self, change=None) -> None:
        if not self.waiting:
            super()._changed(change)


class Walk(ipywidgets.VBox):
    """The straight path between the codes of two test images, played step by step, and saved as a GIF by a button.

    All spaces show the path between the same two images, whose numbers are those of the spaces' arrays. `live` holds
    the sliders "first", "second" and "step" and the gallery; `button` saves to data/figures/<file> and `message` says
    so. Raises ValueError where the spaces do not have equally many images.
    """

    def __init__(
        self,
        spaces: Sequence[Space],
        names: Sequence[str],
        *,
        first: int = 0,
        second: int = 1,
        steps: int = 24,
        side: int = 168,
        file: str = "walk.gif",
    ):
        if len({len(space.codes) for space in spaces}) != 1:
            raise ValueError("spaces side by side need the codes of the same images")
        self.spaces, self.names, self.steps, self.file = list(spaces), list(names), steps, file
        self._last: tuple[tuple[int, int], dict[str, np.ndarray]] | None = None
        last, wide = len(self.spaces[0].codes) - 1, ipywidgets.Layout(width="480px")
        ends = {
            name: ipywidgets.IntSlider(value, 0, last, description=label, layout=wide)
            for name, label, value in (("first", "from image", first), ("second", "to image", second))
        }
        step = ipywidgets.IntSlider(0, 0, steps - 1, description="step", layout=wide)
        play = ipywidgets.Play(value=0, min=0, max=steps - 1, interval=80)
        ipywidgets.jslink((play, "value"), (step, "value"))
        self.button = ipywidgets.Button(description="Save as GIF", icon="download")
        self.button.on_click(self._save)
        self.message = ipywidgets.HTML()
        row = ipywidgets.HBox([play, step])
        panel = ipywidgets.VBox([*ends.values(), row, ipywidgets.HBox([self.button, self.message])])
        self.live = Live(self.look, side=side, panel=panel, **ends, step=step)
        super().__init__([self.live])

    def path(self, first: int, second: int) -> dict[str, np.ndarray]:
        """What lies on the straight path between the codes of two images: {title: (steps, H, W, C) in [0, 1]}."""
        if self._last is None or self._last[0] != (first, second):  # decoded once, not at every step
            share = np.linspace(0, 1, self.steps, dtype=np.float32)[:, None]
            pictures = {
                space.title: space.decoder.predict_on_batch(
                    ((1 - share) * space.codes[first] + share * space.codes[second]).astype(np.float32)
                )
                for space in self.spaces
            }
            self._last = (first, second), pictures
        return self._last[1]

    def look(self, first: int, second: int, step: int) -> dict:
        """The panels of one step: {title: (picture, caption)}, the two images at the ends and each space's picture."""
        space = self.spaces[0]
        ends = {"from": first, "to": second}
        panels = {title: (space.images[k], self.names[space.labels[k]]) for title, k in ends.items()}
        steps = f"step {step + 1} of {self.steps}"
        return panels | {title: (pictures[step], steps) for title, pictures in self.path(first, second).items()}

    def save(self, path: str | Path | None = None) -> Path:
        """Save the path between the two chosen images, there and back, the spaces side by side; 80 ms a picture."""
        path = Path(path) if path else figures_folder() / self.file
        chosen = (self.live.controls[name].value for name in ("first", "second"))
        frames = np.concatenate(list(self.path(*chosen).values()), axis=2)
        frames = np.rint(255 * np.concatenate([frames, frames[-2:0:-1]])).astype(np.uint8)
        large = [Image.fromarray(frame.repeat(6, axis=0).repeat(6, axis=1).squeeze()) for frame in frames]
        with whole_file(path) as partial:
            large[0].save(partial, save_all=True, append_images=large[1:], duration=80, loop=0)
        return path

    def _save(self, button) -> None:
        try:
            self.message.value = f'<span role="status">saved: data/figures/{self.save().name}</span>'
        except Exception as error:  # every error is shown to the person: here nobody else would hear of it
            self.live.gallery.fail(sentence(error))


def _map(data: dict):
    class Map(anywidget.AnyWidget):
        _esm = SCRIPT.read_text(encoding="utf-8")
        data = traitlets.Dict().tag(sync=True)
        z = traitlets.List(traitlets.Float()).tag(sync=True)

    return Map(data=data, z=data["z"])


def bundle(spaces: Sequence[Space], names: Sequence[str], z: Sequence[float] = (0.0, 0.0)) -> dict:
    """Everything that explorer.js needs, as plain JSON. Raises ValueError for a layer that it cannot compute."""
    sheets = [_sheet(space.images) for space in spaces]
    different = list(dict.fromkeys(sheets))  # spaces of the same images share their pictures
    return {
        "names": list(names),
        "z": [float(value) for value in z],
        "sheets": different,
        "spaces": [
            {
                "title": space.title,
                "extent": float(space.extent),
                "reach": space.reach,
                "layers": [_exported(layer) for layer in space.decoder.layers[1:]],
                "codes": _halves(space.codes),
                "labels": _base64(space.labels.astype(np.uint8).tobytes()),
                "sheet": different.index(sheet),
            }
            for space, sheet in zip(spaces, sheets, strict=True)
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
