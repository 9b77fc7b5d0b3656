"""A stateful ``schtasks``: keeps tasks as Windows does, which is not as they were written.

It reorders what a trigger and the settings hold, adds its own elements, spells accounts as SIDs and
answers in the language and code page of its machine. What it does not know fails the test.
"""

from __future__ import annotations

import codecs
import copy
import csv
import io
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.machine import done

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
STOCK = "\\Microsoft\\Windows\\Defrag\\ScheduledDefrag"
SID = "S-1-5-21-1004336348-1177238915-682003330-1001"
TRIGGER_AS_KEPT = (
    *("Repetition", "StartBoundary", "EndBoundary", "ExecutionTimeLimit", "Enabled"),
    *("RandomDelay", "ScheduleByDay", "ScheduleByWeek", "ScheduleByMonth"),
    *("ScheduleByMonthDayOfWeek", "Subscription"),
)
ADDED_TO_SETTINGS = (
    ("AllowHardTerminate", "true"),
    ("RunOnlyIfIdle", "false"),
    ("Hidden", "false"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """How one machine's schtasks says things, in its console's *code_page*."""

    code_page: str
    created: str
    absent: str
    denied: str
    broken: str
    ready: str
    off: str


ENGLISH = Language(
    code_page="cp437",
    created="SUCCESS: The scheduled task has successfully been created.",
    absent="ERROR: The system cannot find the file specified.",
    denied="ERROR: Access is denied.",
    broken="ERROR: The task XML is malformed.",
    ready="Ready",
    off="Disabled",
)
FRENCH = Language(
    code_page="cp850",
    created="Opération réussie : la tâche planifiée a été créée.",
    absent="Erreur : Le fichier spécifié est introuvable.",
    denied="Erreur : Accès refusé.",
    broken="Erreur : Le code XML de la tâche est incorrect.",
    ready="Prêt",
    off="Désactivée",
)
GERMAN = Language(
    code_page="cp850",
    created="ERFOLGREICH: Die geplante Aufgabe wurde erstellt.",
    absent="FEHLER: Das System kann die angegebene Datei nicht finden.",
    denied="FEHLER: Zugriff verweigert.",
    broken="FEHLER: Die XML-Datei für die Aufgabe ist ungültig.",
    ready="Bereit",
    off="Deaktiviert",
)


@dataclass(slots=True, kw_only=True)
class Tasks:
    """The task store of one account, elevated or not."""

    language: Language = ENGLISH
    elevated: bool = False
    prints: str = "code page"
    """How an export reaches a pipe: "utf-16", "utf-16-le" (without a mark), or "code page"."""
    broken_off: bool = False
    """The list of all tasks ends in the midst, at one that cannot be read."""
    locked: bool = False
    """Tasks that an administrator registered are refused to anybody without an administrator's rights."""
    blind: bool = False
    """It lists nothing of ours, and says that it failed."""
    kept: dict[str, ET.Element] = field(default_factory=dict)
    """Task path, as it was created -> task; ours and others'."""

    def call(self, words, files):
        """Run ``schtasks`` with *words* on a machine with *files*."""
        verbs = {"/Create": self._create, "/Delete": self._delete, "/Query": self._query}
        return verbs[words[0]](words[1:], files)

    def change(self, path, *tags, text):
        """Set the text of the element at *tags* in the task *path*, as a person does in the console."""
        node = self.kept[path].find("/".join(f"{{{NAMESPACE}}}{tag}" for tag in tags))
        assert node is not None, tags
        node.text = text

    def _create(self, words, files):
        name, path, xml, draft, force = words
        assert (name, xml, force) == ("/TN", "/XML", "/F"), words
        data = files.get(Path(draft))
        if data is None:
            return self._fail(self.language.absent)
        if not data.startswith(codecs.BOM_UTF16_LE):
            return self._fail(self.language.broken)
        try:
            task = ET.fromstring(data.decode("utf-16"))
        except ET.ParseError:
            return self._fail(self.language.broken)
        if task.tag != f"{{{NAMESPACE}}}Task":
            return self._fail(self.language.broken)
        logon = task.findtext(f".//{{{NAMESPACE}}}LogonType")
        if not self.elevated and (logon != "InteractiveToken" or self.locked):
            return self._fail(self.language.denied)
        self.kept[self._known(path) or path] = as_kept(task)
        return done(stdout=self._said(self.language.created))

    def _delete(self, words, _files):
        name, path, force = words
        assert (name, force) == ("/TN", "/F"), words
        known = self._known(path)
        if known is None:
            return self._fail(self.language.absent)
        if self.locked and not self.elevated:
            return self._fail(self.language.denied)
        del self.kept[known]
        return done(stdout=self._said(self.language.created))

    def _query(self, words, _files):
        if self.blind and words[:3] == ("/FO", "CSV", "/NH"):
            return done(1, stdout=self._said(self._table(())), stderr=b"ERROR: ...\r\n")
        if words == ("/FO", "CSV", "/NH"):
            if self.broken_off:
                return done(1, stdout=self._said(self._table(())), stderr=b"ERROR: ...\r\n")
            return done(stdout=self._said(self._table(self.kept)))
        if words[:3] == ("/FO", "CSV", "/NH"):
            _, folder = words[3:]
            inside = [path for path in self.kept if path.lower().startswith(folder.lower())]
            if not inside:
                return self._fail(self.language.absent)
            return done(stdout=self._said(self._table(inside)))
        name, path, xml = words
        assert (name, xml) == ("/TN", "/XML"), words
        known = self._known(path)
        if known is None:
            return self._fail(self.language.absent)
        return done(stdout=self._printed(self.kept[known]))

    def _table(self, paths):
        """Return a row for each trigger of the tasks at *paths*, after one of Windows: path, next run, status."""
        rows = io.StringIO()
        writer = csv.writer(rows, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerow((STOCK, "N/A", self.language.ready))
        for path in paths:
            task = self.kept[path]
            enabled = task.findtext(f"{{{NAMESPACE}}}Settings/{{{NAMESPACE}}}Enabled")
            status = self.language.off if enabled == "false" else self.language.ready
            for _ in task.find(f"{{{NAMESPACE}}}Triggers"):
                writer.writerow((path, "24.11.2026 10:30:00", status))
        return rows.getvalue()

    def _printed(self, task):
        ET.register_namespace("", NAMESPACE)
        body = ET.tostring(task, encoding="unicode").replace("\n", "\r\n")
        text = f'<?xml version="1.0" encoding="UTF-16"?>\r\n{body}\r\n\r\n'
        if self.prints == "utf-16":
            return codecs.BOM_UTF16_LE + text.encode("utf-16-le")
        if self.prints == "utf-16-le":
            return text.encode("utf-16-le")
        page = self.language.code_page
        if sys.platform == "win32" and page != "utf-8":  # which has a likeness for some signs
            return codecs.code_page_encode(int(page.removeprefix("cp")), text, "replace")[0]
        return text.encode(page, "replace")

    def _known(self, path):
        """Return *path* as it was created: names differ by more than their case."""
        return next((known for known in self.kept if known.lower() == path.lower()), None)

    def _said(self, text):
        return text.encode(self.language.code_page)

    def _fail(self, text):
        return done(1, stderr=self._said(text + "\r\n"))


def as_kept(task):
    """Return *task* as Windows keeps and exports it."""
    kept = copy.deepcopy(task)
    for trigger in kept.find(f"{{{NAMESPACE}}}Triggers"):
        repetition = trigger.find(f"{{{NAMESPACE}}}Repetition")
        if repetition is not None:
            ET.SubElement(repetition, f"{{{NAMESPACE}}}StopAtDurationEnd").text = "false"
        trigger[:] = sorted(trigger, key=lambda node: TRIGGER_AS_KEPT.index(_tag(node)))
    settings = kept.find(f"{{{NAMESPACE}}}Settings")
    for tag, text in ADDED_TO_SETTINGS:
        ET.SubElement(settings, f"{{{NAMESPACE}}}{tag}").text = text
    idle = ET.SubElement(settings, f"{{{NAMESPACE}}}IdleSettings")
    ET.SubElement(idle, f"{{{NAMESPACE}}}StopOnIdleEnd").text = "true"
    settings[:] = sorted(settings, key=_tag)
    ET.SubElement(kept.find(f"{{{NAMESPACE}}}RegistrationInfo"), f"{{{NAMESPACE}}}Author")
    kept.find(f".//{{{NAMESPACE}}}UserId").text = SID
    kept[:] = sorted(kept, key=_tag)
    return kept


def _tag(node):
    return node.tag.rpartition("}")[2]
