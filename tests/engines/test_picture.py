"""The script that photographs the report page for README.md and for those who work on it."""

import pytest

from scripts import documents

pytestmark = pytest.mark.engine


def test_pictures_of_a_state(tmp_path):
    """Each width and scheme is photographed, with a chart open and without, and the page as it is printed."""
    from scripts.docs.picture import SCHEMES, WIDTHS  # noqa: PLC0415 - Windows' Python has no playwright

    assert documents.main(["picture", str(tmp_path), "one"]) == 0

    screens = {f"{width}-{scheme}" for width in WIDTHS for scheme in SCHEMES}
    expected = {f"{screen}{form}.png" for screen in screens for form in ("", "-open")}
    assert {file.name for file in (tmp_path / "one").iterdir()} == expected | {"paper.pdf"}
