"""What an install would let another account change: outputs, spec, keys, and for root the program that it starts.

An ordinary account is only told of links and files that others laid at its outputs; root may touch nothing
that anybody else can change. The same is looked at by each firing (outputs, state) and by the doctor.
"""

from __future__ import annotations

import itertools
import os
import site
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ratectl import paths
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.reader import folder_of
from ratectl.backends.steps import MakeFolder
from ratectl.backends.systemd import sandbox
from ratectl.deploy.targets import host_of
from ratectl.errors import ConfigError, RefusedError
from ratectl.runtime import accounts, trust
from ratectl.wording import first_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ratectl.backends.host import Host
    from ratectl.backends.reader import Reader
    from ratectl.deploy.targets import Target
    from ratectl.model.job import Job
    from ratectl.runtime.accounts import Account
    from ratectl.runtime.trust import UntrustedError

GLOBAL = "pipx install --global ratectl"


class Danger(NamedTuple):
    """Something that another account could change."""

    what: str
    """What we use it as, such as ``usd-inr: output /srv/rates.txt``."""
    fault: UntrustedError


class AccountReader:
    """A reader that answers as *account* would be answered, where its rights and its things count."""

    def __init__(self, reader: Reader, account: Account) -> None:
        self._reader = reader
        self._account = account

    def may_read(self, path: Path) -> bool:
        """Tell whether the account may read *path*."""
        return self._reader.lets(self._account, path, accounts.READ)

    def may_write(self, path: Path) -> bool:
        """Tell whether the account may write to *path*, or make something in it."""
        enter = accounts.ENTER if self._reader.is_folder(path) else 0
        return self._reader.lets(self._account, path, accounts.WRITE | enter)

    def fault(
        self,
        path: Path,
        *,
        strict: bool | None = None,
        uid: int | None = None,
        alone: bool = False,
    ) -> UntrustedError | None:
        """Return why yet another account than this one, or than *uid*, could change what is at *path*."""
        seen_by = self._account.uid if uid is None else uid
        return self._reader.fault(path, strict=strict, uid=seen_by, alone=alone)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


def reader_for(target_host: Host, reader: Reader, job: Job) -> Reader:
    """Return *reader*, or for a job of another account that one's; that account has to be there."""
    account = reader.account(job.user) if host_of(target_host, job).account else None
    return AccountReader(reader, account) if account else reader


def refuse(target: Target, jobs: Sequence[Job], spec: str) -> None:
    """Raise RefusedError where installing *jobs* of the file *spec* would trust what others can change.

    Raises ConfigError where a job is to run as an account that is not there, or cannot be had here.
    """
    for job in jobs:
        _check_account(target, job)
    if target.backend is kubernetes:
        return  # its outputs are databases, and the program is in an image
    found = told(target.host, target.reader, jobs, spec)
    lines = found or list(dict.fromkeys(text for job in jobs for text in _closed(target, job)))
    if not lines:
        return
    way_out = (
        'Name places that only root can change, or install as the account whose they are (user = "NAME").'
        if target.host.root
        else "Name a place where nobody else lays links."
    )
    head = (
        "another account could change what these jobs use, so nothing was installed:"
        if found
        else "the account of these jobs may not do what they do, so nothing was installed:"
    )
    raise RefusedError("\n".join((head, *first_lines(lines), *((way_out,) if found else ()))))


def told(host: Host, reader: Reader, jobs: Sequence[Job], spec: str) -> list[str]:
    """Return, in a line each, what of *jobs* in the file *spec* another account could change."""
    found = [d for job in jobs for d in of_outputs(reader_for(host, reader, job), job)]
    if host.root:
        found += of_spec(reader, spec)
        found += [danger for job in jobs for danger in of_inputs(reader, job)]
        found += of_program(reader, host)
    return [_told(danger, spec) for danger in dict.fromkeys(found)]


def _told(danger: Danger, spec: str) -> str:
    """Return *danger* in a line; what its owner may install instead is this very *spec*, where that is in the owner's hands."""
    fault = danger.fault
    if danger.what == "the spec" and fault.fix.endswith(trust.INSTALL):
        return f"{danger.what}: {fault.place}: {fault.why}; `{fault.fix} {trust.quoted(spec)}`"
    return f"{danger.what}: {fault}"


def refuse_spec(reader: Reader, spec: Path, verb: str) -> None:
    """Raise RefusedError where root would at once do what the file *spec* says, and another account may write to it.

    What that account may type instead is ``ratectl`` *verb* with the path of the spec.
    Whoever has no account here is none, such as the owner of a file that a container was handed.
    """
    whole = Path(paths.typed(spec))
    fault = reader.fault(whole) if trust.is_root() else None
    if fault is not None:
        there = reader.status(Path(fault.place))
        if there is None or trust.has_account(there.owner):
            instead = f"ratectl {verb} {trust.quoted(str(whole))}"
            fix = fault.fix.replace(trust.INSTALL, instead)
            raise RefusedError(f"the spec: {fault.place}: {fault.why}; `{fix}`")


def _eyes(target: Target, job: Job) -> Reader:
    return reader_for(target.host, target.reader, job)


def _check_account(target: Target, job: Job) -> None:
    """Raise ConfigError where the account that *job* names cannot be had: not there, not root, another engine."""
    host = host_of(target.host, job)
    if target.backend is kubernetes and job.user:
        raise ConfigError(
            f'{job.name}: user = "{job.user}": a pod has no accounts of this machine, and runs as nobody anyway; '
            "leave it out of a spec for Kubernetes"
        )
    if not host.account:
        return
    if host.platform == "win32":
        raise ConfigError(
            f'{job.name}: user = "{job.user}": tasks of Windows run as whoever installs them; leave it out, and '
            f"install as {job.user}"
        )
    if not target.host.root or target.scope != "system":
        raise ConfigError(
            f'{job.name}: user = "{job.user}": only root\'s jobs of the system scope run as another account; '
            "leave it out, or `sudo ratectl install --scope system`"
        )
    if target.reader.account(job.user) is None:
        raise ConfigError(
            f'{job.name}: user = "{job.user}": this machine has no such account, and nothing was installed; '
            f"`{accounts.making(job.user, host.platform)}` makes it"
        )


def _closed(target: Target, job: Job) -> Iterator[str]:
    """Yield what the account of *job* would need to do and may not: start the program, read a key, write an output."""
    account = target.reader.account(job.user) if host_of(target.host, job).account else None
    if account is None:
        return
    eyes, name = _eyes(target, job), account.name
    state = Path(host_of(target.host, job).state_dir)
    owner = target.reader.status(state)
    if owner is not None and owner.owner != account.uid:
        yield f"{state} is not {name}'s; `chown -R {name} {state}`, or move it away"
    for word in (path for path in map(Path, target.host.fetch) if path.is_absolute()):
        if target.reader.status(word) is not None and not eyes.may_read(word):
            yield f"{name} may not reach the program {word}; `{GLOBAL}`, and install again with that"
    for path in sandbox.reads(job):
        known = Path(path).expanduser()
        if target.reader.status(known) is not None and not eyes.may_read(known):
            yield f"{job.name}: {name} may not read {path}; `{_giving(eyes, name, known, path)}`"
    for path in sandbox.files(job):
        yield from _closed_output(target, eyes, account, Path(path))


def own_link(reader: Reader, path: Path) -> str:
    """Return the link of another account than root on the way to *path*: whatever it leads to is not given away for that."""
    found = reader.fault(path, strict=False, uid=trust.ROOT)
    return found.place if found is not None else ""


def _giving(reader: Reader, name: str, path: Path, given: Path | str) -> str:
    """Return the command after which the account *name* has *given*, to which *path* leads: without a link of its own."""
    link = own_link(reader, path)
    if link:
        return f"sudo -u {name} rm {trust.quoted(link)}"
    return f"chown {name} {trust.quoted(str(given))}"


def _closed_output(target: Target, eyes: Reader, account: Account, named: Path) -> Iterator[str]:
    """Yield why *account* cannot append to the output *named*; a folder that is not there is made for it."""
    name, path = account.name, target.reader.real(named)
    if target.reader.status(path) is not None:
        if not eyes.may_write(path):
            yield f"{name} may not write to {path}; `{_giving(eyes, name, named, path)}`"
    elif target.reader.status(path.parent) is not None and not eyes.may_write(path.parent):
        folder = path.parent / account.name
        yield (
            f"{name} may not make {path.name} in {path.parent}; name a folder of its own, such as "
            f"{folder}/{path.name}, or `{_giving(eyes, name, named, path.parent)}`"
        )


def folders_to_make(target: Target, jobs: Sequence[Job]) -> Iterator[MakeFolder]:
    """Yield the folders that the firings of *jobs* need and may not make: of another account, and inside a sandbox."""
    made: dict[Path, MakeFolder] = {}
    if target.backend is kubernetes:
        return
    for job in jobs:
        host = host_of(target.host, job)
        if not job.enabled or not (host.account or target.backend.SANDBOXES):
            continue
        if host.account:
            state = Path(host.state_dir)
            made[state] = MakeFolder(path=state, owner=host.account, mode=0o700)
        for path in sandbox.files(job):
            named = Path(path)  # an account's own links are not followed with root's rights
            folder = named.parent if host.account else target.reader.real(named).parent
            made.setdefault(folder, MakeFolder(path=folder, owner=host.account))
    for folder, step in made.items():
        if target.reader.status(folder) is None and not target.reader.is_folder(folder):
            yield step


def of_outputs(reader: Reader, job: Job) -> Iterator[Danger]:
    """Yield the outputs of *job* at which another account could lead its firings elsewhere."""
    for output in job.outputs:
        if output.kind != "postgresql":
            by_name = output.kind == "sqlite"  # as SQLite opens its files, and those beside them
            looked_at = Path(output.target) if by_name else _what_is_there(reader, output.target)
            fault = reader.fault(looked_at, strict=by_name or None, alone=by_name)
            if fault is not None:
                yield Danger(f"{job.name}: output {output.target}", fault)


def _what_is_there(reader: Reader, file: str) -> Path:
    """Return *file*, or where it is yet to be made the last folder on its way that is there: thousands of outputs share that."""
    if not reader.is_there(file):
        found = reader.nearest(folder_of(file))
        if reader.is_folder(found):
            return found
    return Path(file)


def of_spec(reader: Reader, spec: str) -> Iterator[Danger]:
    """Yield the file *spec* where others may write to it, and so to what its jobs do."""
    fault = reader.fault(Path(spec).expanduser())
    if fault is not None:
        yield Danger("the spec", fault)


def of_inputs(reader: Reader, job: Job) -> Iterator[Danger]:
    """Yield what *job* reads and others may write to."""
    account = reader.account(job.user) if job.user else None
    whose = account.uid if account else None
    for path in sandbox.reads(job):
        fault = reader.fault(Path(path).expanduser(), strict=True if whose else None, uid=whose)
        if fault is not None:
            yield Danger(f"{job.name}: {path}", fault)


def open_secrets(target: Target, jobs: Sequence[Job]) -> Iterator[str]:
    """Yield a warning for each file of keys or addresses that other accounts may read."""
    if target.host.platform == "win32":
        return
    for path in dict.fromkeys(path for job in jobs for path in sandbox.secret_files(job)):
        status = target.reader.status(Path(path).expanduser())
        if status is not None and status.mode & 0o077:
            yield f"{path}: other accounts may read it, and it holds a secret: `chmod 600 {trust.quoted(path)}`"


def of_program(reader: Reader, host: Host) -> Iterator[Danger]:
    """Yield the first part of the program that others may write to: interpreter, packages, and each folder above."""
    command = (path for path in map(Path, host.fetch) if path.is_absolute())
    files = (*command, Path(sys.prefix, "pyvenv.cfg"))
    faults = itertools.chain(map(reader.fault, files), map(reader.fault_in, _folders()))
    fault = next(filter(None, faults), None)
    if fault is not None:
        yield Danger("the program", type(fault)(fault.place, fault.why, GLOBAL))


def _folders() -> Iterator[Path]:
    """Yield the folders that this interpreter takes its modules from, and all of our own."""
    library, packages = Path(sysconfig.get_path("stdlib")), [*map(Path, site.getsitepackages())]
    yield from filter(Path.is_dir, (library, library / "lib-dynload", *packages, *_added(packages)))
    yield from sorted(Path(folder) for folder, _, _ in os.walk(Path(__file__).parents[2]))


def _added(packages: Sequence[Path]) -> Iterator[Path]:
    """Yield the folders that ``.pth`` files in *packages* add, as Python's module ``site`` reads them."""
    for file in sorted(path for folder in packages for path in folder.glob("*.pth")):
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for line in map(str.rstrip, lines):
            if line and not line.startswith(("#", "import ", "import\t")):
                yield file.parent / line
