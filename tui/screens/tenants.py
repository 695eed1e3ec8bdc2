"""The tenants screen: databases given to clients, who reads them, and everything that is done with them."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from core.display import count, one_line
from tui.commands import Command
from tui.screens.entity import EntityScreen
from tui.screens.tenant_rows import COLUMNS, TenantRow, notice_lines, rows_of, summary_lines
from tui.widgets.lines import Line
from tui.widgets.notice import Notice

if TYPE_CHECKING:
    from core.changes import Change
    from core.session import Session
    from core.tenants.listing import Survey

_NEEDED = ("read databases", "read tables", "read users")
_GIVING = ("tenants.new", "tenants.import", "tenants.adopt", "tenants.resume")  # a right to the DataLens user


class TenantsScreen(EntityScreen[TenantRow]):
    """The tenants."""

    SCREEN_ID = "tenants"
    TITLE_WORDS = "Tenants"
    NOUN = ("tenant", "tenants")
    TABS = ("Summary", "Tables", "Tokens", "SQL", "History")
    SUBJECT_KIND = "tenant"
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("tenants.new", "new", "n", "new", "Create a tenant, or several.", modifies=True,
                ability="create database"),
        Command("tenants.token", "token", "t", "issue_token", "Issue a token for each of the marked tenants.",
                modifies=True, needs_row=True),
        Command("tenants.suspend", "suspend", "s", "suspend",
                "Take the right to read the marked tenants from the DataLens user; their data stays.",
                modifies=True, needs_row=True, ability="grant"),
        Command("tenants.resume", "resume", "R", "resume", "Give the right to read the marked tenants back.",
                modifies=True, needs_row=True, ability="grant"),
        Command("tenants.edit", "edit", "e", "edit", "Note owner, contact, ticket and a text.", modifies=True,
                needs_row=True),
        Command("tenants.remove", "remove", "x", "remove_tenant",
                "End a tenant: only revoke, or drop its database after its name is typed.",
                modifies=True, needs_row=True, ability="grant"),
        Command("rows.filter", "filter", "slash", "start_filter", "Show only the rows that hold what you type."),
        Command("tenants.adopt", "adopt", "a", "adopt", "Make tenants of databases that exist.", modifies=True,
                ability="grant"),
        Command("tenants.import", "import", "i", "import_file", "Create many tenants from a file, CSV or names.",
                modifies=True, ability="create database"),
        Command("rows.mark", "mark", "space", "mark", "Mark the row for a bulk action.", needs_row=True),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._survey: Survey | None = None

    # -- what is shown

    def content(self) -> ComposeResult:
        yield Notice(id="notice")
        yield from super().content()

    def key(self, row: TenantRow) -> str:
        return row.tenant.name

    async def load(self, session: Session) -> Sequence[TenantRow]:
        self._survey = found = await survey(session)
        return rows_of(found, self.now())

    def summary(self, row: TenantRow) -> Sequence[Line]:
        return summary_lines(row.tenant, self._survey, self.now()) if self._survey is not None else []

    async def tab(self, session: Session, row: TenantRow, name: str) -> Sequence[Line]:
        from core.tenants import inspection
        from tui.screens import tenant_rows

        database, user = row.tenant.name, session.profile.datalens.user
        if name == "Tables":
            tables = await inspection.read_tables(session.engine, database)
            return tenant_rows.table_lines(tables, inspection.MOST_TABLES)
        if name == "Tokens":
            from core.tokens.ledger import tokens_issued

            tokens = [token for token in await tokens_issued(session.journal) if token.tenant == database]
            return tenant_rows.token_lines(tokens, self.now())
        from core.tenants.reading import read_rights

        definition, reading = await asyncio.gather(
            inspection.read_definition(session.engine, database), read_rights(session.engine, user)
        )
        return tenant_rows.sql_lines(definition, inspection.statements_about(reading, database), user)

    def empty(self) -> tuple[str, str]:
        found = self._survey
        if found is not None and found.reading.exists is None:
            return "No tenant can be seen.", "Housekeys needs to see the grants of the DataLens user; see above."
        if found is not None and found.reading.exists is False:
            return "No tenants yet.", (
                "A tenant is a database that DataLens may read, as the user "
                f"{one_line(found.reading.user, 60)}, which does not exist yet. Press 1: the checklist creates it, "
                "and says what else is to be done."
            )
        others = len(found.others) if found is not None else 0
        adopt = f"Press a to adopt {'the database' if others == 1 else f'one of {count(others)} databases'} there is.\n"
        return "No tenants yet.", (
            "Press n to create the first one, or i to create many from a file.\n"
            f"{adopt if others else ''}Press 1 for the checklist, which says what else is to be done."
        )

    def missing(self, session: Session) -> str:
        return "\n".join(filter(None, (session.capabilities.missing(ability) for ability in _NEEDED)))

    def show_frame(self) -> None:
        super().show_frame()
        if self.is_mounted:
            known = self._survey is not None and self.session is not None
            self.query_one(Notice).say(notice_lines(self._survey) if known and self._survey is not None else [])

    def connection_changed(self) -> None:
        if self.session is None:
            self._survey = None
        super().connection_changed()

    def on_entity_table_marked(self) -> None:
        self.show_frame()  # some commands take one tenant only

    def why_not(self, command: Command) -> str:
        reason = super().why_not(command)
        if reason:
            return reason
        found = self._survey
        if command.id in _GIVING and found is not None and found.reading.exists is False:
            return f"There is no user {one_line(found.reading.user, 60)} yet. Press 1: the checklist creates it."
        if command.id == "tenants.remove" and len(self.chosen) > 1:
            return "Tenants are removed one at a time. Clear the marks first (esc)."
        if command.id == "tenants.edit" and len(self.chosen) > 1:
            return "Tenants are edited one at a time. Clear the marks first (esc)."
        return ""

    # -- commands

    def new(self) -> None:
        from tui.screens import tenant_forms

        self.ask(tenant_forms.new_form(self.open_session()), self.carry_out)

    def import_file(self) -> None:
        from tui.screens import tenant_forms

        self.ask(tenant_forms.new_form(self.open_session(), tenant_forms.FILE), self.carry_out)

    def adopt(self) -> None:
        from tui.screens import tenant_forms
        from tui.screens.adopting import AdoptScreen

        page = AdoptScreen()

        def chosen(_none: None) -> None:
            if page.names:
                self.ask(tenant_forms.adopt_form(self.open_session(), page.names), self.carry_out)

        self.app.push_screen(page, chosen)

    def edit(self) -> None:
        from tui.screens import tenant_forms

        session = self.open_session()
        self._with_fresh_row(
            lambda row: self.ask(tenant_forms.describe_form(session, row.tenant), self.carry_out),
        )

    def remove_tenant(self) -> None:
        from tui.screens import tenant_forms

        session = self.open_session()
        self._with_fresh_row(
            lambda row: self.ask(tenant_forms.remove_form(session, row.tenant), self.carry_out),
        )

    def _with_fresh_row(self, then: Callable[[TenantRow], None]) -> None:
        """Read the chosen row again; a form about it must not show what was."""
        rows = self.chosen
        if rows:
            self.work("plan", lambda: self.read_again(rows[:1]), lambda fresh: then(fresh[0]))

    def suspend(self) -> None:
        async def plan(session: Session, rows: list[TenantRow]) -> Change:
            from core.tenants.planning import plan_suspend

            return await plan_suspend(
                session.engine,
                session.journal,
                [row.tenant.name for row in rows],
                datalens_user=session.profile.datalens.user,
                cluster=session.profile.cluster,
            )

        self.propose(plan, self.chosen)

    def resume(self) -> None:
        async def plan(session: Session, rows: list[TenantRow]) -> Change:
            from core.tenants.planning import plan_resume

            return await plan_resume(
                session.engine,
                session.journal,
                [row.tenant.name for row in rows],
                datalens_user=session.profile.datalens.user,
                cluster=session.profile.cluster,
            )

        self.propose(plan, self.chosen)

    def issue_token(self) -> None:
        from tui.screens.issue import issue_tokens

        issue_tokens(self, [row.tenant.name for row in self.chosen])


async def survey(session: Session) -> Survey:
    """Tenants and other databases of a session. For workers: the first call imports what tenants need."""
    listing = await asyncio.to_thread(importlib.import_module, "core.tenants.listing")
    found: Survey = await listing.survey(
        session.engine,
        session.journal,
        datalens_user=session.profile.datalens.user,
        capabilities=session.capabilities,
    )
    return found
