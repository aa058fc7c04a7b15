"""The page of a run in a real browser: order, search, details, plots, keyboard, narrow screens."""

import time

import browser
import pytest
from runs import failed_row, many_stacks, pictures_of, run_of, stack_row

from cellstack.pages.write_index import write_index

MARKS = "\u202e\u2067\u200f"
HOSTILE = f"""=cmd|' /C calc'!A0</script><img src=x onerror="window.hit=1">&amp;{MARKS}<b>"""
MAX_SECONDS = 30  # for a page with 500 stacks, which takes 2.6 on an idle machine with 2 cores
JPEG = (  # a picture of one pixel
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQ"
    "ERMUFRUVDA8XGBYUGBIUFRT/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAA"
    "AAD/2gAIAQEAAD8AKp//2Q=="
)
NAMES = """Array.from(document.querySelectorAll('#stacks tbody tr'))
  .filter(row => !row.hidden).map(row => row.querySelector('.name').textContent)"""
TEXTS = "document.querySelector('dialog > div').textContent"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    running = browser.start(tmp_path_factory.mktemp("profile"))
    yield running
    running.close()


@pytest.fixture
def show(chromium, tmp_path):
    """Return a function that opens the page of a run, and returns the browser."""

    def open_page(run, fragment=""):
        (tmp_path / "index.html").write_text(write_index(run), encoding="utf-8")
        chromium.requested.clear()
        chromium.open("about:blank")
        chromium.open((tmp_path / "index.html").as_uri() + fragment)
        return chromium

    return open_page


def some_stacks():
    cells = {"condition": "drug"}
    rows = [
        stack_row("s2", count_found="7", condition="control"),
        stack_row("s10", count_found="5", flags="haze (check it)", **cells),
        stack_row("s1", count_found="30", condition=""),
        failed_row("bad", **cells),
    ]
    pictures = {
        (row["stack"], "nuclei"): pictures_of(row, 2, JPEG)
        for row in rows
        if row["status"] != "failed"
    }
    return run_of(rows, user_columns=["condition"], pictures=pictures, figures={})


def click(page, selector):
    page.evaluate(f"document.querySelector({selector!r}).click(), 0")


def settle(page):
    """Wait until the page has reacted to a change of its address."""
    page.evaluate("new Promise(done => setTimeout(() => done(0), 30))")


def choose(page, selector, text):
    """Select an option by its text, as a user does."""
    page.evaluate(
        f"""(() => {{
          const choice = document.querySelector({selector!r});
          choice.selectedIndex = Array.from(choice.options, each => each.textContent)
            .indexOf({text!r});
          choice.dispatchEvent(new Event(choice.type === 'search' ? 'input' : 'change'));
        }})(), 0"""
    )


def sort_by(page, name):
    page.evaluate(
        f"""Array.from(document.querySelectorAll('#stacks th button'))
        .find(button => button.textContent === {name!r}).click(), 0"""
    )


def test_rows_are_sorted_by_any_column(show):
    page = show(some_stacks())
    assert page.evaluate(NAMES) == ["bad", "s10", "s2", "s1"]
    sort_by(page, "stack")
    assert page.evaluate(NAMES) == ["bad", "s1", "s2", "s10"]
    sort_by(page, "stack")
    assert page.evaluate(NAMES) == ["s10", "s2", "s1", "bad"]
    sort_by(page, "found")
    assert page.evaluate(NAMES) == ["s10", "s2", "s1", "bad"]  # without a number: last
    sort_by(page, "found")
    assert page.evaluate(NAMES) == ["s1", "s2", "s10", "bad"]
    states = "Array.from(document.querySelectorAll('#stacks th[aria-sort]'), e => e.ariaSort)"
    assert page.evaluate(states).count("descending") == 1
    sort_by(page, "score")
    sort_by(page, "score")
    assert page.evaluate(NAMES) == ["bad", "s10", "s2", "s1"]


def test_rows_are_searched_and_filtered(show):
    page = show(some_stacks())
    click(page, ".tiles .flagged")
    assert page.evaluate(NAMES) == ["s10"]
    assert page.evaluate("document.querySelector('#shown').textContent") == "1 of 4 rows shown"
    assert page.evaluate("document.querySelector('.tiles .flagged').ariaPressed") == "true"
    click(page, ".tiles .flagged")
    assert len(page.evaluate(NAMES)) == 4
    choose(page, "[data-filter='1']", "drug")
    assert page.evaluate(NAMES) == ["bad", "s10"]
    page.evaluate("search.value = 'HAZE s10', search.dispatchEvent(new Event('input')), 0")
    assert page.evaluate(NAMES) == ["s10"]


def test_a_click_on_a_name_shows_the_stack_and_keys_go_through_the_rows(show):
    page = show(some_stacks())
    assert not page.evaluate("dialog.open")
    click(page, "[data-stack='1'] .name a")
    settle(page)
    assert page.evaluate("dialog.open")
    assert page.evaluate("document.querySelector('#heading').textContent") == "s10"
    assert "haze (check it)" in page.evaluate(TEXTS)
    loaded = "Array.from(document.querySelectorAll('dialog img'), each => each.naturalWidth)"
    assert page.evaluate(loaded) == [1, 1]
    for key, name in (("ArrowRight", "s2"), ("ArrowLeft", "s10"), ("ArrowLeft", "bad")):
        page.evaluate(f"dialog.dispatchEvent(new KeyboardEvent('keydown', {{key: {key!r}}})), 0")
        settle(page)
        assert page.evaluate("document.querySelector('#heading').textContent") == name
    assert "import_stack: bad.tif: cannot be read" in page.evaluate(TEXTS)
    assert page.evaluate("document.querySelector('#previous').disabled")
    click(page, "#close")
    settle(page)
    assert not page.evaluate("dialog.open")
    assert page.evaluate("location.hash") == ""


def test_an_address_with_the_name_of_a_stack_shows_it(show):
    page = show(some_stacks(), "#stack-s1")
    assert page.evaluate("document.querySelector('#heading').textContent") == "s1"


def points_of(page, number=0):
    """Return the texts of the points in a plot."""
    return page.evaluate(
        f"""Array.from(document.querySelectorAll('.plot')[{number}].querySelectorAll('a title'),
        title => title.textContent)"""
    )


def test_plots_have_a_point_for_each_stack_and_the_medians_of_groups(show):
    page = show(some_stacks())
    assert sorted(points_of(page)) == ["s10: 5 ", "s1: 30 ", "s2: 7 "]
    label = "document.querySelectorAll('.plot svg')[0].getAttribute('aria-label')"
    assert page.evaluate(label) == (
        "count_found of nuclei by condition; median: "
        "control 7 (n = 1), drug 5 (n = 1), not given 30 (n = 1)"
    )
    choose(page, "#group", "no groups")
    assert "median: all stacks 7 (n = 3)" in page.evaluate(label)
    choose(page, ".plot select", "median_volume_um3 (um3)")
    assert sorted(points_of(page)) == ["s10: 500 um3", "s1: 500 um3", "s2: 500 um3"]
    caption = page.evaluate("document.querySelector('.plot figcaption').textContent")
    assert caption == "Median of volume_um3 over the measured objects"
    shapes = "new Set(Array.from(document.querySelectorAll('.plot a path'), e => e.outerHTML"
    assert page.evaluate(f'{shapes}.match(/fill="(.*?)"/)[1])).size') == 2


def test_groups_and_filters_are_in_the_order_of_numbers(show):
    doses = ["10 µM", "0.5 µM", "none", "0.25 µM", "5 µM"]
    rows = [stack_row(f"s{i}", dose=dose) for i, dose in enumerate(doses)]
    page = show(run_of(rows, user_columns=["dose"], group_by="dose"))
    ordered = ["0.25 µM", "0.5 µM", "5 µM", "10 µM", "none"]
    label = page.evaluate("document.querySelectorAll('.plot svg')[0].getAttribute('aria-label')")
    places = [label.index(f" {dose} 20 (n = 1)") for dose in ordered]
    assert places == sorted(places)
    options = "Array.from(document.querySelectorAll('[data-filter] option'), e => e.textContent)"
    assert page.evaluate(options)[-len(doses) :] == ordered


def test_text_of_the_user_is_text_in_the_browser(show):
    row = stack_row("a", flags=HOSTILE.replace(";", ","), **{HOSTILE: HOSTILE})
    rows = [row, stack_row("b", **{HOSTILE: "other"})]
    page = show(run_of(rows, user_columns=[HOSTILE], facts={"Sheet": HOSTILE}), "#stack-a")
    settle(page)
    assert page.evaluate("window.hit === undefined")
    assert page.evaluate("document.querySelectorAll('b img, td img[src=x]').length") == 0
    assert HOSTILE in page.evaluate(TEXTS)
    assert HOSTILE in page.evaluate("document.querySelector('#stacks tbody').textContent")
    choose(page, "#group", HOSTILE)
    assert page.evaluate("document.querySelector('#group').selectedIndex") == 1
    local = ("file:", "data:")
    assert [each for each in page.requested if not each.startswith(local)] == []
    isolated = "getComputedStyle(document.querySelector('td.name a')).unicodeBidi"
    assert page.evaluate(isolated) == "isolate"  # a mark of direction ends with its element


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [stack_row("one")],
        [failed_row("bad")],
        [stack_row("empty", status="no objects", flags="no objects: why", count_found="0")],
    ],
    ids=["none", "one", "failed", "empty"],
)
def test_runs_of_few_stacks(show, rows):
    page = show(run_of(rows))
    assert len(page.evaluate(NAMES)) == len(rows)
    count = sum(row["status"] == "ok" or row["count_found"] == "0" for row in rows)
    assert len(points_of(page)) == count
    texts = page.evaluate("document.querySelector('.plot svg').textContent")
    assert ("no values" in texts) == (count == 0)


def test_a_narrow_screen_does_not_scroll_sideways(show):
    page = show(some_stacks())
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page._call("Emulation.setDeviceMetricsOverride", **size)
    try:
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        row = "document.querySelector('#stacks tbody tr').getBoundingClientRect()"
        assert page.evaluate(f"{row}.width") <= 390
        assert page.evaluate("getComputedStyle(document.querySelector('#stacks td')).display") == (
            "block"
        )
    finally:
        page._call("Emulation.clearDeviceMetricsOverride")


@pytest.mark.slow
def test_500_stacks_open_quickly_and_are_sorted_at_once(show):
    page = show(many_stacks(500))
    opened = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd / 1000")
    assert 0 < opened < MAX_SECONDS
    start = time.perf_counter()
    sort_by(page, "found")
    choose(page, "[data-filter='1']", "cells")
    page.evaluate("document.body.getBoundingClientRect().height")
    assert time.perf_counter() - start < MAX_SECONDS
    assert len(page.evaluate(NAMES)) == 500
    assert len(points_of(page)) == 490
