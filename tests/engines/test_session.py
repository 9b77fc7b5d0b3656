"""The session that the README begins with is what the commands really say."""

from pathlib import Path

import pytest

from scripts.docs import session
from tests.engines.conftest import need

pytestmark = pytest.mark.engine
README = Path(__file__).resolve().parents[2] / "README.md"
TRIES = 3


def test_session():
    """Recorded anew in a sandbox, at the same held time, it is the same.

    The clock goes on while a command starts, so a machine that is busy may need another try to be within the second.
    """
    need("clocks")
    text = README.read_text(encoding="utf-8")

    for _ in range(TRIES):
        again = session.replaced(text, session.recorded())
        if again == text:
            break
    assert again == text
