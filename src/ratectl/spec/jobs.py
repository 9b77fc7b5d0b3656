"""The ``[jobs.NAME]`` tables of a spec, over ``[defaults]`` -> Jobs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from ratectl import paths
from ratectl.errors import ScheduleError
from ratectl.model.job import CatchUp, ClosedDays, Job, Output, Overlap, Provider
from ratectl.model.providers import PROVIDER_KINDS, TEMPLATE_KINDS, traits_of
from ratectl.runtime import zones
from ratectl.schedule.language.parse import members_of, parse, parse_one
from ratectl.schedule.occurrences.subsets import idle_members
from ratectl.spec import readers as values
from ratectl.spec.issues import MISSING
from ratectl.spec.outputs import output
from ratectl.spec.providers import LONGEST_NAME, NAME, named

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from ratectl.spec.issues import Readers, Reading
    from ratectl.spec.key_lines import KeyPath

DEFAULT_PROVIDERS = ["exchangerate-api-v4", "exchangerate-api-open", "frankfurter"]
REQUIRED = ("pairs", "schedule", "output")
JOB_READERS: Readers = {
    "jitter": values.duration,
    "catch_up": values.choice(CatchUp),
    "grace": values.duration,
    "timeout": values.timeout,
    "overlap": values.choice(Overlap),
    "agree": values.percentage,
    "closed_days": values.choice(ClosedDays),
    "revisit": values.revisit,
    "notify_after": values.count,
    "ping": values.url,
    "enabled": values.flag,
    "digits": values.digits,
    "pairs_in_text": values.pairs_in_text,
    "user": values.account,
}
"""Keys that are one value and mean the same whatever else the job says."""
LIST_READERS: Readers = {
    "tags": values.text,
}
OTHER_JOB_KEYS = ("pairs", "timezone", "schedule", "providers", "output", "notify", "from", "until")
JOB_KEYS = (*JOB_READERS, *LIST_READERS, *OTHER_JOB_KEYS)


def read_jobs(
    reading: Reading, providers: dict[str, Provider], common: dict[str, Any]
) -> tuple[Job, ...]:
    """Return the jobs; *common* holds what each job carries of the installation."""
    defaults = reading.table(("defaults",))
    reading.refuse_unknown(("defaults",), defaults, JOB_KEYS)
    tables = reading.table(("jobs",))
    if not tables:
        reading.issue(("jobs",), "no job; a job is a table such as [jobs.usd-inr]")
    _refuse_twins(reading, list(tables))
    folder = reading.path.parent
    own_codes = _own_currencies(reading)
    readers: Readers = {
        "pairs": partial(values.pair, own=own_codes),
        "output": partial(output, folder=folder),
        "notify": partial(values.recipient, folder=folder),
        "providers": partial(named, providers=providers),
    }
    known: dict[str, Any] = {}
    kinds: dict[object, str] = {}
    jobs = []
    for name in tables:
        own = reading.table(("jobs", name))
        table = _Table(
            reading=reading,
            key=("jobs", name),
            merged=defaults | own,
            own=frozenset(own),
            readers=readers,
            defaults=known,
        )
        job = _job(table, common)
        if job is not None:
            _check_outputs(table, job, kinds)
        jobs.append(job)
    return tuple(job for job in jobs if job is not None)


def _own_currencies(reading: Reading) -> frozenset[str]:
    """Return the codes of ``[currencies]``, each of which has a name."""
    found = []
    for code, name in reading.table(("currencies",)).items():
        key = ("currencies", code)
        good = reading.read(key, code, values.currency_code)
        if good is not MISSING and reading.read(key, name, values.text) is not MISSING:
            found.append(code)
    return frozenset(found)


def _refuse_twins(reading: Reading, names: list[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.setdefault(name.lower(), name)
        if twin != name:
            reading.issue(("jobs", name), f'differs from the job "{twin}" only in letter case')


@dataclass(slots=True, kw_only=True)
class _Table:
    """One job's keys over the defaults, and where each of them stands."""

    reading: Reading
    key: KeyPath
    merged: dict[str, Any]
    own: frozenset[str]
    readers: Readers
    """Those that need to know the file."""
    defaults: dict[str, Any]
    """What the keys of the defaults were found to mean: each is read once for all jobs."""

    def key_path(self, name: str) -> KeyPath:
        """Return the key path of *name*: the job's own, else that of the defaults, else the job."""
        if name in self.own:
            return (*self.key, name)
        return ("defaults", name) if name in self.merged else self.key

    def once(self, name: str, read: Callable[[], Any]) -> Any:
        """Return what *read* gives for the key *name*, known already where it is not the job's own."""
        if name in self.own:
            return read()
        if name not in self.defaults:
            self.defaults[name] = read()
        return self.defaults[name]

    def read(self, name: str, reader: Callable[[Any], Any]) -> Any:
        return self.once(
            name, lambda: self.reading.read(self.key_path(name), self.merged[name], reader)
        )

    def list(
        self,
        name: str,
        reader: Callable[[Any], Any],
        quote: Callable[[Any], str] = values.quoted,
    ) -> tuple[Any, ...]:
        found: tuple[Any, ...] = self.once(
            name,
            lambda: self.reading.list(self.key_path(name), self.merged[name], reader, quote),
        )
        return found


def _job(table: _Table, common: dict[str, Any]) -> Job | None:
    reading, key = table.reading, table.key
    before = len(reading.issues)
    _check_name(reading, key)
    reading.refuse_unknown(key, dict.fromkeys(table.own), JOB_KEYS)
    fields = _fields(table) | _when(table)
    fields["providers"] = _chain(table)
    if len(reading.issues) > before or MISSING in fields.values():
        return None
    fields = common | fields
    job = Job(name=key[-1], **fields)
    _check_history(table, job)
    _check_placeholders(table, job)
    return job


def _fields(table: _Table) -> dict[str, Any]:
    """Return what stands for itself; the schedule and the providers need more than one key."""
    for name in REQUIRED:
        if name not in table.merged:
            table.reading.issue(table.key, f'"{name}" is missing')
    for name in (*REQUIRED, "providers"):
        if table.merged.get(name) == []:
            table.reading.issue(table.key_path(name), "the list is empty")
    said = table.merged
    found = {name: table.read(name, JOB_READERS[name]) for name in said if name in JOB_READERS}
    found |= {name: table.list(name, LIST_READERS[name]) for name in said if name in LIST_READERS}
    if "pairs" in table.merged:
        found["pairs"] = table.list("pairs", table.readers["pairs"])
    if "output" in table.merged:
        found["outputs"] = table.list("output", table.readers["output"])
    if "notify" in table.merged:
        found["notify"] = table.list("notify", table.readers["notify"], values.hidden)
    return found


def _check_name(reading: Reading, key: KeyPath) -> None:
    if not NAME.fullmatch(key[-1]) or len(key[-1]) > LONGEST_NAME:
        expected = f"at most {LONGEST_NAME} lower-case letters, digits and inner hyphens"
        reading.issue(key, f"expected a job name of {expected}")


def _when(table: _Table) -> dict[str, Any]:
    zone = _zone(table)
    start, end = _moment(table, "from", zone), _moment(table, "until", zone)
    found: dict[str, Any] = {"timezone": zone.key if zone else MISSING, "start": start, "end": end}
    if "schedule" not in table.merged or not _begins_before_its_end(table, start, end, zone):
        return found
    first = dt.datetime.fromisoformat(start) if start else None
    before = len(table.reading.issues)
    written = table.list("schedule", _schedule_reader(start))
    texts = tuple(" ".join(text.split()) for text in written)
    if len(table.reading.issues) == before:
        read = partial(parse, start=start, end=end, name=table.key[-1], zone=zone)
        table.reading.read(table.key_path("schedule"), texts, read)
    several = len(texts) > 1 or any(";" in text for text in texts)
    if several and len(table.reading.issues) == before:
        members = tuple(member for text in texts for member in members_of(text))
        if len(members) > 1:
            _refuse_idle_members(table, members, first, read)
    return found | {"schedule_texts": texts}


@lru_cache(maxsize=64)
def _schedule_reader(start: str) -> Callable[[Any], str]:
    """Return the reader of a schedule's text from *start* on: one for all jobs, so that what they share is read once."""
    first = dt.datetime.fromisoformat(start) if start else None

    def read(value: Any) -> str:
        text = values.text(value)
        parse_one(text, first, "")
        return text

    return read


def _begins_before_its_end(table: _Table, start: str, end: str, zone: ZoneInfo | None) -> bool:
    """Tell whether there is a time between *start* and *end*, where both are said; else note it at ``until``."""
    if not (start and end):
        return True
    first, last = (dt.datetime.fromisoformat(text) for text in (start, end))
    if zone is not None:
        first, last = (
            (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(dt.UTC)
            for moment in (first, last)
        )
    if first < last:
        return True
    said = {name: str(table.merged[name]) for name in ("from", "until")}
    message = f"until = {said['until']} is not later than from = {said['from']}, so the job would never fire"
    table.reading.issue(table.key_path("until"), message)
    return False


def _refuse_idle_members(
    table: _Table,
    texts: tuple[str, ...],
    first: dt.datetime | None,
    read: Callable[[tuple[str, ...]], object],
) -> None:
    """Note each schedule of a list without which the job has the same slots."""
    key = table.key_path("schedule")
    idle = idle_members([parse_one(text, first, table.key[-1]) for text in texts])
    for number, text in enumerate(texts):
        if number in idle:
            table.reading.issue(
                key, f'"{text}" adds nothing to the other schedules of the list; leave it out'
            )
            continue
        try:
            read((text,))
        except ScheduleError as error:
            table.reading.issue(key, f'"{text}" adds nothing to the list: {error.message}')


def _zone(table: _Table) -> ZoneInfo | None:
    found: ZoneInfo | None = table.once("timezone", lambda: _read_zone(table))
    return found


def _read_zone(table: _Table) -> ZoneInfo | None:
    value = table.merged.get("timezone", zones.DEFAULT_TIMEZONE)
    name = table.reading.host_timezone if value == zones.DEFAULT_TIMEZONE else value
    try:
        return zones.named(name)
    except ValueError:
        expected = 'expected an IANA time zone such as "Asia/Kolkata", or "local"'
        table.reading.issue(
            table.key_path("timezone"),
            f"{expected}; found {values.quoted(value)}{zones.meant(value)}",
        )
        return None


def _moment(table: _Table, name: str, zone: ZoneInfo | None) -> str:
    """Return ``from`` or ``until`` as civil text; a date as ``until`` counts as a whole day.

    Of a time that comes twice, a text without offset means the first; the second keeps its offset.
    """
    if name not in table.merged:
        return ""
    value = table.read(name, values.moment)
    if value is MISSING:
        return ""
    if not isinstance(value, dt.datetime):
        day = value + dt.timedelta(days=1) if name == "until" else value
        value = dt.datetime.combine(day, dt.time())
    elif value.tzinfo is not None and zone is not None:
        value = value.astimezone(zone)
        if value.utcoffset() != value.replace(fold=0).utcoffset():
            return str(value.replace(microsecond=0).isoformat())
    return str(value.replace(tzinfo=None, microsecond=0).isoformat())


def _chain(table: _Table) -> tuple[Provider, ...]:
    names = table.merged.get("providers", DEFAULT_PROVIDERS)
    found: tuple[Provider, ...] = table.once(
        "providers",
        lambda: table.reading.list(table.key_path("providers"), names, table.readers["providers"]),
    )
    return found


def _check_placeholders(table: _Table, job: Job) -> None:
    """See that a provider with a URL of its own can tell the job's pairs apart: else all would get one number."""
    templates = (p for p in job.providers if p.kind in TEMPLATE_KINDS)
    for provider in templates:
        for side in ("base", "quote"):
            written = f"{provider.base_url} {provider.rate}"
            several = len({getattr(pair, side) for pair in job.pairs}) > 1
            if several and f"{{{side}" not in written:
                message = (
                    f'the provider "{provider.name}" has no {{{side}}} in its url or rate, so all '
                    f"pairs would get the rate of one {side} currency; give each a job and a provider"
                )
                table.reading.issue(table.key_path("pairs"), message)


def _check_outputs(table: _Table, job: Job, kinds: dict[object, str]) -> None:
    """See that no output of *job* is another one's file under another name or in another format.

    *kinds* says in which format each file is written by the jobs before.
    """
    own: dict[object, Output] = {}
    for found in job.outputs:
        is_file = found.kind != "postgresql"
        identity = paths.identity(found.target) if is_file else found.target
        other = own.setdefault(identity, found)
        kind = kinds.setdefault(identity, found.kind)
        if kind != found.kind:
            message = (
                f"{found.target}: one file in two formats ({kind} and {found.kind}); "
                "give each format a file of its own"
            )
        elif other is not found and is_file:
            message = (
                f"{other.target} and {found.target} are one file, which would get every line twice; "
                "leave one of them out"
            )
        else:
            continue
        table.reading.issue(table.key_path("output"), message)


def _check_history(table: _Table, job: Job) -> None:
    if job.catch_up is CatchUp.ALL and not any(
        traits_of(provider).history for provider in job.providers
    ):
        able = ", ".join(kind for kind, traits in PROVIDER_KINDS.items() if traits.history)
        message = f'catch_up = "all" needs a provider with history: {able}'
        table.reading.issue(table.key_path("catch_up"), message)
