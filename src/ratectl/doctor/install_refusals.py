"""What an install of a spec would refuse on this machine, looked at before anybody installs it. Changes nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ratectl.backends import BACKENDS
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.reader import OnceReader
from ratectl.deploy import execute, host_facts, journal_move
from ratectl.deploy.checks import other_accounts, other_specs, writable
from ratectl.errors import ConfigError
from ratectl.journal.journal import Journal
from ratectl.runtime import accounts
from ratectl.schedule.cover.triggers import Fidelity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ratectl.backends.host import Host
    from ratectl.backends.reader import Reader
    from ratectl.model.job import Job
    from ratectl.spec.document import Spec


class Refusal(NamedTuple):
    """What an install would refuse, of one job or of all."""

    job: str
    """Empty for the file as a whole."""
    text: str


def of_spec(loaded: Spec, jobs: Sequence[Job], here: Host) -> Iterator[Refusal]:
    """Yield what an install of *loaded* by this account would refuse of its *jobs*, in the words of install."""
    backend = BACKENDS.get(loaded.installation.backend)
    if backend is not None:
        for job in jobs:
            cover = backend.check(job, here.zone)
            if cover.fidelity is Fidelity.REFUSED:
                yield Refusal(job.name, f"{backend.NAME}: {cover.reason}")
    if backend is kubernetes or (backend is not None and not host_facts.is_native(backend)):
        return  # it is for other machines
    reader = OnceReader(execute.SystemReader())
    own = [job for job in jobs if here.root or not accounts.is_foreign(job.user)]
    open_to_others = list(_open_to_others(loaded, own, here, reader))
    yield from open_to_others
    in_danger = {refusal.job for refusal in open_to_others}
    for job in own:  # of a job of another account root looks with the eyes of that one
        if job.enabled and job.name not in in_danger and not accounts.is_foreign(job.user):
            for text in writable.told(here, reader, job):
                yield Refusal(job.name, text.removeprefix(f"{job.name}: "))
    yield from _of_installed(loaded, jobs, here, reader)


def _open_to_others(
    loaded: Spec, jobs: Sequence[Job], here: Host, reader: Reader
) -> Iterator[Refusal]:
    """Yield what another account could change: outputs of *jobs*, and for root what they are made of."""
    names = {job.name for job in jobs}
    for line in other_accounts.told(here, reader, jobs, loaded.path):
        job, _, rest = line.partition(": ")
        if job in names:
            yield Refusal(job, rest)
        else:
            yield Refusal("", line)


def _of_installed(
    loaded: Spec, jobs: Sequence[Job], here: Host, reader: Reader
) -> Iterator[Refusal]:
    """Yield which of *jobs* are those of another spec file, or share a file with an installed job that writes otherwise."""
    with Journal(here.state_dir) as journal:
        installed = {row.job.name: row for row in journal.readable()}

        def other_spec(some: Sequence[Job]) -> None:
            other_specs.refuse(reader, some, loaded.path, installed)

        yield from _each(jobs, other_spec)
        yield from _each(jobs, partial(journal_move.refuse_two_formats, journal))
        yield from _each(jobs, partial(journal_move.refuse_shared_files, journal))


def _each(jobs: Sequence[Job], refuse: Callable[[Sequence[Job]], None]) -> Iterator[Refusal]:
    """Yield why *refuse* raises ConfigError for *jobs*, by job; all are asked at once where none is refused."""
    if not _why(refuse, jobs):
        return
    for job in jobs:
        if text := _why(refuse, [job]):
            yield Refusal(job.name, text)


def _why(refuse: Callable[[Sequence[Job]], None], jobs: Sequence[Job]) -> str:
    try:
        refuse(jobs)
    except ConfigError as error:
        return str(error)
    return ""
