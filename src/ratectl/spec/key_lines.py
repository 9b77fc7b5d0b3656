"""Where in a TOML text a key stands: key path -> line, for error messages.

tomllib tells no positions. This reads only what positions need (headers, keys,
where strings and brackets end) of a text that tomllib has already accepted.
"""

from __future__ import annotations

import re

KeyPath = tuple[str, ...]
_KEY = r"(?:[A-Za-z0-9_-]+|\"(?:[^\"\\]|\\.)*\"|'[^']*')"
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]\]?")
_MEMBER = re.compile(rf"\s*\[\[\s*({_DOTTED})\s*\]\]")
_ASSIGNMENT = re.compile(rf"\s*({_DOTTED})\s*=")
DEEPEST = 64
"""Parts of one key; tomllib takes minutes over one of many thousands."""
_DEEP = re.compile(rf"^[ \t\[]*(?:{_KEY}[ \t]*\.[ \t]*){{{DEEPEST}}}", re.MULTILINE)
_NOISE = re.compile(r'"""|\'\'\'|"(?:[^"\\]|\\.)*"|\'[^\']*\'|#.*|[\[\]{}]')


def too_deep(text: str) -> int | None:
    """Return the 1-based line of a key with more than DEEPEST parts; None where there is none."""
    match = _DEEP.search(text)
    return text.count("\n", 0, match.start()) + 1 if match else None


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the 1-based line of every table and key of *text*."""
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    depth, open_string = 0, ""
    for number, line in enumerate(
        text.split("\n"), start=1
    ):  # what else ends lines is text in TOML
        rest = line
        if open_string:
            if open_string not in rest:
                continue
            rest, open_string = rest.split(open_string, 1)[1], ""
        elif depth == 0:
            header = _HEADER.match(line)
            if header:
                table = _split(header[1])
                found.setdefault(table, number)
                continue
            assignment = _ASSIGNMENT.match(line)
            if assignment:
                path = table + _split(assignment[1])
                for length in range(len(table) + 1, len(path) + 1):
                    found.setdefault(path[:length], number)
                rest = line[assignment.end() :]
        depth, open_string = _balance(rest, depth)
    return found


def member_lines(text: str) -> dict[KeyPath, int]:
    """Return the lines of the tables ``[[a]]`` of *text* and of their keys, as a.0, a.0.key, a.1, ..."""
    parts: list[tuple[KeyPath, int, list[str]]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        header = _MEMBER.match(line)
        if header:
            parts.append((_split(header[1]), number, []))
        elif _HEADER.match(line):
            parts.append(((), number, []))
        elif parts:
            parts[-1][2].append(line)
    found: dict[KeyPath, int] = {}
    for path, start, lines in parts:
        if path:
            index = sum(1 for key in found if key[:-1] == path and key[-1].isdigit())
            member = (*path, str(index))
            keys = key_lines("\n".join(lines))
            found[member] = start
            found |= {(*member, *key): start + line for key, line in keys.items()}
    return found


def _balance(text: str, depth: int) -> tuple[int, str]:
    """Return the bracket depth after *text*, and the delimiter of a string that stays open."""
    position = 0
    while match := _NOISE.search(text, position):
        mark, position = match[0], match.end()
        if mark in {'"""', "'''"}:
            end = text.find(mark, position)
            if end < 0:
                return depth, mark
            position = end + 3
        elif mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
    return depth, ""


def _split(dotted: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in re.findall(_KEY, dotted))
