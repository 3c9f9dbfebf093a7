"""The published models: all that the lessons open is there, opens with plain Keras, and does what was recorded."""

import functools
import json
import re

import keras
import numpy as np
import pytest
from real_images import real

from helpers import baselines, colors, corruptions, metrics, models, records, weights
from helpers.lab import codes, denoising, faces, maps
from helpers.lab.presets import Preset
from helpers.pairs import to_float
from helpers.plumbing.files import PROJECT

SEED = 0  # the lab's and the notebooks'
DIGIT, PHOTO, FACE = (28, 28, 1), (32, 32, 1), (128, 128, 3)
BINS = 259  # of colour, in a quarter of the places


def halves(prefix: str, code: tuple, *names: str) -> dict[str, tuple]:
    """{network: (shape of what it takes, shape of what it gives)} of autoencoders with codes of this shape."""
    encoders = {f"{prefix}_{name}_encoder": (DIGIT, code) for name in names}
    return encoders | {f"{prefix}_{name}_decoder": (code, DIGIT) for name in names}


NETWORKS = (
    dict.fromkeys((name for name, recipe in denoising.RECIPES.items() if recipe.published), (DIGIT, DIGIT))
    | halves("codes", (7, 7, 4), "small_conv")
    | halves("codes", (32,), "dense", "deep_dense")
    | halves("codes", (7, 7, 32), "conv")  # longer than its input
    | halves("codes", (16,), "16", "16_digits", "16_schedule", "16_log_mse", "16_deep")
    | halves("codes", (16,), "16_short", "16_short_bce", "16_short_ssim")
    | {"colorize_autoencoder": (PHOTO, (32, 32, 3)), "colorize_classes": (PHOTO, (16, 16, BINS))}
    | dict.fromkeys(("colorize_unet_first", "colorize_unet"), (PHOTO, (32, 32, 2)))
    | dict.fromkeys(("restore_box", "restore_unet", "restore_bold"), (FACE, FACE))
    | halves("map", (2,), "autoencoder", "autoencoder_fashion", "plain", "plain_fashion")
    | halves("map", (2,), "vae", "vae_fashion", "vae_beta_0", "vae_beta_0_25", "vae_beta_4")
    | dict.fromkeys(("reader_mnist", "reader_fashion"), (DIGIT, (10,)))
    | {"reader_cifar10": ((32, 32, 3), (10,))}
)
PICTURES = (DIGIT, (32, 32, 3), FACE)


@pytest.mark.parametrize("name", NETWORKS)
def test_plain_keras_opens_every_network_and_its_history_is_there(name):
    network, (takes, gives) = keras.models.load_model(weights.FOLDER / f"{name}.keras"), NETWORKS[name]
    assert getattr(network, "optimizer", None) is None
    given = [np.random.default_rng(0).random((2, *takes), dtype=np.float32)]
    if name in ("restore_unet", "restore_bold"):
        given.append(np.zeros((2, 128, 128, 1), np.float32))  # the mask
    answer = network(given)
    if isinstance(answer, list):  # of a VAE: mean and logarithm of the variance
        assert name.startswith("map_vae") and np.isfinite(answer[1]).all() and answer[1].shape == (2, *gives)
        answer = answer[0]
    answer = np.asarray(answer)
    assert answer.shape == (2, *gives)
    assert np.isfinite(answer).all()
    if gives in PICTURES:
        assert 0 <= answer.min() <= answer.max() <= 1
    if name.startswith("reader"):
        np.testing.assert_allclose(answer.sum(axis=1), [1, 1], atol=1e-5)
    history = weights.history(name)
    assert len(history["loss"]) == len(history["val_loss"]) == len(history["seconds"]) >= 1


def test_nothing_else_is_published():
    assert {path.stem for path in weights.FOLDER.glob("*.keras")} == set(NETWORKS)


def test_what_the_notebooks_name_is_published_or_measured():
    known = {*NETWORKS, *(re.sub("_(en|de)coder$", "", name) for name in NETWORKS)}
    known |= {path.stem for path in records.FOLDER.glob("*.json")}
    named = set()
    for path in sorted(PROJECT.glob("notebooks/*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                source = "".join(cell["source"])
                named |= set(re.findall(r'"((?:codes|denoise|colorize|restore|map|reader)_\w+)"', source))
    assert len(named) > 20 and named <= known


def test_the_colour_unet_is_not_larger_than_what_it_is_compared_with():
    parameters = {name: weights.load(name).count_params() for name in ("colorize_unet", "colorize_autoencoder")}
    assert parameters["colorize_unet"] < parameters["colorize_autoencoder"]
    seconds = {name: sum(weights.history(name)["seconds"]) for name in NETWORKS if name.startswith("colorize")}
    assert seconds["colorize_unet_first"] + seconds["colorize_unet"] < seconds["colorize_autoencoder"]


def recorded(name: str) -> dict:
    return records.load(name)["metrics"]


def answers(name: str, images: np.ndarray, batch_size: int = 500) -> np.ndarray:
    return weights.load(name).predict(images, batch_size=batch_size, verbose=0)


def rebuilt(name: str, images: np.ndarray) -> np.ndarray:
    return answers(f"{name}_decoder", answers(f"{name}_encoder", images))


def score(clean: np.ndarray, images: np.ndarray) -> dict[str, float]:
    measures = {"BCE": metrics.bce, "MSE": metrics.mse, "PSNR (dB)": metrics.psnr}
    return {name: float(measure(clean, images).mean()) for name, measure in measures.items()}


def check(now: dict, then: dict) -> None:
    """Every measure that is in both is the same."""
    close = {"BCE": {"rel": 0.003}, "MSE": {"rel": 0.005}, "PSNR (dB)": {"abs": 0.02}}
    assert now.keys() & then.keys() & close.keys() >= {"PSNR (dB)"}
    for name in now.keys() & then.keys() & close.keys():
        assert now[name] == pytest.approx(then[name], **close[name]), name


@pytest.fixture(scope="module")
def digits():
    return to_float(real("mnist").test)


@pytest.fixture(scope="module")
def garments():
    return to_float(real("fashion_mnist").test)


@pytest.fixture(scope="module")
def denoised(digits):
    """A function that gives the score of a denoiser under a noise, on all test digits."""

    def call(name: str, noise) -> dict[str, float]:
        return score(digits, answers(name, noise(digits, np.random.default_rng(SEED))))

    return call


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "noise"),
    {
        "denoise_uniform": denoising.UNIFORM,
        "denoise_gaussian_16": denoising.SHIFTED,
        "denoise_half": denoising.HALF,
        "denoise_extreme": denoising.EXTREME,
    }.items(),
)
def test_a_denoiser_does_what_is_recorded(denoised, name, noise):
    check(denoised(name, noise), recorded(name)["test digits"])


@pytest.mark.realdata
def test_the_unet_does_what_is_recorded_and_beats_the_autoencoder_and_the_chapter(denoised):
    now, autoencoder = denoised("denoise_unet", denoising.UNIFORM), recorded("denoise_uniform")["test digits"]
    check(now, recorded("denoise_unet")["test digits"])
    assert now["PSNR (dB)"] >= autoencoder["PSNR (dB)"] + 1
    assert now["BCE"] <= min(0.0739, autoencoder["BCE"])  # the chapter's figure after 100 epochs


@pytest.mark.realdata
@pytest.mark.parametrize("sigma", denoising.SIGMAS)
def test_the_unet_beats_the_code_of_16_numbers_at_every_sigma(denoised, sigma):
    noise = functools.partial(corruptions.gaussian, mean=0.5, std=sigma)
    unet, sixteen = (denoised(name, noise) for name in ("denoise_unet", "denoise_gaussian_16"))
    then = recorded("denoise_robustness")[f"sigma {sigma}"]
    check(unet, then["U-Net"])
    check(sixteen, then["code of 16 numbers"])
    assert unet["PSNR (dB)"] > sixteen["PSNR (dB)"] + 0.5


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["codes_dense", "codes_deep_dense", "codes_conv", "codes_16_digits"])
def test_an_autoencoder_of_digits_does_what_is_recorded(digits, name):
    (then,) = recorded(name)["test digits"].values()
    check(score(digits, rebuilt(name, digits)), then)


@pytest.mark.realdata
def test_the_small_autoencoder_of_garments_does_what_is_recorded(garments):
    rows = recorded("codes_small_conv")["test garments, 196 numbers each"]
    check(score(garments, rebuilt("codes_small_conv", garments)), rows["small convolutional autoencoder"])
    assert rows["PCA, 196 components"]["MSE"] < rows["small convolutional autoencoder"]["MSE"] / 2


@pytest.mark.realdata
def test_sixteen_numbers_do_what_is_recorded_and_every_change_brings_a_part(garments):
    rows = recorded("codes_16_better")["test garments"]
    quality = []
    for recipe, row in zip(codes.BETTER.values(), rows.values(), strict=True):
        now = score(garments, rebuilt(recipe.name, garments))
        check(now, row)
        quality.append(now["PSNR (dB)"])
    assert quality == sorted(quality)
    assert len({len(weights.history(f"{recipe.name}_encoder")["loss"]) for recipe in codes.BETTER.values()}) == 1


@pytest.fixture(scope="module")
def colored():
    """(truth, class labels, {network: colour pictures}) of the 10,000 test photos."""
    cifar = real("cifar10")
    truth = to_float(cifar.test)
    gray = corruptions.grayscale(truth)
    pictures = {
        "gray copy": baselines.gray_copy(gray),
        "autoencoder": answers("colorize_autoencoder", gray, batch_size=250),
    }
    unet = weights.load("colorize_unet")
    twice = models.ask_twice(lambda images: unet.predict(images, batch_size=250, verbose=0), gray)
    return truth, cifar.test_labels, pictures | {"U-Net": colors.with_chroma(gray, twice)}


@pytest.mark.realdata
def test_the_colour_networks_do_what_is_recorded(colored):
    truth, labels, pictures = colored
    for title, then in recorded("colorize_autoencoder")["test photos"].items():
        if title in pictures:
            images = pictures[title]
            assert metrics.mse(truth, images).mean() == pytest.approx(then["MSE"], rel=0.01), title
            assert metrics.ssim(truth, images).mean() == pytest.approx(then["SSIM"], abs=0.002), title
            assert metrics.colorfulness(images).mean() == pytest.approx(then["colourfulness"], rel=0.01), title
            named = answers("reader_cifar10", images).argmax(axis=1)
            assert 100 * (named == labels).mean() == pytest.approx(then["recognized (%)"], abs=0.3), title
    assert 100 * (answers("reader_cifar10", truth).argmax(axis=1) == labels).mean() >= 85


@pytest.mark.realdata
def test_the_chroma_unet_beats_the_gray_copy_and_the_autoencoder_on_every_class(colored):
    truth, labels, pictures = colored
    errors = {name: metrics.mse(truth, images) for name, images in pictures.items()}
    for label in range(10):
        mean = {name: error[labels == label].mean() for name, error in errors.items()}
        assert mean["U-Net"] < 0.95 * min(mean["gray copy"], mean["autoencoder"]), label
    assert errors["U-Net"].mean() <= 0.0045


@pytest.fixture(scope="module")
def restored() -> tuple[faces.Bench, dict]:
    """The first 200 of the test photos that the lab measures on; {where: {method: (restored photos, mask)}}."""
    real("faces")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AE_PRESET", raising=False)  # which asks for synthetic images
        bench = faces.Bench(Preset("full"))
    holes = {where: (damaged[:200], mask[:200]) for where, (damaged, mask) in bench.holes().items()}
    bench.test = bench.test[:200]
    safe, bold, article = (weights.load(name) for name in ("restore_unet", "restore_bold", "restore_box"))
    found = {}
    for where, (damaged, mask) in holes.items():
        filled = baselines.biharmonic_fill(damaged, mask)
        pictures = {faces.SMOOTH: filled, faces.ARTICLE: faces.predict(article, damaged)}
        pictures[faces.UNET] = faces.predict(safe, [filled, mask])
        pictures[faces.BOLD_ONE] = faces.predict(bold, [filled, mask])
        found[where] = {name: bench.guess(images, mask, "") for name, images in pictures.items()}
    return bench, found


@pytest.mark.realdata
def test_the_restorers_do_what_is_recorded_safe_is_nearest_and_bold_has_detail(restored):
    then = recorded("restore_bold")
    for where, rows in restored[1].items():
        for name, row in rows.items():  # a third of the photos that were recorded
            assert row["hole PSNR (dB)"] == pytest.approx(then[where][name]["hole PSNR (dB)"], abs=0.5), (where, name)
            assert row["detail"] == pytest.approx(then[where][name]["detail"], abs=0.1), (where, name)
        safe, bold = rows[faces.UNET], rows[faces.BOLD_ONE]
        assert safe["hole PSNR (dB)"] > rows[faces.SMOOTH]["hole PSNR (dB)"] + 2, where
        assert safe["hole PSNR (dB)"] > bold["hole PSNR (dB)"] and bold["detail"] > 1.3 * safe["detail"], where


@pytest.fixture(scope="module")
def bench():
    for data in maps.SETS:
        real(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AE_PRESET", raising=False)  # which asks for synthetic images
        return maps.Bench(Preset("full"))


@pytest.mark.realdata
@pytest.mark.parametrize("data", maps.SETS)
def test_the_maps_that_are_compared_do_what_is_recorded(bench, data):
    then = recorded("map_comparison")[maps.SETS[data]]["own scale, each seed"]
    for kind, recipe in (maps.COMPARED[data] | {"the chapter's autoencoder": maps.CHAPTER[data]}).items():
        now = maps.quality(bench.map(recipe), bench.side)["own scale"]
        check(now, {"PSNR (dB)": then[kind]["PSNR (dB)"][0]})
        for measure in ("readable within 2 sd (%)", "readable, quantile grid (%)", "15 neighbours (%)"):
            assert now[measure] == pytest.approx(then[kind][measure][0], abs=0.3), (kind, measure)


@pytest.mark.realdata
def test_the_maps_of_every_beta_do_what_is_recorded(bench):
    then = recorded("map_beta")["loss, each seed"]
    for beta, recipe in maps.BY_BETA.items():
        if recipe.published:
            now = maps.terms(bench.map(recipe), bench.side, bench.samples)["loss"]
            assert now == pytest.approx({key: values[0] for key, values in then[f"beta {beta:g}"].items()}, rel=0.01)
