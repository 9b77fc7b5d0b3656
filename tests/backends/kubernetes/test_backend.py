"""Kubernetes: the CronJob of a job, what a job must bring, and what the API server would refuse."""

from __future__ import annotations

import copy
import datetime as dt
import importlib
import json
import re
from dataclasses import replace
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from ratectl import schedule
from ratectl.backends.host import ClusterTarget
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.kubernetes import cron, differences, kubectl, manifest
from ratectl.backends.protocol import Change, EngineAbsentError, InstalledEntry, Verb
from ratectl.deploy import select_backend
from ratectl.errors import ConfigError, EngineError, RefusedError, TryLaterError
from ratectl.model.cluster import Toleration
from ratectl.model.job import Job, Output, Provider
from ratectl.schedule.cover.triggers import Fidelity
from scripts import golden
from tests.backends.kubernetes import rules
from tests.fakes.jobs import in_a_cluster, job
from tests.fakes.machine import done, host
from tests.support.engine_models import Robfig, segments

ZONE = ZoneInfo("Asia/Kolkata")
GOLDEN = sorted(golden.GOLDEN.glob("*/kubernetes/*.yaml"))
PLACE = ClusterTarget(context="", namespace="rates")
THERE = host(cluster=PLACE)
KEYED = {"secret": "keys"}


def rendered(one, **cluster):
    """The manifest of *one* as values."""
    inside = in_a_cluster(one, **cluster)
    (artefact,) = kubernetes.render(inside, kubernetes.check(inside, ZONE), THERE, "user")
    return manifest.load(artefact.data)


def when(text, timezone="America/New_York"):
    """The schedule and zone of the CronJob for a phrase."""
    spec = rendered(job(schedule=f'"{text}"', timezone=f'"{timezone}"'))["spec"]
    return spec["schedule"], spec["timeZone"]


@pytest.mark.posix("kubernetes-validate is not installed there")
@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
@pytest.mark.parametrize("version", ["1.27", "1.33"])
def test_schema(path, version):
    """Every recorded manifest is valid by the published schema, with no field that it does not know."""
    judge = importlib.import_module("kubernetes_validate")  # where it is missing, this fails
    values = manifest.load(path.read_bytes())

    judge.validate(values, version, strict=True)


def test_the_pod_is_restricted():
    """The container may do nothing but run: the profile "restricted" of the pod security standards."""
    pod = rendered(job())["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["volumes"] == [{"name": "tmp", "emptyDir": {}}]


def test_the_snapshot_comes_back():
    """The argument is the job itself, as Kubernetes hands it on: it makes one dollar of two."""
    office = Provider(name="office", kind="http-json", base_url="https://a/$(X)/$$", rate="r")
    one = replace(job(), providers=(office,))

    container = rendered(one)["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    name, flag, argument = container["args"]

    assert container["command"] == ["/opt/ratectl/bin/ratectl-fetch"]
    assert (name, flag) == ("usd-inr", "--snapshot")
    told = Job.from_plain(json.loads(argument.replace("$$", "$")))
    assert told == replace(in_a_cluster(one), kubernetes=None)


def test_secrets_are_references():
    """A key is taken from the Secret that the spec names, each under its own variable; no value is written."""
    keyed = Provider(name="x", kind="openexchangerates", api_key="env:OXR_KEY")
    one = replace(job(), providers=(keyed,), notify=("env:HOOK",))

    env = rendered(one, **KEYED)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    env = {variable["name"]: variable for variable in env["containers"][0]["env"]}

    assert list(env) == [
        "RATECTL_STATE_DIR",
        "RATECTL_JOB_NAME",
        "RATECTL_SINCE",
        "PGPASSWORD",
        "HOOK",
        "OXR_KEY",
    ]
    assert env["OXR_KEY"]["valueFrom"] == {"secretKeyRef": {"name": "keys", "key": "OXR_KEY"}}
    assert env["PGPASSWORD"]["valueFrom"]["secretKeyRef"]["optional"] is True


def test_a_secret_that_is_named_must_exist():
    """Where the password is all that a Secret is for it is not optional, so a mistyped name stops a pod."""
    env = rendered(job(), **KEYED)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (password,) = (one for one in env["containers"][0]["env"] if one["name"] == "PGPASSWORD")

    assert password["valueFrom"] == {"secretKeyRef": {"name": "keys", "key": "PGPASSWORD"}}


PODS = {
    "image_pull_secrets": ("a", "b"),
    "service_account": "rates",
    "node_selector": (("disk", "ssd"),),
    "tolerations": (Toleration(key="dedicated", operator="Exists", toleration_seconds=0),),
    "labels": (("team", "books"),),
    "annotations": (("example.org/owner", "ada"),),
}


@pytest.mark.posix("kubernetes-validate is not installed there")
def test_what_the_spec_says_of_pods():
    """Each further key of the table stands where Kubernetes wants it, on the CronJob, its Jobs and its pods."""
    values = rendered(job(), **PODS)

    template = values["spec"]["jobTemplate"]["spec"]["template"]
    pod = template["spec"]
    assert pod["imagePullSecrets"] == [{"name": "a"}, {"name": "b"}]
    assert (pod["serviceAccountName"], pod["automountServiceAccountToken"]) == ("rates", False)
    assert pod["nodeSelector"] == {"disk": "ssd"}
    assert pod["tolerations"] == [
        {"key": "dedicated", "operator": "Exists", "tolerationSeconds": 0}
    ]
    for metadata in (
        values["metadata"],
        values["spec"]["jobTemplate"]["metadata"],
        template["metadata"],
    ):
        assert metadata["labels"]["team"] == "books"
        assert metadata["annotations"]["example.org/owner"] == "ada"
    judge = importlib.import_module("kubernetes_validate")
    judge.validate(values, "1.33", strict=True)
    assert not list(rules.faults(values))


AMBIGUOUS = (
    *(
        "y",
        "Y",
        "n",
        "N",
        "yes",
        "No",
        "on",
        "OFF",
        "true",
        "False",
        "null",
        "Null",
        "~",
        "",
        "=",
        "<<",
    ),
    *("1e3", "12e4", "1234e56", "0x1f", "0o7", "0b11", "017", "1_000", ".5", "5.", "-1", "+1.5e-3"),
    *(".inf", "-.INF", ".nan", "2024-01-31", "2024-01-31 10:00:00", "2024-01-31T10:00:00Z"),
    *("12:30:45", "12:30", "1,000"),
)


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_no_reader_takes_a_text_for_something_else(text):
    """A text that a reader of YAML 1.1 or 1.2 could take for a number, bool or time is in quotes."""
    data = manifest.text({"metadata": {"name": "x", "labels": {"team": text, "y": "z"}}}).decode()

    assert f"    team: '{text}'\n    'y': z\n" in data


@pytest.mark.parametrize("name", ["n", "y", "on"])
def test_a_job_called_as_a_bool(name):
    """The label that names the job stays a text."""
    told = manifest.text(rendered(replace(job(), name=name))).decode()

    assert told.count(f"app.kubernetes.io/instance: '{name}'\n") == 3


def test_a_field_reference_says_its_version():
    """What the server would fill in is said: left out, it conflicts with an object that a plain apply made."""
    container = rendered(job())["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    fields = [one["valueFrom"]["fieldRef"] for one in container["env"] if "valueFrom" in one]

    assert len(fields) == 2
    assert {field["apiVersion"] for field in fields} == {"v1"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"kubernetes": None}, "write [kubernetes] with image"),
        ({"journal": ""}, 'write journal = "postgresql://user@host/database"'),
        ({"outputs": (Output(kind="csv", target="/srv/a.csv"),)}, "csv:/srv/a.csv would be gone"),
        (
            {"providers": (Provider(name="x", kind="fred", api_key="file:/etc/key"),)},
            "file:/etc/key is on this machine",
        ),
        (
            {"providers": (Provider(name="x", kind="fred", api_key="credential:oxr"),)},
            "credential:oxr is on this machine",
        ),
        ({"notify": ("file:/etc/hooks",)}, "file:/etc/hooks is on this machine"),
        ({"notify": ("env:HOOK",)}, 'write secret = "NAME" under [kubernetes]'),
        ({"notify": ("env:NO-NAME",)}, "env:NO-NAME is no name of a variable"),
        (
            {"journal": "postgresql://a@b/c?passfile=/home/ada/.pgpass"},
            "passfile in a database's URL names a file that a pod lacks",
        ),
        ({"ca_bundle": "/etc/roots.pem"}, "put the certificates into the image's own store"),
    ],
)
def test_what_a_pod_lacks(change, told):
    """A job that could not do its work in a pod is refused, with the reason and what to write instead."""
    cover = kubernetes.check(replace(in_a_cluster(job()), **change), ZONE)

    assert cover.fidelity is Fidelity.REFUSED
    assert told in cover.reason


@pytest.mark.parametrize(
    ("text", "timezone", "schedule", "zone"),
    [
        ("every day at 10:30", "America/New_York", "30 10 * * *", "America/New_York"),
        ("every sunday at 09:00", "America/New_York", "0 9 * * 0", "America/New_York"),
        ("every day at 02:30", "America/New_York", "0,30 2-3 * * *", "America/New_York"),
        ("every day at 09:00 and 17:30", "Asia/Kolkata", "0,30 9,17 * * *", "Asia/Kolkata"),
        ("every monday and on the 1st", "Asia/Kolkata", None, None),
        ("every friday at 10:00", "Africa/Cairo", "0 7-8 * * 5", "Etc/UTC"),
        ("every day at 10:00", "Africa/Cairo", "0 10 * * *", "Africa/Cairo"),
        ("every day at 03:00", "Australia/Lord_Howe", "0,30 16 * * *", "Etc/UTC"),
        ("every 30 seconds", "Asia/Kolkata", "* * * * *", "Etc/UTC"),
        ("0 0 */2 * 1", "Asia/Kolkata", "0 0 * * 1", "Asia/Kolkata"),
    ],
)
def test_one_schedule_in_one_zone(text, timezone, schedule, zone):
    """All wakeups of a job are one line: in its own zone, or in UTC where the search would lose some there."""
    if schedule is None:
        one = replace(in_a_cluster(job()), schedule_texts=("every monday", "0 0 1 * *"))
        (trigger,) = kubernetes.check(one, ZONE).triggers
        assert cron.spell(trigger)[0] == "0 0 * * *"
        return
    assert when(text, timezone) == (schedule, zone)


def test_exact_where_nothing_is_added():
    """A daily time away from clock changes is exact, and the fold's second run makes a cover guarded."""
    covers = [
        kubernetes.check(
            in_a_cluster(job(schedule=f'"every day at {time}"', timezone='"America/New_York"')),
            ZONE,
        )
        for time in ("10:30", "01:30")
    ]

    assert [cover.fidelity for cover in covers] == [Fidelity.EXACT, Fidelity.GUARDED]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_what_is_written_is_read(path):
    """The schedule of a manifest is read back to the line that it was made of."""
    spec = manifest.load(path.read_bytes())["spec"]
    line = cron.read(spec["schedule"], spec["timeZone"])

    assert cron.spell(line) == (spec["schedule"], spec["timeZone"])


def test_the_search_of_the_server():
    """The model does what was measured: a gap's times are left out, a fold's come twice."""
    berlin, santiago = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Santiago")
    assert segments(berlin)

    assert "2027-03-28" not in runs("30 2 * * *", berlin, "2027-03-27")
    assert runs("30 2 * * *", berlin, "2026-10-25").count("2026-10-25") == 2
    assert "2026-09-06" not in runs("30 0 * * *", santiago, "2026-09-05")


def runs(text, zone, since):
    """The days on which the model of the server runs *text*, three runs from *since* on."""
    start = dt.datetime.fromisoformat(since).replace(tzinfo=zone)
    at, found = int(start.timestamp()), []
    search = Robfig(text, zone, at + 10 * 86400)
    for _ in range(3):
        at = search.after(at)
        found.append(dt.datetime.fromtimestamp(at, zone).date().isoformat())
    return found


def broken(*path, value):
    """A good manifest with *value* at *path*."""
    values = copy.deepcopy(rendered(job(), **KEYED))
    inner = values
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return values


RUN = ("spec", "jobTemplate", "spec")
POD = (*RUN, "template", "spec")
REFUSALS = [
    (("spec", "schedule"), "", "spec.schedule: Required value"),
    (
        ("spec", "concurrencyPolicy"),
        "Never",
        'Unsupported value: "Never": supported values: "Allow", "Forbid", "Replace"',
    ),
    (("spec", "timeZone"), "Europe/Berlim", "unknown time zone Europe/Berlim"),
    (("spec", "timeZone"), "Europe/ABerlinOfTooManyLetters", "unknown time zone"),
    (
        ("spec", "timeZone"),
        "Local",
        "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
    ),
    (("spec", "schedule"), "99 99 * * *", "end of range (99) above maximum (59): 99"),
    (
        ("spec", "schedule"),
        "TZ=Europe/Berlin 0 0 * * *",
        "cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
    ),
    (("spec", "schedule"), "0 0 * * 7", "end of range (7) above maximum (6): 7"),
    (("spec", "schedule"), "0 0 0 * *", "beginning of range (0) below minimum (1): 0"),
    (("spec", "schedule"), "0 22-2 * * *", "beginning of range (22) beyond end of range (2): 22-2"),
    (("spec", "schedule"), "*/0 * * * *", "step of range should be a positive number: */0"),
    (("spec", "schedule"), "0 0 * * mon", "failed to parse int from mon"),
    (("spec", "schedule"), "0 0 * *", "expected exactly 5 fields, found 4"),
    (("spec", "schedule"), "0 0 31 2 *", "never fires"),
    (("spec", "schedule"), "0 0 1 * 1", "together mean either of them"),
    (
        (*POD, "restartPolicy"),
        "Always",
        'Required value: valid values: "OnFailure", "Never"',
    ),
    (("metadata", "name"), "r" * 57, "must be no more than 52 characters"),
    (("metadata", "name"), "Ratectl_USD", "a lowercase RFC 1123 subdomain must consist of"),
    (("metadata", "name"), "usd.eur", "a DNS label is recommended"),
    (
        ("metadata", "labels", "note"),
        "two words",
        "a valid label must be an empty string or consist of",
    ),
    ((*RUN, "template", "metadata", "labels", "note"), "x" * 64, "a valid label must be"),
    (
        (*POD, "containers", 0, "volumeMounts", 0, "name"),
        "nope",
        'volumeMounts[0].name: Not found: "nope"',
    ),
    ((*POD, "securityContext", "runAsUser"), -1, "must be between 0 and 2147483647, inclusive"),
    (("spec", "startingDeadlineSeconds"), -1, "must be greater than or equal to 0"),
    (("spec", "failedJobsHistoryLimit"), -1, "must be greater than or equal to 0"),
    ((*RUN, "activeDeadlineSeconds"), -1, "must be greater than or equal to 0"),
    (
        (*POD, "containers", 0, "env", 0, "name"),
        "1ST",
        "a valid environment variable name must consist of",
    ),
]


@pytest.mark.parametrize(("path", "value", "told"), REFUSALS)
def test_what_the_server_would_refuse(path, value, told):
    """Each fault is found before anybody is asked, in the very words of the server."""
    (fault,) = rules.faults(broken(*path, value=value))

    assert told in fault


def test_a_good_manifest_has_no_faults():
    """What is rendered is refused for nothing."""
    for path in GOLDEN:
        assert not list(rules.faults(manifest.load(path.read_bytes())))


@pytest.mark.parametrize("zone", ["posix/Europe/Berlin", "right/Asia/Kolkata", "localtime"])
def test_a_zone_of_this_machine_only(zone):
    """A name that a cluster need not know is never written: UTC, with more wakeups where the clocks change, does."""
    assert not cron.is_portable(zone)
    assert cron.is_portable("America/Argentina/ComodRivadavia")


def test_the_longest_name():
    """The longest name that a job may have gives a name that a CronJob may have."""
    one = replace(in_a_cluster(job()), name="x" * 40)

    assert kubernetes.render(one, kubernetes.check(one, ZONE), THERE, "user")


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [("every day at 10:30", 3600), ("every 15 minutes", 450), ("every minute", 60)],
)
def test_how_late_a_run_may_start(schedule, seconds):
    """A missed run is left to the next one after half the interval, from a minute to an hour."""
    assert rendered(job(schedule=f'"{schedule}"'))["spec"]["startingDeadlineSeconds"] == seconds


def test_how_long_a_run_may_take():
    """A pod is ended when the firing's own deadline and its jitter are long over."""
    run = rendered(job(timeout='"5m"', jitter='"1m"'))["spec"]["jobTemplate"]["spec"]

    assert run["activeDeadlineSeconds"] == 300 + 60 + manifest.MARGIN


AWAY = """E1124 10:00:00.0 1 memcache.go:265] couldn't get current server API group list
The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?
"""


class Cluster:
    """A Reader that gives one answer to kubectl, in a namespace where nobody else has a CronJob."""

    def __init__(self, answer, *, there=True):
        self.answer, self.there, self.asked = answer, there, []

    def which(self, program):
        assert program == "kubectl"
        return "/usr/bin/kubectl" if self.there else None

    def query(self, argv, *, stdin=b""):
        if argv[-1] == "--show-managed-fields":  # every CronJob, whatever its labels
            return listed()
        self.asked.append((argv, stdin))
        return self.answer


def live(one, **changes):
    """What the server would give back of *one*: with its own fields and defaults."""
    values = rendered(one)
    values["metadata"] |= {"uid": "1", "resourceVersion": "7", "generation": 1}
    values["metadata"]["labels"]["team"] = "books"
    values["spec"] |= {"suspend": False} | changes
    values["status"] = {"lastScheduleTime": "2026-11-23T05:00:00Z"}
    container = values["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    container |= {"imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/x"}
    container["env"].insert(0, {"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"})
    return values


def listed(*items):
    return done(stdout=json.dumps({"items": list(items)}).encode())


def test_what_the_server_adds_is_no_difference():
    """An object that nobody touched gives back the very bytes that were applied."""
    inside = in_a_cluster(job())
    reader = Cluster(listed(live(job())))

    found = kubernetes.inspect(reader, THERE, "user")

    entry = found.entries["usd-inr"]
    wanted = kubernetes.render(inside, kubernetes.check(inside, ZONE), THERE, "user")
    assert (entry.artefacts, entry.enabled, entry.overrides) == (wanted, True, ())
    assert entry.triggers == ("30 10 * * * Asia/Kolkata",)
    assert found.raw["place"] == b"/rates"


def test_a_changed_field_is_a_difference():
    """Another schedule than ours shows in the bytes."""
    entry = kubernetes.inspect(
        Cluster(listed(live(job(), schedule="0 0 * * *"))), THERE, "user"
    ).entries["usd-inr"]

    assert b"schedule: 0 0 * * *\n" in entry.artefacts[0].data


def test_suspended_by_an_operator():
    """A CronJob that somebody suspended is shown as such, and left so."""
    entry = kubernetes.inspect(Cluster(listed(live(job(), suspend=True))), THERE, "user").entries[
        "usd-inr"
    ]

    assert not entry.enabled
    assert entry.overrides == ("somebody suspended it, and it is left so",)
    assert b"suspend" not in entry.artefacts[0].data


def test_a_borrowed_label():
    """An object under another name is not ours, whatever its labels say."""
    stranger = live(job())
    stranger["metadata"]["name"] = "backup"

    assert not kubernetes.inspect(Cluster(listed(stranger)), THERE, "user").entries


def test_no_cluster():
    """Where no job stands in a cluster, none is asked."""
    with pytest.raises(EngineAbsentError):
        kubernetes.inspect(Cluster(None), host(), "user")
    assert "[kubernetes]" in kubernetes.detect(Cluster(None), host(), "user")
    assert "no `kubectl` program" in kubernetes.detect(Cluster(None, there=False), THERE, "user")


@pytest.mark.parametrize(
    ("code", "stderr", "kind", "told"),
    [
        (127, "no program 'kubectl' on the PATH", EngineError, "install it"),
        (
            1,
            'Error from server (Forbidden): cronjobs.batch is forbidden: User "ada" cannot list',
            RefusedError,
            "kubectl auth can-i list cronjobs.batch -n rates",
        ),
        (
            1,
            'Error from server (NotFound): namespaces "rates" not found',
            EngineError,
            "kubectl create namespace rates",
        ),
        (
            1,
            AWAY,
            EngineError,
            "kubectl cluster-info",
        ),
        (
            1,
            'error: context "prod" does not exist',
            ConfigError,
            "kubectl config get-contexts",
        ),
        (1, "Unable to connect: net/http: request canceled (Client.Timeout)", EngineError, "10 s"),
        (1, "error: something else", EngineError, "something else"),
        (1, "", EngineError, "exit code 1"),
    ],
)
def test_what_goes_wrong(code, stderr, kind, told):
    """An error names the place, what the server said, and the next step."""
    with pytest.raises(kind) as stopped:
        kubernetes.inspect(Cluster(done(code, stderr=stderr.encode())), THERE, "user")

    assert told in str(stopped.value)
    assert "memcache" not in str(stopped.value)


def test_no_list():
    """An answer that is no list of CronJobs is an error, not a cluster without any."""
    with pytest.raises(EngineError, match="gave no list"):
        kubernetes.inspect(Cluster(done(stdout=b"hello")), THERE, "user")


def change(verb, name="usd-inr"):
    one = replace(in_a_cluster(job()), name=name)
    artefacts = kubernetes.render(one, kubernetes.check(one, ZONE), THERE, "user")
    return Change(verb=verb, job=name, artefacts=() if verb is Verb.DELETE else artefacts)


def test_steps():
    """Whatever goes is deleted by name in one call, whatever comes is applied in another."""
    account = host(cluster=ClusterTarget(context="prod", namespace="rates"))
    changes = [change(Verb.DELETE, "a"), change(Verb.DELETE, "b"), change(Verb.CREATE, "c")]
    changes += [change(Verb.UPDATE, "d")]

    delete, apply = kubernetes.stage(changes, None, account, "user")

    common = ("kubectl", "--context=prod", "--namespace=rates", "--request-timeout=10s")
    gone = ("cronjobs.batch", "ratectl-a", "ratectl-b")
    assert delete.argv == (*common, "delete", *gone, "--ignore-not-found")
    assert apply.argv == (
        *common,
        *("apply", "--server-side", "--field-manager=ratectl", "--filename=-"),
    )
    assert apply.stdin.count(b"apiVersion: batch/v1") == 2
    assert kubernetes.stage([], None, account, "user") == ()


def test_force_only_when_asked():
    """Conflicts are overruled where the person said so."""
    (plain,) = kubernetes.stage([change(Verb.CREATE)], None, THERE, "user")
    forced = host(cluster=PLACE._replace(force=True))
    (hard,) = kubernetes.stage([change(Verb.CREATE)], None, forced, "user")

    assert "--force-conflicts" not in plain.argv
    assert "--force-conflicts" in hard.argv


def test_rehearsal():
    """What the server warns of is told before anything is done; it is asked to keep nothing."""
    said = b"Warning: would violate PodSecurity\nWarning: would violate PodSecurity\n"
    reader = Cluster(done(stderr=said))

    told = kubernetes.dry_run(reader, [change(Verb.CREATE)], THERE, "user")

    assert told == ("kubernetes: the server warns: would violate PodSecurity",)
    assert "--dry-run=server" in reader.asked[0][0]
    assert kubernetes.dry_run(Cluster(None), [change(Verb.DELETE)], THERE, "user") == ()


def test_a_conflict():
    """Fields that somebody else set stop an install before it begins, with both ways on."""
    said = b'error: Apply failed with 1 conflict: conflict with "kubectl-edit": .spec.schedule'

    with pytest.raises(EngineError, match="--force-conflicts"):
        kubernetes.dry_run(Cluster(done(1, stderr=said)), [change(Verb.UPDATE)], THERE, "user")


@pytest.mark.parametrize(
    ("held", "wakes"),
    [
        ("30 10 * * * Asia/Kolkata", True),
        ("* * * * * Etc/UTC", True),
        ("0 5 * * * Etc/UTC", True),
        ("30 10 * * * Europe/Berlin", False),
        ("31 10 * * * Asia/Kolkata", False),
        ("nonsense", False),
    ],
)
def test_the_next_slot_is_read_back(held, wakes):
    """Schedule and zone, as the cluster holds them, are asked for our own next slot."""
    one = in_a_cluster(job())
    slots = schedule.after(one.schedule, one.zone, dt.datetime(2026, 11, 23, tzinfo=dt.UTC))
    entry = InstalledEntry(job="usd-inr", triggers=(held,), artefacts=())

    assert all(kubernetes.covers_slot(entry, slot) is wakes for slot in islice(slots, 3))


def test_auto_never_chooses_it():
    """Nothing goes to a cluster unless the spec or a flag names it."""
    assert "kubernetes" not in select_backend.PREFERENCE
    assert kubectl.described(PLACE) == "namespace rates"


# What the server says, what that means, and what to do next

FIELDS = """error: Apply failed with 2 conflicts: conflicts with "kubectl-edit" using batch/v1:
- .spec.schedule
- .spec.timeZone
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
"""
DENIED = 'Error from server (Forbidden): cronjobs.batch "ratectl-a" is forbidden: '
CANNOT = 'User "ada" cannot {} resource "cronjobs" in API group "batch" in the namespace "rates"'
INVALID = 'The CronJob "ratectl-a" is invalid: '
ENV = "spec.jobTemplate.spec.template.spec.containers[0].env[3].valueFrom: "
NOT_EMPTY = 'Invalid value: "": may not be specified when `value` is not empty'
POST = 'Post "https://10.0.0.1/apis/batch/v1": '
FAILURES = [
    (
        "Error from server (NotFound): the server could not find the requested resource",
        69,
        "`kubectl version`",
    ),
    (
        'error: Apply failed with 1 conflict: conflict with "kubectl-edit" using batch/v1: .spec.schedule',
        69,
        "ratectl install --force-conflicts",
    ),
    (FIELDS, 69, "ratectl install --force-conflicts"),
    (f"{INVALID}{ENV}{NOT_EMPTY}", 69, "kubectl set env cronjob/ratectl-a VARIABLE- -n rates"),
    (
        f"{DENIED}exceeded quota: small, requested: count/cronjobs.batch=1, used: count/cronjobs.batch=5",
        77,
        "kubectl describe quota -n rates",
    ),
    (
        f"{DENIED}unable to create new content in namespace rates because it is being terminated",
        69,
        "kubectl get namespace rates",
    ),
    (
        f"{DENIED}ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
        77,
        "whoever runs the cluster",
    ),
    (
        'Error from server: admission webhook "validate.kyverno.svc" denied the request: no',
        77,
        "whoever runs the cluster",
    ),
    (
        'Error from server (InternalError): Internal error occurred: failed calling webhook "x": dial tcp: connection refused',
        69,
        "a webhook of the cluster",
    ),
    ("error: You must be logged in to the server (Unauthorized)", 77, "log in again"),
    (
        "error: You must be logged in to the server (the server has asked for the client to provide credentials)",
        77,
        "log in again",
    ),
    (
        "Unable to connect to the server: getting credentials: exec: executable aws failed with exit code 255",
        77,
        "log in again",
    ),
    (
        "Unable to connect to the server: getting credentials: exec: executable gke-gcloud-auth-plugin not found",
        69,
        "install it",
    ),
    *(
        (
            f"Error from server (Forbidden): cronjobs.batch is forbidden: {CANNOT.format(verb)}",
            77,
            f"kubectl auth can-i {verb} cronjobs.batch -n rates",
        )
        for verb in ("list", "create", "patch", "delete")
    ),
    (
        'Error from server (Forbidden): pods is forbidden: User "ada" cannot list resource "pods" in API group "" in the namespace "rates"',
        77,
        "kubectl auth can-i list pods -n rates",
    ),
    (
        'Error from server (NotFound): namespaces "rates" not found',
        69,
        "kubectl create namespace rates",
    ),
    (
        "error: unable to read certificate-authority /etc/ca.crt for of-test due to open /etc/ca.crt: no such file or directory",
        78,
        "kubectl config view",
    ),
    ('error: unable to decode "STDIN": no kind is registered', 78, "ratectl render"),
    (
        "Unable to connect to the server: getting credentials: exec: executable aws not found",
        69,
        "install it",
    ),
    ("Please enter Username: error: EOF", 77, "log in again"),
    (f"{DENIED}failed quota: small: must specify limits.cpu", 77, "kubectl describe quota"),
    ('error: context "prod" does not exist', 78, "kubectl config get-contexts"),
    (
        'error: error loading config file "/home/ada/.kube/config": yaml: line 3: mapping values are not allowed',
        78,
        "kubectl config view",
    ),
    (
        "Unable to connect to the server: tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
        69,
        "`date`",
    ),
    (
        "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority",
        69,
        "certificate-authority",
    ),
    (
        f"{INVALID}spec.timeZone: Invalid value: unknown time zone America/Coyhaique",
        78,
        "zone data",
    ),
    (
        'error: resource mapping not found for name: "a": no matches for kind "CronJob" in version "batch/v1"',
        69,
        "kubectl version",
    ),
    ("Error from server (BadRequest): .spec.timeZone: field not declared in schema", 69, "1.27"),
    (f"{INVALID}metadata.labels: Invalid value", 78, "in the spec"),
    (
        "Error from server (TooManyRequests): too many requests, please try again later",
        75,
        "in a minute",
    ),
    (
        "Error from server (ServiceUnavailable): the server is currently unable to handle the request",
        75,
        "in a minute",
    ),
    ("Error from server: etcdserver: leader changed", 75, "in a minute"),
    (
        f"Unable to connect to the server: {POST}net/http: TLS handshake timeout",
        69,
        "within 10 seconds",
    ),
    ("Unable to connect to the server: context deadline exceeded", 69, "kubectl cluster-info"),
    (
        "The connection to the server localhost:8080 was refused - did you specify the right host or port?",
        69,
        "KUBECONFIG",
    ),
    (
        f"Unable to connect to the server: {POST}proxyconnect tcp: dial tcp 10.0.0.9:3128: connect: connection refused",
        69,
        "NO_PROXY",
    ),
    (
        "Unable to connect to the server: dial tcp: lookup k8s.example on 10.0.0.2:53: no such host",
        69,
        "kubectl cluster-info",
    ),
    (
        "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?",
        69,
        "kubectl cluster-info",
    ),
]
EXITS = {69: EngineError, 75: TryLaterError, 77: RefusedError, 78: ConfigError}


@pytest.mark.parametrize(("said", "exit_code", "advice"), FAILURES)
def test_each_failure_has_its_advice(said, exit_code, advice):
    """By the server's own words: what kind of failure it is, what it said, and what to do about it."""
    error = kubectl.failure(done(1, stderr=said.encode()), PLACE)

    assert type(error) is EXITS[exit_code]
    assert advice in str(error)
    assert said.split("\n")[0][:60] in str(error)
    assert "Please review" not in str(error)
    assert ("can-i" in str(error)) is ("cannot " in said)


def test_every_row_is_reached():
    """No row of the table is hidden behind another, and each but the one for odd words has an example."""
    rows = kubectl.MEANINGS
    hit = {
        next(
            number for number, row in enumerate(rows) if re.search(row.said, " ".join(said.split()))
        )
        for said, _, _ in FAILURES
    }

    assert {rows[number].said for number in range(len(rows)) if number not in hit} == {
        "(?i)forbidden"
    }


def test_a_step_has_the_same_door():
    """A step that fails is told in the same words, with the right that it needs."""
    (apply,) = kubernetes.stage([change(Verb.CREATE)], None, THERE, "user")
    (delete,) = kubernetes.stage([change(Verb.DELETE)], None, THERE, "user")
    said = done(1, stderr=b"error: forbidden")

    assert "can-i patch" in str(apply.meaning(said))
    assert "can-i delete" in str(delete.meaning(said))
    assert isinstance(delete.meaning(said), RefusedError)


def test_advice_leads_to_the_same_cluster():
    """What is to be typed names the context, which need not be the current one."""
    cluster = ClusterTarget(context="prod", namespace="rates")
    said = done(1, stderr=b"Error from server: exceeded quota: small")

    assert "`kubectl describe quota -n rates --context=prod`" in str(kubectl.failure(said, cluster))


def test_a_failure_of_three_hundred_objects():
    """However many objects are refused, a few lines are shown and the others counted."""
    why = "ValidatingAdmissionPolicy 'p' denied request: " + "because " * 200
    lines = "\n".join(DENIED.replace("ratectl-a", f"ratectl-job-{n}") + why for n in range(300))

    text = str(kubectl.failure(done(1, stderr=lines.encode()), PLACE))

    assert len(text) < 1500
    assert "(and 299 more like that)" in text


# Where a place is

CONFIG = {
    "current-context": "two",
    "contexts": [
        {"name": "one", "context": {"cluster": "a"}},
        {"name": "two", "context": {"cluster": "b"}},
    ],
    "clusters": [
        {"name": "a", "cluster": {"server": "https://a"}},
        {"name": "b", "cluster": {"server": "https://b"}},
    ],
}


@pytest.mark.parametrize(
    ("place", "context", "server"),
    [
        (ClusterTarget(context="", namespace="x"), "two", "https://b"),
        (ClusterTarget(context="one", namespace="x"), "one", "https://a"),
        (ClusterTarget(context="gone", namespace="x", server="https://a"), "one", "https://a"),
        (ClusterTarget(context="two", namespace="x", server="https://a"), "one", "https://a"),
    ],
)
def test_a_place_is_a_server(place, context, server):
    """A recorded server is found under whatever context leads there now."""
    found = kubernetes.located(Cluster(done(stdout=json.dumps(CONFIG).encode())), place)

    assert (found.context, found.server) == (context, server)


@pytest.mark.parametrize(
    ("place", "kind", "told"),
    [
        (
            ClusterTarget(context="three", namespace="x"),
            ConfigError,
            'context "three" does not exist',
        ),
        (
            ClusterTarget(context="one", namespace="x", server="https://c"),
            EngineError,
            "leads to https://c, where the jobs stand; .* `ratectl remove JOB --forget`",
        ),
    ],
)
def test_no_way_to_a_place(place, kind, told):
    """Where no context leads there, that is said."""
    with pytest.raises(kind, match=told):
        kubernetes.located(Cluster(done(stdout=json.dumps(CONFIG).encode())), place)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://API.Example", "https://api.example", True),
        ("https://api.example/", "https://api.example", True),
        ("https://api.example:443", "https://api.example/", True),
        ("http://api.example:80/", "HTTP://api.example", True),
        ("https://[2001:DB8::1]:443", "https://[2001:db8::1]", True),
        ("https://api.example/k8s/Clusters/C-1/", "https://API.example:443/k8s/Clusters/C-1", True),
        ("10.0.0.1:6443/", "10.0.0.1:6443", True),
        ("https://api.example:6443", "https://api.example", False),
        ("https://api.example:80", "https://api.example", False),
        ("http://api.example", "https://api.example", False),
        ("https://api.example/k8s/clusters/c-1", "https://api.example/k8s/clusters/C-1", False),
        ("", "https://api.example", False),
    ],
)
def test_one_server_has_one_url(one, other, same):
    """Case of the host, a last slash and the scheme's own port make no other place."""
    assert (kubectl.server_url(one) == kubectl.server_url(other)) is same


def test_in_a_pod():
    """Without any kubeconfig, as in a pod, kubectl knows its cluster by itself."""
    empty = {"contexts": None, "clusters": None, "current-context": ""}

    found = kubernetes.located(Cluster(done(stdout=json.dumps(empty).encode())), PLACE)

    assert (found.context, found.server) == ("", "")


def test_differences_are_short():
    """Three fields are named, with what is there and what ought to be; the others are counted."""
    held = live(job(), schedule="0 0 * * *", timeZone="Etc/UTC", concurrencyPolicy="Allow")
    held["spec"]["failedJobsHistoryLimit"] = 1
    entry = kubernetes.inspect(Cluster(listed(held)), THERE, "user").entries["usd-inr"]
    inside = in_a_cluster(job())
    wanted = kubernetes.render(inside, kubernetes.check(inside, ZONE), THERE, "user")

    told = differences.in_words(wanted, entry.artefacts)

    assert told.startswith('spec.schedule is "0 0 * * *", and not "30 10 * * *"; spec.timeZone is')
    assert told.endswith("; and 1 more")


def test_a_long_text_differs_somewhere():
    """Of a long text such as the snapshot the place is shown where it differs."""
    held = live(job())
    container = held["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    container["args"][2] = container["args"][2].replace('"timeout":90', '"timeout":91')
    entry = kubernetes.inspect(Cluster(listed(held)), THERE, "user").entries["usd-inr"]
    inside = in_a_cluster(job())
    wanted = kubernetes.render(inside, kubernetes.check(inside, ZONE), THERE, "user")

    told = differences.in_words(wanted, entry.artefacts)

    assert "containers[ratectl-fetch].args[2] is" in told
    assert "91" in told
    assert len(told) < 300
