"""Who can do something: how it is asked, what is answered, and the matrix of users and databases; on a real engine."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from core.errors import UnreachableError
from tests.console.album import Take
from tests.console.ledger import opened_with
from tests.console.sample_access import SAMPLE, console, hostile, running
from tests.console.starting import NARROW, WIDE, never, opening, told, until
from tests.console.walking import see, type_in
from tui.screens.matrix import MatrixScreen
from tui.screens.users import UsersScreen
from tui.screens.who_can import WhoCanScreen

DATABASES = [f"acme_{number:02}" for number in range(1, 21)]
MORE = (
    *(f"CREATE DATABASE {name}" for name in DATABASES),
    "CREATE USER clerk IDENTIFIED WITH no_password HOST LOCAL",
    "GRANT SELECT(id, at) ON sales.orders TO clerk",
    "GRANT reader TO etl_night",
    "ALTER USER etl_night DEFAULT ROLE loader",
    "CREATE ROW POLICY small ON sales.orders USING amount < 10 TO contractor",
)
LIVE = opened_with(prepare=running(*SAMPLE, *MORE))


async def test_a_question_is_chosen_answered_looked_into_and_written(
    take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = console(tmp_path, LIVE, "who-can", read_only=True)  # asking and writing change nothing in ClickHouse
    async with app.run_test(size=WIDE) as pilot:
        await take(pilot, "empty", "Who can do what, and where?")
        await type_in(pilot, "n", "sel")
        await take(pilot, "privilege", "SELECT", "displaySecretsInShowAndSelect")
        await type_in(pilot, "<enter>")
        await see(pilot, "*.*", "acme_01.*")
        await type_in(pilot, "sales.nowhere(")
        await take(pilot, "no-object", "Not an object yet.")
        await type_in(pilot, "<enter>", "<ctrl+u>", "sales.ord")
        await see(pilot, "sales.orders")
        await type_in(pilot, "<enter>")
        await see(pilot, "SELECT ON sales.orders  9", "etl_night", "after SET ROLE", "columns at, id", "some rows")
        await type_in(pilot, "<down>")
        await take(pilot, "answer", "all but card", "expired")
        await type_in(pilot, "<enter>")
        await take(pilot, "summary", "by analyst > reader: a part of it", "2: it only reads", sizes=("80x24",))
        await type_in(pilot, "<right>")
        for size in ("80x24", "160x48"):  # the page becomes the pane beside the table
            await take(pilot, "ways", "GRANT analyst TO anna", "taken back: SELECT(card)", sizes=(size,))

        await type_in(pilot, "<escape>", "E")
        await see(pilot, "Write who can SELECT ON sales.orders")
        file = tmp_path / "found.csv"
        await type_in(pilot, "<ctrl+u>", "found.txt")
        await see(pilot, "must end with .csv")
        await type_in(pilot, "<ctrl+u>", "found.csv", "<enter>")
        await until(pilot, lambda: "9 rows are written" in told(app))
        assert file.stat().st_mode & 0o777 == 0o600
        rows = {row["name"]: row for row in csv.DictReader(file.open())}
        assert (rows["clerk"]["has"], rows["clerk"]["columns"]) == ("only some columns", "at, id")
        assert (rows["etl_night"]["has"], rows["etl_night"]["active"]) == ("only after SET ROLE", "no")
        assert rows["anna"]["path"] == "analyst > reader"
        assert "GRANT SELECT ON sales.* TO reader" in rows["anna"]["statements"]
        await type_in(pilot, "E")
        await see(pilot, "Write who can")
        await type_in(pilot, "<ctrl+u>", "found.csv")
        await take(pilot, "there-already", "There is a file of this name.", sizes=("80x24",))
        await type_in(pilot, "<enter>")
        await see(pilot, "exists already")
        file.write_text("old")
        await type_in(pilot, "<tab>", "<space>", "<enter>")
        await until(pilot, lambda: file.read_text() != "old" and isinstance(app.screen, WhoCanScreen))

        await type_in(pilot, "p", "insert", "<enter>")  # about the same object
        await see(pilot, "INSERT ON sales.orders  3", "loader", "etl_night")
        await type_in(pilot, "b", "sales.orders(card)", "<enter>")
        await see(pilot, "INSERT(card) ON sales.orders", "etl_night")
        await type_in(pilot, "n", "kill query", "<enter>")  # of the whole server: no object is asked
        await see(pilot, "KILL QUERY ON *.*  1")
        await type_in(pilot, "n", "show access", "<enter>")
        await see(pilot, "*.*", "acme_01.*")
        await type_in(pilot, "<enter>")
        await see(pilot, "auditor", "after SET ROLE")
        await type_in(pilot, "<home>", "u")
        await until(pilot, lambda: isinstance(app.screen, UsersScreen) and app.screen.current is not None)
        users = app.screen
        assert isinstance(users, UsersScreen)
        await until(pilot, lambda: users.current is not None and users.current.name == "anna")


async def test_the_matrix_scrolls_tells_its_cells_and_is_written(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, LIVE, "who-can")
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "Who can do what")
        await type_in(pilot, "v")
        await take(pilot, "matrix", "anna on acme_01: reads all", "databases 1 to")
        await type_in(pilot, "b", "sales", "<enter>")
        await see(pilot, "anna on sales: reads a part", "sales")
        await type_in(pilot, "<down>", "<down>", "<down>", "<down>")
        await see(pilot, "datalens on sales: reads all, may pass on")
        await type_in(pilot, "/", "etl", "<enter>")
        await see(pilot, "etl_night on sales: writes a part; after SET ROLE: reads a part, writes a", "1 of 9")
        await type_in(pilot, "<enter>")
        await take(pilot, "cell", "INSERT ON sales.orders", "by loader", "by reader  (SET ROLE reader)")
        await type_in(pilot, "<escape>", "E")
        await see(pilot, "Write the matrix of 1 user")
        file = tmp_path / "matrix.json"
        await type_in(pilot, "<ctrl+u>", str(file), "<enter>")
        await until(pilot, file.exists)
        (row,) = json.loads(file.read_text())
        assert (row["user"], row["sales"], row["acme_01"]) == ("etl_night", "w(rw)", "")
        await see(pilot, "etl_night on sales")
        await type_in(pilot, "<escape>")
        await see(pilot, "9 users")
        await type_in(pilot, "<home>", "<less_than_sign>", "<less_than_sign>", "<less_than_sign>", "<left>")
        await see(pilot, "anna on acme_")
        screen = app.screen
        assert isinstance(screen, MatrixScreen)
        before = screen.grid.columns_in_sight
        await type_in(pilot, "<greater_than_sign>")
        await until(pilot, lambda: screen.grid.columns_in_sight.start > before.start)
        await type_in(pilot, "t")  # what DataLens reads is a client's
        await see(pilot, "1 tenant", "anna on sales")
        await type_in(pilot, "t", "r")
        await see(pilot, "9 users", "23 databases")
        await type_in(pilot, "v")
        await see(pilot, "Who can do what")


async def test_states_without_an_answer(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path / "1", never, "who-can")
    async with app.run_test(size=WIDE) as pilot:
        await take(pilot, "loading", "Connecting")
    app = console(tmp_path / "2", opening(UnreachableError("ch-1 does not answer.")), "who-can")
    async with app.run_test(size=WIDE) as pilot:
        await take(pilot, "error", "ch-1 does not answer.")
        await type_in(pilot, "n")
        await until(pilot, lambda: "Not connected" in told(app))
    app = console(tmp_path / "3", opened_with(prepare=running(*hostile())), "who-can")
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "Who can do what")
        await type_in(pilot, "v")
        await take(pilot, "no-databases", "[bold]x[/bold] on default: nothing")
        await type_in(pilot, "v", "n", "select", "<enter>")
        await see(pilot, "*.*")
        await type_in(pilot, "a.b", "<enter>")
        await see(pilot, "SELECT ON a.b  1", "default")
