"""What each request leads to. Pure: the service carries a decision out, keeps its facts, and only then answers.

A request that is refused leaves nothing, so Databricks may send it again. A connect request that is accepted makes all
of its facts in one go, or none.
"""

from __future__ import annotations

from datetime import datetime

from core.partner.accounts.asking import Asking
from core.partner.accounts.connecting import connect
from core.partner.accounts.decision import Answer, Decision, Ending, Provision, Removal, Scenario, refused
from core.partner.accounts.ending import decide_delete, decide_delete_account, decide_expire, decide_test
from core.partner.accounts.ids import NewId, new_id
from core.partner.accounts.policy import PartnerPolicy, Person, request_problem
from core.partner.accounts.signing_in import sign_in
from core.partner.accounts.state import Known
from core.partner.messages.requests import ConnectRequest
from core.partner.messages.responses import ErrorReason

__all__ = [
    "Answer",
    "Decision",
    "Ending",
    "Provision",
    "Removal",
    "Scenario",
    "decide",
    "decide_delete",
    "decide_delete_account",
    "decide_expire",
    "decide_test",
]


def decide(
    request: ConnectRequest, known: Known, policy: PartnerPolicy, now: datetime, *, new_id: NewId = new_id
) -> Decision:
    """What a connect request leads to, by all that is `known` and at this moment (UTC)."""
    if problem := request_problem(policy, request):
        return refused(Scenario.BAD_REQUEST, ErrorReason.BAD_REQUEST, problem)
    asking = Asking(request, Person.of(request), known, policy, now, new_id)
    return sign_in(asking) if request.user_info.is_connection_established else connect(asking)
