"""Rights folded into trees, and where each comes from."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings

from core.access.access_model import AccessModel
from core.access.effective.privilege_tree import Depth, Privilege, PrivilegeTree, clickhouse_26_9
from core.access.effective.rights import RightsIndex, effective
from core.access.effective.rights_tree import Step, fold
from core.access.effective.statements import statements
from core.access.model import Grant, Revoke, Right
from core.access.parser import parse_statement
from core.access.render import render
from core.errors import BadInputError, NotFoundError
from tests.examples import examples
from tests.unit.access import effective_models
from tests.unit.access.effective_examples import model_of, role, user

TREE = clickhouse_26_9()
ADMIN_ALONE = TREE.mask("NAMED COLLECTION ADMIN") & ~sum(
    TREE.mask(name) for name, privilege in TREE.privileges.items() if privilege.group == "NAMED COLLECTION ADMIN"
)
# What is drawn is large: few examples, and no search for a smaller one.
FEW = settings(max_examples=examples(5), deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def folded(*sql: str) -> list[str]:
    parsed = [statement for statement in map(parse_statement, sql) if isinstance(statement, Grant | Revoke)]
    return [render(statement) for statement in statements(fold(parsed, TREE), "u")]


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        (["GRANT SELECT ON d.* TO u", "REVOKE SELECT ON d.* FROM u"], []),
        (["REVOKE SELECT ON shop.* FROM u"], []),  # nothing wider of its own: no trace, and no denial
        (["GRANT SELECT ON *.* TO u", "GRANT SELECT ON d.t TO u"], ["GRANT SELECT ON *.* TO u"]),
        (
            ["GRANT SELECT ON *.* TO u", "REVOKE SELECT ON d.* FROM u", "GRANT SELECT ON d.t TO u"],
            ["GRANT SELECT ON *.* TO u", "REVOKE SELECT ON d.* FROM u", "GRANT SELECT ON d.t TO u"],
        ),
        (
            ["GRANT SELECT ON *.* TO u", "REVOKE SELECT ON d.* FROM u", "GRANT SELECT ON *.* TO u"],
            ["GRANT SELECT ON *.* TO u"],
        ),
        (
            ["GRANT SELECT ON db*.* TO u", "REVOKE SELECT ON db.* FROM u"],
            ["GRANT SELECT ON db*.* TO u", "REVOKE SELECT ON db.* FROM u"],
        ),
        (
            ["GRANT SELECT ON db.* TO u", "GRANT SELECT ON dbx.* TO u", "REVOKE SELECT ON db*.* FROM u"],
            [],
        ),
        (
            ["GRANT SELECT ON d.t* TO u", "REVOKE SELECT ON d.t1 FROM u", "REVOKE SELECT(c) ON d.t2 FROM u"],
            ["GRANT SELECT ON d.t* TO u", "REVOKE SELECT ON d.t1 FROM u", "REVOKE SELECT(c) ON d.t2 FROM u"],
        ),
        (
            ["GRANT SELECT(a, b), INSERT(a) ON d.t TO u"],
            ["GRANT SELECT(a, b), INSERT(a) ON d.t TO u"],
        ),
        (
            ["GRANT SELECT ON *.* TO u WITH GRANT OPTION", "REVOKE GRANT OPTION FOR SELECT ON a.* FROM u"],
            ["GRANT SELECT ON *.* TO u WITH GRANT OPTION", "REVOKE GRANT OPTION FOR SELECT ON a.* FROM u"],
        ),
        (
            ["GRANT SELECT ON *.* TO u WITH GRANT OPTION", "REVOKE SELECT ON a.* FROM u", "GRANT SELECT ON a.* TO u"],
            ["GRANT SELECT ON *.* TO u WITH GRANT OPTION", "REVOKE GRANT OPTION FOR SELECT ON a.* FROM u"],
        ),
        (["GRANT S3 ON *.* TO u"], ["GRANT READ, WRITE ON S3 TO u"]),
        (["GRANT SOURCES ON *.* TO u"], ["GRANT READ, WRITE ON * TO u"]),
        (
            ["GRANT READ ON * TO u", "REVOKE READ ON S3('s3://a.*') FROM u"],
            ["GRANT READ ON * TO u", "REVOKE READ ON S3 FROM u"],  # the pattern of a revoke is not heeded
        ),
        (["GRANT dictHas ON d.t TO u", "GRANT UPDATE ON d.t TO u"], ["GRANT ALTER UPDATE, dictGet ON d.t TO u"]),
        (["GRANT ALL ON tenant_a.* TO u"], ["GRANT ALL ON tenant_a.* TO u"]),
        (
            ["GRANT CREATE USER ON pre* TO u", "REVOKE CREATE USER ON prefix FROM u"],
            ["GRANT CREATE USER ON pre* TO u", "REVOKE CREATE USER ON prefix FROM u"],
        ),
    ],
)
def test_grants_fold_into_the_fewest_statements(granted: list[str], expected: list[str]) -> None:
    assert folded(*granted) == expected


def test_all_on_a_database_gives_rights_on_a_user_of_that_name_and_none_on_others() -> None:
    rights = fold([Grant((Right("ALL", database="tenant_a"),))], TREE)
    for privilege in ("CREATE USER", "DROP ROLE", "IMPERSONATE", "NAMED COLLECTION ADMIN", "READ", "TABLE ENGINE"):
        mask = TREE.mask(privilege)
        assert rights.at((Step("tenant_a"),)).granted & mask == mask
        assert not rights.at((Step("tenant_b"),)).granted & mask
    policies = TREE.mask("DROP ROW POLICY")
    assert rights.at((Step("tenant_a"), Step("t"))).granted & policies


@settings(FEW, max_examples=examples(40))
@given(effective_models.held("u"))
def test_the_canonical_statements_mean_what_was_folded(given_: tuple[Grant | Revoke, ...]) -> None:
    rights = fold(given_, TREE)
    canonical = statements(rights, "u")
    again = fold(canonical, TREE)
    assert statements(again, "u") == canonical
    for path, *_ in rights.elements:
        # NAMED COLLECTION ADMIN is a group and a privilege: the latter alone cannot be written, nor shown.
        meaningful = TREE.meaningful[Depth(len(path))] & ~ADMIN_ALONE
        held, back = rights.at(path), again.at(path)
        assert held.granted & meaningful == back.granted & meaningful
        assert held.option & meaningful == back.option & meaningful


@FEW
@given(effective_models.models())
def test_a_union_is_what_the_holders_have_at_every_object(model: AccessModel) -> None:
    index = RightsIndex(model)
    for holder in index.holders():
        found = index.effective(holder)
        for source in found.sources:
            for path, *_ in source.rights.elements:
                held = [each.rights.at(path) for each in found.sources]
                granted = option = 0
                for each in held:
                    granted, option = granted | each.granted, option | each.option
                assert found.granted.at(path) == (granted, option)


def test_a_right_has_the_path_of_roles_it_came_by() -> None:
    model = model_of(
        "CREATE USER bob",
        "CREATE ROLE analyst, base",
        "GRANT SELECT ON log*.* TO analyst",
        "GRANT SELECT ON *.* TO base",
        "REVOKE SELECT ON secret.* FROM base",
        "GRANT base TO analyst",
        "GRANT analyst TO bob",
        "GRANT SELECT ON log*.* TO bob",
    )
    found = effective(model, user("bob"))
    rows = {(right.right.database, right.revoked): right.origins for right in found.rights}
    assert [(via.holder, via.path) for via in rows[("log", False)]] == [
        (user("bob"), ()),
        (role("analyst"), ("analyst",)),
    ]
    assert [via.path for via in rows[(None, False)]] == [("analyst", "base")]
    assert [via.path for via in rows[("secret", True)]] == [("analyst", "base")]


def test_credential_grants_limit_a_session_and_leave_nothing_to_pass_on() -> None:
    model = model_of("CREATE USER u", "GRANT SELECT, INSERT ON d.* TO u WITH GRANT OPTION")
    limited = effective(model, user("u")).limited_to((Right("SELECT"), Right("ALTER")))
    assert [render(each) for each in statements(limited, "u")] == ["GRANT SELECT ON d.* TO u"]


def test_a_privilege_of_another_version_is_kept_under_its_name() -> None:
    model = model_of("CREATE USER u", "GRANT FLY ON d.* TO u", "GRANT SELECT ON d.* TO u", "REVOKE FLY ON d.t FROM u")
    index = RightsIndex(model)
    assert index.unknown_privileges == ("FLY",)
    assert [render(each) for each in index.effective(user("u")).final()] == [
        "GRANT SELECT, FLY ON d.* TO u",
        "REVOKE FLY ON d.t FROM u",
    ]


def test_the_servers_own_privileges_are_used() -> None:
    older = PrivilegeTree(
        [Privilege("ALL"), Privilege("SOURCES", group="ALL"), Privilege("S3", (), "GLOBAL", "SOURCES")]
    )
    rights = fold([Grant((Right("SOURCES"),))], older)
    assert rights.at(()).granted == older.mask("S3")
    with pytest.raises(BadInputError, match="no privilege SELECT"):
        older.mask("SELECT")


def test_who_does_not_exist_is_said() -> None:
    with pytest.raises(NotFoundError, match="no user ghost"):
        effective(AccessModel(), user("ghost"))
