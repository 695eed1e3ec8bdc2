"""How many examples a property is tried with: few in `make test`, fifty times as many in `make thorough`."""

from __future__ import annotations

from hypothesis import settings

USUAL = 40
THOROUGH = 50 * USUAL


def examples(usual: int) -> int:
    """The number for a test that takes `usual` ones in `make test`, because each of them costs more than most."""
    return max(usual * settings.default.max_examples // USUAL, 1) if settings.default else usual


def is_thorough() -> bool:
    """Whether this is `make thorough`: for tests that take minutes."""
    return settings.default is not None and settings.default.max_examples >= THOROUGH
