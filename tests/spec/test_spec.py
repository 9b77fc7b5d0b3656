"""Specs as people write them: files in tests/specs, with the issues expected of the invalid ones beside them.

To add a case, put NAME.toml and NAME.issues (``line: key: message`` each) into the folder.
"""

import dataclasses
import datetime as dt
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest

from ratectl import paths
from ratectl.errors import SpecError
from ratectl.model.cluster import Cluster
from ratectl.model.job import (
    CatchUp,
    ClosedDays,
    Job,
    Output,
    Overlap,
    Pair,
    PairsInText,
    Provider,
)
from ratectl.spec import job_digest, load, loads
from ratectl.spec.document import Installation

SPECS = Path(__file__).resolve().parents[1] / "specs"
VALID = sorted((SPECS / "valid").glob("*.toml"))
INVALID = sorted((SPECS / "invalid").glob("*.toml"))
PLACE = Path("/specs/jobs.toml")


def read(text, host_timezone="Europe/Berlin"):
    return loads(text.encode(), path=PLACE, host_timezone=host_timezone)


def test_there_are_cases():
    """The folders hold what these tests are about."""
    assert VALID
    assert INVALID


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid(path):
    """A valid spec gives at least one job, and each job survives the journal's plain form."""
    spec = load(path, host_timezone="Europe/Berlin")

    assert spec.jobs
    for job in spec.jobs:
        assert Job.from_plain(job.to_plain()) == job


HOMES = pytest.mark.posix("it has no list of homes, so ~NAME is never wrong")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=HOMES if path.stem == "outputs" else ())
        for path in INVALID
    ],
)
def test_invalid(path):
    """All issues of a file are reported at once, each with its line and key path, and none shows a secret."""
    with pytest.raises(SpecError) as caught:
        load(path, host_timezone="Europe/Berlin")

    found = [f"{i.line or '-'}: {i.key}: {i.message}\n" for i in caught.value.issues]
    assert "".join(found) == path.with_suffix(".issues").read_text(encoding="utf-8")
    assert "hunter2" not in str(caught.value)
    assert caught.value.exit_code == 78


@pytest.mark.posix("paths of another system")
def test_outputs():
    """Each way to name an output arrives as its kind and an absolute path or a URL, whose paths are resolved."""
    [job] = load(SPECS / "valid" / "outputs.toml", host_timezone="Europe/Berlin").jobs
    folder = SPECS / "valid"

    assert [(output.kind, output.target) for output in job.outputs] == [
        ("ledger", str(folder / "prices.ledger")),
        ("ledger", str(folder / "prices.journal")),
        ("ledger", str(folder / "main.dat")),
        ("beancount", str(folder / "prices.beancount")),
        ("beancount", str(folder / "prices.bean")),
        ("beancount", str(folder / "prices")),
        ("sqlite", str(folder / "rates.sqlite")),
        ("sqlite", str(folder / "rates.sqlite3")),
        ("sqlite", str(folder / "rates.DB")),
        ("sqlite", str(Path("~/rates").expanduser())),
        (
            "postgresql",
            "postgresql://asha@db.invalid:5433/rates?sslmode=verify-full&passfile="
            + quote(str(folder / "keys/pgpass"))
            + "&sslrootcert=system",
        ),
        (
            "postgresql",
            "postgresql:///rates?host=/run/postgresql&user=o%2Bb%40example",
        ),
        (
            "postgresql",
            "postgresql://one.invalid:1,two.invalid:2/rates?target_session_attrs=read-write",
        ),
        ("postgresql", "postgresql://[::1]/?dbname=rates"),
    ]
    assert str(job.outputs[-1]) == "postgresql://[::1]/?dbname=rates"
    assert str(job.outputs[6]) == f"sqlite:{folder / 'rates.sqlite'}"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://asha:hunter2@db.invalid/rates",
        "postgresql://:hunter2@db.invalid/rates",
        "postgresql://asha:hunter2/x@db.invalid/rates",
        "postgresql://asha@db.invalid/rates?password=hunter2",
        "postgres://asha@db.invalid/rates?sslmode=require&pass%77ord=hunter2",
        "postgresql://db.invalid/rates?sslpassword=hunter2",
    ],
)
def test_password_in_a_url(url):
    """However a password stands in a URL it is refused, unseen, and the message says where to keep it."""
    with pytest.raises(SpecError, match=r"keep it in ~/\.pgpass") as caught:
        read(f'[jobs.a]\npairs=["USD/INR"]\nschedule="every day"\noutput="{url}"\n')

    assert "hunter2" not in str(caught.value)


def test_output_in_the_state_directory():
    """A database beside the journal, or the journal itself, is no output."""
    place = Path(paths.state_dir()) / "journal.sqlite3"

    with pytest.raises(SpecError, match="own state directory"):
        read(
            f'[jobs.a]\npairs=["USD/INR"]\nschedule="every day"\noutput="sqlite:{place.as_posix()}"\n'
        )


@pytest.mark.posix("paths of another system")
def test_everything():
    """Every key arrives in the job with its meaning."""
    spec = load(SPECS / "valid" / "everything.toml", host_timezone="Europe/Berlin")
    job, night = spec.jobs
    folder = SPECS / "valid"

    assert job == Job(
        name="usd-inr",
        pairs=(Pair(base="USD", quote="INR"), Pair(base="EUR", quote="INR")),
        schedule_texts=("every weekday at 10:30", "0 9 * * 6"),
        timezone="Asia/Kolkata",
        providers=(
            Provider(name="exchangerate-api-v4", kind="exchangerate-api-v4"),
            Provider(
                name="frankfurter",
                kind="frankfurter",
                base_url="https://rates.invalid/v1",
                timeout=10,
            ),
            Provider(
                name="office",
                kind="http-json",
                base_url="https://rates.invalid/{base}.json",
                rate="rates.{quote}",
                date="date",
                api_key=f"file:{Path('~/.config/ratectl/office.key').expanduser()}",
            ),
        ),
        outputs=(
            Output(kind="text", target=str(folder / "out/rates.txt")),
            Output(kind="csv", target="/var/lib/rates/all"),
            Output(kind="jsonl", target=str(Path("~/rates.jsonl").expanduser())),
        ),
        start="2026-12-01T00:00:00",
        end="2027-12-31T23:59:00",
        jitter=300,
        catch_up=CatchUp.ALL,
        grace=86400,
        timeout=45,
        overlap=Overlap.WAIT,
        agree=Decimal("0.015"),
        closed_days=ClosedDays.SKIP,
        revisit=5 * 86_400,
        notify=("https://hooks.invalid/rates",),
        notify_after=3,
        ping="https://ping.invalid/uuid",
        tags=("books", "daily"),
        digits=6,
        pairs_in_text=PairsInText.ALWAYS,
        user="rates",
        proxy="http://proxy.invalid:3128",
        report=str(Path("/srv/rates/index.html").absolute()),
        journal="postgresql://asha@db.invalid/rates?sslmode=verify-full",
        kubernetes=Cluster(
            image="registry.invalid:5000/books/ratectl:1.0.0",
            namespace="rates",
            context="production",
            secret="ratectl-keys",  # noqa: S106 - the name of a Secret
            cpu="100m",
            memory="256Mi",
        ),
    )
    assert (night.timezone, night.end, night.tags) == (
        "America/New_York",
        "2028-01-01T00:00:00",
        ("books",),
    )
    assert night.schedule_texts == ("every 15 minutes between 01:00 and 03:10",)
    assert spec.installation == Installation(backend="cron", scope="user")


def test_local_zone_is_resolved():
    """Without a time zone, or with "local", the job means the host's zone by its name."""
    text = (SPECS / "valid" / "five-lines.toml").read_text(encoding="utf-8")

    (job,) = read(text).jobs
    assert job.timezone == "Europe/Berlin"
    assert read(text.replace("pairs ", 'timezone = "local"\npairs ')).jobs == (job,)


def test_default_providers_are_a_chain():
    """A job that names no provider has more than one to fall back to."""
    (job,) = load(SPECS / "valid" / "five-lines.toml", host_timezone="UTC").jobs

    assert [provider.name for provider in job.providers] == [
        "exchangerate-api-v4",
        "exchangerate-api-open",
        "frankfurter",
    ]


def test_offset_in_from_is_converted():
    """A ``from`` with an offset means that instant, in the job's zone."""
    text = (SPECS / "valid" / "five-lines.toml").read_text(encoding="utf-8")

    (job,) = read(text + "from = 2026-12-01T00:00:00Z\n", "Asia/Kolkata").jobs

    assert job.start == "2026-12-01T05:30:00"


def test_digest_ignores_layout():
    """Comments and spaces leave a job's digest alone; what it means does not."""
    text = (SPECS / "valid" / "five-lines.toml").read_text(encoding="utf-8")
    (job,) = read(text).jobs
    (same,) = read("# a comment\n" + text.replace(" = ", "=")).jobs

    assert job_digest(same) == job_digest(job)
    assert job_digest(dataclasses.replace(job, timeout=91)) != job_digest(job)


def test_missing_file_names_the_next_step():
    """A spec that does not exist says how to get one."""
    with pytest.raises(SpecError, match="ratectl init"):
        load("/nowhere/jobs.toml", host_timezone="UTC")


def test_every_key_of_the_model_can_be_written():
    """Nothing in a Job is out of reach of the spec."""
    spec = load(SPECS / "valid" / "everything.toml", host_timezone="UTC")
    plain = Job(
        name="x",
        pairs=(),
        schedule_texts=(),
        timezone="UTC",
        providers=(),
        outputs=(),
    )
    untouched = [
        field.name
        for field in dataclasses.fields(Job)
        if getattr(spec.jobs[0], field.name) == getattr(plain, field.name)
    ]

    assert untouched == ["enabled", "ca_bundle"]
    assert dt.datetime.fromisoformat(spec.jobs[0].start)


HTTP_JSON = """
[providers.office]
kind = "http-json"
url = "https://rates.invalid/{}"
rate = "{}"
api_key = "file:office.key"
[jobs.a]
pairs = {}
schedule = "every day"
output = "out.txt"
providers = ["office"]
"""


@pytest.mark.parametrize(
    ("url", "rate", "pairs", "lacking"),
    [
        ("usd.json", "rates.{quote}", '["USD/INR", "EUR/INR"]', "{base}"),
        ("{base}.json", "rate", '["USD/INR", "USD/EUR"]', "{quote}"),
        ("usd.json", "rates.{quote}", '["USD/INR", "USD/EUR"]', ""),
        ("usd-inr.json", "rate", '["USD/INR"]', ""),
        ("{base}/{quote}", "rate", '["USD/INR", "EUR/CHF"]', ""),
    ],
)
def test_pairs_that_http_json_cannot_tell_apart(url, rate, pairs, lacking):
    """Pairs that would all get one number are an issue, before any of it is recorded."""
    text = HTTP_JSON.format(url, rate, pairs)

    if not lacking:
        assert read(text).jobs
        return
    with pytest.raises(SpecError, match="would get the rate of one") as caught:
        read(text)
    assert lacking in str(caught.value)


def test_key_file_beside_the_spec():
    """A relative key file is meant from the spec's folder, as every path of a spec is."""
    [job] = read(HTTP_JSON.format("{base}", "rates.{quote}", '["USD/INR"]')).jobs

    assert job.providers[0].api_key == f"file:{PLACE.parent / 'office.key'}"


@pytest.mark.posix("it has no list of homes")
def test_key_file_of_nobody():
    """A home that does not exist is an issue at once."""
    text = HTTP_JSON.format("{base}", "rates.{quote}", '["USD/INR"]')

    with pytest.raises(SpecError, match="there is no account 'nobody-of-that-name'"):
        read(text.replace("file:office.key", "file:~nobody-of-that-name/key"))


def test_password_behind_an_unknown_scheme():
    """A URL of a kind that is no output is named by its scheme alone."""
    with pytest.raises(SpecError, match=r"postgressql://\.\.\.: expected one of") as caught:
        read(
            '[jobs.a]\npairs=["USD/INR"]\nschedule="every day"\n'
            'output="postgressql://asha:hunter2@db.invalid/rates"\n'
        )

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 50_000 + "]" * 50_000,
        "x = " + "{a=" * 50_000 + "1" + "}" * 50_000,
        ".".join(["a"] * 50_000) + " = 1",
        "[" + ".".join(["a"] * 50_000) + "]",
    ],
    ids=["lists", "tables", "dotted key", "header"],
)
def test_fifty_thousand_deep(text, tmp_path):
    """However deep a text is nested, it is one issue in a moment, and no traceback."""
    with pytest.raises(SpecError) as caught:
        loads(text.encode(), path=tmp_path / "jobs.toml", host_timezone="UTC")

    assert "nested too deeply" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["a\\nb", "a,b", "=cmd", "a\\u001b[2J", "a b", "Alpha", "-a", "x" * 41, ""]
)
def test_provider_names_follow_the_rule_of_job_names(name, tmp_path):
    """A provider's name stands in files, mails and on terminals, so it is as plain as a job's."""
    text = f'[providers."{name}"]\nkind = "http-json"\nurl = "https://x.example/{{base}}"\nrate = "r"\n'

    with pytest.raises(SpecError) as caught:
        loads(text.encode(), path=tmp_path / "jobs.toml", host_timezone="UTC")

    assert "expected a provider name of at most 40" in str(caught.value)


JOB = '[jobs.a]\npairs = ["USD/INR"]\nschedule = "every day"\n'


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            f'{JOB}output = "C:\\Users\\a.csv"\n'.encode(),
            "write the path in single quotes, or with /",
        ),
        (
            f'{JOB}output = "D:\\rates\\a.csv"\n'.encode(),
            "write the path in single quotes, or with /",
        ),
        (f"{JOB}output = \u201ca.csv\u201d\n".encode(), "write straight quotes"),
        (f'{JOB}output = "a.csv"\n'.encode("utf-16"), "with the encoding UTF-8"),
        (f'{JOB}output = "a.csv"\n'.encode("utf-16-le"), "with the encoding UTF-8"),
        (f'{JOB}output = "a\0.csv"\n'.encode(), "line 4: expected UTF-8 text, found a NUL byte"),
    ],
)
def test_what_editors_make_of_it(content, told):
    """What is no TOML for its quotes, its backslashes or its encoding is told with what to do."""
    with pytest.raises(SpecError) as caught:
        loads(content, path=PLACE, host_timezone="UTC")

    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("$HOME/o.csv", '$HOME is not filled in in a spec; write "~/o.csv"'),
        ("${HOME}/o.csv", '${HOME} is not filled in in a spec; write "~/o.csv"'),
        ("sqlite:$RATES/o.db", "$RATES is not filled in in a spec; write the path itself"),
        ("%APPDATA%/o.csv", "%APPDATA% is not filled in"),
    ],
)
def test_no_output_is_taken_literally_by_accident(output, told):
    """A path that begins with a variable of a shell is refused with what to write."""
    with pytest.raises(SpecError) as caught:
        read(f'{JOB}output = "{output}"\n')

    assert told in str(caught.value)


@pytest.mark.parametrize(
    "output",
    ["rates-%Y-%m.csv", "100%.csv", "50%-off.csv", "a$.csv", "c$/5$.csv", "/srv/$c/100%/$y.csv"],
)
def test_a_sign_that_means_nothing_stays(output):
    """A percent or dollar sign is one of the name, but for parts of a date and a variable at the beginning."""
    [job] = read(f'{JOB}output = "{output}"\n').jobs

    assert Path(job.outputs[0].target).as_posix().endswith(output)


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("schedule = every day at 10:30", 'schedule = "every day at 10:30"'),
        ("  schedule=30 10 * * 1-5   # at half past ten", 'schedule="30 10 * * 1-5"'),
        ("timezone = Asia/Kolkata", 'timezone = "Asia/Kolkata"'),
        ("output = ~/rates/output.txt\r", 'output = "~/rates/output.txt"'),
        ("output = C:\\rates\\new.txt", "output = 'C:\\rates\\new.txt'"),
        ("pairs = [USD/INR, EUR/USD]", 'pairs = ["USD/INR", "EUR/USD"]'),
    ],
)
@pytest.mark.parametrize("after", ["", "\nuntil = 2030-01-01", "\ntags = books"])
def test_a_text_without_quotes(line, right, after):
    """A text that only lacks its quotes is shown as it would be right, whatever else is wrong further on."""
    said = loads_fails(f"[jobs.usd-inr]\n{line}{after}\n")

    assert said.startswith("not TOML: ")
    assert said.endswith(f"; a text stands in quotes: {right}")


@pytest.mark.parametrize(
    "line",
    ["schedule = ", "schedule every day", 'schedule = "every day', "a b = c", "x = {every day}"],
)
def test_no_text_without_quotes(line):
    """What quotes would not make right is not shown with quotes."""
    assert "stands in quotes" not in loads_fails(f"[jobs.usd-inr]\n{line}\n")


def loads_fails(text):
    """Return what is said of line 2 of a *text* that is no TOML."""
    with pytest.raises(SpecError) as caught:
        loads(text.encode(), path=Path("/x/jobs.toml"), host_timezone="UTC")
    [issue] = caught.value.issues
    assert issue.line == 2
    return issue.message


@pytest.mark.posix("paths as a POSIX shell takes them")
def test_a_file_that_is_not_there(tmp_path):
    """Of a file that is not there no issues are counted: the command that writes it is named, to be copied."""
    path = tmp_path / "my jobs.toml"

    with pytest.raises(SpecError) as caught:
        load(path, host_timezone="UTC")

    said = f"{path}: no such file; `ratectl init '{path}'` writes a starter spec"
    assert str(caught.value) == said
    assert (caught.value.exit_code, caught.value.topic) == (78, "")
