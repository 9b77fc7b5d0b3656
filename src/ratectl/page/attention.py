"""What needs a person: one line for each job, with how many, since when, why, and the command that helps; and the table of all that failed."""

from __future__ import annotations

import datetime as dt
import re
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from ratectl.fetch.failures import FailureKind
from ratectl.model.job import CatchUp
from ratectl.page.standing import BAD, WORDS
from ratectl.views.format import clock
from ratectl.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ratectl.journal.journal import Firing
    from ratectl.page.reading import JobPage

LONGEST = 160
"""Characters of a reason; the table of failures has all of them."""


class Line(NamedTuple):
    """One job that needs a person."""

    job: str
    word: str
    text: str
    help: str
    """A command, or what to write into the spec."""


class Trouble(NamedTuple):
    """One line of the table of what failed, several slots of one day in one where they have one reason."""

    job: str
    slot: dt.datetime
    number: int
    kind: str
    """The class of the failure, as ``fetch/failures.py`` names it, or missed, or held."""
    detail: str


def lines(pages: Sequence[JobPage]) -> list[Line]:
    """Return a line for each job that stands badly or has held answers, the worst first."""
    needing = [page for page in pages if page.word in BAD or page.quarantined]
    return [_line(page) for page in sorted(needing, key=lambda page: WORDS.index(page.word))]


def _line(page: JobPage) -> Line:
    name = page.job.name
    if page.quarantined:
        since = min(answer.slot for answer in page.quarantined).astimezone(page.job.zone)
        reasons = {answer.reason for answer in page.quarantined}
        why = _short(reasons.pop()) if len(reasons) == 1 else "they do not pass the checks"
        text = f"{count(len(page.quarantined), 'answer')} held since {clock(since)}: {why}"
        return Line(name, page.word, text, "ratectl review")
    if page.word == "drifted":
        return Line(name, page.word, _short("; ".join(page.notes)), f"ratectl doctor {name}")
    if page.word == "missed":
        unsettled = CatchUp.NONE is page.job.catch_up
        helps = 'catch_up = "latest" in the spec' if unsettled else f"ratectl doctor {name}"
        return Line(name, page.word, _since(page, _of_late(page), "missed"), helps)
    return Line(name, page.word, _failing(page), f"ratectl doctor {name}")


def _failing(page: JobPage) -> str:
    if due := [firing for firing in _of_late(page) if not firing.settled]:
        return _since(page, due, "failed")
    return _short("; ".join(page.notes) or f"{count(page.failures, 'firing')} in a row failed")


def _of_late(page: JobPage) -> list[Firing]:
    """Return the failures after the newest rate, newest first."""
    rated = [pair.newest.slot for pair in page.pairs if pair.newest]
    newest = max(rated, default=None)
    return [firing for firing in page.troubles if newest is None or firing.slot > newest]


def _since(page: JobPage, firings: Sequence[Firing], verb: str) -> str:
    """Return how many slots went badly, since when, and why the newest of them did."""
    if not firings:
        return f"the last slot was {verb}"
    first = firings[-1].slot.astimezone(page.job.zone)
    why = f": {_short(firings[0].detail)}" if firings[0].detail else ""
    return f"{count(len(firings), 'slot')} {verb} since {clock(first)}{why}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def troubles(pages: Sequence[JobPage], limit: int) -> list[Trouble]:
    """Return the newest *limit* failures of all jobs, newest first."""
    found = [trouble for page in pages for trouble in _troubles(page)]
    return sorted(found, key=lambda trouble: trouble.slot, reverse=True)[:limit]


def _troubles(page: JobPage) -> Iterator[Trouble]:
    name, zone = page.job.name, page.job.zone
    local = [firing._replace(slot=firing.slot.astimezone(zone)) for firing in page.troubles]
    for _, group in groupby(local, key=_alike):
        newest, *older = group
        kind = kind_of(newest.detail) or newest.outcome
        yield Trouble(name, [newest, *older][-1].slot, 1 + len(older), kind, newest.detail)
    for _, slots in groupby((slot.astimezone(zone) for slot in page.gaps), key=dt.datetime.date):
        passed = list(slots)
        yield Trouble(name, passed[0], len(passed), "missed", "nothing ran in time")
    for answer in page.quarantined:
        detail = f"{answer.provider}: {answer.reason} (`ratectl review` decides)"
        yield Trouble(name, answer.slot.astimezone(zone), 1, "held", detail)


def _alike(firing: Firing) -> tuple[dt.date, str, str]:
    """Return what failures have in common that make one line: numbers in their reasons do not count."""
    return firing.slot.date(), re.sub(r"\d+", "0", firing.detail), firing.outcome


def kind_of(detail: str) -> str:
    """Return the class of the failure that a firing's *detail* tells of, an empty text where it names none."""
    return next((kind.value for kind in FailureKind if f"{kind.value}:" in detail), "")
