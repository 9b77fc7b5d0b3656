"""The cron backend on a fake machine with the `crontab` of each maker."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ratectl import manual
from ratectl.backends.cron import backend as cron
from ratectl.backends.cron import crontab
from ratectl.backends.protocol import EngineAbsentError
from ratectl.backends.steps import Expect, RemoveFile, Run, Settle, WriteFile
from ratectl.deploy import plan
from ratectl.errors import ConfigError, EngineError, RefusedError
from tests.fakes.jobs import job, jobs
from tests.fakes.machine import Machine, done, host, root

README = Path(__file__).resolve().parents[3] / "README.md"
FLAVOURS = ["vixie", "cronie", "busybox", "bcron"]


def install(machine, account, *wanted, scope="user"):
    """Plan, stage and perform as deploy does; return the steps."""
    found = cron.inspect(machine, account, scope)
    texts = {j.name: cron.render(j, cron.check(j, account.zone), account, scope) for j in wanted}
    changes = plan.changes(texts, found.entries, prune=found.entries)
    steps = cron.stage(plan.pending(changes), found, account, scope)
    machine.perform(steps)
    return steps


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_install_list_remove(flavour):
    """With every maker's crontab jobs go in, are found again as rendered, and leave no tab behind."""
    machine = Machine(flavour=flavour)

    install(machine, host(), *jobs("usd-inr", "eur-inr"))
    found = cron.inspect(machine, host(), "user")

    assert list(found.entries) == ["eur-inr", "usd-inr"]
    assert found.entries["usd-inr"].triggers == ("30 10 * * *",)
    install(machine, host())
    assert machine.crontab.tab is None


@pytest.mark.parametrize("tab", [b"", b"MAILTO=x\n0 1 * * * a%b\n", b"# \xff\n"])
def test_the_tab_of_others_comes_back(tab):
    """After the last job is gone the crontab is what it was."""
    machine = Machine()
    machine.crontab.tab = tab

    install(machine, host(), job())
    assert machine.crontab.tab != tab
    install(machine, host())

    assert machine.crontab.tab == tab


def test_one_write():
    """However many jobs change, the tab is written once."""
    machine = Machine()

    steps = install(machine, host(), *jobs(*(f"job-{n}" for n in range(300))))

    assert [type(step) for step in steps] == [Settle, Expect, Run]
    assert machine.crontab.writes == 1


def test_nothing_to_do_is_no_step():
    """The same jobs again cause no step at all."""
    machine = Machine()
    install(machine, host(), job())

    assert install(machine, host(), job()) == ()


def test_bcron_is_given_a_file():
    """The crontab of bcron takes no standard input, so the tab goes through a draft, which is removed."""
    machine = Machine(flavour="bcron")

    steps = install(machine, host(), job())

    assert [type(step) for step in steps] == [Settle, Expect, WriteFile, Run, RemoveFile]
    assert not machine.files


def test_root_uses_the_drop_in_folder():
    """As root, where cron reads /etc/cron.d, our file there holds the account and leaves with the last job."""
    machine = Machine()
    machine.files[Path("/etc/cron.d/e2scrub")] = b"..."

    install(machine, root(), job(), scope="system")

    assert b"30 10 * * * root /opt/ratectl/python" in machine.files[cron.DROP_IN]
    assert machine.crontab.tab is None
    assert cron.inspect(machine, root(), "system").entries["usd-inr"].triggers == ("30 10 * * *",)
    install(machine, root(), scope="system")
    assert cron.DROP_IN not in machine.files


@pytest.mark.parametrize("flavour", ["vixie", "busybox"])
def test_root_without_a_drop_in_folder(flavour):
    """Where cron does not read /etc/cron.d, root's own tab holds the jobs, without the account."""
    machine = Machine(flavour=flavour)
    if flavour == "busybox":
        machine.files[Path("/etc/cron.d/e2scrub")] = b"..."

    install(machine, root(user="tester"), job(), scope="system")

    assert b"\n30 10 * * * /opt/ratectl/python" in machine.crontab.tab
    assert install(machine, root(user="tester"), job(), scope="system") == ()


@pytest.mark.parametrize("tab", [b"0 1 * * * a\r\n", b"# x\n0 1 * * * a\r\n# y\n"])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_carriage_returns_are_refused(flavour, tab):
    """A tab with CRLF lines stops us before anything is written, with the line's number."""
    machine = Machine(flavour=flavour)
    machine.crontab.tab = tab
    number = tab[: tab.index(b"\r")].count(b"\n") + 1

    with pytest.raises(EngineError, match=f"line {number}\\."):
        install(machine, host(), job())

    assert machine.crontab.writes == 0


@pytest.mark.parametrize("text", [b"printf 'a\\r\\n'", b"grep '\\bword\\b' f"])
def test_backslash_letters_inside_a_line_pass(text):
    """A literal backslash-r inside a line is what the person wrote, and comes back."""
    machine = Machine()
    machine.crontab.tab = b"0 1 * * * " + text + b"\n"

    install(machine, host(), job())
    install(machine, host())

    assert machine.crontab.tab == b"0 1 * * * " + text + b"\n"


def test_root_can_tell_a_written_backslash_r():
    """Root may read the spool, so a line that ends in a written backslash-r is no carriage return."""
    machine = Machine()
    machine.crontab.tab = machine.files[cron.SPOOL / "root"] = b"0 1 * * * echo \\r\n"

    install(machine, root(), job())

    assert machine.crontab.tab.endswith(b"0 1 * * * echo \\r\n")


def test_root_sees_a_carriage_return_within_a_line():
    """Where the spool can be read, a carriage return in mid-line is seen there, with the user's line number."""
    machine = Machine()
    machine.crontab.tab = b"# x\n0 1 * * * printf 'a\rb'\n"
    machine.files[cron.SPOOL / "root"] = b"# DO NOT EDIT\n# x\n# y\n" + machine.crontab.tab

    with pytest.raises(EngineError, match="line 2\\."):
        install(machine, root(), job())

    assert machine.crontab.writes == 0


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_carriage_returns_hinder_nobody_who_only_looks(flavour):
    """A tab that we could not write is no obstacle where nothing is to be written."""
    machine = Machine(flavour=flavour)
    machine.crontab.tab = b"0 1 * * * a\r\n"

    found = cron.inspect(machine, root(), "user")

    assert found.entries == {}
    assert cron.stage((), found, root(), "user") == ()


@pytest.mark.parametrize("flavour", ["vixie", "cronie"])
def test_a_last_line_without_an_end_is_named(flavour):
    """A tab that `crontab` would refuse for its last line stops us with that line."""
    machine = Machine(flavour=flavour)
    machine.crontab.tab = b"0 1 * * * backup"

    with pytest.raises(EngineError, match="'0 1 \\* \\* \\* backup', has no line end"):
        install(machine, host(), job())

    assert machine.crontab.writes == 0


@pytest.mark.parametrize("flavour", ["busybox", "bcron"])
def test_percent_where_cron_cannot_escape_it(flavour):
    """Where cron does not unescape a percent sign, a command that holds one is refused."""
    machine = Machine(flavour=flavour)

    with pytest.raises(EngineError, match="cannot escape"):
        install(machine, host(fetch=("/opt/100%/fetch",)), job())


def test_a_command_is_quoted_for_cron_and_shell():
    """Blanks and quotes are the shell's, percent signs are cron's."""
    account = host(fetch=("/opt/my tools/100%", "it's"))

    (text,) = cron.render(job(), cron.check(job(), account.zone), account, "user")

    assert text.data == b"""30 10 * * * '/opt/my tools/100\\%' 'it'"'"'s' usd-inr\n"""


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("a\nb", "a line break"),
        ("a\rb", "a carriage return"),
        ("a\\b", "a backslash"),
        ("x" * 999, "998"),
    ],
)
def test_what_no_crontab_can_hold(word, told):
    """A command that would break the tab, or be cut, is refused at rendering."""
    account = host(fetch=(word,))

    with pytest.raises(ConfigError, match=told):
        cron.render(job(), cron.check(job(), account.zone), account, "user")


@pytest.mark.posix("paths of another system")
def test_the_state_directory_is_named_when_it_is_another():
    """An artefact names the state directory that an unattended start would not find, and is found again."""
    machine = Machine()
    account = host(state_dir=Path("/srv/my state"), state_is_default=False)

    install(machine, account, job())

    assert b" usd-inr --state '/srv/my state'\n" in machine.crontab.tab
    assert list(cron.inspect(machine, account, "user").entries) == ["usd-inr"]


@pytest.mark.parametrize(
    ("flavour", "times"),
    [
        ("vixie", [b"@reboot", b"2-57/5 * * * *"]),
        ("cronie", [b"@reboot", b"2-57/5 * * * *"]),
        ("busybox", [b"2-57/5 * * * *"]),
        ("bcron", [b"2-57/5 * * * *"]),
    ],
)
def test_sweep(flavour, times):
    """However many jobs there are, one sweep finds missed slots, at boot too where the daemon survives that line."""
    machine = Machine(flavour=flavour)

    install(machine, host(), *jobs("a", "b"))

    command = b" /opt/ratectl/python -I -S /opt/ratectl/fetch.py --sweep"
    sweeps = [line for line in machine.crontab.tab.splitlines() if line.endswith(b" --sweep")]
    assert sweeps == [time + command for time in times]


def test_a_block_without_a_sweep():
    """A block of a ratectl that had no sweep yet is drift, which an install mends."""
    machine = Machine()
    install(machine, host(), job())
    sealed = crontab.split(machine.crontab.tab, "")
    jobs_only = tuple(line for line in sealed.lines if b"--sweep" not in line)
    machine.crontab.tab = crontab.join(replace(sealed, lines=jobs_only))

    [entry] = cron.inspect(machine, host(), "user").entries.values()
    assert entry.drift == ("the lines that catch up missed slots are not there",)
    install(machine, host(), job())

    assert machine.crontab.tab.count(b"--sweep") == 2


def test_too_many_lines():
    """A tab that Debian's crontab would refuse is refused before it is written, with the number."""
    machine = Machine()
    machine.crontab.tab = b"# x\n" * 9_998

    with pytest.raises(EngineError, match="10003 lines"):
        install(machine, host(), job())


def test_no_crontab_program():
    """Without the program there is no engine, and nothing of ours in it."""
    machine = Machine(flavour=None)

    assert "no `crontab` program" in cron.detect(machine, host(), "user")
    with pytest.raises(EngineAbsentError):
        cron.inspect(machine, host(), "user")


def test_no_daemon():
    """A crontab that no daemon reads does not count as a running engine."""
    assert "no cron daemon is running" in cron.detect(Machine(daemon=False), host(), "user")
    assert cron.detect(Machine(), host(), "user") == ""


@pytest.mark.parametrize(
    ("complaint", "error"),
    [
        (b"You (tester) are not allowed to use this program (crontab)\n", RefusedError),
        (b"disk on fire\n", EngineError),
    ],
)
def test_other_complaints_are_no_empty_tab(complaint, error):
    """What is not plainly "no crontab" is an error, never an empty tab to be overwritten."""
    machine = Machine()
    machine.crontab.says_absent = (1, complaint)

    with pytest.raises(error, match=complaint.decode().split()[-1].strip("()")):
        cron.inspect(machine, host(), "user")


def test_drift_of_an_environment_line():
    """A setting that came to stand above the block is told, and an install mends it."""
    machine = Machine()
    install(machine, host(), job())
    machine.crontab.tab = b"CRON_TZ=UTC\n" + machine.crontab.tab

    entry = cron.inspect(machine, host(), "user").entries["usd-inr"]
    assert entry.drift == ("CRON_TZ= stands above the ratectl block and acts on it",)

    install(machine, host(), job())
    assert machine.crontab.tab.endswith(b"CRON_TZ=UTC\n")


def test_said_is_one_line():
    """A command's complaint is told in one line."""
    assert done(1, stderr=b"a\n  b\n").said == "a b"


def test_the_manual_explains_the_crontab():
    """The block that the manual shows and explains is what an install writes, but for the paths."""
    machine, account = Machine(), host()
    install(machine, account, job("usd-inr"))
    python, *options, fetch = account.fetch
    written = machine.crontab.tab.decode().replace(python, "PYTHON").replace(fetch, "FETCH")
    section = manual.page("engines").partition("## What stands in your crontab")[2]

    assert options == ["-I", "-S"]
    shown = section.partition("```text\n")[2].partition("```")[0]
    assert shown == re.sub(r"\(sha256 .*?\)", "(...)", written)
    assert all(word in section for word in ("`@reboot`", "`--sweep`", "five minutes"))
    assert "engines.md#what-stands-in-your-crontab" in README.read_text(encoding="utf-8")
