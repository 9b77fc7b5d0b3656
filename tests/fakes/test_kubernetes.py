"""The API server under test behaves as the real one was seen to."""

from __future__ import annotations

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.fakes.kubernetes import CONTAINER, POD, ApiServer, Objects, RefusedError, at

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


def with_env(**variables):
    """A CronJob with a container that has *variables*."""
    env = [{"name": name, "value": value} for name, value in variables.items()]
    env.append({"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}})
    container = {"name": "ratectl-fetch", "image": "x:1", "env": env}
    pod = {"containers": [container]}
    return wanted(jobTemplate={"spec": {"template": {"spec": pod}}})


@pytest.fixture
def populated():
    found = Objects("rates")
    found.apply(KEY, with_env(A="1", B="2"), "us")
    return found


def names(objects):
    return [one["name"] for one in at(objects.get(KEY), (*CONTAINER, "env"))]


def test_lists_are_merged_by_key(populated):
    """What somebody adds to a list stays beside what one applies, and what one says no more is gone."""
    populated.set_env(KEY, "FOO", "bar")

    populated.apply(KEY, with_env(A="1"), "us")

    assert names(populated) == ["A", "LABEL", "FOO"]


def test_a_conflict_within_a_list(populated):
    """A field of an item is named with the item's key."""
    populated.set_env(KEY, "A", "9")

    with pytest.raises(RefusedError, match=r'env\[name="A"\]\.value'):
        populated.apply(KEY, with_env(A="1", B="2"), "us")


def test_two_conflicts(populated):
    """Several conflicts are counted and listed by who holds the fields, as the real server does."""
    populated.edit(KEY, SCHEDULE, "9 9 * * *")
    populated.edit(KEY, ("spec", "timeZone"), "Etc/UTC")
    changed = with_env(A="1", B="2")
    changed["spec"] |= {"schedule": "1 1 * * *", "timeZone": "Asia/Kolkata"}

    with pytest.raises(RefusedError) as refused:
        populated.apply(KEY, changed, "us")

    assert refused.value.message == (
        'Apply failed with 2 conflicts: conflicts with "kubectl-edit" using batch/v1:\n'
        "- .spec.schedule\n- .spec.timeZone"
    )


def test_managed_fields(populated):
    """Who said what, and how, is told with the object."""
    populated.set_env(KEY, "FOO", "bar")

    told = {one["manager"]: one for one in populated.get(KEY)["metadata"]["managedFields"]}

    assert {name: one["operation"] for name, one in told.items()} == {
        "us": "Apply",
        "kubectl-set": "Update",
    }
    env = told["kubectl-set"]["fieldsV1"]
    for step in ("spec", "jobTemplate", "spec", "template", "spec", "containers"):
        env = env[f"f:{step}"]
    env = env['k:{"name":"ratectl-fetch"}']["f:env"]
    assert env == {'k:{"name":"FOO"}': {".": {}, "f:name": {}, "f:value": {}}}


def test_defaults_are_kept(populated):
    """What nobody says is filled in and stored; applying the same again changes nothing."""
    before = populated.get(KEY)
    field = at(before, (*CONTAINER, "env", ("name", "LABEL"), "valueFrom", "fieldRef"))
    assert field["apiVersion"] == "v1"
    assert at(before, POD)["dnsPolicy"] == "ClusterFirst"

    assert populated.apply(KEY, with_env(A="1", B="2"), "us") == before


def test_a_server_side_apply_after_a_plain_one():
    """An atomic field that the server completed for another manager is a conflict."""
    objects = Objects("rates")
    objects.plainly(KEY, with_env(A="1"))

    with pytest.raises(RefusedError, match=r'env\[name="LABEL"\]\.valueFrom\.fieldRef'):
        objects.apply(KEY, with_env(A="1"), "us")


def test_a_policy_adds(populated):
    """What a policy adds belongs to no manager, and hinders no later apply."""
    populated.policies.append(
        lambda found: (
            at(found, (*CONTAINER, "env")).append({"name": "P", "value": "1"})
            if "P" not in [one["name"] for one in at(found, (*CONTAINER, "env"))]
            else None
        )
    )

    populated.apply(KEY, with_env(A="1", B="3"), "us")
    populated.apply(KEY, with_env(A="1", B="4"), "us")

    assert names(populated) == ["A", "B", "LABEL", "P"]


def test_two_values(populated):
    """A variable with a value and a source is refused."""
    populated.set_env(KEY, "LABEL", "x")

    with pytest.raises(RefusedError, match="may not be specified when `value` is not empty"):
        populated.apply(KEY, with_env(A="1", B="2"), "us", force=True)


def test_part_of_an_object(objects):
    """Two managers say each their part, and what one of them takes back is gone."""
    part = wanted()
    part["spec"] = {"suspend": True}
    objects.apply(KEY, part, "pauser")
    assert objects.get(KEY)["spec"]["suspend"] is True
    assert objects.apply(KEY, wanted(), "us")["spec"]["suspend"] is True

    del part["spec"]
    objects.apply(KEY, part, "pauser")

    assert objects.get(KEY)["spec"] == {"schedule": "0 0 * * *", "suspend": False}
