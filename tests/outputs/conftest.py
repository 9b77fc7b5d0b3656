"""The journal that the outputs are delivered from."""

import pytest

from ratectl.journal.sqlite_database import SqliteDatabase


@pytest.fixture
def database(state):
    database = SqliteDatabase(state)
    yield database
    database.close()
