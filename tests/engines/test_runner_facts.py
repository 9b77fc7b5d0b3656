"""The dry parts of the checks for a real runner: what they would load and register is whole, on any system."""

from __future__ import annotations

import plistlib

from ratectl.backends.windows.task_xml import NAMESPACE, parse, to_bytes
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
