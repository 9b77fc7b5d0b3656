"""The journal that the outputs are delivered from."""

import pytest

from ratectl.journal.sqlite_database import Database


@pytest.fixture
def database(state):
    database = Database(state)
    yield database
    database.close()
