"""The tokens screen: the ledger of what was issued, and issuing, verifying, marking and reissuing."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.display import count, exact_time, one_line, relative_time
from tui.commands import Command
from tui.screens.entity import EntityScreen
from tui.screens.form import Form
from tui.screens.key_rows import two_lines
from tui.widgets.columns import Column
from tui.widgets.fields import Field, Values
from tui.widgets.lines import Line, fact

if TYPE_CHECKING:
    from core.changes import Change
    from core.keys.versions import KeyVersion
    from core.session import Session
    from core.tokens.ledger import IssuedToken
    from core.tokens.verifying import Verification

SHORT = 12  # digits of a fingerprint in the table
_STATE_STYLES = {"issued": "warning", "delivered": "", "used": "success", "void": "muted"}
_MEANINGS = {
    "issued": "Not known to have reached the client. It opens its database to whoever has it.",
    "delivered": "The client has it. It opens its database to whoever has it, without an end.",
    "used": "A connection was made with it. The connection holds no token: nothing done to the token ends it.",
    "void": "Void in this ledger only: DataLens does not know that, and takes it while it has its keys.",
}


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token of the ledger, its age in words, and the states of the keys it was made with."""

    token: IssuedToken
    age: str
    datalens_state: str
    partner_state: str

    @property
    def keys(self) -> str:
        return f"{self.token.datalens_version}:{self.token.partner_version}"


class TokensScreen(EntityScreen[TokenRow]):
    """Every token that was issued through this journal."""

    SCREEN_ID = "tokens"
    TITLE_WORDS = "Tokens"
    NOUN = ("token", "tokens")
    TABS = ("Summary", "History")
    SUBJECT_KIND = "token"
    COLUMNS = (
        Column("tenant", "TENANT", lambda r: r.token.tenant, flexible=True, letter="T"),
        Column("fingerprint", "FINGERPRINT", lambda r: r.token.fingerprint[:SHORT], width=SHORT, minor=2),
        Column("state", "STATE", lambda r: r.token.state.value, letter="S", width=9,
               style=lambda r: _STATE_STYLES[r.token.state.value]),
        Column("issued", "ISSUED", lambda r: r.age, sort=lambda r: r.token.issued, letter="I", width=11),
        Column("keys", "KEYS", lambda r: r.keys, sort=lambda r: (r.token.datalens_version, r.token.partner_version),
               letter="K", minor=1),
        Column("operator", "BY", lambda r: r.token.operator, letter="B", minor=3, flexible=True),
    )  # fmt: skip
    ACTIONS = (
        Command("tokens.issue", "issue", "n", "issue", "Issue tokens: choose tenants, then hand the tokens over.",
                modifies=True),
        Command("tokens.verify", "verify", "v", "verify", "Check a token that somebody has.", needs_session=True),
        Command("tokens.mark", "state", "m", "mark_state", "Record what became of the marked tokens.", modifies=True,
                needs_row=True),
        Command("tokens.reissue", "reissue", "b", "reissue", "What must be made anew since a key was rotated.",
                needs_session=True),
        Command("tokens.export", "list to a file", "w", "export_list",
                "Write the list (the marked ones, or all that are shown) as CSV; it holds no token.", modifies=True,
                needs_row=True, footer=False),
    )  # fmt: skip

    def on_mount(self) -> None:
        self.table.sort_by(next(column for column in self.COLUMNS if column.id == "issued"), descending=True)
        super().on_mount()

    def key(self, row: TokenRow) -> str:
        return row.token.fingerprint

    def detail_title(self, row: TokenRow) -> str:
        return f"{row.token.tenant}, token {row.token.fingerprint[:8]}"

    async def load(self, session: Session) -> Sequence[TokenRow]:
        await asyncio.to_thread(importlib.import_module, "core.tokens.planning")
        from core.keys.versions import Side, key_versions
        from core.tokens.ledger import tokens_issued

        tokens = await tokens_issued(session.journal)
        versions: dict[tuple[Side, int], KeyVersion] = {
            (version.side, version.version): version for version in await key_versions(session.journal)
        }

        def state(side: Side, number: int) -> str:
            found = versions.get((side, number))
            return "unknown here" if found is None else found.state.value

        now = self.now()
        return [
            TokenRow(
                token,
                relative_time(token.issued, now),
                state(Side.DATALENS, token.datalens_version),
                state(Side.PARTNER, token.partner_version),
            )
            for token in tokens
        ]

    def summary(self, row: TokenRow) -> Sequence[Line]:
        token = row.token
        lines = [
            fact("tenant", one_line(token.tenant)),
            fact("state", f"{token.state.value}, since {exact_time(token.state_since)}"),
            fact("issued", f"{exact_time(token.issued)} by {one_line(token.operator)}"),
            fact("DataLens key", f"{token.datalens_version} ({row.datalens_state})"),
            fact("partner key", f"{token.partner_version} ({row.partner_state})"),
            fact("fingerprint", two_lines(token.fingerprint)),
        ]
        if token.note:
            lines.append(fact("note", one_line(token.note)))
        lines += [Line(), Line(_MEANINGS[token.state.value], style="muted")]
        if token.state.pending or token.state.value == "void":
            from core.tokens.planning import NOT_REVOCABLE

            lines += [Line(), Line(NOT_REVOCABLE, style="muted")]
        return lines

    def empty(self) -> tuple[str, str]:
        return "No tokens yet.", (
            "A token opens one tenant's database in DataLens. It takes an active key on both sides (press 3) "
            "and a tenant (press 2); then press n to issue one."
        )

    # -- commands

    def issue(self) -> None:
        from tui.screens.issue import TenantChoiceScreen, issue_tokens

        page = TenantChoiceScreen()
        self.app.push_screen(page, lambda _done: issue_tokens(self, page.names) if page.names else None)

    def verify(self) -> None:
        from tui.screens.verification import VerificationScreen, verification_form

        session = self.session
        if session is None:
            return

        def verified(found: Verification) -> None:
            self.app.push_screen(VerificationScreen(found))

        self.ask(verification_form(session), verified)

    def mark_state(self) -> None:
        rows = self.chosen

        async def submit(values: Values) -> Change:
            from core.tokens.ledger import TokenState
            from core.tokens.planning import plan_mark

            fresh = await self.read_again(rows)
            return plan_mark([row.token for row in fresh], TokenState(values["state"]), values["note"])

        many = f"token {rows[0].token.fingerprint[:8]}" if len(rows) == 1 else f"{count(len(rows))} tokens"
        form = Form(
            f"What became of {many}?",
            (
                Field("state", "It is", "delivered", kind="choice", choices=("delivered", "used", "void"),
                      hint="delivered: the client has it. used: a connection was made. void: given up."),
                Field("note", "Note", hint="For the journal."),
            ),
            submit,
            intro="This records what you know. It changes nothing at DataLens, which cannot revoke a single token: "
            "to cut a client off, suspend the tenant; to make unused tokens worthless, retire the key version and "
            "ask DataLens to drop it.",
        )  # fmt: skip
        self.ask(form, self.carry_out)

    def reissue(self) -> None:
        from tui.screens.reissue import ReissueScreen

        self.app.push_screen(ReissueScreen(), lambda _done: self.refresh_rows())

    def export_list(self) -> None:
        rows = self.chosen if self.table.marks else list(self.table.shown)
        tokens = [row.token for row in rows]

        async def submit(values: Values) -> Change:
            from core.tokens.handing_over import plan_export_list

            return await asyncio.to_thread(plan_export_list, tokens, Path(values["path"]))

        many = "1 token" if len(tokens) == 1 else f"{count(len(tokens))} tokens"
        fields = (Field("path", "File", "tokens-issued.csv", required=True, hint="A new file; no token is in it."),)
        self.ask(Form(f"Write the list of {many}", fields, submit), self.carry_out)
