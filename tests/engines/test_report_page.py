"""The report page in a real headless Chromium: what it shows, says to a screen reader, and never asks for."""

import datetime as dt
import re
import sys
import time

import pytest

from ratectl import cli
from ratectl.model.job import Pair
from tests.fakes import past
from tests.fakes.station import Station, now

if sys.platform == "win32":
    pytest.skip("the page is looked at with Debian's Chromium", allow_module_level=True)

from axe_core_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

pytestmark = pytest.mark.engine
CHROMIUM = "/usr/bin/chromium"
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
"""No sandbox, since root has none; nothing in the background, since there is no network."""
PAIRS = tuple(
    Pair(base="EUR", quote=code)
    for code in ["USD", "GBP", "JPY", "CHF", "SEK", "NOK", "PLN", "CZK", "HUF", "INR"]
)
CHARTS = len(PAIRS) + 1
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page of ten years of ten pairs, with late, closed, missed and failed slots in the last days."""
    station = Station(folder=tmp_path_factory.mktemp("report"))
    texts = ("every day at 10:30",)
    job = station.job("http://127.0.0.1:1", name="euro", pairs=PAIRS, schedule_texts=texts)
    other = station.job("http://127.0.0.1:1", schedule_texts=texts)
    last = now().replace(hour=10, minute=30, second=0) - dt.timedelta(days=1)
    station.install(job, other, since=last - dt.timedelta(days=4000))
    past.decade(station.state, job, last)
    past.settle(station.state, other, last - dt.timedelta(days=3), after=9000)
    past.settle(station.state, other, last - dt.timedelta(days=2), outcome="closed")
    past.settle(
        station.state, other, last - dt.timedelta(days=1), outcome="missed", detail="<i>late</i>"
    )
    past.fail(station.state, other, last, "offline: no way to ecb")
    path = station.folder / "page.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RATECTL_STATE_DIR", str(station.state))
        with pytest.raises(SystemExit) as ended:
            cli.main(["report", str(path)])
    assert not ended.value.code
    return path


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, report):
    """Open the page; whatever it complains of, or asks a server for, fails the test."""
    complaints, contexts = [], []

    def go(viewport=DESK, at=None, **options):
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        if at is not None:
            page.clock.set_fixed_time(at)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: _is_ours(request.url) or complaints.append(request.url))
        page.goto(report.as_uri())
        if options.get("java_script_enabled", True):
            page.wait_for_selector("html[data-ready=true]")
            page.locator("#rates canvas").first.wait_for()
        return page

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


def _is_ours(url):
    return url.startswith(("file://", "data:", "blob:"))


def option(page, key):
    """Return what ECharts was told of *key*, of the first chart."""
    return page.evaluate(
        "key => echarts.getInstanceByDom(document.querySelector('#rates .plot')).getOption()[key]",
        key,
    )


def test_loads(visit, report, record_property):
    """The page of a decade opens and draws what is on the screen; how fast is told, not judged."""
    begun = time.monotonic()
    page = visit()
    seconds = time.monotonic() - begun

    assert page.locator("#rates figure").count() == CHARTS
    assert page.title().startswith("Exchange rates")
    loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    size = report.stat().st_size / 1e6
    record_property(
        "figures",
        f"{size:.2f} MB, load event after {loaded:.0f} ms, drawn after {seconds * 1000:.0f} ms",
    )


@pytest.mark.parametrize(
    ("days", "told", "outdated"), [(0, r", (\d+ h|1 d) ago", False), (5, r", [56] d ago", True)]
)
def test_the_page_stays_open(visit, days, told, outdated):
    """How long ago is told anew by the browser's clock, and a page older than a slot says so."""
    page = visit(at=dt.datetime.now(dt.UTC) + dt.timedelta(days=days))
    ago = page.locator("td[data-label='Newest rate'] .relative").first

    assert re.fullmatch(told, ago.inner_text())
    assert page.locator("#outdated").is_visible() is outdated


def test_one_rate(visit):
    """One rate is told, and no axis is invented around it."""
    page = visit()
    alone = page.locator("#rates figure", has_text="1 rate,")

    assert alone.count() == 1
    assert alone.locator(".plot").count() == 0


def test_hover(visit):
    """Over a chart the pointer shows a moment and its rate, with the digits that the provider gave."""
    page = visit()
    page.locator("#rates .plot canvas").first.hover()

    tip = (
        page.locator("#rates .plot")
        .first.locator("div", has_text=re.compile(r"^\d{4}-\d\d-\d\d 10:30"))
        .last
    )
    tip.wait_for()
    day, rate = re.fullmatch(r"(\S+) 10:30\s*(\d+\.\d{4})", tip.inner_text()).groups()
    assert rate == _rates(page)[day]


def _rates(page):
    """Return the rates of the first chart by day, out of the table of its numbers."""
    figure = page.locator("#rates figure").first
    figure.locator("summary").click()
    figure.locator("tbody tr").first.wait_for()
    rows = figure.locator("tbody").inner_text().splitlines()
    return dict(row.replace(" 10:30", "").split("\t") for row in rows)


def test_keyboard(visit):
    """Arrow keys read single rates aloud: the last, the one before, the first, and a month on."""
    page = visit()
    plot, said = page.locator("#rates .plot").first, page.locator("#rates output").first
    rates = list(_rates(page).items())  # the newest first
    heard = []
    plot.focus()
    for key in ("End", "ArrowLeft", "Home", "PageDown"):
        page.keyboard.press(key)
        heard.append(said.inner_text())

    assert heard == [
        f"{day} 10:30: {rate}" for day, rate in (rates[0], rates[1], rates[-1], rates[-31])
    ]


@pytest.mark.parametrize(("button", "days"), [("1 month", 31), ("1 year", 366), ("All", 3652)])
def test_zoom(visit, button, days):
    """A button shows so much of every chart, and says that it is pressed."""
    page = visit()
    page.get_by_role("button", name="5 years").click()
    page.get_by_role("button", name=button).click()

    zoom = option(page, "dataZoom")[0]
    assert round((zoom["endValue"] - zoom["startValue"]) / 86_400_000) == days
    assert page.locator("[aria-pressed=true]").inner_text() == button


def test_wheel(visit):
    """Ctrl and the wheel zoom into a chart; the wheel alone scrolls the page."""
    page = visit()
    page.locator("#rates .plot canvas").first.hover()
    page.mouse.wheel(0, 300)
    page.wait_for_function("() => scrollY > 0")
    assert option(page, "dataZoom")[0]["start"] == 0

    page.evaluate("scrollTo(0, 0)")
    page.locator("#rates .plot canvas").first.hover()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.wait_for_function(
        "() => echarts.getInstanceByDom(document.querySelector('#rates .plot')).getOption().dataZoom[0].start > 0"
    )


def test_calendar(visit):
    """For the chosen job and year the calendar says how the slots went, also in words."""
    page = visit()
    section = page.locator("#calendar")
    section.scroll_into_view_if_needed()
    section.get_by_label("Job").select_option("usd-inr")
    section.locator("svg").wait_for()

    told = section.locator("output").inner_text()
    assert re.fullmatch(r"usd-inr in \d{4}: .*1 late.*", told) or "1 failed" in told
    assert section.get_by_label("Year").locator("option").count() >= 1
    assert section.locator(".plot").get_attribute("aria-label") == f"Calendar of {told}"


def test_calendar_hover(visit):
    """A day of the calendar says what became of its slots."""
    page = visit()
    box = page.locator("#calendar .plot")
    page.locator("#calendar").get_by_label("Year").select_option(index=1)
    box.scroll_into_view_if_needed()
    box.locator("svg").wait_for()
    size = box.bounding_box()
    page.mouse.move(size["x"] + size["width"] / 2, size["y"] + size["height"] / 2)

    tip = box.locator("div", has_text=re.compile(r"^\d{4}-\d\d-\d\d")).last
    tip.wait_for()
    assert "1 on time" in tip.inner_text()


def test_timeline(visit):
    """The next thirty days have a line for each job, which is told to screen readers as well."""
    page = visit()
    plot = page.locator("#timeline .plot")
    plot.scroll_into_view_if_needed()
    plot.locator("svg").wait_for()

    label = plot.get_attribute("aria-label")
    assert "euro: Every day at 10:30." in label
    assert "usd-inr: Every day at 10:30." in label


def test_failures(visit):
    """What failed stands in a table with its class, as text, whatever it contains."""
    rows = visit().locator("section[aria-labelledby=troubles-title] tbody tr").all_inner_texts()

    assert any("offline" in row and "no way to ecb" in row for row in rows)
    assert any("<i>late</i>" in row for row in rows)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_accessible(visit, scheme, viewport):
    """The checker axe finds no violation of WCAG 2.1 A and AA, in either colour scheme and width."""
    page = visit(viewport, color_scheme=scheme)
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}

    found = Axe().run(page, options=rules)["violations"]

    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == []


def test_colour_scheme(visit):
    """Dark is dark, and a change while the page is open redraws the charts."""
    page = visit(color_scheme="light")
    light = option(page, "textStyle")["color"]
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "was => echarts.getInstanceByDom(document.querySelector('#rates .plot')).getOption().textStyle.color !== was",
        arg=light,
    )

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 28)"


def test_phone(visit):
    """On a phone nothing but the calendar is wider than the screen."""
    page = visit(PHONE)

    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert page.locator("#rates .plot").first.bounding_box()["width"] > 300


def test_print(visit, tmp_path):
    """Printed, every chart is drawn, and what only a screen can use is left out."""
    page = visit()
    page.pdf(path=tmp_path / "page.pdf")
    page.emulate_media(media="print")

    assert page.locator("#rates .plot > div > canvas:first-child").count() == len(PAIRS)
    assert not page.locator(".controls").first.is_visible()


def test_paper_is_light(visit):
    """What is dark on the screen is printed in the light colours, calendar and all, and is dark again afterwards."""
    page = visit(color_scheme="dark")
    looks = []
    for event in ("beforeprint", "afterprint"):
        page.evaluate("name => dispatchEvent(new Event(name))", event)
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        looks.append((background, option(page, "textStyle")["color"]))

    assert looks == [("rgb(255, 255, 255)", "#1b1f27"), ("rgb(20, 23, 28)", "#e8eaee")]
    assert page.locator("#calendar svg path").count() > 300


def test_without_javascript(visit):
    """The tables need no JavaScript, and the page says what does."""
    page = visit(java_script_enabled=False)

    text = page.locator("body").inner_text()
    assert "The charts need JavaScript" in text
    assert "no way to ecb" in text
