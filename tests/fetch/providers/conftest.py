"""What tests of providers share: asking and parsing as the fetcher does, without a network."""

from __future__ import annotations

import datetime as dt

import pytest

from ratectl.fetch.failures import FailureKind, FetchError
from ratectl.fetch.providers import SOURCES
from ratectl.fetch.providers._shared.query import RateQuery, UnusableRate
from ratectl.model.job import Pair
from tests.fetch.providers.honest import provider_of

FRIDAY = dt.date(2026, 11, 20)


def pairs_of(text):
    return tuple(Pair(base=word[:3], quote=word[4:]) for word in text.split())


def ask_for(text, since, until):
    days = (day and dt.date.fromisoformat(day) for day in (since, until or since))
    since, until = days
    return RateQuery(pairs=pairs_of(text), since=since, until=until)


def rates_of(answered):
    """Return what was *answered* where every cell is a rate; raise FetchError as a firing does for one that is none."""
    for cell in answered:
        if isinstance(cell, UnusableRate):
            raise FetchError(FailureKind.DATA, cell.problem)
    return answered


@pytest.fixture
def parse():
    """Parse *body* as an answer about *pairs* ("USD/INR EUR/INR"), the newest or those of a range."""

    def run(kind, body, pairs="USD/INR", since=None, until=None):
        query = ask_for(pairs, since, until)
        return rates_of(SOURCES[kind].parse(provider_of(kind), query, body))

    return run


@pytest.fixture
def request_for():
    """Make the request about *pairs* on the UTC day *today*."""

    def run(kind, pairs="USD/INR", since=None, until=None, today=FRIDAY, **values):
        return SOURCES[kind].request(
            provider_of(kind, **values), ask_for(pairs, since, until), today
        )

    return run
