"""``ratectl next``: slots of an expression or of a job in a spec."""

import datetime as dt
import json

import pytest


def slots(answer):
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def test_expression(ratectl):
    """An expression in quotes is read in the zone that is named."""
    answer = ratectl(
        *("next", "30 2 * * *", "--timezone", "America/New_York"),
        *("--after", "2027-03-13T12:00", "--count", "2", "--json"),
    )

    assert slots(answer) == ["2027-03-14T03:00:00-04:00", "2027-03-15T02:30:00-04:00"]


def test_a_part_that_adds_nothing(ratectl):
    """Of joined schedules, one without which the slots are the same is refused, as in a spec."""
    told = ratectl("next", "every monday; and every weekday", "--timezone", "UTC")

    assert told.code == 78
    assert '"every monday" adds nothing to the other schedules; leave it out' in told.err


def test_after_and_before_are_exclusive(ratectl, spec):
    """Asked at a slot of a job in a spec, the slot itself is left out on both sides."""
    job = ("next", "usd-inr", "--spec", str(spec), "--count", "1", "--json")

    assert slots(ratectl(*job, "--after", "2026-11-23T05:00:00Z")) == ["2026-11-24T10:30:00+05:30"]
    assert slots(ratectl(*job, "--before", "2026-11-23T10:30")) == ["2026-11-22T10:30:00+05:30"]


def test_an_empty_zone(ratectl):
    """An empty name is no zone, and not the machine's either."""
    answer = ratectl("next", "every day", "--timezone", "")

    assert answer.code == 2
    assert "no such IANA zone" in answer.err


def test_before_goes_back(ratectl):
    """Going back, the newest slot comes first."""
    answer = ratectl("next", "@daily", "--before", "2026-11-23T12:00Z", "--count", "2", "--json")

    first, second = slots(answer)
    assert first > second


def test_text_names_the_zone(ratectl, spec):
    """People see weekday, time, offset and zone."""
    answer = ratectl(
        "next", "usd-inr", "--spec", str(spec), "--after", "2026-11-22", "--count", "1"
    )

    assert answer.out == "Every day at 10:30 (Asia/Kolkata).\nSun 2026-11-22 10:30 IST\n"


def test_ended(ratectl):
    """A schedule without further slots says so, and gives programs an empty list."""
    ended = ("next", "once at 2020-01-01 10:30")

    assert "no slot" in ratectl(*ended).out
    assert slots(ratectl(*ended, "--json")) == []


def test_zone_of_this_machine(ratectl):
    """The spec's word for this machine's zone is one here, too."""
    local = ratectl("next", "every day", "--timezone", "local")

    assert local.code == 0
    assert local.out == ratectl("next", "every day").out


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["every dya"], 78, 'did you mean "every day"?'),
        (["every day", "--after", "soon"], 2, "ISO 8601"),
        (["every day", "--before", "0001-01-01"], 2, "--before '0001-01-01': schedules have slots"),
        (["every day", "--after", "9999-12-31T23:00-14:00"], 2, "from 1900 to 2200"),
        (["every day", "--timezone", "Mars/Base"], 2, "no such IANA zone"),
        (["every day", "--after", "2026-01-01", "--before", "2026-01-01"], 2, "not both"),
        (["every day", "--spec", "x.toml"], 2, "goes with the name of a job"),
        (["usd-inr", "--timezone", "UTC"], 2, "a zone of its own"),
        (["usd-inr"], 78, "not installed"),
        (["biweekly"], 78, '; as a schedule, say "every 2 weeks" or'),
        (["hourley"], 78, '; as a schedule, say "hourly"'),
        (["biweekly", "--timezone", "UTC"], 78, '; say "every 2 weeks" or'),
        (["hourley", "--timezone", "UTC"], 78, 'did you mean "hourly"?'),
        (["every day", "--timezone", "localtime"], 2, 'did you mean "local"?'),
        (["every day", "--timezone", "Factory"], 2, "no such IANA zone, such as"),
        (["every day", "--timezone", "India"], 2, 'did you mean "Asia/Kolkata"?'),
        (["every day", "--timezone", "Mumbai"], 2, 'did you mean "Asia/Kolkata"?'),
        (["every day", "--timezone", "GMT+2"], 2, "no such IANA zone, such as"),
        (["every day", "--timezone", "UK"], 2, 'did you mean "Europe/London"?'),
        (["usd-inr", "--spec", "/nowhere.toml"], 78, "no such file"),
        (["every day", "--count", "0"], 2, "--count"),
        (["every day", "--count", "1" + "0" * 30], 2, "--count"),
        (["every day", "--count", "9" * 5000], 2, "--count"),
        (["every day", "--timezone", "Europe/Berlim"], 2, 'did you mean "Europe/Berlin"?'),
        (["every day", "--timezone", "right/Europe/Berlin"], 2, 'did you mean "Europe/Berlin"?'),
        (["every day", "--timezone", "posixrules"], 2, "no such IANA zone"),
        (["hourli", "--timezone", "UTC"], 78, 'did you mean "hourly"?'),
    ],
)
def test_refused(ratectl, words, code, says):
    """What cannot be meant is refused with its reason and a documented exit code."""
    answer = ratectl("next", *words)

    assert answer.code == code
    assert says in answer.err


@pytest.mark.parametrize("word", ["hourly", "daily", "noon", "mondays", "9am", "weekdays"])
def test_a_word_that_is_a_schedule(ratectl, station, word):
    """A word that is no installed job and reads as a schedule is one."""
    del station
    assert len(slots(ratectl("next", word, "--timezone", "Asia/Kolkata", "--json"))) == 5
    assert len(slots(ratectl("next", word, "--json"))) == 5


def test_a_job_that_is_called_like_a_schedule(ratectl, station, live_rates):
    """An installed job goes before a schedule of the same name."""
    station.install(station.job(live_rates.url, name="daily"))

    assert "a zone of its own" in ratectl("next", "daily", "--timezone", "UTC").err


def test_unknown_job_of_a_spec(ratectl, spec):
    """A job that the spec lacks is named, with its nearest kin."""
    answer = ratectl("next", "usd-in", "--spec", str(spec))

    assert answer.code == 78
    assert 'did you mean "usd-inr"?' in answer.err


def test_a_file(ratectl):
    """A spec is no schedule and no job: the commands that show its slots are named."""
    answer = ratectl("next", "jobs.toml")

    assert answer.code == 2
    assert "`ratectl check jobs.toml`" in answer.err
    assert "`ratectl next JOB --spec jobs.toml`" in answer.err


@pytest.mark.parametrize(("typed", "sentence"), [("daily at 9am", "Every day at 09:00")])
def test_what_was_understood_comes_first(ratectl, typed, sentence):
    """People are told in words what was understood, before the slots of it; programs get the slots alone."""
    words = ("next", typed, "--timezone", "Europe/Berlin", "--count", "2")

    lines = ratectl(*words).out.splitlines()
    facts = json.loads(ratectl(*words, "--json").out)

    assert lines[0] == f"{sentence} (Europe/Berlin)."
    assert len(lines) == 3
    assert len(facts) == 2
    assert all(dt.datetime.fromisoformat(text).utcoffset() is not None for text in facts)
