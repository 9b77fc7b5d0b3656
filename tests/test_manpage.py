"""The manual page says what the help says, and comes out of the programs that show it as it was meant."""

import os
import shutil
import subprocess

import pytest

from ratectl import cli
from ratectl.errors import EXIT_CODES
from scripts.docs import command_line, manpage

CHECKS = {
    "mandoc": ("mandoc", "-T", "lint", "-W", "warning"),
    "groff": ("groff", "-man", "-ww", "-z"),
}
SHOWS = {
    "mandoc": ("mandoc", "-T", "ascii", "-O", "width=80"),
    "groff": ("groff", "-man", "-T", "ascii", "-P", "-cbou", "-rLL=80n"),
}
AWKWARD = ("--flag='x'", "C:\\n\\fBdir", ".TH", "'tis", '"quoted"', "`a` ~ ^b", "30 10 * * 1-5")


def show(program, page):
    """Return *page* as *program* shows it, without the blanks that fill its lines."""
    done = subprocess.run(
        argv(SHOWS, program), input=page, capture_output=True, text=True, check=True
    )
    return " ".join("".join(struck(done.stdout)).split())


def struck(text):
    """Yield what stays on paper of a *text* in which characters are struck twice."""
    for place, character in enumerate(text):
        if character != "\b" and text[place + 1 : place + 2] != "\b":
            yield character


def argv(commands, program):
    """Return the command line of *program*, which not every machine has."""
    if shutil.which(program) is None:
        lacking = f"there is no {program}"
        pytest.fail(lacking) if os.environ.get("RATECTL_REQUIRE_ENGINES") else pytest.skip(lacking)
    return commands[program]


def test_page_is_current():
    """The page is what ``scripts/documents.py manpage`` writes."""
    assert manpage.PAGE.read_text(encoding="utf-8") == manpage.page()


def test_every_line_is_a_request_or_text():
    """No line of text begins like a request, and no character needs an encoding."""
    lines = manpage.page().splitlines()
    requests = {line.split()[0] for line in lines if line.startswith((".", "'"))}

    assert requests == {".TH", ".SH", ".SS", ".PP", ".TP", ".br", ".nh", ".nf", ".fi", ".RS", ".RE"}
    assert manpage.page().isascii()


@pytest.mark.engine
@pytest.mark.parametrize("program", CHECKS)
def test_without_a_warning(program):
    """The programs that show manual pages find nothing to complain about."""
    done = subprocess.run(
        (*argv(CHECKS, program), str(manpage.PAGE)), capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.engine
@pytest.mark.parametrize("program", SHOWS)
def test_shows_everything(program):
    """Shown, the page has every command with its purpose, options and examples, and every exit code."""
    shown = show(program, manpage.page())

    for verb, purpose in cli.COMMANDS.items():
        assert f"ratectl {verb} " in shown
        assert purpose in shown
        for text in (*command_line.paragraphs(verb), *command_line.examples(verb)):
            assert text in shown
        for parameter in command_line.command(verb).params:
            assert parameter.help in shown
    for code, meaning in EXIT_CODES.items():
        assert f" {code} {meaning[0].upper()}{meaning[1:]}.".replace("`", "") in shown


@pytest.mark.engine
@pytest.mark.parametrize("program", SHOWS)
@pytest.mark.parametrize("text", AWKWARD)
def test_comes_out_as_it_stands(program, text):
    """What roff would take for its own is shown as it was written, at the beginning of a line as well."""
    lines = (".TH X 1 2026-11-24", ".SH NAME", *manpage._sentences("Before."), ".nf")
    page = "\n".join((*lines, manpage._line(manpage.literal(text)), ".fi", ""))

    assert f"Before. {text} " in show(program, page)
