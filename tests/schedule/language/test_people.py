"""The words that people use: each phrase of a file, what it means, or what its refusal offers."""

import datetime as dt
import re
import tomllib
from pathlib import Path

import pytest

from ratectl.errors import ScheduleError
from ratectl.schedule.language.explain import explain
from ratectl.schedule.language.parse import parse, parse_one

LINES = [
    line
    for line in (Path(__file__).parent / "phrases.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
ACCEPTED = [tuple(line.split(" => ")) for line in LINES if " => " in line]
REFUSED = [tuple(line.split(" ?> ")) for line in LINES if " ?> " in line]
TOLD = [tuple(line.split(" !> ")) for line in LINES if " !> " in line]
OFFERED = re.compile(r'(?:say|say for example|or|did you mean) "([^"]+)"')


def canonical(value):
    """The one sentence of a value, as a phrase."""
    sentence = explain(value).removesuffix(".")
    return f"{sentence[0].lower()}{sentence[1:]}"


def test_there_are_phrases():
    """The file holds at least 400 phrases, and every line is one or the other."""
    assert len(LINES) >= 400
    assert len(ACCEPTED) + len(REFUSED) + len(TOLD) == len(LINES)


@pytest.mark.parametrize(("phrase", "meant"), ACCEPTED)
def test_accepted(phrase, meant):
    """What people type is the value of its canonical phrase, which explain prints and reads back."""
    value = parse_one(phrase)

    assert value == parse_one(meant)
    assert canonical(value) == meant


@pytest.mark.parametrize(("phrase", "offered"), REFUSED)
def test_refused(phrase, offered):
    """A refusal offers a whole phrase that works."""
    with pytest.raises(ScheduleError) as caught:
        parse_one(phrase)

    assert f'"{offered}"' in caught.value.message
    parse_one(offered)


@pytest.mark.parametrize(("phrase", "told"), TOLD)
def test_told(phrase, told):
    """A refusal without a phrase names the key, the list that is copied into it, or what is wrong."""
    with pytest.raises(ScheduleError) as caught:
        parse_one(phrase)

    message = caught.value.message
    assert told in message
    assert "say for example" not in message
    for members in re.findall(r"schedule = (\[.*?\])", message):
        for member in tomllib.loads(f"schedule = {members}")["schedule"]:
            parse_one(member)


@pytest.mark.parametrize(("phrase", "_offered"), REFUSED + TOLD)
def test_whatever_is_offered_works(phrase, _offered):
    """Every whole phrase that a refusal shows behind "say" or "or" is one, or a part that is named as such."""
    with pytest.raises(ScheduleError) as caught:
        parse_one(phrase)

    tail = caught.value.message.rsplit("; say", 1)[-1] if "; say" in caught.value.message else ""
    meant = re.findall(r'did you mean "([^"]+)"', caught.value.message)
    for offer in [*meant, *re.findall(r'"([^"]+)"', tail)]:
        parse_one(offer)


@pytest.mark.parametrize(
    ("phrase", "key"),
    [
        ("every day at 10:30 UTC", 'timezone = "UTC"'),
        ("every day at 10:30 Europe/Berlin", 'timezone = "Europe/Berlin"'),
        ("every day at 10:30 in Asia/Kolkata", 'timezone = "Asia/Kolkata"'),
        ("every day until 2026-12-31", 'until = "2026-12-31"'),
        ("every day from 2026-12-01", 'from = "2026-12-01"'),
        ("every day starting 2026-12-01", 'from = "2026-12-01"'),
        ("every business day at 9:00", "closed_days"),
        ("every 3 days from monday", 'from = "'),
        ("@reboot", 'catch_up = "latest"'),
        ("every monday at 9am and friday at 5pm", "schedule = ["),
    ],
)
def test_keys_are_named(phrase, key):
    """What belongs into a key of the spec is refused with the key."""
    with pytest.raises(ScheduleError) as caught:
        parse_one(phrase)

    assert key in caught.value.message


@pytest.mark.parametrize("phrase", ["every 2 days at 10:00", "every 5 days", "every 2 weeks"])
def test_one_instant_written_as_two_days(phrase):
    """Days are counted from the one that is written, whatever other job begins at the same instant elsewhere."""
    written = {
        dt.date(2026, 11, 1): "2026-11-01T19:00:00-05:00",
        dt.date(2026, 11, 2): "2026-11-02T00:00:00Z",
    }

    windows = {day: parse((phrase,), start=start) for day, start in written.items()}

    assert {day: window.inner.stride.anchor for day, window in windows.items()} == {
        day: day for day in written
    }


@pytest.mark.parametrize("end", ["+01:00", " GMT+1", " +05:30", " UTC-5"])
def test_no_zone_is_guessed_for_an_offset(end):
    """An offset is no zone: the key is named, and no zone beside it."""
    with pytest.raises(ScheduleError) as caught:
        parse_one(f"every day at 09:00{end}")

    assert "timezone = REGION/CITY" in caught.value.message
    assert '"every day at 09:00"' in caught.value.message
    assert 'timezone = "UTC"' not in caught.value.message


@pytest.mark.parametrize(
    ("phrase", "offers"),
    [
        ("twice a day", ["every day at 09:00 and 21:00", "every 12 hours"]),
        ("biweekly", ["every 2 weeks", "every monday and thursday at 09:00"]),
        ("every day at 5", ["every day at 05:00", "every day at 17:00"]),
        ("every 24 hours at 10:30", ["every day at 10:30"]),
        ("every 30 minutes at :15", ["every hour at :15 and :45"]),
        ("every weekday on saturday", ["every weekday and saturday"]),
    ],
)
def test_both_readings_are_offered(phrase, offers):
    """Of two readings both are told."""
    with pytest.raises(ScheduleError) as caught:
        parse_one(phrase)

    assert [offer for offer in offers if f'"{offer}"' not in caught.value.message] == []


@pytest.mark.parametrize(
    "phrase",
    ["every wurst", "every other than", "at sundown", "every sunste", "every wekly", "every toes"],
)
def test_suggestions_are_phrases_of_their_kind(phrase):
    """No suggestion is shown that is refused itself, or that takes a weekday for a number of weeks."""
    with pytest.raises(ScheduleError) as caught:
        parse_one(phrase)

    meant = re.search(r'did you mean "([^"]+)"', caught.value.message)
    if meant:
        parse_one(meant[1])


@pytest.mark.parametrize(
    "text",
    [
        "every month on the second to last day",
        "every month on the last day but one",
        "every month on the 25th to last day at 09:00",
        "every month on the second to last friday",
    ],
)
def test_days_before_the_last(text):
    """Days that are counted from the end are no day from its beginning."""
    value = parse([text])

    assert parse([explain(value)]) == value
    assert value != parse(["every month on the 1st"])
    assert min(value.days | value.nth_weekday) < -1
