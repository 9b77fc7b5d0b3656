"""Crontab lines and what is said of them; each claim about Debian's crontab is also held in tests/engines."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ratectl import crontab_lint
from ratectl.errors import ScheduleError
from ratectl.schedule.language.parse import parse_one

ERRORS = {  # line -> code, and a piece of the advice
    "* * * * * root /usr/bin/true": ("account-in-user-tab", "without `root`"),
    "* * * * * root cmd": ("account-in-user-tab", "without `root`"),
    "0 9 * * *\troot\tcmd": ("account-in-user-tab", "without `root`"),
    "@daily games cmd": ("account-in-user-tab", "without `games`"),
    "0 9 * * 7/2 true": ("step-without-range", "`0-6/2`"),
    "SHELL=/bin/bash -e": ("shell-arguments", "`SHELL=/bin/bash`"),
    "SHELL=/usr/bin/env bash": ("shell-arguments", "`SHELL=/bin/bash`"),
    "SHELL=bash -e": ("shell-arguments", "`SHELL=/bin/bash`"),
    "SHELL=bash": ("shell-path", "`SHELL=/bin/bash`"),
    "SHELL='sh'": ("shell-path", "`SHELL=/bin/sh`"),
    "SHELL=bin/zsh": ("shell-path", "`SHELL=/bin/zsh`"),
    "SHELL=fish": ("shell-path", "`command -v fish`"),
    'SHELL=""': ("shell-path", "`SHELL=/bin/sh`"),
    "SHELL=~/bin/bash": ("shell-path", "`SHELL=/bin/bash`"),
    "SHELL=$HOME/sh": ("shell-path", "`SHELL=/bin/sh`"),
    "SHELL=": ("empty-value", "`SHELL=/bin/sh`"),
    "HOME=": ("empty-value", "in full"),
    "0 9 30 2 1 true": ("day-never-comes", "`0 9 * 2 1`"),
    "0 9 31 2 5 true": ("day-never-comes", "`0 9 * 2 5`, or a day that February has"),
    "0 9 31 4,jun 1-5 true": (
        "day-never-comes",
        "`0 9 * 4,jun 1-5`, or a day that April and June have",
    ),
    "*/60 9 30,31 2 5,6 true": ("day-never-comes", "`0 9 * 2 5,6`"),
    "* 2 30 2 1 true": ("day-never-comes", "`* 2 * 2 1`"),
    "0 9 30 2 */2 true": ("never-fires", "a day that exists in the place of `30`"),
    "*/5 9 30 2 * true": (
        "never-fires",
        '"every 5 minutes between 09:00 and 09:55 on the last day in',
    ),
    "*/60 9 30 2 * true": ("never-fires", "on the last day in february at 09:00"),
    "*/60 9 1-7 * 1 true": ("both-day-fields", "month on the first monday at 09:00"),
    "*/5 9 1-7 * 1 true": ("both-day-fields", "between 09:00 and 09:55 on the first monday"),
    "*/5 9 * * 1#2 true": ("nth-weekday", "between 09:00 and 09:55 on the second monday"),
    "0 9 * 1-3 1#2 true": (
        "nth-weekday",
        "on the second monday in january, february and march at 09:00",
    ),
    "0 9 * * 1#2,5 true": ("nth-weekday", '"every month on the second monday at 09:00", beside'),
    "0 9-11 L * * true": ("foreign-syntax", "on the last day at 09:00, 10:00 and 11:00"),
    "50/15 * * * * true": ("step-without-range", "`50`"),
    "*/999999999 * * * * true": ("step-beyond-range", "`0`"),
    "30 */36 * * * true": ("step-beyond-range", "`0`"),
    "0 9, 17 * * * true": ("blank-in-field", "`0 9,17 * * *` and the command"),
    "0 9 * * mon, wed true": ("blank-in-field", "`0 9 * * mon,wed` and the command"),
    "*/ 5 * * * *\ttrue": ("blank-in-field", "`*/5 * * * *` and the command"),
    "0 9 * * 1 - 5 true": ("blank-in-field", "`0 9 * * 1-5` and the command"),
    "0 9 ,17 * * 5 ,7 true": ("blank-in-field", "`0 9,17 * * 0,5` and the command"),
    "0 0 9 30 2 * true": ("seconds-field", "on the last day in february at 09:00"),
    "0 0 9, 17 * * * true": ("blank-in-field", "without the blank"),
    "0 0 9, 31 2 * * true": ("blank-in-field", "without the blank"),
    "0 9, 25 * * * true": ("blank-in-field", "without the blank"),
    "HOME=~": ("tilde-in-value", "in full"),
    "HOME=~me": ("tilde-in-value", "in full"),
    "HOME=~/work": ("tilde-in-value", "in full"),
    "HOME=relative": ("relative-home", "in full"),
    'HOME=""': ("relative-home", "in full"),
    "HOME=$HOME": ("variable", "in full"),
    "HOME=/home/${USER}": ("variable", "in full"),
}
ERRORS |= {  # line -> code, and a piece of the advice
    "30 2 30 2 * true": ("never-fires", '"every month on the last day in february at 02:30"'),
    "0 5 31 4,6 * true": ("never-fires", "in april and june at 05:00"),
    "0 22-2 * * * true": ("wrapped-range", "`22-23,0-2`"),
    "0 22-2/2 * * * true": ("wrapped-range", "`22,0,2`"),
    "0 5 * * 6-0 true": ("wrapped-range", "`6,0`"),
    "0 5 * * sat-sun true": ("wrapped-range", "`6,0`"),
    "0 5 * * 7-1 true": ("wrapped-range", "`0-1`"),
    "0 5 25-5 * * true": ("wrapped-range", "`25-31,1-5`"),
    "0 5 1 nov-feb * true": ("wrapped-range", "`11-12,1-2`"),
    "*/90 * * * * true": ("step-beyond-range", '"every 90 minutes"'),
    "*/90 5 * * * true": ("step-beyond-range", "`0`"),
    "0 */36 * * * true": ("step-beyond-range", '"every 36 hours"'),
    "9-17/20 * * * * true": ("step-beyond-range", "`9`"),
    "0 5 * * 1#2 true": ("nth-weekday", '"every month on the second monday at 05:00"'),
    "0 5 * mar sat#4 true": ("nth-weekday", "on the fourth saturday in march at 05:00"),
    "0 5 1-7 * 1 true": ("both-day-fields", '"every month on the first monday at 05:00"'),
    "0 5 L * * true": ("foreign-syntax", '"every month on the last day at 05:00"'),
    "0 5 LW * * true": ("foreign-syntax", '"every month on the last weekday at 05:00"'),
    "0 5 15W 1,2 * true": ("foreign-syntax", "a number from 1 to 31"),
    "0 5 * * 5L true": ("foreign-syntax", '"every month on the last friday at 05:00"'),
    "0 5 ? * * true": ("foreign-syntax", "`*`"),
    "H * * * * true": ("foreign-syntax", "`17`"),
    "H(0-29)/10 5 * * * true": ("foreign-syntax", "`17`"),
    "0~30 5 * * * true": ("tilde", '`0`; in a ratectl spec a random delay is `jitter = "30m"`'),
    "0 5~9 * * * true": ("tilde", "`5`"),
    "5/15 * * * * true": ("step-without-range", "`5-59/15`"),
    "*/0 * * * * true": ("zero-step", "`*`"),
    "60 * * * * true": ("out-of-range", "0 to 59"),
    "0 24 * * * true": ("out-of-range", "0 to 23"),
    "0 5 * * monday true": ("name", "`mon`"),
    "0 5 * xyz * true": ("name", "jan"),
    "1,,2 * * * * true": ("syntax", "joined by commas"),
    "*-5 * * * * true": ("syntax", "joined by commas"),
    "*/10 * * * * * true": ("seconds-field", '"every 10 seconds"'),
    "15 30 10 * * * true": ("seconds-field", '"every day at 10:30:15"'),
    "0 0 9 * * 1-5 true": ("seconds-field", "`0 9 * * 1-5`"),
    "0 0 9 * * MON-FRI true": ("seconds-field", "`0 9 * * MON-FRI`"),
    "0 0 12 ? * * true": ("seconds-field", "`0 12 * * *`"),
    "* * * * * *": ("seconds-field", "five fields"),
    "0 5 * *": ("too-few-fields", "minute hour day month weekday command"),
    "hello": ("too-few-fields", "NAME=value"),
    "0 5 15W * ": ("too-few-fields", "NAME=value"),
    "-0 5 * * * true": ("leading-dash", "without"),
    "- 0 5 * * * true": ("leading-dash", "without"),
    "@every 90m true": ("unknown-macro", '"every 90 minutes"'),
    "@Daily true": ("unknown-macro", "`@daily`"),
    "@fortnightly true": ("unknown-macro", "@weekly"),
    "0 5 * * * date +%F": ("percent", r"`date +\%F`"),
    "@daily date +%F": ("percent", r"`date +\%F`"),
    "0 5 * * * " + "x" * 999: ("command-too-long", "script"),
    "CRON_TZ=Asia/Kolkata": ("cron-tz", 'timezone = "Asia/Kolkata"'),
    "A=": ("empty-value", '`A=""`'),
    "A =  ": ("empty-value", '`A=""`'),
    "export PATH=/bin": ("export", "`PATH=/bin`"),
    "x" * 997 + "=1": ("name-too-long", "shorter"),
}
WARNINGS = {
    "0 5 * * 7 true": ("weekday-7", "`0`"),
    "0 5 * * 5-7 true": ("weekday-7", "`0,5,6`"),
    "0 5 * * MON,4-7 true": ("weekday-7", "`0,1,4-6`"),
    "0 5 * * */7,3 true": ("step-beyond-range", "`0,3`"),
    "0 5 * * */7 true": ("step-beyond-range", '"every sunday at 05:00"'),
    "0 5 1-7 * */7 true": ("step-beyond-range", '"every month on the first sunday at 05:00"'),
    "PATH=~/bin:/usr/bin": ("tilde-in-value", "in full"),
    "*/60 * * * * true": ("step-beyond-range", "`0`"),
    "30 */5 * * * true": ("uneven-step", "divides 24"),
    "0 9 */31 * 1 true": (
        "step-beyond-range",
        '"every month on the 1st if it is a monday at 09:00"',
    ),
    "0 9 * 1-3 */7 true": ("step-beyond-range", "`0`"),
    "0 9 13 * 1-5/5 true": ("both-day-fields", "`0 9 13 * *` and `0 9 * * 1`"),
    "*/45 * * * * true": ("uneven-step", '"every 45 minutes"'),
    "*/7 * * * * true": ("uneven-step", '"every 7 minutes"'),
    "*/7 9-17 * * 1-5 true": ("uneven-step", "divides 60 (2, 3, 4, 5, 6"),
    "0-59/7 9-17 * * 1-5 true": ("uneven-step", "divides 60"),
    "0 */5 * * * true": ("uneven-step", '"every 5 hours"'),
    "0 5 */3 * * true": ("uneven-step", '"every 3 days at 05:00"'),
    "0 5 * * */2 true": ("uneven-step", "the numbers that are meant"),
    "0 12 1-31/2 * 1 true": ("both-day-fields", "`0 12 1-31/2 * *` and `0 12 * * 1`"),
    "0 12 4 * */3 true": ("star-rule", "`0 12 4 * *` and `0 12 * * */3`"),
    "0 5 13 * 5 true": ("both-day-fields", "two lines, `0 5 13 * *` and `0 5 * * 5`"),
    "* 2 * * * true": ("every-minute", "`0 2 * * *`"),
    "* */2 * * * true": ("every-minute", "`0 */2 * * *`"),
    "@reboot true": ("reboot", "init system"),
    "* * * * *": ("no-command", "a command"),
    "@daily": ("no-command", "a command"),
    "TZ='Asia/Kolkata'": ("tz", 'timezone = "Asia/Kolkata"'),
    "RANDOM_DELAY=20": ("random-delay", 'jitter = "20m"'),
    "PATH=$PATH:/opt/bin": ("variable", "written out"),
    "A=b # c": ("comment-in-value", "line of its own"),
    "*/5 * * * * # disabled": ("comment-as-command", "turns it off"),
    "@daily # disabled": ("comment-as-command", "turns it off"),
}
REAL = rb"""# /etc/crontab of a small office
SHELL=/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin
MAILTO="ops@example.org, night # shift"
EMPTY=""

# m h dom mon dow command
*/5 * * * *	/usr/local/bin/poll --quiet
0 */2 * * *     backup --incremental > /dev/null 2>&1
15 3 * * * pg_dump books > /var/backups/books-$(date +\%F).sql
30 9-17 * * mon-fri report 'W\xfcrste' "\xe2\x82\xb9"
0,30 8-18/2 1,15 jan,JUL * payroll A=b
0 6 * * 5,6,0 weekend
59 23 28-31 * * [ "$(date -d tomorrow +\%d)" = 01 ] && close-month
17 4 29 2 * leap
* 9-17 * * 1-5 watch
@daily  clean
  @weekly 7z a week.7z .
"""


def found(tab, lint=crontab_lint.lint):
    """Return (line, severity, code) of each finding."""
    return [(each.line, each.flaw.severity, each.flaw.code) for each in lint(tab)]


@pytest.mark.parametrize(
    ("line", "severity", "code", "advice"),
    [
        (line, severity, code, advice)
        for severity, table in (("error", ERRORS), ("warning", WARNINGS))
        for line, (code, advice) in table.items()
    ],
    ids=lambda value: str(value)[:40],
)
def test_line(line, severity, code, advice):
    """The line has the finding, with the text that says what was meant."""
    findings = crontab_lint.lint(f"# fine\n{line}\n".encode("latin-1"))

    (flaw,) = (each.flaw for each in findings if each.flaw.code == code)
    assert {each.line for each in findings} == {2}
    assert flaw.severity == severity
    assert advice in flaw.instead
    for phrase in re.findall(r'ratectl spec: "(.*?)"', flaw.instead):
        assert parse_one(phrase)


@pytest.mark.parametrize(
    ("days", "told"), [("1", "1st"), ("29-31", "29th to 31st"), ("25-31", "25th to 31st")]
)
def test_sundays_among_days_of_the_month(days, told):
    """Where ``*/7`` means both days, no advice makes "either" of it: the phrase of `next` is offered."""
    line = f"0 9 {days} * */7"
    flaw = crontab_lint.lint(f"{line} true\n".encode())[0].flaw

    phrase = f"every month on the {told} if it is a sunday at 09:00"
    assert flaw.instead == f'in a ratectl spec: "{phrase}"'
    assert parse_one(phrase) == parse_one(line)


def test_star_rule_beside_uneven_days():
    """A day of month with a step and a weekday is told to mean both here and either elsewhere."""
    assert [code for _, _, code in found(b"0 12 */2 * 1 true\n")] == ["uneven-step", "star-rule"]


def test_real_crontab():
    """A tab that does what it looks like has no finding, whatever its bytes."""
    assert found(REAL) == []


def test_longest_command():
    """998 bytes are taken, one more is not, and bytes count rather than letters."""
    assert found(b"0 5 * * * " + b"x" * 998 + b"\n") == []
    assert found(b"0 5 * * * " + "ü".encode() * 500 + b"\n")[0][2] == "command-too-long"


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("0 5 * MAR SAT#4 true", "`SAT#4`"),
        ("0 5 * * SAT-SUN true", "`SAT-SUN`"),
        ("0 5 * * Monday true", "`Monday`"),
        ("0 5 L * * true", "`L`"),
        ("H 5 * * * true", "`H`"),
    ],
)
def test_fields_are_told_as_written(line, written):
    """A field is shown as it stands in the file, capitals and all."""
    [finding] = crontab_lint.lint(f"{line}\n".encode())

    assert written in finding.flaw.message


def test_the_last_line_is_named():
    """A tab without a final newline: the finding shows the line that has no end."""
    [finding] = crontab_lint.lint(b"# x\n0 5 * * * backup")

    assert "`0 5 * * * backup`" in finding.flaw.message


def test_accounts_in_their_place():
    """In a system tab the account is no flaw; in a user's tab it is one even where nothing stands behind it."""
    assert crontab_lint.lint_system(b"* * * * * root true\n") == ()
    for line in (b"0 5 * * * root\n", b"@daily nobody\n", b"0 5 * * * root \r\n"):
        assert (1, "error", "account-in-user-tab") in found(line)


@pytest.mark.parametrize(
    "name",
    [
        *("root", "www-data", "nobody", "daemon", "games", "mail", "bin", "sys", "man", "backup"),
        *("postgres", "list", "proxy", "news", "lp", "git"),
    ],
)
def test_an_account_before_a_program(name):
    """The name of a system's account before the path of a program is no command of a user's tab."""
    tab = f"0 9 * * * {name} /bin/cmd --all\n".encode()

    assert found(tab) == [(1, "error", "account-in-user-tab")]
    assert crontab_lint.lint_system(tab) == ()


@pytest.mark.parametrize(
    "command",
    [
        "mail -s done ops@example.org < /tmp/report",
        "mail ops@example.org < /tmp/report",
        "man ls > /tmp/ls.txt",
        "backup /home /mnt/disk",
        "backup /usr/local/bin/ > /dev/null",
        "backup --full",
        "lp /home/asha/page.pdf",
        "mysql books < /home/asha/books.sql",
        "git fetch --all",
        "daemon --name watch -- watch",
        "postgres -D /var/lib/postgres",
        "root -b -q plot.C",
        "games > /dev/null 2>&1",
        "sys; true",
        "bin",
        "/usr/bin/mail /bin/cmd",
    ],
)
def test_a_program_with_the_name_of_an_account(command):
    """A program that is called like an account is no finding before what such a program is told."""
    assert found(f"0 9 * * * {command}\n".encode()) == []


@pytest.mark.parametrize(
    "line",
    [
        "0 9 * * 1 -x 5 true",
        "0 9 * * * /usr/bin/true",
        "0 9 * * 1-5 -- true",
        "0 9 * * 1 [ -e /x ] && true",
        "0 9 * * 1 , true",
    ],
)
def test_no_blank_within_a_field(line):
    """A command that begins with a dash or a slash goes on with no field."""
    assert "blank-in-field" not in {code for _, _, code in found(f"{line}\n".encode())}


def test_blanks_in_a_system_tab():
    """Behind a torn field the account and the command are looked at as ever."""
    assert [
        code for _, _, code in found(b"0 9, 17 * * * root true\n", crontab_lint.lint_system)
    ] == ["blank-in-field"]
    assert [code for _, _, code in found(b"0 9, 17 * * * root date +%F\n")] == [
        "blank-in-field",
        "account-in-user-tab",
        "percent",
    ]


SETTINGS = (
    "SHELL=/usr/bin/bash",
    "SHELL='/bin/sh'",
    "HOME=/srv/books",
    'HOME="/srv/my books"',
    "PATH=/bin",
)


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_that_are_fine(setting):
    """Whole paths of a shell and a folder are no finding."""
    assert found(f"{setting}\n".encode()) == []


TIMES_OF_DAY = ("0 9", "*/60 9", "30 */24", "*/5 9-17", "* 2")
DAYS_OF_MONTH = (
    "*",
    "13",
    "30",
    "31",
    "1-7",
    "*/31",
    "*/40",
    "30,31",
    "29-31",
    "1, 15",
    "L",
    "1-5/5",
)
MONTHS = ("*", "2", "4,jun", "jan, feb", "*/12")
DAYS_OF_WEEK = ("*", "1", "1-5", "mon, wed", "7", "*/2", "*/8", "1#2", "5L", "5 ,7")


@pytest.mark.parametrize("month", MONTHS)
@pytest.mark.parametrize("days", DAYS_OF_MONTH)
def test_advised_lines_pass(days, month):
    """Each whole line that is advised alone has no finding, and each phrase is one."""
    for time, weekdays in itertools.product(TIMES_OF_DAY, DAYS_OF_WEEK):
        line = f"{time} {days} {month} {weekdays} true"
        for flaw in (each.flaw for each in crontab_lint.lint(f"{line}\n".encode())):
            for phrase in re.findall(r'ratectl spec: "(.*?)"', flaw.instead):
                assert parse_one(phrase), line
            if flaw.code in {"blank-in-field", "day-never-comes"}:
                for advised in re.findall(r"`([^`]+ [^`]+)`", flaw.instead):
                    codes = [code for _, _, code in found(f"{advised} true\n".encode())]
                    assert set(codes) <= {"every-minute", "uneven-step"}, (line, advised)


VALUES = ("0", "3", "7", "07", "sun", "wed")
SPANS = (*VALUES, "0-7", "1-7", "5-7", "6-7", "7-7", "mon-7", "7-1", "1-5", "*")
WEEKDAYS = sorted(
    {f"{span}{step}" for span in SPANS for step in ("", "/0", "/2", "/3", "/7", "/8")}
    | {f"{one},{other}" for one in SPANS for other in SPANS}
    | {"*/7", "*/7,3", "*/2,7", "*/7,7", "1-3/2,5-7/2", "7#2", "7L", "7~3", "x,7", "?,7"}
)
TIMES = ("0 9 * *", "0 9 1-7 *", "0 9 13 *", "0 9 */2 jan", "* 2 * *", "0 */2 1-7 *", "0 0 9 * *")


@pytest.mark.parametrize("time", TIMES)
def test_what_is_advised_is_clean(time):
    """No advised line or field of days of the week has a 7 that only some crons take."""
    for days in WEEKDAYS:
        for finding in crontab_lint.lint(f"{time} {days} true\n".encode()):
            for advised in re.findall(r"`([^`]+)`", finding.flaw.instead):
                line = f"{time} {advised}" if " " not in advised else advised
                if " " in advised or "day of week" in finding.flaw.message:
                    codes = {code for _, _, code in found(f"{line} true\n".encode())}
                    assert not codes & {"weekday-7", "wrapped-range", finding.flaw.code}, (
                        days,
                        advised,
                    )


def read(line):
    """Return the value of a *line*, None where it is refused."""
    try:
        return parse_one(line)
    except ScheduleError:
        return None


@pytest.mark.parametrize("time", ["0 9 * *", "0 9 13 *", "0 9 */2 jan"])
def test_days_without_a_seven_are_the_same_days(time):
    """The field that is advised in the place of one with a 7 makes the line fire at the same times."""
    told = 0
    for days in WEEKDAYS:
        for flaw in (each.flaw for each in crontab_lint.lint(f"{time} {days} true\n".encode())):
            if flaw.code == "weekday-7" and (meant := read(f"{time} {days}")):
                told += 1
                assert read(f"{time} {flaw.instead.strip('`')}") == meant, days

    assert told > 50


def test_every_seventh_day_without_days_of_the_month():
    """Where no days of the month stand beside ``*/7``, none are spoken of."""
    alone, beside = (
        crontab_lint.lint(f"0 9 {days} * */7 true\n".encode())[0].flaw for days in ("*", "1-7")
    )

    assert "beside" not in alone.message
    assert "beside" in beside.message


def test_a_seventh_step_over_days_and_a_seven():
    """The lines that are advised for ``0-7/7`` beside days of the month are fine themselves."""
    flaws = [each.flaw for each in crontab_lint.lint(b"0 9 1-7 * 0-7/7 true\n")]

    assert [(flaw.code, flaw.instead) for flaw in flaws] == [
        ("weekday-7", "`0`"),
        ("both-day-fields", 'in a ratectl spec: "every month on the first sunday at 09:00"'),
    ]


CONTINUED = rb"""0 5 * * * backup \
  --all \
  --more /a /b /c /d /e
0 6 * * * report
"""


def test_continued_line():
    """A line that ends in a backslash is told where it stands, and what it was to go on with is not complained of."""
    assert found(CONTINUED) == [(1, "error", "continued-line")]


def test_lines_behind_a_backslash():
    """A whole line behind a backslash is looked at as ever; no backslash that is escaped, or ends a comment, is one."""
    assert found(b"A=b\\\n0 25 * * * true\n") == [
        (1, "error", "continued-line"),
        (2, "error", "out-of-range"),
    ]
    assert found(b"# note \\\nhello\n") == [(2, "error", "too-few-fields")]
    assert found(b"0 5 * * * printf x\\\\\n") == []


def test_final_newline():
    """A last line without its end is an error of that line; an empty tab is fine."""
    assert found(b"\n0 5 * * * true") == [(2, "error", "no-final-newline")]
    assert found(b"") == []


def test_carriage_returns():
    """Lines with a carriage return are one finding, at the first, which tells how many there are."""
    findings = crontab_lint.lint(b"# x\n0 5 * * * true\r\n\r\n0 6 * * * true\r\n")

    assert [(each.line, each.flaw.code) for each in findings] == [(2, "carriage-return")]
    assert "(and 2 lines more)" in findings[0].flaw.message


def test_carriage_returns_as_listed():
    """What Debian's `crontab -l` prints for a carriage return is read as one."""
    tab = crontab_lint.as_stored(b"0 5 * * * true\\r\n0 6 * * * printf 'a\\rb'\n")

    assert tab == b"0 5 * * * true\r\n0 6 * * * printf 'a\\rb'\n"


def test_inner_carriage_return():
    """A carriage return in mid-line is told, one in a comment is not."""
    assert found(b"# a\rb\n0 5 * * * printf 'a\rb'\n") == [(2, "warning", "inner-carriage-return")]


def test_seven_with_a_zero_before():
    """A weekday 07 is the 7 that is Sunday."""
    assert found(b"0 5 * * 07 true\n") == [(1, "warning", "weekday-7")]


def test_too_many_lines():
    """10,000 lines are taken, one more is not, and the system's own files have no such limit."""
    tab = b"#\n" * 10_001

    assert found(tab[2:]) == []
    assert found(tab) == [(10_001, "error", "too-many-lines")]
    assert found(tab, crontab_lint.lint_system) == []


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        (b"17 * * * *\troot    cd / && run-parts --report /etc/cron.hourly", []),
        (b"@daily root true", []),
        (b"0 5 * * * /usr/bin/true", ["user-field"]),
        (b"0 5 * * * root", ["no-command"]),
        (b"0 5 * * *", ["user-field"]),
        (b"@daily", ["user-field"]),
        (b"0 5 * * * root date +%F", ["percent"]),
        (b"0 0 5 * * 1-5 root true", ["seconds-field"]),
        (b"0 5 * * * root " + b"x" * 999, ["command-too-long"]),
    ],
)
def test_system_form(line, codes):
    """In a system tab an account stands before the command, and a path in its place is an error."""
    assert [code for _, _, code in found(line + b"\n", crontab_lint.lint_system)] == codes


def test_nothing_for_a_terminal_to_act_on():
    """Control characters of a tab are shown escaped, and text in UTF-8 as it is."""
    (finding,) = crontab_lint.lint("0 5 * * * echo \x1b[31m ₹ 5%\n".encode())

    assert finding.flaw.instead == r"`echo \x1b[31m ₹ 5\%`"


BITS = st.sampled_from(
    [
        *"0579*/-,~#?LWH%=@\r\n\t \"'$x:;.\\",
        "\xb2",
        "\xa0",
        "\xc2\xa0",
        "\xef\xbb\xbf",
        "1-5",
        "root ",
        "mon",
        "@every ",
        "* * * * ",
        "9" * 5000,
    ]
)


@given(st.lists(BITS).map("".join) | st.binary().map(lambda data: data.decode("latin-1")))
@example("* * * * \r* * * * ")
@example("0 * * \r* * * *\n")
def test_any_bytes(text):
    """No bytes make it fail, and every finding can be printed."""
    tab = text.encode("latin-1")

    for finding in (*crontab_lint.lint(tab), *crontab_lint.lint_system(tab)):
        assert 1 <= finding.line <= tab.count(b"\n") + 1
        assert (finding.flaw.message + finding.flaw.instead).isprintable()
