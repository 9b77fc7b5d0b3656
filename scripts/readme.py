"""Rewrites the generated tables of README.md: commands with their flags, and exit codes.

A table stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``. The test suite fails
when the README differs from what this writes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import typer

from ratectl import cli
from ratectl.errors import EXIT_CODES

README = Path(__file__).resolve().parents[1] / "README.md"


def commands() -> str:
    """Return the table of commands, each with its arguments, options and purpose."""
    rows = ["| command | arguments and options | |", "| --- | --- | --- |"]
    for verb, purpose in cli.COMMANDS.items():
        group: Any = typer.main.get_command(cli.application(verb))
        shown = " ".join(f"`{_parameter(each)}`" for each in group.commands[verb].params)
        rows.append(f"| `{verb}` | {shown} | {purpose} |")
    return "\n".join(rows)


def _parameter(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = parameter.metavar or parameter.name.upper()
        return str(name if parameter.required else f"[{name}]").replace("|", "\\|")
    flag = max(parameter.opts, key=len)
    if parameter.is_flag:
        return str(flag)
    return f"{flag} {parameter.metavar or parameter.name.upper()}"


def exit_codes() -> str:
    """Return the table of exit codes."""
    rows = [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    return "\n".join(("| code | meaning |", "| --- | --- |", *rows))


TABLES = {"commands": commands, "exit codes": exit_codes}


def filled(text: str) -> str:
    """Return *text* with every table made anew. Raises KeyError on an unknown table."""

    def fill(match: re.Match[str]) -> str:
        return f"<!-- {match[1]} -->\n{TABLES[match[1]]()}\n<!-- /{match[1]} -->"

    return re.sub(r"<!-- ([a-z ]+) -->\n.*?<!-- /\1 -->", fill, text, flags=re.DOTALL)


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {README}")
