"""The ledger: what is known of every token that was issued, folded from the journal. Never the token itself.

A token is issued, then delivered to the client, then used in DataLens or void. All of it is bookkeeping: DataLens
reports nothing back, and a token made void here still opens its database there until DataLens drops a key version.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from core.changes import Event, JsonValue
from core.errors import BadInputError, NotFoundError
from core.keys.versions import KeyVersion, Side, active_partner, current_datalens

if TYPE_CHECKING:
    from core.journal.journal import Journal
    from core.journal.rows import Row

SUBJECT_KIND = "token"
ISSUE = "issue"
RESTORE = "restore"  # a mark taken back
SHORTEST_PREFIX = 4  # hex digits of a fingerprint that may stand for the whole


class TokenState(StrEnum):
    """Where a token stands, as far as anybody told Housekeys."""

    ISSUED = "issued"
    DELIVERED = "delivered"
    USED = "used"
    VOID = "void"

    @property
    def action(self) -> str:
        """What brings a token there, as the journal calls it."""
        return {"issued": ISSUE, "delivered": "deliver", "used": "use", "void": "void"}[self.value]

    @property
    def pending(self) -> bool:
        """Whether a client may still want to use it: such a token dies with its key versions."""
        return self in (TokenState.ISSUED, TokenState.DELIVERED)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """One token of the ledger."""

    fingerprint: str  # SHA-256 of its text, 64 hex digits
    tenant: str
    datalens_version: int
    partner_version: int
    issued: datetime
    operator: str
    note: str
    state: TokenState
    state_since: datetime

    def version(self, side: Side) -> int:
        """The key version it was made with on one side."""
        return self.partner_version if side is Side.PARTNER else self.datalens_version


def issue_event(
    fingerprint: str, tenant: str, *, datalens_version: int, partner_version: int, note: str = "", replaces: str = ""
) -> Event:
    """The fact that a token was issued. `replaces` is the fingerprint of the token it stands in for."""
    details: dict[str, JsonValue] = {
        "state": TokenState.ISSUED.value,
        "tenant": tenant,
        "datalens_key_version": datalens_version,
        "partner_key_version": partner_version,
        "note": note,
    }
    if replaces:
        details["replaces"] = replaces
    return Event(SUBJECT_KIND, fingerprint, ISSUE, details)


def state_event(token: IssuedToken, action: str, state: TokenState, note: str = "") -> Event:
    """The fact that a token came to another state."""
    details: dict[str, JsonValue] = {"state": state.value, "tenant": token.tenant}
    if note:
        details["note"] = note
    return Event(SUBJECT_KIND, token.fingerprint, action, details)


async def tokens_issued(journal: Journal) -> list[IssuedToken]:
    """Every token, oldest first. Two queries, whatever the number of tokens and of their events."""
    issued = await journal.events(SUBJECT_KIND, [ISSUE])
    if not issued:
        return []
    marks = [RESTORE, *(state.action for state in TokenState if state is not TokenState.ISSUED)]
    latest = await journal.latest(SUBJECT_KIND, marks)
    return await asyncio.to_thread(fold, issued, latest)


def fold(issued: Iterable[Row], latest: Mapping[str, Row]) -> list[IssuedToken]:
    """The tokens of the "issue" rows, each in the state of its row in `latest` if it has one."""
    tokens: dict[str, IssuedToken] = {}
    for row in issued:
        last = latest.get(row.subject, row)
        if row.subject not in tokens and (token := _token(row, last)) is not None:
            tokens[row.subject] = token
    return list(tokens.values())


def _token(row: Row, last: Row) -> IssuedToken | None:
    details = row.details
    try:
        return IssuedToken(
            row.subject,
            str(details["tenant"]),
            int(details["datalens_key_version"]),
            int(details["partner_key_version"]),
            row.at,
            row.operator,
            str(details.get("note", "")),
            TokenState(last.details["state"]),
            last.at,
        )
    except (KeyError, ValueError, TypeError):
        return None  # written by something else: there is nothing to say of it


async def find_token(journal: Journal, fingerprint: str) -> IssuedToken | None:
    """The token of one whole fingerprint, or None. One query."""
    rows = await journal.history(SUBJECT_KIND, fingerprint)
    done = [row for row in reversed(rows) if row.outcome == "done"]
    issued = [row for row in done if row.action == ISSUE]
    found = fold(issued, {fingerprint: done[-1]}) if issued else []
    return found[0] if found else None


def by_prefix(tokens: Iterable[IssuedToken], prefix: str) -> IssuedToken:
    """The one token whose fingerprint begins with `prefix` (case and a final … are ignored).

    Raises BadInputError when it is too short or fits several, NotFoundError when it fits none.
    """
    wanted = prefix.strip().lower().rstrip("….")
    if len(wanted) < SHORTEST_PREFIX:
        raise BadInputError(f"Give at least {SHORTEST_PREFIX} digits of the token's fingerprint.")
    found = [token for token in tokens if token.fingerprint.startswith(wanted)]
    if not found:
        raise NotFoundError(
            "The ledger has no token with this fingerprint.", advice="See `housekeys token list` for those there are."
        )
    if len(found) > 1:
        raise BadInputError(f"{len(found)} tokens begin so.", advice="Give more digits of the fingerprint.")
    return found[0]


def pending_by_version(tokens: Iterable[IssuedToken]) -> Counter[tuple[Side, int]]:
    """How many tokens that may still be used depend on each key version."""
    counts: Counter[tuple[Side, int]] = Counter()
    for token in tokens:
        if token.state.pending:
            counts.update((side, token.version(side)) for side in Side)
    return counts


def by_version(tokens: Iterable[IssuedToken]) -> Counter[tuple[Side, int]]:
    """How many tokens were ever made with each key version."""
    return Counter((side, token.version(side)) for token in tokens for side in Side)


@dataclass(frozen=True, slots=True)
class Reissue:
    """A token that should be made anew, and why."""

    token: IssuedToken
    reasons: tuple[str, ...]


def to_reissue(tokens: Sequence[IssuedToken], versions: Sequence[KeyVersion]) -> list[Reissue]:
    """What must be reissued when either side rotates: pending tokens made with other than the current versions.

    A token that was used needs no other: its connection holds the database name and no token.
    """
    current = {Side.PARTNER: active_partner(versions), Side.DATALENS: current_datalens(versions)}
    states = {(version.side, version.version): version.state for version in versions}
    found = []
    for token in tokens:
        if not token.state.pending:
            continue
        reasons = []
        for side, now in current.items():
            number = token.version(side)
            if now is not None and number != now.version:
                state = states.get((side, number))
                reasons.append(f"{side.owner} key {number} is {state or 'unknown'}, {now.version} is current")
        if reasons:
            found.append(Reissue(token, tuple(reasons)))
    return found
