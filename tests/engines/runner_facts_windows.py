"""Facts that only a real Task Scheduler can settle: each is printed, for the table in the manual. Run by its path.

``python -m pytest -s tests/engines/runner_facts_windows.py`` on Windows itself; all that it makes is taken away again.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import subprocess
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ratectl.backends.windows import backend as windows
from ratectl.backends.windows.task import sweep_task
from ratectl.backends.windows.task_xml import NAMESPACE, element, parse, readings, to_bytes
from ratectl.deploy.machine import windows as windows_account
from tests.engines import clock_facts, life
from tests.engines.test_task_scheduler import TASK as LIVING
from tests.engines.test_task_scheduler import real_windows
from tests.fakes.jobs import job
from tests.fakes.machine import host
from tests.support.rate_server import RateServer, demo_table

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not real_windows(), reason="the Task Scheduler runs on Windows alone"),
]

TASK = rf"\ratectl-facts-{os.getpid()}"
FAILING = "echo x>>{log} & exit 75"


def told(fact):
    """Print a fact with the version that it was seen on."""
    print(f"FACT Windows {platform.version()}: {fact}")  # noqa: T201 - what it is for


def task(command, arguments, *, user, settings=(), schedule="every day at 10:30", elevated=False):
    """Return a task for *user* that starts *command*, with further elements among its *settings*."""
    here = host(platform="win32", fetch=(command,), user=user, zone=ZoneInfo("UTC"), root=elevated)
    usd = job("facts", schedule=f'"{schedule}"')
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


SHAPES = {
    "each minute": "every minute",
    "35 triggers": "every day at " + ", ".join(f"{n // 2:02}:{n * n % 60:02}" for n in range(35)),
    "the last day": "every month on the last day at 10:30",
}
"""Jobs whose tasks differ most: one pulse, many triggers, a day that the calendar moves."""
LAST_RESULT = "(Get-ScheduledTaskInfo -TaskPath '{folder}' -TaskName '{name}').LastTaskResult"


@pytest.mark.parametrize("shape", SHAPES)
def test_installed_twice(tmp_path, shape):
    """A second install finds nothing to do; a job of each minute has two slots after 150 seconds, and the last result 0."""
    with RateServer(demo_table()) as rates:
        made = life.Life(folder=tmp_path, url=rates.url, engine="windows")
        try:
            made.install(SHAPES[shape])
            made.nothing_is_left_to_install()
            what = f"{shape}, elevated {windows_account.is_elevated()}: installed, and nothing left"
            if shape == "each minute":
                time.sleep(life.PATIENCE)
                what += f", {made.lines()} slots in {life.PATIENCE} s, last result {last_result()}"
                assert made.lines() >= 2
            told(what)
        finally:
            made.remove()


def last_result():
    """Return with what the living job's task ended the last time."""
    folder, _, name = LIVING.rpartition("\\")
    line = LAST_RESULT.format(folder=f"{folder}\\", name=name)
    argv = ("powershell.exe", "-NoProfile", "-Command", line)
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def test_a_one_shot_out_of_a_task(create, tmp_path):
    """Whether a task, S4U where this prompt is elevated, may register another one that runs once."""
    log, other = tmp_path / "log", f"{TASK}-once"
    line = f'/c schtasks /Create /TN {other} /SC ONCE /ST 23:59 /TR "cmd /c exit" /F & call echo %^errorlevel%>{log}'
    elevated = windows_account.is_elevated()
    tree = task("cmd.exe", line, user=windows_account.sid(), elevated=elevated)
    try:
        assert create(tree).returncode == 0
        schtasks("/Run", "/TN", TASK)
        time.sleep(20)
        said = log.read_text().strip() if log.exists() else "nothing"
        told(
            f"a one-shot registered out of a task, elevated {elevated}: schtasks ended with {said}"
        )
    finally:
        schtasks("/Delete", "/TN", other, "/F")


def test_a_network_that_is_connected(create):
    """Whether the task that tries again is taken with its event, and by an account without an administrator's rights."""
    here = host(platform="win32", fetch=("cmd.exe",), user=windows_account.sid())
    done = create(sweep_task(here))

    told(
        f"an event trigger, elevated {windows_account.is_elevated()}: schtasks ends with {done.returncode}"
    )
    assert done.returncode == 0


def clock_command(moment):
    """Return the command that sets the clock to *moment* (UTC)."""
    return (
        "powershell.exe",
        "-NoProfile",
        "-Command",
        f"Set-Date ([datetime]'{moment:%Y-%m-%dT%H:%M:%SZ}')",
    )


@clock_facts.MAY_SET_THE_CLOCK
def test_both_clock_changes(create, tmp_path):
    """Which starts the service makes of a time that clocks skip, and of one that comes twice."""
    subprocess.run(("tzutil", "/s", clock_facts.WINDOWS_ZONE), check=True)
    log, before = tmp_path / "starts", time.monotonic()
    began = dt.datetime.now(dt.UTC)
    times = " and ".join(f"{hour:02}:{minute:02}" for hour, minute in clock_facts.TIMES)
    line = f"/c echo x>>{log}"
    tree = task("cmd.exe", line, user=windows_account.sid(), schedule=f"every day at {times}")
    assert create(tree).returncode == 0
    try:
        for moment in clock_facts.MOMENTS:
            told(clock_facts.watch(set_clock, log, moment))
    finally:
        set_clock(began + dt.timedelta(seconds=time.monotonic() - before))


def set_clock(moment):
    subprocess.run(clock_command(moment), capture_output=True, check=True)
