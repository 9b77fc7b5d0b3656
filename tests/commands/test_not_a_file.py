"""What stands where a file is to be written and is none: a device, a pipe, a socket, a link. It is named, and stays what it is."""

import os
import socket
import stat

import pytest

from ratectl.deploy import execute
from ratectl.errors import RefusedError
from ratectl.page import publish
from ratectl.runtime.drafts import Drafts
from tests.fakes.station import now

pytestmark = [pytest.mark.posix("devices, pipes and links"), pytest.mark.network]
WRITERS = [("report",), ("status", "--prometheus")]
KINDS = {
    "a pipe": stat.S_ISFIFO,
    "a device": stat.S_ISCHR,
    "a socket": stat.S_ISSOCK,
    "a link to a pipe": stat.S_ISLNK,
    "a link to a device": stat.S_ISLNK,
    "a link to ": stat.S_ISLNK,
}


def lay(path, kind):
    """Make what *kind* says at *path*; a device of the numbers of /dev/null, where this account may make one."""
    beside = path.with_name("beside")
    if kind == "a device":
        try:
            os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        except (PermissionError, AttributeError):
            pytest.skip("only root may make a device")
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a socket":
        place = os.open(path.parent, os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as server:
            os.chdir(place)  # the path of a socket has little room
            server.bind(path.name)
        os.close(place)
    elif kind == "a link to a pipe":
        os.mkfifo(beside)
        path.symlink_to(beside)
    elif kind == "a link to a device":
        path.symlink_to("/dev/null")
    else:
        beside.touch()
        path.symlink_to(beside)


@pytest.fixture(params=KINDS)
def laid(request, tmp_path, monkeypatch):
    """Something that is no file, as ``(what it is called, path)``; it must be there unchanged at the end."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "page.html"
    lay(path, request.param)
    before = path.lstat()
    yield request.param, path
    after = path.lstat()
    assert KINDS[request.param](after.st_mode)
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


@pytest.mark.parametrize("words", WRITERS, ids=" ".join)
def test_named_by_a_person(ratectl, station, laid, words):
    """A page or metrics never take its place: exit 77, what it is, and another name as the way out."""
    kind, path = laid

    answer = ratectl(*words, str(path))

    assert (answer.code, answer.out) == (77, "")
    assert answer.err.startswith(f"ratectl: {path}: is {kind}")
    assert "so it is left as it is; name " in answer.err
    assert not station.state.exists()


def test_a_link_names_where_it_leads(ratectl, station, tmp_path):
    """The file that a link leads to can be named itself, and is then written."""
    (tmp_path / "x.html").symlink_to(tmp_path / "real.html")

    answer = ratectl("report", str(tmp_path / "x.html"))

    assert f"is a link to {tmp_path / 'real.html'} and would become a file" in answer.err
    assert "name that file itself" in answer.err
    assert ratectl("report", str(tmp_path / "real.html")).code == 0
    assert not station.state.exists()


@pytest.mark.parametrize("laid", [kind for kind in KINDS if kind != "a link to "], indirect=True)
def test_rendered_texts(ratectl, spec, laid):
    """`render` leaves it in its folder, and writes nothing beside it either."""
    kind, path = laid
    path.rename(path.with_name("crontab"))

    answer = ratectl("render", "--backend", "cron", "--out", str(path.parent), str(spec))

    path.with_name("crontab").rename(path)
    assert (answer.code, answer.out) == (77, "")
    assert f"crontab: is {kind}" in answer.err


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="only Linux has it")  # noqa: PTH110
@pytest.mark.parametrize("words", WRITERS, ids=" ".join)
def test_a_stream(ratectl, station, tmp_path, words):
    """What leads to an open pipe as /dev/stdout does is one, though no path of it can be looked at."""
    path, (into, out) = tmp_path / "stdout", os.pipe()
    path.symlink_to(f"/proc/self/fd/{out}")

    answer = ratectl(*words, str(path))

    os.close(into)
    os.close(out)
    assert answer.code == 77
    assert f"{path}: is a link to a pipe, /proc/" in answer.err
    assert (path.is_symlink(), station.state.exists()) == (True, False)


def test_a_link_of_somebody_else(ratectl, station, tmp_path):
    """Where a link that another account laid leads is no place to write to, and is not proposed."""
    path = tmp_path / "x.html"
    path.symlink_to(tmp_path / "real.html")
    if os.geteuid() != 0:
        pytest.skip("only root can give a link to another account")
    os.lchown(path, 4321, 4321)

    answer = ratectl("report", str(path))

    assert answer.code == 77
    assert answer.err.endswith("so it is left as it is; name another file\n")
    assert not station.state.exists()


def test_page_of_a_spec(ratectl, spec, laid):
    """A spec whose report page it would be has an issue that says what it is."""
    kind, path = laid
    spec.write_text(f'[ratectl]\nreport = "{path}"\n{spec.read_text()}')

    answer = ratectl("check", str(spec))

    assert answer.code == 78
    assert f"line 2: ratectl.report: {path}: is {kind}" in answer.err


def test_page_of_a_firing(station, laid):
    """A firing whose page it came to be after the install writes none, and says why."""
    kind, path = laid

    said = publish.publish(station.state, str(path), host_timezone="UTC", now=now())

    assert f"{path} was not written: is {kind}" in said


@pytest.mark.parametrize("kind", ["a pipe", "a device", "a socket"])
def test_by_no_writer(tmp_path, monkeypatch, kind):
    """Whoever replaces files, of a scheduler or of a spec, leaves it too: the one way to replace a file refuses."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "jobs.toml"
    lay(path, kind)

    with Drafts() as drafts, pytest.raises(RefusedError, match=f"is {kind} and no file"):
        drafts.write(path, b"x", 0o644, lambda _: None)
    with pytest.raises(RefusedError, match="move it away"):
        execute.perform([execute.WriteFile(path=path, data=b"x", mode=0o644)])
    with pytest.raises(RefusedError, match="move it away"):
        execute.perform([execute.Link(path=path, target=tmp_path)])

    assert KINDS[kind](path.lstat().st_mode)
    assert [name.name for name in tmp_path.iterdir()] == ["jobs.toml"]
