"""The screen of access files: opened, judged, converted, applied and edited, on a real engine and real files."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from core.access_reports.files import read_access_file
from core.errors import UnreachableError
from tests.console.album import Take
from tests.console.ledger import opened_with
from tests.console.sample_access import SAMPLE, console, model_of, running
from tests.console.sample_access_files import DIGEST, SCRIPT, USERS_XML, configuration, script
from tests.console.starting import WIDE, opening, told, until
from tests.console.walking import fill_in, see, type_in
from tui.screens.access_files import AccessFilesScreen

LIVE = opened_with(prepare=running(*SAMPLE))


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths below the temporary folder are shown as `~/…`, and are the same in every picture."""
    monkeypatch.setenv("HOME", str(tmp_path))


async def open_file(pilot: Pilot[None], path: str) -> None:
    await type_in(pilot, "o")
    await see(pilot, "File or folder")
    await fill_in(pilot, "path", path)
    await type_in(pilot, "<enter>")


async def edited(pilot: Pilot[None], path: Path) -> str:
    """Say yes to an edit that is shown; what the file says then."""
    before = said(path)
    await see(pilot, "Exactly this runs", "As it was it is kept")
    await type_in(pilot, "R")
    await until(pilot, lambda: said(path) != before)
    await see(pilot, "Access files")
    return said(path)


def said(path: Path) -> str:
    return path.read_text()


def backups(folder: Path) -> list[Path]:
    """The copies of files that were edited, the first one first."""
    return sorted(folder.glob("*.bak*"), key=lambda path: (len(path.name), path.name))


async def test_a_configuration_is_browsed_judged_converted_and_edited(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, opening(UnreachableError("No route to ch-1.")), "access-files")  # needs no server
    async with app.run_test(size=WIDE) as pilot:
        await take(pilot, "empty", "No file is open.", "Press o")
        await open_file(pilot, "~/nowhere.xml")
        await see(pilot, "There is no file", "nowhere.xml")
        (tmp_path / "broken.sql").write_text("CREATE ROLE r;\nCREATE USR x;\n")
        (tmp_path / "no.sql").write_text("\n\nCREATE USR x;\n")
        await fill_in(pilot, "path", "~/no.sql")
        await type_in(pilot, "<enter>")
        await see(pilot, "'USR'.", "Correct the file, or open another.")
        await fill_in(pilot, "path", "~/broken.sql")
        await type_in(pilot, "<enter>")
        await see(pilot, "'USR'.", "broken.sql:1", "no grants")
        await type_in(pilot, "x")
        await until(pilot, lambda: "The file has errors" in told(app))

        main = configuration(tmp_path)
        main.chmod(0o640)
        await open_file(pilot, str(main))
        await see(pilot, "users.xml  xml  10", "analyst.xml:3")
        await type_in(pilot, "<down>", "<down>")  # etl
        await take(pilot, "page", "~/users.xml:32", "is kept as", sizes=("160x48",))
        await take(pilot, "page", "users.xml:32", "plaintext", sizes=("80x24",))
        await type_in(pilot, "<enter>", "<right>")
        await see(pilot, "[Effective]", "INSERT ON sales.*", "itself")
        await type_in(pilot, "<right>")
        await see(pilot, "CREATE USER etl IDENTIFIED WITH sha256_password BY '[HIDDEN]'", "Lost", "SHA-256 hash")
        await type_in(pilot, "<right>")
        await take(pilot, "xml", "<password>[HIDDEN]</password>", "loader.example", sizes=("80x24",))
        await type_in(pilot, "<right>")
        await see(pilot, "[Origin]", "~/users.xml:32", "is kept as plaintext")
        await type_in(pilot, "<escape>")

        await pilot.resize_terminal(*WIDE)
        await type_in(pilot, "l", "<down>", "<down>")
        await take(pilot, "lint", "password-plaintext", "SHA-256", sizes=("160x48",))
        await type_in(pilot, "f")
        text = await edited(pilot, main)
        assert "hunter2" not in text
        assert "<!-- The only one who may come from everywhere. -->" in text
        assert text.partition("<etl>")[0] == USERS_XML.partition("<etl>")[0]
        assert text.partition("</etl>")[2] == USERS_XML.partition("</etl>")[2]
        (backup,) = backups(tmp_path)
        assert "hunter2" in backup.read_text()
        assert (main.stat().st_mode & 0o777, backup.stat().st_mode & 0o777) == (0o640, 0o600)  # ClickHouse reads it

        await see(pilot, "users.xml  xml  10")
        await type_in(pilot, "/", "hourly", "<enter>")
        await see(pilot, "1 of 10")
        await type_in(pilot, "x")
        assert "hourly" not in await edited(pilot, main)
        await type_in(pilot, "U")  # there are hashes in the file: the copy is put back
        await see(pilot, "Undo: Drop quota hourly", "Exactly this runs", backups(tmp_path)[1].name)
        await type_in(pilot, "R")
        await until(pilot, lambda: said(main) == text)
        await see(pilot, "1 of 10")
        assert backups(tmp_path) == [backup]
        await type_in(pilot, "x")
        text = await edited(pilot, main)
        assert "hourly" not in text
        assert "grafana" in text
        assert "hourly" in backups(tmp_path)[1].read_text()
        await type_in(pilot, "<escape>", "/", "analyst", "<enter>")
        await see(pilot, "2 of 9")
        await type_in(pilot, "m")
        await see(pilot, "Rename user analyst in the file")
        await fill_in(pilot, "name", "reporter")
        await type_in(pilot, "<enter>")
        await see(pilot, "Exactly this runs", "<reporter>")
        await type_in(pilot, "<escape>")

        out = tmp_path / "access.sql"
        await type_in(pilot, "v")
        await see(pilot, "Format", "File")
        await fill_in(pilot, "path", "~/access.sql")
        await take(pilot, "convert", "CREATE USER etl", "SELECT ON sales", sizes=("160x48",))
        await type_in(pilot, "<enter>")
        await see(pilot, "Exactly this runs", "CREATE ROLE reader;")
        await type_in(pilot, "R")
        await until(pilot, out.exists)
        assert out.stat().st_mode & 0o777 == 0o600
        assert DIGEST.upper() in out.read_text().upper()
        await see(pilot, "Access files")
        await type_in(pilot, "v")
        await see(pilot, "Format", "File")
        await fill_in(pilot, "path", str(out))
        await see(pilot, "There is a file of this name.")
        await type_in(pilot, "<enter>")
        await see(pilot, "exists already")

        await type_in(pilot, "<escape>")
        plain = tmp_path / "plain.sql"
        plain.write_text("CREATE ROLE a;\nCREATE ROLE b; -- kept\n")
        await open_file(pilot, str(plain))
        await see(pilot, "plain.sql  sql")
        await type_in(pilot, "<escape>", "<home>", "x")
        assert await edited(pilot, plain) == "CREATE ROLE b; -- kept\n"
        await type_in(pilot, "U")
        await see(pilot, "Undo: Drop role a from plain.sql", "Exactly this runs")
        await type_in(pilot, "R")
        await until(pilot, lambda: said(plain) == "CREATE ROLE a;\nCREATE ROLE b; -- kept\n")


async def test_a_script_is_applied_compared_and_takes_from_the_server(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "access-files")
    path = script(tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "No file is open.", "26.9")
        await open_file(pilot, str(path))
        await see(pilot, "access.sql  sql  5")
        await type_in(pilot, "a")
        await take(pilot, "apply", "ALTER USER boris", "CREATE QUOTA hourly", sizes=("160x48",))
        await type_in(pilot, "<enter>")
        await see(pilot, "Exactly this runs")
        await type_in(pilot, "R")
        await see(pilot, "access.sql  sql  5")
        model = await model_of(app)
        assert "hourly" in model.quotas
        assert "contractor" in model.users  # at least
        await type_in(pilot, "a")
        await see(pilot, "Nothing: it holds this already.")
        await type_in(pilot, "<right>")
        await see(pilot, "DROP USER contractor")
        await type_in(pilot, "<escape>", "t")
        await see(pilot, "role loader")
        await type_in(pilot, "loader", "<enter>")
        text = await edited(pilot, path)
        assert text.startswith(SCRIPT)
        assert text.endswith("CREATE ROLE loader;\nGRANT INSERT ON sales.orders TO loader;\n")

        await see(pilot, "access.sql  sql  6")
        await type_in(pilot, "/", "boris", "<enter>")
        await see(pilot, "1 of 6")
        await type_in(pilot, "x")
        await see(pilot, "Exactly this runs")
        path.write_text(path.read_text() + "-- a word of somebody else\n")
        await type_in(pilot, "R")
        await take(pilot, "conflict", "Changed by someone else", "+-- a word of somebody else")
        assert "boris" in path.read_text()
        await type_in(pilot, "<tab>", "<enter>")
        await see(pilot, "1 of 6")
        await type_in(pilot, "x")
        text = await edited(pilot, path)
        assert "boris" not in text
        assert {"-- People", "-- a word of somebody else", "GRANT reader TO anna;"} <= set(text.splitlines())
        assert not read_access_file(path).problems

        await pilot.resize_terminal(*WIDE)
        await type_in(pilot, "<escape>", "c")
        await see(pilot, "Compare", "embedded  and  ~/access.sql", "only left", "contractor")


async def test_read_only_writes_no_file(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "access-files", read_only=True)
    path = script(tmp_path)
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "No file is open.", "READ-ONLY")
        await open_file(pilot, str(path))
        await take(pilot, "read-only", "access.sql  sql  5", "READ-ONLY", "Findings", sizes=("160x48",))
        await take(pilot, "read-only", "access.sql  sql  5", "READ-ONLY", sizes=("80x24",))
        screen = app.screen
        assert isinstance(screen, AccessFilesScreen)
        for command in screen.commands():
            assert not command.modifies or screen.why_not(command).startswith("Read-only ("), command.id
        await type_in(pilot, "x")
        await until(pilot, lambda: "no file can be written" in told(app))
        assert path.read_text() == SCRIPT
