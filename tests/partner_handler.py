"""A service in memory: the real application over decisions that are believed at once, for tests of HTTP itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from core.partner.accounts.deciding import Answer, Ending, decide_delete, decide_delete_account, decide_expire
from core.partner.accounts.deciding import decide_test as decide_connection_test
from core.partner.handling.connectors import connectors_page
from core.partner.handling.outcomes import Handled
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
    TestResult,
    TestStatus,
)
from core.partner.partner_configs import partner_config
from core.partner.security.basic_credentials import (
    BasicCredential,
    CredentialCheck,
    Presented,
    generate,
    header_value,
)
from core.partner.storage.requests_seen import AnsweredRequest
from core.profiles.partner import PartnerPolicy
from tests.unit.partner.account_examples import Partner

PAGE = "https://acme.example/welcome"


class MemoryHandler:
    """Handles requests by decisions alone. `failure` is raised instead, where it is set."""

    def __init__(self, policy: PartnerPolicy) -> None:
        self.partner = Partner(policy)
        self.failure: Exception | None = None

    async def connect(self, request: ConnectRequest) -> Handled[Connection]:
        if self.failure is not None:
            raise self.failure
        decision = self.partner.ask(request)
        scenario, account = decision.scenario.value, decision.account_id or ""
        if not isinstance(decision.answer, Answer):
            return Handled(decision.answer, scenario, account)
        own_app = "AUTH_OAUTH_U2M" in self.partner.policy.auth_options and not self.partner.policy.is_published_app
        oauth = "https://acme.example/oauth/callback" if own_app and decision.answer.configured_resources else None
        body = decision.answer.connection(f"{PAGE}?account={account}", oauth)
        return Handled(body, scenario, account, decision.answer.connection_id or "")

    async def delete_connection(self, request: DeleteConnectionRequest) -> Handled[DeleteConnectionResponse]:
        ending = decide_delete(request, self.partner.known)
        if ending.error is not None or ending.resource_status is None:
            return Handled(ending.error)
        self.partner.tell(*ending.events)
        return Handled(DeleteConnectionResponse(ending.resource_status), connection_id=request.connection_id)

    async def test_connection(self, request: ConnectionInfo) -> Handled[ConnectionTestResult]:
        ending = decide_connection_test(request, self.partner.known)
        passed = ConnectionTestResult((TestResult("reach", TestStatus.PASS, "It answers."),))
        return Handled(ending.error or passed)

    async def delete_account(self, request: AccountInfo) -> Handled[None]:
        return self._ended(decide_delete_account(request, self.partner.known, self.partner.policy))

    async def expire_account(self, request: AccountUserInfo) -> Handled[None]:
        return self._ended(decide_expire(request, self.partner.known, self.partner.policy, self.partner.now))

    async def connectors(self, pagination_token: str | None) -> Handled[ConnectorResponse]:
        return Handled(connectors_page(self.partner.policy.connectors, pagination_token))

    def _ended(self, ending: Ending) -> Handled[None]:
        self.partner.tell(*ending.events)
        return Handled(ending.error)


class MemoryCredentials:
    """One credential. `authorization` is the header that presents it."""

    def __init__(self, user: str = "databricks") -> None:
        self.presented, self.credential = generate(user, datetime.now(UTC))
        self.authorization = header_value(self.presented).reveal()
        self._check = CredentialCheck((self.credential,))
        self.derived = 0

    @classmethod
    def of(cls, presented: Presented, credential: BasicCredential) -> MemoryCredentials:
        """With a credential that was made already."""
        found = cls()
        found.presented, found.credential = presented, credential
        found.authorization = header_value(presented).reveal()
        found._check = CredentialCheck((credential,))
        return found

    async def check(self, authorization: Any, *, derive: bool = True) -> BasicCredential | None:
        self.derived += derive
        return await self._check.check(authorization, derive=derive)


class MemoryRequests:
    """The log of requests, as a list."""

    def __init__(self) -> None:
        self.noted: list[AnsweredRequest] = []

    def note(self, request: AnsweredRequest) -> None:
        self.noted.append(request)


class MemoryParts:
    """All that the application is made of."""

    def __init__(self, policy: PartnerPolicy, credentials: MemoryCredentials | None = None) -> None:
        self.policy = policy
        self.config = partner_config(policy)
        self.handler = MemoryHandler(policy)
        self.credentials = credentials or MemoryCredentials()
        self.requests = MemoryRequests()
        self.not_ready = ""
        self.lacking: list[str] = []

    async def why_not_ready(self) -> str:
        return self.not_ready

    def missing(self) -> list[str]:
        return self.lacking
