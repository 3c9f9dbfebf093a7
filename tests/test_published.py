"""The published models: all that `TRAIN = False` needs is there, opens with plain Keras, and does what was recorded."""

import json
import os
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from helpers import corruptions, datasets, metrics, weights
from helpers.pairs import to_float
from helpers.results import FOLDER as RESULTS

PROJECT = Path(__file__).resolve().parent.parent
NOTEBOOK = PROJECT / "notebooks" / "02_mnist_denoising.ipynb"
SEED = 0  # the notebook's


def names_in_the_notebook() -> list[str]:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return sorted(set(re.findall(r'"((?:r|b)\d\d_\w+)"', code)) - {"r18_denoising"})  # that is a row's name


@pytest.mark.parametrize("name", names_in_the_notebook())
def test_every_model_that_the_notebook_trains_is_published_with_its_history(name):
    network = weights.load(name)
    noisy = np.random.default_rng(0).random((2, 28, 28, 1), dtype=np.float32)
    restored = network.predict(noisy, verbose=0)
    assert restored.shape == noisy.shape
    assert 0 <= restored.min() <= restored.max() <= 1
    history = weights.history(name)
    assert len(history["loss"]) == len(history["val_loss"]) == len(history["seconds"]) >= 1


@pytest.fixture(scope="module")
def test_digits():
    if not os.environ.get("AUTOENCODER_DATA"):
        pytest.skip("real MNIST is not here: point AUTOENCODER_DATA at it")
    mnist = datasets.load("mnist")
    if mnist.is_sample:
        pytest.skip("real MNIST is not here: point AUTOENCODER_DATA at it")
    return to_float(mnist.test)


def measured(name: str, digits: np.ndarray, noise) -> dict[str, float]:
    noisy = noise(digits, np.random.default_rng(SEED))
    restored = weights.load(name).predict(noisy, batch_size=500, verbose=0)
    return {"BCE": metrics.bce(digits, restored).mean(), "PSNR (dB)": metrics.psnr(digits, restored).mean()}


def recorded(row: str) -> dict:
    return json.loads((RESULTS / f"{row}.json").read_text(encoding="utf-8"))["metrics"]


R9_NOISE = partial(corruptions.gaussian, mean=0.5, std=0.5)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("row", "name", "noise"),
    [("r08", "r08_denoise_uniform", corruptions.uniform_mix), ("r09", "r09_denoise_gaussian", R9_NOISE)],
)
def test_a_published_model_does_what_is_recorded(test_digits, row, name, noise):
    now, then = measured(name, test_digits, noise), recorded(row)
    assert now["BCE"] == pytest.approx(then["BCE"], abs=2e-4)
    assert now["PSNR (dB)"] == pytest.approx(then["PSNR (dB)"], abs=0.02)


@pytest.mark.realdata
def test_the_better_model_reaches_the_published_figure_and_beats_r8(test_digits):
    first = measured("b02_denoise_unet_first", test_digits, corruptions.uniform_mix)
    better = measured("b02_denoise_unet", test_digits, corruptions.uniform_mix)
    r8 = measured("r08_denoise_uniform", test_digits, corruptions.uniform_mix)
    assert len(weights.history("b02_denoise_unet_first")["loss"]) <= 12
    assert first["BCE"] <= min(0.0739, r8["BCE"])  # the chapter's figure after 100 epochs
    assert better["PSNR (dB)"] > r8["PSNR (dB)"]
    assert better["PSNR (dB)"] == pytest.approx(recorded("b02")["R8's noise"]["PSNR (dB)"], abs=0.02)


@pytest.mark.realdata
@pytest.mark.parametrize("sigma", [0.25, 0.5, 0.75, 1.0])
def test_the_better_model_beats_r9_at_every_sigma(test_digits, sigma):
    noise = partial(corruptions.gaussian, mean=0.5, std=sigma)
    better, r9 = (measured(name, test_digits, noise) for name in ("b02_denoise_unet", "r09_denoise_gaussian"))
    assert better["PSNR (dB)"] > r9["PSNR (dB)"] + 0.5
