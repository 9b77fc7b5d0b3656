"""What Tab offers: in the words of each shell's script, and in a real bash."""

import os
import re
import shutil
import subprocess
import sys
from typing import Annotated

import pytest
import typer

from ratectl import cli
from ratectl.backends import BACKENDS
from ratectl.commands._shared import completion
from ratectl.deploy import select_backend
from ratectl.journal.journal import Journal
from ratectl.model.providers import PROVIDER_KINDS

ELSEWHERE = "https://rates.example"


@pytest.fixture
def jobs(station):
    """Two installed jobs and one that was removed."""
    names = ("usd-inr", "usd-eur", "gone")
    station.install(*(station.job(ELSEWHERE, name=name) for name in names))
    with Journal(station.state) as journal:
        journal.forget_jobs(["gone"])
    return station


@pytest.fixture
def tab(ratectl, monkeypatch):
    """Return what fish is told at the end of a line, in order, without the descriptions."""

    def offered(line):
        monkeypatch.setenv("_RATECTL_COMPLETE", "complete_fish")
        monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
        answer = ratectl()
        assert answer.err == ""
        return sorted(line.partition("\t")[0] for line in answer.out.splitlines() if line)

    return offered


def test_commands(tab):
    """Half a word is completed to commands, nothing to all of them."""
    assert tab("ratectl ") == sorted(cli.COMMANDS)
    assert tab("ratectl re") == sorted(verb for verb in cli.COMMANDS if verb.startswith("re"))
    assert tab("ratectl lis") == ["list"]
    assert tab("ratectl list") == ["list"]


def test_options(tab):
    """A hyphen is completed to the options of the command, or of the program."""
    assert tab("ratectl remove --p") == ["--purge"]
    assert {"--version", "--show-completion", "--install-completion"} <= set(tab("ratectl --"))


@pytest.mark.parametrize(
    "line",
    [
        "remove ",
        "pause u",
        "resume usd-",
        "doctor ",
        "run ",
        "backfill ",
        "next ",
        "serve ",
        "review --job ",
    ],
)
@pytest.mark.usefixtures("jobs")
def test_installed_jobs(tab, line):
    """Where a job is named, those are offered that are installed."""
    assert tab(f"ratectl {line}") == ["usd-eur", "usd-inr"]


@pytest.mark.usefixtures("jobs")
def test_removed_jobs_have_a_history(tab):
    """The history of a job that was removed can still be asked for."""
    assert tab("ratectl history ") == ["gone", "usd-eur", "usd-inr"]


@pytest.mark.usefixtures("jobs")
def test_no_job_twice(tab):
    """A job that stands on the line is not offered again."""
    assert tab("ratectl remove usd-inr ") == ["usd-eur"]


def test_jobs_of_another_state_directory(tab, jobs, monkeypatch):
    """``run --state DIR`` is completed by the jobs of that directory."""
    monkeypatch.setenv("RATECTL_STATE_DIR", str(jobs.folder / "empty"))

    assert tab(f"ratectl run --state {jobs.state.as_posix()} ") == ["usd-eur", "usd-inr"]
    assert tab("ratectl run ") == []


def test_nothing_is_made(tab, station):
    """Where nothing is installed, nothing is offered, and Tab makes no file."""
    assert tab("ratectl remove ") == []
    assert not station.state.exists()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("plan --backend ", sorted({"auto", *BACKENDS})),
        ("install --backend sy", ["systemd"]),
        ("render --backend ", sorted(BACKENDS)),
        ("install --scope ", sorted(select_backend.SCOPES)),
        ("plan --scope s", ["system"]),
        ("render --scope ", ["system", "user"]),
        ("next --timezone Europe/Berl", ["Europe/Berlin"]),
        ("render --host-timezone Asia/Kolk", ["Asia/Kolkata"]),
        ("review ", ["accept", "list", "reject", "show", "void"]),
        ("install --backend cron --scope u", ["user"]),
    ],
)
def test_values(tab, line, offered):
    """An option with names to choose from is completed to those that it takes."""
    assert tab(f"ratectl {line}") == offered


@pytest.mark.parametrize("line", ["", "ratectl frob x", "ratectl list x", "ratectl next --spec "])
def test_nothing_to_offer(tab, line):
    """A line that leads nowhere is answered with something or nothing, never with a complaint."""
    tab(line)


def test_a_completer_that_fails_offers_nothing(tab, monkeypatch):
    """An error on the way to the values is no business of a line half typed."""

    def broken(_):
        raise RuntimeError

    monkeypatch.setitem(completion.COMPLETERS, "jobs", broken)

    assert tab("ratectl remove ") == []


def test_providers():
    """A command that takes the name of a provider is offered the kinds there are."""
    program = typer.Typer()

    @program.command("ask")
    def ask(provider: Annotated[str, typer.Option()] = "") -> None:
        """Stand for such a command."""

    completion.attach(program, "ask")
    [parameter, *_] = typer.main.get_command(program).params
    found = parameter.shell_complete(typer.Context(typer.main.get_command(program)), "ec")

    assert [completion_item.value for completion_item in found] == [
        name for name in PROVIDER_KINDS if name[:2] == "ec"
    ]


def test_every_row_is_of_use():
    """What is completed exists: each row stands for a parameter of some command, or for a provider's name."""
    there = {
        (verb, parameter.name)
        for verb in cli.COMMANDS
        for parameter in typer.main.get_command(cli.application(verb)).commands[verb].params
    }

    assert set(completion.OF_ONE_COMMAND) <= there
    assert set(completion.COMPLETERS) - {name for _, name in there} <= {"provider", "providers"}


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize(
    ("shell", "environment", "answer"),
    [
        ("bash", {"COMP_WORDS": "ratectl\nremove\nusd-i", "COMP_CWORD": "2"}, "usd-inr"),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "ratectl remove usd-i"}, '"usd-inr"'),
        ("fish", {"_TYPER_COMPLETE_ARGS": "ratectl remove usd-i"}, "usd-inr"),
        (
            "powershell",
            {
                "_TYPER_COMPLETE_ARGS": "ratectl remove usd-i",
                "_TYPER_COMPLETE_WORD_TO_COMPLETE": "usd-i",
            },
            "usd-inr:::",
        ),
    ],
)
def test_each_shell(ratectl, monkeypatch, shell, environment, answer):
    """Each shell's script is answered in its own form."""
    asked = {"_RATECTL_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    for name, value in (asked | environment).items():
        monkeypatch.setenv(name, value)

    assert answer in ratectl().out


@pytest.mark.network  # starts processes
def test_only_the_command_on_the_line_is_imported():
    """Tab loads what the command on the line loads, and the command itself loads nothing of Tab's."""

    def loaded(*words, **environment):
        done = subprocess.run(
            (sys.executable, "-X", "importtime", "-m", "ratectl", *words),
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return set(re.findall(r"ratectl\.commands\.([\w.]+)$", done.stderr, flags=re.MULTILINE))

    asked = {
        "_RATECTL_COMPLETE": "complete_bash",
        "COMP_WORDS": "ratectl remove x",
        "COMP_CWORD": "2",
    }
    own = loaded("remove", "--help")

    assert "_shared.completion" not in own
    assert loaded(**asked) == {*own, "_shared.completion"}


@pytest.fixture
def bash(tmp_path, jobs):
    """Return what a bash that evaluated ``--show-completion`` puts into COMPREPLY for some words."""
    shell = shutil.which("bash")
    if shell is None:
        pytest.skip("there is no bash")
    program = tmp_path / "bin" / "ratectl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ratectl "$@"\n')
    program.chmod(0o700)
    script = (
        'eval "$(ratectl --show-completion)"\n'
        'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))\n'
        "_ratectl_completion ratectl\n"
        "printf '%s\\n' \"${COMPREPLY[@]}\"\n"
    )

    def reply(*words):
        done = subprocess.run(
            (shell, "--norc", "-c", script, "bash", *words),
            env=os.environ
            | {
                "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
                "RATECTL_STATE_DIR": str(jobs.state),
            },
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.split()

    return reply


@pytest.mark.network  # starts processes
@pytest.mark.posix("bash")
@pytest.mark.parametrize(
    ("words", "replies"),
    [
        (("ratectl", "remo"), ["remove"]),
        (("ratectl", "remove", "usd-i"), ["usd-inr"]),
        (("ratectl", "install", "--backend", "sy"), ["systemd"]),
        (("ratectl", "next", "--timezone", "Europe/Berl"), ["Europe/Berlin"]),
        (("ratectl", "check", "jo"), []),
    ],
)
def test_in_bash(bash, words, replies):
    """A real bash completes commands, jobs, engines and zones, and leaves the names of files to itself."""
    assert bash(*words) == replies
