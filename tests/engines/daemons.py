"""The cron daemons of a sandbox: Debian's, cronie's and busybox's, put into the copy and started there.

Inside, ``cron-daemon start`` and ``cron-daemon stop`` do what a service manager would, with the
environment of /etc/default/cron-daemon. In the kind ``clocks`` nothing is started: Debian's cron stands by, with libfaketime to run it under.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from rootfs import run

ENGINES = Path(sys.prefix) / "engines"  # filled by scripts/test.py
NEEDED = {
    "cron": ("cron/usr/sbin/cron",),
    "clocks": ("cron/usr/sbin/cron", "faketime"),
    "cronie": ("cronie/crond",),
    "busybox": ("busybox/bin/busybox",),
}
COMMANDS = {
    "cron": "/usr/sbin/cron -f -L 15",
    "cronie": "/usr/sbin/crond -n",
    "busybox": "/usr/bin/busybox crond -f -l 8 -L /var/log/cron.log",
}
STARTER = """#!/bin/sh
pid=/run/cron-daemon.pid
case $1 in
start)
    settings=$(cat /etc/default/cron-daemon 2> /dev/null)
    setsid --fork env -i PATH=$PATH $settings sh -c 'echo $$ > /run/cron-daemon.pid; exec {command}' \\
        < /dev/null >> /var/log/cron.out 2>&1
    sleep 1.1  # a tab written in the second in which Debian's daemon starts goes unnoticed
    kill -0 "$(cat $pid)" ;;
stop)
    kill "$(cat $pid)" && while kill -0 "$(cat $pid)" 2> /dev/null; do sleep 0.05; done ;;
*)
    echo "usage: $0 start|stop" >&2
    exit 2 ;;
esac
"""


def missing(kind: str) -> str:
    """Return what of *kind* is not unpacked, or an empty text."""
    gone = [str(ENGINES / part) for part in NEEDED[kind] if not (ENGINES / part).exists()]
    return f"not there: {', '.join(gone)} (scripts/test.py fetches it)" if gone else ""


def install(kind: str) -> None:
    """Put the daemon of *kind* in place of any that the copy has, with a mailer that keeps what it is given."""
    for folder in (Path("/etc/cron.d"), Path("/var/spool/cron")):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    Path("/etc/crontab").unlink(missing_ok=True)
    run("groupadd", "--system", "--force", "crontab")
    run("install", "-m", "1730", "-g", "crontab", "-d", "/var/spool/cron/crontabs")
    {"cron": debian, "clocks": clocks, "cronie": cronie, "busybox": busybox}[kind]()
    if kind in COMMANDS:
        starter = Path("/usr/local/sbin/cron-daemon")
        starter.write_text(STARTER.format(command=COMMANDS[kind]))
        starter.chmod(0o755)
    mailer = Path("/usr/sbin/sendmail")
    mailer.unlink(missing_ok=True)
    mailer.write_text("#!/bin/sh\n{ echo; cat; } >> /var/log/cron.mail\n")
    mailer.chmod(0o755)
    Path("/var/log/cron.mail").touch()
    Path("/var/log/cron.mail").chmod(0o666)


def debian() -> None:
    """Install Debian's cron."""
    unpacked = ENGINES / "cron"
    run("install", "-m", "755", f"{unpacked}/usr/sbin/cron", "/usr/sbin/cron")
    client = ("-m", "2755", "-g", "crontab", f"{unpacked}/usr/bin/crontab")
    run("install", *client, "/usr/bin/crontab")
    session = (unpacked / "etc/pam.d/cron").read_text()
    # loginuid belongs to the kernel's audit, which no namespace has
    Path("/etc/pam.d/cron").write_text(re.sub(r"(?m)^.*pam_loginuid.*\n", "", session))


def clocks() -> None:
    """Install Debian's cron and libfaketime."""
    debian()
    (library,) = ENGINES.glob("faketime/usr/lib/*/faketime/libfaketime.so.1")
    run("install", "-m", "644", str(library), "/usr/lib/libfaketime.so.1")


def cronie() -> None:
    """Install cronie, whose ``crontab`` asks for a file that says who may use it."""
    run("install", "-m", "755", str(ENGINES / "cronie/crond"), "/usr/sbin/crond")
    run("install", "-m", "4755", str(ENGINES / "cronie/crontab"), "/usr/bin/crontab")
    Path("/etc/cron.allow").unlink(missing_ok=True)
    Path("/etc/cron.deny").touch()


def busybox() -> None:
    """Install busybox, one program that is its daemon and its ``crontab`` by name."""
    run("install", "-m", "4755", str(ENGINES / "busybox/bin/busybox"), "/usr/bin/busybox")
    Path("/usr/bin/crontab").unlink(missing_ok=True)
    Path("/usr/bin/crontab").symlink_to("busybox")


def become(kind: str) -> None:
    """Start the installed daemon of *kind*, and stay as its syslog and as reaper."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind("/dev/log")
        Path("/dev/log").chmod(0o666)
        if kind in COMMANDS:
            subprocess.run(("/usr/local/sbin/cron-daemon", "start"), check=True)
        Path("/run/cron.up").touch()
        keep_syslog(syslog)


def keep_syslog(syslog: socket.socket) -> None:
    """Write what daemons say to a file and reap orphans, for ever."""
    syslog.settimeout(0.2)
    with Path("/var/log/cron.log").open("ab", buffering=0) as log:
        while True:
            with contextlib.suppress(TimeoutError):
                log.write(syslog.recv(65536).rstrip(b"\0\n") + b"\n")
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
