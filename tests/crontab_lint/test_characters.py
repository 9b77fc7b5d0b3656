"""Characters that no editor shows apart from a blank: one finding names the character and how to be rid of it."""

import pytest

from ratectl import crontab_lint

MARK = b"\xef\xbb\xbf"


def found(tab, lint=crontab_lint.lint):
    """Return (line, severity, code) of each finding."""
    return [(each.line, each.flaw.severity, each.flaw.code) for each in lint(tab)]


@pytest.mark.parametrize("rest", [b"0 9 * * * true", b"# comment", b"A=b", b""])
def test_byte_order_mark(rest):
    """A byte order mark before anything is one finding, with the sed that removes it, and the line is read without it."""
    tab = MARK + rest + b"\n0 5 * * * true\n"

    assert found(tab) == [(1, "error", "byte-order-mark")]
    assert r"sed -i '1s/^\xef\xbb\xbf//' FILE" in crontab_lint.lint(tab)[0].flaw.instead


@pytest.mark.parametrize(
    ("line", "named", "cure"),
    [
        (b"0\xc2\xa09 * * * true", "no-break space (U+00A0)", r"s/\xc2\xa0/ /g"),
        (b"0\xa09 * * * true", "no-break space (U+00A0)", r"s/\xa0/ /g"),
        (b"0 9 * * *\xc2\xa0true", "no-break space (U+00A0)", r"s/\xc2\xa0/ /g"),
        (b"@daily\xc2\xa0true", "no-break space (U+00A0)", r"s/\xc2\xa0/ /g"),
        (b"\xc2\xa0# comment", "no-break space (U+00A0)", r"s/\xc2\xa0/ /g"),
        (b"A\xc2\xa0=b", "no-break space (U+00A0)", r"s/\xc2\xa0/ /g"),
        (b"0 9\xe3\x80\x80* * * true", "ideographic space (U+3000)", r"s/\xe3\x80\x80/ /g"),
        (b"0 9 * * * \xe2\x80\x8btrue", "zero width space (U+200B)", r"s/\xe2\x80\x8b//g"),
        (b"0 9 * * * " + MARK + b"true", "zero width no-break space", r"s/\xef\xbb\xbf//g"),
    ],
)
def test_hidden_character(line, named, cure):
    """Before the command such a character is an error with its name, and nothing else is said of the line."""
    (finding,) = crontab_lint.lint(b"# fine\n" + line + b"\n")

    assert (finding.line, finding.flaw.severity, finding.flaw.code) == (
        2,
        "error",
        "hidden-character",
    )
    assert named in finding.flaw.message
    assert cure in finding.flaw.instead


def test_what_else_is_wrong():
    """The line is read as it is meant to be, so that its other flaws are told, too."""
    tab = b"0\xc2\xa025 * * * true\n"

    assert [code for _, _, code in found(tab)] == ["hidden-character", "out-of-range"]


def test_in_a_system_tab():
    """Between account and command it is an error, too."""
    tab = b"0 9 * * * root\xc2\xa0true\n"

    assert found(tab, crontab_lint.lint_system) == [(1, "error", "hidden-character")]


@pytest.mark.parametrize(
    ("command", "findings"),
    [
        (b"true\xc2\xa0-x", [(1, "warning", "hidden-character")]),
        (b"true -x\xc2\xa0-y", [(1, "warning", "hidden-character")]),
        (b"echo '10\xc2\xa0%s' \"\xc2\xa0\"" % b"x", []),
        ("echo Würste à 3 ₹".encode(), []),
        ("echo क्\N{ZERO WIDTH JOINER}ष".encode(), []),
        ("echo Würste à 3".encode("latin-1"), []),
    ],
)
def test_within_a_command(command, findings):
    """In a command it is looked at outside quotes, and letters that hold the same byte are none."""
    assert found(b"0 9 * * * " + command + b"\n") == findings


@pytest.mark.parametrize(
    "line", ["A=10\N{NO-BREAK SPACE}x", "# 10\N{NO-BREAK SPACE}x", "#\N{SOFT HYPHEN}"]
)
def test_values_and_comments(line):
    """A value and a comment may hold any character."""
    assert found(f"{line}\n".encode()) == []


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16(encoding):
    """A file in UTF-16 is one finding, with the program that makes a crontab of it."""
    tab = "\ufeff0 9 * * * true\n".encode(encoding)

    assert found(tab) == found(tab, crontab_lint.lint_system) == [(1, "error", "utf-16")]
    assert "iconv -f UTF-16" in crontab_lint.lint(tab)[0].flaw.instead
