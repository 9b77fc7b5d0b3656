"""What every key of a spec means, for the manual: beside the readers, and in no other place.

Defaults are taken from where the code takes them. No command imports this; ``scripts/documents.py readme``
writes the manual's tables out of it, and a test holds its keys and examples to the readers.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from ratectl.model.cluster import Cluster
from ratectl.model.job import REQUEST_SECONDS, CatchUp, ClosedDays, Job, Overlap, Provider
from ratectl.model.providers import PROVIDER_KINDS
from ratectl.runtime.zones import DEFAULT_TIMEZONE
from ratectl.spec import readers
from ratectl.spec.document import Installation
from ratectl.spec.jobs import DEFAULT_PROVIDERS, JOB_READERS, REQUIRED


class Key(NamedTuple):
    """One key of a table of the spec."""

    type: str
    """What a value looks like, as Markdown."""
    meaning: str
    """One phrase without a full stop, as Markdown."""
    example: Any
    """A value that the key's reader takes."""


def _words(*words: str) -> str:
    return ", ".join(f'`"{word}"`' for word in words)


def _members(kind: type[Enum]) -> str:
    return _words(*(member.value for member in kind))


DURATION = "duration"
MOMENT = "date, or date and time"

JOB: dict[str, Key] = {
    "pairs": Key(
        "`BASE/QUOTE`, or a list of them",
        "what to record; codes of ISO 4217, those that ended (HRK, DEM) included, others in use (BTC, CNH), or of `[currencies]`",
        ["USD/INR"],
    ),
    "schedule": Key(
        "phrase or cron line, or a list (union)",
        "when; see [Schedules](schedules.md)",
        "every day at 10:30",
    ),
    "output": Key(
        "path or URL, or a list",
        "where to append; the format is told by suffix or prefix, see [Outputs](outputs.md); relative paths begin at the spec's folder",
        "~/rates/output.txt",
    ),
    "timezone": Key(
        "IANA name",
        'in which the schedule is meant and the text line dated; `"local"` is this machine\'s zone at install, by `/etc/localtime`',
        "Asia/Kolkata",
    ),
    "providers": Key(
        "list of names",
        "asked in order until one answers; without the key "
        f"{', '.join(f'`{name}`' for name in DEFAULT_PROVIDERS)}; see [Providers](providers.md)",
        ["exchangerate-api-v4", "frankfurter"],
    ),
    "from": Key(MOMENT, 'inclusive; also the anchor of `"every 3 days"`', "2026-12-01"),
    "until": Key(MOMENT, "exclusive for a time, the whole day for a date", "2027-12-31"),
    "jitter": Key(
        DURATION, "start up to this much later, the same for this host and job every day", "5m"
    ),
    "catch_up": Key(
        _members(CatchUp),
        "which slots that were missed while off are settled afterwards; all of them from providers with history",
        "all",
    ),
    "grace": Key(DURATION, "no live rate for a slot older than this; `0s` is no limit", "6h"),
    "timeout": Key(
        f"{DURATION}, 1s to 1h", "one deadline for network, retries and fallbacks", "90s"
    ),
    "overlap": Key(_members(Overlap), "when another firing of this job is at work", "wait"),
    "agree": Key(
        'percentage (`"1%"`)', "a second provider must agree within this; 0% asks none", "1%"
    ),
    "closed_days": Key(_members(ClosedDays), "when the newest rate is of an earlier day", "skip"),
    "revisit": Key(
        DURATION,
        'how long `catch_up = "all"` asks again for a day marked with an earlier day\'s rate; `0s` is never',
        "3d",
    ),
    "notify": Key(
        "URL, `file:`, `env:` or `credential:` reference, or a list of them",
        "told of failure and of recovery",
        ["https://hooks.example/rates"],
    ),
    "notify_after": Key(
        "number from 1",
        "failures in a row before the first message, and before stderr tells of exit 75",
        3,
    ),
    "ping": Key("URL", "dead man's switch: start, success, fail", "https://ping.example/uuid"),
    "enabled": Key(
        "true or false", "false keeps the job in the spec and out of the scheduler", False
    ),
    "tags": Key("text, or a list", "words of your own", ["books"]),
    "digits": Key(
        "number from 2 to 12", "significant digits of a derived rate (a cross) at most", 6
    ),
    "pairs_in_text": Key(
        _words("auto", "always"),
        "whether lines of a text output name their pair; auto: if the job has several when it is first installed, and then for good",
        "always",
    ),
    "user": Key(
        "name of an account",
        "as `user` of `[ratectl]`, for this job",
        "rates",
    ),
}
"""A job's keys; any of them may stand in ``[defaults]``."""

RATECTL: dict[str, Key] = {
    "journal": Key(
        '`"sqlite"` or a PostgreSQL URL',
        "this machine's own file, or a database that several hosts share",
        "sqlite",
    ),
    "backend": Key(
        _words("auto", "cron", "systemd", "windows", "launchd", "kubernetes"),
        "which scheduler; auto takes what this machine runs, and no cluster",
        "cron",
    ),
    "scope": Key(_words("auto", "user", "system"), "auto is system as root, else user", "user"),
    "user": Key(
        "name of an account",
        "which account root's jobs run as, best one without rights; without it they run as root",
        "rates",
    ),
    "proxy": Key(
        "URL",
        "for every request; the environment's counts only for `run`, `serve` and in pods",
        "http://proxy.example:3128",
    ),
    "ca_bundle": Key(
        "path",
        "certificates for a proxy that inspects TLS; certificates are always verified",
        "roots.pem",
    ),
    "report": Key(
        "path of an .html file",
        "the page of `ratectl report`, written anew after each firing",
        "~/rates/index.html",
    ),
}

PROVIDER: dict[str, Key] = {
    "kind": Key(
        "name of a kind",
        '`"http-json"` or `"http-xml"` for any JSON or XML over HTTPS, or a built-in one under another name',
        "http-json",
    ),
    "base_url": Key("URL", "a mirror of your own, for a built-in kind", "https://rates.example/v1"),
    "api_key": Key(
        "`file:PATH`, `env:NAME` or `credential:NAME`",
        "where the key is kept, never the key itself; over https only, or to this machine",
        "env:RATES_KEY",
    ),
    "timeout": Key(f"{DURATION}, 1s to 1h", "for one request, within the job's own", "10s"),
    "url": Key(
        "URL with `{base}`, `{quote}`, `{base_lower}`, `{quote_lower}`, `{date}`, `{key}`",
        "http-json, http-xml: where to ask; `{date}` (or `{date:%d/%m/%Y}`) makes past days known, `{key}` is where the key goes",
        "https://rates.example/{base}.json",
    ),
    "rate": Key(
        "path, or a list of keys",
        "http-json, http-xml: the rate in the answer; see [Any JSON or XML](providers.md#any-json-or-xml)",
        "rates.{quote}",
    ),
    "date": Key(
        "path, or a list of keys",
        "http-json, http-xml: the day of the rate; without it the day of the answer in the job's zone, or the day asked for",
        "date",
    ),
    "date_format": Key(
        "form of `strptime`",
        "http-json, http-xml: how the date is written, where it is in none of the known forms",
        "%d.%m.%Y",
    ),
    "factor": Key(
        "number",
        "http-json, http-xml: the answer's rate is for this many units, and divided by it",
        100,
    ),
    "invert": Key(
        "true or false",
        "http-json, http-xml: the answer's rate is of the pair the other way round",
        True,
    ),
    "decimal": Key(
        _words(".", ","),
        "http-json, http-xml: what stands before the fraction in numbers that are texts",
        ",",
    ),
    "header": Key("name", "http-json, http-xml: the header that holds the key alone", "X-Api-Key"),
    "stale_after": Key(
        "duration, 1m to 400d", "the newest rate may be this old, in whole days", "10d"
    ),
    "ahead": Key(
        "duration, 1m to 400d",
        "a rate may be dated this much after today, or after the past day asked for; in whole days",
        "40d",
    ),
}

KUBERNETES: dict[str, Key] = {
    "image": Key(
        "image with a tag or digest",
        "holds `/opt/ratectl/bin/ratectl-fetch`, as that of our Dockerfile; never `:latest`, which changes under a job",
        "registry.example/ratectl:1.0.0",
    ),
    "namespace": Key("name", "where the CronJobs stand; it must exist", "rates"),
    "context": Key("name", "of your own kubeconfig", "production"),
    "secret": Key(
        "name of a Secret",
        "its keys are the variables that the jobs refer to as `env:NAME`, and `PGPASSWORD`; it must exist",
        "ratectl-keys",
    ),
    "cpu": Key("share of a processor", "promised to a pod", "100m"),
    "memory": Key("amount, from `64Mi`", "what a pod may take at most", "256Mi"),
    "image_pull_secrets": Key(
        "list of names", "Secrets with the logins of registries", ["registry-login"]
    ),
    "service_account": Key("name", "of the pods; no token of it is mounted", "ratectl"),
    "node_selector": Key(
        "table of texts", "labels that a node must have", {"kubernetes.io/arch": "amd64"}
    ),
    "tolerations": Key(
        "list of tables with `key`, `operator`, `value`, `effect`, `toleration_seconds`",
        "taints of nodes that the pods put up with",
        [{"key": "dedicated", "value": "rates", "effect": "NoSchedule"}],
    ),
    "labels": Key("table of texts", "further ones of CronJobs, Jobs and pods", {"team": "books"}),
    "annotations": Key("table of texts", "likewise", {"example.org/owner": "books"}),
}

TABLES: dict[str, dict[str, Key]] = {
    "jobs": JOB,
    "ratectl": RATECTL,
    "providers": PROVIDER,
    "kubernetes": KUBERNETES,
}
"""The keys of each table of a spec."""

KEYED = tuple(kind for kind, traits in PROVIDER_KINDS.items() if traits.needs_key)
NAMES = {"from": "start", "until": "end", "output": "outputs"}
"""Keys that a Job holds under another name."""
OTHERWISE: dict[tuple[str, str], str] = {
    ("jobs", "timezone"): f'`"{DEFAULT_TIMEZONE}"`',
    ("jobs", "digits"): "12",
    ("jobs", "revisit"): '`"3d"`',
    ("jobs", "providers"): "free ones",
    ("ratectl", "journal"): '`"sqlite"`',
    ("providers", "kind"): "the table's name",
    ("providers", "base_url"): "the kind's own",
    ("providers", "timeout"): f'`"{REQUEST_SECONDS}s"`',
    ("providers", "api_key"): "none; required for " + ", ".join(f"`{kind}`" for kind in KEYED),
    ("providers", "url"): "required for http-json, http-xml",
    ("providers", "rate"): "required for http-json, http-xml",
    ("providers", "header"): "`Authorization`, after the word `Bearer`",
    ("providers", "factor"): "`1`",
    ("providers", "decimal"): '`"."`',
    ("providers", "stale_after"): "the kind's own",
    ("providers", "ahead"): '`"2d"`, for past days none',
    ("kubernetes", "image"): "required",
    ("kubernetes", "context"): "the current one, at each install",
    ("kubernetes", "service_account"): "the namespace's own",
}
"""Defaults that the model's fields do not say."""
TABLE_KINDS = (
    ("jobs", Job),
    ("ratectl", Installation),
    ("providers", Provider),
    ("kubernetes", Cluster),
)
FIELDS: dict[str, dict[str, Any]] = {
    name: {field.name: field.default for field in fields(kind)} for name, kind in TABLE_KINDS
}


def default(table: str, key: str) -> str:
    """Return the default of *key* of *table* as Markdown; empty where leaving the key out means none."""
    if table == "jobs" and key in REQUIRED:
        return "required"
    if (table, key) in OTHERWISE:
        return OTHERWISE[table, key]
    found = FIELDS[table].get(NAMES.get(key, key) if table == "jobs" else key, MISSING)
    return "" if found in {MISSING, "", ()} else f"`{_spelled(key, found)}`"


def _spelled(key: str, value: Any) -> str:
    """Return *value* as it would stand in the spec."""
    if isinstance(value, Enum):
        return f'"{value.value}"'
    if isinstance(value, Decimal):
        return f'"{value * 100:f}%"'
    if JOB_READERS.get(key) in {readers.duration, readers.timeout}:
        return f'"{value}s"'
    return readers.quoted(value)
