"""A key that a server tells back to us is in nothing that we show or keep."""

from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote

import pytest

from ratectl.runtime.secrets import hidden, hidden_in_body

KEY = 'Zq9/"x+y 7'
BASE64 = base64.b64encode(KEY.encode()).decode()[:10]


FORMS = (
    KEY,
    quote(KEY, safe=""),
    re.sub("%..", lambda found: found[0].lower(), quote(KEY, safe="")),
    json.dumps(KEY),
    json.dumps(KEY).replace("/", "\\/"),
    f"Bearer {KEY}",
    html.escape(KEY),
    base64.b64encode(KEY.encode()).decode(),
    base64.urlsafe_b64encode(KEY.encode()).decode().rstrip("="),
)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_it(form):
    """As it is, behind Bearer, quoted for a URL, a page or JSON, and as base64."""
    text = f"your key {form} is wrong"

    assert "Zq9" not in hidden(text, KEY)
    assert b"Zq9" not in hidden_in_body(text.encode(), KEY)
    assert BASE64 not in hidden(text, KEY)
    assert BASE64.encode() not in hidden_in_body(text.encode(), KEY)
    assert "is wrong" in hidden(text, KEY)


def test_no_key():
    """Without a key, and with one as short as a number, the text stays as it is."""
    assert hidden("a 12 b", "") == "a 12 b"
    assert hidden_in_body(b"a 12 b", "12") == b"a 12 b"
