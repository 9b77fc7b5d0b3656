"""The PostgreSQL of the tests starts wherever the checkout lies."""

from __future__ import annotations

import os
import shutil

import pytest

import tests.support.postgres

pytestmark = pytest.mark.network


@pytest.mark.posix("modes of folders")
def test_below_a_private_folder(tmp_path):
    """Programs below a folder that only root may pass, such as its home, serve all the same."""
    if os.geteuid() != 0:
        pytest.skip("only root becomes another account for it")
    binaries = tests.support.postgres.programs()
    if binaries is None:
        pytest.skip("no PostgreSQL")
    site = tmp_path / "home"
    site.mkdir(mode=0o700)
    original = binaries.parents[len(tests.support.postgres.PROGRAMS.parts) - 1]
    for part in (tests.support.postgres.PACKAGE, tests.support.postgres.LIBRARIES):
        shutil.copytree(original / part, site / part, symlinks=True)

    server = tests.support.postgres.Server(site / tests.support.postgres.PROGRAMS)
    try:
        assert server.sql("postgres", "SELECT 1") == ["1"]
    finally:
        server.remove()
