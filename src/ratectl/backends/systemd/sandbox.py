"""What a unit of a job may touch: its outputs, the state directory, the network, and nothing else.

Pure: whose the folders are is a fact of the :class:`~ratectl.backends.host.Host`. A job that
writes where others own needs root's right to do so, which a user namespace would take away.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.backends.host import Host
    from ratectl.model.job import Job

HOMES = ("/home", "/root", "/run/user")
_SHARED_TMP = re.compile(r"(?:^|[:=/])/?(?:var/)?tmp(?:/|&|$)")


def writes(job: Job, host: Host) -> tuple[str, ...]:
    """Return the folders that a firing of *job* writes to, the state directory first."""
    outputs = host.folders or tuple(os.path.dirname(path) for path in files(job))  # noqa: PTH120
    return tuple(dict.fromkeys((str(host.state_dir), *outputs)))


def homes(folders: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the HOMES that may be closed: of one path that is both closed and open, systemd closes it."""
    return tuple(home for home in HOMES if home not in folders)


def files(job: Job) -> tuple[str, ...]:
    """Return the files that *job* appends to, and the page that it writes anew."""
    outputs = tuple(output.target for output in job.outputs if output.kind != "postgresql")
    return (*outputs, job.report) if job.report else outputs


def reads(job: Job) -> tuple[str, ...]:
    """Return the private files that a firing of *job* reads."""
    return (*secret_files(job), *filter(None, (job.ca_bundle,)))


def secret_files(job: Job) -> tuple[str, ...]:
    """Return the files with keys and addresses that a firing of *job* reads."""
    named = [*[provider.api_key for provider in job.providers], *job.notify]
    if not any(named):  # few jobs need a key
        return ()
    return tuple(name.removeprefix("file:") for name in named if name.startswith("file:"))


def credentials(job: Job) -> tuple[str, ...]:
    """Return the names of the credentials that a firing of *job* asks systemd for."""
    named = [*(provider.api_key for provider in job.providers), *job.notify]
    found = [name.removeprefix("credential:") for name in named if name.startswith("credential:")]
    return tuple(dict.fromkeys(found))


def confined(host: Host, scope: str) -> bool:
    """Tell whether a unit can be confined: a user's manager needs a user namespace for that, in which all others are nobody."""
    return scope == "system" or (host.namespaces and not host.foreign)


def private_tmp(job: Job, host: Host) -> bool:
    """Tell whether the job can do with an empty /tmp: nothing that it uses lies in the real one."""
    urls = (output.target for output in job.outputs if output.kind == "postgresql")
    used: Iterator[str] = iter((*writes(job, host), *reads(job), *host.fetch, *urls, job.journal))
    return not any(_SHARED_TMP.search(text) for text in used)
