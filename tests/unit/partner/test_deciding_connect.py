"""Connect without an established partner connection: every row of the API's table of scenarios, by its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from core.partner.accounts import facts
from core.partner.accounts.decision import Scenario
from core.partner.accounts.policy import PartnerPolicy
from core.partner.accounts.state import AccountKind
from core.partner.messages.requests import CloudProvider
from core.profiles.partner import AccountPolicy, NewUserAction, TrialPolicy
from core.secrets import Secret
from tests.unit.partner.account_examples import (
    POLICY,
    TOKEN,
    TRIAL_BY_ACCOUNT,
    TRIAL_BY_USER,
    Partner,
    answered,
    asked,
    told,
)

CREATE_TRIAL = ("set", "true", "new", "new", "create_trial")
ANOTHER = TrialPolicy("account", 14, another=True)


def fresh(partner: Partner) -> None:
    """Nobody is known."""


def ann(partner: Partner) -> None:
    partner.connected()


def ann_expired(partner: Partner) -> None:
    partner.connected()
    partner.pass_days(15)


def bob_invited(partner: Partner) -> None:
    partner.connected()
    account = next(iter(partner.known.accounts))
    partner.tell(facts.user_invited("pu-bob", account, "bob@acme.com", "partner_pu-bob"))


def expired_by_hand(partner: Partner) -> None:
    partner.connected()
    partner.tell(facts.account_expired(next(iter(partner.known.accounts))))


def purchased(partner: Partner) -> None:
    ann_expired(partner)
    partner.tell(facts.account_purchased(next(iter(partner.known.accounts))))


def with_action(action: NewUserAction, policy: PartnerPolicy = POLICY) -> PartnerPolicy:
    return replace(policy, new_user_action=action)


Before = Callable[[Partner], None]
ROWS: list[tuple[Scenario, Before, PartnerPolicy, str, tuple[str, ...]]] = [
    (Scenario.NEW_ACCOUNT, fresh, POLICY, "ann@acme.com", CREATE_TRIAL),
    (Scenario.NEW_ACCOUNT, ann, POLICY, "eve@other.com", CREATE_TRIAL),
    (Scenario.NEW_ACCOUNT, ann_expired, TRIAL_BY_ACCOUNT, "eve@other.com", CREATE_TRIAL),
    *(
        (Scenario.MUST_BUY, before, policy, email, ("omitted", "false", status, "expired", "purchase_product"))
        for email, status in (("ann@acme.com", "existing"), ("bob@acme.com", "new"))
        for before, policy in (
            (ann_expired, TRIAL_BY_ACCOUNT),
            (ann_expired, with_action("invite", TRIAL_BY_ACCOUNT)),
            (expired_by_hand, POLICY),
        )
    ),
    (
        Scenario.MUST_BUY,
        ann_expired,
        TRIAL_BY_USER,
        "ann@acme.com",
        ("omitted", "false", "existing", "expired", "purchase_product"),
    ),
    *(
        (
            Scenario.ANOTHER_TRIAL,
            ann_expired,
            replace(POLICY, trial=ANOTHER),
            email,
            ("set", "true", status, "expired", "create_trial"),
        )
        for email, status in (("ann@acme.com", "existing"), ("bob@acme.com", "new"))
    ),
    (
        Scenario.ANOTHER_TRIAL,
        ann_expired,
        replace(POLICY, trial=TrialPolicy("user", 14, another=True)),
        "ann@acme.com",
        ("set", "true", "existing", "expired", "create_trial"),
    ),
    (
        Scenario.NOT_ADDED,  # another trial is no way around an invitation
        ann_expired,
        replace(POLICY, trial=ANOTHER, new_user_action="invite"),
        "bob@acme.com",
        ("omitted", "false", "new", "expired", "contact_admin"),
    ),
    (Scenario.ADDED, ann, POLICY, "bob@acme.com", ("set", "true", "new", "active", "sign_in")),
    (Scenario.ADDED, ann, POLICY, "Bob@ACME.com", ("set", "true", "new", "active", "sign_in")),
    (Scenario.ADDED, ann, TRIAL_BY_ACCOUNT, "bob@acme.com", ("set", "true", "new", "active", "sign_in")),
    (Scenario.ADDED, purchased, TRIAL_BY_USER, "bob@acme.com", ("set", "true", "new", "active", "sign_in")),
    (Scenario.ADDED, bob_invited, with_action("invite"), "bob@acme.com", ("set", "true", "new", "active", "sign_in")),
    *(
        (
            Scenario.NOT_ADDED,
            ann,
            with_action(action),
            "bob@acme.com",
            ("omitted", "false", "new", "active", "contact_admin"),
        )
        for action in ("invite", "not_found")
    ),
    (Scenario.REFUSED, ann, with_action("error"), "bob@acme.com", ("500", "general_error")),
    (Scenario.OWN_TRIAL, ann, TRIAL_BY_USER, "bob@acme.com", ("set", "true", "new", "active", "create_trial")),
    (Scenario.OWN_TRIAL, ann_expired, TRIAL_BY_USER, "bob@acme.com", ("set", "true", "new", "active", "create_trial")),
    *(
        (Scenario.EXISTING, before, policy, "ann@acme.com", ("set", "true", "existing", "active", "sign_in"))
        for before, policy in (
            (ann, POLICY),
            (ann, with_action("error")),
            (ann, TRIAL_BY_USER),
            (ann, TRIAL_BY_ACCOUNT),
            (ann_expired, POLICY),
            (purchased, TRIAL_BY_ACCOUNT),
            (purchased, TRIAL_BY_USER),
        )
    ),
    (
        Scenario.UNFINISHED,
        ann,
        replace(POLICY, require_manual_signup=True),
        "ann@acme.com",
        ("set", "true", "new", "active", "create_trial"),
    ),
]


@pytest.mark.parametrize(
    ("scenario", "before", "policy", "email", "expected"),
    ROWS,
    ids=[f"{row[0]}-{row[1].__name__}-{number}" for number, row in enumerate(ROWS)],
)
def test_a_row_of_the_table_of_scenarios(
    scenario: Scenario, before: Before, policy: PartnerPolicy, email: str, expected: tuple[str, ...]
) -> None:
    partner = Partner(policy)
    before(partner)
    connections = len(partner.known.connections)
    decision = partner.ask(asked(email, workspace=2))
    assert (decision.scenario, told(decision)) == (scenario, expected)
    made = expected[0] == "set"
    assert len(partner.known.connections) == connections + made
    assert (decision.provision is not None) == made
    assert bool(decision.events) == made
    if made:
        found = partner.known.connections[str(answered(decision).connection_id)]
        assert (found.account_id, found.user_id) == (decision.account_id, decision.user_id)
        assert partner.known.users[found.user_id].email == email.lower()
        assert partner.known.users[found.user_id].added is not None


def test_every_row_of_the_table_is_in_the_table() -> None:
    not_here = {Scenario.UNKNOWN_CONNECTION, Scenario.UNKNOWN_USER, Scenario.BAD_REQUEST, Scenario.DEMO}
    assert {row[0] for row in ROWS} == set(Scenario) - not_here


def test_a_demo_always_begins_a_trial_and_touches_no_account_that_is_known() -> None:
    partner = Partner(TRIAL_BY_ACCOUNT)
    ann_expired(partner)
    first = partner.ask(asked(demo=True))
    second = partner.ask(asked("bob@acme.com", demo=True))
    assert [told(one) for one in (first, second)] == [CREATE_TRIAL] * 2
    assert {first.scenario, second.scenario} == {Scenario.DEMO}
    assert first.account_id != second.account_id
    connection = answered(first).connection_id
    assert told(partner.ask(asked(demo=True, connection=connection)))[2:] == ("existing", "active", "sign_in")
    assert told(partner.ask(asked())) == ("omitted", "false", "existing", "expired", "purchase_product")


def test_a_demo_is_as_any_request_where_the_policy_has_none() -> None:
    partner = Partner(replace(POLICY, supports_demo=False))
    partner.connected()
    assert partner.ask(asked(demo=True)).scenario is Scenario.EXISTING


def test_a_demo_leaves_its_user_unknown() -> None:
    partner = Partner()
    partner.ask(asked(demo=True))
    assert partner.ask(asked()).scenario is Scenario.NEW_ACCOUNT


def test_identical_bodies_twice_give_two_separate_connections() -> None:
    partner = Partner()
    one, other = partner.connected(), partner.connected()
    assert one != other
    partner.delete(one)
    assert told(partner.ask(asked(connection=other)))[2:] == ("existing", "active", "sign_in")


def test_free_mail_users_never_share_an_account() -> None:
    partner = Partner()
    decisions = [partner.ask(asked(email)) for email in ("ann@gmail.com", "bob@gmail.com", "eve@mail.gmail.com")]
    assert [told(one) for one in decisions] == [CREATE_TRIAL] * 3
    assert len({one.account_id for one in decisions}) == 3
    again = partner.ask(asked("ANN@GMAIL.com", workspace=7))
    assert (again.scenario, again.account_id) == (Scenario.EXISTING, decisions[0].account_id)
    stranger = partner.ask(asked("bob2@gmail.com", user_id=sum(b"ann@gmail.com")))
    assert stranger.scenario is Scenario.NEW_ACCOUNT  # the same id of Databricks alone is not enough


def test_the_policy_adds_domains_of_free_mail() -> None:
    partner = Partner(replace(POLICY, accounts=AccountPolicy(more_free_mail=("acme.com",))))
    assert partner.ask(asked()).account_id != partner.ask(asked("bob@acme.com")).account_id


def test_a_free_mail_user_comes_back_to_the_own_account_whatever_is_done_with_new_users() -> None:
    partner = Partner(with_action("invite"))
    partner.connected("ann@gmail.com")
    partner.tell(facts.user_deleted(next(iter(partner.known.users))))
    assert partner.ask(asked("ann@gmail.com")).scenario is Scenario.ADDED


def test_accounts_by_workspace_join_whoever_is_in_the_workspace_and_nobody_else() -> None:
    partner = Partner(replace(POLICY, accounts=AccountPolicy(by="workspace")))
    first = partner.ask(asked("ann@gmail.com", workspace=1))
    joined = partner.ask(asked("bob@other.com", workspace=1))
    elsewhere = partner.ask(asked("ann@gmail.com", workspace=2))
    other_cloud = partner.ask(asked("ann@gmail.com", workspace=1, cloud_provider=CloudProvider.GCP))
    assert (joined.scenario, joined.account_id) == (Scenario.ADDED, first.account_id)
    assert len({first.account_id, elsewhere.account_id, other_cloud.account_id}) == 3
    assert partner.known.accounts[str(first.account_id)].key.kind is AccountKind.WORKSPACE


def test_a_user_is_known_in_every_cloud_by_the_address_and_within_the_company_by_the_id() -> None:
    partner = Partner()
    first = partner.ask(asked(user_id=5))
    azure = partner.ask(asked(user_id=2**63 - 1, cloud_provider=CloudProvider.AZURE))
    married = partner.ask(asked("ann.lee@acme.com", user_id=5))
    assert {first.user_id} == {azure.user_id, married.user_id}
    assert partner.known.users[str(first.user_id)].email == "ann.lee@acme.com"
    assert partner.ask(asked("eve@other.com", user_id=5)).scenario is Scenario.NEW_ACCOUNT


def test_the_id_of_somebody_else_merges_nobody_in_an_account_by_workspace() -> None:
    partner = Partner(replace(POLICY, accounts=AccountPolicy(by="workspace")))
    people = ["ann@acme.com", "eve@other.com", "ann@gmail.com", "bob@gmail.com"]
    users = [partner.ask(asked(email, user_id=5)).user_id for email in people]
    assert len(set(users)) == len(people)
    again = [partner.ask(asked(email, user_id=5)) for email in people]
    assert [one.user_id for one in again] == users
    assert {len(one.events) for one in again} == {1}  # nothing new is told of anybody


def test_a_guest_who_was_invited_into_an_account_of_another_domain_comes_there() -> None:
    partner = Partner(with_action("invite"))
    home = partner.ask(asked()).account_id
    partner.tell(facts.user_invited("pu-eve", str(home), "eve@agency.com", "partner_pu-eve"))
    guest = partner.ask(asked("eve@agency.com"))
    assert (guest.scenario, guest.account_id, guest.user_id) == (Scenario.ADDED, home, "pu-eve")


def test_another_trial_runs_as_long_as_the_first() -> None:
    for kind in ("account", "user"):
        partner = Partner(replace(POLICY, trial=TrialPolicy(kind, 14, another=True)))
        ann_expired(partner)
        assert partner.ask(asked()).scenario is Scenario.ANOTHER_TRIAL
        partner.pass_days(13)
        assert partner.ask(asked()).scenario is Scenario.EXISTING
        partner.pass_days(1)
        assert partner.ask(asked()).scenario is Scenario.ANOTHER_TRIAL


@pytest.mark.parametrize(
    ("policy", "renewed"),
    [
        (replace(POLICY, trial=ANOTHER), facts.PARTNER_ACCOUNT),
        (replace(POLICY, trial=TrialPolicy("user", 14, another=True)), facts.PARTNER_USER),
    ],
)
def test_another_trial_is_told_of_what_had_ended_alone(policy: PartnerPolicy, renewed: str) -> None:
    partner = Partner(policy)
    ann_expired(partner)
    told_of = [(event.subject_kind, event.action) for event in partner.ask(asked()).events]
    assert told_of == [(renewed, facts.RENEW), (facts.PARTNER_CONNECTION, facts.CONFIGURE)]


def test_what_is_to_be_made_is_named_by_the_template() -> None:
    partner = Partner()
    new = partner.ask(asked()).provision
    assert new is not None
    assert (new.database, new.role, new.user) == ("partner_pa1", "partner_pa1", "partner_pu2")
    assert (new.new_account, new.new_user, new.connection_id) == (True, True, "pc3")
    more = partner.ask(asked("bob@acme.com")).provision
    assert more is not None
    assert (more.database, more.new_account, more.new_user, more.user) == ("partner_pa1", False, True, "partner_pu4")
    again = partner.ask(asked()).provision
    assert again is not None
    assert (again.new_account, again.new_user, again.user) == (False, False, "partner_pu2")


def test_no_fact_holds_a_secret() -> None:
    partner = Partner(replace(POLICY, auth_options=("AUTH_OAUTH_M2M",)))
    partner.connected(
        service_principal_id="a2a25a05",
        service_principal_oauth_secret=Secret("dose-not-for-the-journal"),
        jdbc_url=f"jdbc:spark://h:443;PWD={TOKEN}",
    )
    written = json.dumps([row.details for row in partner.rows])
    assert "not-for-the-journal" not in written
    (connection,) = partner.known.connections.values()
    assert connection.auth_options == ("AUTH_PAT", "AUTH_OAUTH_M2M")


@pytest.mark.parametrize(
    ("policy", "more", "problem"),
    [
        (POLICY, {"http_path": None}, "http_path"),
        (POLICY, {"is_sql_warehouse": False}, "is_sql_warehouse"),
        (replace(POLICY, integration="notebook"), {}, "cluster_id"),
        (replace(POLICY, auth_options=("AUTH_OAUTH_U2M",)), {}, "AUTH_OAUTH_U2M"),
        (POLICY, {"user_info": replace(asked().user_info, auth=None)}, "AUTH_PAT"),
        (POLICY, {"user_info": replace(asked().user_info, email="ann")}, "email"),
        (POLICY, {"user_info": replace(asked().user_info, email="ann@localhost")}, "email"),
        (POLICY, {"user_info": replace(asked().user_info, databricks_organization_id=9)}, "workspace_id"),
        (POLICY, {"user_info": replace(asked().user_info, is_connection_established=True)}, "connection_id"),
    ],
)
def test_what_cannot_be_decided_is_a_bad_request(policy: PartnerPolicy, more: dict[str, object], problem: str) -> None:
    decision = Partner(policy).ask(asked(**more))  # type: ignore[arg-type]
    assert told(decision) == ("400", "bad_request")
    assert decision.error is not None
    assert problem in str(decision.error.debugging_message)
    assert (decision.events, decision.provision) == ((), None)


@pytest.mark.parametrize(
    ("policy", "more"),
    [
        (replace(POLICY, integration="notebook"), {"http_path": None, "cluster_id": "c"}),
        (replace(POLICY, integration="desktop"), {"http_path": None}),
        (replace(POLICY, auth_options=("AUTH_OAUTH_U2M",), is_published_app=True), {}),
        (replace(POLICY, auth_options=("AUTH_OAUTH_U2M",)), {"oauth_u2m_app_id": "app"}),
        (replace(POLICY, auth_options=("AUTH_OAUTH_M2M",)), {}),  # Databricks fell back to a token
    ],
)
def test_what_the_policy_needs_is_enough(policy: PartnerPolicy, more: dict[str, object]) -> None:
    assert told(Partner(policy).ask(asked(**more))) == CREATE_TRIAL  # type: ignore[arg-type]
