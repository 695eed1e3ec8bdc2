"""What holds for all tests."""

from __future__ import annotations

import pytest
from hypothesis import settings

from core.journal.ids import new_ids

# No test judges how long an example takes: the machine may be busy.
settings.register_profile("housekeys", deadline=None)
settings.load_profile("housekeys")


@pytest.fixture(autouse=True)
def fresh_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids begin with the real clock in every test, though rows of an earlier one may have come from the future."""
    monkeypatch.setattr(new_ids, "_ticks", 0)
    monkeypatch.setattr(new_ids, "_counter", 0)
