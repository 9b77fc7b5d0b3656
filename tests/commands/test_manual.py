"""What ``ratectl manual`` shows: the list of topics, a page as plain text in a pipe, and as it looks in a terminal."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.text import Text

from ratectl import cli, errors, manual
from ratectl.commands._shared.markdown import broken, shares
from ratectl.errors import RatectlError
from ratectl.views import manual as views

TOPICS = pytest.mark.parametrize("topic", manual.TOPICS)


def test_list_of_topics(ratectl, monkeypatch):
    """Without a topic it lists all of them, each with its one sentence; in a pipe of no width on one line."""
    monkeypatch.delenv("COLUMNS", raising=False)  # several processes of pytest set it

    answer = ratectl("manual")
    lines = answer.out.splitlines()

    assert answer.code == 0
    for topic in manual.TOPICS:
        assert any(
            re.fullmatch(rf"  {topic} +{re.escape(manual.sentence(topic))}", x) for x in lines
        )


@TOPICS
def test_plain_in_a_pipe(ratectl, topic):
    """A page comes without escapes, marks of the generator and links into folders that the reader may not have."""
    out = ratectl("manual", topic).out

    assert out.startswith(manual.page(topic).splitlines()[0])
    assert "\x1b" not in out
    assert "<!--" not in out
    assert [link for link in re.findall(r"\]\(([^)]+)\)", out) if "://" not in link] == []


@TOPICS
def test_nothing_of_a_page_is_lost(ratectl, topic):
    """Every block of code stands in the plain text as it is in the page."""
    out = ratectl("manual", topic).out

    for block in re.findall(r"```\w*\n.*?```", manual.page(topic), flags=re.DOTALL):
        assert block in out


def outside_of_code(text):
    """Return the lines of *text* that are in no block of code and in no list of web addresses."""
    page = re.sub(r"\n## Links\n.*", "", text, flags=re.DOTALL)
    return re.sub(r"```.*?```", "", page, flags=re.DOTALL).splitlines()


@TOPICS
def test_fits_80_columns_in_a_pipe(ratectl, topic, monkeypatch):
    """In a pipe no line, and no table, is wider than a terminal's usual width, and no page longer than one reads."""
    monkeypatch.delenv("COLUMNS", raising=False)
    page = ratectl("manual", topic).out

    assert [x for x in outside_of_code(page) if len(x) > 80] == []
    assert page.count("\n") <= 300


@TOPICS
def test_code_fits_80_columns(topic):
    """So do blocks of code, with the two columns around them that a terminal shows; but for the wide figures of fleets."""
    blocks = re.findall(r"```\w*\n(.*?)```", manual.page(topic), flags=re.DOTALL)
    wide = {line for block in blocks for line in block.splitlines() if len(line) > 78}

    assert wide == set() or topic == "fleets"


def test_plain_page_stays_markdown(ratectl):
    """Headings keep their signs and code its marks in a pipe; tables are columns, their rows set off, no word broken."""
    lines = ratectl("manual", "spec").out.splitlines()
    row = lines.index(next(line for line in lines if line.startswith("`providers`")))

    assert "## Keys of a job" in lines
    assert lines[row].split()[:4] == ["`providers`", "list", "of", "names"]
    assert "`exchangerate-api-open`," in lines[row + 3]
    assert "" in (lines[row - 1], lines[row - 2])
    assert not any(line != line.rstrip() for line in lines)


def test_web_addresses_are_whole_in_a_pipe(ratectl):
    """A web address is not broken, however long, so that it can be copied."""
    listed = ratectl("manual", "compared").out.partition("## Links")[2].split()

    assert len([word for word in listed if word.startswith("https://")]) == len(listed) / 2


@pytest.mark.parametrize(
    ("lengths", "room", "given"),
    [
        ([[5], [10]], 20, [5, 10]),
        ([[5], [30], [60]], 50, [4, 20, 26]),
        ([[30], [30]], 40, [20, 20]),
        ([[5, 5], [20, 4], [60, 60]], 45, [4, 20, 21]),
        ([[5], [20], [60]], 30, [4, 16, 10]),
    ],
)
def test_shares(lengths, room, given):
    """A table's columns share the width so that it is not high, and none is below its longest word while others can give way."""
    assert shares(lengths, ([4, 20, 10][: len(lengths)],), room) == given


def test_words_wider_than_their_column():
    """A word that fits no column is broken where it has a joint, and elsewhere only without one."""
    cell = broken(Text("see tests/firing/test_hostile.py::test_body and abcdefghijklmnop"), 14)

    assert cell.plain.splitlines() == [
        "see tests/firing/",
        "test_hostile.",
        "py::test_body and abcdefghijklmn",
        "op",
    ]


def test_links_name_what_to_type(ratectl):
    """A link to another page says which topic it is; one to a file of the checkout says where that lies."""
    faq, fleets = ratectl("manual", "faq").out, ratectl("manual", "fleets").out

    assert "(`ratectl manual providers`)" in " ".join(faq.split())
    assert "`templates/ansible/playbook.yml`" in " ".join(fleets.split())


@pytest.mark.parametrize(
    ("word", "nearest"), [("schedule", "schedules"), ("Spec", "spec"), ("kuberntes", "kubernetes")]
)
def test_unknown_topic(ratectl, word, nearest):
    """An unknown topic is an error that names the nearest one."""
    answer = ratectl("manual", word)

    assert (answer.code, answer.out) == (2, "")
    assert f'no topic "{word}" (did you mean "{nearest}"?)' in answer.err
    assert "`ratectl manual`" in answer.err


def test_schedulers_have_their_page(ratectl):
    """The page of the schedulers, whose topic has another name, is found by the word for them, too."""
    assert ratectl("manual", "schedulers").out == ratectl("manual", "engines").out != ""


@pytest.mark.parametrize(
    ("word", "topic"), [("slot", "tour"), ("journal", "tour"), ("guarded", "faq")]
)
def test_words_have_a_page(ratectl, word, topic):
    """A word of the README that is no topic shows the page that explains it."""
    page = ratectl("manual", word).out

    assert page == ratectl("manual", topic).out
    assert word in page.lower()


def test_where_the_templates_are(ratectl):
    """The list tells where the files lie that pages name, wherever the program was installed."""
    told = re.search(r"templates/ lie in\s(.+)\.$", ratectl("manual").out, flags=re.MULTILINE)

    assert told is not None
    assert (Path(told[1]) / "postgresql" / "roles.sql").is_file()


def test_one_word_for_schedulers(ratectl):
    """What starts jobs is a scheduler in all texts for people; `engine` is left to names of files, keys and checks."""
    pages = [ratectl("manual", topic).out for topic in manual.TOPICS]
    helps = [ratectl(verb, "--help").out for verb in cli.COMMANDS]
    prose = re.sub(r"`[^`]*`|```.*?```", "", "\n".join((*pages, *helps)), flags=re.DOTALL)

    assert re.findall(r".*\b[Ee]ngines?\b.*", prose.replace("ratectl manual engines", "")) == []


def test_a_command_is_no_topic(ratectl):
    """Who asks for a command gets to know where that one is explained."""
    answer = ratectl("manual", "install")

    assert answer.code == 2
    assert "`ratectl install --help`" in answer.err
    assert "`ratectl manual commands`" in answer.err


def in_a_terminal(*words, columns, **environment):
    """Return what ``ratectl manual`` shows in a terminal of its own, without the pager's waiting."""
    master, slave = os.openpty()
    argv = (sys.executable, "-m", "ratectl", "manual", *words)
    variables = os.environ | {"PAGER": "cat", "COLUMNS": str(columns), "TERM": "xterm-256color"}
    variables.pop("NO_COLOR", None)
    shown = b""
    with subprocess.Popen(
        argv, stdin=slave, stdout=slave, stderr=slave, env=variables | environment
    ) as process:
        os.close(slave)
        while part := _part(master):
            shown += part
    os.close(master)
    assert process.returncode == 0, shown
    return shown.decode().replace("\r\n", "\n")


def _part(master):
    try:
        return os.read(master, 4096)
    except OSError:  # the other end was closed
        return b""


def seen(text):
    """Return *text* without colours."""
    return re.sub("\x1b\\[[0-9;]*m", "", text)


@pytest.mark.network
@pytest.mark.posix("a pseudo-terminal")
@pytest.mark.parametrize("columns", [80, 120])
def test_fits_a_terminal(columns):
    """In a terminal no line is wider than it, and headings are set off by more than signs."""
    for topic in ("spec", "monitoring", "commands", "compared", "security"):
        shown = in_a_terminal(topic, columns=columns)
        assert "\x1b[" in shown
        lines = re.sub(r"\nLinks *\n.*", "", seen(shown), flags=re.DOTALL).splitlines()
        assert max(map(len, lines)) <= columns
        assert "<!--" not in shown
        assert "\n## " not in seen(shown)


@pytest.mark.network
@pytest.mark.posix("a pseudo-terminal")
def test_without_colour():
    """Under NO_COLOR a terminal gets the same text without a colour."""
    assert not re.search("\x1b\\[[0-9;]*3[0-9]", in_a_terminal("faq", columns=80, NO_COLOR="1"))


@pytest.mark.network
@pytest.mark.posix("a pseudo-terminal")
def test_long_pages_go_through_the_pager(tmp_path):
    """A page that is longer than the screen is handed to the pager; one that fits is shown at once."""
    pager, taken = tmp_path / "pager", tmp_path / "taken"
    pager.write_text(f'#!/bin/sh\ncat > "{taken}"\n')
    pager.chmod(0o755)

    in_a_terminal("exit-codes", columns=80, LINES="60", PAGER=str(pager))
    assert not taken.exists()
    in_a_terminal("spec", columns=80, LINES="24", PAGER=str(pager))
    assert "Keys of a job" in taken.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "topic"),
    [
        ('schedule = "every dya"', "schedules"),
        ('schedule = "every day"\nfrom = "2026-13-01"', "schedules"),
        ('schedule = "every day"\nproviders = ["ecp"]', "providers"),
        ('schedule = "every day"\noutput = "a.xls"', "outputs"),
        ('schedule = "every day"\nclosed_days = "maybe"', "spec"),
        ('schedule = "every dya"\nproviders = ["ecp"]', "spec"),
    ],
)
def test_errors_name_their_topic(ratectl, tmp_path, line, topic):
    """A spec with issues ends with the page that explains what they are about: one for all of them."""
    path = tmp_path / "jobs.toml"
    output = "" if "output" in line else 'output = "a.csv"\n'
    path.write_text(f'[jobs.a]\npairs = ["USD/INR"]\n{output}{line}\n', encoding="utf-8")
    answer = ratectl("check", str(path))

    assert answer.code == 78
    assert answer.err.splitlines()[-1] == f"(`ratectl manual {topic}` explains it)"


def test_a_phrase_names_its_topic(ratectl):
    """So does a schedule on the command line."""
    assert "(`ratectl manual schedules` explains it)" in ratectl("next", "every dya").err


def test_errors_name_pages_that_exist():
    """Every page that an error names is one of the manual."""
    classes = [RatectlError]
    for known in classes:
        classes += known.__subclasses__()
    named = {known.topic for known in classes} | set(errors.TOPICS.values())

    assert named - {""} <= set(manual.TOPICS)


@pytest.mark.network
@pytest.mark.posix("a pseudo-terminal")
@pytest.mark.parametrize("topic", ["spec", "providers", "monitoring", "security", "compared"])
def test_no_cell_is_cut(topic):
    """Whatever is too long for its column goes on below: nothing of a table is cut off."""
    assert in_a_terminal(topic, columns=80).count("…") == manual.page(topic).count("…")


@pytest.mark.network
@pytest.mark.posix("a pseudo-terminal")
def test_web_addresses_are_listed():
    """A web address stands at the end of the page, whole, by the number that its place has."""
    shown = seen(in_a_terminal("compared", columns=80))

    assert "schedule [1]" in " ".join(shown.split())
    assert re.search(r"\n +1 https://schedule\.readthedocs\.io/ *\n", shown)


def test_list_of_topics_in_a_terminal():
    """On a narrow screen a sentence goes on below where it began."""
    lines = views.topics(60).splitlines()

    assert max(map(len, lines[:-1])) <= 60  # the last one names a folder
    assert re.match(
        r"  several-hosts +How hosts", lines[lines.index(next(x for x in lines if "several" in x))]
    )
