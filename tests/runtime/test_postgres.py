"""The door to PostgreSQL, against a real server: bounded, translated, and without a secret in any text."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest

from ratectl.errors import ConfigError, RefusedError, StorageError, TryLaterError
from ratectl.runtime import postgres as door

pytestmark = pytest.mark.engine


def run(url, statement, seconds=5):
    with door.translated(url), door.connect(url, seconds=seconds) as connection:
        return connection.execute(statement).fetchall()


def test_connect(postgres):
    """A connection says who it is, commits each statement by itself, and waits no longer than asked."""
    url = postgres.url(postgres.database())

    rows = run(
        url, "SELECT current_setting('application_name'), current_setting('statement_timeout')"
    )

    assert rows == [("ratectl", "5s")]


def test_the_url_wins(postgres):
    """What the URL says about the connection is not overridden."""
    url = f"{postgres.url(postgres.database())}&application_name=mine"

    assert run(url, "SELECT current_setting('application_name')") == [("mine",)]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("SELECT pg_sleep(30)", TryLaterError),
        ("SELECT 1/0", StorageError),
        ("SELECT nothing", StorageError),
        ("DO $$BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END$$", TryLaterError),
        ("DO $$BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '55P03'; END$$", TryLaterError),
        ("DO $$BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53300'; END$$", TryLaterError),
        ("DO $$BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '42501'; END$$", RefusedError),
        ("SELECT pg_terminate_backend(pg_backend_pid())", TryLaterError),
    ],
)
def test_errors_of_statements(postgres, statement, error):
    """What time mends is exit 75, what permission mends 77, anything else 74; each in one line with the URL."""
    url = postgres.url(postgres.database())

    with pytest.raises(error) as caught:
        run(url, statement, seconds=2)

    assert str(caught.value).startswith(f"{url}: ")
    assert "\n" not in str(caught.value)


def test_no_such_database(postgres):
    """A database that does not exist is exit 78."""
    with pytest.raises(ConfigError, match='"nowhere" does not exist'):
        run(postgres.url("nowhere"), "SELECT 1")


def test_not_let_in(postgres):
    """A role that does not exist, and one without the right to connect, are exit 77."""
    name = postgres.database()
    postgres.sql(name, f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC; CREATE ROLE guest LOGIN")

    for user in ("nobody-of-that-name", "guest"):
        with pytest.raises(RefusedError, match=user if user != "guest" else "permission denied"):
            run(postgres.url(name, user=user), "SELECT 1")


def test_wrong_password(own_postgres):
    """A wrong password is exit 77 and stands in no text, wherever the server got it from."""
    name = own_postgres.database()
    own_postgres.sql(name, "CREATE ROLE asha LOGIN PASSWORD 'right'")
    (own_postgres.data / "pg_hba.conf").write_text("local all all scram-sha-256\n")
    own_postgres.stop("fast")
    own_postgres.start()
    bare = own_postgres.url(name, user="asha")

    for url in (bare.replace("asha@", "asha:hunter2@"), f"{bare}&password=hunter2"):
        with pytest.raises(RefusedError, match="authentication failed") as caught:
            run(url, "SELECT 1")
        assert "hunter2" not in str(caught.value)
    with pytest.raises(RefusedError, match="no password supplied"):
        run(bare, "SELECT 1")


def test_passfile(own_postgres, tmp_path):
    """The password comes from the file that the URL names."""
    name = own_postgres.database()
    own_postgres.sql(name, "CREATE ROLE asha LOGIN PASSWORD 'right'")
    (own_postgres.data / "pg_hba.conf").write_text("local all all scram-sha-256\n")
    own_postgres.stop("fast")
    own_postgres.start()
    passfile = tmp_path / "pgpass"
    passfile.write_text("*:*:*:asha:right\n")
    passfile.chmod(0o600)

    url = f"{own_postgres.url(name, user='asha')}&passfile={passfile}"

    assert run(url, "SELECT 1") == [(1,)]


def test_nobody_listens(tmp_path):
    """A server that is not there is exit 75."""
    with pytest.raises(TryLaterError):
        run(f"postgresql://asha@/rates?host={tmp_path}", "SELECT 1")


def test_silent_server():
    """A server that takes the connection and says nothing is given up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgresql://asha@127.0.0.1:{server.getsockname()[1]}/rates"

        with pytest.raises(TryLaterError, match="timeout expired"):
            run(url, "SELECT 1", seconds=2)


def test_server_stops_in_its_tracks(own_postgres):
    """A server that hangs with our question, so that it cannot cancel it either, is given up."""
    url = own_postgres.url(own_postgres.database())

    def ask():
        with (
            door.translated(url),
            door.connect(url, seconds=2) as connection,
            connection.transaction(),
        ):
            connection.execute("SELECT 1")
            own_postgres.signal(signal.SIGSTOP)
            connection.execute("SELECT 1")

    try:
        with pytest.raises(TryLaterError, match="no answer within"):
            ask()
    finally:
        own_postgres.signal(signal.SIGCONT)


def test_bad_option(postgres):
    """An option that libpq does not know is exit 78, and names it."""
    with pytest.raises(ConfigError, match="colour"):
        run(f"{postgres.url('postgres')}&colour=red", "SELECT 1")


def test_without_psycopg():
    """Where psycopg is not installed the message says what to install."""
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from ratectl.runtime import postgres\n"
        "try: postgres.connect('postgresql://h/d', seconds=1)\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )

    said = subprocess.run(
        (sys.executable, "-c", program), capture_output=True, text=True, check=True
    )

    assert said.stdout.startswith("DriverAbsentError ")
    assert "pip install 'ratectl[postgres]'" in said.stdout


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://h/d", "postgresql://h/d"),
        ("postgresql://u:hunter2@h:1/d?sslmode=require", "postgresql://u@h:1/d?sslmode=require"),
        ("postgresql://u@h/d?password=hunter2", "postgresql://u@h/d"),
        ("postgresql://u@h/d?pass%77ord=hunter2&a=1", "postgresql://u@h/d?a=1"),
        ("postgresql://:hunter2@/d", "postgresql://@/d"),
    ],
)
def test_shown(url, shown):
    """A URL is shown without its passwords."""
    assert door.redacted(url) == shown
