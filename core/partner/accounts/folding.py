"""From the journal's rows to what is known: row by row, later ones win. Others can write to the table too."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final

from core.journal.rows import Row
from core.partner.accounts import facts
from core.partner.accounts.domains import plain_email
from core.partner.accounts.state import (
    AccountKey,
    AccountKind,
    Coordinates,
    Known,
    PartnerAccount,
    PartnerConnection,
    PartnerUser,
    Trial,
)
from core.partner.messages.requests import CloudProvider, ConnectionScope, UserKey, WorkspaceKey

log = logging.getLogger(__name__)

NOTHING: Final = Known()
_INT64: Final = 2**63


def fold(rows: Iterable[Row], onto: Known = NOTHING) -> Known:
    """What `rows` (oldest first) add to what is known already, which stays as it was."""
    folding = Folding(onto)
    for row in rows:
        folding.tell(row)
    return folding.known


class Folding:
    """What is known while rows come in. `known` is a view that moves along with every `tell`."""

    def __init__(self, onto: Known = NOTHING) -> None:
        self.accounts = dict(onto.accounts)
        self.users = dict(onto.users)
        self.connections = dict(onto.connections)
        self.account_ids = dict(onto.account_ids)
        self.user_ids = dict(onto.user_ids)
        self.users_by_email = dict(onto.users_by_email)
        self.same_as = dict(onto.same_as)
        self.known = Known(
            self.accounts,
            self.users,
            self.connections,
            self.account_ids,
            self.user_ids,
            self.users_by_email,
            self.same_as,
        )

    def tell(self, row: Row) -> None:
        """Take in one row. One that says nothing sensible changes nothing."""
        try:
            match row.subject_kind:
                case facts.PARTNER_ACCOUNT:
                    self._account(row)
                case facts.PARTNER_USER:
                    self._user(row)
                case facts.PARTNER_CONNECTION:
                    self._connection(row)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            log.warning(
                "row %s of the journal says nothing of a %s: %s", row.id, row.subject_kind, type(error).__name__
            )

    def _account(self, row: Row) -> None:
        if row.action == facts.CREATE:
            self._create_account(row)
            return
        account = self.accounts.get(self._resolved(row.subject))
        if account is None or account.deleted is not None:
            return
        trial = account.trial
        match row.action:
            case facts.EXPIRE:
                account = replace(account, trial=replace(trial, expired=row.at), purchased=None)
            case facts.RENEW:
                account = replace(account, trial=_renewed(trial, row))
            case facts.PURCHASE:
                account = replace(account, trial=replace(trial, until=None, expired=None), purchased=row.at)
            case facts.DELETE:
                self._delete_account(account, row.at)
                return
        self.accounts[account.id] = account

    def _create_account(self, row: Row) -> None:
        account = _new_account(row)
        if not row.subject or row.subject in self.accounts or row.subject in self.same_as:
            return  # an id is given once
        if (first := self.account_ids.get(account.key)) is not None:  # another service made it a moment before
            self.same_as[row.subject] = first
            for workspace in account.workspaces:
                self._connected(first, workspace)
            return
        self.accounts[account.id] = account
        self.account_ids[account.key] = account.id

    def _delete_account(self, account: PartnerAccount, at: datetime) -> None:
        for user in list(self.known.users_of(account)):
            self._delete_user(user, at)
        for connection in list(self.known.connections_of(account)):
            self._delete_connection(connection, at)
        del self.account_ids[account.key]
        self.accounts[account.id] = replace(account, deleted=at)

    def _connected(self, account: str, workspace: WorkspaceKey) -> None:
        known = self.accounts[account]
        if workspace not in known.workspaces:
            self.accounts[account] = replace(known, workspaces=known.workspaces | {workspace})

    def _user(self, row: Row) -> None:
        if row.action in (facts.INVITE, facts.ADD):
            self._add_user(row)
            return
        user = self.users.get(self._resolved(row.subject))
        if user is None or user.deleted is not None:
            return
        match row.action:
            case facts.IDENTIFY:
                self._identify(user, row)
                return
            case facts.SIGN_UP:
                user = replace(user, signed_up=row.at)
            case facts.SIGN_IN:
                user = replace(user, last_sign_in=row.at)
                self._used(row)
            case facts.EXPIRE:
                user = replace(user, trial=replace(user.trial, expired=row.at))
            case facts.RENEW:
                user = replace(user, trial=_renewed(user.trial, row))
            case facts.DELETE:
                self._delete_user(user, row.at)
                return
        self.users[user.id] = user

    def _add_user(self, row: Row) -> None:
        details = row.details
        account, email, until = self._live_account(details["account"]), _email(details["email"]), _moment(details)
        added = row.action == facts.ADD
        if added:
            _user_key(details)  # which must be there
        first = self.user_ids.get((account.id, email))
        if not row.subject or (row.subject in self.users and first != row.subject):
            return  # an id is given once; this one is somebody else's, or deleted
        if first is not None and first != row.subject:  # another service, or an operator, was there before
            self.same_as[row.subject] = first
        user = self.users[first] if first else PartnerUser(row.subject, account.id, email, _text(details["name"]))
        if added and user.added is None:
            user = replace(user, added=row.at, trial=Trial(until, count=int(until is not None)))
        elif not added and user.invited is None:
            user = replace(user, invited=row.at)
        self._keep(user)
        if added:
            self._identify(user, row)

    def _identify(self, user: PartnerUser, row: Row) -> None:
        """Take over what Databricks tells of a user, except an address that another user of the account has."""
        details = row.details
        key, email = _user_key(details), _email(details["email"])
        first_name, last_name = (str(details.get(name, "")) for name in ("first_name", "last_name"))
        if self.user_ids.get((user.account_id, email), user.id) != user.id:
            email = user.email
        if self.user_ids.get((user.account_id, key), user.id) == user.id:
            user = replace(user, keys=user.keys | {key})
        self._forget(self.users[user.id])
        self._keep(replace(user, email=email, first_name=first_name, last_name=last_name))

    @staticmethod
    def _handles(user: PartnerUser) -> Iterator[tuple[str, UserKey | str]]:
        """All that a user is found by, within the account."""
        yield user.account_id, user.email
        for key in user.keys:
            yield user.account_id, key

    def _keep(self, user: PartnerUser) -> None:
        """Keep a user where it is found."""
        self.users[user.id] = user
        for handle in self._handles(user):
            self.user_ids[handle] = user.id
        found = self.users_by_email.get(user.email, ())
        if not self.accounts[user.account_id].demo and user.id not in found:
            self.users_by_email[user.email] = (*found, user.id)

    def _forget(self, user: PartnerUser) -> None:
        """Take a user from where it is found."""
        for handle in self._handles(user):
            self.user_ids.pop(handle, None)
        if left := tuple(other for other in self.users_by_email.get(user.email, ()) if other != user.id):
            self.users_by_email[user.email] = left
        else:
            self.users_by_email.pop(user.email, None)

    def _delete_user(self, user: PartnerUser, at: datetime) -> None:
        self._forget(user)
        self.users[user.id] = replace(user, deleted=at)

    def _connection(self, row: Row) -> None:
        if row.action == facts.CONFIGURE:
            self._configure(row)
        elif row.action == facts.DELETE:
            connection = self.connections.get(row.subject)
            if connection is not None and connection.deleted is None:
                self._delete_connection(connection, row.at)

    def _configure(self, row: Row) -> None:
        details = row.details
        account = self._live_account(details["account"])
        if not row.subject or row.subject in self.connections:
            return  # an id is given once: what was deleted never comes back under it
        connection = PartnerConnection(
            row.subject,
            account.id,
            self._resolved(_text(details["user"])),
            _workspace(details),
            _text(details["integration"]),
            _texts(details["auth_options"]),
            ConnectionScope(details["scope"]),
            row.at,
            _coordinates(_mapping(details["coordinates"])),
        )
        self.connections[connection.id] = connection
        self._connected(account.id, connection.workspace)

    def _delete_connection(self, connection: PartnerConnection, at: datetime) -> None:
        self.connections[connection.id] = replace(connection, coordinates=None, deleted=at)

    def _used(self, row: Row) -> None:
        connection = self.connections.get(str(row.details.get("connection", "")))
        if connection is not None and connection.deleted is None:
            self.connections[connection.id] = replace(connection, last_used=row.at)

    def _resolved(self, identifier: str) -> str:
        return self.same_as.get(identifier, identifier)

    def _live_account(self, identifier: Any) -> PartnerAccount:
        account = self.accounts[self._resolved(_text(identifier))]
        if account.deleted is not None:
            raise ValueError("the account is deleted")
        return account


def _new_account(row: Row) -> PartnerAccount:
    details = row.details
    key, until = _mapping(details["key"]), _moment(details)
    return PartnerAccount(
        row.subject,
        AccountKey(AccountKind(key["kind"]), _text(key["value"])),
        _text(details["domain"]),
        row.at,
        _text(details["database"]),
        _text(details["role"]),
        frozenset([_workspace(details)]),
        Trial(until, count=int(until is not None)),
    )


def _renewed(trial: Trial, row: Row) -> Trial:
    return Trial(_moment(row.details), None, trial.count + 1)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("no text")
    return value


def _email(value: Any) -> str:
    return _text(plain_email(_text(value)))


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError("no list")
    return list(value)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(one) for one in _list(value))


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError("no object")
    return value


def _int64(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -_INT64 <= value < _INT64:
        raise TypeError("no 64-bit integer")
    return value


def _moment(details: Mapping[str, Any]) -> datetime | None:
    if (told := details.get("trial_until")) is None:
        return None
    moment = datetime.fromisoformat(_text(told))
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment


def _workspace(details: Mapping[str, Any]) -> WorkspaceKey:
    return WorkspaceKey(CloudProvider(details["cloud_provider"]), _int64(details["workspace_id"]))


def _user_key(details: Mapping[str, Any]) -> UserKey:
    return UserKey(CloudProvider(details["cloud_provider"]), _int64(details["databricks_user_id"]))


def _coordinates(told: Mapping[str, Any]) -> Coordinates:
    texts = {
        field.name: _text(told[field.name])
        for field in fields(Coordinates)
        if field.name in told and field.name != "port"
    }
    return Coordinates(port=_int64(told["port"]), **texts)
