"""A stateful machine: files, processes, crontab and systemctl, as far as ratectl asks for them.

It is Reader and performer in one. What it does not know fails the test, so that
nothing passes because a fake was polite.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import stat
from pathlib import Path
from zoneinfo import ZoneInfo

from ratectl.backends.host import Host
from ratectl.backends.reader import FileInfo
from ratectl.backends.steps import (
    Completed,
    Expect,
    Link,
    MakeFolder,
    RemoveFile,
    Run,
    Settle,
    WriteFile,
)
from ratectl.errors import EngineError
from tests.fakes.launchd import Launchd

MAY_BE_ABSENT = frozenset(
    {"launchctl", "schtasks", "cron", "crond", "apt-get", "dnf", "zypper", "pacman", "apk"}
)


class PowerCutError(Exception):
    """The machine stopped between two steps."""


def host(**changes):
    """Return an ordinary user's Linux account, with *changes*."""
    facts = {
        "platform": "linux",
        "zone": ZoneInfo("Asia/Kolkata"),
        "fetch": ("/opt/ratectl/python", "-I", "-S", "/opt/ratectl/fetch.py"),
        "state_dir": Path("/home/tester/.local/state/ratectl"),
        "state_is_default": True,
        "user": "tester",
        "home": Path("/home/tester"),
        "config_home": Path("/home/tester/.config"),
        "data_home": Path("/home/tester/.local/share"),
        "root": False,
        "uid": 1000,
    }
    return Host(**(facts | changes))


def mac(**changes):
    """Return an ordinary user's account on a Mac, with *changes*."""
    facts = {
        "platform": "darwin",
        "user": "ada",
        "home": Path("/Users/ada"),
        "config_home": Path("/Users/ada/.config"),
        "data_home": Path("/Users/ada/.local/share"),
        "uid": 501,
    }
    return host(**(facts | changes))


def root(**changes):
    """Return root's account on the same machine, with *changes*."""
    facts = {
        "user": "root",
        "home": Path("/root"),
        "config_home": Path("/root/.config"),
        "data_home": Path("/root/.local/share"),
        "state_dir": Path("/root/.local/state/ratectl"),
        "root": True,
        "uid": 0,
    }
    return host(**(facts | changes))


OWNERS = {"home": 1000, "Users": 501}
"""Whose the things in such folders are; all others are root's."""
TRIES = 10
"""As often the machine tries what may come true later; a real one waits in between."""


class Machine:
    """Cron (of one *flavour*, or none) and, if *booted*, systemd, or launchd on a *mac*; one account's view of them."""

    def __init__(self, *, flavour="vixie", daemon=True, booted=False, mac=False, now=None):
        self.files: dict[Path, bytes] = {}
        self.links: dict[Path, str] = {}
        self.owners: dict[Path, int] = {Path("/home/tester"): 1000, Path("/root"): 0}
        self.folders = {Path("/run/systemd/system")} if booted else set()
        self.crontab = Crontab(flavour) if flavour else None
        self.systemd = Systemd(self) if booted else None
        self.launchd = Launchd(self) if mac else None
        self.tasks = None
        """Windows' schtasks, where a test puts one: tests.fakes.tasks.Tasks."""
        self.running = {"cron", "sh"} if daemon else {"sh"}
        self.programs = {"cron", "apt-get"}
        self.modes: dict[Path, int] = {}
        self.closed: set[Path] = set()
        self.mounted_read_only: set[Path] = set()
        self.room = 1 << 30
        self.untrusted = {}
        """What another account could change, with the trust.UntrustedError that says so."""
        self.accounts = {}
        """Those beside the one that is at work, as accounts.Account by name."""
        self.forbidden = set()
        """What such an account may not do: its name, a path, what was wanted."""
        self.synchronised: bool | None = True
        self.ages = {"Account expires": "never", "Password expires": "never"}
        self.now = now or dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
        self.steps_left: int | None = None
        self.performed: list[object] = []

    # The Reader

    def read(self, path):
        return self.files.get(Path(path))

    def names(self, folder):
        inside = {p for p in (*self.files, *self.links, *self.folders) if Path(folder) in p.parents}
        return tuple(sorted({p.relative_to(folder).parts[0] for p in inside}))

    def is_folder(self, path):
        return path in self.folders or any(path in p.parents for p in (*self.files, *self.links))

    def link(self, path):
        return self.links.get(path)

    def real(self, path):
        return path

    def is_there(self, path):
        return bool(self.status(path) or self.link(Path(path)))

    def nearest(self, path):
        ways = (path, *path.parents)
        return next(filter(self.is_there, ways), ways[-1])

    def owner(self, path):
        return self.owners.get(path)

    def which(self, program):
        there = {
            "crontab": self.crontab,
            "systemctl": self.systemd,
            "launchctl": self.launchd,
            "schtasks": self.tasks,
        }
        there |= dict.fromkeys(self.programs, True)
        if program not in there and program not in MAY_BE_ABSENT:
            raise AssertionError(f"the fake knows no program {program!r}")
        return f"/usr/bin/{program}" if there.get(program) else None

    def processes(self):
        return frozenset(self.running)

    def status(self, path):
        path = Path(path)
        if path in self.files:
            mode = stat.S_IFREG | self.modes.get(path, 0o644)
            return FileInfo(owner=self._owner(path), mode=mode, size=len(self.files[path]))
        if self.is_folder(path) or path == Path("/"):
            return FileInfo(
                owner=self._owner(path), mode=stat.S_IFDIR | self.modes.get(path, 0o755)
            )
        return None

    def _owner(self, path):
        return self.owners.get(path, OWNERS.get(path.parts[1] if path.parts[1:] else "", 0))

    def may_read(self, path):
        assert self.status(path), path
        return path not in self.closed

    def may_write(self, path):
        assert self.status(path), path
        return path not in self.closed

    def may_run(self, path):
        assert self.status(path), path
        return bool(self.status(path).mode & 0o111)

    def fault(self, path, *, strict=None, uid=None, alone=False):  # noqa: ARG002 - a test says what is at fault
        return self.untrusted.get(Path(path))

    def fault_in(self, folder):
        places = self.untrusted.items()
        return next((why for path, why in places if folder in {path, path.parent}), None)

    def account(self, name):
        return self.accounts.get(name)

    def lets(self, account, path, wanted):
        return (
            self.status(path) is not None
            and (account.name, Path(path), wanted) not in self.forbidden
        )

    def free(self, path):
        assert self.status(path), path
        return self.room

    def read_only(self, path):
        assert self.status(path), path
        return next((m for m in self.mounted_read_only if m in (path, *path.parents)), None)

    def clock_synchronised(self):
        return self.synchronised

    def query(self, argv, *, stdin=b""):
        before = self._state()
        answer = self._call(tuple(argv), stdin)
        assert before == self._state(), f"a query changed something: {argv}"
        return answer

    def _state(self):
        engines = (
            self.crontab and self.crontab.tab,
            self.launchd and (dict(self.launchd.loaded), dict(self.launchd.overrides)),
        )
        return (dict(self.files), dict(self.links), engines)

    # The performer

    def perform(self, steps):
        """Do *steps* as host.perform does; stops with PowerCutError when ``steps_left`` runs out."""
        for step in steps:
            if self.steps_left is not None:
                if self.steps_left == 0:
                    raise PowerCutError
                self.steps_left -= 1
            self.performed.append(step)
            if isinstance(step, MakeFolder | WriteFile):
                self._make(step)
            elif isinstance(step, Link):
                self.links[step.path] = str(step.target)
            elif isinstance(step, RemoveFile):
                self.links.pop(step.path, None)
                self.files.pop(step.path, None)
            elif isinstance(step, Expect):
                if not self._comes_true(step):
                    raise EngineError(step.problem)
            elif not isinstance(step, Settle):
                assert isinstance(step, Run), step
                self._run(step)

    def _run(self, step):
        if step.shortcut and not self._call(step.shortcut, b"").code:
            return
        answer = self._call(step.argv, step.stdin)
        for _ in range(TRIES):
            if answer.code in step.again_on:
                answer = self._call(step.argv, step.stdin)
        if not answer.code or step.may_fail:
            return
        if step.meaning is not None:
            raise step.meaning(answer)
        raise EngineError(f"{step.argv} ended with {answer.code}: {answer.said}")

    def _make(self, step):
        if isinstance(step, MakeFolder):
            self.folders.add(step.path)
            if step.owner:
                self.owners[step.path] = self.accounts[step.owner].uid
            self.modes[step.path] = step.mode
            return
        self.links.pop(step.path, None)
        self.files[step.path] = step.data
        self.modes[step.path] = step.mode

    def _comes_true(self, step):
        for _ in range(TRIES if step.within else 1):
            answer = self._call(step.argv, b"")
            if (None if answer.code else answer.stdout) == step.stdout:
                return True
        return False

    def _call(self, argv, stdin):
        if argv[0] == "crontab" and self.crontab:
            return self.crontab.call(argv[1:], stdin, self.files)
        if argv[0] == "systemctl" and self.systemd:
            return self.systemd.call(argv[1:])
        if argv[0] == "systemd-run" and self.systemd:
            return self.systemd.run(argv[1:])
        if argv[0] == "launchctl" and self.launchd:
            return self.launchd.call(argv[1:])
        if argv[:-1] == ("loginctl", "--no-ask-password", "enable-linger") and self.systemd:
            self.files[Path("/var/lib/systemd/linger", argv[-1])] = b""
            return done()
        if argv[:2] == ("chage", "-l"):
            lines = (f"{name}\t\t\t: {text}\n" for name, text in self.ages.items())
            return done(stdout="".join(lines).encode())
        if argv[-1] == "--version" and Path(argv[0]) in self.files:
            return done(
                int(self.files[Path(argv[0])] == b"broken"), stderr=b"no encodings module\n"
            )
        if argv[0] == "schtasks" and self.tasks:
            return self.tasks.call(argv[1:], self.files)
        raise AssertionError(f"the fake cannot run {argv}")


def done(code=0, stdout=b"", stderr=b""):
    """Return how a command of the fake ended."""
    return Completed(code=code, stdout=stdout, stderr=stderr)


SAYS_ABSENT = {
    "vixie": (1, b"no crontab for tester\n"),
    "cronie": (1, b"no crontab for tester\n"),
    "busybox": (1, b"crontab: can't open 'tester': No such file or directory\n"),
    "bcron": (111, b"bcrontab: Fatal: Crontab does not exist\n"),
}
SAYS_VERSION = {
    "vixie": (
        1,
        b"crontab: invalid option -- 'V'\ncrontab: usage error: unrecognized option\n",
    ),
    "cronie": (0, b"cronie 1.7.2\n"),
    "busybox": (1, b"crontab: invalid option -- 'V'\nBusyBox v1.35.0 multi-call binary.\n"),
    "bcron": (1, b"bcrontab: Error: Unknown option letter -V.\n"),
}
"""What the real programs said, copied from them."""


class Crontab:
    """The program ``crontab`` of one maker, with one account's tab."""

    def __init__(self, flavour):
        self.flavour = flavour
        self.says_absent = SAYS_ABSENT[flavour]
        self.tab: bytes | None = None
        self.writes = 0

    def call(self, arguments, stdin, files):
        if arguments == ("-V",):
            code, text = SAYS_VERSION[self.flavour]
            return done(code, stderr=text)
        if arguments == ("-l",):
            return self._list()
        if arguments == ("-r",):
            self.tab = None
            return done()
        if arguments == ("-",) and self.flavour != "bcron":
            return self._write(stdin)
        if len(arguments) == 1 and Path(arguments[0]) in files:
            return self._write(files[Path(arguments[0])])
        raise AssertionError(f"the fake crontab ({self.flavour}) does not take {arguments}")

    def _list(self):
        if self.tab is None:
            code, text = self.says_absent
            return done(code, stderr=text)
        shown = self.tab
        if self.flavour == "vixie":  # Debian's
            shown = shown.replace(b"\r", b"\\r").replace(b"\b", b"\\b")
        return done(stdout=shown)

    def _write(self, text):
        if self.flavour in {"vixie", "cronie"} and text and not text.endswith(b"\n"):
            return done(
                1, stderr=b"new crontab file is missing newline before EOF, can't install.\n"
            )
        if self.flavour == "vixie" and text.count(b"\n") > 10_000:
            return done(1, stderr=b"crontab is too long; maximum number of lines is 10000\n")
        self.tab = text
        self.writes += 1
        return done()


UNIT_PATH = {
    "system": "/etc/systemd/system.control /run/systemd/system.control /run/systemd/transient"
    " /run/systemd/generator.early /etc/systemd/system /etc/systemd/system.attached /run/systemd/system"
    " /run/systemd/system.attached /run/systemd/generator /usr/local/lib/systemd/system"
    " /lib/systemd/system /usr/lib/systemd/system /run/systemd/generator.late",
    "user": "/home/tester/.config/systemd/user.control /run/user/1000/systemd/user.control"
    " /run/user/1000/systemd/transient /home/tester/.config/systemd/user /etc/xdg/systemd/user"
    " /etc/systemd/user /run/user/1000/systemd/user /run/systemd/user /home/tester/.local/share/systemd/user"
    " /usr/local/share/systemd/user /usr/share/systemd/user /usr/local/lib/systemd/user"
    " /usr/lib/systemd/user",
}
"""What systemd 252 on Debian says of itself."""


class Systemd:
    """``systemctl`` of one manager: what it has loaded is what was on disk at the last reload."""

    def __init__(self, machine):
        self.machine = machine
        self.folder = Path("/home/tester/.config/systemd/user")
        self.loaded: dict[str, str] = {}
        self.active: set[str] = set()
        self.at_work: set[str] = set()
        """Timers whose service runs: they tell no next run."""
        self.refuses: set[str] = set()
        """Units that it will not start."""
        self.results: dict[str, tuple[str, int]] = {}
        """Of units whose last run failed: result and exit status."""
        self.reloads = 0
        self.passing_units = 0
        """So often a unit was made and run that was gone at once."""
        self.runs_units = True
        """False where there is no systemd-run."""
        self.silent = False

    def call(self, arguments):
        self._choose(arguments)
        verb, *rest = arguments[2:]
        verbs = {
            "show": self._show,
            "list-units": self._list_units,
            "list-timers": self._list_timers,
            "daemon-reload": self._reload,
            "start": self._start,
            "restart": self._start,
            "stop": self._stop,
            "reset-failed": self._forget,
        }
        return verbs[verb](rest)

    def _choose(self, arguments):
        assert arguments[0] == "--no-ask-password", arguments
        assert arguments[1] in {"--user", "--system"}, arguments
        self.folder = Path(
            "/etc/systemd/system"
            if arguments[1] == "--system"
            else "/home/tester/.config/systemd/user"
        )

    def run(self, arguments):
        """Start what a passing unit requires: all of it, or where one is not to be had nothing at all."""
        if not self.runs_units:
            return done(127, stderr=b"no program 'systemd-run' on the PATH")
        self._choose(arguments)
        *options, command = arguments[2:]
        needs = dict(
            option.removeprefix("--property=").split("=", 1)
            for option in options
            if option.startswith("--property=")
        )
        assert command == "/bin/true", "it would be looked for in our PATH"
        assert needs["DefaultDependencies"] == "no", "it would start what timers do not need"
        assert needs["Requires"] == needs["After"], "it would not wait for all"
        assert "--collect" in options, "what fails would stay"
        units = needs["Requires"].split()
        if missing := [unit for unit in units if unit not in self.loaded]:
            return done(1, stderr=f"Unit {missing[0]} not found.\n".encode())
        self.passing_units += 1
        self.active |= set(units) - self.refuses
        return done(int(bool(self.refuses & set(units))), stderr=b"A dependency job failed.\n")

    def _show(self, rest):
        if rest[0] == "--property=Id,Result,ExecMainStatus":
            told = ((unit, *self.results.get(unit, ("success", 0))) for unit in rest[1:])
            shown = [f"Id={u}\nResult={r}\nExecMainStatus={s}\n" for u, r, s in told]
            return done(0, "\n".join(shown).encode())
        if rest == ["--property=UnitPath"]:
            return done(0, f"UnitPath={UNIT_PATH[self.folder.name]}\n".encode())
        assert rest == ["--property=Version"], rest
        if self.silent:
            return done(1, stderr=b"Failed to connect to bus: No medium found\n")
        return done(stdout=b"Version=252\n")

    def _list_units(self, rest):
        assert "--output=json" in rest, rest
        rows = [
            {
                "unit": unit,
                "load": "loaded",
                "active": "active" if unit in self.active else "inactive",
                "sub": self._sub(unit),
                "description": description(text),
            }
            for unit, text in self.loaded.items()
            if unit.endswith(".timer")
        ]
        return done(stdout=json.dumps(rows).encode())

    def _sub(self, unit):
        if unit not in self.active:
            return "dead"
        return "running" if unit in self.at_work else "waiting"

    def _list_timers(self, rest):
        assert "--output=json" in rest, rest
        rows = [
            {"unit": unit, "next": self._next(unit)}
            for unit in self.loaded
            if unit.endswith("timer")
        ]
        return done(stdout=json.dumps(rows).encode())

    def _next(self, unit):
        if unit not in self.active or unit in self.at_work:
            return None
        texts = re.findall(r"^OnCalendar=(.+)$", self.loaded[unit], re.MULTILINE)
        return int(
            min(next_elapse(text, self.machine.now) for text in texts).timestamp() * 1_000_000
        )

    def _reload(self, rest):
        assert not rest, rest
        self.reloads += 1
        units = {p.name: text for p, text in self.machine.files.items() if p.parent == self.folder}
        self.loaded = {name: text.decode() for name, text in units.items()}
        self.active &= set(self.loaded)
        return done()

    def _start(self, units):
        if units[0] == "--no-block":  # services, which run and end
            return done()
        missing = [unit for unit in units if unit not in self.loaded]
        if missing:
            return done(5, stderr=f"Unit {missing[0]} not found.\n".encode())
        self.active |= set(units) - self.refuses
        refused = self.refuses & set(units)
        return done(1, stderr=f"{refused} refused\n".encode()) if refused else done()

    def _forget(self, units):
        """Forget the failures of *units*; as on most machines, some of them are not loaded."""
        for unit in units:
            self.results.pop(unit, None)
        return done(1, stderr=b"Unit not loaded.\n")

    def _stop(self, units):
        missing = [unit for unit in units if unit not in self.loaded]
        self.active -= set(units)
        return done(5, stderr=b"Unit not loaded.\n") if missing else done()


def description(text):
    """Return what a unit with *text* is called in tables."""
    match = re.search(r"^Description=(.+)$", text, re.MULTILINE)
    return match[1] if match else ""


def next_elapse(text, now):
    """Return when *text* elapses after *now*: daily times only, all that these tests install."""
    match = re.fullmatch(r"\*-\*-\* (\d\d):(\d\d):00(?: (\S+))?", text)
    assert match, f"the fake systemd cannot compute {text!r}"
    zone = ZoneInfo(match[3] or "Asia/Kolkata")
    day = now.astimezone(zone).replace(
        hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0
    )
    return day if day > now else day + dt.timedelta(days=1)
