"""What is known of each connection: folded from the journal's events, whoever made them and by whatever hand.

The way to a working connection has two phases, for its external id is known only once it exists: policies and a role
that nobody can assume yet, CREATE API CONNECTION, the external id from DESC CONNECTION, a trust policy that asks for
it, and a look whether all is so. Each is an event, so the way goes on after a restart and on another machine.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from core.journal.rows import Row
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID, PolicyScope
from core.lakehouse.facts import HAND

log = logging.getLogger(__name__)


TRUST_POLICY: Final = "Trust policy"  # how a difference of one begins


class Stage(StrEnum):
    """What is to be done next for a connection."""

    GRANT = "grant"  # create the permission policies
    TRUST = "trust"  # create the role, with a trust policy that nobody meets yet, and attach the policies
    CREATE = "create"  # CREATE API CONNECTION
    DESCRIBE = "describe"  # read the external id
    TIGHTEN = "tighten"  # let the trust policy ask for the external id
    VERIFY = "verify"  # read everything back
    READY = "ready"  # nothing


class Condition(StrEnum):
    """How a connection stands, the worst first; the value is the word that is shown."""

    OPEN = "open trust"  # the role can be assumed without an external id
    MISMATCH = "id mismatch"  # the trust policy asks for another external id than the connection has
    DRIFTED = "drifted"  # the last look found something else than what is wanted
    UNFINISHED = "unfinished"  # a step of the way is still to be done
    UNVERIFIED = "unverified"  # all was done, and never read back
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Mark:
    """When something was done and by whom; `by_hand`: an operator says so, Housekeys did not do it itself."""

    at: datetime  # UTC
    operator: str
    by_hand: bool


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """One connection as the journal knows it. A mark is None while that was not done, or not since a DROP."""

    connection: ApiConnection
    defined: Mark
    scope: PolicyScope = PolicyScope.DOCUMENTED
    more_buckets: tuple[str, ...] = ()  # that the role may use besides the code bucket
    policy_suffix: str = ""  # of the names of its own policies
    granted: Mark | None = None
    trusted: Mark | None = None
    trusted_id: str = ""  # the external id that the trust policy asks for; empty: none
    created: Mark | None = None
    described: Mark | None = None
    external_id: str = ""  # as DESC CONNECTION told it
    verified: Mark | None = None
    differences: tuple[str, ...] = ()  # what the last look found, a sentence each

    @property
    def name(self) -> str:
        return self.connection.name

    @property
    def tightened(self) -> bool:
        """Whether the trust policy asks for the external id that the connection has."""
        return bool(self.external_id) and self.trusted_id == self.external_id

    @property
    def trust_differs(self) -> bool:
        """Whether the last look found another trust policy than the wanted one."""
        return any(words.startswith(TRUST_POLICY) for words in self.differences)

    @property
    def stage(self) -> Stage:
        """What is to be done next."""
        if self.granted is None:
            return Stage.GRANT
        if self.trusted is None:
            return Stage.TRUST
        if self.created is None:
            return Stage.CREATE
        if not self.external_id:
            return Stage.DESCRIBE
        if not self.tightened or self.trust_differs:
            return Stage.TIGHTEN
        return Stage.VERIFY if self.verified is None or self.differences else Stage.READY

    @property
    def condition(self) -> Condition:
        """How it stands."""
        if self.trusted is not None and not self.trusted_id:
            return Condition.OPEN
        if self.external_id and self.trusted_id not in ("", PLACEHOLDER_EXTERNAL_ID, self.external_id):
            return Condition.MISMATCH
        if self.differences:
            return Condition.DRIFTED
        if self.stage is Stage.READY:
            return Condition.READY
        return Condition.UNVERIFIED if self.stage is Stage.VERIFY else Condition.UNFINISHED


def fold(rows: Iterable[Row]) -> dict[str, ConnectionState]:
    """The connections that `rows` (events about connections, oldest first) add up to, by name."""
    states: dict[str, ConnectionState] = {}
    for row in rows:
        if row.action == "remove":
            states.pop(row.subject, None)
            continue
        state = states.get(row.subject)
        try:
            if row.action == "define":
                states[row.subject] = _defined(row, state)
            elif state is not None:
                states[row.subject] = _after(state, row)
        except (KeyError, TypeError, ValueError) as error:  # others can write to the table too
            log.warning("row %s of the journal says nothing of connection %s: %r", row.id, row.subject, error)
    return states


def _defined(row: Row, before: ConnectionState | None) -> ConnectionState:
    """A new definition. What was done for another one does not count any more; for the same one it does."""
    details = row.details
    connection = ApiConnection(
        row.subject,
        Provider(details["provider"]),
        details["region"],
        details["role_arn"],
        details["code_bucket"],
        details.get("namespace", ""),
        details.get("comment", ""),
    )
    scope = PolicyScope(details.get("scope", PolicyScope.DOCUMENTED))
    more_buckets, suffix = tuple(details.get("more_buckets", ())), details.get("policy_suffix", "")
    new = ConnectionState(connection, _mark(row), scope, more_buckets, suffix)
    if before is None:
        return new
    if before.connection == connection:
        was, will_be = ((s.scope, s.more_buckets, s.policy_suffix) for s in (before, new))
        granted = before.granted if was == will_be else None
        return replace(
            before, defined=new.defined, scope=scope, more_buckets=more_buckets, policy_suffix=suffix, granted=granted
        )
    if before.connection.role_arn == connection.role_arn:  # what the role trusts stays as it is
        return replace(new, trusted=before.trusted, trusted_id=before.trusted_id)
    return new


def _after(state: ConnectionState, row: Row) -> ConnectionState:
    mark = _mark(row)
    match row.action:
        case "grant":
            return replace(state, granted=mark)
        case "trust":  # what a look found of the former trust policy is no more
            rest = tuple(words for words in state.differences if not words.startswith(TRUST_POLICY))
            asked = row.details.get("external_id", "")
            return replace(state, trusted=mark, trusted_id=asked, verified=None, differences=rest)
        case "untrust":
            return replace(state, trusted=None, trusted_id="")
        case "ungrant":
            return replace(state, granted=None)
        case "create":
            return replace(state, created=mark, described=None, external_id="", verified=None, differences=())
        case "describe":
            created = state.created or mark  # it can only be described when it is there
            return replace(state, created=created, described=mark, external_id=row.details.get("external_id", ""))
        case "drop":
            return replace(state, created=None, described=None, external_id="", verified=None, differences=())
        case "verify":
            return _verified(state, row, mark)
        case "unverify":
            return replace(state, verified=None, differences=())
    return state


def _verified(state: ConnectionState, row: Row, mark: Mark) -> ConnectionState:
    """A look tells more than memory: what it has read is what holds, also of what was there before Housekeys.

    One that has not seen the role never says that all is well, and takes back no difference.
    """
    details: Mapping[str, Any] = row.details
    saw_role, saw_connection = not details.get("only_lakehouse"), "external_id" in details
    missing = details.get("missing", ())
    differences = tuple(details.get("differences", ()))
    trusted = None if "role" in missing else state.trusted or (mark if saw_role else None)
    created = None if "connection" in missing else state.created or (mark if saw_connection else None)
    saw_policies = saw_role and not mark.by_hand and not differences
    return replace(
        state,
        granted=state.granted or (mark if saw_policies else None),
        trusted=trusted,
        trusted_id=details.get("trusted_id", state.trusted_id),
        created=created,
        described=state.described or (mark if created and details.get("external_id") else None),
        external_id=details.get("external_id", state.external_id),
        verified=mark if saw_role else state.verified,
        differences=differences if saw_role else tuple(dict.fromkeys((*state.differences, *differences))),
    )


def _mark(row: Row) -> Mark:
    return Mark(row.at, row.operator, row.details.get("by") == HAND)
