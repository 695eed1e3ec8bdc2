"""What the screens of quotas, settings profiles and row policies share: all of these hold for users and roles (TO)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar

from core.access.access_model import EntityKey
from core.access.model import EntityKind
from tui.commands import Command
from tui.screens.access import AccessScreen
from tui.screens.access_holders import Answering
from tui.screens.limit_rows import LimitRow
from tui.widgets.lines import Line, text_lines

if TYPE_CHECKING:
    from core.access.planning.plan import Plan
    from core.session import Session
    from tui.screens.access_reading import Access, Proposal
    from tui.screens.form import Form

L = TypeVar("L", bound=LimitRow)


def limit_commands(prefix: str, noun: str, whom: str) -> tuple[Command, ...]:
    """The commands about an entity that holds for users; `whom` says in a sentence what changing its TO does."""
    creating, altering, dropping = (f"{verb} {noun}" for verb in ("create", "alter", "drop"))
    return (
        Command(f"{prefix}.new", "new", "n", "new", f"Create a {noun}; the SQL is shown while you type.",
                modifies=True, ability=creating),
        Command(f"{prefix}.edit", "edit", "e", "edit", f"Change the {noun}.", modifies=True, needs_row=True,
                ability=altering),
        Command(f"{prefix}.to", "whom", "t", "change_to", whom, modifies=True, needs_row=True, ability=altering),
        Command(f"{prefix}.drop", "drop", "x", "drop", f"Drop the {noun}, after its name is typed.", modifies=True,
                needs_row=True, ability=dropping),
        Command(f"{prefix}.clone", "clone", "c", "clone", f"Make a {noun} like this one, which is for nobody yet.",
                modifies=True, needs_row=True, ability=creating),
        Command(f"{prefix}.rename", "rename", "m", "change_name", f"Give the {noun} another name.", modifies=True,
                needs_row=True, ability=altering),
        Command(f"{prefix}.move", "move", "v", "move", f"Move the {noun} to another access storage.", modifies=True,
                needs_row=True, ability=dropping, footer=False),
    )  # fmt: skip


def is_hidden(access: Access, plural: str) -> bool:
    """Whether the entities of a kind may not be seen by the connected user, so that none says nothing."""
    return any(line.startswith(f"The {plural} ") for line in access.present.survey.hidden)


class LimitScreen(AccessScreen[L]):
    """Entities of one kind that hold for users and roles."""

    TABS: ClassVar[tuple[str, ...]] = ("Summary", "SQL", "History")
    KIND: ClassVar[EntityKind]

    def key(self, row: L) -> str:
        return row.name

    def entity(self, row: L) -> EntityKey:
        return row.key

    async def load(self, session: Session) -> Sequence[L]:
        self._access = access = await self._shared_access(session)
        return await asyncio.to_thread(self.rows, access, session)  # of thousands of users it is asked who is meant

    def missing(self, session: Session) -> str:
        return session.capabilities.missing(f"read {self.NOUN[1]}")

    def empty(self) -> tuple[str, str]:
        session = self.session
        if self._access is not None and session is not None and is_hidden(self._access, self.NOUN[1]):
            return f"The {self.NOUN[1]} cannot be seen.", self.missing(session)
        return self.nothing_yet()

    def nothing_yet(self) -> tuple[str, str]:
        """What an empty list says that may be seen, and what to do about it."""
        raise NotImplementedError

    async def tab(self, session: Session, row: L, name: str) -> Sequence[Line]:
        from tui.screens.limit_forms import definition_text

        return text_lines(definition_text(self.access, row.key), "accent")

    # -- commands

    def _open(self, make: Callable[[Answering, Access, EntityKey], Form[Proposal]]) -> None:
        """Open a form about the row under the cursor, as it is now."""
        answering = Answering(self, self.open_session())
        self.with_fresh_row(lambda row: self.ask_for(make(answering, self.access, self.entity(row))))

    def change_to(self) -> None:
        from tui.screens.limit_forms import to_form

        self._open(lambda answering, access, key: to_form(answering, access, key, self.telling))

    def change_name(self) -> None:
        from tui.screens.grant_forms import rename_form

        self._open(rename_form)

    def dropping(self, proposal: Proposal, keys: Sequence[EntityKey]) -> Proposal:
        from tui.screens.access_reading import with_consequences

        told = (sentence for key in keys for sentence in self.telling(proposal.plan, key))
        return with_consequences(super().dropping(proposal, keys), *told)

    def telling(self, plan: Plan, key: EntityKey) -> Sequence[str]:
        """What a plan means for users, in sentences."""
        from tui.screens.limit_forms import subjects_lines

        return subjects_lines(plan, key)
