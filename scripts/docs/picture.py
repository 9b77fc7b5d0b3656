"""Takes the pictures of the report page that README.md begins with, light and dark: the ECB's rates, in Chromium.

Needs the extra ``dev`` and Debian's chromium, which scripts/test.py installs. Nothing leaves the machine: the rates
come from the rate server, through ``ratectl backfill``, as they would from a provider.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

from ratectl import spec
from ratectl.journal.journal import Journal
from tests.support import rate_server
from tests.support.rate_table import TABLES

FOLDER = Path(__file__).resolve().parents[2] / ".github"
PICTURES: dict[Literal["light", "dark"], Path] = {
    "light": FOLDER / "report.png",
    "dark": FOLDER / "report-dark.png",
}
"""By the colour scheme of whoever looks."""
CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
WIDTH = 1120
YEARS = 10
LAPSE = dt.timedelta(days=9)
"""For how long the jobs have been installed, and nothing ran yet: what a catch-up has to do."""
SPEC = """
[defaults]
providers = ["frankfurter"]
timezone = "Asia/Kolkata"
catch_up = "all"
[providers.frankfurter]
base_url = "{url}/v1"
[jobs.usd-inr]
pairs = ["USD/INR"]
schedule = "every day at 10:30"
output = "rates.txt"
[jobs.euro]
pairs = ["EUR/USD", "EUR/GBP", "EUR/JPY"]
schedule = "every weekday at 16:30"
timezone = "Europe/Berlin"
output = "euro.csv"
"""


def main(_words: list[str]) -> int:
    """Make the journal and the page in a folder that goes away again, and take the pictures."""
    with tempfile.TemporaryDirectory() as name, rate_server.RateServer(TABLES["ecb"]()) as rates:
        folder = Path(name)
        install(folder, rates.url)
        since = f"--since={dt.datetime.now(dt.UTC).year - YEARS}-01-01"
        for words in (
            *(("backfill", job, since) for job in ("usd-inr", "euro")),
            ("run", "--all"),
            ("report", str(folder / "page.html")),
        ):
            ratectl(folder, *words)
        for scheme, picture in PICTURES.items():
            photograph(folder / "page.html", scheme, picture)
            print(f"wrote {picture}")
    return 0


def install(folder: Path, url: str) -> None:
    """Record the jobs as ``ratectl serve`` would: no scheduler of this machine is touched."""
    text = SPEC.format(url=url).encode()
    jobs = spec.loads(text, path=folder / "jobs.toml", host_timezone="Asia/Kolkata").jobs
    (folder / "jobs.toml").write_bytes(text)
    with Journal(folder) as journal:
        journal.record_jobs(
            jobs,
            spec=str(folder / "jobs.toml"),
            digest="",
            backend="serve",
            scope="user",
            host_timezone="Asia/Kolkata",
            now=dt.datetime.now(dt.UTC) - LAPSE,
        )


def ratectl(folder: Path, *words: str) -> None:
    """Run one command on the journal in *folder*, in Kolkata."""
    environment = os.environ | {"RATECTL_STATE_DIR": str(folder), "TZ": "Asia/Kolkata"}
    argv = (sys.executable, "-m", "ratectl", *words)
    subprocess.run(argv, env=environment, stdout=subprocess.DEVNULL, check=True)


def photograph(page: Path, scheme: Literal["light", "dark"], picture: Path) -> None:
    """Write what Chromium shows of *page* in a colour *scheme*, down to the table of failures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        shown = browser.new_page(viewport={"width": WIDTH, "height": 2200}, color_scheme=scheme)
        shown.goto(page.as_uri())
        shown.get_by_role("button", name="5 years").click()
        shown.locator("#calendar select").first.select_option("usd-inr")
        shown.locator("#timeline svg").first.wait_for()
        below = shown.locator("#troubles-title").bounding_box()
        height = int(below["y"]) - 20 if below else 2200
        shown.screenshot(path=picture, clip={"x": 0, "y": 0, "width": WIDTH, "height": height})
        browser.close()
