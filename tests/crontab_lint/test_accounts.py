"""The account that stands before the command of a system tab."""

import pytest

from ratectl import crontab_lint

SMALL = crontab_lint.Machine(has_account=lambda name: name in {"root", "asha"})


def found(line):
    """Return (severity, code) of each finding of a *line* of a system tab on a small machine."""
    tab = f"{line}\n".encode()
    return [(each.flaw.severity, each.flaw.code) for each in crontab_lint.lint_system(tab, SMALL)]


@pytest.mark.parametrize("line", ["0 9 * * * echo hi", "0 9 * * * ravi /bin/x", "@daily echo hi"])
def test_an_account_that_is_none(line):
    """A word that is no account of this machine is a warning, as it may be one of the machine that the file is for."""
    tab = f"{line}\n".encode()
    (finding,) = crontab_lint.lint_system(tab, SMALL)

    assert (finding.flaw.severity, finding.flaw.code) == ("warning", "unknown-account")
    assert "this machine has none of that name" in finding.flaw.message
    assert crontab_lint.lint_system(tab) == ()


@pytest.mark.parametrize("word", ["[", "A=b", "$HOME/x", "'x'", "#", "-x", "x;"])
def test_a_word_that_names_no_account_anywhere(word):
    """A word that only a shell understands is an error without a look at the machine."""
    assert found(f"0 9 * * * {word} true") == [("error", "user-field")]


def test_an_account_of_the_machine():
    """An account that exists is no finding, whatever else stands in the line."""
    assert found("0 9 * * * asha date") == []
    assert found("0 9 * * * asha # off") == [("warning", "comment-as-command")]
