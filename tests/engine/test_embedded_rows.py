"""What rows the projection shows: those that the stored policies say, or the user is locked."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access.model import CreateRole, CreateUser, Grant, NameSet, Right
from core.access.policies import CreateRowPolicy, PolicyName, RowPolicy
from core.access.state import FIXED_USER, AccessState
from core.access.users_xml import project, unheld_limits
from core.access.users_xml_limits import limits_of
from core.clickhouse.embedded_handle import Handle, HandleOptions
from core.clickhouse.trying import scratch
from core.errors import HousekeysError
from tests.examples import examples

# Two users, one with a role; two tables that may have policies of their own, one that only `d.*` can reach.
USERS = {"u": ("r",), "v": (), FIXED_USER: ()}
TABLES = ("t", "t2", "table")
VALUES = (1, 2, 3)

_conditions = st.sampled_from(["a = 1", "a != 2", "a > 2", "1", "0"])
_targets = st.sampled_from(
    [
        NameSet(("u",)),
        NameSet(("v",)),
        NameSet(("r",)),
        NameSet(everyone=True),
        NameSet(everyone=True, excepted=("u",)),
        NameSet(everyone=True, excepted=("r", "v")),
        NameSet((FIXED_USER, "u")),
        NameSet(),
    ]
)
_policies = st.lists(
    st.tuples(st.sampled_from(["t", "t2", None]), _conditions | st.none(), st.booleans(), _targets), max_size=4
)


def expected(policies: Sequence[RowPolicy], user: str, table: str) -> list[int]:
    """The rows of a table that a user sees, by the documentation of CREATE ROW POLICY."""
    names = {user, *USERS[user]}
    here = [
        policy
        for policy in policies
        if policy.name.table in (table, None)
        and policy.condition is not None
        and (policy.to.everyone or names & set(policy.to.names))
        and not names & set(policy.to.excepted)
    ]

    def passes(policy: RowPolicy, a: int) -> bool:
        return {"a = 1": a == 1, "a != 2": a != 2, "a > 2": a > 2, "1": True, "0": False}[str(policy.condition)]

    permissive = [policy for policy in here if not policy.restrictive]
    restrictive = [policy for policy in here if policy.restrictive]
    return [
        a
        for a in VALUES
        if (not permissive or any(passes(policy, a) for policy in permissive))
        and all(passes(policy, a) for policy in restrictive)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("rows")
    (root / "config.xml").write_text(f"<clickhouse><users_config>{root}/users.xml</users_config></clickhouse>")
    (root / "users.xml").write_text(project(AccessState()))
    handle = Handle(HandleOptions(root / "data", root / "config.xml", {}, comment="test"))
    handle.command("CREATE DATABASE d")
    for table in TABLES:
        handle.command(f"CREATE TABLE d.`{table}` (a Int32) ENGINE = MergeTree ORDER BY a")
        handle.command(f"INSERT INTO d.`{table}` VALUES {', '.join(f'({a})' for a in VALUES)}")
    handle.close()
    yield root


def as_user(users_xml: str, user: str) -> str:
    """The whole projection with `user` where chDB's own user stands, and that one under another name."""
    tree = ElementTree.fromstring(users_xml)  # noqa: S314  (our own text)
    users = tree.find("users")
    assert users is not None
    fixed, chosen = users.find(FIXED_USER), users.find(user)
    assert fixed is not None and chosen is not None
    fixed.tag = "operator"
    chosen.tag = FIXED_USER
    return ElementTree.tostring(tree, encoding="unicode")


def build(found: Sequence[tuple[str | None, str | None, bool, NameSet]]) -> AccessState:
    state = AccessState()
    state.apply(CreateRole(("r",)))
    state.apply(CreateUser(("u", "v")))
    state.apply(Grant(roles=("r",), grantees=("u",)))
    state.apply(Grant((Right("SELECT", database="d"),), grantees=("u", "v")))
    for number, (table, condition, restrictive, to) in enumerate(found):
        name = PolicyName(f"p{number}", "d", table)
        using = condition is not None
        state.apply(CreateRowPolicy((name,), using=using, condition=condition, restrictive=restrictive, to=to))
    return state


@settings(max_examples=examples(8), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=_policies)
def test_everybody_sees_what_the_policies_say_or_nothing(
    folder: Path, found: list[tuple[str | None, str | None, bool, NameSet]]
) -> None:
    state = build(found)
    policies = list(state.row_policies.values())
    users_xml = project(state)
    for user in USERS:
        locked = user != FIXED_USER and bool(unheld_limits(state, state.users[user]))
        if user == FIXED_USER and limits_of(state).users[user].missing:
            continue  # the operator, who is told so
        try:
            with scratch(folder / "trying", folder / "data", as_user(users_xml, user)) as connection:
                seen = {
                    table: [row[0] for row in connection.run(f"SELECT a FROM d.`{table}` ORDER BY a").rows]
                    for table in TABLES
                }
        except HousekeysError:
            assert locked, (user, found)
            continue
        assert not locked
        assert seen == {table: expected(policies, user, table) for table in TABLES}, (user, found)


def test_only_what_has_no_exact_filter_locks() -> None:
    """Policies on one table lock nobody; beside those on the whole database some do."""
    wide, narrow = ("a = 1", False, NameSet(("u",))), ("a > 2", False, NameSet(("u",)))
    for tables, locked in (
        ([("t", *narrow), ("t", *wide)], False),
        ([(None, *wide)], False),
        ([(None, *wide), ("t", *narrow)], False),
        ([(None, *wide), ("t", "a > 2", True, NameSet(("u",)))], True),
        ([(None, "a = 1", False, NameSet(("v",))), ("t", *narrow)], True),
    ):
        state = build(tables)
        assert bool(unheld_limits(state, state.users["u"])) is locked, tables
        assert unheld_limits(state, state.users["v"]) == ()
