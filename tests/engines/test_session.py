"""The session that the manual's tour shows is what the commands really say."""

import pytest

from scripts.docs import session
from tests.engines.conftest import need

pytestmark = pytest.mark.engine
TRIES = 3


def test_session():
    """Recorded anew in a sandbox, at the same held time, it is the same.

    The clock goes on while a command starts, so a machine that is busy may need another try to be within the second.
    """
    need("clocks")
    text = session.TOUR.read_text(encoding="utf-8")

    for _ in range(TRIES):
        again = session.replaced(text, session.recorded())
        if again == text:
            break
    assert again == text
