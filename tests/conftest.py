"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# No test judges how long an example takes: the machine may be busy.
settings.register_profile("housekeys", deadline=None)
settings.load_profile("housekeys")
