"""The users screen: who comes in, from where and by what, what each may do, and everything that is done with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from core.access.model import EntityKind
from core.display import one_line
from tui.commands import Command
from tui.screens.access_holders import Answering, HolderScreen, one_at_a_time
from tui.screens.user_rows import COLUMNS, UserRow, rows_of, summary_lines
from tui.widgets.lines import Line

if TYPE_CHECKING:
    from core.access.access_model import Holder
    from core.access.model import Hosts
    from core.access.planning.plan import Plan
    from core.access_changes.present import PresentAccess
    from core.session import Session
    from tui.screens.access_reading import Access
    from tui.screens.form import Form
    from tui.screens.user_sending import WithPassword


class UsersScreen(HolderScreen[UserRow]):
    """The users."""

    SCREEN_ID = "users"
    TITLE_WORDS = "Users"
    NOUN = ("user", "users")
    SUBJECT_KIND = "user"
    KIND = EntityKind.USER
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("users.new", "new", "n", "new", "Create a user; the SQL is shown while you type.", modifies=True,
                ability="create user"),
        Command("users.grant", "grant", "plus", "give", "Give rights; what becomes of its effective rights is shown.",
                modifies=True, needs_row=True, ability="grant"),
        Command("users.revoke", "revoke", "minus", "take",
                "Take rights; what becomes of its effective rights is shown.", modifies=True, needs_row=True,
                ability="grant"),
        Command("users.roles", "roles", "a", "change_roles", "Give or take roles.", modifies=True, needs_row=True,
                ability="grant roles"),
        Command("users.edit", "edit", "e", "edit",
                "Change hosts, roles, database, settings, validity, grantees or sign-in.", modifies=True,
                needs_row=True, ability="alter user"),
        Command("users.password", "sign-in", "p", "change_sign_in",
                "Another password or way in, one more or one less, and when each ends.", modifies=True, needs_row=True,
                ability="alter user"),
        Command("users.disable", "disable", "s", "disable", "Let the user come in from nowhere (HOST NONE).",
                modifies=True, needs_row=True, ability="alter user"),
        Command("users.enable", "enable", "R", "enable", "Let a disabled user in again, from where it came before.",
                modifies=True, needs_row=True, ability="alter user"),
        Command("users.drop", "drop", "x", "drop", "Drop a user, after its name is typed.", modifies=True,
                needs_row=True, ability="drop user"),
        Command("users.try", "try", "t", "try_statement", "Ask ClickHouse a statement as this user (embedded engine).",
                needs_row=True),
        Command("users.clone", "clone", "c", "clone", "Make a user like this one, with a password of its own.",
                modifies=True, needs_row=True, ability="create user", footer=False),
        Command("users.rename", "rename", "m", "change_name", "Give a user another name.", modifies=True,
                needs_row=True, ability="alter user", footer=False),
        Command("users.move", "move", "v", "move", "Move the user to another access storage.", modifies=True,
                needs_row=True, ability="drop user", footer=False),
    )  # fmt: skip
    ONE_AT_A_TIME = one_at_a_time(ACTIONS)

    # -- what is shown

    def key(self, row: UserRow) -> str:
        return row.name

    def rows(self, access: Access, session: Session) -> Sequence[UserRow]:
        return rows_of(access, self.now())

    def summary(self, row: UserRow) -> Sequence[Line]:
        return summary_lines(row, self.access, self.now())

    def empty(self) -> tuple[str, str]:
        return "No user can be seen.", "Press n to create one."

    def why_not(self, command: Command) -> str:
        reason = super().why_not(command)
        row = self.current
        if reason or row is None:
            return reason
        if command.id == "users.try" and self.session is not None and self.session.engine.home != "embedded":
            return "Only the embedded engine can be asked as another user; see the tab Effective."
        if command.id == "users.disable" and row.disabled:
            return f"The user {one_line(row.name, 60)} is disabled already."
        if command.id == "users.enable" and not row.disabled:
            return f"The user {one_line(row.name, 60)} is not disabled."
        return ""

    def on_entity_table_moved(self) -> None:
        self.show_frame()  # what can be done depends on the row

    # -- commands

    def new(self) -> None:
        from tui.screens.user_forms import new_form

        self.ask(new_form(Answering(self, self.open_session()), self.access), self._run)

    def edit(self) -> None:
        from tui.screens.user_forms import edit_form

        self._open_with_password(edit_form)

    def clone(self) -> None:
        from tui.screens.user_forms import clone_form

        self._open_with_password(clone_form)

    def change_sign_in(self) -> None:
        from tui.screens.user_methods import methods_form

        self._open_with_password(methods_form)

    def _open_with_password(self, make: Callable[[Answering, Access, Holder], Form[WithPassword]]) -> None:
        answering = Answering(self, self.open_session())
        self.with_fresh_row(lambda row: self.ask(make(answering, self.access, self.holder(row)), self._run))

    def _run(self, asked: WithPassword) -> None:
        from tui.screens.user_sending import send_with_password

        send_with_password(self, asked)

    def try_statement(self) -> None:
        from tui.screens.trying import Trial, TriedScreen, try_form

        def really(trial: Trial) -> None:
            from core.access_changes.trials import trial as change_of

            self.carry_out(change_of(trial.user, trial.sql), lambda _report: None)

        form = try_form(self.open_session(), self.chosen[0].name)
        self.ask(form, lambda trial: self.app.push_screen(TriedScreen(trial, really)))

    def disable(self) -> None:
        from core.access.planning import entities
        from core.access.planning.together import in_turn

        names = [row.name for row in self.chosen]

        def plan(now: PresentAccess) -> Plan:
            disable = partial(entities.disable, cluster=now.cluster, storage_types=now.storage_types)
            return in_turn(now.model, [partial(disable, name=name) for name in names])

        self.change(plan)

    def enable(self) -> None:
        from tui.screens.user_forms import enable_form

        session = self.open_session()
        answering, rows = Answering(self, session), self.chosen[:1]

        async def read() -> tuple[UserRow, Hosts | None]:
            fresh = (await self.read_again(rows))[0]
            return fresh, await hosts_before(session, fresh.name)

        def ask(found: tuple[UserRow, Hosts | None]) -> None:
            row, hosts = found
            self.ask_for(enable_form(answering, self.access, self.holder(row), hosts))

        self.work("plan", read, ask, self._not_planned)


async def hosts_before(session: Session, user: str) -> Hosts | None:
    """From where a user came before it was disabled, by the journal."""
    from core.access.planning.entities import remembered_hosts

    for row in await session.journal.history("user", user):
        if row.action == "disable":
            return remembered_hosts(row.details)
    return None
