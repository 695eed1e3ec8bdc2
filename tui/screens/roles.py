"""The roles screen: who has each role, what it gives, and everything that is done with roles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.access.model import EntityKind
from tui.commands import Command
from tui.screens.access_holders import Answering, HolderScreen, one_at_a_time
from tui.screens.role_rows import COLUMNS, RoleRow, rows_of, summary_lines
from tui.widgets.lines import Line

if TYPE_CHECKING:
    from core.session import Session
    from tui.screens.access_reading import Access


class RolesScreen(HolderScreen[RoleRow]):
    """The roles."""

    SCREEN_ID = "roles"
    TITLE_WORDS = "Roles"
    NOUN = ("role", "roles")
    SUBJECT_KIND = "role"
    KIND = EntityKind.ROLE
    COLUMNS = COLUMNS
    ACTIONS = (
        Command("roles.new", "new", "n", "new", "Create a role; the SQL is shown while you type.", modifies=True,
                ability="create role"),
        Command("roles.grant", "grant", "plus", "give", "Give rights to the role, and so to all who have it.",
                modifies=True, needs_row=True, ability="grant"),
        Command("roles.revoke", "revoke", "minus", "take", "Take rights from the role, and so from all who have it.",
                modifies=True, needs_row=True, ability="grant"),
        Command("roles.roles", "roles", "a", "change_roles", "Give or take roles that the role holds.", modifies=True,
                needs_row=True, ability="grant roles"),
        Command("roles.edit", "edit", "e", "edit", "Change the settings and settings profiles of the role.",
                modifies=True, needs_row=True, ability="alter role"),
        Command("roles.clone", "clone", "c", "clone", "Make a role like this one, which nobody has yet.",
                modifies=True, needs_row=True, ability="create role"),
        Command("roles.rename", "rename", "m", "change_name", "Give a role another name; who has it keeps it.",
                modifies=True, needs_row=True, ability="alter role"),
        Command("roles.drop", "drop", "x", "drop", "Drop a role, after its name is typed; its members are listed.",
                modifies=True, needs_row=True, ability="drop role"),
        Command("roles.move", "move", "v", "move", "Move the role to another access storage.", modifies=True,
                needs_row=True, ability="drop role", footer=False),
    )  # fmt: skip
    ONE_AT_A_TIME = one_at_a_time(ACTIONS)

    def key(self, row: RoleRow) -> str:
        return row.name

    def rows(self, access: Access, session: Session) -> Sequence[RoleRow]:
        return rows_of(access)

    def summary(self, row: RoleRow) -> Sequence[Line]:
        return summary_lines(row, self.access)

    def empty(self) -> tuple[str, str]:
        return "No roles yet.", (
            "A role collects rights under a name; users that have it have them. Press n to create the first one."
        )

    def new(self) -> None:
        from tui.screens.role_forms import new_form

        self.ask_for(new_form(Answering(self, self.open_session()), self.access))

    def edit(self) -> None:
        from tui.screens.role_forms import edit_form

        self._open(edit_form)

    def clone(self) -> None:
        from tui.screens.role_forms import clone_form

        self._open(clone_form)
