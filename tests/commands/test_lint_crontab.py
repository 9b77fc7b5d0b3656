"""``ratectl lint-crontab`` tells people and programs which lines to look at, and writes nothing."""

import io
import json
import sys

import pytest

from ratectl.runtime import accounts

TAB = b"# mine\n0 22-2 * * * true\n*/7 * * * * true\n"


@pytest.fixture
def tab(tmp_path):
    """A crontab with an error and a warning."""
    path = tmp_path / "tab"
    path.write_bytes(TAB)
    return path


def test_json_contract(ratectl, tab):
    """Programs get file, line, severity, code, message and advice of each finding."""
    answer = ratectl("lint-crontab", str(tab), "--json")

    facts = json.loads(answer.out)
    assert answer.code == 65
    assert [(fact["file"], fact["line"], fact["severity"], fact["code"]) for fact in facts] == [
        (str(tab), 2, "error", "wrapped-range"),
        (str(tab), 3, "warning", "uneven-step"),
    ]
    assert facts[0].keys() == {"file", "line", "severity", "code", "message", "instead"}
    assert facts[0]["instead"] == "`22-23,0-2`"


def test_text(ratectl, tab):
    """People read place, severity, code, reason and advice, and the count at the end."""
    answer = ratectl("lint-crontab", str(tab))

    assert answer.code == 65
    assert f"{tab}:2: error: wrapped-range: hour `22-2`: the range runs backwards" in answer.out
    assert '\n    instead: in a ratectl spec: "every 7 minutes"\n' in answer.out
    assert answer.out.endswith("\n1 error, 1 warning\n")


def test_warnings_alone_exit_0(ratectl, tab):
    """A tab with warnings only ends with 0, as the help says."""
    tab.write_bytes(b"*/7 * * * * true\n")

    answer = ratectl("lint-crontab", str(tab))

    assert (answer.code, answer.out.splitlines()[-1]) == (0, "0 errors, 1 warning")
    assert "0 with warnings only" in " ".join(ratectl("lint-crontab", "--help").out.split())


def test_nothing_found(ratectl, tab):
    """A tab that is fine prints the count alone, and an empty list for programs."""
    tab.write_bytes(b"# \xff\xfe\n0 5 * * * true\n")

    assert ratectl("lint-crontab", str(tab)).out == "0 errors, 0 warnings\n"
    assert json.loads(ratectl("lint-crontab", str(tab), "--json").out) == []


def test_stdin(ratectl, monkeypatch):
    """A dash reads the tab from standard input, bytes as they are."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff=\n" + TAB)))

    answer = ratectl("lint-crontab", "-")

    assert answer.code == 65
    assert answer.out.startswith("stdin:1: error: empty-value: ")


def test_system_form(ratectl, tab):
    """With --system the word before the command is an account."""
    tab.write_bytes(b"0 5 * * * /usr/bin/true\n")

    assert ratectl("lint-crontab", str(tab)).code == 0
    assert "user-field" in ratectl("lint-crontab", "--system", str(tab)).out


def test_accounts_of_this_machine(ratectl, tab, monkeypatch):
    """An account that this machine does not have is a warning; where it has none at all, as on Windows, nothing is said."""
    tab.write_bytes(b"0 5 * * * no-such-user true\n0 6 * * * root true\n")
    monkeypatch.setattr(accounts, "find", {"root": "root"}.get)

    answer = ratectl("lint-crontab", "--system", str(tab))
    monkeypatch.setattr(accounts, "find", {}.get)

    assert answer.code == 0
    assert f"{tab}:1: warning: unknown-account: `no-such-user`" in answer.out
    assert ratectl("lint-crontab", "--system", str(tab)).out == "0 errors, 0 warnings\n"


def test_zones_of_this_machine(ratectl, tab):
    """A zone that does not exist is told, with the nearest one for the spec."""
    tab.write_bytes(b"TZ=Nowhere/Land\nTZ=Europe/Berlim\nTZ=Europe/Berlin\n")

    out = ratectl("lint-crontab", str(tab)).out

    assert "no zone has the name `Nowhere/Land`" in out
    assert 'timezone = "Nowhere/Land"' not in out
    assert out.count('timezone = "Europe/Berlin"') == 2


def test_absent_file(ratectl, tmp_path):
    """A file that is not there ends with 74 and is named."""
    answer = ratectl("lint-crontab", str(tmp_path / "none"))

    assert answer.code == 74
    assert "none: no such file" in answer.err


def test_our_own_line(ratectl, tmp_path):
    """What `ratectl install` wrote is not complained of; an @reboot of somebody else's is."""
    tab = tmp_path / "tab"
    tab.write_text(
        "@reboot /opt/x/bin/python -I -S /opt/x/bin/ratectl-fetch --sweep\n@reboot /usr/bin/true\n"
    )

    out = ratectl("lint-crontab", str(tab)).out

    assert out.count("reboot:") == 1
    assert "tab:2:" in out


def test_writes_nothing(ratectl, tab):
    """The tab and its folder are as they were."""
    ratectl("lint-crontab", str(tab))

    assert tab.read_bytes() == TAB
    assert list(tab.parent.iterdir()) == [tab]
