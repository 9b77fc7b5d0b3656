"""The report page in a real headless Chromium: what it shows, says to a screen reader, and never asks for."""

import csv
import datetime as dt
import io
import json
import math
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
MINUS, EN_DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 812}
TABLET = {"width": 768, "height": 1024}


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

    def go(viewport=DESK, at=None, address="", **options):
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        if at is not None:
            page.clock.set_fixed_time(at)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: _is_ours(request.url) or complaints.append(request.url))
        page.goto(report.as_uri() + address)
        if options.get("java_script_enabled", True):
            page.wait_for_selector("html[data-ready=true]")
        return page

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


def _is_ours(url):
    return url.startswith(("file://", "data:", "blob:"))


def opened(page, pair="EUR/USD"):
    """Open the chart of *pair* by its link, and return the chart."""
    page.get_by_role("link", name=pair, exact=True).click()
    chart = page.locator(".chart")
    chart.locator("svg .line").first.wait_for()
    return chart


def recorded(days=3653):
    """Return the rates of EUR/USD, the oldest first, as the journal was filled with them."""
    return [f"{90 + 5 * math.sin(n / 200) + n % 7 / 10:.4f}" for n in range(3653)][-days:]


def test_loads(visit, report, record_property):
    """The page of a decade opens at once; how fast is told, not judged."""
    begun = time.monotonic()
    page = visit()
    seconds = time.monotonic() - begun

    assert page.locator("#table tbody tr").count() == len(PAIRS) + 1
    assert page.title().endswith(" · Exchange rates")
    loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    size = report.stat().st_size / 1e6
    record_property(
        "figures",
        f"{size:.2f} MB, load event after {loaded:.0f} ms, ready after {seconds * 1000:.0f} ms",
    )


@pytest.mark.parametrize(
    ("days", "told", "outdated"), [(0, r"\d+ h|1 d", False), (5, r"[56] d", True)]
)
def test_the_page_stays_open(visit, days, told, outdated):
    """How old a rate is is told anew by the browser's clock, and a page older than a slot says so."""
    page = visit(at=dt.datetime.now(dt.UTC) + dt.timedelta(days=days))
    age = page.locator("#table tr:has-text('EUR/USD') .old")

    assert re.fullmatch(told, age.inner_text())
    assert page.locator("#outdated").is_visible() is outdated


def test_numbers(visit):
    """The row of a pair has the newest rate, its change over a week and over a year, and the year's extremes, exactly."""
    row = visit().locator("#table tr", has_text="EUR/USD")
    rates = recorded()
    newest, week, year = (float(rates[-n]) for n in (1, 8, 366))

    assert row.locator(".rate").inner_text() == rates[-1]
    changes = [text.replace(MINUS, "-") for text in row.locator(".change").all_inner_texts()]
    assert changes[1].endswith(f"{(newest / week - 1) * 100:+.2f}")
    assert changes[3].endswith(f"{(newest / year - 1) * 100:+.2f}")
    low, _mean, high = row.locator(".year div span").all_inner_texts()
    assert (low, high) == (min(rates[-366:]), max(rates[-366:]))


def test_chart(visit):
    """A click opens the chart of a year, which has an address; the change, the lowest and the highest are of what is shown."""
    page = visit()
    chart = opened(page)
    rates = recorded(366)

    assert page.url.endswith("#euro/EUR-USD/1y")
    told = chart.locator(".keys li").inner_text().replace(MINUS, "-")
    assert f"{(float(rates[-1]) / float(rates[0]) - 1) * 100:+.2f} %" in told
    assert f"lowest {min(rates)}" in told
    assert f"highest {max(rates)}" in told
    assert re.search(r"; (\d+ of \d[\d,]+ rates|of \d[\d,]+ rates, \d[\d,]+ drawn)$", told), told
    page.keyboard.press("Escape")
    assert chart.count() == 0
    assert "#" not in page.url


@pytest.mark.parametrize(
    ("address", "keys", "pressed"),
    [
        ("#euro/EUR-GBP/5y", ["EUR/GBP"], "5 y"),
        ("#euro/EUR-USD+euro/EUR-JPY/30d", ["EUR/USD", "EUR/JPY"], "30 d"),
        ("#euro/EUR-USD/2025-01-01..2025-02-01", ["EUR/USD"], None),
        ("#nobody/EUR-USD/1y", [], None),
    ],
)
def test_address(visit, address, keys, pressed):
    """An address opens its chart again: one pair or several, a named range or two days."""
    page = visit(address=address)

    assert [text.split()[0] for text in page.locator(".keys li").all_inner_texts()] == keys
    assert page.locator(".chart [aria-pressed=true]").all_inner_texts() == (
        [pressed] if pressed else []
    )


def test_compare(visit):
    """Several pairs begin at 100 together, each with a line of its own."""
    page = visit()
    chart = opened(page)
    chart.get_by_label("Compare with").select_option(index=1)
    page.locator(".chart .plot .line.n1").wait_for()

    assert "Each pair is 100 on" in page.locator(".chart").inner_text()
    assert page.url.endswith("#euro/EUR-USD+euro/EUR-GBP/1y")


def test_pointer(visit):
    """Over a chart the pointer reads a moment and its rate, with the provider's digits, its day and from whom it is."""
    page = visit()
    chart = opened(page)
    chart.locator(".plot").hover()

    told = chart.locator("output").inner_text()
    found = re.fullmatch(r"\w{3} (\S+) 10:30: (\d+\.\d{4}) of (\S+), ecb", told)
    assert found
    assert found[1] == found[3]
    assert found[2] in recorded(366)


def test_keyboard(visit):
    """Arrow keys read single rates: the last, the one before, the first, and a month on."""
    page = visit()
    chart = opened(page)
    rates = recorded(366)
    heard = []
    chart.locator(".plot").focus()
    for key in ("End", "ArrowLeft", "Home", "PageDown"):
        page.keyboard.press(key)
        heard.append(chart.locator("output").inner_text().split(": ")[1].split()[0])

    assert heard == [rates[-1], rates[-2], rates[0], rates[30]]


def test_zoom(visit):
    """A button, the keys, and dragging show another stretch; the wheel alone scrolls, and with Ctrl zooms."""
    page = visit()
    chart = opened(page)
    chart.get_by_role("button", name="all").click()
    assert page.url.endswith("/all")
    plot = page.locator(".chart .plot")
    plot.focus()
    page.keyboard.press("+")
    assert ".." in page.url
    assert page.evaluate("document.activeElement.className") == "plot"

    page.get_by_role("button", name="all").click()
    page.locator(".chart .plot").scroll_into_view_if_needed()
    box = page.locator(".chart .plot").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 80)
    page.mouse.up()
    page.wait_for_function("() => location.hash.includes('..')")
    first, last = page.url.rsplit("/", 1)[1].split("..")
    assert 0 < (dt.datetime.fromisoformat(last) - dt.datetime.fromisoformat(first)).days < 1200

    page.get_by_role("button", name="all").click()
    page.locator(".chart .plot").hover()
    page.mouse.wheel(0, 120)
    assert page.url.endswith("/all")
    page.keyboard.down("Control")
    page.locator(".chart .plot").hover()
    page.mouse.wheel(0, -120)
    page.wait_for_function("() => location.hash.includes('..')")


def test_saved(visit):
    """CSV and JSON hold what is shown, each rate with its day and its provider."""
    page = visit(address="#euro/EUR-USD/30d")
    texts = []
    for form in ("CSV", "JSON"):
        with page.expect_download() as saved:
            page.locator(".chart").get_by_role("button", name=form).click()
        texts.append(saved.value.path().read_text(encoding="utf-8"))
    rows = list(csv.DictReader(io.StringIO(texts[0])))

    assert [row["rate"] for row in rows] == recorded(31)
    assert rows == json.loads(texts[1])
    assert set(rows[0]) == {"job", "pair", "slot", "zone", "rate", "rate_date", "provider", "kind"}


def test_sort(visit):
    """A heading sorts upwards, downwards, and as it was, and says so."""
    page = visit()
    pairs = page.locator("#table tbody th > :first-child")
    before = pairs.all_inner_texts()
    seen = []
    for _ in range(3):
        page.get_by_role("button", name="Pair").click()
        seen.append((page.locator("[aria-sort]").count(), pairs.all_inner_texts()))

    assert seen == [(1, sorted(before)), (1, sorted(before, reverse=True)), (0, before)]


def test_one_rate(visit):
    """A pair with one rate has no line, no year, and no axis; its chart tells it."""
    page = visit(address="#usd-inr/USD-INR/1y")
    row = page.locator("#table tr:not(.opened)", has_text="USD/INR")

    assert page.locator(".plot").count() == 0
    assert page.locator(".chart output").inner_text().endswith(", frankfurter")

    assert row.locator(".spark").count() == 0
    assert row.locator(".year").inner_text() == EN_DASH


def test_slots(visit):
    """A job's days are told in words, and a click shows its year."""
    page = visit()
    job = page.locator(".slots", has_text="usd-inr")

    assert re.search(
        "1 late, 1 closed, 1 failed, 1 missed", job.locator(".strip").get_attribute("aria-label")
    )
    assert job.locator(".percent").inner_text().startswith("0 %")
    assert not job.locator(".calendar").is_visible()
    job.locator("summary").click()
    assert job.locator(".calendar").is_visible()


def test_failures(visit):
    """What failed stands folded in a table with its class, as text, whatever it contains."""
    page = visit()
    page.get_by_text("What failed").click()
    rows = page.locator(".troubles tbody tr").all_inner_texts()

    assert any("offline" in row and "no way to ecb" in row for row in rows)
    assert any("<i>late</i>" in row for row in rows)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, TABLET, PHONE], ids=["desk", "tablet", "phone"])
def test_accessible(visit, scheme, viewport):
    """The checker axe finds no violation of WCAG 2.1 A and AA in any colour scheme and width, with all open."""
    page = visit(viewport, color_scheme=scheme)
    opened(page)
    for summary in page.locator("summary").all():
        summary.click()
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}

    found = Axe().run(page, options=rules)["violations"]

    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == []


def test_colour_scheme(visit):
    """Dark is dark, and a change while the page is open changes all."""
    page = visit(color_scheme="light")
    looks = [page.evaluate("getComputedStyle(document.body).backgroundColor")]
    page.emulate_media(color_scheme="dark")
    looks.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    assert looks == ["rgb(255, 255, 255)", "rgb(20, 23, 28)"]


@pytest.mark.parametrize("viewport", [DESK, TABLET, PHONE], ids=["desk", "tablet", "phone"])
def test_nothing_is_cut(visit, viewport):
    """The page is never wider than the screen, with a chart open or not, and no cell hides text."""
    page = visit(viewport)
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    opened(page)

    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    assert (
        page.evaluate(
            "[...document.querySelectorAll('#table td')].filter((cell) => cell.scrollWidth > cell.clientWidth + 1).length"
        )
        == 0
    )


def test_print(visit, tmp_path):
    """On paper it is light, whatever the screen is, and what only a screen can use is left out."""
    page = visit(color_scheme="dark")
    opened(page)
    page.pdf(path=tmp_path / "page.pdf")
    page.emulate_media(media="print")

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator(".controls").first.is_visible()
    assert not page.locator(".chart").is_visible()
    assert page.locator("#table .rate").first.is_visible()


def test_what_is_folded_is_printed(visit):
    """Paper cannot be clicked: what failed is unfolded for it, and folded again afterwards; calendars stay folded."""
    page = visit()
    states = "[...document.querySelectorAll('details')].map((box) => [box.className, box.open])"
    before = page.evaluate(states)

    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    on_paper = [is_open for name, is_open in page.evaluate(states) if "slots" not in name]
    page.evaluate("dispatchEvent(new Event('afterprint'))")

    assert on_paper
    assert all(on_paper)
    assert page.evaluate(states) == before
    assert not any(is_open for _, is_open in before)


@pytest.mark.parametrize("width", [375, 768, 1440])
def test_the_axis_has_two_numbers(visit, width):
    """However little room there is, the chart says how much is how high."""
    page = visit(viewport={"width": width, "height": 800})
    chart = opened(page)
    chart.get_by_role("button", name="30 d").click()

    assert chart.locator("svg path.grid").count() >= 2


def test_without_javascript(visit):
    """All but the charts needs no JavaScript, and the page says so."""
    page = visit(java_script_enabled=False)
    text = page.locator("body").inner_text()

    assert "The charts need JavaScript" in text
    assert recorded()[-1] in text
    assert page.locator("#table .spark").count() == len(PAIRS)
    assert not page.locator("#tools").is_visible()
    page.locator(".slots summary").first.click()
    assert page.locator(".calendar").first.is_visible()
