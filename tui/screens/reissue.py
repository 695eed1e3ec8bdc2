"""What must be reissued since a key was rotated: tokens that may still be used, made with other than today's keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.display import count, exact_time, one_line, relative_time
from tui.commands import Command
from tui.screens.entity import EntityScreen
from tui.screens.issue import TokenFormScreen, keys_text, run_issuing, usable_keys
from tui.screens.key_rows import two_lines
from tui.screens.unlocking import when_unlocked
from tui.widgets.chrome import Piece
from tui.widgets.columns import Column
from tui.widgets.fields import Field, Values
from tui.widgets.lines import Line, fact

if TYPE_CHECKING:
    from core.keys.versions import IssuingKeys
    from core.session import Session
    from core.tokens.ledger import Reissue
    from core.tokens.planning import Issuing


class ReissueScreen(EntityScreen["Reissue"]):
    """The tokens to make anew. Without marks all of them are meant."""

    TITLE_WORDS = "Tokens to reissue"
    NOUN = ("token", "tokens")
    COLUMNS = (
        Column("tenant", "TENANT", lambda r: r.token.tenant, flexible=True),
        Column("fingerprint", "TOKEN", lambda r: r.token.fingerprint[:12], minor=1),
        Column("state", "STATE", lambda r: r.token.state.value),
        Column("issued", "ISSUED", lambda r: exact_time(r.token.issued)[:10], sort=lambda r: r.token.issued, minor=2),
        Column("keys", "KEYS", lambda r: f"{r.token.datalens_version}:{r.token.partner_version}"),
    )
    ACTIONS = (
        Command("reissue.run", "reissue", "enter", "reissue",
                "Make the marked ones anew, or all when none is marked, into a CSV file.", modifies=True,
                needs_row=True),
        Command("rows.mark", "mark", "space", "mark", "Mark the token, to reissue only some.", needs_row=True),
        Command("rows.open", "why", "d", "open_detail", "Show why it must be reissued.", needs_row=True),
        Command("rows.back", "back", "escape", "step_back", "Clear the filter, clear the marks, go back."),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._keys = ""

    def key(self, row: Reissue) -> str:
        return row.token.fingerprint

    def detail_title(self, row: Reissue) -> str:
        return row.token.tenant

    async def load(self, session: Session) -> Sequence[Reissue]:
        keys = await usable_keys(session)
        self._keys = f"keys in use now: {keys.datalens.version}:{keys.partner.version}"
        from core.keys.versions import key_versions
        from core.tokens.ledger import to_reissue, tokens_issued

        return to_reissue(await tokens_issued(session.journal), await key_versions(session.journal))

    def summary(self, row: Reissue) -> Sequence[Line]:
        token = row.token
        return [
            fact("tenant", one_line(token.tenant)),
            fact("token", two_lines(token.fingerprint)),
            fact("state", f"{token.state.value}, {relative_time(token.state_since, self.now())}"),
            *(fact("why", reason) for reason in row.reasons),
            Line(),
            Line("A token that was used needs no other: its connection holds no token any more.", style="muted"),
        ]

    def empty(self) -> tuple[str, str]:
        return "Nothing must be reissued.", (
            "Every token that may still be used was made with the keys in use now. Press esc to go back."
        )

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().crumb()
        return left, [*right, Piece(self._keys, "$muted")] if self._keys else right

    def step_back(self) -> None:
        if self.table.filter_text or self.table.marks:
            super().step_back()
        else:
            self.dismiss(None)

    def reissue(self) -> None:
        session = self.session
        if session is None:
            return
        rows = self.chosen if self.table.marks else list(self.table.shown)

        def ready(keys: IssuingKeys) -> None:
            when_unlocked(self, session.keys, [keys.partner.version], lambda: self._ask(session, keys, rows))

        self.work("issue", lambda: usable_keys(session), ready)

    def _ask(self, session: Session, keys: IssuingKeys, rows: Sequence[Reissue]) -> None:
        async def make(values: Values, progress: Callable[[int, int], None]) -> Issuing:
            from core.tokens.planning import issuer_for, plan_reissue

            return await plan_reissue(
                session.engine,
                issuer_for(keys, session.keys),
                await self.read_again(rows),
                datalens_user=session.profile.datalens.user,
                out=await asyncio.to_thread(Path(values["path"]).expanduser),
                progress=progress,
            )

        def made(issuing: Issuing | None) -> None:
            if issuing is None:
                return
            if issuing.skipped:
                names = ", ".join(f"{one_line(name)} ({why})" for name, why in list(issuing.skipped.items())[:3])
                self.tell(f"{count(len(issuing.skipped))} tenants are left out: {names}", "warning")
            run_issuing(self, issuing)

        fields = [Field("path", "File", "tokens.csv", required=True, hint="New; only you will be able to read it.")]
        intro = f"The old tokens are marked void. They work until DataLens drops their key.\n{keys_text(keys)}"
        many = "1 token" if len(rows) == 1 else f"{count(len(rows))} tokens"
        page = TokenFormScreen(f"Reissue {many}", fields, make, intro=intro, button="Make")
        self.app.push_screen(page, made)
