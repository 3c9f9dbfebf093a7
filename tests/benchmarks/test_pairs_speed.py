"""Batches made while the network trains, against the chapters' way: whole noise arrays in memory.

    pytest tests/benchmarks -m benchmark -n0 -s

Each measurement runs in a process of its own, for its peak memory; it is printed when it is made, all of them in four
minutes. With BENCHMARK_REPETITIONS=3 the two ways take turns and the medians count, as any other work on the machine
disturbs both alike.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

PROJECT = Path(__file__).resolve().parents[2]
REPETITIONS = int(os.environ.get("BENCHMARK_REPETITIONS", "1"))
EPOCHS = {"uniform": 1, "gaussian": 1}  # timed, after a warm-up

CHILD = """
import functools, json, os, resource, sys, time
from pathlib import Path
import keras, numpy as np
from helpers import corruptions, models
from helpers.pairs import Pairs

def peak():
    # MB: macOS counts bytes, Linux kB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)

def digits():
    path = Path(os.environ.get("AUTOENCODER_DATA") or "data") / "mnist.npz"
    if path.exists():
        with np.load(path) as archive:
            return archive["x_train"][..., None], archive["x_test"][..., None]
    rng = np.random.default_rng(0)
    return tuple(rng.integers(0, 256, (n, 28, 28, 1), dtype=np.uint8) for n in (60_000, 10_000))

row, way, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3])
gauss = functools.partial(corruptions.gaussian, mean=0.5, std=0.5)
build, loss, batch_size, corrupt = {
    "uniform": (models.conv_autoencoder, "binary_crossentropy", 128, corruptions.uniform_mix),
    "gaussian": (lambda: models.strided_autoencoder()[2], "mse", 32, gauss),
}[row]
keras.utils.set_random_seed(0)
model = build()
model.compile("adam", loss, jit_compile=False)
# The first step traces the graph: before the clock starts and before the memory is read, for both ways alike.
few = np.zeros((2 * batch_size, 28, 28, 1), np.float32)
model.fit(few, few, batch_size=batch_size, validation_data=(few, few), verbose=0)
base = peak()

if way == "batches":  # nothing but the making of an epoch's batches
    train = Pairs(digits()[0], corrupt, batch_size=batch_size)
    started, worked = time.perf_counter(), time.process_time()
    for number in range(len(train)):
        train[number]
    print(json.dumps({"seconds": time.perf_counter() - started, "cpu": time.process_time() - worked}))
    raise SystemExit

started, worked = time.perf_counter(), time.process_time()
x_train, x_test = digits()
if way == "pairs":
    train = Pairs(x_train, corrupt, batch_size=batch_size)
    test = Pairs(x_test, corrupt, batch_size=500, seed=1, fresh=False, shuffle=False)
    model.fit(train, validation_data=test, epochs=epochs, shuffle=False, verbose=0)
else:  # as the chapters have it: floats, and a whole array of noise for each set
    x_train, x_test = x_train / 255.0, x_test / 255.0
    rng = np.random
    if row == "uniform":
        noisy_train, noisy_test = ((x + rng.uniform(0, 1, x.shape)) / 2 for x in (x_train, x_test))
    else:
        noise_train, noise_test = (rng.normal(loc=0.5, scale=0.5, size=x.shape) for x in (x_train, x_test))
        noisy_train, noisy_test = np.clip(x_train + noise_train, 0, 1), np.clip(x_test + noise_test, 0, 1)
    model.fit(
        noisy_train, x_train, validation_data=(noisy_test, x_test), validation_batch_size=500,
        epochs=epochs, batch_size=batch_size, verbose=0,
    )
seconds, cpu = time.perf_counter() - started, time.process_time() - worked
print(json.dumps({"seconds": seconds / epochs, "cpu": cpu / epochs, "peak": peak(), "increase": peak() - base}))
"""


def measure(row: str, way: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, row, way, str(EPOCHS[row])],
        env=os.environ | {"PYTHONPATH": str(PROJECT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        cwd=PROJECT, capture_output=True, text=True, timeout=1800,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def measured() -> dict:
    """Medians by (row, way): seconds an epoch with its preparation, peak memory and its increase in MB."""
    runs = {}
    for row in EPOCHS:
        for _ in range(REPETITIONS):
            for way in ("pairs", "arrays", "batches"):
                run = measure(row, way)
                print(f"\n{row}, {way}: {run['seconds']:.1f} s", end="", flush=True)
                runs.setdefault((row, way), []).append(run)
    medians = {key: {name: median(run[name] for run in each) for name in each[0]} for key, each in runs.items()}
    print(f"\n{'':4} {'way':8} {'s an epoch':>10} {'CPU s':>8} {'peak MB':>8} {'increase':>8}")
    for (row, way), figures in medians.items():
        memory = [f"{figures[key]:8.0f}" for key in ("peak", "increase") if key in figures]
        print(f"{row:4} {way:8} {figures['seconds']:10.1f} {figures['cpu']:8.1f}", *memory)
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return medians


@pytest.mark.benchmark
@pytest.mark.parametrize("row", EPOCHS)
def test_training_through_pairs_is_at_least_as_fast(measured, row):
    ratio = measured[row, "pairs"]["seconds"] / measured[row, "arrays"]["seconds"]
    print(f"{row}: {ratio:.2f} of the arrays' time")
    assert ratio <= 1.0


@pytest.mark.benchmark
def test_training_through_pairs_takes_at_most_half_the_memory(measured):
    whole = measured["gaussian", "pairs"]["peak"] / measured["gaussian", "arrays"]["peak"]
    increase = measured["gaussian", "pairs"]["increase"] / measured["gaussian", "arrays"]["increase"]
    print(f"gaussian: {whole:.2f} of the arrays' peak memory, {increase:.2f} of what was added after the imports")
    assert whole <= 0.5


@pytest.mark.benchmark
@pytest.mark.parametrize("row", EPOCHS)
def test_making_the_batches_takes_less_than_a_tenth_of_the_training(measured, row):
    share = measured[row, "batches"]["seconds"] / measured[row, "pairs"]["seconds"]
    print(f"{row}: making the batches is {100 * share:.1f}% of an epoch")
    assert share < 0.1
