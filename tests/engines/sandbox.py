"""A throw-away copy of this machine in which a real scheduler runs: a cron daemon or systemd.

Usage (root, Linux): ``sandbox.py run KIND CMD...``, or ``hold KIND``, which prints the
sandbox's process id and keeps it until stdin closes, with ``exec PID [--user NAME] CMD...``
beside it; the line ``off`` on its stdin cuts the power, ``on`` boots from the same disk.
Everything written inside is gone afterwards, and the host's clock cannot be set.
"""

# ruff: noqa: S606, T201 - a program that prints its answers and becomes others
from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import daemons
from rootfs import furnish, lay_root, raise_loopback, run

KINDS = (*daemons.NEEDED, "systemd")
USERS = ("tester", "keeper")
SYSTEMD = Path("/lib/systemd/systemd")
PROGRAMS = ("unshare", "nsenter", "setpriv", "mount", "useradd")
MS_PRIVATE, MS_REC = 1 << 18, 1 << 14  # <sys/mount.h>
MADE = Path("/etc/ratectl-sandbox")  # the copy was furnished at an earlier boot
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# The wall clock has no namespace: with CAP_SYS_TIME a test could set it for the whole machine.
DROPPED = "-sys_time,-sys_module,-sys_rawio,-wake_alarm"
WITHOUT_CLOCK = ("setpriv", f"--bounding-set={DROPPED}", f"--inh-caps={DROPPED}")

# Statically wanted units of a booting machine that have nothing to do in a namespace.
MASKED = (
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "getty@.service",
    "console-getty.service",
    "modprobe@.service",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-modules-load.service",
    "systemd-networkd.service",
    "systemd-resolved.service",
    "systemd-sysctl.service",
    "systemd-timesyncd.service",
    "systemd-udev-trigger.service",
    "systemd-udevd.service",
    "systemd-update-utmp-runlevel.service",
    "systemd-update-utmp.service",
)


def missing(kind: str) -> str:
    """Return why a sandbox of *kind* cannot be made here, or an empty text when it can."""
    if platform.system() != "Linux" or os.geteuid() != 0:
        return "namespaces need root on Linux"
    absent = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if absent:
        return f"programs not found: {', '.join(absent)}"
    if kind in daemons.NEEDED:
        return daemons.missing(kind)
    parts = (SYSTEMD, Path("/usr/bin/dbus-daemon"), Path("/usr/bin/loginctl"))
    gone = [str(part) for part in parts if not part.exists()]
    return f"not installed: {', '.join(gone)} (scripts/test.py does that)" if gone else ""


def execute(pid: str, user: str, command: list[str]) -> None:
    """Become *command*, run by *user* inside the sandbox whose first process is *pid*."""
    inside = (
        "env -i PATH=$PATH LANG=C.UTF-8 TERM=dumb USER=$0 LOGNAME=$0 HOME=$H XDG_RUNTIME_DIR=$R"
    )
    script = (
        'H=$(getent passwd "$0" | cut -d: -f6); R=/run/user/$(id -u "$0"); cd "$H"; '
        f'exec setpriv --reuid "$0" --regid "$(id -g "$0")" --init-groups {inside} "$@"'
    )
    # its root, too: where the machine is a chroot, that of its mount namespace is another
    entering = ("nsenter", f"--target={pid}", "--all", "--root", "--wd", "--", *WITHOUT_CLOCK)
    os.execvpe("nsenter", (*entering, "sh", "-c", script, user, *command), {"PATH": PATH})


def hold(kind: str) -> None:
    """Boot a sandbox of *kind*, print the id of its first process, obey stdin until it closes."""
    work = Path(tempfile.mkdtemp(prefix="ratectl-sandbox-"))
    run("mount", "-t", "tmpfs", "-o", "size=4g,mode=755", "tmpfs", str(work))
    group = own_cgroup(work)
    launcher = None
    try:
        launcher = boot(kind, work, group)
        for line in sys.stdin:
            if launcher is not None:
                cut_power(launcher, group)
                launcher = None
            if line == "on\n":
                launcher = boot(kind, work, group)
            else:
                print("off", flush=True)
    finally:
        if launcher is not None:
            cut_power(launcher, group)
        run("umount", "--lazy", str(work))
        work.rmdir()


def boot(kind: str, work: Path, group: Path) -> subprocess.Popen[bytes]:
    """Start the scheduler from the disk in *work* and print the id of its first process."""
    group.mkdir()
    launcher = launch(kind, work, group)
    try:
        first = first_process(launcher)
        wait_until_up(kind, first, launcher)
    except SystemExit:
        cut_power(launcher, group)
        raise
    print(first, flush=True)
    return launcher


def cut_power(launcher: subprocess.Popen[bytes], group: Path) -> None:
    """Kill everything inside at once."""
    launcher.kill()  # unshare --kill-child takes all else along
    launcher.wait()
    remove_cgroup(group)


def remove_cgroup(group: Path) -> None:
    """Remove *group* and what is in it, as soon as the last killed process has left it."""
    for _ in range(100):
        for folder in sorted(group.glob("**/"), reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()
        if not group.exists():
            return
        time.sleep(0.05)


def own_cgroup(work: Path) -> Path:
    """Return where a new cgroup can be made: in a private mount of the hierarchy that systemd wants."""
    mounted = work / "cgroup2"
    mounted.mkdir()
    run("mount", "-t", "cgroup2", "cgroup2", str(mounted))
    return mounted / f"ratectl-{os.getpid()}"


def launch(kind: str, work: Path, group: Path) -> subprocess.Popen[bytes]:
    """Start this module's :func:`first_steps` as the first process of new namespaces."""
    join = f"echo $$ > {group}/cgroup.procs; exec " + '"$@"'
    spaces = ("--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup")
    unshare = (*WITHOUT_CLOCK, "unshare", "--fork", "--kill-child", *spaces)
    inner = (sys.executable, __file__, "_first", kind, str(work))
    return subprocess.Popen(
        ("sh", "-c", join, "sh", *unshare, *inner), stdin=subprocess.DEVNULL, stdout=sys.stderr
    )


def first_process(launcher: subprocess.Popen[bytes]) -> int:
    """Return the id, as the host sees it, of the process that *launcher* forked."""
    children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children")
    for _ in range(500):
        text = children.read_text() if children.exists() else ""
        if text.strip():
            return int(text.split()[0])
        time.sleep(0.01)
    sys.exit("sandbox: the namespaces were not made")


def wait_until_up(kind: str, first: int, launcher: subprocess.Popen[bytes]) -> None:
    """Return when the scheduler inside is at work."""
    systemctl = ["sh", "-c", "systemctl is-system-running | grep -qE 'running|degraded'"]
    probe = systemctl if kind == "systemd" else ["test", "-e", "/run/cron.up"]
    for _ in range(600):
        if launcher.poll() is not None:
            sys.exit(f"sandbox: {kind} ended while starting")
        argv = (sys.executable, __file__, "exec", str(first), *probe)
        if subprocess.run(argv, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return
        time.sleep(0.05)
    sys.exit(f"sandbox: {kind} did not come up within a minute")


def first_steps(kind: str, work: Path) -> None:
    """As the first process of the new namespaces: build the root, enter it, start the scheduler."""
    root = lay_root(work)
    furnish(root)
    enter(root)
    run("mount", "--make-rshared", "/")
    raise_loopback()
    if not MADE.exists():
        make_accounts_and_scheduler(kind)
    os.environ.clear()
    os.environ.update(PATH=PATH, LANG="C.UTF-8", container="ratectl")
    if kind in daemons.NEEDED:
        daemons.become(kind)
    become_systemd()


def enter(root: Path) -> None:
    """Make *root* the root of this mount namespace, also where the machine around it is a chroot.

    In a chroot the kernel lets nobody make a user namespace (EPERM in user_namespaces(7)), which a
    confined unit needs; so leave it first, as the notes of chroot(2) describe.
    """
    system = ctypes.CDLL(None, use_errno=True)
    place = os.open(root, os.O_PATH)
    os.mkdir(".old", dir_fd=place)
    os.fchdir(place)
    os.chroot(".old")
    while not Path().samefile(".."):
        os.chdir("..")
    os.chroot(".")
    checked(system.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
    os.fchdir(place)
    os.close(place)
    checked(system.pivot_root(b".", b".old"))
    os.chdir("/")
    run("umount", "--lazy", "/.old")
    Path("/.old").rmdir()


def checked(answer: int) -> None:
    """Raise OSError unless a call of the C library says that it succeeded."""
    if answer:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def make_accounts_and_scheduler(kind: str) -> None:
    """Change the copy, once, into a machine on which only the scheduler of *kind* is there."""
    for user in USERS:
        run("useradd", "--create-home", "--shell", "/bin/sh", user)
    if kind in daemons.NEEDED:
        daemons.install(kind)
    else:
        forget_what_is_enabled()
    MADE.touch()


def forget_what_is_enabled() -> None:
    """Leave of the host's units and generators only what a namespace can run."""
    Path("/etc/machine-id").write_text(f"{uuid.uuid4().hex}\n")
    Path("/etc/fstab").write_text("")
    units = Path("/etc/systemd/system")
    for wanted in (*units.glob("*.wants"), *Path("/etc/systemd/user").glob("*.wants")):
        if wanted.name != "sockets.target.wants":  # the user's bus is among them
            shutil.rmtree(wanted)
    for name in MASKED:
        mask(units / name)
    foreign = {"systemd-sysv-generator", "systemd-cron-generator"}
    generators = Path("/etc/systemd/system-generators")
    generators.mkdir(exist_ok=True)
    for generator in Path("/lib/systemd/system-generators").iterdir():
        if generator.name in foreign or not generator.name.startswith("systemd-"):
            mask(generators / generator.name)


def become_systemd() -> None:
    """Let systemd take over this process."""
    Path("/run/host").mkdir()
    Path("/run/host/container-manager").write_text("ratectl\n")
    options = ("--system", "--unit=multi-user.target", "--show-status=no")
    os.execv(SYSTEMD, (str(SYSTEMD), *options))


def mask(unit: Path) -> None:
    """Point *unit* to nowhere, which is how systemd is told to ignore it."""
    unit.unlink(missing_ok=True)
    unit.symlink_to("/dev/null")


def run_once(kind: str, command: list[str]) -> int:
    """Run *command* as root in a sandbox of its own and return its exit code."""
    hold_argv = (sys.executable, __file__, "hold", kind)
    with subprocess.Popen(hold_argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        first = holder.stdout.readline().decode().strip()
        if not first:
            return holder.wait()
        argv = (sys.executable, __file__, "exec", first, *command)
        return subprocess.run(argv, check=False).returncode


def main(argv: list[str]) -> int:
    """Do what the module docstring says; ``_held`` and ``_first`` are its own later stages."""
    match argv:
        case ["missing", kind] if kind in KINDS:
            print(missing(kind))
            return 0
        case ["hold", kind] if kind in KINDS:
            if reason := missing(kind):
                sys.exit(f"sandbox: {reason}")
            private = ("unshare", "--mount", "--propagation=private")
            os.execvp("unshare", (*private, sys.executable, __file__, "_held", kind))
        case ["_held", kind]:
            hold(kind)
        case ["_first", kind, work]:
            first_steps(kind, Path(work))
        case ["exec", pid, "--user", user, *command] if command:
            execute(pid, user, command)
        case ["exec", pid, *command] if command:
            execute(pid, "root", command)
        case ["run", kind, *command] if kind in KINDS and command:
            return run_once(kind, command)
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
