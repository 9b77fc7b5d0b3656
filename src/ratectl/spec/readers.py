"""One value of a spec -> the value a Job holds; each reader says what was found and what is expected.

A reader takes what tomllib gave and returns the finished value or raises
ValueError with a message for people; the caller adds where it stands.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from ratectl import paths
from ratectl.errors import RatectlError
from ratectl.model import notify_url
from ratectl.model.currencies import BESIDE, ENDED, NOW, WORDS
from ratectl.model.job import Pair, PairsInText
from ratectl.runtime import given, trust
from ratectl.schedule.values import YEARS
from ratectl.wording import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

E = TypeVar("E", bound=Enum)
LONGEST_REVISIT = 366 * 86_400
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ' (did you mean "..."?)' for the nearest of *known*, or an empty text."""
    near = nearest(word, list(known))
    return f' (did you mean "{near}"?)' if near else ""


def quoted(value: Any) -> str:
    """Return *value* as it would stand in TOML, shortened."""
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def text(value: Any) -> str:
    """A string in one line."""
    if not isinstance(value, str):
        raise ValueError(f"expected a text in quotes, found {quoted(value)}")
    if _CONTROL.search(value):
        raise ValueError("expected one line, found a control character or line break")
    return value


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, found {quoted(value)}")
    return value


def count(value: Any) -> int:
    """A whole number from 1 on."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"expected a whole number from 1 on, found {quoted(value)}")
    return value


def digits(value: Any) -> int:
    """A whole number from 2 to 12."""
    if not isinstance(value, int) or isinstance(value, bool) or not 2 <= value <= 12:
        raise ValueError(f"expected a number of digits from 2 to 12, found {quoted(value)}")
    return value


def pairs_in_text(value: Any) -> PairsInText:
    """The word auto or always."""
    return PairsInText(word("auto", "always")(value))


def account(value: Any) -> str:
    """The name of an account, as every system takes it."""
    if not (isinstance(value, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,31}", value)):
        raise ValueError(f'expected the name of an account such as "rates", found {quoted(value)}')
    return value


def duration(value: Any) -> int:
    """Seconds of a duration such as 90s, 5m, 2h or 1d."""
    match = re.fullmatch(r"(\d{1,6})([smhd])", value) if isinstance(value, str) else None
    if match is None:
        hint = f' (did you mean "{value}s"?)' if isinstance(value, int) else ""
        raise ValueError(
            f'expected a duration such as "90s", "5m", "2h" or "1d", found {quoted(value)}{hint}'
        )
    return int(match[1]) * UNIT_SECONDS[match[2]]


def timeout(value: Any) -> int:
    """Seconds, from 1 s to 1 h."""
    seconds = duration(value)
    if not 1 <= seconds <= 3600:
        raise ValueError(f'expected between "1s" and "1h", found {quoted(value)}')
    return seconds


def revisit(value: Any) -> int:
    """Seconds, up to a year."""
    seconds = duration(value)
    if seconds > LONGEST_REVISIT:
        raise ValueError(
            f'expected up to "366d", found {quoted(value)}; older days are `ratectl backfill --again`'
        )
    return seconds


def percentage(value: Any) -> Decimal:
    """The fraction that a text such as 1% or 0.5% says."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", value) if isinstance(value, str) else None
    try:
        fraction = Decimal(match[1]) / 100 if match else None
    except InvalidOperation:
        fraction = None
    if fraction is None or fraction >= 1:
        raise ValueError(f'expected a percentage below 100 such as "1%", found {quoted(value)}')
    return fraction


def choice(members: type[E]) -> Callable[[Any], E]:
    """Return a reader of one of the values of *members*."""
    known = [str(member.value) for member in members]

    def read(value: Any) -> E:
        if not isinstance(value, str) or value not in known:
            raise ValueError(one_of(value, known))
        return members(value)

    return read


def word(*known: str) -> Callable[[Any], str]:
    """Return a reader of one of the words *known*."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise ValueError(one_of(value, known))
        return value

    return read


def one_of(value: Any, known: Iterable[str]) -> str:
    """Return the message for a *value* that is none of *known*."""
    hint = did_you_mean(value, known) if isinstance(value, str) else ""
    return f"expected one of {', '.join(known)}; found {quoted(value)}{hint}"


def pair(value: Any, own: frozenset[str] = frozenset()) -> Pair:
    """A pair such as USD/INR of ISO 4217 codes, those that ended included, of others in use, or of the spec's *own*."""
    form = r"([A-Za-z]{2,10})/([A-Za-z]{2,10})"
    match = re.fullmatch(form, value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'expected a pair such as "USD/INR", found {quoted(value)}')
    base, quote = (_currency(code, own) for code in match.groups())
    if base == quote:
        raise ValueError(f"{quoted(value)}: a currency priced in itself is always 1")
    return Pair(base=base, quote=quote)


def _currency(code: str, own: frozenset[str]) -> str:
    if (
        code in NOW or code in own
    ):  # which nearly all are: the whole list takes ten milliseconds to read
        return code
    known = currencies() | own
    if code not in known:
        hint = _currency_meant(code, known)
        another = (
            "" if hint else f'; for one of your own write [currencies] {code.upper()} = "NAME"'
        )
        raise ValueError(f"{quoted(code)} is not a currency code of ISO 4217{hint}{another}")
    return code


def _currency_meant(code: str, known: frozenset[str]) -> str:
    """Return ' (did you mean "..."?)' for what people write in place of a code, or misspell; else an empty text."""
    if code.upper() in WORDS:
        return f' (did you mean "{WORDS[code.upper()]}"?)'
    return did_you_mean(code, [name for name in known if abs(len(name) - len(code)) <= 1])


def currency_code(code: str) -> str:
    """A code of the spec's own: 2 to 10 capital letters, which ledger and beancount take too."""
    if not re.fullmatch(r"[A-Z]{2,10}", code):
        raise ValueError(f"expected a code of 2 to 10 capital letters, found {quoted(code)}")
    return code


@lru_cache(maxsize=1)
def currencies() -> frozenset[str]:
    """Return the codes of currencies: of ISO 4217, those that ended included, and those in use beside it.

    A code that a newer list drops stays known.
    """
    import iso4217  # noqa: PLC0415 - reads its table for 30 ms, which only a spec needs

    present = frozenset(currency.name for currency in iso4217.Currency)
    return present | NOW | ENDED.keys() | BESIDE.keys()


def moment(value: Any) -> dt.datetime | dt.date:
    """A date or a date with a time, as TOML value or as text."""
    found = _date(value)
    if found is not None and found.year in YEARS:
        return found
    if found is not None:
        raise ValueError(f"expected a year from {YEARS[0]} to {YEARS[-1]}, found {quoted(value)}")
    raise ValueError(
        f'expected a date such as "2026-12-01" or "2026-12-01T23:59", found {quoted(value)}'
    )


def _date(value: Any) -> dt.date | None:
    if isinstance(value, dt.date):
        return value
    for read in (dt.date.fromisoformat, dt.datetime.fromisoformat):
        with contextlib.suppress(ValueError, TypeError):
            return read(value)
    return None


def url(value: Any) -> str:
    """An http or https URL without a user name or password in it."""
    return _url(value, "https")


def proxy(value: Any) -> str:
    """The same, of a proxy, to which one speaks http as a rule."""
    return _url(value, "http")


def _url(value: Any, usual: str) -> str:
    """Return *value*, a URL; where it has no scheme, ValueError offers it with the *usual* one."""
    address = text(value)
    if not address.isprintable() or " " in address:
        raise ValueError(f"a URL has no blanks or control characters, found {quoted(value)}")
    if re.search(r"[{}]", re.sub(r"{[^{}]*}", "", address)):
        raise ValueError(f"a brace is not closed, or not opened, in {quoted(value)}")
    if "://" not in address:
        whole = _url(f"{usual}://{re.sub(r'^(https?:)?/*', '', address)}", usual)
        raise ValueError(
            f"the scheme is missing: expected {quoted(whole)}, found {quoted(address)}"
        )
    parts = _parts(address)
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user name or password must not stand in the spec")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f'expected a URL such as "https://host/path", found {quoted(value)}')
    return address


def _parts(address: str) -> SplitResult:
    """Return *address* in its parts. Raises ValueError where a host or port is none."""
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise ValueError(f"{quoted(address)} is no URL: {error}") from error
    obstacle = notify_url.host_problem(address)
    if obstacle:
        raise ValueError(f"{obstacle}, found {quoted(address)}")
    return parts


def recipient(value: Any, folder: Path) -> str:
    """Whom to tell: a URL without a login in it, or where URLs are kept; *folder* is the spec's.

    A file that can be read here and now is looked into. No message shows a URL, which may be a secret.
    """
    entry = text(value)
    if not notify_url.is_reference(entry):
        if notify_url.holds_login(entry):
            raise ValueError(
                f"{hidden(entry)}: a user name or password must not stand in the spec; put the URL "
                'into a file that only you can read, and write "file:PATH" here'
            )
        _refuse_useless(entry, f"{hidden(entry)}: " if notify_url.scheme_of(entry) else "")
        return entry
    kind, _, name = entry.partition(":")
    if not name:
        raise ValueError(f'expected "{kind}:" and a name, found "{kind}:"')
    if kind != "file":
        return entry
    path = absolute(name, folder)
    for line, url in notify_url.urls_in(_readable(path)):
        _refuse_useless(url, f"{path}:{line}: ")
    return f"file:{path}"


def _refuse_useless(url: str, where: str) -> None:
    obstacle = notify_url.problem(url)
    if obstacle:
        raise ValueError(f"{where}{obstacle}")


def _readable(path: str) -> str:
    """Return what is in the file, nothing where it is not here yet, another account's, or behind a link of one."""
    if trust.fault(path, strict=False):
        return ""
    try:
        return given.contents(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8 text with one URL a line") from error
    except RatectlError as error:  # a pipe of another account, or what has no end
        raise ValueError(str(error)) from error
    except OSError:
        return ""


def hidden(value: Any) -> str:
    """Return *value* if it is a reference, else no more of it than its scheme: it may hold a secret."""
    entry = value if isinstance(value, str) else ""
    return (
        quoted(entry) if notify_url.is_reference(entry) else f"{notify_url.scheme_of(entry)}://..."
    )


def key_reference(value: Any, folder: Path) -> str:
    """Where a secret is kept, never the secret; a relative file begins at *folder*, the spec's."""
    reference = text(value)
    if not notify_url.is_reference(reference) or not reference.split(":", 1)[1]:
        raise ValueError(
            'a secret must not stand in the spec; write "file:PATH", "env:NAME" or "credential:NAME"'
        )
    kind, _, location = reference.partition(":")
    return f"file:{absolute(location, folder)}" if kind == "file" else reference


VARIABLE = re.compile(r"(?:\$\{\w+\}|\$[A-Za-z_]\w*|%[A-Za-z_]\w+%)(?=[/\\]|$)")
"""A variable as shells and Windows write it, where a path begins with it; elsewhere the signs are those of a name."""
HOMES = frozenset({"$HOME", "${HOME}", "%USERPROFILE%", "%HOME%"})


def absolute(path: str, folder: Path) -> str:
    """Return *path* with ~ resolved, relative to *folder* where it is relative; links stay as written.

    Raises ValueError for a variable of a shell, which would become the name of a folder.
    """
    if found := VARIABLE.match(path):
        home = path.replace(found[0], "~", 1) if found[0] in HOMES else ""
        instead = quoted(home) if home else "the path itself"
        raise ValueError(f"{quoted(path)}: {found[0]} is not filled in in a spec; write {instead}")
    resolved = os.path.expanduser(path)  # noqa: PTH111 - thousands of jobs: pathlib takes ten times as long
    if resolved.startswith("~"):
        raise ValueError(f"{quoted(path)}: {paths.homeless(resolved)}")
    return os.path.normpath(os.path.join(str(folder), resolved))  # noqa: PTH118
