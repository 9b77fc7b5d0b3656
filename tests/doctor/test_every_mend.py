"""Every mend that the doctor can print: which test types it on the fault that it belongs to, or why nobody but a person can.

A new finding fails here until a test has typed what it says.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from ratectl.doctor import entries, network

ROOT = Path(__file__).resolve().parents[2]
DOCTOR = ROOT / "src" / "ratectl" / "doctor"
[COMMAND] = (ROOT / "src" / "ratectl" / "commands").glob("*/doctor.py")

TYPED = {
    "account-expired": "engines/test_doctor.py::test_planted_in_cron",
    "account-missing": "engines/test_mends.py::test_root_for_whom_an_account_is_made",
    "account-without-job": "engines/test_accounts.py::test_the_account_loses_what_root_gave_it",
    "cron-file-ignored": "engines/test_doctor.py::test_a_file_that_cron_ignores",
    "crontab-refused": "engines/test_doctor.py::test_planted_in_cron",
    "daemon-not-running": "engines/test_sudo.py::test_the_daemon_that_does_not_run",
    "engine-unreadable": "engines/test_mends.py::test_busybox_without_its_right",
    "entry-differs": "engines/test_mends.py::test_units_that_were_edited",
    "entry-drifted": "engines/test_doctor.py::test_timer_undone",
    "entry-left-over": "engines/test_mends.py::test_mended",
    "entry-missing": "engines/test_doctor.py::test_planted_in_cron",
    "entry-of-another-ratectl": "engines/test_mends.py::test_an_entry_of_another_environment",
    "entry-overridden": "engines/test_doctor.py::test_drop_in",
    "entry-unknown": "engines/test_mends.py::test_an_entry_without_a_journal",
    "firings-failing": "engines/test_mends.py::test_mended",
    "host-zone-changed": "engines/test_mends.py::test_mended",
    "input-untrusted": "engines/test_mends.py::test_root_for_whom_an_account_is_made",
    "install-interrupted": "engines/test_doctor.py::test_planted_in_cron",
    "installed-twice": "engines/test_doctor.py::test_two_engines",
    "journal-damaged": "engines/test_doctor.py::test_no_mend_loses_a_record",
    "journal-foreign": "engines/test_mends.py::test_a_journal_of_another_program",
    "key-in-environment": "engines/test_mends.py::test_key_in_the_environment",
    "key-too-open": "engines/test_mends.py::test_key_mended",
    "key-unreadable": "engines/test_mends.py::test_key_mended",
    "linger-off": "engines/test_mends.py::test_lingering",
    "no-user-bus": "engines/test_doctor.py::test_no_linger",
    "not-woken": "engines/test_mends.py::test_mended",
    "output-untrusted": "engines/test_mends.py::test_mended",
    "output-unwritable": "engines/test_doctor.py::test_planted_in_cron",
    "page-unwritable": "page/test_publish.py::test_doctor_mends_it",
    "program-broken": "engines/test_mends.py::test_mended",
    "program-missing": "engines/test_doctor.py::test_the_environment_moved",
    "program-not-executable": "engines/test_mends.py::test_mended",
    "provider-down": "engines/test_mends.py::test_provider_that_was_down",
    "provider-refused": "engines/test_mends.py::test_key_mended",
    "proxy-only-in-shell": "engines/test_mends.py::test_proxy_of_the_shell",
    "runs-as-root": "engines/test_mends.py::test_root_for_whom_an_account_is_made",
    "runs-failing": "engines/test_mends.py::test_a_unit_that_cannot_start",
    "snapshot-unreadable": "engines/test_mends.py::test_mended",
    "spec-changed": "engines/test_doctor.py::test_planted_in_cron",
    "spec-left-out": "engines/test_mends.py::test_a_job_that_left_its_spec",
    "state-of-another": "engines/test_doctor.py::test_no_mend_loses_a_record",
    "state-read-only": "engines/test_doctor.py::test_no_mend_loses_a_record",
    "state-untrusted": "engines/test_doctor.py::test_no_mend_loses_a_record",
    "state-unwritable": "engines/test_doctor.py::test_no_mend_loses_a_record",
    "zone-names-differ": "engines/test_mends.py::test_mended",
}
"""A finding, and the test that plants the fault, types the mend, and finds the fault gone and the record whole."""
SHOWS = {
    "ca-bundle-missing": "`ratectl check` shows the line of the spec that a person changes",
    "database-unreachable": "`psql` shows what the server says",
    "journal-busy": "another program is at work; the doctor is asked again",
    "journal-unusable": "the doctor is asked again",
    "look-failed": "the doctor is asked again",
    "provider-bad-data": "the provider answers rightly again, or a person names another",
    "provider-behind-portal": "`curl` shows the page of the portal",
    "provider-misconfigured": "a person changes the provider in the spec",
    "not-served": "`ratectl serve` runs until it is stopped; commands/test_status.py looks before, while and after",
    "provider-offline": "`ratectl run` or `ratectl doctor` tries again once the network is back",
    "provider-unknown-host": "`getent` shows whether the name is known",
    "rights-missing": "`kubectl` prints the Role that whoever runs the cluster makes",
    "secret-missing": "`kubectl create secret` needs the person's file of keys",
    "spec-unusable": "a person puts the file back, or changes the line that `ratectl check` shows",
    "state-full": "`df` shows what is full",
}
"""Findings whose command destroys and changes nothing: it shows a person what to decide."""
OUT_OF_REACH = {
    "clock-unsynchronised": "the clock belongs to the whole machine, and no test may let anything set it",
    "clock-wrong": "the clock belongs to the whole machine, and no test may let anything set it",
    "engine-absent": "a package is installed from the network, or another engine taken",
    "host-zone-unknown": "a person names the zone",
    "journal-too-new": "a newer ratectl is installed from the network",
    "manager-silent": "the first process of a machine cannot be stopped from inside",
    "only-while-logged-in": "macOS and Windows only",
    "program-out-of-reach": "ratectl is installed from the network",
    "program-untrusted": "ratectl is installed from the network",
    "zone-data-missing": "a package is installed from the network",
}
"""Findings whose command no sandbox without a network can carry out."""


def printed():
    """Return the word of each finding that the doctor's code can make."""
    found = {*network.CHECKS.values(), *entries.SPEC_CHECKS.values()}
    for path in (*DOCTOR.glob("*.py"), COMMAND):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.keyword(arg="check", value=ast.Constant(value=str(word))):
                    found.add(word)
                case ast.Assign(targets=[ast.Name(id="check")], value=value):
                    words = {
                        node.value for node in ast.walk(value) if isinstance(node, ast.Constant)
                    }
                    found |= {word for word in words if isinstance(word, str) and "-" in word}
                case ast.Return(value=ast.Tuple(elts=[ast.Constant(value=str(word)), _])):
                    found.add(word)
    return found


def test_every_finding_is_listed_once():
    """No finding is missing here, none is left from before, and none stands in two lists."""
    listed = [*TYPED, *SHOWS, *OUT_OF_REACH]

    assert sorted(listed) == sorted(printed())


@pytest.mark.parametrize("check", TYPED)
def test_a_test_types_it(check):
    """The test that is named is there, its file names the finding, and it types the mend."""
    file, _, name = TYPED[check].partition("::")
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    functions = {
        node.name: ast.get_source_segment(text, node) or ""
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef)
    }

    assert f'"{check}"' in text
    assert "mend" in functions[name]


@pytest.mark.parametrize("check", [*SHOWS, *OUT_OF_REACH])
def test_the_reason_is_said(check):
    """What no test types has a reason of some words."""
    assert len((SHOWS | OUT_OF_REACH)[check].split()) > 2
