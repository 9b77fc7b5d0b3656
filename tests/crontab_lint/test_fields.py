"""What Debian's cron makes of a field that it does not know all of, and the text that was meant."""

import re
import tomllib

import pytest

from ratectl import crontab_lint
from ratectl.crontab_lint.debian import read_part
from ratectl.schedule.language.parse import parse, parse_one

FIELDS = {  # place and text -> what Debian's crontab goes by; nothing where it rejects the tab (tests/engines)
    (0, "9:00"): "9",
    (0, "9;17"): "9",
    (0, "1.5,7"): "1",
    (0, "*5"): "*",
    (0, "*-5"): "*",
    (0, "1-5-9"): "1-5",
    (0, "0-59/7;1"): "0-59/7",
    (0, "5-1"): "5-1",
    (0, "0,15"): "0,15",
    (0, "0,"): "",
    (0, ",15"): "",
    (0, "1x"): "",
    (0, "1-5x"): "",
    (0, "5/15"): "",
    (0, "*/5x"): "",
    (0, "*/0"): "",
    (0, "60"): "",
    (0, "70-5"): "",
    (0, "0005"): "0005",
    (2, "5-0"): "",
    (3, "jan.feb"): "jan",
    (3, "jan5"): "",
    (4, "MON..FRI"): "MON",
    (4, "mon-fri;sat"): "mon-fri",
    (4, "1#2,wed"): "1",
    (4, "monday"): "",
}


def flaw_of(line):
    """Return the only flaw of *line*."""
    (finding,) = crontab_lint.lint(f"{line} true\n".encode())
    return finding.flaw


@pytest.mark.parametrize(("place", "text"), FIELDS)
def test_read_part(place, text):
    """Debian's cron reads a field as far as it knows it, and skips the rest up to the next blank."""
    assert read_part(text, place) == FIELDS[place, text]


@pytest.mark.parametrize(
    ("line", "read", "ignored", "advice"),
    [
        ("9:00 * * * *", "9", ":00", "`0 9` for minute and hour"),
        ("0 9:30 * * *", "9", ":30", "`30 9` for minute and hour"),
        ("9;17 * * * *", "9", ";17", "`9,17`"),
        ("0 9 * * MON..FRI", "MON", "..FRI", "`mon-fri`"),
        ("0 9 * * 1\N{EN DASH}5", "1", "\N{EN DASH}5", "`1-5`"),
        ("1.5,7 * * * *", "1", ".5,7", "numbers from 0 to 59"),
        ("*-5 * * * *", "*", "-5", "numbers from 0 to 59"),
        ("0 9 * * 5#6", "5", "#6", "numbers from 0 to 7"),
    ],
)
def test_what_is_read_is_told(line, read, ignored, advice):
    """A field that is read in part is told with both parts, since the line runs at other times than it says."""
    flaw = flaw_of(line)

    assert (flaw.severity, flaw.code) == ("error", "syntax")
    assert f"Debian's cron reads `{read}` and ignores `{ignored}`; cronie rejects" in flaw.message
    assert advice in flaw.instead


@pytest.mark.parametrize("line", ["1,,2 * * * *", "1-5x * * * *", "+5 * * * *", "*/5x * * * *"])
def test_what_is_rejected_is_told(line):
    """A field that Debian's crontab rejects is told so, and nothing of a part that is read."""
    assert "Debian's cron and cronie reject the tab" in flaw_of(line).message


def test_all_that_is_ignored():
    """Behind `1#2` the rest of the list is ignored, too, and a random range is rejected where nothing stands before it."""
    assert "ignores `#2,wed` and fires every Monday" in flaw_of("0 9 * * 1#2,wed").message
    assert "Debian's cron ignores `~30`" in flaw_of("0~30 5 * * *").message
    assert "Debian's cron rejects the tab" in flaw_of("~30 5 * * *").message


@pytest.mark.parametrize(
    ("line", "fate"),
    [
        ("0, 15 * * * *", "and cronie reject the tab"),
        ("0 9 1 ,15 * *", "and cronie reject the tab"),
        ("0 9 * * 1 - 5", "takes the line"),
    ],
)
def test_fate_of_a_torn_field(line, fate):
    """A blank within a field is told with what becomes of the line: most are rejected, some run."""
    assert flaw_of(line).message.endswith(f"Debian's cron {fate}")


def test_the_days_that_quartz_counts():
    """Days before the last and the nearest weekday get what `ratectl next` offers, at the times of the line."""
    last = re.search(r'"(.*)"', flaw_of("0 9 L-3 * *").instead)[1]
    nearest = re.search(r"`(schedule = .*)`", flaw_of("0 9 15W * *").instead)[1]

    assert parse_one(last) == parse_one("every month on the 4th to last day at 09:00")
    assert len(parse(tomllib.loads(nearest)["schedule"]).members) == 3
    assert "no cron knows the nearest working day" in flaw_of("0 9 15W 1,2 *").instead


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("* 9 * * *", "`0 9 * * *` for once in that hour"),
        ("* */2 * * *", "`0 */2 * * *` for once in each of these hours"),
        ("* 9,17 * * *", "`0 9,17 * * *` for once in each of these hours"),
        ("* 0 * * 7", "`0 0 * * 0` for once in that hour"),
        ("* * 1 * *", "`0 0 1 * *` for once on such a day"),
        ("*/1 * 1,15 6 *", "`0 0 1,15 6 *` for once on such a day"),
        ("* * * * 1", "`0 0 * * 1` for once on such a day"),
        ("* * * * MON", "`0 0 * * MON` for once on such a day"),
        ("* * * 1 *", "`0 0 1 1 *` for once in that month"),
    ],
)
def test_every_minute_of_single_hours_and_days(line, advice):
    """A line for each minute of single hours, days or a month is probably meant to run once in each."""
    flaws = [each.flaw for each in crontab_lint.lint(f"{line} true\n".encode())]

    assert ("warning", advice) in {(flaw.severity, flaw.instead) for flaw in flaws}
    assert {flaw.code for flaw in flaws} <= {"every-minute", "weekday-7"}


@pytest.mark.parametrize("line", ["* * * * *", "* 9-17 * * 1-5", "* * * * 1-5", "* * 1-7 * *"])
def test_every_minute_of_a_stretch(line):
    """Each minute of a stretch of hours or days is what somebody who watches wants, and no finding."""
    assert crontab_lint.lint(f"{line} true\n".encode()) == ()


def test_two_lines_run_twice():
    """Two lines for either day are told to run twice on a day that is both, and what runs once."""
    either = flaw_of("0 9 1 * 1").instead
    *_, starred = crontab_lint.lint(b"0 9 13 * */3 true\n")

    assert "`0 9 1 * *` and `0 9 * * 1`, which both run on a day that is both" in either
    assert either.endswith("this line as a schedule of a ratectl spec runs once then")
    assert starred.flaw.instead.endswith("which both run on a day that is both")
