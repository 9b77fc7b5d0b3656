"""Job and what it holds: frozen values, right by construction, from spec to firing.

A job also has a plain form (dicts, lists, strings) for the journal's snapshot;
``Job.from_plain(job.to_plain()) == job`` for every job.
"""

from __future__ import annotations

import functools
import operator
import os
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ratectl import schedule
from ratectl.errors import ConfigError

if TYPE_CHECKING:
    import datetime as dt

    from ratectl.model.cluster import Cluster


class CatchUp(Enum):
    """Which slots that passed while nothing could run are settled afterwards."""

    NONE = "none"
    LATEST = "latest"
    ALL = "all"


class Overlap(Enum):
    """What a firing does that finds another one of its job at work."""

    SKIP = "skip"
    WAIT = "wait"


class ClosedDays(Enum):
    """What to do when the provider's newest rate is of an earlier day than the slot."""

    MARK = "mark"
    SKIP = "skip"
    FAIL = "fail"


class PairsInText(Enum):
    """When a line of a text output names its pair."""

    AUTO = "auto"
    """If the job had several pairs when it was first installed."""
    ALWAYS = "always"
    NEVER = "never"
    """What auto comes to for a job that began with one pair; no spec says it."""


OUTPUT_KINDS: tuple[str, ...] = (
    "text",
    "csv",
    "csv-quotes",
    "jsonl",
    "ledger",
    "beancount",
    "sqlite",
    "postgresql",
)
"""Every kind of output; ``outputs/formats`` has one module for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One *base* unit priced in *quote*; both are codes in capitals, of ISO 4217 or as ``currencies.py`` has them."""

    base: str
    quote: str

    def __str__(self) -> str:
        return f"{self.base}/{self.quote}"


ACCOUNT = "account:"
"""How the place of a record begins that is the own journal of an account."""
REQUEST_SECONDS = 20
"""How long one request may take where the spec says nothing."""


REVISIT = 3 * 86_400
"""Seconds in which a marked day is asked for again, where the spec says nothing."""
GET_ZONE = (
    "install the system's tzdata package (old names such as US/Pacific are in tzdata-legacy), or write the zone's "
    "present name into the spec"
)
"""What helps where this machine has no data of a job's zone."""
ON_TIME = 120
"""Seconds after its slot in which a firing still counts as on time (cron and launchd start late)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A rate source as the spec configures it."""

    name: str
    """The name in the spec; equals *kind* for the built-in ones."""
    kind: str
    """Which module of ``fetch/providers`` speaks to it."""
    base_url: str = ""
    """Overrides the module's own base URL; for http-json the URL template."""
    api_key: str = ""
    """A reference (``file:``, ``env:`` or ``credential:``), never the secret itself."""
    timeout: int = 0
    """Seconds for one request; 0 leaves REQUEST_SECONDS."""
    rate: str = ""
    """http-json, http-xml: path of the rate in the answer (``answer_path.py``), with placeholders as in the URL."""
    date: str = ""
    """Likewise of the rate date; empty means the answer carries none."""
    date_format: str = ""
    """Likewise: how the date is written, as ``strptime`` reads it; empty leaves the forms that are known."""
    factor: str = ""
    """Likewise: for how many units the answer's rate is, a decimal number; empty is one."""
    invert: bool = False
    """Likewise: the answer's rate is of the pair the other way round."""
    decimal: str = ""
    """Likewise: a comma where numbers that are texts have it for a point."""
    header: str = ""
    """Likewise: the header that holds the key alone; empty is Authorization."""
    stale_after: int = 0
    """Seconds that the newest rate may be old; 0 leaves the kind's own."""
    ahead: int = 0
    """Seconds that a rate may be dated ahead; 0 leaves the usual."""


DIRECTIVE = re.compile(r"%[YmdyjGV]")
"""Parts of a date that a file name may hold, as strftime spells them: those that are numbers in every language."""


def _file_name(path: str) -> str:
    return os.path.basename(path)  # noqa: PTH119 - for speed: a spec may name thousands


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where quotes go: a sink's *kind* and its *target* (an absolute path, or a database's URL)."""

    kind: str
    target: str

    @property
    def is_template(self) -> bool:
        """Whether its file name holds a part of the date, so that it is a file for each month or day."""
        return self.kind != "postgresql" and DIRECTIVE.search(_file_name(self.target)) is not None

    @property
    def unknown_parts(self) -> tuple[str, ...]:
        """What looks like a part of the date in its file name, and is none."""
        rest = DIRECTIVE.sub("", "" if self.kind == "postgresql" else self._name)
        return tuple(re.findall("%[A-Za-z]", rest))

    def on(self, day: dt.date) -> Output:
        """Return where it goes on the civil *day* of a slot."""
        if not self.is_template:
            return self
        return self._named(DIRECTIVE.sub(lambda found: day.strftime(found[0]), self._name))

    def at(self, path: str) -> Output | None:
        """Return itself with the *path* of one of its files; None for any other path."""
        parts = DIRECTIVE.split(self._name)
        pattern = "[0-9]+".join(map(re.escape, parts))
        found = self._named(_file_name(path))
        fits = found.target == path and re.fullmatch(pattern, _file_name(path))
        return found if fits else None

    @property
    def _name(self) -> str:
        return _file_name(self.target)

    def _named(self, name: str) -> Output:
        folder = self.target.removesuffix(self._name)
        return Output(kind=self.kind, target=f"{folder}{name}")

    def __str__(self) -> str:
        return (
            self.target if self.target.startswith(f"{self.kind}:") else f"{self.kind}:{self.target}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A named entry of the spec, complete: a firing needs nothing else."""

    name: str
    pairs: tuple[Pair, ...]
    schedule_texts: tuple[str, ...]
    """The schedule as written: phrases or cron lines, a union when several."""
    timezone: str
    """IANA name, already resolved (never "local")."""
    providers: tuple[Provider, ...]
    outputs: tuple[Output, ...]
    start: str = ""
    """``from`` as a civil ISO 8601 text in the job's zone; empty is open."""
    end: str = ""
    """``until`` likewise, exclusive (a date in the spec has become the following midnight)."""
    jitter: int = 0
    catch_up: CatchUp = CatchUp.LATEST
    grace: int = 0
    timeout: int = 90
    overlap: Overlap = Overlap.SKIP
    agree: Decimal = Decimal(0)
    """Fraction (0.01 for "1%") within which a second provider must agree; 0 asks none."""
    closed_days: ClosedDays = ClosedDays.MARK
    revisit: int = REVISIT
    """Seconds in which ``catch_up = "all"`` asks again for days marked with an earlier day's rate; 0 is never."""
    notify: tuple[str, ...] = ()
    notify_after: int = 1
    ping: str = ""
    enabled: bool = True
    tags: tuple[str, ...] = ()
    digits: int = 0
    """Significant digits of a derived rate at most; 0 leaves all twelve."""
    pairs_in_text: PairsInText = PairsInText.AUTO
    proxy: str = ""
    ca_bundle: str = ""
    journal: str = ""
    """URL of the PostgreSQL database that several hosts record in together; empty is this machine's own journal."""
    kubernetes: Cluster | None = None
    """What the spec says of Kubernetes, if it does."""
    report: str = ""
    """Absolute path of the report page that each firing writes anew; empty is none."""
    user: str = ""
    """The account that its firings run as where root installs it; empty is whoever installs it."""

    @property
    def record(self) -> str:
        """Where it is recorded: the URL of a shared journal, ``account:NAME``, or empty for this account's own journal."""
        return self.journal or (f"{ACCOUNT}{self.user}" if self.user else "")

    @property
    def schedule(self) -> schedule.Schedule:
        """The value of the schedule texts within ``from`` and ``until``; equal texts give equal values."""
        return schedule.parse(self.schedule_texts, start=self.start, end=self.end, name=self.name)

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which the schedule is meant and the text line is dated.

        Raises ConfigError where this machine has no data of it, as after an upgrade that took old names away.
        """
        try:
            return ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ConfigError(
                f"job {self.name!r}: no zone data for {self.timezone!r} on this machine; {GET_ZONE}"
            ) from error

    @property
    def fault(self) -> str:
        """Why its slots cannot be told on this machine; empty where they can."""
        try:
            _ = self.zone, self.schedule
        except ConfigError as error:
            return str(error)
        return ""

    def to_plain(self) -> dict[str, Any]:
        """Return the job as JSON-ready values."""
        return {
            field: _to_plain(value)
            for field in self.__slots__
            if not _says_nothing(field, value := getattr(self, field))
        }

    def to_json(self) -> str:
        """Return :meth:`to_plain` as JSON text; what jobs have in common is spelled once."""
        import json  # noqa: PLC0415 - a firing that has nothing to do needs the model, and no JSON

        own = {
            "name": self.name,
            "schedule_texts": self.schedule_texts,
            "outputs": _to_plain(self.outputs),
        }
        return f"{json.dumps(own)[:-1]}, {_shared_json(_SHARED_OF(self))}}}"

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Job:
        """Return the job that :meth:`to_plain` gave *plain* for; unknown or missing keys raise TypeError."""
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()
        }
        values |= {
            "pairs": tuple(Pair(**pair) for pair in plain["pairs"]),
            "providers": tuple(Provider(**provider) for provider in plain["providers"]),
            "outputs": tuple(Output(**output) for output in plain["outputs"]),
            "catch_up": CatchUp(plain["catch_up"]),
            "overlap": Overlap(plain["overlap"]),
            "closed_days": ClosedDays(plain["closed_days"]),
            "agree": Decimal(plain["agree"]),
            "pairs_in_text": PairsInText(plain.get("pairs_in_text", "auto")),
        }
        if plain.get("kubernetes"):
            from ratectl.model import cluster  # noqa: PLC0415 - few jobs name one, and a firing of the others goes without

            values["kubernetes"] = cluster.from_plain(plain["kubernetes"])
        return cls(**values)


_NEW_IN_JOBS: dict[str, object] = {
    "digits": 0,
    "pairs_in_text": PairsInText.AUTO,
    "revisit": REVISIT,
    "report": "",
    "user": "",
}


def _says_nothing(field: str, value: object) -> bool:
    """Tell whether a *field* that earlier versions did not know says no more than they did: what is installed then stays."""
    return field in _NEW_IN_JOBS and _NEW_IN_JOBS[field] == value


_OWN = frozenset({"name", "schedule_texts", "outputs"})
_SHARED = tuple(field for field in Job.__slots__ if field not in _OWN)
_SHARED_OF = operator.attrgetter(*_SHARED)
"""What jobs mostly have in common."""


@functools.lru_cache(maxsize=256, typed=True)
def _shared_json(values: tuple[Any, ...]) -> str:
    import json  # noqa: PLC0415 - the same

    fields = zip(_SHARED, values, strict=True)
    said = {f: _to_plain(value) for f, value in fields if not _says_nothing(f, value)}
    return json.dumps(said)[1:-1]


_NEW = frozenset({"date_format", "factor", "invert", "decimal", "header", "stale_after", "ahead"})
"""Fields of a provider that earlier versions did not know: left out while they say nothing, so that what is installed stays."""


def _to_plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        return [_to_plain(item) for item in value]
    if isinstance(value, Provider):
        plain = {field: getattr(value, field) for field in value.__slots__}
        return {field: said for field, said in plain.items() if field not in _NEW or said}
    names: tuple[str, ...] = getattr(value, "__slots__", ())
    if names:  # a pair, an output, a cluster and its tolerations
        return {name: _to_plain(getattr(value, name)) for name in names}
    return value
