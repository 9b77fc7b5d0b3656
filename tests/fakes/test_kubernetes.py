"""The API server under test behaves as the real one was seen to."""

from __future__ import annotations

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from tests.fakes.kubernetes import ApiServer, Objects, RefusedError

KEY = ("rates", "a")
SCHEDULE = ("spec", "schedule")
SUSPEND = ("spec", "suspend")


def wanted(schedule="0 0 * * *", **spec):
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "a", "namespace": "rates", "labels": {"by": "us"}},
        "spec": {"schedule": schedule, **spec},
    }


@pytest.fixture
def objects():
    found = Objects("rates")
    found.apply(KEY, wanted(), "us")
    return found


def test_again(objects):
    """The same once more leaves the version as it is."""
    before = objects.get(KEY)["metadata"]["resourceVersion"]

    again = objects.apply(KEY, wanted(), "us")

    assert again["metadata"]["resourceVersion"] == before
    assert again["spec"]["suspend"] is False


def test_a_change(objects):
    """Another value of a field that is one's own is taken, and gives another version."""
    before = objects.get(KEY)["metadata"]["resourceVersion"]

    changed = objects.apply(KEY, wanted("5 0 * * *"), "us")

    assert changed["spec"]["schedule"] == "5 0 * * *"
    assert changed["metadata"]["resourceVersion"] != before


def test_what_is_said_no_more(objects):
    """A field that its only manager leaves out is gone."""
    objects.apply(KEY, wanted(suspend=True), "us")

    assert objects.apply(KEY, wanted(), "us")["spec"]["suspend"] is False


def test_a_conflict(objects):
    """A field that somebody else changed is refused, with who it was and which field."""
    objects.edit(KEY, SCHEDULE, "9 9 * * *")

    with pytest.raises(RefusedError, match=r'conflict with "kubectl-edit" .* \.spec\.schedule'):
        objects.apply(KEY, wanted(), "us")

    assert objects.get(KEY)["spec"]["schedule"] == "9 9 * * *"


def test_force(objects):
    """It is taken back where that is asked for, and then is one's own again."""
    objects.edit(KEY, SCHEDULE, "9 9 * * *")

    forced = objects.apply(KEY, wanted(), "us", force=True)

    assert forced["spec"]["schedule"] == "0 0 * * *"
    assert objects.apply(KEY, wanted("1 1 * * *"), "us")["spec"]["schedule"] == "1 1 * * *"


def test_somebody_else_s_field_survives(objects):
    """What one does not say is left as others set it."""
    objects.edit(KEY, SUSPEND, True)

    assert objects.apply(KEY, wanted(), "us")["spec"]["suspend"] is True


def test_dry_run(objects):
    """A trial answers as the real thing would, and keeps nothing."""
    tried = objects.apply(KEY, wanted("5 0 * * *"), "us", dry_run=True)

    assert tried["spec"]["schedule"] == "5 0 * * *"
    assert objects.get(KEY)["spec"]["schedule"] == "0 0 * * *"


def test_no_namespace(objects):
    """A namespace is not made by the way."""
    other = wanted()
    other["metadata"]["namespace"] = "other"

    with pytest.raises(RefusedError, match='namespaces "other" not found'):
        objects.apply(("other", "a"), other, "us")


def test_delete(objects):
    """What was deleted is not found."""
    objects.delete(KEY)

    with pytest.raises(RefusedError, match="not found"):
        objects.get(KEY)
    assert objects.listed("rates", {}, "") == []


def test_labels(objects):
    """A list holds what has all the labels."""
    assert [one["metadata"]["name"] for one in objects.listed("rates", {"by": "us"}, "")] == ["a"]
    assert objects.listed("rates", {"by": "them"}, "") == []
    assert objects.listed("elsewhere", {}, "") == []


@pytest.mark.network
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/apis/apps/v1"), ("POST", "/apis/batch/v1/namespaces/rates/cronjobs")],
)
def test_the_unknown_is_refused(method, path):
    """What the server does not know it refuses, and remembers."""
    with ApiServer("rates") as server:
        with pytest.raises(HTTPError) as refused:
            urlopen(Request(server.url + path, data=b"{}", method=method))  # noqa: S310 - loopback

        assert refused.value.code in {400, 404}
        assert json.loads(refused.value.read())["status"] == "Failure"
        refused.value.close()
        assert len(server.unknown) == 1
