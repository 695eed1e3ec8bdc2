"""Plans about one entity: exactly these statements, in this order, each with what takes it back."""

from __future__ import annotations

import pytest

from core.access.access_model import AccessModel, EntityKey, Holder
from core.access.assembling import model_from_statements
from core.access.difference import Renamed, compare
from core.access.model import Authentication, AuthKind, EntityKind, Grant, Hosts, NameSet, Right, Role, User
from core.access.parser import parse_statement
from core.access.passwords import hashed
from core.access.planning.clusters import cluster_clause
from core.access.planning.entities import (
    alter,
    clone_role,
    clone_user,
    create,
    disable,
    drop,
    enable,
    grant,
    grant_roles,
    move,
    remembered_hosts,
    rename,
    revoke,
    revoke_roles,
)
from core.access.planning.plan import Plan, stale
from core.access.planning.planner import plan
from core.access.planning.references import dependents
from core.access.render import render
from core.errors import BadInputError, NotFoundError, RefusedError

HASH = "AB" * 32
U = EntityKey(EntityKind.USER, "u")
R = EntityKey(EntityKind.ROLE, "r")
PLACE = f"""
CREATE SETTINGS PROFILE `limits` SETTINGS max_threads = 4
CREATE ROLE r SETTINGS PROFILE `limits`
CREATE ROLE s
CREATE USER u IDENTIFIED WITH sha256_hash BY '{HASH}' HOST IP '10.0.0.0/8', LOCAL
CREATE USER v IDENTIFIED WITH ldap SERVER 'l'
GRANT SELECT ON a.* TO r
GRANT SELECT ON b.* TO u WITH GRANT OPTION
GRANT r TO u
GRANT r, s TO v
ALTER USER v DEFAULT ROLE r GRANTEES u
CREATE QUOTA q FOR INTERVAL 1 hour MAX queries = 5 TO r
CREATE ROW POLICY p ON a.t USING x = 1 TO u, r
"""


def model(*more: str) -> AccessModel:
    lines = [*PLACE.strip().split("\n"), *more]
    return model_from_statements(map(parse_statement, lines))


def shown(made: Plan) -> list[str]:
    return [render(step.statement) for step in made.steps]


def back(made: Plan) -> list[str]:
    return [render(statement) for step in reversed(made.steps) for statement in step.inverse]


def test_a_user_is_created_with_all_it_has() -> None:
    user = User("n", (Authentication(AuthKind.SHA256, hash=HASH),), default_roles=NameSet(("r",)))
    made = create(
        model(),
        user,
        rights=(Grant((Right("SELECT", database="c"),), grantees=("x",)),),
        roles={"r": False, "s": True},
        storage="local_directory",
        cluster="main",
    )
    assert shown(made) == [
        f"CREATE USER n IN local_directory ON CLUSTER main IDENTIFIED WITH sha256_hash BY '{HASH}' DEFAULT ROLE NONE",
        "GRANT ON CLUSTER main r TO n",
        "GRANT ON CLUSTER main s TO n WITH ADMIN OPTION",
        "GRANT ON CLUSTER main SELECT ON c.* TO n",
        "ALTER USER n ON CLUSTER main DEFAULT ROLE r",
    ]
    assert back(made)[-1] == "DROP USER n FROM local_directory ON CLUSTER main"
    assert all(not step.takes for step in made.steps)
    with pytest.raises(BadInputError, match="There is a user u already"):
        create(model(), User("u"))
    with pytest.raises(RefusedError, match="sha256_password of n is not known"):
        create(model(), User("n", (Authentication(AuthKind.SHA256),)))
    with pytest.raises(BadInputError, match="user n: GRANT names nobody"):
        create(model(), User("n"), roles={"nobody": False})


def test_an_alteration_says_only_what_differs_and_knows_what_was() -> None:
    before = model()
    made = alter(before, User("u", before.users["u"].methods, Hosts(addresses=("10.0.0.0/8",)), default_database="d"))
    assert shown(made) == ["ALTER USER u HOST IP '10.0.0.0/8' DEFAULT DATABASE d"]
    assert back(made) == ["ALTER USER u HOST LOCAL, IP '10.0.0.0/8' DEFAULT DATABASE NONE"]
    assert made.steps[0].takes == "User u can come from fewer places: IP '10.0.0.0/8'."
    assert alter(before, before.users["u"]).steps == ()
    with pytest.raises(NotFoundError):
        alter(before, User("nobody"))


def test_a_password_nobody_knows_is_not_compared_and_not_restored() -> None:
    unknown = model("CREATE USER w IDENTIFIED WITH sha256_password")
    known = (Authentication(AuthKind.SHA256, hash=HASH),)
    made = plan(unknown, model(f"CREATE USER w IDENTIFIED WITH sha256_hash BY '{HASH}'"), exact=True)
    assert (made.steps, made.differences.not_compared) == ((), (EntityKey(EntityKind.USER, "w"),))
    made = alter(unknown, User("w", known), new_secret=True)
    assert shown(made) == [f"ALTER USER w IDENTIFIED WITH sha256_hash BY '{HASH}'"]
    assert made.steps[0].inverse == ()
    assert made.steps[0].no_inverse == "The password that w had is not known here, so it cannot be set again."
    dropped = drop(unknown, [EntityKey(EntityKind.USER, "w")])
    assert dropped.steps[0].no_inverse.startswith("The sha256_password of w is not known here")
    added = alter(unknown, User("w", (Authentication(AuthKind.SHA256), Authentication(AuthKind.LDAP, server="l"))))
    assert shown(added) == ["ALTER USER w ADD IDENTIFIED WITH ldap SERVER 'l'"]
    ended = alter(unknown, User("w", (Authentication(AuthKind.SHA256, valid_until="2030-01-01 00:00:00"),)))
    assert (shown(ended), back(ended)) == (
        ["ALTER USER w VALID UNTIL '2030-01-01 00:00:00'"],
        ["ALTER USER w VALID UNTIL 'infinity'"],
    )


def test_the_same_password_typed_is_no_change() -> None:
    typed = Authentication(AuthKind.SHA256, password="Secret-1-secret")
    current = AccessModel(users={"u": User("u", (hashed(typed),))})
    assert plan(current, AccessModel(users={"u": User("u", (typed,))}), exact=True).steps == ()
    other = Authentication(AuthKind.SHA256, password="Secret-2-secret")
    assert len(plan(current, AccessModel(users={"u": User("u", (other,))}), exact=True).steps) == 1


def test_a_role_is_dropped_behind_all_that_names_it() -> None:
    made = drop(model(), [R])
    assert shown(made) == [
        "ALTER QUOTA q TO NONE",
        "ALTER ROW POLICY p ON a.t TO u",
        "ALTER USER v DEFAULT ROLE NONE",
        "REVOKE r FROM u",
        "REVOKE r FROM v",
        "DROP ROLE r",
    ]
    assert back(made) == [
        "CREATE ROLE r SETTINGS PROFILE `limits`",
        "GRANT SELECT ON a.* TO r",
        "GRANT r TO v",
        "GRANT r TO u",
        "ALTER USER v DEFAULT ROLE r",
        "ALTER ROW POLICY p ON a.t TO r, u",
        "ALTER QUOTA q TO r",
    ]
    assert {
        (found.source.name, found.field) for found in dependents(model(), R) if isinstance(found.source.name, str)
    } == {
        ("u", "GRANT"),
        ("v", "GRANT"),
        ("v", "DEFAULT ROLE"),
        ("q", "TO"),
    }
    assert dependents(model(), EntityKey(EntityKind.SETTINGS_PROFILE, "limits"))[0].source == R
    assert [found.field for found in dependents(model(), U)] == ["GRANTEES", "TO"]


def test_users_and_roles_dropped_together_come_back_together() -> None:
    before = model()
    made = drop(before, [U, R, EntityKey(EntityKind.USER, "v"), EntityKey(EntityKind.SETTINGS_PROFILE, "limits")])
    left = [*map(parse_statement, PLACE.strip().split("\n")), *(step.statement for step in made.steps)]
    assert set(model_from_statements(left).roles) == {"s"}
    again = model_from_statements([*left, *map(parse_statement, back(made))])
    assert compare(again, before).nothing


def test_a_name_is_changed_everywhere() -> None:
    made = rename(model(), R, "reader")
    assert (shown(made), back(made)) == (["ALTER ROLE r RENAME TO 'reader'"], ["ALTER ROLE reader RENAME TO 'r'"])
    assert made.target.users["v"].default_roles.names == ("reader",)
    assert made.target.quotas["q"].to.names == ("reader",)
    with pytest.raises(BadInputError, match="There is a role s already"):
        rename(model(), R, "s")
    desired = rename(model(), R, "reader").target
    told = plan(model(), desired, exact=True, renamed=[Renamed(R, "reader")])
    assert shown(told) == shown(made)


def test_a_clone_has_all_but_the_password() -> None:
    made = clone_user(model(), "u", "w", (Authentication(AuthKind.LDAP, server="l"),))
    assert shown(made) == [
        "CREATE USER w IDENTIFIED WITH ldap SERVER 'l' HOST LOCAL, IP '10.0.0.0/8'",
        "ALTER ROW POLICY p ON a.t TO r, u, w",
        "GRANT r TO w",
        "GRANT SELECT ON b.* TO w WITH GRANT OPTION",
        "ALTER USER v GRANTEES u, w",
    ]
    assert shown(clone_role(model(), "r", "t")) == [
        "CREATE ROLE t SETTINGS PROFILE `limits`",
        "GRANT SELECT ON a.* TO t",
    ]


def test_a_user_is_disabled_and_enabled_again() -> None:
    off = disable(model(), "u")
    assert shown(off) == ["ALTER USER u HOST NONE"]
    assert off.steps[0].details == {"hosts": "LOCAL, IP '10.0.0.0/8'"}
    hosts = remembered_hosts(off.steps[0].details)
    assert hosts is not None
    on = enable(off.target, "u", hosts)
    assert shown(on) == ["ALTER USER u HOST LOCAL, IP '10.0.0.0/8'"]
    assert remembered_hosts({"hosts": "ANY; DROP USER u"}) is None
    with pytest.raises(RefusedError, match="disabled already"):
        disable(off.target, "u")
    with pytest.raises(RefusedError, match="is not disabled"):
        enable(model(), "u")


def test_rights_and_roles_are_given_and_taken() -> None:
    holder = Holder(EntityKind.USER, "u")
    assert grant(model(), holder, [Right("SELECT", database="b")]).steps == ()
    assert shown(grant(model(), holder, [Right("SELECT"), Right("SELECT", database="c")])) == [
        "GRANT SELECT ON *.* TO u"
    ]
    assert shown(revoke(model(), holder, [Right("SELECT", database="b", table="t")])) == ["REVOKE SELECT ON b.t FROM u"]
    assert revoke(model(), holder, [Right("SELECT", database="a")]).steps == ()  # it comes from the role
    assert shown(revoke(model(), holder, [Right("ALL")], option_only=True)) == [
        "REVOKE GRANT OPTION FOR SELECT ON b.* FROM u"
    ]
    assert shown(grant_roles(model(), holder, ["r", "s"], admin_option=True)) == [
        "GRANT s TO u WITH ADMIN OPTION",
        "GRANT r TO u WITH ADMIN OPTION",
    ]
    other = Holder(EntityKind.USER, "v")
    assert shown(revoke_roles(model(), other, ["r"])) == ["ALTER USER v DEFAULT ROLE NONE", "REVOKE r FROM v"]
    with pytest.raises(BadInputError, match="to itself"):
        grant_roles(model(), Holder(EntityKind.ROLE, "r"), ["r"])


def test_what_sql_cannot_change_is_refused_with_the_reason() -> None:
    current = AccessModel(
        users={"u": User("u"), "x": User("x")}, storages={EntityKey(EntityKind.USER, "x"): "users_xml"}
    )
    made = plan(current, AccessModel(), exact=True)
    assert shown(made) == ["DROP USER u"]
    assert [refusal.why for refusal in made.refusals] == [
        "The user x is in users_xml, which SQL cannot change, so it is not dropped. Change it where it is defined."
    ]
    with pytest.raises(RefusedError, match="is in users_xml"):
        disable(current, "x")
    with pytest.raises(RefusedError, match="is in users_xml"):
        move(current, EntityKey(EntityKind.USER, "x"), "memory")
    named = plan(current, AccessModel(), exact=True, storage_types={"users_xml": "local_directory"})
    assert (named.refusals, shown(named)) == ((), ["DROP USER u", "DROP USER x FROM users_xml"])


def test_a_role_with_the_name_of_a_user_is_left_alone() -> None:
    current = AccessModel(users={"x": User("x")}, roles={"x": Role("x")})
    with pytest.raises(RefusedError, match="has the name of a user"):
        grant(current, Holder(EntityKind.ROLE, "x"), [Right("SELECT")])


def test_an_entity_is_moved() -> None:
    current = AccessModel(users={"u": User("u")}, storages={U: "local_directory"})
    made = move(current, U, "replicated", cluster="c")
    assert shown(made) == ["MOVE USER u TO replicated ON CLUSTER c"]
    assert back(made) == ["MOVE USER u TO local_directory ON CLUSTER c"]


def test_a_plan_grows_stale_when_what_it_is_about_does() -> None:
    made = grant(model(), Holder(EntityKind.USER, "u"), [Right("SELECT", database="c")])
    assert stale(made, model("GRANT SELECT ON z.* TO v")) == ()
    assert stale(made, model("GRANT SELECT ON z.* TO u")) == (U,)
    assert stale(made, model("DROP USER u")) == (U,)


@pytest.mark.parametrize(
    ("directories", "wanted"),
    [
        (["users_xml", "local_directory"], "main"),
        (["users_xml", "replicated"], ""),
        (["replicated", "local directory"], ""),
        (["users_xml", "local directory", "replicated"], "main"),
        ([], "main"),
    ],
)
def test_on_cluster_is_left_out_where_the_storage_is_replicated(directories: list[str], wanted: str) -> None:
    assert cluster_clause(directories, "main") == wanted
    assert cluster_clause(directories, "") == ""
