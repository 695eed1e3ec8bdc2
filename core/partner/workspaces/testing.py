"""Whether a partner connection works: its secrets, what its account has in ClickHouse, its workspace, its warehouse.

Everything is tried for real and nothing is altered. The outcome goes to Databricks, the console and a terminal, so that
no secret is in it, and the texts of others are shortened and shown safely.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Iterator
from typing import Final, Protocol

from core.access.access_model import EntityKey
from core.access.model import EntityKind
from core.access_changes.settling import exists
from core.display import one_line
from core.errors import HousekeysError
from core.partner.accounts.policy import PartnerPolicy
from core.partner.accounts.state import Known, PartnerAccount, PartnerConnection, PartnerUser
from core.partner.messages.responses import TestResult, TestStatus
from core.partner.oauth.calling import Address, Answer, https_address
from core.partner.oauth.u2m import OneAtATime
from core.partner.security.redaction import redacted
from core.partner.security.sealed_store import SealedSecrets
from core.partner.security.sealing import SealedPlace, SecretName
from core.partner.workspaces.tokens import WorkspaceTokens, host_of
from core.profiles.partner import AUTH_OPTIONS, AuthOption
from core.running.needs import RunEngine
from core.secrets import Secret

TEST_SECONDS: Final = 20.0  # for all of it
ME_PATH: Final = "/api/2.0/preview/scim/v2/Me"
STATEMENTS_PATH: Final = "/api/2.0/sql/statements"

DATABASE: Final = "ClickHouse database"  # the names of the tests
USER: Final = "ClickHouse user"
SECRETS: Final = "Secrets"
WORKSPACE: Final = "Workspace"
WAREHOUSE: Final = "SQL warehouse"

_WAREHOUSE = re.compile(r"/sql/1\.0/(?:warehouses|endpoints)/(?P<id>[A-Za-z0-9_-]{1,64})(?:\?.*)?", re.ASCII)
_SHOWN = 200  # characters of what Databricks or ClickHouse says
_WORDS: Final[dict[AuthOption, str]] = {
    "AUTH_PAT": "the personal access token",
    "AUTH_OAUTH_M2M": "the service principal (OAuth M2M)",
    "AUTH_OAUTH_U2M": "the user's authorisation (OAuth U2M)",
}
_SECRETS: Final[dict[AuthOption, SecretName]] = {
    "AUTH_PAT": SecretName.PERSONAL_ACCESS_TOKEN,
    "AUTH_OAUTH_M2M": SecretName.SERVICE_PRINCIPAL_OAUTH_SECRET,
    "AUTH_OAUTH_U2M": SecretName.U2M_REFRESH_TOKEN,
}


class _TellsKnown(Protocol):
    """Knows partner accounts; `core.partner.storage.known_state.KnownState` does."""

    @property
    def known(self) -> Known:
        """What is known."""
        ...


class _FailedError(HousekeysError):
    """A test has failed, by what was answered."""


class WorkspaceTests:
    """Tests partner connections, as Databricks asks for it and as an operator does."""

    def __init__(
        self,
        engine: RunEngine,
        state: _TellsKnown,
        secrets: SealedSecrets,
        tokens: WorkspaceTokens,
        seconds: float = TEST_SECONDS,
    ) -> None:
        self._engine = engine
        self._state = state
        self._secrets = secrets
        self._tokens = tokens
        self._seconds = seconds

    async def test(self, connection: PartnerConnection) -> tuple[TestResult, ...]:
        """The outcome of each test. What fails is a result and is not raised; what takes too long has failed."""
        until = asyncio.get_running_loop().time() + self._seconds
        async with asyncio.TaskGroup() as tests:
            here = [tests.create_task(self._outcome(*test, until)) for test in self._tests_here(connection)]
            there = tests.create_task(self._test_there(connection, until))
        return (*(test.result() for test in here), *there.result())

    def _tests_here(self, connection: PartnerConnection) -> Iterator[tuple[str, Awaitable[str]]]:
        known = self._state.known
        if (account := known.accounts.get(connection.account_id)) is not None:
            yield DATABASE, self._test_database(account)
        user = known.users.get(connection.user_id)
        if user is not None and user.deleted is None:  # without the one who made it, it is still the workspace's
            yield USER, self._test_user(user)
        yield SECRETS, self._test_secrets(connection)

    async def _test_there(self, connection: PartnerConnection, until: float) -> list[TestResult]:
        """The workspace by each of the ways to authenticate, and the warehouse by one that is accepted."""
        options = _options(connection)
        names = [WORKSPACE if len(options) == 1 else f"{WORKSPACE}, {option}" for option in options]
        reached = await asyncio.gather(
            *(
                self._outcome(name, self._test_workspace(connection, option), until)
                for name, option in zip(names, options, strict=True)
            )
        )
        warehouse = _warehouse_of(connection)
        if warehouse is None:
            return list(reached)
        accepted = [o for o, result in zip(options, reached, strict=True) if result.status is TestStatus.PASS]
        test = self._test_warehouse(connection, warehouse, accepted[0] if accepted else None)
        return [*reached, await self._outcome(WAREHOUSE, test, until)]

    async def _outcome(self, name: str, test: Awaitable[str], until: float) -> TestResult:
        try:
            async with asyncio.timeout_at(until):
                return TestResult(name, TestStatus.PASS, one_line(await test, 2 * _SHOWN))
        except TimeoutError:
            why = f"No answer within {self._seconds:g} seconds."
        except HousekeysError as error:
            why = _said(f"{error} {error.detail}".strip() if isinstance(error, _FailedError) else str(error))
        return TestResult(name, TestStatus.FAIL, why)

    async def _test_database(self, account: PartnerAccount) -> str:
        query = "SELECT count() FROM system.databases WHERE name = {name:String}"
        found = await self._engine.query(query, {"name": account.database})
        if not int(found.first_cell()):
            raise _FailedError(f"The database {account.database} of the account is not there, or may not be seen.")
        return f"The database {account.database} is there."

    async def _test_user(self, user: PartnerUser) -> str:
        found = await self._engine.query(exists(EntityKey(EntityKind.USER, user.name)))
        if not int(found.first_cell()):
            raise _FailedError(f"The user {user.name} is not there, or may not be seen.")
        return f"The user {user.name} is there."

    async def _test_secrets(self, connection: PartnerConnection) -> str:
        options = _options(connection)
        for option in options:
            if await self._secrets.get(SealedPlace(connection.id, _SECRETS[option])) is None:
                missing = "is not given yet" if option == "AUTH_OAUTH_U2M" else "is not kept here"
                advice = "The user must authorise it." if option == "AUTH_OAUTH_U2M" else "Connect again."
                raise _FailedError(f"{_capital(_WORDS[option])} {missing}.", advice=advice)
        return f"Kept and open: {', '.join(_WORDS[option] for option in options)}."

    async def _test_workspace(self, connection: PartnerConnection, option: AuthOption) -> str:
        host = host_of(connection)

        async def ask(bearer: Secret) -> Answer | None:
            return await self._tokens.http.get(host, ME_PATH, bearer)

        answer = _accepted(await self._tokens.call(connection, option, ask), f"{host} does not take {_WORDS[option]}")
        name = answer.body.get("userName")
        who = f", as {_said(name)}" if isinstance(name, str) and name else ""
        return f"{host} takes {_WORDS[option]}{who}."

    async def _test_warehouse(self, connection: PartnerConnection, warehouse: str, option: AuthOption | None) -> str:
        if option is None:
            raise _FailedError("Not tried: the workspace cannot be reached with what is kept here.")
        host = host_of(connection)
        body = {
            "warehouse_id": warehouse,
            "statement": "SELECT 1",
            "wait_timeout": "10s",
            "on_wait_timeout": "CANCEL",
        }

        async def ask(bearer: Secret) -> Answer | None:
            return await self._tokens.http.post_json(host, STATEMENTS_PATH, body, bearer)

        answer = _accepted(
            await self._tokens.call(connection, option, ask), f"The SQL warehouse {warehouse} cannot be used"
        )
        status = answer.body.get("status")
        state = status.get("state") if isinstance(status, dict) else None
        if state == "SUCCEEDED":
            return f"The SQL warehouse {warehouse} has answered SELECT 1."
        if state in ("CANCELED", "PENDING", "RUNNING"):
            raise _FailedError(
                f"The SQL warehouse {warehouse} did not answer in 10 seconds.", advice="It may be starting: test again."
            )
        error = status.get("error") if isinstance(status, dict) else None
        raise _FailedError(f"The SQL warehouse {warehouse} has failed to answer SELECT 1.", detail=_message(error))


async def try_out(
    engine: RunEngine,
    state: _TellsKnown,
    secrets: SealedSecrets,
    policy: PartnerPolicy,
    connection: PartnerConnection,
    one_at_a_time: OneAtATime,
    *,
    address: Address = https_address,
) -> tuple[TestResult, ...]:
    """Test one partner connection where no service runs: from the console or a command.

    `one_at_a_time` keeps the service away meanwhile from a refresh token that is good for one use.
    """
    tokens = await WorkspaceTokens.open(secrets, policy, one_at_a_time, address=address)
    try:
        return await WorkspaceTests(engine, state, secrets, tokens).test(connection)
    finally:
        await tokens.close()


def warehouse_id(http_path: str | None) -> str | None:
    """The id of the SQL warehouse that an HTTP path leads to; None where it leads to a cluster, or nowhere."""
    match = _WAREHOUSE.fullmatch(http_path or "")
    return match["id"] if match else None


def _warehouse_of(connection: PartnerConnection) -> str | None:
    return warehouse_id(connection.coordinates.http_path if connection.coordinates is not None else None)


def _options(connection: PartnerConnection) -> list[AuthOption]:
    return [option for option in AUTH_OPTIONS if option in connection.auth_options]


def _accepted(answer: Answer | None, refusal: str) -> Answer:
    if answer is None:
        raise _FailedError(f"{refusal}: it is not there (HTTP 404).")
    if answer.status != 200:
        raise _FailedError(f"{refusal} (HTTP {answer.status}).", detail=_message(answer.body))
    return answer


def _message(body: object) -> str:
    """What Databricks says of an error, as its APIs word it."""
    said = body.get("message") or body.get("detail") if isinstance(body, dict) else None
    return _said(said) if isinstance(said, str) else ""


def _said(text: str) -> str:
    return one_line(redacted(text), _SHOWN)


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
