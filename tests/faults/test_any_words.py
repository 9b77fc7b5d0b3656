"""Every command with hostile words in its record, its arguments and its spec: nothing that steers a terminal comes out."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ratectl import cli
from ratectl.runtime.visible import UNSAFE
from tests.fakes import past
from tests.fakes.station import Station, now

pytestmark = [pytest.mark.network, pytest.mark.slow]

HOSTILE = "\x1b]52;c;cm0=\x07\x9b2J\u2028\u2029\u202ea\u2066\u200f\u200b\r\x08\x00\U000e0041<b>&"
COMMANDS = {
    "init": ("init", "{word}/x.toml"),
    "check": ("check", "{spec}"),
    "check --json": ("check", "{spec}", "--json"),
    "check a name": ("check", "/nowhere/{word}.toml"),
    "plan": ("plan", "{spec}", "--backend", "cron"),
    "install": ("install", "{spec}", "--backend", "{word}"),
    "list": ("list",),
    "list --json": ("list", "--json"),
    "remove": ("remove", "{word}"),
    "pause": ("pause", "{word}"),
    "resume": ("resume", "{word}"),
    "doctor": ("doctor", "--offline"),
    "doctor --json": ("doctor", "--offline", "--json"),
    "doctor a name": ("doctor", "{word}", "--offline"),
    "providers": ("providers", "{word}"),
    "render": ("render", "{spec}", "--backend", "systemd", "--out", "{folder}/out"),
    "next": ("next", "usd-inr"),
    "next a phrase": ("next", "{word}"),
    "lint-crontab": ("lint-crontab", "{crontab}"),
    "run": ("run", "{word}"),
    "run due": ("run", "usd-inr", "--json"),
    "backfill": ("backfill", "usd-inr", "--since", "{word}"),
    "record": ("record", "usd-inr", "USD/INR", "95.1", "--on", "{word}"),
    "record a name": ("record", "{word}", "{word}", "{word}"),
    "rename": ("rename", "usd-inr", "{word}"),
    "rename a name": ("rename", "{word}", "usd-inr"),
    "import": ("import", "{crontab}", "--job", "usd-inr"),
    "import a name": ("import", "{word}", "--job", "usd-inr"),
    "review void": ("review", "void", "{word}", "--job", "usd-inr", "--reason", "{word}"),
    "history revisions": ("history", "usd-inr", "--revisions"),
    "review": ("review",),
    "review all": ("review", "--all", "--json"),
    "review show": ("review", "show", "1"),
    "review reject": ("review", "reject", "1"),
    "status": ("status",),
    "status --json": ("status", "--json"),
    "status metrics": ("status", "--prometheus", "{folder}/metrics.prom"),
    "history": ("history", "usd-inr"),
    "history --json": ("history", "usd-inr", "--json"),
    "history csv": ("history", "usd-inr", "--format", "csv"),
    "history csv-quotes": ("history", "usd-inr", "--format", "csv-quotes"),
    "history ledger": ("history", "usd-inr", "--format", "ledger"),
    "rate": ("rate", "{word}"),
    "chart": ("chart", "usd-inr"),
    "report": ("report", "{folder}/page.html"),
    "journal": ("journal", "copy", "{word}", "sqlite"),
    "serve": ("serve", "{word}"),
    "manual": ("manual", "{word}"),
}


@pytest.fixture
def station(tmp_path, live_rates, monkeypatch):
    """A record of which every text was written by somebody else."""
    station = Station(folder=tmp_path)
    job = station.job(live_rates.url)
    station.install(job)
    past.settle(station.state, job, now().replace(minute=0, second=0), provider="ecb")
    monkeypatch.setenv("RATECTL_STATE_DIR", str(station.state))
    monkeypatch.setenv("RATECTL_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jobs.toml").write_text(
        f"[jobs.{json.dumps(HOSTILE)}]\npairs = [{json.dumps(HOSTILE)}]\n[{json.dumps(HOSTILE)}]\n".replace(
            "\\ud", "\\\\ud"
        )
    )
    (tmp_path / "tab").write_text(f"* * * * * echo {HOSTILE}\n61 {HOSTILE} * * * x\n")
    return station


def spoil(station, text):
    """Put *text* wherever the journal has words."""
    values = {
        "firings": ("outcome", "detail", "closed_pairs"),
        "quotes": ("provider", "kind"),
    }
    with contextlib.closing(sqlite3.connect(station.state / "journal.sqlite3")) as journal:
        for table, columns in values.items():
            for column in columns:
                journal.execute(f"UPDATE {table} SET {column} = ?", (text,))  # noqa: S608 - our names
        journal.execute("DELETE FROM quarantine")
        journal.execute(
            "INSERT INTO bodies (digest, body) VALUES ('d', ?) ON CONFLICT (digest) DO UPDATE SET body = ?",
            (text.encode("utf-8", "replace"),) * 2,
        )
        journal.execute(
            "INSERT INTO quarantine (id, job, slot, provider, reason, at, digest)"
            " VALUES (1, 'usd-inr', 1, ?, ?, 1, 'd')",
            (text, text),
        )
        journal.commit()


def say(words, station, text, capsys):
    """Return what ``ratectl`` *words* says with *text* in them; a traceback fails the test."""
    places = {
        "word": text.replace("\0", ""),
        "folder": str(station.folder),
        "spec": str(station.folder / "jobs.toml"),
        "crontab": str(station.folder / "tab"),
    }
    with contextlib.suppress(SystemExit):
        cli.main(tuple(word.format(**places) for word in words))
    told = capsys.readouterr()
    return told.out + told.err


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_each_command(station, capsys, words):
    """Control characters, separators and direction marks come out as escapes, on both streams and in files."""
    spoil(station, HOSTILE)

    said = say(words, station, HOSTILE, capsys)

    assert re.search(UNSAFE, said) is None, ascii(said)
    for name in ("page.html", "metrics.prom"):
        path = station.folder / name
        if path.exists():
            assert re.search(UNSAFE, path.read_text(encoding="utf-8")) is None, name


CHEAP = ("status", "history", "review", "review all", "list --json", "check a name", "rate")


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    text=st.text(min_size=1, max_size=40).filter(lambda text: not text.startswith("-")),
    name=st.sampled_from(CHEAP),
)
def test_any_words(station, capsys, text, name):
    """Whatever text it is."""
    plain = text.encode("utf-8", "replace").decode().replace("{", "").replace("}", "") or "x"
    spoil(station, plain.replace("\0", "x"))

    said = say(COMMANDS[name], station, plain, capsys)

    assert re.search(UNSAFE, said) is None, ascii(said)


def test_every_command_is_here():
    """No command is left out."""
    assert {words[0] for words in COMMANDS.values()} == set(cli.COMMANDS)
