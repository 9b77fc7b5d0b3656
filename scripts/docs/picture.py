"""Photographs the report page in Chromium: README.md's two pictures, or every state in a folder that is named.

Needs the extra ``dev`` and Debian's chromium, which scripts/test.py installs. Nothing leaves the machine.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

from scripts.docs import states

GITHUB = Path(__file__).resolve().parents[2] / ".github"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
SHOWN, WIDE, MARGIN = "desks", 1240, 16
"""The state that README.md shows, how wide its picture is, and what it has below the table."""
WIDTHS = (1440, 768, 375)
SCHEMES: dict[Literal["light", "dark"], str] = {"light": "report.png", "dark": "report-dark.png"}


def main(words: list[str]) -> int:
    """Take README.md's pictures; with the name of a folder those of every state, in every width and colour, and on paper."""
    wanted = set(words[1:])
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for state, folder in states.build(Path(name), dt.datetime.now(dt.UTC)):
            if words and (not wanted or state in wanted):
                page = report(folder)
                photograph_all(browser, page, Path(words[0]) / state)
            elif state == SHOWN and not words:
                photograph(browser, report(folder))
        browser.close()
    return 0


def report(folder: Path) -> Path:
    """Let ``ratectl report`` write the page of the journal in *folder*, as in Kolkata, while its jobs are served."""
    environment = os.environ | {"RATECTL_STATE_DIR": str(folder), "TZ": "Asia/Kolkata"}
    path = folder.with_suffix(".html")
    argv = (sys.executable, "-m", "ratectl", "report", str(path))
    with states.served(folder):
        subprocess.run(argv, env=environment, stdout=subprocess.DEVNULL, check=True)
    return path


def photograph(browser: Browser, page: Path) -> None:
    """Write README.md's pictures: the page down to the end of its table, light and dark."""
    for scheme, name in SCHEMES.items():
        shown = browser.new_page(viewport={"width": WIDE, "height": 900}, color_scheme=scheme)
        shown.goto(page.as_uri())
        bottom = shown.evaluate("document.getElementById('table').getBoundingClientRect().bottom")
        shown.set_viewport_size({"width": WIDE, "height": int(bottom) + MARGIN})
        shown.screenshot(path=GITHUB / name)
        print(f"wrote {GITHUB / name}")


def photograph_all(browser: Browser, page: Path, folder: Path) -> None:
    """Write the pictures of one state: whole pages of every width, light and dark, one with a chart, and paper."""
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in SCHEMES:
        for width in WIDTHS:
            shown = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            shown.goto(page.as_uri())
            shown.screenshot(path=folder / f"{width}-{scheme}.png", full_page=True)
            link = shown.locator("#table a").first
            if link.count():
                link.click()
                shown.locator("summary").first.click()
                shown.screenshot(path=folder / f"{width}-{scheme}-open.png", full_page=True)
            shown.close()
    paper = browser.new_page()
    paper.goto(page.as_uri())
    paper.pdf(path=folder / "paper.pdf", format="A4")
    paper.close()
    print(f"wrote {folder}")
