"""The README says what the code does: tables, words of the spec, exit codes, links and examples."""

import re
import tomllib
from pathlib import Path

import pytest
from scripts import readme

from ratectl import cli
from ratectl.errors import EXIT_CODES, RatectlError
from ratectl.model import OUTPUT_KINDS, PROVIDER_KINDS
from ratectl.schedule.parse import parse_one
from ratectl.spec import loads
from ratectl.spec.document import RATECTL_READERS
from ratectl.spec.jobs import JOB_KEYS
from ratectl.spec.providers import PROVIDER_READERS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, flags=re.DOTALL)
TOML = [text for language, text in BLOCKS if language == "toml"]


def test_tables_are_current():
    """The tables of commands and exit codes are what ``scripts/readme.py`` writes."""
    assert readme.filled(README) == README
    assert all(f"<!-- {name} -->" in README for name in readme.TABLES)


def test_exit_codes_are_those_of_the_errors():
    """Every error class exits with a documented code, and nothing undocumented exists."""
    classes = [RatectlError]
    for known in classes:
        classes += known.__subclasses__()

    assert {known.exit_code for known in classes} | {0} == set(EXIT_CODES)


@pytest.mark.parametrize("verb", cli.COMMANDS)
def test_one_line_of_help(verb):
    """The list of commands shows the first line of each command's own help."""
    group = readme.typer.main.get_command(cli.application(verb))

    assert group.commands[verb].help.splitlines()[0] == cli.COMMANDS[verb]


@pytest.mark.parametrize(
    "word",
    [*JOB_KEYS, *RATECTL_READERS, *PROVIDER_READERS, *PROVIDER_KINDS, *OUTPUT_KINDS],
)
def test_spec_reference_is_complete(word):
    """Every key, provider and format that a spec may name stands in the README."""
    assert re.search(rf"`[^`]*\b{re.escape(word)}\b[^`]*`", README) or any(word in t for t in TOML)


def test_spec_examples_are_valid():
    """Every TOML block of the README is a whole spec that loads."""
    assert TOML
    for text in TOML:
        assert tomllib.loads(text)
        assert loads(text.encode(), path=ROOT / "jobs.toml", host_timezone="Asia/Kolkata").jobs


def test_phrases_are_valid():
    """Every line of the README's block of schedules parses."""
    (block,) = (text for language, text in BLOCKS if language == "schedules")

    for line in block.splitlines():
        assert parse_one(line.split("#")[0].strip())


def test_commands_in_sessions_exist():
    """Every ``ratectl`` command shown is one that exists."""
    shown = re.findall(r"\$ ratectl ([a-z]+)", README)

    assert set(shown) <= set(cli.COMMANDS)
    assert {"init", "install", "list", "remove"} <= set(shown)


def test_linked_files_exist():
    """Every relative link leads to a file of the checkout."""
    links = re.findall(r"\]\(([^)#]+)\)", README)

    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_changelog_has_the_version():
    """The changelog speaks of the version that is built, or of what comes next."""
    assert re.search(r"^## (Unreleased|\d+\.\d+\.\d+)", CHANGELOG, flags=re.MULTILINE)
