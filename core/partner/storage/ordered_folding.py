"""Facts folded in the order of their time, though they come in the order in which they arrive.

Several services write to one journal, so a row may come after others that are younger. Then what these have changed is
taken back, and they are told again behind it. How to take back is remembered for the newest rows only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from core.journal.rows import Row
from core.partner.accounts import facts
from core.partner.accounts.folding import Folding
from core.partner.accounts.state import Known
from core.partner.security.basic_credentials import BasicCredential
from core.partner.storage.credential_facts import PARTNER_CREDENTIAL, tell_credential

SUBJECT_KINDS: Final = (*facts.SUBJECT_KINDS, PARTNER_CREDENTIAL)

Place = tuple[datetime, UUID]  # of a row in time; UUIDs are compared as their text, which is how the journal sorts

_Undo = tuple[dict[Any, Any], Any, Any]  # a dict, a key of it, and the value that was there
_NOTHING: Final = object()


class OrderedFolding:
    """What is known, by rows that are told in any order. `known` and `credentials` move along."""

    def __init__(self) -> None:
        self._undo: list[_Undo] = []
        self._folding = _ReversibleFolding(self._undo)
        self.credentials: dict[str, BasicCredential] = _Remembering(self._undo)
        self._rows: list[Row] = []  # those that can be taken back, in order
        self._places: list[Place] = []  # of each of them
        self._marks: list[int] = []  # how long `_undo` was before each of them
        self._settled: Place | None = None  # of the newest row that cannot be taken back any more

    @property
    def known(self) -> Known:
        """What is known of accounts, users and partner connections: a view."""
        return self._folding.known

    def tell(self, rows: Iterable[Row]) -> None:
        """Take in rows, none of which was told before, or is older than what is settled (ValueError)."""
        new = sorted(rows, key=place)
        if not new:
            return
        first = place(new[0])
        if self._settled is not None and first < self._settled:
            raise ValueError("a row is older than all that can be taken back")
        position = bisect_left(self._places, first)
        if later := self._rows[position:]:
            self._take_back(position)
            new = sorted((*later, *new), key=place)
        for row in new:
            self._rows.append(row)
            self._places.append(place(row))
            self._marks.append(len(self._undo))
            self._tell(row)

    def settle(self, before: datetime) -> None:
        """Forget how to take back rows from before a moment."""
        end = bisect_left(self._places, (before, UUID(int=0)))
        if not end:
            return
        self._settled = self._places[end - 1]
        used = self._marks[end] if end < len(self._marks) else len(self._undo)
        del self._rows[:end], self._places[:end], self._marks[:end], self._undo[:used]
        self._marks = [mark - used for mark in self._marks]

    def _tell(self, row: Row) -> None:
        if row.subject_kind == PARTNER_CREDENTIAL:
            tell_credential(row, self.credentials)
        else:
            self._folding.tell(row)

    def _take_back(self, position: int) -> None:
        mark = self._marks[position]
        for target, key, value in reversed(self._undo[mark:]):
            if value is _NOTHING:
                dict.__delitem__(target, key)
            else:
                dict.__setitem__(target, key, value)
        del self._rows[position:], self._places[position:], self._marks[position:], self._undo[mark:]


def place(row: Row) -> Place:
    """Where a row belongs in time."""
    return row.at, row.id


class _Remembering(dict[Any, Any]):
    """A dict that writes down how each change of it is taken back. Values are replaced, never altered."""

    def __init__(self, undo: list[_Undo]) -> None:
        super().__init__()
        self._log = undo

    def __setitem__(self, key: Any, value: Any) -> None:
        self._remember(key)
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        self._remember(key)
        super().__delitem__(key)

    def pop(self, key: Any, default: Any = None) -> Any:
        value = self.get(key, default)
        if key in self:
            del self[key]
        return value

    def _remember(self, key: Any) -> None:
        self._log.append((self, key, self.get(key, _NOTHING)))


class _ReversibleFolding(Folding):
    """A folding whose changes can be taken back."""

    def __init__(self, undo: list[_Undo]) -> None:
        super().__init__()
        self.accounts = _Remembering(undo)
        self.users = _Remembering(undo)
        self.connections = _Remembering(undo)
        self.account_ids = _Remembering(undo)
        self.user_ids = _Remembering(undo)
        self.users_by_email = _Remembering(undo)
        self.same_as = _Remembering(undo)
        self.known = Known(
            self.accounts,
            self.users,
            self.connections,
            self.account_ids,
            self.user_ids,
            self.users_by_email,
            self.same_as,
        )
