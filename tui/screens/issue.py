"""Issuing tokens: from any screen for the tenants it gives, or for tenants chosen here."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.display import count, one_line
from tui.commands import Command
from tui.screens.base import ConsoleScreen
from tui.screens.entity import EntityScreen
from tui.screens.form import Form, FormScreen
from tui.screens.unlocking import when_unlocked
from tui.widgets.chrome import Piece
from tui.widgets.columns import Column
from tui.widgets.fields import Field, Values
from tui.widgets.lines import Line, fact

if TYPE_CHECKING:
    from core.keys.versions import IssuingKeys
    from core.running.report import Report
    from core.session import Session
    from core.tenants.model import Tenant
    from core.tokens.planning import Issuing

CSV, SCREEN = "a CSV file", "on the screen, one by one"
NAMED = 8  # tenants that are named before the rest is counted

MakeTokens = Callable[[Values, Callable[[int, int], None]], Awaitable["Issuing"]]


class TokenFormScreen(FormScreen["Issuing"]):
    """A form whose submit makes tokens: says how far it is, and escape stops it."""

    def __init__(self, title: str, fields: Sequence[Field], make: MakeTokens, *, intro: str, button: str) -> None:
        async def submit(values: Values) -> Issuing:
            return await make(values, self._advance)

        super().__init__(Form(title, fields, submit, intro=intro, button=button))
        self._progress = ""

    def _advance(self, done: int, total: int) -> None:
        self._progress = f"{count(done)} of {count(total)} made, esc stops"
        self.show_crumb()

    def crumb(self) -> tuple[list[Piece], list[Piece]]:
        left, right = super().crumb()
        return left, [Piece(self._progress, "$accent")] if right and self._progress else right


async def usable_keys(session: Session) -> IssuingKeys:
    """The pair that tokens would be made with. For workers. Raises RefusedError, saying what is missing."""
    await asyncio.to_thread(importlib.import_module, "core.tokens.planning")
    from core.keys.self_test import self_test
    from core.keys.versions import issuing_keys, key_versions

    (await asyncio.to_thread(self_test)).require()
    return issuing_keys(await key_versions(session.journal))


def keys_text(keys: IssuingKeys) -> str:
    """The pair in a sentence."""
    return (
        f"Encrypted to DataLens key {keys.datalens.version} ({keys.datalens.fingerprint[:12]}…), "
        f"signed with partner key {keys.partner.version} ({keys.partner.fingerprint[:12]}…)."
    )


def issue_tokens(screen: ConsoleScreen[Any], tenants: Sequence[str]) -> None:
    """Issue a token for each of `tenants` (names of databases), over `screen`: unlock, ask, preview, run, hand over."""
    session = screen.session
    if session is None:
        return

    async def prepare() -> IssuingKeys:
        keys = await usable_keys(session)
        from core.tokens.planning import require_tenants

        await require_tenants(session.engine, tenants, session.profile.datalens.user)
        return keys

    def prepared(keys: IssuingKeys) -> None:
        when_unlocked(screen, session.keys, [keys.partner.version], lambda: _ask(screen, session, keys, tenants))

    screen.work("issue", prepare, prepared)


def _ask(screen: ConsoleScreen[Any], session: Session, keys: IssuingKeys, tenants: Sequence[str]) -> None:
    async def make(values: Values, progress: Callable[[int, int], None]) -> Issuing:
        from core.tokens.planning import issuer_for, plan_issue

        path = await asyncio.to_thread(Path(values["path"]).expanduser) if "path" in values else None
        return await plan_issue(
            session.engine,
            issuer_for(keys, session.keys),
            tenants,
            datalens_user=session.profile.datalens.user,
            note=values["note"],
            out=path,
            progress=progress,
        )

    page = issue_form(tenants, keys_text(keys), make)
    screen.app.push_screen(page, lambda issuing: None if issuing is None else run_issuing(screen, issuing))


def issue_form(tenants: Sequence[str], keys: str, make: MakeTokens) -> TokenFormScreen:
    """Asks how tokens for `tenants` are handed over. `keys` says with which keys they are made."""
    fields = [Field("note", "Note", hint="For the ledger: whom it is for, a ticket.")]
    if len(tenants) > 1:
        fields += [
            Field("where", "Hand over", CSV, kind="choice", choices=(CSV, SCREEN)),
            Field("path", "File", "tokens.csv", required=True, shown_if=lambda values: values.get("where") == CSV,
                  hint="A new file; only you will be able to read it."),
        ]  # fmt: skip
    title = f"Issue a token for {one_line(tenants[0], 60)}" if len(tenants) == 1 else f"Issue {len(tenants):,} tokens"
    named = ", ".join(one_line(tenant, 60) for tenant in tenants[:NAMED])
    more = f" and {count(len(tenants) - NAMED)} more" if len(tenants) > NAMED else ""
    return TokenFormScreen(title, fields, make, intro=f"For {named}{more}.\n{keys}", button="Make")


def run_issuing(screen: ConsoleScreen[Any], issuing: Issuing) -> None:
    """Preview and run the change that enters the tokens into the ledger; then hand them over."""
    from core.changes import FileStep

    files = [step.path for step in issuing.change.steps if isinstance(step, FileStep)]

    def finished(report: Report) -> None:
        if report.succeeded and files:
            many = "1 token is" if len(issuing.tokens) == 1 else f"{count(len(issuing.tokens))} tokens are"
            screen.tell(f"{many} in {files[0]}. Only you can read it; remove it when they are delivered.")
        elif report.succeeded:
            from tui.screens.delivery import DeliveryScreen

            screen.app.push_screen(DeliveryScreen(issuing.tokens), lambda _done: _refresh(screen))

    if isinstance(screen, EntityScreen):
        screen.carry_out(issuing.change, finished)
    else:
        screen.console.carry_out(issuing.change, finished)


def _refresh(screen: ConsoleScreen[Any]) -> None:
    if isinstance(screen, EntityScreen):
        screen.refresh_rows()


class TenantChoiceScreen(EntityScreen["Tenant"]):
    """The tenants that can get a token, to choose from. `names` is what was chosen; empty when it was left."""

    TITLE_WORDS = "Issue tokens: for whom?"
    NOUN = ("tenant", "tenants")
    COLUMNS = (
        Column("name", "TENANT", lambda t: t.name, flexible=True),
        Column("tables", "TABLES", lambda t: count(t.tables), sort=lambda t: t.tables or 0, numeric=True, minor=2),
        Column("tokens", "TOKENS", lambda t: count(t.tokens), sort=lambda t: t.tokens, numeric=True),
        Column("owner", "OWNER", lambda t: t.owner, minor=1, flexible=True),
    )
    ACTIONS = (
        Command("rows.open", "go on", "enter", "go_on", "Issue for the marked tenants, or for this one.",
                modifies=True, needs_row=True),
        Command("rows.mark", "mark", "space", "mark", "Mark the tenant, to issue for several.", needs_row=True),
        Command("rows.mark_all", "mark all", "asterisk", "mark_all", "Mark every tenant shown, or none.",
                needs_row=True),
        Command("rows.back", "back", "escape", "step_back", "Clear the filter, clear the marks, go back."),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self._keys = ""

    def on_mount(self) -> None:
        super().on_mount()
        self.start_filter()

    def key(self, row: Tenant) -> str:
        return row.name

    async def load(self, session: Session) -> Sequence[Tenant]:
        from core.tenants.listing import list_tenants
        from core.tenants.model import TenantState

        self._keys = keys_text(await usable_keys(session))
        tenants = await list_tenants(
            session.engine,
            session.journal,
            datalens_user=session.profile.datalens.user,
            capabilities=session.capabilities,
        )
        return [tenant for tenant in tenants if tenant.state is TenantState.ACTIVE]

    def summary(self, row: Tenant) -> Sequence[Line]:
        return [
            fact("tenant", one_line(row.name)),
            fact("tables", count(row.tables)),
            fact("tokens", f"{count(row.tokens)} issued so far"),
            fact("owner", one_line(row.owner) or "-"),
            Line(),
            Line(self._keys, style="muted"),
        ]

    def empty(self) -> tuple[str, str]:
        return "No tenant can get a token.", (
            "A tenant is a database that the DataLens user may read. Press esc, then 2, to create or adopt one."
        )

    def go_on(self) -> None:
        self.names = [row.name for row in self.chosen]
        self.dismiss(None)

    def open_detail(self) -> None:  # a double click
        self.go_on()

    def step_back(self) -> None:
        if self.table.filter_text or self.table.marks:
            super().step_back()
        else:
            self.dismiss(None)
