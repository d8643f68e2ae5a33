"""The report of an inspection in a real browser, as a person looks at it."""

import shutil

import cv2
import numpy as np
import pytest
from conftest import black_detector
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from awl_vae.detection.inspection import Inspect
from awl_vae.detection.likeness import Likeness
from awl_vae.detection.output import Output

CHROMEDRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMEDRIVER is None, reason="needs Chromium and its driver"),
]

NAMES = ("dark.png", "bright.png", "<b>odd&'name'.png", "middle.png", "broken.png")
GRAYS = (0, 255, 200, 60, None)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The report on five images: two anomalous, two normal, one that is none."""
    root = tmp_path_factory.mktemp("report")
    paths = [root / "images" / name for name in NAMES]
    paths[0].parent.mkdir()
    for path, gray in zip(paths, GRAYS, strict=True):
        if gray is None:
            path.write_bytes(b"broken")
        else:
            cv2.imwrite(str(path), np.full((48, 640), gray, np.uint8))
    detector = black_detector()
    detector.likeness = Likeness({"brightness": (50.0, 260.0)})
    output = Output(detector, root / "output", root=root / "images")
    for finding, overlay in Inspect(detector, 4, 1, draws=True)((path, None) for path in paths):
        output.add(finding, overlay)
    output.finish(lambda path: True, ["Scores <moved>."])
    return root / "output/report.html"


@pytest.fixture(scope="module")
def browser(page, tmp_path_factory):
    options = webdriver.ChromeOptions()
    for argument in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-background-networking",
        "disable-component-update",
        f"user-data-dir={tmp_path_factory.mktemp('browser')}",
    ):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(CHROMEDRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser, page):
    browser.get(page.as_uri())
    return browser


def shown(browser):
    return [entry for entry in browser.find_elements(By.TAG_NAME, "li") if entry.is_displayed()]


def test_counts_order_and_names(opened):
    counts = {name: opened.find_element(By.ID, name).text for name in ("total", "unreadable")}
    counts |= {name: opened.find_element(By.ID, name).text for name in ("normal", "anomalous")}
    assert counts == {"total": "5", "anomalous": "2", "normal": "2", "unreadable": "1"}
    headings = [entry.find_element(By.TAG_NAME, "h2").text for entry in shown(opened)]
    ranked = sorted(range(4), key=lambda index: -GRAYS[index])
    for heading, index in zip(headings, [*ranked, 4], strict=True):
        assert heading.endswith(NAMES[index])
    assert [heading.split()[0] for heading in headings] == (
        ["anomalous"] * 2 + ["normal"] * 2 + ["unreadable"]
    )
    assert "threshold 0.25" in opened.find_element(By.TAG_NAME, "svg").text


def test_what_is_unlike_the_calibration_is_counted_and_marked_and_can_be_shown_alone(opened):
    assert opened.find_element(By.ID, "unlike").text == "1"
    assert "Scores <moved>." in opened.find_element(By.TAG_NAME, "body").text
    opened.find_element(By.ID, "show-unlike").click()
    (entry,) = shown(opened)
    assert entry.find_element(By.TAG_NAME, "h2").text == "normal dark.png"
    assert "unlike calibration: brightness 0, of calibration 50 to 260" in entry.text


def test_it_needs_nothing_from_elsewhere(opened):
    sources = opened.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    assert all(source.startswith("data:") for source in sources)
    assert opened.get_log("browser") == []
    widths = opened.execute_script(
        "return Array.from(document.images, image => {image.loading = 'eager';"
        " return image.decode().then(() => image.naturalWidth)})"
        ".reduce((all, one) => all.then(a => one.then(w => [...a, w])), Promise.resolve([]))"
    )
    assert widths == [1024] * 4


def test_by_keyboard_alone(opened):
    keyboard = webdriver.ActionChains(opened)
    keyboard.send_keys(Keys.TAB, Keys.ARROW_RIGHT).perform()
    assert opened.switch_to.active_element.get_attribute("id") == "show-anomalous"
    assert len(shown(opened)) == 2
    keyboard.reset_actions()
    keyboard.send_keys(Keys.TAB).perform()
    focused = opened.switch_to.active_element
    assert focused.text == "regions: 1"
    assert opened.execute_script("return getComputedStyle(arguments[0]).outlineWidth", focused) in (
        "3px"
    )
    keyboard.reset_actions()
    keyboard.send_keys(Keys.ENTER).perform()
    table = shown(opened)[0].find_element(By.TAG_NAME, "table")
    assert table.is_displayed()
    cells = [float(cell.text) for cell in table.find_elements(By.TAG_NAME, "td")]
    assert cells == [0, 0, 640, 48, 640 * 48, 1]


@pytest.mark.parametrize("width", [320, 1400])
def test_on_a_narrow_and_on_a_wide_screen(opened, width):
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    assert opened.execute_script("return document.documentElement.scrollWidth") <= width
    entries = shown(opened)
    assert len(entries) == 5
    rows = {entry.rect["y"] for entry in entries}
    assert len(rows) == (5 if width == 320 else 3)
