"""What `record`, `review`, `import`, `rate`, `backfill` and `run` advise is typed as it stands there, and works."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from tests.commands.test_by_hand import EUR_INR, USD_INR, hold, on, slot
from tests.fakes.past import settle
from tests.fakes.station import now

pytestmark = pytest.mark.network
HOURS = dt.timedelta(hours=6)


@pytest.fixture
def install(station, live_rates):
    """Install a job whose slots are at noon UTC, for which 95.1 was recorded on the days before."""

    def record(*pairs, **values):
        defaults = {
            "schedule_texts": ("every day at 12:00",),
            "outputs": (station.output("output.txt"),),
            "pairs": pairs or (USD_INR,),
        }
        job = station.job(live_rates.url, "frankfurter", **defaults | values)
        station.install(job, since=now())
        return job

    return record


@pytest.fixture
def follow(ratectl):
    """Type every command in backticks that an answer names, and expect each to work; return their words."""

    def run(answer):
        commands = re.findall(r"`ratectl ([^`]*)`", answer.out + answer.err)
        for command in commands:
            done = ratectl(*command.split())
            assert done.code == 0, (command, done.err)
        assert commands, answer
        return commands

    return run


def test_a_day_that_is_taken(ratectl, install, follow, station):
    """What is in the way is taken back by the command that is named, and the first command works then."""
    install()
    first = ("record", "usd-inr", "USD/INR", "95.12", "--on", on(3))
    ratectl(*first)
    again = (*first[:3], "95.15", *first[4:])

    follow(ratectl(*again))

    assert ratectl(*again).code == 0
    assert station.recorded() == [(slot(3), "95.15")]


def test_a_day_with_another_slot(ratectl, install, follow, station):
    """Of a day with two slots the one that is named is taken back, and the other one's rate stays."""
    job = install(schedule_texts=("every day at 06:00", "every day at 12:00"))
    settle(station.state, job, slot(2) - HOURS, "95.1")
    settle(station.state, job, slot(2), "95.2")

    [command] = follow(ratectl("review", "void", on(2), "--job", "usd-inr"))
    follow(ratectl("record", "usd-inr", "USD/INR", "9.52", "--on", on(2)))

    assert on(2) in command
    assert station.recorded() == [(slot(2), "95.2")]


def test_a_full_day(ratectl, install, follow, station):
    """Where all slots of a day have a rate the last is named, and makes room."""
    job = install(schedule_texts=("every day at 06:00", "every day at 12:00"))
    settle(station.state, job, slot(2) - HOURS, "95.1")
    settle(station.state, job, slot(2), "95.2")
    wanted = ("record", "usd-inr", "USD/INR", "95.3", "--on", on(2))

    follow(ratectl(*wanted))

    assert ratectl(*wanted).code == 0
    assert station.recorded() == [(slot(2) - HOURS, "95.1"), (slot(2), "95.3")]


@pytest.mark.parametrize("pairs", [(USD_INR,), (USD_INR, EUR_INR)])
def test_the_same_number_elsewhere(ratectl, install, follow, station, pairs):
    """The command for the other slots with the number leaves none."""
    job = install(*pairs)
    for days in (4, 3, 2):
        settle(station.state, job, slot(days), "95.1", rate_date=slot(4).date())

    follow(ratectl("review", "void", on(4), "--job", "usd-inr"))

    assert station.recorded() == []


def test_nothing_to_void(ratectl, install, follow):
    """Where nothing is recorded the record is shown, and may be empty."""
    install()

    follow(ratectl("review", "void", on(4), "--job", "usd-inr"))
    follow(ratectl("review", "void", slot(4).isoformat(), "--job", "usd-inr"))


@pytest.mark.parametrize("verb", ["accept", "reject", "show", "void"])
def test_no_such_answer(ratectl, install, follow, verb):
    """What is held is listed."""
    install()

    follow(ratectl("review", verb, "7"))


def test_accept_where_another_stands(ratectl, install, follow, station):
    """What stands in the way of an answer is taken back, and the answer is recorded then."""
    job = install()
    settle(station.state, job, slot(2), "9.5")
    number = hold(station, job, slot(2), "95.3")

    follow(ratectl("review", "accept", number))

    assert ratectl("review", "accept", number).code == 0
    assert station.recorded() == [(slot(2), "95.3")]


def test_taken_back_and_asked_for_again(ratectl, install, station):
    """What `run` and `backfill` say of a number that was taken back enters it all the same."""
    install()
    markets = next(days for days in (4, 5, 6) if slot(days).isoweekday() < 6)  # are open that day
    asked = ("backfill", "usd-inr", "--since", on(markets), "--until", on(markets))
    assert ratectl(*asked).code == 0
    [(_, rate)] = station.recorded()
    ratectl("review", "void", on(markets), "--job", "usd-inr")

    told = ratectl(*asked, "--again")
    commands = [c for c in re.findall(r"`ratectl ([^`]*)`", told.err) if c != "review void"]

    assert [ratectl(*command.split()).code for command in commands] == [0]
    assert station.recorded() == [(slot(markets), rate)]


@pytest.mark.parametrize("before", [True, False])
def test_a_typo(ratectl, install, follow, station, before):
    """Whatever a doubtful number stands beside, the commands that are named leave no number that is."""
    job = install()
    settle(station.state, job, slot(5 if before else 2), "95.1")

    follow(ratectl("record", "usd-inr", "USD/INR", "9.51", "--on", on(4)))

    assert [rate for _, rate in station.recorded()] == ["95.1"]


def test_a_typo_in_a_file(ratectl, install, follow, station, tmp_path):
    """The same for a row of a file."""
    job = install()
    settle(station.state, job, slot(5), "95.1")
    path = tmp_path / "file.txt"
    path.write_text(f"{slot(4):%d/%m/%Y} - 951\n{slot(3):%d/%m/%Y} - 95.2\n")

    follow(ratectl("import", str(path), "--job", "usd-inr"))

    assert [rate for _, rate in station.recorded()] == ["95.1", "95.2"]


def test_a_backfill_that_is_held(ratectl, install, follow, station):
    """A backfill that a typo holds goes through once what it names is taken back."""
    install()
    ratectl("record", "usd-inr", "USD/INR", "9.51", "--on", on(9))
    wanted = ("backfill", "usd-inr", "--since", on(8), "--until", on(2))
    held = ratectl(*wanted)
    assert held.code == 65

    commands = follow(held)

    assert ratectl(*wanted).code == 0
    assert len(commands) == 2
    assert len(station.recorded()) == 7


def test_a_list_of_what_one_typo_holds(ratectl, install):
    """What takes the typo back is said once below the list, however many answers it holds."""
    install()
    ratectl("record", "usd-inr", "USD/INR", "9.51", "--on", on(12))
    ratectl("backfill", "usd-inr", "--since", on(9), "--until", on(2))

    told = ratectl("review").out

    assert told.count("a factor of 10, a unit slip\n") > 3
    [command] = re.findall(r"`ratectl (review void [^`]*)`", told)
    assert "if 9.51, which was entered by hand, is wrong, `ratectl review void" in told
    assert ratectl(*command.split()).code == 0


@pytest.mark.parametrize("words", [("INR/USD",), ("USD/INR", "--on", "2199-01-01")])
def test_rate(ratectl, install, follow, station, words):
    """What `rate` names finds a rate."""
    job = install()
    settle(station.state, job, slot(5), "95.1")

    follow(ratectl("rate", *words))


def test_lines_of_which_none_can_be_imported(ratectl, install, tmp_path):
    """Where no line is right nothing is advised that would leave all of them out; an empty file is called so."""
    install()
    path = tmp_path / "file.txt"
    path.write_text("20/11/2025 - 95,1\n")

    refused = ratectl("import", str(path), "--job", "usd-inr")
    path.write_text("\n\n")
    empty = ratectl("import", str(path), "--job", "usd-inr")

    assert (refused.code, "--skip-wrong" in refused.err) == (65, False)
    assert (empty.code, f"{path}: is empty" in empty.err) == (65, True), empty.err
