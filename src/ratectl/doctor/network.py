"""What a firing at night would meet on its way out: providers, databases, and a proxy that only the shell knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.deploy import remedies, targets
from ratectl.doctor.finding import FAULT, WARNING, Finding, warning
from ratectl.fetch.failures import FailureKind
from ratectl.model.providers import PROVIDER_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ratectl.deploy.targets import Target
    from ratectl.doctor.observations import Observations
    from ratectl.fetch.probe import ProviderProbe
    from ratectl.journal.journal import Installed
    from ratectl.journal.probe import DatabaseProbe
    from ratectl.model.job import Job, Provider

CHECKS = {
    FailureKind.OFFLINE: "provider-offline",
    FailureKind.DNS: "provider-unknown-host",
    FailureKind.PORTAL: "provider-behind-portal",
    FailureKind.CLOCK: "clock-wrong",
    FailureKind.TRANSIENT: "provider-down",
    FailureKind.REFUSED: "provider-refused",
    FailureKind.CONFIG: "provider-misconfigured",
    FailureKind.DATA: "provider-bad-data",
}
"""The word of each class of failure; NOT_YET is an answer like any other."""


class Asked(NamedTuple):
    """What the network said, by job; nothing under ``--offline``."""

    providers: Mapping[str, Sequence[ProviderProbe]] = {}
    databases: Mapping[str, Sequence[DatabaseProbe]] = {}
    secrets: Mapping[Target, Sequence[tuple[str, tuple[str, ...]]]] = {}
    """By cluster, each Secret that its CronJobs name and that is not there, and what makes it."""


def providers(observed: Observations, row: Installed, asked: Asked) -> Iterator[Finding]:
    """Find providers that do not answer: a fault where too few are left for the job, else a warning."""
    said = asked.providers.get(row.job.name, ())
    good = sum(not _failed(probe) for probe in said)
    # what a workstation cannot reach a pod may
    enough = good >= (2 if row.job.agree else 1) or row.backend == kubernetes.NAME
    if offline := _cut_off(said):
        severity = WARNING if enough else FAULT
        yield Finding(
            check=CHECKS[FailureKind.OFFLINE],
            severity=severity,
            job=row.job.name,
            text=offline,
            fix=_again(observed),
        )
        return
    for probe in said:
        if probe.asked and probe.failure is not None and _failed(probe):
            kind = probe.failure.kind
            wrong_clock = kind is FailureKind.CLOCK
            yield Finding(
                check=CHECKS[kind],
                severity=WARNING if enough and not wrong_clock else FAULT,
                job=row.job.name,
                text=f"{probe.provider}: {kind.value}: {probe.failure}",
                fix=_mend(observed, row, probe, kind),
            )


def _cut_off(said: Sequence[ProviderProbe]) -> str:
    """Return that none of the providers can be reached, in the same words for every job, where that is the one cause; else an empty text."""
    failures = [(probe, probe.failure) for probe in said if probe.failure is not None]
    if not said or len(failures) < len(said):
        return ""
    if any(failure.kind is not FailureKind.OFFLINE for _, failure in failures):
        return ""
    reasons = {str(failure).removeprefix(f"{probe.host}: ") for probe, failure in failures}
    return f"offline: none of its providers can be reached ({', '.join(sorted(reasons))})"


def _again(observed: Observations) -> str:
    """Return what to type once the network is there: what settles slots that are owed, else that there is only to wait."""
    owing = [row.job.name for row in observed.awake if row.failures]
    if not owing:
        return "wait until it can be reached; `ratectl doctor` looks again"
    which = owing[0] if len(owing) == 1 else "--all"
    return remedies.typed(observed.host, "ratectl", "run", which)


def _failed(probe: ProviderProbe) -> bool:
    return probe.failure is not None and probe.failure.kind is not FailureKind.NOT_YET


def _mend(observed: Observations, row: Installed, probe: ProviderProbe, kind: FailureKind) -> str:
    host = observed.host
    if kind is FailureKind.CLOCK:
        return remedies.keep_clock(host, observed.reader)
    key = next((p.api_key for p in row.job.providers if p.name == probe.provider), "")
    if kind is FailureKind.REFUSED and key.startswith("file:"):
        return remedies.new_secret(host, key.removeprefix("file:"))
    if kind in {FailureKind.CONFIG, FailureKind.REFUSED}:
        return f"change the provider {probe.provider} in {row.spec}, then `{remedies.install(host, row)}`"
    if kind is FailureKind.DATA:
        return (
            f"wait until it answers rightly, or name another provider than {probe.provider} in {row.spec}, then "
            f"`{remedies.install(host, row)}`"
        )
    if kind is FailureKind.DNS:
        name = urlsplit(f"//{probe.host}").hostname or probe.host
        return remedies.look_up(host, name)
    if kind is FailureKind.PORTAL:
        return remedies.typed(host, "curl", "-v", _address(row, probe))
    return _again(observed)


def _address(row: Installed, probe: ProviderProbe) -> str:
    """Return where the provider of *probe* answers, by scheme, host and port; without what may be a secret."""
    urls = (_url(provider) for provider in row.job.providers if provider.name == probe.provider)
    scheme = urlsplit(next(urls, "")).scheme or "https"
    return f"{scheme}://{probe.host}/"


def databases(observed: Observations, row: Installed, asked: Asked) -> Iterator[Finding]:
    """Find databases that do not let us in."""
    cluster = targets.cluster_of(row)
    for probe in asked.databases.get(row.job.name, ()):
        if probe.error is not None and cluster is not None:
            fix = remedies.typed(observed.host, *kubernetes.trying(cluster, row.job.name))
            text = f"from here, where its pods are not: {probe.error}"
            yield warning(check="database-unreachable", job=row.job.name, text=text, fix=fix)
        elif probe.error is not None:
            yield Finding(
                check="database-unreachable",
                job=row.job.name,
                text=str(probe.error),
                fix=remedies.typed(observed.host, "psql", probe.url, "-c", "SELECT 1"),
            )


def secrets(observed: Observations, row: Installed, asked: Asked) -> Iterator[Finding]:
    """Find Secrets of a cluster that are not there, each once for all jobs that name it."""
    home = observed.target_of(row)
    for name, making in asked.secrets.get(home, ()) if home is not None else ():
        yield Finding(
            check="secret-missing",
            text=f'{home}: there is no Secret "{name}", which [kubernetes] names',
            fix=remedies.typed(observed.host, *making),
        )


def absent_secrets(observed: Observations) -> dict[Target, tuple[tuple[str, tuple[str, ...]], ...]]:
    """Return, by cluster, the Secrets that are not there."""
    found: dict[Target, tuple[tuple[str, tuple[str, ...]], ...]] = {}
    for target, held in observed.found_at.items():
        cluster = target.host.cluster
        if target.backend is kubernetes and cluster is not None:
            awake = [entry for entry in held.entries.values() if _counts(observed, entry.job)]
            texts = [text.data for entry in awake for text in entry.artefacts]
            found[target] = tuple(kubernetes.missing_secrets(observed.reader, cluster, texts))
    return found


def _counts(observed: Observations, job: str) -> bool:
    row = observed.row(job)
    return row is not None and observed.is_awake(row)


def proxy(observed: Observations, row: Installed, asked: Asked) -> Iterator[Finding]:
    """Find a proxy that the shell has and the spec has not: by hand it works, and at night it does not.

    A warning only where every provider was seen to answer without it.
    """
    if row.job.proxy or not observed.is_awake(row) or row.backend == kubernetes.NAME:
        return  # of a pod's environment this shell tells nothing
    found = _proxy_of(observed.shell, row.job)
    if not found:
        return
    said = asked.providers.get(row.job.name, ())
    direct = bool(said) and not any(_failed(probe) or not probe.asked for probe in said)
    name, value = found
    variables = (
        value if "@" not in value else f"{urlsplit(value).scheme}://...@{value.rpartition('@')[2]}"
    )
    yield Finding(
        check="proxy-only-in-shell",
        severity=WARNING if direct else FAULT,
        job=row.job.name,
        text=f'{name} is set in this shell, and schedulers do not hand it on: put proxy = "{variables}" '
        f"under [ratectl] in {row.spec}",
        fix=remedies.install(observed.host, row),
    )


def _proxy_of(shell: Mapping[str, str], job: Job) -> tuple[str, str] | None:
    """Return the variable and the proxy that *shell* would send a request of *job* through, if any."""
    exempt = shell.get("no_proxy") or shell.get("NO_PROXY") or ""
    for provider in job.providers:
        url = urlsplit(_url(provider))
        if _is_exempt(url.hostname or "", exempt):
            continue
        for name in (f"{url.scheme}_proxy", "all_proxy"):
            for spelled in (name, name.upper()):
                if value := shell.get(spelled, ""):
                    return spelled, value
    return None


def _is_exempt(host: str, patterns: str) -> bool:
    """Tell whether ``no_proxy`` keeps *host* from its proxy: a name, the end of one, or a star."""
    words = [word.strip().lstrip(".").lower() for word in patterns.split(",")]
    return any(word == "*" or f".{host}".endswith(f".{word}") for word in words if word)


def _url(provider: Provider) -> str:
    return provider.base_url or PROVIDER_KINDS[provider.kind].base_url
