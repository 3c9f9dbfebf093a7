"""The explorer as a widget in JupyterLab and on Colab, with sliders that drive it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import ipywidgets
import numpy as np
import traitlets

from .page import script
from .space import Names, Pairs, Space, bundle, checked

try:
    import anywidget
except ImportError:  # the sliders do without it
    anywidget = None

CELLS = 20  # a side, as GRID in map.js
WIDE = "440px"


class Explorer(ipywidgets.VBox):
    """Maps of latent spaces under one pointer, and sliders for z[0], z[1] and the cell of a 20 x 20 grid over the map.

    pairs: {"MNIST": [Space, ...], "Fashion-MNIST": [...]}, one to three spaces a set, of the same images. names: {set:
    names of the classes}. Pointer and sliders move each other; the sliders belong to the map that was looked at last,
    at first the last one. `sliders` holds them: "z0", "z1", "cell". `map` is the map's widget; where there is no
    anywidget (or ipywidgets is older than 8) it is None, and the sliders have pictures of their own, in `live`.

    Raises ValueError where sets, spaces and names do not fit each other.
    """

    def __init__(self, pairs: Pairs, names: Names):
        checked(pairs, names)
        self.pairs = {name: list(spaces) for name, spaces in pairs.items()}
        self.names = {name: list(names[name]) for name in pairs}
        layout = ipywidgets.Layout(width=WIDE)
        self.sliders = {
            "z0": ipywidgets.FloatSlider(0.0, description="z[0]", layout=layout),
            "z1": ipywidgets.FloatSlider(0.0, description="z[1]", layout=layout),
            "cell": ipywidgets.IntSlider(0, 0, CELLS * CELLS - 1, description="cell", layout=layout),
        }
        self.map = self.live = None
        self._place = self._first()
        self._stretch()
        if anywidget and int(ipywidgets.__version__.split(".")[0]) >= 8:
            self.map = _map_class()(
                data=bundle(self.pairs, self.names), place=self._place, sliders=list(self.sliders.values())
            )
            row = ipywidgets.HBox(list(self.sliders.values()), layout=ipywidgets.Layout(flex_flow="row wrap"))
            super().__init__([self.map, row])
        else:
            self.live = _pictures(self)
            super().__init__([self.live])

    def __repr__(self) -> str:  # what a page shows where no widget runs
        return f"Explorer({', '.join(self.pairs)})"

    @property
    def place(self) -> dict:
        """Where one looks: {"set": name, "map": number of the space, "z": [z0, z1], "link": "picture"|"coordinates"}.

        To set it goes there; what is left out stays as it is.
        """
        return dict(self.map.place if self.map else self._place)

    @place.setter
    def place(self, place: Mapping) -> None:
        place = {**self.place, **place}
        if place["set"] not in self.pairs or not 0 <= place["map"] < len(self.pairs[place["set"]]):
            raise ValueError(f"there is no map {place['map']} of {place['set']!r}; sets: {', '.join(self.pairs)}")
        place["z"] = [float(value) for value in place["z"]]
        self._place = place
        if self.map:
            self.map.place = place
        else:
            self._stretch()

    @property
    def z(self) -> list[float]:
        """The two numbers under the pointer, on the map that was looked at last."""
        return list(self.place["z"])

    @property
    def space(self) -> Space:
        """The space whose map was looked at last."""
        place = self.place
        return self.pairs[place["set"]][place["map"]]

    def _first(self) -> dict:
        name = next(iter(self.pairs))
        last = len(self.pairs[name]) - 1
        return {"set": name, "map": last, "z": self.pairs[name][last].codes[0].tolist(), "link": "picture"}

    def _stretch(self) -> None:
        """The sliders' ends, for the map they belong to, and their values."""
        space = self.pairs[self._place["set"]][self._place["map"]]
        for slider, middle, value in zip(self._numbers(), space.centre, self._place["z"], strict=True):
            low, high = float(min(middle - space.half, value)), float(max(middle + space.half, value))
            with slider.hold_trait_notifications():
                slider.min, slider.max, slider.step, slider.value = low, high, space.half / 100, value

    def _numbers(self) -> list[ipywidgets.FloatSlider]:
        return [self.sliders["z0"], self.sliders["z1"]]


@cache
def _map_class() -> type:
    class Map(anywidget.AnyWidget):
        _esm = script()
        data = traitlets.Dict().tag(sync=True)
        place = traitlets.Dict().tag(sync=True)
        sliders = traitlets.List().tag(sync=True, **ipywidgets.widget_serialization)

    return Map


def _pictures(explorer: Explorer) -> ipywidgets.Widget:
    """Sliders with pictures: what is decoded at z, the nearest test images, the nearest rebuilt by the others."""
    from .. import plots, widgets  # matplotlib takes a moment, and the map does without it

    numbers, cell = explorer._numbers(), explorer.sliders["cell"]
    titles = [
        (f"{name}: {space.title}", (name, k))
        for name, spaces in explorer.pairs.items()
        for k, space in enumerate(spaces)
    ]
    place = explorer.place
    chooser = ipywidgets.Dropdown(options=titles, value=(place["set"], place["map"]), description="map")

    def look(z0: float, z1: float) -> dict:
        explorer._place["z"] = [z0, z1]
        space, names = explorer.space, explorer.names[explorer.place["set"]]
        near, distances = space.nearest((z0, z1))
        warning = "NO DATA NEAR; " if distances[0] > space.reach else ""
        four = plots.tile(space.images[near], columns=2, gap=0)
        panels = {
            space.title: (space.decode([(z0, z1)])[0], f"{warning}z = ({z0:.2f}, {z1:.2f})"),
            "nearest test images": (four, ", ".join(names[space.labels[k]] for k in near)),
        }
        for other in explorer.pairs[explorer.place["set"]]:
            if other is not space:
                panels[f"{other.title}: the nearest, rebuilt"] = (
                    other.decode(other.codes[near[:1]])[0],
                    f"z = ({other.codes[near[0]][0]:.2f}, {other.codes[near[0]][1]:.2f})",
                )
        return panels

    def walk(change) -> None:
        space = explorer.space
        row, column = divmod(change["new"], CELLS)
        middles = (np.arange(CELLS) + 0.5) / CELLS * 2 * space.half - space.half
        explorer.place = {"z": [space.centre[0] + middles[column], space.centre[1] - middles[row]]}

    def other_map(change) -> None:
        name, k = change["new"]
        explorer.place = {"set": name, "map": k, "z": explorer.pairs[name][k].codes[0]}

    cell.observe(walk, names="value")
    chooser.observe(other_map, names="value")
    panel = ipywidgets.VBox([chooser, *numbers, cell])
    return widgets.Live(look, panel=panel, z0=numbers[0], z1=numbers[1])
