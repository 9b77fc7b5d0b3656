"""What a spec says about when: bounds in a fold, gaps of the job's own name, lines as TOML counts them."""

import datetime as dt
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ratectl import schedule, spec
from ratectl.errors import SpecError
from ratectl.schedule.language.explain import explain
from ratectl.schedule.language.parse import parse

NEW_YORK = ZoneInfo("America/New_York")
JOB = """
[jobs.{name}]
pairs = ["USD/INR"]
schedule = "{text}"
output = "/tmp/x.txt"
timezone = "America/New_York"
{more}
"""


def load(text="every hour", *, name="usd-inr", more=""):
    content = JOB.format(name=name, text=text, more=more).encode()
    [job] = spec.loads(content, path=Path("/x/jobs.toml"), host_timezone="UTC").jobs
    return job


def first(job, count=2):
    slots = schedule.after(job.schedule, job.zone, dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
    return [
        slot.astimezone(dt.UTC).isoformat()[:16]
        for _, slot in zip(range(count), slots, strict=False)
    ]


def test_from_in_the_second_pass_of_a_fold():
    """An instant in the second pass begins there, and not an hour before."""
    job = load("every 30 minutes", more='from = "2026-11-01T06:30:00Z"')

    assert first(job) == ["2026-11-01T06:30", "2026-11-01T07:00"]
    assert type(job).from_plain(job.to_plain()) == job


def test_from_in_the_first_pass_of_a_fold():
    """An instant in the first pass begins there; a time without offset is that of the first pass."""
    assert first(load(more='from = "2026-11-01T05:30:00Z"')) == first(
        load(more="from = 2026-11-01T01:30:00")
    )


def test_until_in_the_second_pass_of_a_fold():
    """An end in the second pass lets the first one happen."""
    job = load(
        "every 30 minutes", more='from = "2026-11-01T05:00:00Z"\nuntil = "2026-11-01T06:30:00Z"'
    )

    assert first(job, 9) == ["2026-11-01T05:00", "2026-11-01T05:30", "2026-11-01T06:00"]


def test_bounds_of_both_passes():
    """A window from the first pass to the second has its slots, and one backwards has none."""
    assert first(load(more='from = "2026-11-01T05:00:00Z"\nuntil = "2026-11-01T06:00:01Z"'), 9)
    assert first(load(more='from = "2026-11-01T05:30:00Z"\nuntil = "2026-11-01T06:30:01Z"'), 9)
    with pytest.raises(SpecError, match=r"until = .* is not later than from = "):
        load(more='from = "2026-11-01T06:30:00Z"\nuntil = "2026-11-01T05:30:00Z"')


@pytest.mark.parametrize("until", ["2026-11-02", "2026-12-01T10:00"])
def test_an_end_before_the_begin(until):
    """It is told at the line of ``until``, by both keys, and the schedule is not blamed."""
    with pytest.raises(SpecError) as told:
        load(more=f'from = "2026-12-01T10:00"\nuntil = "{until}"')

    [issue] = told.value.issues
    assert issue.key == "jobs.usd-inr.until"
    assert issue.message == (
        f"until = {until} is not later than from = 2026-12-01T10:00, so the job would never fire"
    )


def test_a_bound_in_a_fold_is_explained():
    """The sentence keeps the instant, and reads back."""
    job = load(more='from = "2026-11-01T06:30:00Z"')
    sentence = explain(job.schedule)

    assert "starting 2026-11-01 01:30-05:00" in sentence
    assert explain(parse([sentence])) == sentence


@pytest.mark.parametrize("gaps", ["every 10 to 30 days", "every 1 to 60 days"])
@pytest.mark.parametrize("name", ["a", "b", "usd-inr", "x1", "gbp", "nok-sek", "c", "d"])
def test_gaps_are_checked_under_the_own_name(name, gaps):
    """A short window of random gaps is accepted for just those jobs that have a slot in it."""
    from_day, until = "2026-11-03", "2026-11-13"
    free = parse([gaps], name=name)
    begin, end = (
        dt.datetime.fromisoformat(day).replace(tzinfo=NEW_YORK) for day in (from_day, until)
    )
    has_slot = next(schedule.after(free, NEW_YORK, begin)) < end
    text = f"{gaps}, counted from {dt.date(1970, 1, 5)}"

    if has_slot:
        assert load(text, name=name, more=f"from = {from_day}\nuntil = 2026-11-12")
    else:
        with pytest.raises(SpecError, match="no slot lies between"):
            load(text, name=name, more=f"from = {from_day}\nuntil = 2026-11-12")


@pytest.mark.parametrize("name", ["a", "usd-inr", "x1"])
def test_random_gaps_begin_where_the_job_begins(name):
    """Random gaps are counted from the beginning of the job, so that the shortest window has its first slot."""
    job = load(
        "every 1 to 60 days",
        name=name,
        more="from = 2026-11-03T09:00:00\nuntil = 2026-11-03T10:00:00",
    )

    assert first(job, 9) == ["2026-11-03T14:00"]


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\u0085"])
def test_lines_are_those_of_toml(character):
    """What ends a line elsewhere is text in TOML, so the issue's line stays."""
    text = f'# a{character}comment\n[jobs.x]\npairs = ["USD/INR"]\nschedule = "nonsense"\noutput = "/x.txt"\n'

    with pytest.raises(SpecError) as caught:
        spec.loads(text.encode(), path=Path("/x/jobs.toml"), host_timezone="UTC")

    assert [issue.line for issue in caught.value.issues] == [4]


@pytest.mark.parametrize("number", ["9" * 5000, "[" * 3000])
def test_numbers_of_thousands_of_digits(number):
    """What Python refuses to read is an issue of the file."""
    with pytest.raises(SpecError, match="not TOML"):
        spec.loads(f"x = {number}\n".encode(), path=Path("/x/jobs.toml"), host_timezone="UTC")


@pytest.mark.parametrize("zone", ["right/Europe/Berlin", "posixrules", "Factory", "localtime"])
def test_files_that_are_no_zones(zone):
    """The zone folders hold files that are no zones."""
    with pytest.raises(SpecError, match="expected an IANA time zone"):
        spec.loads(
            JOB.format(name="x", text="hourly", more="").replace("America/New_York", zone).encode(),
            path=Path("/x/jobs.toml"),
            host_timezone="UTC",
        )


def issues_of(texts, more=""):
    """The issues of a job with a list of schedules."""
    content = JOB.format(name="x", text="LIST", more=more).replace('"LIST"', json.dumps(texts))
    try:
        spec.loads(content.encode(), path=Path("/x/jobs.toml"), host_timezone="UTC")
    except SpecError as error:
        return [issue.message for issue in error.issues]
    return []


@pytest.mark.parametrize(
    ("texts", "idle"),
    [
        (["every hour", "every day at 09:00"], "every day at 09:00"),
        (["every day at 09:00", "every hour"], "every day at 09:00"),
        (["every day at 09:00", "every monday at 09:00"], "every monday at 09:00"),
        (["@daily", "0 0 * * *"], "0 0 * * *"),
        (["every day", "every day at 00:00"], "every day at 00:00"),
        (["every weekday at 9am", "every weekend at 9am", "daily at 9am"], "daily at 9am"),
        (["every 7 minutes", "every 14 minutes"], "every 14 minutes"),
        (["every 15 minutes", "every 30 minutes"], "every 30 minutes"),
        (["every month on the last day", "every year on 31 december"], "every year on 31 december"),
        (["every 2 weeks on friday", "every friday"], "every 2 weeks on friday"),
        (["every friday at 16:00", "once at 2027-01-01 16:00"], "once at 2027-01-01 16:00"),
        (["once at 2027-01-01 16:00", "once at 2027-01-01T16:00"], "once at 2027-01-01T16:00"),
    ],
)
def test_members_that_add_nothing(texts, idle):
    """A schedule of a list whose slots the others have all is refused by its name."""
    assert issues_of(texts) == [
        f'"{idle}" adds nothing to the other schedules of the list; leave it out'
    ]
    assert issues_of([text for text in texts if text != idle]) == []


@pytest.mark.parametrize(
    "texts",
    [
        ["every hour at :00", "every hour at :30"],
        ["every hour", "every day at 09:30"],
        [
            "every hour",
            "every day at 02:00",
        ],  # New York skips it once a year, and comes by at 03:00
        ["every weekday at 9am", "every saturday at 9am"],
        ["every 7 minutes", "every 15 minutes"],
        ["every 2 weeks on friday", "every 3 weeks on friday"],
        ["every month on the 31st", "every month on the last day except in july"],
        ["every 5 to 10 minutes", "every 5 to 11 minutes"],
        ["every friday at 16:00", "once at 2027-01-02 16:00"],
        ["0 9 1 * *", "0 9 * * 1"],
    ],
)
def test_members_that_add_slots(texts):
    """A list is taken where each of its schedules has a slot of its own."""
    assert issues_of(texts) == []


def test_members_outside_the_bounds():
    """A schedule of a list that has no slot between the job's bounds adds none, and is named."""
    bounds = "from = 2026-12-01\nuntil = 2026-12-05"

    [message] = issues_of(["every hour", "once at 2030-01-01 10:30"], bounds)

    assert message.startswith('"once at 2030-01-01 10:30" adds nothing to the list: no slot lies')
