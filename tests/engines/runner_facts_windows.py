"""Facts that only a real Task Scheduler can settle: each is printed, for the table in the manual. Run by its path.

``python -m pytest -s tests/engines/runner_facts_windows.py`` on Windows itself; all that it makes is taken away again.
"""

from __future__ import annotations

import os
import platform
import subprocess
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ratectl.backends.windows import backend as windows
from ratectl.backends.windows.task_xml import NAMESPACE, element, parse, readings, to_bytes
from ratectl.deploy.machine import windows as windows_account
from tests.engines.test_task_scheduler import real_windows
from tests.fakes.jobs import job
from tests.fakes.machine import host

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not real_windows(), reason="the Task Scheduler runs on Windows alone"),
]

TASK = rf"\ratectl-facts-{os.getpid()}"
FAILING = "echo x>>{log} & exit 75"


def told(fact):
    """Print a fact with the version that it was seen on."""
    print(f"FACT Windows {platform.version()}: {fact}")  # noqa: T201 - what it is for


def task(command, arguments, *, user, settings=()):
    """Return a task for *user* that starts *command*, with further elements among its *settings*."""
    here = host(platform="win32", fetch=(command,), user=user, zone=ZoneInfo("UTC"))
    usd = job("facts")
    (made,) = windows.render(usd, windows.check(usd, here.zone), here, "user")
    tree = parse(made.data)
    node = tree.find(f".//{{{NAMESPACE}}}Arguments")
    node.text = arguments
    place = tree.find(f"{{{NAMESPACE}}}Settings")
    for part in settings:
        place.append(part)
    return tree


def restarting():
    """Return the setting that starts a task again each minute, thrice, when it failed."""
    return element("RestartOnFailure", element("Interval", "PT1M"), element("Count", "3"))


def schtasks(*words):
    return subprocess.run(("schtasks.exe", *words), capture_output=True, check=False)


@pytest.fixture
def create(tmp_path):
    """Register a task, and delete it afterwards."""

    def created(tree):
        draft = tmp_path / "draft.xml"
        draft.write_bytes(to_bytes(tree))
        return schtasks("/Create", "/TN", TASK, "/XML", str(draft), "/F")

    yield created
    schtasks("/Delete", "/TN", TASK, "/F")


def test_restart_on_failure(create, tmp_path):
    """Whether RestartOnFailure starts a task again that ended with 75."""
    log = tmp_path / "starts"
    line = f"/c {FAILING.format(log=log)}"
    tree = task("cmd.exe", line, user=windows_account.sid(), settings=(restarting(),))
    assert create(tree).returncode == 0
    schtasks("/Run", "/TN", TASK)
    time.sleep(150)

    told(f"RestartOnFailure after exit 75: {log.read_text().count('x')} starts in 150 s")


def test_a_stride_of_more_than_a_year(create):
    """Whether DaysInterval 366 is refused."""
    tree = task("cmd.exe", "/c exit", user=windows_account.sid())
    tree.find(f".//{{{NAMESPACE}}}DaysInterval").text = "366"

    done = create(tree)

    told(f"DaysInterval 366: schtasks ends with {done.returncode}")


@pytest.mark.parametrize("page", [437, 850, 1252, 65001])
def test_code_pages(create, page):
    """In which encoding an export with an umlaut reaches a pipe after ``chcp``."""
    assert create(task(r"C:\Jürgen\x.exe", "", user=windows_account.sid())).returncode == 0
    line = f"chcp {page} >nul & schtasks /Query /TN {TASK} /XML"
    done = subprocess.run(("cmd.exe", "/c", line), capture_output=True, check=False)

    pages = (f"cp{page}", *windows_account.code_pages())
    right = [p or "Unicode" for tree, p in readings(done.stdout, pages) if "Jürgen" in text(tree)]
    told(f"chcp {page}: the export is read by {right}")
    assert right


def text(tree):
    return ET.tostring(tree, encoding="unicode")


def test_folders():
    """Whether a folder is listed by its name, ours and one that is not there."""
    there = schtasks("/Query", "/FO", "CSV", "/NH", "/TN", "\\Microsoft\\Windows\\Defrag\\")
    gone = schtasks("/Query", "/FO", "CSV", "/NH", "/TN", f"{TASK}\\none\\")

    told(f"/Query of a folder: {there.returncode}, of none: {gone.returncode}")
    assert gone.returncode != 0


def test_the_account():
    """What the system tells of the account and of the session that it is logged on in."""
    told(
        f"account {windows_account.sid()}, session of {windows_account.logged_on_sid() or 'nobody'}, "
        f"elevated {windows_account.is_elevated()}, network drives {windows_account.network_drives()}, "
        f"paths up to {windows_account.longest_path()}, in {Path.home()}"
    )
    assert windows_account.sid().startswith("S-1-")
