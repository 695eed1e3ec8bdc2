"""Which rows the cursor goes to after a change, without a console."""

from __future__ import annotations

import pytest

from core.changes import Change, Event, RecordStep
from tui.screens.new_rows import NewRows

CHANGE = Change(
    "Make anna, and call boris otherwise",
    (
        RecordStep("Make anna", (Event("user", "anna", "create"),)),
        RecordStep("Rename boris", (Event("user", "boris", "rename", {"new_name": "bruno"}),)),
        RecordStep("Grant to cleo", (Event("user", "cleo", "grant", {"rights": "SELECT ON db.*"}),)),
    ),
)


@pytest.mark.parametrize(
    ("key", "kind", "new"),
    [
        ("anna", "user", True),
        ("bruno", "user", True),
        ("cleo", "user", False),  # it was there before
        ("dora", "user", False),  # somebody else has made it meanwhile
        ("anna", "role", False),
    ],
)
def test_a_row_is_new_when_the_change_made_or_renamed_it(key: str, kind: str, new: bool) -> None:
    assert NewRows.of(CHANGE, {"boris", "cleo"}).has(key, (kind, key)) is new
