"""Batches of (corrupted, clean) images, made while the network trains."""

from collections.abc import Callable, Sequence

import keras
import numpy as np

Corruption = Callable[[np.ndarray, np.random.Generator], np.ndarray | tuple[np.ndarray, np.ndarray]]


def to_float(images: np.ndarray) -> np.ndarray:
    """uint8 images 0..255 of any shape as float32 in [0, 1]."""
    return np.multiply(images, np.float32(1 / 255), dtype=np.float32)


def identity(clean: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
    """No corruption: the bottleneck itself is the damage (notebooks 01 and 05)."""
    return clean


def mirrored(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Images (N, H, W, C), about half of them turned left to right: a boat is a boat from either side."""
    turned = rng.random(len(images)) < 0.5
    return np.where(turned[:, None, None, None], images[:, :, ::-1], images)


class Pairs(keras.utils.PyDataset):
    """(corrupted, clean) batches from uint8 images; the images stay uint8 until their batch is due.

    images: uint8 (N, H, W, C), an array or a lazily decoded folder that indexes like one.
    corrupt: a function of `helpers.corruptions`, called as corrupt(clean, rng); None for no damage.
    target: what the network should give, from the clean batch; None for the clean batch itself.
    fresh: new noise in every epoch; False gives an image the same noise in every epoch.
    shuffle: a new order in every epoch.
    augment: a harmless change made before anything else, called as augment(images, rng), such as `mirrored`; sampled
    anew in every epoch.
    with_mask: where the corruption gives a mask, the network's input is the tuple (corrupted, mask).

    Everything follows from (seed, epoch, batch number), so a run that was interrupted goes on with the very
    batches it would have seen. Batches are float32 in [0, 1]; the last one of an epoch may be smaller.
    Raises ValueError for no images, or images that are not uint8 (N, H, W, C).
    """

    def __init__(
        self,
        images,
        corrupt: Corruption | None = None,
        *,
        batch_size: int = 128,
        seed: int = 0,
        fresh: bool = True,
        shuffle: bool = True,
        target: Callable[[np.ndarray], np.ndarray] | None = None,
        augment: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None,
        with_mask: bool = False,
    ):
        super().__init__()
        if images.ndim != 4 or images.dtype != np.uint8 or len(images) == 0:
            raise ValueError(
                f"Pairs needs uint8 images of shape (N, H, W, C), got {images.dtype} {tuple(images.shape)}; "
                "take them from datasets.load(...)"
            )
        self.images = images
        self.corrupt = corrupt or identity
        self.batch_size = batch_size
        self.seed = seed
        self.fresh = fresh
        self.shuffle = shuffle
        self.target = target
        self.augment = augment
        self.with_mask = with_mask
        self.epoch = 0
        self._order: tuple[int, np.ndarray] | None = None

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.images) // self.batch_size)

    def __getitem__(self, number: int):
        indices = self.indices(number)
        images = self.images[indices]
        if self.augment is not None:
            images = self.augment(images, np.random.default_rng([self.seed, 4, self.epoch, number]))
        clean = to_float(images)
        inputs = self._corrupt(clean, indices, number)
        if isinstance(inputs, tuple) and not self.with_mask:
            inputs = inputs[0]
        return inputs, clean if self.target is None else self.target(clean)

    def indices(self, number: int) -> np.ndarray:
        """Which images make up batch `number` of the present epoch, int (batch,)."""
        if number >= len(self):
            raise IndexError(f"batch {number} of {len(self)}")
        here = slice(number * self.batch_size, (number + 1) * self.batch_size)
        return self._shuffled()[here] if self.shuffle else np.arange(len(self.images))[here]

    def on_epoch_end(self) -> None:
        """Called by Keras: the next epoch has its own order and its own noise."""
        self.epoch += 1

    def _shuffled(self) -> np.ndarray:
        epoch, order = self.epoch, self._order  # read once: batches may be asked for by several threads
        if order is None or order[0] != epoch:
            rng = np.random.default_rng([self.seed, 1, epoch])
            order = self._order = (epoch, rng.permutation(len(self.images)))
        return order[1]

    def _corrupt(self, clean: np.ndarray, indices: Sequence[int], number: int):
        if self.fresh or not self.shuffle:
            epoch = self.epoch if self.fresh else 0
            return self.corrupt(clean, np.random.default_rng([self.seed, 2, epoch, number]))
        # One noise for all epochs under a changing order: each image keeps a generator of its own.
        single = [
            self.corrupt(clean[k : k + 1], np.random.default_rng([self.seed, 3, int(index)]))
            for k, index in enumerate(indices)
        ]
        if isinstance(single[0], tuple):
            return tuple(np.concatenate(parts) for parts in zip(*single, strict=True))
        return np.concatenate(single)

    def everything(self) -> tuple:
        """All batches of the present epoch joined, (inputs, targets): for a test set that fits in memory."""
        batches = [self[number] for number in range(len(self))]
        inputs = [batch[0] for batch in batches]
        targets = np.concatenate([batch[1] for batch in batches])
        if isinstance(inputs[0], tuple):
            return tuple(np.concatenate(parts) for parts in zip(*inputs, strict=True)), targets
        return np.concatenate(inputs), targets
