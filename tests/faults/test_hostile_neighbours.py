"""Attacks of another account that once succeeded: what it lays beside a database, in a namespace, before a reader."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from ratectl.backends.systemd import backend as systemd
from ratectl.deploy import execute, host_facts
from ratectl.deploy.checks import other_accounts, writable
from ratectl.deploy.targets import Target, host_of
from ratectl.errors import RatectlError, RefusedError
from ratectl.journal.journal import Journal
from ratectl.model.job import Output
from ratectl.outputs import foreign
from ratectl.outputs.formats import sqlite
from ratectl.runtime import trust
from tests.fakes.station import LATE, PYTHON, now, provider
from tests.faults.conftest import need
from tests.faults.test_other_accounts import MALLORY, SPEC, town  # noqa: F401 - a fixture

pytestmark = pytest.mark.engine


def row(number: int) -> tuple[str, ...]:
    """Return a row of an output's table, unlike those of other numbers."""
    return tuple(f"{column} {number}" for column in sqlite.quotes_table.COLUMNS)


def forged_journal(database, folder):
    """Return a rollback journal by which SQLite believes that *database* held another rate a moment ago."""
    forged = folder / database.name
    shutil.copy(database, forged)
    connection = sqlite3.connect(forged, isolation_level=None)
    connection.execute("UPDATE quotes SET rate = '666'")
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(sqlite.INSERT, map(row, range(100, 300)))
    data = (folder / f"{database.name}-journal").read_bytes()
    connection.close()
    return data


def test_a_forged_journal_beside_a_database(town, live_rates):  # noqa: F811
    """In a sticky folder others may lay a rollback journal beside root's database, and SQLite would believe it."""
    sticky = town.folder / "sticky"
    sticky.mkdir()
    database = sticky / "rates.db"
    sqlite.insert(str(database), [row(1)], seconds=5)
    sticky.chmod(0o1777)
    (town.theirs / "forged").write_bytes(forged_journal(database, town.folder / "own"))
    (town.theirs / "forged").chmod(0o644)
    town.mallory(f"cp forged {database}-journal")
    before = database.read_bytes()
    town.install(live_rates.url, str(database), "sqlite")

    done = town.station.fetch()

    assert done.returncode == 77, done.stderr
    assert database.read_bytes() == before
    told = [
        each.fault
        for each in other_accounts.of_outputs(execute.SystemReader(), job_at(town, database))
    ]
    assert [each.fix for each in told] == [f"mkdir -m 700 {database}.d"]
    assert told[0].fix in done.stderr


def job_at(town, path):  # noqa: F811
    """Return root's job with a table in the database *path*."""
    return town.station.job(
        "http://127.0.0.1:1", outputs=(Output(kind="sqlite", target=str(path)),)
    )


def test_a_database_in_the_folder_for_all(town):  # noqa: F811
    """Of /tmp the way out is a folder of root's own in it, and the command that is named makes one that is taken."""
    [danger] = other_accounts.of_outputs(
        execute.SystemReader(), job_at(town, f"/tmp/{town.folder.name}.db")
    )

    assert danger.fault.fix == f"mkdir -m 700 /tmp/{town.folder.name}.db.d"
    subprocess.run(("sh", "-c", danger.fault.fix), check=True)
    try:
        inside = f"/tmp/{town.folder.name}.db.d/{town.folder.name}.db"
        assert inside in danger.fault.why
        assert not list(other_accounts.of_outputs(execute.SystemReader(), job_at(town, inside)))
    finally:
        subprocess.run(("rmdir", f"/tmp/{town.folder.name}.db.d"), check=True)


@pytest.mark.parametrize(
    "place",
    [
        *("own/new.txt", "own/deep/er/new.txt", "theirs/new.txt", "theirs/deep/er/new.txt"),
        *(
            "theirs/file",
            "theirs/file/below.txt",
            "theirs/dangling",
            "theirs/dangling/deep/new.txt",
        ),
        *("theirs/to-own/new.txt", "theirs/to-own/deep/new.txt", "own/to-theirs/deep/new.txt"),
        *("sticky/new.txt", "sticky/deep/new.txt", "sticky/dangling", "sticky/to-own/new.txt"),
    ],
)
def test_an_output_that_is_yet_to_be_made(town, place):  # noqa: F811
    """Thousands of new outputs are judged by the folders that they share, and as each would be by itself."""
    sticky = town.folder / "sticky"
    sticky.mkdir()
    sticky.chmod(0o1777)
    (town.folder / "own" / "to-theirs").symlink_to(town.theirs)
    town.mallory(f"echo x > file; chmod 666 file; ln -s {town.folder}/nowhere dangling")
    town.mallory(f"ln -s {town.folder}/own to-own; cp -P dangling to-own {sticky}")
    path = town.folder / place
    job = town.station.job("http://127.0.0.1:1", outputs=(Output(kind="text", target=str(path)),))

    told = [str(each.fault) for each in other_accounts.of_outputs(execute.SystemReader(), job)]

    alone = trust.fault(str(path))
    assert told == ([] if alone is None else [str(alone)])


IN_A_NAMESPACE = """
import sys; sys.path[:0] = sys.argv[2:]
from ratectl.runtime import trust
print(trust.fault(sys.argv[1], strict=True))
"""


def test_strangers_in_a_namespace_that_shows_root(town):  # noqa: F811
    """A unit with PrivateUsers= shows all strangers as nobody: root, which it shows as root, trusts none of them."""
    need("unshare")
    apart = ("unshare", "--user", "--map-root-user")
    if subprocess.run((*apart, "true"), capture_output=True, check=False).returncode:
        pytest.skip("the kernel lets nobody make a user namespace here")
    town.mallory("ln -s $SECRET output.txt")
    target = str(town.theirs / "output.txt")

    done = subprocess.run(
        (
            *apart,
            PYTHON,
            "-c",
            IN_A_NAMESPACE,
            target,
            str(trust.__file__.partition("/ratectl/runtime/")[0]),
        ),
        capture_output=True,
        text=True,
        check=True,
    )

    assert f"{town.theirs}: the folder belongs to" in done.stdout


CATCHING = """
mkdir trap; ln -s $SECRET trap/journal.sqlite3-wal
while :; do for one in .ratectl-copy-*; do test ! -d $one || { mv $one gone.$$; ln -s trap $one; }; done; done
"""


def test_a_journal_that_is_copied_out_of_their_folder(town):  # noqa: F811
    """What is read of a journal in their folder is not copied to where they could lead it elsewhere."""
    with Journal(town.station.state):
        pass
    journal = town.theirs / "journal.sqlite3"
    town.mallory("truncate -s 600M journal.sqlite3; echo forged > journal.sqlite3-wal")
    catcher = town.mallory(CATCHING, wait=False)
    try:
        done = town.ratectl("journal", "copy", str(journal), "sqlite", "--job", "usd-inr")
    finally:
        catcher.kill()
        catcher.wait()

    assert town.secret.read_text() == "root only\n"
    assert len(done.stderr.splitlines()) <= 1, done.stderr
    assert not list(town.theirs.glob("gone.*"))


def test_the_first_line_of_roots_file(town):  # noqa: F811
    """A link that an account laid in the place of its output has root read no file of root's, and open no device."""
    town.mallory("ln -s $SECRET rates.csv")
    target = str(town.theirs / "rates.csv")
    job = town.station.job("http://127.0.0.1:1", outputs=(Output(kind="csv", target=target),))

    assert foreign.foreign_files([job]) == {}
    town.mallory("rm rates.csv; echo date,rate > rates.csv")
    assert 'begins with "date,rate"' in "".join(foreign.foreign_files([job]).values())


READERS = {
    "import": ("import", "{}", "--job", "usd-inr"),
    "check": ("check", "{}"),
    "plan": ("plan", "{}"),
    "install": ("install", "{}"),
    "render": ("render", "{}", "--backend", "cron", "--out", "{town}/out"),
    "lint-crontab": ("lint-crontab", "{}"),
    "serve": ("serve", "{}"),
    "journal": ("journal", "copy", "{}", "sqlite"),
    "addresses": ("check", "{town}/jobs.toml"),
}


@pytest.mark.parametrize("words", READERS.values(), ids=READERS)
def test_a_pipe_that_nobody_writes_into(town, words):  # noqa: F811
    """A pipe that another account laid in the place of a file keeps no command of root's waiting."""
    pipe = town.theirs / "pipe"
    town.mallory("mkfifo pipe")
    (town.folder / "jobs.toml").write_text(
        SPEC.format(output=town.station.folder / "output.txt") + f'notify = ["file:{pipe}"]\n'
    )

    done = town.ratectl(*(word.format(pipe, town=town.folder) for word in words), within=30)

    assert done.returncode not in {0, 1}, done.stdout
    assert f"{town.theirs}" in done.stderr
    assert len(done.stderr.splitlines()) <= 3, done.stderr


@pytest.mark.parametrize("words", [READERS["import"], READERS["check"], READERS["lint-crontab"]])
def test_a_file_without_an_end(town, words):  # noqa: F811
    """What never ends is read up to a bound, and said to be too large."""
    done = town.ratectl(*(word.format("/dev/zero") for word in words), within=60)

    assert done.returncode not in {0, 1}
    assert "larger than" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_pipe_of_ones_own(town):  # noqa: F811
    """A shell's <(command) is a pipe, too, and is read to its end however late that comes."""
    spec = SPEC.format(output=town.station.folder / "output.txt").replace("10:30", "11:30")
    (town.folder / "jobs.toml").write_text(spec)
    (town.folder / "tab").write_text("17 3 31 2 * true\n")
    script = '"$1" -m ratectl check <(sleep 1; cat "$2/jobs.toml"); "$1" -m ratectl lint-crontab <(sleep 1; cat "$2/tab")'

    done = subprocess.run(
        ("bash", "-c", script, "bash", PYTHON, str(town.folder)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert "11:30" in done.stdout, done.stderr
    assert "never" in done.stdout + done.stderr


ENVIRONMENTS = {
    "pyvenv.cfg is theirs": "pyvenv.cfg",
    "a .pth file leads to a folder of theirs": "theirs",
    "a file of a package is theirs": "lib/python{version}/site-packages/package.py",
    "a file of ours is theirs": "own/ratectl/firing/runner.py",
}


@pytest.mark.parametrize("place", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_an_environment_that_others_may_change(town, place):  # noqa: F811
    """Whatever an interpreter takes its modules by is root's alone, or nothing is installed with it."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    venv = town.folder / "venv"
    packages = venv / "lib" / f"python{version}" / "site-packages"
    packages.mkdir(parents=True)
    (venv / "bin").mkdir()
    (venv / "bin" / "python3").symlink_to(Path(sys.base_prefix, "bin", "python3"))
    (venv / "pyvenv.cfg").write_text(f"home = {sys.base_prefix}/bin\n")
    (packages / "others.pth").write_text(
        f"# theirs\nimport sys\n{town.theirs}\n" * (place == "theirs")
    )
    (packages / "package.py").touch()
    source = venv / "own"
    shutil.copytree(Path(trust.__file__).parents[1], source / "ratectl")
    changed = (town.folder if place == "theirs" else venv) / place.format(version=version)
    shutil.chown(changed, MALLORY)
    spec = town.folder / "jobs.toml"
    spec.write_text(SPEC.format(output=town.station.folder / "output.txt"))
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(source), sysconfig.get_path("purelib"))),
        "RATECTL_STATE_DIR": str(town.station.state),
    }

    done = subprocess.run(
        (
            str(venv / "bin" / "python3"),
            "-m",
            "ratectl",
            "plan",
            str(spec),
            "--backend",
            "cron",
            "--scope",
            "system",
        ),
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )

    assert done.returncode == 77, done.stderr
    assert f"the program: {changed}: " in done.stderr


@pytest.mark.parametrize("swapped", ["sub", "sub/deeper"])
def test_a_starter_spec_behind_a_link(town, swapped):  # noqa: F811
    """The folders of a starter spec are made behind no link of another account."""
    town.mallory(f"mkdir -p $(dirname {swapped}); ln -s $TOWN {swapped}")

    done = town.ratectl("init", str(town.theirs / swapped / "new" / "jobs.toml"), "--yes")

    assert done.returncode == 77, done.stderr
    assert not (town.folder / "new").exists()


LURE = """
[providers.lure]
kind = "exchangerate-api-v6"
base_url = "{url}/v6"
api_key = "file:{secret}"
[jobs.usd-inr]
pairs = ["USD/INR"]
schedule = "every minute"
providers = ["lure"]
output = "text:{town}/roots"
"""


@pytest.mark.parametrize(
    "words", [("serve", "{}", "--count", "1"), ("providers", "lure", "--spec", "{}")]
)
def test_a_spec_of_others_that_root_would_follow(town, live_rates, words):  # noqa: F811
    """Root serves no spec of another account, and asks no provider of one: it names files of root's and servers of theirs."""
    town.secret.write_text("roots-key\n")
    spec = town.theirs / "jobs.toml"
    spec.write_text(LURE.format(url=live_rates.url, secret=town.secret, town=town.folder))
    shutil.chown(spec, MALLORY)

    done = town.ratectl(*(word.format(spec) for word in words), within=120)

    assert live_rates.requests == []
    assert not (town.folder / "roots").exists()
    assert done.returncode == 77, done.stderr
    assert f"the spec: {town.theirs}: the folder belongs to {MALLORY}" in done.stderr
    assert town.ratectl("providers", "--spec", str(spec), "--offline").returncode == 0


def test_a_spec_that_a_container_was_handed(town):  # noqa: F811
    """A file whose owner has no account here is nobody's who could change it, as where a folder of the host is mounted."""
    spec = town.folder / "jobs.toml"
    spec.write_text(SPEC.format(output=town.station.folder / "output.txt"))
    os.chown(spec, 60_123, 60_123)

    other_accounts.refuse_spec(execute.SystemReader(), spec, "serve")

    shutil.chown(spec, MALLORY)
    with pytest.raises(RefusedError, match="the spec"):
        other_accounts.refuse_spec(execute.SystemReader(), spec, "serve")


@pytest.mark.parametrize("deeper", ["", "/deeper"])
def test_a_folder_that_root_makes_for_an_account(town, deeper):  # noqa: F811
    """Where an account leads its output's folder by a link of its own, root makes it no folder elsewhere, which would be its own."""
    town.mallory(f"mkdir out; ln -s $TOWN/new{deeper} out/sub")
    output = Output(kind="text", target=str(town.theirs / "out" / "sub" / "rates.txt"))
    job = town.station.job("http://127.0.0.1:1", outputs=(output,), user=MALLORY)
    target = Target(
        backend=systemd, scope="system", host=host_facts.current(), reader=execute.SystemReader()
    )

    steps = [
        step
        for step in other_accounts.folders_to_make(target, [job])
        if "lib" not in step.path.parts
    ]
    with contextlib.suppress(RatectlError):
        execute.perform(steps)

    assert len(steps) == 1
    assert not (town.folder / "new").exists()


def test_a_folder_that_an_account_makes_itself(town):  # noqa: F811
    """In a folder of its own the account gets what its output needs, and so in one of root's."""
    town.mallory("mkdir out")
    (town.folder / "srv").mkdir()
    outputs = [
        Output(kind="text", target=str(folder / "new" / "rates.txt"))
        for folder in (town.theirs / "out", town.folder / "srv")
    ]
    job = town.station.job("http://127.0.0.1:1", outputs=tuple(outputs), user=MALLORY)
    target = Target(
        backend=systemd, scope="system", host=host_facts.current(), reader=execute.SystemReader()
    )

    steps = [
        step
        for step in other_accounts.folders_to_make(target, [job])
        if "lib" not in step.path.parts
    ]
    execute.perform(steps)

    made = [Path(output.target).parent for output in outputs]
    assert [folder.owner() for folder in made] == [MALLORY, MALLORY]


@pytest.mark.parametrize(
    ("attack", "target", "link"),
    [
        ("ln -s $SECRET rates.csv", "rates.csv", "rates.csv"),
        ("ln -s $TOWN sub", "sub/secret", "sub"),
        ("ln -s $TOWN/own sub", "sub/rates.csv", "sub"),
    ],
)
def test_advice_where_an_account_laid_a_link(town, attack, target, link):  # noqa: F811
    """Where an account's link leads to what it may not write, no advice gives it that: the link is what has to go."""
    town.mallory(attack)
    output = Output(kind="csv", target=str(town.theirs / target))
    job = town.station.job("http://127.0.0.1:1", outputs=(output,), user=MALLORY)
    at = Target(
        backend=systemd, scope="system", host=host_facts.current(), reader=execute.SystemReader()
    )
    eyes = other_accounts.reader_for(at.host, at.reader, job)
    host = host_of(at.host, job)

    found = writable.of_output(host, eyes, output)
    told = [line for line in other_accounts._closed(at, job) if "/lib/" not in line]

    assert found.fix == f"sudo -u {MALLORY} rm {town.theirs / link}"
    assert f"`{found.fix}`" in "".join(told)
    assert "chown" not in "".join((*told[-1:], found.fix))


def test_advice_on_a_key_that_an_account_led_elsewhere(town):  # noqa: F811
    """A key file that is a link of the account's is not given to it, with what it leads to."""
    town.mallory("ln -s $SECRET key")
    source = dataclasses.replace(
        provider("exchangerate-api-v4", "http://127.0.0.1:1"), api_key=f"file:{town.theirs}/key"
    )
    job = town.station.job("http://127.0.0.1:1", providers=(source,), user=MALLORY)
    at = Target(
        backend=systemd, scope="system", host=host_facts.current(), reader=execute.SystemReader()
    )

    [told] = [line for line in other_accounts._closed(at, job) if "may not read" in line]

    assert "chown" not in told
    assert f"`sudo -u {MALLORY} rm {town.theirs}/key`" in told


KINDS = ("csv-quotes", "jsonl", "ledger", "beancount")
LAID = {
    "a link": "ln -s $SECRET {0}",
    "a folder": "mkdir {0}",
    "a device": "ln -s /dev/full {0}",
    "a magic link": "ln -s /proc/self/fd/1 {0}",
    "a chain of links": "ln -s $SECRET two; ln -s two {0}",
    "a loop of links": "ln -s {0} {0}",
}


@pytest.mark.parametrize("attack", LAID)
def test_each_kind_of_output(town, live_rates, attack):  # noqa: F811
    """What lies in a sticky folder at a file of any kind, also under a name with the date in it, leads root's firing nowhere."""
    kind = KINDS[list(LAID).index(attack) % len(KINDS)]
    (town.folder / "sticky").mkdir()
    (town.folder / "sticky").chmod(0o1777)
    template = Output(kind=kind, target=str(town.folder / "sticky" / "rates-%Y.txt"))
    town.mallory(LAID[attack].format(template.on((now() - LATE).date()).target))
    town.install(live_rates.url, template.target, kind)

    done = town.station.fetch()

    assert town.secret.read_text() == "root only\n"
    assert (done.returncode, len(done.stderr.splitlines())) in {(77, 1), (74, 1)}, done.stderr
    assert len(town.station.recorded()) == 1


def test_completion_in_the_home_of_others(town):  # noqa: F811
    """Under ``sudo -E`` a completion is not written to where another account's link leads."""
    town.mallory("ln -s $SECRET .bashrc; ln -s $SECRET .zshrc; ln -s $TOWN .bash_completions")

    done = town.ratectl("--install-completion", "bash", HOME=str(town.theirs))

    assert town.secret.read_text() == "root only\n"
    assert done.returncode == 77, done.stdout
    assert "sudo -H" in done.stderr


def test_a_journal_that_is_copied_by_way_of_their_folder(town):  # noqa: F811
    """A folder of another account that TMPDIR names is no place for what is copied on the way."""
    town.mallory("echo forged > journal.sqlite3")

    done = town.ratectl(
        "journal", "copy", str(town.theirs / "journal.sqlite3"), "sqlite", TMPDIR=str(town.theirs)
    )

    assert done.returncode == 77, done.stderr
    assert [path.name for path in town.theirs.iterdir()] == ["journal.sqlite3"]


def test_addresses_behind_a_link(town):  # noqa: F811
    """Root does not look into a file of its own for addresses because an account's link leads there."""
    town.secret.write_text("ntfy://roots-own-topic/x y\nno address\n")
    town.mallory("ln -s $SECRET notify")
    spec = town.folder / "jobs.toml"
    spec.write_text(
        SPEC.format(output=town.station.folder / "output.txt")
        + f'notify = ["file:{town.theirs}/notify"]\n'
    )

    done = town.ratectl("check", str(spec))

    assert "issue" not in done.stderr, done.stderr


CONSOLE_SCRIPT = "import sys; del sys.path[0]; from ratectl.__main__ import main; main()"


@pytest.mark.parametrize("start", [("-m", "ratectl"), ("-c", CONSOLE_SCRIPT)])
@pytest.mark.parametrize("module", ["typer", "requests", "sitecustomize", "zoneinfo", "json"])
def test_modules_in_the_folder_that_root_stands_in(town, start, module):  # noqa: F811
    """A folder of another account in which root types a command gives the program no module."""
    town.mallory(f'echo \'open("pwned", "w")\' > {module}.py; mkdir pwned.d; chmod 777 .')

    done = subprocess.run(
        (PYTHON, *start, "providers", "ecb", "--offline"),
        capture_output=True,
        text=True,
        check=False,
        cwd=town.theirs,
        env={**os.environ, "RATECTL_CONFIG_DIR": str(town.folder / "config")},
    )

    assert done.returncode == 0, done.stderr
    assert not (town.theirs / "pwned").exists()
