"""The published models: all that `TRAIN = False` needs is there, opens with plain Keras, and does what was recorded."""

import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from real_images import real

from helpers import baselines, colors, corruptions, metrics, models, records, weights
from helpers.pairs import to_float

PROJECT = Path(__file__).resolve().parent.parent
DENOISING = PROJECT / "notebooks" / "02_mnist_denoising.ipynb"
REDUCTION = PROJECT / "notebooks" / "01_fashion_mnist_dimensionality_reduction.ipynb"
COLORIZATION = PROJECT / "notebooks" / "03_cifar10_colorization.ipynb"
RESTORATION = PROJECT / "notebooks" / "04_face_restoration.ipynb"
LATENT = PROJECT / "notebooks" / "05_latent_space_explorer.ipynb"
SEED = 0  # the notebooks'


def names_in(notebook: Path) -> list[str]:
    """The models that a notebook trains: names like "denoise_uniform" in its code, the rows' own names apart."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    rows = {path.stem for path in records.FOLDER.glob("*.json")}
    return sorted(set(re.findall(r'"((?:r|b)\d\d_\w+)"', code)) - rows)


def check_history(name: str) -> None:
    history = weights.history(name)
    second = history.get("second", [])  # another loss: not on one curve with the first stage's
    assert len(history["loss"]) == len(history["val_loss"]) >= 1
    assert len(second) == len(history.get("val_second", []))
    assert len(history["seconds"]) == len(history["loss"]) + len(second)


@pytest.mark.parametrize("name", names_in(DENOISING))
def test_every_denoiser_is_published_with_its_history(name):
    network = weights.load(name)
    noisy = np.random.default_rng(0).random((2, 28, 28, 1), dtype=np.float32)
    restored = network.predict(noisy, verbose=0)
    assert restored.shape == noisy.shape
    assert 0 <= restored.min() <= restored.max() <= 1
    check_history(name)


@pytest.mark.parametrize("name", names_in(REDUCTION))
def test_both_halves_of_every_autoencoder_are_published_with_their_history(name):
    encoder, decoder = (weights.load(f"{name}_{half}") for half in ("encoder", "decoder"))
    clean = np.random.default_rng(0).random((2, 28, 28, 1), dtype=np.float32)
    code = encoder.predict(clean, verbose=0)
    reconstruction = decoder.predict(code, verbose=0)
    assert code.size < clean.size or name.startswith("r04")  # R4's code is longer than its input
    assert reconstruction.shape == clean.shape
    assert 0 <= reconstruction.min() <= reconstruction.max() <= 1
    check_history(f"{name}_encoder")
    check_history(f"{name}_decoder")


@pytest.mark.parametrize("name", sorted({*names_in(COLORIZATION)} - {"colorize_bins"}))
def test_every_colour_network_is_published_with_its_history(name):
    network = weights.load(name)
    gray = np.random.default_rng(0).random((2, 32, 32, 1), dtype=np.float32)
    shapes = {"colorize_autoencoder": (32, 32, 3)} | dict.fromkeys(("colorize_unet", "colorize_unet_first"), (32, 32, 2))
    bins = len(np.load(weights.FOLDER / "colorize_bins.npz")["values"])
    assert network.predict(gray, verbose=0).shape[1:] == shapes.get(name, (16, 16, bins))
    check_history(name)


@pytest.mark.parametrize("name", sorted({*names_in(RESTORATION)} - {"r14_line", "r14_line_drawn"}))  # its recipe only
def test_every_restoration_network_is_published_with_its_history(name):
    network = weights.load(name)
    photos, mask = np.random.default_rng(0).random((2, 128, 128, 3), dtype=np.float32), np.zeros((2, 128, 128, 1))
    restored = network.predict([photos, mask] if len(network.inputs) == 2 else photos, verbose=0)
    assert restored.shape == photos.shape
    assert 0 <= restored.min() <= restored.max() <= 1
    check_history(name)


@pytest.fixture(scope="module")
def test_digits():
    return to_float(real("mnist").test)


@pytest.fixture(scope="module")
def test_garments():
    return to_float(real("fashion_mnist").test)


def measured(name: str, digits: np.ndarray, noise) -> dict[str, float]:
    noisy = noise(digits, np.random.default_rng(SEED))
    restored = weights.load(name).predict(noisy, batch_size=500, verbose=0)
    return {"BCE": metrics.bce(digits, restored).mean(), "PSNR (dB)": metrics.psnr(digits, restored).mean()}


def recorded(row: str) -> dict:
    return records.load(row)["metrics"]


R9_NOISE = partial(corruptions.gaussian, mean=0.5, std=0.5)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("row", "name", "noise"),
    [("r08", "denoise_uniform", corruptions.uniform_mix), ("r09", "denoise_gaussian_16", R9_NOISE)],
)
def test_a_published_model_does_what_is_recorded(test_digits, row, name, noise):
    now, then = measured(name, test_digits, noise), recorded(row)
    assert now["BCE"] == pytest.approx(then["BCE"], abs=2e-4)
    assert now["PSNR (dB)"] == pytest.approx(then["PSNR (dB)"], abs=0.02)


@pytest.mark.realdata
def test_the_better_model_reaches_the_published_figure_and_beats_r8(test_digits):
    first = measured("denoise_unet_first", test_digits, corruptions.uniform_mix)
    better = measured("denoise_unet", test_digits, corruptions.uniform_mix)
    r8 = measured("denoise_uniform", test_digits, corruptions.uniform_mix)
    assert len(weights.history("denoise_unet_first")["loss"]) <= 12
    assert first["BCE"] <= min(0.0739, r8["BCE"])  # the chapter's figure after 100 epochs
    assert better["PSNR (dB)"] >= r8["PSNR (dB)"] + 1
    assert better["PSNR (dB)"] == pytest.approx(recorded("b02")["R8's noise"]["PSNR (dB)"], abs=0.02)


@pytest.mark.realdata
@pytest.mark.parametrize("sigma", [0.25, 0.5, 0.75, 1.0])
def test_the_better_model_beats_r9_at_every_sigma(test_digits, sigma):
    noise = partial(corruptions.gaussian, mean=0.5, std=sigma)
    better, r9 = (measured(name, test_digits, noise) for name in ("denoise_unet", "denoise_gaussian_16"))
    assert better["PSNR (dB)"] > r9["PSNR (dB)"] + 0.5


def rebuilt(name: str, images: np.ndarray) -> dict[str, float]:
    code = weights.load(f"{name}_encoder").predict(images, batch_size=500, verbose=0)
    reconstruction = weights.load(f"{name}_decoder").predict(code, batch_size=500, verbose=0)
    return {
        "BCE": metrics.bce(images, reconstruction).mean(),
        "MSE": metrics.mse(images, reconstruction).mean(),
        "PSNR (dB)": metrics.psnr(images, reconstruction).mean(),
    }


@pytest.mark.realdata
def test_r1_does_what_is_recorded(test_garments):
    now, then = rebuilt("codes_small_conv", test_garments), recorded("r01")
    assert now["MSE"] == pytest.approx(then["MSE"], rel=0.005)
    assert now["PSNR (dB)"] == pytest.approx(then["PSNR (dB)"], abs=0.02)


@pytest.mark.realdata
@pytest.mark.parametrize("row", ["r02", "r03", "r04", "r05"])
def test_the_digit_rows_do_what_is_recorded(test_digits, row):
    now, then = rebuilt(f"{row}_mnist", test_digits), recorded(row)
    assert now["BCE"] == pytest.approx(then["BCE"], rel=0.005)
    assert now["PSNR (dB)"] == pytest.approx(then["PSNR (dB)"], abs=0.02)


@pytest.mark.realdata
def test_the_better_autoencoder_beats_r5_after_as_many_epochs(test_garments):
    better, r5 = rebuilt("codes_16_iterations", test_garments), rebuilt("codes_16", test_garments)
    histories = [weights.history(f"{name}_encoder") for name in ("codes_16_iterations", "codes_16")]
    assert len(histories[0]["loss"]) == len(histories[1]["loss"])
    assert better["PSNR (dB)"] >= r5["PSNR (dB)"] + 1.5
    then = recorded("b01")
    assert better["PSNR (dB)"] == pytest.approx(then["refined"]["better model"]["PSNR (dB)"], abs=0.02)
    assert r5["PSNR (dB)"] == pytest.approx(then["refined"]["R5"]["PSNR (dB)"], abs=0.02)
    assert then["refined"]["better model, codes refined"]["PSNR (dB)"] >= better["PSNR (dB)"] + 0.1


@pytest.mark.realdata
def test_further_looks_pay(test_garments):
    encoder, decoder = (weights.load(f"codes_16_iterations_{half}") for half in ("encoder", "decoder"))
    look, codes, missing, quality = encoder.get_layer("look"), 0, test_garments, []
    for _ in range(3):
        codes = codes + look.predict([test_garments, missing], batch_size=500, verbose=0)
        drawing = decoder.predict(codes, batch_size=500, verbose=0)
        missing = test_garments - drawing
        quality.append(metrics.psnr(test_garments, drawing).mean())
    assert quality[0] + 0.5 < quality[1] + 0.1 < quality[2]


def test_the_better_autoencoder_has_r5s_code_and_at_most_twice_its_parameters():
    encoder, decoder = (weights.load(f"codes_16_iterations_{half}") for half in ("encoder", "decoder"))
    assert encoder.output_shape == decoder.input_shape == (None, 16)
    assert encoder.count_params() <= 2 * 178_001  # the decoder is part of it


@pytest.fixture(scope="module")
def colored():
    """(truth, class labels, {network: colour pictures}) of the 10,000 test photos."""
    cifar = real("cifar10")
    truth = to_float(cifar.test)
    gray = corruptions.grayscale(truth)
    r13, unet = (
        partial(weights.load(name).predict, batch_size=250, verbose=0) for name in ("colorize_autoencoder", "colorize_unet")
    )
    pictures = {"gray copy": baselines.gray_copy(gray), "R13": r13(gray)}
    pictures["chroma U-Net"] = colors.with_chroma(gray, models.ask_twice(unet, gray))
    return truth, cifar.test_labels, pictures


@pytest.mark.realdata
def test_the_colour_networks_do_what_is_recorded(colored):
    truth, _, pictures = colored
    for row, name in (("r13", "gray copy"), ("r13", "R13"), ("b03", "chroma U-Net")):
        then = recorded(row)[name]
        assert metrics.mse(truth, pictures[name]).mean() == pytest.approx(then["MSE"], rel=0.01), name
        assert metrics.ssim(truth, pictures[name]).mean() == pytest.approx(then["SSIM"], abs=0.002), name
        assert metrics.colorfulness(pictures[name]).mean() == pytest.approx(then["colourfulness"], rel=0.01), name


@pytest.mark.realdata
def test_the_chroma_unet_beats_the_gray_copy_and_r13_on_every_class(colored):
    truth, labels, pictures = colored
    errors = {name: metrics.mse(truth, images) for name, images in pictures.items()}
    for label in range(10):
        mean = {name: error[labels == label].mean() for name, error in errors.items()}
        assert mean["chroma U-Net"] < 0.95 * min(mean["gray copy"], mean["R13"]), label
    assert errors["chroma U-Net"].mean() <= 0.0045


def test_the_chroma_unet_is_smaller_and_was_trained_faster_than_r13():
    r13, unet = weights.load("colorize_autoencoder"), weights.load("colorize_unet")
    assert unet.count_params() < r13.count_params()
    first, second, whole = (
        sum(weights.history(name)["seconds"]) for name in ("colorize_unet_first", "colorize_unet", "colorize_autoencoder")
    )
    assert first + second < whole


@pytest.fixture(scope="module")
def restored():
    """{damage: {method: hole PSNR in dB}} of the 600 test photos that notebook 04 measures on."""
    clean = to_float(real("faces").test[:600])
    r15, unet = weights.load("restore_box"), weights.load("restore_unet")
    found = {}
    for kind, damage in (("box", corruptions.black_box), ("line", corruptions.black_line)):
        damaged, mask = damage(clean, np.random.default_rng(SEED))
        filled = baselines.biharmonic_fill(damaged, mask)
        twice = models.ask_twice(lambda *pair: unet.predict(list(pair), batch_size=20, verbose=0), filled, mask)
        pictures = {"biharmonic": filled, "U-Net": twice}
        if kind == "box":
            pictures["R15"] = r15.predict(damaged, batch_size=20, verbose=0)
        found[kind] = {name: metrics.psnr(clean, images, mask).mean() for name, images in pictures.items()}
    return found


@pytest.mark.realdata
@pytest.mark.parametrize("kind", ["box", "line"])
def test_the_restoration_networks_do_what_is_recorded(restored, kind):
    then = recorded("b04")[kind]
    for name, value in restored[kind].items():
        assert value == pytest.approx(then[name]["hole PSNR (dB)"], abs=0.05), name


@pytest.mark.realdata
def test_the_restoration_unet_beats_biharmonic_inpainting_and_r15(restored):
    box, line = restored["box"], restored["line"]
    assert box["U-Net"] > box["biharmonic"] + 2.9
    assert box["U-Net"] > box["R15"] + 2.5
    assert line["U-Net"] >= line["biharmonic"]


MAPS = {
    ("mnist", "R17"): "r17",
    ("fashion_mnist", "R17"): "map_autoencoder_fashion",
    ("mnist", "its network alone"): "map_plain",
    ("mnist", "VAE, beta 0.25"): "map_vae",
    ("mnist", "VAE, beta 1"): "map_vae_beta_1",
    ("mnist", "VAE, beta 4"): "map_vae_beta_4",
    ("fashion_mnist", "VAE, beta 0.25"): "map_vae_fashion",
}


def test_the_maps_are_those_that_the_notebook_names():
    assert set(names_in(LATENT)) <= set(MAPS.values())


@pytest.mark.parametrize("name", MAPS.values())
def test_both_halves_of_every_map_are_published_with_their_history(name):
    encoder, decoder = (weights.load(f"{name}_{half}") for half in ("encoder", "decoder"))
    clean = np.random.default_rng(0).random((2, 28, 28, 1), dtype=np.float32)
    assert encoder.predict(clean, verbose=0).shape == (2, 2)
    pictures = decoder.predict(np.zeros((2, 2), np.float32), verbose=0)
    assert pictures.shape == clean.shape
    assert 0 <= pictures.min() <= pictures.max() <= 1
    check_history(f"{name}_encoder")
    check_history(f"{name}_decoder")


@pytest.mark.parametrize("name", ["reader_mnist", "reader_fashion"])
def test_the_readers_of_the_maps_are_published_with_their_history(name):
    probabilities = weights.load(name).predict(np.zeros((2, 28, 28, 1), np.float32), verbose=0)
    np.testing.assert_allclose(probabilities.sum(axis=1), [1, 1], atol=1e-5)
    assert probabilities.shape == (2, 10)
    check_history(name)


def coverage(data: str, name: str, side: int = 60) -> float:
    """Share of the cells of [-4, 4] x [-4, 4] that the set's reader is 90 % sure of, in percent."""
    line = np.linspace(-4, 4, side, dtype=np.float32) * (1 - 1 / side)  # the middles of the cells
    places = np.stack([axis.ravel() for axis in np.meshgrid(line, line)], axis=-1)
    pictures = weights.load(f"{name}_decoder").predict(places, batch_size=500, verbose=0)
    probabilities = weights.load(f"b05_classifier_{data}").predict(pictures, batch_size=500, verbose=0)
    return 100 * (probabilities.max(axis=1) >= 0.9).mean()


@pytest.mark.realdata
@pytest.mark.parametrize(("data", "map_name"), MAPS, ids=MAPS.values())
def test_a_published_map_does_what_is_recorded(data, map_name):
    name, then = MAPS[data, map_name], recorded("b05")[f"{data}, {map_name}"]
    images = to_float(real(data).test)
    encoder, decoder = (weights.load(f"{name}_{half}") for half in ("encoder", "decoder"))
    rebuilt = decoder.predict(encoder.predict(images, batch_size=500, verbose=0), batch_size=500, verbose=0)
    assert metrics.psnr(images, rebuilt).mean() == pytest.approx(then["PSNR (dB)"], abs=0.02)
    assert coverage(data, name) == pytest.approx(then["coverage (%)"], abs=0.3)


@pytest.mark.realdata
def test_r17_is_recorded_once():
    assert recorded("r17") == recorded("b05")["mnist, R17"]


@pytest.mark.parametrize("data", ["mnist", "fashion_mnist"])
def test_the_vae_covers_one_and_a_half_times_as_much_as_r17(data):
    better, r17 = (coverage(data, MAPS[data, name]) for name in ("VAE, beta 0.25", "R17"))
    assert better >= 1.5 * r17
