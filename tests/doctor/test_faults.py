"""Each reason why a schedule might silently not run, planted in the machine one by one, is found alone, with what mends it."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ratectl.deploy import host_facts
from ratectl.deploy.install_lock import install_lock
from ratectl.doctor.firings import UPTIME
from ratectl.errors import ConfigError
from ratectl.journal.sqlite_database import FILE
from ratectl.runtime.trust import UntrustedError
from tests.doctor.conftest import LINGER, PYTHON, SCRIPT, SPEC
from tests.fakes.machine import done

pytestmark = pytest.mark.network

PAGE = Path("/home/tester/pages/index.html")
OUTPUT = Path("/home/tester/rates/one.txt")
UNITS = Path("/home/tester/.config/systemd/user")
INSTALL = f"ratectl install {SPEC}"
DEAD = "http://127.0.0.1:9"


def close(clinic, path, *, owner=1000):
    clinic.machine.files.setdefault(path, b"")
    clinic.machine.owners[path] = owner
    clinic.machine.closed.add(path)


def disallow(clinic):
    said = b"You (tester) are not allowed to use this program (crontab)\n"
    clinic.machine.crontab.call = lambda *_: done(1, stderr=said)


def silence(clinic):
    clinic.machine.systemd.silent = True


def unlinger(clinic):
    del clinic.machine.files[LINGER]


def bend(clinic):
    tab = clinic.machine.crontab.tab
    clinic.machine.crontab.tab = b"SHELL=/bin/false\n" + tab


def drop_in(clinic):
    clinic.machine.files[UNITS / "ratectl-one.timer.d" / "x.conf"] = b"[Timer]\n"


def reschedule(clinic):
    clinic.machine.files[UNITS / "ratectl-one.timer.d" / "x.conf"] = b"[Timer]\nOnCalendar=03:00\n"


def reschedule_all(clinic):
    place = UNITS / "timer.d" / "x.conf"
    clinic.machine.files[place] = b"[Timer]\nOnCalendar=03:00\n"


MASKING = (
    "systemctl --user revert ratectl-one.timer ratectl-one.service && mkdir -p {0} && "
    "ln -sf /dev/null {0}/x.conf && systemctl --user daemon-reload"
)


def take_the_right(clinic):
    said = b"crontab: must be suid to work properly\n"
    clinic.machine.crontab.call = lambda *_: done(1, stderr=said)


def edit_timer(clinic):
    path = UNITS / "ratectl-one.timer"
    clinic.machine.files[path] = clinic.machine.files[path].replace(b"10:30", b"11:30")


def edit_tab(clinic):
    clinic.machine.crontab.tab = clinic.machine.crontab.tab.replace(b"30 10", b"31 10", 1)


def lose_entry(clinic):
    clinic.machine.crontab.tab = None


def lose_service(clinic):
    del clinic.machine.files[UNITS / "ratectl-one.service"]


def twice(clinic):
    tab = clinic.machine.crontab.tab
    clinic.move_to("systemd")
    clinic.put_in_place()
    clinic.machine.crontab.tab = tab


def cut_short(clinic):
    with install_lock(clinic.account.state_dir) as lock:
        lock.begin()


def lose_journal(clinic):
    (clinic.account.state_dir / FILE).unlink()


def damage_journal(clinic):
    path = clinic.account.state_dir / FILE
    path.write_bytes(path.read_bytes()[:4096] + b"rubbish" * 10_000)


def age_journal(clinic):
    with clinic.journal() as journal, journal.database.transaction() as connection:
        connection.execute("PRAGMA user_version = 99")


def addresses(clinic, *, mode):
    clinic.reinstall(job='notify = ["file:/home/tester/urls"]')
    clinic.machine.files[Path("/home/tester/urls")] = b"json://127.0.0.1:9/x"
    clinic.machine.modes[Path("/home/tester/urls")] = mode


def distrust(clinic):
    clinic.machine.files[OUTPUT] = b""
    clinic.machine.untrusted[OUTPUT] = UntrustedError(str(OUTPUT), "is a link", f"rm {OUTPUT}")


def fail(clinic):
    slot = clinic.machine.now
    with clinic.journal() as journal:
        journal.store().claim("one", [slot], now=slot, lease=60)
        with journal.database.transaction() as connection:
            connection.execute("UPDATE firings SET detail = 'offline: no way to x'")
        for _ in range(3):
            journal.count_failure("one", slot)


def off(clinic):
    clinic.wait(days=1)
    clinic.machine.files[UPTIME] = b"60.00 100.00\n"


def key(clinic, *, mode=0o600, closed=False, there=True):
    path = Path("/home/tester/office.key")
    if there:
        clinic.machine.files[path] = b"secret\n"
        clinic.machine.modes[path] = mode
    if closed:
        close(clinic, path)
    office(clinic, f"file:{path}")


def shut_key(clinic):
    """The key lies in a folder that the account may not enter, so that nothing is seen there."""
    clinic.machine.folders.add(Path("/root"))
    clinic.machine.modes[Path("/root")] = 0o600
    office(clinic, "file:/root/office.key")


def paged(clinic, spoil):
    clinic.reinstall(more=f'[ratectl]\nreport = "{PAGE}"')
    spoil()


def office(clinic, reference):
    url = f"{clinic.url}/v4/latest/{{base}}"
    clinic.reinstall(
        job='providers = ["office"]',
        more=f'[providers.office]\nkind = "http-json"\nurl = "{url}"\nrate = "rates.{{quote}}"\n'
        f'api_key = "{reference}"',
    )


FAULTS = {
    # what is planted: engine, how, the check that finds it, and what mends it
    "no crontab": ("cron", lambda c: setattr(c.machine, "crontab", None), "engine-absent", "sudo apt-get install cron"),
    "no daemon": ("cron", lambda c: c.machine.running.discard("cron"), "daemon-not-running", "sudo systemctl enable --now cron"),
    "cron.deny": ("cron", disallow, "crontab-refused", "sudo sed -i '/^tester$/d' /etc/cron.deny"),
    "account expired": ("cron", lambda c: c.machine.ages.update({"Account expires": "Nov 01, 2026"}), "account-expired", "sudo chage -E -1 tester"),
    "password expired": ("cron", lambda c: c.machine.ages.update({"Password expires": "password must be changed"}), "account-expired", "sudo passwd tester"),
    "not booted": ("systemd", lambda c: c.machine.folders.discard(Path("/run/systemd/system")), "engine-absent", f"{INSTALL} --backend cron"),
    "no user bus": ("systemd", silence, "no-user-bus", "sudo systemctl start user@1000.service"),
    "no linger": ("systemd", unlinger, "linger-off", "sudo loginctl enable-linger tester"),
    "timer stopped": ("systemd", lambda c: c.machine.systemd.active.discard("ratectl-one.timer"), "entry-drifted", INSTALL),
    "timer disabled": ("systemd", lambda c: c.machine.links.pop(UNITS / "timers.target.wants/ratectl-one.timer"), "entry-drifted", INSTALL),
    "service deleted": ("systemd", lose_service, "entry-drifted", INSTALL),
    "timer edited": ("systemd", edit_timer, "entry-differs", INSTALL),
    "crontab edited": ("cron", edit_tab, "engine-unreadable", "crontab -e"),
    "busybox without its right": ("cron", take_the_right, "engine-unreadable", "sudo chmod u+s /usr/bin/crontab"),
    "drop-in for all timers": ("systemd", reschedule_all, "entry-overridden", MASKING.format(UNITS / "ratectl-one.timer.d")),
    "drop-in of other times": ("systemd", reschedule, "entry-overridden", "systemctl --user revert ratectl-one.timer ratectl-one.service"),
    "crontab emptied": ("cron", lose_entry, "entry-missing", INSTALL),
    "SHELL above": ("cron", bend, "entry-drifted", INSTALL),
    "two engines": ("cron", twice, "installed-twice", f"ratectl remove one && {INSTALL} --backend systemd --scope user"),
    "zone changed": ("cron", lambda c: c.move_to("cron", zone=ZoneInfo("Europe/Berlin")), "host-zone-changed", INSTALL),
    "interpreter gone": ("cron", lambda c: c.machine.files.pop(PYTHON), "program-missing", INSTALL),
    "interpreter gone (systemd)": ("systemd", lambda c: c.machine.files.pop(PYTHON), "program-missing", INSTALL),
    "script gone": ("cron", lambda c: c.machine.files.pop(SCRIPT), "program-missing", INSTALL),
    "interpreter not executable": ("cron", lambda c: c.machine.modes.update({PYTHON: 0o644}), "program-not-executable", INSTALL),
    "interpreter broken": ("cron", lambda c: c.machine.files.update({PYTHON: b"broken"}), "program-broken", INSTALL),
    "spec changed": ("cron", lambda c: c.write(schedule="every day at 11:00"), "spec-changed", INSTALL),
    "spec gone": ("cron", lambda c: c.machine.files.pop(SPEC), "spec-unusable", f"put {SPEC} back, or `ratectl install NEW-PATH` where it lies now"),
    "spec with problems": ("cron", lambda c: c.write(job="frob = 1"), "spec-unusable", f"mend what `ratectl check {SPEC}` names, then `{INSTALL}`"),
    "journal gone": ("cron", lose_journal, "entry-unknown", "ratectl install SPEC"),
    "install cut short": ("cron", cut_short, "install-interrupted", INSTALL),
    "output read-only": ("cron", lambda c: close(c, OUTPUT), "output-unwritable", f"chmod u+w {OUTPUT}"),
    "output of another": ("cron", lambda c: close(c, OUTPUT, owner=0), "output-unwritable", f"sudo chown tester {OUTPUT}"),
    "output is a folder": ("cron", lambda c: c.machine.folders.add(OUTPUT), "output-unwritable", f"mv {OUTPUT} {OUTPUT}.aside"),
    "folder shut": ("cron", lambda c: (c.machine.folders.add(OUTPUT.parent), c.machine.closed.add(OUTPUT.parent)), "output-unwritable", f"chmod u+rwx {OUTPUT.parent}"),
    "folder of the system": ("cron", lambda c: (c.machine.folders.add(OUTPUT.parent), close(c, OUTPUT.parent, owner=0), c.machine.files.pop(OUTPUT.parent)), "output-unwritable", f"sudo install -o tester -m 600 /dev/null {OUTPUT}"),
    "file for a folder": ("cron", lambda c: c.machine.files.update({OUTPUT.parent: b""}), "output-unwritable", f"mv {OUTPUT.parent} {OUTPUT.parent}.aside"),
    "disk full": ("cron", lambda c: setattr(c.machine, "room", 0), "output-unwritable", "df -h /home/tester"),
    "key for all": ("cron", lambda c: key(c, mode=0o644), "key-too-open", "chmod 600 /home/tester/office.key"),
    "key for the group": ("cron", lambda c: key(c, mode=0o640), "key-too-open", "chmod 600 /home/tester/office.key"),
    "addresses for all": ("cron", lambda c: addresses(c, mode=0o644), "key-too-open", "chmod 600 /home/tester/urls"),
    "output in the hands of others": ("cron", distrust, "output-untrusted", f"rm {OUTPUT}"),
    "no key": ("cron", lambda c: key(c, there=False), "key-unreadable", "(umask 077 && cat > /home/tester/office.key)"),
    "key's folder shut": ("cron", shut_key, "key-unreadable", f"(umask 077 && cat > {SPEC.parent}/office.key)"),
    "key closed": ("cron", lambda c: key(c, closed=True), "key-unreadable", "sudo chown tester /home/tester/office.key"),
    "credential outside systemd": ("cron", lambda c: office(c, "credential:office"), "key-unreadable", f"{INSTALL} --backend systemd"),
    "provider down": ("cron", lambda c: c.reinstall(provider=DEAD), "provider-down", "wait until it can be reached; `ratectl doctor` looks again"),
    "unknown host": ("cron", lambda c: c.reinstall(provider="http://rates.invalid"), "provider-unknown-host", "getent hosts rates.invalid"),
    "clock wrong": ("cron", lambda c: c.wait(hours=-1), "clock-wrong", "sudo timedatectl set-ntp true"),
    "slot passed": ("cron", lambda c: c.wait(days=1), "not-woken", "ratectl run one"),
}  # fmt: skip
ALONG = {
    "install cut short": set(),
    "disk full": {"state-full"},
    "spec gone": set(),
    "slot passed": {"clock-wrong"},
}


@pytest.mark.parametrize("case", FAULTS)
def test_fault(case, clinic_of):
    """It is found as a fault, nothing else is, the command mends it, and the exit code says so."""
    engine, plant, check, mend = FAULTS[case]
    clinic = clinic_of(engine)
    plant(clinic)

    told = clinic.doctor()

    assert told.code == 78
    assert mend in [finding["mend"] for finding in told.of(check)], told.text
    assert {finding["severity"] for finding in told.of(check)} == {"fault"}
    assert {finding["check"] for finding in told.findings} <= {check} | ALONG.get(case, set())


WARNINGS = {
    "clock unsynchronised": ("cron", lambda c: setattr(c.machine, "synchronised", False), "clock-unsynchronised", "sudo timedatectl set-ntp true"),
    "zone named otherwise": ("cron", lambda c: c.machine.files.update({Path("/etc/timezone"): b"Europe/Berlin\n"}), "zone-names-differ", "sudo timedatectl set-timezone Asia/Kolkata"),
    "drop-in": ("systemd", drop_in, "entry-overridden", "systemctl --user revert ratectl-one.timer ratectl-one.service"),
    "another ratectl": ("cron", lambda c: c.move_to("cron", fetch=("/new/fetch",)), "entry-of-another-ratectl", INSTALL),
    "another ratectl (systemd)": ("systemd", lambda c: c.move_to("systemd", fetch=("/new/fetch",)), "entry-of-another-ratectl", INSTALL),
    "failing": ("cron", fail, "firings-failing", "ratectl run one"),
    "page is a folder": ("cron", lambda c: paged(c, lambda: c.machine.folders.add(PAGE)), "page-unwritable", f"mv {PAGE} {PAGE}.aside"),
    "page's folder is a file": ("cron", lambda c: paged(c, lambda: c.machine.files.update({PAGE.parent: b""})), "page-unwritable", f"mv {PAGE.parent} {PAGE.parent}.aside"),
    "page's folder shut": ("cron", lambda c: paged(c, lambda: (c.machine.folders.add(PAGE.parent), c.machine.closed.add(PAGE.parent))), "page-unwritable", f"chmod u+rwx {PAGE.parent}"),
    "page in the hands of others": ("cron", lambda c: paged(c, lambda: c.machine.untrusted.update({PAGE: UntrustedError(str(PAGE), "is a link", f"rm {PAGE}")})), "page-unwritable", f"rm {PAGE}"),
    "a link in the page's place": ("cron", lambda c: paged(c, lambda: c.machine.links.update({PAGE: "/srv/page.html"})), "page-unwritable", f"ratectl check {SPEC}"),
    "another file in the page's place": ("cron", lambda c: paged(c, lambda: c.machine.files.update({PAGE: b"<p>mine</p>"})), "page-unwritable", f"ratectl check {SPEC}"),
}  # fmt: skip


@pytest.mark.parametrize("case", WARNINGS)
def test_warning(case, clinic_of):
    """What does not keep a job from running is told, and leaves the exit code alone."""
    engine, plant, check, mend = WARNINGS[case]
    clinic = clinic_of(engine)
    plant(clinic)

    told = clinic.doctor()

    assert {(finding["check"], finding["severity"]) for finding in told.findings} == {
        (check, "warning")
    }
    assert told.code == 0
    assert mend in {finding["mend"] for finding in told.findings}


def test_a_zone_by_name_alone(cron, monkeypatch, tmp_path):
    """Without ``/etc/localtime`` daemons take UTC, whatever ``/etc/timezone`` says, and that is told."""
    monkeypatch.setattr(host_facts, "LOCALTIME", tmp_path / "localtime")
    cron.machine.files[Path("/etc/timezone")] = b"Europe/Berlin\n"

    (finding,) = cron.doctor("--offline").of("zone-names-differ")

    assert finding["text"].endswith(f"since there is no {tmp_path / 'localtime'}")


def test_gone_and_left_out(cron):
    """A job that left its spec and its scheduler is ended, since no install brings it back."""
    cron.write(schedule="every day at 11:45")
    written = cron.machine.files[SPEC]
    cron.machine.files[SPEC] = written.replace(b"[jobs.one]", b"[jobs.other]")
    lose_entry(cron)

    told = cron.doctor("--offline")

    assert {finding["mend"] for finding in told.findings if finding["job"] == "one"} == {
        "ratectl remove one"
    }


def test_a_machine_that_was_just_started(cron):
    """What passed while the machine was off is caught up in a moment; long afterwards it is a fault."""
    off(cron)
    assert cron.doctor("--offline").findings == []

    cron.machine.files[UPTIME] = b"3600.00 100.00\n"
    assert {finding["check"] for finding in cron.doctor("--offline").findings} == {"not-woken"}


def test_damaged_journal(cron):
    """A journal that is damaged is told with the place, and the engines are looked at all the same."""
    damage_journal(cron)
    unwanted = b"SHELL=/bin/false\n" + cron.machine.crontab.tab
    cron.machine.crontab.tab = unwanted

    told = cron.doctor("--offline")
    [finding] = told.of("journal-damaged")

    assert told.code == 78
    assert finding["mend"].startswith("mkdir -m 700 ")
    assert {finding["check"] for finding in told.findings} == {"journal-damaged", "entry-drifted"}


def test_journal_of_a_newer_ratectl(cron):
    """A journal that a newer ratectl wrote asks for that one."""
    age_journal(cron)

    [finding] = cron.doctor("--offline").of("journal-too-new")

    assert finding["mend"] == "/opt/ratectl/python -m pip install --upgrade ratectl"


def test_snapshot_of_another_version(cron):
    """A job whose snapshot cannot be read is told, and the others are looked at."""
    with cron.journal() as journal, journal.database.transaction() as connection:
        connection.execute("UPDATE jobs SET snapshot = '{}' WHERE name = 'one'")

    told = cron.doctor("--offline")

    assert [finding["check"] for finding in told.findings] == ["snapshot-unreadable"]
    assert told.findings[0]["mend"] == INSTALL


def test_a_machine_without_a_zone(cron, monkeypatch):
    """A machine whose zone has no name is a fault of its own, before anything else can be told."""

    def nowhere():
        raise ConfigError("the time zone of this machine has no usable IANA name ('')")

    monkeypatch.setattr(host_facts, "current", nowhere)

    [finding] = cron.doctor().findings

    assert (finding["check"], finding["severity"]) == ("host-zone-unknown", "fault")
    assert finding["mend"] == "timedatectl set-timezone Area/City"


def test_state_directory_shut(cron):
    """A state directory that may not be written to keeps every firing from its work."""
    folder = cron.account.state_dir
    cron.machine.folders.add(folder)
    cron.machine.closed.add(folder)

    [finding] = cron.doctor("--offline").findings

    assert (finding["check"], finding["job"]) == ("state-of-another", "")
    assert str(folder) in finding["mend"]


def test_zone_data_gone(cron):
    """A job in a zone of which this machine has no data any more is told with the packages that may have it, as `list` does."""
    cron.reinstall(job='timezone = "Pacific/Chatham"')
    with cron.journal() as journal, journal.database.transaction() as connection:
        connection.execute("UPDATE jobs SET snapshot = replace(snapshot, 'Chatham', 'Atlantis')")
    cron.machine.crontab.tab = cron.machine.crontab.tab.replace(b"Chatham", b"Atlantis")

    told = cron.doctor("--offline")

    [finding] = told.of("zone-data-missing")
    assert finding["job"] == "one"
    assert "tzdata-legacy" in finding["mend"]
    with cron.journal() as journal:
        [fault] = [row.job.fault for row in journal.installed() if row.job.fault]
    assert fault.endswith(finding["mend"])


def test_disabled_jobs(cron):
    """A job that is switched off need not be woken, held or writable."""
    cron.reinstall(job="enabled = false")
    close(cron, OUTPUT)
    cron.wait(days=3)

    assert {finding["job"] for finding in cron.doctor("--offline").findings} == {"two"}
    assert cron.doctor("one", "--offline").findings == []


def test_paused_jobs(clinic):
    """A paused job need not be woken; one that an engine still wakes is told."""
    tab = clinic.machine.crontab.tab
    clinic.pause("one", "two")
    clinic.wait(days=3)
    assert clinic.doctor("--offline").findings == []

    clinic.machine.crontab.tab = tab
    if tab:
        [finding, _] = clinic.doctor("--offline").findings
        assert (finding["check"], finding["severity"]) == ("entry-left-over", "warning")
        assert finding["mend"] == "ratectl pause one"


def test_a_job_that_is_off_and_still_held(cron):
    """A job that the journal has as switched off, and an engine still wakes, is told."""
    tab = cron.machine.crontab.tab
    cron.reinstall(job="enabled = false")
    cron.machine.crontab.tab = tab

    [finding] = cron.doctor("--offline").findings

    assert (finding["check"], finding["severity"]) == ("entry-left-over", "warning")


def test_a_job_that_left_the_spec(cron):
    """A job that its spec has no longer is told with the command that takes it out."""
    text = (
        cron.machine.files[SPEC]
        .replace(b"[jobs.one]", b"[jobs.three]")
        .replace(b"one.txt", b"3.txt")
    )
    cron.machine.files[SPEC] = text

    [left, *_] = cron.doctor("--offline").of("spec-left-out")

    assert (left["job"], left["mend"]) == ("one", "ratectl remove one")


def test_a_spec_that_was_moved(cron):
    """Of a spec file that is gone it is said what to type where it was moved, and where the job shall end; not so of one with problems."""
    text = cron.machine.files.pop(SPEC)
    moved, *_ = cron.doctor("--offline").of("spec-unusable")
    cron.machine.files[SPEC] = text.replace(b"[jobs.one]", b"[jobs.one]\nfrob = 1")
    wrong, *_ = cron.doctor("--offline").of("spec-unusable")

    assert "`ratectl install NEW-PATH` where the file was moved" in moved["text"]
    assert "`ratectl remove JOB`" in moved["text"]
    assert "NEW-PATH" not in wrong["text"]


def test_a_job_that_was_renamed_in_the_spec(cron):
    """A job that has another name in its spec is installed again, which takes its record along; nothing is removed."""
    cron.machine.files[SPEC] = cron.machine.files[SPEC].replace(b"[jobs.one]", b"[jobs.three]")

    [changed] = [f for f in cron.doctor("--offline").of("spec-changed") if f["job"] == "one"]
    assert changed["mend"] == INSTALL
    cron.put_in_place()

    assert cron.known() == ["three", "two"]
    assert cron.doctor("--offline").findings == []


def test_served_jobs(cron):
    """A job that ``serve`` wakes is held by no engine, so it is no fault of one; one that cron holds as well is installed twice."""
    with cron.journal() as journal, journal.database.transaction() as connection:
        connection.execute("UPDATE jobs SET backend = 'serve', scope = 'foreground'")

    def checks():
        return {finding["check"] for finding in cron.doctor("--offline").findings}

    assert checks() == {"installed-twice", "not-served"}
    cron.machine.crontab.tab = None
    assert checks() == {"not-served"}


def test_several_jobs_with_one_fault(cron):
    """For people a finding that several jobs share is one line; programs get one for each."""
    cron.machine.files.pop(PYTHON)

    assert [finding["job"] for finding in cron.doctor("--offline").findings] == ["one", "two"]
    assert cron.ask("--offline").text.splitlines() == [
        "fault: program-missing: one, two: cron (user): the program it calls is gone: /opt/ratectl/python",
        f"    fix: {INSTALL}",
        "1 fault · 0 warnings in 2 jobs",
    ]


def test_the_contract(cron):
    """Each finding has exactly the keys that programs rely on."""
    cron.machine.running.discard("cron")

    assert cron.doctor().findings == [
        {
            "check": "daemon-not-running",
            "severity": "fault",
            "job": "",
            "text": "cron: no cron daemon is running, so nothing fires until one is started",
            "mend": "sudo systemctl enable --now cron",
        }
    ]


def test_changes_nothing(clinic):
    """The doctor leaves engines, files and journal as they were, the keys of kept answers included."""
    lose_entry(clinic) if clinic.site.backend.NAME == "cron" else silence(clinic)
    folder = clinic.account.state_dir
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    clinic.doctor()

    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {p: d for p, d in after.items() if "journal" not in p.name} == {
        p: d for p, d in before.items() if "journal" not in p.name
    }
