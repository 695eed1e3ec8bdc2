"""Rights and roles put together by choosing: privileges by a search in their tree, objects from what the server has."""

from __future__ import annotations

from pathlib import Path

from tests.console.album import Take
from tests.console.ledger import opened_with
from tests.console.sample_access import SAMPLE, console, running
from tests.console.starting import WIDE, told, until
from tests.console.walking import see, type_in


async def test_a_grant_is_put_together_without_typing_names(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(prepare=running(*SAMPLE)), "users")
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "anna", "monitoring")
        await pilot.press("plus")
        await see(pilot, "Grant to user anna", "choose")
        await pilot.press("ctrl+o")
        await type_in(pilot, "alter u")
        await take(pilot, "privilege", "ALTER UPDATE", "ALTER USER")
        await pilot.press("enter")
        await see(pilot, "ALTER UPDATE on … db.*, db.table")
        await type_in(pilot, "sales")
        await take(pilot, "object", "sales.*", "sales.orders")
        await pilot.press("down", "enter")
        await see(pilot, "ALTER UPDATE ON sales.orders", "This would run:", "GRANT ALTER UPDATE ON sales.orders")
        await pilot.press("ctrl+o")
        await type_in(pilot, "reload dict", "<enter>")
        await see(pilot, "GRANT SYSTEM RELOAD DICTIONARY ON *.*, ALTER UPDATE ON sales.orders")
        await pilot.press("ctrl+o")
        await type_in(pilot, "insert", "<enter>", "nowhere.*", "<enter>")
        await see(pilot, "+ INSERT ON nowhere.*")
        await pilot.press("ctrl+o", "escape", "tab", "ctrl+o")
        await until(pilot, lambda: "There is nothing to choose from for this field." in told(app))
        await pilot.press("escape", "a")
        await see(pilot, "Roles of user anna")
        await pilot.press("ctrl+o")
        await see(pilot, "a role", "unused")
        await type_in(pilot, "unu", "<enter>")
        await see(pilot, "GRANT unused TO anna")
