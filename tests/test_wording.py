"""Numbers with their nouns, lists cut short, and names that were nearly right."""

import pytest

from ratectl import wording


@pytest.mark.parametrize(("number", "text"), [(0, "0 slots"), (1, "1 slot"), (2, "2 slots")])
def test_count(number, text):
    """A noun agrees with its number."""
    assert wording.count(number, "slot") == text


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["a"], "a"), (["a", "b", "c"], "a, b, c"), (list("abcde"), "a, b, c and 2 more")],
)
def test_listed(names, text):
    """The first three are named, the others counted."""
    assert wording.listed(names) == text


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("usd-inf", "; did you mean 'usd-inr'?"),
        ("USD-INR", "; did you mean 'usd-inr'?"),
        ("bct", "; did you mean 'btc'?"),
        ("wholly-else", "; none"),
        ("", "; none"),
    ],
)
def test_did_you_mean(word, text):
    """The nearest name is offered, whatever its case, and else what the caller would say instead."""
    assert wording.did_you_mean(word, {"usd-inr", "btc", "bch", "zbt"}, otherwise="; none") == text
