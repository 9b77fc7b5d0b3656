"""Errors that say more on their way out are of the same kind as before."""

from __future__ import annotations

import pytest

from ratectl.errors import (
    DataError,
    Issue,
    RemovedJobError,
    ScheduleError,
    SpecAbsentError,
    SpecError,
)
from ratectl.runtime.trust import UntrustedError

ISSUE = Issue(line=3, key="jobs.a", message="is wrong")
ERRORS = [
    DataError("no rate"),
    RemovedJobError("usd-inr"),
    ScheduleError("no day", text="every noday", span=(6, 11)),
    SpecError("jobs.toml", [ISSUE]),
    SpecAbsentError("jobs.toml", "is not there"),
    UntrustedError("/srv", "may be written to by all", "chmod o-w /srv"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_saying_more(error):
    """It has another text; its kind, exit code and all that it is made of stay, and the first one is left alone."""
    before, made_of = str(error), dict(vars(error))

    more = error.saying(f"{error}\nEverything is as it was before.")

    assert str(more) == f"{before}\nEverything is as it was before."
    assert (type(more), more.exit_code, vars(more)) == (type(error), error.exit_code, made_of)
    assert str(error) == before
