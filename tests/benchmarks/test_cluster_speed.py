"""A training step on one worker and on two, each on a core of its own; where the time of a step goes; a calculation.

    pytest tests/benchmarks/test_cluster_speed.py -m benchmark -n0 -s

Needs IPython Parallel and JAX (pip install -e ".[cluster]") and two idle cores; prints as it goes, below five minutes.
"""

import contextlib
import os
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from helpers.lab import cluster
from helpers.lab.presets import Preset

PROJECT = Path(__file__).resolve().parents[2]
BATCHES = (128, 512)  # images a step, of all workers together
STEPS, WARM_UP = 12, 3
PARTS = ("step", "making the batch", "making and placing it", "all-reduces")
# Arrays that a step of each network sums over the workers, as XLA's program lists them: the loss, every gradient, and
# for a batch normalization its mean and variance and what the way back needs of them. Gloo sums them one by one.
ARRAYS_AND_WEIGHTS = {"denoise_uniform": (11, 28_353), "denoise_unet": (95, 29_523), "restore_unet": (39, 1_674_403)}
WORTH_IT = 0.1  # seconds that a worker computes in a step, from which two should be nearly twice as fast


def measure(batch: int, worker: int) -> dict[str, float]:
    """In an engine: medians in seconds, of a whole step, and of what it consists of besides the computing."""
    import jax
    import keras

    from helpers import corruptions, models
    from helpers.lab import shares, training
    from helpers.pairs import Pairs

    class Clock(keras.callbacks.Callback):
        only_watches = True

        def on_train_batch_end(self, number, logs=None):
            float(logs["loss"])  # wait for it
            ends.append(time.perf_counter())

    ends, images = [], np.random.default_rng(0).integers(0, 256, (batch * STEPS, 28, 28, 1), dtype=np.uint8)
    pairs = Pairs(images, corruptions.uniform_mix, batch_size=batch)
    keras.utils.set_random_seed(0)
    network = models.conv_autoencoder()
    with tempfile.TemporaryDirectory() as folder:  # not that of another number of workers, whose run this one would be
        training.fit(
            network, pairs, Pairs(images[:batch], batch_size=batch), epochs=1, loss="binary_crossentropy",
            name="speed", callbacks=[Clock()], folder=Path(folder),
        )  # fmt: skip
    share = shares.share(pairs)
    mesh = jax.sharding.Mesh(jax.devices(), "worker")
    rows, same = (jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes)) for axes in (["worker"], []))
    gradients = [
        jax.make_array_from_process_local_data(rows, np.zeros((jax.local_device_count(), *one.shape), np.float32))
        for one in [np.zeros(()), *network.trainable_variables]
    ]
    reduce = jax.jit(lambda of_all_workers: [one.sum(0) for one in of_all_workers], out_shardings=same)

    def place():
        return jax.block_until_ready([jax.make_array_from_process_local_data(rows, part) for part in share[0]])

    return {
        "step": median(np.diff(ends)[WARM_UP:]),
        "making the batch": timed(lambda: share[0]),
        "making and placing it": timed(place),
        "all-reduces": timed(lambda: jax.block_until_ready(reduce(gradients))),
    }


def timed(work) -> float:
    work()
    seconds = []
    for _ in range(10):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return median(seconds)


def planned(seconds: float, parameters: int, collectives: int, workers: int, bytes_a_second: float, delay: float):
    """The efficiency of so many workers, calculated: a ring all-reduce sends nearly twice the gradients (float32), and
    every all-reduce takes 2 (workers - 1) messages one after the other. seconds: of computing, a step, on each."""
    sent = 2 * (workers - 1) / workers * 4 * parameters / bytes_a_second
    return seconds / (seconds + sent + collectives * 2 * (workers - 1) * delay)


@contextlib.contextmanager
def on_cores(count: int):
    cores = os.sched_getaffinity(0)
    if len(cores) < 2:
        pytest.skip("two cores are needed")
    os.sched_setaffinity(0, sorted(cores)[:count])  # and of the engines, which this process starts
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@pytest.mark.benchmark
def test_two_workers_are_nearly_twice_as_fast_as_one(monkeypatch, tmp_path):
    pytest.importorskip("ipyparallel")
    pytest.importorskip("jax")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(PROJECT), str(Path(__file__).parent)]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    found = {}
    for workers in (1, 2):
        with on_cores(workers), cluster.engines(workers) as client:
            tasks = cluster.prepared(client, ["denoise_uniform"], 0, Preset("smoke"), backend="jax", cores=2)
            cluster.join(tasks)
            for batch in BATCHES:
                one = found[workers, batch] = tasks.everywhere(measure, batch)[0]
                parts = ", ".join(f"{part} {1000 * one[part]:.1f} ms" for part in PARTS)
                print(f"\n{workers} workers, {batch} images a step: {parts}", end="", flush=True)
    print(f"\nload of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    efficiency = {batch: found[1, batch]["step"] / found[2, batch]["step"] / 2 for batch in BATCHES}
    for batch, value in efficiency.items():
        print(f"{batch} images a step: efficiency of two workers {value:.2f}")
    one = found[1, 128]
    print("calculated, not measured, for 128 images a worker and step and 0.1 ms from worker to worker:")
    for name, (arrays, parameters) in ARRAYS_AND_WEIGHTS.items():
        for speed, rate in {"1 Gbit/s": 118e6, "10 Gbit/s": 1.18e9}.items():
            plans = [
                f"{workers} workers {planned(one['step'], parameters, arrays, workers, rate, 1e-4):.2f}"
                for workers in (8, 64)
            ]
            print(f"  gradients and all-reduces of {name}, {speed}: efficiency of {', '.join(plans)}")
    worth_it = {batch: value for batch, value in efficiency.items() if found[1, batch]["step"] >= 2 * WORTH_IT}
    assert all(value >= 0.8 for value in worth_it.values()), worth_it
