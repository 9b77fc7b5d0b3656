"""What another account lays in root's way: each attack is done by that account itself, and gets not one byte."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path

import pytest

import ratectl
from ratectl.deploy import execute
from ratectl.errors import RatectlError
from ratectl.model.job import Output
from tests.fakes.station import PYTHON, Station, provider
from tests.faults.conftest import need

pytestmark = pytest.mark.engine

MALLORY = "games"
"""An account that every Linux has, and nobody trusts."""
RATECTL = (PYTHON, "-m", "ratectl")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A folder that all may pass, with root's installation and a home of mallory's in it."""

    folder: Path
    station: Station

    @property
    def theirs(self) -> Path:
        return self.folder / "theirs"

    @property
    def secret(self) -> Path:
        """A file of root's that nobody else may touch."""
        return self.folder / "secret"

    def mallory(self, script: str, *, wait: bool = True) -> subprocess.Popen:
        """Run a shell script as mallory, in the folder that is mallory's."""
        child = subprocess.Popen(
            ("sh", "-euc", script),
            user=MALLORY,
            group=MALLORY,
            extra_groups=(),
            cwd=self.theirs,
            env={"PATH": "/usr/bin:/bin", "SECRET": str(self.secret), "TOWN": str(self.folder)},
        )
        if wait:
            assert child.wait() == 0
        return child

    def install(self, url: str, target: str, kind: str = "text") -> None:
        """Install root's job with its output at *target*."""
        job = self.station.job(url, outputs=(Output(kind=kind, target=target),))
        self.station.install(job)

    def ratectl(self, *words: str, within: float = 60, **environment: str):
        """Run ratectl as root in this installation."""
        return subprocess.run(
            (*RATECTL, *words),
            capture_output=True,
            text=True,
            check=False,
            timeout=within,
            env={
                **os.environ,
                "RATECTL_STATE_DIR": str(self.station.state),
                "RATECTL_CONFIG_DIR": str(self.folder / "config"),
                **environment,
            },
        )


@pytest.fixture
def town():
    """Root's installation and mallory's folder beside each other."""
    need("sh")
    folder = Path(tempfile.mkdtemp(prefix="ratectl-town-", dir="/tmp"))
    folder.chmod(0o711)
    (folder / "own").mkdir(mode=0o700)
    theirs = folder / "theirs"
    theirs.mkdir(mode=0o755)
    shutil.chown(theirs, MALLORY, MALLORY)
    secret = folder / "secret"
    secret.write_text("root only\n")
    secret.chmod(0o600)
    yield Town(folder=folder, station=Station(folder=folder / "own"))
    shutil.rmtree(folder)


LAID = {
    "the file is a link": ("theirs/output.txt", "rm -f output.txt; ln -s $SECRET output.txt"),
    "the folder is a link": ("theirs/sub/secret", "rm -rf sub; ln -s $TOWN sub"),
    "a link to a new file": ("theirs/output.txt", "ln -s $TOWN/new output.txt"),
    "a file of theirs": ("theirs/output.txt", "echo mine > output.txt"),
    "a pipe": ("theirs/output.txt", "mkfifo output.txt"),
}


@pytest.mark.parametrize(("target", "attack"), LAID.values(), ids=LAID)
@pytest.mark.parametrize("kind", ["text", "csv", "sqlite"])
def test_output_in_a_folder_of_others(town, live_rates, target, attack, kind):
    """Root's firing appends nothing where another account decides what lies there: exit 77 and one line, and the rate is kept."""
    town.install(live_rates.url, str(town.folder / target), kind)
    town.mallory(attack)

    done = town.station.fetch()

    assert town.secret.read_text() == "root only\n"
    assert not (town.folder / "new").exists()
    assert (done.returncode, len(done.stderr.splitlines())) == (77, 1), done.stderr
    assert MALLORY in done.stderr
    assert len(town.station.recorded()) == 1


def test_hard_link_of_others_file(town, live_rates):
    """A second name of another account's file is no output of root's."""
    output = town.station.folder / "output.txt"
    town.install(live_rates.url, str(output))
    town.mallory("echo mine > file")
    os.link(town.theirs / "file", output)

    assert town.station.fetch().returncode == 77
    assert (town.theirs / "file").read_text() == "mine\n"


def test_output_in_a_folder_for_all(town, live_rates):
    """A folder that everybody may write to takes no output of root's, unless it is sticky, as /tmp is."""
    free = town.folder / "free"
    free.mkdir()
    free.chmod(0o777)
    town.install(live_rates.url, str(free / "output.txt"))

    done = town.station.fetch()

    assert done.returncode == 77
    assert f"chmod go-w {free}" in done.stderr
    free.chmod(0o1777)
    town.station.rest()
    assert town.station.fetch().returncode == 0
    assert len((free / "output.txt").read_text().splitlines()) == 1


def test_what_waited_is_delivered_once_the_way_is_safe(town, live_rates):
    """The command in the message is the way out: after it the line that was kept is written, once."""
    output = town.theirs / "output.txt"
    town.install(live_rates.url, str(output))
    done = town.station.fetch()
    assert done.returncode == 77

    command = done.stderr.split("`")[1]
    subprocess.run(("sh", "-c", command), check=True)
    town.station.rest()

    assert town.station.fetch().returncode == 0
    assert len(output.read_text().splitlines()) == 1


def test_state_directory_of_others(town, live_rates):
    """Root makes no journal where another account laid out the state directory, and trusts none that lies there."""
    town.install(live_rates.url, str(town.station.folder / "output.txt"))
    town.mallory("mkdir state; chmod 777 state; ln -s $TOWN/new state/journal.sqlite3")
    state = str(town.theirs / "state")
    fetch = (*town.station.argv()[:-1], state)

    done = subprocess.run(fetch, capture_output=True, text=True, check=False)
    status = town.ratectl("status", RATECTL_STATE_DIR=state)
    listed = town.ratectl("install", RATECTL_STATE_DIR=state)

    assert not (town.folder / "new").exists()
    assert not (town.theirs / "state" / "install.lock").exists()
    assert (done.returncode, listed.returncode) == (77, 77), (done.stderr, listed.stderr)
    assert status.returncode in {0, 77}
    assert MALLORY in done.stderr


def test_journal_that_others_edited(town, live_rates):
    """Lines that another account put into a journal are written nowhere: the state directory is not root's."""
    town.install(live_rates.url, str(town.station.folder / "output.txt"))
    shutil.copytree(town.station.state, town.theirs / "state")
    for path in (town.theirs / "state", *(town.theirs / "state").rglob("*")):
        shutil.chown(path, MALLORY, MALLORY)
    fetch = (*town.station.argv()[:-1], str(town.theirs / "state"))

    done = subprocess.run(fetch, capture_output=True, text=True, check=False)

    assert done.returncode == 77
    assert town.station.lines() == []
    assert live_rates.requests == []


def test_state_directory_behind_a_link_of_others(town, live_rates):
    """A link that another account laid is not followed to a state directory, though root's own lies behind it."""
    town.install(live_rates.url, str(town.station.folder / "output.txt"))
    town.mallory("ln -s $TOWN/own/state link")

    done = subprocess.run(
        (*town.station.argv()[:-1], str(town.theirs / "link")),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 77
    assert town.station.lines() == []


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775])
def test_state_directory_open_to_others(town, live_rates, mode):
    """A state directory that others may write to is refused, and one that they may read is closed."""
    town.install(live_rates.url, str(town.station.folder / "output.txt"))
    shutil.chown(town.station.state, "root", MALLORY)
    town.station.state.chmod(mode)

    done = town.station.fetch()

    assert done.returncode == 77
    assert f"chmod 700 {town.station.state}" in done.stderr or "chmod go-w" in done.stderr
    told = json.loads(town.ratectl("doctor", "--offline", "--json").stdout)
    assert "state-untrusted" in {finding["check"] for finding in told}
    town.station.state.chmod(0o755)
    assert town.station.fetch().returncode == 0
    town.ratectl("install")
    assert town.station.state.stat().st_mode & 0o777 == 0o700


SPEC = """
[jobs.usd-inr]
pairs = ["USD/INR"]
schedule = "every day at 10:30"
providers = ["exchangerate-api-v4"]
output = "text:{output}"
"""


def planned(town, output, **environment):
    """Return how ``ratectl plan`` ended for a spec of root's with its output at *output*."""
    spec = town.folder / "jobs.toml"
    spec.write_text(SPEC.format(output=output))
    return town.ratectl("plan", str(spec), "--backend", "cron", "--scope", "system", **environment)


@pytest.mark.parametrize(("target", "attack"), LAID.values(), ids=LAID)
def test_install_refuses_what_others_could_change(town, target, attack):
    """Root's install names the folder, whose it is and the way out, with 77, and nothing is installed."""
    town.mallory(attack)

    done = planned(town, town.folder / target)

    assert done.returncode == 77, done.stdout + done.stderr
    assert f"{town.theirs}: the folder belongs to {MALLORY}" in done.stderr
    assert "install as the account whose they are" in done.stderr


def test_install_takes_what_is_roots_own(town):
    """Nothing is in the way where root alone can change output, spec and program."""
    done = planned(town, town.station.folder / "output.txt")

    assert done.returncode in {0, 69}, done.stderr  # 69: this machine has no cron


def test_install_refuses_a_spec_of_others(town):
    """A spec that another account may write to is not what root installs."""
    spec = town.folder / "jobs.toml"
    spec.write_text(SPEC.format(output=town.station.folder / "output.txt"))
    shutil.chown(spec, MALLORY)

    done = town.ratectl("plan", str(spec), "--backend", "cron", "--scope", "system")

    assert done.returncode == 77
    assert f"the spec: {spec}: belongs to {MALLORY}" in done.stderr


def test_check_tells_root_what_install_refuses(town):
    """What root may not install, ``check`` does not propose to install, and says why; to its owner it proposes that."""
    spec = town.folder / "jobs.toml"
    spec.write_text(SPEC.format(output=town.station.folder / "output.txt"))
    fine = town.ratectl("check", str(spec)).stdout
    shutil.chown(spec, MALLORY)

    told = town.ratectl("check", str(spec))

    assert re.search(rf"^next: ratectl (install|serve) {re.escape(str(spec))} ", fine, re.MULTILINE)
    assert "next:" not in told.stdout
    assert told.returncode == 0
    assert f"the spec: {spec}: belongs to {MALLORY}" in " ".join(told.stdout.split())


def test_install_refuses_a_program_of_others(town):
    """Root's entries do not start an interpreter that lies in another account's folder."""
    binary = town.theirs / "python3"
    binary.symlink_to(PYTHON)
    spec = town.folder / "jobs.toml"
    spec.write_text(SPEC.format(output=town.station.folder / "output.txt"))
    there = sysconfig.get_path("purelib")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(Path(ratectl.__file__).parents[1]), there)),
        "RATECTL_STATE_DIR": str(town.station.state),
    }

    done = subprocess.run(
        (str(binary), "-m", "ratectl", "plan", str(spec), "--backend", "cron", "--scope", "system"),
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )

    assert done.returncode == 77, done.stderr
    assert f"the program: {town.theirs}: the folder belongs to {MALLORY}" in done.stderr
    assert "pipx install --global ratectl" in done.stderr


def test_the_doctor_finds_what_changed_later(town, live_rates):
    """What was root's own when it was installed, and is another account's now, is a fault with its remedy."""
    folder = town.folder / "rates"
    folder.mkdir()
    town.install(live_rates.url, str(folder / "output.txt"))
    shutil.chown(folder, MALLORY)

    done = town.ratectl("doctor", "--offline", "--json")

    found = {finding["check"]: finding["mend"] for finding in json.loads(done.stdout)}
    assert done.returncode == 78
    assert found["output-untrusted"] == f"chown root {folder}"


def test_a_key_behind_a_link_of_others(town, live_rates):
    """A link that another account laid in a key's place has no file of root's sent to a provider."""
    key = town.theirs / "rates.key"
    town.secret.write_text("rootsecret\n")
    town.mallory("ln -s $SECRET rates.key")
    source = dataclasses.replace(
        provider("exchangerate-api-v4", live_rates.url),
        name="v6",
        kind="exchangerate-api-v6",
        base_url=f"{live_rates.url}/v6",
        api_key=f"file:{key}",
    )
    town.station.install(town.station.job(live_rates.url, providers=(source,)))

    done = town.station.fetch()

    assert done.returncode == 77, done.stderr
    assert live_rates.requests == []
    assert MALLORY in done.stderr


def test_a_pipe_where_an_output_is_looked_at(town):
    """A pipe that another account laid in the place of an output keeps no command of root's waiting."""
    spec = town.folder / "jobs.toml"
    spec.write_text(SPEC.replace("text:", "csv:").format(output=town.theirs / "rates.csv"))
    town.mallory("mkfifo rates.csv")

    done = town.ratectl("check", str(spec), within=30)

    assert done.returncode == 0, done.stderr
    assert "rates.csv" in done.stdout
    assert "install refuses it here" in done.stdout


def test_certificates_that_others_may_change(town, live_rates):
    """Roots that another account could put in the place of ours are not trusted, at each firing anew."""
    bundle = town.folder / "roots" / "roots.pem"
    bundle.parent.mkdir()
    bundle.write_text("")
    town.station.install(town.station.job(live_rates.url, ca_bundle=str(bundle)))
    shutil.chown(bundle.parent, MALLORY)

    done = town.station.fetch()

    assert done.returncode == 77, done.stderr
    assert live_rates.requests == []
    assert MALLORY in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_rendered_files(town):
    """What root renders into a folder of another account goes through no link of it."""
    spec = town.folder / "jobs.toml"
    spec.write_text(SPEC.format(output=town.station.folder / "output.txt"))
    town.mallory("ln -s $TOWN out; mkdir in; ln -s $SECRET in/ratectl-usd-inr.service")

    elsewhere = town.ratectl(
        "render", str(spec), "--backend", "systemd", "--out", str(town.theirs / "out")
    )
    inside = town.ratectl(
        "render", str(spec), "--backend", "systemd", "--out", str(town.theirs / "in")
    )

    assert elsewhere.returncode == 77, elsewhere.stderr
    assert inside.returncode == 0, inside.stderr
    assert town.secret.read_text() == "root only\n"
    assert not list(town.folder.glob("*.service"))


def test_programs_come_from_the_systems_folders(town, monkeypatch):
    """A folder of another account that stands first on the PATH gives root no program."""
    town.mallory(
        "printf '#!/bin/sh\\n' > sh; printf '#!/bin/sh\\n' > only-theirs; chmod 755 sh only-theirs"
    )
    monkeypatch.setenv("PATH", f"{town.theirs}{os.pathsep}{os.environ['PATH']}")
    reader = execute.SystemReader()

    assert not str(reader.which("sh")).startswith(str(town.theirs))
    assert reader.which("only-theirs") is None


WRITERS = {
    "metrics": ("status", "--prometheus"),
    "page": ("report",),
}


@pytest.mark.parametrize("words", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize(
    "attack", ["ln -s $SECRET .page.new", "mkfifo .page.new", "ln -s $SECRET page"]
)
def test_file_that_root_writes_for_others(town, live_rates, words, attack):
    """What lies beside the file, or is laid in its place, is neither followed nor waited for."""
    town.install(live_rates.url, str(town.station.folder / "output.txt"))
    town.mallory(attack)

    done = town.ratectl(*words, str(town.theirs / "page"), within=30)

    assert town.secret.read_text() == "root only\n"
    assert town.secret.stat().st_mode & 0o777 == 0o600
    assert done.returncode in {0, 77}, done.stderr
    assert not [
        name
        for name in (path.name for path in town.theirs.iterdir())
        if name.endswith(".new") and ".page.new" not in name
    ]


@pytest.mark.parametrize("words", WRITERS.values(), ids=WRITERS)
def test_folder_that_leads_root_elsewhere(town, live_rates, words):
    """A folder that another account replaced by a link takes no file of root's."""
    town.install(live_rates.url, str(town.station.folder / "output.txt"))
    town.mallory("ln -s $TOWN sub")

    done = town.ratectl(*words, str(town.theirs / "sub" / "secret"))

    assert town.secret.read_text() == "root only\n"
    assert done.returncode == 77


SWAPPING = """
mkdir -p real
while :; do
    ln -sfn $TOWN sub; rm -f sub; ln -sfn real sub; rm -f sub; mkdir sub; ln -sfn $SECRET sub/secret
    rm -f sub/secret; echo > sub/secret; rm -rf sub
done
"""


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [40])
def test_links_that_change_all_the_time(town, live_rates, rounds):
    """However fast links are laid and taken away, no firing writes a byte elsewhere."""
    town.install(live_rates.url, str(town.theirs / "sub" / "secret"))
    swapper = town.mallory(SWAPPING, wait=False)
    try:
        done = [town.station.fetch("--force") for _ in range(rounds)]
    finally:
        swapper.kill()
        swapper.wait()

    codes, said = {each.returncode for each in done}, {each.stderr for each in done}
    assert town.secret.read_text() == "root only\n"
    assert codes == {77}, "\n".join(said)


def as_account(work, uid):
    """Return what *work* gives in a process of the account *uid*, as text."""
    into, out = os.pipe()
    child = os.fork()
    if not child:
        os.close(into)
        try:
            os.setgroups(())
            os.setgid(uid)
            os.setuid(uid)
            said = str(work())
        except BaseException as error:  # noqa: BLE001 - the parent shall see it
            said = f"{type(error).__name__}: {error}"
        os.write(out, said.encode())
        os._exit(0)
    os.close(out)
    with os.fdopen(into) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def test_an_ordinary_account_in_a_folder_of_others(town):
    """An account may record into a folder of another one; where that lays a link or a second name, it does not."""
    import pwd  # noqa: PLC0415 - POSIX only

    from ratectl.outputs import append  # noqa: PLC0415 - loaded before the account changes

    victim = pwd.getpwnam("daemon").pw_uid
    town.mallory("mkdir open; chmod 777 open")
    own = town.folder / "daemon"
    own.mkdir()
    os.chown(own, victim, victim)
    (own / "profile").write_text("mine\n")
    os.chown(own / "profile", victim, victim)

    def record():
        with append.created(str(town.theirs / "open" / "output.txt")) as file:
            file.append(b"line\n")

    assert as_account(record, victim) == "None"
    assert (town.theirs / "open" / "output.txt").read_text() == "line\n"
    for attack in ("ln -s $TOWN/daemon/profile", "ln $TOWN/daemon/profile"):
        town.mallory("rm -f open/output.txt")
        _lay(town, attack)
        assert as_account(record, victim).startswith("RefusedError: "), attack
        assert (own / "profile").read_text() == "mine\n"


def _lay(town, attack):
    """Lay it as mallory does where the kernel lets a stranger; a hard link only where it does not protect them."""
    if attack.startswith("ln -s"):
        town.mallory(f"{attack} open/output.txt")
    else:
        os.link(town.folder / "daemon" / "profile", town.theirs / "open" / "output.txt")


SWAPPED = """
mkdir real
while :; do
    ln -sfn $TOWN/daemon sub; rm -f sub; ln -sfn real sub; rm -f sub; mkdir sub
    ln -s $TOWN/daemon/profile sub/profile; rm sub/profile; echo > sub/profile; rm -rf sub
done
"""


def test_a_thousand_races_of_an_ordinary_account(town):
    """While another account swaps links, folders and files in its own folder, nothing of ours is written to, in 1,000 rounds."""
    import pwd  # noqa: PLC0415 - POSIX only

    from ratectl.outputs import append  # noqa: PLC0415 - loaded before the account changes

    victim = pwd.getpwnam("daemon").pw_uid
    own = town.folder / "daemon"
    own.mkdir()
    (own / "profile").write_text("mine\n")
    for path in (own, own / "profile"):
        os.chown(path, victim, victim)

    def record():
        outcomes = set()
        for _ in range(1000):
            try:
                with append.created(str(town.theirs / "sub" / "profile")) as file:
                    file.append(b"line\n")
            except RatectlError as error:
                outcomes.add(type(error).__name__)
        return outcomes

    swapper = town.mallory(SWAPPED, wait=False)
    try:
        said = as_account(record, victim)
    finally:
        swapper.kill()
        swapper.wait()

    assert (own / "profile").read_text() == "mine\n"
    assert "RefusedError" in said
    assert "Error:" not in said
