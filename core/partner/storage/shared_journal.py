"""The journal of a service: the rows of changes that end at the same time go there in one insert.

All rows of one change stay in one insert, so that what a request has made is in the journal whole or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from core.journal.rows import Row
from core.partner.storage.together import Together
from core.running.needs import RunJournal


class SharedJournal:
    """A `RunJournal` for many changes at once. Raises what `journal` raises. For one event loop."""

    def __init__(self, journal: RunJournal) -> None:
        self._journal = journal
        self._appended: Together[tuple[Sequence[Row], bool], None] = Together(self._append_all)
        self._newest: Together[None, datetime | None] = Together(self._ask_newest)

    async def append(self, rows: Sequence[Row], *, in_doubt: bool = False) -> None:
        """Keep `rows` durably; `in_doubt` says that some may be there already."""
        await self._appended.add((rows, in_doubt))

    async def newest(self) -> datetime | None:
        """The time of the newest row, by whichever clock."""
        return await self._newest.add(None)

    async def later_events(self, change: UUID, limit: int = 10) -> list[Row]:
        """Done events of other changes on the subjects of `change`, from when it touched each; newest first."""
        return await self._journal.later_events(change, limit)

    async def _append_all(self, groups: Sequence[tuple[Sequence[Row], bool]]) -> None:
        every = [row for rows, _ in groups for row in rows]
        await self._journal.append(every, in_doubt=any(in_doubt for _, in_doubt in groups))

    async def _ask_newest(self, asking: Sequence[None]) -> datetime | None:
        return await self._journal.newest()
