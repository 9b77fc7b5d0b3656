"""Whether what a firing writes can be written, and what it reads can be read: outputs and keys."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.systemd import backend as systemd
from ratectl.deploy import remedies, targets
from ratectl.deploy.checks import other_accounts, report_page
from ratectl.deploy.checks import writable as writable_files
from ratectl.doctor.finding import Finding, warning
from ratectl.runtime import accounts
from ratectl.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.deploy.checks.writable import Obstacle
    from ratectl.doctor.observations import Observations
    from ratectl.journal.journal import Installed

STORES = tuple(
    Path(folder, store)
    for folder in ("/etc", "/run", "/usr/local/lib", "/usr/lib")
    for store in ("credstore", "credstore.encrypted")
)
"""Where systemd looks for a credential that a unit loads by its name; see systemd.exec(5)."""
OWN_ACCOUNT = "ratectl"
"""The name that we propose for an account without rights."""


def writable(observed: Observations, row: Installed) -> Iterator[Finding]:
    """Find outputs that no firing could append to."""
    if not observed.is_awake(row):
        return
    observed = observed.as_account(row)
    for output in row.job.outputs:
        if output.kind in writable_files.IN_PLACES:
            continue
        found = writable_files.of_output(observed.host, observed.reader, output)
        found = found or report_page.gone(observed.host, observed.reader, row, output.target)
        if found is not None:
            problem = f"cannot record into {output}: {found.text}"
            yield Finding(
                check="output-unwritable",
                job=row.job.name,
                text=problem,
                fix=_fix(observed, row, found),
            )


def page(observed: Observations, row: Installed) -> Iterator[Finding]:
    """Find that the report page cannot be written, which no firing fails for."""
    if not observed.is_awake(row):
        return
    found = report_page.obstacle(observed.host, observed.reader, row)
    if found is not None:
        text = f"cannot write the report page {row.job.report}: {found.text}"
        fix = _fix(observed.as_account(row), row, found)
        yield warning(check="page-unwritable", job=row.job.name, text=text, fix=fix)


def _fix(observed: Observations, row: Installed, found: Obstacle) -> str:
    """Return the command against *found*: that which says where in the spec another name is needed, where nothing else helps."""
    return found.fix or remedies.typed(observed.host, "ratectl", "check", row.spec)


def trusted(observed: Observations, row: Installed) -> Iterator[Finding]:
    """Find outputs at which others could lead a firing elsewhere, and for root a spec or a key that they may write to."""
    if not observed.is_awake(row) or row.backend == kubernetes.NAME:
        return
    for danger in other_accounts.of_outputs(observed.as_account(row).reader, row.job):
        text = f"{danger.what.partition(': ')[2]}: {danger.fault.place}: {danger.fault.why}"
        yield Finding(check="output-untrusted", job=row.job.name, text=text, fix=danger.fault.fix)
    if observed.host.root:
        reader = observed.reader
        dangers = (
            *other_accounts.of_spec(reader, row.spec),
            *other_accounts.of_inputs(reader, row.job),
        )
        for danger in dangers:
            text = (
                f"others could change what the job reads: {danger.fault.place}: {danger.fault.why}"
            )
            yield Finding(
                check="input-untrusted", job=row.job.name, text=text, fix=danger.fault.fix
            )


def trusted_program(observed: Observations) -> Iterator[Finding]:
    """Find that others may write to the program that root's entries start."""
    if observed.host.root and observed.jobs:
        for danger in other_accounts.of_program(observed.reader, observed.host):
            text = f"others could change the program that root runs: {danger.fault.place}: {danger.fault.why}"
            yield Finding(check="program-untrusted", text=text, fix=danger.fault.fix)


def account(observed: Observations, row: Installed) -> Iterator[Finding]:
    """Find that the account which a job runs as is gone, does not have the job, or may not start the program."""
    host = targets.host_of(observed.host, row.job)
    if not host.account or not observed.is_awake(row):
        return
    name = host.account
    found = observed.reader.account(name)
    if found is None:
        text = f"the account {name} is gone, so the job cannot run"
        fix = accounts.making(name, host.platform)
        yield Finding(check="account-missing", job=row.job.name, text=text, fix=fix)
        return
    if row.job.name in observed.lost:
        text = f"{host.state_dir}: {name} does not have the job as it was installed, so it records nothing"
        fix = remedies.install(observed.host, row)
        yield Finding(check="account-without-job", job=row.job.name, text=text, fix=fix)
    for part in (path for path in map(Path, host.fetch) if path.is_absolute()):
        there = observed.reader.status(part) is not None
        if there and not observed.reader.lets(found, part, accounts.READ):
            text = f"{name} may not reach the program {part}"
            fix = other_accounts.GLOBAL
            yield Finding(check="program-out-of-reach", job=row.job.name, text=text, fix=fix)
            return


def rights(observed: Observations) -> Iterator[Finding]:
    """Find jobs that run as root, who may do anything, where an account without rights is enough."""
    if not observed.host.root or observed.host.platform == "win32":
        return
    rows = [row for row in observed.awake if row.scope == "system" and not row.job.user]
    if not rows:
        return
    names = listed([row.job.name for row in rows])
    there = observed.reader.account(OWN_ACCOUNT) is not None
    make = "" if there else "make one, and "
    yield warning(
        check="runs-as-root",
        text=f"{names}: run as root, and an account without rights is enough; {make}"
        f'put user = "{OWN_ACCOUNT}" under [ratectl] of the spec (or user = "root" if it shall be so) and install it again',
        fix=remedies.install(observed.host, rows[0])
        if there
        else accounts.making(OWN_ACCOUNT, observed.host.platform),
    )


def keys(observed: Observations, row: Installed) -> Iterator[Finding]:
    """Find keys that are not there at night, or that others may read."""
    observed = observed.as_account(row)
    for provider in row.job.providers if observed.is_awake(row) else ():
        kind, _, name = provider.api_key.partition(":")
        about = f"the key of {provider.name}"
        if kind == "file":
            yield from _key_file(observed, row, about, Path(name).expanduser())
        elif kind == "env" and row.backend == kubernetes.NAME:
            continue  # out of the Secret, which is where a pod has its keys from
        elif kind == "env" and not _is_overridden(observed, row.job.name):
            file = remedies.typed(
                observed.host, str(Path(row.spec).parent / f"{provider.name}.key")
            )
            text = (
                f"{about} is in ${name}, which schedulers do not hand on; "
                f'put it into a file, and api_key = "file:{provider.name}.key" into the spec'
            )
            fix = f"(umask 077 && printenv {name} > {file})"
            yield warning(check="key-in-environment", job=row.job.name, text=text, fix=fix)
        elif kind == "credential":
            yield from _credential(observed, row, about, name)
    for entry in row.job.notify if observed.is_awake(row) else ():
        if entry.startswith("file:"):
            path = Path(entry.removeprefix("file:")).expanduser()
            yield from _key_file(observed, row, "the addresses of notify", path)
    bundle = Path(row.job.ca_bundle) if row.job.ca_bundle else None
    if bundle is not None and observed.reader.status(bundle) is None:
        closed = _shut(observed, bundle)
        why = f"{observed.host.user} may not enter {closed}" if closed else "there is no such file"
        text = f"ca_bundle {bundle}: {why}"
        fix = remedies.typed(observed.host, "ratectl", "check", row.spec)
        yield Finding(check="ca-bundle-missing", job=row.job.name, text=text, fix=fix)


def _credential(observed: Observations, row: Installed, about: str, name: str) -> Iterator[Finding]:
    """Find a credential that nobody hands over: only systemd does, and only root may see from where."""
    if row.backend != systemd.NAME:
        text = f"{about} is the credential {name}, which {row.backend} does not hand over"
        fix = f"{remedies.install(observed.host, row)} --backend systemd"
    elif row.scope != "system" or _is_overridden(observed, row.job.name):
        return
    else:
        if any(observed.reader.status(folder / name) is not None for folder in STORES):
            return
        text = f"{about} is the credential {name}, and it lies in none of systemd's stores"
        fix = remedies.new_secret(observed.host, str(STORES[0] / name))
    yield Finding(check="key-unreadable", job=row.job.name, text=text, fix=fix)


def _shut(observed: Observations, path: Path) -> Path | None:
    """Return the folder on the way to *path*, where nothing is seen, that this account may not enter; None where it may."""
    reader = observed.reader
    seen = next((folder for folder in path.parents if reader.status(folder) is not None), None)
    closed = seen is not None and reader.is_folder(seen) and not reader.may_run(seen)
    return seen if closed else None


def _key_file(observed: Observations, row: Installed, about: str, path: Path) -> Iterator[Finding]:
    job, quoted = row.job.name, remedies.typed(observed.host, str(path))
    status = observed.reader.status(path)
    if status is None and (closed := _shut(observed, path)):
        new = Path(row.spec).parent / path.name
        text = (
            f"{about}: {path}: {observed.host.user} may not enter {closed}; "
            f"put it into {new}, and name that in the spec"
        )
        fix = remedies.new_secret(observed.host, str(new))
        yield Finding(check="key-unreadable", job=job, text=text, fix=fix)
    elif status is None or not stat.S_ISREG(status.mode):
        text = f"{about}: {path}: there is no such file"
        fix = remedies.new_secret(observed.host, str(path))
        yield Finding(check="key-unreadable", job=job, text=text, fix=fix)
    elif not observed.reader.may_read(path):
        fix = remedies.to_account(observed.host, path)
        text = f"{about}: {path}: {observed.host.user} may not read it"
        yield Finding(check="key-unreadable", job=job, text=text, fix=fix)
    elif status.mode & 0o077 and observed.host.platform != "win32":
        text = f"{about}: {path}: other accounts may read it"
        yield Finding(check="key-too-open", job=job, text=text, fix=f"chmod 600 {quoted}")


def _is_overridden(observed: Observations, job: str) -> bool:
    entries = (
        observed.found_at[target].entries[job] for target in observed.targets_of.get(job, ())
    )
    return any(entry.overrides for entry in entries)
