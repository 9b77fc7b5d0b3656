"""The ``[providers.NAME]`` tables of a spec -> Provider values, next to the built-in ones."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ratectl.model import answer_path
from ratectl.model.job import Provider
from ratectl.model.providers import PROVIDER_KINDS, TEMPLATE_KINDS
from ratectl.spec import readers
from ratectl.spec.typed_secrets import typed_secret

if TYPE_CHECKING:
    from ratectl.spec.issues import Readers, Reading
    from ratectl.spec.key_lines import KeyPath

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
"""Of a provider as of a job: it stands in files, mails and on terminals."""
LONGEST_NAME = 40


def _address(value: Any) -> str:
    """An http or https URL without a secret in it."""
    address = readers.url(value)
    where = typed_secret(address)
    if where:
        raise ValueError(
            f"{where} looks like a secret, which must not stand in the spec; write {{key}} in its place, "
            'and api_key = "file:PATH", "env:NAME" or "credential:NAME"'
        )
    return address


def _path(value: Any) -> str:
    """Where something stands in an answer: a path, or a list of keys that are taken as they are."""
    if isinstance(value, list):
        path = answer_path.of_keys(readers.text(key) for key in value)
    else:
        path = readers.text(value)
        _refuse_other_languages(path)
    answer_path.parse(path)
    return path


def _refuse_other_languages(path: str) -> None:
    """Raise ValueError for what is a path as JSONPath, XPath or JSON Pointer writes it, which would lead nowhere."""
    start = re.match(r"\$\.?(?=[^.]|$)|/", path)
    if start is None:
        return
    way = "keys with dots between them" if start[0] == "/" else f'the path without "{start[0]}"'
    raise ValueError(
        f'write {way}, such as "rates.{{quote}}"; a key that really begins so stands in a list'
    )


def _date_format(value: Any) -> str:
    """How a date is written, as strptime reads it."""
    form = readers.text(value)
    example = dt.datetime(2026, 11, 20, 16, 0, 0, tzinfo=dt.UTC)
    try:
        read = dt.datetime.strptime(example.strftime(form), form).date()  # noqa: DTZ007 - a day
    except ValueError:
        read = None
    if read != example.date():
        raise ValueError(
            f'expected a form with year, month and day such as "%d.%m.%Y", found {readers.quoted(value)}'
        )
    return form


def _factor(value: Any) -> str:
    """For how many units a rate is: a number above 0."""
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else Decimal(0)
    except InvalidOperation:
        number = Decimal(0)
    if not number.is_finite() or not Decimal("1e-9") <= number <= Decimal("1e9"):
        raise ValueError(
            f"expected the number of units that a rate is for, such as 100, found {readers.quoted(value)}"
        )
    return format(number, "f")


def _header(value: Any) -> str:
    """The name of a header that may hold a key."""
    name = readers.text(value)
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or name.lower() in OUR_HEADERS:
        raise ValueError(
            f'expected the name of a header such as "X-Api-Key", found {readers.quoted(value)}'
        )
    return name


def _allowance(value: Any) -> int:
    """Seconds, from a minute to 400 days."""
    seconds = readers.duration(value)
    if not 60 <= seconds <= 400 * 86_400:
        raise ValueError(f'expected between "1m" and "400d", found {readers.quoted(value)}')
    return seconds


OUR_HEADERS = frozenset(
    {
        *("accept", "accept-encoding", "cache-control", "connection", "content-length", "host"),
        *("if-none-match", "transfer-encoding", "user-agent"),
    }
)
"""What a request says of itself, which a key must not replace."""
TEMPLATE_ONLY = ("url", "rate", "date", "date_format", "factor", "invert", "decimal", "header")
"""Keys of the kinds whose spec says where to ask and what to read."""
PROVIDER_READERS: Readers = {
    "kind": readers.word(*PROVIDER_KINDS),
    "base_url": _address,
    "url": _address,
    "timeout": readers.timeout,
    "rate": _path,
    "date": _path,
    "date_format": _date_format,
    "factor": _factor,
    "invert": readers.flag,
    "decimal": readers.word(".", ","),
    "header": _header,
    "stale_after": _allowance,
    "ahead": _allowance,
}


def read_providers(reading: Reading) -> dict[str, Provider]:
    """Return every provider that a job may name."""
    to_key = partial(readers.key_reference, folder=reading.path.parent)
    found = {
        kind: Provider(name=kind, kind=kind)
        for kind in PROVIDER_KINDS
        if kind not in TEMPLATE_KINDS
    }
    for name, table in reading.table(("providers",)).items():
        key = ("providers", name)
        if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
            expected = f"at most {LONGEST_NAME} lower-case letters, digits and inner hyphens"
            reading.issue(key, f"expected a provider name of {expected}")
        if not isinstance(table, dict):
            reading.issue(key, f"expected a table, found {readers.quoted(table)}")
            continue
        fields = reading.read_each(key, table, PROVIDER_READERS | {"api_key": to_key})
        kind = fields.setdefault("kind", name if name in found else "")
        if "url" in fields:
            fields["base_url"] = fields.pop("url")
        if fields.get("decimal") == ".":
            del fields["decimal"]
        _check_provider(reading, key, kind, table)
        if (
            "api_key" in table
        ):  # a wrong one is an issue by now, and no second one for lacking a key
            fields.setdefault("api_key", "env:")
        _check_address(reading, key, fields)
        found[name] = Provider(name=name, **fields)
    return found


def _check_provider(reading: Reading, key: KeyPath, kind: str, table: dict[str, Any]) -> None:
    if not kind:
        if "kind" not in table:
            reading.issue(
                key, f'expected kind = "http-json" or another of {", ".join(PROVIDER_KINDS)}'
            )
        return
    wanted, foreign = (
        (("url", "rate"), ("base_url",)) if kind in TEMPLATE_KINDS else ((), TEMPLATE_ONLY)
    )
    for name in wanted:
        if name not in table:
            reading.issue(key, f'a provider of kind {kind} needs "{name}"')
    for name in foreign:
        if name in table:
            reading.issue((*key, name), f"a provider of kind {kind} takes no such key")
    if "api_key" in table and not PROVIDER_KINDS[kind].takes_key:
        reading.issue((*key, "api_key"), f"{kind} takes no key")
    for name in ("url", "rate", "date"):
        _check_placeholders(reading, (*key, name), table.get(name))
    _check_key_place(reading, key, table)
    if "date_format" in table and "date" not in table:
        reading.issue((*key, "date_format"), 'says how "date" is written, which is missing')


def _check_key_place(reading: Reading, key: KeyPath, table: dict[str, Any]) -> None:
    """See that a place for a key has one to hold, and that there are not two places."""
    in_url = isinstance(table.get("url"), str) and "{key}" in table["url"]
    if "api_key" not in table and (in_url or "header" in table):
        place = "{key} in its url" if in_url else "a header"
        reading.issue(
            key,
            f'has {place} and no key; write api_key = "file:PATH", "env:NAME" or "credential:NAME"',
        )
    if in_url and "header" in table:
        reading.issue(
            (*key, "header"), "the key stands in the url already; leave one of the two out"
        )


PLACEHOLDERS = ("base", "quote", "base_lower", "quote_lower", "date")


def named(name: Any, providers: dict[str, Provider]) -> Provider:
    """Return the provider that a job names. Raises ValueError for none, and for one without the key it needs."""
    if not isinstance(name, str) or name not in providers:
        raise ValueError(readers.one_of(name, sorted(providers)))
    provider = providers[name]
    traits = PROVIDER_KINDS.get(provider.kind)  # none for a kind that is an issue by now
    if traits is not None and traits.needs_key and not provider.api_key:
        raise ValueError(
            f'"{name}" answers nobody without a key; write [providers.{name}] with '
            f'api_key = "file:PATH", "env:NAME" or "credential:NAME"'
        )
    return provider


def _check_address(reading: Reading, key: KeyPath, fields: dict[str, Any]) -> None:
    """A key goes over TLS, or does not leave this machine."""
    address = urlsplit(fields.get("base_url", ""))
    if (
        "api_key" in fields
        and address.scheme == "http"
        and address.hostname not in readers.LOOPBACK
    ):
        reading.issue(key, "a key would travel in clear; use an https URL")


def _check_placeholders(reading: Reading, key: KeyPath, template: Any) -> None:
    texts = template if isinstance(template, list) else [template]
    known = PLACEHOLDERS if key[-1] != "url" else (*PLACEHOLDERS, "key")
    for text in texts:
        for name in re.findall(r"{([^}]*)}", text) if isinstance(text, str) else ():
            if name not in known and not name.startswith("date:%"):
                there = ", ".join(f"{{{placeholder}}}" for placeholder in known)
                reading.issue(key, f"unknown placeholder {{{name}}}; there are {there}")
