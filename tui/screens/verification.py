"""Verifying a token that somebody has: what DataLens would say of it, and what the ledger knows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from core.secrets import Secret
from tui.commands import Command
from tui.screens.base import ConsoleScreen
from tui.screens.form import Form
from tui.screens.key_rows import two_lines
from tui.widgets.chrome import Piece
from tui.widgets.fields import Field, Values
from tui.widgets.lines import Line, LinesView, fact

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

    from core.session import Session
    from core.tokens.verifying import Finding, Verification

_WORDS = {True: ("ok", "success"), False: ("FAILED", "error"), None: ("note", "warning")}
_MEANINGS = {
    "structure": "DataLens cannot take it apart and answers: Invalid access token.",
    "DataLens key version": "The client would get an error, unless DataLens has this key all the same.",
    "partner key version": "DataLens has no key to check it with, unless it was issued by another installation.",
    "signature": "DataLens checks this first, and refuses the token.",
    "ledger": "Somebody holds your private key, or the journal was written by another program.",
    "content": "DataLens would refuse it, or open another database than was meant.",
}


def verification_form(session: Session) -> Form[Verification]:
    """Asks for the token, hidden, and for a private key of DataLens if there is one for testing."""

    async def submit(values: Values) -> Verification:
        from core.keys.versions import key_versions
        from core.tokens.ledger import find_token
        from core.tokens.verifying import verify

        key = await _datalens_key(values)
        versions = await key_versions(session.journal)
        found = await verify(values["token"], versions, lambda mark: find_token(session.journal, mark), key)
        return replace(found, token=None)  # from here on nothing needs it

    return Form(
        "Verify a token",
        (
            Field("token", "Token", kind="secret", required=True, hint="Paste it: one line. It is not shown."),
            Field("file", "DataLens key", hint="Only for testing: the PEM file of a private key of the DataLens side."),
            Field("passphrase", "Its passphrase", kind="secret", hint="If the PEM file has one.",
                  shown_if=lambda values: bool(values.get("file"))),
        ),
        submit,
        button="Verify",
    )  # fmt: skip


async def _datalens_key(values: Values) -> rsa.RSAPrivateKey | None:
    path = values["file"].strip()
    if not path:
        return None
    from core.keys.pem_files import read_pem
    from core.keys.rsa_keys import load_private

    passphrase = Secret(values["passphrase"]) if values["passphrase"] else None
    return await asyncio.to_thread(load_private, await read_pem(Path(path)), passphrase)


def verification_lines(found: Verification) -> list[Line]:
    """The verdict, then each check with what it means."""
    if found.passed:
        lines = [Line("As far as can be seen from here, DataLens takes this token.", style="heading")]
    else:
        lines = [Line("DataLens would refuse this token, or it is not one of yours.", style="heading")]
    lines.append(Line())
    for finding in found.findings:
        lines += _finding(finding)
    lines += [Line(), fact("fingerprint", two_lines(found.fingerprint))]
    if found.database is None and found.passed:
        lines += [
            Line(),
            Line("Which database it opens can be read only with DataLens's private key; the ledger is what tells.",
                 style="muted"),
        ]  # fmt: skip
    return lines


def _finding(finding: Finding) -> Sequence[Line]:
    word, style = _WORDS[finding.passed]
    lines = [Line(f"{word}: {finding.message}", finding.check, style)]
    if finding.passed is False and finding.check in _MEANINGS:
        lines.append(Line(_MEANINGS[finding.check], " ", "muted"))
    return lines


class VerificationScreen(ConsoleScreen[None]):
    """What was found. The token itself is not kept."""

    ACTIONS = (
        Command("verified.copy", "copy", "y", "copy_lines", "Copy what was found; the token is no part of it."),
        Command("verified.back", "back", "escape,enter", "close", "Back to the tokens."),
    )
    CSS = "#findings { margin: 1 0 0 0; max-width: 120; }"

    def __init__(self, found: Verification) -> None:
        super().__init__()
        self.found = found

    def content(self) -> ComposeResult:
        yield LinesView(verification_lines(self.found), id="findings", left=2)

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#findings").focus()

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        return [Piece("Tokens", "$muted"), Piece("/", "$muted"), Piece("Verified", "bold")], []

    def copy_lines(self) -> None:
        self.console.copy(self.query_one("#findings", LinesView).plain, "what was found")

    def close(self) -> None:
        self.dismiss(None)
