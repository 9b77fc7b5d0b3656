"""What becomes of the tests of an engine that is not there."""

from __future__ import annotations

import pytest

from tests.engines import conftest

pytestmark = pytest.mark.engine


@pytest.fixture
def absent(tmp_path, monkeypatch):
    """A sandbox program that cannot make any sandbox, and says why."""
    script = tmp_path / "sandbox.py"
    script.write_text("print('no daemon of that name')\n")
    monkeypatch.setattr(conftest, "SANDBOX", str(script))


@pytest.mark.usefixtures("absent")
@pytest.mark.parametrize("kind", ["cron", "cronie", "busybox", "systemd"])
@pytest.mark.parametrize(
    ("required", "outcome"), [("1", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_an_engine_that_is_missing(kind, required, outcome, monkeypatch):
    """Where engines are required a missing one is a failure, elsewhere its tests are skipped: both say which and why."""
    monkeypatch.setenv("RATECTL_REQUIRE_ENGINES", required)

    with pytest.raises(outcome, match=f"{kind}: no daemon of that name"):
        next(conftest.start(kind))
