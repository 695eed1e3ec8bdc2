"""The SQL console screen: who of ClickHouse Cloud has which rights, and letting somebody in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.access.access_model import Holder
from core.access.model import EntityKind
from core.session import Session
from tests.console.album import Take
from tests.console.ledger import opened_with
from tests.console.sample_access import console, model_of, running
from tests.console.starting import WIDE, told, until
from tests.console.walking import run_change, see, type_in

PEOPLE = (
    "CREATE ROLE developer",
    "CREATE ROLE default_role",
    "GRANT SELECT, SHOW ON sales.* TO developer",
    "CREATE ROLE `sql-console-role:ann@company.example`",
    "CREATE ROLE `sql-console-role:bo@company.example`",
    "CREATE ROLE `sql_console_role:cleo@company.example`",
    "GRANT developer TO `sql-console-role:ann@company.example`",
    "GRANT INSERT ON sales.orders TO `sql-console-role:bo@company.example`",
)
PAGE = ("SQL console  3", "ann@company.example", "developer", "sql_console_role:cleo")
DEE = Holder(EntityKind.ROLE, "sql-console-role:dee@company.example")


async def test_pictures(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(prepare=running(*PEOPLE)), "sql-console")
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, *PAGE)
        await take(pilot, "page", *PAGE)
        await type_in(pilot, "i")
        await take(pilot, "reference", "Cloud's roles", "sql_console_read_only")
        await pilot.press("end")  # paragraphs are wrapped to the width there is, not broken before
        await see(pilot, "sql-console-role:<e-mail> gets it there. The name")
        await take(pilot, "reference-end", "can be given.", sizes=("80x24",))
        await type_in(pilot, "<escape>", "n", "dee@company.example", "<tab>", "loader", "<tab>", "INSERT ON sales.*")
        await take(pilot, "let-in", "Let somebody", "GRANT loader TO", "GRANT INSERT ON sales.* TO loader")


async def test_nobody_yet_and_read_only(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(), "sql-console", read_only=True)
    async with app.run_test(size=WIDE) as pilot:
        await take(pilot, "empty", "READ-ONLY", "Nobody has a role", "Press n")
        await pilot.press("n")
        await until(pilot, lambda: "nothing can be changed" in told(app))


async def test_somebody_is_let_in_a_name_corrected_and_an_own_user_made(tmp_path: Path) -> None:
    members = tmp_path / "members.txt"
    members.write_text("ann@company.example\nbob@company.example\ncleo@company.example\ndeedee@company.example\n")

    async def prepare(session: Session) -> None:
        await running(*PEOPLE)(session)
        session.profile = replace(session.profile, console_members=members)

    app = console(tmp_path, opened_with(prepare=prepare), "sql-console")
    async with app.run_test(size=(100, 40)) as pilot:
        await see(pilot, *PAGE)
        await type_in(pilot, "<down>", "<enter>")
        await see(pilot, "nobody: no member of the organization has this address", "bob@company.example")
        await type_in(pilot, "<escape>", "<home>", "n", "dee")
        await see(pilot, "That is no e-mail address.")
        await type_in(pilot, "<ctrl+u>", "Ann@company.example")
        await see(pilot, "There is a role for ann@company.example: capitals count.")
        await type_in(pilot, "<ctrl+u>", "Bob@company.example")
        await see(pilot, "There is a member bob@company.example: capitals count.")
        await type_in(pilot, "<ctrl+u>", "dee@company.example", "<tab>", "developer", "<tab>", "SELECT ON sales.*")
        await see(pilot, "which others may have")
        await type_in(pilot, "<ctrl+u>")
        noted = ("No member of the organization has the address dee@company.example",)
        await see(pilot, "GRANT developer TO", *noted)
        await pilot.press("enter")
        await see(pilot, "Exactly this runs", *noted)
        members.write_text("Ann\n")  # which hinders nothing, and is told
        await run_change(pilot, "SQL console  4", "> dee@company.example")
        await type_in(pilot, "<enter>")
        await see(pilot, "The members of the organization are not known")
        await type_in(pilot, "<escape>")
        assert (await model_of(app)).granted_roles[DEE] == {"developer": False}

        await type_in(pilot, "<end>", "m")
        await see(pilot, "Rename role sql_console_role:cleo")
        await type_in(pilot, "<ctrl+u>", "sql-console-role:cleo@company.example", "<enter>")
        await run_change(pilot, "SQL console  4", "cleo@company.example")
        assert "sql-console-role:cleo@company.example" in (await model_of(app)).roles

        await pilot.press("p")
        await see(pilot, "New user", "default_role")
        await type_in(pilot, "erin", "<enter>")
        await run_change(pilot, "The password of erin")
        model = await model_of(app)
        assert model.granted_roles[Holder(EntityKind.USER, "erin")] == {"default_role": False}
