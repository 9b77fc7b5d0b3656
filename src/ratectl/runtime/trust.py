"""Ways through the file system on which no other account can lead us elsewhere; the one door to outputs and state.

A path is walked name by name, each opened without following it and judged by what was opened. Links are
followed only where they are root's or ours. Root, and whoever opens by name (SQLite), also needs that no
folder on the way can be changed by others; any other account may write into folders of others, but only into
what really lies there. Windows has other rights, and keeps strangers out of profiles by itself.
"""

from __future__ import annotations

import errno
import os
import stat
import sys

from ratectl.errors import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SEARCH = getattr(os, "O_PATH", 0x40100000 if sys.platform == "darwin" else os.O_RDONLY)
"""Opens a folder that one may pass and not list; on macOS it is O_SEARCH, which Python has no name for."""
FOLDER = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
MOST_LINKS = 40
ROOT = 0
UNMAPPED = 65534
"""Whose things are that belong to nobody in this user namespace, see user_namespaces(7)."""
INSTALL = "ratectl install"
"""What whoever owns a place may do instead."""
RECORD = "journal.sqlite3"
"""How the names of the files begin that hold what was recorded."""
FOR_ALL = ("/tmp", "/var/tmp", "/dev/shm", "/private/tmp", "/private/var/tmp")  # noqa: S108
"""Where every account may make files, under a sticky mark."""


class UntrustedError(RefusedError):
    """Another account could change what lies at a path.

    Attributes:
        place: the folder, link or file that lets it.
        why: who could do what, to be read after the place.
        fix: the command that ends it.
    """

    def __init__(self, place: str, why: str, fix: str) -> None:
        self.place, self.why, self.fix = place, why, fix
        super().__init__(f"{place}: {why}; `{fix}`")


def open_file(
    path: str, flags: int, mode: int = 0o666, *, strict: bool | None = None, make: bool = False
) -> int:
    """Return a descriptor of the regular file at *path*, opened with *flags*; with *make* its folders are made, too.

    *strict*, by default for root, demands that nobody else can change any folder on the way or the file.
    Raises UntrustedError, or OSError as ``os.open`` does. What is no regular file is opened only where
    it is one's own, and never waits for anybody.
    """
    if sys.platform == "win32":
        if make:
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - pathlib is dear
        return os.open(path, flags, mode)
    way = Way(_is_strict(strict))
    try:
        name = way.to(path, make=make)
        before = way.status(name)
        if before is not None:
            way.judge_file(name, before)
        descriptor = way.open(name, flags, mode)
    finally:
        way.close()
    return descriptor


def open_folder(path: str, *, make: bool = False) -> int:
    """Return a descriptor of the folder at *path*, which can be given as ``dir_fd``; with *make* it is made.

    Raises UntrustedError or OSError.
    """
    way = Way(strict=False)
    try:
        way.enter_all(path, make=make)
        return os.dup(way.folder)
    finally:
        way.close()


def make_folder(path: str, mode: int, owner: int | None) -> None:
    """Make the folder *path* where there is none, and give it to *owner* (None: it stays ours).

    For another owner the folders above must be such that nobody else can change them. Raises UntrustedError, OSError.
    """
    if sys.platform == "win32":
        os.makedirs(path, mode, exist_ok=True)  # noqa: PTH103
        return
    way = Way(strict=owner is not None)
    try:
        name = way.to(path, make=True)
        if way.status(name) is not None:
            return
        way.make(name, mode if owner is None else 0o700)
        if owner is not None:
            way.enter(name)
            handle = os.open(".", os.O_RDONLY | FOLDER, dir_fd=way.folder)
            try:
                os.fchown(handle, owner, -1)
                os.fchmod(handle, mode)
            finally:
                os.close(handle)
    finally:
        way.close()


def fault(
    path: str, *, strict: bool | None = None, uid: int | None = None, alone: bool = False
) -> UntrustedError | None:
    """Return why another account could change what lies at *path*, or will; None where none could.

    What is not there, or may not be looked at, is nobody's fault here. It is looked at as the account *uid*
    sees it, by default ours. With *alone* nobody else may lay anything beside it either.
    """

    def look(way: Way) -> None:
        name = way.to(path)
        if alone:
            way.judge_neighbours(name)
        status = way.status(name)
        if status is not None and not stat.S_ISDIR(status.st_mode):
            way.judge_file(name, status)
        elif status is not None:
            way.enter(name)

    return _found(look, uid == ROOT if strict is None and uid is not None else strict, uid)


def fault_in(folder: str) -> UntrustedError | None:
    """Return why another account could change *folder*, or something in it, one level deep; None where none could.

    As :func:`fault` says of each of them, with a single walk to the folder.
    """

    def look(way: Way) -> None:
        way.enter_all(folder)
        for name in sorted(os.listdir(folder)):  # noqa: PTH208
            try:
                way.judge_entry(name)
            except OSError:
                continue  # that one thing may not be looked at; the others may

    return _found(look)


def _found(
    look: Callable[[Way], None], strict: bool | None = None, uid: int | None = None
) -> UntrustedError | None:
    """Return what *look* finds at fault on a walk, as the account *uid* sees it; None where nothing is, or may be looked at."""
    if sys.platform == "win32":
        return None
    way = None
    try:
        way = Way(_is_strict(strict), uid)
        look(way)
    except UntrustedError as error:
        return error
    except OSError:
        return None
    finally:
        if way is not None:
            way.close()
    return None


def require_private(path: str, *, make: bool = False) -> None:
    """Raise UntrustedError unless the folder at *path*, and all in it, is this account's alone; with *make* it is made so.

    An absent one is nobody's. Raises OSError as well.
    """
    if sys.platform == "win32":
        if make:
            os.makedirs(path, exist_ok=True)  # noqa: PTH103
        return
    way = Way(strict=True)
    try:
        name = way.to(path, make=make)
        if make:
            way.make(name, 0o700)
        elif way.status(name) is None:
            return
        way.enter(name)
        own = os.fstat(way.folder)
        if own.st_uid != way.me:
            text = f"the state directory belongs to {account(own.st_uid)}, not to {account(way.me)}"
            raise UntrustedError(way.place, text, _with_all_in_it(way.place, own.st_uid, way.me))
        if way.shared:
            text = "others may write to the state directory"
            raise UntrustedError(way.place, text, f"chmod 700 {quoted(way.place)}")
        if make and own.st_mode & 0o077:
            os.chmod(way.place, 0o700)  # noqa: PTH101 - nobody else can put another folder there
        _check_entries(way)
    finally:
        way.close()


def _check_entries(way: Way) -> None:
    """Raise UntrustedError where something in a state directory was laid there by others."""
    with os.scandir(way.place) as entries:
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # SQLite's own files come and go with other firings
                continue
            if not way.is_trusted(status):
                raise UntrustedError(
                    entry.path,
                    f"belongs to {account(status.st_uid)}, who may have laid it into the state directory",
                    _of_state(entry, status.st_uid, way.me),
                )


def real(path: str) -> str:
    """Return *path* with all links followed, as far as they can be: for comparing names, never for opening."""
    try:
        return os.path.realpath(path)
    except OSError:  # it changed while it was looked at
        return path


def account(uid: int) -> str:
    """Return how people call the account *uid*."""
    import pwd  # noqa: PLC0415 - POSIX only, and for messages

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"account {uid}"


def _login(uid: int) -> str:
    """Return how a command names the account *uid*."""
    name = account(uid)
    return str(uid) if " " in name else name


def is_root() -> bool:
    """Tell whether we are root, who trusts nobody else."""
    return sys.platform != "win32" and os.geteuid() == ROOT


def has_account(uid: int) -> bool:
    """Tell whether this machine has an account of the number *uid*."""
    import pwd  # noqa: PLC0415 - POSIX only

    return any(entry.pw_uid == uid for entry in pwd.getpwall())


def quoted(text: str) -> str:
    """Return *text* as a shell takes it for one word."""
    import shlex  # noqa: PLC0415 - for messages

    return shlex.quote(text)


def _with_rights(command: str, owner: int, me: int) -> str:
    """Return *command*, which changes something of *owner*'s, so that *me* may run it."""
    return command if me in {ROOT, owner} else f"sudo {command}"


def _ours(path: str, owner: int, me: int, options: str = "") -> str:
    """Return the command that ends that *path* is another account's: it becomes ours, but nothing in a home of theirs does."""
    if _is_at_home(path, owner):
        return f"sudo -u {account(owner)} -H {INSTALL}"
    return _with_rights(f"chown {options}{_login(me)} {quoted(path)}", owner, me)


def _with_all_in_it(path: str, owner: int, me: int) -> str:
    """Return the command that makes a state directory ours, with the record in it."""
    return _ours(path, owner, me, "-Rh ")


def _of_state(entry: os.DirEntry[str], owner: int, me: int) -> str:
    """Return what to do about a file of another account in our state directory: the record stays, all else is made anew."""
    if entry.name.startswith(RECORD) and not entry.is_symlink():
        return _with_rights(f"chown -h {_login(me)} {quoted(entry.path)}", owner, me)
    return f"rm -r {quoted(entry.path)}" if entry.is_dir() else f"rm {quoted(entry.path)}"


def _is_at_home(path: str, uid: int) -> bool:
    """Tell whether *path* is the home of the account *uid*, or lies in it."""
    import pwd  # noqa: PLC0415 - POSIX only, and for messages

    try:
        home = pwd.getpwuid(uid).pw_dir.rstrip("/")
    except KeyError:
        return False
    return uid != ROOT and bool(home) and f"{path}/".startswith(f"{home}/")


class Way:
    """One walk through the file system; holds the folder that it has come to open."""

    def __init__(self, strict: bool, uid: int | None = None) -> None:
        self.strict = strict
        self.me = os.geteuid() if uid is None else uid
        self.shared = False
        """Others may lay things into the folder that it has come to."""
        self.folder = os.open("/", SEARCH | FOLDER)
        self.place = "/"
        self.shared = self.judge_folder(os.fstat(self.folder), self.place)

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self.folder)

    def to(self, path: str, *, make: bool = False) -> str:
        """Go to the folder of what *path* names, through all links, and return its name there."""
        rest = _names(path if path.startswith("/") else f"{os.getcwd()}/{path}")  # noqa: PTH109
        links = 0
        while rest:
            name = rest.pop()
            target = self._target(name)
            if target is not None:
                links += 1
                if links > MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                rest += _names(target)
                if target.startswith("/"):
                    self._move(os.open("/", SEARCH | FOLDER), "/")
            elif rest:
                self.enter(name, make=make)
            else:
                return name
        return "."

    def enter_all(self, path: str, *, make: bool = False) -> None:
        """Go to the folder that *path* names itself."""
        self.enter(self.to(path, make=make), make=make)

    def enter(self, name: str, *, make: bool = False) -> None:
        """Go into the folder *name*, which is no link."""
        if make:
            self.make(name, 0o755 if self.strict else 0o777)
        place = os.path.normpath(os.path.join(self.place, name))  # noqa: PTH118 - no link is left in it
        self._move(os.open(name, SEARCH | FOLDER | NOFOLLOW, dir_fd=self.folder), place)

    def make(self, name: str, mode: int) -> None:
        """Make the folder *name* where there is nothing of that name."""
        if self.status(name) is None:
            try:  # noqa: SIM105 - contextlib is dear to a wakeup
                os.mkdir(name, mode, dir_fd=self.folder)
            except FileExistsError:
                pass

    def open(self, name: str, flags: int, mode: int) -> int:
        """Return a descriptor of the file *name* of this folder, judged once more as what was opened."""
        try:
            descriptor = os.open(name, flags | NOFOLLOW, mode, dir_fd=self.folder)
        except OSError as error:
            status = self.status(name) if error.errno == errno.ELOOP else None
            if status is None:
                raise
            raise _foreign_link(os.path.join(self.place, name), status) from error  # noqa: PTH118
        try:
            self.judge_file(name, os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def status(self, name: str) -> os.stat_result | None:
        """Return what is known of *name* itself; None where there is nothing."""
        try:
            return os.stat(name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def is_trusted(self, status: os.stat_result) -> bool:
        """Tell whether something is root's or ours."""
        return status.st_uid in {ROOT, self.me} or (
            status.st_uid == UNMAPPED and not self.shared and _hides_root()
        )

    def judge_neighbours(self, name: str) -> None:
        """Raise UntrustedError where others may lay a file beside *name*, which a sticky folder lets them."""
        if not self.shared:
            return
        own = os.path.join(self.place, f"{name}.d")  # noqa: PTH118
        why = (
            "others may lay files beside a database here, and SQLite would believe them; name "
            f"{own}/{name}, in a folder of its own"
        )
        fix = f"mkdir -m 700 {quoted(own)}"
        raise UntrustedError(self.place, why, fix)

    def judge_file(self, name: str, status: os.stat_result) -> None:
        """Raise UntrustedError where others could change, or have put there, the file *name* of this folder."""
        path = os.path.join(self.place, name)  # noqa: PTH118
        if stat.S_ISLNK(status.st_mode):  # it was none a moment ago
            raise _foreign_link(path, status)
        if self.strict and not self.is_trusted(status):
            raise UntrustedError(
                path,
                f"belongs to {account(status.st_uid)}, who could change it or lead it elsewhere",
                _ours(path, status.st_uid, self.me),
            )
        regular = stat.S_ISREG(status.st_mode)
        if self.strict and regular and self._open_to_others(status, path):
            fix = _with_rights(f"chmod go-w {quoted(path)}", status.st_uid, self.me)
            raise UntrustedError(path, "others may write to it", fix)
        if self.shared and regular and status.st_nlink > 1:
            raise UntrustedError(
                path,
                "has a second name elsewhere (a hard link), and others may have laid it there",
                f"mv {quoted(path)} {quoted(path + '.old')}",
            )

    def judge_entry(self, name: str) -> None:
        """Raise UntrustedError where others could change what *name* of this folder is: a file, a folder or a link to either."""
        status = self.status(name)
        path = os.path.join(self.place, name)  # noqa: PTH118
        if status is None:
            return
        if stat.S_ISLNK(status.st_mode):
            if (found := fault(path, strict=self.strict)) is not None:
                raise found
        elif stat.S_ISDIR(status.st_mode):
            self.judge_folder(status, path)
        else:
            self.judge_file(name, status)

    def judge_folder(self, status: os.stat_result, path: str) -> bool:
        """Tell whether others may lay things into the folder *path*; raise UntrustedError where they may, and that counts."""
        mine = self.is_trusted(status)  # of what lies in the folder before it
        shared = not mine or self._open_to_others(status, path)
        if not self.strict or not shared:
            return shared
        if not mine:
            raise UntrustedError(
                path,
                f"the folder belongs to {account(status.st_uid)}, who could put anything in its place",
                _ours(path, status.st_uid, self.me),
            )
        if not status.st_mode & stat.S_ISVTX:
            right = "+t" if path in FOR_ALL else "go-w"
            raise UntrustedError(
                path,
                "others may write to the folder, and could put anything in its place",
                _with_rights(f"chmod {right} {quoted(path)}", status.st_uid, self.me),
            )
        return shared

    def _target(self, name: str) -> str | None:
        """Return where the link *name* leads; None where it is none. Raises UntrustedError for one of others."""
        status = self.status(name)
        if status is None or not stat.S_ISLNK(status.st_mode):
            return None
        status, target = _read_link(name, self.folder)
        if not self.is_trusted(status) or (self.shared and status.st_nlink > 1):
            raise _foreign_link(os.path.join(self.place, name), status)  # noqa: PTH118
        return target

    def _move(self, folder: int, place: str) -> None:
        os.close(self.folder)
        self.folder, self.place = folder, place
        self.shared = self.judge_folder(os.fstat(folder), place)

    def _open_to_others(self, status: os.stat_result, path: str) -> bool:
        """Tell whether its permissions let another account write to it."""
        if status.st_mode & stat.S_IWOTH:
            return True
        return bool(status.st_mode & stat.S_IWGRP) and (
            not _is_lonely(status.st_gid, self.me) or _has_access_list(path)
        )


def _read_link(name: str, folder: int) -> tuple[os.stat_result, str]:
    """Return whose the link *name* is and where it leads, both of the very same link."""
    if hasattr(os, "O_PATH"):
        held = os.open(name, os.O_PATH | NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            return os.fstat(held), os.readlink("", dir_fd=held)
        finally:
            os.close(held)
    before = os.stat(name, dir_fd=folder, follow_symlinks=False)
    target = os.readlink(name, dir_fd=folder)
    after = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if (after.st_ino, after.st_ctime_ns) != (before.st_ino, before.st_ctime_ns):
        raise OSError(errno.ELOOP, "it was replaced while it was read")
    return after, target


def _foreign_link(path: str, status: os.stat_result) -> UntrustedError:
    return UntrustedError(
        path,
        f"is a link that {account(status.st_uid)} has laid there, and is not followed",
        f"rm {quoted(path)}",
    )


def _names(path: str) -> list[str]:
    """Return the names in *path*, the first one last."""
    return [name for name in reversed(path.split("/")) if name not in {"", "."}]


def _is_strict(strict: bool | None) -> bool:
    return os.geteuid() == ROOT if strict is None else strict


def _is_lonely(gid: int, me: int) -> bool:
    """Tell whether nobody but root and *me* belongs to the group *gid*, as to one that bears its account's name."""
    if gid == 0:
        return True  # as logrotate has it: a group that only trusted accounts are in
    import grp  # noqa: PLC0415 - POSIX only, and rarely asked
    import pwd  # noqa: PLC0415 - the same

    try:
        members = set(grp.getgrgid(gid).gr_mem)
    except KeyError:
        members = set()
    everyone = pwd.getpwall()  # which a server of accounts may not show
    ours = {entry.pw_name for entry in everyone if entry.pw_uid in {ROOT, me}} | {account(me)}
    return members <= ours and not any(
        entry.pw_gid == gid for entry in everyone if entry.pw_name not in ours
    )


def _has_access_list(path: str) -> bool:
    """Tell whether a POSIX access list gives more accounts a right than the mode shows."""
    if not hasattr(os, "getxattr"):
        return False
    try:
        return bool(os.getxattr(path, "system.posix_acl_access", follow_symlinks=False))
    except OSError:
        return False


def _hides_root() -> bool:
    """Tell whether in this user namespace root's things look as if they were nobody's.

    Where root is shown as root, as to a system unit with ``PrivateUsers=``, nobody's things are strangers'.
    """
    try:
        with open("/proc/self/uid_map", encoding="ascii") as file:  # noqa: PTH123 - pathlib is dear
            ranges = [tuple(map(int, line.split())) for line in file]
    except (OSError, ValueError):
        return False
    return all(length < UNMAPPED and outside != ROOT for _, outside, length in ranges)
