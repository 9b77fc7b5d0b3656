"""An API server that knows CronJobs in namespaces, server-side apply and who owns which field.

It merges lists by their keys, keeps managedFields, fills in defaults and lets a policy add to what is
applied; it answers what kubectl asks for CronJobs, Jobs, pods and events as the real server was seen to,
and nothing else: a request that it does not know is kept in ``unknown``, which a test must find empty.
"""

from __future__ import annotations

import copy
import datetime as dt
import itertools
import json
import re
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import yaml

GROUP = "/apis/batch/v1"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
VERBS = ["create", "delete", "get", "list", "patch", "watch"]
KIND = {"group": "batch", "kind": "CronJob", "version": "v1"}
OPENAPI = {
    "openapi": "3.0.0",
    "info": {"title": "Kubernetes", "version": "v1.36.2"},
    "paths": {
        f"{GROUP}/namespaces/{{namespace}}/cronjobs/{{name}}": {
            "patch": {
                "parameters": [{"name": "fieldValidation", "in": "query"}],
                "x-kubernetes-group-version-kind": KIND,
            }
        }
    },
}
"""Without the parameter kubectl would download all schemas and validate by itself."""


def group(name):
    version = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"name": name, "versions": [version], "preferredVersion": version}


def resources(version, **kinds):
    """Return what a group tells of its *kinds*."""
    rows = [
        {
            "name": name,
            "namespaced": name != "selfsubjectaccessreviews",
            "kind": kind,
            "verbs": VERBS,
        }
        for name, kind in kinds.items()
    ]
    return {"kind": "APIResourceList", "groupVersion": version, "resources": rows}


DISCOVERY = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": resources("v1", pods="Pod", events="Event", secrets="Secret"),
    "/apis": {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [group("batch"), group("authorization.k8s.io")],
    },
    GROUP: resources("batch/v1", cronjobs="CronJob", jobs="Job"),
    "/apis/authorization.k8s.io/v1": resources(
        "authorization.k8s.io/v1", selfsubjectaccessreviews="SelfSubjectAccessReview"
    ),
    "/openapi/v3": {"paths": {"apis/batch/v1": {"serverRelativeURL": f"/openapi/v3{GROUP}?h=1"}}},
    f"/openapi/v3{GROUP}": OPENAPI,
}
LIST_KEYS = {
    "containers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
}
"""The lists of a pod that are merged by a key; every other one is a single field."""
ATOMIC = {"fieldRef", "secretKeyRef", "configMapKeyRef", "nodeSelector"}
"""Objects that are a single field."""
POD = ("spec", "jobTemplate", "spec", "template", "spec")
CONTAINER = (*POD, "containers", ("name", "ratectl-fetch"))
POD_DEFAULTS = {
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
}
CONTAINER_DEFAULTS = {
    "imagePullPolicy": "IfNotPresent",
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}


class RefusedError(Exception):
    """The server says no, with this code, reason and text."""

    def __init__(self, code, reason, message, **details):
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details


def leaves(value, path=()):
    """Yield each field of *value* with its path, in which ``(key, value)`` is an item of a merged list."""
    key = LIST_KEYS.get(path[-1]) if path and isinstance(path[-1], str) else None
    if isinstance(value, dict) and value and path[-1:] not in {(name,) for name in ATOMIC}:
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif key and isinstance(value, list):
        for item in value:
            yield from leaves(item, (*path, (key, item[key])))
    else:
        yield path, value


def at(value, path):
    """Return what stands in *value* at *path*; None where nothing does."""
    for step in path:
        if value is None:
            return None
        if isinstance(step, tuple):
            value = next((item for item in value if item[step[0]] == step[1]), None)
        else:
            value = value.get(step)
    return value


def put(value, path, leaf):
    """Set *leaf* at *path*, and make what is missing on the way."""
    for step, following in itertools.pairwise(path):
        if isinstance(step, tuple):
            found = next((item for item in value if item[step[0]] == step[1]), None)
            if found is None:
                found = {step[0]: step[1]}
                value.append(found)
            value = found
        else:
            value = value.setdefault(step, [] if isinstance(following, tuple) else {})
    value[path[-1]] = copy.deepcopy(leaf)


def drop(value, path):
    """Take out what stands at *path*, and what is empty without it."""
    parent = at(value, path[:-1])
    step = path[-1]
    if parent is None:
        return
    if isinstance(step, tuple):
        parent[:] = [item for item in parent if item and item.get(step[0]) != step[1]]
    else:
        parent.pop(step, None)
    item = path[-2] if isinstance(step, str) and path[1:] else None
    if isinstance(item, tuple):
        if set(parent) <= {item[0]}:
            drop(value, path[:-1])
        else:
            parent[item[0]] = item[1]  # an item keeps its key as long as it says anything
    elif not parent and path[:-1]:
        drop(value, path[:-1])


def spelled(path):
    """Return *path* as the server writes it."""
    return "".join(
        f'[{step[0]}="{step[1]}"]' if isinstance(step, tuple) else f".{step}" for step in path
    )


def fields_v1(paths):
    """Return *paths* as managedFields has them."""
    found = {}
    for path in paths:
        inner = found
        for step in path:
            keyed = isinstance(step, tuple)
            name = f"k:{json.dumps(dict([step]), separators=(',', ':'))}" if keyed else f"f:{step}"
            inner = inner.setdefault(name, {".": {}} if keyed else {})
    return found


def merged(live, patch, path=()):
    """Return *live* after a strategic merge with *patch*."""
    if isinstance(patch, dict) and isinstance(live, dict):
        result = dict(live)
        for name, inner in patch.items():
            if name.startswith("$"):
                continue
            if inner is None:
                result.pop(name, None)
            else:
                result[name] = merged(live.get(name), inner, (*path, name))
        return result
    key = LIST_KEYS.get(path[-1]) if path else None
    if key and isinstance(patch, list):
        items = {item[key]: item for item in live or []}
        for item in patch:
            if item.get("$patch") == "delete":
                items.pop(item[key], None)
            else:
                items[item[key]] = merged(items.get(item[key]), item)
        return list(items.values())
    return copy.deepcopy(patch)


def defaulted(cron_job):
    """Fill in what the server does where nobody says it."""
    cron_job["spec"].setdefault("suspend", False)
    pod = at(cron_job, POD)
    for name, value in POD_DEFAULTS.items() if pod else ():
        pod.setdefault(name, value)
    for container in (pod or {}).get("containers", ()):
        for name, value in CONTAINER_DEFAULTS.items():
            container.setdefault(name, value)
        for variable in container.get("env", ()):
            if reference := variable.get("valueFrom", {}).get("fieldRef"):
                reference.setdefault("apiVersion", "v1")


def validate(name, cron_job):
    """Refuse what the server does."""
    if "schedule" not in cron_job.get("spec", {}):
        raise invalid(name, "spec.schedule: Required value")
    containers = (at(cron_job, POD) or {}).get("containers", ())
    for number, variable in enumerate(containers[0].get("env", ()) if containers else ()):
        if variable.get("value") and "valueFrom" in variable:
            place = f"spec.jobTemplate.spec.template.spec.containers[0].env[{number}].valueFrom"
            why = 'Invalid value: "": may not be specified when `value` is not empty'
            raise invalid(name, f"{place}: {why}")


def invalid(name, why):
    return RefusedError(422, "Invalid", f'CronJob.batch "{name}" is invalid: {why}')


PROTOBUF = b"k8s\0"
"""What a body begins with that kubectl sends for kinds that it knows itself; the object is its second field."""


def inside(body, *fields):
    """Return the bytes of a field of a field ... of the object that a Protobuf *body* holds."""
    assert body.startswith(PROTOBUF), body[:40]
    found = body.removeprefix(PROTOBUF)
    for wanted in (2, *fields):
        found = dict(fields_of(found)).get(wanted, b"")
    return found


def fields_of(message):
    """Yield the fields of a Protobuf *message* that have a length, by number; the last of each counts."""
    place = 0

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(message):
        number, kind = divmod(varint(), 8)
        assert kind in {0, 2}, kind
        value = varint()
        if kind == 2:
            yield number, message[place : place + value]
            place += value


class Objects:
    """The CronJobs of a cluster, by namespace and name, and the managers of each of their fields."""

    def __init__(self, *namespaces):
        self.namespaces = set(namespaces)
        self.live = {}
        self.owners = {}
        self.operations = {}
        """How each manager came to own anything: Apply or Update."""
        self.status = {}
        """What the controller tells of each."""
        self.policies = []
        """What a mutating admission policy does to everything that is written."""
        self.version = 0

    def apply(self, key, wanted, manager, *, force=False, dry_run=False):
        """Set what *wanted* says as *manager*, and drop what the manager said before and says no more."""
        namespace, name = key
        self._namespace(namespace)
        if (wanted["metadata"]["name"], wanted["metadata"].get("namespace")) != (name, namespace):
            raise RefusedError(400, "BadRequest", "the name of the object does not match the URL")
        before = self.live.get(key)
        fields = {path: value for path, value in leaves(wanted) if path[0] in {"metadata", "spec"}}
        owners = {path: set(who) for path, who in self.owners.get(key, {}).items()}
        fought = {
            path: owners[path] - {manager}
            for path, value in fields.items()
            if before and at(before, path) not in (None, value)
            if owners.get(path, set()) - {manager}
        }
        if fought and not force:
            raise conflict(fought)
        result = copy.deepcopy(before) if before else {}
        for path in [p for p, who in owners.items() if manager in who and p not in fields]:
            owners[path] -= {manager}
            if not owners[path]:
                drop(result, path)
                del owners[path]
        for path, value in fields.items():
            put(result, path, value)
            others = set() if path in fought else owners.get(path, set())
            owners[path] = others | {manager}
        return self._keep(key, result, owners, manager, "Apply", dry_run=dry_run)

    def update(self, key, result, manager):
        """Make an object *result* as *manager*, who takes over every field that changes."""
        before = dict(leaves(self.live[key]))
        after = dict(leaves(result))
        owners = {path: set(who) for path, who in self.owners[key].items() if path in after}
        for path, value in after.items():
            if path[0] in {"metadata", "spec"} and before.get(path) != value:
                owners[path] = {manager}
        return self._keep(key, result, owners, manager, "Update")

    def plainly(self, key, wanted, manager="kubectl-client-side-apply"):
        """Make an object as a client does that sends the whole of it, defaults and all being its own."""
        result = copy.deepcopy(wanted)
        defaulted(result)
        owned = {path for path, _ in leaves(result) if path[0] in {"metadata", "spec"}}
        return self._keep(key, result, {path: {manager} for path in owned}, manager, "Update")

    def edit(self, key, path, value, manager="kubectl-edit"):
        """Do as somebody who changes a field by hand, and so takes it over."""
        result = copy.deepcopy(self.live[key])
        put(result, path, value)
        self.update(key, result, manager)

    def set_env(self, key, name, value, manager="kubectl-set"):
        """Do as ``kubectl set env`` does."""
        place = (*CONTAINER, "env", ("name", name))
        result = copy.deepcopy(self.live[key])
        put(result, (*place, "value"), value)
        at(result, place).pop("valueFrom", None)
        self.update(key, result, manager)

    def get(self, key):
        """Return one object."""
        if key not in self.live:
            raise RefusedError(404, "NotFound", f'cronjobs.batch "{key[1]}" not found')
        return self._shown(key, self.live[key], self.owners[key])

    def delete(self, key, *, dry_run=False):
        """Forget one object."""
        self.get(key)
        if not dry_run:
            del self.live[key], self.owners[key]
            self.status.pop(key, None)

    def listed(self, namespace, labels, name):
        """Return the objects of *namespace* that have *labels*, and *name* where one is asked for."""
        return [
            self.get(key)
            for key, found in sorted(self.live.items())
            if key[0] == namespace
            and name in {"", key[1]}
            and labels.items() <= found["metadata"].get("labels", {}).items()
        ]

    def _namespace(self, namespace):
        if namespace not in self.namespaces:
            raise RefusedError(404, "NotFound", f'namespaces "{namespace}" not found')

    def _keep(self, key, result, owners, manager, operation, *, dry_run=False):
        before = self.live.get(key)
        for policy in self.policies:
            policy(result)
        validate(key[1], result)
        defaulted(result)
        if dry_run:
            return self._shown(key, result, owners)
        if before is None:
            now = dt.datetime.now(dt.UTC).replace(microsecond=0, tzinfo=None)
            result["metadata"]["creationTimestamp"] = f"{now.isoformat()}Z"
            result["metadata"]["uid"] = f"uid-{self.version}"
        if before != result:
            self.version += 1
            result["metadata"]["resourceVersion"] = str(self.version)
        self.live[key], self.owners[key] = result, owners
        self.operations.setdefault(key, {})[manager] = operation
        return self.get(key)

    def _shown(self, key, found, owners):
        whole = copy.deepcopy(found) | {"apiVersion": "batch/v1", "kind": "CronJob"}
        whole["status"] = copy.deepcopy(self.status.get(key, {}))
        managers = defaultdict(list)
        for path, who in owners.items():
            for manager in who:
                managers[manager].append(path)
        whole["metadata"]["managedFields"] = [
            {
                "manager": manager,
                "operation": self.operations.get(key, {}).get(manager, "Apply"),
                "apiVersion": "batch/v1",
                "fieldsType": "FieldsV1",
                "fieldsV1": fields_v1(paths),
            }
            for manager, paths in sorted(managers.items())
        ]
        return whole


def conflict(fought):
    """Return the refusal for fields that others have set."""
    by = {path: f'"{" and ".join(sorted(who))}" using batch/v1' for path, who in fought.items()}
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f"conflict with {who}",
            "field": spelled(path),
        }
        for path, who in by.items()
    ]
    if len(by) == 1:
        [(path, who)] = by.items()
        told = f"Apply failed with 1 conflict: conflict with {who}: {spelled(path)}"
    else:
        managers = {who: [spelled(p) for p, w in by.items() if w == who] for who in by.values()}
        lines = [
            line
            for who, paths in sorted(managers.items())
            for line in (f"conflicts with {who}:", *(f"- {p}" for p in paths))
        ]
        told = f"Apply failed with {len(by)} conflicts: {chr(10).join(lines)}"
    return RefusedError(409, "Conflict", told, causes=causes)


class ApiServer:
    """:class:`Objects` on a port of loopback; a context manager."""

    def __init__(self, *namespaces):
        self.objects = Objects(*namespaces)
        self.forbidden = set()
        """Methods, or verbs with a resource such as ("list", "pods"), that nobody may use."""
        self.refusals = {}
        """By method: what is said to whatever is asked of CronJobs."""
        self.slow = 0.0
        """Seconds before an answer."""
        self.warnings = []
        self.jobs, self.pods, self.events = [], [], []
        """What the controllers made of CronJobs, as it is listed."""
        self.secrets = None
        """Names of those that there are; None: nobody may look."""
        self.unknown = []
        self.requests = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_args):
                """Say nothing."""

            def _do(self):
                server.handle(self)

            do_GET = do_PATCH = do_DELETE = do_POST = do_PUT = _do  # noqa: N815 - the library's names

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()

    def handle(self, request):
        """Answer one request."""
        length = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(length)
        parts = urlsplit(request.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.requests.append((request.command, parts.path, query))
        time.sleep(self.slow)
        try:
            kind = request.headers.get("Content-Type", "")
            code, answer = 200, self.answer(request.command, parts.path, query, kind, body)
        except RefusedError as error:
            code = error.code
            answer = {
                "kind": "Status",
                "apiVersion": "v1",
                "status": "Failure",
                "message": error.message,
                "reason": error.reason,
                "details": error.details,
                "code": code,
            }
        data = json.dumps(answer).encode()
        request.send_response(code)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(data)))
        if request.command == "PATCH":
            for text in self.warnings:
                request.send_header("Warning", f'299 - "{text}"')
        request.end_headers()
        request.wfile.write(data)

    def answer(self, method, path, query, kind, body):
        """Return what is said to one request, or raise the refusal."""
        if method == "GET" and path in DISCOVERY:
            return DISCOVERY[path]
        if (method, path) == ("POST", REVIEWS):
            return self._review(body)
        match = re.fullmatch(
            r"/(?:api|apis/batch)/v1/namespaces/([^/]+)/([a-z]+)(?:/([^/]+))?", path
        )
        if match and match[2] in {"cronjobs", "jobs", "pods", "events", "secrets"}:
            namespace, resource, name = match[1], match[2], match[3] or ""
            self._authorise(method, namespace, resource, name)
            if resource == "cronjobs":
                return self._cron_jobs(method, namespace, name, query, kind, body)
            return self._others(method, namespace, resource, name, query, body)
        if method == "GET" and path.startswith("/api/v1/namespaces/"):
            return self._namespace(path.rpartition("/")[2])
        self.unknown.append((method, path, query))
        raise RefusedError(404, "NotFound", "the server could not find the requested resource")

    def _namespace(self, name):
        if name not in self.objects.namespaces:
            raise RefusedError(404, "NotFound", f'namespaces "{name}" not found')
        return {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}}

    def _authorise(self, method, namespace, resource, name):
        verb = {"GET": "get" if name else "list", "POST": "create"}.get(method, method.lower())
        there = (namespace, name) in self.objects.live
        verbs = {verb} if method != "PATCH" or there else {verb, "create"}
        for one in sorted(verbs):
            if method in self.forbidden or (one, resource) in self.forbidden:
                group_name = "" if resource in {"pods", "events", "secrets"} else "batch"
                what = f"{resource}.{group_name}".rstrip(".") + (f' "{name}"' if name else "")
                raise RefusedError(
                    403,
                    "Forbidden",
                    f'{what} is forbidden: User "ada" cannot {one} resource "{resource}" '
                    f'in API group "{group_name}" in the namespace "{namespace}"',
                )
        if resource == "cronjobs" and method in self.refusals:
            raise self.refusals[method]

    def _review(self, body):
        _namespace, verb, _group, _version, resource = (
            inside(body, 2, 1, number).decode() for number in range(1, 6)
        )
        return {
            "kind": "SelfSubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "spec": {"resourceAttributes": {"verb": verb, "resource": resource}},
            "status": {"allowed": (verb, resource) not in self.forbidden},
        }

    def _cron_jobs(self, method, namespace, name, query, kind, body):
        if method == "GET" and not name:
            chosen = query.get("fieldSelector", "").removeprefix("metadata.name=")
            return self._list(
                "CronJobList", self.objects.listed(namespace, selected(query), chosen)
            )
        key = (namespace, name)
        if method == "GET":
            return self.objects.get(key)
        if method == "DELETE" and name:
            self.objects.delete(key, dry_run="dryRun" in (json.loads(body) if body else {}))
            return {"kind": "Status", "apiVersion": "v1", "status": "Success"}
        known = {"fieldManager", "fieldValidation", "force", "dryRun", "timeout"}
        asked = set(query) <= known and query.get("dryRun", "All") == "All"
        strict = query.get("fieldValidation") == "Strict"
        if method == "PATCH" and kind == "application/apply-patch+yaml" and strict and asked:
            return self.objects.apply(
                key,
                yaml.safe_load(body),
                query["fieldManager"],
                force=query.get("force") == "true",
                dry_run="dryRun" in query,
            )
        if method == "PATCH" and kind == "application/strategic-merge-patch+json" and asked:
            result = merged(self.objects.live[key], json.loads(body))
            return self.objects.update(key, result, query["fieldManager"])
        self.unknown.append((method, key, query))
        raise RefusedError(400, "BadRequest", "the stub does not know that")

    def _others(self, method, namespace, resource, name, query, body):
        if method == "GET" and not name and resource != "secrets":
            items = [
                item
                for item in getattr(self, resource)
                if item["metadata"].get("namespace", namespace) == namespace
                and selected(query).items() <= item["metadata"].get("labels", {}).items()
            ]
            return self._list(f"{resource.title().removesuffix('s')}List", items)
        if method == "POST" and resource == "jobs":
            metadata = {"name": inside(body, 1, 1).decode(), "namespace": namespace}
            job = {"kind": "Job", "apiVersion": "batch/v1", "metadata": metadata}
            self.jobs.append(job)
            return job
        if (method, resource) == ("GET", "secrets") and name and self.secrets is None:
            self.forbidden.add(("get", "secrets"))
            self._authorise(method, namespace, resource, name)
        if (method, resource) == ("GET", "secrets") and name in self.secrets:
            return {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": name}}
        if (method, resource) == ("GET", "secrets") and name:
            raise RefusedError(404, "NotFound", f'secrets "{name}" not found')
        self.unknown.append((method, resource, query))
        raise RefusedError(400, "BadRequest", "the stub does not know that")

    def _list(self, kind, items):
        version = "v1" if kind in {"PodList", "EventList"} else "batch/v1"
        return {
            "kind": kind,
            "apiVersion": version,
            "metadata": {"resourceVersion": str(self.objects.version)},
            "items": items,
        }


def selected(query):
    """Return the labels that a list is asked for."""
    return dict(pair.split("=") for pair in query.get("labelSelector", "").split(",") if pair)
