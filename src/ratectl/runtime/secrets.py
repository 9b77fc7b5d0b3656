"""References to secrets -> the secrets, at the moment of use and nowhere else."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ratectl.errors import RefusedError
from ratectl.runtime import trust

HIDDEN = "***"
LONGEST_FILE = 1 << 20
READING = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
"""Without waiting for somebody to write into a pipe."""
SHORTEST = 6
"""Characters of a key that is worth hiding."""


def resolve(reference: str) -> str:
    """Return the secret behind ``file:PATH``, ``env:NAME`` or ``credential:NAME``; an empty one for none.

    Raises RefusedError, which names the reference and never what it holds.
    """
    if not reference:
        return ""
    secret = text_behind(reference, "api_key").strip()
    if not (secret and secret.isascii() and secret.isprintable()):  # all that a header can carry
        raise RefusedError(f"api_key {reference!r}: must hold one line of ASCII with the key")
    return secret


def hidden(text: str, secret: str) -> str:
    """Return *text* without *secret*, in case it was told back to us: as it is, quoted for a URL, a page or JSON, or as base64."""
    for form in _forms(secret):
        text = text.replace(form, HIDDEN)
    return text


def hidden_in_body(body: bytes, secret: str) -> bytes:
    """Return the answer *body* without *secret*, so that nothing that is kept or shown of it holds the key."""
    for form in _forms(secret):
        body = body.replace(form.encode(), HIDDEN.encode())
    return body


def _forms(secret: str) -> tuple[str, ...]:
    """Return how *secret* may be written; none for one so short that it would be found in any number."""
    if len(secret) < SHORTEST:
        return ()
    import base64  # noqa: PLC0415 - only where there is a key
    import html  # noqa: PLC0415 - the same
    import json  # noqa: PLC0415 - the same
    from urllib.parse import quote, quote_plus  # noqa: PLC0415 - the same

    in_url, in_form, in_json = quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]
    whole = secret.encode()[
        : len(secret.encode()) // 3 * 3
    ]  # what follows changes the last letters
    forms = (
        *(secret, secret.lower(), secret.upper()),
        *(in_url, in_form, _in_small_hex(in_url), _in_small_hex(in_form)),
        *(in_json, in_json.replace("/", "\\/"), html.escape(secret)),
        *(base64.b64encode(whole).decode(), base64.urlsafe_b64encode(whole).decode()),
    )
    return tuple(sorted(dict.fromkeys(forms), key=len, reverse=True))


def _in_small_hex(text: str) -> str:
    """Return a quoted *text* as servers write it that quote with %2f and not with %2F."""
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text)


def text_behind(reference: str, what: str) -> str:
    """Return the whole text behind *reference*, which stands under *what* in the spec.

    ``credential:`` reads ``$CREDENTIALS_DIRECTORY/NAME``, which systemd sets for a unit with
    ``LoadCredential=``. Raises RefusedError.
    """
    kind, _, name = reference.partition(":")
    try:
        match kind:
            case "env":
                return os.environ[name]
            case "file":
                path = str(Path(name).expanduser())
                with open(trust.open_file(path, READING), encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
                    return file.read(LONGEST_FILE)
            case "credential":
                return Path(os.environ["CREDENTIALS_DIRECTORY"], name).read_text(encoding="utf-8")
            case _:
                raise RefusedError(f"{what}: {kind!r} is none of file:, env: and credential:")
    except KeyError as error:
        raise RefusedError(
            f"{what} {reference!r}: {error.args[0]} is not set in this environment"
        ) from error
    except (OSError, UnicodeError, RuntimeError) as error:
        missing = isinstance(error, RuntimeError)  # which is how pathlib says that ~ is nobody
        reason = getattr(error, "strerror", None) or ("no such account" if missing else "not text")
        raise RefusedError(f"{what} {reference!r}: cannot be read: {reason}") from error
