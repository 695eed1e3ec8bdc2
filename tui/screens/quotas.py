"""The quotas screen: how much may be used per span of time, by whom, and how much of it is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.access.model import EntityKind
from tui.screens.access_holders import Answering
from tui.screens.access_limits import LimitScreen, limit_commands
from tui.screens.moving import writable_storages
from tui.screens.quota_rows import COLUMNS, QuotaRow, rows_of, summary_lines, with_usage
from tui.widgets.lines import Line

if TYPE_CHECKING:
    from core.session import Session
    from tui.screens.access_reading import Access


class QuotasScreen(LimitScreen[QuotaRow]):
    """The quotas."""

    SCREEN_ID = "quotas"
    TITLE_WORDS = "Quotas"
    NOUN = ("quota", "quotas")
    SUBJECT_KIND = "quota"
    KIND = EntityKind.QUOTA
    TABS = ("Summary", "Usage", "SQL", "History")
    COLUMNS = COLUMNS
    ACTIONS = limit_commands("quotas", "quota", "Change for whom the quota counts; everybody else is left alone.")
    ONE_AT_A_TIME = tuple(command.id for command in ACTIONS if command.needs_row)

    def rows(self, access: Access, session: Session) -> Sequence[QuotaRow]:
        return rows_of(access)

    async def load(self, session: Session) -> Sequence[QuotaRow]:
        from core.access_reports import quota_usage

        rows = await super().load(session)
        counted = quota_usage.is_counted(session.engine)
        fullness = await quota_usage.read_fullness(session.engine, session.capabilities) if counted else None
        return [with_usage(row, fullness, counted=counted) for row in rows]

    def summary(self, row: QuotaRow) -> Sequence[Line]:
        return summary_lines(row)

    async def tab(self, session: Session, row: QuotaRow, name: str) -> Sequence[Line]:
        if name != "Usage":
            return await super().tab(session, row, name)
        from core.access_reports import quota_usage
        from tui.screens.quota_usage import embedded_lines, usage_lines

        if not quota_usage.is_counted(session.engine):
            return embedded_lines()
        usage = await quota_usage.read_quota_usage(session.engine, session.capabilities, row.quota.name)
        return usage_lines(row.quota, usage, self.now())

    def nothing_yet(self) -> tuple[str, str]:
        return "No quotas yet.", (
            "A quota limits what users may use in a span of time: queries, rows, bytes. Press n to create one."
        )

    def new(self) -> None:
        from tui.screens.quota_forms import new_form

        session = self.open_session()
        answering = Answering(self, session)
        self.ask_for(new_form(answering, self.access, writable_storages(session)))

    def clone(self) -> None:
        from tui.screens.quota_forms import new_form

        session = self.open_session()
        storages = writable_storages(session)
        self._open(lambda answering, access, key: new_form(answering, access, storages, like=key))

    def edit(self) -> None:
        from tui.screens.quota_forms import edit_form

        self._open(edit_form)
