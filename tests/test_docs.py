"""The README says what the code does: tables, words of the spec, exit codes, links, examples, comparisons."""

import re
import tomllib
from pathlib import Path

import pytest

from ratectl import __version__, cli
from ratectl.errors import EXIT_CODES, RatectlError
from ratectl.fetch.providers import catalog
from ratectl.model.job import OUTPUT_KINDS
from ratectl.model.providers import PROVIDER_KINDS
from ratectl.schedule.language.parse import parse_one
from ratectl.spec import loads, reference
from ratectl.spec.document import RATECTL_READERS
from ratectl.spec.jobs import JOB_KEYS
from ratectl.spec.providers import PROVIDER_READERS
from scripts.docs import command_line, readme

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, flags=re.DOTALL)
TOML = [text for language, text in BLOCKS if language == "toml"]


def test_the_threat_model_names_tests_that_are_there():
    """Each line of the table of who is trusted with what names at least one test, and each of these exists."""
    section = README.split("### Who is trusted with what")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][2:]
    named = [re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row.rpartition(" | ")[2]) for row in rows]

    assert len(rows) > 10
    assert all(named)
    for path, name in (test for row in named for test in row):
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{name}"


def test_tables_are_current():
    """The tables of keys, providers, commands and exit codes are what ``scripts/documents.py readme`` writes."""
    assert readme.filled(README) == README
    assert all(f"<!-- {name} -->" in README for name in readme.TABLES)


def test_other_marks_are_left_alone():
    """What stands between marks that are no table's is somebody else's, and stays."""
    text = "<!-- session -->\nby hand\n<!-- /session -->\n"

    assert readme.filled(text) == text


def test_place_of_the_session():
    """The recorded session stands between its marks, once, as a console."""
    [session] = re.findall(r"<!-- session -->\n(.*?)<!-- /session -->", README, flags=re.DOTALL)

    assert "```console\n$ ratectl " in session


@pytest.mark.parametrize("table", reference.TABLES)
def test_keys_have_rows(table):
    """Every key of the spec has a row of four cells that says what it takes and means."""
    rows = [line for line in readme.keys(table).splitlines() if line.startswith("| `")]

    assert [re.match(r"\| `(\w+)` \|", row)[1] for row in rows] == list(reference.TABLES[table])
    assert {len(re.split(r"(?<!\\)\|", row)) for row in rows} == {6}


def test_providers_have_rows():
    """Every kind of provider has a row that names its limit, its terms and whom to credit."""
    rows = readme.providers().splitlines()[2:]

    assert len(rows) == len(PROVIDER_KINDS)
    for row, (kind, known) in zip(rows, catalog.INFO.items(), strict=True):
        assert all(word in row for word in (f"`{kind}`", known.limit, known.terms))
        assert known.attribution in row
        assert len(row.split("|")) == 8


def test_exit_codes_are_those_of_the_errors():
    """Every error class exits with a documented code, and nothing undocumented exists."""
    classes = [RatectlError]
    for known in classes:
        classes += known.__subclasses__()

    assert {known.exit_code for known in classes} | {0} == set(EXIT_CODES)


@pytest.mark.parametrize("verb", cli.COMMANDS)
def test_one_line_of_help(verb):
    """The list of commands shows the first line of each command's own help."""
    assert command_line.command(verb).help.splitlines()[0] == cli.COMMANDS[verb]


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


def test_linked_headings_exist():
    """Every link within the README leads to a heading of it."""
    prose = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(#([^)]+)\)", README)

    assert set(links) <= anchors
    assert set(re.findall(r"^## (.+)$", prose, flags=re.MULTILINE)) - {"A session"} == set(
        re.findall(r"\[([^\]]+)\]\(#", README.partition("## ")[0])
    )


def test_comparisons_have_sources():
    """What is said of another program links to where that program says so."""
    section = README.partition("### With other programs")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][2:]

    assert len(rows) >= 8
    assert [row for row in rows if "](http" not in row and not row.startswith("| ratectl ")] == []


def test_changelog_has_the_version():
    """The changelog begins with what comes next, or with the version that is built and its day; each section says something."""
    sections = re.split(r"^## ", CHANGELOG, flags=re.MULTILINE)[1:]

    assert re.match(rf"(Unreleased|{re.escape(__version__)} - \d{{4}}-\d\d-\d\d)\n", sections[0])
    assert all(re.search(r"^- \w", section, flags=re.MULTILINE) for section in sections)
