"""The screen that compares two sides, on a real engine and real files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from socket import gethostname

import pytest

from core.access.access_model import Holder
from core.access.model import EntityKind
from core.access_reports.files import read_access_file
from core.errors import UnreachableError
from tests.console.album import Take
from tests.console.ledger import opened_with
from tests.console.sample_access import SAMPLE, console, model_of, running
from tests.console.sample_access_files import SCRIPT, script
from tests.console.starting import WIDE, connected, never, opening, start_in, told, until
from tests.console.walking import fill_in, see, type_in
from tests.engine.clusters import be_clusters
from tests.http_front.process import PASSWORD, USER, Front
from tui.app import HousekeysApp
from tui.screens.compare import CompareScreen

LIVE = opened_with(prepare=running(*SAMPLE))


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths below the temporary folder are shown as `~/…`, and are the same in every picture."""
    monkeypatch.setenv("HOME", str(tmp_path))


async def test_two_sides_are_picked_looked_at_and_made_alike(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "compare")
    script(tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await take(pilot, "empty", "Nothing is compared yet.", "Press p")
        await type_in(pilot, "w")
        await until(pilot, lambda: "press p to pick two sides" in told(app))
        await type_in(pilot, "p")
        await see(pilot, "Left", "Right", "File")
        await type_in(pilot, "~/nowhere.sql", "<enter>")
        await see(pilot, "There is no file", "nowhere.sql")
        await fill_in(pilot, "right_file", "~/access.sql")
        await take(pilot, "pick", "~/access.sql", "(connected)", "(file)", sizes=("80x24",))
        await type_in(pilot, "<enter>")
        await see(pilot, "only right")
        await type_in(pilot, "<down>")  # boris
        await take(pilot, "page", "the password of anna", "IDENTIFIED WITH no_password", sizes=("160x48",))
        await take(pilot, "page", "embedded", "~/access.sql", "the password of anna", sizes=("80x24",))
        await type_in(pilot, "<enter>")
        await see(pilot, "IDENTIFIED WITH sha256_password", "IDENTIFIED WITH no_password", "not granted")
        await type_in(pilot, "<right>")
        await see(pilot, "Left: embedded", "GRANT analyst TO boris", "Right: ~/access.sql", "GRANT reader TO boris")
        await type_in(pilot, "<right>")
        await take(pilot, "statements", "To make left (embedded) like right", "names analyst", sizes=("160x48",))

        await pilot.resize_terminal(*WIDE)
        await type_in(pilot, "<escape>", "s")
        await see(pilot, "Snapshot of embedded")
        out = tmp_path / "now.sql"
        await fill_in(pilot, "path", str(out))
        await type_in(pilot, "<enter>")
        await see(pilot, "Exactly this runs", "Without password")
        await type_in(pilot, "R")
        await until(pilot, out.exists)
        assert out.stat().st_mode & 0o777 == 0o600
        saved = read_access_file(out)
        assert not saved.problems
        assert "contractor" in saved.model.users

        await see(pilot, "only right")
        await type_in(pilot, "a")
        await see(pilot, "Exactly this runs", "REVOKE analyst FROM boris")
        await type_in(pilot, "<escape>", "/", "hourly", "<enter>")
        await see(pilot, "1 of")
        await type_in(pilot, "a")
        await see(pilot, "Exactly this runs", "CREATE QUOTA hourly")
        await type_in(pilot, "R")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and not app.screen.table.shown)
        await type_in(pilot, "<escape>", "w")
        await see(pilot, "~/access.sql  and  embedded")
        await type_in(pilot, "A")
        await see(pilot, "Exactly this runs", "DROP USER contractor", "User contractor can no longer connect")
        await type_in(pilot, "<tab>", "R")
        await take(pilot, "same", "Nothing differs.", "have the same access", sizes=("80x24",))
        model = await model_of(app)
        assert "contractor" not in model.users
        assert model.granted_roles[Holder(EntityKind.USER, "boris")] == {"reader": False}

        await type_in(pilot, "p")
        await see(pilot, "Left", "Right")
        await fill_in(pilot, "left", "")
        await type_in(pilot, "<right>", "<tab>")  # from file to node
        await see(pilot, "Node")
        await fill_in(pilot, "left_node", "ch-2")
        await type_in(pilot, "<enter>")
        await see(pilot, "The profile names no cluster, so there is no node to read.")
        await fill_in(pilot, "left", "")
        await type_in(pilot, "<left>", "<left>", "<enter>")  # to another profile
        await see(pilot, "There is no other profile.")


async def test_a_broken_file_and_read_only_are_told(tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "compare", read_only=True)
    path = script(tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "Nothing is compared yet.", "READ-ONLY")
        await type_in(pilot, "p")
        await see(pilot, "Right")
        await type_in(pilot, str(path), "<enter>")
        await see(pilot, "only right")
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        for command in screen.commands():
            assert not command.modifies or screen.why_not(command).startswith("Read-only ("), command.id
        path.write_text(SCRIPT.replace("CREATE ROLE unused", "CREATE RULE unused"))
        await type_in(pilot, "r")
        await see(pilot, "stale: could not be read again")
        await type_in(pilot, "p", "<enter>")
        await see(pilot, "access.sql:4: column 8", "found 'RULE'", "pick another side")


async def test_picture_while_connecting_and_when_it_failed(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, never, "compare")
    async with app.run_test(size=WIDE) as pilot:
        await take(pilot, "connecting", "Connecting", sizes=("80x24",))
    app = console(tmp_path, opening(UnreachableError("No route to ch-1.", advice="Is it up?")), "compare")
    async with app.run_test(size=WIDE) as pilot:
        await take(pilot, "failed", "No route to ch-1.", "Press r to try again", sizes=("80x24",))


async def test_another_profile_is_opened_beside_this_one(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real server of another profile, asked for its password once; nothing is written there. Then a node."""
    be_clusters(monkeypatch)
    front = Front.start(tmp_path_factory.mktemp("front"))
    config = (
        f'[profiles.staging]\nurl = "http://127.0.0.1:{front.ports["plain"]}"\nuser = "{USER}"\npassword = "prompt"\n'
    )
    try:
        app = HousekeysApp(connected(start_in(tmp_path, config, screen="compare"), LIVE))
        async with app.run_test(size=WIDE) as pilot:
            await see(pilot, "Nothing is compared yet.", "26.9")
            await type_in(pilot, "p")
            await see(pilot, "Right")
            await fill_in(pilot, "right", "")
            await type_in(pilot, "<left>")
            await see(pilot, "(staging)")
            await type_in(pilot, "<enter>")
            await see(pilot, "A secret is needed")
            await type_in(pilot, PASSWORD, "<enter>")
            await see(pilot, "embedded  and  staging", "etl_night", "only left")

            session = app.connection.session
            assert session is not None
            session.profile = replace(session.profile, cluster="broken")
            await type_in(pilot, "p")
            await see(pilot, "Right", "(staging)")
            await fill_in(pilot, "right", "")
            await type_in(pilot, "<right>", "<right>", "<tab>")
            await see(pilot, "A node of the cluster broken: ctrl+o chooses.")
            await type_in(pilot, "ch-2", "<enter>")
            await see(pilot, "There is no node ch-2 in the cluster broken.", f"It has: {gethostname()}.")
            await type_in(pilot, "<ctrl+u>", "127.0.0.1:9", "<enter>")
            await see(pilot, "The node 127.0.0.1:9 of the cluster broken does not answer.")
            await pilot.press("ctrl+o")
            await see(pilot, "127.0.0.1:11", "does not answer")
            await type_in(pilot, gethostname(), "<enter>")
            await see(pilot, "Right", gethostname())
            await pilot.press("enter")
            await see(pilot, f"embedded  and  {gethostname()}", "Nothing differs.", "which tell no password")
    finally:
        front.close()
