"""TOML text -> Jobs, or one SpecError with every issue of the file.

Nothing is half-read: a spec with one issue gives no job at all. Each key has a
reader in a table; what has no reader is unknown and reported with its nearest kin.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratectl import paths
from ratectl.errors import ConfigError, Issue, SpecAbsentError, SpecError
from ratectl.runtime import given, made_files
from ratectl.spec import readers
from ratectl.spec.issues import MISSING, Reading
from ratectl.spec.jobs import read_jobs
from ratectl.spec.key_lines import DEEPEST, too_deep
from ratectl.spec.kubernetes import read_kubernetes
from ratectl.spec.outputs import POSTGRES_SCHEMES, journal, page
from ratectl.spec.providers import read_providers
from ratectl.wording import typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.model.cluster import Cluster
    from ratectl.model.job import Job, Provider
    from ratectl.spec.issues import Readers
    from ratectl.spec.key_lines import KeyPath

AS_UTF8 = "save the file again with the encoding UTF-8"
TOO_DEEP = f"not TOML as it is read here: nested too deeply; tables, lists and keys go {DEEPEST} deep at most"
TABLES = ("defaults", "jobs", "ratectl", "providers", "kubernetes", "currencies")
RATECTL_READERS: Readers = {
    "proxy": readers.proxy,
    "ca_bundle": readers.text,
    "backend": readers.word("auto", "cron", "systemd", "windows", "launchd", "kubernetes"),
    "scope": readers.word("auto", "user", "system"),
    "user": readers.account,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What a spec says about the whole installation."""

    backend: str = "auto"
    scope: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A whole spec file, right in every part."""

    path: str
    """Absolute path of the file."""
    jobs: tuple[Job, ...]
    installation: Installation
    providers: tuple[Provider, ...] = ()
    """Every provider that a job may name: the built-in ones, as the file overrides them, and the file's own."""
    proxy: str = ""
    ca_bundle: str = ""
    kubernetes: Cluster | None = None

    def digest(self, name: str) -> str:
        """Return the SHA-256 of what the job *name* means; comments and layout do not count."""
        return job_digest(self.job(name))

    def job(self, name: str) -> Job:
        """Return the job *name*. Raises ConfigError."""
        for job in self.jobs:
            if job.name == name:
                return job
        hint = readers.did_you_mean(name, [job.name for job in self.jobs])
        raise ConfigError(f'{self.path}: there is no job "{name}"{hint}')


def job_digest(job: Job) -> str:
    """Return the SHA-256 of everything that *job* means."""
    plain = json.dumps(job.to_plain(), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()


def load(path: str | Path, *, host_timezone: str, fired_here: bool = True) -> Spec:
    """Return the spec in the file *path*, with "local" zones resolved to *host_timezone*.

    Jobs that are *fired_here*, and not in a cluster, need the libraries that they use to be here.
    Raises SpecError with all issues, also when the file cannot be read.
    """
    file = Path(paths.typed(path))
    content = read(path)
    return loads(content, path=file, host_timezone=host_timezone, fired_here=fired_here)


def read(path: str | Path) -> bytes:
    """Return the bytes of the spec in the file *path*. Raises SpecError, or RefusedError for a pipe of another account."""
    file = Path(paths.typed(path))
    try:
        return given.contents(file)
    except FileNotFoundError as error:
        if file.name == str(path) and not file.suffix:
            message = "no such file (this takes the file of a spec, not the name of a job); `ratectl init` writes a starter spec"
        else:
            message = f"no such file; `{typed('ratectl', 'init', str(file))}` writes a starter spec"
        raise SpecAbsentError(str(file), message) from error
    except OSError as error:
        message = f"cannot be read: {error.strerror}{_way_out(file, error)}"
        unreadable = SpecError(str(file), [Issue(line=None, key="", message=message)])
        unreadable.topic = ""  # what may stand in it is not the question
        raise unreadable from error


def _way_out(file: Path, error: OSError) -> str:
    """Return what to do about a *file* that cannot be read: where it is ours, the command that ends that."""
    if paths.is_folder(file):
        return "; name a file in it"
    if not isinstance(error, PermissionError):
        return "; name another file"
    try:
        own = file.stat().st_uid == os.geteuid()
    except (OSError, AttributeError):  # a folder on the way is closed; Windows has no numbers
        own = False
    if own:
        return f"; `chmod u+r {shlex.quote(str(file))}`"
    return "; name another file, or have its owner let this account read it and enter its folder"


def loads(content: bytes, *, path: Path, host_timezone: str, fired_here: bool = True) -> Spec:
    """Return the spec that *content* holds; *path* is named in issues and anchors relative outputs."""
    try:
        if b"\0" in content:  # as UTF-16 has them, and no TOML
            raise SpecError(str(path), [_nul_issue(content)])
        text = content.decode("utf-8-sig")
        if line := too_deep(text):
            raise SpecError(str(path), [Issue(line=line, key="", message=TOO_DEEP)])
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        issue = Issue(line=line, key="", message=f"expected UTF-8 text; {AS_UTF8}")
        raise SpecError(str(path), [issue]) from error
    except (
        ValueError,
        RecursionError,
    ) as error:  # a number of thousands of digits, brackets in brackets
        raise SpecError(str(path), [_syntax_issue(error, text)]) from error
    reading = Reading(document, text, path, host_timezone)
    spec = _read(reading, document)
    if fired_here and spec.kubernetes is None and importlib.util.find_spec("psycopg") is None:
        for key in _needing_the_driver(document):
            reading.issue(key, "needs the psycopg library: pip install 'ratectl[postgres]'")
    if reading.issues:
        once = dict.fromkeys(reading.issues)  # a wrong default shows in every job
        raise SpecError(str(path), sorted(once, key=lambda issue: issue.line or 0))
    return spec


def _needing_the_driver(document: dict[str, Any]) -> Iterator[KeyPath]:
    """Yield the keys of *document* that name a PostgreSQL database."""
    for place, key in _places(document):
        table: Any = document
        for name in place:
            table = table.get(name) if isinstance(table, dict) else None
        found = table.get(key) if isinstance(table, dict) else None
        for text in found if isinstance(found, list) else [found]:
            if isinstance(text, str) and text.partition(":")[0] in POSTGRES_SCHEMES:
                yield (*place, key)


def _places(document: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    yield ("ratectl",), "journal"
    yield ("defaults",), "output"
    jobs = document.get("jobs")
    for name in jobs if isinstance(jobs, dict) else ():
        yield ("jobs", name), "output"


def _given_twice(message: str, line: str) -> str:
    """Return which key or table stands in the file twice, where tomllib means that by its *message*; else an empty text."""
    table = re.match(r"Cannot declare \((.+?),?\) twice", message)
    if table:
        names = re.findall(r"'([^']*)'", table[1])
        return f"the table [{'.'.join(names)}] stands in the file twice; put both together"
    if message.startswith("Cannot overwrite a value"):
        return f"{line.partition('=')[0].strip()} is given twice; leave one out"
    return ""


def _nul_issue(content: bytes) -> Issue:
    line = content[: content.index(b"\0")].count(b"\n") + 1
    message = f"expected UTF-8 text, found a NUL byte, as in UTF-16; {AS_UTF8}"
    return Issue(line=line, key="", message=message)


def _syntax_issue(error: Exception, text: str) -> Issue:
    if isinstance(error, RecursionError):
        return Issue(line=None, key="", message=TOO_DEEP)
    match = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    message = re.sub(r" \(at .*\)$", "", str(error))
    lines = text.rstrip("\n").split("\n")
    number = int(match[1]) if match else len(lines)
    if twice := _given_twice(message, lines[min(number, len(lines)) - 1]):
        return Issue(line=number, key="", message=twice)
    if match is None:
        return Issue(line=None, key="", message=f"not TOML: {message}")
    hint = _hint(message, lines[min(number, len(lines)) - 1]) or _unquoted(lines, number)
    message = f"not TOML: {message} in column {match[2]}{hint}"
    return Issue(line=number, key="", message=message)


def _hint(message: str, line: str) -> str:
    """Return what to write instead in *line*, where its fault is one of those that editors and paths of Windows make."""
    if re.search(r"[\u2018-\u201f\u00ab\u00bb]", line):
        return '; write straight quotes, as in "every day"'
    if "\\" in line and ("hex value" in message or "'\\'" in message or "backslash" in message):
        return "; in double quotes a backslash begins a sign of its own: write the path in single quotes, or with /"
    return ""


LONGEST_BARE = 500
"""Characters of a line in which missing quotes are looked for."""
BARE = re.compile(r"(\s*[^=#]+=\s*)([^\s\"'\[{#][^\"'#]*?|\[[^\"'#\[\]{}]+\])(\s*|\s+#.*)")
"""A key with a text, or a list of texts, that stands without quotes, and what follows on its line."""


def _unquoted(lines: list[str], number: int) -> str:
    """Return the line *number* as it would be right, where it only lacks the quotes of a text; else an empty text."""
    line = lines[number - 1] if number <= len(lines) else ""
    bare = BARE.fullmatch(line) if len(line) <= LONGEST_BARE else None
    if bare is None:
        return ""
    right = f"{bare[1]}{_in_quotes(bare[2])}"
    try:
        tomllib.loads("\n".join((*lines[: number - 1], right, *lines[number:])))
    except (ValueError, RecursionError) as error:
        later = re.search(r"\(at line (\d+),", str(error))
        if later is None or int(later[1]) <= number:
            return ""
    return f"; a text stands in quotes: {right.strip()}"


def _in_quotes(value: str) -> str:
    """Return a bare *value*, or each one of a list, in the quotes that take it as it is."""
    if value.startswith("["):
        parts = (part.strip() for part in value[1:-1].split(","))
        return f"[{', '.join(_in_quotes(part) for part in parts if part)}]"
    quote = "'" if "\\" in value else '"'
    return f"{quote}{value}{quote}"


def _read(reading: Reading, document: dict[str, object]) -> Spec:
    reading.refuse_unknown((), document, TABLES)
    folder = reading.path.parent
    readers = RATECTL_READERS | {
        "journal": lambda value: journal(value, folder),
        "report": lambda value: page(value, folder),
    }
    general = reading.read_each(("ratectl",), reading.table(("ratectl",)), readers)
    common: dict[str, Any] = {
        "proxy": general.pop("proxy", ""),
        "ca_bundle": _ca_bundle(reading, general.pop("ca_bundle", "")),
        "journal": general.pop("journal", ""),
        "report": general.pop("report", ""),
        "user": general.pop("user", ""),
        "kubernetes": read_kubernetes(reading, wanted=general.get("backend") == "kubernetes"),
    }
    providers = read_providers(reading)
    jobs = read_jobs(reading, providers, common)
    _refuse_taken(reading, common["report"], jobs)
    return Spec(
        path=str(reading.path),
        jobs=jobs,
        installation=Installation(**general),
        providers=tuple(providers.values()),
        proxy=common["proxy"],
        ca_bundle=common["ca_bundle"],
        kubernetes=common["kubernetes"],
    )


def _refuse_taken(reading: Reading, report: str, jobs: tuple[Job, ...]) -> None:
    """Note an issue where the report page would replace an output or the spec itself, or jobs of several accounts write it."""
    users = sorted({job.user for job in jobs})
    if report and len(users) > 1:
        accounts = " and ".join(user or "whoever installs them" for user in users)
        reading.issue(
            ("ratectl", "report"),
            f"the jobs run as {accounts}, and each would write the page of its own record alone; leave it out, and "
            "let `ratectl report --watch FILE` write the page of all",
        )
    if report and (
        why := _taken(reading, report, jobs) or made_files.fault(report, made_files.PAGE)
    ):
        reading.issue(("ratectl", "report"), why)


def _taken(reading: Reading, report: str, jobs: tuple[Job, ...]) -> str:
    """Return what the file *report* is already, also under another name; an empty text where it is free."""
    identity = paths.identity(report)
    for job in jobs:
        for output in job.outputs:
            if output.kind != "postgresql" and paths.identity(output.target) == identity:
                return f"{report} is an output of {job.name}; name another file"
    if identity == paths.identity(str(reading.path)):
        return f"{report} is the spec itself; name another file"
    if (why := paths.absence(report)) not in {"", paths.ABSENT, paths.SHUT}:
        return f"{report}: {why}; name another file"
    if paths.lies_in(report, paths.state_dir()):
        return f"{report} lies in ratectl's own state directory; name a file elsewhere"
    return ""


def _ca_bundle(reading: Reading, written: str) -> str:
    if not written:
        return ""
    key = ("ratectl", "ca_bundle")
    bundle = reading.read(key, written, lambda path: readers.absolute(path, reading.path.parent))
    if bundle is MISSING:
        return ""
    if why := paths.absence(bundle):
        reading.issue(key, f"{bundle}: {why}; name another file")
    return str(bundle)
