"""The pages in a real browser: no overflow, no complaint, no request, reachable by keyboard.

Screenshots go to the folder that SAYTARA_ARTIFACTS names, to be looked at.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from browser import Browser, find_chromium
from linked_reports import CLAIM, DENIAL
from saytara.document import Annotation
from saytara.export.html import facts_page, report_page
from saytara.facts.clusters import cluster
from saytara.facts.records import to_records

CHROMIUM = find_chromium()
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (or name one in SAYTARA_CHROMIUM)"),
    pytest.mark.skipif(sys.platform == "win32", reason="the browser is spoken to over inherited pipes"),
]
WIDTHS = (1280, 380)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(str(CHROMIUM), tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, reports: dict[str, Annotation]) -> dict[str, Path]:
    """Pages by name, in the folder for artifacts."""
    folder = Path(os.environ.get("SAYTARA_ARTIFACTS") or tmp_path_factory.mktemp("pages"))
    folder.mkdir(parents=True, exist_ok=True)
    several = [CLAIM, DENIAL, *reports.values()]
    clusters = cluster(record for annotation in several for record in to_records(annotation))
    texts = {annotation.document.id: annotation.document.text for annotation in several}
    longest = max(reports.values(), key=lambda annotation: len(annotation.events))
    pages = {
        "claim": report_page(CLAIM),
        "longest": report_page(longest),
        "ledger": facts_page("ledger", clusters, texts),
        "reports": facts_page("reports", clusters, texts, several),
    }
    for name, content in pages.items():
        (folder / f"{name}.html").write_bytes(content)
    return {name: folder / f"{name}.html" for name in pages}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["claim", "longest", "ledger", "reports"])
def test_the_page_fits_and_is_silent(browser: Browser, files: dict[str, Path], name: str, width: int) -> None:
    browser.requests.clear()
    browser.problems.clear()
    browser.open(files[name], width=width)
    browser.screenshot(files[name].with_name(f"{name}-{width}.png"))
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate("getComputedStyle(document.documentElement).direction") == "rtl"
    assert browser.requests == []
    assert browser.problems == []


def test_tab_reaches_a_trigger_which_shows_its_arguments(browser: Browser, files: dict[str, Path]) -> None:
    browser.open(files["claim"], width=1280)
    for _ in range(5):
        browser.press("Tab")
        if browser.evaluate("document.activeElement.classList.contains('t')"):
            break
    assert browser.evaluate("document.activeElement.id") == "t1"
    assert browser.evaluate("document.querySelectorAll('.text .m.on').length") == 5
    assert browser.evaluate("document.querySelectorAll('.arrows path.drawn').length") == 5
    assert browser.evaluate("document.getElementById('e1').classList.contains('on')")
    browser.screenshot(files["claim"].with_name("claim-focus.png"), is_whole=False)
    browser.press("Escape")
    assert browser.evaluate("document.querySelectorAll('.on, .drawn').length") == 0


def test_the_text_can_be_selected_as_it_was_written(browser: Browser, files: dict[str, Path]) -> None:
    browser.open(files["claim"], width=1280)
    browser.evaluate("getSelection().selectAllChildren(document.querySelector('.text'))")
    assert browser.evaluate("getSelection().toString()").strip() == CLAIM.document.text


def test_the_page_is_whole_without_script(browser: Browser, files: dict[str, Path]) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(files["ledger"], width=1280)
        browser.screenshot(files["ledger"].with_name("ledger-without-script.png"))
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.evaluate("document.querySelectorAll('.map .marker').length") == 2
    assert browser.evaluate("document.querySelectorAll('.strip').length") >= 1


def test_it_prints_and_goes_dark(browser: Browser, files: dict[str, Path]) -> None:
    browser.open(files["ledger"], width=1280, is_dark=True)
    browser.screenshot(files["ledger"].with_name("ledger-dark.png"))
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(251, 250, 247)"
    browser.open(files["claim"], width=1280)
    printed = files["claim"].with_name("claim.pdf")
    browser.pdf(printed)
    assert printed.read_bytes().startswith(b"%PDF")
