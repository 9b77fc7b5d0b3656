"""``output = "..."`` -> where quotes go: a file by suffix or prefix, or a PostgreSQL database by URL.

A reader like those of ``readers.py``: the finished value, or ValueError with a message for people.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from ratectl import paths
from ratectl.model.job import DIRECTIVE, OUTPUT_KINDS, Output
from ratectl.spec.readers import absolute, one_of, quoted, text

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = {
    ".txt": "text",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".ledger": "ledger",
    ".journal": "ledger",
    ".beancount": "beancount",
    ".bean": "beancount",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".db": "sqlite",
}
PREFIX = re.compile(r"([a-z][a-z0-9+-]+):(.*)")
PART = re.compile(r"%[A-Za-z]|%[-_0^#EO][A-Za-z](?![A-Za-z])")
POSTGRES_SCHEMES = ("postgresql", "postgres")
"""Both are libpq's: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS."""
SECRET_OPTIONS = frozenset(
    {"password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"}
)
FILE_OPTIONS = frozenset({"passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl", "servicefile"})
ELSEWHERE = (
    "a password must not stand in the spec; keep it in ~/.pgpass, in a file named by ?passfile=PATH, "
    "or in PGPASSWORD in the environment of the job"
)


def output(value: Any, folder: Path) -> Output:
    """Where to append, in the format named by a prefix (csv:PATH) or the suffix; *folder* is the spec's."""
    target = text(value)
    kind, target = _by_prefix(target) or (_by_suffix(target), target)
    if kind in POSTGRES_SCHEMES:
        return Output(kind="postgresql", target=postgres_url(value, folder))
    if kind not in OUTPUT_KINDS:
        named = f"{kind}://..." if "://" in value else quoted(value)  # a URL may hold a password
        raise ValueError(f"{named}: {one_of(kind, OUTPUT_KINDS)}")
    if not target or target.endswith(("/", os.sep)):
        raise ValueError(f"{quoted(value)}: expected the path of a file")
    if DIRECTIVE.search(os.path.dirname(target)):  # noqa: PTH120 - for speed
        raise ValueError(
            f"{quoted(value)}: parts of a date may stand in the file's name, not in its folder's"
        )
    path = absolute(target, folder)
    if kind == "sqlite" and os.path.dirname(path) == paths.state_dir():  # noqa: PTH120 - for speed
        raise ValueError(
            f"{quoted(value)}: lies in ratectl's own state directory; name a file elsewhere"
        )
    return Output(kind=kind, target=path)


def _by_prefix(target: str) -> tuple[str, str] | None:
    match = PREFIX.match(target)
    return (match[1], match[2]) if match else None


def _by_suffix(target: str) -> str:
    kind = SUFFIXES.get(os.path.splitext(target)[1].lower(), "")  # noqa: PTH122 - for speed
    if not kind:
        raise ValueError(
            f"{quoted(target)}: the format cannot be told from the name; end it in "
            f"{', '.join(SUFFIXES)} or begin it with {', '.join(f'{k}:' for k in OUTPUT_KINDS)}"
        )
    return kind


def journal(value: Any, folder: Path) -> str:
    """Return the URL of the database that holds the record; empty for "sqlite", this machine's own file."""
    if value == "sqlite":
        return ""
    if text(value).partition(":")[0] not in POSTGRES_SCHEMES:
        raise ValueError(
            'expected "sqlite" or a URL such as "postgresql://user@host/database" '
            "that several hosts share"
        )
    return postgres_url(value, folder)


def page(value: Any, folder: Path) -> str:
    """Return the absolute path of the report page."""
    if not text(value).endswith((".html", ".htm")):
        raise ValueError(
            'expected a file for the page that ends in .html, such as "~/rates/index.html"'
        )
    if PART.search(value):
        raise ValueError(
            f"{quoted(value)}: the page is one file, so that its name takes no part of a date; leave the percent sign out"
        )
    return absolute(value, folder)


def postgres_url(value: Any, folder: Path) -> str:
    """A libpq URL such as postgresql://user@host:5432/rates?sslmode=require, without a secret.

    Paths in its options are resolved as all paths of a spec are: ``~`` is an
    account, and what is relative begins at *folder*. No message shows the URL,
    which may hold what it must not.
    """
    address = text(value)
    scheme, _, rest = address.partition(":")
    if scheme not in POSTGRES_SCHEMES or not rest.startswith("//"):
        raise ValueError('expected a URL such as "postgresql://user@host/database"')
    parts = urlsplit(f"//{rest[2:]}", allow_fragments=False)
    options = [_option(option, folder) for option in filter(None, parts.query.split("&"))]
    if ":" in parts.netloc.rpartition("@")[0] or "@" in parts.path:
        raise ValueError(ELSEWHERE)
    if not parts.path.strip("/") and not any(name == "dbname" for name, _ in options):
        raise ValueError('expected the name of a database, as in "postgresql://user@host/database"')
    query = "&".join(f"{name}={quote(found, safe='/:,')}" for name, found in options)
    return f"postgresql://{parts.netloc}{parts.path}{'?' if query else ''}{query}"


def _option(written: str, folder: Path) -> tuple[str, str]:
    name, equals, value = map(unquote, written.partition("="))
    if name in SECRET_OPTIONS:
        raise ValueError(ELSEWHERE)
    if not equals or not re.fullmatch(r"[a-z_]+", name):
        raise ValueError(
            "expected options such as ?sslmode=require&connect_timeout=5 after the database"
        )
    if name in FILE_OPTIONS and value and (name, value) != ("sslrootcert", "system"):
        return name, absolute(value, folder)
    return name, value
