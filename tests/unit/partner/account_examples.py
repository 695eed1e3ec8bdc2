"""Connect requests, policies, and a partner that believes in every decision at once: for tests of accounts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from core.changes import Event
from core.journal.rows import DONE, Row
from core.partner.accounts.deciding import Answer, Decision, Ending, decide, decide_delete
from core.partner.accounts.folding import Folding
from core.partner.accounts.ids import IdKind
from core.partner.accounts.policy import PartnerPolicy
from core.partner.accounts.state import Known
from core.partner.messages.requests import Auth, CloudProvider, ConnectRequest, DeleteConnectionRequest, UserInfo
from core.profiles.partner import TrialPolicy
from core.secrets import Secret

START = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
TOKEN = "dapi-not-for-the-journal"
POLICY = PartnerPolicy("https://connect.acme.example", hostnames=("acme.example",))
TRIAL_BY_ACCOUNT = replace(POLICY, trial=TrialPolicy("account", 14))
TRIAL_BY_USER = replace(POLICY, trial=TrialPolicy("user", 14))


def asked(
    email: str = "ann@acme.com",
    workspace: int = 1,
    user_id: int | None = None,
    connection: str | None = None,
    **more: Any,
) -> ConnectRequest:
    """A connect request; with a `connection` an established one."""
    established = connection is not None
    number = sum(email.encode()) if user_id is None else user_id
    auth = None if established else Auth(Secret(TOKEN))
    user = UserInfo(email, "Ann", "Lee", number, workspace, established, auth)
    request = ConnectRequest(
        user,
        "dbc-1.cloud.databricks.com",
        443,
        "https://dbc-1.cloud.databricks.com",
        workspace,
        False,
        CloudProvider.AWS,
        False,
        connection_id=connection,
        http_path="/sql/1.0/warehouses/1",
    )
    return replace(request, **more)


def journal_row(event: Event, number: int, at: datetime) -> Row:
    identifier = UUID(int=number)
    kind, subject, action = event.subject_kind, event.subject, event.action
    return Row(identifier, at, "ann", "bastion", "prod", identifier, kind, subject, action, DONE, event.details)


class Partner:
    """Decides, and believes that all was done. Ids count up, so that tests can read them."""

    def __init__(self, policy: PartnerPolicy = POLICY) -> None:
        self.policy = policy
        self.now = START
        self.rows: list[Row] = []
        self._folding = Folding()
        self._ids = self._count()

    @property
    def known(self) -> Known:
        return self._folding.known

    def new_id(self, kind: IdKind) -> str:
        return f"{kind}{next(self._ids)}"

    def tell(self, *events: Event) -> None:
        for event in events:
            self.rows.append(journal_row(event, len(self.rows) + 1, self.now))
            self._folding.tell(self.rows[-1])

    def ask(self, request: ConnectRequest) -> Decision:
        decision = decide(request, self.known, self.policy, self.now, new_id=self.new_id)
        self.tell(*decision.events)
        return decision

    def connected(self, email: str = "ann@acme.com", workspace: int = 1, **more: Any) -> str:
        """Connect, and give the id of the new partner connection."""
        answer = answered(self.ask(asked(email, workspace, **more)))
        assert answer.connection_id is not None
        return answer.connection_id

    def delete(self, connection: str, workspace: int = 1) -> Ending:
        ending = decide_delete(DeleteConnectionRequest(connection, CloudProvider.AWS, workspace), self.known)
        self.tell(*ending.events)
        return ending

    def pass_days(self, days: int) -> None:
        self.now += timedelta(days=days)

    @staticmethod
    def _count() -> Iterator[int]:
        number = 0
        while True:
            yield (number := number + 1)


def answered(decision: Decision) -> Answer:
    assert isinstance(decision.answer, Answer), decision.answer
    return decision.answer


def told(decision: Decision) -> tuple[str, ...]:
    """An answer in words, for a table: of an error its status and reason."""
    if decision.error is not None:
        return str(int(decision.error.status)), decision.error.error_reason.value
    answer = answered(decision)
    set_or_not = "set" if answer.connection_id else "omitted"
    configured = str(answer.configured_resources).lower()
    return set_or_not, configured, answer.user_status, answer.account_status, answer.redirect_value
