"""One latent space of two numbers: its networks, the codes of some test images, and how its map is laid out."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from .network import Layer, Network

if TYPE_CHECKING:
    import keras

REACH = 0.4  # of a map's own standard deviation, with COUNT codes
COUNT = 250
INSIDE = 0.99  # of the codes lie in the map's frame
RINGS = 3  # how many rings of N(0, I) a variational map shows
COLUMNS = 16  # of the sheet of images


class Space:
    """A latent space to walk in.

    title: what it is called. encoder: images (N, H, W, C) in [0, 1] to codes (N, 2), or to [mean, log variance], each
    (N, 2). decoder: codes to images. Both a `Network` or a keras.Model. images: uint8 (N, H, W, C), about 250. labels:
    whole numbers (N,). details: what there is to know of the networks, in a line.

    codes, log_variances: of the images, (N, 2); log_variances is None where the encoder gives the code alone.
    scale: the standard deviation of the codes, over both numbers (root mean square), as one number.
    centre, half: the map's frame, the smallest square, but for a margin of 8 %, around 99 % of the codes; around the
    rings of N(0, I) too where there are log variances.

    Raises ValueError where the parts do not fit each other.
    """

    def __init__(
        self,
        title: str,
        encoder: Network | keras.Model,
        decoder: Network | keras.Model,
        images: np.ndarray,
        labels: np.ndarray,
        details: str = "",
    ):
        self.title, self.details = str(title), str(details)
        self.encoder, self.decoder = Network.of(encoder), Network.of(decoder)
        self.images, self.labels = np.asarray(images), np.asarray(labels)
        self._check()
        codes = self.encoder(self.images / np.float32(255))
        self.codes, self.log_variances = codes if isinstance(codes, list) else (codes, None)
        if not np.isfinite(self.codes).all():
            raise ValueError(f"{title}: the encoder gives codes that are no numbers; was it trained?")
        self.mean = self.codes.mean(axis=0)
        self.scale = float(np.sqrt(self.codes.var(axis=0).mean())) or 1.0
        self.centre, self.half = self._frame()

    @property
    def reach(self) -> float:
        """How far from the nearest code "no data near" begins: 0.4 of the map's own standard deviation, with 250 codes.

        One number for all maps, in units of each map's own scale. It is not taken from the gaps between a map's own
        codes: those of a map with holes are large, which would call the holes data. With fewer codes, which lie
        further apart, it grows as the distance between neighbours does. A normal cloud of 250 codes leaves 5 % of
        its own places without data near, the published plain autoencoder's codes about 25 %.
        """
        return REACH * self.scale * (COUNT / len(self.codes)) ** 0.5

    @property
    def uncovered(self) -> float:
        """The share, 0 to 1, of places with no data near, among 2,000 from a normal distribution with the codes' own
        mean and scale."""
        places = np.random.default_rng(0).normal(self.mean, self.scale, (2000, 2))
        squares = ((places[:, None] - self.codes[None]) ** 2).sum(axis=2)
        return float(np.mean(squares.min(axis=1) > self.reach**2))

    def nearest(self, z: np.ndarray, count: int = 4) -> tuple[np.ndarray, np.ndarray]:
        """(indices, distances) of the test images whose codes are nearest to z, (2,), nearest first."""
        distances = np.linalg.norm(self.codes - np.asarray(z, np.float32), axis=1)
        order = np.argsort(distances, kind="stable")[:count]
        return order, distances[order]

    def decode(self, z: np.ndarray) -> np.ndarray:
        """The pictures at the places z, (N, 2): (N, H, W, C), clipped to [0, 1]."""
        return np.clip(self.decoder(z), 0, 1)

    def _frame(self) -> tuple[np.ndarray, float]:
        if self.log_variances is not None:
            centre, least = np.zeros(2, np.float32), RINGS + 0.15
        else:
            centre, least = np.quantile(self.codes, [1 - INSIDE, INSIDE], axis=0).mean(axis=0), 0.0
        distances = np.sort(np.abs(self.codes - centre).max(axis=1))
        half = 1.08 * float(distances[int(np.ceil(INSIDE * len(distances))) - 1])
        return centre, max(half, least) or 1.0

    def _check(self) -> None:
        images, labels = self.images, self.labels
        if images.ndim != 4 or images.dtype != np.uint8 or images.shape[3] not in (1, 3) or len(images) < 2:
            raise ValueError(
                f"{self.title}: images must be uint8 (N, H, W, 1 or 3), two or more, not {images.dtype} {images.shape}"
            )
        if labels.shape != images.shape[:1] or not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
            raise ValueError(
                f"{self.title}: labels must be {len(images)} whole numbers from 0, not {labels.dtype} {labels.shape}"
            )
        if self.encoder.shape != images.shape[1:] or set(self.encoder.output_shapes) != {(2,)}:
            raise ValueError(
                f"{self.title}: the encoder takes {self.encoder.shape} and gives {self.encoder.output_shapes}; "
                f"it must take images {images.shape[1:]} and give codes of two numbers"
            )
        if self.decoder.shape != (2,) or self.decoder.output_shapes != [images.shape[1:]]:
            raise ValueError(
                f"{self.title}: the decoder takes {self.decoder.shape} and gives {self.decoder.output_shapes}; "
                f"it must take codes of two numbers and give images {images.shape[1:]}"
            )


Pairs = dict[str, list[Space]]
Names = dict[str, list[str]]


def checked(pairs: Pairs, names: Names) -> None:
    """Raises ValueError where sets, spaces and names do not fit each other."""
    if not pairs:
        raise ValueError("the explorer needs at least one set of spaces: {'MNIST': [Space(...), ...]}")
    for name, spaces in pairs.items():
        if not 1 <= len(spaces) <= 3:
            raise ValueError(f"{name}: one to three spaces go side by side, not {len(spaces)}")
        if len({space.title for space in spaces}) < len(spaces):
            raise ValueError(f"{name}: two spaces have the same title; give each its own")
        if name not in names or max(space.labels.max() for space in spaces) >= len(names[name]):
            raise ValueError(f"{name}: names must give a name to every label, as in names={{{name!r}: [...]}}")
        first = spaces[0]
        for space in spaces[1:]:
            if not np.array_equal(space.images, first.images) or not np.array_equal(space.labels, first.labels):
                raise ValueError(f"{name}: the spaces of a set must show the same images with the same labels")


def bundle(pairs: Pairs, names: Names) -> dict:
    """Everything that the page needs, as plain JSON. Raises ValueError as `checked` does."""
    checked(pairs, names)
    return {
        "sets": [
            {
                "name": name,
                "names": [str(one) for one in names[name]],
                "shape": list(spaces[0].images.shape[1:]),
                "labels": spaces[0].labels.tolist(),
                "sheet": _sheet(spaces[0].images),
                "columns": COLUMNS,
                "spaces": [_packed_space(space) for space in spaces],
            }
            for name, spaces in pairs.items()
        ]
    }


def _packed_space(space: Space) -> dict:
    sigmas = None if space.log_variances is None else _rounded(np.exp(space.log_variances / 2))
    return {
        "title": space.title,
        "details": space.details,
        "codes": _rounded(space.codes),
        "sigmas": sigmas,
        "mean": _rounded(space.mean),
        "scale": space.scale,
        "reach": space.reach,
        "uncovered": round(space.uncovered, 3),
        "centre": _rounded(space.centre),
        "half": space.half,
        "encoder": _packed_network(space.encoder),
        "decoder": _packed_network(space.decoder),
    }


def _rounded(values: np.ndarray) -> list:
    return np.round(values.astype(float), 4).tolist()


def _packed_network(network: Network) -> dict:
    return {
        "shape": list(network.shape),
        "trunk": [_packed_layer(layer) for layer in network.trunk],
        "heads": [[_packed_layer(layer) for layer in head] for head in network.heads],
    }


def _packed_layer(layer: Layer) -> dict:
    packed = {name: _packed(value) if isinstance(value, np.ndarray) else value for name, value in layer.items()}
    if layer["kind"] in ("conv", "transposed"):  # in the page arrays are flat
        height, width, *channels = layer["kernel"].shape
        packed |= {"size": [height, width], "filters": channels[1 if layer["kind"] == "conv" else 0]}
    return packed


def _packed(values: np.ndarray) -> dict:
    """Numbers as base64, in 16 bits where these hold them exactly, as they do those of published networks."""
    with np.errstate(over="ignore"):
        halves = values.astype("<f2")
    exact = np.array_equal(halves.astype(np.float32), values)
    data = halves if exact else values.astype("<f4")
    return {"type": "f2" if exact else "f4", "data": base64.b64encode(data.tobytes()).decode()}


def _sheet(images: np.ndarray) -> str:
    """All images on one PNG, COLUMNS in a row, as a data address."""
    count, height, width, channels = images.shape
    rows = -(-count // COLUMNS)
    sheet = np.zeros((rows * COLUMNS, height, width, channels), np.uint8)
    sheet[:count] = images
    sheet = sheet.reshape(rows, COLUMNS, height, width, channels).swapaxes(1, 2)
    sheet = sheet.reshape(rows * height, COLUMNS * width, channels)
    buffer = io.BytesIO()
    Image.fromarray(sheet.squeeze(2) if channels == 1 else sheet).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
