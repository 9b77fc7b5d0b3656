"""The fenced block in a crontab: everything outside it survives whatever it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratectl.backends.cron import crontab
from ratectl.errors import EngineError

LINES = (b"30 10 * * * /opt/fetch usd-inr", b"0 9 * * * /opt/fetch eur-inr")
FOREIGN = [
    b"",
    b"\n",
    b"MAILTO=ada\nSHELL=/bin/fish\n0 1 * * * backup\n",
    b"# a comment\n\n\n#0 1 * * * off\n",
    b"0 1 * * * date +\\%s >> /tmp/x%in%put\n",
    "0 1 * * * echo grüße → 你好\n".encode(),
    b"0 1 * * * echo \xff\xfe latin-1 \xe9\n",
    b"0 1 * * * echo " + b"x" * 5000 + b"\n",
    b"# ratectl is mentioned >>> here <<<\n",
    b"0 1 * * * no final newline",
    b"  \t leading blanks\n",
]


@pytest.mark.parametrize("foreign", FOREIGN, ids=range(len(FOREIGN)))
def test_there_and_back(foreign):
    """A block put in and taken out leaves every byte of the others as it was."""
    tab = crontab.put(crontab.split(foreign, "tab"), LINES)
    again = crontab.split(crontab.join(tab), "tab")

    assert again.lines == LINES
    assert again.foreign == foreign
    assert crontab.join(crontab.put(again, ())) == foreign


@given(st.binary().filter(lambda data: b"ratectl" not in data))
def test_any_bytes(foreign):
    """Any bytes at all come back."""
    text = crontab.join(crontab.put(crontab.split(foreign, "tab"), LINES))

    assert crontab.join(crontab.put(crontab.split(text, "tab"), ())) == foreign


def test_no_tab_before():
    """Where there was no crontab there is none afterwards."""
    text = crontab.join(crontab.put(crontab.split(None, "tab"), LINES))

    assert text is not None
    assert crontab.join(crontab.put(crontab.split(text, "tab"), ())) is None


def test_somebody_added_to_our_tab():
    """What a person added to a crontab that we made stays."""
    text = crontab.join(crontab.put(crontab.split(None, "tab"), LINES)) + b"0 1 * * * mine\n"

    assert crontab.join(crontab.put(crontab.split(text, "tab"), ())) == b"0 1 * * * mine\n"


def test_the_block_goes_to_the_top():
    """A new block stands above other people's environment lines, which act on what is below them."""
    text = crontab.join(crontab.put(crontab.split(b"SHELL=/bin/fish\n", "tab"), LINES))

    assert text.startswith(crontab.OPENING)


def test_a_moved_block_stays_where_it_is():
    """A block that a person moved below harmless lines is written in the same place."""
    block = crontab.block(LINES, ours=False)
    tab = crontab.split(b"MAILTO=ada\n" + block + b"# end\n", "tab")

    text = crontab.join(crontab.put(tab, LINES[:1]))

    assert text == b"MAILTO=ada\n" + crontab.block(LINES[:1], ours=False) + b"# end\n"


@pytest.mark.parametrize(
    "name", ["SHELL", "HOME", "CRON_TZ", "RATECTL_STATE_DIR", "XDG_STATE_HOME"]
)
def test_a_bending_line_above_the_block(name):
    """A setting above the block that changes what our jobs do is told, and the block moves above it."""
    tab = crontab.split(f"{name} = x\n".encode() + crontab.block(LINES, ours=False), "tab")

    assert crontab.bending_lines(tab) == (name,)
    assert crontab.join(crontab.put(tab, LINES)).endswith(f"{name} = x\n".encode())


BLOCK = crontab.block(LINES, ours=False)
BEGIN, *_, END, _ = BLOCK.split(b"\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BEGIN + b"\n0 1 * * * x\n", "opening lines 1, closing lines none"),
        (b"0 1 * * * x\n" + END + b"\n", "opening lines none, closing lines 2"),
        (BLOCK + BLOCK, "opening lines 1, 5, closing lines 4, 8"),
        (END + b"\n" + BEGIN + b"\n", "opening lines 2, closing lines 1"),
        (BLOCK.replace(b"30 10", b"31 10"), "lines 1 to 4 was changed by hand"),
        (b"# x\n" + BLOCK.replace(b"old tab", b"new tab"), "lines 2 to 5 was changed by hand"),
        (BLOCK.replace(LINES[0] + b"\n", b""), "changed by hand"),
        (BLOCK.replace(END, END + b" "), "changed by hand"),
        (BLOCK.replace(b"made by", b"written by"), "changed by hand"),
    ],
)
def test_a_block_we_must_not_touch(text, told):
    """A half-open, doubled or edited block stops us, with its lines and the next step."""
    with pytest.raises(EngineError, match=told) as stopped:
        crontab.split(text, "tester's crontab")

    assert "tester's crontab" in str(stopped.value)
    assert "crontab -e" in str(stopped.value)


def test_ten_thousand_lines_are_no_work():
    """Reading a tab takes one pass: a hundred thousand lines of others do not matter."""
    foreign = b"# filler\n" * 100_000
    tab = crontab.split(crontab.join(crontab.put(crontab.split(foreign, "tab"), LINES)), "tab")

    assert tab.foreign == foreign
