"""The dry parts of the checks for a real runner: what they would load and register is whole, on any system."""

from __future__ import annotations

import plistlib
from zoneinfo import ZoneInfo

import pytest

from ratectl.backends.windows.task_xml import NAMESPACE, parse, to_bytes
from tests.backends.windows import task_rules
from tests.engines import clock_facts
from tests.engines import runner_facts_mac as mac
from tests.engines import runner_facts_windows as windows
from tests.fakes.launchd import Launchd
from tests.fakes.machine import Machine
from tests.fakes.tasks import SID, Tasks


def test_agents():
    """The launchctl of the tests takes the agents, and starts again what does not end with 0."""
    machine = Machine(mac=True)
    keys = {"KeepAlive": {"SuccessfulExit": False}, "ThrottleInterval": 60}
    machine.files[mac.AGENT] = mac.agent("exit 75", StartCalendarInterval=[{}], **keys)
    launchd = Launchd(machine)

    assert launchd.call(("bootstrap", "gui/501", str(mac.AGENT))).code == 0
    assert launchd.ended(f"gui/501/{mac.LABEL}", 75) == 60
    assert plistlib.loads(machine.files[mac.AGENT])["Label"] == mac.LABEL


def test_switched_off_and_on():
    """The launchctl of the tests refuses an agent that was disabled, and takes it once it is enabled."""
    machine = Machine(mac=True)
    machine.files[mac.AGENT] = mac.agent("exit 0")
    launchd = Launchd(machine)
    load = ("bootstrap", "gui/501", str(mac.AGENT))
    launchd.call(("disable", f"gui/501/{mac.LABEL}"))
    refused = launchd.call(load).code
    launchd.call(("enable", f"gui/501/{mac.LABEL}"))

    assert refused
    assert launchd.call(load).code == 0
    assert launchd.call(("print", "gui/501")).code == 0


def test_clocks():
    """The moments lie right before what they ask for, and each system's command names them."""
    zone = ZoneInfo(clock_facts.ZONE)
    shown = [moment.utc.astimezone(zone) for moment in clock_facts.MOMENTS]

    assert [f"{time:%m-%d %H:%M:%S} {time.fold}" for time in shown] == [
        "03-14 01:59:40 0",
        "11-07 01:29:40 0",
        "11-07 01:29:40 1",
    ]
    assert mac.clock_command(clock_facts.MOMENTS[0].utc)[-1] == "0314065927.40"
    assert "'2027-03-14T06:59:40Z'" in windows.clock_command(clock_facts.MOMENTS[0].utc)[-1]


@pytest.mark.parametrize(
    ("shape", "triggers"), [("each minute", 1), ("35 triggers", 35), ("the last day", 1)]
)
def test_shapes(shape, triggers):
    """The jobs have as many triggers as their names say, and keep the rules of Windows."""
    tree = windows.task("cmd.exe", "/c exit", user=SID, schedule=windows.SHAPES[shape])

    assert len(tree.find(f"{{{NAMESPACE}}}Triggers")) == triggers
    assert task_rules.broken(to_bytes(tree)) == []


def test_gaps(tmp_path):
    """Gaps are those between the starts that were noted."""
    log = tmp_path / "starts"
    log.write_text("100\n160\n225\n", encoding="utf-8")

    assert mac.gaps(log) == [60, 65]


def test_tasks(tmp_path):
    """The schtasks of the tests takes the tasks, with what was put into them."""
    tree = windows.task("cmd.exe", "/c exit 75", user=SID, settings=(windows.restarting(),))
    draft, tasks = tmp_path / "d.xml", Tasks()
    words = ("/Create", "/TN", windows.TASK, "/XML", str(draft), "/F")

    assert tasks.call(words, {draft: to_bytes(tree)}).code == 0
    kept = parse(to_bytes(tree))
    assert kept.findtext(f".//{{{NAMESPACE}}}Count") == "3"
    assert kept.findtext(f".//{{{NAMESPACE}}}Arguments") == "/c exit 75"
