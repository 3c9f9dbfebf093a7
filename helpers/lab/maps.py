"""Maps of two numbers: the recipes of the autoencoders and variational autoencoders, and what is measured of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import keras
import numpy as np
from keras import layers
from scipy.stats import norm
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from .. import datasets, metrics, models, vae, weights
from ..pairs import to_float
from . import publishing, training
from .presets import Preset
from .recipes import Recipe, seeds, train

SETS = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
ENDINGS = {"mnist": "", "fashion_mnist": "_fashion"}  # of the recipes' names
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


def with_beta(name: str, beta: float, **options) -> Recipe:
    """A variational autoencoder on digits, or on the `data` given."""
    return dense(name=name, network=partial(vae.variational_autoencoder, beta=beta), **{"data": "mnist"} | options)


def of_seeds(recipe: Recipe) -> list[Recipe]:
    """The recipe itself, of seed 0, and the same with the seeds 1 and 2, which are not published."""
    return [recipe, *seeds(replace(recipe, published=False))[1:]]


CHAPTER = {data: chapter(name=f"map_autoencoder{ending}", data=data) for data, ending in ENDINGS.items()}
COMPARED = {
    data: {
        KINDS[0]: plain(name=f"map_plain{ending}", data=data),
        KINDS[1]: with_beta(f"map_vae{ending}", 1.0, data=data),
    }
    for data, ending in ENDINGS.items()
}
BY_BETA = {  # on digits
    beta: with_beta(f"map_vae_beta_{beta:g}".replace(".", "_"), beta, published=beta <= 4)
    for beta in BETAS
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
FOUND = 0.01  # of the cells that a class must have to count as found


@dataclass(frozen=True)
class TestSet:
    """Test images (N, 28, 28, 1) in [0, 1], their labels, and the classifier that says what can be read."""

    dataset: datasets.Dataset
    images: np.ndarray
    labels: np.ndarray
    reader: keras.Model


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
        probabilities = predict(self.test.reader, self.decode(codes))
        return probabilities.argmax(axis=1), probabilities.max(axis=1) >= SURE

    def own(self, places: np.ndarray) -> np.ndarray:
        """Places in standard deviations from the middle of this map, as codes."""
        return self.mean + self.sd * places

    @property
    def places(self) -> np.ndarray:
        """The codes in standard deviations from the middle of this map."""
        return (self.codes - self.mean) / self.sd


class Bench:
    """The test images of both sets, and the maps as the preset has them."""

    def __init__(self, preset: Preset):
        self.preset, self.maps, self.histories = preset, {}, {}
        self.side = preset.pick(smoke=6, quick=30, full=60)  # of the grids
        self.samples = preset.pick(smoke=50, quick=1_000, full=5_000)  # generated
        count = preset.pick(smoke=100, quick=2_000, full=10_000)
        self.tests = {}
        for data in SETS:
            dataset = datasets.load(data, sample=preset.sample)
            reader = weights.load(READERS[data].name)
            self.tests[data] = TestSet(dataset, to_float(dataset.test[:count]), dataset.test_labels[:count], reader)

    def halves(self, recipe: Recipe) -> tuple[keras.Model, keras.Model, dict]:
        """(encoder, decoder, history): the published ones where there are some, else trained now."""
        if recipe.published and self.preset.name == "full":
            encoder, decoder = (weights.load(f"{recipe.name}_{half}") for half in ("encoder", "decoder"))
            return encoder, decoder, weights.history(f"{recipe.name}_encoder")
        (encoder, decoder, _), history = train(recipe, self.preset, RECIPES)
        return encoder, decoder, history

    def map(self, recipe: Recipe) -> Map:
        if recipe.name not in self.maps:
            encoder, decoder, self.histories[recipe.name] = self.halves(recipe)
            self.maps[recipe.name] = Map(encoder, decoder, self.tests[recipe.data])
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

    def trained(self, recipe: Recipe) -> dict:
        history = self.histories[recipe.name]
        return {"epochs": len(history["loss"]), "seconds": sum(history["seconds"]), "images": 55_000}

    def record(self, name: str, **entry) -> None:
        entry = {"published": "-", "row": "", "notes": NOTES.get(name, [])} | entry
        sets = [test.dataset for test in self.tests.values()]
        publishing.record(
            name, notebook="05", preset=self.preset, is_sample=any(one.is_sample for one in sets),
            source=" and ".join(one.source.split(", from")[0] for one in sets), **entry,
        )  # fmt: skip
        print(f"{name}: {entry['measured']}", flush=True)


def measure(preset: Preset) -> None:
    """Measure all maps on the test images; write data/results/map_*.json in the `full` preset."""
    bench = Bench(preset)
    _chapter(bench)
    _comparison(bench)
    _regions(bench)
    _generation(bench)
    _by_beta(bench)


def predict(network: keras.Model, inputs: np.ndarray):
    return network.predict(inputs, batch_size=500, verbose=0)


def grid(side: int) -> np.ndarray:
    """The middles of side x side cells between -2 and 2 standard deviations, (side * side, 2)."""
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
    """Which cells between -2 and 2 sd are readable, which are empty, and in which classes meet; in percent."""
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
        "of all cells (%)": {
            "occupied, readable": 100 * (~empty & readable).mean(),
            "occupied, unreadable": 100 * (~empty & ~readable).mean(),
            "empty, readable": 100 * (empty & readable).mean(),
            "empty, unreadable": 100 * (empty & ~readable).mean(),
        },
        "of the unreadable cells (%)": {kind: _share(cells, ~readable) for kind, cells in kinds.items()},
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
    sources = {
        "z from N(0, I)": rng.normal(size=(count, 2)),
        "z from a Gaussian fitted to the codes": rng.multivariate_normal(here.mean, np.cov(here.codes.T), count),
        "codes of test images": here.codes[:count],
    }
    tables = {"readable (%)": {}}
    for source, codes in sources.items():
        classes, readable = here.read(codes)
        tables["readable (%)"][source] = 100 * readable.mean()
        shares = [_share(classes == label, readable) for label in range(10)]
        tables[f"classes of the readable (%), {source}"] = dict(zip(here.test.dataset.class_names, shares, strict=True))
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
                "readable cells (%)": 100 * readable.mean(),
            }
        }

    kinds = {SETS[data]: [recipe] for data, recipe in CHAPTER.items()}
    table = bench.tables(kinds, figures)["the chapter's square"]
    first = table["MNIST"]
    bench.record(
        "map_autoencoder", row="R17", task="a code of two numbers",
        published="pictures only: scatter on [-4, 4] x [-4, 4], 30x30 grid, gaps",
        measured=f"MSE {first['MSE']:.4f}; {first['codes inside (%)']:.0f}% of the codes in the square, "
        f"{first['readable cells (%)']:.0f}% of its cells readable",
        metrics=table, trained=bench.trained(CHAPTER["mnist"]),
    )  # fmt: skip


def _comparison(bench: Bench) -> None:
    found = {title: bench.tables(_compared(data), partial(quality, side=bench.side)) for data, title in SETS.items()}
    words = []
    for title, tables in found.items():
        rows = tables["own scale"]
        words.append(f"{title}: {_each(rows, 'readable within 2 sd (%)')}")
    bench.record(
        "map_comparison", task="the same network with and without sampling and KL term",
        measured="readable within two standard deviations of the codes: " + "; ".join(words),
        metrics=found, trained=bench.trained(COMPARED["mnist"]["VAE"]) | {"seeds": 3},
    )  # fmt: skip


def _regions(bench: Bench) -> None:
    found = {title: bench.tables(_compared(data), partial(regions, side=bench.side)) for data, title in SETS.items()}
    words = []
    for title, tables in found.items():
        rows = tables["of the unreadable cells (%)"]
        words.append(f"{title}: {_each(rows, 'classes meet')}")
    bench.record(
        "map_regions", task="empty or ambiguous: why a place cannot be read",
        measured="of the unreadable cells, those where classes meet: " + "; ".join(words), metrics=found,
    )  # fmt: skip


def _generation(bench: Bench) -> None:
    found = {}
    for data, title in SETS.items():
        kinds = {kind: of_seeds(recipe) for kind, recipe in COMPARED[data].items()}
        found[title] = bench.tables(kinds, partial(generation, count=bench.samples))
    rows = found["MNIST"]["readable (%)"]
    fitted = rows[KINDS[0]]["z from a Gaussian fitted to the codes"]
    bench.record(
        "map_generation", task="digits and garments from random codes",
        measured=f"readable digits for z from N(0, I): {_each(rows, 'z from N(0, I)')}; from a Gaussian fitted to its "
        f"codes: {KINDS[0]} {fitted:.0f}%",
        metrics=found,
    )  # fmt: skip


def _by_beta(bench: Bench) -> None:
    kinds = {f"beta {beta:g}": of_seeds(recipe) for beta, recipe in BY_BETA.items()}
    found = bench.tables(kinds, partial(terms, side=bench.side, count=bench.samples))
    words = [
        f"{kind}: {row['BCE at the mean (nats)']:.1f} and {row['KL (nats)']:.1f}" for kind, row in found["loss"].items()
    ]
    bench.record(
        "map_beta", task="reconstruction against KL, by beta", measured="BCE and KL in nats, " + "; ".join(words),
        metrics=found, trained=bench.trained(BY_BETA[1.0]) | {"seeds": 3},
    )  # fmt: skip


def _compared(data: str) -> dict[str, list[Recipe]]:
    kinds = {kind: of_seeds(recipe) for kind, recipe in COMPARED[data].items()}
    return kinds | {"the chapter's autoencoder": [CHAPTER[data]]}


def _each(rows: dict[str, dict], measure: str) -> str:
    return ", ".join(f"{kind} {rows[kind][measure]:.0f}%" for kind in KINDS)


NOTES: dict[str, list[str]] = {}
