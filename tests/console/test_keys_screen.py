"""The keys screen: what it shows in every state, and what its keys do, on a real engine."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import TextArea

from core.keys.key_ring import KeyRing
from core.keys.rotation import Action, NextStep
from core.keys.self_test import SelfTest
from core.keys.versions import Side
from tests.console.album import Take, take_start
from tests.console.ledger import (
    PASSPHRASE,
    keep_private,
    ledger,
    mark,
    opened_with,
    rotation,
    screen_of,
)
from tests.console.starting import NARROW, connected, never, start_in, text_of, told, until
from tests.console.walking import Seen, copies, run_change, see, type_in
from tests.unit.keys.sample_keys import openssl, private_pem, public_pem
from tui.app import HousekeysApp
from tui.screens.key_rows import next_words
from tui.screens.keys import KeysScreen
from tui.start import OpenSession

FULL = [*rotation(), *ledger()]


def console(folder: Path, how: OpenSession, *, read_only: bool | None = None) -> HousekeysApp:
    start = connected(start_in(folder, screen="keys"), how)
    return HousekeysApp(replace(start, read_only=read_only))


# -- pictures


async def test_pictures_until_there_are_keys(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, never)
    async with app.run_test(size=NARROW) as pilot:
        await take_start(take, pilot, opened_with())
        await take(pilot, "empty", "No keys yet.")
        await pilot.press("n")
        await take(pilot, "generate", "Make a partner")
        await pilot.press("escape", "i")
        await take(pilot, "import", "Import a key")
        await pilot.press("shift+tab", "right")
        await take(pilot, "import-own", "Its passphrase")


async def test_pictures_of_a_rotation(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(FULL))
    async with app.run_test(size=NARROW) as pilot:
        await type_in(pilot, Seen("SHA-256"), "o")
        await take(pilot, "public-half", "BEGIN PUBLIC KEY")
        session = app.connection.session
        assert session is not None
        keep_private(session, 2)
        await type_in(pilot, "<escape>", "r", Seen("locked"), "u")
        await take(pilot, "unlock", "Unlock partner")
        await type_in(pilot, "<escape>", "p")
        await take(pilot, "passphrase", "Present passphrase")
        keep_private(session, 3)
        await type_in(pilot, "<escape>", "r")
        await until(pilot, lambda: text_of(app).count(" locked ") == 2)
        await take(pilot, "rotation", "Next:", "3 days ago")


async def test_what_is_wrong_is_told_and_permissions_are_repaired_on_request(
    take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = SelfTest("This platform forbids SHA-1 signatures, which every DataLens token needs.", "Install the wheel.")
    monkeypatch.setattr("core.keys.self_test.self_test", lambda: failed)

    async def open_wide(session: Any) -> None:
        session.keys.store.path(2).chmod(0o644)

    app = console(tmp_path, opened_with(FULL, keys=[2], prepare=open_wide))
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "wrong", "forbids SHA-1", "mode 0644")
        await see(pilot, "partner-2.key is open to", "Press f")
        await pilot.press("f")
        await see(pilot, "set mode 0600 on")
        await run_change(pilot, "SHA-256")
        await until(pilot, lambda: "mode 0644" not in text_of(app))
        session = app.connection.session
        assert session is not None
        assert stat.S_IMODE(session.keys.store.path(2).stat().st_mode) == 0o600


# -- the walk


async def test_a_key_goes_from_made_to_active_by_keyboard_alone(tmp_path: Path) -> None:
    pem = tmp_path / "datalens.pem"
    pem.write_bytes(public_pem(8))
    app = console(tmp_path / "home", opened_with())
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "No keys yet.")
        await pilot.press("n")
        await see(pilot, "Make a partner key")
        await type_in(pilot, PASSPHRASE, "<tab>", PASSPHRASE, "<enter>")
        await run_change(pilot, "generated", "Next: send the public half of version 1")
        await pilot.press("s")
        await run_change(pilot, "submitted", "Next: when DataLens has confirmed version 1")
        await pilot.press("a")
        await run_change(pilot, "active", "Next: import the public key that DataLens sent")
        await pilot.press("i")
        await see(pilot, "Import a key")
        await type_in(pilot, "5", "<tab>", str(pem), "<enter>")
        await run_change(pilot, "Ready: press 4", "> DataLens  ")
        await pilot.press("u")
        await see(pilot, "Unlock partner key 1")
        await type_in(pilot, "wrong", "<enter>")
        await see(pilot, "does not open this key")
        await type_in(pilot, "<ctrl+u>", PASSPHRASE, "<enter>")
        await see(pilot, " unlocked ")
        await pilot.press("L")
        text = await see(pilot, " locked ")
        assert " unlocked " not in text
    assert PASSPHRASE.encode() not in b"".join(
        path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()
    )


async def test_keys_are_locked_when_idle_and_their_passphrase_is_changed_for_all(tmp_path: Path) -> None:
    clock = [0.0]
    app = console(tmp_path, opened_with(FULL, keys=[2]))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "SHA-256")
        session = app.connection.session
        assert session is not None
        session._keys = KeyRing(session.keys.store, 900, clock=lambda: clock[0])
        await pilot.press("r")
        await pilot.press("u")
        await see(pilot, "Unlock partner key 2")
        await type_in(pilot, PASSPHRASE, "<enter>")
        await see(pilot, " unlocked ")
        clock[0] = 901
        app._look_at_idleness()
        text = await see(pilot, " locked ")
        assert " unlocked " not in text
        keep_private(session, 3)
        await pilot.press("r", "p")
        await see(pilot, "Present passphrase")
        await type_in(pilot, "wrong", "<tab>", "new words", "<tab>", "new words", "<enter>")
        await see(pilot, "Partner key 2: The passphrase does not open this key.")
        await type_in(pilot, "<shift+tab>", "<shift+tab>", "<ctrl+u>", PASSPHRASE, "<enter>")
        await run_change(pilot, "SHA-256", "locked")
        await pilot.press("u")
        await see(pilot, "Unlock partner keys")
        await type_in(pilot, "new words", "<enter>")
        text = await see(pilot, " unlocked ")
        assert text.count(" unlocked ") == 2


async def test_a_private_half_comes_from_an_encrypted_file_and_leaves_encrypted_after_its_name_was_typed(
    tmp_path: Path,
) -> None:
    own, target = tmp_path / "own.pem", tmp_path / "private.pem"
    command = ("rsa", "-aes256", "-passout", "pass:old secret", "-traditional")
    own.write_bytes(openssl(*command, stdin=private_pem(4)))
    app = console(tmp_path / "home", opened_with(FULL, keys=[3]))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "SHA-256")
        await pilot.press("x")
        await see(pilot, "Unlock partner key 3")
        await type_in(pilot, PASSPHRASE, "<enter>")
        await see(pilot, "Export the private half")
        await type_in(
            pilot, "<shift+tab>", "<ctrl+u>", str(target), "<tab>", "too short", "<tab>", "too short", "<enter>"
        )
        await see(pilot, "at least 12 characters")
        await type_in(pilot, "<ctrl+u>", "long enough a phrase", "<shift+tab>", "<ctrl+u>")
        await type_in(pilot, "long enough a phrase", "<enter>")
        text = await see(pilot, "Exactly this runs", "Type partner-3")
        assert "PRIVATE KEY" not in text
        await type_in(pilot, "partner-3", "<enter>", "<enter>")
        await until(pilot, target.exists)
        await see(pilot, "SHA-256")
        await pilot.press("i")
        await see(pilot, "Import a key")
        await type_in(pilot, "<shift+tab>", "<right>", "<tab>", "4", "<tab>", str(own), "<tab>", "old secret", "<tab>")
        await type_in(pilot, "<tab>", "another one", "<enter>")
        await see(pilot, "does not open this key")
        await type_in(pilot, "<ctrl+u>", PASSPHRASE, "<enter>")
        await run_change(pilot, "locked", "generated")
        session = app.connection.session
        assert session is not None
        assert session.keys.store.versions() == [3, 4]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert openssl("pkey", "-in", str(target), "-passin", "pass:long enough a phrase", "-pubout") == public_pem(3)


async def test_forms_refuse_a_key_of_the_wrong_kind_passphrases_that_differ_and_none_unless_it_is_insisted(
    tmp_path: Path,
) -> None:
    app = console(tmp_path, opened_with())
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "No keys yet.")
        await pilot.press("i")
        await see(pilot, "Import a key")
        await type_in(pilot, "1", "<tab>", "<tab>")
        app.screen.query_one(TextArea).text = private_pem(1).decode()
        await type_in(pilot, "<tab>", "<enter>")
        text = await see(pilot, "This is a private key; the public half is wanted.")
        assert "A private key must not leave its owner" in text
        await pilot.press("escape", "n")
        await see(pilot, "Make a partner key")
        await type_in(pilot, "one thing", "<tab>", "another", "<enter>")
        await see(pilot, "The two passphrases differ.")
        await pilot.press("escape", "n")
        await see(pilot, "Make a partner key")
        await type_in(pilot, "<shift+tab>", "<right>", "<enter>")
        await see(pilot, "open to whoever reads the file")
        await type_in(pilot, "<tab>", "<space>", "<enter>")
        await run_change(pilot, "open file")


async def test_a_key_has_a_history_without_pem_a_public_half_to_hand_out_and_retired_it_stays_in_sight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.pem"
    app = console(tmp_path / "home", opened_with(FULL, keys=[2]))
    copied = copies(monkeypatch)
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "SHA-256")
        await pilot.press("enter")
        await see(pilot, "[Summary]")
        await pilot.press("tab")
        await see(pilot, "BEGIN PUBLIC KEY")
        await pilot.press("tab")
        text = await see(pilot, "submit", "by anna@bastion")
        assert "BEGIN" not in text
        await pilot.press("escape", "o")
        await see(pilot, "BEGIN PUBLIC KEY")
        await pilot.press("y", "w")
        await see(pilot, "Write the public half")
        await type_in(pilot, "<ctrl+u>", str(target), "<enter>")
        await run_change(pilot, "BEGIN PUBLIC KEY")
        await until(pilot, target.exists)
        assert copied == [target.read_text()]
        assert f"SHA-256 fingerprint: {mark('3')}" in copied[0]
        await pilot.press("escape")
        screen = screen_of(pilot)
        assert isinstance(screen, KeysScreen)
        screen.table.move_to("datalens:2")
        await pilot.press("a")
        assert "done with your own keys only" in told(app)
        screen.table.move_to("datalens:1")
        await pilot.press("R")
        text = await see(pilot, "Retire DataLens key 1")
        assert "1 token made with it" in text
        await pilot.press("R")
        await until(pilot, lambda: [r.version.state.value for r in screen.table.shown].count("retired") == 2)


async def test_read_only_says_why_nothing_can_be_changed(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(FULL), read_only=True)
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "read-only", "READ-ONLY", "Next:")
        for key in ("n", "i", "s", "a", "R", "x", "p", "f"):
            app.clear_notifications()
            await pilot.press(key)
            assert "Read-only (--read-only)" in told(app)
        assert isinstance(screen_of(pilot), KeysScreen)


# -- the next step in words


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("side", Side)
def test_every_step_has_words(action: Action, side: Side) -> None:
    words = next_words([NextStep(action, side, 2, 1)])
    assert words.startswith("Next: ")
    assert words.endswith(".")
