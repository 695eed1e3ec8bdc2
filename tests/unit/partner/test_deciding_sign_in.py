"""Connect with an established partner connection: who is led to it, and to whom it is as if it were not there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.partner.accounts import facts
from core.partner.accounts.decision import Scenario
from core.partner.accounts.policy import PartnerPolicy
from core.partner.messages.requests import CloudProvider, ConnectionScope
from core.profiles.partner import NEW_USER_ACTIONS, AccountPolicy, NewUserAction, TrialPolicy
from tests.unit.partner.account_examples import POLICY, TRIAL_BY_ACCOUNT, TRIAL_BY_USER, Partner, asked, told

SIGNED_IN = ("omitted", "false", "existing", "active", "sign_in")
ADDED = ("omitted", "false", "new", "active", "sign_in")
NO_CONNECTION = ("404", "connection_not_found")
NO_ACCOUNT = ("404", "account_not_found")
BY_ACTION: dict[NewUserAction, tuple[str, ...]] = {
    "auto_add": ADDED,
    "invite": ("omitted", "false", "not_applicable", "active", "contact_admin"),
    "not_found": NO_ACCOUNT,
    "error": ("500", "general_error"),
}


def test_who_made_it_is_led_to_it_and_nothing_is_made() -> None:
    partner = Partner()
    connection = partner.connected()
    decision = partner.ask(asked(connection=connection))
    assert told(decision) == SIGNED_IN
    assert decision.provision is None
    assert len(partner.known.connections) == 1
    assert partner.known.connections[connection].last_used == partner.now
    assert partner.known.users[str(decision.user_id)].last_sign_in == partner.now


@pytest.mark.parametrize("action", NEW_USER_ACTIONS)
def test_a_second_user_of_the_company_is_met_as_the_policy_says(action: NewUserAction) -> None:
    partner = Partner(replace(POLICY, new_user_action=action))
    connection = partner.connected()
    decision = partner.ask(asked("bob@acme.com", connection=connection))
    assert told(decision) == BY_ACTION[action]
    added = action == "auto_add"
    assert (decision.provision is not None, bool(decision.events)) == (added, added)
    assert told(partner.ask(asked("bob@acme.com", connection=connection))) == (
        SIGNED_IN if added else BY_ACTION[action]
    )


@pytest.mark.parametrize("action", NEW_USER_ACTIONS)
def test_who_was_invited_comes_in_whatever_the_policy_does_with_others(action: NewUserAction) -> None:
    partner = Partner(replace(POLICY, new_user_action=action))
    connection = partner.connected()
    partner.tell(facts.user_invited("pu-eve", next(iter(partner.known.accounts)), "eve@agency.com", "partner_pu-eve"))
    decision = partner.ask(asked("eve@agency.com", connection=connection))
    assert (told(decision), decision.user_id) == (ADDED, "pu-eve")
    assert decision.provision is not None
    assert (decision.provision.new_user, decision.provision.connection_id) == (True, None)


@pytest.mark.parametrize("action", NEW_USER_ACTIONS)
@pytest.mark.parametrize(("first", "second"), [("ann@acme.com", "eve@other.com"), ("ann@gmail.com", "bob@gmail.com")])
def test_a_stranger_in_the_workspace_is_never_added(first: str, second: str, action: NewUserAction) -> None:
    partner = Partner(replace(POLICY, new_user_action=action))
    connection = partner.connected(first, user_id=5)
    assert told(partner.ask(asked(second, connection=connection))) == NO_ACCOUNT
    assert told(partner.ask(asked(second, user_id=5, connection=connection))) == NO_ACCOUNT
    assert len(partner.known.users) == 1


def test_with_accounts_by_workspace_nobody_of_the_workspace_is_a_stranger() -> None:
    partner = Partner(replace(POLICY, accounts=AccountPolicy(by="workspace")))
    connection = partner.connected("ann@gmail.com")
    assert told(partner.ask(asked("eve@other.com", connection=connection))) == ADDED


@pytest.mark.parametrize(
    "more",
    [{"workspace": 2}, {"cloud_provider": CloudProvider.GCP}, {"workspace": 2**63 - 1}, {"connection": "pc-guessed"}],
)
def test_another_workspaces_connection_is_as_one_that_is_not_there(more: dict[str, object]) -> None:
    partner = Partner()
    connection = partner.connected()
    partner.connected(workspace=2)
    decision = partner.ask(asked(**{"connection": connection, **more}))  # type: ignore[arg-type]
    assert (told(decision), decision.scenario) == (NO_CONNECTION, Scenario.UNKNOWN_CONNECTION)
    assert decision.error == partner.ask(asked(connection="pc-never-was")).error


def test_a_deleted_connection_is_not_found_by_anybody() -> None:
    partner = Partner()
    connection = partner.connected()
    assert told(partner.ask(asked("bob@acme.com", connection=connection))) == ADDED
    partner.delete(connection)
    for email in ("ann@acme.com", "bob@acme.com", "new@acme.com"):
        assert told(partner.ask(asked(email, connection=connection))) == NO_CONNECTION


def test_a_connection_of_one_user_is_for_nobody_else() -> None:
    partner = Partner()
    connection = partner.connected(connection_scope=ConnectionScope.USER)
    partner.connected("bob@acme.com")
    assert told(partner.ask(asked(connection=connection))) == SIGNED_IN
    for email in ("bob@acme.com", "new@acme.com"):
        assert told(partner.ask(asked(email, connection=connection))) == NO_CONNECTION


@pytest.mark.parametrize(("policy", "second"), [(TRIAL_BY_USER, "active"), (TRIAL_BY_ACCOUNT, "expired")])
def test_the_end_of_one_users_trial_is_the_end_of_the_others_only_by_account(
    policy: PartnerPolicy, second: str
) -> None:
    partner = Partner(policy)
    connection = partner.connected()
    partner.pass_days(14)
    expired = ("omitted", "false", "existing", "expired", "purchase_product")
    assert told(partner.ask(asked(connection=connection))) == expired
    other = told(partner.ask(asked("bob@acme.com", connection=connection)))
    assert other == ("omitted", "false", "new", second, "create_trial" if second == "active" else "purchase_product")
    assert told(partner.ask(asked(connection=connection))) == expired
    assert len(partner.known.users) == (2 if second == "active" else 1)


@pytest.mark.parametrize("action", NEW_USER_ACTIONS)
def test_a_second_user_of_an_expired_account_is_told_to_buy_whatever_the_policy_does_with_new_users(
    action: NewUserAction,
) -> None:
    partner = Partner(replace(TRIAL_BY_ACCOUNT, new_user_action=action))
    connection = partner.connected()
    partner.pass_days(14)
    decision = partner.ask(asked("bob@acme.com", connection=connection))
    assert told(decision) == ("omitted", "false", "new", "expired", "purchase_product")


def test_a_demo_begins_no_trial_of_its_second_user_either() -> None:
    partner = Partner(TRIAL_BY_USER)
    connection = partner.connected(demo=True)
    decision = partner.ask(asked("bob@acme.com", connection=connection))
    assert (told(decision), decision.scenario) == (ADDED, Scenario.ADDED)
    partner.pass_days(100)
    for email in ("ann@acme.com", "bob@acme.com"):
        assert told(partner.ask(asked(email, connection=connection))) == SIGNED_IN
    assert told(partner.ask(asked("eve@other.com", connection=connection))) == NO_ACCOUNT


def test_nobody_joins_the_demo_of_a_free_mail_user() -> None:
    partner = Partner()
    connection = partner.connected("ann@gmail.com", demo=True)
    assert told(partner.ask(asked("bob@gmail.com", connection=connection))) == NO_ACCOUNT


def test_another_trial_begins_with_a_new_connection_only() -> None:
    partner = Partner(replace(POLICY, trial=TrialPolicy("account", 14, another=True)))
    connection = partner.connected()
    partner.pass_days(14)
    assert told(partner.ask(asked(connection=connection)))[-1] == "purchase_product"
    partner.connected()
    assert told(partner.ask(asked(connection=connection))) == SIGNED_IN


def test_who_has_not_finished_the_sign_up_is_not_found() -> None:
    partner = Partner(replace(POLICY, require_manual_signup=True))
    connection = partner.connected()
    assert told(partner.ask(asked(connection=connection))) == NO_ACCOUNT
    assert told(partner.ask(asked("bob@acme.com", connection=connection))) == NO_ACCOUNT
    assert told(partner.ask(asked(connection="pc-never-was"))) == NO_CONNECTION
    partner.tell(facts.user_signed_up(next(iter(partner.known.users))))
    assert told(partner.ask(asked(connection=connection))) == SIGNED_IN
    assert partner.ask(asked()).scenario is Scenario.EXISTING
