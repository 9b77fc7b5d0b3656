"""Whom a job tells: the entries of ``notify``, and the URLs behind them. Pure; the spec and a firing read by it.

An entry is a URL, or a reference to where URLs are kept, since most of them hold a token.
No text that leaves here shows more of a URL than its scheme.
"""

from __future__ import annotations

import importlib.util
import re
from urllib.parse import unquote_plus, urlsplit

REFERENCES = ("file:", "env:", "credential:")
WEB = ("http", "https")
"""Schemes of addresses that get a POST without any library."""
YES = frozenset({"yes", "true", "1", "on"})
LONGEST_LABEL = 63
"""Characters between two dots of a host name (RFC 1035)."""
EXTRA = "pip install 'ratectl[notify]'"


def is_reference(entry: str) -> bool:
    """Tell whether *entry* says where URLs are kept."""
    return entry.startswith(REFERENCES)


def urls_in(text: str) -> tuple[tuple[int, str], ...]:
    """Return the URLs in *text* with their line numbers: one a line, without blank lines and # comments."""
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return tuple((number, line) for number, line in lines if line and not line.startswith("#"))


def scheme_of(url: str) -> str:
    """Return the scheme of *url* in lower case, empty where it has none."""
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://[^/\s]", url)
    return match[1].lower() if match else ""


def problem(url: str) -> str:
    """Return why nothing can be sent to *url*, or an empty text."""
    scheme = scheme_of(url)
    if not scheme:
        return 'expected a URL such as "https://host/path" or "ntfy://topic"'
    if not url.isprintable() or " " in url:
        return "a URL has no blanks or control characters"
    if scheme in WEB and (obstacle := host_problem(url)):
        return obstacle
    if _leaves_verifying(url):
        return "verify=no is refused: certificates are always verified (`ca_bundle` adds roots)"
    if scheme not in WEB and not apprise_is_there():
        return f"needs the Apprise library: {EXTRA}"
    return ""


def host_problem(url: str) -> str:
    """Return why no machine has the host and port of *url*, or an empty text; shows neither."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        return "expected a host, and a port from 1 to 65535 if any"
    if port == 0:
        return "expected a port from 1 to 65535"
    labels = host.removesuffix(".").split(".")
    if ":" not in host and any(not 0 < len(label) <= LONGEST_LABEL for label in labels):
        return f"expected a host whose parts between dots have 1 to {LONGEST_LABEL} characters"
    return ""


def holds_login(url: str) -> bool:
    """Tell whether *url* has a user name or password before its host."""
    return "@" in re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]


def apprise_is_there() -> bool:
    """Tell whether Apprise is installed, without importing it."""
    return importlib.util.find_spec("apprise") is not None


def _leaves_verifying(url: str) -> bool:
    """Tell whether any parameter turns certificates off; Apprise looks for them after the first "?"."""
    for parameter in re.split(r"[?&;]", url)[1:]:
        name, _, value = parameter.partition("=")
        name = unquote_plus(name).strip().lower()
        if name == "verify" and unquote_plus(value).strip().lower() not in YES:
            return True
    return False
