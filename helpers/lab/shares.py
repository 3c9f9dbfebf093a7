"""What several workers share while they train one network: the rows of every batch, and what the first one knows.

A worker is a process of `jax.distributed` (see `cluster`). Where there is only one, nothing here changes anything.
"""

import contextlib
import copy
import io
import math
from collections.abc import Callable, Iterator

import keras
import numpy as np


def place() -> tuple[int, int]:
    """(which worker this is, how many there are): (0, 1) for a process that trains alone."""
    if keras.backend.backend() != "jax":
        return 0, 1
    import jax

    return jax.process_index(), jax.process_count()


@contextlib.contextmanager
def together(variables: list) -> Iterator[None]:
    """What is compiled and trained in this context is so by all workers together; alone, as ever.

    variables: of the network and of its optimizer, which were born outside.
    """
    if place()[1] == 1:
        yield
        return
    with keras.distribution.DataParallel(auto_shard_dataset=False).scope():
        for variable in variables:
            variable.assign(everywhere(np.array(variable.numpy())))
        yield


def everywhere(value: np.ndarray):
    """A variable's new value: inside `together` on the devices of all workers, which have the same, else as it is.

    Keras's own way has the workers compare each value first, and compile that for each of its shapes.
    """
    distribution = keras.distribution.distribution()
    if distribution is None:
        return value
    import jax

    replicated = jax.sharding.NamedSharding(distribution.device_mesh.backend_mesh, jax.sharding.PartitionSpec())
    return jax.make_array_from_process_local_data(replicated, value)


def devices() -> int:
    """How many devices (CPUs, GPUs) all workers have, as many each."""
    import jax

    return jax.device_count()


def own_rows(size: int) -> np.ndarray:
    """Which images of a batch of `size` are this worker's, int (rows,); as many for every worker.

    Where the devices do not divide the batch, each of its images is taken as many times as it needs: means, gradients
    and batch statistics stay what they were. No worker computes more than the whole batch.
    """
    worker, workers = place()
    times = devices() // math.gcd(size, devices())
    return np.split(np.repeat(np.arange(size), times), workers)[worker]


class Share(keras.utils.PyDataset):
    """A worker's rows of every batch of `Pairs`: together the workers have the very batches of one process.

    Only the own images are read. The noise is made for the whole batch, the other images being black meanwhile, so
    that each image has the noise that it has in one process; corruption, augmentation and target must therefore treat
    every image by itself, as those of `helpers` do.
    """

    def __init__(self, pairs):
        super().__init__()
        self.pairs = copy.copy(pairs)
        self.pairs.images = _OwnImages(pairs.images)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, number: int):
        inputs, targets = self.pairs[number]
        rows = own_rows(len(targets))
        return tuple(part[rows] for part in inputs) if isinstance(inputs, tuple) else inputs[rows], targets[rows]

    def on_epoch_end(self) -> None:
        self.pairs.on_epoch_end()


class _OwnImages:
    """Batches of images, of which only this worker's are read."""

    def __init__(self, images):
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        own = np.unique(own_rows(len(indices)))
        batch = np.zeros((len(indices), *self.images.shape[1:]), np.uint8)
        batch[own] = self.images[indices[own]]
        return batch


def share(pairs):
    """This worker's `Share` of `pairs`; `pairs` itself where there is one worker."""
    return Share(pairs) if place()[1] > 1 else pairs


def from_first(read: Callable[[], bytes]) -> bytes:
    """What `read` gives on the first worker, told to all.

    Raises FileNotFoundError on all of them where it does so there; another error is the first one's alone, and whoever
    started the workers has to end the others.
    """
    worker, workers = place()
    if workers == 1:
        return read()
    from jax.experimental.multihost_utils import broadcast_one_to_all

    content = None
    if worker == 0:
        try:
            content = np.frombuffer(read(), np.uint8)
        except (FileNotFoundError, NotADirectoryError):
            content = None
    size = int(broadcast_one_to_all(np.int32(-1 if content is None else len(content))))
    if size < 0:
        raise FileNotFoundError
    return broadcast_one_to_all(np.zeros(size, np.uint8) if content is None else content).tobytes()


def begin_alike(model: keras.Model) -> None:
    """Give the first worker's weights and random generators to all: other processors may have made others."""
    if place()[1] == 1:
        return

    def packed() -> bytes:
        content = io.BytesIO()
        np.savez(content, *[variable.numpy() for variable in model.variables])
        return content.getvalue()

    with np.load(io.BytesIO(from_first(packed))) as first:
        for variable, value in zip(model.variables, first.values(), strict=True):
            variable.assign(value)


def agree(name: str, fingerprint: str) -> None:
    """Raises ValueError where this worker has another fingerprint of the run `name` than the first one."""
    first = from_first(fingerprint.encode).decode()
    if first != fingerprint:
        raise ValueError(
            f"{name}: worker {place()[0]} has other images, or another version of the project, than worker 0 (run "
            f"{fingerprint}, not {first}); bring both to the same"
        )
