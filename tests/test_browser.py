"""The notebooks as a person meets them: JupyterLab in a browser, cells run, sliders moved, pictures uploaded.

pytest -m browser        skips without Chromium or Playwright, fails without them where REQUIRE_BROWSER=1
SCREENSHOTS=folder       keeps what was seen
"""

import re
import shutil
import statistics
from pathlib import Path

import browser_tools
import nbformat
import pytest
from PIL import Image

from helpers.plumbing.files import PROJECT

pytestmark = pytest.mark.browser

DENOISING = "02_mnist_denoising.ipynb"
REDUCTION = "01_fashion_mnist_dimensionality_reduction.ipynb"
COLORIZATION = "03_cifar10_colorization.ipynb"
RESTORATION = "04_face_restoration.ipynb"
SMALL = "small.ipynb"
SLOWEST_MS = 100  # median, key press to new picture: what feels immediate
SOURCE = """\
import numpy as np
from helpers import baselines, corruptions, datasets, metrics, pairs, widgets
import ipywidgets

digits = pairs.to_float(datasets.load("mnist", sample=True).test)

def show(digit, amount):
    clean = digits[digit : digit + 1]
    noisy = corruptions.gaussian(clean, np.random.default_rng(0), std=amount)
    tried = {"clean": clean, "noisy": noisy, "denoised": baselines.gaussian(noisy)}
    return {title: (image[0], f"{metrics.psnr(clean, image)[0]:.1f} dB") for title, image in tried.items()}

def show_photo(photo):
    return {"photo": (photo, "yours"), "negative": (255 - photo, "its negative")}

widgets.Live(show, digit=ipywidgets.IntSlider(0, 0, 40), amount=ipywidgets.FloatSlider(0.5, min=0, max=2, step=0.05))
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """(page, server): a JupyterLab on a copy of the notebooks, in the smoke preset, and a browser."""
    browser_tools.require()
    root = tmp_path_factory.mktemp("lab") / "notebooks"
    shutil.copytree(PROJECT / "notebooks", root)
    cells = [nbformat.v4.new_code_cell(source) for source in (SOURCE, "widgets.Upload(show_photo)")]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), root / SMALL)
    runs = str(tmp_path_factory.mktemp("runs"))
    with (
        browser_tools.jupyterlab(root, AE_PRESET="smoke", AUTOENCODER_RUNS=runs) as server,
        browser_tools.browser_page() as page,
    ):
        yield page, server


@pytest.fixture
def photos(tmp_path) -> dict[str, Path]:
    """Files to upload: text that calls itself a photo, and a picture with a bright cross on black."""
    text, picture = tmp_path / "holiday.jpg", tmp_path / "cross.png"
    text.write_text("These are words, not pixels.\n" * 20, encoding="utf-8")
    image = Image.new("RGB", (64, 48))
    image.paste("white", (28, 8, 36, 40))
    image.paste("white", (12, 20, 52, 28))
    image.save(picture)
    return {"text": text, "picture": picture}


def opened(lab, name: str, *, seconds: float):
    """The page, with this notebook run to its end without an error."""
    page, server = lab
    browser_tools.open_notebook(page, server, name)
    browser_tools.run_all(page, seconds=seconds)
    assert browser_tools.errors(page) == []
    assert all(cell["execution_count"] for cell in browser_tools.cells(page) if cell["cell_type"] == "code")
    return page


def live_panels(page, within=None) -> list:
    """The outputs, of the page or `within` a cell, that hold sliders and pictures."""
    panels = (within or page).locator(".jp-OutputArea-output").filter(has=page.locator(".noUi-handle"))
    panels = panels.filter(has=page.locator("img"))
    panels.first.wait_for()
    return panels.all()


def upload_panels(page) -> list:
    """The outputs that hold an upload button."""
    return page.locator(".jp-OutputArea-output").filter(has=page.locator(".widget-upload")).all()


def pictures(panel) -> list[str]:
    return panel.locator("img").evaluate_all("images => images.map(image => image.src)")


def check_slider(page, panel, slider, *, least: int = 2, presses: int = 12) -> list[float]:
    """Move a slider by the keyboard; every press must change `least` pictures. Gives the milliseconds that it took."""
    slider.scroll_into_view_if_needed()
    slider.focus()
    before = pictures(panel)
    page.evaluate("window.watched.times = []")
    for press in range(1, presses + 1):
        slider.press("ArrowRight" if press % 2 else "ArrowLeft")
        page.wait_for_function(f"window.watched.times.length >= {press}", timeout=10_000)
        page.wait_for_timeout(120)  # a person's pace; and the other pictures of this press arrive
        if press == 1:
            changed = [now != then for now, then in zip(pictures(panel), before, strict=True)]
            assert sum(changed) >= least, f"a key on the slider changed {sum(changed)} of {len(changed)} pictures"
    return page.evaluate("window.watched.times")


def check_live_panel(
    page, panel, *, sliders: int | None = None, decibels: bool = True, least: int = 2, slowest: float = SLOWEST_MS
) -> None:
    """Every slider of a panel (or the first few) changes pictures at once; the captions give their quality in dB."""
    panel.scroll_into_view_if_needed()
    panel.evaluate(browser_tools.WATCH)
    handles = panel.locator(".noUi-handle").all()[:sliders]
    assert handles
    for number, slider in enumerate(handles, start=1):
        times = check_slider(page, panel, slider, least=least)
        median = statistics.median(times)
        print(f"slider {number}: median {median:.0f} ms, slowest {max(times):.0f} ms of {len(times)}")
        assert median < slowest, f"slider {number}: median {median:.0f} ms from key to picture"
    assert not decibels or re.search(r"\d+\.\d+ dB", panel.inner_text())
    assert panel.locator("[role=alert]").count() == 0
    loaded = panel.locator("img").evaluate_all("images => images.map(image => image.naturalWidth)")
    assert min(loaded) > 0


def check_upload(page, panel, photos) -> None:
    """A file that is no picture gets a sentence; a picture is shown."""
    button = panel.locator(".widget-upload")

    def upload(path: Path) -> None:
        button.scroll_into_view_if_needed()
        with page.expect_file_chooser() as chooser:
            button.click()
        chooser.value.set_files(path)

    upload(photos["text"])
    alert = panel.get_by_role("alert")
    alert.wait_for(timeout=10_000)
    assert "holiday.jpg" in alert.inner_text()
    assert "not an image" in alert.inner_text()
    upload(photos["picture"])
    alert.wait_for(state="detached", timeout=10_000)
    panel.locator("img").first.wait_for(timeout=10_000)
    loaded = panel.locator("img").evaluate_all("images => images.map(image => image.naturalWidth)")
    assert len(loaded) >= 2 and min(loaded) > 0


def test_live_pictures_and_upload(lab, photos):
    page = opened(lab, SMALL, seconds=120)
    (panel,) = live_panels(page)
    check_live_panel(page, panel)
    browser_tools.keep_screenshot(page, "small-live")
    (panel,) = upload_panels(page)
    check_upload(page, panel, photos)
    browser_tools.keep_screenshot(page, "small-upload")


def test_denoising_notebook(lab):
    page = opened(lab, DENOISING, seconds=300)
    play = browser_tools.cell(page, "play")
    (panel,) = live_panels(page, play)
    check_live_panel(page, panel)  # digit and amount
    for kind in ("uniform", "Gaussian"):
        clean, *others = pictures(panel)
        panel.get_by_role("button", name=kind).click()
        page.wait_for_timeout(1_000)
        now, *changed = pictures(panel)
        assert now == clean and not set(changed) & set(others)  # the same digit under another noise
    browser_tools.keep_screenshot(page, "denoising-live")
    assert play.locator(".jp-RenderedImage img").count() == 1  # for those who only read the page


def test_dimensionality_reduction_lesson(lab):
    page = opened(lab, REDUCTION, seconds=300)
    play = browser_tools.cell(page, "play")
    (panel,) = live_panels(page, play)
    assert panel.locator(".noUi-handle").count() == 17  # the garment, and sixteen numbers
    check_live_panel(page, panel, sliders=4, decibels=False, least=1)
    before = pictures(panel)
    knob = panel.locator(".noUi-handle").nth(9)
    knob.focus()
    knob.press("ArrowRight")
    page.wait_for_timeout(500)
    changed = [now != then for now, then in zip(pictures(panel), before, strict=True)]
    assert changed == [False, False, True]  # the garment, and what its own code gives, stay
    browser_tools.keep_screenshot(page, "reduction-knobs")
    assert play.locator(".jp-RenderedImage img").count() == 1  # for those who only read the page


def test_colorization_lesson(lab, photos):
    page = opened(lab, COLORIZATION, seconds=300)
    (panel,) = live_panels(page)
    check_live_panel(page, panel, decibels=False, least=1)  # the temperature changes one picture only
    before = pictures(panel)
    temperature = panel.locator(".noUi-handle").nth(1)
    temperature.focus()
    for _ in range(3):
        temperature.press("ArrowRight")
        page.wait_for_timeout(150)
    changed = [now != then for now, then in zip(pictures(panel), before, strict=True)]
    assert changed == [False] * 3 + [True]  # truth, gray and the U-Net stay
    browser_tools.keep_screenshot(page, "colorization-live")
    (panel,) = upload_panels(page)
    check_upload(page, panel, photos)
    shapes = panel.locator("img").evaluate_all(
        "images => images.map(i => [i.clientWidth / i.clientHeight, i.naturalWidth / i.naturalHeight])"
    )
    assert all(shown == pytest.approx(own, rel=0.03) for shown, own in shapes)
    browser_tools.keep_screenshot(page, "colorization-upload")


def test_restoration_lesson(lab, photos):
    page = opened(lab, RESTORATION, seconds=300)
    (panel,) = live_panels(page)
    # Picture, across, down and size (a box has no angle): a filling and two networks, 100 ms on two idle cores.
    check_live_panel(page, panel, sliders=4, slowest=300)
    before = pictures(panel)
    angle = panel.locator(".noUi-handle").nth(4)
    angle.focus()
    angle.press("ArrowRight")
    page.wait_for_timeout(500)
    assert pictures(panel) == before
    panel.get_by_role("button", name="line").click()
    page.wait_for_timeout(1_000)
    assert not set(pictures(panel)) & set(before)  # the same face with another damage
    times = check_slider(page, panel, angle, presses=4)
    print(f"angle of a line: median {statistics.median(times):.0f} ms")
    browser_tools.keep_screenshot(page, "restoration-live")
    (panel,) = upload_panels(page)
    check_upload(page, panel, photos)
    assert re.search(r"hole \d+\.\d dB", panel.inner_text())
    browser_tools.keep_screenshot(page, "restoration-upload")


def test_a_failing_cell_is_noticed(lab):
    """The check above can fail: an error on the page is found."""
    page, server = lab
    browser_tools.open_notebook(page, server, SMALL)
    page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets[1].model.sharedModel.setSource('1 / 0')")
    browser_tools.run_all(page, seconds=120)
    assert browser_tools.errors(page) == ["cell 2: ZeroDivisionError: division by zero"]
