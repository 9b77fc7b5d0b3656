"""README and manual say what the code does: tables, words of the spec, exit codes, links, examples, comparisons."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from ratectl import __version__, cli, manual
from ratectl.errors import EXIT_CODES, INTERRUPTED, RatectlError
from ratectl.fetch.providers import catalog
from ratectl.model.job import OUTPUT_KINDS
from ratectl.model.providers import PROVIDER_KINDS
from ratectl.schedule.language.parse import parse_one
from ratectl.spec import loads, reference
from ratectl.spec.document import RATECTL_READERS
from ratectl.spec.jobs import JOB_KEYS
from ratectl.spec.providers import PROVIDER_READERS
from scripts.docs import command_line, readme, session

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path: path.read_text(encoding="utf-8") for path in readme.PAGES}
"""README and manual, each with its text."""
ALL = "\n".join(PAGES.values())
LONGEST_README = 12_000
LONGEST_PAGE = 300
WIDEST = 100
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", ALL, flags=re.DOTALL)
SESSION = r"<!-- session -->\n(.*?)<!-- /session -->"
TOML = [text for language, text in BLOCKS if language == "toml"]


def test_the_threat_model_names_tests_that_are_there():
    """Each line of the table of who is trusted with what names at least one test, and each of these exists."""
    rows = [line for line in manual.page("security").splitlines() if line.startswith("| ")][2:]
    named = [re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row.rpartition(" | ")[2]) for row in rows]

    assert len(rows) > 10
    assert all(named)
    for path, name in (test for row in named for test in row):
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{name}"


def test_tables_are_current():
    """The tables of keys, providers, commands and exit codes are what ``scripts/documents.py readme`` writes."""
    assert [path for path, text in PAGES.items() if readme.filled(text) != text] == []
    assert all(ALL.count(f"<!-- {name} -->") == 1 for name in readme.TABLES)


def test_other_marks_are_left_alone():
    """What stands between marks that are no table's is somebody else's, and stays."""
    text = "<!-- session -->\nby hand\n<!-- /session -->\n"

    assert readme.filled(text) == text


def test_place_of_the_session():
    """The recorded session stands between its marks, once, as a console."""
    [shown] = re.findall(SESSION, manual.page("tour"), flags=re.DOTALL)

    assert "```console\n$ ratectl " in shown


def test_excerpt_of_the_session():
    """The README's session is what ``scripts/documents.py session`` takes of the recorded one, and short."""
    [excerpt] = re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL)

    assert session.with_excerpt(README, manual.page("tour")) == README
    assert len([line for line in excerpt.splitlines() if line]) <= 20


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

    assert {known.exit_code for known in classes} | {0, INTERRUPTED} == set(EXIT_CODES)


@pytest.mark.parametrize("verb", cli.COMMANDS)
def test_one_line_of_help(verb):
    """The list of commands shows the first line of each command's own help."""
    assert command_line.command(verb).help.splitlines()[0] == cli.COMMANDS[verb]


@pytest.mark.parametrize(
    "word",
    [*JOB_KEYS, *RATECTL_READERS, *PROVIDER_READERS, *PROVIDER_KINDS, *OUTPUT_KINDS],
)
def test_spec_reference_is_complete(word):
    """Every key, provider and format that a spec may name stands in the manual."""
    assert re.search(rf"`[^`]*\b{re.escape(word)}\b[^`]*`", ALL) or any(word in t for t in TOML)


def test_spec_examples_are_valid():
    """Every TOML block of README and manual is a whole spec that loads."""
    assert TOML
    for text in TOML:
        assert tomllib.loads(text)
        assert loads(text.encode(), path=ROOT / "jobs.toml", host_timezone="Asia/Kolkata").jobs


def test_phrases_are_valid():
    """Every line of the manual's block of schedules parses."""
    (block,) = (text for language, text in BLOCKS if language == "schedules")

    for line in block.splitlines():
        assert parse_one(line.split("#")[0].strip())


def test_commands_in_sessions_exist():
    """Every ``ratectl`` command shown is one that exists."""
    shown = re.findall(r"\$ ratectl ([a-z]+)", ALL)

    assert set(shown) <= set(cli.COMMANDS)
    assert {"init", "install", "list", "remove"} <= set(shown)


def prose(text):
    """Return *text* without its blocks of code."""
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def anchors(text):
    """Return the anchors that the headings of *text* get."""
    headings = re.findall(r"^#+ (.+)$", prose(text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """Every relative link leads to a file of the checkout, and to a heading of it where it names one."""
    text = prose(PAGES[page])
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src(?:set)?="([^"]+)"', text)
    broken = []
    for link in links:
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in anchors(PAGES[target])):
            broken.append(link)

    assert broken == []


def test_readme_leads_to_every_topic():
    """The README is short, and links each page of the manual."""
    linked = set(re.findall(r"\]\(src/ratectl/manual/([\w-]+)\.md", README))

    assert linked == set(manual.TOPICS)
    assert len(README) <= LONGEST_README


def test_tests_that_are_named_exist():
    """Every test that README or manual names as a proof is there."""
    named = set(re.findall(r"`(tests/[\w/.]+\.py)", ALL))

    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_topics_are_the_pages():
    """Every topic has its page and every page is a topic; each begins with a title and one sentence."""
    assert sorted(manual.TOPICS) == sorted(path.stem for path in manual.FOLDER.glob("*.md"))
    for topic in manual.TOPICS:
        told = manual.sentence(topic)
        assert re.match(r"# \w[^\n]+\n\n", manual.page(topic)), topic
        assert re.fullmatch(r"[A-Z][^.]+\.", told), (topic, told)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_can_be_read(page):
    """No page is long, and no line of prose is; a single word that cannot be broken may be."""
    lines = prose(PAGES[page]).splitlines()
    wide = [line for line in lines if len(line) > WIDEST and not line.startswith(("|", "!["))]

    assert PAGES[page].count("\n") <= LONGEST_PAGE
    assert [line for line in wide if len(max(line.split(), key=len)) < WIDEST * 2 // 3] == []


WORKFLOW = (ROOT / ".github/workflows/checks.yml").read_text(encoding="utf-8")


def test_workflow_runs_what_stands_in_it():
    """Every action is pinned by its whole commit with its version beside it, with the right to read alone; every file named exists."""
    used = re.findall(r"uses: (.+)", WORKFLOW)

    assert used
    assert [x for x in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", x)] == []
    assert re.findall(r"permissions:\n((?:  .+\n)+)", WORKFLOW) == ["  contents: read\n"]
    named = re.findall(r"scripts/\w+\.py|(?<=test: )test_\w+\.py", WORKFLOW)
    assert all((ROOT / x).exists() or (ROOT / "tests/engines" / x).exists() for x in named)
    assert {"test_launchd.py", "test_task_scheduler.py", "scripts/quickstart.py"} <= set(named)


def test_workflow_has_the_pythons_of_the_classifiers():
    """The checks run on every Python that the package names."""
    listed = re.findall(r"python: \[(.+)\]", WORKFLOW)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [c.rpartition(" ")[2] for c in project["classifiers"] if re.search(r":: 3\.\d+$", c)]

    assert [re.findall(r'"(.+?)"', each) for each in listed] == [named] * len(listed)


def test_comparisons_have_sources():
    """What is said of another program links to where that program says so."""
    section = manual.page("compared").partition("## With other programs")[2]
    rows = [line for line in section.splitlines() if line.startswith("| ")][2:]

    assert len(rows) >= 8
    assert [row for row in rows if "](http" not in row and not row.startswith("| ratectl ")] == []


def test_changelog_has_the_version():
    """The changelog begins with what comes next, or with the version that is built and its day; each section says something."""
    sections = re.split(r"^## ", CHANGELOG, flags=re.MULTILINE)[1:]

    assert re.match(rf"(Unreleased|{re.escape(__version__)} - \d{{4}}-\d\d-\d\d)\n", sections[0])
    assert all(re.search(r"^- \w", section, flags=re.MULTILINE) for section in sections)


SHELL = [text for language, text in BLOCKS if language in {"sh", "console", ""}]


def typed():
    """Yield the words of each ratectl command line in a block of README and manual, without the shell's own."""
    for block in SHELL:
        console = "\n$ " in f"\n{block}"
        for line in block.replace("\\\n", " ").splitlines():
            if console and not line.startswith("$ "):
                continue
            words = shlex.split(line.removeprefix("$ "), comments=True)
            words = words[1:] if words[:1] == ["sudo"] else words
            ends = [n for n, word in enumerate(words) if word in command_line.BEYOND]
            if words[:1] == ["ratectl"]:
                yield tuple(words[1 : min(ends, default=len(words))])


@pytest.mark.parametrize("words", sorted(set(typed())), ids=" ".join)
def test_command_lines_parse(words):
    """Every ratectl command line in a block is taken by its command, with each of its arguments and options."""
    verb, *others = words

    assert command_line.command(verb).make_context(verb, others).params


def test_spans_of_commands_parse():
    """What stands in the text as `ratectl COMMAND ...` is a command, and its options are those of it."""
    offenders = []
    for text in re.findall(r"`ratectl ([a-z][^`]*)`", " ".join(prose(ALL).split())):
        verb, *others = text.split()
        known = {o for p in command_line.command(verb).params for o in p.opts} | {"--help"}
        offenders += [text for word in others if word.startswith("--") and word not in known]

    assert offenders == []


def test_blocks_say_what_they_are():
    """Every block names a language that a test knows how to hold to the truth, or is a figure."""
    known = {"toml", "sh", "console", "text", "schedules", "yaml", "dockerfile", ""}

    assert {language for language, _text in BLOCKS} <= known
