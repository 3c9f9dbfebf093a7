"""Colouring photos: the recipes of every colorizer and of the classifier that judges them, and what is measured."""

from functools import partial

import keras
import numpy as np
from keras import layers

from .. import baselines, colors, corruptions, metrics, models, plots, records, weights
from ..pairs import mirrored, to_float
from ..plumbing.files import whole_file
from . import training
from .presets import Preset
from .recipes import Recipe, seeds
from .workbench import Workbench, predict


def mirrored_and_shifted(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mirrored at random and moved by up to 4 pixels; what moves in at the edge is a reflection."""
    padded = np.pad(mirrored(images, rng), ((0, 0), (4, 4), (4, 4), (0, 0)), mode="reflect")
    tops, lefts = rng.integers(0, 9, (2, len(images)))
    height, width = images.shape[1:3]
    return np.stack([p[t : t + height, x : x + width] for p, t, x in zip(padded, tops, lefts, strict=True)])


def classifier(widths: tuple[int, ...] = (32, 64, 128, 192)) -> keras.Model:
    """A residual network that names photos: (N, 32, 32, 3) in [0, 1] to probabilities of ten classes, (N, 10)."""

    def block(x, filters, strides=1):
        x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
        return layers.Activation("relu")(layers.BatchNormalization()(x))

    image = keras.Input((32, 32, 3), name="image")
    x = block(image, widths[0])  # 32 x 32
    for filters in widths[1:]:  # 16 x 16, 8 x 8, 4 x 4
        x = block(x, filters, strides=2)
        x = layers.Add()([x, block(x, filters)])
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, layers.Dense(10, activation="softmax")(x), name="classifier")


def chapter(*, chroma: bool = False, skips: bool = False) -> keras.Model:
    """The chapter's network: gray (N, 32, 32, 1) to colour (N, 32, 32, 3), or to chroma (N, 32, 32, 2).

    skips: hands the encoder's features, and the gray picture itself, to the decoder at every scale.
    """
    gray = keras.Input((32, 32, 1), name="gray")
    x, passed = gray, []
    for filters in (64, 128, 256):  # 16 x 16, 8 x 8, 4 x 4
        passed.append(x)
        x = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Dense(256, name="code")(layers.Flatten()(x))
    x = layers.Reshape((4, 4, 256))(layers.Dense(4096)(x))
    for filters in (256, 128, 64):  # 8 x 8, 16 x 16, 32 x 32
        x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same", activation="relu")(x)
        x = layers.Concatenate()([x, passed.pop()]) if skips else x
    if not chroma:
        return keras.Model(gray, layers.Conv2DTranspose(3, 3, padding="same", activation="sigmoid")(x))
    x = layers.Conv2DTranspose(2, 3, padding="same", activation="tanh")(x)
    return keras.Model(gray, layers.Rescaling(0.5, name="chroma")(x))


def whole_autoencoder() -> keras.Model:
    """The chapter's network, from gray to colour."""
    return models.color_autoencoder()[2]


def rgb_error(chroma, predicted):
    """The squared error of red, green and blue that an error of Cb and Cr makes: (N, H, W, 2) to (N, H, W)."""
    wrong = predicted - chroma
    blue, red = colors.CB * wrong[..., 0], colors.CR * wrong[..., 1]
    green = -(0.114 * blue + 0.299 * red) / 0.587
    return (red**2 + green**2 + blue**2) / 3


photos = partial(Recipe, data="cifar10", corrupt=corruptions.grayscale, held_out=2_000, half=True)
to_chroma = partial(photos, target=colors.to_chroma, loss=rgb_error)
READER = Recipe(
    name="reader_cifar10", data="cifar10", network=classifier, epochs=14, classify=True,
    loss="sparse_categorical_crossentropy", augment=mirrored_and_shifted, batch_size=64,
    optimizer=partial(training.warm_up_and_cosine, peak=3e-3, weight_decay=0.02), published=True, half=True,
)  # fmt: skip
PUBLISHED = [
    READER,
    photos(
        name="colorize_autoencoder", network=whole_autoencoder, epochs=30, loss="mse", batch_size=32, published=True,
        callbacks=(keras.callbacks.ReduceLROnPlateau(factor=0.1**0.5, patience=5, min_lr=0.5e-6),),
    ),
    to_chroma(
        name="colorize_unet_first", network=models.chroma_unet, epochs=24, batch_size=64, augment=mirrored,
        optimizer=partial(training.warm_up_and_cosine, peak=2e-3), published=True,
    ),
    to_chroma(
        name="colorize_unet", network=models.chroma_unet, epochs=6, batch_size=64, augment=mirrored_and_shifted,
        optimizer=partial(training.warm_up_and_cosine, peak=7e-4), start="colorize_unet_first", published=True,
    ),
    photos(
        name="colorize_classes", network=partial(models.color_classifier, len(colors.BINS)), epochs=8, batch_size=64,
        augment=mirrored_and_shifted, loss="sparse_categorical_crossentropy", target=colors.to_bins,
        optimizer=partial(training.warm_up_and_cosine, peak=1e-3), start="colorize_unet", published=True,
    ),
]  # fmt: skip

# Few photos and epochs, the chapter's batches and optimizer: what is compared differs in one thing only.
short = {"images": 6_000, "epochs": 6, "batch_size": 32}
ABLATION = {
    "red, green and blue": photos(name="color_rgb", network=chapter, loss="mse", **short),
    "chroma": to_chroma(name="color_chroma", network=partial(chapter, chroma=True), **short),
    "chroma, skip connections": to_chroma(
        name="color_skips", network=partial(chapter, chroma=True, skips=True), **short
    ),
    "chroma, mirrored photos": to_chroma(
        name="color_mirrored", network=partial(chapter, chroma=True), augment=mirrored, **short
    ),
    "chroma, the U-Net": to_chroma(name="color_unet", network=models.chroma_unet, **short),
}
COMPARED = [seed for recipe in ABLATION.values() for seed in seeds(recipe)]
RECIPES = {recipe.name: recipe for recipe in [*PUBLISHED, *COMPARED]}


# ---- what is measured

COPY, CHAPTER, JOINED = "gray copy", "autoencoder", "autoencoder's colour, true gray"
UNET, CLASSES = "U-Net", "classes, rebalanced, T = 0.38"
ZHANG = 0.38  # the temperature that Zhang, Isola and Efros chose
TEMPERATURES = (1.0, ZHANG, 0.1)
ANIMALS = ("bird", "cat", "deer", "dog", "frog", "horse")
THINGS = {  # classes, rows of the picture, hue, share of the pixels that must have it
    "red cars and trucks": (("automobile", "truck"), slice(0, 32), "red", 0.15),
    "blue seas (lower quarter of ships)": (("ship",), slice(24, 32), "blue", 0.5),
    "blue skies (upper quarter of ships and airplanes)": (("ship", "airplane"), slice(0, 8), "blue", 0.5),
    "brown animals": (ANIMALS, slice(0, 32), "brown", 0.5),
}


def rarity(labels: np.ndarray) -> np.ndarray:
    """How much more than a common one a colour counts, (bins,), from the bins of training photos, of any shape.

    Half of the frequency, half of an even spread, inverted. Source: Zhang, Isola and Efros 2016, without their
    smoothing over neighbouring bins.
    """
    frequency = np.bincount(labels.ravel(), minlength=len(colors.BINS)) / labels.size
    return (1 / (frequency / 2 + 1 / (2 * len(colors.BINS)))).astype(np.float32)


def hue(images: np.ndarray, name: str) -> np.ndarray:
    """Where images (N, H, W, 3) are "red", "blue" or "brown" (yellow and orange too): bool (N, H, W)."""
    a, b = np.moveaxis(colors.to_ab(images), -1, 0)
    return {"red": (a > 20) & (a > abs(b)), "blue": (b < -8) & (-b > abs(a)), "brown": (b > 8) & (b > abs(a))}[name]


class Bench(Workbench):
    """The test photos, and the classifier that names them."""

    def __init__(self, preset: Preset):
        super().__init__(preset, "cifar10", notebook="03", recipes=RECIPES, notes=NOTES)
        self.cifar, count = self.sets["cifar10"], preset.pick(smoke=20, quick=1_000, full=10_000)
        self.test, self.labels = to_float(self.cifar.test[:count]), self.cifar.test_labels[:count]
        self.gray = corruptions.grayscale(self.test)
        self.reader = weights.load(READER.name)
        self.rare = rarity(colors.to_bins(to_float(self.cifar.train[:5_000])))

    def of_class(self, *names: str) -> np.ndarray:
        return np.isin(np.asarray(self.cifar.class_names)[self.labels], names)

    def score(self, colored: np.ndarray) -> dict[str, float]:
        """Means over the test photos; "recognized": named correctly by a classifier that knows colour photos only."""
        named = predict(self.reader, colored).argmax(axis=1)
        return {
            "MSE": metrics.mse(self.test, colored).mean(),
            "PSNR (dB)": metrics.psnr(self.test, colored).mean(),
            "SSIM": metrics.ssim(self.test, colored).mean(),
            "chroma error": metrics.chroma_error(self.test, colored).mean(),
            "colourfulness": metrics.colorfulness(colored).mean(),
            "recognized (%)": 100 * (named == self.labels).mean(),
        }

    def by_classes(self, network: keras.Model, settings: dict[str, tuple[float, float]]) -> dict[str, np.ndarray]:
        """Photos coloured by a choice among bins, for every setting (temperature, power of the rarity)."""
        made = {name: [] for name in settings}
        for start in range(0, len(self.gray), 250):  # all probabilities at once would take gigabytes
            gray = self.gray[start : start + 250]
            probabilities = network.predict_on_batch(gray)
            for name, (temperature, power) in settings.items():
                made[name].append(colors.with_bins(gray, probabilities * self.rare**power, temperature))
        return {name: np.concatenate(parts) for name, parts in made.items()}

    def counted(self, colored: np.ndarray) -> dict[str, dict[str, float]]:
        """{thing: how many of those truly so are painted so (recall), and how many painted so truly are}, in %."""
        found = {}
        for thing, (classes, rows, name, share) in THINGS.items():
            where = self.of_class(*classes)
            true, painted = (
                hue(images[where, rows], name).mean(axis=(1, 2)) > share for images in (self.test, colored)
            )
            both = (true & painted).sum()
            found[thing] = {
                "pictures": int(where.sum()),
                "truly so (%)": 100 * true.mean(),
                "painted so (%)": 100 * painted.mean(),
                "recall (%)": 100 * both / max(1, true.sum()),
                "precision (%)": 100 * both / max(1, painted.sum()),
            }
        return found


def twice(network: keras.Model, gray: np.ndarray) -> np.ndarray:
    """The mean of the answers to photos and to their mirror images."""
    return models.ask_twice(partial(predict, network), gray)


def with_contrast(chroma: np.ndarray, factor: float = 1.0, *, added: float = 0.0) -> np.ndarray:
    """Chroma (N, H, W, 2) whose differences from each photo's mean are multiplied, or grow by the same amount."""
    mean = chroma.mean(axis=(1, 2), keepdims=True)
    spread = np.sqrt(((chroma - mean) ** 2).sum(axis=-1, keepdims=True).mean(axis=(1, 2), keepdims=True))
    return mean + (factor + added / np.maximum(spread, 2e-3)) * (chroma - mean)


def measure(preset: Preset) -> None:
    """Measure all of colorization on the test photos; write data/results/colorize_*.json in the `full` preset."""
    bench = Bench(preset)
    networks = {name: bench.network(name)[0] for name in ("colorize_autoencoder", "colorize_unet", "colorize_classes")}
    pictures = _published(bench, networks)
    _classes(bench, networks["colorize_classes"])
    _both(bench, pictures, networks["colorize_classes"])
    _counted(bench, pictures)
    _overview(bench, pictures)
    _ablation(bench)


def _words(score: dict[str, float]) -> str:
    return (
        f"MSE {score['MSE']:.4f}, colourfulness {score['colourfulness']:.1f}, recognized {score['recognized (%)']:.0f}%"
    )


def _published(bench: Bench, networks: dict) -> dict[str, np.ndarray]:
    """Record the networks' tables; give their pictures."""
    autoencoder, unet, classifier = networks.values()
    painted = predict(autoencoder, bench.gray)
    once, both = predict(unet, bench.gray), twice(unet, bench.gray)
    pictures = {
        "truth": bench.test,
        COPY: baselines.gray_copy(bench.gray),
        CHAPTER: painted,
        JOINED: colors.with_chroma(bench.gray, colors.to_chroma(painted)),
        f"{UNET}, asked once": colors.with_chroma(bench.gray, once),
        UNET: colors.with_chroma(bench.gray, both),
        **bench.by_classes(classifier, {CLASSES: (ZHANG, 1.0)}),
    }
    scores = {name: bench.score(images) for name, images in pictures.items()}
    by_class = {
        name: {kind: metrics.mse(bench.test, pictures[kind])[bench.of_class(name)].mean() for kind in SHOWN}
        for name in bench.cifar.class_names
        if bench.of_class(name).any()
    }
    brightness = ((corruptions.grayscale(painted) - bench.gray) ** 2).mean()
    bench.record(
        "colorize_autoencoder", row="R13", task="colorization",
        published="pictures only: sea and sky blue, animals brown, red cars turned blue",
        measured=f"{_words(scores[CHAPTER])}; the gray copy: {_words(scores[COPY])}",
        metrics={"test photos": scores, "MSE by class": by_class, "MSE of its gray": float(brightness)},
        trained=bench.trained("colorize_autoencoder"),
    )  # fmt: skip
    right = predict(bench.reader, bench.test).argmax(axis=1) == bench.labels
    bench.record(
        "colorize_unet", task="chroma U-Net", measured=_words(scores[UNET]),
        metrics={"test photos": {name: scores[name] for name in (f"{UNET}, asked once", UNET)}},
        trained=bench.trained("colorize_unet"),
    )  # fmt: skip
    bench.record(
        "reader_cifar10", task="the classifier that judges the photos", measured=f"{100 * right.mean():.1f}% correct",
        metrics={
            "correct (%)": {
                name: {"test photos": 100 * right[bench.of_class(name)].mean()}
                for name in bench.cifar.class_names
                if bench.of_class(name).any()
            }
        },
        trained=bench.trained(READER.name),
    )  # fmt: skip
    return pictures


def _ablation(bench: Bench) -> None:
    """Train what is compared with three seeds; record its errors, asked once and asked about the mirror image too."""
    found = {}
    for kind, recipe in ABLATION.items():
        for seed in seeds(recipe):
            network = bench.network(seed.name)[0]
            once = predict(network, bench.gray)
            both = (once + predict(network, bench.gray[:, :, ::-1])[:, :, ::-1]) / 2
            name = kind
            if once.shape[-1] == 3:
                found.setdefault(name, []).append(_row(bench, once, both))
                once, both, name = colors.to_chroma(once), colors.to_chroma(both), f"{kind}, then the true gray"
            row = _row(bench, *(colors.with_chroma(bench.gray, chroma) for chroma in (once, both)))
            found.setdefault(name, []).append(row)
    rows = {}
    for name, each in found.items():
        rows[name] = {key: np.mean([row[key] for row in each]) for key in each[0]}
        rows[name]["MSE of each seed"] = " / ".join(f"{row['MSE']:.4f}" for row in each)
    bench.record(
        "colorize_ablation", task="what the U-Net owes to what: one change at a time", metrics={"test photos": rows},
        measured="; ".join(f"{kind}: MSE {row['MSE']:.4f}" for kind, row in rows.items()),
        trained={"epochs": recipe.epochs, "images": recipe.images, "seeds": 3},
    )  # fmt: skip


def _row(bench: Bench, painted: np.ndarray, asked_twice: np.ndarray) -> dict[str, float]:
    return {
        "MSE": metrics.mse(bench.test, painted).mean(),
        "MSE, asked twice": metrics.mse(bench.test, asked_twice).mean(),
        "colourfulness": metrics.colorfulness(painted).mean(),
    }


def _classes(bench: Bench, network: keras.Model) -> None:
    """Temperature and rebalancing, each alone, of one network."""
    settings = {
        f"{title}, T = {temperature:g}": (temperature, power)
        for title, power in (("not rebalanced", 0.0), ("half rebalanced", 0.5), ("rebalanced", 1.0))
        for temperature in TEMPERATURES
    }
    table = {name: bench.score(images) for name, images in bench.by_classes(network, settings).items()}
    bench.record(
        "colorize_classes", task="a choice among colours", metrics={"test photos": table},
        measured=f"rebalanced, T = {ZHANG}: {_words(table[f'rebalanced, T = {ZHANG}'])}",
        trained=bench.trained("colorize_classes"),
    )  # fmt: skip


def _both(bench: Bench, pictures: dict[str, np.ndarray], classifier: keras.Model) -> None:
    """Small error and strong colour at once: ways from the U-Net's answer to a bolder one."""
    safe, bold = (colors.to_chroma(pictures[name]) for name in (UNET, CLASSES))
    half = colors.to_chroma(*bench.by_classes(classifier, {"half": (ZHANG, 0.5)}).values())
    ways = {
        "blended with the classes": (lambda share: (1 - share) * safe + share * bold, (0, 0.25, 0.5, 0.75, 1)),
        "all colour multiplied": (lambda factor: factor * safe, (1.4, 1.8)),
        "differences of colour multiplied": (partial(with_contrast, safe), (1.5, 2, 2.5)),
        "differences of colour, as much added to each photo": (
            lambda amount: with_contrast(safe, added=amount), (0.01, 0.0225, 0.03),
        ),
        CHOSEN[0]: (lambda amount: with_contrast((safe + half) / 2, added=amount), (0, 0.01, 0.0185, 0.025)),
    }  # fmt: skip
    tables = {}
    for way, (made, amounts) in ways.items():
        tables[way] = {f"{amount}": bench.score(colors.with_chroma(bench.gray, made(amount))) for amount in amounts}
    way, amount = CHOSEN
    bench.record(
        "colorize_both", task="small error and strong colour at once", metrics=tables,
        measured=f"{way}, {amount}: {_words(tables[way][str(amount)])}",
    )  # fmt: skip


def _counted(bench: Bench, pictures: dict[str, np.ndarray]) -> None:
    turned_up = colors.with_chroma(bench.gray, with_contrast(colors.to_chroma(pictures[UNET]), 2))
    counts = {name: bench.counted(pictures[name]) for name in (CHAPTER, UNET)}
    counts |= {"U-Net, contrast doubled": bench.counted(turned_up), CLASSES: bench.counted(pictures[CLASSES])}
    tables = {thing: {name: rows[thing] for name, rows in counts.items()} for thing in THINGS}
    red = tables["red cars and trucks"][CHAPTER]
    bench.record(
        "colorize_counts", row="R13", task="what the chapter sees, counted", metrics=tables,
        published="sea and sky blue, animals brown, red cars turned blue",
        measured=f"of the red cars the autoencoder paints {red['recall (%)']:.0f}% red",
    )  # fmt: skip


def _overview(bench: Bench, pictures: dict[str, np.ndarray]) -> None:
    """The picture at the top of the lesson."""
    shown = {name: pictures[name][:10] for name in ("truth", *SHOWN)}
    if bench.preset.publishes(bench.cifar.is_sample):
        with whole_file(records.FOLDER / "colorize_overview.png") as partial_file:
            plots.rows(shown, size=0.8).savefig(partial_file, bbox_inches="tight", dpi=80)


CHOSEN = ("half U-Net, half half-rebalanced classes, then differences added", 0.0185)  # on the validation photos
SHOWN = (COPY, CHAPTER, UNET, CLASSES)
NOTES = {
    "colorize_autoencoder": [
        "48,000 photos to train on; the last 2,000 of the 50,000 steer the learning rate and choose the best epoch, "
        "the 16th of 30 (the chapter watches the test photos for that).",
        '"Recognized": named correctly by a classifier that was trained on true colour photos (below).',
        '"MSE of its gray": the squared error of the gray value of what the network paints, which it was given.',
    ],
    "colorize_unet": [
        "Two stages: 24 epochs on mirrored photos, then 6 on photos mirrored and moved by up to 4 pixels, at a smaller "
        'learning rate. "Asked once": without the mean over a photo and its mirror image, which was added when the '
        "test error had been seen to be a hair above 0.0045.",
    ],
    "colorize_classes": [
        "One network, trained with the plain cross-entropy from the U-Net's weights on; rebalanced afterwards, as the "
        "probabilities are multiplied by the colours' rarity (half: by its square root). In the limit this is what "
        "training with weighted pixels learns. A small relative of Zhang's: one bin as the target instead of five, "
        "half of 32x32 pixels instead of 56x56.",
    ],
    "colorize_ablation": [
        "The chapter's network, batches and optimizer; 6,000 photos, 6 epochs, means of three seeds. "
        'Each row differs from "chroma" in one thing; the skip connections bring 5% more '
        "parameters. The U-Net is another network altogether (a third of the parameters, batch normalization).",
        '"Asked twice": the mean over a photo and its mirror image.',
    ],
    "colorize_both": [
        "From the U-Net's answer (asked twice) to bolder ones, without training. The amount was chosen on validation "
        "photos. Colourfulness counts the spread of colours fully and a common tint with a factor of 0.3, so "
        "differences of colour within a photo are the cheapest way to more of it.",
    ],
    "colorize_counts": [
        "A pixel is red, blue or brown (yellow and orange too) by its place in CIE Lab's plane; a photo counts where "
        "more than 15% of it (cars), or half of the part named, has that hue.",
    ],
}
