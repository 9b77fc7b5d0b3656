"""What kubectl is called with, and what its answers mean to a person: the one door for its failures.

Its exit code is 1 for nearly everything, so an error is told by the words of the server, which are shown
as they came, shortened, with what to do next.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from ratectl.backends.steps import console_text
from ratectl.errors import ConfigError, EngineError, RatectlError, RefusedError, TryLaterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ratectl.backends.host import ClusterTarget
    from ratectl.backends.reader import Reader
    from ratectl.backends.steps import Completed

PATIENCE = 10
"""Seconds that one request to the server may take; kubectl asks up to five times."""
ABSENT = (
    "kubernetes: there is no `kubectl` program on the PATH; install it "
    "(https://kubernetes.io/docs/tasks/tools/), or choose another --backend"
)
KIND = "cronjobs.batch"
RIGHTS = ("list", "create", "patch", "delete")
"""The least that one must be allowed to do with CronJobs."""
COMPLAINTS = 3
"""Of several objects with different faults, how many are shown."""
LONGEST = 500
"""Characters of one complaint."""


def argv(cluster: ClusterTarget, *words: str) -> tuple[str, ...]:
    """Return the command line of kubectl that does *words* at *cluster*."""
    where = f"--namespace={cluster.namespace}"
    return ("kubectl", *_context(cluster), where, f"--request-timeout={PATIENCE}s", *words)


def typed(cluster: ClusterTarget, *words: str) -> tuple[str, ...]:
    """Return the command line that a person types to do *words* at *cluster*."""
    return ("kubectl", *words, "-n", cluster.namespace, *_context(cluster))


def _context(cluster: ClusterTarget) -> tuple[str, ...]:
    return (f"--context={cluster.context}",) if cluster.context else ()


def described(cluster: ClusterTarget) -> str:
    """Return *cluster* as a person calls it."""
    context = f" of context {cluster.context}" if cluster.context else ""
    return f"namespace {cluster.namespace}{context}"


def warnings(answer: Completed) -> tuple[str, ...]:
    """Return what the server warned of."""
    lines = console_text(answer.stderr).splitlines()
    warned = (
        line.removeprefix("Warning:").strip() for line in lines if line.startswith("Warning:")
    )
    return tuple(f"kubernetes: the server warns: {text}" for text in dict.fromkeys(warned))


class Meaning(NamedTuple):
    """What a server or kubectl says, what kind of failure that is, and what to do next."""

    said: str
    """A regular expression; its named groups stand in the advice."""
    kind: type[RatectlError]
    advice: str
    """In which {there} ends a command with namespace and context, and {context} with the latter alone."""
    command: str = ""
    """What to type, for a program; by default the first command that the advice has."""
    otherwise: str = ""
    """What to do next where the spec has no part in it, as in a removal; empty where that is the same."""


MEANINGS: tuple[Meaning, ...] = (
    Meaning(
        r"conflicts? with \"",
        EngineError,
        "somebody else set these fields: take that into the spec, or `ratectl install --force-conflicts` takes them back",
    ),
    Meaning(
        r"CronJob\S* \"(?P<name>[^\"]+)\" is invalid: .*env\[\d+\]\.valueFrom.*may not be specified when `value`",
        EngineError,
        "somebody gave a variable a value of its own, `ratectl list` names it: `kubectl set env cronjob/{name} {variables}{there}` takes it out, then install again",
    ),
    Meaning(
        r"exceeded quota",
        RefusedError,
        "`kubectl describe quota{there}` shows what is used, and whoever runs the cluster can allow more",
    ),
    Meaning(
        r"being terminated",
        EngineError,
        "the namespace is being deleted: `kubectl get namespace {namespace}{context}` tells when it is gone, then make it anew or name another one",
    ),
    Meaning(
        r"failed quota:",
        RefusedError,
        "`kubectl describe quota{there}` shows what it demands, and whoever runs the cluster can change it",
    ),
    Meaning(
        r"failed calling webhook",
        EngineError,
        "a webhook of the cluster, which must agree to every change, does not answer: whoever runs the cluster can mend that",
    ),
    Meaning(
        r"denied (?:the )?request|violates PodSecurity|admission webhook|ValidatingAdmissionPolicy",
        RefusedError,
        "a policy of the cluster does not allow it, which is no right that you lack: change what it names in the spec, or ask whoever runs the cluster",
        otherwise="a policy of the cluster does not allow it, which is no right that you lack: ask whoever runs the cluster",
    ),
    Meaning(
        r"Please enter (?:Username|Password)|Unauthorized|must be logged in|provide credentials|invalid_grant|token (?:has|is) expired"
        r"|executable \S+ failed with exit code",
        RefusedError,
        "your login has ended or is none: log in again, as for any other kubectl, and `kubectl get cronjobs{there}` works",
        command="kubectl get cronjobs{there}  # log in again first",
    ),
    Meaning(
        r"executable (?:file )?\S+ not found|executable file not found",
        EngineError,
        "the program by which your kubeconfig logs in is missing: install it, and `kubectl get cronjobs{there}` works",
    ),
    Meaning(
        r"cannot (?P<verb>[a-z]+) resource \"(?P<resource>[a-z]+)\" in API group \"(?P<group>[a-z.]*)\"",
        RefusedError,
        "`kubectl auth can-i {verb} {whole}{there}` tells whether you have the right; `ratectl manual kubernetes` has the least Role",
    ),
    Meaning(
        r"(?i)forbidden",
        RefusedError,
        "`kubectl auth can-i {verb} cronjobs.batch{there}` tells whether you have the right; `ratectl manual kubernetes` has the least Role",
    ),
    Meaning(
        r"namespaces? \"[^\"]*\" not found",
        EngineError,
        "`kubectl create namespace {namespace}{context}` makes it",
    ),
    Meaning(
        r"context .*does not exist|no context exists|cannot locate context|cluster .*does not exist",
        ConfigError,
        "name one that there is in the spec or the kubeconfig: `kubectl config get-contexts` lists what there is",
    ),
    Meaning(
        r"unable to read (?:certificate-authority|client-cert|client-key)",
        ConfigError,
        "your kubeconfig names a file that is not there or may not be read: `kubectl config view{context}` shows which",
    ),
    Meaning(
        r"unable to decode \"STDIN\"",
        ConfigError,
        "kubectl cannot read the manifest: `ratectl render --backend kubernetes --out D` writes it for a look",
    ),
    Meaning(
        r"error loading config file|incomplete configuration|invalid configuration|couldn't get version/kind",
        ConfigError,
        "your kubeconfig cannot be used: `kubectl config view` tells more",
    ),
    Meaning(
        r"x509: certificate has expired|certificate is not yet valid",
        EngineError,
        "the server's certificate is out of its time, or this machine's clock is wrong: `date` tells",
    ),
    Meaning(
        r"x509:|certificate signed by unknown authority|tls: |failed to verify certificate",
        EngineError,
        "the server answers, and its certificate does not fit the certificate-authority of your kubeconfig, "
        "as after a cluster was made anew or behind an inspecting proxy: get the kubeconfig again from whoever runs the cluster",
    ),
    Meaning(
        r"unknown time zone",
        ConfigError,
        "the cluster's zone data does not have it: write a timezone that it knows, such as one of the same region",
    ),
    Meaning(
        r"no matches for kind|doesn't have a resource type|field not declared in schema|unknown field",
        EngineError,
        "the cluster is too old for these CronJobs, which need Kubernetes 1.27 or newer: `kubectl version{context}` tells",
    ),
    Meaning(
        r"could not find the requested resource",
        EngineError,
        "what answers there is no Kubernetes, or one older than 1.27: `kubectl version{context}` and `kubectl config view` tell",
    ),
    Meaning(
        r"is invalid:|\(Invalid\)|\(BadRequest\)",
        ConfigError,
        "the server does not take it so: change what it names in the spec",
    ),
    Meaning(
        r"(?i)too many requests|currently unable to handle|etcdserver|please apply your changes to the latest|\(InternalError\)",
        TryLaterError,
        "the server is busy or restarting: try again in a minute",
    ),
    Meaning(
        r"(?i)timeout|deadline exceeded|timed out|time allotted",
        EngineError,
        "the server did not answer within {patience} seconds; `kubectl cluster-info{context}` looks at it, and try again later",
    ),
    Meaning(
        r"localhost:8080",
        EngineError,
        "kubectl knows of no cluster, and so asks this machine: set KUBECONFIG, or choose one of `kubectl config get-contexts` "
        "by `kubectl config use-context NAME`",
    ),
    Meaning(
        r"(?i)proxyconnect",
        EngineError,
        "the proxy of this shell does not lead there: name the server in NO_PROXY, and `kubectl cluster-info{context}` tells",
    ),
    Meaning(
        r"(?i)refused|unable to connect|no such host|no route to host|unreachable|connection reset|\bEOF\b"
        r"|couldn't get current server|was the cluster",
        EngineError,
        "the server is not there, or kubectl looks elsewhere: `kubectl cluster-info{context}` tells",
    ),
)
"""The first that fits says what a failure means."""


def failure(
    answer: Completed,
    cluster: ClusterTarget,
    verb: str = "list",
    *,
    of_spec: bool = True,
    variables: str = "VARIABLE-",
) -> RatectlError:
    """Return what went wrong at *cluster* with what needs the right to *verb* CronJobs, and what to do next.

    What is refused stands in the spec, unless *of_spec* says that it does not; *variables* are those
    that somebody set, as ``kubectl set env`` takes them out.
    """
    if answer.code == 127:
        return EngineError(ABSENT)
    complaints = list(_complaints(answer))
    said = _bounded(complaints)
    for meaning in MEANINGS:
        found = next(
            (f for complaint in complaints if (f := re.search(meaning.said, complaint))), None
        )
        if found:
            advice = meaning.advice if of_spec else meaning.otherwise or meaning.advice
            words = _words(found, cluster, verb) | {"variables": variables}
            step = advice.format(**words)
            error = meaning.kind(f"kubernetes, {described(cluster)}: {said}; {step}")
            error.command = meaning.command.format(**words) or _first_command(step)
            return error
    return EngineError(f"kubernetes, {described(cluster)}: {said or f'exit code {answer.code}'}")


def _first_command(advice: str) -> str:
    found = re.search(r"`([^`]+)`", advice)
    return found[1] if found else ""


def _words(found: re.Match[str], cluster: ClusterTarget, verb: str) -> dict[str, Any]:
    """Return what may stand in an advice."""
    parts = found.groupdict()
    group = parts.get("group", "")
    resource = parts.get("resource", "cronjobs")
    return {
        "verb": verb,
        **parts,
        "whole": f"{resource}.{group}" if group else resource,
        "there": "".join(f" {word}" for word in typed(cluster)[1:]),
        "context": "".join(f" {word}" for word in _context(cluster)),
        "namespace": cluster.namespace,
        "patience": PATIENCE,
    }


_NOISE = re.compile(r"^[EIWF]\d{4} ")
"""A line of kubectl's own log."""
_BEGINS = re.compile(
    r"^(error:|Error from server|Error:|The \w+ \"|Unable to connect|The connection to)"
)
_HELP = re.compile(r"^Please review the fields above")
"""What kubectl goes on to say of its own flags, which are not ours."""


def _complaints(answer: Completed) -> Iterator[str]:
    """Yield each different complaint in one line, without warnings, the log's lines and kubectl's own advice."""
    lines = [line.strip() for line in console_text(answer.stderr or answer.stdout).splitlines()]
    plain = [line for line in lines if line and not line.startswith("Warning:")]
    telling = [line for line in plain if not _NOISE.match(line)] or plain[-1:]
    parts: list[list[str]] = []
    helping = False
    for line in telling:
        begins = bool(_BEGINS.match(line))
        helping = not begins and (helping or bool(_HELP.match(line)))
        if begins or not parts:
            parts.append([])
        if not helping:
            parts[-1].append(line)
    yield from dict.fromkeys(" ".join(dict.fromkeys(part)) for part in parts)


def _bounded(complaints: list[str]) -> str:
    """Return *complaints* in few words: what is said of many objects is said of the first ones."""
    kinds: dict[str, str] = {}
    for complaint in complaints:
        kinds.setdefault(re.sub(r"ratectl-[a-z0-9-]+", "", complaint), complaint)
    shown_ones = list(kinds.values())[:COMPLAINTS]
    cut = (one if len(one) <= LONGEST else f"{one[:LONGEST]}..." for one in shown_ones)
    left = len(complaints) - len(shown_ones)
    return " ".join(cut) + (f" (and {left} more like that)" if left else "")


WAY_OUT = (
    "where that cluster is gone for good, or has another address by now, `ratectl remove JOB --forget` lets this "
    "machine forget the job, and `ratectl install` puts it where you are now"
)
"""Of jobs in a cluster that does not answer any more."""
CONTEXTS = "kubectl config get-contexts"
PORTS = {"http": "80", "https": "443"}


def server_url(text: str) -> str:
    """Return the URL of a server in one spelling: without a last slash or the scheme's own port, its host in small letters."""
    try:
        url = urlsplit(text.strip())
    except ValueError:
        return text.strip()  # no URL, as kubectl will tell
    if not url.netloc:
        return text.strip().rstrip("/").lower()
    account, at, place = url.netloc.rpartition("@")
    place = place.lower().removesuffix(f":{PORTS.get(url.scheme, '')}").rstrip(":")
    return f"{url.scheme}://{account}{at}{place}{url.path.rstrip('/')}"


def _no_context(kind: type[RatectlError], text: str) -> RatectlError:
    error = kind(text)
    error.command = CONTEXTS
    return error


class Kubeconfig(NamedTuple):
    """The contexts of a person's kubeconfig, and to which server, as :func:`server_url` spells it, each leads."""

    current: str
    servers: Mapping[str, str]

    def located(self, cluster: ClusterTarget) -> ClusterTarget:
        """Return *cluster* with the context that leads to it now.

        Raises ConfigError where there is no such context, and EngineError where none leads to the server.
        A place whose server is not known yet is where its context leads, or the current one.
        """
        if cluster.server:
            return cluster._replace(context=self._leading_to(cluster))
        context = cluster.context or self.current
        if context and context not in self.servers:
            raise _no_context(
                ConfigError,
                f'kubernetes, {described(cluster)}: context "{context}" does not exist; name one that there is in the '
                "spec or the kubeconfig: `kubectl config get-contexts` lists what there is",
            )
        server = self.servers.get(context, "")
        if context and not server:
            error = ConfigError(
                f'kubernetes, {described(cluster)}: context "{context}" leads to no server: your kubeconfig lacks its '
                "cluster, or the server of that; `kubectl config view` shows it"
            )
            error.command = "kubectl config view"
            raise error
        return cluster._replace(context=context, server=server, said=cluster.context)

    def _leading_to(self, cluster: ClusterTarget) -> str:
        there = server_url(cluster.server)
        for context in (cluster.context, self.current, *self.servers):
            if context and self.servers.get(context) == there:
                return context
        raise _no_context(
            EngineError,
            f"kubernetes, {described(cluster)}: no context of your kubeconfig leads to {cluster.server}, where the "
            f"jobs stand; `kubectl config get-contexts` lists what there is, and {WAY_OUT}",
        )


def kubeconfig(reader: Reader, cluster: ClusterTarget) -> Kubeconfig:
    """Return what kubectl's own configuration says. Raises what it cannot be read for."""
    answer = reader.query(("kubectl", "config", "view", "--output=json"))
    if answer.code:
        raise failure(answer, cluster)
    try:
        config: dict[str, Any] = json.loads(answer.stdout)
        clusters = {
            one["name"]: server_url(one["cluster"].get("server", ""))
            for one in config.get("clusters") or ()
        }
        servers = {
            one["name"]: clusters.get(one["context"].get("cluster", ""), "")
            for one in config.get("contexts") or ()
        }
        return Kubeconfig(current=config.get("current-context") or "", servers=servers)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"kubernetes, {described(cluster)}: kubectl tells no contexts; `kubectl config view` shows why"
        ) from error
