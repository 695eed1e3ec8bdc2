"""The keys screen: what it shows in every state, and what its keys do, on a real engine."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import TextArea

from core.errors import UnreachableError
from core.keys.key_ring import KeyRing
from core.keys.rotation import Action, NextStep
from core.keys.self_test import SelfTest
from core.keys.versions import Side
from tests.console.both_sizes import Pictures
from tests.console.ledger import (
    PASSPHRASE,
    ledger,
    mark,
    opened_with,
    rotation,
    screen_of,
)
from tests.console.starting import NARROW, connected, never, opening, start_in, text_of, told, until
from tests.console.walking import Walk, copies, run_change, see, showing, then, type_in
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


@pytest.mark.parametrize(
    ("how", "read_only", "walk"),
    [
        pytest.param(opened_with(FULL, keys=[2, 3]), None, showing("Next:", "3 days ago"), id="rotation"),
        pytest.param(opened_with(), None, showing("No keys yet."), id="empty"),
        pytest.param(opened_with(FULL), True, showing("READ-ONLY", "Next:"), id="read-only"),
        pytest.param(never, None, showing("Connecting"), id="loading"),
        pytest.param(
            opening(UnreachableError("Cannot connect to ch-1.example:8443.", advice="Check host and port.")),
            None,
            showing("Cannot connect", "Press r"),
            id="error",
        ),
        pytest.param(opened_with(), None, then("n", see_first="No keys", see_last="Make a partner"), id="generate"),
        pytest.param(opened_with(), None, then("i", see_first="No keys", see_last="Import a key"), id="import"),
        pytest.param(
            opened_with(),
            None,
            then("i", "<shift+tab>", "<right>", see_first="No keys", see_last="Its passphrase"),
            id="import-own",
        ),
        pytest.param(opened_with(FULL), None, then("o", see_last="BEGIN PUBLIC KEY"), id="public-half"),
        pytest.param(opened_with(FULL, keys=[2]), None, then("u", see_last="Unlock partner"), id="unlock"),
        pytest.param(opened_with(FULL, keys=[2]), None, then("p", see_last="Present passphrase"), id="passphrase"),
    ],
)
def test_picture(pictures: Pictures, tmp_path: Path, how: OpenSession, read_only: bool | None, walk: Walk) -> None:
    app = console(tmp_path, how, read_only=read_only)
    assert pictures(app, walk)


def test_picture_of_what_is_wrong(pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = SelfTest("This platform forbids SHA-1 signatures, which every DataLens token needs.", "Install the wheel.")
    monkeypatch.setattr("core.keys.self_test.self_test", lambda: failed)

    async def open_wide(session: Any) -> None:
        session.keys.store.path(2).chmod(0o644)

    app = console(tmp_path, opened_with(FULL, keys=[2], prepare=open_wide))
    assert pictures(app, showing("forbids SHA-1", "mode 0644"))


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
        await run_change(pilot, "Ready: press 4", "DataLens  ")
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


async def test_idleness_locks_and_the_screen_says_so(tmp_path: Path) -> None:
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


async def test_an_own_key_is_imported_from_an_encrypted_file(tmp_path: Path) -> None:
    pem = tmp_path / "own.pem"
    command = ("rsa", "-aes256", "-passout", "pass:old secret", "-traditional")
    pem.write_bytes(openssl(*command, stdin=private_pem(4)))
    app = console(tmp_path / "home", opened_with(FULL, keys=[2]))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "SHA-256")
        await pilot.press("i")
        await see(pilot, "Import a key")
        await type_in(pilot, "<shift+tab>", "<right>", "<tab>", "4", "<tab>", str(pem), "<tab>", "old secret", "<tab>")
        await type_in(pilot, "<tab>", "another one", "<enter>")
        await see(pilot, "does not open this key")
        await type_in(pilot, "<ctrl+u>", PASSPHRASE, "<enter>")
        await run_change(pilot, "locked", "generated")
        session = app.connection.session
        assert session is not None
        assert session.keys.store.versions() == [2, 4]


async def test_a_pasted_key_of_the_wrong_kind_is_refused_in_the_form(tmp_path: Path) -> None:
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


async def test_the_passphrase_is_changed_for_every_key_here(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(FULL, keys=[2, 3]))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "SHA-256")
        await pilot.press("p")
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


async def test_two_passphrases_that_differ_are_refused(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with())
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "No keys yet.")
        await pilot.press("n")
        await see(pilot, "Make a partner key")
        await type_in(pilot, "one thing", "<tab>", "another", "<enter>")
        await see(pilot, "The two passphrases differ.")


async def test_a_key_without_a_passphrase_takes_insisting(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with())
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "No keys yet.")
        await pilot.press("n")
        await see(pilot, "Make a partner key")
        await type_in(pilot, "<shift+tab>", "<right>", "<enter>")
        await see(pilot, "open to whoever reads the file")
        await type_in(pilot, "<tab>", "<space>", "<enter>")
        await run_change(pilot, "open file")


async def test_a_retired_key_stays_in_sight_and_its_tokens_are_counted(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(FULL, keys=[2]))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "SHA-256")
        screen = screen_of(pilot)
        assert isinstance(screen, KeysScreen)
        screen.table.move_to("datalens:1")
        await pilot.press("R")
        text = await see(pilot, "Retire DataLens key 1")
        assert "1 token made with it" in text
        await pilot.press("R")
        await until(pilot, lambda: [r.version.state.value for r in screen.table.shown].count("retired") == 2)


async def test_what_is_done_with_own_keys_is_not_done_with_those_of_datalens(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(FULL))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "SHA-256")
        screen = screen_of(pilot)
        assert isinstance(screen, KeysScreen)
        screen.table.move_to("datalens:2")
        await pilot.press("a")
        assert "done with your own keys only" in told(app)


async def test_the_public_half_is_copied_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out.pem"
    app = console(tmp_path / "home", opened_with(FULL))
    copied = copies(monkeypatch)
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "SHA-256")
        await pilot.press("o")
        await see(pilot, "BEGIN PUBLIC KEY")
        await pilot.press("y", "w")
        await see(pilot, "Write the public half")
        await type_in(pilot, "<ctrl+u>", str(target), "<enter>")
        await run_change(pilot, "BEGIN PUBLIC KEY")
        await until(pilot, target.exists)
    assert copied == [target.read_text()]
    assert f"SHA-256 fingerprint: {mark('3')}" in copied[0]


async def test_the_private_half_leaves_only_encrypted_and_after_its_name_was_typed(tmp_path: Path) -> None:
    target = tmp_path / "private.pem"
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
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert openssl("pkey", "-in", str(target), "-passin", "pass:long enough a phrase", "-pubout") == public_pem(3)


async def test_permissions_are_repaired_on_request(tmp_path: Path) -> None:
    async def open_wide(session: Any) -> None:
        session.keys.store.path(2).chmod(0o644)

    app = console(tmp_path, opened_with(FULL, keys=[2], prepare=open_wide))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "partner-2.key is open to", "Press f")
        await pilot.press("f")
        await see(pilot, "set mode 0600 on")
        await run_change(pilot, "SHA-256")
        await until(pilot, lambda: "mode 0644" not in text_of(app))
        session = app.connection.session
        assert session is not None
        assert stat.S_IMODE(session.keys.store.path(2).stat().st_mode) == 0o600


async def test_read_only_says_why_nothing_can_be_changed(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(FULL), read_only=True)
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "SHA-256")
        for key in ("n", "i", "s", "a", "R", "x", "p", "f"):
            app.clear_notifications()
            await pilot.press(key)
            assert "Read-only (--read-only)" in told(app)
        assert isinstance(screen_of(pilot), KeysScreen)


async def test_the_history_of_a_key_has_no_pem(tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(FULL))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "SHA-256")
        await pilot.press("enter")
        await see(pilot, "[Summary]")
        await pilot.press("tab")
        await see(pilot, "BEGIN PUBLIC KEY")
        await pilot.press("tab")
        text = await see(pilot, "submit", "by anna@bastion")
        assert "BEGIN" not in text


# -- the next step in words


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("side", Side)
def test_every_step_has_words(action: Action, side: Side) -> None:
    words = next_words([NextStep(action, side, 2, 1)])
    assert words.startswith("Next: ")
    assert words.endswith(".")
