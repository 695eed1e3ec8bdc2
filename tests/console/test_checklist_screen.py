"""The checklist: every state of a line, and every fix a key away, on a real engine."""

from __future__ import annotations

import asyncio
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.clickhouse.access_reading import user_definition
from core.clickhouse.engine import Engine, QueryResult
from core.clickhouse.errors import NoRightError
from core.datalens import setup
from core.session import Session
from tests.console.album import Take, take_start
from tests.console.ledger import ago, key_row, opened_with
from tests.console.sample_tenants import USER, databases, holding
from tests.console.starting import NARROW, WIDE, connected, never, start_in, text_of, told, until
from tests.console.walking import Seen, Walk, copies, reconnect, run_change, see, type_in
from tui.app import HousekeysApp
from tui.screens.checklist import ChecklistScreen
from tui.screens.reveal import RevealScreen
from tui.start import OpenSession

PASSWORD = "Korrekt-Pferd-7-Batterie"
KEYS = [
    key_row("partner", 1, "generate", "generated", ago(days=9), "1"),
    key_row("partner", 1, "activate", "active", ago(days=8), "1"),
    key_row("datalens", 7, "import", "active", ago(days=7), "a"),
]


def console(folder: Path, how: OpenSession, *, read_only: bool | None = None) -> HousekeysApp:
    return HousekeysApp(replace(connected(start_in(folder, screen="checklist"), how), read_only=read_only))


def session_of(app: HousekeysApp) -> Session:
    assert app.connection.session is not None
    return app.connection.session


async def go_to(pilot: Pilot[None], item: str) -> None:
    """Put the cursor on an item, with the keys."""
    screen = pilot.app.screen
    assert isinstance(screen, ChecklistScreen)
    await pilot.press("home")
    for _ in range(20):  # items
        if screen.current is not None and screen.current.item.id == item:
            return
        await pilot.press("down")
    raise AssertionError(f"{item} is not on the list")


def at(item: str, *keys: str, see_last: str) -> Walk:
    async def walk(pilot: Pilot[None]) -> None:
        await see(pilot, " done")
        await go_to(pilot, item)
        checklist = pilot.app.screen
        await type_in(pilot, *keys[:1])
        if keys[1:]:  # the page they are for takes its time
            await until(pilot, lambda: pilot.app.screen is not checklist and pilot.app.screen.focused)
        await type_in(pilot, *keys[1:])
        await see(pilot, see_last)

    return walk


async def disorder(session: Session) -> None:
    """A user that is there and wrong in every way."""
    for statement in (
        f"CREATE USER {USER} IDENTIFIED WITH plaintext_password BY 'x' SETTINGS readonly = 1",
        f"GRANT SELECT ON *.* TO {USER}",
        f"GRANT INSERT ON acme.* TO {USER}",
    ):
        await session.engine.command(statement)


class Blind:
    """A real engine whose connected user may not see users."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def query(self, sql: str, *arguments: Any, **options: Any) -> QueryResult:
        if sql.startswith(("SHOW CREATE USER", "SHOW GRANTS FOR")):
            raise NoRightError("The right SHOW USERS is missing.", code=497, missing="SHOW USERS ON *.*")
        return await self._engine.query(sql, *arguments, **options)


async def blind(session: Session) -> None:
    engine: Any = Blind(session.engine)
    session.engine = engine


# -- pictures


async def test_pictures_of_a_newcomer(take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.datalens import passwords
    from core.secrets import Secret

    monkeypatch.setattr(passwords, "generate_password", lambda: Secret("q7RkN3vWx9TzBm4HcYd8PfJs6LgUe2Aa"))
    app = console(tmp_path, never)
    async with app.run_test(size=NARROW) as pilot:
        await take_start(take, pilot, opened_with())
        await take(pilot, "newcomer", "1 of 12 done", "Next, line 1")
        await at("sql-management", "<space>", see_last="Exactly this")(pilot)
        await take(pilot, "tick", "Exactly this")
        await pilot.press("escape")
        await at("user", "f", see_last="make one up")(pilot)
        await take(pilot, "setup", "make one up")
        await pilot.press("right")
        await take(pilot, "setup-typed", "12 characters")
        await pilot.press("escape")
        await at("user", "f", "<enter>", see_last="Exactly this runs")(pilot)
        await pilot.press("R")
        await take(pilot, "password-hidden", "The password of datalens")
        await pilot.press("space")
        await take(pilot, "password-shown", "q7RkN3vW")


async def test_pictures_of_what_is_wrong_and_what_read_only_refuses(take: Take, tmp_path: Path) -> None:
    async def order(session: Session) -> None:
        await session.engine.command(f"DROP USER {USER}")
        await databases()(session)

    app = console(tmp_path, opened_with(KEYS, prepare=blind))
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "blind", "unknown")
        await reconnect(pilot, opened_with(prepare=disorder))
        await take(pilot, "disorder", "failed", "f sets it right")
        await at("grants", "d", see_last="f would run")(pilot)
        await take(pilot, "detail", "f would run", sizes=("80x24", "160x48"))
        await pilot.resize_terminal(*NARROW)
        await at("grants", "f", see_last="Exactly this runs")(pilot)
        await take(pilot, "fix", "Exactly this runs")
        await pilot.press("escape")
        await reconnect(pilot, opened_with(prepare=order), read_only=True)
        await take(pilot, "read-only", "READ-ONLY", "7 of 12")
        await session_of(app).engine.command(f"DROP USER {USER}")
        await type_in(pilot, "r", Seen("Next, line 1"), "f")
        await until(pilot, lambda: "Read-only (--read-only)" in told(app))
        assert isinstance(app.screen, ChecklistScreen)


# -- what the keys do


async def test_a_password_is_typed_twice_and_hashed_here_and_a_weak_one_is_refused(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with())
    async with app.run_test(size=NARROW) as pilot:
        await at("user", "f", "<right>", see_last="12 characters")(pilot)
        await type_in(pilot, "<tab>", "short", "<tab>", "short", "<enter>")
        await see(pilot, "shorter than 12 characters")
        await pilot.press("escape")
        await at("user", "f", "<right>", see_last="12 characters")(pilot)
        await type_in(pilot, "<tab>", PASSWORD, "<tab>", PASSWORD[:-1], "<enter>")
        await see(pilot, "The two entries differ")
        await type_in(pilot, "<end>", PASSWORD[-1], "<enter>")
        preview = await see(pilot, "Exactly this runs")
        assert PASSWORD not in preview and "sha256_hash" in preview
        await run_change(pilot, "5 of 12 done")
        assert isinstance(app.screen, ChecklistScreen)  # nothing to hand over: it was typed
        user = await user_definition(session_of(app).engine, USER)
        assert user is not None and setup.is_readonly(user) and not setup.weak_methods(user)
    assert not holding(tmp_path, PASSWORD)


async def test_a_made_up_password_is_kept_in_a_file_when_asked(tmp_path: Path) -> None:
    file = tmp_path / "out" / "datalens.password"
    app = console(tmp_path / "home", opened_with())
    async with app.run_test(size=WIDE) as pilot:
        await at("user", "f", "<tab>", str(file), "<enter>", see_last="0600")(pilot)
        await run_change(pilot, "5 of 12 done")
        assert isinstance(app.screen, ChecklistScreen)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text().strip()) == 32


async def test_a_made_up_password_is_not_lost_by_a_slip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = copies(monkeypatch)
    app = console(tmp_path, opened_with())
    async with app.run_test(size=NARROW) as pilot:
        await at("user", "f", "<enter>", see_last="Exactly this runs")(pilot)
        await run_change(pilot, "The password of datalens")
        page = app.screen
        await pilot.press("escape")
        await see(pilot, "neither seen nor copied")
        await pilot.press("enter")
        await see(pilot, "Space shows it")
        await pilot.press("y")
        await pilot.press("escape")
        await see(pilot, "5 of 12 done")
        [password] = sent
        assert len(password) == 32 and password not in text_of(app)
        assert isinstance(page, RevealScreen) and page._secret is None


async def test_what_is_wrong_is_set_right_line_by_line(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(prepare=disorder))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "2 of 12 done", "Next, line 2")
        await type_in(pilot, "n", "f")
        assert "readonly = 2" in await see(pilot, "Exactly this runs", "DISRUPTIVE")
        await run_change(pilot, "3 of 12 done", "Next, line 3")
        await type_in(pilot, "n", "<enter>")
        await see(pilot, "Another password for datalens")
        await pilot.press("enter")
        await run_change(pilot, "The password of datalens")
        await type_in(pilot, "<space>", "<escape>")
        await see(pilot, "4 of 12 done", "Next, line 4")
        await type_in(pilot, "n", "f")
        preview = await see(pilot, "Exactly this runs")
        assert "REVOKE SELECT ON *.*" in preview and "REVOKE INSERT ON acme.*" in preview
        await run_change(pilot, "5 of 12 done")
        user = await user_definition(session_of(app).engine, USER)
        assert user is not None and setup.is_readonly(user) and not setup.weak_methods(user)


async def test_what_cannot_be_checked_is_ticked_and_unticked(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with())
    async with app.run_test(size=NARROW) as pilot:
        await at("sent-to-datalens", "<space>", see_last="Exactly this runs")(pilot)
        await run_change(pilot, "2 of 12 done", "✓ ticked")
        await pilot.press("space")
        await run_change(pilot, "1 of 12 done")
        told_of = await session_of(app).journal.history("checklist", "sent-to-datalens")
        assert [row.action for row in told_of] == ["untick", "tick"]
        await go_to(pilot, "user")
        await pilot.press("space")
        await until(pilot, lambda: "checked, not ticked" in told(app))
        await go_to(pilot, "sql-management")
        await pilot.press("f")
        await until(pilot, lambda: "Press space when it is done" in told(app))


OPENED = {"partner-key": "No keys yet.", "hosts": "Profiles", "listing": "parts", "datalens-key": "No keys yet."}


async def test_what_more_must_be_known_for_opens_its_screen_and_checking_again_keeps_the_cursor(
    tmp_path: Path,
) -> None:
    app = console(tmp_path, opened_with())
    async with app.run_test(size=NARROW) as pilot:
        for item, words in OPENED.items():
            await at(item, "f", see_last=words)(pilot)
            await pilot.press("1")
            await see(pilot, "1 of 12 done")
        await go_to(pilot, "hosts")
        await databases()(session_of(app))
        await pilot.press("r")
        await see(pilot, "5 of 12 done")
        assert isinstance(app.screen, ChecklistScreen)
        assert app.screen.current is not None and app.screen.current.item.id == "hosts"


async def test_hosts_that_answer_are_seen(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    config = f'[profiles.here]\nengine = "embedded"\n[profiles.here.datalens]\nhosts = ["127.0.0.1:{port}"]\n'
    start = connected(start_in(tmp_path, config, screen="checklist", profile="here"), opened_with())
    app = HousekeysApp(start)
    async with app.run_test(size=NARROW) as pilot:
        async with server:
            await see(pilot, "2 of 12 done")
        await pilot.press("r")
        await see(pilot, "1 of 12 done", "✗ failed")
