"""Memory while 70,000 photo files, as many as the face article has, are streamed for an epoch, beside holding them.

    pytest tests/benchmarks/test_photos_memory.py -m benchmark -n0 -s

Holding them is measured on the first 7,000, as float32 arrays, and scaled: not everybody has 14 GB.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PHOTOS, HELD, DISTINCT = 70_000, 7_000, 200
MOST_MB = 1_500

CHILD = """
import json, resource, sys, time
import numpy as np
from helpers import corruptions
from helpers.pairs import Pairs, to_float
from helpers.photos import PhotoFolder

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)

way, folder, held = sys.argv[1], sys.argv[2], int(sys.argv[3])
base, started = peak(), time.perf_counter()
photos = PhotoFolder(folder)
if way == "held":
    clean = np.empty((held, *photos.shape[1:]), np.float32)
    for k in range(0, held, 500):
        clean[k : k + 500] = to_float(photos[k : k + 500])
    made = len(clean)
else:
    pairs = Pairs(photos, corruptions.black_box, batch_size=64)
    made = 0
    for number in range(len(pairs)):
        made += len(pairs[number][0])
        if number % 100 == 99:
            gone = time.perf_counter() - started
            print(f"{made:,} photos, {peak():.0f} MB, {gone:.0f} s", file=sys.stderr, flush=True)
print(json.dumps({"photos": made, "base": base, "peak": peak(), "seconds": time.perf_counter() - started}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """70,000 files in 70 subfolders: hard links to 200 generated JPEGs of 128x128 pixels."""
    root = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for number in range(DISTINCT):
        small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        small.resize((128, 128), Image.Resampling.BICUBIC).save(root / f"{number}.jpg", quality=92)
    for number in range(DISTINCT, PHOTOS):
        place = root / f"{number // 1000:02d}"
        place.mkdir(exist_ok=True)
        os.link(root / f"{number % DISTINCT}.jpg", place / f"{number}.jpg")
    return root


def measured(way: str, folder: Path) -> dict:
    command = [sys.executable, "-c", CHILD, way, str(folder), str(HELD)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # its progress is seen as it comes
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.benchmark
def test_streaming_70_000_photos_takes_the_memory_of_a_few_batches(folder):
    streamed, held = measured("streamed", folder), measured("held", folder)
    assert (streamed["photos"], held["photos"]) == (PHOTOS, HELD)
    all_held = (held["peak"] - held["base"]) * PHOTOS / HELD
    print(
        f"\n70,000 photos streamed: peak {streamed['peak']:.0f} MB ({streamed['base']:.0f} MB of it libraries), "
        f"{streamed['seconds']:.0f} s; held as float32: about {all_held / 1000:.1f} GB"
    )
    assert streamed["peak"] < MOST_MB
    assert streamed["peak"] - streamed["base"] < 0.05 * all_held
