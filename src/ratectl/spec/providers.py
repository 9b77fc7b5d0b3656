"""The ``[providers.NAME]`` tables of a spec -> Provider values, next to the built-in ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ratectl.model import PROVIDER_KINDS, Provider
from ratectl.spec import values

if TYPE_CHECKING:
    from ratectl.spec.lines import KeyPath
    from ratectl.spec.reading import Readers, Reading

PROVIDER_READERS: Readers = {
    "kind": values.word(*PROVIDER_KINDS),
    "base_url": values.url,
    "url": values.url,
    "api_key": values.key_reference,
    "timeout": values.timeout,
    "rate": values.text,
    "date": values.text,
}


def read_providers(reading: Reading) -> dict[str, Provider]:
    """Return every provider that a job may name."""
    found = {kind: Provider(name=kind, kind=kind) for kind in PROVIDER_KINDS if kind != "http-json"}
    for name, table in reading.table(("providers",)).items():
        key = ("providers", name)
        if not isinstance(table, dict):
            reading.issue(key, f"expected a table, found {values.shown(table)}")
            continue
        fields = reading.read_each(key, table, PROVIDER_READERS)
        kind = fields.setdefault("kind", name if name in found else "")
        if "url" in fields:
            fields["base_url"] = fields.pop("url")
        _check_provider(reading, key, kind, table)
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
    address = str(table.get("url", table.get("base_url", "")))
    if "api_key" in table and address.startswith("http://"):
        reading.issue(key, "a key would travel in clear; use an https URL")


def _check_placeholders(reading: Reading, key: KeyPath, template: Any) -> None:
    for name in re.findall(r"{([^}]*)}", template) if isinstance(template, str) else ():
        if name not in {"base", "quote"}:
            reading.issue(key, f"unknown placeholder {{{name}}}; there are {{base}} and {{quote}}")
