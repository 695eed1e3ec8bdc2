"""What the screens of quotas, settings profiles and row policies share: all of these hold for users and roles (TO)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar

from core.access.access_model import EntityKey
from core.access.model import EntityKind
from core.access.planning.clusters import WRITABLE, directory_type
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
MOVE = "move"


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
        Command(f"{prefix}.{MOVE}", "move", "v", "move", f"Move the {noun} to another access storage.", modifies=True,
                needs_row=True, ability=dropping, footer=False),
    )  # fmt: skip


def writable_storages(session: Session) -> tuple[str, ...]:
    """The access storages of the server that SQL can write to, first the one that a CREATE goes to."""
    directories = session.capabilities.user_directories or ()
    ordered = sorted(directories, key=lambda each: each[2])
    return tuple(name for name, kind, _ in ordered if directory_type(kind) in WRITABLE)


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
        return session.capabilities.missing(
            f"read {'row policies' if self.KIND is EntityKind.ROW_POLICY else self.NOUN[1]}"
        )

    async def tab(self, session: Session, row: L, name: str) -> Sequence[Line]:
        from tui.screens.limit_forms import definition_text

        return text_lines(definition_text(self.access, row.key), "accent")

    # -- commands

    def why_not(self, command: Command) -> str:
        reason = super().why_not(command)
        if not reason and command.call == MOVE and self.session is not None:
            if len(writable_storages(self.session)) < 2:
                return "There is only one access storage that SQL can write to."
            return self.session.capabilities.missing(f"create {self.NOUN[0]}")
        return reason

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

    def move(self) -> None:
        from tui.screens.limit_forms import move_form

        storages = writable_storages(self.open_session())
        self._open(lambda answering, access, key: move_form(answering, access, key, storages))

    def dropping(self, proposal: Proposal, key: EntityKey) -> Proposal:
        from tui.screens.access_reading import with_consequences

        return with_consequences(super().dropping(proposal, key), *self.telling(proposal.plan, key))

    def telling(self, plan: Plan, key: EntityKey) -> Sequence[str]:
        """What a plan means for users, in sentences."""
        from tui.screens.limit_forms import subjects_lines

        return subjects_lines(plan, key)
