"""What the screens of users and of roles share: tabs about rights, and giving, taking, renaming, dropping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from core.access.access_model import EntityKey, Holder
from core.access.model import EntityKind
from tui.screens.access import AccessScreen
from tui.widgets.columns import R
from tui.widgets.lines import Line

if TYPE_CHECKING:
    from core.session import Session
    from tui.screens.access_reading import Access, Planning, Proposal
    from tui.screens.form import Form


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

    def missing(self, session: Session) -> str:
        reasons = (session.capabilities.missing(ability) for ability in ("read users", "read roles", "read grants"))
        return "\n".join(filter(None, reasons))

    # -- commands

    def _open(self, make: Callable[[Answering, Access, Holder], Form[Proposal]]) -> None:
        """Open a form about the row under the cursor, as it is now."""
        answering = Answering(self, self.open_session())
        self.with_fresh_row(lambda row: self.ask_for(make(answering, self.access, self.holder(row))))

    def give(self) -> None:
        from tui.screens.grant_forms import grant_form

        self._open(grant_form)

    def take(self) -> None:
        from tui.screens.grant_forms import revoke_form

        self._open(revoke_form)

    def change_roles(self) -> None:
        from tui.screens.grant_forms import roles_form

        self._open(roles_form)

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
