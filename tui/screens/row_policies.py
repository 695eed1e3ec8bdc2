"""The row policies screen: who sees which rows of which table. Masking policies are shown beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.access.access_model import EntityKey
from core.access.model import EntityKind
from core.access.policies import MaskingPolicy, PolicyName
from tui.commands import Command
from tui.screens.access_holders import Answering
from tui.screens.access_limits import LimitScreen, limit_commands
from tui.screens.moving import writable_storages
from tui.screens.new_rows import Subject
from tui.screens.row_policy_rows import COLUMNS, PolicyRow, rows_of, seen_lines, summary_lines
from tui.widgets.lines import Line

if TYPE_CHECKING:
    from core.access.planning.plan import Plan
    from core.session import Session
    from tui.screens.access_reading import Access


class RowPoliciesScreen(LimitScreen[PolicyRow]):
    """The row policies, and the masking policies."""

    SCREEN_ID = "row-policies"
    TITLE_WORDS = "Row policies"
    NOUN = ("row policy", "row policies")
    SUBJECT_KIND = "row_policy"
    KIND = EntityKind.ROW_POLICY
    COLUMNS = COLUMNS
    ACTIONS = limit_commands(
        "row-policies", "row policy", "Change for whom the policy filters; the others may see more."
    )
    ONE_AT_A_TIME = tuple(command.id for command in ACTIONS if command.needs_row)

    def key(self, row: PolicyRow) -> str:
        return row.sql_name

    def subject(self, row: PolicyRow) -> Subject:
        from core.access_changes.changes import subject_kind

        return subject_kind(row.key), row.name  # a masking policy has a kind of its own

    def key_named(self, name: str) -> str:
        return next((self.key(row) for row in self.table.shown if row.name == name), name)

    def detail_title(self, row: PolicyRow) -> str:
        return row.name

    def rows(self, access: Access, session: Session) -> Sequence[PolicyRow]:
        return rows_of(access)

    def summary(self, row: PolicyRow) -> Sequence[Line]:
        return summary_lines(row)

    def nothing_yet(self) -> tuple[str, str]:
        return "No row policies yet.", (
            "A row policy shows users some rows of a table and hides the others. Press n to create one."
        )

    # -- commands

    def why_not(self, command: Command) -> str:
        reason = super().why_not(command)
        row = self.current if command.modifies and command.needs_row else None
        if not reason and row is not None and isinstance(row.policy, MaskingPolicy):
            return "Masking policies are only shown here. They are changed by SQL."
        return reason

    def on_entity_table_moved(self) -> None:
        self.show_frame()  # a masking policy is not changed here

    def telling(self, plan: Plan, key: EntityKey) -> Sequence[str]:
        return seen_lines(plan.current, plan.target, key.name) if isinstance(key.name, PolicyName) else ()

    def new(self) -> None:
        from tui.screens.row_policy_forms import new_form

        session = self.open_session()
        answering = Answering(self, session)
        self.ask_for(new_form(answering, self.access, writable_storages(session), self.telling))

    def clone(self) -> None:
        from tui.screens.row_policy_forms import new_form

        storages = writable_storages(self.open_session())
        self._open(lambda answering, access, key: new_form(answering, access, storages, self.telling, like=key))

    def edit(self) -> None:
        from tui.screens.row_policy_forms import edit_form

        self._open(lambda answering, access, key: edit_form(answering, access, key, self.telling))
