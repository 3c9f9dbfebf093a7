"""Restoring faces: the recipes of every restorer, and what is measured of them."""

import functools
from collections.abc import Callable
from functools import partial

import keras
import numpy as np
from keras import layers, ops
from scipy import ndimage, sparse
from scipy.stats import spearmanr
from skimage import data as free_photos

from .. import baselines, corruptions, datasets, metrics, models, plots, records
from ..pairs import mirrored, to_float
from ..photos import square
from ..plumbing.files import whole_file
from . import training
from .presets import Preset
from .recipes import Recipe
from .workbench import Workbench, predict

BOXES, SMALLEST, LARGEST = 3, 16, 36  # boxes a photo, pixels
CRITIC = 0.3  # the weight of the critic's opinion


@functools.cache
def _filler(side: int) -> np.ndarray:
    """What biharmonic inpainting does to a box, as a matrix: (side * side, pixels of its rim), float32.

    The rim is two pixels wide: row by row, what is left of (side + 4) x (side + 4) pixels without the box.
    """
    laplace = ndimage.laplace(np.pad([[1.0]], 4))
    stencil = ndimage.laplace(laplace)[2:7, 2:7]
    wide = side + 4
    places = np.arange(wide * wide).reshape(wide, wide)
    inner = places[2:-2, 2:-2].ravel()
    equations = sparse.lil_matrix((len(inner), wide * wide))
    for dy, dx in np.argwhere(stencil):
        equations[range(len(inner)), places[dy : dy + side, dx : dx + side].ravel()] = stencil[dy, dx]
    equations, rim = equations.tocsc(), np.setdiff1d(places, inner)
    return -sparse.linalg.spsolve(equations[:, inner], equations[:, rim]).toarray().astype(np.float32)


def three_boxes(clean: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(Photos with up to three filled boxes, mask): boxes of 16 to 36 pixels that do not touch each other or the edge.

    The filling is `baselines.biharmonic_fill`'s, thirty times as fast: to a box of given size it always does the same
    sums. clean: (N, H, W, C).
    """
    filled, mask = clean.copy(), np.zeros((*clean.shape[:3], 1), np.float32)
    height, width = clean.shape[1:3]
    for photo, hole in zip(filled, mask, strict=True):
        limits = photo.min(axis=(0, 1)), photo.max(axis=(0, 1))
        for side in rng.integers(SMALLEST, LARGEST + 1, BOXES):
            top, left = rng.integers(2, height - side - 1), rng.integers(2, width - side - 1)
            around = (slice(top - 2, top + side + 2), slice(left - 2, left + side + 2))
            if hole[around].any():
                continue
            wide = np.pad(np.ones((side, side), bool), 2)
            inside = _filler(int(side)) @ photo[around][~wide]
            photo[around][2:-2, 2:-2] = np.clip(inside, *limits).reshape(side, side, -1)
            hole[around][2:-2, 2:-2] = 1
    return filled, mask


def boxes_or_line(clean: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(Photos whose holes are filled, mask): about a quarter has a line of 1 to 8 pixels, the others three boxes."""
    filled, mask = three_boxes(clean, rng)
    lines = np.flatnonzero(rng.random(len(clean)) < 0.25)
    damaged, mask[lines] = corruptions.black_line(clean[lines], rng, thickness=(1.0, 8.0), through=(0.1, 0.9))
    if len(lines):
        filled[lines] = baselines.biharmonic_fill(damaged, mask[lines])
    return filled, mask


def root_error(clean, restored):
    """The root of each photo's mean squared error, (N,): a hard photo does not drown the others."""
    return ops.sqrt(ops.mean(ops.square(clean - restored), axis=(1, 2, 3)) + 1e-8)


def with_the_truth(clean: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(Photos whose holes are filled, mask, clean): what `adversarial` learns from."""
    return *boxes_or_line(clean, rng), clean


def critic(shape: tuple[int, int, int] = (128, 128, 3)) -> keras.Model:
    """Tells true photos from restored ones, place by place: [photo (N, H, W, C), mask] to (N, H/8, W/8, 1).

    High for true ones. A place sees 38x38 pixels, and the mirrored ones. After Isola et al. 2017 (PatchGAN).
    """
    image, mask = keras.Input(shape, name="image"), keras.Input((*shape[:2], 1), name="mask")
    x = layers.Concatenate()([image, mask])
    x = layers.Concatenate()([x, ops.flip(x, axis=2)])
    for filters in (32, 64, 128):  # 64 x 64, 32 x 32, 16 x 16
        x = layers.LeakyReLU(0.2)(layers.Conv2D(filters, 4, strides=2, padding="same")(x))
    return keras.Model([image, mask], layers.Conv2D(1, 3, padding="same")(x), name="critic")


def adversarial(weight: float, shape: tuple[int, int, int] = (128, 128, 3)) -> keras.Model:
    """The U-Net and its critic as one network, [filled, mask, clean] to its own loss, (N,).

    The critic learns to tell true photos from restored ones (hinge loss); the U-Net to keep the mean absolute error in
    the hole small and, with the weight given, to be taken for true. Both learn in the same step: what the critic says
    of the restored photo, less the same without the way back to the U-Net, is zero, and leaves the critic alone.
    """
    image, mask = keras.Input(shape, name="filled"), keras.Input((*shape[:2], 1), name="hole")
    clean = keras.Input(shape, name="clean")
    unet, judge = models.restoration_unet(shape), critic(shape)
    restored = unet([image, mask])
    places = layers.MaxPooling2D(8)(mask)  # whose middle lies in the hole

    def mean(values, where):
        return ops.sum(values * where, axis=(1, 2, 3)) / ops.sum(where, axis=(1, 2, 3))

    said, apart = judge([restored, mask]), judge([ops.stop_gradient(restored), mask])
    found_out = mean(ops.relu(1 - judge([clean, mask])) + ops.relu(1 + apart), places)
    error = mean(ops.mean(ops.abs(restored - clean), axis=-1, keepdims=True), mask)
    return keras.Model([image, mask, clean], 20 * error + found_out - weight * mean(said - apart, places))


def its_own(clean, loss):
    """The network gives its loss itself."""
    return loss


def whole_photo_autoencoder() -> keras.Model:
    """The article's network, from damaged photos to whole ones."""
    return models.photo_autoencoder()[2]


def left_black(clean: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(Damaged photos, mask): the holes of `boxes_or_line`, nothing in them."""
    mask = boxes_or_line(clean, rng)[1]
    return corruptions.cut_out(clean, mask), mask


def settings(number: int, epochs: int, optimizer: Callable, loss: str = "mse", batch_size: int = 64) -> Recipe:
    """One of the article's seven; its own name, as an optimizer says little."""
    return photos(
        name=f"restore_box_setting_{number}", network=whole_photo_autoencoder, corrupt=corruptions.black_box,
        epochs=epochs, optimizer=partial(constant, optimizer), loss=loss, batch_size=batch_size, keep_last=True,
    )  # fmt: skip


def constant(optimizer: Callable, steps: int, epochs: int) -> keras.optimizers.Optimizer:
    """An optimizer whose learning rate stays what it is."""
    return optimizer()


photos = partial(Recipe, data="faces", held_out=200, half=True)
unet = partial(
    photos, network=models.restoration_unet, corrupt=boxes_or_line, with_mask=True, augment=mirrored, batch_size=8,
    loss=root_error, optimizer=partial(training.warm_up_and_cosine, peak=1.2e-3, global_clipnorm=1.0),
)  # fmt: skip
PLAIN = [
    photos(
        name="restore_line", network=models.wide_conv_autoencoder, corrupt=corruptions.black_line, fresh=False,
        epochs=100, loss="mse", images=20, held_out=5,
    ),
    photos(
        name="restore_box", network=whole_photo_autoencoder, corrupt=corruptions.black_box, epochs=50, loss="mse",
        batch_size=64, published=True,
    ),
    unet(name="restore_unet", epochs=16, published=True),
]  # fmt: skip
against_critic = partial(
    photos, corrupt=with_the_truth, with_mask=True, augment=mirrored, batch_size=8, loss=its_own, epochs=5,
    keep_last=True, start="restore_unet", part="restoration_unet",
    optimizer=partial(training.warm_up_and_cosine, peak=2e-4, climb=0.2, beta_1=0.5),
)  # fmt: skip
BOLD = against_critic(name="restore_bold", network=partial(adversarial, CRITIC), published=True)
UNHEARD = against_critic(name="restore_bold_unheard", network=partial(adversarial, 0.0))  # the critic counts nothing
Adam, SGD, RMSprop = keras.optimizers.Adam, keras.optimizers.SGD, keras.optimizers.RMSprop
SETTINGS = {  # the article's: recipe, its final loss, its "accuracy" in percent
    "Adam 0.01": (settings(1, 15, partial(Adam, 0.01)), 0.0121, 83.92),
    "SGD 0.01": (settings(2, 15, partial(SGD, 0.01)), 0.0118, 84.33),
    "Adam 0.001": (settings(3, 15, partial(Adam, 0.001)), 0.0111, 84.75),
    "SGD 0.001": (settings(4, 15, partial(SGD, 0.001)), 0.0111, 84.69),
    "Adam 0.0001, batch 32": (settings(5, 30, partial(Adam, 0.0001), batch_size=32), 0.0125, 83.57),
    "RMSprop 0.01, BCE": (settings(6, 10, partial(RMSprop, 0.01), "binary_crossentropy"), 0.5712, 80.22),
}
short = {"epochs": 6, "images": 1_500}
TRIALS = {  # each differs from the first in one thing
    "as it is": unet(name="restore_trial", **short),
    "the hole left black": unet(name="restore_trial_black", **short | {"corrupt": left_black}),
    "without the mirrored photo": unet(
        name="restore_trial_one_side", **short | {"network": partial(models.restoration_unet, mirror=False)}
    ),
}
RECIPES = {
    recipe.name: recipe
    for recipe in [*PLAIN, BOLD, UNHEARD, *(setting[0] for setting in SETTINGS.values()), *TRIALS.values()]
}


# ---- what is measured

BOX = 28  # pixels
PLACES = {"the left eye": (23, 22), "the mouth": (50, 78)}  # left and top of such a box, in the set's photos
UNET, BOLD_ONE, UNHEARD_ONE, ARTICLE, CHAPTER, SMOOTH = (
    "safe guess", "bold guess", "five epochs more, without the critic", "article's autoencoder", "chapter's network",
    "biharmonic",
)  # fmt: skip


def boxed(clean: np.ndarray, left: int, top: int, side: int = BOX) -> tuple[np.ndarray, np.ndarray]:
    """A black box at the same place of every photo: (damaged, mask)."""
    mask = np.zeros((*clean.shape[:3], 1), np.float32)
    mask[:, top : top + side, left : left + side] = 1
    return corruptions.cut_out(clean, mask), mask


def twice(network: keras.Model, filled: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The mean of the answers to photos and to their mirror images."""
    return models.ask_twice(lambda *pair: predict(network, list(pair)), filled, mask)


def accuracy(clean: np.ndarray, restored: np.ndarray) -> float:
    """What Keras calls "accuracy" of pictures: pixels whose brightest channel is the right one, in percent."""
    return 100 * float((clean.argmax(axis=-1) == restored.argmax(axis=-1)).mean())


def eye_found(photo: np.ndarray, left: int, top: int, side: int = BOX) -> bool:
    """Whether OpenCV's detector finds an eye whose middle lies in this box of a photo (H, W, 3), enlarged four times.

    Source: Viola and Jones 2001; the detector for eyes with or without glasses. Needs opencv-python-headless below 5.
    """
    import cv2

    margin, factor = 18, 4
    y, x = max(0, top - margin), max(0, left - margin)
    part = np.rint(255 * photo[y : top + side + margin, x : left + side + margin]).astype(np.uint8)
    gray = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    large = cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    detector = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_eye_tree_eyeglasses.xml")
    for column, row, width, height in detector.detectMultiScale(large, 1.05, 4, minSize=(48, 48)):
        middle = x + (column + width / 2) / factor, y + (row + height / 2) / factor
        if left <= middle[0] < left + side and top <= middle[1] < top + side:
            return True
    return False


class Bench(Workbench):
    """The test photos and their holes."""

    def __init__(self, preset: Preset):
        super().__init__(preset, "faces", notebook="04", recipes=RECIPES, notes=NOTES)
        self.faces = self.sets["faces"]
        self.test = to_float(self.faces.test[: preset.pick(smoke=2, quick=60, full=600)])
        self.mean_face = to_float(self.faces.train[: preset.pick(smoke=20, quick=200, full=1_000)]).mean(axis=0)

    def holes(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """{where: (damaged, mask)}, the same for all methods."""
        rng = np.random.default_rng(0)
        return {"a box anywhere": corruptions.black_box(self.test, rng, size=BOX)} | {
            f"a box on {place}": boxed(self.test, *corner) for place, corner in PLACES.items()
        }

    def without_network(self, damaged: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
        return {
            "left black": damaged,
            "mean face": damaged + mask * self.mean_face,
            "nearest pixel": baselines.neighbour_fill(damaged, mask),
            SMOOTH: baselines.biharmonic_fill(damaged, mask),
        }

    def score(self, restored: np.ndarray, mask: np.ndarray) -> dict[str, float]:
        """Means over the test photos."""
        return {
            "MSE": metrics.mse(self.test, restored).mean(),
            "PSNR (dB)": metrics.psnr(self.test, restored).mean(),
            "SSIM": metrics.ssim(self.test, restored).mean(),
            "hole MSE": metrics.mse(self.test, restored, mask).mean(),
            "hole PSNR (dB)": metrics.psnr(self.test, restored, mask).mean(),
        }

    def guess(self, restored: np.ndarray, mask: np.ndarray, place: str) -> dict[str, float]:
        """How right, how detailed, and (for boxes on an eye) how recognizable what lies in the hole is."""
        energy = metrics.gradient_energy(restored, mask).sum() / metrics.gradient_energy(self.test, mask).sum()
        row = {} if restored is self.test else {"hole PSNR (dB)": metrics.psnr(self.test, restored, mask).mean()}
        row["detail"] = energy
        if "eye" in place:
            found = [eye_found(photo, *PLACES["the left eye"]) for photo in restored]
            row["eye found (%)"] = 100 * float(np.mean(found))
        return row


def measure(preset: Preset) -> None:
    """Measure all of restoration on the test photos; write data/results/restore_*.json in the `full` preset."""
    bench = Bench(preset)
    _line(bench)
    _box(bench)
    _guesses(bench)
    _overview(bench)
    _trials(bench)
    _settings(bench)


def _words(score: dict[str, float]) -> str:
    return f"PSNR {score['PSNR (dB)']:.1f} dB, in the hole {score['hole PSNR (dB)']:.1f} dB, SSIM {score['SSIM']:.2f}"


def _line(bench: Bench) -> None:
    """The chapter's network for lines beside what needs no network, and the U-Net."""
    chapter, unet = bench.network("restore_line")[0], bench.network("restore_unet")[0]
    damaged, mask = corruptions.black_line(bench.test, np.random.default_rng(0))
    pictures = {CHAPTER: predict(chapter, damaged)} | bench.without_network(damaged, mask)
    pictures[UNET] = twice(unet, pictures[SMOOTH], mask)
    scores = {name: bench.score(images, mask) for name, images in pictures.items()}
    bench.record(
        "restore_line", row="R14", task="black-line removal",
        published="error flat from about epoch 80; lines gone, results blurry",
        measured=f"{_words(scores[CHAPTER])}; biharmonic: {_words(scores[SMOOTH])}", metrics={"test photos": scores},
        trained=bench.trained("restore_line"),
    )  # fmt: skip


def _box(bench: Bench) -> None:
    """The article's autoencoder and the U-Net beside what needs no network."""
    (article, past), (unet, _) = bench.network("restore_box"), bench.network("restore_unet")
    damaged, mask = bench.holes()["a box anywhere"]
    pictures = bench.without_network(damaged, mask)
    pictures[ARTICLE] = predict(article, damaged)
    pictures[f"{UNET}, asked once"] = predict(unet, [pictures[SMOOTH], mask])
    pictures[UNET] = twice(unet, pictures[SMOOTH], mask)
    red = np.zeros_like(bench.test)
    red[..., 0] = 1
    pictures["pure red"] = red
    scores = {name: bench.score(images, mask) for name, images in pictures.items()}
    named = {name: {"accuracy (%)": accuracy(bench.test, images)} for name, images in pictures.items()}
    bench.record(
        "restore_box", row="R15", task="box inpainting", published="loss 0.0111, accuracy 85.10 %; blurry",
        measured=f"loss {past['loss'][-1]:.4f}, accuracy {named[ARTICLE]['accuracy (%)']:.1f} %; "
        + _words(scores[ARTICLE]),
        metrics={"test photos": scores, "accuracy": named}, trained=bench.trained("restore_box"),
    )  # fmt: skip
    bench.record(
        "restore_unet", task="a U-Net that corrects a filling", measured=_words(scores[UNET]),
        metrics={"test photos": {UNET: scores[UNET]}}, trained=bench.trained("restore_unet"),
    )  # fmt: skip


def _guesses(bench: Bench) -> None:
    """The safe and the bold guess beside the others, where it matters."""
    article = bench.network("restore_box")[0]
    names = {UNET: "restore_unet", UNHEARD_ONE: UNHEARD.name, BOLD_ONE: BOLD.name}
    networks = {name: bench.network(recipe)[0] for name, recipe in names.items()}
    tables = {}
    for place, (damaged, mask) in bench.holes().items():
        filled = baselines.biharmonic_fill(damaged, mask)
        painted = predict(article, damaged)
        pictures = {SMOOTH: filled, ARTICLE: painted, f"{ARTICLE}, pasted": damaged * (1 - mask) + painted * mask}
        pictures |= {name: predict(network, [filled, mask]) for name, network in networks.items()}
        pictures["truth"] = bench.test
        tables[place] = {name: bench.guess(images, mask, place) for name, images in pictures.items()}
        if "eye" in place:
            mixed = {share: (1 - share) * pictures[UNET] + share * pictures[BOLD_ONE] for share in (0.25, 0.5, 0.75)}
            rows = {f"{share:.0%} bold": bench.guess(images, mask, place) for share, images in mixed.items()}
            tables[f"between safe and bold, {place}"] = rows
    row = tables["a box on the left eye"][BOLD_ONE]
    bench.record(
        "restore_bold", task="the safe guess and the bold guess", metrics=tables,
        measured=f"on an eye {row['hole PSNR (dB)']:.1f} dB, detail {row['detail']:.2f} of the truth's, found in "
        f"{row['eye found (%)']:.0f}%",
        trained=bench.trained(BOLD.name),
    )  # fmt: skip


def _trials(bench: Bench) -> None:
    """Train what is compared; record the PSNR in the hole, and what the validation photos said after each epoch."""
    holes = bench.holes()
    places = {"box anywhere": holes["a box anywhere"], "box on an eye": holes["a box on the left eye"]}
    places["line"] = corruptions.black_line(bench.test, np.random.default_rng(0))
    filled = {place: baselines.biharmonic_fill(*hole) for place, hole in places.items()}
    rows, losses = {SMOOTH: {}}, {}
    for place, (_, mask) in places.items():
        rows[SMOOTH][f"{place} (dB)"] = metrics.psnr(bench.test, filled[place], mask).mean()
    for name, recipe in TRIALS.items():
        network, history = bench.network(recipe.name)
        rows[name] = {}
        for place, (damaged, mask) in places.items():
            given = damaged if recipe.corrupt is left_black else filled[place]
            restored = predict(network, [given, mask])
            rows[name][f"{place} (dB)"] = metrics.psnr(bench.test, restored, mask).mean()
        losses[name] = {f"epoch {epoch}": loss for epoch, loss in enumerate(history["val_loss"], start=1)}
    bench.record(
        "restore_trials", task="what the U-Net owes to what: one change at a time",
        metrics={"PSNR in the hole": rows, "root error of the validation photos": losses},
        measured="; ".join(f"{name}: {row['box anywhere (dB)']:.1f} dB" for name, row in rows.items()),
        trained={"epochs": short["epochs"], "images": short["images"]},
    )  # fmt: skip


def _settings(bench: Bench) -> None:
    """The article's seven settings, the last of them being `restore_box` itself."""
    rows = {}
    held_out = to_float(bench.faces.train[-200:])
    damaged, _ = corruptions.black_box(held_out, np.random.default_rng(1), size=BOX)
    runs = {name: (*bench.network(setting[0].name), *setting[1:]) for name, setting in SETTINGS.items()}
    runs["Adam 0.001, 50 epochs"] = (*bench.network("restore_box"), 0.0111, 85.10)
    for name, (network, history, loss, percent) in runs.items():
        painted = predict(network, damaged)
        rows[name] = {
            "epochs": len(history["loss"]), "loss, the article": loss, "loss": history["loss"][-1],
            "validation MSE": metrics.mse(held_out, painted).mean(),
            "accuracy (%), the article": percent, "accuracy (%)": accuracy(held_out, painted),
        }  # fmt: skip
    squared = [row for name, row in rows.items() if "BCE" not in name]  # the other loss has another scale
    order = spearmanr([row["loss, the article"] for row in squared], [row["loss"] for row in squared])
    bench.record(
        "restore_box_settings", row="R16", task="settings of the box inpainting",
        published="seven settings, best Adam 0.001", metrics={"4,600 photos": rows},
        measured=f"rank correlation with the published losses {order.statistic:+.2f}",
    )  # fmt: skip


def free_faces() -> np.ndarray:
    """Faces that may be shown: two crops of a portrait in the public domain, four synthetic ones, (6, 128, 128, 3).

    Cropped so that the eyes lie where the set's photos have them.
    """
    portrait = free_photos.astronaut()
    crops = [square(portrait[y : y + side, x : x + side], 128) for y, x, side in CROPS]
    crops += [square(face[38:115, 26:103], 128) for face in datasets.load("faces", sample=True).test[:4]]
    return to_float(np.stack(crops))


def _overview(bench: Bench) -> None:
    """The picture at the top of the lesson."""
    shown = free_faces()
    mask = np.concatenate([boxed(shown[:1], *spot, 30)[1] for spot in SPOTS])
    damaged = corruptions.cut_out(shown, mask)
    filled = baselines.biharmonic_fill(damaged, mask)
    rows = {
        "damaged": damaged,
        SMOOTH: filled,
        ARTICLE: predict(bench.network("restore_box")[0], damaged),
        UNET: twice(bench.network("restore_unet")[0], filled, mask),
        BOLD_ONE: predict(bench.network("restore_bold")[0], [filled, mask]),
        "truth": shown,
    }
    if bench.preset.publishes(bench.faces.is_sample):
        with whole_file(records.FOLDER / "restore_overview.png") as partial_file:
            plots.rows(rows, size=1.3).savefig(partial_file, bbox_inches="tight", dpi=80)


CROPS = ((69, 172, 108), (74, 172, 108))  # top, left and side, in pixels
SPOTS = ((22, 21), (48, 76), (74, 21), (48, 74), (48, 46), (22, 22))  # left and top of each box
NOTES = {
    "restore_line": [
        "25 photos, 20 to train and 5 to validate, each with one line for all epochs. The chapter's own are not "
        "published.",
    ],
    "restore_box": [
        "Trained on 4,600 photos of one kind, all framed alike; the article has 70,000 others, so that losses cannot "
        'be compared. "Accuracy" is what Keras counts of pictures: pixels whose brightest channel is the right one.',
    ],
    "restore_unet": [
        "Up to three boxes of 16 to 36 pixels or a line of 1 to 8 in each photo. Measured as the mean of its answers "
        'to a photo and the mirrored one; "asked once" stands under box inpainting.',
    ],
    "restore_bold": [
        "600 test photos, one answer each (no mean over a mirrored photo, which would smooth it). Detail: squared "
        "differences between neighbouring pixels in the hole, relative to the true photos'. Eye found: OpenCV's "
        "haarcascade_eye_tree_eyeglasses finds one whose middle lies in the box, in a part around it enlarged four "
        "times. A box on the left eye or the mouth lies at the same place of every photo, as all are framed alike.",
        "The bold one is the safe one, trained for five more epochs against a critic, on the mean absolute error in "
        'the hole; one training, one weight of the critic\'s opinion (0.3), set beforehand. "Critic unheard": the same '
        "five epochs with the weight 0, so that nothing differs but the critic.",
    ],
    "restore_trials": [
        "One training each: differences under 0.3 dB say nothing. Each differs from the first in one thing.",
    ],
    "restore_box_settings": [
        "The article has 70,000 photos, these are 4,600; its last setting is the network under box inpainting.",
    ],
}
