"""The systemd backend: units on a fake manager, and their texts before the real systemd-analyze."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ratectl.backends.protocol import Change, EngineAbsentError, Verb
from ratectl.backends.steps import Link, RemoveFile, Run, WriteFile
from ratectl.backends.systemd import backend as systemd
from ratectl.deploy import plan
from ratectl.errors import ConfigError, EngineError
from scripts import golden
from tests.fakes.jobs import job, jobs
from tests.fakes.machine import Machine, done, host, root
from tests.fakes.office import Office

UNITS = Path("/home/tester/.config/systemd/user")


def install(machine, *wanted, account=None, scope="user"):
    """Plan, stage and perform as deploy does; return the steps."""
    account = account or host()
    found = systemd.inspect(machine, account, scope)
    texts = {
        j.name: systemd.render(j, systemd.check(j, account.zone), account, scope) for j in wanted
    }
    changes = plan.changes(texts, found.entries, prune=found.entries)
    steps = systemd.stage(plan.pending(changes), found, account, scope)
    machine.perform(steps)
    return steps


def entry(machine, name="usd-inr"):
    return systemd.inspect(machine, host(), "user").entries[name]


@pytest.fixture
def machine():
    return Machine(booted=True)


def test_install_list_remove(machine):
    """Units go in, are found again as rendered, active and with their next run, and leave nothing."""
    install(machine, *jobs("usd-inr", "eur-inr"))

    held = entry(machine)
    assert held.triggers == ("*-*-* 10:30:00 Asia/Kolkata",)
    assert held.enabled
    assert held.next.isoformat() == "2026-11-24T05:00:00+00:00"
    assert not held.drift
    install(machine)
    assert not machine.files
    assert not machine.links
    assert not machine.systemd.loaded


def test_the_order_of_steps(machine):
    """Files come first, then what enables them, one reload and one start; only timers are started."""
    steps = install(machine, *jobs("a", "b"))

    kinds = [step.argv[3] if isinstance(step, Run) else type(step) for step in steps]
    assert kinds == [WriteFile] * 4 + [Link] * 2 + ["daemon-reload", "start"]
    assert steps[-1].argv[4:] == ("ratectl-a.timer", "ratectl-b.timer")


def test_the_order_of_removal(machine):
    """Timers are stopped and forgotten before their files go, and systemd reads its units once after."""
    install(machine, job())

    steps = install(machine)

    kinds = [step.argv[3] if isinstance(step, Run) else type(step) for step in steps]
    assert kinds == ["stop", "stop", "reset-failed", *[RemoveFile] * 4, "daemon-reload"]
    stamp = "/home/tester/.local/share/systemd/timers/stamp-ratectl-usd-inr.timer"
    assert RemoveFile(path=Path(stamp)) in steps


def test_only_changed_files_are_written(machine):
    """A new schedule rewrites the timer and leaves the service alone."""
    install(machine, job())

    steps = install(machine, job(schedule='"every day at 11:45"'))

    assert [s.path.name for s in steps if isinstance(s, WriteFile)] == ["ratectl-usd-inr.timer"]
    assert entry(machine).triggers == ("*-*-* 11:45:00 Asia/Kolkata",)


LONGEST_WORD = 128 * 1024
"""What Linux takes as one word of a command line, see execve(2)."""


def test_many_units_in_few_calls(machine):
    """Two thousand timers take one reload and two starts, whose command lines fit into what any kernel takes."""
    steps = install(machine, *jobs(*(f"{n:04}-{'x' * 35}" for n in range(2000))))

    runs = [step for step in steps if isinstance(step, Run)]
    assert [step.argv[3] for step in runs] == ["daemon-reload", "start", "start"]
    for words in (words for step in runs for words in (step.argv, step.shortcut)):
        assert max(map(len, words), default=0) < LONGEST_WORD
        assert sum(map(len, words)) < 2 * LONGEST_WORD
    assert len(machine.systemd.active) == 2000


@pytest.mark.parametrize(("count", "starts"), [(49, 0), (50, 1), (1000, 1), (1049, 1), (1050, 2)])
def test_many_timers_are_started_as_one(machine, count, starts):
    """Many timers are started by a unit that requires them all; a few by their names."""
    install(machine, *jobs(*(f"job-{n}" for n in range(count))))

    assert machine.systemd.passing_units == starts
    assert len(machine.systemd.active) == count


def test_one_of_many_that_does_not_start(machine):
    """Where one of many timers cannot be started, systemd is asked for each by its name, so that it says which and why."""
    machine.systemd.refuses = {"ratectl-job-7.timer"}

    with pytest.raises(EngineError, match=r"'start', .*ratectl-job-7\.timer.* refused"):
        install(machine, *jobs(*(f"job-{n}" for n in range(60))))


def test_a_machine_without_systemd_run(machine):
    """Many timers are started by their names where there is no other way."""
    machine.systemd.runs_units = False

    install(machine, *jobs(*(f"job-{n}" for n in range(60))))

    assert len(machine.systemd.active) == 60


def test_more_than_a_manager_holds(machine):
    """More timers than a manager can serve are refused before anything is written, with both numbers."""
    wanted = jobs(*(f"job-{n}" for n in range(systemd.MOST_JOBS + 1)))

    with pytest.raises(EngineError, match=r"5001 timers .* more than 5000"):
        install(machine, *wanted)
    assert not machine.files


def test_what_failed_is_tried_again():
    """A service that does not end with 0 comes back each minute, however long an outage lasts, and is no failed unit."""
    lines = service()

    assert {"Restart=on-failure", "RestartSec=60", "StartLimitIntervalSec=0"} <= set(lines)
    assert lines.index("StartLimitIntervalSec=0") < lines.index("[Service]")
    assert not [line for line in lines if line.startswith("SuccessExitStatus")]
    [prevented] = [line for line in lines if line.startswith("RestartPreventExitStatus")]
    codes = prevented.partition("=")[2].split()
    assert {"1", "2", "78", "203"} <= set(codes)
    assert not {"65", "73", "74", "75", "77"} & set(codes)


@pytest.mark.parametrize("schedule", ["every minute", "every 5 seconds"])
def test_what_is_woken_each_minute_anyway(schedule):
    """A timer that comes back within a minute needs no restart, which would only hold it up."""
    lines = service(keys={"schedule": f'"{schedule}"'})

    assert "SuccessExitStatus=75" in lines
    assert not [line for line in lines if line.startswith("Restart")]


def test_a_timer_that_is_there_is_started_again(machine):
    """A unit that changes forgets its failure, and its timer starts anew: only then it wakes at once what is owed."""
    install(machine, *jobs("a"))
    machine.systemd.results["ratectl-a.service"] = ("exit-code", 203)

    [changed] = jobs("a", schedule='"every day at 11:45"')
    steps = install(machine, changed, *jobs("b"))

    calls = [step.argv[3:] for step in steps if isinstance(step, Run)]
    assert calls == [
        ("daemon-reload",),
        ("start", "ratectl-b.timer"),
        ("reset-failed", "ratectl-a.service"),
        ("restart", "ratectl-a.timer"),
    ]
    assert machine.systemd.results == {}


STAMP = "/var/lib/systemd/timers/stamp-ratectl-usd-inr.timer"


@pytest.mark.posix("the path of a stamp")
def test_what_is_owed_outlives_a_restart_of_the_machine():
    """From its start until it ended well a service lets the timer's stamp be old, so that the next boot wakes the job at once."""
    [start] = [line for line in service() if line.startswith("ExecStartPre")]
    [stop] = [line for line in service() if line.startswith("ExecStopPost")]

    assert start == f"""ExecStartPre=-+/bin/sh -c 'touch -c -d @1 "$$0"' {STAMP}"""
    assert 'test "$$EXIT_STATUS" = 0 && exec touch -c "$$0"; touch -c -d @1 "$$0"' in stop
    assert stop.endswith(f" {STAMP}")


def test_what_is_woken_each_minute_needs_no_old_stamp():
    """The next minute comes anyway, so only what failed is noted."""
    lines = service(keys={"schedule": '"every minute"'})

    assert not [line for line in lines if line.startswith("ExecStartPre")]
    assert [line for line in lines if "touch -c -d @1" in line and "|| touch" in line]


def test_removal_stops_what_still_tries(machine):
    """A removal stops each service, too: one that waits to be started again may be started in this moment."""
    install(machine, *jobs("a", "b"))

    steps = install(machine)

    stopped = [step.argv[4:] for step in steps if isinstance(step, Run) and "stop" in step.argv]
    timers, services = (
        tuple(f"ratectl-{job}.{kind}" for job in "ab") for kind in ("timer", "service")
    )
    assert stopped == [timers, services]


FOREIGN = "CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH"


def service(**changes):
    """Return the lines of a service, for a host with *changes*; ``scope`` and keys of the job may be among them."""
    scope, keys = changes.pop("scope", "system"), changes.pop("keys", {})
    wanted, account = job(**keys), root(**changes)
    unit, _ = systemd.render(wanted, systemd.check(wanted, account.zone), account, scope)
    return unit.data.decode().splitlines()


@pytest.mark.posix("paths of another system")
def test_confined():
    """A job writes where its outputs and its journal are, and nowhere else."""
    lines = service(keys={"output": '["/srv/a b/x.txt", "/srv/$c/100%/y.csv"]'})

    state = "/root/.local/state/ratectl"
    assert f'ReadWritePaths=-{state} "-/srv/a b" -/srv/$c/100%%' in lines
    started = [line for line in lines if line.startswith("ExecStartPre=")]
    assert not [line for line in started if not line.endswith(STAMP)]
    assert {"ProtectSystem=strict", "PrivateUsers=yes", "CapabilityBoundingSet="} <= set(lines)


@pytest.mark.posix("paths of another system")
def test_an_output_right_in_roots_home():
    """Where an output lies right in /root, that is not closed with the other homes: systemd would close it for good."""
    lines = service(keys={"output": '"/root/output.txt"'})

    assert "ProtectHome=read-only" not in lines
    assert "ReadOnlyPaths=-/home -/run/user" in lines
    assert "ReadWritePaths=-/root/.local/state/ratectl -/root" in lines


@pytest.mark.posix("paths of another system")
def test_folders_as_they_really_are():
    """Where an output is reached through a link, its real folder is what may be written to."""
    lines = service(folders=("/mnt/rates",))

    assert "ReadWritePaths=-/root/.local/state/ratectl -/mnt/rates" in lines


def test_what_belongs_to_others():
    """Root keeps the right to write to what belongs to others; a user's unit is not confined then."""
    assert FOREIGN in service(foreign=True)
    assert "PrivateUsers=yes" not in service(foreign=True)
    assert "ProtectSystem=strict" not in service(foreign=True, scope="user", root=False)


def test_without_user_namespaces():
    """Where the kernel gives an account no namespaces, its units do without, instead of failing each time."""
    lines = service(namespaces=False, scope="user", root=False)

    assert "NoNewPrivileges=yes" in lines
    assert not [line for line in lines if line.startswith(("Protect", "Private", "ReadWrite"))]


@pytest.mark.parametrize(
    ("changes", "private"),
    [
        ({}, True),
        ({"keys": {"output": '"/tmp/x.txt"'}}, False),
        ({"keys": {"output": '"/var/tmp/x/y.txt"'}}, False),
        ({"keys": {"output": '"postgresql://a@/b?host=/tmp"'}}, False),
        ({"state_dir": Path("/tmp/state")}, False),
        ({"fetch": ("/tmp/venv/bin/python3", "/tmp/venv/x.py")}, False),
        ({"keys": {"output": '"/srv/tmp-rates/x.txt"'}}, True),
    ],
)
@pytest.mark.posix("paths of another system")
def test_private_tmp(changes, private):
    """A job has a /tmp of its own, unless something that it uses lies in the real one."""
    assert ("PrivateTmp=yes" in service(**changes)) is private


def test_credentials():
    """What a spec calls a credential is asked of systemd, which keeps the secret out of the unit."""
    lines = service(keys={"notify": '["credential:hooks", "credential:more"]'})

    assert [line for line in lines if line.startswith("LoadCredential")] == [
        "LoadCredential=hooks",
        "LoadCredential=more",
    ]


def test_a_credential_that_is_more_than_a_name():
    """A name that systemd would read as a path or as two words is refused."""
    with pytest.raises(ConfigError, match="credential:a b"):
        service(keys={"notify": '["credential:a b"]'})


def spoil_disable(machine):
    machine.links.clear()


def spoil_stop(machine):
    machine.systemd.active.clear()


def spoil_delete_service(machine):
    del machine.files[UNITS / "ratectl-usd-inr.service"]


def spoil_mask(machine):
    del machine.files[UNITS / "ratectl-usd-inr.timer"]
    machine.links[UNITS / "ratectl-usd-inr.timer"] = "/dev/null"


def spoil_edit(machine):
    machine.files[UNITS / "ratectl-usd-inr.timer"] += b"# mine\n"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (spoil_disable, "the timer is disabled"),
        (spoil_stop, "the timer is inactive"),
        (spoil_delete_service, "the service's unit file is missing"),
        (spoil_mask, "the timer's unit file is missing or masked"),
        (spoil_edit, ""),
    ],
)
def test_drift(machine, spoil, told):
    """What the engine lost is told, and the next install mends it."""
    install(machine, job())
    spoil(machine)

    assert told in "; ".join(entry(machine).drift)
    assert install(machine, job())
    assert not entry(machine).drift
    assert install(machine, job()) == ()


@pytest.mark.posix("paths of another system")
def test_a_drop_in_is_told_and_left(machine):
    """A drop-in of somebody is named as drift; it is theirs, so an install leaves it."""
    install(machine, job())
    machine.files[UNITS / "ratectl-usd-inr.timer.d" / "mine.conf"] = b"[Timer]\n"

    assert entry(machine).overrides == (f"a drop-in changes it: {UNITS}/ratectl-usd-inr.timer.d",)
    assert install(machine, job()) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"[Timer]\nOnCalendar=\nOnCalendar=03:00\n", True),
        (b"[Timer]\n OnBootSec = 5min\n", True),
        (b"[Timer]\nUnit=other.service\n", True),
        (b"[Unit]\nDescription=On my own\n# OnCalendar=03:00\n", False),
    ],
)
def test_a_drop_in_that_changes_the_times(machine, text, told):
    """It is known whether a drop-in lets the timer wake at other times."""
    install(machine, job())
    machine.files[UNITS / "ratectl-usd-inr.timer.d" / "mine.conf"] = text

    assert entry(machine).rescheduled is told


@pytest.mark.posix("paths of another system")
def test_a_new_entry_beside_one_that_goes(machine):
    """A new entry may be a job under another name: it looks at once whether it owes a slot, which its timer cannot know."""
    install(machine, job())

    steps = install(machine, job("dollar"))

    started = [step.argv for step in steps if isinstance(step, Run) and "--no-block" in step.argv]
    assert [argv[-1] for argv in started] == ["ratectl-dollar.service"]


TIMES = b"[Timer]\nOnCalendar=\nOnCalendar=03:00\n"


@pytest.mark.posix("paths of another system")
@pytest.mark.parametrize(
    ("folder", "mask"),
    [
        ("/etc/systemd/user/ratectl-usd-inr.timer.d", True),
        ("/home/tester/.config/systemd/user.control/ratectl-usd-inr.timer.d", False),
        ("/run/user/1000/systemd/user/ratectl-usd-inr.timer.d", False),
        ("/home/tester/.config/systemd/user/ratectl-.timer.d", True),
        ("/home/tester/.config/systemd/user/ratectl-usd-.timer.d", True),
        ("/home/tester/.config/systemd/user/timer.d", True),
        ("/usr/lib/systemd/user/timer.d", True),
    ],
)
def test_drop_ins_elsewhere(machine, folder, mask):
    """A drop-in counts wherever it lies, for this timer or for more; what `systemctl revert` leaves is masked beside the unit."""
    install(machine, job())
    machine.files[Path(folder, "x.conf")] = TIMES

    found = entry(machine)

    link = UNITS / "ratectl-usd-inr.timer.d" / "x.conf"
    assert found.overrides == (f"a drop-in changes it: {folder}",)
    assert (found.rescheduled, found.masks) == (True, (str(link),) if mask else ())
    if mask:
        machine.links[link] = "/dev/null"
    else:
        del machine.files[Path(folder, "x.conf")]
    assert entry(machine).overrides == ()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/etc/systemd/user/ratectl-.timer.d", "/usr/lib/systemd/user/ratectl-usd-inr.timer.d"),
        ("/etc/systemd/user/ratectl-usd-inr.timer.d", "/etc/systemd/user/ratectl-.timer.d"),
        ("/usr/lib/systemd/user/ratectl-.timer.d", "/etc/systemd/user/timer.d"),
    ],
)
def test_two_drop_ins_of_one_name(machine, first, second):
    """Of two files of one name systemd reads one, by the folder first and then by the name, see systemd.unit(5)."""
    install(machine, job())
    machine.files[Path(second, "x.conf")] = TIMES
    machine.files[Path(first, "x.conf")] = b"[Timer]\n"

    assert entry(machine).overrides == (f"a drop-in changes it: {Path(first)}",)
    assert not entry(machine).rescheduled


@pytest.mark.parametrize("kind", ["timer", "service"])
def test_drop_ins_of_a_distribution(machine, kind):
    """What lies there for all services or timers and changes no time is nothing to tell of."""
    install(machine, job())
    machine.files[Path(f"/usr/lib/systemd/user/{kind}.d/10-more.conf")] = (
        b"[Unit]\nAfter=x.target\n"
    )

    assert entry(machine).overrides == ()


def test_units_of_others_are_not_ours(machine):
    """A unit that merely has such a name is neither listed nor removed, and not overwritten."""
    machine.files[UNITS / "ratectl-usd-inr.timer"] = b"[Timer]\nOnCalendar=daily\n"
    before = dict(machine.files)

    assert not systemd.inspect(machine, host(), "user").entries
    with pytest.raises(EngineError, match="was not written by ratectl"):
        install(machine, job())
    assert machine.files == before


@pytest.mark.parametrize(
    "more", [b"# was [X-Ratectl]\n", b"[X-Ratectl]\nNote=mine\n", b"[X-Theirs]\nJob=other\n"]
)
def test_units_with_more_behind_are_ours(machine, more):
    """What somebody adds to our unit makes it drift, and install mends it."""
    install(machine, job())
    before = dict(machine.files)
    for path in before:
        machine.files[path] += more

    assert entry(machine).drift == ()
    install(machine, job())

    assert machine.files == before


def test_scopes():
    """As root units go to the system's folder and wait for the network."""
    machine = Machine(booted=True)

    install(machine, job(), account=root(), scope="system")

    text = machine.files[Path("/etc/systemd/system/ratectl-usd-inr.service")]
    assert b"After=network-online.target" in text


def test_detect(machine):
    """Without /run/systemd/system, or a manager that answers, systemd is not there."""
    assert systemd.detect(machine, host(), "user") == ""
    assert "not booted with it" in systemd.detect(Machine(), host(), "user")
    with pytest.raises(EngineAbsentError):
        systemd.inspect(Machine(), host(), "user")
    machine.systemd._show = lambda _rest: done(1, stderr=b"Failed to connect to bus\n")
    said = systemd.detect(machine, host(), "user")
    assert "the user manager does not answer (Failed" in said
    assert said.endswith("; `loginctl enable-linger tester`, as root, starts one that stays")


def test_lingering(machine):
    """User timers that end at logout are a caveat; lingering, or the system's scope, is none."""
    assert "enable-linger tester" in systemd.warnings(machine, host(), "user")[0]
    assert systemd.warnings(machine, root(), "system") == ()
    machine.files[systemd.LINGER / "tester"] = b""
    assert systemd.warnings(machine, host(), "user") == ()


def test_an_old_systemd(machine):
    """A systemd that prints no JSON is refused with the way out."""
    machine.systemd._list_units = lambda _rest: done(stdout=b"UNIT LOAD ACTIVE\n")

    with pytest.raises(EngineError, match="--backend cron"):
        systemd.inspect(machine, host(), "user")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("/opt/fetch",), "/opt/fetch usd-inr"),
        (("/my tools/f",), '"/my tools/f" usd-inr'),
        (("/opt/100%/f", "50%"), "/opt/100%%/f 50%% usd-inr"),
        (("/opt/$HOME/f", "$HOME"), "/opt/$HOME/f $$HOME usd-inr"),
        (("/opt/f", "a\"b'c\\d"), '/opt/f "a\\"b\'c\\\\d" usd-inr'),
        (("/opt/f", ";", ""), '/opt/f ";" "" usd-inr'),
        (("/opt/é",), "/opt/é usd-inr"),
    ],
)
def test_exec_start(words, line):
    """The command survives systemd's specifiers, variables and quoting."""
    (service, _) = systemd.render(
        job(), systemd.check(job(), host().zone), host(fetch=words), "user"
    )

    assert f"\nExecStart={line}\n".encode() in service.data


@pytest.mark.parametrize(
    ("words", "told"),
    [(("/f", "a\nb"), "line break"), (("/it's/f",), "quote"), (("/a\\b/f",), "backslash")],
)
def test_what_no_unit_can_hold(words, told):
    """A line break, which would add a setting, and a program that systemd refuses are refused by us."""
    with pytest.raises(ConfigError, match=told):
        systemd.render(job(), systemd.check(job(), host().zone), host(fetch=words), "user")


def test_nothing_is_staged_for_nothing(machine):
    """Kept jobs cause no step, not even a reload."""
    found = systemd.inspect(machine, host(), "user")

    assert systemd.stage((Change(verb=Verb.KEEP, job="a"),), found, host(), "user") == ()


GOLDEN_TIMERS = sorted(golden.GOLDEN.glob("*/systemd/*.timer"))


@pytest.mark.engine
@pytest.mark.parametrize(
    "case", sorted({path.parent for path in GOLDEN_TIMERS}), ids=lambda p: p.parent.name
)
def test_systemd_reads_our_units(case, tmp_path):
    """The real systemd says nothing about the golden units (with a program that exists), and rates their exposure at most 1.5."""
    for path in case.iterdir():
        text = path.read_text().replace("ExecStart=/opt/ratectl/bin/python", "ExecStart=/bin/true")
        (tmp_path / path.name).write_text(
            text.replace('"/srv/my tools/100%% ratectl $HOME/python"', "/bin/true")
        )

    units = sorted(map(str, tmp_path.iterdir()))
    answer = subprocess.run(
        ("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units),
        check=False,
        capture_output=True,
        text=True,
    )

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    services = [unit for unit in units if unit.endswith(".service")]
    exposed = subprocess.run(
        ("systemd-analyze", "security", "--offline=true", "--threshold=15", *services),
        check=False,
        capture_output=True,
        text=True,
    )
    assert exposed.returncode == 0, exposed.stdout


@pytest.mark.engine
@pytest.mark.parametrize(
    ("expression", "elapses"),
    [
        (
            "*-*~01 18:00:00 UTC",
            ["2026-11-30 18:00", "2026-12-31 18:00", "2027-01-31 18:00", "2027-02-28 18:00"],
        ),
        ("Fri *-*~07/1 08:00:00 UTC", ["2026-11-27 08:00", "2026-12-25 08:00", "2027-01-29 08:00"]),
        (
            "Mon *-*-01..07 08:00:00 UTC",
            ["2026-12-07 08:00", "2027-01-04 08:00", "2027-02-01 08:00"],
        ),
        (
            "Mon *-*-29..31 08:00:00 UTC",
            ["2026-11-30 08:00", "2027-03-29 08:00", "2027-05-31 08:00"],
        ),
        (
            "*-01..10/3-01 00:00:00 UTC",
            ["2027-01-01 00:00", "2027-04-01 00:00", "2027-07-01 00:00"],
        ),
        ("*-*-* 01..22/3:30:00 UTC", ["2026-11-24 01:30", "2026-11-24 04:30", "2026-11-24 07:30"]),
        (
            "Mon,Wed,Fri..Sun *-*-* 08:00:00 UTC",
            ["2026-11-25 08:00", "2026-11-27 08:00", "2026-11-28 08:00"],
        ),
        (
            "*-*-* 17:00..30/15:00 UTC",
            ["2026-11-24 17:00", "2026-11-24 17:15", "2026-11-24 17:30", "2026-11-25 17:00"],
        ),
        (
            "*-*-* 00:00:00..40/20 UTC",
            ["2026-11-24 00:00:00", "2026-11-24 00:00:20", "2026-11-24 00:00:40"],
        ),
    ],
)
def test_systemd_reads_the_spellings_as_meant(expression, elapses):
    """The real systemd computes from our spellings the times they stand for."""
    answer = subprocess.run(
        (
            "systemd-analyze",
            "calendar",
            f"--iterations={len(elapses)}",
            "--base-time=2026-11-23 23:00:00 UTC",
            expression,
        ),
        check=True,
        capture_output=True,
        text=True,
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin"},
    )

    told = [
        line.split(": ", 1)[1]
        for line in answer.stdout.splitlines()
        if "lapse: " in line or "Iter" in line
    ]
    assert [
        text.split(" ", 1)[1][: len(want)] for text, want in zip(told, elapses, strict=True)
    ] == elapses


def test_units_whose_files_are_gone(tmp_path):
    """What only the manager still knows, since nobody told it that the files are gone, is drift and can be removed."""
    office = Office(tmp_path, "systemd")
    office.install(job())
    for path in [path for path in office.machine.files if path.name.startswith("ratectl-")]:
        del office.machine.files[path]
    [entry] = systemd.inspect(office.machine, office.account, "user").entries.values()

    office.remove()

    assert "the timer's unit file is missing or masked" in entry.drift
    assert office.machine.systemd.active == set()
    assert "ratectl-usd-inr.timer" not in office.machine.systemd.loaded
    assert office.held() == []
