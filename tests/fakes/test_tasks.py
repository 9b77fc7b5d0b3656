"""The fake schtasks behaves like the real one where ratectl relies on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backends.windows.test_backend import rendered
from tests.fakes.tasks import ENGLISH, FRENCH, GERMAN, NAMESPACE, SID, STOCK, Tasks

DRAFT = Path("/drafts/a.task.xml")
CREATE = ("/Create", "/TN", "\\ratectl\\a", "/XML", str(DRAFT), "/F")
EXPORT = ("/Query", "/TN", "\\ratectl\\a", "/XML")
LIST = ("/Query", "/FO", "CSV", "/NH")


@pytest.fixture
def tasks():
    tasks = Tasks()
    assert tasks.call(CREATE, {DRAFT: rendered()}).code == 0
    return tasks


def test_created_listed_deleted(tasks):
    """A task is listed and exported until it is deleted, whatever the case of its path; then it is unknown."""
    assert b'"\\ratectl\\a"' in tasks.call(LIST, {}).stdout
    assert tasks.call(EXPORT, {}).code == 0
    assert tasks.call(("/Delete", "/TN", "\\RATECTL\\A", "/F"), {}).code == 0

    assert tasks.call(EXPORT, {}).code == 1
    assert tasks.call(("/Delete", "/TN", "\\ratectl\\a", "/F"), {}).code == 1
    assert STOCK.encode() in tasks.call(LIST, {}).stdout


def test_an_export_is_rewritten(tasks):
    """An export is not what was written: another order, more elements, the account as a SID."""
    text = tasks.call(EXPORT, {}).stdout.decode("cp437")

    assert text.index("<StartBoundary>") < text.index("<Enabled>true</Enabled>\r\n      <Sch") or (
        text.index("<Actions") < text.index("<Triggers")
    )
    assert "IdleSettings" in text
    assert SID in text


@pytest.mark.parametrize("data", [b"", b"<Task/>", "<Task/>".encode("utf-16"), rendered()[2:]])
def test_refused_documents(data):
    """A file that is no task, or not UTF-16 with its mark, is refused."""
    tasks = Tasks()

    assert tasks.call(CREATE, {DRAFT: data}).code == 1
    assert not tasks.kept


def test_no_such_file():
    """A draft that is not there is exit code 1."""
    assert Tasks().call(CREATE, {}).code == 1


def test_only_an_administrator_gets_tasks_that_run_without_a_login():
    """S4U is denied unless elevated."""
    wanted = rendered().decode("utf-16").replace("InteractiveToken", "S4U").encode("utf-16")

    assert Tasks().call(CREATE, {DRAFT: wanted}).code == 1
    assert Tasks(elevated=True).call(CREATE, {DRAFT: wanted}).code == 0


@pytest.mark.parametrize("language", [ENGLISH, FRENCH, GERMAN])
def test_messages_are_localized(language):
    """What is said depends on the machine; the exit code does not."""
    answer = Tasks(language=language).call(EXPORT, {})

    assert answer.code == 1
    assert answer.stderr.decode(language.code_page).strip() == language.absent


def test_a_person_changes_a_task(tasks):
    """A change in the console shows in the next export."""
    tasks.change("\\ratectl\\a", "Settings", "Enabled", text="false")

    assert tasks.kept["\\ratectl\\a"].findtext(
        f"{{{NAMESPACE}}}Settings/{{{NAMESPACE}}}Enabled"
    ) == ("false")


@pytest.mark.parametrize("words", [("/Run",), ("/Query",), ("/Create", "/TN", "x")])
def test_unknown_use(words):
    """Anything else fails the test that asked for it."""
    with pytest.raises((AssertionError, KeyError, ValueError)):
        Tasks().call(words, {})
