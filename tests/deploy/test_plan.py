"""Wanted x found -> changes, on values alone."""

from __future__ import annotations

import pytest

from ratectl.backends.protocol import Artefact, InstalledEntry, Verb
from ratectl.deploy import plan


def artefacts(job, data=b"x"):
    return (Artefact(job=job, name="file", data=data),)


def entry(job, data=b"x", **more):
    return InstalledEntry(job=job, triggers=(), artefacts=artefacts(job, data), **more)


@pytest.mark.parametrize(
    ("wanted", "found", "options", "verbs"),
    [
        ({}, {}, {}, {}),
        ({"a": artefacts("a")}, {}, {}, {"a": Verb.CREATE}),
        ({"a": artefacts("a")}, {"a": entry("a")}, {}, {"a": Verb.KEEP}),
        ({"a": artefacts("a", b"y")}, {"a": entry("a")}, {}, {"a": Verb.UPDATE}),
        ({"a": artefacts("a")}, {"a": entry("a", drift=("masked",))}, {}, {"a": Verb.UPDATE}),
        ({"a": artefacts("a")}, {"a": entry("a", overrides=("drop-in",))}, {}, {"a": Verb.KEEP}),
        ({"a": artefacts("a")}, {"a": entry("a")}, {"rewrite_all": True}, {"a": Verb.UPDATE}),
        ({}, {"a": entry("a")}, {}, {"a": Verb.KEEP}),
        ({}, {"a": entry("a")}, {"prune": {"a"}}, {"a": Verb.DELETE}),
        ({}, {"a": entry("a")}, {"inactive": {"a": "paused"}}, {"a": Verb.DELETE}),
        ({"b": artefacts("b")}, {"a": entry("a")}, {}, {"a": Verb.KEEP, "b": Verb.CREATE}),
    ],
)
def test_changes(wanted, found, options, verbs):
    """Only what differs changes, and only what is asked for is deleted."""
    assert {c.job: c.verb for c in plan.changes(wanted, found, **options)} == verbs


def test_drift_is_the_reason():
    """A change names what the engine lost."""
    found = {"a": entry("a", drift=("the timer is disabled",))}

    (change,) = plan.changes({"a": artefacts("a")}, found)

    assert change.why == "the timer is disabled"


def test_removals():
    """Only jobs that the engine holds are removed."""
    found = {"a": entry("a"), "b": entry("b")}

    assert [c.job for c in plan.removals(found, {"b", "c"})] == ["b"]
    assert all(c.verb is Verb.DELETE for c in plan.removals(found, {"a", "b"}))


def test_pending():
    """What is kept is no work."""
    changes = plan.changes({"a": artefacts("a"), "b": artefacts("b")}, {"a": entry("a")})

    assert [c.job for c in plan.pending(changes)] == ["b"]
