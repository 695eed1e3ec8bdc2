"""What is known of partner accounts, their users and partner connections. `core.partner.accounts.folding` adds it up.

No secret is in any of it. What was deleted stays as a tombstone: that it was there, whose, and when it went.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.partner.messages.requests import ConnectionScope, UserKey, WorkspaceKey


class AccountKind(StrEnum):
    """What makes the users of an account belong together."""

    DOMAIN = "domain"  # a company's e-mail domain
    USER = "user"  # one user of a free-mail provider
    WORKSPACE = "workspace"  # one Databricks workspace
    DEMO = "demo"  # one demonstration: nobody else finds it


@dataclass(frozen=True, slots=True)
class AccountKey:
    """By what an account is found: a domain, a user's e-mail address, `cloud:workspace`, or for a demo its own id."""

    kind: AccountKind
    value: str


@dataclass(frozen=True, slots=True)
class Trial:
    """The trial of an account or a user. Without `until` no time ends it; an `expired` one was ended by somebody."""

    until: datetime | None = None
    expired: datetime | None = None
    count: int = 0  # how many have begun

    def over(self, now: datetime) -> bool:
        """Whether it has ended."""
        return self.expired is not None or (self.until is not None and self.until <= now)


@dataclass(frozen=True, slots=True)
class PartnerAccount:
    """One account at the partner: who shares a database."""

    id: str
    key: AccountKey
    domain: str  # of the e-mail address that it began with
    created: datetime
    database: str  # in ClickHouse, as the role
    role: str
    workspaces: frozenset[WorkspaceKey] = frozenset()  # from which it was connected
    trial: Trial = Trial()
    purchased: datetime | None = None
    deleted: datetime | None = None

    @property
    def demo(self) -> bool:
        """Whether it is only for a demonstration."""
        return self.key.kind is AccountKind.DEMO


@dataclass(frozen=True, slots=True)
class PartnerUser:
    """One user of an account. One who was only `invited` has not come yet: `added` is None."""

    id: str
    account_id: str
    email: str  # plain: see `domains.plain_email`
    name: str  # in ClickHouse
    first_name: str = ""
    last_name: str = ""
    keys: frozenset[UserKey] = frozenset()  # one for each cloud and Databricks account
    invited: datetime | None = None
    added: datetime | None = None
    signed_up: datetime | None = None  # finished the sign-up at the partner: has a password
    last_sign_in: datetime | None = None
    trial: Trial = Trial()
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Where in Databricks a partner connection leads. JDBC URLs are not kept: they have a place for a password."""

    hostname: str
    port: int
    workspace_url: str = ""
    cloud_provider_region: str | None = None
    http_path: str | None = None
    cluster_id: str | None = None
    catalog_name: str | None = None
    destination_location: str | None = None
    service_principal_id: str | None = None
    oauth_u2m_app_id: str | None = None


@dataclass(frozen=True, slots=True)
class PartnerConnection:
    """One partner connection: it belongs to a workspace, and to the account of the user who made it."""

    id: str
    account_id: str
    user_id: str
    workspace: WorkspaceKey
    integration: str
    auth_options: tuple[str, ...]  # of which Databricks sent the credentials
    scope: ConnectionScope
    configured: datetime
    coordinates: Coordinates | None = None  # None once it is deleted
    last_used: datetime | None = None
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """All of it, by id, and how it is found. Tombstones are among the values by id and nowhere else.

    `users_by_email` leaves out demos. `same_as` leads from the id of an account or user that two services made at once
    to the id that counts.
    """

    accounts: Mapping[str, PartnerAccount] = field(default_factory=dict)
    users: Mapping[str, PartnerUser] = field(default_factory=dict)
    connections: Mapping[str, PartnerConnection] = field(default_factory=dict)
    account_ids: Mapping[AccountKey, str] = field(default_factory=dict)
    user_ids: Mapping[tuple[str, UserKey | str], str] = field(default_factory=dict)  # by account and key or e-mail
    users_by_email: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    same_as: Mapping[str, str] = field(default_factory=dict)

    def account(self, key: AccountKey) -> PartnerAccount | None:
        """The account of this key, unless it is deleted."""
        found = self.account_ids.get(key)
        return None if found is None else self.accounts[found]

    def account_of(self, user: PartnerUser) -> PartnerAccount:
        """The account of a user."""
        return self.accounts[user.account_id]

    def user(self, account: PartnerAccount, handle: UserKey | str) -> PartnerUser | None:
        """The user of `account` whom Databricks knows by this key, or who has this plain e-mail address."""
        found = self.user_ids.get((account.id, handle))
        return None if found is None else self.users[found]

    def users_of(self, account: PartnerAccount) -> Iterator[PartnerUser]:
        """The users of an account who are not deleted."""
        return (user for user in self.users.values() if user.account_id == account.id and user.deleted is None)

    def connections_of(self, account: PartnerAccount) -> Iterator[PartnerConnection]:
        """The partner connections of an account that are not deleted."""
        every = self.connections.values()
        return (one for one in every if one.account_id == account.id and one.deleted is None)

    def connection(self, identifier: str, workspace: WorkspaceKey | None) -> PartnerConnection | None:
        """The partner connection of this id, if it is there and belongs to `workspace` (None: whatever it belongs to).

        Another workspace's is as one that is not there: nobody learns that it exists.
        """
        found = self.connections.get(identifier)
        if found is None or found.deleted is not None or (workspace is not None and found.workspace != workspace):
            return None
        return found
