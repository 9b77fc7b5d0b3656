"""ratectl-fetch: argv -> exit code. Mostly woken with nothing due, so that path imports next to nothing.

What is installed beside us is loaded only when there is work. Not due means: stored less than a day ago, with the
zone data of today.
"""

import os
import sys

USAGE = "usage: ratectl-fetch JOB|--sweep [--state DIR] [--slot T | --force | --snapshot J] [--again] [-v]"
HELP = f"""{USAGE}

Settle the due slots of an installed JOB: fetch, record, append, exit.

  --sweep        instead of one JOB all that owe a slot, as crontabs do at boot and every 5 minutes
  --state DIR    the state directory (default: RATECTL_STATE_DIR, else this account's)
  --slot T       settle the one slot T (ISO 8601; without an offset in the job's zone)
  --force        record a manual slot now, whatever is due
  --snapshot J   fire the job that the JSON text J is, as Kubernetes does; says one line of JSON
  --serve-journal
                 answer root's questions about this account's journal, on stdin and stdout
  --again        end with 0 unless what failed is to be tried again, as for launchd, which then does so
  --attended     take proxies and certificates from the environment, as `ratectl serve` does
  -v, --verbose  say what was done
  --version      print the version"""
EARLY = 2
DAY = 86_400


class Arguments:
    """What the command line says."""

    def __init__(self) -> None:
        self.job = ""
        self.state = ""
        self.slot = ""
        self.snapshot = ""
        self.force = False
        self.sweep = False
        self.attended = False
        self.serve_journal = False
        self.again = False
        self.verbose = False


def main() -> None:
    """Run ratectl-fetch and end the process with its exit code.

    Nothing is open by then, so the interpreter's own teardown, which takes as long as the
    request did, is left out; it would also wait for a request that was abandoned.
    """
    if os.name == "nt":
        for stream in (sys.stdout, sys.stderr):
            if (
                stream is not None
            ):  # a pipe there takes a code page, which has no room for every path
                stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    code = _run()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # pythonw, which starts ratectl-fetchw, has none
            try:  # noqa: SIM105 - contextlib would be the dearest import of a wakeup
                stream.flush()
            except OSError:
                pass
    os._exit(code)


def _run() -> int:
    arguments = _parse(sys.argv[1:])
    if isinstance(arguments, int):
        return arguments
    if os.environ.get("HOME") == "":
        del os.environ["HOME"]  # an empty one is none, as for ratectl
    if not arguments.state:
        from ratectl.paths import state_dir  # noqa: PLC0415 - not every call needs it

        if not _is_at_home() and (refused := _refused_place()):
            return refused
        arguments.state = state_dir()
    if arguments.again:
        return _again(arguments)
    return _started(arguments)


def _is_at_home() -> bool:
    """Tell whether the state lies in a home of our own, as far as one look tells."""
    if sys.platform == "win32":
        return True
    try:
        owner = os.stat(os.path.expanduser("~")).st_uid  # noqa: PTH111, PTH116 - pathlib is dear
    except OSError:
        return False
    return owner == os.geteuid() and not os.environ.get("XDG_STATE_HOME")


def _refused_place() -> int:
    """Return the exit code, and say why, where the state would lie with another account; else 0."""
    from ratectl.errors import RatectlError  # noqa: PLC0415 - seldom, and then by hand
    from ratectl.runtime import own_places  # noqa: PLC0415

    try:
        own_places.refuse_state_of_others()
    except RatectlError as error:
        _print_error(str(error))
        return error.exit_code
    return 0


def _again(arguments: Arguments) -> int:
    """Return the exit code for an engine that starts us again whenever it is not 0: of what only a person mends, 0."""
    try:
        code = _started(arguments)
    except Exception:  # noqa: BLE001 - a bug; told as any other, and not each minute
        sys.excepthook(*sys.exc_info())
        return 0
    return code if code in TRIED_AGAIN else 0


TRIED_AGAIN = (65, 73, 74, 75, 77)


def _end_after(seconds: float, job: str) -> None:
    """End this process when it takes longer: launchd has no limit, and macOS may hang it behind a question for hours."""
    import threading  # noqa: PLC0415 - only where there is work

    def end() -> None:
        _print_error(
            f"{job}: ended after {seconds:g} s without an end; on macOS a file in Documents, Desktop, Downloads, "
            "iCloud or on another volume may wait for somebody to allow it: `ratectl check` names it"
        )
        os._exit(TRY_LATER)

    clock = threading.Timer(seconds, end)
    clock.daemon = True
    clock.start()


def _started(arguments: Arguments) -> int:
    if arguments.snapshot:
        return _with_full_runtime(_pod, arguments)
    if not arguments.attended:
        _forget_surroundings()
    if arguments.serve_journal:
        return _with_full_runtime(_serve_journal, arguments)
    if arguments.sweep:
        names = _due_jobs(arguments.state)
        return _with_full_runtime(_sweep, arguments, names) if names != [] else 0
    if not arguments.slot and not arguments.force:
        code = _known_code(arguments.state, arguments.job)
        if code is not None:
            if arguments.verbose:
                note = "it is too early to try again" if code else "nothing is due"
                print(f"{arguments.job}: {note}")  # noqa: T201 - this is a command line
            return code
    return _with_full_runtime(_fire, arguments)


SURROUNDINGS = ("PYTHON", "LD_", "DYLD_", "SSL_", "OPENSSL_")
"""How variables begin that would change whom an unattended firing trusts; what it needs stands in its job."""
MORE_SURROUNDINGS = (
    *("NETRC", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *(
        "SSLKEYLOGFILE",
        "HOSTALIASES",
    ),  # a file that gets the keys of connections; other names for hosts
)


def _forget_surroundings() -> None:
    """Drop the variables by which a shell, a crontab or a manager could lead us elsewhere; a pod's are its manifest's."""
    for name in list(os.environ):
        plain = name.upper()
        if plain.startswith(SURROUNDINGS) or plain.endswith("_PROXY") or plain in MORE_SURROUNDINGS:
            del os.environ[name]


def _parse(argv: list[str]) -> "Arguments | int":
    arguments = Arguments()
    words = iter(argv)
    for word in words:
        if word in {"-h", "--help"}:
            print(HELP)  # noqa: T201
            return 0
        if word == "--version":
            from ratectl import __version__  # noqa: PLC0415

            print(f"ratectl-fetch {__version__}")  # noqa: T201
            return 0
        name, has_value, value = word.partition("=")
        if word in {"-v", "--verbose"}:
            arguments.verbose = True
        elif word in {"--force", "--sweep", "--attended", "--again", "--serve-journal"}:
            setattr(arguments, word[2:].replace("-", "_"), True)
        elif name in {"--state", "--slot", "--snapshot"}:
            value = value if has_value else next(words, "")
            if not value:
                return _usage_error(f"{name} needs a value")
            setattr(arguments, name[2:], value)
        elif word.startswith("-"):
            return _usage_error(f"there is no {word}")
        elif arguments.job:
            return _usage_error(f"one JOB at a time, got {arguments.job!r} and {word!r}")
        else:
            arguments.job = word
    contradiction = _contradiction(arguments)
    return _usage_error(contradiction) if contradiction else arguments


def _contradiction(arguments: Arguments) -> str:
    if arguments.sweep and (
        arguments.job or arguments.slot or arguments.force or arguments.snapshot
    ):
        return "--sweep is for all jobs, and for what is due only"
    if arguments.snapshot and (arguments.slot or arguments.force):
        return "--snapshot is for what is due only"
    if not arguments.job and not arguments.sweep and not arguments.serve_journal:
        return "which JOB?"
    return "--slot and --force exclude each other" if arguments.slot and arguments.force else ""


def _usage_error(message: str) -> int:
    _print_error(f"{message} ({USAGE})")
    return 2


def _print_error(message: str) -> None:
    if sys.stderr is None:
        return
    from ratectl.runtime.visible import one_line  # noqa: PLC0415 - for errors only

    try:  # noqa: SIM105 - the same
        print(f"ratectl-fetch: {one_line(message)}", file=sys.stderr)  # noqa: T201
    except OSError:
        pass  # nobody can hear it; the exit code still tells


def _known_code(state: str, job: str) -> "int | None":
    """Return how this wakeup ends at once, as the journal knows; None where there is, or may be, something to do.

    0: nothing is due until the end of this minute. 75: what failed is still due, and is not tried again before then;
    engines that wake whoever did not end with 0 come back.
    """
    import time  # noqa: PLC0415

    path = os.path.join(state, "journal.sqlite3")  # noqa: PTH118
    if not os.path.exists(path) or _is_not_ours(state):  # noqa: PTH110
        return None
    sqlite3 = _sqlite3()
    try:
        connection = sqlite3.connect(path, timeout=30)
        row = connection.execute(LOOK_SQL, (job,)).fetchone()
        connection.close()
    except sqlite3.Error:
        return None  # the full path knows how to say what is wrong
    if row is None:
        return None
    due, checked, zone_file, zone_stamp, failed, again = row
    now = time.time()
    horizon = max(now + EARLY, ((now + EARLY) // 60 + 1) * 60 - 1)
    if due is None:
        return TRY_LATER if again > horizon and 0 <= now - failed <= AN_HOUR else None
    if due <= horizon or not 0 <= now - checked < DAY:
        return None
    return 0 if zone_file and _stamp(zone_file) == zone_stamp else None


def _sqlite3() -> "Any":
    """Return what is under sqlite3, whose own modules are a tenth of a wakeup.

    When it is loaded, it asks functools for one function, and all that functools loads would be a fifth of a wakeup:
    so it gets what is under that function. A Python in which it asks for more has functools as ever.
    """
    if "functools" not in sys.modules:
        try:
            from _functools import _lru_cache_wrapper as cached  # type: ignore[import-not-found]  # noqa: PLC0415

            stand_in = type(sys)("functools")
            stand_in.lru_cache = lambda size: lambda work: cached(work, size, False, None)  # type: ignore[attr-defined]
            sys.modules["functools"] = stand_in
            import _sqlite3  # noqa: PLC0415
        except (AttributeError, ImportError):
            pass
        finally:
            sys.modules.pop("functools", None)
    import _sqlite3  # noqa: PLC0415

    return _sqlite3


LOOK_SQL = """
SELECT next_due, checked_at, zone_file, zone_stamp, failed_at,
       CASE WHEN failures AND enabled AND NOT paused THEN retry_at ELSE 0 END
    FROM jobs WHERE name = ? AND NOT removed
"""
TRY_LATER = 75
AN_HOUR = 3600
"""Seconds that what failed rests at most; a failure longer ago, or ahead, was seen by another clock."""


def _is_not_ours(state: str) -> bool:
    """Tell whether others could have laid out the state directory; the full path knows how to say so."""
    from ratectl.errors import RatectlError  # noqa: PLC0415
    from ratectl.runtime import trust  # noqa: PLC0415

    try:
        trust.require_private(state)
    except (OSError, RatectlError):
        return True
    return False


def _stamp(path: str) -> str:
    """Return what ``zonedata.stamp`` does."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return ""
    return f"{status.st_mtime_ns}:{status.st_size}"


def _due_jobs(state: str) -> "list[str] | None":
    """Return the jobs that may owe a slot, oldest first; None where only the full path can say.

    What fell due in the last two minutes is left to its own wakeup, and what keeps failing is tried
    after 4, 8, 16, 32 and then every 60 minutes.
    """
    import time  # noqa: PLC0415

    from ratectl.firing.backoff import FIRST_WAIT, LONGEST_WAIT  # noqa: PLC0415

    path = os.path.join(state, "journal.sqlite3")  # noqa: PTH118
    if not os.path.exists(path):  # noqa: PTH110
        return []
    if _is_not_ours(state):
        return None
    sqlite3 = _sqlite3()
    try:
        connection = sqlite3.connect(path, timeout=30)
        known = {"now": int(time.time()), "first": FIRST_WAIT, "longest": LONGEST_WAIT}
        rows = connection.execute(DUE_JOBS_SQL, known).fetchall()
        connection.close()
    except sqlite3.Error:
        return None
    return [row[0] for row in rows]


DUE_JOBS_SQL = """
SELECT name FROM jobs WHERE NOT removed AND enabled AND NOT paused AND place NOT LIKE '{"account"%'
    AND (next_due IS NULL OR next_due < :now - 120 OR :now - checked_at NOT BETWEEN 0 AND 86400)
    AND (failures = 0 OR :now - failed_at NOT BETWEEN 0 AND min(:longest, :first << min(failures - 1, 4)))
    ORDER BY next_due IS NULL, next_due, name
"""


def _with_full_runtime(work: "Callable[..., int]", *values: object) -> int:
    """Do *work* with all that a process with work to do needs; return its exit code."""
    # Of datetime Python makes a slow version, and drops it for a fast one: most of the garbage of a firing.
    import datetime as dt  # noqa: F401, PLC0415
    import gc  # noqa: PLC0415

    gc.collect()
    gc.disable()  # what a short life makes from here on is not worth the time
    if sys.flags.no_site:
        import site  # noqa: PLC0415

        site.main()
    # What is under signal, whose own module names every number.
    import _signal as signal  # type: ignore[import-not-found]  # noqa: PLC0415

    # Dying at any instruction is safe, and needs no traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return work(*values)


def _fire(arguments: Arguments) -> int:
    from ratectl.errors import RatectlError  # noqa: PLC0415 - all of this is for when there is work

    try:
        report = _report(arguments)
    except RatectlError as error:
        _print_error(f"{arguments.job}: {error}")
        return error.exit_code
    _print_lines(report, verbose=arguments.verbose)
    if report.error is None:
        return TRY_LATER if report.owing else 0
    if arguments.verbose or not report.passing:
        _print_error(f"{arguments.job}: {report.error}")
    return report.error.exit_code


def _print_lines(report: "FiringReport", *, verbose: bool) -> None:
    """Print what a firing did for those who asked; a page that was not written stands in systemd's log in any case.

    That log bothers nobody, as cron's mail after each firing would.
    """
    if not verbose:
        if report.page and "JOURNAL_STREAM" in os.environ:
            _print_error(f"{report.job}: {report.page}")
        return
    from ratectl.runtime.visible import one_line  # noqa: PLC0415 - for -v only

    for line in report.lines():
        print(f"{report.job}: {one_line(line)}")  # noqa: T201


def _sweep(arguments: Arguments, names: "list[str] | None") -> int:
    from ratectl.errors import RatectlError  # noqa: PLC0415
    from ratectl.runtime.deferred_imports import deferred  # noqa: PLC0415

    with deferred():
        from ratectl.firing.catch_up import run_sweep  # noqa: PLC0415

    code = 0
    try:
        for report in run_sweep(arguments.state, names, _surroundings()):
            _print_lines(report, verbose=arguments.verbose)
            if report.error is not None:
                code = code or report.error.exit_code
                if arguments.verbose or not report.passing:
                    _print_error(f"{report.job}: {report.error}")
    except RatectlError as error:
        _print_error(str(error))
        return error.exit_code
    return code


def _pod(arguments: Arguments) -> int:
    import signal  # noqa: PLC0415

    # process 1 of a container, which this is, does not even hear a signal that has no handler
    signal.signal(signal.SIGTERM, lambda *_: os._exit(75))
    from ratectl.runtime.deferred_imports import deferred  # noqa: PLC0415

    with deferred():
        from pathlib import Path  # noqa: PLC0415

        from ratectl.firing.kubernetes_pod import Pod  # noqa: PLC0415

    pod = Pod(arguments.job, _surroundings())
    return pod.fire(arguments.snapshot, Path(arguments.state))


def _serve_journal(arguments: Arguments) -> int:
    from pathlib import Path  # noqa: PLC0415

    from ratectl.journal.account_server import serve  # noqa: PLC0415

    serve(Path(arguments.state), sys.stdin.buffer, sys.stdout.buffer)
    return 0


def _surroundings() -> "Environment":
    import datetime as dt  # noqa: PLC0415
    import socket  # noqa: PLC0415
    import time  # noqa: PLC0415

    from ratectl.runtime.environment import Environment  # noqa: PLC0415

    return Environment(
        clock=lambda: dt.datetime.now(dt.UTC), sleep=time.sleep, host=socket.gethostname()
    )


def _report(arguments: Arguments) -> "FiringReport":
    from ratectl.runtime.deferred_imports import deferred  # noqa: PLC0415

    with deferred():
        from pathlib import Path  # noqa: PLC0415

        from ratectl.errors import TryLaterError  # noqa: PLC0415
        from ratectl.firing.report import FiringReport  # noqa: PLC0415
        from ratectl.firing.runner import Runner  # noqa: PLC0415
        from ratectl.journal.journal import Journal  # noqa: PLC0415

    with Journal(Path(arguments.state)) as journal:
        runner = Runner(journal, journal.installed_job(arguments.job), _surroundings())
        if arguments.again:
            _end_after(runner.job.jitter + 2 * runner.job.timeout + 600, arguments.job)
        uncounted = 0
        try:
            report = _run_requested(runner, arguments)
        except TryLaterError as error:  # came before anything that counts failures
            report, uncounted = FiringReport(job=arguments.job, error=error), 1
        report.remarks = tuple(runner.notifier.remarks)
        if isinstance(report.error, TryLaterError):
            installed = journal.installed_job(arguments.job)
            report.passing = installed.failures + uncounted < installed.job.notify_after
        return report


def _run_requested(runner: "Runner", arguments: Arguments) -> "FiringReport":
    if arguments.force:
        return runner.run_now()
    if arguments.slot:
        return runner.run_slot(runner.timetable.slot_named(arguments.slot, option="--slot"))
    return runner.run_minute()


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ratectl.firing.report import FiringReport
    from ratectl.firing.runner import Runner
    from ratectl.runtime.environment import Environment
