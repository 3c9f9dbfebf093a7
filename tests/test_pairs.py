"""Pairs: what a batch holds, what changes from epoch to epoch, and what Keras makes of it."""

import functools
import tracemalloc

import keras
import numpy as np
import pytest

from helpers import corruptions
from helpers.pairs import Pairs, identity, mirrored, to_float

noise = functools.partial(corruptions.gaussian, std=0.3)


def box(clean, rng):
    return corruptions.black_box(clean, rng, size=3)


def epoch_of(pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    """All of this epoch's (corrupted, clean), sorted by the clean image so that the order does not matter."""
    corrupted, clean = pairs.everything()
    order = np.lexsort(clean.reshape(len(clean), -1).T)
    return corrupted[order], clean[order]


class Folder:
    """A stand-in for a lazily decoded image folder: indexes like an array and counts what it decodes."""

    dtype, ndim = np.dtype(np.uint8), 4

    def __init__(self, images):
        self._images, self.shape, self.decoded = images, images.shape, 0

    def __len__(self):
        return len(self._images)

    def __getitem__(self, index):
        batch = self._images[index]
        self.decoded += len(batch)
        return batch


def test_batches_are_float32_in_0_1_and_the_last_one_is_smaller(images):
    pairs = Pairs(images, noise, batch_size=16)
    shapes = [(corrupted.shape, clean.shape) for corrupted, clean in (pairs[k] for k in range(len(pairs)))]
    assert shapes == [((n, 8, 8, 1),) * 2 for n in (16, 16, 16, 2)]
    for part in pairs[0]:
        assert part.dtype == np.float32
        assert part.min() >= 0 and part.max() <= 1
    with pytest.raises(IndexError, match="batch 4 of 4"):
        pairs[4]


def test_a_whole_number_of_batches_has_no_empty_one(images):
    assert len(Pairs(images, batch_size=25)) == 2


def test_255_is_exactly_one_and_every_gray_level_comes_back():
    levels = np.arange(256, dtype=np.uint8)
    scaled = to_float(levels)
    assert scaled[-1] == 1.0 and scaled.dtype == np.float32
    np.testing.assert_array_equal(np.rint(scaled * 255).astype(np.uint8), levels)


@pytest.mark.parametrize("shuffle", [True, False])
def test_every_image_comes_once_an_epoch(images, shuffle):
    pairs = Pairs(images, batch_size=16, shuffle=shuffle)
    indices = np.concatenate([pairs.indices(k) for k in range(len(pairs))])
    assert sorted(indices) == list(range(len(images)))
    assert (list(indices) == list(range(len(images)))) is not shuffle
    np.testing.assert_array_equal(pairs[1][1], to_float(images[pairs.indices(1)]))


def test_without_a_corruption_input_and_target_are_alike(images):
    corrupted, clean = Pairs(images)[0]
    np.testing.assert_array_equal(corrupted, clean)
    assert identity(clean) is clean


def test_fresh_noise_and_order_in_every_epoch(images):
    pairs = Pairs(images, noise, batch_size=16)
    order, first = pairs.indices(0), epoch_of(pairs)
    pairs.on_epoch_end()
    second = epoch_of(pairs)
    assert list(pairs.indices(0)) != list(order)
    np.testing.assert_array_equal(first[1], second[1])
    assert np.abs(first[0] - second[0]).max(axis=(1, 2, 3)).min() > 0.01  # every image has new noise


def test_the_noise_differs_between_the_batches_and_images_of_an_epoch():
    same = np.full((40, 8, 8, 1), 128, np.uint8)
    corrupted, _ = Pairs(same, noise, batch_size=20).everything()
    assert len(np.unique(corrupted.reshape(40, -1), axis=0)) == 40


def test_fixed_noise_stays_with_its_image_although_the_order_changes(images):
    pairs = Pairs(images, noise, batch_size=16, fresh=False)
    order, first = pairs.indices(0), epoch_of(pairs)
    pairs.on_epoch_end()
    assert list(pairs.indices(0)) != list(order)
    np.testing.assert_array_equal(first[0], epoch_of(pairs)[0])
    other_batches = Pairs(images, noise, batch_size=7, fresh=False)
    np.testing.assert_array_equal(first[0], epoch_of(other_batches)[0])


def test_fixed_noise_differs_between_images():
    same = np.full((20, 8, 8, 1), 128, np.uint8)
    corrupted, _ = Pairs(same, noise, batch_size=20, fresh=False).everything()
    assert len(np.unique(corrupted.reshape(20, -1), axis=0)) == 20


def test_validation_pairs_are_the_same_in_every_epoch(images):
    pairs = Pairs(images, noise, batch_size=16, fresh=False, shuffle=False)
    first = pairs.everything()
    pairs.on_epoch_end()
    for before, after in zip(first, pairs.everything(), strict=True):
        np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(first[1], to_float(images))


def test_a_seed_gives_the_same_batches_and_another_one_others(images):
    first, again, other = (Pairs(images, noise, batch_size=16, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first[2][0], again[2][0])
    assert list(first.indices(2)) != list(other.indices(2))
    fixed = [Pairs(images, noise, fresh=False, shuffle=False, seed=seed)[0][0] for seed in (3, 4)]
    assert np.abs(fixed[0] - fixed[1]).max() > 0.01


def test_a_batch_does_not_depend_on_the_batches_asked_for_before(images):
    straight, crooked = Pairs(images, noise, batch_size=16), Pairs(images, noise, batch_size=16)
    for number in (3, 0, 2):
        crooked[number]
    np.testing.assert_array_equal(straight[1][0], crooked[1][0])


@pytest.mark.parametrize("fresh", [True, False])
def test_with_mask_the_input_is_the_image_and_its_mask(images, fresh):
    (corrupted, mask), clean = Pairs(images, box, batch_size=16, with_mask=True, fresh=fresh)[3]
    assert corrupted.shape == clean.shape == (2, 8, 8, 1) and mask.shape == (2, 8, 8, 1)
    np.testing.assert_array_equal(mask.sum(axis=(1, 2, 3)), 9)
    np.testing.assert_array_equal(corrupted, clean * (1 - mask))
    alone, _ = Pairs(images, box, batch_size=16, fresh=fresh)[3]
    np.testing.assert_array_equal(alone, corrupted)


def test_everything_joins_masks_too(images):
    (corrupted, mask), clean = Pairs(images, box, batch_size=16, with_mask=True, shuffle=False).everything()
    assert len(corrupted) == len(mask) == len(clean) == 50
    np.testing.assert_array_equal(clean, to_float(images))
    np.testing.assert_array_equal(corrupted, clean * (1 - mask))


def test_the_target_is_made_from_the_clean_batch(images):
    colour = np.repeat(images, 3, axis=-1)
    gray, target = Pairs(colour, corruptions.grayscale, target=lambda clean: clean[..., :2], shuffle=False)[0]
    assert gray.shape == (50, 8, 8, 1)
    np.testing.assert_array_equal(target, to_float(colour)[..., :2])


def test_an_image_folder_is_decoded_batch_by_batch(images):
    folder = Folder(images)
    pairs = Pairs(folder, noise, batch_size=16)
    assert folder.decoded == 0
    corrupted, clean = pairs[0]
    assert folder.decoded == 16
    np.testing.assert_array_equal(clean, Pairs(images, noise, batch_size=16)[0][1])
    np.testing.assert_array_equal(corrupted, Pairs(images, noise, batch_size=16)[0][0])


@pytest.mark.parametrize(
    "bad",
    [np.zeros((5, 8, 8), np.uint8), np.zeros((5, 8, 8, 1), np.float32), np.zeros((0, 8, 8, 1), np.uint8)],
    ids=["no channel axis", "float", "none at all"],
)
def test_images_of_another_kind_are_refused_by_a_sentence(bad):
    with pytest.raises(ValueError, match=r"uint8 images of shape \(N, H, W, C\).*datasets.load"):
        Pairs(bad)


def test_a_batch_costs_the_memory_of_a_batch():
    many = np.zeros((20_000, 28, 28, 1), np.uint8)  # 63 MB as float32
    pairs = Pairs(many, noise, batch_size=100)
    tracemalloc.start()
    pairs[7]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6  # a few batches of 0.3 MB, and the order of 20,000 images


class Spy(Pairs):
    """Notes which epoch each batch was asked for in."""

    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.seen = []

    def __getitem__(self, number):
        batch = super().__getitem__(number)
        self.seen.append((self.epoch, number, float(batch[0].sum())))
        return batch


def test_keras_advances_training_by_one_epoch_each_and_validation_stays(images, tiny_model, eagerly):
    train = Spy(images, noise, batch_size=25)
    validation = Spy(images, noise, batch_size=25, seed=9, fresh=False, shuffle=False)
    marks = []

    def note(epoch, logs=None):
        marks.append((len(train.seen), len(validation.seen)))

    model = tiny_model()
    model.compile("sgd", "mse")
    model.fit(
        train, validation_data=validation, epochs=3, verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=note, on_epoch_end=note)],
    )  # fmt: skip
    during = [
        {(epoch, number) for epoch, number, _ in train.seen[a:b]}
        for (a, _), (b, _) in zip(marks[::2], marks[1::2], strict=True)
    ]
    first = min(epoch for epoch, _ in during[0])
    assert during == [{(first + k, 0), (first + k, 1)} for k in range(3)]
    assert len({total for epoch, number, total in train.seen if epoch >= first}) == 6  # new noise each time
    assert len({(number, total) for _, number, total in validation.seen}) == 2  # the same two batches all along


def test_mirrored_turns_about_half_of_the_images(images):
    many = np.repeat(images[:1], 400, axis=0)
    turned = mirrored(many, np.random.default_rng(0))
    as_before = (turned == many).all(axis=(1, 2, 3))
    np.testing.assert_array_equal(turned[~as_before], many[~as_before][:, :, ::-1])
    assert 160 < as_before.sum() < 240


def test_images_are_augmented_anew_in_every_epoch_and_input_and_target_alike(images):
    pairs = Pairs(images, batch_size=len(images), shuffle=False, augment=mirrored)
    corrupted, clean = pairs[0]
    np.testing.assert_array_equal(corrupted, clean)
    np.testing.assert_array_equal(pairs[0][1], clean)
    assert (clean != to_float(images)).any()
    pairs.on_epoch_end()
    assert (pairs[0][1] != clean).any()
