"""The container image, built by buildah from the shipped Dockerfile and run by podman as a cluster would.

Read-only root, no network but loopback, no capabilities, nobody's account: what it records is in a real PostgreSQL.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ratectl import __version__
from ratectl.backends.host import ClusterTarget
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.kubernetes import manifest
from ratectl.model.cluster import Cluster
from tests.engines.loopback import ANSWERS, HANGS
from tests.fakes.machine import host
from tests.fakes.station import Station

if sys.platform == "win32":
    pytest.skip("images are built on Linux", allow_module_level=True)

from tests.engines.setup import container

pytestmark = pytest.mark.engine
TAG = "localhost/ratectl:tested"
CONFINED = (
    *("--rm", "--pull=never", "--read-only", "--read-only-tmpfs=false", "--tmpfs=/tmp:mode=1777"),
    *("--cap-drop=all", "--security-opt=no-new-privileges"),
    *("--ulimit=nofile=1024:4096", "--ulimit=nproc=1024:4096"),
)
QUOTES = "SELECT count(*) FROM ratectl_journal.quotes"
LOOKS = """
import importlib.metadata, json, os, pathlib
status = pathlib.Path("/proc/self/status").read_text()
facts = dict(line.split(":\\t", 1) for line in status.splitlines())
def refused(path):
    try:
        pathlib.Path(path).write_text("x")
    except OSError as error:
        return error.strerror
print(json.dumps({
    "ids": [os.getuid(), os.getgid()],
    "capabilities": int(facts["CapBnd"], 16),
    "networks": os.listdir("/sys/class/net"),
    "refused": [refused("/x"), refused("/opt/ratectl/x")],
    "packages": sorted(d.name.lower().replace("_", "-") for d in importlib.metadata.distributions()),
}))
"""


@pytest.fixture(scope="module")
def image():
    """The id of the image, which is gone afterwards; its base stays."""
    lacking = container.missing()
    if lacking and os.environ.get("RATECTL_REQUIRE_ENGINES"):
        pytest.fail(lacking)
    if lacking:
        pytest.skip(lacking)
    yield container.build(TAG)
    for leave in (("rmi", "--force", TAG), ("image", "prune", "--force")):
        subprocess.run(container.podman(*leave), capture_output=True, check=False)


@pytest.fixture(scope="module")
def network():
    """The path of a network namespace in which the rate servers are, and nothing else."""
    script = Path(__file__).with_name("loopback.py")
    argv = ("unshare", "--net", sys.executable, str(script))
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as servers:
        assert servers.stdout.readline() == "serving\n"
        yield f"/proc/{servers.pid}/ns/net"
        servers.stdin.close()


@pytest.fixture
def database(postgres):
    """The name of a new database, on a socket that the pod's account may reach."""
    postgres.folder.chmod(0o711)
    return postgres.database()


@pytest.fixture
def pod(image, network, postgres, database, tmp_path):
    """Start a confined container that fires a job of every minute in the Job of a slot, at the rate server on a port."""
    assert image

    def start(slot, *, port=ANSWERS, name=""):
        job = Station(folder=tmp_path).job(
            f"http://127.0.0.1:{port}",
            outputs=(),
            journal=f"postgresql://ratectl@/{database}?host=/postgres",
            schedule_texts=("every minute",),
            timeout=60,
        )
        argv = container.podman(
            *("run", *CONFINED, f"--network=ns:{network}", f"--volume={postgres.folder}:/postgres"),
            *((f"--name={name}",) if name else ()),
            *as_told(rendered(job), slot),
        )
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


def rendered(job):
    """Return the container of the CronJob that an install would make of *job*."""
    where = {"image": TAG, "namespace": "rates", "secret": "rates-db"}
    inside = replace(job, kubernetes=Cluster(**where))
    place = host(cluster=ClusterTarget(context="", namespace="rates"))
    [artefact] = kubernetes.render(inside, kubernetes.check(inside, place.zone), place, "user")
    pod = manifest.load(artefact.data)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    return container


def as_told(told, slot):
    """Return how a kubelet starts the container that is *told*, in the Job of *slot*: command, args and env."""
    fields = {
        "metadata.labels['batch.kubernetes.io/job-name']": f"usd-inr-{int(slot.timestamp()) // 60}",
        "metadata.annotations['ratectl/since']": "",
    }

    def value(variable):
        source = variable.get("valueFrom", {})
        if "fieldRef" in source:
            return fields[source["fieldRef"]["fieldPath"]]
        return variable.get("value", "of-the-secret")

    return (
        f"--entrypoint={json.dumps(told['command'])}",
        *(f"--env={one['name']}={value(one)}" for one in told["env"]),
        told["image"],
        *(argument.replace("$$", "$") for argument in told["args"]),
    )


def ended(process):
    """Return the exit code of a container and what it said."""
    out, err = process.communicate(timeout=120)
    assert err == ""
    return process.returncode, json.loads(out)


def minute():
    """Return the slot of two minutes ago."""
    return dt.datetime.now(dt.UTC).replace(second=0, microsecond=0) - dt.timedelta(minutes=2)


def test_recorded_once(pod, postgres, database):
    """Started twice at the same moment and once more afterwards, one firing is in PostgreSQL, once."""
    slot = minute()

    told = [ended(process) for process in [pod(slot), pod(slot)]]
    told.append(ended(pod(slot)))

    assert [code for code, _ in told] == [0, 0, 0]
    assert sorted(line["outcome"] for _, line in told) == ["recorded", "settled", "settled"]
    assert {line["slot"] for _, line in told} == {slot.isoformat()}
    assert postgres.sql(database, QUOTES) == ["1"]


def test_stopped(pod, postgres, database):
    """As the first process of its container it hears SIGTERM: exit 75, and the next one records the slot."""
    slot, name = minute(), f"ratectl-tested-{os.getpid()}"
    process = pod(slot, port=HANGS, name=name)
    claimed = "SELECT count(*) FROM ratectl_journal.firings WHERE state = 'claimed'"
    end = time.monotonic() + 60
    there = "SELECT to_regclass('ratectl_journal.firings') IS NOT NULL"
    while postgres.sql(database, there) != ["t"] or postgres.sql(database, claimed) != ["1"]:
        assert time.monotonic() < end

    subprocess.run(container.podman("kill", "--signal=TERM", name), check=True, capture_output=True)
    code, told = ended(process)

    assert (code, told["error"]) == (75, "stopped by SIGTERM; the slot stays due")
    assert ended(pod(slot))[1]["outcome"] == "recorded"
    assert postgres.sql(database, QUOTES) == ["1"]


def test_the_manifest_twice(pod, postgres, database):
    """Command, args and env of a rendered CronJob, run twice in the image, leave one row."""
    slot = minute()

    told = [ended(pod(slot)) for _ in range(2)]

    assert [(code, line["outcome"]) for code, line in told] == [(0, "recorded"), (0, "settled")]
    assert postgres.sql(database, QUOTES) == ["1"]


@pytest.mark.parametrize("program", ["ratectl-fetch", "ratectl"])
def test_by_its_name(image, network, program):
    """What the image holds is found by its name, too."""
    argv = container.podman(
        *("run", *CONFINED, f"--network=ns:{network}", f"--entrypoint={json.dumps([program])}"),
        *(image, "--version"),
    )
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, __version__ in done.stdout) == (0, True), done.stderr


def test_confined(image, network):
    """It runs as nobody in particular, sees only loopback, can write to no part of itself, and holds what is locked."""
    argv = container.podman(
        *("run", *CONFINED, f"--network=ns:{network}"),
        *('--entrypoint=["/opt/ratectl/bin/python3"]', image, "-I", "-c", LOOKS),
    )
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    facts = json.loads(done.stdout)

    assert facts["ids"] == [65532, 65532]
    assert facts["capabilities"] == 0
    assert facts["networks"] == ["lo"]
    assert facts["refused"] == ["Read-only file system"] * 2
    lines = (container.LOCKED / "requirements.txt").read_text().splitlines()
    locked = {line.split("==")[0] for line in lines if "==" in line}
    assert set(facts["packages"]) == locked | {"ratectl"}


def test_built_again(image, record_property):
    """The same sources, base and wheels give the same image, to the last byte."""
    begun = time.monotonic()

    again = container.build(f"{TAG}-again", "--no-cache")

    subprocess.run(container.podman("rmi", f"{TAG}-again"), capture_output=True, check=False)
    record_property("figures", f"built in {time.monotonic() - begun:.0f} s, ratectl {__version__}")
    assert again == image
