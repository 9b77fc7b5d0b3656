"""A clinic: one account on the fake machine with two jobs installed, and the real ``ratectl doctor`` to look at it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from ratectl import cli, spec
from ratectl.commands._shared import environment
from ratectl.commands.mend import doctor as command
from ratectl.deploy import execute as door
from ratectl.deploy import host_facts
from ratectl.journal.journal import Journal
from tests.fakes.machine import host
from tests.fakes.office import Office
from tests.support.firings import FRIDAY

SPEC = Path("/home/tester/jobs.toml")
PYTHON, SCRIPT = Path("/opt/ratectl/python"), Path("/opt/ratectl/fetch.py")
LINGER = Path("/var/lib/systemd/linger/tester")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the doctor said."""

    code: int
    text: str

    @property
    def findings(self):
        return json.loads(self.text)

    def of(self, check):
        """Return the findings of one check."""
        return [finding for finding in self.findings if finding["check"] == check]


class Clinic(Office):
    """Installs as the commands do, and calls the doctor as its users do."""

    def __init__(self, folder, engine, url, capsys):
        super().__init__(folder, engine, now=FRIDAY)
        self.url = url
        self.capsys = capsys
        self.machine.files |= {PYTHON: b"an interpreter", SCRIPT: b"a script", LINGER: b""}
        self.machine.modes[PYTHON] = 0o755
        self.write()
        self.put_in_place()

    def write(
        self,
        *,
        job="",
        more="",
        schedule="every day at 10:30",
        provider=None,
        output="/home/tester/rates/one.txt",
    ):
        """Write the spec: *output* and *job* (more lines) are of the first job, *more* further tables."""
        text = f"""
            [defaults]
            pairs = ["USD/INR"]
            timezone = "Asia/Kolkata"
            schedule = "{schedule}"
            providers = ["exchangerate-api-v4"]
            [jobs.one]
            output = "{output}"
            {job}
            [jobs.two]
            output = "/home/tester/rates/two.txt"
            [providers.exchangerate-api-v4]
            base_url = "{provider or self.url}/v4"
            {more}
        """
        self.machine.files[SPEC] = text.encode()

    def put_in_place(self):
        data = self.machine.files[SPEC]
        jobs = spec.loads(data, path=SPEC, host_timezone="Asia/Kolkata").jobs
        return self.install(*jobs, digest=hashlib.sha256(data).hexdigest())

    def reinstall(self, **changes):
        """Install the spec with *changes*."""
        self.write(**changes)
        self.put_in_place()

    def move_to(self, engine, **facts):
        """Install with another *engine*, or on a machine of which other *facts* hold."""
        self.account = host(state_dir=self.account.state_dir, **facts)
        self.use(engine)

    def wait(self, **length):
        self.machine.now += dt.timedelta(**length)

    def journal(self):
        return Journal(self.account.state_dir)

    def ask(self, *words):
        """Return what ``ratectl doctor`` said to *words*."""
        return self.ratectl("doctor", *words)

    def ratectl(self, *words):
        """Return what ``ratectl`` said to *words*."""
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        said = self.capsys.readouterr()
        return Told(code=ended.value.code or 0, text=said.out + said.err)

    def doctor(self, *words):
        return self.ask("--json", *words)


@pytest.fixture
def clinic_of(tmp_path, rates, capsys, monkeypatch):
    """Open a clinic with one engine."""

    def opened(engine):
        clinic = Clinic(tmp_path, engine, rates.url, capsys)
        monkeypatch.setattr(host_facts, "current", lambda: clinic.account)
        monkeypatch.setattr(door, "SystemReader", lambda: clinic.machine)
        for module in (command, environment):
            monkeypatch.setattr(module, "utc_now", lambda: clinic.machine.now)
        return clinic

    return opened


@pytest.fixture
def cron(clinic_of):
    return clinic_of("cron")


@pytest.fixture
def systemd(clinic_of):
    return clinic_of("systemd")


@pytest.fixture(params=["cron", "systemd"])
def clinic(request, clinic_of):
    return clinic_of(request.param)
