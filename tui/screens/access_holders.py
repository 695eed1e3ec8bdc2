"""What the screens of users and of roles share: tabs about rights, and giving, taking, renaming, dropping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from core.access.access_model import EntityKey, Holder
from core.access.model import EntityKind
from tui.commands import Command
from tui.screens.access import AccessScreen
from tui.widgets.columns import R
from tui.widgets.lines import Line

if TYPE_CHECKING:
    from core.session import Session
    from tui.screens.access_reading import Access, Planning, Proposal
    from tui.screens.form import Form


# What is done with all that are marked: giving and taking rights and roles, disabling, dropping.
WITH_MANY = frozenset({"give", "take", "change_roles", "disable", "drop"})


def one_at_a_time(commands: Sequence[Command]) -> tuple[str, ...]:
    """The commands about a row that take one only."""
    return tuple(command.id for command in commands if command.needs_row and command.call not in WITH_MANY)


class HolderScreen(AccessScreen[R]):
    """Users, or roles."""

    TABS = ("Summary", "Grants", "Effective", "SQL", "History")
    KIND: ClassVar[EntityKind]

    def entity(self, row: R) -> EntityKey:
        return EntityKey(self.KIND, self.key(row))

    def holder(self, row: R) -> Holder:
        return Holder(self.KIND, self.key(row))

    async def tab(self, session: Session, row: R, name: str) -> Sequence[Line]:
        from tui.screens import access_tabs

        access, who = self.access, self.holder(row)
        if name == "Grants":
            return access_tabs.grant_lines(access, who)
        if name == "Effective":
            return access_tabs.effective_lines(access, who, self.now())
        return access_tabs.sql_lines(access, who)

    # -- commands

    def _open(self, make: Callable[[Answering, Access, Holder], Form[Proposal]]) -> None:
        """Open a form about the row under the cursor, as it is now."""
        answering = Answering(self, self.open_session())
        self.with_fresh_row(lambda row: self.ask_for(make(answering, self.access, self.holder(row))))

    def _open_for_all(self, make: Callable[[Answering, Access, Sequence[Holder]], Form[Proposal]]) -> None:
        """Open a form about all that are marked, or the one under the cursor."""
        answering = Answering(self, self.open_session())
        self.with_fresh_rows(
            lambda rows: self.ask_for(make(answering, self.access, [self.holder(row) for row in rows]))
        )

    def give(self) -> None:
        from tui.screens.grant_forms import grant_form

        self._open_for_all(grant_form)

    def take(self) -> None:
        from tui.screens.grant_forms import revoke_form

        self._open_for_all(revoke_form)

    def change_roles(self) -> None:
        from tui.screens.role_forms import roles_form

        self._open_for_all(roles_form)

    def change_name(self) -> None:
        from tui.screens.grant_forms import rename_form

        self._open(rename_form)


class Answering:
    """How the forms of a screen get from what was typed to a change: always from access as it is at that moment."""

    def __init__(self, screen: AccessScreen[Any], session: Session) -> None:
        self._screen, self.session = screen, session

    async def propose(
        self,
        make: Planning,
        *,
        since: tuple[Access, EntityKey] | None = None,
    ) -> Proposal:
        """Read access anew and plan. With `since`, refuse when the entity is no longer as it was then."""
        from core.access.planning.plan import same, title
        from core.display import one_line
        from core.errors import RefusedError
        from tui.screens.access_reading import proposed

        fresh = await self._screen.read_anew(self.session)
        if since is not None and not same(since[0].model, fresh.model, since[1]):
            raise RefusedError(
                f"The {one_line(title(since[1]), 60)} was altered by somebody since this form was opened.",
                advice="Leave the form (esc) and open it again, to start from what there is now.",
            )
        return proposed(fresh.present, make)

    def previewed(self, access: Access, make: Planning) -> Proposal:
        """What would come of it, from access as it was when the form was opened."""
        from tui.screens.access_reading import proposed

        return proposed(access.present, make)
