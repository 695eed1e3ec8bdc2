"""Receives who comes by a sign-in link: tells how to connect, sets the password, lets a workspace be authorised."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from core.errors import BadInputError, HousekeysError, NotFoundError
from core.partner.accounts.policy import PartnerPolicy
from core.partner.accounts.state import PartnerAccount, PartnerConnection, PartnerUser
from core.partner.handling.needs import FollowsFacts
from core.partner.handling.outcomes import AuthorizationBegun, HowToConnect, Visitor
from core.partner.handling.titles import SET_PASSWORD
from core.partner.oauth.authorization import read_callback
from core.partner.oauth.failures import AuthorizationStateError, OAuthRefusedError
from core.partner.oauth.single_flight import SingleFlight
from core.partner.provisioning.clusters import NO_CLUSTER, Clusters
from core.partner.provisioning.password import check_password, plan_password
from core.partner.security.current_keys import CurrentKeys
from core.partner.security.sealed_store import SealedSecrets
from core.partner.security.sealing import SealedPlace, SealedValueError, SecretName
from core.partner.security.sign_in_links import (
    LinkPurpose,
    RecordNonce,
    SignInLink,
    SignInLinkRefusedError,
)
from core.partner.workspaces.oauth_apps import app_of
from core.partner.workspaces.tokens import WorkspaceTokens, host_of
from core.profiles.partner import ClickHouseAddress
from core.running.runner import Report, Runner
from core.secrets import Secret

log = logging.getLogger(__name__)

_FRESH_SECONDS: Final = 0.2  # how old what is known may be, for a page
_U2M: Final = "AUTH_OAUTH_U2M"


@dataclass(frozen=True, slots=True)
class _Guest:
    """Who is behind a link."""

    user: PartnerUser
    account: PartnerAccount


class Reception:
    """Receives visitors; see `core.partner.service.needs.ReceivesVisitors`. For one event loop.

    `address` is what visitors are told of where ClickHouse is; None where nobody reaches it from outside.
    """

    def __init__(
        self,
        policy: PartnerPolicy,
        state: FollowsFacts,
        runner: Runner,
        keys: CurrentKeys,
        record: RecordNonce,
        secrets: SealedSecrets,
        tokens: WorkspaceTokens,
        *,
        address: ClickHouseAddress | None = None,
        clusters: Clusters = NO_CLUSTER,
    ) -> None:
        self._policy = policy
        self._state = state
        self._runner = runner
        self._keys = keys
        self._record = record
        self._secrets = secrets
        self._tokens = tokens
        self._address = address
        self._clusters = clusters
        self._flight: SingleFlight[_Guest] = SingleFlight()  # by user
        self._given_back: set[str] = set()  # nonces of links that were used in vain

    async def look(self, token: str) -> Visitor:
        """Who it is. The link stays as it is. Raises SignInLinkRefusedError."""
        return await self._visitor(await self._guest(await self._any_purpose(token)))

    async def set_password(self, token: str, password: Secret) -> Visitor:
        """Set the password of the visitor in ClickHouse; the link is used up then, and all that were made before.

        A link that led to nothing, for ClickHouse refused or was not reached, can be used again.
        Raises SignInLinkRefusedError, BadInputError for a password that will not do, and what ClickHouse answers.
        """
        link = (await self._keys.signer_for(token)).look(token, LinkPurpose.SET_PASSWORD)
        # One who closes the page does not stop it; and of two links for one user, the second one meets the password.
        guest = await self._flight.alone(link.user_id, lambda: self._set_password(token, link, password))
        return await self._signed_up(guest)

    async def begin_authorization(self, token: str) -> AuthorizationBegun:
        """Begin the authorization of the workspace that the visitor is to authorise. The link stays as it is.

        Raises SignInLinkRefusedError; NotFoundError when there is none; UnreachableError, OAuthRefusedError.
        """
        guest = await self._guest(await self._any_purpose(token))
        connection = await self._to_authorize(guest)
        if connection is None:
            raise NotFoundError(
                "There is no workspace to authorise.", advice="Open the partner connection in Databricks again."
            )
        try:
            host, app = host_of(connection), app_of(self._policy, connection)
        except BadInputError as error:
            raise OAuthRefusedError(error.message, advice=error.advice, detail=error.detail) from error
        begun = await self._tokens.u2m.begin(connection.id, host, app)
        return AuthorizationBegun(begun.url, begun.browser_key)

    async def finish_authorization(self, query: Sequence[tuple[str, str]], browser_key: Secret) -> str:
        """Finish an authorization with what the browser brings back; the host of the workspace.

        Raises AuthorizationStateError, OAuthRefusedError, UnreachableError.
        """
        if self._state.known.connection(read_callback(query).connection_id, None) is None:
            raise AuthorizationStateError  # anybody can make one up: it asks ClickHouse nothing
        client = await self._tokens.u2m.complete(query, browser_key)
        with contextlib.suppress(HousekeysError):  # what stays of one that was deleted goes with the next start
            await self._state.catch_up()
        if self._state.known.connection(client.connection_id, None) is None:  # deleted meanwhile
            await self._tokens.forget(client.connection_id)
            await self._secrets.erase(client.connection_id)
            raise AuthorizationStateError
        return client.host.name

    async def close(self) -> None:
        """Wait for passwords that are being set."""
        await self._flight.settle_all()

    async def _set_password(self, token: str, link: SignInLink, password: Secret) -> _Guest:
        await self._state.catch_up()
        guest = await self._guest(link)
        user = guest.user
        if user.signed_up is not None and link.issued <= user.signed_up:
            raise SignInLinkRefusedError
        check_password(password, user.email)
        change = replace(plan_password(user, password, self._clusters), title=f"{SET_PASSWORD}{user.name}")
        await self._keys.signer.consume(token, LinkPurpose.SET_PASSWORD, self._use)
        report = await self._runner.run(change)
        if not report.succeeded:
            self._given_back.add(link.nonce)
            await self._give_up(report)
        return guest

    async def _any_purpose(self, token: str) -> SignInLink:
        signer = await self._keys.signer_for(token)
        try:
            return signer.look(token, LinkPurpose.SET_PASSWORD)
        except SignInLinkRefusedError:
            return signer.look(token, LinkPurpose.SIGN_IN)

    async def _use(self, nonce: str, until: datetime) -> bool:
        if nonce in self._given_back:
            self._given_back.discard(nonce)
            return True
        return await self._record(nonce, until)

    async def _guest(self, link: SignInLink) -> _Guest:
        """Who is behind a link, read anew where that is not known: another process may have made the user."""
        await self._state.fresh(_FRESH_SECONDS)
        guest = self._known_guest(link)
        if guest is None:
            await self._state.catch_up()
            guest = self._known_guest(link)
        if guest is None:
            raise SignInLinkRefusedError
        return guest

    def _known_guest(self, link: SignInLink) -> _Guest | None:
        known = self._state.known
        user = known.users.get(known.same_as.get(link.user_id, link.user_id))
        account = known.accounts.get(known.same_as.get(link.account_id, link.account_id))
        if user is None or account is None or user.account_id != account.id:
            return None
        gone = user.added is None or user.deleted is not None or account.deleted is not None
        return None if gone else _Guest(user, account)

    async def _visitor(self, guest: _Guest) -> Visitor:
        user, account = guest.user, guest.account
        connection = await self._to_authorize(guest)
        return Visitor(
            user.email,
            user.first_name,
            account.id,
            user.id,
            user.signed_up is not None,
            self._how(guest),
            connection.coordinates.hostname if connection is not None and connection.coordinates is not None else "",
            connection.id if connection is not None else "",
        )

    async def _signed_up(self, guest: _Guest) -> Visitor:
        """The visitor with the new password, whatever can be read just now."""
        with contextlib.suppress(HousekeysError):
            await self._state.catch_up()
        return replace(await self._visitor(guest), signed_up=True)

    async def _give_up(self, report: Report) -> None:
        """Raise why a change was not done, and leave nothing of it to be continued: a later password would be lost."""
        if not report.finished:
            await self._runner.dismiss(report.change_id)
        why = next((outcome.error for outcome in report.failed_outcomes if outcome.error is not None), report.stopped)
        log.warning("the password of a user was not set: %s", why)
        raise why or HousekeysError("The password was not set.", advice="Try again.")

    async def _to_authorize(self, guest: _Guest) -> PartnerConnection | None:
        """The newest partner connection that the user has made and not authorised, where users authorise theirs."""
        found = self._state.known.connections_of(guest.account)
        own = [one for one in found if one.user_id == guest.user.id and _U2M in one.auth_options]
        for connection in sorted(own, key=lambda one: one.configured, reverse=True):
            if not await self._authorized(connection):
                return connection
        return None

    async def _authorized(self, connection: PartnerConnection) -> bool:
        try:
            return await self._secrets.get(SealedPlace(connection.id, SecretName.U2M_REFRESH_TOKEN)) is not None
        except SealedValueError:
            return False

    def _how(self, guest: _Guest) -> HowToConnect | None:
        where = self._address
        if where is None or where.host is None or where.port is None:
            return None
        return HowToConnect(where.host, where.port, where.secure, guest.account.database, guest.user.name)
