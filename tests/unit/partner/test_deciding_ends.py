"""Testing and deleting a partner connection, and the hooks of Databricks' tests."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.partner.accounts import facts
from core.partner.accounts.deciding import decide_delete_account, decide_expire, decide_test
from core.partner.accounts.decision import Ending, Removal
from core.partner.accounts.policy import PartnerPolicy
from core.partner.messages.requests import AccountInfo, AccountUserInfo, CloudProvider, ConnectionInfo
from core.partner.messages.responses import ErrorReason, ResourceStatus
from core.profiles.partner import AccountPolicy
from tests.unit.partner.account_examples import POLICY, TRIAL_BY_ACCOUNT, TRIAL_BY_USER, Partner, asked, told

AWS = CloudProvider.AWS
TESTER = "user1@databricks-test.com"
HOOKS = replace(POLICY, test_hooks=True)
OUTSIDE = [
    "acme.com",
    "evildatabricks-test.com",
    "databricks-test.com.evil.example",
    "databricks-test.com.",
    ".databricks-test.com",
    "x..databricks-test.com",
    "databricks-test.org",
    "com",
    "",
    "ann@databricks-test.com",
    "databricks-test.com/x",
    " databricks-test.com",
]
INSIDE = ["databricks-test.com", "DATABRICKS-Demo.com", "abc123.databricks-test.com", "a.b.databricks-demo.com"]


def reason(ending: Ending) -> ErrorReason | None:
    return ending.error.error_reason if ending.error else None


def expire(partner: Partner, email: str = TESTER, workspace: int = 1, user_id: int = 0) -> Ending:
    request = AccountUserInfo(email, user_id, AWS, workspace)
    ending = decide_expire(request, partner.known, partner.policy, partner.now)
    partner.tell(*ending.events)
    return ending


def delete_account(
    partner: Partner, domain: str = "databricks-test.com", workspace: int = 1, cloud: CloudProvider = AWS
) -> Ending:
    ending = decide_delete_account(AccountInfo(domain, cloud, workspace), partner.known, partner.policy)
    partner.tell(*ending.events)
    return ending


def test_a_connection_is_deleted_once_and_its_account_stays() -> None:
    partner = Partner()
    connection = partner.connected()
    assert reason(partner.delete(connection, workspace=2)) is ErrorReason.CONNECTION_NOT_FOUND
    gone = partner.delete(connection)
    assert gone.resource_status is ResourceStatus.RESOURCES_DELETED
    assert gone.removal == Removal(connections=(connection,))
    again = partner.delete(connection)
    assert (reason(again), again.events, again.removal) == (ErrorReason.CONNECTION_NOT_FOUND, (), Removal())
    assert told(partner.ask(asked()))[2:] == ("existing", "active", "sign_in")


def test_a_connection_is_tested_for_its_workspace_or_where_none_is_named() -> None:
    partner = Partner()
    connection = partner.connected()
    for request in (ConnectionInfo(connection), ConnectionInfo(connection, AWS, 1)):
        assert decide_test(request, partner.known).connection == partner.known.connections[connection]
    partner.delete(connection)
    others = (ConnectionInfo(connection), ConnectionInfo("pc-never-was"))
    assert {reason(decide_test(one, partner.known)) for one in others} == {ErrorReason.CONNECTION_NOT_FOUND}


@pytest.mark.parametrize(("cloud", "workspace"), [(AWS, 2), (CloudProvider.AZURE, 1)])
def test_a_connection_is_not_tested_for_another_workspace(cloud: CloudProvider, workspace: int) -> None:
    partner = Partner()
    request = ConnectionInfo(partner.connected(), cloud, workspace)
    assert reason(decide_test(request, partner.known)) is ErrorReason.CONNECTION_NOT_FOUND


@pytest.mark.parametrize("domain", OUTSIDE)
def test_a_domain_outside_of_the_tests_is_refused(domain: str) -> None:
    partner = Partner(HOOKS)
    partner.connected()
    assert reason(delete_account(partner, domain)) is ErrorReason.BAD_REQUEST
    if "@" not in domain:
        assert reason(expire(partner, f"x@{domain}")) is ErrorReason.BAD_REQUEST


@pytest.mark.parametrize("domain", INSIDE)
def test_a_domain_of_the_tests_and_its_true_subdomains_are_taken(domain: str) -> None:
    partner = Partner(HOOKS)
    connection = partner.connected(f"x@{domain}")
    assert reason(expire(partner, f"X@{domain.upper()}")) is None
    assert reason(delete_account(partner, domain.upper())) is None
    assert told(partner.ask(asked(f"x@{domain}", connection=connection))) == ("404", "connection_not_found")


@pytest.mark.parametrize("act", [expire, delete_account])
def test_the_hooks_are_off_unless_the_policy_turns_them_on(act: object) -> None:
    partner = Partner()
    partner.connected(TESTER)
    assert reason(act(partner)) is ErrorReason.BAD_REQUEST  # type: ignore[operator]
    assert all(user.deleted is None for user in partner.known.users.values())


@pytest.mark.parametrize(
    ("policy", "second"), [(HOOKS, "expired"), (TRIAL_BY_ACCOUNT, "expired"), (TRIAL_BY_USER, "active")]
)
def test_an_expired_trial_ends_the_others_only_by_account(policy: PartnerPolicy, second: str) -> None:
    partner = Partner(replace(policy, test_hooks=True))
    connection = partner.connected(TESTER)
    partner.connected("user2@databricks-test.com")
    assert len(expire(partner).events) == 1
    assert expire(partner) == Ending()  # it has ended already
    first = told(partner.ask(asked(TESTER, connection=connection)))
    assert first == ("omitted", "false", "existing", "expired", "purchase_product")
    assert told(partner.ask(asked("user2@databricks-test.com", connection=connection)))[3] == second


def test_expiring_ends_no_trial_but_that_of_the_address_in_the_workspace() -> None:
    partner = Partner(replace(TRIAL_BY_USER, test_hooks=True))
    partner.connected("ann@acme.com", user_id=5)
    partner.connected(TESTER, workspace=2)
    assert reason(expire(partner, "x@databricks-test.com", user_id=5)) is ErrorReason.ACCOUNT_NOT_FOUND
    assert reason(expire(partner, TESTER, workspace=1)) is ErrorReason.ACCOUNT_NOT_FOUND
    assert reason(expire(partner, TESTER, workspace=2)) is None


def test_an_account_that_has_others_than_testers_keeps_its_trial() -> None:
    partner = Partner(replace(HOOKS, accounts=AccountPolicy(by="workspace")))
    partner.connected(TESTER)
    assert reason(expire(partner)) is None
    partner = Partner(replace(HOOKS, accounts=AccountPolicy(by="workspace")))
    partner.connected(TESTER)
    partner.connected("ann@acme.com")
    assert reason(expire(partner)) is ErrorReason.ACCOUNT_NOT_FOUND


def test_deleting_an_account_takes_all_of_it_and_demos_and_no_other_account() -> None:
    partner = Partner(HOOKS)
    first, other = partner.connected(TESTER), partner.connected("ann@acme.com")
    second = partner.connected("user2@databricks-test.com", workspace=3)
    demo = partner.connected(TESTER, demo=True)
    deeper = partner.connected("user1@abc.databricks-test.com")
    assert reason(delete_account(partner, workspace=2)) is ErrorReason.ACCOUNT_NOT_FOUND
    assert reason(delete_account(partner, cloud=CloudProvider.AZURE)) is ErrorReason.ACCOUNT_NOT_FOUND
    gone = delete_account(partner)
    assert set(gone.removal.connections) == {first, second, demo}
    assert (len(gone.removal.databases), len(gone.removal.roles), len(gone.removal.users)) == (2, 2, 3)
    left = {one.id for one in partner.known.connections.values() if one.deleted is None}
    assert left == {other, deeper}
    assert reason(delete_account(partner)) is ErrorReason.ACCOUNT_NOT_FOUND
    assert told(partner.ask(asked(TESTER, connection=first))) == ("404", "connection_not_found")
    assert told(partner.ask(asked(TESTER))) == ("set", "true", "new", "new", "create_trial")


def test_an_account_whose_users_are_gone_goes_by_its_domain() -> None:
    partner = Partner(HOOKS)
    connection = partner.connected(TESTER)
    partner.tell(facts.user_deleted(next(iter(partner.known.users))))
    gone = delete_account(partner)
    assert (gone.removal.connections, len(gone.removal.databases)) == ((connection,), 1)


def test_an_account_with_others_loses_only_the_testers() -> None:
    partner = Partner(replace(HOOKS, accounts=AccountPolicy(by="workspace")))
    own, other = partner.connected(TESTER), partner.connected("ann@acme.com")
    gone = delete_account(partner)
    assert gone.removal == Removal((own,), ("partner_pu2",))
    assert told(partner.ask(asked("ann@acme.com", connection=other)))[-1] == "sign_in"
    assert told(partner.ask(asked(TESTER, connection=own))) == ("404", "connection_not_found")
