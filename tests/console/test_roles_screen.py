"""The roles screen: what it shows in every state, and what its keys do, on a real engine."""

from __future__ import annotations

from pathlib import Path

from core.access.access_model import Holder
from core.access.model import EntityKind, SettingElement
from tests.console.album import Take
from tests.console.ledger import opened_with
from tests.console.sample_access import SAMPLE, console, model_of, running
from tests.console.starting import NARROW, WIDE, told, until
from tests.console.walking import Seen, reconnect, run_change, see, type_in
from tui.screens.roles import RolesScreen

FEW_THREADS = SettingElement("max_threads", "4", max="8")
LIVE = opened_with(prepare=running(*SAMPLE))


# -- pictures


async def test_pictures(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "roles")
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "page", "Roles  5", "nobody")
        await type_in(pilot, "n", Seen("New role"), "writer", "<tab>", "INSERT ON sales.*")
        await take(pilot, "new", "GRANT INSERT ON")
        await type_in(pilot, "<escape>", "<down>", "<down>", "<down>", "x")
        await take(pilot, "drop", "Exactly this runs")
        await type_in(pilot, "<escape>", Seen("unused"), "d", Seen("in roles"))
        tabs = (("Summary", "in roles"), ("Grants", "taken back"), ("SQL", "CREATE ROLE reader"))
        at = 0
        for size in ("80x24", "160x48"):
            for tab, word in tabs:
                steps = (RolesScreen.TABS.index(tab) - at) % len(RolesScreen.TABS)
                await pilot.press(*["right"] * steps)
                at += steps
                await take(pilot, tab.lower(), f"[{tab}]", word, sizes=(size,))


# -- what its keys do


async def test_a_role_is_made_with_its_rights_given_cloned_and_renamed(tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "roles")
    async with app.run_test(size=(100, 40)) as pilot:
        await see(pilot, "Roles  5")
        await type_in(pilot, "n", "a_writer", "<tab>", "INSERT ON sales.*", "<tab>", "reader")
        await see(pilot, "CREATE ROLE a_writer", "GRANT reader TO a_writer", "GRANT INSERT ON sales.* TO a_writer")
        await type_in(pilot, "<tab>", "<tab>", "max_treads = 4")
        await see(
            pilot, "The server knows no setting max_treads. Did you mean max_threads?", "will keep, and not enforce"
        )
        await type_in(pilot, "<ctrl+u>", "max_threads = 4 MAX 9", "<shift+tab>")
        await see(pilot, "SETTINGS max_threads = 4 MAX 9")
        await pilot.press("enter")
        await run_change(pilot, "Roles  6")
        await pilot.press("plus")
        await see(pilot, "Grant to role a_writer")
        await type_in(pilot, "SELECT ON shop.*")
        await see(pilot, "+ SELECT ON shop.*")
        await pilot.press("enter")
        await run_change(pilot, "Roles  6")
        await pilot.press("e")
        await see(pilot, "Edit role a_writer", "max_threads = 4 MAX 9", "Nothing: it is so already.")
        await type_in(pilot, "<tab>", "<end>", "<ctrl+u>", "max_threads = 4 MAX 8", "<shift+tab>")
        await see(pilot, "MODIFY SETTING max_threads MAX 8")
        await pilot.press("enter")
        await run_change(pilot, "Roles  6", "max_threads = 4 MAX 8")
        await pilot.press("c")
        await see(pilot, "Clone role a_writer")
        await type_in(pilot, "writer_2", "<enter>")
        await run_change(pilot, "Roles  7", "> writer_2")
        await pilot.press("home", "m")
        await see(pilot, "Rename role a_writer")
        await pilot.press("ctrl+u")
        await type_in(pilot, "a_scribe", "<enter>")
        await run_change(pilot, "Roles  7", "a_scribe")
        model = await model_of(app)
        assert "a_writer" not in model.roles
        assert {model.roles[name].settings for name in ("a_scribe", "writer_2")} == {(FEW_THREADS,)}
        for name in ("a_scribe", "writer_2"):
            holder = Holder(EntityKind.ROLE, name)
            assert model.granted_roles[holder] == {"reader": False}
            assert {right.database for each in model.rights[holder] for right in each.rights} == {"sales", "shop"}


async def test_the_detail_tells_its_members_and_its_history_and_a_dropped_role_is_taken_from_those_listed(
    tmp_path: Path,
) -> None:
    app = console(tmp_path, LIVE, "roles")
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "Roles  5", "anna", "boris")
        await type_in(pilot, "<down>", "a", Seen("Roles of role auditor"), "analyst")
        await see(pilot, "! This embedded engine will keep, and not enforce: by role analyst: settings.", "+ SELECT ON")
        await type_in(pilot, "<enter>", Seen("Exactly this runs"))
        await see(pilot, "by role analyst: settings.")
        await type_in(pilot, "<escape>", "<up>", "a")
        await see(pilot, "Roles of role analyst", "It has: reader")
        await type_in(pilot, "loader")
        await see(pilot, "+ INSERT ON sales.orders")
        await pilot.press("enter")
        await run_change(pilot, "Roles  5")
        await type_in(pilot, "d", "<right>", "<right>")
        await see(pilot, "INSERT ON sales.orders", "by loader")
        await type_in(pilot, "<right>", "<right>")
        await see(pilot, "grant", "op@bastion")
        await type_in(pilot, "<escape>", "<home>", "x")
        await see(pilot, "User anna has it as a role.", "User boris has it as a role.", "Type analyst to run this")
        await type_in(pilot, "analyst", "<enter>", "<enter>")
        await until(pilot, lambda: isinstance(app.screen, RolesScreen) and app.screen.table.total == 4)
        model = await model_of(app)
        assert "analyst" not in model.roles
        assert model.granted_roles[Holder(EntityKind.USER, "anna")] == {"auditor": False}


async def test_nobody_has_a_role_yet_and_read_only_refuses_what_changes(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(), "roles")
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "empty", "No roles yet.")
        await reconnect(pilot, LIVE, read_only=True)
        await see(pilot, "Roles  5", "READ-ONLY")
        screen = app.screen
        assert isinstance(screen, RolesScreen)
        for command in screen.commands():
            assert not command.modifies or screen.why_not(command).startswith("Read-only (--read-only)"), command.id
        await pilot.press("x")
        await until(pilot, lambda: "nothing can be changed" in told(app))
