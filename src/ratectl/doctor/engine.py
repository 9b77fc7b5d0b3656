"""Whether the engines that are to wake us are there, at work, and will start anything for this account."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ratectl.backends.cron import backend as cron
from ratectl.backends.kubernetes import backend as kubernetes
from ratectl.backends.systemd import backend as systemd
from ratectl.deploy import select_backend
from ratectl.doctor import remedies
from ratectl.doctor.finding import Finding, warning
from ratectl.errors import EngineError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ratectl.backends.protocol import ClusterTarget
    from ratectl.deploy.targets import Target
    from ratectl.doctor.observations import Observations

ALLOW, DENY = Path("/etc/cron.allow"), Path("/etc/cron.deny")
SHADOW = Path("/etc/shadow")
LOCK = "rundll32.exe user32.dll,LockWorkStation"
OTHERS_MAY_WRITE = 0o022


def unscheduled(scene: Observations) -> Iterator[Finding]:
    """Find, where no job is installed yet, that none could be."""
    if scene.jobs or scene.entries or scene.refused or scene.journal_error or scene.names:
        return
    try:
        select_backend.select(
            scene.host, scene.reader, (), backend=select_backend.AUTO, scope=select_backend.AUTO
        )
    except EngineError as error:
        yield Finding(check="engine-absent", text=str(error), mend="ratectl serve")


def engines(scene: Observations) -> Iterator[Finding]:
    """Find engines that are absent, asleep or silent, for each that a job counts on."""
    for target in scene.sites:
        if target in scene.refused:
            if target.host.cluster is not None and isinstance(scene.refused[target], RefusedError):
                yield from _cluster(scene, target, target.host.cluster)
            continue
        if target.backend is cron:
            yield from _cron(target)
        elif target.backend is systemd:
            yield from _systemd(scene, target)
        elif target.host.cluster is not None:
            yield from _cluster(scene, target, target.host.cluster)
        else:
            yield from _other(scene, target)
    for target, error in scene.refused.items():
        yield _refused(target, str(error), closed=isinstance(error, RefusedError))


def _cron(target: Target) -> Iterator[Finding]:
    host, reader = target.host, target.reader
    name = "cron" if reader.which("cron") or not reader.which("crond") else "crond"
    if reader.which("crontab") is None:
        mend = remedies.package(host, reader, "cron")
        yield Finding(check="engine-absent", text="cron: there is no `crontab` program", mend=mend)
    elif told := cron.warnings(reader, host, target.scope):
        mend = remedies.start_service(host, reader, name)
        yield Finding(check="daemon-not-running", text=told[0], mend=mend)
    status = reader.status(cron.DROP_IN) if target.scope == "system" else None
    if status is not None and (status.owner != 0 or status.mode & OTHERS_MAY_WRITE):
        yield Finding(
            check="cron-file-ignored",
            text=f"{cron.DROP_IN}: cron reads it only when it is root's and nobody else may write to it",
            mend=f"chown root:root {cron.DROP_IN} && chmod 644 {cron.DROP_IN}",
        )


def _systemd(scene: Observations, target: Target) -> Iterator[Finding]:
    host, reader = target.host, target.reader
    problem = systemd.detect(reader, host, target.scope)
    lingers = not systemd.warnings(reader, host, target.scope)
    linger = remedies.as_root(host, f"loginctl enable-linger {host.user}")
    if not reader.is_folder(systemd.BOOTED) or reader.which("systemctl") is None:
        mend = f"{scene.again} --backend cron"
        yield Finding(check="engine-absent", text=problem, mend=mend)
        return
    if problem and target.scope == "user":
        start = remedies.as_root(host, f"systemctl start user@{host.uid}.service")
        mend = start if lingers else linger
        yield Finding(check="no-user-bus", text=problem, mend=mend)
    elif problem:
        mend = "systemctl daemon-reexec"
        yield Finding(check="manager-silent", text=problem, mend=mend)
    if not lingers:
        text = f"systemd: user timers stop when {host.user} logs out, and do not start at boot"
        yield Finding(check="linger-off", text=text, mend=linger)


def _cluster(scene: Observations, target: Target, cluster: ClusterTarget) -> Iterator[Finding]:
    """Find what of the least Role is missing: the next install or removal would be refused."""
    if problem := target.backend.detect(target.reader, target.host, target.scope):
        yield Finding(check="engine-absent", text=problem, mend=scene.again)
        return
    if missing := kubernetes.missing_rights(target.reader, cluster):
        yield Finding(
            check="rights-missing",
            text=f"{target}: you lack the right to {', '.join(missing)} cronjobs.batch; the README has the least Role",
            mend=remedies.typed(target.host, *kubernetes.asking_for(cluster, missing[0])),
        )


def _other(scene: Observations, target: Target) -> Iterator[Finding]:
    host, reader = target.host, target.reader
    if problem := target.backend.detect(reader, host, target.scope):
        yield Finding(check="engine-absent", text=problem, mend=scene.again)
    for text in target.backend.warnings(reader, host, target.scope):
        mend = LOCK  # which, unlike logging off, leaves the session alive
        if "system" in target.backend.SCOPES:
            mend = remedies.as_root(host, f"{scene.again} --scope system")
        yield warning(check="only-while-logged-in", text=text, mend=mend)


def _refused(target: Target, text: str, *, closed: bool) -> Finding:
    host, reader = target.host, target.reader
    if host.cluster is not None:
        mend = remedies.typed(host, *kubernetes.looking(host.cluster))
        return Finding(check="engine-unreadable", text=text, mend=mend)
    if closed and target.backend is cron:
        if reader.status(ALLOW) is not None:
            mend = remedies.as_root(host, f"sh -c 'echo {host.user} >> {ALLOW}'")
        else:
            mend = remedies.as_root(host, f"sed -i '/^{host.user}$/d' {DENY}")
        return Finding(check="crontab-refused", text=text, mend=mend)
    mend = "crontab -e" if target.backend is cron else "ratectl list"
    return Finding(check="engine-unreadable", text=text, mend=mend)


def account(scene: Observations) -> Iterator[Finding]:
    """Find that the account or its password has expired: cron and user managers then start nothing, silently."""
    asked = [
        s for s in scene.sites if s.backend is cron or (s.backend, s.scope) == (systemd, "user")
    ]
    if scene.host.platform != "linux" or not asked:
        return
    today = scene.now.date()
    gone = _expired_by_shadow(scene, today) if scene.host.root else _expired_by_chage(scene, today)
    if gone:
        user = scene.host.user
        what = "chage -E -1" if gone == "account" else "passwd"
        yield Finding(
            check="account-expired",
            text=f"the {gone} of {user} has expired, so PAM lets no scheduler start anything for it",
            mend=remedies.as_root(scene.host, f"{what} {user}"),
        )


def _expired_by_shadow(scene: Observations, today: dt.date) -> str:
    """Return what of root's own account has expired, by the rules of pam_unix(8)."""
    text = (scene.reader.read(SHADOW) or b"").decode("utf-8", "replace")
    told = re.search(rf"^{re.escape(scene.host.user)}:(.*)$", text, re.MULTILINE)
    if not told:
        return ""
    fields = [int(field) if field.lstrip("-").isdigit() else -1 for field in told[1].split(":")]
    _, changed, _, most, _, _, expires, *_ = [*fields, *(-1,) * 8]
    day = (today - dt.date(1970, 1, 1)).days
    if 0 <= expires <= day:
        return "account"
    aged = changed > 0 and 0 <= most < day - changed
    return "password" if changed == 0 or aged else ""


def _expired_by_chage(scene: Observations, today: dt.date) -> str:
    """Return what of the account has expired, as ``chage`` tells its owner."""
    answer = scene.reader.query(("chage", "-l", scene.host.user))
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
