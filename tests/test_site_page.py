"""The real site in a browser, with the network off: it fits its window, nothing is missing, the explorer is alive.

pytest -m browser        skips without Chromium or Playwright, fails without them where REQUIRE_BROWSER=1
SCREENSHOTS=folder       keeps what was seen
"""

import browser_tools
import pytest
from explorer_doubles import DIGITS, spaces

from helpers import explorer
from helpers.plumbing import site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    browser_tools.require()
    folder = tmp_path_factory.mktemp("site")
    site.build(folder, live=explorer.fragment({"MNIST": spaces()}, {"MNIST": DIGITS}))
    return folder


@pytest.mark.parametrize("width", [1280, 400])
def test_the_site_is_whole_without_a_network(folder, width):
    with browser_tools.browser_page(width, 900) as page:
        page.context.set_offline(True)
        asked, failures = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda failure: failures.append(str(failure)))
        page.goto((folder / "index.html").as_uri())
        browser_tools.keep_screenshot(page, f"site-{width}")
        lessons = page.locator(".cards h2 a").evaluate_all("links => links.map(link => link.href)")
        assert len(lessons) == 5
        for address in lessons:
            page.goto(address)
            broken = "images => images.filter(i => !i.complete || !i.naturalWidth).map(i => i.alt)"
            assert page.locator("img").evaluate_all(broken) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
            browser_tools.keep_screenshot(page, f"site-{width}-{address.rpartition('/')[2]}")
        root = page.locator(".lx[data-frames]").first
        root.locator(".lx-map:visible").first.focus()
        before = root.get_attribute("data-z")
        page.keyboard.press("Home")
        page.wait_for_function("before => document.querySelector('.lx').dataset.z !== before", arg=before)
        page.get_by_role("link", name="All lessons").click()
        page.wait_for_selector(".cards")
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        assert failures == []
