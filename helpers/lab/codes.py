"""Short codes: the recipes of the autoencoders of digits and garments, and what is measured of their codes."""

import io
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import keras
import numpy as np
from keras import layers
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import trustworthiness
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .. import baselines, metrics, models
from ..pairs import to_float
from . import training
from .presets import Preset
from .recipes import Recipe, seeds
from .workbench import Workbench, predict

SIZES = (2, 4, 8, 16, 32, 64, 196)  # numbers in a code


def conv_halves() -> tuple[keras.Model, keras.Model, keras.Model]:
    """The convolutional autoencoder as (encoder, decoder, autoencoder), sharing their layers; code (N, 7, 7, 32)."""
    whole = models.conv_autoencoder()
    code = whole.get_layer("code").output
    return keras.Model(whole.input, code, name="encoder"), keras.Model(code, whole.output, name="decoder"), whole


def headless() -> keras.Sequential:
    """The first layers of a classifier, as the tutorial explains an encoder: (N, 28, 28, 1) to (N, 14, 14, 32)."""
    conv = partial(layers.Conv2D, kernel_size=3, padding="same", activation="relu")
    return keras.Sequential(
        [keras.Input((28, 28, 1)), conv(64), conv(32), layers.MaxPooling2D(2, padding="same")], name="headless"
    )


def deeper(filters: tuple[int, int] = (24, 42)) -> tuple[keras.Model, keras.Model, keras.Model]:
    """The strided autoencoder, narrower, with a residual block at every scale: about as many parameters.

    (encoder, decoder, autoencoder), which share their layers; a code of 16 numbers. After He et al. 2016.
    """
    conv = partial(layers.Conv2D, kernel_size=3, padding="same", activation="relu")
    up = partial(layers.Conv2DTranspose, kernel_size=3, strides=2, padding="same", activation="relu")

    def block(x):
        y = layers.Conv2D(x.shape[-1], 3, padding="same")(conv(x.shape[-1])(x))
        return layers.Activation("relu")(layers.Add()([x, y]))

    fine, coarse = filters
    image = keras.Input((28, 28, 1), name="image")
    x = block(conv(fine, strides=2)(image))  # 14 x 14
    x = block(conv(coarse, strides=2)(x))  # 7 x 7
    encoder = keras.Model(image, layers.Dense(16, name="code")(layers.Flatten()(x)), name="encoder")

    code = keras.Input((16,), name="code")
    x = layers.Reshape((7, 7, coarse))(layers.Dense(7 * 7 * coarse)(code))
    x = block(up(fine)(block(x)))  # 14 x 14
    output = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="reconstruction")(up(fine)(x))
    decoder = keras.Model(code, output, name="decoder")
    return encoder, decoder, keras.Model(image, decoder(encoder(image)), name="deeper_autoencoder")


def residual_autoencoder() -> tuple[keras.Model, keras.Model, keras.Model]:
    """Residual autoencoder with a code of 16 numbers: (encoder, decoder, autoencoder); 348,465 parameters.

    The three models share their layers. encoder: (N, 28, 28, 1) in [0, 1] to (N, 16); decoder: back again. Its first
    layer gets the image twice: the published weights come from a network with two inputs. After He et al. 2016.
    """

    def convolution(filters, size=3, kind=layers.Conv2D):
        return kind(filters, size, strides=2, padding="same", activation="silu", kernel_initializer="he_normal")

    def block(x):
        filters = x.shape[-1]
        small = keras.initializers.RandomNormal(stddev=1 / (30 * math.sqrt(filters)))  # it begins as hardly a change
        y = layers.Conv2D(filters, 3, padding="same", activation="silu", kernel_initializer="he_normal")(x)
        y = layers.Conv2D(filters, 3, padding="same", kernel_initializer=small)(y)
        return layers.Activation("silu")(layers.Add()([x, y]))

    code = keras.Input((16,), name="code")
    x = layers.Dense(7 * 7 * 64, activation="silu", kernel_initializer="he_normal")(code)
    x = block(layers.Reshape((7, 7, 64))(x))
    x = block(convolution(32, 4, layers.Conv2DTranspose)(x))  # 14 x 14 x 32
    x = convolution(16, 4, layers.Conv2DTranspose)(x)  # 28 x 28 x 16
    output = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="reconstruction")(x)
    decoder = keras.Model(code, output, name="decoder")

    image = keras.Input((28, 28, 1), name="image")
    x = block(convolution(32)(layers.Concatenate()([image, image])))  # 14 x 14 x 32
    x = block(convolution(64)(x))  # 7 x 7 x 64
    encoder = keras.Model(image, layers.Dense(16, name="code")(layers.Flatten()(x)), name="encoder")
    return encoder, decoder, keras.Model(image, decoder(encoder(image)), name="residual_autoencoder")


def log_mse(clean, reconstruction):
    """The logarithm of each image's squared error, (N,): minus its PSNR, but for a factor."""
    error = keras.ops.mean(keras.ops.square(clean - reconstruction), axis=(1, 2, 3))
    return keras.ops.log(error + 1e-6)


schedule = partial(training.warm_up_and_cosine, peak=2e-3, climb=0.25)
digits = partial(Recipe, data="mnist", published=True)
page = partial(digits, epochs=50, batch_size=256)
garments = partial(
    Recipe, data="fashion_mnist", network=models.strided_autoencoder, loss="mse", batch_size=32, published=True
)

DIGITS = {
    "dense": page(name="codes_dense", network=models.dense_autoencoder),
    "deep dense": page(name="codes_deep_dense", network=partial(models.dense_autoencoder, widths=(128, 64, 32))),
    "convolutional": digits(name="codes_conv", network=conv_halves, epochs=10),
    "16 numbers": digits(
        name="codes_16_digits", network=models.strided_autoencoder, epochs=1, loss="mse", batch_size=32
    ),
}
SMALL = garments(name="codes_small_conv", network=models.small_conv_autoencoder, epochs=20)
SIXTEEN = garments(name="codes_16", epochs=20)
LOSSES = {  # of which nothing else differs
    "squared error": garments(name="codes_16_short", epochs=5),
    "cross-entropy": garments(name="codes_16_short_bce", epochs=5, loss="binary_crossentropy"),
    "1 - SSIM": garments(name="codes_16_short_ssim", epochs=5, loss=metrics.ssim_loss),
}
BETTER = {  # 20 epochs each; from line to line one thing more, but for the last, of which the notes tell
    "as it is": SIXTEEN,
    "schedule": garments(name="codes_16_schedule", epochs=20, optimizer=schedule),
    "schedule, ln(MSE)": garments(name="codes_16_log_mse", epochs=20, optimizer=schedule, loss=log_mse),
    "schedule, ln(MSE), residual network": garments(
        name="codes_16_deep", network=residual_autoencoder, epochs=20, batch_size=16, loss=log_mse,
        optimizer=partial(schedule, peak=1.2e-3, global_clipnorm=1.0),
    ),
}  # fmt: skip

# A third of the garments and few epochs, three seeds: what is compared differs in one thing only.
short = partial(garments, images=20_000, epochs=4, published=False)
BY_SIZE = {
    size: short(name=f"sizes_{size}", network=partial(models.strided_autoencoder, latent_dim=size), optimizer=schedule)
    for size in SIZES
}
ABLATION = {
    "as it is": short(name="alone_nothing"),
    "schedule": BY_SIZE[16],
    "ln(MSE)": short(name="alone_loss", loss=log_mse),
    "deeper": short(name="alone_depth", network=deeper),
}
DENSE_SEEDS = [DIGITS["dense"], *seeds(replace(DIGITS["dense"], published=False))[1:]]

RECIPES = {
    recipe.name: recipe
    for recipe in [
        *DIGITS.values(),
        SMALL,
        *LOSSES.values(),
        *BETTER.values(),
        *DENSE_SEEDS,
        *(seed for recipe in (*BY_SIZE.values(), *ABLATION.values()) for seed in seeds(recipe)),
    ]
}


# ---- what is measured

BITS = (32, 8, 6, 4, 3)  # a number of a code
Score = dict[str, float]
QUALITIES = (2, 5, 10, 20, 30, 50, 75)  # of JPEG
DEAD = "numbers that are 0 for every digit"
BY_ITSELF, AS_SHARE = "by the error", "by the error as a share of the picture's variance"


def flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)


def thumbnail(images: np.ndarray, side: int) -> np.ndarray:
    """The mean of each square of side x side squares, enlarged bilinearly: (N, 28, 28, 1) again."""
    squares = images.reshape(len(images), side, 28 // side, side, 28 // side, 1).mean(axis=(2, 4))
    return np.asarray(keras.ops.image.resize(squares, (28, 28), interpolation="bilinear"))


def refine(decoder: keras.Model, codes: np.ndarray, images: np.ndarray, *, steps: int = 20) -> np.ndarray:
    """Codes (N, numbers) improved for a decoder that stays as it is, by gradient descent on the squared error."""
    number, table = keras.Input((), dtype="int32"), layers.Embedding(*codes.shape)
    search = keras.Model(number, decoder(table(number)))
    table.set_weights([codes])
    decoder.trainable = False
    search.compile(keras.optimizers.Adam(float(0.05 * codes.std())), "mse", jit_compile=False)
    search.fit(np.arange(len(images)), images, batch_size=len(images), epochs=steps, verbose=0)
    decoder.trainable = True
    return table.get_weights()[0]


def rounded(codes: np.ndarray, bits: int, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Codes (N, numbers) rounded to 2**bits steps between low and high, (numbers,) each."""
    steps = 2**bits - 1
    share = np.round((np.clip(codes, low, high) - low) / (high - low) * steps) / steps
    return (low + share * (high - low)).astype(np.float32)


def png_bytes(image: np.ndarray) -> int:
    """Bytes of an image (H, W, 1) in [0, 1] as a PNG file."""
    return len(_file(image, "PNG", optimize=True)[0])


def jpeg(images: np.ndarray, quality: int, *, columns: int = 25) -> tuple[float, np.ndarray]:
    """(bytes an image, the images again) of images (N, 28, 28, 1) in one JPEG file, so that its tables count once.

    Each is continued at its right and lower edge to 32x32, four of JPEG's blocks each way. N divisible by columns.
    """
    padded = np.pad(images, ((0, 0), (0, 4), (0, 4), (0, 0)), mode="edge")
    sheet = padded.reshape(-1, columns, 32, 32).swapaxes(1, 2).reshape(-1, columns * 32, 1)
    content, again = _file(sheet, "JPEG", quality=quality, optimize=True)
    back = again.reshape(-1, 32, columns, 32).swapaxes(1, 2).reshape(-1, 32, 32, 1)[:, :28, :28]
    return len(content) / len(images), back


def _file(image: np.ndarray, kind: str, **options) -> tuple[bytes, np.ndarray]:
    """(a file's content, the image (H, W) in it) of a gray image (H, W, 1)."""
    buffer = io.BytesIO()
    Image.fromarray(np.uint8(np.rint(255 * image[..., 0]))).save(buffer, kind, **options)
    return buffer.getvalue(), np.asarray(Image.open(buffer), np.float32) / 255


def area(ordinary: np.ndarray, strange: np.ndarray) -> float:
    """Area under the ROC curve: how often a strange picture ranks above an ordinary one; 0.5 is chance."""
    labels = np.repeat([0, 1], [len(ordinary), len(strange)])
    return float(roc_auc_score(labels, np.concatenate([ordinary, strange])))


class Bench(Workbench):
    """Test garments and digits, and garments to fit by."""

    def __init__(self, preset: Preset):
        super().__init__(preset, "fashion_mnist", "mnist", notebook="01", recipes=RECIPES, notes=NOTES)
        self.fashion, self.count = self.sets["fashion_mnist"], preset.pick(smoke=100, quick=1_000, full=10_000)
        self.mapped = preset.pick(smoke=50, quick=500, full=2_000)  # for what takes long
        self.test, self.labels = to_float(self.fashion.test[: self.count]), self.fashion.test_labels[: self.count]
        self.digits = to_float(self.sets["mnist"].test[: self.count])
        images = preset.pick(smoke=300, quick=2_000, full=20_000)
        self.train = to_float(self.fashion.train[:images])  # the garments that the codes of all sizes are trained on
        self.judged = slice(0, self.count)  # of those: for classifiers on codes

    def rebuilt(self, recipe: Recipe, images: np.ndarray | None = None) -> np.ndarray:
        encoder, decoder = self.network(recipe.name)[0]
        return predict(decoder, predict(encoder, self.test if images is None else images))

    def score(self, images: np.ndarray, clean: np.ndarray | None = None) -> Score:
        """Means over the test garments, or other clean images."""
        clean = self.test[: len(images)] if clean is None else clean
        return {
            "MSE": metrics.mse(clean, images).mean(),
            "PSNR (dB)": metrics.psnr(clean, images).mean(),
            "SSIM": metrics.ssim(clean, images).mean(),
        }

    def judge(self, train_codes: np.ndarray, test_codes: np.ndarray) -> Score:
        """What codes (N, numbers) know of the class, in percent, and of which pictures are alike."""
        train_codes, labels = train_codes[self.judged], self.fashion.train_labels[: len(self.train)][self.judged]
        probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3_000)).fit(train_codes, labels)
        voters = KNeighborsClassifier(5).fit(train_codes, labels)
        some = slice(0, self.mapped)
        return {
            "linear probe (%)": 100 * probe.score(test_codes, self.labels),
            "5 neighbours (%)": 100 * voters.score(test_codes, self.labels),
            "trustworthiness": trustworthiness(flat(self.test[some]), test_codes[some], n_neighbors=10),
        }

    def judged_code(self, encoder: keras.Model) -> Score:
        codes = (flat(predict(encoder, images)) for images in (self.train[self.judged], self.test))
        return self.judge(*codes)

    def detection(self, rebuild: Callable[[np.ndarray], np.ndarray]) -> Score:
        """How well the error of a reconstruction tells digits from garments: areas under the ROC curve."""
        errors = [metrics.mse(images, rebuild(images)) for images in (self.test, self.digits)]
        spread = [images.var(axis=(1, 2, 3)) for images in (self.test, self.digits)]
        shares = [error / variance for error, variance in zip(errors, spread, strict=True)]
        return {BY_ITSELF: area(*errors), AS_SHARE: area(*shares)}


def measure(preset: Preset) -> None:
    """Measure all of the codes on the test images; write data/results/codes_*.json in the `full` preset."""
    bench = Bench(preset)
    fitted = {size: baselines.pca(bench.train, size) for size in SIZES}
    _small(bench, fitted[196])
    _digits(bench)
    _shapes(bench)
    _losses(bench)
    _bytes(bench, fitted[16])
    _better(bench)
    _dense_seeds(bench)
    _ablation(bench)
    _sizes(bench, fitted)
    _detection(bench, fitted)


def _unclipped(fitted: PCA, images: np.ndarray) -> np.ndarray:
    return fitted.inverse_transform(fitted.transform(flat(images))).astype(np.float32).reshape(images.shape)


def _words(score: Score) -> str:
    return f"MSE {score['MSE']:.4f}, PSNR {score['PSNR (dB)']:.1f} dB"


def _mean(found: list[Score]) -> Score:
    return {key: float(np.mean([one[key] for one in found])) for key in found[0]}


def _small(bench: Bench, fitted: PCA) -> None:
    history = bench.network(SMALL.name)[1]
    kinds = {
        "small convolutional autoencoder": bench.score(bench.rebuilt(SMALL)),
        "14x14 thumbnail": bench.score(thumbnail(bench.test, 14)),
        "PCA, 196 components": bench.score(baselines.pca_reconstruction(fitted, bench.test)),
        "PCA, 196 components, unclipped": bench.score(_unclipped(fitted, bench.test)),
    }
    first = kinds["small convolutional autoencoder"]
    bench.record(
        "codes_small_conv", row="R1", task="autoencoder of 889 parameters",
        published="no overfitting; 5 originals over 5 reconstructions",
        measured=f"{_words(first)}; validation {history['val_loss'][-1]:.4f}, training {history['loss'][-1]:.4f}",
        metrics={"test garments, 196 numbers each": kinds}, trained=bench.trained(SMALL.name),
    )  # fmt: skip


def _digits(bench: Bench) -> None:
    rows = {
        "dense": ("R2", "dense autoencoder, digits", "loss 0.0925, val_loss 0.0914"),
        "deep dense": ("R3", "deep dense autoencoder, digits", "loss 0.0860"),
        "convolutional": ("R4", "convolutional autoencoder, digits", "no figure"),
        "16 numbers": ("R5", "code of 16 numbers, digits", "val_loss 0.01 after one epoch"),
    }
    for kind, (row, task, published) in rows.items():
        recipe = DIGITS[kind]
        history = bench.network(recipe.name)[1]
        score = _digit_score(bench, recipe)
        bench.record(
            recipe.name, row=row, task=task, published=published, sets=["mnist"],
            measured=f"loss {history['loss'][-1]:.4f}, val_loss {min(history['val_loss']):.4f}; "
            f"test PSNR {score['PSNR (dB)']:.1f} dB",
            metrics={"test digits": {kind: score}}, trained=bench.trained(recipe.name),
        )  # fmt: skip


def _dense_seeds(bench: Bench) -> None:
    table = {f"seed {recipe.seed}": _of_seed(bench, recipe) for recipe in DENSE_SEEDS}
    bench.record(
        "codes_dense_seeds", task="dense autoencoder, digits: three seeds, and numbers that died",
        published="loss 0.0925, val_loss 0.0914", sets=["mnist"], metrics={"55,000 digits": table},
        measured="; ".join(f"{name}: loss {row['training loss']:.4f}, {row[DEAD]} dead" for name, row in table.items()),
        trained={"epochs": DENSE_SEEDS[0].epochs, "images": 55_000, "seeds": len(DENSE_SEEDS)},
    )  # fmt: skip


def _digit_score(bench: Bench, recipe: Recipe) -> Score:
    encoder, _ = bench.network(recipe.name)[0]
    rebuilt, codes = bench.rebuilt(recipe, bench.digits), flat(predict(encoder, bench.digits))
    dead = int((codes == 0).all(axis=0).sum())
    return {"BCE": metrics.bce(bench.digits, rebuilt).mean(), **bench.score(rebuilt, bench.digits), DEAD: dead}


def _of_seed(bench: Bench, recipe: Recipe) -> Score:
    history, score = bench.network(recipe.name)[1], _digit_score(bench, recipe)
    return {
        "training loss": history["loss"][-1],
        "validation loss": min(history["val_loss"]),
        "BCE, test digits": score["BCE"],
        DEAD: score[DEAD],
    }


def _shapes(bench: Bench) -> None:
    shapes = ["x".join(map(str, layer.output.shape[1:])) for layer in headless().layers]
    bench.record(
        "codes_classifier_shapes", row="R7", task="encoder as a classifier without its head",
        published="28x28x64, 28x28x32, 14x14x32", measured=", ".join(shapes), metrics={"shapes": shapes},
    )  # fmt: skip


def _losses(bench: Bench) -> None:
    table = {}
    for kind, recipe in LOSSES.items():
        rebuilt = bench.rebuilt(recipe)
        table[kind] = {"BCE": metrics.bce(bench.test, rebuilt).mean(), **bench.score(rebuilt)}
    bench.record(
        "codes_losses", row="R18", task="losses compared", published="MSE, BCE and SSIM named, not compared",
        measured="; ".join(f"{kind}: PSNR {s['PSNR (dB)']:.1f} dB, SSIM {s['SSIM']:.2f}" for kind, s in table.items()),
        metrics={"test garments": table}, trained=bench.trained(LOSSES["squared error"].name),
    )  # fmt: skip


def _bytes(bench: Bench, fitted: PCA) -> None:
    encoder, decoder = bench.network(SIXTEEN.name)[0]
    seen, codes = predict(encoder, bench.train), predict(encoder, bench.test)
    span = seen.min(axis=0), seen.max(axis=0)
    table = {"PNG": {"bytes": np.mean([png_bytes(image) for image in bench.test])}}
    for quality in QUALITIES:
        size, again = jpeg(bench.test, quality)
        table[f"JPEG, quality {quality}"] = {"bytes": size, **bench.score(again)}
    for bits in BITS:
        again = predict(decoder, codes if bits == 32 else rounded(codes, bits, *span))
        table[f"16 numbers of {bits} bits"] = {"bytes": 2.0 * bits, **bench.score(again)}
    seen, codes = (fitted.transform(flat(images)) for images in (bench.train, bench.test))
    codes = rounded(codes, 8, seen.min(axis=0), seen.max(axis=0))
    again = np.clip(fitted.inverse_transform(codes), 0, 1).astype(np.float32).reshape(bench.test.shape)
    table["16 numbers of PCA, 8 bits"] = {"bytes": 16.0, **bench.score(again)}
    rows = {name: table[name] for name in ("16 numbers of 8 bits", "JPEG, quality 10")}
    bench.record(
        "codes_bytes", task="bytes for a garment", metrics={"a garment": table},
        measured="; ".join(f"{name}: {r['bytes']:.0f} bytes, {r['PSNR (dB)']:.1f} dB" for name, r in rows.items()),
        trained=bench.trained(SIXTEEN.name),
    )  # fmt: skip


def _better(bench: Bench) -> None:
    some = bench.test[: bench.mapped]
    table, refined = {}, {}
    for kind, recipe in BETTER.items():
        encoder, decoder = bench.network(recipe.name)[0]
        rebuilt = bench.rebuilt(recipe)
        parameters = encoder.count_params() + decoder.count_params()
        table[kind] = {"parameters": parameters, **bench.score(rebuilt)}
        refined[kind] = bench.score(rebuilt[: len(some)])
        codes = refine(decoder, predict(encoder, some), some, steps=bench.preset.pick(smoke=2, quick=20, full=20))
        refined[f"{kind}, codes refined"] = bench.score(predict(decoder, codes))
    first, last = (table[kind]["PSNR (dB)"] for kind in (list(BETTER)[0], list(BETTER)[-1]))
    gain = refined["as it is, codes refined"]["PSNR (dB)"] - refined["as it is"]["PSNR (dB)"]
    bench.record(
        "codes_16_better", task="a code of 16 numbers that carries more",
        measured=f"PSNR {first:.2f} dB; with schedule, ln(MSE) and the residual network {last:.2f} dB; "
        f"codes refined, of the first {len(some):,} garments: {gain:+.2f} dB",
        metrics={"test garments": table, f"the first {len(some):,}": refined},
        trained=bench.trained(SIXTEEN.name),
    )  # fmt: skip


def _ablation(bench: Bench) -> None:
    table = {}
    for kind, recipe in ABLATION.items():
        found = [bench.score(bench.rebuilt(seed)) for seed in seeds(recipe)]
        each = " / ".join(f"{score['PSNR (dB)']:.2f}" for score in found)
        parameters = recipe.network()[2].count_params()
        table[kind] = {"parameters": parameters, **_mean(found), "PSNR of each seed (dB)": each}
    first = table["as it is"]["PSNR (dB)"]
    gains = [f"{kind} {row['PSNR (dB)'] - first:+.2f} dB" for kind, row in table.items() if kind != "as it is"]
    bench.record(
        "codes_16_alone", task="what makes sixteen numbers carry more: one change at a time",
        measured=", ".join(gains), metrics={"test garments": table}, trained=SHORT,
    )  # fmt: skip


def _sizes(bench: Bench, fitted: dict[int, PCA]) -> None:
    by_size: dict = {"autoencoder": {}, "PCA": {}}
    each: dict = {}
    for size, recipe in BY_SIZE.items():
        found = []
        for seed in seeds(recipe):
            found.append(bench.score(bench.rebuilt(seed)) | bench.judged_code(bench.network(seed.name)[0][0]))
        by_size["autoencoder"][size] = _mean(found)
        each[size] = {key: " / ".join(f"{one[key]:.4g}" for one in found) for key in ("MSE", *PROBES)}
        codes = (fitted[size].transform(flat(images)) for images in (bench.train[bench.judged], bench.test))
        by_size["PCA"][size] = (
            bench.score(baselines.pca_reconstruction(fitted[size], bench.test))
            | {"MSE, unclipped": metrics.mse(bench.test, _unclipped(fitted[size], bench.test)).mean()}
            | bench.judge(*codes)
        )
    pixels = {"784 pixels": bench.judge(flat(bench.train), flat(bench.test))}
    networks = {"small convolutional, 7x7x4": SMALL, "16 numbers, 20 epochs": SIXTEEN}
    published = {
        kind: bench.score(bench.rebuilt(recipe)) | bench.judged_code(bench.network(recipe.name)[0][0])
        for kind, recipe in networks.items()
    }

    def against(measure: str, size: int = 16) -> str:
        return " against ".join(f"{by_size[kind][size][measure]:.1f}" for kind in ("autoencoder", "PCA"))

    bench.record(
        "codes_against_pca", row="R6", task="codes against PCA of the same size",
        published="the code projects better (not measured)",
        measured=f"16 numbers, autoencoder against PCA: PSNR {against('PSNR (dB)')} dB, "
        f"linear probe {against('linear probe (%)')}%, 5 neighbours {against('5 neighbours (%)')}%",
        metrics={"by size": by_size, "autoencoder, each seed": each, "others": published | pixels},
        trained=SHORT,
    )  # fmt: skip


def _detection(bench: Bench, fitted: dict[int, PCA]) -> None:
    dark = [-images.mean(axis=(1, 2, 3)) for images in (bench.test, bench.digits)]
    by_size: dict = {"autoencoder": {}, "PCA": {}}
    each: dict = {}
    for size, recipe in BY_SIZE.items():
        found = [bench.detection(partial(bench.rebuilt, seed)) for seed in seeds(recipe)]
        by_size["autoencoder"][size] = _mean(found)
        each[size] = {key: " / ".join(f"{one[key]:.3f}" for one in found) for key in found[0]}
        by_size["PCA"][size] = bench.detection(partial(baselines.pca_reconstruction, fitted[size]))
    others = {"how dark it is": {BY_ITSELF: area(*dark)}}
    networks = {"small convolutional, 7x7x4": SMALL, "16 numbers, 20 epochs": SIXTEEN}
    others |= {kind: bench.detection(partial(bench.rebuilt, recipe)) for kind, recipe in networks.items()}
    best = {kind: max(sizes, key=lambda size: sizes[size][BY_ITSELF]) for kind, sizes in by_size.items()}
    bench.record(
        "codes_detection", task="digits among garments, found by the error of their reconstruction",
        measured="area under the ROC curve, best size: "
        + "; ".join(f"{kind} {by_size[kind][size][BY_ITSELF]:.2f} with {size} numbers" for kind, size in best.items()),
        metrics={"by size": by_size, "autoencoder, each seed": each, "others": others},
        trained=SHORT, sets=["fashion_mnist", "mnist"],
    )  # fmt: skip


SHORT = {"epochs": BY_SIZE[16].epochs, "images": BY_SIZE[16].images, "seeds": 3}
PROBES = ("linear probe (%)", "5 neighbours (%)")
BY_SEED = (
    "One network for each size and seed: the strided autoencoder, 20,000 garments, 4 epochs, the learning rate "
    "falling along a cosine; PCA is fitted to the same garments. A network's pictures lie between 0 and 1 because "
    "it ends in a sigmoid, so PCA's are cut off there too."
)
AREA = (
    "10,000 test garments and 10,000 test digits, ranked by the squared error of their reconstruction; the networks "
    "have seen garments only. Area under the ROC curve: the chance that a digit ranks above a garment. The share "
    "divides the error by the variance of the picture's pixels, which is larger in garments than in digits."
)
NOTES: dict[str, list[str]] = {
    "codes_small_conv": [
        "PCA is fitted to 20,000 garments, the autoencoder to 55,000. A thumbnail is the mean of each 2x2 square, "
        "enlarged bilinearly. Unclipped: what PCA gives before it is cut off at 0 and 1.",
    ],
    "codes_dense": [
        "55,000 digits to train on; the page trains on 60,000 and watches the 10,000 test digits.",
    ],
    "codes_dense_seeds": ["The same recipe with three seeds; seed 0 is the published one."],
    "codes_conv": ["The code has 1,568 numbers, twice as many as the picture: it shortens nothing."],
    "codes_losses": ["5 epochs each, one seed: differences under 0.3 dB say nothing."],
    "codes_bytes": [
        "A code's numbers are rounded to equal steps between the smallest and the largest value of each on training "
        "garments. JPEG: all test garments in one file, each continued to 32x32 pixels; its bytes divided by their "
        "number. PNG: one file a garment, which keeps every pixel. What a decoder costs is not counted: 435,972 "
        "bytes of weights, once.",
    ],
    "codes_16_better": [
        "20 epochs each, one seed. The schedule and the loss are one change each; the residual network changed more "
        "at once: depth, parameters (348,465 for 178,001), activation (SiLU), batches of 16 for 32 and so twice "
        'the steps, a lower rate, gradients cut to length 1. What depth alone does stands under "one change at a '
        'time".',
        "Refined codes: 20 steps of gradient descent on the codes, with Adam, through the decoder as it is; the "
        "squared error for all of them.",
        "About fifteen shapes of network were tried on validation garments before this one, up to 4 epochs each.",
    ],
    "codes_16_alone": [
        "20,000 garments, 4 epochs, batches of 32, three seeds; each line differs from the first in one thing. The "
        "deeper network has a residual block at every scale and fewer filters, so as many parameters within 5%.",
    ],
    "codes_against_pca": [
        BY_SEED,
        "Linear probe and neighbours are fitted to the codes of 10,000 training garments and asked about the test "
        "garments. Trustworthiness (Venna and Kaski 2001), of the first 2,000: are neighbours in the code "
        "neighbours as pictures? 1 is best, 0.5 is chance.",
    ],
    "codes_detection": [BY_SEED, AREA],
}
