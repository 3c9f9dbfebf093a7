"""Figures and tables that explain. As the last line of a cell, what a function gives is shown.

Images are arrays in [0, 1] (float) or 0..255 (uint8), shape (H, W, C) or (H, W); gray is shown gray between
0 and 1 without stretching, and pixels are never smoothed.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#E69F00",
    "#000000",
)  # Okabe and Ito, colour-blind safe
MARKERS = "osD^vPX"
CLASS_COLOURS = (  # of ten classes, each at least 4.5:1 against white; the explorer has the same
    "#1f4fbf", "#b02a1a", "#1b6e2c", "#7a3fb0", "#805300", "#006a78", "#ad1f75", "#4d5560", "#536300", "#101010",
)  # fmt: skip
SIGNS = "osD^vPX*<>"  # of classes whose names are longer than a sign
FONT = {"font.size": 12, "axes.titlesize": 13, "axes.spines.top": False, "axes.spines.right": False}


def mosaic(images: np.ndarray, *, columns: int, title: str = "", gap: int = 2, width: float = 5.0) -> Figure:
    """One tile an image, `columns` to a row, in reading order; `gap` white pixels between. width: inches."""
    return mosaics({title: images}, columns=columns, gap=gap, width=width)


def mosaics(groups: Mapping[str, np.ndarray], *, columns: int, gap: int = 2, width: float = 11.0) -> Figure:
    """Several mosaics side by side, each under its title: {"clean": images, "corrupted": ...}, images (N, H, W, C)."""
    tiles = [tile(images, columns=columns, gap=gap) for images in groups.values()]
    height, wide = tiles[0].shape[:2]
    each = width / len(tiles)
    with plt.rc_context(FONT):
        figure, axes = plt.subplots(
            1, len(tiles), figsize=(width, each * height / wide + 0.4), squeeze=False, layout="constrained"
        )
        for axis, title, picture in zip(axes[0], groups, tiles, strict=True):
            show(axis, picture, title)
    return _finished(figure)


def tile(images: np.ndarray, *, columns: int, gap: int = 2) -> np.ndarray:
    """Images (N, H, W, C) as one picture in [0, 1], `columns` to a row, on white."""
    images = _unit(images)
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    canvas = np.ones((rows * (height + gap) - gap, columns * (width + gap) - gap, channels), np.float32)
    for index, image in enumerate(images):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        canvas[top : top + height, left : left + width] = image
    return canvas


def rows(
    groups: Mapping[str, np.ndarray],
    *,
    title: str = "",
    captions: Mapping[str, Sequence[str]] | None = None,
    size: float = 1.0,
) -> Figure:
    """Labelled rows of equally many images: {"clean": (N, H, W, C), "corrupted": ..., "restored": ...}.

    A label may be a pair (label, anything) where two rows are to have the same one. captions: a short text under each
    image of a row, such as its PSNR. size: inches per image.
    """
    images = [_unit(batch) for batch in groups.values()]
    count, height, width, channels = images[0].shape
    gap, caption_room = max(1, width // 14), height * 0.22 / size
    captions = captions or {}
    bottoms, y = [], 0.0
    with plt.rc_context(FONT):
        for label in groups:
            bottoms.append(y + height)
            y += height + gap + (caption_room if label in captions else 0)
        inch = size / width  # one axis for all: an axis an image takes seconds to lay out
        figure, axis = plt.subplots(
            figsize=((count * (width + gap)) * inch + 2.2, y * inch + (0.5 if title else 0.15)), layout="constrained"
        )
        for (label, batch), bottom in zip(zip(groups, images, strict=True), bottoms, strict=True):
            strip = tile(batch, columns=count, gap=gap)
            extent = (0, strip.shape[1], bottom, bottom - height)
            axis.imshow(strip.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="nearest", extent=extent)
            for column, text in enumerate(captions.get(label, ())):
                x = column * (width + gap) + width / 2
                axis.text(x, bottom + 0.04 * height, text, ha="center", va="top", fontsize=10)
        axis.set(xlim=(0, count * (width + gap) - gap), ylim=(y - gap, 0), xticks=[], title=title, aspect="equal")
        names = [label[0] if isinstance(label, tuple) else label for label in groups]
        axis.set_yticks([bottom - height / 2 for bottom in bottoms], names)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
    return _finished(figure)


def restored(
    clean: np.ndarray, methods: Mapping[str, np.ndarray], *, label: str = "clean", size: float = 0.9
) -> Figure:
    """Clean images over what several methods made of them, with the PSNR under each picture.

    clean: (N, H, W, C). methods: {name: (N or more, H, W, C)}; of more than N the first N are shown. label: of the
    first row. size: inches per image.
    """
    from .metrics import psnr  # starts Keras, which nothing else here needs

    firsts = {name: images[: len(clean)] for name, images in methods.items()}
    captions = {name: [f"{value:.1f} dB" for value in psnr(clean, images)] for name, images in firsts.items()}
    return rows({label: clean} | firsts, captions=captions, size=size)


def panels(
    pictures: Mapping[str, np.ndarray],
    *,
    captions: Mapping[str, str] | None = None,
    size: float = 2.4,
    columns: int | None = None,
) -> Figure:
    """A few pictures large, each under its title, with an optional caption below (its PSNR, say)."""
    columns = columns or len(pictures)
    lines = -(-len(pictures) // columns)
    captions = captions or {}
    with plt.rc_context(FONT):
        figure, axes = plt.subplots(
            lines, columns, figsize=(columns * size, lines * (size + 0.55)), squeeze=False, layout="constrained"
        )
        for axis in axes.flat:
            axis.set_axis_off()
        for axis, (title, picture) in zip(axes.flat, pictures.items(), strict=False):
            axis.set_axis_on()
            show(axis, picture, title)
            axis.set_xlabel(captions.get(title, ""), fontsize=11)
    return _finished(figure)


def curves(
    x: Sequence[float] | Mapping[str, Sequence[float]],
    lines: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    level: tuple[float, str] | None = None,
    markers: bool | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Labelled lines over x (one x for all, or one for each label).

    level: (value, text) draws a dashed horizontal line. markers: a sign on every point; None puts them on lines of
    fewer than 30 points.
    """
    with plt.rc_context(FONT):
        figure, axis = (ax.figure, ax) if ax is not None else plt.subplots(figsize=(7.5, 4.4), layout="constrained")
        for index, (label, y) in enumerate(lines.items()):
            along = x[label] if isinstance(x, Mapping) else x
            marked = len(y) < 30 if markers is None else markers
            style = {"marker": MARKERS[index % 7], "markersize": 5} if marked else {}
            axis.plot(along, y, label=label, color=COLOURS[index % 7], linestyle="-" if index < 7 else ":", **style)
        if level:
            axis.axhline(level[0], color="0.4", linestyle="--", linewidth=1.2, label=level[1])
        axis.set(xlabel=xlabel, ylabel=ylabel, title=title)
        if xlabel == "epoch":
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.25)
        axis.legend(fontsize=10, framealpha=0.9)
    return _finished(figure)


def learning_curve(
    history: Mapping[str, Sequence[float]],
    *,
    title: str = "",
    ylabel: str = "loss",
    level: tuple[float, str] | None = None,
) -> Figure:
    """Loss and validation loss over epochs, from `training.fit`'s history; the y axis is cut to where it matters."""
    epochs = range(1, len(history["loss"]) + 1)
    both = {"training": history["loss"], "validation": history["val_loss"]}
    figure = curves(epochs, both, xlabel="epoch", ylabel=ylabel, title=title, level=level)
    values = np.concatenate(list(both.values()))
    ends = [history["loss"][-1], history["val_loss"][-1], *([level[0]] if level else [])]
    low = min(values.min(), *ends)
    high = max(np.quantile(values, 0.97) if len(epochs) >= 30 else values.max(), *ends)
    if high > low:
        figure.axes[0].set_ylim(low - 0.06 * (high - low), high + 0.08 * (high - low))
    return figure


def code_maps(
    maps: Mapping[str, np.ndarray], labels: np.ndarray, names: Sequence[str], *, axes: bool = False, size: float = 6
) -> Figure:
    """Points side by side, {title: (N, 2)}: a colour and a sign for each class, and a long name at its median.

    labels: (N,), whole numbers below len(names), at most ten. A name of one character, a digit, is its own sign.
    axes: show the numbers on the axes, one unit of the same length on both. size: inches a map.
    """
    with plt.rc_context(FONT):
        figure, panels = plt.subplots(
            1, len(maps), figsize=(size * len(maps), 0.9 * size), squeeze=False, layout="constrained"
        )
        for axis, (title, points) in zip(panels[0], maps.items(), strict=True):
            classes = np.unique(labels)
            for k in classes:
                style = {"color": CLASS_COLOURS[k], "marker": f"${names[k]}$" if len(names[k]) == 1 else SIGNS[k]}
                axis.scatter(*points[labels == k].T, s=14 + 3 * size, alpha=0.6, linewidths=0, **style)
            if len(names[classes[0]]) > 1:
                medians = np.array([np.median(points[labels == k], axis=0) for k in classes])
                for k, middle in zip(classes, _apart(medians, np.ptp(points, axis=0)), strict=True):
                    edge = CLASS_COLOURS[k]
                    box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": edge, "alpha": 0.85}
                    axis.text(*middle, names[k], fontsize=9, ha="center", va="center", bbox=box)
            if axes:
                axis.set(title=title, aspect="equal", xlabel="$z_0$", ylabel="$z_1$")
            else:
                axis.set(title=title, xticks=[], yticks=[])
                axis.spines[:].set_visible(False)
    return _finished(figure)


def marked_mosaic(
    images: np.ndarray,
    kinds: np.ndarray,
    names: Mapping[str, str],
    *,
    columns: int,
    title: str = "",
    width: float = 6.5,
) -> Figure:
    """Gray images (N, H, W, 1) on backgrounds that tell their kinds, and a legend with the share of each in percent.

    kinds: (N,), whole numbers: places in `names`, {name: colour}. width: inches.
    """
    backgrounds = np.array([to_rgb(colour) for colour in names.values()])[kinds][:, None, None]
    coloured = backgrounds + (1 - backgrounds) * _unit(images)
    with plt.rc_context(FONT):
        figure, axis = plt.subplots(figsize=(width, width + 1.2), layout="constrained")
        show(axis, tile(coloured, columns=columns, gap=0), title)
        shares = [100 * (kinds == k).mean() for k in range(len(names))]
        patches = [
            Patch(color=colour, label=f"{share:.0f}% {name}")
            for (name, colour), share in zip(names.items(), shares, strict=True)
        ]
        figure.legend(handles=patches, loc="outside lower center", ncols=2, fontsize=11, frameon=False)
    return _finished(figure)


def colour_plane(
    places: np.ndarray, values: np.ndarray, marks: Mapping[str, np.ndarray] | None = None, *, title: str = ""
) -> Figure:
    """Colours at their places (a, b) in CIE Lab's plane, (N, 2): the larger its value, (N,), the larger a dot.

    marks: {name: (a, b)}, drawn as rings in their own colour.
    """
    from .colors import with_ab

    def shade(points):
        points = np.asarray(points, np.float32).reshape(1, -1, 1, 2)
        return with_ab(np.full((*points.shape[:3], 1), 0.5, np.float32), points)[0, :, 0]

    with plt.rc_context(FONT):
        figure, axis = plt.subplots(figsize=(6.4, 5.4), layout="constrained")
        axis.scatter(*places.T, s=700 * values / values.max(), c=shade(places), linewidths=0)
        for (name, point), sign in zip((marks or {}).items(), MARKERS, strict=False):
            style = {"color": shade(point), "marker": sign, "s": 130, "edgecolors": "black", "linewidths": 1.8}
            axis.scatter(*point, label=name, **style)
        axis.axhline(0, color="0.85", zorder=0)
        axis.axvline(0, color="0.85", zorder=0)
        axis.set(title=title, xlabel="a: green to red", ylabel="b: blue to yellow", aspect="equal")
        if marks:
            figure.legend(loc="outside right upper", frameon=False)
    return _finished(figure)


def thumbnail_maps(
    maps: Mapping[str, np.ndarray], images: np.ndarray, *, side: float = 0.055, size: float = 4.0
) -> Figure:
    """Maps side by side, {title: (N, 2)}: images (N, H, W, C) at their points, as many as find room.

    side: of an image, as a share of a map's width. size: inches a map.
    """
    with plt.rc_context(FONT):
        figure, panels = plt.subplots(
            1, len(maps), figsize=(size * len(maps), size + 0.3), squeeze=False, layout="constrained"
        )
        for axis, (title, points) in zip(panels[0], maps.items(), strict=True):
            low, high = points.min(axis=0), points.max(axis=0)
            places = (points - low) / np.maximum(high - low, 1e-9)
            for k in _with_room(places, side):
                (x, y), half = places[k], side / 2
                axis.imshow(
                    _unit(images[k]).squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="nearest",
                    extent=(x - half, x + half, y - half, y + half),
                )  # fmt: skip
            axis.set(xlim=(-side, 1 + side), ylim=(-side, 1 + side), xticks=[], yticks=[], title=title, aspect="equal")
            axis.spines[:].set_visible(False)
    return _finished(figure)


def _with_room(places: np.ndarray, side: float) -> list[int]:
    """Which of the places (N, 2) are more than `side` apart, the first ones first."""
    chosen: list[int] = []
    for k, place in enumerate(places):
        if all(np.abs(place - places[other]).max() > side for other in chosen):
            chosen.append(k)
    return chosen


def table(
    rows: Mapping[str, Mapping[str, object]], *, first: str = "", digits: Mapping[str, int] | int = 3
) -> Markdown:
    """Rows {row: {column: value}} as a Markdown table; a missing value is left empty.

    first: the heading of the row names. digits: decimals of float values, one number or one for each column (3 where
    a column is not named).
    """
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = ["| " + " | ".join([first, *columns]) + " |", "| --- |" + " ---: |" * len(columns)]
    for name, row in rows.items():
        cells = [
            _text(row.get(column, ""), digits if isinstance(digits, int) else digits.get(column, 3))
            for column in columns
        ]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return Markdown("\n".join(lines))


def show(axis: Axes, picture: np.ndarray, title: str = "") -> None:
    """Draw one picture on an axis: gray as gray, nothing smoothed or stretched, no ticks."""
    axis.imshow(_unit(picture).squeeze(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axis.set(xticks=[], yticks=[], title=title)
    axis.spines[:].set_visible(False)


def _apart(places: np.ndarray, span: np.ndarray) -> np.ndarray:
    """Places (N, 2) of short names, moved up and down where two would cover each other; span: (2,) of the axes."""
    places, room = places.astype(float), span * (0.16, 0.05)
    for _ in range(50):
        for one in range(len(places)):
            for other in range(one):
                gap = places[one] - places[other]
                if (np.abs(gap) < room).all():
                    push = (room[1] - abs(gap[1])) / 2 * (1 if gap[1] >= 0 else -1)
                    places[one, 1] += push
                    places[other, 1] -= push
    return places


def _unit(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    return images.astype(np.float32) / 255 if images.dtype == np.uint8 else np.clip(images, 0.0, 1.0)


def _finished(figure: Figure) -> Figure:
    plt.close(figure)  # else Jupyter would show it twice
    return figure


def _text(value: object, digits: int) -> str:
    return f"{value:.{digits}f}" if isinstance(value, (float, np.floating)) else str(value)
