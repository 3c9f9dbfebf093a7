"""The explorer's page of its own in a browser, with the network off: it decodes under the pointer as the decoder does.

pytest -m browser        skips without Chromium or Playwright, fails without them where REQUIRE_BROWSER=1
SCREENSHOTS=folder       keeps what was seen
"""

import browser_tools
import keras
import numpy as np
import pytest

from helpers import datasets, explorer, models, vae

pytestmark = pytest.mark.browser

PIXELS = """title => {
    const named = one => one.querySelector('h3').textContent === title;
    const section = [...document.querySelectorAll('section')].find(named);
    const canvas = section.querySelectorAll('canvas')[1];
    const rgba = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return [...rgba].filter((_, k) => k % 4 === 0);
}"""
SLOWEST_FRAMES = 25  # a second, on a machine that may be busy; on two idle cores it draws 60


@pytest.fixture
def explorer_page(tmp_path):
    """(page, spaces): the explorer's page of its own, opened from a file address with the network off."""
    browser_tools.require()
    digits = datasets.load("mnist", sample=True)
    spaces = []
    builders = {"autoencoder": models.strided_autoencoder, "VAE": vae.variational_autoencoder}
    for seed, (title, build) in enumerate(builders.items()):
        keras.utils.set_random_seed(seed)
        decoder = build(latent_dim=2)[1]
        decoder.set_weights([3 * weight for weight in decoder.get_weights()])  # pictures with contrast
        codes = np.random.default_rng(seed).normal(0, 1.3, (100, 2)).astype(np.float32)
        spaces.append(explorer.Space(title, decoder, codes, digits.test[:100], digits.test_labels[:100]))
    path = explorer.to_html(tmp_path / "map.html", spaces, [str(digit) for digit in range(10)])
    with browser_tools.browser_page() as page:
        page.context.set_offline(True)
        failures = []
        page.on("pageerror", lambda failure: failures.append(failure))
        page.goto(path.as_uri())
        page.wait_for_selector(".latent-explorer[data-frames]")
        yield page, spaces
        assert failures == []


def check_decoded(page, spaces) -> None:
    """What each space shows is what its decoder gives at the place shown; the words are those of the sliders too."""
    z = [float(value) for value in page.locator(".latent-explorer").get_attribute("data-z").split()]
    for space, words in zip(spaces, page.locator(".readout").all(), strict=True):
        expected = 255 * space.decoder.predict_on_batch(np.array([z], np.float32))[0, ..., 0]
        np.testing.assert_allclose(np.reshape(page.evaluate(PIXELS, space.title), (28, 28)), expected, atol=2)
        assert words.inner_text() == explorer.readout(space, z).words(z, [str(digit) for digit in range(10)])


def test_the_page_of_its_own_decodes_under_the_pointer(explorer_page):
    page, spaces = explorer_page
    seen = []
    frame = page.locator("canvas").first.bounding_box()
    for across, down in ((0.5, 0.5), (0.62, 0.41), (0.98, 0.03)):
        page.mouse.move(frame["x"] + across * frame["width"], frame["y"] + down * frame["height"])
        page.wait_for_timeout(200)
        check_decoded(page, spaces)
        seen.append(page.evaluate(PIXELS, "autoencoder"))
    assert seen[0] != seen[1] != seen[2]
    assert "off the map" in page.locator(".readout").first.inner_text()
    browser_tools.keep_screenshot(page, "explorer-page")


def test_the_page_of_its_own_listens_to_the_arrow_keys(explorer_page):
    page, spaces = explorer_page
    page.locator("canvas").first.focus()
    for key, z in (("ArrowRight", (0.08, 0)), ("ArrowUp", (0.08, 0.08)), ("Shift+ArrowLeft", (-0.32, 0.08))):
        page.keyboard.press(key)
        page.wait_for_timeout(150)
        shown = [float(value) for value in page.locator(".latent-explorer").get_attribute("data-z").split()]
        assert shown == pytest.approx(z)
    check_decoded(page, spaces)


def test_dragging_over_the_map_redraws_at_once(explorer_page):
    page, _ = explorer_page
    frames = page.locator(".latent-explorer").evaluate(browser_tools.DRAG)
    print(f"{frames:.0f} pictures of each space a second while dragging")
    assert frames > SLOWEST_FRAMES
