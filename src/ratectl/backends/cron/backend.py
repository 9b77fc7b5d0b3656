"""cron: one fenced block in the user's crontab, or the file ``/etc/cron.d/ratectl`` as root.

A line for each job, and one or two that catch up what was missed. The only module that asks python-crontab, and only to validate our own lines in
memory: it rewrites what it did not write. The whole tab is one step, which ``deploy/execute.py`` hands to ``crontab``.
"""

from __future__ import annotations

import functools
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl.backends.cron import crontab
from ratectl.backends.cron.fields import spell
from ratectl.backends.protocol import (
    Artefact,
    Change,
    EngineAbsentError,
    Found,
    InstalledEntry,
    Verb,
    always_covers,
    cover_for,
    never_paused,
    no_steps,
    no_troubles,
    no_warnings,
    no_words,
)
from ratectl.backends.steps import Completed, Expect, RemoveFile, Run, Settle, Step, WriteFile
from ratectl.errors import ConfigError, EngineError, RefusedError
from ratectl.schedule.cover.triggers import EVERY_MINUTE, CalendarTrigger, Capabilities, Cover
from ratectl.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from ratectl.backends.cron.crontab import Tab
    from ratectl.backends.host import Host
    from ratectl.backends.reader import Reader
    from ratectl.model.job import Job
    from ratectl.schedule.cover.triggers import Trigger

NAME = "cron"
CAPABILITIES = Capabilities(gap="after", fold="cron")
SCOPES: tuple[str, ...] = ("user", "system")
REPORTS_NEXT_RUN = False
SANDBOXES = False
SUSPENDS = False
LISTS_ALL = True

DROP_IN = Path("/etc/cron.d/ratectl")
SPOOL = Path("/var/spool/cron/crontabs")
DAEMONS = frozenset({"cron", "crond", "bcron-sched", "fcron"})
LONGEST_COMMAND = 998
"""Bytes; Debian's crontab says "command too long" at 999."""
FIELDS = 5
"""Of time, at the beginning of each line."""
SHOWN = 100
"""Characters of somebody's line that a message repeats."""
MOST_LINES = 10_000
"""Debian's crontab refuses a longer tab, comments included."""
SWEEP = "2-57/5 * * * *"
"""When all jobs are looked through for missed slots: between the minutes that people ask for."""
_SWEEP = re.compile(rb" --sweep(?: --state .*)?$")
_JOB = re.compile(rb" ([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?: --state .*)?$")
_FIELDS = re.compile(rb"((?:[^ ]+ ){4}[^ ]+) ")
_FIELDS_ACCOUNT = re.compile(rb"^((?:[^ ]+ ){4}[^ ]+) [^ ]+ ")


def detect(reader: Reader, host: Host, scope: str) -> str:
    """Return why cron cannot be used: no ``crontab`` program, or no daemon that runs."""
    if reader.which("crontab") is None:
        return "cron: no `crontab` program on the PATH"
    return " ".join(warnings(reader, host, scope))


NO_DAEMON = "cron: no cron daemon is running, so nothing fires until one is started"


def warnings(reader: Reader, host: Host, scope: str) -> tuple[str, ...]:
    """Return that no daemon runs, where one must be started by somebody (macOS starts it on demand)."""
    del scope
    if host.platform == "darwin" or reader.processes() & DAEMONS:
        return ()
    return (NO_DAEMON,)


enable_linger = no_steps
dry_run = no_warnings
covers_slot = always_covers
difference = no_words
troubles = no_troubles
resuming = never_paused


def inspect(reader: Reader, host: Host, scope: str) -> Found:
    """Return our block's jobs. Raises EngineError on a block or tab that must not be touched."""
    if reader.which("crontab") is None:
        raise EngineAbsentError("cron: no `crontab` program on the PATH; install cron first")
    flavour = _flavour(reader)
    if scope == "system" and flavour != "busybox" and reader.is_folder(DROP_IN.parent):
        text = reader.read(DROP_IN)
        raw = {"place": str(DROP_IN).encode(), "drop-in": b"yes"}
    else:
        text = listing(reader, host)
        raw = {"place": f"{host.user}'s crontab".encode()}
        unfaithful = "" if text is None else _unfaithful(reader, host, text, flavour)
        if unfaithful:
            raw["unfaithful"] = unfaithful.encode()
    raw["flavour"] = flavour.encode()
    if text is not None:
        raw["tab"] = text
    account = f"{host.user} ".encode() if scope == "system" and "drop-in" not in raw else b""
    tab = _tab(raw)
    drift = [
        f"{name}= stands above the ratectl block and acts on it"
        for name in crontab.bending_lines(tab)
    ]
    sweeps = [line for line in tab.lines if _SWEEP.search(line)]
    if len(sweeps) != len(_sweep_times(flavour)) * _accounts_in(tab, drop_in="drop-in" in raw):
        drift.append("the lines that catch up missed slots are not there")
    return Found(entries=_entries(tab, account, tuple(drift)), raw=raw)


def _accounts_in(tab: Tab, *, drop_in: bool) -> int:
    """Return as how many accounts the jobs in *tab* run; at least one, which is whose the tab is."""
    jobs = [line for line in tab.lines if not _SWEEP.search(line)]
    return len({line.split(b" ", 6)[5] for line in jobs}) or 1 if drop_in else 1


def argv(entry: InstalledEntry, scope: str) -> tuple[str, ...]:
    """Return the command line behind the time fields of *entry*'s first line."""
    line = entry.artefacts[0].data.split(b"\n", 1)[0].decode("utf-8", "surrogateescape")
    before = 6 if scope == "system" else 5  # the account comes after the five time fields
    command = line.split(" ", before)[before:]
    return tuple(shlex.split(command[0].replace("\\%", "%"))) if command else ()


def check(job: Job, host_zone: ZoneInfo) -> Cover:
    """Return how cron can wake *job*."""
    return cover_for(job, host_zone, CAPABILITIES)


def render(job: Job, cover: Cover, host: Host, scope: str) -> tuple[Artefact, ...]:
    """Return the crontab lines of *job*, one for each trigger."""
    account = f"{host.user} " if scope == "system" else ""
    command = _command(host.argv(job.name))
    lines = (f"{_fields(trigger)} {account}{command}\n" for trigger in cover.triggers)
    data = "".join(lines).encode("utf-8", "surrogateescape")
    return (Artefact(job=job.name, name="crontab", data=data),)


def output_files(artefacts: Sequence[Artefact]) -> Mapping[str, bytes]:
    """Return the one file ``crontab`` with the block of all jobs."""
    lines = _lines(artefacts)
    return {"crontab": crontab.block(lines, ours=False)} if lines else {}


def stage(changes: Sequence[Change], found: Found, host: Host, scope: str) -> tuple[Step, ...]:
    """Return the one write that brings the tab to the state after *changes*, or nothing.

    Raises EngineError where the tab could not be written back as it is.

    Debian's daemon compares the times of its folders by whole seconds: a change
    in the second of another one, with a look between them, is never noticed.
    """
    artefacts = {job: entry.artefacts for job, entry in found.entries.items()}
    for change in changes:
        if change.verb is Verb.DELETE:
            artefacts.pop(change.job, None)
        elif change.verb is not Verb.KEEP:
            artefacts[change.job] = change.artefacts
    lines = _lines([text for job in sorted(artefacts) for text in artefacts[job]])
    drop_in = "drop-in" in found.raw
    sweeps = _sweeps(lines, host, found.raw["flavour"].decode()) if drop_in else ()
    if scope == "system" and not drop_in:
        _refuse_accounts(lines, host)
        lines = tuple(_FIELDS_ACCOUNT.sub(rb"\1 ", line, count=1) for line in lines)
    flavour = found.raw["flavour"].decode()
    if lines:
        lines += sweeps or _sweep_lines(host, flavour, "")
    _refuse_percent(lines, flavour)
    tab = _tab(found.raw)
    text = crontab.join(crontab.put(tab, lines) if lines else replace(tab, lines=()))
    if text == found.raw.get("tab"):
        return ()
    if drop_in:
        put = RemoveFile(path=DROP_IN) if text is None else WriteFile(path=DROP_IN, data=text)
        return (Settle(path=DROP_IN.parent), put)
    if "unfaithful" in found.raw:
        raise EngineError(found.raw["unfaithful"].decode())
    what = f"{count(len(lines), 'line')} of ours"
    write = _write_tab(text, flavour, host, what)
    return (Settle(path=SPOOL), _still(found.raw.get("tab"), host), *write)


def _still(text: bytes | None, host: Host) -> Step:
    """See, right before the write, that nobody saved the crontab since it was read."""
    changed = (
        f"{host.user}'s crontab was changed by somebody else in this very moment, so nothing was written; "
        "run the same command again"
    )
    return Expect(argv=("crontab", "-l"), stdout=text, problem=changed)


def _sweep_lines(host: Host, flavour: str, account: str) -> tuple[bytes, ...]:
    """Return the lines that find missed slots."""
    command = " ".join(filter(None, (account, _command(host.argv("--sweep")))))
    lines = (f"{time} {command}" for time in _sweep_times(flavour))
    return tuple(line.encode("utf-8", "surrogateescape") for line in lines)


def _sweeps(lines: tuple[bytes, ...], host: Host, flavour: str) -> tuple[bytes, ...]:
    """Return the lines that find missed slots, of each account that *lines* run as."""
    others: dict[bytes, None] = {}
    ours = False
    for line in lines:
        account, command = line.split(b" ", 6)[5:]
        if account == host.user.encode():
            ours = True
        else:
            found = _JOB.search(command)
            assert found is not None, line
            sweep = command[: found.start(1)] + b"--sweep" + command[found.end(1) :]
            others[account + b" " + sweep] = None
    own = _sweep_lines(host, flavour, host.user) if ours or not others else ()
    return own + tuple(
        time.encode() + b" " + text for text in others for time in _sweep_times(flavour)
    )


def _refuse_accounts(lines: tuple[bytes, ...], host: Host) -> None:
    """Raise EngineError where one of *lines* is for another account: a crontab has no column for that."""
    for line in lines:
        account = line.split(b" ", 6)[5].decode()
        if account != host.user:
            raise EngineError(
                f"cron: {host.user}'s crontab cannot run a job as {account}, and this machine's cron has no "
                f'{DROP_IN.parent}; leave user = "{account}" out, or install as that account'
            )


def _sweep_times(flavour: str) -> tuple[str, ...]:
    """Return when missed slots are looked for: busybox's daemon would crash on ``@reboot``, and bcron skips it."""
    return (SWEEP,) if flavour in {"busybox", "bcron"} else ("@reboot", SWEEP)


def _write_tab(text: bytes | None, flavour: str, host: Host, what: str) -> tuple[Step, ...]:
    if text is None:
        return (Run(argv=("crontab", "-r"), why="remove the crontab, which did not exist before"),)
    _refuse_length(text, flavour)
    _refuse_open_end(text, flavour, host)
    why = f"write {host.user}'s crontab ({what})"
    if flavour == "bcron":  # knows no `crontab -`
        draft = host.state_dir / "crontab.draft"
        return (
            WriteFile(path=draft, data=text, mode=0o600),
            Run(argv=("crontab", str(draft)), why=why),
            RemoveFile(path=draft),
        )
    return (Run(argv=("crontab", "-"), stdin=text, why=why),)


def _tab(raw: Mapping[str, bytes]) -> Tab:
    return crontab.split(raw.get("tab"), raw["place"].decode())


def _entries(tab: Tab, account: bytes, drift: tuple[str, ...]) -> dict[str, InstalledEntry]:
    """Return the entry of each job in *tab*; *account* is put in front of commands that lack one."""
    texts: dict[str, list[bytes]] = {}
    for line in tab.lines:
        if _SWEEP.search(line):
            continue
        job = _JOB.search(line)
        assert job is not None, line  # the seal fits, so we wrote it
        texts.setdefault(job[1].decode(), []).append(line)
    return {job: _entry(job, lines, account, drift) for job, lines in texts.items()}


def _entry(job: str, lines: list[bytes], account: bytes, drift: tuple[str, ...]) -> InstalledEntry:
    if account:
        lines = [_FIELDS.sub(rb"\1 " + account, line, count=1) for line in lines]
    data = b"".join(line + b"\n" for line in lines)
    return InstalledEntry(
        job=job,
        triggers=tuple(
            b" ".join(line.split(b" ", FIELDS)[:FIELDS]).decode("utf-8", "replace")
            for line in lines
        ),
        artefacts=(Artefact(job=job, name="crontab", data=data),),
        drift=drift,
    )


def _lines(artefacts: Iterable[Artefact]) -> tuple[bytes, ...]:
    """Return the lines of *artefacts*, each seen to be one that a crontab reader understands."""
    lines = tuple(line for artefact in artefacts for line in artefact.data.split(b"\n") if line)
    for fields in {line.rsplit(b" ", line.count(b" ") - 4)[0] for line in lines}:
        columns = fields.split(b" ")
        assert len(columns) == FIELDS, fields
        assert all(_readable(*column) for column in enumerate(columns)), fields
    return lines


@functools.cache
def _fields(trigger: Trigger) -> str:
    """Return the time fields of *trigger*."""
    if trigger == EVERY_MINUTE:
        return "* * * * *"
    assert isinstance(trigger, CalendarTrigger), trigger
    assert trigger.zone is None, trigger
    return spell(trigger.calendar)


@functools.cache
def _readable(place: int, field: bytes) -> bool:
    """Tell whether python-crontab, which is not ours, reads *field* at its *place* among the five of time."""
    from crontab import CronSlices  # noqa: PLC0415 - only what writes a crontab pays for its import

    columns = ["*"] * FIELDS
    columns[place] = field.decode("ascii")
    return bool(CronSlices.is_valid(" ".join(columns)))


def _command(argv: Sequence[str]) -> str:
    """Return *argv* as cron and then the shell read it. Raises ConfigError on what no crontab can hold."""
    command = " ".join(map(_quoted, argv))
    for bad, name in (("\n", "a line break"), ("\r", "a carriage return"), ("\\", "a backslash")):
        if bad in command:
            raise ConfigError(
                f"cron: the command {command!r} holds {name}, which crontabs cannot carry faithfully; "
                "move ratectl or its state directory to a plainer path"
            )
    command = command.replace("%", "\\%")
    length = len(command.encode("utf-8", "surrogateescape"))
    if length > LONGEST_COMMAND:
        raise ConfigError(
            f"cron: the command is {length} bytes long, and crontab takes {LONGEST_COMMAND}: {command}"
        )
    return command


_quoted = functools.cache(shlex.quote)
"""Thousands of jobs share their words, but for the name."""


def _flavour(reader: Reader) -> str:
    """Return whose ``crontab`` this is: busybox, bcron, cronie, or vixie for Debian's and all others."""
    answer = reader.query(("crontab", "-V"))
    text = answer.stdout + answer.stderr
    known = {b"BusyBox": "busybox", b"bcrontab": "bcron", b"cronie": "cronie"}
    return next((name for mark, name in known.items() if mark in text), "vixie")


def listing(reader: Reader, host: Host) -> bytes | None:
    """Return the account's whole crontab, or None where it has none."""
    answer = reader.query(("crontab", "-l"))
    if answer.code == 0:
        return answer.stdout
    complaint = answer.stderr
    absent = (b"no crontab for", b"Crontab does not exist", b"can't open '" + host.user.encode())
    if answer.code in {1, 111} and any(text in complaint for text in absent):
        return None
    if b"not allowed" in complaint:
        raise RefusedError(f"cron: {answer.said}; ask the administrator for /etc/cron.allow")
    raise _refusal(reader, answer)


def _refusal(reader: Reader, answer: Completed) -> EngineError:
    """Return why the crontab cannot be read, and what is to be typed where that is known."""
    why = f"cron: `crontab -l` ended with {answer.code}: {answer.said}"
    if b"must be suid" not in answer.stderr:
        return EngineError(why)
    program = reader.which("crontab")  # a link to busybox, which the command follows
    command = f"chmod u+s {shlex.quote(str(program))}"
    error = EngineError(f"{why}; `{command}`, as root, lets it serve ordinary accounts")
    error.command = command
    return error


def _unfaithful(reader: Reader, host: Host, text: bytes, flavour: str) -> str:
    r"""Return why ``crontab -l`` does not show the tab as it is, or an empty text.

    Debian's prints a carriage return as the two characters ``\r``. Whether they are meant so can be
    told apart only by who may read the spool; others refuse them at the end of a line, where nobody
    writes them, and take them for what they look like elsewhere.
    """
    lines = crontab.unfaithful_lines(text, b"\r")
    if not lines and flavour == "vixie" and b"\\r" in text:
        stored = reader.read(SPOOL / host.user) if host.root else None
        if stored is None:
            lines = crontab.unfaithful_lines(text, b"\\r")
        else:
            lines = crontab.lines_with(
                stored, b"\r", hidden=stored.count(b"\n") - text.count(b"\n")
            )
    if not lines:
        return ""
    numbers = f"{', '.join(map(str, lines[:20]))}{' and more' if len(lines) > 20 else ''}"
    return (
        f"{host.user}'s crontab: carriage returns in line {numbers}. `crontab -l` does not give them back as "
        "they are, so nothing was written (cron hands them to the command, too). Remove them with "
        "`crontab -e`, then run `ratectl install` again."
    )


def _refuse_percent(lines: tuple[bytes, ...], flavour: str) -> None:
    if flavour in {"busybox", "bcron"} and any(b"%" in line for line in lines):
        raise EngineError(
            f"cron: the command holds a `%`, and the cron of this machine ({flavour}) cannot escape it; "
            "move ratectl or its state directory to a path without `%`"
        )


def _refuse_open_end(text: bytes, flavour: str, host: Host) -> None:
    last = text.rsplit(b"\n", 1)[-1].decode("utf-8", "replace")
    if last and flavour in {"vixie", "cronie"}:
        raise EngineError(
            f"{host.user}'s crontab: its last line, {last[:SHOWN]!r}, has no line end, and `crontab` "
            "refuses such a tab; `crontab -e` and a newline behind it mend that"
        )


def _refuse_length(text: bytes, flavour: str) -> None:
    count = text.count(b"\n")
    if flavour == "vixie" and count > MOST_LINES:
        raise EngineError(
            f"cron: the crontab would have {count} lines, and crontab takes {MOST_LINES}; "
            "use fewer jobs, or `--backend systemd`"
        )
