"""Six and seven fields of time, as Quartz writes them; what Debian's crontab does is held in tests/engines."""

import pytest

from ratectl import crontab_lint


def flaw_of(line, lint=crontab_lint.lint):
    """Return the only flaw of *line*."""
    (finding,) = lint(f"{line}\n".encode())
    return finding.flaw


@pytest.mark.parametrize(
    ("line", "count", "fate"),
    [
        ("0 0 12 1/1 * ? * cmd", "seven", "rejects the tab, whose month `1/1` is wrong"),
        ("0 0 9 ? * MON-FRI * cmd", "seven", "rejects the tab, whose month `?` is wrong"),
        ("0 0/5 14 * * ? cmd", "six", "rejects the tab, whose hour `0/5` is wrong"),
        ("0 0 12 * * 1 2026 cmd", "seven", "takes `1` for the command"),
        ("0 0 12 * * ? cmd", "six", "takes `?` for the command"),
        ("0 0 12 * * * cmd", "six", "rejects the tab"),
    ],
)
def test_what_becomes_of_the_line(line, count, fate):
    """The fields are counted, and the line is rejected where the first five are no time of cron's."""
    flaw = flaw_of(line)

    assert (flaw.severity, flaw.code) == ("error", "seconds-field")
    assert flaw.message.startswith(f"{count} time fields: cron has no seconds")
    assert flaw.message.endswith(f"reads them as five and {fate}")


def test_in_a_system_tab():
    """In a system tab the sixth field stands where the account should."""
    flaw = flaw_of("0 0 5 * * 1-5 root true", crontab_lint.lint_system)

    assert flaw.message.endswith("takes `1-5` for the account")


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("0 0 12 1/1 * ? *", '"every day at 12:00"'),
        ("0 0 9 ? * MON-FRI *", "`0 9 * * MON-FRI` and the command"),
        ("0 0 9 ? * 2-6", "`0 9 * * mon-fri` and the command"),
        ("0 0 9 * * 2-6", "`0 9 * * 2-6` and the command"),
        ("0/10 * * * * ?", '"every 10 seconds"'),
        ("0 0 9 L * ?", '"every month on the last day at 09:00"'),
        ("0 0 9 ? * MON#2", '"every month on the second monday at 09:00"'),
        ("0 0 9 ? * 2#1", '"every month on the first monday at 09:00"'),
        ("0 0 9 ? * 6L", '"every month on the last friday at 09:00"'),
        ("0 0 9 1 1 ? 2026", "five fields and a command"),
    ],
)
def test_what_says_it(line, advice):
    """The advice keeps the days, which Quartz counts from Sunday as 1; a year is said by nothing."""
    assert advice in flaw_of(f"{line} cmd").instead
