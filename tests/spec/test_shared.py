"""``[ratectl] journal``: this machine's own file, or a database that hosts share, without a secret in the spec."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ratectl.errors import SpecError
from ratectl.spec import loads

PLACE = Path("/etc/ratectl/jobs.toml")
SPEC = """
[ratectl]
journal = "{}"
[jobs.a]
pairs = ["USD/INR"]
schedule = "every day"
output = "{}"
"""
WITHOUT = """
import sys
sys.modules["psycopg"] = None  # which is how an absent package looks
from ratectl import cli
sys.argv = ["ratectl", *sys.argv[1:]]
cli.main()
"""


def journal_of(written):
    [job] = loads(SPEC.format(written, "out.txt").encode(), path=PLACE, host_timezone="UTC").jobs
    return job.journal


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("sqlite", ""),
        ("postgres://asha@db.invalid/rates", "postgresql://asha@db.invalid/rates"),
        (
            "postgresql://db.invalid/rates?sslrootcert=root.pem",
            "postgresql://db.invalid/rates?sslrootcert=" + str(PLACE.parent / "root.pem"),
        ),
    ],
)
@pytest.mark.posix("paths of another system")
def test_journal(written, url):
    """The job carries the URL of the database, paths in it absolute; nothing stands for its own machine's file."""
    assert journal_of(written) == url


def test_default():
    """A spec that says nothing keeps the record on its machine."""
    text = SPEC.format("sqlite", "out.txt").replace('journal = "sqlite"', "")

    assert loads(text.encode(), path=PLACE, host_timezone="UTC").jobs[0].journal == ""


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("mysql://db.invalid/rates", 'expected "sqlite" or a URL such as "postgresql://'),
        ("postgresql", 'expected a URL such as "postgresql://'),
        ("postgresql://db.invalid", "expected the name of a database"),
        ("postgresql://asha:hunter2@db.invalid/rates", "a password must not stand in the spec"),
    ],
)
def test_wrong(written, told):
    """What is neither is an issue with its line, and no message repeats a password."""
    with pytest.raises(SpecError, match=r"3: ratectl\.journal: ") as caught:
        journal_of(written)

    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.network
@pytest.mark.parametrize("verb", ["check", "plan", "install"])
@pytest.mark.parametrize(
    ("journal", "output", "key"),
    [
        ("postgresql:///rates", "out.txt", "3: ratectl.journal"),
        ("sqlite", "postgresql:///rates", "7: jobs.a.output"),
    ],
)
def test_without_the_driver(tmp_path, verb, journal, output, key):
    """Where psycopg is not installed, what needs it is an issue that says what to install."""
    path = tmp_path / "jobs.toml"
    path.write_text(SPEC.format(journal, output))
    argv = (sys.executable, "-c", WITHOUT, verb, str(path))

    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 78
    assert f"{key}: needs the psycopg library" in done.stdout + done.stderr
    assert "pip install 'ratectl[postgres]'" in done.stdout + done.stderr


CLUSTER = '[kubernetes]\nimage = "registry.example/ratectl:1.0.0"\n'


@pytest.mark.network
@pytest.mark.parametrize(
    "words", [["check"], ["render", "--backend", "kubernetes", "--out", "out"]]
)
def test_a_cluster_brings_the_driver(tmp_path, words):
    """For jobs of a cluster nothing here needs psycopg, since it is the image that has it."""
    path = tmp_path / "jobs.toml"
    path.write_text(SPEC.format("postgresql:///rates", "postgresql:///rates") + CLUSTER)
    argv = (sys.executable, "-c", WITHOUT, words[0], str(path), *words[1:])

    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.network
def test_texts_need_no_driver(tmp_path):
    """The texts of an engine are written for another machine as well, without what only its firings need."""
    path = tmp_path / "jobs.toml"
    path.write_text(SPEC.format("postgresql:///rates", "out.txt"))
    words = ("render", str(path), "--backend", "cron", "--out", str(tmp_path / "out"))
    argv = (sys.executable, "-c", WITHOUT, *words)

    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")
