"""Every reason why a schedule might silently not run, looked for one by one: observations in, findings out.

The checks know nothing of each other, and what one of them runs into is a finding as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratectl.deploy import remedies
from ratectl.doctor import clock, engine, entries, firings, network, outputs, state
from ratectl.doctor.finding import FAULT, Finding
from ratectl.errors import RatectlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ratectl.backends.protocol import InstalledEntry
    from ratectl.deploy.targets import Target
    from ratectl.doctor.network import Asked
    from ratectl.doctor.observations import Observations
    from ratectl.journal.journal import Installed

OF_THE_MACHINE: tuple[Callable[[Observations], Iterator[Finding]], ...] = (
    engine.unscheduled,
    engine.engines,
    engine.account,
    clock.synchronisation,
    clock.names_of_the_zone,
    state.state,
    outputs.trusted_program,
    outputs.rights,
)
OF_AN_ENTRY: tuple[Callable[[Observations, Target, InstalledEntry], Iterator[Finding]], ...] = (
    entries.ownership,
    entries.drift,
    entries.as_rendered,
    entries.program,
)
OF_A_JOB: tuple[Callable[[Observations, Installed], Iterator[Finding]], ...] = (
    entries.missing,
    entries.unserved,
    entries.duplicates,
    entries.spec,
    clock.host_zone,
    clock.zone_data,
    outputs.account,
    outputs.writable,
    outputs.page,
    outputs.trusted,
    outputs.keys,
    firings.unwoken,
    firings.runs,
    firings.failing,
)
OF_THE_NETWORK: tuple[Callable[[Observations, Installed, Asked], Iterator[Finding]], ...] = (
    network.proxy,
    network.providers,
    network.databases,
    network.secrets,
)


def diagnose(observed: Observations, asked: Asked) -> tuple[Finding, ...]:
    """Return what is wrong in *observed*, faults first, given what the network was *asked*; nothing on a healthy machine."""
    found: list[Finding] = []
    for check in OF_THE_MACHINE:
        found += _guarded(check(observed), "")
    for target, entry in observed.entries:
        for look in OF_AN_ENTRY:
            found += _guarded(look(observed, target, entry), entry.job)
    for row in observed.jobs:
        for test in OF_A_JOB:
            found += _guarded(test(observed, row), row.job.name)
        for question in OF_THE_NETWORK:
            found += _guarded(question(observed, row, asked), row.job.name)
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: finding.severity != FAULT))


def _guarded(findings: Iterator[Finding], job: str) -> Iterator[Finding]:
    """Yield *findings*, and what stopped the check as the last of them."""
    try:
        yield from findings
    except RatectlError as error:
        fix = remedies.RETRY
        yield Finding(check="look-failed", job=job, text=str(error), fix=fix)
