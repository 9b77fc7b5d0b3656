"""Forms of a setting that Debian's crontab and cronie reject, and names that nothing can read; see tests/engines."""

import pytest

from ratectl import crontab_lint

ANY = crontab_lint.Machine()


def flaws_of(line, machine=ANY):
    """Return the flaws of *line*."""
    return [each.flaw for each in crontab_lint.lint(f"{line}\n".encode(), machine)]


@pytest.mark.parametrize(
    ("line", "code", "advice"),
    [
        ("X='a", "open-quote", "`X='a'`"),
        ('X="a b c d e f g', "open-quote", '`X="a b c d e f g"`'),
        ("X='", "open-quote", "`X=''`"),
        ("X=\"a'", "open-quote", '`X="a"`'),
        ("FOO='a' b", "text-after-quote", "`FOO='a b'`"),
        ("FOO='a'\tb", "text-after-quote", "pair of quotes"),
        ('FOO="a""b"', "text-after-quote", '`FOO="ab"`'),
        ("FOO = 'a' # c", "text-after-quote", "line of its own"),
        ('FOO="a\\"b"', "text-after-quote", "pair of quotes"),
    ],
)
def test_wrong_quotes(line, code, advice):
    """A quote that is not closed, or closed before the end, makes cron reject the whole tab."""
    (flaw,) = flaws_of(line)

    assert (flaw.severity, flaw.code) == ("error", code)
    assert "Debian's cron and cronie reject the tab" in flaw.message
    if advice.startswith("`") and advice.endswith("`"):
        assert flaw.instead == advice
        assert flaws_of(advice.strip("`")) == []


@pytest.mark.parametrize(
    "line",
    [
        "X=a'b",
        "X=a b'c",
        'X="it\'s"',
        "X='a'  ",
        "X = a",
        "X\t=\ta",
        "'X'=a",
        '"X" = "a b"',
        "X==a",
        "X=a=b",
        "X='a'\t",
        "X=''",
    ],
)
def test_forms_that_are_taken(line):
    """Quotes within a value, blanks around the `=` and a name in quotes are read as one expects."""
    assert flaws_of(line) == []


@pytest.mark.parametrize("line", ["=x", "5=7", "X'Y=a", "'A B'=c", "a-b=c", "@daily=x", "*/5=1 *"])
def test_odd_names(line):
    """A name that no shell can read is a warning, since cron takes the line as a setting, whatever it looks like."""
    (flaw,) = flaws_of(line)

    assert (flaw.severity, flaw.code) == ("warning", "odd-name")


@pytest.mark.parametrize("line", ["A B=c", '"A"B=c', "'X=a", '"X=a"', "'='=x"])
def test_forms_that_are_none(line):
    """What only looks like a setting is told to be rejected as an entry."""
    assert [flaw.code for flaw in flaws_of(line)] == ["too-few-fields"]


@pytest.mark.parametrize("name", ["CRON_TZ", "TZ"])
def test_a_zone_that_is_none(name):
    """A zone that does not exist is offered to no spec; the nearest one is."""
    machine = crontab_lint.Machine(
        zone_meant=lambda zone: "Asia/Kolkata" if zone.startswith("Asia/") else ""
    )

    (none,) = flaws_of(f"{name}=Nowhere/Land", machine)
    (near,) = flaws_of(f"{name}=Asia/Calcuta", machine)
    (there,) = flaws_of(f"{name}=:Asia/Kolkata", machine)

    assert "no zone has the name `Nowhere/Land`" in none.message
    assert "Nowhere" not in none.instead
    assert "no zone has the name `Asia/Calcuta`" in near.message
    assert near.instead == there.instead == 'in a ratectl spec: `timezone = "Asia/Kolkata"`'
    assert "no zone" not in there.message
