"""What tests of whole services share."""

from __future__ import annotations

from typing import cast

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    """The database: files, or a PostgreSQL database of the test's own."""
    if request.param == "sqlite":
        return None
    return cast("str", request.getfixturevalue("database"))
