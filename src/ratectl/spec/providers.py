"""The ``[providers.NAME]`` tables of a spec -> Provider values, next to the built-in ones."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ratectl.model.job import Provider
from ratectl.model.providers import PROVIDER_KINDS
from ratectl.spec import readers

if TYPE_CHECKING:
    from ratectl.spec.issues import Readers, Reading
    from ratectl.spec.key_lines import KeyPath

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
"""Of a provider as of a job: it stands in files, mails and on terminals."""
LONGEST_NAME = 40
PROVIDER_READERS: Readers = {
    "kind": readers.word(*PROVIDER_KINDS),
    "base_url": readers.url,
    "url": readers.url,
    "timeout": readers.timeout,
    "rate": readers.text,
    "date": readers.text,
}


def read_providers(reading: Reading) -> dict[str, Provider]:
    """Return every provider that a job may name."""
    to_key = partial(readers.key_reference, folder=reading.path.parent)
    found = {kind: Provider(name=kind, kind=kind) for kind in PROVIDER_KINDS if kind != "http-json"}
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
        (("url", "rate"), ("base_url",)) if kind == "http-json" else ((), ("url", "rate", "date"))
    )
    for name in wanted:
        if name not in table:
            reading.issue(key, f'a provider of kind http-json needs "{name}"')
    for name in foreign:
        if name in table:
            reading.issue((*key, name), f"a provider of kind {kind} takes no such key")
    if "api_key" in table and not PROVIDER_KINDS[kind].takes_key:
        reading.issue((*key, "api_key"), f"{kind} takes no key")
    for name in ("url", "rate", "date"):
        _check_placeholders(reading, (*key, name), table.get(name))


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
    for name in re.findall(r"{([^}]*)}", template) if isinstance(template, str) else ():
        if name not in {"base", "quote"}:
            reading.issue(key, f"unknown placeholder {{{name}}}; there are {{base}} and {{quote}}")
