"""Which zone this machine is in: that of the bytes in /etc/localtime, by which daemons go."""

import zoneinfo
from pathlib import Path

import pytest

from ratectl.deploy import host_facts
from ratectl.errors import ConfigError
from ratectl.runtime import zones

pytestmark = pytest.mark.posix("the zone of Windows stands in its registry")


def data(name):
    """The data of a zone, as this machine has them."""
    found = zones.data(name)
    assert found is not None
    return found


@pytest.fixture
def clock(tmp_path, monkeypatch):
    """The two files that tell the zone, in a folder of the test."""
    monkeypatch.setattr(host_facts, "LOCALTIME", tmp_path / "localtime")
    monkeypatch.setattr(host_facts, "ZONE_NAME", tmp_path / "timezone")
    monkeypatch.setenv("TZ", "Pacific/Chatham")
    return tmp_path


def test_a_file_beside_another_name(clock):
    """A regular file counts, whatever name stands beside it and whatever TZ says."""
    (clock / "localtime").write_bytes(data("Asia/Kolkata"))
    (clock / "timezone").write_text("Europe/Berlin\n", encoding="utf-8")

    assert data(host_facts.zone().key) == data("Asia/Kolkata")


def test_the_name_chooses_among_names_of_one_zone(clock):
    """Of several names with the same data, the one that is written is taken."""
    (clock / "localtime").write_bytes(data("Asia/Calcutta"))
    (clock / "timezone").write_text("Asia/Calcutta\n", encoding="utf-8")

    assert host_facts.zone().key == "Asia/Calcutta"


@pytest.mark.parametrize(
    "name", ["Asia/Kolkata", "Europe/London", "Europe/Berlin", "America/New_York", "UTC"]
)
def test_a_file_alone_has_the_present_name(clock, name):
    """Where nothing tells the name, a zone is called as it is called today, and not by an older or a smaller place."""
    if zones.data("zone1970.tab") is None:
        pytest.skip("no table here tells Europe/Berlin from Arctic/Longyearbyen")
    (clock / "localtime").write_bytes(data(name))

    assert host_facts.zone().key == name


def test_no_file_is_utc(clock):
    """Without the file the C library takes UTC, and so do we; it is said that there is none."""
    (clock / "timezone").write_text("Europe/Berlin\n", encoding="utf-8")

    assert host_facts.zone().key == "UTC"
    assert host_facts.zone_source() == f"since there is no {clock / 'localtime'}"


def test_a_link_to_nothing_is_utc(clock):
    """A link to a file that is not there is UTC too, and told as such."""
    (clock / "localtime").symlink_to(clock / "gone")

    assert host_facts.zone().key == "UTC"
    assert host_facts.zone_source().endswith("localtime is a link to a file that is not there")


def test_a_link_into_the_zones(clock):
    """The usual link tells the name."""
    folder = next(Path(path) for path in zoneinfo.TZPATH if Path(path, "Asia/Kolkata").exists())
    (clock / "localtime").symlink_to(folder / "Asia/Kolkata")

    assert host_facts.zone().key == "Asia/Kolkata"


def test_data_of_no_zone(clock):
    """Data that no zone has are refused, and the key that helps is named."""
    (clock / "localtime").write_bytes(data("Asia/Kolkata") + b"x")

    with pytest.raises(ConfigError, match="timezone = "):
        host_facts.zone()


@pytest.mark.parametrize(
    "name",
    [
        "right/Europe/Berlin",
        "posixrules",
        "Factory",
        "localtime",
        "posix/UTC",
        "",
        "../UTC",
        "Nowhere",
    ],
)
def test_names_that_are_no_zones(name):
    """Files in the zone folders that are no zones are no names for a spec."""
    with pytest.raises(ValueError, match="no such IANA zone"):
        zones.named(name)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("right/Europe/Berlin", "Europe/Berlin"),
        ("Europe/Berlim", "Europe/Berlin"),
        ("asia/kolkata", "Asia/Kolkata"),
        ("Kolkata", "Asia/Kolkata"),
        ("new york", "America/New_York"),
    ],
)
def test_what_was_meant(typed, meant):
    """The nearest zone is suggested, by its city, too."""
    assert f'"{meant}"' in zones.meant(typed)


def without(monkeypatch, gone):
    """Take the data of the zone *gone* away, as a system does that keeps old names in a package of their own."""
    whole = zones.data
    monkeypatch.setattr(zones, "data", lambda name: None if name == gone else whole(name))

    class Fewer(zoneinfo.ZoneInfo):
        def __new__(cls, key):
            """Refuse the zone that is gone."""
            if key == gone:
                raise zoneinfo.ZoneInfoNotFoundError(key)
            return zoneinfo.ZoneInfo(key)

    monkeypatch.setattr(zones, "ZoneInfo", Fewer)


@pytest.mark.parametrize(
    ("gone", "typed", "offered"),
    [
        ("US/Pacific", "US/Pacific", ' (did you mean "America/Los_Angeles"?)'),
        ("Asia/Tokyo", "Asia/Tokyo", ""),
        ("Asia/Tokyo", "asia/tokyo", ""),
    ],
)
def test_a_refused_zone_is_not_offered(monkeypatch, gone, typed, offered):
    """A zone without data is answered with what it is called today, never with the word that was refused."""
    without(monkeypatch, gone)

    with pytest.raises(ValueError, match="no such IANA zone") as refused:
        zones.named(typed)

    assert str(refused.value) == f"no such IANA zone{offered}"
