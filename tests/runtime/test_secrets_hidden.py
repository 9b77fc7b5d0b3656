"""A key that a server tells back to us is in nothing that we show or keep."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from ratectl.runtime.secrets import hidden, hidden_in_body

KEY = 'Zq9/"x+y 7'


@pytest.mark.parametrize("form", [KEY, quote(KEY, safe=""), json.dumps(KEY), f"Bearer {KEY}"])
def test_every_form_of_it(form):
    """As it is, behind Bearer, quoted for a URL and inside JSON."""
    text = f"your key {form} is wrong"

    assert "Zq9" not in hidden(text, KEY)
    assert b"Zq9" not in hidden_in_body(text.encode(), KEY)
    assert "is wrong" in hidden(text, KEY)


def test_no_key():
    """Without a key, and with one as short as a number, the text stays as it is."""
    assert hidden("a 12 b", "") == "a 12 b"
    assert hidden_in_body(b"a 12 b", "12") == b"a 12 b"
