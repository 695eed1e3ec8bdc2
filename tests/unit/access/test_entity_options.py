"""Options that are clauses: whatever they say, they say one thing, and errors point into what was typed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access.entity_options import (
    altered,
    entity_name,
    hosts_of,
    merged,
    method_of,
    moment,
    new_entity,
    read_clause,
    read_grant,
    unaltered,
)
from core.access.model import EntityKind, Hosts, NameSet, User
from core.access.policies import PolicyName
from core.access.quotas import Quota, QuotaInterval, QuotaLimit
from core.access.render_grants import identifier
from core.access.render_policies import policy_names
from core.errors import BadInputError

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
KINDS = [kind for kind in EntityKind if kind is not EntityKind.MASKING_POLICY]


@given(st.text(max_size=40))
def test_a_clause_sets_its_own_field_or_is_refused(text: str) -> None:
    try:
        found = read_clause(EntityKind.QUOTA, "--to", "TO", text, "to")
    except BadInputError as error:
        assert error.message.startswith("--to ")
        if column := re.search(r"at column (\d+)", error.message):
            assert 1 <= int(column[1]) <= len(text) + 1
    else:
        assert found == unaltered(EntityKind.QUOTA).__class__(("x",), to=found.to)


@given(NAMES)
def test_a_quoted_name_is_that_name(name: str) -> None:
    found = read_clause(EntityKind.QUOTA, "--to", "TO", identifier(name), "to")
    assert found.to == NameSet((name,))


@given(NAMES, NAMES, st.none() | NAMES)
def test_names_of_row_policies_are_read_as_they_are_written(short: str, database: str, table: str | None) -> None:
    name = PolicyName(short, database, table)
    assert entity_name(EntityKind.ROW_POLICY, policy_names([name])) == name


@given(NAMES)
def test_other_names_are_taken_as_they_are(name: str) -> None:
    for kind in KINDS:
        if kind is not EntityKind.ROW_POLICY:
            assert entity_name(kind, name) == name


def test_repeated_clauses_add_up() -> None:
    alteration = unaltered(EntityKind.QUOTA)
    for text in ("1 hour MAX queries = 5", "1 day TRACKING ONLY"):
        alteration = merged(alteration, read_clause(EntityKind.QUOTA, "--i", "FOR INTERVAL", text, "intervals"))
    hour = QuotaInterval(3600, ((QuotaLimit.QUERIES, 5),))
    quota = altered(new_entity(EntityKind.QUOTA, "q"), alteration)
    assert quota == Quota("q", intervals=(hour, QuotaInterval(86400)))
    without = read_clause(EntityKind.QUOTA, "--i", "FOR INTERVAL", "1 hour NO LIMITS", "intervals")
    assert altered(quota, without) == Quota("q", intervals=(QuotaInterval(86400),))
    setting = unaltered(EntityKind.USER)
    for text in ("a = 1", "b = 2 MAX 3"):
        setting = merged(setting, read_clause(EntityKind.USER, "--setting", "MODIFY SETTING", text, "settings"))
    user = altered(User("u"), setting)
    assert isinstance(user, User)
    assert [(each.name, each.value, each.max) for each in user.settings] == [("a", "1", None), ("b", "2", "3")]


@pytest.mark.parametrize("kind", KINDS)
def test_what_alters_nothing_alters_nothing(kind: EntityKind) -> None:
    name = PolicyName("p", "d", "t") if kind is EntityKind.ROW_POLICY else "x"
    entity = new_entity(kind, name)
    assert altered(entity, unaltered(kind)) == entity


def test_hosts() -> None:
    found = hosts_of(("ip:10.0.0.0/8", "ip:::1", "name:a:b", "regexp:^x:", "like:%.x"), "--host")
    assert found == Hosts(addresses=("10.0.0.0/8", "::1"), names=("a:b",), patterns=("^x:",), likes=("%.x",))
    assert hosts_of(("any",), "--host") == hosts_of(("like:%",), "--host") == Hosts(any=True)
    assert hosts_of(("none",), "--host") == Hosts()
    for bad in ("", "ip:", "ip:host", "IP:10.0.0.1", "dns:x", "everywhere"):
        with pytest.raises(BadInputError, match="--host"):
            hosts_of((bad,), "--host")


@given(st.text(max_size=20))
def test_moments(text: str) -> None:
    try:
        found = moment(text, "--valid-until")
    except BadInputError as error:
        assert error.message.startswith("--valid-until: ")
    else:
        assert found in (text, "infinity")


def test_a_password_is_not_taken_and_not_repeated() -> None:
    for text in ("sha256_password BY 'hunter2'", "plaintext_password BY 'hunter2'", "sha256_password BY 'hunter2' X"):
        with pytest.raises(BadInputError) as caught:
            method_of(text, "--identified-with")
        assert "hunter2" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_grants_name_their_database_and_nobody_else() -> None:
    for text in ("SELECT ON t", "SELECT ON *", "SELECT ON a.b TO c, d", "SELECT ON a.b; DROP USER x", "ON CLUSTER c r"):
        with pytest.raises(BadInputError):
            read_grant(text)
    assert read_grant("SELECT ON a.*, INSERT ON b.c").grantees == ("x",)
