"""Denoising digits: the recipes of every denoiser, and what is measured of them."""

from functools import partial

import keras
import numpy as np

from .. import baselines, corruptions, metrics, models, plots, records, weights
from ..pairs import to_float
from ..plumbing.files import whole_file
from . import training
from .presets import Preset
from .recipes import Recipe, seeds
from .workbench import Workbench, predict

UNIFORM = corruptions.uniform_mix
SHIFTED = partial(corruptions.gaussian, mean=0.5, std=0.5)
HALF = partial(corruptions.gaussian, mean=0.0, std=0.5)
EXTREME = partial(corruptions.gaussian, mean=0.0, std=3.0)


def sixteen_numbers() -> keras.Model:
    """The strided autoencoder with a code of 16 numbers, from picture to picture."""
    return models.strided_autoencoder(latent_dim=16)[2]


def warm_cosine(steps: int, epochs: int, *, peak: float = 5e-3) -> keras.optimizers.Optimizer:
    """Adam with one epoch of warm-up and a cosine."""
    return training.warm_up_and_cosine(steps, epochs, peak=peak)


def bce_and_psnr(clean, restored):
    """Cross-entropy plus 0.1 times the logarithm of the squared error of each image, (N,)."""
    error = keras.ops.mean(keras.ops.square(clean - restored), axis=(1, 2, 3))
    cross_entropy = keras.ops.mean(keras.losses.binary_crossentropy(clean, restored), axis=(1, 2))
    return cross_entropy + 0.1 * keras.ops.log(error + 1e-6)


digits = partial(Recipe, data="mnist")
conv = partial(digits, network=models.conv_autoencoder)
unet = partial(digits, network=models.unet_denoiser, batch_size=64, watch=UNIFORM)

PUBLISHED = [
    conv(name="denoise_uniform", corrupt=UNIFORM, epochs=100, published=True),
    digits(
        name="denoise_skips", network=partial(models.conv_autoencoder, skips=True), corrupt=UNIFORM, epochs=30,
        published=True,
    ),
    digits(
        name="denoise_gaussian_16", network=sixteen_numbers, corrupt=SHIFTED, loss="mse", epochs=10, batch_size=32,
        published=True,
    ),
    conv(name="denoise_half", corrupt=HALF, epochs=100, published=True),
    conv(
        name="denoise_extreme", corrupt=EXTREME, epochs=100, published=True,
        callbacks=(keras.callbacks.EarlyStopping(patience=10),),
    ),
    unet(name="denoise_unet_first", corrupt=corruptions.varied_noise, epochs=12, optimizer=warm_cosine),
    unet(
        name="denoise_unet", corrupt=partial(corruptions.varied_noise, uniform=0.9), epochs=24, loss=bce_and_psnr,
        optimizer=partial(warm_cosine, peak=3e-3), start="denoise_unet_first", published=True,
    ),
]  # fmt: skip
FIXED = conv(name="denoise_uniform_fixed_noise", corrupt=UNIFORM, epochs=50, fresh=False)

# A third of the digits and few epochs for the comparisons: what is compared differs in one thing only.
short = partial(digits, images=20_000)
loss_of = partial(short, network=models.conv_autoencoder, corrupt=UNIFORM)
START = loss_of(name="loss_start", epochs=1)
LOSSES = {
    "binary cross-entropy": loss_of(name="loss_bce", epochs=3),
    "squared error": loss_of(name="loss_mse", epochs=3, loss="mse"),
    "squared error, after one epoch of cross-entropy": loss_of(
        name="loss_mse_after_bce", epochs=2, loss="mse", start=START.name
    ),
    "1 - SSIM": loss_of(name="loss_ssim", epochs=3, loss=metrics.ssim_loss),
}
NETWORKS = {
    "no skip connections": partial(models.unet_denoiser, skips=False),
    "skip connections": models.unet_denoiser,
    "skip connections, no global average": partial(models.unet_denoiser, average=False, widths=(17, 21, 23)),
}
NOISES = {"uniform mix": UNIFORM, "varied noise": corruptions.varied_noise}
ABLATION = {
    (network, noise): short(
        name="ablation_" + f"{network} {noise}".replace(",", "").replace(" ", "_"),
        network=build, corrupt=NOISES[noise], epochs=4, optimizer=warm_cosine, watch=UNIFORM,
    )
    for network, build in NETWORKS.items()
    for noise in NOISES
}  # fmt: skip

# The lesson's own experiment: its network with and without skip connections, trained as there.
SKIPS = {
    (title, noise): digits(
        name=f"skips_{title} {noise}".replace(" ", "_"), network=partial(models.conv_autoencoder, skips=skips),
        corrupt=corrupt, images=10_000, epochs=4, watch=UNIFORM,
    )
    for title, skips in {"autoencoder": False, "with skip connections": True}.items()
    for noise, corrupt in NOISES.items()
}  # fmt: skip

COMPARED = [seed for recipe in (START, *LOSSES.values(), *ABLATION.values(), *SKIPS.values()) for seed in seeds(recipe)]
RECIPES = {recipe.name: recipe for recipe in [*PUBLISHED, FIXED, *COMPARED]}


# ---- what is measured

SIGMAS = (0.25, 0.5, 0.75, 1.0)
FILTERS = {  # the settings that are tried; the best one must not lie at an end
    "median filter": (baselines.median, "size", (1, 3, 5, 7, 9)),
    "Gaussian filter": (baselines.gaussian, "sigma", (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.1, 1.4, 1.8, 2.4, 3.0)),
    "non-local means": (baselines.non_local_means, "h", (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5)),
}


class Bench(Workbench):
    """The test digits, and the same noise for every method."""

    def __init__(self, preset: Preset):
        super().__init__(preset, "mnist", notebook="02", recipes=RECIPES, notes=NOTES)
        mnist, count = self.sets["mnist"], preset.pick(smoke=32, quick=1_000, full=10_000)
        self.test, self.labels = to_float(mnist.test[:count]), mnist.test_labels[:count]
        self.practice = to_float(mnist.train[: preset.pick(smoke=5, quick=100, full=300)])
        self.reader = weights.load("reader_mnist")

    def noisy(self, noise, images: np.ndarray | None = None) -> np.ndarray:
        return noise(self.test if images is None else images, np.random.default_rng(0))

    def score(self, restored: np.ndarray) -> dict[str, float]:
        """Means over the test digits; "readable": named correctly by a classifier that knows clean digits only."""
        named = predict(self.reader, restored).argmax(axis=1)
        return {
            "BCE": metrics.bce(self.test, restored).mean(),
            "PSNR (dB)": metrics.psnr(self.test, restored).mean(),
            "SSIM": metrics.ssim(self.test, restored).mean(),
            "readable (%)": 100 * (named == self.labels).mean(),
        }

    def filters(self, noise, *, scale: float = 1.0, shift: float = 0.0) -> tuple[dict, dict]:
        """({filter: score}, {filter: its best setting}), each tuned on training digits under the same noise.

        The shift is undone after the filter: what is cut off at 0 and 1 would else be missing from the averages.
        """
        straighten = partial(baselines.undo_shift, scale=scale, shift=shift)
        practice, noisy = self.noisy(noise, self.practice), self.noisy(noise)
        scores, settings = {"undo the shift": self.score(straighten(noisy))}, {}
        for name, (apply, setting, values) in FILTERS.items():
            tried = [straighten(apply(practice, **{setting: value})) for value in values]
            best = int(np.argmax([metrics.psnr(self.practice, images).mean() for images in tried]))
            inside = 0 < best < len(values) - 1
            settings[name] = f"{setting} {values[best]}" + ("" if inside else " (at the end of its grid)")
            scores[name] = self.score(straighten(apply(noisy, **{setting: values[best]})))
        return scores, settings


def measure(preset: Preset) -> None:
    """Measure all of denoising on the test digits; write data/results/denoise_*.json in the `full` preset."""
    bench = Bench(preset)
    _published(bench)
    _overview(bench)
    _filters(bench)
    _robustness(bench)
    _fixed_noise(bench)
    _over_seeds(
        bench, "denoise_losses", LOSSES, {"uniform mix": UNIFORM}, row="R18", task="loss functions compared",
        published="MSE, BCE and SSIM named, not compared",
    )  # fmt: skip
    noises = {"uniform mix": UNIFORM} | {f"Gaussian, sigma {sigma}": _shifted(sigma) for sigma in (0.5, 1.0)}
    named = {f"{network}; trained on {noise}": recipe for (network, noise), recipe in ABLATION.items()}
    _over_seeds(bench, "denoise_ablation", named, noises, task="what a U-Net owes to what: one change at a time")
    named = {f"{title}; trained on {noise}": recipe for (title, noise), recipe in SKIPS.items()}
    noises = {"uniform mix": UNIFORM, "Gaussian around zero, sigma 0.5": HALF}
    _over_seeds(
        bench, "denoise_skips_compared", named, noises,
        task="the lesson's network, with and without skip connections",
    )  # fmt: skip


def _shifted(sigma: float):
    return partial(corruptions.gaussian, mean=0.5, std=sigma)


def _words(score: dict) -> str:
    return f"PSNR {score['PSNR (dB)']:.2f} dB, SSIM {score['SSIM']:.3f}"


def _listed(settings: dict[str, str]) -> str:
    return ", ".join(f"{name} {setting}" for name, setting in settings.items())


def _published(bench: Bench) -> None:
    rows = {
        "denoise_uniform": ("R8", "uniform noise", UNIFORM, "loss 0.0743 train, 0.0739 test"),
        "denoise_gaussian_16": ("R9", "Gaussian noise, code of 16 numbers", SHIFTED, "pictures of 3 sets of 9 digits"),
        "denoise_half": ("R11", "Gaussian noise around zero, sigma 0.5", HALF, "pictures only"),
        "denoise_extreme": ("R12", "Gaussian noise around zero, sigma 3", EXTREME, "pictures only"),
        "denoise_skips": ("", "uniform noise, skip connections added", UNIFORM, "-"),
        "denoise_unet": ("", "uniform noise, a larger U-Net", UNIFORM, "-"),
    }
    for name, (row, task, noise, published) in rows.items():
        network, history = bench.network(name)
        score = bench.score(predict(network, bench.noisy(noise)))
        measured = f"BCE {history['loss'][-1]:.4f} train, {score['BCE']:.4f} test; " if row == "R8" else ""
        bench.record(
            name, row=row, task=task, published=published, measured=measured + _words(score),
            metrics={"test digits": score}, trained=bench.trained(name),
        )  # fmt: skip


def _overview(bench: Bench) -> None:
    """The picture at the top of the lesson and of the README."""
    noisy = bench.noisy(UNIFORM)[:10]
    pictures = {
        "clean": bench.test[:10],
        "noisy": noisy,
        "non-local means": baselines.undo_shift(baselines.non_local_means(noisy, h=0.1), scale=0.5, shift=0.25),
        "autoencoder": predict(bench.network("denoise_uniform")[0], noisy),
        "U-Net": predict(bench.network("denoise_skips")[0], noisy),
    }
    if bench.preset.publishes(bench.sets["mnist"].is_sample):
        with whole_file(records.FOLDER / "overview.png") as partial:
            plots.rows(pictures, size=0.8).savefig(partial, bbox_inches="tight")


def _filters(bench: Bench) -> None:
    tables, notes = {}, []
    kinds = {"uniform mix": (UNIFORM, {"scale": 0.5, "shift": 0.25}), "Gaussian": (SHIFTED, {"shift": 0.5})}
    for title, (noise, undo) in kinds.items():
        scores, settings = bench.filters(noise, **undo)
        tables[title] = {"noisy": bench.score(bench.noisy(noise)), **scores}
        notes.append(f"Settings, {title}: {_listed(settings)}.")
    name, best = max(tables["uniform mix"].items(), key=lambda item: item[1]["PSNR (dB)"])
    bench.record(
        "denoise_filters", task="filters that need no training",
        measured=f"best, uniform noise: {name}, {_words(best)}",
        metrics=tables, notes=["Each filter's setting is the best on 300 training digits.", *notes],
    )  # fmt: skip


def _robustness(bench: Bench) -> None:
    names = {"code of 16 numbers": "denoise_gaussian_16", "U-Net": "denoise_unet"}
    networks = {title: bench.network(name)[0] for title, name in names.items()}
    by_sigma, notes = {}, []
    for sigma in SIGMAS:
        noisy = bench.noisy(_shifted(sigma))
        scores, settings = bench.filters(_shifted(sigma), shift=0.5)
        restored = {name: bench.score(predict(network, noisy)) for name, network in networks.items()}
        by_sigma[f"sigma {sigma}"] = {"noisy": bench.score(noisy), **scores, **restored}
        notes.append(f"Settings at sigma {sigma}: {_listed(settings)}.")
    readable = [by_sigma[f"sigma {sigma}"]["code of 16 numbers"]["readable (%)"] for sigma in SIGMAS[1:]]
    bench.record(
        "denoise_robustness", row="R10", task="more noise than it was trained on",
        published="still readable at sigma 0.75, some digits lost at 1.0",
        measured="readable by a classifier: "
        + ", ".join(f"{share:.0f}% at sigma {sigma}" for share, sigma in zip(readable, SIGMAS[1:], strict=True)),
        metrics=by_sigma, notes=notes,
    )  # fmt: skip


def _fixed_noise(bench: Bench) -> None:
    histories = {
        "fresh noise": bench.network("denoise_uniform")[1],
        "one noise for all epochs": bench.network(FIXED.name)[1],
    }
    epochs = min(len(past["loss"]) for past in histories.values())
    rows = {
        name: {"training loss": past["loss"][epochs - 1], "validation loss": past["val_loss"][epochs - 1]}
        for name, past in histories.items()
    }
    bench.record(
        "denoise_fixed_noise", task="fresh noise in every epoch, or one noise for all",
        measured=f"BCE on validation digits after {epochs} epochs: "
        + "; ".join(f"{name} {row['validation loss']:.4f}" for name, row in rows.items()),
        metrics=rows, trained=bench.trained(FIXED.name),
        notes=[f"The same network and digits; both validated on the same noise, after {epochs} epochs each."],
    )  # fmt: skip


def _over_seeds(bench: Bench, name: str, kinds: dict[str, Recipe], noises: dict, **entry) -> None:
    """Train every kind with three seeds; record means and each seed's PSNR."""
    tables = {noise: {} for noise in noises}
    all_noisy = {name: bench.noisy(noise) for name, noise in noises.items()}
    for kind, recipe in kinds.items():
        networks = [bench.network(seed.name)[0] for seed in seeds(recipe)]
        for noise_name, noisy in all_noisy.items():
            scores = [bench.score(predict(network, noisy)) for network in networks]
            mean = {key: float(np.mean([score[key] for score in scores])) for key in scores[0]}
            each = " / ".join(f"{score['PSNR (dB)']:.2f}" for score in scores)
            tables[noise_name][kind] = {**mean, "PSNR of each seed (dB)": each}
    first = next(iter(tables.values()))
    measured = "; ".join(f"{kind}: PSNR {row['PSNR (dB)']:.2f} dB" for kind, row in first.items())
    recipe = next(iter(kinds.values()))
    bench.record(
        name, measured=measured, metrics=tables,
        trained={"epochs": recipe.epochs, "images": recipe.images, "seeds": 3}, **entry,
    )  # fmt: skip


NOTES = {
    "denoise_uniform": [
        "55,000 digits to train on; the last 5,000 of the 60,000 choose the best epoch. The noise is fresh in every "
        "epoch.",
        "An earlier training with another seed was stopped after 74 epochs at about the same loss.",
    ],
    "denoise_unet": [
        "Two stages: 12 epochs on varied noise with cross-entropy, then 24 with 0.1 ln(MSE) added and more of the "
        "uniform mix. A shorter second stage had been seen on the test digits before this one was chosen: the last "
        "tenths of a decibel are not an untouched test figure.",
    ],
    "denoise_half": ["The published network was taken after 84 of the recipe's 100 epochs."],
    "denoise_extreme": [
        "The recipe goes on until ten epochs in a row bring no better validation loss, at most 100; the published "
        "network was taken after 22 of them, when the loss still fell by about 0.0001 an epoch."
    ],
    "denoise_losses": [
        "The same network, noise, digits and number of epochs; three seeds. The squared error alone gives black "
        "pictures with every seed. Why 1 - SSIM, behind the same sigmoid, does not, was not examined."
    ],
    "denoise_skips_compared": [
        "The lesson's live networks, three seeds: 10,000 digits, 4 epochs, 28,353 parameters with and without. Only "
        "the skip connections or only the noise differ. Validated on the uniform mix.",
    ],
    "denoise_ablation": [
        "Same digits, batches, schedule, loss and number of epochs; 29,523 parameters, 29,470 without the global "
        "averages. Validated on the uniform mix. Without skip connections all has to pass through the 7x7x22 numbers "
        "in the middle.",
    ],
}
