"""The line with which commands that set something up end."""

import shlex

import pytest

from ratectl.commands._shared.next_step import next_step
from scripts.docs import command_line


@pytest.mark.posix("quoted for another shell")
@pytest.mark.parametrize("path", ["jobs.toml", "/home/a b/jobs.toml", "it's $HOME.toml"])
def test_can_be_copied(path):
    """Whatever a path is called, the line as the shell reads it is the command, and what it does is a comment."""
    line = next_step("ratectl", "install", path, does="puts it there").removeprefix("next: ")

    assert shlex.split(line, comments=True) == ["ratectl", "install", path]


def test_is_a_command(ratectl, tmp_path):
    """What init names next is a command that exists, and takes what it is given."""
    line = ratectl("init", str(tmp_path / "jobs.toml")).out.splitlines()[-1]
    _program, verb, *others = shlex.split(line.removeprefix("next: "), comments=True, posix=False)

    assert command_line.command(verb).make_context(verb, others).params
