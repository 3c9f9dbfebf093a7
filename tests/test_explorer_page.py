"""The explorer's page in a browser as a person uses it, with the network off: mouse, finger, keys, drawing, themes.

pytest -m browser        skips without Chromium or Playwright, fails without them where REQUIRE_BROWSER=1
SCREENSHOTS=folder       keeps what was seen
"""

import itertools
import json
import math

import browser_tools
import numpy as np
import pytest
from explorer_doubles import DIGITS, spaces

from helpers import datasets, explorer

pytestmark = pytest.mark.browser

WIDE, PHONE = (1280, 900), (390, 844)
PIXELS = """canvas => {
    const rgba = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return [...rgba].filter((_, k) => k % 4 === 0);
}"""
# The pointer goes over a map for two seconds, one place a frame: how many frames a second are drawn?
DRAG = """async root => {
    const map = root.querySelectorAll('.lx-map')[1], box = map.getBoundingClientRect();
    const before = Number(root.dataset.frames), started = performance.now();
    for (let k = 0; performance.now() - started < 2000; k++) {
        const at = {clientX: box.left + 60 + (k % 300), clientY: box.top + 150, pointerType: 'mouse', isPrimary: true};
        map.dispatchEvent(new PointerEvent('pointermove', at));
        await new Promise(requestAnimationFrame);
    }
    return (1000 * (Number(root.dataset.frames) - before)) / (performance.now() - started);
}"""
SLOWEST_FRAMES = 25  # a second, on a machine that may be busy; on two idle cores it draws 60
SLOWEST_STROKE = 30  # milliseconds


@pytest.fixture(scope="module")
def maps() -> dict[str, list[explorer.Space]]:
    browser_tools.require()
    return {"MNIST": spaces(), "Fashion-MNIST": spaces("fashion_mnist", 40)}


@pytest.fixture(scope="module")
def address(maps, tmp_path_factory) -> str:
    names = {"MNIST": DIGITS, "Fashion-MNIST": list(datasets.CLASS_NAMES["fashion_mnist"])}
    return explorer.to_html(tmp_path_factory.mktemp("page") / "map.html", maps, names).as_uri()


@pytest.fixture(scope="module")
def browser():
    browser_tools.require()
    with browser_tools.browser() as started:
        yield started


@pytest.fixture
def opened(browser, address):
    """A function that opens the page anew, from its file, with the network off; no script may fail on it."""
    contexts, failures = [], []

    def open_page(size=WIDE, *, place: str = "", **settings):
        contexts.append(browser.new_context(viewport={"width": size[0], "height": size[1]}, offline=True, **settings))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda failure: failures.append(str(failure)))
        page.goto(address + place)
        page.wait_for_selector(".lx[data-frames]")
        page.wait_for_function("document.querySelector('.lx-near canvas').dataset.drawn")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert failures == []


def state(page) -> dict:
    """What the page says of itself, after what is under way has been drawn."""
    page.evaluate("async () => { for (let k = 0; k < 3; k++) await new Promise(requestAnimationFrame); }")
    said = dict(page.locator(".lx").evaluate("root => ({...root.dataset})"))
    return said | {"places": json.loads(said["places"]), "z": [float(value) for value in said["z"].split()]}


def point(page, space, z, k: int) -> tuple[float, float]:
    """Where on the page the place z of map k is."""
    box = page.locator(".lx-map").nth(k).bounding_box()
    side = box["width"] - 36 - 14  # as LEFT and AROUND in map.js
    across, up = ((np.asarray(z) - space.centre) / space.half + 1) / 2
    return float(box["x"] + 36 + across * side), float(box["y"] + 14 + (1 - up) * side)


def check_pictures(page, pair) -> None:
    """Under each map is what its decoder gives at its place."""
    places = state(page)["places"]
    for k, space in enumerate(pair):
        seen = np.reshape(page.locator(".lx-read > canvas").nth(k).evaluate(PIXELS), (28, 28))
        np.testing.assert_allclose(seen, 255 * space.decode(places[k : k + 1])[0, ..., 0], atol=2)


def far_place(space) -> np.ndarray:
    """A place in the frame with no data near."""
    steps = np.linspace(-0.95, 0.95, 20) * space.half
    places = space.centre + np.array(list(itertools.product(steps, steps)))
    return max(places, key=lambda z: space.nearest(z, 1)[1][0])


def test_hovering_looks_and_a_click_pins(opened, maps):
    page, pair = opened(), maps["MNIST"]
    browser_tools.keep_screenshot(page, "explorer-wide")
    z = far_place(pair[1])
    page.mouse.move(*point(page, pair[1], z, 1))
    now = state(page)
    np.testing.assert_allclose(now["z"], z, atol=0.02 * pair[1].half)
    near = int(now["ringed"])
    assert near == pair[1].nearest(now["z"], 1)[0][0]
    np.testing.assert_allclose(now["places"][0], pair[0].codes[near], atol=1e-3)  # the same picture
    check_pictures(page, pair)
    assert "No data near" in page.locator(".lx-data").nth(1).inner_text()
    assert "No data near" not in page.locator(".lx-data").nth(0).inner_text()
    page.mouse.down()
    page.mouse.up()
    pinned = state(page)
    assert pinned["pinned"] == "true"
    page.mouse.move(*point(page, pair[1], pair[1].centre, 1))
    page.mouse.move(*point(page, pair[0], pair[0].centre, 0))
    assert state(page)["places"] == pinned["places"]
    page.keyboard.press("Escape")
    page.mouse.move(*point(page, pair[0], pair[0].centre, 0))
    assert state(page)["map"] == "0" and state(page)["places"] != pinned["places"]
    page.mouse.click(*point(page, pair[1], z, 1), button="right")
    assert state(page)["pinned"] == "false"


def test_the_same_coordinates_on_all_maps(opened, maps):
    page, pair = opened(), maps["MNIST"]
    page.get_by_role("button", name="the same coordinates").click()
    page.mouse.move(*point(page, pair[0], pair[0].codes[3] + 0.3, 0))
    now = state(page)
    assert now["places"][0] == now["places"][1] and now["ringed"] == ""
    check_pictures(page, pair)
    page.get_by_role("button", name="the same picture").click()
    assert state(page)["ringed"] != ""


def test_a_click_on_a_digit_and_on_a_thumbnail_goes_to_its_codes(opened, maps):
    page, pair = opened(), maps["MNIST"]
    alone = max(range(60), key=lambda k: pair[0].nearest(pair[0].codes[k], 2)[1][1] if k != 0 else 0)
    inside = np.clip(pair[0].codes[alone], pair[0].centre - 0.97 * pair[0].half, pair[0].centre + 0.97 * pair[0].half)
    page.mouse.click(*point(page, pair[0], inside, 0))
    now = state(page)
    assert int(now["ringed"]) == pair[0].nearest(now["places"][0], 1)[0][0] and now["pinned"] == "true"
    button = page.locator(".lx-read").nth(1).locator(".lx-near button").nth(2)
    wanted = int(button.get_attribute("data-index"))
    button.click()
    now = state(page)
    assert int(now["ringed"]) == wanted
    for k, space in enumerate(pair):
        np.testing.assert_allclose(now["places"][k], space.codes[wanted], atol=1e-3)
    check_pictures(page, pair)
    page.get_by_label("Go to").select_option("7")
    assert state(page)["ringed"] == "7"
    page.get_by_role("button", name="Reset").click()
    assert state(page)["ringed"] == "0" and state(page)["pinned"] == "false"


def test_keys_move_pin_and_free(opened, maps):
    page, space = opened(), maps["MNIST"][1]
    page.locator(".lx-map").nth(1).focus()
    page.keyboard.press("Home")
    assert state(page)["z"] == [0, 0]
    step = space.half / 50
    for key, z in (("ArrowRight", (1, 0)), ("ArrowUp", (1, 1)), ("Shift+ArrowLeft", (-4, 1))):
        page.keyboard.press(key)
        np.testing.assert_allclose(state(page)["z"], step * np.array(z), atol=1e-6)
    for key, pinned in (("Enter", "true"), ("Enter", "false"), ("Enter", "true"), ("Escape", "false")):
        page.keyboard.press(key)
        assert state(page)["pinned"] == pinned
    for _ in range(14):
        page.keyboard.press("Shift+ArrowDown")
    assert state(page)["z"][1] == pytest.approx(-space.half)  # and no further
    label = page.locator(".lx-map").nth(1).get_attribute("aria-label")
    assert label.startswith("Map of Variational autoencoder, at ")


def test_a_screen_reader_hears_the_warning_first_and_once(opened, maps):
    page, pair = opened(), maps["MNIST"]
    page.evaluate("""() => {
        window.said = [];
        const live = document.querySelector('[role=status]');
        new MutationObserver(() => window.said.push(live.textContent)).observe(live, {childList: true});
    }""")
    page.wait_for_timeout(900)
    page.evaluate("window.said.length = 0")
    for z in np.linspace(pair[1].centre, far_place(pair[1]), 25):  # a sweep
        page.mouse.move(*point(page, pair[1], z, 1))
        page.wait_for_timeout(10)
    page.wait_for_timeout(1000)
    said = page.evaluate("window.said")
    assert len(said) <= 2 and said[-1].startswith("No data near. Variational autoencoder: ")


def test_what_lies_behind(opened, maps):
    page, looks = opened(), []
    for name in ("nothing", "pictures", "classes", "density"):
        page.get_by_role("button", name=name, exact=True).click()
        kind = {"classes": "regions"}.get(name, name)
        page.wait_for_selector(f".lx[data-behind={kind}]", timeout=20_000)
        state(page)
        looks.append(hash(tuple(page.locator(".lx-map canvas").first.evaluate(PIXELS))))
        browser_tools.keep_screenshot(page, f"explorer-{name}")
    assert len(set(looks)) == 4


def test_sampling_visits_eight_places(opened, maps):
    page, pair = opened(reduced_motion="no-preference"), maps["MNIST"]
    page.get_by_role("button", name="Sample", exact=True).click()
    strips = page.locator(".lx-sample .lx-strip")
    assert [strips.nth(k).locator("button").count() for k in (0, 1)] == [8, 8]
    first = state(page)["places"]
    page.wait_for_timeout(900)
    assert state(page)["places"] != first
    strips.nth(0).locator("button").nth(5).click()
    now = state(page)["places"]
    check_pictures(page, pair)
    noise = np.array(now[1])  # the plain map's place is the same sample on its own scale
    np.testing.assert_allclose(now[0], pair[0].mean + pair[0].scale * noise, atol=1e-2)
    browser_tools.keep_screenshot(page, "explorer-sample")
    page.wait_for_timeout(900)
    assert state(page)["places"] == now  # who clicks stops the tour


def test_nothing_moves_by_itself_for_who_wants_no_motion(opened):
    page = opened(reduced_motion="reduce")
    page.get_by_role("button", name="Sample", exact=True).click()
    first = state(page)["places"]
    page.wait_for_timeout(900)
    assert state(page)["places"] == first


def draw_a_three(page, *, touch: bool = False) -> None:
    pad = page.locator(".lx-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    way = [(60, 50), (100, 30), (140, 55), (100, 95), (145, 130), (100, 170), (60, 150)]
    spots = [(box["x"] + x, box["y"] + y) for x, y in way]
    if touch:
        finger = page.context.new_cdp_session(page)
        send = lambda kind, spot: finger.send(  # noqa: E731
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": spot[0], "y": spot[1]}] if spot else []}
        )
        send("touchStart", spots[0])
        for spot in spots[1:]:
            send("touchMove", spot)
        send("touchEnd", None)
        return
    page.mouse.move(*spots[0])
    page.mouse.down()
    for spot in spots[1:]:
        page.mouse.move(*spot, steps=6)
    page.mouse.up()


def check_drawing(page, pair) -> None:
    form = np.reshape(page.locator(".lx-form").first.evaluate(PIXELS), (1, 28, 28, 1)).astype(np.float32) / 255
    assert form.max() == 1 and 40 < form.sum() < 160
    now = state(page)["places"]
    mean, _ = pair[1].encoder(form)
    np.testing.assert_allclose(now[1], mean[0], atol=0.05 * pair[1].scale)
    np.testing.assert_allclose(now[0], pair[0].encoder(form)[0], atol=0.05 * pair[0].scale)
    check_pictures(page, pair)
    assert page.locator(".lx-read").first.inner_text().count("Your drawing") == 1


def test_drawing_with_the_mouse(opened, maps):
    page, pair = opened(), maps["MNIST"]
    page.get_by_role("button", name="Draw", exact=True).click()
    draw_a_three(page)
    check_drawing(page, pair)
    took = float(page.locator(".lx").get_attribute("data-encoded"))
    print(f"a stroke brought to form and encoded in {took:.1f} ms")
    assert took < SLOWEST_STROKE
    browser_tools.keep_screenshot(page, "explorer-draw")
    page.get_by_role("button", name="Clear").click()
    state(page)
    assert max(page.locator(".lx-form").first.evaluate(PIXELS)) == 0
    assert "Your drawing" not in page.locator(".lx-read").first.inner_text()


def test_a_finger_looks_and_draws_on_a_phone(opened, maps):
    page, pair = opened(PHONE, has_touch=True, is_mobile=True), maps["MNIST"]
    browser_tools.keep_screenshot(page, "explorer-phone")
    shown = page.locator(".lx-map:visible")
    assert shown.count() == 1
    frame, picture = shown.bounding_box(), page.locator(".lx-read > canvas").nth(1).bounding_box()
    assert frame["width"] >= 350 and picture["y"] + picture["height"] <= 844  # map and both pictures in sight
    x, y = point(page, pair[1], far_place(pair[1]), 1)
    page.touchscreen.tap(x, y)
    np.testing.assert_allclose(state(page)["z"], far_place(pair[1]), atol=0.02 * pair[1].half)
    check_pictures(page, pair)
    page.get_by_role("button", name="Plain autoencoder", exact=True).click()
    assert page.locator(".lx-map").nth(0).is_visible() and not page.locator(".lx-map").nth(1).is_visible()
    assert page.locator(".lx-map").first.evaluate("map => getComputedStyle(map).touchAction") == "pinch-zoom"
    page.get_by_role("button", name="Draw", exact=True).tap()
    draw_a_three(page, touch=True)
    check_drawing(page, pair)


def test_a_walk_between_two_places(opened, maps):
    page, pair = opened(), maps["MNIST"]
    page.get_by_role("button", name="Walk", exact=True).click()
    assert page.get_by_role("button", name="Play").is_disabled()
    for index, name in ((3, "Start here"), (9, "End here")):
        page.get_by_label("Go to").select_option(str(index))
        page.get_by_role("button", name=name).click()
    assert page.locator(".lx-walk .lx-strip").first.locator("button").count() == 9
    page.locator(".lx-walk input").fill("0.5")
    now = state(page)["places"]
    for k, space in enumerate(pair):
        np.testing.assert_allclose(now[k], (space.codes[3] + space.codes[9]) / 2, atol=1e-3)
    check_pictures(page, pair)
    browser_tools.keep_screenshot(page, "explorer-walk")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.lx-walk input').value === '1'", timeout=10_000)


def test_another_set_and_a_place_to_share(opened, maps):
    page, pair = opened(), maps["Fashion-MNIST"]
    page.get_by_label("Images").select_option("Fashion-MNIST")
    page.wait_for_function("document.querySelector('.lx-near canvas').dataset.drawn === 'Fashion-MNIST'")
    check_pictures(page, pair)
    assert "Ankle boot" in page.locator(".lx-legend").inner_text()
    page.mouse.click(*point(page, pair[0], far_place(pair[0]), 0))
    now = state(page)
    shared = "#" + page.url.partition("#")[2]
    assert "z=" in shared and "set=Fashion-MNIST" in shared
    other = state(opened(place=shared))
    assert other["set"] == "Fashion-MNIST" and other["map"] == "0"
    np.testing.assert_allclose(other["z"], now["z"], atol=1e-3)
    assert state(opened(place="#z=nonsense&set=none&map=7"))["set"] == "MNIST"


@pytest.mark.parametrize("width", [1280, 900, 390, 320])
def test_no_page_is_wider_than_its_window(opened, width):
    page = opened((width, 800))
    for name in ("Sample", "Draw", "Walk"):
        page.get_by_role("button", name=name, exact=True).click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    page.get_by_role("button", name="Lecture size").click()
    page.locator("summary").click()
    state(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    browser_tools.keep_screenshot(page, f"explorer-lecture-{width}")


@pytest.mark.parametrize(
    "settings", [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"forced_colors": "active"}], ids=str
)
def test_every_sign_can_be_read(opened, settings):
    """Text and signs against the page's background, 4.5:1; the map is painted on that background too."""
    page = opened(**settings)
    page.get_by_label("Images").select_option("Fashion-MNIST")  # whose legend shows all signs
    state(page)
    colour = "one => { const style = getComputedStyle(one); return [style.color, style.backgroundColor]; }"
    text, back = (rgb(value) for value in page.locator(".lx").evaluate(colour))
    signs = [rgb(one.evaluate(colour)[0]) for one in page.locator(".lx-legend b").all()]
    assert len(signs) == 10 and len(set(signs)) >= (1 if "forced_colors" in settings else 10)
    assert min(ratio(one, back) for one in [text, *signs]) >= 4.5
    canvas = page.locator(".lx-map canvas").first
    corner = canvas.evaluate("c => [...c.getContext('2d').getImageData(1, 1, 1, 1).data].slice(0, 3)")
    assert tuple(corner) == back
    browser_tools.keep_screenshot(page, f"explorer-{'-'.join(settings.values())}")


def rgb(text: str) -> tuple[int, ...]:
    return tuple(int(float(part)) for part in text[text.index("(") + 1 : text.index(")")].split(",")[:3])


def ratio(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Contrast as WCAG 2 defines it."""
    lights = []
    for colour in (one, other):
        parts = [v / 255 / 12.92 if v <= 10 else math.pow((v / 255 + 0.055) / 1.055, 2.4) for v in colour]
        lights.append(np.dot(parts, [0.2126, 0.7152, 0.0722]) + 0.05)
    return max(lights) / min(lights)


def test_moving_is_smooth_with_pictures_behind_both_maps(opened):
    page = opened()
    page.get_by_role("button", name="pictures", exact=True).click()
    page.wait_for_selector(".lx[data-behind=pictures]", timeout=20_000)
    frames = page.locator(".lx").evaluate(DRAG)
    print(f"{frames:.0f} frames a second")
    assert frames > SLOWEST_FRAMES


def test_a_title_cannot_run_a_script(opened, browser, maps, tmp_path):
    bad = "</script><script>window.broken = true</script><img src=x onerror='window.broken = true'>"
    space = maps["MNIST"][0]
    spaces = [explorer.Space(bad, space.encoder, space.decoder, space.images, space.labels, bad)]
    path = explorer.to_html(tmp_path / "bad.html", {bad: spaces}, {bad: [bad, *DIGITS[1:]]}, title=bad)
    page = opened()
    page.goto(path.as_uri())
    page.wait_for_selector(".lx[data-frames]")
    page.wait_for_timeout(300)
    assert page.evaluate("window.broken") is None
    assert page.locator(".lx h2").first.inner_text() == bad
