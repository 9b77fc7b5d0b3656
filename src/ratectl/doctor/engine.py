"""Whether the engines that are to wake us are there, at work, and will start anything for this account."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl import paths
from ratectl.backends.cron import backend as cron
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.systemd import backend as systemd
from ratectl.backends.windows import backend as windows
from ratectl.deploy import remedies, select_backend, targets
from ratectl.deploy.targets import Target
from ratectl.doctor.finding import Finding, warning
from ratectl.errors import EngineError, RatectlError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.backends.host import ClusterTarget
    from ratectl.doctor.observations import Observations

ALLOW, DENY = Path("/etc/cron.allow"), Path("/etc/cron.deny")
SHADOW = Path("/etc/shadow")
LOCK = "rundll32.exe user32.dll,LockWorkStation"
OTHERS_MAY_WRITE = 0o022


def unscheduled(observed: Observations) -> Iterator[Finding]:
    """Find, where no job is installed yet, that none could be."""
    if (
        observed.jobs
        or observed.entries
        or observed.refused
        or observed.journal_error
        or observed.names
    ):
        return
    if observed.planned is not None:
        yield from _planned(observed, observed.planned)
        return
    try:
        select_backend.select(
            observed.host,
            observed.reader,
            (),
            backend=select_backend.AUTO,
            scope=select_backend.AUTO,
        )
    except EngineError as error:
        yield Finding(check="engine-absent", text=str(error), fix=_by_serving(observed))


def _by_serving(observed: Observations) -> str:
    """Return what wakes jobs where there is no engine: ``serve`` of the usual spec, which has to be there."""
    path = Path(paths.config_dir()) / "jobs.toml"
    serve = remedies.typed(observed.host, "ratectl", "serve", str(path))
    if observed.reader.status(path) is not None:
        return serve
    return f"install cron, or write a spec by `ratectl init` and start `{serve}`"


def _planned(observed: Observations, cluster: ClusterTarget) -> Iterator[Finding]:
    """Find why nothing could be installed in the *cluster* that the spec names."""
    host = replace(observed.host, cluster=cluster)
    target = Target(backend=kubernetes, scope="user", host=host, reader=observed.reader)
    try:
        target = targets.located(target)
        target.backend.inspect(target.reader, target.host, target.scope)
    except RatectlError as error:
        yield from _closed(observed, target, target.host.cluster or cluster, error)
        return
    yield from _cluster(observed, target, target.host.cluster or cluster)


def engines(observed: Observations) -> Iterator[Finding]:
    """Find engines that are absent, asleep or silent, for each that a job counts on."""
    for target in observed.targets:
        if target in observed.refused:
            continue
        if target.backend is cron:
            yield from _cron(target)
        elif target.backend is systemd:
            yield from _systemd(observed, target)
        elif target.host.cluster is not None:
            yield from _cluster(observed, target, target.host.cluster)
        else:
            yield from _other(observed, target)
    for target, error in observed.refused.items():
        if target.host.cluster is not None:
            yield from _closed(observed, target, target.host.cluster, error)
        else:
            yield _refused(target, error)


def _cron(target: Target) -> Iterator[Finding]:
    host, reader = target.host, target.reader
    name = "cron" if reader.which("cron") or not reader.which("crond") else "crond"
    if reader.which("crontab") is None:
        fix = remedies.package(host, reader, "cron")
        yield Finding(check="engine-absent", text="cron: there is no `crontab` program", fix=fix)
    elif warnings := cron.warnings(reader, host, target.scope):
        fix = remedies.start_service(host, reader, name)
        yield Finding(check="daemon-not-running", text=warnings[0], fix=fix)
    status = reader.status(cron.DROP_IN) if target.scope == "system" else None
    if status is not None and (status.owner != 0 or status.mode & OTHERS_MAY_WRITE):
        yield Finding(
            check="cron-file-ignored",
            text=f"{cron.DROP_IN}: cron reads it only when it is root's and nobody else may write to it",
            fix=f"chown root:root {cron.DROP_IN} && chmod 644 {cron.DROP_IN}",
        )


def _systemd(observed: Observations, target: Target) -> Iterator[Finding]:
    host, reader = target.host, target.reader
    problem = systemd.detect(reader, host, target.scope)
    lingers = not systemd.warnings(reader, host, target.scope)
    linger = remedies.as_root(host, f"loginctl enable-linger {host.user}")
    if not reader.is_folder(systemd.BOOTED) or reader.which("systemctl") is None:
        fix = observed.reinstall("--backend", "cron")
        yield Finding(check="engine-absent", text=problem, fix=fix)
        return
    if problem and target.scope == "user":
        start = remedies.as_root(host, f"systemctl start user@{host.uid}.service")
        fix = start if lingers else linger
        yield Finding(check="no-user-bus", text=problem, fix=fix)
    elif problem:
        fix = "systemctl daemon-reexec"
        yield Finding(check="manager-silent", text=problem, fix=fix)
    if not lingers:
        text = f"systemd: user timers stop when {host.user} logs out, and do not start at boot"
        yield Finding(check="linger-off", text=text, fix=linger)


def _closed(
    observed: Observations, target: Target, cluster: ClusterTarget, error: RatectlError
) -> Iterator[Finding]:
    """Find that a cluster does not let us look, or rather that kubectl is gone, or which rights we would need."""
    absent = target.backend.detect(target.reader, target.host, target.scope)
    asks = absent or isinstance(error, RefusedError)
    why = list(_cluster(observed, target, cluster)) if asks else []
    yield from why
    if not why:
        looking = remedies.typed(target.host, *kubernetes.looking(cluster))
        fix = error.command or looking
        yield Finding(check="engine-unreadable", text=str(error), fix=fix)


def _cluster(observed: Observations, target: Target, cluster: ClusterTarget) -> Iterator[Finding]:
    """Find what of the least Role is missing: the next install or removal would be refused."""
    if problem := target.backend.detect(target.reader, target.host, target.scope):
        yield Finding(check="engine-absent", text=problem, fix=observed.reinstall_command)
        return
    if missing := kubernetes.missing_rights(target.reader, cluster):
        yield Finding(
            check="rights-missing",
            text=f"{target}: you lack the right to {', '.join(missing)} cronjobs.batch; whoever runs the cluster can "
            "make the Role of `ratectl manual kubernetes` and bind it to you",
            fix=remedies.typed(target.host, *kubernetes.role(cluster)),
        )


def _other(observed: Observations, target: Target) -> Iterator[Finding]:
    host, reader = target.host, target.reader
    if problem := target.backend.detect(reader, host, target.scope):
        yield Finding(check="engine-absent", text=problem, fix=observed.reinstall_command)
    unattended = target.backend is windows and host.root  # its caveat is no fault
    caveats = () if unattended else target.backend.warnings(reader, host, target.scope)
    for text in caveats:
        fix = LOCK  # which, unlike logging off, leaves the session alive
        if "system" in target.backend.SCOPES:
            fix = remedies.as_root(host, observed.reinstall("--scope", "system"))
        yield warning(check="only-while-logged-in", text=text, fix=fix)


def _refused(target: Target, error: RatectlError) -> Finding:
    host, reader, text = target.host, target.reader, str(error)
    if isinstance(error, RefusedError) and target.backend is cron:
        if reader.status(ALLOW) is not None:
            fix = remedies.as_root(host, f"sh -c 'echo {host.user} >> {ALLOW}'")
        else:
            fix = remedies.as_root(host, f"sed -i '/^{host.user}$/d' {DENY}")
        return Finding(check="crontab-refused", text=text, fix=fix)
    look = "crontab -e" if target.backend is cron else "ratectl list"
    fix = remedies.as_root(host, error.command) if error.command else look
    return Finding(check="engine-unreadable", text=text, fix=fix)


def account(observed: Observations) -> Iterator[Finding]:
    """Find that the account or its password has expired: cron and user managers then start nothing, silently."""
    asked = [
        s
        for s in observed.targets
        if s.backend is cron or (s.backend, s.scope) == (systemd, "user")
    ]
    if observed.host.platform != "linux" or not asked:
        return
    today = observed.now.date()
    gone = (
        _expired_by_shadow(observed, today)
        if observed.host.root
        else _expired_by_chage(observed, today)
    )
    if gone:
        user = observed.host.user
        what = "chage -E -1" if gone == "account" else "passwd"
        yield Finding(
            check="account-expired",
            text=f"the {gone} of {user} has expired, so PAM lets no scheduler start anything for it",
            fix=remedies.as_root(observed.host, f"{what} {user}"),
        )


def _expired_by_shadow(observed: Observations, today: dt.date) -> str:
    """Return what of root's own account has expired, by the rules of pam_unix(8)."""
    text = (observed.reader.read(SHADOW) or b"").decode("utf-8", "replace")
    match = re.search(rf"^{re.escape(observed.host.user)}:(.*)$", text, re.MULTILINE)
    if not match:
        return ""
    fields = [int(field) if field.lstrip("-").isdigit() else -1 for field in match[1].split(":")]
    _, changed, _, max_age, _, _, expires, *_ = [*fields, *(-1,) * 8]
    day = (today - dt.date(1970, 1, 1)).days
    if 0 <= expires <= day:
        return "account"
    aged = changed > 0 and 0 <= max_age < day - changed
    return "password" if changed == 0 or aged else ""


def _expired_by_chage(observed: Observations, today: dt.date) -> str:
    """Return what of the account has expired, as ``chage`` tells its owner."""
    answer = observed.reader.query(("chage", "-l", observed.host.user))
    if answer.code:
        return ""
    said = dict(
        re.findall(
            r"^([^\n:]+?)\s*:\s*(.+)$", answer.stdout.decode("utf-8", "replace"), re.MULTILINE
        )
    )
    if _is_past(said.get("Account expires", ""), today):
        return "account"
    expires = said.get("Password expires", "")
    return "password" if "must be changed" in expires or _is_past(expires, today) else ""


def _is_past(text: str, today: dt.date) -> bool:
    for form in ("%b %d, %Y", "%Y-%m-%d"):
        try:
            return dt.datetime.strptime(f"{text.strip()} +0000", f"{form} %z").date() <= today
        except ValueError:
            continue
    return False
