"""``ratectl doctor``: looks at everything that a wakeup depends on, changes nothing, and exits with 78 on a fault."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ratectl import paths
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.commands._shared import terminal
from ratectl.commands._shared.environment import surroundings, utc_now
from ratectl.commands._shared.options import JsonOption, default_spec
from ratectl.commands._shared.planning import cluster_of
from ratectl.deploy import execute, host_facts, inventory
from ratectl.deploy.checks import serving
from ratectl.deploy.install_lock import was_interrupted
from ratectl.doctor.diagnose import diagnose
from ratectl.doctor.finding import FAULT, Finding
from ratectl.doctor.network import Asked, absent_secrets
from ratectl.doctor.observations import Observations, chosen, survey
from ratectl.errors import ConfigError, RatectlError
from ratectl.journal.journal import Journal
from ratectl.views.doctor import doctor_json, doctor_text
from ratectl.views.format import as_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ratectl.backends.host import ClusterTarget, Host
    from ratectl.backends.reader import Reader
    from ratectl.journal.journal import Firing, Installed
    from ratectl.model.job import Job

MOST_CHECKED = 256 * 1024 * 1024
"""Bytes of a journal that is read through; a larger one would take minutes."""


def doctor(
    jobs: Annotated[
        list[str] | None,
        typer.Argument(metavar="JOB...", show_default=False, help="By default all installed ones."),
    ] = None,
    *,
    json: JsonOption = False,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline", help="Ask no provider and no database, and no cluster for Secrets."
        ),
    ] = False,
) -> None:
    """Find every reason why a schedule might silently not run.

    Each finding comes with the command that mends it. Exit code 78 when a fault was
    found, 0 when all is well or with warnings only. It looks, and changes nothing.

    \b
    Examples:
      ratectl doctor
      ratectl doctor usd-inr --offline
    """
    findings, count = _diagnosis(frozenset(jobs) if jobs else None, offline=offline)
    output = doctor_json(findings) if json else None
    if output is None:
        terminal.show(doctor_text(findings, count))
    else:
        typer.echo(as_json(output))
    if any(finding.severity == FAULT for finding in findings):
        raise typer.Exit(ConfigError.exit_code)


def _diagnosis(names: frozenset[str] | None, *, offline: bool) -> tuple[Sequence[Finding], int]:
    """Return the findings and how many jobs were looked at."""
    try:
        host = host_facts.current()
    except ConfigError as error:
        fix = "timedatectl set-timezone Area/City"
        return (Finding(check="host-zone-unknown", text=str(error), fix=fix),), 0
    with Journal(host.state_dir) as journal:
        observed = _scene(host, execute.SystemReader(), journal, names)
    asked = Asked() if offline else _ask(observed)
    return diagnose(observed, asked), len(observed.jobs)


def _scene(
    host: Host, reader: Reader, journal: Journal, names: frozenset[str] | None
) -> Observations:
    rows, journal_error = _rows(journal)
    found_at, refused = survey(host, reader, rows)
    if names and journal_error is None:
        standing = frozenset(job for found in found_at.values() for job in found.entries)
        for name in sorted(names - standing - {row.job.name for row in rows}):
            raise journal.unknown_job(name)
    jobs = chosen(rows, names)
    last, out_of_reach = _last_firings(journal, jobs)
    jobs = journal.counting_together(jobs, last)
    return Observations(
        host=host,
        reader=reader,
        now=utc_now(),
        jobs=jobs,
        found_at=found_at,
        refused=refused,
        names=names,
        journal_error=journal_error,
        planned=None if rows or names else _planned(host),
        unreadable="" if journal_error else _unreadable(journal),
        interrupted=was_interrupted(host.state_dir),
        last=last,
        unserved=serving.unserved(host.state_dir, jobs),
        held=_held(journal),
        out_of_reach=out_of_reach,
        lost=_lost(journal, jobs),
        specs=(specs := _specs(journal)),
        spec_of=lambda job: _spec_of(reader, job, (str(default_spec()), *specs), host.zone.key),
        spec_drift=inventory.SpecDrift(
            lambda path: inventory.digest_of(reader, path),
            lambda path, zone: _jobs_of(reader, path, zone),
            rows,
            journal.known() if rows else (),
        ),
        shell=dict(os.environ),
    )


def _planned(host: Host) -> ClusterTarget | None:
    """Return the cluster that the spec names, if it can be read and names one."""
    from ratectl import spec  # noqa: PLC0415 - only where nothing is installed

    try:
        loaded = spec.load(default_spec(), host_timezone=host.zone.key)
    except RatectlError:
        return None  # `ratectl check` tells why
    in_a_cluster = loaded.installation.backend == kubernetes.NAME
    return cluster_of(loaded) if in_a_cluster else None


def _rows(journal: Journal) -> tuple[tuple[Installed, ...], RatectlError | None]:
    """Return the installed jobs, as far as they can be read, and why the journal is not to be trusted."""
    rows: tuple[Installed, ...] = ()
    try:
        rows = journal.readable()
        file = journal.database.path
        if paths.exists(file) and file.stat().st_size < MOST_CHECKED:
            journal.database.check()
    except RatectlError as error:
        return rows, error
    return rows, None


def _specs(journal: Journal) -> tuple[str, ...]:
    """Return the specs of all installed jobs, also of those whose snapshots cannot be read."""
    try:
        rows = journal.database.rows("SELECT spec FROM jobs WHERE NOT removed ORDER BY rowid")
    except RatectlError:  # another check reports the journal's own trouble
        return ()
    return tuple(dict.fromkeys(row["spec"] for row in rows))


def _held(journal: Journal) -> frozenset[str]:
    """Return the jobs of which this machine's own journal holds answers that wait for a decision."""
    try:
        rows = journal.database.rows("SELECT DISTINCT job FROM quarantine WHERE state = 'held'")
    except RatectlError:  # another check reports the journal's own trouble
        return frozenset()
    return frozenset(row["job"] for row in rows)


def _unreadable(journal: Journal) -> str:
    """Return why not all installed jobs can be read, though some can."""
    try:
        journal.installed()
    except RatectlError as error:
        return str(error)
    return ""


def _last_firings(
    journal: Journal, jobs: Sequence[Installed]
) -> tuple[dict[str, Firing], frozenset[str]]:
    """Return the newest firing of each job, and the jobs whose record is out of reach."""
    found: dict[str, Firing] = {}
    unreachable: set[str] = set()
    for url in dict.fromkeys(row.job.record for row in jobs):
        group = [row for row in jobs if row.job.record == url]
        errors: list[RatectlError] = []
        try:
            found |= journal.last_firings(group, errors.append)
        except RatectlError as error:  # another check reports the journal's own trouble
            errors.append(error)
        if errors:
            unreachable |= {row.job.name for row in group}
    return found, frozenset(unreachable)


def _lost(journal: Journal, jobs: Sequence[Installed]) -> frozenset[str]:
    """Return those of *jobs* that the account which they run as does not have, or does not tell of."""
    try:
        return journal.lacking([row.job for row in jobs])
    except RatectlError:  # an account that is gone, or its journal broken: it has none of them
        return frozenset(row.job.name for row in jobs if journal.account_of(row.job.name))


def _ask(observed: Observations) -> Asked:
    """Return what the providers and databases of the jobs say, and which Secrets are not there."""
    from ratectl.fetch import probe  # noqa: PLC0415 - 100 ms that --offline need not pay
    from ratectl.journal.probe import databases  # noqa: PLC0415 - 100 ms that --offline need not pay

    env = surroundings()
    jobs = [row.job for row in observed.awake]
    return Asked(
        providers=probe.providers(jobs, env),
        databases=databases(jobs),
        secrets=absent_secrets(observed),
    )


def _spec_of(reader: Reader, job: str, specs: Iterable[str], host_timezone: str) -> str:
    """Return the first of *specs* that has *job*, an empty text where none has."""
    for path in dict.fromkeys(specs):
        with contextlib.suppress(RatectlError):  # another check tells what is wrong with it
            if any(found.name == job for found in _jobs_of(reader, path, host_timezone)):
                return path
    return ""


def _jobs_of(reader: Reader, path: str, host_timezone: str) -> tuple[Job, ...]:
    from ratectl import spec  # noqa: PLC0415 - only where a spec file changed since it was installed

    return spec.loads(
        reader.read(Path(path)) or b"", path=Path(path), host_timezone=host_timezone
    ).jobs
