"""The calculator of password hashes: found by typing, works without a server, keeps and logs nothing."""

from __future__ import annotations

from pathlib import Path

import bcrypt
import pytest
from textual.pilot import Pilot

from core.access.model import AuthKind
from core.access.passwords import hash_password
from core.secrets import Secret
from tests.console.both_sizes import Pictures
from tests.console.starting import start_in, text_of, until
from tests.console.walking import copies, fill_in, see, type_in
from tui.app import HousekeysApp
from tui.screens.password_hashes import Hashed, HashScreen

STRONG = "Correct-Horse-2"
SHA256 = "65e84be33532fb784c48129675f9eff3a682b27168c0ea744b2cf58ee02337c5"  # of qwerty, as in ClickHouse's users.xml


async def open_calculator(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await type_in(pilot, "<colon>", "hash", "<enter>")
    await see(pilot, "Hash a password", "The same in a shell", "sha256sum")


def written(folder: Path) -> list[Path]:
    """The files that there are."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_picture_of_the_page(pictures: Pictures, tmp_path: Path) -> None:
    password = Secret(STRONG)
    hashed = Hashed(password, hash_password(password, AuthKind.DOUBLE_SHA1), made_up=False)

    async def walk(pilot: Pilot[None]) -> None:
        await pilot.pause()
        pilot.app.push_screen(HashScreen(hashed))
        await see(pilot, "Password hash: double sha1")

    assert pictures(HousekeysApp(start_in(tmp_path)), walk)


async def test_a_typed_and_a_made_up_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = HousekeysApp(start_in(tmp_path))  # it never connects
    sent = copies(monkeypatch)
    async with app.run_test(size=(100, 40)) as pilot:
        await open_calculator(pilot)
        await type_in(pilot, "<tab>", "<tab>", "<right>", "<tab>", "qwerty", "<tab>", "qwerty")
        await pilot.press("enter")
        await see(pilot, "The password is too weak: it has fewer than 12 characters")
        await type_in(pilot, "<tab>", "<space>", "<enter>")
        page = await see(
            pilot, "Password hash: sha256", "It is weak:", SHA256, "asks for the password, prints the hash"
        )
        assert "qwerty" not in page
        await type_in(pilot, "x", "s", "b", "<space>")
        assert sent[0] == f"<password_sha256_hex>{SHA256}</password_sha256_hex>"
        assert sent[1] == f"IDENTIFIED WITH sha256_hash BY '{SHA256.upper()}'"
        assert "sha256sum" in sent[2] and "qwerty" not in sent[2]
        await see(pilot, "qwerty")
        await pilot.press("escape")

        await type_in(pilot, "<ctrl+p>", "hash a pass", "<enter>")
        await see(pilot, "Hash a password")
        await type_in(pilot, "<right>", "<right>")
        await see(pilot, "bcrypt.checkpw")
        await fill_in(pilot, "factor", "3")
        await see(pilot, "A work factor is 4 to 31.")
        await fill_in(pilot, "factor", "4")
        await type_in(pilot, "<tab>", "<tab>", "<tab>", "<left>")
        await fill_in(pilot, "characters", "aB3?")
        await pilot.press("enter")
        await see(pilot, "A password from 4 different characters has 32 to 256 of them, not 24.")
        await fill_in(pilot, "length", "40")
        await pilot.press("enter")
        await see(pilot, "Password hash: bcrypt", "users.xml has no place for it")
        await pilot.press("x")
        await until(pilot, lambda: len(sent) == 3 and "no place" in "".join(n.message for n in app._notifications))
        await pilot.press("escape")
        await see(pilot, "You have neither seen nor copied the password.")
        await type_in(pilot, "<escape>", "s", "y", "<escape>")
        await until(pilot, lambda: not isinstance(app.screen, HashScreen))
        clause, password = sent[3:]
        assert set(password) == set("aB3?") and len(password) == 40
        assert bcrypt.checkpw(password.encode(), clause.split("'")[1].encode())
        assert password not in text_of(app)
        assert written(tmp_path) == [], "no journal, no log, nothing"
