"""What `ratectl list` says: the engines, the journal and the spec held against each other."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from ratectl.backends import BACKENDS
from ratectl.deploy import inventory, targets
from ratectl.deploy.inventory import SpecDifference, SpecState
from ratectl.errors import RefusedError, SpecError
from ratectl.journal.journal import Journal
from ratectl.views.format import as_json
from ratectl.views.inventory import listing_json, listing_text
from tests.deploy.test_install import Office
from tests.fakes import past
from tests.fakes.jobs import job, jobs
from tests.fakes.machine import Machine, host

KEYS = ["job", "backend", "scope", "triggers", "fidelity", "enabled", "next", "drift", "last"]


@pytest.fixture
def office(tmp_path):
    office = Office(tmp_path)
    office.install(*jobs("a", "b"))
    return office


def rows(office, spec=lambda _row: None):
    holds = targets.inspect_all(office.account, office.machine)
    with office.at_work() as (_, journal):
        installed = journal.installed()
        last = journal.last_firings(installed, pytest.fail)
        return inventory.rows(holds, installed, last, spec, office.machine.now)


def drift(office, **more):
    return {row.job: row.drift for row in rows(office, **more)}


def test_contract(office):
    """The JSON has exactly the keys that programs rely on, with times as ISO texts."""
    listed = json.loads(as_json(listing_json(rows(office))))

    assert [list(row) for row in listed] == [KEYS, KEYS]
    assert listed[0] == {
        "job": "a",
        "backend": "cron",
        "scope": "user",
        "triggers": ["30 10 * * *"],
        "fidelity": "exact",
        "enabled": True,
        "next": "2026-11-24T10:30:00+05:30",
        "drift": [],
        "last": None,
    }


def test_an_entry_that_the_journal_does_not_know(office):
    """An entry without a journal row is still listed, as drift."""
    (office.account.state_dir / "journal.sqlite3").unlink()

    told = drift(office)

    assert list(told) == ["a", "b"]
    assert "the journal does not know it" in told["a"][0]


@pytest.mark.parametrize(
    "change",
    [{"timezone": "US/Nowhere"}, {"schedule_texts": ["every weekday on saturday"]}],
    ids=["zone", "schedule"],
)
def test_a_job_whose_slots_cannot_be_told(office, change):
    """A zone that an upgrade took away, or a phrase that is refused by now, is a fault of that job alone."""
    past.spoil(office.account.state_dir, "a", change)

    told = {row.job: row for row in rows(office)}

    assert told["a"].next is None
    assert told["a"].fidelity == ""
    assert any("US/Nowhere" in text or "saturday" in text for text in told["a"].drift)
    assert told["b"].next is not None
    assert told["b"].drift == ()


def test_an_entry_that_is_gone(office):
    """A job whose entry somebody deleted is still listed, without a next run, as drift."""
    office.machine.crontab.tab = None

    (first, _) = rows(office)

    assert first.drift == (f"gone from cron (user): `ratectl install {office.spec}` puts it back",)
    assert (first.enabled, first.next, first.triggers) == (False, None, ())


def test_an_entry_that_no_install_brings_back(office):
    """Where the spec has the job no more, what ends it is named, and no install that would not help."""
    office.machine.crontab.tab = None
    left_out = SpecDifference(SpecState.LEFT_OUT, f"no longer in the spec: {office.spec}")

    (first, _) = rows(office, spec=lambda _row: left_out)

    assert "gone from cron (user): `ratectl remove a` takes it off this list, too" in first.drift
    assert "ratectl install" not in " ".join(first.drift)


def test_spec_that_cannot_be_read(office):
    """A spec that this account may not read, or that is a folder now, hides no job."""

    def refuse(path):
        raise RefusedError(f"{path}: may not be read by this account")

    told = inventory.SpecDrift(refuse, lambda _path, _zone: ())
    with Journal(office.account.state_dir) as journal:
        found = [told(row).text for row in journal.installed()]

    assert found == [f"spec unknown: {office.spec}: may not be read by this account"] * 2


def test_switched_off(office):
    """A job that the spec switched off is listed as not enabled, which is no drift."""
    office.install(job("a"), job("b", enabled="false"))

    (_, second) = rows(office)

    assert (second.enabled, second.drift) == (False, ())


def test_another_program(office):
    """An entry that calls another program than an install would now is drift."""
    office.account = host(state_dir=office.account.state_dir, fetch=("/new/fetch",))

    assert drift(office)["a"] == ("differs from what would be installed now",)


def test_another_zone(office):
    """A machine that moved to another zone since the installation is drift."""
    office.account = host(
        state_dir=office.account.state_dir, zone=host().zone.__class__("Europe/Berlin")
    )

    assert "the machine's zone is Europe/Berlin, and was Asia/Kolkata" in drift(office)["a"][0]


def test_left_over(office):
    """A second entry in an engine where the job no longer belongs is drift there only."""
    tab = office.machine.crontab.tab
    office.use("systemd")
    office.install(*jobs("a", "b"))
    office.machine.crontab.tab = tab

    found = {(row.job, row.backend): row.drift for row in rows(office)}

    assert "left over" in found["a", "cron"][0]
    assert found["a", "systemd"] == ()


def test_served_in_the_foreground(office):
    """A job that ``serve`` wakes is held by no engine, has a next slot all the same, and has not drifted."""
    with office.at_work() as (_, journal):
        journal.record_jobs(
            jobs("c"),
            spec="/home/tester/jobs.toml",
            digest="",
            backend="serve",
            scope="foreground",
            host_timezone="Asia/Kolkata",
            now=office.machine.now,
        )

    *_, served = rows(office)

    assert (served.job, served.backend, served.enabled) == ("c", "serve", True)
    assert f"{served.next:%H:%M %Z}" == "10:30 IST"
    assert served.drift == ()


def test_last_slot_is_on_the_clocks_of_the_job(office):
    """The last firing is told in the job's zone, as the next run is."""
    slot = office.machine.now.replace(second=0, microsecond=0)
    with office.at_work() as (_, journal):
        journal.store().claim("a", [slot], now=slot, lease=60)

    (first, _) = rows(office)

    assert first.last.slot == slot
    assert first.last.slot.tzname() == "IST"


def test_table(office):
    """A line shows job, next run, last firing, engine and triggers; drift stands below its job."""
    office.machine.crontab.tab = b"CRON_TZ=UTC\n" + office.machine.crontab.tab

    lines = listing_text(rows(office), office.machine.now, 80).splitlines()
    narrow = listing_text(rows(office), office.machine.now, 60).splitlines()

    assert lines[0] == "a  Tue 2026-11-24 10:30 IST, in 17 h  not yet run  cron (user)  30 10 * * *"
    assert "drift: CRON_TZ=" in lines[1]
    assert narrow[:2] == [
        "a  Tue 2026-11-24 10:30 IST, in 17 h  not yet run",
        "    cron (user)  30 10 * * *",
    ]
    assert listing_text(rows(office), office.machine.now, 40).splitlines()[:2] == [
        "a  Tue 2026-11-24 10:30 IST, in 17 h",
        "    not yet run  cron (user)  30 10 * * *",
    ]
    assert listing_text((), office.machine.now, 80) == "no jobs are installed"


def installed(wanted, digest="d1", backend="cron"):
    return SimpleNamespace(
        job=wanted, spec="/s.toml", digest=digest, host_timezone="UTC", backend=backend
    )


def broken(_path, _zone):
    raise SpecError("/s.toml", [])


@pytest.mark.parametrize(
    ("digest", "load", "told"),
    [
        ("d1", broken, ""),
        ("", broken, "spec missing: /s.toml"),
        ("d2", broken, "spec has problems: `ratectl check /s.toml`"),
        ("d2", lambda _p, _z: [], "no longer in the spec: /s.toml"),
        ("d2", lambda _p, _z: [job()], ""),
        (
            "d2",
            lambda _p, _z: [job(schedule='"every day at 11:00"')],
            "spec changed: `ratectl install /s.toml` applies it",
        ),
    ],
)
def test_drift_of_the_spec(digest, load, told):
    """A spec that says something else now is drift; a comment that changed is none."""
    found = inventory.SpecDrift(lambda _path: digest, load)(installed(job()))

    assert (found.text if found else "") == told


def test_every_engine_is_asked():
    """On Linux the engines that exist are asked, and no cluster where no job stands in one."""
    site = {(s.backend.NAME, s.scope) for s in targets.inspect_all(host(), Machine(booted=True))}

    assert site == {("cron", "user"), ("systemd", "user")}
    assert set(BACKENDS) == {"cron", "kubernetes", "launchd", "systemd", "windows"}


def test_a_new_name_that_has_a_record_already():
    """Nothing is told to be renamed that an install would not rename."""
    row = installed(job())
    spec = [job("other")]
    seen = [
        inventory.SpecDrift(lambda _path: "d2", lambda _p, _z: spec, [row], taken)(row).text
        for taken in ((), ("other",))
    ]

    assert seen[0].startswith("renamed to 'other'")
    assert seen[1] == "no longer in the spec: /s.toml"


def test_edits_of_a_spec_that_is_served():
    """What applies an edit is for a served job another start of `serve`, and for its new name a rename."""
    row = installed(job(), backend="serve")
    told = [
        inventory.SpecDrift(lambda _path: "d2", lambda _p, _z, found=found: found, [row])(row).text
        for found in ([job(schedule='"every day at 11:00"')], [job("other")])
    ]

    assert told == [
        "spec changed: `ratectl serve /s.toml`, started again, applies it",
        "renamed to 'other' in the spec: `ratectl rename usd-inr other` takes its record along",
    ]


@pytest.mark.parametrize(
    ("digest", "found", "command"),
    [
        ("d1", [job()], "ratectl serve /s.toml"),
        ("d2", [job(schedule='"every day at 11:00"')], "ratectl serve /s.toml"),
        ("", [], "ratectl serve usd-inr"),
        ("d2", [], "ratectl serve usd-inr"),
        ("d2", [job("other")], "ratectl serve usd-inr"),
    ],
    ids=["as it was", "edited", "gone", "left out", "renamed"],
)
def test_what_serves_a_job_again(digest, found, command):
    """A job is served from its spec, or where that cannot give it any more, by its name."""
    row = installed(job(), backend="serve")
    difference = inventory.SpecDrift(lambda _path: digest, lambda _p, _z: found, [row])(row)

    assert inventory.not_served(row, difference).endswith(f"`{command}` does")
