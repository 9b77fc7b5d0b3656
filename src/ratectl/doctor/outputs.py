"""Whether what a firing writes can be written, and what it reads can be read: outputs, state, keys."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.systemd import backend as systemd
from ratectl.doctor import remedies
from ratectl.doctor.finding import Finding, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.doctor.observations import Observations
    from ratectl.journal.journal import Installed

LEAST_SPACE = 65_536
"""Bytes; with less a file system counts as full."""
UPGRADE = ("-m", "pip", "install", "--upgrade", "ratectl")
JOURNAL = "journal.sqlite3"
STORES = tuple(
    Path(folder, store)
    for folder in ("/etc", "/run", "/usr/local/lib", "/usr/lib")
    for store in ("credstore", "credstore.encrypted")
)
"""Where systemd looks for a credential that a unit loads by its name; see systemd.exec(5)."""
IN_PLACES = frozenset({"postgresql"})
"""Kinds of output that are no file; the network checks ask them."""


class Obstacle(NamedTuple):
    """Why a file cannot be written."""

    text: str
    mend: str


def writable(scene: Observations, row: Installed) -> Iterator[Finding]:
    """Find outputs that no firing could append to."""
    if not scene.is_awake(row):
        return
    for output in row.job.outputs:
        if output.kind in IN_PLACES:
            continue
        found = obstacle(scene, Path(output.target))
        if found is None and output.kind == "sqlite":
            found = _folder(scene, Path(output.target).parent)  # SQLite writes beside its file
        if found is not None:
            told = f"cannot record into {output}: {found.text}"
            yield Finding(check="output-unwritable", job=row.job.name, text=told, mend=found.mend)


def state(scene: Observations) -> Iterator[Finding]:
    """Find a state directory in which no firing could work, or a journal that tells nothing."""
    folder = scene.host.state_dir
    found = _folder(scene, folder) or obstacle(scene, folder / JOURNAL)
    if found is not None and scene.jobs:
        text = f"the state directory cannot be used: {found.text}"
        yield Finding(check="state-unwritable", text=text, mend=found.mend)
    if scene.interrupted:
        text = "an install or remove was cut short, and the schedules may be half done"
        yield Finding(check="install-interrupted", text=text, mend=scene.again)
    if scene.unreadable:
        yield Finding(check="snapshot-unreadable", text=scene.unreadable, mend=scene.again)
    error = scene.journal_error
    if error is not None and "newer ratectl" in str(error):
        mend = remedies.typed(scene.host, scene.host.fetch[0], *UPGRADE)
        yield Finding(check="journal-too-new", text=str(error), mend=mend)
    elif error is not None:
        aside = remedies.aside(scene.host, folder / JOURNAL, ".damaged")
        mend = f"{aside} && {scene.again}"
        yield Finding(check="journal-unusable", text=str(error), mend=mend)


def keys(scene: Observations, row: Installed) -> Iterator[Finding]:
    """Find keys that are not there at night, or that others may read."""
    for provider in row.job.providers if scene.is_awake(row) else ():
        kind, _, name = provider.api_key.partition(":")
        about = f"the key of {provider.name}"
        if kind == "file":
            yield from _key_file(scene, row.job.name, about, Path(name).expanduser())
        elif kind == "env" and row.backend == kubernetes.NAME:
            continue  # out of the Secret, which is where a pod has its keys from
        elif kind == "env" and not _is_overridden(scene, row.job.name):
            file = remedies.typed(scene.host, str(Path(row.spec).parent / f"{provider.name}.key"))
            text = (
                f"{about} is in ${name}, which schedulers do not hand on; "
                f'put it into a file, and api_key = "file:{provider.name}.key" into the spec'
            )
            mend = f"(umask 077 && printenv {name} > {file})"
            yield warning(check="key-in-environment", job=row.job.name, text=text, mend=mend)
        elif kind == "credential":
            yield from _credential(scene, row, about, name)
    bundle = Path(row.job.ca_bundle) if row.job.ca_bundle else None
    if bundle is not None and scene.reader.status(bundle) is None:
        text = f"ca_bundle {bundle}: there is no such file"
        mend = remedies.typed(scene.host, "ratectl", "check", row.spec)
        yield Finding(check="ca-bundle-missing", job=row.job.name, text=text, mend=mend)


def _credential(scene: Observations, row: Installed, about: str, name: str) -> Iterator[Finding]:
    """Find a credential that nobody hands over: only systemd does, and only root may see from where."""
    if row.backend != systemd.NAME:
        text = f"{about} is the credential {name}, which {row.backend} does not hand over"
        mend = f"{remedies.install(scene.host, row)} --backend systemd"
    elif row.scope != "system" or _is_overridden(scene, row.job.name):
        return
    else:
        if any(scene.reader.status(folder / name) is not None for folder in STORES):
            return
        text = f"{about} is the credential {name}, and it lies in none of systemd's stores"
        mend = remedies.new_secret(scene.host, str(STORES[0] / name))
    yield Finding(check="key-unreadable", job=row.job.name, text=text, mend=mend)


def _key_file(scene: Observations, job: str, about: str, path: Path) -> Iterator[Finding]:
    place = remedies.typed(scene.host, str(path))
    status = scene.reader.status(path)
    if status is None or not stat.S_ISREG(status.mode):
        text = f"{about}: {path}: there is no such file"
        mend = remedies.new_secret(scene.host, str(path))
        yield Finding(check="key-unreadable", job=job, text=text, mend=mend)
    elif not scene.reader.may_read(path):
        mend = remedies.to_account(scene.host, path)
        text = f"{about}: {path}: {scene.host.user} may not read it"
        yield Finding(check="key-unreadable", job=job, text=text, mend=mend)
    elif status.mode & 0o007 and scene.host.platform != "win32":
        text = f"{about}: {path}: every account of this machine may read it"
        yield warning(check="key-too-open", job=job, text=text, mend=f"chmod 600 {place}")


def _is_overridden(scene: Observations, job: str) -> bool:
    held = (scene.holds[target].entries[job] for target in scene.places.get(job, ()))
    return any(entry.overrides for entry in held)


def obstacle(scene: Observations, path: Path) -> Obstacle | None:
    """Return why this account cannot append to the file *path*, or make it; None when it can."""
    status = scene.reader.status(path)
    if status is None:
        return _folder(scene, path.parent)
    if not stat.S_ISREG(status.mode):
        kind = "a folder" if stat.S_ISDIR(status.mode) else "no regular file"
        return Obstacle(f"{path} is {kind}", remedies.aside(scene.host, path))
    if not scene.reader.may_write(path):
        return _closed(scene, path, "chmod u+w")
    return _full(scene, path)


def _folder(scene: Observations, path: Path) -> Obstacle | None:
    """Return why nothing can be made in the folder *path*, which need not be there yet."""
    while (status := scene.reader.status(path)) is None and path != path.parent:
        path = path.parent
    if status is not None and not stat.S_ISDIR(status.mode):
        return Obstacle(f"{path} is no folder", remedies.aside(scene.host, path))
    if not scene.reader.may_write(path):
        return _closed(scene, path, "chmod u+rwx")
    return _full(scene, path)


def _closed(scene: Observations, path: Path, open_it: str) -> Obstacle:
    host, place = scene.host, remedies.typed(scene.host, str(path))
    status = scene.reader.status(path)
    text = f"{host.user} may not write to {path}"
    if host.root:
        return Obstacle(f"{text} (read-only or immutable)", f"chattr -i {place}")
    if status is not None and status.owner == host.uid and host.platform != "win32":
        return Obstacle(text, f"{open_it} {place}")
    return Obstacle(text, remedies.to_account(host, path))


def _full(scene: Observations, path: Path) -> Obstacle | None:
    free = scene.reader.free(path)
    if free is None or free >= LEAST_SPACE:
        return None
    return Obstacle(f"the file system of {path} is full", remedies.room(scene.host, path))
