"""Every error that ratectl raises on purpose, and the exit code of each.

RatectlError
├── UsageError          2   a flag or argument that cannot be meant
├── DataError          65   an answer that failed a check
├── EngineError        69   the operating system's scheduler refused, or cannot be read
│   └── EngineAbsentError  69   it is not there
├── CannotCreateError  73   a file or folder cannot be made
├── StorageError       74   reading, writing or syncing failed
├── TryLaterError      75   offline, captive portal, provider down, clock wrong, lock taken
│   └── ClaimLostError 75   another host took the slot over
├── RefusedError       77   permission, key, plan or quota
└── ConfigError        78   the installation, an installed job or what is named of its record is not usable
    ├── RemovedJobError  78  a job that was removed, and whose record is kept
    ├── SpecError      78   every issue of one spec file
    │   └── SpecAbsentError  78  there is no such file
    └── ScheduleError  78   a schedule text without a meaning, or that never fires

Anything else that escapes is a bug: it keeps its traceback and exits with 1.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

EXIT_CODES: dict[int, str] = {
    0: "done, nothing due, or already recorded",
    1: "a bug in ratectl, whose traceback is kept; or a rate that was received longer ago than `status --max-age` says",
    2: "wrong usage, or changes are pending under `plan --detailed-exitcode`",
    65: "data failed a check",
    69: "the scheduler of the operating system is unavailable or refused",
    73: "a file or folder cannot be created",
    74: "storage cannot be read, written or synced",
    75: "try later: offline, captive portal, provider down, wrong clock; or stopped half-way, and the same command does the rest",
    77: "refused: permission, key or quota",
    78: "the spec or the configuration is wrong; a job, slot or answer that is named is not there, or stands otherwise; or `doctor` found a fault",
    130: "interrupted by Ctrl-C or Ctrl-D with nothing half-done, or a question was answered with no",
}
"""What each exit code of `ratectl` and `ratectl-fetch` means (the numbers are those of sysexits.h)."""


INTERRUPTED = 130
"""128 and the number of SIGINT, as shells report a program that Ctrl-C ended."""


class RatectlError(Exception):
    """Something that a person or the OS can mend; its text names the thing, the place, the next step."""

    exit_code = 1
    command = ""
    """What to type next, where the text says it and a program may want it."""
    topic = ""
    """The page of the manual that explains it, where one does."""

    def saying(self, text: str) -> Self:
        """Return an error like this one, whose text is *text*; what a kind of error is made of may be more than its text."""
        other = type(self).__new__(type(self), text)
        vars(other).update(vars(self))
        return other


class UsageError(RatectlError):
    """A flag or argument that cannot be meant."""

    exit_code = 2


class DataError(RatectlError):
    """An answer that failed a check."""

    exit_code = 65


class EngineError(RatectlError):
    """The operating system's scheduler is absent or said no."""

    exit_code = 69


class CannotCreateError(RatectlError):
    """A file or folder cannot be made."""

    exit_code = 73


class StorageError(RatectlError):
    """Reading, writing or syncing failed."""

    exit_code = 74


class TryLaterError(RatectlError):
    """Nothing is wrong here that time will not mend."""

    exit_code = 75


class RefusedError(RatectlError):
    """Permission, key, plan or quota."""

    exit_code = 77


class ConfigError(RatectlError):
    """The installation, an installed job or what is named of its record is not usable as it is."""

    exit_code = 78


class RemovedJobError(ConfigError):
    """A job that was removed, and whose record is kept.

    Attributes:
        job: its name, by which the journal still knows its spec.
    """

    def __init__(self, job: str) -> None:
        self.job = job
        super().__init__(
            f"job {job!r} was removed, and its record kept: `ratectl history {job}` shows it"
        )


class ScheduleError(ConfigError):
    """A schedule text that has no meaning, or a schedule that never fires.

    Attributes:
        message: what is wrong, one sentence.
        pointer: the text with carets under the word that is meant, two lines; may be empty.
    """

    topic = "schedules"

    def __init__(self, message: str, *, text: str = "", span: tuple[int, int] = (0, 0)) -> None:
        start, end = span
        self.message = message
        self.pointer = f"{text}\n{' ' * start}{'^' * (end - start)}" if end > start else ""
        super().__init__("\n".join(filter(None, (message, indented(self.pointer)))))


class Issue:
    """One thing wrong in a spec file: where it is, what was found, what was expected.

    Attributes:
        line: 1-based line in the file, or None where the file as a whole is meant.
        key: dotted path such as ``jobs.usd-inr.schedule``, or an empty string.
        message: what was found and what was expected, one sentence.
        pointer: the value with carets under the word that is meant, two lines; may be empty.
    """

    __slots__ = ("key", "line", "message", "pointer")

    def __init__(self, *, line: int | None, key: str, message: str, pointer: str = "") -> None:
        self.line = line
        self.key = key
        self.message = message
        self.pointer = pointer

    def __repr__(self) -> str:
        return f"Issue(line={self.line!r}, key={self.key!r}, message={self.message!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Issue):
            return NotImplemented
        return (self.line, self.key, self.message) == (other.line, other.key, other.message)

    def __hash__(self) -> int:
        return hash((self.line, self.key, self.message))


class SpecError(ConfigError):
    """Every issue of one spec file, in the order of its lines."""

    def __init__(self, path: str, issues: Sequence[Issue]) -> None:
        self.path = path
        self.issues = tuple(issues)
        self.topic = _topic(self.issues)
        from ratectl.wording import count  # noqa: PLC0415 - a firing, which reads no spec, starts without it

        head = f"{path} has {count(len(self.issues), 'issue')}, and nothing was done:"
        super().__init__("\n".join((head, *map(describe, self.issues))))


class SpecAbsentError(SpecError):
    """There is no file that could have issues."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(path, [Issue(line=None, key="", message=message)])
        self.topic = ""
        self.args = (f"{path}: {message}",)


TOPICS = {
    "schedule": "schedules",
    "from": "schedules",
    "until": "schedules",
    "output": "outputs",
    "providers": "providers",
    "kubernetes": "kubernetes",
}
"""The page that explains a key or a table of the spec better than that of all keys."""


def _topic(issues: Sequence[Issue]) -> str:
    """Return the page that explains all *issues*: that of their keys, or where these have several, that of the spec."""
    topics = {_topic_of_key(issue.key) for issue in issues}
    return topics.pop() if len(topics) == 1 else "spec"


def _topic_of_key(key: str) -> str:
    table, _, rest = key.partition(".")
    last = rest.rpartition(".")[2].partition("[")[0]
    return TOPICS.get(table) or TOPICS.get(last) or "spec"


def describe(issue: Issue) -> str:
    """Return *issue* as text below the name of its file: ``line N: key: message``, and the pointer if it has one."""
    location = f"line {issue.line}" if issue.line else ""
    parts = filter(None, (location, issue.key, issue.message))
    return "\n".join(filter(None, (f"  {': '.join(parts)}", indented(issue.pointer))))


def indented(text: str) -> str:
    """Return the lines of *text* set in by four blanks."""
    return "\n".join(f"    {line}" for line in text.splitlines())
