"""The roles screen: what it shows in every state, and what its keys do, on a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from core.access.access_model import Holder
from core.access.model import EntityKind
from tests.console.both_sizes import Pictures
from tests.console.ledger import opened_with
from tests.console.sample_access import SAMPLE, console, model_of, running
from tests.console.starting import NARROW, WIDE, told, until
from tests.console.walking import Walk, run_change, see, showing, then, type_in
from tui.screens.roles import RolesScreen
from tui.start import OpenSession

LIVE = opened_with(prepare=running(*SAMPLE))


def on_reader(*keys: str, see_last: str) -> Walk:
    """From the table to the role `reader`, and on by keys."""

    async def walk(pilot: Pilot[None]) -> None:
        await see(pilot, "Roles  5", "unused")
        await type_in(pilot, "<down>", "<down>", "<down>", *keys)
        await see(pilot, see_last)

    return walk


# -- pictures


@pytest.mark.parametrize(
    ("how", "read_only", "walk"),
    [
        pytest.param(LIVE, None, showing("Roles  5", "nobody"), id="page"),
        pytest.param(opened_with(), None, showing("No roles yet."), id="empty"),
        pytest.param(LIVE, None, then("n", "writer", "<tab>", "INSERT ON sales.*", see_first="unused",
                                      see_last="GRANT INSERT ON"), id="new"),
        pytest.param(LIVE, None, on_reader("x", see_last="Exactly this runs"), id="drop"),
    ],
)  # fmt: skip
def test_picture(pictures: Pictures, tmp_path: Path, how: OpenSession, read_only: bool | None, walk: Walk) -> None:
    assert pictures(console(tmp_path, how, "roles", read_only=read_only), walk)


@pytest.mark.parametrize(
    ("tab", "word"), [("Summary", "in roles"), ("Grants", "taken back"), ("SQL", "CREATE ROLE reader")]
)
def test_picture_of_a_tab(pictures: Pictures, tmp_path: Path, tab: str, word: str) -> None:
    async def walk(pilot: Pilot[None]) -> None:
        await on_reader("d", see_last="in roles")(pilot)
        for _ in range(RolesScreen.TABS.index(tab)):
            await pilot.press("right")
        await see(pilot, f"[{tab}]", word)

    assert pictures(console(tmp_path, LIVE, "roles"), walk)


# -- what its keys do


async def test_a_role_is_made_with_its_rights_given_cloned_and_renamed(tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "roles")
    async with app.run_test(size=(100, 40)) as pilot:
        await see(pilot, "Roles  5")
        await type_in(pilot, "n", "a_writer", "<tab>", "INSERT ON sales.*", "<tab>", "reader")
        await see(pilot, "CREATE ROLE a_writer", "GRANT reader TO a_writer", "GRANT INSERT ON sales.* TO a_writer")
        await pilot.press("enter")
        await run_change(pilot, "Roles  6")
        await pilot.press("up", "plus")
        await see(pilot, "Grant to role a_writer")
        await type_in(pilot, "SELECT ON shop.*")
        await see(pilot, "+ SELECT ON shop.*")
        await pilot.press("enter")
        await run_change(pilot, "Roles  6")
        await pilot.press("c")
        await see(pilot, "Clone role a_writer")
        await type_in(pilot, "writer_2", "<enter>")
        await run_change(pilot, "Roles  7")
        await pilot.press("m")
        await see(pilot, "Rename role a_writer")
        await pilot.press("ctrl+u")
        await type_in(pilot, "a_scribe", "<enter>")
        await run_change(pilot, "Roles  7", "a_scribe")
        model = await model_of(app)
        assert "a_writer" not in model.roles
        for name in ("a_scribe", "writer_2"):
            holder = Holder(EntityKind.ROLE, name)
            assert model.granted_roles[holder] == {"reader": False}
            assert {right.database for each in model.rights[holder] for right in each.rights} == {"sales", "shop"}


async def test_a_dropped_role_is_taken_from_those_listed_and_its_name_is_typed(tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "roles")
    async with app.run_test(size=(100, 40)) as pilot:
        await see(pilot, "Roles  5")
        await pilot.press("x")
        await see(pilot, "User anna has it as a role.", "User boris has it as a role.", "Type analyst to run this")
        await type_in(pilot, "analyst", "<enter>", "<enter>")
        await until(pilot, lambda: isinstance(app.screen, RolesScreen) and app.screen.table.total == 4)
        model = await model_of(app)
        assert "analyst" not in model.roles
        assert model.granted_roles[Holder(EntityKind.USER, "anna")] == {"auditor": False}


async def test_the_detail_tells_its_members_and_its_history(tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "roles")
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "Roles  5", "anna", "boris")
        await pilot.press("a")
        await see(pilot, "Roles of role analyst", "It has: reader")
        await type_in(pilot, "loader")
        await see(pilot, "+ INSERT ON sales.orders")
        await pilot.press("enter")
        await run_change(pilot, "Roles  5")
        await type_in(pilot, "d", "<right>", "<right>")
        await see(pilot, "INSERT ON sales.orders", "by loader")
        await type_in(pilot, "<right>", "<right>")
        await see(pilot, "grant", "op@bastion")


async def test_read_only_refuses_what_changes(tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "roles", read_only=True)
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "Roles  5", "READ-ONLY")
        screen = app.screen
        assert isinstance(screen, RolesScreen)
        for command in screen.commands():
            assert not command.modifies or screen.why_not(command).startswith("Read-only (--read-only)"), command.id
        await pilot.press("x")
        await until(pilot, lambda: "nothing can be changed" in told(app))
