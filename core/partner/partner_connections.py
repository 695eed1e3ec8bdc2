"""The partner connections of one profile: what is known of them and their accounts, and the changes that can be made.

The console and the one-shot commands both work through `PartnerConnections`.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeVar

from core.changes import Change, Danger, Event, RecordStep
from core.clickhouse.engine import Engine
from core.clickhouse.errors import NoRightError
from core.display import one_line
from core.errors import BadInputError, NotFoundError, RefusedError
from core.journal.journal import Journal
from core.partner.accounts import facts
from core.partner.accounts.decision import Removal
from core.partner.accounts.domains import plain_email
from core.partner.accounts.ending import what_it_had
from core.partner.accounts.ids import IdKind, new_id
from core.partner.accounts.policy import PartnerPolicy, user_name
from core.partner.accounts.state import Known, PartnerAccount, PartnerConnection, PartnerUser
from core.partner.provisioning.clusters import NO_CLUSTER, Clusters
from core.partner.provisioning.remaining import remaining
from core.partner.provisioning.removal import plan_removal
from core.partner.secret_calls import SecretCalls
from core.partner.security.basic_credentials import BasicCredential, Presented
from core.partner.storage import credentials
from core.partner.storage.claims import Claims
from core.partner.storage.known_state import KnownState
from core.partner.storage.leases import Leases
from core.partner.storage.request_log import DayCount, LastRequest, RequestLog, RequestTail
from core.partner.storage.requests_seen import AnsweredRequest
from core.partner.storage.sealed_table import SealedTable
from core.partner.storage.tables import PartnerTables
from core.secrets import Secret

T = TypeVar("T")
_NEAR: Final = 0.5  # how alike an id must be to be suggested


class Standing(StrEnum):
    """How a partner connection or an account stands."""

    ACTIVE = "active"
    EXPIRED = "expired"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class PartnerConnectionState:
    """A partner connection with the account and the user that it belongs to."""

    connection: PartnerConnection
    account: PartnerAccount
    user: PartnerUser | None  # who made it
    standing: Standing
    last_request: LastRequest | None = None
    lacking: str = ""  # the right without which the log of requests was not read; empty: it was

    @property
    def last_seen(self) -> datetime:
        """When Databricks has last asked about it."""
        asked = self.last_request.at if self.last_request is not None else None
        moments = (self.connection.configured, self.connection.last_used, asked)
        return max(moment for moment in moments if moment is not None)


@dataclass(frozen=True, slots=True)
class _LastRequests:
    """The newest request of each partner connection; none of any where a right is lacking to read them."""

    of: Mapping[str, LastRequest]
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class PartnerAccountState:
    """An account with its users and its partner connections that are not deleted."""

    account: PartnerAccount
    users: tuple[PartnerUser, ...]
    connections: tuple[PartnerConnection, ...]
    standing: Standing


class PartnerConnections:
    """Reads and plans; nothing is changed but by the changes it returns. Raises what the engine raises.

    Without a policy all can be seen and taken away; what is named by it cannot be made.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        policy: PartnerPolicy | None = None,
        clusters: Clusters = NO_CLUSTER,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.policy = policy
        self.known_state = KnownState(journal, clock)
        self.tables = PartnerTables(engine, journal)
        self.sealed_table = SealedTable(engine, journal.database, replicated=journal.cluster is not None)
        self.request_log = RequestLog(engine, journal.database)
        self.secret_calls = SecretCalls(self.sealed_table, Leases(Claims(engine, journal.database)).hold)
        self._engine = engine
        self._clusters = clusters
        self._clock = clock

    # -- reading

    async def known(self) -> Known:
        """What is known now."""
        await self.known_state.catch_up()
        return self.known_state.known

    async def states(self, *, deleted: bool = False) -> list[PartnerConnectionState]:
        """The partner connections, the newest first; those that are gone only if `deleted`."""
        known, requests = await asyncio.gather(self.known(), self._last_requests())
        found = [one for one in known.connections.values() if deleted or one.deleted is None]
        found.sort(key=lambda one: (one.configured, one.id), reverse=True)
        return [self._state(known, one, requests) for one in found]

    async def state(self, identifier: str) -> PartnerConnectionState:
        """One partner connection by its id or the beginning of it. Raises NotFoundError; BadInputError for several."""
        known = await self.known()
        connection = _named("partner connection", known.connections, identifier, lambda one: one.deleted is not None)
        return self._state(known, connection, await self._last_requests(connection.id))

    async def accounts(self, *, deleted: bool = False) -> list[PartnerAccountState]:
        """The accounts, the newest first; those that are gone only if `deleted`."""
        known = await self.known()
        users, connections = _by_account(known.users.values()), _by_account(known.connections.values())
        found = [account for account in known.accounts.values() if deleted or account.deleted is None]
        found.sort(key=lambda account: (account.created, account.id), reverse=True)
        return [
            PartnerAccountState(
                account,
                tuple(user for user in users.get(account.id, ()) if user.deleted is None),
                tuple(one for one in connections.get(account.id, ()) if one.deleted is None),
                self._standing(account),
            )
            for account in found
        ]

    async def account(self, identifier: str) -> PartnerAccountState:
        """One account by its id or the beginning of it, or by a domain. Raises NotFoundError; BadInputError."""
        known = await self.known()
        account = _account(known, identifier)
        users, connections = tuple(known.users_of(account)), tuple(known.connections_of(account))
        return PartnerAccountState(account, users, connections, self._standing(account))

    async def requests(
        self,
        limit: int = 100,
        *,
        account: str = "",
        connection: str = "",
        since: datetime | None = None,
        errors: bool = False,
    ) -> list[AnsweredRequest]:
        """The newest requests that services have answered, the newest first."""
        return await self.request_log.newest(limit, account=account, connection=connection, since=since, errors=errors)

    def requests_tail(
        self, after: AnsweredRequest | None = None, *, account: str = "", connection: str = ""
    ) -> RequestTail:
        """What comes after a request, or from now on: ask it again and again."""
        return RequestTail(self.request_log, after, account=account, connection=connection)

    async def by_day(self, days: int = 30, now: datetime | None = None) -> list[DayCount]:
        """What was answered on each of the last days until now."""
        return await self.request_log.by_day(days, now)

    async def credentials(self) -> tuple[BasicCredential, ...]:
        """The Basic credentials that are valid, oldest first."""
        await self.known_state.catch_up()
        return credentials.listed(self.known_state.credentials)

    # -- planning

    async def plan_tables(self) -> Change:
        """Make what is missing of the tables, the journal too. No steps: nothing is."""
        return await self.tables.creation()

    async def plan_delete(self, *identifiers: str) -> Change:
        """Delete partner connections here: their secrets are erased. Databricks is not told.

        One that is deleted can be deleted once more while there are secrets of it: erasing them has failed.
        """
        states = [await self.state(identifier) for identifier in identifiers]
        ids = tuple(dict.fromkeys(state.connection.id for state in states))
        deleted = tuple(state.connection.id for state in states if state.connection.deleted is not None)
        left = await self._left_of(Removal(connections=deleted)) if deleted else Removal()
        if done := next((one for one in deleted if one not in left.connections), None):
            raise RefusedError(f"Partner connection {done} is deleted already.")
        one = f"partner connection {ids[0]} of {one_line(states[0].account.domain)}"
        return plan_removal(
            f"Delete {one if len(ids) == 1 else f'{len(ids):,} partner connections'}",
            Removal(connections=ids),
            tuple(facts.connection_deleted(one) for one in ids if one not in deleted),
            self._clusters,
        )

    async def plan_expire_account(self, identifier: str) -> Change:
        """End the trial of an account for all of its users."""
        account = (await self._live_account(identifier)).account
        if account.trial.expired is not None:
            raise RefusedError(f"The trial of {account.id} has been ended already.")
        bought = ("It has bought the product: that ends too.",) if account.purchased else ()
        return _recorded(
            f"End the trial of account {account.id} ({one_line(account.domain)})",
            facts.account_expired(account.id),
            Danger.DISRUPTIVE,
            (*bought, "Its users are led to the purchase page. What they have in ClickHouse stays as it is."),
        )

    async def plan_renew(self, identifier: str, until: datetime | None) -> Change:
        """Give an account another trial: until a moment, or (None) one that no time ends. Raises BadInputError."""
        account = (await self._live_account(identifier)).account
        if until is not None and until <= self._clock():
            raise BadInputError(f"{until:%Y-%m-%d %H:%M} UTC has passed.", advice="Give a moment that is to come.")
        ends = f"until {until:%Y-%m-%d %H:%M} UTC" if until is not None else "without an end"
        return _recorded(
            f"Renew the trial of account {account.id} ({one_line(account.domain)}) {ends}",
            facts.account_renewed(account.id, until),
        )

    async def plan_purchase(self, identifier: str) -> Change:
        """Note that an account has bought the product: no trial ends any more."""
        account = (await self._live_account(identifier)).account
        if account.purchased is not None:
            raise RefusedError(f"Account {account.id} has bought the product already.")
        return _recorded(
            f"Note that account {account.id} ({one_line(account.domain)}) has bought the product",
            facts.account_purchased(account.id),
        )

    async def plan_invite(self, identifier: str, email: str) -> Change:
        """Let somebody join an account, whatever is done with others who come new. Raises BadInputError."""
        state = await self._live_account(identifier)
        account, address = state.account, plain_email(email)
        if not address:
            raise BadInputError(f"{one_line(email, 60)!r} is not an e-mail address.")
        if any(user.email == address for user in state.users):
            raise RefusedError(f"{one_line(address)} is a user of account {account.id} already.")
        if self.policy is None:
            raise RefusedError(
                "The profile says nothing of Partner Connect, so the user would have no name in ClickHouse.",
                advice="Add [profiles.NAME.partner] to it.",
            )
        user = new_id(IdKind.USER)
        name = user_name(self.policy, account.id, user)
        return _recorded(
            f"Invite {one_line(address)} to account {account.id} ({one_line(account.domain)})",
            facts.user_invited(user, account.id, address, name),
            consequences=("Nothing is sent: the user joins on coming from Databricks.",),
            undo=facts.user_deleted(user),
        )

    async def plan_delete_account(self, identifier: str) -> Change:
        """Delete an account with users, their data and partner connections; of a deleted one what is left of it."""
        state = await self.account(identifier)
        account = state.account
        if account.deleted is not None:
            return await self._plan_rest(account)
        events = [facts.connection_deleted(one.id) for one in state.connections]
        events += [facts.user_deleted(user.id) for user in state.users]
        removal = Removal(
            tuple(one.id for one in state.connections),
            tuple(user.name for user in state.users if user.added is not None),
            (account.role,),
            (account.database,),
        )
        return plan_removal(
            f"Delete account {account.id} ({one_line(account.domain)})",
            removal,
            (*events, facts.account_deleted(account.id)),
            self._clusters,
        )

    def plan_add_credential(self, user: str) -> tuple[Presented, Change]:
        """A new random credential: to be shown once, and the change that makes it valid. Raises BadInputError."""
        return credentials.plan_add(user, self._clock())

    async def plan_choose_credential(self, user: str, password: Secret) -> Change:
        """The change that makes a password valid that a person chose. Raises BadInputError."""
        return await asyncio.to_thread(credentials.plan_choose, user, password, self._clock())

    async def plan_remove_credential(self, identifier: str) -> Change:
        """The change that ends a credential. Raises NotFoundError; RefusedError for the last one."""
        return credentials.plan_remove(await self.credentials(), identifier)

    # -- what is found

    async def _plan_rest(self, account: PartnerAccount) -> Change:
        """Bring the deletion of an account to its end that has failed in part. Raises RefusedError: none has."""
        left = await self._left_of(what_it_had(account, self.known_state.known))
        if left == Removal():
            raise RefusedError(f"Account {account.id} is deleted, and nothing of it is left.")
        title = f"Delete what is left of account {account.id} ({one_line(account.domain)})"
        return plan_removal(title, left, clusters=self._clusters)

    async def _left_of(self, had: Removal) -> Removal:
        """What there is yet of what was to be taken away."""
        sealed = {one for found in (await self.sealed_table.by_key()).values() for one in found}
        secrets = tuple(one for one in had.connections if one in sealed)
        return await remaining(self._engine, replace(had, connections=secrets))

    async def _live_account(self, identifier: str) -> PartnerAccountState:
        state = await self.account(identifier)
        if state.account.deleted is not None:
            raise RefusedError(f"Account {state.account.id} is deleted.")
        return state

    async def _last_requests(self, connection: str = "") -> _LastRequests:
        """None for whoever may not read the log of requests: what the journal tells is worth seeing without it."""
        try:
            return _LastRequests(await self.request_log.last_requests(connection))
        except NoRightError as error:
            return _LastRequests({}, error.missing)

    def _state(self, known: Known, connection: PartnerConnection, last: _LastRequests) -> PartnerConnectionState:
        account, user = known.accounts[connection.account_id], known.users.get(connection.user_id)
        standing = Standing.DELETED if connection.deleted is not None else self._standing(account, user)
        request = last.of.get(connection.id)
        return PartnerConnectionState(connection, account, user, standing, request, last.lacking)

    def _standing(self, account: PartnerAccount, user: PartnerUser | None = None) -> Standing:
        if account.deleted is not None:
            return Standing.DELETED
        now = self._clock()
        over = account.trial.over(now) or (user is not None and user.trial.over(now))
        return Standing.EXPIRED if over and account.purchased is None else Standing.ACTIVE


def _recorded(
    title: str,
    event: Event,
    danger: Danger = Danger.ROUTINE,
    consequences: tuple[str, ...] = (),
    undo: Event | None = None,
) -> Change:
    """A change that only records a fact."""
    inverse = RecordStep(f"Undo: {title}", (undo,)) if undo is not None else None
    no_undo = "" if inverse else "Record what is true now instead."
    return Change(
        title, (RecordStep(title, (event,), undo=inverse, no_undo=no_undo),), danger, consequences=consequences
    )


def _account(known: Known, identifier: str) -> PartnerAccount:
    """By its id, the beginning of that, or its domain: of a deleted one where there is no other."""
    text = identifier.strip().lower()
    every = [one for one in known.accounts.values() if one.domain == text]
    of_domain = [one for one in every if one.deleted is None] or every
    if len(of_domain) == 1:
        return of_domain[0]
    if of_domain:
        ids = ", ".join(account.id for account in of_domain[:5])
        raise BadInputError(
            f"{one_line(text, 60)} has {len(of_domain)} accounts.", advice=f"Name one by its id: {ids}."
        )
    return _named("account", known.accounts, known.same_as.get(text, text), lambda one: one.deleted is not None)


def _named(what: str, found: Mapping[str, T], identifier: str, gone: Callable[[T], bool]) -> T:
    """What has this id, or the one of which it is the beginning; of several the one that is not gone."""
    text = identifier.strip()
    if text in found:
        return found[text]
    begun = [id for id in found if text and id.startswith(text)]
    here = [id for id in begun if not gone(found[id])] or begun
    if len(here) == 1:
        return found[here[0]]
    shown = one_line(text, 60)
    if here:
        raise BadInputError(f"{len(here)} ids of {what}s begin with {shown}.", advice="Write more of it.")
    nearest = difflib.get_close_matches(text, found, n=1, cutoff=_NEAR)
    verb = "accounts" if what == "account" else "list"
    advice = f"Did you mean {nearest[0]}?" if nearest else f"See what there is: housekeys partner {verb}."
    raise NotFoundError(f"There is no {what} {shown!r}.", advice=advice)


_OfAccount = TypeVar("_OfAccount", PartnerUser, PartnerConnection)


def _by_account(every: Iterable[_OfAccount]) -> dict[str, list[_OfAccount]]:
    sorted_out: dict[str, list[_OfAccount]] = {}
    for one in every:
        sorted_out.setdefault(one.account_id, []).append(one)
    return sorted_out
