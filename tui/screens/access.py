"""What the screens about access share: one reading of it, the road of their changes, and what must be known first.

A screen of this kind has rows of one kind of entity (`rows`) and a key of each (`entity`). What it changes it plans:
`self.change(make)` reads access anew, lets `make(present)` plan, and takes the Change down the one road;
afterwards access is read again and what differs from the plan is told. Forms return a `Proposal` (`self.send`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult

from core.display import one_line
from core.errors import RefusedError
from tui.commands import Command
from tui.screens.entity import EntityScreen
from tui.widgets.columns import R
from tui.widgets.lines import Line
from tui.widgets.notice import Notice

if TYPE_CHECKING:
    from core.access.access_model import EntityKey
    from core.access.planning.plan import Plan
    from core.access_changes.present import PresentAccess
    from core.running.report import Report
    from core.session import Session
    from tui.screens.access_reading import Access, Planning, Proposal
    from tui.screens.form import Form

SHARED = "access"  # the place of the reading among what the console shares


class AccessScreen(EntityScreen[R]):
    """Entities of one kind."""

    ONE_AT_A_TIME: ClassVar[tuple[str, ...]] = ()  # commands that take a single row

    def __init__(self) -> None:
        super().__init__()
        self._access: Access | None = None  # what the rows shown were made of
        self._anew = False
        self._desired: Proposal | None = None  # was carried out, and is to be compared with what is read next

    # -- what a subclass says

    def rows(self, access: Access, session: Session) -> Sequence[R]:
        """A row for each entity. Runs in a worker."""
        raise NotImplementedError

    def entity(self, row: R) -> EntityKey:
        """The entity that a row is about."""
        raise NotImplementedError

    # -- reading

    def missing(self, session: Session) -> str:
        reasons = (session.capabilities.missing(ability) for ability in ("read users", "read roles", "read grants"))
        return "\n".join(filter(None, reasons))

    def content(self) -> ComposeResult:
        yield Notice(id="notice")
        yield from super().content()

    @property
    def access(self) -> Access:
        """What the rows were made of. Raises RefusedError before there are any."""
        if self._access is None:
            raise RefusedError("Access has not been read yet.", advice="Press r to read it.")
        return self._access

    async def load(self, session: Session) -> Sequence[R]:
        self._access = access = await self._shared_access(session)
        return self.rows(access, session)

    async def _shared_access(self, session: Session) -> Access:
        """The shared reading, or a new one where that is of another session, outdated, or not wanted."""
        shared: Any = self.console.shared.get(SHARED)
        run = self.console.changes_run
        if not self._anew and shared is not None and shared.session is session and shared.changes_run == run:
            access: Access = shared
            return access
        return await self.read_anew(session)

    async def read_anew(self, session: Session) -> Access:
        """Access as it is now, for all screens. Runs in a worker."""
        from tui.screens.access_reading import read_access

        self._anew = False
        access = await read_access(session, self.now(), self.console.changes_run)
        self.console.shared[SHARED] = access
        return access

    def refresh_rows(self, *, connect: bool = True) -> None:
        self._anew = self._anew or connect  # asked for by a key, or after a change
        super().refresh_rows(connect=connect)

    def on_screen_resume(self) -> None:
        shared = self.console.shared.get(SHARED)
        if self._access is not None and shared is not None and shared is not self._access:
            self.refresh_rows(connect=False)  # another screen has read it anew

    def connection_changed(self) -> None:
        if self.session is None:
            self._access = None
        super().connection_changed()

    def show_frame(self) -> None:
        super().show_frame()
        if self.built:
            known = self._access is not None and self.session is not None
            self.query_one(Notice).say(notice_lines(self._access) if known and self._access is not None else [])

    # -- commands

    def on_entity_table_marked(self) -> None:
        self.show_frame()  # some commands take one row only

    def why_not(self, command: Command) -> str:
        reason = super().why_not(command)
        if not reason and command.id in self.ONE_AT_A_TIME and len(self.chosen) > 1:
            return f"That is done with one {self.NOUN[0]} at a time. Clear the marks first (esc)."
        if not reason and command.call == "move" and self.session is not None:
            from tui.screens.moving import why_not_move

            return why_not_move(self.session, self.NOUN[0])
        return reason

    def change(
        self,
        make: Planning,
        finish: Callable[[Proposal], Proposal] | None = None,
        then: Callable[[Report], object] | None = None,
    ) -> None:
        """Read access anew, plan with `make`, and send the change on its way; `finish` may add to it."""
        from tui.screens.access_reading import proposed

        session = self.open_session()

        async def plan() -> Proposal:
            found = proposed((await self.read_anew(session)).present, make)
            return found if finish is None else await asyncio.to_thread(finish, found)

        self.work("plan", plan, lambda proposal: self.send(proposal, then), self._not_planned)

    def move(self) -> None:
        """Ask for another access storage for the entity under the cursor."""
        from tui.screens.access_holders import Answering
        from tui.screens.moving import move_form, writable_storages

        session = self.open_session()
        answering, storages = Answering(self, session), writable_storages(session)
        self.with_fresh_row(lambda row: self.ask_for(move_form(answering, self.access, self.entity(row), storages)))

    def drop(self) -> None:
        """Drop the marked entities, or the one under the cursor, after its name (or their number) is typed."""
        from core.access.planning import entities

        keys = [self.entity(row) for row in self.chosen]
        if not keys:
            return

        def plan(now: PresentAccess) -> Plan:
            return entities.drop(now.model, keys, cluster=now.cluster, storage_types=now.storage_types)

        self.change(plan, lambda proposal: self.dropping(proposal, keys))

    def dropping(self, proposal: Proposal, keys: Sequence[EntityKey]) -> Proposal:
        """The plan of a drop, with all that is lost by it."""
        from tui.screens.grant_forms import as_drop

        return as_drop(proposal, keys)

    def _not_planned(self, error: Any) -> None:
        self.show_error(error)
        self.refresh_rows()

    def send(self, proposal: Proposal, then: Callable[[Report], object] | None = None) -> None:
        """Preview the change, run it when confirmed, and tell what is not as it was desired afterwards."""

        def finished(report: Report) -> None:
            if report.succeeded:
                self._desired = proposal  # access is being read again by now
            if then is not None:
                then(report)

        self.carry_out(proposal.change, finished)

    def _loaded(self, source: object, rows: Sequence[R]) -> None:
        super()._loaded(source, rows)
        desired, self._desired = self._desired, None
        if desired is not None and self._access is not None:
            self._compare(desired, self._access)

    def _compare(self, proposal: Proposal, fresh: Access) -> None:
        from tui.screens.access_reading import surprise

        words = surprise(proposal.plan, fresh.model)
        if words:
            self.tell(words, "warning")

    def with_fresh_row(self, then: Callable[[R], None]) -> None:
        """Read the row under the cursor again; what is done about it must not start from what was."""
        self.with_fresh_rows(lambda fresh: then(fresh[0]))

    def with_fresh_rows(self, then: Callable[[list[R]], None]) -> None:
        """The same with all that are marked."""
        rows = self.chosen
        if rows:
            self.work("plan", lambda: self.read_again(rows), then, self._not_planned)

    async def read_again(self, rows: Sequence[R]) -> list[R]:
        self._anew = True
        return await super().read_again(rows)

    def ask_for(self, form: Form[Proposal], then: Callable[[Report], object] | None = None) -> None:
        """Open a form whose answer is a change."""
        self.ask(form, lambda proposal: self.send(proposal, then))


def notice_lines(access: Access | None) -> list[Line]:
    """What has to be known before the list is believed."""
    if access is None:
        return []
    survey = access.present.survey
    lines = [Line(f"! {words}", style="warning") for words in survey.hidden]
    if survey.unread:
        first = one_line(survey.unread[0], 60)
        more = f" and {len(survey.unread) - 1:,} more" if len(survey.unread) > 1 else ""
        lines.append(Line(f"! Not understood, so that it is missing here: {first}{more}", style="warning"))
    return lines
