"""The facts about partner accounts, users and partner connections that go to the journal: kinds, verbs, details.

A fact never holds a secret: what Databricks sends to log in with is sealed elsewhere, by the partner connection's id.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Final

from core.changes import Event, JsonValue
from core.partner.accounts.state import AccountKey, Coordinates, PartnerConnection
from core.partner.messages.requests import ConnectionScope, UserKey, WorkspaceKey

PARTNER_ACCOUNT: Final = "partner_account"  # the subject kinds of the journal
PARTNER_USER: Final = "partner_user"
PARTNER_CONNECTION: Final = "partner_connection"
SUBJECT_KINDS: Final = (PARTNER_ACCOUNT, PARTNER_USER, PARTNER_CONNECTION)

CREATE: Final = "create"
EXPIRE: Final = "expire"
RENEW: Final = "renew"
PURCHASE: Final = "purchase"
DELETE: Final = "delete"
INVITE: Final = "invite"
ADD: Final = "add"
IDENTIFY: Final = "identify"
SIGN_UP: Final = "sign_up"
SIGN_IN: Final = "sign_in"
CONFIGURE: Final = "configure"


def account_created(
    account: str,
    key: AccountKey,
    *,
    domain: str,
    workspace: WorkspaceKey,
    database: str,
    role: str,
    trial_until: datetime | None = None,
) -> Event:
    """A new account, with the names of what it has in ClickHouse; its trial ends at `trial_until`, if it has one."""
    details: dict[str, JsonValue] = {
        "key": {"kind": key.kind.value, "value": key.value},
        "domain": domain,
        "database": database,
        "role": role,
        **_workspace(workspace),
        **_until(trial_until),
    }
    return Event(PARTNER_ACCOUNT, account, CREATE, details)


def account_expired(account: str) -> Event:
    """The account's trial is ended for all of its users."""
    return Event(PARTNER_ACCOUNT, account, EXPIRE)


def account_renewed(account: str, trial_until: datetime | None) -> Event:
    """The account has another trial."""
    return Event(PARTNER_ACCOUNT, account, RENEW, _until(trial_until))


def account_purchased(account: str) -> Event:
    """The account has bought the product: no trial ends any more, its users' neither."""
    return Event(PARTNER_ACCOUNT, account, PURCHASE)


def account_deleted(account: str) -> Event:
    """The account is gone, with all of its users and partner connections."""
    return Event(PARTNER_ACCOUNT, account, DELETE)


def user_invited(user: str, account: str, email: str, name: str) -> Event:
    """A user may join the account, whatever is done with others who come new. `name`: in ClickHouse."""
    return Event(PARTNER_USER, user, INVITE, {"account": account, "email": email, "name": name})


def user_added(
    user: str,
    account: str,
    key: UserKey,
    *,
    email: str,
    name: str,
    first_name: str = "",
    last_name: str = "",
    trial_until: datetime | None = None,
) -> Event:
    """A user has come to the account; one who was invited keeps the id. `name`: in ClickHouse."""
    details = {"account": account, "name": name, **_identity(key, email, first_name, last_name), **_until(trial_until)}
    return Event(PARTNER_USER, user, ADD, details)


def user_identified(user: str, key: UserKey, *, email: str, first_name: str, last_name: str) -> Event:
    """Databricks tells of a user what was not known: from another cloud, or by another name."""
    return Event(PARTNER_USER, user, IDENTIFY, _identity(key, email, first_name, last_name))


def user_signed_up(user: str) -> Event:
    """The user has finished the sign-up and has a password."""
    return Event(PARTNER_USER, user, SIGN_UP)


def user_signed_in(user: str, connection: str) -> Event:
    """The user came by this partner connection."""
    return Event(PARTNER_USER, user, SIGN_IN, {"connection": connection})


def user_expired(user: str) -> Event:
    """The user's own trial is ended."""
    return Event(PARTNER_USER, user, EXPIRE)


def user_renewed(user: str, trial_until: datetime | None) -> Event:
    """The user has another trial."""
    return Event(PARTNER_USER, user, RENEW, _until(trial_until))


def user_deleted(user: str) -> Event:
    """The user is gone; the partner connections that the user made stay, for they are the workspace's."""
    return Event(PARTNER_USER, user, DELETE)


def connection_configured(connection: PartnerConnection) -> Event:
    """A partner connection is there, with everything but its secrets."""
    details: dict[str, JsonValue] = {
        "account": connection.account_id,
        "user": connection.user_id,
        **_workspace(connection.workspace),
        "integration": connection.integration,
        "auth_options": list(connection.auth_options),
        "scope": connection.scope.value,
        "coordinates": _coordinates(connection.coordinates),
    }
    return Event(PARTNER_CONNECTION, connection.id, CONFIGURE, details)


def connection_deleted(connection: str) -> Event:
    """The partner connection is gone, its secrets too."""
    return Event(PARTNER_CONNECTION, connection, DELETE)


def scope_of(scope: ConnectionScope | None) -> ConnectionScope:
    """Who may use a partner connection where nothing is said: everybody in the workspace."""
    return scope or ConnectionScope.WORKSPACE


def _workspace(workspace: WorkspaceKey) -> dict[str, JsonValue]:
    return {"cloud_provider": workspace.cloud_provider.value, "workspace_id": workspace.workspace_id}


def _identity(key: UserKey, email: str, first_name: str, last_name: str) -> dict[str, JsonValue]:
    return {
        "cloud_provider": key.cloud_provider.value,
        "databricks_user_id": key.databricks_user_id,
        "email": email,
        "first_name": first_name,
        "last_name": last_name,
    }


def _until(trial_until: datetime | None) -> dict[str, JsonValue]:
    return {} if trial_until is None else {"trial_until": trial_until.isoformat()}


def _coordinates(coordinates: Coordinates | None) -> dict[str, JsonValue]:
    if coordinates is None:
        return {}
    told = {field.name: getattr(coordinates, field.name) for field in fields(coordinates)}
    return {key: value for key, value in told.items() if value not in (None, "")}
