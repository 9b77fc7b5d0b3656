"""An API server that knows CronJobs in namespaces, server-side apply and who owns which field.

It answers what kubectl asks for them, as the real server was seen to, and nothing else: a request
that it does not know is kept in ``unknown``, which a test must find empty.
"""

from __future__ import annotations

import copy
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import yaml

GROUP = "/apis/batch/v1"
ROOT = ["apis", "batch", "v1", "namespaces"]
DEFAULTS = {"suspend": False}
"""What the server fills into a spec that does not say it."""
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
DISCOVERY = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []},
    "/apis": {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [
            {
                "name": "batch",
                "versions": [{"groupVersion": "batch/v1", "version": "v1"}],
                "preferredVersion": {"groupVersion": "batch/v1", "version": "v1"},
            }
        ],
    },
    GROUP: {
        "kind": "APIResourceList",
        "groupVersion": "batch/v1",
        "resources": [
            {"name": "cronjobs", "namespaced": True, "kind": "CronJob", "verbs": VERBS},
        ],
    },
    "/openapi/v3": {"paths": {"apis/batch/v1": {"serverRelativeURL": f"/openapi/v3{GROUP}?h=1"}}},
    f"/openapi/v3{GROUP}": OPENAPI,
}


class RefusedError(Exception):
    """The server says no, with this code, reason and text."""

    def __init__(self, code, reason, message, **details):
        super().__init__(message)
        self.code, self.reason, self.message, self.details = code, reason, message, details


def leaves(value, path=()):
    """Yield each field of *value* that is no object, with its path; a list is one field."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    else:
        yield path, value


class Objects:
    """The CronJobs of a cluster, by namespace and name, and the managers of each of their fields."""

    def __init__(self, *namespaces):
        self.namespaces = set(namespaces)
        self.live = {}
        self.owners = {}
        self.version = 0

    def apply(self, key, wanted, manager, *, force=False, dry_run=False):
        """Set what *wanted* says as *manager*, and drop what the manager said before and says no more."""
        namespace, name = key
        if namespace not in self.namespaces:
            raise RefusedError(404, "NotFound", f'namespaces "{namespace}" not found')
        if (wanted["metadata"]["name"], wanted["metadata"].get("namespace")) != (name, namespace):
            raise RefusedError(400, "BadRequest", "the name of the object does not match the URL")
        before = self.live.get(key)
        fields = {path: value for path, value in leaves(wanted) if path[0] in {"metadata", "spec"}}
        owners = {path: set(who) for path, who in self.owners.get(key, {}).items()}
        held = dict(leaves(before)) if before else {}
        fought = {
            path: owners[path] - {manager}
            for path, value in fields.items()
            if path in held and held[path] != value and owners.get(path, set()) - {manager}
        }
        if fought and not force:
            raise conflict(fought)
        result = copy.deepcopy(before) if before else {}
        for path in [p for p, who in owners.items() if who == {manager} and p not in fields]:
            drop(result, path)
            del owners[path]
        for path, value in fields.items():
            put(result, path, value)
            others = set() if path in fought else owners.get(path, set())
            owners[path] = others | {manager}
        if dry_run:
            return self._shown(result)
        if before != result:
            self.version += 1
            result["metadata"]["resourceVersion"] = str(self.version)
            owners.pop(("metadata", "resourceVersion"), None)
        self.live[key], self.owners[key] = result, owners
        return self._shown(result)

    def edit(self, key, path, value, manager="kubectl-edit"):
        """Do as somebody who changes a field by hand, and so takes it over."""
        put(self.live[key], path, value)
        self.owners[key][path] = {manager}

    def get(self, key):
        """Return one object."""
        if key not in self.live:
            raise RefusedError(404, "NotFound", f'cronjobs.batch "{key[1]}" not found')
        return self._shown(self.live[key])

    def delete(self, key):
        """Forget one object."""
        self.get(key)
        del self.live[key], self.owners[key]

    def listed(self, namespace, labels, name):
        """Return the objects of *namespace* that have *labels*, and *name* where one is asked for."""
        return [
            self.get(key)
            for key, found in sorted(self.live.items())
            if key[0] == namespace
            and name in {"", key[1]}
            and labels.items() <= found["metadata"].get("labels", {}).items()
        ]

    @staticmethod
    def _shown(found):
        whole = copy.deepcopy(found) | {"apiVersion": "batch/v1", "kind": "CronJob", "status": {}}
        whole["spec"] = DEFAULTS | whole["spec"]
        return whole


def conflict(fought):
    """Return the refusal for fields that others have set."""
    lines = [
        f'conflict with "{" and ".join(sorted(who))}" using batch/v1: .{".".join(map(str, path))}'
        for path, who in fought.items()
    ]
    count = f"{len(lines)} conflict{'' if len(lines) == 1 else 's'}"
    causes = [{"reason": "FieldManagerConflict", "message": line} for line in lines]
    return RefusedError(
        409, "Conflict", f"Apply failed with {count}: {'; '.join(lines)}", causes=causes
    )


def put(value, path, leaf):
    for key in path[:-1]:
        value = value.setdefault(key, {})
    value[path[-1]] = copy.deepcopy(leaf)


def drop(value, path):
    for key in path[:-1]:
        value = value.get(key, {})
    value.pop(path[-1], None)


class ApiServer:
    """:class:`Objects` on a port of loopback; a context manager."""

    def __init__(self, *namespaces):
        self.objects = Objects(*namespaces)
        self.forbidden = set()
        """Methods that nobody may use."""
        self.slow = 0.0
        """Seconds before an answer."""
        self.warnings = []
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
        words = path.strip("/").split("/")
        if words[:4] == ROOT and words[5:6] == ["cronjobs"] and len(words) in {6, 7}:
            if method in self.forbidden:
                raise RefusedError(
                    403, "Forbidden", f'cronjobs.batch is forbidden: User "ada" cannot {method}'
                )
            return self._cron_jobs(method, words[4], words[6:], query, kind, body)
        self.unknown.append((method, path, query))
        raise RefusedError(404, "NotFound", "the server could not find the requested resource")

    def _cron_jobs(self, method, namespace, name, query, kind, body):
        if method == "GET" and not name:
            labels = dict(
                pair.split("=") for pair in query.get("labelSelector", "").split(",") if pair
            )
            chosen = query.get("fieldSelector", "").removeprefix("metadata.name=")
            items = self.objects.listed(namespace, labels, chosen)
            return {
                "kind": "CronJobList",
                "apiVersion": "batch/v1",
                "metadata": {"resourceVersion": str(self.objects.version)},
                "items": items,
            }
        key = (namespace, *name)
        if method == "GET":
            return self.objects.get(key)
        if method == "DELETE" and name:
            self.objects.delete(key)
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
        self.unknown.append((method, key, query))
        raise RefusedError(400, "BadRequest", "the stub does not know that")
