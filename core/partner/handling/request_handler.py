"""Carries out the requests of Databricks: decides by what is known, makes it so, and only then answers.

A request that was begun is finished, also when the caller goes away. Whatever goes wrong becomes an answer of 500, and
what was made by then is taken back. Nothing of a request is logged but ids.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from core.errors import HousekeysError
from core.partner.accounts.deciding import decide, decide_delete, decide_delete_account, decide_expire, decide_test
from core.partner.accounts.decision import Answer, Decision, Ending, Removal, Scenario
from core.partner.accounts.ending import deleted_before
from core.partner.accounts.policy import PartnerPolicy, Person, account_key, auth_options_sent
from core.partner.accounts.state import Known
from core.partner.handling.connectors import connectors_page
from core.partner.handling.connects import Connects, Locks
from core.partner.handling.links import Links
from core.partner.handling.needs import TestsConnections
from core.partner.handling.orphans import ListsSealed, erase_orphans
from core.partner.handling.outcomes import Handled
from core.partner.handling.secrets_keeper import SecretsKeeper, secrets_of
from core.partner.handling.settling import Settling
from core.partner.handling.titles import SERVICE
from core.partner.messages.requests import (
    AccountInfo,
    AccountUserInfo,
    ConnectionInfo,
    ConnectRequest,
    DeleteConnectionRequest,
)
from core.partner.messages.responses import (
    Connection,
    ConnectionTestResult,
    ConnectorResponse,
    DeleteConnectionResponse,
    ErrorAnswer,
    ErrorReason,
    ResourceStatus,
)
from core.partner.provisioning.remaining import remaining
from core.partner.provisioning.removal import plan_removal
from core.partner.security.hosts import HostRefusedError, check_workspace
from core.partner.security.redaction import redacted

log = logging.getLogger(__name__)

FRESH_SECONDS: Final = 0.2  # how old what is known may be when a request is decided
ORPHAN_SECONDS: Final = 3600.0  # between two looks for secrets that belong to no partner connection
FAILED: Final = "Something went wrong here. Please try again in a few minutes."

Body = TypeVar("Body")
Decided = TypeVar("Decided", Decision, Ending)


class RequestHandler:
    """Handles the requests of one service. For one event loop; `settle_at_start` comes first, `close` last."""

    def __init__(
        self,
        policy: PartnerPolicy,
        settling: Settling,
        keeper: SecretsKeeper,
        links: Links,
        tests: TestsConnections,
        sealed: ListsSealed,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._policy = policy
        self._settling = settling
        self._state = settling.state
        self._keeper = keeper
        self._connects = Connects(policy, keeper, settling, settling.clusters)
        self._links = links
        self._tests = tests
        self._sealed = sealed
        self._clock = clock
        self._locks = Locks()
        self._begun: set[asyncio.Task[Any]] = set()
        self._orphans: asyncio.Task[None] | None = None
        keeper.serve(settling.runner)

    # -- from start to end

    async def settle_at_start(self) -> None:
        """Settle what processes before this one have left. Raises UnreachableError."""
        await self._state.catch_up()
        if not await self._settling.settle():
            self._settling.settle_soon()
        self._orphans = asyncio.create_task(self._erase_orphans())

    async def close(self) -> None:
        """Finish the requests that were begun."""
        while self._begun:
            await asyncio.wait(set(self._begun))
        if self._orphans is not None:
            self._orphans.cancel()
            await asyncio.wait({self._orphans})
        await self._settling.close()

    async def _erase_orphans(self) -> None:
        """Now and again: what could not be erased is asked for by Databricks a few times only."""
        while True:
            try:
                await erase_orphans(self._settling, self._sealed)
            except HousekeysError as error:
                log.warning("secrets of no partner connection stay for now: %s %s", error, error.detail)
            await asyncio.sleep(ORPHAN_SECONDS)

    # -- the requests

    async def connect(self, request: ConnectRequest) -> Handled[Connection]:
        """Make a partner connection, or lead to the one there is."""
        return await self._finished("connect", self._connect(request))

    async def delete_connection(self, request: DeleteConnectionRequest) -> Handled[DeleteConnectionResponse]:
        """Remove a partner connection. Its secrets are gone when that is answered."""
        return await self._finished("delete-connection", self._delete_connection(request))

    async def test_connection(self, request: ConnectionInfo) -> Handled[ConnectionTestResult]:
        """Test a partner connection."""
        return await self._finished("test-connection", self._test_connection(request))

    async def delete_account(self, request: AccountInfo) -> Handled[None]:
        """Remove everybody under a domain of Databricks' tests."""
        return await self._finished("delete-account", self._delete_account(request))

    async def expire_account(self, request: AccountUserInfo) -> Handled[None]:
        """End the trial of a user of Databricks' tests."""
        return await self._finished("expire-account", self._expire_account(request))

    async def connectors(self, pagination_token: str | None) -> Handled[ConnectorResponse]:
        """One page of connectors."""
        return Handled(connectors_page(self._policy.connectors, pagination_token))

    async def _finished(self, what: str, work: Coroutine[Any, Any, Handled[Body]]) -> Handled[Body]:
        task = asyncio.create_task(self._answered(what, work))
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)
        return await asyncio.shield(task)

    async def _answered(self, what: str, work: Coroutine[Any, Any, Handled[Body]]) -> Handled[Body]:
        try:
            return await work
        except HousekeysError as error:
            why = redacted(str(error))
            log.error("%s failed: %s %s", what, why, redacted(error.detail))
        except Exception as error:
            why = f"unexpected {type(error).__name__}"
            log.exception("%s failed unexpectedly", what)
        return Handled(ErrorAnswer(ErrorReason.GENERAL_ERROR, FAILED, why))

    # -- connect

    async def _connect(self, request: ConnectRequest) -> Handled[Connection]:
        try:
            jdbc_urls = (request.jdbc_url, request.databricks_jdbc_url)
            check_workspace(request.hostname, request.workspace_url, jdbc_urls, request.cloud_provider)
        except HostRefusedError as error:
            refusal = ErrorAnswer(ErrorReason.BAD_REQUEST, debugging_message=error.message)
            return Handled(refusal, Scenario.BAD_REQUEST.value)
        person = Person.of(request)
        async with self._locks.of(account_key(self._policy, person)):
            decision = await self._decided(request)
            if decision.provision is not None and (decision.provision.new_user or decision.provision.new_account):
                await self._carry_out(decision, request)
                return self._handled(decision)
        if decision.events:
            await self._carry_out(decision, request)
        return self._handled(decision)

    async def _decided(self, request: ConnectRequest) -> Decision:
        decision = await self._by_what_is_known(
            lambda known: decide(request, known, self._policy, self._clock()),
        )
        if isinstance(decision.answer, Answer):
            self._redirect_uri(decision)  # before anything is made, for it may not be allowed
        return decision

    async def _by_what_is_known(self, decide: Callable[[Known], Decided]) -> Decided:
        """What is decided by what is known; an error only by what is known right now.

        Another service may have made a moment ago what is not found here.
        """
        await self._state.fresh(FRESH_SECONDS)
        decided = decide(self._state.known)
        if decided.error is None:
            return decided
        await self._state.catch_up()
        return decide(self._state.known)

    async def _carry_out(self, decision: Decision, request: ConnectRequest) -> None:
        await self._connects.carry_out(decision, secrets_of(request, auth_options_sent(self._policy, request)))

    def _handled(self, decision: Decision) -> Handled[Connection]:
        account_id = self._counting(decision.account_id) or ""
        answer = decision.answer
        if isinstance(answer, ErrorAnswer):
            return Handled(answer, decision.scenario.value, account_id)
        oauth = self._links.oauth_redirect_uri() if answer.configured_resources else None
        body = answer.connection(self._redirect_uri(decision), oauth)
        return Handled(body, decision.scenario.value, account_id, answer.connection_id or "")

    def _redirect_uri(self, decision: Decision) -> str:
        if isinstance(decision.answer, ErrorAnswer):
            raise TypeError("an error leads nowhere")
        user_id = self._counting(decision.user_id)
        user = self._state.known.users.get(user_id or "")
        signed_up = user is not None and user.signed_up is not None
        return self._links.redirect_uri(
            decision.answer.redirect_value, self._counting(decision.account_id), user_id, signed_up=signed_up
        )

    def _counting(self, identifier: str | None) -> str | None:
        """The id that counts, where two services have made the same at once."""
        return None if identifier is None else self._state.known.same_as.get(identifier, identifier)

    # -- the others

    async def _delete_connection(self, request: DeleteConnectionRequest) -> Handled[DeleteConnectionResponse]:
        identifier = request.connection_id
        async with self._locks.of(identifier):
            ending = await self._by_what_is_known(lambda known: decide_delete(request, known))
            if ending.error is not None:
                ending = await self._still_to_erase(request) or ending
            if ending.error is not None:
                return Handled(ending.error, ending.error.error_reason.value)
            await self._end(f"delete partner connection {identifier}", ending)
        account_id = ending.connection.account_id if ending.connection else ""
        response = DeleteConnectionResponse(ending.resource_status or ResourceStatus.RESOURCES_DELETED)
        return Handled(response, response.resource_status.value, account_id, identifier)

    async def _still_to_erase(self, request: DeleteConnectionRequest) -> Ending | None:
        """What is left of a deletion that was answered with 500: its fact is recorded, its secrets may be there yet."""
        known = self._state.known.connections.get(request.connection_id)
        if known is None or known.workspace != request.workspace_key or not await self._keeper.has_secrets(known.id):
            return None
        return Ending(
            connection=known,
            resource_status=ResourceStatus.RESOURCES_DELETED,
            removal=Removal(connections=(known.id,)),
        )

    async def _test_connection(self, request: ConnectionInfo) -> Handled[ConnectionTestResult]:
        ending = await self._by_what_is_known(lambda known: decide_test(request, known))
        if ending.connection is None:
            return _error(ending)
        results = tuple(await self._tests.test(ending.connection))
        failed = sum(result.status.value != "PASS" for result in results)
        word = f"{failed} of {len(results)} failed" if failed else "passed"
        return Handled(ConnectionTestResult(results), word, ending.connection.account_id, ending.connection.id)

    async def _delete_account(self, request: AccountInfo) -> Handled[None]:
        ending = await self._by_what_is_known(lambda known: decide_delete_account(request, known, self._policy))
        if ending.error is not None:
            ending = await self._still_to_remove(request) or ending
        if ending.error is None:
            await self._end(f"delete the accounts of {request.domain}", ending)
        return Handled(ending.error)

    async def _still_to_remove(self, request: AccountInfo) -> Ending | None:
        """What is left of a deletion that was answered with 500: its facts are recorded, some may be there yet."""
        had = deleted_before(request, self._state.known, self._policy)
        if had == Removal():
            return None
        sealed = {one for found in (await self._sealed.by_key()).values() for one in found}
        had = replace(had, connections=tuple(one for one in had.connections if one in sealed))
        removal = await remaining(self._settling.engine, had)
        return None if removal == Removal() else Ending(removal=removal)

    async def _expire_account(self, request: AccountUserInfo) -> Handled[None]:
        ending = await self._by_what_is_known(lambda known: decide_expire(request, known, self._policy, self._clock()))
        if ending.error is None and ending.events:
            await self._end("end the trial of a tester", ending)
        return Handled(ending.error)

    async def _end(self, what: str, ending: Ending) -> None:
        """Record the facts, then take away what is to be removed. Raises HousekeysError unless all of that is done."""
        change = plan_removal(f"{SERVICE}{what}", ending.removal, ending.events, self._settling.clusters)
        report = await self._settling.run(change)
        if not report.finished or report.journal_error is not None:
            self._settling.settle_soon()
        errors = [outcome.error for outcome in report.failed_outcomes if outcome.error is not None]
        if error := next(iter(errors), report.stopped or report.journal_error):
            raise error
        await self._state.catch_up()


def _error(ending: Ending) -> Handled[Any]:
    if ending.error is None:
        raise TypeError("it has gone well")
    return Handled(ending.error, ending.error.error_reason.value)
