"""Training on several workers: processes here, or on any machines on which IPython Parallel starts its engines.

    python -m helpers.lab train denoise_uniform --workers 2              one network, every batch shared
    python -m helpers.lab train denoise_uniform --workers 2 --seeds 3    three runs, one a worker
    python -m helpers.lab train loss_bce loss_mse --workers 2 --apart    two runs, one a worker

In a notebook: `cluster.train(["denoise_uniform"], Preset("full"), workers=2)`. Needs `pip install -e ".[cluster]"`.

**One network.** Every worker runs the recipe on Keras's JAX backend under `keras.distribution.DataParallel`, after
`jax.distributed.initialize`. Worker 0 keeps the state, as one process would: any number of workers can go on with it,
and so can one process with KERAS_BACKEND=jax (TensorFlow begins with other weights, so there it is another run). The
compiled step is one program over the whole batch, so what holds for one process holds here to float32 rounding:

- the images of a batch, their order and their noise are those of one process (see `shares.Share`);
- batch normalization uses mean and variance of the whole batch, not of a worker's share;
- dropout and sampling layers make the random numbers of the whole batch, and each worker uses those of its rows.

A batch that the workers' devices do not divide, often an epoch's last, holds each of its images several times: loss,
gradients and batch statistics stay the same; dropout and sampling have fresh numbers for every copy, and the epoch's
mean loss counts that batch as many times. Local workers get cores of their own, where there are two or more for each:
on a single one whoever waits for a message keeps it from arriving (4 ms for every all-reduce where 0.6 do, measured).

**Independent runs** need no network between workers. They use the backend of the process that starts them, so that
`measure` finds what they have trained, and get cores of their own where there is one for each. On two cores two runs
trained in 64 s side by side, in 125 s one after the other on one core, but in 70 s one after the other on both: it pays
where there are more cores than one run can use. To start the workers took some 30 s.

**Eight and 64 workers, calculated and not measured.** In a ring every worker sends 2 (n - 1) / n of the gradients,
4 bytes a weight, and every all-reduce is 2 (n - 1) messages one after the other. XLA lists a step's gradients as one
all-reduce, but gloo sums them array by array; batch normalization adds statistics, which wait for each other. Where a
worker computes 0.3 s a step, a message takes 0.1 ms and the network carries 1 Gbit/s (in brackets: 10), the efficiency
would be

| network | weights | arrays summed a step | 8 workers | 64 workers |
| --- | ---: | ---: | ---: | ---: |
| `denoise_uniform` | 28,353 | 11 | 0.95 (0.95) | 0.68 (0.68) |
| `denoise_unet` | 29,523 | 95 | 0.69 (0.69) | 0.20 (0.20) |
| `restore_unet` | 1,674,403 | 39 | 0.66 (0.82) | 0.33 (0.37) |

so that larger shares help everywhere, a faster network the large networks, and short ways all.
`tests/benchmarks/test_cluster_speed.py` measures one and two workers and calculates from that. On two idle cores two
workers were 1.5 times as fast as one at 128 images a step, where some 50 ms of a step are lost: eleven sums by
themselves took 6 to 44 ms, as the thread that waits for a message keeps its core busy. At 512 images they were 2.2 to
2.7 times as fast (one core alone takes longer for an image there than at 128).

**The network.** What goes between this process and the engines is IPython Parallel's, with its keys. JAX has none: its
coordinator listens on the address that is given, by default on the loopback address alone, and the workers' own
connections (gloo) on that to which a machine's name resolves. Neither is encrypted: use a network that you trust.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from .presets import Preset

LOOPBACK = "127.0.0.1"
INSTALL = 'pip install -e ".[cluster]"'
START_SECONDS, PREPARE_SECONDS, GRACE_SECONDS = 180, 600, 5
HEARTBEAT_SECONDS = 50  # after which JAX gives a silent worker up
GOES_ON = "the same command goes on after the last whole epoch"
# Outlives a driver that is killed: it ends the engines when its standard input is closed, which the system does then.
GUARD = """
import signal, sys
sys.stdin.read()
import ipyparallel
cluster = ipyparallel.Cluster.from_file(sys.argv[1])
cluster.signal_engines_sync(getattr(signal, "SIGKILL", signal.SIGTERM))
cluster.stop_cluster_sync()
"""


class Stopped(RuntimeError):
    """Why several workers cannot begin or go on, in one sentence."""


def train(
    names: Sequence[str],
    preset: Preset,
    *,
    workers: int,
    seeds: int = 0,
    apart: bool = False,
    profile: str | None = None,
    address: str = LOOPBACK,
) -> dict[str, tuple]:
    """Train recipes on several workers and publish what belongs published; {name: (network, history)} as of
    `recipes.train`, the networks on this process's backend.

    workers: how many. seeds: so many runs of every recipe, with the seeds 0, 1, ... apart: one run a worker, as with
    seeds; else all workers share every batch. profile: an IPython Parallel profile, whose launchers start the engines
    (local ones without). address: of worker 0, "host" or "host:port", by which the others reach JAX's coordinator.

    Raises `Stopped` with one sentence for all that may go wrong outside of the recipe; ValueError, RuntimeError and
    OSError as `training.fit` does. KeyboardInterrupt ends the workers too.
    """
    from . import __main__ as lab
    from . import recipes

    book, _ = lab.runs(names, seeds)  # before engines are started for a name that is wrong
    with engines(workers, profile) as client:
        if seeds or apart:
            found = train_apart(client, names, preset, seeds=seeds)
        else:
            found = train_together(client, names, preset, address=address)
    trained = {}
    for name, (values, history, is_sample) in found.items():
        built = book[name].network()
        recipes.whole(built).set_weights(values)
        recipes.publish(book[name], built, history, preset=preset, is_sample=is_sample)
        trained[name] = built, history
    return trained


# ---- engines


def _parallel():
    """IPython Parallel. Raises `Stopped` where it or JAX is missing."""
    from importlib.util import find_spec

    if find_spec("ipyparallel") is None or find_spec("jax") is None:
        raise Stopped(f"several workers need IPython Parallel and JAX: {INSTALL}")
    import ipyparallel

    return ipyparallel


@contextlib.contextmanager
def engines(count: int, profile: str | None = None) -> Iterator:
    """IPython Parallel's client of `count` new engines, which end with the block, and with this process."""
    parallel = _parallel()
    _known(profile)
    settings = {} if profile else {"engine_timeout": START_SECONDS}
    cluster = parallel.Cluster(n=count, profile=profile or "", log_level=50, **settings)
    command = [sys.executable, "-c", GUARD, cluster.cluster_file]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, **quiet)
    client = None
    try:
        try:
            cluster.start_cluster_sync()
            client = cluster.connect_client_sync()
            client.wait_for_engines(count, timeout=cluster.engine_timeout, interactive=False)
        except Exception as error:
            there = f"{len(client.ids) if client else 0} of {count} workers"
            said = "".join(getattr(cluster.engine_set, "outputs", {}).values()).strip() or f"{error}"
            remedy = f"see the profile {profile!r}" if profile else "try it again, or fewer workers"
            raise Stopped(f"{there} have started ({_last_line(said)}): {remedy}") from error
        yield client
    finally:
        if client:
            client.close(linger=0)
        with contextlib.suppress(Exception):
            cluster.signal_engines_sync(getattr(signal, "SIGKILL", signal.SIGTERM))  # JAX would wait for its peers
        with contextlib.suppress(Exception):
            cluster.stop_cluster_sync()
        guard.kill()
        guard.communicate()


def _known(profile: str | None) -> None:
    from IPython.core.profiledir import ProfileDir, ProfileDirError
    from IPython.paths import get_ipython_dir

    try:
        if profile:
            ProfileDir.find_profile_dir_by_name(get_ipython_dir(), profile)
    except ProfileDirError:
        raise Stopped(
            f"there is no IPython Parallel profile {profile!r}: make it with `ipython profile create --parallel "
            f"{profile}`"
        ) from None


def _last_line(text: str) -> str:
    return (text.splitlines() or [""])[-1].strip()


class Tasks:
    """What the engines of a client do at the moment: {worker: task}. The workers are numbered in the engines' order."""

    def __init__(self, client):
        self.client, self.ids = client, sorted(client.ids)
        self.people = [f"worker {worker}" for worker in range(len(self.ids))]
        self.hosts, self.running, self.told = set(), {}, {}

    def start(self, worker: int, function, *args) -> None:
        try:
            self.running[worker] = self.client[self.ids[worker]].apply_async(function, *args)
        except IndexError:  # the engine is gone
            raise Stopped(f"{self.people[worker]} ended; {GOES_ON}") from None
        self.told[worker] = ""

    def show(self, workers: Sequence[int]) -> None:
        """Print what these workers have printed since; of a task that is done all, which comes by a way of its own."""
        for worker in workers:
            if self.running[worker].ready():
                self.running[worker].wait_for_output(GRACE_SECONDS)
            told, text = self.told[worker], self.running[worker].metadata["stdout"]
            if text.startswith(told):
                sys.stdout.write(text[len(told) :])
            else:  # of a line that is drawn over and over, IPython Parallel keeps the last state only
                sys.stdout.write("\r" + text[told.rfind("\n") + 1 :])
            self.told[worker] = text
        sys.stdout.flush()

    def finished(self) -> list[int]:
        """The workers that have done their task, well or badly. Raises `Stopped` where nobody will tell any more."""
        controller = self.client.cluster.controller
        if controller is not None and not controller.running:
            raise Stopped(f"IPython Parallel's controller has ended; {GOES_ON}")
        return [worker for worker, task in self.running.items() if task.ready()]

    def everywhere(self, function, *args, seconds: float | None = PREPARE_SECONDS, show: Sequence[int] = ()) -> list:
        """The results of function(*args, worker) of all workers. Raises `Stopped` or what the recipe raised."""
        for worker in range(len(self.ids)):
            self.start(worker, function, *args, worker)
        until = time.monotonic() + (seconds or float("inf"))
        while len(finished := self.finished()) < len(self.running) and all(
            self.running[worker].successful() for worker in finished
        ):
            if time.monotonic() > until:
                late = [self.people[worker] for worker in self.running if worker not in finished]
                raise Stopped(f"{' and '.join(late)} did not answer within {seconds:.0f} s")
            self.show(show)
            time.sleep(0.1)
        failed = [worker for worker in finished if not self.running[worker].successful()]
        self.show(show)
        if failed:
            raise self.failure(failed[0], range(len(self.ids))) from self.running[failed[0]].exception()
        results = [self.running[worker].get() for worker in range(len(self.ids))]
        self.running = {}
        return results

    def failure(self, worker: int, others: Sequence[int] = ()) -> Exception:
        """Why a worker's task failed: it has ended, or one of the others on which it depends; else what it says."""
        until = time.monotonic() + GRACE_SECONDS  # the others complain sooner than the news of a death arrives
        while not (lost := [one for one in (worker, *others) if self.ids[one] not in self.client.ids]):
            if time.monotonic() > until:
                break
            time.sleep(0.1)
        if lost:
            return Stopped(f"{' and '.join(self.people[one] for one in sorted(set(lost)))} ended; {GOES_ON}")
        error = self.running[worker].exception()
        name, text = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", str(error))
        if name in EXPECTED:
            return EXPECTED[name](text)
        if name == "ModuleNotFoundError":
            return Stopped(f"{self.people[worker]} has {text.lower()}; install the project there with {INSTALL}")
        return Stopped(f"{self.people[worker]} failed ({name}: {_last_line(text)}); {GOES_ON}")


# What a recipe, the data or the disk may raise, each with a sentence of its own.
EXPECTED = {kind.__name__: kind for kind in (ValueError, RuntimeError, OSError, FileNotFoundError, Stopped)}


# ---- one network on all workers, or a run for each


def train_together(client, names: Sequence[str], preset: Preset, *, address: str = LOOPBACK) -> dict[str, tuple]:
    """Recipes, each trained by all engines of `client`: {name: (weights, history, whether on the sample)}."""
    tasks = prepared(client, names, 0, preset, backend="jax", cores=2)
    join(tasks, address)
    live = sys.stdout.isatty() or "ipykernel" in type(sys.stdout).__module__
    return {name: tasks.everywhere(_train, name, names, 0, preset, live, seconds=None, show=[0])[0] for name in names}


def train_apart(client, names: Sequence[str], preset: Preset, *, seeds: int = 0) -> dict[str, tuple]:
    """The same, each by one engine alone; with seeds, all seeds of every recipe. What fails stops no other run."""
    import keras

    from . import __main__ as lab

    tasks = prepared(client, names, seeds, preset, backend=keras.backend.backend())
    runs, free, doing, found, failures = lab.runs(names, seeds)[1], list(range(len(tasks.ids))), {}, {}, []
    waiting = list(runs)
    while waiting and free or doing:
        while waiting and free:
            worker = free.pop(0)
            doing[worker] = waiting.pop(0)
            tasks.start(worker, _train, doing[worker], names, seeds, preset, False, worker)
        time.sleep(0.1)
        for worker in tasks.finished():
            name, task = doing.pop(worker), tasks.running[worker]
            if task.successful():
                found[name] = task.get()
            else:
                failures.append(f"{name}: {tasks.failure(worker)}")
            if tasks.ids[worker] in client.ids:
                free.append(worker)
            tasks.show([worker])
            del tasks.running[worker]
        tasks.show(list(doing))
    failures += [f"{name}: no worker was left" for name in waiting]
    if failures:
        raise Stopped("; ".join(failures))
    return {name: found[name] for name in runs}


def join(tasks: Tasks, address: str = LOOPBACK) -> None:
    """Make the engines processes of one JAX program, whose coordinator is in worker 0. Once in an engine's life."""
    host, _, port = address.partition(":")
    if len(tasks.hosts) > 1 and host in (LOOPBACK, "localhost"):
        raise Stopped(
            f"the workers are on {len(tasks.hosts)} machines, and {host} is an address of each: give the --address by "
            f"which all reach {tasks.people[0]}"
        )
    port = tasks.everywhere(_port, host, int(port or 0))[0]
    tasks.everywhere(_join, len(tasks.ids), f"{host}:{port}")


def prepared(client, names: Sequence[str], seeds: int, preset: Preset, *, backend: str, cores: int = 1) -> Tasks:
    """The engines with Keras on this backend, each on its own cores where there are so many for each.

    Raises `Stopped` where they differ in what matters.
    """
    tasks = Tasks(client)
    who = tasks.everywhere(_who)
    tasks.hosts = {host for host, _, _ in who}
    tasks.people = [f"worker {worker} ({host}, process {process})" for worker, (host, process, _) in enumerate(who)]
    versions = tasks.everywhere(_set_up, backend, _cores([(host, all_cores) for host, _, all_cores in who], cores))
    for worker in range(1, len(who)):
        for package, version in versions[worker].items():
            if version != versions[0][package]:
                raise Stopped(
                    f"{tasks.people[worker]} has {package} {version} and {tasks.people[0]} {versions[0][package]}: "
                    "install the same version on both"
                )
    images = tasks.everywhere(_images, names, seeds, preset)
    for data in images[0]:
        without = [person for person, there in zip(tasks.people, images, strict=True) if there[data]]
        if len(without) not in (0, len(who)):
            raise Stopped(
                f"{' and '.join(without)} would train on the drawn sample of {data}, the others on the real images: "
                "put them there too, into data/ or the folder that AUTOENCODER_DATA names"
            )
    return tasks


def _cores(workers: list[tuple[str, list[int]]], least: int) -> list[list[int]]:
    """Each worker's own cores, from (machine, cores that it may use); none where there are not `least` for each."""
    own = []
    for number, (host, cores) in enumerate(workers):
        together = [other for other, one in enumerate(workers) if one == (host, cores)]
        own.append(cores[together.index(number) :: len(together)] if len(cores) >= least * len(together) else [])
    return own


# ---- what runs in an engine; the last argument is the worker's number


def _who(worker: int) -> tuple[str, int, list[int]]:
    """(machine, process, the cores that it may use: none where the system does not tell)."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return socket.gethostname(), os.getpid(), cores


def _set_up(backend: str, cores: list[list[int]], worker: int) -> dict[str, str]:
    """Import Keras on this backend and these cores; the versions of what must not differ."""
    from importlib.metadata import version

    if cores[worker]:
        os.sched_setaffinity(0, cores[worker])  # of this thread and of those that JAX or TensorFlow start from it
    os.environ["KERAS_BACKEND"] = backend
    import keras  # noqa: F401 - takes seconds

    return {"keras": version("keras"), "numpy": version("numpy"), backend: __import__(backend).__version__}


def _images(names: Sequence[str], seeds: int, preset: Preset, worker: int) -> dict[str, bool]:
    """{data set of the recipes: whether this worker has its drawn sample only}."""
    from .. import datasets
    from . import __main__ as lab

    book, runs = lab.runs(names, seeds)
    return {data: datasets.load(data, sample=preset.sample).is_sample for data in {book[name].data for name in runs}}


def _port(host: str, port: int, worker: int) -> int | None:
    """A port of worker 0 on which the coordinator can listen: the one given, or a free one for 0."""
    if worker:
        return None
    try:
        with socket.create_server((host, port)) as server:
            return server.getsockname()[1]
    except OSError as error:
        raise Stopped(
            f"the coordinator cannot listen on {host}:{port} of {socket.gethostname()} ({error.strerror}): give "
            "another --address HOST:PORT, or leave the port out"
        ) from None


def _join(workers: int, address: str, worker: int) -> None:
    """Become one of several processes of JAX."""
    import jax

    if workers > 1:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(
            address, workers, worker, coordinator_bind_address=address, initialization_timeout=PREPARE_SECONDS // 2,
            heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
        )  # fmt: skip


def _train(name: str, names: Sequence[str], seeds: int, preset: Preset, live: bool, worker: int) -> tuple | None:
    """Train a recipe; (weights, history, whether on the sample), or nothing where worker 0 gives the same."""
    from . import __main__ as lab
    from . import recipes, shares

    book, _ = lab.runs(names, seeds)
    with contextlib.redirect_stdout(_Screen(live)):
        built, history, is_sample = recipes.fit(book[name], preset, book)
    return (recipes.whole(built).get_weights(), history, is_sample) if shares.place()[0] == 0 else None


class _Screen:
    """An engine's stdout, which is shown where the training was started: a terminal or notebook there, or a file."""

    def __init__(self, live: bool):
        self.live, self.write, self.flush = live, sys.stdout.write, sys.stdout.flush

    def isatty(self) -> bool:
        return self.live
