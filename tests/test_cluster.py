"""Several workers: each has its share of every batch, together they do what one process does, and all ends in time.

pytest -m cluster -n0      starts engines; needs IPython Parallel and JAX, pip install -e ".[cluster]"
"""

import contextlib
import functools
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import cluster_doubles
import numpy as np
import pytest
from conftest import PROJECT

from helpers import corruptions
from helpers.lab import __main__ as lab
from helpers.lab import cluster, recipes, shares
from helpers.lab.presets import Preset
from helpers.pairs import Pairs
from helpers.plumbing.files import SHIPPED

SMOKE = Preset("smoke")
NAMES = ["denoise_uniform"]
PATH = os.pathsep.join([str(PROJECT), str(PROJECT / "tests")])


# ---- shares


class Read:
    """Images that note which of them are read."""

    def __init__(self, images):
        self.images, self.seen, self.shape = images, [], images.shape
        self.ndim, self.dtype = images.ndim, images.dtype

    def __len__(self):
        return len(self.images)

    def __getitem__(self, indices):
        self.seen += list(indices)
        return self.images[indices]


def of_workers(monkeypatch, workers: int, make) -> list:
    """What `make` gives as each of so many workers."""
    monkeypatch.setattr(shares, "devices", lambda: workers)
    made = []
    for worker in range(workers):
        monkeypatch.setattr(shares, "place", lambda worker=worker: (worker, workers))
        made.append(make())
    return made


@pytest.mark.parametrize("corrupt", [None, corruptions.varied_noise, functools.partial(corruptions.black_box, size=3)])
@pytest.mark.parametrize("with_mask", [False, True])
def test_the_shares_of_all_workers_are_the_batches_of_one(images, monkeypatch, corrupt, with_mask):
    def pairs(images=images):
        return Pairs(images, corrupt, batch_size=12, with_mask=with_mask)  # batches of 12, 12, 12, 12 and 2

    def batches():
        share, given = shares.share(pairs()), []
        for _ in range(2):  # epochs
            given += [share[number] for number in range(len(share))]
            share.on_epoch_end()
        return given

    whole = batches()
    for number, parts in enumerate(zip(*of_workers(monkeypatch, 2, batches), strict=True)):
        for one, joined in zip(leaves(whole[number]), zip(*map(leaves, parts), strict=True), strict=True):
            np.testing.assert_array_equal(np.concatenate(joined), one)
    watched = Read(images)
    of_workers(monkeypatch, 3, lambda: shares.share(pairs(watched))[0])
    assert sorted(watched.seen) == sorted(pairs().indices(0))  # each image by one worker


def leaves(batch: tuple) -> list:
    inputs, targets = batch
    return [*(inputs if isinstance(inputs, tuple) else [inputs]), targets]


def test_a_batch_that_workers_cannot_divide_has_every_image_equally_often(monkeypatch):
    for size, workers, each in [(3, 2, 3), (88, 64, 11), (1, 4, 1), (500, 8, 125)]:
        rows = of_workers(monkeypatch, workers, functools.partial(shares.own_rows, size))
        assert {len(one) for one in rows} == {each}
        assert set(np.unique(np.concatenate(rows), return_counts=True)[1]) == {workers * each // size}


def test_workers_of_a_machine_have_cores_of_their_own_where_there_are_enough():
    assert cluster._cores([("a", [0, 1]), ("a", [0, 1])], 1) == [[0], [1]]
    assert cluster._cores([("a", [0, 1]), ("a", [0, 1])], 2) == [[], []]
    assert cluster._cores([("a", [0, 1, 2]), ("b", [0]), ("a", [0, 1, 2])], 1) == [[0, 2], [0], [1]]
    assert cluster._cores([("a", [3])] * 2 + [("a", [])], 1) == [[], [], []]


# ---- the command line


def test_seeds_are_runs_of_their_own_that_start_from_their_own():
    book, names = lab.runs(["denoise_unet"], 2)
    assert names == ["denoise_unet_seed_0", "denoise_unet_seed_1"]
    assert [book[name].start for name in names] == ["denoise_unet_first_seed_0", "denoise_unet_first_seed_1"]
    assert book["denoise_unet_first_seed_1"].seed == 1 and book["denoise_unet"].published
    assert not any(book[name].published for name in names)


@pytest.mark.parametrize("missing", ["ipyparallel", "jax"])
def test_without_the_extra_a_sentence_says_what_to_install(missing, monkeypatch):
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else there(name))
    with pytest.raises(SystemExit, match=r'several workers need IPython Parallel and JAX: pip install -e "\.\['):
        lab.main(["train", *NAMES, "--workers", "2"])


def test_what_makes_no_sense_is_refused(capsys):
    for wrong in (["--profile", "x"], ["--apart"], ["--workers", "0"], ["--seeds", "-1"]):
        with pytest.raises(SystemExit) as refused:
            lab.main(["train", *NAMES, *wrong])
        assert refused.value.code == 2, wrong
    with pytest.raises(SystemExit, match="there is no recipe 'denoise_nothing'"):
        lab.main(["train", "denoise_nothing", "--workers", "2"])


# ---- engines


@pytest.fixture
def ready(monkeypatch, tmp_path, runs):
    """For engines that find the tests, and IPython's folder empty; none of their processes may be left."""
    for package in ("ipyparallel", "jax"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed (pip install -e .[cluster])")
    monkeypatch.setenv("PYTHONPATH", PATH)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MARK", str(tmp_path))
    yield
    left = outlive(tmp_path)
    for process in left:
        os.kill(process, signal.SIGKILL)
    assert not left, "engines outlived their driver"


def outlive(mark, seconds: float = 60) -> list[int]:
    """What is left of them after so many seconds, or sooner none."""
    until = time.monotonic() + seconds
    while engine_processes(mark) and time.monotonic() < until:
        time.sleep(0.2)
    return engine_processes(mark)


def engine_processes(mark) -> list[int]:
    """The controller, engines and their nannies with this test's mark in their environment."""
    import psutil

    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("MARK") == str(mark) and "ipyparallel" in " ".join(process.cmdline()):
                found.append(process.pid)
    return found


def joined(client) -> cluster.Tasks:
    """The engines as workers of one JAX program."""
    tasks = cluster.prepared(client, NAMES, 0, SMOKE, backend="jax")
    cluster.join(tasks)
    return tasks


ALONE = """
import pickle, sys
import cluster_doubles
sys.stdout.flush()
found = cluster_doubles.fit(int(sys.argv[1]), 0.0, 1, 0)
with open(sys.argv[2], "wb") as file:
    pickle.dump(found, file)
"""


def alone(epochs: int, folder, runs) -> dict:
    """What one process of JAX finds, which has its runs in a folder of its own."""
    import pickle

    environment = os.environ | {"KERAS_BACKEND": "jax", "AUTOENCODER_RUNS": str(runs)}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(epochs), folder / "found"], env=environment, capture_output=True, text=True,
        timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return pickle.loads((folder / "found").read_bytes()) | {"said": done.stdout}


@pytest.mark.cluster
def test_two_workers_do_what_one_process_does_and_either_goes_on_for_the_other(ready, tmp_path, runs, capsys):
    with cluster.engines(2) as client:
        tasks = joined(client)
        two = tasks.everywhere(cluster_doubles.fit, 1, 0.0, -1, seconds=None, show=[0])
        assert "run: epoch 1 of 1" in capsys.readouterr().out
        one = alone(1, tmp_path, tmp_path / "alone")
        for found in two:
            np.testing.assert_allclose(found["steps"], one["steps"], rtol=1e-5)
            for key in ("loss", "val_loss"):
                np.testing.assert_allclose(found["history"][key], one["history"][key], rtol=1e-5)
            for a, b in zip(found["weights"], one["weights"], strict=True):  # batch statistics and generators too
                np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
        (run,), (other,) = runs.iterdir(), (tmp_path / "alone").iterdir()
        assert run.name == other.name and {path.name for path in run.iterdir()} == {
            "epoch-0001.npz", "history.json", "lock"
        }  # fmt: skip

        longer = alone(2, tmp_path, runs)  # one goes on where two stopped
        assert "epoch 2 of 2" in longer["said"] and len(longer["steps"]) == 3
        again = tasks.everywhere(cluster_doubles.fit, 3, 0.0, -1, seconds=None)  # and two where one stopped
        assert [len(found["steps"]) for found in again] == [3, 3]
        never_stopped = alone(3, tmp_path, tmp_path / "alone")
        np.testing.assert_allclose(again[1]["history"]["loss"], never_stopped["history"]["loss"], rtol=1e-4)
        with pytest.raises(ValueError, match="run: worker 1 has other images, or another version of the project"):
            tasks.everywhere(cluster_doubles.fit, 3, 0.0, 1)


@pytest.mark.cluster
def test_a_killed_worker_ends_the_others_with_a_sentence_and_the_next_call_goes_on(ready, runs, tmp_path):
    def kill(process: int):
        while not list(runs.glob("*/history.json")):
            time.sleep(0.05)
        time.sleep(0.5)  # in the middle of the second epoch
        os.kill(process, signal.SIGKILL)
        killed.append(time.monotonic())

    killed = []
    with cluster.engines(2) as client:
        tasks = joined(client)
        process = int(re.search(r"process (\d+)", tasks.people[1])[1])
        threading.Thread(target=kill, args=[process], daemon=True).start()
        with pytest.raises(cluster.Stopped, match=rf"^worker 1 \(.*process {process}\) ended; the same command "):
            tasks.everywhere(cluster_doubles.fit, 3, 0.4, -1, seconds=None)
    assert time.monotonic() - killed[0] < 60
    assert not outlive(tmp_path, seconds=60 - (time.monotonic() - killed[0]))
    (run,) = runs.iterdir()
    done = len(json.loads((run / "history.json").read_text())["history"]["loss"])
    assert 1 <= done < 3
    assert len(alone(3, tmp_path, runs)["steps"]) == 3 * (3 - done)


@pytest.mark.cluster
def test_engines_end_with_a_driver_that_is_killed(ready, tmp_path):
    source = "from helpers.lab import cluster\nwith cluster.engines(2):\n    print(flush=True)\n    input()\n"
    with subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as driver:
        driver.stdout.readline()
        assert len(engine_processes(tmp_path)) >= 3
        driver.kill()
    assert not outlive(tmp_path)


NO_IMAGES = "import os; os.environ.update(AUTOENCODER_DATA={0!r}, KERAS_HOME={0!r}, https_proxy='http://127.0.0.1:9')"
OTHER_KERAS = """
import importlib.metadata
found = importlib.metadata.version
importlib.metadata.version = lambda name: "2.15" if name == "keras" else found(name)
"""


@pytest.mark.cluster
def test_what_keeps_workers_from_beginning_is_said_in_a_sentence(ready, tmp_path, monkeypatch):
    for name in ("real", "none"):
        (tmp_path / name).mkdir()
    shutil.copy(SHIPPED / "sample" / "mnist.npz", tmp_path / "real")
    monkeypatch.setenv("AUTOENCODER_DATA", str(tmp_path / "real"))
    with pytest.raises(cluster.Stopped, match="there is no IPython Parallel profile 'slurm': make it with `ipython"):
        cluster.train(NAMES, SMOKE, workers=2, profile="slurm")
    with cluster.engines(2) as client, socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(cluster.Stopped, match=f"the coordinator cannot listen on {address} .* in use.*another"):
            cluster.train_together(client, NAMES, SMOKE, address=address)
        with pytest.raises(cluster.Stopped, match="cannot listen on 192.0.2.200:0 of "):
            cluster.train_together(client, NAMES, SMOKE, address="192.0.2.200")
        client[1].execute(NO_IMAGES.format(str(tmp_path / "none")), block=True)
        with pytest.raises(cluster.Stopped, match=r"^worker 1 \(.*\) would train on the drawn sample of mnist"):
            cluster.train_together(client, NAMES, Preset("quick"))
        client[1].execute(OTHER_KERAS, block=True)
        with pytest.raises(cluster.Stopped, match=r"^worker 1 \(.*\) has keras 2.15 and worker 0 \(.*\) 3.*: install"):
            cluster.train_together(client, NAMES, SMOKE)


@pytest.mark.cluster
def test_a_profile_starts_the_engines_and_what_it_cannot_start_is_said(ready, tmp_path):
    profile = tmp_path / "ipython" / "profile_other"
    profile.mkdir(parents=True)
    command = [sys.executable, "-c", "raise SystemExit('no engine today')"]
    config = f"c.Cluster.engine_timeout = 20\nc.LocalEngineSetLauncher.engine_cmd = {command}\n"
    (profile / "ipcluster_config.py").write_text(config, encoding="utf-8")
    sentence = r"^0 of 2 workers have started \(no engine today\): see the profile 'other'$"
    with pytest.raises(cluster.Stopped, match=sentence):
        cluster.train(NAMES, SMOKE, workers=2, profile="other")


@pytest.mark.cluster
def test_seeds_go_to_the_workers_one_run_each_and_are_found_again(ready, runs, capsys):
    trained = cluster.train(NAMES, SMOKE, workers=2, seeds=2)
    assert list(trained) == lab.runs(NAMES, 2)[1] and len(list(runs.iterdir())) == 2
    capsys.readouterr()
    book, (first, second) = lab.runs(NAMES, 2)
    network, history = recipes.train(book[second], SMOKE, book)  # by this process, on its own backend
    assert f"{second}: 1 epochs trained before" in capsys.readouterr().out
    assert history == trained[second][1] != trained[first][1]
    for a, b in zip(network.get_weights(), trained[second][0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.cluster
def test_the_command_line_trains_on_two_workers(ready, runs):
    command = [sys.executable, "-m", "helpers.lab", "--preset", "smoke", "train", *NAMES, "--workers", "2"]
    for said in ("denoise_uniform: epoch 1 of 1", "denoise_uniform: 1 epochs trained before"):
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=PROJECT)
        assert done.returncode == 0 and said in done.stdout, done.stdout + done.stderr
        assert not done.stderr.strip()
