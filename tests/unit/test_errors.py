"""The errors an operator meets."""

from __future__ import annotations

import pytest

from core.errors import HousekeysError


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("It failed.", "It failed. Try again."),
        ("the server said no", "the server said no. Try again."),
        ("no right (error 497)", "no right (error 497). Try again."),
        ("These cannot be used:", "These cannot be used: Try again."),
    ],
)
def test_an_error_and_its_advice_are_two_sentences(message: str, told: str) -> None:
    assert str(HousekeysError(message, advice="Try again.")) == told
    assert str(HousekeysError(message)) == message
