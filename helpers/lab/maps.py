"""Maps of two numbers: the recipes of the autoencoders and variational autoencoders, and what is measured of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import keras
import numpy as np
from keras import layers
from scipy.stats import norm
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from .. import datasets, metrics, models, vae, weights
from ..pairs import to_float
from . import training
from .presets import Preset
from .recipes import Recipe, seeds
from .workbench import Workbench, predict

ENDINGS = {"mnist": "", "fashion_mnist": "_fashion"}  # of the recipes' names
SETS = {data: datasets.TITLES[data] for data in ENDINGS}
KINDS = ("plain autoencoder", "VAE")
BETAS = (0.0, 0.25, 1.0, 4.0, 16.0)


def two_numbers() -> tuple[keras.Model, ...]:
    """The strided autoencoder with a code of two numbers: (encoder, decoder, autoencoder)."""
    return models.strided_autoencoder(latent_dim=2)


def classifier() -> keras.Model:
    """A small network that says what can be read: images (N, 28, 28, 1) to probabilities of ten classes, (N, 10)."""
    image = keras.Input((28, 28, 1), name="image")
    x = layers.Conv2D(32, 3, activation="relu")(image)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(64, 3, activation="relu")(x)
    x = layers.Flatten()(layers.MaxPooling2D()(x))
    return keras.Model(image, layers.Dense(10, activation="softmax")(layers.Dropout(0.4)(x)), name="classifier")


READERS = {
    data: Recipe(
        name="reader_" + data.removesuffix("_mnist"), data=data, network=classifier, epochs=8, classify=True,
        loss="sparse_categorical_crossentropy", published=True, half=True,
    )
    for data in SETS
}  # fmt: skip
chapter = partial(Recipe, network=two_numbers, epochs=20, loss="mse", batch_size=32, published=True, half=True)
dense = partial(
    Recipe, epochs=25, loss=vae.cross_entropy, keep_last=True, published=True, half=True,
    optimizer=partial(training.warm_up_and_cosine, peak=2e-3),
)  # fmt: skip
plain = partial(dense, network=partial(vae.variational_autoencoder, sampling=False))


def with_beta(name: str, beta: float, data: str = "mnist", **options) -> Recipe:
    """A variational autoencoder."""
    return dense(name=name, data=data, network=partial(vae.variational_autoencoder, beta=beta), **options)


def of_seeds(recipe: Recipe) -> list[Recipe]:
    """A published recipe, which has seed 0, and the same with the seeds 1 and 2; another one alone."""
    return [recipe, *seeds(recipe)[1:]] if recipe.published else [recipe]


CHAPTER = {data: chapter(name=f"map_autoencoder{ending}", data=data) for data, ending in ENDINGS.items()}
COMPARED = {
    data: {
        KINDS[0]: plain(name=f"map_plain{ending}", data=data),
        KINDS[1]: with_beta(f"map_vae{ending}", 1.0, data),
    }
    for data, ending in ENDINGS.items()
}
BY_BETA = {  # on digits
    beta: with_beta(f"map_vae_beta_{beta:g}".replace(".", "_"), beta, published=beta <= 4) for beta in BETAS
}
BY_BETA[1.0] = COMPARED["mnist"]["VAE"]

RECIPES = {
    recipe.name: recipe
    for recipe in [
        *READERS.values(),
        *CHAPTER.values(),
        *(seed for kinds in COMPARED.values() for kind in kinds.values() for seed in of_seeds(kind)),
        *(seed for kind in BY_BETA.values() for seed in of_seeds(kind)),
    ]
}


# ---- what is measured

SURE = 0.9  # of one class, by a classifier that knows real images only: then a picture counts as readable
SQUARE = 4  # the chapter's: [-4, 4] x [-4, 4]
NEAR = 0.1  # standard deviations of a map's own codes: where no code is as near as that, the map is empty
NEIGHBOURS = 15
MIXED = 0.75  # classes meet where the commonest one has less of the 15 nearest codes
Figures = dict[str, dict]  # {table: {measure: value}} of one map
CLASSES = "classes of the readable (%)"
SOURCES = ("z from N(0, I)", "z from a Gaussian fitted to the codes", "codes of test images")
FOUND = 0.01  # of the places that a class must have to count as found


@dataclass(frozen=True)
class TestSet:
    """Test images (N, 28, 28, 1) in [0, 1], their labels, and the classifier that says what can be read."""

    dataset: datasets.Dataset
    images: np.ndarray
    labels: np.ndarray
    reader: keras.Model

    def read(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(class, whether it is readable) of pictures, each (N,)."""
        probabilities = predict(self.reader, pictures)
        return probabilities.argmax(axis=1), probabilities.max(axis=1) >= SURE


class Map:
    """A trained map and the codes of the test images on it. Its own scale: mean and standard deviation of the codes."""

    def __init__(self, encoder: keras.Model, decoder: keras.Model, test: TestSet):
        answer = predict(encoder, test.images)  # of a VAE: [mean, log_variance]
        self.codes, self.log_variance = answer if isinstance(answer, list) else (answer, None)
        self.decoder, self.test = decoder, test
        self.mean, self.sd = self.codes.mean(axis=0), self.codes.std(axis=0)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        return predict(self.decoder, codes.astype(np.float32))

    def read(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(class, whether it is readable) of the pictures decoded from codes, each (N,)."""
        return self.test.read(self.decode(codes))

    def own(self, places: np.ndarray) -> np.ndarray:
        """Places in standard deviations from the middle of this map, as codes."""
        return self.mean + self.sd * places

    @property
    def places(self) -> np.ndarray:
        """The codes in standard deviations from the middle of this map."""
        return (self.codes - self.mean) / self.sd


class Bench(Workbench):
    """The test images of both sets, and the maps."""

    def __init__(self, preset: Preset):
        super().__init__(preset, *SETS, notebook="05", recipes=RECIPES, notes=NOTES)
        self.maps: dict[str, Map] = {}
        self.side = preset.pick(smoke=6, quick=30, full=60)  # of the grids
        self.samples = preset.pick(smoke=50, quick=1_000, full=5_000)  # generated
        count = preset.pick(smoke=100, quick=2_000, full=10_000)
        self.tests = {}
        for data, dataset in self.sets.items():
            reader = weights.load(READERS[data].name)
            self.tests[data] = TestSet(dataset, to_float(dataset.test[:count]), dataset.test_labels[:count], reader)

    def map(self, recipe: Recipe) -> Map:
        if recipe.name not in self.maps:
            self.maps[recipe.name] = Map(*self.network(recipe.name)[0], self.tests[recipe.data])
        return self.maps[recipe.name]

    def tables(self, kinds: dict[str, list[Recipe]], figures: Callable[[Map], Figures]) -> dict[str, Figures]:
        """{table: {kind: means over its seeds}}, and {"table, each seed": {kind: values of each seed}}."""
        tables: dict = {}
        for kind, recipes in kinds.items():
            found = [figures(self.map(recipe)) for recipe in recipes]
            for table, row in found[0].items():
                each = {key: [one[table][key] for one in found] for key in row}
                mean = {key: float(np.mean(values)) for key, values in each.items()}
                tables.setdefault(table, {})[kind] = mean
                tables.setdefault(f"{table}, each seed", {})[kind] = each
        return tables


def measure(preset: Preset) -> None:
    """Measure all maps on the test images; write data/results/map_*.json in the `full` preset."""
    bench = Bench(preset)
    _chapter(bench)
    _comparison(bench)
    _regions(bench)
    _generation(bench)
    _by_beta(bench)


def grid(side: int) -> np.ndarray:
    """The middles of side x side squares between -2 and 2 standard deviations, (side * side, 2)."""
    return _crossed(2 * ((2 * np.arange(side) + 1) / side - 1))


def quantile_grid(side: int) -> np.ndarray:
    """side x side places that a standard normal distribution visits equally often, (side * side, 2)."""
    return _crossed(norm.ppf((np.arange(side) + 0.5) / side))


def _crossed(line: np.ndarray) -> np.ndarray:
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)


def quality(here: Map, side: int) -> Figures:
    """What a map is worth, judged on its own scale."""
    classes, readable = here.read(here.own(grid(side)))
    places, labels = here.places, here.test.labels
    neighbours = KNeighborsClassifier(NEIGHBOURS).fit(places[::2], labels[::2])
    figures = {
        "readable within 2 sd (%)": 100 * readable.mean(),
        "readable, quantile grid (%)": 100 * here.read(here.own(quantile_grid(side)))[1].mean(),
        "classes found": int((np.bincount(classes[readable], minlength=10) >= FOUND * len(classes)).sum()),
        "15 neighbours (%)": 100 * neighbours.score(places[1::2], labels[1::2]),
        "PSNR (dB)": metrics.psnr(here.test.images, here.decode(here.codes)).mean(),
        "sd of z0": here.sd[0],
        "sd of z1": here.sd[1],
    }
    return {"own scale": figures}


def regions(here: Map, side: int) -> Figures:
    """Which places between -2 and 2 sd are readable, which are empty, and in which classes meet; in percent."""
    cells = grid(side)
    readable = here.read(here.own(cells))[1]
    distances, nearest = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(here.places).kneighbors(cells)
    labels = here.test.labels[nearest]
    commonest = np.max([(labels == label).mean(axis=1) for label in range(10)], axis=0)
    empty = distances[:, 0] > NEAR
    kinds = {
        "empty": empty,
        "classes meet": ~empty & (commonest < MIXED),
        "one class": ~empty & (commonest >= MIXED),
    }
    return {
        "of all places (%)": {
            "occupied, readable": 100 * (~empty & readable).mean(),
            "occupied, unreadable": 100 * (~empty & ~readable).mean(),
            "empty, readable": 100 * (empty & readable).mean(),
            "empty, unreadable": 100 * (empty & ~readable).mean(),
        },
        "of the unreadable places (%)": {kind: _share(cells, ~readable) for kind, cells in kinds.items()},
        "unreadable (%)": {kind: _share(~readable, cells) for kind, cells in kinds.items()},
    }


def _share(part: np.ndarray, among: np.ndarray) -> float:
    """How many of those that are `among` are `part` too, in percent; 0 where there are none."""
    return 100 * part[among].mean() if among.any() else 0.0


def generation(here: Map, count: int) -> Figures:
    """Of `count` pictures each, decoded from samples and from codes of test images: the readable ones, in percent.

    And the share of each class among those.
    """
    rng = np.random.default_rng(0)
    fitted = rng.multivariate_normal(here.mean, np.cov(here.codes.T), count)
    tables = {"readable (%)": {}}
    for source, codes in zip(SOURCES, (rng.normal(size=(count, 2)), fitted, here.codes[:count]), strict=True):
        classes, readable = here.read(codes)
        tables["readable (%)"][source] = 100 * readable.mean()
        shares = [_share(classes == label, readable) for label in range(10)]
        tables[f"{CLASSES}, {source}"] = dict(zip(here.test.dataset.class_names, shares, strict=True))
    return tables


def terms(here: Map, side: int, count: int) -> Figures:
    """The terms of the loss on the test images, in nats an image; how wide codes and noise are; and `quality`."""
    noise = np.random.default_rng(0).normal(size=here.codes.shape)
    sigma = np.exp(here.log_variance / 2)
    kl = 0.5 * (sigma**2 + here.codes**2 - 1 - here.log_variance).sum(axis=1)
    loss = {
        "BCE at the mean (nats)": _nats(here, here.codes),
        "BCE at a sampled z (nats)": _nats(here, here.codes + sigma * noise),
        "KL (nats)": kl.mean(),
        "sd of the codes": here.sd.mean(),
        "median sigma": np.median(sigma),
    }
    drawn = {"readable, z from N(0, I) (%)": generation(here, count)["readable (%)"]["z from N(0, I)"]}
    return {"loss": loss, "map": quality(here, side)["own scale"] | drawn}


def _nats(here: Map, codes: np.ndarray) -> float:
    return 28 * 28 * metrics.bce(here.test.images, here.decode(codes)).mean()


# ---- the measurements


def _chapter(bench: Bench) -> None:
    def figures(here: Map) -> Figures:
        rebuilt = here.decode(here.codes)
        readable = here.read(SQUARE / 2 * grid(bench.side))[1]
        return {
            "the chapter's square": {
                "MSE": metrics.mse(here.test.images, rebuilt).mean(),
                "PSNR (dB)": metrics.psnr(here.test.images, rebuilt).mean(),
                "codes inside (%)": 100 * (np.abs(here.codes) <= SQUARE).all(axis=1).mean(),
                "readable places (%)": 100 * readable.mean(),
            }
        }

    kinds = {SETS[data]: [recipe] for data, recipe in CHAPTER.items()}
    table = bench.tables(kinds, figures)["the chapter's square"]
    first = table["MNIST"]
    bench.record(
        "map_autoencoder", row="R17", task="a code of two numbers",
        published="pictures only: scatter on [-4, 4] x [-4, 4], 30x30 grid, gaps",
        measured=f"MSE {first['MSE']:.4f}; {first['codes inside (%)']:.0f}% of the codes in the square, "
        f"{first['readable places (%)']:.0f}% of its places readable",
        metrics=table, trained=bench.trained(CHAPTER["mnist"].name), sets=SETS,
    )  # fmt: skip


def _comparison(bench: Bench) -> None:
    found, words = _on_both_sets(bench, quality, "own scale", "readable within 2 sd (%)")
    bench.record(
        "map_comparison", task="the same network with and without sampling and KL term",
        measured=f"readable within two standard deviations of the codes: {words}",
        metrics=found, trained=bench.trained(COMPARED["mnist"]["VAE"].name) | {"seeds": 3}, sets=SETS,
    )  # fmt: skip


def _regions(bench: Bench) -> None:
    found, words = _on_both_sets(bench, regions, "of the unreadable places (%)", "classes meet")
    bench.record(
        "map_regions", task="empty or ambiguous: why a place cannot be read",
        measured=f"of the unreadable places, those where classes meet: {words}", metrics=found, sets=SETS,
    )  # fmt: skip


def _generation(bench: Bench) -> None:
    found = {}
    for data, title in SETS.items():
        kinds = {kind: of_seeds(recipe) for kind, recipe in COMPARED[data].items()}
        tables = bench.tables(kinds, partial(generation, count=bench.samples))
        test = bench.tests[data]
        tables["readable (%)"]["the test images themselves"] = {"test images": 100 * test.read(test.images)[1].mean()}
        every = {f"{CLASSES}, {source}, each seed" for source in SOURCES}  # too much to read
        found[title] = {table: rows for table, rows in tables.items() if table not in every}
    rows = found["MNIST"]["readable (%)"]
    fitted = rows[KINDS[0]]["z from a Gaussian fitted to the codes"]
    bench.record(
        "map_generation", task="digits and garments from random codes",
        measured=f"readable digits for z from N(0, I): {_each(rows, 'z from N(0, I)')}; from a Gaussian fitted to its "
        f"codes: {KINDS[0]} {fitted:.0f}%",
        metrics=found, sets=SETS,
    )  # fmt: skip


def _by_beta(bench: Bench) -> None:
    kinds = {f"beta {beta:g}": of_seeds(recipe) for beta, recipe in BY_BETA.items()}
    found = bench.tables(kinds, partial(terms, side=bench.side, count=bench.samples))
    words = [
        f"{kind}: {row['BCE at the mean (nats)']:.1f} and {row['KL (nats)']:.1f}" for kind, row in found["loss"].items()
    ]
    bench.record(
        "map_beta", task="reconstruction against KL, by beta", measured="BCE and KL in nats, " + "; ".join(words),
        metrics=found, trained=bench.trained(BY_BETA[1.0].name) | {"seeds": 3},
    )  # fmt: skip


def _on_both_sets(bench: Bench, figures: Callable, table: str, measure: str) -> tuple[dict, str]:
    """({set: its tables} of the compared kinds, one measure of one table in words)."""
    found = {title: bench.tables(_compared(data), partial(figures, side=bench.side)) for data, title in SETS.items()}
    return found, "; ".join(f"{title}: {_each(tables[table], measure)}" for title, tables in found.items())


def _compared(data: str) -> dict[str, list[Recipe]]:
    kinds = {kind: of_seeds(recipe) for kind, recipe in COMPARED[data].items()}
    return kinds | {"the chapter's autoencoder": [CHAPTER[data]]}


def _each(rows: dict[str, dict], measure: str) -> str:
    return ", ".join(f"{kind} {rows[kind][measure]:.0f}%" for kind in KINDS)


READABLE = (
    "A picture counts as readable where a classifier that was trained on real images only is at least 90% sure of one "
    "class; it is often sure of strokes that a person would not call a digit, so the shares compare maps and say "
    "little about people."
)
NOTES = {
    "map_autoencoder": [
        "The square is [-4, 4] x [-4, 4], at 60x60 places. The published weights are older than the recipe in this "
        "form, which is the same.",
        READABLE,
    ],
    "map_comparison": [
        "Each map on its own scale: 60x60 places over the mean plus or minus two standard deviations of its codes of "
        "the test images, and as many at the normal quantiles of the same mean and standard deviations. A class is "
        "found where it has at least 1% of the places. 15 neighbours: test images of one half whose class is that of "
        "most of their 15 nearest neighbours in the other half.",
        READABLE,
        "The plain autoencoder and the VAE (beta 1) differ in sampling and KL term only: the same layers, first "
        "weights, batches, cross-entropy summed over pixels, Adam with a cosine, 25 epochs; the last epoch's weights "
        "are kept for both, as their validation losses cannot be compared. The chapter's autoencoder differs in "
        "network, loss and recipe, and has one seed: no difference to it has one cause.",
        "What came out: on its own scale the VAE's map is not the more readable one. On MNIST the seeds of the two "
        "overlap, by either grid; on Fashion-MNIST the plain autoencoder's mean is higher. Reconstruction is slightly "
        "worse with the VAE on Fashion-MNIST, for each seed, and equal on MNIST; neighbours are of one class as often. "
        "What the VAE changes is the scale: its codes have standard deviations near 1 with every seed, those of the "
        "plain autoencoder lie between 8 and 17.",
    ],
    "map_regions": [
        "The places over plus or minus two standard deviations. Empty: no code of a test image within 0.1 standard "
        "deviations. Classes meet: not empty, and the commonest class has less than 75% of the 15 nearest codes.",
        READABLE,
        "What came out: sampling and KL together leave fewer empty places, with every seed and on both sets. But empty "
        "does not mean unreadable: on both sets, on every map, places where classes meet are most often unreadable, "
        "empty ones less often, places of one class least. On MNIST most unreadable places of every map lie where "
        "classes meet; of the plain autoencoder's on Fashion-MNIST about as many are empty.",
        "With 0.05, 0.2 and 0.4 in the place of 0.1 standard deviations (seed 0) all of this holds on MNIST; of the "
        "plain autoencoder's unreadable places on Fashion-MNIST most are empty by the first, most not by the others.",
    ],
    "map_generation": [
        "5,000 codes of each kind and map. The fitted Gaussian has the mean and covariance of a map's codes of the "
        "test images. The classes are means over three seeds, each of the same weight, however few pictures of it are "
        "readable.",
        READABLE,
        "What came out: N(0, I) is a small place near the middle of the plain autoencoder's map, so that a few classes "
        "make up nearly all of what is readable; on Fashion-MNIST it is one class with two seeds, another one each "
        "time, and next to nothing with the third. The VAE gives nearly all the classes that its reconstructions have. "
        "Where a Gaussian is fitted to the codes afterwards, the plain autoencoder's samples are at least as often "
        "readable as the VAE's from N(0, I); on MNIST, ones and sixes are more than half of what is readable.",
    ],
    "map_beta": [
        "Digits, beta in front of the KL term and nothing else changed; three seeds, one with beta 16. BCE is summed "
        "over the 784 pixels, KL over the two numbers. Beta 0 is sampling without a KL term.",
        READABLE,
        "What came out: the larger beta, the smaller the KL term; reconstruction gets worse clearly from 1 to 4 and "
        "from 4 to 16, while the seeds of 0.25 and 1 overlap. With beta 0 the noise vanishes (sigma below a "
        "millionth), and codes lie as wide apart as a plain autoencoder's: sampling alone is no VAE. With beta "
        "16 one of the two numbers is given up. A larger beta does not make the map more readable on its own scale; "
        "of 0.25, 1 and 4, samples from N(0, I) are readable most often with 1.",
    ],
}
