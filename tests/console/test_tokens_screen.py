"""The tokens screen: issuing, handing over once, verifying, marking and reissuing, on a real engine."""

from __future__ import annotations

import csv
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from core.keys.versions import KeyState, Side, find, key_versions
from core.session import Session
from core.tokens.handing_over import LIST_COLUMNS
from core.tokens.ledger import tokens_issued
from core.tokens.verifying import Finding, Verification
from tests.console.album import Take
from tests.console.ledger import (
    HOSTILE,
    PASSPHRASE,
    ledger,
    mark,
    opened_with,
    ready_to_issue,
    rotation,
    screen_of,
    tenants,
    with_keys,
)
from tests.console.starting import NARROW, REFUSED, WIDE, connected, never, opening, start_in, told, until
from tests.console.walking import Seen, copies, issue_for, reconnect, run_change, see, type_in
from tests.unit.keys.sample_keys import private_pem, public_pem
from tests.unit.tokens.receiver import Receiver
from tui.app import HousekeysApp
from tui.screens.tokens import TokensScreen
from tui.screens.verification import VerificationScreen
from tui.start import OpenSession

FULL = [*rotation(), *ledger()]


def console(folder: Path, how: OpenSession, *, read_only: bool | None = None, screen: str = "tokens") -> HousekeysApp:
    start = connected(start_in(folder, screen=screen), how)
    return HousekeysApp(replace(start, read_only=read_only))


# -- pictures


GOOD = Verification(
    (
        Finding("structure", True, "Four parts, 256 bytes each of data and signature."),
        Finding("DataLens key version", True, "2 is active."),
        Finding("partner key version", None, "1 is retired: once DataLens has dropped it, the token is refused."),
        Finding("signature", True, "Good, by partner key 1 (10123456789abcde…)."),
        Finding("ledger", True, "Issued for acme_prod by anna, 2026-09-23 12:00:00 UTC."),
        Finding("state", True, "Marked delivered, 2026-09-23 13:00:00 UTC."),
    ),
    mark("c"),
)
BAD = Verification(
    (
        Finding("structure", True, "Four parts, 256 bytes each of data and signature."),
        Finding("DataLens key version", False, "9 is not known here."),
        Finding("partner key version", True, "2 is active."),
        Finding("signature", False, "It is not by partner key 2, or the token was altered."),
        Finding("ledger", None, "It is not in the ledger: it was not issued through this journal."),
    ),
    mark("e"),
)


async def test_pictures_until_there_are_tokens(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, never)
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "loading", "Connecting")
        for name, verification, words in (("good", GOOD, "takes this token"), ("bad", BAD, "would refuse")):
            app.push_screen(VerificationScreen(verification))
            await take(pilot, name, words)
            await pilot.press("escape")
        await reconnect(pilot, opening(REFUSED))
        await take(pilot, "error", "Cannot connect", "Press r")
        await reconnect(pilot, opened_with())
        await take(pilot, "empty", "No tokens yet.")
        await pilot.press("n")
        await see(pilot, "No partner key is active", "Press r to try again")


async def test_pictures_of_tokens_and_of_what_is_done_with_them(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(FULL))
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "ledger", "initech", "12 min ago")
        for name, key, words in (
            ("verify", "v", "Verify a token"),
            ("mark", "m", "What became"),
            ("reissue", "b", "in use now"),
        ):
            await pilot.press(key)
            await take(pilot, name, words)
            await pilot.press("escape")
        assert app.connection.session is not None
        await tenants(app.connection.session, "acme_prod", "globex", HOSTILE)
        await type_in(pilot, "n", Seen("globex"), "<enter>", "<space>")
        await take(pilot, "choose", "1 marked")


# -- the walk


async def test_a_token_is_issued_handed_over_verified_and_opened_by_keyboard_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = copies(monkeypatch)
    pem = tmp_path / "datalens-private.pem"
    pem.write_bytes(private_pem(7))
    app = console(tmp_path / "home", ready_to_issue("acme_prod", "zeta"))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "No tokens yet.")
        await issue_for(pilot, PASSPHRASE, "acme", "<enter>", "<enter>")
        text = await see(pilot, "Issue a token for acme_prod", "DataLens key 7", "partner key 1")
        await type_in(pilot, "ticket 42", "<enter>")
        text = await run_change(pilot, "The token is hidden.")
        assert "7:1:" not in text
        await pilot.press("space")
        text = await see(pilot, "7:1:")
        await pilot.press("y")
        token = copied[0]
        assert token in "".join(text.split())
        await pilot.press("space")
        assert "7:1:" not in await see(pilot, "The token is hidden.")
        await pilot.press("D")
        await run_change(pilot, "delivered", "The token is hidden.")
        await pilot.press("escape")
        await see(pilot, "TENANT", "acme_prod", "delivered", "7:1")
        await pilot.press("v")
        await see(pilot, "Verify a token")
        await type_in(pilot, token, "<enter>")
        text = await see(pilot, "DataLens takes this token", "Issued for acme_prod", "Marked delivered")
        assert token[4:40] not in text
        await type_in(pilot, "<escape>", "v", Seen("Verify a token"), token, "<tab>", str(pem), "<enter>")
        await see(pilot, "It opens acme_prod.")
        await type_in(pilot, "<escape>", "v", Seen("Verify a token"), "1:2:abc", "<enter>")
        await see(pilot, "DataLens would refuse this token", "has 3 parts")
        session = app.connection.session
        assert session is not None
        partner = find(await key_versions(session.journal), Side.PARTNER, 1)
    receiver = Receiver({"7": private_pem(7)}, {"1": partner.public_pem.encode()})
    assert receiver.accept(token) == "acme_prod"


async def test_many_tokens_go_to_a_csv_file(tmp_path: Path) -> None:
    target = tmp_path / "tokens.csv"
    app = console(tmp_path / "home", ready_to_issue("acme_prod", "zeta", HOSTILE))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "No tokens yet.")
        await issue_for(pilot, PASSPHRASE, "<enter>", "*", "<enter>")
        await see(pilot, "Issue 3 tokens", "a CSV file")
        await type_in(pilot, "<tab>", "<tab>", "<ctrl+u>", str(target), "<enter>")
        await run_change(pilot, "TENANT", "acme_prod", "zeta")
        assert "Only you can read it" in told(app) or target.exists()
        session = app.connection.session
        assert session is not None
        issued = {token.tenant: token.fingerprint for token in await tokens_issued(session.journal)}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["tenant"]: row["fingerprint"] for row in rows} == issued
    assert set(issued) == {"acme_prod", "zeta", HOSTILE}


async def test_a_hostile_name_is_shown_literally_everywhere(tmp_path: Path) -> None:
    literal = "[b]x[/b] \\x1b[31m\\n\\u202e`'\\ 🦊"
    app = console(tmp_path, ready_to_issue(HOSTILE))
    async with app.run_test(size=WIDE) as pilot:
        await see(pilot, "No tokens yet.")
        await pilot.press("n")
        assert literal in await see(pilot, "for whom?", "OWNER", "TABLES", "[b]")
        await type_in(pilot, "<enter>", "<enter>")
        await see(pilot, "Unlock partner key 1")
        await type_in(pilot, PASSPHRASE, "<enter>")
        assert literal in await see(pilot, "Issue a token for")
        await pilot.press("enter")
        assert literal in await run_change(pilot, "The token is hidden.")
        await pilot.press("space", "escape")
        assert literal in await see(pilot, "TENANT", "issued")


async def test_tokens_are_reissued_after_a_rotation(tmp_path: Path) -> None:
    target = tmp_path / "new.csv"

    async def rotated(session: Session) -> None:
        from core.keys.planning import plan_import_datalens
        from core.keys.versions import issuing_keys
        from core.secrets import Secret
        from core.tokens.planning import issuer_for, plan_issue

        await with_keys(session, "acme_prod", "zeta")
        await session.keys.unlock([1], Secret(PASSPHRASE))
        issuer = issuer_for(issuing_keys(await key_versions(session.journal)), session.keys)
        made = await plan_issue(session.engine, issuer, ["acme_prod", "zeta"], datalens_user="datalens")
        await session.runner.run(made.change)
        await session.runner.run(plan_import_datalens(await key_versions(session.journal), 8, public_pem(8)))

    app = console(tmp_path / "home", opened_with(prepare=rotated))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "acme_prod")
        await pilot.press("b")
        await see(pilot, "Tokens to reissue", "keys in use now: 8:1", "7:1")
        await pilot.press("enter")
        await see(pilot, "Reissue 2 tokens")
        await type_in(pilot, "<ctrl+u>", str(target), "<enter>")
        await run_change(pilot, "Nothing must be reissued.")
        await pilot.press("escape")
        await see(pilot, "8:1", "7:1", "void")
        session = app.connection.session
        assert session is not None
        states = sorted((t.datalens_version, t.state.value) for t in await tokens_issued(session.journal))
        assert states == [(7, "void"), (7, "void"), (8, "issued"), (8, "issued")]
        assert find(await key_versions(session.journal), Side.DATALENS, 7).state is KeyState.ACTIVE
    assert len(target.read_text().splitlines()) == 3


async def test_tokens_are_filtered_sorted_written_and_marked_and_what_cannot_be_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "list.csv"
    app = console(tmp_path / "home", opened_with(FULL))
    async with app.run_test(size=NARROW) as pilot:
        await see(pilot, "initech")
        screen = screen_of(pilot)
        assert isinstance(screen, TokensScreen)
        assert screen.table.shown[0].token.tenant == "initech"  # the newest first
        await type_in(pilot, "/", "acme", "<enter>")
        text = await see(pilot, "2 of 5", "acme_test")
        assert "globex" not in text
        await type_in(pilot, "T", "<home>", "<space>", "<space>")
        await see(pilot, "2 marked")
        await pilot.press("m")
        await see(pilot, "What became of 2 tokens?")
        await type_in(pilot, "<escape>", "<escape>", "<escape>", "T", "w")
        await see(pilot, "Write the list of 5 tokens")
        await type_in(pilot, "<ctrl+u>", str(target), "<enter>")
        await run_change(pilot, "TENANT", "initech")
        await until(pilot, target.exists)
        await type_in(pilot, "<home>", "m")
        text = await see(pilot, "What became of token")
        assert "cannot revoke a single token" in " ".join(text.split())
        await type_in(pilot, "<right>", "<right>", "<enter>")
        await run_change(pilot, "initech", "void")
        await until(pilot, lambda: [row.token.state.value for row in screen.table.shown].count("void") == 2)
        await type_in(pilot, "m")
        await see(pilot, "What became of token")
        await pilot.press("enter")
        await see(pilot, "it cannot become delivered")
    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == LIST_COLUMNS
    assert {row["tenant"] for row in rows} == {"acme_prod", "acme_test", "globex", HOSTILE, "initech"}


async def test_read_only_says_why_nothing_can_be_changed(take: Take, tmp_path: Path) -> None:
    app = console(tmp_path, opened_with(FULL), read_only=True)
    async with app.run_test(size=NARROW) as pilot:
        await take(pilot, "read-only", "READ-ONLY", "initech")
        for key in ("n", "m", "w"):
            app.clear_notifications()
            await pilot.press(key)
            assert "Read-only (--read-only)" in told(app)
        await pilot.press("v")
        await see(pilot, "Verify a token")
