"""Rotation under us, window by window: after the next firing each line stands once, in the file or in a copy of it."""

from __future__ import annotations

import bz2
import gzip
import itertools
import lzma
import os
import shutil
import time

import pytest

from ratectl.outputs import outbox, rotation
from ratectl.outputs.formats import FILES

TEXT, CSV = FILES["text"], FILES["csv"]
OLD = b"18/11/2026 - 94.90\n"
LINES = (b"20/11/2026 - 95.07\n", b"20/11/2026 - 95.12\n")
BATCH = b"".join(LINES)
NEXT = b"21/11/2026 - 95.20\n"
COMPRESS = {"": None, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
EXPAND = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}
compressed = pytest.mark.parametrize("suffix", COMPRESS)
torn = pytest.mark.parametrize("written", range(len(BATCH) + 1))
file_times = pytest.mark.real_clock(
    "a rotation is told by the times of files, which are the kernel's"
)


@pytest.fixture
def target(tmp_path):
    """An output with a line of an hour ago."""
    target = tmp_path / "logs" / "output.txt"
    target.parent.mkdir()
    target.write_bytes(OLD)
    age(target, hours=1)
    return target


def age(path, hours):
    moment = time.time_ns() - hours * 3600 * 1_000_000_000
    os.utime(path, ns=(moment, moment))


def commit(database, target, lines=LINES, sink=TEXT):
    """Do what a firing does up to its commit, and die there."""
    intent = outbox.plan_append(database, str(target), sink)
    with database.transaction(durable=True) as connection:
        outbox.enqueue(
            connection, str(target), intent, job="j", lines=[(1, line) for line in lines]
        )


def drain(database, target, sink=TEXT):
    outbox.drain(database, str(target), sink)


def fire(database, target, lines=LINES, sink=TEXT):
    commit(database, target, lines, sink)
    drain(database, target, sink)


def squeeze(path, suffix):
    """Replace *path* by its compressed form, which keeps its times as every compressor does."""
    if not suffix:
        return path
    packed = path.with_name(path.name + suffix)
    packed.write_bytes(COMPRESS[suffix](path.read_bytes()))
    shutil.copystat(path, packed)
    path.unlink()
    return packed


def renamed(target, *, create, suffix=""):
    """Rotate as logrotate does by default: the file moves away."""
    copy = target.rename(target.with_name("output.txt.1"))
    if create:
        target.touch()
    return squeeze(copy, suffix)


def copied(target, *, suffix=""):
    """Rotate with copytruncate."""
    copy = target.with_name("output.txt.1")
    copy.write_bytes(target.read_bytes())
    os.truncate(target, 0)
    return squeeze(copy, suffix)


def rotations(suffix):
    return (
        lambda target: renamed(target, create=True, suffix=suffix),
        lambda target: renamed(target, create=False, suffix=suffix),
        lambda target: copied(target, suffix=suffix),
    )


ROTATIONS = dict(
    zip(
        (f"{how}{suffix}" for suffix in COMPRESS for how in ("create", "nocreate", "copytruncate")),
        itertools.chain.from_iterable(rotations(suffix) for suffix in COMPRESS),
        strict=True,
    )
)
every_rotation = pytest.mark.parametrize("rotate", ROTATIONS.values(), ids=ROTATIONS)


def content(path):
    expand = EXPAND.get(path.suffix, bytes)
    return expand(path.read_bytes())


def everything(target):
    """Return the lines of the file and all its copies, the oldest first."""
    files = sorted(target.parent.iterdir(), reverse=True)
    return [line for path in files for line in content(path).splitlines(keepends=True)]


# Killed between append and confirm, rotated before the next firing


@file_times
@every_rotation
def test_rotated_before_the_confirmation(database, target, rotate):
    """A batch that a rotated copy shows is delivered; the next line goes to the new file."""
    commit(database, target)
    with target.open("ab") as file:
        file.write(BATCH)
    rotate(target)

    drain(database, target)
    fire(database, target, (NEXT,))

    assert everything(target) == [OLD, *LINES, NEXT]
    assert target.read_bytes() == NEXT


@file_times
@every_rotation
@torn
def test_rotated_while_torn(database, target, rotate, written):
    """A torn line is finished in a plain copy; in a compressed one it stays torn and is written whole elsewhere."""
    commit(database, target)
    with target.open("ab") as file:
        file.write(BATCH[:written])
    copy = rotate(target)

    drain(database, target)

    whole = [line for line in everything(target) if line in {OLD, *LINES}]
    assert whole == [OLD, *LINES]
    if copy.suffix not in EXPAND:
        assert everything(target) == whole
    assert content(copy).startswith(OLD + BATCH[:written])
    assert not outbox.waiting(database, str(target))


@every_rotation
@pytest.mark.parametrize("written", [0, 5, len(CSV.HEADER), len(CSV.HEADER) + 3, None])
def test_first_lines_of_a_file(database, target, rotate, written):
    """A file that we made is known again although nothing stood in it before, header included."""
    target.unlink()
    commit(database, target, sink=CSV)
    with target.open("ab") as file:
        file.write((CSV.HEADER + BATCH)[:written])
    copy = rotate(target)

    drain(database, target, CSV)

    lines = everything(target)
    assert [line for line in lines if line in LINES] == list(LINES)
    if copy.suffix not in EXPAND:
        assert set(lines) <= {CSV.HEADER, *LINES}
        assert all(content(path).startswith((CSV.HEADER, b"")) for path in target.parent.iterdir())


def test_older_copies_of_the_same_text_prove_nothing(database, target):
    """Where every line is alike, an older copy that shows the batch at the same place is not taken for this one."""
    for number in (1, 2, 3):
        copy = target.with_name(f"output.txt.{number}")
        copy.write_bytes(OLD + BATCH)
        age(copy, hours=number + 1)
    commit(database, target)
    os.truncate(target, 0)  # by a person: there is no copy of it

    drain(database, target)

    assert target.read_bytes() == BATCH


def test_torn_by_a_full_disk_and_written_to_by_others(database, target):
    """Lines that went in whole before a torn one are not written again when others appended after it."""
    commit(database, target)
    with target.open("ab") as file:
        file.write(BATCH[:25] + b"\ntheirs\n")

    drain(database, target)

    assert target.read_bytes() == OLD + BATCH[:25] + b"\ntheirs\n" + LINES[1]


def test_edited_before_the_confirmation(database, target):
    """An editor that saved the file under another inode has not made the batch unwritten."""
    commit(database, target)
    saved = target.with_name("saved")
    saved.write_bytes(OLD + BATCH + b"a note\n")
    saved.replace(target)

    drain(database, target)

    assert target.read_bytes() == OLD + BATCH + b"a note\n"


@pytest.mark.posix("symbolic links need a privilege")
def test_rotated_through_a_link(database, target, tmp_path):
    """Copies are looked for beside the file itself, not beside a link to it."""
    link = tmp_path / "link.txt"
    link.symlink_to(target)
    commit(database, link)
    with target.open("ab") as file:
        file.write(BATCH[:30])
    renamed(target, create=True)

    drain(database, link)

    assert everything(target) == [OLD, *LINES]


@pytest.mark.posix("symbolic links need a privilege")
def test_links_among_the_copies_are_not_followed(database, target, tmp_path):
    """A link beside the output is not a copy, wherever it leads."""
    elsewhere = tmp_path / "elsewhere"
    commit(database, target)
    elsewhere.write_bytes(OLD + BATCH[:25])
    target.with_name("output.txt.1").symlink_to(elsewhere)
    target.unlink()

    drain(database, target)

    assert elsewhere.read_bytes() == OLD + BATCH[:25]
    assert target.read_bytes() == BATCH


def test_copy_that_may_not_be_written(database, target):
    """A torn line in a copy that turned into something else is written whole into the current file."""
    commit(database, target)
    trace = rotation.Trace(start=len(OLD), inode="", changed=0, before=OLD, data=BATCH)
    copy = target.with_name("output.txt.1")
    copy.write_bytes(OLD + BATCH[:25])
    found = rotation.find(str(target), trace)
    copy.write_bytes(OLD + BATCH[:25] + b"others\n")

    assert not rotation.finish(found, trace, len(BATCH))
    assert copy.read_bytes() == OLD + BATCH[:25] + b"others\n"


# Confirmed, and dropped by the rotation


def dropped(target, shown, suffix=""):
    """Rotate with copytruncate, whose copy had *shown* bytes of our append when it was made."""
    copy = target.with_name("output.txt.1")
    copy.write_bytes(target.read_bytes()[: len(OLD) + shown])
    os.truncate(target, 0)
    return squeeze(copy, suffix)


@file_times
@compressed
@torn
def test_appended_between_copy_and_truncation(database, target, suffix, written):
    """What the copy lacks of a confirmed append is written again; its torn line is finished where it is plain."""
    fire(database, target)
    copy = dropped(target, written, suffix)

    fire(database, target, (NEXT,))

    whole = [line for line in everything(target) if line in {OLD, *LINES, NEXT}]
    assert whole == [OLD, *LINES, NEXT]
    if copy.suffix not in EXPAND:
        assert everything(target) == whole


@file_times
@pytest.mark.parametrize("suffix", EXPAND)
@pytest.mark.parametrize("create", [True, False])
def test_appended_after_the_compressor_read(database, target, suffix, create):
    """A renamed file that was compressed before our append reached it has lost it: it is written again."""
    fire(database, target)
    moved = target.rename(target.with_name("output.txt.1"))
    moved.write_bytes(OLD)
    squeeze(moved, suffix)
    if create:
        target.touch()

    fire(database, target, (NEXT,))

    assert everything(target) == [OLD, *LINES, NEXT]


@file_times
def test_several_appends_in_the_window(database, target):
    """A catch-up appends many times within one window; all of them come back, in order."""
    fire(database, target, (LINES[0],))
    copy = target.with_name("output.txt.1")
    for line in (LINES[1], NEXT, b"22/11/2026 - 95.30\n"):
        fire(database, target, (line,))
        if not copy.exists():
            copy.write_bytes(target.read_bytes())
    os.truncate(target, 0)

    fire(database, target, (b"23/11/2026 - 95.40\n",))

    assert everything(target) == [
        *(OLD, *LINES, NEXT),
        *(b"22/11/2026 - 95.30\n", b"23/11/2026 - 95.40\n"),
    ]


@file_times
def test_header_that_was_dropped(database, target):
    """The header comes back once, as the first line of the new file."""
    target.write_bytes(b"")
    age(target, hours=1)
    fire(database, target, sink=CSV)
    target.with_name("output.txt.1").touch()  # an empty file was copied
    os.truncate(target, 0)

    fire(database, target, (NEXT,), CSV)

    assert target.read_bytes() == CSV.HEADER + BATCH + NEXT


@every_rotation
def test_ordinary_rotation(database, target, rotate):
    """A rotation that dropped nothing brings nothing back."""
    fire(database, target)
    rotate(target)

    fire(database, target, (NEXT,))

    assert everything(target) == [OLD, *LINES, NEXT]
    assert target.read_bytes() == NEXT


def test_emptied_by_a_person(database, target):
    """A file that was emptied with no copy of it stays emptied of what it held."""
    fire(database, target)
    os.truncate(target, 0)

    fire(database, target, (NEXT,))

    assert target.read_bytes() == NEXT


def test_deleted_by_a_person(database, target):
    """A file that was deleted begins anew."""
    fire(database, target)
    target.unlink()

    fire(database, target, (NEXT,))

    assert target.read_bytes() == NEXT


def test_emptied_beside_a_lock_file(database, target):
    """An empty file with the output's name in front proves nothing, unless its name is a rotation's."""
    target.write_bytes(b"")
    age(target, hours=1)
    fire(database, target)
    target.with_name("output.txt.lock").touch()
    os.truncate(target, 0)

    fire(database, target, (NEXT,))

    assert target.read_bytes() == NEXT


def test_shortened_by_an_editor_that_keeps_a_backup(database, target):
    """A line that a person took out does not come back, and what is still there is not doubled."""
    target.with_name("output.txt~").write_bytes(OLD)
    fire(database, target)
    target.write_bytes(BATCH)

    fire(database, target, (NEXT,))

    assert target.read_bytes() == BATCH + NEXT


def test_emptied_and_an_older_copy_that_ends_before(database, target):
    """A copy from before the file last changed is no proof, though it ends where our append began."""
    copy = target.with_name("output.txt.1")
    copy.write_bytes(OLD)
    age(copy, hours=2)
    fire(database, target)
    os.truncate(target, 0)

    fire(database, target, (NEXT,))

    assert target.read_bytes() == NEXT


@pytest.mark.parametrize("suffix", EXPAND)
def test_damaged_copy(database, target, suffix):
    """A compressed copy that cannot be read proves nothing and stops nothing."""
    fire(database, target)
    target.with_name(f"output.txt.1{suffix}").write_bytes(COMPRESS[suffix](OLD)[:-3])
    target.with_name(f"output.txt.2{suffix}").write_bytes(b"not compressed")
    os.truncate(target, 0)

    fire(database, target, (NEXT,))

    assert target.read_bytes() == NEXT


def test_append_to_a_huge_file(database, target):
    """What is read of a file does not depend on its size: a sparse terabyte takes no longer than its end."""
    os.truncate(target, 1 << 40)
    fire(database, target)
    fire(database, target, (NEXT,))

    assert target.stat().st_size == (1 << 40) + len(b"\n" + BATCH + NEXT)
    with target.open("rb") as file:
        file.seek(1 << 40)
        assert file.read() == b"\n" + BATCH + NEXT
