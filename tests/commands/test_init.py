"""``ratectl init`` writes a spec that is right as it stands."""

import os
import re
import select
import stat
import subprocess
import sys
from dataclasses import dataclass

import pytest

from ratectl.spec import load


def test_starter_is_valid(ratectl, tmp_path):
    """The starter spec loads, holds what was asked for, and is private."""
    path = tmp_path / "new" / "jobs.toml"

    answer = ratectl(
        *("init", str(path), "--pair", "EUR/USD", "--schedule", "every weekday at 16:30"),
        *("--output", "rates.csv"),
    )

    (job,) = load(path, host_timezone="UTC").jobs
    assert answer.code == 0
    assert str(path) in answer.out
    assert answer.out.splitlines()[-1].startswith("next: ratectl install ")
    assert (job.name, str(job.pairs[0])) == ("eur-usd", "EUR/USD")
    assert job.schedule_texts == ("every weekday at 16:30",)
    assert str(job.outputs[0]) == f"csv:{path.parent / 'rates.csv'}"
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_where_nobody_can_answer(ratectl, tmp_path):
    """Without a terminal the defaults are taken, and which options say otherwise is told, unless that was meant."""
    piped = ratectl("init", str(tmp_path / "a.toml"), "--pair", "EUR/USD")
    meant = ratectl("init", str(tmp_path / "b.toml"), "--yes")
    whole = ratectl(
        *("init", str(tmp_path / "c.toml"), "--pair", "EUR/USD"),
        *("--schedule", "every day", "--output", "a.csv"),
    )

    assert [answer.code for answer in (piped, meant, whole)] == [0, 0, 0]
    assert piped.err == (
        "ratectl: nothing was asked, as standard input is no terminal: --schedule, --output have "
        "their defaults (`ratectl init --help` tells more)\n"
    )
    assert (meant.err, whole.err) == ("", "")


def test_where_no_scheduler_runs(ratectl, tmp_path, scheduler):
    """Where an install would find no scheduler, `serve` comes next."""
    scheduler("no scheduler of the operating system runs here")

    answer = ratectl("init", str(tmp_path / "jobs.toml"), "--yes")

    last = answer.out.splitlines()[-1]
    assert last.startswith(f"next: ratectl serve {tmp_path / 'jobs.toml'}   # ")


def test_existing_file_is_left(ratectl, spec):
    """A spec that exists is never overwritten."""
    before = spec.read_bytes()

    answer = ratectl("init", str(spec))

    assert answer.code == 2
    assert "exists already" in answer.err
    assert spec.read_bytes() == before


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--pair", "USD/INX", 78),
        ("--schedule", "every dya", 78),
        ("--schedule", "every day\nat 10:30", 2),
        ("--output", 'a".xyz', 78),
    ],
)
def test_wrong_values_write_nothing(ratectl, tmp_path, option, value, code):
    """A value that the spec would refuse is refused now, and no file is left."""
    path = tmp_path / "jobs.toml"

    answer = ratectl("init", str(path), option, value)

    assert answer.code == code
    assert not path.exists()
    assert "jobs.toml" not in answer.err
    if code == 78:
        assert answer.err.startswith(f"ratectl: {option} {value!r}: ")
        assert answer.err.endswith("nothing was written\n")


@pytest.mark.parametrize(
    ("said", "pairs", "name"),
    [
        ("usd inr", ["USD/INR"], "usd-inr"),
        ("usdinr", ["USD/INR"], "usd-inr"),
        ("Usd to Inr", ["USD/INR"], "usd-inr"),
        ("EUR/USD, USD/INR", ["EUR/USD", "USD/INR"], "rates"),
        ("eur-usd and usd:inr", ["EUR/USD", "USD/INR"], "rates"),
    ],
)
def test_pairs_as_people_write_them(ratectl, tmp_path, said, pairs, name):
    """Lower case, blanks and several pairs are understood."""
    path = tmp_path / "jobs.toml"

    assert ratectl("init", str(path), "--pair", said).code == 0

    (job,) = load(path, host_timezone="UTC").jobs
    assert ([str(pair) for pair in job.pairs], job.name) == (pairs, name)


def test_an_output_that_cannot_be_written(ratectl, tmp_path):
    """A folder, and a file below a file, are refused before anything is written."""
    (tmp_path / "file").write_text("x")

    for target in (f"text:{tmp_path}", str(tmp_path / "file" / "rates.txt")):
        answer = ratectl("init", str(tmp_path / "jobs.toml"), "--output", target)

        assert (answer.code, str(tmp_path) in answer.err) == (77, True)
        assert not (tmp_path / "jobs.toml").exists()


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("usd inr",), "usd inr"),
        (("EUR/USD",), "EUR/USD"),
        (("eur/usd, usd/inr",), "eur/usd, usd/inr"),
        (("--pair", "usd", "inr"), "usd inr"),
    ],
)
def test_a_pair_where_the_file_stands(ratectl, tmp_path, monkeypatch, words, meant):
    """Whoever names the pair where the file's name stands gets no file of that name, and is told the option."""
    monkeypatch.chdir(tmp_path)

    answer = ratectl("init", *words)
    again = ratectl("init", str(tmp_path / "jobs.toml"), "--pair", meant)

    assert (answer.code, list(tmp_path.glob("*"))) == (2, [tmp_path / "jobs.toml"])
    assert f'did you mean `ratectl init --pair "{meant}"`?' in answer.err
    assert again.code == 0


@pytest.mark.posix("a file system with this limit")
def test_a_name_that_is_too_long(ratectl, tmp_path):
    """An output whose name no file can have is refused in one line."""
    answer = ratectl("init", str(tmp_path / "jobs.toml"), "--output", f"{'x' * 300}.txt")

    assert answer.code == 77
    assert answer.err.count("\n") == 1
    assert "has 304 bytes, and 255 is the most that a name can have" in answer.err


@pytest.mark.posix("the limit is set by setrlimit")
def test_no_room(ratectl, tmp_path):
    """On a full disk no empty spec stays, which the next `init` would take for somebody's."""
    import resource  # noqa: PLC0415 - POSIX only

    path, limits = tmp_path / "jobs.toml", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        answer = ratectl("init", "--yes", str(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert answer.code == 73
    assert f"{path}: cannot be written: File too large; name another file" in answer.err
    assert list(tmp_path.iterdir()) == []
    assert ratectl("init", "--yes", str(path)).code == 0


def test_odd_values_are_quoted(ratectl, tmp_path):
    """Quotes and backslashes arrive in the spec as they were typed."""
    path = tmp_path / "jobs.toml"

    assert ratectl("init", str(path), "--output", r'a "b" \c.txt').code == 0

    (job,) = load(path, host_timezone="UTC").jobs
    assert job.outputs[0].target == str(tmp_path / r'a "b" \c.txt')


def test_shows_what_comes(ratectl, tmp_path):
    """The meaning, the next three slots and a line as the output will have it are shown."""
    answer = ratectl("init", str(tmp_path / "jobs.toml"), "--schedule", "every friday at 16:00")

    shown = answer.out.splitlines()
    assert shown[0].startswith("usd-inr: Every Friday at 16:00 (")
    assert len([line for line in shown if line.startswith("  Fri ")]) == 3
    assert re.search(r"^  \d\d/\d\d/\d{4} - 95\.12$", answer.out, flags=re.MULTILINE)


def test_lower_case_pair(ratectl, tmp_path):
    """A pair may be typed in lower case."""
    path = tmp_path / "jobs.toml"
    ratectl("init", str(path), "--pair", "eur/usd")

    (job,) = load(path, host_timezone="UTC").jobs
    assert str(job.pairs[0]) == "EUR/USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """How a talk in a terminal ended."""

    code: int
    shown: str


@pytest.fixture
def talk(tmp_path):
    """Run ``ratectl init`` in a terminal of its own, giving one answer to each question as it comes."""

    def run(*answers, options=()):
        master, slave = os.openpty()
        argv = (sys.executable, "-m", "ratectl", "init", str(tmp_path / "jobs.toml"), *options)
        with subprocess.Popen(argv, preexec_fn=lambda: os.login_tty(slave)) as process:  # noqa: PLW1509 - the test has no threads
            os.close(slave)
            shown = _until_asked(master)
            for answer in answers:
                os.write(master, answer)
                shown += _until_asked(master, answer)
        os.close(master)
        return Talk(code=process.returncode, shown=shown)

    return run


def _until_asked(master, answer=b""):
    """Return what the terminal shows up to the next question, or to the end.

    Ctrl-C is pressed again where nothing follows it, as people do: Python's ``input`` waits on when
    the signal arrives just before it begins to wait.
    """
    shown = b""
    while not re.search(rb"\]: ?$", shown):
        if answer == b"\x03" and not select.select([master], [], [], 5)[0]:
            os.write(master, answer)
            continue
        try:
            part = os.read(master, 4096)
        except OSError:  # the other end was closed
            break
        if not part:
            break
        shown += part
    return shown.decode()


@pytest.mark.network
@pytest.mark.posix("a pseudo-terminal")
class TestInATerminal:
    """Three questions, each put again until its answer is a good one."""

    def test_defaults(self, talk, tmp_path):
        """Return thrice and once more writes the default spec."""
        ended = talk(b"\n", b"\n", b"\n", b"\n")

        (job,) = load(tmp_path / "jobs.toml", host_timezone="UTC").jobs
        assert ended.code == 0
        assert (job.name, job.schedule_texts) == ("usd-inr", ("every day at 10:30",))

    def test_wrong_answer(self, talk, tmp_path):
        """A wrong answer is explained, with a did-you-mean, and the question comes again."""
        ended = talk(
            b"USD/INX\n", b"eur/usd\n", b"every dya at 10:30\n", b"every day\n", b"a.csv\n", b"y\n"
        )

        (job,) = load(tmp_path / "jobs.toml", host_timezone="UTC").jobs
        assert '"INX" is not a currency code' in ended.shown
        assert 'found "dya"' in ended.shown
        assert (job.name, str(job.outputs[0])) == ("eur-usd", f"csv:{tmp_path / 'a.csv'}")

    def test_given_ones_are_not_asked(self, talk):
        """What stands on the command line is not asked for."""
        ended = talk(b"\n", b"\n", options=("--pair", "EUR/USD", "--schedule", "@daily"))

        assert ended.code == 0
        assert "Which pair" not in ended.shown
        assert "Where to" in ended.shown

    @pytest.mark.parametrize("last", [b"n\n", b"\x03", b"\x04"], ids=["no", "Ctrl-C", "Ctrl-D"])
    def test_second_thoughts(self, talk, tmp_path, last):
        """Whoever says no, or presses Ctrl-C, gets no file and is told so."""
        ended = talk(b"\n", b"\n", b"\n", last)

        assert ended.code == 130
        after = ended.shown.rpartition("Write ")[2]
        assert after.count("nothing was written") == 1
        assert "Abort" not in after
        assert not (tmp_path / "jobs.toml").exists()

    def test_yes(self, talk, tmp_path):
        """--yes asks nothing, even in a terminal."""
        assert talk(options=("--yes",)).code == 0
        assert (tmp_path / "jobs.toml").exists()
