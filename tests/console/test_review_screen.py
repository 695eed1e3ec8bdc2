"""The review board: what it lists in every state, and what its keys do, on a real engine."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.access.planning.plan import title
from core.errors import UnreachableError
from tests.console.album import Take
from tests.console.ledger import ago, opened_with
from tests.console.sample_access import HISTORY, SAMPLE, console, running
from tests.console.sessions import identifier as number
from tests.console.starting import WIDE, never, opening, text_of, told, until
from tests.console.walking import see, type_in
from tui.app import HousekeysApp
from tui.screens.access import AccessScreen
from tui.screens.roles import RolesScreen
from tui.screens.users import UsersScreen

MORE = (
    "GRANT ALL ON sales.* TO loader",
    "CREATE QUOTA daily FOR INTERVAL 1 day MAX queries = 10 TO anna",
    "CREATE SETTINGS PROFILE careful SETTINGS max_threads = 4",
    "CREATE ROW POLICY everything ON sales.orders USING 1 TO ALL",
)
LONG_AGO = [
    replace(HISTORY[0], id=number(9_101 + place), at=ago(days=100 + place), subject_kind=kind, subject=name)
    for place, (kind, name) in enumerate(
        [("quota", "daily"), ("settings_profile", "careful"), ("row_policy", "everything ON sales.orders")]
    )
]
LIVE = opened_with([*HISTORY, *LONG_AGO], prepare=running(*SAMPLE, *MORE))


def _is_under_the_cursor(app: HousekeysApp, entity: str) -> bool:
    """Whether the cursor is on this entity, on the screen of its kind."""
    screen: Any = app.screen
    row = screen.current if isinstance(screen, AccessScreen) and screen.SCREEN_ID != "review" else None
    return row is not None and title(screen.entity(row)) == entity


async def test_things_are_looked_at_one_after_the_other(
    take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = console(tmp_path, LIVE, "review", read_only=True)  # looking and writing a file change nothing in ClickHouse
    async with app.run_test(size=WIDE) as pilot:
        await take(pilot, "page", "Review  4", "has ALL on sales.*", "ends in 8 days", "cannot be told who is dormant")
        await type_in(pilot, "<end>", "d")
        await take(pilot, "detail", "Was every change asked for", "2026-10-23 12:00 grant auditor", sizes=("80x24",))
        await type_in(pilot, "<escape>", "c")
        await see(pilot, "Changes since when?")
        await type_in(pilot, "<ctrl+u>", "last year")
        await see(pilot, "neither like 30m")
        await type_in(pilot, "<ctrl+u>", "300d", "<enter>")
        await see(pilot, "changes since 2026-01-26", "grant auditor by op@bast")

        for kind, words in (("expired", "contractor"), ("expiring", "etl_night"), ("dormant", "Nothing is dormant.")):
            await type_in(pilot, "f")
            await see(pilot, f"{kind} only", words)
        await type_in(pilot, "f")
        await see(pilot, "over-granted only", "role loader")
        await type_in(pilot, "<enter>")
        await until(pilot, lambda: isinstance(app.screen, RolesScreen) and app.screen.current is not None)
        roles = app.screen
        assert isinstance(roles, RolesScreen)
        await until(pilot, lambda: roles.current is not None and roles.current.name == "loader")
        await type_in(pilot, ":", "review", "<enter>")
        await see(pilot, "over-granted only", "role loader")
        await type_in(pilot, "f")
        await see(pilot, "changed only", "user anna")
        for changed in ("quota daily", "settings profile careful", "row policy everything ON sales.orders"):
            await type_in(pilot, "/", "<ctrl+u>", changed, "<enter>", "<enter>")
            await until(pilot, partial(_is_under_the_cursor, app, changed))
            await type_in(pilot, ":", "review", "<enter>")
            await see(pilot, "changed only", changed)
        await type_in(pilot, "<escape>", "f")
        await see(pilot, "every kind", "user anna")

        await type_in(pilot, "E")
        await see(pilot, "Write the review of 7 things")
        await type_in(pilot, "<ctrl+u>", "found.json", "<enter>")
        await until(pilot, lambda: "7 rows are written" in told(app))
        rows = json.loads((tmp_path / "found.json").read_text())
        assert [(row["what"], row["name"], row["severity"]) for row in rows] == [
            ("over-granted", "loader", "error"),  # what DataLens reads is a client's
            ("expired", "contractor", "warning"),
            ("expiring", "etl_night", "warning"),
            ("changed", "daily", "note"),
            ("changed", "everything ON sales.orders", "note"),
            ("changed", "careful", "note"),
            ("changed", "anna", "note"),
        ]
        assert rows[0]["advice"]
        await see(pilot, "every kind")
        await type_in(pilot, "/", "contr", "<enter>", "d")
        await see(pilot, "Drop it, or give it a later end")
        await type_in(pilot, "u")  # the page over the list closes for it
        await until(pilot, lambda: isinstance(app.screen, UsersScreen) and app.screen.current is not None)
        users = app.screen
        assert isinstance(users, UsersScreen)
        await until(pilot, lambda: users.current is not None and users.current.name == "contractor")


async def test_states_without_anything_to_look_at(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path / "1", never, "review")
    async with app.run_test(size=WIDE) as pilot:
        await take(pilot, "loading", "Connecting")
    app = console(tmp_path / "2", opening(UnreachableError("ch-1 does not answer.")), "review")
    async with app.run_test(size=WIDE) as pilot:
        await take(pilot, "error", "ch-1 does not answer.")
    app = console(tmp_path / "3", opened_with(), "review")
    async with app.run_test(size=WIDE) as pilot:
        await take(pilot, "empty", "There is nothing to look at.", "Press c")
        assert "default" not in text_of(app)  # nobody can come in as the user that every embedded engine brings
