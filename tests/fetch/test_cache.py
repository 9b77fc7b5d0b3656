"""Which answers serve again: by the provider's own account, by HTTP's rules, and never ones that were not believed."""

from __future__ import annotations

import datetime as dt
import os
import stat

import pytest

from ratectl.fetch.cache import LONGEST, SHARED, CachedResponse, ResponseCache, fresh_until
from ratectl.fetch.http import Request
from ratectl.model.job import Output, Pair
from tests.support.rate_server import Fault

NOW = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)
TODAY = NOW.date()
FRIDAY_BEFORE = dt.date(2026, 11, 13)
HOUR = dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("headers", "not_before", "newest", "until"),
    [
        ({}, None, TODAY, NOW),
        ({}, NOW + HOUR, TODAY, NOW + HOUR),
        ({}, NOW + dt.timedelta(days=400), TODAY, NOW + LONGEST),
        ({"Cache-Control": "max-age=3600"}, None, TODAY, NOW + HOUR),
        ({"Cache-Control": "public, max-age=3600", "Age": "600"}, None, TODAY, NOW + HOUR * 5 / 6),
        ({"Cache-Control": "max-age=86400"}, None, FRIDAY_BEFORE, NOW + SHARED),
        ({"Cache-Control": "max-age=60"}, None, FRIDAY_BEFORE, NOW + HOUR / 60),
        ({"Cache-Control": "no-cache, max-age=3600"}, None, TODAY, NOW),
        ({"Cache-Control": "no-store"}, NOW + HOUR, TODAY, None),
        ({"Cache-Control": "max-age=60", "Age": "nonsense"}, None, TODAY, NOW + HOUR / 60),
        ({"Cache-Control": "max-age=60", "Age": "900"}, None, TODAY, NOW),
    ],
)
def test_fresh_until(headers, not_before, newest, until):
    """The later of what the provider and HTTP say, within bounds; an answer of an earlier day for minutes only."""
    found = fresh_until(headers, NOW, not_before=not_before, newest_date=newest)

    assert (found and max(found, NOW)) == until


class TestKept:
    """What lies in the state directory."""

    REQUEST = Request(url="https://rates.example/{key}/latest/USD", key="s3cret")
    KEPT = CachedResponse(
        body=b"{}\n", etag='"1"', received_at=NOW, uptime=50.0, fresh_until=NOW + HOUR
    )

    def test_round_trip(self, state):
        """What is kept is found again, whole."""
        cache = ResponseCache(state)
        cache.keep(self.REQUEST, self.KEPT)

        assert cache.find(self.REQUEST) == self.KEPT

    @pytest.mark.posix("modes")
    def test_private_and_without_a_secret(self, state):
        """Nobody else may read it, and neither its name nor its text tells the address or the key."""
        ResponseCache(state).keep(self.REQUEST, self.KEPT)

        [path] = (state / "answers").iterdir()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert "s3cret" not in path.name + path.read_text()
        assert "rates.example" not in path.name + path.read_text()

    def test_another_key_is_another_answer(self, state, changed):
        """What one key may see is not shown to another."""
        ResponseCache(state).keep(self.REQUEST, self.KEPT)

        assert ResponseCache(state).find(changed(self.REQUEST, key="other")) is None

    @pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"etag": 1}', b"\xff\xfe"])
    def test_damaged(self, state, damage):
        """A damaged file is no answer, and no error."""
        ResponseCache(state).keep(self.REQUEST, self.KEPT)
        [path] = (state / "answers").iterdir()
        path.write_bytes(damage)

        assert ResponseCache(state).find(self.REQUEST) is None

    @pytest.mark.parametrize(
        ("passed", "up", "good"),
        [
            (0, 0, True),
            (3599, 3599, True),
            (3600, 3600, False),
            (-3600, 0, False),  # the clock went back
            (1800, 60, False),  # the clock went forward
            (1800, -40, False),  # the machine was off
        ],
    )
    def test_good(self, passed, up, good):
        """It serves until it is stale, and only while clock and uptime tell of the same time."""
        now = NOW + dt.timedelta(seconds=passed)

        assert self.KEPT.is_fresh(now, self.KEPT.uptime + up) is good

    def test_old_answers_go(self, state):
        """Answers of long ago are deleted with the next that is kept, also beside what cannot be deleted."""
        folder = state / "answers"
        (folder / "not-a-file").mkdir(parents=True)
        for number in range(20):
            (folder / str(number)).touch()
        for path in folder.iterdir():
            os.utime(path, (1, 1))

        ResponseCache(state).keep(self.REQUEST, self.KEPT)

        assert len(list(folder.iterdir())) == 2
        assert ResponseCache(state).find(self.REQUEST) == self.KEPT

    def test_nowhere_to_keep_it(self, tmp_path):
        """A folder that cannot be made costs a request later, and nothing now."""
        (tmp_path / "state").write_text("in the way")
        ResponseCache(tmp_path / "state").keep(self.REQUEST, self.KEPT)

        assert ResponseCache(tmp_path / "state").find(self.REQUEST) is None


@pytest.mark.network
class TestFirings:
    """Jobs that fire one after another, each with an output of its own."""

    @pytest.fixture
    def fire_ten(self, job, installed, fire, tmp_path):
        def run(kind, **values):
            quotes = ("INR", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "KWD", "INR", "EUR")
            for number, quote in enumerate(quotes):
                one = job(
                    kind,
                    name=f"job-{number}",
                    pairs=(Pair(base="USD", quote=quote),),
                    outputs=(Output(kind="text", target=str(tmp_path / f"{number}.txt")),),
                    **values,
                )
                assert fire(installed(one)).error is None
            return sorted(tmp_path.glob("*.txt"))

        return run

    @pytest.mark.parametrize(
        "kind",
        ["exchangerate-api-v4", "exchangerate-api-open", "exchangerate-api-v6", "frankfurter"],
    )
    def test_ten_jobs_on_one_base_make_one_request(self, fire_ten, rates, kind):
        """Where the provider says how long its answer holds, one request serves all."""
        assert len(fire_ten(kind)) == 10

        assert len(rates.requests) == 1

    def test_next_publication(self, job, installed, fire, rates, clock, lines):
        """An answer is not asked for again before the provider's next publication, and then it is."""
        usd = installed(job(schedule_texts=("every hour",)), since=clock() - 2 * HOUR)
        while clock() <= dt.datetime(2026, 11, 21, 0, 30, tzinfo=dt.UTC):
            assert fire(usd, "run_due").error is None
            clock.now += HOUR

        assert len(lines()) == 16
        assert len(rates.requests) == 2

    def test_unchanged(self, job, installed, fire, rates, clock, lines):
        """An answer with an entity tag is asked about, and 304 stands for its body."""
        clock.now = dt.datetime(2026, 11, 21, 9, 0, 5, tzinfo=dt.UTC)  # a Saturday: nothing new
        usd = installed(
            job("frankfurter", schedule_texts=("every hour",)), since=clock() - HOUR / 2
        )
        for _ in range(3):
            assert fire(usd, "run_due").error is None
            clock.now += HOUR

        assert ["if-none-match" in headers for _, headers in rates.requests] == [False, True, True]
        assert len(lines()) == 3

    def test_what_is_not_believed_is_asked_again(self, job, installed, fire, rates, clock, lines):
        """A slip that the provider mends within the day is not kept until tomorrow."""
        usd = job(schedule_texts=("every day at 09:00", "every day at 10:00"))
        installed(usd, since=clock() - HOUR)
        assert fire(usd).error is None
        clock.now += dt.timedelta(days=1)
        rates.misbehave(Fault(body=V4 % b"9500"))
        assert fire(usd).error.exit_code == 65

        assert fire(usd).error is None
        assert len(lines()) == 2


V4 = b'{"base": "USD", "date": "2026-11-21", "time_last_updated": 1, "rates": {"INR": %s}}'
