"""What the journal's rows about partner accounts add up to, whoever wrote them."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.changes import Event
from core.partner.accounts import facts
from core.partner.accounts.folding import NOTHING, fold
from core.partner.accounts.state import AccountKey, AccountKind, Known
from core.partner.messages.requests import CloudProvider, UserKey, WorkspaceKey
from tests.unit.partner.account_examples import POLICY, START, TRIAL_BY_ACCOUNT, Partner, asked, journal_row

KEY = AccountKey(AccountKind.DOMAIN, "acme.com")
WORKSPACE = WorkspaceKey(CloudProvider.AWS, 1)
ANN = UserKey(CloudProvider.AWS, 5)


def account(identifier: str, **more: Any) -> Event:
    return facts.account_created(
        identifier, KEY, domain="acme.com", workspace=WORKSPACE, database=f"db_{identifier}", role="r", **more
    )


def user(identifier: str, account: str = "pa1", key: UserKey = ANN, email: str = "ann@acme.com") -> Event:
    return facts.user_added(identifier, account, key, email=email, name=f"name_{identifier}")


def folded(*events: Event) -> Known:
    return fold(journal_row(event, number, START + timedelta(minutes=number)) for number, event in enumerate(events))


def test_rows_add_up_the_same_in_one_go_and_bit_by_bit() -> None:
    partner = Partner(TRIAL_BY_ACCOUNT)
    connection = partner.connected()
    partner.ask(asked("bob@acme.com", connection=connection))
    partner.ask(asked(demo=True))
    partner.delete(connection)
    half = fold(partner.rows[:4])
    assert fold(partner.rows) == partner.known == fold(partner.rows[4:], half)
    assert half == fold(partner.rows[:4])  # what was known stays as it was
    assert fold([]) == NOTHING


def test_a_tombstone_keeps_who_and_when_and_nothing_of_where_it_led() -> None:
    partner = Partner()
    connection = partner.connected(service_principal_id="a2a25a05")
    assert partner.known.connections[connection].coordinates is not None
    partner.pass_days(1)
    partner.delete(connection)
    gone = partner.known.connections[connection]
    assert (gone.coordinates, gone.configured, gone.deleted) == (None, START, partner.now)
    assert "a2a25a05" not in repr(gone)


def test_a_deleted_account_takes_its_users_and_connections_and_its_key_is_free() -> None:
    partner = Partner()
    connection = partner.connected()
    (old,) = partner.known.accounts
    partner.tell(facts.account_deleted(old), facts.account_renewed(old, None))
    known = partner.known
    assert known.connection(connection, None) is None
    assert (known.account(KEY), known.user_ids, known.users_by_email) == (None, {}, {})
    partner.connected()
    found = known.account(KEY)
    assert found is not None
    assert found.id != old


def test_two_services_that_make_the_same_account_and_user_at_once_make_one() -> None:
    one, other = Partner(), Partner()
    other.new_id = lambda kind: f"{kind}-other"  # type: ignore[method-assign]
    first, second = one.ask(asked()), other.ask(asked(workspace=2))
    known = folded(*first.events, *second.events)
    assert known.same_as == {"pa-other": first.account_id, "pu-other": first.user_id}
    assert {(c.account_id, c.user_id) for c in known.connections.values()} == {(first.account_id, first.user_id)}
    assert (len(known.accounts), len(known.users), len(known.connections)) == (1, 1, 2)
    assert known.accounts[str(first.account_id)].workspaces == {WORKSPACE, WorkspaceKey(CloudProvider.AWS, 2)}


def test_later_facts_win() -> None:
    ends = START + timedelta(days=14)
    known = folded(
        account("pa1", trial_until=START),
        facts.account_expired("pa1"),
        facts.account_renewed("pa1", ends),
    )
    trial = known.accounts["pa1"].trial
    assert (trial.until, trial.expired, trial.count) == (ends, None, 2)
    bought = folded(account("pa1", trial_until=START), facts.account_purchased("pa1")).accounts["pa1"]
    assert not bought.trial.over(START + timedelta(days=1000))
    again = folded(account("pa1"), facts.account_purchased("pa1"), facts.account_expired("pa1")).accounts["pa1"]
    assert (again.purchased, again.trial.over(START)) == (None, True)


def test_a_user_takes_no_address_that_another_has() -> None:
    events = (account("pa1"), user("pu1"), user("pu2", key=UserKey(CloudProvider.AWS, 6), email="bob@acme.com"))
    known = folded(*events, facts.user_identified("pu1", ANN, email="bob@acme.com", first_name="Ann", last_name="Lee"))
    assert [(one.email, one.first_name) for one in known.users.values()] == [
        ("ann@acme.com", "Ann"),
        ("bob@acme.com", ""),
    ]
    moved = folded(*events, facts.user_identified("pu1", ANN, email="lee@acme.com", first_name="", last_name=""))
    assert "ann@acme.com" not in moved.users_by_email
    for handle in ("lee@acme.com", ANN):
        found = moved.user(moved.accounts["pa1"], handle)
        assert found is not None
        assert found.id == "pu1"


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)
EVENTS: list[Event] = [
    account("pa1", trial_until=START),
    user("pu1"),
    facts.user_invited("pu2", "pa1", "bob@acme.com", "n"),
    facts.user_identified("pu1", ANN, email="lee@acme.com", first_name="", last_name=""),
    facts.user_renewed("pu1", START),
    facts.user_signed_in("pu1", "pc1"),
    facts.account_renewed("pa1", START),
    *(row_event for row_event in Partner().ask(asked()).events if row_event.subject_kind == facts.PARTNER_CONNECTION),
    facts.user_expired("pu1"),
    facts.connection_deleted("pc1"),
    facts.account_deleted("pa1"),
]


@given(st.data())
def test_rows_that_others_wrote_break_nothing(data: st.DataObject) -> None:
    rows = []
    for number, event in enumerate(data.draw(st.lists(st.sampled_from(EVENTS), max_size=14))):
        details = dict(event.details)
        for key in data.draw(st.sets(st.sampled_from([*details, "trial_until"]), max_size=2)):
            details[key] = data.draw(JSON)
        if details and data.draw(st.integers(0, 5)) == 0:
            details.pop(data.draw(st.sampled_from(list(details))))
        rows.append(journal_row(replace(event, details=details), number, START))
    known = fold(rows)
    for (account_id, handle), user_id in known.user_ids.items():
        one = known.users[user_id]
        assert (one.account_id, one.deleted) == (account_id, None)
        assert handle == one.email or handle in one.keys
    for connection in known.connections.values():
        assert (connection.coordinates is None) == (connection.deleted is not None)
    assert all(known.accounts[one].deleted is None for one in known.account_ids.values())


@pytest.mark.parametrize(
    "event",
    [
        Event(facts.PARTNER_ACCOUNT, "pa9", facts.CREATE, {"unreadable": "x"}),
        replace(account("pa9"), details={**account("pa9").details, "workspace_id": True}),
        replace(account("pa9"), details={**account("pa9").details, "workspace_id": 2**63}),
        replace(account("pa9"), details={**account("pa9").details, "trial_until": "2026-11-03"}),
        user("pu9", account="pa-unknown"),
        user("pu9", email="ann"),
    ],
)
def test_a_row_that_says_nothing_is_told_without_its_content(event: Event, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        known = folded(account("pa1"), event)
    assert known == folded(account("pa1"))
    assert f"says nothing of a {event.subject_kind}" in caplog.text
    assert "acme" not in caplog.text


def test_facts_about_what_is_not_there_change_nothing() -> None:
    partner = Partner(POLICY)
    connection = partner.connected()
    before = fold(partner.rows)
    partner.tell(
        facts.account_expired("pa-none"),
        facts.user_deleted("pu-none"),
        facts.user_signed_in("pu-none", connection),
        facts.connection_deleted("pc-none"),
        Event("tenant", connection, facts.DELETE),
        Event(facts.PARTNER_CONNECTION, connection, "admire"),
    )
    assert partner.known == before


def test_an_id_is_given_once() -> None:
    partner = Partner()
    connection = partner.connected()
    configured = partner.rows[-1]
    partner.delete(connection)
    gone = partner.known.connections[connection]
    partner.tell(Event(configured.subject_kind, configured.subject, configured.action, configured.details))
    assert partner.known.connections[connection] == gone
