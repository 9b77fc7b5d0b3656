"""``ratectl check`` tells people and programs what a spec means."""

import datetime as dt
import io
import json
from dataclasses import replace

import pytest

from ratectl.backends import BACKENDS
from ratectl.backends.cron import backend as cron
from ratectl.deploy import execute, host_facts
from ratectl.deploy.checks import other_accounts, writable
from ratectl.deploy.targets import Target
from ratectl.errors import RefusedError
from ratectl.journal.journal import Journal
from ratectl.spec import load


def test_json_contract(ratectl, spec):
    """Programs get a sentence, three slots, and a fidelity with its reason for every engine."""
    answer = ratectl("check", str(spec), "--json")

    facts = json.loads(answer.out)
    (job,) = facts["jobs"]
    assert answer.code == 0
    assert facts["issues"] == []
    assert (job["job"], job["sentence"]) == ("usd-inr", "Every day at 10:30.")
    assert [slot[10:] for slot in job["slots"]] == ["T10:30:00+05:30"] * 3
    assert job["engines"].keys() == BACKENDS.keys()
    cluster = job["engines"].pop("kubernetes")
    assert (cluster["fidelity"], "[kubernetes]" in cluster["reason"]) == ("refused", True)
    assert all(engine["fidelity"] in {"exact", "guarded"} for engine in job["engines"].values())


def test_text(ratectl, spec):
    """People read the sentence with its zone, and where the rates go."""
    answer = ratectl("check", str(spec))

    assert "Every day at 10:30 (Asia/Kolkata)." in answer.out
    assert f"USD/INR into text:{spec.parent / 'out.txt'}" in " ".join(answer.out.split())
    lines = answer.out.splitlines()
    assert lines[-2].endswith("1 job, no issues")
    assert lines[-1].startswith(f"next: ratectl install {spec}   # ")


@pytest.mark.parametrize(
    ("lines", "key", "line"),
    [
        ('schedule = "once at 2020-01-01 10:30"', "jobs.old.schedule", 9),
        ('schedule = "every day"\nuntil = 2020-01-01', "jobs.old.until", 10),
    ],
)
def test_what_is_over_is_an_issue(ratectl, spec, lines, key, line):
    """A job that never fires again is an issue at the line that ends it, for people and programs."""
    with spec.open("a", encoding="utf-8") as file:
        file.write(f'\n[jobs.old]\npairs = ["USD/INR"]\n{lines}\noutput = "old.txt"\n')

    answer = ratectl("check", str(spec))
    [issue] = json.loads(ratectl("check", str(spec), "--json").out)["issues"]

    assert answer.code == 78
    assert f"{spec}: 2 jobs, 1 issue:\n  line {line}: {key}: old never fires again" in answer.out
    assert (issue["key"], issue["line"]) == (key, line)


def test_what_is_over_in_a_list_is_an_issue(ratectl, spec):
    """A moment that has passed is an issue also beside schedules that go on, and named."""
    with spec.open("a", encoding="utf-8") as file:
        lines = 'schedule = ["every day at 09:00", "once at 2020-01-01 10:30"]'
        file.write(f'\n[jobs.old]\npairs = ["USD/INR"]\n{lines}\noutput = "old.txt"\n')

    answer = ratectl("check", str(spec))
    [issue] = json.loads(ratectl("check", str(spec), "--json").out)["issues"]

    assert answer.code == 78
    assert f"{spec}: 2 jobs, 1 issue:\n" in answer.out
    assert '"once at 2020-01-01 10:30" of old never fires again: its time has passed' in answer.out
    assert (issue["key"], issue["line"]) == ("jobs.old.schedule", 9)


@pytest.mark.posix("the zone of Windows stands in its registry")
def test_what_decides_the_zone(ratectl, spec, monkeypatch):
    """The zone of the machine is told with what decides it."""
    monkeypatch.setenv("TZ", "Pacific/Chatham")

    answer = ratectl("check", str(spec))

    assert "by /etc/localtime (TZ is not asked)" in answer.out
    assert "Chatham" not in answer.out


@pytest.mark.posix("the zone of Windows stands in its registry")
def test_a_machine_without_a_zone_is_told_so(ratectl, spec, monkeypatch, tmp_path):
    """Where there is no /etc/localtime, it is not named as what decides the zone."""
    monkeypatch.setattr(host_facts, "LOCALTIME", tmp_path / "localtime")

    answer = ratectl("check", str(spec))

    told = (
        f"this machine's clocks: UTC, since there is no {tmp_path / 'localtime'} (TZ is not asked)"
    )
    assert told in answer.out


def test_an_end_before_the_next_slot(ratectl, spec):
    """Random gaps that reach over an end which is still ahead are told so, and not as an end that has passed."""
    now = dt.datetime.now(dt.UTC)
    lines = f'schedule = "every 50 to 60 days"\nuntil = {now + dt.timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}'
    with spec.open("a", encoding="utf-8") as file:
        file.writelines(
            f'\n[jobs.rare-{n}]\npairs = ["USD/INR"]\n{lines}\noutput = "rare.txt"\n'
            for n in (1, 2)
        )

    issues = json.loads(ratectl("check", str(spec), "--json").out)["issues"]

    assert issues
    for issue in issues:
        assert "never fires again: no slot of it lies between now and its end" in issue["message"]
        assert issue["key"].endswith(".until")


def test_one_line_a_fact_in_a_pipe(ratectl, spec, monkeypatch):
    """Nothing is broken where there is no screen that says how wide it is."""
    monkeypatch.delenv("COLUMNS", raising=False)
    text = spec.read_text(encoding="utf-8").replace("out.txt", f"{'long-' * 40}name.txt")
    spec.write_text(text, encoding="utf-8")

    lines = ratectl("check", str(spec)).out.splitlines()

    [line] = [line for line in lines if line.startswith("  records ")]
    assert line.endswith("long-name.txt")


def test_issues(ratectl, spec):
    """All issues go to stderr with file and line, and the exit code is 78."""
    spec.write_text('[jobs.a]\nschedul = "x"\n[jobs.b]\n', encoding="utf-8")

    answer = ratectl("check", str(spec))

    assert answer.code == 78
    assert answer.out == ""
    lines = answer.err.splitlines()
    assert lines[0] == f"ratectl: {spec} has 7 issues, and nothing was done:"
    assert '  line 2: jobs.a.schedul: unknown key (did you mean "schedule"?)' in lines
    assert '  line 3: jobs.b: "pairs" is missing\n' in answer.err
    assert answer.err.count(str(spec)) == 1


def test_issues_json(ratectl, spec):
    """Programs get the issues in the same shape, with the same exit code."""
    spec.write_text("jobs = 1\n", encoding="utf-8")

    answer = ratectl("check", str(spec), "--json")

    facts = json.loads(answer.out)
    assert answer.code == 78
    assert facts["jobs"] == []
    assert facts["issues"][0] == {
        "file": str(spec),
        "line": 1,
        "key": "jobs",
        "message": "expected a table, found 1",
        "pointer": "",
    }


def test_shared_journal(ratectl, spec):
    """Where the record is kept is said when it is not this machine."""
    alone = ratectl("check", str(spec))
    spec.write_text(
        '[ratectl]\njournal = "postgresql://asha@db.invalid/rates"\n' + spec.read_text()
    )

    shared = ratectl("check", str(spec))

    assert "journal   " not in alone.out
    assert "journal   postgresql://asha@db.invalid/rates" in shared.out
    [fact] = json.loads(ratectl("check", str(spec), "--json").out)["jobs"]
    assert fact["journal"] == "postgresql://asha@db.invalid/rates"


def test_a_currency_that_ended(ratectl, spec):
    """A live schedule that asks for a currency that ended is warned of, and no issue."""
    text = spec.read_text(encoding="utf-8").replace("USD/INR", "EUR/HRK")
    spec.write_text(text, encoding="utf-8")

    answer = ratectl("check", str(spec))
    [job] = json.loads(ratectl("check", str(spec), "--json").out)["jobs"]

    assert answer.code == 0
    assert "HRK (Croatian Kuna) ended on 2023-01-14" in " ".join(answer.out.split())
    assert len(job["warnings"]) == 1


@pytest.mark.parametrize(
    ("name", "odd"),
    [("r-%Y-%B.csv", "%B"), ("r-%H%M.csv", "%H, %M"), ("100%.csv", ""), ("%Y-%m-%d.csv", "")],
)
def test_a_part_that_is_none(ratectl, spec, name, odd):
    """What looks like a part of the date in a file's name, and stays as it is, is warned of."""
    spec.write_text(spec.read_text(encoding="utf-8").replace("out.txt", name), encoding="utf-8")

    [job] = json.loads(ratectl("check", str(spec), "--json").out)["jobs"]

    assert [warning.split(": ")[1].split(" stays")[0] for warning in job["warnings"]] == (
        [odd] if odd else []
    )


def test_a_spec_on_stdin(ratectl, spec, monkeypatch):
    """``check -`` reads the spec from standard input, with the lines of its issues."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(spec.read_bytes())))
    answer = ratectl("check", "-")
    assert (answer.code, "usd-inr" in answer.out) == (0, True), answer.err
    assert "standard input: 1 job, no issues" in answer.out

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"[jobs.a]\nfrob = 1\n")))
    answer = ratectl("check", "-")
    assert answer.code == 78
    assert "standard input has " in answer.err
    assert "line 2: jobs.a.frob" in answer.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[jos.usd-inr]\npairs = ["USD/INR"]', 'line 1: jos: unknown key (did you mean "jobs"?)'),
        ('[jobs.a]\npairs = ["USD/INR"]\npairs = []', "line 3: pairs is given twice"),
        (
            '[jobs.a]\npairs = ["USD/INR"]\n[jobs.a]\n',
            "line 3: the table [jobs.a] stands in the file",
        ),
    ],
)
def test_slips_have_their_line(ratectl, spec, text, told):
    """A misspelt table, and a key or a table that stands twice, are told with their line and in plain words."""
    spec.write_text(text, encoding="utf-8")

    assert told in ratectl("check", str(spec)).err


def test_rates_that_nobody_could_tell_apart(ratectl, tmp_path):
    """Lines of two jobs in one text file that do not name their pair are warned of, until one names it."""
    job = '[jobs.{}]\npairs = ["{}"]\nschedule = "every day at 10:30"\noutput = "o.txt"\n'
    mixed = job.format("rupee", "USD/INR") + job.format("euro", "EUR/USD")

    def warnings(text):
        path = tmp_path / "mixed.toml"
        path.write_text(text, encoding="utf-8")
        answer = ratectl("check", str(path), "--json")
        return [job["warnings"] for job in json.loads(answer.out)["jobs"]]

    [rupee], [euro] = warnings(mixed)
    assert "o.txt also gets the rates of euro" in rupee
    assert "o.txt also gets the rates of rupee" in euro
    assert warnings(mixed.replace("EUR/USD", "USD/INR")) == [[], []]
    assert warnings(mixed + 'pairs_in_text = "always"\n') == [[], []]


@pytest.mark.posix("a file system with this limit")
def test_an_output_that_cannot_be_written(ratectl, spec):
    """An output that nobody could write here is told before the install that would refuse it, and no install is proposed."""
    name = "x" * 300
    spec.write_text(spec.read_text().replace("out.txt", f"{name}.txt"))

    answer = ratectl("check", str(spec))
    told = ratectl("check", str(spec), "--json")
    facts = json.loads(told.out)

    assert (answer.code, told.code) == (0, 0)
    assert "1 job, no issues, but install refuses it here" in answer.out
    assert "has 304 bytes, and 255 is the most that a name can have; name another file" in " ".join(
        answer.out.split()
    )
    assert "next:" not in answer.out
    assert facts["issues"] == []
    assert "has 304 bytes" in facts["jobs"][0]["warnings"][0]


@pytest.mark.posix("the files of Linux")
@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("csv:folder", "is a folder"),
        ("text:/dev/null", "/dev/null is no regular file"),
        ("sqlite:open/x.db", "others may"),
    ],
)
def test_what_install_refuses_is_told(ratectl, spec, output, told):
    """What install would refuse of an output here is a warning, in the same words: a spec may be for another machine."""
    (spec.parent / "folder").mkdir()
    (spec.parent / "folder" / "mine").touch()
    (spec.parent / "open").mkdir()
    (spec.parent / "open").chmod(0o1777)
    spec.write_text(spec.read_text().replace("out.txt", output))

    answer = ratectl("check", str(spec))
    [job] = json.loads(ratectl("check", str(spec), "--json").out)["jobs"]
    with pytest.raises(RefusedError) as refused:
        _install_looks(spec)

    assert answer.code == 0
    [warning] = job["warnings"]
    reason = warning.removeprefix("install refuses this here: ")
    assert reason in str(refused.value)
    assert told in reason
    assert "install refuses it here" in answer.out
    assert "next:" not in answer.out


def _install_looks(spec):
    """What an install into cron looks at before it changes anything."""
    host = replace(host_facts.current(), root=False)
    loaded = load(spec, host_timezone=host.zone.key)
    target = Target(backend=cron, scope="user", host=host, reader=execute.SystemReader())
    other_accounts.refuse(target, loaded.jobs, loaded.path)
    writable.refuse(target, loaded.jobs)


def test_a_job_of_another_spec_is_told(ratectl, spec, station):
    """A job that is installed from another file, which still has it, is refused by install and so told."""
    other = spec.parent / "other.toml"
    other.write_text(spec.read_text())
    with Journal(station.state) as journal:
        for job in load(other, host_timezone="UTC").jobs:
            journal.record_job(
                job,
                spec=str(other),
                digest="0",
                backend="cron",
                scope="user",
                host_timezone="UTC",
                now=dt.datetime.now(dt.UTC),
            )

    answer = ratectl("check", str(spec))

    said = " ".join(answer.out.split())
    assert f"install refuses this here: 'usd-inr' is a job of {other}" in said
    assert "`ratectl remove usd-inr`" in said
    assert "refuses" not in ratectl("check", str(other)).out


@pytest.mark.posix("the files of Linux")
def test_a_spec_for_another_machine(ratectl, spec, monkeypatch):
    """A spec on standard input, or for a scheduler that is not here, may name what this machine has not."""
    text = spec.read_text().replace("out.txt", "text:/dev/null")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    answer = ratectl("check", "-")

    assert answer.code == 0
    assert "warning install refuses this here: /dev/null: /dev/null is no regular file" in " ".join(
        answer.out.split()
    )
    spec.write_text(f'[ratectl]\nbackend = "windows"\n{text}')
    assert "/dev/null is no" not in ratectl("check", str(spec)).out


def test_a_folder_that_is_missing_is_fine(ratectl, spec):
    """A folder that the job can make is nothing to tell of."""
    spec.write_text(spec.read_text().replace("out.txt", "new/deep/out.txt"))

    answer = ratectl("check", str(spec))

    assert "refuse" not in answer.out
    assert answer.out.splitlines()[-1].startswith("next: ratectl install")


def test_where_no_scheduler_runs(ratectl, spec, scheduler):
    """Where an install would find no scheduler, that is a warning, and `serve` is proposed in its place."""
    scheduler("no scheduler of the operating system runs here (cron: no daemon)")

    answer = ratectl("check", str(spec))

    *_, warning, found, after = answer.out.splitlines()
    assert answer.code == 0
    assert warning.startswith("install refuses this here: no scheduler of the operating system")
    assert found.endswith("1 job, no issues, but install refuses it here")
    assert after.startswith(f"next: ratectl serve {spec}   # ")


def test_a_scheduler_that_the_spec_names(ratectl, spec, scheduler):
    """A spec that names its scheduler is for a machine that has it."""
    scheduler("no scheduler of the operating system runs here (cron: no daemon)")
    spec.write_text('[ratectl]\nbackend = "launchd"\n' + spec.read_text(), encoding="utf-8")

    assert "no scheduler" not in ratectl("check", str(spec)).out
