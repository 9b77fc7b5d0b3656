"""Rewrites the generated tables of the README and the manual: keys of the spec, providers, commands with their flags, exit codes.

A table stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``; marks of other names are left alone.
The test suite fails when a page differs from what this writes.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratectl import cli
from ratectl.commands._shared import help as help_groups
from ratectl.errors import EXIT_CODES
from ratectl.fetch.providers import catalog
from ratectl.spec import reference
from scripts.docs import command_line

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "src/ratectl/manual").glob("*.md")))


def commands() -> str:
    """Return the table of commands, each with its arguments, options and purpose."""
    rows = ["| command | arguments and options | |", "| --- | --- | --- |"]
    for heading, verbs in help_groups.GROUPS.items():
        rows.append(f"| **{heading}** | | |")
        for verb in verbs:
            shown = " ".join(f"`{_parameter(each)}`" for each in command_line.command(verb).params)
            rows.append(f"| `{verb}` | {shown} | {cli.COMMANDS[verb]} |")
    return "\n".join(rows)


def _parameter(parameter: Any) -> str:
    value = command_line.value(parameter)
    if command_line.is_argument(parameter):
        return (value if parameter.required else f"[{value}]").replace("|", "\\|")
    flag = command_line.flag(parameter)
    return flag if parameter.is_flag else f"{flag} {value}"


def exit_codes() -> str:
    """Return the table of exit codes."""
    rows = [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    return "\n".join(("| code | meaning |", "| --- | --- |", *rows))


def keys(table: str) -> str:
    """Return the table of the keys of the spec's *table*."""
    rows = [
        f"| `{name}` | {key.type} | {reference.default(table, name)} | {key.meaning} |"
        for name, key in reference.TABLES[table].items()
    ]
    return "\n".join(("| key | value | default | meaning |", "| --- | --- | --- | --- |", *rows))


def providers() -> str:
    """Return the table of the built-in rate sources."""
    rows = ["| provider | rates | past days | published | limit | terms |", "| --- " * 6 + "|"]
    for kind, known in catalog.INFO.items():
        name = f"[`{kind}`]({known.home})" if known.home else f"`{kind}`"
        key = {"none": "", "needed": "; key needed"}.get(
            catalog.key(kind), f"; key {catalog.key(kind)}"
        )
        credit = f"; name {known.attribution}" if known.attribution else ""
        cells = (
            name,
            f"{known.rates}; {known.digits}",
            catalog.past_days(kind),
            known.publishes,
            f"{known.limit}{key}",
            f"{known.terms}{credit}",
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


TABLES: dict[str, Callable[[], str]] = {
    "job keys": partial(keys, "jobs"),
    "ratectl keys": partial(keys, "ratectl"),
    "provider keys": partial(keys, "providers"),
    "kubernetes keys": partial(keys, "kubernetes"),
    "providers": providers,
    "commands": commands,
    "exit codes": exit_codes,
}


def filled(text: str) -> str:
    """Return *text* with every table made anew."""

    def fill(match: re.Match[str]) -> str:
        return f"<!-- {match[1]} -->\n{TABLES[match[1]]()}\n<!-- /{match[1]} -->"

    names = "|".join(TABLES)
    return re.sub(rf"<!-- ({names}) -->\n.*?<!-- /\1 -->", fill, text, flags=re.DOTALL)


def main(_words: list[str]) -> int:
    """Rewrite the tables of every page."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        if filled(text) != text:
            page.write_text(filled(text), encoding="utf-8", newline="\n")
            print(f"wrote {page}")
    return 0
