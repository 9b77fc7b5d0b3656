"""What a job must bring to run in a pod, where nothing but a database outlives the run.

Each refusal says why, and what to write instead.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from ratectl import __version__
from ratectl.backends.kubernetes.manifest import references

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.model.job import Job

NO_TABLE = (
    "the spec does not say in what to run: write [kubernetes] with image = "
    f'"registry.example/ratectl:{__version__}" and namespace = "rates"'
)
FILES = frozenset({"passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl", "servicefile"})
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def unmet(job: Job) -> Iterator[str]:
    """Yield why *job* cannot run in a pod."""
    if job.kubernetes is None:
        yield NO_TABLE
    if not job.journal:
        yield (
            "the record would be gone with the pod: write journal = "
            '"postgresql://user@host/database" under [ratectl], or choose the --backend of a machine'
        )
    if job.report:
        yield (
            f"the page {job.report} would be gone with the pod: leave report = out, and let "
            "`ratectl report --watch FILE` write it on a machine"
        )
    if files := [str(output) for output in job.outputs if output.kind != "postgresql"]:
        yield (
            f"{', '.join(files)} would be gone with the pod, or lie on one node: let output be a "
            '"postgresql://user@host/database", and export files from there'
        )
    yield from _secrets(job)
    urls = (job.journal, *(o.target for o in job.outputs if o.kind == "postgresql"))
    if named := sorted({name for url in urls for name in _files(url)}):
        yield (
            f"{', '.join(named)} in a database's URL names a file that a pod lacks: let the secret of "
            "[kubernetes] have the key PGPASSWORD, and use sslrootcert=system"
        )
    if job.ca_bundle:
        yield f"ca_bundle = {job.ca_bundle} is a file that a pod lacks: put the certificates into the image's own store"


def _secrets(job: Job) -> Iterator[str]:
    written = (*(provider.api_key for provider in job.providers), *job.notify)
    for reference in dict.fromkeys(written):
        if reference.startswith(("file:", "credential:")):
            yield (
                f"{reference} is on this machine, and not in a pod: put it into the secret of "
                '[kubernetes] and write "env:NAME"'
            )
    names = references(job)
    if odd := sorted(name for name in names if not VARIABLE.fullmatch(name)):
        yield f"env:{odd[0]} is no name of a variable: letters, digits and _"
    if names and job.kubernetes is not None and not job.kubernetes.secret:
        keys = ", ".join(f"env:{name}" for name in sorted(names))
        yield (
            f'{keys}: nothing sets it in a pod; write secret = "NAME" under [kubernetes], '
            f"of a Secret with the key {min(names)}"
        )


def _files(url: str) -> Iterator[str]:
    for name, value in parse_qsl(urlsplit(url).query):
        if name in FILES and value != "system":
            yield name
