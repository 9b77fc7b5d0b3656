"""One change of the engine at a time, and the memory of one that was cut short."""

from __future__ import annotations

import threading

import pytest

from ratectl.deploy.install_lock import install_lock, was_interrupted
from ratectl.errors import RatectlError, StorageError


def test_an_undertaking_remembers_that_it_was_cut_short(tmp_path):
    """What began and did not end is known to the next one."""
    with install_lock(tmp_path) as first:
        assert not first.interrupted
        first.begin()
    with install_lock(tmp_path) as second:
        assert second.interrupted
        second.begin()
        second.finish()
    with install_lock(tmp_path) as third:
        assert not third.interrupted


def test_looking_whether_one_was_cut_short(tmp_path):
    """Anyone may ask at once: nothing that never was, is at work now, or came to its end was cut short."""
    assert not was_interrupted(tmp_path)
    with install_lock(tmp_path) as first:
        first.begin()
        assert not was_interrupted(tmp_path)
    assert was_interrupted(tmp_path)
    with install_lock(tmp_path) as second:
        second.finish()
    assert not was_interrupted(tmp_path)


@pytest.mark.posix("the limit is set by setrlimit")
def test_no_room_to_remember(tmp_path):
    """Where not even a note can be written, nothing is begun."""
    import resource  # noqa: PLC0415 - POSIX only

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with install_lock(tmp_path) as lock:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
        try:
            with pytest.raises(StorageError, match="nothing was changed"):
                lock.begin()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_one_change_at_a_time(tmp_path):
    """A second install waits until the first has ended."""
    order = []

    def second():
        with install_lock(tmp_path):
            order.append("second")

    with install_lock(tmp_path):
        other = threading.Thread(target=second)
        other.start()
        other.join(0.2)
        order.append("first")
    other.join()

    assert order == ["first", "second"]


def test_a_state_directory_that_cannot_be(tmp_path):
    """A state directory that cannot be made is our error."""
    (tmp_path / "file").touch()

    with (
        pytest.raises(RatectlError, match=r"install\.lock"),
        install_lock(tmp_path / "file" / "x"),
    ):
        pass


@pytest.mark.posix("modes")
def test_a_closed_lock(tmp_path, monkeypatch):
    """Where this account may not write, the way out is named: the command that lets it, or another state directory."""

    def closed(*_arguments, **_more):
        raise PermissionError(13, "Permission denied")

    lock = tmp_path / "install.lock"
    lock.touch()
    monkeypatch.setattr("ratectl.deploy.install_lock.os.access", lambda *_: False)
    monkeypatch.setattr("ratectl.deploy.install_lock.trust.require_private", closed)

    with pytest.raises(RatectlError) as error, install_lock(tmp_path):
        pass
    assert f"; `chmod u+rw {lock}`, or name another state directory in RATECTL_STATE_DIR" in str(
        error.value
    )
