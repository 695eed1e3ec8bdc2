"""Effective rights, judged by ClickHouse: its privileges, its SHOW GRANTS FINAL, its CHECK GRANT."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.access.access_model import AccessModel, Holder
from core.access.effective.implicit import with_implicit
from core.access.effective.privilege_tree import SOURCE_NAMES, Privilege, clickhouse_26_9
from core.access.effective.questions import Extent, Verdict, can
from core.access.effective.rights import RightsIndex
from core.access.effective.rights_tree import Path as Place
from core.access.effective.rights_tree import Rights, Step, places
from core.access.model import EntityKind, Grant, Revoke, Right, User
from core.access.parser import parse_statement
from core.access.render import render
from core.access.render_grants import identifier, render_rights
from core.access_reports.audit import audit
from core.clickhouse.embedded_handle import Handle, HandleOptions
from core.clickhouse.errors import NoRightError, ServerError
from tests.examples import examples
from tests.unit.access import effective_models
from tests.unit.access.effective_examples import model_of

# Every model takes an engine of its own: few of them, and no search for a smaller one.
ENGINE = settings(
    max_examples=examples(4),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TREE = clickhouse_26_9()
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def loaded(model: AccessModel, as_user: str = "", folder: Path | None = None) -> Iterator[Handle]:
    """chDB with the users and roles of a model, every statement as it stands in it.

    chDB connects as `default`, which can do everything, or what `as_user` can.
    """
    root = ElementTree.Element("clickhouse")
    for part in ("profiles", "quotas"):
        ElementTree.SubElement(ElementTree.SubElement(root, part), "default")
    users = ElementTree.SubElement(root, "users")
    default = ElementTree.SubElement(users, "default")
    ElementTree.SubElement(default, "no_password")
    if as_user:
        _grants(default, model, Holder(EntityKind.USER, as_user))
    else:
        for tag in ("access_management", "named_collection_control"):
            ElementTree.SubElement(default, tag).text = "1"
    for name in model.users:
        element = ElementTree.SubElement(users, name)
        ElementTree.SubElement(element, "no_password")
        _grants(element, model, Holder(EntityKind.USER, name))
    roles = ElementTree.SubElement(root, "roles")
    for name in model.roles:
        _grants(ElementTree.SubElement(roles, name), model, Holder(EntityKind.ROLE, name))
    with TemporaryDirectory() as own:
        home = folder or Path(own)
        (home / "config.xml").write_text(f"<clickhouse><users_config>{home}/users.xml</users_config></clickhouse>")
        (home / "users.xml").write_text(ElementTree.tostring(root, encoding="unicode"))
        handle = Handle(HandleOptions(home / "data", home / "config.xml", {}, comment="test"))
        try:
            yield handle
        finally:
            handle.close()


def _grants(parent: ElementTree.Element, model: AccessModel, holder: Holder) -> None:
    grants = ElementTree.SubElement(parent, "grants")
    given_roles = [
        Grant(roles=(role,), grantees=(holder.name,), admin_option=admin)
        for role, admin in model.granted_roles.get(holder, {}).items()
    ]
    for statement in (*model.rights.get(holder, ()), *given_roles):
        word = "TO" if isinstance(statement, Grant) else "FROM"
        text = render(statement).replace(f" {word} {identifier(holder.name)}", "")
        ElementTree.SubElement(grants, "query").text = text


def lines(handle: Handle, sql: str) -> list[str]:
    return [row[0] for row in handle.query(sql).rows]


# What ClickHouse shows, one by one: what is done, with the option or not, the privilege, the object.
Atom = tuple[bool, bool, str, Place]


def shown_atoms(statements: Sequence[str]) -> set[Atom]:
    """The atoms of what SHOW GRANTS answered."""
    found: set[Atom] = set()
    for statement in map(parse_statement, statements):
        assert isinstance(statement, Grant | Revoke)
        for right in statement.rights:
            for path, mask in places(right, TREE):
                found |= _atoms(isinstance(statement, Revoke), statement.grant_option, path, mask)
    return found


def atoms(rights: Rights) -> set[Atom]:
    """The atoms of folded rights, those included that mean nothing and are shown all the same."""
    found: set[Atom] = set()
    for path, granted, with_option, revoked, option_revoked in rights.elements:
        found |= _atoms(False, False, path, granted) | _atoms(False, True, path, with_option)
        found |= _atoms(True, False, path, revoked) | _atoms(True, True, path, option_revoked)
    return found


def _atoms(revoked: bool, option: bool, path: Place, mask: int) -> set[Atom]:
    found: set[Atom] = set()
    for name in TREE.single_names(mask & TREE.grantable[len(path)]):
        place = path
        if TREE.mask(name) & TREE.parametrised:
            # SHOW GRANTS leaves out the pattern of a source, but has the wildcard of a table.
            place = (Step(path[0].name, path[-1].wildcard),) if path else ()
        if name in ("READ", "WRITE"):
            # SHOW GRANTS writes them in the old way, in which one cannot be told from both.
            if not place:
                name = "SOURCES"
            elif place[0].name in SOURCE_NAMES:
                name, place = place[0].name, ()
        found.add((revoked, option, name, place))
    return found


def test_the_built_in_privileges_are_those_of_the_engine() -> None:
    with loaded(AccessModel()) as handle:
        rows = handle.query("SELECT privilege, aliases, level, parent_group FROM system.privileges").rows
    theirs = [Privilege(name, tuple(aliases), level or "", group or "") for name, aliases, level, group in rows]
    assert theirs == list(TREE.privileges.values())


@ENGINE
@given(st.booleans().flatmap(lambda options: effective_models.models(default_roles=False, options=options)))
def test_all_rights_are_what_show_grants_final_says(model: AccessModel) -> None:
    index = RightsIndex(model)
    with loaded(model) as handle:
        for holder in index.holders():
            theirs = lines(handle, f"SHOW GRANTS FOR {holder.name} FINAL")
            assert atoms(index.effective(holder).granted) == shown_atoms(theirs), (holder, theirs)


def _of_one_kind(right: Right) -> bool:
    """Whether CHECK GRANT understands the question: of a group all must be grantable there, of a source no pattern."""
    path, mask = places(right, TREE)[0]
    return right.source_filter is None and not mask & ~TREE.grantable[len(path)]


@ENGINE
@given(
    effective_models.models(default_roles=False),
    st.lists(effective_models.rights(options=True), min_size=15, max_size=30),
    st.lists(effective_models.rights(options=False), min_size=15, max_size=30),
)
def test_can_is_what_check_grant_says(model: AccessModel, asked: list[Right], more: list[Right]) -> None:
    found = RightsIndex(model).effective(Holder(EntityKind.USER, "u0"))
    with loaded(model, as_user="u0") as handle:
        for right in filter(_of_one_kind, [*asked, *more]):
            theirs = bool(handle.query(f"CHECK GRANT {render_rights((right,))}").first_cell())
            assert (can(found, right).verdict is Verdict.YES) is theirs, (right, found.final())


@ENGINE
@given(effective_models.models(default_roles=False))
def test_implicit_rights_are_those_of_show_grants_with_implicit(model: AccessModel) -> None:
    index = RightsIndex(model)
    with loaded(model) as handle:
        for name in model.users:
            theirs = shown_atoms(lines(handle, f"SHOW GRANTS FOR {name} WITH IMPLICIT FINAL"))
            mine = atoms(with_implicit(index.effective(Holder(EntityKind.USER, name)).granted))
            assert _without_option(mine) == _without_option(theirs), name


def _without_option(found: set[Atom]) -> set[tuple[bool, str, Place]]:
    """What is given and taken, whether or not it may be passed on. Engines are the server's to know."""
    kept = (atom for atom in found if atom[2] != "TABLE ENGINE" and atom[:2] != (True, True))
    return {(revoked, name, place) for revoked, _, name, place in kept}


@pytest.mark.parametrize(
    ("grants", "passed_on"),
    [
        # SHOW GRANTS shows neither of these options, but they hold.
        (["GRANT SELECT ON ab.t", "GRANT OPTIMIZE ON *.*", "GRANT OPTIMIZE ON a.ab* WITH GRANT OPTION"], True),
        (["GRANT SELECT ON *.* WITH GRANT OPTION", "REVOKE GRANT OPTION FOR SELECT ON a*.*"], False),
        (["GRANT OPTIMIZE ON a.ab* WITH GRANT OPTION", "REVOKE GRANT OPTION FOR OPTIMIZE ON a.abc"], False),
    ],
)
def test_grant_options_on_wildcards_hold(grants: list[str], passed_on: bool) -> None:
    holder = Holder(EntityKind.USER, "u")
    parsed = [_for_user(text) for text in grants]
    model = AccessModel({"u": User("u"), "v": User("v")}, rights={holder: tuple(parsed)})
    right = Right("SELECT" if "SELECT ON *.*" in grants[0] else "OPTIMIZE", database="a", table="abc")
    assert (can(RightsIndex(model).effective(holder), right).grant_option is Extent.ALL) is passed_on
    with loaded(model, as_user="u") as handle, pytest.raises(ServerError if passed_on else NoRightError) as refused:
        handle.command(f"GRANT {render_rights((right,))} TO v")
    assert isinstance(refused.value, NoRightError) is not passed_on


def _for_user(text: str) -> Grant | Revoke:
    word = "TO" if text.startswith("GRANT") else "FROM"
    rest, option, _ = text.partition(" WITH GRANT OPTION")
    statement = parse_statement(f"{rest} {word} u{option}")
    assert isinstance(statement, Grant | Revoke)
    return statement


AUDIT = (
    "CREATE USER bob",
    "CREATE ROLE analyst, base",
    "GRANT SELECT ON *.* TO base",
    "REVOKE SELECT ON secret.* FROM base",
    "REVOKE SELECT(wage) ON a.t1 FROM base",
    "GRANT SELECT ON log*.*, SELECT ON pre.tab* TO analyst",
    "GRANT base TO analyst",
    "GRANT analyst TO bob",
)


# Each was asked of ClickHouse when the rules were written down; the engine is asked again.
CASES = (
    "CREATE USER circle, two_roles, u2, tenant, wildcards, option",
    "CREATE ROLE rc, rd, ra, rb, r",
    "GRANT rc TO circle, rd",
    "GRANT rd TO rc",
    "GRANT SELECT ON d.* TO rd",
    "GRANT SELECT ON *.* TO ra",
    "REVOKE SELECT ON secret.* FROM ra",
    "GRANT SELECT ON secret.pub TO rb",
    "GRANT ra, rb TO two_roles",
    "GRANT SELECT ON *.* TO r",
    "GRANT r TO u2",
    "REVOKE SELECT ON shop.* FROM u2",
    "GRANT ALL ON tenant_a.* TO tenant",
    "GRANT SELECT ON db*.* TO wildcards",
    "REVOKE SELECT ON db.* FROM wildcards",
    "GRANT INSERT ON db.t* TO wildcards",
    "REVOKE INSERT ON db.t1 FROM wildcards",
    "GRANT SELECT ON *.* TO option WITH GRANT OPTION",
    "REVOKE GRANT OPTION FOR SELECT ON a.* FROM option",
)


@pytest.mark.parametrize(
    ("user", "right", "verdict"),
    [
        ("circle", Right("SELECT", database="d"), Verdict.YES),
        ("two_roles", Right("SELECT", database="secret", table="pub"), Verdict.YES),
        ("two_roles", Right("SELECT", database="secret", table="t"), Verdict.NO),
        ("u2", Right("SELECT", database="shop"), Verdict.YES),
        ("tenant", Right("CREATE USER", parameter="tenant_a"), Verdict.YES),
        ("tenant", Right("CREATE USER", parameter="tenant_b"), Verdict.NO),
        ("tenant", Right("DROP ROW POLICY", database="tenant_a", table="t"), Verdict.YES),
        ("wildcards", Right("SELECT", database="dbx"), Verdict.YES),
        ("wildcards", Right("SELECT", database="db", table="t"), Verdict.NO),
        ("wildcards", Right("INSERT", database="db", table="t2"), Verdict.YES),
        ("wildcards", Right("INSERT", database="db", table="t1"), Verdict.NO),
        ("option", Right("SELECT", database="a"), Verdict.YES),
    ],
)
def test_the_cases_of_the_rules(user: str, right: Right, verdict: Verdict) -> None:
    model = model_of(*CASES)
    assert can(RightsIndex(model).effective(Holder(EntityKind.USER, user)), right).verdict is verdict
    with loaded(model, as_user=user) as handle:
        theirs = bool(handle.query(f"CHECK GRANT {render_rights((right,))}").first_cell())
    assert theirs is (verdict is Verdict.YES)


# The query that ClickHouse's own guide to access reviews gives, as it stands there.
AUDIT_QUERY = """
SELECT grants.user_name, grants.role_name, users.name AS role_member, grants.access_type, grants.database, grants.table
FROM system.grants LEFT OUTER JOIN system.role_grants ON grants.role_name = role_grants.granted_role_name
LEFT OUTER JOIN system.users ON role_grants.user_name = users.name
UNION ALL
SELECT grants.user_name, grants.role_name, role_grants.role_name AS role_member, grants.access_type, grants.database,
grants.table
FROM system.role_grants LEFT OUTER JOIN system.grants ON role_grants.granted_role_name = grants.role_name
WHERE role_grants.user_name is null
"""


def test_our_audit_is_right_where_the_usual_query_is_not() -> None:
    model = model_of(*AUDIT)
    with loaded(model) as handle:
        rows = handle.query(AUDIT_QUERY).rows
    of_bob = {(access, database, table) for user, _, member, access, database, table in rows if "bob" in (user, member)}
    assert of_bob == {("SELECT", "log", None), ("SELECT", "pre", "tab")}  # two of three, and those without their `*`
    of_base = {(access, database, table) for _, role, _, access, database, table in rows if role == "base"}
    assert {("SELECT", "secret", None), ("SELECT", "a", "t1")} <= of_base  # what was taken back, as if it were given
    ours = {(row.privilege, row.object, row.path, row.revoked_parts) for row in audit(model, NOW)}
    assert ours == {
        ("SELECT", "*.*", "analyst > base", "SELECT(wage) ON a.t1; SELECT ON secret.*"),
        ("SELECT", "log*.*", "analyst", ""),
        ("SELECT", "pre.tab*", "analyst", ""),
    }


def test_the_audit_example_is_what_really_can_be_read() -> None:
    model = model_of(*AUDIT)
    found = RightsIndex(model).effective(Holder(EntityKind.USER, "bob"))
    with TemporaryDirectory() as folder:
        with loaded(model, folder=Path(folder)) as handle:
            for table in ("a.t1", "secret.t", "secret.pub"):
                handle.command(f"CREATE DATABASE IF NOT EXISTS {table.split('.')[0]}")
                handle.command(f"CREATE TABLE {table} (day Int32, wage Int32) ENGINE = MergeTree ORDER BY ()")
        with loaded(model, as_user="bob", folder=Path(folder)) as handle:
            for database, table, columns in (
                ("a", "t1", ("day",)),
                ("a", "t1", ("wage",)),
                ("a", "t1", ("day", "wage")),
                ("secret", "t", ("day",)),
            ):
                verdict = can(found, Right("SELECT", columns, database, table)).verdict
                try:
                    handle.query(f"SELECT {', '.join(columns)} FROM {database}.{table}")
                except NoRightError:
                    assert verdict is not Verdict.YES
                else:
                    assert verdict is Verdict.YES
