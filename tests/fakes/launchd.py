"""A stateful ``launchctl`` as manuals and issue threads describe it; no Mac was at hand to compare.

The exit codes are those of ``launchctl error``. Unloading goes on after ``bootout`` has returned:
for some calls the label is still there, and loading it again fails with 5, as on a real Mac.
"""

from __future__ import annotations

import plistlib
from pathlib import Path

from ratectl.backends.steps import Completed

NO_SUCH_PROCESS, IO_ERROR, USAGE = 3, 5, 64
NO_DOMAIN, NO_SERVICE, DISABLED, BAD_PATH, UNSUPPORTED = 112, 113, 119, 122, 125
SAYS = {
    NO_SUCH_PROCESS: "No such process",
    IO_ERROR: "Input/output error",
    DISABLED: "Service is disabled",
    BAD_PATH: "Path had bad ownership/permissions",
    UNSUPPORTED: "Domain does not support specified action",
}


class Launchd:
    """One account's launchd: *domains* that are there, what each has loaded, what was disabled or enabled."""

    def __init__(self, machine, *, uid=501, at_the_screen=True):
        self.machine = machine
        self.domains = {"system", f"user/{uid}"} | ({f"gui/{uid}"} if at_the_screen else set())
        self.loaded: dict[str, bytes] = {}
        """Target (domain/label) to the property list as it was when it was loaded."""
        self.lingering: dict[str, int] = {}
        """Target to the number of calls for which it is still on its way out."""
        self.overrides: dict[str, bool] = {}
        """Target to whether it is disabled; nothing but ``enable`` and ``disable`` changes it, nothing removes it."""
        self.lingers = 2
        self.starts: list[str] = []
        """The targets that were started at load, in order."""

    def call(self, arguments):
        verbs = {
            "bootstrap": self._bootstrap,
            "bootout": self._bootout,
            "print": self._print,
            "print-disabled": self._print_disabled,
            "enable": lambda target: self._override(target, disabled=False),
            "disable": lambda target: self._override(target, disabled=True),
        }
        assert arguments[0] in verbs, f"the fake launchctl does not know {arguments}"
        return verbs[arguments[0]](*arguments[1:])

    def ended(self, target, code):
        """Note that what *target* started ended with *code*; return after how many seconds it is started again, if at all.

        By launchd.plist(5): KeepAlive with SuccessfulExit false keeps a job alive until it ends with 0, and no job
        is started more than once in ThrottleInterval seconds.
        """
        values = plistlib.loads(self.loaded[target])
        alive = values.get("KeepAlive", False)
        assert alive is False or alive == {"SuccessfulExit": False}, alive
        if alive is False or code == 0:
            return None
        self.starts.append(target)
        return values.get("ThrottleInterval", 10)

    def log_out(self):
        """End every session at the screen, with what it had loaded."""
        self.domains = {domain for domain in self.domains if not domain.startswith("gui/")}
        self.loaded = {t: data for t, data in self.loaded.items() if domain_of(t) in self.domains}

    def log_in(self, uid=501):
        """Begin a session at the screen, which loads the agents of the account."""
        self.domains.add(f"gui/{uid}")
        for path in self.machine.files:
            if path.parent.name == "LaunchAgents":
                self._bootstrap(f"gui/{uid}", str(path))

    def _bootstrap(self, domain, path):
        if domain not in self.domains:
            return failed("Bootstrap", UNSUPPORTED)
        data = self.machine.files.get(Path(path))
        values = plistlib.loads(data) if data and data.startswith(b"<?xml") else {}
        if not values.get("Label") or not values.get("ProgramArguments"):
            return failed("Bootstrap", IO_ERROR)
        if self.machine.modes.get(Path(path), 0o644) & 0o022:
            return failed("Bootstrap", BAD_PATH)
        target = f"{domain}/{values['Label']}"
        if self.overrides.get(target):
            return failed("Bootstrap", DISABLED)
        if target in self.loaded or self._is_lingering(target):
            return failed("Bootstrap", IO_ERROR)
        self.loaded[target] = data
        if values.get("RunAtLoad"):
            self.starts.append(target)
        return done()

    def _bootout(self, target):
        if domain_of(target) not in self.domains:
            return failed("Boot-out", UNSUPPORTED)
        if target not in self.loaded:
            return failed("Boot-out", NO_SUCH_PROCESS)
        del self.loaded[target]
        self.lingering[target] = self.lingers
        return done()

    def _print(self, target):
        if target in self.domains:
            return done(f"{target} = {{\n\ttype = login\n}}\n")
        domain, label = domain_of(target), target.rpartition("/")[2]
        if domain not in self.domains:
            kind, _, uid = target.partition("/")
            return done(code=NO_DOMAIN, stderr=f"Could not find domain for user {kind}: {uid}\n")
        if target in self.loaded:
            return done(f"{target} = {{\n\tstate = not running\n}}\n")
        if self._is_lingering(target):
            return done(f"{target} = {{\n\tstate = SIGTERMed\n}}\n")
        where = "system" if domain == "system" else f"user gui: {domain.partition('/')[2]}"
        said = f'Could not find service "{label}" in domain for {where}\n'
        return done(code=NO_SERVICE, stderr=f"Bad request.\n{said}")

    def _print_disabled(self, domain):
        assert domain in self.domains, domain
        rows = "".join(
            f'\t\t"{target.rpartition("/")[2]}" => {"disabled" if disabled else "enabled"}\n'
            for target, disabled in sorted(self.overrides.items())
            if domain_of(target) == domain
        )
        return done(f"\n\tdisabled services = {{\n{rows}\t}}\n")

    def _override(self, target, *, disabled):
        assert domain_of(target) in self.domains, target
        self.overrides[target] = disabled
        return done()

    def _is_lingering(self, target):
        left = self.lingering.pop(target, 0)
        if left > 1:
            self.lingering[target] = left - 1
        return left > 0


def domain_of(target):
    return target.rpartition("/")[0]


def done(stdout="", *, code=0, stderr=""):
    return Completed(code=code, stdout=stdout.encode(), stderr=stderr.encode())


def failed(what, code):
    return done(code=code, stderr=f"{what} failed: {code}: {SAYS[code]}\n")
