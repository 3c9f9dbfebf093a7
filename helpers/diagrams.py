"""A network drawn as the hourglass that it is, without Graphviz."""

import keras
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .plots import COLOURS, FONT

DRAWN = {  # layer class: (name on the figure, colour)
    "InputLayer": ("input", "0.75"),
    "Conv2D": ("conv", COLOURS[0]),
    "Conv2DTranspose": ("conv, transposed", COLOURS[4]),
    "MaxPooling2D": ("max pooling", COLOURS[1]),
    "UpSampling2D": ("upsampling", COLOURS[2]),
    "Dense": ("dense", COLOURS[3]),
    "Flatten": ("flatten", "0.55"),
    "Reshape": ("reshape", "0.55"),
}


def diagram(model: keras.Model, *, title: str = "", size: tuple[float, float] = (11.0, 3.6)) -> Figure:
    """Draw a functional model layer by layer from left to right; models inside it are drawn with their own layers.

    The height of a bar is the height of the layer's output in pixels (flat ones: the square root of their
    number of values, at most the image's height), the text under it the output's shape, the colour the kind of layer.
    Lines above are skip connections. Averages over the whole picture (1 x 1 x channels) are not drawn.
    """
    bars, skips = _read(model)
    tallest = max(_height(shape) for _, shape in bars if len(shape) == 3)
    with plt.rc_context(FONT):
        figure, axis = plt.subplots(figsize=size, layout="constrained")
        for x, (kind, shape) in enumerate(bars):
            tall = min(max(_height(shape) / tallest, 0.04), 1.0)
            axis.add_patch(Rectangle((x - 0.3, -tall / 2), 0.6, tall, color=DRAWN[kind][1], label=DRAWN[kind][0]))
            axis.text(x, -0.56, "\n".join(map(str, shape)), ha="center", va="top", fontsize=9, linespacing=1.1)
        for level, (start, end) in enumerate(sorted(skips, key=lambda skip: skip[1] - skip[0])):
            y = 0.58 + 0.1 * level
            for x, arrow in ((start, "-"), (end, "<-")):
                foot = min(max(_height(bars[x][1]) / tallest, 0.04), 1.0) / 2
                axis.annotate(
                    "", (x, y), (x, foot), arrowprops={"arrowstyle": arrow, "color": "0.3", "shrinkA": 2, "shrinkB": 0}
                )
            axis.plot([start, end], [y, y], color="0.3", linewidth=1)
        axis.set(xlim=(-0.8, len(bars) - 0.2), ylim=(-0.95, 0.6 + 0.1 * len(skips)), title=title)
        axis.set_axis_off()
        handles, labels = axis.get_legend_handles_labels()
        unique = dict(zip(labels, handles, strict=True))
        figure.legend(
            unique.values(), unique, loc="outside lower center", ncols=len(unique), fontsize=10, frameon=False
        )
    plt.close(figure)
    return figure


def _read(model: keras.Model) -> tuple[list, list]:
    """Bars (kind, output shape without the batch) in order, and skips (from bar, to bar)."""
    bars: list[tuple[str, tuple[int, ...]]] = []
    skips: list[tuple[int, int]] = []
    place: dict[int, int] = {}  # id of a tensor: the bar it comes from
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            inner, inner_skips = _read(layer)
            offset = len(bars) - 1  # the inner input is the outer tensor
            bars += inner[1:]
            skips += [(start + offset, end + offset) for start, end in inner_skips]
            place[id(layer.output)] = len(bars) - 1
            for node in layer._inbound_nodes:  # a shared model gives a tensor of its own at every call
                for tensor in node.output_tensors:
                    place[id(tensor)] = len(bars) - 1
            continue
        sources = [place.get(id(tensor), len(bars) - 1) for tensor in _list(getattr(layer, "input", []))]
        if type(layer).__name__ in DRAWN and layer.output.shape[1:3] != (1, 1):
            bars.append((type(layer).__name__, tuple(layer.output.shape[1:])))
            place[id(layer.output)] = len(bars) - 1
        else:  # activation, normalization, sum, averages over the picture: part of the bar before
            place[id(layer.output)] = max(sources)
            skips += [(source, max(sources)) for source in sources if max(sources) - source > 1]
    return bars, skips


def _height(shape: tuple[int, ...]) -> float:
    return float(shape[0]) if len(shape) == 3 else float(np.sqrt(np.prod(shape)))


def _list(tensors) -> list:
    return list(tensors) if isinstance(tensors, (list, tuple)) else [tensors]
