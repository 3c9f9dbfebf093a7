"""Draw the sample: small stand-ins for MNIST, Fashion-MNIST, CIFAR-10 and a set of faces.

    python data/sample/drawing/draw.py [DEST]

Every picture has its own seed, so the same arrays come out on every run. DEST is data/sample unless given.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from draw_digits import digit
from draw_faces import face
from draw_garments import garment
from draw_scenes import scene
from draw_tools import save_jpeg, save_npz
from numpy.random import Generator, default_rng

TRAIN, TEST, CLASSES = 2000, 500, 10
FACES = 250
JPEG_QUALITY = 88
SETS: dict[str, Callable[[Generator, int], np.ndarray]] = {"mnist": digit, "fashion_mnist": garment, "cifar10": scene}


def labels(count: int, seed: tuple[int, ...]) -> np.ndarray:
    """uint8 (count,): every ten pictures in a row hold each class once, in random order, so any slice is balanced."""
    rng = default_rng(seed)
    tens = [rng.permutation(CLASSES) for _ in range(count // CLASSES)]
    return np.concatenate(tens).astype(np.uint8)


def draw_set(number: int, draw: Callable[[Generator, int], np.ndarray]) -> dict[str, np.ndarray]:
    """x_train, y_train, x_test and y_test of one labelled set; the seeds hold the part, so no picture is in both."""
    arrays = {}
    for part, (name, count) in enumerate((("train", TRAIN), ("test", TEST))):
        y = labels(count, (number, part))
        arrays[f"x_{name}"] = np.stack([draw(default_rng((number, part, i)), int(label)) for i, label in enumerate(y)])
        arrays[f"y_{name}"] = y
    return arrays


def main() -> None:
    dest = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    (dest / "faces").mkdir(parents=True, exist_ok=True)
    for number, (name, draw) in enumerate(SETS.items(), start=1):
        start, path = time.perf_counter(), dest / f"{name}.npz"
        save_npz(path, **draw_set(number, draw))
        size, seconds = path.stat().st_size / 1e6, time.perf_counter() - start
        print(f"{path.name}: {TRAIN} + {TEST} pictures, {size:.2f} MB, {seconds:.0f} s")
    start = time.perf_counter()
    paths = [dest / "faces" / f"face_{i:03d}.jpg" for i in range(FACES)]
    for i, path in enumerate(paths):
        save_jpeg(path, face(default_rng((4, i))), JPEG_QUALITY)
    size, seconds = sum(path.stat().st_size for path in paths) / 1e6, time.perf_counter() - start
    print(f"faces: {FACES} pictures, {size:.2f} MB, {seconds:.0f} s")


if __name__ == "__main__":
    main()
