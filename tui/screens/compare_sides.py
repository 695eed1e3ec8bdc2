"""The two sides of a comparison: what each can be, and how it is read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from core.access_changes.as_written import as_written
from core.access_reports.files import problem_text, read_access_file
from core.display import count, one_line
from core.errors import BadInputError, RefusedError
from tui.screens.access_reading import read_present
from tui.screens.profile_rows import short

if TYPE_CHECKING:
    from core.access.access_model import AccessModel
    from core.access_changes.present import PresentAccess
    from core.session import Session
    from tui.app import HousekeysApp

SHARED_SIDES = "compared sides"  # their place among what the console shares: another screen may ask for them


class SideKind(StrEnum):
    """What a side can be."""

    CONNECTED = "connected"
    PROFILE = "profile"
    FILE = "file"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class Side:
    """One side. `name` is that of the profile or node, or the path; of the connected server there is none."""

    kind: SideKind
    name: str = ""

    def label(self, session: Session | None) -> str:
        """What it is called in headings."""
        if self.kind is SideKind.CONNECTED:
            return session.profile.name if session is not None else "connected"
        return short(self.name) if self.kind is SideKind.FILE else self.name


Sides = tuple[Side, Side]
_BY_TABLES = ("Read from system tables, which tell no password: none is compared.",)


@dataclass(frozen=True, slots=True)
class ReadSide:
    """A side, read. `notes` is what has to be known before it is believed."""

    side: Side
    label: str
    model: AccessModel = field(repr=False)
    notes: tuple[str, ...] = ()
    present: PresentAccess | None = field(default=None, repr=False)


async def read_sides(console: HousekeysApp, session: Session, sides: Sides) -> tuple[ReadSide, ReadSide]:
    """Read both sides, for a worker. Raises HousekeysError."""
    kinds = {side.kind for side in sides}
    by_tables = SideKind.NODE in kinds
    if by_tables and kinds - {SideKind.NODE, SideKind.CONNECTED}:
        raise RefusedError(
            "A node is compared with the connected server or with another node.", advice="Pick one of these."
        )
    first, second = [await _read_side(console, session, side, by_tables=by_tables) for side in sides]
    return _beside(first, second), _beside(second, first)


def _beside(side: ReadSide, other: ReadSide) -> ReadSide:
    """A side as it is compared with the other: without what only one embedded engine brings."""
    model = side.model if side.present is None else side.present.compared_with(other.model)
    return replace(side, model=model if other.present is None else other.present.clear_as_kept(model))


async def _read_side(console: HousekeysApp, session: Session, side: Side, *, by_tables: bool) -> ReadSide:
    label = one_line(side.label(session), 60)
    if by_tables:
        from core.access_reports.node_access import read_node_access, read_own_access

        if side.kind is SideKind.CONNECTED:
            return ReadSide(side, label, await read_own_access(session.engine), _BY_TABLES)
        model = await read_node_access(session.engine, session.profile.cluster or "", side.name)
        return ReadSide(side, label, model, _BY_TABLES)
    if side.kind is SideKind.FILE:
        read = await asyncio.to_thread(_read_file, side, label)
        return replace(read, model=await as_written(session.engine, read.model))
    if side.kind is SideKind.CONNECTED or side.name == session.profile.name:
        return _of_present(side, label, await read_present(session))
    return await _read_profile(console, side, label)


async def _read_profile(console: HousekeysApp, side: Side, label: str) -> ReadSide:
    """Open a second session beside the one of the console, which only looks."""
    from core.session import Session as Opened

    session = await Opened.open(
        console.connection.profile_file,
        side.name,
        console.start.paths,
        read_only=True,
        prompt=console.prompt_secret,
        catch_up=False,
    )
    try:
        return _of_present(side, label, await read_present(session))
    finally:
        await session.close()


def _of_present(side: Side, label: str, present: PresentAccess) -> ReadSide:
    unread = present.survey.unread
    notes = [f"{label}: {words}" for words in present.survey.hidden]
    notes += [f"{label}: {count(len(unread))} statements were not understood and are missing here."] if unread else []
    return ReadSide(side, label, present.model, tuple(notes), present)


def _read_file(side: Side, label: str) -> ReadSide:
    file = read_access_file(Path(side.name).expanduser())
    if file.errors:
        more = [problem_text(problem) for problem in file.errors[1:]]
        raise BadInputError(problem_text(file.errors[0]), advice="Correct the file, or pick another side.",
                            detail="\n".join(more))  # fmt: skip
    losses = len(file.losses)
    notes = (f"{label}: {count(losses)} {'thing' if losses == 1 else 'things'} of it SQL cannot say: "
             "see Access files.",) if losses else ()  # fmt: skip
    return ReadSide(side, label, file.desired, notes)


def other_than_connected(sides: tuple[ReadSide, ReadSide], session: Session) -> ReadSide:
    """The side that the connected server can be made like. Raises RefusedError when it is not one of the two."""
    own = [_is_connected(each.side, session) for each in sides]
    if own.count(True) != 1:
        raise RefusedError("The connected server is not one of the two sides.", advice="Press p to pick it.")
    return sides[0] if own[1] else sides[1]


def _is_connected(side: Side, session: Session) -> bool:
    same = side.kind is SideKind.PROFILE and side.name == session.profile.name
    return side.kind is SideKind.CONNECTED or same
