"""Lint of rights, revokes and roles."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from core.access.access_model import AccessModel, Holder
from core.access.lint.findings import Severity
from core.access.lint.linting import fixed
from core.access.lint.scope import holds, meets
from core.access.model import EntityKind, Grant, NameSet, Revoke, Right, Role, SettingElement
from core.access.parser import parse_statement
from core.access.policies import PolicyName, RowPolicy
from core.access.render import render
from tests.unit.access.lint_models import CONTEXT, found, model, user

ALICE = Holder(EntityKind.USER, "alice")


def right(text: str) -> Right:
    statement = parse_statement(f"GRANT {text} TO x")
    assert isinstance(statement, Grant)
    return statement.rights[0]


def alice(*grants: str, roles: tuple[str, ...] = ()) -> AccessModel:
    """A user with these grants (and roles), written without the grantee."""
    return model([user(), user("bob")], roles, [f"GRANT {text} TO alice" for text in grants])


def rendered(of: AccessModel, holder: Holder = ALICE) -> list[str]:
    return [render(statement) for statement in of.rights.get(holder, ())]


# -- what rights have in common

GROUPS = {"ALL": "", "SELECT": "ALL", "ALTER": "ALL", "ALTER TABLE": "ALTER", "ALTER UPDATE": "ALTER TABLE"}


@pytest.mark.parametrize(
    ("outer", "inner", "whole"),
    [
        ("ALL ON *.*", "SELECT ON a.b", True),
        ("SELECT ON a.*", "SELECT(x) ON a.b", True),
        ("SELECT(x, y) ON a.b", "SELECT(x) ON a.b", True),
        ("SELECT(x) ON a.b", "SELECT ON a.b", False),
        ("SELECT ON a*.*", "SELECT ON ab.*", True),
        ("SELECT ON ab.*", "SELECT ON a*.*", False),
        ("SELECT ON a.t*", "SELECT ON a.tab", True),
        ("SELECT ON a.*", "SELECT ON *.*", False),
        ("ALTER ON a.*", "ALTER UPDATE ON a.b", True),
        ("ALL ON u.*", "CREATE USER ON u", True),
        ("CREATE USER ON *", "CREATE USER ON u*", True),
        ("READ ON S3('a')", "READ ON S3", False),
    ],
)
def test_one_right_in_another(outer: str, inner: str, whole: bool) -> None:
    assert holds(right(outer), right(inner), GROUPS) is whole
    assert meets(right(outer), right(inner), GROUPS)
    assert meets(right(inner), right(outer), GROUPS)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("SELECT ON a.*", "SELECT ON b.*"),
        ("SELECT ON a.b", "SELECT ON a.c"),
        ("SELECT(x) ON a.b", "SELECT(y) ON a.b"),
        ("SELECT ON a.*", "ALTER UPDATE ON a.*"),
        ("SELECT ON a*.*", "SELECT ON b*.*"),
    ],
)
def test_rights_that_have_nothing_in_common(first: str, second: str) -> None:
    for groups in (GROUPS, {}):
        assert not meets(right(first), right(second), groups)
        assert not holds(right(first), right(second), groups)


# -- ALL on a database


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("ALL ON acme.*", Severity.ERROR),
        ("ALL ON ac*.*", Severity.ERROR),
        ("ALL ON acme.orders", Severity.ERROR),
        ("ALL ON shop.*", Severity.WARNING),
    ],
)
def test_grant_all(text: str, severity: Severity) -> None:
    of = alice(f"{text}, SELECT ON other.*")
    [finding] = found(of, "grant-all")
    assert finding.severity is severity
    after = fixed(of, [finding])
    [statement] = after.rights[ALICE]
    privileges = {right.privilege for right in statement.rights}
    assert {"SELECT", "INSERT", "CREATE TABLE", "DROP TABLE"} <= privileges
    assert not any(word in name for name in privileges for word in ("ALL", "USER", "POLICY", "ROLE", "IMPERSONATE"))
    assert Right("SELECT", database="other") in statement.rights
    assert ("DROP DATABASE" in privileges) is text.endswith(".*")


def test_grant_all_keeps_to_the_privileges_of_the_server() -> None:
    old = replace(CONTEXT, known_privileges=frozenset(("ALL", "SELECT", "INSERT")))
    of = alice("ALL ON acme.*")
    assert rendered(fixed(of, found(of, "grant-all", old))) == ["GRANT SELECT, INSERT ON acme.* TO alice"]


@pytest.mark.parametrize("text", ["SELECT ON acme.*", "ALL ON *.*", "ALTER ON acme.*"])
def test_no_grant_all(text: str) -> None:
    assert not found(alice(text), "grant-all")


def test_a_right_that_was_revoked_is_not_there() -> None:
    of = model([user()], grants=["GRANT ALL ON acme.* TO alice", "REVOKE ALL ON acme.* FROM alice"])
    assert not found(of, "grant-all")
    of = model([user()], grants=["GRANT ALL ON acme.* TO alice", "REVOKE INSERT ON acme.* FROM alice"])
    assert found(of, "grant-all")


# -- everything to a tenant


def test_everything_to_a_user_of_a_tenant() -> None:
    of = alice("SELECT ON acme.*", "INSERT, SHOW ON *.*")
    [finding] = found(of, "grant-beyond-tenants")
    assert finding.severity is Severity.ERROR
    assert "INSERT" in finding.title
    assert rendered(fixed(of, [finding])) == ["GRANT SELECT ON acme.* TO alice", "GRANT SHOW ON *.* TO alice"]


def test_everything_by_a_role_is_named_with_its_path() -> None:
    of = model(
        [user()],
        ["analyst", "base"],
        [
            "GRANT SELECT ON acme.* TO alice",
            "GRANT analyst TO alice",
            "GRANT base TO analyst",
            "GRANT SELECT ON *.* TO base",
        ],
    )
    [finding] = found(of, "grant-beyond-tenants")
    assert finding.title == "User alice, user of a tenant, has SELECT on every database by role base."
    assert finding.fix is None


def test_everything_to_the_datalens_user() -> None:
    of = model([user("datalens")], grants=["GRANT SELECT ON *.* TO datalens"])
    [finding] = found(of, "grant-beyond-tenants")
    after = fixed(of, [finding])
    assert rendered(after, Holder(EntityKind.USER, "datalens")) == [
        "GRANT SELECT ON acme.*, SELECT ON globex.* TO datalens"
    ]
    [finding] = found(of, "grant-beyond-tenants", replace(CONTEXT, tenants=frozenset()))
    assert finding.fix is None


@pytest.mark.parametrize("text", ["SELECT ON acme.*", "SHOW ON *.*", "SELECT ON *.*", "ALL ON *.*"])
def test_not_beyond_tenants(text: str) -> None:
    assert not found(alice(text), "grant-beyond-tenants")  # of no tenant, or an administrator


# -- global rights beside those on databases


def test_global_rights_beside_a_database() -> None:
    of = alice("SELECT, INSERT ON acme.*", "URL, S3, SYSTEM SHUTDOWN, CREATE TEMPORARY TABLE ON *.*", "READ ON *")
    [finding] = found(of, "global-rights-beside-database")
    assert all(name in finding.title for name in ("URL", "S3", "SYSTEM SHUTDOWN", "READ"))
    assert rendered(fixed(of, [finding])) == [
        "GRANT SELECT, INSERT ON acme.* TO alice",
        "GRANT CREATE TEMPORARY TABLE ON *.* TO alice",
    ]


@pytest.mark.parametrize(
    "grants", [("URL ON *.*",), ("SELECT ON *.*", "URL ON *.*"), ("SELECT ON acme.*", "SHOW ON *.*"), ("ALL ON *.*",)]
)
def test_no_global_rights_beside_a_database(grants: tuple[str, ...]) -> None:
    assert not found(alice(*grants), "global-rights-beside-database")


# -- other forms


def test_grant_current_database() -> None:
    [finding] = found(alice("SHOW ON *", "SELECT ON orders"), "grant-current-database")
    assert "SHOW ON *" in finding.title
    assert not found(alice("SHOW ON *.*", "CREATE USER ON *", "SELECT ON a.orders"), "grant-current-database")


def test_grant_option_widespread() -> None:
    names = ("a", "b", "c", "d", "e")
    grants = ["GRANT SELECT ON acme.* TO analyst WITH GRANT OPTION", *(f"GRANT analyst TO {name}" for name in names)]
    of = model([user(name) for name in names], ["analyst"], grants)
    [finding] = found(of, "grant-option-widespread")
    assert finding.title.startswith("5 users")
    role = Holder(EntityKind.ROLE, "analyst")
    assert rendered(fixed(of, [finding]), role) == ["GRANT SELECT ON acme.* TO analyst"]
    assert not found(of, "grant-option-widespread", replace(CONTEXT, many_users=6))
    own = model([user()], grants=["GRANT SELECT ON a.* TO alice WITH GRANT OPTION"])
    assert not found(own, "grant-option-widespread", replace(CONTEXT, many_users=1))


@pytest.mark.parametrize("text", ["ALL ON *.*", "ACCESS MANAGEMENT ON *.*"])
def test_administrator(text: str) -> None:
    statement = f"GRANT {text} TO alice WITH GRANT OPTION"
    [finding] = found(model([user()], grants=[statement]), "administrator")
    assert finding.severity is Severity.NOTE
    assert "WITH GRANT OPTION" in finding.explanation
    assert "WITH GRANT OPTION" not in found(alice(text), "administrator")[0].explanation
    of = model([user()], ["admin"], [f"GRANT {text} TO admin", "GRANT admin TO alice"])
    [finding] = found(of, "administrator")
    assert "alice" in finding.explanation
    assert not found(alice("ALL ON acme.*", "SELECT ON *.*"), "administrator")


def test_privilege_unknown() -> None:
    known = replace(CONTEXT, known_privileges=frozenset(("SELECT", "DELETE")))
    [finding] = found(alice("SELECT, DELETE, FLY ON a.*"), "privilege-unknown", known)
    assert "FLY" in finding.title
    assert not found(alice("FLY ON a.*"), "privilege-unknown")
    assert not found(alice("SELECT, DELETE ON a.*"), "privilege-unknown", known)


# -- revokes


def test_a_revoke_that_changes_nothing_because_a_role_gives_the_right() -> None:
    of = model(
        [user()],
        ["analyst"],
        ["GRANT SELECT ON shop.* TO analyst", "GRANT analyst TO alice", "REVOKE SELECT ON shop.* FROM alice"],
    )
    [finding] = found(of, "revoke-without-effect")
    assert finding.severity is Severity.WARNING
    assert finding.title == "REVOKE SELECT ON shop.* from user alice changes nothing."
    assert "analyst" in finding.explanation
    assert rendered(fixed(of, [finding])) == []


@pytest.mark.parametrize(
    "grants",
    [
        ["REVOKE SELECT ON a.* FROM alice"],
        ["GRANT SELECT ON b.* TO alice", "REVOKE SELECT ON a.* FROM alice"],
        ["REVOKE SELECT ON a.b FROM alice", "GRANT SELECT ON a.* TO alice"],
        ["GRANT SELECT ON a.* TO alice", "REVOKE INSERT ON a.* FROM alice"],
        ["GRANT SELECT ON a.* TO alice", "REVOKE GRANT OPTION FOR SELECT ON a.* FROM alice"],
    ],
)
def test_revokes_that_meet_no_grant(grants: list[str]) -> None:
    of = model([user()], grants=grants)
    [finding] = found(of, "revoke-without-effect")
    assert finding.severity is Severity.NOTE
    kept = [text for text in grants if text.startswith("GRANT")]
    assert rendered(fixed(of, [finding])) == kept


@pytest.mark.parametrize(
    "grants",
    [
        ["GRANT SELECT ON *.* TO alice", "REVOKE SELECT ON a.* FROM alice"],
        ["GRANT SELECT ON a*.* TO alice", "REVOKE SELECT(x) ON ab.c FROM alice"],
        ["GRANT ALL ON a.* TO alice", "REVOKE CREATE USER ON a FROM alice"],
        ["GRANT ALTER ON a.* TO alice", "REVOKE ALTER UPDATE ON a.* FROM alice"],
        ["GRANT ALTER DELETE ON a.* TO alice", "REVOKE DELETE ON a.* FROM alice"],
        ["GRANT SELECT ON a.* TO alice WITH GRANT OPTION", "REVOKE GRANT OPTION FOR SELECT ON a.* FROM alice"],
    ],
)
def test_revokes_that_do_something(grants: list[str]) -> None:
    assert not found(model([user()], grants=grants), "revoke-without-effect")


def test_only_the_revoke_before_the_grant_is_removed() -> None:
    revoke = "REVOKE SELECT ON a.b FROM alice"
    of = model([user()], grants=[revoke, "GRANT SELECT ON a.* TO alice", revoke])
    after = fixed(of, found(of, "revoke-without-effect"))
    assert rendered(after) == ["GRANT SELECT ON a.* TO alice", revoke]
    assert isinstance(after.rights[ALICE][1], Revoke)


# -- roles


def roles_of_alice(default: NameSet) -> AccessModel:
    grants = ["GRANT analyst, owner TO alice", "GRANT SELECT ON a.* TO analyst", "GRANT SELECT ON b.* TO owner"]
    return model([user(default_roles=default)], ["analyst", "owner"], grants)


def test_role_not_default() -> None:
    of = roles_of_alice(NameSet(("analyst",)))
    [finding] = found(of, "role-not-default")
    assert finding.severity is Severity.WARNING
    assert finding.title == "User alice was granted owner, but not as default."
    assert fixed(of, [finding]).users["alice"].default_roles == NameSet(("analyst", "owner"))
    [finding] = found(roles_of_alice(NameSet()), "role-not-default")
    assert (finding.severity, finding.fix) == (Severity.NOTE, None)
    for chosen in (NameSet(everyone=True), NameSet(everyone=True, excepted=("owner",)), NameSet(("owner", "analyst"))):
        assert not found(roles_of_alice(chosen), "role-not-default")


def test_default_role_not_granted() -> None:
    of = roles_of_alice(NameSet(("analyst", "owner", "ghost")))
    [finding] = found(of, "default-role-not-granted")
    assert fixed(of, [finding]).users["alice"].default_roles == NameSet(("analyst", "owner"))
    assert not found(roles_of_alice(NameSet(("analyst",))), "default-role-not-granted")


def test_role_dangling() -> None:
    of = model([user()], ["analyst"], ["GRANT analyst, ghost TO alice"])
    [finding] = found(of, "role-dangling")
    assert "ghost" in finding.title
    assert dict(fixed(of, [finding]).granted_roles[ALICE]) == {"analyst": False}
    assert not found(model([user()], ["analyst"], ["GRANT analyst TO alice"]), "role-dangling")


def test_role_unheld() -> None:
    grants = ["GRANT SELECT ON a.* TO analyst", "GRANT analyst TO analyst"]
    of = model([user()], ["analyst", "sql-console-role:a@b.example"], grants)
    assert [finding.entity.name for finding in found(of, "role-unheld")] == ["analyst"]
    for holder in ("alice", "base"):
        held = model([user()], ["analyst", "base"], ["GRANT base TO alice", f"GRANT analyst TO {holder}"])
        assert not found(held, "role-unheld")


def test_role_empty() -> None:
    of = model([user(default_roles=NameSet(("analyst",)))], ["analyst", "base"], ["GRANT analyst TO alice"])
    findings = found(of, "role-empty")
    assert [finding.entity.name for finding in findings] == ["analyst", "base"]
    after = fixed(of, findings)
    assert (dict(after.roles), dict(after.granted_roles[ALICE])) == ({}, {})
    assert after.users["alice"].default_roles == NameSet()
    [by_name] = found(model([], ["sql-console-role:a@b.example"]), "role-empty")
    assert by_name.fix is None and "drop it" in by_name.advice  # without it its person may get more


@pytest.mark.parametrize("how", ["rights", "roles", "settings", "policy"])
def test_a_role_that_something_depends_on_is_not_empty(how: str) -> None:
    settings = (SettingElement("max_threads", "1"),) if how == "settings" else ()
    grants = {"rights": ["GRANT SELECT ON a.* TO analyst"], "roles": ["GRANT base TO analyst"]}.get(how, [])
    policy = RowPolicy(PolicyName("p", "a", "b"), "1", to=NameSet(("analyst",)))
    of = model([], [Role("analyst", settings), "base"], grants, policies=[policy] if how == "policy" else [])
    assert "analyst" not in [finding.entity.name for finding in found(of, "role-empty")]


def test_role_cycle() -> None:
    circle = ["GRANT a TO b", "GRANT b TO c", "GRANT c TO a"]
    of = model([user()], ["a", "b", "c", "d", "e"], [*circle, "GRANT a TO d", "GRANT d TO e", "GRANT e TO alice"])
    [finding] = found(of, "role-cycle")
    assert finding.title == "Roles are granted to each other in a circle: a, b and c."
    of = model([], ["a", "b"], ["GRANT a TO b", "GRANT b TO a", "GRANT b TO b"])
    assert len(found(of, "role-cycle")) == 1
    assert found(model([], ["a"], ["GRANT a TO a"]), "role-cycle")
    chain = model([], ["a", "b", "c"], ["GRANT a TO b", "GRANT a TO c", "GRANT b TO c"])
    assert not found(chain, "role-cycle")


def test_a_chain_of_ten_thousand_roles_is_no_problem() -> None:
    roles = [f"r{number}" for number in range(10_000)]
    holders = {Holder(EntityKind.ROLE, role): {below: False} for role, below in pairwise(roles)}
    of = replace(model([user()], roles), granted_roles={**holders, ALICE: {"r0": False}})
    assert not found(of, "role-cycle")
    closed = replace(of, granted_roles={**of.granted_roles, Holder(EntityKind.ROLE, roles[-1]): {"r0": False}})
    assert len(found(closed, "role-cycle")) == 1
