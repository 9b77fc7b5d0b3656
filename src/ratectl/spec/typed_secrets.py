"""Does a URL hold a secret that somebody typed into it? By the names of its query values, and by how random these look."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

NAMES = re.compile(
    r"(?i)^(x[-_]?)?((api|app|access|auth|client|secret|subscription|private|user|account)?[-_]?"
    r"(key|token|secret|password|passwd|pwd|signature|sig)|app[-_]?id|auth|authorization|apikey)$"
)
RANDOM = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_\-+/=.~]{20,}")
IDENTIFIERS = re.compile(r"(?i)(^|[-_])(id|series|ids|dataset|resource|dataflow|flow)$")
"""Names whose long values are public: of tables and series."""
RANDOM_SEGMENT = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9]{24,}")


def typed_secret(url: str) -> str:
    """Return which part of *url* looks like a secret, without showing it; empty where none does."""
    parts = urlsplit(url)
    for name, value in parse_qsl(parts.query):
        if "{" in value:
            continue
        if NAMES.match(name):
            return f'the value of "{name}"'
        if RANDOM.fullmatch(value) and not IDENTIFIERS.search(name):
            return f'the long random value of "{name}"'
    if any(RANDOM_SEGMENT.fullmatch(segment) for segment in parts.path.split("/")):
        return "a long random part of its path"
    return ""
